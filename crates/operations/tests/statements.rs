//! What a utility's days really ask of the database: whatever touches a table that a cluster spreads is one node's, or each
//! node's share of a sum, or is on a list here with its reason.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp, ToSpan};
use mdm::edit::{Edit, Editor, Op, ReasonCode};
use mdm::group::Scope;
use mdm::load::Measure;
use mdm::profile::{ProfileHead, Profiles};
use mdm::read::{AsOf, PageOf};
use mdm::{Incoming, Mdm};
use model::{
    BatchSource, BillId, ChannelId, ChannelKind, ClockStatus, Commodity, EventKind, IntervalLength,
    MeterCheck, MeterEvent, MeterId, PremiseNumber, ReadBatch, RegisterRead, RegisterValue, Serial,
    ServicePointId, Unit, UserId,
};
use operations::chores::Chores;
use operations::files::{self, FileWish};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;
use store::spread::{Reach, reach};
use store::{
    ExceptionFilter, ExceptionSort, FleetFilter, FleetSort, Health, Kept, NewMeter, NewPremise, NewRoute,
    NewServicePoint, PgConfig, Pin, Provision, Retention, Store, StoreError,
};

/// Enough that pushed days of neighbours fill a page.
const METERS: u32 = 33;
const FIRST: Date = date(2026, 3, 2);

/// Statements that every node must look into, by how they begin, and why that is bearable.
const EVERYWHERE: &[(&str, &str)] = &[
    ("DELETE FROM channel_stats WHERE channel >= ?", LOAD),
    ("SELECT channel FROM day_block WHERE day = ? AND channel >= ? AND channel < ?", LOAD),
    ("SELECT channel FROM raw_batch WHERE start_s = ?", LOAD),
    ("SELECT channel, stats FROM channel_stats", LOAD),
    (
        "SELECT day, interval_s, slots, recorded_s, rules, start_s, received_ms, block, page FROM day_page",
        LOAD,
    ),
    ("SELECT page, block FROM month_page WHERE month = ? AND page >= ?", LOAD),
    ("SELECT page, stamp", LOAD),
    ("SELECT meter FROM register_read WHERE meter >= ? AND meter <= ? LIMIT 1", LOAD),
    ("SELECT checked_ms, serial, multiplier", LOAD),
    ("SELECT meter, kind, at_ms, clock, seq, received_ms FROM event", EVENTS),
    ("DELETE FROM day_block WHERE", REMOVAL),
    ("DELETE FROM day_origin WHERE channel >= ?", REMOVAL),
    ("DELETE FROM event WHERE", REMOVAL),
    ("DELETE FROM finding WHERE channel >= ?", REMOVAL),
    ("DELETE FROM finding_case WHERE channel >= ?", REMOVAL),
    ("DELETE FROM folded_month", REMOVAL),
    ("DELETE FROM register_read", REMOVAL),
    ("SELECT DISTINCT channel, day FROM bill_pin", REMOVAL),
    ("SELECT start_s, channel, interval_s, hash, block FROM raw_batch", REMOVAL),
    ("SELECT DISTINCT page FROM day_page", SWEEP),
    ("SELECT channel FROM day_block WHERE day = ? AND channel >= ? AND sealed = 1", SWEEP),
    ("SELECT day, channel, version, recorded_s, sealed, rules, block FROM day_block", DAY),
    ("SELECT day, channel, version, sealed, expected, present, estimated, total FROM day_block", DAY),
    ("SELECT bill, channel, day, version, reason", "whoever bills wants all flags, and there are few"),
    ("SELECT e.", "the queue of exceptions is over the whole fleet, a page of it at a time"),
    ("SELECT m.id, m.serial, m.model", "the list of meters is over the whole fleet, a page of it at a time"),
    ("SELECT meter, own_ceiling", "a head-end that starts wants every counter, once"),
];

/// Why a load may.
const LOAD: &str = "asked once for all pages or neighbours of a transaction, not for each channel";
/// Why removing and folding may.
const REMOVAL: &str = "a job's portion at night: a range of channels or of time, which nobody waits for";
/// Why the sweep may.
const SWEEP: &str = "once a day, to plan what is folded";
/// Why a day's board may.
const DAY: &str =
    "a board, a sum, or a month that is folded: the rows of a range of channels are what is wanted";
/// Why events may.
const EVENTS: &str =
    "power failures of a time, once a transaction, and the overview's last ones; by time, few";

fn homes() -> Provision {
    let mut all = Provision::default();
    for number in 1..=METERS {
        let premise = PremiseNumber::new(format!("P-{number}"));
        all.premises.push(NewPremise {
            number: premise.clone(),
            address: format!("{number} Alder Court"),
            town: "Alder".to_owned(),
            position: None,
        });
        all.service_points.push(NewServicePoint {
            number: format!("SP-{number}"),
            supply: model::master::Supply::default(),
            rate_class: None,
            premise,
            account: None,
            transformer: None,
            commodity: Commodity::Electricity,
        });
        let [a, b, c, d] = number.to_be_bytes();
        all.meters.push(NewMeter {
            serial: Serial::new(format!("M-{number}")),
            model: "electricity".to_owned(),
            commodity: Commodity::Electricity,
            service_point: Some(format!("SP-{number}")),
            route: NewRoute::Direct { endpoint: format!("127.0.0.1:{number}") },
            system_title: [b'W', b'T', b'L', 0, a, b, c, d],
            client_sap: 1,
            server_sap: 1,
            security: "hls5".to_owned(),
            installed_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            channels: vec![
                (ChannelKind::Import, IntervalLength::HOUR),
                (ChannelKind::Voltage, IntervalLength::HOUR),
            ],
            keys: Vec::new(),
            metering: model::master::Metering::default(),
        });
    }
    all
}

struct Utility {
    mdm: Arc<Mdm>,
    now: Timestamp,
}

impl Utility {
    fn start(&self, back: i64) -> Timestamp {
        self.mdm.local_day(FIRST + back.days()).unwrap().start()
    }

    fn day(&self, meter: u32, offset: i64, hours: usize, source: BatchSource) -> ReadBatch {
        let value =
            |hour: usize| 400 + (i64::try_from(hour).unwrap() * 37 + offset * 11 + i64::from(meter) * 5) % 90;
        ReadBatch {
            meter: MeterId::new(meter),
            kind: ChannelKind::Import,
            start: self.start(offset),
            interval: IntervalLength::HOUR,
            values: (0..hours).map(|hour| Some(value(hour))).collect(),
            scaler: 0,
            unit: Unit::WattHour,
            status: vec![0; hours],
            received_at: self.start(offset + 1),
            source,
        }
    }

    /// What arrives: readings with holes and spikes, voltages, registers, events, a clock that was asked.
    fn ingest(&self) {
        let (mdm, now) = (&self.mdm, self.now);
        for offset in 0..6 {
            let mut items = Vec::new();
            for meter in 1..=4 {
                let mut of = self.day(meter, offset, 24, BatchSource::Scheduled);
                if offset == 4 {
                    of.values[5] = None;
                    of.values[9] = Some(90_000);
                }
                let mut voltage = of.clone();
                voltage.kind = ChannelKind::Voltage;
                voltage.unit = ChannelKind::Voltage.stored_unit().0;
                voltage.scaler = ChannelKind::Voltage.stored_unit().1;
                voltage.values.fill(Some(2_300));
                let meter = MeterId::new(meter);
                items.push(Incoming::Check(MeterCheck::new(meter, of.start)));
                items.extend([Incoming::Batch(of), Incoming::Batch(voltage)]);
                items.push(Incoming::Register(RegisterRead {
                    meter,
                    kind: ChannelKind::Import,
                    tou: 0,
                    at: self.start(offset),
                    value: RegisterValue { raw: 10_000 + offset * 10_500, scaler: 0, unit: Unit::WattHour },
                    received_at: self.start(offset),
                    source: BatchSource::Scheduled,
                }));
                items.push(Incoming::Event(MeterEvent {
                    meter,
                    kind: EventKind::PowerFailed,
                    at: self.start(offset) + SignedDuration::from_mins(100),
                    clock: ClockStatus::Synchronised,
                    seq: u32::try_from(offset).unwrap(),
                }));
            }
            mdm.receive(self.start(offset + 1), items).unwrap();
        }
        // Another value for what was read, later.
        let mut late = self.day(1, 2, 24, BatchSource::Backfill);
        late.values[3] = Some(1);
        mdm.receive(now, vec![Incoming::Batch(late)]).unwrap();
    }

    /// A night's profiles, and a file of which half is nonsense.
    fn load(&self) {
        let (mdm, now) = (&self.mdm, self.now);
        let head = ProfileHead {
            kind: ChannelKind::Import,
            interval: IntervalLength::HOUR,
            unit: Unit::WattHour,
            scaler: 0,
            source: BatchSource::Import,
            received_at: now,
        };
        for offset in 6..9 {
            let load = mdm.begin_profiles(now, head, FIRST + offset.days()).unwrap();
            let mut profiles = Profiles::default();
            for meter in 5..=METERS {
                let values: Vec<i64> =
                    self.day(meter, offset, 24, BatchSource::Import).values.into_iter().flatten().collect();
                profiles.push(MeterId::new(meter), &values);
            }
            let prepared = mdm.prepare(&load, profiles).unwrap();
            mdm.commit(&load, vec![prepared], Some(("a load", 1))).unwrap();
        }
        let file = "meter,channel,unit,interval_s,start,value\nM-3,import,kWh,3600,2026-03-12T00:00:00Z,0.5\nM-3,import,kWh,3600,nonsense,1\n";
        let wish =
            FileWish { name: "a.csv", options: &exchange::Options::default(), dry_run: false, by: None };
        files::import(mdm, now, &Text(file), &wish, &mut |_| ()).unwrap();
    }

    /// Pushes: counters, a group of whole days and one of some hours, sealed.
    fn push(&self, chores: &Chores) {
        let store = self.mdm.store();
        for hours in [24, 4] {
            let offset = if hours == 24 { 12 } else { 13 };
            let group: Vec<ReadBatch> =
                (1..=METERS).map(|meter| self.day(meter, offset, hours, BatchSource::Push)).collect();
            store
                .write(|w| {
                    w.append_pushes(&group, self.now)?;
                    (1..=METERS).try_for_each(|meter| w.accept_push_counter(MeterId::new(meter), 7))?;
                    w.note_health(
                        MeterId::new(1),
                        &Health { last_heard: Some(self.now), ..Health::default() },
                    )
                })
                .unwrap();
        }
        while chores.turn_pushes(self.now + SignedDuration::from_secs(5)).unwrap().is_some() {}
    }

    /// Chores until nothing is left: days closed, months folded, what is old removed.
    fn chores(&self, chores: &Chores) {
        let store = self.mdm.store();
        for kind in Kept::ALL {
            let setting =
                Retention { kind, months: 3, set_by: "Ada".into(), reason: "law".into(), set_at: self.now };
            store.write(|w| w.set_retention(&setting)).unwrap();
        }
        let far = self.now + SignedDuration::from_hours(24 * 70);
        for at in [self.now, far, far + SignedDuration::from_hours(24 * 150)] {
            for _ in 0..200 {
                chores.plan(at).unwrap();
                if chores.turn(at).unwrap().is_none() {
                    break;
                }
            }
            // Closing more days asks nothing new.
            let later = FIRST + 400.days();
            store.write(|w| w.close_day(later, at)).unwrap();
        }
    }

    fn edit(&self) {
        let (mdm, channel, date) = (&self.mdm, ChannelId::new(1), FIRST + 4.days());
        let editor = Editor { user: UserId::new(1), may_edit_billed: true };
        let pin = Pin { channel, day: date, version: 1 };
        mdm.pin_versions(self.now, BillId::new(1), &[pin]).unwrap();
        let standing = mdm.versions(channel, date).unwrap().len();
        let edit = Edit {
            command: "one".to_owned(),
            channel,
            date,
            slots: "5-6".parse().unwrap(),
            op: Op::Interpolate,
            reason: Some(ReasonCode::MeterFault),
            note: String::new(),
            expected_version: u32::try_from(standing).unwrap(),
        };
        mdm.preview(self.now, editor, &edit).unwrap().unwrap();
        mdm.apply(self.now, editor, &edit).unwrap().unwrap();
    }

    fn read(&self) {
        let (mdm, channel, day) = (&self.mdm, ChannelId::new(1), FIRST + 4.days());
        let meter = MeterId::new(1);
        let point = ServicePointId::new(1);
        mdm.meter(meter).unwrap();
        mdm.meter_events(meter, self.start(0), self.now, 9).unwrap();
        mdm.profile(meter, ChannelKind::Import, day).unwrap();
        mdm.profile_versions(meter, ChannelKind::Import, day).unwrap();
        mdm.usage_day(point, day).unwrap();
        mdm.usage_month(point, day).unwrap();
        mdm.versions(channel, day).unwrap();
        mdm.as_of(channel, day, AsOf::At(self.now)).unwrap();
        mdm.as_of(channel, day, AsOf::Bill(BillId::new(1))).unwrap();
        mdm.bench_day(channel, day, &ExceptionFilter::default()).unwrap();
        mdm.candidates(self.now, channel, day, &"5-9".parse().unwrap()).unwrap();
        mdm.exceptions(&ExceptionFilter::default(), ExceptionSort::Oldest, 0, 20).unwrap();
        mdm.completeness(self.now, FIRST, FIRST + 9.days()).unwrap();
        mdm.overview(self.now).unwrap();
        mdm.fleet_page(&FleetFilter::default(), FleetSort::Serial, false, PageOf { number: 1, size: 20 })
            .unwrap();
        mdm.load(&Scope::System, Measure::Kind(ChannelKind::Import), (FIRST, FIRST + 3.days()), None)
            .unwrap()
            .unwrap();
        mdm.missing(meter, ChannelKind::Import, self.start(0), self.start(3)).unwrap();
        mdm.collected_to(self.now).unwrap();
        mdm.rebill_flags(true).unwrap();
        mdm.store()
            .read(|r| {
                r.days(channel, FIRST, day)?;
                r.day_totals(channel, FIRST, day)?;
                r.raw_batches(channel, self.start(0), self.start(4))?;
                r.imports_of(channel, day)?;
                r.counters()?;
                let to = FIRST + 9.days();
                r.bucket_sums((FIRST, to), (channel, ChannelId::new(90)), |_, slots| vec![(slots, 0)])?;
                Ok::<_, StoreError>(())
            })
            .unwrap();
    }
}

/// A file in memory.
struct Text(&'static str);

impl exchange::container::Source for Text {
    type Input = Cursor<&'static [u8]>;

    fn open(&self) -> std::io::Result<Self::Input> {
        Ok(Cursor::new(self.0.as_bytes()))
    }
}

#[test]
fn what_days_ask_of_a_spread_table_is_one_nodes_or_each_nodes_share() {
    let Some(database) = cluster::Database::fresh() else { return };
    let store = Store::connect(&PgConfig::parse(&database.address()).unwrap()).unwrap();
    store
        .write(|w| {
            w.set_utility("Alder Electric", "Europe/Zurich")?;
            // The days before are not closed here.
            w.close_day(FIRST + 10.days(), "2026-03-13T00:00:00Z".parse().unwrap())?;
            w.provision(&homes())
        })
        .unwrap();
    let mdm = Arc::new(Mdm::new(store.clone(), vee::Rules::default(), BTreeMap::new()).unwrap());
    let chores =
        Chores::new(Arc::clone(&mdm), "one".to_owned(), SignedDuration::from_secs(60)).with_parts(20);
    let utility = Utility { now: mdm.local_day(FIRST + 15.days()).unwrap().start(), mdm };
    utility.ingest();
    utility.load();
    utility.push(&chores);
    utility.read();
    utility.edit();
    utility.read();
    utility.chores(&chores);
    let mut counts: BTreeMap<Reach, usize> = BTreeMap::new();
    let mut used = vec![false; EVERYWHERE.len()];
    let mut strange = Vec::new();
    for statement in store.statements().unwrap() {
        let reach = reach(&statement);
        *counts.entry(reach).or_default() += 1;
        if reach < Reach::Everywhere {
            continue;
        }
        let plain = statement.split_whitespace().collect::<Vec<_>>().join(" ");
        match EVERYWHERE.iter().position(|(begins, _)| plain.starts_with(begins)) {
            Some(at) => used[at] = true,
            None => strange.push(plain),
        }
    }
    eprintln!("{counts:?}");
    assert!(counts[&Reach::OneNode] > 40, "the run asked for little: {counts:?}");
    assert!(strange.is_empty(), "these concern every node and are on no list:\n{}", strange.join("\n"));
    let idle: Vec<_> =
        EVERYWHERE.iter().zip(used).filter(|(_, used)| !used).map(|((begins, _), _)| begins).collect();
    assert!(idle.is_empty(), "nobody asks these any more: {idle:?}");
}
