//! Storage at scale: loading, sums, single meters, size, pushes.

mod ingest;
mod point;
mod push;
mod scan;

pub(super) use ingest::run as ingest;
pub(super) use point::run as point;
pub(super) use push::run as push;
pub(super) use scan::{size, tou};

use super::Manner;
use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use jiff::civil::{Date, date};
use mdm::Mdm;
use model::{BatchSource, ChannelKind, Commodity, IntervalLength, PremiseNumber, Quality, Serial, Unit};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;
use store::{
    DayPage, NewMeter, NewPremise, NewRoute, NewServicePoint, PageHead, PgConfig, Provision, Read, Store,
};

/// The first day of what is loaded: a month without a clock change follows.
const FIRST: Date = date(2026, 5, 1);
/// Channels have the numbers of their meters, from 1.
const CHANNELS_FROM: u32 = 1;

/// A store in a directory of its own, which goes with it.
struct Ground {
    dir: tempfile::TempDir,
    store: Store,
}

impl Ground {
    fn new(manner: &Manner) -> Result<Self> {
        let dir = match &manner.dir {
            Some(dir) => tempfile::tempdir_in(dir),
            None => tempfile::tempdir(),
        };
        let dir = dir.context("could not make a directory for the bench; name another with --dir")?;
        let store = match &manner.database {
            Some(address) => Store::connect(&PgConfig::parse(address)?)?,
            None => Store::open(&dir.path().join("wattle.db"))?,
        };
        ensure!(store.read(Read::is_empty)?, "the database has meters in it: name an empty one");
        store.write(|w| w.set_utility("Bench", "Europe/Zurich"))?;
        Ok(Self { dir, store })
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("wattle.db")
    }

    /// Bytes of the database after everything was moved into it.
    fn bytes(&self) -> Result<f64> {
        self.store.checkpoint()?;
        number(fs::metadata(self.file())?.len())
    }

    /// Registers meters 1 to `count` with one channel each.
    fn provision(&self, count: u32, interval: IntervalLength) -> Result<()> {
        let mut next = 1;
        while next <= count {
            let end = (next + 50_000).min(count + 1);
            let mut all = Provision::default();
            for meter in next..end {
                let premise = PremiseNumber::new(format!("P-{meter}"));
                all.premises.push(NewPremise {
                    number: premise.clone(),
                    address: String::new(),
                    town: String::new(),
                    position: None,
                });
                all.service_points.push(NewServicePoint {
                    number: format!("SP-{meter}"),
                    premise,
                    account: None,
                    transformer: None,
                    commodity: Commodity::Electricity,
                    supply: model::master::Supply::default(),
                    rate_class: None,
                });
                let [a, b, c, d] = meter.to_be_bytes();
                all.meters.push(NewMeter {
                    serial: Serial::new(format!("M-{meter}")),
                    model: "bench".to_owned(),
                    commodity: Commodity::Electricity,
                    service_point: Some(format!("SP-{meter}")),
                    route: NewRoute::Direct { endpoint: String::new() },
                    system_title: [0, 0, 0, 0, a, b, c, d],
                    client_sap: 1,
                    server_sap: 1,
                    security: "none".to_owned(),
                    installed_at: Timestamp::from_second(1_700_000_000)?,
                    channels: vec![(ChannelKind::Import, interval)],
                    keys: Vec::new(),
                    metering: model::master::Metering::default(),
                });
            }
            self.store.bulk(|w| w.provision(&all))?;
            next = end;
        }
        Ok(())
    }

    fn mdm(&self) -> Result<Mdm> {
        Ok(Mdm::new(self.store.clone(), vee::Rules::default(), BTreeMap::new())?)
    }

    /// Fills pages with whole days of channels 1 to `count`, without the rest of a utility.
    fn fill(&self, count: u32, days: i64, interval: IntervalLength) -> Result<()> {
        let zone = jiff::tz::TimeZone::get("Europe/Zurich")?;
        for day in 0..days {
            let local = model::LocalDay::new(FIRST.checked_add(jiff::Span::new().days(day))?, &zone)?;
            let slots = local.intervals(interval);
            let head = head_of(&local, interval)?;
            let mut values = Vec::new();
            self.store.bulk(|w| {
                let mut page = DayPage::new(head, 0);
                for channel in CHANNELS_FROM..=count {
                    if channel >> 8 != page.page() {
                        w.put_page(&page)?;
                        page = DayPage::new(head, channel >> 8);
                    }
                    home(channel, day, slots, &mut values);
                    page.push(model::ChannelId::new(channel), &values);
                }
                w.put_page(&page)
            })?;
        }
        self.store.checkpoint()?;
        Ok(())
    }
}

/// What the days of a page share, read whole and kept as they were.
fn head_of(local: &model::LocalDay, interval: IntervalLength) -> Result<PageHead> {
    Ok(PageHead {
        day: local.date(),
        start: local.start(),
        interval,
        slots: u16::try_from(local.intervals(interval))?,
        quality: Quality::VALID,
        recorded_at: local.end(),
        rules: 1,
        received_at: local.end(),
        source: BatchSource::Import,
        unit: Unit::WattHour,
        scaler: 0,
        exponent: 0,
    })
}

/// A household's day in watt-hours: its size, the hour, and what is switched on. Of all values together the order-0 entropy is
/// near that of the homes that STORAGE's figures come from: 9.7 bits for quarter hours, 11.7 for hours.
fn home(meter: u32, day: i64, slots: usize, values: &mut Vec<i64>) {
    const SHAPE: [i64; 24] =
        [5, 4, 4, 4, 4, 5, 8, 11, 10, 9, 9, 10, 12, 11, 9, 9, 10, 13, 16, 17, 15, 12, 9, 7];
    let mut state = (u64::from(meter) << 20 ^ day.unsigned_abs()).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut chance = move |below: i64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        i64::try_from(state >> 33).unwrap_or(0) % below
    };
    let size = 40 + i64::from(meter.wrapping_mul(2_654_435_761) >> 20) % 160;
    let per_hour = i64::try_from(slots / 24).unwrap_or(1).max(1);
    values.clear();
    for slot in 0..slots {
        let shape = SHAPE[(slot * 24 / slots).min(23)];
        let level = size * shape / per_hour;
        let load = level / 2 + chance(level) + chance(level / 2 + 1);
        let extra = if chance(24 * per_hour / 2) == 0 { chance(2500 / per_hour) } else { 0 };
        values.push(load + extra);
    }
}

fn number(count: u64) -> Result<f64> {
    Ok(f64::from(u32::try_from(count >> 16)?) * 65_536.0 + f64::from(u32::try_from(count & 0xFFFF)?))
}

#[expect(clippy::disallowed_methods, reason = "a bench is about real time")]
fn now() -> Instant {
    Instant::now()
}
