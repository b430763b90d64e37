//! The price of an offer over time, known ahead or drawn in the run.

use std::sync::Arc;

use crate::units::{Distribution, Rate, Span, Stream, Time, standard_normal};

/// A price over time.
#[derive(Clone, Debug, PartialEq)]
pub struct PricePath {
    /// Price from the beginning.
    pub first: Rate,
    /// Later prices, in order of time; each holds from its point on.
    pub changes: Vec<(Time, Rate)>,
    /// On-demand list price of the same type in the same region, before any
    /// discount: what savings are measured against. `None` if nobody rents it out.
    pub list: Option<Rate>,
    /// Periods in which a law says it instead, in order and apart. No change lies inside one; where
    /// one ends there is a change, unless what held before it returns.
    pub drawn: Vec<DrawnPrice>,
}

/// A period in which the price of an offer is drawn, in the run and for its seed.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawnPrice {
    /// Start of the period; `None` since ever.
    pub from: Option<Time>,
    /// End of the period; `None` for ever.
    pub until: Option<Time>,
    /// Time at which the path begins, by its stationary law, and from which its steps are counted.
    /// Before it, what it begins with holds.
    pub anchor: Time,
    /// Entity that the path belongs to, and which of its paths it is: the key of its random stream.
    pub key: [u64; 2],
    /// Law that it is drawn from.
    pub law: Arc<PriceLaw>,
    /// Factors on what is drawn, in millionths, one after the other.
    pub scales: Vec<i64>,
}

/// Way in which a price moves.
#[derive(Clone, Debug, PartialEq)]
pub enum PriceMotion {
    /// At each step, with probability `chance`, the price becomes a new draw from `to`, in dollars per
    /// hour. It is `to` at any time, and what is left of it after n steps is (1 - `chance`)^n.
    Stepwise {
        /// Law of the price.
        to: Distribution,
        /// Probability of a change at a step, more than 0 and at most 1.
        chance: f64,
    },
    /// The logarithm of the price goes back to that of `median` and is pushed off it again, normally
    /// distributed with a standard deviation of `sigma`: an Ornstein-Uhlenbeck process (1930), looked
    /// at once a step. What is left of a deviation after a time t is exp(-t / `relaxation`).
    Reverting {
        /// Median of the price, in dollars per hour.
        median: f64,
        /// Standard deviation of its logarithm.
        sigma: f64,
        /// Time after which 1/e of a deviation is left.
        relaxation: Span,
    },
}

/// Law of a price, valid by construction.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceLaw {
    motion: PriceMotion,
    every: Span,
    low: Rate,
    high: Rate,
}

impl PriceLaw {
    /// A price that moves at most once in `every`, and is cut to `low` and `high`.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn new(
        motion: PriceMotion,
        every: Span,
        (low, high): (Rate, Rate),
    ) -> Result<Self, String> {
        if every < Span::from_secs(1) {
            return Err(format!("prices that move every {every} move more than once a second"));
        }
        if low > high || low < Rate::ZERO {
            let (low, high) = (low.dollars_per_hour(), high.dollars_per_hour());
            return Err(format!("the bounds are {low} and {high} dollars per hour"));
        }
        match &motion {
            PriceMotion::Stepwise { to, chance } => {
                if !to.is_never_negative() {
                    return Err(format!("`{to}` is a price, and may be negative"));
                }
                if !(0.0 < *chance && *chance <= 1.0) {
                    return Err(format!("the chance of a change is {chance}"));
                }
            }
            PriceMotion::Reverting { median, sigma, relaxation } => {
                let is_one = |x: f64| x.is_finite() && x >= 0.0;
                if !(is_one(*median) && *median > 0.0 && is_one(*sigma)) {
                    return Err(format!("the median is {median} and sigma {sigma}"));
                }
                if *relaxation <= Span::ZERO {
                    return Err("the relaxation takes no time".to_owned());
                }
            }
        }
        Ok(Self { motion, every, low, high })
    }

    /// The lowest price that may be drawn.
    pub const fn lowest(&self) -> Rate {
        self.low
    }

    /// How it moves.
    pub const fn motion(&self) -> &PriceMotion {
        &self.motion
    }

    /// The shortest time between two changes.
    pub const fn every(&self) -> Span {
        self.every
    }

    /// A price of so many dollars per hour in millionths of a dollar, within the bounds.
    fn rate(&self, dollars: f64) -> Rate {
        let micros = libm::round(dollars * 1e6).clamp(0.0, 9e12) as i64;
        Rate::from_picos(micros * 1_000_000).clamp(self.low, self.high)
    }
}

impl PricePath {
    /// The same price for ever.
    pub const fn constant(rate: Rate) -> Self {
        Self::known(rate, Vec::new())
    }

    /// A price that is known ahead.
    pub const fn known(first: Rate, changes: Vec<(Time, Rate)>) -> Self {
        Self { first, changes, list: None, drawn: Vec::new() }
    }

    /// The price at `at`, where none is drawn.
    pub fn at(&self, at: Time) -> Rate {
        let past = self.changes.partition_point(|&(from, _)| from <= at);
        past.checked_sub(1).map_or(self.first, |last| self.changes[last].1)
    }

    /// The lowest price from `from` on, whatever is drawn.
    pub fn lowest(&self, from: Time) -> Rate {
        let later = self.changes.iter().filter(|&&(at, _)| at > from).map(|&(_, rate)| rate);
        let left = self.drawn.iter().filter(|one| one.until.is_none_or(|until| until > from));
        let drawn = left.map(|one| one.scaled(one.law.lowest()));
        later.chain(drawn).fold(self.at(from), Rate::min)
    }

    /// All prices times `millionths` / 1,000,000.
    pub fn scale(&mut self, millionths: i64) {
        self.first = self.first.scaled(millionths);
        for (_, rate) in &mut self.changes {
            *rate = rate.scaled(millionths);
        }
        self.drawn.iter_mut().for_each(|one| one.scales.push(millionths));
    }

    /// Whether it ever changes.
    pub const fn moves(&self) -> bool {
        !self.changes.is_empty() || !self.drawn.is_empty()
    }

    /// The same on a clock that starts at `from`.
    #[must_use]
    pub fn starting_at(&self, from: Time) -> Self {
        let moved = |at: Time| Time::ZERO + (at - from);
        let later = self.changes.iter().filter(|&&(at, _)| at > from);
        let left = self.drawn.iter().filter(|one| one.until.is_none_or(|until| until > from));
        let drawn = left.map(|one| DrawnPrice {
            from: one.from.filter(|&start| start > from).map(moved),
            until: one.until.map(moved),
            anchor: moved(one.anchor),
            ..one.clone()
        });
        Self {
            first: self.at(from),
            changes: later.map(|&(at, rate)| (moved(at), rate)).collect(),
            list: self.list,
            drawn: drawn.collect(),
        }
    }
}

impl DrawnPrice {
    fn scaled(&self, rate: Rate) -> Rate {
        self.scales.iter().fold(rate, |rate, &millionths| rate.scaled(millionths))
    }
}

/// The price of an offer in the run of one seed, and its next change, drawn as it comes.
#[derive(Clone, Debug)]
pub struct PriceCursor {
    /// Row of the next change that is known.
    row: usize,
    drawing: Option<Box<PriceDrawing>>,
}

/// The part of a cursor that offers have whose price is drawn.
#[derive(Clone, Debug)]
struct PriceDrawing {
    seed: u64,
    /// Row of the period that holds or comes next.
    period: usize,
    /// PriceSteps of the period, while it holds.
    steps: Option<PriceSteps>,
}

/// A price as it is drawn.
#[derive(Clone, Debug)]
struct PriceSteps {
    stream: Stream,
    /// Deviation of the logarithm from its mean, in standard deviations.
    deviation: f64,
    rate: Rate,
    next: Option<Time>,
}

impl PriceSteps {
    fn begin(drawn: &DrawnPrice, seed: u64) -> Self {
        let mut stream = Stream::keyed(seed, "price", &drawn.key);
        let (mut deviation, law) = (0.0, &*drawn.law);
        let dollars = match &law.motion {
            PriceMotion::Stepwise { to, .. } => to.sample(&mut stream),
            PriceMotion::Reverting { median, sigma, .. } => {
                deviation = standard_normal(stream.uniform());
                median * libm::exp(sigma * deviation)
            }
        };
        let rate = drawn.scaled(law.rate(dollars));
        let mut steps = Self { stream, deviation, rate, next: Some(drawn.anchor) };
        steps.schedule(law);
        steps
    }

    /// Sets the next change after the last.
    fn schedule(&mut self, law: &PriceLaw) {
        let steps = match &law.motion {
            PriceMotion::Reverting { .. } => 1.0,
            // Geometric: the first step at which there is a change.
            PriceMotion::Stepwise { chance, .. } if *chance < 1.0 => {
                libm::ceil(libm::log(self.stream.uniform()) / libm::log1p(-chance)).max(1.0)
            }
            PriceMotion::Stepwise { .. } => 1.0,
        };
        self.next = self.next.and_then(|at| {
            let after = i128::from(at.micros()) + i128::from(law.every.micros()) * steps as i128;
            i64::try_from(after).ok().map(Time::from_micros)
        });
    }

    /// Goes on to the next change.
    fn advance(&mut self, drawn: &DrawnPrice) {
        let law = &*drawn.law;
        let dollars = match &law.motion {
            PriceMotion::Stepwise { to, .. } => to.sample(&mut self.stream),
            PriceMotion::Reverting { median, sigma, relaxation } => {
                let left = libm::exp(-law.every.secs_f64() / relaxation.secs_f64());
                let push = libm::sqrt((1.0 - left * left).max(0.0));
                self.deviation =
                    left * self.deviation + push * standard_normal(self.stream.uniform());
                median * libm::exp(sigma * self.deviation)
            }
        };
        self.rate = drawn.scaled(law.rate(dollars));
        self.schedule(law);
    }
}

impl PriceCursor {
    /// The price of `path` at `started`, and what comes after. It is a cursor of that path alone.
    pub fn new(path: &PricePath, seed: u64, started: Time) -> Self {
        let drawing = PriceDrawing { seed, period: 0, steps: None };
        let drawing = (!path.drawn.is_empty()).then(|| Box::new(drawing));
        let row = path.changes.partition_point(|&(at, _)| at <= started);
        let mut cursor = Self { row, drawing };
        cursor.draw(path, started);
        cursor
    }

    /// The price now.
    pub fn rate(&self, path: &PricePath) -> Rate {
        let steps = self.drawing.as_ref().and_then(|drawing| drawing.steps.as_ref());
        match steps {
            Some(steps) => steps.rate,
            None => self.row.checked_sub(1).map_or(path.first, |at| path.changes[at].1),
        }
    }

    /// Time of the next change, if there is one.
    #[inline]
    pub fn next_change(&self, path: &PricePath) -> Option<Time> {
        let known = path.changes.get(self.row).map(|&(at, _)| at);
        let Some(drawing) = &self.drawing else { return known };
        let drawn = path.drawn.get(drawing.period).and_then(|period| match &drawing.steps {
            None => period.from,
            Some(steps) => steps.next.into_iter().chain(period.until).min(),
        });
        drawn.into_iter().chain(known).min()
    }

    /// Whether changes are drawn for ever from here on.
    pub fn is_endless(&self, path: &PricePath) -> bool {
        let last = path.drawn.last().filter(|period| period.until.is_none());
        let is_last = |drawing: &PriceDrawing| {
            drawing.period + 1 == path.drawn.len() && drawing.steps.is_some()
        };
        let drawing = self.drawing.as_deref();
        last.is_some() && self.row == path.changes.len() && drawing.is_some_and(is_last)
    }

    /// Goes on to the next change, if there is one. It may come to the same price.
    pub fn advance(&mut self, path: &PricePath) {
        let Some(at) = self.next_change(path) else { return };
        if path.changes.get(self.row).is_some_and(|&(known, _)| known == at) {
            self.row += 1;
        }
        self.draw(path, at);
    }

    /// Draws what holds at `at`.
    fn draw(&mut self, path: &PricePath, at: Time) {
        let Some(drawing) = &mut self.drawing else { return };
        let has_ended = |period: &DrawnPrice| period.until.is_some_and(|until| until <= at);
        while path.drawn.get(drawing.period).is_some_and(has_ended) {
            drawing.period += 1;
            drawing.steps = None;
        }
        let Some(period) = path.drawn.get(drawing.period) else { return };
        if period.from.is_none_or(|from| from <= at) {
            let seed = drawing.seed;
            let steps = drawing.steps.get_or_insert_with(|| PriceSteps::begin(period, seed));
            while steps.next.is_some_and(|next| next <= at) {
                steps.advance(period);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(law: PriceLaw, scales: Vec<i64>) -> PricePath {
        let (from, until, anchor, key) = (None, None, Time::ZERO, [3, 0]);
        let drawn = DrawnPrice { from, until, anchor, key, law: Arc::new(law), scales };
        PricePath { drawn: vec![drawn], ..PricePath::constant(Rate::ZERO) }
    }

    fn dollars(text: &str) -> Rate {
        Rate::parse(text).expect(text)
    }

    /// Prices in dollars per hour at each of `count` times `every` apart.
    fn sampled(path: &PricePath, seed: u64, every: Span, count: i64) -> Vec<f64> {
        let mut cursor = PriceCursor::new(path, seed, Time::ZERO);
        let mut at_each = |at: Time| {
            while cursor.next_change(path).is_some_and(|next| next <= at) {
                cursor.advance(path);
            }
            cursor.rate(path).dollars_per_hour()
        };
        (0..count).map(|row| at_each(Time::from_micros(every.micros() * row))).collect()
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    /// Mean, variance and what is left of a deviation after one and after five values.
    fn moments(values: &[f64]) -> (f64, f64, f64, f64) {
        let middle = mean(values);
        let lagged = |lag: usize| {
            let pairs = values.windows(lag + 1).map(|run| (run[0] - middle) * (run[lag] - middle));
            pairs.sum::<f64>() / (values.len() - lag) as f64
        };
        let variance = lagged(0);
        (middle, variance, lagged(1) / variance, lagged(5) / variance)
    }

    /// Of 200,000 values whose correlation falls with e^(-1/4) a step, the effective number is 200,000
    /// (1 - a) / (1 + a) = 24,870: the mean is within 4 / sqrt(24,870) standard deviations.
    #[test]
    fn a_price_that_reverts_has_its_stationary_moments() {
        let relaxation = Span::from_secs(4 * 3_600);
        let motion = PriceMotion::Reverting { median: 2.0, sigma: 0.2, relaxation };
        let bounds = (Rate::ZERO, dollars("100"));
        let law = PriceLaw::new(motion, Span::HOUR, bounds).expect("a law");
        let values = sampled(&path(law, Vec::new()), 1, Span::HOUR, 200_000);
        let logs: Vec<f64> = values.iter().map(|value| (value / 2.0).ln()).collect();
        let (middle, variance, one, five) = moments(&logs);
        assert!(middle.abs() < 4.0 * 0.2 / 24_870_f64.sqrt(), "{middle}");
        assert!((variance / 0.04 - 1.0).abs() < 0.05, "{variance}");
        assert!((one - (-0.25_f64).exp()).abs() < 0.01, "{one}");
        assert!((five - (-1.25_f64).exp()).abs() < 0.02, "{five}");
        // The mean of a lognormal law is above its median.
        assert!((mean(&values) / (2.0 * 0.02_f64.exp()) - 1.0).abs() < 0.006);
        // At the start it is no other than later: the first of many seeds.
        let relaxation = Span::from_secs(14_400);
        let motion = PriceMotion::Reverting { median: 2.0, sigma: 0.2, relaxation };
        let start = path(PriceLaw::new(motion, Span::HOUR, bounds).expect("a law"), Vec::new());
        let first = (0..20_000)
            .map(|seed| PriceCursor::new(&start, seed, Time::ZERO).rate(&start).dollars_per_hour());
        let logs: Vec<f64> = first.map(|value| (value / 2.0).ln()).collect();
        let (middle, variance, ..) = moments(&logs);
        assert!(middle.abs() < 4.0 * 0.2 / 20_000_f64.sqrt(), "{middle}");
        assert!((variance / 0.04 - 1.0).abs() < 0.04, "{variance}");
    }

    /// Uniform from 1 to 3: mean 2, variance 1/3; of a chance of 1/4, (3/4)^n is left after n steps.
    #[test]
    fn a_price_in_steps_has_its_stationary_moments() {
        let to = Distribution::uniform(1.0, 3.0).expect("a law");
        let motion = PriceMotion::Stepwise { to, chance: 0.25 };
        let day = Span::from_secs(86_400);
        let law = PriceLaw::new(motion, day, (Rate::ZERO, dollars("9"))).expect("a law");
        let path = path(law, Vec::new());
        let values = sampled(&path, 1, day, 100_000);
        let (middle, variance, one, five) = moments(&values);
        // The effective number of values is 100,000 (1 - 3/4) / (1 + 3/4).
        assert!((middle - 2.0).abs() < 4.0 * (1.0 / 3.0_f64).sqrt() / 14_285_f64.sqrt());
        assert!((variance * 3.0 - 1.0).abs() < 0.03, "{variance}");
        assert!((one - 0.75).abs() < 0.01 && (five - 0.75_f64.powi(5)).abs() < 0.02);
        // It moves on whole days alone.
        let mut cursor = PriceCursor::new(&path, 2, Time::ZERO);
        for _ in 0..100 {
            let next = cursor.next_change(&path).expect("it goes on");
            assert_eq!(next.micros() % day.micros(), 0);
            cursor.advance(&path);
        }
        assert!(cursor.is_endless(&path));
    }

    #[test]
    fn bounds_and_factors_hold() {
        let motion =
            PriceMotion::Reverting { median: 2.0, sigma: 1.0, relaxation: Span::from_secs(3_600) };
        let bounds = (dollars("1"), dollars("4"));
        let law = PriceLaw::new(motion, Span::HOUR, bounds).expect("a law");
        let path = path(law, vec![500_000]);
        let values = sampled(&path, 1, Span::HOUR, 2_000);
        assert!(values.iter().all(|value| (0.5..=2.0).contains(value)));
        assert!(values.contains(&0.5) && values.contains(&2.0));
        assert_eq!(path.lowest(Time::ZERO), Rate::ZERO);
        let mut dear = path.clone();
        dear.scale(4_000_000);
        let dearer = sampled(&dear, 1, Span::HOUR, 2_000);
        assert!(values.iter().zip(dearer).all(|(value, more)| (more - 4.0 * value).abs() < 1e-9));
    }

    /// A period among known prices; on another clock the same prices come.
    #[test]
    fn periods_lie_between_changes_that_are_known() {
        let to = Distribution::uniform(1.0, 3.0).expect("a law");
        let motion = PriceMotion::Stepwise { to, chance: 1.0 };
        let law = PriceLaw::new(motion, Span::HOUR, (Rate::ZERO, dollars("9"))).expect("a law");
        let hours = |hours: i64| Time::from_secs(3_600 * hours);
        let mut cut = path(law, Vec::new());
        cut.first = dollars("7");
        cut.changes = vec![(hours(3), dollars("8")), (hours(20), dollars("7"))];
        cut.drawn[0].from = Some(hours(5));
        cut.drawn[0].until = Some(hours(20));
        cut.drawn[0].anchor = hours(5);
        let seen = sampled(&cut, 1, Span::HOUR, 25);
        assert_eq!(
            (&seen[..3], &seen[3..5], &seen[20..]),
            (&[7.0; 3][..], &[8.0; 2][..], &[7.0; 5][..])
        );
        assert!(seen[5..20].iter().all(|value| (1.0..=3.0).contains(value)));
        assert!(seen[5..20].windows(2).all(|pair| pair[0] != pair[1]));
        let moved = sampled(&cut.starting_at(hours(8)), 1, Span::HOUR, 17);
        assert_eq!(moved, seen[8..]);
        assert_eq!((cut.lowest(Time::ZERO), cut.lowest(hours(20))), (Rate::ZERO, dollars("7")));
    }
}
