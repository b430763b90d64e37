//! Scenarios to begin with: one that is shipped, and one for a trace of the user's.

mod cluster;
mod survey;

use std::collections::BTreeMap;
use std::path::Path;

use crate::part::{Setting, SettingKind};
use crate::problem::Problems;
use crate::workload::{
    Column, ColumnOrigin, ColumnUnit, Field, Format, FormatSpec, Machines, TraceSpec, read_nodes,
    recognise,
};

use cluster::{PROCESSOR_GIB, cluster, processors, processors_load};
use survey::{TraceSurvey, survey};

/// The scenario of the first command in the README, and a commented one to start from.
pub fn quickstart() -> &'static str {
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/quickstart.toml"))
}

/// A scenario for a trace, with the warning that its user needs at once.
#[derive(Clone, Debug)]
pub struct Starter {
    /// The scenario.
    pub text: String,
    /// Rows that it leaves out, in words; `None` if it reads them all.
    pub left_out: Option<String>,
}

/// A runnable scenario for the trace at `path`, with what it takes for granted
/// as comments. `named` is the trace's path as the scenario is to name it,
/// relative to the scenario's folder.
///
/// # Errors
/// The file cannot be read, or looks like no workload.
pub fn init_from(path: &Path, named: &str) -> Result<Starter, Problems> {
    let shown = path.display().to_string();
    let recognised = recognise(path, &shown).map_err(Problems::from)?;
    let mut trace = TraceSpec::new(path, recognised.format);
    let assumed = assume(&mut trace.format);
    let survey = survey(&trace, (assumed.cpu, assumed.memory))?;
    let beginning = trace.beginning().map_err(Problems::from)?;
    let mut text = String::new();
    let mut line = |parts: &[&str]| {
        text.push_str(&parts.concat());
        text.push('\n');
    };
    line(&["# ", &one_line(&recognised.why)]);
    line(&["# What is marked `assumed` is a guess: put your own numbers there."]);
    line(&[""]);
    line(&["question = \"How would this workload have run under another policy?\""]);
    line(&["baseline = \"today\""]);
    line(&[""]);
    line(&["[workload]"]);
    line(&["trace = ", &quoted(named)]);
    rows_left_out(&survey, &mut line);
    if recognised.is_told {
        line(&["format = ", &quoted(trace.format.name())]);
    }
    for (name, value) in &settings(&trace.format, true) {
        line(&[name, " = ", value]);
    }
    if beginning.lacks_zone {
        line(&["# time_zone = \"Europe/Berlin\"   # of its dates; UTC is taken"]);
    }
    match beginning.known_runtimes {
        Some(why) => line(&["estimates = \"runtime\"         # assumed: ", why]),
        None => estimates(&survey, &mut line),
    }
    let own = settings(&trace.format, false);
    if !own.is_empty() {
        let own: Vec<String> =
            own.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        line(&[trace.format.name(), " = { ", &own.join(", "), " }"]);
    }
    columns(&trace.format, &assumed, &survey, &mut line);
    let cluster = match beginning.machines {
        Machines::Untold => cluster(&survey),
        Machines::Processors { given, nodes } => processor_nodes(&given, nodes, &survey),
        Machines::NodeList => listed(path, named).unwrap_or_else(|| cluster(&survey)),
    };
    if let Some(column) = &assumed.models {
        line(&[
            "# gpu_models = ",
            &column_text(column),
            "   # left out: one model is assumed below",
        ]);
    }
    line(&[""]);
    for row in cluster {
        line(&[&row]);
    }
    line(&[""]);
    policies(&survey, &mut line);
    Ok(Starter { text, left_out: left_out(&survey) })
}

/// Assumptions for what the columns of a table do not say.
#[derive(Debug, Default)]
struct Assumed {
    /// Milli-cores of every task.
    cpu: Option<u32>,
    /// MiB of every task.
    memory: Option<u32>,
    /// A column that is left out: the assumed cluster has one GPU model, on which work of any other
    /// would never run.
    models: Option<Column>,
}

/// Assumes what columns do not say, where the format has columns. Rows wider than a node are divided.
fn assume(format: &mut FormatSpec) -> Assumed {
    let Some(mut columns) = columns_of(format).cloned() else { return Assumed::default() };
    let models = columns.remove(&Field::GpuModels);
    let lacks = |field| !columns.contains_key(&field);
    let memory = if lacks(Field::Cpu) { 16 } else { 4 };
    let cpu = lacks(Field::Cpu).then_some(4_000);
    let memory = lacks(Field::Memory).then_some(memory << 10);
    if columns.contains_key(&Field::Gpus) {
        format.settings.set("gpus_per_task", Setting::Count(NODE_GPUS));
    }
    format.settings.set("columns", columns.into());
    Assumed { cpu, memory, models }
}

/// The columns among the settings of a format, where it has them.
fn columns_of(format: &FormatSpec) -> Option<&BTreeMap<Field, Column>> {
    let has = format.parameters().iter().any(|one| one.kind == SettingKind::Columns);
    has.then(|| format.settings.columns("columns"))
}

/// Settings other than the defaults as a scenario writes them: those that stand `beside` the trace, or
/// those in the format's own table. Columns have a table of their own, and wide rows a comment.
fn settings(format: &FormatSpec, beside: bool) -> Vec<(&'static str, String)> {
    let row = Format::named(format.name()).expect("every format has a row");
    let set = format.settings.iter().filter(|(parameter, value)| parameter.default != **value);
    let plain =
        set.filter(|(parameter, _)| !["columns", "gpus_per_task"].contains(&parameter.name));
    let written = plain.map(|(parameter, value)| {
        let value = match value {
            Setting::Flag(_) | Setting::Count(_) | Setting::Vcpus(_) => value.to_string(),
            _ => quoted(&value.to_string()),
        };
        (parameter.name, value)
    });
    written.filter(|(name, _)| row.beside.contains(name) == beside).collect()
}

/// Rows that become no work: how many, and why.
fn left_out(survey: &TraceSurvey) -> Option<String> {
    let stats = &survey.stats;
    let all = stats.count + stats.skipped + stats.dropped;
    let mut told = Vec::new();
    if let Some(first) = &survey.first_bad {
        told.push(format!("{} malformed (line {}: {})", stats.skipped, first.line, first.message));
    }
    for (note, rows) in stats.notes.rows().filter(|(note, _)| note.left_out()) {
        told.push(format!("{rows} {}", note.words().trim_start_matches("left out: ")));
    }
    let lost = stats.skipped + stats.dropped;
    let share = 100.0 * lost as f64 / all.max(1) as f64;
    let told = one_line(&told.join("; "));
    (lost > 0).then(|| format!("{lost} of {all} rows ({share:.1} %) are left out: {told}"))
}

/// Rows that are left out or that something is assumed of, and how malformed, repeated and
/// unsorted ones are to be read, where there are any.
fn rows_left_out(survey: &TraceSurvey, line: &mut impl FnMut(&[&str])) {
    if let Some(told) = left_out(survey) {
        line(&["# ", &told]);
    }
    for (note, rows) in survey.stats.notes.rows().filter(|(note, _)| !note.left_out()) {
        let unit = if rows == 1 { " row " } else { " rows " };
        line(&["# ", &rows.to_string(), unit, note.words()]);
    }
    if survey.first_bad.is_some() {
        line(&["on_bad_row = \"skip\""]);
    }
    if survey.stats.repeated_names > 0 {
        let again = survey.stats.repeated_names.to_string();
        line(&[
            "names = \"rows\"              # ",
            &again,
            " rows have a name that an earlier row has",
        ]);
    }
    if survey.unsorted {
        line(&["unsorted = \"sort\""]);
    }
}

/// Two policies to compare, and a third to wish for.
fn policies(survey: &TraceSurvey, line: &mut impl FnMut(&[&str])) {
    let (today, other, preset) = match survey.stats.jobs {
        0 => ("vm-packing", "spread", "kube-default"),
        _ => ("batch-backfill", "shortest", "batch-shortest"),
    };
    line(&["# As it runs today (assumed)."]);
    line(&["[policy.today]"]);
    line(&["preset = ", &quoted(today)]);
    line(&[""]);
    line(&["[policy.", other, "]"]);
    line(&["preset = ", &quoted(preset)]);
    line(&[""]);
    line(&["# To compare with a cloud, remove the marks:"]);
    line(&["# [cloud.aws]"]);
    line(&["# regions = [\"us-east-1\"]"]);
    line(&["# [policy.burst]"]);
    line(&["# preset = \"cloud-burst\""]);
    if survey.waits {
        line(&[""]);
        line(&[
            "# The trace says how long work waited: `windtunnel backtest` holds a policy to that.",
        ]);
    }
}

/// GPUs of a usual node: wider rows become gangs.
const NODE_GPUS: u64 = 8;

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Text fit for a comment.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// Estimates for jobs that come without one; a machine's lifetime is not estimated.
fn estimates(survey: &TraceSurvey, line: &mut impl FnMut(&[&str])) {
    let (without, all) = (survey.stats.without_estimate, survey.stats.count);
    if without == 0 || survey.stats.jobs == 0 {
        return;
    }
    let which = match without == all {
        true => "users ask for twice what they need".to_owned(),
        false => format!("for the {without} of {all} jobs without one"),
    };
    line(&["estimates = \"factor(2)\"       # assumed: ", &which]);
}

/// A cluster as large as the trace says: `given` are numbers of processors, which are on `nodes` nodes.
/// One node per processor, where the number of nodes is not known or does not divide them.
fn processor_nodes(given: &[i64], nodes: Option<i64>, survey: &TraceSurvey) -> Vec<String> {
    let widest = survey.stats.tasks.max as i64;
    let procs = given.iter().find(|count| (widest.max(1)..=1_000_000).contains(count));
    if let (Some(&procs), Some(nodes)) = (procs, nodes)
        && (1..procs).contains(&nodes)
        && procs % nodes == 0
    {
        let each = procs / nodes;
        return vec![
            processors_load(survey, procs as u64),
            "# If a job has its nodes alone, write `exclusive = true` into [workload].".to_owned(),
            "[cluster.batch]".to_owned(),
            format!("nodes = {nodes:<21}# MaxNodes of the header; its MaxProcs is {procs}"),
            format!(
                "shape = {{ vcpus = {each}, memory = \"{} GiB\" }}",
                each as f64 * PROCESSOR_GIB
            ),
            format!("cost = \"{:.2} USD/h\"           # per node, assumed", 0.03 * each as f64),
        ];
    }
    let (nodes, comment) = match procs {
        Some(&procs) => (procs as u64, "# as many as the header says; one node per processor"),
        None => (
            processors(&survey.stats),
            "# assumed: as the widest job needs, or to do the work in 75 % of the time; one node per processor",
        ),
    };
    vec![
        processors_load(survey, nodes),
        "# A processor is a node here. Where nodes have several: `nodes` and `vcpus` of the real ones, and".to_owned(),
        "# `exclusive = true` in [workload] if a job has its nodes alone.".to_owned(),
        "[cluster.batch]".to_owned(),
        format!("nodes = {nodes:<21}{comment}"),
        format!("shape = {{ vcpus = 1, memory = \"{PROCESSOR_GIB} GiB\" }}"),
        "cost = \"0.03 USD/h\"           # per processor, assumed".to_owned(),
    ]
}

/// The node list beside the trace, if there is one.
fn listed(path: &Path, named: &str) -> Option<Vec<String>> {
    let name = node_list(path)?;
    let folder = named.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    Some(vec![
        "[cluster.gpus]".to_owned(),
        "# Assumed: the list beside the pods is that of their machines.".to_owned(),
        format!("node_list = {}", quoted(&format!("{folder}{name}"))),
        "cost = \"10.00 USD/h\"          # per node, assumed".to_owned(),
    ])
}

/// The name of the first file beside `path` that looks like its node list.
fn node_list(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut names: Vec<String> = std::fs::read_dir(folder.unwrap_or(Path::new(".")))
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.contains("node") && name.contains(".csv"))
        .filter(|name| lists_machines(&folder.unwrap_or(Path::new(".")).join(name)))
        .collect();
    // The list that shares the longest beginning with the trace's name is its own.
    let own = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let shared = |name: &str| own.chars().zip(name.chars()).take_while(|(a, b)| a == b).count();
    names.sort_unstable_by_key(|name| (std::cmp::Reverse(shared(name)), name.clone()));
    names.into_iter().next()
}

/// Whether a file can be read as a list of machines that have memory.
fn lists_machines(path: &Path) -> bool {
    let shown = path.display().to_string();
    read_nodes(path, &shown).is_ok_and(|nodes| nodes.iter().any(|node| node.memory_mib > 0))
}

/// The columns of a table, and what is assumed for those that it lacks.
fn columns(
    format: &FormatSpec,
    assumed: &Assumed,
    survey: &TraceSurvey,
    line: &mut impl FnMut(&[&str]),
) {
    let Some(columns) = columns_of(format) else { return };
    if assumed.cpu.is_some() {
        line(&["vcpus = 4                     # assumed: no column is taken for it"]);
    }
    if let Some(mib) = assumed.memory {
        let memory = quoted(&format!("{} GiB", mib >> 10));
        line(&["memory = ", &format!("{memory:<20}"), " # assumed: no column is taken for it"]);
    }
    if format.settings.count("gpus_per_task").is_some() && survey.stats.tasks.max > 1.0 {
        line(&[
            "gpus_per_task = 8             # assumed: wider rows are gangs of tasks on nodes of 8 GPUs",
        ]);
    }
    line(&[""]);
    line(&["[workload.columns]            # guessed: check the units"]);
    for (field, column) in columns {
        line(&[field.name(), " = ", &column_text(column)]);
    }
}

fn column_text(column: &Column) -> String {
    let from = match &column.from {
        ColumnOrigin::Header(header) => format!("column = {}", quoted(header)),
        ColumnOrigin::Number(number) => format!("number = {number}"),
        ColumnOrigin::Constant(text) => format!("constant = {}", quoted(text)),
    };
    let known = ColumnUnit::ALL.iter().find(|(_, unit)| *unit == column.unit);
    let unit = match (known, column.unit) {
        (Some((name, _)), _) => (*name).to_owned(),
        (None, ColumnUnit::FractionOf(whole)) => format!("fraction of {whole}"),
        (None, _) => return format!("{{ {from} }}"),
    };
    let scale = match column.scale {
        1.0 => String::new(),
        scale => format!(", scale = {scale}"),
    };
    format!("{{ {from}, unit = {}{scale} }}", quoted(&unit))
}

#[cfg(test)]
mod tests;
