//! Renting for each job that fits nowhere.

mod missing;

use std::borrow::Cow;
use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::ranking::{OfferRanking, Quote, RankedOffer, boots};
use super::zones::Zones;
use super::{Allowed, Provision, Provisioned, Reach};
use crate::model::{Ask, Home, Market, Provider, Rules, Spread, WorkKind};
use crate::part::{Parameter, PartSettings, Setting, SettingKind};
use crate::policy::due::Alarm;
use crate::policy::place::{Place, share_on};
use crate::policy::scope::{FAMILIES, OfferScope, PROVIDERS, REGIONS, TYPES};
use crate::policy::turn::Turn;
use crate::state::{AllocationRef, InstanceRef, LiveWork, Share, WaitReason, WorkRef};
use crate::units::{Demand, Id, Money, Span};

/// Parameters of every part that rents for each job that fits nowhere.
pub(super) const RENT: &[Parameter] = &[
    Parameter {
        name: "after_wait",
        kind: SettingKind::Span,
        default: Setting::Span(Span::ZERO),
        doc: "Rent only for a job that has waited this long (overflow) since it was submitted or last preempted. An array counts from when the first of its waiting tasks began to wait: tasks preempted later do not wait anew.",
    },
    Parameter {
        name: "markets",
        kind: SettingKind::Markets,
        default: Setting::Markets(Cow::Borrowed(&[Market::OnDemand])),
        doc: "Markets to rent from.",
    },
    Parameter {
        name: "max_instances",
        kind: SettingKind::Count(1, u32::MAX as u64),
        default: Setting::Unset("unlimited"),
        doc: "Most rented instances at once.",
    },
    RETRY,
    PROVIDERS,
    REGIONS,
    TYPES,
    FAMILIES,
];

/// Time after which a refused launch is tried again. Only the provider knows when there is capacity;
/// who asks learns it. Karpenter remembers for three minutes that an offer had none.
pub(super) const RETRY: Parameter = Parameter {
    name: "retry",
    kind: SettingKind::SpanAboveZero,
    default: Setting::Span(Span::from_secs(180)),
    doc: "Tries again after this, at least a second, where nothing could be rented, in worlds whose capacity changes. What happens in between is a reason to try too.",
};

/// That time, which is at least a second: who never asks again never learns of it.
pub(super) fn retry(settings: &PartSettings) -> Span {
    settings.span(RETRY.name).unwrap_or(Span::ZERO).max(Span::from_secs(1))
}

/// Chooses the offer to rent among those that fit.
pub(super) trait OfferChoice: std::fmt::Debug {
    /// The best candidate of `search` that can be launched.
    fn choose<'s>(
        &mut self,
        turn: &Turn<'_, '_>,
        search: &Search<'s, '_>,
    ) -> Option<(&'s RankedOffer, Quote)>;

    /// Instances of `provider` were rented for work.
    fn rented(&mut self, provider: Id<Provider>) {
        let _ = provider;
    }

    /// Whether the part weighs the cost of work.
    fn weighs_price(&self) -> bool {
        true
    }

    /// Whether each instance is chosen anew, also for gangs.
    fn rents_singly(&self) -> bool {
        false
    }

    /// Whether what was chosen last is one instance, and the next is chosen anew, where a job may have
    /// instances of several offers.
    fn took_one(&self) -> bool {
        self.rents_singly()
    }
}

/// Work that has the same offers to choose from.
type RankingKey = (Id<Rules>, Demand, Option<Id<Home>>, WorkKind);

/// Most ranked offers that are kept in all, over the rankings. The limit keeps memory from
/// following the work done if each piece of work asks something else.
const REMEMBERED: usize = 1 << 18;

/// Rents what a job needs when it fits nowhere: all of it from one offer where
/// that can be, a gang whole or not at all.
#[derive(Debug)]
pub struct OnDemand {
    choice: Box<dyn OfferChoice>,
    pub(super) reach: Reach,
    after_wait: Span,
    retry: Span,
    alarm: Alarm,
    rankings: FxHashMap<RankingKey, OfferRanking>,
    /// Expected boot times by offer, once something was looked for.
    boots: Vec<Span>,
    /// Work for which it was last explained why nothing was rented.
    pub(super) explained: Option<WorkRef>,
    pub(super) rented: Vec<(InstanceRef, u32)>,
}

/// Number of offers from which a job is rented for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mix {
    /// One, which has all the instances left.
    Single,
    /// One after the other by the part's choice, as many as each has left.
    Many,
    /// The same, first from the offers whose instances hold most tasks: the fewest instances.
    Fewest,
}

/// One search for an offer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search<'s, 'z> {
    pub(super) ranking: &'s OfferRanking,
    pub(super) ask: &'s Ask,
    tasks: u32,
    /// Instances that one offer must have left.
    least: u64,
    /// Instances that the policy may still rent.
    left: u64,
    /// Tasks by zone, where the zone matters.
    zones: Option<&'z Zones>,
    /// Work and site of a gang that stays together.
    site: Option<(WorkRef, &'z Site)>,
}

/// Site of a gang that stays together, and sites where it was found not to fit.
#[derive(Clone, Debug, Default)]
pub(super) struct Site {
    chosen: Option<u32>,
    passed: Vec<u32>,
}

impl OnDemand {
    /// Rents by `choice` as `settings`, which are those of [`RENT`], say.
    pub(super) fn new(choice: impl OfferChoice + 'static, settings: &PartSettings) -> Self {
        let most = settings.count("max_instances");
        let reach = Reach {
            markets: settings.markets("markets").to_vec(),
            scope: OfferScope::new(settings),
            max_instances: most.map(|most| u32::try_from(most).unwrap_or(u32::MAX)),
            fleets: Vec::new(),
            pool: None,
        };
        Self {
            choice: Box::new(choice),
            reach,
            after_wait: settings.span("after_wait").unwrap_or(Span::ZERO),
            retry: retry(settings),
            alarm: Alarm::default(),
            rankings: FxHashMap::default(),
            boots: Vec::new(),
            explained: None,
            rented: Vec::new(),
        }
    }

    /// Instances that may be rented still, as far as the policy goes.
    pub(super) fn left(&self, turn: &Turn<'_, '_>) -> u64 {
        let Some(most) = self.reach.max_instances else { return u64::MAX };
        let offers = turn.world().offers.iter();
        let owned = offers.filter(|(_, facts)| facts.market == Market::Owned);
        let owned: u64 = owned.map(|(offer, _)| u64::from(turn.offer(offer).live)).sum();
        u64::from(most).saturating_sub(turn.instance_count() as u64 - owned)
    }

    /// Takes the ranking for work like `live` out of those that are kept, with the prices of now,
    /// or makes it.
    fn take_ranking(&mut self, turn: &Turn<'_, '_>, live: &LiveWork) -> (RankingKey, OfferRanking) {
        let ask = &live.ask;
        let alike = (ask.rules, ask.demand, ask.home, live.kind);
        let kept = self.rankings.remove(&alike);
        if self.rankings.len() * turn.world().offers.len() >= REMEMBERED {
            self.rankings.clear();
        }
        if self.boots.is_empty() {
            self.boots = boots(turn.world());
        }
        let how = (&self.reach, &self.boots[..]);
        let mut ranking = kept.unwrap_or_else(|| OfferRanking::new(turn, live, how));
        ranking.refresh(turn);
        (alike, ranking)
    }

    /// The best candidate that can be launched.
    fn choose<'s>(
        &mut self,
        turn: &Turn<'_, '_>,
        search: Search<'s, '_>,
        mix: Mix,
    ) -> Option<(&'s RankedOffer, Quote)> {
        if mix == Mix::Fewest {
            return search.largest(turn);
        }
        self.choice.choose(turn, &search)
    }

    /// Rents instances for the waiting tasks of `work`, at most `left`. Returns the tasks
    /// for which there are none.
    fn rent(
        &mut self,
        turn: &mut Turn<'_, '_>,
        ranking: &OfferRanking,
        work: WorkRef,
        (mix, site, mut left): (Mix, &mut Site, u64),
    ) -> u32 {
        let live = turn.work(work);
        let (ask, mut tasks) = (live.ask, live.waiting);
        let mut zones = Zones::new(turn, work);
        self.rented.clear();
        while tasks > 0 {
            if let Some(instance) = zones.as_mut().and_then(Zones::share) {
                self.rented.push((instance, 1));
                tasks -= 1;
                continue;
            }
            if left == 0 {
                break;
            }
            let least = if mix == Mix::Single { u64::MAX } else { 1 };
            let site_of = ask.gang.then_some((work, &*site));
            let search = Search {
                ranking,
                ask: &ask,
                tasks,
                least,
                left,
                zones: zones.as_ref(),
                site: site_of,
            };
            let Some((found, _)) = self.choose(turn, search, mix) else { break };
            site.chosen = turn.site(work, found.offer);
            let singly = zones.is_some() || self.choice.took_one() && mix == Mix::Many;
            let wanted = if singly { 1 } else { u64::from(found.instances(tasks)) };
            let count = wanted.min(turn.launch_room(found.offer).0).min(left);
            if mix == Mix::Single && count < wanted {
                break;
            }
            if turn.overruns(count) {
                break;
            }
            for _ in 0..count {
                let Ok(instance) = turn.rent(found.offer) else { return tasks };
                let on = if zones.is_some() { 1 } else { found.each.min(tasks) };
                if let Some(zones) = &mut zones {
                    zones.add(found.zone);
                    zones.open(instance, found.zone, found.each - on);
                }
                self.rented.push((instance, on));
                tasks -= on;
                left -= 1;
            }
        }
        tasks
    }

    /// Rents for a gang and places it, or does nothing.
    fn supply_gang(
        &mut self,
        turn: &mut Turn<'_, '_>,
        ranking: &OfferRanking,
        work: WorkRef,
        mix: Mix,
    ) -> bool {
        let mut site = Site::default();
        loop {
            if self.supply_gang_in(turn, ranking, work, (mix, &mut site)) {
                return true;
            }
            // Elsewhere there may be enough, unless one offer was asked for all.
            match site.chosen.take() {
                Some(chosen) if mix != Mix::Single => site.passed.push(chosen),
                _ => return false,
            }
        }
    }

    fn supply_gang_in(
        &mut self,
        turn: &mut Turn<'_, '_>,
        ranking: &OfferRanking,
        work: WorkRef,
        (mix, site): (Mix, &mut Site),
    ) -> bool {
        let left = self.left(turn);
        let done = turn.attempt(|turn| {
            if self.rent(turn, ranking, work, (mix, site, left)) > 0 {
                return None;
            }
            let opened = turn.open(work);
            if !self.fill(turn, work, opened) {
                turn.abandon(opened);
                return None;
            }
            turn.commit(opened).ok()
        });
        done.is_some()
    }

    /// Adds the tasks that were rented for to an open allocation. Returns whether all are.
    fn fill(&self, turn: &mut Turn<'_, '_>, work: WorkRef, opened: AllocationRef) -> bool {
        self.rented.iter().all(|&(instance, tasks)| {
            let mut shares = shares(turn, work, instance, tasks).into_iter();
            shares.all(|share| turn.add(opened, share).is_ok())
        })
    }

    /// Rents for as many tasks as can be, and places them.
    fn supply_tasks(
        &mut self,
        turn: &mut Turn<'_, '_>,
        ranking: &OfferRanking,
        work: WorkRef,
    ) -> bool {
        let left = self.left(turn);
        self.rent(turn, ranking, work, (Mix::Many, &mut Site::default(), left));
        for &(instance, tasks) in &self.rented {
            for share in shares(turn, work, instance, tasks) {
                turn.place(work, &[share]).expect("a new instance holds what it was rented for");
            }
        }
        turn.work(work).waiting == 0
    }

    fn supply_from(
        &mut self,
        turn: &mut Turn<'_, '_>,
        ranking: &OfferRanking,
        work: WorkRef,
    ) -> bool {
        let ask = turn.work(work).ask;
        let weighed = turn.explaining().then(|| self.weigh(turn, ranking, work, None));
        let zoned = matches!(turn.rules(ask.rules).spread, Spread::Zones | Spread::EvenZones);
        let done = if ask.gang {
            let mixes = [Mix::Single, Mix::Many, Mix::Fewest];
            let no_single = zoned || self.choice.rents_singly();
            let mut mixes = mixes.into_iter().skip(usize::from(no_single));
            mixes.any(|mix| self.supply_gang(turn, ranking, work, mix))
        } else {
            self.supply_tasks(turn, ranking, work)
        };
        if !done && ask.gang {
            self.rented.clear();
        }
        self.pass_on(turn);
        if let Some(weighed) = weighed {
            self.explain(turn, work, &weighed);
        }
        done
    }
}

impl OnDemand {
    /// Tells the choice of the provider of what was rented first, if anything was.
    fn pass_on(&mut self, turn: &Turn<'_, '_>) {
        if let Some(&(first, _)) = self.rented.first() {
            let offer = turn.instance(first).offer;
            self.choice.rented(turn.world().provider_of(offer));
        }
    }
}

impl Provision for OnDemand {
    fn reach(&self) -> Reach {
        self.reach.clone()
    }

    fn overflow_after(&self) -> Option<Span> {
        Some(self.after_wait)
    }

    fn weighs_price(&self) -> bool {
        self.choice.weighs_price()
    }

    fn begin(&mut self, _turn: &mut Turn<'_, '_>) {}

    fn supply(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) -> Provisioned {
        let live = turn.work(work);
        let from = turn.waits_since(work).saturating_add(self.after_wait);
        if self.after_wait > Span::ZERO && from > turn.now() {
            return Provisioned::Later(from);
        }
        let (alike, ranking) = self.take_ranking(turn, live);
        let done = self.supply_from(turn, &ranking, work);
        self.rankings.insert(alike, ranking);
        if done {
            return Provisioned::Rented;
        }
        if turn.capacity_may_rise() {
            let at = turn.now().saturating_add(self.retry);
            self.alarm.set(turn, at);
        }
        Provisioned::None(WaitReason::NothingToRent)
    }

    fn complete(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        place: &mut dyn Place,
        allowed: &mut Allowed<'_>,
    ) -> bool {
        let live = turn.work(work);
        let ask = &live.ask;
        if !ask.gang || ask.tasks == 1 || turn.live_offers().is_empty() || self.left(turn) == 0 {
            return false;
        }
        let (alike, ranking) = self.take_ranking(turn, live);
        let done = self.rent_missing(turn, &ranking, work, (place, allowed));
        self.rankings.insert(alike, ranking);
        done
    }

    fn quote(&mut self, turn: &Turn<'_, '_>, work: WorkRef, tasks: u32) -> Option<Money> {
        let live = turn.work(work);
        let from = turn.waits_since(work).saturating_add(self.after_wait);
        let left = self.left(turn);
        if self.after_wait > Span::ZERO && from > turn.now() || left == 0 {
            return None;
        }
        let (alike, ranking) = self.take_ranking(turn, live);
        let ask = &live.ask;
        let search =
            Search { ranking: &ranking, ask, tasks, least: 1, left, zones: None, site: None };
        let cost = self.choose(turn, search, Mix::Many).map(|(_, quote)| quote.cost);
        self.rankings.insert(alike, ranking);
        cost
    }
}

impl Site {
    /// Whether the gang may lie in `site`; `None` is no site, for a gang that may lie anywhere.
    pub(super) fn admits(&self, site: Option<u32>) -> bool {
        site.is_none_or(|site| {
            self.chosen.is_none_or(|chosen| chosen == site) && !self.passed.contains(&site)
        })
    }
}

impl<'s> Search<'s, '_> {
    /// Whether one candidate may be rented now: at least one instance, or, for a job that stays
    /// together, all.
    fn admits(&self, turn: &Turn<'_, '_>, one: &RankedOffer) -> bool {
        let least = self.least.min(u64::from(one.instances(self.tasks)));
        self.zones.is_none_or(|zones| zones.allows(one.zone))
            && self.site.is_none_or(|(work, site)| site.admits(turn.site(work, one.offer)))
            && turn.launch_room(one.offer).0.min(self.left) >= least
    }

    /// Tasks to quote for: where zones matter, they are rented for one by one.
    pub(super) fn quoted(&self) -> u32 {
        if self.zones.is_some() { 1 } else { self.tasks }
    }

    /// The lowest cost, of a provider or of all; ties go to the fewest instances, then to the lower
    /// offer id.
    pub(super) fn cheapest(
        &self,
        turn: &Turn<'_, '_>,
        provider: Option<Id<Provider>>,
    ) -> Option<(&'s RankedOffer, Quote)> {
        let mut best: Option<(&'s RankedOffer, Quote)> = None;
        for one in &self.ranking.candidates {
            if best.is_some_and(|(_, quote)| quote.cost < one.floor(self.ask, self.quoted())) {
                break;
            }
            if provider.is_some_and(|only| one.provider != only) || !self.admits(turn, one) {
                continue;
            }
            let quote = one.quote(self.ask, self.quoted());
            let key =
                |(one, quote): (&RankedOffer, Quote)| (quote.cost, quote.instances, one.offer);
            if best.is_none_or(|best| key((one, quote)) < key(best)) {
                best = Some((one, quote));
            }
        }
        best
    }

    /// The most tasks on one instance, no more than there are; ties go to the lower cost,
    /// then to the lower offer id.
    fn largest(&self, turn: &Turn<'_, '_>) -> Option<(&'s RankedOffer, Quote)> {
        let largest = |(one, quote): &(&RankedOffer, Quote)| {
            (Reverse(one.each.min(self.tasks)), quote.cost, one.offer)
        };
        self.quotes(turn).min_by_key(largest)
    }

    /// Candidates that may be rented now, with what they would cost.
    pub(super) fn quotes(
        &self,
        turn: &Turn<'_, '_>,
    ) -> impl Iterator<Item = (&'s RankedOffer, Quote)> {
        let admitted = self.ranking.candidates.iter().filter(|one| self.admits(turn, one));
        admitted.map(|one| (one, one.quote(self.ask, self.quoted())))
    }

    /// The same for the tasks of one instance, and how many those are; for all tasks where all must
    /// come from one offer.
    pub(super) fn quotes_singly(
        &self,
        turn: &Turn<'_, '_>,
    ) -> impl Iterator<Item = (&'s RankedOffer, Quote, u32)> {
        let admitted = self.ranking.candidates.iter().filter(|one| self.admits(turn, one));
        let tasks = |one: &RankedOffer| match self.least {
            u64::MAX => self.quoted(),
            _ => one.each.min(self.quoted()),
        };
        admitted.map(move |one| (one, one.quote(self.ask, tasks(one)), tasks(one)))
    }
}

/// `tasks` tasks on an instance rented for them: together, or one by one where
/// they are spread, or ask parts of GPUs, as two may share a device.
pub(super) fn shares(
    turn: &Turn<'_, '_>,
    work: WorkRef,
    instance: InstanceRef,
    tasks: u32,
) -> Vec<Share> {
    if turn.rules(turn.work(work).ask.rules).spread != Spread::None {
        return share_on(turn, work, instance, false).into_iter().collect();
    }
    let demand = turn.work(work).ask.demand;
    let target = turn.instance(instance);
    if demand.whole_gpus() || demand.exclusive {
        let devices = target.tightest_devices(demand, tasks).unwrap_or(0);
        return vec![Share { instance, tasks, devices }];
    }
    let mut left = target.clone();
    let next = |_| {
        let devices = left.tightest_devices(demand, 1)?;
        left.take(demand, 1, devices);
        Some(Share { instance, tasks: 1, devices })
    };
    (0..tasks).map_while(next).collect()
}

#[cfg(test)]
mod tests;
