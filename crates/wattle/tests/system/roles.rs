//! A head-end, a meter data manager, pages and jobs as four processes over one PostgreSQL are one utility.

use crate::common::{Browser, PASSWORD, Process, done, meter, run, run_with, text, until, write_plates};
use cluster::Database;
use serde_json::Value;

#[test]
fn four_processes_are_one_utility() {
    let Some(database) = Database::fresh() else { return };
    let home = tempfile::tempdir().unwrap();
    let (data, address) = (home.path().join("data"), database.address());
    let place = ["--data", text(&data), "--database", address.as_str()];
    done(&[&["admin", "migrate"], &place[..], &["--name", "Alder", "--zone", "Europe/Zurich"]].concat());
    let add = [&["admin", "user"], &place[..], &["add", "operator", "--role", "meter-operator"]].concat();
    assert_eq!(run_with(&add, &format!("{PASSWORD}\n")).code, Some(0));
    let (_meter, plate) = meter(1, "electricity", &["--days", "2"]);
    let files = write_plates(&home.path().join("master"), &[plate]);
    let files: Vec<&str> = files.iter().map(|file| text(file)).collect();
    done(&[&["admin", "load"], &place[..], &files[..]].concat());
    let config = home.path().join("serve.toml");
    let settings = format!(
        "data = {data:?}\ndatabase = \"{address}\"\n[web]\nlisten = \"127.0.0.1:0\"\n\
         [head_end]\nlisten_pushes = \"127.0.0.1:0\"\n"
    );
    std::fs::write(&config, settings).unwrap();
    let start = |role: &str| {
        let mut process = Process::start(&["--json", "serve", "--config", text(&config), "--role", role]);
        let told = process.record();
        (process, told)
    };
    let (_web, pages) = start("web");
    let (_jobs, silent) = start("jobs");
    let (_head_end, pushes) = start("headend");
    let is_open = |told: &Value| (!told["url"].is_null(), !told["pushes"].is_null());
    assert_eq!([&pages, &silent, &pushes].map(is_open), [(true, false), (false, false), (false, true)]);

    let operator = Browser::operator(pages["url"].as_str().unwrap());
    let number = operator.json("/api/v1/meters")["meters"][0]["id"].as_u64().unwrap();
    let order = operator.command(number, "ping").unwrap();
    until("the answer of the meter", || {
        let list = operator.json("/api/v1/commands");
        let mine = list["commands"].as_array()?.iter().find(|one| one["id"].as_u64() == Some(order))?.clone();
        (mine["state"] == "confirmed").then_some(())
    });
    let store = store::Store::connect(&store::PgConfig::parse(&address).unwrap()).unwrap();
    until("readings in the inbox", || (!store.read(store::Read::inbox_is_empty).unwrap()).then_some(()));
    assert_eq!(store.read(store::Read::raw_batch_count).unwrap(), 0, "nobody takes them in yet");
    let (_mdm, silent) = start("mdm");
    assert_eq!(is_open(&silent), (false, false));
    until("the readings in the store", || {
        store
            .read(|read| {
                let taken = read.inbox_is_empty()? && read.raw_batch_count()? > 0;
                Ok::<_, store::StoreError>(taken.then_some(()))
            })
            .unwrap()
    });
    let listed = done(&[&["--json", "admin", "jobs"], &place[..]].concat()).records();
    assert!(listed.iter().any(|job| job["kind"] == "sweep"), "{listed:?}");
}

#[test]
fn a_role_needs_a_database_that_can_be_shared() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("serve.toml");
    std::fs::write(&config, "data = \"/nowhere\"\n").unwrap();
    let refused = run(&["serve", "--config", text(&config), "--role", "web"]);
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert!(refused.err.contains("`database`"), "{}", refused.err);
}
