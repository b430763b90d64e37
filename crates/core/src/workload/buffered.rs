//! Transformations that hold all work in memory: sort, shuffle, inflate, resample.

use crate::model::{Interner, Work, WorkId};
use crate::problem::Problem;
use crate::units::stream::Stream;
use crate::units::{Span, Time};

use super::transform::{move_to, out_of_reach};
use super::{BoxedSource, Resource, RowNotes, Source};

/// Most pieces of work that are held in memory at once.
pub const MAX_HELD: usize = 20_000_000;

/// Order in which held work is handed over.
pub(super) enum HandOverOrder {
    /// Order of arrival; work of one instant keeps its order.
    Sorted,
    /// Random order over the same arrival times.
    Shuffled { seed: u64 },
    /// All once in random order and then sampled with replacement, until
    /// `target` of `resource` is asked for.
    Inflated { seed: u64, resource: Resource, target: u128, gap: Span },
    /// Blocks of this length drawn with replacement, until the time is filled.
    Resampled { seed: u64, block: Span },
}

/// A source that reads another to its end before it hands over anything.
pub(super) struct Buffered {
    inner: BoxedSource,
    order: HandOverOrder,
    read: bool,
    pool: Vec<Work>,
    /// Work in the order of hand-over: row in the pool, source number, arrival.
    sequence: Vec<(u32, u32, Time)>,
    at: usize,
}

impl Buffered {
    pub(super) fn new(inner: BoxedSource, order: HandOverOrder) -> Self {
        Self { inner, order, read: false, pool: Vec::new(), sequence: Vec::new(), at: 0 }
    }

    fn read_all(&mut self, book: &mut Interner) -> Result<(), Problem> {
        let mut work = Work::default();
        while self.inner.next(book, &mut work)? {
            if self.pool.len() == MAX_HELD {
                return Err(too_many());
            }
            self.pool.push(work.clone());
        }
        self.sequence = match self.order {
            HandOverOrder::Sorted => {
                let mut order: Vec<u32> = (0..self.pool.len() as u32).collect();
                order.sort_by_key(|&row| self.pool[row as usize].arrival);
                order.into_iter().map(|row| self.entry(row, row)).collect()
            }
            HandOverOrder::Shuffled { seed } => {
                let mut order: Vec<u32> = (0..self.pool.len() as u32).collect();
                Stream::new(seed, "workload shuffle").shuffle(&mut order);
                (0..).zip(order).map(|(time, row)| self.entry(row, time)).collect()
            }
            HandOverOrder::Inflated { seed, resource, target, gap } => {
                self.sample(seed, resource, target, gap)?
            }
            HandOverOrder::Resampled { seed, block } => self.resample(seed, block)?,
        };
        Ok(())
    }

    /// Row `row` of the pool at the arrival of row `time`.
    fn entry(&self, row: u32, time: u32) -> (u32, u32, Time) {
        let source = self.pool[row as usize].id.source;
        (row, source, self.pool[time as usize].arrival)
    }

    fn sample(
        &self,
        seed: u64,
        resource: Resource,
        target: u128,
        gap: Span,
    ) -> Result<Vec<(u32, u32, Time)>, Problem> {
        let asks: Vec<u128> = self.pool.iter().map(|work| asked(work, resource)).collect();
        if target > 0 && asks.iter().all(|&asked| asked == 0) {
            let message = format!("inflate: no work asks for any {}", resource.name());
            return Err(Problem::with("workload", message));
        }
        let sources = self.pool.iter().map(|work| work.id.source).max().unwrap_or(0) + 1;
        let mut stream = Stream::new(seed, "workload inflate");
        let mut first: Vec<u32> = (0..self.pool.len() as u32).collect();
        stream.shuffle(&mut first);
        let mut first = first.into_iter();
        let mut times = vec![0_u32; self.pool.len()];
        let (mut sequence, mut sum) = (Vec::new(), 0);
        while sum < target {
            if sequence.len() == MAX_HELD {
                return Err(too_many());
            }
            let next = first.next().unwrap_or_else(|| stream.below(times.len() as u64) as u32);
            let row = next as usize;
            let again = times[row].checked_mul(sources);
            let source = again.and_then(|again| again.checked_add(self.pool[row].id.source));
            let arrival = gap.micros().checked_mul(sequence.len() as i64);
            let (Some(source), Some(arrival)) = (source, arrival) else {
                return Err(out_of_reach("inflate"));
            };
            sequence.push((next, source, Time::from_micros(arrival)));
            times[row] += 1;
            sum += asks[row];
        }
        Ok(sequence)
    }
}

impl Buffered {
    /// The block bootstrap (Künsch 1989, with blocks that do not overlap, so
    /// that days stay days): work keeps its place within its block.
    ///
    /// The last block ends with the last arrival, and so does the last place. If it is drawn for a
    /// longer place, the rest is that of another block. So each instant of the day is drawn from
    /// the blocks that reach it, all alike, and the demand is in the mean that of the trace.
    fn resample(&self, seed: u64, block: Span) -> Result<Vec<(u32, u32, Time)>, Problem> {
        let ends = self.pool.first().zip(self.pool.last());
        let Some((first, last)) = ends.map(|(first, last)| (first.arrival, last.arrival)) else {
            return Ok(Vec::new());
        };
        let width = block.micros();
        let end = (last - first).micros();
        let (final_block, reach) = (end / width, end % width);
        let sources = self.pool.iter().map(|work| work.id.source).max().unwrap_or(0) + 1;
        let at = |instant: i64| {
            self.pool.partition_point(|work| (work.arrival - first).micros() < instant)
        };
        let mut stream = Stream::new(seed, "workload resample");
        let mut sequence = Vec::new();
        for place in 0..=final_block {
            // Every place has source numbers of its own, so no identity comes twice.
            let repeated = u32::try_from(place).ok().and_then(|place| place.checked_mul(sources));
            let mut take = |block: i64, offsets: std::ops::Range<i64>| {
                let from = block * width;
                let rows = at(from + offsets.start)..at(from.saturating_add(offsets.end));
                if sequence.len() + rows.len() > MAX_HELD {
                    return Err(too_many());
                }
                let moved = Span::from_micros((place - block) * width);
                for row in rows {
                    let work = &self.pool[row];
                    let source = repeated.and_then(|sources| sources.checked_add(work.id.source));
                    let source = source.ok_or_else(|| out_of_reach("resample"))?;
                    sequence.push((row as u32, source, work.arrival.saturating_add(moved)));
                }
                Ok(())
            };
            let drawn = stream.below(final_block as u64 + 1) as i64;
            if place < final_block && drawn < final_block {
                take(drawn, 0..width)?;
                continue;
            }
            take(drawn, 0..reach + 1)?;
            if place < final_block {
                take(stream.below(final_block as u64) as i64, reach + 1..width)?;
            }
        }
        Ok(sequence)
    }
}

fn too_many() -> Problem {
    let message = format!("more than {MAX_HELD} pieces of work would be held in memory");
    Problem::with("workload", message)
        .hint("sort the trace by arrival beforehand, or cut it with `window` or `take` first")
}

fn asked(work: &Work, resource: Resource) -> u128 {
    let demand = work.ask.demand;
    let each = match resource {
        Resource::Cpu => demand.cpu,
        Resource::Memory => demand.memory,
        Resource::Gpu => demand.gpu_milli(),
    };
    u128::from(each) * u128::from(work.ask.tasks)
}

impl Source for Buffered {
    fn next(&mut self, book: &mut Interner, work: &mut Work) -> Result<bool, Problem> {
        if !self.read {
            self.read_all(book)?;
            self.read = true;
        }
        let Some(&(row, source, arrival)) = self.sequence.get(self.at) else { return Ok(false) };
        self.at += 1;
        let held = &self.pool[row as usize];
        // Field by field, so that the name keeps its buffer.
        work.name.clone_from(&held.name);
        work.id = WorkId { source, ..held.id };
        (work.arrival, work.ask, work.body) = (held.arrival, held.ask, held.body);
        (work.min_tasks, work.speedup) = (held.min_tasks, held.speedup);
        move_to(work, arrival)?;
        Ok(true)
    }

    fn skipped(&self) -> u64 {
        self.inner.skipped()
    }

    fn notes(&self) -> RowNotes {
        self.inner.notes()
    }

    fn skips(&self) -> &[Problem] {
        self.inner.skips()
    }
}
