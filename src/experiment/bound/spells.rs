//! Times at which a spot instance of an offer may be there, in the run of a seed.

use crate::model::{CapacityCursor, CapacityPath, Market, Offer, World};
use crate::units::{Id, Span, Time};

/// Spells of an offer that are looked at; behind them it is taken to be there.
const MOST_SPELLS: usize = 4_096;

/// Time from the begin of a spell to its end.
pub(super) type Spell = (Time, Time);

/// Spells with capacity, each longer by the notice for which an instance stays after it, looked up as far
/// as anybody asks.
#[derive(Clone, Debug)]
pub(super) struct SpotSpells {
    path: CapacityPath,
    cursor: CapacityCursor,
    notice: Span,
    /// In order; they may overlap.
    spells: Vec<Spell>,
    /// Time up to which they are known.
    known: Time,
}

impl SpotSpells {
    /// Those of an offer; `None` where an instance of it may be there at all times, or nobody can say:
    /// drawn capacity is that of a seed, and a protected instance stays until it has booted.
    pub(super) fn new(
        world: &World,
        offer: Id<Offer>,
        seed: Option<u64>,
        started: Time,
    ) -> Option<Self> {
        let facts = &world.offers[offer];
        let spot = &world.providers[world.provider_of(offer)].spot;
        let is_told = seed.is_some() || facts.capacity.drawn.is_empty();
        let comes_and_goes = facts.market == Market::Spot
            && facts.capacity.moves()
            && facts.running_at_start == 0
            && spot.protected == Span::ZERO;
        (is_told && comes_and_goes).then(|| Self {
            path: facts.capacity.clone(),
            cursor: CapacityCursor::new(&facts.capacity, seed.unwrap_or(0), started),
            notice: spot.notice,
            spells: Vec::new(),
            known: started,
        })
    }

    /// Adds the spells between two times to `spells`, cut off there.
    pub(super) fn between(&mut self, from: Time, until: Time, spells: &mut Vec<Spell>) {
        self.look(until);
        let behind = (self.known < until).then_some((self.known, until));
        let cut = |&(begin, end): &Spell| (begin.max(from), end.min(until));
        let all = self.spells.iter().chain(&behind).map(cut);
        spells.extend(all.filter(|(begin, end)| begin < end));
    }

    /// Looks up what comes until then.
    fn look(&mut self, until: Time) {
        while self.known < until && self.spells.len() < MOST_SPELLS {
            let is_there = self.cursor.capacity(&self.path).is_none_or(|most| most > 0);
            let next = self.cursor.next_change(&self.path).filter(|&next| next <= until);
            let end = next.unwrap_or(until);
            if is_there {
                let stays = end.saturating_add(self.notice);
                match self.spells.last_mut().filter(|last| last.1 >= self.known) {
                    Some(last) => last.1 = stays,
                    None => self.spells.push((self.known, stays)),
                }
            }
            self.known = end;
            if next.is_some() {
                self.cursor.advance(&self.path);
            }
        }
    }
}

/// The length of all spells together, where they overlap once, and that of the longest.
pub(super) fn lengths(spells: &mut [Spell]) -> (Span, Span) {
    spells.sort_unstable();
    let (mut all, mut longest) = (Span::ZERO, Span::ZERO);
    let mut at: Option<Spell> = None;
    for &(begin, end) in spells.iter() {
        match &mut at {
            Some(open) if begin <= open.1 => open.1 = open.1.max(end),
            _ => {
                all = all.saturating_add(at.map_or(Span::ZERO, |(begin, end)| end - begin));
                at = Some((begin, end));
            }
        }
        longest = longest.max(at.map_or(Span::ZERO, |(begin, end)| end - begin));
    }
    (all.saturating_add(at.map_or(Span::ZERO, |(begin, end)| end - begin)), longest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OfferSpec;
    use crate::units::Shape;

    /// There until 100 s, from 200 to 300 and from 310 s on; an instance stays for 20 s after that.
    #[test]
    fn spells_are_those_of_the_path() {
        let at = Time::from_secs;
        let changes = [(100, 0), (150, 0), (200, 2), (250, 1), (300, 0), (310, 1)];
        let changes = changes.map(|(secs, most)| (at(secs), Some(most)));
        let path = CapacityPath::known(Some(1), changes.to_vec());
        let shape = Shape { cpu: 1_000, memory: 0, gpus: 0 };
        let offer = OfferSpec::spot("cloud/r/a", "m", shape, "1").capacity(path);
        let world = World::builder().offer(offer);
        let world = world.provider("cloud", |cloud| cloud.spot.notice = Span::from_secs(20));
        let world = world.build().expect("a world");
        let mut seen = SpotSpells::new(&world, Id::new(0), None, at(0)).expect("it comes and goes");
        let mut between = |from, until| {
            let mut spells = Vec::new();
            seen.between(at(from), at(until), &mut spells);
            spells
        };
        assert_eq!(between(50, 210), [(at(50), at(120)), (at(200), at(210))]);
        assert_eq!(between(130, 190), []);
        assert_eq!(between(0, 1_000), [(at(0), at(120)), (at(200), at(1_000))]);
        let mut spells = [(at(5), at(9)), (at(0), at(2)), (at(1), at(3)), (at(2), at(4))];
        assert_eq!(lengths(&mut spells), (Span::from_secs(8), Span::from_secs(4)));
        assert_eq!(lengths(&mut []), (Span::ZERO, Span::ZERO));
    }
}
