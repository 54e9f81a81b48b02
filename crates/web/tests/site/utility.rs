//! A small utility for tests: three premises, a mesh, forty days of readings with every flaw that pages must show.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use mdm::{Incoming, Mdm};
use model::command::CommandState;
use model::{
    BatchSource, ChannelKind, ClockStatus, Commodity, EventKind, IntervalLength, LocalDay, MeterEvent,
    MeterId, PremiseNumber, ReadBatch, RegisterRead, RegisterValue, Serial, Unit, UserId,
};
use operations::{Accounts, NewAccount, Role};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::{
    Health, Hop, NewCollector, NewCustomer, NewMeter, NewPremise, NewRoute, NewServicePoint, NewTransformer,
    Provision, Store, WeatherHour,
};

/// The present of the tests: an ordinary afternoon of the utility.
const NOW: &str = "2026-07-14T13:37:00Z";
/// Meters beyond those of the named customers.
const OTHERS: usize = 70;
const DAYS: i64 = 40;

/// The utility and who may sign in.
pub(crate) struct Utility {
    /// The pages' view of it.
    pub(crate) app: web::App,
    /// One account a role.
    pub(crate) people: BTreeMap<Role, UserId>,
    /// A customer other than the one in `people`.
    pub(crate) neighbour: UserId,
    /// The meter of the customer in `people`, of the neighbour, and one that is silent.
    pub(crate) meters: Vec<MeterId>,
    _folder: tempfile::TempDir,
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn premise(n: usize) -> (NewPremise, NewCustomer, NewServicePoint, NewMeter) {
    let (number, account) = (format!("P-{n:04}"), format!("A-{n:04}"));
    let names = ["Mara Keller", "Jonas Frei", "Lea Brunner", "Nils Hofer", "Eva Sutter", "Tim Graf"];
    let streets = ["Lindenweg", "Bachgasse", "Seestrasse", "Kirchplatz", "Hofacker"];
    let new_premise = NewPremise {
        number: PremiseNumber::new(&number),
        address: format!("{} {}", streets[n % streets.len()], 1 + n / streets.len() * 2),
        town: "Auental".to_owned(),
        position: None,
    };
    let customer =
        NewCustomer { account: account.clone(), name: names[n % names.len()].to_owned(), email: None };
    let point = NewServicePoint {
        number: format!("SP-{n:04}-E"),
        premise: PremiseNumber::new(&number),
        account: Some(account),
        transformer: Some("TX-12".to_owned()),
        commodity: Commodity::Electricity,
        supply: model::master::Supply::default(),
        rate_class: None,
    };
    (new_premise, customer, point, meter(n, Commodity::Electricity))
}

fn meter(n: usize, commodity: Commodity) -> NewMeter {
    use ChannelKind::{Export, Gas, Import, Voltage, Water};
    let (letter, digit, model, channels) = match commodity {
        Commodity::Electricity => {
            let quarter = IntervalLength::QUARTER_HOUR;
            ("E", 4, "wattle-e1", vec![(Import, quarter), (Export, quarter), (Voltage, quarter)])
        }
        Commodity::Gas => ("G", 7, "wattle-g1", vec![(Gas, IntervalLength::HOUR)]),
        Commodity::Water => ("W", 8, "wattle-w1", vec![(Water, IntervalLength::HOUR)]),
    };
    NewMeter {
        serial: Serial::new(format!("{digit}02{n:05}")),
        model: model.to_owned(),
        commodity,
        service_point: Some(format!("SP-{n:04}-{letter}")),
        route: NewRoute::Behind {
            collector: if n % 3 == 2 { "PLC-02" } else { "MESH-01" }.to_owned(),
            address: u32::try_from(n * 10 + digit).unwrap(),
        },
        system_title: [b'W', b'T', b'L', 0, 0, 0, u8::try_from(digit).unwrap(), u8::try_from(n).unwrap()],
        client_sap: 1,
        server_sap: 1,
        security: "hls5".to_owned(),
        installed_at: now() - SignedDuration::from_hours(24 * 400),
        channels,
        keys: Vec::new(),
        metering: model::master::Metering::default(),
    }
}

fn provision(store: &Store) -> Vec<MeterId> {
    let mut all = Provision::default();
    for (name, technology) in [("MESH-01", "mesh"), ("PLC-02", "plc")] {
        all.collectors.push(NewCollector {
            name: name.to_owned(),
            endpoint: "127.0.0.1:4059".to_owned(),
            technology: technology.to_owned(),
            network_id: 1,
            max_concurrent: 8,
            position: None,
        });
    }
    all.transformers.push(NewTransformer {
        name: "TX-12".to_owned(),
        feeder: "F-1204".to_owned(),
        rating_va: 100_000,
        position: None,
    });
    for n in 0..2 + OTHERS {
        let (premise, customer, point, meter) = premise(n);
        all.premises.push(premise);
        all.customers.push(customer);
        all.service_points.push(point);
        all.meters.push(meter);
    }
    for (letter, commodity) in [("G", Commodity::Gas), ("W", Commodity::Water)] {
        let number = format!("SP-0000-{letter}");
        all.service_points.push(NewServicePoint { number, commodity, ..all.service_points[0].clone() });
        all.meters.push(meter(0, commodity));
    }
    store.write(|write| write.provision(&all)).unwrap().meters
}

/// A home's hour in watt-hours: asleep, breakfast, away, cooking, evening; a little different each day and home.
fn load(n: usize, day: i64, hour: usize) -> i64 {
    let shape = [
        180, 160, 150, 150, 160, 210, 520, 640, 380, 300, 280, 340, 620, 420, 300, 290, 360, 720, 980, 900,
        640, 520, 380, 240,
    ];
    let wobble = i64::try_from((n * 7 + hour * 13) % 29).unwrap() + day * 17 % 23;
    shape[hour % 24] * (80 + wobble * 2) / 100
}

fn sun(hour: usize) -> i64 {
    [
        0, 0, 0, 0, 0, 40, 220, 600, 1100, 1600, 2000, 2250, 2300, 2200, 1900, 1500, 1000, 520, 180, 30, 0,
        0, 0, 0,
    ][hour % 24]
}

fn batch(meter: MeterId, kind: ChannelKind, day: &LocalDay, values: Vec<Option<i64>>) -> Incoming {
    let (unit, scaler) = kind.stored_unit();
    let hourly = matches!(kind, ChannelKind::Gas | ChannelKind::Water);
    Incoming::Batch(ReadBatch {
        meter,
        kind,
        start: day.start(),
        interval: if hourly { IntervalLength::HOUR } else { IntervalLength::QUARTER_HOUR },
        status: vec![0; values.len()],
        values,
        scaler,
        unit,
        received_at: day.end().min(now()),
        source: BatchSource::Scheduled,
    })
}

/// One meter's day, with a long gap, a short gap and a meter that fell silent among them.
fn day_of(n: usize, meter: MeterId, back: i64, day: &LocalDay, out: &mut Vec<Incoming>) {
    if n == 5 && back < 3 {
        return;
    }
    let quarters = day.intervals(IntervalLength::QUARTER_HOUR);
    let until = usize::try_from((now().as_second() - day.start().as_second()) / 900).unwrap().min(quarters);
    let gap =
        |q: usize| n < 2 && ((back == 2 && (52..64).contains(&q)) || (back == 1 && (37..40).contains(&q)));
    let solar = n == 0;
    let each =
        |value: &dyn Fn(usize) -> i64| (0..until).map(|q| (!gap(q)).then(|| value(q))).collect::<Vec<_>>();
    let net = |q: usize| load(n, back, q / 4) / 4 - if solar { sun(q / 4) / 4 } else { 0 };
    out.push(batch(meter, ChannelKind::Import, day, each(&|q| net(q).max(0))));
    out.push(batch(meter, ChannelKind::Export, day, each(&|q| (-net(q)).max(0))));
    out.push(batch(
        meter,
        ChannelKind::Voltage,
        day,
        each(&|q| 2_318 - load(n, back, q / 4) / 40 + i64::try_from(q % 5).unwrap()),
    ));
}

fn events(meters: &[MeterId]) -> Vec<Incoming> {
    let kinds = [
        (EventKind::PowerFailed, 7 * 60),
        (EventKind::PowerRestored, 7 * 60 - 14),
        (EventKind::CoverOpened, 300),
        (EventKind::SagStarted, 120),
        (EventKind::ClockSet, 90),
        (EventKind::LoginFailed, 15),
    ];
    let event = |(index, (kind, minutes)): (usize, &(EventKind, i64))| {
        Incoming::Event(MeterEvent {
            meter: meters[index / 2],
            kind: *kind,
            at: now() - SignedDuration::from_mins(*minutes),
            clock: if index == 2 { ClockStatus::Doubtful } else { ClockStatus::Synchronised },
            seq: u32::try_from(index).unwrap(),
        })
    };
    kinds.iter().enumerate().map(event).collect()
}

fn registers(meter: MeterId) -> Vec<Incoming> {
    let read = |(kind, tou, raw): (ChannelKind, u8, i64)| {
        Incoming::Register(RegisterRead {
            meter,
            kind,
            tou,
            at: now() - SignedDuration::from_mins(22),
            value: RegisterValue { raw, scaler: 0, unit: Unit::WattHour },
            received_at: now(),
            source: BatchSource::Scheduled,
        })
    };
    [
        (ChannelKind::Import, 0, 4_812_377),
        (ChannelKind::Import, 1, 3_000_002),
        (ChannelKind::Export, 0, 1_204_800),
    ]
    .into_iter()
    .map(read)
    .collect()
}

fn weather(from: Date) -> Vec<WeatherHour> {
    let start = LocalDay::new(from, &zone()).unwrap().start();
    let hour = |h: i64| WeatherHour {
        at: start + SignedDuration::from_hours(h),
        temperature_dc: i16::try_from(
            190 + [-60, -50, -20, 20, 60, 70, 40, -10][usize::try_from(h % 24 / 3).unwrap()] + h / 24 % 7 * 9,
        )
        .unwrap(),
        irradiance_w_m2: None,
    };
    (0..24 * (DAYS + 1)).map(hour).collect()
}

fn zone() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::get("Europe/Zurich").unwrap()
}

fn health(store: &Store, meters: &[MeterId]) {
    store
        .write(|write| {
            for (n, meter) in meters.iter().enumerate() {
                let ago = if n == 5 { 24 * 60 * 3 } else { i64::try_from(3 + n * 7 % 50).unwrap() };
                let at = now() - SignedDuration::from_mins(ago);
                let read = if n == 7 { at - SignedDuration::from_hours(30) } else { at };
                write.note_health(
                    *meter,
                    &Health {
                        last_heard: Some(at),
                        last_read: Some(read),
                        rtt_ms: Some(2_300),
                        clock_offset_ms: Some(-1_400),
                        last_failure: (n == 5).then_some(at),
                        failure: (n == 5).then(|| "no answer after 4 tries".to_owned()),
                    },
                )?;
                let hop = |from: &str, to: &str, dbm| Hop {
                    from: from.to_owned(),
                    to: to.to_owned(),
                    signal_dbm: Some(dbm),
                };
                write.set_path(*meter, &[hop("meter", "40200031", -84), hop("40200031", "MESH-01", -71)])?;
            }
            Ok::<_, store::StoreError>(())
        })
        .unwrap();
}

/// One account a role.
const PEOPLE: [(&str, Role); 6] = [
    ("noa", Role::MeterOperator),
    ("mara", Role::Customer),
    ("cleo", Role::Clerk),
    ("ana", Role::Analyst),
    ("eli", Role::Engineer),
    ("ada", Role::Administrator),
];
/// Another customer.
const NEIGHBOUR: &str = "jonas";

fn people(store: &Store) {
    let accounts = Accounts::new(store.clone());
    let account = |name: &str, shown: &str, role, number: Option<&str>| {
        let customer = number.map(|n| store.read(|read| read.customer_by_account(n)).unwrap().unwrap().id);
        accounts.create(&NewAccount { name, display_name: shown, role, customer }, None, &[1; 16]).unwrap()
    };
    for (name, role) in PEOPLE {
        match role {
            Role::Customer => account(name, "Mara Keller", role, Some("A-0000")),
            Role::MeterOperator => account(name, "Noa Okafor", role, None),
            _ => account(name, role.title(), role, None),
        };
    }
    account(NEIGHBOUR, "Jonas Frei", Role::Customer, Some("A-0001"));
}

/// A utility of one's own: its readings are judged once for all processes that run this program, and copied.
pub(crate) fn build() -> Utility {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wattle.sqlite");
    std::fs::copy(shared(), &file).unwrap();
    let store = Store::open(&file).unwrap();
    let mdm = Mdm::new(store.clone(), vee::Rules::default(), BTreeMap::new()).unwrap();
    let meters = store.read(store::Read::meters).unwrap().into_iter().map(|meter| meter.id).collect();
    let user = |name: &str| store.read(|read| read.user_by_name(name)).unwrap().unwrap().id;
    let people = PEOPLE.into_iter().map(|(name, role)| (role, user(name))).collect();
    let neighbour = user(NEIGHBOUR);
    let utility = store.read(store::Read::utility).unwrap().unwrap();
    let uploads = web::Uploads::new(folder.path().join("uploads"));
    let app = web::App {
        mdm: Arc::new(mdm),
        clock: Arc::new(now),
        demo: true,
        utility,
        uploads,
        secure_cookies: false,
    };
    Utility { app, people, neighbour, meters, _folder: folder }
}

/// The database that every process copies. Whoever comes first builds it, the others wait; another build of this program has
/// another one, and takes the old ones away.
fn shared() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let built = std::fs::metadata(&program).unwrap().modified().unwrap();
    let built = built.duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("site");
    let mine = all.join(format!("{}-{built}", program.file_name().unwrap().to_string_lossy()));
    std::fs::create_dir_all(&all).unwrap();
    let door = File::create(all.join("lock")).unwrap();
    door.lock().unwrap();
    let file = mine.join("wattle.sqlite");
    if !file.exists() {
        for old in std::fs::read_dir(&all).unwrap().map(|entry| entry.unwrap().path()) {
            if old.is_dir() {
                std::fs::remove_dir_all(old).unwrap();
            }
        }
        let beside = all.join("unfinished");
        std::fs::create_dir_all(&beside).unwrap();
        judge_all(&beside.join("wattle.sqlite"));
        std::fs::rename(&beside, &mine).unwrap();
    }
    file
}

fn judge_all(file: &Path) {
    let store = Store::open(file).unwrap();
    store.write(|write| write.set_utility("Auental Energy", "Europe/Zurich")).unwrap();
    let meters = provision(&store);
    let mdm = Mdm::new(store.clone(), vee::Rules::default(), BTreeMap::new()).unwrap();
    let today = mdm.day_of(now()).unwrap().date();
    let mut items = Vec::new();
    for back in (0..DAYS).rev() {
        let day = mdm.local_day(today.checked_sub(back.days()).unwrap()).unwrap();
        for (n, meter) in meters.iter().enumerate().take(2 + OTHERS) {
            // A long history for the few whose pages are looked at; two days for the rest.
            if n < 8 || back < 2 {
                day_of(n, *meter, back, &day, &mut items);
            }
        }
        let until = usize::try_from((now().as_second() - day.start().as_second()) / 3600).unwrap().min(24);
        let hours =
            |scale: i64| (0..until).map(|h| Some(load(3, back, h) * scale / 1000)).collect::<Vec<_>>();
        items.push(batch(meters[2 + OTHERS], ChannelKind::Gas, &day, hours(600)));
        items.push(batch(meters[3 + OTHERS], ChannelKind::Water, &day, hours(40)));
    }
    items.extend(registers(meters[0]));
    items.extend(events(&meters));
    mdm.bulk_load(now(), items).unwrap();
    mdm.close_due(now()).unwrap();
    store.write(|write| write.put_weather(&weather(today.checked_sub((DAYS - 1).days()).unwrap()))).unwrap();
    health(&store, &meters);
    people(&store);
    // What is copied is the one file, without its journal.
    store.checkpoint().unwrap();
}

/// Works the outbox off like a head-end would, so that live pages have something to show.
pub(crate) fn answer_commands(store: Store) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(700));
            let claimed = store.write(|write| write.claim_command(now())).unwrap();
            let Some(record) = claimed else { continue };
            std::thread::sleep(Duration::from_millis(900));
            let values = serde_json::json!([{ "name": "clock", "text": "2026-07-14 15:37:01" }]);
            let done = now() + SignedDuration::from_millis(2_300);
            let detail = "answered in 2.3 s over 2 hops";
            store
                .write(|write| {
                    write.update_command(
                        record.command.id,
                        CommandState::Confirmed,
                        done,
                        detail,
                        Some(&values),
                    )
                })
                .unwrap();
        }
    });
}
