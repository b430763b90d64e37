//! A cluster for a trace that does not say what it ran on: nodes that hold its tasks, and as many as
//! could do its work in three quarters of the time.

use super::survey::{ArrivalLoad, TraceSurvey};
use crate::workload::Stats;

/// Share of its time, until the last arrival or that of the longest job, in which as many nodes as are
/// assumed could do all work of the trace.
const BUSY: f64 = 0.75;
/// Most nodes that one cluster may have.
const MOST: f64 = 1e6;
/// USD per hour of a core and of a GPU; guesses like the rest.
const CORE_USD: f64 = 0.04;
const GPU_USD: f64 = 1.5;

/// GiB of a node of one processor.
pub(super) const PROCESSOR_GIB: f64 = 4.0;

/// Capacity of one node: cores, GiB, GPUs.
#[derive(Clone, Copy, Debug, PartialEq)]
struct NodeShape {
    cores: f64,
    gib: f64,
    gpus: f64,
}

impl NodeShape {
    /// A node as large as the largest task, and not smaller than nodes usually are.
    fn holding(stats: &Stats) -> Self {
        let gpus = match stats.gpu_milli.max / 1_000.0 {
            0.0 => 0.0,
            most => most.ceil().max(8.0),
        };
        let cores = (stats.cpu_milli.max / 1_000.0 / 16.0).ceil() * 16.0;
        let cores = cores.max(if gpus > 0.0 { 64.0 } else { 32.0 });
        let gib = (stats.memory_mib.max / 1_024.0 / 16.0).ceil() * 16.0;
        Self { cores, gib: gib.max(4.0 * cores), gpus }
    }

    /// Number of the largest tasks that it holds at once, at least one.
    fn largest_tasks(self, stats: &Stats) -> f64 {
        let holds = |has: f64, asks: f64| if asks > 0.0 { (has / asks).floor() } else { f64::MAX };
        holds(self.cores, stats.cpu_milli.max / 1_000.0)
            .min(holds(self.gib, stats.memory_mib.max / 1_024.0))
            .min(holds(self.gpus, stats.gpu_milli.max / 1_000.0))
            .max(1.0)
    }
}

/// Mean number of busy nodes, by the resource that keeps most of them busy.
fn busy(stats: &Stats, node: NodeShape) -> f64 {
    let hours = ((stats.last_arrival_s - stats.first_arrival_s) / 3_600.0)
        .max(stats.runtime_s.max / 3_600.0)
        .max(1.0 / 3_600.0);
    let nodes = |used: f64, each: f64| if each > 0.0 { used / hours / each } else { 0.0 };
    nodes(stats.core_hours, node.cores)
        .max(nodes(stats.gib_hours, node.gib))
        .max(nodes(stats.gpu_hours, node.gpus))
}

/// `[cluster.owned]` for a trace.
pub(super) fn cluster(survey: &TraceSurvey) -> Vec<String> {
    let stats = &survey.stats;
    let node = NodeShape::holding(stats);
    let busy = busy(stats, node);
    let by_load = (busy / BUSY).ceil();
    let by_width = (stats.tasks.max / node.largest_tasks(stats)).ceil();
    let nodes = by_load.max(by_width).clamp(1.0, MOST);
    let why = match by_width > by_load {
        true => "as many as the widest job may need",
        false => "as many as do the work in 75 % of the time",
    };
    let gpus = match node.gpus {
        0.0 => String::new(),
        gpus => format!(", gpus = \"{gpus} x A100-80GB\""),
    };
    let cost = if node.gpus > 0.0 { node.gpus * GPU_USD } else { node.cores * CORE_USD };
    vec![
        "# Assumed: the trace does not say what it ran on. Its largest task fits on a node."
            .to_owned(),
        load_words(survey.load, node, nodes),
        "[cluster.owned]".to_owned(),
        format!("nodes = {nodes:<21} # assumed: {why}"),
        format!("shape = {{ vcpus = {}, memory = \"{} GiB\"{gpus} }}", node.cores, node.gib),
        format!("cost = \"{cost:.2} USD/h\"          # per node, assumed"),
    ]
}

/// Load while work arrives, in the words and with the number of `windtunnel validate`: of the resource
/// of which most is asked for.
fn load_words(load: ArrivalLoad, node: NodeShape, nodes: f64) -> String {
    let shares = [("cores", load.cores, node.cores), ("memory", load.gib, node.gib)];
    let shares = shares.into_iter().chain([("GPUs", load.gpus, node.gpus)]);
    let shares =
        shares.map(|(what, asked, each)| (what, asked / (each * nodes).max(f64::MIN_POSITIVE)));
    let most = shares.fold(("cores", 0.0), |most, one| if one.1 > most.1 { one } else { most });
    match most {
        (_, 0.0) => "# All work arrives at once.".to_owned(),
        (what, share) => {
            format!(
                "# The work asks for {:.1} % of the own {what} while it arrives.",
                100.0 * share
            )
        }
    }
}

/// Nodes of one processor each for a batch log whose header does not say how many.
pub(super) fn processors(stats: &Stats) -> u64 {
    let node = NodeShape { cores: 1.0, gib: f64::MAX, gpus: 0.0 };
    (busy(stats, node) / BUSY).ceil().max(stats.tasks.max).clamp(1.0, MOST) as u64
}

/// Their load while work arrives, as a comment.
pub(super) fn processors_load(survey: &TraceSurvey, nodes: u64) -> String {
    let node = NodeShape { cores: 1.0, gib: PROCESSOR_GIB, gpus: 0.0 };
    load_words(survey.load, node, nodes as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::SampleSummary;

    /// A day of jobs of one task with 4 cores that ask for 960 core-hours.
    fn day() -> Stats {
        let of = |max| SampleSummary { count: 1, max, ..SampleSummary::default() };
        Stats {
            last_arrival_s: 86_400.0,
            core_hours: 960.0,
            cpu_milli: of(4_000.0),
            tasks: of(1.0),
            ..Stats::default()
        }
    }

    fn cluster_of(stats: Stats) -> String {
        // A twelfth of the work runs after the last arrival.
        let load = ArrivalLoad { cores: 44.0 / 1.2, ..ArrivalLoad::default() };
        let survey = TraceSurvey { stats, load, unsorted: false, first_bad: None, waits: false };
        cluster(&survey).join("\n")
    }

    #[test]
    fn nodes_could_do_the_work_in_three_quarters_of_the_time() {
        // 40 cores on average are 1.25 nodes of 32; over 0.75 that is 1.67.
        let text = cluster_of(day());
        assert!(text.contains("nodes = 2 "), "{text}");
        assert!(text.contains("asks for 57.3 % of the own cores while it arrives"), "{text}");
        assert!(text.contains("vcpus = 32, memory = \"128 GiB\" }"), "{text}");
        // A gang of 100 tasks needs 100 / 8 nodes.
        let mut wide = day();
        wide.tasks.max = 100.0;
        assert!(cluster_of(wide).contains("nodes = 13 "));
    }
}
