//! Offers that a part may use, by their names.

use crate::model::{Offer, World};
use crate::part::{Parameter, PartSettings, Setting, SettingKind};
use crate::units::Id;

/// Offers by the names of their providers, regions, types and families; an empty
/// list admits any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfferScope {
    /// Providers and clusters.
    pub providers: Vec<String>,
    /// Regions as `provider/region`.
    pub regions: Vec<String>,
    /// Instance types.
    pub types: Vec<String>,
    /// Families of instance types.
    pub families: Vec<String>,
}

impl OfferScope {
    /// Whether every offer is admitted.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether `offer` is admitted.
    pub fn admits(&self, world: &World, offer: Id<Offer>) -> bool {
        let has = |names: &[String], name: &str| {
            names.is_empty() || names.iter().any(|known| known == name)
        };
        // The name of a region is made up, which takes long, so only where one is listed.
        let in_region = || {
            self.regions.is_empty()
                || has(&self.regions, &world.region_name(world.region_of(offer)))
        };
        let what = world.type_of(offer);
        has(&self.providers, &world.providers[world.provider_of(offer)].name)
            && in_region()
            && has(&self.types, &what.name)
            && has(&self.families, &what.family)
    }

    /// The scope that these settings, which hold the four parameters below, name.
    pub(super) fn new(settings: &PartSettings) -> Self {
        let named = |what: &str| settings.names(what).to_vec();
        Self {
            providers: named(PROVIDERS.name),
            regions: named(REGIONS.name),
            types: named(TYPES.name),
            families: named(FAMILIES.name),
        }
    }
}

const fn names(name: &'static str, kind: SettingKind, doc: &'static str) -> Parameter {
    Parameter { name, kind, default: Setting::Unset("any"), doc }
}

pub(super) const PROVIDERS: Parameter =
    names("providers", SettingKind::Providers, "Only these providers and clusters.");
pub(super) const REGIONS: Parameter =
    names("regions", SettingKind::Regions, "Only these regions, as `provider/region`.");
pub(super) const TYPES: Parameter =
    names("types", SettingKind::Types, "Only these instance types.");
pub(super) const FAMILIES: Parameter =
    names("families", SettingKind::Families, "Only these families of instance types.");
