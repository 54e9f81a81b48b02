//! `cargo xtask test`: the one command that installs what tests need and runs them all.

use anyhow::{Context, Result, bail};
use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// One step of the test command.
struct Step {
    name: &'static str,
    run: fn(&Place) -> Result<()>,
}

/// Where things are.
struct Place {
    root: PathBuf,
    target: PathBuf,
}

const STEPS: &[Step] = &[
    Step { name: "format", run: |at| at.cargo(&["fmt", "--all", "--check"]) },
    Step { name: "tidy", run: |_| crate::tidy::run() },
    Step {
        name: "lint",
        run: |at| at.cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    },
    Step { name: "unit", run: unit },
    Step { name: "documentation", run: documentation },
    Step { name: "build", run: |at| at.cargo(&["build", "--release", "--package", "wattle"]) },
    Step { name: "simulation", run: simulation },
    Step { name: "interop", run: interop },
    Step { name: "browser", run: browser },
    Step { name: "bench", run: bench },
];

/// The names of the steps, in order.
pub(crate) fn step_names() -> Vec<&'static str> {
    STEPS.iter().map(|step| step.name).collect()
}

/// Runs the steps named, or all.
#[expect(clippy::print_stderr, reason = "a command line")]
pub(crate) fn run(wanted: &[&str]) -> Result<()> {
    for name in wanted {
        if !step_names().contains(name) {
            bail!("no step `{name}`; the steps are {}", step_names().join(", "));
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent folder")?;
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let place = Place { root: root.to_owned(), target };
    for step in STEPS.iter().filter(|step| wanted.is_empty() || wanted.contains(&step.name)) {
        eprintln!("== {}", step.name);
        (step.run)(&place).with_context(|| format!("step `{}` failed", step.name))?;
    }
    eprintln!("== all steps passed");
    Ok(())
}

impl Place {
    fn run(&self, command: &mut Command) -> Result<()> {
        let status = command
            .current_dir(&self.root)
            .status()
            .with_context(|| format!("could not start {}", command.get_program().display()))?;
        if status.success() {
            return Ok(());
        }
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        bail!("{} {} ended with {status}", command.get_program().display(), words.join(" "))
    }

    fn cargo(&self, arguments: &[&str]) -> Result<()> {
        self.run(Command::new("cargo").args(arguments))
    }

    fn wattle(&self) -> PathBuf {
        self.target.join("release").join("wattle")
    }
}

/// Tests of the store run on a PostgreSQL of their own beside SQLite; here they must not pass without it.
const POSTGRES: &str = "WATTLE_TEST_POSTGRES";

fn unit(at: &Place) -> Result<()> {
    if !Path::new("/usr/lib/postgresql").is_dir() {
        debian(at, &[("initdb", "postgresql")], false)?;
    }
    let nextest = Command::new("cargo")
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let cargo = |arguments: &[&str]| at.run(Command::new("cargo").args(arguments).env(POSTGRES, "1"));
    if nextest {
        cargo(&["nextest", "run", "--workspace", "--no-fail-fast"])?;
        return cargo(&["test", "--quiet", "--workspace", "--doc"]);
    }
    cargo(&["test", "--quiet", "--workspace"])
}

fn documentation(at: &Place) -> Result<()> {
    at.run(
        Command::new("cargo")
            .args(["doc", "--quiet", "--workspace", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}

fn simulation(at: &Place) -> Result<()> {
    let arguments = ["sim", "--scenario", "street", "--days", "3", "--seeds", "20"];
    at.run(Command::new(at.wattle()).args(arguments))
}

/// Small runs of every bench, with the peers that the interop step installed beside them.
fn bench(at: &Place) -> Result<()> {
    let mut command = Command::new(at.wattle());
    command.args(["bench", "--quick"]);
    let python = at.target.join("interop-venv").join("bin").join("python");
    if python.exists() {
        command.arg("--python").arg(python);
    }
    at.run(&mut command)
}

/// Independent programs as separate processes: DLMS stacks, a schema checker, readers of files; see `tests/interop`.
fn interop(at: &Place) -> Result<()> {
    debian(at, &[("xmllint", "libxml2-utils")], false)?;
    let venv = at.target.join("interop-venv");
    let python = venv.join("bin").join("python");
    if !python.exists() {
        debian(at, &[("python3", "python3"), ("python3", "python3-venv")], !has_venv())?;
        at.run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    let requirements = at.root.join("tests/interop/requirements.txt");
    at.run(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(requirements),
    )?;
    ["formats.py", "run.py"].into_iter().try_for_each(|script| {
        let script = Path::new("tests/interop").join(script);
        at.run(Command::new(&python).arg(script).arg("--wattle").arg(at.wattle()))
    })
}

fn has_venv() -> bool {
    Command::new("python3")
        .args(["-c", "import ensurepip, venv"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The pages of a running demo, in a real browser.
fn browser(at: &Place) -> Result<()> {
    debian(at, &[("chromium", "chromium"), ("node", "nodejs"), ("npm", "npm")], false)?;
    let tests = at.root.join("tests/browser");
    let install = ["ci", "--silent", "--no-audit", "--no-fund"];
    at.run(Command::new("npm").args(install).arg("--prefix").arg(&tests))?;
    let mut demo = Demo::start(at)?;
    let chromium = which("chromium").context("chromium is not on the path")?;
    // First what looks, then what changes something.
    let checked = ["check.mjs", "bench.mjs", "files.mjs"].into_iter().try_for_each(|script| {
        let mut node = Command::new("node");
        node.arg(tests.join(script)).env("BASE_URL", &demo.address).env("CHROMIUM", &chromium);
        at.run(&mut node)
    });
    demo.stop();
    checked
}

/// A demo that runs beside a test.
struct Demo {
    process: Child,
    address: String,
}

impl Demo {
    fn start(at: &Place) -> Result<Self> {
        let arguments = ["demo", "--meters", "120", "--days", "40", "--port", "0", "--seed", "7", "--json"];
        let mut process = Command::new(at.wattle())
            .args(arguments)
            .current_dir(&at.root)
            .stdout(Stdio::piped())
            .spawn()
            .context("could not start the demo")?;
        let output = process.stdout.take().context("the demo has no output")?;
        let mut lines = BufReader::new(output).lines();
        for line in lines.by_ref() {
            let line = line?;
            if let Some(address) = line.split('"').find(|word| word.starts_with("http://")) {
                let address = address.trim_end_matches('/').to_owned();
                // The pipe is drained so that the demo never waits for a reader.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(Self { process, address });
            }
        }
        bail!("the demo ended before it told its address")
    }

    fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.stop();
    }
}

fn which(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Installs Debian packages whose program is absent; with `force`, whether absent or not.
fn debian(at: &Place, wanted: &[(&str, &str)], force: bool) -> Result<()> {
    let absent: Vec<&str> = wanted
        .iter()
        .filter(|(program, _)| force || which(program).is_none())
        .map(|(_, package)| *package)
        .collect();
    if absent.is_empty() {
        return Ok(());
    }
    let names = absent.join(" ");
    let apt = which("apt-get")
        .with_context(|| format!("the tests need {names}; install them with your package manager"))?;
    let command = |arguments: &[&str]| {
        let mut command = if which("sudo").is_some() && env::var("USER").is_ok_and(|user| user != "root") {
            let mut sudo = Command::new("sudo");
            sudo.arg(&apt);
            sudo
        } else {
            Command::new(&apt)
        };
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        command
    };
    at.run(&mut command(&["update", "-qq"]))?;
    let mut install = vec!["install", "-y", "-qq", "--no-install-recommends"];
    install.extend(absent);
    at.run(&mut command(&install)).with_context(|| format!("could not install {names}"))
}
