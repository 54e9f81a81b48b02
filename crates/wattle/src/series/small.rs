//! The small tables beside readings: registers, and the intervals to be filled.

use super::Loaded;
use crate::talk::WrongUsage;
use anyhow::{Result, bail};
use exchange::number::Decimal;
use exchange::stamp::{Clock, StampForm, StampReader};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::path::Path;
use vee::{Register, TouRead};

/// Intervals to be filled, half-open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mask {
    /// Whose; of every channel where none is named.
    pub(crate) meter: Option<String>,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

impl Mask {
    /// Whether it covers the interval of a channel that begins at `start`.
    pub(crate) fn covers(&self, channel: &str, start: Timestamp) -> bool {
        let named = self.meter.as_deref().is_none_or(|meter| is_of(channel, meter));
        named && self.from <= start && start < self.to
    }
}

/// Whether a channel, `meter` or `meter/channel`, is meant by a name.
pub(super) fn is_of(channel: &str, name: &str) -> bool {
    channel == name || channel.split('/').next() == Some(name)
}

/// Reads times in one zone.
struct Times {
    stamps: StampReader,
    clock: Clock,
}

impl Times {
    fn new(zone: &TimeZone) -> Self {
        Self { stamps: StampReader::new(StampForm::Iso), clock: Clock::new(zone.clone()) }
    }

    fn read(&mut self, text: &str) -> Option<Timestamp> {
        let stamp = self.stamps.read(text.as_bytes())?;
        Timestamp::from_second(self.clock.instant(stamp, None).ok()?).ok()
    }
}

/// A file of lines `from,to` or `meter,from,to`; a heading is passed over.
///
/// # Errors
/// A line that is neither, named by its number: a mask is an order, so that nothing of it is guessed.
pub(crate) fn masks(file: &Path, zone: &TimeZone) -> Result<Vec<Mask>> {
    let mut times = Times::new(zone);
    let mut masks = Vec::new();
    for (number, line) in super::text(file)?.lines().enumerate() {
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() {
            continue;
        }
        let fields: Vec<&str> = line.split([',', ';', '\t']).map(str::trim).collect();
        let (meter, from, to) = match fields.as_slice() {
            [from, to] => (None, *from, *to),
            [meter, from, to] => (Some((*meter).to_owned()).filter(|meter| !meter.is_empty()), *from, *to),
            _ => bail!("{}:{}: a line is `from,to` or `meter,from,to`", file.display(), number + 1),
        };
        match (times.read(from), times.read(to)) {
            (Some(from), Some(to)) if from < to => masks.push(Mask { meter, from, to }),
            (None, None) if number == 0 => {}
            _ => bail!(
                "{}:{}: {from:?} to {to:?} is no span of time; write 2026-03-04T10:00, the end after the start",
                file.display(),
                number + 1
            ),
        }
    }
    if masks.is_empty() {
        let usual = "a line is `from,to` or `meter,from,to`";
        bail!(WrongUsage(format!("{} names no interval; {usual}", file.display())));
    }
    Ok(masks)
}

/// Adds registers out of a file of lines `meter,time,value` or `meter,time,register,value` to the channels. Values
/// have the unit of kWh where they or any other have decimals, as in [`super::gather`], and else the stored one.
pub(super) fn registers(file: &Path, zone: &TimeZone, loaded: &mut Loaded) -> Result<()> {
    let text = super::text(file)?;
    let mut times = Times::new(zone);
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() {
            continue;
        }
        let fields: Vec<&str> = line.split([',', ';', '\t']).map(str::trim).collect();
        let (meter, time, register, value) = match fields.as_slice() {
            [meter, time, value] => (*meter, *time, "0", *value),
            [meter, time, register, value] => (*meter, *time, *register, *value),
            _ => bail!(
                "{}:{}: a line is `meter,time,value` or `meter,time,register,value`",
                file.display(),
                number + 1
            ),
        };
        let value = Decimal::parse(value.as_bytes(), b'.');
        match (times.read(time), register.parse::<u8>(), value) {
            (Some(at), Ok(register), Some(value)) => rows.push((number + 1, meter, at, register, value)),
            (None, _, None) if number == 0 => {}
            _ => {
                let line = u64::try_from(number + 1).unwrap_or(u64::MAX);
                let reason =
                    format!("{}: no register read, as `meter,time,value`, but {line:?}", file.display());
                loaded.refused.add(line, reason);
            }
        }
    }
    let decimals = rows.iter().any(|(.., value)| value.exponent < 0);
    for (number, meter, at, register, value) in rows {
        let Some(channel) = loaded.channels.of(meter) else {
            let names = loaded.channels.some_names();
            bail!("{}:{number}: no readings of {meter}; the readings are of {names}", file.display());
        };
        let (_, stored) = channel.kind.stored_unit();
        let to = if decimals { stored.saturating_sub(3) } else { stored };
        let Some(value) = value.rescaled(to) else {
            bail!("{}:{number}: the register is finer than the stored unit", file.display());
        };
        if register == 0 {
            channel.registers.push(Register { at, value });
        } else {
            channel.tou.push(TouRead { register, at, value });
        }
    }
    Ok(())
}
