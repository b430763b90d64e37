//! The law that nobody starts later than promised: policies that break it are found
//! out in an ordinary run, and those that have an excuse are not.

use windtunnel::metrics::Laws;
use windtunnel::model::{Ask, Offer, Work, World};
use windtunnel::part::Part;
use windtunnel::policy::backfill::{self, BackfillPart};
use windtunnel::policy::place::{Fit, Place, PlacePart, place_all};
use windtunnel::policy::spec::PolicySpec;
use windtunnel::policy::{self, Policy, Trigger, Turn};
use windtunnel::sim::Options;
use windtunnel::state::{Needs, OfferSet, Record, Share, StartPromise, State, WorkRef};
use windtunnel::units::{Demand, Id, Shape, Span, Time};
use windtunnel::workload::WorkList;

use crate::trial::{self, CORE};

const LAW: &str = "nobody starts later than promised";

/// Arrival, runtime and estimate in seconds, tasks of one core.
type Row = (i64, i64, i64, u32);

fn works(rows: &[Row]) -> Vec<Work> {
    let row = |(ordinal, &(arrival, runtime, estimate, tasks)): (usize, &Row)| {
        let estimate = Span::from_secs(estimate);
        let ask =
            Ask { tasks, gang: true, demand: CORE, estimate: Some(estimate), ..Ask::default() };
        trial::job(ordinal as u64, arrival, runtime, ask)
    };
    rows.iter().enumerate().map(row).collect()
}

/// The law that a run on four cores breaks.
fn broken(rows: &[Row], policy: &mut dyn Policy) -> Option<&'static str> {
    broken_on(4, &works(rows), policy)
}

/// The same on so many cores.
fn broken_on(cores: u32, works: &[Work], policy: &mut dyn Policy) -> Option<&'static str> {
    broken_in(&trial::processors(1, cores), works, policy)
}

/// The same on these machines.
fn broken_in(world: &World, works: &[Work], policy: &mut dyn Policy) -> Option<&'static str> {
    let mut laws = Laws::new(false);
    let (options, mut source) = (Options::default(), WorkList::new(works));
    trial::run(world, &mut source, policy, &options, &mut laws, &works);
    laws.broken().map(|broken| broken.law)
}

/// A backfilling policy, but work of a given row starts as soon as it fits, whatever
/// is reserved.
struct Rash {
    inner: Box<dyn Policy>,
    row: u64,
    waits: Option<WorkRef>,
}

impl Rash {
    fn new(backfill: &'static BackfillPart, row: u64) -> Self {
        let spec = PolicySpec { backfill: backfill.spec(), ..PolicySpec::named("rash") };
        Self { inner: policy::build(&spec), row, waits: None }
    }
}

impl Policy for Rash {
    fn needs(&self) -> Needs {
        self.inner.needs()
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        self.inner.record(state, record);
    }

    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        let mut others = triggers.to_vec();
        others.retain(|trigger| match *trigger {
            Trigger::Arrived(work) if turn.work(work).id.ordinal == self.row => {
                self.waits = Some(work);
                false
            }
            _ => true,
        });
        let rash = self.waits.take_if(|work| place_all(&mut Fit::first(), turn, *work));
        others.extend(rash.map(|_| Trigger::Timer));
        self.inner.decide(&others, turn);
    }
}

/// Two jobs run until 10 and 30, and the first says that it runs until 100; then come two that want
/// all of the machine, and one that wants half of it for `estimate`.
fn case(estimate: i64) -> [Row; 5] {
    [(0, 10, 100, 2), (0, 30, 30, 1), (1, 10, 10, 4), (2, 1, 1, 4), (12, estimate, estimate, 2)]
}

#[test]
fn who_takes_what_is_reserved_is_found_out() {
    for backfill in [&backfill::EASY, &backfill::CONSERVATIVE] {
        for estimate in [18, 19, 60] {
            let spec = PolicySpec { backfill: backfill.spec(), ..PolicySpec::named("kept") };
            assert_eq!(broken(&case(estimate), &mut *policy::build(&spec)), None, "{estimate}");
        }
        // At 12 the first of those who wait is promised 30: one second too long is enough.
        for (estimate, law) in [(18, None), (19, Some(LAW)), (60, Some(LAW))] {
            let found = broken(&case(estimate), &mut Rash::new(backfill, 4));
            assert_eq!(found, law, "{backfill:?} {estimate}");
        }
    }
}

#[test]
fn each_task_of_an_array_is_promised_anew() {
    // On five cores: the first ends at 10 instead of 100, and a task of two cores takes its place.
    // The next is promised 30, as the first was: from 12 on, one core more is too many.
    let ask = |tasks, gang, cores, estimate| {
        let demand = Demand { cpu: cores * CORE.cpu, ..CORE };
        Ask { tasks, gang, demand, estimate: Some(Span::from_secs(estimate)), ..Ask::default() }
    };
    for (estimate, law) in [(18, None), (19, Some(LAW))] {
        let works = [
            trial::job(0, 0, 10, ask(1, true, 2, 100)),
            trial::job(1, 0, 30, ask(1, true, 1, 30)),
            trial::job(2, 0, 200, ask(1, true, 1, 200)),
            trial::job(3, 1, 50, ask(3, false, 2, 50)),
            trial::job(4, 2, 1, ask(1, true, 5, 1)),
            trial::job(5, 12, estimate, ask(1, true, 1, estimate)),
        ];
        let found = broken_on(5, &works, &mut Rash::new(&backfill::EASY, 5));
        assert_eq!(found, law, "{estimate}");
    }
}

#[test]
fn estimates_that_were_too_short_excuse() {
    // The second runs 20 seconds longer than it said, so the head starts at 50, not at 30.
    let mut case = case(60);
    case[1].1 = 50;
    for backfill in [&backfill::EASY, &backfill::CONSERVATIVE] {
        let spec = PolicySpec { backfill: backfill.spec(), ..PolicySpec::named("kept") };
        assert_eq!(broken(&case, &mut *policy::build(&spec)), None, "{backfill:?}");
    }
}

/// The oldest that fits, but none of the second offer.
#[derive(Debug)]
struct Choosy {
    /// Says so in `admits`.
    says: bool,
}

static SILENT: PlacePart = Part {
    name: "silent",
    doc: "Declines without a word.",
    parameters: &[],
    make: |_| Box::new(Choosy { says: false }),
};

static OUTSPOKEN: PlacePart =
    Part { name: "outspoken", make: |_| Box::new(Choosy { says: true }), ..SILENT };

impl Place for Choosy {
    fn needs(&self) -> Needs {
        Fit::first().needs()
    }

    fn pick(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef, reach: &OfferSet) -> Option<Share> {
        let first = OfferSet::new(turn.world(), |offer| offer == Id::new(0) && reach.has(offer));
        Fit::first().pick(turn, work, &first)
    }

    fn admits(&mut self, _turn: &Turn<'_, '_>, _work: WorkRef, offer: Id<Offer>) -> bool {
        !self.says || offer == Id::new(0)
    }
}

#[test]
fn a_place_part_says_what_it_never_uses() {
    // Two cores, one until 10 and one until 100, and a third that the part leaves alone. Those that
    // want two cores are promised 10, unless reservations know of that.
    let shape = |cores| Shape { cpu: cores * CORE.cpu, memory: 0, gpus: 0 };
    let world = trial::machines(&[(shape(2), 1), (shape(1), 1)]);
    let works = works(&[(0, 100, 100, 1), (0, 10, 10, 1), (1, 10, 10, 2), (2, 10, 10, 2)]);
    for backfill in [&backfill::EASY, &backfill::CONSERVATIVE] {
        for (place, law) in [(&SILENT, Some(LAW)), (&OUTSPOKEN, None)] {
            let (place, backfill) = (place.spec(), backfill.spec());
            let spec = PolicySpec { place, backfill, ..PolicySpec::named("choosy") };
            assert_eq!(broken_in(&world, &works, &mut *policy::build(&spec)), law, "{spec:?}");
        }
    }
}

/// Promises the first work a start, and lets it start when it likes.
#[derive(Debug)]
struct Promiser {
    work: Option<WorkRef>,
    promised: i64,
    starts: i64,
}

impl Policy for Promiser {
    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        for &trigger in triggers {
            match trigger {
                Trigger::Arrived(work) => {
                    self.work = Some(work);
                    let start = Time::from_secs(self.promised);
                    turn.promise(work, StartPromise::By(start));
                    turn.planned();
                    turn.wake(Time::from_secs(self.starts)).expect("it is later");
                }
                Trigger::Timer => {
                    let work = self.work.expect("it has arrived");
                    assert!(place_all(&mut Fit::first(), turn, work));
                }
                _ => (),
            }
        }
    }
}

#[test]
fn a_start_is_late_from_the_first_second_on() {
    for (starts, law) in [(9, None), (10, None), (11, Some(LAW))] {
        let mut promiser = Promiser { work: None, promised: 10, starts };
        assert_eq!(broken(&[(0, 5, 5, 1)], &mut promiser), law, "{starts}");
    }
}
