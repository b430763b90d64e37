//! Failures that are to come: of each part that fails by itself the next, in order of time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::ops::Range;

use crate::model::{Fault, FaultDomain, FaultTimes, Lemons, Market, Offer, World};
use crate::units::stream::fnv1a;
use crate::units::{Distribution, Id, Span, Stream, Time};

/// Shortest life of a part, so that none fails without end in one instant.
const SHORTEST_LIFE: Span = Span::from_micros(1_000_000);

/// Parts of one fault that fail by the same law: the machines of an offer, the devices of these, or all
/// of it at once.
#[derive(Debug)]
struct FaultGroup {
    /// Row of the fault in the world.
    fault: usize,
    /// Offer whose machines these are; `None` where all fails at once.
    offer: Option<Id<Offer>>,
    /// Name of the group among random streams.
    key: u64,
    /// Name of its machines among these, the same for all faults.
    machines: u64,
    /// Parts, by number. Of rented machines as many as there ever were slots.
    parts: Vec<FaultPart>,
}

/// A part that fails by itself.
#[derive(Clone, Copy, Debug)]
struct FaultPart {
    phase: PartPhase,
    /// Time of the next failure, while it works; `None` if it never fails again.
    fails: Option<Time>,
    /// Number of lives that were drawn, or row of the period.
    lives: u32,
    /// Whether the next failure is in the queue.
    awaited: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PartPhase {
    Works,
    /// Broken, and waits for a crew.
    Waits,
    /// Broken, under repair.
    Repaired,
}

/// Crews of a fault that repair, and what waits for them.
#[derive(Debug)]
struct Crews {
    /// Crews without work; `None` is no limit.
    free: Option<u32>,
    waiting: VecDeque<(usize, usize)>,
}

/// Part that fails, or is there again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultEvent {
    /// A part fails.
    Fails {
        /// Row of the fault.
        fault: usize,
        /// Machines that fail, if not all do.
        machines: Option<FaultMachines>,
        /// Whether it is to be there again some day.
        returns: bool,
    },
    /// A part is there again.
    Returns {
        /// Row of the fault.
        fault: usize,
        /// Machines that are there again, if not all are.
        machines: Option<FaultMachines>,
    },
}

/// Machines of an offer that fail together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FaultMachines {
    pub(super) offer: Id<Offer>,
    /// Lowest of their slots.
    pub(super) first: u32,
    /// Number of their slots.
    pub(super) slots: u32,
    /// Devices of each that fail, as a bit set; all of those that are taken whole.
    pub(super) devices: u32,
}

/// The failures that are to come.
#[derive(Debug)]
pub(super) struct Faults {
    seed: u64,
    started: Time,
    groups: Vec<FaultGroup>,
    /// Groups whose parts are machines of each offer, or devices; empty where nothing fails.
    by_offer: Vec<Vec<u32>>,
    crews: Vec<Crews>,
    next: BinaryHeap<Reverse<(Time, u32, u32)>>,
    /// Parts that are broken and will work again.
    broken: usize,
}

impl Faults {
    /// None at all.
    pub(super) const fn none() -> Self {
        Self {
            seed: 0,
            started: Time::ZERO,
            groups: Vec::new(),
            by_offer: Vec::new(),
            crews: Vec::new(),
            next: BinaryHeap::new(),
            broken: 0,
        }
    }

    /// Failures of a world from `started` on. `keys` name its offers among random streams.
    pub(super) fn after(world: &World, seed: u64, started: Time, keys: &[u64]) -> Self {
        let crews = world.faults.iter().map(|fault| Crews::new(fault.crews));
        let mut all = Self {
            seed,
            started,
            groups: Vec::new(),
            by_offer: Vec::new(),
            crews: crews.collect(),
            next: BinaryHeap::new(),
            broken: 0,
        };
        if !world.faults.is_empty() {
            all.by_offer.resize(world.offers.len(), Vec::new());
        }
        for (row, fault) in world.faults.iter().enumerate() {
            let name = fnv1a(fault.name.as_bytes());
            let group = |offer: Option<Id<Offer>>, key| FaultGroup {
                fault: row,
                offer,
                key,
                machines: offer.map_or(key, |offer| keys[offer.row()]),
                parts: Vec::new(),
            };
            match fault.domain {
                FaultDomain::Share(_) | FaultDomain::Slots { .. } => {
                    all.groups.push(group(None, name));
                    all.expect_part(world, all.groups.len() - 1, 0);
                }
                FaultDomain::Machines(_) | FaultDomain::Device => {
                    for &offer in &fault.offers {
                        let key = name ^ keys[offer.row()].rotate_left(1);
                        all.by_offer[offer.row()].push(all.groups.len() as u32);
                        all.groups.push(group(Some(offer), key));
                        let facts = &world.offers[offer];
                        if facts.market == Market::Owned {
                            let parts = fault.parts(world, offer, 0..facts.running_at_start);
                            let row = all.groups.len() - 1;
                            parts.for_each(|part| all.expect_part(world, row, part as usize));
                        }
                    }
                }
            }
        }
        all
    }

    /// Time of the next failure or repair.
    #[inline]
    pub(super) fn at(&self) -> Option<Time> {
        self.next.peek().map(|Reverse((at, ..))| *at)
    }

    /// Whether something is broken that will work again.
    pub(super) fn returns(&self) -> bool {
        self.broken > 0
    }

    /// A rented machine holds a slot from now on, so that its failures matter.
    #[inline]
    pub(super) fn holds(&mut self, world: &World, offer: Id<Offer>, slot: u32, now: Time) {
        for at in 0..self.by_offer.get(offer.row()).map_or(0, Vec::len) {
            let row = self.by_offer[offer.row()][at] as usize;
            let fault = &world.faults[self.groups[row].fault];
            for part in fault.parts(world, offer, slot..slot.saturating_add(1)) {
                self.await_part(world, row, part as usize, now);
            }
        }
    }

    /// The next failure or repair, which is over with this, and what it means.
    pub(super) fn pop(&mut self, world: &World) -> Option<FaultEvent> {
        let Reverse((now, row, part)) = self.next.pop()?;
        let (row, part) = (row as usize, part as usize);
        let group = &mut self.groups[row];
        let (row_of_fault, offer) = (group.fault, group.offer);
        let fault = &world.faults[row_of_fault];
        let machines = offer.map(|offer| fault.machines(world, offer, part as u32));
        // A rented machine that stops is gone, and the next one in its place works. Nobody repairs a
        // device of one that goes on.
        let is_gone = |offer| world.offers[offer].market != Market::Owned;
        let for_good = fault.effect.stops_machines() || fault.effect.breaks_devices();
        let replaced = for_good && offer.is_some_and(is_gone);
        let target = &mut group.parts[part];
        target.awaited = false;
        let event = match target.phase {
            PartPhase::Works if replaced => {
                self.next_life(world, (row, part), now);
                FaultEvent::Fails { fault: row_of_fault, machines, returns: false }
            }
            PartPhase::Works => {
                let returns = self.breaks(world, (row, part), now);
                self.broken += usize::from(returns);
                FaultEvent::Fails { fault: row_of_fault, machines, returns }
            }
            PartPhase::Repaired | PartPhase::Waits => {
                target.phase = PartPhase::Works;
                self.broken -= 1;
                self.next_life(world, (row, part), now);
                self.push(row, part);
                self.crew_leaves(world, row_of_fault, now);
                FaultEvent::Returns { fault: row_of_fault, machines }
            }
        };
        Some(event)
    }

    /// Adds a part, of which there are as many as its number says, and waits for its first failure.
    fn expect_part(&mut self, world: &World, row: usize, part: usize) {
        self.make_part(world, row, part);
        self.push(row, part);
    }

    /// Waits for the first failure of a part after `now`. A failure of that very moment has struck who
    /// was there before.
    fn await_part(&mut self, world: &World, row: usize, part: usize, now: Time) {
        self.make_part(world, row, part);
        if self.groups[row].parts[part].awaited {
            return;
        }
        while let Some(fails) = self.groups[row].parts[part].fails.filter(|&fails| fails <= now) {
            self.next_life(world, (row, part), fails);
        }
        self.push(row, part);
    }

    /// Makes the parts up to one, if they are not there, and draws their first failures.
    fn make_part(&mut self, world: &World, row: usize, part: usize) {
        while self.groups[row].parts.len() <= part {
            let at = self.groups[row].parts.len();
            self.groups[row].parts.push(FaultPart::NEW);
            self.next_life(world, (row, at), self.started);
        }
    }

    /// Draws when a part fails that works from `now` on.
    fn next_life(&mut self, world: &World, (row, part): (usize, usize), now: Time) {
        let (seed, started) = (self.seed, self.started);
        let group = &mut self.groups[row];
        let lemon = lemon_of(world, (group.fault, group.offer), part as u32).into();
        let target = &mut group.parts[part];
        let times = &world.faults[group.fault].times;
        target.fails = match (times, times.periods(part)) {
            (FaultTimes::Periods(_) | FaultTimes::Listed(_), None) => None,
            (FaultTimes::Periods(_) | FaultTimes::Listed(_), Some(periods)) => {
                let over =
                    |period: &(Time, Option<Time>)| period.1.is_some_and(|end| end <= started);
                while periods.get(target.lives as usize).is_some_and(over) {
                    target.lives += 1;
                }
                let period = periods.get(target.lives as usize);
                period.map(|&(from, _)| from.max(started))
            }
            (FaultTimes::Drawn { life, lemons, .. }, _) => {
                let entity = [group.machines, lemon];
                let times = lemons.map_or(1.0, |lemons| lemons.times_of(seed, &entity));
                let drawn = draw(life, seed, "life", [group.key, part as u64, target.lives.into()]);
                let life = drawn.and_then(|secs| Span::from_secs_f64(secs / times));
                life.map(|life| now.saturating_add(life.max(SHORTEST_LIFE)))
            }
        };
        target.lives += 1;
    }

    /// A part breaks, and is repaired when a crew is there. Returns whether it ever is.
    fn breaks(&mut self, world: &World, (row, part): (usize, usize), now: Time) -> bool {
        let fault = self.groups[row].fault;
        match &mut self.crews[fault].free {
            None => self.repair(world, (row, part), now),
            Some(0) => {
                self.crews[fault].waiting.push_back((row, part));
                self.groups[row].parts[part].phase = PartPhase::Waits;
                true
            }
            Some(free) => {
                *free -= 1;
                self.repair(world, (row, part), now)
            }
        }
    }

    /// A repair begins. Returns whether it ever ends.
    fn repair(&mut self, world: &World, (row, part): (usize, usize), now: Time) -> bool {
        let group = &mut self.groups[row];
        let target = &mut group.parts[part];
        target.phase = PartPhase::Repaired;
        let lives = target.lives.wrapping_sub(1);
        let times = &world.faults[group.fault].times;
        let end = match times {
            FaultTimes::Periods(_) | FaultTimes::Listed(_) => {
                times.periods(part).and_then(|periods| periods[lives as usize].1)
            }
            FaultTimes::Drawn { repair, .. } => {
                let drawn =
                    draw(repair, self.seed, "repair", [group.key, part as u64, lives.into()]);
                drawn.and_then(Span::from_secs_f64).map(|repair| now.saturating_add(repair))
            }
        };
        let Some(end) = end else { return false };
        target.awaited = true;
        self.next.push(Reverse((end, row as u32, part as u32)));
        true
    }

    /// A crew of a fault has done its repair, and takes the next.
    fn crew_leaves(&mut self, world: &World, fault: usize, now: Time) {
        match self.crews[fault].waiting.pop_front() {
            Some(next) => {
                let returns = self.repair(world, next, now);
                self.broken -= usize::from(!returns);
            }
            None => {
                if let Some(free) = &mut self.crews[fault].free {
                    *free += 1;
                }
            }
        }
    }

    fn push(&mut self, row: usize, part: usize) {
        let target = &mut self.groups[row].parts[part];
        if let Some(fails) = target.fails {
            target.awaited = true;
            self.next.push(Reverse((fails, row as u32, part as u32)));
        }
    }
}

impl FaultPart {
    const NEW: Self = Self { phase: PartPhase::Works, fails: None, lives: 0, awaited: false };
}

impl Crews {
    const fn new(free: Option<u32>) -> Self {
        Self { free, waiting: VecDeque::new() }
    }
}

impl Fault {
    /// The machines of an offer, and the devices of each, that part `part` is.
    fn machines(&self, world: &World, offer: Id<Offer>, part: u32) -> FaultMachines {
        let (first, slots, devices) = match self.domain {
            FaultDomain::Machines(each) => (part.saturating_mul(each), each, u32::MAX),
            FaultDomain::Device => {
                let gpus = world.gpus_of(offer).max(1);
                (part / gpus, 1, 1 << (part % gpus))
            }
            FaultDomain::Share(_) | FaultDomain::Slots { .. } => (0, u32::MAX, u32::MAX),
        };
        FaultMachines { offer, first, slots, devices }
    }

    /// The parts that some of these slots of an offer are in.
    fn parts(&self, world: &World, offer: Id<Offer>, slots: Range<u32>) -> Range<u32> {
        match self.domain {
            FaultDomain::Machines(each) => slots.start / each..slots.end.div_ceil(each),
            FaultDomain::Device => {
                let gpus = world.gpus_of(offer);
                slots.start.saturating_mul(gpus)..slots.end.saturating_mul(gpus)
            }
            FaultDomain::Share(_) | FaultDomain::Slots { .. } => 0..0,
        }
    }
}

/// Number of what is a lemon or is none, of which part `part` is: the machine of a device.
fn lemon_of(world: &World, (fault, offer): (usize, Option<Id<Offer>>), part: u32) -> u32 {
    match (world.faults[fault].domain, offer) {
        (FaultDomain::Device, Some(offer)) => part / world.gpus_of(offer).max(1),
        (
            FaultDomain::Device
            | FaultDomain::Machines(_)
            | FaultDomain::Share(_)
            | FaultDomain::Slots { .. },
            _,
        ) => part,
    }
}

impl Lemons {
    /// Number of times as often as others that a part fails.
    fn times_of(self, seed: u64, part: &[u64]) -> f64 {
        let drawn = Stream::keyed(seed, "lemon", part).below(1_000_000);
        if drawn < u64::from(self.share) { self.times } else { 1.0 }
    }
}

/// Seconds drawn for one life of one part; `None` for a time without end.
fn draw(law: &Distribution, seed: u64, name: &str, part: [u64; 3]) -> Option<f64> {
    let drawn = law.sample(&mut Stream::keyed(seed, name, &part)).max(0.0);
    drawn.is_finite().then_some(drawn)
}
