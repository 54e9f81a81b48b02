//! A full disk stops storing and nothing else: the process says so, goes on serving, loses nothing that it
//! acknowledged, and stores again when there is room.

use crate::common::{Browser, Process, Utility, meter, text, until, wattle, write_plates};
use crate::kill::{Relay, pushing};
use crate::ledger::{Ledger, is_sound};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A way to take a process's room away and to give it back.
trait Squeeze {
    fn squeeze(&mut self, serving: &Process);
    fn release(&mut self, serving: &Process);
}

/// A small file system of its own; unmounted when the test is over.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where this user may not mount.
    fn mount(at: &Path) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "tmpfs", text(at)]).output();
        mounted.is_ok_and(|ended| ended.status.success()).then(|| Self(at.to_owned()))
    }
}

impl Squeeze for SmallDisk {
    fn squeeze(&mut self, _: &Process) {
        // Ends when nothing more fits, with an error that is the purpose.
        let zeros = vec![0; 4096];
        let mut filler = fs::File::create(self.0.join("filler")).unwrap();
        while std::io::Write::write_all(&mut filler, &zeros).is_ok() {}
    }

    fn release(&mut self, _: &Process) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["--lazy", text(&self.0)]).status();
    }
}

/// A limit on the length of files, which the process may not exceed for a while.
struct ShortFiles;

fn limit_files(serving: &Process, bytes: &str) {
    let limit = format!("--fsize={bytes}:unlimited");
    let limited =
        Command::new("prlimit").args(["--pid", &serving.id().to_string(), &limit]).output().unwrap();
    assert!(limited.status.success(), "{}", String::from_utf8_lossy(&limited.stderr));
}

impl Squeeze for ShortFiles {
    fn squeeze(&mut self, serving: &Process) {
        limit_files(serving, "4096");
    }

    fn release(&mut self, serving: &Process) {
        limit_files(serving, "unlimited");
    }
}

/// One story for every way: readings come in, the room goes, orders go on, the room comes back.
fn story(utility: &Utility, room: &mut dyn Squeeze) {
    let (_meter, plate) = meter(1, "electricity", &[]);
    let (relay, address) = Relay::open();
    let (_pushing, pushing) = pushing(2, &address);
    let master = utility.home.join("master");
    assert_eq!(utility.load(&write_plates(&master, &[plate, pushing])).code, Some(0));
    // Without the trap, the signal that tells of a file too long ends the process.
    let line = r#"trap "" XFSZ; exec "$@""#;
    let plain = wattle(&["--json", "serve", "--config", text(&utility.config())]);
    let mut command = Command::new("bash");
    command.args(["-c", line, "bash"]).arg(plain.get_program()).args(plain.get_args());
    let mut serving = Process::spawn(command.env("WATTLE_LOG", "warn"));
    let told = serving.record();
    let url = told["url"].as_str().unwrap().to_owned();
    *relay.to.lock().unwrap() = told["pushes"].as_str().map(str::to_owned);
    let operator = Browser::operator(&url);
    let before = until("readings to be stored", || {
        let seen = Ledger::of(&utility.database());
        (seen.count("register reads") > 0 && seen.count("raw batches") > 10).then_some(seen)
    });
    room.squeeze(&serving);
    // What is ordered now is either refused or kept.
    let mut acknowledged = Vec::new();
    until("the log to tell of the full disk", || {
        acknowledged.extend(operator.command(1, "read"));
        serving.said().contains("nothing could be stored").then_some(())
    });
    assert_eq!(Browser::stranger(&url).status("/sign-in"), Some(200));
    assert!(operator.command(1, "read").is_none(), "an order was acknowledged that cannot be stored");
    let meanwhile = Ledger::of(&utility.database());
    before.is_kept_in(&meanwhile);
    room.release(&serving);
    let order = until("an order to be taken again", || operator.command(1, "read"));
    acknowledged.push(order);
    until("the order to be carried out", || {
        let state = operator.json(&format!("/api/v1/commands/{order}"))["state"].clone();
        (state == "confirmed").then_some(())
    });
    // What was pushed waits to be sealed; that needs room too.
    until("what was pushed to be in its day", || {
        let now = Ledger::of(&utility.database()).count("raw batches");
        (now > meanwhile.count("raw batches")).then_some(())
    });
    assert!(serving.lives(), "{}", serving.said());
    let ended = serving.terminate();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    is_sound(&utility.database());
    let after = Ledger::of(&utility.database());
    meanwhile.is_kept_in(&after);
    assert!(acknowledged.iter().all(|id| after.commands().contains(id)), "an order is lost");
}

#[test]
fn a_full_disk_is_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let Some(mut disk) = SmallDisk::mount(&data) else {
        println!(
            "skipped: mounting a small file system needs root; files_that_may_not_grow tells the same story"
        );
        return;
    };
    story(&Utility::set_up(home.path(), &data), &mut disk);
}

#[test]
fn files_that_may_not_grow_are_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let utility = Utility::set_up(home.path(), &home.path().join("data"));
    story(&utility, &mut ShortFiles);
}
