//! `wattle bench`: measurements of this executable, one object a line.
//!
//! A bench measures, compares with its bound and with a peer where one is installed, and tells; it fails only
//! when it could not measure, or with `--strict`.

mod cpu;
mod demo;
mod dlms;
mod estimation;
mod faults;
mod fleet;
mod headend;
mod homes;
mod import;
mod page;
mod peer;
mod report;
mod storage;
mod vee;

use crate::talk::{Talk, WrongUsage};
use anyhow::{Result, bail};
use peer::Python;
use report::Report;
use serde_json::json;
use std::path::PathBuf;

/// Measure; without a name, list what can be measured.
///
/// A peer runs beside ours where --python names a Python that has gurux-dlms 1.0.203; the ratio is ours to theirs, so
/// that above 1 ours is the better.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which bench; with --quick all of them if none is named.
    name: Option<String>,
    /// Smaller and quicker: each under ten seconds.
    #[arg(long)]
    quick: bool,
    /// Exit with 1 when a bound is missed.
    #[arg(long)]
    strict: bool,
    /// A Python that has gurux-dlms, for the peers; run in a checkout, where their scripts lie.
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// Where the storage benches make their databases, which they remove; by default where temporary files go.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Ten million meters too, where a bench can: some 20 GiB of memory and of disk.
    #[arg(long)]
    large: bool,
    /// So many meters instead of the bench's own (ingest, point).
    #[arg(long, value_name = "N")]
    meters: Option<u32>,
    /// So many days instead of the bench's own (ingest).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    days: Option<u16>,
    /// So many months instead of the bench's own (point).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=60))]
    months: Option<u8>,
    /// Homes of your own instead of those of the project (estimation, vee, faults): NAME_15min.csv.gz, NAME_30min.csv.gz or
    /// NAME_hourly.csv.gz with a heading, then a home a line: id, first date, whole days of values, empty where not read.
    #[arg(long, value_name = "DIR")]
    homes: Option<PathBuf>,
    /// An empty PostgreSQL database instead of a file, as postgres://user@localhost/name (ingest, push). It is filled, and left
    /// so.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "large")]
    database: Option<String>,
}

/// How a bench is run.
#[derive(Debug)]
struct Manner {
    quick: bool,
    large: bool,
    meters: Option<u32>,
    days: Option<u16>,
    months: Option<u8>,
    homes: Option<PathBuf>,
    dir: Option<PathBuf>,
    database: Option<String>,
    python: Option<Python>,
    talk: Talk,
}

struct Bench {
    name: &'static str,
    what: &'static str,
    bound: &'static str,
    run: fn(&Manner, &mut Report) -> Result<()>,
}

const BENCHES: [Bench; 12] = [
    Bench {
        name: "dlms",
        what: "decrypt, authenticate and decode a profile push of 96 intervals and 4 columns",
        bound: "at least 200000 pushes/s on one core",
        run: dlms::run,
    },
    Bench {
        name: "headend",
        what: "read a day's profile of 10,000 meters behind 20 collectors over sockets and store it",
        bound: "at most 60 s",
        run: headend::run,
    },
    Bench {
        name: "demo",
        what: "from the start of the demo to its first useful page, and the memory it takes",
        bound: "500 meters in 10 s and 500 MiB, 5,000 in 60 s; 10,000 meters in 1024 MiB",
        run: demo::run,
    },
    Bench {
        name: "estimation",
        what: "mask readings of open homes, fill them, and compare with what was read; peers: a straight line, and the \
               mean of like days over four weeks",
        bound: "totals of 1 and 3 days better than like days; up to an hour at most 5 % worse than a line; bias at \
                most 1 %; exact where registers bracket",
        run: estimation::run,
    },
    Bench {
        name: "vee",
        what: "validate, judge and remember days of open homes, every rule on, statistics warm, on one core",
        bound: "at least 10 million intervals/s, hours and quarter hours",
        run: vee::run,
    },
    Bench {
        name: "faults",
        what: "plant faults into days of open homes and see which are found, and what untouched days raise",
        bound: "100 % of spikes, negatives and missing intervals",
        run: faults::run,
    },
    Bench {
        name: "ingest",
        what: "parse, deduplicate, validate, estimate, version and store hourly day profiles with the whole rule set on; \
               peers: a row a reading into DuckDB and PostgreSQL",
        bound: "at least 2400000 intervals/s a core and 4800000 by the clock, whatever the fleet and the history",
        run: storage::ingest,
    },
    Bench {
        name: "tou",
        what: "time-of-use sums for every meter of a month of quarter hours; peers: ClickHouse (chDB) and DuckDB",
        bound: "at least 300000000 intervals/s a core",
        run: storage::tou,
    },
    Bench {
        name: "point",
        what: "one meter's month and year out of 13 months of all; peer: DuckDB",
        bound: "99 of 100 months within 1 ms, years within 5 ms",
        run: storage::point,
    },
    Bench {
        name: "size",
        what: "bytes an interval in the file, with quality and keys; peer: ClickHouse (chDB)",
        bound: "quarter hours 1.6 and hours 2.0; folded 1.3 and 1.6",
        run: storage::size,
    },
    Bench {
        name: "push",
        what: "single pushes appended, committed in groups of 1000 and acknowledged from disk",
        bound: "at least 500000 intervals/s",
        run: storage::push,
    },
    Bench {
        name: "import",
        what: "read files of others from memory to their last item, quarter hours: NEM12, a long table, Green Button; \
               peer: nemreader on the same NEM12",
        bound: "at least 300 MB/s a core for NEM12 and the table, 150 MB/s for Green Button",
        run: import::run,
    },
];

/// The benches that take `--database`.
const ON_A_SERVER: [&str; 2] = ["ingest", "push"];

/// The part of `demo` that fills meters; its memory can only be told in a process of its own.
const FLEET: &str = "fleet-process";

pub(crate) fn run(arguments: &Arguments, talk: Talk) -> Result<()> {
    if arguments.name.as_deref() == Some(FLEET) {
        return fleet::fill(arguments.meters.unwrap_or(10_000), talk);
    }
    let chosen: Vec<&Bench> = match &arguments.name {
        Some(name) => BENCHES.iter().filter(|bench| bench.name == name).collect(),
        None if arguments.quick => BENCHES.iter().collect(),
        None => return list(talk),
    };
    if chosen.is_empty() {
        let names: Vec<_> = BENCHES.iter().map(|bench| bench.name).collect();
        bail!(WrongUsage(format!("there is no such bench; there are {}", names.join(", "))));
    }
    if arguments.database.is_some() && chosen.iter().any(|bench| !ON_A_SERVER.contains(&bench.name)) {
        bail!(WrongUsage(format!("--database is for one of {}", ON_A_SERVER.join(", "))));
    }
    let python = Python::find(arguments.python.as_deref())?;
    if python.is_none() {
        talk.say("no peer beside ours; for one, name a Python with gurux-dlms 1.0.203: --python target/interop-venv/bin/python");
    }
    let manner = Manner {
        quick: arguments.quick,
        large: arguments.large,
        meters: arguments.meters,
        days: arguments.days,
        months: arguments.months,
        homes: arguments.homes.clone(),
        dir: arguments.dir.clone(),
        database: arguments.database.clone(),
        python,
        talk,
    };
    let mut report = Report::new(talk);
    for bench in chosen {
        talk.say(format_args!("{}: {}", bench.name, bench.what));
        (bench.run)(&manner, &mut report)?;
    }
    match report.missed() {
        0 => Ok(()),
        missed if arguments.strict => bail!("{missed} bounds were missed"),
        missed => {
            talk.say(format_args!("{missed} bounds were missed"));
            Ok(())
        }
    }
}

fn list(talk: Talk) -> Result<()> {
    for Bench { name, what, bound, .. } in &BENCHES {
        let record = json!({ "name": name, "what": what, "bound": bound });
        talk.data(&record, format_args!("{name:<10} {what}\n{:<10} {bound}", ""))?;
    }
    Ok(())
}
