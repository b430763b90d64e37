//! Energy of machines and the carbon of the grids that it came from: of each machine, and of the work
//! on it.
//!
//! A machine draws `P(u)` of its power curve, where `u` is its load: the part of its GPUs that tasks
//! hold, or of its cores where it has none; tasks that have it alone hold all of it. It draws `P(0)`
//! from its request on while it holds nothing, as it boots too, and nothing while it is down. All of
//! that times the power usage effectiveness of the region is what the grid gives.
//!
//! Tasks that hold a part `l` of the machine cause `l P(0)` and `l / u` of what it draws beyond `P(0)`.
//! So `(1 - u) P(0)` is left that no work causes.

use std::ops::AddAssign;

use super::fact::Fact;
use crate::model::{PowerCurve, StepPath, World};
use crate::state::{Allocation, AllocationRef, InstanceRef, LiveWork, Record, State, WorkRef};
use crate::units::Time;

/// Energy, and the carbon of the grid that gave it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Energy {
    /// Microwatts times microseconds.
    energy: i128,
    /// The same times micrograms of CO2-equivalent per kWh.
    carbon: i128,
}

impl Energy {
    /// Microwatt-microseconds in a kilowatt-hour.
    const PER_KWH: f64 = 3.6e18;

    /// Kilowatt-hours.
    pub fn kwh(self) -> f64 {
        self.energy as f64 / Self::PER_KWH
    }

    /// Kilograms of CO2-equivalent, of grids whose carbon intensity is known.
    pub fn carbon_kg(self) -> f64 {
        self.carbon as f64 / Self::PER_KWH / 1e9
    }

    /// Adds `power` microwatts over a time and an integral of the intensity.
    fn add_power(&mut self, power: i64, time: i128, intensity: i128) {
        self.energy += i128::from(power) * time;
        self.carbon += i128::from(power) * intensity;
    }

    /// `held` of `whole` of it, rounded down.
    fn part(self, held: u64, whole: u64) -> Self {
        let part = |sum: i128| (sum * i128::from(held)).div_euclid(i128::from(whole.max(1)));
        Self { energy: part(self.energy), carbon: part(self.carbon) }
    }

    pub(super) fn subtract(&mut self, other: Self) {
        self.energy -= other.energy;
        self.carbon -= other.carbon;
    }
}

impl AddAssign for Energy {
    fn add_assign(&mut self, other: Self) {
        self.energy += other.energy;
        self.carbon += other.carbon;
    }
}

/// Meters what machines draw, and what the work on them causes of that. Where the power of no machine
/// is known it does nothing.
#[derive(Clone, Debug, Default)]
pub struct EnergyMeter {
    /// Power by offer with all that its data centre adds, if it is known; empty where none is.
    curves: Vec<Option<PowerCurve>>,
    /// Machines by the slot of the instance.
    machines: Vec<MachineMeter>,
    /// By the slot of an allocation, what its shares had read in all when it started.
    open: Vec<Energy>,
}

/// What the records of a run say of energy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MeteredEnergy {
    /// Tasks have stopped, and caused this since they started.
    Work(WorkRef, Energy),
    /// A machine was given back, and drew this since it was requested; `None` where that is not known.
    Machine(InstanceRef, Option<Energy>),
}

/// What one machine draws.
#[derive(Clone, Copy, Debug, Default)]
struct MachineMeter {
    last: Time,
    /// Integral of the grid's intensity until then.
    intensity: i128,
    /// Milli-cores or milli-GPUs that are held, and all that there are.
    held: u64,
    whole: u64,
    is_down: bool,
    /// Microwatts that it draws now, and those of a task that held all of it at the present load.
    draws: i64,
    full: i64,
    /// Sums of both.
    drawn: Energy,
    full_drawn: Energy,
}

impl MachineMeter {
    /// Adds up until `now`.
    fn settle(&mut self, now: Time, grid: Option<&StepPath>) {
        let time = i128::from((now - self.last).micros());
        if time == 0 {
            return;
        }
        let intensity = grid.map_or(0, |path| path.integral(now));
        let passed = intensity - self.intensity;
        self.drawn.add_power(self.draws, time, passed);
        self.full_drawn.add_power(self.full, time, passed);
        (self.last, self.intensity) = (now, intensity);
    }

    /// Sets what it draws from now on.
    fn set(&mut self, curve: &PowerCurve) {
        (self.draws, self.full) = (0, 0);
        if !self.is_down {
            self.draws = curve.at(self.held, self.whole);
            let beyond = i128::from(self.draws - curve.idle()) * i128::from(self.whole);
            let beyond = beyond.checked_div_euclid(i128::from(self.held)).unwrap_or(0);
            self.full = curve.idle() + i64::try_from(beyond).unwrap_or(0);
        }
    }
}

impl EnergyMeter {
    /// The run begins in this world.
    pub fn begins(&mut self, world: &World) {
        let curve = |offer| {
            let power = world.type_of(offer).power.as_ref()?;
            Some(power.scaled(world.regions[world.region_of(offer)].pue_millionths))
        };
        self.curves = world.offers.ids().map(curve).collect();
        if self.curves.iter().all(Option::is_none) {
            self.curves.clear();
        }
    }

    /// Takes in a record; returns the energy that a piece of work caused, if tasks of it stopped.
    pub fn record(&mut self, state: &State<'_>, record: &Record) -> Option<(WorkRef, Energy)> {
        match self.see(state, Fact::of(state, record))? {
            MeteredEnergy::Work(work, energy) => Some((work, energy)),
            MeteredEnergy::Machine(..) => None,
        }
    }

    /// The same of a fact.
    #[inline]
    pub(super) fn see(&mut self, state: &State<'_>, fact: Fact<'_>) -> Option<MeteredEnergy> {
        if self.curves.is_empty() {
            return match fact {
                Fact::Released { instance, .. } => Some(MeteredEnergy::Machine(instance, None)),
                _ => None,
            };
        }
        self.meter(state, fact)
    }

    fn meter(&mut self, state: &State<'_>, fact: Fact<'_>) -> Option<MeteredEnergy> {
        match fact {
            Fact::Requested(instance, _) => self.requested(state, instance),
            Fact::Started(allocation, started, live) => {
                let read = self.hold(state, started, live, true);
                if self.open.len() <= allocation.slot() {
                    self.open.resize(allocation.slot() + 1, Energy::default());
                }
                self.open[allocation.slot()] = read;
            }
            Fact::Stopped { allocation, stopped, live, .. } => {
                stopped.started()?;
                return Some(self.stopped(state, allocation, stopped, live));
            }
            Fact::Failed(instance, _) => self.turn(state, instance, true),
            Fact::Repaired(instance, _) => self.turn(state, instance, false),
            Fact::Released { instance, .. } => {
                let (row, offer) = (instance.slot(), state.instance(instance).offer);
                self.settle(state, instance);
                let known = self.curves[offer.row()].is_some();
                return Some(MeteredEnergy::Machine(
                    instance,
                    known.then(|| self.machines[row].drawn),
                ));
            }
            Fact::Submitted(..)
            | Fact::Placed(_)
            | Fact::Finished(..)
            | Fact::Refused(..)
            | Fact::Unfinished(_)
            | Fact::Ready(..)
            | Fact::Draining(..)
            | Fact::Outage(..)
            | Fact::Slowed { .. }
            | Fact::Devices { .. }
            | Fact::Restarted(..)
            | Fact::GivenUp { .. }
            | Fact::Migrates(..)
            | Fact::AtRisk(..)
            | Fact::Charged(..)
            | Fact::LaunchRefused(..)
            | Fact::Noted => {}
        }
        None
    }

    fn requested(&mut self, state: &State<'_>, reference: InstanceRef) {
        let instance = state.instance(reference);
        if self.machines.len() <= reference.slot() {
            self.machines.resize(reference.slot() + 1, MachineMeter::default());
        }
        let shape = instance.shape;
        let grid = grid_of(state, reference);
        let meter = &mut self.machines[reference.slot()];
        *meter = MachineMeter {
            last: state.now(),
            intensity: grid.map_or(0, |path| path.integral(state.now())),
            whole: shape.loadable(),
            ..MachineMeter::default()
        };
        if let Some(curve) = &self.curves[instance.offer.row()] {
            meter.set(curve);
        }
    }

    /// Tasks have stopped: what they read now, less what they had read when they started.
    fn stopped(
        &mut self,
        state: &State<'_>,
        allocation: AllocationRef,
        stopped: &Allocation,
        live: &LiveWork,
    ) -> MeteredEnergy {
        let mut caused = self.hold(state, stopped, live, false);
        caused.subtract(self.open[allocation.slot()]);
        MeteredEnergy::Work(stopped.work(), caused)
    }

    /// Shares of an allocation are held from now on, or no more. Returns what they read now in all.
    fn hold(
        &mut self,
        state: &State<'_>,
        allocation: &Allocation,
        live: &LiveWork,
        begins: bool,
    ) -> Energy {
        let mut read = Energy::default();
        for held in &allocation.held {
            let instance = held.share.instance;
            self.settle(state, instance);
            let offer = state.instance(instance).offer.row();
            let meter = &mut self.machines[instance.slot()];
            let shape = state.instance(instance).shape;
            let part = shape.load(live.ask.demand, held.share.tasks);
            read += meter.full_drawn.part(part, meter.whole);
            match begins {
                true => meter.held += part,
                false => meter.held -= part,
            }
            if let Some(curve) = &self.curves[offer] {
                meter.set(curve);
            }
        }
        read
    }

    /// A machine fails, or works again.
    fn turn(&mut self, state: &State<'_>, instance: InstanceRef, is_down: bool) {
        self.settle(state, instance);
        let offer = state.instance(instance).offer.row();
        let meter = &mut self.machines[instance.slot()];
        meter.is_down = is_down;
        if let Some(curve) = &self.curves[offer] {
            meter.set(curve);
        }
    }

    fn settle(&mut self, state: &State<'_>, instance: InstanceRef) {
        let grid = grid_of(state, instance);
        self.machines[instance.slot()].settle(state.now(), grid);
    }
}

fn grid_of<'s>(state: &'s State<'_>, instance: InstanceRef) -> Option<&'s StepPath> {
    state.world().regions[state.instance(instance).region].carbon.as_ref()
}

#[cfg(test)]
mod tests;
