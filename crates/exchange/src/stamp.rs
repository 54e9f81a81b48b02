//! Stamps as written, to instants: with an offset, or as local times of a zone whose clock changes.

use crate::refusal::Reason;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// A stamp as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Seconds from 1970-01-01 00:00 of the stamp's own clock.
    pub civil: i64,
    /// The offset from UTC that is written with it, seconds.
    pub offset: Option<i32>,
}

/// How stamps are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StampForm {
    /// `2024-03-10T01:15:00Z`: date and time of ISO 8601, with `T` or a space, `-` or `/` in the date; seconds and
    /// offset may be left out, and a date alone is its midnight.
    #[default]
    Iso,
    /// Seconds since 1970 UTC.
    Unix,
    /// A pattern of `strptime`, as `%d/%m/%Y %H:%M`.
    Pattern(String),
}

fn two(text: &[u8]) -> Option<i64> {
    match text {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some(i64::from((a - b'0') * 10 + (b - b'0'))),
        _ => None,
    }
}

/// Days from 1970-01-01 of a date of the calendar, if it is one.
pub fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let small = |n: i64| i8::try_from(n).ok();
    let date = Date::new(i16::try_from(year).ok()?, small(month)?, small(day)?).ok()?;
    let shifted = year - i64::from(month <= 2);
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let month = i64::from(date.month());
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + i64::from(date.day()) - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Reads stamps of one form; remembers the last date, as the next stamp mostly has the same.
#[derive(Clone, Debug, Default)]
pub struct StampReader {
    form: StampForm,
    date: [u8; 10],
    midnight: i64,
}

impl StampReader {
    /// A reader of one form.
    pub fn new(form: StampForm) -> Self {
        Self { form, ..Self::default() }
    }

    /// Reads a stamp; `None` where it is none of the form.
    #[inline]
    pub fn read(&mut self, text: &[u8]) -> Option<Stamp> {
        match &self.form {
            StampForm::Iso => self.iso(text),
            StampForm::Unix => {
                let civil = core::str::from_utf8(text).ok()?.parse().ok()?;
                Some(Stamp { civil, offset: Some(0) })
            }
            StampForm::Pattern(pattern) => by_pattern(pattern, text),
        }
    }

    /// Reads an ISO stamp of the day of the last one at the beginning of `text`, and returns what follows it. `None` where
    /// it is another day, or written in a way that [`Self::read`] has to look at.
    #[inline]
    pub fn again<'a>(&self, text: &'a [u8]) -> Option<(Stamp, &'a [u8])> {
        let (date, rest) = text.split_at_checked(10)?;
        if date != self.date || self.form != StampForm::Iso {
            return None;
        }
        let [b'T' | b' ', h1, h2, b':', m1, m2, rest @ ..] = rest else { return None };
        let (hour, minute) = (two(&[*h1, *h2])?, two(&[*m1, *m2])?);
        let (second, rest) = match rest {
            [b':', s1, s2, rest @ ..] => (two(&[*s1, *s2])?, rest),
            _ => (0, rest),
        };
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let civil = self.midnight + hour * 3600 + minute * 60 + second;
        let (offset, rest) = match rest {
            [b'Z', rest @ ..] => (Some(0), rest),
            [b'+' | b'-', _, _, b':', _, _, after @ ..] => (offset(rest.get(..6)?)?, after),
            _ => (None, rest),
        };
        Some((Stamp { civil, offset }, rest))
    }

    #[inline]
    fn iso(&mut self, text: &[u8]) -> Option<Stamp> {
        let (date, rest) = text.split_at_checked(10)?;
        // Nothing is remembered at first, which must not be taken for a date.
        if date != self.date || date.starts_with(b"\0") {
            let [y1, y2, y3, y4, dash @ (b'-' | b'/'), m1, m2, dash2, d1, d2] = *date else { return None };
            if dash != dash2 {
                return None;
            }
            let year = two(&[y1, y2])? * 100 + two(&[y3, y4])?;
            let days = days(year, two(&[m1, m2])?, two(&[d1, d2])?)?;
            self.date.copy_from_slice(date);
            self.midnight = days * 86_400;
        }
        let [b'T' | b't' | b' ', h1, h2, b':', m1, m2, rest @ ..] = rest else {
            return rest.is_empty().then_some(Stamp { civil: self.midnight, offset: None });
        };
        let (hour, minute) = (two(&[*h1, *h2])?, two(&[*m1, *m2])?);
        let (second, rest) = match rest {
            [b':', s1, s2, rest @ ..] => (two(&[*s1, *s2])?, whole_second(rest)?),
            _ => (0, rest),
        };
        let midnight_after = hour == 24 && minute == 0 && second == 0;
        if (hour > 23 && !midnight_after) || minute > 59 || second > 59 {
            return None;
        }
        let civil = self.midnight + hour * 3600 + minute * 60 + second;
        Some(Stamp { civil, offset: offset(rest)? })
    }
}

/// Passes over a fraction of a second that is nought.
fn whole_second(text: &[u8]) -> Option<&[u8]> {
    let [b'.', rest @ ..] = text else { return Some(text) };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, rest) = rest.split_at(digits);
    (digits > 0 && fraction.iter().all(|digit| *digit == b'0')).then_some(rest)
}

/// Nothing, `Z`, or `+hh:mm`, `+hhmm`, `+hh`.
#[expect(clippy::option_option, reason = "no offset, an offset, and no stamp at all are three answers")]
fn offset(text: &[u8]) -> Option<Option<i32>> {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    let (sign, hours, minutes) = match text {
        [] => return Some(None),
        b"Z" | b"z" | b"UTC" => return Some(Some(0)),
        [sign, h1, h2] => (*sign, two(&[*h1, *h2])?, 0),
        [sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2] => {
            (*sign, two(&[*h1, *h2])?, two(&[*m1, *m2])?)
        }
        _ => return None,
    };
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    match sign {
        b'+' => Some(Some(seconds)),
        b'-' => Some(Some(-seconds)),
        _ => None,
    }
}

fn by_pattern(pattern: &str, text: &[u8]) -> Option<Stamp> {
    let parts = jiff::fmt::strtime::parse(pattern, text).ok()?;
    let date = parts.to_date().ok()?;
    let time = parts.to_time().unwrap_or(Time::midnight());
    let days = days(date.year().into(), date.month().into(), date.day().into())?;
    let seconds = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    (time.subsec_nanosecond() == 0).then_some(Stamp {
        civil: days * 86_400 + seconds,
        offset: parts.offset().map(jiff::tz::Offset::seconds),
    })
}

/// Turns local times of a zone into instants; remembers the offset that is in force around the last one.
#[derive(Clone, Debug)]
pub struct Clock {
    zone: TimeZone,
    /// Local seconds between which `offset` holds without doubt.
    sure: (i64, i64),
    offset: i64,
    met: bool,
}

impl Clock {
    /// The clock of a zone.
    pub const fn new(zone: TimeZone) -> Self {
        Self { zone, sure: (0, 0), offset: 0, met: false }
    }

    /// Whether it was asked for a stamp without an offset.
    pub const fn met_local_times(&self) -> bool {
        self.met
    }

    /// The zone.
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The instant of a stamp, in seconds from 1970 UTC.
    ///
    /// A local time that occurs twice, when the clock is set back, is the occurrence that equals `expected`, the end of
    /// the interval before; else the first one. That is how a series tells the two hours apart: by their order.
    ///
    /// # Errors
    /// [`Reason::SkippedHour`] for a local time that does not occur.
    #[inline]
    pub fn instant(&mut self, stamp: Stamp, expected: Option<i64>) -> Result<i64, Reason> {
        if let Some(offset) = stamp.offset {
            return Ok(stamp.civil - i64::from(offset));
        }
        if self.sure.0 <= stamp.civil && stamp.civil < self.sure.1 {
            return Ok(stamp.civil - self.offset);
        }
        self.look_up(stamp.civil, expected)
    }

    fn look_up(&mut self, civil: i64, expected: Option<i64>) -> Result<i64, Reason> {
        // The first such stamp always comes by here, as nothing is sure before it.
        self.met = true;
        let far = || Reason::field("time", civil.to_string().as_bytes(), "a time of the calendar");
        let local = civil_time(civil).ok_or_else(far)?;
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        match ambiguous.offset() {
            jiff::tz::AmbiguousOffset::Unambiguous { offset } => {
                self.remember(civil, offset);
                Ok(civil - i64::from(offset.seconds()))
            }
            jiff::tz::AmbiguousOffset::Gap { .. } => Err(Reason::SkippedHour(local)),
            jiff::tz::AmbiguousOffset::Fold { before, after } => {
                let (first, second) =
                    (civil - i64::from(before.seconds()), civil - i64::from(after.seconds()));
                Ok(if expected == Some(second) { second } else { first })
            }
        }
    }

    /// Between two clock changes, less a day at both ends, there is no doubt.
    fn remember(&mut self, civil: i64, offset: jiff::tz::Offset) {
        let seconds = i64::from(offset.seconds());
        let Ok(at) = Timestamp::from_second(civil - seconds) else { return };
        let after =
            self.zone.following(at).next().map_or(i64::MAX / 2, |change| change.timestamp().as_second());
        let before =
            self.zone.preceding(at).next().map_or(i64::MIN / 2, |change| change.timestamp().as_second());
        let margin = 86_400;
        self.sure = (before + seconds + margin, after + seconds - margin);
        self.offset = seconds;
    }
}

/// A local time of the calendar.
fn civil_time(civil: i64) -> Option<DateTime> {
    let at = Timestamp::from_second(civil).ok()?;
    Some(TimeZone::UTC.to_datetime(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str, zone: &str, expected: Option<i64>) -> Result<String, Reason> {
        let stamp = StampReader::default().read(text.as_bytes()).unwrap();
        let mut clock = Clock::new(TimeZone::get(zone).unwrap());
        clock.instant(stamp, expected).map(|at| Timestamp::from_second(at).unwrap().to_string())
    }

    #[test]
    fn stamps_as_written() {
        for (text, utc) in [
            ("2024-03-09T01:15:00Z", "2024-03-09T01:15:00Z"),
            ("2024-03-09 01:15", "2024-03-09T09:15:00Z"),
            ("2024/03/09 01:15:30.000", "2024-03-09T09:15:30Z"),
            ("2024-03-09", "2024-03-09T08:00:00Z"),
            ("2024-03-09T24:00", "2024-03-10T08:00:00Z"),
            ("2024-07-01T00:00:00+10:00", "2024-06-30T14:00:00Z"),
            ("2024-07-01T00:00-0330", "2024-07-01T03:30:00Z"),
        ] {
            assert_eq!(instant(text, "America/Los_Angeles", None).as_deref(), Ok(utc), "{text}");
        }
        for text in [
            "",
            "2024-02-30",
            "2024-13-01",
            "24-01-01",
            "2024-01-01T25:00",
            "2024-01-01T00:60",
            "2024-01-01X",
        ] {
            assert_eq!(StampReader::default().read(text.as_bytes()), None, "{text}");
        }
        let pattern = StampForm::Pattern("%d.%m.%Y %H:%M".into());
        let stamp = StampReader::new(pattern).read(b"09.03.2024 01:15").unwrap();
        assert_eq!(Some(stamp), StampReader::default().read(b"2024-03-09T01:15"));
    }

    #[test]
    fn clock_changes() {
        let zone = "America/Los_Angeles";
        let skipped = instant("2024-03-10 02:30", zone, None);
        assert!(matches!(skipped, Err(Reason::SkippedHour(_))));
        assert_eq!(instant("2024-11-03 01:30", zone, None).as_deref(), Ok("2024-11-03T08:30:00Z"));
        let second = "2024-11-03T09:30:00Z".parse::<Timestamp>().unwrap();
        let found = instant("2024-11-03 01:30", zone, Some(second.as_second()));
        assert_eq!(found.as_deref(), Ok("2024-11-03T09:30:00Z"));
    }

    #[test]
    fn every_hour_of_a_year_is_found_with_and_without_memory() {
        let zone = TimeZone::get("America/Los_Angeles").unwrap();
        let mut clock = Clock::new(zone.clone());
        let start = "2024-01-01T08:00:00Z".parse::<Timestamp>().unwrap().as_second();
        for hour in 0..8784 {
            let at = start + hour * 3600;
            let local = zone.to_datetime(Timestamp::from_second(at).unwrap());
            let civil = local.to_zoned(TimeZone::UTC).unwrap().timestamp().as_second();
            let stamp = Stamp { civil, offset: None };
            assert_eq!(clock.instant(stamp, Some(at)).unwrap(), at, "{local}");
        }
    }
}
