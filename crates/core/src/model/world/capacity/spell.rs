//! Spells of a capacity, drawn one after the other.

use std::sync::Arc;

use super::comovement::Latent;
use super::law::{CapacityLaw, CapacityState};
use super::{DrawnCapacity, after};
use crate::units::{Distribution, Stream, Time};

/// A capacity as it is drawn: the spell that holds now, and when something changes.
#[derive(Clone, Debug)]
pub(super) struct Spells {
    law: Arc<CapacityLaw>,
    states: StateDraws,
    /// Draws levels: a word a spell, of which its steps have a stream of their own.
    levels: Stream,
    state: CapacityState,
    /// End of the spell; `None` past the end of the clock.
    ends: Option<Time>,
    count: u32,
    steps: Option<LevelSteps>,
}

/// Way in which states are drawn, and how long they last.
#[derive(Clone, Debug)]
enum StateDraws {
    /// By the law: two words a spell, whatever happens inside.
    Renewal(Stream),
    /// By a number that moves with those of other paths.
    Latent(Box<Latent>),
}

/// Steps of the level inside a spell.
#[derive(Clone, Debug)]
struct LevelSteps {
    stream: Stream,
    /// Time of the next one; `None` past the end of the clock.
    next: Option<Time>,
}

impl Spells {
    /// The capacity from its anchor on, as an arbitrary moment finds it: a state by its share of time,
    /// a spell of it by its length, and the moment anywhere in that.
    pub(super) fn begin(drawn: &DrawnCapacity, seed: u64) -> Self {
        let law = &*drawn.law;
        let (states, state, ends) = match &drawn.moves_with {
            None => {
                let mut states = Stream::keyed(seed, "capacity", &drawn.key);
                let state = chosen(law.shares(), states.uniform());
                let length = lasts(law, state).sample_by_length(&mut states);
                let ends = after(drawn.anchor, length * states.uniform());
                (StateDraws::Renewal(states), state, ends)
            }
            Some(member) => {
                let mut latent = Box::new(Latent::begin(member, law, seed));
                let (state, ends) = latent.spell(drawn.anchor);
                (StateDraws::Latent(latent), state, ends)
            }
        };
        let levels = Stream::keyed(seed, "capacity level", &drawn.key);
        let law = Arc::clone(&drawn.law);
        let mut spells = Self { law, states, levels, state, ends, count: 0, steps: None };
        spells.enter(state, drawn.anchor);
        spells
    }

    /// Instances now.
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// Time of the next step or the end of the spell, if there is one.
    pub(super) fn until(&self) -> Option<Time> {
        self.next_step().or(self.ends)
    }

    /// Time of the next step, if that comes before the end of the spell.
    fn next_step(&self) -> Option<Time> {
        let next = self.steps.as_ref()?.next?;
        self.ends.is_none_or(|ends| next < ends).then_some(next)
    }

    /// Goes on to what holds from [`Self::until`] on. A step may come to the same count.
    pub(super) fn advance(&mut self) {
        if self.next_step().is_some() {
            return self.step();
        }
        let Some(at) = self.ends else { return };
        let before = self.state;
        let (state, ends) = match &mut self.states {
            StateDraws::Renewal(states) => {
                let next = self.law.state(before).map_or([0.0; 3], |law| law.next);
                let state = chosen(next, states.uniform());
                (state, after(at, lasts(&self.law, state).sample(states)))
            }
            StateDraws::Latent(latent) => latent.spell(at),
        };
        self.ends = ends;
        if state != before {
            self.enter(state, at);
        }
    }

    /// Begins a spell at `at`.
    fn enter(&mut self, state: CapacityState, at: Time) {
        self.state = state;
        self.steps = None;
        let mut stream = self.levels.fork();
        match state {
            CapacityState::None => self.count = 0,
            CapacityState::Full => self.count = self.law.most(),
            CapacityState::Partial => {
                let level = self.law.level();
                let begins = level.begins.sample(&mut stream);
                let lasts = level.steps.as_ref().map(|(every, _)| every.sample(&mut stream));
                self.count = self.level(begins);
                self.steps = lasts.map(|lasts| LevelSteps { stream, next: after(at, lasts) });
            }
        }
    }

    /// Takes the next step.
    fn step(&mut self) {
        let (Some(steps), Some((every, by))) = (&mut self.steps, &self.law.level().steps) else {
            return;
        };
        let by = by.sample(&mut steps.stream);
        let lasts = every.sample(&mut steps.stream);
        steps.next = steps.next.and_then(|at| after(at, lasts));
        self.count = self.level(f64::from(self.count) + by);
    }

    /// That many instances, within the bounds of a level.
    fn level(&self, count: f64) -> u32 {
        libm::round(count).clamp(1.0, f64::from(self.law.most() - 1)) as u32
    }
}

/// Law of how long a state lasts that is taken.
fn lasts(law: &CapacityLaw, state: CapacityState) -> &Distribution {
    &law.state(state).expect("a state that is taken has a law").lasts
}

/// The state that `u`, 0 < `u` < 1, falls on, each as likely as its weight.
fn chosen(weights: [f64; 3], u: f64) -> CapacityState {
    let target = u * weights.iter().sum::<f64>();
    let (mut sum, mut state) = (0.0, CapacityState::None);
    for (each, weight) in CapacityState::ALL.into_iter().zip(weights) {
        if weight > 0.0 && (sum == 0.0 || sum <= target) {
            state = each;
        }
        sum += weight;
    }
    state
}
