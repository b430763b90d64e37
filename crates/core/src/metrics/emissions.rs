//! Energy and grid carbon of where machines ran: in all, by region and by tenant.

use super::energy::{Energy, MeteredEnergy};
use super::summary::Carbon;
use crate::model::World;
use crate::state::State;
use crate::units::Time;

/// Adds up energy and carbon, and where it is not known.
#[derive(Clone, Debug, Default)]
pub(super) struct Emissions {
    /// Sums by row of the region.
    regions: Vec<Emitted>,
    /// What work caused, by row of the tenant.
    tenants: Vec<Energy>,
}

/// Sums of the machines of one region.
#[derive(Clone, Copy, Debug, Default)]
struct Emitted {
    known: Energy,
    /// Microseconds that machines lived whose power is not known.
    no_power: i128,
    /// The same of the grid's carbon.
    no_grid: i128,
}

impl Emissions {
    /// Takes in what was metered.
    pub(super) fn add(&mut self, state: &State<'_>, metered: MeteredEnergy) {
        match metered {
            MeteredEnergy::Work(work, energy) => {
                let tenant = state.work(work).ask.tenant.row();
                if self.tenants.len() <= tenant {
                    self.tenants.resize(tenant + 1, Energy::default());
                }
                self.tenants[tenant] += energy;
            }
            MeteredEnergy::Machine(reference, drawn) => {
                let instance = state.instance(reference);
                self.machine(state, instance.region.row(), instance.meter().since(), drawn);
            }
        }
    }

    fn machine(&mut self, state: &State<'_>, row: usize, since: Time, drawn: Option<Energy>) {
        let lived = i128::from((state.now() - since).micros());
        if self.regions.len() <= row {
            self.regions.resize(row + 1, Emitted::default());
        }
        let emitted = &mut self.regions[row];
        match drawn {
            Some(drawn) => emitted.known += drawn,
            None => emitted.no_power += lived,
        }
        if state.world().regions.rows()[row].carbon.is_none() {
            emitted.no_grid += lived;
        }
    }

    /// Takes away what `earlier` added up.
    pub(super) fn subtract(&mut self, earlier: &Self) {
        for (mine, theirs) in self.regions.iter_mut().zip(&earlier.regions) {
            mine.known.subtract(theirs.known);
            mine.no_power -= theirs.no_power;
            mine.no_grid -= theirs.no_grid;
        }
        for (mine, theirs) in self.tenants.iter_mut().zip(&earlier.tenants) {
            mine.subtract(*theirs);
        }
    }

    /// Energy in kilowatt-hours and carbon in kilograms, with the keys that are missing. `tenants` are
    /// names by row.
    pub(super) fn carbon(&self, world: &World, tenants: &[String]) -> Carbon {
        let mut all = Energy::default();
        let mut carbon = Carbon::default();
        let mut no_power = 0;
        for (region, emitted) in world.regions.ids().zip(&self.regions) {
            all += emitted.known;
            no_power += emitted.no_power;
            let missing = match (emitted.no_power > 0, emitted.no_grid > 0) {
                (false, false) => None,
                (true, false) => Some("`power`"),
                (false, true) => Some("`carbon_g_per_kwh`"),
                (true, true) => Some("`power` and `carbon_g_per_kwh`"),
            };
            let name = world.region_name(region);
            carbon.unknown.extend(missing.map(|missing| (name.clone(), missing)));
            let provider = world.regions[region].provider;
            let (kwh, kg) = (emitted.known.kwh(), emitted.known.carbon_kg());
            if kwh > 0.0 || emitted.no_power > 0 {
                let known = (emitted.no_power == 0).then_some(kwh);
                carbon.kwh_by_region.push((name.clone(), known));
                add_to(&mut carbon.kwh_by_provider, &world.providers[provider].name, known);
            }
            if kg > 0.0 || missing.is_some() {
                let known = missing.is_none().then_some(kg);
                carbon.by_region.push((name, known));
                add_to(&mut carbon.by_provider, &world.providers[provider].name, known);
            }
        }
        let mut idle = all;
        for (name, &caused) in tenants.iter().zip(&self.tenants) {
            idle.subtract(caused);
            if caused != Energy::default() {
                carbon.kwh_by_tenant.push((name.clone(), caused.kwh()));
                carbon.by_tenant.push((name.clone(), caused.carbon_kg()));
            }
        }
        carbon.kwh = (no_power == 0).then(|| all.kwh());
        carbon.known_kg = all.carbon_kg();
        carbon.kg = carbon.unknown.is_empty().then_some(carbon.known_kg);
        // Parts of work are rounded down, by share and start: by no more than some 1e-12 J.
        (carbon.idle_kwh, carbon.idle_kg) = (idle.kwh().max(0.0), idle.carbon_kg().max(0.0));
        carbon
    }
}

/// Adds to the sum of that name, which is not known where a part of it is not. Regions of a provider
/// follow each other.
fn add_to(sums: &mut Vec<(String, Option<f64>)>, name: &str, part: Option<f64>) {
    match sums.last_mut().filter(|(last, _)| last == name) {
        Some((_, sum)) => *sum = sum.zip(part).map(|(sum, part)| sum + part),
        None => sums.push((name.to_owned(), part)),
    }
}
