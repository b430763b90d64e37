//! The usage of one clock hour, what covers it, and the charges that follow.

use std::ops::Range;

use crate::charge::{BilledCharge, Origin, Purpose};
use crate::commitment::{Benefit, Commitment, hour_of, start_of};
use crate::rate;
use crate::terms::AccountTerms;
use crate::units::{Id, IdVec, Money, Rate};
use crate::usage::{Product, UsageLine, UsageUnit};

use super::apart::ApartMachine;
use super::capacity::KeptCapacity;
use super::coverage::Coverages;
use super::line::{LineAmounts, LineRun, OpenLine, ProductLine};
use super::purse::Purse;
use super::round::Rounds;
use super::sustained::SustainedLevels;
use super::{reserved, spending};

/// A part of a line that a commitment covers.
#[derive(Clone, Copy, Debug)]
struct CoveredPart {
    /// The piece of the same line that follows.
    next: Option<u32>,
    commitment: Id<Commitment>,
    /// Quantity of the line at which it ends: it begins where the piece before it ends.
    until: i128,
    /// Part of the hour's cost of the commitment.
    cost: Money,
}

/// Lines of one product, in the order they came.
#[derive(Debug, Default)]
struct ProductLines {
    lines: Vec<ProductLine>,
    runs: Vec<LineRun>,
    /// So many of the first lines are covered.
    drained: u32,
}

/// One clock hour.
#[derive(Debug, Default)]
pub(super) struct Hour {
    pub(super) lines: Vec<OpenLine>,
    /// Of the lines that have such.
    amounts: Vec<LineAmounts>,
    /// Lines by product, of those that may be covered; and the products that have any.
    by_product: Vec<ProductLines>,
    touched: Vec<(u64, Id<Product>)>,
    pieces: Vec<CoveredPart>,
    purses: Vec<Purse>,
    queues: (reserved::ProductQueue, spending::PlanQueue),
}

impl Hour {
    #[inline]
    pub(super) fn push(&mut self, line: &UsageLine, unit: UsageUnit, amounts: Option<LineAmounts>) {
        let amounts = amounts.map(|amounts| self.keep(amounts));
        self.lines.push(OpenLine {
            origin: Origin::Line(line.number),
            account: line.account,
            product: line.product,
            from: line.from,
            until: line.until,
            unit,
            quantity: line.quantity,
            list: line.list,
            contracted: line.contracted,
            covered: 0,
            pieces: None,
            amounts,
        });
    }

    fn keep(&mut self, amounts: LineAmounts) -> u32 {
        self.amounts.push(amounts);
        self.amounts.len() as u32 - 1
    }

    /// Takes the last line apart: it counts as covered, and the parts that follow it sum to it. Of
    /// each amount the cores have what their price says, and the memory the rest.
    pub(super) fn take_last_apart(&mut self, machine: &ApartMachine) {
        let Some(last) = self.lines.last_mut() else { return };
        let whole = *last;
        last.covered = last.quantity;
        let mut left = self.amounts_of(&whole, [0, whole.quantity]);
        let list = machine.made.prices_of(whole.list);
        let contracted = machine.made.prices_of(whole.contracted);
        for (part, &product) in machine.products.iter().enumerate() {
            let (list, contracted) = (list[part], contracted[part]);
            let quantity = whole.quantity * i128::from(machine.made.units[part]);
            let amount = |price| rate::amount(quantity, whole.unit, price);
            let priced = LineAmounts { list: amount(list), contracted: amount(contracted) };
            let own = match part {
                0 => LineAmounts {
                    list: priced.list.min(left.list),
                    contracted: priced.contracted.min(left.contracted),
                },
                _ => left,
            };
            left.list -= own.list;
            left.contracted -= own.contracted;
            let amounts = (own != priced).then(|| self.keep(own));
            self.lines.push(OpenLine { product, quantity, list, contracted, amounts, ..whole });
        }
    }

    /// Amounts of the part of a line between two quantities of it: the parts of a line, one after the
    /// other, sum to it.
    #[inline(always)]
    fn amounts_of(&self, line: &OpenLine, [from, until]: [i128; 2]) -> LineAmounts {
        let Some(place) = line.amounts else {
            let list = rate::part(from, until, line.unit, line.list);
            let contracted = match line.list == line.contracted {
                true => list,
                false => rate::part(from, until, line.unit, line.contracted),
            };
            return LineAmounts { list, contracted };
        };
        let all = self.amounts[place as usize];
        if (from, until) == (0, line.quantity) {
            return all;
        }
        let LineAmounts { list, contracted } = all;
        let of = |amount| rate::portion(amount, [from, until], line.quantity);
        LineAmounts { list: of(list), contracted: of(contracted) }
    }

    /// Puts the lines from that one on to their products, where these are wanted.
    pub(super) fn index(
        &mut self,
        from: usize,
        products: &IdVec<Product>,
        wanted: impl Fn(Id<Product>) -> bool,
    ) {
        self.by_product.resize_with(products.len(), ProductLines::default);
        for (row, line) in self.lines.iter().enumerate().skip(from) {
            if wanted(line.product) {
                let of = &mut self.by_product[line.product.row()];
                if of.lines.is_empty() {
                    self.touched.push((products[line.product].weight, line.product));
                }
                of.lines.push(ProductLine { row: row as u32, account: line.account });
                let (list, contracted, until) = (line.list, line.contracted, of.lines.len() as u32);
                match of.runs.last_mut() {
                    Some(run) if (run.list, run.contracted) == (list, contracted) => {
                        run.until = until;
                    }
                    Some(_) | None => of.runs.push(LineRun { list, contracted, until }),
                }
            }
        }
        self.touched.sort_unstable();
    }

    /// Adds what is kept of reserved capacity and does not run.
    pub(super) fn reserve(
        &mut self,
        now: i64,
        terms: &AccountTerms,
        capacity: &mut KeptCapacity,
        apart: &[Option<ApartMachine>],
    ) {
        let (start, end) = (start_of(now), start_of(now + 1));
        for (id, kept) in terms.reservations.iter() {
            let (from, until) = (kept.from.max(start), kept.until.min(end));
            if from >= until {
                continue;
            }
            let lines_of = |product: Id<Product>| self.by_product[product.row()].lines.as_slice();
            let quantity = capacity.idle(id, terms, [from, until], lines_of, &self.lines);
            let worth = terms.exchange(kept.currency, now);
            if quantity > 0 {
                self.lines.push(OpenLine {
                    origin: Origin::Reservation(id),
                    account: kept.account,
                    product: kept.product,
                    from,
                    until,
                    unit: UsageUnit::Hour,
                    quantity,
                    list: worth.price(kept.price),
                    contracted: worth.price(kept.contracted),
                    covered: 0,
                    pieces: None,
                    amounts: None,
                });
                if let Some(machine) = &apart[kept.product.row()] {
                    self.take_last_apart(machine);
                }
            }
        }
    }

    /// Applies the commitments in their order.
    pub(super) fn cover(
        &mut self,
        now: i64,
        terms: &AccountTerms,
        rounds: &Rounds,
        coverages: &Coverages,
    ) {
        let (mut machines, mut plans) = std::mem::take(&mut self.queues);
        for round in rounds.iter() {
            let Some(first) = round.steps.first() else { continue };
            match &terms.commitments[first.commitment].benefit {
                Benefit::Reserved { .. } => {
                    reserved::apply(self, terms, coverages, &round.steps, &mut machines);
                }
                Benefit::Spending { .. } => {
                    spending::apply(self, terms, coverages, (now, &round.steps), &mut plans);
                }
            }
        }
        self.queues = (machines, plans);
    }

    /// Nothing of the commitments is used yet.
    pub(super) fn open_purses(&mut self, now: i64, terms: &AccountTerms) {
        self.purses.clear();
        self.purses.extend(terms.commitments.iter().map(|(_, commitment)| {
            match commitment.holds_in(now) {
                true => Purse::full(&terms.in_dollars(commitment, now), now),
                false => Purse::default(),
            }
        }));
    }

    pub(super) fn purse(&mut self, commitment: Id<Commitment>) -> &mut Purse {
        &mut self.purses[commitment.row()]
    }

    /// So much of a commitment is used.
    pub(super) fn used(&self, commitment: Id<Commitment>) -> i128 {
        self.purses[commitment.row()].used
    }

    /// Products with lines in this hour that may be covered, the smallest first.
    pub(super) fn touched(&self) -> &[(u64, Id<Product>)] {
        &self.touched
    }

    /// The same, to be given back.
    pub(super) fn take_touched(&mut self) -> Vec<(u64, Id<Product>)> {
        std::mem::take(&mut self.touched)
    }

    pub(super) fn give_touched(&mut self, touched: Vec<(u64, Id<Product>)>) {
        self.touched = touched;
    }

    /// Lines of a product, to be given back.
    pub(super) fn take_lines(&mut self, product: Id<Product>) -> Vec<ProductLine> {
        std::mem::take(&mut self.by_product[product.row()].lines)
    }

    pub(super) fn give_lines(&mut self, product: Id<Product>, lines: Vec<ProductLine>) {
        self.by_product[product.row()].lines = lines;
    }

    /// Lines of a product, in the order they came.
    pub(super) fn lines_of(&self, product: Id<Product>) -> &[ProductLine] {
        &self.by_product[product.row()].lines
    }

    /// Runs of them.
    pub(super) fn runs_of(&self, product: Id<Product>) -> &[LineRun] {
        &self.by_product[product.row()].runs
    }

    /// Number of the first lines of a product that are covered.
    pub(super) fn drained(&self, product: Id<Product>) -> u32 {
        let of = &self.by_product[product.row()];
        let covered = of.lines[of.drained as usize..].iter().take_while(|known| {
            let line = &self.lines[known.row as usize];
            line.covered == line.quantity
        });
        of.drained + covered.count() as u32
    }

    /// Places among the lines of a product, from the first that is not covered on.
    pub(super) fn open_places(&mut self, product: Id<Product>) -> Range<usize> {
        let drained = self.drained(product);
        let of = &mut self.by_product[product.row()];
        of.drained = drained;
        drained as usize..of.lines.len()
    }

    /// Covers `quantity` more of a line.
    #[inline]
    pub(super) fn piece(
        &mut self,
        row: u32,
        commitment: Id<Commitment>,
        quantity: i128,
        cost: Money,
    ) {
        let line = &mut self.lines[row as usize];
        let number = self.pieces.len() as u32;
        line.covered += quantity;
        let first = line.pieces.map_or(number, |[first, last]| {
            self.pieces[last as usize].next = Some(number);
            first
        });
        line.pieces = Some([first, number]);
        self.pieces.push(CoveredPart { next: None, commitment, until: line.covered, cost });
    }

    /// Gives the charges of all lines.
    pub(super) fn charge(
        &mut self,
        terms: &AccountTerms,
        sustained: &mut SustainedLevels,
        out: &mut impl FnMut(BilledCharge),
    ) {
        for line in &self.lines {
            let (mut next, mut from) = (line.pieces.map(|[first, _]| first), 0);
            while let Some(number) = next {
                let piece = &self.pieces[number as usize];
                next = piece.next;
                let by = piece.commitment;
                let purpose = Purpose::Covered { origin: line.origin, product: line.product, by };
                let paid = Some((piece.cost, Money::ZERO));
                out(self.charge_of(line, purpose, [from, piece.until], paid));
                from = piece.until;
            }
            if line.covered == line.quantity {
                continue;
            }
            let purpose = Purpose::Usage { origin: line.origin, product: line.product };
            out(self.charge_of(line, purpose, [line.covered, line.quantity], None));
            sustained.add(terms, line);
        }
    }

    /// Charge of the part of a line between two quantities of it, at its price, or at what is effective
    /// and billed instead.
    #[inline(always)]
    fn charge_of(
        &self,
        line: &OpenLine,
        purpose: Purpose,
        part: [i128; 2],
        paid: Option<(Money, Money)>,
    ) -> BilledCharge {
        let LineAmounts { list, contracted } = self.amounts_of(line, part);
        let (effective, billed) = paid.unwrap_or((contracted, contracted));
        BilledCharge {
            purpose,
            account: line.account,
            from: line.from,
            until: line.until,
            quantity: part[1] - part[0],
            list_price: line.list,
            contracted_price: line.contracted,
            list,
            contracted,
            effective,
            billed,
        }
    }

    /// Gives the charges for commitments: what is paid, and what nobody used.
    pub(super) fn pay(
        &mut self,
        now: i64,
        terms: &AccountTerms,
        out: &mut impl FnMut(BilledCharge),
    ) {
        for (id, commitment) in terms.commitments.iter() {
            let is_bought = now == hour_of(commitment.bought);
            if !commitment.holds_in(now) && !is_bought {
                continue;
            }
            let commitment = terms.in_dollars(commitment, now);
            let mut pay = |purpose, quantity, billed, effective| {
                out(BilledCharge {
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
            if is_bought && commitment.upfront != Money::ZERO {
                let term = commitment.benefit.of_an_hour() * i128::from(commitment.hours());
                pay(Purpose::Upfront(id), term, commitment.upfront, Money::ZERO);
            }
            if !commitment.holds_in(now) {
                continue;
            }
            let purse = self.purses[id.row()];
            if commitment.hourly != Money::ZERO {
                pay(Purpose::Fee(id), purse.whole, commitment.hourly, Money::ZERO);
            }
            // A commitment to nothing is not used either, and what it costs is not lost.
            let cost = purse.cost - purse.given;
            if purse.left() > 0 || cost != Money::ZERO {
                pay(Purpose::Unused(id), purse.left(), Money::ZERO, cost);
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.amounts.clear();
        self.pieces.clear();
        for (_, product) in self.touched.drain(..) {
            let of = &mut self.by_product[product.row()];
            of.lines.clear();
            of.runs.clear();
            of.drained = 0;
        }
    }
}
