//! Commitments and kept capacity of the terms of a run: paid for, whether they are used or not.

use super::Offer;
use crate::units::{Id, Rate, Time};

/// A commitment as policies see it: so much use costs nothing more while it is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldCommitment {
    /// Name, as bills tell it.
    pub name: String,
    /// First moment at which it covers anything.
    pub from: Time,
    /// End of the time in which it is as it is here.
    pub until: Time,
    /// End of its term, as far as is known until then.
    pub ends: Time,
    /// When policies come to know of it; `None` from the beginning on.
    pub known: Option<Time>,
    /// Its place in the order in which commitments cover what runs: who has the lower one is first.
    pub order: [u32; 3],
    /// Whether it is capacity that is kept: it is paid for as machines that run are, so that commitments
    /// cover it with what machines leave of them.
    pub is_kept: bool,
    /// Amount that it covers at once, in the unit of its takes; at least 0.
    pub amount: i128,
    /// What one instance of an offer takes of it, by offer in rising order; offers that it does not
    /// cover are not in it.
    pub takes: Vec<(Id<Offer>, CommitmentTake)>,
}

/// What one instance takes of a commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitmentTake {
    /// So many thousandths of the units that are reserved.
    Units(u64),
    /// Its price under a plan, in pico-dollars per hour: the lower of a fixed price and a share of the
    /// price of the moment, in millionths.
    Spending {
        /// The fixed price, if there is one.
        fixed: Option<Rate>,
        /// The share.
        share: u32,
    },
}

impl HeldCommitment {
    /// Whether it covers anything at `now`.
    pub fn holds(&self, now: Time) -> bool {
        self.from <= now && now < self.until
    }

    /// What one instance of the offer takes where its price is `price`; `None` where it is not
    /// covered, or is free.
    pub fn take(&self, offer: Id<Offer>, price: Rate) -> Option<i128> {
        let row = self.takes.binary_search_by_key(&offer, |&(offer, _)| offer).ok()?;
        let take = self.takes[row].1.of(price);
        (take > 0).then_some(take)
    }
}

impl CommitmentTake {
    /// The amount where the price of the instance is `price`.
    pub fn of(self, price: Rate) -> i128 {
        match self {
            Self::Units(thousandths) => i128::from(thousandths),
            Self::Spending { fixed, share } => {
                let part = price.scaled(i64::from(share));
                i128::from(fixed.map_or(part, |fixed| fixed.min(part)).picos())
            }
        }
    }
}
