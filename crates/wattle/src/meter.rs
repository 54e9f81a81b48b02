//! `wattle meter`: one virtual meter on a socket.

use crate::keys;
use crate::talk::{self, Talk, WrongUsage};
use anyhow::{Context, Result, bail};
use dlms::security::Key;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use meter::household::Household;
use meter::{Meter, MeterConfig, MeterModel, Secrets};
use model::{Energy, IntervalLength, Serial};
use serde_json::json;
use server::clock::Clock;
use server::device::{Device, Load, life_before};
use server::visit::Link;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Run one virtual meter on a socket, with a profile that reaches back some days.
///
/// Keys that are not given are made by chance and printed, so that somebody can read the meter.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:4059")]
    listen: SocketAddr,
    /// Speak HDLC instead of the wrapper.
    #[arg(long)]
    hdlc: bool,
    /// Meter model: a name that --list-models prints, or a model file.
    #[arg(long, default_value = "electricity")]
    model: String,
    /// Print the models that come with Wattle and stop.
    #[arg(long)]
    list_models: bool,
    /// Serial number on the plate.
    #[arg(long, default_value = "40000001")]
    serial: String,
    /// System title, 16 hexadecimal digits.
    #[arg(long, value_name = "HEX", default_value = "57544C0002625A01")]
    title: String,
    /// Global unicast encryption key, 32 hexadecimal digits or @FILE.
    #[arg(long, value_name = "HEX")]
    key: Option<String>,
    /// Authentication key.
    #[arg(long, value_name = "HEX")]
    auth_key: Option<String>,
    /// Master key, under which new keys come.
    #[arg(long, value_name = "HEX")]
    master_key: Option<String>,
    /// Password of low level security, or @FILE.
    #[arg(long)]
    password: Option<String>,
    /// Load: a CSV file with one interval's Wh a line (or in its last column), repeated without end; without it a
    /// synthetic household.
    #[arg(long, value_name = "FILE")]
    load: Option<PathBuf>,
    /// Length of the intervals of --load, seconds.
    #[arg(long, default_value_t = 900)]
    load_interval_s: u32,
    /// Solar panels on the household's roof.
    #[arg(long)]
    solar: bool,
    /// Days that the meter has lived already.
    #[arg(long, default_value_t = 2)]
    days: u16,
    /// What the clock shows at the start; now if not given.
    #[arg(long, value_name = "TIME")]
    start: Option<Timestamp>,
    /// How many times faster than real time the clock runs.
    #[arg(long, default_value_t = 1)]
    speed: u32,
    /// Zone of the meter's local time.
    #[arg(long, default_value = "UTC")]
    zone: String,
    /// Chance: the household's habits and the meter's challenges.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// host:port that takes what the meter sends unasked.
    #[arg(long, value_name = "ADDR")]
    push: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    if arguments.list_models {
        for model in MeterModel::builtin_names().filter_map(MeterModel::builtin) {
            let record = json!({ "model": model.name, "title": model.title });
            talk.data(&record, format_args!("{:<18} {}", model.name, model.title))?;
        }
        return Ok(());
    }
    // Refusals and lost pushes are what somebody wants to see who runs a meter by hand.
    talk::log("warn");
    let model = meter_model(&arguments.model)?;
    let zone = TimeZone::get(&arguments.zone)
        .map_err(|_| WrongUsage(format!("--zone: no zone is called `{}`", arguments.zone)))?;
    let secrets = secrets(arguments)?;
    let clock = match arguments.start {
        Some(start) => Clock::new(start, arguments.speed),
        None => Clock::new(Clock::real().now(), arguments.speed),
    };
    let born = life_before(clock.now(), arguments.days);
    let config = MeterConfig {
        serial: Serial::new(&arguments.serial),
        model,
        zone: zone.clone(),
        system_title: keys::bytes("--title", &arguments.title)?,
        secrets: secrets.clone(),
        invocation_counter: 1,
        installed_at: born,
        seed: arguments.seed,
        faults: Vec::new(),
    };
    let load = match &arguments.load {
        Some(file) => series(file, arguments.load_interval_s, born)?,
        None => Load::Household(Household::new(arguments.seed, arguments.solar), zone),
    };
    let listener = Device::listen(arguments.listen).with_context(|| {
        format!("could not listen on {}; is the port taken? --listen takes another", arguments.listen)
    })?;
    let address = listener.local_addr()?;
    let link = if arguments.hdlc { Link::Hdlc } else { Link::Wrapper };
    let device = Device::new(Meter::new(config, born), load, born, clock, link, arguments.push.clone());
    let hex = |key: &Key| hex::encode(key.as_bytes());
    let record = json!({
        "listening": address.to_string(),
        "serial": arguments.serial,
        "key": hex(&secrets.guek),
        "auth_key": hex(&secrets.gak),
    });
    let flags = if arguments.hdlc { " --hdlc" } else { "" };
    talk.data(
        &record,
        format_args!(
            "meter {} listens on {address}\nread it with:\n  wattle read {address}{flags} --client 1 --auth gmac --security both \
             --key {} --auth-key {} --counter-obis 0-0:43.1.0 --obis 1-0:1.8.0",
            arguments.serial,
            hex(&secrets.guek),
            hex(&secrets.gak)
        ),
    )?;
    device.serve(&listener);
    Ok(())
}

/// A model by name, or from a file.
pub(crate) fn meter_model(name: &str) -> Result<Arc<MeterModel>> {
    if let Some(model) = MeterModel::builtin(name) {
        return Ok(model);
    }
    if Path::new(name).extension().is_none_or(|extension| extension != "toml") {
        let names: Vec<_> = MeterModel::builtin_names().collect();
        bail!(WrongUsage(format!("--model: `{name}` is none of {}, nor a .toml file", names.join(", "))));
    }
    let text = fs::read_to_string(name).with_context(|| format!("could not read {name}"))?;
    let model = MeterModel::parse(&text).map_err(|error| anyhow::anyhow!("{name}: failed to {error}"))?;
    Ok(Arc::new(model))
}

fn secrets(arguments: &Arguments) -> Result<Secrets> {
    let key = |what: &str, given: &Option<String>| match given {
        Some(text) => keys::bytes(what, text).map(Key::new),
        None => chance().map(Key::new),
    };
    let password = match &arguments.password {
        Some(password) => keys::secret("--password", password)?,
        None => hex::encode(chance::<8>()?).into_bytes(),
    };
    Ok(Secrets {
        guek: key("--key", &arguments.key)?,
        gak: key("--auth-key", &arguments.auth_key)?,
        master: Some(key("--master-key", &arguments.master_key)?),
        password: Zeroizing::new(password),
    })
}

fn chance<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("no random bytes from the system: {error}"))?;
    Ok(bytes)
}

/// A series of Wh, the last column of every line that ends in a number.
fn series(file: &Path, interval_s: u32, start: Timestamp) -> Result<Load> {
    let interval = IntervalLength::from_secs(interval_s)
        .map_err(|error| WrongUsage(format!("--load-interval-s: {error}")))?;
    let text = fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
    let mut delivered = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let cell = line.rsplit(',').next().unwrap_or_default().trim();
        match cell.parse::<u32>() {
            Ok(wh) => delivered.push(Energy::from_wh(i64::from(wh))),
            // The first line may be a header.
            Err(_) if index == 0 || cell.is_empty() => {}
            Err(_) => bail!("{}:{}: `{cell}` is no whole number of Wh", file.display(), index + 1),
        }
    }
    if delivered.is_empty() {
        bail!("{} holds no interval", file.display());
    }
    Ok(Load::Series { start: interval.floor(start), interval, delivered })
}
