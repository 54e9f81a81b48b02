//! Interface classes: what a meter's objects are made of, as typed structs.
//!
//! Every class implements [`InterfaceClass`]: an attribute by number to its [`Data`] and back. A structure inside an
//! attribute, and everything else that has one wire form, implements [`AsData`]. What a class may hold in more than one
//! type (the CHOICE of the standard) stays a [`Data`].
//!
//! | class | struct |
//! |---|---|
//! | 1, 3, 4, 5 | [`register::DataObject`], [`register::Register`], [`register::ExtendedRegister`], [`register::DemandRegister`] |
//! | 7 | [`profile::ProfileGeneric`] and its selections |
//! | 8, 9, 11, 20 | [`time::Clock`], [`time::ScriptTable`], [`time::SpecialDays`], [`calendar::ActivityCalendar`] |
//! | 15, 17, 64 | [`association::AssociationLn`], [`association::SapAssignment`], [`security_setup::SecuritySetup`] |
//! | 18 | [`image::ImageTransfer`] |
//! | 40 | [`push::PushSetup`] |
//! | 70, 71 | [`control::DisconnectControl`], [`control::Limiter`] |
//!
//! Standard: IEC 62056-6-2.

#[macro_use]
mod convert;
pub mod association;
pub mod calendar;
pub mod control;
pub mod image;
pub mod profile;
pub mod push;
pub mod register;
pub mod security_setup;
#[cfg(test)]
mod tests;
pub mod time;

pub use convert::{AsData, CosemError, Octets};

use crate::{Data, Obis};

/// An object of one interface class.
pub trait InterfaceClass {
    /// `class_id`.
    const CLASS: u16;
    /// The version of the class that is meant.
    const VERSION: u8;
    /// How many attributes it has, the logical name (1) among them.
    const ATTRIBUTES: i8;

    /// The object's name, attribute 1.
    fn logical_name(&self) -> Obis;

    /// An attribute as it goes over the wire; `None` where there is no such attribute.
    fn attribute(&self, number: i8) -> Option<Data>;

    /// Puts an attribute as it came over the wire into the object.
    ///
    /// # Errors
    /// [`CosemError::NoAttribute`] or [`CosemError::Type`]; the object is then unchanged.
    fn set_attribute(&mut self, number: i8, value: &Data) -> Result<(), CosemError>;
}
