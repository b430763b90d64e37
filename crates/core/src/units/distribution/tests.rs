use super::*;
use rand_xoshiro::rand_core::SeedableRng;

const DRAWS: usize = 200_000;

fn read(text: &str) -> Distribution {
    text.parse().unwrap()
}

fn draws(distribution: &Distribution, name: &str) -> Vec<f64> {
    let mut stream = Stream::new(2026, name);
    let mut draws: Vec<f64> = (0..DRAWS).map(|_| distribution.sample(&mut stream)).collect();
    draws.sort_by(f64::total_cmp);
    draws
}

/// The first five draws of each law, from an independent program at 40
/// digits. A change here changes results.
#[test]
fn draws_match_the_golden_vectors() {
    let golden = [
        ("constant(5)", [5.0, 5.0, 5.0, 5.0, 5.0]),
        (
            "uniform(low=2, high=6)",
            [
                3.998020713586148,
                3.949615421402514,
                2.9685209725979664,
                4.215711957708001,
                5.331106150496385,
            ],
        ),
        (
            "exponential(mean=300)",
            [
                207.6474080181042,
                200.48009587448342,
                83.17311985164105,
                242.18246439338012,
                536.5272788884389,
            ],
        ),
        (
            "normal(mean=10, sd=3)",
            [
                9.996278997579502,
                9.905262699402583,
                7.901600234459124,
                10.406775275112826,
                12.895586354479327,
            ],
        ),
        (
            "lognormal(median=35, p95=90)",
            [
                34.97508223110294,
                34.371082929026194,
                23.423036894196738,
                37.833832771226284,
                60.91963031616294,
            ],
        ),
        (
            "lognormal(mean=35, sd=20)",
            [
                30.368480680426696,
                29.882650590801628,
                20.952310343908753,
                32.6596746489586,
                50.761277011436505,
            ],
        ),
        (
            "weibull(shape=0.7, scale=100)",
            [
                59.11828127405378,
                56.22488565581723,
                15.998829000279011,
                73.65012443164846,
                229.44162973230567,
            ],
        ),
        (
            "weibull(shape=2, mean=100)",
            [
                93.87667286577064,
                92.24228712105402,
                59.413608220706074,
                101.38314960371325,
                150.90038085990278,
            ],
        ),
        (
            "pareto(shape=1.5, minimum=2)",
            [
                3.172709215628467,
                3.1225766324231605,
                2.406025788207587,
                3.425784288240532,
                6.589187331903307,
            ],
        ),
        (
            "bounded-pareto(shape=1.1, low=1, high=1000)",
            [
                1.8753212153480514,
                1.8350694217914891,
                1.2864599254118092,
                2.081982659170793,
                5.071182598995102,
            ],
        ),
        (
            "gamma(shape=2.5, scale=4)",
            [
                2.9693335467965634,
                5.423774643575721,
                6.838519747593101,
                2.8785918047359247,
                6.259668674195193,
            ],
        ),
        (
            "gamma(shape=0.5, mean=10)",
            [
                0.285183901802228,
                1.3705734149115454,
                5.721029432831953,
                0.21149873901608238,
                1.4838421969147064,
            ],
        ),
        (
            "hyperexponential(mean=300, scv=4)",
            [
                182.06277661036955,
                96.92981888400097,
                240.76318102387262,
                145.3259176958417,
                62.02673285196075,
            ],
        ),
        (
            "erlang(k=20, mean=60)",
            [
                74.15867359465526,
                76.37799362118656,
                59.39218358245991,
                49.95862289348846,
                47.757776369737364,
            ],
        ),
        ("empirical(values=[1, 2, 7], weights=[1, 0.5, 2])", [7.0, 7.0, 1.0, 7.0, 7.0]),
        (
            "quantiles(0: 10, 0.5: 30, 0.95: 90, 1: 400)",
            [
                29.980207135861477,
                29.49615421402514,
                19.685209725979664,
                37.190398590266675,
                74.37020501654618,
            ],
        ),
        (
            "mixture(0.7: exponential(mean=3), 0.3: constant(5))",
            [
                3.2308799696561805,
                1.7201133374172835,
                4.272575391209487,
                2.578948894975026,
                1.1007243352302085,
            ],
        ),
    ];
    for (text, expected) in golden {
        let mut stream = Stream::new(2026, "golden");
        let distribution = read(text);
        for value in expected {
            let drawn = distribution.sample(&mut stream);
            assert!((drawn - value).abs() <= 1e-12 * value, "{text}: {drawn} is not {value}");
        }
    }
}

/// The same bits on every platform, where 1e-12 would let a difference by.
#[test]
fn draws_match_to_the_last_bit() {
    let golden: [(&str, u64); 6] = [
        ("exponential(mean=300)", 0x187e_6649_b932_5376),
        ("normal(mean=10, sd=3)", 0x5cbd_6dc9_de96_19cb),
        ("lognormal(median=35, p95=90)", 0xb9b3_f6c8_08d9_7d43),
        ("weibull(shape=0.7, scale=100)", 0x3c5e_eeaa_d07a_7aba),
        ("gamma(shape=0.5, mean=10)", 0x015b_d7c3_8fd9_425c),
        ("bounded-pareto(shape=1.1, low=1, high=1000)", 0xdb27_df00_23d4_7d09),
    ];
    for (text, expected) in golden {
        let mut stream = Stream::new(2026, "bits");
        let distribution = read(text);
        let folded = (0..1000)
            .fold(0u64, |bits, _| bits.rotate_left(1) ^ distribution.sample(&mut stream).to_bits());
        assert_eq!(folded, expected, "{text}: {folded:#x}");
    }
}

#[test]
fn a_draw_takes_one_word_whatever_the_law() {
    for text in EVERY_LAW {
        let (mut drawn, mut plain) = (Stream::new(1, "a"), Stream::new(1, "a"));
        read(text).sample(&mut drawn);
        plain.next_u64();
        assert_eq!(drawn, plain, "{text}");
    }
}

/// Each law, with its mean and variance worked out by hand.
const EVERY_LAW: [&str; 14] = [
    "constant(5)",
    "uniform(low=2, high=6)",
    "exponential(mean=300)",
    "normal(mean=10, sd=3)",
    "lognormal(mean=35, sd=20)",
    "weibull(shape=2, scale=100)",
    "pareto(shape=5, minimum=2)",
    "bounded-pareto(shape=1, low=1, high=100)",
    "gamma(shape=2.5, scale=4)",
    "hyperexponential(mean=300, scv=4)",
    "erlang(k=20, mean=60)",
    "empirical(values=[1, 2, 7], weights=[1, 1, 2])",
    "quantiles(0: 0, 0.5: 2, 1: 10)",
    "mixture(0.75: exponential(mean=4), 0.25: constant(8))",
];

/// Means and variances by hand:
/// Weibull(2): 100 sqrt(pi)/2 and 10^4 (1 - pi/4).
/// Pareto(5, 2): 5*2/4 = 2.5 and 4*5/(16*3) = 5/12.
/// Bounded Pareto(1, 1..100): density c/x^2, c = 1/0.99; mean c ln 100,
/// second moment 99 c = 100.
/// H2 of scv 4: 4 * 300^2. Erlang(20): 3600/20.
/// Empirical: (1 + 2 + 14)/4 = 4.25; (1 + 4 + 98)/4 - 4.25^2 = 7.6875.
/// Quantiles: (1 + 6)/2 = 3.5; (4/3 + (4 + 20 + 100)/3)/2 - 12.25 = 9.0833.
/// Mixture: 3 + 2 = 5; 0.75 * 32 + 0.25 * 64 - 25 = 15.
#[test]
fn moments_are_those_worked_out_by_hand() {
    let pi = std::f64::consts::PI;
    let log100 = libm::log(100.0) / 0.99;
    let moments = [
        (5.0, 0.0),
        (4.0, 16.0 / 12.0),
        (300.0, 9e4),
        (10.0, 9.0),
        (35.0, 400.0),
        (50.0 * pi.sqrt(), 1e4 * (1.0 - pi / 4.0)),
        (2.5, 5.0 / 12.0),
        (log100, 100.0 - log100 * log100),
        (10.0, 40.0),
        (300.0, 36e4),
        (60.0, 180.0),
        (4.25, 7.6875),
        (3.5, 109.0 / 12.0),
        (5.0, 15.0),
    ];
    for (text, (mean, variance)) in EVERY_LAW.into_iter().zip(moments) {
        let (found, spread) = (read(text).mean().unwrap(), read(text).variance().unwrap());
        assert!((found - mean).abs() <= 1e-12 * mean, "{text}: mean {found}");
        assert!((spread - variance).abs() <= 1e-11 * variance, "{text}: variance {spread}");
    }
}

/// The mean of n draws lies within 5 sqrt(variance / n) of the mean, and
/// the mean of squared deviations within 5 of its own standard errors of
/// the variance.
#[test]
fn draws_have_the_moments_they_claim() {
    for text in EVERY_LAW {
        let distribution = read(text);
        let (mean, variance) = (distribution.mean().unwrap(), distribution.variance().unwrap());
        let draws = draws(&distribution, "moments");
        let n = DRAWS as f64;
        let found = draws.iter().sum::<f64>() / n;
        assert!((found - mean).abs() <= 5.0 * (variance / n).sqrt(), "{text}: mean {found}");
        let squares: Vec<f64> = draws.iter().map(|x| (x - mean).powi(2)).collect();
        let spread = squares.iter().sum::<f64>() / n;
        let fourth = squares.iter().map(|s| (s - spread).powi(2)).sum::<f64>() / n;
        let error = 5.0 * (fourth / n).sqrt() + 1e-9 * variance;
        assert!((spread - variance).abs() <= error, "{text}: variance {spread}");
    }
}

#[test]
fn infinite_moments_are_none() {
    let heavy = read("pareto(shape=1, minimum=2)");
    assert_eq!((heavy.mean(), heavy.variance()), (None, None));
    let lighter = read("pareto(shape=1.5, minimum=2)");
    assert_eq!((lighter.mean(), lighter.variance()), (Some(6.0), None));
    let mixed = Distribution::mixture(vec![(1.0, heavy), (1.0, lighter)]).unwrap();
    assert_eq!((mixed.mean(), mixed.variance()), (None, None));
}

/// Kolmogorov and Smirnov: sqrt(n) times the largest distance exceeds
/// 2.5 with probability 2 exp(-12.5) = 7e-6.
fn assert_follows(text: &str, cdf: impl Fn(f64) -> f64) {
    let draws = draws(&read(text), "shape");
    let n = DRAWS as f64;
    let distance = draws.iter().enumerate().fold(0.0f64, |most, (rank, x)| {
        let p = cdf(*x);
        most.max((p - rank as f64 / n).abs()).max((p - (rank + 1) as f64 / n).abs())
    });
    assert!(distance * n.sqrt() < 2.5, "{text}: {}", distance * n.sqrt());
}

#[test]
fn draws_follow_their_cumulative_distribution() {
    assert_follows("uniform(low=2, high=6)", |x| (x - 2.0) / 4.0);
    assert_follows("exponential(mean=300)", |x| -libm::expm1(-x / 300.0));
    let normal = |z: f64| libm::erfc(-z / 2f64.sqrt()) / 2.0;
    assert_follows("normal(mean=10, sd=3)", |x| normal((x - 10.0) / 3.0));
    let text = format!("lognormal(median={}, sigma=0.8)", 3f64.exp());
    assert_follows(&text, |x| normal((x.ln() - 3.0) / 0.8));
    assert_follows("weibull(shape=0.7, scale=100)", |x| -libm::expm1(-(x / 100.0).powf(0.7)));
    let pareto = |x: f64| 1.0 - (2.0 / x).powf(0.8);
    assert_follows("pareto(shape=0.8, minimum=2)", pareto);
    let kept = pareto(50.0);
    assert_follows("bounded-pareto(shape=0.8, low=2, high=50)", |x| pareto(x) / kept);
    assert_follows("quantiles(0: 0, 0.5: 2, 1: 10)", |x| {
        if x < 2.0 { x / 4.0 } else { 0.5 + (x - 2.0) / 16.0 }
    });
}

/// The regularised incomplete gamma function, from its power series (NIST Digital Library of
/// Mathematical Functions, 8.7.1).
fn gamma_below(shape: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut at) = (1.0, 1.0, shape);
    while term > 1e-16 * sum {
        at += 1.0;
        term *= x / at;
        sum += term;
    }
    sum * (shape * x.ln() - x - libm::lgamma(shape + 1.0)).exp()
}

#[test]
fn compound_draws_follow_their_cumulative_distribution() {
    for shape in [0.2, 0.5, 1.0, 2.5, 100.0] {
        let text = format!("gamma(shape={shape}, scale=4)");
        assert_follows(&text, |x| gamma_below(shape, x / 4.0));
    }
    for k in [1, 3, 16, 17, 40] {
        let k = f64::from(k);
        assert_follows(&format!("erlang(k={k}, mean=60)"), |x| gamma_below(k, x * k / 60.0));
    }
    // scv 4: root = sqrt(3/5), branches of weight (1 +- root)/2, each of
    // mean 150 / weight.
    let likely = (1.0 + 0.6f64.sqrt()) / 2.0;
    let tail = |weight: f64, x: f64| weight * (-x * weight / 150.0).exp();
    assert_follows("hyperexponential(mean=300, scv=4)", |x| {
        1.0 - tail(likely, x) - tail(1.0 - likely, x)
    });
    assert_follows("mixture(3: exponential(mean=3), 1: uniform(low=0, high=8))", |x| {
        0.75 * (1.0 - (-x / 3.0).exp()) + 0.25 * (x / 8.0).min(1.0)
    });
}

/// Two samples of n: sqrt(n/2) times the largest distance exceeds 2.5
/// with probability 7e-6.
fn assert_alike(text: &str, other: impl rand_distr::Distribution<f64>) {
    let ours = draws(&read(text), "alike");
    let generator = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(1);
    let mut theirs: Vec<f64> = other.sample_iter(generator).take(DRAWS).collect();
    theirs.sort_by(f64::total_cmp);
    let distance = ours.iter().enumerate().fold(0.0f64, |most, (rank, x)| {
        let below = theirs.partition_point(|y| y <= x);
        most.max((below as f64 - rank as f64).abs() / DRAWS as f64)
    });
    assert!(distance * (DRAWS as f64 / 2.0).sqrt() < 2.5, "{text}: {distance}");
}

#[test]
fn draws_are_alike_to_those_of_another_library() {
    assert_alike("exponential(mean=4)", rand_distr::Exp::new(0.25).unwrap());
    assert_alike("normal(mean=10, sd=3)", rand_distr::Normal::new(10.0, 3.0).unwrap());
    assert_alike("gamma(shape=0.5, scale=4)", rand_distr::Gamma::new(0.5, 4.0).unwrap());
    assert_alike("gamma(shape=7, scale=4)", rand_distr::Gamma::new(7.0, 4.0).unwrap());
    assert_alike("weibull(shape=3, scale=9)", rand_distr::Weibull::new(9.0, 3.0).unwrap());
    assert_alike("pareto(shape=1.2, minimum=2)", rand_distr::Pareto::new(2.0, 1.2).unwrap());
    let lognormal = rand_distr::LogNormal::new(0.0, 1.5).unwrap();
    assert_alike("lognormal(median=1, sigma=1.5)", lognormal);
}

/// Weights 1, 1, 2 in 200,000 draws: 50,000 +- 5 * 194 and 100,000 +- 5 * 224.
#[test]
fn empirical_values_come_as_often_as_their_weights() {
    let draws = draws(&read("empirical(values=[7, 2, 1], weights=[2, 1, 1])"), "weights");
    let count = |value| draws.iter().filter(|x| **x == value).count();
    assert!(count(1.0).abs_diff(50_000) < 970);
    assert!(count(2.0).abs_diff(50_000) < 970);
    assert!(count(7.0).abs_diff(100_000) < 1120);
    assert_eq!(count(1.0) + count(2.0) + count(7.0), DRAWS);
}

#[test]
fn quantiles_are_those_worked_out_by_hand() {
    let close = |text: &str, p: f64, expected: f64| {
        let found = read(text).quantile(p).unwrap();
        assert!((found - expected).abs() <= 1e-13 * expected, "{text} at {p}: {found}");
    };
    close("exponential(mean=2)", 0.5, 2.0 * std::f64::consts::LN_2);
    close("exponential(mean=2)", 1e-10, 2e-10 * (1.0 + 0.5e-10));
    close("lognormal(median=35, p95=90)", 0.5, 35.0);
    close("lognormal(median=35, p95=90)", 0.95, 90.0);
    close("weibull(shape=2, scale=3)", 1.0 - (-4f64).exp(), 6.0);
    close("pareto(shape=2, minimum=3)", 0.75, 6.0);
    // 1/x is uniform on [0.01, 1], so half of it is below 1/0.505.
    close("bounded-pareto(shape=1, low=1, high=100)", 0.5, 1.0 / 0.505);
    close("quantiles(0: 10, 0.5: 30, 1: 400)", 0.75, 215.0);
    close("empirical([3, 1, 2])", 0.34, 2.0);
    assert_eq!(read("gamma(shape=2, scale=1)").quantile(0.5), None);
    assert_eq!(read("exponential(2)").quantile(0.0), None);
    assert_eq!(read("exponential(2)").quantile(1.0), None);
}

#[test]
fn a_larger_uniform_is_a_larger_value() {
    for text in EVERY_LAW {
        let distribution = read(text);
        let points: Vec<f64> =
            (1..10_000).filter_map(|i| distribution.quantile(f64::from(i) / 10_000.0)).collect();
        assert!(points.is_sorted(), "{text}");
    }
}
