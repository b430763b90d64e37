//! A small plan, from the scenario to its page.

use std::path::Path;

use super::super::plan_charts;
use super::*;
use crate::experiment::search::{BestSoFar, Keeping, SearchProgress, Task, Variable, search};
use crate::experiment::{Asked, NoCache, NoProgress, Runner};
use crate::metrics::METRICS;
use crate::policy::external::NoLauncher;
use crate::report::{Terminal, TextCells};
use crate::scenario::Scenario;

/// Three jobs an hour of half an hour each on so many machines; `bound` is what
/// the mean wait is held to.
pub(in crate::report) fn small(bound: &str, nodes: &str) -> Found {
    let text = format!(
        "question = \"?\"\n[workload.synthetic]\ncount = 100\narrivals = {{ per_hour = 3 }}\n\
         class.a = {{ runtime = \"exponential(mean=30 min)\", vcpus = 1 }}\n\
         [cluster.c]\nnodes = 1\nshape = {{ vcpus = 1, memory = \"8 GiB\" }}\ncost = \"1 USD/h\"\n\
         [policy.p]\npreset = \"batch-fcfs\"\n[objectives]\nwait_mean = \"{bound}\"\n"
    );
    let base = Path::new(env!("CARGO_MANIFEST_DIR"));
    let runner =
        Runner { cache: &NoCache, watch: &NoProgress, audit: false, launcher: &NoLauncher };
    let variable = Variable::read("cluster.c.nodes", nodes).expect("a range");
    let task = Task {
        variables: vec![variable],
        policy: None,
        goal: 0,
        keeping: Keeping::OnAverage,
        confidence: 0.95,
        margin: 0.01,
        budget: 200,
        asked: Asked::default(),
    };
    let scenario = Scenario::parse(&text, "a.toml", base, &[]).expect("a scenario");
    let found = search(&runner, task, &scenario);
    found.unwrap_or_else(|failure| panic!("{failure:?}"))
}

#[test]
fn the_cost_of_a_month_is_told_as_that() {
    let mut found = small("<= 5 min", "2..6");
    let month = METRICS.iter().position(|metric| metric.key == "cost_monthly");
    found.task.goal = month.expect("a metric");
    let recipe = Recipe::default();
    let report = PlanReport { recipe: &recipe, found: &found, assumptions: &[], cautions: &[] };
    let answer = report.statements().answer;
    assert!(answer.headline.ends_with(" per month."), "{answer:?}");
    assert!(answer.bullets[0].ends_with(")."), "{answer:?}");
    assert!(!answer.bullets[0].contains(" a run"), "{answer:?}");
    let choice = found.candidate(found.choice.expect("a choice"));
    assert_eq!(
        report.monthly(report.judged(choice)),
        report.interval(report.goal(), report.judged(choice))
    );
}

#[test]
fn the_answer_is_a_sentence_and_everything_is_written() {
    let found = small("<= 5 min", "2..6");
    let recipe = Recipe::default();
    let report = PlanReport { recipe: &recipe, found: &found, assumptions: &[], cautions: &[] };
    let answer = report.statements().answer;
    let headline = &answer.headline;
    assert!(headline.starts_with("c.nodes = "), "{headline}");
    assert!(headline.contains(" keeps wait, mean <= 5 min on average, for $"), "{headline}");
    // The sentence, the table and the file tell the same held-out numbers.
    let choice = found.candidate(found.choice.expect("a choice"));
    let judged = report.interval(report.goal(), report.judged(choice)).expect("costs");
    let mean = crate::report::figure::figure("USD", Some(judged.mean));
    let dollars = crate::report::words::dollars(judged.mean);
    assert!(answer.bullets[0].ends_with(&format!(", {dollars} a run.")), "{answer:?}");
    let table = report.judged_table();
    assert_eq!(table.head[1], "cost a run");
    assert!(table.rows.iter().any(|row| row[1].text == mean), "{table:?}");
    let csv = report.write_csv(Vec::new(), TextCells::Guarded).expect("memory takes everything");
    let csv = String::from_utf8(csv).expect("a sheet is text");
    let value = report.mean(report.goal(), report.judged(choice)).expect("costs");
    assert!(
        csv.lines()
            .any(|line| line.contains("held-out,20,") && line.contains(&format!(",kept,{value},"))),
        "{csv}"
    );
    let markdown = report.document(Vec::new()).markdown();
    assert!(markdown.contains(" keeps wait, mean &lt;= 5 min on average, for $"), "{markdown}");
    let mut page = Vec::new();
    let charts = plan_charts(&report);
    let names: Vec<&str> = charts.iter().map(|chart| chart.name.as_str()).collect();
    assert_eq!(names, ["plan-frontier", "plan-response", "plan-convergence"]);
    report.document(charts).write_page(&mut page).expect("memory takes everything");
    let page = String::from_utf8(page).expect("a page is text");
    // Three charts, each in two widths.
    assert_eq!(page.matches("<svg").count(), 6);
    let csv = report.write_csv(Vec::new(), TextCells::Guarded).expect("memory takes everything");
    let rows = String::from_utf8(csv).expect("a sheet is text").lines().count();
    assert_eq!(rows, 1 + found.candidates.len() + found.finalists.len());
    assert!(report.document(Vec::new()).text(Terminal::PLAIN).contains("the answer"));
}

#[test]
fn a_miss_is_said_with_what_binds() {
    let found = small("<= 10 s", "2..3");
    let recipe = Recipe::default();
    let report = PlanReport { recipe: &recipe, found: &found, assumptions: &[], cautions: &[] };
    let said = report.statements();
    let (headline, bullets) = (said.answer.headline, said.answer.bullets.join(" "));
    assert_eq!(headline, "Nothing that was found in these ranges keeps wait, mean <= 10 s.");
    assert!(bullets.contains("The nearest miss is c.nodes = 3: wait, mean is "), "{bullets}");
    assert!(bullets.contains("It is wait, mean <= 10 s that binds."), "{bullets}");
    let want = "lies at the end of the range of `cluster.c.nodes`: allow more.";
    assert!(said.cautions[0].ends_with(want), "{:?}", said.cautions);
}

#[test]
fn a_search_that_was_stopped_is_told_as_no_answer() {
    let mut progress = SearchProgress {
        looked_at: 14,
        judged: 0,
        runs: 70,
        goal: 0,
        repetition: Repetition::Seeds { warm_up: Span::ZERO },
        best: BestSoFar {
            edits: vec![("cluster.c.nodes".to_owned(), "9".to_owned())],
            shown: false,
            replications: 5,
            kept_in: 3,
            goal: Some(1_234.5),
        },
    };
    let told = search_progress(&progress);
    let want = "no answer yet: 14 setups looked at and 0 judged in 70 runs. The best of them, \
                cluster.c.nodes=9, kept all promises in 3 of 5 seeds, at a cost of $1,234.50; of none it \
                is shown yet";
    assert_eq!(told, want);
    (progress.judged, progress.best.shown) = (2, true);
    let told = search_progress(&progress);
    assert!(
        told.contains(" is shown to keep its promises (all in 3 of 5 seeds), at a cost"),
        "{told}"
    );
    assert!(told.ends_with("; cheaper ones may be left"), "{told}");
}

/// Names that follow a cluster or cloud are told with it, whatever else is varied.
#[test]
fn a_setting_is_named_with_its_cluster_or_cloud() {
    let mut found = small("<= 5 min", "2..6");
    let keys = [
        ("cluster.dc1.nodes", "dc1.nodes"),
        ("cluster.dc1.group.cpu.nodes", "dc1.group.cpu.nodes"),
        ("cloud.aws.quota.0.limit", "aws.quota.0.limit"),
        ("data_set.0.size", "data_set.0.size"),
        ("policy.burst.provision.cheapest.after_wait", "after_wait"),
        ("workload.synthetic.arrivals.per_hour", "arrivals.per_hour"),
        ("policy.a.order", "a.order"),
        ("policy.b.order", "b.order"),
    ];
    found.task.variables =
        keys.iter().map(|(key, _)| Variable::read(key, "1,2").expect("a list")).collect();
    let recipe = Recipe::default();
    let report = PlanReport { recipe: &recipe, found: &found, assumptions: &[], cautions: &[] };
    for (key, name) in keys {
        assert_eq!(report.short(key), name);
    }
}
