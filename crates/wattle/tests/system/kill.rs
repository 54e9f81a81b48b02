//! A process that is killed loses nothing that it acknowledged, doubles nothing, and uses no counter twice.

use crate::common::{Browser, PATIENCE, Plate, Process, Utility, done, meter, until, write_plates};
use crate::ledger::{Ledger, is_sound};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How often the process is killed.
const KILLS: u64 = 5;
/// Meters that are read, and meters that push.
const READ: u32 = 3;
const PUSHING: u32 = 3;
/// Quarter hours that are compared with the meter: a first read goes back a day.
const LATELY: usize = 90;

/// Stands between the meters and a push listener whose address changes with every start, and keeps every push.
#[derive(Clone, Debug, Default)]
pub(crate) struct Relay {
    pub(crate) to: Arc<Mutex<Option<String>>>,
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Relay {
    pub(crate) fn open() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let relay = Self::default();
        let running = relay.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut push = Vec::new();
                let _ = stream.read_to_end(&mut push);
                running.pass_on(&push);
                running.kept.lock().unwrap().push(push);
            }
        });
        (relay, address)
    }

    /// Lost when nobody listens, as in the field.
    fn pass_on(&self, push: &[u8]) {
        let to = self.to.lock().unwrap().clone();
        if let Some(mut stream) = to.and_then(|to| TcpStream::connect(to).ok()) {
            let _ = stream.write_all(push);
        }
    }

    /// Sends everything once more, as somebody would who listened.
    fn replay(&self) -> usize {
        let kept = self.kept.lock().unwrap().clone();
        kept.iter().for_each(|push| self.pass_on(push));
        kept.len()
    }
}

/// Asks for one command after the other until told to stop; counts the asked, keeps the acknowledged.
fn press(operator: Browser, meters: Vec<u64>, stop: Arc<AtomicBool>, asked: Arc<AtomicUsize>) -> Vec<u64> {
    let mut acknowledged = Vec::new();
    for (turn, meter) in meters.iter().cycle().enumerate() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        asked.fetch_add(1, Ordering::Relaxed);
        let what = ["ping", "read", "clock"][turn % 3];
        acknowledged.extend(operator.command(*meter, what));
        std::thread::sleep(Duration::from_millis(20));
    }
    acknowledged
}

/// Numbers of meters by serial.
fn numbers(operator: &Browser) -> BTreeMap<String, u64> {
    let list = operator.json("/api/v1/meters");
    let rows = list["meters"].as_array().unwrap();
    rows.iter().map(|row| (row["serial"].as_str().unwrap().to_owned(), row["id"].as_u64().unwrap())).collect()
}

/// Meters to be read, whose day of quarter hours takes many messages, and meters that push.
fn street(relay: &str) -> (Vec<Process>, Vec<Plate>) {
    let read = (1..=READ).map(|number| meter(number, "electricity", &["--days", "2"]));
    let pushing = (1..=PUSHING).map(|number| pushing(100 + number, relay));
    read.chain(pushing).unzip()
}

/// A meter that lives an hour a second, six days ago, and pushes every quarter of it.
pub(crate) fn pushing(number: u32, to: &str) -> (Process, Plate) {
    let past = (Timestamp::now() - SignedDuration::from_hours(6 * 24)).to_string();
    let (process, plate) =
        meter(number, "electricity-push", &["--start", &past, "--speed", "3600", "--push", to]);
    // Nobody listens there: what this meter has to say comes as pushes only.
    (process, Plate { endpoint: "127.0.0.1:9".to_owned(), ..plate })
}

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let home = tempfile::tempdir().unwrap();
    let utility = Utility::set_up(home.path(), &home.path().join("data"));
    let (relay, address) = Relay::open();
    let (processes, plates) = street(&address);
    let loaded = utility.load(&write_plates(&home.path().join("master"), &plates));
    assert_eq!(loaded.code, Some(0), "{}", loaded.err);
    let asked = Arc::new(AtomicUsize::new(0));
    let mut acknowledged: Vec<u64> = Vec::new();
    let mut last = Ledger::of(&utility.database());
    for round in 0..KILLS {
        let (mut serving, url, pushes) = utility.serve();
        *relay.to.lock().unwrap() = Some(pushes);
        let operator = Browser::operator(&url);
        let meters: Vec<u64> = numbers(&operator).into_values().take(READ as usize).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let (stopping, counting) = (Arc::clone(&stop), Arc::clone(&asked));
        let pressing = std::thread::spawn(move || press(operator, meters, stopping, counting));
        // A moment that differs from round to round, and from run to run no more than the machine does.
        let end = Instant::now() + Duration::from_millis(700 + (round * 977 + 331) % 1900);
        let seen = loop {
            let seen = Ledger::of(&utility.database());
            if Instant::now() > end && seen.len() > last.len() {
                break seen;
            }
            assert!(Instant::now() < end + PATIENCE, "nothing comes in: {}", serving.said());
        };
        serving.kill();
        stop.store(true, Ordering::Relaxed);
        acknowledged.extend(pressing.join().unwrap());
        *relay.to.lock().unwrap() = None;
        is_sound(&utility.database());
        let kept = Ledger::of(&utility.database());
        seen.is_kept_in(&kept);
        last.is_kept_in(&kept);
        last = kept;
    }
    let commands = last.commands();
    let lost: Vec<_> = acknowledged.iter().filter(|id| !commands.contains(id)).collect();
    assert!(lost.is_empty(), "commands {lost:?} were acknowledged and are lost");
    assert!(commands.len() <= asked.load(Ordering::Relaxed), "a command was stored twice");
    assert!(acknowledged.len() > 10, "only {} commands were acknowledged", acknowledged.len());
    assert!(last.count("raw batches") > 20, "only {} batches were stored", last.count("raw batches"));
    settle(&utility, &relay, &plates, &last);
    // A meter refuses, and says so, whoever uses an invocation counter twice.
    for process in processes.iter().take(READ as usize) {
        assert!(!process.said().contains("refused"), "a meter refused: {}", process.said());
    }
}

/// The last start, nobody kills: every order is carried out, a replay changes nothing, and what is stored is what the
/// meters hold.
fn settle(utility: &Utility, relay: &Relay, plates: &[Plate], last: &Ledger) {
    let (mut serving, url, pushes) = utility.serve();
    *relay.to.lock().unwrap() = Some(pushes);
    let operator = Browser::operator(&url);
    until("the end of every command", || {
        let list = operator.json("/api/v1/commands");
        let waiting = |row: &Value| matches!(row["state"].as_str(), Some("queued" | "sent"));
        (!list["commands"].as_array().unwrap().iter().any(waiting)).then_some(())
    });
    let before = operator.json("/api/v1/overview")["refused_24h"].as_u64().unwrap();
    let sent = relay.replay();
    assert!(sent > 20, "only {sent} pushes were made");
    until("the refusal of what was replayed", || {
        let refused = operator.json("/api/v1/overview")["refused_24h"].as_u64().unwrap();
        (refused - before >= sent as u64).then_some(())
    });
    let numbers = numbers(&operator);
    let readable = plates.iter().take(READ as usize);
    let stored: Vec<_> = readable.map(|plate| (plate, lately(&operator, numbers[&plate.serial]))).collect();
    let ended = serving.terminate();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    is_sound(&utility.database());
    last.is_kept_in(&Ledger::of(&utility.database()));
    for (plate, stored) in stored {
        assert_eq!(stored, held(plate, &stored), "what is stored of {} is not what it holds", plate.serial);
    }
}

/// Starts and values of the intervals of the last day, as stored.
fn lately(operator: &Browser, number: u64) -> BTreeMap<Timestamp, i64> {
    let today = Timestamp::now().to_zoned(TimeZone::get("Europe/Zurich").unwrap()).date();
    let mut read = BTreeMap::new();
    for day in [today.yesterday().unwrap(), today] {
        let found = operator.json(&format!("/api/v1/meters/{number}/profile?kind=import&date={day}"));
        let slots = found["series"]["intervals"].as_array().unwrap();
        for slot in slots
            .iter()
            .filter(|slot| matches!(slot["quality"].as_str(), Some("raw" | "valid" | "questionable")))
        {
            read.insert(slot["start"].as_str().unwrap().parse().unwrap(), slot["value"].as_i64().unwrap());
        }
    }
    assert!(read.len() >= LATELY, "only {} intervals were read", read.len());
    read.into_iter().rev().take(LATELY).collect()
}

/// The same intervals from the meter's own profile, which names them by their ends.
fn held(plate: &Plate, stored: &BTreeMap<Timestamp, i64>) -> BTreeMap<Timestamp, i64> {
    let quarter = SignedDuration::from_mins(15);
    let (first, last) = (stored.keys().next().unwrap(), stored.keys().next_back().unwrap());
    let range = format!("{}..{}", *first + quarter, *last + quarter + SignedDuration::from_secs(1));
    let mut args = vec!["--json", "read", plate.endpoint.as_str(), "--client", "1", "--auth", "gmac"];
    args.extend(["--security", "both", "--key", &plate.key, "--auth-key", &plate.auth_key]);
    args.extend(["--counter-obis", "0-0:43.1.0", "--profile", &range]);
    let rows = done(&args).records();
    let row = |row: &Value| {
        let values = &row["values"];
        let end: Timestamp = values["0-0:1.0.0.255/2"].as_str().unwrap().parse().unwrap();
        (end - quarter, values["1-0:1.29.0.255/2"].as_i64().unwrap())
    };
    rows.iter().filter(|row| row["kind"] == "row").map(row).collect()
}
