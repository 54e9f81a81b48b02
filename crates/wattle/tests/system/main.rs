//! The executable from outside: its command line, its sockets under hostile bytes, its store under kills and on a
//! full disk, its roles in processes that are killed.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "these tests wait for processes, in real time")]

mod chores;
mod cli;
mod common;
mod definitions;
mod disk;
mod hostile;
mod import;
mod kill;
mod ledger;
mod load;
mod push;
mod retention;
mod roles;
mod weather;
mod work;
