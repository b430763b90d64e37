//! SkyNomad (NSDI 2027): the costs that its artifact publishes of the policies that it compares with.
//!
//! The windows are 311 ticks of 600 s of measured availability of eight H100, in one to thirteen
//! zones; a restart takes 12 minutes. UP runs in one zone, in the single-zone simulator; UP(S), UP(A)
//! and UP(AP) in all, with the safety net of the other simulator, which leaves the last tick out of
//! the bill. Work that cannot be done in time costs what it would cost on demand in the cheapest zone.
//!
//! Beside the means stand those of the same windows in windtunnel's own semantics, under its own parts:
//! losses and ends are events, the last minutes are billed, a checkpoint takes time to come, and moving
//! its bytes costs nothing.

use std::collections::BTreeSet;
use std::path::Path;

use rayon::prelude::*;
use serde::Deserialize;

use super::super::{PublishedResult, ResultOrigin};
use super::own::{self, OwnResult};
use super::ticks::{BilledEnd, PER_MICRO, TickRules, TickZone, dollars, run};
use crate::input;
use crate::policy::provision::{self, ProvisionSpec};
use crate::policy::spot::{
    SpotPolicy, SpotZone, UniformProgress, UpAvailability, UpCheapest, UpValue,
};
use crate::units::{Money, Span, Time};
use crate::weather::{Polarity, ZonePrices, read_states};

/// Policies whose costs are computed anew.
const POLICIES: [&str; 4] = ["UP", "UP(S)", "UP(A)", "UP(AP)"];

/// Experiments, by their names in the file.
const TABLES: [(&str, &str); 4] = [
    ("deadline_sensitivity", "deadlines"),
    ("region_selection", "regions"),
    ("region_scaling", "number of zones"),
    ("checkpoint_sensitivity", "checkpoints"),
];

/// Largest relative difference of a cost that counts as reproduced.
const RELATIVE: f64 = 1e-9;

/// A tick of the traces.
const TICK: Span = Span::from_secs(600);

/// Nano-dollars for a GB that is copied to another region; none inside one. For all regions of the
/// traces.
const COPY_PER_GB: f64 = 2e7;

/// Gigabits a second by which a checkpoint comes from another continent: the slowest of three that were
/// measured (SkyNomad, section 2).
const COPY_GBPS: f64 = 3.59;

/// A row of the published costs.
#[derive(Clone, Debug, Deserialize)]
struct CostRow {
    experiment: String,
    scenario: String,
    zones: String,
    policy: String,
    single_zone: String,
    window: u32,
    start_tick: usize,
    work_h: f64,
    deadline_h: f64,
    ratio: f64,
    checkpoint_gb: f64,
    restart_h: f64,
    cost_usd: f64,
}

/// A zone of the traces.
struct TracedZone {
    name: String,
    region: u32,
    prices: ZonePrices,
    up: Vec<bool>,
}

/// All published costs of the four policies, from `skynomad_h100_traces.json.gz` and
/// `skynomad_reference_costs.csv.gz` in `data`: means, and how many costs are equal.
///
/// # Errors
/// Problems with the data.
pub fn skynomad(data: &Path) -> Result<Vec<PublishedResult>, String> {
    let zones = traced_zones(&data.join("skynomad_h100_traces.json.gz"))?;
    let rows = cost_rows(&data.join("skynomad_reference_costs.csv.gz"))?;
    let costs: Result<Vec<f64>, String> = rows.par_iter().map(|row| cost(row, &zones)).collect();
    let costs = costs?;
    let own: Result<Vec<Option<OwnResult>>, String> =
        rows.par_iter().map(|row| own_result(row, &zones)).collect();
    let own = own?;
    let pairs: Vec<(&CostRow, f64)> = rows.iter().zip(costs).collect();
    let mut results = means(&pairs, &own);
    results.push(in_time(&rows, &own));
    for (experiment, name) in TABLES {
        for policy in POLICIES {
            let own = pairs
                .iter()
                .filter(|(row, _)| row.experiment == experiment && row.policy == policy);
            let equal = |&&(row, cost): &&(&CostRow, f64)| {
                (cost - row.cost_usd).abs() <= row.cost_usd * RELATIVE
            };
            results.push(PublishedResult {
                name: format!("SkyNomad, {name}, {policy}"),
                quantity: "costs within 1e-9 of the published",
                origin: ResultOrigin::Published,
                reference: own.clone().count() as f64,
                ours: own.filter(equal).count() as f64,
                tolerance: 0.0,
                own: None,
            });
        }
    }
    Ok(results)
}

/// Table of means that a row belongs to, if any.
fn table(row: &CostRow) -> Option<String> {
    match &*row.experiment {
        "deadline_sensitivity" => Some(format!("SkyNomad, deadline {}, {}", row.ratio, row.policy)),
        "region_selection" => Some(format!("SkyNomad, {}, {}", row.scenario, row.policy)),
        _ => None,
    }
}

/// Mean costs by deadline, by set of regions, and by policy; in the order of the file.
fn means(pairs: &[(&CostRow, f64)], own: &[Option<OwnResult>]) -> Vec<PublishedResult> {
    let mut sums: Vec<(String, f64, [f64; 3])> = Vec::new();
    for (&(row, cost), own) in pairs.iter().zip(own) {
        let Some(name) = table(row) else { continue };
        let at = sums.iter().position(|(known, ..)| *known == name).unwrap_or_else(|| {
            sums.push((name, 0.0, [0.0; 3]));
            sums.len() - 1
        });
        sums[at].1 += 1.0;
        let own = own.map_or(f64::NAN, |own| own.cost.dollars());
        for (sum, more) in sums[at].2.iter_mut().zip([row.cost_usd, cost, own]) {
            *sum += more;
        }
    }
    let result = |(name, count, sums): (String, f64, [f64; 3])| {
        let [reference, ours, own] = sums.map(|sum| sum / count);
        PublishedResult {
            name,
            quantity: "mean cost, $",
            origin: ResultOrigin::Published,
            reference,
            ours,
            tolerance: 1e-6,
            own: Some(own),
        }
    };
    sums.into_iter().map(result).collect()
}

/// Windows of the tables in which the work can be done in time, and those in which it is by our own
/// semantics.
fn in_time(rows: &[CostRow], own: &[Option<OwnResult>]) -> PublishedResult {
    let possible = rows.iter().zip(own).filter_map(|(row, own)| {
        let copy = copy_time(row).secs_f64() / 3_600.0;
        (row.work_h + row.restart_h + copy <= row.deadline_h).then_some((*own)?)
    });
    let all = possible.clone().count() as f64;
    let kept = possible.filter(|own| own.is_in_time).count() as f64;
    PublishedResult {
        name: "SkyNomad, own semantics".to_owned(),
        quantity: "windows done in time, of those possible",
        origin: ResultOrigin::Published,
        reference: all,
        ours: kept,
        tolerance: 0.0,
        own: None,
    }
}

/// Time in which the checkpoint of a row comes.
fn copy_time(row: &CostRow) -> Span {
    Span::from_secs_f64(row.checkpoint_gb * 8.0 / COPY_GBPS).unwrap_or(Span::ZERO)
}

fn traced_zones(path: &Path) -> Result<Vec<TracedZone>, String> {
    let shown = path.display().to_string();
    let weather = read_states(path, &shown, Polarity::OneIsPreempted);
    let weather = weather.map_err(|problem| problem.to_string())?;
    let ticks = weather.watched_for().micros() / TICK.micros();
    let mut regions: Vec<String> = Vec::new();
    let mut zones = Vec::new();
    for zone in weather.zones {
        let no_price = || format!("{shown}: {} has no prices", zone.name);
        let prices = zone.prices.ok_or_else(no_price)?;
        let region = zone.name.rsplit_once('-').map_or(&*zone.name, |(region, _)| region);
        let known = regions.iter().position(|name| name == region).unwrap_or_else(|| {
            regions.push(region.to_owned());
            regions.len() - 1
        });
        let at = |tick: i64| Time::from_micros(tick * TICK.micros());
        let up = (0..ticks).map(|tick| zone.at(at(tick)) > 0).collect();
        zones.push(TracedZone { region: known as u32, prices, up, name: zone.name });
    }
    Ok(zones)
}

/// Rows of our policies. Those that repeat a window of UP in one zone are left out: they hold means
/// over all zones, and of the best one.
fn cost_rows(path: &Path) -> Result<Vec<CostRow>, String> {
    let shown = path.display().to_string();
    let text = input::unfold(path, &shown).map_err(|problem| problem.to_string())?;
    let mut seen = BTreeSet::new();
    let mut rows = Vec::new();
    for row in csv::Reader::from_reader(text).into_deserialize() {
        let row: CostRow = row.map_err(|error| format!("{shown}: {error}"))?;
        let numbers = [row.ratio, row.checkpoint_gb].map(f64::to_bits);
        let key = (
            row.experiment.clone(),
            row.scenario.clone(),
            row.policy.clone(),
            row.single_zone.clone(),
            row.window,
            numbers,
        );
        if POLICIES.contains(&&*row.policy) && seen.insert(key) {
            rows.push(row);
        }
    }
    Ok(rows)
}

/// The cost of one window in dollars.
fn cost(row: &CostRow, zones: &[TracedZone]) -> Result<f64, String> {
    let (rules, run_zones) = window(row, zones)?;
    let all = rules.total + i128::from(rules.restart.micros()) * PER_MICRO;
    if all > i128::from(rules.deadline.micros()) * PER_MICRO {
        let prices = run_zones.iter().map(|zone| i128::from(zone.terms.on_demand.picos()));
        return Ok(dollars(prices.min().unwrap_or_default() * all / PER_MICRO));
    }
    Ok(run(&mut *policy(&row.policy, run_zones.len()), &rules, &run_zones).dollars())
}

/// The same in our own semantics, for the rows of the tables of means.
fn own_result(row: &CostRow, zones: &[TracedZone]) -> Result<Option<OwnResult>, String> {
    if table(row).is_none() {
        return Ok(None);
    }
    let (rules, run_zones) = window(row, zones)?;
    own::run(part(&row.policy), &rules, &run_zones, copy_time(row)).map(Some)
}

/// Rules and zones of a window.
fn window<'z>(
    row: &CostRow,
    zones: &'z [TracedZone],
) -> Result<(TickRules, Vec<TickZone<'z>>), String> {
    let is_single = row.policy == "UP";
    let names = if is_single { &row.single_zone } else { &row.zones };
    let chosen: Option<Vec<&TracedZone>> =
        names.split_whitespace().map(|name| zones.iter().find(|zone| zone.name == name)).collect();
    let chosen = chosen.filter(|chosen| !chosen.is_empty());
    let chosen = chosen.ok_or_else(|| format!("no trace of one of `{names}`"))?;
    let span = |hours: f64| Span::from_micros((hours * 3_600.0 * 1e6).round() as i64);
    let rules = TickRules {
        tick: TICK,
        deadline: span(row.deadline_h),
        // To a millionth of a microsecond: the published hours are no whole seconds, and ties in
        // the progress follow from that.
        total: (row.work_h * 3_600.0 * 1e12).round() as i128,
        restart: span(row.restart_h),
        end: if is_single { BilledEnd::LastTick } else { BilledEnd::NoLastTick },
        has_net: !is_single,
        copy: Money::from_nanos((row.checkpoint_gb * COPY_PER_GB).round() as i128),
    };
    let until = row.start_tick + (rules.deadline.micros() / TICK.micros()) as usize;
    let mut run_zones = Vec::with_capacity(chosen.len());
    for zone in &chosen {
        let up = zone.up.get(row.start_tick..until);
        let up = up.ok_or_else(|| format!("the trace of {} ends before {until}", zone.name))?;
        let ZonePrices { on_demand, spot } = zone.prices;
        let terms = SpotZone { on_demand, spot, region: zone.region, copy: Money::ZERO };
        run_zones.push(TickZone { terms, up });
    }
    Ok((rules, run_zones))
}

/// The part of that name.
fn part(name: &str) -> ProvisionSpec {
    match name {
        "UP(S)" => provision::UP_S.spec(),
        "UP(A)" => provision::UP_A.spec(),
        "UP(AP)" => provision::UP_AP.spec(),
        _ => provision::UNIFORM_PROGRESS.spec(),
    }
}

fn policy(name: &str, zones: usize) -> Box<dyn SpotPolicy> {
    match name {
        "UP(S)" => Box::new(UpCheapest::default()),
        "UP(A)" => Box::new(UpAvailability::new(zones, Span::from_secs(7_200))),
        "UP(AP)" => Box::new(UpValue::new(zones, Span::HOUR)),
        _ => Box::new(UniformProgress),
    }
}
