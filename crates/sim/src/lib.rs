//! Whole-utility simulation under virtual time.
