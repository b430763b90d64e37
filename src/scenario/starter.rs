//! Scenarios to begin with: one that is shipped, and one for a trace of the user's.

use std::path::Path;

use crate::problem::Problem;
use crate::workload::{
    Column, Field, Format, Mapping, OnBadRow, Origin, TraceSpec, Unit, Unsorted, read_nodes,
    recognise,
};

/// The scenario of the first command in the README, and a commented one to start from.
pub fn quickstart() -> &'static str {
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/quickstart.toml"))
}

/// A runnable scenario for the trace at `path`, with what it takes for granted
/// as comments. `named` is the trace's path as the scenario is to name it,
/// relative to the scenario's folder.
///
/// # Errors
/// The file cannot be read, or looks like no workload.
pub fn init_from(path: &Path, named: &str) -> Result<String, Vec<Problem>> {
    let shown = path.display().to_string();
    let recognised = recognise(path, &shown).map_err(|problem| vec![problem])?;
    let Some(recognised) = recognised else {
        let message = "does not look like a workload";
        let hint = "write a scenario with `format = \"mapped\"` and `[workload.columns]`; see docs/scenario.md";
        return Err(vec![Problem::with(&shown, message).hint(hint)]);
    };
    let mut text = String::new();
    let mut line = |parts: &[&str]| {
        text.push_str(&parts.concat());
        text.push('\n');
    };
    line(&["# ", &recognised.why.replace('\n', " ")]);
    line(&["# What is marked `assumed` is a guess: put your own numbers there."]);
    line(&[""]);
    line(&["question = \"How would this workload have run under another policy?\""]);
    line(&["baseline = \"today\""]);
    line(&[""]);
    line(&["[workload]"]);
    line(&["trace = ", &quoted(named)]);
    let cluster = match &recognised.format {
        Format::Native => native(&mut line),
        Format::Swf(_) => swf(path, &shown, &recognised.format, &mut line)?,
        Format::Openb(options) => openb(path, named, options.arrivals_only, &mut line),
        Format::Mapped(mapping) => mapped(mapping, &mut line),
    };
    line(&[""]);
    for row in cluster {
        line(&[&row]);
    }
    line(&[""]);
    line(&["# As it runs today (assumed)."]);
    line(&["[policy.today]"]);
    line(&["preset = \"batch-backfill\""]);
    line(&[""]);
    line(&["[policy.shortest]"]);
    line(&["preset = \"batch-shortest\""]);
    line(&[""]);
    line(&["# To compare with a cloud, remove the marks:"]);
    line(&["# [cloud.aws]"]);
    line(&["# regions = [\"us-east-1\"]"]);
    line(&["# [policy.burst]"]);
    line(&["# preset = \"cloud-burst\""]);
    Ok(text)
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn rows(rows: &[&str]) -> Vec<String> {
    rows.iter().map(|row| (*row).to_owned()).collect()
}

/// A cluster that nothing in the trace tells us about.
fn assumed_cluster() -> Vec<String> {
    rows(&[
        "[cluster.owned]               # assumed: the trace does not say what it ran on",
        "nodes = 20",
        "shape = { vcpus = 64, memory = \"256 GiB\", gpus = \"8 x A100-80GB\" }",
        "cost = \"12.00 USD/h\"          # per node, assumed",
    ])
}

fn native(line: &mut impl FnMut(&[&str])) -> Vec<String> {
    line(&["estimates = \"factor(2)\"       # assumed: users ask for twice what they need"]);
    assumed_cluster()
}

/// The cluster is as large as the log's header says, one node per processor.
fn swf(
    path: &Path,
    shown: &str,
    format: &Format,
    line: &mut impl FnMut(&[&str]),
) -> Result<Vec<String>, Vec<Problem>> {
    let trace = TraceSpec {
        path: path.to_owned(),
        shown: shown.to_owned(),
        format: format.clone(),
        on_bad_row: OnBadRow::Fail,
        unsorted: Unsorted::Fail,
    };
    let header = trace.swf_header().map_err(|problem| vec![problem])?;
    let known = |key| header.number(key).filter(|count| (1..=1_000_000).contains(count));
    let procs = known("MaxProcs").or_else(|| known("MaxNodes"));
    line(&["estimates = \"factor(2)\"       # assumed, for records without a requested time"]);
    let comment = match procs {
        Some(_) => "# as many as the header says; one node per processor",
        None => "# assumed: the header does not say how many",
    };
    Ok(vec![
        "[cluster.batch]".to_owned(),
        format!("nodes = {:<21}{comment}", procs.unwrap_or(256)),
        "shape = { vcpus = 1, memory = \"4 GiB\" }".to_owned(),
        "cost = \"0.03 USD/h\"           # per processor, assumed".to_owned(),
    ])
}

/// The node list beside the pods, if there is one.
fn openb(
    path: &Path,
    named: &str,
    arrivals_only: bool,
    line: &mut impl FnMut(&[&str]),
) -> Vec<String> {
    line(&["estimates = \"runtime\"         # assumed: lifetimes are known when pods arrive"]);
    if arrivals_only {
        line(&["openb = { arrivals_only = true }"]);
    }
    let beside = node_list(path);
    let Some(name) = beside else { return assumed_cluster() };
    let folder = named.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    vec![
        "[cluster.gpus]".to_owned(),
        "# Assumed: the list beside the pods is that of their machines.".to_owned(),
        format!("node_list = {}", quoted(&format!("{folder}{name}"))),
        "cost = \"10.00 USD/h\"          # per node, assumed".to_owned(),
    ]
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

fn mapped(mapping: &Mapping, line: &mut impl FnMut(&[&str])) -> Vec<String> {
    line(&["format = \"mapped\""]);
    if mapping.kind == crate::model::Kind::VirtualMachine {
        line(&["kind = \"vm\""]);
    }
    match mapping.delimiter {
        b',' => {}
        b'\t' => line(&["delimiter = \"\\t\""]),
        other => line(&["delimiter = \"", &char::from(other).to_string(), "\""]),
    }
    if !mapping.has_header {
        line(&["header = false"]);
    }
    line(&["unsorted = \"sort\""]);
    line(&["estimates = \"factor(2)\"       # assumed: users ask for twice what they need"]);
    if !mapping.columns.contains_key(&Field::Cpu) {
        line(&["vcpus = 4                     # assumed: the trace does not say"]);
    }
    if !mapping.columns.contains_key(&Field::Memory) {
        line(&["memory = \"16 GiB\"             # assumed: the trace does not say"]);
    }
    line(&[""]);
    line(&["[workload.columns]            # guessed: check the units"]);
    for (field, column) in &mapping.columns {
        line(&[field.name(), " = ", &column_text(column)]);
    }
    assumed_cluster()
}

fn column_text(column: &Column) -> String {
    let from = match &column.from {
        Origin::Header(header) => format!("column = {}", quoted(header)),
        Origin::Number(number) => format!("number = {number}"),
        Origin::Constant(text) => format!("constant = {}", quoted(text)),
    };
    let known = Unit::ALL.iter().find(|(_, unit)| *unit == column.unit);
    let unit = match (known, column.unit) {
        (Some((name, _)), _) => (*name).to_owned(),
        (None, Unit::FractionOf(whole)) => format!("fraction of {whole}"),
        (None, _) => return format!("{{ {from} }}"),
    };
    format!("{{ {from}, unit = {} }}", quoted(&unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    #[track_caller]
    fn check(path: &Path) -> String {
        let named = path.file_name().unwrap().to_str().unwrap();
        let text = init_from(path, named).unwrap();
        let read = Scenario::parse(&text, "new.toml", path.parent().unwrap(), &[]);
        let problems: Vec<String> =
            read.err().unwrap_or_default().iter().map(ToString::to_string).collect();
        assert_eq!(problems, Vec::<String>::new(), "{text}");
        text
    }

    #[test]
    fn a_scenario_for_each_example_trace_is_read() {
        let traces = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
        assert!(check(&traces.join("batch-small.swf")).contains("nodes = 256"));
        assert!(check(&traces.join("gpu-pods-small.csv")).contains("gpu-nodes-small.csv"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.csv");
        std::fs::write(&path, "submit_time;duration;cpus\n2026-01-01 00:00:05;66.0;1\n").unwrap();
        let text = check(&path);
        assert!(
            text.contains("arrival = { column = \"submit_time\", unit = \"timestamp\" }"),
            "{text}"
        );
        std::fs::write(&path, "a,b\n1,2\n").unwrap();
        assert!(init_from(&path, "mine.csv").is_err());
    }
}
