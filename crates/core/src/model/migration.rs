//! Migration: how tasks move to other machines while they are at work, how long that takes and how
//! much memory it moves.

use super::Link;
use crate::units::Span;

/// How a policy moves tasks that compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// They stop, their memory is copied, and they go on.
    Cold,
    /// Their memory is copied while they compute, and what they write meanwhile is copied again, in
    /// rounds, until little is left. For that they pause.
    Live,
}

/// How fast the memory of tasks is copied from machine to machine, and how fast they write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Bytes per second that a machine sends or takes in; 0 is unlimited.
    pub bytes_per_sec: i64,
    /// Time in which tasks write as much memory as they have, above zero.
    pub rewrites: Span,
    /// Rounds of a live migration end when the rest can be copied within this time, at least zero.
    pub pause: Span,
    /// Most rounds before the pause.
    pub rounds: u32,
}

/// Cost of one migration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MigrationCost {
    /// Time in which memory is copied while the tasks compute.
    pub copy: Span,
    /// Time in which the tasks stand still after that.
    pub downtime: Span,
    /// Bytes that are copied in both.
    pub bytes: i64,
}

impl Default for Migration {
    /// Machines at 10 Gbit/s, memory that is written once in ten minutes, a pause of 300 ms
    /// (`downtime-limit` of QEMU) and 29 rounds (Xen).
    fn default() -> Self {
        Self {
            bytes_per_sec: 1_250_000_000,
            rewrites: Span::from_secs(600),
            pause: Span::from_micros(300_000),
            rounds: 29,
        }
    }
}

impl Migration {
    /// Cost of moving `all` bytes over `link`, no more than `each` of them from or to one machine.
    ///
    /// With *M* bytes that take a time *t*, and *r* = *t* / `rewrites`, the rate at which memory is
    /// written over that at which it is copied, *n* rounds take *t* (1 + r + ... + r^(n-1)), the
    /// pause takes *t* r^n, and *M* (1 + r + ... + r^n) bytes are moved (Clark and others, Live
    /// Migration of Virtual Machines, NSDI 2005, with memory that is written evenly). No page is
    /// copied twice in one round, so where *r* is 1 or more the pause is as long as a cold migration.
    pub fn cost(self, manner: Manner, all: i64, each: i64, link: Link) -> MigrationCost {
        let machine = Link { bytes_per_sec: self.bytes_per_sec, ..Link::default() };
        let whole = (machine.time(each).max(link.time(all)).micros(), all);
        let rounds = match manner {
            Manner::Cold => 0,
            Manner::Live => self.rounds,
        };
        let (mut copy, mut bytes, mut left) = (0_i64, 0_i64, whole);
        for _ in 0..rounds {
            if left.0 <= self.pause.micros() {
                break;
            }
            (copy, bytes) = (copy.saturating_add(left.0), bytes.saturating_add(left.1));
            let next = (self.written(whole.0, left.0), self.written(whole.1, left.0));
            let shrinks = next.0 < left.0;
            left = next;
            if !shrinks {
                break;
            }
        }
        MigrationCost {
            copy: Span::from_micros(copy),
            downtime: Span::from_micros(left.0),
            bytes: bytes.saturating_add(left.1),
        }
    }

    /// Part of `whole` that is written in a time in microseconds, rounded up: all of it at most.
    fn written(self, whole: i64, time: i64) -> i64 {
        let product = i128::from(whole) * i128::from(time);
        let rewrites = i128::from(self.rewrites.micros().max(1));
        let part = product.div_euclid(rewrites) + i128::from(product.rem_euclid(rewrites) > 0);
        i64::try_from(part).unwrap_or(whole).min(whole)
    }
}

impl MigrationCost {
    /// Time until the tasks compute at their new place.
    pub fn time(self) -> Span {
        self.copy.saturating_add(self.downtime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EIGHT: i64 = 8 << 30;

    /// A GiB a second.
    fn terms(rewrites: i64, pause_ms: i64, rounds: u32) -> Migration {
        let pause = Span::from_micros(pause_ms * 1_000);
        Migration { bytes_per_sec: 1 << 30, rewrites: Span::from_secs(rewrites), pause, rounds }
    }

    /// Milliseconds of copying and of downtime, and bytes in thousandths of the memory.
    fn live(terms: Migration) -> (i64, i64, i64) {
        let MigrationCost { copy, downtime, bytes } =
            terms.cost(Manner::Live, EIGHT, EIGHT, Link::default());
        (copy.micros() / 1_000, downtime.micros() / 1_000, bytes * 1_000 / EIGHT)
    }

    #[test]
    fn a_cold_migration_is_down_for_all_of_it() {
        let cold = |each, bytes_per_sec| {
            let link = Link { bytes_per_sec, ..Link::default() };
            terms(80, 100, 29).cost(Manner::Cold, EIGHT, each, link)
        };
        let eight = MigrationCost { downtime: Span::from_secs(8), bytes: EIGHT, copy: Span::ZERO };
        assert_eq!(cold(EIGHT, 0), eight);
        // Two machines copy side by side, and the way between their regions carries both.
        assert_eq!(cold(EIGHT / 2, 0).downtime, Span::from_secs(4));
        assert_eq!(cold(EIGHT / 2, 1 << 28).downtime, Span::from_secs(32));
    }

    #[test]
    fn rounds_follow_the_closed_form() {
        // r = 8 s / 80 s: 8 s, 0.8 s, and a pause of 80 ms, which is no more than 100 ms.
        assert_eq!(live(terms(80, 100, 29)), (8_800, 80, 1_110));
        // Two rounds at most, and then three.
        assert_eq!(live(terms(80, 0, 2)), (8_800, 80, 1_110));
        assert_eq!(live(terms(80, 0, 3)), (8_880, 8, 1_111));
        // r = 1 / 2: 8 + 4 + 2 s, and 1 s.
        assert_eq!(live(terms(16, 1_000, 29)), (14_000, 1_000, 1_875));
        // What fits into the pause is not copied before.
        assert_eq!(live(terms(80, 8_000, 29)), (0, 8_000, 1_000));
    }

    #[test]
    fn memory_that_is_written_faster_than_copied_is_paused_for() {
        for rewrites in [8, 5, 1] {
            assert_eq!(live(terms(rewrites, 300, 29)), (8_000, 8_000, 2_000));
        }
    }
}
