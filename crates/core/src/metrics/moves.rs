//! Data moved by path: from which region to which, and what that cost.

use serde::{Deserialize, Serialize};

use crate::model::World;
use crate::state::{Charge, ChargeKind, State};
use crate::units::{Id, Money};

/// Adds up transfers by path.
#[derive(Clone, Debug, Default)]
pub(super) struct TransferTotals {
    /// `from * regions + to`: bytes and money; empty until something is moved.
    paths: Vec<(i128, Money)>,
}

/// Data that was moved along one path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PathTraffic {
    /// The region that the data left: `provider/region`, or a cluster.
    pub from: String,
    /// The region that it reached.
    pub to: String,
    /// Amount of data, in GiB.
    pub gib: f64,
    /// Its cost, in US dollars.
    pub usd: f64,
}

impl TransferTotals {
    /// A transfer goes from the home of the work to where it runs, or back.
    pub(super) fn charged(&mut self, state: &State<'_>, charge: &Charge) {
        let (ChargeKind::Transfer, Some(work)) = (charge.kind, charge.work) else { return };
        let home = state.work(work).ask.home.and_then(|home| state.home_region(home));
        let place = state.instance(charge.instance).region;
        let to = if charge.region == place { home.unwrap_or(place) } else { place };
        let regions = state.world().regions.len();
        if self.paths.is_empty() {
            self.paths = vec![(0, Money::ZERO); regions * regions];
        }
        let path = &mut self.paths[charge.region.row() * regions + to.row()];
        path.0 += i128::from(charge.bytes);
        path.1 += charge.amount;
    }

    /// Takes away what `earlier` added up.
    pub(super) fn subtract(&mut self, earlier: &Self) {
        for (mine, theirs) in self.paths.iter_mut().zip(&earlier.paths) {
            mine.0 -= theirs.0;
            mine.1 -= theirs.1;
        }
    }

    /// Paths along which anything was moved, the dearest first.
    pub(super) fn named(&self, world: &World) -> Vec<PathTraffic> {
        let regions = world.regions.len();
        let name = |row: usize| world.region_name(Id::new(row as u32));
        let of = |(at, &(bytes, paid)): (usize, &(i128, Money))| PathTraffic {
            from: name(at / regions),
            to: name(at % regions),
            gib: bytes as f64 / f64::from(1 << 30),
            usd: paid.dollars(),
        };
        let moved = self.paths.iter().enumerate().filter(|(_, (bytes, _))| *bytes != 0);
        let mut all: Vec<PathTraffic> = moved.map(of).collect();
        all.sort_by(|a, b| b.usd.total_cmp(&a.usd).then(b.gib.total_cmp(&a.gib)));
        all
    }
}
