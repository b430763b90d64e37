//! Pages: one HTML file each, which loads nothing and runs no script.

use std::io;

use minijinja::value::Serde;
use minijinja::{Environment, Value, context};
use serde::Serialize;

use super::backtest::BacktestReport;
use super::chart::{Chart, OBJECTIVES};
use super::comparison::Comparison;
use super::figure::clean;
use super::plan::PlanReport;
use super::run::{Recipe, RunReport};
use super::section;
use super::sweep::{self, SweepReport};
use crate::experiment::search::Variable;

/// Writes `report.html`. `charts` are those of the run, in order.
///
/// # Errors
/// The first error of the writer.
pub fn write_run_page(
    out: &mut dyn io::Write,
    report: &RunReport,
    charts: &[Chart],
) -> io::Result<()> {
    let (recipe, summary) = (&report.recipe, &report.summary);
    let (promised, over_time): (Vec<&Chart>, Vec<&Chart>) =
        charts.iter().partition(|chart| chart.name == OBJECTIVES);
    let page = context! {
        title => title(recipe.question.as_deref(), &recipe.scenario),
        recipe => recipe_of(recipe),
        started => summary.started.as_str(),
        ended => summary.ended.as_str(),
        drained => summary.drained,
        tiles => said(section::tiles(report)),
        objectives => said(section::objectives(report)),
        times => said(section::times(summary)),
        tables => said([section::work(summary), section::resources(summary)]),
        costs => said(section::costs(&summary.cost)),
        promised => drawn(promised)?,
        charts => drawn(over_time)?,
        assumptions => report.assumptions.iter().map(|text| clean(text)).collect::<Vec<_>>(),
        fingerprint => report.fingerprint.as_str(),
        skipped_rows => report.skipped_rows,
        dropped_rows => report.dropped_rows,
        percentiles_exact => summary.percentiles_exact,
    };
    render("run.html", page, out)
}

/// Writes `compare.html`. `charts` are those of the comparison; `reports`, if
/// there are any, are the policies' own, in the order of its rows.
///
/// # Errors
/// The first error of the writer.
pub fn write_comparison_page(
    out: &mut dyn io::Write,
    comparison: &Comparison<'_>,
    charts: &[Chart],
    reports: &[RunReport],
) -> io::Result<()> {
    let policies: Vec<Value> = reports
        .iter()
        .map(|report| {
            context! {
                name => clean(&report.recipe.policy),
                tiles => said(section::tiles(report)),
                objectives => said(section::objectives(report)),
                times => said(section::times(&report.summary)),
                costs => said(section::costs(&report.summary.cost)),
                fingerprint => report.fingerprint.as_str(),
            }
        })
        .collect();
    let baseline = clean(&comparison.many.policies[comparison.baseline()].name);
    let others = (0..comparison.many.policies.len()).filter(|&row| row != comparison.baseline());
    let verdicts: Vec<_> = others.map(|row| section::verdicts(comparison, row)).collect();
    let mut assumptions: Vec<&String> = Vec::new();
    for text in reports.iter().flat_map(|report| &report.assumptions) {
        if !assumptions.contains(&text) {
            assumptions.push(text);
        }
    }
    let page = context! {
        title => title(comparison.question, "Comparison"),
        baseline => baseline,
        caution => comparison.caution(),
        answer => comparison.answer(),
        between => comparison.between.map(|between| between.told()),
        pairing => comparison.saved_by_pairing(),
        first => comparison.many.replications > 1,
        table => said(section::comparison(comparison)),
        verdicts => said(verdicts),
        details => said([
            section::between(comparison),
            section::waterfalls(comparison),
            section::fates(comparison),
        ]),
        charts => drawn(charts)?,
        policies => policies,
        assumptions => assumptions.iter().map(|text| clean(text)).collect::<Vec<_>>(),
        skipped_rows => reports.first().map_or(0, |report| report.skipped_rows),
        dropped_rows => reports.first().map_or(0, |report| report.dropped_rows),
        recipe => reports.first().map(|report| recipe_of(&report.recipe)),
    };
    render("compare.html", page, out)
}

/// Writes `plan.html`.
///
/// # Errors
/// The first error of the writer.
pub fn write_plan_page(
    out: &mut dyn io::Write,
    report: &PlanReport<'_>,
    charts: &[Chart],
) -> io::Result<()> {
    let recipe = report.recipe;
    let variables = &report.found.task.variables;
    let variable = |one: &Variable| match one.levels.as_slice() {
        [first, .., last] if one.numbers.is_some() => {
            clean(&format!("{}: {first} to {last}, {} values", one.key, one.levels.len()))
        }
        levels => clean(&format!("{}: {}", one.key, levels.join(", "))),
    };
    let page = context! {
        title => title(recipe.question.as_deref(), &recipe.scenario),
        recipe => recipe_of(recipe),
        answer => report.answer(),
        cautions => report.cautions(),
        judged => said(report.judged_table()),
        candidates => said(report.candidate_table()),
        charts => drawn(charts)?,
        variables => variables.iter().map(variable).collect::<Vec<_>>(),
        assumptions => report.assumptions.iter().map(|text| clean(text)).collect::<Vec<_>>(),
    };
    render("plan.html", page, out)
}

/// Writes `backtest.html`. `charts` are those of the backtest, in order.
///
/// # Errors
/// The first error of the writer.
pub fn write_backtest_page(
    out: &mut dyn io::Write,
    report: &BacktestReport<'_>,
    charts: &[Chart],
) -> io::Result<()> {
    let run = report.run;
    let page = context! {
        title => title(run.recipe.question.as_deref(), &run.recipe.scenario),
        recipe => recipe_of(&run.recipe),
        started => run.summary.started.as_str(),
        ended => run.summary.ended.as_str(),
        answer => report.answer(),
        readings => said(section::readings(report.backtest)),
        sections => said(section::backtest(report.backtest)),
        charts => drawn(charts)?,
        assumptions => run.assumptions.iter().map(|text| clean(text)).collect::<Vec<_>>(),
        fingerprint => run.fingerprint.as_str(),
        skipped_rows => run.skipped_rows,
        dropped_rows => run.dropped_rows,
    };
    render("backtest.html", page, out)
}

/// Points up to which a page shows all of them.
const MOST_POINTS: usize = 100;

/// Writes `sweep.html`. `charts` are those of the sweep, in order.
///
/// # Errors
/// The first error of the writer.
pub fn write_sweep_page(
    out: &mut dyn io::Write,
    report: &SweepReport<'_>,
    recipe: &Recipe,
    assumptions: &[String],
    charts: &[Chart],
) -> io::Result<()> {
    let policies = || 0..report.sweep.policies.len();
    let shown = report.sweep.points.len() <= MOST_POINTS;
    let points: Vec<_> =
        policies().filter(|_| shown).map(|policy| sweep::points(report, policy)).collect();
    let effects: Vec<_> = policies().map(|policy| sweep::effects(report, policy)).collect();
    let axis =
        |axis: &crate::experiment::sweep::Axis| clean(&format!("{}={}", axis.key, axis.asked));
    let page = context! {
        title => title(report.question, "Sweep"),
        recipe => recipe_of(recipe),
        size => sweep::size(report),
        answer => sweep::answer(report),
        caution => sweep::caution(report),
        best => said(sweep::best_points(report)),
        effects => said(effects),
        points => said(points),
        charts => drawn(charts)?,
        axes => report.sweep.axes.iter().map(axis).collect::<Vec<_>>(),
        repetition => report.sweep.repetition.told(),
        assumptions => assumptions.iter().map(|text| clean(text)).collect::<Vec<_>>(),
    };
    render("sweep.html", page, out)
}

fn title(question: Option<&str>, name: &str) -> String {
    clean(question.filter(|question| !question.is_empty()).unwrap_or(name))
}

fn said(value: impl Serialize) -> Value {
    Value::from(Serde(value))
}

/// The recipe with names that are fit to be shown.
fn recipe_of(recipe: &Recipe) -> Value {
    let input = |input: &super::run::InputHash| {
        context! { name => clean(&input.name), hash => clean(&input.hash) }
    };
    context! {
        version => recipe.version.as_str(),
        scenario => clean(&recipe.scenario),
        scenario_hash => recipe.scenario_hash.as_str(),
        policy => clean(&recipe.policy),
        seed => recipe.seed,
        inputs => recipe.inputs.iter().map(input).collect::<Vec<_>>(),
    }
}

fn drawn<'a>(charts: impl IntoIterator<Item = &'a Chart>) -> io::Result<Vec<Value>> {
    let draw = |chart: &Chart| {
        let svg = Value::from_safe_string(chart.svg()?);
        let (caption, title) = (chart.caption.as_str(), clean(&chart.title));
        Ok(context! { svg, caption, title, nothing => chart.nothing() })
    };
    charts.into_iter().map(draw).collect()
}

fn render(name: &str, page: Value, out: &mut dyn io::Write) -> io::Result<()> {
    let mut pages = Environment::new();
    let templates = [
        ("base.html", include_str!("page/base.html")),
        ("parts.html", include_str!("page/parts.html")),
        ("run.html", include_str!("page/run.html")),
        ("compare.html", include_str!("page/compare.html")),
        ("plan.html", include_str!("page/plan.html")),
        ("backtest.html", include_str!("page/backtest.html")),
        ("sweep.html", include_str!("page/sweep.html")),
    ];
    for (name, text) in templates {
        pages.add_template(name, text).map_err(io::Error::other)?;
    }
    let text = pages
        .get_template(name)
        .and_then(|template| template.render(page))
        .map_err(io::Error::other)?;
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::super::chart::{Scene, run_charts, shared_colours};
    use super::super::testing::{backtested, tiny};
    use super::*;
    use crate::metrics::{Histogram, Series};

    #[test]
    fn charts_of_nothing_are_sentences() {
        let mut waits = Histogram::default();
        waits.add(0);
        let (world, series) = (tiny(), Series::default());
        let scene = Scene { world: &world, series: &series, waits: &waits, objectives: &[] };
        let (mut report, _) = backtested("p");
        report.objectives.clear();
        let mut page = Vec::new();
        write_run_page(&mut page, &report, &run_charts(&scene)).expect("the page is written");
        let page = String::from_utf8(page).expect("the page is text");
        assert!(page.contains("Waits: all work started as it arrived.</p>"));
        assert!(!page.contains("waited at most this long"));
    }

    #[test]
    fn what_all_charts_are_drawn_in_has_a_colour_on_dark_paper() {
        let style = include_str!("page/base.html");
        for (red, green, blue) in shared_colours() {
            let colour = format!("[stroke=\"#{red:02X}{green:02X}{blue:02X}\"]");
            assert!(style.contains(&colour), "{colour}");
        }
    }
}
