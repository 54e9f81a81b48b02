//! What other rules would have found: the stored days judged twice, and nothing written.

use crate::catalogue::Entry;
use crate::day::Workshop;
use crate::error::Stop;
use crate::{Mdm, MdmError};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{ChannelId, ChannelKind, MeterId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::RwLock;
use vee::{Finding, Rule, RuleBook, RulesError};

/// Channels that are judged in one go; between two, others get at the store and the caller may stop.
const AT_ONCE: usize = 64;
/// Examples kept of each rule.
const SAMPLES: usize = 12;
/// The most days of channels that are judged; beyond it the answer says that it is not whole.
pub const MOST_CHANNEL_DAYS: usize = 200_000;

/// A finding that only one of the two rule sets makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectSample {
    /// Whose meter.
    pub meter: MeterId,
    /// Which of its channels.
    pub channel: ChannelId,
    /// What that measures.
    pub kind: ChannelKind,
    /// Which day.
    pub date: Date,
    /// The first interval.
    pub first: usize,
    /// How many.
    pub count: usize,
    /// Whether the tried rules find it; otherwise only those in force do.
    pub appears: bool,
    /// What was found, in words.
    pub sentence: String,
}

/// What the tried rules do to one rule's findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleEffect {
    /// Which rule.
    pub rule: Rule,
    /// Findings under the rules in force.
    pub now: u64,
    /// Findings under those tried.
    pub would: u64,
    /// Meters with findings under the rules in force.
    pub meters_now: u64,
    /// Meters with findings under those tried.
    pub meters_would: u64,
    /// Some that appear or go.
    pub samples: Vec<EffectSample>,
}

/// What other rules would have found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhatIf {
    /// By rule, in order of the catalogue; rules without findings on either side are left out.
    pub rules: Vec<RuleEffect>,
    /// How many days of channels were judged.
    pub channel_days: usize,
    /// Of how many meters.
    pub meters: usize,
    /// Whether all that was asked for was judged: neither the limit was met nor the caller stopped it.
    pub complete: bool,
}

#[derive(Default)]
struct Tally {
    now: u64,
    would: u64,
    meters_now: BTreeSet<MeterId>,
    meters_would: BTreeSet<MeterId>,
    samples: Vec<EffectSample>,
}

impl Mdm {
    /// What the rules file `tried` would have found in the days `[from, to)` beside what the rules in force find in the same days with
    /// the same knowledge. Nothing is written. `go_on` is asked now and then; `false` ends the work with what there is.
    ///
    /// Days with gaps are estimated anew too, so that what estimation finds is counted. Both are judged here and now, so the first number may differ from the queue, which was filled as readings arrived.
    ///
    /// # Errors
    /// What the store says. A file that is refused is a value.
    pub fn what_if(
        &self,
        now: Timestamp,
        tried: &str,
        (from, to): (Date, Date),
        go_on: &dyn Fn() -> bool,
    ) -> Result<Result<WhatIf, RulesError>, MdmError> {
        let other = match RuleBook::from_toml(tried) {
            Ok(book) => self.under(book),
            Err(refused) => return Ok(Err(refused)),
        };
        let entries: Vec<Entry> = self.catalogue().entries().collect();
        let mut tallies: BTreeMap<Rule, Tally> = BTreeMap::new();
        let (mut channel_days, mut complete) = (0, true);
        let mut meters = BTreeSet::new();
        for group in entries.chunks(AT_ONCE) {
            if channel_days >= MOST_CHANNEL_DAYS || !go_on() {
                complete = false;
                break;
            }
            let looked = self.store.write(|w| {
                let mut shops = [Workshop::new(self, w, now)?, Workshop::new(&other, w, now)?];
                let last = to.yesterday().unwrap_or(to);
                for shop in &mut shops {
                    shop.load_power_events(Some(from), Some(last))?;
                }
                let mut days = 0;
                for entry in group {
                    days += judge_twice(&mut shops, entry, (from, to), &mut tallies)?;
                }
                Err::<(), _>(Stop::With(days))
            });
            match looked {
                Err(Stop::With(days)) => channel_days += days,
                Err(Stop::Failed(error)) => return Err(error),
                Ok(()) => {}
            }
            meters.extend(group.iter().map(|entry| entry.channel.meter));
        }
        let effect = |(rule, tally): (Rule, Tally)| RuleEffect {
            rule,
            now: tally.now,
            would: tally.would,
            meters_now: u64::try_from(tally.meters_now.len()).unwrap_or(u64::MAX),
            meters_would: u64::try_from(tally.meters_would.len()).unwrap_or(u64::MAX),
            samples: tally.samples,
        };
        let rules = tallies.into_iter().map(effect).collect();
        Ok(Ok(WhatIf { rules, channel_days, meters: meters.len(), complete }))
    }

    /// The same utility under other rules.
    fn under(&self, book: RuleBook) -> Self {
        Self {
            store: self.store.clone(),
            book,
            in_force: RwLock::default(),
            one_book: true,
            zone: self.zone.clone(),
            models: self.models.clone(),
            catalogue: RwLock::new(self.catalogue()),
        }
    }
}

/// Judges the stored days of a channel under the rules of each workshop; how many days there were.
fn judge_twice(
    shops: &mut [Workshop<'_>; 2],
    entry: &Entry,
    (from, to): (Date, Date),
    tallies: &mut BTreeMap<Rule, Tally>,
) -> Result<usize, MdmError> {
    let [in_force, tried] = shops;
    let stored = in_force.write.days(entry.channel.id, from, to)?;
    let count = stored.len();
    for stored in stored {
        let date = stored.block.day;
        let local = in_force.local_day(date)?;
        let day = vee::Day::from_block(&stored.block, entry.channel.kind, &local)?;
        let same = in_force.rules(entry, date) == tried.rules(entry, date);
        let found = findings(in_force, entry, &local, &day)?;
        let would = if same { found.clone() } else { findings(tried, entry, &local, &day)? };
        for (findings, appears) in [(&found, false), (&would, true)] {
            let others = if appears { &found } else { &would };
            for finding in findings {
                let tally = tallies.entry(finding.rule).or_default();
                let (count, meters) = match appears {
                    false => (&mut tally.now, &mut tally.meters_now),
                    true => (&mut tally.would, &mut tally.meters_would),
                };
                *count += 1;
                meters.insert(entry.channel.meter);
                let like = |other: &Finding| other.rule == finding.rule && other.slots == finding.slots;
                if tally.samples.len() < SAMPLES && !others.iter().any(like) {
                    tally.samples.push(sample(entry, date, finding, appears));
                }
            }
        }
    }
    Ok(count)
}

/// What is found about a day, with what its estimation finds where something of it was not read.
fn findings(
    shop: &mut Workshop<'_>,
    entry: &Entry,
    local: &model::LocalDay,
    day: &vee::Day,
) -> Result<Vec<Finding>, MdmError> {
    let own = |slot: &vee::Slot| slot.quality.is_missing() || slot.quality.is_own_estimate();
    if !day.slots.iter().any(own) {
        return shop.look_at(entry, day);
    }
    let before = shop.load(entry, local)?;
    let mut bare = day.clone();
    for slot in bare.slots.iter_mut().filter(|slot| own(slot)) {
        *slot = vee::Slot::MISSING;
    }
    Ok(shop.judge(entry, &before, &mut bare)?.findings)
}

fn sample(entry: &Entry, date: Date, finding: &Finding, appears: bool) -> EffectSample {
    EffectSample {
        meter: entry.channel.meter,
        channel: entry.channel.id,
        kind: entry.channel.kind,
        date,
        first: finding.slots.start,
        count: finding.slots.len(),
        appears,
        sentence: finding.sentence.clone(),
    }
}
