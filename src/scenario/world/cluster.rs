//! Owned clusters: nodes of one shape, groups of several, or a list of nodes.

use std::ops::Range;

use super::Build;
use crate::model::{
    CapacityPath, InstanceType, LaunchTerms, Market, Offer, PowerCurve, PricePath, Zone,
};
use crate::problem::clip;
use crate::scenario::catalog::Tier;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::{Distribution, Id, Rate, Shape};
use crate::workload::{NodeRow, read_nodes};

/// Settings that all instances of a cluster share.
#[derive(Clone, Debug)]
struct Common {
    zone: Id<Zone>,
    cost: Rate,
    speed: u32,
    power: Option<PowerCurve>,
    system: (u32, u32),
}

/// A run of equal rows of a node list.
#[derive(Debug, PartialEq, Eq)]
struct NodeRun {
    whole: Shape,
    model: String,
    count: u32,
}

impl Build<'_> {
    /// Reads `[cluster.name]`.
    pub(super) fn cluster(
        &mut self,
        name: &str,
        section: &ConfigTable,
        key: &Range<usize>,
        tier: Tier,
        report: &mut Diagnostics<'_>,
    ) {
        if name.is_empty() || name.contains('/') {
            report.at(key, "a cluster's name is not empty and has no `/`");
        }
        let zone = self.owned_provider(name, section, tier, report);
        let system = section.section("system");
        let common = Common {
            zone,
            cost: section.rate("cost").unwrap_or(Rate::ZERO),
            speed: millionths(section.number("speed").unwrap_or(1.0)),
            power: section.power("power"),
            system: (system.amount("vcpus").unwrap_or(0), system.amount("memory").unwrap_or(0)),
        };
        let ways = ["nodes", "group", "node_list"];
        self.free(name, section);
        let given: Vec<&str> = ways.into_iter().filter(|way| section.has(way)).collect();
        match given.as_slice() {
            ["nodes"] => self.group(name, section, &common, report),
            ["group"] => {
                for (group, own, _) in section.section("group").sections() {
                    let common = Common {
                        cost: own.rate("cost").unwrap_or(common.cost),
                        speed: own.number("speed").map_or(common.speed, millionths),
                        power: own.power("power").or_else(|| common.power.clone()),
                        ..common
                    };
                    self.group(&format!("{name}/{group}"), own, &common, report);
                }
            }
            [_] => self.node_list(name, section, &common, report),
            [] => report.hint(
                key,
                format!("the cluster `{}` has no nodes", clip(name)),
                "give `nodes` and `shape`, or groups, or a `node_list`",
            ),
            [first, second, ..] => report.hint(
                &section.spot(second),
                format!("a cluster has either `{first}` or `{second}`, not both"),
                "put nodes of several shapes into `[cluster.NAME.group.X]`",
            ),
        }
    }

    /// Says what costs nothing because no cost is given: the cluster, or groups of it.
    fn free(&mut self, name: &str, section: &ConfigTable) {
        if section.has("cost") {
            return;
        }
        let groups = section.section("group");
        let (free, paid): (Vec<_>, Vec<_>) =
            groups.sections().partition(|(_, own, _)| !own.has("cost"));
        let whole = || vec![clip(name)];
        let of = |(group, ..): &(&str, _, _)| clip(&format!("{name}/{group}"));
        let free = if paid.is_empty() { whole() } else { free.iter().map(of).collect() };
        if !free.is_empty() {
            let told = format!("Machines of {} cost nothing: no `cost` is given.", free.join(", "));
            self.assumptions.push(told.into());
        }
    }

    /// One offer: `nodes` instances of one `shape`.
    fn group(
        &mut self,
        offer: &str,
        section: &ConfigTable,
        common: &Common,
        report: &mut Diagnostics<'_>,
    ) {
        for name in ["nodes", "shape"] {
            section.require(name, report);
        }
        let shape = section.section("shape");
        if section.has("shape") {
            shape.require("vcpus", report);
            shape.require("memory", report);
        }
        let (gpus, model) = shape.gpus("gpus").unwrap_or((0, ""));
        let whole = Shape {
            cpu: shape.amount("vcpus").unwrap_or(0),
            memory: shape.amount("memory").unwrap_or(0),
            gpus,
        };
        let count = section.count32("nodes").unwrap_or(0);
        let run = NodeRun { whole, model: model.to_owned(), count };
        let spot = section.spot("shape");
        if shape.amount("vcpus").is_some() && shape.amount("memory").is_some() {
            self.owned(offer, offer, &run, common, &spot, report);
        }
    }

    /// Adds the offer of a run of equal instances.
    fn owned(
        &mut self,
        offer: &str,
        type_name: &str,
        run: &NodeRun,
        common: &Common,
        spot: &Range<usize>,
        report: &mut Diagnostics<'_>,
    ) {
        let cpu = run.whole.cpu.checked_sub(common.system.0).filter(|&cpu| cpu > 0);
        let memory = run.whole.memory.checked_sub(common.system.1);
        let (Some(cpu), Some(memory)) = (cpu, memory) else {
            report.at(spot, format!("`{}` has nothing left for work", clip(offer)));
            return;
        };
        let gpu_model = (run.whole.gpus > 0).then(|| self.gpu_model(&run.model));
        let instance_type = self.instance_type(InstanceType {
            name: type_name.to_owned(),
            family: type_name.to_owned(),
            shape: Shape { cpu, memory, gpus: run.whole.gpus },
            whole: run.whole,
            gpu_model,
            speed: common.speed,
            power: common.power.clone(),
        });
        self.world.offers.push(Offer {
            name: offer.to_owned(),
            zone: common.zone,
            instance_type,
            market: Market::Owned,
            price: PricePath::constant(common.cost),
            max_price: None,
            capacity: CapacityPath::constant(Some(run.count)),
            launch: LaunchTerms::taking(Distribution::Constant(0.0)),
            running_at_start: run.count,
        });
    }

    /// One offer per run of equal rows, in the order of the list.
    fn node_list(
        &mut self,
        name: &str,
        section: &ConfigTable,
        common: &Common,
        report: &mut Diagnostics<'_>,
    ) {
        let Some(file) = section.text("node_list") else { return };
        let path = self.file(file);
        let spot = section.spot("node_list");
        if let Err(error) = std::fs::metadata(&path) {
            let message = format!("cannot read the node list `{}`: {error}", clip(file));
            report.hint(&spot, message, "paths are relative to the scenario's folder");
            return;
        }
        let nodes = match read_nodes(&path, &path.display().to_string()) {
            Ok(nodes) => nodes,
            Err(problems) => {
                report.problems.extend(problems);
                return;
            }
        };
        self.inputs.push(path);
        let runs = runs(&nodes);
        for (row, run) in runs.iter().enumerate() {
            let model = if run.whole.gpus > 0 { run.model.as_str() } else { "cpu" };
            let type_name = format!(
                "{model}x{}-{}c-{}g",
                run.whole.gpus,
                run.whole.cpu / 1_000,
                run.whole.memory / 1_024
            );
            self.owned(&format!("{name}/{row:04}"), &type_name, run, common, &spot, report);
        }
    }
}

/// Relative speed in millionths; the table of keys bounds it.
fn millionths(speed: f64) -> u32 {
    libm::round(speed * 1e6) as u32
}

/// Runs of equal neighbours in a list of nodes.
fn runs(nodes: &[NodeRow]) -> Vec<NodeRun> {
    let mut runs: Vec<NodeRun> = Vec::new();
    for node in nodes {
        let whole = Shape { cpu: node.cpu_milli, memory: node.memory_mib, gpus: node.gpus };
        match runs.last_mut() {
            Some(run) if run.whole == whole && run.model == node.model => run.count += 1,
            _ => runs.push(NodeRun { whole, model: node.model.clone(), count: 1 }),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_neighbours_of_a_node_list_are_one_run() {
        let node = |gpus, model: &str| NodeRow {
            name: String::new(),
            cpu_milli: 96_000,
            memory_mib: 1_024,
            gpus,
            model: model.to_owned(),
        };
        let runs = runs(&[node(8, "V100"), node(8, "V100"), node(0, ""), node(8, "V100")]);
        let counts: Vec<(u32, u8)> = runs.iter().map(|run| (run.count, run.whole.gpus)).collect();
        assert_eq!(counts, [(2, 8), (1, 0), (1, 8)]);
    }
}
