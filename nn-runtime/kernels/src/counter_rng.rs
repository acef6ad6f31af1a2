//! Random numbers without a state: a number is a hash of a key, a sample and an element, and of nothing else.
//! In: a key made of what must not share numbers (seed, step, site); out: bits, uniform numbers.
//! No bit depends on the instruction set, the thread, or how a batch was cut into calls. Not for secrets.

use super::simd::{Isa, Kernel, LANE_INDEX, LANES, Simd};

/// 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
/// The factors of `lowbias32`, which Wellons' "Hash Prospector", 2018, found by searching for what makes
/// every bit of the result change half the time when one bit of the argument does.
const FACTORS: [u32; 2] = [0x7feb_352d, 0x846c_a68b];

/// A counter-based random number generator (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3",
/// 2011).
///
/// 32 bits of an element are two rounds of `lowbias32`, with one half of the sample's 64-bit key before each;
/// keys are folded by the finisher of SplitMix64 (Steele, Lea & Flood, 2014).
///
/// ```
/// use nn_kernels::counter_rng::CounterRng;
///
/// let (seed, step, site) = (7, 1000, 3);
/// let rng = CounterRng { key: seed }.fold_in(&[step, site]);
/// assert_eq!(rng, CounterRng { key: seed }.fold_in(&[step]).fold_in(&[site]));
/// assert_ne!(rng, CounterRng { key: seed }.fold_in(&[site, step]));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CounterRng {
    /// What tells this generator from others.
    pub key: u64,
}

impl CounterRng {
    /// The generator that belongs to these words, in this order (as JAX's `fold_in`): another word, another
    /// generator.
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

    /// 64 random bits of a counter: [`fold_in`](Self::fold_in) of it.
    #[inline]
    pub const fn word(self, counter: u64) -> u64 {
        self.fold_in(&[counter]).key
    }

    /// The two halves of a sample's key, one for each round.
    pub(crate) const fn halves(self, sample: u64) -> [u32; 2] {
        let key = self.word(sample);
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
pub(crate) fn bits<S: Simd>(s: S, key: [u32; 2], from: usize) -> S::I {
    let element = s.add_i(s.load_i(&LANE_INDEX), s.splat_i(from as i32));
    bits_of(s, key.map(|half| s.splat_i(half as i32)), element)
}

/// The bits of an element in each lane, of samples with these halves of keys.
#[inline(always)]
fn bits_of<S: Simd>(s: S, [first, second]: [S::I; 2], element: S::I) -> S::I {
    let x = lowbias32_lanes(s, s.xor_i(element, first));
    lowbias32_lanes(s, s.add_i(x, second))
}

/// The keys of samples from `first` on, several at once: the compiler makes vectors of this loop.
#[inline(always)]
pub(crate) fn keys_of_samples(rng: CounterRng, first: u64) -> [[u32; 2]; LANES] {
    let mut keys = [0; LANES];
    for (i, key) in keys.iter_mut().enumerate() {
        *key = rng.word(first.wrapping_add(i as u64));
    }
    keys.map(|key| [key as u32, (key >> 32) as u32])
}

/// The bits of all elements of as many samples as fill a vector, whose keys are the first of these; each has
/// `per_sample` of them, a power of two.
#[inline(always)]
pub(crate) fn bits_of_samples<S: Simd>(s: S, keys: &[[u32; 2]], per_sample: usize) -> S::I {
    let keys = &keys[..LANES / per_sample];
    let lanes = s.load_i(&LANE_INDEX);
    let [mut a, mut b] = keys[0].map(|half| s.splat_i(half as i32));
    for (i, [next_a, next_b]) in keys.iter().enumerate().skip(1) {
        let before = s.lt_i(lanes, s.splat_i((i * per_sample) as i32));
        a = s.bits(s.select(before, s.from_bits(a), s.from_bits(s.splat_i(*next_a as i32))));
        b = s.bits(s.select(before, s.from_bits(b), s.from_bits(s.splat_i(*next_b as i32))));
    }
    bits_of(s, [a, b], s.and_i(lanes, s.splat_i(per_sample as i32 - 1)))
}

struct Uniform<'a> {
    rng: CounterRng,
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
            let key = self.rng.halves(sample);
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

#[track_caller]
pub(crate) fn check_samples(per_sample: usize, len: usize) {
    assert!(per_sample > 0, "expected samples of at least 1 number, found 0");
    assert!(u32::try_from(per_sample).is_ok(), "expected samples of less than 2^32 numbers, found {per_sample}");
    assert!(len.is_multiple_of(per_sample), "expected whole samples of {per_sample} numbers, found {len} numbers");
}

/// Fills y, [samples, per_sample], with multiples of 2^-24 from 0 up to but without 1. The first sample has
/// the number `sample0`.
///
/// # Panics
/// Where `per_sample == 0`, `per_sample > u32::MAX` or `y.len() % per_sample != 0`.
pub fn uniform(isa: Isa, rng: CounterRng, sample0: u64, per_sample: usize, y: &mut [f32]) {
    check_samples(per_sample, y.len());
    isa.run(Uniform { rng, sample0, per_sample, y });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const RNG: CounterRng = CounterRng { key: 42 };

    /// Changing the hash changes every training run: it has to be meant.
    #[test]
    fn the_bits_stay_what_they_are() {
        let bits = [(0, 0), (0, 1), (1, 0), (1 << 40, 99)].map(|(sample, element)| RNG.bits(sample, element));
        assert_eq!(bits, [3_729_665_766, 1_710_340_608, 3_792_125_669, 2_898_954_651]);
        assert_eq!(RNG.word(7), RNG.fold_in(&[7]).key);
    }

    /// Of every input bit that is flipped, each output bit takes notice half the time.
    #[test]
    #[cfg_attr(miri, ignore = "a count of many numbers")]
    fn every_bit_of_key_sample_and_element_reaches_every_bit() {
        const TRIALS: u32 = 4000;
        for flipped in 0..160 {
            let mut changes = [0u32; 32];
            for i in 0..TRIALS {
                // Small numbers in a row, as they occur.
                let (rng, sample, element) =
                    (CounterRng { key: 1 }.fold_in(&[u64::from(i / 500)]), u64::from(i / 50), i % 50);
                let before = rng.bits(sample, element);
                let after = match flipped {
                    0..64 => CounterRng { key: rng.key ^ (1 << flipped) }.bits(sample, element),
                    64..128 => rng.bits(sample ^ (1 << (flipped - 64)), element),
                    _ => rng.bits(sample, element ^ (1 << (flipped - 128))),
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
    #[cfg_attr(miri, ignore = "a count of many numbers")]
    fn neighbours_are_not_correlated() {
        let (samples, per_sample) = (400, 300);
        let fill = |rng: CounterRng| {
            let mut u = vec![0.0; samples * per_sample];
            uniform(Isa::detect(), rng, 0, per_sample, &mut u);
            u.iter().map(|&u| f64::from(u) - 0.5).collect::<Vec<f64>>()
        };
        let u = fill(RNG);
        let n = u.len() as f64;
        assert!((u.iter().sum::<f64>() / n).abs() < 4.5 * (1.0 / 12.0 / n).sqrt(), "the mean");
        let other_key = fill(CounterRng { key: RNG.key + 1 });
        let next_step = fill(RNG.fold_in(&[1]));
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
    #[should_panic(expected = "expected whole samples of 3 numbers, found 4 numbers")]
    fn samples_must_be_whole() {
        uniform(Isa::PORTABLE, RNG, 0, 3, &mut [0.0; 4]);
    }
}
