//! What is out over time: owned machines, one by one where they are few, and outages.

use std::collections::BTreeMap;

use crate::model::Offer;
use crate::units::{Id, Span, Time};

/// Parts of the time that are kept at most; beyond, two become one.
const PARTS: usize = 160;
/// Machines of an offer up to which each has a row of its own.
const APART: u32 = 12;

/// Something that is out at times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultRow {
    /// An outage: the fault in this row of the world.
    Outage(usize),
    /// Owned machines of an offer: the one in that slot, or all.
    Machines(Id<Offer>, Option<u32>),
}

/// Which share of machines and of offers is out, over time.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultRibbon {
    start: Time,
    end: Time,
    /// Microseconds of a part.
    width: i64,
    rows: BTreeMap<FaultRow, RibbonRow>,
}

/// A share that is out, since when, and its integral over each part, in microseconds.
#[derive(Clone, Debug, PartialEq)]
struct RibbonRow {
    out: f64,
    since: Time,
    sums: Vec<f64>,
}

impl Default for FaultRibbon {
    fn default() -> Self {
        Self::new(Time::ZERO)
    }
}

impl FaultRibbon {
    /// Nothing is out at `start`.
    pub const fn new(start: Time) -> Self {
        Self { start, end: start, width: 1_000_000, rows: BTreeMap::new() }
    }

    /// An outage, which takes this share, begins or ends.
    pub(crate) fn outage(&mut self, now: Time, fault: usize, share: f64, begins: bool) {
        let by = if begins { share } else { -share };
        self.change(now, FaultRow::Outage(fault), by);
    }

    /// A share more of the machine in a slot of an offer, of `all` that are owned, is out, or less: it fails
    /// or works again, or devices of it do.
    pub(crate) fn machine(
        &mut self,
        now: Time,
        (offer, slot): (Id<Offer>, u32),
        all: u32,
        share: f64,
    ) {
        match all > APART {
            true => self.change(now, FaultRow::Machines(offer, None), share / f64::from(all)),
            false => self.change(now, FaultRow::Machines(offer, Some(slot)), share),
        }
    }

    /// The time is over.
    pub(crate) fn end(&mut self, now: Time) {
        self.end = now;
        self.widen(now);
        let (start, width) = (self.start, self.width);
        self.rows.values_mut().for_each(|row| row.settle(start, width, now));
    }

    /// The share of each row that is out, on the average of each part of the time, from 0 to 1.
    pub fn rows(&self) -> impl Iterator<Item = (FaultRow, Vec<f64>)> + '_ {
        let whole = (self.end - self.start).micros();
        let parts = (whole + self.width - 1) / self.width;
        self.rows.iter().map(move |(&row, seen)| {
            let share = |part: i64| {
                let length = (whole - part * self.width).min(self.width);
                seen.sums.get(part as usize).copied().unwrap_or(0.0) / length as f64
            };
            (row, (0..parts).map(|part| share(part).clamp(0.0, 1.0)).collect())
        })
    }

    /// Start of the first part, and the length of each but the last.
    pub const fn parts(&self) -> (Time, Span) {
        (self.start, Span::from_micros(self.width))
    }

    fn change(&mut self, now: Time, row: FaultRow, by: f64) {
        self.widen(now);
        let (start, width) = (self.start, self.width);
        let none = RibbonRow { out: 0.0, since: now, sums: Vec::new() };
        let row = self.rows.entry(row).or_insert(none);
        row.settle(start, width, now);
        row.out += by;
    }

    /// Makes parts so long that `now` lies in one of them.
    fn widen(&mut self, now: Time) {
        while (now - self.start).micros() > self.width * PARTS as i64 {
            for row in self.rows.values_mut() {
                row.sums = row.sums.chunks(2).map(|pair| pair.iter().sum()).collect();
            }
            self.width *= 2;
        }
    }
}

impl RibbonRow {
    fn settle(&mut self, start: Time, width: i64, now: Time) {
        let (mut from, to) = ((self.since - start).micros(), (now - start).micros());
        self.since = now;
        while from < to {
            let part = from / width;
            let end = ((part + 1) * width).min(to);
            if self.sums.len() <= part as usize {
                self.sums.resize(part as usize + 1, 0.0);
            }
            self.sums[part as usize] += self.out * (end - from) as f64;
            from = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand over 320 s, in parts of 2 s: half of the offers out from 10 to 13, one of two machines from
    /// 1 to 3 and from 318 on, and one of 20 from 318 to 319.
    #[test]
    fn shares_are_those_by_hand() {
        let at = Time::from_secs;
        let mut ribbon = FaultRibbon::new(at(0));
        let [few, many] = [0, 1].map(Id::new);
        ribbon.machine(at(1), (few, 1), 2, 1.0);
        ribbon.machine(at(3), (few, 1), 2, -1.0);
        ribbon.outage(at(10), 4, 0.5, true);
        ribbon.outage(at(13), 4, 0.5, false);
        ribbon.machine(at(318), (few, 1), 2, 1.0);
        ribbon.machine(at(318), (many, 7), 20, 1.0);
        ribbon.machine(at(319), (many, 7), 20, -1.0);
        ribbon.end(at(320));
        assert_eq!(ribbon.parts(), (at(0), Span::from_secs(2)));
        let rows: Vec<(FaultRow, Vec<f64>)> = ribbon.rows().collect();
        let names = rows.iter().map(|row| row.0).collect::<Vec<_>>();
        let wanted =
            [FaultRow::Outage(4), FaultRow::Machines(few, Some(1)), FaultRow::Machines(many, None)];
        assert_eq!(names, wanted);
        assert!(rows.iter().all(|row| row.1.len() == 160));
        assert_eq!((rows[0].1[5], rows[0].1[6], rows[0].1[7]), (0.5, 0.25, 0.0));
        assert_eq!(
            (rows[1].1[0], rows[1].1[1], rows[1].1[2], rows[1].1[159]),
            (0.5, 0.5, 0.0, 1.0)
        );
        assert!((rows[2].1[159] - 0.025).abs() < 1e-12);
    }
}
