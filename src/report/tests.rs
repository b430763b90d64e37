//! A tiny run, through every file that is written of it.

use expect_test::{expect, expect_file};

use super::testing::{decided, judged, simulate, tiny};
use super::*;
use crate::metrics::OccupancyRecorder;
use crate::weather::FaultRibbon;

fn csv_files(count: u64, horizon: Option<i64>) -> [String; 5] {
    let world = tiny();
    let cells = TextCells::Guarded;
    let observer = (
        (JobsCsv::new(Vec::new(), cells), InstancesCsv::new(Vec::new(), cells)),
        (ChargesCsv::new(Vec::new(), cells), ExplainCsv::new(Vec::new(), cells)),
    );
    let (files, _, series, ..) = simulate(&world, count, horizon, observer);
    let ((jobs, instances), (charges, explain)) = files;
    let written = [
        jobs.finish(),
        instances.finish(),
        charges.finish(),
        explain.finish(),
        write_timeseries(Vec::new(), &world, &series, cells),
    ];
    written.map(|file| {
        String::from_utf8(file.expect("memory takes everything")).expect("the file is text")
    })
}

fn head(text: &str, rows: usize) -> String {
    text.lines().take(rows).map(|line| format!("{line}\n")).collect()
}

#[test]
fn files_of_a_tiny_run() {
    let [jobs, instances, charges, explain, series] = csv_files(40, Some(6_000));
    expect![[r#"
        job,source,ordinal,kind,tenant,state,reason,submitted_s,first_start_s,end_s,wait_s,run_s,turnaround_s,bounded_slowdown,deadline_s,met,tasks,cpu_milli,memory_mib,gpus,gpu_share_milli,exclusive,priority,offer,machines,preemptions,cost_usd,estimate_s,home,input_bytes,output_bytes,energy_kwh,carbon_kg
        6,0,6,job,team-a,finished,,1618.000000,1618.000000,1967.000000,0.000000,349.000000,349.000000,1.000000,7018.000000,yes,1,2000,2048,1,1000,,0,dc,,0,0.016688888,,,,,,
        7,0,7,job,'+team b,finished,,1724.000000,1724.000000,3078.000000,0.000000,1354.000000,1354.000000,1.000000,7124.000000,yes,1,2000,2048,0,0,,0,dc,,0,0.036261111,,,,,,
        9,0,9,job,'+team b,finished,,1839.000000,1929.000000,3422.000000,90.000000,1493.000000,1583.000000,1.060281,7239.000000,yes,1,2000,2048,1,1000,,0,'=cmd|<script>,,0,0.195263888,,,,,,
        8,0,8,job,team-a,finished,,1761.000000,1821.000000,3959.000000,60.000000,2138.000000,2198.000000,1.028063,7161.000000,yes,1,2000,2048,0,0,,0,aws/us-east-1a/m5.xlarge/on-demand,,0,0.057013333,,,,,,
        17,0,17,job,'+team b,finished,,2963.000000,3482.000000,3983.000000,519.000000,501.000000,1020.000000,2.035928,8363.000000,yes,1,2000,2048,0,0,,0,aws/us-east-1a/m5.xlarge/on-demand,,0,0.013360000,,,,,,
    "#]].assert_eq(&head(&jobs, 6));
    expect![[r#"
        instance,offer,provider,region,zone,type,market,slot,launch,requested_s,ready_s,released_s,unfinished,ended_by,busy_s,billed_s,tasks,cost_usd,restart_of
        4,aws/us-east-1a/m5.xlarge/on-demand,aws,aws,us-east-1a,aws/us-east-1a/m5.xlarge/on-demand,on-demand,1,0,3422.000000,3482.000000,3983.000000,no,policy,501.000000,561.000000,1,0.029920000,
        0,dc,dc,dc,dc-a,dc,owned,0,0,0.000000,0.000000,6000.000000,yes,run,5848.000000,6000.000000,5,0.666666667,
        1,dc,dc,dc,dc-a,dc,owned,1,0,0.000000,0.000000,6000.000000,yes,run,4696.000000,6000.000000,7,0.666666667,
    "#]].assert_eq(&head(&instances, 4));
    expect![[r#"
        charge,kind,amount_usd,instance,offer,provider,region,market,job,tenant,from_s,until_s,bytes,source,ordinal,share
        0,work,0.016688888,1,dc,dc,dc,owned,6,team-a,1618.000000,1967.000000,0,0,6,0.500000
        1,work,0.036261111,1,dc,dc,dc,owned,7,'+team b,1724.000000,3078.000000,0,0,7,0.250000
        2,work,0.195263888,3,'=cmd|<script>,<gcp>,<gcp>,spot,9,'+team b,1929.000000,3422.000000,0,0,9,1.000000
    "#]]
    .assert_eq(&head(&charges, 4));
    expect![[r#"
        time_s,job,note,offer,why,cost_usd,instances,there,tasks,room,resource,wanted,free,best,held,broken,down,holders,largest,ahead,first,promised_s,first_promised_s,rents_s,until_s,lost_s,source,ordinal
        152.000000,0,starts,,,,,,1,,,,,,,,,,,,,,,,,,0,0
        514.000000,'-job,starts,,,,,,1,,,,,,,,,,,,,,,,,,0,1
        727.000000,2,starts,,,,,,1,,,,,,,,,,,,,,,,,,0,2
    "#]]
    .assert_eq(&head(&explain, 4));
    expect![[r#"
        time_utc,start_s,length_s,waiting_mean,waiting_max,allocated_cores,capacity_cores,allocated_gib,capacity_gib,allocated_gpus,capacity_gpus,interruptions,failures,usd_per_h dc,usd_per_h aws,usd_per_h <gcp>,live dc,live aws/us-east-1a/m5.xlarge/on-demand,live =cmd|<script>
        1970-01-01T00:00:00Z,0.000000,8.000000,0.000,0,0.000,16.000,0.000,64.000,0.000,4.000,0,0,0.800000,0.000000,0.000000,2.000,0.000,0.000
        1970-01-01T00:00:08Z,8.000000,8.000000,0.000,0,0.000,16.000,0.000,64.000,0.000,4.000,0,0,0.800000,0.000000,0.000000,2.000,0.000,0.000
        1970-01-01T00:00:16Z,16.000000,8.000000,0.000,0,0.000,16.000,0.000,64.000,0.000,4.000,0,0,0.800000,0.000000,0.000000,2.000,0.000,0.000
    "#]].assert_eq(&head(&series, 4));
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    assert_eq!(csv_files(60, None), csv_files(60, None));
}

fn charts(count: u64) -> Vec<Chart> {
    let world = tiny();
    let (occupancy, collector, series, _, outcome) =
        simulate(&world, count, None, OccupancyRecorder::default());
    let summary = collector.summary(&world, &["default".to_owned()], &outcome);
    let objectives =
        [ObjectiveResult::check("wait_p95", BoundSide::AtMost, 600.0, "<= 10 min", &summary)];
    let (waits, objectives) = (collector.waits(), objectives.as_slice());
    let mut charts = run_charts(&Scene {
        alerts: &AlertReport::default(),
        budgets: &[],
        faults: &FaultRibbon::default(),
        world: &world,
        series: &series,
        summary: &summary,
        occupancy: &occupancy,
        waits,
        objectives,
    });
    let row = PolicyResult { name: "<b>", summary: &summary, series: &series, waits, objectives };
    let rows = vec![row; 10];
    let comparison = ComparisonReport {
        question: None,
        many: &judged(&rows, 1, 3),
        decision: Some(&decided()),
        between: None,
        rows,
        reports: &[],
        calibration: None,
        cautions: Vec::new(),
    };
    charts.extend(comparison_charts(&world, &comparison));
    charts.extend(replication_charts(&world, &comparison));
    charts
}

#[test]
fn charts_are_drawn_twice_alike_with_and_without_data() {
    let draw = |count| -> Vec<(String, Vec<u8>)> {
        let draw = |chart: &Chart| {
            let mut png = Vec::new();
            chart.write_png(&mut png).expect("memory takes everything");
            (chart.svg().expect("the chart can be drawn"), png)
        };
        charts(count).iter().map(draw).collect()
    };
    let some = draw(20);
    assert_eq!(some.len(), 25);
    assert!(some == draw(20), "two drawings of one run differ");
    assert!(some.iter().all(|(svg, _)| !svg.contains("no data")));
    let none = draw(0);
    assert_eq!(none.iter().filter(|(svg, _)| svg.contains("no data")).count(), 14);
}

#[test]
fn names_in_charts_are_escaped() {
    for chart in charts(20) {
        let svg = chart.svg().expect("the chart can be drawn");
        assert!(!svg.contains("<script>") && !svg.contains("<b>") && !svg.contains("<gcp>"));
        assert!(svg.starts_with("<svg width=\"780\" height="), "{}", &svg[..60]);
        assert!(svg.contains("font-family=\"DejaVu Sans, sans-serif\""));
    }
}

#[test]
fn the_terminal_shows_no_control_characters() {
    let world = tiny();
    let ((), collector, series, fingerprint, outcome) = simulate(&world, 30, None, ());
    let summary = collector.summary(&world, &["\u{1b}[31mred".to_owned()], &outcome);
    let objectives =
        vec![ObjectiveResult::check("wait_p95", BoundSide::AtMost, 600.0, "<= 10 min", &summary)];
    let name = "\u{1b}]0;x\u{7}";
    let row = PolicyResult {
        name,
        summary: &summary,
        series: &series,
        waits: collector.waits(),
        objectives: &objectives,
    };
    let rows = vec![row, row];
    let (many, decision) = (judged(&rows, 0, 2), decided());
    let (question, decision) = (Some(name), Some(&decision));
    let comparison = ComparisonReport {
        question,
        many: &many,
        decision,
        between: None,
        rows,
        reports: &[],
        calibration: None,
        cautions: Vec::new(),
    };
    let report = RunReport {
        alerts: AlertReport::default(),
        budgets: Vec::new(),
        calendar: crate::units::Calendar::from_unix_micros(0),
        recipe: Recipe { question: Some(name.to_owned()), ..Recipe::default() },
        summary: summary.clone(),
        objectives: objectives.clone(),
        assumptions: vec![name.to_owned()],
        cautions: Vec::new(),
        fingerprint: fingerprint.hex(),
        daily: None,
        bill: None,
        chargeback: None,
        skipped_rows: 1,
        dropped_rows: 0,
        row_notes: crate::workload::RowNotes::default(),
    };
    let texts = [report.document(Vec::new()), comparison.document(Vec::new())]
        .map(|document| document.text(Terminal::PLAIN));
    for text in texts {
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }
    let coloured = report.document(Vec::new()).text(Terminal { colour: true, ..Terminal::PLAIN });
    assert!(coloured.contains("\u{1b}["));
}

/// Pages of a tiny run whose names try to break out.
fn pages() -> [String; 2] {
    let world = tiny();
    let (occupancy, collector, series, fingerprint, outcome) =
        simulate(&world, 30, None, OccupancyRecorder::default());
    let evil = "</title><script>alert('x')</script>\u{202e}";
    let summary = collector.summary(&world, &[evil.to_owned()], &outcome);
    let objectives =
        vec![ObjectiveResult::check("wait_p95", BoundSide::AtMost, 600.0, "<= 10 min", &summary)];
    let waits = collector.waits();
    let scene = Scene {
        alerts: &AlertReport::default(),
        budgets: &[],
        faults: &FaultRibbon::default(),
        world: &world,
        series: &series,
        summary: &summary,
        occupancy: &occupancy,
        waits,
        objectives: &objectives,
    };
    let inputs = vec![InputHash { name: evil.to_owned(), hash: "00".to_owned() }];
    let report = RunReport {
        alerts: AlertReport::default(),
        budgets: Vec::new(),
        calendar: crate::units::Calendar::from_unix_micros(0),
        recipe: Recipe {
            question: Some(evil.to_owned()),
            policy: evil.to_owned(),
            inputs,
            ..Recipe::default()
        },
        summary: summary.clone(),
        objectives: objectives.clone(),
        assumptions: vec![evil.to_owned()],
        cautions: Vec::new(),
        fingerprint: fingerprint.hex(),
        daily: None,
        bill: None,
        chargeback: None,
        skipped_rows: 1,
        dropped_rows: 0,
        row_notes: crate::workload::RowNotes::default(),
    };
    let row = PolicyResult {
        name: evil,
        summary: &summary,
        series: &series,
        waits,
        objectives: &objectives,
    };
    let rows = vec![row, row];
    let (many, decision) = (judged(&rows, 1, 2), decided());
    let (question, decision) = (Some(evil), Some(&decision));
    let comparison = ComparisonReport {
        question,
        many: &many,
        decision,
        between: None,
        rows,
        reports: &[],
        calibration: None,
        cautions: Vec::new(),
    };
    let (mut run, mut compare) = (Vec::new(), Vec::new());
    report.document(run_charts(&scene)).write_page(&mut run).expect("the page is written");
    let comparison = ComparisonReport { reports: &[report], ..comparison };
    let charts = comparison_charts(&world, &comparison);
    comparison.document(charts).write_page(&mut compare).expect("the page is written");
    [run, compare].map(|page| String::from_utf8(page).expect("the page is text"))
}

#[test]
fn pages_run_no_script_and_load_nothing() {
    let all = pages();
    for page in &all {
        assert!(!page.contains("<script") && !page.contains('\u{202e}'));
        assert!(page.contains("&lt;script&gt;alert"));
        assert!(page.contains("default-src 'none'"));
        let links = page.matches("http").count() - page.matches("http-equiv").count();
        assert_eq!(links, page.matches("xmlns=\"http://www.w3.org/2000/svg\"").count());
        assert!(!page.contains("url(") && !page.contains("<link") && !page.contains(" src="));
    }
    assert!(all == pages(), "two pages of one run differ");
}

/// The documents of a run, comparisons of two and ten policies, plans, a sweep, a backtest and a
/// check.
fn documents(then: impl Fn(&Document)) {
    let world = tiny();
    let ((), collector, series, fingerprint, outcome) = simulate(&world, 30, None, ());
    let summary = collector.summary(&world, &["a tenant".to_owned()], &outcome);
    let objectives = vec![
        ObjectiveResult::check("wait_p95", BoundSide::AtMost, 600.0, "<= 10 min", &summary),
        ObjectiveResult::check("deadlines_met", BoundSide::AtLeast, 0.95, ">= 95 %", &summary),
        ObjectiveResult::check("cost_total", BoundSide::AtMost, 0.1, "<= 0.1 USD", &summary),
    ];
    let recipe = Recipe { question: Some("?".to_owned()), ..Recipe::default() };
    let report = RunReport {
        alerts: AlertReport::default(),
        budgets: Vec::new(),
        calendar: crate::units::Calendar::from_unix_micros(0),
        recipe: recipe.clone(),
        summary: summary.clone(),
        objectives: objectives.clone(),
        assumptions: vec!["Something is taken for granted.".to_owned()],
        cautions: vec!["Something must be said.".to_owned()],
        fingerprint: fingerprint.hex(),
        daily: None,
        bill: None,
        chargeback: None,
        skipped_rows: 1,
        dropped_rows: 0,
        row_notes: crate::workload::RowNotes::default(),
    };
    then(&report.document(Vec::new()));
    let row = PolicyResult {
        name: "a-policy-with-a-name-of-some-length",
        summary: &summary,
        series: &series,
        waits: collector.waits(),
        objectives: &objectives,
    };
    for (policies, replications) in [(2, 1), (10, 1), (2, 3), (10, 3)] {
        let rows = vec![row; policies];
        let many = judged(&rows, 0, replications);
        let mut decision = decided();
        decision.assessments = vec![decision.assessments[0].clone(); policies];
        let reports = &vec![report.clone(); policies];
        let comparison = ComparisonReport {
            question: None,
            many: &many,
            decision: Some(&decision),
            between: None,
            rows,
            reports,
            calibration: None,
            cautions: vec!["Something must be said.".to_owned()],
        };
        then(&comparison.document(Vec::new()));
    }
    for (bound, nodes) in [("<= 5 min", "2..6"), ("<= 10 s", "2..3")] {
        let found = &plan::tests::small(bound, nodes);
        then(
            &PlanReport { recipe: &recipe, found, assumptions: &[], cautions: &[] }
                .document(Vec::new()),
        );
    }
    let sweep = &crate::experiment::sweep::testing::by_hand();
    let (recipe, assumptions) = (Some(&recipe), &[][..]);
    let swept = SweepReport {
        question: None,
        sweep,
        metrics: ["cost_total", "cost_monthly", "deadlines_met", "wait_p95"]
            .map(|key| {
                crate::metrics::METRICS
                    .iter()
                    .position(|metric| metric.key == key)
                    .expect("a metric")
            })
            .to_vec(),
        goal: 0,
        recipe,
        assumptions,
        cautions: assumptions,
    };
    then(&swept.document(Vec::new()));
    let (run, backtest) = super::testing::backtested("p");
    then(&BacktestReport { run: &run, backtest: &backtest }.document(Vec::new()));
    check::tests::regressed(|report| then(&report.document()));
}

/// Documents in full, so that a change of words is seen where it is reviewed.
#[test]
fn documents_read_so() {
    let all = std::cell::RefCell::new(Vec::new());
    documents(|document| {
        all.borrow_mut().push((document.text(Terminal::PLAIN), document.markdown()));
    });
    let all = all.into_inner();
    let names = [
        (0, "run"),
        (1, "compare-once"),
        (3, "compare"),
        (5, "plan"),
        (6, "plan-none"),
        (7, "sweep"),
        (8, "backtest"),
        (9, "check"),
    ];
    for (at, name) in names {
        let (text, markdown) = &all[at];
        expect_file![format!("tests/{name}.txt")].assert_eq(text);
        expect_file![format!("tests/{name}.md")].assert_eq(markdown);
    }
}

/// A page without what is between `from` and `to`, which is held by other tests.
fn without(mut page: String, from: &str, to: &str) -> String {
    let mut at = 0;
    while let Some(start) = page[at..].find(from).map(|start| at + start) {
        let Some(end) = page[start..].find(to) else { return page };
        page.replace_range(start + from.len()..start + end, "...");
        at = start + from.len();
    }
    page
}

/// The page of a run in full, but for its style and its charts.
#[test]
fn a_page_reads_so() {
    let first = std::cell::RefCell::new(None);
    documents(|document| {
        first.borrow_mut().get_or_insert_with(|| {
            let mut page = Vec::new();
            document.write_page(&mut page).expect("the page is written");
            String::from_utf8(page).expect("the page is text")
        });
    });
    let page = first.into_inner().expect("there is a document");
    let page = without(without(page, "<style>", "</style>"), "<svg", "</svg>");
    expect_file!["tests/run.html"].assert_eq(&page);
}

#[test]
fn every_document_fits_a_hundred_columns_and_five_bullets() {
    documents(|document| {
        let text = document.text(Terminal::PLAIN);
        let wide = text.lines().find(|line| line.chars().count() > 100);
        assert_eq!(wide, None, "{text}");
        let Answer { headline, bullets } = &document.answer;
        assert!(headline.ends_with('.') && !headline.contains(". "), "{headline}");
        assert!((1..=5).contains(&bullets.len()), "{bullets:?}");
        assert!(bullets.iter().all(|bullet| bullet.ends_with('.')), "{bullets:?}");
        assert!(!text.contains('`'), "{text}");
    });
}

#[test]
fn every_page_has_contents_and_stacks_wide_tables_on_a_phone() {
    documents(|document| {
        let mut page = Vec::new();
        document.write_page(&mut page).expect("the page is written");
        let page = String::from_utf8(page).expect("the page is text");
        for link in page.split("<a href=\"#").skip(1) {
            let anchor = link.split('"').next().expect("a name");
            assert!(page.contains(&format!("id=\"{anchor}\"")), "{anchor}");
        }
        assert!(page.contains(".wide td { display: flex") && page.contains("<nav"));
        assert!(document.markdown().contains("**"));
    });
}
