//! Keeping what was prepared.

use super::{Prepared, PreparedPage, ProfileLoad, ProfileReport};
use crate::day::Workshop;
use crate::{Incoming, Mdm, MdmError};
use jiff::civil::Date;
use model::{ChannelId, ReadBatch};
use std::collections::{BTreeMap, BTreeSet};
use store::page::ranges_of;
use store::{NewStats, StatsPage, Write};

/// What was kept in pages, and what must take the ordinary way.
pub(crate) struct Kept {
    /// The days that are in pages now.
    pub(crate) days: Vec<(ChannelId, Date)>,
    /// What is in none.
    pub(crate) odd: Vec<ReadBatch>,
}

/// Keeps the pages of prepared profiles that hold at least so many channels.
pub(crate) fn keep_pages(
    write: &Write,
    load: &ProfileLoad,
    prepared: Prepared,
    least: u32,
) -> Result<Kept, MdmError> {
    let Prepared { profiles, pages, odd } = prepared;
    let (full, thin): (Vec<PreparedPage>, Vec<PreparedPage>) =
        pages.into_iter().partition(|page| page.day.len() >= least);
    let fates = keep(write, load, &full.iter().collect::<Vec<_>>())?;
    let mut kept = Kept { days: Vec::new(), odd: Vec::new() };
    let mut rows = odd;
    for (page, fate) in full.iter().zip(fates) {
        if fate {
            kept.days.extend(page.day.channels().map(|channel| (channel, load.day.date())));
        } else {
            rows.extend(&page.rows);
        }
    }
    rows.extend(thin.iter().flat_map(|page| &page.rows));
    kept.odd.extend(rows.into_iter().filter_map(|row| load.batch_at(&profiles, row)));
    Ok(kept)
}

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
            let pages: Vec<&PreparedPage> = prepared.iter().flat_map(|one| &one.pages).collect();
            let mut kept = keep(write, load, &pages)?.into_iter();
            for one in &prepared {
                let row = |row: &usize| load.batch_at(&one.profiles, *row).map(Incoming::Batch);
                for (page, kept) in one.pages.iter().zip(kept.by_ref()) {
                    if kept {
                        report.whole += page.rows.len() as u64;
                        report.intervals += (page.rows.len() * load.slots) as u64;
                    } else {
                        ordinary.extend(page.rows.iter().filter_map(row));
                    }
                }
                ordinary.extend(one.odd.iter().filter_map(row));
                ordinary.extend(one.profiles.odd.iter().cloned().map(Incoming::Batch));
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

/// Keeps pages, all at once, except those of which something came in meanwhile by another way. Which were kept.
pub(super) fn keep(
    write: &Write,
    load: &ProfileLoad,
    pages: &[&PreparedPage],
) -> Result<Vec<bool>, MdmError> {
    let numbers: BTreeSet<u32> = pages.iter().map(|page| page.day.page()).collect();
    let mut known: BTreeMap<u32, Vec<ChannelId>> = BTreeMap::new();
    let mut changed = Vec::new();
    for range in ranges_of(numbers) {
        known.extend(write.known_in_pages(load.day.date(), range, load.day.start().as_second())?);
        let of: Vec<(u32, &StatsPage)> = pages
            .iter()
            .filter(|page| (range.0..range.1).contains(&page.day.page()))
            .map(|page| (page.day.page(), &page.read))
            .collect();
        changed.extend(write.changed_stats(range, &of)?);
    }
    let (mut kept, mut stats, mut plain) = (vec![false; pages.len()], Vec::new(), Vec::new());
    let (mut seen, mut later) = (BTreeSet::new(), Vec::new());
    for (at, page) in pages.iter().enumerate() {
        let number = page.day.page();
        // Another chunk of this load has a part of the same page: what that leaves must be seen.
        if !seen.insert(number) {
            later.push(at);
            continue;
        }
        if known.get(&number).is_some_and(|known| is_known(page, known)) {
            continue;
        }
        if changed.contains(&number) {
            kept[at] = merge(write, page)?;
        } else {
            stats.push(NewStats::new(number, &page.read, page.statistics()));
            kept[at] = true;
        }
        plain.extend(kept[at].then_some(&page.day));
    }
    write.put_stats_pages(&stats)?;
    write.put_pages(&plain)?;
    for at in later {
        let page = pages[at];
        let known = write.known_in_page(load.day.date(), page.day.page(), load.day.start().as_second())?;
        if !is_known(page, &known) && merge(write, page)? {
            write.put_page(&page.day)?;
            kept[at] = true;
        }
    }
    Ok(kept)
}

/// Whether anything is known of the day of a channel of the page.
fn is_known(page: &PreparedPage, known: &[ChannelId]) -> bool {
    !known.is_empty() && page.day.channels().any(|channel| known.binary_search(&channel).is_ok())
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
