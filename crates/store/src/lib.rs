//! State: the only SQL.
