//! Any bytes on any socket: nothing falls, nothing grows without bound, and an honest client gets its answer.

use crate::common::{Browser, Plate, Process, Utility, connect, done, meter, run, text, until, write_plates};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::time::Duration;

/// How much more memory an attack may cost at its worst, KiB.
const MOST_GROWTH_KIB: u64 = 64 << 10;
/// Connections that are held open at a time: to doors that serve few or thousands, and to pages, which serve a
/// thousand and let others wait.
const CROWD: usize = 1500;
const BROWSERS: usize = 900;
/// Messages of random bytes a socket gets.
const ROUNDS: u64 = 60;

/// Numbers that look like chance and are the same in every run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

/// A wrapper message around `payload`.
fn wrapped(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap();
    let mut bytes: Vec<u8> =
        [1, source, destination, length].iter().flat_map(|field| field.to_be_bytes()).collect();
    bytes.extend(payload);
    bytes
}

/// Captures of real meters, as binary.
fn captures() -> Vec<Vec<u8>> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/meter_frames/dlms_push");
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let texts = files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "txt"));
    texts.map(|file| digits(&fs::read_to_string(file).unwrap())).filter(|bytes| !bytes.is_empty()).collect()
}

fn digits(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let value = |digit: u8| u8::try_from((digit as char).to_digit(16).unwrap()).unwrap();
    digits.chunks_exact(2).map(|pair| value(pair[0]) << 4 | value(pair[1])).collect()
}

/// What is thrown at every socket, whatever it speaks.
fn ammunition(chance: &mut Chance) -> Vec<Vec<u8>> {
    let aarq = digits("601DA109060760857405080101BE10040E01000000065F1F0400001E1DFFFF");
    let mut thrown = captures();
    for length in [1, 7, 8, 9, 300, 5000, 70_000] {
        thrown.push(chance.bytes(length));
    }
    // A message of the greatest length of which nothing follows, and one too many.
    thrown.push(vec![0, 1, 0, 1, 0, 1, 0xFF, 0xFF]);
    thrown.push([vec![0, 1, 0, 1, 0, 1, 0xFF, 0xFF], chance.bytes(65_535)].concat());
    // A good wrapper around garbage, around nothing, and around every kind of APDU cut short.
    for _ in 0..ROUNDS {
        let length = chance.below(600);
        thrown.push(wrapped(1, 1, &chance.bytes(length)));
    }
    thrown.push(wrapped(16, 1, &[]));
    for tag in 0..=255 {
        thrown.push(wrapped(16, 1, &[tag, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]));
    }
    // An association whose parts nest or count without end.
    thrown.push(wrapped(16, 1, &[0x60, 0x80].repeat(4000)));
    thrown.push(
        [wrapped(16, 1, &aarq), wrapped(16, 1, &[&[0xC1, 1, 0xC1][..], &[2, 1].repeat(8000)].concat())]
            .concat(),
    );
    thrown.push(
        [
            wrapped(16, 1, &aarq),
            wrapped(16, 1, &[0xC1, 1, 0xC1, 0, 1, 0, 0, 1, 0, 0, 255, 2, 0, 1, 0x84, 255, 255, 255, 255]),
        ]
        .concat(),
    );
    // Gateway headers: an unknown node, an address without end, none at all.
    for header in [&[0xE6, 0, 4, 9, 9, 9, 9][..], &[0xE6, 0, 255, 1], &[0xE7, 0, 0], &[0xE6]] {
        thrown.push(wrapped(1, 1, &[header, &aarq].concat()));
    }
    // A sealed push of nobody's, and one whose lengths lie.
    thrown.push(wrapped(
        1,
        1,
        &[&[0xDB, 8][..], b"WTL\0\0\0\0\x09", &[0x82, 1, 0, 0x30], &chance.bytes(255)].concat(),
    ));
    thrown.push(wrapped(1, 1, &[0xDB, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0x84, 255, 255, 255, 255]));
    // HDLC: flags without end, a frame of the greatest length, a frame that is all address.
    thrown.push(vec![0x7E; 20_000]);
    thrown.push([&[0x7E, 0xA7, 0xFF][..], &[0; 3000]].concat());
    thrown.push([&[0x7E, 0xA0, 0x20][..], &[0xFE; 64]].concat());
    thrown.push(digits("7EA00703219353FE8C7E7EA00703219353FE8C7E"));
    thrown
}

/// Throws everything at a socket, whole or cut, and waits for nothing.
fn throw(host: &str, seed: u64) {
    let mut chance = Chance(seed);
    for bytes in ammunition(&mut chance) {
        let cut = if chance.below(3) == 0 { chance.below(bytes.len().max(1)) } else { bytes.len() };
        let Some(mut stream) = connect(host) else { continue };
        let _ = stream.write_all(&bytes[..cut]);
        if chance.below(4) == 0 {
            let _ = stream.shutdown(Shutdown::Write);
            stream.set_read_timeout(Some(Duration::from_millis(30))).unwrap();
            let mut answer = [0; 512];
            let _ = stream.read(&mut answer);
        }
    }
}

/// A crowd that connects, says the beginning of something long, and then one byte from time to time.
fn crowd(host: &str, size: usize, beginning: &[u8]) {
    let mut held: Vec<TcpStream> = (0..size).filter_map(|_| TcpStream::connect(host).ok()).collect();
    for stream in &mut held {
        let _ = stream.set_nonblocking(true);
        let _ = stream.write(beginning);
    }
    for stream in &mut held {
        let _ = stream.write(&[0]);
    }
}

/// The pages' own share.
fn throw_http(host: &str) {
    let long = "x".repeat(200_000);
    let requests = [
        "GET\r\n\r\n".to_owned(),
        "\0\0\0\0".to_owned(),
        format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: x\r\nCookie: {long}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(20_000)),
        format!(
            "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 99999999999\r\n\r\nname={long}"
        ),
        format!(
            "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 200000\r\n\r\n{long}"
        ),
        "POST /sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n"
            .to_owned(),
        "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"
            .to_owned(),
        "GET /usage?date=%FF%00&view=..%2F HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(),
        "GET /a/../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
    ];
    for request in requests {
        let Some(mut stream) = connect(host) else { continue };
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let status: u16 = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        assert!(status < 500, "{} bytes were answered {status}", request.len());
    }
}

/// Does something to a process that must live, and stay small.
fn survives(process: &mut Process, attack: impl FnOnce()) {
    let before = process.peak_kib();
    attack();
    assert!(process.lives(), "it is gone: {}", process.said());
    let grown = process.peak_kib().saturating_sub(before);
    assert!(grown < MOST_GROWTH_KIB, "it took {grown} KiB more, after {before} KiB");
    assert!(!process.said().contains("panicked"), "{}", process.said());
}

fn honest_read(plate: &Plate, more: &[&str]) {
    let mut args =
        vec!["read", plate.endpoint.as_str(), "--client", "1", "--auth", "gmac", "--security", "both"];
    args.extend(["--key", &plate.key, "--auth-key", &plate.auth_key, "--counter-obis", "0-0:43.1.0"]);
    args.extend(["--clock", "--obis", "1-0:1.8.0"]);
    args.extend(more);
    // Connections of the attack may take a moment to be given up.
    until("an honest client to be answered", || (run(&args).code == Some(0)).then_some(()));
}

#[test]
fn a_meter_survives_any_bytes() {
    let (mut process, plate) = meter(1, "electricity", &[]);
    survives(&mut process, || {
        throw(&plate.endpoint, 1);
        crowd(&plate.endpoint, CROWD, &[0, 1, 0, 1, 0, 1, 0xFF, 0xFF]);
        honest_read(&plate, &[]);
    });
    assert!(process.said().contains("refused"), "refusals are not logged: {}", process.said());
}

#[test]
fn a_meter_on_hdlc_survives_any_bytes() {
    let (mut process, plate) = meter(1, "electricity", &["--hdlc"]);
    survives(&mut process, || {
        throw(&plate.endpoint, 2);
        crowd(&plate.endpoint, CROWD, &[0x7E, 0xA7, 0xFF]);
        honest_read(&plate, &["--hdlc"]);
    });
}

#[test]
fn a_field_survives_any_bytes() {
    let home = tempfile::tempdir().unwrap();
    let master = home.path().join("master");
    let scenario = home.path().join("open.toml");
    fs::write(&scenario, OPEN_STREET).unwrap();
    let args = ["--json", "field", "--scenario", text(&scenario), "--master", text(&master)];
    let mut field = Process::start(&args);
    until("the master data", || field.said().contains("are alive").then_some(()));
    let collector = column(&master.join("collectors.csv"), 1).remove(0);
    let direct = column(&master.join("meters.csv"), 6).into_iter().find(|at| !at.is_empty()).unwrap();
    survives(&mut field, || {
        for (seed, door) in [(3, &collector), (4, &direct)] {
            throw(door, seed);
            crowd(door, CROWD, &[0, 1, 0, 1, 0, 1, 0x1F, 0xFF]);
        }
        // The public client of a direct meter is answered.
        until("an honest client to be answered", || (run(&["read", &direct]).code == Some(0)).then_some(()));
    });
    assert!(field.said().contains("refused"), "refusals are not logged: {}", field.said());
}

/// A street where most meters are on lines of their own.
const OPEN_STREET: &str = include_str!("open_street.toml");

fn column(file: &Path, index: usize) -> Vec<String> {
    let rows = fs::read_to_string(file).unwrap();
    rows.lines().skip(1).map(|row| row.split(',').nth(index).unwrap().to_owned()).collect()
}

#[test]
fn a_utility_survives_any_bytes() {
    let home = tempfile::tempdir().unwrap();
    let utility = Utility::set_up(home.path(), &home.path().join("data"));
    let (_meter, plate) = meter(5, "electricity", &[]);
    assert_eq!(utility.load(&write_plates(&home.path().join("master"), &[plate])).code, Some(0));
    let (mut serving, url, pushes) = utility.serve();
    let operator = Browser::operator(&url);
    let pages = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    survives(&mut serving, || {
        throw(&pushes, 5);
        crowd(&pushes, CROWD, &[0, 1, 0, 1, 0, 1, 0x7F, 0xFF]);
        throw(&pages, 6);
        throw_http(&pages);
        crowd(&pages, BROWSERS, b"GET /sign-in HTTP/1.1\r\nHost: x\r\nX-Slow: ");
        until("an honest visitor to be answered", || {
            Browser::stranger(&url).status("/sign-in").filter(|status| *status == 200)
        });
        let order = until("an order to be taken", || operator.command(1, "read"));
        until("an order to be carried out", || {
            (operator.json(&format!("/api/v1/commands/{order}"))["state"] == "confirmed").then_some(())
        });
    });
    assert!(serving.said().contains("refused"), "refusals are not logged: {}", serving.said());
    let refused = operator.json("/api/v1/overview")["refused_24h"].as_u64().unwrap();
    assert!(refused > 100, "only {refused} refusals were counted");
    done(&["--json", "admin", "user", "--data", text(&utility.data), "list"]);
}
