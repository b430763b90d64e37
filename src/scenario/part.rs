//! The parts that policies are composed of, with their parameters: what
//! `windtunnel policies` shows and what a scenario may name.

use super::key::ValueKind;

/// A part that answers one of a policy's questions.
#[derive(Clone, Copy, Debug)]
pub struct PartOption {
    /// The question: `order`, `place`, ...
    pub part: &'static str,
    /// Its name in scenarios.
    pub name: &'static str,
    /// One line for a reader.
    pub doc: &'static str,
    /// Parameters that can be set.
    pub parameters: &'static [Parameter],
}

/// A parameter of a part.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Key of the parameter.
    pub name: &'static str,
    /// Kind that its value must have: type, unit and range.
    pub kind: ValueKind,
    /// Default that holds without it.
    pub default: &'static str,
    /// One line for a reader.
    pub doc: &'static str,
}

/// The parts of a policy in the order in which they are asked, with their questions.
pub const PARTS: &[(&str, &str)] = &[
    ("preempt", "Who must yield?"),
    ("admit", "Who is let in?"),
    ("order", "Who is next?"),
    ("place", "On which instance?"),
    ("backfill", "Who may overtake?"),
    ("provision", "Rent what, and where?"),
    ("release", "When to give back?"),
];

/// A program that decides a part, and its limits.
pub(super) const EXTERNAL: [Parameter; 3] = [
    Parameter {
        name: "external",
        kind: ValueKind::Texts,
        default: "",
        doc: "A program that decides this part, and its arguments (see policy.md).",
    },
    Parameter {
        name: "deadline",
        kind: ValueKind::Span,
        default: "10 s",
        doc: "Longest time for one answer of the program.",
    },
    Parameter {
        name: "max_answer",
        kind: ValueKind::Size,
        default: "16 MiB",
        doc: "Most bytes of one answer of the program.",
    },
];

/// Markets that can be rented.
pub(super) const MARKETS: &[&str] = &["on-demand", "spot"];

const fn plain(part: &'static str, name: &'static str, doc: &'static str) -> PartOption {
    PartOption { part, name, doc, parameters: &[] }
}

const PROVIDERS: Parameter = Parameter {
    name: "providers",
    kind: ValueKind::Texts,
    default: "any",
    doc: "Only these providers and clusters.",
};
const REGIONS: Parameter = Parameter {
    name: "regions",
    kind: ValueKind::Texts,
    default: "any",
    doc: "Only these regions, as `provider/region`.",
};
const TYPES: Parameter = Parameter {
    name: "types",
    kind: ValueKind::Texts,
    default: "any",
    doc: "Only these instance types.",
};
const FAMILIES: Parameter = Parameter {
    name: "families",
    kind: ValueKind::Texts,
    default: "any",
    doc: "Only these families of instance types.",
};
const GPU_MACHINES: Parameter = Parameter {
    name: "gpu_machines",
    kind: ValueKind::Choice(&["any", "gpu-work"]),
    default: "any",
    doc: "Who may use machines with GPUs: `gpu-work` keeps them for work with GPUs; other work uses \
          owned ones where no other machine has room, and joins nobody on rented ones.",
};
const WEIGH_DATA: Parameter = Parameter {
    name: "weigh_data",
    kind: ValueKind::Flag,
    default: "false",
    doc: "Goes where moving the data of the work costs least, and nowhere where that costs more than \
          renting anew.",
};
const WEIGH_PRICE: Parameter = Parameter {
    name: "weigh_price",
    kind: ValueKind::Flag,
    default: "false",
    doc: "Goes where no rented machine is kept longer for the work, else where keeping one costs least, \
          and nowhere where that costs more than renting anew.",
};

/// Parameters that every place part takes.
const NARROW: &[Parameter] =
    &[PROVIDERS, REGIONS, TYPES, FAMILIES, GPU_MACHINES, WEIGH_DATA, WEIGH_PRICE];
const NARROW_BY: &[Parameter] =
    &[BY, PROVIDERS, REGIONS, TYPES, FAMILIES, GPU_MACHINES, WEIGH_DATA, WEIGH_PRICE];

const fn place(name: &'static str, doc: &'static str) -> PartOption {
    PartOption { part: "place", name, doc, parameters: NARROW }
}

const BY: Parameter = Parameter {
    name: "by",
    kind: ValueKind::Choice(&["mean", "cpu", "memory", "gpu"]),
    default: "mean",
    doc: "The resource to compare; `mean` is the mean free fraction over the instance's resources.",
};

const RENT: &[Parameter] = &[
    Parameter {
        name: "after_wait",
        kind: ValueKind::Span,
        default: "0 s",
        doc: "Rent only for a job that has waited this long (overflow) since it was submitted or last preempted. An array counts from when the first of its waiting tasks began to wait: tasks preempted later do not wait anew.",
    },
    Parameter {
        name: "markets",
        kind: ValueKind::Choices(MARKETS),
        default: "on-demand",
        doc: "Markets to rent from.",
    },
    Parameter {
        name: "max_instances",
        kind: ValueKind::Count(1, u32::MAX as u64),
        default: "unlimited",
        doc: "Most rented instances at once.",
    },
    PROVIDERS,
    REGIONS,
    TYPES,
    FAMILIES,
];

/// The registry: every part that a scenario may name.
pub const OPTIONS: &[PartOption] = &[
    plain("preempt", "none", "Nobody yields."),
    plain("preempt", "priority", "Running work of lower priority yields, lowest and latest first."),
    plain("preempt", "srpt", "Running work with more estimated work left yields."),
    PartOption {
        part: "admit",
        name: "limits",
        doc: "Refuses what is beyond its limits; written `admit = { queue_limit = 100 }`.",
        parameters: &[
            Parameter {
                name: "queue_limit",
                kind: ValueKind::Count(0, u32::MAX as u64),
                default: "none",
                doc: "Most jobs waiting; an arrival beyond is refused.",
            },
            Parameter {
                name: "patience",
                kind: ValueKind::Span,
                default: "none",
                doc: "Longest wait; a job still waiting then is refused.",
            },
        ],
    },
    plain("order", "fcfs", "First come, first served."),
    plain("order", "shortest", "Shortest estimate first (SJF)."),
    plain("order", "smallest", "Fewest processors first."),
    plain("order", "largest", "Most processors first."),
    plain("order", "earliest-deadline", "Earliest deadline first."),
    plain("order", "priority", "Highest priority first."),
    plain("order", "wfp3", "Largest (wait / estimate)^3 x processors first (Tang et al., 2009)."),
    plain(
        "order",
        "unicep",
        "Largest wait / (log2(processors) x estimate) first (Tang et al., 2009).",
    ),
    plain(
        "order",
        "f1",
        "Smallest log10(estimate) x processors + 870 log10(submit) first (Carastan-Santos and de \
         Camargo, 2017).",
    ),
    place("first-fit", "The oldest that fits."),
    place("next-fit", "The next that fits after the last one used."),
    PartOption {
        part: "place",
        name: "best-fit",
        doc: "The one with the least left.",
        parameters: NARROW_BY,
    },
    PartOption {
        part: "place",
        name: "worst-fit",
        doc: "The one with the most left.",
        parameters: NARROW_BY,
    },
    place("random", "Any that fits, with equal probability."),
    place(
        "dot-product",
        "The largest dot product of demand and free resources (Grandl et al., 2014).",
    ),
    place(
        "least-dot-product",
        "The smallest dot product of CPU and GPU, relative to the largest machine: `DotProd` of \
         Weng et al. (2023).",
    ),
    place(
        "least-remainder",
        "The least left of CPU and GPU, relative to the largest machine: `BestFit` of Weng et al. \
         (2023).",
    ),
    place("least-loaded", "The smallest allocated share, the mean over its resources."),
    PartOption {
        part: "place",
        name: "fgd",
        doc: "The least added fragmentation of GPUs against a typical mix of demands (Weng et al., \
              2023).",
        parameters: &[
            Parameter {
                name: "mix",
                kind: ValueKind::File,
                default: "workload",
                doc: "The typical mix: `workload` counts the workload itself (foresight), or an openb \
                      pod list to count.",
            },
            PROVIDERS,
            REGIONS,
            TYPES,
            FAMILIES,
            GPU_MACHINES,
            WEIGH_DATA,
        ],
    },
    place("gpu-packing", "Used GPUs before idle GPUs before idle machines (Weng et al., 2023)."),
    place(
        "gpu-clustering",
        "Where work with the same kind of GPU demand already runs (Xiao et al., 2018).",
    ),
    plain("backfill", "none", "Nobody overtakes: the head blocks the queue."),
    plain(
        "backfill",
        "greedy",
        "Anybody that fits, or can be rented for; the head has no reservation (as Kubernetes does).",
    ),
    plain("backfill", "easy", "Whoever does not delay the head's reservation (Lifka, 1995)."),
    PartOption {
        part: "backfill",
        name: "conservative",
        doc: "Whoever delays no reservation; every waiting job holds one.",
        parameters: &[Parameter {
            name: "reservations",
            kind: ValueKind::Count(1, u32::MAX as u64),
            default: "1000",
            doc: "Most jobs that hold one where instances differ or can be rented; the others start only \
                  where they delay none. Where all work is alike everybody holds one.",
        }],
    },
    plain("provision", "owned-only", "Rents nothing."),
    PartOption {
        part: "provision",
        name: "static",
        doc: "Rents these when the run starts and keeps them.",
        parameters: &[Parameter {
            name: "fleets",
            kind: ValueKind::Table,
            default: "required",
            doc: "Numbers of instances by offer.",
        }],
    },
    PartOption {
        part: "provision",
        name: "cheapest",
        doc: "Rents the lowest expected cost of the job: instances, boot and data. Work without an estimate is priced as one hour.",
        parameters: RENT,
    },
    PartOption {
        part: "provision",
        name: "fastest",
        doc: "Rents the earliest expected end: boot, data and runtime.",
        parameters: RENT,
    },
    PartOption {
        part: "provision",
        name: "round-robin",
        doc: "Rents from the next provider in turn, cheapest within it.",
        parameters: RENT,
    },
    plain("release", "never", "Rented instances are kept to the end of the run."),
    PartOption {
        part: "release",
        name: "idle",
        doc: "A rented instance is given back when it has been idle for a time.",
        parameters: &[Parameter {
            name: "after",
            kind: ValueKind::Span,
            default: "0 s",
            doc: "How long it must have been idle.",
        }],
    },
];

/// The options of one part.
pub fn options(part: &str) -> impl Iterator<Item = &'static PartOption> {
    OPTIONS.iter().filter(move |option| option.part == part)
}
