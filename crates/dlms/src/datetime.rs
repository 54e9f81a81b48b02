//! COSEM dates and times, and what they are as seconds of UTC.
//!
//! Standard: IEC 62056-6-2, 4.1.6.1 (date, time, date-time).

#[cfg(test)]
mod tests;

/// A `date-time` of twelve bytes as on the wire: year, month, day, weekday, hour, minute, second,
/// hundredths, deviation, clock status. Any field may be "not specified".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CosemDateTime(pub [u8; 12]);

/// What a clock says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ClockStatus(pub u8);

impl ClockStatus {
    /// Nothing said.
    pub const UNSPECIFIED: Self = Self(0xFF);

    /// The time could not be recovered after an incident.
    pub const fn invalid(self) -> bool {
        self.0 != 0xFF && self.0 & 0x01 != 0
    }

    /// The time was recovered but may be off.
    pub const fn doubtful(self) -> bool {
        self.0 != 0xFF && self.0 & 0x02 != 0
    }

    /// Another clock than the usual one runs.
    pub const fn different_base(self) -> bool {
        self.0 != 0xFF && self.0 & 0x04 != 0
    }

    /// Daylight saving is in force.
    pub const fn daylight_saving(self) -> bool {
        self.0 != 0xFF && self.0 & 0x80 != 0
    }
}

/// How a meter writes the deviation.
///
/// **Interpretation:** the standard's deviation is "local time to GMT in minutes", taken by Gurux and by
/// every capture in `testdata` as UTC = local + deviation: central Europe in summer is -120. Some
/// meters write the opposite, +120; their model says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DeviationSign {
    /// UTC = local + deviation.
    #[default]
    Standard,
    /// UTC = local - deviation.
    Opposite,
}

/// Why a date-time is no instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnInstant {
    /// A field that an instant needs is not specified.
    #[error("the {0} is not specified")]
    Unspecified(&'static str),
    /// A field outside its range.
    #[error("the {field} is {value}, which is out of range")]
    OutOfRange {
        /// Which.
        field: &'static str,
        /// Its value.
        value: i32,
    },
}

const NO_DEVIATION: i16 = i16::MIN;
const DAY: i64 = 86_400;

impl CosemDateTime {
    /// Nothing specified.
    pub const UNSPECIFIED: Self =
        Self([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x80, 0x00, 0xFF]);

    /// An instant as a clock with this deviation shows it.
    ///
    /// `deviation` is in minutes, UTC = local + deviation; none shows UTC and says "not specified".
    /// Years outside 1 to 65534 come out as not specified.
    pub fn from_unix(seconds: i64, deviation: Option<i16>, status: ClockStatus) -> Self {
        let local = seconds - i64::from(deviation.unwrap_or(0)) * 60;
        let (days, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let (year, month, day) = civil_from_days(days);
        // 1970-01-01 was a Thursday; Monday is 1.
        let weekday = (days + 3).rem_euclid(7) + 1;
        let [year_high, year_low] =
            u16::try_from(year).ok().filter(|year| *year > 0).unwrap_or(0xFFFF).to_be_bytes();
        let [deviation_high, deviation_low] = deviation.unwrap_or(NO_DEVIATION).to_be_bytes();
        Self([
            year_high,
            year_low,
            byte(month),
            byte(day),
            byte(weekday),
            byte(time / 3600),
            byte(time / 60 % 60),
            byte(time % 60),
            0,
            deviation_high,
            deviation_low,
            status.0,
        ])
    }

    /// Minutes from local time to UTC as written, if specified.
    pub const fn deviation(self) -> Option<i16> {
        match i16::from_be_bytes([self.0[9], self.0[10]]) {
            NO_DEVIATION => None,
            minutes => Some(minutes),
        }
    }

    /// What the clock says of itself.
    pub const fn status(self) -> ClockStatus {
        ClockStatus(self.0[11])
    }

    /// Seconds since 1970 of the local time shown, as if it were UTC. A second not specified is 0.
    ///
    /// # Errors
    /// [`NotAnInstant`].
    pub fn local_seconds(self) -> Result<i64, NotAnInstant> {
        let [year_high, year_low, month, day, _, hour, minute, second, ..] = self.0;
        let year = u16::from_be_bytes([year_high, year_low]);
        if year == 0xFFFF {
            return Err(NotAnInstant::Unspecified("year"));
        }
        let month = within("month", month, 1, 12)?;
        let day = within("day", day, 1, days_in_month(i64::from(year), month))?;
        let hour = within("hour", hour, 0, 23)?;
        let minute = within("minute", minute, 0, 59)?;
        let second = if second == 0xFF { 0 } else { within("second", second, 0, 59)? };
        Ok(days_from_civil(i64::from(year), month, day) * DAY + hour * 3600 + minute * 60 + second)
    }

    /// Seconds since 1970 UTC; hundredths are dropped.
    ///
    /// `assumed_deviation` stands in, in the standard's sign, where the meter specifies none.
    ///
    /// # Errors
    /// [`NotAnInstant`], also where no deviation is known.
    pub fn unix_seconds(
        self,
        sign: DeviationSign,
        assumed_deviation: Option<i16>,
    ) -> Result<i64, NotAnInstant> {
        let written = self.deviation().map(|minutes| match sign {
            DeviationSign::Standard => i64::from(minutes),
            DeviationSign::Opposite => -i64::from(minutes),
        });
        let minutes = written.or(assumed_deviation.map(i64::from));
        let minutes = minutes.ok_or(NotAnInstant::Unspecified("deviation"))?;
        if !(-14 * 60..=14 * 60).contains(&minutes) {
            let value = i32::try_from(minutes).unwrap_or(i32::MAX);
            return Err(NotAnInstant::OutOfRange { field: "deviation", value });
        }
        Ok(self.local_seconds()? + minutes * 60)
    }
}

impl TryFrom<&[u8]> for CosemDateTime {
    type Error = core::array::TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

/// `2023-04-01 21:32:35.00 -02:00`: the deviation as written; what is not specified is left out or `*`.
impl core::fmt::Display for CosemDateTime {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let [year_high, year_low, month, day, _, hour, minute, second, hundredths, ..] = self.0;
        match u16::from_be_bytes([year_high, year_low]) {
            0xFFFF => out.write_str("*")?,
            year => write!(out, "{year:04}")?,
        }
        for (before, field) in [('-', month), ('-', day), (' ', hour), (':', minute), (':', second)] {
            match field {
                0xFF => write!(out, "{before}*")?,
                _ => write!(out, "{before}{field:02}")?,
            }
        }
        if hundredths != 0xFF {
            write!(out, ".{hundredths:02}")?;
        }
        if let Some(minutes) = self.deviation() {
            let (sign, minutes) = (if minutes < 0 { '-' } else { '+' }, minutes.unsigned_abs());
            write!(out, " {sign}{:02}:{:02}", minutes / 60, minutes % 60)?;
        }
        Ok(())
    }
}

impl core::fmt::Debug for CosemDateTime {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, out)
    }
}

fn within(field: &'static str, value: u8, least: u8, most: i64) -> Result<i64, NotAnInstant> {
    match value {
        0xFF => Err(NotAnInstant::Unspecified(field)),
        _ if value < least || i64::from(value) > most => {
            Err(NotAnInstant::OutOfRange { field, value: i32::from(value) })
        }
        _ => Ok(i64::from(value)),
    }
}

/// A field that its computation bounds.
fn byte(value: i64) -> u8 {
    u8::try_from(value).unwrap_or(0xFF)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, by eras of 400 years.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // The year is taken to begin in March, so that the leap day is its last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse: year, month, day.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
