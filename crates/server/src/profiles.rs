//! A day's file of profiles into the store: several threads parse and judge, one writes, in order.

use mdm::profile::{BadLine, Prepared, ProfileLoad, ProfileReport, parse};
use mdm::{Mdm, MdmError};
use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

/// Bytes of text that one thread works on at a time: some thousand profiles.
const SHARE: usize = 512 << 10;
/// Shares that are kept together, with one wait for the disk.
const GROUP: usize = 4;

/// Loads the lines of `text`, which is the file called `name`; see [`mdm::profile`].
///
/// Kept in groups, each whole or absent; how far it came is marked under `name`, so that calling again with the same text after a
/// failure goes on from there. The lines that were refused are told, those of an earlier call again are not.
///
/// # Errors
/// What the store says; what was marked stays.
pub fn load_profiles(
    mdm: &Mdm,
    load: &ProfileLoad,
    (name, text): (&str, &[u8]),
    threads: NonZero<usize>,
) -> Result<(ProfileReport, Vec<BadLine>), MdmError> {
    let done = mdm.store().read(|r| r.load_mark(name))?;
    let shares: Vec<&[u8]> = shares(text);
    let first = usize::try_from(done).unwrap_or(usize::MAX).min(shares.len());
    let next = AtomicUsize::new(first);
    let (give, take) = sync_channel::<(usize, Result<(Prepared, Vec<BadLine>), MdmError>)>(2 * GROUP);
    thread::scope(|scope| {
        for _ in 0..threads.get() {
            let (give, next, shares) = (give.clone(), &next, &shares);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(share) = shares.get(number) else { break };
                    let mut bad = Vec::new();
                    let profiles = parse(load, share, 1, &mut bad);
                    let prepared = mdm.prepare(load, profiles).map(|prepared| (prepared, bad));
                    // The writer is gone when it has failed.
                    if give.send((number, prepared)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(give);
        let mut writer =
            Writer { mdm, load, name, next: first, group: Vec::new(), total: ProfileReport::default() };
        let mut bad = Vec::new();
        let mut waiting = BTreeMap::new();
        let mut at = first;
        for (number, prepared) in take {
            waiting.insert(number, prepared?);
            while let Some((prepared, refused)) = waiting.remove(&at) {
                bad.extend(refused.into_iter().map(|line| (at, line)));
                at += 1;
                writer.take(prepared)?;
            }
        }
        writer.flush()?;
        Ok((writer.total, numbered(&shares, bad)))
    })
}

struct Writer<'a> {
    mdm: &'a Mdm,
    load: &'a ProfileLoad,
    name: &'a str,
    next: usize,
    group: Vec<Prepared>,
    total: ProfileReport,
}

impl Writer<'_> {
    fn take(&mut self, prepared: Prepared) -> Result<(), MdmError> {
        self.group.push(prepared);
        if self.group.len() >= GROUP { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), MdmError> {
        if self.group.is_empty() {
            return Ok(());
        }
        let next = self.next + self.group.len();
        let group = core::mem::take(&mut self.group);
        let done = self.mdm.commit(self.load, group, Some((self.name, next as u64)))?;
        self.next = next;
        self.total.add(&done);
        Ok(())
    }
}

/// The text cut at ends of lines.
fn shares(text: &[u8]) -> Vec<&[u8]> {
    let mut shares = Vec::new();
    let mut rest = text;
    while rest.len() > SHARE {
        let end =
            rest[SHARE..].iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| SHARE + at + 1);
        let (share, after) = rest.split_at(end);
        shares.push(share);
        rest = after;
    }
    if !rest.is_empty() {
        shares.push(rest);
    }
    shares
}

/// Lines counted within their share become lines of the text.
fn numbered(shares: &[&[u8]], bad: Vec<(usize, BadLine)>) -> Vec<BadLine> {
    let (mut share, mut before) = (0, 0u64);
    bad.into_iter()
        .map(|(at, line)| {
            while share < at {
                before += shares[share].iter().filter(|byte| **byte == b'\n').count() as u64;
                share += 1;
            }
            BadLine { line: line.line + before, ..line }
        })
        .collect()
}
