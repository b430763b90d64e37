//! Laws of capacity fitted to what was seen of a zone.

use super::duration::{DurationFit, FittedLaw, SeenSpell};
use super::{Weather, ZoneWeather};
use crate::model::{CapacityLaw, CapacityState, LevelLaw, StateLaw};
use crate::units::{Distribution, Time};

/// A zone as a law of its capacity.
#[derive(Clone, Debug, PartialEq)]
pub struct ZoneFit {
    /// The zone, as the file names it.
    pub name: String,
    /// Instances that all of them are.
    pub full: u32,
    /// Each state that was seen, in the order of [`CapacityState::ALL`].
    pub states: [Option<StateFit>; 3],
    /// The level while some and not all are there, if that was seen.
    pub level: Option<LevelFit>,
}

/// A state as a law.
#[derive(Clone, Debug, PartialEq)]
pub struct StateFit {
    /// Share of the time in it.
    pub share: f64,
    /// Spells of it that were seen, in part or whole.
    pub spells: usize,
    /// Mean length of these, as far as they were seen, in seconds.
    pub mean: f64,
    /// How long it lasts.
    pub lasts: DurationFit,
    /// How often each state came next.
    pub next: [u32; 3],
    /// Whether a step from or to it was added, as none was seen.
    pub is_closed: bool,
}

/// The level while some and not all are there.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelFit {
    /// Instances at the begin of a spell, and how often.
    pub begins: Vec<(i64, u32)>,
    /// Time between two steps.
    pub every: DurationFit,
    /// Instances that a step added or took away, and how often; empty without steps.
    pub by: Vec<(i64, u32)>,
}

/// Something that held for a time.
#[derive(Clone, Copy, Debug)]
struct Piece {
    count: u32,
    from: Time,
    until: Time,
    /// Whether its begin and its end were seen.
    ends: (bool, bool),
}

impl ZoneFit {
    /// The law of a zone of `weather`, of which all instances are `full`: more than that count as all.
    ///
    /// Time in which nobody looked ends what held before it and begins what holds after, both unseen.
    pub fn new(weather: &Weather, zone: &ZoneWeather, full: u32) -> Self {
        let mut counts = Counts::default();
        for &period in &weather.watched {
            counts.add(&pieces(zone, period, full), full);
        }
        counts.close();
        let whole = weather.watched_for().secs_f64();
        let state = |row: usize| {
            let seen = &counts.seen[row];
            let seconds: f64 = seen.iter().map(|spell| spell.0).sum();
            (!seen.is_empty()).then(|| StateFit {
                share: seconds / whole,
                spells: seen.len(),
                mean: seconds / seen.len() as f64,
                lasts: counts.lasts(row),
                next: counts.next[row],
                is_closed: counts.closed[row],
            })
        };
        let level = (!counts.begins.is_empty()).then(|| LevelFit {
            begins: tally(&counts.begins),
            every: DurationFit::new(&counts.waits),
            by: tally(&counts.by),
        });
        let states = [0, 1, 2].map(state);
        Self { name: zone.name.clone(), full, states, level }
    }

    /// The only capacity that was ever seen, if there was but one.
    pub fn constant(&self) -> Option<u32> {
        let mut there = (0..3).filter(|&row| self.states[row].is_some());
        match (there.next(), there.next()) {
            (Some(0), None) => Some(0),
            (Some(2), None) => Some(self.full),
            (_, _) => None,
        }
    }

    /// The law, of the likeliest durations.
    ///
    /// # Errors
    /// It is none, and why.
    pub fn law(&self) -> Result<CapacityLaw, String> {
        let likeliest = |fit: &DurationFit| fit.laws.first().map(|fitted| fitted.law.clone());
        let mut states = [None, None, None];
        for (made, state) in states.iter_mut().zip(&self.states) {
            let Some(state) = state else { continue };
            let lasts = likeliest(&state.lasts).ok_or("a state has no law of its duration")?;
            *made = Some(StateLaw { lasts, next: state.next.map(f64::from) });
        }
        let level = match &self.level {
            None => None,
            Some(level) => {
                let steps = match likeliest(&level.every).filter(|_| !level.by.is_empty()) {
                    Some(every) => Some((every, empirical(&level.by)?)),
                    None => None,
                };
                Some(LevelLaw { begins: empirical(&level.begins)?, steps })
            }
        };
        CapacityLaw::new(self.full, states, level)
    }

    /// Keys of a row of `[[cloud.NAME.availability]]`, line by line, that have this law.
    pub fn rows(&self) -> Vec<String> {
        if let Some(count) = self.constant() {
            return vec![format!("instances = {count}")];
        }
        let mut rows = vec![format!("instances = {}", self.full)];
        for (state, fit) in CapacityState::ALL.into_iter().zip(&self.states) {
            let Some(fit) = fit else { continue };
            let name = |row: usize| CapacityState::ALL[row].name();
            let next = (0..3).filter(|&row| fit.next[row] > 0);
            let next: Vec<String> =
                next.map(|row| format!("{} = {}", name(row), fit.next[row])).collect();
            let lasts = words(&fit.lasts);
            let mut keys = format!("lasts = \"{lasts}\", next = {{ {} }}", next.join(", "));
            if let (CapacityState::Partial, Some(level)) = (state, &self.level) {
                keys += &format!(", level = \"{}\"", listed(&level.begins));
                if !level.by.is_empty() {
                    let (every, by) = (words(&level.every), listed(&level.by));
                    keys += &format!(", step_every = \"{every}\", step_by = \"{by}\"");
                }
            }
            rows.push(format!("model.{} = {{ {keys} }}", state.name()));
        }
        rows
    }
}

/// Phi coefficient of whether any instance could be had in two zones of `weather`, over the time in
/// which somebody looked; `None` where one of the two never changed.
pub fn phi(weather: &Weather, one: &ZoneWeather, other: &ZoneWeather) -> Option<f64> {
    let mut times: Vec<Time> =
        [one, other].iter().flat_map(|zone| zone.threshold(1)).map(|(at, _)| at).collect();
    times.extend(weather.watched.iter().map(|&(from, _)| from));
    times.sort_unstable();
    times.dedup();
    let mut cells = [[0.0; 2]; 2];
    for (row, &from) in times.iter().enumerate() {
        let next = times.get(row + 1).copied();
        let periods = &weather.watched;
        let period = periods[..periods.partition_point(|&(begin, _)| begin <= from)].last();
        let Some(&(_, to)) = period else { continue };
        let until = next.map_or(to, |next| next.min(to));
        if until > from {
            let is_there = |zone: &ZoneWeather| usize::from(zone.at(from) > 0);
            cells[is_there(one)][is_there(other)] += (until - from).secs_f64();
        }
    }
    let whole: f64 = cells.iter().flatten().sum();
    let both = cells[1][1] / whole;
    let (p, q) = ((cells[1][0] + cells[1][1]) / whole, (cells[0][1] + cells[1][1]) / whole);
    let spread = libm::sqrt(p * (1.0 - p) * q * (1.0 - q));
    (spread > 0.0).then(|| (both - p * q) / spread)
}

/// What was seen of a zone, to be fitted.
#[derive(Debug, Default)]
struct Counts {
    /// Spells of each state: length, begin and end seen.
    seen: [Vec<(f64, bool, bool)>; 3],
    next: [[u32; 3]; 3],
    closed: [bool; 3],
    /// Levels at which `partial` began.
    begins: Vec<i64>,
    /// Levels at which it was met.
    unseen_begins: Vec<i64>,
    /// Times from a level to the next one in the same spell.
    waits: Vec<SeenSpell>,
    by: Vec<i64>,
}

impl Counts {
    /// Takes in the pieces of one period.
    fn add(&mut self, pieces: &[Piece], full: u32) {
        let state = |piece: &Piece| CapacityState::of(piece.count, full);
        let mut before: Option<CapacityState> = None;
        for spell in pieces.chunk_by(|one, other| state(one) == state(other)) {
            let (first, last, now) = (spell[0], spell[spell.len() - 1], state(&spell[0]));
            let length = (last.until - first.from).secs_f64();
            self.seen[now as usize].push((length, first.ends.0, last.ends.1));
            if let Some(before) = before {
                self.next[before as usize][now as usize] += 1;
            }
            before = Some(now);
            if now != CapacityState::Partial {
                continue;
            }
            match first.ends.0 {
                true => self.begins.push(i64::from(first.count)),
                false => self.unseen_begins.push(i64::from(first.count)),
            }
            for (row, piece) in spell.iter().enumerate() {
                let next = spell.get(row + 1);
                self.by.extend(next.map(|next| i64::from(next.count) - i64::from(piece.count)));
                if piece.ends.0 {
                    self.waits.push(((piece.until - piece.from).secs_f64(), next.is_some()));
                }
            }
        }
    }

    /// Adds steps so that each state that was seen is left and taken: where none was seen, to and from
    /// the state that was seen most.
    fn close(&mut self) {
        if self.begins.is_empty() {
            self.begins = std::mem::take(&mut self.unseen_begins);
        }
        let there: Vec<usize> = (0..3).filter(|&row| !self.seen[row].is_empty()).collect();
        if there.len() < 2 {
            return;
        }
        for &row in &there {
            let others = there.iter().copied().filter(|&other| other != row);
            let Some(usual) = others.max_by_key(|&other| self.seen[other].len()) else { continue };
            if self.next[row].iter().all(|&count| count == 0) {
                self.next[row][usual] = 1;
                self.closed[row] = true;
            }
            if there.iter().all(|&other| self.next[other][row] == 0) {
                self.next[usual][row] = 1;
                self.closed[row] = true;
            }
        }
    }

    /// How long a state lasts: by spells whose begin was seen, or else by all, as if no end had been.
    fn lasts(&self, row: usize) -> DurationFit {
        let begun = self.seen[row].iter().filter(|spell| spell.1);
        let mut spells: Vec<SeenSpell> = begun.map(|spell| (spell.0, spell.2)).collect();
        if spells.is_empty() {
            spells = self.seen[row].iter().map(|spell| (spell.0, false)).collect();
        }
        DurationFit::new(&spells)
    }
}

/// What was seen of a zone in one period, piece by piece.
fn pieces(zone: &ZoneWeather, (from, to): (Time, Time), full: u32) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let first = zone.counts.partition_point(|&(at, _)| at <= from).saturating_sub(1);
    for (row, &(at, count)) in zone.counts.iter().enumerate().skip(first) {
        if at >= to {
            break;
        }
        let next = zone.counts.get(row + 1).map(|&(next, _)| next).filter(|&next| next < to);
        let piece = Piece {
            count: count.min(full),
            from: at.max(from),
            until: next.unwrap_or(to),
            ends: (at > from, next.is_some()),
        };
        match pieces.last_mut() {
            Some(last) if last.count == piece.count => {
                (last.until, last.ends.1) = (piece.until, piece.ends.1);
            }
            Some(_) | None => pieces.push(piece),
        }
    }
    pieces
}

/// Each value and how often it is there, in order.
fn tally(values: &[i64]) -> Vec<(i64, u32)> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let same = sorted.chunk_by(|one, other| one == other);
    same.map(|same| (same[0], same.len() as u32)).collect()
}

fn empirical(tally: &[(i64, u32)]) -> Result<Distribution, String> {
    let values: Vec<f64> = tally.iter().map(|one| one.0 as f64).collect();
    let weights: Vec<f64> = tally.iter().map(|one| f64::from(one.1)).collect();
    Distribution::empirical(&values, &weights)
}

/// A tally in the notation of scenarios.
fn listed(tally: &[(i64, u32)]) -> String {
    let list = |of: fn(&(i64, u32)) -> String| tally.iter().map(of).collect::<Vec<_>>().join(", ");
    let (values, weights) = (list(|one| one.0.to_string()), list(|one| one.1.to_string()));
    format!("empirical(values=[{values}], weights=[{weights}])")
}

/// The likeliest law in the notation of scenarios.
fn words(fit: &DurationFit) -> &str {
    fit.laws.first().map_or("", |fitted: &FittedLaw| &fitted.words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CapacityCursor, CapacityPath, DrawnCapacity};
    use crate::units::Span;

    const fn at(secs: i64) -> Time {
        Time::from_secs(secs)
    }

    fn zone(name: &str, counts: &[(i64, u32)]) -> ZoneWeather {
        let counts = counts.iter().map(|&(secs, count)| (at(secs), count)).collect();
        ZoneWeather { name: name.to_owned(), counts, prices: None }
    }

    fn weather(watched: &[(i64, i64)], zones: Vec<ZoneWeather>) -> Weather {
        let watched = watched.iter().map(|&(from, to)| (at(from), at(to))).collect();
        Weather { begins: None, watched, zones }
    }

    /// By hand: all until 10 (begin unseen), 3 until 20, 5 until 40, none until 60, 16 until 100 (end
    /// unseen); nobody looked until 200, then 16 until 210 (begin unseen), none to 250 (end unseen).
    #[test]
    fn spells_and_steps_are_those_by_hand() {
        let counts = [(0, 16), (10, 3), (20, 5), (40, 0), (60, 16), (210, 0)];
        let weather = weather(&[(0, 100), (200, 250)], vec![zone("a", &counts)]);
        let fit = ZoneFit::new(&weather, &weather.zones[0], 16);
        let [none, partial, full] = fit.states.clone().map(|state| state.expect("it was seen"));
        assert_eq!(
            (none.spells, none.next, none.lasts.whole, none.lasts.cut),
            (2, [0, 0, 1], 1, 1)
        );
        assert_eq!((partial.spells, partial.next, partial.lasts.whole), (1, [1, 0, 0], 1));
        // Of the three spells of all, one was seen to begin: 40 s, and not to its end.
        assert_eq!((full.spells, full.next), (3, [1, 1, 0]));
        assert_eq!((full.lasts.whole, full.lasts.cut, full.lasts.seconds), (0, 1, 40.0));
        let near = |found: f64, want: f64| assert!((found - want).abs() < 1e-12, "{found}");
        near(none.share, 60.0 / 150.0);
        near(partial.share, 30.0 / 150.0);
        near(full.share, 60.0 / 150.0);
        let level = fit.level.clone().expect("it was seen");
        assert_eq!((level.begins, level.by), (vec![(3, 1)], vec![(2, 1)]));
        // The first level held for 10 s; the second, 20 s, ended with its spell.
        assert_eq!((level.every.whole, level.every.cut, level.every.seconds), (1, 1, 30.0));
        assert!(fit.law().is_ok() && !full.is_closed);
        // With a threshold of 5, three are some, and five are all.
        let fit = ZoneFit::new(&weather, &weather.zones[0], 5);
        assert_eq!(fit.states[2].as_ref().map(|state| state.spells), Some(4));
    }

    #[test]
    fn states_that_are_never_left_or_taken_are_closed() {
        let weather =
            weather(&[(0, 100)], vec![zone("a", &[(0, 4), (60, 0)]), zone("b", &[(0, 4)])]);
        let fit = ZoneFit::new(&weather, &weather.zones[0], 4);
        let [none, _, full] = &fit.states;
        let (none, full) = (none.as_ref().expect("seen"), full.as_ref().expect("seen"));
        assert_eq!((none.next, none.is_closed, full.next), ([0, 0, 1], true, [1, 0, 0]));
        assert!(fit.law().is_ok());
        let steady = ZoneFit::new(&weather, &weather.zones[1], 4);
        assert_eq!((steady.constant(), steady.rows()), (Some(4), vec!["instances = 4".to_owned()]));
    }

    /// By hand over 100 s: both there for 30, one alone for 30, the other alone for 20, neither for 20:
    /// (0.3 - 0.6 x 0.5) / ... = 0.
    #[test]
    fn phi_is_that_by_hand() {
        let one = zone("a", &[(0, 1), (60, 0)]);
        let other = zone("b", &[(0, 1), (30, 0), (60, 1), (80, 0)]);
        let weather = weather(&[(0, 100)], vec![one.clone(), other.clone()]);
        assert!(phi(&weather, &one, &other).expect("both change").abs() < 1e-12);
        assert!((phi(&weather, &one, &one).expect("it changes") - 1.0).abs() < 1e-12);
        let opposite = zone("c", &[(0, 0), (60, 1)]);
        assert!((phi(&weather, &one, &opposite).expect("both change") + 1.0).abs() < 1e-12);
        assert_eq!(phi(&weather, &one, &zone("d", &[(0, 1)])), None);
    }

    /// What `law` comes to in the run of a seed, as if somebody had looked all the time.
    fn seen(law: CapacityLaw, seed: u64, secs: i64) -> Weather {
        let (from, until, key) = (None, None, [1, 0]);
        let (law, moves_with) = (law.into(), None);
        let drawn = DrawnCapacity { from, until, anchor: Time::ZERO, key, law, moves_with };
        let path = CapacityPath { drawn: vec![drawn], ..CapacityPath::default() };
        let mut cursor = CapacityCursor::new(&path, seed, Time::ZERO);
        let mut counts = vec![(Time::ZERO, cursor.capacity(&path).expect("it is limited"))];
        while let Some(next) = cursor.next_change(&path).filter(|&next| next < at(secs)) {
            cursor.advance(&path);
            counts.push((next, cursor.capacity(&path).expect("it is limited")));
        }
        counts.dedup_by_key(|&mut (_, count)| count);
        let zone = ZoneWeather { name: "a".to_owned(), counts, prices: None };
        weather(&[(0, secs)], vec![zone])
    }

    /// Generate, fit: parameters come back within four standard errors, and so do the shares of time.
    #[test]
    fn a_law_comes_back_from_what_it_comes_to() {
        let state = |lasts: &str, next: [f64; 3]| {
            Some(StateLaw { lasts: lasts.parse().expect("a law"), next })
        };
        let states = [
            state("lognormal(median=600, sigma=1.2)", [0.0, 3.0, 1.0]),
            state("weibull(shape=0.7, scale=900)", [1.0, 0.0, 1.0]),
            state("weibull(shape=0.6, scale=3000)", [1.0, 1.0, 0.0]),
        ];
        let steps =
            ("lognormal(median=60, sigma=0.5)".parse(), "empirical(values=[-1, 1])".parse());
        let level = LevelLaw {
            begins: "empirical(values=[3, 8])".parse().expect("a law"),
            steps: Some((steps.0.expect("a law"), steps.1.expect("a law"))),
        };
        let law = CapacityLaw::new(16, states, Some(level)).expect("a law");
        let weather = seen(law.clone(), 9, 12_000_000);
        let fit = ZoneFit::new(&weather, &weather.zones[0], 16);
        let fitted = fit.law().expect("a law");
        let wanted =
            [("lognormal", 600.0, 1.2), ("weibull", 900.0, 0.7), ("weibull", 3_000.0, 0.6)];
        for (state, (name, scale, shape)) in fit.states.iter().flatten().zip(wanted) {
            let best = &state.lasts.laws[0];
            assert!(best.words.starts_with(name), "{best:?}");
            let count = state.lasts.whole as f64;
            assert!(count > 800.0, "{count}");
            let numbers: Vec<f64> = best
                .words
                .split(|letter: char| !(letter.is_ascii_digit() || letter == '.'))
                .filter_map(|number| number.parse().ok())
                .collect();
            let (found_scale, found_shape) = if name == "lognormal" {
                (numbers[0], numbers[1])
            } else {
                (numbers[1], numbers[0])
            };
            // The scale of a lognormal law has an error of sigma / sqrt(n), that of a Weibull law
            // 1.05 / shape / sqrt(n); the shapes 0.71 and 0.78 of themselves.
            let spread = if name == "lognormal" { shape } else { 1.05 / shape };
            assert!((found_scale / scale).ln().abs() < 4.0 * spread / count.sqrt(), "{best:?}");
            assert!((found_shape / shape).ln().abs() < 4.0 * 0.8 / count.sqrt(), "{best:?}");
            assert!(best.distance < 1.63 / count.sqrt(), "{best:?}");
        }
        for (one, other) in law.shares().into_iter().zip(fitted.shares()) {
            assert!((one - other).abs() < 0.03, "{:?}, {:?}", law.shares(), fitted.shares());
        }
        let [none, ..] = &fit.states;
        let next = none.as_ref().expect("it was seen").next;
        let share = f64::from(next[1]) / f64::from(next[1] + next[2]);
        assert!(
            (share - 0.75).abs() < 4.0 * 0.45 / f64::from(next[1] + next[2]).sqrt(),
            "{next:?}"
        );
        let level = fit.level.expect("it was seen");
        assert!(level.begins.iter().map(|one| one.0).eq([3, 8]) && level.by.len() == 2);
        let every = &level.every.laws[0];
        assert!(
            every.words.starts_with("lognormal(median=6")
                || every.words.starts_with("lognormal(median=5")
        );
        assert_eq!(weather.watched_for(), Span::from_secs(12_000_000));
    }
}
