use expect_test::expect;

use super::super::chart::backtest_charts;
use super::super::page::write_backtest_page;
use super::super::terminal::{Terminal, backtest_text};
use super::super::testing::{backtested, tiny};
use super::*;
use crate::experiment::backtest::MadeOf;

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
    expect![[]].assert_eq(&head(text(report.write_csv(Vec::new(), cells))));
    expect![[]].assert_eq(&head(text(report.write_groups(Vec::new(), cells))));
    let jobs = text(report.write_jobs(Vec::new(), cells));
    expect![[]].assert_eq(&head(jobs.clone()));
    let row = |at: usize| jobs.lines().nth(at).expect("there are twelve").to_owned();
    expect![[]].assert_eq(&format!("{}\n{}\n", row(5), row(7)));
}

#[test]
fn sentences_say_what_was_found() {
    let (run, judged) = backtested("today");
    let report = BacktestReport { run: &run, backtest: &judged };
    expect![[]].assert_eq(&report.answer());
    let kept = calibration(&judged);
    expect![[]].assert_eq(&calibration_text(&kept, &[]));
    let stale = calibration_text(&kept, &["the workload", "the policy"]);
    let want = "The calibration is stale: the workload and the policy have changed since";
    assert!(stale.starts_with(want), "{stale}");
    let exact = Calibration { likeness: Likeness::Exact, ..kept };
    let want = "Held against what was observed, the model of today is exact.";
    assert_eq!(calibration_text(&exact, &[]), want);
}

#[test]
fn names_from_outside_stay_names() {
    let evil = "</title><script>alert('x')</script>\u{202e}\u{1b}[31m";
    let (run, judged) = backtested(evil);
    let report = BacktestReport { run: &run, backtest: &judged };
    let charts = backtest_charts(&tiny(), &judged);
    let mut page = Vec::new();
    write_backtest_page(&mut page, &report, &charts).expect("the page is written");
    let page = String::from_utf8(page).expect("the page is text");
    assert!(!page.contains("<script") && !page.contains('\u{202e}'));
    assert!(page.contains("&lt;script&gt;alert") && page.contains("default-src 'none'"));
    let text = backtest_text(&report, Terminal::PLAIN);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let mut kept = calibration(&judged);
    kept.policy = evil.to_owned();
    let said = calibration_text(&kept, &[]);
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
