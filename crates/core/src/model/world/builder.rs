//! Worlds made in code, row by row, with defaults for whatever is not said.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Billing, CapacityPath, GpuModel, InstanceType, LaunchStage, LaunchTerms, Link, Market, Offer,
    PricePath, Provider, Quota, QuotaUnit, Region, SpotTerms, World, Zone,
};
use crate::problem::{Problem, Problems, clip, did_you_mean};
use crate::units::{Calendar, Distribution, Id, MAX_GPUS, Rate, Shape, Span};

/// An offer for [`WorldBuilder::offer`], with its place and its instance type.
///
/// A place is written `provider/region/zone`. A zone that is left out is called like the region,
/// a region that is left out like the provider, so an owned cluster is one word.
#[derive(Clone, Debug, PartialEq)]
pub struct OfferSpec {
    place: String,
    name: Option<String>,
    gpu_model: String,
    market: Market,
    price: Option<Rate>,
    price_text: String,
    max_price: Option<Rate>,
    capacity: CapacityPath,
    launch: LaunchTerms,
    running: u32,
    instance_type: InstanceType,
}

impl OfferSpec {
    /// `count` owned machines that run from the start and cost nothing.
    pub fn owned(place: &str, instance_type: &str, shape: Shape, count: u32) -> Self {
        Self {
            capacity: CapacityPath::constant(Some(count)),
            running: count,
            ..Self::new(place, instance_type, shape, Market::Owned, "0")
        }
    }

    /// Machines for rent at `price` in dollars per hour (`"0.192"`), as many as are wanted, which
    /// boot at once.
    pub fn on_demand(place: &str, instance_type: &str, shape: Shape, price: &str) -> Self {
        Self::new(place, instance_type, shape, Market::OnDemand, price)
    }

    /// The same on the spot market.
    pub fn spot(place: &str, instance_type: &str, shape: Shape, price: &str) -> Self {
        Self::new(place, instance_type, shape, Market::Spot, price)
    }

    fn new(place: &str, name: &str, shape: Shape, market: Market, price: &str) -> Self {
        let instance_type = InstanceType {
            name: name.to_owned(),
            family: name.split('.').next().unwrap_or_default().to_owned(),
            shape,
            whole: shape,
            gpu_model: None,
            speed: 1_000_000,
            power: None,
        };
        Self {
            place: place.to_owned(),
            name: None,
            gpu_model: String::new(),
            market,
            price: Rate::parse(price),
            price_text: price.to_owned(),
            max_price: None,
            capacity: CapacityPath::default(),
            launch: LaunchTerms::taking(Distribution::Constant(0.0)),
            running: 0,
            instance_type,
        }
    }

    /// Sets the full name, which must be unique. Without one it is `provider/zone/type/market`, and
    /// `provider/type` of owned machines.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Model of its GPUs, such as `A100-80GB`.
    #[must_use]
    pub fn gpu_model(mut self, model: &str) -> Self {
        model.clone_into(&mut self.gpu_model);
        self
    }

    /// Speed relative to the reference machine, in millionths.
    #[must_use]
    pub const fn speed(mut self, millionths: u32) -> Self {
        self.instance_type.speed = millionths;
        self
    }

    /// Price of one instance in dollars per hour, also of owned machines.
    #[must_use]
    pub fn price(mut self, dollars: &str) -> Self {
        self.price = Rate::parse(dollars);
        dollars.clone_into(&mut self.price_text);
        self
    }

    /// Most instances at once; `None` is unlimited.
    #[must_use]
    pub fn at_most(mut self, instances: impl Into<Option<u32>>) -> Self {
        self.capacity = CapacityPath::constant(instances.into());
        self
    }

    /// Most instances at once, over time.
    #[must_use]
    pub fn capacity(mut self, path: CapacityPath) -> Self {
        self.capacity = path;
        self
    }

    /// Highest price that is paid on the spot market.
    #[must_use]
    pub const fn max_price(mut self, rate: Rate) -> Self {
        self.max_price = Some(rate);
        self
    }

    /// Seconds from request to running.
    #[must_use]
    pub fn boot(mut self, secs: Distribution) -> Self {
        self.launch.stages[LaunchStage::Provision as usize] = secs;
        self
    }

    /// How launches go, in place of a time to boot.
    #[must_use]
    pub fn launch(mut self, terms: LaunchTerms) -> Self {
        self.launch = terms;
        self
    }

    /// Instances that run when the run starts.
    #[must_use]
    pub const fn running(mut self, instances: u32) -> Self {
        self.running = instances;
        self
    }

    /// The name that it has or gets.
    fn full_name(&self, provider: &str, zone: &str) -> String {
        let instance_type = &self.instance_type.name;
        match (&self.name, self.market) {
            (Some(name), _) => name.clone(),
            (None, Market::Owned) => format!("{provider}/{instance_type}"),
            (None, market @ (Market::OnDemand | Market::Spot)) => {
                format!("{provider}/{zone}/{instance_type}/{}", market.name())
            }
        }
    }

    /// Whether a fixed boot time is one; laws are, by construction.
    fn boots_in_time(&self) -> bool {
        let LaunchTerms { stages, fails_after, .. } = &self.launch;
        stages.iter().chain([fails_after]).all(|time| match time {
            Distribution::Constant(secs) => (0.0..=1e9).contains(secs),
            Distribution::Law(_) => true,
        })
    }

    /// Whether each change of capacity comes after the one before.
    fn changes_in_order(&self) -> bool {
        self.capacity.changes.is_sorted_by(|one, other| one.0 < other.0)
    }

    /// Sentences on what is wrong with it by itself.
    fn faults(&self) -> Vec<String> {
        let InstanceType { shape, speed, .. } = &self.instance_type;
        let price = format!("price `{}` is no amount in dollars per hour", clip(&self.price_text));
        let gpus = format!("{} GPUs are more than an instance may have, {MAX_GPUS}", shape.gpus);
        let running = format!("{} instances run at the start, more than it may have", self.running);
        let checks = [
            (self.price.is_none(), price),
            (self.instance_type.name.is_empty(), "the instance type has no name".to_owned()),
            (shape.cpu == 0, "the shape has no CPU (`cpu` is in milli-cores)".to_owned()),
            (shape.gpus > MAX_GPUS, gpus),
            (shape.gpus == 0 && !self.gpu_model.is_empty(), "a GPU model, but no GPU".to_owned()),
            (*speed == 0, "the speed is 0".to_owned()),
            (self.capacity.first.is_some_and(|most| most < self.running), running),
            (!self.changes_in_order(), "the changes of its capacity are not in order".to_owned()),
            (!self.boots_in_time(), "the boot takes no number of seconds from 0 to 1e9".to_owned()),
        ];
        checks.into_iter().filter_map(|(wrong, sentence)| wrong.then_some(sentence)).collect()
    }
}

/// Makes a [`World`], see [`World::builder`]. Errors are told by [`WorldBuilder::build`],
/// all of it at once.
#[derive(Debug)]
pub struct WorldBuilder {
    world: World,
    providers: BTreeMap<String, Id<Provider>>,
    regions: BTreeMap<(Id<Provider>, String), Id<Region>>,
    zones: BTreeMap<(Id<Region>, String), Id<Zone>>,
    types: BTreeMap<(Id<Provider>, String), Id<InstanceType>>,
    offers: BTreeSet<String>,
    quotas: Vec<(String, QuotaUnit, u64)>,
    links: Vec<(String, String, Link)>,
    /// Some offer has no place.
    has_misplaced: bool,
    problems: Vec<Problem>,
}

impl World {
    /// A world to be made in code. Its clock starts at 1970-01-01 UTC if nothing else is said.
    pub fn builder() -> WorldBuilder {
        WorldBuilder {
            world: Self::empty(Calendar::from_unix_micros(0)),
            providers: BTreeMap::new(),
            regions: BTreeMap::new(),
            zones: BTreeMap::new(),
            types: BTreeMap::new(),
            offers: BTreeSet::new(),
            quotas: Vec::new(),
            links: Vec::new(),
            has_misplaced: false,
            problems: Vec::new(),
        }
    }
}

impl WorldBuilder {
    /// Date of the run's start.
    #[must_use]
    pub const fn calendar(mut self, calendar: Calendar) -> Self {
        self.world.calendar = calendar;
        self
    }

    /// Changes a provider, which is made if there is none of that name. A new one bills by the
    /// second without a minimum.
    #[must_use]
    pub fn provider(mut self, name: &str, change: impl FnOnce(&mut Provider)) -> Self {
        if name.is_empty() || name.contains('/') {
            self.wrong(format!("`{}` is no name of a provider", clip(name)));
            return self;
        }
        let provider = self.provider_row(name);
        change(&mut self.world.providers[provider]);
        self
    }

    /// Changes the region `provider/region`, which is made if there is none. A new one has no
    /// jurisdiction, no certification and no carbon intensity.
    #[must_use]
    pub fn region(mut self, place: &str, change: impl FnOnce(&mut Region)) -> Self {
        if let Some((region, _)) = self.place(place) {
            change(&mut self.world.regions[region]);
        }
        self
    }

    /// Adds an offer, with whatever it names that is not there yet. An instance type is its
    /// provider's: offers of one provider that name the same type must agree on it.
    #[must_use]
    pub fn offer(mut self, offer: OfferSpec) -> Self {
        let Some((region, zone)) = self.place(&offer.place) else {
            // It has no full name then, unless it was given one.
            let name = offer.name.as_ref().unwrap_or(&offer.instance_type.name).clone();
            self.has_misplaced = true;
            self.check(&name, &offer);
            return self;
        };
        let provider = self.world.regions[region].provider;
        let zone = zone.unwrap_or_else(|| {
            let name = self.world.regions[region].name.clone();
            self.zone(region, &name)
        });
        let provider_name = &self.world.providers[provider].name;
        let name = offer.full_name(provider_name, &self.world.zones[zone].name);
        self.check(&name, &offer);
        if !self.offers.insert(name.clone()) {
            let problem = format!("two offers are called `{}`", clip(&name));
            let problem = Problem::with("world", problem);
            self.problems.push(problem.hint("give one of them another name by `named`"));
        }
        let instance_type = self.instance_type(provider, &offer);
        self.world.offers.push(Offer {
            name,
            zone,
            instance_type,
            market: offer.market,
            price: PricePath::constant(offer.price.unwrap_or(Rate::ZERO)),
            max_price: offer.max_price,
            capacity: offer.capacity,
            launch: offer.launch,
            running_at_start: offer.running,
        });
        self
    }

    /// Limits what may be rented at once of all offers of a provider or of a region
    /// (`provider/region`), whether they are named before or after. Owned machines do not count.
    #[must_use]
    pub fn quota(mut self, place: &str, unit: QuotaUnit, limit: u64) -> Self {
        self.quotas.push((place.to_owned(), unit, limit));
        self
    }

    /// Price and speed of moving data from one region to another. Other ways are free and
    /// instant.
    #[must_use]
    pub fn link(mut self, from: &str, to: &str, link: Link) -> Self {
        self.links.push((from.to_owned(), to.to_owned(), link));
        self
    }

    /// The world.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn build(mut self) -> Result<World, Problems> {
        if self.world.offers.is_empty() && !self.has_misplaced {
            self.wrong("the world has no offer, so nothing can ever run".to_owned());
        }
        for (place, unit, limit) in std::mem::take(&mut self.quotas) {
            self.add_quota(&place, unit, limit);
        }
        let regions = self.world.regions.len();
        for (from, to, link) in std::mem::take(&mut self.links) {
            if let Some((from, to)) = self.known_region(&from).zip(self.known_region(&to)) {
                self.world.links.resize(regions * regions, Link::default());
                self.world.links[from.row() * regions + to.row()] = link;
            }
        }
        if self.problems.is_empty() { Ok(self.world) } else { Err(self.problems.into()) }
    }

    /// Tells what is wrong with the offer called `name` by itself.
    fn check(&mut self, name: &str, offer: &OfferSpec) {
        for fault in offer.faults() {
            self.wrong(format!("offer `{}`: {fault}", clip(name)));
        }
    }

    fn wrong(&mut self, message: String) {
        self.problems.push(Problem::with("world", message));
    }

    /// The rows of a place, made where they are not there yet; no zone where none is said.
    fn place(&mut self, place: &str) -> Option<(Id<Region>, Option<Id<Zone>>)> {
        let parts: Vec<&str> = place.split('/').collect();
        if parts.len() > 3 || parts.iter().any(|part| part.is_empty()) {
            let problem = format!("`{}` is no place", clip(place));
            let problem = Problem::with("world", problem);
            self.problems.push(
                problem.hint("write `provider`, `provider/region` or `provider/region/zone`"),
            );
            return None;
        }
        let (provider, region) = (parts[0], parts.get(1).copied().unwrap_or(parts[0]));
        let provider = self.provider_row(provider);
        let world = &mut self.world;
        let region = *self.regions.entry((provider, region.to_owned())).or_insert_with(|| {
            world.regions.push(Region {
                name: region.to_owned(),
                provider,
                jurisdiction: String::new(),
                certifications: Vec::new(),
                carbon: None,
                pue_millionths: 1_000_000,
            })
        });
        let zone = parts.get(2).map(|zone| self.zone(region, zone));
        Some((region, zone))
    }

    fn provider_row(&mut self, name: &str) -> Id<Provider> {
        let providers = &mut self.world.providers;
        *self.providers.entry(name.to_owned()).or_insert_with(|| {
            providers.push(Provider {
                name: name.to_owned(),
                title: name.to_owned(),
                billing: Billing { granularity: Span::from_secs(1), minimum: Span::ZERO },
                spot: SpotTerms::default(),
                throttle: None,
            })
        })
    }

    fn zone(&mut self, region: Id<Region>, name: &str) -> Id<Zone> {
        let zones = &mut self.world.zones;
        let zone = self.zones.entry((region, name.to_owned()));
        *zone.or_insert_with(|| zones.push(Zone { name: name.to_owned(), region }))
    }

    fn instance_type(&mut self, provider: Id<Provider>, offer: &OfferSpec) -> Id<InstanceType> {
        let model = (!offer.gpu_model.is_empty()).then(|| {
            let models = &mut self.world.gpu_models;
            let known = models.find(|model| model.name == offer.gpu_model);
            known.unwrap_or_else(|| models.push(GpuModel { name: offer.gpu_model.clone() }))
        });
        let wanted = InstanceType { gpu_model: model, ..offer.instance_type.clone() };
        let types = &mut self.world.types;
        let key = (provider, wanted.name.clone());
        let found = *self.types.entry(key).or_insert_with(|| types.push(wanted.clone()));
        if self.world.types[found] != wanted {
            let provider = clip(&self.world.providers[provider].name);
            let name = clip(&wanted.name);
            self.wrong(format!("two offers of `{provider}` disagree on instance type `{name}`"));
        }
        found
    }

    fn add_quota(&mut self, place: &str, unit: QuotaUnit, limit: u64) {
        let world = &self.world;
        let within = |offer: Id<Offer>| {
            let provider = &world.providers[world.provider_of(offer)].name;
            place == provider || place == world.region_name(world.region_of(offer))
        };
        let offers = world.offers.iter();
        let rented = offers.filter(|(_, facts)| facts.market != Market::Owned);
        let offers: Vec<_> = rented.map(|(offer, _)| offer).filter(|&id| within(id)).collect();
        if offers.is_empty() {
            let names = world.providers.rows().iter().map(|provider| &*provider.name);
            let hint = did_you_mean(place, names).map(|name| format!("did you mean `{name}`?"));
            let problem = format!("the quota on `{}` counts no offer", clip(place));
            let problem = Problem::with("world", problem);
            self.problems.push(Problem { hint, ..problem });
        }
        let unit_name = match unit {
            QuotaUnit::Instances => "instances",
            QuotaUnit::Cpu => "vcpus",
            QuotaUnit::Gpus => "gpus",
        };
        self.world.quotas.push(Quota { name: format!("{place} {unit_name}"), unit, limit, offers });
    }

    /// The region of a link, which must be there.
    fn known_region(&mut self, name: &str) -> Option<Id<Region>> {
        let found = self.world.find_region(name);
        if found.is_none() {
            let names: Vec<String> =
                self.world.regions.ids().map(|region| self.world.region_name(region)).collect();
            let hint = did_you_mean(name, names.iter().map(String::as_str));
            let hint = hint.map(|name| format!("did you mean `{name}`?"));
            let problem = Problem::with("world", format!("there is no region `{}`", clip(name)));
            self.problems.push(Problem { hint, ..problem });
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: Shape = Shape { cpu: 4_000, memory: 16_384, gpus: 0 };

    #[test]
    fn a_world_in_a_few_calls() {
        let priced = Link { nanos_per_gib: 90_000_000, bytes_per_sec: 0, path: None };
        let world = World::builder()
            .provider("aws", |aws| aws.billing.minimum = Span::from_secs(60))
            .region("aws/us-east-1", |region| region.jurisdiction = "US".to_owned())
            .offer(OfferSpec::owned("dc", "node", NODE, 2))
            .offer(OfferSpec::on_demand("aws/us-east-1/us-east-1a", "m5.xlarge", NODE, "0.192"))
            .offer(OfferSpec::spot("aws/us-east-1/us-east-1a", "m5.xlarge", NODE, "0.08"))
            .quota("aws", QuotaUnit::Cpu, 64_000)
            .link("dc", "aws/us-east-1", priced)
            .build()
            .expect("the world is right");
        let names: Vec<&str> = world.offers.rows().iter().map(|offer| &*offer.name).collect();
        let m5 = "aws/us-east-1a/m5.xlarge";
        assert_eq!(names, ["dc/node", &format!("{m5}/on-demand"), &format!("{m5}/spot")]);
        assert_eq!((world.providers.len(), world.regions.len(), world.zones.len()), (2, 2, 2));
        assert_eq!((world.types.len(), &*world.types.rows()[1].family), (2, "m5"));
        let [owned, rented, _] = world.offers.rows() else { panic!("{names:?}") };
        assert_eq!((owned.capacity.first, owned.running_at_start), (Some(2), 2));
        assert_eq!((rented.capacity.first, rented.running_at_start), (None, 0));
        assert_eq!(rented.price.first, Rate::from_picos(192_000_000_000));
        assert_eq!(world.quotas[0].offers, [Id::new(1), Id::new(2)]);
        let (aws, dc) = (world.find_region("aws/us-east-1"), world.find_region("dc"));
        let (aws, dc) = (aws.expect("it is there"), dc.expect("it is there"));
        assert_eq!((world.link(dc, aws), world.link(aws, dc)), (priced, Link::default()));
        assert_eq!(world.regions[aws].jurisdiction, "US");
        let minimum = world.providers[world.regions[aws].provider].billing.minimum;
        assert_eq!(minimum, Span::from_secs(60));
    }

    #[test]
    fn a_boot_of_no_number_of_seconds_is_a_fault() {
        for (secs, right) in [(0.0, true), (1e9, true), (-1.0, false), (2e9, false)]
            .into_iter()
            .chain([f64::NAN, f64::INFINITY].map(|secs| (secs, false)))
        {
            let shape = Shape { cpu: 1_000, ..Shape::default() };
            let offer = OfferSpec::on_demand("aws/us-east-1", "a", shape, "1")
                .boot(Distribution::Constant(secs));
            assert_eq!(!offer.faults().iter().any(|one| one.contains("boot")), right, "{secs}");
        }
    }

    #[test]
    fn a_bad_place_hides_no_other_fault() {
        let offer = OfferSpec::on_demand("aws//x", "m5.large", NODE, "-1").speed(0);
        let told = |offer: OfferSpec| {
            let problems = World::builder().offer(offer).build().expect_err("much is wrong");
            problems.iter().map(|problem| problem.message.clone()).collect::<Vec<String>>()
        };
        let price = "price `-1` is no amount in dollars per hour";
        for (offer, name) in [(offer.clone(), "m5.large"), (offer.named("mine"), "mine")] {
            let faults = [price, "the speed is 0"].map(|fault| format!("offer `{name}`: {fault}"));
            assert_eq!(told(offer), [&["`aws//x` is no place".to_owned()], &faults[..]].concat());
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let wide = Shape { gpus: 33, ..NODE };
        let problems = World::builder()
            .provider("aws/a", |_| ())
            .offer(OfferSpec::on_demand("aws/a/b/c", "m5.large", NODE, "1"))
            .offer(OfferSpec::on_demand("aws", "m5.large", NODE, "-1"))
            .offer(OfferSpec::spot("aws", "m5.large", wide, "1").speed(0))
            .offer(OfferSpec::owned("dc", "node", Shape::default(), 2).at_most(1).gpu_model("T4"))
            .offer(OfferSpec::owned("dc", "node", Shape::default(), 2).gpu_model("T4"))
            .quota("awss", QuotaUnit::Gpus, 1)
            .link("dc", "aw", Link::default())
            .build()
            .expect_err("much is wrong");
        let told: Vec<String> = problems.iter().map(Problem::to_string).collect();
        let node = "offer `dc/node`: the shape has no CPU (`cpu` is in milli-cores)";
        let model = "offer `dc/node`: a GPU model, but no GPU";
        let expected = [
            "`aws/a` is no name of a provider",
            "`aws/a/b/c` is no place\n  hint: write `provider`, `provider/region` or `provider/region/zone`",
            "offer `aws/aws/m5.large/on-demand`: price `-1` is no amount in dollars per hour",
            "offer `aws/aws/m5.large/spot`: 33 GPUs are more than an instance may have, 32",
            "offer `aws/aws/m5.large/spot`: the speed is 0",
            "two offers of `aws` disagree on instance type `m5.large`",
            node,
            model,
            "offer `dc/node`: 2 instances run at the start, more than it may have",
            node,
            model,
            "two offers are called `dc/node`\n  hint: give one of them another name by `named`",
            "the quota on `awss` counts no offer\n  hint: did you mean `aws`?",
            "there is no region `aw`\n  hint: did you mean `aws`?",
        ];
        assert_eq!(told, expected.map(|sentence| format!("world: {sentence}")));
        let nothing = World::builder().build().expect_err("nothing can run");
        assert_eq!(nothing[0].message, "the world has no offer, so nothing can ever run");
    }
}
