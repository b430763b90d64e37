//! One number for all that happened: a hash over the records of work,
//! instances and usage under stable names, so that two runs can be compared
//! at a glance. Numbers of offers, slots of the simulator and unused providers
//! do not enter it.

use crate::sim::Observer;
use crate::state::{Record, State};
use crate::units::stream::fnv1a;

/// Rolling 128-bit hash of the canonical records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    low: u64,
    high: u64,
    /// By offer: a hash of its name.
    names: Vec<u64>,
    records: u64,
}

impl Default for Fingerprint {
    fn default() -> Self {
        let (low, high) = (0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344);
        Self { low, high, names: Vec::new(), records: 0 }
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

    /// Two multiply-rotate lanes with odd constants from the golden ratio and pi.
    fn mix(&mut self, word: u64) {
        self.low = (self.low.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.high = (self.high.rotate_left(23) ^ word).wrapping_mul(0xc2b2_ae3d_27d4_eb4f)
            ^ (self.low >> 32);
    }
}

impl Observer for Fingerprint {
    fn begins(&mut self, state: &State<'_>) {
        self.names =
            state.world().offers.rows().iter().map(|offer| fnv1a(offer.name.as_bytes())).collect();
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        let (tag, work, instance, amount) = match *record {
            Record::Submitted(work) => (1, Some(work), None, 0),
            Record::Started(allocation) => {
                let allocation = state.allocation(allocation);
                let first = allocation.held[0].share.instance;
                (2, Some(allocation.work()), Some(first), i128::from(allocation.tasks))
            }
            Record::Stopped { allocation, useful, lost, .. } => {
                let allocation = state.allocation(allocation);
                (3, Some(allocation.work()), None, useful - lost)
            }
            Record::Finished(work) => (4, Some(work), None, 0),
            Record::Refused { work, reason } => (5, Some(work), None, reason as i128),
            Record::Unfinished(work) => (6, Some(work), None, 0),
            Record::Requested(instance) => (7, None, Some(instance), 0),
            Record::Ready(instance) => (8, None, Some(instance), 0),
            Record::Released { instance, amount, .. } => (9, None, Some(instance), amount.nanos()),
            Record::Charged(charge) => {
                (10 + charge.kind as u64, charge.work, Some(charge.instance), charge.amount.nanos())
            }
            Record::Placed(_) | Record::LaunchRefused { .. } | Record::Noted(..) => return,
        };
        self.records += 1;
        self.mix(tag);
        self.mix(state.now().micros() as u64);
        if let Some(work) = work {
            let id = state.work(work).id;
            self.mix(id.ordinal ^ u64::from(id.source) << 48);
        }
        if let Some(instance) = instance {
            let instance = state.instance(instance);
            self.mix(self.names[instance.offer.row()]);
            self.mix(u64::from(instance.slot) << 32 | u64::from(instance.launch));
        }
        self.mix(amount as u64);
    }
}
