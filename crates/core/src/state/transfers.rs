//! Data that moves over a network that is slow at times: input and output of tasks, and the memory and
//! checkpoints that they move.

use super::saved::TaskOrigin;
use super::{Allocation, AllocationRef, InstanceRef, Progress, State};
use crate::model::{Checkpoint, FaultEffect};
use crate::units::{Span, Time};

/// Speed that nothing takes away, in millionths.
pub(super) const WHOLE: u32 = 1_000_000;

/// How far an allocation has come with its data: progress at the share of its speed that the network
/// has, in millionths of a microsecond of a network that is not slow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfers {
    share: u32,
    input: Progress,
    /// It grows from the later of `since` and the moment at which the tasks had computed.
    output: Progress,
}

impl Transfers {
    const fn new(share: u32, started: Time) -> Self {
        let progress = Progress::from_saved(0, share as u64, started);
        Self { share, input: progress, output: progress }
    }

    /// Goes on at another share from `now` on, after the tasks had computed at `computed` if they have.
    fn change(&mut self, share: u32, now: Time, input: Span, computed: Option<Time>) {
        self.share = share;
        if now < end(self.input, input) {
            self.input.set_rate(share.into(), now);
        }
        match computed {
            Some(computed) => self.output = begun(self.output, computed),
            None => self.output.since = now,
        }
        self.output.set_rate(share.into(), now);
    }
}

/// Output that is written from when the tasks have computed, at `computed`.
fn begun(mut output: Progress, computed: Time) -> Progress {
    output.since = output.since.max(computed);
    output
}

/// Progress of data that moves for `span` over a network that is not slow.
fn whole(span: Span) -> i128 {
    i128::from(span.micros()) * i128::from(WHOLE)
}

fn end(progress: Progress, span: Span) -> Time {
    progress.eta(whole(span)).expect("no network stands still")
}

/// Data that has moved of that which moves for `span`, as a time over a network that is not slow.
fn moved(progress: Progress, span: Span, now: Time) -> Span {
    let micros = progress.done_at(now).min(whole(span)) / i128::from(WHOLE);
    Span::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}

/// Time that takes `span` at one share of the speed, at another, rounded up.
pub(super) fn stretched(span: Span, from: u32, to: u32) -> Span {
    if from == to {
        return span;
    }
    let product = i128::from(span.micros()) * i128::from(from);
    let micros = product.div_euclid(to.into()) + i128::from(product.rem_euclid(to.into()) > 0);
    Span::from_micros(i64::try_from(micros).unwrap_or(i64::MAX / 4))
}

/// Bytes per second, with 0 for no limit, at a share of the speed.
pub(super) fn slowed(bytes_per_sec: i64, share: u32) -> i64 {
    if share == WHOLE || bytes_per_sec == 0 {
        return bytes_per_sec;
    }
    let slowed = i128::from(bytes_per_sec) * i128::from(share) / i128::from(WHOLE);
    i64::try_from(slowed).unwrap_or(bytes_per_sec).max(1)
}

impl State<'_> {
    /// Share of its speed, in millionths, that the network of an allocation has now: that of the
    /// worst of all faults of its instances, and never nothing.
    pub(super) fn network(&self, target: &Allocation) -> u32 {
        let held = target.held.iter().map(|held| self.network_of(held.share.instance));
        held.min().unwrap_or(WHOLE)
    }

    /// The same of one instance.
    pub(super) fn network_of(&self, instance: InstanceRef) -> u32 {
        let faults = self.fleet.instances[instance].slowed_by.iter();
        let effects = faults.map(|&(fault, _)| self.world.faults[fault as usize].effect);
        effects.map(FaultEffect::share_of_network).min().unwrap_or(WHOLE).max(1)
    }

    /// A checkpoint as it is written over the network that an allocation has now.
    pub(super) fn over_network(&self, one: AllocationRef, checkpoint: Checkpoint) -> Checkpoint {
        let share = self.network(&self.allocations[one]);
        Checkpoint { write: stretched(checkpoint.write, WHOLE, share), ..checkpoint }
    }

    fn transfers(&self, allocation: AllocationRef) -> Option<&Transfers> {
        self.transfers.get(allocation.slot()).and_then(Option::as_ref)
    }

    /// The tasks of an allocation, which start now, move their data over the network as it is. Memory
    /// that comes from other instances moves at the speed that was reckoned with.
    pub(crate) fn start_transfers(&mut self, allocation: AllocationRef) {
        if self.origin_of(allocation) == TaskOrigin::Memory {
            let share = self.network(&self.allocations[allocation]);
            self.set_transfers(allocation, Transfers::new(share, self.now));
        }
    }

    fn set_transfers(&mut self, allocation: AllocationRef, transfers: Transfers) {
        if self.transfers.len() <= allocation.slot() {
            self.transfers.resize(allocation.slot() + 1, None);
        }
        self.transfers[allocation.slot()] = Some(transfers);
    }

    /// Lets the data of an allocation, whose tasks have started, move at the speed that the network
    /// has now. `computed` is when its tasks had done their work, if they have. Returns the share of
    /// before and that of now, if they differ.
    pub(super) fn change_network(
        &mut self,
        allocation: AllocationRef,
        computed: Option<Time>,
    ) -> Option<(u32, u32)> {
        let target = &self.allocations[allocation];
        let started = target.started()?;
        let (input, share) = (target.input, self.network(target));
        let mut transfers =
            self.transfers(allocation).copied().unwrap_or(Transfers::new(WHOLE, started));
        let before = transfers.share;
        if share == before {
            return None;
        }
        transfers.change(share, self.now, input, computed);
        self.set_transfers(allocation, transfers);
        Some((before, share))
    }

    /// Time at which the input of tasks, which have started, has been read.
    pub(super) fn input_read(&self, allocation: AllocationRef) -> Time {
        let target = &self.allocations[allocation];
        match self.transfers(allocation) {
            Some(transfers) => end(transfers.input, target.input),
            None => target.started().expect("they have started") + target.input,
        }
    }

    /// Time at which the output of tasks that have computed at `computed` is written.
    #[inline(always)]
    pub(super) fn output_written(&self, allocation: AllocationRef, computed: Time) -> Time {
        let output = self.allocations[allocation].output;
        match self.transfers(allocation) {
            Some(transfers) => end(begun(transfers.output, computed), output),
            None => computed.saturating_add(output),
        }
    }

    /// Input that tasks, which have started, have read by now, as a time over a network that is not slow.
    pub(super) fn input_moved(&self, allocation: AllocationRef) -> Span {
        let target = &self.allocations[allocation];
        match self.transfers(allocation) {
            Some(transfers) => moved(transfers.input, target.input, self.now),
            None => target.started().map_or(Span::ZERO, |started| self.now - started),
        }
    }

    /// The same of output of tasks that have computed at `computed`.
    pub(super) fn output_moved(&self, allocation: AllocationRef, computed: Time) -> Span {
        let output = self.allocations[allocation].output;
        match self.transfers(allocation) {
            Some(transfers) => moved(begun(transfers.output, computed), output, self.now),
            None => self.now - computed,
        }
    }

    /// Forgets how far the data of an allocation has come.
    #[inline]
    pub(super) fn forget_transfers(&mut self, allocation: AllocationRef) {
        if let Some(transfers) = self.transfers.get_mut(allocation.slot()) {
            *transfers = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: i64) -> Time {
        Time::from_secs(secs)
    }

    const TEN: Span = Span::from_secs(10);

    #[test]
    fn data_that_moves_goes_on_at_the_speed_of_the_network() {
        // 10 s of input from 100 s on: 4 s at full speed, 8 s at a quarter, and 4 s at full speed.
        let mut one = Transfers::new(WHOLE, at(100));
        one.change(250_000, at(104), TEN, None);
        assert_eq!(end(one.input, TEN), at(104 + 24));
        assert_eq!(moved(one.input, TEN, at(108)), Span::from_secs(5));
        one.change(WHOLE, at(112), TEN, None);
        assert_eq!(end(one.input, TEN), at(116));
        // What has been read stays read.
        one.change(500_000, at(120), TEN, None);
        assert_eq!(end(one.input, TEN), at(116));
        // 10 s of output: 6 s at half the speed, and 7 s at the whole.
        one.change(WHOLE, at(136), TEN, Some(at(130)));
        assert_eq!(end(begun(one.output, at(130)), TEN), at(143));
        assert_eq!(moved(begun(one.output, at(130)), TEN, at(137)), Span::from_secs(4));
        // Who computes still has written nothing.
        let mut early = Transfers::new(500_000, at(0));
        early.change(WHOLE, at(50), TEN, None);
        assert_eq!(end(begun(early.output, at(60)), TEN), at(70));
    }

    #[test]
    fn a_time_is_stretched_and_rounded_up() {
        assert_eq!(stretched(TEN, WHOLE, 250_000), Span::from_secs(40));
        assert_eq!(stretched(TEN, 250_000, 500_000), Span::from_secs(5));
        assert_eq!(stretched(Span::from_micros(10), WHOLE, 300_000), Span::from_micros(34));
    }
}
