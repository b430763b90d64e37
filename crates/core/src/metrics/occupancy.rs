//! Work that held machines over time, where few enough machines did little enough; and of every
//! offer, the part that was held over time.

use crate::model::Offer;
use crate::sim::Observer;
use crate::state::{AllocationRef, InstanceRef, Record, State};
use crate::units::{Id, Span, Time};

/// Machines that are told apart at most: slots of offers.
pub const MOST_MACHINES: usize = 24;
/// Holds that are kept at most.
pub const MOST_HOLDS: usize = 1_500;
/// Most columns of time; when they run out, neighbours are merged.
const COLUMNS: usize = 120;
/// Thousandths of a whole machine.
const WHOLE: u32 = 1_000;

/// Work that held a part of a machine for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineUse {
    /// Row of the machine.
    pub machine: usize,
    /// Time at which it began.
    pub from: Time,
    /// Time at which it ended.
    pub until: Time,
    /// Lowest and highest part of the machine, in thousandths; all of it for work that
    /// has the machine alone.
    pub part: (u32, u32),
    /// Class of the work.
    pub class: usize,
    /// Row of the work's tenant.
    pub tenant: usize,
}

/// A slot of an offer, which launches take one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The offer.
    pub offer: Id<Offer>,
    /// Its place in the offer.
    pub slot: u32,
    /// Periods in which it was live.
    pub live: Vec<(Time, Time)>,
}

/// Recorder of machines and of the work that held them.
#[derive(Clone, Debug, Default)]
pub struct OccupancyRecorder {
    machines: Vec<Machine>,
    holds: Vec<MachineUse>,
    /// There were too many machines or holds.
    over: bool,
    /// Row of each instance's machine, by slot of the instance.
    rows: Vec<usize>,
    /// Holds that go on.
    open: Vec<(AllocationRef, MachineUse)>,
    offers: Vec<Strip>,
    start: Time,
    end: Time,
    /// Width of a column.
    width: i64,
    classes: Vec<String>,
    tenants: Vec<String>,
}

/// Milli-cores of an offer: held and live now, since when, and integrals by column.
#[derive(Clone, Debug, Default)]
struct Strip {
    now: [u64; 2],
    since: Time,
    sums: Vec<[i128; 2]>,
}

impl OccupancyRecorder {
    /// Machines, and the work that held them; `None` if there were too many.
    pub fn holds(&self) -> Option<(&[Machine], &[MachineUse])> {
        (!self.over).then_some((&self.machines, &self.holds))
    }

    /// Names of the groups of holds: classes where work has any, else tenants.
    pub fn groups(&self) -> &[String] {
        if self.classes_named() { &self.classes } else { &self.tenants }
    }

    /// Whether work has classes.
    pub fn classes_named(&self) -> bool {
        self.classes.len() > 1
    }

    /// Row of a hold's group.
    pub fn group_of(&self, hold: &MachineUse) -> usize {
        if self.classes_named() { hold.class } else { hold.tenant }
    }

    /// Start of the first column, and the width of each.
    pub fn columns(&self) -> (Time, Span) {
        (self.start, Span::from_micros(self.width))
    }

    /// End of the run.
    pub fn end(&self) -> Time {
        self.end
    }

    /// Offers that had machines: the held share of their cores by column, `None` where no machine
    /// was live.
    pub fn shares(&self) -> Vec<(Id<Offer>, Vec<Option<f64>>)> {
        let columns = self.offers.iter().map(|strip| strip.sums.len()).max().unwrap_or(0);
        let share = |sums: Option<&[i128; 2]>| {
            let [held, live] = *sums?;
            (live > 0).then(|| (held as f64 / live as f64).min(1.0))
        };
        let row = |(row, strip): (usize, &Strip)| {
            let shares = (0..columns).map(|at| share(strip.sums.get(at))).collect();
            (Id::new(row as u32), shares)
        };
        let used = |(_, strip): &(usize, &Strip)| strip.sums.iter().any(|sums| sums[1] > 0);
        self.offers.iter().enumerate().filter(used).map(row).collect()
    }

    /// Changes what is held (0) or live (1) of an offer.
    fn change(&mut self, now: Time, offer: usize, which: usize, by: i64) {
        self.settle(offer, now);
        let level = &mut self.offers[offer].now[which];
        *level = level.saturating_add_signed(by);
    }

    /// Adds what has stood since the last change to the columns that it touches.
    fn settle(&mut self, offer: usize, now: Time) {
        while (now - self.start).micros() > self.width * COLUMNS as i64 {
            self.merge();
        }
        let strip = &mut self.offers[offer];
        let level = strip.now.map(i128::from);
        let (mut from, to) = ((strip.since - self.start).micros(), (now - self.start).micros());
        strip.since = now;
        while from < to {
            let at = (from / self.width) as usize;
            let end = ((at as i64 + 1) * self.width).min(to);
            if strip.sums.len() <= at {
                strip.sums.resize(at + 1, [0, 0]);
            }
            for (sum, level) in strip.sums[at].iter_mut().zip(level) {
                *sum += level * i128::from(end - from);
            }
            from = end;
        }
    }

    #[cold]
    fn merge(&mut self) {
        for strip in &mut self.offers {
            let merged = strip.sums.chunks(2).map(|pair| {
                let second = pair.get(1).copied().unwrap_or([0, 0]);
                [pair[0][0] + second[0], pair[0][1] + second[1]]
            });
            strip.sums = merged.collect();
        }
        self.width *= 2;
    }

    fn requested(&mut self, state: &State<'_>, reference: InstanceRef) {
        let instance = state.instance(reference);
        self.change(state.now(), instance.offer.row(), 1, i64::from(instance.shape.cpu));
        if self.over {
            return;
        }
        let is = |one: &Machine| one.offer == instance.offer && one.slot == instance.slot;
        let row = self.machines.iter().position(is).unwrap_or(self.machines.len());
        if row == MOST_MACHINES {
            self.give_up();
            return;
        }
        if row == self.machines.len() {
            let live = Vec::new();
            self.machines.push(Machine { offer: instance.offer, slot: instance.slot, live });
        }
        // Until now; its release says until when.
        self.machines[row].live.push((state.now(), state.now()));
        if self.rows.len() <= reference.slot() {
            self.rows.resize(reference.slot() + 1, 0);
        }
        self.rows[reference.slot()] = row;
    }

    fn released(&mut self, state: &State<'_>, reference: InstanceRef) {
        let instance = state.instance(reference);
        self.change(state.now(), instance.offer.row(), 1, -i64::from(instance.shape.cpu));
        if !self.over
            && let Some(last) = self.machines[self.rows[reference.slot()]].live.last_mut()
        {
            last.1 = state.now();
        }
    }

    fn started(&mut self, state: &State<'_>, reference: AllocationRef) {
        let allocation = state.allocation(reference);
        let ask = &state.work(allocation.work()).ask;
        for held in &allocation.held {
            let instance = state.instance(held.share.instance);
            let tasks = u64::from(held.share.tasks);
            let cores = u64::from(ask.demand.cpu) * tasks;
            self.change(state.now(), instance.offer.row(), 0, cores as i64);
            if self.over {
                continue;
            }
            let of = |asked: u64, whole: u32| match whole {
                0 => 0,
                whole => asked * tasks * u64::from(WHOLE) / u64::from(whole),
            };
            let parts = [
                of(ask.demand.cpu.into(), instance.shape.cpu),
                of(ask.demand.memory.into(), instance.shape.memory),
                of(ask.demand.gpu_milli().into(), instance.shape.gpu_milli()),
            ];
            let largest = parts.into_iter().max().unwrap_or(0).clamp(1, u64::from(WHOLE));
            let size = if ask.demand.exclusive { WHOLE } else { largest as u32 };
            let machine = self.rows[held.share.instance.slot()];
            let hold = MachineUse {
                machine,
                from: state.now(),
                until: state.now(),
                part: room(self.taken(machine), size),
                class: ask.class.into(),
                tenant: ask.tenant.row(),
            };
            self.open.push((reference, hold));
            if self.holds.len() + self.open.len() > MOST_HOLDS {
                self.give_up();
            }
        }
    }

    /// The parts of a machine that work holds.
    fn taken(&self, machine: usize) -> Vec<(u32, u32)> {
        let on = self.open.iter().filter(|(_, hold)| hold.machine == machine);
        on.map(|(_, hold)| hold.part).collect()
    }

    fn stopped(&mut self, state: &State<'_>, reference: AllocationRef) {
        let allocation = state.allocation(reference);
        if allocation.started().is_none() {
            return;
        }
        let cpu = state.work(allocation.work()).ask.demand.cpu;
        for held in &allocation.held {
            let offer = state.instance(held.share.instance).offer.row();
            let cores = i64::from(cpu) * i64::from(held.share.tasks);
            self.change(state.now(), offer, 0, -cores);
        }
        let (now, holds) = (state.now(), &mut self.holds);
        self.open.retain(|(of, hold)| {
            if *of == reference {
                holds.push(MachineUse { until: now, ..*hold });
            }
            *of != reference
        });
    }

    /// Too much to be drawn one by one.
    #[cold]
    fn give_up(&mut self) {
        self.over = true;
        (self.machines, self.holds, self.open) = Default::default();
    }
}

/// The lowest part of a machine that is free for this size; the largest there is
/// where none is as large, for what is free need not be in one piece.
fn room(mut taken: Vec<(u32, u32)>, size: u32) -> (u32, u32) {
    taken.push((WHOLE, WHOLE));
    taken.sort_unstable();
    let (mut low, mut best) = (0, (0, 0));
    for (from, until) in taken {
        let gap = from.saturating_sub(low);
        if gap >= size {
            return (low, low + size);
        }
        if gap > best.1 - best.0 {
            best = (low, from);
        }
        low = low.max(until);
    }
    best
}

impl Observer for OccupancyRecorder {
    fn begins(&mut self, state: &State<'_>) {
        (self.start, self.end, self.width) = (state.now(), state.now(), 1_000_000);
        let strip = Strip { since: state.now(), ..Strip::default() };
        self.offers = vec![strip; state.world().offers.len()];
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        match *record {
            Record::Requested(instance) => self.requested(state, instance),
            Record::Released { instance, .. } => self.released(state, instance),
            Record::Started(allocation) => self.started(state, allocation),
            Record::Stopped { allocation, .. } => self.stopped(state, allocation),
            Record::Submitted(_)
            | Record::Placed(_)
            | Record::Finished(_)
            | Record::Refused { .. }
            | Record::Unfinished(_)
            | Record::Ready(_)
            | Record::Draining { .. }
            | Record::Failed { .. }
            | Record::Repaired(_)
            | Record::Outage { .. }
            | Record::Slowed { .. }
            | Record::Devices { .. }
            | Record::Restarted { .. }
            | Record::GivenUp { .. }
            | Record::Migrates { .. }
            | Record::AtRisk { .. }
            | Record::Charged(_)
            | Record::LaunchRefused { .. }
            | Record::Noted(..) => (),
        }
    }

    fn ends(&mut self, state: &State<'_>) {
        self.end = state.now();
        for offer in 0..self.offers.len() {
            self.settle(offer, state.now());
        }
        let tenants = state.book().tenants().rows().iter();
        self.tenants = tenants.map(|tenant| tenant.name.clone()).collect();
        let classes = state.book().classes().rows().iter();
        self.classes = classes.map(|class| class.name.clone()).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Needs;
    use crate::state::testing::{Plan, demand, fill, instance, start, world};
    use crate::units::Demand;

    #[test]
    fn parts_of_a_machine_do_not_overlap() {
        let mut taken = Vec::new();
        let hold = |taken: &mut Vec<(u32, u32)>, size| {
            taken.push(room(taken.clone(), size));
            taken[taken.len() - 1]
        };
        assert_eq!(hold(&mut taken, 300), (0, 300));
        assert_eq!(hold(&mut taken, 300), (300, 600));
        taken.remove(0);
        assert_eq!(hold(&mut taken, 400), (600, 1_000));
        // 300 are free below, not 350 in one piece.
        assert_eq!(hold(&mut taken, 350), (0, 300));
    }

    /// A quarter of the cores, beside others and alone.
    #[test]
    fn who_is_alone_holds_the_whole_machine() {
        let asked = demand(1_000, 0, 0, 0);
        for (exclusive, part) in [(false, (0, 250)), (true, (0, 1_000))] {
            let world = world(&[Plan { running: 1, ..Plan::default() }]);
            let mut state = start(&world, Needs::default());
            let mut all = OccupancyRecorder::default();
            all.begins(&state);
            all.requested(&state, instance(&state, 0));
            let work = fill(&mut state, 0, Demand { exclusive, ..asked });
            let allocation = state.work(work).allocations[0];
            all.started(&state, allocation);
            assert_eq!(all.open[0].1.part, part);
        }
    }

    #[test]
    fn columns_merge_without_losing_anything() {
        let world = world(&[Plan { running: 1, ..Plan::default() }]);
        let mut all = OccupancyRecorder::default();
        all.begins(&start(&world, Needs::default()));
        all.change(Time::ZERO, 0, 1, 8_000);
        all.change(Time::from_secs(100), 0, 0, 2_000);
        all.settle(0, Time::from_secs(1_000));
        assert_eq!(all.columns().1, Span::from_secs(16));
        let sums =
            all.offers[0].sums.iter().fold([0, 0], |sum, one| [sum[0] + one[0], sum[1] + one[1]]);
        assert_eq!(sums, [2_000 * 900_000_000, 8_000 * 1_000_000_000]);
    }
}
