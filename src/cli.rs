//! The command line: files, terminal, environment and threads live here and
//! nowhere else.

mod args;
mod backtest;
mod bill;
mod calibration;
mod catalog;
mod check;
mod commit;
mod compare;
mod decisions;
mod diverge;
mod drill;
mod ending;
mod exchange;
mod exit;
mod explain;
mod fit;
mod folder;
mod guard;
mod guardian;
mod journal;
mod inspect;
mod output_quota;
mod parquet;
mod load;
mod plan;
mod process;
mod progress;
mod results;
mod run;
mod signal;
mod score;
mod background_file;
mod sweep;
mod trace;
mod unfinished;
mod verify;
mod weather;
mod session;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};
use exit::{CommandResult, exit};

/// Runs the command that the process was called with.
pub(crate) fn main() -> ExitCode {
    signal::listen();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are answers; everything else is a wrong call.
            let code = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    exit(dispatch(arguments))
}

fn dispatch(arguments: Arguments) -> CommandResult {
    match arguments.command {
        Command::Run(run) => run::run(&run),
        Command::Compare(compare) => compare::compare(&compare),
        Command::Check(check) => check::check(&check),
        Command::Plan(plan) => plan::plan(&plan),
        Command::Backtest(backtest) => backtest::backtest(&backtest),
        Command::Sweep(sweep) => sweep::sweep(&sweep),
        Command::Drill(drill) => drill::drill(&drill),
        Command::Score(arguments) => score::score(&arguments),
        Command::Validate(validate) => inspect::validate(&validate),
        Command::Init(init) => inspect::init(&init),
        Command::Policies { json } => inspect::policies(json),
        Command::Catalog { command } => catalog::catalog(&command),
        Command::Trace { command } => trace::trace(&command),
        Command::Weather { command } => weather::weather(&command),
        Command::Commit(arguments) => commit::commit(&arguments),
        Command::Bill(bill) => bill::bill(&bill),
        Command::Explain(explain) => explain::explain(&explain),
        Command::Verify(verify) => verify::verify(&verify),
        Command::GuardPolicies => {
            guardian::guard();
            Ok(())
        }
        Command::Schema => inspect::schema(),
        Command::Completions { shell } => inspect::completions(shell),
    }
}
