//! Usage: what was used, by whom, when. One line is of one product, in one account.

use crate::account::Account;
use crate::rate;
use crate::rules::shipped;
use crate::units::{Id, Money, Rate, Time};

/// Unit that a price is per. Quantities are whole millionths of what a unit counts; of an hour
/// they are microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UsageUnit {
    /// An hour of a machine, of a core, or of an address.
    Hour,
    /// A gigabyte of 1,024³ bytes that is moved.
    Gigabyte,
    /// A gigabyte that is kept for a calendar month.
    GigabyteMonth,
    /// A request.
    Request,
}

impl UsageUnit {
    /// Every unit.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Gigabyte, Self::GigabyteMonth, Self::Request];

    /// The word of tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Gigabyte => "GB",
            Self::GigabyteMonth => "GB-month",
            Self::Request => "request",
        }
    }

    /// Quantity of one unit.
    pub const fn whole(self) -> i128 {
        match self {
            Self::Hour => 3_600_000_000,
            Self::Gigabyte | Self::GigabyteMonth | Self::Request => 1_000_000,
        }
    }
}

/// Kind of thing that is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Machines, and the cores and memory of machines that are priced by them.
    Compute,
    /// Containers and functions that are paid by their size and time.
    Serverless,
    /// The software on a machine that is billed by itself.
    License,
    /// Volumes of machines.
    BlockStorage,
    /// Objects.
    ObjectStorage,
    /// Bytes that leave a zone, a region or a provider.
    Transfer,
    /// Addresses on the internet.
    Address,
    /// Load balancers.
    LoadBalancer,
}

impl Service {
    /// Every service.
    pub const ALL: [Self; 8] = [
        Self::Compute,
        Self::Serverless,
        Self::License,
        Self::BlockStorage,
        Self::ObjectStorage,
        Self::Transfer,
        Self::Address,
        Self::LoadBalancer,
    ];

    /// Unit in which it is sold where nothing is said.
    pub const fn usual_unit(self) -> UsageUnit {
        match self {
            Self::Transfer => UsageUnit::Gigabyte,
            Self::BlockStorage | Self::ObjectStorage => UsageUnit::GigabyteMonth,
            Self::Compute
            | Self::Serverless
            | Self::License
            | Self::Address
            | Self::LoadBalancer => UsageUnit::Hour,
        }
    }

    /// The word of tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Serverless => "serverless",
            Self::License => "license",
            Self::BlockStorage => "block-storage",
            Self::ObjectStorage => "object-storage",
            Self::Transfer => "transfer",
            Self::Address => "address",
            Self::LoadBalancer => "load-balancer",
        }
    }
}

/// Way in which a product is sold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sale {
    /// At list price, for as long as it is used.
    #[default]
    OnDemand,
    /// At a discount, until it is taken back.
    Spot,
    /// In a block of capacity that was paid for before.
    Block,
}

impl Sale {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::OnDemand, Self::Spot, Self::Block];

    /// The word of tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::Spot => "spot",
            Self::Block => "block",
        }
    }
}

/// A thing that a provider sells, without its price. What does not apply is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Product {
    /// Short name of the provider.
    pub provider: String,
    /// Code of the currency of its prices; empty where they are in dollars.
    pub currency: String,
    /// Kind of thing.
    pub service: Service,
    /// The region.
    pub region: String,
    /// The zone.
    pub zone: String,
    /// Family of instance types, path of a transfer, class of storage.
    pub family: String,
    /// The instance type.
    pub size: String,
    /// Operating system.
    pub system: String,
    /// `default`, `dedicated` or `host`.
    pub tenancy: String,
    /// Way in which it is sold.
    pub sale: Sale,
    /// Unit of its price.
    pub unit: UsageUnit,
    /// Size within its family, in thousandths of the unit in which reservations of a family are
    /// counted: a normalisation factor, a ratio, cores.
    pub weight: u64,
}

impl Product {
    /// The family of the machines whose part it is, where it is sold apart from machines: `n2` of `n2-core`.
    pub fn machine_family(&self) -> Option<&str> {
        let is_part = self.size == self.family && shipped().is_part(&self.provider, &self.size);
        self.size.rsplit_once('-').map(|(family, _)| family).filter(|_| is_part)
    }

    /// A part of the machine, which is sold by that word: its family, `n2` say, and `core`.
    pub(crate) fn part(&self, word: &str) -> Self {
        let name = format!("{}-{word}", self.family);
        Self { family: name.clone(), size: name, weight: 1_000, ..self.clone() }
    }
}

/// Line of usage: one product, used in one stretch of time that lies in one clock hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageLine {
    /// Number by which charges name it.
    pub number: u64,
    /// Account that used it.
    pub account: Id<Account>,
    /// The product.
    pub product: Id<Product>,
    /// Beginning of the stretch, since 1970.
    pub from: Time,
    /// End of the stretch.
    pub until: Time,
    /// Quantity, in millionths of its unit (see [`UsageUnit::whole`]).
    pub quantity: i128,
    /// List price of that moment, per unit, in the currency of the product.
    pub list: Rate,
    /// Price that was negotiated, per unit: the list price where nothing was.
    pub contracted: Rate,
    /// Which of these hold for a product that has tiers.
    pub prices: LinePrices,
    /// What all of it costs at list prices, where somebody else has rounded that; `None` for the quantity
    /// at the list price.
    pub amount: Option<Money>,
}

impl UsageLine {
    /// The part of its own amount that falls between two quantities of it.
    #[inline]
    pub(crate) fn amount_of(&self, from: i128, until: i128) -> Option<Money> {
        self.amount.map(|amount| rate::portion(amount, [from, until], self.quantity))
    }
}

/// Prices of a line of a product that has a table of tiers; of any other its own hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinePrices {
    /// Its own.
    Own,
    /// Those that follow from the quantity of the month.
    OfMonth,
    /// Its own by the list, and what is paid follows from the quantity of the month.
    PaidOfMonth,
}
