//! Random numbers drawn one after the other: initial values, shuffles, splits, drawn digits. In: a key; out:
//! uniform and normal numbers, orders. The same key gives the same bits on every machine and with every
//! version: nothing here comes from a crate whose distributions may change.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;

use nn_kernels::counter_rng::CounterRng;

/// A sequence of random numbers that follows from its key alone: word `i` is [`CounterRng::word`]`(i)`. What
/// [augmentation](crate::data::augment) draws from. Not for secrets.
///
/// ```
/// use nn_runtime::data::Random;
///
/// let mut random = Random::keyed(7, &[3]);
/// let [x, y] = random.normal_pair();
/// assert_eq!([x, y], Random::keyed(7, &[3]).normal_pair());
/// assert!((0.0..1.0).contains(&random.unit()) && random.below(6) < 6);
/// ```
pub struct Random {
    rng: CounterRng,
    drawn: u64,
}

impl Random {
    /// The sequence of this generator, from its beginning.
    pub(crate) const fn new(rng: CounterRng) -> Self {
        Random { rng, drawn: 0 }
    }

    /// The sequence that belongs to a seed and these words, in this order.
    pub const fn keyed(seed: u64, words: &[u64]) -> Self {
        Random::new(CounterRng { key: seed }.fold_in(words))
    }

    /// 64 random bits.
    fn word(&mut self) -> u64 {
        let word = self.rng.word(self.drawn);
        self.drawn += 1;
        word
    }

    /// Uniform over `[0, 1)`, in steps of 2⁻⁵³.
    pub fn unit(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Two independent normal numbers of mean 0 and variance 1, by Box & Muller, "A Note on the Generation of
    /// Random Normal Deviates", 1958.
    pub fn normal_pair(&mut self) -> [f64; 2] {
        // From 0 (without) to 1, so that the logarithm is finite.
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        let (sin, cos) = libm::sincos(core::f64::consts::TAU * self.unit());
        [radius * cos, radius * sin]
    }
}

impl Random {
    /// Uniform over `[low, high)`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        // 24 bits, as many as a float below 1 has.
        low + (high - low) * ((self.word() >> 40) as f32 / (1u32 << 24) as f32)
    }

    /// Bell-shaped, mean 0 and variance 1, and never beyond ±3.47: a sum of four uniforms (Irwin–Hall).
    pub fn bell(&mut self) -> f32 {
        const SQRT_3: f32 = 1.732_050_8;
        (self.between(0.0, 1.0) + self.between(0.0, 1.0) + self.between(0.0, 1.0) + self.between(0.0, 1.0) - 2.0)
            * SQRT_3
    }

    /// Uniform over `0..bound`, each number exactly as likely; 0 for an empty range. Lemire, "Fast Random
    /// Integer Generation in an Interval", 2019.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        if bound == 0 {
            return 0;
        }
        loop {
            let product = u128::from(self.word()) * u128::from(bound);
            // The first `2^64 % bound` low halves would make some numbers likelier than others.
            let low = product as u64;
            if low >= bound || low >= bound.wrapping_neg() % bound {
                return (product >> 64) as usize;
            }
        }
    }

    /// Every order as likely: Fisher–Yates.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// `0..n` in random order.
    #[cfg(feature = "alloc")]
    pub(crate) fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    /// Initial values, shuffles and data follow from these: to change one has to be meant.
    #[test]
    fn the_numbers_stay_what_they_are() {
        let mut random = Random::keyed(7, &[3]);
        let words: [u64; 2] = core::array::from_fn(|_| random.word());
        assert_eq!(words, [6_787_114_879_714_677_590, 6_900_922_533_109_350_173]);
        assert_eq!([random.unit(), random.unit()], [0.4984981909641073, 0.8959287525242324]);
        assert_eq!(random.normal_pair(), [-1.2139753799981736, 2.1733503443226896]);
        assert_eq!([random.between(-1.0, 1.0), random.bell()], [0.43666768, 0.19099906]);
        assert_eq!([random.below(10), random.below(1 << 40)], [7, 76_235_796_864]);
        assert_eq!(random.permutation(8), [5, 0, 7, 3, 6, 4, 2, 1]);
    }

    #[test]
    fn moments_are_what_the_names_say() {
        let mut random = Random::keyed(1, &[2]);
        let n = 100_000;
        let (mut uniform, mut bell, mut normal) = (0.0, [0.0f64; 2], [0.0f64; 4]);
        for _ in 0..n {
            let u = random.unit();
            assert!((0.0..1.0).contains(&u));
            uniform += u;
            let b = f64::from(random.bell());
            assert!(b.abs() < 3.47);
            bell = [bell[0] + b, bell[1] + b * b];
            let [x, y] = random.normal_pair();
            let powers = [x + y, x * x + y * y, x * y, x * x * x * x + y * y * y * y];
            normal.iter_mut().zip(powers).for_each(|(sum, x)| *sum += x);
        }
        let n = f64::from(n);
        assert!((uniform / n - 0.5).abs() < 0.005);
        assert!((bell[0] / n).abs() < 0.015 && (bell[1] / n - 1.0).abs() < 0.02);
        let [mean, square, product, fourth] =
            [normal[0] / 2.0, normal[1] / 2.0, normal[2], normal[3] / 2.0].map(|x| x / n);
        assert!(mean.abs() < 0.01 && (square - 1.0).abs() < 0.015, "{mean} {square}");
        assert!(product.abs() < 0.015 && (fourth - 3.0).abs() < 0.12, "{product} {fourth}");
    }

    #[test]
    fn a_permutation_holds_every_index_once_and_every_place_is_likely() {
        let mut first = [0usize; 7];
        for seed in 0..7000 {
            let order = Random::keyed(seed, &[]).permutation(7);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4, 5, 6]);
            first[order[0]] += 1;
        }
        assert!(first.iter().all(|&count| (850..1150).contains(&count)), "{first:?}");
        assert!(Random::keyed(0, &[]).permutation(0).is_empty());
    }

    #[test]
    fn seeds_and_words_differ() {
        let draw = |seed, word| Random::keyed(seed, &[word]).word();
        assert_eq!(draw(3, 4), draw(3, 4));
        assert_ne!(draw(3, 4), draw(4, 3));
        assert_ne!(draw(3, 4), draw(3, 5));
        assert_ne!(draw(3, 4), draw(2, 4));
    }
}
