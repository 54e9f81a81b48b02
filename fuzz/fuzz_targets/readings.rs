//! Any bytes as a file of readings, found out or named as a format, read to the end and written again.
#![no_main]

#[path = "readings/whole.rs"]
mod whole;

libfuzzer_sys::fuzz_target!(|input: &[u8]| whole::read_and_write(input));
