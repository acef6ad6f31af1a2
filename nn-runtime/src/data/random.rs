//! Random numbers for drawing and shuffling data, the same bits on every machine: no function is used whose
//! last bit depends on the platform (so no sines or logarithms), and no state is shared between two callers.

use rand_pcg::Pcg32;
use rand_pcg::rand_core::Rng;
use std::vec::Vec;

/// A PCG-XSH-RR 64/32 generator (O'Neill 2014), of which only raw bits are used: they are fixed for good,
/// while distributions may change from one release of their crate to the next.
pub(crate) struct Random(Pcg32);

impl Random {
    /// One of many independent sequences for the same seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        // Mixed, because neighbouring streams of a PCG that start from one state look alike.
        Self(Pcg32::new(mix(seed ^ mix(stream)), mix(stream)))
    }

    /// Uniform over `[0, 1)`, in steps of 2⁻²⁴.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1u32 << 24) as f32
    }

    /// Uniform over `[low, high)`.
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Bell-shaped, mean 0 and variance 1: a sum of four uniforms (Irwin–Hall), never beyond ±3.47.
    pub(crate) fn bell(&mut self) -> f32 {
        const SQRT_3: f32 = 1.732_050_8;
        (self.unit() + self.unit() + self.unit() + self.unit() - 2.0) * SQRT_3
    }

    /// Uniform over `0..bound`; 0 for an empty range.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.0.next_u64()) * bound as u128) >> 64) as usize
    }

    /// Fisher–Yates.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// `0..n` in random order.
    pub(crate) fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every bit of the output depends on every bit of the
/// input.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_what_the_names_say() {
        let mut random = Random::new(1, 2);
        let n = 100_000;
        let (mut uniform, mut mean, mut square) = (0.0f64, 0.0f64, 0.0f64);
        for _ in 0..n {
            let u = random.unit();
            assert!((0.0..1.0).contains(&u));
            uniform += f64::from(u);
            let b = f64::from(random.bell());
            assert!(b.abs() < 3.47);
            mean += b;
            square += b * b;
        }
        let n = f64::from(n);
        assert!((uniform / n - 0.5).abs() < 0.005);
        assert!((mean / n).abs() < 0.015);
        assert!((square / n - 1.0).abs() < 0.02);
    }

    #[test]
    fn a_permutation_holds_every_index_once_and_every_place_is_likely() {
        let mut first = [0usize; 7];
        for seed in 0..7000 {
            let order = Random::new(seed, 0).permutation(7);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4, 5, 6]);
            first[order[0]] += 1;
        }
        assert!(first.iter().all(|&count| (850..1150).contains(&count)), "{first:?}");
        assert!(Random::new(0, 0).permutation(0).is_empty());
    }

    #[test]
    fn seeds_and_streams_differ() {
        let draw = |seed, stream| Random::new(seed, stream).0.next_u64();
        assert_eq!(draw(3, 4), draw(3, 4));
        assert_ne!(draw(3, 4), draw(4, 3));
        assert_ne!(draw(3, 4), draw(3, 5));
        assert_ne!(draw(3, 4), draw(2, 4));
    }
}
