use super::*;
use expect_test::{Expect, expect};

fn read(text: &str) -> Result<Suite, Problems> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    Suite::parse(text, "s.toml", &base)
}

#[track_caller]
fn check(text: &str, want: Expect) {
    let problems = read(text).err().into_iter().flatten();
    want.assert_eq(&problems.map(|problem| format!("{problem}\n")).collect::<String>());
}

#[test]
fn a_suite_is_read() {
    let suite = read(
        "replications = 3\nconfidence = \"99 %\"\nunclear = \"fail\"\n\
         [gates]\ncost_total = \"+2 %\"\nfinished = \"-0.5 pp\"\nevents = \"exact\"\n\
         [scenario.batch-cluster]\npolicies = [\"easy\", \"fcfs\"]\n\
         [scenario.q]\nfile = \"quickstart.toml\"\nreplications = 7\nwarm_up = \"2 h\"\n\
         gates = { events = \"off\", wait_p95 = \"+90 s\", instance_hours = \"±5\" }\n",
    )
    .expect("it is right");
    assert_eq!((suite.confidence, suite.unclear_fails), (0.99, true));
    assert!(suite.baselines.ends_with("scenarios/baselines"));
    let [batch, quick] = suite.scenarios.as_slice() else { panic!("two scenarios") };
    assert_eq!((batch.policies.as_slice(), batch.replications), ([0, 1].as_slice(), 3));
    assert_eq!((quick.policies.len(), quick.replications), (4, 7));
    assert_eq!(quick.warm_up, Some(Span::from_secs(7_200)));
    let shown = |tested: &Tested| -> Vec<String> {
        let one = |gate: &Gate| format!("{} {:?}", gate.subject.key(), gate.tolerance);
        tested.gates.iter().map(one).collect()
    };
    assert_eq!(
        shown(batch),
        ["cost_total Relative(0.02)", "finished Absolute(0.005)", "events Exact"]
    );
    assert_eq!(
        shown(quick),
        [
            "cost_total Relative(0.02)",
            "finished Absolute(0.005)",
            "wait_p95 Absolute(90.0)",
            "instance_hours Absolute(5.0)"
        ]
    );
}

#[test]
fn a_gate_on_what_finishes_is_there_unless_something_else_is_said() {
    for (gates, own, want) in [
        ("wait_p95 = \"+1 s\"", "", "wait_p95 +1 s, finished -0.1 pp"),
        ("", "wait_p95 = \"+1 s\"", "wait_p95 +1 s, finished -0.1 pp"),
        ("finished = \"-2 pp\"", "", "finished -2 pp"),
        ("wait_p95 = \"+1 s\"", "finished = \"off\"", "wait_p95 +1 s"),
        ("wait_p95 = \"+1 s\"\nfinished = \"off\"", "", "wait_p95 +1 s"),
        // The same events finish the same work.
        ("events = \"exact\"", "", "events exact"),
        (
            "cost_total = \"+1 %\"\nevents = \"exact\"",
            "events = \"off\"",
            "cost_total +1 %, finished -0.1 pp",
        ),
    ] {
        let text = format!("[gates]\n{gates}\n[scenario.quickstart]\ngates = {{ {own} }}\n");
        let suite = read(&text).expect("it is right");
        let shown = |gate: &Gate| format!("{} {}", gate.subject.key(), gate.text);
        let shown: Vec<String> = suite.scenarios[0].gates.iter().map(shown).collect();
        assert_eq!(shown.join(", "), want, "{text}");
    }
}

#[test]
fn everything_wrong_is_said_at_once() {
    check(
        "replication = 3\nconfidence = 95\nunclear = \"maybe\"\n\
         [gates]\ncost = \"+2 %\"\ncost_total = \"-2 %\"\nfinished = \"+1 pp\"\n\
         wait_p95 = \"+5\"\nevents = \"+1 %\"\nmakespan = \"off\"\ninstance_hours = \"+1 %\"\n\
         [scenario.nowhere]\n\
         [scenario.quickstart]\npolicies = [\"tody\"]\nwindow = \"1 d\"\nresample = \"1 d\"\n",
        expect![[r#"
            s.toml:1:1: unknown key `replication`
              hint: did you mean `replications`?
            s.toml:2:14: `confidence` must be a percentage from 50 % to 99 % such as `"12 %"`, found `95`
              hint: give its unit: `"95 %"`
            s.toml:3:11: `unclear` must be `"pass"` or `"fail"`, found `"maybe"`
            s.toml:5:1: there is no metric called `cost`
              hint: did you mean `cost_total`?
            s.toml:6:14: `-2 %` is no margin for `cost_total`
              hint: worse is `+` here: did you mean `"+2 %"`?
            s.toml:7:12: `+1 pp` is no margin for `finished`
              hint: worse is `-` here: did you mean `"-1 pp"`?
            s.toml:8:12: `+5` is no margin for `wait_p95`
              hint: write `"+2 %"`, `"+30 s"` or `"exact"`
            s.toml:9:10: `+1 %` is no margin for `events`
              hint: `events` are compared byte by byte: write `"exact"`
            s.toml:10:12: `off` is no margin for `makespan`
              hint: write `"+2 %"`, `"+30 s"` or `"exact"`
            s.toml:11:18: `+1 %` is no margin for `instance_hours`
              hint: worse is `±` here: did you mean `"±1 %"`?
            s.toml:12:11: there is no scenario file `nowhere.toml`
              hint: `file` is relative to the suite's folder
            s.toml:14:13: the scenario has no policy called `tody`
              hint: did you mean `today`?
            s.toml:16:12: windows and blocks cannot be had at once
              hint: choose one of them
        "#]],
    );
    check(
        "",
        expect![[r#"
        s.toml:1:1: the suite has no scenarios
          hint: add `[scenario.NAME]` with `file = "NAME.toml"`
    "#]],
    );
    check(
        "[scenario.quickstart]\n",
        expect![[r#"
            s.toml:1:11: nothing is asked of `quickstart`
              hint: add `[gates]` with `events = "exact"` or `cost_total = "+2 %"`
        "#]],
    );
    let broken = read("[gates]\nevents = \"exact\"\n[scenario.x]\nfile = \"../Cargo.toml\"\n");
    let problems = broken.expect_err("that is no scenario");
    assert!(problems[0].path.ends_with("Cargo.toml"), "{problems:?}");
    check(
        "[gates]\nfinished = \"-101 %\"\nutilisation_cpu = \"-101 pp\"\ncost_total = \"+101 %\"\n\
         deadlines_met = \"-100 %\"\n[scenario.quickstart]\ngates = { finished = \"-200 pp\" }\n",
        expect![[r#"
            s.toml:2:12: `-101 %` is no margin for `finished`
              hint: nothing falls by more than `100 %` of what it was
            s.toml:3:19: `-101 pp` is no margin for `utilisation_cpu`
              hint: no share moves by more than `100 pp`
            s.toml:7:22: `-200 pp` is no margin for `finished`
              hint: no share moves by more than `100 pp`
        "#]],
    );
    check(
        "a = = 1\n",
        expect![[r#"
        s.toml:1:1: unknown key `a`
          hint: known keys: replications, confidence, unclear, baselines, gates, scenario
        s.toml:1:1: the suite has no scenarios
          hint: add `[scenario.NAME]` with `file = "NAME.toml"`
        s.toml:1:5: extra `=`, expected nothing
        s.toml:1:7: unexpected key or value, expected newline, `#`
    "#]],
    );
}
