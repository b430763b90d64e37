//! Reads `[policy.*]`: presets, inheritance and parts.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::section::{ConfigTable, Diagnostics};
use super::value::Value;
use super::work::check_names;
use super::{external, preset};
use crate::model::{Market, World};
use crate::policy::spec::{
    AdmitSpec, BackfillSpec, Choice, Compatibility, DemandMix, External, GpuMachines, Narrow,
    OfferScope, OrderSpec, PlaceSpec, PolicyPart, PolicySpec, PreemptSpec, ProvisionSpec,
    ReleaseSpec, Scalar,
};
use crate::problem::{clip, did_you_mean};
use crate::units::Span;

/// The policies of a scenario, and where the mixes that they need are named.
#[derive(Debug, Default)]
pub(super) struct Policies {
    pub(super) specs: Vec<PolicySpec>,
    /// Policies by row whose place part wants a mix, with where it says so.
    pub(super) mixes: Vec<(usize, Range<usize>)>,
    /// Files that programs which decide are started with.
    pub(super) inputs: Vec<PathBuf>,
    /// Assumptions on who decides from outside, by row of the policy.
    pub(super) assumptions: Vec<(usize, String)>,
}

/// Reads all policies, in file order.
pub(super) fn read(
    root: &ConfigTable,
    world: &World,
    base: &Path,
    report: &mut Diagnostics<'_>,
) -> Policies {
    let section = root.section("policy");
    let mut policies = Policies::default();
    let mut done: BTreeMap<String, PolicySpec> = BTreeMap::new();
    let names: Vec<&str> = section.sections().map(|(name, ..)| name).collect();
    if names.is_empty() {
        let message = "a scenario needs at least one policy";
        report.hint(
            &root.spot("policy"),
            message,
            "add `[policy.today]` with `preset = \"batch-backfill\"`",
        );
    }
    for (name, own, key) in section.sections() {
        let mut seen = Vec::new();
        let around = (world, base);
        let Some(spec) = resolve(name, &section, &mut seen, &mut done, around, report) else {
            continue;
        };
        for (part, who) in &spec.external {
            policies.note(&spec.name, *part, who);
        }
        if matches!(&spec.place, PlaceSpec::Fgd { .. }) {
            let range = if own.has("place") { own.spot("place") } else { key.clone() };
            policies.mixes.push((policies.specs.len(), range));
        }
        policies.specs.push(spec);
    }
    policies
}

impl Policies {
    /// Notes who decides `part` of `policy`, and the files that it is started with.
    fn note(&mut self, policy: &str, part: PolicyPart, who: &External) {
        for file in who.paths().filter(|file| file.is_file()) {
            if !self.inputs.contains(&file) {
                self.inputs.push(file);
            }
        }
        let what = match part {
            PolicyPart::Whole => String::new(),
            PolicyPart::Preempt
            | PolicyPart::Admit
            | PolicyPart::Order
            | PolicyPart::Place
            | PolicyPart::Backfill
            | PolicyPart::Provision
            | PolicyPart::Release => format!("the {} part of ", part.name()),
        };
        let command = clip(&who.command.join(" "));
        let told =
            format!("{what}policy `{}` is decided by another program: `{command}`", clip(policy));
        self.assumptions.push((self.specs.len(), told));
    }
}

/// The policy called `name`, with what it extends.
fn resolve(
    name: &str,
    all: &ConfigTable,
    seen: &mut Vec<String>,
    done: &mut BTreeMap<String, PolicySpec>,
    around: (&World, &Path),
    report: &mut Diagnostics<'_>,
) -> Option<PolicySpec> {
    if let Some(spec) = done.get(name) {
        return Some(spec.clone());
    }
    let (_, own, _) = all.sections().find(|(other, ..)| *other == name)?;
    seen.push(name.to_owned());
    let base = match (own.text("extends"), own.text("preset")) {
        (Some(_), Some(_)) => {
            let message = "a policy has either `extends` or `preset`, not both";
            report.at(&own.spot("preset"), message);
            None
        }
        (Some(parent), None) if seen.iter().any(|name| name == parent) => {
            seen.push(parent.to_owned());
            let message = format!("policies extend each other in a circle: {}", seen.join(" -> "));
            report.at(&own.spot("extends"), message);
            None
        }
        (Some(parent), None) if !all.sections().any(|(other, ..)| other == parent) => {
            let known: Vec<&str> = all.sections().map(|(name, ..)| name).collect();
            let message = format!("there is no policy called `{}`", clip(parent));
            let hint = unknown_name(parent, &known);
            report.hint(&own.spot("extends"), message, hint);
            None
        }
        (Some(parent), None) => resolve(parent, all, seen, done, around, report),
        (None, Some(preset)) => preset::build(preset, name),
        (None, None) => None,
    };
    let mut spec = base.unwrap_or_else(|| PolicySpec::named(name));
    spec.name = name.to_owned();
    override_parts(&mut spec, own, around.0, report);
    external::read(&mut spec, own, around.1, report);
    // A part that is named replaces that of the preset as a whole.
    if own.has("place") && spec.external.contains_key(&PolicyPart::Place) {
        spec.narrow = Narrow::default();
    }
    done.insert(name.to_owned(), spec.clone());
    Some(spec)
}

/// `did you mean ..?`, or what there is.
pub(super) fn unknown_name(found: &str, known: &[&str]) -> String {
    if known.is_empty() {
        return "there is none yet".to_owned();
    }
    did_you_mean(found, known.iter().copied()).map_or_else(
        || {
            let listed: Vec<&str> = known.iter().copied().take(12).collect();
            let more = if known.len() > 12 { ", ..." } else { "" };
            format!("there is: {}{more}", listed.join(", "))
        },
        |known| format!("did you mean `{known}`?"),
    )
}

/// The option that a part names, with its parameters (empty where it has none).
fn chosen(
    own: &ConfigTable,
    part: &str,
    report: &mut Diagnostics<'_>,
) -> Option<(String, ConfigTable)> {
    let entry = own.entry(part)?;
    match &entry.node.value {
        Value::Text(name) => Some((name.clone(), ConfigTable::default())),
        Value::Table(section) if section.has("external") => None,
        Value::Table(section) => {
            let mut options = section.sections();
            match (options.next(), options.next()) {
                (Some((name, parameters, _)), None) => Some((name.to_owned(), parameters.clone())),
                (None, _) => {
                    let message = format!("`{part}` names no part");
                    report.hint(
                        &entry.node.range,
                        message,
                        format!("such as `[policy.{}.{part}.{}]`", "NAME", first_option(part)),
                    );
                    None
                }
                (Some((first, ..)), Some((second, _, key))) => {
                    let message = format!("`{part}` names two parts, `{first}` and `{second}`");
                    report.hint(key, message, "a policy has one part per question");
                    None
                }
            }
        }
        _ => None,
    }
}

fn first_option(part: &str) -> &'static str {
    super::part::options(part).next().map_or("", |option| option.name)
}

fn override_parts(
    spec: &mut PolicySpec,
    own: &ConfigTable,
    world: &World,
    report: &mut Diagnostics<'_>,
) {
    if let Some((name, _)) = chosen(own, "preempt", report) {
        spec.preempt = match name.as_str() {
            "priority" => PreemptSpec::Priority,
            "srpt" => PreemptSpec::Srpt,
            "none" => PreemptSpec::None,
            other => not_built("preempt", other),
        };
    }
    if own.has("admit") {
        let admit = own.section("admit");
        spec.admit = AdmitSpec {
            queue_limit: admit.count32("queue_limit"),
            patience: admit.span("patience"),
        };
    }
    if let Some((name, _)) = chosen(own, "order", report) {
        spec.order = order(&name);
    }
    if let Some((name, parameters)) = chosen(own, "place", report) {
        spec.place = place(&name, &parameters);
        spec.narrow = Narrow {
            scope: scope(&parameters, world, report),
            gpu_machines: match parameters.text("gpu_machines") {
                Some("gpu-work") => GpuMachines::GpuWork,
                _ => GpuMachines::Any,
            },
            weigh_data: parameters.flag("weigh_data").unwrap_or(false),
            // The only place part that has no such key.
            weigh_price: name != "fgd" && parameters.flag("weigh_price").unwrap_or(false),
        };
    }
    if let Some((name, parameters)) = chosen(own, "backfill", report) {
        let most = parameters.count32("reservations");
        spec.reservations = most.unwrap_or(BackfillSpec::RESERVATIONS);
        spec.backfill = match name.as_str() {
            "greedy" => BackfillSpec::Greedy,
            "easy" => BackfillSpec::Easy,
            "conservative" => BackfillSpec::Conservative,
            "none" => BackfillSpec::None,
            other => not_built("backfill", other),
        };
    }
    if let Some((name, parameters)) = chosen(own, "provision", report) {
        spec.provision = provision(&name, &parameters, own, world, report);
        spec.rent_from = match &spec.provision {
            ProvisionSpec::OnDemand { .. } => scope(&parameters, world, report),
            ProvisionSpec::OwnedOnly | ProvisionSpec::Static { .. } => OfferScope::default(),
        };
    }
    if let Some((name, parameters)) = chosen(own, "release", report) {
        spec.release = match name.as_str() {
            "never" => ReleaseSpec::Never,
            "idle" => ReleaseSpec::Idle { after: parameters.span("after").unwrap_or(Span::ZERO) },
            other => not_built("release", other),
        };
    }
    if let Some(name) = own.text("compatibility") {
        spec.compatibility = match name {
            "rlscheduler" => Some(Compatibility::RlScheduler { backfill: false }),
            "rlscheduler-backfill" => Some(Compatibility::RlScheduler { backfill: true }),
            _ => None,
        };
    }
}

/// An option that is listed, and so was let through, but that nothing builds.
fn not_built(part: &str, name: &str) -> ! {
    unreachable!("the {part} part `{name}` is listed and not built")
}

/// The offers that a part names.
fn scope(parameters: &ConfigTable, world: &World, report: &mut Diagnostics<'_>) -> OfferScope {
    let mut named = |what: &str| {
        if !parameters.has(what) {
            return Vec::new();
        }
        check_names(what, parameters.texts(what), world, report);
        parameters.names(what)
    };
    OfferScope {
        providers: named("providers"),
        regions: named("regions"),
        types: named("types"),
        families: named("families"),
    }
}

fn order(name: &str) -> OrderSpec {
    match name {
        "shortest" => OrderSpec::Shortest,
        "smallest" => OrderSpec::Smallest,
        "largest" => OrderSpec::Largest,
        "earliest-deadline" => OrderSpec::EarliestDeadline,
        "priority" => OrderSpec::Priority,
        "wfp3" => OrderSpec::Wfp3,
        "unicep" => OrderSpec::Unicep,
        "f1" => OrderSpec::F1,
        "fcfs" => OrderSpec::Fcfs,
        other => not_built("order", other),
    }
}

fn place(name: &str, parameters: &ConfigTable) -> PlaceSpec {
    let by = || match parameters.text("by") {
        Some("cpu") => Scalar::Cpu,
        Some("memory") => Scalar::Memory,
        Some("gpu") => Scalar::Gpu,
        _ => Scalar::Mean,
    };
    match name {
        "next-fit" => PlaceSpec::NextFit,
        "best-fit" => PlaceSpec::BestFit { by: by() },
        "worst-fit" => PlaceSpec::WorstFit { by: by() },
        "random" => PlaceSpec::Random,
        "dot-product" => PlaceSpec::DotProduct,
        "least-dot-product" => PlaceSpec::LeastDotProduct,
        "least-remainder" => PlaceSpec::LeastRemainder,
        "least-loaded" => PlaceSpec::LeastLoaded,
        "gpu-packing" => PlaceSpec::GpuPacking,
        "gpu-clustering" => PlaceSpec::GpuClustering,
        "fgd" => PlaceSpec::Fgd {
            mix: DemandMix {
                source: parameters.text("mix").unwrap_or("workload").to_owned(),
                demands: Vec::new(),
            },
        },
        "first-fit" => PlaceSpec::FirstFit,
        other => not_built("place", other),
    }
}

fn provision(
    name: &str,
    parameters: &ConfigTable,
    own: &ConfigTable,
    world: &World,
    report: &mut Diagnostics<'_>,
) -> ProvisionSpec {
    let choice = match name {
        "cheapest" => Choice::Cheapest,
        "fastest" => Choice::Fastest,
        "round-robin" => Choice::RoundRobin,
        "static" => return fleets(parameters, own, world, report),
        "owned-only" => return ProvisionSpec::OwnedOnly,
        other => not_built("provision", other),
    };
    let market = |name: &str| match name {
        "spot" => Market::Spot,
        "on-demand" => Market::OnDemand,
        other => not_built("market", other),
    };
    let mut markets: Vec<Market> =
        parameters.names("markets").iter().map(|name| market(name)).collect();
    markets.dedup();
    let rents = world.offers.rows().iter().any(|offer| {
        offer.market != Market::Owned
            && (markets.contains(&offer.market)
                || markets.is_empty() && offer.market == Market::OnDemand)
    });
    if !rents && !report.partial_world {
        let wanted = if markets.is_empty() { vec![Market::OnDemand] } else { markets.clone() };
        let wanted: Vec<&str> = wanted.iter().map(|market| market.name()).collect();
        report.hint(
            &own.spot("provision"),
            format!("there is nothing to rent in the market {}", wanted.join(" or ")),
            match world.offers.rows().iter().any(|offer| offer.market != Market::Owned) {
                true => "add that market to `markets` of a `[cloud.*]` whose prices have it",
                false => "add a `[cloud.*]` with that market, or `provision = \"owned-only\"`",
            },
        );
    }
    ProvisionSpec::OnDemand {
        choice,
        markets,
        after_wait: parameters.span("after_wait").unwrap_or(Span::ZERO),
        max_instances: parameters.count32("max_instances"),
    }
}

fn fleets(
    parameters: &ConfigTable,
    own: &ConfigTable,
    world: &World,
    report: &mut Diagnostics<'_>,
) -> ProvisionSpec {
    if !parameters.has("fleets") {
        report.hint(
            &own.spot("provision"),
            "`static` needs `fleets`",
            "such as `fleets = { \"aws/us-east-1a/m5.xlarge/on-demand\" = 4 }`",
        );
    }
    let mut fleets = Vec::new();
    for entry in &parameters.section("fleets").entries {
        let Value::Count(count) = entry.node.value else { continue };
        let offer = world.offers.rows().iter().find(|offer| offer.name == entry.name);
        match offer {
            Some(offer) if offer.market == Market::Owned => {
                report.at(
                    &entry.key,
                    format!("`{}` is owned, it cannot be rented", clip(&entry.name)),
                );
            }
            Some(_) => fleets.push((entry.name.clone(), u32::try_from(count).unwrap_or(u32::MAX))),
            None => {
                let known: Vec<&str> =
                    world.offers.rows().iter().map(|offer| offer.name.as_str()).collect();
                let message = format!("there is no offer called `{}`", clip(&entry.name));
                report.hint(&entry.key, message, unknown_name(&entry.name, &known));
            }
        }
    }
    ProvisionSpec::Static { fleets }
}
