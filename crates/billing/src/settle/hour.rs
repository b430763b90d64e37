//! The usage of one clock hour, what covers it, and the charges that follow.

use crate::account::Account;
use crate::charge::{Charge, Origin, Purpose};
use crate::commitment::{Benefit, Commitment, hour_of, start_of};
use crate::rate;
use crate::terms::Terms;
use crate::units::{Id, IdVec, Money, Rate, Time};
use crate::usage::{Product, Unit, UsageLine};

use super::level;
use super::round::{Rounds, Step};
use super::sustained::SustainedLevels;
use super::tier::TierCounts;
use super::{reserved, spending};

/// Use of one product within the hour.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenLine {
    pub(super) origin: Origin,
    pub(super) account: Id<Account>,
    pub(super) product: Id<Product>,
    pub(super) from: Time,
    pub(super) until: Time,
    pub(super) quantity: i128,
    pub(super) list: Rate,
    pub(super) contracted: Rate,
    /// Quantity that is covered.
    pub(super) covered: i128,
}

/// A part of a line that a commitment covers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) line: u32,
    pub(super) commitment: Id<Commitment>,
    /// Quantities of the line that it lies between.
    pub(super) from: i128,
    pub(super) until: i128,
    /// Part of the hour's cost of the commitment.
    pub(super) cost: Money,
}

/// Benefit of a commitment in this hour: thousandths of units, times microseconds, or
/// nano-dollars; and what it costs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Purse {
    pub(super) whole: i128,
    pub(super) used: i128,
    cost: Money,
}

impl Purse {
    pub(super) const fn left(self) -> i128 {
        self.whole - self.used
    }

    /// Uses so much of it; returns the cost of that part. All parts, and what is unused, sum to
    /// the cost of the hour.
    pub(super) fn spend(&mut self, amount: i128) -> Money {
        let before = self.cost_of_used();
        self.used += amount;
        self.cost_of_used() - before
    }

    fn cost_of_used(self) -> Money {
        match self.whole {
            0 => Money::ZERO,
            whole => Money::from_nanos(self.cost.nanos() * self.used / whole),
        }
    }
}

/// One clock hour.
#[derive(Debug, Default)]
pub(super) struct Hour {
    pub(super) lines: Vec<OpenLine>,
    /// Lines by product, of those that may be covered; and the products that have any.
    by_product: Vec<Vec<u32>>,
    touched: Vec<Id<Product>>,
    pub(super) pieces: Vec<Piece>,
    purses: Vec<Purse>,
}

impl Hour {
    pub(super) fn push(&mut self, line: UsageLine) {
        self.lines.push(OpenLine {
            origin: Origin::Line(line.number),
            account: line.account,
            product: line.product,
            from: line.from,
            until: line.until,
            quantity: line.quantity,
            list: line.list,
            contracted: line.contracted,
            covered: 0,
        });
    }

    /// Adds what is kept of reserved capacity and does not run.
    pub(super) fn reserve(&mut self, now: i64, terms: &Terms, products: &IdVec<Product>) {
        let (start, end) = (start_of(now), start_of(now + 1));
        let used = self.lines.len();
        for (id, kept) in terms.reservations.iter() {
            let (from, until) = (kept.from.max(start), kept.until.min(end));
            if from >= until {
                continue;
            }
            let provider = &products[kept.product].provider;
            let running = self.lines[..used].iter().filter(|line| {
                let product = &products[line.product];
                line.account == kept.account
                    && product.unit == Unit::Hour
                    && product.provider == *provider
                    && kept.matching.covers(product)
            });
            let earlier = terms.reservations.rows()[..id.row()].iter().filter(|other| {
                other.account == kept.account
                    && other.matching == kept.matching
                    && products[other.product].provider == *provider
            });
            let quantity = level::idle(running, earlier, kept.machines, from, until);
            if quantity > 0 {
                self.lines.push(OpenLine {
                    origin: Origin::Reservation(id),
                    account: kept.account,
                    product: kept.product,
                    from,
                    until,
                    quantity,
                    list: kept.price,
                    contracted: kept.price,
                    covered: 0,
                });
            }
        }
    }

    /// Applies the commitments in their order.
    pub(super) fn cover(
        &mut self,
        now: i64,
        terms: &Terms,
        products: &IdVec<Product>,
        rounds: &Rounds,
    ) {
        self.by_product.resize_with(products.len(), Vec::new);
        for (row, line) in self.lines.iter().enumerate() {
            if rounds.is_covered(line.product) {
                let rows = &mut self.by_product[line.product.row()];
                if rows.is_empty() {
                    self.touched.push(line.product);
                }
                rows.push(row as u32);
            }
        }
        self.open_purses(now, terms);
        for round in rounds.iter() {
            let held = |step: &&Step| self.purses[step.commitment.row()].whole > 0;
            let steps: Vec<Step> = round.steps.iter().filter(held).copied().collect();
            let Some(first) = steps.first() else { continue };
            match &terms.commitments[first.commitment].benefit {
                Benefit::Reserved { .. } => reserved::apply(self, terms, rounds, &steps),
                Benefit::Spending { .. } => spending::apply(self, terms, products, &steps),
            }
        }
    }

    fn open_purses(&mut self, now: i64, terms: &Terms) {
        self.purses.clear();
        self.purses.extend(terms.commitments.iter().map(|(_, commitment)| {
            if !commitment.holds_in(now) {
                return Purse::default();
            }
            let whole = match &commitment.benefit {
                Benefit::Reserved { weight, .. } => {
                    i128::from(*weight) * i128::from(crate::commitment::HOUR)
                }
                Benefit::Spending { hourly, .. } => hourly.nanos(),
            };
            Purse { whole, used: 0, cost: commitment.amortised(now) }
        }));
    }

    pub(super) fn purse(&mut self, commitment: Id<Commitment>) -> &mut Purse {
        &mut self.purses[commitment.row()]
    }

    /// Products with lines in this hour that may be covered.
    pub(super) fn touched(&self) -> &[Id<Product>] {
        &self.touched
    }

    /// Lines of a product, in the order they came.
    pub(super) fn lines_of(&self, product: Id<Product>) -> &[u32] {
        &self.by_product[product.row()]
    }

    /// Covers `quantity` more of a line.
    pub(super) fn piece(
        &mut self,
        row: u32,
        commitment: Id<Commitment>,
        quantity: i128,
        cost: Money,
    ) {
        let line = &mut self.lines[row as usize];
        let from = line.covered;
        line.covered += quantity;
        self.pieces.push(Piece { line: row, commitment, from, until: line.covered, cost });
    }

    /// Gives the charges of all lines.
    pub(super) fn charge(
        &mut self,
        terms: &Terms,
        products: &IdVec<Product>,
        tiers: &mut TierCounts,
        sustained: &mut SustainedLevels,
        out: &mut impl FnMut(Charge),
    ) {
        self.pieces.sort_by_key(|piece| (piece.line, piece.from));
        let mut pieces = self.pieces.iter().peekable();
        for (row, line) in self.lines.iter().enumerate() {
            while let Some(piece) = pieces.next_if(|piece| piece.line as usize == row) {
                let by = piece.commitment;
                let purpose = Purpose::Covered { origin: line.origin, product: line.product, by };
                let unit = products[line.product].unit;
                out(Charge {
                    effective: piece.cost,
                    billed: Money::ZERO,
                    ..charge_of(line, purpose, unit, piece.from, piece.until)
                });
            }
            if line.covered == line.quantity {
                continue;
            }
            match tiers.table_of(line.product) {
                Some(table) => tiers.charge(terms, products, table, line, out),
                None => {
                    let purpose = Purpose::Usage { origin: line.origin, product: line.product };
                    let unit = products[line.product].unit;
                    out(charge_of(line, purpose, unit, line.covered, line.quantity));
                }
            }
            sustained.add(line, &products[line.product]);
        }
    }

    /// Gives the charges for commitments: what is paid, and what nobody used.
    pub(super) fn pay(&mut self, now: i64, terms: &Terms, out: &mut impl FnMut(Charge)) {
        for (id, commitment) in terms.commitments.iter() {
            if !commitment.holds_in(now) {
                continue;
            }
            let mut pay = |purpose, quantity, billed, effective| {
                out(Charge {
                    purpose,
                    account: commitment.owner,
                    from: start_of(now),
                    until: start_of(now + 1),
                    quantity,
                    list_price: Rate::ZERO,
                    contracted_price: Rate::ZERO,
                    list: Money::ZERO,
                    contracted: Money::ZERO,
                    effective,
                    billed,
                });
            };
            let purse = self.purses[id.row()];
            if now == hour_of(commitment.from) && commitment.upfront != Money::ZERO {
                let term = purse.whole * i128::from(commitment.hours());
                pay(Purpose::Upfront(id), term, commitment.upfront, Money::ZERO);
            }
            if commitment.hourly != Money::ZERO {
                pay(Purpose::Fee(id), purse.whole, commitment.hourly, Money::ZERO);
            }
            // A commitment to nothing is not used either, and what it costs is not lost.
            let cost = purse.cost - purse.cost_of_used();
            if purse.left() > 0 || cost != Money::ZERO {
                pay(Purpose::Unused(id), purse.left(), Money::ZERO, cost);
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.pieces.clear();
        for product in self.touched.drain(..) {
            self.by_product[product.row()].clear();
        }
    }
}

/// Charge of the part of a line between two quantities of it, at its price.
pub(super) fn charge_of(
    line: &OpenLine,
    purpose: Purpose,
    unit: Unit,
    from: i128,
    until: i128,
) -> Charge {
    let contracted = rate::part(from, until, unit, line.contracted);
    Charge {
        purpose,
        account: line.account,
        from: line.from,
        until: line.until,
        quantity: until - from,
        list_price: line.list,
        contracted_price: line.contracted,
        list: rate::part(from, until, unit, line.list),
        contracted,
        effective: contracted,
        billed: contracted,
    }
}
