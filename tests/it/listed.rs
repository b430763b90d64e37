//! Work as a list, and a generator of random cases that shares nothing with
//! the simulator's own.

use windtunnel::model::{Interner, Rules, Work};
use windtunnel::problem::Problem;
use windtunnel::workload::Source;

/// Names behind the ids in a list of work. Row 0 of tenants and rules is always the default.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub(crate) tenants: Vec<String>,
    pub(crate) homes: Vec<String>,
    pub(crate) rules: Vec<Rules>,
}

/// Work given as a list, in order of arrival.
pub(crate) struct Listed<'a> {
    works: std::slice::Iter<'a, Work>,
    names: Names,
}

impl<'a> Listed<'a> {
    pub(crate) fn new(works: &'a [Work]) -> Self {
        Self::named(works, &Names::default())
    }

    pub(crate) fn named(works: &'a [Work], names: &Names) -> Self {
        Self { works: works.iter(), names: names.clone() }
    }
}

impl Source for Listed<'_> {
    fn next(&mut self, book: &mut Interner, work: &mut Work) -> Result<bool, Problem> {
        let Some(next) = self.works.next() else { return Ok(false) };
        work.clone_from(next);
        let ask = &mut work.ask;
        if ask.tenant.row() > 0 {
            ask.tenant = book.tenant(&self.names.tenants[ask.tenant.row() - 1]);
        }
        if ask.rules.row() > 0 {
            ask.rules = book.rules(&self.names.rules[ask.rules.row() - 1]);
        }
        ask.home = ask.home.map(|home| book.home(&self.names.homes[home.row()]));
        Ok(true)
    }
}

/// Random numbers (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }

    /// Any of `low..=high`.
    pub(crate) fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    /// One of `choices`.
    pub(crate) fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.within(0, choices.len() as u64 - 1) as usize].clone()
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.within(1, times) == 1
    }
}
