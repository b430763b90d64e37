//! `charges.csv`: the bill, line by line.

use std::io;

use super::jobs::{identity, label};
use super::sheet::{Sheet, TextCells};
use crate::sim::Observer;
use crate::state::{Charge, Record, State};

/// The columns, in order.
pub(super) const COLUMNS: [&str; 15] = [
    "charge",
    "kind",
    "amount_usd",
    "instance",
    "offer",
    "provider",
    "region",
    "market",
    "job",
    "tenant",
    "from_s",
    "until_s",
    "bytes",
    "source",
    "ordinal",
];

/// Writes `charges.csv` as charges are made.
#[derive(Debug)]
pub struct ChargesCsv<W: io::Write> {
    sheet: Sheet<W>,
    number: u64,
}

impl<W: io::Write> ChargesCsv<W> {
    /// Writes to `out`, which need not be buffered.
    pub fn new(out: W, cells: TextCells) -> Self {
        Self { sheet: Sheet::new(out, cells, COLUMNS), number: 0 }
    }

    /// Flushes and gives the writer back.
    ///
    /// # Errors
    /// The first error of the writer during the run.
    pub fn finish(self) -> io::Result<W> {
        self.sheet.finish()
    }

    fn row(&mut self, state: &State<'_>, charge: &Charge) {
        let (instance, world) = (state.instance(charge.instance), state.world());
        let region = world.region_of(instance.offer);
        let sheet = &mut self.sheet;
        sheet.whole(self.number);
        sheet.word(charge.kind.name());
        sheet.money(charge.amount);
        sheet.whole(instance.ordinal);
        sheet.text(&world.offers[instance.offer].name);
        sheet.text(&world.providers[world.regions[region].provider].name);
        sheet.text(&world.regions[region].name);
        sheet.word(world.offers[instance.offer].market.name());
        match charge.work {
            Some(work) => {
                label(sheet, state, work);
                sheet.text(&state.book().tenants()[state.work(work).ask.tenant].name);
            }
            None => {
                sheet.empty();
                sheet.empty();
            }
        }
        sheet.time(Some(charge.from));
        sheet.time(Some(charge.until));
        sheet.whole(charge.bytes);
        identity(sheet, state, charge.work);
        sheet.end_row();
        self.number += 1;
    }
}

impl<W: io::Write> Observer for ChargesCsv<W> {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        if let Record::Charged(charge) = record {
            self.row(state, charge);
        }
    }
}
