//! `wattle serve`: the utility's side of the real thing.

use crate::talk::{self, Talk};
use anyhow::{Context, Result};
use dlms::security::SystemTitle;
use headend::{HeadEndConfig, ReadPlan, What};
use jiff::SignedDuration;
use operations::READ_GROUP;
use serde_json::json;
use server::clock::Clock;
use server::collection::Collection;
use server::config::{Config, EXAMPLE};
use server::utility::Utility;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use web::App;

/// Run the utility's side: head-end, meter data manager, pages.
///
/// A utility is set up with `wattle admin migrate`, filled with `wattle admin load`, and gets its people with
/// `wattle admin user`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The configuration file.
    #[arg(long, value_name = "FILE", required_unless_present = "example")]
    config: Option<PathBuf>,
    /// Print a commented configuration and stop.
    #[arg(long)]
    example: bool,
}

pub(crate) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    let Some(file) = arguments.config.as_ref().filter(|_| !arguments.example) else {
        return talk.data(&json!({ "example": EXAMPLE }), EXAMPLE.trim_end());
    };
    let config = Config::read(file)?;
    talk::log("warn");
    let _ = rlimit::increase_nofile_limit(65_536);
    let utility = Utility::open(&config.data, config.master_key.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(crate::pages::MOST_THREADS)
        .enable_all()
        .build()?;
    runtime.block_on(live(&config, utility, talk))
}

async fn live(config: &Config, utility: Utility, talk: Talk) -> Result<()> {
    let clock = Clock::real();
    let settings = HeadEndConfig {
        response_timeout: SignedDuration::from_secs(i64::from(config.head_end.response_timeout_s)),
        clock_tolerance: SignedDuration::from_secs(i64::from(config.head_end.clock_tolerance_s)),
        ..HeadEndConfig::new(SystemTitle(config.system_title()?))
    };
    let every = SignedDuration::from_mins(i64::from(config.head_end.read_every_min));
    let plan = ReadPlan {
        group: READ_GROUP.to_owned(),
        first_at: clock.now(),
        every,
        patience: every,
        what: What::ALL,
    };
    let bind = async |what: &str, address| {
        TcpListener::bind(address).await.with_context(|| format!("could not listen on {address} ({what})"))
    };
    let pages = bind("web.listen", config.web.listen).await?;
    let pushes = bind("head_end.listen_pushes", config.head_end.listen_pushes).await?;
    let (head_end, duty) = utility.head_end(settings, plan, clock.now())?;
    let record = json!({
        "url": format!("http://{}/", pages.local_addr()?),
        "pushes": pushes.local_addr()?.to_string(),
        "meters": head_end.meter_count(),
    });
    talk.data(&record, format_args!("http://{}/", pages.local_addr()?))?;
    talk.say(format_args!("{} meters; pushes are taken on {}", head_end.meter_count(), pushes.local_addr()?));
    tokio::spawn(Collection::new(head_end, clock, duty).run(Some(pushes)));
    let app = App {
        clock: Arc::new(move || clock.now()),
        demo: false,
        utility: utility.store.read(store::Read::utility)?.context("the utility has no name")?,
        mdm: utility.mdm,
        secure_cookies: false,
    };
    tokio::select! {
        () = crate::pages::serve(pages, web::router(app)) => {}
        () = crate::stop::asked() => {}
    }
    talk.say("stopped");
    Ok(())
}
