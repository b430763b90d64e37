//! Two scenarios of one comparison: their labels and their differences.

use std::path::{Path, PathBuf};

use super::super::exit::Stop;
use windtunnel::input;
use windtunnel::report::Between;
use windtunnel::scenario::{Scenario, differences};
use windtunnel::workload::{TraceSpec, WorkloadInput};

/// Label of each scenario: its name, with the folders above it where two files have the same, and
/// numbered where they are one file.
pub(super) fn labels(scenarios: &[Scenario]) -> Vec<String> {
    let [one, other] = scenarios else {
        return scenarios.iter().map(|scenario| scenario.name.clone()).collect();
    };
    if one.name != other.name {
        return vec![one.name.clone(), other.name.clone()];
    }
    let mut labels = [one.name.clone(), other.name.clone()];
    let mut above = [one, other].map(|scenario| folders(&scenario.path).into_iter());
    while labels[0] == labels[1] {
        let [Some(first), Some(second)] = [above[0].next(), above[1].next()] else {
            labels[1] += " (2)";
            break;
        };
        labels = [format!("{first}/{}", labels[0]), format!("{second}/{}", labels[1])];
    }
    // Paths that are the same as a whole tell nothing apart, so the labels leave them out.
    if labels[1].ends_with(" (2)") {
        labels = [one.name.clone(), format!("{} (2)", other.name)];
    }
    labels.into()
}

/// The folders that a file lies in, the innermost first.
fn folders(path: &str) -> Vec<String> {
    let path = Path::new(path).canonicalize().unwrap_or_else(|_| PathBuf::from(path));
    let names = path.ancestors().skip(1).filter_map(Path::file_name);
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

/// Differences between two scenarios; `None` where there is only one.
///
/// # Errors
/// A trace cannot be read.
pub(super) fn between(scenarios: &[Scenario], labels: &[String]) -> Result<Option<Between>, Stop> {
    let [one, other] = scenarios else { return Ok(None) };
    Ok(Some(Between {
        names: [labels[0].clone(), labels[1].clone()],
        differences: differences(&one.text, &other.text),
        same_work: same_work(one, other)?,
    }))
}

/// The promises are those of the first scenario, under all policies.
pub(super) fn share_promises(scenarios: &mut [Scenario]) {
    if let [one, other] = scenarios {
        other.objectives.clone_from(&one.objectives);
    }
}

/// Whether both have the same work at the same times, whatever their files are called.
fn same_work(one: &Scenario, other: &Scenario) -> Result<bool, Stop> {
    let clocks = |of: &Scenario| (of.seed, of.horizon, of.calendar);
    if clocks(one) != clocks(other) {
        return Ok(false);
    }
    let mut workload = other.workload.clone();
    if let (WorkloadInput::Trace(first), WorkloadInput::Trace(second)) =
        (&one.workload.input, &other.workload.input)
        && first.path.as_os_str() != "-"
        && input::hash(&first.path)? == input::hash(&second.path)?
    {
        let (path, shown) = (first.path.clone(), first.shown.clone());
        workload.input = WorkloadInput::Trace(TraceSpec { path, shown, ..second.clone() });
    }
    Ok(one.workload == workload)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "question = \"?\"\n[workload.synthetic]\ncount = 2\narrivals = { every = \"1 h\" }\n\
        class.a = { runtime = \"1 h\", vcpus = 1 }\n[cluster.c]\nnodes = 1\n\
        shape = { vcpus = 1, memory = \"1 GiB\" }\n[policy.p]\npreset = \"batch-fcfs\"\n";

    fn pair(paths: [&str; 2], change: (&str, &str)) -> Vec<Scenario> {
        let texts = [TEXT.to_owned(), TEXT.replace(change.0, change.1)];
        let read = |(text, path): (&String, &str)| {
            let read = Scenario::parse(text, path, Path::new(""), &[]);
            read.unwrap_or_else(|problems| panic!("{problems:?}"))
        };
        texts.iter().zip(paths).map(read).collect()
    }

    #[test]
    fn labels_differ_even_where_names_do_not() {
        let labels = |paths| labels(&pair(paths, ("", "")));
        assert_eq!(labels(["a/x.toml", "b/y.toml"]), ["x", "y"]);
        assert_eq!(labels(["a/x.toml", "b/x.toml"]), ["a/x", "b/x"]);
        assert_eq!(labels(["a/c/x.toml", "b/c/x.toml"]), ["a/c/x", "b/c/x"]);
        assert_eq!(labels(["a/x.toml", "a/x.toml"]), ["x", "x (2)"]);
    }

    #[track_caller]
    fn check(change: (&str, &str), same_work: bool, keys: &[&str]) {
        let scenarios = pair(["a/x.toml", "b/x.toml"], change);
        let found = between(&scenarios, &labels(&scenarios)).ok().flatten().expect("there are two");
        let differ: Vec<&str> = found.differences.iter().map(|one| one.key.as_str()).collect();
        assert_eq!((found.same_work, differ.as_slice()), (same_work, keys));
    }

    #[test]
    fn the_same_work_is_told_from_other_work() {
        check(("nodes = 1", "nodes = 3"), true, &["cluster.c.nodes"]);
        check(("count = 2", "count = 3"), false, &["workload.synthetic.count"]);
        check(("question", "seed = 9\nquestion"), false, &["seed"]);
        // A default that is written out makes no other work.
        check(("question", "seed = 1\nquestion"), true, &["seed"]);
    }
}
