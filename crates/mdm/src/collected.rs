//! How far each meter has been read, for a head-end that starts again.

use crate::{Mdm, MdmError};
use jiff::{Timestamp, ToSpan};
use model::{ChannelId, MeterId};
use std::collections::BTreeMap;

/// Beyond this a meter counts as never read: its own memory is not longer.
const LOOK_BACK_DAYS: u8 = 45;

impl Mdm {
    /// The end of the last interval that was read from each meter, looking back 45 days from `now`.
    /// Holes before it are [`Mdm::all_missing`]'s.
    ///
    /// # Errors
    /// What the store says.
    pub fn collected_to(&self, now: Timestamp) -> Result<BTreeMap<MeterId, Timestamp>, MdmError> {
        let catalogue = self.catalogue();
        let of: BTreeMap<ChannelId, MeterId> = catalogue
            .entries()
            .filter(|entry| entry.channel.kind.is_additive())
            .map(|entry| (entry.channel.id, entry.channel.meter))
            .collect();
        let meters = of.values().collect::<std::collections::BTreeSet<_>>().len();
        let mut found = BTreeMap::new();
        let mut day = self.day_of(now)?;
        for _ in 0..LOOK_BACK_DAYS {
            self.store.read(|read| {
                for summary in read.day_summaries(day.date())? {
                    let Some(meter) = of.get(&summary.channel) else { continue };
                    if summary.present == 0 || found.contains_key(meter) {
                        continue;
                    }
                    let Some(stored) = read.day(summary.channel, day.date())? else { continue };
                    let last = stored.block.quality.iter().rposition(|quality| quality.is_read());
                    if let Some(last) = last {
                        found.insert(*meter, day.interval_start(stored.block.interval, last + 1));
                    }
                }
                Ok::<_, MdmError>(())
            })?;
            if found.len() == meters {
                break;
            }
            let before =
                day.date().checked_sub(1.day()).map_err(|_| model::time::DateOutOfRange(day.date()))?;
            day = self.local_day(before)?;
        }
        Ok(found)
    }
}
