//! Ranges of settings that programs give. Those of files and of the command line are checked where
//! they are read.

use super::compare::{Arm, Asked, Judging};
use super::search::{Keeping, Task};
use crate::metrics::METRICS;
use crate::problem::Problem;
use crate::scenario::Scenario;
use crate::units::Span;

/// Problems with the settings of a judgement.
pub(super) fn of_judging(judging: &Judging, path: &str) -> Vec<Problem> {
    let mut found = Vec::new();
    between_0_and_1(path, "confidence", judging.confidence, &mut found);
    if judging.margin.is_some_and(|margin| !(margin.is_finite() && margin >= 0.0)) {
        found.push(Problem::with(path, "the margin must be 0 or more"));
    }
    if judging.precision.is_some_and(|precision| !(precision.is_finite() && precision > 0.0)) {
        found.push(Problem::with(path, "the precision must be more than 0"));
    }
    found
}

/// The first problem with what is asked of a scenario's repetition.
pub(super) fn of_asked(asked: &Asked, scenario: &Scenario) -> Option<Problem> {
    let problem = |message: &str| Some(Problem::with(&scenario.path, message));
    if asked.replications.or(scenario.replications) == Some(0) {
        return problem("there must be at least one replication");
    }
    if [asked.window, asked.resample].into_iter().flatten().any(|length| length <= Span::ZERO) {
        return problem("windows and blocks must be longer than nothing");
    }
    if asked.warm_up.is_some_and(|warm_up| warm_up < Span::ZERO) {
        return problem("a warm-up cannot be negative");
    }
    None
}

/// Problems with the task of a plan.
pub(super) fn of_task(task: &Task) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut say = |message: &str| found.push(Problem::with("plan", message));
    if task.variables.is_empty() {
        say("there must be at least one variable");
    }
    if task.variables.iter().any(|variable| variable.levels.is_empty()) {
        say("each variable must have at least one value");
    }
    if task.goal >= METRICS.len() {
        say("the goal must be a row of METRICS");
    }
    if !(task.margin.is_finite() && task.margin > 0.0) {
        say("the margin must be more than 0");
    }
    between_0_and_1("plan", "confidence", task.confidence, &mut found);
    if let Keeping::InShare(share) = task.keeping {
        between_0_and_1("plan", "share of replications", share, &mut found);
    }
    found
}

/// Problem with the arms of a comparison, of which that in row `baseline` is the baseline.
pub(super) fn of_arms(arms: &[Arm<'_>], baseline: usize) -> Option<Problem> {
    let path = arms.first().map_or("compare", |arm| arm.scenario.path.as_str());
    (baseline >= arms.len()).then(|| {
        let message = format!("the baseline is row {baseline} of {} policies", arms.len());
        Problem::with(path, message)
    })
}

/// Problem with the rows of policies that run in a scenario.
pub(super) fn of_rows(scenario: &Scenario, rows: &[usize]) -> Option<Problem> {
    if rows.is_empty() {
        return Some(Problem::with(&scenario.path, "there is no policy to run"));
    }
    let count = scenario.policies.len();
    let row = rows.iter().find(|&&row| row >= count)?;
    let message = format!("there is no policy in row {row}: there are {count}");
    Some(Problem::with(&scenario.path, message))
}

fn between_0_and_1(path: &str, name: &str, value: f64, found: &mut Vec<Problem>) {
    if !(value > 0.0 && value < 1.0) {
        let message = format!("the {name} must be more than 0 and less than 1, such as 0.95");
        found.push(Problem::with(path, message));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::experiment::search::{SearchFailure, Variable, search};
    use crate::experiment::sweep::{self, Axis, Design, SweepFailure, SweepPlan};
    use crate::experiment::{ComparedArms, Repetition, Runner};
    use crate::policy;
    use crate::policy::spec::PolicySpec;

    const TEXT: &str = "question = \"?\"\n[workload.synthetic]\ncount = 10\narrivals = { per_hour = 6 }\n\
        class.a.runtime = \"1 h\"\n[cluster.c]\nnodes = 2\nshape = { vcpus = 4, memory = \"8 GiB\" }\n\
        [policy.p]\npreset = \"batch-fcfs\"\n";

    fn scenario() -> Scenario {
        Scenario::parse(TEXT, "a.toml", Path::new(""), &[]).expect("it is right")
    }

    #[test]
    fn a_comparison_takes_no_nonsense() {
        let refused = |asked: Asked, judging: Judging| {
            let mut scenario = scenario();
            let compared = ComparedArms::of(&Runner::default(), &mut scenario, asked, judging);
            compared.err().map(|failure| failure.to_string()).unwrap_or_default()
        };
        let two = Asked { replications: Some(2), ..Asked::default() };
        for confidence in [0.0, 1.0, 1.5, -0.1, f64::NAN] {
            let told = refused(two, Judging { confidence, ..Judging::default() });
            assert!(told.starts_with("a.toml: the confidence must be more than 0"), "{told}");
        }
        let told = refused(two, Judging { margin: Some(f64::NAN), ..Judging::default() });
        assert!(told.contains("the margin must be"), "{told}");
        let told = refused(two, Judging { precision: Some(0.0), ..Judging::default() });
        assert!(told.contains("the precision must be"), "{told}");
        let told = refused(Asked { replications: Some(0), ..two }, Judging::default());
        assert!(told.contains("at least one replication"), "{told}");
        let told = refused(Asked { window: Some(Span::ZERO), ..two }, Judging::default());
        assert!(told.contains("longer than nothing"), "{told}");
        assert_eq!(refused(two, Judging { margin: Some(0.0), ..Judging::default() }), "");
        let none =
            ComparedArms::run(&Runner::default(), Vec::new(), (0, true), two, Judging::default());
        assert!(none.is_err_and(|failure| failure.to_string().contains("row 0 of 0 policies")));
    }

    #[test]
    fn a_plan_takes_no_nonsense() {
        let right = || Task {
            variables: vec![Variable::read("cluster.c.nodes", "1..3").expect("a variable")],
            policy: None,
            goal: 0,
            keeping: Keeping::OnAverage,
            confidence: 0.95,
            margin: 0.01,
            budget: 100,
            asked: Asked::default(),
        };
        let wrong = [
            (Task { variables: Vec::new(), ..right() }, "at least one variable"),
            (Task { confidence: 1.0, ..right() }, "confidence must"),
            (Task { margin: 0.0, ..right() }, "margin must be more than 0"),
            (Task { margin: f64::NAN, ..right() }, "margin must be more than 0"),
            (Task { goal: METRICS.len(), ..right() }, "row of METRICS"),
            (Task { keeping: Keeping::InShare(1.5), ..right() }, "share of replications"),
        ];
        for (task, want) in wrong {
            match search(&Runner::default(), task, &scenario()) {
                Err(SearchFailure::Problems(problems)) => {
                    assert!(problems.iter().any(|one| one.message.contains(want)), "{problems:?}");
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_sweep_runs_the_policies_that_are_there() {
        let mut first = scenario();
        let make = || policy::build(&PolicySpec::named("x"));
        let mine = first.add_policy("mine", "1", make);
        let axes: Vec<Axis> =
            vec![Axis::read("cluster.c.nodes", "1,2").ok().flatten().expect("an axis")];
        let plan = |policies: Vec<usize>| SweepPlan {
            points: Design::Grid.points(&axes, 1, 10).expect("two points"),
            axes: axes.clone(),
            design: Design::Grid,
            policies,
            repetition: Repetition::Seeds { warm_up: Span::ZERO },
            replications: 1,
        };
        let run = |plan: SweepPlan| match sweep::sweep(&Runner::default(), plan, &first) {
            Ok(_) => String::new(),
            Err(SweepFailure::Problems(problems)) => problems[0].message.clone(),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(run(plan(vec![0, mine])), "");
        assert_eq!(run(plan(vec![])), "there is no policy to run");
        assert_eq!(run(plan(vec![7])), "there is no policy in row 7: there are 2");
        let no_runs = SweepPlan { replications: 0, ..plan(vec![0]) };
        assert_eq!(run(no_runs), "there must be at least one replication");
        for rows in [vec![], vec![7]] {
            let asked = sweep::repetition(&Runner::default(), &first, &axes, &rows, Some(1));
            assert!(asked.is_err());
        }
    }
}
