//! `windtunnel weather`: what will happen before any policy runs.

use std::io::Write;

use super::args::{WeatherArgs, WeatherShowArgs};
use super::exit::{CommandResult, Stop};
use super::folder::{Claim, Folder};
use super::guard::ResourceGuard;
use super::progress::Bar;
use super::{load, run};
use windtunnel::experiment::RunFailure;
use windtunnel::report::{OutlookReport, Recipe, ResultFiles, write_page};
use windtunnel::sim::{self, Failure};
use windtunnel::units::{Span, Time};
use windtunnel::weather::Outlook;

/// Equal parts of the time for which shares and prices are kept.
const PARTS: usize = 160;
/// Time that is drawn of a scenario without a horizon.
const USUAL: Span = Span::from_secs(30 * 86_400);

/// Runs a weather command.
pub(super) fn weather(command: &WeatherArgs) -> CommandResult {
    match command {
        WeatherArgs::Show(show) => self::show(show),
    }
}

fn show(arguments: &WeatherShowArgs) -> CommandResult {
    let guard = ResourceGuard::new(&arguments.bounds);
    let scenario = load::open(&arguments.which)?;
    let span = arguments.until.or(scenario.horizon).unwrap_or(USUAL);
    let folder = match &arguments.out {
        None => None,
        Some(target) => {
            let claim = Claim { force: arguments.force, resume: false };
            Some(Folder::create(target, claim, guard.meter())?)
        }
    };
    let bar = Bar::over_offers(&scenario.name, arguments.quiet);
    let until = Time::ZERO.saturating_add(span);
    let drawn = Outlook::draw(&scenario.world, scenario.seed, (Time::ZERO, until), PARTS, |done| {
        bar.reach(done as u64);
    });
    bar.clear();
    let out = sim::fault_ribbon(&scenario.world, scenario.seed, (Time::ZERO, until));
    let Some((outlook, faults)) = drawn.zip(out) else {
        let failure = RunFailure::Sim(Failure::Interrupted { at: Time::ZERO });
        return Err(Stop::of_run(failure, ""));
    };
    let recipe = Recipe::of(&scenario, "none")?;
    let all: Vec<usize> = (0..scenario.policies.len()).collect();
    let assumptions = scenario.assumed(&all);
    let report = OutlookReport {
        scenario: &scenario.name,
        world: &scenario.world,
        seed: scenario.seed,
        outlook: &outlook,
        faults: &faults,
        assumptions: &assumptions,
        recipe: folder.as_ref().map(|_| &recipe),
    };
    let written = match folder {
        None => None,
        Some(folder) => {
            let mut json = Vec::new();
            report.write_json(&mut json)?;
            folder.take_bytes("weather.json", &json)?;
            folder.take_bytes("scenario.toml", scenario.text.as_bytes())?;
            write_page(&folder, "weather.html", report.charts(), |charts| report.document(charts))?;
            Some(folder.finish(recipe.manifest(None))?)
        }
    };
    let mut out = std::io::stdout().lock();
    if arguments.json {
        report.write_json(&mut out)?;
    } else {
        out.write_all(report.document(Vec::new()).text(run::terminal()).as_bytes())?;
    }
    out.flush()?;
    run::tell_written(arguments.quiet, written, "weather.html");
    Ok(())
}
