//! CounterRng without a state: a number is a hash of a key, a sample and an element, and of nothing else.
//! Comes in: a `CounterRng` keyed with what must not share numbers (seed, step, site); goes out: uniform numbers, dropout masks.
//! Never a bit that depends on the instruction set, the thread, or how a batch was cut into calls.
//! The hash is two rounds of `lowbias32`, with one half of the sample's 64-bit key before each. Not for secrets.

use super::simd::{Isa, Kernel, LANE_INDEX, LANES, Simd};

/// 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
/// The factors of `lowbias32`, which Wellons' "Hash Prospector", 2018, found by searching for what makes every bit of the result
/// change half the time when one bit of the argument does.
const FACTORS: [u32; 2] = [0x7feb_352d, 0x846c_a68b];

/// A source of noise.
///
/// ```
/// use nn_kernels::noise::CounterRng;
///
/// let (seed, step, site) = (7, 1000, 3);
/// let noise = CounterRng { key: seed }.fold_in(&[step, site]);
/// assert_eq!(noise, CounterRng { key: seed }.fold_in(&[step]).fold_in(&[site]));
/// assert_ne!(noise, CounterRng { key: seed }.fold_in(&[site, step]));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CounterRng {
    /// What tells this source from others.
    pub key: u64,
}

impl CounterRng {
    /// The source that belongs to these words, in this order: another word, another source.
    #[inline]
    pub const fn fold_in(self, words: &[u64]) -> CounterRng {
        let mut key = self.key;
        let mut i = 0;
        while i < words.len() {
            key = mix(key.wrapping_add(GOLDEN) ^ mix(words[i].wrapping_add(GOLDEN)));
            i += 1;
        }
        CounterRng { key }
    }

    /// 32 random bits for an element of a sample. Elements of one sample never share theirs.
    pub const fn bits(self, sample: u64, element: u32) -> u32 {
        let [first, second] = self.halves(sample);
        lowbias32(lowbias32(element ^ first).wrapping_add(second))
    }

    const fn halves(self, sample: u64) -> [u32; 2] {
        let key = self.fold_in(&[sample]).key;
        [key as u32, (key >> 32) as u32]
    }
}

/// The finisher of SplitMix64 (Stafford's variant 13): a permutation of 64 bits.
#[inline]
const fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A permutation of 32 bits.
const fn lowbias32(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(FACTORS[0]);
    let x = (x ^ (x >> 15)).wrapping_mul(FACTORS[1]);
    x ^ (x >> 16)
}

/// `lowbias32` of every lane.
#[inline(always)]
fn lowbias32_lanes<S: Simd>(s: S, x: S::I) -> S::I {
    let x = s.mul_i(s.xor_i(x, s.shr_i::<16>(x)), s.splat_i(FACTORS[0] as i32));
    let x = s.mul_i(s.xor_i(x, s.shr_i::<15>(x)), s.splat_i(FACTORS[1] as i32));
    s.xor_i(x, s.shr_i::<16>(x))
}

/// The bits of sixteen elements of a sample, `from` and those after it.
#[inline(always)]
fn bits<S: Simd>(s: S, [first, second]: [u32; 2], from: usize) -> S::I {
    let element = s.add_i(s.load_i(&LANE_INDEX), s.splat_i(from as i32));
    let x = lowbias32_lanes(s, s.xor_i(element, s.splat_i(first as i32)));
    lowbias32_lanes(s, s.add_i(x, s.splat_i(second as i32)))
}

struct Uniform<'a> {
    noise: CounterRng,
    sample0: u64,
    per_sample: usize,
    y: &'a mut [f32],
}

impl Kernel for Uniform<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let mut sample = self.sample0;
        for y in self.y.chunks_exact_mut(self.per_sample) {
            let key = self.noise.halves(sample);
            let mut from = 0;
            let (full, tail) = y.as_chunks_mut::<LANES>();
            for y in full {
                s.store(unit(s, bits(s, key, from)), y);
                from += LANES;
            }
            if !tail.is_empty() {
                s.store_part(unit(s, bits(s, key, from)), tail);
            }
            sample = sample.wrapping_add(1);
        }
    }
}

/// The upper 24 bits as a fraction: exact, so the same everywhere.
#[inline(always)]
fn unit<S: Simd>(s: S, bits: S::I) -> S::F {
    s.mul(s.to_f(s.shr_i::<8>(bits)), s.splat(1.0 / 16_777_216.0))
}

struct Dropout<'a> {
    noise: CounterRng,
    sample0: u64,
    per_sample: usize,
    /// Bits that are below this, as signed numbers, drop their element.
    below: i32,
    scale: f32,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Dropout<'_> {
    #[inline(always)]
    fn apply<S: Simd>(s: S, below: S::I, scale: S::F, bits: S::I, x: S::F) -> S::F {
        s.select(s.lt_i(bits, below), s.splat(0.0), s.mul(x, scale))
    }
}

impl Kernel for Dropout<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (below, scale) = (s.splat_i(self.below), s.splat(self.scale));
        let mut sample = self.sample0;
        for (x, y) in self.x.chunks_exact(self.per_sample).zip(self.y.chunks_exact_mut(self.per_sample)) {
            let key = self.noise.halves(sample);
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

#[track_caller]
fn check_samples(per_sample: usize, len: usize) {
    assert!(per_sample > 0, "expected samples of at least 1 number, found 0");
    assert!(u32::try_from(per_sample).is_ok(), "expected samples of less than 2^32 numbers, found {per_sample}");
    assert!(len.is_multiple_of(per_sample), "expected whole samples of {per_sample} numbers, found {len} numbers");
}

/// Fills y, [samples, per_sample], with multiples of 2^-24 from 0 up to but without 1. The first sample has the number `sample0`.
///
/// # Panics
/// Where `per_sample == 0`, `per_sample > u32::MAX` or `y.len() % per_sample != 0`.
pub fn uniform(isa: Isa, noise: CounterRng, sample0: u64, per_sample: usize, y: &mut [f32]) {
    check_samples(per_sample, y.len());
    isa.run(Uniform { noise, sample0, per_sample, y });
}

/// y = x / (1 − rate), but 0 with probability `rate`; x and y are [samples, per_sample], and the first sample has the number `sample0`.
///
/// Which elements are dropped depends on (`noise`, number of the sample, element) only, so the pullback is this function of dy.
/// The probability is exact to 2^-32. Srivastava et al., "Dropout", 2014.
///
/// ```
/// use nn_kernels::{noise::{CounterRng, dropout}, simd::Isa};
///
/// let (noise, x) = (CounterRng { key: 7 }, [3.0; 20]);
/// let (mut whole, mut parts) = ([0.0; 20], [0.0; 20]);
/// dropout(Isa::detect(), noise, 0, 5, 0.5, &x, &mut whole);              // four samples at once
/// dropout(Isa::detect(), noise, 0, 5, 0.5, &x[..5], &mut parts[..5]);    // one, and the other three
/// dropout(Isa::PORTABLE, noise, 1, 5, 0.5, &x[5..], &mut parts[5..]);
/// assert_eq!(whole, parts);
/// assert!(whole.iter().all(|&y| y == 0.0 || y == 6.0));
/// ```
///
/// # Panics
/// Where `rate` is not from 0 to 1, `per_sample == 0`, `per_sample > u32::MAX`, `x.len() % per_sample != 0` or
/// `x.len() != y.len()`.
pub fn dropout(isa: Isa, noise: CounterRng, sample0: u64, per_sample: usize, rate: f32, x: &[f32], y: &mut [f32]) {
    assert!((0.0..=1.0).contains(&rate), "expected a rate from 0 to 1, found {rate}");
    check_samples(per_sample, x.len());
    assert_eq!(x.len(), y.len(), "expected slices of one length");
    if rate == 1.0 {
        // Nothing is kept, and 1 / (1 − rate) is no number.
        y.fill(0.0);
        return;
    }
    let dropped = (f64::from(rate) * 4_294_967_296.0) as i64;
    let below = (dropped + i64::from(i32::MIN)) as i32;
    isa.run(Dropout { noise, sample0, per_sample, below, scale: 1.0 / (1.0 - rate), x, y });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const NOISE: CounterRng = CounterRng { key: 42 };

    #[test]
    fn every_path_has_the_bits_of_the_definition_however_the_batch_is_cut() {
        for isa in Isa::available() {
            for per_sample in [1, 7, 16, 33, 100] {
                let (samples, sample0) = (9, u64::MAX - 4);
                let len = samples * per_sample;
                let element = |i: usize| (sample0.wrapping_add((i / per_sample) as u64), (i % per_sample) as u32);
                let truth: Vec<u32> = (0..len).map(|i| NOISE.bits(element(i).0, element(i).1)).collect();
                let x: Vec<f32> = (0..len).map(|i| 1.0 + i as f32).collect();
                for cut in [0, 1, 4, samples] {
                    let (mut u, mut y) = (vec![f32::NAN; len], vec![f32::NAN; len]);
                    for part in [0..cut, cut..samples] {
                        let first = sample0.wrapping_add(part.start as u64);
                        let at = part.start * per_sample..part.end * per_sample;
                        uniform(isa, NOISE, first, per_sample, &mut u[at.clone()]);
                        dropout(isa, NOISE, first, per_sample, 0.25, &x[at.clone()], &mut y[at]);
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

    /// Changing the hash changes every training run: it has to be meant.
    #[test]
    fn the_bits_stay_what_they_are() {
        let bits = [(0, 0), (0, 1), (1, 0), (1 << 40, 99)].map(|(sample, element)| NOISE.bits(sample, element));
        assert_eq!(bits, [3_729_665_766, 1_710_340_608, 3_792_125_669, 2_898_954_651]);
    }

    #[test]
    fn the_share_that_is_kept_is_right() {
        let x = vec![1.0; 1000 * 100];
        let mut y = vec![0.0; x.len()];
        for rate in [0.0, 0.01, 0.1, 0.25, 0.5, 0.9, 0.999, 1.0] {
            dropout(Isa::detect(), NOISE, 0, 100, rate, &x, &mut y);
            let (n, p) = (x.len() as f64, f64::from(rate));
            let zeros = y.iter().filter(|&&y| y == 0.0).count() as f64;
            assert!((zeros - n * p).abs() <= 4.5 * (n * p * (1.0 - p)).sqrt(), "{rate}: {zeros} of {n} dropped");
            let kept = 1.0 / (1.0 - rate);
            assert!(y.iter().all(|&y| y == 0.0 || y == kept), "{rate}");
        }
        // What is dropped is 0 whatever it was.
        dropout(Isa::detect(), NOISE, 0, 100, 1.0, &[f32::NAN; 100], &mut y[..100]);
        assert_eq!(y[..100], [0.0; 100]);
    }

    /// Of every input bit that is flipped, each output bit takes notice half the time.
    #[test]
    fn every_bit_of_key_sample_and_element_reaches_every_bit() {
        const TRIALS: u32 = 4000;
        for flipped in 0..160 {
            let mut changes = [0u32; 32];
            for i in 0..TRIALS {
                // Small numbers in a row, as they occur.
                let (noise, sample, element) =
                    (CounterRng { key: 1 }.fold_in(&[u64::from(i / 500)]), u64::from(i / 50), i % 50);
                let before = noise.bits(sample, element);
                let after = match flipped {
                    0..64 => CounterRng { key: noise.key ^ (1 << flipped) }.bits(sample, element),
                    64..128 => noise.bits(sample ^ (1 << (flipped - 64)), element),
                    _ => noise.bits(sample, element ^ (1 << (flipped - 128))),
                };
                for (bit, change) in changes.iter_mut().enumerate() {
                    *change += ((before ^ after) >> bit) & 1;
                }
            }
            // Flipping an element's bit pairs the trials up, so that their changes count twice: √2 wider.
            let bound = 5.0 * (2.0 * f64::from(TRIALS) / 4.0).sqrt();
            for (bit, &change) in changes.iter().enumerate() {
                let off = (f64::from(change) - f64::from(TRIALS) / 2.0).abs();
                assert!(off < bound, "input bit {flipped}, output bit {bit}: {change} of {TRIALS}");
            }
        }
    }

    #[test]
    fn neighbours_are_not_correlated() {
        let (samples, per_sample) = (400, 300);
        let fill = |noise: CounterRng| {
            let mut u = vec![0.0; samples * per_sample];
            uniform(Isa::detect(), noise, 0, per_sample, &mut u);
            u.iter().map(|&u| f64::from(u) - 0.5).collect::<Vec<f64>>()
        };
        let u = fill(NOISE);
        let n = u.len() as f64;
        assert!((u.iter().sum::<f64>() / n).abs() < 4.5 * (1.0 / 12.0 / n).sqrt(), "the mean");
        let other_key = fill(CounterRng { key: NOISE.key + 1 });
        let next_step = fill(NOISE.fold_in(&[1]));
        let correlation = |a: &[f64], b: &[f64]| {
            let n = a.len() as f64;
            a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() * 12.0 / n.sqrt()
        };
        let pairs = [
            ("the next element", correlation(&u[1..], &u[..u.len() - 1])),
            ("the next vector", correlation(&u[16..], &u[..u.len() - 16])),
            ("the next sample", correlation(&u[per_sample..], &u[..u.len() - per_sample])),
            ("the next key", correlation(&u, &other_key)),
            ("the next step", correlation(&u, &next_step)),
        ];
        for (what, sigmas) in pairs {
            assert!(sigmas.abs() < 4.5, "{what}: {sigmas} standard deviations from 0");
        }
        // Every 1/256 of the range is met as often: χ² of 255 degrees of freedom.
        let mut counts = [0.0; 256];
        for u in &u {
            counts[((u + 0.5) * 256.0) as usize] += 1.0;
        }
        let chi: f64 = counts.iter().map(|c: &f64| (c - n / 256.0).powi(2) / (n / 256.0)).sum();
        assert!((chi - 255.0).abs() < 4.5 * (2.0f64 * 255.0).sqrt(), "{chi}");
    }

    #[test]
    #[should_panic(expected = "expected a rate from 0 to 1, found 1.5")]
    fn a_rate_above_one_is_refused() {
        dropout(Isa::PORTABLE, NOISE, 0, 1, 1.5, &[], &mut []);
    }

    #[test]
    #[should_panic(expected = "expected whole samples of 3 numbers, found 4 numbers")]
    fn samples_must_be_whole() {
        uniform(Isa::PORTABLE, NOISE, 0, 3, &mut [0.0; 4]);
    }
}
