//! Reads `[workload]`: a trace or a synthesis, defaults and transformations.

mod opening;
mod synthetic;
mod trace;
mod transform;

use std::ops::Range;
use std::path::{Path, PathBuf};

pub use opening::NEW_YEAR_2026;
pub(super) use opening::{Opening, early_start_problem, opening};

use super::composition::unknown_name;
use super::names::Naming;
use super::section::{ConfigTable, Diagnostics};
use crate::model::{Checkpoint, Filter, Rules, Spread, Together, WorkKind, World};
use crate::problem::clip;
use crate::units::Span;
use crate::workload::{
    DeadlineRule, Defaults, EstimateRule, OpenContext, Transform, WorkloadInput, WorkloadSpec,
};

use trace::trace;

/// Folder, world and opening that a workload is read with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'a> {
    pub(super) base: &'a Path,
    pub(super) world: &'a World,
    pub(super) opening: Opening,
}

/// A workload, and what was noted while reading it.
#[derive(Debug)]
pub(super) struct ReadWorkload {
    pub(super) spec: WorkloadSpec,
    pub(super) inputs: Vec<PathBuf>,
    pub(super) assumptions: Vec<String>,
}

/// Reads `[workload]`; `None` where there is no usable one.
pub(super) fn read(
    root: &ConfigTable,
    around: Around<'_>,
    report: &mut Diagnostics<'_>,
) -> Option<ReadWorkload> {
    let section = root.section("workload");
    let mut inputs = Vec::new();
    let mut assumptions = Vec::new();
    let input = match (section.has("trace"), section.has("synthetic")) {
        (true, true) => {
            let message = "a workload has either `trace` or `synthetic`, not both";
            report.at(&section.spot("trace"), message);
            None
        }
        (false, false) => {
            report.hint(
                &root.spot("workload"),
                "the scenario has no work",
                "give `[workload]` a `trace`, or make `[workload.synthetic]`",
            );
            None
        }
        (true, false) => trace(&section, around.base, report).map(|(trace, why)| {
            inputs.push(trace.path.clone());
            assumptions.extend(why.map(|why| format!("The trace: {why}")));
            WorkloadInput::Trace(trace)
        }),
        (false, true) => {
            let synthetic = section.section("synthetic");
            synthetic::read(&synthetic, around, report).map(WorkloadInput::Synthetic)
        }
    };
    let defaults = defaults(&section, around, report);
    let mut transforms = transform::read(&section, around.opening.clock, report);
    if around.opening.begins > Span::ZERO {
        transforms.push(Transform::Begin(around.opening.begins));
    }
    if let Some(scale) = section.number("scale").filter(|&scale| scale != 1.0) {
        transforms.push(Transform::ScaleArrivals(1.0 / scale));
    }
    let spec = WorkloadSpec { input: input?, defaults, transforms };
    assumptions.extend(spec.assumptions());
    Some(ReadWorkload { spec, inputs, assumptions })
}

/// Reports what is wrong with a workload in this world, which its parts alone
/// do not show.
pub(super) fn check(
    root: &ConfigTable,
    spec: &WorkloadSpec,
    context: &OpenContext,
    report: &mut Diagnostics<'_>,
) {
    let section = root.section("workload");
    let inflates = section.list("transform").iter().find(|own| own.has("inflate"));
    let spot = inflates.map_or_else(|| root.spot("workload"), |own| own.spot("inflate"));
    for problem in spec.problems(context) {
        report.at(&spot, problem.message);
    }
}

fn defaults(section: &ConfigTable, around: Around<'_>, report: &mut Diagnostics<'_>) -> Defaults {
    let deadline = section.section("deadline");
    let data = section.section("data");
    let home = home(&data, around, report);
    for key in ["input", "output"] {
        if data.has(key) && home.is_none() && matches!(data.integer(key), Some(bytes) if bytes > 0)
        {
            report.hint(
                &data.spot(key),
                "data needs a home",
                "add `home`, such as `home = \"aws/us-east-1\"`",
            );
        }
    }
    Defaults {
        estimate: estimate(section, report),
        deadline: section.has("deadline").then(|| DeadlineRule {
            slack: deadline.span("slack").unwrap_or(Span::ZERO),
            factor: deadline.number("factor").unwrap_or(1.0),
        }),
        resumes: section.flag("resume"),
        checkpoint: checkpoint(section, report),
        exclusive: section.flag("exclusive"),
        cpu: section.amount("vcpus"),
        memory: section.amount("memory"),
        priority: priority(section, report),
        tenant: section.text("tenant").map(str::to_owned),
        home,
        input: data.integer("input"),
        output: data.integer("output"),
        rules: rules(section, around, report),
    }
}

/// Cost of a checkpoint; `None` if the section has none.
fn checkpoint(section: &ConfigTable, report: &mut Diagnostics<'_>) -> Option<Checkpoint> {
    if !section.has("checkpoint") {
        return None;
    }
    let own = section.section("checkpoint");
    own.require("write", report);
    Some(Checkpoint {
        write: own.span("write")?,
        blocking: own.flag("blocking").unwrap_or(true),
        restore: own.span("restore").unwrap_or(Span::ZERO),
    })
}

fn estimate(section: &ConfigTable, report: &mut Diagnostics<'_>) -> EstimateRule {
    let Some(text) = section.text("estimates") else { return EstimateRule::Missing };
    let factor = text
        .trim()
        .strip_prefix("factor(")
        .and_then(|rest| rest.strip_suffix(')'))
        .and_then(|factor| factor.trim().parse().ok())
        .filter(|&factor: &f64| factor > 0.0 && factor <= 1e6);
    match (text.trim(), factor) {
        ("none", _) => EstimateRule::Missing,
        ("runtime", _) => EstimateRule::Runtime,
        (_, Some(factor)) => EstimateRule::Factor(factor),
        _ => {
            let message = format!(
                "`estimates` must be `\"runtime\"`, `\"factor(2)\"` or `\"none\"`, found `\"{}\"`",
                clip(text)
            );
            report.at(&section.spot("estimates"), message);
            EstimateRule::Missing
        }
    }
}

pub(super) fn priority(section: &ConfigTable, report: &mut Diagnostics<'_>) -> Option<i32> {
    let wide = section.integer("priority")?;
    let priority = i32::try_from(wide).ok();
    if priority.is_none() {
        report.at(&section.spot("priority"), format!("`{wide}` is too large for a priority"));
    }
    priority
}

/// The home of data, which must be a region of the world.
fn home(data: &ConfigTable, around: Around<'_>, report: &mut Diagnostics<'_>) -> Option<String> {
    let name = data.text("home")?;
    if around.world.find_home(name).is_none() {
        let known = region_names(around.world);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let message = format!("there is no region or cluster called `{}`", clip(name));
        report.hint(&data.spot("home"), message, unknown_name(name, &known));
    }
    Some(name.to_owned())
}

fn region_names(world: &World) -> Vec<String> {
    world.regions.ids().map(|region| world.region_name(region)).collect()
}

/// Reads `allow`, `forbid` and what else restricts where work may run.
fn rules(section: &ConfigTable, around: Around<'_>, report: &mut Diagnostics<'_>) -> Rules {
    let (allow, forbid) = (section.section("allow"), section.section("forbid"));
    for name in ["jurisdictions", "certifications"] {
        check_names(name, section.texts(name), around.world, report);
    }
    let mut filter = |name: &str| {
        for side in [&allow, &forbid] {
            if side.has(name) {
                check_names(name, side.texts(name), around.world, report);
            }
        }
        let of = |side: &ConfigTable| if side.has(name) { side.names(name) } else { Vec::new() };
        Filter { allowed: of(&allow), forbidden: of(&forbid) }
    };
    let throughput = section.section("throughput");
    Rules {
        providers: filter("providers"),
        regions: filter("regions"),
        types: filter("types"),
        offers: filter("offers"),
        markets: filter("markets"),
        gpu_models: filter("gpu_models"),
        jurisdictions: section.names("jurisdictions"),
        certifications: section.names("certifications"),
        throughput: throughput
            .entries
            .iter()
            .filter_map(|entry| {
                let speed = throughput.number(&entry.name)?;
                Some((entry.name.clone(), libm::round(speed.min(4_000.0) * 1e6) as u32))
            })
            .collect(),
        spread: spread(section),
        together: together(section),
    }
}

fn together(section: &ConfigTable) -> Option<Together> {
    let named = section.text("together")?;
    Together::ALL.into_iter().find(|one| one.name() == named)
}

fn spread(section: &ConfigTable) -> Spread {
    match section.text("spread") {
        Some("instances") => Spread::Instances,
        Some("zones") => Spread::Zones,
        Some("even-zones") => Spread::EvenZones,
        _ => Spread::None,
    }
}

/// Reports names that the world does not have.
pub(super) fn check_names(
    what: &str,
    names: &[(String, Range<usize>)],
    world: &World,
    report: &mut Diagnostics<'_>,
) {
    let Some(naming) = Naming::of_key(what) else { return };
    for (name, range) in names {
        // Work may ask for a law or a certificate that is to be had elsewhere, and then
        // fits nowhere: that is counted. One that is not to be had at all is a mistake.
        let elsewhere = matches!(naming, Naming::Jurisdiction | Naming::Certification);
        // Nor is it told of what would be there, had the world no mistakes.
        let told_later = report.partial_world && (naming == Naming::Offer || naming.is_real(name));
        let known = naming.is_in(world, name) || elsewhere && naming.is_real(name) || told_later;
        if !known {
            let message = format!("nothing in `{what}` is called `{}`", clip(name));
            report.hint(range, message, naming.hint(world, name));
        }
    }
}

fn kind(section: &ConfigTable) -> WorkKind {
    match section.text("kind") {
        Some("vm") => WorkKind::VirtualMachine,
        _ => WorkKind::Job,
    }
}
