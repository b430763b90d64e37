//! Closed forms of work that is struck by failures at a constant rate and goes on from its last
//! checkpoint. Failures strike while it computes, writes and reads alike. Rates are per unit of
//! time, `write` is the time to write a checkpoint, `restart` that from a failure to computing again.

use super::theory::root;

/// Share of time that is of use in the long run, with checkpoints after each `interval` of
/// computing: tau lam / (exp(lam R) (exp(lam (tau + w)) - 1)), a renewal at each checkpoint.
pub fn useful_share(rate: f64, interval: f64, write: f64, restart: f64) -> f64 {
    interval / stretch(rate, interval + write, restart)
}

/// Mean time until `length` has passed without a failure, where a restart comes before each try but
/// the first: exp(lam R) (exp(lam L) - 1) / lam (Hérault and Robert, Fault-Tolerance Techniques for
/// High-Performance Computing, 2015).
pub fn stretch(rate: f64, length: f64, restart: f64) -> f64 {
    libm::exp(rate * restart) * libm::expm1(rate * length) / rate
}

/// Interval by which the most is done: where the derivative of [`useful_share`] is zero,
/// exp(-lam (tau + w)) = 1 - lam tau.
pub fn best_interval(rate: f64, write: f64) -> f64 {
    root(0.0, 1.0 / rate, |interval| -libm::expm1(-rate * (interval + write)) - rate * interval)
}

/// Mean time that `work` takes with checkpoints after each `interval` of computing, none after the
/// last. Nothing is read before the first is there.
pub fn time_of(work: f64, rate: f64, interval: f64, write: f64, restart: f64) -> f64 {
    let written = libm::ceil(work / interval) - 1.0;
    let last = work - written * interval;
    if written < 1.0 {
        return stretch(rate, last, 0.0);
    }
    let first = stretch(rate, interval + write, 0.0);
    let others = (written - 1.0) * stretch(rate, interval + write, restart);
    first + others + stretch(rate, last, restart)
}

/// Mean number of failures that strike work of this `length` while it computes, where it begins anew
/// after each: exp(lam L) - 1.
pub fn setbacks(rate: f64, length: f64) -> f64 {
    libm::expm1(rate * length)
}

/// Mean work that each of them costs: 1 / lam - L / (exp(lam L) - 1).
pub fn lost_each(rate: f64, length: f64) -> f64 {
    1.0 / rate - length / setbacks(rate, length)
}

/// Progress by time on a spot instance whose times up, to their ends, and away are exponential with these
/// means, where the last `write` of each is a checkpoint: u exp(-(r + c) / u) / (u + d).
pub fn saved_by_the_end(up: f64, away: f64, write: f64, restart: f64) -> f64 {
    up * libm::exp(-(restart + write) / up) / (up + away)
}

/// A spot instance that is there and away for exponential times, in the long run.
#[derive(Clone, Copy, Debug)]
pub struct SpotCourse {
    /// Mean time from a launch to the warning.
    pub up: f64,
    /// Mean time without capacity.
    pub away: f64,
    /// Time from the warning to the end.
    pub notice: f64,
    /// Time between two tries to rent, the first of which comes when the notice is over.
    pub retry: f64,
}

impl SpotCourse {
    /// A course by which as much is saved as [`saved_by_the_end`] says. Of times up, those that are over
    /// before a checkpoint could be written save nothing; the others are as long before their warning as
    /// any. So with a notice of the time to write, the time away is what makes a cycle one of these.
    pub fn by_the_end(up: f64, away: f64, write: f64, retry: f64) -> Self {
        let whole = (up + away) * libm::exp(write / up);
        let of = |away: f64| Self { up, away, notice: write, retry };
        of(root(away / 1e3, whole, |away| whole - of(away).cycle()))
    }

    /// Mean time from a launch to the next: the time up, the notice, and where capacity is not back by
    /// then the tries up to the first after that, r / (1 - exp(-r/d)). A capacity that comes and goes
    /// between two tries is left out.
    pub fn cycle(self) -> f64 {
        let tries = self.retry / -libm::expm1(-self.retry / self.away);
        self.up + self.notice + libm::exp(-self.notice / self.away) * tries
    }

    /// Mean progress that is saved in a cycle, where all that was made is saved on notice and a
    /// `restart` comes first: u exp(-r/u).
    pub fn saved_on_notice(self, restart: f64) -> f64 {
        self.up * libm::exp(-restart / self.up)
    }

    /// The same with checkpoints after each `interval` of computing, also within the notice, which is
    /// shorter than an interval: tau times the mean number of writes that are over before the end.
    pub fn saved_at_intervals(self, interval: f64, write: f64, restart: f64) -> f64 {
        let kept = libm::exp(-(interval + write) / self.up);
        interval * libm::exp((self.notice - restart) / self.up) * kept / (1.0 - kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Failures per 1,000 node-days, GPUs on nodes of 8, mean time between failures in hours, best
    /// interval in minutes with checkpoints of a minute, and the useful share there with restarts of
    /// 5 and 20 minutes and every hour with restarts of 5. Computed apart from this code, and most
    /// of them confirmed by Monte Carlo.
    const SHARES: [[f64; 7]; 7] = [
        [6.50, 1_024.0, 28.846_154, 58.170_1, 0.963_602_859, 0.955_287_719, 0.963_587_318],
        [6.50, 4_096.0, 7.211_538, 28.754_6, 0.922_819_463, 0.891_376_548, 0.905_378_923],
        [6.50, 16_384.0, 1.802_885, 14.049_7, 0.830_814_555, 0.723_239_152, 0.699_127_628],
        [6.50, 131_072.0, 0.225_361, 4.556_1, 0.458_092_262, 0.151_069_089, 0.034_048_544],
        [2.34, 16_384.0, 5.008_013, 23.852_4, 0.905_426_755, 0.861_337_475, 0.872_502_387],
        [2.34, 131_072.0, 0.626_002, 8.013_7, 0.688_595_059, 0.461_874_577, 0.343_261_943],
        [3.79, 16_384.0, 3.092_018, 18.601_6, 0.875_808_082, 0.807_783_154, 0.808_655_088],
    ];

    #[test]
    fn useful_shares_are_those_of_the_table() {
        for [failures, gpus, mtbf, best, short, long, hourly] in SHARES {
            // In minutes.
            let rate = failures / 1_000.0 * gpus / 8.0 / 1_440.0;
            assert!((1.0 / rate / 60.0 - mtbf).abs() < 6e-7, "{failures}, {gpus}");
            let interval = best_interval(rate, 1.0);
            assert!((interval - best).abs() < 6e-5, "{failures}, {gpus}: {interval}, not {best}");
            let found = [(interval, 5.0), (interval, 20.0), (60.0, 5.0)]
                .map(|(interval, restart)| useful_share(rate, interval, 1.0, restart));
            for (found, want) in found.into_iter().zip([short, long, hourly]) {
                assert!((found - want).abs() < 6e-10, "{failures}, {gpus}: {found}, not {want}");
            }
        }
    }

    /// Failures every 24 h, checkpoints of 5 min, restarts of 10 min, 100 h of work, in hours.
    const DAY: [f64; 3] = [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0];

    #[test]
    fn times_of_work_are_the_published_ones() {
        let [rate, write, restart] = DAY;
        let parts = |count: f64| count * stretch(rate, 100.0 / count + write, restart);
        let cases = [
            ("25 parts", parts(25.0), 112.057_172_11),
            ("50 parts", parts(50.0), 109.579_832_76),
            ("51 parts", parts(51.0), 109.576_652_736),
            ("100 parts", parts(100.0), 111.587_794_73),
            (
                "50 parts, nothing written after the last",
                49.0 * stretch(rate, 2.0 + write, restart) + stretch(rate, 2.0, restart),
                109.488_467_705,
            ),
            ("10 h in one piece", stretch(rate, 10.0, restart), 12.491_972_403),
            ("best interval", best_interval(rate, write), 1.944_834_555),
            ("failures of 10 h", setbacks(rate, 10.0), 0.516_896_796),
            ("lost by each", lost_each(rate, 10.0), 4.653_778_337),
        ];
        for (name, got, want) in cases {
            assert!((got - want).abs() < 6e-9 * want.max(1.0), "{name}: {got}, not {want}");
        }
        let best = (20..=100).min_by(|&a, &b| parts(f64::from(a)).total_cmp(&parts(f64::from(b))));
        assert_eq!(best, Some(51));
    }

    #[test]
    fn what_has_no_checkpoint_yet_reads_none() {
        let [rate, write, restart] = DAY;
        let whole = time_of(10.0, rate, 10.0, write, restart);
        assert_eq!(whole, stretch(rate, 10.0, 0.0));
        // 2 h and a write, 2 h and a write, 1 h.
        let parts = stretch(rate, 2.0 + write, 0.0)
            + stretch(rate, 2.0 + write, restart)
            + stretch(rate, 1.0, restart);
        assert!((time_of(5.0, rate, 2.0, write, restart) - parts).abs() < 1e-12);
    }

    /// Up for 3 h, away for 1 h, restarts of 6 minutes, in hours.
    #[test]
    fn progress_on_spot_is_the_published_one() {
        let of = SpotCourse { up: 3.0, away: 1.0, notice: 0.0, retry: 1e-9 };
        let saved = of.saved_at_intervals(0.5, 0.05, 0.1);
        let best = of.saved_at_intervals(0.266, 45.0 / 3_600.0, 0.1) / of.cycle();
        let cases = [
            (saved, 2.403_442_388),
            (saved / of.cycle(), 0.600_860_597),
            (best, 0.661_190_764),
            (of.saved_on_notice(0.1) / of.cycle(), 0.725_412_075),
        ];
        for (found, want) in cases {
            assert!((found - want).abs() < 6e-9, "{found}, not {want}");
        }
        // By the time to write on notice, in seconds.
        let by_notice = [
            (20.0, 0.724_069_963),
            (45.0, 0.722_395_813),
            (90.0, 0.719_392_093),
            (180.0, 0.713_422_068),
            (300.0, 0.705_539_032),
        ];
        for (write, want) in by_notice {
            let write = write / 3_600.0;
            let found = saved_by_the_end(3.0, 1.0, write, 0.1);
            assert!((found - want).abs() < 6e-10, "{write}: {found}, not {want}");
            let like = SpotCourse::by_the_end(3.0, 1.0, write, 1.0 / 360.0);
            let found = like.saved_on_notice(0.1) / like.cycle();
            assert!((found - want).abs() < 6e-10, "{write}: {found}, not {want}");
        }
        // What 45 s on notice are worth where they fit.
        assert!((0.722_395_813 / best - 1.093).abs() < 5e-4);
        // Two minutes of notice and tries every half hour: 3 + 1/30 + exp(-1/30) 0.5 / (1 - exp(-0.5)).
        let warned = SpotCourse { notice: 1.0 / 30.0, retry: 0.5, ..of };
        assert!((warned.cycle() - 4.262_420_331).abs() < 1e-7, "{}", warned.cycle());
    }
}
