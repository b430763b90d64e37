//! `windtunnel trace fit`: laws of capacity from what was seen.

use std::io::Write;
use std::path::Path;

use super::args::FitArgs;
use super::exit::{CommandResult, Stop};
use super::folder::{Claim, Folder, new_file};
use super::guard::ResourceGuard;
use super::run;
use windtunnel::input;
use windtunnel::report::{FitReport, InputHash, Recipe, ResultFiles, write_page};
use windtunnel::scenario::cloud_of_zone;
use windtunnel::weather::{Polarity, Weather, ZoneFit, read_counts, read_states};

/// Fits laws to a trace of counts or states.
pub(super) fn fit(arguments: &FitArgs) -> CommandResult {
    let guard = ResourceGuard::new(&arguments.bounds);
    let weather = read(arguments)?;
    let seen = weather.zones.iter().flat_map(|zone| &zone.counts).map(|&(_, count)| count);
    let most = seen.max().unwrap_or(0).max(1);
    let full = arguments.instances.unwrap_or(most);
    let zones: Vec<ZoneFit> =
        weather.zones.iter().map(|zone| ZoneFit::new(&weather, zone, full)).collect();
    let shown = arguments.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let known = weather.zones.iter().find_map(|zone| cloud_of_zone(&zone.name));
    let cloud = arguments.cloud.as_deref().or(known).unwrap_or("aws");
    let report = FitReport { file: &shown, cloud, weather: &weather, zones: &zones };
    if let Some(target) = &arguments.page {
        let claim = Claim { force: arguments.force, resume: false };
        write(Folder::create(target, claim, guard.meter())?, &report, &arguments.file)?;
    }
    let mut out = std::io::stdout().lock();
    match arguments.out.as_deref() {
        Some(target) if target == Path::new("-") => {
            out.write_all(report.fragment().as_bytes())?;
            out.flush()?;
            return Ok(());
        }
        Some(target) => {
            new_file(target, "laws of capacity")?.write_all(report.fragment().as_bytes())?;
        }
        None => (),
    }
    match arguments.json {
        true => report.write_json(&mut out)?,
        false => out.write_all(report.document(Vec::new()).text(run::terminal()).as_bytes())?,
    }
    out.flush()?;
    Ok(())
}

/// Writes the page with its charts, the numbers and the fragment.
fn write(folder: Folder, report: &FitReport<'_>, file: &Path) -> Result<(), Stop> {
    let mut json = Vec::new();
    report.write_json(&mut json)?;
    folder.take_bytes("fit.json", &json)?;
    folder.take_bytes("fragment.toml", report.fragment().as_bytes())?;
    write_page(&folder, "fit.html", report.charts(), |charts| report.document(charts))?;
    let name = report.file.to_owned();
    let recipe = Recipe {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        inputs: vec![InputHash { name, hash: input::hash(file)? }],
        ..Recipe::default()
    };
    folder.finish(recipe.manifest(None))?;
    Ok(())
}

fn read(arguments: &FitArgs) -> Result<Weather, Stop> {
    let (path, shown) = (&arguments.file, arguments.file.display().to_string());
    let name = shown.trim_end_matches(".gz").trim_end_matches(".zst");
    let weather = match (name.ends_with(".json"), arguments.one_is.as_deref()) {
        (false, None) => read_counts(path, &shown)?,
        (true, Some("available")) => read_states(path, &shown, Polarity::OneIsAvailable)?,
        (true, Some(_)) => read_states(path, &shown, Polarity::OneIsPreempted)?,
        (true, None) => {
            return Err(Stop::usage(
                "files of states disagree on what a 1 says",
                "add `--one-is available` or `--one-is preempted`",
            ));
        }
        (false, Some(_)) => {
            let message = "a table of counts has no polarity";
            return Err(Stop::usage(message, "leave `--one-is` out"));
        }
    };
    Ok(weather)
}
