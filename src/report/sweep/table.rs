//! The tables of a sweep.

use super::super::figure::{clean, difference, figure};
use super::super::section::{Cell, Section, Tone};
use super::SweepReport;
use super::answer::{half_width, label};
use crate::experiment::sweep::{Level, best, effects as effects_of};
use crate::metrics::METRICS;

/// The best point of each policy.
pub(in super::super) fn best_points(report: &SweepReport<'_>) -> Section {
    let sweep = report.sweep;
    let mut section = Section::new("Best point of each policy", &["policy"]);
    section.head.extend((0..sweep.axes.len()).map(|axis| clean(sweep.name(axis))));
    section.words = 1 + sweep.axes.len();
    add_metrics_head(report, &mut section);
    for policy in 0..sweep.policies.len() {
        let Some(best) = best(sweep, policy, report.goal) else { continue };
        let mut cells = vec![Cell::plain(clean(&sweep.policies[policy]))];
        cells.extend(row(report, best.point, policy));
        section.rows.push(cells);
    }
    section
}

/// Every point under a policy.
pub(in super::super) fn points(report: &SweepReport<'_>, policy: usize) -> Section {
    let sweep = report.sweep;
    let title = format!("All points under {}", clean(&sweep.policies[policy]));
    let mut section = Section::new(&title, &[]);
    section.head.extend((0..sweep.axes.len()).map(|axis| clean(sweep.name(axis))));
    section.words = sweep.axes.len();
    add_metrics_head(report, &mut section);
    section.rows = (0..sweep.points.len()).map(|point| row(report, point, policy)).collect();
    section
}

fn add_metrics_head(report: &SweepReport<'_>, section: &mut Section) {
    section.head.extend(report.metrics.iter().map(|&metric| label(metric).to_owned()));
    if !report.sweep.objectives.is_empty() {
        section.head.push("objectives kept".to_owned());
    }
}

/// Settings, metrics and promises of a point.
fn row(report: &SweepReport<'_>, point: usize, policy: usize) -> Vec<Cell> {
    let sweep = report.sweep;
    let levels = sweep.points[point].levels.iter().zip(&sweep.concerns[policy]);
    // A setting of another policy is none of this one.
    let own =
        |(level, &own): (&Level, &bool)| if own { clean(&level.text) } else { "–".to_owned() };
    let mut cells: Vec<Cell> = levels.map(own).map(Cell::plain).collect();
    for &metric in &report.metrics {
        let estimate = sweep.estimate(point, policy, metric);
        let unit = METRICS[metric].unit;
        cells.push(Cell {
            text: figure(unit, estimate.map(|estimate| estimate.mean)),
            below: half_width(unit, estimate.and_then(|estimate| estimate.interval)),
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
            _ => format!("all in {kept} of {all} runs"),
        };
        let tone = if kept == all { Tone::Good } else { Tone::Bad };
        cells.push(Cell { text, below: String::new(), tone });
    }
    cells
}

/// What matters under a policy: each metric, and each setting by how far it moves it.
pub(in super::super) fn effects(report: &SweepReport<'_>, policy: usize) -> Section {
    let title = format!("What matters under {}", clean(&report.sweep.policies[policy]));
    let head = ["metric", "setting", "lowest at", "", "highest at", "", "difference"];
    let mut section = Section::new(&title, &head);
    section.words = 3;
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
            let (text, below) = match (effect.is_shown(), effect.swing() == 0.0) {
                (true, _) => (difference(unit, effect.swing()), half_width(unit, effect.interval)),
                (false, true) => ("none".to_owned(), String::new()),
                (false, false) => {
                    let half = half_width(unit, effect.interval);
                    (difference(unit, effect.swing()), format!("{half}, not shown"))
                }
            };
            cells.push(Cell { text, below, tone: Tone::Plain });
            section.rows.push(cells);
        }
    }
    section
}
