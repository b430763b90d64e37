//! Cautions beside an answer: work that can never run, names that nothing has, rented machines that
//! real providers would have taken back.

mod margin;
mod repair;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::measurement::Measurement;
use super::single::RunResult;
use crate::billing::settle::Biller;
use crate::metrics::{Rentals, Summary, Undone, WholeMachines};
use crate::model::{Market, Offer, Region, World};
use crate::policy::backfill::CONSERVATIVE;
use crate::policy::order;
use crate::policy::spec::{PolicyPart, PolicySpec};
use crate::problem::clip;
use crate::purchase::NONE as NO_PURCHASE;
use crate::scenario::{EstimatedPrices, Scenario};
use crate::units::{Id, Money, Span};

/// Facts that cautions beside the numbers of a run are made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Pieces of work that arrived.
    pub submitted: u64,
    /// Pieces of work that were refused because no wait and no money would let them run.
    pub impossible: u64,
    /// Work refused or left unfinished, as parts in ten thousand of the pieces of work, of the
    /// core-hours and of the GPU-hours that were asked for.
    #[serde(default)]
    pub undone: [u32; 3],
    /// Jobs of them without an estimate of their runtime.
    pub unestimated: u64,
    /// Most of them that waited at once without a reservation, as too many waited.
    pub unreserved: u64,
    /// Pieces of work left waiting at the end although they would have fitted on what was free.
    #[serde(default)]
    pub stranded: u64,
    /// Pieces of work left waiting at the end for GPUs that are broken for good.
    #[serde(default)]
    pub lacking: u64,
    /// Pieces of other work left waiting at the end for machines that are down for good.
    #[serde(default)]
    pub lacking_machines: u64,
    /// Pieces of work that missed their deadline.
    #[serde(default)]
    pub missed: u64,
    /// Starts of gangs in several zones.
    #[serde(default)]
    pub apart: u64,
    /// Seconds over which work arrived or ran, where rent is scaled to a month from less than a day.
    pub burst_s: Option<u64>,
    /// Seconds over which work arrived, where that is longer than it is said to stand for.
    #[serde(default)]
    pub longer_s: Option<u64>,
    /// Pieces of work and seconds over which they arrived, where rent is scaled to a month from
    /// those, and they are too few to say of how long they are the work.
    #[serde(default)]
    pub few: Option<(u64, u64)>,
    /// Replications that the two before are means over; 0 or 1 of one run.
    #[serde(default)]
    pub replications: u64,
    /// Whether anything was paid for spot instances, and none was taken back.
    pub spot: bool,
    /// Providers to which anything was paid, and that have estimates among the prices at which there
    /// could have been rented for the work.
    #[serde(default)]
    pub estimated: Vec<EstimatedShare>,
    /// Names in the rules of work that nothing has, in words.
    pub unknown_names: Vec<String>,
    /// Counts of the work that the policy can and cannot rent for.
    pub rentals: Rentals,
    /// Counts of the work that has its machines alone.
    #[serde(default)]
    pub whole: WholeMachines,
    /// The policy would commit, and bought nothing.
    #[serde(default)]
    pub bought_nothing: bool,
    /// Names of commitments whose term has no hour of the run.
    #[serde(default)]
    pub out_of_term: Vec<String>,
    /// Machines that commitments of cores and memory do not cover, though they are for their family.
    #[serde(default)]
    pub kept_whole: Vec<String>,
}

/// Number of the prices of a provider that are estimates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EstimatedShare {
    /// The provider.
    pub provider: String,
    /// Number of estimates, more than 0.
    pub estimated: usize,
    /// Number of prices.
    pub prices: usize,
}

impl Facts {
    /// Facts of a finished run of a policy of the scenario.
    pub fn of(scenario: &Scenario, policy: &PolicySpec, result: &RunResult) -> Self {
        let (work, cost) = (&result.summary.work, &result.summary.cost);
        let never = work.refused_by_reason.iter().filter(|(reason, _)| reason == NEVER);
        let comes_and_goes = |offer: &Offer| offer.market == Market::Spot && offer.capacity.moves();
        let spot = |(name, paid): &(String, Money)| name == Market::Spot.name() && paid.nanos() > 0;
        Self {
            submitted: work.submitted,
            undone: undone(&result.summary),
            unestimated: work.unestimated,
            unreserved: result.summary.unreserved,
            stranded: result.summary.stranded,
            lacking: result.summary.lacking,
            lacking_machines: result.summary.lacking_machines,
            missed: result.summary.deadlines.missed,
            burst_s: burst(&result.summary),
            longer_s: longer(&result.summary),
            few: few(&result.summary),
            replications: 1,
            impossible: never.map(|(_, count)| *count).sum(),
            apart: result.summary.gangs_apart,
            spot: cost.by_market.iter().any(spot)
                && work.reclaimed_instances == 0
                && !scenario.world.offers.rows().iter().any(comes_and_goes),
            estimated: estimated(scenario, policy, result),
            unknown_names: result.unknown_names.iter().map(|one| format!("{one}.")).collect(),
            rentals: result.rentals.clone(),
            whole: result.whole.clone(),
            bought_nothing: bought_nothing(policy, result),
            out_of_term: out_of_term(result),
            kept_whole: kept_whole(result),
        }
    }
}

impl Facts {
    /// Facts of the first of some runs, but for the times over which work arrived: these are means of
    /// all, as those are that are told beside the money.
    pub fn over(runs: &[Measurement]) -> Self {
        let mean = |of: fn(&Measurement) -> f64| {
            runs.iter().map(of).sum::<f64>() / runs.len().max(1) as f64
        };
        let rent_s = libm::round(mean(|run| run.rent_s)) as u64;
        let arrivals = libm::round(mean(|run| run.facts.submitted as f64)) as u64;
        let facts = runs.first().map(|run| run.facts.clone()).unwrap_or_default();
        Self {
            burst_s: facts.burst_s.map(|_| rent_s),
            few: facts.few.map(|_| (arrivals, rent_s)),
            replications: runs.len() as u64,
            longer_s: facts.longer_s.map(|_| libm::round(mean(|run| run.arrivals_s)) as u64),
            ..facts
        }
    }
}

/// Whether a policy that commits had something to buy, and bought none of it.
fn bought_nothing(policy: &PolicySpec, result: &RunResult) -> bool {
    let biller = result.bill.as_ref().map(|run| &run.biller);
    let none = |biller: &Biller| biller.offerings().ids().all(|one| biller.bought(one).is_empty());
    !policy.commit.is(&NO_PURCHASE) && biller.is_some_and(none)
}

/// Names of commitments that no hour of the run belongs to.
fn out_of_term(result: &RunResult) -> Vec<String> {
    let Some(run) = &result.bill else { return Vec::new() };
    let held = run.biller.terms().commitments.iter();
    let idle = held.filter(|(row, _)| !run.bill.commitments.contains_key(row));
    idle.map(|(_, commitment)| commitment.name.clone()).collect()
}

/// Machines that are not taken apart, though something is committed of their cores or memory.
fn kept_whole(result: &RunResult) -> Vec<String> {
    let found = result.bill.iter().flat_map(|run| run.biller.kept_whole());
    let told = found.map(|(product, why)| {
        format!("`{}` in {}: {}", clip(&product.size), clip(&product.region), why.why())
    });
    told.collect()
}

/// Estimates among the prices of those to whom a run paid anything: of offers that the policy may
/// rent and on which some of the work could run.
fn estimated(scenario: &Scenario, policy: &PolicySpec, result: &RunResult) -> Vec<EstimatedShare> {
    let (reach, world) = (policy.reach(), &scenario.world);
    let paid = |name: &str| {
        let paid = result.summary.cost.by_provider.iter();
        paid.into_iter().any(|(known, paid)| known == name && paid.nanos() > 0)
    };
    let share = |one: &EstimatedPrices| {
        let of_it = |offer: &Id<Offer>| {
            world.providers[world.provider_of(*offer)].name == one.provider
                && reach.rents(world, *offer)
        };
        let open: Vec<Id<Offer>> = result.workable.iter().copied().filter(of_it).collect();
        let estimated = open.iter().filter(|offer| one.offers.binary_search(offer).is_ok()).count();
        let (provider, prices) = (one.provider.clone(), open.len());
        (estimated > 0).then_some(EstimatedShare { provider, estimated, prices })
    };
    scenario.estimated_prices.iter().filter(|one| paid(&one.provider)).filter_map(share).collect()
}

/// First run of one policy.
#[derive(Clone, Copy, Debug)]
pub struct CautionedRun<'a> {
    /// Name of the run as the reader knows it.
    pub name: &'a str,
    /// Scenario of the run.
    pub scenario: &'a Scenario,
    /// The policy.
    pub policy: &'a PolicySpec,
    /// Facts about the run.
    pub facts: &'a Facts,
}

/// The reason of a refusal that no time and no money would change.
const NEVER: &str = "fits nowhere";

/// Cautions beside the answer that these runs give.
pub fn cautions(runs: &[CautionedRun<'_>]) -> Vec<String> {
    let mut said = impossible(runs);
    said.extend(runs.iter().filter_map(large));
    for unknown in runs.iter().flat_map(|run| &run.facts.unknown_names) {
        if !said.contains(unknown) {
            said.push(unknown.clone());
        }
    }
    said.extend(apart(runs));
    said.extend(spot(runs));
    said.extend(short(runs));
    said.extend(scarce(runs));
    said.extend(too_long(runs));
    for run in runs {
        said.extend(unreserved(run));
        said.extend(scattered(run));
        said.extend(bound_to_machines(run));
        said.extend(stranded(run));
        said.extend(repair::devices(run));
        said.extend(repair::machines(run));
        said.extend(margin::too_short(run));
        said.extend(not_for_sale(run));
        if run.facts.bought_nothing {
            said.push(format!(
                "{} would commit, and bought nothing in its time: nothing that is for sale covers what it uses, or its window and the time after which a commitment pays are too long (money.md).",
                clip(run.name)
            ));
        }
    }
    let held = runs.iter().flat_map(|run| &run.facts.out_of_term);
    for name in held.collect::<BTreeSet<_>>() {
        said.push(format!(
            "The commitment `{}` counts for nothing: no hour of a run lies in its term. Its `from` and `years`, and `start` of the \
             workload, say when.",
            clip(name)
        ));
    }
    said.extend(idle_terms(runs));
    said.extend(repair::at_once(runs));
    let whole = runs.iter().flat_map(|run| &run.facts.kept_whole);
    for machine in whole.collect::<BTreeSet<_>>() {
        said.push(format!("Commitments of cores and memory cover no {machine}."));
    }
    said.extend(unrentable(runs));
    said
}

/// Tables of the terms that match nothing that a run could use.
fn idle_terms(runs: &[CautionedRun<'_>]) -> BTreeSet<String> {
    let all = runs.iter().flat_map(|run| &run.scenario.idle_terms);
    all.map(|idle| format!("{}.", idle.in_line())).collect()
}

/// Caution where answers are to be held to promises, and the scenario has none.
pub fn nothing_to_gate(gate: bool, scenario: &Scenario) -> Option<String> {
    (gate && scenario.objectives.is_empty())
        .then(|| "`--gate` holds nothing: the scenario has no objectives.".to_owned())
}

/// Estimates among the prices that an answer rests on: of the providers to which its run pays
/// anything, of what could have been rented for the work; `None` if all of these are published.
pub fn estimated_prices(run: &CautionedRun<'_>) -> Option<String> {
    let words = |one: &EstimatedShare| {
        format!("{} of {} prices of {}", one.estimated, one.prices, clip(&one.provider))
    };
    let told: Vec<String> = run.facts.estimated.iter().map(words).collect();
    let (last, first) = told.split_last()?;
    let and = if first.is_empty() { "" } else { " and " };
    Some(format!(
        "Estimated prices are part of this answer ({}): of those at which it may rent for this work, \
         {}{and}{last} are estimates without a published source.",
        clip(run.name),
        first.join(", ")
    ))
}

/// Policies that can rent for none or only some of the work; those that the same is to be said of
/// together.
fn unrentable(runs: &[CautionedRun<'_>]) -> Vec<String> {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for run in runs {
        let Some(told) = run.facts.rentals.statement() else { continue };
        match groups.iter_mut().find(|(known, _)| *known == told) {
            Some((_, names)) => names.push(run.name),
            None => groups.push((told, vec![run.name])),
        }
    }
    let told = groups.into_iter().map(|(told, names)| {
        let names: Vec<String> = names.into_iter().map(clip).collect();
        match names.as_slice() {
            [first @ .., last] if !first.is_empty() => {
                format!("Policies {} and {last} {told}.", first.join(", "))
            }
            names => format!("Policy {} {told}.", names.concat()),
        }
    });
    told.collect()
}

/// Names in a sentence: `a`, `a and b`, `a, b and c`, `all policies`.
fn names(some: &[&CautionedRun<'_>], all: usize) -> String {
    let names: Vec<String> = some.iter().map(|run| clip(run.name)).collect();
    match names.as_slice() {
        [one] => one.clone(),
        names if names.len() == all => "every policy".to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
        [] => String::new(),
    }
}

/// Work that was refused because it can never run.
fn impossible(runs: &[CautionedRun<'_>]) -> Vec<String> {
    let mut by_count: Vec<(u64, Vec<&CautionedRun<'_>>)> = Vec::new();
    for run in runs {
        let count = run.facts.impossible;
        match by_count.iter_mut().find(|(known, _)| *known == count) {
            Some((_, same)) => same.push(run),
            None => by_count.push((count, vec![run])),
        }
    }
    let told = by_count.iter().filter(|(count, _)| *count > 0).map(|(count, same)| {
        let of = same[0].facts.submitted;
        let share = *count as f64 / of.max(1) as f64 * 100.0;
        let fit = if *count == 1 { "fits" } else { "fit" };
        format!(
            "{count} of {of} pieces of work ({share:.1} %) {fit} nowhere under {}: no wait would help, and \
             they are refused. `windtunnel validate` shows them.",
            names(same, runs.len())
        )
    });
    told.collect()
}

/// Parts in ten thousand that were not done; see [`Facts::undone`].
fn undone(summary: &Summary) -> [u32; 3] {
    let Undone { count, core_hours, gpu_hours, .. } = summary.undone;
    let parts = |not: f64, done: f64| (not / (not + done).max(f64::MIN_POSITIVE) * 1e4) as u32;
    [
        parts(count as f64, summary.work.finished as f64),
        parts(core_hours, summary.useful_core_hours),
        parts(gpu_hours, summary.useful_gpu_hours),
    ]
}

/// Caution where the work left undone is few pieces, but many of the hours.
fn large(run: &CautionedRun<'_>) -> Option<String> {
    const LEAST: u32 = 100;
    let [jobs, cores, gpus] = run.facts.undone;
    let (hours, unit) = (cores.max(gpus), if gpus > cores { "GPU-hours" } else { "core-hours" });
    let percent = |parts: u32| format!("{:.1} %", f64::from(parts) / 100.0);
    (hours >= LEAST && hours > 2 * jobs).then(|| {
        format!(
            "What {} refuses or leaves unfinished is {} of the pieces of work, but {} of the {unit} \
             that were asked for.",
            clip(run.name),
            percent(jobs),
            percent(hours)
        )
    })
}

/// Gangs lay in several zones, and nothing was said of the network between them.
fn apart(runs: &[CautionedRun<'_>]) -> Option<String> {
    let found = runs.iter().filter(|run| run.facts.apart > 0);
    let told: Vec<String> =
        found.map(|run| format!("{} under {}", run.facts.apart, clip(run.name))).collect();
    (!told.is_empty()).then(|| {
        format!(
            "Gangs started in several zones at once ({}): their tasks ran as fast as side by side, \
             whatever the network between them, and what they send each other cost nothing.",
            told.join(", ")
        )
    })
}

/// Spot instances were used, and none was taken back.
fn spot(runs: &[CautionedRun<'_>]) -> Option<String> {
    let users: Vec<&CautionedRun<'_>> = runs.iter().filter(|run| run.facts.spot).collect();
    (!users.is_empty()).then(|| {
        format!(
            "Spot instances are never taken back here, so what {} costs and keeps is at its best \
             (`cloud.NAME.availability` says how many there are over time).",
            names(&users, runs.len())
        )
    })
}

/// Caution if more work waited than may hold a reservation.
fn unreserved(run: &CautionedRun<'_>) -> Option<String> {
    let waited = run.facts.unreserved;
    let part = &run.policy.backfill;
    let most = if part.is(&CONSERVATIVE) { part.settings.count("reservations") } else { None };
    most.filter(|_| waited > 0).map(|most| {
        format!(
            "Under {} up to {waited} pieces of work at once waited without a reservation, as no more than {most} \
             hold one here: they started only where they delayed none (`backfill.conservative.reservations`).",
            clip(run.name),
        )
    })
}

/// Work that has its machines alone was rented many more of them than it takes of the own ones.
fn scattered(run: &CautionedRun<'_>) -> Option<String> {
    let whole = &run.facts.whole;
    let widest = whole.widest.as_ref()?;
    let (count, starts) = (whole.scattered, if whole.scattered == 1 { "start" } else { "starts" });
    Some(format!(
        "{count} {starts} under {} of work that has its machines alone took more than twice as many rented machines \
         as it takes of the own: the widest {} like {}, where it takes {} of the own. They run as fast as few large ones \
         here, whatever the network. The largest on offer for it is {}.",
        clip(run.name),
        widest.rented,
        clip(&widest.offer),
        widest.own,
        clip(&widest.largest)
    ))
}

/// Reservations of work that has its machines alone are for given machines.
fn bound_to_machines(run: &CautionedRun<'_>) -> Option<String> {
    let sharing = run.facts.whole.sharing;
    let ours = run.policy.is_ours(PolicyPart::Backfill) && run.policy.backfill.is(&CONSERVATIVE);
    (ours && sharing > 0).then(|| {
        let pieces = if sharing == 1 { "piece of work that has its" } else { "pieces of work that have their" };
        format!(
            "Under {} reservations of {sharing} {pieces} machines alone, several tasks on one, are a guess: each is for given \
             machines, not for a number of them, so one may be for later than a count of free machines gives, and work \
             behind it may start before it (\"Reservations\" in docs/scenario.md).",
            clip(run.name)
        )
    })
}

/// Work was left waiting beside room for it.
fn stranded(run: &CautionedRun<'_>) -> Option<String> {
    let left = run.facts.stranded;
    (left > 0).then(|| {
        format!(
            "{} left {left} {} of work waiting until the end, though there was room for each on what was free \
             and nothing else was to happen: it neither placed nor refused what waited, and set no timer.",
            clip(run.name),
            if left == 1 { "piece" } else { "pieces" }
        )
    })
}

/// Seconds over which work arrived or ran, where what is rented in a month is scaled from them and
/// they are less than a day: it may be all that comes in that day.
fn burst(summary: &Summary) -> Option<u64> {
    const DAY_S: f64 = 86_400.0;
    let rented = summary.cost.total != summary.cost.standing;
    let guessed = rented && summary.period_s.is_none() && summary.rent_s() < DAY_S;
    guessed.then_some(summary.rent_s() as u64)
}

/// Arrivals below which the time from the first to the last is not taken for the time that they
/// stand for: `n` arrivals span `n - 1` of the gaps between them, so of 30 it is 3 % too short.
const FEW: u64 = 30;
/// Seconds below which it is not taken for that either: work that comes at one time of the day
/// spans `n - 1` of `n` days.
const WEEK_S: f64 = 7.0 * 86_400.0;

/// Arrivals and seconds from the first to the last, where rent is scaled from those and they are
/// few, or of a day at least and short.
fn few(summary: &Summary) -> Option<(u64, u64)> {
    let rented = summary.cost.total != summary.cost.standing;
    let guessed = rented && summary.period_s.is_none();
    let (submitted, seconds) = (summary.work.submitted, summary.rent_s());
    let short = seconds < WEEK_S && burst(summary).is_none();
    (guessed && (submitted < FEW || short)).then_some((submitted, seconds as u64))
}

/// A month is scaled from the time between few arrivals, or over few days.
fn scarce(runs: &[CautionedRun<'_>]) -> Option<String> {
    let facts = runs.iter().map(|run| run.facts).find(|facts| facts.few.is_some())?;
    let (count, seconds) = facts.few?;
    let over = match facts.replications {
        0 | 1 => String::new(),
        many => format!(" (means over {many} replications)"),
    };
    let span = Span::from_secs(seconds as i64).rounded();
    let by_gaps = count as f64 / count.saturating_sub(1).max(1) as f64;
    if runs.iter().any(|run| run.facts.burst_s.is_some()) {
        return (count > 1).then(|| {
            format!(
                "Of {count} arrivals{over} the pause after the last is left out too: by that alone a month may be too dear \
                 by a factor of up to {by_gaps:.2}."
            )
        });
    }
    if count < 2 {
        return Some(format!(
            "What is rented in a month is scaled from the {span} of the run, for one arrival says nothing of how often \
             it comes. Say what time it stands for: `period` in `[workload]`."
        ));
    }
    let by_days = if (seconds as f64) < WEEK_S { 1.0 + 86_400.0 / seconds as f64 } else { 1.0 };
    Some(format!(
        "What is rented in a month is scaled from the {span} between the first and the last of {count} arrivals{over}, which \
         leave out the pause after the last: it may be too dear by a factor of up to {:.2}. Say \
         what time it stands for: `period` in `[workload]`.",
        by_gaps.max(by_days)
    ))
}

/// Seconds over which work arrived, where that is longer than the period that it is said
/// to stand for, to a second.
fn longer(summary: &Summary) -> Option<u64> {
    let arrivals = summary.arrivals_s;
    summary.period_s.filter(|period| *period + 1.0 < arrivals).map(|_| arrivals as u64)
}

/// The period that the work stands for cannot be right.
fn too_long(runs: &[CautionedRun<'_>]) -> Option<String> {
    let seconds = runs.iter().find_map(|run| run.facts.longer_s)?;
    Some(format!(
        "Work arrived over {}, which is longer than it is said to stand for: what is rented in a month is too \
         dear by as much. Make `workload.period` longer, or leave it out.",
        Span::from_secs(seconds as i64).rounded()
    ))
}

/// A month is scaled from the work of a part of a day.
fn short(runs: &[CautionedRun<'_>]) -> Option<String> {
    let seconds = runs.iter().find_map(|run| run.facts.burst_s)?;
    Some(format!(
        "What is rented in a month is scaled from the {} over which work arrived or ran, as if it went on \
         so day and night. If this is the work of a day, say so: `period = \"1 d\"` in `[workload]`.",
        Span::from_secs(seconds as i64).rounded()
    ))
}

/// A market that the policy rents on and that nothing here is sold on.
fn not_for_sale(run: &CautionedRun<'_>) -> Vec<String> {
    let missing = missing_markets(run.scenario, run.policy);
    let told = missing.into_iter().map(|market| {
        format!(
            "Policy {} rents on the {} market, and nothing that it may rent is sold on it.",
            clip(run.name),
            market.name()
        )
    });
    told.collect()
}

/// Markets that a policy names besides others, and on which nothing is sold of what it may
/// rent. A policy that is left with no market can rent for no work: see [`unrentable`].
pub(super) fn missing_markets(scenario: &Scenario, policy: &PolicySpec) -> Vec<Market> {
    if !policy.is_ours(PolicyPart::Provision) {
        return Vec::new();
    }
    let (reach, world) = (policy.reach(), &scenario.world);
    let sold = |market: &Market| {
        let mut offers = world.offers.iter();
        offers.any(|(offer, facts)| facts.market == *market && reach.scope.admits(world, offer))
    };
    let (sold, missing): (Vec<Market>, Vec<Market>) =
        reach.markets.iter().partition(|one| sold(one));
    if sold.is_empty() { Vec::new() } else { missing }
}

/// Reason for which the grid carbon of runs in this world is not known; `None` if it is known of all
/// offers.
pub fn carbon_gaps(world: &World) -> Option<String> {
    energy_gaps(world).or_else(|| {
        let unknown = |region: &Region| region.carbon.is_none();
        gap(world, "carbon_g_per_kwh", |offer| unknown(&world.regions[world.region_of(offer)]))
    })
}

/// The same of energy.
pub fn energy_gaps(world: &World) -> Option<String> {
    gap(world, "power", |offer| world.type_of(offer).power.is_none())
}

/// The key that the first offer lacks of those that lack one.
fn gap(world: &World, key: &str, lacks: impl Fn(Id<Offer>) -> bool) -> Option<String> {
    let offer = world.offers.ids().find(|&offer| lacks(offer))?;
    Some(format!("{} has no `{key}`", clip(&world.region_name(world.region_of(offer)))))
}

/// Caution about what a run assumed of jobs without an estimate, where the policy goes by
/// estimates.
pub fn unestimated(facts: &Facts, policy: &PolicySpec) -> Option<String> {
    let priced = "their rent is weighed as if they ran for one hour";
    let priced = policy.rents_by_price().then_some(priced);
    let how: Vec<&str> = without_estimate(policy).into_iter().chain(priced).collect();
    let Facts { submitted, unestimated, .. } = facts;
    let (how, have) = (how.join(", and "), if *unestimated == 1 { "has" } else { "have" });
    (*unestimated > 0 && !how.is_empty()).then(|| {
        format!(
            "{unestimated} of {submitted} pieces of work {have} no estimate of their runtime: {how}."
        )
    })
}

/// The policy's treatment of jobs without an estimate of their runtime, where it goes by estimates.
pub(super) fn without_estimate(policy: &PolicySpec) -> Option<&'static str> {
    let plans = policy.backfill.build().is_some_and(|part| part.needs_ends());
    if plans && policy.is_ours(PolicyPart::Backfill) {
        return Some("backfilling plans as if they ended after all that have one");
    }
    let shortest = policy.order.is(&order::SHORTEST) && policy.is_ours(PolicyPart::Order);
    shortest.then_some("the shortest first puts them behind all that have one")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::metrics::{Costs, ScatteredStart, WorkCounts};

    #[test]
    fn a_month_of_hours_and_a_period_that_is_too_short_are_seen() {
        let dollars = |dollars: i128| Money::from_nanos(dollars * 1_000_000_000);
        let summary = |standing, arrivals_s, period_s| Summary {
            cost: Costs { total: dollars(2), standing: dollars(standing), ..Costs::default() },
            arrivals_s,
            period_s,
            ..Summary::default()
        };
        let cases = [
            (summary(1, 7_200.0, None), Some(7_200), None),
            // Facts of a run that rented nothing.
            (summary(2, 7_200.0, None), None, None),
            (summary(1, 86_400.0, None), None, None),
            (summary(1, 7_200.0, Some(86_400.0)), None, None),
            (summary(1, 7_200.0, Some(7_200.0)), None, None),
            (summary(1, 7_200.0, Some(3_600.0)), None, Some(7_200)),
        ];
        let work = WorkCounts { submitted: 3, ..WorkCounts::default() };
        assert_eq!(few(&Summary { work, ..summary(1, 7_200.0, None) }), Some((3, 7_200)));
        for (row, (summary, hours, longer_than)) in cases.into_iter().enumerate() {
            assert_eq!((burst(&summary), longer(&summary)), (hours, longer_than), "{row}");
        }
    }

    #[test]
    fn what_was_seen_is_told() {
        let text = "question = \"?\"\n[workload.synthetic]\ncount = 1\n\
                    arrivals = { every = \"1 s\" }\nclass.a = { runtime = \"1 s\", vcpus = 1 }\n\
                    [cluster.dc]\nnodes = 1\nshape = { vcpus = 1, memory = \"1 GiB\" }\n\
                    [policy.p]\nbackfill = { conservative = { reservations = 7 } }\n";
        let scenario = Scenario::parse(text, "s.toml", Path::new(""), &[]).expect("it is valid");
        let policy = &scenario.policies[0];
        let told = |facts: &Facts| {
            cautions(&[CautionedRun { name: "p", scenario: &scenario, policy, facts }]).join(" ")
        };
        assert_eq!(told(&Facts::default()), "");
        assert_eq!(told(&Facts { undone: [350, 410, 700], ..Facts::default() }), "");
        let widest = ScatteredStart {
            rented: 1_024,
            own: 64,
            offer: "small".into(),
            largest: "large".into(),
        };
        for (facts, words) in [
            (
                Facts { unreserved: 3, ..Facts::default() },
                "Under p up to 3 pieces of work at once waited without a reservation, as no more than 7 ",
            ),
            (
                Facts { undone: [350, 410, 8_800], ..Facts::default() },
                "What p refuses or leaves unfinished is 3.5 % of the pieces of work, but 88.0 % of the GPU-hours",
            ),
            (
                Facts { stranded: 1, ..Facts::default() },
                "p left 1 piece of work waiting until the end, though there was room for each ",
            ),
            (
                Facts { lacking: 2, ..Facts::default() },
                "p left 2 pieces of work waiting until the end for GPUs that are broken and not repaired.",
            ),
            (
                Facts { lacking_machines: 1, ..Facts::default() },
                "p left 1 piece of work waiting until the end, while machines that could hold tasks of it had failed",
            ),
            (
                Facts {
                    whole: WholeMachines { sharing: 2, ..WholeMachines::default() },
                    ..Facts::default()
                },
                "Under p reservations of 2 pieces of work that have their machines alone, several tasks on one, are a guess",
            ),
            (
                Facts {
                    whole: WholeMachines {
                        scattered: 3,
                        widest: Some(widest),
                        ..WholeMachines::default()
                    },
                    ..Facts::default()
                },
                "3 starts under p of work that has its machines alone took more than twice as many rented machines \
                 as it takes of the own: the widest 1024 like small, where it takes 64 of the own. They run as fast as \
                 few large ones here, whatever the network. The largest on offer for it is large.",
            ),
            (
                Facts { few: Some((410, 7_200)), replications: 51, ..Facts::default() },
                "the last of 410 arrivals (means over 51 replications), which leave out",
            ),
            (Facts { burst_s: Some(7_200), ..Facts::default() }, "scaled from the 2 h over which"),
            (
                Facts { burst_s: Some(7_200), few: Some((3, 7_200)), ..Facts::default() },
                "Of 3 arrivals the pause after the last is left out too: by that alone a month may be \
                 too dear by a factor of up to 1.50.",
            ),
            (
                Facts { longer_s: Some(7_200), ..Facts::default() },
                "Work arrived over 2 h, which is longer",
            ),
        ] {
            let told = told(&facts);
            assert!(told.contains(words), "{told}");
        }
    }
}
