//! Sites of gangs: all of a gang lies in one zone, region or provider, on one model of GPU.

use rustc_hash::FxHashMap;

use super::{State, WorkRef};
use crate::model::{Ask, Offer, Together, World};
use crate::units::Id;

/// The sites of all offers, by how close together gangs stay: three levels
/// without and three with the model of GPU.
#[derive(Clone, Debug)]
pub struct Sites {
    tables: [SiteIndex; 6],
    /// Instances' offers that are live, by site of the closest level.
    live: [Vec<u32>; 2],
    /// Sites of the closest level with live instances: for work without GPUs, and with.
    pub(super) used: [u32; 2],
}

/// Offers sorted by site.
#[derive(Clone, Debug)]
struct SiteIndex {
    /// Site of each offer.
    site: Vec<u32>,
    /// Kinds (see [`super::kind_of`]) of the offers of each site.
    kinds: Vec<u64>,
}

/// Offers that a query over instances looks at.
#[derive(Clone, Debug)]
pub struct OfferSet {
    /// Whether each offer is looked at; empty where all are.
    allowed: Vec<bool>,
    /// Union of the kinds of the offers.
    pub(super) kinds: u64,
}

impl OfferSet {
    /// All offers.
    pub const ALL: Self = Self { allowed: Vec::new(), kinds: u64::MAX };

    /// The offers that `admit` lets in.
    pub fn new(world: &World, admit: impl Fn(Id<Offer>) -> bool) -> Self {
        let allowed: Vec<bool> = world.offers.ids().map(admit).collect();
        let offers = world.offers.ids().filter(|offer| allowed[offer.row()]);
        let kinds = offers.fold(0, |kinds, offer| kinds | super::kind_of(offer));
        Self { allowed, kinds }
    }

    /// Whether instances of `offer` are looked at.
    pub fn has(&self, offer: Id<Offer>) -> bool {
        self.allowed.is_empty() || self.allowed[offer.row()]
    }

    /// Becomes the offers that are in both sets; neither holds all.
    pub fn set_both(&mut self, one: &Self, other: &Self) {
        self.allowed.clear();
        self.allowed.extend(one.allowed.iter().zip(&other.allowed).map(|(&a, &b)| a && b));
        self.kinds = one.kinds & other.kinds;
    }

    /// Leaves out the offers for which `gone` holds.
    fn leave_out(&mut self, world: &World, gone: impl Fn(Id<Offer>) -> bool) {
        if self.is_all() {
            self.allowed.resize(world.offers.len(), true);
        }
        self.kinds = 0;
        for offer in world.offers.ids() {
            self.allowed[offer.row()] &= !gone(offer);
            if self.allowed[offer.row()] {
                self.kinds |= super::kind_of(offer);
            }
        }
    }

    /// Whether memory is at hand for as many offers as there are.
    #[cfg(test)]
    pub(crate) fn has_memory(&self, world: &World) -> bool {
        self.allowed.capacity() >= world.offers.len()
    }

    /// Whether all offers are looked at.
    pub fn is_all(&self) -> bool {
        self.allowed.is_empty()
    }
}

impl Sites {
    /// The sites of a world in which nothing lives yet.
    pub fn new(world: &World) -> Self {
        let table = |at: usize| {
            let mut known = FxHashMap::default();
            let mut sorted = SiteIndex { site: Vec::new(), kinds: Vec::new() };
            for (offer, facts) in world.offers.iter() {
                let region = world.zones[facts.zone].region;
                let place = match at % 3 {
                    0 => facts.zone.row(),
                    1 => region.row(),
                    _ => world.regions[region].provider.row(),
                };
                let model = world.types[facts.instance_type].gpu_model.filter(|_| at >= 3);
                let fresh = known.len();
                let site = *known.entry((place, model)).or_insert(fresh);
                if site == fresh {
                    sorted.kinds.push(0);
                }
                sorted.site.push(site as u32);
                sorted.kinds[site] |= super::kind_of(offer);
            }
            sorted
        };
        let tables = std::array::from_fn(table);
        let live = [0, 3].map(|at: usize| vec![0; tables[at].kinds.len()]);
        Self { tables, live, used: [0; 2] }
    }

    /// The table that keeps the tasks of a gang together; `None` if they may lie anywhere.
    #[inline]
    fn of(&self, ask: &Ask, together: Together) -> Option<&SiteIndex> {
        if !ask.gang || ask.tasks == 1 {
            return None;
        }
        let level = match together {
            Together::Zone => 0,
            Together::Region => 1,
            Together::Provider => 2,
            Together::Anywhere => return None,
        };
        Some(&self.tables[level + 3 * usize::from(ask.demand.gpus > 0)])
    }

    /// The site of `offer` for what is asked, as [`State::site`] says.
    pub fn site(&self, ask: &Ask, together: Together, offer: Id<Offer>) -> Option<u32> {
        self.of(ask, together).map(|sites| sites.site[offer.row()])
    }

    /// An offer has live instances from now on, or none any more.
    pub(super) fn change(&mut self, offer: Id<Offer>, live: bool) {
        for (at, used) in self.used.iter_mut().enumerate() {
            let count = &mut self.live[at][self.tables[3 * at].site[offer.row()] as usize];
            if live {
                *used += u32::from(*count == 0);
                *count += 1;
            } else {
                *count -= 1;
                *used -= u32::from(*count == 0);
            }
        }
    }
}

impl State<'_> {
    /// The table of sites that keeps the tasks of `work` together; `None` if they may lie anywhere.
    #[inline]
    fn sites_of(&self, work: WorkRef) -> Option<&SiteIndex> {
        let ask = &self.works[work].ask;
        self.sites.of(ask, self.rules[ask.rules.row()].together)
    }

    /// The site of `offer` for `work`, whose tasks all lie in one; `None` if they may lie anywhere.
    pub fn site(&self, work: WorkRef, offer: Id<Offer>) -> Option<u32> {
        self.sites_of(work).map(|sites| sites.site[offer.row()])
    }

    /// The site that the tasks of a gang hold already, with the kinds of its offers; `None` if all
    /// live instances lie in one site anyway.
    #[inline]
    pub(super) fn site_held(&self, work: WorkRef) -> Option<(u32, u64)> {
        let live = &self.works[work];
        if live.placed == 0 || self.sites.used[usize::from(live.ask.demand.gpus > 0)] <= 1 {
            return None;
        }
        self.site_of_placed(work)
    }

    fn site_of_placed(&self, work: WorkRef) -> Option<(u32, u64)> {
        let live = &self.works[work];
        let sites = self.sites_of(work)?;
        let standing = live.allocations.iter().filter(|&&one| !self.allocations[one].has_ended());
        let first = standing.filter_map(|&one| self.allocations[one].held.first()).next()?;
        let site = sites.site[self.fleet.instances[first.share.instance].offer.row()];
        Some((site, sites.kinds[site as usize]))
    }

    /// Whether the tasks that `work` holds already keep the next ones to their site.
    pub fn is_bound(&self, work: WorkRef) -> bool {
        self.site_held(work).is_some()
    }

    /// Whether the tasks that `work` holds already allow one more on `offer`.
    #[inline]
    pub fn site_allows(&self, work: WorkRef, offer: Id<Offer>) -> bool {
        self.site_held(work).is_none_or(|(held, _)| self.site(work, offer) == Some(held))
    }

    /// All offers, in memory that is kept from search to search.
    pub(crate) fn take_reach(&mut self) -> OfferSet {
        std::mem::replace(&mut self.reach, OfferSet::ALL)
    }

    /// Keeps the memory of `reach` for the next search.
    pub(crate) fn put_reach(&mut self, mut reach: OfferSet) {
        reach.allowed.clear();
        reach.kinds = OfferSet::ALL.kinds;
        self.reach = reach;
    }

    /// Leaves the site of `offer` out of `reach`. Returns whether a gang may look
    /// at live instances of another still.
    pub fn pass_site(&self, work: WorkRef, offer: Id<Offer>, reach: &mut OfferSet) -> bool {
        let Some(sites) = self.sites_of(work) else { return false };
        let site = sites.site[offer.row()];
        reach.leave_out(self.world, |offer| sites.site[offer.row()] == site);
        self.live_offers.iter().any(|&offer| reach.has(offer))
    }
}
