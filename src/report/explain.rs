//! `explain.csv`: the policy's reasons, each written when it changes.

use std::collections::BTreeMap;
use std::io;

use super::jobs::{identity, label};
use super::sheet::{Sheet, TextCells};
use crate::experiment::{obstacle, refusal, rejection};
use crate::model::Offer;
use crate::sim::Observer;
use crate::state::{
    Ending, LaunchRefusal, Note, OfferRejection, Record, RefusalReason, State, WaitReason, WorkRef,
};
use crate::units::{Id, Money};

/// The columns, in order.
pub(super) const COLUMNS: [&str; 8] =
    ["time_s", "job", "note", "offer", "why", "cost_usd", "source", "ordinal"];

/// What was last written of one piece of work.
#[derive(Clone, Debug, Default)]
struct Told {
    waits: Option<WaitReason>,
    rejected: BTreeMap<Id<Offer>, OfferRejection>,
}

/// Writes `explain.csv`: a policy says at every turn why work waits and which
/// offers it turned down; a row is written when that differs from the last time.
/// Between them it says when work starts and is stopped, and of work that fits
/// nowhere what speaks against each offer. Needs a run with `Options::explain`.
#[derive(Debug)]
pub struct ExplainCsv<W: io::Write> {
    sheet: Sheet<W>,
    /// By slot of the work.
    told: Vec<Told>,
    /// By offer: why the last launch was refused, if it was.
    refused: Vec<Option<LaunchRefusal>>,
}

impl<W: io::Write> ExplainCsv<W> {
    /// Writes to `out`, which need not be buffered.
    pub fn new(out: W, cells: TextCells) -> Self {
        let sheet = Sheet::new(out, cells, COLUMNS);
        Self { sheet, told: Vec::new(), refused: Vec::new() }
    }

    /// Flushes and gives the writer back.
    ///
    /// # Errors
    /// The first error of the writer during the run.
    pub fn finish(self) -> io::Result<W> {
        self.sheet.finish()
    }

    fn noted(&mut self, state: &State<'_>, work: WorkRef, note: Note) {
        let told = &mut self.told[work.slot()];
        match note {
            Note::Waits(reason) => {
                if told.waits.replace(reason) != Some(reason) {
                    self.row(state, Some(work), "waits", None, reason.name(), None);
                }
            }
            Note::OfferRejected { offer, why, cost } => {
                if told.rejected.insert(offer, why) != Some(why) {
                    let words = match why {
                        OfferRejection::NotAllowed => obstacle(state, work, offer),
                        OfferRejection::TooSmall => obstacle(state, work, offer),
                        _ => None,
                    };
                    let words = words.unwrap_or_else(|| rejection(state, why));
                    let cost = (cost != Money::ZERO).then_some(cost);
                    self.row(state, Some(work), "offer not taken", Some(offer), &words, cost);
                }
            }
            Note::OfferChosen { offer, cost } => {
                told.rejected.clear();
                self.row(state, Some(work), "offer rented", Some(offer), "", Some(cost));
            }
        }
    }

    fn row(
        &mut self,
        state: &State<'_>,
        work: Option<WorkRef>,
        note: &'static str,
        offer: Option<Id<Offer>>,
        why: &str,
        cost: Option<Money>,
    ) {
        self.sheet.time(Some(state.now()));
        match work {
            Some(work) => label(&mut self.sheet, state, work),
            None => self.sheet.empty(),
        }
        self.sheet.word(note);
        self.sheet.text(offer.map_or("", |offer| &state.world().offers[offer].name));
        self.sheet.text(why);
        match cost {
            Some(cost) => self.sheet.money(cost),
            None => self.sheet.empty(),
        }
        identity(&mut self.sheet, state, work);
        self.sheet.end_row();
    }

    /// What speaks against each offer, of work that fits none.
    fn refused_everywhere(&mut self, state: &State<'_>, work: WorkRef) {
        for offer in state.world().offers.ids() {
            let why = obstacle(state, work, offer);
            let words = why.unwrap_or_else(|| "the policy does not rent it".to_owned());
            self.row(state, Some(work), "offer not taken", Some(offer), &words, None);
        }
    }
}

impl<W: io::Write> Observer for ExplainCsv<W> {
    fn begins(&mut self, state: &State<'_>) {
        self.refused = vec![None; state.world().offers.len()];
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        match *record {
            Record::Submitted(work) => {
                let slot = work.slot();
                if self.told.len() <= slot {
                    self.told.resize(slot + 1, Told::default());
                }
                self.told[slot] = Told::default();
            }
            Record::Noted(work, note) => self.noted(state, work, note),
            // What it waits for after this is news.
            Record::Started(allocation) => {
                let work = state.allocation(allocation).work();
                self.told[work.slot()] = Told::default();
                self.row(state, Some(work), "starts", None, "", None);
            }
            Record::Stopped { allocation, ending: Ending::Preempted, .. } => {
                let work = state.allocation(allocation).work();
                self.row(state, Some(work), "preempted", None, "", None);
            }
            Record::Refused { work, reason: RefusalReason::NeverFits } => {
                self.refused_everywhere(state, work);
            }
            Record::Requested(instance) => {
                self.refused[state.instance(instance).offer.row()] = None;
            }
            Record::LaunchRefused { offer, why }
                if self.refused[offer.row()].replace(why) != Some(why) =>
            {
                let words = refusal(state, why);
                self.row(state, None, "launch refused", Some(offer), &words, None);
            }
            _ => (),
        }
    }
}
