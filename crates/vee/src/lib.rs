//! Validation and estimation of interval data.
