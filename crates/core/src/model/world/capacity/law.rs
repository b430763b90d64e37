//! Laws of capacity: a semi-Markov process over none, some and all of the instances.
//!
//! A state lasts as long as its law says, then another follows with the stated shares, whatever was
//! before (Howard, Dynamic Probabilistic Systems, volume 2, 1971).

use crate::units::Distribution;

/// How much of a capacity is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CapacityState {
    /// No instance.
    None,
    /// Some, and not all.
    Partial,
    /// As many as there ever are.
    Full,
}

impl CapacityState {
    /// All states, by how much is there.
    pub const ALL: [Self; 3] = [Self::None, Self::Partial, Self::Full];

    /// The word used in scenarios and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Partial => "partial",
            Self::Full => "full",
        }
    }

    /// The state of `count` instances of at most `full`.
    pub const fn of(count: u32, full: u32) -> Self {
        match count {
            0 => Self::None,
            _ if count < full => Self::Partial,
            _ => Self::Full,
        }
    }
}

/// Law of one state.
#[derive(Clone, Debug, PartialEq)]
pub struct StateLaw {
    /// Seconds that it lasts.
    pub lasts: Distribution,
    /// Relative weight of each state as the one that follows, in the order of [`CapacityState::ALL`].
    /// That of itself and of states that are never taken is 0.
    pub next: [f64; 3],
}

/// Law of how many there are while there are some and not all.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelLaw {
    /// Instances at its begin, rounded, from 1 to one less than all.
    pub begins: Distribution,
    /// Seconds between two steps, and the instances that one adds, rounded, or takes away. Steps end
    /// at 1 and at one less than all.
    pub steps: Option<(Distribution, Distribution)>,
}

/// Law of the capacity of an offer, valid by construction.
#[derive(Clone, Debug, PartialEq)]
pub struct CapacityLaw {
    full: u32,
    states: [Option<StateLaw>; 3],
    level: LevelLaw,
    /// Share of time in each state, in the long run.
    shares: [f64; 3],
}

impl CapacityLaw {
    /// A law of at most `full` instances. A state without a law is never taken. Without a law of the
    /// level each from 1 to one less than `full` is as likely.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn new(
        full: u32,
        states: [Option<StateLaw>; 3],
        level: Option<LevelLaw>,
    ) -> Result<Self, String> {
        let [_, partial, _] = &states;
        if full == 0 || full == 1 && partial.is_some() {
            let least = if full == 0 { 1 } else { 2 };
            return Err(format!("there are {full} instances when all are there, not {least}"));
        }
        let mut means = [0.0; 3];
        for (row, state) in CapacityState::ALL.into_iter().enumerate() {
            let Some(law) = &states[row] else { continue };
            means[row] = mean_of(&law.lasts).map_err(|why| format!("{}: {why}", state.name()))?;
        }
        let visits = visits(&states)?;
        let whole: f64 = (0..3).map(|row| visits[row] * means[row]).sum();
        let shares = [0, 1, 2].map(|row| visits[row] * means[row] / whole);
        let level = match level {
            Some(level) => level,
            None if full == 1 => LevelLaw { begins: Distribution::Constant(1.0), steps: None },
            None => {
                let begins = Distribution::uniform(0.5, f64::from(full) - 0.5)?;
                LevelLaw { begins, steps: None }
            }
        };
        if let Some((every, _)) = &level.steps {
            mean_of(every).map_err(|why| format!("steps: {why}"))?;
        }
        Ok(Self { full, states, level, shares })
    }

    /// All of `full` instances, or none: lost at a constant rate of `per_hour`, and absent for a
    /// memoryless time of `absence` seconds in the mean. The baseline that more is held against.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn memoryless(full: u32, per_hour: f64, absence: f64) -> Result<Self, String> {
        if !(per_hour.is_finite() && per_hour > 0.0) {
            return Err(format!("the rate of loss must be greater than 0, not {per_hour}"));
        }
        let lasting = |mean: f64, next: [f64; 3]| -> Result<_, String> {
            Ok(Some(StateLaw { lasts: Distribution::exponential(mean)?, next }))
        };
        let none = lasting(absence, [0.0, 0.0, 1.0])?;
        let full_state = lasting(3_600.0 / per_hour, [1.0, 0.0, 0.0])?;
        Self::new(full, [none, None, full_state], None)
    }

    /// Instances when all are there.
    pub const fn most(&self) -> u32 {
        self.full
    }

    /// Share of time in each state in the long run, in the order of [`CapacityState::ALL`].
    pub const fn shares(&self) -> [f64; 3] {
        self.shares
    }

    /// Law of `state`; `None` if it is never taken.
    pub const fn state(&self, state: CapacityState) -> Option<&StateLaw> {
        self.states[state as usize].as_ref()
    }

    /// Law of the level while there are some and not all.
    pub const fn level(&self) -> &LevelLaw {
        &self.level
    }
}

/// The mean of a time, which is to be a second at least, and never negative.
fn mean_of(lasts: &Distribution) -> Result<f64, String> {
    if !lasts.is_never_negative() {
        return Err(format!("`{lasts}` is a time, and may be negative"));
    }
    match lasts.mean() {
        Some(mean) if mean >= 1.0 => Ok(mean),
        Some(mean) => Err(format!("`{lasts}` has a mean of {mean} s, less than a second")),
        None => Err(format!("`{lasts}` has no mean, so no share of time")),
    }
}

/// How often each state is taken, relative to the others: the stationary law of the chain of states,
/// by the Markov chain tree theorem (Leighton and Rivest, 1986), each a sum over the trees that lead
/// to it.
fn visits(states: &[Option<StateLaw>; 3]) -> Result<[f64; 3], String> {
    let mut to = [[0.0; 3]; 3];
    let name = |row: usize| CapacityState::ALL[row].name();
    for (row, state) in states.iter().enumerate() {
        let Some(law) = state else { continue };
        let whole: f64 = law.next.iter().sum();
        for other in 0..3 {
            let weight = law.next[other];
            if !(weight.is_finite() && weight >= 0.0) {
                return Err(format!("{}: a share must be 0 or more, not {weight}", name(row)));
            }
            if weight > 0.0 && (other == row || states[other].is_none()) {
                let what = if other == row { "itself" } else { "a state that has no law" };
                return Err(format!("{}: it is followed by {what}, `{}`", name(row), name(other)));
            }
            to[row][other] = weight / whole;
        }
        if whole == 0.0 {
            return Err(format!("{}: nothing follows it", name(row)));
        }
    }
    let there: Vec<usize> = (0..3).filter(|&row| states[row].is_some()).collect();
    let mut visits = [0.0; 3];
    match there[..] {
        [one, other] => (visits[one], visits[other]) = (0.5, 0.5),
        [_, _, _] => {
            for row in 0..3 {
                let (j, k) = ((row + 1) % 3, (row + 2) % 3);
                visits[row] =
                    to[j][row] * to[k][row] + to[j][row] * to[k][j] + to[k][row] * to[j][k];
            }
        }
        _ => return Err("a capacity that is drawn has two or three states".to_owned()),
    }
    match there.iter().find(|&&row| visits[row] == 0.0) {
        Some(&row) => {
            Err(format!("{}: there is a state from which it is never reached", name(row)))
        }
        None => Ok(visits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn law(lasts: &str, next: [f64; 3]) -> Option<StateLaw> {
        Some(StateLaw { lasts: lasts.parse().expect(lasts), next })
    }

    /// By hand: from partial to full with 3/4, to none with 1/4; from none to partial; from full to
    /// none with 1/2, to partial with 1/2. Visits satisfy n = p/4 + f/2, p = n + f/2, f = 3p/4: with
    /// p = 8, f = 6 and n = 5. Times 10, 20 and 30 s: 50, 160 and 180 of 390.
    #[test]
    fn shares_of_time_are_visits_times_means() {
        let states = [
            law("constant(10)", [0.0, 1.0, 0.0]),
            law("exponential(mean=20)", [1.0, 0.0, 3.0]),
            law("uniform(low=20, high=40)", [0.5, 0.5, 0.0]),
        ];
        let made = CapacityLaw::new(16, states, None).expect("a law");
        for (seen, want) in made.shares().into_iter().zip([50.0, 160.0, 180.0]) {
            assert!((seen - want / 390.0).abs() < 1e-12, "{seen}");
        }
        assert_eq!(made.level().begins, Distribution::uniform(0.5, 15.5).expect("a law"));
        let plain = CapacityLaw::memoryless(4, 0.5, 1_800.0).expect("a law");
        assert_eq!(plain.shares(), [0.2, 0.0, 0.8]);
    }

    #[test]
    fn what_is_no_law_is_told() {
        let (up, down) = (law("3600", [1.0, 0.0, 0.0]), law("60", [0.0, 0.0, 1.0]));
        let told = |full, states: [&Option<StateLaw>; 3]| {
            CapacityLaw::new(full, states.map(Clone::clone), None).expect_err("it is wrong")
        };
        let none = &None;
        assert!(told(0, [&down, none, &up]).contains("there are 0 instances"));
        assert!(told(1, [&down, &down, &up]).contains("there are 1 instances"));
        assert!(told(4, [none, none, &law("60", [0.0; 3])]).contains("full: nothing follows it"));
        assert!(told(4, [&down, none, &law("60", [0.0, 0.0, 1.0])]).contains("itself, `full`"));
        assert!(told(4, [&down, none, &law("60", [0.0, 1.0, 0.0])]).contains("no law, `partial`"));
        let heavy = law("pareto(shape=1, minimum=60)", [1.0, 0.0, 0.0]);
        assert!(told(4, [&down, none, &heavy]).contains("has no mean"));
        let wide = law("normal(mean=60, sd=10)", [1.0, 0.0, 0.0]);
        assert!(told(4, [&down, none, &wide]).contains("may be negative"));
        let short = law("0.1", [1.0, 0.0, 0.0]);
        assert!(told(4, [&down, none, &short]).contains("less than a second"));
        // Once it has left none, it never comes back.
        let states =
            [&law("60", [0.0, 1.0, 0.0]), &law("60", [0.0, 0.0, 1.0]), &law("60", [0.0, 1.0, 0.0])];
        assert!(told(4, states).contains("none: there is a state from which it is never reached"));
    }
}
