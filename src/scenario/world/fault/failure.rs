//! Machines that fail by themselves: `[[failure]]`.

use std::collections::BTreeMap;

use super::{Build, has_mean, listed, name_of, offers_of};
use crate::model::{Fault, FaultDomain, FaultEffect, FaultTimes, Lemons, Offer};
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::{Distribution, Id, Span};

/// Words of `devices`.
pub(in crate::scenario) const DEVICES: &[&str] = &["one", "all"];
/// Words of `like`.
pub(in crate::scenario) const LIKE: &[&str] = &["gpu-good", "gpu-typical", "gpu-poor"];

/// Failures of a machine with eight GPUs of the H100 generation in a thousand days, good, typical
/// and poor: what was measured lies from 2.3 (Meta's RSC-2; 3.8 of Llama 3) over 6.5 (RSC-1) to 16
/// (OPT-175B).
const PER_1000_NODE_DAYS: [f64; 3] = [4.0, 6.5, 16.0];

/// Causes of these, each with its share, after what Llama 3 reports, and with the time until the
/// machine works again: a new one in one to four hours, or a restart of 3.7 min in the median and 38.9 in
/// the mean.
const CAUSES: [(&str, f64, Repair); 4] = [
    ("gpu", 0.60, Repair::Swap),
    ("host", 0.15, Repair::Swap),
    ("network", 0.10, Repair::Swap),
    ("software", 0.15, Repair::Restart),
];

/// Repair of a shipped cause.
#[derive(Clone, Copy, Debug)]
enum Repair {
    Swap,
    Restart,
}

impl Repair {
    fn law(self) -> Distribution {
        let law = match self {
            Self::Swap => Distribution::uniform(3_600.0, 4.0 * 3_600.0),
            Self::Restart => Distribution::lognormal_median_sigma(3.7 * 60.0, 2.17),
        };
        law.expect("the numbers are right")
    }
}

const DAY: f64 = 86_400.0;
/// Shortest mean life: failures that come faster are no weather.
const SHORTEST_MEAN: f64 = 60.0;
/// What a row may name.
pub(super) const KEYS: &[&str] = &["provider", "region", "zone", "family", "type", "market"];
const LAWS: [&str; 5] = ["like", "mtbf", "mtbf_per_gpu", "life", "trace"];

/// A cause of a row: its name, the offers that it strikes, and its laws.
struct Cause {
    name: String,
    offers: Vec<Id<Offer>>,
    life: Distribution,
    /// Repair that holds where the row gives none.
    repair: Distribution,
    /// Whether it is of GPUs, so that `devices` says what it takes.
    of_gpus: bool,
}

/// Reads one row.
pub(super) fn read(
    build: &mut Build<'_>,
    section: &ConfigTable,
    row: usize,
    report: &mut Diagnostics<'_>,
) {
    let given: Vec<&str> = LAWS.into_iter().filter(|law| section.has(law)).collect();
    let law = match given.as_slice() {
        [law] => *law,
        [] => {
            let hint = "give `mtbf`, `mtbf_per_gpu`, `life`, `like` or `trace`";
            return report.hint(&section.range, "`failure` says not when things fail", hint);
        }
        [first, second, ..] => {
            let message = format!("a failure has either `{first}` or `{second}`, not both");
            return report.at(&section.spot(second), message);
        }
    };
    if section.has("lemon_rate") && !section.has("lemons") {
        report.at(&section.spot("lemon_rate"), "`lemon_rate` needs `lemons`, their share");
    }
    if section.has("crews") && !section.has("repair") && law != "like" {
        report
            .at(&section.spot("crews"), "`crews` need a `repair`, which takes no time without it");
    }
    if section.has("speed") && !section.has("repair") && !["like", "trace"].contains(&law) {
        report.at(&section.spot("speed"), "`speed` needs a `repair`: how long machines are slow");
    }
    if !devices_fit(section, report) || !has_mean(section, "repair", report) {
        return;
    }
    let name = name_of(section, "failure", row);
    if law == "trace" {
        return listed::read(build, section, name, report);
    }
    for cause in causes(build, (section, law, name), report) {
        build.world.faults.push(cause.fault(section));
    }
}

/// Whether a row says nothing beside `devices` that is not of devices, which is a problem.
fn devices_fit(section: &ConfigTable, report: &mut Diagnostics<'_>) -> bool {
    let Some(devices) = section.text("devices") else { return true };
    let one = devices == "one";
    let wrong = [
        ("speed", true, "a machine whose GPUs break is no slower", "leave `devices` out"),
        (
            "machines",
            one,
            "one GPU is of one machine",
            "leave `machines` out, or say `devices = \"all\"`",
        ),
        ("mtbf", one, "`mtbf` is of whole machines", "give `mtbf_per_gpu`"),
        ("trace", one, "a trace names machines, not their GPUs", "say `devices = \"all\"`"),
    ];
    let wrong = wrong.into_iter().filter(|&(key, is_wrong, ..)| is_wrong && section.has(key));
    let before = report.problems.len();
    for (key, _, message, hint) in wrong {
        report.hint(&section.spot(key), message, hint);
    }
    report.problems.len() == before
}

/// The causes of a row. A life that is too short is a problem.
fn causes(
    build: &mut Build<'_>,
    (section, law, name): (&ConfigTable, &str, String),
    report: &mut Diagnostics<'_>,
) -> Vec<Cause> {
    let mut offers = offers_of(&build.world, section, KEYS, report);
    if section.has("devices") {
        offers = by_gpus(build, offers, section, report).into_values().flatten().collect();
        offers.sort_unstable();
    }
    let one = section.text("devices") == Some("one");
    let of_gpus = true;
    let mean = section.span(law).map(Span::secs_f64);
    let at_once = Distribution::Constant(0.0);
    let causes = match (law, mean, section.distribution(law), section.text(law)) {
        ("mtbf", Some(mean), ..) => {
            vec![Cause { name, offers, life: exponential(mean), repair: at_once, of_gpus }]
        }
        ("mtbf_per_gpu", Some(mean), ..) if one => {
            vec![Cause { name, offers, life: exponential(mean), repair: at_once, of_gpus }]
        }
        ("mtbf_per_gpu", Some(mean), ..) => by_gpus(build, offers, section, report)
            .into_iter()
            .map(|(gpus, offers)| Cause {
                name: name.clone(),
                offers,
                life: exponential(mean / f64::from(gpus)),
                repair: at_once.clone(),
                of_gpus,
            })
            .collect(),
        ("life", _, Some(life), _) => {
            vec![Cause { name, offers, life: life.clone(), repair: at_once, of_gpus }]
        }
        ("like", .., Some(like)) => shipped(build, (section, like, &name), offers, report),
        // The value is wrong, which has been said.
        _ => Vec::new(),
    };
    if causes.iter().any(|one| one.life.mean().is_some_and(|mean| mean < SHORTEST_MEAN)) {
        report.at(&section.spot(law), "a mean life is at least a minute");
    }
    causes
}

/// The shipped causes of GPU machines.
fn shipped(
    build: &mut Build<'_>,
    (section, like, name): (&ConfigTable, &str, &str),
    offers: Vec<Id<Offer>>,
    report: &mut Diagnostics<'_>,
) -> Vec<Cause> {
    let at = LIKE.iter().position(|known| *known == like).expect("a known word");
    let per_day = PER_1000_NODE_DAYS[at] / 1_000.0;
    let mut causes = Vec::new();
    for (gpus, offers) in by_gpus(build, offers, section, report) {
        for (cause, share, repair) in CAUSES {
            let of_gpus = cause == "gpu";
            // A part of its own is each GPU, or the machine with all that it has.
            let one = of_gpus && section.text("devices") == Some("one");
            let gpus = if one { 1.0 } else { f64::from(gpus) };
            causes.push(Cause {
                name: format!("{name}: {cause}"),
                offers: offers.clone(),
                life: exponential(DAY / (per_day * share * gpus / 8.0)),
                repair: repair.law(),
                of_gpus,
            });
        }
    }
    let told = format!(
        "Machines with GPUs fail {} times in 1,000 days with eight of them, by rates that were \
         published for others (`like = \"{like}\"`).",
        PER_1000_NODE_DAYS[at]
    );
    build.assumptions.push(told.into());
    causes
}

/// What failing machines lose: all, their GPUs or a part of their speed.
pub(super) fn effect(section: &ConfigTable, of_gpus: bool) -> FaultEffect {
    match section.integer("speed") {
        _ if of_gpus && section.has("devices") => FaultEffect::Devices,
        Some(speed) => FaultEffect::Speed(speed as u32),
        None => FaultEffect::Machines,
    }
}

/// Lives of that mean, in seconds, that end at random.
fn exponential(mean: f64) -> Distribution {
    Distribution::exponential(mean.max(1e-6)).expect("a mean above nothing")
}

impl Cause {
    /// The fault of the world, with what the row says of all its causes.
    fn fault(self, section: &ConfigTable) -> Fault {
        let Self { name, offers, life, repair, of_gpus } = self;
        let lemons = Lemons {
            share: u32::try_from(section.integer("lemons").unwrap_or(0)).unwrap_or(0),
            times: section.number("lemon_rate").unwrap_or(10.0),
        };
        let repair = section.distribution("repair").cloned().unwrap_or(repair);
        let machines = FaultDomain::Machines(section.count32("machines").unwrap_or(1));
        let one = of_gpus && section.text("devices") == Some("one");
        let domain = if one { FaultDomain::Device } else { machines };
        let lemons = Some(lemons).filter(|lemons| lemons.share > 0);
        Fault {
            name,
            offers,
            domain,
            effect: effect(section, of_gpus),
            times: FaultTimes::Drawn { life, repair, lemons },
            loses_data_of: Vec::new(),
            surge: None,
            crews: section.count32("crews"),
        }
    }
}

/// Offers by the number of their GPUs; such without any cannot be meant. Of no offers a problem was told
/// already.
pub(super) fn by_gpus(
    build: &Build<'_>,
    offers: Vec<Id<Offer>>,
    section: &ConfigTable,
    report: &mut Diagnostics<'_>,
) -> BTreeMap<u8, Vec<Id<Offer>>> {
    let names_some = !offers.is_empty();
    let mut by_gpus: BTreeMap<u8, Vec<Id<Offer>>> = BTreeMap::new();
    for offer in offers {
        let gpus = build.world.type_of(offer).whole.gpus;
        if gpus > 0 {
            by_gpus.entry(gpus).or_default().push(offer);
        }
    }
    if by_gpus.is_empty() && names_some && !report.partial_world {
        report.hint(
            &section.range,
            "no machine that this names has a GPU",
            "give `mtbf`, of whole machines",
        );
    }
    by_gpus
}
