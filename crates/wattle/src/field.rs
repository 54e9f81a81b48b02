//! `wattle field`: a simulated territory on real sockets, and the master data a utility needs to read it.

use crate::talk::{self, Talk};
use crate::town;
use anyhow::{Context, Result};
use operations::load::files;
use serde_json::json;
use server::clock::Clock;
use server::world::World;
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use territory::Territory;

/// Run a simulated territory: virtual meters behind collectors on real sockets.
///
/// With --master DIR the files that `wattle admin load` takes are written, keys included, so that a utility
/// elsewhere can read these meters.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A scenario that comes with Wattle (demo, street, bench), or a .toml file.
    #[arg(long, default_value = "street")]
    scenario: String,
    /// Meters in all; as many as the scenario says if not given.
    #[arg(long)]
    meters: Option<u32>,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    listen: IpAddr,
    /// First port; collectors and direct meters take consecutive ones. Free ports if not given.
    #[arg(long)]
    port: Option<u16>,
    /// host:port where the head-end takes pushes.
    #[arg(long, value_name = "ADDR")]
    push: Option<String>,
    /// Write premises, customers, transformers, collectors, service points, meters and keys to this directory.
    #[arg(long, value_name = "DIR")]
    master: Option<PathBuf>,
    /// How many times faster than real time the territory lives; a head-end beside it must know.
    #[arg(long, default_value_t = 1)]
    speed: u32,
    /// Chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop by itself after this many seconds.
    #[arg(long, value_name = "SECONDS")]
    exit_after: Option<u64>,
}

pub(crate) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    talk::log("error");
    let _ = rlimit::increase_nofile_limit(65_536);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(live(arguments, talk))
}

async fn live(arguments: &Arguments, talk: Talk) -> Result<()> {
    let scenario = town::scenario(&arguments.scenario, arguments.meters)?;
    let clock = Clock::new(Clock::real().now(), arguments.speed);
    let territory = Territory::build(&scenario, arguments.seed, clock.now())?;
    let registry = territory.registry().clone();
    let (world, doors) = World::open(territory, clock, arguments.listen, arguments.port).await?;
    if let Some(directory) = &arguments.master {
        fs::create_dir_all(directory).with_context(|| format!("could not create {}", directory.display()))?;
        for (name, text) in files(&registry.master_data(&doors)) {
            let file = directory.join(name);
            server::utility::write_private(&file, &text)
                .with_context(|| format!("could not write {}; is it there already?", file.display()))?;
        }
        talk.say(format_args!(
            "master data written; load them with: wattle admin load --data DIR {}/*.csv",
            directory.display()
        ));
    }
    for collector in &registry.collectors {
        let at = doors.collectors.get(&collector.id).cloned().unwrap_or_default();
        let record = json!({ "kind": "collector", "name": collector.name, "listening": at });
        talk.data(&record, format_args!("{:<12} {at}", collector.name))?;
    }
    for meter in &registry.meters {
        if let Some(at) = doors.meters.get(&meter.id) {
            let record = json!({ "kind": "meter", "name": meter.serial.as_str(), "listening": at });
            talk.data(&record, format_args!("{:<12} {at}", meter.serial.as_str()))?;
        }
    }
    talk.say(format_args!("{} meters are alive. Ctrl-C ends it.", registry.meters.len()));
    let world = match &arguments.push {
        Some(address) => world.push_to(address.clone()),
        None => world,
    };
    let end = async {
        match arguments.exit_after {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = world.run() => {}
        () = crate::stop::asked() => {}
        () = end => {}
    }
    Ok(())
}
