//! Rents what commitments leave the least to pay for.

use super::ProvisionPart;
use super::demand::{OfferChoice, OnDemand, RENT, Search};
use super::ranking::{Quote, RankedOffer};
use crate::part::Part;
use crate::policy::turn::Turn;
use crate::units::{Money, Span, Time};

/// Rents what commitments leave the least to pay for.
pub static COMMITTED: ProvisionPart = Part {
    name: "committed",
    doc: "Rents the lowest expected cost of the job after what commitments, of the terms and bought meanwhile, still cover beside the instances that are there: machines that are paid for anyway come first. What is covered is rented one by one, so tasks that need not start together may come to lie on several offers; a gang is rented from one where it can be. See money.md for which commitments count.",
    parameters: RENT,
    make: |settings| Box::new(OnDemand::new(Committed::default(), settings)),
};

/// Millionths of an instance.
const WHOLE: i128 = 1_000_000;

/// Parts in which a share of a cost is told.
const BILLION: i128 = 1_000_000_000;

/// The lowest expected cost of a task that commitments leave, of an instance that they cover at least in
/// part; ties go to the lower cost without them, then to the lower offer id. Where that is not below
/// the lowest expected cost of all, and where nothing is covered, the latter.
#[derive(Clone, Debug, Default)]
struct Committed {
    /// Stretches of time from now on, in order, between ends of terms.
    stretches: Vec<Stretch>,
    /// Millionths of instances that live or are kept and that no commitment before covers, by offer.
    bare: Vec<i128>,
    /// Whether what was chosen last is covered.
    is_covered: bool,
}

/// A stretch of time in which the same commitments hold, of those that hold now.
#[derive(Clone, Debug)]
struct Stretch {
    from: Time,
    until: Time,
    /// Amount that each commitment has left, beside all instances that live now.
    left: Vec<i128>,
}

/// Most ends of terms that are foreseen; nothing is taken to be covered beyond the last.
const MOST_ENDS: usize = 8;

impl Committed {
    /// Lays out the time from now on, as far as `end`.
    fn foresee(&mut self, turn: &Turn<'_, '_>, end: Span) {
        let (now, held) = (turn.now(), turn.commitments());
        let end = now.saturating_add(end);
        let ends = held.iter().filter(|held| held.holds(now)).map(|held| held.ends.min(end));
        let mut ends: Vec<Time> = ends.collect();
        ends.sort_unstable();
        ends.dedup();
        ends.truncate(MOST_ENDS);
        self.stretches.clear();
        let mut from = now;
        for until in ends {
            let left = self.cover(turn, from);
            self.stretches.push(Stretch { from, until, left });
            from = until;
        }
    }

    /// Covers what lives with the commitments that hold now and still at `at`, in their order, each from its
    /// first offer on. Returns what is left of each.
    fn cover(&mut self, turn: &Turn<'_, '_>, at: Time) -> Vec<i128> {
        let (now, world) = (turn.now(), turn.world());
        self.bare.clear();
        let live = world.offers.ids().map(|offer| i128::from(turn.offer(offer).live) * WHOLE);
        self.bare.extend(live);
        let mut all = Vec::with_capacity(turn.commitments().len());
        for held in turn.commitments() {
            let mut left = if held.holds(now) && at < held.ends { held.amount } else { 0 };
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
            all.push(left);
        }
        all
    }

    /// What is to be paid for the quote, in billionths of a nano-dollar: its instances, as far as nothing
    /// that is left covers them until they end, and moving its data. What is nearly covered is told apart.
    fn pays(&self, turn: &Turn<'_, '_>, (one, quote): (&RankedOffer, Quote)) -> i128 {
        let instances = i128::from(quote.instances) * WHOLE;
        let end = turn.now().saturating_add(quote.end);
        let mut free = 0;
        for stretch in &self.stretches {
            let time = stretch.until.min(end) - stretch.from;
            let mut bare = instances;
            for (held, &left) in turn.commitments().iter().zip(&stretch.left) {
                if let Some(take) = held.take(one.offer, one.rate) {
                    covered(left, take, &mut bare);
                }
            }
            free += (instances - bare) * i128::from(time.micros().max(0));
        }
        if free == 0 {
            return fine(quote.cost);
        }
        let all = (instances * i128::from(quote.end.micros())).max(1);
        let rent = quote.cost.nanos() - quote.moved.nanos();
        let share =
            free.checked_mul(BILLION).map_or_else(|| free / (all / BILLION), |free| free / all);
        fine(quote.moved).saturating_add(rent.saturating_mul(BILLION - share))
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

/// An amount in billionths of a nano-dollar.
fn fine(amount: Money) -> i128 {
    amount.nanos().saturating_mul(BILLION)
}

/// Cost of one of so many tasks, in millionths of what it is in.
fn by_task(cost: i128, tasks: u32) -> i128 {
    cost.saturating_mul(1_000_000) / i128::from(tasks.max(1))
}

impl OfferChoice for Committed {
    fn choose<'s>(
        &mut self,
        turn: &Turn<'_, '_>,
        search: &Search<'s, '_>,
    ) -> Option<(&'s RankedOffer, Quote)> {
        let cheapest = search.cheapest(turn, None);
        self.is_covered = false;
        if turn.commitments().is_empty() {
            return cheapest;
        }
        let longest = search.quotes_singly(turn).map(|(_, quote, _)| quote.end).max();
        self.foresee(turn, longest.unwrap_or(Span::ZERO));
        let paid = search.quotes_singly(turn).filter_map(|(one, quote, tasks)| {
            let pays = self.pays(turn, (one, quote));
            (pays < fine(quote.cost)).then(|| (by_task(pays, tasks), quote.cost, one.offer, one))
        });
        let covered = paid.min_by_key(|&(pays, cost, offer, _)| (pays, cost, offer));
        let least = cheapest.map(|(_, quote)| by_task(fine(quote.cost), search.quoted()));
        match covered {
            Some((pays, _, _, one)) if least.is_none_or(|least| pays <= least) => {
                self.is_covered = true;
                Some((one, one.quote(search.ask, search.quoted())))
            }
            Some(_) | None => cheapest,
        }
    }

    fn took_one(&self) -> bool {
        self.is_covered
    }
}
