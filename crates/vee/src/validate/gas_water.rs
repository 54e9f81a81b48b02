//! Rules 34 and 35: what water and gas should not do.

use super::Check;
use crate::columns::is_read;
use crate::finding::Rule;
use crate::words::amount;
use model::ChannelKind;

impl Check<'_> {
    pub(super) fn gas_water(&mut self) {
        self.reverse_flow();
        self.leak();
    }

    /// Rule 35: so much flowed back in the day that it is more than the play of the counter.
    fn reverse_flow(&mut self) {
        let limit = self.rules.reverse_flow_l;
        if limit <= 0 || self.sweep.least >= 0 {
            return;
        }
        let day = self.day;
        let back: i64 = day
            .iter()
            .filter(|(value, quality)| is_read(*quality) && *value < 0)
            .fold(0, |sum, (value, _)| sum.saturating_sub(value));
        if back < limit {
            return;
        }
        let mut hits = (0..day.len()).filter(|index| day.values[*index] < 0);
        let (first, last) = (hits.next().unwrap_or(0), hits.next_back());
        self.note(Rule::ReverseFlow, first..last.unwrap_or(first) + 1, || {
            format!("{} flowed back, the first at {}", amount(day.kind, back), day.clock(first))
        });
    }

    /// Rule 34: not one hour of the day, known throughout, was without flow.
    fn leak(&mut self) {
        let day = self.day;
        let limit = match day.kind {
            ChannelKind::Gas => self.rules.leak.gas_l_per_h,
            _ => self.rules.leak.water_l_per_h,
        };
        let secs = day.interval.secs();
        if limit <= 0 || secs > 3600 || !self.sweep.all_known() || day.is_empty() {
            return;
        }
        let per_hour = usize::try_from(3600 / secs).unwrap_or(1);
        let least = day.values[..day.len()]
            .chunks(per_hour)
            .map(|hour| hour.iter().fold(0i64, |sum, value| sum.saturating_add(*value)))
            .min()
            .unwrap_or(0);
        if least >= limit {
            self.note(Rule::Leak, 0..day.len(), || {
                format!("something flowed in every hour of the day, {} at least", amount(day.kind, least))
            });
        }
    }
}
