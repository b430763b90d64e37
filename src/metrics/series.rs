//! What a run looked like over time, in a bounded number of buckets: when they
//! run out, neighbours are merged and the width doubles.

use crate::model::Offer;
use crate::sim::Observer;
use crate::state::{Record, State};
use crate::units::{Id, Span, Time};

/// Most buckets: between half of this and this are in use at the end.
const BUCKETS: usize = 960;

/// Time integrals over one bucket: value times microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Waiting jobs.
    pub waiting: i128,
    /// Allocated milli-cores, MiB and milli-GPUs.
    pub allocated: [i128; 3],
    /// Running capacity of the same.
    pub capacity: [i128; 3],
    /// Pico-dollars per hour, by provider.
    pub rates: Vec<i128>,
    /// Live instances, by offer.
    pub live: Vec<i128>,
    /// Most jobs waiting at once.
    pub waiting_max: u64,
}

impl Bucket {
    /// Adds what happened in `other`.
    pub fn absorb(&mut self, other: &Self) {
        self.waiting += other.waiting;
        self.waiting_max = self.waiting_max.max(other.waiting_max);
        for at in 0..3 {
            self.allocated[at] += other.allocated[at];
            self.capacity[at] += other.capacity[at];
        }
        absorb(&mut self.rates, &other.rates);
        absorb(&mut self.live, &other.live);
    }
}

fn absorb(mine: &mut Vec<i128>, theirs: &[i128]) {
    if mine.len() < theirs.len() {
        mine.resize(theirs.len(), 0);
    }
    for (mine, theirs) in mine.iter_mut().zip(theirs) {
        *mine += theirs;
    }
}

/// Time series of a run.
#[derive(Clone, Debug)]
pub struct Series {
    start: Time,
    end: Time,
    width: i64,
    buckets: Vec<Bucket>,
    /// By offer: live instances, and since when that number has stood.
    live: Vec<(u32, Time)>,
}

impl Default for Series {
    fn default() -> Self {
        let (start, end) = (Time::ZERO, Time::ZERO);
        Self { start, end, width: 1_000_000, buckets: Vec::new(), live: Vec::new() }
    }
}

impl Series {
    /// Start of the first bucket.
    pub fn start(&self) -> Time {
        self.start
    }

    /// End of the run: the last bucket is cut there.
    pub fn end(&self) -> Time {
        self.end
    }

    /// Width of a bucket.
    pub fn width(&self) -> Span {
        Span::from_micros(self.width)
    }

    /// The buckets in order, each with its start and its length (the last may be shorter).
    pub fn buckets(&self) -> impl Iterator<Item = (Time, Span, &Bucket)> {
        self.buckets.iter().enumerate().map(|(at, bucket)| {
            let from = self.start + Span::from_micros(at as i64 * self.width);
            let until = (from + self.width()).min(self.end);
            (from, until - from, bucket)
        })
    }

    /// The offers that ever had an instance.
    pub fn offers(&self) -> Vec<Id<Offer>> {
        let used = |offer: usize| {
            self.buckets.iter().any(|bucket| bucket.live.get(offer).is_some_and(|&sum| sum > 0))
        };
        (0..self.live.len()).filter(|&offer| used(offer)).map(|row| Id::new(row as u32)).collect()
    }

    /// Calls `add` for each bucket that `from..to` touches, with the length touched.
    fn spread(&mut self, from: Time, to: Time, mut add: impl FnMut(&mut Bucket, i128)) {
        let mut from = (from - self.start).micros();
        let to = (to - self.start).micros();
        while from < to {
            while from / self.width >= BUCKETS as i64 {
                self.halve();
            }
            let at = (from / self.width) as usize;
            if self.buckets.len() <= at {
                self.buckets.resize(at + 1, Bucket::default());
            }
            let until = ((at as i64 + 1) * self.width).min(to);
            add(&mut self.buckets[at], i128::from(until - from));
            from = until;
        }
    }

    fn halve(&mut self) {
        let mut merged = Vec::with_capacity(BUCKETS);
        for pair in self.buckets.chunks(2) {
            let mut first = pair[0].clone();
            if let Some(second) = pair.get(1) {
                first.absorb(second);
            }
            merged.push(first);
        }
        self.buckets = merged;
        self.width *= 2;
    }

    /// Notes that `offer` has one instance more or fewer from now on.
    fn change_live(&mut self, state: &State<'_>, offer: Id<Offer>, change: i32) {
        let (count, since) = self.live[offer.row()];
        self.live[offer.row()] = (count.wrapping_add_signed(change), state.now());
        self.add_live(offer.row(), count, since, state.now());
    }

    fn add_live(&mut self, row: usize, count: u32, since: Time, until: Time) {
        if count == 0 {
            return;
        }
        self.spread(since, until, |bucket, span| {
            if bucket.live.len() <= row {
                bucket.live.resize(row + 1, 0);
            }
            bucket.live[row] += span * i128::from(count);
        });
    }
}

impl Observer for Series {
    fn begins(&mut self, state: &State<'_>) {
        (self.start, self.end) = (state.now(), state.now());
        self.live = vec![(0, state.now()); state.world().offers.len()];
    }

    fn elapse(&mut self, state: &State<'_>, from: Time, to: Time) {
        let totals = state.totals();
        self.end = to;
        self.spread(from, to, |bucket, span| {
            bucket.waiting += i128::from(totals.waiting) * span;
            bucket.waiting_max = bucket.waiting_max.max(totals.waiting);
            for (at, (used, whole)) in [
                (totals.allocated.cpu, totals.capacity.cpu),
                (totals.allocated.memory, totals.capacity.memory),
                (totals.allocated.gpu, totals.capacity.gpu),
            ]
            .into_iter()
            .enumerate()
            {
                bucket.allocated[at] += i128::from(used) * span;
                bucket.capacity[at] += i128::from(whole) * span;
            }
            if bucket.rates.len() < totals.rates.len() {
                bucket.rates.resize(totals.rates.len(), 0);
            }
            for (sum, &rate) in bucket.rates.iter_mut().zip(&totals.rates) {
                *sum += i128::from(rate) * span;
            }
        });
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        match *record {
            Record::Requested(instance) => {
                self.change_live(state, state.instance(instance).offer, 1);
            }
            Record::Released { instance, .. } => {
                self.change_live(state, state.instance(instance).offer, -1);
            }
            _ => (),
        }
    }

    fn ends(&mut self, state: &State<'_>) {
        self.end = state.now();
        for row in 0..self.live.len() {
            let (count, since) = self.live[row];
            self.add_live(row, count, since, state.now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_merge_without_losing_anything() {
        let mut series = Series::default();
        let add = |bucket: &mut Bucket, span: i128| bucket.waiting += span;
        series.spread(Time::ZERO, Time::from_secs(10), add);
        assert_eq!(series.buckets.len(), 10);
        series.spread(Time::from_secs(10), Time::from_secs(5_000), add);
        assert!(series.buckets.len() <= BUCKETS);
        assert_eq!(series.width, 8_000_000); // 960 buckets of 8 s hold 5,000 s
        let sum: i128 = series.buckets.iter().map(|bucket| bucket.waiting).sum();
        assert_eq!(sum, 5_000_000_000);
    }
}
