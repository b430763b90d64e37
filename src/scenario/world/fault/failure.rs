//! Machines that fail by themselves: `[[failure]]`.

use std::collections::BTreeMap;

use super::{Build, name_of, offers_of};
use crate::model::{Fault, FaultDomain, FaultEffect, FaultTimes, Lemons, Offer};
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::{Distribution, Id};

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
const KEYS: &[&str] = &["provider", "region", "zone", "family", "type", "market"];
const LAWS: [&str; 4] = ["like", "mtbf", "mtbf_per_gpu", "life"];

/// Reads one row.
pub(super) fn read(
    build: &mut Build<'_>,
    section: &ConfigTable,
    row: usize,
    report: &mut Diagnostics<'_>,
) {
    let given: Vec<&str> = LAWS.into_iter().filter(|law| section.has(law)).collect();
    match given.as_slice() {
        [_] => {}
        [] => {
            let hint = "give `mtbf`, `mtbf_per_gpu`, `life` or `like`";
            return report.hint(&section.range, "`failure` says not when things fail", hint);
        }
        [first, second, ..] => {
            let message = format!("a failure has either `{first}` or `{second}`, not both");
            return report.at(&section.spot(second), message);
        }
    }
    let offers = offers_of(&build.world, section, KEYS, report);
    let name = name_of(section, "failure", row);
    let add = |build: &mut Build<'_>, name: String, offers, life, repair: Option<Distribution>| {
        let lemons = section.integer("lemons").unwrap_or(0);
        let lemons = Lemons {
            share: u32::try_from(lemons).unwrap_or(0),
            times: section.number("lemon_rate").unwrap_or(10.0),
        };
        let machines = section.count32("machines").unwrap_or(1);
        build.world.faults.push(Fault {
            name,
            offers,
            domain: FaultDomain::Machines(machines),
            effect: FaultEffect::Machines,
            times: FaultTimes::Drawn {
                life,
                repair: repair.unwrap_or(Distribution::Constant(0.0)),
                lemons: Some(lemons).filter(|lemons| lemons.share > 0),
            },
            loses_data_of: Vec::new(),
            crews: section.count32("crews"),
        });
    };
    let own_repair = section.distribution("repair").cloned();
    let mut too_short = false;
    let mut exponential = |mean: f64| {
        too_short |= mean < SHORTEST_MEAN;
        Distribution::exponential(mean.max(SHORTEST_MEAN)).expect("a mean above nothing")
    };
    if let Some(mean) = section.span("mtbf") {
        add(build, name, offers, exponential(mean.secs_f64()), own_repair);
    } else if let Some(mean) = section.span("mtbf_per_gpu") {
        for (gpus, offers) in by_gpus(build, offers, section, report) {
            let life = exponential(mean.secs_f64() / f64::from(gpus));
            add(build, name.clone(), offers, life, own_repair.clone());
        }
    } else if let Some(life) = section.distribution("life") {
        too_short = life.mean().is_some_and(|mean| mean < SHORTEST_MEAN);
        add(build, name, offers, life.clone(), own_repair);
    } else if let Some(like) = section.text("like") {
        let at = LIKE.iter().position(|known| *known == like).expect("a known word");
        for (gpus, offers) in by_gpus(build, offers, section, report) {
            for (cause, share, repair) in CAUSES {
                let rate = PER_1000_NODE_DAYS[at] / 1_000.0 * share * f64::from(gpus) / 8.0;
                let repair = own_repair.clone().unwrap_or_else(|| repair.law());
                let life = exponential(DAY / rate);
                add(build, format!("{name}: {cause}"), offers.clone(), life, Some(repair));
            }
        }
        let told = format!(
            "Machines with GPUs fail {} times in 1,000 days with eight of them, by rates that were \
             published for others (`like = \"{like}\"`).",
            PER_1000_NODE_DAYS[at]
        );
        build.assumptions.push(told.into());
    }
    if too_short {
        report.at(&section.spot(given[0]), "a mean life is at least a minute");
    }
}

/// Offers by the number of their GPUs; one without any cannot be meant.
fn by_gpus(
    build: &Build<'_>,
    offers: Vec<Id<Offer>>,
    section: &ConfigTable,
    report: &mut Diagnostics<'_>,
) -> BTreeMap<u8, Vec<Id<Offer>>> {
    let mut by_gpus: BTreeMap<u8, Vec<Id<Offer>>> = BTreeMap::new();
    for offer in offers {
        let gpus = build.world.type_of(offer).whole.gpus;
        if gpus > 0 {
            by_gpus.entry(gpus).or_default().push(offer);
        }
    }
    if by_gpus.is_empty() && !report.partial_world {
        report.hint(
            &section.range,
            "no machine that this names has a GPU",
            "give `mtbf`, of whole machines",
        );
    }
    by_gpus
}
