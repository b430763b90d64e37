//! What starts of a gang cost, and schedules that make up for it.

use super::schedule::{GangPiece, GangSchedule, cost_of};
use super::sizes::GangSizes;
use crate::model::StepPath;
use crate::units::{Span, Time};

/// Schedules that are tried until one makes up for its own starts. Each round but the last finds starts
/// that the one before it had not.
const ROUNDS: u32 = 16;

/// Starts of a gang.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GangStarts {
    /// Number of tasks that run at the begin of the window; 0 if the gang waits.
    pub(super) running: u32,
    /// Time in which tasks that start do nothing.
    pub(super) restart: Span,
}

impl GangStarts {
    /// Starts that cost nothing, of a gang that waits.
    #[cfg(test)]
    pub(super) const FREE: Self = Self { running: 0, restart: Span::ZERO };

    /// Pieces, each with the time in which its tasks do nothing.
    fn lost<'p>(&self, pieces: &'p [GangPiece]) -> impl Iterator<Item = (&'p GangPiece, Span)> {
        let Self { mut running, restart } = *self;
        pieces.iter().map(move |piece| {
            let starts = piece.tasks > 0 && piece.tasks != running;
            running = piece.tasks;
            (piece, if starts { restart } else { Span::ZERO })
        })
    }

    /// Work that is done in pieces.
    fn made(&self, pieces: &[GangPiece], sizes: &GangSizes) -> i128 {
        let length = |piece: &GangPiece| i128::from((piece.until - piece.from).micros());
        let all = pieces.iter().map(|piece| length(piece) * sizes.rate(piece.tasks));
        all.sum::<i128>() - self.undone(pieces, sizes)
    }

    /// Work that is not done in pieces as their tasks start.
    fn undone(&self, pieces: &[GangPiece], sizes: &GangSizes) -> i128 {
        let undone =
            |(piece, lost): (&GangPiece, Span)| i128::from(lost.micros()) * sizes.rate(piece.tasks);
        self.lost(pieces).map(undone).sum()
    }

    /// The quantity that pieces cause, and as much for each start as its tasks cause in its time, where
    /// the pieces do not make up for it.
    pub(super) fn cost(&self, path: &StepPath, sizes: &GangSizes, pieces: &[GangPiece]) -> i128 {
        let cost = |(piece, lost): (&GangPiece, Span)| {
            let of_start = sizes.draw(piece.tasks) * i128::from(path.at(piece.from));
            cost_of(path, sizes, piece) + of_start * i128::from(lost.micros())
        };
        self.lost(pieces).map(cost).sum()
    }
}

impl GangSchedule {
    /// Gives `work` its tasks in the window, and returns the quantity that they cause: the better of as
    /// many tasks as are worth it in each step, and of the most or none, each with the time that its own
    /// starts cost. Where there is no time for that it is the most or none, without that time.
    pub(super) fn lay(
        &mut self,
        path: &StepPath,
        window: (Time, Time),
        sizes: &GangSizes,
        work: i128,
        starts: &GangStarts,
    ) -> i128 {
        let rigid_sizes = sizes.rigid();
        let scaled = self.make_up(path, window, sizes, work, starts);
        let rigid = self.make_up(path, window, &rigid_sizes, work, starts);
        match (scaled, rigid) {
            (Some(scaled), rigid) if rigid.is_none_or(|rigid| scaled <= rigid) => {
                self.make_up(path, window, sizes, work, starts).unwrap_or(scaled)
            }
            (_, Some(rigid)) => rigid,
            (Some(_) | None, None) => {
                self.fill(path, window, &rigid_sizes, work);
                starts.cost(path, sizes, &self.pieces)
            }
        }
    }

    /// Gives `work`, and what the starts of its tasks lose, its tasks in the window. Returns the
    /// quantity that they cause, if there is time for it.
    fn make_up(
        &mut self,
        path: &StepPath,
        window: (Time, Time),
        sizes: &GangSizes,
        work: i128,
        starts: &GangStarts,
    ) -> Option<i128> {
        let mut asked = work;
        for _ in 0..ROUNDS {
            if !self.fill(path, window, sizes, asked) {
                return None;
            }
            let needed = work + starts.undone(&self.pieces, sizes);
            self.smooth(starts);
            let short = work - starts.made(&self.pieces, sizes);
            if short <= 0 {
                return Some(self.pieces.iter().map(|piece| cost_of(path, sizes, piece)).sum());
            }
            // A microsecond more, as times are rounded.
            asked = needed.max(asked + short + sizes.full_rate());
        }
        None
    }

    /// Leaves out what is no longer than a start: more tasks for so short a time, or fewer between two that
    /// start again.
    fn smooth(&mut self, starts: &GangStarts) {
        let mut before = starts.running;
        let mut smooth: Vec<GangPiece> = Vec::with_capacity(self.pieces.len());
        for row in 0..self.pieces.len() {
            let mut piece = self.pieces[row];
            let next = self.pieces.get(row + 1).map_or(0, |next| next.tasks);
            if piece.tasks != before && piece.until - piece.from <= starts.restart {
                piece.tasks = before.min(next);
            }
            before = piece.tasks;
            match smooth.last_mut() {
                Some(last) if last.tasks == piece.tasks => last.until = piece.until,
                Some(_) | None => smooth.push(piece),
            }
        }
        self.pieces = smooth;
    }
}

#[cfg(test)]
mod tests {
    use super::super::draws::GangDraws;
    use super::*;
    use crate::model::Speedup;

    const HOUR: i64 = 3_600_000_000;

    fn hours(hours: i64) -> Time {
        Time::from_micros(HOUR * hours)
    }

    /// Two tasks do 5/3 of one, four 5/2. The rest is 1.5 hours of one task, and a start takes two minutes. In
    /// an hour at 2 and one at 7, *x* hours of two and the rest of one make up for their starts where
    /// 5/3 (x - 1/30) + 1 - x - 1/30 is 1.5: *x* is .8833.
    #[test]
    fn schedules_make_up_for_their_starts() {
        let speedup = Speedup::amdahl(800_000);
        let sizes = GangSizes::new((1, 4), speedup, 1_000_000, GangDraws::even(4));
        let path = StepPath::known(2, [(hours(1), 7)]);
        let restart = Span::from_secs(120);
        let starts = GangStarts { running: 0, restart };
        let work = i128::from(3 * HOUR / 2) * sizes.rate(1);
        let mut schedule = GangSchedule::default();
        let cost = schedule.lay(&path, (hours(0), hours(2)), &sizes, work, &starts);
        let pieces: Vec<_> = schedule.pieces.iter().map(|one| (one.until, one.tasks)).collect();
        let secs = |piece: &(Time, u32)| ((piece.0.micros() + 500_000) / 1_000_000, piece.1);
        let pieces: Vec<_> = pieces.iter().map(secs).collect();
        assert_eq!(pieces, [(3_180, 2), (3_600, 1), (7_200, 0)]);
        assert_eq!(cost / 60_000_000, 2 * (2 * 53 + 7));
    }
}
