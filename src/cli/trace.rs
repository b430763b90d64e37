//! `windtunnel trace`: look at workloads, convert and make them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use comfy_table::{Table, presets};

use super::args::{TraceArgs, Which};
use super::exit::{CommandResult, Stop, print_line};
use super::fit::fit;
use super::folder::taken;
use super::load;
use super::unfinished::Unfinished;
use windtunnel::input::ZstandardEncoder;
use windtunnel::model::{Interner, Work};
use windtunnel::scenario::Scenario;
use windtunnel::text::plain;
use windtunnel::units::Calendar;
use windtunnel::workload::{
    BoxedSource, Defaults, NativeColumn, NativeWriter, Observations, OnBadRow, OpenContext, Stats,
    TraceSpec, Unsorted, WorkloadInput, WorkloadSpec, recognise, used_columns,
};

/// A workload that can be opened again and again.
struct Workload {
    spec: WorkloadSpec,
    context: OpenContext,
}

impl Workload {
    fn open(&self) -> Result<BoxedSource, Stop> {
        Ok(self.spec.open(&self.context)?)
    }

    fn of_scenario(scenario: &Scenario) -> Self {
        let context = scenario.context(scenario.seed, true);
        Self { spec: scenario.workload.clone(), context }
    }
}

/// Runs a trace command.
pub(super) fn trace(command: &TraceArgs) -> CommandResult {
    match command {
        TraceArgs::Stats { input, on_bad_row, json } => {
            stats(&load(input, on_bad_row.as_deref())?, *json)
        }
        TraceArgs::Convert { input, output, on_bad_row } => {
            convert(&load(input, on_bad_row.as_deref())?, output)
        }
        TraceArgs::Fit(arguments) => fit(arguments),
        TraceArgs::Synth { which, output } => {
            let scenario = load::open(which)?;
            if !matches!(scenario.workload.input, WorkloadInput::Synthetic(_)) {
                let message = format!("{} replays a trace", scenario.path);
                return Err(Stop::usage(message, "use `windtunnel trace convert`"));
            }
            convert(&Workload::of_scenario(&scenario), output)
        }
    }
}

/// A trace by what it looks like, or the workload of a scenario.
fn load(input: &Path, on_bad_row: Option<&str>) -> Result<Workload, Stop> {
    let is_scenario = input.extension().is_some_and(|extension| extension == "toml");
    if is_scenario || input == Path::new("quickstart") {
        let which = Which {
            scenario: input.to_owned(),
            set: Vec::new(),
            seed: None,
            on_bad_row: on_bad_row.map(str::to_owned),
        };
        return Ok(Workload::of_scenario(&load::open(&which)?));
    }
    let shown = input.display().to_string();
    let recognised = recognise(input, &shown)?;
    print_line(&format!("{shown}: {}", recognised.why));
    let mut trace = TraceSpec::new(input, recognised.format);
    if on_bad_row == Some("skip") {
        trace.on_bad_row = OnBadRow::Skip;
    }
    if !trace.is_sorted()? {
        print_line(&format!(
            "{shown}: its rows are not in the order of arrivals, so they are sorted"
        ));
        trace.unsorted = Unsorted::Sort;
    }
    let zero = trace.zero_unix().unwrap_or(0);
    let spec = WorkloadSpec {
        input: WorkloadInput::Trace(trace),
        transforms: Vec::new(),
        defaults: Defaults::default(),
    };
    let context = OpenContext {
        seed: 1,
        calendar: Calendar::from_unix_micros(zero),
        keep_names: true,
        capacity: None,
    };
    Ok(Workload { spec, context })
}

fn stats(workload: &Workload, as_json: bool) -> CommandResult {
    let mut book = Interner::default();
    let mut source = workload.open()?;
    let stats = Stats::of(source.as_mut(), &mut book)?;
    let mut out = std::io::stdout().lock();
    if as_json {
        serde_json::to_writer_pretty(&mut out, &stats).map_err(std::io::Error::from)?;
        writeln!(out)?;
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for (name, value) in stats.rows() {
        table.add_row([plain(&name), plain(&value)]);
    }
    writeln!(out, "{table}")?;
    Ok(())
}

fn convert(workload: &Workload, output: &Path) -> CommandResult {
    let mut book = Interner::default();
    let mut columns = used_columns(workload.open()?.as_mut(), &mut book)?;
    // Work that a transformation has made was not observed.
    let observed = match workload.spec.distortion() {
        None => workload.spec.observations(workload.context.calendar)?,
        Some(_) => Observations::default(),
    };
    if !observed.is_empty() {
        columns.push(NativeColumn::ObservedWait);
        columns.sort_unstable();
    }
    if output == Path::new("-") {
        let mut out = BufWriter::new(std::io::stdout().lock());
        write(workload, &observed, NativeWriter::new(&mut out, &columns)?)?;
        out.flush()?;
        return Ok(());
    }
    let known = [".csv", ".csv.gz", ".csv.zst"];
    if !known.iter().any(|ending| output.to_string_lossy().ends_with(ending)) {
        let message = format!("`{}` is not a .csv, .csv.gz or .csv.zst", output.display());
        return Err(Stop::usage(message, "windtunnel writes its own CSV"));
    }
    if output.exists() {
        return Err(taken(output, "name another file, or remove that one"));
    }
    let name = output.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.ok_or_else(|| Stop::usage("the output needs a name", "such as jobs.csv"))?;
    let (unfinished, file) =
        Unfinished::file(output).with_context(|| format!("cannot write `{}`", output.display()))?;
    compressed(workload, &observed, &columns, file, &name)?;
    unfinished
        .finish(output, || Ok(()))
        .with_context(|| format!("cannot name `{}`", output.display()))?;
    Ok(())
}

fn compressed(
    workload: &Workload,
    observed: &Observations,
    columns: &[NativeColumn],
    file: File,
    name: &str,
) -> CommandResult {
    let mut file = BufWriter::with_capacity(1 << 18, file);
    if name.ends_with(".gz") {
        let mut out = flate2::write::GzEncoder::new(&mut file, flate2::Compression::default());
        write(workload, observed, NativeWriter::new(&mut out, columns)?)?;
        out.finish()?;
    } else if name.ends_with(".zst") {
        let mut out = ZstandardEncoder::new(&mut file);
        write(workload, observed, NativeWriter::new(&mut out, columns)?)?;
        out.finish()?;
    } else {
        write(workload, observed, NativeWriter::new(&mut file, columns)?)?;
    }
    let file = file.into_inner().map_err(|error| error.into_error())?;
    file.sync_all()?;
    Ok(())
}

fn write<W: Write>(
    workload: &Workload,
    observed: &Observations,
    mut writer: NativeWriter<W>,
) -> CommandResult {
    let (mut book, mut work) = (Interner::default(), Work::default());
    let mut source = workload.open()?;
    let mut count = 0_u64;
    while source.next(&mut book, &mut work)? {
        let wait = observed.get(work.id).map(|observation| observation.wait);
        writer.write(&book, &work, wait)?;
        count += 1;
    }
    print_line(&format!("{count} written, {} malformed rows left out", source.skipped()));
    Ok(())
}
