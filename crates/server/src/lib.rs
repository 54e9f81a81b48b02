//! Turns engines and services: sockets, timers, threads, configuration. Decides nothing.
//!
//! | module | what it turns |
//! |---|---|
//! | [`collection`] | the head-end and collection duty: the utility's side |
//! | [`world`] | a simulated territory behind real sockets |
//! | [`visit`] | one client and one meter, blocking: reading by hand |
//! | [`device`] | one virtual meter on a socket |
//! | [`config`] | what `wattle serve` is told |
//! | [`utility`] | opening a data directory: store, keys, meter data manager |
//! | [`work`] | jobs and the inbox |
//! | [`clock`] | the time |

pub mod clock;
pub mod collection;
pub mod config;
pub mod day_files;
pub mod device;
pub mod profiles;
pub mod reference;
pub mod utility;
pub mod visit;
mod wire;
pub mod work;
pub mod world;
