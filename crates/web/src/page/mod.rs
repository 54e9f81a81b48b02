//! The pages, one file or folder each.

pub(crate) mod home;
pub(crate) mod ops;
pub(crate) mod problem;
pub(crate) mod sign_in;
pub(crate) mod theme;
pub(crate) mod usage;
