//! Days that do not fit into memory wait in a temporary file, which nobody else sees and which goes with the process.

use anyhow::{Context, Result};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::{ChannelKind, IntervalLength, LocalDay, Quality};
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use vee::{Day, Slot};

/// Bytes of a slot in the file.
const SLOT: usize = 9;

/// Where a day lies in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    at: u64,
    slots: u32,
}

/// The file, made when the first day is put away.
#[derive(Debug, Default)]
pub(super) struct Spill {
    file: Option<BufWriter<File>>,
    end: u64,
}

impl Spill {
    /// Puts a day away.
    ///
    /// # Errors
    /// Where the temporary folder has no room, with the remedy.
    pub(super) fn put(&mut self, day: &Day) -> Result<Place> {
        self.write(day).with_context(|| {
            format!(
                "could not put readings that do not fit into memory into {}; name a folder with more room by TMPDIR",
                std::env::temp_dir().display()
            )
        })
    }

    fn write(&mut self, day: &Day) -> Result<Place> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(BufWriter::with_capacity(1 << 20, tempfile::tempfile()?)),
        };
        let mut bytes = Vec::with_capacity(day.slots.len() * SLOT);
        for slot in &day.slots {
            bytes.extend_from_slice(&slot.value.to_le_bytes());
            bytes.push(slot.quality.byte());
        }
        file.write_all(&bytes)?;
        let place = Place { at: self.end, slots: u32::try_from(day.slots.len())? };
        self.end += u64::try_from(bytes.len())?;
        Ok(place)
    }

    /// Takes the day of a date back.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn take(
        &mut self,
        place: Place,
        (date, zone): (Date, &TimeZone),
        (interval, kind): (IntervalLength, ChannelKind),
    ) -> Result<Day> {
        let file = self.file.as_mut().context("nothing was put away")?;
        file.flush()?;
        let file = file.get_mut();
        let mut bytes = vec![0; usize::try_from(place.slots)? * SLOT];
        file.seek(SeekFrom::Start(place.at))?;
        file.read_exact(&mut bytes)?;
        file.seek(SeekFrom::Start(self.end))?;
        let mut day = Day::missing(LocalDay::new(date, zone)?, interval, kind);
        let (slots, _) = bytes.as_chunks::<SLOT>();
        for (slot, [value @ .., quality]) in day.slots.iter_mut().zip(slots) {
            *slot = Slot::new(i64::from_le_bytes(*value), Quality::try_from(*quality)?);
        }
        Ok(day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_come_back_as_they_were_put_away() {
        let zone = TimeZone::get("Europe/Zurich").unwrap();
        let kind = (IntervalLength::QUARTER_HOUR, ChannelKind::Net);
        let mut spill = Spill::default();
        // The days of both clock changes, and one put away after another came back.
        let dates = [date(2026, 3, 29), date(2026, 10, 25), date(2026, 7, 1)];
        let day = |date: Date| {
            let mut day = Day::missing(LocalDay::new(date, &zone).unwrap(), kind.0, kind.1);
            for (slot, value) in day.slots.iter_mut().zip(-7i64..).skip(1) {
                *slot = Slot::new(value * i64::from(date.day()), Quality::VALID);
            }
            day
        };
        let mut places = Vec::new();
        for date in dates {
            places.push(spill.put(&day(date)).unwrap());
            assert_eq!(spill.take(places[0], (dates[0], &zone), kind).unwrap(), day(dates[0]));
        }
        for (date, place) in dates.into_iter().zip(places) {
            assert_eq!(spill.take(place, (date, &zone), kind).unwrap(), day(date));
        }
    }
}
