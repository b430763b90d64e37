use expect_test::expect;

use super::super::chart::backtest_charts;
use super::super::document::Terminal;
use super::super::testing::{backtested, tiny};
use super::*;
use crate::experiment::backtest::{Calibration, MadeOf};

fn calibration(backtest: &Backtest) -> Calibration {
    let made_of = MadeOf {
        version: "1".to_owned(),
        workload: "a".to_owned(),
        world: "b".to_owned(),
        policy: "c".to_owned(),
    };
    Calibration {
        kind: Calibration::KIND.to_owned(),
        policy: "today".to_owned(),
        seed: 1,
        made_of,
        likeness: backtest.likeness,
        unobserved: backtest.unobserved,
        waits: backtest.waits,
        readings: backtest.readings.clone(),
    }
}

#[test]
fn files_of_a_backtest() {
    let (run, judged) = backtested("p");
    let report = BacktestReport { run: &run, backtest: &judged };
    let text = |file: io::Result<Vec<u8>>| {
        String::from_utf8(file.expect("memory takes everything")).expect("the file is text")
    };
    let head =
        |text: String| -> String { text.lines().take(4).map(|line| format!("{line}\n")).collect() };
    let cells = TextCells::Guarded;
    expect![[r#"
        metric,unit,source,observed,simulated,error,relative_error
        wait_mean,s,trace,660,724.8,64.79999999999995,0.0981818181818181
        wait_p50,s,trace,600,744,144,0.24
        wait_p95,s,trace,1200,1560,360,0.3
    "#]]
    .assert_eq(&head(text(report.write_csv(Vec::new(), cells))));
    expect![[r#"
        by,group,compared,observed_wait_mean_s,simulated_wait_mean_s,bias_s,mean_absolute_s,root_mean_square_s,median_absolute_s,within,rank_correlation
        cores,up to 1,1,100,93,-7,7,7,7,1,
        cores,2 to 4,3,300,316,16,44,55.015149428740685,28,0.6666666666666666,0.4999999999999999
        cores,5 to 16,6,933.3333333333334,1034.5,101.16666666666667,168.83333333333334,203.6602563093742,77,0.5,0.7714285714285715
    "#]].assert_eq(&head(text(report.write_groups(Vec::new(), cells))));
    let jobs = text(report.write_jobs(Vec::new(), cells));
    expect![[r#"
        job,source,ordinal,tenant,tasks,submitted_s,observed_wait_s,simulated_wait_s,wait_error_s,observed_start_s,simulated_start_s,observed_run_s,simulated_run_s,observed_cpu_milli,simulated_cpu_milli
        p,0,1,p,1,86400.000000,100.000000,93.000000,-7.000000,86500.000000,86493.000000,600.000000,600.000000,1000,1000
        2,0,2,default,1,172800.000000,200.000000,186.000000,-14.000000,173000.000000,172986.000000,1200.000000,1200.000000,2000,2000
        3,0,3,p,1,259200.000000,300.000000,390.000000,90.000000,259500.000000,259590.000000,1800.000000,1800.000000,3000,3000
    "#]].assert_eq(&head(jobs.clone()));
    let row = |at: usize| jobs.lines().nth(at).expect("there are twelve").to_owned();
    expect![[r#"
        5,0,5,p,1,432000.000000,,465.000000,,,432465.000000,,3000.000000,,5000
        7,0,7,p,1,604800.000000,700.000000,,,605500.000000,,4200.000000,,7000,
    "#]]
    .assert_eq(&format!("{}\n{}\n", row(5), row(7)));
}

#[test]
fn sentences_say_what_was_found() {
    let (run, judged) = backtested("today");
    let report = BacktestReport { run: &run, backtest: &judged };
    expect![[r#"
        Statements {
            answer: Answer {
                headline: "Under today, the model is poor: wait, mean 12 min 5 s against 11 min observed (+9.8 %).",
                bullets: [
                    "Waits: 60.0 % within 10 % or a minute, half of them off by at most 1 min 10 s, rank correlation 0.94. The mean error of a wait is +1 min 5 s, and between −20 s and +2 min 42 s over other stretches of such a log (95 %).",
                    "As the scenario says: instance-hours 12 h against 10 h observed (+20.0 %), cost of today $0.00 against $5.00 observed (−100.0 %).",
                    "By the bill, from 1970-01-02 00:00 to 1970-01-13 00:00 UTC: $45.00 against $42.00 observed (+7.1 %); furthest off is today: compute, by +$4.00.",
                    "Also of the trace: core-hours ±0.0 %, makespan ±0.0 %, CPU utilisation ±0.0 %.",
                    "How sure: one run of the trace; exact, close, rough and poor are a convention, the same for every scenario. 1 thing is assumed or not modelled: listed below.",
                ],
            },
            cautions: [
                "Work whose start was not observed is left out: 1 of 12.",
                "Work that the run did not start is left out: 1 of 12.",
                "The bill is known from 1970-01-01 00:00 to 1970-01-13 00:00 UTC, the run from 1970-01-02 00:00 to 1970-01-14 00:00 UTC: what both have in common is compared, and beyond it lie today (observed $3.00, simulated $2.00).",
                "Of 1 line of the bills that reach over an edge of that time, a part in proportion to time counts.",
                "The observed bill alone has today: today $2.00.",
                "The bill of the run alone has today: transfer $1.00.",
                "Of providers that the other side does not know nothing is compared: today (simulated $7.00).",
                "What is not billed here is left out of the observed bill: today (observed $5.00).",
            ],
        }
    "#]].assert_debug_eq(&report.statements());
    let kept = calibration(&judged);
    expect!["Held against what was observed, the model of today is poor: wait, mean 12 min 5 s against 11 min observed (+9.8 %), 60.0 % of the waits within 10 % or a minute, instance-hours 12 h against 10 h observed, cost of today $0.00 against $5.00 observed, bill $45.00 against $42.00 observed."].assert_eq(&Calibrated::of(&kept, &[]).text);
    let stale = Calibrated::of(&kept, &["the workload", "the policy"]).text;
    let want = "The calibration is stale: the workload and the policy have changed since";
    assert!(stale.starts_with(want), "{stale}");
    let exact = Calibration { likeness: Likeness::Exact, ..kept };
    let want = "Held against what was observed, the model of today is exact.";
    assert_eq!(Calibrated::of(&exact, &[]).text, want);
}

#[test]
fn dates_in_the_head_are_to_the_minute() {
    let (mut run, judged) = backtested("today");
    run.summary.started = "2026-01-01T00:00:00Z".to_owned();
    run.summary.ended = "2026-01-10T12:34:56.123457Z".to_owned();
    let about = BacktestReport { run: &run, backtest: &judged }.document(Vec::new()).about;
    assert!(about.ends_with(", 2026-01-01 00:00 to 2026-01-10 12:34 UTC"), "{about}");
}

#[test]
fn names_from_outside_stay_names() {
    let evil = "</title><script>alert('x')</script>\u{202e}\u{1b}[31m";
    let (run, judged) = backtested(evil);
    let report = BacktestReport { run: &run, backtest: &judged };
    let charts = backtest_charts(&tiny(), &judged);
    let mut page = Vec::new();
    report.document(charts).write_page(&mut page).expect("the page is written");
    let page = String::from_utf8(page).expect("the page is text");
    assert!(!page.contains("<script") && !page.contains('\u{202e}'));
    assert!(page.contains("&lt;script&gt;alert") && page.contains("default-src 'none'"));
    let text = report.document(Vec::new()).text(Terminal::PLAIN);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let mut kept = calibration(&judged);
    kept.policy = evil.to_owned();
    let said = Calibrated::of(&kept, &[]).text;
    assert!(said.chars().all(|c| !c.is_control()) && !said.contains('\u{202e}'), "{said:?}");
}

#[test]
fn charts_are_drawn_with_and_without_waits() {
    let (_, judged) = backtested("p");
    let charts = backtest_charts(&tiny(), &judged);
    assert_eq!(charts.len(), 6);
    for chart in &charts {
        let svg = chart.svg().expect("the chart can be drawn");
        assert!(!svg.contains("no data"), "{}", chart.name);
    }
    let nothing = Backtest { pairs: Vec::new(), ..judged };
    assert!(backtest_charts(&tiny(), &nothing).is_empty());
}
