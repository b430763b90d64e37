//! `windtunnel run`: one policy, one seed, a folder of results.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::args::{How, RunArgs};
use super::background_file::BackgroundFile;
use super::decisions::Decisions;
use super::exchange::Recorder;
use super::exit::{CommandResult, Stop, print_line};
use super::folder::{self, Claim, Folder};
use super::guard::{self, ResourceGuard};
use super::process::Processes;
use super::progress::Bar;
use super::{load, parquet};
use windtunnel::billing::focus::{FocusCsv, FocusVersion};
use windtunnel::experiment::{self, EventLog, RecordRange, RunFailure, RunResult, Settings};
use windtunnel::metering::ChargePeriod;
use windtunnel::metrics::{BrokenLaw, ChargePeriods, DailyCosts, Laws, OccupancyRecorder};
use windtunnel::policy::external::Launcher;
use windtunnel::policy::spec::PolicySpec;
use windtunnel::problem::Problem;
use windtunnel::report::{
    BillCsv, ChargesCsv, DailyTable, ExplainCsv, InstancesCsv, JobsCsv, ResultFiles, RunReport,
    Scene, Terminal, TextCells, money_charts, run_charts, write_days, write_page,
};
use windtunnel::scenario::Scenario;
use windtunnel::text::file_name;
use windtunnel::units::{Money, Time};
use windtunnel::weather::FaultRibbon;

/// Files that are written while the run goes on.
struct Files {
    jobs: JobsCsv<BackgroundFile>,
    instances: InstancesCsv<BackgroundFile>,
    charges: ChargesFile,
    explain: Option<ExplainCsv<BackgroundFile>>,
}

/// The file of charges, whole or cut.
enum ChargesFile {
    /// Charges as they are.
    Whole(ChargesCsv<BackgroundFile>),
    /// Charges cut at the ends of charge periods, with the cost by day; the pieces keep the laws
    /// too.
    Cut(Box<CutCharges>),
}

type CutCharges = ChargePeriods<((ChargesCsv<BackgroundFile>, DailyCosts), Laws)>;

impl ChargesFile {
    fn new(file: ChargesCsv<BackgroundFile>, period: Option<ChargePeriod>) -> Self {
        match period {
            None => Self::Whole(file),
            Some(period) => {
                let behind = ((file, DailyCosts::default()), Laws::new(false));
                Self::Cut(Box::new(ChargePeriods::new(period, behind)))
            }
        }
    }

    /// The observers of a run; one of the two is there.
    fn watching(&mut self) -> (Option<&mut ChargesCsv<BackgroundFile>>, Option<&mut CutCharges>) {
        match self {
            Self::Whole(file) => (Some(file), None),
            Self::Cut(cut) => (None, Some(cut)),
        }
    }

    /// The file, the cost by day if there is one, and the law that was broken, if any.
    fn finish(self) -> (ChargesCsv<BackgroundFile>, Option<DailyCosts>, Option<BrokenLaw>) {
        match self {
            Self::Whole(file) => (file, None, None),
            Self::Cut(cut) => {
                let ((file, daily), laws) = cut.into_inner();
                (file, Some(daily), laws.broken().cloned())
            }
        }
    }
}

impl Files {
    /// `explain`: the policy whose reasons are kept, if they are.
    fn open(
        folder: &Folder,
        cells: TextCells,
        explain: Option<&PolicySpec>,
        period: Option<ChargePeriod>,
    ) -> anyhow::Result<Self> {
        let charges = ChargesCsv::new(folder.spool("charges.csv")?, cells);
        Ok(Self {
            jobs: JobsCsv::new(folder.spool("jobs.csv")?, cells),
            instances: InstancesCsv::new(folder.spool("instances.csv")?, cells),
            charges: ChargesFile::new(charges, period),
            explain: match explain {
                Some(policy) => {
                    Some(ExplainCsv::new(folder.spool("explain.csv")?, cells).under(policy))
                }
                None => None,
            },
        })
    }

    /// Ends the files of a run that cost so much; gives the cost by day, if there is one.
    fn finish(self, total: Money, again: &str) -> Result<Option<DailyCosts>, Stop> {
        let finish = |file: io::Result<BackgroundFile>, name: &str| {
            file.and_then(BackgroundFile::finish).with_context(|| format!("cannot write `{name}`"))
        };
        finish(self.jobs.finish(), "jobs.csv")?;
        finish(self.instances.finish(), "instances.csv")?;
        let (charges, daily, broken) = self.charges.finish();
        finish(charges.finish(), "charges.csv")?;
        if let Some(explain) = self.explain {
            finish(explain.finish(), "explain.csv")?;
        }
        let broken = broken.or_else(|| not_the_total(daily.as_ref()?, total));
        match broken {
            Some(broken) => Err(Stop::of_run(RunFailure::Law(broken), again)),
            None => Ok(daily),
        }
    }
}

/// The law that the cost by day breaks, where it does not sum to the cost in all.
fn not_the_total(daily: &DailyCosts, total: Money) -> Option<BrokenLaw> {
    let sum = daily.total();
    (sum != total).then(|| BrokenLaw {
        at: daily.days().last().map_or(Time::ZERO, |day| day.until),
        law: "the cost by day sums to the cost in all",
        found: format!("{} and {}", sum.exact(), total.exact()),
    })
}

/// Runs one policy.
pub(super) fn run(arguments: &RunArgs) -> CommandResult {
    parquet::check(arguments.parquet)?;
    let guard = ResourceGuard::new(&arguments.bounds);
    let mut scenario = load::open(&arguments.which)?;
    arguments.bounds.limit(&mut scenario);
    let (scenario, row) = match &arguments.policy {
        Some(named) => load::policy_or_file(&scenario, named)?,
        None => {
            let row = scenario.baseline;
            (scenario, row)
        }
    };
    let policy = &scenario.policies[row];
    let how = &arguments.how;
    let settings = Settings {
        audit: how.audit,
        explain: arguments.explain,
        charges: arguments.explain,
        names: !how.no_out || arguments.decisions.is_some(),
        ..Settings::seeded(scenario.seed)
    };
    let period = match &arguments.charge_period {
        Some(named) => ChargePeriod::named(named),
        None => scenario.charge_period,
    };
    let cells = if arguments.csv_raw { TextCells::Raw } else { TextCells::Guarded };
    let folder = match how.no_out {
        true => None,
        false => {
            let target = target(how, &format!("{}-{}", scenario.name, file_name(&policy.name)));
            let claim = Claim { force: how.force, resume: false };
            Some(Folder::create(&target, claim, guard.meter())?)
        }
    };
    let mut files = match &folder {
        Some(folder) => {
            Some(Files::open(folder, cells, arguments.explain.then_some(policy), period)?)
        }
        None => None,
    };
    let recorder = arguments.record_exchange.as_deref().map(Recorder::create).transpose()?;
    let mut decisions = arguments.decisions.as_deref().map(Decisions::create).transpose()?;
    let (from, until) = arguments.records.unwrap_or((1, u64::MAX));
    let stretch = RecordRange { from, until, reasons: arguments.explain };
    let over = Cell::new(false);
    let mut occupancy = folder.is_some().then(OccupancyRecorder::default);
    let mut faults = folder.is_some().then(FaultRibbon::default);
    let result = {
        let bar = Bar::over_jobs(&policy.name, how.quiet);
        let mut watching = files.as_mut().map(|files| {
            (
                (&mut files.jobs, &mut files.instances),
                (files.charges.watching(), files.explain.as_mut()),
            )
        });
        let mut log = decisions
            .as_mut()
            .map(|decisions| EventLog::new(stretch, &over, |step| decisions.write(&step)));
        let mut watching = ((&mut watching, &mut occupancy), (&mut log, &mut faults));
        let decides = (policy, recorder.as_ref().map_or(&Processes as &dyn Launcher, |to| to));
        let result =
            experiment::run_with(&scenario, decides, settings, &mut watching, &mut |progress| {
                bar.reach(progress.work);
                guard::poll()
            });
        bar.clear();
        result.map_err(|failure| Stop::of_run(failure, &again(&scenario, policy)))?
    };
    if result.summary.work.submitted == 0 {
        return Err(Stop::Input(no_work(&scenario).into()));
    }
    recorder.map_or(Ok(()), Recorder::finish)?;
    decisions.map_or(Ok(()), Decisions::finish)?;
    let mut report = RunReport::alone(&scenario, policy, &result)?;
    let written = match (folder, files) {
        (Some(folder), Some(files)) => {
            let cost = &result.summary.cost;
            // Charges are at list prices.
            let list = cost.total - cost.terms.unwrap_or_default();
            let daily = files.finish(list, &again(&scenario, policy))?;
            if let Some(daily) = &daily {
                let out = folder.file("days.csv")?;
                let out = write_days(out, &scenario.world, daily, cells)?;
                folder::finish(out, "days.csv")?;
                report.daily = Some(DailyTable::new(&scenario.world, daily));
            }
            let shown = (&result, &occupancy.unwrap_or_default(), &faults.unwrap_or_default());
            let form = (cells, arguments.parquet);
            Some(write(folder, &scenario, &report, shown, form)?)
        }
        _ => None,
    };
    // Standard output is one thing or the other.
    match arguments.decisions.as_deref() == Some(Path::new("-")) {
        true => tell_folder(how, written, "report.html"),
        false => show(&report, how, written)?,
    }
    gate(&report, how)
}

/// The workload of the scenario gives a run nothing to do.
pub(super) fn no_work(scenario: &Scenario) -> Problem {
    let message = match scenario.horizon {
        Some(_) => "the workload has no work in it that arrives before the horizon",
        None => "the workload has no work in it",
    };
    Problem::with(&scenario.path, message)
        .hint("look whether its files have rows, and at its transformations, filters and dates")
}

/// Folder that results go to.
pub(super) fn target(how: &How, name: &str) -> PathBuf {
    how.out.clone().unwrap_or_else(|| PathBuf::from("output").join(name))
}

/// The command that runs it again.
pub(super) fn again(scenario: &Scenario, policy: &PolicySpec) -> String {
    format!(
        "windtunnel run {} --policy {} --seed {} --audit",
        scenario.path, policy.name, scenario.seed
    )
}

fn write(
    folder: Folder,
    scenario: &Scenario,
    report: &RunReport,
    (result, occupancy, faults): (&RunResult, &OccupancyRecorder, &FaultRibbon),
    (cells, is_parquet): (TextCells, bool),
) -> anyhow::Result<PathBuf> {
    if is_parquet {
        parquet::write(&folder, &["charges"])?;
    }
    let out = folder.file("timeseries.csv")?;
    let out = windtunnel::report::write_timeseries(out, &scenario.world, &result.series, cells)?;
    folder::finish(out, "timeseries.csv")?;
    if !report.alerts.rules.is_empty() {
        let out = report.alerts.write_csv(folder.file("alerts.csv")?, cells)?;
        folder::finish(out, "alerts.csv")?;
    }
    if let Some(chargeback) = &report.chargeback {
        let out = chargeback.write_csv(folder.file("chargeback.csv")?, cells)?;
        folder::finish(out, "chargeback.csv")?;
    }
    if let Some(bill) = result.bill.as_ref().filter(|bill| !bill.charges.is_empty()) {
        let mut out = BillCsv::of_run(folder.file("settled.csv")?, bill.lines_of.clone());
        bill.charges.iter().for_each(|charge| out.write(charge, &bill.biller));
        let out = out.finish().context("cannot write `settled.csv`")?;
        folder::finish(out, "settled.csv")?;
        let mut out = FocusCsv::new(folder.file("focus.csv")?, FocusVersion::default())?;
        bill.charges.iter().try_for_each(|charge| out.write(charge, &bill.biller))?;
        let out = out.finish().context("cannot write `focus.csv`")?;
        folder::finish(out, "focus.csv")?;
        if is_parquet {
            parquet::write(&folder, &["settled", "focus"])?;
        }
    }
    if !report.budgets.is_empty() {
        let out = folder.file("budgets.csv")?;
        let out = windtunnel::report::write_budgets(out, &report.budgets, cells)?;
        folder::finish(out, "budgets.csv")?;
    }
    let mut summary = Vec::new();
    report.write_json(&mut summary)?;
    folder.take_bytes("summary.json", &summary)?;
    folder.take_bytes("scenario.toml", scenario.text.as_bytes())?;
    let mut charts = run_charts(&Scene {
        world: &scenario.world,
        series: &result.series,
        summary: &report.summary,
        occupancy,
        waits: &result.waits,
        objectives: &report.objectives,
        faults,
        alerts: &report.alerts,
        budgets: &report.budgets,
    });
    let (back, bill) = (result.chargeback.as_ref(), result.bill.as_deref());
    charts.extend(money_charts(&scenario.world, back, bill));
    write_page(&folder, "report.html", charts, |charts| report.document(charts))?;
    let manifest = report.recipe.manifest(Some(&report.fingerprint));
    folder.finish(manifest)
}

/// Width and colour that the terminal allows; plain where output is no terminal.
pub(super) fn terminal() -> Terminal {
    let out = std::io::stdout();
    if !out.is_terminal() {
        return Terminal::PLAIN;
    }
    let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let width = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).unwrap_or(100);
    Terminal { width, colour }
}

fn show(report: &RunReport, how: &How, written: Option<PathBuf>) -> CommandResult {
    let mut out = std::io::stdout().lock();
    if how.json {
        report.write_json(&mut out)?;
    } else {
        out.write_all(report.document(Vec::new()).text(terminal()).as_bytes())?;
    }
    out.flush()?;
    tell_folder(how, written, "report.html");
    Ok(())
}

/// Says on standard error where the results are.
pub(super) fn tell_folder(how: &How, written: Option<PathBuf>, page: &str) {
    tell_written(how.quiet, written, page);
}

/// The same, unless `quiet`.
pub(super) fn tell_written(quiet: bool, written: Option<PathBuf>, page: &str) {
    if let Some(folder) = written
        && !quiet
    {
        print_line(&format!(
            "results: {} (open {})",
            folder.display(),
            folder.join(page).display()
        ));
    }
}

/// The gate of `--gate`: a broken promise is a finding.
pub(super) fn gate(report: &RunReport, how: &How) -> CommandResult {
    let (kept, all) = report.kept();
    if how.gate && kept < all {
        let broken: Vec<String> = report
            .objectives
            .iter()
            .filter(|objective| !objective.met)
            .map(|objective| format!("{} {}", objective.label, objective.text))
            .collect();
        return Err(Stop::Finding(format!("objectives not met: {}", broken.join(", "))));
    }
    Ok(())
}
