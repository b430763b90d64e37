//! Reads `[policy.*]`: presets, inheritance and parts.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::part::external_keys;
use super::section::{ConfigTable, Diagnostics};
use super::value::Value;
use super::{external, preset, setting};
use crate::model::{Market, StepPath, World};
use crate::part::{Parameter, Part, PartSettings, PartSpec, Setting, SettingKind};
use crate::policy::place::{self, NARROW};
use crate::policy::spec::{Compatibility, External, Narrow, PolicyPart, PolicySpec};
use crate::policy::{
    admit, backfill, cap, checkpoint, order, preempt, provision, recover, release, shift,
};
use crate::problem::{clip, did_you_mean};
use crate::purchase;

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
        let Some(mut spec) = resolve(name, &section, &mut seen, &mut done, around, report) else {
            continue;
        };
        for (part, who) in &spec.external {
            policies.note(&spec.name, *part, who);
        }
        if spec.is_ours(PolicyPart::Shift) {
            let told = foreseen(&spec, world).map(|told| (policies.specs.len(), told));
            policies.assumptions.extend(told);
        }
        let shrinks = spec.is_ours(PolicyPart::Recover)
            && spec.recover.build().is_some_and(|rule| rule.shrink);
        let scales = spec.is_ours(PolicyPart::Shift) && spec.shift.is(&shift::CARBON_SCALER);
        if shrinks || scales {
            let told = format!(
                "Policy {} lets gangs that say `min_tasks` run with fewer tasks, which come on in proportion (linear speedup), or by Amdahl's law where work says its `parallel_fraction`.",
                clip(&spec.name)
            );
            policies.assumptions.push((policies.specs.len(), told));
        }
        if spec.place.settings.mixes().next().is_some() {
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
            | PolicyPart::Shift
            | PolicyPart::Order
            | PolicyPart::Place
            | PolicyPart::Backfill
            | PolicyPart::Provision
            | PolicyPart::Release
            | PolicyPart::Recover
            | PolicyPart::Cap
            | PolicyPart::Commit
            | PolicyPart::Checkpoint => format!("the {} part of ", part.name()),
        };
        let command = clip(&who.command.join(" "));
        let told =
            format!("{what}policy `{}` is decided by another program: `{command}`", clip(policy));
        self.assumptions.push((self.specs.len(), told));
    }
}

/// What the shift part of a policy is taken to know beforehand, if it holds anything.
fn foreseen(spec: &PolicySpec, world: &World) -> Option<String> {
    let (what, moves) = if spec.shift.is(&shift::WAIT_AWHILE)
        || spec.shift.is(&shift::CARBON_SCALER)
    {
        let mut grids = world.regions.rows().iter().filter_map(|region| region.carbon.as_ref());
        ("the carbon intensity", grids.any(StepPath::moves))
    } else if spec.shift.is(&shift::PRICE_AWARE) {
        let mut rented = world.offers.rows().iter().filter(|offer| offer.market != Market::Owned);
        ("the price", rented.any(|offer| !offer.price.changes.is_empty()))
    } else {
        return None;
    };
    let name = clip(&spec.name);
    if !moves {
        return Some(format!("Policy {name} holds nothing, for {what} never changes."));
    }
    let is_perfect = spec.shift.settings.word("forecast") == "perfect";
    is_perfect.then(|| format!("Policy {name} knows {what} of later hours beforehand (foresight)."))
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
        (None, Some(preset)) => preset::named(preset).map(|preset| preset.build(name, around.0)),
        (None, None) => None,
    };
    let mut spec = base.unwrap_or_else(|| PolicySpec::named(name));
    spec.name = name.to_owned();
    override_parts(&mut spec, own, around.0, report);
    external::read(&mut spec, own, around.1, report);
    let placed = [PolicyPart::Place, PolicyPart::Backfill, PolicyPart::Provision];
    if own.has("recover")
        && !spec.recover.is(&recover::ANYWHERE)
        && placed.iter().any(|part| spec.external.contains_key(part))
    {
        let message = "the program that places or rents is not told where work is tried again";
        report.hint(&own.spot("recover"), message, "use `anywhere`, or parts of windtunnel");
    }
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
        Value::Table(section) if !external_keys(part).is_empty() && section.has("external") => None,
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

/// Puts the parts that `own` names in place of those of `spec`.
pub(super) fn override_parts(
    spec: &mut PolicySpec,
    own: &ConfigTable,
    world: &World,
    report: &mut Diagnostics<'_>,
) {
    let mut named = NamedParts { own, world, report };
    if let Some((preempt, _)) = named.part("preempt", preempt::PARTS) {
        spec.preempt = preempt;
    }
    if own.has("admit") {
        let settings = named.settings("admit", admit::LIMITS.parameters, &own.section("admit"));
        spec.admit = admit::LIMITS.with(settings).build();
    }
    if let Some((shift, _)) = named.part("shift", shift::PARTS) {
        spec.shift = shift;
    }
    if let Some((order, _)) = named.part("order", order::PARTS) {
        spec.order = order;
    }
    if let Some((place, table)) = named.part("place", place::PARTS) {
        spec.place = place;
        spec.narrow = Narrow::new(&named.settings("place", NARROW, &table));
    }
    if let Some((backfill, _)) = named.part("backfill", backfill::PARTS) {
        spec.backfill = backfill;
    }
    if let Some((provision, _)) = named.part("provision", provision::PARTS) {
        spec.provision = provision;
    }
    if let Some((cap, _)) = named.part("cap", cap::PARTS) {
        spec.cap = cap;
    }
    if let Some((release, _)) = named.part("release", release::PARTS) {
        spec.release = release;
    }
    if let Some((checkpoint, _)) = named.part("checkpoint", checkpoint::PARTS) {
        spec.checkpoint = checkpoint;
    }
    if let Some((recover, _)) = named.part("recover", recover::PARTS) {
        spec.recover = recover;
    }
    if let Some((commit, _)) = named.part("commit", purchase::PARTS) {
        spec.commit = commit;
    }
    if let Some(name) = own.text("compatibility") {
        spec.compatibility = match name {
            "rlscheduler" => Some(Compatibility::RlScheduler { backfill: false }),
            "rlscheduler-backfill" => Some(Compatibility::RlScheduler { backfill: true }),
            _ => None,
        };
    }
}

/// The table of a policy, which names parts.
struct NamedParts<'p, 'd> {
    own: &'p ConfigTable,
    world: &'p World,
    report: &'p mut Diagnostics<'d>,
}

impl NamedParts<'_, '_> {
    /// The one of `parts` that answers `question`, and the table with its parameters; `None` if the
    /// policy names none.
    fn part<T>(
        &mut self,
        question: &'static str,
        parts: &[&'static Part<T>],
    ) -> Option<(PartSpec<T>, ConfigTable)> {
        let (name, table) = chosen(self.own, question, self.report)?;
        let part = parts.iter().find(|part| part.name == name);
        let part = part.expect("the table of keys names no other part");
        let settings = self.settings(question, part.parameters, &table);
        for parameter in part.parameters {
            self.complete(question, parameter, &settings, &table);
        }
        Some((part.with(settings), table))
    }

    /// The values of `parameters` in `table`, with the defaults of those that are not there.
    fn settings(
        &mut self,
        question: &str,
        parameters: &'static [Parameter],
        table: &ConfigTable,
    ) -> PartSettings {
        let mut settings = PartSettings::new(parameters);
        for parameter in parameters {
            let world = Some(self.world);
            if let Some(value) = setting::read(parameter, table, world, self.report) {
                debug_assert!(parameter.kind.admits(&value), "{question}: {parameter:?} {value:?}");
                settings.set(parameter.name, value);
            }
        }
        settings
    }

    /// Notes a parameter that must be there and is not, and markets on which nothing is sold.
    fn complete(
        &mut self,
        question: &str,
        parameter: &Parameter,
        settings: &PartSettings,
        table: &ConfigTable,
    ) {
        let (name, spot) = (parameter.name, self.own.spot(question));
        if parameter.default == Setting::Unset("required") && !table.has(name) {
            let part = chosen(self.own, question, self.report).map(|(part, _)| part);
            let message = format!("`{}` needs `{name}`", part.unwrap_or_default());
            let hint = "such as `fleets = { \"aws/us-east-1a/m5.xlarge/on-demand\" = 4 }`";
            self.report.hint(&spot, message, hint);
        }
        if parameter.kind != SettingKind::Markets || self.report.partial_world {
            return;
        }
        let (markets, offers) = (settings.markets(name), self.world.offers.rows());
        if !offers.iter().any(|offer| markets.contains(&offer.market)) {
            let wanted: Vec<&str> = markets.iter().map(|market| market.name()).collect();
            let message = format!("there is nothing to rent in the market {}", wanted.join(" or "));
            let hint = match offers.iter().any(|offer| offer.market != Market::Owned) {
                true => "add that market to `markets` of a `[cloud.*]` whose prices have it",
                false => "add a `[cloud.*]` with that market, or `provision = \"owned-only\"`",
            };
            self.report.hint(&spot, message, hint);
        }
    }
}
