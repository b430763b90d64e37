use super::divergence::divergence_words;
use super::*;
use crate::experiment::check::BrokenObjective;
use crate::experiment::{EntryReason, EventLogEntry, PolicyView};
use crate::metrics::{METRICS, Metric};
use crate::scenario::{BoundDirection, Gate, Objective, Subject, Tolerance};

/// A check of a shipped scenario in which one policy has become dearer.
pub(in crate::report) fn regressed(then: impl FnOnce(&CheckReport<'_>)) {
    let mut suite = Suite::load("scenarios/suite.toml".as_ref()).expect("it is shipped");
    suite.scenarios.retain(|tested| tested.name == "batch-cluster");
    let subject = Subject::Metric(&METRICS[0]);
    let gate = Gate { subject, tolerance: Tolerance::Relative(0.02), text: "+2 %".to_owned() };
    let finding = |outcome, now| Finding {
        gate: &gate,
        base: Some(1_512.45),
        now: Some(now),
        half_width: Some(12.0),
        p: Some(0.001),
        outcome,
        why: "worse by more than the margin".to_owned(),
    };
    let moved =
        vec![MovedMetric { metric: &METRICS[0], base: Some(1_512.45), now: Some(1_688.95) }];
    let verdicts = |policy, finding, moved, differs_in| GateVerdicts {
        scenario: "batch-cluster",
        policy,
        findings: vec![finding],
        moved,
        broken: Vec::new(),
        redefined: Vec::new(),
        replications: 5,
        differs_in,
    };
    let same = verdicts("easy", finding(GateOutcome::Same, 1_512.45), Vec::new(), None);
    let mut worse = verdicts("shortest", finding(GateOutcome::Regressed, 1_688.95), moved, Some(0));
    let objective = Objective {
        metric: Metric::named("cost_total").expect("a metric"),
        comparison: BoundDirection::AtMost,
        bound: 1_600.0,
        text: "<= 1600 USD".to_owned(),
        window: None,
    };
    let (base, now) = (1_512.45, Some(1_688.95));
    worse.broken = vec![BrokenObjective { objective: &objective, metric: &METRICS[0], base, now }];
    let parting = FirstDivergence {
        replication: 0,
        seed: 1,
        agreed: 2,
        parted: 3,
        base: Some(step("a starts", Some("a"), &[])),
        now: Some(EventLogEntry {
            seen: Some(seen()),
            ..step("b starts", Some("b"), &[("a", "waits: no room")])
        }),
        caution: None,
    };
    then(&CheckReport {
        suite: &suite,
        rows: vec![(&same, None), (&worse, Some(&parting))],
        cautions: Vec::new(),
        left_out: vec![LeftOut {
            scenario: "batch-cluster".to_owned(),
            policy: Some("fcfs".to_owned()),
            why: "b.toml: the baseline is stale. Hint: store it anew".to_owned(),
        }],
    });
}

fn seen() -> PolicyView {
    PolicyView {
        triggers: "1 arrived".to_owned(),
        waiting: 3,
        queue: vec!["a".to_owned(), "b".to_owned()],
        running: 1_000,
        booting: 0,
        free_cpu_milli: 1_500,
        free_memory_mib: 2_048,
        free_gpu_milli: 0,
    }
}

fn step(what: &str, work: Option<&str>, reasons: &[(&str, &str)]) -> EventLogEntry {
    let reason = |&(work, why): &(&str, &str)| EntryReason {
        time_us: 0,
        work: work.to_owned(),
        why: why.to_owned(),
    };
    EventLogEntry {
        record: 3,
        time_us: 0,
        date: "d".to_owned(),
        what: what.to_owned(),
        work: work.map(str::to_owned),
        seen: None,
        reasons: reasons.iter().map(reason).collect(),
    }
}

#[track_caller]
fn check(parting: FirstDivergence, want: &[&str]) {
    let verdicts = GateVerdicts {
        scenario: "s",
        policy: "p",
        findings: Vec::new(),
        moved: Vec::new(),
        broken: Vec::new(),
        redefined: Vec::new(),
        replications: 1,
        differs_in: Some(0),
    };
    let words = divergence_words(&verdicts, &parting);
    assert_eq!(words[0], "First divergence: p in s, seed 1");
    assert_eq!(words[1..], *want);
}

/// An instance is rented for work that waits, so what was decided about that is
/// told, on both sides.
#[test]
fn a_divergence_says_what_each_side_decided_and_why() {
    let waits = ("a", "waits: no room");
    let known = FirstDivergence {
        replication: 0,
        seed: 1,
        agreed: 2,
        parted: 3,
        base: Some(step("x is requested", None, &[("a", "y not taken: dear"), ("a", "x chosen")])),
        now: Some(step("b is submitted", Some("b"), &[("c", "waits: no room"), waits])),
        caution: None,
    };
    let told = [
        "  the first 2 records agree; they part at record 3",
        "  baseline: after 0 s (d): x is requested",
        "  now: after 0 s (d): b is submitted",
        "    baseline, after 0 s: a: x chosen",
        "    baseline, after 0 s: a: y not taken: dear",
        "    now, after 0 s: a: waits: no room",
    ];
    check(known.clone(), &told);
    let half = FirstDivergence {
        agreed: 0,
        parted: 128,
        base: None,
        caution: Some("one side only".to_owned()),
        ..known
    };
    let told = [
        "  the first 0 records agree; they part somewhere in records 1 to 128",
        "  now, from there on: after 0 s (d): b is submitted",
        "  one side only",
    ];
    check(half, &told);
}

#[test]
fn shares_differ_by_points_and_all_else_by_a_share() {
    let words = |unit, base, now| super::document::changed(unit, Some(base), Some(now)).text;
    assert_eq!(words("share", 0.833, 0.83), "−0.3 pp");
    assert_eq!(words("USD", 100.0, 90.0), "−10.0 %");
    assert_eq!(words("USD", 0.0, 90.0), "+$90.00");
}

/// A gate that is beyond its margin by less than the usual digits show is told with more of them, in the
/// same words on the terminal and in JUnit's file, where a broken promise is a case that is skipped.
#[test]
fn junit_says_what_the_terminal_says() {
    regressed(|report| {
        let mut xml = Vec::new();
        report.write_junit(&mut xml).expect("memory takes everything");
        let xml = String::from_utf8(xml).expect("it is text");
        let (verdicts, _) = report.rows[1];
        let row = super::document::row_of(verdicts, &verdicts.findings[0]);
        for cell in &row[2..] {
            assert!(xml.contains(&cell.text), "no `{}` in {xml}", cell.text);
        }
        let (case, rest) = xml.split_once("name=\"promise cost_total ").expect("a case");
        assert!(case.ends_with("<testcase classname=\"batch-cluster.shortest\" "), "{xml}");
        let told =
            "<skipped message=\"was kept and now is not: baseline $1,512.45, now $1,688.95; no";
        assert!(rest.contains(told), "{xml}");
        assert!(xml.contains(" skipped=\"1\">"), "{xml}");
    });
}

#[test]
fn a_gate_is_shown_with_the_digits_that_it_takes() {
    let share = METRICS.iter().find(|metric| metric.unit == "share").expect("one is");
    let shown = |metric: &'static Metric, tolerance, (base, now)| {
        let subject = Subject::Metric(metric);
        let gate = Gate { subject, tolerance, text: String::new() };
        let finding = Finding {
            gate: &gate,
            base: Some(base),
            now: Some(now),
            half_width: None,
            p: None,
            outcome: GateOutcome::Regressed,
            why: String::new(),
        };
        let verdicts = GateVerdicts {
            scenario: "s",
            policy: "p",
            findings: Vec::new(),
            moved: Vec::new(),
            broken: Vec::new(),
            redefined: Vec::new(),
            replications: 1,
            differs_in: None,
        };
        super::document::row_of(&verdicts, &finding)[5].text.clone()
    };
    // By a point: −1.02 points are beyond it, and must not look as if they were not.
    let point = Tolerance::Absolute(0.01);
    assert_eq!(shown(share, point, (0.9, 0.889_8)), "−1.02 pp");
    assert_eq!(shown(share, point, (0.9, 0.85)), "−5.0 pp");
    let percent = Tolerance::Relative(0.02);
    assert_eq!(shown(&METRICS[0], percent, (1_000.0, 1_020.3)), "+2.03 %");
    assert_eq!(shown(&METRICS[0], percent, (1_000.0, 1_030.0)), "+3.0 %");
}
