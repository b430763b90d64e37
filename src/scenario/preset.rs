//! Whole compositions that people run today, by name.

use toml::de::DeTable;

use super::composition::override_parts;
use super::document::ScenarioText;
use super::section::{ConfigTable, Diagnostics};
use crate::model::World;
use crate::policy::spec::PolicySpec;

/// A named composition.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Its name in scenarios.
    pub name: &'static str,
    /// Description for readers, in one line.
    pub doc: &'static str,
    /// The parts that differ from [`DEFAULTS`], as a scenario writes them.
    differs: &'static [(&'static str, &'static str)],
}

/// The parts of a policy that names none, as a scenario writes them, in the order of
/// [`PARTS`](super::PARTS).
pub(super) const DEFAULTS: [(&str, &str); 11] = [
    ("preempt", "\"none\""),
    ("admit", "{}"),
    ("shift", "\"now\""),
    ("order", "\"fcfs\""),
    ("place", "\"first-fit\""),
    ("backfill", "\"none\""),
    ("provision", "\"owned-only\""),
    ("release", "\"idle\""),
    ("checkpoint", "\"never\""),
    ("recover", "\"anywhere\""),
    ("commit", "\"none\""),
];

impl Preset {
    /// Every part of it, as a scenario writes it.
    pub fn parts(&self) -> [(&'static str, &'static str); 11] {
        let differs = |part| self.differs.iter().find(|(known, _)| *known == part);
        DEFAULTS.map(|(part, default)| differs(part).copied().unwrap_or((part, default)))
    }

    /// The preset as the policy called `name`. Offers that it rents need not be there: they may be
    /// replaced.
    pub(super) fn build(&self, name: &str, world: &World) -> PolicySpec {
        let text = self.parts().map(|(part, text)| format!("{part} = {text}\n")).concat();
        let document = ScenarioText::new(&text, self.name);
        let mut report =
            Diagnostics { partial_world: true, ..Diagnostics::new(&document, Vec::new()) };
        let (table, _) = DeTable::parse_recoverable(&text);
        let paths = ("policy.*", "policy");
        let own = ConfigTable::read(table.get_ref(), paths, 0..text.len(), &mut report);
        let mut spec = PolicySpec::named(name);
        override_parts(&mut spec, &own, world, &mut report);
        assert!(report.problems.is_empty(), "{}: {:?}", self.name, report.problems);
        spec
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
pub(super) const NAMES: &[&str] = &{
    let mut names = [""; PRESETS.len()];
    let mut row = 0;
    while row < names.len() {
        names[row] = PRESETS[row].name;
        row += 1;
    }
    names
};

/// The preset called `name`.
pub(super) fn named(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OfferSpec;
    use crate::units::Shape;

    /// A policy without parts is the same in code and in a scenario.
    #[test]
    fn the_defaults_are_those_of_the_code() {
        let world = World::builder()
            .offer(OfferSpec::owned("dc", "node", Shape { cpu: 1_000, memory: 1, gpus: 0 }, 1))
            .build()
            .expect("the world is right");
        let plain = PRESETS[0].build("mine", &world);
        assert_eq!((PRESETS[0].name, PRESETS[0].differs), ("batch-fcfs", &[][..]));
        assert_eq!(plain, PolicySpec::named("mine"));
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
