//! A night's profiles: killed, out of room and resumed, they leave the same bytes as when nothing had happened.

use crate::common::{Process, Utility, run, text, until, wattle};
use crate::ledger::is_sound;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::{ChannelKind, Commodity, IntervalLength, PremiseNumber, Serial};
use rusqlite::types::Value as Cell;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use store::{NewMeter, NewPremise, NewRoute, NewServicePoint, Provision, Store};

const METERS: u32 = 9_000;
const DAY: Date = date(2026, 3, 20);

fn fleet() -> Provision {
    let mut all = Provision::default();
    let premise = PremiseNumber::new("P");
    all.premises.push(NewPremise {
        number: premise.clone(),
        address: "1 Alder Court".to_owned(),
        town: "Alder".to_owned(),
        position: None,
    });
    all.service_points.push(NewServicePoint {
        number: "SP".to_owned(),
        supply: model::master::Supply::default(),
        premise,
        account: None,
        transformer: None,
        rate_class: None,
        commodity: Commodity::Electricity,
    });
    for number in 1..=METERS {
        let [a, b, c, d] = number.to_be_bytes();
        all.meters.push(NewMeter {
            serial: Serial::new(format!("M-{number}")),
            model: "plain".to_owned(),
            commodity: Commodity::Electricity,
            service_point: Some("SP".to_owned()),
            route: NewRoute::Direct { endpoint: format!("127.0.0.1:{number}") },
            system_title: [b'W', b'T', b'L', 0, a, b, c, d],
            client_sap: 1,
            server_sap: 1,
            security: "hls5".to_owned(),
            installed_at: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 365 * 50),
            channels: vec![(ChannelKind::Import, IntervalLength::QUARTER_HOUR)],
            keys: Vec::new(),
            metering: model::master::Metering::default(),
        });
    }
    all
}

/// The day's lines; in a hundred one has a hole and one is rubbish.
fn lines() -> String {
    let start = DAY.to_zoned(TimeZone::get("Europe/Zurich").unwrap()).unwrap().timestamp().as_second();
    let mut lines = String::new();
    for meter in 1..=METERS {
        write!(lines, "{meter},{start}").unwrap();
        for quarter in 0..96 {
            match (meter % 100, quarter) {
                (3, 40) => lines.push(','),
                (7, 50) => lines.push_str(",many"),
                _ => write!(lines, ",{}", 1000 + (meter * 37 + quarter * quarter * 11) % 900).unwrap(),
            }
        }
        lines.push('\n');
    }
    lines
}

/// What the load has left, without the moments at which it was written.
fn rows(file: &Path) -> Vec<Vec<Cell>> {
    let database = rusqlite::Connection::open(file).unwrap();
    let tables = [
        "SELECT day, page, part, first, last, channels, block FROM day_page ORDER BY day, page, part",
        "SELECT day, channel, version, sealed, present, total, block FROM day_block ORDER BY day, channel, version",
        "SELECT start_s, channel, interval_s, hash, scaler, unit, block FROM raw_batch ORDER BY start_s, channel, hash",
        "SELECT page, stamp, 0, 0, 0, 0, block FROM stats_page ORDER BY page",
        "SELECT channel, 0, 0, 0, 0, 0, stats FROM channel_stats ORDER BY channel",
        "SELECT day, channel, rule, first, count, version, sentence FROM finding ORDER BY day, channel, rule, first",
        "SELECT name, position, 0, 0, 0, 0, 0 FROM load_mark ORDER BY name",
    ];
    let mut all = Vec::new();
    for sql in tables {
        let mut found = database.prepare(sql).unwrap();
        let found = found.query_map([], |row| (0..7).map(|index| row.get(index)).collect()).unwrap();
        all.extend(found.map(Result::unwrap));
    }
    all
}

fn arguments<'a>(data: &'a str, file: &'a str) -> Vec<&'a str> {
    let day = "2026-03-20";
    vec![
        "--json",
        "import",
        "--data",
        data,
        "--profiles",
        "import",
        "--day",
        day,
        "--interval-s",
        "900",
        file,
    ]
}

#[test]
fn a_load_that_is_killed_or_finds_no_room_goes_on_and_leaves_the_same_bytes() {
    let home = tempfile::tempdir().unwrap();
    let utility = Utility::set_up(home.path(), &home.path().join("harsh"));
    let store = Store::open(&utility.database()).unwrap();
    store.write(|w| w.provision(&fleet())).unwrap();
    store.checkpoint().unwrap();
    let (night, calm) = (home.path().join("night.csv"), home.path().join("calm"));
    fs::write(&night, lines()).unwrap();
    fs::create_dir(&calm).unwrap();
    for file in ["wattle.sqlite", "master.key"] {
        fs::copy(utility.data.join(file), calm.join(file)).unwrap();
    }
    let (night, data) = (text(&night), text(&utility.data));
    let undisturbed = run(&arguments(text(&calm), night));
    assert_eq!(undisturbed.code, Some(1), "{}", undisturbed.err);
    let told = undisturbed.records()[0].clone();
    let refused = u64::from(METERS / 100);
    assert_eq!((told["refused"].as_u64(), told["odd"].as_u64()), (Some(refused), Some(refused)), "{told}");
    let expected = rows(&calm.join("wattle.sqlite"));

    // The log of the database may not grow beyond a few hundred kilobytes.
    let line = r#"trap "" XFSZ; ulimit -f 400; exec "$@""#;
    let plain = wattle(&arguments(data, night));
    let mut command = Command::new("bash");
    command.args(["-c", line, "bash"]).arg(plain.get_program()).args(plain.get_args());
    let ended = Process::spawn(&mut command).wait();
    assert_eq!(ended.code, Some(1), "{}", ended.out);
    assert!(
        ended.err.contains("night.csv") && ended.err.contains("goes on where it stopped"),
        "{}",
        ended.err
    );

    let mark = || {
        let database = rusqlite::Connection::open(utility.database()).unwrap();
        let sql = "SELECT coalesce(max(position), 0) FROM load_mark";
        database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let mut kills = 0;
    for _ in 0..2 {
        let before = mark();
        let mut loading = Process::start(&arguments(data, night));
        until("a group to be kept", || (mark() > before || !loading.lives()).then_some(()));
        kills += u32::from(loading.lives());
        loading.kill();
    }
    assert!(kills > 0, "it was done before it was killed");
    run(&arguments(data, night));
    is_sound(&utility.database());
    let found = rows(&utility.database());
    let names = |rows: &[Vec<Cell>]| rows.iter().map(|row| row[..4].to_vec()).collect::<Vec<_>>();
    assert!(names(&found) == names(&expected), "{} rows where {} were expected", found.len(), expected.len());
    assert!(found == expected, "the rows have the same keys and other contents");
    // And once more it changes nothing.
    let again = run(&arguments(data, night)).records()[0].clone();
    assert_eq!(again["stored"], 0, "{again}");
    assert!(rows(&utility.database()) == expected);
}
