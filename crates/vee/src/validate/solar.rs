//! Rule 30: a roof that feeds in by night.

use super::Check;
use crate::columns::is_read;
use crate::finding::Rule;
use crate::sun::Sun;
use crate::words::amount;

impl Check<'_> {
    /// The energy of the intervals in whose middle the sun was well below the horizon. A battery may do that rightly; the
    /// rule can be switched off for those who have one.
    pub(super) fn solar(&mut self) {
        let rules = &self.rules.solar_night;
        let Some(position) =
            self.facts.position.filter(|_| self.sweep.most > 0 && self.sweep.total > rules.wh)
        else {
            return;
        };
        let day = self.day;
        if !self.rules.is_on(Rule::SolarNight) || day.interval.secs() > 3600 {
            return;
        }
        let sun = Sun::over(position, day.day.start().as_second() + 43_200, rules.elevation_cdeg);
        let (mut sum, mut first, mut last) = (0i64, None, 0);
        for (index, (value, quality)) in day.iter().enumerate() {
            if value > 0 && is_read(quality) && sun.is_below(day.start_s(index).midpoint(day.end_s(index))) {
                sum = sum.saturating_add(value);
                first = first.or(Some(index));
                last = index + 1;
            }
        }
        let Some(first) = first.filter(|_| sum > rules.wh) else { return };
        self.note(Rule::SolarNight, first..last, || {
            format!(
                "{} by night, from {} on, with the sun more than {}.{:02} degrees below the horizon",
                amount(day.kind, sum),
                day.clock(first),
                -rules.elevation_cdeg / 100,
                (rules.elevation_cdeg % 100).abs()
            )
        });
    }
}
