//! Commitments that policies know of: those of the terms, and what is bought while the run goes on.

use super::State;
use crate::model::{HeldCommitment, World};
use crate::units::Time;

/// Commitments as they are known.
#[derive(Debug)]
pub(super) struct Holdings {
    /// In the order in which they cover what runs.
    held: Vec<HeldCommitment>,
    /// Those of the world that are not known yet, the next one last.
    to_come: Vec<HeldCommitment>,
    /// Number of times that they changed.
    changes: u64,
}

impl Holdings {
    /// Nothing is known but what is from the beginning.
    pub(super) fn of(world: &World) -> Self {
        let all = world.commitments.iter().cloned();
        let (mut to_come, mut held): (Vec<_>, Vec<_>) = all.partition(|one| one.known.is_some());
        to_come.sort_by_key(|one| std::cmp::Reverse(one.known));
        held.sort_by_key(|one| one.order);
        Self { held, to_come, changes: 0 }
    }

    /// When the next of the world comes to be known.
    pub(super) fn next(&self) -> Option<Time> {
        self.to_come.last()?.known
    }

    /// What the world has, and is known by now.
    pub(super) fn come(&mut self, now: Time) {
        while self.next().is_some_and(|next| next <= now) {
            let one = self.to_come.pop();
            self.learn(one, now);
        }
    }

    /// These are known from now on, or from when they say; what is over is forgotten.
    fn learn(&mut self, more: impl IntoIterator<Item = HeldCommitment>, now: Time) {
        self.held.retain(|held| now < held.until);
        for one in more.into_iter().filter(|one| now < one.until) {
            if one.known > Some(now) {
                let place = self.to_come.partition_point(|other| other.known > one.known);
                self.to_come.insert(place, one);
            } else {
                let place = self.held.partition_point(|held| held.order <= one.order);
                self.held.insert(place, one);
            }
        }
        self.changes += 1;
    }
}

impl State<'_> {
    /// Commitments and kept capacity that are known, in the order in which they cover what runs: of the
    /// terms, and what was bought since the run began. Some may be over.
    pub fn commitments(&self) -> &[HeldCommitment] {
        &self.holdings.held
    }

    /// Number of times that [`State::commitments`] changed.
    pub fn commitment_changes(&self) -> u64 {
        self.holdings.changes
    }

    /// These were bought. They are no part of what a policy does, so no attempt takes them back.
    pub(crate) fn learn_commitments(&mut self, bought: Vec<HeldCommitment>) {
        if !bought.is_empty() {
            self.holdings.learn(bought, self.now);
        }
    }
}
