//! How much training gives away: Rényi differential privacy of Poisson-sampled Gaussian steps. In: sampling
//! rates, noise, numbers of steps; out: epsilon for a delta. Mironov, Talwar & Zhang, "Rényi Differential
//! Privacy of the Sampled Gaussian Mechanism", 2019.

use std::vec::Vec;

/// SampledSteps that each take every sample by chance and add the same noise.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct SampledSteps {
    /// The chance of a sample.
    pub(super) rate: f64,
    pub(super) noise_multiplier: f64,
    pub(super) count: u64,
}

/// The orders that are tried, those of Google's `dp-accounting`.
fn orders() -> impl Iterator<Item = f64> {
    let tenths = (1..100).map(|x| 1.0 + f64::from(x) / 10.0);
    tenths.chain((11..64).map(f64::from)).chain([128.0, 256.0, 512.0, 1024.0])
}

/// The least epsilon that all these steps together have for this delta, at any order.
pub(super) fn epsilon(all: &[SampledSteps], delta: f64) -> f64 {
    let all: Vec<SampledSteps> = all.iter().copied().filter(|steps| steps.count > 0 && steps.rate > 0.0).collect();
    let at = |order: f64| {
        let spent = all.iter().map(|steps| steps.count as f64 * divergence(steps.rate, steps.noise_multiplier, order));
        epsilon_of(spent.sum(), order, delta)
    };
    orders().map(at).fold(f64::INFINITY, f64::min)
}

/// The epsilon of a Rényi divergence: Canonne, Kamath & Steinke, "The Discrete Gaussian for Differential
/// Privacy", 2020, proposition 12; none is needed where delta alone bounds the total variation.
fn epsilon_of(divergence: f64, order: f64, delta: f64) -> f64 {
    if delta * delta + libm::expm1(-divergence) > 0.0 {
        return 0.0;
    }
    let epsilon = divergence + libm::log1p(-1.0 / order) - libm::log(delta * order) / (order - 1.0);
    epsilon.max(0.0)
}

/// The Rényi divergence of one step, at an order above 1.
fn divergence(rate: f64, noise_multiplier: f64, order: f64) -> f64 {
    if noise_multiplier == 0.0 {
        return f64::INFINITY;
    }
    if rate == 1.0 {
        return order / (2.0 * noise_multiplier * noise_multiplier);
    }
    let log_moment = match order.fract() == 0.0 {
        true => log_moment_whole(rate, noise_multiplier, order as u32),
        false => log_moment_between(rate, noise_multiplier, order),
    };
    log_moment / (order - 1.0)
}

/// `ln(eᵃ + eᵇ)`
fn log_add(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + libm::log1p(libm::exp(low - high)) }
}

/// `ln(eᵃ - eᵇ)`, where the first is larger.
fn log_sub(a: f64, b: f64) -> f64 {
    if b == f64::NEG_INFINITY { a } else { a + libm::log(-libm::expm1(b - a)) }
}

/// Terms after which a series is given up.
const MOST_TERMS: u32 = 1000;

/// The logarithm of the moment of a whole order: the binomial sum of §3.3.
fn log_moment_whole(rate: f64, noise: f64, order: u32) -> f64 {
    let n = f64::from(order);
    let mut log_choose = 0.0;
    (0..=order).map(f64::from).fold(f64::NEG_INFINITY, |sum, k| {
        if k > 0.0 {
            log_choose += libm::log((n - k + 1.0) / k);
        }
        let chance = log_choose + k * libm::log(rate) + (n - k) * libm::log1p(-rate);
        log_add(sum, chance + k * (k - 1.0) / (2.0 * noise * noise))
    })
}

/// … of any other order: two series, left of where both densities are equal and right of it. Infinite where
/// they end too slowly, so that no order promises what it has not been seen to keep.
fn log_moment_between(rate: f64, noise: f64, order: f64) -> f64 {
    let (log_rate, log_rest) = (libm::log(rate), libm::log1p(-rate));
    let equal = noise * noise * (log_rest - log_rate) + 0.5;
    let half_log_erfc = |x: f64| -core::f64::consts::LN_2 + log_erfc(x / (core::f64::consts::SQRT_2 * noise));
    let grows = |k: f64| k * (k - 1.0) / (2.0 * noise * noise);
    let mut sums = [f64::NEG_INFINITY; 2];
    // The binomial coefficient of a broken order changes its sign once it is past the order.
    let (mut log_choose, mut positive) = (0.0, true);
    let mut before = [f64::NEG_INFINITY; 2];
    for k in (0..MOST_TERMS).map(f64::from) {
        if k > 0.0 {
            let factor = (order - k + 1.0) / k;
            log_choose += libm::log(factor.abs());
            positive ^= factor < 0.0;
        }
        let rest = order - k;
        let left = log_choose + k * log_rate + rest * log_rest + grows(k) + half_log_erfc(k - equal);
        let right = log_choose + rest * log_rate + k * log_rest + grows(rest) + half_log_erfc(equal - rest);
        for (sum, term) in sums.iter_mut().zip([left, right]) {
            *sum = if positive { log_add(*sum, term) } else { log_sub(*sum, term) };
        }
        let all = log_add(sums[0], sums[1]);
        if left < before[0] && right < before[1] && left.max(right) < all - 30.0 {
            return all;
        }
        before = [left, right];
    }
    f64::INFINITY
}

/// `ln erfc(x)`, where erfc itself is 0 too.
fn log_erfc(x: f64) -> f64 {
    if x < 20.0 {
        return libm::log(libm::erfc(x));
    }
    // The asymptotic series; the next term is below 1e-12 here.
    let y = 1.0 / (2.0 * x * x);
    let series = 1.0 + y * (-1.0 + y * (3.0 + y * (-15.0 + y * 105.0)));
    -x * x - libm::log(x * libm::sqrt(core::f64::consts::PI)) + libm::log(series)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The moment of §3 by numbers: the mean of a power of the ratio of densities.
    fn truth(rate: f64, noise: f64, order: f64) -> f64 {
        let (steps, reach) = (400_000, 60.0 * noise + order);
        let width = 2.0 * reach / f64::from(steps);
        let sum: f64 = (0..steps)
            .map(|i| {
                let z = -reach + (f64::from(i) + 0.5) * width;
                let density = -z * z / (2.0 * noise * noise) - (noise * (2.0 * std::f64::consts::PI).sqrt()).ln();
                let ratio = log_add((1.0 - rate).ln(), rate.ln() + (2.0 * z - 1.0) / (2.0 * noise * noise));
                (density + order * ratio).exp()
            })
            .sum();
        (sum * width).ln() / (order - 1.0)
    }

    #[test]
    fn the_divergence_is_the_integral_it_stands_for() {
        for (rate, noise) in [(0.01, 1.0), (0.3, 2.0), (0.5, 0.7), (0.05, 4.0)] {
            for order in [1.1, 1.5, 2.0, 2.5, 3.7, 5.0, 7.3, 11.0] {
                let (found, truth) = (divergence(rate, noise, order), truth(rate, noise, order));
                if order < 2.0 && found == f64::INFINITY {
                    continue;
                }
                assert!((found - truth).abs() < 1e-8 + 1e-6 * truth, "{rate} {noise} {order}: {found} {truth}");
            }
        }
    }

    #[test]
    fn the_logarithm_of_erfc_goes_on_where_erfc_is_0() {
        for x in [19.0, 20.0, 21.0, 25.0] {
            let (y, direct) = (log_erfc(x), libm::log(libm::erfc(x)));
            assert!((y - direct).abs() < 1e-10 * direct.abs(), "{x}: {y} {direct}");
        }
        assert!((log_erfc(100.0) + 10_005.177_585_122_665).abs() < 1e-6);
    }

    #[test]
    fn no_noise_no_privacy_and_no_steps_nothing_given_away() {
        let steps = |noise_multiplier, count| [SampledSteps { rate: 0.1, noise_multiplier, count }];
        assert_eq!(epsilon(&steps(0.0, 1), 1e-5), f64::INFINITY);
        assert_eq!(epsilon(&steps(0.0, 0), 1e-5), 0.0);
        assert!(epsilon(&steps(1.0, 10), 1e-5) < epsilon(&steps(1.0, 20), 1e-5));
    }
}
