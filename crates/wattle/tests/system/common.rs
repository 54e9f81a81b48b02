//! What the tests of the executable share: processes that end with the test, a small browser, and a utility
//! set up from the command line.

use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Nothing that is waited for takes longer on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// How often what is waited for is looked at.
const LOOK: Duration = Duration::from_millis(25);
/// The password of the operator that [`Utility::set_up`] makes.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Waits until `look` finds something.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(LOOK);
    }
}

/// The executable with some arguments.
pub(crate) fn wattle(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wattle"));
    command.args(args).env("WATTLE_LOG", "warn").stdin(Stdio::null());
    command
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// Standard output as JSON, one object a line.
    pub(crate) fn records(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Runs a command to its end, with `input` as its standard input.
pub(crate) fn run_with(args: &[&str], input: &str) -> Ended {
    let mut command = wattle(args);
    let mut process = Process::spawn(command.stdin(Stdio::piped()));
    let mut stdin = process.child.stdin.take().unwrap();
    // A command that does not read its input may be gone already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    process.wait()
}

/// Runs a command to its end.
pub(crate) fn run(args: &[&str]) -> Ended {
    run_with(args, "")
}

/// Runs a command that must do what it is asked.
pub(crate) fn done(args: &[&str]) -> Ended {
    let ended = run(args);
    assert_eq!(ended.code, Some(0), "wattle {args:?}: {}", ended.err);
    ended
}

/// A process of ours; it is killed when the test is over, however that ends.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    err: Arc<Mutex<String>>,
}

impl Process {
    /// Starts the executable.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::spawn(&mut wattle(args))
    }

    /// Starts a command.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let err = Arc::new(Mutex::new(String::new()));
        let (said, mut from) = (Arc::clone(&err), child.stderr.take().unwrap());
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                said.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        });
        Self { child, lines, err }
    }

    /// The next record on standard output.
    pub(crate) fn record(&mut self) -> Value {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => serde_json::from_str(&line).unwrap(),
            Err(_) => panic!("it said nothing: {}", self.said()),
        }
    }

    /// What it has said on standard error so far.
    pub(crate) fn said(&self) -> String {
        self.err.lock().unwrap().clone()
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub(crate) fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// The most memory it has had, KiB.
    pub(crate) fn peak_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// SIGKILL, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, as a service manager sends it; then how it ended.
    pub(crate) fn terminate(&mut self) -> Ended {
        let sent = Command::new("kill").args(["-TERM", &self.id().to_string()]).status().unwrap();
        assert!(sent.success());
        self.wait()
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> Ended {
        let status = until("the end of the process", || self.child.try_wait().unwrap());
        let out: Vec<String> = self.lines.iter().collect();
        // The reader of standard error ends with the process, a moment later.
        until("the end of standard error", || (Arc::strong_count(&self.err) == 1).then_some(()));
        Ended { code: status.code(), out: out.join("\n"), err: self.said() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A browser of a few lines.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    host: String,
    cookie: String,
}

impl Browser {
    /// Somebody whom `host` does not know yet.
    pub(crate) fn stranger(url: &str) -> Self {
        let host = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self { host, cookie: String::new() }
    }

    /// The operator, signed in.
    pub(crate) fn operator(url: &str) -> Self {
        let mut browser = Self::stranger(url);
        let form = format!("name=operator&password={}&next=/", PASSWORD.replace(' ', "+"));
        let (status, head, _) =
            browser.ask("POST", "/sign-in", "application/x-www-form-urlencoded", &form).unwrap();
        assert_eq!(status, 303, "{head}");
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        cookie.split(';').next().unwrap_or_default().clone_into(&mut browser.cookie);
        browser
    }

    /// Status, head and body of an answer; `None` when none came.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        kind: &str,
        body: &str,
    ) -> Option<(u16, String, String)> {
        let mut stream = connect(&self.host)?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nCookie: {}\r\nContent-Type: {kind}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.host,
            self.cookie,
            body.len()
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, head.to_owned(), body.to_owned()))
    }

    /// A page's status.
    pub(crate) fn status(&self, path: &str) -> Option<u16> {
        self.ask("GET", path, "", "").map(|(status, ..)| status)
    }

    /// A document.
    pub(crate) fn json(&self, path: &str) -> Value {
        let (status, _, body) = self.ask("GET", path, "", "").unwrap();
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Asks for a command; its number when it was acknowledged.
    pub(crate) fn command(&self, meter: u64, what: &str) -> Option<u64> {
        let body = format!(r#"{{"do":"{what}","reason":"test"}}"#);
        let path = format!("/api/v1/meters/{meter}/commands");
        let (status, _, body) = self.ask("POST", &path, "application/json", &body)?;
        if status != 202 {
            return None;
        }
        serde_json::from_str::<Value>(&body).ok()?["id"].as_u64()
    }
}

/// A connection to `host` (host:port) that does not wait for ever.
pub(crate) fn connect(host: &str) -> Option<TcpStream> {
    let address: SocketAddr = host.parse().unwrap();
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(10)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
    Some(stream)
}

/// A utility in a directory of its own, set up from the command line.
#[derive(Debug)]
pub(crate) struct Utility {
    pub(crate) home: PathBuf,
    pub(crate) data: PathBuf,
}

impl Utility {
    /// Database, master key, an operator, a configuration with free ports.
    pub(crate) fn set_up(home: &Path, data: &Path) -> Self {
        let utility = Self { home: home.to_owned(), data: data.to_owned() };
        done(&[
            "admin",
            "migrate",
            "--data",
            text(data),
            "--name",
            "Test Utility",
            "--zone",
            "Europe/Zurich",
        ]);
        let add = ["admin", "user", "--data", text(data), "add", "operator", "--role", "meter-operator"];
        let added = run_with(&add, &format!("{PASSWORD}\n"));
        assert_eq!(added.code, Some(0), "{}", added.err);
        let config = format!(
            "data = {data:?}\n[web]\nlisten = \"127.0.0.1:0\"\n[head_end]\nlisten_pushes = \"127.0.0.1:0\"\n\
             response_timeout_s = 20\n"
        );
        fs::write(utility.config(), config).unwrap();
        utility
    }

    /// Its configuration file.
    pub(crate) fn config(&self) -> PathBuf {
        self.home.join("serve.toml")
    }

    /// Its database file.
    pub(crate) fn database(&self) -> PathBuf {
        self.data.join("wattle.sqlite")
    }

    /// Brings master data in.
    pub(crate) fn load(&self, files: &[PathBuf]) -> Ended {
        let mut args = vec!["admin", "load", "--data", text(&self.data)];
        args.extend(files.iter().map(|file| text(file)));
        run(&args)
    }

    /// Runs it: the process, the address of its pages and that of its push listener.
    pub(crate) fn serve(&self) -> (Process, String, String) {
        let mut serving = Process::start(&["--json", "serve", "--config", text(&self.config())]);
        let told = serving.record();
        let word = |name: &str| told[name].as_str().unwrap().to_owned();
        (serving, word("url"), word("pushes"))
    }
}

/// A meter's row of `meters.csv` with a line of its own, and what goes with it.
#[derive(Debug)]
pub(crate) struct Plate {
    pub(crate) serial: String,
    pub(crate) title: String,
    pub(crate) model: &'static str,
    pub(crate) endpoint: String,
    pub(crate) key: String,
    pub(crate) auth_key: String,
}

/// The file that `wattle admin load` takes for meters with a line of their own.
pub(crate) fn write_plates(directory: &Path, plates: &[Plate]) -> Vec<PathBuf> {
    let mut texts = [
        ("premises", "premise,address,city\n".to_owned()),
        ("service_points", "service_point,premise,commodity\n".to_owned()),
        ("meters", "serial,service_point,model,system_title,endpoint\n".to_owned()),
        ("keys", "serial,encryption_key,authentication_key\n".to_owned()),
    ];
    for plate in plates {
        let Plate { serial, title, model, endpoint, key, auth_key } = plate;
        texts[0].1 += &format!("P-{serial},1 Test Street,Testville\n");
        texts[1].1 += &format!("S-{serial},P-{serial},electricity\n");
        texts[2].1 += &format!("{serial},S-{serial},{model},{title},{endpoint}\n");
        texts[3].1 += &format!("{serial},{key},{auth_key}\n");
    }
    fs::create_dir_all(directory).unwrap();
    let written = texts.map(|(name, text)| {
        let file = directory.join(format!("{name}.csv"));
        fs::write(&file, text).unwrap();
        file
    });
    written.to_vec()
}

/// A virtual meter on a free port, and its plate.
pub(crate) fn meter(number: u32, model: &'static str, more: &[&str]) -> (Process, Plate) {
    let (serial, title) = (format!("{number:08}"), format!("57544C00{number:08X}"));
    let seed = number.to_string();
    let mut args = vec!["--json", "meter", "--listen", "127.0.0.1:0", "--model", model];
    args.extend(["--serial", &serial, "--title", &title, "--seed", &seed]);
    args.extend(more);
    let mut process = Process::start(&args);
    let told = process.record();
    let word = |name: &str| told[name].as_str().unwrap().to_owned();
    let (endpoint, key, auth_key) = (word("listening"), word("key"), word("auth_key"));
    (process, Plate { serial, title, model, endpoint, key, auth_key })
}

/// A path as text.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
