//! Green Button: readings, usage summaries and costs as ESPI XML, in an Atom feed or as bare fragments.
//!
//! ```text
//! feed
//!   entry UsagePoint            related --> MeterReading, UsageSummary, LocalTimeParameters
//!   entry MeterReading          related --> ReadingType, IntervalBlock
//!   entry ReadingType           unit, prefix, direction, commodity, accumulation
//!   entry IntervalBlock         up --> MeterReading/../IntervalBlock
//!     IntervalReading           cost, quality, start and duration, value
//! ```
//!
//! Entries find each other by their links; where a feed has one meter reading or one reading type, by that. Blocks that
//! come before their reading type are held back, a bounded number of values of them.
//!
//! Entities beyond the five of XML are not expanded, document types are refused, depth and length are bounded.
//!
//! Standard: NAESB REQ.21 ESPI 4.0; RFC 4287.

mod guard;
mod kinds;
mod links;
mod reader;
mod run;
mod skim;
mod time;
mod writer;

pub use reader::EspiReader;
pub use writer::{EspiWriter, Feed};

#[cfg(test)]
mod tests;
