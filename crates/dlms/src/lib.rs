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

pub mod apdu;
pub mod data;
pub mod obis;

pub use data::Data;
pub use obis::Obis;
