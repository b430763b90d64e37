//! EASY on nodes of unlike speeds, against a slow and obvious one that keeps plain lists.
//! Every start must be the same.
//!
//! Nodes are taken in order. Jobs run as fast as the slowest node that they hold, virtual
//! machines end when they end. The queue is served in order until one does not fit, the
//! head; the others start in order, on the first nodes that are free, if they end there by
//! the head's shadow time or take no more than it leaves (Lifka, JSSPP 1995). One that may
//! not start there waits, though other nodes are faster.

use std::collections::BTreeMap;

use windtunnel::model::{Ask, Work, WorkKind};
use windtunnel::policy::spec::PolicySpec;
use windtunnel::policy::{self, backfill};
use windtunnel::sim::Options;
use windtunnel::units::{Shape, Span};
use windtunnel::workload::WorkList;

use crate::dice::Dice;
use crate::trial::{self, CORE, Guessing, Started, Starts};

/// Nodes: cores, and speed in halves.
type Nodes = Vec<(u32, i64)>;

struct Running {
    end: i64,
    estimated_end: i64,
    /// Tasks by node.
    tasks: Vec<u32>,
}

struct Slow<'c> {
    nodes: &'c Nodes,
    works: &'c [Work],
    now: i64,
    free: Vec<u32>,
    running: Vec<Running>,
    waiting: Vec<usize>,
    starts: Starts,
}

impl<'c> Slow<'c> {
    fn run(nodes: &'c Nodes, works: &'c [Work]) -> Starts {
        let mut slow = Self {
            nodes,
            works,
            now: 0,
            free: nodes.iter().map(|node| node.0).collect(),
            running: Vec::new(),
            waiting: Vec::new(),
            starts: vec![BTreeMap::new(); works.len()],
        };
        let mut arrived = 0;
        loop {
            let next_end = slow.running.iter().map(|one| one.end).min();
            let next_arrival = works.get(arrived).map(|work| work.arrival.micros());
            let Some(now) = next_end.into_iter().chain(next_arrival).min() else { break };
            slow.now = now;
            for gone in slow.running.extract_if(.., |one| one.end == now) {
                slow.free.iter_mut().zip(gone.tasks).for_each(|(free, tasks)| *free += tasks);
            }
            while arrived < works.len() && works[arrived].arrival.micros() == now {
                slow.waiting.push(arrived);
                arrived += 1;
            }
            slow.decide();
        }
        slow.starts
    }

    fn room(&self) -> u32 {
        self.free.iter().sum()
    }

    /// Tasks on each machine for a job that fits, and the time that work of some length takes
    /// there.
    fn place(&self, job: usize) -> (Vec<u32>, impl Fn(i64) -> i64 + use<>) {
        let (tasks, body) = (self.works[job].ask.tasks, self.works[job].body);
        let mut left = tasks;
        let take = |&free: &u32| {
            let taken = left.min(free);
            left -= taken;
            taken
        };
        let held: Vec<u32> = self.free.iter().map(take).collect();
        let used = held.iter().zip(self.nodes).filter(|one| *one.0 > 0);
        let speed = used.map(|(_, node)| node.1).min().expect("it has a task");
        (held, move |work| if body.kind() == WorkKind::Job { work * 2 / speed } else { work })
    }

    fn start(&mut self, job: usize) {
        let (tasks, takes) = self.place(job);
        let Work { ask, body, .. } = &self.works[job];
        self.free.iter_mut().zip(&tasks).for_each(|(free, tasks)| *free -= tasks);
        let end = self.now + takes(body.length().expect("it has an end").micros());
        let estimated_end = self.now + takes(ask.estimate.expect("it has one").micros());
        self.running.push(Running { end, estimated_end, tasks });
        self.starts[job].insert(self.now, ask.tasks);
    }

    fn decide(&mut self) {
        while let Some(&head) = self.waiting.first() {
            let needed = self.works[head].ask.tasks;
            if needed <= self.room() {
                self.start(head);
                self.waiting.remove(0);
                continue;
            }
            let at = |one: &Running| one.estimated_end.max(self.now);
            let free_at = |time| {
                let ended = self.running.iter().filter(|one| at(one) <= time);
                self.room() + ended.map(|one| one.tasks.iter().sum::<u32>()).sum::<u32>()
            };
            let mut ends: Vec<i64> = self.running.iter().map(at).collect();
            ends.sort_unstable();
            let shadow = ends.into_iter().find(|&end| free_at(end) >= needed);
            let shadow = shadow.expect("the head fits when everything has ended");
            let mut extra = free_at(shadow) - needed;
            let behind: Vec<usize> = self.waiting[1..].to_vec();
            for job in behind {
                let ask = self.works[job].ask;
                if ask.tasks > self.room() {
                    continue;
                }
                let in_time = self.now
                    + self.place(job).1(ask.estimate.expect("it has one").micros())
                    <= shadow;
                if in_time || ask.tasks <= extra {
                    extra -= if in_time { 0 } else { ask.tasks };
                    self.start(job);
                    self.waiting.retain(|&other| other != job);
                }
            }
            return;
        }
    }
}

fn simulated(nodes: &Nodes, works: &[Work]) -> Starts {
    let shape = |cores| Shape { cpu: cores * 1_000, memory: 0, gpus: 0 };
    let groups: Vec<_> = nodes.iter().map(|node| (shape(node.0), 1)).collect();
    let mut world = trial::machines(&groups);
    for (kind, node) in world.types.rows_mut().iter_mut().zip(nodes) {
        kind.speed = node.1 as u32 * 500_000;
    }
    let spec = PolicySpec { backfill: backfill::EASY.spec(), ..PolicySpec::named("speeds") };
    let mut starts = Started(vec![BTreeMap::new(); works.len()]);
    let (mut source, mut policy) = (WorkList::new(works), policy::build(&spec));
    trial::run(&world, &mut source, &mut *policy, &Options::default(), &mut starts, &nodes);
    starts.0
}

/// First starts in seconds on a node of four cores, of rows of arrival, runtime, tasks and kind.
fn starts_on(halves: i64, rows: &[(i64, i64, u32, WorkKind)]) -> Vec<i64> {
    let work =
        |(ordinal, &(arrival, runtime, tasks, kind)): (usize, &(i64, i64, u32, WorkKind))| {
            let estimate = Span::from_secs(runtime);
            let ask =
                Ask { tasks, gang: true, demand: CORE, estimate: Some(estimate), ..Ask::default() };
            let mut work = trial::job(ordinal as u64, arrival, runtime, ask);
            work.body = kind.body(work.body.length());
            work
        };
    let works: Vec<Work> = rows.iter().enumerate().map(work).collect();
    let starts = simulated(&vec![(4, halves)], &works);
    trial::first(&starts).map(|start| start / 1_000_000).collect()
}

#[test]
fn virtual_machines_end_when_they_end_whatever_the_speed() {
    use WorkKind::{Job, VirtualMachine};
    // Three of four cores are busy until 100 s, when all are the second's, until 105 s. At twice
    // the speed the third would end at 77 s, but it is a virtual machine and ends at 152 s: it
    // waits, and the fourth has the core until 52 s.
    let rows = [(0, 200, 3, Job), (1, 10, 4, Job), (2, 150, 1, VirtualMachine), (2, 100, 1, Job)];
    assert_eq!(starts_on(4, &rows), [0, 100, 105, 2]);
    // At half the speed it would end at 182 s, but it does at 92 s.
    let rows = [(0, 50, 3, Job), (1, 10, 4, Job), (2, 90, 1, VirtualMachine)];
    assert_eq!(starts_on(1, &rows), [0, 100, 2]);
}

#[test]
fn easy_starts_everything_on_unlike_nodes_when_a_slow_one_does() {
    let mut overtook = 0;
    for seed in 0..2_000 {
        let mut dice = Dice::new(seed);
        let count = dice.within(1, 4);
        let mut node = |_| (dice.within(1, 4) as u32, dice.of(&[1, 2, 2, 4]));
        let nodes: Nodes = (0..count).map(&mut node).collect();
        let most = nodes.iter().map(|node| u64::from(node.0)).sum::<u64>();
        let guessing = Guessing { missing: 0, short: dice.once_in(3), least: [0, 0] };
        let (count, gap) = (dice.within(2, 18), dice.within(0, 12));
        let mut works = trial::jobs(&mut dice, count, gap, guessing, |dice| {
            let tasks = dice.within(1, most) as u32;
            Ask { tasks, gang: true, demand: CORE, ..Ask::default() }
        });
        for work in &mut works {
            if dice.once_in(3) {
                work.body = WorkKind::VirtualMachine.body(work.body.length());
            }
        }
        let wanted = Slow::run(&nodes, &works);
        let which = format!("seed {seed}, {nodes:?}");
        trial::assert_same(&which, &works, &wanted, &simulated(&nodes, &works));
        overtook += trial::overtakers(trial::first(&wanted));
    }
    assert!(overtook > 1_000, "{overtook}");
}
