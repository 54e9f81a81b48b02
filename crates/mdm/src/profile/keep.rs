//! Keeping what was prepared.

use super::{Prepared, PreparedPage, ProfileLoad, ProfileReport};
use crate::day::Workshop;
use crate::{Incoming, Mdm, MdmError};
use model::ChannelId;
use store::Write;

impl Mdm {
    /// Keeps prepared profiles in one transaction: when this returns `Ok` all of them are on disk. `mark` notes under a
    /// name how far the load has come, in the same transaction, so that a load that was cut short can go on from
    /// [`store::Read::load_mark`]; to begin again from the start is as good, as what is there already is recognised.
    ///
    /// # Errors
    /// What the store says; then nothing of it was kept.
    pub fn commit(
        &self,
        load: &ProfileLoad,
        prepared: Vec<Prepared>,
        mark: Option<(&str, u64)>,
    ) -> Result<ProfileReport, MdmError> {
        self.store.write(|write| {
            let mut report = ProfileReport::default();
            let mut ordinary = Vec::new();
            for one in prepared {
                let row = |row: &usize| {
                    let values = one.profiles.values.chunks_exact(load.slots).nth(*row).unwrap_or_default();
                    Some(Incoming::Batch(load.batch(*one.profiles.meters.get(*row)?, values)))
                };
                for page in &one.pages {
                    if keep(write, load, page)? {
                        report.whole += page.rows.len() as u64;
                        report.intervals += (page.rows.len() * load.slots) as u64;
                    } else {
                        ordinary.extend(page.rows.iter().filter_map(row));
                    }
                }
                ordinary.extend(one.odd.iter().filter_map(row));
                ordinary.extend(one.profiles.odd.into_iter().map(Incoming::Batch));
            }
            if !ordinary.is_empty() {
                report.odd = ordinary.len() as u64;
                let mut workshop = Workshop::new(self, write, load.now)?;
                let done = workshop.receive(ordinary)?;
                workshop.finish()?;
                report.repeated = done.repeated_batches as u64;
                report.intervals += done.stored as u64;
                report.unknown = done.unknown as u64;
                report.findings = done.findings as u64;
            }
            if report.whole > 0 {
                crate::version::renew_files(write, [load.day.date()].into(), load.now)?;
            }
            if let Some((name, position)) = mark {
                write.put_load_mark(name, position)?;
            }
            Ok(report)
        })
    }
}

/// Keeps a page, unless something of it came in meanwhile by another way.
fn keep(write: &Write, load: &ProfileLoad, page: &PreparedPage) -> Result<bool, MdmError> {
    let number = page.day.page();
    let known = write.known_in_page(load.day.date(), number, load.day.start().as_second())?;
    let held = |channel: &ChannelId| known.binary_search(channel).is_ok();
    let fresh = known.is_empty() || !page.day.channels().any(|channel| held(&channel));
    if !fresh {
        return Ok(false);
    }
    if write.is_current(number, &page.read)? {
        write.put_stats_page(number, &page.read, page.statistics())?;
    } else if !merge(write, page)? {
        return Ok(false);
    }
    write.put_page(&page.day)?;
    Ok(true)
}

/// Lays the statistics of the page's own channels over those that another chunk of the same page left, provided that
/// none of its own has changed.
fn merge(write: &Write, page: &PreparedPage) -> Result<bool, MdmError> {
    let now = write.stats_page(page.day.page())?;
    let own: Vec<ChannelId> = page.day.channels().collect();
    if own.iter().any(|channel| now.find(*channel) != page.read.find(*channel)) {
        return Ok(false);
    }
    let mut all: std::collections::BTreeMap<ChannelId, &[u8]> = now.iter().collect();
    all.extend(page.statistics().filter(|(channel, _)| own.binary_search(channel).is_ok()));
    write.put_stats_page(page.day.page(), &now, all.into_iter())?;
    Ok(true)
}
