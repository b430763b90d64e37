//! Rents what commitments leave the least to pay for.

use super::ProvisionPart;
use super::demand::{OfferChoice, OnDemand, RENT, Search};
use super::ranking::{Quote, RankedOffer};
use crate::model::HeldCommitment;
use crate::part::Part;
use crate::policy::turn::Turn;
use crate::units::{Money, Span};

/// Rents what commitments leave the least to pay for.
pub static COMMITTED: ProvisionPart = Part {
    name: "committed",
    doc: "Rents the lowest expected cost of the job after what the commitments that are held when the run begins still cover beside the instances that are there: machines that are paid for anyway come first. What is covered is rented one by one, so a job may have some instances from one offer and some from another. Commitments are `[[commitment]]` and `[[kept]]` of accounts that share with the one that is billed (see money.md).",
    parameters: RENT,
    make: |settings| Box::new(OnDemand::new(Committed::default(), settings)),
};

/// Millionths of an instance.
const WHOLE: i128 = 1_000_000;

/// The lowest expected cost of a task that commitments leave, of an instance that they cover at least in
/// part; ties go to the lower cost without them, then to the lower offer id. Where that is not below
/// the lowest expected cost of all, and where nothing is covered, the latter.
#[derive(Clone, Debug, Default)]
struct Committed {
    /// Amount that each commitment of the world has left, beside all instances that live.
    left: Vec<i128>,
    /// Millionths of instances that live or are kept and that no commitment before covers, by offer.
    bare: Vec<i128>,
    /// Whether what was chosen last is covered.
    is_covered: bool,
}

impl Committed {
    /// Covers what lives: commitments in their order, each from its first offer on.
    fn cover(&mut self, turn: &Turn<'_, '_>) {
        let world = turn.world();
        self.bare.clear();
        let live = world.offers.ids().map(|offer| i128::from(turn.offer(offer).live) * WHOLE);
        self.bare.extend(live);
        self.left.clear();
        for held in &world.commitments {
            let mut left = if held.holds(turn.now()) { held.amount } else { 0 };
            for &(offer, take) in &held.takes {
                let (take, bare) = (take.of(turn.price(offer)), &mut self.bare[offer.row()]);
                let before = *bare;
                left -= covered(left, take, bare);
                if held.is_kept {
                    *bare = before;
                }
            }
            if let (true, Some(&(offer, take))) = (held.is_kept, held.takes.first()) {
                // What is kept and does not run is covered like what runs.
                self.bare[offer.row()] += left * WHOLE / take.of(turn.price(offer)).max(1);
            }
            self.left.push(left);
        }
    }

    /// What is to be paid for the quote: its instances, as far as nothing that is left covers them
    /// until they end, and moving its data.
    fn pays(&self, turn: &Turn<'_, '_>, (one, quote): (&RankedOffer, Quote)) -> Money {
        let instances = i128::from(quote.instances);
        let time = i128::from(quote.end.micros().max(1));
        let mut bare = instances * WHOLE;
        let mut free = 0;
        for (held, &left) in turn.world().commitments.iter().zip(&self.left) {
            let Some(take) = held.take(one.offer, one.rate) else { continue };
            let before = bare;
            covered(left, take, &mut bare);
            free += (before - bare) * i128::from(still(turn, held, quote.end).micros()) / time;
        }
        if free == 0 {
            return quote.cost;
        }
        let rent = quote.cost.nanos() - quote.moved.nanos();
        let paid = rent.saturating_mul(instances * WHOLE - free) / (instances * WHOLE).max(1);
        quote.moved + Money::from_nanos(paid)
    }
}

/// Takes what an amount covers off the millionths of instances that are bare, each of which takes
/// `take` whole. Returns what that takes of the amount.
fn covered(left: i128, take: i128, bare: &mut i128) -> i128 {
    if take <= 0 || left <= 0 || *bare == 0 {
        return 0;
    }
    let part = (left.saturating_mul(WHOLE) / take).min(*bare);
    *bare -= part;
    // Rounded up: what is left is never too much.
    (part * take + WHOLE - 1) / WHOLE
}

/// How long a commitment still covers something that ends after `end`.
fn still(turn: &Turn<'_, '_>, held: &HeldCommitment, end: Span) -> Span {
    (held.until - turn.now()).min(end).max(Span::ZERO)
}

/// Cost of one of so many tasks, in millionths of a nano-dollar.
fn by_task(cost: Money, tasks: u32) -> i128 {
    cost.nanos().saturating_mul(1_000_000) / i128::from(tasks.max(1))
}

impl OfferChoice for Committed {
    fn choose<'s>(
        &mut self,
        turn: &Turn<'_, '_>,
        search: &Search<'s, '_>,
    ) -> Option<(&'s RankedOffer, Quote)> {
        let cheapest = search.cheapest(turn, None);
        self.is_covered = false;
        if turn.world().commitments.is_empty() {
            return cheapest;
        }
        self.cover(turn);
        let paid = search.quotes_singly(turn).filter_map(|(one, quote, tasks)| {
            let pays = self.pays(turn, (one, quote));
            (pays < quote.cost).then(|| (by_task(pays, tasks), quote.cost, one.offer, one))
        });
        let covered = paid.min_by_key(|&(pays, cost, offer, _)| (pays, cost, offer));
        let least = cheapest.map(|(_, quote)| by_task(quote.cost, search.quoted()));
        match covered {
            Some((pays, _, _, one)) if least.is_none_or(|least| pays <= least) => {
                self.is_covered = true;
                Some((one, one.quote(search.ask, search.quoted())))
            }
            Some(_) | None => cheapest,
        }
    }

    fn rents_singly(&self) -> bool {
        self.is_covered
    }
}
