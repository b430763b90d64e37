//! Event hash, one number for all that happened: over the records of work, instances and usage
//! under stable names, so that two runs can be compared at a glance. Numbers of offers, slots of
//! the simulator and unused providers do not enter it.

use super::fact::{Fact, FactObserver};
use super::hash_trace::HashTrace;
use crate::sim::Observer;
use crate::state::{Ending, Instance, LaunchRefusal, LiveWork, Record, State};
use crate::units::stream::fnv1a;

/// Rolling 128-bit hash of the canonical records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    low: u64,
    high: u64,
    /// Hash of the name of each offer.
    names: Vec<u64>,
    records: u64,
    hash_trace: HashTrace,
}

impl Default for Fingerprint {
    fn default() -> Self {
        let (low, high) = (0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344);
        Self { low, high, names: Vec::new(), records: 0, hash_trace: HashTrace::default() }
    }
}

impl Fingerprint {
    /// The hash so far, as 32 hexadecimal digits.
    pub fn hex(&self) -> String {
        format!("{:016x}{:016x}", self.high, self.low)
    }

    /// Records hashed so far.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Hash trace of the run: over all of the canonical records, and also placements and refused
    /// launches, which are decisions but no records of work.
    pub fn hash_trace(&self) -> &HashTrace {
        &self.hash_trace
    }

    /// A name for the instance that does not depend on what else there is.
    #[inline(always)]
    fn place(&self, instance: &Instance) -> u64 {
        let place = u64::from(instance.slot) << 32 | u64::from(instance.launch);
        self.names[instance.offer.row()].wrapping_add(place)
    }

    /// Takes four words in: each half of the hash is multiplied with two of
    /// them, and then each half moves the other.
    #[inline(always)]
    fn mix(&mut self, words: [u64; 4]) {
        let low = fold(self.low ^ words[0], words[1] ^ 0x9e37_79b9_7f4a_7c15);
        let high = fold(self.high ^ words[2], words[3] ^ 0xc2b2_ae3d_27d4_eb4f);
        self.low = low.wrapping_add(high);
        self.high = high ^ self.low.rotate_left(29);
    }
}

/// Tag of the record of an ending. Those that share one differ in what comes with it: what
/// the work does next, and whether an instance goes.
const fn tag_of(ending: Ending) -> u64 {
    match ending {
        Ending::Done | Ending::Preempted | Ending::RunOver => 3,
        Ending::Interrupted | Ending::Failed => 14,
        Ending::Migrated | Ending::Hibernated | Ending::Cancelled => 15,
    }
}

/// Both halves of a product in one word, as in wyhash (Wang Yi, 2019).
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    product as u64 ^ (product >> 64) as u64
}

impl Observer for Fingerprint {
    fn begins(&mut self, state: &State<'_>) {
        self.names =
            state.world().offers.rows().iter().map(|offer| fnv1a(offer.name.as_bytes())).collect();
    }

    #[inline(always)]
    fn record(&mut self, state: &State<'_>, record: &Record) {
        self.see(state, Fact::of(state, record));
    }
}

impl FactObserver for Fingerprint {
    // Inlined, so that each place that makes a record runs only what concerns it.
    #[inline(always)]
    fn see(&mut self, state: &State<'_>, fact: Fact<'_>) {
        let (tag, work, instance, amount) = match fact {
            Fact::Submitted(_, live) => (1, Some(live), None, 0),
            Fact::Started(_, started, live) => {
                let first = state.instance(started.held[0].share.instance);
                (2, Some(live), Some(first), i128::from(started.tasks))
            }
            Fact::Stopped { live, ending, useful, lost, overhead, .. } => {
                (tag_of(ending), Some(live), None, useful - lost - 2 * overhead)
            }
            Fact::Finished(_, live) => (4, Some(live), None, 0),
            Fact::Refused(live, reason) => (5, Some(live), None, reason as i128),
            Fact::Unfinished(live) => (6, Some(live), None, 0),
            Fact::Requested(_, instance) => (7, None, Some(instance), 0),
            Fact::Ready(_, instance) => (8, None, Some(instance), 0),
            Fact::Draining(instance, until) => {
                (0, None, Some(instance), i128::from(until.micros()))
            }
            // Negative, and far from what failures and outages say.
            Fact::AtRisk(instance, until) => {
                (0, None, Some(instance), i128::from(i64::MIN) + i128::from(until.micros()))
            }
            // Negative, unlike the time until which another is there.
            Fact::Failed(instance, _) => (0, None, Some(state.instance(instance)), -1),
            Fact::Repaired(_, instance) => (0, None, Some(instance), -2),
            Fact::Outage(fault, begins) => (0, None, None, 2 * fault as i128 + i128::from(begins)),
            // Below what outages say of a world, which has fewer faults.
            Fact::Slowed { slowed, fault, begins, .. } => {
                let what = 2 * fault as i128 + i128::from(begins);
                (0, None, Some(slowed), -3 - what)
            }
            // Far below and above all others.
            Fact::Devices { struck, fault, devices, breaks, .. } => {
                let what = (fault as i128) << 33 | i128::from(devices) << 1 | i128::from(breaks);
                (0, None, Some(struck), -(1 << 62) - what)
            }
            // Above all times, and of work, which no other with this tag is.
            Fact::Restarted(instance, was) => {
                (0, None, Some(instance), i128::from(i64::MAX) - i128::from(was))
            }
            Fact::GivenUp { live, tasks, useful, lost, .. } => {
                (0, Some(live), None, (useful - lost) * i128::from(tasks))
            }
            Fact::Released { released, amount, .. } => (9, None, Some(released), amount.nanos()),
            Fact::Charged(charge, work, instance) => {
                (10 + charge.kind as u64, work, Some(instance), charge.amount.nanos())
            }
            Fact::Placed(placed) => {
                let ordinal = state.work(placed.work()).id.ordinal;
                let word = placed.held.iter().fold(ordinal, |word, held| {
                    let count = u64::from(held.share.tasks) << 32 | u64::from(held.share.devices);
                    let place = self.place(state.instance(held.share.instance));
                    word.rotate_left(11) ^ place ^ count
                });
                self.hash_trace.step(word);
                return;
            }
            Fact::LaunchRefused(offer, why) => {
                let why = match why {
                    LaunchRefusal::Quota(_) => 0,
                    LaunchRefusal::Capacity => 1,
                    LaunchRefusal::Outage => 2,
                    LaunchRefusal::Price => 3,
                    LaunchRefusal::Throttle => 4,
                    LaunchRefusal::Budget(_) => 5,
                };
                self.hash_trace.step(self.names[offer.row()] ^ why);
                return;
            }
            Fact::Migrates(_, live, begins) => {
                self.hash_trace.step(live.id.ordinal << 1 | u64::from(begins));
                return;
            }
            Fact::Noted => return,
        };
        self.records += 1;
        let work = work
            .map_or(u64::MAX, |live: &LiveWork| live.id.ordinal ^ u64::from(live.id.source) << 48);
        let instance = instance.map_or(u64::MAX, |instance| self.place(instance));
        self.mix([(state.now().micros() as u64) << 4 | tag, work, instance, amount as u64]);
        self.hash_trace.step(self.low);
    }
}
