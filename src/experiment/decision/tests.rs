//! Decisions over comparisons that are made by hand.

use super::*;
use crate::experiment::{Chance, Evidence, Judging, Repetition};
use crate::metrics::Metric;
use crate::metrics::{Costs, Series, Summary, WorkCounts};
use crate::scenario::BoundDirection;
use crate::units::{Money, Span};

/// A run that finishes so many of 1,000 jobs and pays so many dollars for its
/// machines, which stand for a month; all finished jobs are one hour of a core.
#[derive(Clone, Copy)]
struct Run {
    finished: u64,
    dollars: f64,
    wait: f64,
}

fn measured(run: Run) -> Measurement {
    let total = Money::from_nanos((run.dollars * 1e9) as i128);
    let mut summary = Summary {
        work: WorkCounts {
            submitted: 1_000,
            finished: run.finished,
            refused: 1_000 - run.finished,
            finished_share: Some(run.finished as f64 / 1_000.0),
            ..WorkCounts::default()
        },
        cost: Costs {
            total,
            standing: total,
            per_useful_core_hour_usd: Some(run.dollars / run.finished as f64),
            ..Costs::default()
        },
        simulated_s: 365.2425 * 86_400.0 / 12.0,
        useful_core_hours: run.finished as f64,
        ..Summary::default()
    };
    summary.wait_s.mean = Some(run.wait);
    Measurement::of(&summary, &Series::default(), Vec::new(), None)
}

/// Twenty replications that differ by a dollar and a second of chance, which
/// all policies share.
fn runs(run: impl Fn(u32) -> Run) -> Vec<Measurement> {
    let with_chance = |index: u32| {
        let (run, chance) = (run(index), f64::from(index % 5));
        measured(Run { dollars: run.dollars + chance, wait: run.wait + chance, ..run })
    };
    (0..20).map(with_chance).collect()
}

/// The cost must be at most 110 USD, and the mean wait at most 50 s.
fn objectives() -> Vec<Objective> {
    let bound = |key, bound, text: &str| Objective {
        metric: Metric::named(key).expect("a metric"),
        comparison: BoundDirection::AtMost,
        bound,
        text: text.to_owned(),
        window: None,
    };
    vec![bound("cost_total", 110.0, "<= 110 USD"), bound("wait_mean", 50.0, "<= 50 s")]
}

fn compared(all: Vec<Vec<Measurement>>, chance: Chance) -> Comparison {
    let evidence = Evidence {
        names: all.iter().enumerate().map(|(row, _)| format!("p{row}")).collect(),
        baseline: 0,
        measurements: all,
        repetition: Repetition::Seeds { warm_up: Span::ZERO },
        seed: 1,
        chance,
    };
    Comparison::judge(evidence, Judging { confidence: 0.95, margin: None, precision: None })
}

const BASE: Run = Run { finished: 1_000, dollars: 100.0, wait: 40.0 };

/// Assessment of one policy against the usual baseline, and whether it is taken.
fn stands(run: impl Fn(u32) -> Run) -> (Assessment, bool) {
    let comparison = compared(vec![runs(|_| BASE), runs(run)], Chance::Workload);
    let standings = standings(&comparison, &objectives());
    let taken = choose(&comparison, &standings) == 1;
    (standings[1].clone(), taken)
}

/// A tenth of the noise of a replication: enough for an interval, and no more.
fn wobble(index: u32) -> f64 {
    f64::from(index % 3) / 10.0
}

#[test]
fn what_is_cheaper_is_taken() {
    let (standing, taken) = stands(|at| Run { dollars: 90.0 + wobble(at), ..BASE });
    assert_eq!((standing.cost, standing.work, taken), (Some(true), None, true));
}

#[test]
fn what_is_not_shown_is_not_taken() {
    // A dollar less on average, 10 more or less in each.
    let (standing, taken) =
        stands(|at| Run { dollars: 99.0 + if at % 2 == 0 { 10.0 } else { -10.0 }, ..BASE });
    assert_eq!((standing.cost, taken), (None, false));
    // A policy that is the same as the baseline.
    let (standing, taken) = stands(|_| BASE);
    assert_eq!((standing.cost, standing.balance(), taken), (None, [0, 0], false));
}

/// Two policies keep the mean wait and cost the same, one in 14 of 20 replications and one in all:
/// that one is taken, in whichever order, and also if the baseline is the one that keeps it in 14.
#[test]
fn of_those_that_tie_the_one_that_keeps_promises_more_often_is_taken() {
    let broken = runs(|_| Run { wait: 80.0, ..BASE });
    let mostly = runs(|at| Run { wait: if at % 3 == 0 { 60.0 } else { 30.0 }, ..BASE });
    let always = runs(|_| Run { wait: 41.0, ..BASE });
    let taken = |all: [&Vec<Measurement>; 3]| {
        let all: Vec<Vec<Measurement>> = all.into_iter().cloned().collect();
        let comparison = compared(all, Chance::Workload);
        choose(&comparison, &standings(&comparison, &objectives()))
    };
    assert_eq!(taken([&broken, &mostly, &always]), 2);
    assert_eq!(taken([&broken, &always, &mostly]), 1);
    assert_eq!(taken([&mostly, &broken, &always]), 2);
    // Kept as often, with a shorter wait.
    let shorter = runs(|_| Run { wait: 20.0, ..BASE });
    assert_eq!(taken([&broken, &always, &shorter]), 2);
}

#[test]
fn what_leaves_work_undone_is_never_taken() {
    let (standing, taken) =
        stands(|at| Run { finished: 990 + u64::from(at % 2), dollars: 10.0, wait: 1.0 });
    assert_eq!((standing.work, standing.cost, taken), (Some(false), Some(true), false));
}

/// A policy that refuses the large jobs: as many jobs less two of a thousand, and a tenth of the
/// GPU-hours.
#[test]
fn few_jobs_that_are_most_of_the_hours_are_work_too() {
    let with = |hours: f64, finished: u64| {
        let mut all = runs(|_| Run { finished, dollars: 10.0, ..BASE });
        all.iter_mut().for_each(|one| one.done.gpu_hours = hours);
        all
    };
    let judged = |hours: [f64; 2], finished: [u64; 2]| {
        let all = vec![with(hours[0], finished[0]), with(hours[1], finished[1])];
        let comparison = compared(all, Chance::Workload);
        (work(&comparison, 1), work_ratio(&comparison, 0, 1))
    };
    let tenth = Some(WorkRatio { unit: "GPU-hours", ratio: 0.1 });
    assert_eq!(judged([100.0, 10.0], [990, 990]), (Some(false), tenth));
    // More jobs, and the large ones not among them.
    assert_eq!(judged([100.0, 10.0], [900, 990]).0, Some(false));
    assert_eq!(judged([10.0, 100.0], [990, 990]).0, Some(true));
    // Half of a hundredth less: what a horizon cuts.
    assert_eq!(judged([100.0, 99.5], [990, 990]), (None, None));
    // All work was done by both: hours differ by what a warm-up cuts.
    assert_eq!(judged([100.0, 90.0], [1_000, 1_000]).0, None);
}

/// Kept in all 20 before; in 13 of 20 after, 7 pairs differ: p = 2/2^7.
#[test]
fn a_promise_is_lost_where_it_is_kept_less_often() {
    let (standing, taken) = stands(|at| Run { dollars: if at < 7 { 150.0 } else { 40.0 }, ..BASE });
    let promise =
        |after, kept, change| Promise { before: 20, after, kept, kept_before: true, change };
    assert_eq!(standing.promises[0], promise(13, true, PromiseChange::LessOften));
    assert!(!taken);
    // Kept in 17 of 20: 3 pairs, p = 2/2^3, which chance could have made.
    let (standing, _) = stands(|at| Run { dollars: if at < 3 { 150.0 } else { 40.0 }, ..BASE });
    assert_eq!(standing.promises[0], promise(17, true, PromiseChange::Even));
    // The same, but the mean breaks it: (3 × 400 + 17 × 100) / 20 = 145.
    let (standing, _) = stands(|at| Run { dollars: if at < 3 { 400.0 } else { 100.0 }, ..BASE });
    assert_eq!(standing.promises[0], promise(17, false, PromiseChange::Lost));
}

/// Kept in 17 of 20 before and after. The mean breaks it now, by one dear replication that
/// shows nothing: no change is no loss.
#[test]
fn a_promise_that_is_kept_as_often_is_not_lost_by_chance() {
    let before = |at: u32| Run { dollars: if at < 3 { 111.0 } else { 100.0 }, ..BASE };
    let after = |at: u32| Run { dollars: if at < 3 { 250.0 } else { 100.0 }, ..BASE };
    let comparison = compared(vec![runs(before), runs(after)], Chance::Workload);
    let promise = standings(&comparison, &objectives())[1].promises[0];
    let (kept, kept_before, change) = (false, true, PromiseChange::Even);
    let want = Promise { before: 17, after: 17, kept, kept_before, change };
    assert_eq!(promise, want);
    // Dearer in each replication, which is shown.
    let after = |at: u32| Run { dollars: if at < 3 { 250.0 } else { 106.0 }, ..BASE };
    let before = |at: u32| Run { dollars: if at < 3 { 150.0 } else { 40.0 }, ..BASE };
    let comparison = compared(vec![runs(before), runs(after)], Chance::Workload);
    assert_eq!(standings(&comparison, &objectives())[1].promises[0].change, PromiseChange::Lost);
}

#[test]
fn a_promise_is_gained_where_that_is_shown() {
    let slow = Run { wait: 100.0, ..BASE };
    let against_slow = |run: &dyn Fn(u32) -> Run| {
        let comparison = compared(vec![runs(|_| slow), runs(run)], Chance::Workload);
        let standings = standings(&comparison, &objectives());
        (standings[1].promises[1].change, choose(&comparison, &standings) == 1)
    };
    // A policy that costs more is taken for its promise all the same.
    let quick = |at| Run { wait: 10.0, dollars: 105.0 + wobble(at), ..BASE };
    assert_eq!(against_slow(&quick), (PromiseChange::Gained, true));
    // Kept in 3 of 20 shows nothing.
    let seldom = |at| Run { wait: if at < 3 { 10.0 } else { 100.0 }, ..BASE };
    assert_eq!(against_slow(&seldom), (PromiseChange::Even, false));
}

/// Waits of a policy that keeps 50 s in so many of 20 replications, at so many seconds in the others.
fn kept_in(keeps: u32, others: f64, dollars: f64) -> Vec<Measurement> {
    let wait = move |at: u32| if at < keeps { 10.0 } else { others };
    runs(move |at| Run { wait: wait(at), dollars: dollars + wobble(at), ..BASE })
}

/// Row that is taken of a baseline that never keeps the wait and these others, and what became of
/// the promise under each.
fn taken_of(others: Vec<Vec<Measurement>>) -> (usize, Vec<PromiseChange>) {
    let all = std::iter::once(kept_in(0, 100.0, 100.0)).chain(others).collect();
    let comparison = compared(all, Chance::Workload);
    let standings = standings(&comparison, &objectives());
    let changes = standings[1..].iter().map(|one| one.promises[1].change).collect();
    (choose(&comparison, &standings), changes)
}

/// Kept in 10 of 20 with a mean of (10 x 10 + 10 x 100) / 20 + 2 = 57 s, which is broken; in 16 of
/// 20 with 28 + 2 s, which is kept and costs more.
#[test]
fn what_is_kept_more_often_and_still_broken_is_not_kept() {
    let often = kept_in(10, 100.0, 101.0);
    let kept = kept_in(16, 100.0, 105.0);
    let (taken, changes) = taken_of(vec![often.clone(), kept]);
    assert_eq!((taken, changes), (2, vec![PromiseChange::MoreOften, PromiseChange::Gained]));
    // Alone it is ahead where it costs the same, for the baseline keeps it never; a promise that
    // stays broken is worth no higher cost.
    let same_cost = kept_in(10, 100.0, 100.0);
    assert_eq!(taken_of(vec![same_cost]), (1, vec![PromiseChange::MoreOften]));
    assert_eq!(taken_of(vec![often.clone()]), (0, vec![PromiseChange::MoreOften]));
    // Three times the cost in every replication is not shown by their mean where one is odd.
    let often_at = |factor: f64| {
        let cost = move |at: u32| if at == 0 { 3_000.0 } else { 10.0 };
        let wait = move |at: u32| if at < 10 && factor > 1.0 { 10.0 } else { 100.0 };
        runs(move |at| Run { wait: wait(at), dollars: factor * cost(at), ..BASE })
    };
    let comparison = compared(vec![often_at(1.0), often_at(3.0)], Chance::Workload);
    let standings = standings(&comparison, &objectives());
    assert_eq!((standings[1].cost, standings[1].dearer), (None, true));
    assert_eq!(standings[1].rows(PromiseChange::MoreOften), [1]);
    assert_eq!(choose(&comparison, &standings), 0);
    // The cheaper of two that still break it is taken, however often they do.
    let (oftener, cheaper) = (kept_in(12, 130.0, 99.0), kept_in(10, 100.0, 98.0));
    assert_eq!(taken_of(vec![oftener, cheaper]).0, 2);
}

/// Both means keep the wait, in 12 and in all of 20 replications: nothing is gained that was not kept.
#[test]
fn what_both_keep_is_kept_more_often() {
    let comparison =
        compared(vec![kept_in(12, 60.0, 100.0), kept_in(20, 0.0, 100.0)], Chance::Workload);
    let promise = standings(&comparison, &objectives())[1].promises[1];
    let change = PromiseChange::MoreOften;
    assert_eq!(promise, Promise { before: 12, after: 20, kept: true, kept_before: true, change });
}

/// Kept in 17 of 20 by both; the mean of one breaks it by one bad replication, which chance could
/// have made. Cheaper or not, it is not taken for a policy whose mean keeps it.
#[test]
fn what_is_cheaper_and_breaks_what_the_baseline_keeps_is_not_taken() {
    let bad = |worst: f64, dollars: f64| {
        let wait = move |at: u32| [10.0, 60.0, worst][usize::from(at < 3) + usize::from(at == 0)];
        runs(move |at| Run { wait: wait(at), dollars: dollars + wobble(at), ..BASE })
    };
    let comparison = compared(vec![bad(60.0, 100.0), bad(900.0, 50.0)], Chance::Workload);
    let standings = standings(&comparison, &objectives());
    let promise = standings[1].promises[1];
    assert_eq!((promise.before, promise.after, promise.change), (17, 17, PromiseChange::Even));
    assert_eq!((promise.kept_before, promise.kept), (true, false));
    assert_eq!((standings[1].cost, choose(&comparison, &standings)), (Some(true), 0));
}

#[test]
fn without_chance_differences_are_exact() {
    let one = |run: Run| vec![measured(run)];
    let cheap = Run { dollars: 99.0, ..BASE };
    let comparison = compared(vec![one(BASE), one(cheap), one(BASE)], Chance::None);
    let standings = standings(&comparison, &objectives());
    assert_eq!(choose(&comparison, &standings), 1);
    assert_eq!(standings[2], standings[0]);
    let saving = saving(&comparison, 1).expect("the work is the same");
    assert!((saving.monthly - 1.0).abs() < 1e-9, "{saving:?}");
    // A difference that no bill shows is no saving.
    let rounding = Run { dollars: 99.999, ..BASE };
    let comparison = compared(vec![one(BASE), one(rounding)], Chance::None);
    assert_eq!(super::standings(&comparison, &objectives())[1].cost, None);
}

#[test]
fn what_serves_better_for_the_same_money_is_a_free_win() {
    let all = |wait: f64, dollars: f64| runs(move |_| Run { finished: 1_000, dollars, wait });
    let decided = |wait: f64, dollars: f64| {
        let comparison = compared(vec![all(40.0, 100.0), all(wait, dollars)], Chance::Workload);
        let standings = standings(&comparison, &objectives());
        (standings[1].free_win, choose(&comparison, &standings))
    };
    assert_eq!(decided(20.0, 100.0), (true, 1));
    // Worse, or no difference, or for more money: the baseline stays.
    assert_eq!(decided(45.0, 100.0), (false, 0));
    assert_eq!(decided(40.0, 100.0), (false, 0));
    assert_eq!(decided(20.0, 103.0), (false, 0));
}
