//! Charges cut at clock hours or days, for whoever watches behind.

use crate::metering::{ChargePeriod, MeterReading, ShareUsage};
use crate::policy::Trigger;
use crate::sim::Observer;
use crate::state::{Charge, ChargeKind, InstanceRef, Record, StartPromise, State, WorkRef};
use crate::units::{Calendar, Money, Span, Time};

/// Passes a run on to another observer with each charge cut at the ends of the charge periods
/// that it covers. The pieces of a charge sum to it exactly, and each lies in one period.
///
/// The run itself is the same: meters are read, never changed. A period is cut when the clock
/// leaves its end, in time that grows with what is alive then; no more is remembered than one
/// reading per live instance. Events at the very end of a period still belong to it, and
/// so does what the provider's minimum adds to an instance that is given back in it. Transfers
/// are known when they are over, and cut in proportion to time.
#[derive(Debug)]
pub struct ChargePeriods<O> {
    period: ChargePeriod,
    calendar: Calendar,
    inner: O,
    /// Start of the current period, or of the run.
    since: Time,
    /// End of the current period.
    until: Time,
    /// Parts of each live instance that are charged already, by its slot.
    settled: Vec<SettledInstance>,
    /// Live instances by ordinal, and started shares by instance and work; kept for their memory.
    instances: Vec<(u32, InstanceRef)>,
    shares: Vec<StartedShare>,
}

/// Amounts of one instance that are charged until the end of the last period.
#[derive(Clone, Copy, Debug, Default)]
struct SettledInstance {
    ready: Option<Time>,
    reading: MeterReading,
    boot: Money,
    idle: Money,
}

/// A share of an instance that started tasks hold.
#[derive(Clone, Copy, Debug)]
struct StartedShare {
    /// Ordinal of the instance.
    on: u32,
    work: WorkRef,
    started: Time,
    usage: ShareUsage,
}

impl<O: Observer> ChargePeriods<O> {
    /// Cuts at the ends of every `period`.
    pub fn new(period: ChargePeriod, inner: O) -> Self {
        Self {
            period,
            calendar: Calendar::from_unix_micros(0),
            inner,
            since: Time::ZERO,
            until: Time::ZERO,
            settled: Vec::new(),
            instances: Vec::new(),
            shares: Vec::new(),
        }
    }

    /// The observer that the run is passed on to.
    pub fn into_inner(self) -> O {
        self.inner
    }

    fn settled(&mut self, instance: InstanceRef) -> &mut SettledInstance {
        let slot = instance.slot();
        if self.settled.len() <= slot {
            self.settled.resize(slot + 1, SettledInstance::default());
        }
        &mut self.settled[slot]
    }

    /// Charges everything that is alive until the end of the period, and begins the next.
    fn cut(&mut self, state: &State<'_>) {
        let mut instances = std::mem::take(&mut self.instances);
        instances.extend(state.instances().map(|(one, instance)| (instance.ordinal, one)));
        instances.sort_unstable_by_key(|&(ordinal, _)| ordinal);
        let mut shares = std::mem::take(&mut self.shares);
        shares.extend(started_shares(state));
        // Stable: allocations of one piece of work stay in order.
        shares.sort_by_key(|share| (share.on, state.work(share.work).tie()));
        let mut rest = shares.as_slice();
        for &(ordinal, instance) in &instances {
            let count = rest.partition_point(|share| share.on <= ordinal);
            let (own, others) = rest.split_at(count);
            rest = others;
            self.cut_instance(state, instance, own);
        }
        instances.clear();
        shares.clear();
        (self.instances, self.shares) = (instances, shares);
        self.since = self.until;
        self.until = self.period.end(self.calendar, self.since);
    }

    fn cut_instance(&mut self, state: &State<'_>, reference: InstanceRef, shares: &[StartedShare]) {
        let (since, until) = (self.since, self.until);
        let instance = state.instance(reference);
        let reading = instance.meter().read(until);
        let before = *self.settled(reference);
        let in_use = shares.iter().map(|share| reading.share_rounded_up(share.usage)).sum();
        let (boot, idle) = (reading.boot(), reading.idle(in_use).max(before.idle));
        *self.settled(reference) = SettledInstance { reading, boot, idle, ..before };
        let whole = |kind, amount| Charge {
            kind,
            amount,
            instance: reference,
            region: instance.region,
            to: instance.region,
            work: None,
            from: since.max(instance.meter().since()),
            until,
            bytes: 0,
            share: None,
        };
        self.boot_or_idle(state, whole(ChargeKind::Boot, boot - before.boot), before.ready);
        for share in shares.iter().filter(|share| share.started < until) {
            let amount = reading.share(share.usage) - before.reading.share(share.usage);
            let piece = Charge {
                work: Some(share.work),
                from: since.max(share.started),
                share: Some(share.usage),
                ..whole(ChargeKind::Work, amount)
            };
            self.inner.record(state, &Record::Charged(piece));
        }
        self.boot_or_idle(state, whole(ChargeKind::Idle, idle - before.idle), before.ready);
    }

    /// Charges a piece of boot or idle time, if it costs anything: the boot ended, and idle time
    /// began, when the instance was ready.
    fn boot_or_idle(&mut self, state: &State<'_>, mut piece: Charge, ready: Option<Time>) {
        if piece.amount == Money::ZERO {
            return;
        }
        if let Some(ready) = ready {
            let ready = ready.clamp(piece.from, piece.until);
            match piece.kind {
                ChargeKind::Boot => piece.until = ready,
                ChargeKind::Idle => piece.from = ready,
                ChargeKind::Work | ChargeKind::Transfer => {}
            }
        }
        self.inner.record(state, &Record::Charged(piece));
    }

    /// A charge is known in all: charges what is left of it.
    fn charged(&mut self, state: &State<'_>, charge: &Charge) {
        let settled = *self.settled(charge.instance);
        let from = charge.from.max(self.since).min(charge.until);
        let left = |before: Money| Charge { amount: charge.amount - before, from, ..*charge };
        match charge.kind {
            ChargeKind::Transfer => self.cut_transfer(state, charge),
            ChargeKind::Work => {
                let before = charge.share.map_or(Money::ZERO, |share| settled.reading.share(share));
                self.inner.record(state, &Record::Charged(left(before)));
            }
            ChargeKind::Boot => self.boot_or_idle(state, left(settled.boot), settled.ready),
            ChargeKind::Idle => self.boot_or_idle(state, left(settled.idle), settled.ready),
        }
    }

    /// Cuts a transfer that is over, at an even rate.
    fn cut_transfer(&mut self, state: &State<'_>, charge: &Charge) {
        let span = charge.until - charge.from;
        let (mut from, mut before) = (charge.from, (Money::ZERO, 0));
        loop {
            let until = self.period.end(self.calendar, from).min(charge.until);
            let part = |whole| part_of(whole, until - charge.from, span);
            let bytes = i64::try_from(part(i128::from(charge.bytes))).unwrap_or(charge.bytes);
            let after = (Money::from_nanos(part(charge.amount.nanos())), bytes);
            let (amount, bytes) = (after.0 - before.0, after.1 - before.1);
            let piece = Charge { amount, bytes, from, until, ..*charge };
            self.inner.record(state, &Record::Charged(piece));
            if until == charge.until {
                return;
            }
            (from, before) = (until, after);
        }
    }
}

/// Part of `whole` after `elapsed` of `span`, rounded down.
fn part_of(whole: i128, elapsed: Span, span: Span) -> i128 {
    if elapsed >= span {
        return whole;
    }
    whole * i128::from(elapsed.micros()) / i128::from(span.micros())
}

/// Shares of instances that started tasks hold.
fn started_shares(state: &State<'_>) -> impl Iterator<Item = StartedShare> {
    let allocations = state.works().flat_map(move |(work, live)| {
        live.allocations.iter().map(move |&allocation| (work, state.allocation(allocation)))
    });
    let started = allocations
        .filter_map(|(work, allocation)| Some((work, allocation, allocation.started()?)));
    started.flat_map(move |(work, allocation, started)| {
        allocation.held.iter().map(move |held| StartedShare {
            on: state.instance(held.share.instance).ordinal,
            work,
            started,
            usage: held.usage(),
        })
    })
}

impl<O: Observer> Observer for ChargePeriods<O> {
    fn begins(&mut self, state: &State<'_>) {
        self.calendar = state.world().calendar;
        self.since = state.now();
        self.until = self.period.end(self.calendar, self.since);
        self.inner.begins(state);
    }

    fn elapse(&mut self, state: &State<'_>, from: Time, to: Time) {
        while self.until < to {
            self.cut(state);
        }
        self.inner.elapse(state, from, to);
    }

    fn asks(&mut self, state: &State<'_>, triggers: &[Trigger]) {
        self.inner.asks(state, triggers);
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        match record {
            Record::Requested(instance) => *self.settled(*instance) = SettledInstance::default(),
            Record::Ready(instance) => self.settled(*instance).ready = Some(state.now()),
            Record::Charged(charge) => return self.charged(state, charge),
            Record::Submitted(_)
            | Record::Placed(_)
            | Record::Started(_)
            | Record::Stopped { .. }
            | Record::Finished(_)
            | Record::Refused { .. }
            | Record::Unfinished(_)
            | Record::Draining { .. }
            | Record::Failed { .. }
            | Record::Repaired(_)
            | Record::Outage { .. }
            | Record::Slowed { .. }
            | Record::Devices { .. }
            | Record::Restarted { .. }
            | Record::GivenUp { .. }
            | Record::Migrates { .. }
            | Record::AtRisk { .. }
            | Record::Released { .. }
            | Record::LaunchRefused { .. }
            | Record::Noted(..) => {}
        }
        self.inner.record(state, record);
    }

    fn promised(&mut self, state: &State<'_>, work: WorkRef, promise: StartPromise) {
        self.inner.promised(state, work, promise);
    }

    fn planned(&mut self, state: &State<'_>) {
        self.inner.planned(state);
    }

    fn undone(&mut self, state: &State<'_>, work: WorkRef, left: Option<Span>) {
        self.inner.undone(state, work, left);
    }

    fn ends(&mut self, state: &State<'_>) {
        self.inner.ends(state);
    }
}
