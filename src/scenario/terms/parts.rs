//! What machines are made of whose cores and memory are committed apart, by the shipped catalog.

use std::collections::BTreeMap;

use super::BillingTerms;
use crate::billing::commitment::{Benefit, Matching};
use crate::billing::offering::Offering;
use crate::billing::parts::{MachineParts, part_prices};
use crate::billing::rules::shipped;
use crate::billing::terms::AccountTerms;
use crate::model::World;
use crate::scenario::catalog::Catalog;
use crate::units::Rate;

/// Name of a type, its cores and GiB, and its price.
type CatalogMachine<'c> = (&'c str, [u32; 2], Rate);

/// Millicores of a core, and MiB of a GiB.
const WHOLE: [u32; 2] = [1_000, 1_024];

/// Looks up the machines of all families of which cores or memory are committed or on offer, and no whole
/// machines there. The price of a core and of a GiB in a region follows from those of the family's machines
/// there.
pub(super) fn look_up(terms: &mut AccountTerms, offerings: &[Offering]) {
    let held = terms.commitments.rows().iter().map(|held| (&held.provider, &held.benefit));
    let offered = offerings.iter().map(|offering| (&offering.provider, &offering.benefit));
    let reserved: Vec<(String, Matching)> = held
        .chain(offered)
        .filter_map(|(provider, benefit)| match benefit {
            Benefit::Reserved { matching, .. } => Some((provider.clone(), matching.clone())),
            Benefit::Spending { .. } => None,
        })
        .collect();
    for (provider, family) in families(&reserved) {
        let Some(Ok(catalog)) = Catalog::shipped(&provider) else { continue };
        let mut regions: BTreeMap<&str, Vec<CatalogMachine<'_>>> = BTreeMap::new();
        for price in catalog.prices.iter().filter(|price| price.market == "on-demand") {
            let name = price.instance_type.as_str();
            let kind = catalog.types.iter().find(|kind| kind.name == name);
            let units =
                kind.filter(|kind| kind.gpus == 0).and_then(|kind| units([kind.cpu, kind.memory]));
            if let Some(units) = units.filter(|_| shipped().family_of(&provider, name) == family) {
                regions.entry(&price.region).or_default().push((name, units, price.rate));
            }
        }
        regions.retain(|region, _| !has_machines(&reserved, &provider, &family, region));
        for (region, machines) in regions {
            let rows: Vec<_> = machines.iter().map(|(_, units, rate)| (*units, *rate)).collect();
            let Some(prices) = part_prices(&rows) else { continue };
            for (name, units, _) in machines {
                let key = (provider.clone(), region.to_owned(), name.to_owned());
                terms.parts.insert(key, MachineParts { units, prices });
            }
        }
    }
}

/// Providers and families of which cores or memory are reserved.
fn families(reserved: &[(String, Matching)]) -> Vec<(String, String)> {
    let sizes =
        reserved.iter().filter_map(|(provider, held)| Some((provider, held.size.as_ref()?)));
    let parts = sizes.filter(|(provider, size)| shipped().is_part(provider, size));
    let mut found: Vec<(String, String)> = parts
        .filter_map(|(provider, size)| {
            Some((provider.clone(), size.rsplit_once('-')?.0.to_owned()))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether whole machines of a family on Linux are reserved in a region.
fn has_machines(
    reserved: &[(String, Matching)],
    provider: &str,
    family: &str,
    region: &str,
) -> bool {
    let of_it = |size: &String| shipped().family_of(provider, size) == family;
    reserved.iter().any(|(of, matching)| {
        let families = matching.families.iter().flatten();
        of == provider
            && matching.system.as_deref() == Some("linux")
            && matching.region.as_deref().is_none_or(|of| of == region)
            && (families.chain(&matching.size).any(|name| name == family || of_it(name)))
    })
}

/// Whole cores and GiB; `None` of a machine that has parts of one, or none.
fn units(shape: [u32; 2]) -> Option<[u32; 2]> {
    let are_whole = shape.iter().zip(WHOLE).all(|(size, whole)| *size > 0 && size % whole == 0);
    are_whole.then(|| [shape[0] / WHOLE[0], shape[1] / WHOLE[1]])
}

impl BillingTerms {
    /// Forgets what machines are made of that are others in this world.
    pub fn keep_parts_of(&mut self, world: &World) {
        for (offer, facts) in world.offers.iter() {
            let (zone, kind) = (&world.zones[facts.zone], world.type_of(offer));
            let region = &world.regions[zone.region];
            let provider = world.providers[region.provider].name.clone();
            let key = (provider, region.name.clone(), kind.name.clone());
            let shape = units([kind.whole.cpu, kind.whole.memory]);
            if self.terms.parts.get(&key).is_some_and(|known| Some(known.units) != shape) {
                self.terms.parts.remove(&key);
            }
        }
    }
}
