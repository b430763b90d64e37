//! What can be typed.

use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, Subcommand};

use windtunnel::experiment::sweep::Design;
use windtunnel::scenario::{Scenario, parse_percent, parse_size, parse_span};
use windtunnel::units::Span;

const CODES: &str = "\
Exit codes:
  0    done
  1    a finding: an objective is not met (--gate), a check or a verification failed
  2    the input or the call is wrong, or what is to be new exists already
  3    a limit was reached
  4    a policy in another process failed
  5    results could not be written
  70   a bug of windtunnel
  129  the terminal is gone (SIGHUP): finished runs of an experiment are kept for --resume
  130  interrupted (Ctrl-C): the same
  143  asked to end (SIGTERM): the same";

/// What limits are listed under.
const LIMITS: &str = "Limits";

/// A share between 0 and 1, typed in percent. A bare number is refused: `1` could be a hundredth
/// or all, and `0.95` nearly all or nearly nothing.
fn percent(text: &str) -> Result<f64, String> {
    percent_within(text, 0, 100)
}

/// A share by which amounts may differ, which may be nothing.
fn tolerance(text: &str) -> Result<f64, String> {
    percent_between(text, 0, 100)
}

/// A confidence, as the keys of scenarios and suites take it.
fn confidence(text: &str) -> Result<f64, String> {
    percent_within(text, 50, 100)
}

/// A share of replications, as the key `plan.kept_in` takes it.
fn share_of_replications(text: &str) -> Result<f64, String> {
    percent_within(text, 1, 99)
}

/// A share typed in percent, from `low` to `high`, but more than nothing and less than all.
fn percent_within(text: &str, low: i64, high: i64) -> Result<f64, String> {
    if let Ok(bare) = text.trim().parse::<f64>() {
        let meant = if 0.0 < bare && bare < 1.0 { bare * 100.0 } else { bare };
        return Err(format!("is a bare number: write `{meant}%` for a percentage"));
    }
    let number = text.strip_suffix('%').unwrap_or(text).trim_end();
    let share = parse_percent(&format!("{number} %")).filter(|_| text.ends_with('%'));
    let allowed = (low * 10_000).max(1)..=(high * 10_000).min(999_999);
    match share.filter(|share| allowed.contains(share)) {
        Some(millionths) => Ok(millionths as f64 / 1e6),
        None => Err(format!("must be a percentage between {low} % and {high} % such as `95%`")),
    }
}

/// Growth in a year: it may be negative, and nothing.
fn growth(text: &str) -> Result<f64, String> {
    percent_between(text, -99, 1_000)
}

/// A spread, which may be nothing.
fn spread(text: &str) -> Result<f64, String> {
    percent_between(text, 0, 300)
}

/// A percentage from `low` to `high`, both of them too.
fn percent_between(text: &str, low: i32, high: i32) -> Result<f64, String> {
    let number =
        text.trim().strip_suffix('%').map(str::trim).and_then(|number| number.parse().ok());
    let found = number.filter(|found: &f64| (f64::from(low)..=f64::from(high)).contains(found));
    let problem = || format!("must be a percentage between {low} % and {high} % such as `10%`");
    found.map(|found| found / 100.0).ok_or_else(problem)
}

/// A span of more than nothing.
fn span(text: &str) -> Result<Span, String> {
    let found = parse_span(text).filter(|&span| span > Span::ZERO);
    found.ok_or_else(|| "must be a span such as `\"7 d\"` or `\"30 min\"`".to_owned())
}

/// A span that may be nothing.
fn span_or_none(text: &str) -> Result<Span, String> {
    let found = parse_span(text).filter(|&span| span >= Span::ZERO);
    found.ok_or_else(|| "must be a span such as `\"1 d\"`, or `\"0 s\"` for none".to_owned())
}

/// The length of a window; `whole` is the longest that there is.
fn window(text: &str) -> Result<Span, String> {
    match text.trim() {
        "whole" => Ok(Span::MAX),
        text => span(text).map_err(|_| "must be a span such as `\"7 d\"`, or `whole`".to_owned()),
    }
}

/// Counts that the simulator can hold.
fn count() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(1..=i64::MAX as u64)
}

/// A size of more than nothing, in bytes.
fn bytes(text: &str) -> Result<u64, String> {
    let found = parse_size(text).and_then(|size| u64::try_from(size).ok());
    let found = found.filter(|&size| size > 0);
    found.ok_or_else(|| "must be a size such as `\"8 GiB\"` or `500MB`".to_owned())
}

/// The first and the last record of a stretch.
fn records(text: &str) -> Result<(u64, u64), String> {
    let parsed = text
        .split_once("..")
        .and_then(|(from, until)| Some((from.trim().parse().ok()?, until.trim().parse().ok()?)));
    let found = parsed.filter(|&(from, until)| 0 < from && from <= until);
    found.ok_or_else(|| "must be two numbers from 1 on such as `100..200`".to_owned())
}

/// What would this workload cost, and which promises would it break, if it were scheduled differently?
#[derive(Debug, Parser)]
#[command(name = "windtunnel", version, about, after_help = CODES, max_term_width = 100)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run one policy of a scenario and write a folder of results
    Run(RunArgs),
    /// Run all policies of a scenario many times over, against its baseline
    Compare(CompareArgs),
    /// Run a suite of scenarios and fail where a policy has become worse than its baseline
    Check(CheckArgs),
    /// Find the cheapest setup that keeps the objectives
    Plan(PlanArgs),
    /// Hold a policy, replayed over its trace, against what was observed
    Backtest(BacktestArgs),
    /// Run a scenario at many points: which settings matter, and which are best
    Sweep(SweepArgs),
    /// Knock out zones, regions, providers and launches in turn: what breaks, and where
    Drill(DrillArgs),
    /// Score one policy over a suite of scenarios, as one JSON object
    Score(ScoreArgs),
    /// Check a scenario and say what it is, without running it
    Validate(ValidateArgs),
    /// Write a commented scenario to start from
    Init(InitArgs),
    /// List the parts of policies, their parameters and the presets
    Policies {
        /// As JSON on standard output
        #[arg(long)]
        json: bool,
    },
    /// Look at providers, offers and prices
    Catalog {
        #[command(subcommand)]
        command: CatalogCommand,
    },
    /// Look at workloads, convert and make them
    Trace {
        #[command(subcommand)]
        command: TraceArgs,
    },
    /// Look at capacity and prices over time
    Weather {
        #[command(subcommand)]
        command: WeatherArgs,
    },
    /// How much to commit to: reserved machines and spending plans, and how sure it is that they pay
    Commit(CommitArgs),
    /// Bill a table of usage, without simulation, and hold it against what was billed
    Bill(BillArgs),
    /// Why a job waited, ran where it did and cost what it did
    Explain(ExplainArgs),
    /// Reproduce textbook results and published tables
    Verify(VerifyArgs),
    /// Ends the policies of a windtunnel that was killed: started by itself alone
    #[command(hide = true, name = super::guardian::NAME)]
    GuardPolicies,
    /// The JSON Schema (draft-07) of scenario files
    Schema,
    /// Completions for a shell, to be sourced by it
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// Which scenario, and changes to it.
#[derive(Clone, Debug, Args)]
pub(super) struct Which {
    /// A scenario file, or the name of a built-in one such as `quickstart` or `outage-replay`
    #[arg(value_name = "SCENARIO")]
    pub(super) scenario: PathBuf,
    /// Set a single value of the scenario, such as `cluster.dc1.nodes=30`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// Seed of every random stream, instead of the scenario's
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// What a row of the trace does that cannot be read, instead of what the scenario says
    #[arg(long, value_parser = ["fail", "skip"])]
    pub(super) on_bad_row: Option<String>,
}

/// How to run and what to show.
#[derive(Debug, Args)]
pub(super) struct How {
    /// Folder for the results [default: output/<scenario>...]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Write no folder of results
    #[arg(long, conflicts_with = "out")]
    pub(super) no_out: bool,
    /// Replace an existing folder of results
    #[arg(long)]
    pub(super) force: bool,
    /// Print the result as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
    /// No progress bar and no talk
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Check every law at every moment (slow)
    #[arg(long)]
    pub(super) audit: bool,
    /// Exit with 1 when an objective of the scenario is not met
    #[arg(long)]
    pub(super) gate: bool,
}

/// How many runs are done.
#[derive(Debug, Args)]
pub(super) struct Many {
    /// Threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
    /// Go on with an experiment that was stopped: only runs that are missing are done
    #[arg(long, conflicts_with = "no_out")]
    pub(super) resume: bool,
    #[command(flatten)]
    pub(super) bounds: BoundsArgs,
}

/// When to stop as out of bounds.
#[derive(Clone, Debug, Args)]
pub(super) struct BoundsArgs {
    /// Most events of one run [default: the scenario's `limits.max_events`]
    #[arg(long, value_name = "N", help_heading = LIMITS, value_parser = count())]
    pub(super) max_events: Option<u64>,
    /// Most jobs and virtual machines of one run [default: the scenario's `limits.max_jobs`]
    #[arg(long, value_name = "N", help_heading = LIMITS, value_parser = count())]
    pub(super) max_jobs: Option<u64>,
    /// Longest simulated time of one run [default: the scenario's `limits.max_simulated`]
    #[arg(long, value_name = "SPAN", help_heading = LIMITS, value_parser = span)]
    pub(super) max_simulated: Option<Span>,
    /// Longest time by the clock on the wall, for the whole command; where it stops is not
    /// reproducible [default: none]
    #[arg(long, value_name = "SPAN", help_heading = LIMITS, value_parser = span)]
    pub(super) max_wall: Option<Span>,
    /// Most bytes written into the folder of results
    #[arg(long, value_name = "BYTES", help_heading = LIMITS, default_value = "100 GB", value_parser = bytes)]
    pub(super) max_output: u64,
    /// Most memory, where the system tells how much it is; where it stops is not reproducible
    /// [default: nine tenths of the machine's]
    #[arg(long, value_name = "BYTES", help_heading = LIMITS, value_parser = bytes)]
    pub(super) max_memory: Option<u64>,
}

impl BoundsArgs {
    /// Puts the limits of runs in place of the scenario's.
    pub(super) fn limit(&self, scenario: &mut Scenario) {
        let limits = &mut scenario.limits;
        limits.max_events = self.max_events.unwrap_or(limits.max_events);
        limits.max_jobs = self.max_jobs.unwrap_or(limits.max_jobs);
        limits.max_simulated = self.max_simulated.unwrap_or(limits.max_simulated);
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  windtunnel run quickstart
  windtunnel run scenarios/hybrid-burst.toml --policy burst --out output/burst
  windtunnel run my.toml --set cluster.dc1.nodes=30 --gate")]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// Which policy of the scenario, or a .toml file with policies, of which the last runs [default: its baseline]
    #[arg(long, value_name = "NAME|FILE")]
    pub(super) policy: Option<String>,
    /// Keep the policy's reasons, for `windtunnel explain`
    #[arg(long)]
    pub(super) explain: bool,
    /// Write what happened, record by record, as JSON lines to this new file; `-` is standard
    /// output, which then gets nothing else. With --explain, also what was seen and why
    #[arg(long, value_name = "FILE")]
    pub(super) decisions: Option<PathBuf>,
    /// Only these records of --decisions
    #[arg(long, value_name = "FROM..UNTIL", value_parser = records, requires = "decisions")]
    pub(super) records: Option<(u64, u64)>,
    /// Write all that is said to and by policies in other processes to this new file
    #[arg(long, value_name = "FILE")]
    pub(super) record_exchange: Option<PathBuf>,
    /// Cut charges at each clock hour or midnight (UTC), and add the cost by day, instead of what
    /// the scenario says
    #[arg(long, value_name = "PERIOD", value_parser = ["whole", "hour", "day"])]
    pub(super) charge_period: Option<String>,
    /// Write text cells of CSV files as they are, even those a spreadsheet would run as formulas
    #[arg(long)]
    pub(super) csv_raw: bool,
    /// Write charges as Parquet too, beside the CSV (of a build with `--features parquet`)
    #[arg(long, conflicts_with = "no_out")]
    pub(super) parquet: bool,
    #[command(flatten)]
    pub(super) how: How,
    #[command(flatten)]
    pub(super) bounds: BoundsArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  windtunnel compare quickstart
  windtunnel compare my.toml --policies today,burst --replications 50
  windtunnel compare my.toml --until-precision 1% --margin 2%
  windtunnel compare before.toml after.toml
  windtunnel compare my.toml --json --quiet > result.json")]
pub(super) struct CompareArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// Another scenario: its policies are held against the baseline of the first
    pub(super) other: Option<PathBuf>,
    /// How often the scenario is repeated, at most [default: what fits the scenario]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) replications: Option<u32>,
    /// Add replications until intervals are this narrow, as a share of the baseline's mean
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub(super) until_precision: Option<f64>,
    /// Confidence of intervals, and of all verdicts together
    #[arg(long, value_name = "PERCENT", default_value = "95%", value_parser = confidence)]
    pub(super) confidence: f64,
    /// Differences within this share of the baseline's mean do not matter
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub(super) margin: Option<f64>,
    /// Replications are disjoint windows of this length of the trace; `whole` takes all of it in one piece
    #[arg(long, value_name = "SPAN", value_parser = window)]
    pub(super) window: Option<Span>,
    /// What is played before each window, or at the start, and not counted; `0 s` for nothing
    #[arg(long, value_name = "SPAN", value_parser = span_or_none)]
    pub(super) warm_up: Option<Span>,
    /// Replications put the trace together anew from blocks of this length of itself
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub(super) resample: Option<Span>,
    /// Only these policies of the scenario
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(super) policies: Vec<String>,
    #[command(flatten)]
    pub(super) how: How,
    #[command(flatten)]
    pub(super) many: Many,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  windtunnel check scenarios/suite.toml --update      # stores the baselines
  windtunnel check scenarios/suite.toml
  windtunnel check suite.toml --page check.html --markdown comment.md --junit check.xml

Exits with 1 where a gate does not hold, and with 2 where a baseline is missing or stale.")]
pub(super) struct CheckArgs {
    /// A suite file
    pub(super) suite: PathBuf,
    /// Store what the policies do now as their baselines
    #[arg(long)]
    pub(super) update: bool,
    /// Write what was found as Markdown, for a comment
    #[arg(long, value_name = "FILE")]
    pub(super) markdown: Option<PathBuf>,
    /// Write what was found as a page
    #[arg(long, value_name = "FILE")]
    pub(super) page: Option<PathBuf>,
    /// Write what was found as JUnit's XML
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
    /// Print what was found as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
    /// No progress bar and no talk
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Check every law at every moment (slow)
    #[arg(long)]
    pub(super) audit: bool,
    /// Threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
    /// The windtunnel that stored the baselines, split at spaces: shows both sides of a regression
    #[arg(long, value_name = "COMMAND", conflicts_with = "update")]
    pub(super) base_command: Option<String>,
    #[command(flatten)]
    pub(super) bounds: BoundsArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  windtunnel plan my.toml --vary cluster.dc1.nodes=4..40
  windtunnel plan my.toml --vary cluster.dc1.nodes=4..40 --vary policy.burst.order=fcfs,shortest
  windtunnel plan my.toml --vary \"policy.p.provision.cheapest.after_wait=10 min..120 min step 10 min\"
  windtunnel plan my.toml --kept-in 90% --budget 1000 --gate")]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// A single value that may be decided, and its values: `a..b`, `a..b:n`, `a..b step s`, `log:a..b:n` or `a,b,c`; may be repeated
    #[arg(long, value_name = "KEY=VALUES")]
    pub(super) vary: Vec<String>,
    /// Plan for this policy only [default: the best of all policies of the scenario]
    #[arg(long, value_name = "NAME")]
    pub(super) policy: Option<String>,
    /// What is made small [default: cost_monthly]
    #[arg(long, value_name = "METRIC")]
    pub(super) minimise: Option<String>,
    /// Share of all replications that must keep all objectives [default: the means keep them]
    #[arg(long, value_name = "PERCENT", value_parser = share_of_replications)]
    pub(super) kept_in: Option<f64>,
    /// Probability that the answer is right [default: 95%]
    #[arg(long, value_name = "PERCENT", value_parser = confidence)]
    pub(super) confidence: Option<f64>,
    /// Differences within this share of what is made small do not matter [default: 1%]
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub(super) margin: Option<f64>,
    /// Most runs [default: 400]
    #[arg(long, value_name = "RUNS", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(super) budget: Option<u32>,
    /// Held-out replications of each setup that is judged [default: 20, or all windows that are held out]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub(super) replications: Option<u32>,
    /// Replications are disjoint windows of this length of the trace; `whole` takes all of it in one piece
    #[arg(long, value_name = "SPAN", value_parser = window)]
    pub(super) window: Option<Span>,
    /// What is played before each window, or at the start, and not counted; `0 s` for nothing
    #[arg(long, value_name = "SPAN", value_parser = span_or_none)]
    pub(super) warm_up: Option<Span>,
    /// Replications put the trace together anew from blocks of this length of itself
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub(super) resample: Option<Span>,
    #[command(flatten)]
    pub(super) how: How,
    #[command(flatten)]
    pub(super) many: Many,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Ranges of --set, one axis each; a single value stays an edit:
  cluster.dc1.nodes=10..40:4            4 values, evenly spaced: 10, 20, 30, 40
  cluster.dc1.speed=log:1..100:3        evenly spaced in logarithms: 1, 10, 100
  policy.burst.provision.cheapest.after_wait='10 min..2 h:5'
  policy.today.preset=batch-fcfs,batch-backfill
  workload.synthetic.class.batch.runtime='lognormal(median=20 min..40 min:3, p95=4 h)'

Examples:
  windtunnel sweep quickstart --set cluster.dc1.group.cpu.nodes=8..24:5
  windtunnel sweep my.toml --set cluster.dc1.nodes=10..40:4 --set seed=1,2,3 --policies today
  windtunnel sweep my.toml --set cluster.dc1.nodes=10..40 --set 'horizon=1 d..7 d' --sample lhs:50")]
pub(super) struct SweepArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// Draw points from the ranges instead of taking all: `random:N` or `lhs:N` (Latin hypercube)
    #[arg(long, value_name = "DESIGN", value_parser = Design::sample)]
    pub(super) sample: Option<Design>,
    /// Only these policies of the scenario
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(super) policies: Vec<String>,
    /// Runs per point and policy [default: 5, or 1 where nothing is random]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) replications: Option<u32>,
    /// Metrics to show, the one to rank by first [default: cost and the objectives]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(super) metric: Vec<String>,
    /// Most runs (points x policies x replications)
    #[arg(long, value_name = "N", default_value = "10000")]
    pub(super) max_runs: usize,
    #[command(flatten)]
    pub(super) how: How,
    #[command(flatten)]
    pub(super) many: Many,
}

/// How long what is struck is gone.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lasting {
    /// For this long.
    For(Span),
    /// For ever.
    Ever,
}

fn lasting(text: &str) -> Result<Lasting, String> {
    match text.trim() {
        "ever" => Ok(Lasting::Ever),
        text => span(text)
            .map(Lasting::For)
            .map_err(|_| "must be a span such as `\"6 h\"`, or `ever`".to_owned()),
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  windtunnel drill quickstart
  windtunnel drill my.toml --lasts '2 d' --policies today,burst
  windtunnel drill my.toml --fail-on 'zone loss breaks deadlines_met'")]
pub(super) struct DrillArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// Only these policies of the scenario
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(super) policies: Vec<String>,
    /// How long what is struck is gone: a span, or `ever`; known outages last as they did
    #[arg(long, value_name = "SPAN", default_value = "6 h", value_parser = lasting)]
    pub(super) lasts: Lasting,
    /// Runs per loss and policy, each at a moment of its own [default: 5]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) replications: Option<u32>,
    /// Exit 1 where this happens: `KIND breaks OBJECTIVE`, such as `zone loss breaks anything`
    #[arg(long, value_name = "WHAT")]
    pub(super) fail_on: Vec<String>,
    #[command(flatten)]
    pub(super) how: How,
    #[command(flatten)]
    pub(super) many: Many,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  windtunnel backtest scenarios/backtest.toml
  windtunnel backtest my.toml --policy today
  windtunnel backtest my.toml --set cluster.dc1.nodes=240 --no-out")]
pub(super) struct BacktestArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// The policy as it is [default: the scenario's baseline]
    #[arg(long, value_name = "NAME")]
    pub(super) policy: Option<String>,
    /// Do not keep the error beside the scenario, for comparisons to print
    #[arg(long)]
    pub(super) no_save: bool,
    #[command(flatten)]
    pub(super) how: How,
    #[command(flatten)]
    pub(super) bounds: BoundsArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  windtunnel score scenarios/suite.toml --policy mine.toml
  windtunnel score suite.toml --policy burst | jq .score

1 is as good as each scenario's baseline with all promises kept, more is better; see docs/check.md.")]
pub(super) struct ScoreArgs {
    /// A suite file
    pub(super) suite: PathBuf,
    /// A policy that every scenario has, or a .toml file with policies, of which the last is scored
    #[arg(long, value_name = "NAME|FILE")]
    pub(super) policy: String,
    /// No progress bar and no talk
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
    #[command(flatten)]
    pub(super) bounds: BoundsArgs,
}

#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// Do not read the rows of its trace, nor draw its synthetic work
    #[arg(long)]
    pub(super) no_data: bool,
    /// As JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  windtunnel init                          # prints a starter
  windtunnel init my.toml                  # writes it
  windtunnel init my.toml --from jobs.swf.gz")]
pub(super) struct InitArgs {
    /// Where to write it [default: standard output]
    pub(super) file: Option<PathBuf>,
    /// A trace: recognise its format and write a runnable scenario for it
    #[arg(long, value_name = "TRACE")]
    pub(super) from: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum CatalogCommand {
    /// The providers, and how many regions, types and prices each has
    List {
        /// As JSON on standard output
        #[arg(long)]
        json: bool,
    },
    /// The offers of a provider, with prices and their sources
    Show {
        /// A shipped provider (`aws`, `gcp` ...) or a catalog folder of your own
        provider: String,
        /// Only this region
        #[arg(long)]
        region: Option<String>,
        /// Only this instance type
        #[arg(long = "type", value_name = "TYPE")]
        instance_type: Option<String>,
        /// As JSON on standard output
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum TraceArgs {
    /// What is in a workload: counts, sizes, runtimes, arrivals
    Stats {
        /// A trace (.csv, .swf, openb pods; plain, .gz or .zst) or a scenario
        input: PathBuf,
        /// What to do with a row that cannot be read [default: what the scenario says, else fail]
        #[arg(long, value_parser = ["fail", "skip"])]
        on_bad_row: Option<String>,
        /// As JSON on standard output
        #[arg(long)]
        json: bool,
    },
    /// Write a workload in windtunnel's own CSV
    Convert {
        /// A trace or a scenario, whose transformations are applied
        input: PathBuf,
        /// The file to write: .csv, .csv.gz or .csv.zst; `-` is standard output
        output: PathBuf,
        /// What to do with a row that cannot be read [default: what the scenario says, else fail]
        #[arg(long, value_parser = ["fail", "skip"])]
        on_bad_row: Option<String>,
    },
    /// Fit laws of capacity to a trace of what could be had on the spot market
    Fit(FitArgs),
    /// Make the synthetic workload of a scenario and write it in windtunnel's own CSV
    Synth {
        #[command(flatten)]
        which: Which,
        /// The file to write: .csv, .csv.gz or .csv.zst; `-` is standard output
        output: PathBuf,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  windtunnel trace fit counts.csv --out availability.toml --page output/fit")]
pub(super) struct FitArgs {
    /// Counts by zone (.csv) or states (.json), plain, .gz or .zst
    pub(super) file: PathBuf,
    /// What a 1 says in a file of states
    #[arg(long, value_parser = ["available", "preempted"])]
    pub(super) one_is: Option<String>,
    /// Instances that count as all: what a gang of that size sees [default: the most that was seen]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) instances: Option<u32>,
    /// Cloud that the fragment is for [default: the shipped one that has a zone of the file, or `aws`]
    #[arg(long, value_name = "NAME")]
    pub(super) cloud: Option<String>,
    /// Write a fragment of a scenario with these laws; `-` is standard output, and nothing else
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Folder for a page with charts of what was seen against the laws [default: none is written]
    #[arg(long, value_name = "DIR")]
    pub(super) page: Option<PathBuf>,
    /// Replace an existing folder of results
    #[arg(long, requires = "page")]
    pub(super) force: bool,
    /// As JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) bounds: BoundsArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum WeatherArgs {
    /// Draw the capacity and the prices that a scenario will have, before any policy runs
    Show(WeatherShowArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  windtunnel weather show my.toml --until \"90 d\" --out output/weather")]
pub(super) struct WeatherShowArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// Time to draw, from the start of the run [default: the scenario's horizon, or 30 d]
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub(super) until: Option<Span>,
    /// Folder for a page with charts and the numbers [default: none is written]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Replace an existing folder of results
    #[arg(long, requires = "out")]
    pub(super) force: bool,
    /// As JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
    /// No progress bar and no talk
    #[arg(long, short)]
    pub(super) quiet: bool,
    #[command(flatten)]
    pub(super) bounds: BoundsArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  windtunnel commit commitments
  windtunnel commit my.toml --policy today --growth \"20 %\" --spread \"30 %\"")]
pub(super) struct CommitArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// The policy whose machines are to be covered [default: the scenario's baseline]
    #[arg(long, value_name = "NAME")]
    pub(super) policy: Option<String>,
    /// Futures: runs with seeds of their own [default: 20]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) replications: Option<u32>,
    /// Years that are looked ahead [default: the longest term]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=5))]
    pub(super) years: Option<u32>,
    /// Growth of the demand in a year
    #[arg(long, value_name = "PERCENT", default_value = "0 %", value_parser = growth, allow_hyphen_values = true)]
    pub(super) growth: f64,
    /// How unsure the demand of next year is: standard deviation of its logarithm
    #[arg(long, value_name = "PERCENT", default_value = "10 %", value_parser = spread)]
    pub(super) spread: f64,
    /// How sure it is to be that the last part pays for itself, where one is prudent
    #[arg(long, value_name = "PERCENT", default_value = "80 %", value_parser = confidence)]
    pub(super) confidence: f64,
    #[command(flatten)]
    pub(super) how: How,
    #[command(flatten)]
    pub(super) many: Many,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  windtunnel bill usage.csv --terms terms.toml --out output/bill
  windtunnel bill focus.csv --terms terms.toml --within \"1 %\"   # an export that says what was billed")]
pub(super) struct BillArgs {
    /// Usage (.csv, plain, .gz or .zst; `-` is standard input), or an export in the columns of FOCUS
    pub(super) usage: PathBuf,
    /// Accounts, commitments and prices: a file of terms, or a scenario [default: list prices]
    #[arg(long, value_name = "FILE")]
    pub(super) terms: Option<PathBuf>,
    /// Hold all rows and bring them into order first
    #[arg(long)]
    pub(super) sort: bool,
    /// Version of FOCUS of the file that is written
    #[arg(long, value_name = "VERSION", default_value = "1.2", value_parser = ["1.2", "1.3"])]
    pub(super) focus: String,
    /// Write the charges as Parquet too, beside the CSV (of a build with `--features parquet`)
    #[arg(long, requires = "out")]
    pub(super) parquet: bool,
    /// Exit with 1 where the lines are off those of the table by more than this share of them
    #[arg(long, value_name = "PERCENT", value_parser = tolerance)]
    pub(super) within: Option<f64>,
    /// Folder for the charges and a page [default: none is written]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Replace an existing folder of results
    #[arg(long, requires = "out")]
    pub(super) force: bool,
    /// As JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
    /// No progress bar and no talk
    #[arg(long, short)]
    pub(super) quiet: bool,
    #[command(flatten)]
    pub(super) bounds: BoundsArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  windtunnel run quickstart --policy burst --explain --out output/why
  windtunnel explain output/why --job training-274")]
pub(super) struct ExplainArgs {
    /// A folder written by `windtunnel run --explain`; for `--charge` any of `run` or `bill`
    pub(super) run: PathBuf,
    /// The job, as `jobs.csv` names it
    #[arg(long, required_unless_present = "charge", conflicts_with = "charge")]
    pub(super) job: Option<String>,
    /// A charge, by its number in `charges.csv`: its price, share, rule, tier and commitment
    #[arg(long, conflicts_with = "ordinal")]
    pub(super) charge: Option<u64>,
    /// Which of several jobs of one name: its `ordinal` in `jobs.csv`, or `source/ordinal`
    #[arg(long)]
    pub(super) ordinal: Option<String>,
    /// As JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Within a minute, to a wider precision
    #[arg(long)]
    pub(super) quick: bool,
    /// Reproduce published tables from the data in this folder instead
    #[arg(long, value_name = "DIR")]
    pub(super) published: Option<PathBuf>,
    /// Make 3,000 intervals (some minutes) for a known answer instead, and count how many hold it
    #[arg(long, conflicts_with_all = ["quick", "published"])]
    pub(super) coverage: bool,
    /// As JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}
