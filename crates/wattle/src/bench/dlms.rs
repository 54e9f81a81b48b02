//! How many profile pushes one core opens: decrypted, authenticated, every value taken out.

use super::Manner;
use super::cpu::Stopwatch;
use super::report::{Line, Report};
use anyhow::{Context, Result, ensure};
use dlms::datetime::{ClockStatus, CosemDateTime, DeviationSign};
use dlms::profile::{Cell, Rows, notification};
use dlms::security::{
    Cipher, Envelope, Key, Keys, Protection, Receiver, SystemTitle, open_in_place, protect,
};
use serde_json::json;
use std::time::Duration;

const ROWS: u32 = 96;
const INTERVAL_S: i64 = 900;
/// Meters that push in turn, each under keys of its own.
const METERS: u32 = 64;
/// 2026-11-20 00:15 UTC, the end of the first interval.
const FIRST_END: i64 = 1_795_133_700;
const COUNTER: u32 = 7;
const BOUND: f64 = 200_000.0;

/// A meter that pushes, as the head-end knows it, and what it pushes.
struct Sender {
    keys: Keys,
    cipher: Cipher,
    title: SystemTitle,
    message: Vec<u8>,
    /// The sum of all energies inside.
    sum: u64,
}

/// A row of the profile, taken out.
#[derive(Clone, Copy)]
struct Interval {
    end: i64,
    status: u8,
    import: u32,
    export: u32,
}

pub(super) fn run(manner: &Manner, report: &mut Report) -> Result<()> {
    for (name, every_clock) in [("dlms.push.null_clocks", false), ("dlms.push.all_clocks", true)] {
        let senders = (0..METERS).map(|meter| sender(meter, every_clock)).collect::<Result<Vec<_>>>()?;
        let rate = rate(&senders, manner.quick)?;
        let peer = match &manner.python {
            Some(python) => Some(python.measure("gurux_push.py", &order(&senders, manner.quick))?),
            None => None,
        };
        report.tell(&Line::new(name, rate, "pushes/s").at_least(BOUND).beside(peer))?;
        let bytes = senders.first().map_or(0, |sender| sender.message.len());
        let bytes = u32::try_from(bytes).context("a push is short")?;
        let mib = rate * f64::from(bytes) / f64::from(1 << 20);
        report.tell(&Line::new(format!("{name}.bytes"), mib, "MiB/s"))?;
    }
    Ok(())
}

/// Pushes opened a second of processor time: the middle one of several slices.
fn rate(senders: &[Sender], quick: bool) -> Result<f64> {
    let (slices, length) =
        if quick { (5, Duration::from_millis(200)) } else { (9, Duration::from_millis(500)) };
    let mut buffer = Vec::with_capacity(4096);
    let mut day = Vec::with_capacity(96);
    let mut rates = Vec::new();
    for _ in 0..slices {
        let watch = Stopwatch::start();
        let mut opened = 0u32;
        let had = loop {
            // The watch is looked at rarely, as looking takes about as long as a push.
            for sender in senders.iter().cycle().take(1024) {
                open(sender, &mut buffer, &mut day)?;
            }
            opened += 1024;
            let had = watch.had();
            if had >= length {
                break had;
            }
        };
        rates.push(f64::from(opened) / had.as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().context("nothing was measured")
}

/// Opens one push as a head-end does, from a buffer that a socket filled to rows with their times.
fn open(sender: &Sender, buffer: &mut Vec<u8>, day: &mut Vec<Interval>) -> Result<()> {
    buffer.clear();
    buffer.extend_from_slice(&sender.message);
    let opened =
        open_in_place(buffer, &sender.cipher, Some(sender.title), Protection::AuthenticatedEncrypted)?;
    Receiver { last: Some(COUNTER - 1) }.accept(opened.counter)?;
    let push = notification(buffer.get(opened.start..opened.end).unwrap_or_default())?;
    let mut rows = Rows::find(push.body)?.context("the push holds no rows")?;
    let mut cells = Vec::with_capacity(4);
    day.clear();
    let mut end = 0;
    while rows.read_row(&mut cells)? {
        let [clock, Cell::Unsigned(status), Cell::Unsigned(import), Cell::Unsigned(export)] =
            cells.as_slice()
        else {
            anyhow::bail!("a row has other columns");
        };
        end = match clock {
            Cell::Octets(bytes) => {
                let time = CosemDateTime((*bytes).try_into()?);
                time.unix_seconds(DeviationSign::Standard, Some(0))?
            }
            _ => end + INTERVAL_S,
        };
        day.push(Interval {
            end,
            status: u8::try_from(*status)?,
            import: u32::try_from(*import)?,
            export: u32::try_from(*export)?,
        });
    }
    check(sender, day)
}

fn check(sender: &Sender, day: &[Interval]) -> Result<()> {
    let sum: u64 = day.iter().map(|row| u64::from(row.import) + u64::from(row.export)).sum();
    let last = day.last().map(|row| row.end);
    let clean = day.iter().all(|row| row.status == 0);
    ensure!(
        clean && sum == sender.sum && last == Some(FIRST_END + i64::from(ROWS - 1) * INTERVAL_S),
        "a push was not understood"
    );
    Ok(())
}

fn sender(meter: u32, every_clock: bool) -> Result<Sender> {
    let [a, b, c, d] = meter.to_be_bytes();
    let title = SystemTitle([b'W', b'T', b'L', 1, a, b, c, d]);
    let keys = Keys::new(Key::new([d; 16]), Key::new([d ^ 0xFF; 16]));
    let (apdu, sum) = push(meter, every_clock);
    let message =
        protect(Envelope::GeneralGlo, Protection::AuthenticatedEncrypted, &keys, title, COUNTER, &apdu)?;
    Ok(Sender { cipher: Cipher::new(&keys.guek, &keys.gak), keys, title, message, sum })
}

/// A data-notification of a day: the profile's name and its rows of clock, status, import and export. Meters that
/// save bytes send a clock once and null afterwards.
fn push(meter: u32, every_clock: bool) -> (Vec<u8>, u64) {
    let clock = |row: u32| {
        CosemDateTime::from_unix(FIRST_END + i64::from(row) * INTERVAL_S, Some(0), ClockStatus(0)).0
    };
    let mut apdu = vec![0x0F, 0, 0, 0, 1, 12];
    apdu.extend(clock(ROWS));
    apdu.extend([2, 2, 9, 6, 1, 0, 99, 1, 0, 255, 1, 96]);
    let mut sum = 0;
    for row in 0..ROWS {
        apdu.extend([2, 4]);
        if row == 0 || every_clock {
            apdu.extend([9, 12]);
            apdu.extend(clock(row));
        } else {
            apdu.push(0);
        }
        let (import, export) = (120 + (meter * 7 + row * 13) % 900, (meter + row * 5) % 300);
        apdu.extend([17, 0, 6]);
        apdu.extend(import.to_be_bytes());
        apdu.push(6);
        apdu.extend(export.to_be_bytes());
        sum += u64::from(import) + u64::from(export);
    }
    (apdu, sum)
}

/// What the peer needs to open the same pushes.
fn order(senders: &[Sender], quick: bool) -> serde_json::Value {
    let pushes: Vec<_> = senders
        .iter()
        .map(|sender| {
            json!({
                "apdu": hex::encode(&sender.message),
                "title": hex::encode(sender.title.0),
                "key": hex::encode(sender.keys.guek.as_bytes()),
                "auth_key": hex::encode(sender.keys.gak.as_bytes()),
                "sum": sender.sum,
            })
        })
        .collect();
    json!({ "pushes": pushes, "seconds": if quick { 1 } else { 5 } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_open_to_the_same_day() {
        for every_clock in [false, true] {
            let sender = sender(5, every_clock).unwrap();
            let (mut buffer, mut day) = (Vec::new(), Vec::new());
            open(&sender, &mut buffer, &mut day).unwrap();
            assert_eq!(day.len(), 96);
            assert_eq!(day[0].end, FIRST_END);
        }
    }

    #[test]
    fn a_push_that_was_touched_is_refused() {
        let mut sender = sender(5, false).unwrap();
        let middle = sender.message.len() / 2;
        sender.message[middle] ^= 1;
        open(&sender, &mut Vec::new(), &mut Vec::new()).unwrap_err();
    }
}
