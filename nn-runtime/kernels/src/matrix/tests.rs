//! The products against two references over odd sizes: plain sums in double precision, which say that the
//! numbers are right, and the stated chains, one scalar at a time, which say that no cut of a batch, a range
//! or a tile changes a bit.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::{Panels, backward_bias, backward_input, backward_input_scratch, backward_weight, product};
use crate::long_sums::Sums;
use crate::simd::Isa;

const OVERWRITE: Sums = Sums { overwrite: true, blocks: false };

/// Sizes on both sides of every vector, tile and panel.
const SIZES: [usize; 11] = [1, 2, 3, 7, 15, 16, 17, 31, 33, 100, 784];

/// A batch with its weights and gradients, all about 1 in size.
struct Case {
    panels: Panels,
    k: usize,
    n: usize,
    b: usize,
    x: Vec<f32>,
    /// `[n, k]`, as it is saved.
    w: Vec<f32>,
    bias: Vec<f32>,
    dy: Vec<f32>,
    /// What gradients are added to; 0 in the padding.
    dw: Vec<f32>,
}

impl Case {
    fn new(panels: Panels, b: usize) -> Case {
        let (k, n) = (panels.rows(), panels.cols());
        let mut state = (k * 1_000_003 + n * 1009 + b) as u32;
        let mut numbers = |len: usize| -> Vec<f32> {
            let next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            };
            core::iter::repeat_with(next).take(len).collect()
        };
        let (x, w, bias, dy) = (numbers(b * k), numbers(k * n), numbers(n), numbers(b * n));
        let mut dw = vec![0.0; panels.len()];
        panels.pack(&numbers(k * n), &mut dw);
        Case { panels, k, n, b, x, w, bias, dy, dw }
    }

    fn packed(&self) -> Vec<f32> {
        let mut storage = vec![f32::NAN; self.panels.len()];
        self.panels.pack(&self.w, &mut storage);
        storage
    }

    fn product(&self, isa: Isa, samples: Range<usize>) -> Vec<f32> {
        let mut y = vec![f32::NAN; samples.len() * self.n];
        let x = &self.x[samples.start * self.k..samples.end * self.k];
        product(isa, self.panels, x, &self.packed(), Some(&self.bias), f32::NEG_INFINITY, &mut y);
        y
    }

    fn backward_input(&self, isa: Isa, samples: Range<usize>) -> Vec<f32> {
        let mut dx = vec![f32::NAN; samples.len() * self.k];
        let mut scratch = vec![f32::NAN; backward_input_scratch(self.n)];
        let dy = &self.dy[samples.start * self.n..samples.end * self.n];
        backward_input(isa, self.panels, dy, &self.packed(), &mut dx, &mut scratch);
        dx
    }

    fn backward_weight(&self, isa: Isa, samples: Range<usize>, range: Range<usize>, dw: &mut [f32]) {
        let x = &self.x[samples.start * self.k..samples.end * self.k];
        let dy = &self.dy[samples.start * self.n..samples.end * self.n];
        backward_weight(isa, self.panels, x, dy, range, dw, Sums::default());
    }

    /// The sum over `d` of `f(d)`'s products, from `start` on: as one chain, and in double precision.
    fn chain(isa: Isa, start: f32, depth: usize, f: impl Fn(usize) -> (f32, f32)) -> (f32, f64) {
        let step = |(chain, sum): (f32, f64), d| {
            let (a, b) = f(d);
            let chain = if isa.fuses() { a.mul_add(b, chain) } else { a * b + chain };
            (chain, sum + f64::from(a) * f64::from(b))
        };
        (0..depth).fold((start, f64::from(start)), step)
    }

    /// As [`chain`](Case::chain) from 0, but two chains where one would be a long wait.
    fn chains(isa: Isa, depth: usize, f: impl Fn(usize) -> (f32, f32)) -> (f32, f64) {
        let (one, sum) = Self::chain(isa, 0.0, depth, &f);
        if !(32..=128).contains(&depth) {
            return (one, sum);
        }
        let [even, odd] = [0, 1].map(|odd| Self::chain(isa, 0.0, (depth + 1 - odd) / 2, |d| f(2 * d + odd)).0);
        (even + odd, sum)
    }

    /// What a sample gives an output: a chain or two, or of a transposed matrix one in each of sixteen lanes,
    /// and their sum by pairs.
    fn dot(&self, isa: Isa, s: usize, j: usize) -> (f32, f64) {
        let factors = |i: usize| (self.x[s * self.k + i], self.w[j * self.k + i]);
        if !self.panels.transposed() {
            return Self::chains(isa, self.k, factors);
        }
        let mut lanes: Vec<f32> = (0..16)
            .map(|lane| {
                let depth = (self.k + 15 - lane) / 16;
                Self::chain(isa, 0.0, depth, |step| factors(16 * step + lane)).0
            })
            .collect();
        while lanes.len() > 1 {
            lanes = lanes.chunks(2).map(|pair| pair[0] + pair[1]).collect();
        }
        (lanes[0], Self::chain(isa, 0.0, self.k, factors).1)
    }

    fn expected_product(&self, isa: Isa) -> Vec<(f32, f64)> {
        let one = |s: usize, j: usize| {
            let (chain, sum) = self.dot(isa, s, j);
            (chain + self.bias[j], sum + f64::from(self.bias[j]))
        };
        (0..self.b).flat_map(|s| (0..self.n).map(move |j| one(s, j))).collect()
    }

    fn expected_backward_input(&self, isa: Isa) -> Vec<(f32, f64)> {
        let one = |s: usize, i: usize| Self::chains(isa, self.n, |j| (self.dy[s * self.n + j], self.w[j * self.k + i]));
        (0..self.b).flat_map(|s| (0..self.k).map(move |i| one(s, i))).collect()
    }

    fn expected_backward_weight(&self, isa: Isa) -> Vec<(f32, f64)> {
        let mut expected = vec![(0.0, 0.0); self.panels.len()];
        for i in 0..self.k {
            for j in 0..self.n {
                let at = self.panels.index(i, j);
                let factors = |s: usize| (self.x[s * self.k + i], self.dy[s * self.n + j]);
                expected[at] = Self::chain(isa, self.dw[at], self.b, factors);
            }
        }
        expected
    }
}

/// Every path with every case small enough to be quick, and with one too large for the cache.
fn each(mut check: impl FnMut(Isa, &Case)) {
    let (sizes, most): (&[usize], _) = if cfg!(miri) { (&[1, 3, 17, 33], 120) } else { (&SIZES, 120_000) };
    let mut check = |k, n, b| {
        let (plain, best) = (Panels::new(k, n), Panels::best(k, n));
        for panels in if best.transposed() { vec![plain, best] } else { vec![plain] } {
            let case = Case::new(panels, b);
            Isa::available().for_each(|isa| check(isa, &case));
        }
    };
    for &k in sizes {
        for &n in sizes {
            sizes.iter().filter(|b| k * n * **b <= most).for_each(|b| check(k, n, *b));
        }
    }
    if !cfg!(miri) {
        check(784, 400, 13);
        // All tiles of few outputs.
        (4..=12).for_each(|n| [1, 13].into_iter().for_each(|b| check(100, n, b)));
    }
}

#[track_caller]
fn agree(what: &str, isa: Isa, case: &Case, found: &[f32], expected: &[(f32, f64)]) {
    let Case { k, n, b, .. } = case;
    let place = format_args!("{what} on {}, k = {k}, n = {n}, b = {b}", isa.name());
    assert_eq!(found.len(), expected.len(), "{place}");
    let (mut error, mut norm) = (0.0, 0.0);
    for (i, (found, (chain, sum))) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.to_bits(), chain.to_bits(), "{place}: element {i} is {found}, the chain is {chain}");
        error += (f64::from(*found) - sum).powi(2);
        norm += sum.powi(2);
    }
    assert!(error.sqrt() <= 1e-5 * norm.sqrt(), "{place}: error {error:e} of {norm:e}");
}

#[test]
fn products_are_right_and_one_chain() {
    each(|isa, case| {
        agree("product", isa, case, &case.product(isa, 0..case.b), &case.expected_product(isa));
    });
}

#[test]
fn gradients_of_inputs_are_right_and_one_chain() {
    each(|isa, case| {
        agree("backward_input", isa, case, &case.backward_input(isa, 0..case.b), &case.expected_backward_input(isa))
    });
}

#[test]
fn gradients_of_weights_are_right_and_one_chain() {
    each(|isa, case| {
        let mut dw = case.dw.clone();
        case.backward_weight(isa, 0..case.b, 0..dw.len(), &mut dw);
        agree("backward_weight", isa, case, &dw, &case.expected_backward_weight(isa));
    });
}

/// Whatever is there; the padding is 0 then.
#[test]
fn fresh_gradients_of_weights_have_the_bits_of_those_added_to_zeros() {
    each(|isa, case| {
        let (mut added, mut overwrite) = (vec![0.0; case.dw.len()], vec![f32::NAN; case.dw.len()]);
        case.backward_weight(isa, 0..case.b, 0..added.len(), &mut added);
        backward_weight(isa, case.panels, &case.x, &case.dy, 0..overwrite.len(), &mut overwrite, OVERWRITE);
        assert_eq!(added, overwrite, "{} {} {} on {}", case.b, case.k, case.n, isa.name());
    });
}

#[test]
fn gradients_of_biases_are_right_and_one_sum() {
    each(|isa, case| {
        let sum = |j: usize| Case::chain(Isa::PORTABLE, case.bias[j], case.b, |s| (1.0, case.dy[s * case.n + j]));
        let expected: Vec<_> = (0..case.n).map(sum).collect();
        let mut db = case.bias.clone();
        backward_bias(isa, case.n, &case.dy, 0..case.n, &mut db, false);
        agree("backward_bias", isa, case, &db, &expected);

        let cut = case.n / 3;
        let (mut first, mut second) = (case.bias[..cut].to_vec(), case.bias[cut..].to_vec());
        backward_bias(isa, case.n, &case.dy, 0..cut, &mut first, false);
        backward_bias(isa, case.n, &case.dy, cut..case.n, &mut second, false);
        first.extend(second);
        assert_eq!(first, db);
    });
}

#[test]
fn a_batch_in_two_calls_has_the_bits_of_one() {
    each(|isa, case| {
        let cut = case.b / 3;
        let joined = |of: &dyn Fn(Range<usize>) -> Vec<f32>| [of(0..cut), of(cut..case.b)].concat();
        assert_eq!(joined(&|samples| case.product(isa, samples)), case.product(isa, 0..case.b));
        assert_eq!(joined(&|samples| case.backward_input(isa, samples)), case.backward_input(isa, 0..case.b));
        let (mut once, mut twice) = (case.dw.clone(), case.dw.clone());
        let all = 0..once.len();
        case.backward_weight(isa, 0..case.b, all.clone(), &mut once);
        case.backward_weight(isa, 0..cut, all.clone(), &mut twice);
        case.backward_weight(isa, cut..case.b, all, &mut twice);
        assert_eq!(once, twice);
    });
}

#[test]
fn a_range_in_pieces_has_the_bits_of_the_whole() {
    each(|isa, case| {
        let len = case.dw.len();
        let mut whole = case.dw.clone();
        case.backward_weight(isa, 0..case.b, 0..len, &mut whole);
        for grains in [1, 3] {
            let mut pieces = case.dw.clone();
            for start in (0..len).step_by(grains * Panels::SPLIT_ALIGN) {
                let range = start..len.min(start + grains * Panels::SPLIT_ALIGN);
                case.backward_weight(isa, 0..case.b, range.clone(), &mut pieces[range]);
            }
            assert_eq!(whole, pieces, "{} grains on {}", grains, isa.name());
        }
    });
}

#[test]
fn a_floor_cuts_off_and_nan_stays() {
    each(|isa, case| {
        let mut rectified = vec![f32::NAN; case.b * case.n];
        let mut x = case.x.clone();
        x[0] = f32::NAN;
        product(isa, case.panels, &x, &case.packed(), None, 0.0, &mut rectified);
        let (first, others) = rectified.split_at(case.n);
        assert!(first.iter().all(|y| y.is_nan()));
        for (at, found) in others.iter().enumerate() {
            let (chain, _) = case.dot(isa, at / case.n + 1, at % case.n);
            assert_eq!(*found, chain.max(0.0));
        }
    });
}

#[test]
fn padding_stays_zero_even_beside_infinities() {
    each(|isa, case| {
        let mut wild = Case::new(case.panels, case.b);
        wild.x.fill(f32::INFINITY);
        let mut dw = case.dw.clone();
        wild.backward_weight(isa, 0..case.b, 0..dw.len(), &mut dw);
        let mut real = vec![false; dw.len()];
        for i in 0..case.k {
            (0..case.n).for_each(|j| real[case.panels.index(i, j)] = true);
        }
        for (at, real) in real.into_iter().enumerate() {
            assert!(if real { !dw[at].is_finite() } else { dw[at].to_bits() == 0 });
        }
    });
}

#[test]
fn packing_and_unpacking_are_inverse_and_pad_with_zeros() {
    let most = if cfg!(miri) { 120 } else { 20_000 };
    let sizes = SIZES.into_iter().flat_map(|k| SIZES.map(|n| (k, n))).filter(|(k, n)| k * n <= most);
    for panels in sizes.flat_map(|(k, n)| [Panels::new(k, n), Panels::best(k, n)]) {
        let (k, n) = (panels.rows(), panels.cols());
        let standard: Vec<f32> = (1..=k * n).map(|x| x as f32).collect();
        let (mut storage, mut back) = (vec![f32::NAN; panels.len()], vec![f32::NAN; k * n]);
        panels.pack(&standard, &mut storage);
        panels.unpack(&storage, &mut back);
        assert_eq!(standard, back);
        assert_eq!(storage.iter().filter(|x| **x == 0.0).count(), panels.len() - k * n);
        if !panels.transposed() {
            let widths: usize = (0..panels.count()).map(|p| panels.width(p)).sum();
            assert_eq!(widths * k, panels.len());
        }
    }
}

#[test]
fn an_empty_batch_is_nothing() {
    for isa in Isa::available() {
        let case = Case::new(Panels::new(3, 40), 2);
        assert!(case.product(isa, 0..0).is_empty() && case.backward_input(isa, 0..0).is_empty());
        let mut dw = case.dw.clone();
        case.backward_weight(isa, 0..0, 0..dw.len(), &mut dw);
        assert_eq!(dw, case.dw);
    }
}

#[test]
#[should_panic(expected = "expected samples of 3 inputs and 2 outputs, found 6 and 5 numbers")]
fn a_batch_that_does_not_fit_is_refused() {
    product(Isa::PORTABLE, Panels::new(3, 2), &[0.0; 6], &[0.0; 48], None, 0.0, &mut [0.0; 5]);
}

#[test]
#[should_panic(expected = "expected 48 numbers of storage, found 6")]
fn storage_that_does_not_fit_is_refused() {
    product(Isa::PORTABLE, Panels::new(3, 2), &[0.0; 6], &[0.0; 6], None, 0.0, &mut [0.0; 4]);
}

#[test]
#[should_panic(expected = "expected a range of 0..1600 cut at multiples of 256, found 0..100")]
fn a_range_cut_between_grains_is_refused() {
    backward_weight(Isa::PORTABLE, Panels::new(50, 20), &[], &[], 0..100, &mut [0.0; 100], Sums::default());
}

#[test]
#[should_panic(expected = "expected a scratch of 128 numbers, found 127")]
fn a_small_scratch_is_refused() {
    backward_input(Isa::PORTABLE, Panels::new(3, 2), &[0.0; 2], &[0.0; 48], &mut [0.0; 3], &mut [0.0; 127]);
}
