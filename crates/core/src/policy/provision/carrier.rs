//! Carries out what a spot policy decides, for each piece of work with a deadline.

mod carried;
mod menu;
mod on_demand;
mod safe_greedy;
mod spot;
mod time_sliced;
mod uniform_progress;
mod up_a;
mod up_ap;
mod up_s;
mod zone_order;

use rustc_hash::FxHashMap;

use self::carried::CarriedWork;
use self::menu::{MenuKey, SpotMenu};
use self::zone_order::{ZONE_ORDER, ZoneOrder};
use super::capped::budgets_open;
use super::demand::{OfferChoice, OnDemand, RENT, Search};
use super::ranking::{Quote, RankedOffer, boots};
use super::{Allowed, Provision, Provisioned, Reach};
use crate::model::{Market, Spread, WorkKind};
use crate::part::{Parameter, PartSettings, Setting, SettingKind};
use crate::policy::composed::fits::{CountedCapacity, rentable};
use crate::policy::due::{Alarm, Due};
use crate::policy::place::Place;
use crate::policy::scope::{FAMILIES, OfferScope, PROVIDERS, REGIONS, TYPES};
use crate::policy::spot::{HeldMarket, Otherwise, SpotDecision, SpotPolicy, SpotView, SpotZone};
use crate::policy::turn::{Trigger, Turn};
use crate::state::{DecisionNote, InstanceRef, Wait, WaitReason, Why, WorkRef};
use crate::units::{Money, Span, Time};

pub use on_demand::ON_DEMAND;
pub use safe_greedy::SAFE_GREEDY;
pub use spot::SPOT;
pub use time_sliced::TIME_SLICED;
pub use uniform_progress::UNIFORM_PROGRESS;
pub use up_a::UP_A;
pub use up_ap::UP_AP;
pub use up_s::UP_S;

const EVERY: Parameter = Parameter {
    name: "every",
    kind: SettingKind::SpanAboveZero,
    default: Setting::Span(Span::from_secs(600)),
    doc: "Decides again after this at the latest. Deadlines are counted in whole steps of it.",
};

const SLACK: Parameter = Parameter {
    name: "slack",
    kind: SettingKind::Count(1, 100_000),
    default: Setting::Count(50),
    doc: "Work without a deadline gets one: so many percent more than its estimate, an hour where it has none, and one restart, from its arrival.",
};

const RESTART: Parameter = Parameter {
    name: "restart",
    kind: SettingKind::Span,
    default: Setting::Unset("estimated"),
    doc: "Time that the policy takes work to need on a new instance until it goes on. Estimated: the longest mean boot, reading its input and a checkpoint.",
};

const ON_REBALANCE: Parameter = Parameter {
    name: "on_rebalance",
    kind: SettingKind::Word(&["stay", "move"]),
    default: Setting::Word("stay"),
    doc: "What it does when the provider recommends to leave an instance: it stays there, or moves the work as if the instance were warned.",
};

/// Parameters of parts that need no others.
const CARRY: &[Parameter] =
    &[EVERY, SLACK, RESTART, ON_REBALANCE, PROVIDERS, REGIONS, TYPES, FAMILIES];

/// Parameters of parts whose policy does not say which zone is tried first.
const CARRY_ZONED: &[Parameter] =
    &[EVERY, SLACK, RESTART, ON_REBALANCE, ZONE_ORDER, PROVIDERS, REGIONS, TYPES, FAMILIES];

/// What is done, beside the settings.
#[derive(Clone, Copy, Debug)]
struct Conduct {
    /// The policy of one piece of work for so many zones, with the part's own length of time.
    make: fn(usize, Span) -> Box<dyn SpotPolicy>,
    /// That length of time: between probes, or of a slice.
    pace: Span,
    /// Markets that are rented from.
    markets: &'static [Market],
    /// Whether on demand takes over from nothing, and from spot that may not last, at the last call.
    has_net: bool,
}

/// Rents for each piece of work by itself what its spot policy says, and moves it.
#[derive(Debug)]
struct SpotCarrier {
    conduct: Conduct,
    zone_order: Option<ZoneOrder>,
    reach: Reach,
    slack: u64,
    restart: Option<Span>,
    every: Span,
    /// Whether work moves when the provider recommends it.
    heeds: bool,
    /// Rents for what is not carried.
    rest: OnDemand,
    /// Most instances of each offer at once.
    rentable: Vec<u64>,
    /// Expected boot times by offer.
    boots: Vec<Span>,
    menus: FxHashMap<MenuKey, SpotMenu>,
    works: FxHashMap<WorkRef, CarriedWork>,
    due: Due<WorkRef>,
    /// Work that arrived at this decision.
    fresh: Vec<WorkRef>,
    /// Work that holds nothing, for which no timer is set.
    stalled: Vec<WorkRef>,
    /// Work that holds nothing as budgets have no room, and what rings when they have.
    short: Vec<WorkRef>,
    opens: Alarm,
    /// Number of pieces of work that hold instances.
    holding: usize,
    order: Vec<usize>,
    terms: Vec<SpotZone>,
}

/// Menus that are kept at most while nobody uses them, in offers.
const REMEMBERED: usize = 1 << 18;

impl SpotCarrier {
    fn new(conduct: Conduct, zone_order: Option<ZoneOrder>, settings: &PartSettings) -> Self {
        let reach = Reach {
            markets: conduct.markets.to_vec(),
            scope: OfferScope::new(settings),
            ..Reach::default()
        };
        let mut rest = PartSettings::new(RENT);
        rest.set("markets", conduct.markets.to_vec().into());
        for name in [PROVIDERS.name, REGIONS.name, TYPES.name, FAMILIES.name] {
            rest.set(name, settings.names(name).to_vec().into());
        }
        let every = settings.span(EVERY.name).unwrap_or(Span::HOUR);
        Self {
            conduct,
            zone_order,
            reach,
            slack: settings.count(SLACK.name).unwrap_or(0),
            restart: settings.span(RESTART.name),
            every,
            heeds: settings.word(ON_REBALANCE.name) == "move",
            rest: OnDemand::new(Steadiest, &rest),
            rentable: Vec::new(),
            boots: Vec::new(),
            menus: FxHashMap::default(),
            works: FxHashMap::default(),
            due: Due::new(every),
            fresh: Vec::new(),
            stalled: Vec::new(),
            short: Vec::new(),
            opens: Alarm::default(),
            holding: 0,
            order: Vec::new(),
            terms: Vec::new(),
        }
    }

    /// Takes `work` up, if some offer can hold all of it. Virtual machines have no end to reckon
    /// with; arrays and spread tasks lie on instances of more than one kind.
    fn take_up(&mut self, turn: &Turn<'_, '_>, work: WorkRef) -> bool {
        let live = turn.work(work);
        let ask = &live.ask;
        let tasks = turn.whole_tasks(work);
        let is_whole = tasks == 1 || ask.gang && turn.rules(ask.rules).spread == Spread::None;
        if live.kind != WorkKind::Job || !is_whole {
            return false;
        }
        if self.boots.is_empty() {
            self.boots = boots(turn.world());
            self.rentable = rentable(turn.world(), CountedCapacity::ALL);
        }
        let offers = turn.world().offers.len();
        let key = (ask.rules, ask.demand, ask.home, tasks);
        if !self.menus.contains_key(&key) && self.menus.len() * offers >= REMEMBERED {
            self.menus.retain(|_, menu| menu.users > 0);
        }
        let limits = (&self.reach, &self.boots[..], &self.rentable[..]);
        let menu =
            self.menus.entry(key).or_insert_with(|| SpotMenu::new(turn, (live, tasks), limits));
        if menu.is_empty() {
            return false;
        }
        menu.users += 1;
        let policy = (self.conduct.make)(menu.zones(), self.conduct.pace);
        let restart = self.restart.unwrap_or_else(|| menu.restart(turn, work));
        let carried = CarriedWork::new(turn, (work, menu), policy, (restart, self.slack));
        self.works.insert(work, carried);
        true
    }

    /// Lets go of work that is over, and of its instances.
    fn let_go(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) {
        let Some(carried) = self.works.remove(&work) else { return };
        self.holding -= usize::from(carried.holds());
        give_back(turn, &carried.instances);
        if let Some(menu) = self.menus.get_mut(&carried.key) {
            menu.users -= 1;
        }
    }

    /// The instances of `work` are gone or not its own any more. `lost`: the provider took them.
    fn forget_held(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef, lost: bool) {
        let Some(carried) = self.works.get_mut(&work) else { return };
        self.holding -= usize::from(carried.holds());
        if let HeldMarket::Spot(zone) = carried.held
            && lost
        {
            carried.policy.lost(zone);
            if let Some(order) = &mut self.zone_order {
                order.lost(zone_of(&self.menus, carried, zone), turn.now() - carried.launched);
            }
        }
        carried.leave(turn, work);
    }

    /// Tasks of `work` wait again. What the part does itself, it has dealt with.
    fn wait_again(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef, why: Why) {
        let holds = self.works.get(&work).is_some_and(CarriedWork::holds);
        if !holds || !turn.is_alive(work) || turn.pending(work).is_none() {
            return;
        }
        let lost = match why {
            Why::Interrupted | Why::Failed => true,
            Why::Arrived | Why::Preempted | Why::Migrated => false,
        };
        self.forget_held(turn, work, lost);
        self.decide(turn, work);
    }

    /// An instance of it was warned: the work goes, unless it is done before by its estimate.
    fn flee(&mut self, turn: &mut Turn<'_, '_>, instance: InstanceRef, until: Option<Time>) {
        let Some(until) = until else { return };
        let mut tenants = Vec::new();
        turn.tenants(instance, &mut tenants);
        for allocation in tenants {
            let target = turn.allocation(allocation);
            let (work, ends) = (target.work(), target.estimated_end);
            if !target.has_ended() && ends > until && self.works.contains_key(&work) {
                self.forget_held(turn, work, true);
                self.decide(turn, work);
            }
        }
    }

    fn decide(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) {
        let Some(mut carried) = self.works.remove(&work) else { return };
        let is_open = turn.is_alive(work) && (carried.holds() || turn.work(work).waiting > 0);
        if is_open && let Some(mut menu) = self.menus.remove(&carried.key) {
            menu.refresh(turn);
            self.holding -= usize::from(carried.holds());
            turn.rent_for(Some(work));
            self.decide_by(turn, work, (&mut carried, &menu));
            turn.rent_for(None);
            self.holding += usize::from(carried.holds());
            self.menus.insert(carried.key, menu);
            self.set_timer(turn, work, &mut carried);
        }
        self.works.insert(work, carried);
    }

    /// Asks the policy and carries out what it says.
    fn decide_by(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        (carried, menu): (&mut CarriedWork, &SpotMenu),
    ) {
        let (mut terms, mut order) =
            (std::mem::take(&mut self.terms), std::mem::take(&mut self.order));
        menu.terms(turn, work, &mut terms);
        let view = carried.view(turn, work, (menu, &terms, self.every));
        order.clear();
        carried.policy.observe(&view);
        let mut decision = carried.policy.decide(&view, &mut order);
        if self.conduct.has_net && is_last_call(&view) {
            decision = SpotDecision::OnDemand(view.zone_at_hand());
        }
        if carried.holds() && !turn.work(work).ask.keeps_progress() {
            decision = stay(decision);
        }
        if let Some(zone_order) = &mut self.zone_order {
            zone_order.arrange(&mut order, &view, carried.spot_zone, |zone| menu.zone(zone));
        }
        let now = view.now;
        self.carry_out(turn, work, (carried, menu), (&view, decision, &order));
        order.clear();
        let seen = carried.view(turn, work, (menu, &terms, self.every));
        carried.policy.probes(&seen, decision, &mut order);
        for &zone in &order {
            carried.policy.probed(zone, menu.open(turn, Market::Spot, zone).is_some(), now);
        }
        if turn.explaining() && !carried.holds() {
            turn.note(work, DecisionNote::Waits(Wait::of(WaitReason::ForSpot)));
        }
        (self.terms, self.order) = (terms, order);
    }

    fn carry_out(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        (carried, menu): (&mut CarriedWork, &SpotMenu),
        (view, decision, order): (&SpotView<'_>, SpotDecision, &[usize]),
    ) {
        let otherwise = match decision {
            SpotDecision::Keep => Otherwise::Keep,
            SpotDecision::Stop => Otherwise::Stop,
            SpotDecision::OnDemand(zone) => Otherwise::OnDemand(zone),
            SpotDecision::Spot(otherwise) => {
                for &zone in order {
                    let stays = carried.held == HeldMarket::Spot(zone);
                    let launched =
                        stays || carried.launch(turn, work, menu, HeldMarket::Spot(zone));
                    carried.policy.tried(zone, launched, view.now);
                    if let Some(zone_order) = &mut self.zone_order {
                        zone_order.tried(menu.zone(zone), launched);
                    }
                    if launched {
                        return;
                    }
                }
                otherwise
            }
        };
        match (otherwise, carried.held) {
            (Otherwise::Keep, _) | (Otherwise::OnDemand(_), HeldMarket::OnDemand(_)) => {}
            (Otherwise::Stop, _) => carried.leave(turn, work),
            (Otherwise::OnDemand(zone), HeldMarket::Nothing | HeldMarket::Spot(_)) => {
                refuges(view, menu, zone, &mut self.order);
                for at in 0..self.order.len() {
                    if carried.launch(turn, work, menu, HeldMarket::OnDemand(self.order[at])) {
                        return;
                    }
                }
                // Where on demand is refused, spot is more than nothing.
                let zones = 0..if carried.holds() { 0 } else { menu.zones() };
                for zone in zones {
                    if carried.launch(turn, work, menu, HeldMarket::Spot(zone)) {
                        return;
                    }
                }
            }
        }
    }

    /// Has the work decided on again, if anything may change by then.
    fn set_timer(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef, carried: &mut CarriedWork) {
        let now = turn.now();
        let is_in_time = now - turn.work(work).arrival < carried.deadline;
        if carried.holds() || is_in_time || turn.capacity_may_rise() || self.holding > 0 {
            if carried.asked.replace(now) != Some(now) {
                self.due.push(now, work);
            }
        } else if !self.stalled.contains(&work) {
            self.stalled.push(work);
        }
        if !carried.holds()
            && let Some(at) = budgets_open(turn, &self.reach, work)
        {
            self.opens.set(turn, at);
            if !std::mem::replace(&mut carried.is_short, true) {
                self.short.push(work);
            }
        }
    }

    fn decide_all(&mut self, turn: &mut Turn<'_, '_>, works: &[WorkRef]) {
        for &work in works {
            self.decide(turn, work);
        }
    }

    /// Decides for all work whose time has come, and sets the timer for the next.
    fn decide_due(&mut self, turn: &mut Turn<'_, '_>) {
        loop {
            let works = &self.works;
            let waits = |_: &Turn<'_, '_>, since, work: WorkRef| {
                works.get(&work).is_some_and(|carried| carried.asked == Some(since))
            };
            let Some(work) = self.due.next(turn, waits) else { return };
            self.decide(turn, work);
        }
    }
}

/// Number of the zone in the world, for zone `zone` of the menu.
fn zone_of(menus: &FxHashMap<MenuKey, SpotMenu>, carried: &CarriedWork, zone: usize) -> usize {
    menus.get(&carried.key).map_or(zone, |menu| menu.zone(zone))
}

/// Whether the deadline can only just be kept on demand, and what is held may not last until then.
/// Spot that works and keeps what it does leaves as much time when it is lost.
fn is_last_call(view: &SpotView<'_>) -> bool {
    view.is_last_call()
        && match view.held {
            HeldMarket::Nothing => true,
            HeldMarket::Spot(_) => view.restart_left > Span::ZERO,
            HeldMarket::OnDemand(_) => false,
        }
}

/// The decision on work that would lose by a move what it has done: it is moved for its deadline alone.
fn stay(decision: SpotDecision) -> SpotDecision {
    match decision {
        SpotDecision::Keep | SpotDecision::Stop | SpotDecision::Spot(_) => SpotDecision::Keep,
        SpotDecision::OnDemand(zone) => SpotDecision::OnDemand(zone),
    }
}

/// Zones with on demand, in the order in which they are tried: that of the instance held, then the
/// one where the rest is cheapest, with the way of the data.
fn refuges(view: &SpotView<'_>, menu: &SpotMenu, zone: usize, order: &mut Vec<usize>) {
    let held = (view.held != HeldMarket::Nothing).then_some(zone);
    let cost = |zone: usize| {
        let terms = &view.zones[zone];
        let run = i128::from(terms.on_demand.picos()).saturating_mul(view.rest());
        let copy = |copy: Money| copy.nanos().saturating_mul(3_600_000_000_000 * 1_000_000);
        run.saturating_add(copy(terms.copy))
    };
    order.clear();
    order.extend((0..menu.zones()).filter(|&zone| !menu.offers(Market::OnDemand, zone).is_empty()));
    order.sort_by_key(|&zone| (Some(zone) != held, cost(zone), zone));
}

/// Gives back those of `instances` that nobody else is on.
fn give_back(turn: &mut Turn<'_, '_>, instances: &[InstanceRef]) {
    for &instance in instances {
        if turn.has_instance(instance)
            && turn.instance(instance).phase.is_billed()
            && turn.instance(instance).is_idle()
        {
            turn.release(instance).expect("a rented, empty instance can be given back");
        }
    }
}

impl Provision for SpotCarrier {
    fn follows_instances(&self) -> bool {
        self.conduct.markets.contains(&Market::Spot)
    }

    fn reach(&self) -> Reach {
        self.reach.clone()
    }

    fn overflow_after(&self) -> Option<Span> {
        self.rest.overflow_after()
    }

    fn weighs_price(&self) -> bool {
        true
    }

    fn carries(&mut self, turn: &Turn<'_, '_>, work: WorkRef) -> bool {
        if self.works.contains_key(&work) {
            return true;
        }
        let carries = turn.work(work).done == 0 && self.take_up(turn, work);
        if carries {
            self.fresh.push(work);
        }
        carries
    }

    fn begin(&mut self, _turn: &mut Turn<'_, '_>) {}

    fn react(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        for &trigger in triggers {
            match trigger {
                Trigger::Freed(work) if !turn.is_alive(work) => self.let_go(turn, work),
                Trigger::Cancelled(work) => self.let_go(turn, work),
                Trigger::Eligible(work, why) => self.wait_again(turn, work, why),
                Trigger::Draining(instance) if turn.has_instance(instance) => {
                    let until = turn.instance(instance).phase.until();
                    self.flee(turn, instance, until);
                }
                Trigger::AtRisk(instance) if self.heeds && turn.has_instance(instance) => {
                    let until = turn.at_risk(instance);
                    self.flee(turn, instance, until);
                }
                Trigger::Acted | Trigger::Lost(_) => {
                    let stalled = std::mem::take(&mut self.stalled);
                    self.decide_all(turn, &stalled);
                }
                Trigger::Timer => {
                    let short = std::mem::take(&mut self.short);
                    for work in &short {
                        self.works.entry(*work).and_modify(|carried| carried.is_short = false);
                    }
                    self.decide_all(turn, &short);
                }
                Trigger::Begins
                | Trigger::Arrived(_)
                | Trigger::Freed(_)
                | Trigger::Ready(_)
                | Trigger::Idle(_)
                | Trigger::Draining(_)
                | Trigger::AtRisk(_)
                | Trigger::Resumed(_)
                | Trigger::PricesChanged => {}
            }
        }
        for work in std::mem::take(&mut self.fresh) {
            self.decide(turn, work);
        }
        self.decide_due(turn);
    }

    fn supply(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) -> Provisioned {
        self.rest.supply(turn, work)
    }

    fn complete(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        place: &mut dyn Place,
        allowed: &mut Allowed<'_>,
    ) -> bool {
        self.rest.complete(turn, work, place, allowed)
    }

    fn quote(&mut self, turn: &Turn<'_, '_>, work: WorkRef, tasks: u32) -> Option<Money> {
        self.rest.quote(turn, work, tasks)
    }
}

/// On demand before spot, then the lowest expected cost: for work that is not carried.
#[derive(Clone, Copy, Debug)]
struct Steadiest;

impl OfferChoice for Steadiest {
    fn choose<'s>(
        &mut self,
        turn: &Turn<'_, '_>,
        search: &Search<'s, '_>,
    ) -> Option<(&'s RankedOffer, Quote)> {
        let market = |one: &RankedOffer| turn.world().offers[one.offer].market;
        search.quotes(turn).min_by_key(|(one, quote)| {
            (market(one) != Market::OnDemand, quote.cost, quote.instances, one.offer)
        })
    }
}
