//! From stored intervals to what a chart shows: hours and quarter hours of a local day, each with its state.
//!
//! ```text
//! 2024-03-31 Europe/Zurich   00:00 01:00 03:00 04:00 ...   23 cells: 02:00 never happens
//! 2024-10-27 Europe/Zurich   00:00 01:00 02:00 02:00 ...   25 cells: 02:00 happens twice
//! ```

use crate::chart::{State, Tick};
use jiff::{SignedDuration, Timestamp};
use model::{IntervalLength, LocalDay, Quality, QualityClass};

/// One channel's intervals of a local day.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// Length of every interval.
    pub(crate) interval: IntervalLength,
    /// Value and quality of each interval, in the channel's stored unit.
    pub(crate) slots: Vec<(i64, Quality)>,
}

/// A stretch of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// First instant.
    pub(crate) start: Timestamp,
    /// End, exclusive.
    pub(crate) end: Timestamp,
    /// Sum of the values that are there; `None` when none is.
    pub(crate) used: Option<i64>,
    /// The same of the channel that counts what is sent back.
    pub(crate) sent: Option<i64>,
    /// How the value came about; that of what is used, which always exists.
    pub(crate) state: State,
    /// Whether everything of it should have arrived by now.
    pub(crate) due: bool,
    /// Whether a person set something of it.
    pub(crate) edited: bool,
}

/// The present, and how far back everything should have arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Present {
    /// Now.
    pub(crate) now: Timestamp,
    /// What ended before it is due: a gap in it is a flaw, not a reading on its way.
    pub(crate) due: Timestamp,
}

impl Cell {
    /// The state in a word for tables and tips.
    pub(crate) const fn word(&self) -> &'static str {
        match self.state {
            State::Measured if self.edited => "Corrected",
            State::Measured => "Measured",
            State::Estimated => "Estimated",
            State::Partial => "Partly missing",
            State::Missing => "Missing",
            State::Ahead => "Not yet",
            State::Before => "Not kept",
        }
    }

    /// Whether something of it is missing that should be here.
    pub(crate) const fn is_gap(&self) -> bool {
        self.due && matches!(self.state, State::Missing | State::Partial)
    }

    /// How long it is.
    pub(crate) fn length(&self) -> SignedDuration {
        self.end.duration_since(self.start)
    }
}

/// A day cut into cells of `width` (never finer than the series).
///
/// A cell without a value is ahead while it is not due, and missing after that.
pub(crate) fn cells(
    day: &LocalDay,
    width: IntervalLength,
    used: Option<&Series>,
    sent: Option<&Series>,
    present: Present,
) -> Vec<Cell> {
    let finest = used.map_or(width, |series| series.interval.max(width));
    let cell = |index: usize| {
        let (start, end) = (day.interval_start(finest, index), day.interval_start(finest, index + 1));
        let part = |series: Option<&Series>| {
            series.map(|series| within(day, series, start, end)).unwrap_or_default()
        };
        let mine = part(used);
        let (value, state) = summarise(&mine, end, present);
        Cell {
            edited: mine.iter().any(|(_, quality)| quality.class() == QualityClass::Edited),
            start,
            end,
            used: value,
            due: end <= present.due,
            sent: summarise(&part(sent), end, present).0,
            state,
        }
    };
    (0..day.intervals(finest)).map(cell).collect()
}

fn within(day: &LocalDay, series: &Series, start: Timestamp, end: Timestamp) -> Vec<(i64, Quality)> {
    let inside = |index: &usize| {
        let at = day.interval_start(series.interval, *index);
        at >= start && at < end
    };
    (0..series.slots.len()).filter(inside).map(|index| series.slots[index]).collect()
}

fn summarise(slots: &[(i64, Quality)], end: Timestamp, present: Present) -> (Option<i64>, State) {
    let there: Vec<&(i64, Quality)> = slots.iter().filter(|(_, quality)| !quality.is_missing()).collect();
    if there.is_empty() {
        return (None, if end > present.due { State::Ahead } else { State::Missing });
    }
    let sum = there.iter().fold(0i64, |sum, (value, _)| sum.saturating_add(*value));
    let state = if there.iter().any(|(_, quality)| quality.is_estimated()) {
        State::Estimated
    } else if there.len() < slots.len() && end <= present.now {
        State::Partial
    } else {
        State::Measured
    };
    (Some(sum), state)
}

/// `14:00 – 15:00`; an hour that a day has twice says which one it is.
pub(crate) fn span(day: &LocalDay, start: Timestamp, end: Timestamp) -> String {
    let clock = |at: Timestamp| at.to_zoned(day.zone().clone()).strftime("%H:%M").to_string();
    let hour = SignedDuration::from_hours(1);
    let twin = |other: Timestamp| other >= day.start() && other < day.end() && clock(other) == clock(start);
    let which = if twin(start + hour) {
        " (first time)"
    } else if twin(start - hour) {
        " (second time)"
    } else {
        ""
    };
    format!("{} – {}{which}", clock(start), clock(end))
}

/// Every third hour gets a label, every sixth on a phone too.
pub(crate) fn tick(day: &LocalDay, at: Timestamp) -> Option<Tick> {
    let zoned = at.to_zoned(day.zone().clone());
    let whole = zoned.minute() == 0 && zoned.hour() % 3 == 0;
    whole.then(|| Tick { text: zoned.strftime("%H:%M").to_string(), on_phone: zoned.hour() % 6 == 0 })
}

/// Why a cell has no value, for its tip.
pub(crate) fn no_reading(state: State) -> String {
    match state {
        State::Ahead => "not yet",
        State::Before => "not kept",
        _ => "not received",
    }
    .to_owned()
}

/// How many cells are in each of two states that a sentence must name.
pub(crate) fn flaws(cells: &[Cell]) -> (usize, usize) {
    let estimated = cells.iter().filter(|cell| cell.state == State::Estimated).count();
    let missing = cells.iter().filter(|cell| cell.is_gap()).count();
    (estimated, missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{Date, date};
    use jiff::tz::TimeZone;

    fn zurich(day: Date) -> LocalDay {
        LocalDay::new(day, &TimeZone::get("Europe/Zurich").unwrap()).unwrap()
    }

    fn past(now: Timestamp) -> Present {
        Present { now, due: now }
    }

    fn quarters(day: &LocalDay) -> Series {
        let n = day.intervals(IntervalLength::QUARTER_HOUR);
        Series { interval: IntervalLength::QUARTER_HOUR, slots: vec![(10, Quality::VALID); n] }
    }

    #[test]
    fn hours_of_short_and_long_days() {
        for (date, hours) in [(date(2024, 3, 31), 23), (date(2024, 10, 27), 25), (date(2024, 7, 1), 24)] {
            let day = zurich(date);
            let cells = cells(&day, IntervalLength::HOUR, Some(&quarters(&day)), None, past(day.end()));
            assert_eq!(cells.len(), hours);
            assert!(
                cells.iter().all(|c| c.used == Some(40) && c.sent.is_none() && c.state == State::Measured)
            );
            assert_eq!(cells.last().unwrap().end, day.end());
        }
    }

    #[test]
    fn an_hour_that_happens_twice_says_which() {
        let day = zurich(date(2024, 10, 27));
        let cells = cells(&day, IntervalLength::HOUR, Some(&quarters(&day)), None, past(day.end()));
        let names: Vec<String> = cells[1..5].iter().map(|c| span(&day, c.start, c.end)).collect();
        assert_eq!(names[0], "01:00 – 02:00");
        assert_eq!(names[1], "02:00 – 02:00 (first time)");
        assert_eq!(names[2], "02:00 – 03:00 (second time)");
        assert_eq!(names[3], "03:00 – 04:00");
        let day = zurich(date(2024, 3, 31));
        assert_eq!(
            span(
                &day,
                day.start() + SignedDuration::from_hours(1),
                day.start() + SignedDuration::from_hours(2)
            ),
            "01:00 – 03:00"
        );
    }

    #[test]
    fn states_of_an_hour() {
        let day = zurich(date(2024, 7, 1));
        let mut series = quarters(&day);
        series.slots[4] = (5, Quality::new(QualityClass::EstimatedLinear));
        series.slots[8] = (0, Quality::MISSING);
        for slot in &mut series.slots[12..16] {
            *slot = (0, Quality::MISSING);
        }
        for slot in &mut series.slots[40..] {
            *slot = (0, Quality::MISSING);
        }
        let now = day.start() + SignedDuration::from_mins(11 * 60 + 30);
        let cells = cells(&day, IntervalLength::HOUR, Some(&series), None, past(now));
        let states: Vec<State> = cells[..12].iter().map(|c| c.state).collect();
        use State::{Ahead, Estimated, Measured, Missing, Partial};
        assert_eq!(
            states,
            [
                Measured, Estimated, Partial, Missing, Measured, Measured, Measured, Measured, Measured,
                Measured, Missing, Ahead
            ]
        );
        assert_eq!((cells[1].used, cells[2].used, cells[3].used), (Some(35), Some(30), None));
        assert_eq!(flaws(&cells[..12]), (1, 3));
    }

    #[test]
    fn an_hour_that_a_person_set_says_so() {
        let day = zurich(date(2024, 7, 1));
        let mut series = quarters(&day);
        series.slots[5] = (7, Quality::new(QualityClass::Edited));
        let cells = cells(&day, IntervalLength::HOUR, Some(&series), None, past(day.end()));
        assert_eq!((cells[0].word(), cells[1].word()), ("Measured", "Corrected"));
    }

    #[test]
    fn what_is_not_due_is_no_gap() {
        let day = zurich(date(2024, 7, 1));
        let mut series = quarters(&day);
        for slot in &mut series.slots[34..] {
            *slot = (0, Quality::MISSING);
        }
        let hour = |n| day.start() + SignedDuration::from_hours(n);
        let on_the_way =
            cells(&day, IntervalLength::HOUR, Some(&series), None, Present { now: hour(12), due: hour(6) });
        assert_eq!((on_the_way[8].state, on_the_way[9].state), (State::Partial, State::Ahead));
        assert_eq!(flaws(&on_the_way), (0, 0));
        let overdue =
            cells(&day, IntervalLength::HOUR, Some(&series), None, Present { now: hour(18), due: hour(12) });
        assert_eq!((overdue[8].state, overdue[9].state), (State::Partial, State::Missing));
        assert_eq!(flaws(&overdue), (0, 4));
    }

    #[test]
    fn a_coarser_series_keeps_its_own_width() {
        let day = zurich(date(2024, 7, 1));
        let hourly = Series { interval: IntervalLength::HOUR, slots: vec![(7, Quality::VALID); 24] };
        assert_eq!(cells(&day, IntervalLength::QUARTER_HOUR, Some(&hourly), None, past(day.end())).len(), 24);
        let nothing = cells(&day, IntervalLength::HOUR, None, None, past(day.end()));
        assert!(nothing.len() == 24 && nothing.iter().all(|c| c.state == State::Missing));
    }
}
