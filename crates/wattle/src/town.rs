//! A simulated town and the utility that serves it, in one process over loopback sockets: what the demo
//! and the head-end's bench share.

use crate::talk::{Talk, WrongUsage};
use anyhow::{Context, Result, bail};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use mdm::{Incoming, Mdm};
use model::{BatchSource, MeterId, ReadBatch, RegisterRead, RegisterValue};
use operations::provision::provision;
use operations::{MasterKey, models};
use server::clock::Clock;
use server::utility::Utility;
use server::world::World;
use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use store::{Store, WeatherHour};
use territory::{Hop, HopEnd, Registry, Scenario, Territory};
use vee::RuleBook;

/// A scenario by its name, or from a file.
pub(crate) fn scenario(name: &str, meters: Option<u32>) -> Result<Scenario> {
    let scenario = if Path::new(name).extension().is_some_and(|extension| extension == "toml") {
        let text = fs::read_to_string(name).with_context(|| format!("could not read {name}"))?;
        Scenario::parse(&text).with_context(|| format!("{name} is no scenario"))?
    } else {
        Scenario::named(name).map_err(|_| {
            let names: Vec<_> = Scenario::names().collect();
            WrongUsage(format!("--scenario: `{name}` is none of {}, nor a .toml file", names.join(", ")))
        })?
    };
    match meters {
        Some(0) => bail!(WrongUsage("--meters must be at least 1".to_owned())),
        Some(meters) => Ok(scenario.with_meters(meters)),
        None => Ok(scenario),
    }
}

/// A town whose sockets are open, and its utility's store.
pub(crate) struct Town {
    pub(crate) world: World,
    pub(crate) utility: Utility,
    pub(crate) registry: Registry,
}

impl Town {
    /// Builds a territory, opens its doors on loopback and tells the utility about every meter.
    pub(crate) async fn open(scenario: &Scenario, seed: u64, clock: Clock, store: Store) -> Result<Self> {
        let now = clock.now();
        let territory = Territory::build(scenario, seed, now)?;
        let registry = territory.registry().clone();
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let (mut world, doors) = World::open(territory, clock, loopback, None)
            .await
            .context("could not open the town's sockets")?;
        let mut key = [0; 16];
        getrandom::fill(&mut key)
            .map_err(|error| anyhow::anyhow!("no random bytes from the system: {error}"))?;
        let master = MasterKey::new(key);
        store.write(|write| write.set_utility(&registry.utility, &registry.zone))?;
        // The meters' first record is older than the demo: they were there before.
        let since = now.checked_sub((24 * 400).hours()).unwrap_or(now);
        provision(&store, registry.master_data(&doors), &master, since)?;
        paths(&store, &mut world, &registry)?;
        let mdm = Mdm::new(store.clone(), RuleBook::default(), models::judged())?;
        Ok(Self { world, utility: Utility { store, mdm: Arc::new(mdm), master }, registry })
    }

    /// Writes the last `days` days through the ordinary bulk path, and the weather of that time and of the
    /// week to come.
    pub(crate) fn load_history(&mut self, days: u16, now: Timestamp, talk: Talk) -> Result<()> {
        let zone = TimeZone::get(&self.registry.zone)?;
        let today = now.to_zoned(zone).date();
        let first = today.checked_sub(i64::from(days).days())?;
        let last = today.checked_sub(1.day())?;
        let territory = self.world.territory();
        let hours = territory.weather(
            now.checked_sub((24 * (i64::from(days) + 1)).hours())?,
            now.checked_add((24 * 7).hours())?,
        );
        let hours: Vec<WeatherHour> = hours
            .into_iter()
            .map(|hour| WeatherHour {
                at: hour.start,
                temperature_dc: hour.temperature_dc,
                irradiance_w_m2: None,
            })
            .collect();
        self.utility.store.write(|write| write.put_weather(&hours))?;
        if days == 0 {
            return Ok(());
        }
        let meters = u64::try_from(self.registry.meters.len()).unwrap_or(u64::MAX);
        let bar = talk.progress(meters.saturating_mul(u64::from(days)), "history, meter days");
        let items = territory.history(first, last).flat_map(|day| {
            bar.inc(1);
            let (start, end) = (day.day.start(), day.day.end());
            let registers = day.registers.into_iter().map(move |told| {
                let (unit, scaler) = told.kind.stored_unit();
                Incoming::Register(RegisterRead {
                    meter: day.meter,
                    kind: told.kind,
                    tou: told.tou,
                    at: told.at,
                    value: RegisterValue { raw: told.value, scaler, unit },
                    received_at: end,
                    source: BatchSource::Import,
                })
            });
            let batches = day.channels.into_iter().map(move |(kind, values)| {
                let (unit, scaler) = kind.stored_unit();
                Incoming::Batch(ReadBatch {
                    meter: day.meter,
                    kind,
                    start,
                    interval: day.interval,
                    status: vec![0; values.len()],
                    values,
                    scaler,
                    unit,
                    received_at: end,
                    source: BatchSource::Import,
                })
            });
            // Registers come before the readings that they bound.
            registers.chain(batches)
        });
        self.utility.mdm.bulk_load(now, items).context("could not load the history")?;
        bar.finish_and_clear();
        self.utility.mdm.close_due(now)?;
        Ok(())
    }
}

/// Writes down how every meter's bytes travel, as the network's own management would tell the utility.
fn paths(store: &Store, world: &mut World, registry: &Registry) -> Result<()> {
    let collectors: BTreeMap<_, _> =
        registry.collectors.iter().map(|collector| (collector.id, collector.name.clone())).collect();
    let serials: BTreeMap<u32, String> = registry
        .meters
        .iter()
        .filter_map(|meter| match meter.route {
            territory::MeterRoute::Behind { address, .. } => Some((address, meter.serial.to_string())),
            territory::MeterRoute::Direct => None,
        })
        .collect();
    let name = |end: HopEnd, meter: MeterId| match end {
        HopEnd::Collector(id) => collectors.get(&id).cloned().unwrap_or_else(|| id.to_string()),
        HopEnd::Node(address) => serials.get(&address).cloned().unwrap_or_else(|| {
            let own = registry.meters.iter().find(|known| known.id == meter);
            own.map_or_else(|| address.to_string(), |known| known.serial.to_string())
        }),
        HopEnd::Operator => "Network operator".to_owned(),
    };
    let hops: Vec<(MeterId, Vec<Hop>)> =
        registry.meters.iter().map(|meter| (meter.id, world.territory().path(meter.id))).collect();
    store.bulk(|write| {
        for (meter, hops) in &hops {
            // The field lists them from the collector; the store from the meter.
            let hops: Vec<store::Hop> = hops
                .iter()
                .rev()
                .map(|hop| store::Hop {
                    from: name(hop.to, *meter),
                    to: name(hop.from, *meter),
                    signal_dbm: Some(hop.signal_dbm),
                })
                .collect();
            write.set_path(*meter, &hops)?;
        }
        Ok::<_, store::StoreError>(())
    })?;
    Ok(())
}
