//! Next fit: goes on where the last placement was.

use super::{Place, PlacePart, fit};
use crate::part::Part;
use crate::policy::turn::Turn;
use crate::state::{Needs, OfferSet, Share, WorkRef};

/// The next that fits after the last one used.
pub static NEXT_FIT: PlacePart = Part {
    name: "next-fit",
    doc: "The next that fits after the last one used.",
    parameters: &[],
    make: |_| Box::new(NextFit::default()),
};

/// The next instance by age that fits, after the last one used, from the
/// oldest again when there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NextFit {
    /// Place in the index just after the last one used.
    from: u64,
}

impl Place for NextFit {
    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn pick(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef, reach: &OfferSet) -> Option<Share> {
        if !turn.is_indexed(self.needs().index) {
            return None;
        }
        let found = turn.first_fit_in(work, self.from, reach);
        let (instance, order) = found.or_else(|| turn.first_fit_in(work, 0, reach))?;
        self.from = order + 1;
        fit::share_on(turn, work, instance, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Ask;
    use crate::policy::place::place_all;
    use crate::state::testing::{demand, fill, owned, shape, start, submit};
    use crate::units::Stream;

    #[test]
    fn goes_round() {
        let world = owned(&[shape(4_000, 0, 0); 4]);
        let mut part = NextFit::default();
        let mut state = start(&world, part.needs());
        fill(&mut state, 1, demand(4_000, 0, 0, 0));
        let mut stream = Stream::new(1, "policy");
        // Instance 1 is full. 1 core, then 3 to 4 cores where they fit.
        for (row, (cpu, want)) in
            [(1_000, 0), (1_000, 2), (1_000, 3), (4_000, 4), (3_000, 0)].into_iter().enumerate()
        {
            let work = submit(
                &mut state,
                row as u64,
                Ask { demand: demand(cpu, 0, 0, 0), ..Ask::default() },
            );
            let placed = place_all(&mut part, &mut Turn::new(&mut state, &mut stream), work);
            assert_eq!(placed, want < 4, "row {row}");
            if let Some(&allocation) = state.work(work).allocations.first() {
                let on = state.allocation(allocation).held[0].share.instance;
                assert_eq!(state.instance(on).ordinal, want, "row {row}");
            }
        }
    }
}
