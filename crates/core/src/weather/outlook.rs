//! The weather of a world before any policy runs: how much capacity and which prices there will be in
//! the run of a seed.

use crate::halt;
use crate::model::{
    CapacityCursor, CapacityPath, CapacityState, Offer, PriceCursor, PricePath, World,
};
use crate::units::{Id, Span, Time};

/// What will be of the capacity and the price of each offer, over some time.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    /// Start of the time that was looked at.
    pub from: Time,
    /// End of it.
    pub until: Time,
    /// Offers of which something changes, in the order of the world.
    pub pools: Vec<PoolOutlook>,
    /// Offers of which nothing changes.
    pub steady: usize,
}

/// What will be of one offer.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolOutlook {
    /// The offer.
    pub offer: Id<Offer>,
    /// Its capacity, if that changes.
    pub capacity: Option<CapacityOutlook>,
    /// Its price, if that changes.
    pub price: Option<PriceOutlook>,
}

/// A capacity over some time.
#[derive(Clone, Debug, PartialEq)]
pub struct CapacityOutlook {
    /// The largest capacity of all times; `None` is unlimited.
    pub most: Option<u32>,
    /// Time in each state, in the order of [`CapacityState::ALL`]. Unlimited capacity is all of it.
    pub states: [SpellSums; 3],
    /// Times at which there was less than before.
    pub falls: u64,
    /// Share of the largest capacity that is there, from 0 to 1, on the average of each of as many
    /// equal parts of the time.
    pub shares: Vec<f64>,
}

/// Spells of one state, the first and the last as far as they were seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpellSums {
    /// Number of spells.
    pub count: u64,
    /// Time in all of them.
    pub time: Span,
    /// The longest one.
    pub longest: Span,
}

/// A price over some time, in dollars per hour.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceOutlook {
    /// Lowest price.
    pub low: f64,
    /// Mean over time.
    pub mean: f64,
    /// Highest price.
    pub high: f64,
    /// Times at which it was another than before.
    pub changes: u64,
    /// Mean, lowest and highest price in each of as many equal parts of the time.
    pub parts: Vec<(f64, f64, f64)>,
}

/// Changes between two looks at whether to end.
const LOOK_EVERY: u64 = 1 << 12;

impl Outlook {
    /// Draws what will be from `from` to `until` in the run of `seed`, in `parts` equal parts, and
    /// says after each offer how many are done. `None` if it was asked to end.
    ///
    /// It takes the room of `parts` for each offer that changes, however long the time.
    pub fn draw(
        world: &World,
        seed: u64,
        (from, until): (Time, Time),
        parts: usize,
        mut done: impl FnMut(usize),
    ) -> Option<Self> {
        let axis = PartAxis { from, until, count: parts.max(1) };
        let mut all = Self { from, until, pools: Vec::new(), steady: 0 };
        for (offer, facts) in world.offers.iter() {
            let capacity = match facts.capacity.moves() {
                true => Some(capacity_of(&facts.capacity, seed, axis)?),
                false => None,
            };
            let price = match facts.price.moves() {
                true => Some(price_of(&facts.price, seed, axis)?),
                false => None,
            };
            match capacity.is_some() || price.is_some() {
                true => all.pools.push(PoolOutlook { offer, capacity, price }),
                false => all.steady += 1,
            }
            done(offer.row() + 1);
        }
        Some(all)
    }
}

/// Equal parts of a time.
#[derive(Clone, Copy, Debug)]
struct PartAxis {
    from: Time,
    until: Time,
    count: usize,
}

impl PartAxis {
    /// End of the part in that row.
    fn end(self, row: usize) -> Time {
        let whole = i128::from((self.until - self.from).micros());
        let micros = whole * (row as i128 + 1) / self.count as i128;
        self.from + Span::from_micros(micros as i64)
    }

    /// Calls `each` with every part that a period touches and the time in it, from the part in `row`
    /// on, which holds its begin; the row of its end.
    fn over(
        self,
        mut row: usize,
        (from, until): (Time, Time),
        mut each: impl FnMut(usize, Span),
    ) -> usize {
        let mut at = from;
        while at < until {
            let end = self.end(row).min(until);
            each(row, end - at);
            at = end;
            if at == self.end(row) && row + 1 < self.count {
                row += 1;
            }
        }
        row
    }

    /// Length of a part.
    fn length(self, row: usize) -> f64 {
        let from = row.checked_sub(1).map_or(self.from, |before| self.end(before));
        ((self.end(row) - from).micros() as f64).max(1.0)
    }
}

fn capacity_of(path: &CapacityPath, seed: u64, axis: PartAxis) -> Option<CapacityOutlook> {
    let most = path.most();
    let share = |count: Option<u32>| match (count, most) {
        (None, _) => 1.0,
        (Some(0), _) => 0.0,
        (Some(count), Some(most)) => f64::from(count) / f64::from(most),
        // Of what is unlimited at other times.
        (Some(_), None) => 0.5,
    };
    let state = |count: Option<u32>| match count {
        None => CapacityState::Full,
        Some(count) => CapacityState::of(count, most.unwrap_or(u32::MAX)),
    };
    let mut cursor = CapacityCursor::new(path, seed, axis.from);
    let mut sums = [SpellSums::default(); 3];
    let (mut shares, mut falls, mut row) = (vec![0.0; axis.count], 0, 0);
    let (mut at, mut begun, mut count) = (axis.from, axis.from, cursor.capacity(path));
    let mut looks = 0_u64;
    while at < axis.until {
        let next = cursor.next_change(path).map_or(axis.until, |next| next.min(axis.until));
        row = axis.over(row, (at, next), |row, span| {
            shares[row] += share(count) * span.micros() as f64;
        });
        at = next;
        let before = count;
        if at < axis.until {
            cursor.advance(path);
            count = cursor.capacity(path);
        }
        if state(count) != state(before) || at == axis.until {
            let sum = &mut sums[state(before) as usize];
            sum.count += 1;
            sum.time += at - begun;
            sum.longest = sum.longest.max(at - begun);
            begun = at;
        }
        falls += u64::from(share(count) < share(before));
        looks += 1;
        if looks.is_multiple_of(LOOK_EVERY) && halt::asked() {
            return None;
        }
    }
    for (row, share) in shares.iter_mut().enumerate() {
        *share /= axis.length(row);
    }
    Some(CapacityOutlook { most, states: sums, falls, shares })
}

fn price_of(path: &PricePath, seed: u64, axis: PartAxis) -> Option<PriceOutlook> {
    let mut cursor = PriceCursor::new(path, seed, axis.from);
    let mut parts = vec![(0.0, f64::INFINITY, 0.0_f64); axis.count];
    let (mut at, mut changes, mut row) = (axis.from, 0, 0);
    let mut rate = cursor.rate(path);
    let mut looks = 0_u64;
    while at < axis.until {
        let next = cursor.next_change(path).map_or(axis.until, |next| next.min(axis.until));
        let dollars = rate.dollars_per_hour();
        row = axis.over(row, (at, next), |row, span| {
            let part = &mut parts[row];
            part.0 += dollars * span.micros() as f64;
            (part.1, part.2) = (part.1.min(dollars), part.2.max(dollars));
        });
        at = next;
        if at < axis.until {
            cursor.advance(path);
            changes += u64::from(cursor.rate(path) != rate);
            rate = cursor.rate(path);
        }
        looks += 1;
        if looks.is_multiple_of(LOOK_EVERY) && halt::asked() {
            return None;
        }
    }
    let whole = ((axis.until - axis.from).micros() as f64).max(1.0);
    let mean = parts.iter().map(|part| part.0).sum::<f64>() / whole;
    for (row, part) in parts.iter_mut().enumerate() {
        part.0 /= axis.length(row);
    }
    let low = parts.iter().map(|part| part.1).fold(f64::INFINITY, f64::min);
    let high = parts.iter().map(|part| part.2).fold(0.0, f64::max);
    Some(PriceOutlook { low, mean, high, changes, parts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CapacityLaw, OfferSpec};
    use crate::units::{Rate, Shape};

    const SHAPE: Shape = Shape { cpu: 4_000, memory: 4_096, gpus: 0 };

    /// A world of a spot offer with that capacity and price, and another that never changes.
    fn world(capacity: CapacityPath, prices: &[(i64, &str)]) -> World {
        let spot = OfferSpec::spot("cloud/r/r-a", "m", SHAPE, "1").capacity(capacity);
        let other = OfferSpec::on_demand("cloud/r/r-a", "m", SHAPE, "3");
        let mut world = World::builder().offer(spot).offer(other).build().expect("a world");
        let first = world.offers.ids().next().expect("an offer");
        let rate = |text: &str| Rate::parse(text).expect("a price");
        let changes = prices.iter().map(|&(at, text)| (Time::from_secs(at), rate(text)));
        world.offers[first].price.changes = changes.collect();
        world
    }

    fn at(secs: i64) -> Time {
        Time::from_secs(secs)
    }

    /// By hand, over 100 s in four parts: 8 of 16 until 30 s, none until 50 s, 16 until 80 s, 4 after.
    #[test]
    fn sums_are_those_by_hand() {
        let changes = vec![(at(30), Some(0)), (at(50), Some(16)), (at(80), Some(4))];
        let capacity = CapacityPath::known(Some(8), changes);
        let world = world(capacity, &[(10, "2"), (60, "0.5")]);
        let mut steps = Vec::new();
        let outlook = Outlook::draw(&world, 1, (at(0), at(100)), 4, |done| steps.push(done));
        let outlook = outlook.expect("nobody asks it to end");
        assert_eq!((steps, outlook.steady, outlook.pools.len()), (vec![1, 2], 1, 1));
        let capacity = outlook.pools[0].capacity.as_ref().expect("it changes");
        let sums = |count, time, longest| SpellSums {
            count,
            time: Span::from_secs(time),
            longest: Span::from_secs(longest),
        };
        assert_eq!(capacity.states, [sums(1, 20, 20), sums(2, 50, 30), sums(1, 30, 30)]);
        assert_eq!((capacity.most, capacity.falls), (Some(16), 2));
        // 25 x .5; 5 x .5; 25 x 1; 5 x 1 + 20 x .25, each of 25.
        let want = [0.5, 0.1, 1.0, 0.4];
        let near = |one: &f64, other: f64| (one - other).abs() < 1e-12;
        assert!(capacity.shares.iter().zip(want).all(|(one, other)| near(one, other)));
        let price = outlook.pools[0].price.as_ref().expect("it changes");
        // 10 x 1 + 50 x 2 + 40 x .5 of 100.
        assert_eq!((price.low, price.high, price.changes), (0.5, 2.0, 2));
        assert!(near(&price.mean, 1.3) && near(&price.parts[0].0, 1.6));
        assert_eq!((price.parts[2].1, price.parts[3].2), (0.5, 0.5));
    }

    /// What is drawn comes to the shares of its law, and is what a run of that seed meets.
    #[test]
    fn what_is_drawn_has_the_shares_of_its_law() {
        let law = CapacityLaw::memoryless(4, 1.0, 1_800.0).expect("a law");
        let law = std::sync::Arc::new(law);
        let (from, until, anchor, key) = (None, None, Time::ZERO, [1, 0]);
        let drawn =
            vec![crate::model::DrawnCapacity { from, until, anchor, key, law, moves_with: None }];
        let path = CapacityPath { drawn, ..CapacityPath::default() };
        let world = world(path, &[]);
        let whole = 30_000 * 3_600;
        let outlook = Outlook::draw(&world, 1, (at(0), at(whole)), 50, |_| ());
        let outlook = outlook.expect("nobody asks it to end");
        let capacity = outlook.pools[0].capacity.as_ref().expect("it changes");
        let share = capacity.states[0].time.secs_f64() / whole as f64;
        assert!((share - 1.0 / 3.0).abs() < 0.01, "{share}");
        let mean = capacity.shares.iter().sum::<f64>() / 50.0;
        assert!((mean + share - 1.0).abs() < 1e-9);
        assert!(capacity.falls.abs_diff(capacity.states[0].count) <= 1);
    }
}
