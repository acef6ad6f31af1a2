//! What happens to every number alike: maps, sums of two arrays, scaling, and the sum of all.
//! Comes in: an `Isa`, a function on vectors, slices of one length; goes out: a filled slice.
//! The last, shorter vector goes through the same function as the others, in its first lanes.
//! Never a scalar tail, and so never a mapped number that depends on where it stands in its array.

use super::simd::{Isa, Kernel, LANES, Simd};

/// A function of one number. Implementors mark `apply` `#[inline(always)]`, or it loses the instruction set.
///
/// ```
/// use nn_kernels::{elementwise::Map, simd::{Isa, Simd}};
///
/// struct Square;
/// impl Map for Square {
///     #[inline(always)]
///     fn apply<S: Simd>(&self, s: S, x: S::F) -> S::F {
///         s.mul(x, x)
///     }
/// }
/// let mut y = [0.0; 3];
/// Isa::detect().map(&Square, &[1.0, 2.0, 3.0], &mut y);
/// assert_eq!(y, [1.0, 4.0, 9.0]);
/// ```
pub trait Map {
    /// The function of each lane. In the last vector of an array the lanes past its end hold 0, and their results are dropped.
    fn apply<S: Simd>(&self, s: S, x: S::F) -> S::F;
}

/// A function of two numbers; see [`Map`].
pub trait Zip {
    /// The function of each pair of lanes.
    fn apply<S: Simd>(&self, s: S, a: S::F, b: S::F) -> S::F;
}

/// A function of three numbers; see [`Map`].
pub trait Zip3 {
    /// The function of each three lanes.
    fn apply<S: Simd>(&self, s: S, a: S::F, b: S::F, c: S::F) -> S::F;
}

struct MapTo<'a, T>(&'a T, &'a [f32], &'a mut [f32]);

impl<T: Map> Kernel for MapTo<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let MapTo(f, x, y) = self;
        let (x, x_tail) = x.as_chunks::<LANES>();
        let (y, y_tail) = y.as_chunks_mut::<LANES>();
        for (x, y) in x.iter().zip(y) {
            s.store(f.apply(s, s.load(x)), y);
        }
        if !x_tail.is_empty() {
            s.store_part(f.apply(s, s.load_part(x_tail)), y_tail);
        }
    }
}

struct MapIn<'a, T>(&'a T, &'a mut [f32]);

impl<T: Map> Kernel for MapIn<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let MapIn(f, y) = self;
        let (y, y_tail) = y.as_chunks_mut::<LANES>();
        for y in y {
            s.store(f.apply(s, s.load(y)), y);
        }
        if !y_tail.is_empty() {
            s.store_part(f.apply(s, s.load_part(y_tail)), y_tail);
        }
    }
}

struct ZipTo<'a, T>(&'a T, &'a [f32], &'a [f32], &'a mut [f32]);

impl<T: Zip> Kernel for ZipTo<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let ZipTo(f, a, b, y) = self;
        let (a, a_tail) = a.as_chunks::<LANES>();
        let (b, b_tail) = b.as_chunks::<LANES>();
        let (y, y_tail) = y.as_chunks_mut::<LANES>();
        for ((a, b), y) in a.iter().zip(b).zip(y) {
            s.store(f.apply(s, s.load(a), s.load(b)), y);
        }
        if !a_tail.is_empty() {
            s.store_part(f.apply(s, s.load_part(a_tail), s.load_part(b_tail)), y_tail);
        }
    }
}

struct ZipIn<'a, T>(&'a T, &'a mut [f32], &'a [f32]);

impl<T: Zip> Kernel for ZipIn<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let ZipIn(f, y, b) = self;
        let (y, y_tail) = y.as_chunks_mut::<LANES>();
        let (b, b_tail) = b.as_chunks::<LANES>();
        for (y, b) in y.iter_mut().zip(b) {
            s.store(f.apply(s, s.load(y), s.load(b)), y);
        }
        if !y_tail.is_empty() {
            s.store_part(f.apply(s, s.load_part(y_tail), s.load_part(b_tail)), y_tail);
        }
    }
}

struct Zip3To<'a, T>(&'a T, [&'a [f32]; 3], &'a mut [f32]);

impl<T: Zip3> Kernel for Zip3To<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Zip3To(f, [a, b, c], y) = self;
        let (a, a_tail) = a.as_chunks::<LANES>();
        let (b, b_tail) = b.as_chunks::<LANES>();
        let (c, c_tail) = c.as_chunks::<LANES>();
        let (y, y_tail) = y.as_chunks_mut::<LANES>();
        for (((a, b), c), y) in a.iter().zip(b).zip(c).zip(y) {
            s.store(f.apply(s, s.load(a), s.load(b), s.load(c)), y);
        }
        if !a_tail.is_empty() {
            let (a, b, c) = (s.load_part(a_tail), s.load_part(b_tail), s.load_part(c_tail));
            s.store_part(f.apply(s, a, b, c), y_tail);
        }
    }
}

/// a + b.
struct Add;

impl Zip for Add {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, a: S::F, b: S::F) -> S::F {
        s.add(a, b)
    }
}

/// y + factor·x.
struct Axpy(f32);

impl Zip for Axpy {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, y: S::F, x: S::F) -> S::F {
        s.fma(s.splat(self.0), x, y)
    }
}

/// factor·x.
struct Scale(f32);

impl Map for Scale {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, x: S::F) -> S::F {
        s.mul(s.splat(self.0), x)
    }
}

/// Numbers that `Sum` adds in `f32` before it goes on in `f64`: with four vectors of sums, each lane adds eight.
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
    /// y = f(x), number by number.
    ///
    /// # Panics
    /// Where `x.len() != y.len()`.
    pub fn map(self, f: &impl Map, x: &[f32], y: &mut [f32]) {
        same_length(x, y);
        self.run(MapTo(f, x, y));
    }

    /// y = f(y), number by number.
    pub fn map_in_place(self, f: &impl Map, y: &mut [f32]) {
        self.run(MapIn(f, y));
    }

    /// y = f(a, b), number by number.
    ///
    /// # Panics
    /// Where `a.len() != y.len()` or `b.len() != y.len()`.
    pub fn zip(self, f: &impl Zip, a: &[f32], b: &[f32], y: &mut [f32]) {
        same_length(a, y);
        same_length(b, y);
        self.run(ZipTo(f, a, b, y));
    }

    /// y = f(y, b), number by number.
    ///
    /// # Panics
    /// Where `y.len() != b.len()`.
    pub fn zip_in_place(self, f: &impl Zip, y: &mut [f32], b: &[f32]) {
        same_length(b, y);
        self.run(ZipIn(f, y, b));
    }

    /// y = f(a, b, c), number by number.
    ///
    /// # Panics
    /// Where `a.len() != y.len()`, `b.len() != y.len()` or `c.len() != y.len()`.
    pub fn zip3(self, f: &impl Zip3, a: &[f32], b: &[f32], c: &[f32], y: &mut [f32]) {
        same_length(a, y);
        same_length(b, y);
        same_length(c, y);
        self.run(Zip3To(f, [a, b, c], y));
    }

    /// to = to + x.
    ///
    /// # Panics
    /// Where `x.len() != to.len()`.
    pub fn add(self, x: &[f32], to: &mut [f32]) {
        self.zip_in_place(&Add, to, x);
    }

    /// to = to + factor·x.
    ///
    /// # Panics
    /// Where `x.len() != to.len()`.
    pub fn axpy(self, factor: f32, x: &[f32], to: &mut [f32]) {
        self.zip_in_place(&Axpy(factor), to, x);
    }

    /// y = factor·y.
    pub fn scale(self, factor: f32, y: &mut [f32]) {
        self.map_in_place(&Scale(factor), y);
    }

    /// The sum of all numbers: the same bits on every instruction set, and off by at most 14 roundings of `f32`.
    pub fn sum(self, x: &[f32]) -> f64 {
        self.run(Sum(x))
    }
}

#[track_caller]
#[inline(always)]
fn same_length(x: &[f32], y: &[f32]) {
    assert_eq!(x.len(), y.len(), "expected slices of one length");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math;
    use std::vec::Vec;

    /// 3a² − b·c, so that an exchange of arguments shows.
    struct Mixed;
    impl Map for Mixed {
        #[inline(always)]
        fn apply<S: Simd>(&self, s: S, x: S::F) -> S::F {
            s.mul(s.splat(3.0), s.mul(x, x))
        }
    }
    impl Zip for Mixed {
        #[inline(always)]
        fn apply<S: Simd>(&self, s: S, a: S::F, b: S::F) -> S::F {
            s.sub(Map::apply(self, s, a), b)
        }
    }
    impl Zip3 for Mixed {
        #[inline(always)]
        fn apply<S: Simd>(&self, s: S, a: S::F, b: S::F, c: S::F) -> S::F {
            s.sub(Map::apply(self, s, a), s.mul(b, c))
        }
    }
    struct Exp;
    impl Map for Exp {
        #[inline(always)]
        fn apply<S: Simd>(&self, s: S, x: S::F) -> S::F {
            math::exp(s, x)
        }
    }

    fn numbers(n: usize, from: f32) -> Vec<f32> {
        (0..n).map(|i| from + ((i * 37) % 101) as f32 / 8.0).collect()
    }

    /// Numbers that are exact in `f32`, so that every path has to find the same, at every length of tail.
    #[test]
    fn every_length_on_every_path() {
        for isa in Isa::available() {
            for n in (0..70).chain([127, 515]) {
                let (a, b, c) = (numbers(n, -3.0), numbers(n, 0.5), numbers(n, -7.25));
                let all = |f: &dyn Fn(f32, f32, f32) -> f32| -> Vec<f32> {
                    a.iter().zip(&b).zip(&c).map(|((&a, &b), &c)| f(a, b, c)).collect()
                };
                let mut y = vec![f32::NAN; n];
                isa.map(&Mixed, &a, &mut y);
                assert_eq!(y, all(&|a, _, _| 3.0 * a * a), "{} map {n}", isa.name());
                isa.zip(&Mixed, &a, &b, &mut y);
                assert_eq!(y, all(&|a, b, _| 3.0 * a * a - b), "{} zip {n}", isa.name());
                isa.zip3(&Mixed, &a, &b, &c, &mut y);
                assert_eq!(y, all(&|a, b, c| 3.0 * a * a - b * c), "{} zip3 {n}", isa.name());
                y.copy_from_slice(&a);
                isa.map_in_place(&Mixed, &mut y);
                assert_eq!(y, all(&|a, _, _| 3.0 * a * a), "{} map_in_place {n}", isa.name());
                y.copy_from_slice(&a);
                isa.zip_in_place(&Mixed, &mut y, &b);
                assert_eq!(y, all(&|a, b, _| 3.0 * a * a - b), "{} zip_in_place {n}", isa.name());
                y.copy_from_slice(&a);
                isa.add(&b, &mut y);
                assert_eq!(y, all(&|a, b, _| a + b), "{} add {n}", isa.name());
                y.copy_from_slice(&a);
                isa.axpy(-2.5, &b, &mut y);
                assert_eq!(y, all(&|a, b, _| a - 2.5 * b), "{} axpy {n}", isa.name());
                isa.scale(0.5, &mut y);
                assert_eq!(y, all(&|a, b, _| 0.5 * (a - 2.5 * b)), "{} scale {n}", isa.name());
            }
        }
    }

    #[test]
    fn nothing_is_written_past_the_end() {
        for isa in Isa::available() {
            let mut y = [7.0; 40];
            isa.map(&Exp, &[0.0; 21], &mut y[3..24]);
            assert!(y[..3].iter().chain(&y[24..]).all(|&y| y == 7.0), "{}", isa.name());
            assert!(y[3..24].iter().all(|&y| y == 1.0), "{}", isa.name());
        }
    }

    #[test]
    fn sums_are_near_and_the_same_on_every_path() {
        for n in [0, 1, 15, 16, 17, 511, 512, 513, 1000, 100_003] {
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
    #[should_panic(expected = "expected slices of one length")]
    fn lengths_must_agree() {
        Isa::PORTABLE.add(&[1.0; 17], &mut [0.0; 16]);
    }
}
