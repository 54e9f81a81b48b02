//! `wattle demo`: a living utility in one process.

use crate::talk::{self, Talk, WrongUsage};
use crate::town::{self, Town};
use anyhow::{Context, Result, bail};
use dlms::security::SystemTitle;
use headend::{HeadEndConfig, ReadPlan, What};
use jiff::{SignedDuration, Timestamp};
use operations::{Accounts, NewAccount, READ_GROUP, Role};
use serde_json::json;
use server::clock::Clock;
use server::collection::Collection;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::Store;
use tokio::net::TcpListener;
use web::App;

/// Start a living utility on this machine: meters, field network, head-end, pages.
///
/// Everything is real but the meters' customers: the meters speak encrypted DLMS/COSEM over loopback sockets through a
/// modelled field network, and the pages show what the head-end collected.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A scenario that comes with Wattle (demo, street), or a .toml file.
    #[arg(long, default_value = "demo")]
    scenario: String,
    /// Meters in all; as many as the scenario says if not given.
    #[arg(long)]
    meters: Option<u32>,
    /// Days of history.
    #[arg(long, default_value_t = 60)]
    days: u16,
    /// How many times faster than real time the utility lives.
    #[arg(long, default_value_t = 30)]
    speed: u32,
    /// Port of the pages on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Keep the data in this directory, which must hold none yet; without it they are gone at the end.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Chance: who lives where, what fails when.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop by itself after this many seconds.
    #[arg(long, value_name = "SECONDS")]
    exit_after: Option<u64>,
}

/// Most days of history; a year more than anybody looks back here.
const MOST_DAYS: u16 = 760;
/// The fastest that sockets and processors keep up with.
const FASTEST: u32 = 3600;

#[expect(
    clippy::disallowed_methods,
    reason = "a shell reads the clock: the demo tells how long it took to start"
)]
pub(crate) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    let begun = Instant::now();
    if arguments.days > MOST_DAYS || arguments.speed == 0 || arguments.speed > FASTEST {
        bail!(WrongUsage(format!("--days goes up to {MOST_DAYS}, --speed from 1 to {FASTEST}")));
    }
    talk::log("error");
    // Every socket of a large town is a file handle.
    let _ = rlimit::increase_nofile_limit(65_536);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(crate::pages::MOST_THREADS)
        .enable_all()
        .build()?;
    runtime.block_on(live(arguments, talk, begun))
}

async fn live(arguments: &Arguments, talk: Talk, begun: Instant) -> Result<()> {
    let scenario = town::scenario(&arguments.scenario, arguments.meters)?;
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port)))
        .await
        .with_context(|| format!("could not listen on port {}; --port takes another", arguments.port))?;
    let address = listener.local_addr()?;
    let temporary = tempfile::Builder::new().prefix("wattle-demo-").tempdir()?;
    let directory = arguments.data.as_deref().unwrap_or(temporary.path());
    let store = open(directory)?;
    let clock = Clock::new(Clock::real().now(), arguments.speed);
    talk.say(format_args!("{}: building {} meters", scenario.utility, scenario.meters));
    let mut town = Town::open(&scenario, arguments.seed, clock, store).await?;
    town.load_history(arguments.days, clock.now(), talk)?;
    people(&town)?;
    let pushes = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let push_address = pushes.local_addr()?.to_string();
    let (head_end, duty) = town.utility.head_end(
        settings(arguments.speed),
        plan(&scenario, clock.now()),
        clock.now(),
        operations::Part::Whole,
    )?;
    let meters = head_end.meter_count();
    tokio::spawn(town.world.push_to(push_address).run());
    tokio::spawn(Collection::new(head_end, clock, duty).run(Some(pushes)));
    let app = App {
        mdm: Arc::clone(&town.utility.mdm),
        clock: Arc::new(move || clock.now()),
        demo: true,
        utility: town.utility.store.read(store::Read::utility)?.context("the utility has no name")?,
        uploads: web::Uploads::new(directory.to_owned()),
        secure_cookies: false,
    };
    let ready_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let url = format!("http://{address}/");
    let record = json!({ "url": url, "meters": meters, "days": arguments.days, "ready_ms": ready_ms });
    talk.data(&record, format_args!("{url}"))?;
    talk.say(format_args!(
        "{meters} meters, {} days of history, ready in {}.{:01} s; time runs {} times faster than outside. Ctrl-C ends it.",
        arguments.days,
        ready_ms / 1000,
        ready_ms % 1000 / 100,
        arguments.speed
    ));
    let end = async {
        match arguments.exit_after {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = crate::pages::serve(listener, web::router(app)) => {}
        () = crate::stop::asked() => {}
        () = end => {}
    }
    talk.say("stopped");
    Ok(())
}

fn open(directory: &std::path::Path) -> Result<Store> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("could not create {}", directory.display()))?;
    let store = server::utility::open_store(directory)?;
    if store.read(store::Read::utility)?.is_some() {
        bail!("{} holds a utility already; give an empty directory", directory.display());
    }
    Ok(store)
}

/// A person of every trade, without passwords; only the demo lets them in.
fn people(town: &Town) -> Result<()> {
    let accounts = Accounts::new(town.utility.store.clone());
    let customer = town.registry.demo_customer;
    let customer_name = town.registry.customers.iter().find(|known| known.id == customer);
    let customer_name = customer_name.map_or("A customer", |known| known.name.as_str());
    for (name, display_name, role) in [
        ("customer", customer_name, Role::Customer),
        ("operator", "Nadia Okafor", Role::MeterOperator),
        ("analyst", "Ruben Castillo", Role::Analyst),
        ("engineer", "Ingrid Solheim", Role::Engineer),
        ("clerk", "Tomas Weber", Role::Clerk),
        ("administrator", "Amara Lindqvist", Role::Administrator),
    ] {
        let customer = (role == Role::Customer).then_some(customer);
        accounts.create(&NewAccount { name, display_name, role, customer }, None, &[0; 16])?;
    }
    Ok(())
}

/// With faster time, what this machine takes to think looks longer to the meters.
pub(crate) fn settings(speed: u32) -> HeadEndConfig {
    let factor = i64::from(speed / 5).max(1);
    HeadEndConfig {
        response_timeout: SignedDuration::from_secs(60 * factor),
        connect_timeout: SignedDuration::from_secs(10 * factor),
        ..HeadEndConfig::new(SystemTitle(*b"WTL\0\0\0\0\x01"))
    }
}

/// A small town is read every hour, a large one less often.
fn plan(scenario: &territory::Scenario, now: Timestamp) -> ReadPlan {
    let hours = if scenario.meters <= 1000 { 1 } else { 4 };
    ReadPlan {
        group: READ_GROUP.to_owned(),
        first_at: now,
        every: SignedDuration::from_hours(hours),
        patience: SignedDuration::from_mins(55 * hours),
        what: What::ALL,
    }
}
