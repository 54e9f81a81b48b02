//! The head-end: schedules, sessions, pushes, backfill; no IO.
