//! `wattle`: an open advanced metering infrastructure in one executable.
//!
//! Standard output is data, standard error is talk. Exit code 0: done, 1: failed, 2: wrong usage.

mod admin;
mod bench;
mod convert;
mod day_files;
mod decode;
mod demo;
mod export;
mod field;
mod fill;
mod import;
mod keys;
mod meter;
mod pages;
mod profiles;
mod read;
mod series;
mod serve;
mod sim;
mod sql;
mod stop;
mod talk;
mod town;
mod validate;
mod weather;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Everything between the meter and the customer.
#[derive(Debug, Parser)]
#[command(name = "wattle", version, about, max_term_width = 110, arg_required_else_help = true)]
struct Cli {
    /// Print data as JSON, one object a line.
    #[arg(long, global = true)]
    json: bool,
    /// Say less (-q: only errors) on standard error.
    #[arg(short, long, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a living utility on this machine: meters, field network, head-end, pages.
    Demo(demo::Arguments),
    /// Run the utility's side: head-end, meter data manager, pages.
    Serve(serve::Arguments),
    /// Run a simulated territory: virtual meters behind collectors on real sockets.
    Field(field::Arguments),
    /// Run one virtual meter on a socket.
    Meter(meter::Arguments),
    /// Read a meter.
    Read(read::Arguments),
    /// Print captured meter frames as a readable tree.
    Decode(decode::Arguments),
    /// Judge a file of readings by the rules of validation, and fill its gaps.
    Vee(validate::Arguments),
    /// Fill named intervals of a file of readings.
    Estimate(fill::Arguments),
    /// Set a utility up: accounts, keys, master data, migrations.
    Admin(admin::Arguments),
    /// Run a whole utility under virtual time from one seed and check it.
    Sim(sim::Arguments),
    /// Take readings in from files: Green Button, NEM12, NEM13, CMEP, CSV.
    Import(import::Arguments),
    /// Write readings to a file: Green Button, NEM12, NEM13, CMEP, CSV.
    Export(export::Arguments),
    /// Ask a utility's data in SQL, read only.
    Sql(sql::Arguments),
    /// Turn a file of readings into another format.
    Convert(convert::Arguments),
    /// Measure; without a name, list what can be measured.
    Bench(bench::Arguments),
}

#[expect(clippy::print_stderr, reason = "the last word of a command line")]
fn main() -> ExitCode {
    let cli = Cli::parse();
    let talk = talk::Talk::new(cli.json, cli.quiet);
    let done = match cli.command {
        Command::Demo(arguments) => demo::run(&arguments, talk),
        Command::Serve(arguments) => serve::run(&arguments, talk),
        Command::Field(arguments) => field::run(&arguments, talk),
        Command::Meter(arguments) => meter::run(&arguments, talk),
        Command::Read(arguments) => read::run(&arguments, talk),
        Command::Decode(arguments) => decode::run(&arguments, talk),
        Command::Vee(arguments) => validate::run(&arguments, talk),
        Command::Estimate(arguments) => fill::run(&arguments, talk),
        Command::Admin(arguments) => admin::run(&arguments, talk),
        Command::Sim(arguments) => sim::run(&arguments, talk),
        Command::Import(arguments) => import::run(&arguments, talk),
        Command::Export(arguments) => export::run(&arguments, talk),
        Command::Sql(arguments) => sql::run(&arguments, talk),
        Command::Convert(arguments) => convert::run(&arguments, talk),
        Command::Bench(arguments) => bench::run(&arguments, talk),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if talk::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            if error.downcast_ref::<talk::WrongUsage>().is_some() {
                ExitCode::from(2)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}
