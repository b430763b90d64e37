//! Closed forms of queueing and reliability theory, computed rather than
//! quoted. Rates are per unit of time, loads in erlangs (arrival rate times
//! mean service).

/// Steps of the quadrature; an even number.
const STEPS: u32 = 20_000;

/// The integral of `f` from `low` to `high` (Simpson's rule).
fn integral(low: f64, high: f64, f: impl Fn(f64) -> f64) -> f64 {
    let width = (high - low) / f64::from(STEPS);
    let inner: f64 = (1..STEPS)
        .map(|step| (if step % 2 == 1 { 4.0 } else { 2.0 }) * f(low + width * f64::from(step)))
        .sum();
    (f(low) + inner + f(high)) * width / 3.0
}

/// Point in `low..high` at which `f`, which falls from above zero to below, crosses zero.
pub(super) fn root(low: f64, high: f64, f: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (low, high);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if f(middle) > 0.0 { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// Erlang's loss formula: the share of arrivals that find all `servers` busy
/// (Erlang 1917): B(0) = 1, B(k) = a B(k-1) / (k + a B(k-1)).
pub fn erlang_b(servers: u32, load: f64) -> f64 {
    (1..=servers).fold(1.0, |blocked, k| load * blocked / (f64::from(k) + load * blocked))
}

/// Erlang's delay formula: the share of arrivals that wait in M/M/c:
/// C = B / (1 - rho (1 - B)).
pub fn erlang_c(servers: u32, load: f64) -> f64 {
    let blocked = erlang_b(servers, load);
    blocked / (1.0 - load / f64::from(servers) * (1.0 - blocked))
}

/// Mean wait in M/M/c with mean service 1: C / (c - a).
pub fn mmc_wait(servers: u32, load: f64) -> f64 {
    erlang_c(servers, load) / (f64::from(servers) - load)
}

/// P(wait > t) in M/M/c with mean service 1: C exp(-(c - a) t).
pub fn mmc_wait_beyond(servers: u32, load: f64, t: f64) -> f64 {
    erlang_c(servers, load) * libm::exp(-(f64::from(servers) - load) * t)
}

/// P(turnaround > t) in M/M/1 with mean service 1: exp(-(1 - rho) t).
pub fn mm1_turnaround_beyond(load: f64, t: f64) -> f64 {
    libm::exp(-(1.0 - load) * t)
}

/// Quantile of the turnaround in M/M/1 with mean service 1: ln(1/(1 - p)) / (1 - rho).
pub fn mm1_turnaround_quantile(load: f64, p: f64) -> f64 {
    -libm::log(1.0 - p) / (1.0 - load)
}

/// M/M/c with room for `queue` waiting: share refused, mean number waiting,
/// and mean wait of those let in; mean service 1 (birth-death balance).
pub fn mmck(servers: u32, queue: u32, load: f64) -> (f64, f64, f64) {
    let mut weight = 1.0;
    let (mut sum, mut waiting) = (1.0, 0.0);
    for k in 1..=servers + queue {
        weight *= load / f64::from(k.min(servers));
        sum += weight;
        waiting += weight * f64::from(k.saturating_sub(servers));
    }
    let (refused, length) = (weight / sum, waiting / sum);
    (refused, length, length / (load * (1.0 - refused)))
}

/// Mean wait in M/G/1 with mean service 1 and squared coefficient of variation
/// `scv` (Pollaczek 1930, Khinchine 1932): rho (1 + scv) / (2 (1 - rho)).
pub fn mg1_wait(load: f64, scv: f64) -> f64 {
    load * (1.0 + scv) / (2.0 * (1.0 - load))
}

/// Mean wait in D/M/1 with mean service 1: s / (1 - s), where
/// s = exp(-(1 - s) / rho).
pub fn dm1_wait(load: f64) -> f64 {
    let s = root(0.0, 1.0 - 1e-9, |s| libm::exp(-(1.0 - s) / load) - s);
    s / (1.0 - s)
}

/// Mean wait in Erlang-2/M/1 with mean service 1: s / (1 - s), where
/// s = (2 rho / (2 rho + 1 - s))^2.
pub fn e2m1_wait(load: f64) -> f64 {
    let law = |s: f64| 2.0 * load / (2.0 * load + 1.0 - s);
    let s = root(0.0, 1.0 - 1e-9, |s| law(s) * law(s) - s);
    s / (1.0 - s)
}

/// Mean turnaround in M/M/1 with arrivals in batches of `batch`, mean service 1.
pub fn batch_turnaround(load: f64, batch: u32) -> f64 {
    (1.0 + f64::from(batch - 1) / 2.0) / (1.0 - load)
}

/// Load of the jobs not longer than `x`: exponential service of mean 1.
fn load_up_to(load: f64, x: f64) -> f64 {
    load * (1.0 - libm::exp(-x) * (1.0 + x))
}

/// Mean wait in M/M/1 under shortest job first without preemption:
/// the integral of f(x) W0 / (1 - rho(x))^2, W0 = lambda E[S^2] / 2 (Phipps 1956).
pub fn sjf_wait(load: f64) -> f64 {
    integral(0.0, 60.0, |x| {
        let free = 1.0 - load_up_to(load, x);
        libm::exp(-x) * load / (free * free)
    })
}

/// Mean turnaround in M/M/1 under shortest remaining processing time first
/// (Schrage and Miller 1966).
pub fn srpt_turnaround(load: f64) -> f64 {
    integral(0.0, 60.0, |x| {
        let free = 1.0 - load_up_to(load, x);
        let tail = libm::exp(-x);
        let short = 2.0 - tail * (x * x + 2.0 * x + 2.0);
        let waits = tail * load * (short + x * x * tail) / (2.0 * free * free);
        waits + tail / free
    })
}

/// Mean waits of two classes under priorities without preemption, mean
/// exponential service 1, loads of the higher and the lower class (Cobham 1954).
pub fn priority_waits(high: f64, low: f64) -> (f64, f64) {
    let left = high + low;
    (left / (1.0 - high), left / ((1.0 - high) * (1.0 - high - low)))
}

/// Mean turnaround in M/M/1, mean service 1, whose server is switched off when
/// idle and takes a setup of this mean and second moment to come back (Welch 1964):
/// 1 / (1 - rho) + (2 s + lambda s2) / (2 (1 + lambda s)).
pub fn setup_turnaround(load: f64, setup: f64, second_moment: f64) -> f64 {
    1.0 / (1.0 - load) + (2.0 * setup + load * second_moment) / (2.0 * (1.0 + load * setup))
}

/// P(N > n) of a Poisson number of this mean.
pub fn poisson_beyond(mean: f64, n: u32) -> f64 {
    let log_first = -mean;
    let mut log_weight = log_first;
    let mut below = libm::exp(log_first);
    for k in 1..=n {
        log_weight += libm::log(mean) - libm::log(f64::from(k));
        below += libm::exp(log_weight);
    }
    1.0 - below
}

/// Mean billed steps of an exponential lifetime of `mean` steps, rounded up:
/// 1 / (1 - exp(-1/mean)).
pub fn rounded_up(mean: f64) -> f64 {
    -1.0 / libm::expm1(-1.0 / mean)
}

/// The same with at least `minimum` steps billed:
/// m + exp(-m/mean) / (1 - exp(-1/mean)).
pub fn rounded_up_at_least(mean: f64, minimum: f64) -> f64 {
    minimum + libm::exp(-minimum / mean) * rounded_up(mean)
}

/// Shares of time with 0, 1, 2 ... of `machines` down: each fails after `life` on average, and `crews`
/// repair one in `repair` each: birth-death balance. With a crew for each it is the binomial law, and
/// holds whatever the laws of lives and repairs.
pub fn down_shares(machines: u32, crews: u32, life: f64, repair: f64) -> Vec<f64> {
    let mut shares = vec![1.0];
    for down in 0..machines {
        let repaired = f64::from(crews.min(down + 1)) / repair;
        shares.push(shares[down as usize] * f64::from(machines - down) / life / repaired);
    }
    let whole: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / whole).collect()
}

/// Mean time from when all of `machines` are up until more than `limit` are down: each fails after `life`
/// on average, and each that is down is repaired at a rate of `repairs`. The first passage of a chain of
/// births and deaths: from k down to k + 1 it takes m(k) = (1 + k mu m(k-1)) / ((n - k) lambda).
pub fn time_to_failure(machines: u32, limit: u32, life: f64, repairs: f64) -> f64 {
    let step = |(sum, before): (f64, f64), down: u32| {
        let more = 1.0 + f64::from(down) * repairs * before;
        let time = more * life / f64::from(machines - down);
        (sum + time, time)
    };
    (0..=limit).fold((0.0, 0.0), step).0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers were computed apart from this code, and several of them
    /// confirmed by Monte Carlo.
    #[test]
    fn closed_forms_give_the_published_numbers() {
        let (refused, length, wait) = mmck(10, 5, 8.0);
        let (high, low) = priority_waits(0.3, 0.4);
        let cases = [
            ("M/M/1 wait", mmc_wait(1, 0.8), 4.0),
            ("M/M/1 P(T>10)", mm1_turnaround_beyond(0.8, 10.0), 0.135_335_283),
            ("M/M/1 p99", mm1_turnaround_quantile(0.8, 0.99), 23.025_850_930),
            ("M/M/2 C", erlang_c(2, 1.5), 9.0 / 14.0),
            ("M/M/2 wait", mmc_wait(2, 1.5), 9.0 / 7.0),
            ("M/M/10 C", erlang_c(10, 8.0), 0.409_180_151),
            ("M/M/10 wait", mmc_wait(10, 8.0), 0.204_590_075),
            ("M/M/10 P(W>.5)", mmc_wait_beyond(10, 8.0, 0.5), 0.150_528_965),
            ("M/M/100 C", erlang_c(100, 90.0), 0.216_940_481),
            ("M/M/100 wait", mmc_wait(100, 90.0), 0.021_694_048),
            ("M/M/10/10 B", erlang_b(10, 7.0), 0.078_740_883),
            ("M/M/100/100 B", erlang_b(100, 90.0), 0.026_957_380),
            ("M/M/10/15 refused", refused, 0.030_038_034),
            ("M/M/10/15 length", length, 0.631_854_731),
            ("M/M/10/15 wait", wait, 0.081_427_772),
            ("M/D/1", mg1_wait(0.7, 0.0), 1.166_666_667),
            ("M/E2/1", mg1_wait(0.7, 0.5), 1.75),
            ("M/H2/1", mg1_wait(0.7, 4.0), 5.833_333_333),
            ("M/LN/1", mg1_wait(0.7, std::f64::consts::E - 1.0), 3.171_328_800),
            ("D/M/1", dm1_wait(0.8), 1.692_730_840),
            ("E2/M/1", e2m1_wait(0.8), 2.843_979_767),
            ("SJF", sjf_wait(0.8), 1.882_218_616),
            ("SRPT", srpt_turnaround(0.8), 2.352_773_270),
            ("priority high", high, 1.0),
            ("priority low", low, 3.333_333_333),
            ("setup exp", setup_turnaround(0.5, 2.0, 8.0), 4.0),
            ("setup fixed", setup_turnaround(0.5, 2.0, 4.0), 3.5),
            ("batches", batch_turnaround(0.8, 4), 12.5),
            ("5 machines, 1 crew: all up", down_shares(5, 1, 100.0, 10.0)[0], 0.563_952_177),
            (
                "5 machines, 1 crew: at least 4 up",
                down_shares(5, 1, 100.0, 10.0)[..2].iter().sum(),
                0.845_928_265,
            ),
            ("2 of 3", down_shares(3, 3, 990.0, 10.0)[..2].iter().sum(), 0.999_702),
            ("3 of 5", down_shares(5, 5, 950.0, 50.0)[..3].iter().sum(), 0.998_841_875),
            ("9 of 10", down_shares(10, 10, 999.0, 1.0)[..2].iter().sum(), 0.999_955_239),
            ("one of one", down_shares(1, 1, 1_000.0, 10.0)[0], 0.990_099_010),
            ("2 of 3, never repaired", time_to_failure(3, 1, 1_000.0, 0.0), 833.333_333_333),
            ("2 of 3, time to failure", time_to_failure(3, 1, 1_000.0, 0.1), 17_500.0),
            ("1 of 2, time to failure", time_to_failure(2, 1, 1_000.0, 0.1), 51_500.0),
            ("M/G/inf", poisson_beyond(60.0, 75), 0.025_963_861),
            ("hourly, 30 min", rounded_up(0.5), 1.156_517_643),
            ("hourly, 1 h", rounded_up(1.0), 1.581_976_707),
            ("hourly, 5 h", rounded_up(5.0), 5.516_655_566),
            ("seconds", rounded_up_at_least(300.0, 60.0), 306.028_818_725),
        ];
        for (name, got, want) in cases {
            assert!((got - want).abs() < 6e-10 * want.max(1.0), "{name}: {got}, not {want}");
        }
    }

    #[test]
    fn the_conservation_law_holds_between_priorities() {
        // rho1 W1 + rho2 W2 = rho W0 / (1 - rho) for any order that never idles.
        let (high, low) = priority_waits(0.3, 0.4);
        assert!((0.3 * high + 0.4 * low - 0.7 * 0.7 / 0.3).abs() < 1e-12);
    }
}
