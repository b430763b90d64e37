//! `charges.csv`: the bill, line by line.

use std::io;

use super::jobs::{identity, label};
use super::sheet::{KnownCells, Sheet, TextCells};
use crate::sim::Observer;
use crate::state::{Charge, ChargeKind, Record, State};

/// The columns, in order.
pub(super) const COLUMNS: [&str; 16] = [
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
    "share",
];

/// Writes `charges.csv` as charges are made.
#[derive(Debug)]
pub struct ChargesCsv<W: io::Write> {
    sheet: Sheet<W>,
    number: u64,
    offers: KnownCells,
    regions: KnownCells,
    tenants: KnownCells,
}

impl<W: io::Write> ChargesCsv<W> {
    /// Writes to `out`, which need not be buffered.
    pub fn new(out: W, cells: TextCells) -> Self {
        let [offers, regions, tenants] = [(); 3].map(|()| KnownCells::default());
        Self { sheet: Sheet::new(out, cells, COLUMNS), number: 0, offers, regions, tenants }
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
        let region = charge.region;
        let sheet = &mut self.sheet;
        sheet.whole(self.number);
        sheet.word(charge.kind.name());
        sheet.money(charge.amount);
        sheet.whole(instance.ordinal);
        let offer = instance.offer;
        sheet.known(&mut self.offers, offer.row(), || [&world.offers[offer].name]);
        sheet.known(&mut self.regions, region.row(), || {
            let region = &world.regions[region];
            [&world.providers[region.provider].name, &region.name]
        });
        sheet.word(match charge.kind {
            ChargeKind::Transfer => "",
            ChargeKind::Work | ChargeKind::Boot | ChargeKind::Idle => {
                world.offers[instance.offer].market.name()
            }
        });
        match charge.work {
            Some(work) => {
                label(sheet, state, work);
                let tenant = state.work(work).ask.tenant;
                let name = || [state.book().tenants()[tenant].name.as_str()];
                sheet.known(&mut self.tenants, tenant.row(), name);
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
        match charge.share {
            Some(share) => sheet.decimal(i128::from(share.millionths), 6),
            None => sheet.empty(),
        }
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
