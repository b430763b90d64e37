//! Charts of what numbers are made of: waits by group, hours and data by where.

use super::super::breakdown::{Breakdown, own_and_rented};
use super::super::figure::{clean, decimals, figure, share};
use super::super::run::breakdown::{MOST_SHOWN, named};
use super::{BarRow, Bars, Chart, Colour, GREY, PALETTE, Plot};
use crate::metrics::{GroupWait, PathTraffic, ProviderHours, Summary};

const P50: Colour = PALETTE[0];
const P95: Colour = PALETTE[4];
const USED: Colour = PALETTE[2];

/// Charts of the parts of one run, for what has any.
pub(super) fn run_parts(summary: &Summary) -> Vec<Chart> {
    let mut charts = Vec::new();
    let groups = [&summary.waits_by_class, &summary.waits_by_tenant];
    let names = [("waits-by-class", "Waits by class"), ("waits-by-tenant", "Waits by tenant")];
    for (all, (name, title)) in groups.into_iter().zip(names) {
        if all.len() > 1 {
            let rows = all.iter().take(MOST_SHOWN).map(|one| wait_row(named(one), jobs(one), one));
            charts.push(waits(name, title, rows.collect()));
        }
    }
    let hours = |name: &str, title: &str, of: HourResource| {
        let rows = own_and_rented(&summary.hours_by_provider);
        let rows = rows.iter().map(|one| hour_row(one.provider.clone(), String::new(), one, of));
        hours_chart(name, title, rows.collect())
    };
    charts.push(hours("hours-cpu", "Core-hours, own and rented", HourResource::Cores));
    if summary.utilisation_gpu.is_some() {
        charts.push(hours("hours-gpu", "GPU-hours, own and rented", HourResource::Gpus));
    }
    if !summary.moved.is_empty() {
        charts.push(moved(&summary.moved));
    }
    charts
}

/// Charts of the parts of the policies of a comparison, by name, if they have any.
pub(super) fn comparison_parts(policies: &[(String, Breakdown)]) -> Vec<Chart> {
    let mut charts = Vec::new();
    let by = [
        ("compare-waits-by-class", "Waits by class"),
        ("compare-waits-by-tenant", "Waits by tenant"),
    ];
    let of: [fn(&Breakdown) -> &Vec<GroupWait>; 2] =
        [|one| &one.waits_by_class, |one| &one.waits_by_tenant];
    for ((name, title), of) in by.into_iter().zip(of) {
        let Some((_, first)) = policies.first().filter(|(_, one)| of(one).len() > 1) else {
            continue;
        };
        let groups = (MOST_ROWS / policies.len()).max(1);
        let mut rows = Vec::new();
        for group in of(first).iter().take(groups) {
            for (policy, one) in policies.iter().take(MOST_ROWS) {
                let found = of(one).iter().find(|other| other.name == group.name);
                rows.extend(found.map(|found| wait_row(named(group), clean(policy), found)));
            }
        }
        let mut chart = waits(name, title, rows);
        let all = of(first).len();
        if all > groups {
            chart.unit += &format!("; the {groups} of {all} with most work");
        }
        charts.push(chart);
    }
    let resources = [
        ("compare-hours-cpu", "Core-hours, own and rented", HourResource::Cores),
        ("compare-hours-gpu", "GPU-hours, own and rented", HourResource::Gpus),
    ];
    for (name, title, of) in resources {
        let row = |(policy, one): &(String, Breakdown)| {
            one.own_and_rented()
                .map(|sum| hour_row(clean(policy), sum.provider.clone(), &sum, of))
                .into_iter()
                .filter(|row| row.parts.iter().any(|part| part.0 > 0.0))
                .collect::<Vec<_>>()
        };
        let rows: Vec<BarRow> = policies.iter().take(PALETTE.len()).flat_map(row).collect();
        if !rows.is_empty() {
            let mut chart = hours_chart(name, title, rows);
            if policies.len() > PALETTE.len() {
                let first = PALETTE.len();
                chart.unit += &format!("; the first {first} of {} policies", policies.len());
            }
            charts.push(chart);
        }
    }
    if policies.iter().any(|(_, one)| !one.moved.is_empty()) {
        charts.push(moved_by_policy(policies));
    }
    charts
}

/// Rows of a chart of groups and policies.
const MOST_ROWS: usize = 18;

fn jobs(one: &GroupWait) -> String {
    format!("{} started", decimals(one.count as f64, 0))
}

fn wait_row(label: String, below: String, one: &GroupWait) -> BarRow {
    BarRow {
        label,
        below,
        start: 0.0,
        parts: vec![(one.p50, P50), ((one.p95 - one.p50).max(0.0), P95)],
        value: format!("p50 {}, p95 {}", figure("s", Some(one.p50)), figure("s", Some(one.p95))),
    }
}

fn bars(chart: Chart, rows: Vec<BarRow>) -> Chart {
    let sum = |row: &BarRow| row.parts.iter().map(|part| part.0).sum::<f64>();
    let high = rows.iter().map(sum).fold(0.0, f64::max);
    Chart { plot: Plot::Bars(Bars { rows, high, guide: None }), ..chart }
}

fn waits(name: &str, title: &str, rows: Vec<BarRow>) -> Chart {
    let mut chart = Chart::new(name, title, "from submission to first start", "");
    chart.legend = vec![("up to p50".to_owned(), P50), ("up to p95".to_owned(), P95)];
    if rows.iter().all(|row| row.parts.iter().all(|part| part.0 == 0.0)) {
        chart.plot = Plot::Nothing("at least 95 % of each started as it arrived");
        return chart;
    }
    bars(chart, rows)
}

#[derive(Clone, Copy)]
enum HourResource {
    Cores,
    Gpus,
}

fn hour_row(label: String, below: String, one: &ProviderHours, of: HourResource) -> BarRow {
    let (used, idle) = match of {
        HourResource::Cores => (one.core_hours_used, one.core_hours_idle),
        HourResource::Gpus => (one.gpu_hours_used, one.gpu_hours_idle),
    };
    let all = used + idle;
    let value = match all > 0.0 {
        true => format!("{}, {} used", decimals(all, 0), share(used / all)),
        false => "none".to_owned(),
    };
    BarRow { label, below, start: 0.0, parts: vec![(used, USED), (idle.max(0.0), GREY)], value }
}

fn hours_chart(name: &str, title: &str, rows: Vec<BarRow>) -> Chart {
    let mut chart = Chart::new(
        name,
        title,
        "hours of machines that were ready",
        "Used is what running work asked for, whether it was busy or not.",
    );
    chart.legend = vec![("used".to_owned(), USED), ("idle".to_owned(), GREY)];
    bars(chart, rows)
}

fn moved(all: &[PathTraffic]) -> Chart {
    let mut chart = Chart::new("moved", "Data moved", "US dollars by path", "");
    if all.len() > MOST_SHOWN {
        chart.unit += &format!("; the dearest {MOST_SHOWN} of {} paths", all.len());
    }
    let row = |one: &PathTraffic| BarRow {
        label: format!("from {}", clean(&one.from)),
        below: format!("to {}", clean(&one.to)),
        start: 0.0,
        parts: vec![(one.usd, PALETTE[0])],
        value: format!("{}, {} GiB", figure("USD", Some(one.usd)), decimals(one.gib, 1)),
    };
    bars(chart, all.iter().take(MOST_SHOWN).map(row).collect())
}

/// Paths as parts of a bar per policy: the dearest, and the others as one.
fn moved_by_policy(policies: &[(String, Breakdown)]) -> Chart {
    let mut paths: Vec<(String, f64)> = Vec::new();
    let name = |one: &PathTraffic| format!("{} to {}", clean(&one.from), clean(&one.to));
    for one in policies.iter().flat_map(|(_, policy)| &policy.moved) {
        let path = name(one);
        match paths.iter_mut().find(|(known, _)| *known == path) {
            Some((_, sum)) => *sum += one.usd,
            None => paths.push((path, one.usd)),
        }
    }
    paths.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let shown = paths.len().min(PALETTE.len());
    let row = |(policy, one): &(String, Breakdown)| {
        let part = |(at, (path, _)): (usize, &(String, f64))| {
            let usd = one.moved.iter().filter(|moved| name(moved) == *path);
            (usd.map(|moved| moved.usd).sum::<f64>(), PALETTE.get(at).copied().unwrap_or(GREY))
        };
        let usd = one.moved.iter().map(|moved| moved.usd).sum::<f64>();
        let gib = one.moved.iter().map(|moved| moved.gib).sum::<f64>();
        BarRow {
            label: clean(policy),
            below: String::new(),
            start: 0.0,
            parts: paths.iter().enumerate().map(part).collect(),
            value: format!("{}, {} GiB", figure("USD", Some(usd)), decimals(gib, 1)),
        }
    };
    let mut chart = Chart::new("compare-moved", "Data moved, by policy and path", "US dollars", "");
    chart.legend = paths.iter().map(|(path, _)| path.clone()).zip(PALETTE).collect();
    if paths.len() > shown {
        chart.legend.push((format!("{} others", paths.len() - shown), GREY));
    }
    bars(chart, policies.iter().take(MOST_ROWS).map(row).collect())
}
