use super::*;

fn texts(key: &str, values: &str) -> Option<Vec<String>> {
    let axis = Axis::read(key, values).unwrap_or_else(|problem| panic!("{problem}"))?;
    Some(axis.levels()?.into_iter().map(|level| level.text).collect())
}

#[track_caller]
fn check(key: &str, values: &str, want: &[&str]) {
    let found = texts(key, values).expect("an axis with levels");
    assert_eq!(found, want);
}

const NODES: &str = "cluster.dc1.nodes";
const SPEED: &str = "cluster.dc1.speed";
const WAIT: &str = "policy.p.provision.cheapest.after_wait";

#[test]
fn ranges_hold_both_ends_and_their_units() {
    check(NODES, "10..40:4", &["10", "20", "30", "40"]);
    check(SPEED, "1..10:4", &["1", "4", "7", "10"]);
    check(SPEED, "0..1:3", &["0", "0.5", "1"]);
    check(SPEED, "1..2:4", &["1", "1.33333333", "1.66666667", "2"]);
    check(WAIT, "10 min..2 h:5", &["10 min", "37.5 min", "65 min", "92.5 min", "120 min"]);
    check(WAIT, "\"10 min\"..\"2 h\":2", &["10 min", "120 min"]);
    check(WAIT, "1 d..36 h:3", &["24 h", "30 h", "36 h"]);
    check("cloud.aws.discount", "0..20 %:3", &["0 %", "10 %", "20 %"]);
    check("cluster.c.cost", "1 USD/h..2 USD/h:3", &["1 USD/h", "1.5 USD/h", "2 USD/h"]);
    check(
        "cluster.c.shape.gpus",
        "1..4 x A100-80GB:4",
        &["1 x A100-80GB", "2 x A100-80GB", "3 x A100-80GB", "4 x A100-80GB"],
    );
}

#[test]
fn steps_lead_from_end_to_end() {
    check(NODES, "8..32 step 8", &["8", "16", "24", "32"]);
    check(WAIT, "0 min..2 h step 30 min", &["0 min", "30 min", "60 min", "90 min", "120 min"]);
    check(WAIT, "10 min..30 min step 10", &["10 min", "20 min", "30 min"]);
    for values in ["4..40 step 7", "4..40 step 0", "4..40 step x", "4..40 step 1 h"] {
        let problem = Axis::read(NODES, values).expect_err("no steps").to_string();
        assert!(problem.contains(values), "{problem}");
    }
}

#[test]
fn a_range_without_numbers_is_named() {
    for values in ["a..b:2", "..8", "x..9"] {
        let problem = Axis::read(NODES, values).expect_err("no numbers").to_string();
        assert!(problem.contains(values), "{problem}");
    }
}

#[test]
fn logarithms_are_spaced_evenly() {
    check(SPEED, "log:1..100:3", &["1", "10", "100"]);
    check(SPEED, "log:1..4:5", &["1", "1.4142", "2", "2.8284", "4"]);
    check(WAIT, "log:1 min..100 min:3", &["1 min", "10 min", "100 min"]);
}

#[test]
fn whole_numbers_stay_whole_and_come_once() {
    check(NODES, "10..40:5", &["10", "18", "25", "33", "40"]);
    check(NODES, "1..3:9", &["1", "2", "3"]);
    check(NODES, "log:1..1000:4", &["1", "10", "100", "1000"]);
}

#[test]
fn lists_are_texts_or_numbers() {
    check("policy.p.preset", "batch-fcfs,batch-backfill", &["batch-fcfs", "batch-backfill"]);
    check(WAIT, "\"10 min\", 2 h", &["10 min", "2 h"]);
    let axis = |values| Axis::read(WAIT, values).ok().flatten().expect("an axis");
    assert_eq!(axis("10 min,2 h").ends(), Some((10.0, 120.0)));
    assert_eq!(axis("a,b").ends(), None);
    check(
        "cloud.aws.markets",
        "[\"spot\"],[\"spot\",\"on-demand\"]",
        &["[\"spot\"]", "[\"spot\",\"on-demand\"]"],
    );
    check("x.runtime", "uniform(low=1, high=2),7", &["uniform(low=1, high=2)", "7"]);
}

#[test]
fn numbers_within_a_distribution_vary() {
    check(
        "workload.synthetic.class.a.runtime",
        "lognormal(median=10 min..20 min:3, p95=4 h)",
        &[
            "lognormal(median=10 min, p95=4 h)",
            "lognormal(median=15 min, p95=4 h)",
            "lognormal(median=20 min, p95=4 h)",
        ],
    );
}

#[test]
fn a_single_value_is_an_edit() {
    let singles = [
        "7",
        "30 min",
        "uniform(low=1, high=4)",
        "../traces/a.swf",
        "\"a,b\"",
        "\"1..2\"",
        "[1, 2]",
        "",
        "a/../b",
    ];
    for values in singles {
        assert_eq!(Axis::read(NODES, values), Ok(None), "{values}");
    }
    // Without a number of steps a range can only be drawn from.
    assert_eq!(texts(NODES, "1..2"), None);
}

#[test]
fn draws_lie_between_the_ends() {
    let draw = |values, share| {
        Axis::read(WAIT, values).ok().flatten().expect("an axis").between(share).text
    };
    assert_eq!(draw("10 min..2 h", 0.0), "10 min");
    assert_eq!(draw("10 min..2 h", 0.123_456_789), "23.58 min");
    assert_eq!(draw("log:1 min..100 min", 0.5), "10 min");
    let nodes = Axis::read(NODES, "10..40").ok().flatten().expect("an axis");
    assert_eq!((nodes.between(0.016).text, nodes.between(0.017).text), ("10".into(), "11".into()));
}

#[track_caller]
fn refused(values: &str, want: &str) {
    let problem = Axis::read(NODES, values).expect_err("it is refused");
    assert_eq!(problem.message, want);
    assert!(problem.hint.is_some(), "{problem}");
}

#[test]
fn bad_ranges_say_what_is_wrong() {
    refused("40..10:4", "the range does not rise from `40` to `10`");
    refused("5..5:2", "the range does not rise from `5` to `5`");
    refused("1..4:1", "a range has from 2 to 10000 values, found `1`");
    refused("1..4:many", "a range has from 2 to 10000 values, found `many`");
    refused("1..4:99999", "a range has from 2 to 10000 values, found `99999`");
    refused("1..x:4", "`x` is not a number with a unit or without");
    refused("a..4:4", "`a` is not a number with a unit or without");
    refused("1..:4", "`` is not a number with a unit or without");
    refused("log:0..4:4", "`0` has no logarithm");
    refused("1 min..4 GiB:4", "`min` and `GiB` cannot be set against each other");
    refused("a,,b", "a value of the list is empty");
    refused("a,b,a", "`a` is in the list twice");
    refused("1..3:2,5", "`1..3:2` is a range within a list");
}

proptest::proptest! {
    #[test]
    fn no_text_panics(values in "[0-9a-z.:, \"=()\\[\\]-]{0,24}") {
        if let Ok(Some(axis)) = Axis::read(WAIT, &values) {
            let _ = (axis.levels(), axis.ends());
            if axis.levels().is_none() {
                let _ = axis.between(0.3);
            }
        }
    }
}
