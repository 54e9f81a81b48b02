//! Filling the gaps of a day, with the other days that registers bind to it.

use crate::MdmError;
use crate::catalogue::Entry;
use crate::day::{Before, Made, Workshop};
use crate::ingest::IngestReport;
use crate::stretch::{hull, open};
use crate::surroundings::{History, Reach, Surroundings, supply_of};
use crate::version::still_rejected;
use core::ops::Range;
use jiff::civil::Date;
use model::QualityClass;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::VersionSource;
use vee::{Day, Estimated, Finding, Method, Outage, Rules};

/// What judging a day came to.
#[derive(Default)]
pub(crate) struct Judged {
    /// What is wrong with it.
    pub(crate) findings: Vec<Finding>,
    /// Other days that were estimated anew with it.
    pub(crate) others: Vec<Other>,
}

/// Another day of a stretch.
pub(crate) struct Other {
    before: Before,
    day: Day,
    /// What estimation says of it.
    findings: Vec<Finding>,
}

impl Workshop<'_> {
    /// What of a day concerns estimation: its gaps once they are due, and of a day that stood already what differs now, as
    /// that may lie between the same registers as the gaps of another.
    pub(crate) fn concerned(&self, entry: &Entry, before: &Before, day: &Day) -> Option<Range<usize>> {
        let over = self.is_over(entry, &day.day);
        let settled = over || day.missing_count() == 0;
        if !settled {
            return None;
        }
        let gaps = if over { open(day) } else { None };
        let known = &before.day.slots;
        let changed = hull(day, |index, slot| known.get(index).is_none_or(|old| old.value != slot.value));
        match (gaps, changed) {
            (Some(gaps), Some(changed)) => Some(gaps.start.min(changed.start)..gaps.end.max(changed.end)),
            (gaps, changed) => gaps.or(changed),
        }
    }

    /// Fills the gaps of a day; with it those of the days that registers bind to it.
    pub(crate) fn fill_gaps(
        &mut self,
        entry: &Entry,
        day: &mut Day,
        concerned: &Range<usize>,
    ) -> Result<Judged, MdmError> {
        let rules = self.rules_of(entry, day.day.date());
        let gaps = open(day).is_some();
        let scales = entry.channel.kind.is_additive() && rules.estimation.scale_to_registers;
        let bound = if scales && (gaps || self.has_estimates_near(entry, day.day.date())) {
            self.bound_days(entry, day, concerned, &rules)?
        } else {
            BTreeMap::new()
        };
        if !gaps && !bound.values().any(|before| open(&before.day).is_some()) {
            return Ok(Judged::default());
        }
        if bound.is_empty() {
            let mut outages = self.outages_of(entry);
            outages.extend(crate::beside::away(entry, &day.day));
            let made = self.estimate(entry, core::slice::from_mut(day), &outages, &rules)?.pop();
            return Ok(Judged { findings: made.unwrap_or_default().findings, others: Vec::new() });
        }
        self.fill_together(entry, day, bound)
    }

    /// Whether a day of a channel may lie between the same registers as estimates of another; what is remembered of the days
    /// before tells, without reading any.
    fn has_estimates_near(&self, entry: &Entry, date: Date) -> bool {
        let Some(days) = self.stats_of(entry.channel.id).map(vee::Stats::days) else { return true };
        let number = Date::constant(1970, 1, 1).until(date).map_or(0, |span| span.get_days());
        let remembered = days.first().is_some_and(|oldest| oldest.day <= number);
        !remembered || days.iter().any(|day| day.estimated)
    }

    fn fill_together(
        &mut self,
        entry: &Entry,
        day: &mut Day,
        bound: BTreeMap<Date, Before>,
    ) -> Result<Judged, MdmError> {
        let own = day.day.date();
        let before = bound.range(..own).count();
        let mut days: Vec<Day> = bound.values().map(|before| before.day.clone()).collect();
        days.insert(before, day.clone());
        let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(Judged::default()) };
        let (from, to) = (first.day.start(), last.day.end());
        // One rule set for all of them, whichever day is asked.
        let rules = self.rules_of(entry, first.day.date());
        let meter = entry.channel.meter;
        let supply = supply_of(self.write, meter, from, to, self.now)?;
        let outages = supply.outages.get(&meter).cloned().unwrap_or_default();
        self.know_supply(supply);
        let mut made: Vec<Option<Estimated>> =
            self.estimate(entry, &mut days, &outages, &rules)?.into_iter().map(Some).collect();
        let mut take = |at: usize| made.get_mut(at).and_then(Option::take).unwrap_or_default().findings;
        let findings = take(before);
        let mut others = Vec::new();
        let numbered = (0..days.len()).filter(|at| *at != before);
        for (at, (_, stood)) in numbered.zip(bound) {
            let Some(new) = days.get(at) else { continue };
            let scaled = |day: &Day| {
                day.slots.iter().any(|slot| slot.quality.class() == QualityClass::EstimatedScaled)
            };
            // What no register bears out now or did before is left as it was.
            if stood.day.slots != new.slots && (scaled(new) || scaled(&stood.day)) {
                others.push(Other { before: stood, day: new.clone(), findings: take(at) });
            }
        }
        if let Some(new) = days.get(before) {
            day.clone_from(new);
        }
        Ok(Judged { findings, others })
    }

    /// Estimates consecutive days, looking as far for grounds as it must.
    fn estimate(
        &mut self,
        entry: &Entry,
        days: &mut [Day],
        outages: &[Outage],
        rules: &Arc<Rules>,
    ) -> Result<Vec<Estimated>, MdmError> {
        self.remember(entry.channel.id)?;
        let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(Vec::new()) };
        let (first, last) = (first.day.clone(), last.day.clone());
        let dates = (first.date(), last.date());
        let (mdm, read) = (self.mdm, self.write);
        let history =
            self.stats_of(entry.channel.id).map_or(History::UNKNOWN, |stats| History::of(stats, dates.0));
        let mut around = Surroundings::beside(mdm, read, entry, (&first, &last), rules)?;
        let mut reach = Reach::Beside;
        if rules.estimation.uses_later_days() {
            around.add_recent(mdm, read, entry, dates, rules, history)?;
            reach = Reach::Recent;
        }
        loop {
            let Some(stats) = self.stats_of(entry.channel.id) else { return Ok(Vec::new()) };
            let context = around.context(entry, rules, outages, stats, self.now);
            let made = vee::estimate_days(days, &context, rules);
            let holes = days.iter().any(|day| day.missing_count() > 0);
            let worst = made.iter().flat_map(|made| &made.estimates).map(|one| rank(one.method)).max();
            let wanted = if holes { Reach::Distant } else { worst.unwrap_or(Reach::Beside) };
            if wanted <= reach || reach == Reach::Distant {
                return Ok(made);
            }
            // Further away there may be better grounds.
            let mut more = false;
            if reach == Reach::Beside {
                more = around.add_recent(mdm, read, entry, dates, rules, history)?;
                reach = Reach::Recent;
            }
            if !more {
                let known = (history, &mut self.weather);
                more = around.add_distant(mdm, read, entry, dates, rules, known)?;
                reach = Reach::Distant;
            }
            if !more {
                return Ok(made);
            }
        }
    }

    /// Keeps the other days of a stretch, each as a version with its reason.
    pub(crate) fn keep_others(
        &mut self,
        entry: &Entry,
        others: Vec<Other>,
        report: &mut IngestReport,
    ) -> Result<(), MdmError> {
        for other in others {
            let mut findings = self.look_at(entry, &other.day)?;
            findings.extend(other.findings);
            let mut origin = self.origin(VersionSource::Estimation);
            origin.note = Some("scaled together with other days between the same registers".to_owned());
            origin.rejected = still_rejected(&other.before.rejected, &other.day);
            let closing = other.before.stored.as_ref().is_some_and(|stored| stored.sealed);
            let made = Made { replaced: false, closing, origin };
            let version = self.keep(entry, &other.before, &other.day, made)?;
            report.findings += self.put_findings(entry, &other.before, &other.day, version, &findings)?;
            self.settled.insert((entry.channel.id, other.day.day.date()));
        }
        Ok(())
    }
}

/// How far a method has to look; those after the like days of the ladder would give way to better ones.
const fn rank(method: Method) -> Reach {
    match method {
        Method::KnownZero | Method::Linear => Reach::Beside,
        Method::LikeDay | Method::WattleBlend => Reach::Recent,
        Method::LastYear | Method::ProxyDay | Method::SimilarDay | Method::Profile | Method::Flat => {
            Reach::Distant
        }
    }
}

#[cfg(test)]
mod tests;
