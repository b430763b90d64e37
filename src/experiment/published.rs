//! Tables of published experiments, run again on the data that they used.
//!
//! The data is not ours to ship: each experiment is given the folder where it
//! lies.

mod batch;
mod carbon;
mod fgd;
mod spot;

use std::path::Path;

use serde::Serialize;

pub use batch::{rlscheduler, users_estimates, whole_log};
pub use carbon::lets_wait_awhile;
pub use fgd::fgd;
pub use spot::{cant_be_late, poisson, skynomad};

/// Origin of the number that ours is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResultOrigin {
    /// Printed in the paper, or in the results that its authors published.
    Published,
    /// The experiment of the paper, run again after mending a fault of the
    /// original program; the paper prints another number.
    Corrected,
    /// Another program's answer, which no paper prints.
    OtherProgram,
}

impl ResultOrigin {
    /// The word for it in a table.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Corrected => "corrected",
            Self::OtherProgram => "other program",
        }
    }
}

/// One number that another program has found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PublishedResult {
    /// Experiment, and column of its table.
    pub name: String,
    /// Measured quantity, with its unit.
    pub quantity: &'static str,
    /// Source of `reference`.
    pub origin: ResultOrigin,
    /// The number to be reproduced.
    pub reference: f64,
    /// Ours: a mean, where there are seeds.
    pub ours: f64,
    /// Largest difference that counts as reproduced.
    pub tolerance: f64,
    /// The same in windtunnel's own semantics, where ours is a variant that is theirs. Nothing is asked of
    /// it.
    pub own: Option<f64>,
}

impl PublishedResult {
    /// Whether our number is the reference, within the tolerance.
    pub fn reproduced(&self) -> bool {
        (self.ours - self.reference).abs() <= self.tolerance
    }
}

/// One experiment, and the data that it needs.
#[derive(Clone, Copy, Debug)]
pub struct PublishedExperiment {
    /// Its name.
    pub name: &'static str,
    /// Files that it reads, below the folder of the data.
    pub needs: &'static [&'static str],
    run: fn(&Path, bool) -> Result<Vec<PublishedResult>, String>,
}

/// All experiments, in the order in which they are told.
pub const EXPERIMENTS: [PublishedExperiment; 8] = [
    PublishedExperiment {
        name: "RLScheduler",
        needs: &["swf/lublin_256.swf.gz"],
        run: |data, _| rlscheduler(&data.join("swf/lublin_256.swf.gz")),
    },
    PublishedExperiment {
        name: "EASY on lublin_256",
        needs: &["swf/lublin_256.swf.gz"],
        run: |data, _| whole_log(&data.join("swf/lublin_256.swf.gz")),
    },
    PublishedExperiment {
        name: "EASY on KTH-SP2",
        needs: &["swf/KTH-SP2-1996.swf.gz"],
        run: |data, _| users_estimates(&data.join("swf/KTH-SP2-1996.swf.gz")),
    },
    PublishedExperiment {
        name: "FGD",
        needs: &[
            "gpu/openb_node_list_gpu_node.csv.gz",
            "gpu/openb_pod_list_default.csv.gz",
            "gpu/openb_pod_list_cpu050.csv.gz",
            "gpu/openb_pod_list_gpushare40.csv.gz",
            "gpu/openb_pod_list_gpuspec33.csv.gz",
            "gpu/openb_pod_list_multigpu20.csv.gz",
        ],
        run: |data, quick| fgd::fgd_workloads(&data.join("gpu"), quick),
    },
    PublishedExperiment {
        name: "Can't Be Late",
        needs: &["spot/spot-traces_dev.tar.gz"],
        run: |data, _| cant_be_late(&data.join("spot"), 300),
    },
    PublishedExperiment {
        name: "Can't Be Late, Poisson traces",
        needs: &[
            "spot/poisson_gap600_rate_0.1_0.3.tar.gz",
            "spot/expected_costs_rate_0.1_0.3.tar.gz",
        ],
        run: |data, _| poisson(&data.join("spot")),
    },
    PublishedExperiment {
        name: "SkyNomad",
        needs: &["spot/skynomad_h100_traces.json.gz", "spot/skynomad_reference_costs.csv.gz"],
        run: |data, _| skynomad(&data.join("spot")),
    },
    PublishedExperiment {
        name: "Let's Wait Awhile",
        needs: &["carbon/gb_ci.csv.gz"],
        run: |data, _| lets_wait_awhile(&data.join("carbon/gb_ci.csv.gz")),
    },
];

impl PublishedExperiment {
    /// Files that it needs and `data` does not hold.
    pub fn missing(&self, data: &Path) -> Vec<&'static str> {
        self.needs.iter().copied().filter(|file| !data.join(file).is_file()).collect()
    }

    /// Runs it on what lies in `data`; with fewer seeds where there are seeds, if it is to be quick.
    ///
    /// # Errors
    /// Problems with the data.
    pub fn run(&self, data: &Path, quick: bool) -> Result<Vec<PublishedResult>, String> {
        (self.run)(data, quick)
    }
}
