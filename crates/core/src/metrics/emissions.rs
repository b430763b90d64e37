//! Grid carbon of where instances ran, from mean power.

use super::summary::Carbon;
use crate::model::World;
use crate::state::{InstanceRef, State};

/// Adds up carbon by region, and where it is not known.
#[derive(Clone, Debug, Default)]
pub(super) struct Emissions {
    /// Emissions by region.
    regions: Vec<Emitted>,
}

/// Emissions of the instances of one region.
#[derive(Clone, Copy, Debug, Default)]
struct Emitted {
    /// Milligrams of CO2-equivalent, times 3.6e15 (milliwatts, microseconds, per kWh).
    known: i128,
    /// Microseconds that instances lived whose power is not known.
    no_power: i128,
    /// The same of the grid's carbon.
    no_grid: i128,
}

impl Emissions {
    /// An instance is given back.
    pub(super) fn released(&mut self, state: &State<'_>, reference: InstanceRef) {
        let (instance, world) = (state.instance(reference), state.world());
        let region = world.region_of(instance.offer);
        let lived = i128::from((state.now() - instance.meter().since()).micros());
        if self.regions.len() <= region.row() {
            self.regions.resize(region.row() + 1, Emitted::default());
        }
        let emitted = &mut self.regions[region.row()];
        let power = world.type_of(instance.offer).power_milliwatts;
        let grid = world.regions[region].carbon_mg_per_kwh;
        match (power, grid) {
            (Some(power), Some(grid)) => {
                emitted.known += lived * i128::from(power) * i128::from(grid);
            }
            _ => {
                emitted.no_power += if power.is_none() { lived } else { 0 };
                emitted.no_grid += if grid.is_none() { lived } else { 0 };
            }
        }
    }

    /// Takes away what `earlier` added up.
    pub(super) fn subtract(&mut self, earlier: &Self) {
        for (mine, theirs) in self.regions.iter_mut().zip(&earlier.regions) {
            mine.known -= theirs.known;
            mine.no_power -= theirs.no_power;
            mine.no_grid -= theirs.no_grid;
        }
    }

    /// Carbon in kilograms, with the keys that are missing.
    pub(super) fn carbon(&self, world: &World) -> Carbon {
        let kilograms = |sum: i128| sum as f64 / 3.6e15 / 1e6;
        let known_kg = kilograms(self.regions.iter().map(|region| region.known).sum());
        let (mut by_region, mut unknown) = (Vec::new(), Vec::new());
        for (region, emitted) in world.regions.ids().zip(&self.regions) {
            let missing = match (emitted.no_power > 0, emitted.no_grid > 0) {
                (false, false) => None,
                (true, false) => Some("`power`"),
                (false, true) => Some("`carbon_g_per_kwh`"),
                (true, true) => Some("`power` and `carbon_g_per_kwh`"),
            };
            let name = world.region_name(region);
            unknown.extend(missing.map(|missing| (name.clone(), missing)));
            if emitted.known > 0 || missing.is_some() {
                by_region.push((name, missing.is_none().then(|| kilograms(emitted.known))));
            }
        }
        Carbon { kg: unknown.is_empty().then_some(known_kg), known_kg, by_region, unknown }
    }
}
