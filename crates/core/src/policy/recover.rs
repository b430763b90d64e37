//! Recover part: what becomes of work whose instance was taken back or failed.

use crate::model::{Filter, Manner, Offer, Rules, Spread, World};
use crate::part::{Parameter, Part, PartSettings, PartSpec, Setting, SettingKind};
use crate::units::{Id, Span};

/// A row of [`PARTS`].
pub type RecoverPart = Part<Option<RecoverRule>>;
/// A recover part with its settings.
pub type RecoverSpec = PartSpec<Option<RecoverRule>>;

/// Every recover part.
pub static PARTS: &[&RecoverPart] = &[&ANYWHERE, &SAME_PLACE, &ELSEWHERE, &OTHER_PROVIDER];

const RETRIES: Parameter = Parameter {
    name: "retries",
    kind: SettingKind::Count(0, 1_000_000),
    default: Setting::Unset("no limit"),
    doc: "Most times that work is tried again; it is given up then, unless some of its tasks run or are done.",
};
const BACKOFF: Parameter = Parameter {
    name: "backoff",
    kind: SettingKind::Span,
    default: Setting::Span(Span::ZERO),
    doc: "How long it waits before it is tried again; twice as long after each time.",
};
const LONGEST: Parameter = Parameter {
    name: "longest",
    kind: SettingKind::Span,
    default: Setting::Span(Span::HOUR),
    doc: "Longest wait before it is tried again, the first included.",
};
const LASTS: Parameter = Parameter {
    name: "lasts",
    kind: SettingKind::SpanAboveZero,
    default: Setting::Span(Span::HOUR),
    doc: "How long it keeps to that; then it may run wherever it may otherwise.",
};

/// What is done on a warning or recommendation.
const WORDS: &[&str] = &["stay", "migrate", "live-migrate"];

const ON_WARNING: Parameter = Parameter {
    name: "on_warning",
    kind: SettingKind::Word(WORDS),
    default: Setting::Word("stay"),
    doc: "When the provider warns a spot instance, tasks on it stay, or move to instances that are ready and have room, if they are there in time: standing still (`migrate`), or copied while they compute (`live-migrate`).",
};
const ON_REBALANCE: Parameter = Parameter {
    name: "on_rebalance",
    kind: SettingKind::Word(WORDS),
    default: Setting::Word("stay"),
    doc: "The same when it recommends to leave one.",
};

const SHRINK: Parameter = Parameter {
    name: "shrink",
    kind: SettingKind::Flag,
    default: Setting::Flag(false),
    doc: "A gang that lost its place starts again with fewer tasks, at least its `min_tasks`, where not all can be had when its turn comes: with as many as can.",
};

/// Time for which work waits for a stopped instance where nobody says how long.
pub const STOPPED_FOR_DEFAULT: Span = Span::from_secs(86_400);

const STOPPED_FOR: Parameter = Parameter {
    name: "stopped_for",
    kind: SettingKind::Span,
    default: Setting::Span(STOPPED_FOR_DEFAULT),
    doc: "How long work waits for an instance that its provider stopped with its tasks, before it is tried as any work that lost its place. Where it starts elsewhere then, what was in memory is lost.",
};

/// Anywhere.
pub static ANYWHERE: RecoverPart = Part {
    name: "anywhere",
    doc: "Work is tried again wherever it may run.",
    parameters: &[RETRIES, BACKOFF, LONGEST, ON_WARNING, ON_REBALANCE, SHRINK, STOPPED_FOR],
    make: |settings| {
        let rule = RecoverRule::new(settings, RecoverPlace::Anywhere);
        Some(rule).filter(RecoverRule::does_something)
    },
};

/// In the same zone.
pub static SAME_PLACE: RecoverPart = Part {
    name: "same-place",
    doc: "Work is tried again in the zone or cluster where it was.",
    parameters: &[RETRIES, BACKOFF, LONGEST, LASTS, ON_WARNING, ON_REBALANCE, SHRINK, STOPPED_FOR],
    make: |settings| Some(RecoverRule::new(settings, RecoverPlace::Same)),
};

/// In another zone.
pub static ELSEWHERE: RecoverPart = Part {
    name: "elsewhere",
    doc: "Work is tried again in another zone or cluster, if it may run in any.",
    parameters: &[RETRIES, BACKOFF, LONGEST, LASTS, ON_WARNING, ON_REBALANCE, SHRINK, STOPPED_FOR],
    make: |settings| Some(RecoverRule::new(settings, RecoverPlace::OtherZone)),
};

/// At another provider.
pub static OTHER_PROVIDER: RecoverPart = Part {
    name: "other-provider",
    doc: "Work is tried again at another provider or cluster, if it may run at any.",
    parameters: &[RETRIES, BACKOFF, LONGEST, LASTS, ON_WARNING, ON_REBALANCE, SHRINK, STOPPED_FOR],
    make: |settings| Some(RecoverRule::new(settings, RecoverPlace::OtherProvider)),
};

/// Where work is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoverPlace {
    /// Wherever it may run.
    Anywhere,
    /// In the zone where it was.
    Same,
    /// In any other zone.
    OtherZone,
    /// At any other provider.
    OtherProvider,
}

/// How often, when and where work is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoverRule {
    place: RecoverPlace,
    retries: Option<u64>,
    backoff: Span,
    longest: Span,
    lasts: Span,
    /// How tasks leave an instance that is warned; `None` if they stay.
    pub on_warning: Option<Manner>,
    /// How tasks leave an instance that it is recommended to leave; `None` if they stay.
    pub on_rebalance: Option<Manner>,
    /// Whether gangs start again with fewer tasks where not all can be had.
    pub shrink: bool,
    /// How long work waits for an instance that was stopped with its tasks.
    pub stopped_for: Span,
}

impl RecoverPlace {
    /// Where work may be placed, in words that follow "only"; `None` where that is anywhere.
    pub const fn only(self) -> Option<&'static str> {
        match self {
            Self::Anywhere => None,
            Self::Same => Some("in the zone of"),
            Self::OtherZone => Some("in another zone than"),
            Self::OtherProvider => Some("at another provider than"),
        }
    }
}

impl RecoverRule {
    /// Where work is tried again.
    pub const fn place(&self) -> RecoverPlace {
        self.place
    }

    fn new(settings: &PartSettings, place: RecoverPlace) -> Self {
        let span = |parameter: &Parameter| settings.span(parameter.name).unwrap_or(Span::ZERO);
        Self {
            place,
            retries: settings.count(RETRIES.name),
            backoff: span(&BACKOFF),
            longest: span(&LONGEST),
            lasts: if place == RecoverPlace::Anywhere { Span::ZERO } else { span(&LASTS) },
            on_warning: manner(settings, &ON_WARNING),
            on_rebalance: manner(settings, &ON_REBALANCE),
            shrink: settings.flag(SHRINK.name),
            stopped_for: span(&STOPPED_FOR),
        }
    }

    /// Whether work is not tried again at once, anywhere, for ever, after it has stayed to the end.
    const fn does_something(&self) -> bool {
        self.retries.is_some()
            || self.backoff.micros() > 0
            || self.on_warning.is_some()
            || self.on_rebalance.is_some()
            || self.shrink
            || self.stopped_for.micros() != STOPPED_FOR_DEFAULT.micros()
    }

    /// Whether work is given up that has lost its place so many times, this one too.
    pub fn gives_up(&self, times: u32) -> bool {
        self.retries.is_some_and(|most| u64::from(times) > most)
    }

    /// Time for which work waits that has lost its place so many times, at least once.
    pub fn wait(&self, times: u32) -> Span {
        let doublings = times.saturating_sub(1).min(40);
        let wait = self.backoff.micros().saturating_mul(1 << doublings);
        Span::from_micros(wait).min(self.longest)
    }

    /// Time for which work keeps to the place that this names.
    pub const fn lasts(&self) -> Span {
        self.lasts
    }

    /// The rules of work that ran on `last`, narrowed to where it is tried again; `None` if they stay:
    /// those of work that is spread over zones, as fewer zones would be another spread.
    pub fn narrowed(&self, world: &World, rules: &Rules, last: Id<Offer>) -> Option<Rules> {
        match rules.spread {
            Spread::None | Spread::Instances => {}
            Spread::Zones | Spread::EvenZones => return None,
        }
        let (zone, provider) = (world.offers[last].zone, world.provider_of(last));
        let suits = |offer: Id<Offer>| match self.place {
            RecoverPlace::Anywhere => true,
            RecoverPlace::Same => world.offers[offer].zone == zone,
            RecoverPlace::OtherZone => world.offers[offer].zone != zone,
            RecoverPlace::OtherProvider => world.provider_of(offer) != provider,
        };
        let others = world.offers.ids().filter(|&offer| !suits(offer));
        let names = others.map(|offer| world.offers[offer].name.clone());
        let mut forbidden: Vec<String> = names.collect();
        if forbidden.is_empty() {
            return None;
        }
        forbidden.extend(rules.offers.forbidden.iter().cloned());
        forbidden.sort_unstable();
        forbidden.dedup();
        let offers = Filter { allowed: rules.offers.allowed.clone(), forbidden };
        Some(Rules { offers, ..rules.clone() })
    }
}

fn manner(settings: &PartSettings, parameter: &Parameter) -> Option<Manner> {
    match settings.word(parameter.name) {
        "migrate" => Some(Manner::Cold),
        "live-migrate" => Some(Manner::Live),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OfferSpec;
    use crate::units::Shape;

    fn rule(part: &'static RecoverPart) -> RecoverRule {
        let spec = part.spec().set("retries", 3).set("backoff", Span::from_secs(10));
        spec.set("longest", Span::from_secs(60)).build().expect("it does something")
    }

    #[test]
    fn waits_double_until_work_is_given_up() {
        let rule = rule(&ANYWHERE);
        let waits = [1, 2, 3, 4, 90].map(|times| rule.wait(times).micros() / 1_000_000);
        assert_eq!(waits, [10, 20, 40, 60, 60]);
        assert_eq!([3, 4].map(|times| rule.gives_up(times)), [false, true]);
        assert_eq!(ANYWHERE.spec().build(), None);
    }

    #[test]
    fn rules_are_narrowed_by_place() {
        let shape = Shape { cpu: 1_000, memory: 1_024, gpus: 0 };
        let places = ["a/r/r1", "a/r/r2", "b/r/r1"];
        let offer = |place| OfferSpec::on_demand(place, "m", shape, "1");
        let world = places.iter().fold(World::builder(), |world, place| world.offer(offer(place)));
        let world = world.build().expect("a world");
        let rules = Rules {
            offers: Filter { allowed: Vec::new(), forbidden: vec!["c".into()] },
            ..Rules::default()
        };
        let left = |part| {
            let narrowed = rule(part).narrowed(&world, &rules, Id::new(1));
            let narrowed = narrowed.unwrap_or_else(|| rules.clone());
            assert!(!narrowed.offers.admits("c"));
            world.offers.rows().iter().map(|offer| narrowed.offers.admits(&offer.name)).collect()
        };
        let all: [Vec<bool>; 4] = [&ANYWHERE, &SAME_PLACE, &ELSEWHERE, &OTHER_PROVIDER].map(left);
        assert_eq!(all[0], [true, true, true]);
        assert_eq!(all[1], [false, true, false]);
        assert_eq!(all[2], [true, false, true]);
        assert_eq!(all[3], [false, false, true]);
        for spread in [Spread::Zones, Spread::EvenZones] {
            let spread = Rules { spread, ..Rules::default() };
            assert_eq!(rule(&SAME_PLACE).narrowed(&world, &spread, Id::new(1)), None);
        }
    }
}
