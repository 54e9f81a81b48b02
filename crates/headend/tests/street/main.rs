//! The head-end against virtual meters, in memory and under virtual time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod commands;
mod pushes;
mod reading;
mod world;
