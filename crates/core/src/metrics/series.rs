//! Course of a run over time, in a bounded number of buckets: when they run out, neighbours are
//! merged and the width doubles.

use smallvec::SmallVec;

use super::fact::{Fact, FactObserver};
use crate::model::Offer;
use crate::sim::Observer;
use crate::state::{Ending, LiveWork, Record, State, TimeIntegrals};
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
    pub rates: SmallVec<[i128; 4]>,
    /// Live instances, by offer.
    pub live: SmallVec<[i128; 4]>,
    /// Most jobs waiting at once.
    pub waiting_max: u64,
    /// What the tasks that stopped in it had done.
    pub stopped: StoppedWork,
}

/// Tasks that stopped in some time, by what became of their work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoppedWork {
    /// Allocations that lost an instance to its provider.
    pub interruptions: u64,
    /// Allocations that were ended because a machine failed.
    pub failures: u64,
    /// Progress that counted, by cores and GPUs: thousandths of these by millionths of a microsecond.
    pub useful: [i128; 2],
    /// Progress that was thrown away.
    pub lost: [i128; 2],
    /// Progress that was not made, as checkpoints were read and written.
    pub overhead: [i128; 2],
}

impl StoppedWork {
    fn absorb(&mut self, other: &Self) {
        self.interruptions += other.interruptions;
        self.failures += other.failures;
        for at in 0..2 {
            self.useful[at] += other.useful[at];
            self.lost[at] += other.lost[at];
            self.overhead[at] += other.overhead[at];
        }
    }

    /// Counts the end of an allocation.
    #[inline(always)]
    fn count(&mut self, ending: Ending) {
        self.interruptions += u64::from(ending.is_interruption());
        self.failures += u64::from(ending == Ending::Failed);
    }

    /// Adds tasks that hold these thousandths of cores and GPUs.
    #[inline(always)]
    fn add(&mut self, held: [u64; 2], [useful, lost, overhead]: [i128; 3]) {
        for (at, held) in held.into_iter().enumerate().filter(|&(_, held)| held > 0) {
            self.useful[at] += useful * i128::from(held);
            if lost != 0 {
                self.lost[at] += lost * i128::from(held);
            }
            if overhead != 0 {
                self.overhead[at] += overhead * i128::from(held);
            }
        }
    }
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
        self.stopped.absorb(&other.stopped);
    }

    /// Sets the amounts that the state integrates to `areas`, those of this bucket.
    fn take(&mut self, areas: TimeIntegrals) {
        (self.waiting, self.rates) = (areas.waiting, areas.rates);
        (self.allocated, self.capacity) = (areas.allocated, areas.capacity);
    }
}

/// A bucket of this width in which the state stands still.
fn still(state: &State<'_>, width: Span) -> Bucket {
    let mut bucket = Bucket { waiting_max: state.totals().waiting, ..Bucket::default() };
    bucket.take(state.areas_over(width));
    bucket
}

fn absorb(mine: &mut SmallVec<[i128; 4]>, theirs: &[i128]) {
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
    /// All but the last have ended.
    buckets: Vec<Bucket>,
    /// End of the last bucket.
    until: Time,
    /// The state's integrals when the last bucket began.
    closed: TimeIntegrals,
    /// Live instances of each offer, and the time from which that number has stood.
    live: Vec<(u32, Time)>,
}

impl Default for Series {
    fn default() -> Self {
        Self {
            start: Time::ZERO,
            end: Time::ZERO,
            width: 1_000_000,
            buckets: Vec::new(),
            until: Time::ZERO,
            closed: TimeIntegrals::default(),
            live: Vec::new(),
        }
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

    /// Ends the last bucket, which the clock leaves before `to`, and begins the next
    /// ones, until `to` lies in the last. Until then the state stands still, so all
    /// that the clock passes as a whole are alike.
    #[cold]
    fn advance(&mut self, state: &State<'_>, to: Time) {
        self.close(&state.areas_at(self.until));
        let mut whole = None;
        loop {
            if self.buckets.len() == BUCKETS {
                self.halve();
                whole = None;
            }
            let from = self.until;
            self.until =
                self.start + Span::from_micros((self.buckets.len() + 1) as i64 * self.width);
            if self.until >= to {
                let waiting_max = state.totals().waiting;
                self.buckets.push(Bucket { waiting_max, ..Bucket::default() });
                self.closed = state.areas_at(from);
                return;
            }
            let whole = whole.get_or_insert_with(|| still(state, self.width()));
            self.buckets.push(whole.clone());
        }
    }

    /// Ends the last bucket: what was added up since it began is its own.
    fn close(&mut self, areas: &TimeIntegrals) {
        let Some(last) = self.buckets.last_mut() else { return };
        last.take(areas.minus(&self.closed));
    }

    /// Merges neighbours in a full row, whose length is even.
    fn halve(&mut self) {
        for at in 0..BUCKETS / 2 {
            let (before, after) = self.buckets.split_at_mut(2 * at + 1);
            before[2 * at].absorb(&after[0]);
            self.buckets.swap(at, 2 * at);
        }
        self.buckets.truncate(BUCKETS / 2);
        self.width *= 2;
    }

    /// Notes that `offer` has one instance more or fewer from now on.
    fn change_live(&mut self, state: &State<'_>, offer: Id<Offer>, change: i32) {
        let (count, since) = self.live[offer.row()];
        self.live[offer.row()] = (count.wrapping_add_signed(change), state.now());
        self.add_live(offer.row(), count, since, state.now());
    }

    /// Adds to each bucket that `since..until` touches.
    fn add_live(&mut self, row: usize, count: u32, since: Time, until: Time) {
        if count == 0 {
            return;
        }
        let (mut from, to) = ((since - self.start).micros(), (until - self.start).micros());
        while from < to {
            let at = from / self.width;
            let end = ((at + 1) * self.width).min(to);
            let live = &mut self.buckets[at as usize].live;
            if live.len() <= row {
                live.resize(row + 1, 0);
            }
            live[row] += i128::from(end - from) * i128::from(count);
            from = end;
        }
    }
}

impl Observer for Series {
    fn begins(&mut self, state: &State<'_>) {
        (self.start, self.end) = (state.now(), state.now());
        self.live = vec![(0, state.now()); state.world().offers.len()];
        self.buckets = vec![Bucket::default()];
        self.until = self.start + self.width();
    }

    #[inline(always)]
    fn elapse(&mut self, state: &State<'_>, _from: Time, to: Time) {
        if let Some(last) = self.buckets.last_mut() {
            last.waiting_max = last.waiting_max.max(state.totals().waiting);
        }
        if self.until < to {
            self.advance(state, to);
        }
    }

    #[inline(always)]
    fn record(&mut self, state: &State<'_>, record: &Record) {
        self.see(state, Fact::of(state, record));
    }

    fn ends(&mut self, state: &State<'_>) {
        self.end = state.now();
        self.close(&state.areas_at(self.end));
        for row in 0..self.live.len() {
            let (count, since) = self.live[row];
            self.add_live(row, count, since, self.end);
        }
        if self.end == self.start {
            self.buckets.clear();
        }
    }
}

impl FactObserver for Series {
    #[inline(always)]
    fn see(&mut self, state: &State<'_>, fact: Fact<'_>) {
        match fact {
            Fact::Requested(_, instance) => self.change_live(state, instance.offer, 1),
            Fact::Released { released, .. } => self.change_live(state, released.offer, -1),
            Fact::Stopped { live, tasks, ending, whole, .. } => {
                let Some(bucket) = self.buckets.last_mut() else { return };
                bucket.stopped.add(held(live, tasks), whole);
                bucket.stopped.count(ending);
            }
            Fact::GivenUp { live, tasks, useful, lost, .. } => {
                let Some(bucket) = self.buckets.last_mut() else { return };
                bucket.stopped.add(held(live, tasks), [useful, lost, 0]);
            }
            Fact::Submitted(..)
            | Fact::Placed(_)
            | Fact::Started(..)
            | Fact::Finished(..)
            | Fact::Refused(..)
            | Fact::Unfinished(_)
            | Fact::Ready(..)
            | Fact::Draining(..)
            | Fact::Failed(..)
            | Fact::Repaired(..)
            | Fact::Outage(..)
            | Fact::Slowed { .. }
            | Fact::Devices { .. }
            | Fact::Restarted(..)
            | Fact::Migrates(..)
            | Fact::AtRisk(..)
            | Fact::Charged(..)
            | Fact::LaunchRefused(..)
            | Fact::Noted => (),
        }
    }
}

/// Thousandths of cores and GPUs that tasks of work hold.
fn held(live: &LiveWork, tasks: u32) -> [u64; 2] {
    let demand = &live.ask.demand;
    [demand.cpu, demand.gpu_milli()].map(|each| u64::from(each) * u64::from(tasks))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Ask, Market};
    use crate::state::Needs;
    use crate::state::testing::{Plan, start, submit, world};

    #[test]
    fn buckets_merge_without_losing_anything() {
        let world = world(&[Plan { running: 2, ..Plan::default() }]);
        let mut state = start(&world, Needs::default());
        let mut series = Series::default();
        series.begins(&state);
        for (instance, _) in state.instances() {
            series.record(&state, &Record::Requested(instance));
        }
        let work = submit(&mut state, 0, Ask::default());
        let mut go = |state: &mut State<'_>, secs: i64| {
            series.elapse(state, state.now(), Time::from_secs(secs));
            state.set_now(Time::from_secs(secs));
            series.clone()
        };
        let early = go(&mut state, 10);
        assert_eq!((early.buckets.len(), early.width), (10, 1_000_000));
        go(&mut state, 5_000);
        state.forget(work);
        let mut all = go(&mut state, 6_000);
        all.ends(&state);
        assert_eq!(all.width, 8_000_000); // 960 buckets of 8 s hold 6,000 s
        assert_eq!(all.buckets.len(), 750);
        let sum: i128 = all.buckets.iter().map(|bucket| bucket.waiting).sum();
        assert_eq!(sum, 5_000_000_000);
        let live: i128 = all.buckets.iter().map(|bucket| bucket.live[0]).sum();
        assert_eq!(live, 2 * 6_000_000_000);
        let most: Vec<u64> = all.buckets.iter().map(|bucket| bucket.waiting_max).collect();
        assert_eq!((most[0], most[624], most[625]), (1, 1, 0));
        let capacity: i128 = all.buckets[749].capacity[0];
        assert_eq!(capacity, 8_000 * 8_000_000);
    }

    /// The clock jumps over buckets, or comes to each: at one moment, between moments, and while
    /// widths double.
    #[test]
    fn a_jump_fills_the_same_buckets_as_small_steps() {
        let plans = [Plan { running: 2, market: Market::OnDemand, price: "2", ..Plan::default() }];
        let world = world(&plans);
        for (first, jump) in [(0, 3_000_000), (1_500_000, 958_500_000), (700_000, 9_000_300_001)] {
            let course = |step: i64| {
                let mut state = start(&world, Needs::default());
                let mut series = Series::default();
                series.begins(&state);
                for (instance, _) in state.instances() {
                    series.record(&state, &Record::Requested(instance));
                }
                let mut go = |state: &mut State<'_>, until: i64| {
                    series.elapse(state, state.now(), Time::from_micros(until));
                    state.set_now(Time::from_micros(until));
                };
                go(&mut state, first);
                let work = submit(&mut state, 0, Ask::default());
                while state.now().micros() < first + jump {
                    let until = (state.now().micros() + step).min(first + jump);
                    go(&mut state, until);
                }
                state.forget(work);
                go(&mut state, first + jump + 5_400_000);
                series.ends(&state);
                let buckets = series.buckets().map(|one| (one.0, one.1, one.2.clone()));
                (series.width(), buckets.collect::<Vec<_>>())
            };
            let (width, buckets) = course(i64::MAX / 2);
            assert!(buckets.iter().any(|(.., bucket)| bucket.rates[0] > 0));
            assert_eq!((width, buckets), course(250_000), "{first} {jump}");
        }
    }
}
