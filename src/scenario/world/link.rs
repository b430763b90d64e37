//! Moving data: a matrix of links between regions, from the catalogs' rules
//! and the scenario's own links.

use std::collections::BTreeSet;

use super::Build;
use crate::billing::rules::{shipped, to_region};
use crate::billing::usage::Service;
use crate::model::{Link, Market, Region, TransferPath, World};
use crate::scenario::assumption::{Assumption, AssumptionScope};
use crate::scenario::catalog::bytes_per_sec;
use crate::scenario::composition::unknown_name;
use crate::scenario::has_terms;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::Id;

impl Build<'_> {
    /// Fills `world.links`. Within a region data moves free and at once.
    pub(super) fn links(&mut self, root: &ConfigTable, report: &mut Diagnostics<'_>) {
        let transfer = &root.section("transfer");
        let ids: Vec<Id<Region>> = self.world.regions.ids().collect();
        let mut links = Vec::with_capacity(ids.len() * ids.len());
        for &from in &ids {
            for &to in &ids {
                links.push(if from == to { Link::default() } else { self.link(from, to, root) });
            }
        }
        self.world.links = links;
        for own in transfer.list("link") {
            self.own_link(own, &ids, report);
        }
        if ids.len() > 1 {
            let told = match has_terms(root) {
                true => {
                    "Policies weigh what it costs to move data at one flat price per path; prices of pairs of \
                     regions, tiers and free allowances of egress are in the costs, and a cost per month scales \
                     those of the run."
                }
                false => {
                    "Data moves at one flat price per path: prices of pairs of regions, volume tiers and free \
                     allowances of egress are not applied."
                }
            };
            self.assumptions.push(Assumption::new(self.scope_of_data(), told));
            if has_terms(root) {
                self.unpriced_pairs(root);
            }
            self.free_egress(transfer);
        }
    }

    /// Says of which providers some regions are so far unknown that one price holds for all pairs with
    /// them.
    fn unpriced_pairs(&mut self, root: &ConfigTable) {
        let world = &self.world;
        let is_flat =
            |link: &Link| link.path.is_some_and(|path| world.paths[path].name == "region");
        let mut flat: BTreeSet<&str> = BTreeSet::new();
        for from in world.regions.ids() {
            let provider = &world.providers[world.regions[from].provider].name;
            let mut links = world.regions.ids().map(|to| world.link(from, to));
            let is_said = own_tier(root, provider, &world.regions[from].name, "region");
            if !is_said && links.any(|link| is_flat(&link)) {
                flat.insert(provider);
            }
        }
        let flat: Vec<&str> = flat.into_iter().collect();
        if !flat.is_empty() {
            let told = format!(
                "No price is known of some pairs of regions of {}: between these one price holds for all.",
                flat.join(", ")
            );
            self.assumptions.push(Assumption::new(self.scope_of_data(), &told));
        }
    }

    /// Says that data leaves owned clusters for nothing, where that is so for want of a price.
    fn free_egress(&mut self, transfer: &ConfigTable) {
        let world = &self.world;
        let priced = |region: Id<Region>| {
            let mut links = transfer.list("link").iter().filter(|link| link.has("usd_per_gib"));
            links.any(|link| link.text("from").is_some_and(|from| named(world, region, from)))
        };
        let mut owned =
            world.offers.ids().filter(|&offer| world.offers[offer].market == Market::Owned);
        if !transfer.has("cluster_usd_per_gib") && owned.any(|one| !priced(world.region_of(one))) {
            let told = "Data that leaves owned clusters is free: no `transfer.cluster_usd_per_gib` is given.";
            self.assumptions.push(Assumption::new(self.scope_of_data(), told));
        }
    }

    /// Policies whose data can move: all where machines are owned in several regions, else those that
    /// rent.
    fn scope_of_data(&self) -> AssumptionScope {
        let world = &self.world;
        let owned = world.offers.ids().filter(|&offer| world.offers[offer].market == Market::Owned);
        let mut regions = owned.map(|offer| world.region_of(offer));
        let first = regions.next();
        match regions.any(|region| Some(region) != first) {
            true => AssumptionScope::Everybody,
            false => AssumptionScope::Renters,
        }
    }

    /// The path of that name, which may be new.
    fn path(&mut self, name: &str) -> Id<TransferPath> {
        let known = self.world.paths.find(|path| path.name == name);
        known.unwrap_or_else(|| self.world.paths.push(TransferPath { name: name.to_owned() }))
    }

    /// The path from one region to another: of a pair that has a price of its own it is one by itself,
    /// unless the terms say what all pairs cost.
    fn usual_path(
        &mut self,
        from: Id<Region>,
        to: Id<Region>,
        root: &ConfigTable,
    ) -> Id<TransferPath> {
        let world = &self.world;
        let Region { provider, name, .. } = &world.regions[from];
        if world.regions[to].provider != *provider {
            return self.path("internet");
        }
        let (provider, to) = (&world.providers[*provider].name, &world.regions[to].name);
        let pair = to_region(to);
        let is_said = |path: &str| own_tier(root, provider, name, path);
        let is_pair = is_said(&pair)
            || !is_said("region") && shipped().pair_path(provider, name, to).is_some();
        self.path(if is_pair { pair.as_str() } else { "region" })
    }

    /// The price is the sender's; the bandwidth is that of the slower end.
    fn link(&mut self, from: Id<Region>, to: Id<Region>, root: &ConfigTable) -> Link {
        let provider = |region: Id<Region>| self.world.regions[region].provider;
        let leaves = provider(from) != provider(to);
        let row = usize::from(leaves);
        let (sender, receiver) = (self.tiers[from.row()][row], self.tiers[to.row()][row]);
        let bytes_per_sec = match (sender.bytes_per_sec, receiver.bytes_per_sec) {
            (0, other) | (other, 0) => other,
            (one, other) => one.min(other),
        };
        let path = self.usual_path(from, to, root);
        Link { nanos_per_gib: sender.nanos_per_gib, bytes_per_sec, path: Some(path) }
    }

    fn own_link(&mut self, own: &ConfigTable, ids: &[Id<Region>], report: &mut Diagnostics<'_>) {
        for key in ["from", "to"] {
            own.require(key, report);
            let Some(name) = own.text(key) else { continue };
            if !ids.iter().any(|&region| named(&self.world, region, name)) {
                let names: Vec<String> =
                    ids.iter().map(|&region| self.world.region_name(region)).collect();
                let known: Vec<&str> = names.iter().map(String::as_str).collect();
                let message = format!("there is no region, provider or cluster called `{name}`");
                report.hint(&own.spot(key), message, unknown_name(name, &known));
            }
        }
        let (Some(from), Some(to)) = (own.text("from"), own.text("to")) else { return };
        let path = own.text("path").map(|path| self.path(path));
        for &sender in ids {
            for &receiver in ids {
                let meant = named(&self.world, sender, from) && named(&self.world, receiver, to);
                if sender == receiver || !meant {
                    continue;
                }
                let link = &mut self.world.links[sender.row() * ids.len() + receiver.row()];
                if let Some(nanos) = own.integer("usd_per_gib") {
                    (link.nanos_per_gib, link.path) = (nanos, None);
                }
                link.path = path.or(link.path);
                if let Some(gbps) = own.number("gbps") {
                    link.bytes_per_sec = bytes_per_sec(gbps);
                }
            }
        }
    }
}

/// Whether the terms of the document have prices by the quantity of a month for what leaves a region on
/// that path.
fn own_tier(root: &ConfigTable, provider: &str, region: &str, path: &str) -> bool {
    root.list("tier").iter().any(|row| {
        row.text("provider") == Some(provider)
            && row.text("path") == Some(path)
            && row.text("service").is_none_or(|word| word == Service::Transfer.name())
            && row.text("region").is_none_or(|own| own == region)
    })
}

/// Whether `name` means this region: its own name, its provider's, or `*`.
fn named(world: &World, region: Id<Region>, name: &str) -> bool {
    let provider = &world.providers[world.regions[region].provider];
    name == "*" || name == world.region_name(region) || name == provider.name
}
