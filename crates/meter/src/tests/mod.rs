mod conversation;
mod faults;
mod fleet;
mod measuring;
mod models;

use crate::{Fault, Feed, Meter, MeterConfig, MeterModel, Secrets};
use dlms::security::Key;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::{Energy, Serial, Voltage};
use std::sync::Arc;
use zeroize::Zeroizing;

const GUEK: [u8; 16] = [1; 16];
const GAK: [u8; 16] = [2; 16];
const KEK: [u8; 16] = [3; 16];
const TITLE: [u8; 8] = *b"WTL00001";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn config(model: &Arc<MeterModel>, faults: Vec<Fault>, seed: u64) -> MeterConfig {
    MeterConfig {
        serial: Serial::new("70000001"),
        model: Arc::clone(model),
        zone: TimeZone::get("Europe/Zurich").unwrap(),
        system_title: TITLE,
        secrets: Secrets {
            guek: Key::new(GUEK),
            gak: Key::new(GAK),
            master: Some(Key::new(KEK)),
            password: Zeroizing::new(b"12345678".to_vec()),
        },
        invocation_counter: 1000,
        installed_at: at("2024-01-01T00:00:00Z"),
        seed,
        faults,
    }
}

fn meter(name: &str, faults: Vec<Fault>, start: Timestamp) -> Meter {
    Meter::new(config(&MeterModel::builtin(name).unwrap(), faults, 1), start)
}

/// Feeds quarter hours of the given energies (Wh) from `start` and lets them pass.
fn run(meter: &mut Meter, start: Timestamp, wh: impl IntoIterator<Item = (i64, i64)>) -> Timestamp {
    let mut from = start;
    for (import, export) in wh {
        let to = from + SignedDuration::from_mins(15);
        let voltage = Voltage::from_mv(230_000);
        meter.feed(&Feed::electricity(from, to, Energy::from_wh(import), Energy::from_wh(export), voltage));
        meter.advance(to);
        from = to;
    }
    from
}
