//! Parts of a difference in cost, which sum to it exactly.

use std::collections::BTreeMap;

use crate::experiment::measurement::Measurement;

/// One part of the difference in cost between two policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaterfallStep {
    /// Provider or cluster.
    pub provider: String,
    /// Work, boot, idle or transfer.
    pub kind: String,
    /// Nano-dollars more than the baseline, summed over all replications.
    pub nanos: i128,
}

/// The parts of the difference between two policies, summed over the
/// replications, in the order in which providers first appear. Parts that are
/// zero are left out; the others sum to the difference of all costs.
pub(super) fn waterfall(base: &[Measurement], other: &[Measurement]) -> Vec<WaterfallStep> {
    let mut order: Vec<(&str, &str)> = Vec::new();
    let mut sums: BTreeMap<(&str, &str), i128> = BTreeMap::new();
    let both = base.iter().zip(other).flat_map(|(a, b)| [(a, -1), (b, 1)]);
    for (part, sign) in both.flat_map(|(one, sign)| one.parts.iter().map(move |p| (p, sign))) {
        let key = (part.provider.as_str(), part.kind.as_str());
        let sum = sums.entry(key).or_insert_with(|| {
            order.push(key);
            0
        });
        *sum += sign * part.nanos;
    }
    let providers: Vec<&str> = order.iter().map(|key| key.0).collect();
    order.sort_by_key(|key| providers.iter().position(|provider| *provider == key.0));
    let step = |key: (&str, &str)| WaterfallStep {
        provider: key.0.to_owned(),
        kind: key.1.to_owned(),
        nanos: sums[&key],
    };
    order.into_iter().map(step).filter(|step| step.nanos != 0).collect()
}
