//! Every method of estimation side by side, for the editing bench.

use crate::catalogue::Entry;
use crate::edit::Slots;
use crate::surroundings::{History, Surroundings, Weather, stats, supply_of};
use crate::{Mdm, MdmError};
use jiff::Timestamp;
use jiff::civil::Date;
use model::{ChannelId, LocalDay};
use store::Read;
use vee::{Candidate, Day};

/// What each method would put into the chosen intervals of a day, whatever is there now. Where several runs are chosen,
/// a method applies if it applies to every one.
pub(crate) fn candidates(
    mdm: &Mdm,
    read: &Read,
    entry: &Entry,
    day: &Day,
    slots: &Slots,
    now: Timestamp,
) -> Result<Vec<Candidate>, MdmError> {
    let local: &LocalDay = &day.day;
    let rules = mdm.rules_of(entry, local.date());
    let mut around = Surroundings::beside(mdm, read, entry, (local, local), &rules)?;
    let (dates, history) = ((local.date(), local.date()), History::UNKNOWN);
    around.add_recent(mdm, read, entry, dates, &rules, history)?;
    around.add_distant(mdm, read, entry, dates, &rules, (history, &mut Weather::new()))?;
    let mut supply = supply_of(read, entry.channel.meter, local.start(), local.end(), now)?;
    let outages = supply.outages.remove(&entry.channel.meter).unwrap_or_default();
    let stats = stats(read, entry.channel.id)?;
    let context = around.context(entry, &rules, &outages, &stats, now);
    let mut all: Vec<Candidate> = Vec::new();
    for (nth, run) in slots.runs().into_iter().enumerate() {
        let of_run = vee::candidates(day, run, &context, &rules);
        if nth == 0 {
            all = of_run;
            continue;
        }
        for (whole, part) in all.iter_mut().zip(of_run) {
            if whole.applies && !part.applies {
                whole.why.clone_from(&part.why);
            }
            whole.applies &= part.applies;
            whole.scaled |= part.scaled;
            whole.values.extend(part.values);
            whole.total = whole.total.saturating_add(part.total);
        }
    }
    for candidate in all.iter_mut().filter(|candidate| !candidate.applies) {
        candidate.values.clear();
        candidate.total = 0;
    }
    Ok(all)
}

impl Mdm {
    /// What each method of estimation would put into the chosen intervals of a channel's day, side by side; `None` for a
    /// channel that is not in service. Intervals that the day does not have are passed over.
    ///
    /// # Errors
    /// What the store says.
    pub fn candidates(
        &self,
        now: Timestamp,
        channel: ChannelId,
        date: Date,
        slots: &Slots,
    ) -> Result<Option<Vec<Candidate>>, MdmError> {
        let Some(entry) = self.catalogue().by_id(channel) else { return Ok(None) };
        let local = self.local_day(date)?;
        self.store().read(|r| {
            let day = match r.day(channel, date)? {
                Some(stored) => Day::from_block(&stored.block, entry.channel.kind, &local)?,
                None => Day::missing(local, entry.channel.interval, entry.channel.kind),
            };
            let slots: Slots = slots.iter().filter(|slot| *slot < day.slots.len()).collect();
            candidates(self, r, &entry, &day, &slots, now).map(Some)
        })
    }
}
