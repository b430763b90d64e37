//! When synthetic work arrives.

use crate::units::stream::Stream;
use crate::units::{Calendar, Span, Time};

use super::super::number::FAR;
use super::{Arrivals, MmppState};

/// Microseconds per hour.
const HOUR: f64 = 3.6e9;
/// Arrivals at one instant after which a renewal process is taken to stand
/// still: it then moves on by a microsecond.
const STANDING: u32 = 1_000_000;

impl Arrivals {
    /// Problems with the parameters in words, all of them.
    pub fn problems(&self) -> Vec<String> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let mut problems = Vec::new();
        let mut check = |good: bool, message: &str| {
            if !good {
                problems.push(message.to_owned());
            }
        };
        const RATE: &str = "arrivals per hour must be greater than 0, and at most 3,600,000,000";
        let rate = |per_hour: f64| positive(per_hour) && per_hour <= HOUR;
        match self {
            Self::Poisson { per_hour } => check(rate(*per_hour), RATE),
            Self::Every(span) => {
                check(*span > Span::ZERO, "the time between arrivals must be greater than 0")
            }
            Self::Renewal(gaps) => {
                let mean = gaps.mean().is_none_or(|mean| mean > 0.0);
                check(mean, "the mean time between arrivals must be greater than 0");
            }
            Self::Profile { per_hour, weights } => {
                check(rate(*per_hour), RATE);
                check(matches!(weights.len(), 24 | 168), "a profile has 24 or 168 weights");
                let good = weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0);
                check(
                    good && positive(weights.iter().sum()),
                    "weights of a profile must not be negative, nor all 0",
                );
            }
            Self::Mmpp(states) => {
                check(!states.is_empty(), "a modulated process needs states");
                let rates = |state: &MmppState| state.per_hour == 0.0 || rate(state.per_hour);
                check(states.iter().all(rates), RATE);
                let some = states.is_empty() || states.iter().any(|state| state.per_hour > 0.0);
                check(some, "some state of a modulated process must have arrivals");
                let dwells = states.iter().all(|state| state.dwell > Span::ZERO);
                check(dwells, "the dwell time of a state must be greater than 0");
            }
        }
        problems
    }
}

/// Arrivals one after the other.
#[derive(Debug)]
pub(super) struct ArrivalClock {
    arrivals: Arrivals,
    stream: Stream,
    /// Changes of state have a stream of their own.
    states: Stream,
    calendar: Calendar,
    /// Time in microseconds after the run's start, with fractions, so that rounding does not add
    /// up.
    now: f64,
    state: usize,
    leaves: f64,
    standing: u32,
}

impl ArrivalClock {
    pub(super) fn new(arrivals: &Arrivals, seed: u64, calendar: Calendar) -> Self {
        let mut clock = Self {
            arrivals: arrivals.clone(),
            stream: Stream::new(seed, "workload arrivals"),
            states: Stream::new(seed, "workload states"),
            calendar,
            now: 0.0,
            state: 0,
            leaves: 0.0,
            standing: 0,
        };
        if let Arrivals::Mmpp(states) = arrivals {
            clock.leaves = exponential(&mut clock.states) * states[0].dwell.micros() as f64;
        }
        clock
    }

    /// The next arrival, if it is not after `end`.
    pub(super) fn next(&mut self, end: Time) -> Option<Time> {
        let limit = (end.micros() as f64).min(FAR as f64);
        self.now = match &self.arrivals {
            Arrivals::Poisson { per_hour } => {
                self.now + exponential(&mut self.stream) * HOUR / per_hour
            }
            Arrivals::Every(span) => self.now + span.micros() as f64,
            Arrivals::Renewal(gaps) => {
                let gap = (gaps.sample(&mut self.stream) * 1e6).max(0.0);
                self.standing = if gap < 1.0 { self.standing + 1 } else { 0 };
                self.now + if self.standing > STANDING { 1.0 } else { gap }
            }
            Arrivals::Profile { per_hour, weights } => {
                let work = exponential(&mut self.stream);
                through_profile(self.calendar, weights, *per_hour, self.now, work, limit)
            }
            Arrivals::Mmpp(_) => self.through_states(limit),
        };
        // A whole number is cut off a time, which is never negative: rounded down.
        (self.now <= limit).then(|| Time::from_micros(self.now as i64))
    }

    /// Spends an exponential amount of expected arrivals over the states; infinite where
    /// `limit` comes first.
    fn through_states(&mut self, limit: f64) -> f64 {
        let Arrivals::Mmpp(states) = &self.arrivals else { return f64::INFINITY };
        let mut left = exponential(&mut self.stream);
        let mut now = self.now;
        loop {
            let rate = states[self.state].per_hour / HOUR;
            let reaches = now + if rate > 0.0 { left / rate } else { f64::INFINITY };
            if reaches <= self.leaves {
                return reaches;
            }
            if now >= limit {
                return f64::INFINITY;
            }
            left -= (self.leaves - now) * rate;
            now = self.leaves;
            if states.len() > 1 {
                let other = self.states.below(states.len() as u64 - 1) as usize;
                self.state = (self.state + 1 + other) % states.len();
            }
            self.leaves += exponential(&mut self.states) * states[self.state].dwell.micros() as f64;
        }
    }
}

/// An exponential draw of mean 1.
fn exponential(stream: &mut Stream) -> f64 {
    -libm::log(stream.uniform())
}

/// Moment at which the expected number of arrivals since `now` reaches `work`: a nonhomogeneous
/// Poisson process by inversion (Cinlar, "Introduction to Stochastic Processes", 1975), hour by
/// hour; infinite where `limit` comes first.
fn through_profile(
    calendar: Calendar,
    weights: &[f64],
    per_hour: f64,
    mut now: f64,
    mut work: f64,
    limit: f64,
) -> f64 {
    let mean = weights.iter().sum::<f64>() / weights.len() as f64;
    while now < limit {
        let at = Time::from_micros(libm::floor(now) as i64);
        let second = calendar.second_of_day(at);
        let hour =
            second / 3_600 + if weights.len() == 168 { 24 * calendar.weekday(at) } else { 0 };
        let into = calendar.unix_micros(at).rem_euclid(3_600_000_000) as f64;
        let left = HOUR - into - (now - libm::floor(now));
        let rate = per_hour * weights[hour as usize] / mean / HOUR;
        if rate * left >= work {
            return now + work / rate;
        }
        work -= rate * left;
        // The next full hour exactly, whatever the fraction was.
        now = libm::floor(now) + HOUR - into;
    }
    f64::INFINITY
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Distribution;

    fn count(arrivals: &Arrivals, hours: i64) -> Vec<Time> {
        assert_eq!(arrivals.problems(), Vec::<String>::new());
        // 2026-03-02T00:00:00Z, a Monday.
        let calendar = Calendar::from_unix_micros(1_772_409_600_000_000);
        let mut clock = ArrivalClock::new(arrivals, 7, calendar);
        std::iter::from_fn(|| clock.next(Time::from_secs(3_600 * hours))).collect()
    }

    fn near(found: usize, mean: f64, deviation: f64) -> bool {
        (found as f64 - mean).abs() < 5.0 * deviation
    }

    #[test]
    fn poisson_arrivals_come_at_their_rate() {
        // 100 per hour over 1,000 h: 100,000 with deviation sqrt(100,000) = 316.
        let found = count(&Arrivals::Poisson { per_hour: 100.0 }, 1_000);
        assert!(near(found.len(), 100_000.0, 316.0), "{}", found.len());
        assert!(found.is_sorted());
    }

    #[test]
    fn even_arrivals_are_exact() {
        let found = count(&Arrivals::Every(Span::from_secs(1_800)), 2);
        assert_eq!(found, [1_800, 3_600, 5_400, 7_200].map(Time::from_secs));
        let gaps = Arrivals::Renewal(Distribution::Constant(1_800.0));
        assert_eq!(count(&gaps, 2), found);
        // An arrival that would come later does not come.
        assert_eq!(count(&Arrivals::Every(Span::from_secs(3_601)), 2).len(), 1);
    }

    #[test]
    fn a_profile_follows_the_hours() {
        let mut weights = vec![0.0; 168];
        weights[9] = 3.0;
        weights[24 + 9] = 1.0;
        // Mean weight 4/168, so Monday 9 h has 3/4 of the 168 per week.
        let found = count(&Arrivals::Profile { per_hour: 1.0, weights }, 168 * 100);
        let monday = found.iter().filter(|at| at.micros() / 3_600_000_000 % 168 == 9).count();
        let tuesday = found.iter().filter(|at| at.micros() / 3_600_000_000 % 168 == 33).count();
        assert_eq!(monday + tuesday, found.len());
        assert!(near(monday, 12_600.0, 112.3), "{monday}"); // sqrt(12,600)
        assert!(near(tuesday, 4_200.0, 64.9), "{tuesday}");
    }

    #[test]
    fn a_modulated_process_is_burstier_than_poisson() {
        let state =
            |per_hour, hours: i64| MmppState { per_hour, dwell: Span::from_secs(3_600 * hours) };
        // Arrivals are on for 1 h at 100, off for 3 h: 25 per hour on average. With p = 1/4, q =
        // 3/4 and relaxation at 1 + 1/3 per hour, the number over t hours has variance 25 t + 2 x
        // 100^2 p q t / (4/3) = 2,837.5 t: deviation 16,845.
        let on_off = Arrivals::Mmpp(vec![state(100.0, 1), state(0.0, 3)]);
        let found = count(&on_off, 100_000);
        assert!(near(found.len(), 2_500_000.0, 16_845.0), "{}", found.len());
        let mut hours = vec![0_u32; 100_000];
        for at in &found {
            hours[(at.micros() / 3_600_000_000) as usize] += 1;
        }
        let empty = hours.iter().filter(|&&count| count == 0).count();
        // A Poisson process of 25 per hour has an empty hour once in 7e10.
        assert!(empty > 40_000, "{empty}");
    }

    #[test]
    fn senseless_parameters_are_refused() {
        let refused = [
            Arrivals::Poisson { per_hour: 0.0 },
            Arrivals::Poisson { per_hour: f64::NAN },
            Arrivals::Every(Span::ZERO),
            Arrivals::Renewal(Distribution::Constant(0.0)),
            Arrivals::Profile { per_hour: 1.0, weights: vec![1.0; 23] },
            Arrivals::Profile { per_hour: 1.0, weights: vec![0.0; 24] },
            Arrivals::Mmpp(vec![]),
            Arrivals::Mmpp(vec![MmppState { per_hour: 0.0, dwell: Span::HOUR }]),
            Arrivals::Mmpp(vec![MmppState { per_hour: 1.0, dwell: Span::ZERO }]),
        ];
        for arrivals in refused {
            assert_eq!(arrivals.problems().len(), 1, "{arrivals:?}");
        }
    }
}
