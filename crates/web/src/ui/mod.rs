//! Page shells and the small components that several pages share.

mod icon;
mod parts;
mod shell;

pub(crate) use icon::{Icon, icon};
pub(crate) use parts::{Stat, Tone};
pub(crate) use parts::{empty, initials, seg, stats, status, step};
pub(crate) use shell::{Crumb, Frame, bare, customer, ops};
