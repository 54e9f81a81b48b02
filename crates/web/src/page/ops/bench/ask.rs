//! What the address of the bench asks for, and the addresses it leads to. Everything that is chosen is in the address, so that a
//! bench can be sent to a colleague, and so that a preview changes nothing.

use crate::ctx::Ctx;
use crate::error::WebError;
use crate::fmt::query_escape;
use crate::read;
use core::ops::Range;
use jiff::civil::Date;
use model::{ChannelKind, IntervalLength, LocalDay, MeterId};

/// Parts of the day that the chart can show.
pub(crate) const PARTS: [(&str, &str, u8, u8); 5] = [
    ("", "Whole day", 0, 24),
    ("night", "0–6", 0, 6),
    ("morning", "6–12", 6, 12),
    ("afternoon", "12–18", 12, 18),
    ("evening", "18–24", 18, 24),
];

/// Names of channels in addresses.
pub(crate) const CHANNELS: [(&str, ChannelKind); 9] = [
    ("import", ChannelKind::Import),
    ("export", ChannelKind::Export),
    ("net", ChannelKind::Net),
    ("generation", ChannelKind::Generation),
    ("reactive-import", ChannelKind::ReactiveImport),
    ("reactive-export", ChannelKind::ReactiveExport),
    ("voltage", ChannelKind::Voltage),
    ("gas", ChannelKind::Gas),
    ("water", ChannelKind::Water),
];

/// The name of a channel in addresses.
pub(crate) fn channel_name(kind: ChannelKind) -> &'static str {
    CHANNELS.iter().find(|(_, known)| *known == kind).map_or("import", |(name, _)| name)
}

/// The address of a day on the bench.
pub(crate) fn bench_href(meter: MeterId, kind: ChannelKind, date: Date, rule: Option<&str>) -> String {
    let rule = rule.map(|rule| format!("&rule={}", query_escape(rule))).unwrap_or_default();
    format!("/ops/vee/{meter}/{date}?channel={}{rule}", channel_name(kind))
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) meter: MeterId,
    pub(crate) date: Date,
    pub(crate) kind: Option<ChannelKind>,
    /// The group of the queue that is worked through.
    pub(crate) rule: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) operation: Option<String>,
    pub(crate) part: usize,
    pub(crate) compare: Option<(u32, u32)>,
    pub(crate) done: Option<String>,
    /// Whether the day is also wanted as a table.
    pub(crate) table: bool,
}

impl Asked {
    /// Reads path and query. A meter or a day that cannot be is a page that is not there; words of the query that mean nothing are
    /// passed over, so that an old address still opens.
    pub(crate) fn of(ctx: &Ctx, meter: &str, date: &str) -> Result<Self, WebError> {
        let none = || WebError::NotFound("day of this kind".to_owned());
        let date: Date = date.parse().map_err(|_| none())?;
        if date.year() < 1990 || date > ctx.words().today() {
            return Err(none());
        }
        let channel = ctx.param("channel");
        let part = ctx.param("part");
        let compare = ctx.param("compare").and_then(|text| {
            let (a, b) = text.split_once('-')?;
            Some((a.parse().ok()?, b.parse().ok()?))
        });
        // A button that only chooses intervals leaves the operation of the form alone.
        let operation = ctx.param("do").filter(|_| ctx.param("pick").is_none());
        Ok(Self {
            meter: read::meter_id(meter)?,
            date,
            kind: CHANNELS.iter().find(|(name, _)| channel.as_deref() == Some(name)).map(|(_, kind)| *kind),
            rule: ctx.param("rule"),
            from: ctx.param("from"),
            to: ctx.param("to"),
            operation,
            part: PARTS.iter().position(|(name, ..)| part.as_deref() == Some(name)).unwrap_or(0),
            compare,
            done: ctx.param("done"),
            table: ctx.param("table").is_some(),
        })
    }

    /// The bench with nothing chosen.
    pub(crate) fn here(&self, kind: ChannelKind) -> String {
        bench_href(self.meter, kind, self.date, self.rule.as_deref())
    }

    /// The bench with something more in its address.
    pub(crate) fn with(&self, kind: ChannelKind, more: &[(&str, &str)]) -> String {
        let mut href = self.here(kind);
        for (name, value) in more {
            href.push_str(&format!("&{name}={}", query_escape(value)));
        }
        href
    }
}

/// The times of a day as forms and addresses write them: `14:15`; the second time of an hour that happens twice ends in `~2`.
#[derive(Clone, Debug)]
pub(crate) struct Times {
    marks: Vec<String>,
}

impl Times {
    /// Those of a day cut into intervals.
    pub(crate) fn of(day: &LocalDay, interval: IntervalLength) -> Self {
        let count = day.intervals(interval);
        let clock = |index: usize| {
            day.interval_start(interval, index).to_zoned(day.zone().clone()).strftime("%H:%M").to_string()
        };
        let mut marks: Vec<String> = Vec::with_capacity(count + 1);
        for index in 0..count {
            let text = clock(index);
            let again = marks.contains(&text);
            marks.push(if again { format!("{text}~2") } else { text });
        }
        marks.push("24:00".to_owned());
        Self { marks }
    }

    /// The start of every interval, and the end of the day.
    pub(crate) fn marks(&self) -> &[String] {
        &self.marks
    }

    /// Whether an hour happens twice.
    pub(crate) fn twice(&self) -> bool {
        self.marks.iter().any(|mark| mark.ends_with("~2"))
    }

    /// The start of interval `index`, or the end of the day.
    pub(crate) fn at(&self, index: usize) -> &str {
        self.marks.get(index).or(self.marks.last()).map_or("", String::as_str)
    }

    /// The intervals from one time to another; midnight as an end is the end of the day.
    pub(crate) fn range(&self, from: &str, to: &str) -> Option<Range<usize>> {
        let find = |text: &str| self.marks.iter().position(|mark| mark == text.trim());
        let first = find(from)?;
        let end = if to.trim() == "00:00" { self.marks.len() - 1 } else { find(to)? };
        (first < end).then_some(first..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    fn times(day: Date) -> Times {
        let day = LocalDay::new(day, &TimeZone::get("Europe/Zurich").unwrap()).unwrap();
        Times::of(&day, IntervalLength::QUARTER_HOUR)
    }

    #[test]
    fn times_find_their_intervals() {
        let plain = times(date(2026, 7, 14));
        assert!(!plain.twice());
        assert_eq!(plain.range("14:00", "15:00"), Some(56..60));
        assert_eq!(plain.range("23:45", "00:00"), Some(95..96));
        assert_eq!(plain.range("00:00", "24:00"), Some(0..96));
        for (from, to) in
            [("15:00", "14:00"), ("14:00", "14:00"), ("14:01", "15:00"), ("", ""), ("x", "24:00")]
        {
            assert_eq!(plain.range(from, to), None, "{from} to {to}");
        }
    }

    #[test]
    fn an_hour_that_happens_twice_has_two_names() {
        let long = times(date(2026, 10, 25));
        assert!(long.twice() && long.marks().len() == 101);
        assert_eq!(long.range("02:00", "02:00~2"), Some(8..12));
        assert_eq!(long.range("02:00~2", "03:00"), Some(12..16));
        let short = times(date(2026, 3, 29));
        assert_eq!((short.marks().len(), short.range("02:00", "03:00")), (93, None));
        assert_eq!(short.range("01:45", "03:00"), Some(7..8));
    }
}
