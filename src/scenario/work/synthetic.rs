//! A workload drawn from distributions.

use std::ops::Range;

use super::{Around, check_names, checkpoint, home, kind, priority, spread, together};
use crate::model::{Filter, Rules, Speedup};
use crate::problem::clip;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::{Distribution, MAX_GPUS, WHOLE_GPU};
use crate::workload::{Arrivals, MAX_NAME, MmppState, SynthClass, SynthSpec, Until};

/// Reads `[workload.synthetic]`; `None` where it lacks a part.
pub(super) fn read(
    own: &ConfigTable,
    around: Around<'_>,
    report: &mut Diagnostics<'_>,
) -> Option<SynthSpec> {
    own.require("arrivals", report);
    own.require("class", report);
    let until = match (own.count("count"), own.span("span")) {
        (Some(_), Some(_)) => {
            report.at(&own.spot("span"), "arrivals end by either `count` or `span`, not both");
            None
        }
        (Some(count), None) => Some(Until::Count(count)),
        (None, Some(span)) => Some(Until::Span(span)),
        (None, None) => {
            if !own.has("count") && !own.has("span") {
                let hint = "give `count = 1000`, or `span = \"7 d\"`";
                report.hint(&own.range, "it is not said when arrivals end", hint);
            }
            None
        }
    };
    let arrivals = own.has("arrivals").then(|| arrivals(&own.section("arrivals"), report));
    if let Some(Some(arrivals)) = &arrivals {
        let section = own.section("arrivals");
        let way = ["per_hour", "every", "gap", "states"].into_iter().find(|way| section.has(way));
        for message in arrivals.problems() {
            report.at(&section.spot(way.unwrap_or("per_hour")), message);
        }
    }
    let classes: Vec<SynthClass> = own
        .section("class")
        .sections()
        .map(|(name, section, key)| class(name, section, key, around, report))
        .collect();
    if own.has("class") && classes.is_empty() {
        report.at(&own.spot("class"), "there is no class of work");
        return None;
    }
    let batch = own.distribution("batch").cloned();
    Some(SynthSpec { arrivals: arrivals??, batch, until: until?, classes })
}

fn arrivals(own: &ConfigTable, report: &mut Diagnostics<'_>) -> Option<Arrivals> {
    let ways = ["per_hour", "every", "gap", "states"];
    let given: Vec<&str> = ways.into_iter().filter(|way| own.has(way)).collect();
    let [way] = given.as_slice() else {
        let message = match given.as_slice() {
            [] => "it is not said when work arrives".to_owned(),
            [first, second, ..] => {
                format!("arrivals have either `{first}` or `{second}`, not both")
            }
            [_] => return None,
        };
        report.hint(&own.range, message, "give one of `per_hour`, `every`, `gap`, `states`");
        return None;
    };
    if own.has("profile") && *way != "per_hour" {
        report
            .at(&own.spot("profile"), format!("`profile` goes with `per_hour`, not with `{way}`"));
    }
    match *way {
        "every" => own.span("every").map(Arrivals::Every),
        "gap" => own.distribution("gap").cloned().map(Arrivals::Renewal),
        "states" => {
            let mut states = Vec::new();
            for state in own.list("states") {
                state.require("per_hour", report);
                state.require("dwell", report);
                let dwell = state.span("dwell")?;
                states.push(MmppState { per_hour: state.number("per_hour")?, dwell });
            }
            Some(Arrivals::Mmpp(states))
        }
        _ => {
            let per_hour = own.number("per_hour")?;
            let Some(weights) = own.numbers("profile") else {
                return Some(Arrivals::Poisson { per_hour });
            };
            Some(Arrivals::Profile { per_hour, weights: weights.to_vec() })
        }
    }
}

/// A constant outside its range is a mistake. Draws of a law are cut to the
/// range instead: its tail may well lie outside.
fn check_constants(own: &ConfigTable, report: &mut Diagnostics<'_>) {
    const MOST: f64 = u32::MAX as f64;
    // Cores and shares are in thousandths and memory in MiB by now.
    let ranges = [
        ("runtime", 0.0, f64::MAX, "a span that is not negative"),
        ("tasks", 1.0, MOST, "a whole number of at least 1"),
        ("vcpus", 0.0, MOST, "from 0 to 4294967 cores"),
        ("memory", 0.0, MOST, "from 0 to 4095 TiB"),
        ("gpus", 0.0, f64::from(MAX_GPUS), "a whole number from 0 to 32"),
        ("gpu_share", 1.0, f64::from(WHOLE_GPU), "a share from 0.001 to 1"),
        ("estimate", f64::MIN_POSITIVE, f64::MAX, "a factor greater than 0"),
        ("deadline", 0.0, f64::MAX, "a factor that is not negative"),
    ];
    for (name, least, most, expected) in ranges {
        let Some(&Distribution::Constant(value)) = own.distribution(name) else { continue };
        let counts = matches!(name, "tasks" | "gpus");
        if !(least..=most).contains(&value) || counts && libm::trunc(value) != value {
            report.at(&own.spot(name), format!("`{name}` must be {expected}"));
        }
    }
}

/// Amdahl's law for a fraction, millionths at the finest.
fn amdahl(fraction: f64) -> Speedup {
    Speedup::amdahl((fraction * 1e6).round() as u32)
}

fn class(
    name: &str,
    own: &ConfigTable,
    key: &Range<usize>,
    around: Around<'_>,
    report: &mut Diagnostics<'_>,
) -> SynthClass {
    if name.is_empty() {
        report.at(key, "a class needs a name");
    }
    own.require("runtime", report);
    check_constants(own, report);
    let default = SynthClass::default();
    let data = own.section("data");
    let draws =
        |name: &str, default: Distribution| own.distribution(name).cloned().unwrap_or(default);
    let tenants = own.section("tenants");
    for entry in tenants.entries.iter().filter(|entry| entry.name.len() > MAX_NAME) {
        report.at(&entry.key, format!("a tenant's name has at most {MAX_NAME} bytes"));
    }
    check_names("jurisdictions", own.texts("jurisdictions"), around.world, report);
    let mut allowed = |name: &str| {
        check_names(name, own.texts(name), around.world, report);
        Filter { allowed: own.names(name), forbidden: Vec::new() }
    };
    let rules = Rules {
        providers: allowed("providers"),
        regions: allowed("regions"),
        gpu_models: allowed("gpu_models"),
        jurisdictions: own.names("jurisdictions"),
        spread: spread(own),
        together: together(own),
        ..Rules::default()
    };
    SynthClass {
        name: clip(name),
        weight: own.number("weight").unwrap_or(default.weight),
        kind: kind(own),
        runtime: draws("runtime", default.runtime),
        tasks: draws("tasks", default.tasks),
        min_tasks: own.count32("min_tasks").unwrap_or(default.min_tasks),
        speedup: own.number("parallel_fraction").map_or(default.speedup, amdahl),
        gang: own.flag("gang").unwrap_or(default.gang),
        cpu: draws("vcpus", default.cpu),
        memory: draws("memory", default.memory),
        gpus: draws("gpus", default.gpus),
        gpu_share: draws("gpu_share", default.gpu_share),
        estimate: own.distribution("estimate").cloned(),
        deadline: own.distribution("deadline").cloned(),
        priority: priority(own, report).unwrap_or(0),
        tenants: tenants
            .entries
            .iter()
            .filter_map(|entry| Some((entry.name.clone(), tenants.number(&entry.name)?)))
            .collect(),
        home: home(&data, around, report),
        input: data.distribution("input").cloned().unwrap_or(default.input),
        output: data.distribution("output").cloned().unwrap_or(default.output),
        exclusive: own.flag("exclusive").unwrap_or(default.exclusive),
        resumes: own.flag("resume").unwrap_or(default.resumes),
        checkpoint: checkpoint(own, report),
        rules,
    }
}
