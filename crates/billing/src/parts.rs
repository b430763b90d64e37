//! What machines are made of where their provider sells, and commits, cores and memory apart.

use crate::commitment::{Benefit, Commitment, Matching, PlanPrice};
use crate::units::Rate;
use crate::usage::Product;

/// A machine as so many cores and so many GiB of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MachineParts {
    /// Cores, and GiB; at least one of each.
    pub units: [u32; 2],
    /// List prices of a core and of a GiB, each for an hour and more than nothing.
    pub prices: [Rate; 2],
}

/// Last words of what the parts are sold as, behind the family: `n2-core`.
pub const PART_WORDS: [&str; 2] = ["core", "memory"];

impl MachineParts {
    /// Prices of a core and of a GiB where the machine costs `price`, in the proportion of their list
    /// prices: that of a core is rounded half up to a pico-dollar, that of a GiB such that all of them
    /// come next to what the cores leave.
    pub fn prices_of(&self, price: Rate) -> [Rate; 2] {
        let [cores, gib] = self.units.map(i128::from);
        let [core, memory] = self.prices.map(|price| i128::from(price.picos()));
        let price = i128::from(price.picos());
        let core = halves_up(price * core, cores * core + gib * memory);
        let memory = halves_up((price - cores * core).max(0), gib);
        [core, memory].map(|picos| Rate::from_picos(i64::try_from(picos).unwrap_or(i64::MAX)))
    }

    /// The price of one part under a plan that has this price for the machine.
    pub(crate) fn plan_price(&self, part: usize, price: PlanPrice) -> PlanPrice {
        match price {
            PlanPrice::Fixed(fixed) => PlanPrice::Fixed(self.prices_of(fixed)[part]),
            PlanPrice::Share(_) => price,
        }
    }
}

/// A part of a machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MachinePart {
    /// The machine.
    pub machine: Product,
    /// What the machine is made of.
    pub made: MachineParts,
    /// Its place among the parts: 0 of the cores, 1 of the memory.
    pub part: usize,
}

impl MachinePart {
    /// The cores and the memory of a machine.
    pub fn both(machine: &Product, made: MachineParts) -> [Self; 2] {
        [0, 1].map(|part| Self { machine: machine.clone(), made, part })
    }

    /// What it is sold as.
    pub fn product(&self) -> Product {
        self.machine.part(PART_WORDS[self.part])
    }
}

impl Benefit {
    /// Whether it is for a product, which may be a part of a machine: plans for the machine are for it too.
    pub fn covers_sold(&self, product: &Product, of: Option<&MachinePart>) -> bool {
        match self {
            Self::Reserved { .. } => self.covers(product),
            Self::Spending { .. } => self.price_sold(product, of).is_some(),
        }
    }

    /// Price under the plan of a product, which may be a part of a machine: then the first row that is for
    /// either counts, and of the machine's price it has its part. `None` where it is no plan, or not for
    /// the product.
    pub fn price_sold(&self, product: &Product, of: Option<&MachinePart>) -> Option<PlanPrice> {
        let Self::Spending { rates, .. } = self else { return None };
        let whole = |matching: &Matching| of.filter(|of| matching.covers(&of.machine));
        let mut found = rates
            .iter()
            .filter(|rate| whole(&rate.matching).is_some() || rate.matching.prices(product));
        let rate = found.next()?;
        Some(whole(&rate.matching).map_or(rate.price, |of| of.made.plan_price(of.part, rate.price)))
    }
}

impl Commitment {
    /// See [`Benefit::covers_sold`].
    pub fn covers_sold(&self, product: &Product, of: Option<&MachinePart>) -> bool {
        product.provider == self.provider && self.benefit.covers_sold(product, of)
    }
}

/// List prices of a core and of a GiB by which machines of a family cost what they do: each comes
/// with its cores, GiB and price. `None` where no two of them tell both prices, where one of these is
/// not more than nothing, or where any machine costs a pico-dollar more or less for each of its parts.
pub fn part_prices(machines: &[([u32; 2], Rate)]) -> Option<[Rate; 2]> {
    let wide = |([cores, gib], price): ([u32; 2], Rate)| {
        [i128::from(cores), i128::from(gib), i128::from(price.picos())]
    };
    let rows: Vec<[i128; 3]> = machines.iter().copied().map(wide).collect();
    let [a, .., c] = *rows.first()?;
    let gib = rows.first()?[1];
    let other = rows.iter().find(|row| a * row[1] != row[0] * gib)?;
    // Cramer's rule.
    let whole = a * other[1] - other[0] * gib;
    let (core, memory) = (c * other[1] - other[2] * gib, a * other[2] - other[0] * c);
    let sign = whole.signum();
    let found = [core, memory].map(|part| halves_up(part * sign, whole * sign));
    let fits = |[cores, gib, price]: &[i128; 3]| {
        (cores * found[0] + gib * found[1] - price).abs() <= cores + gib
    };
    (found.iter().all(|price| *price > 0) && rows.iter().all(fits))
        .then(|| found.map(|picos| Rate::from_picos(i64::try_from(picos).unwrap_or(i64::MAX))))
}

/// `number` over `whole`, rounded half up.
const fn halves_up(number: i128, whole: i128) -> i128 {
    (2 * number + whole).div_euclid(2 * whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dollars(text: &str) -> Rate {
        Rate::parse(text).expect("a price")
    }

    #[test]
    fn two_machines_tell_the_prices_of_their_parts() {
        // n2-highcpu-8 and n2-standard-8 in Tokyo: 24 GiB more cost 0.130056, 0.005419 each, and eight
        // cores 0.368296 - 0.043352, 0.040618 each; n2-highmem-8 costs 0.324944 + 0.346816.
        let machines = |last: &str| {
            [([8, 8], "0.368296"), ([8, 32], "0.498352"), ([8, 64], last)]
                .map(|(units, price)| (units, dollars(price)))
        };
        let found = Some(["0.040618", "0.005419"].map(dollars));
        assert_eq!(part_prices(&machines("0.67176")), found);
        assert_eq!(part_prices(&machines("0.67177")), None);
        // Machines with as much memory for each core tell nothing, and no part is given away.
        assert_eq!(part_prices(&[([2, 8], dollars("0.1")), ([4, 16], dollars("0.2"))]), None);
        assert_eq!(part_prices(&[([2, 8], dollars("0.1")), ([2, 16], dollars("0.1"))]), None);
        assert_eq!(part_prices(&[]), None);
    }

    #[test]
    fn prices_of_parts_come_to_that_of_the_machine() {
        let [core, memory] = ["0.031611", "0.004237"].map(dollars);
        let machine = MachineParts { units: [8, 32], prices: [core, memory] };
        // 8 x 0.031611 + 32 x 0.004237 = 0.388472, and ten percent less.
        assert_eq!(machine.prices_of(dollars("0.388472")), [core, memory]);
        let less = ["0.0284499", "0.0038133"].map(dollars);
        assert_eq!(machine.prices_of(dollars("0.3496248")), less);
        for picos in [0, 1, 39, 40, 12_345_678_901, 9_000_000_000_000_000_000] {
            let [core, memory] = machine.prices_of(Rate::from_picos(picos));
            let all = 8 * i128::from(core.picos()) + 32 * i128::from(memory.picos());
            assert!((all - i128::from(picos)).abs() <= 16, "{picos}");
        }
    }
}
