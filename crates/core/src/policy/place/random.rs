//! Random placement: any instance that fits, each with the same probability.

use super::{Place, PlacePart, fit};
use crate::part::Part;
use crate::policy::turn::Turn;
use crate::state::{InstanceRef, Needs, OfferSet, Share, WorkRef};
use crate::units::Stream;

/// Any that fits, with equal probability.
pub static RANDOM: PlacePart = Part {
    name: "random",
    doc: "Any that fits, with equal probability.",
    parameters: &[],
    make: |_| Box::new(Random::default()),
};

/// Draws before the instances that fit are listed.
const DRAWS: u32 = 16;

/// Any instance that fits with equal probability, asked anew for every task; a
/// part of a GPU comes from any of its devices that fits.
///
/// Every task has a stream of its own, so that what is drawn for it does not
/// depend on how often others were tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Random {
    /// Drawn from the policy's stream at the first use.
    seed: Option<u64>,
}

impl Random {
    /// The stream of the next task of `work`.
    fn stream(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) -> Stream {
        let seed = *self.seed.get_or_insert_with(|| turn.stream().next_u64());
        let live = turn.work(work);
        let (id, waiting) = (live.id, u64::from(live.waiting));
        let task = [u64::from(id.source), id.ordinal, waiting, u64::from(live.preemptions)];
        Stream::keyed(seed, "random placement", &task)
    }
}

impl Place for Random {
    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn pick(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef, reach: &OfferSet) -> Option<Share> {
        if !turn.is_indexed(self.needs().index) {
            return None;
        }
        let mut stream = self.stream(turn, work);
        let instance = draw(turn, work, reach, &mut stream)?;
        let share = fit::share_on(turn, work, instance, false)?;
        let demand = turn.work(work).ask.demand;
        if demand.exclusive || demand.gpus != 1 || demand.whole_gpus() {
            return Some(share);
        }
        let devices = turn.instance(instance).devices().iter().enumerate();
        let fitting = devices.filter(|&(_, &free)| free >= demand.gpu_share).map(|(at, _)| at);
        let fitting: Vec<usize> = fitting.collect();
        let at = stream.below(fitting.len() as u64);
        Some(Share { devices: 1 << fitting[at as usize], ..share })
    }
}

/// One of the instances that fit. Draws among all launches so far, and a draw
/// that does not fit is drawn again; where few fit, they are listed instead.
fn draw(
    turn: &Turn<'_, '_>,
    work: WorkRef,
    reach: &OfferSet,
    stream: &mut Stream,
) -> Option<InstanceRef> {
    let (oldest, _) = turn.first_fit_in(work, 0, reach)?;
    let oldest = u64::from(turn.instance(oldest).ordinal);
    let launched = u64::from(turn.launched());
    for _ in 0..DRAWS {
        let drawn = oldest + stream.below(launched - oldest);
        if let Some((instance, order)) = turn.first_fit_in(work, drawn, reach)
            && order == drawn
        {
            return Some(instance);
        }
    }
    let mut fitting = Vec::new();
    let mut from = 0;
    while let Some((instance, order)) = turn.first_fit_in(work, from, reach) {
        fitting.push(instance);
        from = order + 1;
    }
    let at = stream.below(fitting.len() as u64);
    Some(fitting[at as usize])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Ask;
    use crate::state::testing::{demand, fill, owned, shape, start, submit};
    use crate::units::Demand;

    /// Counts of choices by instance and device over 8,000 draws.
    fn counts(live: u32, used: &[(u32, Demand)], ask: Demand) -> Vec<[u32; 2]> {
        let world = owned(&vec![shape(4_000, 0, 2); live as usize]);
        let mut part = Random::default();
        let mut state = start(&world, part.needs());
        for &(ordinal, demand) in used {
            fill(&mut state, ordinal, demand);
        }
        let mut stream = Stream::new(5, "policy");
        let mut counts = vec![[0; 2]; live as usize];
        for row in 0..8_000 {
            let work = submit(&mut state, row, Ask { demand: ask, ..Ask::default() });
            let mut turn = Turn::new(&mut state, &mut stream);
            let share = part.pick(&mut turn, work, &OfferSet::ALL).expect("some fit");
            assert_eq!(
                part.pick(&mut turn, work, &OfferSet::ALL),
                Some(share),
                "a task has its own stream"
            );
            let ordinal = turn.instance(share.instance).ordinal as usize;
            counts[ordinal][share.devices.trailing_zeros() as usize % 2] += 1;
        }
        counts
    }

    #[test]
    fn all_that_fit_are_equally_likely() {
        // Four of five fit: 2,000 each, standard deviation 38.7; five of those.
        let full = demand(4_000, 0, 0, 0);
        let got = counts(5, &[(2, full)], demand(1_000, 0, 0, 0));
        for (ordinal, [count, _]) in got.into_iter().enumerate() {
            let want = if ordinal == 2 { 0..1 } else { 1_807..2_194 };
            assert!(want.contains(&count), "{ordinal}: {count}");
        }
    }

    #[test]
    fn few_that_fit_are_found() {
        // 2 of 300 fit; 16 draws find none of them nine times in ten.
        let full = demand(4_000, 0, 0, 0);
        let used: Vec<_> =
            (0..300).filter(|&at| at != 7 && at != 250).map(|at| (at, full)).collect();
        let got = counts(300, &used, demand(1_000, 0, 0, 0));
        assert_eq!(got[7][0] + got[250][0], 8_000);
        assert!((3_776..4_224).contains(&got[7][0]), "{:?}", got[7]);
    }

    #[test]
    fn any_device_that_fits_is_as_likely() {
        let got = counts(1, &[(0, demand(0, 0, 1, 400))], demand(0, 0, 1, 500));
        assert!((3_776..4_224).contains(&got[0][0]), "{:?}", got[0]);
        let got = counts(1, &[(0, demand(0, 0, 1, 400))], demand(0, 0, 1, 700));
        assert_eq!(got[0], [0, 8_000]);
    }
}
