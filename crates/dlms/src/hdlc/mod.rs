//! HDLC as meters speak it: frames with two check sequences, a link with sequence numbers and windows.
//!
//! [`Decoder`] turns any bytes into frames and finds its way back after garbage. [`ClientLink`] and
//! [`ServerLink`] carry whole APDUs over frames: they cut and join segments, acknowledge, repeat and
//! negotiate. They run the same over a serial line, an optical head or a TCP connection.
//!
//! Deliberately absent: the mode E opening of IEC 62056-21 before the link, and answering for several
//! clients at the same time.
//!
//! Standard: IEC 62056-46 (data link layer), ISO/IEC 13239 frame format type 3.

mod frame;
mod link;

pub use frame::{Address, Control, Decoder, Frame, FrameError, crc16};
pub use link::{ClientLink, LinkConfig, LinkError, LinkEvent, Parameters, ServerLink};
