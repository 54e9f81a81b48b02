//! The simulated world behind the sockets: meters, loads, weather and the field network.
