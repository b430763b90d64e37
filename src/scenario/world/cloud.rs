//! Clouds: the part of a catalog that a scenario names.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::EstimatedPrices;
use super::{Build, availability, comovement, energy, launch, price};
use crate::model::{
    Billing, InstanceType, Market, Offer, PricePath, Provider, Quota, QuotaUnit, Reclaimed, Region,
    SpotTerms, Zone,
};
use crate::problem::clip;
use crate::scenario::assumption::{Assumption, AssumptionScope};
use crate::scenario::catalog::{Catalog, CatalogPrice, CatalogRegion, CatalogType, SHIPPED};
use crate::scenario::composition::unknown_name;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::{Distribution, Id, Rate, Shape, Span};

/// Time until a stopped instance is ready again, where a scenario says nothing: assumed.
const RESTART: Span = Span::from_secs(60);

impl Build<'_> {
    /// Reads `[cloud.name]`.
    pub(super) fn cloud(
        &mut self,
        name: &str,
        section: &ConfigTable,
        key: &Range<usize>,
        report: &mut Diagnostics<'_>,
    ) {
        if self.world.providers.rows().iter().any(|known| known.name == name) {
            report.at(key, format!("`{}` is the name of a cluster too", clip(name)));
            return;
        }
        section.require("regions", report);
        let Some(catalog) = self.catalog(name, section, key, report) else { return };
        let first_offer = self.world.offers.len();
        let regions = named_regions(&catalog, section, report);
        let named = !regions.is_empty();
        // Zones are not checked where a named region is not there: they may lie in it.
        let all_there = regions.len() == section.texts("regions").len();
        check_names(&catalog, section, all_there, report);
        let throttle = launch::throttle(self, name, section, report);
        let provider = self.world.providers.push(Provider {
            name: name.to_owned(),
            title: catalog.title.clone(),
            billing: Billing { granularity: catalog.granularity, minimum: catalog.minimum },
            spot: SpotTerms {
                notice: section.span("notice").unwrap_or(catalog.notice),
                protected: section.span("protected").unwrap_or(catalog.protected),
                longest: section.span("max_life"),
                rebalance: section.span("rebalance").filter(|&lead| lead > Span::ZERO),
                reclaimed: reclaimed(section),
                restart: section.span("restart").unwrap_or(RESTART),
            },
            throttle,
        });
        let mut assumed = Vec::new();
        let mut sold = sold(section, &catalog);
        let calendar = self.world.calendar;
        let changes = OfferPaths {
            prices: price::PriceChanges::read(self, section, &catalog, report),
            capacities: availability::Availability::read(self, name, section, report),
            launches: launch::LaunchRows::read(section),
        };
        for region in regions {
            let grid = self.grid(section, region, report);
            let id = self.world.regions.push(Region {
                name: region.name.clone(),
                provider,
                jurisdiction: region.jurisdiction.clone(),
                certifications: region.certifications.clone(),
                carbon: Some(grid.carbon),
                pue_millionths: grid.pue_millionths,
            });
            self.tiers.push([catalog.same_provider, catalog.internet]);
            let wanted = section.texts("zones");
            for zone in &region.zones {
                if wanted.is_empty() || wanted.iter().any(|(wanted, _)| wanted == zone) {
                    let zone = self.world.zones.push(Zone { name: zone.clone(), region: id });
                    let of_zone =
                        self.offers((name, zone, region), section, &mut sold, &changes, report);
                    assumed.extend(of_zone);
                }
            }
        }
        let offers = self.world.offers.len() - first_offer;
        if offers == 0 && named {
            let markets: Vec<&str> = sold.markets.iter().map(|market| market.name()).collect();
            let of_any = catalog.prices.iter().any(|price| markets.contains(&&*price.market));
            let markets = markets.join(" or ");
            let message = match of_any {
                true => format!("nothing of `{}` is sold as the scenario names it", clip(name)),
                false => format!("`{}` has no {markets} market: nothing is sold on it", clip(name)),
            };
            report.hint(key, message, format!("look at `windtunnel catalog show {}`", clip(name)));
        }
        energy::check(section, &catalog, report);
        price::check(section, &catalog, calendar, report);
        availability::check(section, &catalog, calendar, report);
        launch::check(section, &catalog, report);
        comovement::link(&mut self.world, (name, first_offer), section, report);
        self.quotas(name, (section, all_there), &catalog, first_offer, report);
        self.assume(name, section, &catalog, offers, assumed);
    }

    /// The catalog that the cloud names, or the shipped one of its name.
    fn catalog(
        &mut self,
        name: &str,
        section: &ConfigTable,
        key: &Range<usize>,
        report: &mut Diagnostics<'_>,
    ) -> Option<Catalog> {
        let catalog = match section.text("catalog") {
            Some(path) => Some(Catalog::load(&self.file(path), path)),
            None => Catalog::shipped(name),
        };
        match catalog {
            Some(Ok(catalog)) => {
                self.inputs.extend(catalog.files.iter().cloned());
                Some(catalog)
            }
            Some(Err(problems)) => {
                report.problems.extend(problems);
                None
            }
            None => {
                let message = format!("there is no shipped catalog called `{}`", clip(name));
                let hint =
                    unknown_name(name, SHIPPED) + " (or give `catalog`, the folder of your own)";
                report.hint(key, message, hint);
                None
            }
        }
    }

    /// Adds the offers of one zone; returns those that have an assumed price.
    fn offers(
        &mut self,
        (cloud, zone, region): (&str, Id<Zone>, &CatalogRegion),
        section: &ConfigTable,
        sold: &mut Sold<'_>,
        changes: &OfferPaths,
        report: &mut Diagnostics<'_>,
    ) -> Vec<Id<Offer>> {
        let mut assumed = Vec::new();
        let Sold { catalog, types, prices, markets } = sold;
        for SoldType { known, id, capacity, boot } in types {
            let price = |market: Market| {
                let key = (region.name.as_str(), known.name.as_str(), market.name());
                prices.get(&key).copied()
            };
            let on_demand = price(Market::OnDemand);
            for &market in &*markets {
                let Some(listed) = price(market) else { continue };
                if id.is_none() {
                    *id = self.rented_type(known, section, catalog, report);
                }
                let Some(instance_type) = *id else { return assumed };
                let base = price::base(section, market, listed.rate);
                let zone_name = &self.world.zones[zone].name;
                let names = (*known, region, zone_name.as_str(), market);
                let name = format!("{cloud}/{zone_name}/{}/{}", known.name, market.name());
                let capacity = changes.capacities.path(*capacity, &name, names);
                let path = PricePath {
                    list: on_demand.map(|on_demand| on_demand.rate),
                    ..changes.prices.path(base, &name, names)
                };
                let max_price = match market {
                    Market::Spot => max_price(section, on_demand.map(|one| one.rate)),
                    Market::OnDemand | Market::Owned => None,
                };
                let offer = self.world.offers.push(Offer {
                    name,
                    zone,
                    instance_type,
                    market,
                    price: path,
                    max_price,
                    capacity,
                    launch: changes.launches.terms(boot, names),
                    running_at_start: 0,
                });
                if !listed.provenance.assumed.is_empty() {
                    assumed.push(offer);
                }
            }
        }
        assumed
    }

    /// The id of a catalog's type, less what the system keeps back.
    fn rented_type(
        &mut self,
        known: &CatalogType,
        section: &ConfigTable,
        catalog: &Catalog,
        report: &mut Diagnostics<'_>,
    ) -> Option<Id<InstanceType>> {
        let system = section.section("system");
        let cpu = system.amount("vcpus").unwrap_or(catalog.system_cpu);
        let memory = system.amount("memory").unwrap_or(catalog.system_memory);
        let left = known.cpu.checked_sub(cpu).filter(|&cpu| cpu > 0);
        let (Some(cpu), Some(memory)) = (left, known.memory.checked_sub(memory)) else {
            let message = format!("leaves nothing of `{}` for work", known.name);
            report.at(&section.spot("system"), message);
            return None;
        };
        let gpu_model = (known.gpus > 0).then(|| self.gpu_model(&known.gpu_model));
        Some(self.instance_type(InstanceType {
            name: known.name.clone(),
            family: known.family.clone(),
            shape: Shape { cpu, memory, gpus: known.gpus },
            whole: Shape { cpu: known.cpu, memory: known.memory, gpus: known.gpus },
            gpu_model,
            speed: known.speed,
            power: Some(energy::power_of(known, section)),
        }))
    }

    /// Adds the quotas that the scenario names, and the published ones where it wants them.
    fn quotas(
        &mut self,
        cloud: &str,
        (section, all_there): (&ConfigTable, bool),
        catalog: &Catalog,
        first_offer: usize,
        report: &mut Diagnostics<'_>,
    ) {
        for quota in section.list("quota") {
            quota.require("unit", report);
            quota.require("limit", report);
            let (Some(unit), Some(limit)) = (quota.text("unit"), quota.count("limit")) else {
                continue;
            };
            let before = self.world.quotas.len();
            for region in regions_of(catalog, section) {
                if quota.text("region").is_some_and(|wanted| wanted != region) {
                    continue;
                }
                let family = quota.text("family");
                let market = quota.text("market");
                self.quota(cloud, region, (unit, limit), first_offer, |offer, known| {
                    family.is_none_or(|family| family == known.family)
                        && market.is_none_or(|market| market == offer.market.name())
                });
                if let Some(quota) =
                    self.world.quotas.get_mut(before..).and_then(|new| new.last_mut())
                {
                    let of = [family, market].into_iter().flatten().collect::<Vec<_>>().join(" ");
                    let space = if of.is_empty() { "" } else { " " };
                    quota.name = format!("{cloud}/{region} {of}{space}{unit}");
                }
            }
            if self.world.quotas.len() == before && all_there {
                report.hint(
                    &quota.range,
                    "the quota holds for no offer",
                    "check its `region`, `family` and `market`",
                );
            }
        }
        if section.flag("default_quotas") == Some(true) {
            for region in regions_of(catalog, section) {
                for (with_gpus, limit) in [false, true].into_iter().zip(catalog.spot_quota) {
                    let Some(limit) = limit else { continue };
                    self.quota(
                        cloud,
                        region,
                        ("vcpus", u64::from(limit)),
                        first_offer,
                        |offer, known| {
                            offer.market == Market::Spot && (known.whole.gpus > 0) == with_gpus
                        },
                    );
                }
            }
        }
    }

    /// Adds one quota over the cloud's offers in a region that `counts`, if there are any.
    fn quota(
        &mut self,
        cloud: &str,
        region: &str,
        (unit, limit): (&str, u64),
        first_offer: usize,
        counts: impl Fn(&Offer, &InstanceType) -> bool,
    ) {
        let world = &self.world;
        let offers: Vec<Id<Offer>> = world
            .offers
            .iter()
            .skip(first_offer)
            .filter(|(id, offer)| {
                world.regions[world.region_of(*id)].name == region
                    && counts(offer, world.type_of(*id))
            })
            .map(|(id, _)| id)
            .collect();
        if offers.is_empty() {
            return;
        }
        let (unit_of, scale) = match unit {
            "vcpus" => (QuotaUnit::Cpu, 1_000),
            "gpus" => (QuotaUnit::Gpus, 1),
            _ => (QuotaUnit::Instances, 1),
        };
        let name = format!("{cloud}/{region} spot {unit} of a new account");
        self.world.quotas.push(Quota { name, unit: unit_of, limit: limit * scale, offers });
    }

    /// Says what a reader must know about this cloud.
    fn assume(
        &mut self,
        name: &str,
        section: &ConfigTable,
        catalog: &Catalog,
        offers: usize,
        assumed: Vec<Id<Offer>>,
    ) {
        let of = |market| AssumptionScope::RentersFrom(name.to_owned(), market);
        let mut told = |market, words| self.assumptions.push(Assumption::new(of(market), words));
        let dates = || catalog.prices.iter().map(|price| price.provenance.as_of.as_str());
        if let (Some(oldest), Some(newest)) = (dates().min(), dates().max()) {
            let when = if oldest == newest {
                format!("those of {newest}")
            } else {
                format!("from {oldest} to {newest}")
            };
            told(None, format!("List prices of {name} are {when}."));
        }
        if !assumed.is_empty() {
            told(
                None,
                format!(
                    "{} of {offers} prices of {name} are estimates without a published source \
                 (see `windtunnel catalog show {name}`).",
                    assumed.len()
                ),
            );
            let provider = name.to_owned();
            self.estimated_prices.push(EstimatedPrices { provider, offers: assumed });
        }
        if !catalog.assumed_rules.is_empty() {
            let rules = catalog.assumed_rules.join(", ");
            told(None, format!("Rules of {name} with estimates in them: {rules}."));
        }
        if let Some(discount) = section.integer("discount").filter(|&discount| discount > 0) {
            let percent = discount as f64 / 1e4;
            told(
                Some(Market::OnDemand),
                format!(
                    "On-demand list prices of {name} are cut by {percent} %, as the scenario says."
                ),
            );
        }
        let drawn = self.world.offers.iter().skip(self.world.offers.len() - offers);
        let drawn = drawn.filter(|(_, offer)| !offer.capacity.drawn.is_empty()).count();
        if drawn > 0 {
            told(
                None,
                format!(
                    "How many instances of {drawn} offers of {name} there are is drawn from \
                     models, anew for each seed."
                ),
            );
        }
        if markets(section).contains(&Market::Spot) {
            let offers = self.world.offers.iter().skip(self.world.offers.len() - offers);
            let mut spot = offers.filter(|(_, offer)| offer.market == Market::Spot);
            let causes: Vec<&str> = [
                (
                    spot.any(|(_, offer)| offer.is_taken_back()),
                    "`availability` or `max_price` says so",
                ),
                (section.has("max_life"), "they come to their `max_life`"),
            ]
            .into_iter()
            .filter_map(|(is_so, cause)| is_so.then_some(cause))
            .collect();
            let what = if !causes.is_empty() {
                let protected = section.span("protected").unwrap_or(catalog.protected);
                let unless_young = match protected {
                    Span::ZERO => String::new(),
                    _ => format!(", but none in its first {protected}"),
                };
                let (taken, when) = match reclaimed(section) {
                    Reclaimed::Terminated => ("taken back", "after a warning"),
                    Reclaimed::Stopped => ("stopped", "after a warning"),
                    Reclaimed::Hibernated => ("hibernated", "without a warning"),
                };
                let notice = match reclaimed(section) {
                    Reclaimed::Terminated | Reclaimed::Stopped => {
                        format!("{} ", section.span("notice").unwrap_or(catalog.notice))
                    }
                    Reclaimed::Hibernated => String::new(),
                };
                format!(
                    "Spot instances of {name} are {taken} where {}, {notice}{when}{unless_young}, \
                     and nowhere else.",
                    causes.join(" or where "),
                )
            } else {
                format!(
                    "Spot instances of {name} are never taken back: no `cloud.{name}.availability` \
                     says how many there are over time."
                )
            };
            told(Some(Market::Spot), what);
        }
    }
}

/// Part of a catalog that a scenario wants.
#[derive(Debug)]
struct Sold<'c> {
    catalog: &'c Catalog,
    types: Vec<SoldType<'c>>,
    /// Prices by region, type and market.
    prices: BTreeMap<(&'c str, &'c str, &'c str), &'c CatalogPrice>,
    markets: Vec<Market>,
}

/// What a scenario changes of the offers of a cloud over time.
#[derive(Debug)]
struct OfferPaths {
    prices: price::PriceChanges,
    capacities: availability::Availability,
    launches: launch::LaunchRows,
}

/// A type of a catalog, with the capacity and boot of all its offers.
#[derive(Debug)]
struct SoldType<'c> {
    known: &'c CatalogType,
    /// Row of the type in the world, once an offer has it.
    id: Option<Id<InstanceType>>,
    capacity: Option<u32>,
    boot: Distribution,
}

/// Part of the catalog that the scenario wants, in the catalog's order.
fn sold<'c>(section: &ConfigTable, catalog: &'c Catalog) -> Sold<'c> {
    let capacity_of = section.section("capacity_of");
    let wanted = catalog.types.iter().filter(|known| wanted(known, section));
    let types = wanted.map(|known| {
        let capacity = capacity_of.capacity(&known.name);
        let boot = if known.gpus > 0 { &catalog.boot_gpu } else { &catalog.boot_cpu };
        SoldType {
            known,
            id: None,
            capacity: capacity.unwrap_or_else(|| section.capacity("capacity").flatten()),
            boot: section.distribution("boot").unwrap_or(boot).clone(),
        }
    });
    let mut prices = BTreeMap::new();
    for price in &catalog.prices {
        let key = (price.region.as_str(), price.instance_type.as_str(), price.market.as_str());
        prices.entry(key).or_insert(price);
    }
    Sold { catalog, types: types.collect(), prices, markets: markets(section) }
}

/// The markets that the cloud names, on-demand before spot.
fn markets(section: &ConfigTable) -> Vec<Market> {
    let names = section.names("markets");
    let named = |market: Market| names.iter().any(|name| name == market.name());
    if names.is_empty() {
        return vec![Market::OnDemand];
    }
    [Market::OnDemand, Market::Spot].into_iter().filter(|&market| named(market)).collect()
}

/// Whether the scenario names this type, or its family, or nothing.
fn wanted(known: &CatalogType, section: &ConfigTable) -> bool {
    let (types, families) = (section.texts("types"), section.texts("families"));
    types.is_empty() && families.is_empty()
        || types.iter().any(|(name, _)| *name == known.name)
        || families.iter().any(|(name, _)| *name == known.family)
}

/// The names of the catalog's regions that the scenario names.
fn regions_of<'c>(catalog: &'c Catalog, section: &ConfigTable) -> Vec<&'c str> {
    let named = section.texts("regions").iter();
    named
        .filter_map(|(name, _)| {
            catalog
                .regions
                .iter()
                .find(|region| region.name == *name)
                .map(|known| known.name.as_str())
        })
        .collect()
}

/// The regions that the scenario names, in its order.
fn named_regions<'c>(
    catalog: &'c Catalog,
    section: &ConfigTable,
    report: &mut Diagnostics<'_>,
) -> Vec<&'c CatalogRegion> {
    let known: Vec<&str> = catalog.regions.iter().map(|region| region.name.as_str()).collect();
    let mut regions: Vec<&CatalogRegion> = Vec::new();
    for (name, range) in section.texts("regions") {
        match catalog.regions.iter().find(|region| region.name == *name) {
            Some(region) if regions.iter().any(|known| known.name == region.name) => {
                report.at(range, format!("the region `{}` is named twice", clip(name)));
            }
            Some(region) => regions.push(region),
            None => {
                let message = format!("{} has no region called `{}`", catalog.title, clip(name));
                report.hint(range, message, unknown_name(name, &known));
            }
        }
    }
    regions
}

/// Reports zones, types and families that the catalog does not have, and
/// types that are not sold where the scenario wants them.
fn check_names(
    catalog: &Catalog,
    section: &ConfigTable,
    all_there: bool,
    report: &mut Diagnostics<'_>,
) {
    let regions = regions_of(catalog, section);
    let here = |region: &str| regions.contains(&region);
    let zones: Vec<&str> = catalog
        .regions
        .iter()
        .filter(|region| here(&region.name))
        .flat_map(|region| region.zones.iter().map(String::as_str))
        .collect();
    let types: Vec<&str> = catalog.types.iter().map(|known| known.name.as_str()).collect();
    let mut families: Vec<&str> = catalog.types.iter().map(|known| known.family.as_str()).collect();
    families.dedup();
    let lists =
        [("zones", "zone", &zones), ("types", "type", &types), ("families", "family", &families)];
    for (key, what, known) in lists {
        for (name, range) in section.texts(key) {
            if !known.contains(&name.as_str()) && (all_there || key != "zones") {
                let whose = if catalog.files.is_empty() { "the shipped catalog of " } else { "" };
                let message =
                    format!("{whose}{} has no {what} called `{}`", catalog.title, clip(name));
                let mut hint = unknown_name(name, known);
                if catalog.files.is_empty() && key == "types" {
                    hint += if hint.ends_with('?') { " A" } else { "; a" };
                    hint += " real type that is missing goes into a catalog of your own (`catalog = \"FOLDER\"`, \
                             see catalogs/README.md)";
                }
                report.hint(range, message, hint);
            }
        }
    }
    for entry in &section.section("capacity_of").entries {
        if !types.contains(&entry.name.as_str()) {
            let message = format!("{} has no type called `{}`", catalog.title, clip(&entry.name));
            report.hint(&entry.key, message, unknown_name(&entry.name, &types));
        }
    }
    let markets = markets(section);
    for (name, range) in section.texts("types") {
        let sold = |price: &&CatalogPrice| {
            price.instance_type == *name
                && markets.iter().any(|market| market.name() == price.market)
        };
        let prices: Vec<_> = catalog.prices.iter().filter(sold).collect();
        let known = types.contains(&name.as_str());
        if known && !regions.is_empty() && !prices.iter().any(|price| here(&price.region)) {
            let mut places: Vec<&str> = prices.iter().map(|price| price.region.as_str()).collect();
            places.dedup();
            let hint = match places.is_empty() {
                true => "it is not sold in these markets at all".to_owned(),
                false => format!("it is sold in {}", places.join(", ")),
            };
            report.hint(range, format!("`{}` is not sold there", clip(name)), hint);
        }
    }
}

/// Highest price that is paid for spot instances whose price on demand is known.
fn max_price(section: &ConfigTable, on_demand: Option<Rate>) -> Option<Rate> {
    Some(on_demand?.scaled(section.integer("max_price")?))
}
/// Fate of the spot instances of a cloud for which there is no capacity any more.
fn reclaimed(section: &ConfigTable) -> Reclaimed {
    let word = section.text("reclaimed");
    let named = Reclaimed::ALL.into_iter().find(|one| Some(one.word()) == word);
    named.unwrap_or_default()
}
