//! The world as a policy in another process gets to know it: by stable names,
//! and without what the future brings.

use super::message::{
    BudgetMessage, CommitmentMessage, InstanceTypeMessage, LinkMessage, OfferMessage, QuotaMessage,
    RegionMessage, TakeMessage, WorldMessage,
};
use crate::model::{self, BudgetScope, CommitmentTake, HeldCommitment, QuotaUnit};
use crate::units::{Id, Rate, Span};

/// Message of the world: what can be used and rented, with the prices of now.
pub(super) fn describe(
    world: &model::World,
    held: &[HeldCommitment],
    price: impl Fn(Id<model::Offer>) -> Rate,
) -> WorldMessage {
    let regions = world.regions.iter().map(|(id, region)| RegionMessage {
        name: world.region_name(id),
        provider: world.providers[region.provider].name.clone(),
        jurisdiction: region.jurisdiction.clone(),
        certifications: region.certifications.clone(),
    });
    let types = world.types.rows().iter().map(|one| InstanceTypeMessage {
        name: one.name.clone(),
        cpu: one.shape.cpu,
        memory: one.shape.memory,
        gpus: one.shape.gpus,
        gpu_model: one.gpu_model.map(|model| world.gpu_models[model].name.clone()),
        speed: one.speed,
    });
    let offers = world.offers.iter().map(|(id, offer)| OfferMessage {
        name: offer.name.clone(),
        region: world.region_name(world.region_of(id)),
        zone: world.zones[offer.zone].name.clone(),
        r#type: offer.instance_type.row() as u32,
        market: offer.market.name().to_owned(),
        price: price(id).dollars_per_hour(),
        capacity: offer.capacity.first.filter(|_| !offer.capacity.moves()),
        boot: offer.launch.mean_secs().and_then(Span::from_secs_f64).map(Span::micros),
    });
    let quotas = world.quotas.iter().map(|quota| QuotaMessage {
        name: quota.name.clone(),
        unit: match quota.unit {
            QuotaUnit::Instances => "instances",
            QuotaUnit::Cpu => "cpu",
            QuotaUnit::Gpus => "gpus",
        }
        .to_owned(),
        limit: quota.limit,
        offers: quota.offers.iter().map(|offer| offer.row() as u32).collect(),
    });
    let pairs = world.regions.ids().flat_map(|from| world.regions.ids().map(move |to| (from, to)));
    let links = pairs.filter_map(|(from, to)| {
        let link = world.link(from, to);
        (link != model::Link::default()).then(|| LinkMessage {
            from: from.row() as u32,
            to: to.row() as u32,
            price: link.nanos_per_gib as f64 / 1e9,
            speed: link.bytes_per_sec,
        })
    });
    let budgets = world.budgets.iter().map(|budget| {
        let (provider, tenant) = match &budget.of {
            BudgetScope::Total => (None, None),
            BudgetScope::Provider(row) => (Some(world.providers[*row].name.clone()), None),
            BudgetScope::Tenant(name) => (None, Some(name.clone())),
        };
        let (name, limit) = (budget.name.clone(), budget.limit.dollars());
        BudgetMessage { name, limit, period: budget.period.to_string(), provider, tenant }
    });
    WorldMessage {
        regions: regions.collect(),
        types: types.collect(),
        offers: offers.collect(),
        quotas: quotas.collect(),
        links: links.collect(),
        budgets: budgets.collect(),
        commitments: commitments(held),
    }
}

/// Commitments as they are known.
pub(super) fn commitments(held: &[HeldCommitment]) -> Vec<CommitmentMessage> {
    held.iter().map(commitment).collect()
}

fn commitment(held: &HeldCommitment) -> CommitmentMessage {
    let take = |&(offer, take): &(Id<model::Offer>, CommitmentTake)| {
        let (units, price, share) = match take {
            CommitmentTake::Units(thousandths) => (Some(thousandths as f64 / 1e3), None, None),
            CommitmentTake::Spending { fixed, share } => {
                (None, fixed.map(Rate::dollars_per_hour), Some(f64::from(share) / 1e6))
            }
        };
        TakeMessage { offer: offer.row() as u32, units, price, share }
    };
    let is_plan =
        held.takes.iter().any(|(_, take)| matches!(take, CommitmentTake::Spending { .. }));
    CommitmentMessage {
        name: held.name.clone(),
        from: held.from.micros(),
        until: held.ends.micros(),
        kept: held.is_kept,
        amount: held.amount as f64 / if is_plan { 1e12 } else { 1e3 },
        takes: held.takes.iter().map(take).collect(),
    }
}
