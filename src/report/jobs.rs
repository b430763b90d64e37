//! `jobs.csv`: one row per piece of work, when it ends.

use std::io;

use super::sheet::{KnownCells, Sheet, TextCells};
use crate::metrics::{Energy, EnergyMeter, SLOWDOWN_FLOOR};
use crate::model::{Offer, WorkId};
use crate::sim::Observer;
use crate::state::{AllocationRef, Record, State, WorkRef};
use crate::units::{Id, Span};

/// The columns, in order.
pub(super) const COLUMNS: [&str; 33] = [
    "job",
    "source",
    "ordinal",
    "kind",
    "tenant",
    "state",
    "reason",
    "submitted_s",
    "first_start_s",
    "end_s",
    "wait_s",
    "run_s",
    "turnaround_s",
    "bounded_slowdown",
    "deadline_s",
    "met",
    "tasks",
    "cpu_milli",
    "memory_mib",
    "gpus",
    "gpu_share_milli",
    "exclusive",
    "priority",
    "offer",
    "machines",
    "preemptions",
    "cost_usd",
    "estimate_s",
    "home",
    "input_bytes",
    "output_bytes",
    "energy_kwh",
    "carbon_kg",
];

/// Writes `jobs.csv` as work ends.
#[derive(Debug)]
pub struct JobsCsv<W: io::Write> {
    sheet: Sheet<W>,
    tenants: KnownCells,
    offers: KnownCells,
    /// Offers of the machines in the last start of work, by its slot, if it took several, and how
    /// many of each.
    machines: Vec<Vec<(Id<Offer>, u32)>>,
    meter: EnergyMeter,
    /// Whether the power of any machine and the carbon of any grid are known.
    known: [bool; 2],
    /// What work has caused so far, by its slot.
    energy: Vec<Energy>,
}

impl<W: io::Write> JobsCsv<W> {
    /// Writes to `out`, which need not be buffered.
    pub fn new(out: W, cells: TextCells) -> Self {
        let (tenants, offers) = (KnownCells::default(), KnownCells::default());
        Self {
            sheet: Sheet::new(out, cells, COLUMNS),
            tenants,
            offers,
            machines: Vec::new(),
            meter: EnergyMeter::default(),
            known: [false; 2],
            energy: Vec::new(),
        }
    }

    /// Flushes and gives the writer back.
    ///
    /// # Errors
    /// The first error of the writer during the run.
    pub fn finish(self) -> io::Result<W> {
        self.sheet.finish()
    }

    /// Remembers the machines of work that took several at once.
    fn started(&mut self, state: &State<'_>, allocation: AllocationRef) {
        let target = state.allocation(allocation);
        let slot = target.work().slot();
        if target.held.len() < 2 {
            // A gang that started on several before may have fewer tasks now.
            if let Some(machines) = self.machines.get_mut(slot) {
                machines.clear();
            }
            return;
        }
        if self.machines.len() <= slot {
            self.machines.resize(slot + 1, Vec::new());
        }
        let machines = &mut self.machines[slot];
        machines.clear();
        for held in &target.held {
            let offer = state.instance(held.share.instance).offer;
            match machines.iter_mut().find(|(known, _)| *known == offer) {
                Some((_, count)) => *count += 1,
                None => machines.push((offer, 1)),
            }
        }
    }

    fn row(&mut self, state: &State<'_>, work: WorkRef, how: &'static str, reason: &'static str) {
        let live = state.work(work);
        let (sheet, now) = (&mut self.sheet, state.now());
        let finished = how == "finished";
        label(sheet, state, work);
        sheet.whole(live.id.source);
        sheet.whole(live.id.ordinal);
        sheet.word(live.kind.name());
        let tenant = live.ask.tenant;
        sheet.known(&mut self.tenants, tenant.row(), || [&state.book().tenants()[tenant].name]);
        sheet.word(how);
        sheet.word(reason);
        sheet.time(Some(live.arrival));
        sheet.time(live.first_start());
        sheet.time(Some(now));
        sheet.span(live.first_start().map(|start| start - live.arrival));
        sheet.span(live.first_start().map(|start| now - start));
        let turnaround = finished.then_some(now - live.arrival);
        sheet.span(turnaround);
        match turnaround {
            Some(turnaround) => sheet.decimal(bounded_slowdown(turnaround, state.ran(work)), 6),
            None => sheet.empty(),
        }
        sheet.time(live.ask.deadline);
        sheet.word(match live.ask.deadline {
            None => "",
            Some(deadline) if finished && now <= deadline => "yes",
            Some(_) => "no",
        });
        sheet.whole(state.whole_tasks(work));
        sheet.whole(live.ask.demand.cpu);
        sheet.whole(live.ask.demand.memory);
        sheet.whole(live.ask.demand.gpus);
        sheet.whole(live.ask.demand.gpu_share);
        sheet.word(if live.ask.demand.exclusive { "yes" } else { "" });
        sheet.whole(live.ask.priority);
        match live.last_offer {
            Some(offer) => {
                let name = || [state.world().offers[offer].name.as_str()];
                sheet.known(&mut self.offers, offer.row(), name);
            }
            None => sheet.empty(),
        }
        let machines = self.machines.get_mut(work.slot()).map(std::mem::take);
        match machines.filter(|machines| !machines.is_empty()) {
            Some(machines) => sheet.text(&shown(state, &machines)),
            None => sheet.empty(),
        }
        sheet.whole(live.preemptions);
        sheet.money(live.cost);
        sheet.span(live.ask.estimate);
        match live.ask.home {
            Some(home) => {
                sheet.text(&state.book().homes()[home].name);
                sheet.whole(live.ask.input.unsigned_abs());
                sheet.whole(live.ask.output.unsigned_abs());
            }
            None => (0..3).for_each(|_| sheet.empty()),
        }
        let energy = self.energy.get_mut(work.slot()).map(std::mem::take).unwrap_or_default();
        let [knows_power, knows_carbon] = self.known;
        sheet.number(knows_power.then(|| energy.kwh()));
        sheet.number((knows_power && knows_carbon).then(|| energy.carbon_kg()));
        sheet.end_row();
    }
}

/// `NAME x 3|OTHER x 1`.
fn shown(state: &State<'_>, machines: &[(Id<Offer>, u32)]) -> String {
    let name = |offer: Id<Offer>| &state.world().offers[offer].name;
    let shown = machines.iter().map(|&(offer, count)| format!("{} x {count}", name(offer)));
    shown.collect::<Vec<_>>().join("|")
}

/// Bounded slowdown in millionths: `max(1, turnaround / max(ran, 10 s))`.
fn bounded_slowdown(turnaround: Span, ran: Span) -> i128 {
    let bound = i128::from(ran.max(SLOWDOWN_FLOOR).micros());
    (i128::from(turnaround.micros()) * 1_000_000 / bound).max(1_000_000)
}

/// The cell that names the work: its name, or its ordinal where it has none,
/// with the repetition in front if there is one; as `Work::label` has it.
pub(super) fn label<W: io::Write>(sheet: &mut Sheet<W>, state: &State<'_>, work: WorkRef) {
    match (state.work(work).id, state.name(work)) {
        (WorkId { source: 0, ordinal }, "") => sheet.whole(ordinal),
        (WorkId { source: 0, .. }, name) => sheet.text(name),
        (WorkId { source, ordinal }, "") => sheet.text(&format!("{source}/{ordinal}")),
        (WorkId { source, .. }, name) => sheet.text(&format!("{source}/{name}")),
    }
}

/// Source and ordinal, which two pieces of work never share; empty without work.
pub(super) fn identity<W: io::Write>(
    sheet: &mut Sheet<W>,
    state: &State<'_>,
    work: Option<WorkRef>,
) {
    match work.map(|work| state.work(work).id) {
        Some(WorkId { source, ordinal }) => {
            sheet.whole(source);
            sheet.whole(ordinal);
        }
        None => {
            sheet.empty();
            sheet.empty();
        }
    }
}

impl<W: io::Write> Observer for JobsCsv<W> {
    fn begins(&mut self, state: &State<'_>) {
        let world = state.world();
        self.meter.begins(world);
        let powers = world.offers.ids().any(|offer| world.type_of(offer).power.is_some());
        self.known = [powers, world.regions.rows().iter().any(|region| region.carbon.is_some())];
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        if let Some((work, energy)) = self.meter.record(state, record) {
            if self.energy.len() <= work.slot() {
                self.energy.resize(work.slot() + 1, Energy::default());
            }
            self.energy[work.slot()] += energy;
        }
        match *record {
            Record::Started(allocation) => self.started(state, allocation),
            Record::Finished(work) => self.row(state, work, "finished", ""),
            Record::Refused { work, reason } => self.row(state, work, "refused", reason.name()),
            Record::Unfinished(work) => self.row(state, work, "unfinished", ""),
            Record::Submitted(_)
            | Record::Placed(_)
            | Record::Stopped { .. }
            | Record::Requested(_)
            | Record::Ready(_)
            | Record::Draining { .. }
            | Record::Failed { .. }
            | Record::Repaired(_)
            | Record::Outage { .. }
            | Record::Slowed { .. }
            | Record::Devices { .. }
            | Record::Restarted { .. }
            | Record::GivenUp { .. }
            | Record::Migrates { .. }
            | Record::AtRisk { .. }
            | Record::Released { .. }
            | Record::Charged(_)
            | Record::LaunchRefused { .. }
            | Record::Noted(..) => (),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_jobs_do_not_blow_up_the_slowdown() {
        // 100 s in all, 50 s running: 2; 1 s running counts as 10 s: 10; no wait: 1.
        for (turnaround, ran, want) in [(100, 50, 2), (100, 1, 10), (1, 1, 1)] {
            let got = bounded_slowdown(Span::from_secs(turnaround), Span::from_secs(ran));
            assert_eq!(got, want * 1_000_000);
        }
    }
}
