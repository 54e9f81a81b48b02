//! The task runner: `cargo xtask test` installs what tests need and runs them all, `cargo xtask tidy`
//! checks the house rules.

mod test;
mod tidy;

use anyhow::bail;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <task>

  test [STEP...]   install what the tests need and run them all, or only the steps named
  test --list      name the steps
  tidy             check rings, lengths, debris and sources";

#[expect(clippy::print_stderr, clippy::print_stdout, reason = "a command line")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test", "--list"] => {
            println!("{}", test::step_names().join("\n"));
            Ok(())
        }
        ["test", steps @ ..] => test::run(steps),
        ["tidy"] => tidy::run(),
        ["--help" | "-h" | "help"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done.and_then(|()| if words.is_empty() { bail!("no task") } else { Ok(()) }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
