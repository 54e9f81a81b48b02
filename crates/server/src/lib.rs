//! Turns engines and services: sockets, timers, threads, configuration.
