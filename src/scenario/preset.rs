//! Whole compositions that people run today, by name.

use crate::policy::spec::{
    AdmitSpec, BackfillSpec, Choice, DemandMix, GpuMachines, Narrow, OrderSpec, PlaceSpec,
    PolicySpec, PreemptSpec, ProvisionSpec, ReleaseSpec, Scalar,
};
use crate::units::Span;

/// A named composition.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Its name in scenarios.
    pub name: &'static str,
    /// One line for a reader.
    pub doc: &'static str,
    /// The parts that differ from [`DEFAULTS`], as a scenario writes them.
    differs: &'static [(&'static str, &'static str)],
}

/// The parts of a policy that names none, as a scenario writes them, in the order of
/// [`PARTS`](super::PARTS).
pub(super) const DEFAULTS: [(&str, &str); 7] = [
    ("preempt", "\"none\""),
    ("admit", "{}"),
    ("order", "\"fcfs\""),
    ("place", "\"first-fit\""),
    ("backfill", "\"none\""),
    ("provision", "\"owned-only\""),
    ("release", "\"idle\""),
];

impl Preset {
    /// Every part of it, as a scenario writes it.
    pub fn parts(&self) -> [(&'static str, &'static str); 7] {
        let differs = |part| self.differs.iter().find(|(known, _)| *known == part);
        DEFAULTS.map(|(part, default)| differs(part).copied().unwrap_or((part, default)))
    }
}

const EASY: (&str, &str) = ("backfill", "\"easy\"");
const GREEDY: (&str, &str) = ("backfill", "\"greedy\"");
const FULLEST: (&str, &str) = ("place", "{ best-fit = { by = \"mean\" } }");
const THRIFTY: (&str, &str) = (
    "place",
    "{ best-fit = { by = \"mean\", gpu_machines = \"gpu-work\", weigh_data = true, weigh_price = true } }",
);
const BRIEFLY: (&str, &str) = ("release", "{ idle = { after = \"5 min\" } }");

/// Every preset.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "batch-fcfs",
        doc: "First come first served; the head blocks the queue.",
        differs: &[],
    },
    Preset {
        name: "batch-backfill",
        doc: "First come first served with EASY backfilling, as batch systems ship it.",
        differs: &[EASY],
    },
    Preset {
        name: "batch-conservative",
        doc: "First come first served with conservative backfilling.",
        differs: &[("backfill", "\"conservative\"")],
    },
    Preset {
        name: "batch-shortest",
        doc: "Shortest estimate first with EASY backfilling.",
        differs: &[("order", "\"shortest\""), EASY],
    },
    Preset {
        name: "kube-default",
        doc: "Highest priority first, whatever fits goes, least loaded instance, lower priority yields.",
        differs: &[
            ("preempt", "\"priority\""),
            ("order", "\"priority\""),
            ("place", "\"least-loaded\""),
            GREEDY,
        ],
    },
    Preset {
        name: "vm-packing",
        doc: "Virtual machines as they come, each on the fullest instance that holds it.",
        differs: &[FULLEST, GREEDY],
    },
    Preset {
        name: "gpu-packing",
        doc: "Whatever fits goes; used GPUs before idle ones.",
        differs: &[("place", "\"gpu-packing\""), GREEDY],
    },
    Preset {
        name: "gpu-fgd",
        doc: "Whatever fits goes; least added fragmentation against the workload's own mix (foresight).",
        differs: &[("place", "{ fgd = { mix = \"workload\" } }"), GREEDY],
    },
    Preset {
        name: "cloud-cheapest",
        doc: "Rents the cheapest offer for what fits nowhere; gives back after 5 idle minutes.",
        differs: &[THRIFTY, GREEDY, ("provision", "\"cheapest\""), BRIEFLY],
    },
    Preset {
        name: "cloud-fastest",
        doc: "Rents the offer with the earliest expected end; gives back after 5 idle minutes.",
        differs: &[THRIFTY, GREEDY, ("provision", "\"fastest\""), BRIEFLY],
    },
    Preset {
        name: "cloud-burst",
        doc: "EASY backfilling on what is owned; the cheapest offer for a job that has waited 30 minutes.",
        differs: &[
            (
                "place",
                "{ first-fit = { gpu_machines = \"gpu-work\", weigh_data = true, weigh_price = true } }",
            ),
            EASY,
            ("provision", "{ cheapest = { after_wait = \"30 min\" } }"),
            BRIEFLY,
        ],
    },
];

/// The names of [`PRESETS`].
pub(super) const NAMES: &[&str] = &[
    "batch-fcfs",
    "batch-backfill",
    "batch-conservative",
    "batch-shortest",
    "kube-default",
    "vm-packing",
    "gpu-packing",
    "gpu-fgd",
    "cloud-cheapest",
    "cloud-fastest",
    "cloud-burst",
];

const IDLE: ReleaseSpec = ReleaseSpec::Idle { after: Span::from_secs(300) };

fn rent(choice: Choice, after_wait: Span) -> ProvisionSpec {
    ProvisionSpec::OnDemand { choice, markets: Vec::new(), after_wait, max_instances: None }
}

/// Machines with GPUs for work with GPUs, and data where it is cheap to move.
fn thrifty() -> Narrow {
    Narrow {
        gpu_machines: GpuMachines::GpuWork,
        weigh_data: true,
        weigh_price: true,
        ..Narrow::default()
    }
}

/// The composition called `preset`, as the policy called `name`.
pub(super) fn build(preset: &str, name: &str) -> Option<PolicySpec> {
    let base = PolicySpec { admit: AdmitSpec::default(), ..PolicySpec::named(name) };
    let cloud = |choice| PolicySpec {
        backfill: BackfillSpec::Greedy,
        place: PlaceSpec::BestFit { by: Scalar::Mean },
        narrow: thrifty(),
        provision: rent(choice, Span::ZERO),
        release: IDLE,
        ..PolicySpec::named(name)
    };
    Some(match preset {
        "batch-fcfs" => base,
        "batch-backfill" => PolicySpec { backfill: BackfillSpec::Easy, ..base },
        "batch-conservative" => PolicySpec { backfill: BackfillSpec::Conservative, ..base },
        "batch-shortest" => {
            PolicySpec { order: OrderSpec::Shortest, backfill: BackfillSpec::Easy, ..base }
        }
        "kube-default" => PolicySpec {
            order: OrderSpec::Priority,
            backfill: BackfillSpec::Greedy,
            place: PlaceSpec::LeastLoaded,
            preempt: PreemptSpec::Priority,
            ..base
        },
        "vm-packing" => PolicySpec {
            backfill: BackfillSpec::Greedy,
            place: PlaceSpec::BestFit { by: Scalar::Mean },
            ..base
        },
        "gpu-packing" => {
            PolicySpec { backfill: BackfillSpec::Greedy, place: PlaceSpec::GpuPacking, ..base }
        }
        "gpu-fgd" => PolicySpec {
            backfill: BackfillSpec::Greedy,
            place: PlaceSpec::Fgd {
                mix: DemandMix { source: "workload".to_owned(), ..DemandMix::default() },
            },
            ..base
        },
        "cloud-cheapest" => cloud(Choice::Cheapest),
        "cloud-fastest" => cloud(Choice::Fastest),
        "cloud-burst" => PolicySpec {
            backfill: BackfillSpec::Easy,
            narrow: thrifty(),
            provision: rent(Choice::Cheapest, Span::from_secs(1_800)),
            release: IDLE,
            ..base
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_listed_and_built() {
        assert_eq!(PRESETS.len(), NAMES.len());
        for (preset, name) in PRESETS.iter().zip(NAMES) {
            assert_eq!(preset.name, *name);
            assert_eq!(build(name, "mine").map(|spec| spec.name), Some("mine".to_owned()));
        }
    }

    /// The printed parts of a preset, written as a policy, are that policy.
    #[test]
    fn every_preset_is_made_of_the_parts_it_lists() {
        let world = "question = \"?\"\n[workload.synthetic]\ncount = 1\narrivals = { every = \"1 h\" }\n\
            class.a = { runtime = \"1 h\" }\n[cluster.c]\nnodes = 1\nshape = { vcpus = 1, memory = \"1 GiB\" }\n\
            [cloud.aws]\nregions = [\"us-east-1\"]\n";
        for preset in PRESETS {
            let parts = preset.parts().map(|(part, text)| format!("{part} = {text}\n")).concat();
            let text =
                format!("{world}[policy.a]\npreset = \"{}\"\n[policy.b]\n{parts}", preset.name);
            let read =
                crate::scenario::Scenario::parse(&text, "a.toml", std::path::Path::new(""), &[]);
            let policies = read.unwrap_or_else(|problems| panic!("{problems:?}")).policies;
            assert_eq!(PolicySpec { name: "a".to_owned(), ..policies[1].clone() }, policies[0]);
        }
    }
}
