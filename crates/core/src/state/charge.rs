//! Charges: what an allocation that has ended, the data that it moved and an instance that goes
//! are charged, and to whom.

use super::{AllocationRef, Charge, ChargeKind, Ending, InstanceRef, State};
use crate::metering::Bill;
use crate::units::{Money, Span, Time};

impl State<'_> {
    /// Closes an allocation that has ended: its charges are made. Returns whether a rented
    /// instance of it is idle.
    #[inline(always)]
    pub(crate) fn close(&mut self, allocation: AllocationRef, charges: &mut Vec<Charge>) -> bool {
        let target = &self.allocations[allocation];
        let is_done = target.ending.is_some_and(Ending::is_done);
        if !is_done && let Some(started) = target.started() {
            self.pause(allocation, started);
        }
        let target = &self.allocations[allocation];
        let live = &mut self.works[target.work()];
        live.preemptions += u32::from(target.ending == Some(Ending::Preempted));
        let mut idle = false;
        for held in &target.held {
            let instance = &mut self.fleet.instances[held.share.instance];
            idle |= instance.is_idle();
            let Some(started) = target.started() else {
                instance.awaited_by.retain(|&other| other != allocation);
                continue;
            };
            let amount = instance.meter.give(self.now, held.usage);
            live.cost += amount;
            if let Some(spending) = &mut self.spending {
                let meter = (held.share.instance, &instance.meter);
                spending.gave(meter, live.ask.tenant, (held.usage, amount), self.now);
            }
            charges.push(Charge {
                kind: ChargeKind::Work,
                amount,
                instance: held.share.instance,
                region: instance.region,
                to: instance.region,
                work: Some(target.work),
                from: started,
                until: self.now,
                bytes: 0,
                share: Some(held.usage),
            });
        }
        live.drop_allocation(allocation);
        idle
    }

    /// Charges for the data that an allocation that has ended moved between the home of its work
    /// and where it ran: in as far as there was time since the start, and out all of it where the
    /// tasks are done, or as far as there was time since `computed`, when they had done all of
    /// their work (`None` if they never do). The bytes are the work's: each of its tasks moves an
    /// equal part, and the parts add up to all, in bytes and in money.
    pub(crate) fn charge_transfers(
        &mut self,
        allocation: AllocationRef,
        computed: Option<Time>,
        charges: &mut Vec<Charge>,
    ) {
        let target = &self.allocations[allocation];
        let work = target.work();
        let ask = &self.works[work].ask;
        let Some(home) = ask.home.and_then(|home| self.home_region(home)) else { return };
        let Some(started) = target.started() else { return };
        let instance = target.held[0].share.instance;
        let region = self.fleet.instances[instance].region;
        let is_done = target.ending.is_some_and(Ending::is_done);
        // Who came from other instances, or a stopped one, has its input there.
        let reads = (!self.has_input(allocation)).then_some(started);
        let ways = [
            (home, region, ask.input, reads, target.input),
            (region, home, ask.output, computed, target.output),
        ];
        for (from, to, bytes, since, span) in ways {
            let Some(since) = since.filter(|&since| since <= self.now && home != region) else {
                continue;
            };
            let (elapsed, until) = match from == home {
                true => (self.input_moved(allocation), self.input_read(allocation)),
                false => {
                    (self.output_moved(allocation, since), self.output_written(allocation, since))
                }
            };
            let live = &mut self.works[work];
            let (before, after) = if is_done {
                (
                    live.ask.part_of(bytes, live.done - target.tasks),
                    live.ask.part_of(bytes, live.done),
                )
            } else {
                let part = live.ask.part_of(bytes, target.tasks);
                (0, moved(part, elapsed, span))
            };
            let bytes = after - before;
            if bytes == 0 {
                continue;
            }
            let price = self.world.link(from, to).nanos_per_gib;
            let amount = Money::for_bytes(after, price) - Money::for_bytes(before, price);
            live.cost += amount;
            if let Some(spending) = &mut self.spending {
                let (provider, tenant) = (self.world.regions[from].provider, live.ask.tenant);
                spending.moved(provider, tenant, amount);
            }
            charges.push(Charge {
                kind: ChargeKind::Transfer,
                amount,
                instance,
                region: from,
                to,
                work: Some(work),
                from: since,
                until: until.min(self.now),
                bytes,
                share: None,
            });
        }
    }

    /// Charges for memory that was copied from the instances of one allocation to those of another.
    pub(crate) fn charge_migration(
        &mut self,
        (from, to): (AllocationRef, AllocationRef),
        bytes: i64,
        charges: &mut Vec<Charge>,
    ) {
        let instance = |one: AllocationRef| self.allocations[one].held[0].share.instance;
        let region = |one| self.fleet.instances[instance(one)].region;
        let (source, place) = (region(from), region(to));
        if bytes == 0 || source == place {
            return;
        }
        let amount = Money::for_bytes(bytes, self.world.link(source, place).nanos_per_gib);
        let work = self.allocations[from].work();
        let instance = instance(to);
        let live = &mut self.works[work];
        live.cost += amount;
        if let Some(spending) = &mut self.spending {
            spending.moved(self.world.regions[source].provider, live.ask.tenant, amount);
        }
        charges.push(Charge {
            kind: ChargeKind::Transfer,
            amount,
            instance,
            region: source,
            to: place,
            work: Some(work),
            from: self.now,
            until: self.now,
            bytes,
            share: None,
        });
    }

    /// Bills an instance that holds no work, as if released now.
    pub(crate) fn bill(&mut self, reference: InstanceRef, charges: &mut Vec<Charge>) -> Bill {
        let now = self.now;
        let instance = &mut self.fleet.instances[reference];
        let provider = self.world.provider_of(instance.offer);
        let mut bill = instance.meter.bill(now, self.world.providers[provider].billing);
        if let Some(spending) = &mut self.spending {
            spending.billed(provider, bill.amount, &instance.meter, now);
        }
        if instance.waived {
            bill.billed = Span::ZERO;
        }
        let (from, region) = (instance.meter.since(), instance.region);
        for (kind, amount) in [(ChargeKind::Boot, bill.boot), (ChargeKind::Idle, bill.idle)] {
            if amount != Money::ZERO {
                charges.push(Charge {
                    kind,
                    amount,
                    instance: reference,
                    region,
                    to: region,
                    work: None,
                    from,
                    until: now,
                    bytes: 0,
                    share: None,
                });
            }
        }
        bill
    }
}

/// Part of `bytes`, which take `span`, that has moved after `elapsed`, rounded down.
pub(super) fn moved(bytes: i64, elapsed: Span, span: Span) -> i64 {
    if elapsed >= span {
        return bytes;
    }
    let part = i128::from(bytes) * i128::from(elapsed.micros()) / i128::from(span.micros());
    i64::try_from(part).expect("a part is no more than the whole")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_moves_at_an_even_rate() {
        let secs = Span::from_secs;
        assert_eq!(moved(1_000, secs(0), secs(10)), 0);
        assert_eq!(moved(1_000, Span::from_micros(2_999_999), secs(10)), 299);
        assert_eq!(moved(1_000, secs(10), secs(10)), 1_000);
        assert_eq!(moved(1_000, secs(0), secs(0)), 1_000);
    }
}
