//! DLMS/COSEM without IO: codecs, security, interface classes, client and server as state machines.
//!
//! Knows nothing of Wattle and could be published alone. Bytes in, bytes out: sockets, clocks and
//! random numbers are the caller's.
//!
//! | module | what it is | standard |
//! |---|---|---|
//! | [`obis`] | names of things a meter holds | IEC 62056-6-1 |
//! | [`data`] | the A-XDR data type and its codec | IEC 62056-6-2, IEC 61334-6 |
//! | [`apdu`] | application protocol data units | IEC 62056-5-3 |
//! | [`wrapper`] | framing over TCP and UDP | IEC 62056-4-7 |
//! | [`hdlc`] | framing over serial lines, and TCP too | IEC 62056-46 |
//! | [`gateway`] | the header that names a meter behind a gateway | Green Book |
//! | [`acse`] | opening and closing associations | IEC 62056-5-3, ISO/IEC 8650-1 |
//! | [`security`] | suite 0: ciphering, GMAC, key wrap | IEC 62056-5-3, NIST SP 800-38D |
//! | [`cosem`] | interface classes | IEC 62056-6-2 |
//! | [`client`] | the head-end's side of an association | IEC 62056-5-3 |
//! | [`server`] | the meter's side | IEC 62056-5-3 |
//! | [`datetime`] | dates, times and UTC | IEC 62056-6-2 |
//! | [`profile`] | profile rows where they lie | IEC 62056-6-2 |
//! | [`mbus`] | wired M-Bus answers | EN 13757-2, -3 |
//! | [`decode`] | captures made readable |  |
//! | [`wire`] | what is wrong with bytes | IEC 61334-6 |

pub mod acse;
pub mod apdu;
pub mod client;
pub mod cosem;
pub mod data;
pub mod datetime;
pub mod decode;
pub mod gateway;
pub mod hdlc;
pub mod mbus;
pub mod obis;
pub mod profile;
pub mod security;
pub mod server;
pub mod wire;
pub mod wrapper;

pub use data::Data;
pub use obis::Obis;
