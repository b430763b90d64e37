//! The tables of a sweep.

use super::super::document::{Cell, Table, Tone};
use super::super::figure::{clean, difference, figure, half_width};
use super::SweepReport;
use crate::experiment::statistics::Interval;
use crate::experiment::sweep::{Level, best, effects as effects_of};
use crate::metrics::METRICS;

/// The best point of each policy.
pub(super) fn best_points(report: &SweepReport<'_>) -> Table {
    let sweep = report.sweep;
    let mut table = Table::new("Best point of each policy", &["policy"]);
    table.head.extend((0..sweep.axes.len()).map(|axis| clean(sweep.name(axis))));
    table.words = 1 + sweep.axes.len();
    table.numbers = numbers(report, 1);
    add_metrics_head(report, &mut table);
    for policy in 0..sweep.policies.len() {
        let Some(best) = best(sweep, policy, report.goal) else { continue };
        let mut cells = vec![Cell::plain(clean(&sweep.policies[policy]))];
        cells.extend(row(report, best.point, policy));
        table.rows.push(cells);
    }
    table
}

/// Every point under a policy.
pub(super) fn points(report: &SweepReport<'_>, policy: usize) -> Table {
    let sweep = report.sweep;
    let title = format!("All points under {}", clean(&sweep.policies[policy]));
    let mut table = Table::new(&title, &[]);
    table.head.extend((0..sweep.axes.len()).map(|axis| clean(sweep.name(axis))));
    table.words = sweep.axes.len();
    table.numbers = numbers(report, 0);
    add_metrics_head(report, &mut table);
    table.rows = (0..sweep.points.len()).map(|point| row(report, point, policy)).collect();
    table
}

/// The columns of settings that are numbers; column `from` is the first.
fn numbers(report: &SweepReport<'_>, from: usize) -> Vec<usize> {
    let sweep = report.sweep;
    let is_number = |axis: &usize| {
        let mut levels = sweep.points.iter().map(|point| &point.levels[*axis]);
        levels.all(|level| {
            level.text.starts_with(|first: char| first.is_ascii_digit() || first == '-')
        })
    };
    (0..sweep.axes.len()).filter(is_number).map(|axis| from + axis).collect()
}

fn add_metrics_head(report: &SweepReport<'_>, table: &mut Table) {
    table.head.extend(report.metrics.iter().map(|&metric| label(metric).to_owned()));
    if !report.sweep.objectives.is_empty() {
        table.head.push(match report.sweep.replications {
            1 => "objectives kept".to_owned(),
            _ => "all kept in".to_owned(),
        });
    }
}

/// Settings, metrics and promises of a point.
fn row(report: &SweepReport<'_>, point: usize, policy: usize) -> Vec<Cell> {
    let sweep = report.sweep;
    let levels = sweep.points[point].levels.iter().zip(&sweep.concerns[policy]);
    // Settings of other policies are left out.
    let own =
        |(level, &own): (&Level, &bool)| if own { clean(&level.text) } else { "–".to_owned() };
    let mut cells: Vec<Cell> = levels.map(own).map(Cell::plain).collect();
    for &metric in &report.metrics {
        let estimate = sweep.estimate(point, policy, metric);
        let unit = METRICS[metric].unit;
        cells.push(Cell {
            text: figure(unit, estimate.map(|estimate| estimate.mean)),
            below: estimate.map_or_else(String::new, |one| spread(unit, one.interval, one.mean)),
            tone: Tone::Plain,
        });
    }
    if !sweep.objectives.is_empty() {
        let (kept, all) = (sweep.kept(point, policy), sweep.replications as usize);
        let text = match (all, kept) {
            (1, 1) => "all".to_owned(),
            (1, _) => {
                let kept = &sweep.runs(point, policy)[0].kept;
                format!("{} of {}", kept.iter().filter(|&&kept| kept).count(), kept.len())
            }
            _ => format!("{kept} of {all}"),
        };
        let tone = Tone::of_promise(sweep.keeps(point, policy), kept as u64, all as u64);
        cells.push(Cell { text, below: String::new(), tone });
    }
    cells
}

/// Table of what matters under a policy: each metric, and each setting by how far it moves it.
pub(super) fn effects(report: &SweepReport<'_>, policy: usize) -> Table {
    let title = format!("What matters under {}", clean(&report.sweep.policies[policy]));
    let head = ["metric", "setting", "lowest at", "", "highest at", "", "difference"];
    let mut table = Table::new(&title, &head);
    table.words = 3;
    for &metric in &report.metrics {
        let unit = METRICS[metric].unit;
        for effect in effects_of(report.sweep, policy, metric) {
            let mut cells: Vec<Cell> = [
                label(metric).to_owned(),
                clean(report.sweep.name(effect.axis)),
                clean(&effect.lowest.text),
                figure(unit, Some(effect.lowest.mean)),
                clean(&effect.highest.text),
                figure(unit, Some(effect.highest.mean)),
            ]
            .map(Cell::plain)
            .into();
            let beside = effect.highest.mean;
            let (text, below) = match (effect.is_shown(), effect.swing() == 0.0) {
                (true, _) => {
                    (difference(unit, effect.swing()), spread(unit, effect.interval, beside))
                }
                (false, true) => ("none".to_owned(), String::new()),
                (false, false) => {
                    let half = spread(unit, effect.interval, beside);
                    let below =
                        [half.as_str(), "not shown"].into_iter().filter(|one| !one.is_empty());
                    (difference(unit, effect.swing()), below.collect::<Vec<_>>().join(", "))
                }
            };
            cells.push(Cell { text, below, tone: Tone::Plain });
            table.rows.push(cells);
        }
    }
    table
}

/// `± $1.50`; nothing without an interval or where it has no width.
fn spread(unit: &str, interval: Option<Interval>, beside: f64) -> String {
    let interval = interval.filter(|interval| interval.half_width > 0.0);
    interval.map_or_else(String::new, |interval| half_width(unit, interval.half_width, beside))
}

/// The label of a metric, a row of [`METRICS`].
fn label(metric: usize) -> &'static str {
    METRICS[metric].label
}
