//! One piece of work with a deadline, tick by tick, as the published simulators run it: a named
//! variant of their own, not windtunnel's semantics.
//!
//! At each tick what was held through the last one is billed for all of it and has worked, but for
//! its restart; then spot is lost in zones that have none at this tick, and then the policy decides.
//! What it launches is held through this tick. Time and work are whole, and so are all sums: the
//! costs are those of the original programs but for the rounding of theirs.

use crate::policy::spot::{HeldMarket, Otherwise, SpotDecision, SpotPolicy, SpotView, SpotZone};
use crate::units::{Money, Span};

/// Work done in a microsecond.
pub(super) const PER_MICRO: i128 = 1_000_000;

/// Work that is as good as none: a millisecond's.
const DONE: i128 = 1_000 * PER_MICRO;

/// Time for which a probe that finds spot is billed.
const PROBE: Span = Span::from_secs(60);

/// Rules of a simulator, and the work.
#[derive(Clone, Debug)]
pub(super) struct TickRules {
    /// Time between two decisions.
    pub tick: Span,
    /// Time until the deadline.
    pub deadline: Span,
    /// All of the work, in millionths of a microsecond.
    pub total: i128,
    /// Time that a launched instance takes until it works.
    pub restart: Span,
    /// What is billed of the end.
    pub end: BilledEnd,
    /// Whether on demand takes over for good at the last call, before the policy is asked.
    pub has_net: bool,
    /// Price of a launch in another region than the one where the work last ran.
    pub copy: Money,
}

impl TickRules {
    /// What is seen at the beginning.
    pub(super) fn begin<'v>(&self, zones: &'v [SpotZone]) -> SpotView<'v> {
        SpotView {
            now: Span::ZERO,
            deadline: self.deadline,
            done: 0,
            total: self.total,
            restart: self.restart,
            restart_left: Span::ZERO,
            step: self.tick,
            held: HeldMarket::Nothing,
            worked: None,
            zones,
        }
    }
}

/// What is billed when the work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BilledEnd {
    /// The tick in which it is done.
    LastTick,
    /// No more than the ticks before that, with their probes: a quirk of SkyNomad's published costs.
    NoLastTick,
    /// Also one tick of what the policy decides when the work is done: a quirk of the costs that were
    /// published with the first traces of "Can't Be Late".
    OneTickMore,
}

/// A zone in the time of one run.
#[derive(Clone, Copy, Debug)]
pub(super) struct TickZone<'a> {
    pub terms: SpotZone,
    /// Whether there is spot, by tick; behind the last there is none.
    pub up: &'a [bool],
}

/// How the work went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TickResult {
    /// Cost in pico-dollars an hour times microseconds.
    pub accrued: i128,
    /// Whether it was done by its deadline.
    pub is_in_time: bool,
    /// Work that was done on demand and on spot.
    pub worked: [i128; 2],
}

impl TickResult {
    /// The cost in dollars.
    pub(super) fn dollars(&self) -> f64 {
        dollars(self.accrued)
    }
}

/// Dollars of pico-dollars an hour times microseconds.
pub(super) fn dollars(accrued: i128) -> f64 {
    accrued as f64 / 3.6e21
}

/// Runs the work under `policy`; it ends unfinished where the first zone's ticks are over.
pub(super) fn run(
    policy: &mut dyn SpotPolicy,
    rules: &TickRules,
    zones: &[TickZone<'_>],
) -> TickResult {
    let mut run = TickRun::new(rules, zones);
    while !run.ends_tick() && run.tick < zones[0].up.len() {
        run.lose(policy);
        run.decide(policy);
        run.tick += 1;
    }
    let is_done = run.is_done();
    let is_in_time = is_done && run.now() <= rules.deadline;
    if is_done && rules.end == BilledEnd::OneTickMore {
        run.lose(policy);
        run.decide(policy);
        run.bill();
    }
    TickResult { accrued: run.accrued, is_in_time, worked: run.worked_on }
}

struct TickRun<'a> {
    rules: &'a TickRules,
    zones: &'a [TickZone<'a>],
    terms: Vec<SpotZone>,
    tick: usize,
    held: HeldMarket,
    restart_left: Span,
    done: i128,
    worked: Option<usize>,
    worked_on: [i128; 2],
    is_netted: bool,
    accrued: i128,
    /// Cost of the probes of this tick.
    probes: i128,
    order: Vec<usize>,
}

impl<'a> TickRun<'a> {
    fn new(rules: &'a TickRules, zones: &'a [TickZone<'a>]) -> Self {
        Self {
            rules,
            zones,
            terms: zones.iter().map(|zone| zone.terms).collect(),
            tick: 0,
            held: HeldMarket::Nothing,
            restart_left: Span::ZERO,
            done: 0,
            worked: None,
            worked_on: [0; 2],
            is_netted: false,
            accrued: 0,
            probes: 0,
            order: Vec::new(),
        }
    }

    fn now(&self) -> Span {
        Span::from_micros(self.rules.tick.micros() * self.tick as i64)
    }

    fn is_done(&self) -> bool {
        self.rules.total - self.done <= DONE
    }

    fn is_up(&self, zone: usize) -> bool {
        self.zones[zone].up.get(self.tick).copied().unwrap_or(false)
    }

    /// What is seen now; `terms` apart, so that the rest may change meanwhile.
    fn view<'v>(&self, terms: &'v [SpotZone]) -> SpotView<'v> {
        SpotView {
            now: self.now(),
            done: self.done,
            restart_left: self.restart_left,
            held: self.held,
            worked: self.worked,
            ..self.rules.begin(terms)
        }
    }

    /// Works through the tick that is over, and bills it; whether the work is done.
    fn ends_tick(&mut self) -> bool {
        if self.tick > 0 {
            self.works();
            if !(self.is_done() && self.rules.end == BilledEnd::NoLastTick) {
                self.bill();
            }
        }
        self.is_done()
    }

    fn works(&mut self) {
        let (zone, market) = match self.held {
            HeldMarket::Nothing => return,
            HeldMarket::OnDemand(zone) => (zone, 0),
            HeldMarket::Spot(zone) => (zone, 1),
        };
        let free = (self.rules.tick - self.restart_left).max(Span::ZERO);
        self.restart_left = (self.restart_left - self.rules.tick).max(Span::ZERO);
        let gain = i128::from(free.micros()) * PER_MICRO;
        let gain = gain.min(self.rules.total - self.done);
        self.done += gain;
        self.worked_on[market] += gain;
        if self.worked != Some(zone) {
            self.worked = Some(zone);
            let home = self.zones[zone].terms.region;
            for terms in &mut self.terms {
                terms.copy = if terms.region == home { Money::ZERO } else { self.rules.copy };
            }
        }
    }

    fn bill(&mut self) {
        let price = match self.held {
            HeldMarket::Nothing => None,
            HeldMarket::OnDemand(zone) => Some(self.terms[zone].on_demand),
            HeldMarket::Spot(zone) => Some(self.terms[zone].spot),
        };
        self.accrued += price.map_or(0, |price| price.accrue(self.rules.tick));
        self.accrued += std::mem::take(&mut self.probes);
    }

    fn lose(&mut self, policy: &mut dyn SpotPolicy) {
        if let HeldMarket::Spot(zone) = self.held
            && !self.is_up(zone)
        {
            self.held = HeldMarket::Nothing;
            policy.lost(zone);
        }
    }

    fn launch(&mut self, held: HeldMarket) {
        self.held = held;
        self.restart_left = self.rules.restart;
        if let HeldMarket::OnDemand(zone) | HeldMarket::Spot(zone) = held {
            self.accrued += self.terms[zone].copy.nanos() * 1_000 * 3_600_000_000;
        }
    }

    fn decide(&mut self, policy: &mut dyn SpotPolicy) {
        if self.is_netted {
            return;
        }
        let terms = std::mem::take(&mut self.terms);
        let view = self.view(&terms);
        if self.rules.has_net && view.is_last_call() {
            let refuge = HeldMarket::OnDemand(view.refuge());
            self.terms = terms;
            self.is_netted = true;
            if self.held != refuge {
                self.launch(refuge);
            }
            return;
        }
        policy.observe(&view);
        let mut order = std::mem::take(&mut self.order);
        order.clear();
        let decision = policy.decide(&view, &mut order);
        self.terms = terms;
        self.carry_out(policy, decision, &order);
        self.probe(policy, decision, &mut order);
        self.order = order;
    }

    fn carry_out(&mut self, policy: &mut dyn SpotPolicy, decision: SpotDecision, order: &[usize]) {
        match decision {
            SpotDecision::Keep => {}
            SpotDecision::Stop => self.held = HeldMarket::Nothing,
            SpotDecision::OnDemand(zone) => self.launch(HeldMarket::OnDemand(zone)),
            SpotDecision::Spot(otherwise) => {
                let now = self.now();
                let launched = order.iter().copied().find(|&zone| {
                    let is_up = self.is_up(zone);
                    policy.tried(zone, is_up, now);
                    is_up
                });
                match (launched, otherwise) {
                    (Some(zone), _) => self.launch(HeldMarket::Spot(zone)),
                    (None, Otherwise::Keep) => {}
                    (None, Otherwise::Stop) => self.held = HeldMarket::Nothing,
                    (None, Otherwise::OnDemand(zone)) => self.launch(HeldMarket::OnDemand(zone)),
                }
            }
        }
    }

    fn probe(
        &mut self,
        policy: &mut dyn SpotPolicy,
        decision: SpotDecision,
        zones: &mut Vec<usize>,
    ) {
        zones.clear();
        policy.probes(&self.view(&self.terms), decision, zones);
        for &zone in &*zones {
            let is_up = self.is_up(zone);
            policy.probed(zone, is_up, self.now());
            if is_up {
                self.probes += self.terms[zone].spot.accrue(PROBE);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::spot::{OnDemandOnly, SafeGreedy, SpotOnly, UniformProgress};
    use crate::units::Rate;

    const HOUR: i128 = 3_600_000_000 * PER_MICRO;

    /// An hour of work in two, ticks of ten minutes, restarts of a minute; 6 dollars an hour on
    /// demand, 1.20 on spot: 1 dollar and 20 cents a tick.
    fn rules(end: BilledEnd) -> TickRules {
        TickRules {
            tick: Span::from_secs(600),
            deadline: Span::from_secs(7_200),
            total: HOUR,
            restart: Span::from_secs(60),
            end,
            has_net: false,
            copy: Money::ZERO,
        }
    }

    fn result(policy: &mut dyn SpotPolicy, end: BilledEnd, up: &str) -> TickResult {
        let up: Vec<bool> = up.bytes().map(|byte| byte == b'1').collect();
        let price = |text| Rate::parse(text).expect("a price");
        let (on_demand, spot) = (price("6"), price("1.2"));
        let terms = SpotZone { on_demand, spot, region: 0, copy: Money::ZERO };
        run(policy, &rules(end), &[TickZone { terms, up: &up }])
    }

    fn cents(policy: &mut dyn SpotPolicy, end: BilledEnd, up: &str) -> i64 {
        (result(policy, end, up).dollars() * 100.0).round() as i64
    }

    /// By hand: 61 minutes are 7 ticks; each loss costs a minute more.
    #[test]
    fn ticks_are_billed_as_a_whole() {
        use BilledEnd::{LastTick, NoLastTick, OneTickMore};
        let always = "1111111111111";
        assert_eq!(cents(&mut OnDemandOnly, LastTick, always), 700);
        assert_eq!(cents(&mut SpotOnly, LastTick, always), 140);
        assert_eq!(cents(&mut SpotOnly, NoLastTick, always), 120);
        assert_eq!(cents(&mut SpotOnly, OneTickMore, always), 160);
        assert_eq!(cents(&mut SpotOnly, OneTickMore, "1111111000000"), 140);
        // Lost at the second and fourth tick, and there again at the next.
        assert_eq!(cents(&mut SpotOnly, LastTick, "1010111111111"), 140);
        let result = result(&mut SpotOnly, LastTick, "0000000000011");
        assert!(!result.is_in_time, "{result:?}");
        assert_eq!(result.worked, [0, HOUR * 19 / 60]);
    }

    /// Seven ticks are needed, so the last call is at the sixth of twelve: greedy waits for five
    /// ticks, or stays on the spot that came at the last of them.
    #[test]
    fn policies_keep_the_deadline() {
        let greedy = |up| result(&mut SafeGreedy::default(), BilledEnd::LastTick, up);
        let waited = greedy("0000000000000");
        assert_eq!((waited.dollars(), waited.is_in_time), (7.0, true));
        assert_eq!(greedy("0000111111111").dollars(), 1.4);
        // Half an hour of work by the middle: on schedule it waits, behind it pays.
        let progress = |up| result(&mut UniformProgress, BilledEnd::LastTick, up);
        assert_eq!(progress("1111111111111").worked, [0, HOUR]);
        let paid = progress("0000000000000");
        assert_eq!((paid.worked, paid.is_in_time), ([HOUR, 0], true));
    }
}
