//! EASY backfilling with users' estimates, against the rule of its paper kept in
//! plain lists and worked out again at every event.

use super::SEED;
use super::judge::CheckRow;
use super::listed::{job, outcome};
use super::station::{CORE, Station};
use crate::model::Work;
use crate::policy::backfill;
use crate::policy::spec::PolicySpec;
use crate::units::{Distribution, Span, Stream};

/// Estimates that users round theirs up to, in minutes (Tsafrir, Etsion and
/// Feitelson, JSSPP 2005: a few round values make up most of every log).
const ROUND_MINUTES: [i64; 9] = [5, 15, 30, 60, 120, 240, 480, 1_440, 2_880];

/// Jobs of the log that is made up, and its processors.
const JOBS: u64 = 5_000;
const PROCESSORS: u32 = 64;

/// First starts in microseconds by row of `gangs`, which come in order of arrival
/// and want one processor for each task.
///
/// The rule is Lifka's, JSSPP 1995. Jobs start in order of arrival until one does not
/// fit, the head. The shadow time is the first estimated end after which the head fits;
/// the processors it leaves free then are extra. The others start in order of arrival
/// if they fit now, and either end by the shadow time or take extra processors only.
/// A job beyond its estimate counts as ending now; one without ends after all that have
/// one, in the order of their starts, and is never known to end by the shadow time.
pub fn slow_starts(processors: u32, gangs: &[Work]) -> Vec<Option<i64>> {
    let mut slow = Slow {
        gangs,
        now: 0,
        free: i64::from(processors),
        running: Vec::new(),
        waiting: Vec::new(),
        starts: vec![None; gangs.len()],
    };
    let mut arrived = 0;
    loop {
        let end = slow.running.iter().map(|one| one.end).min();
        let arrival = gangs.get(arrived).map(|work| work.arrival.micros());
        let Some(now) = end.into_iter().chain(arrival).min() else { return slow.starts };
        slow.now = now;
        let ended = slow.running.extract_if(.., |one| one.end == now);
        slow.free += ended.map(|one| one.tasks).sum::<i64>();
        while gangs.get(arrived).is_some_and(|work| work.arrival.micros() == now) {
            if gangs[arrived].ask.tasks <= processors {
                slow.waiting.push(arrived);
            }
            arrived += 1;
        }
        slow.decide();
    }
}

/// A running job.
#[derive(Clone, Copy)]
struct RunningJob {
    row: usize,
    tasks: i64,
    end: i64,
    estimated_end: i64,
}

struct Slow<'w> {
    gangs: &'w [Work],
    now: i64,
    free: i64,
    running: Vec<RunningJob>,
    /// Rows of those that wait, in order of arrival.
    waiting: Vec<usize>,
    starts: Vec<Option<i64>>,
}

impl Slow<'_> {
    fn tasks(&self, row: usize) -> i64 {
        i64::from(self.gangs[row].ask.tasks)
    }

    fn estimate(&self, row: usize) -> i64 {
        const THOUSAND_YEARS: i64 = 1_000 * 365 * 24 * Span::HOUR.micros();
        self.gangs[row].ask.estimate.map_or(THOUSAND_YEARS, Span::micros)
    }

    fn runtime(&self, row: usize) -> i64 {
        self.gangs[row].body.length().expect("every gang here has an end").micros()
    }

    fn start(&mut self, row: usize) {
        let tasks = self.tasks(row);
        let end = self.now + self.runtime(row);
        let estimated_end = self.now + self.estimate(row);
        self.free -= tasks;
        self.running.push(RunningJob { row, tasks, end, estimated_end });
        self.starts[row] = Some(self.now);
    }

    fn decide(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        let blocked = waiting.iter().position(|&row| {
            let fits = self.tasks(row) <= self.free;
            if fits {
                self.start(row);
            }
            !fits
        });
        waiting.drain(..blocked.unwrap_or(waiting.len()));
        if let Some(&head) = waiting.first() {
            let (shadow, mut extra) = self.shadow(self.tasks(head));
            waiting.retain(|&row| {
                let tasks = self.tasks(row);
                let known = self.gangs[row].ask.estimate.is_some();
                let in_time = known && self.now + self.estimate(row) <= shadow;
                let starts = row != head && tasks <= self.free && (in_time || tasks <= extra);
                if starts {
                    extra -= if in_time { 0 } else { tasks };
                    self.start(row);
                }
                !starts
            });
        }
        self.waiting = waiting;
    }

    /// Shadow time of a head of so many tasks, and the extra processors.
    fn shadow(&self, tasks: i64) -> (i64, i64) {
        let at = |one: &RunningJob| one.estimated_end.max(self.now);
        let known = |one: &RunningJob| self.gangs[one.row].ask.estimate.is_some();
        let mut ends: Vec<((i64, usize), i64)> = self
            .running
            .iter()
            .map(|one| ((at(one), if known(one) { 0 } else { one.row }), one.tasks))
            .collect();
        ends.sort_unstable();
        let mut free = self.free;
        for together in ends.chunk_by(|a, b| a.0 == b.0) {
            free += together.iter().map(|&(_, tasks)| tasks).sum::<i64>();
            if free >= tasks {
                return (together[0].0.0, free - tasks);
            }
        }
        unreachable!("the head fits when all has ended")
    }
}

/// Gangs that start when they should under first come, first served with EASY on
/// one machine of `processors`.
///
/// # Errors
/// A sentence on a run that could not be done, which is a bug.
pub fn matching(processors: u32, gangs: &[Work]) -> Result<u64, String> {
    let policy = PolicySpec { backfill: backfill::EASY.spec(), ..PolicySpec::named("EASY") };
    let got = outcome(&Station::owned(1, processors).world(), gangs, &policy)?;
    let wanted = slow_starts(processors, gangs);
    let same =
        (0..).zip(wanted).filter(|(row, want)| got.starts.get(row).map(|at| at.micros()) == *want);
    Ok(same.count() as u64)
}

/// The line of the report.
///
/// # Errors
/// A sentence on a run that could not be done, which is a bug.
pub fn rows() -> Result<Vec<CheckRow>, String> {
    let same = matching(PROCESSORS, &made_up())?;
    Ok(vec![CheckRow::exact(
        "EASY, users' estimates",
        "jobs that start when the paper's rule says",
        "Lifka, JSSPP 1995, recomputed at every event",
        JOBS as f64,
        same as f64,
    )])
}

/// A log as batch systems have it: estimates are round and mostly far too long, one
/// job in 30 runs beyond its own, one in 50 has none.
fn made_up() -> Vec<Work> {
    let mut stream = Stream::of(SEED, "users' estimates", 0);
    let runtimes = Distribution::lognormal_mean_sigma(3_600.0, 1.5).expect("it is valid");
    let gaps = Distribution::exponential(720.0).expect("it is valid");
    let mut arrival = 0.0;
    (0..JOBS)
        .map(|ordinal| {
            arrival += gaps.sample(&mut stream);
            let secs = (runtimes.sample(&mut stream) as i64).clamp(1, 2 * 86_400);
            let tasks = 1_u32 << stream.below(7);
            let mut work = job(ordinal, arrival as i64, tasks, CORE, secs);
            let asked = secs * (1 + stream.below(8) as i64);
            let rounded = ROUND_MINUTES.into_iter().find(|minutes| minutes * 60 >= asked);
            work.ask.estimate = match stream.below(150) {
                0..5 => Some(Span::from_secs(secs / 2 + 1)),
                5..8 => None,
                _ => Some(Span::from_secs(60 * rounded.unwrap_or(ROUND_MINUTES[8]))),
            };
            work
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Time;

    #[test]
    fn the_log_is_busy_and_its_estimates_matter() {
        let works = made_up();
        let fcfs =
            outcome(&Station::owned(1, PROCESSORS).world(), &works, &PolicySpec::named("FCFS"));
        let fcfs = fcfs.expect("it runs").starts;
        let easy = slow_starts(PROCESSORS, &works);
        let waited = |start: &Time, work: &Work| *start > work.arrival;
        let waits =
            works.iter().zip(fcfs.values()).filter(|(work, start)| waited(start, work)).count();
        assert!(waits > 1_000, "{waits} wait");
        let earlier =
            easy.iter().zip(fcfs.values()).filter(|(easy, fcfs)| **easy < Some(fcfs.micros()));
        assert!(earlier.count() > 1_000);
        // With exact estimates others overtake.
        let exact: Vec<Work> = works
            .iter()
            .cloned()
            .map(|mut work| {
                work.ask.estimate = work.body.length();
                work
            })
            .collect();
        assert_ne!(easy, slow_starts(PROCESSORS, &exact));
    }

    #[test]
    fn the_slow_rule_is_the_papers() {
        // A 2 x 10 s of 100, B 1 x 30 s; H takes all four; L would delay it.
        let rows = [(0, 2, 10, 100), (0, 1, 30, 30), (1, 4, 10, 10), (2, 1, 5, 1), (12, 2, 60, 60)];
        let works: Vec<Work> = (0..)
            .zip(rows)
            .map(|(ordinal, (arrival, tasks, secs, estimate))| {
                let mut work = job(ordinal, arrival, tasks, CORE, secs);
                work.ask.estimate = Some(Span::from_secs(estimate));
                work
            })
            .collect();
        let wanted = [0, 0, 30, 2, 40].map(|secs| Some(secs * 1_000_000));
        assert_eq!(slow_starts(4, &works), wanted);
        assert_eq!(matching(4, &works), Ok(5));
    }
}
