//! Counts of the work for which a policy that rents for each job can rent, and the reasons why it
//! cannot for the rest. That rest stays on owned machines, so an answer about renting says nothing
//! about it.

mod lack;
mod offers;
mod whole;

use std::fmt;

use lack::LackFinder;
use offers::WorkableOffers;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
pub use whole::{ScatteredStart, WholeMachines};

use super::fact::{Fact, FactObserver};
use crate::model::{Ask, Offer, Rules, World};
use crate::policy::composed::fits::{CountedCapacity, Feasibility};
use crate::policy::spec::{PolicyPart, PolicySpec};
use crate::state::{ResolvedRules, State, WorkRef};
use crate::units::{Demand, Id};

/// Kinds of work whose reasons are remembered at most. Each piece may be a kind of its own.
const REMEMBERED: usize = 1 << 16;

/// Most reasons that are told of one policy.
const TOLD: usize = 3;

/// Counts of the work that a policy can and cannot rent for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rentals {
    /// Pieces of work in all; 0 where the policy does not rent for jobs.
    pub pieces: u64,
    /// Pieces that fit nowhere at all, which is told of elsewhere.
    pub impossible: u64,
    /// Reasons for which it can rent nothing for other pieces, in the order in which they were
    /// found.
    pub lacks: Vec<Lack>,
}

/// Work for which nothing can be rented, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lack {
    /// The reason, as the end of a sentence.
    pub why: String,
    /// Pieces of work.
    pub pieces: u64,
    /// Resources that the first of them asks for, in words.
    pub asks: String,
}

/// The rules of work in words and as they hold here, and the site of an offer for it.
#[derive(Clone, Copy)]
pub struct RentalLimits<'l> {
    /// The rules, in words.
    pub rules: &'l Rules,
    /// The same in this world.
    pub resolved: &'l ResolvedRules,
    /// The site of an offer, for work that stays in one place.
    pub site: &'l dyn Fn(Id<Offer>) -> Option<u32>,
}

impl fmt::Debug for RentalLimits<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("RentalLimits").field("rules", self.rules).finish_non_exhaustive()
    }
}

/// Counter of the work that a policy can and cannot rent for, piece by piece.
#[derive(Debug)]
pub struct Renting {
    policy: PolicySpec,
    /// Feasibility on what is rented alone, and on everything.
    rented: Feasibility,
    anywhere: Feasibility,
    /// Finder of reasons, once something could not be rented for.
    reasons: Option<LackFinder>,
    /// Row of the reason by demand, rules and tasks of a gang; `None` for work that fits nowhere.
    known: FxHashMap<(Demand, Id<Rules>, u32), Option<usize>>,
    found: Rentals,
}

impl Renting {
    /// Counter for a policy that rents for each job by its own parts; `None` for another.
    pub fn new(policy: &PolicySpec) -> Option<Self> {
        if !policy.is_ours(PolicyPart::Provision) || !policy.reach().rents_for_work() {
            return None;
        }
        Some(Self {
            rented: fits(policy).counting(CountedCapacity { owned: false, ..CountedCapacity::ALL }),
            anywhere: fits(policy),
            reasons: None,
            known: FxHashMap::default(),
            found: Rentals::default(),
            policy: policy.clone(),
        })
    }

    /// Counts a piece of work.
    pub fn count(&mut self, world: &World, limits: RentalLimits<'_>, ask: &Ask) {
        self.found.pieces += 1;
        let held = (limits.resolved, limits.site);
        if self.rented.admit(world, held, ask) {
            return;
        }
        let key = (ask.demand, ask.rules, if ask.gang { ask.tasks } else { 0 });
        let row = match self.known.get(&key) {
            Some(&row) => row,
            None => {
                let row = self.anywhere.admit(world, held, ask).then(|| {
                    let policy = &self.policy;
                    let reasons =
                        self.reasons.get_or_insert_with(|| LackFinder::new(world, policy));
                    row_of(&mut self.found.lacks, reasons.reason(world, limits, ask), ask)
                });
                if self.known.len() >= REMEMBERED {
                    self.known.clear();
                }
                self.known.insert(key, row);
                row
            }
        };
        match row {
            Some(row) => self.found.lacks[row].pieces += 1,
            None => self.found.impossible += 1,
        }
    }

    /// Counts a piece of work that was submitted.
    fn submitted(&mut self, state: &State<'_>, work: WorkRef) {
        let ask = state.work(work).ask;
        let site = |offer| state.site(work, offer);
        let (rules, resolved) = (&state.book().all_rules()[ask.rules], state.rules(ask.rules));
        self.count(state.world(), RentalLimits { rules, resolved, site: &site }, &ask);
    }

    /// Counts of the work that was submitted.
    pub fn found(self) -> Rentals {
        self.found
    }
}

/// Row of a reason among those that were found, to which it is added if it is new.
fn row_of(lacks: &mut Vec<Lack>, why: String, ask: &Ask) -> usize {
    lacks.iter().position(|known| known.why == why).unwrap_or_else(|| {
        lacks.push(Lack { why, pieces: 0, asks: asked(ask) });
        lacks.len() - 1
    })
}

/// Feasibility on everything that the policy can use.
fn fits(policy: &PolicySpec) -> Feasibility {
    Feasibility::new(policy.reach(), policy.placed())
}

impl Rentals {
    /// Pieces of work for which nothing can be rented, though they fit somewhere.
    pub fn lacking(&self) -> u64 {
        self.lacks.iter().map(|lack| lack.pieces).sum()
    }

    /// Whether a policy that rents for jobs can rent for none of them.
    pub fn can_rent_for_none(&self) -> bool {
        self.pieces > 0 && self.pieces == self.impossible + self.lacking() && self.lacking() > 0
    }

    /// Statement that a policy "can rent for none of the work", or only for some, and why; `None`
    /// if it can for all that fits anywhere.
    pub fn statement(&self) -> Option<String> {
        let lacking = self.lacking();
        if lacking == 0 {
            return None;
        }
        let able = self.pieces - self.impossible - lacking;
        let some = match able {
            0 => "none of the work".to_owned(),
            able => format!("only {able} of {} pieces of work", self.pieces),
        };
        let mut lacks: Vec<&Lack> = self.lacks.iter().collect();
        lacks.sort_by_key(|lack| std::cmp::Reverse(lack.pieces));
        let one = |lack: &&Lack| {
            let count = match (able, &self.lacks[..]) {
                (0, [_]) => String::new(),
                _ => format!("for {} ", lack.pieces),
            };
            format!("{count}{}; the first asks for {}", lack.why, lack.asks)
        };
        let mut reasons: Vec<String> = lacks.iter().take(TOLD).map(one).collect();
        if lacks.len() > TOLD {
            reasons.push(format!("and {} more reasons", lacks.len() - TOLD));
        }
        Some(format!("can rent for {some}: {}", reasons.join("; ")))
    }
}

/// Watches a run, and counts the work that its policy cannot rent for; by default none.
#[derive(Debug, Default)]
pub struct RentWatch {
    renting: Option<Renting>,
    offers: WorkableOffers,
    whole: WholeMachines,
}

impl RentWatch {
    /// Watch of a run under `policy`.
    pub fn new(policy: &PolicySpec) -> Self {
        Self { renting: Renting::new(policy), ..Self::default() }
    }

    /// Counts of the work that was submitted.
    pub fn found(self) -> Rentals {
        self.renting.map(Renting::found).unwrap_or_default()
    }

    /// Counts of the work that has its machines alone.
    pub fn whole(&self) -> WholeMachines {
        self.whole.clone()
    }

    /// Offers for rent on which some of the work could run, in their order, whether the policy may
    /// rent them or not.
    pub fn workable(&self, world: &World) -> Vec<Id<Offer>> {
        self.offers.found(world)
    }
}

impl FactObserver for RentWatch {
    #[inline(always)]
    fn see(&mut self, state: &State<'_>, fact: Fact<'_>) {
        if let Fact::Placed(placed) = fact {
            self.whole.placed(state, placed);
        }
        if let Fact::Submitted(work, live) = fact {
            self.offers.submitted(state, live);
            self.whole.submitted(state.world(), live);
            if let Some(renting) = &mut self.renting {
                renting.submitted(state, work);
            }
        }
    }
}

/// Resources that work asks for, in words: `4 tasks at once, each 16 cores, 64 GiB, 8 GPUs`.
pub fn asked(ask: &Ask) -> String {
    let demand = ask.demand;
    let mut parts = Vec::new();
    if demand.cpu > 0 {
        parts.push(format!("{} cores", f64::from(demand.cpu) / 1e3));
    }
    if demand.memory > 0 {
        parts.push(format!("{} GiB", f64::from(demand.memory) / 1_024.0));
    }
    if demand.gpus > 0 {
        let share = match demand.whole_gpus() {
            true => String::new(),
            false => format!(" by {} %", f64::from(demand.gpu_share) / 10.0),
        };
        let gpus = if demand.gpus == 1 { "GPU" } else { "GPUs" };
        parts.push(format!("{} {gpus}{share}", demand.gpus));
    }
    if parts.is_empty() {
        parts.push("nothing".to_owned());
    }
    let each = parts.join(", ");
    match (ask.tasks, ask.gang) {
        (1, _) => each,
        (tasks, true) => format!("{tasks} tasks at once, each {each}"),
        (tasks, false) => format!("{tasks} tasks, each {each}"),
    }
}

#[cfg(test)]
mod tests;
