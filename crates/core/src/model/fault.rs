//! What fails of the world, and when: machines, racks of them, zones, regions, control planes.

use super::{Offer, Surge};
use crate::units::{Distribution, Id, Time};

/// A cause by which parts of the world fail. What fails when depends on the seed alone, so all
/// policies of a comparison meet the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Word of reports: `gpu`, `aws-2025-10-20 launches`.
    pub name: String,
    /// Offers of which something fails, ascending.
    pub offers: Vec<Id<Offer>>,
    /// Part of these that fails at once.
    pub domain: FaultDomain,
    /// What is not there meanwhile.
    pub effect: FaultEffect,
    /// When it fails, and for how long.
    pub times: FaultTimes,
    /// Homes of data that is lost for ever when it fails: regions (`aws/us-east-1`), zones
    /// (`aws/us-east-1a`) and clusters.
    pub loses_data_of: Vec<String>,
    /// What launches elsewhere suffer meanwhile.
    pub surge: Option<Surge>,
    /// Most repairs at once, in the order in which things broke; `None` is no limit.
    pub crews: Option<u32>,
}

/// Part of its offers that a fault takes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultDomain {
    /// So many machines of an offer, of slots that follow each other: one machine, or a rack.
    Machines(u32),
    /// One GPU device of a machine.
    Device,
    /// The machines in these slots of each offer, at once.
    Slots {
        /// Lowest of the slots.
        first: u32,
        /// Number of them.
        count: u32,
    },
    /// Everything at once, or this share of the machines of each offer, in millionths: always the
    /// same ones.
    Share(u32),
}

/// What a fault takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultEffect {
    /// Machines stop. Rented ones are gone; owned ones are there again after the repair.
    Machines,
    /// Launches are refused. What runs goes on.
    Launches,
    /// Both.
    MachinesAndLaunches,
    /// GPU devices: of single devices these, of machines all that they have. Tasks on them stop; those
    /// beside them go on. Owned ones work again after the repair, rented ones never.
    Devices,
    /// Speed: tasks on the machines come on at this share of theirs, in millionths.
    Speed(u32),
    /// Speed of the network: data moves at this share of it, and tasks that are spread over several
    /// machines come on at this share.
    NetworkSpeed(u32),
    /// Security: nothing stops, and work that runs there meanwhile was exposed.
    Security,
}

impl FaultEffect {
    /// Whether machines stop.
    pub const fn stops_machines(self) -> bool {
        match self {
            Self::Machines | Self::MachinesAndLaunches => true,
            Self::Launches
            | Self::Devices
            | Self::Speed(_)
            | Self::NetworkSpeed(_)
            | Self::Security => false,
        }
    }

    /// Whether devices break of machines that go on.
    pub const fn breaks_devices(self) -> bool {
        match self {
            Self::Devices => true,
            Self::Machines
            | Self::Launches
            | Self::MachinesAndLaunches
            | Self::Speed(_)
            | Self::NetworkSpeed(_)
            | Self::Security => false,
        }
    }

    /// Whether machines go on, and tasks on them come on more slowly.
    pub const fn slows(self) -> bool {
        match self {
            Self::Speed(_) | Self::NetworkSpeed(_) => true,
            Self::Machines
            | Self::Launches
            | Self::MachinesAndLaunches
            | Self::Devices
            | Self::Security => false,
        }
    }

    /// Whether nothing stops, and work was exposed.
    pub const fn exposes(self) -> bool {
        match self {
            Self::Security => true,
            Self::Machines
            | Self::Launches
            | Self::MachinesAndLaunches
            | Self::Devices
            | Self::Speed(_)
            | Self::NetworkSpeed(_) => false,
        }
    }

    /// Share of their speed, in millionths, at which tasks come on that lie on so many machines.
    pub const fn share_of_speed(self, machines: usize) -> u32 {
        match self {
            Self::Speed(share) => share,
            Self::NetworkSpeed(share) if machines > 1 => share,
            Self::NetworkSpeed(_)
            | Self::Machines
            | Self::Launches
            | Self::MachinesAndLaunches
            | Self::Devices
            | Self::Security => 1_000_000,
        }
    }

    /// Share of the speed of the network, in millionths, at which the data of tasks moves.
    pub const fn share_of_network(self) -> u32 {
        match self {
            Self::NetworkSpeed(share) => share,
            Self::Speed(_)
            | Self::Machines
            | Self::Launches
            | Self::MachinesAndLaunches
            | Self::Devices
            | Self::Security => 1_000_000,
        }
    }

    /// Whether launches are refused.
    pub const fn refuses_launches(self) -> bool {
        match self {
            Self::Launches | Self::MachinesAndLaunches => true,
            Self::Machines
            | Self::Devices
            | Self::Speed(_)
            | Self::NetworkSpeed(_)
            | Self::Security => false,
        }
    }
}

/// Times of a fault.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultTimes {
    /// Known periods, in order and apart; one without an end is the last.
    Periods(Vec<(Time, Option<Time>)>),
    /// Known periods of each part, in order and apart: those of machine `k` in row `k`. Parts after
    /// the last row never fail.
    Listed(Vec<Vec<(Time, Option<Time>)>>),
    /// Drawn: a life, a repair, and so on, for each part by itself.
    Drawn {
        /// Seconds from the start of the run, or the end of a repair, to the next failure.
        life: Distribution,
        /// Seconds from the failure, or from when a crew comes, to its end.
        repair: Distribution,
        /// Parts that fail sooner than others.
        lemons: Option<Lemons>,
    },
}

/// A share of the parts whose lives are shorter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lemons {
    /// Their share, in millionths.
    pub share: u32,
    /// Number of times as often as others that they fail.
    pub times: f64,
}

impl FaultTimes {
    /// Known periods of a part; `None` where they are drawn.
    pub fn periods(&self, part: usize) -> Option<&[(Time, Option<Time>)]> {
        match self {
            Self::Periods(periods) => Some(periods),
            Self::Listed(parts) => Some(parts.get(part).map_or(&[], Vec::as_slice)),
            Self::Drawn { .. } => None,
        }
    }
}

impl Fault {
    /// Whether something of `offer` can fail by it.
    pub fn concerns(&self, offer: Id<Offer>) -> bool {
        self.offers.binary_search(&offer).is_ok()
    }

    /// Whether a known period of it holds at `at`; never where its times are drawn.
    pub fn is_known_at(&self, at: Time) -> bool {
        match &self.times {
            FaultTimes::Periods(periods) => periods
                .iter()
                .any(|&(from, until)| from <= at && until.is_none_or(|until| at < until)),
            FaultTimes::Listed(_) | FaultTimes::Drawn { .. } => false,
        }
    }

    /// Whether others seek the offers of its surge at `at` for a known period of it; never where its
    /// times are drawn.
    pub fn is_sought_at(&self, at: Time) -> bool {
        let (FaultTimes::Periods(periods), Some(surge)) = (&self.times, &self.surge) else {
            return false;
        };
        periods.iter().any(|&(from, until)| {
            from <= at && until.is_none_or(|until| at < until.saturating_add(surge.after))
        })
    }
}
