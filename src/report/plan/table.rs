//! A plan in tables: what was judged, and all that was looked at.

use super::super::document::{Cell, Table, Tone};
use super::super::figure::{clean, figure, figure_against, half_width};
use super::PlanReport;
use crate::experiment::search::{Candidate, SetupVerdict};
use crate::experiment::statistics::Interval;
use crate::experiment::{Chance, Measurement};
use crate::metrics::Metric;

impl PlanReport<'_> {
    /// The finalists, the cheapest first.
    pub(super) fn judged_table(&self) -> Table {
        let replications = self.replications();
        let title = match self.found.chance {
            Chance::None => "Judged".to_owned(),
            _ => format!(
                "Judged on {} {replications} that the search never saw",
                self.found.held_out
            ),
        };
        let mut table = self.table(&title);
        // A single run tells no more than the verdict does.
        let random = self.found.chance != Chance::None;
        if random {
            table.head.push("kept in".to_owned());
        }
        table.head.push("verdict".to_owned());
        for row in self.ranked() {
            let finalist = &self.found.finalists[row];
            let candidate = self.found.candidate(row);
            let mut cells = self.cells(candidate, self.judged(candidate));
            if random {
                let kept = format!("{} of {}", finalist.kept_in, self.found.held_out);
                cells.push(Cell::plain(kept));
            }
            let tone = match finalist.verdict {
                SetupVerdict::Kept => Tone::Good,
                SetupVerdict::NotShown => Tone::Plain,
                SetupVerdict::Broken => Tone::Bad,
            };
            let below = match (Some(row) == self.found.choice, finalist.tied) {
                (true, _) => "the answer",
                (_, true) => "as cheap",
                _ => "",
            };
            cells.push(Cell {
                text: finalist.verdict.words().to_owned(),
                below: below.to_owned(),
                tone,
            });
            table.rows.push(cells);
        }
        table
    }

    /// All candidates, in the order of their levels.
    pub(super) fn candidate_table(&self) -> Table {
        let title = format!("Looked at, on {} {} each", self.found.searched, self.replications());
        let mut table = self.table(&title);
        let mut all: Vec<&Candidate> = self.found.candidates.iter().collect();
        all.sort_by(|a, b| a.point.cmp(&b.point));
        table.rows = all.iter().map(|one| self.cells(one, &one.searched)).collect();
        table
    }

    fn table(&self, title: &str) -> Table {
        let mut table = Table::new(title, &[]);
        let variables = &self.found.task.variables;
        table.head = variables.iter().map(|one| clean(&self.short(&one.key))).collect();
        table.words = variables.len();
        let numbers = variables.iter().zip(0..).filter(|(one, _)| one.numbers.is_some());
        table.numbers = numbers.map(|(_, column)| column).collect();
        let goal = self.goal();
        table.head.push(match goal.key {
            "cost_total" => format!("{} {}", goal.label, self.period()),
            _ => goal.label.to_owned(),
        });
        table.head.extend((0..self.found.objectives.len()).map(|row| self.promise(row)));
        table
    }

    fn cells(&self, candidate: &Candidate, all: &[Measurement]) -> Vec<Cell> {
        let levels = self.found.levels(&candidate.point);
        // Settings of other policies are left out.
        let mut cells: Vec<Cell> =
            levels.map(|(_, level)| Cell::plain(clean(level.unwrap_or("–")))).collect();
        cells.push(self.cell(self.goal(), all));
        for (row, objective) in self.found.objectives.iter().enumerate() {
            let interval = self.promised_interval(row, all);
            let mean = self.promised_mean(row, all);
            let mut cell = spread_cell(objective.metric, mean, interval);
            cell.text = figure_against(objective.metric.unit, mean, Some(objective.bound));
            cell.tone = match mean.is_some_and(|mean| objective.kept(mean)) {
                true => Tone::Good,
                false => Tone::Bad,
            };
            cells.push(cell);
        }
        cells
    }

    /// A mean, and half of the width of its interval below it.
    fn cell(&self, metric: &Metric, all: &[Measurement]) -> Cell {
        spread_cell(metric, self.mean(metric, all), self.interval(metric, all))
    }
}

/// A mean, and half of the width of its interval below it.
fn spread_cell(metric: &Metric, mean: Option<f64>, interval: Option<Interval>) -> Cell {
    let spread = interval.filter(|interval| interval.half_width > 0.0);
    let below =
        spread.map_or(String::new(), |one| half_width(metric.unit, one.half_width, one.mean));
    Cell { text: figure(metric.unit, mean), below, tone: Tone::Plain }
}
