//! Data that a run moves: lines by the region that it leaves and the path that it takes.

use super::{LineUse, Settlement, price};
use crate::billing::rules::shipped;
use crate::billing::usage::{LinePrices, Product, Sale, Service, UsageUnit};
use crate::model::{Region, TransferPath, World};
use crate::state::{Charge, State};
use crate::units::{Id, Money};

const GIBIBYTE: i128 = 1 << 30;

impl Settlement {
    /// The product of what leaves a region on a path.
    fn moved_on(
        &mut self,
        world: &World,
        region: Id<Region>,
        path: Option<Id<TransferPath>>,
    ) -> Id<Product> {
        if let Some(product) = self.moves.get(&(region, path)) {
            return *product;
        }
        let product = self.biller.product(Product {
            currency: String::new(),
            provider: world.providers[world.regions[region].provider].name.clone(),
            service: Service::Transfer,
            region: world.regions[region].name.clone(),
            zone: String::new(),
            family: path.map_or("link", |path| world.paths[path].name.as_str()).to_owned(),
            size: String::new(),
            system: String::new(),
            tenancy: String::new(),
            sale: Sale::OnDemand,
            unit: UsageUnit::Gigabyte,
            weight: 0,
        });
        self.moves.insert((region, path), product);
        product
    }

    /// Hands on a transfer that is over, at the price of its link. What is paid is the price that the
    /// terms, or the provider's rules, have for its path, if they have one.
    pub(super) fn moved(&mut self, state: &State<'_>, charge: &Charge) {
        let path = state.world().link(charge.region, charge.to).path;
        let product = self.moved_on(state.world(), charge.region, path);
        let whole = UsageUnit::Gigabyte.whole();
        let quantity = (i128::from(charge.bytes) * whole + GIBIBYTE / 2) / GIBIBYTE;
        // What costs anything is at least a millionth of a gigabyte.
        let quantity = quantity.max(i128::from(charge.amount > Money::ZERO));
        let line = (quantity > 0).then_some(self.lines + 1);
        self.split.moved(line, state, charge);
        if quantity == 0 {
            return;
        }
        let price = price(charge.amount.nanos(), quantity, UsageUnit::Gigabyte);
        if self.charges.is_some() {
            let instance = Some(state.instance(charge.instance).ordinal);
            self.lines_of
                .push(LineUse { instance, mover: charge.work.map(|work| state.work(work).id) });
        }
        let now = self.unix(state.now());
        let prices = match self.biller.tiers_of(product) {
            Some(_) => LinePrices::PaidOfMonth,
            None => LinePrices::Own,
        };
        let of_path = shipped().transfer_price(&self.biller.products()[product], now);
        let paid = self.biller.negotiated(product, of_path.unwrap_or(price));
        self.take(product, (now, now), quantity, (price, paid, Some(charge.amount)), prices);
    }
}
