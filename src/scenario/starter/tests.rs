use super::*;
use crate::scenario::Scenario;

#[track_caller]
fn check(path: &Path) -> String {
    let named = path.file_name().unwrap().to_str().unwrap();
    let text = init_from(path, named).unwrap().text;
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

#[test]
fn own_columns_are_recognised() {
    let traces = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
    let machines = check(&traces.join("vms-small.csv"));
    for want in ["kind = \"vm\"", "column = \"lifetime_h\", unit = \"h\"", "vm-packing"] {
        assert!(machines.contains(want), "{want}: {machines}");
    }
    assert!(!machines.contains("A100"), "{machines}");
    let observed = check(&traces.join("batch-observed.csv"));
    for want in ["wait = { column = \"wait_s\", unit = \"s\" }", "unit = \"milli\"", "backtest"] {
        assert!(observed.contains(want), "{want}: {observed}");
    }
    assert!(!check(&traces.join("batch-small.swf")).contains("estimates"));
}

#[test]
fn wide_rows_and_bad_rows_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.csv");
    std::fs::write(&path, "submit_s,duration_s,num_gpus\n0,60,128\n5,60,1\n4,60,1\n,60,1\n")
        .unwrap();
    let text = check(&path);
    for want in [
        "gpus_per_task = 8",
        "1 of 4 rows (25.0 %) are left out: 1 malformed (line 5: the row has no arrival)",
        "unsorted",
    ] {
        assert!(text.contains(want), "{want}: {text}");
    }
    std::fs::write(&path, "submit_s,duration_s,gpus,gpu_model\n0,60,1,T4\n").unwrap();
    assert!(check(&path).contains("# gpu_models = { column = \"gpu_model\""));
    std::fs::write(&path, "submit_s,duration_s\nx,60\ny,60\n").unwrap();
    let problems = init_from(&path, "mine.csv").unwrap_err();
    assert!(problems[0].message.contains("2 of its 2 rows"), "{problems:?}");
}
