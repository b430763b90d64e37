//! What a report says, in tables of words: terminal and pages show the same.

mod backtest;

use serde::Serialize;

use super::comparison::Comparison;
use super::figure::{NOTHING, amount, clean, count, decimals, difference, figure, share};
use super::run::RunReport;
use crate::metrics::{Costs, Distribution, Summary};
use crate::units::Money;

pub(super) use backtest::{backtest, readings};

/// How a cell is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Tone {
    #[default]
    Plain,
    Good,
    Bad,
}

/// One cell: its words, and words below them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) below: String,
    pub(super) tone: Tone,
}

impl Cell {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// A table with a title. The first column names the rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Section {
    pub(super) title: String,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<Cell>>,
    /// Columns that hold words, from the left; the others hold numbers.
    pub(super) words: usize,
}

impl Section {
    pub(super) fn new(title: &str, head: &[&str]) -> Self {
        let head = head.iter().map(|&name| name.to_owned()).collect();
        Self { title: title.to_owned(), head, rows: Vec::new(), words: 1 }
    }

    pub(super) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Cell::plain).collect());
    }
}

/// One of the answers at the top of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Tile {
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) detail: String,
    pub(super) tone: Tone,
}

/// The answers that a reader looks for first.
pub(super) fn tiles(report: &RunReport) -> Vec<Tile> {
    let summary = &report.summary;
    let tone = |keys: &[&str]| {
        let mut about =
            report.objectives.iter().filter(|one| keys.contains(&one.metric.as_str())).peekable();
        match about.peek().is_some() {
            false => Tone::Plain,
            true if about.all(|objective| objective.met) => Tone::Good,
            true => Tone::Bad,
        }
    };
    let tile = |label, value, detail, tone| Tile { label, value, detail, tone };
    let work = &summary.work;
    vec![
        tile(
            "cost",
            summary.cost.total.to_string(),
            unless_nothing(
                summary.cost.per_job_usd.map(|per| format!("{} per job", figure("USD", Some(per)))),
            ),
            tone(&["cost_total", "cost_per_job"]),
        ),
        tile(
            "deadlines met",
            figure("share", summary.metric("deadlines_met")),
            match summary.deadlines.with {
                0 => "no work had a deadline".to_owned(),
                with => format!("{} of {}", count(summary.deadlines.met), count(with)),
            },
            tone(&["deadlines_met"]),
        ),
        tile(
            "wait, p95",
            figure("s", summary.wait_s.p95),
            format!("mean {}", figure("s", summary.wait_s.mean)),
            tone(&["wait_p95", "wait_mean", "wait_p50", "wait_p99", "wait_max"]),
        ),
        utilisation_tile(summary, tone(&["utilisation_cpu", "utilisation_gpu"])),
        tile(
            "work finished",
            figure("share", work.finished_share),
            format!("{} of {}", count(work.finished), count(work.submitted)),
            tone(&["finished"]),
        ),
    ]
}

fn unless_nothing(text: Option<String>) -> String {
    text.unwrap_or_default()
}

/// GPUs where the run has any, for they are what it is about.
fn utilisation_tile(summary: &Summary, tone: Tone) -> Tile {
    let cpu = figure("share", summary.utilisation_cpu);
    match summary.utilisation_gpu {
        Some(_) => Tile {
            label: "GPU utilisation",
            value: figure("share", summary.utilisation_gpu),
            detail: format!("CPU {cpu}"),
            tone,
        },
        None => Tile {
            label: "CPU utilisation",
            value: cpu,
            detail: format!("memory {}", figure("share", summary.utilisation_memory)),
            tone,
        },
    }
}

/// The promises, if there are any.
pub(super) fn objectives(report: &RunReport) -> Option<Section> {
    if report.objectives.is_empty() {
        return None;
    }
    let head = ["objective", "bound", "value", "margin", "verdict"];
    let mut section = Section::new("Objectives", &head);
    for objective in &report.objectives {
        let margin = objective.margin.map(|margin| difference(&objective.unit, margin));
        let mut cells: Vec<Cell> = [
            objective.label.clone(),
            clean(&objective.text),
            figure(&objective.unit, objective.value),
            margin.unwrap_or_else(|| NOTHING.to_owned()),
        ]
        .map(Cell::plain)
        .to_vec();
        let (text, tone) = match (objective.met, objective.value) {
            (true, _) => ("kept", Tone::Good),
            (false, Some(_)) => ("broken", Tone::Bad),
            (false, None) => ("broken: nothing to measure", Tone::Bad),
        };
        cells.push(Cell { text: text.to_owned(), below: String::new(), tone });
        section.rows.push(cells);
    }
    Some(section)
}

/// Waits and the like, in five numbers each.
pub(super) fn times(summary: &Summary) -> Section {
    let mut section = Section::new("Times", &["", "work", "mean", "p50", "p95", "p99", "longest"]);
    let mut add = |name: &str, unit: &str, of: &Distribution| {
        if of.count > 0 {
            let values = [of.mean, of.p50, of.p95, of.p99, of.max];
            let cells = values.map(|value| figure(unit, value));
            section.row([name.to_owned(), count(of.count)].into_iter().chain(cells));
        }
    };
    add("wait", "s", &summary.wait_s);
    add("turnaround", "s", &summary.turnaround_s);
    add("bounded slowdown", "ratio", &summary.bounded_slowdown);
    add("tardiness", "s", &summary.deadlines.tardiness_s);
    section
}

/// The cost, split in every way that has more than one part.
pub(super) fn costs(costs: &Costs) -> Vec<Section> {
    let splits = [
        ("Cost by provider", "provider", &costs.by_provider),
        ("Cost by region", "region", &costs.by_region),
        ("Cost by market", "market", &costs.by_market),
        ("Cost by kind", "kind", &costs.by_kind),
        ("Cost by tenant", "tenant", &costs.by_tenant),
    ];
    let shown = splits.into_iter().filter(|(_, head, parts)| {
        !parts.is_empty() && (parts.len() > 1 || matches!(*head, "provider" | "kind"))
    });
    shown.map(|(title, head, parts)| split(title, head, parts, costs.total)).collect()
}

/// Rows beyond which the rest of a split is added up.
const MOST_PARTS: usize = 20;

fn split(title: &str, head: &str, parts: &[(String, Money)], total: Money) -> Section {
    let mut section = Section::new(title, &[head, "cost", "share"]);
    let share_of = |part: Money| match total {
        Money::ZERO => NOTHING.to_owned(),
        total => share(part.dollars() / total.dollars()),
    };
    let mut sorted: Vec<&(String, Money)> = parts.iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    for (name, part) in sorted.iter().take(MOST_PARTS) {
        section.row([clean(name), part.to_string(), share_of(*part)]);
    }
    let nobody = total - parts.iter().map(|(_, part)| *part).sum();
    if let Some(rest) = sorted.get(MOST_PARTS..).filter(|rest| !rest.is_empty()) {
        let sum: Money = rest.iter().map(|(_, part)| *part).sum();
        section.row([format!("{} others", rest.len()), sum.to_string(), share_of(sum)]);
    }
    // Tenants do not pay for boot and idle time.
    if nobody != Money::ZERO {
        let name = format!("no {head}: boot, idle and the like");
        section.row([name, nobody.to_string(), share_of(nobody)]);
    }
    section
}

/// What became of the work.
pub(super) fn work(summary: &Summary) -> Section {
    let mut section = Section::new("Work", &["", ""]);
    let work = &summary.work;
    section.row(["submitted".to_owned(), count(work.submitted)]);
    section.row(["finished".to_owned(), count(work.finished)]);
    section.row(["unfinished when the run ended".to_owned(), count(work.unfinished)]);
    section.row(["refused".to_owned(), count(work.refused)]);
    for (reason, refused) in &work.refused_by_reason {
        section.row([format!("refused: {reason}"), count(*refused)]);
    }
    section.row(["preemptions".to_owned(), count(work.preemptions)]);
    section.row(["makespan".to_owned(), figure("s", Some(summary.makespan_s))]);
    section.row(["throughput".to_owned(), figure("per h", summary.throughput_per_hour)]);
    section.row(["queue length, mean".to_owned(), figure("count", summary.queue_length_mean)]);
    section.row(["queue length, longest".to_owned(), count(summary.queue_length_max)]);
    section
}

/// What was rented and how well it was used.
pub(super) fn resources(summary: &Summary) -> Section {
    let mut section = Section::new("Resources", &["", ""]);
    let mut add = |name: &str, text: String| section.row([name.to_owned(), text]);
    let hours = |value: f64| amount(libm::round(value * 100.0) / 100.0);
    add("CPU utilisation", figure("share", summary.utilisation_cpu));
    add("memory utilisation", figure("share", summary.utilisation_memory));
    if summary.utilisation_gpu.is_some() {
        add("GPU utilisation", figure("share", summary.utilisation_gpu));
    }
    add("instances launched", count(summary.instances_launched));
    add("instances at once, most", count(summary.instances_max));
    add("instance-hours", hours(summary.instance_hours));
    add("of boot, in addition", hours(summary.boot_hours));
    add("launches refused", count(summary.work.refused_launches));
    for (reason, refused) in &summary.work.refused_launches_by_reason {
        add(&format!("refused by {reason}"), count(*refused));
    }
    add("useful core-hours", hours(summary.useful_core_hours));
    if summary.useful_gpu_hours > 0.0 {
        add("useful GPU-hours", hours(summary.useful_gpu_hours));
    }
    if summary.lost_core_hours > 0.0 {
        add("core-hours lost to preemption", hours(summary.lost_core_hours));
    }
    if summary.transferred_gib > 0.0 {
        add("data moved", figure("GiB", Some(summary.transferred_gib)));
    }
    if summary.carbon_kg > 0.0 {
        add("grid carbon", format!("{} kg CO2e", decimals(summary.carbon_kg, 1)));
    }
    section
}

/// Policies as columns, metrics as rows, differences below the values.
pub(super) fn comparison(comparison: &Comparison<'_>) -> Section {
    let baseline = comparison.baseline();
    let policies = &comparison.many.policies;
    let head = policies.iter().enumerate().map(|(row, policy)| {
        let name = clean(&policy.name);
        if row == baseline { format!("{name} (baseline)") } else { name }
    });
    let title = match comparison.many.replications {
        1 => "Policies".to_owned(),
        n => format!("Policies, means of {n} replications"),
    };
    let mut section = Section::new(&title, &[""]);
    section.head.extend(head);
    for metric in comparison.metrics() {
        let cell = |row| Cell {
            text: comparison.figure(metric, row),
            below: comparison.change(metric, row),
            tone: tone(comparison.tone(metric, row).filter(|_| row != baseline)),
        };
        let mut cells = vec![Cell::plain(metric.label)];
        cells.extend((0..policies.len()).map(cell));
        section.rows.push(cells);
    }
    section.rows.extend(kept(comparison));
    section
}

fn tone(better: Option<bool>) -> Tone {
    match better {
        None => Tone::Plain,
        Some(true) => Tone::Good,
        Some(false) => Tone::Bad,
    }
}

/// One row per objective: in how many replications it was kept.
fn kept(comparison: &Comparison<'_>) -> Vec<Vec<Cell>> {
    let objectives = comparison.rows.first().map_or(&[][..], |row| row.objectives);
    let all = comparison.many.replications;
    let row = |(at, objective): (usize, &super::run::ObjectiveResult)| {
        let cell = |policy: &crate::experiment::Contestant| {
            let kept = policy.kept.get(at).copied().unwrap_or(0);
            let mut runs = policy.measurements.iter();
            let unseen = runs.all(|run| run.metric(&objective.metric).is_none());
            let text = match (all, kept) {
                _ if unseen && objective.metric == "deadlines_met" => {
                    "no work has a deadline".to_owned()
                }
                _ if unseen => "nothing to measure".to_owned(),
                (1, 1) => "kept".to_owned(),
                (1, _) => "broken".to_owned(),
                (all, kept) => format!("kept in {kept} of {all}"),
            };
            let tone = if kept == all { Tone::Good } else { Tone::Bad };
            Cell { text, below: String::new(), tone }
        };
        let mut cells = vec![Cell::plain(format!("{} {}", objective.label, objective.text))];
        cells.extend(comparison.many.policies.iter().map(cell));
        cells
    };
    objectives.iter().enumerate().map(row).collect()
}

/// One policy against the baseline, metric by metric, with the verdict in words.
pub(super) fn verdicts(comparison: &Comparison<'_>, row: usize) -> Section {
    let name = |row: usize| clean(&comparison.many.policies[row].name);
    let (mine, base) = (name(row), name(comparison.baseline()));
    let head = ["", &base, &mine, "difference", "verdict", "best possible"];
    let mut section = Section::new(&format!("{mine} against {base}"), &head);
    for metric in comparison.metrics() {
        let verdict = Cell {
            text: comparison.verdict(metric, row).to_owned(),
            below: String::new(),
            tone: tone(comparison.tone(metric, row)),
        };
        let mut cells: Vec<Cell> = [
            metric.label.to_owned(),
            comparison.figure(metric, comparison.baseline()),
            comparison.figure(metric, row),
            match comparison.is_judged() {
                true => comparison.amount(metric, row),
                false => comparison.difference(metric, row),
            },
        ]
        .map(Cell::plain)
        .into();
        cells.push(verdict);
        cells.push(Cell::plain(comparison.possible(metric, row)));
        section.rows.push(cells);
    }
    section
}

/// The keys in which the two scenarios of a comparison differ.
pub(super) fn between(comparison: &Comparison<'_>) -> Section {
    let Some(between) = comparison.between else { return Section::new("", &[]) };
    let [before, after] = [0, 1].map(|row| clean(&between.names[row]));
    let head = ["key", before.as_str(), after.as_str()];
    let mut section = Section::new("What differs between the scenarios", &head);
    let rows = between.rows().into_iter().map(|cells| cells.map(Cell::plain).into());
    section.rows.extend(rows);
    section
}

/// How many pieces of work went from one fate to another, per policy.
pub(super) fn fates(comparison: &Comparison<'_>) -> Section {
    let mut section =
        Section::new("Work whose fate changed", &["policy", "under the baseline", "now", "work"]);
    section.words = 3;
    let all = f64::from(comparison.many.replications);
    for policy in &comparison.many.policies {
        for &(from, to, count) in policy.fates.iter().flatten() {
            let mean = amount(count as f64 / all);
            section.row([clean(&policy.name), from.name().to_owned(), to.name().to_owned(), mean]);
        }
    }
    section
}

/// What the difference in cost to the baseline is made of, mean over the replications.
pub(super) fn waterfalls(comparison: &Comparison<'_>) -> Section {
    let head = ["policy", "provider", "for", "US dollars"];
    let mut section = Section::new("What the difference in cost is made of", &head);
    section.words = 3;
    let all = f64::from(comparison.many.replications);
    for policy in comparison.many.policies.iter().filter(|policy| !policy.waterfall.is_empty()) {
        let name = clean(&policy.name);
        let mean = |nanos: i128| difference("USD", nanos as f64 / 1e9 / all);
        for step in &policy.waterfall {
            let (provider, kind) = (clean(&step.provider), step.kind.clone());
            section.row([name.clone(), provider, kind, mean(step.nanos)]);
        }
        let sum = policy.waterfall.iter().map(|step| step.nanos).sum();
        section.row([name, "all".to_owned(), "in all".to_owned(), mean(sum)]);
    }
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_by_tenant_sum_to_the_total() {
        let dollars = |whole: i128| Money::from_nanos(whole * 1_000_000_000);
        let named = |name: &str, whole| (name.to_owned(), dollars(whole));
        let costs = Costs {
            total: dollars(100),
            by_provider: vec![named("aws", 100)],
            by_tenant: vec![named("a", 30), named("b", 45)],
            ..Costs::default()
        };
        let sections = super::costs(&costs);
        let rows = |section: &Section| -> Vec<Vec<String>> {
            let texts = |row: &Vec<Cell>| row.iter().map(|cell| cell.text.clone()).collect();
            section.rows.iter().map(texts).collect()
        };
        assert_eq!(rows(&sections[0]), [["aws", "$100.00", "100 %"]]);
        assert_eq!(
            rows(&sections[1]),
            [
                ["b", "$45.00", "45.0 %"],
                ["a", "$30.00", "30.0 %"],
                ["no tenant: boot, idle and the like", "$25.00", "25.0 %"],
            ]
        );
    }
}
