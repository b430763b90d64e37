//! Named random streams: one per cause, so that a policy that draws more
//! numbers cannot move the arrivals, the prices or the failures.
//!
//! A stream is found by its key (seed, name, entity) and never by the order
//! in which streams are made, so adding one moves no other. The whole
//! construction is portable and versioned as [`GENERATOR`]:
//!
//! 1. the name is hashed by 64-bit FNV-1a;
//! 2. `key = mix(mix(seed) ^ hash)`, and then `key = mix(key ^ part)` for each
//!    part of the entity, where `mix(x)` is the first output of SplitMix64
//!    from state `x` (Steele, Lea and Flood, OOPSLA 2014);
//! 3. the four words of xoshiro256++ (Blackman and Vigna, ACM TOMS 47(4),
//!    2021) are the first four outputs of SplitMix64 from state `key`.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// The generator and the version of its keying, for manifests: results drawn
/// under one name are comparable, and any change to a draw changes the name.
pub const GENERATOR: &str = "xoshiro256++/1";

/// A reproducible random stream. Making one allocates nothing and takes a few
/// tens of nanoseconds, so an entity can have its own and need not keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    state: Xoshiro256PlusPlus,
}

impl Stream {
    /// The stream called `name` of the run seeded `seed`.
    pub fn new(seed: u64, name: &str) -> Self {
        Self::keyed(seed, name, &[])
    }

    /// The stream called `name` that belongs to `entity` alone. It differs
    /// from [`Stream::new`] for every entity, 0 included.
    pub fn of(seed: u64, name: &str, entity: u64) -> Self {
        Streams::new(seed, name).of(entity)
    }

    /// The stream called `name` of an entity that takes several numbers to
    /// name, such as (offer, slot, launch ordinal). Their order matters.
    pub fn keyed(seed: u64, name: &str, entity: &[u64]) -> Self {
        let Streams(named) = Streams::new(seed, name);
        let key = entity.iter().fold(named, |key, part| mix(key ^ part));
        Self { state: Xoshiro256PlusPlus::seed_from_u64(key) }
    }

    /// A stream of its own for one compound draw, at the price of one word of
    /// this one: however many words the draw needs, this stream stays in step.
    pub fn fork(&mut self) -> Self {
        Self { state: Xoshiro256PlusPlus::seed_from_u64(self.next_u64()) }
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state.next_u64()
    }

    /// A number of the open interval (0, 1), never 0 and never 1: one word,
    /// its upper 53 bits.
    pub fn uniform(&mut self) -> f64 {
        open_unit(self.next_u64())
    }

    /// A whole number below `n`, each equally likely. Panics when `n` is 0.
    ///
    /// Lemire, "Fast random integer generation in an interval", ACM TOMACS
    /// 29(1), 2019: one word, and another with probability under `n` / 2^64.
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "there is no whole number below 0 to draw");
        let mut product = u128::from(self.next_u64()) * u128::from(n);
        if (product as u64) < n {
            let surplus = n.wrapping_neg() % n;
            while (product as u64) < surplus {
                product = u128::from(self.next_u64()) * u128::from(n);
            }
        }
        (product >> 64) as u64
    }

    /// Puts `items` in random order, every order equally likely (Fisher and
    /// Yates, from the end).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            items.swap(last, other);
        }
    }
}

/// The streams of one name, ready to be made for one entity after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams(u64);

impl Streams {
    /// The streams called `name` of the run seeded `seed`.
    pub fn new(seed: u64, name: &str) -> Self {
        Self(mix(mix(seed) ^ fnv1a(name.as_bytes())))
    }

    /// The stream that belongs to `entity` alone, as [`Stream::of`] makes it.
    #[inline]
    pub fn of(self, entity: u64) -> Stream {
        Stream { state: Xoshiro256PlusPlus::seed_from_u64(mix(self.0 ^ entity)) }
    }

    /// The first word of the stream that belongs to `entity`, where no other is
    /// needed: it takes two of the four words of the generator's state.
    #[inline]
    pub fn first_word(self, entity: u64) -> u64 {
        let key = mix(self.0 ^ entity);
        let (first, last) = (mix(key), mix(key.wrapping_add(GOLDEN.wrapping_mul(3))));
        first.wrapping_add(last).rotate_left(23).wrapping_add(first)
    }

    /// The first uniform number of that stream, see [`Stream::uniform`].
    #[inline]
    pub fn first_uniform(self, entity: u64) -> f64 {
        open_unit(self.first_word(entity))
    }
}

/// Multiples of 2^-53 from 2^-53 to 1 - 2^-53. Zero is taken as the smallest
/// multiple, a bias of 2^-53, so that each draw takes exactly one word.
fn open_unit(word: u64) -> f64 {
    const STEP: f64 = 1.0 / (1u64 << 53) as f64;
    (word >> 11).max(1) as f64 * STEP
}

/// The 64-bit FNV-1a hash (draft-eastlake-fnv).
pub const fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash
}

/// Increment of SplitMix64's state at each step.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The first output of SplitMix64 from state `x`; a bijection.
const fn mix(x: u64) -> u64 {
    let z = x.wrapping_add(GOLDEN);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_three(mut stream: Stream) -> [u64; 3] {
        [stream.next_u64(), stream.next_u64(), stream.next_u64()]
    }

    /// The vectors of the FNV draft, of splitmix64.c and of
    /// xoshiro256plusplus.c.
    #[test]
    fn parts_match_their_published_vectors() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
        let mut words = [0; 32];
        for (word, value) in [1, 2, 3, 4].into_iter().enumerate() {
            words[word * 8] = value;
        }
        let stream = Stream { state: Xoshiro256PlusPlus::from_seed(words) };
        assert_eq!(first_three(stream), [41943041, 58720359, 3588806011781223]);
    }

    /// Values from an independent program in another language. They are part of `GENERATOR`: a
    /// change here is a new version of it.
    #[test]
    fn streams_match_the_golden_vectors() {
        let golden = [
            (
                Stream::new(0, ""),
                [0x11ea_5d71_ab27_f4bf, 0xcc84_b97b_d651_64de, 0x9953_9b09_e7f2_eab2],
            ),
            (
                Stream::new(1, "arrivals"),
                [0x6ce8_ef05_8629_33fe, 0xe881_1f34_f465_5ba4, 0x579d_f0c1_ffd9_3494],
            ),
            (
                Stream::of(1, "arrivals", 0),
                [0x07e4_b094_ca29_aca1, 0x5111_d41b_9323_f292, 0xf999_e975_23aa_e6b0],
            ),
            (
                Stream::of(1, "arrivals", 1),
                [0xfcae_e6c5_cfdf_d5ba, 0x284d_c4e3_259b_3b3e, 0x805f_a5e2_f4ce_37bb],
            ),
            (
                Stream::keyed(42, "spot prices", &[3, 0, 7]),
                [0xfb83_eafb_4d8b_e782, 0x85bc_a1d5_1b8d_52b5, 0xdda8_e3e3_fe4a_b16d],
            ),
            (
                Stream::of(u64::MAX, "größe", u64::MAX),
                [0x110c_5520_a33d_7490, 0x4514_21c3_19f8_707b, 0x5d10_0909_2860_bc30],
            ),
        ];
        for (row, (stream, expected)) in golden.into_iter().enumerate() {
            assert_eq!(first_three(stream), expected, "row {row}");
        }
    }

    #[test]
    fn the_first_word_alone_is_that_of_the_stream() {
        let streams = Streams::new(7, "sizes");
        for entity in (0..1_000).chain([u64::MAX, 1 << 63]) {
            assert_eq!(streams.first_word(entity), streams.of(entity).next_u64(), "{entity}");
        }
    }

    #[test]
    fn every_part_of_the_key_moves_the_stream() {
        let streams = [
            Stream::new(1, "boot"),
            Stream::new(2, "boot"),
            Stream::new(1, "boots"),
            Stream::of(1, "boot", 0),
            Stream::of(1, "boot", 1),
            Stream::keyed(1, "boot", &[0, 1]),
            Stream::keyed(1, "boot", &[1, 0]),
        ];
        let firsts: std::collections::BTreeSet<u64> =
            streams.into_iter().map(|mut stream| stream.next_u64()).collect();
        assert_eq!(firsts.len(), 7);
    }

    #[test]
    fn a_fork_costs_one_word_whatever_it_draws() {
        let mut forked = Stream::new(1, "sizes");
        let mut plain = forked.clone();
        let mut child = forked.fork();
        for _ in 0..100 {
            child.next_u64();
        }
        plain.next_u64();
        assert_eq!(forked, plain);
    }

    #[test]
    fn uniform_never_reaches_its_ends() {
        assert_eq!(open_unit(0), 1.0 / 9007199254740992.0);
        assert_eq!(open_unit(u64::MAX), 1.0 - 1.0 / 9007199254740992.0);
        assert_eq!(open_unit(1 << 63), 0.5);
    }

    /// 200,000 uniforms: the mean has standard error 1/sqrt(12 n) = 0.000645,
    /// and each of 100 cells holds 2,000 +- 44.5, so chi-squared with 99
    /// degrees of freedom stays under 99 + 5 sqrt(198) = 169.
    #[test]
    fn uniform_is_uniform() {
        let mut stream = Stream::new(7, "uniform");
        let mut cells = [0u32; 100];
        let mut sum = 0.0;
        for _ in 0..200_000 {
            let u = stream.uniform();
            sum += u;
            cells[(u * 100.0) as usize] += 1;
        }
        assert!((sum / 200_000.0 - 0.5).abs() < 5.0 * 0.000645, "{sum}");
        let chi: f64 = cells.iter().map(|&c| (f64::from(c) - 2000.0).powi(2) / 2000.0).sum();
        assert!(chi < 169.0, "{chi}");
    }

    /// Streams of neighbouring entities are as good as one stream: the same
    /// chi-squared bound over the first number of each.
    #[test]
    fn first_numbers_of_neighbouring_entities_are_uniform() {
        let mut cells = [0u32; 100];
        for entity in 0..200_000 {
            cells[(Stream::of(7, "boot", entity).uniform() * 100.0) as usize] += 1;
        }
        let chi: f64 = cells.iter().map(|&c| (f64::from(c) - 2000.0).powi(2) / 2000.0).sum();
        assert!(chi < 169.0, "{chi}");
    }

    /// Below 3 * 2^62 a plain `word % n` or unrejected multiply favours some
    /// values by half; here each third is 1/3 +- 5 * 0.00105 of 200,000.
    #[test]
    fn below_is_unbiased_for_a_large_bound() {
        let n = 3u64 << 62;
        let mut stream = Stream::new(7, "below");
        let mut thirds = [0u32; 3];
        let mut remainders = [0u32; 3];
        for _ in 0..200_000 {
            let drawn = stream.below(n);
            thirds[(drawn >> 62) as usize] += 1;
            remainders[(drawn % 3) as usize] += 1;
        }
        for count in thirds.into_iter().chain(remainders) {
            let share = f64::from(count) / 200_000.0;
            assert!((share - 1.0 / 3.0).abs() < 5.0 * 0.00105, "{thirds:?} {remainders:?}");
        }
        assert_eq!(stream.below(1), 0);
    }

    #[test]
    #[should_panic(expected = "no whole number below 0")]
    fn below_zero_is_refused() {
        Stream::new(0, "").below(0);
    }

    /// 60,000 shuffles of three: each order comes 10,000 +- 5 * 91.3 times.
    #[test]
    fn every_order_is_equally_likely() {
        let mut stream = Stream::new(7, "shuffle");
        let mut orders = std::collections::BTreeMap::new();
        for _ in 0..60_000 {
            let mut items = [1, 2, 3];
            stream.shuffle(&mut items);
            *orders.entry(items).or_insert(0u32) += 1;
        }
        assert_eq!(orders.len(), 6);
        assert!(orders.values().all(|&count| count.abs_diff(10_000) < 457), "{orders:?}");
        stream.shuffle::<u8>(&mut []);
    }
}
