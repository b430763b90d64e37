//! The numbers of one run, in tables of words.

use super::super::document::{Card, Cell, Table, Tone};
use super::super::figure::{
    NOTHING, amount, change, clean, count, decimals, difference, figure, figure_against, share,
};
use super::super::words::dollars;
use super::RunReport;
use crate::metrics::{Costs, DistributionSummary, Summary};
use crate::units::Money;

/// The answers that a reader looks for first.
pub(in crate::report) fn cards(report: &RunReport) -> Vec<Card> {
    let summary = &report.summary;
    let tone = |keys: &[&str]| {
        let mut about =
            report.objectives.iter().filter(|one| keys.contains(&one.metric.as_str())).peekable();
        match about.peek().is_some() {
            false => Tone::Plain,
            true => Tone::of(Some(about.all(|objective| objective.met))),
        }
    };
    let work = &summary.work;
    let (total, per_job) = (summary.cost.total.to_string(), summary.cost.per_job_usd);
    let per_job =
        per_job.map_or(String::new(), |per| format!("{} per job", figure("USD", Some(per))));
    let money = match summary.monthly() {
        Some(monthly) => {
            Card::new("cost per month", dollars(monthly), format!("{total}, {per_job}"))
        }
        None => Card::new("cost", total, per_job),
    };
    let deadlines = match summary.deadlines.with {
        0 => "no work had a deadline".to_owned(),
        with => format!("{} of {}", count(summary.deadlines.met), count(with)),
    };
    let met = figure("share", summary.metric("deadlines_met"));
    let mean = format!("mean {}", figure("s", summary.wait_s.mean));
    let finished = format!("{} of {}", count(work.finished), count(work.submitted));
    vec![
        money.toned(tone(&["cost_total", "cost_monthly", "cost_per_job"])),
        Card::new("deadlines met", met, deadlines).toned(tone(&["deadlines_met"])),
        Card::new("wait, p95", figure("s", summary.wait_s.p95), mean).toned(tone(&[
            "wait_p95",
            "wait_mean",
            "wait_p50",
            "wait_p99",
            "wait_max",
        ])),
        utilisation(summary).toned(tone(&["utilisation_cpu", "utilisation_gpu"])),
        Card::new("work finished", figure("share", work.finished_share), finished)
            .toned(tone(&["finished"])),
    ]
}

/// GPUs where the run has any, for they are what it is about.
fn utilisation(summary: &Summary) -> Card {
    let cpu = figure("share", summary.utilisation_cpu);
    match summary.utilisation_gpu {
        Some(gpu) => Card::new("GPU utilisation", figure("share", Some(gpu)), format!("CPU {cpu}")),
        None => {
            let memory = figure("share", summary.utilisation_memory);
            Card::new("CPU utilisation", cpu, format!("memory {memory}"))
        }
    }
}

/// The promises, if there are any.
pub(in crate::report) fn objectives(report: &RunReport) -> Option<Table> {
    if report.objectives.is_empty() {
        return None;
    }
    let head = ["objective", "bound", "value", "margin", "verdict"];
    let mut table = Table::new("Objectives", &head);
    for objective in &report.objectives {
        let margin = objective.margin.map(|margin| difference(&objective.unit, margin));
        let mut cells: Vec<Cell> = [
            objective.label.clone(),
            clean(&objective.text),
            figure_against(&objective.unit, objective.value, Some(objective.bound)),
            margin.unwrap_or_else(|| NOTHING.to_owned()),
        ]
        .map(Cell::plain)
        .to_vec();
        let (text, tone) = match (objective.met, objective.value) {
            (true, _) => ("kept", Tone::Good),
            (false, Some(_)) => ("broken", Tone::Bad),
            (false, None) => ("broken: nothing to measure", Tone::Bad),
        };
        if let Some(relative) = objective.margin_share {
            cells[3] = cells[3].clone().below(change(1.0 + relative, 1.0));
        }
        let windows = objective.windows.as_ref();
        let below = windows.map_or(String::new(), |windows| {
            format!("{} of {} windows", count(windows.kept), count(windows.count))
        });
        cells.push(Cell { text: text.to_owned(), below, tone });
        table.rows.push(cells);
    }
    Some(table)
}

/// Waits and the like, in five numbers each.
pub(in crate::report) fn times(summary: &Summary) -> Table {
    let mut table = Table::new("Times", &["", "work", "mean", "p50", "p95", "p99", "longest"]);
    let mut add = |name: &str, unit: &str, of: &DistributionSummary| {
        if of.count > 0 {
            let values = [of.mean, of.p50, of.p95, of.p99, of.max];
            let cells = values.map(|value| figure(unit, value));
            table.row([name.to_owned(), count(of.count)].into_iter().chain(cells));
        }
    };
    add("wait", "s", &summary.wait_s);
    add("turnaround", "s", &summary.turnaround_s);
    add("bounded slowdown", "ratio", &summary.bounded_slowdown);
    add("tardiness", "s", &summary.deadlines.tardiness_s);
    table
}

/// Title of the table of what work caused, by tenant.
pub(super) const BY_TENANT: &str = "Cost by tenant";

/// The cost, split in every way that has more than one part.
pub(in crate::report) fn costs(costs: &Costs) -> Vec<Table> {
    let splits = [
        ("Cost by provider", "provider", &costs.by_provider),
        ("Cost by region", "region", &costs.by_region),
        ("Cost by market", "market", &costs.by_market),
        ("Cost by kind", "kind", &costs.by_kind),
        (BY_TENANT, "tenant", &costs.by_tenant),
    ];
    let shown = splits.into_iter().filter(|(_, head, parts)| {
        !parts.is_empty() && (parts.len() > 1 || matches!(*head, "provider" | "kind"))
    });
    shown.map(|(title, head, parts)| split(title, head, parts, costs.total)).collect()
}

/// Rows beyond which the rest of a split is added up.
const MOST_PARTS: usize = 20;

fn split(title: &str, head: &str, parts: &[(String, Money)], total: Money) -> Table {
    let mut table = Table::new(title, &[head, "cost", "share"]);
    let share_of = |part: Money| match total {
        Money::ZERO => NOTHING.to_owned(),
        total => share(part.dollars() / total.dollars()),
    };
    let mut sorted: Vec<&(String, Money)> = parts.iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    for (name, part) in sorted.iter().take(MOST_PARTS) {
        table.row([clean(name), part.to_string(), share_of(*part)]);
    }
    let nobody = total - parts.iter().map(|(_, part)| *part).sum();
    if let Some(rest) = sorted.get(MOST_PARTS..).filter(|rest| !rest.is_empty()) {
        let sum: Money = rest.iter().map(|(_, part)| *part).sum();
        table.row([format!("{} others", rest.len()), sum.to_string(), share_of(sum)]);
    }
    // Tenants do not pay for boot and idle time.
    if nobody != Money::ZERO {
        let name = format!("no {head}: boot, idle and the like");
        table.row([name, nobody.to_string(), share_of(nobody)]);
    }
    table
}

/// Table of what became of the work.
pub(in crate::report) fn work(summary: &Summary) -> Table {
    let mut table = Table::new("Work", &["", ""]);
    let work = &summary.work;
    table.row(["submitted".to_owned(), count(work.submitted)]);
    table.row(["finished".to_owned(), count(work.finished)]);
    table.row(["unfinished when the run ended".to_owned(), count(work.unfinished)]);
    table.row(["refused".to_owned(), count(work.refused)]);
    for (reason, refused) in &work.refused_by_reason {
        table.row([format!("refused: {reason}"), count(*refused)]);
    }
    table.row(["preemptions".to_owned(), count(work.preemptions)]);
    if work.migrations > 0 {
        table.row(["migrations".to_owned(), count(work.migrations)]);
    }
    if work.shrunk_starts > 0 {
        table.row(["starts with fewer tasks".to_owned(), count(work.shrunk_starts)]);
    }
    if work.reclaimed_instances > 0 {
        table.row(["interruptions".to_owned(), count(work.interruptions)]);
        table.row(["instances taken back".to_owned(), count(work.reclaimed_instances)]);
    }
    if work.failed_instances + work.failed_devices > 0 {
        table.row(["failures".to_owned(), count(work.failures)]);
    }
    if work.failed_instances > 0 {
        table.row(["machines that failed".to_owned(), count(work.failed_instances)]);
    }
    if work.failed_devices > 0 {
        table.row(["GPUs that failed".to_owned(), count(work.failed_devices)]);
    }
    if summary.security.is_some() {
        table.row(["work that met no incident".to_owned(), figure("share", summary.security)]);
    }
    table.row(["makespan".to_owned(), figure("s", Some(summary.makespan_s))]);
    table.row(["throughput".to_owned(), figure("per h", summary.throughput_per_hour)]);
    table.row(["queue length, mean".to_owned(), figure("count", summary.queue_length_mean)]);
    table.row(["queue length, longest".to_owned(), count(summary.queue_length_max)]);
    table
}

/// Table of what was rented and how well it was used.
pub(in crate::report) fn resources(summary: &Summary) -> Table {
    let mut table = Table::new("Resources", &["", ""]);
    let mut add = |name: &str, text: String| table.row([name.to_owned(), text]);
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
    if summary.work.failed_launches > 0 {
        add("launches that came to nothing", count(summary.work.failed_launches));
    }
    add("useful core-hours", hours(summary.useful_core_hours));
    if summary.useful_gpu_hours > 0.0 {
        add("useful GPU-hours", hours(summary.useful_gpu_hours));
    }
    if summary.lost_core_hours > 0.0 {
        add("core-hours lost", hours(summary.lost_core_hours));
    }
    if summary.overhead_core_hours > 0.0 {
        add("core-hours for checkpoints", hours(summary.overhead_core_hours));
    }
    let cpu_only = &summary.cpu_on_gpus;
    if let (Some(of), Some(cost)) = (cpu_only.hours, cpu_only.cost) {
        let text = format!("{} h, {cost}", hours(of));
        add("rented GPU machines with CPU work only", text);
    }
    if cpu_only.owned_hours > 0.0 {
        let text = format!("{} h", hours(cpu_only.owned_hours));
        add("own GPU machines with CPU work only", text);
    }
    if summary.transferred_gib > 0.0 {
        add("data moved", figure("GiB", Some(summary.transferred_gib)));
    }
    let carbon = &summary.carbon;
    if let Some(kwh) = carbon.kwh.filter(|&kwh| kwh > 0.0) {
        let idle = decimals(carbon.idle_kwh, 1);
        add("energy", format!("{} kWh, {idle} kWh of it by no work", decimals(kwh, 1)));
    }
    let known = format!("{} kg CO2e", decimals(carbon.known_kg, 1));
    match carbon.missing() {
        None if carbon.known_kg > 0.0 => add("grid carbon", known),
        None => {}
        Some(why) if carbon.known_kg > 0.0 => {
            add("grid carbon", format!("at least {known}; the rest is not known: {}", clean(&why)));
        }
        Some(why) => add("grid carbon", format!("not known: {}", clean(&why))),
    }
    table
}

/// Energy and grid carbon by provider and by tenant, where several tenants caused any.
pub(in crate::report) fn energy(summary: &Summary) -> Option<Table> {
    let carbon = &summary.carbon;
    if carbon.kwh_by_tenant.len() < 2 {
        return None;
    }
    let mut table = Table::new("Energy and grid carbon", &["", "energy", "grid carbon"]);
    let shown = |value: Option<f64>, unit: &str| match value {
        Some(value) => format!("{} {unit}", decimals(value, 2)),
        None => NOTHING.to_owned(),
    };
    let of = |parts: &[(String, Option<f64>)], name: &str| {
        parts.iter().find(|(other, _)| other == name).and_then(|(_, part)| *part)
    };
    for (name, kwh) in &carbon.kwh_by_provider {
        let kg = of(&carbon.by_provider, name);
        table.row([clean(name), shown(*kwh, "kWh"), shown(kg, "kg")]);
    }
    let mut tenants: Vec<_> = carbon.kwh_by_tenant.iter().zip(&carbon.by_tenant).collect();
    tenants.sort_by(|one, other| other.0.1.total_cmp(&one.0.1));
    for ((name, kwh), (_, kg)) in tenants.into_iter().take(MOST_PARTS) {
        let name = format!("tenant {}", clean(name));
        table.row([name, shown(Some(*kwh), "kWh"), shown(Some(*kg), "kg")]);
    }
    let idle = [shown(Some(carbon.idle_kwh), "kWh"), shown(Some(carbon.idle_kg), "kg")];
    let [kwh, kg] = idle;
    table.row(["no tenant: machines without load".to_owned(), kwh, kg]);
    Some(table)
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
        let tables = super::costs(&costs);
        let rows = |table: &Table| -> Vec<Vec<String>> {
            let texts = |row: &Vec<Cell>| row.iter().map(|cell| cell.text.clone()).collect();
            table.rows.iter().map(texts).collect()
        };
        assert_eq!(rows(&tables[0]), [["aws", "$100.00", "100 %"]]);
        assert_eq!(
            rows(&tables[1]),
            [
                ["b", "$45.00", "45.0 %"],
                ["a", "$30.00", "30.0 %"],
                ["no tenant: boot, idle and the like", "$25.00", "25.0 %"],
            ]
        );
    }
}
