//! Budgets: what was spent of each in each period, and when a threshold was crossed, found exactly, at
//! no grid of time.

use super::alert::{Alert, AlertRule, Alerts, Signal};
use crate::model::Budget;
use crate::sim::Observer;
use crate::state::{BudgetStanding, State};
use crate::units::{Money, Span, Time};

/// Money that a threshold looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ThresholdBasis {
    /// Money that is spent.
    Actual,
    /// The forecast for the whole period.
    Forecast,
}

/// A threshold that was crossed in a period, for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// What it looks at.
    pub basis: ThresholdBasis,
    /// Its share of the budget, in millionths.
    pub share: u32,
    /// When it was crossed.
    pub at: Time,
    /// The most that was seen of what it looks at, from then to the end of the period.
    pub most: Money,
}

/// A period of a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetSpell {
    /// Beginning of the period, or of the run where that is later.
    pub from: Time,
    /// End of the period, or of the run where that is earlier.
    pub until: Time,
    /// Whether it was over before the run.
    pub over: bool,
    /// Money spent in it.
    pub spent: Money,
    /// The forecast at its end, where there is one.
    pub forecast: Option<Money>,
    /// When all of the budget was spent, if it was.
    pub used_up: Option<Time>,
    /// The thresholds that were crossed, in order of time.
    pub crossings: Vec<Crossing>,
}

/// A budget at a moment, for charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetPoint {
    /// The moment.
    pub at: Time,
    /// Money spent in the period that holds it.
    pub spent: Money,
    /// The forecast for that period.
    pub forecast: Option<Money>,
}

/// A budget over a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetHistory {
    /// Its periods, in order; at least one.
    pub spells: Vec<BudgetSpell>,
    /// Moments at an even distance, and the end of the run: at most some hundreds.
    pub points: Vec<BudgetPoint>,
    /// End of the last period, where it has one.
    pub period_end: Option<Time>,
}

/// Watches the budgets of a world. Costs time at each move of the clock by the number of budgets; without
/// budgets nothing is watched.
#[derive(Debug, Default)]
pub struct Budgets {
    watches: Vec<BudgetWatch>,
    is_on: bool,
}

/// Most points of a budget; when there are more, every second is left out.
const MOST_POINTS: usize = 480;

#[derive(Debug)]
struct BudgetWatch {
    limit: Money,
    /// The thresholds with their amounts.
    thresholds: Vec<(ThresholdBasis, u32, Money)>,
    spells: Vec<BudgetSpell>,
    /// The current period, once something happened in it.
    current: Option<BudgetSpell>,
    period_end: Option<Time>,
    points: Vec<BudgetPoint>,
    /// Time from one point to the next.
    step: Span,
    next: Time,
}

/// Rules of alerts for the thresholds of budgets, in the order in which [`Budgets::tell`] counts them.
pub fn budget_rules(budgets: &[Budget]) -> Vec<AlertRule> {
    let rule = |budget: &Budget, (basis, share): (ThresholdBasis, u32)| AlertRule {
        name: match basis {
            ThresholdBasis::Actual => format!("{}: {} % spent", budget.name, percent(share)),
            ThresholdBasis::Forecast => format!("{}: forecast {} %", budget.name, percent(share)),
        },
        signal: match basis {
            ThresholdBasis::Actual => Signal::BudgetSpent,
            ThresholdBasis::Forecast => Signal::BudgetForecast,
        },
        above: true,
        threshold: f64::from(share) / 1e6,
        lasting: Span::ZERO,
        over: Vec::new(),
    };
    let of = |budget| thresholds(budget).into_iter().map(move |threshold| rule(budget, threshold));
    budgets.iter().flat_map(of).collect()
}

/// Millionths as a percentage, with no more digits than it has.
fn percent(millionths: u32) -> String {
    let (whole, rest) = (millionths / 10_000, millionths % 10_000);
    let digits = format!("{whole}.{rest:04}");
    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The thresholds of a budget: those of what is spent, then those of the forecast.
fn thresholds(budget: &Budget) -> Vec<(ThresholdBasis, u32)> {
    let of = |basis, shares: &[u32]| -> Vec<(ThresholdBasis, u32)> {
        shares.iter().map(|&share| (basis, share)).collect()
    };
    let mut all = of(ThresholdBasis::Actual, &budget.alert_at);
    all.extend(of(ThresholdBasis::Forecast, &budget.forecast_at));
    all
}

impl Budgets {
    /// Watches all budgets of the world, if it has any.
    pub fn of(budgets: &[Budget]) -> Self {
        let amount = |budget: &Budget, (basis, share)| (basis, share, budget.part(share));
        let watch = |budget: &Budget| BudgetWatch {
            limit: budget.limit,
            thresholds: thresholds(budget).into_iter().map(|one| amount(budget, one)).collect(),
            spells: Vec::new(),
            current: None,
            period_end: None,
            points: Vec::new(),
            step: Span::from_secs(60),
            next: Time::ZERO,
        };
        Self { watches: budgets.iter().map(watch).collect(), is_on: !budgets.is_empty() }
    }

    /// Tells `alerts` of every threshold that was crossed. An alert lasts to the end of the period; its
    /// rules are those of [`budget_rules`], from row `first` on.
    pub fn tell(&self, alerts: &mut Alerts, first: usize) {
        let mut row = first;
        for watch in &self.watches {
            for spell in &watch.spells {
                for crossing in &spell.crossings {
                    let place = watch.thresholds.iter().position(|one| crossing.is_of(one));
                    let worst = crossing.most.dollars() / watch.limit.dollars();
                    let (from, until) = (crossing.at, spell.until);
                    let rule = row + place.expect("what is crossed is a threshold");
                    alerts.add(Alert { rule, from, until, worst, over: spell.over });
                }
            }
            row += watch.thresholds.len();
        }
    }

    /// The budgets over the run, in the order of the world.
    pub fn into_histories(self) -> Vec<BudgetHistory> {
        let history = |watch: BudgetWatch| BudgetHistory {
            spells: watch.spells,
            points: watch.points,
            period_end: watch.period_end,
        };
        self.watches.into_iter().map(history).collect()
    }
}

impl Observer for Budgets {
    fn watches(&self) -> bool {
        self.is_on
    }

    fn begins(&mut self, state: &State<'_>) {
        self.watches.iter_mut().for_each(|watch| watch.next = state.now());
    }

    fn elapse(&mut self, state: &State<'_>, _from: Time, to: Time) {
        for (row, watch) in self.watches.iter_mut().enumerate() {
            if let Some(standing) = state.budget(row) {
                watch.follow(standing, state, to);
            }
        }
    }

    fn ends(&mut self, state: &State<'_>) {
        for (row, watch) in self.watches.iter_mut().enumerate() {
            if let Some(standing) = state.budget(row) {
                watch.end(standing);
            }
        }
    }
}

impl BudgetWatch {
    /// Follows the budget from a moment up to `to`, through as many periods as end by then.
    fn follow(&mut self, mut standing: BudgetStanding<'_>, state: &State<'_>, to: Time) {
        loop {
            let end = standing.until.map_or(to, |until| until.min(to));
            self.stretch(standing, end);
            if standing.until != Some(end) {
                return;
            }
            self.close(standing.moved_to(end), true);
            match standing.next(state.world().calendar) {
                Some(next) if end < to => standing = next,
                Some(_) | None => return,
            }
        }
    }

    /// Takes in a stretch in which nothing changes, within one period, from the moment of `standing` to
    /// `end`.
    fn stretch(&mut self, standing: BudgetStanding<'_>, end: Time) {
        while self.next < end {
            self.points.push(BudgetPoint::of(standing.moved_to(self.next)));
            if self.points.len() == MOST_POINTS {
                self.halve();
            }
            let last = self.points.last().map_or(self.next, |point| point.at);
            self.next = last.saturating_add(self.step);
        }
        let spell = self.current.get_or_insert_with(|| BudgetSpell {
            from: standing.from,
            until: standing.from,
            over: false,
            spent: Money::ZERO,
            forecast: None,
            used_up: None,
            crossings: Vec::new(),
        });
        if spell.used_up.is_none() {
            spell.used_up = standing.spending.reaches(self.limit).filter(|&at| at <= end);
        }
        let later = standing.moved_to(end);
        let first = standing.first_forecast().map(|first| first.max(standing.spending.at()));
        let from = first.filter(|&first| first <= end).map(|first| standing.moved_to(first));
        for crossing in &mut spell.crossings {
            let seen = match crossing.basis {
                ThresholdBasis::Actual => Some(later.spent()),
                ThresholdBasis::Forecast => {
                    later.forecast().max(from.and_then(|from| from.forecast()))
                }
            };
            crossing.most = crossing.most.max(seen.unwrap_or_default());
        }
        for threshold @ &(basis, share, part) in &self.thresholds {
            if spell.crossings.iter().any(|one| one.is_of(threshold)) {
                continue;
            }
            let (at, most) = match basis {
                ThresholdBasis::Actual => (standing.spending.reaches(part), Some(later.spent())),
                ThresholdBasis::Forecast => {
                    let at = from.and_then(|from| forecast_reaches(from, end, part));
                    let first = at.and_then(|at| standing.moved_to(at).forecast());
                    (at, later.forecast().max(first))
                }
            };
            if let (Some(at), Some(most)) = (at.filter(|&at| at <= end), most) {
                spell.crossings.push(Crossing { basis, share, at, most });
            }
        }
    }

    /// Ends the current period.
    fn close(&mut self, standing: BudgetStanding<'_>, over: bool) {
        let Some(mut spell) = self.current.take() else { return };
        (spell.until, spell.over) = (standing.spending.at(), over);
        (spell.spent, spell.forecast) = (standing.spent(), standing.forecast());
        spell.crossings.sort_by_key(|one| (one.at, one.basis, one.share));
        self.spells.push(spell);
        self.period_end = standing.until;
    }

    /// The run ends. A period that ends just then has what is charged at this moment too, and one that
    /// begins just then counts only if something is spent in it.
    fn end(&mut self, standing: BudgetStanding<'_>) {
        let is_its = |last: &mut BudgetSpell| last.from == standing.from;
        let ended = if self.current.is_none() { self.spells.pop_if(is_its) } else { None };
        let is_over = ended.is_some();
        let is_new = self.current.is_none() && !is_over && !self.spells.is_empty();
        if is_new && standing.spent() == Money::ZERO {
            return;
        }
        self.current = ended.or(self.current.take());
        self.stretch(standing, standing.spending.at());
        self.close(standing, is_over);
        self.points.push(BudgetPoint::of(standing));
    }

    /// Leaves out every second point.
    fn halve(&mut self) {
        let mut place = 0;
        self.points.retain(|_| {
            place += 1;
            place % 2 == 1
        });
        self.step = Span::from_micros(self.step.micros().saturating_mul(2));
    }
}

impl Crossing {
    fn is_of(&self, &(basis, share, _): &(ThresholdBasis, u32, Money)) -> bool {
        (self.basis, self.share) == (basis, share)
    }
}

impl BudgetPoint {
    fn of(standing: BudgetStanding<'_>) -> Self {
        let (spent, forecast) = (standing.spent(), standing.forecast());
        Self { at: standing.spending.at(), spent, forecast }
    }
}

/// First moment from that of `standing` to `end` at which the forecast is at least `amount`. While
/// nothing changes a forecast only rises or only falls.
fn forecast_reaches(standing: BudgetStanding<'_>, end: Time, amount: Money) -> Option<Time> {
    let reaches = |at: Time| standing.moved_to(at).forecast().is_some_and(|all| all >= amount);
    let (mut before, mut after) = (standing.spending.at(), end);
    if reaches(before) {
        return Some(before);
    }
    if !reaches(after) {
        return None;
    }
    while (after - before).micros() > 1 {
        let middle = before + Span::from_micros((after - before).micros() / 2);
        if reaches(middle) { after = middle } else { before = middle }
    }
    Some(after)
}

#[cfg(test)]
mod caps;
#[cfg(test)]
mod tests;
