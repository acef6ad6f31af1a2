//! What private training draws by its key: which samples a step takes, and the noise of every parameter. In:
//! the number of a step; out: indices, normal numbers, the same for any number of threads.

use core::f64::consts::TAU;
use core::ops::Range;
use std::vec::Vec;

use super::chacha::ChaCha20;

/// Numbers of a block.
const BLOCK: usize = 8;

/// Streams of a step: one of samples, one of noise.
const SAMPLES: u64 = 0;
const NOISE: u64 = 1;

/// What no step is: what a key is known by is drawn there.
const NAME: u64 = u64::MAX;

/// All random numbers of a private run.
#[derive(Clone)]
pub(in crate::train) struct PrivateDraws {
    chacha: ChaCha20,
}

/// From 0 (without) to 1, in steps of 2⁻⁵³ near 1 and finer near 0.
fn unit(word: u64) -> f64 {
    (word as f64 + 0.5) / (u64::MAX as f64 + 1.0)
}

impl PrivateDraws {
    pub(super) fn new(key: &[u8; 32]) -> PrivateDraws {
        PrivateDraws { chacha: ChaCha20::new(key) }
    }

    /// What the key is known by, which tells nothing else of it.
    pub(super) fn name(&self) -> u64 {
        self.chacha.block(NAME, 0)[0]
    }

    /// The samples of a step, in order, each with the chance `rate`: the gaps between them are geometric.
    pub(in crate::train) fn samples(&self, step: u64, samples: usize, rate: f64, indices: &mut Vec<usize>) {
        indices.clear();
        if rate >= 1.0 {
            indices.extend(0..samples);
            return;
        }
        let log_rest = libm::log1p(-rate);
        let (mut at, mut words) = (0.0, [0; BLOCK]);
        for drawn in 0.. {
            if drawn % BLOCK == 0 {
                words = self.chacha.block(2 * step + SAMPLES, (drawn / BLOCK) as u64);
            }
            at += libm::floor(libm::log(unit(words[drawn % BLOCK])) / log_rest);
            if at >= samples as f64 {
                return;
            }
            indices.push(at as usize);
            at += 1.0;
        }
    }

    /// Shows a normal number of mean 0 and variance 1 for each of these places of a step, by Box & Muller, "A
    /// Note on the Generation of Random Normal Deviates", 1958.
    pub(in crate::train) fn noise(&self, step: u64, places: Range<usize>, mut see: impl FnMut(usize, f64)) {
        let mut at = places.start;
        while at < places.end {
            let words = self.chacha.block(2 * step + NOISE, (at / BLOCK) as u64);
            let end = places.end.min((at / BLOCK + 1) * BLOCK);
            for place in at..end {
                let of = place % BLOCK / 2 * 2;
                let radius = libm::sqrt(-2.0 * libm::log(unit(words[of])));
                let (sin, cos) = libm::sincos(TAU * unit(words[of + 1]));
                see(place, radius * if place % 2 == 0 { cos } else { sin });
            }
            at = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    fn noise(step: u64, places: Range<usize>) -> Vec<f64> {
        let mut all = Vec::new();
        PrivateDraws::new(&[7; 32]).noise(step, places, |_, number| all.push(number));
        all
    }

    #[test]
    fn the_noise_is_normal_and_its_own_at_every_place_and_step() {
        let (n, mut powers) = (200_000, [0.0; 4]);
        let (a, b) = (noise(0, 0..n), noise(1, 0..n));
        for (k, power) in powers.iter_mut().enumerate() {
            *power = a.iter().map(|x| x.powi(k as i32 + 1)).sum::<f64>() / n as f64;
        }
        let expected = [0.0, 1.0, 0.0, 3.0];
        assert!(powers.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 0.05), "{powers:?}");
        let product = |b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / n as f64;
        assert!(product(&b).abs() < 0.01 && product(&a[1..]).abs() < 0.01 && product(&a[2..]).abs() < 0.01);
        // The distribution itself, at more than its moments.
        let mut sorted = a.clone();
        sorted.sort_by(f64::total_cmp);
        let below = |x: f64| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2);
        let off = sorted.iter().enumerate().map(|(i, x)| (below(*x) - (i as f64 + 0.5) / n as f64).abs());
        assert!(off.fold(0.0, f64::max) < 1.63 / (n as f64).sqrt(), "Kolmogorov and Smirnov, one in a hundred");
    }

    #[test]
    fn threads_draw_the_same_wherever_ranges_are_cut() {
        let whole = noise(3, 0..100);
        for cut in [1, 7, 8, 9, 50, 99] {
            assert_eq!([noise(3, 0..cut), noise(3, cut..100)].concat(), whole);
        }
    }

    #[test]
    fn every_sample_is_as_likely_and_knows_nothing_of_the_others() {
        let draws = PrivateDraws::new(&[1; 32]);
        let (steps, samples, rate) = (20_000, 20, 0.3);
        let (mut single, mut pairs, mut indices) = (vec![0.0; samples], vec![0.0; samples], Vec::new());
        let mut sizes = [0.0; 2];
        for step in 0..steps {
            draws.samples(step, samples, rate, &mut indices);
            assert!(indices.is_sorted_by(|a, b| a < b) && indices.iter().all(|&index| index < samples));
            indices.iter().for_each(|&index| single[index] += 1.0);
            indices.windows(2).filter(|pair| pair[0] + 1 == pair[1]).for_each(|pair| pairs[pair[1]] += 1.0);
            let size = indices.len() as f64;
            sizes = [sizes[0] + size, sizes[1] + size * size];
        }
        let steps = steps as f64;
        let near = |count: f64, chance: f64| (count - steps * chance).abs() < 5.0 * (steps * chance).sqrt();
        assert!(single.iter().all(|&count| near(count, rate)), "{single:?}");
        assert!(pairs[1..].iter().all(|&count| near(count, rate * rate)), "{pairs:?}");
        let (mean, square) = (sizes[0] / steps, sizes[1] / steps);
        let variance = square - mean * mean;
        assert!((mean - 6.0).abs() < 0.1 && (variance - 4.2).abs() < 0.2, "binomial: {mean} {variance}");
        draws.samples(0, 5, 1.0, &mut indices);
        assert_eq!(indices, [0, 1, 2, 3, 4]);
    }
}
