//! Bills pin the versions that they were computed from, and are flagged when those no longer stand.

use crate::{Mdm, MdmError};
use jiff::Timestamp;
use model::BillId;
use store::{Pin, RebillFlag, StoredDay};

impl Mdm {
    /// Remembers which versions a bill was computed from. The first word counts, so doing it twice does it once.
    /// How many were new.
    ///
    /// # Errors
    /// What the store says; then nothing was pinned.
    pub fn pin_versions(&self, now: Timestamp, bill: BillId, pins: &[Pin]) -> Result<usize, MdmError> {
        self.store().write(|w| {
            let mut new = 0;
            for pin in pins {
                new += usize::from(w.pin(bill, pin, now)?);
            }
            Ok(new)
        })
    }

    /// The days that a bill was computed from, as they stood then, by channel and day.
    ///
    /// # Errors
    /// What the store says.
    pub fn read_pinned(&self, bill: BillId) -> Result<Vec<StoredDay>, MdmError> {
        self.store().read(|r| {
            let mut days = Vec::new();
            for pin in r.pins_of(bill)? {
                days.extend(r.day_version(pin.channel, pin.day, pin.version)?);
            }
            Ok(days)
        })
    }

    /// Billed days that are no longer what was billed; with `all`, those taken up already too.
    ///
    /// # Errors
    /// What the store says.
    pub fn rebill_flags(&self, all: bool) -> Result<Vec<RebillFlag>, MdmError> {
        Ok(self.store().read(|r| r.rebill_flags(all))?)
    }
}
