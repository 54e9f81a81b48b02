//! `wattle serve`: the utility's side of the real thing.

use crate::talk::{self, Talk, WrongUsage};
use anyhow::{Context, Result, bail};
use dlms::security::SystemTitle;
use headend::{HeadEnd, HeadEndConfig, ReadPlan, What};
use jiff::SignedDuration;
use operations::{Duty, Part, READ_GROUP};
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
    /// What this process does, if not everything: several processes share one PostgreSQL database. May be given again.
    #[arg(long, value_enum, value_name = "ROLE")]
    role: Vec<Role>,
    /// Print a commented configuration and stop.
    #[arg(long)]
    example: bool,
}

/// A part of the utility's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Role {
    /// Talks to meters; what it learns is left for the meter data manager.
    Headend,
    /// Takes in what head-ends have left.
    Mdm,
    /// Serves pages.
    Web,
    /// Does chores: closes days, sweeps.
    Jobs,
}

/// What this process does.
#[derive(Clone, Copy, Debug)]
struct Roles {
    headend: bool,
    mdm: bool,
    web: bool,
    jobs: bool,
}

impl Roles {
    fn new(given: &[Role]) -> Self {
        let has = |role| given.is_empty() || given.contains(&role);
        Self { headend: has(Role::Headend), mdm: has(Role::Mdm), web: has(Role::Web), jobs: has(Role::Jobs) }
    }

    /// How far a head-end of this process goes.
    const fn part(self) -> Part {
        if self.mdm { Part::UntilTakenIn } else { Part::UntilRead }
    }
}

pub(crate) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    let Some(file) = arguments.config.as_ref().filter(|_| !arguments.example) else {
        return talk.data(&json!({ "example": EXAMPLE }), EXAMPLE.trim_end());
    };
    let config = Config::read(file)?;
    talk::log("warn");
    let _ = rlimit::increase_nofile_limit(65_536);
    if !arguments.role.is_empty() && config.database.is_none() {
        bail!(WrongUsage(
            "--role needs `database` in the configuration: processes cannot share a file".to_owned()
        ));
    }
    let roles = Roles::new(&arguments.role);
    // Everything that opens the database, or gives it up, stays off the threads that drive sockets.
    let utility = Utility::open_at(&config.home())?;
    let clock = Clock::real();
    let side = prepare(&config, &utility, roles, clock)?;
    // In one process what is read is taken in at once.
    if roles.mdm && config.database.is_some() {
        server::work::intake(Arc::clone(&utility.mdm), clock)?;
    }
    if roles.jobs {
        let lease = SignedDuration::from_secs(i64::from(config.jobs.lease_s));
        let part = usize::try_from(config.jobs.close_meters)?;
        server::work::chores(&utility.mdm, clock, lease, part)?;
        if let Some(folder) = &config.jobs.export_dir {
            server::work::day_files(Arc::clone(&utility.mdm), folder.clone(), clock, lease)?;
        }
    }
    if let Some(time_server) = config.head_end.time_server.clone().filter(|_| roles.headend) {
        server::reference::watch(Arc::clone(&utility.mdm), clock, time_server)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(crate::pages::MOST_THREADS)
        .enable_all()
        .build()?;
    runtime.block_on(live(side, clock, talk))?;
    talk.say("stopped");
    Ok(())
}

/// The sockets of this process and what answers on them.
struct Side {
    pages: Option<(std::net::TcpListener, App)>,
    collection: Option<(std::net::TcpListener, HeadEnd, Arc<Duty>)>,
}

fn prepare(config: &Config, utility: &Utility, roles: Roles, clock: Clock) -> Result<Side> {
    let bind = |what: &str, address| {
        let listener = std::net::TcpListener::bind(address)
            .with_context(|| format!("could not listen on {address} ({what})"))?;
        listener.set_nonblocking(true)?;
        Ok::<_, anyhow::Error>(listener)
    };
    let mut side = Side { pages: None, collection: None };
    if roles.web {
        let app = App {
            clock: Arc::new(move || clock.now()),
            demo: false,
            utility: utility.store.read(store::Read::utility)?.context("the utility has no name")?,
            mdm: Arc::clone(&utility.mdm),
            uploads: web::Uploads::new(config.home().data),
            secure_cookies: false,
        };
        side.pages = Some((bind("web.listen", config.web.listen)?, app));
    }
    if roles.headend {
        let pushes = bind("head_end.listen_pushes", config.head_end.listen_pushes)?;
        let every = SignedDuration::from_mins(i64::from(config.head_end.read_every_min));
        let plan = ReadPlan {
            group: READ_GROUP.to_owned(),
            first_at: clock.now(),
            every,
            patience: every,
            what: What::ALL,
        };
        let settings = HeadEndConfig {
            response_timeout: SignedDuration::from_secs(i64::from(config.head_end.response_timeout_s)),
            clock_tolerance: SignedDuration::from_secs(i64::from(config.head_end.clock_tolerance_s)),
            ..HeadEndConfig::new(SystemTitle(config.system_title()?))
        };
        let (head_end, duty) = utility.head_end(settings, plan, clock.now(), roles.part())?;
        side.collection = Some((pushes, head_end, duty));
    }
    Ok(side)
}

async fn live(side: Side, clock: Clock, talk: Talk) -> Result<()> {
    let url = side.pages.as_ref().map(|(pages, _)| pages.local_addr()).transpose()?;
    let url = url.map(|address| format!("http://{address}/"));
    let pushes = side.collection.as_ref().map(|(pushes, ..)| pushes.local_addr()).transpose()?;
    let meters = side.collection.as_ref().map(|(_, head_end, _)| head_end.meter_count());
    let record = json!({ "url": url, "pushes": pushes.map(|address| address.to_string()), "meters": meters });
    talk.data(&record, url.as_deref().unwrap_or("running; no pages here"))?;
    if let (Some(meters), Some(pushes)) = (meters, pushes) {
        talk.say(format_args!("{meters} meters; pushes are taken on {pushes}"));
    }
    if let Some((pushes, head_end, duty)) = side.collection {
        let pushes = TcpListener::from_std(pushes)?;
        tokio::spawn(Collection::new(head_end, clock, duty).run(Some(pushes)));
    }
    let pages = async move {
        match side.pages {
            Some((listener, app)) => {
                crate::pages::serve(TcpListener::from_std(listener)?, web::router(app)).await;
                Ok::<_, anyhow::Error>(())
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        served = pages => served,
        () = crate::stop::asked() => Ok(()),
    }
}
