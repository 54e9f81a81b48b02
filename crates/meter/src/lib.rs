//! The virtual meter.
