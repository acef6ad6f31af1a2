//! Dropout: numbers set to 0 at random, the others scaled up.
//! In: a generator, the number of the first sample, samples; out: the samples, some numbers of them 0.
//! Which they are depends on the generator, the sample's number and the element alone.

use super::counter_rng::{CounterRng, bits, bits_of_samples, check_samples, keys_of_samples};
use super::simd::{Isa, Kernel, LANES, Simd};

pub(crate) struct Dropout<'a> {
    rng: CounterRng,
    sample0: u64,
    per_sample: usize,
    /// Bits that are below this, as signed numbers, drop their element.
    below: i32,
    scale: f32,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl<'a> Dropout<'a> {
    /// At a rate below 1; there are whole samples, and as many numbers of `y` as of `x`.
    #[inline(always)]
    pub fn new(
        rng: CounterRng,
        sample0: u64,
        per_sample: usize,
        rate: f32,
        x: &'a [f32],
        y: &'a mut [f32],
    ) -> Dropout<'a> {
        let dropped = (f64::from(rate) * 4_294_967_296.0) as i64;
        let below = (dropped + i64::from(i32::MIN)) as i32;
        Dropout { rng, sample0, per_sample, below, scale: 1.0 / (1.0 - rate), x, y }
    }
}

impl Dropout<'_> {
    #[inline(always)]
    fn apply<S: Simd>(s: S, below: S::I, scale: S::F, bits: S::I, x: S::F) -> S::F {
        s.select(s.lt_i(bits, below), s.splat(0.0), s.mul(x, scale))
    }
}

impl Dropout<'_> {
    /// Samples of so many numbers, several of which have room in a vector.
    #[inline(always)]
    fn small_samples<S: Simd>(self, s: S, per_sample: usize) {
        let (below, scale, mut sample) = (s.splat_i(self.below), s.splat(self.scale), self.sample0);
        let at_once = LANES * per_sample;
        for (x, y) in self.x.chunks(at_once).zip(self.y.chunks_mut(at_once)) {
            let keys = keys_of_samples(self.rng, sample);
            let (x, x_tail) = x.as_chunks::<LANES>();
            let (y, y_tail) = y.as_chunks_mut::<LANES>();
            let mut used = 0;
            for (x, y) in x.iter().zip(y) {
                let bits = bits_of_samples(s, &keys[used..], per_sample);
                s.store(Self::apply(s, below, scale, bits, s.load(x)), y);
                used += LANES / per_sample;
            }
            if !x_tail.is_empty() {
                let bits = bits_of_samples(s, &keys[used..], per_sample);
                s.store_part(Self::apply(s, below, scale, bits, s.load_part(x_tail)), y_tail);
            }
            sample = sample.wrapping_add(LANES as u64);
        }
    }
}

impl Kernel for Dropout<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (below, scale) = (s.splat_i(self.below), s.splat(self.scale));
        let mut sample = self.sample0;
        if self.per_sample < LANES && self.per_sample.is_power_of_two() {
            // As constants, what they settle is settled once.
            return match self.per_sample {
                8 => self.small_samples(s, 8),
                4 => self.small_samples(s, 4),
                per_sample => self.small_samples(s, per_sample),
            };
        }
        for (x, y) in self.x.chunks_exact(self.per_sample).zip(self.y.chunks_exact_mut(self.per_sample)) {
            let key = self.rng.halves(sample);
            let mut from = 0;
            let (x, x_tail) = x.as_chunks::<LANES>();
            let (y, y_tail) = y.as_chunks_mut::<LANES>();
            for (x, y) in x.iter().zip(y) {
                s.store(Self::apply(s, below, scale, bits(s, key, from), s.load(x)), y);
                from += LANES;
            }
            if !x_tail.is_empty() {
                s.store_part(Self::apply(s, below, scale, bits(s, key, from), s.load_part(x_tail)), y_tail);
            }
            sample = sample.wrapping_add(1);
        }
    }
}

/// y = x / (1 − rate), but 0 with probability `rate`; x and y are [samples, per_sample], and the first sample
/// has the number `sample0`.
///
/// Which elements are dropped depends on (`rng`, number of the sample, element) only, so that the gradient is
/// this function of dy. The probability is exact to 2^-32. Srivastava et al., "Dropout", 2014.
///
/// ```
/// use nn_kernels::{counter_rng::CounterRng, dropout::dropout, simd::Isa};
///
/// let (rng, x) = (CounterRng { key: 7 }, [3.0; 20]);
/// let (mut whole, mut parts) = ([0.0; 20], [0.0; 20]);
/// dropout(Isa::detect(), rng, 0, 5, 0.5, &x, &mut whole);              // four samples at once
/// dropout(Isa::detect(), rng, 0, 5, 0.5, &x[..5], &mut parts[..5]);    // one, and the other three
/// dropout(Isa::PORTABLE, rng, 1, 5, 0.5, &x[5..], &mut parts[5..]);
/// assert_eq!(whole, parts);
/// assert!(whole.iter().all(|&y| y == 0.0 || y == 6.0));
/// ```
///
/// # Panics
/// Where `rate` is not from 0 to 1, `per_sample == 0`, `per_sample > u32::MAX`, `x.len() % per_sample != 0`
/// or `x.len() != y.len()`.
pub fn dropout(isa: Isa, rng: CounterRng, sample0: u64, per_sample: usize, rate: f32, x: &[f32], y: &mut [f32]) {
    assert!((0.0..=1.0).contains(&rate), "expected a rate from 0 to 1, found {rate}");
    check_samples(per_sample, x.len());
    assert_eq!(x.len(), y.len(), "expected slices of one length");
    if rate == 1.0 {
        // Nothing is kept, and 1 / (1 − rate) is no number.
        y.fill(0.0);
        return;
    }
    isa.run(Dropout::new(rng, sample0, per_sample, rate, x, y));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counter_rng::uniform;
    use std::vec::Vec;

    const RNG: CounterRng = CounterRng { key: 42 };

    #[test]
    fn every_path_has_the_bits_of_the_definition_however_the_batch_is_cut() {
        for isa in Isa::available() {
            for per_sample in [1, 2, 4, 7, 8, 16, 33, 100] {
                let (samples, sample0) = (9, u64::MAX - 4);
                let len = samples * per_sample;
                let element = |i: usize| (sample0.wrapping_add((i / per_sample) as u64), (i % per_sample) as u32);
                let truth: Vec<u32> = (0..len).map(|i| RNG.bits(element(i).0, element(i).1)).collect();
                let x: Vec<f32> = (0..len).map(|i| 1.0 + i as f32).collect();
                for cut in [0, 1, 4, samples] {
                    let (mut u, mut y) = (vec![f32::NAN; len], vec![f32::NAN; len]);
                    for part in [0..cut, cut..samples] {
                        let first = sample0.wrapping_add(part.start as u64);
                        let at = part.start * per_sample..part.end * per_sample;
                        uniform(isa, RNG, first, per_sample, &mut u[at.clone()]);
                        dropout(isa, RNG, first, per_sample, 0.25, &x[at.clone()], &mut y[at]);
                    }
                    for i in 0..len {
                        assert_eq!(u[i], (truth[i] >> 8) as f32 / 16_777_216.0, "{} {per_sample} {i}", isa.name());
                        let kept = truth[i] as i32 >= i32::MIN + (1 << 30);
                        let y_i = if kept { x[i] * (1.0 / 0.75) } else { 0.0 };
                        assert_eq!(y[i], y_i, "{} {per_sample} {i}", isa.name());
                    }
                }
            }
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "a count of many numbers")]
    fn the_share_that_is_kept_is_right() {
        let x = vec![1.0; 1000 * 100];
        let mut y = vec![0.0; x.len()];
        for rate in [0.0, 0.01, 0.1, 0.25, 0.5, 0.9, 0.999, 1.0] {
            dropout(Isa::detect(), RNG, 0, 100, rate, &x, &mut y);
            let (n, p) = (x.len() as f64, f64::from(rate));
            let zeros = y.iter().filter(|&&y| y == 0.0).count() as f64;
            assert!((zeros - n * p).abs() <= 4.5 * (n * p * (1.0 - p)).sqrt(), "{rate}: {zeros} of {n} dropped");
            let kept = 1.0 / (1.0 - rate);
            assert!(y.iter().all(|&y| y == 0.0 || y == kept), "{rate}");
        }
        // What is dropped is 0 whatever it was.
        dropout(Isa::detect(), RNG, 0, 100, 1.0, &[f32::NAN; 100], &mut y[..100]);
        assert_eq!(y[..100], [0.0; 100]);
    }

    #[test]
    #[should_panic(expected = "expected a rate from 0 to 1, found 1.5")]
    fn a_rate_above_one_is_refused() {
        dropout(Isa::PORTABLE, RNG, 0, 1, 1.5, &[], &mut []);
    }
}
