//! Conservative backfilling of a real log against a slow and obvious one, start by start.
//!
//! Its rules are those of the slow one in `backfilling`, which is too slow for a log. Here
//! all work is gangs with estimates, and what is free over time is a list of steps that is
//! made anew at every event, and searched from its beginning for every reservation.

use std::collections::BTreeMap;

use windtunnel::policy::{backfill, order};

use crate::backfilling::{Pool, agree};
use crate::logs;
use crate::trial::Starts;

/// Free tasks over time: the moment from which, and the number; each step lasts until the next.
struct Room(Vec<[i64; 2]>);

impl Room {
    /// The least that is free from a moment on until another.
    fn least(&self, from: i64, until: i64) -> i64 {
        let first = self.0.partition_point(|step| step[0] <= from) - 1;
        let later = self.0[first + 1..].iter().take_while(|step| step[0] < until);
        later.map(|step| step[1]).fold(self.0[first][1], i64::min)
    }

    fn take(&mut self, from: i64, until: i64, tasks: i64) {
        if from >= until {
            return;
        }
        let [first, last] = [from, until].map(|at| {
            let row = self.0.partition_point(|step| step[0] < at);
            if self.0.get(row).is_none_or(|step| step[0] != at) {
                self.0.insert(row, [at, self.0[row - 1][1]]);
            }
            row
        });
        self.0[first..last].iter_mut().for_each(|step| step[1] -= tasks);
    }
}

/// A job that runs: until when, and until when by the estimate.
struct Running {
    tasks: i64,
    end: i64,
    estimated_end: i64,
}

/// A job that waits, with its promised start.
struct Waiting {
    job: usize,
    tasks: i64,
    length: i64,
    promised: Option<i64>,
}

impl Waiting {
    /// Takes what is promised to it (`sign` is 1), or gives it back (-1).
    fn change(&self, room: &mut Room, sign: i64) {
        if let Some(start) = self.promised {
            room.take(start, start + self.length, sign * self.tasks);
        }
    }
}

struct Slow {
    now: i64,
    all: i64,
    free: i64,
    running: Vec<Running>,
    waiting: Vec<Waiting>,
}

impl Slow {
    fn run(pool: &Pool) -> Starts {
        let works = &pool.works;
        let all = i64::from(pool.nodes * pool.cores);
        let mut slow = Self { now: 0, all, free: all, running: vec![], waiting: vec![] };
        let mut starts = vec![BTreeMap::new(); works.len()];
        let mut arrived = 0;
        loop {
            let next_end = slow.running.iter().map(|one| one.end).min();
            let next_arrival = works.get(arrived).map(|work| work.arrival.micros());
            let Some(now) = next_end.into_iter().chain(next_arrival).min() else { break };
            slow.now = now;
            let ended = slow.running.iter().filter(|one| one.end == now);
            slow.free += ended.map(|one| one.tasks).sum::<i64>();
            slow.running.retain(|one| one.end != now);
            while arrived < works.len() && works[arrived].arrival.micros() == now {
                let ask = &works[arrived].ask;
                let (tasks, length) =
                    (i64::from(ask.tasks), ask.estimate.expect("it has one").micros());
                if tasks <= all {
                    slow.waiting.push(Waiting { job: arrived, tasks, length, promised: None });
                }
                arrived += 1;
            }
            if pool.order.name == "shortest" {
                slow.waiting.sort_by_key(|one| (one.length, one.job));
            }
            for job in slow.decide() {
                let (work, one) = (&works[job.job], &mut starts[job.job]);
                one.insert(now, work.ask.tasks);
                let (end, estimated_end) =
                    (now + work.body.length().expect("it has an end").micros(), now + job.length);
                slow.running.push(Running { tasks: job.tasks, end, estimated_end });
            }
        }
        starts
    }

    /// Jobs that start now.
    fn decide(&mut self) -> Vec<Waiting> {
        let now = self.now;
        let mut room = self.beside_running();
        let mut kept = true;
        for one in &mut self.waiting {
            one.promised = one.promised.map(|start| start.max(now));
            let start = one.promised;
            kept &= start.is_none_or(|at| room.least(at, at + one.length) >= one.tasks);
            one.change(&mut room, 1);
        }
        if !kept {
            self.waiting.iter_mut().for_each(|one| one.promised = None);
            room = self.beside_running();
        }
        let mut started = Vec::new();
        for mut one in std::mem::take(&mut self.waiting) {
            one.change(&mut room, -1);
            let mut moments = room.0.iter().map(|step| step[0]);
            let start = moments.find(|&at| room.least(at, at + one.length) >= one.tasks);
            one.promised = Some(start.expect("it fits some day"));
            one.change(&mut room, 1);
            if start == Some(now) && one.tasks <= self.free {
                self.free -= one.tasks;
                started.push(one);
            } else {
                self.waiting.push(one);
            }
        }
        started
    }

    /// Room that the running work leaves free from now on, by the estimates.
    fn beside_running(&self) -> Room {
        let mut room = Room(vec![[self.now, self.all]]);
        for one in &self.running {
            room.take(self.now, one.estimated_end, one.tasks);
        }
        room
    }
}

/// All of it as it came, and a part of it in another order.
#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn conservative_starts_a_real_log_when_a_slow_one_does() {
    let works = logs::kth();
    for (order, count) in [(&order::FCFS, works.len()), (&order::SHORTEST, 8_000)] {
        let pool = Pool { nodes: 100, cores: 1, works: works[..count].to_vec(), order };
        let overtook = agree(&pool, &backfill::CONSERVATIVE, &Slow::run(&pool), "KTH");
        assert!(overtook > 500, "{overtook}");
    }
}
