//! Formats of traces as rows: every documented default is what the reader uses, and every row has what
//! follows from it.

use windtunnel::model::{Interner, Work};
use windtunnel::part::{Parameter, Setting, SettingKind};
use windtunnel::scenario::{self, Scenario};
use windtunnel::workload::{FORMATS, Format};

/// A file that `format` reads whatever its parameters, and what a scenario must say to have it read.
fn example(format: &Format) -> (&'static str, &'static str) {
    let has_columns = format.beside().any(|one| one.kind == SettingKind::Columns);
    match has_columns {
        true => (
            "a,r,g\n0,5,16\n7,1,1\n",
            "columns = { arrival = \"a\", runtime = \"r\", gpus = \"g\" }\n",
        ),
        false => (format.sample, ""),
    }
}

/// The work of `format`'s example and what was assumed, where `[workload]` says this besides.
fn read(format: &Format, more: &str) -> (Vec<Work>, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, needed) = example(format);
    std::fs::write(folder.path().join("trace"), file).expect("written");
    let name = format.part.name;
    let text = format!(
        "question = \"?\"\n[workload]\ntrace = \"trace\"\nformat = \"{name}\"\nunsorted = \"sort\"\n\
         {needed}{more}\n[cluster.c]\nnodes = 2\nshape = {{ vcpus = 4, memory = \"8 GiB\" }}\n\
         [policy.p]\npreset = \"batch-fcfs\"\n"
    );
    let scenario = Scenario::parse(&text, "a.toml", folder.path(), &[]);
    let scenario = scenario.unwrap_or_else(|problems| panic!("{problems:?}: {text}"));
    let mut source = scenario.workload.open(&scenario.context(1, true)).expect("it opens");
    let (mut book, mut work, mut all) = (Interner::default(), Work::default(), Vec::new());
    while source.next(&mut book, &mut work).expect("it can be read") {
        all.push(work.clone());
    }
    assert!(!all.is_empty(), "{text}");
    (all, scenario.workload.assumptions())
}

/// `parameter` of `format` with this value, as a line of `[workload]`.
fn line(format: &Format, parameter: &Parameter, value: &Setting) -> String {
    let value = match value {
        Setting::Flag(_) | Setting::Count(_) | Setting::Vcpus(_) => value.to_string(),
        _ => format!("\"{value}\""),
    };
    match format.beside.contains(&parameter.name) {
        true => format!("{} = {value}", parameter.name),
        false => format!("{} = {{ {} = {value} }}", format.part.name, parameter.name),
    }
}

#[test]
fn a_documented_default_is_what_is_used_without_the_key() {
    for format in FORMATS {
        let without = read(format, "");
        for parameter in format.part.parameters {
            let path = match format.beside.contains(&parameter.name) {
                true => format!("workload.{}", parameter.name),
                false => format!("workload.{}.{}", format.part.name, parameter.name),
            };
            let key = scenario::keys().iter().find(|key| key.path == path).expect("it is a key");
            let default = parameter.default.to_string();
            assert!(key.default.contains(&default), "{path}: {} is not {default}", key.default);
            if !default.is_empty() && parameter.kind != SettingKind::Columns {
                let with = read(format, &line(format, parameter, &parameter.default));
                assert_eq!(with, without, "{path}");
            }
        }
    }
}

/// Some other value of each kind changes what is read or assumed, or is refused, or is of a field
/// that the example does not have.
#[test]
fn other_values_are_used() {
    for (name, parameter, value) in [
        ("swf", "vcpus_per_proc", Setting::Vcpus(500)),
        ("swf", "memory_per_proc", Setting::Memory(512)),
        ("swf", "tenant", Setting::Word("nobody")),
        ("swf", "unknown_runtime", Setting::Unset("10 s")),
        ("openb", "kind", Setting::Word("job")),
        ("openb", "arrivals_only", Setting::Flag(true)),
        ("sacct", "time_zone", Setting::Unset("Europe/Berlin")),
        ("sacct", "arrival", Setting::Word("submit")),
        ("mapped", "kind", Setting::Word("vm")),
        ("mapped", "gpus_per_task", Setting::Count(8)),
    ] {
        let format = Format::named(name).expect("it is a format");
        let found = format.part.parameters.iter().find(|one| one.name == parameter);
        let line = line(format, found.expect("it is a parameter"), &value);
        assert_ne!(read(format, &line), read(format, ""), "{name}: {line}");
    }
}

/// A key of another format is told, with the format that has it.
#[test]
fn keys_of_other_formats_are_refused() {
    for (name, line, hint) in [
        ("native", "swf = { drop_zero = true }", "set `format = \"swf\"`, or remove `swf`"),
        (
            "swf",
            "time_zone = \"UTC\"",
            "set `format = \"sacct\"` or `format = \"mapped\"`, or remove `time_zone`",
        ),
        (
            "swf",
            "kind = \"vm\"",
            "set `format = \"openb\"` or `format = \"mapped\"`, or remove `kind`",
        ),
        ("sacct", "gpus_per_task = 8", "set `format = \"mapped\"`, or remove `gpus_per_task`"),
    ] {
        let text = format!(
            "question = \"?\"\n[workload]\ntrace = \"trace\"\nformat = \"{name}\"\n{line}\n\
             [cluster.c]\nnodes = 2\nshape = {{ vcpus = 4, memory = \"8 GiB\" }}\n\
             [policy.p]\npreset = \"batch-fcfs\"\n"
        );
        let folder = tempfile::tempdir().expect("a folder");
        let format = Format::named(name).expect("it is a format");
        std::fs::write(folder.path().join("trace"), format.sample).expect("written");
        let problems = Scenario::parse(&text, "a.toml", folder.path(), &[]).expect_err("refused");
        let hints: Vec<&str> = problems.iter().filter_map(|one| one.hint.as_deref()).collect();
        assert_eq!(hints, [hint], "{problems:?}");
        assert!(problems[0].message.contains("says nothing about a trace of format"));
    }
}
