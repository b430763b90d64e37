//! `instances.csv`: one row per instance, when it is given back.

use std::io;

use super::sheet::{Sheet, TextCells};
use crate::sim::Observer;
use crate::state::{AllocationRef, Exit, InstanceRef, Record, State};
use crate::units::{Money, Span, Time};

/// The columns, in order.
pub(super) const COLUMNS: [&str; 19] = [
    "instance",
    "offer",
    "provider",
    "region",
    "zone",
    "type",
    "market",
    "slot",
    "launch",
    "requested_s",
    "ready_s",
    "released_s",
    "unfinished",
    "ended_by",
    "busy_s",
    "billed_s",
    "tasks",
    "cost_usd",
    "restart_of",
];

/// Use of an instance so far.
#[derive(Clone, Copy, Debug, Default)]
struct InstanceLife {
    ready: Option<Time>,
    /// Number that it had before it was stopped, if it was.
    was: Option<u32>,
    /// Allocations running on it, and since when there are any.
    running: u32,
    since: Time,
    busy: i64,
    tasks: u64,
}

/// Writes `instances.csv` as instances are given back.
#[derive(Debug)]
pub struct InstancesCsv<W: io::Write> {
    sheet: Sheet<W>,
    /// Use of each instance, by its slot.
    lives: Vec<InstanceLife>,
    /// Number that the instance had which is requested again next.
    restarting: Option<u32>,
}

impl<W: io::Write> InstancesCsv<W> {
    /// Writes to `out`, which need not be buffered.
    pub fn new(out: W, cells: TextCells) -> Self {
        Self { sheet: Sheet::new(out, cells, COLUMNS), lives: Vec::new(), restarting: None }
    }

    /// Flushes and gives the writer back.
    ///
    /// # Errors
    /// The first error of the writer during the run.
    pub fn finish(self) -> io::Result<W> {
        self.sheet.finish()
    }

    fn started(&mut self, state: &State<'_>, allocation: AllocationRef) {
        for held in &state.allocation(allocation).held {
            let life = &mut self.lives[held.share.instance.slot()];
            if life.running == 0 {
                life.since = state.now();
            }
            life.running += 1;
            life.tasks += u64::from(held.share.tasks);
        }
    }

    fn stopped(&mut self, state: &State<'_>, allocation: AllocationRef) {
        let target = state.allocation(allocation);
        if target.started().is_none() {
            return;
        }
        for held in &target.held {
            let life = &mut self.lives[held.share.instance.slot()];
            life.running -= 1;
            if life.running == 0 {
                life.busy += (state.now() - life.since).micros();
            }
        }
    }

    fn row(&mut self, state: &State<'_>, of: InstanceRef, bill: (Span, Money), exit: Exit) {
        let (instance, world) = (state.instance(of), state.world());
        let (life, offer) = (self.lives[of.slot()], &world.offers[instance.offer]);
        let region = world.region_of(instance.offer);
        let sheet = &mut self.sheet;
        sheet.whole(instance.ordinal);
        sheet.text(&offer.name);
        sheet.text(&world.providers[world.regions[region].provider].name);
        sheet.text(&world.regions[region].name);
        sheet.text(&world.zones[offer.zone].name);
        sheet.text(&world.types[offer.instance_type].name);
        sheet.word(offer.market.name());
        sheet.whole(instance.slot);
        sheet.whole(instance.launch);
        sheet.time(Some(instance.meter().since()));
        sheet.time(life.ready);
        sheet.time(Some(state.now()));
        sheet.word(if exit == Exit::RunOver { "yes" } else { "no" });
        sheet.word(exit.by());
        sheet.span(Some(Span::from_micros(life.busy)));
        sheet.span(Some(bill.0));
        sheet.whole(life.tasks);
        sheet.money(bill.1);
        match life.was {
            Some(was) => sheet.whole(was),
            None => sheet.word(""),
        }
        sheet.end_row();
    }
}

impl<W: io::Write> Observer for InstancesCsv<W> {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        match *record {
            Record::Requested(instance) => {
                let slot = instance.slot();
                if self.lives.len() <= slot {
                    self.lives.resize(slot + 1, InstanceLife::default());
                }
                let was = self.restarting.take();
                self.lives[slot] = InstanceLife { was, ..InstanceLife::default() };
            }
            Record::Restarted { was, .. } => self.restarting = Some(was),
            Record::Ready(instance) => self.lives[instance.slot()].ready = Some(state.now()),
            Record::Started(allocation) => self.started(state, allocation),
            Record::Stopped { allocation, .. } => self.stopped(state, allocation),
            Record::Released { instance, billed, amount, exit } => {
                self.row(state, instance, (billed, amount), exit);
            }
            Record::Submitted(_)
            | Record::Placed(_)
            | Record::Finished(_)
            | Record::Refused { .. }
            | Record::Unfinished(_)
            | Record::Draining { .. }
            | Record::Failed { .. }
            | Record::Repaired(_)
            | Record::Outage { .. }
            | Record::Slowed { .. }
            | Record::Devices { .. }
            | Record::GivenUp { .. }
            | Record::Migrates { .. }
            | Record::AtRisk { .. }
            | Record::Charged(_)
            | Record::LaunchRefused { .. }
            | Record::Noted(..) => (),
        }
    }
}
