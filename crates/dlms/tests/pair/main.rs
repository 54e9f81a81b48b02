//! Client and server against each other in memory: every service under every protection.

mod harness;
mod recorded;
mod security;
mod services;
