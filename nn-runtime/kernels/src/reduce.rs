//! Sums over arrays: of the numbers, of their squares and sizes, and of any terms made of several arrays at
//! once. In: an `Isa` or a kernel's token, slices; out: sums in `f64`, or lane by lane. Each sum has one
//! fixed order, so that it has the same bits wherever its terms have. Long sums go on in `f64`.

use super::elementwise::{parts, vectors, whole};
use super::simd::{Isa, Kernel, LANE_INDEX, LANES, Simd};

/// A sum along a row, lane by lane. Of a long row, blocks of vectors are summed so, and the blocks in `f64`.
#[derive(Clone, Copy)]
pub struct LongSum<S: Simd> {
    sum: S::F,
    vectors: usize,
    blocks: f64,
}

impl<S: Simd> LongSum<S> {
    /// Vectors of a block.
    const BLOCK: usize = 32;

    #[inline(always)]
    /// Begins with these.
    pub fn new(first: S::F) -> Self {
        LongSum { sum: first, vectors: 0, blocks: 0.0 }
    }

    #[inline(always)]
    /// Adds a vector.
    pub fn add(&mut self, s: S, x: S::F) {
        self.sum = s.add(self.sum, x);
        self.count(s);
    }

    #[inline(always)]
    /// Adds `a · b`.
    pub fn fma(&mut self, s: S, a: S::F, b: S::F) {
        self.sum = s.fma(a, b, self.sum);
        self.count(s);
    }

    #[inline(always)]
    fn count(&mut self, s: S) {
        self.vectors += 1;
        if self.vectors == Self::BLOCK {
            self.blocks += f64::from(s.sum(self.sum));
            (self.sum, self.vectors) = (s.splat(0.0), 0);
        }
    }

    #[inline(always)]
    /// The sum of all lanes.
    pub fn total(self, s: S) -> f32 {
        (self.blocks + f64::from(s.sum(self.sum))) as f32
    }

    #[inline(always)]
    /// The sum of all lanes of a single block, one after the other.
    pub fn in_order(self, s: S) -> f32 {
        let mut lanes = [0.0; 16];
        s.store(self.sum, &mut lanes);
        lanes.iter().fold(0.0, |sum, lane| sum + lane)
    }
}

/// `M` numbers made of `K`, to be summed. Implementors mark `at` `#[inline(always)]`.
pub trait Terms<const K: usize, const M: usize> {
    /// The terms of each lane.
    fn at<S: Simd>(&self, s: S, x: [S::F; K]) -> [S::F; M];
}

/// Vectors that are added in `f32` before a sum goes on in `f64`.
const BLOCK: usize = 16;

/// Vectors in so many blocks that `lane_sums` adds their sums up by themselves too.
const BLOCK_OF_BLOCKS: usize = 32 * BLOCK;

#[inline(always)]
fn load<S: Simd, const K: usize>(s: S, from: &[&[f32]; K], at: usize, len: usize) -> [S::F; K] {
    let mut x = [s.splat(0.0); K];
    for k in 0..K {
        let from = &from[k][at..at + len];
        x[k] = match from.as_array() {
            Some(from) => s.load(from),
            None => s.load_part(from),
        };
    }
    x
}

/// The sums of all terms.
///
/// # Panics
/// The first slice is longer than another.
#[inline(always)]
pub fn sums<S: Simd, const K: usize, const M: usize>(s: S, f: &impl Terms<K, M>, from: [&[f32]; K]) -> [f64; M] {
    let len = from[0].len();
    let mut totals = [0.0; M];
    let mut at = 0;
    while at < len {
        let end = len.min(at + BLOCK * LANES);
        // Two chains of additions, so that one need not wait for the other.
        let mut even = [s.splat(0.0); M];
        let mut odd = [s.splat(0.0); M];
        while at + 2 * LANES <= end {
            let a = f.at(s, load(s, &from, at, LANES));
            let b = f.at(s, load(s, &from, at + LANES, LANES));
            for m in 0..M {
                even[m] = s.add(even[m], a[m]);
                odd[m] = s.add(odd[m], b[m]);
            }
            at += 2 * LANES;
        }
        while at < end {
            let rest = LANES.min(end - at);
            let filled = s.lt_i(s.load_i(&LANE_INDEX), s.splat_i(rest as i32));
            let a = f.at(s, load(s, &from, at, rest));
            for m in 0..M {
                even[m] = s.add(even[m], s.select(filled, a[m], s.splat(0.0)));
            }
            at += rest;
        }
        for m in 0..M {
            totals[m] += f64::from(s.sum(s.add(even[m], odd[m])));
        }
    }
    totals
}

/// The terms of all vectors added lane by lane. Blocks of them are added up by themselves, and blocks of
/// blocks, so that long sums lose little.
///
/// # Panics
/// The first slice is longer than another.
#[inline(always)]
pub fn lane_sums<S: Simd, const K: usize, const M: usize>(s: S, f: &impl Terms<K, M>, from: [&[f32]; K]) -> [S::F; M] {
    let (whole, rest) = whole(from, from[0].len());
    let mut totals = [s.splat(0.0); M];
    if !rest[0].is_empty() {
        let filled = s.lt_i(s.load_i(&LANE_INDEX), s.splat_i(rest[0].len() as i32));
        let terms = f.at(s, parts(s, &rest));
        for m in 0..M {
            totals[m] = s.select(filled, terms[m], s.splat(0.0));
        }
    }
    let mut before = [s.splat(0.0); M];
    let mut at = 0;
    while at < whole[0].len() {
        if at > 0 && at.is_multiple_of(BLOCK_OF_BLOCKS) {
            for m in 0..M {
                before[m] = s.add(before[m], totals[m]);
                totals[m] = s.splat(0.0);
            }
        }
        let end = whole[0].len().min(at + BLOCK);
        let mut sums = [s.splat(0.0); M];
        for i in at..end {
            let terms = f.at(s, vectors(s, &whole, i));
            for m in 0..M {
                sums[m] = s.add(sums[m], terms[m]);
            }
        }
        for m in 0..M {
            totals[m] = s.add(totals[m], sums[m]);
        }
        at = end;
    }
    for m in 0..M {
        totals[m] = s.add(before[m], totals[m]);
    }
    totals
}

/// The sums of the terms along the columns from `first` on, sixteen at most, of matrices `[rows, width]`; the
/// last array is a single row that goes with each. Columns past the last hold anything.
///
/// # Panics
/// A matrix is smaller than the first, or the row narrower than `width`.
#[inline(always)]
pub fn column_sums<S: Simd, const K: usize, const M: usize>(
    s: S,
    f: &impl Terms<K, M>,
    from: [&[f32]; K],
    width: usize,
    first: usize,
) -> [[f64; LANES]; M] {
    let len = LANES.min(width - first);
    let rows = from[0].len() / width;
    let [last] = load(s, &[from[K - 1]], first, len);
    let mut totals = [[0.0; LANES]; M];
    let mut row = 0;
    while row < rows {
        let end = rows.min(row + BLOCK);
        let mut sums = [s.splat(0.0); M];
        while row < end {
            let mut x = [last; K];
            for k in 0..K - 1 {
                let [one] = load(s, &[from[k]], row * width + first, len);
                x[k] = one;
            }
            let terms = f.at(s, x);
            for m in 0..M {
                sums[m] = s.add(sums[m], terms[m]);
            }
            row += 1;
        }
        for m in 0..M {
            let mut lanes = [0.0; LANES];
            s.store(sums[m], &mut lanes);
            for (total, lane) in totals[m].iter_mut().zip(lanes) {
                *total += f64::from(lane);
            }
        }
    }
    totals
}

/// Numbers that `Sum` adds in `f32` before it goes on in `f64`: with four vectors of sums, each lane adds
/// eight.
const SUM_BLOCK: usize = 4 * 8 * LANES;

struct Sum<'a>(&'a [f32]);

impl Kernel for Sum<'_> {
    type Out = f64;
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f64 {
        let mut total = 0.0;
        for block in self.0.chunks(SUM_BLOCK) {
            let (fours, rest) = block.as_chunks::<{ 4 * LANES }>();
            let mut sums = [s.splat(0.0); 4];
            for four in fours {
                for (sum, x) in sums.iter_mut().zip(four.as_chunks::<LANES>().0) {
                    *sum = s.add(*sum, s.load(x));
                }
            }
            for (sum, x) in sums.iter_mut().zip(rest.chunks(LANES)) {
                *sum = s.add(*sum, s.load_part(x));
            }
            let [a, b, c, d] = sums;
            total += f64::from(s.sum(s.add(s.add(a, b), s.add(c, d))));
        }
        total
    }
}

impl Isa {
    /// The sum of all numbers: the same bits on every instruction set, and off by at most 14 roundings of
    /// `f32`.
    pub fn sum(self, x: &[f32]) -> f64 {
        self.run(Sum(x))
    }
}

/// Sums of `sum_of_squares` that are kept side by side: enough to hide the time an addition takes.
const WAYS: usize = 32;

/// Σ x², of any numbers whose squares `f64` holds.
///
/// ```
/// use nn_kernels::{simd::Isa, reduce::sum_of_squares};
/// assert_eq!(sum_of_squares(Isa::detect(), &[3.0, -4.0]), 25.0);
/// ```
pub fn sum_of_squares(isa: Isa, x: &[f32]) -> f64 {
    isa.run(SumOfPowers::<true>(x))
}

/// Σ |x|.
pub fn sum_of_abs(isa: Isa, x: &[f32]) -> f64 {
    isa.run(SumOfPowers::<false>(x))
}

/// No fused product: the compiler vectorises these loops and leaves each rounding where it stands.
struct SumOfPowers<'a, const SQUARE: bool>(&'a [f32]);

impl<const SQUARE: bool> Kernel for SumOfPowers<'_, SQUARE> {
    type Out = f64;
    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> f64 {
        let (chunks, tail) = self.0.as_chunks::<WAYS>();
        let mut sums = [0.0f64; WAYS];
        for chunk in chunks {
            for (sum, &x) in sums.iter_mut().zip(chunk) {
                *sum += term::<SQUARE>(x);
            }
        }
        for (sum, &x) in sums.iter_mut().zip(tail) {
            *sum += term::<SQUARE>(x);
        }
        sums.iter().sum()
    }
}

#[inline(always)]
fn term<const SQUARE: bool>(x: f32) -> f64 {
    let x = f64::from(x);
    if SQUARE { x * x } else { x.abs() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn sums_are_near_and_the_same_on_every_path() {
        for n in [0, 1, 15, 16, 17, 511, 512, 513, 1000, if cfg!(miri) { 1100 } else { 100_003 }] {
            let x: Vec<f32> = (0..n).map(|i| 1.0 / (1 + i % 977) as f32).collect();
            let truth: f64 = x.iter().map(|&x| f64::from(x)).sum();
            for isa in Isa::available() {
                let sum = isa.sum(&x);
                assert!((sum - truth).abs() <= 1e-6 * truth, "{} {n}: {sum}, expected {truth}", isa.name());
                assert_eq!(sum, Isa::PORTABLE.sum(&x), "{} {n}", isa.name());
            }
        }
    }

    #[test]
    fn norms_are_those_of_double_precision_on_every_path() {
        for n in [0, 1, 15, 31, 32, 33, 64, 1000, if cfg!(miri) { 1100 } else { 20_001 }] {
            let x: Vec<f32> = (0..n).map(|i| (((i * 37) % 23) as f32 / 7.0 - 1.5) * 1e20).collect();
            let truth = |f: &dyn Fn(f64) -> f64| x.iter().map(|&x| f(f64::from(x))).sum::<f64>();
            for isa in Isa::available() {
                let (squares, sizes) = (sum_of_squares(isa, &x), sum_of_abs(isa, &x));
                assert!((squares - truth(&|x| x * x)).abs() <= 1e-12 * squares, "{} {n}", isa.name());
                assert!((sizes - truth(&f64::abs)).abs() <= 1e-12 * sizes, "{} {n}", isa.name());
                assert_eq!(squares, sum_of_squares(Isa::PORTABLE, &x), "{} {n}", isa.name());
                assert_eq!(sizes, sum_of_abs(Isa::PORTABLE, &x), "{} {n}", isa.name());
            }
        }
    }
}
