//! Page shells and the small components that several pages share.

mod icon;
mod parts;
mod shell;

pub(crate) use icon::{Icon, icon};
pub(crate) use parts::{Chip, Stat, Tone};
pub(crate) use parts::{chips, empty, initials, note, pager, seg, stats, status, step};
pub(crate) use shell::{Crumb, Frame, bare, customer, ops};
