//! The operator console.

pub(crate) mod bench;
pub(crate) mod command;
pub(crate) mod command_view;
pub(crate) mod commands;
pub(crate) mod definition;
pub(crate) mod events;
pub(crate) mod formulas;
#[cfg(debug_assertions)]
pub(crate) mod gallery;
pub(crate) mod groups;
pub(crate) mod imports;
pub(crate) mod live;
pub(crate) mod meter;
pub(crate) mod meters;
mod meters_view;
pub(crate) mod overview;
pub(crate) mod reads;
pub(crate) mod rules;
pub(crate) mod vee;
