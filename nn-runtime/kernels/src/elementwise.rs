//! What happens to every number alike: functions of one number or several, into another array or in place.
//! In: an `Isa` (or, within a `Kernel`, its token), a function on vectors, slices of one length; out: a
//! filled slice. The last, shorter vector goes through the same function as the others, in its first lanes:
//! there is no scalar tail, so that a result never depends on where its number stands in the array.

use super::simd::{Isa, Kernel, LANES, Simd};

/// A function of `K` numbers. Implementors mark `apply` `#[inline(always)]`, or it loses the instruction set.
///
/// ```
/// use nn_kernels::{elementwise::Map, simd::{Isa, Simd}};
///
/// struct Square;
/// impl Map for Square {
///     #[inline(always)]
///     fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
///         s.mul(x, x)
///     }
/// }
/// let mut y = [0.0; 3];
/// Isa::detect().map(&Square, &[1.0, 2.0, 3.0], &mut y);
/// assert_eq!(y, [1.0, 4.0, 9.0]);
/// ```
pub trait Map<const K: usize = 1> {
    /// The function of each lane of `x`. In the last vector of an array the lanes past its end hold 0, and
    /// their results are dropped.
    fn apply<S: Simd>(&self, s: S, x: [S::F; K]) -> S::F;
}

/// Whether the last vector, which may be shorter, is like any other: code for one, not two.
pub(crate) const ALIKE: bool = cfg!(feature = "small");

/// The numbers of each from this one on, as many as a vector has or is left of `len`.
#[inline(always)]
pub(crate) fn next<S: Simd, const K: usize>(s: S, from: &[&[f32]; K], at: usize, len: usize) -> [S::F; K] {
    let mut x = [s.splat(0.0); K];
    for (x, from) in x.iter_mut().zip(from) {
        *x = s.load_part(&from[at..at + len]);
    }
    x
}

/// The whole vectors of the first `len` numbers of each slice, and what is left of these numbers.
///
/// # Panics
/// A slice is shorter.
#[inline(always)]
pub(crate) fn whole<const K: usize>(from: [&[f32]; K], len: usize) -> ([&[[f32; LANES]]; K], [&[f32]; K]) {
    let (mut whole, mut rest) = ([&[][..]; K], [&[][..]; K]);
    for k in 0..K {
        (whole[k], rest[k]) = from[k][..len].as_chunks::<LANES>();
    }
    (whole, rest)
}

/// Vector `i` of each.
#[inline(always)]
pub(crate) fn vectors<S: Simd, const K: usize>(s: S, from: &[&[[f32; LANES]]; K], i: usize) -> [S::F; K] {
    let mut x = [s.splat(0.0); K];
    for (x, from) in x.iter_mut().zip(from) {
        *x = s.load(&from[i]);
    }
    x
}

/// The numbers of each, fewer than a vector.
#[inline(always)]
pub(crate) fn parts<S: Simd, const K: usize>(s: S, from: &[&[f32]; K]) -> [S::F; K] {
    let mut x = [s.splat(0.0); K];
    for (x, from) in x.iter_mut().zip(from) {
        *x = s.load_part(from);
    }
    x
}

/// to = f(from), number by number, within a kernel.
///
/// # Panics
/// A slice of `from` is shorter than `to`.
#[inline(always)]
pub fn fill<S: Simd, const K: usize>(s: S, f: &impl Map<K>, from: [&[f32]; K], to: &mut [f32]) {
    if ALIKE {
        for (at, to) in (0..).step_by(LANES).zip(to.chunks_mut(LANES)) {
            s.store_part(f.apply(s, next(s, &from, at, to.len())), to);
        }
        return;
    }
    let (from, rest) = whole(from, to.len());
    let (to, last) = to.as_chunks_mut::<LANES>();
    for (i, to) in to.iter_mut().enumerate() {
        s.store(f.apply(s, vectors(s, &from, i)), to);
    }
    if !last.is_empty() {
        s.store_part(f.apply(s, parts(s, &rest)), last);
    }
}

/// y = f(y), number by number, within a kernel.
#[inline(always)]
pub(crate) fn fill_in_place<S: Simd>(s: S, f: &impl Map, y: &mut [f32]) {
    if ALIKE {
        return y.chunks_mut(LANES).for_each(|y| s.store_part(f.apply(s, [s.load_part(y)]), y));
    }
    let (y, y_tail) = y.as_chunks_mut::<LANES>();
    for y in y {
        s.store(f.apply(s, [s.load(y)]), y);
    }
    if !y_tail.is_empty() {
        s.store_part(f.apply(s, [s.load_part(y_tail)]), y_tail);
    }
}

/// y = f(y, b), number by number, within a kernel.
#[inline(always)]
pub(crate) fn zip_in_place<S: Simd>(s: S, f: &impl Map<2>, y: &mut [f32], b: &[f32]) {
    if ALIKE {
        for (y, b) in y.chunks_mut(LANES).zip(b.chunks(LANES)) {
            s.store_part(f.apply(s, [s.load_part(y), s.load_part(b)]), y);
        }
        return;
    }
    let (y, y_tail) = y.as_chunks_mut::<LANES>();
    let (b, b_tail) = b.as_chunks::<LANES>();
    for (y, b) in y.iter_mut().zip(b) {
        s.store(f.apply(s, [s.load(y), s.load(b)]), y);
    }
    if !y_tail.is_empty() {
        s.store_part(f.apply(s, [s.load_part(y_tail), s.load_part(b_tail)]), y_tail);
    }
}

/// to = to + f(from), number by number, within a kernel.
///
/// # Panics
/// A slice of `from` is shorter than `to`.
#[inline(always)]
pub fn add<S: Simd, const K: usize>(s: S, f: &impl Map<K>, from: [&[f32]; K], to: &mut [f32]) {
    if ALIKE {
        for (at, to) in (0..).step_by(LANES).zip(to.chunks_mut(LANES)) {
            s.store_part(s.add(s.load_part(to), f.apply(s, next(s, &from, at, to.len()))), to);
        }
        return;
    }
    let (from, rest) = whole(from, to.len());
    let (to, last) = to.as_chunks_mut::<LANES>();
    for (i, to) in to.iter_mut().enumerate() {
        s.store(s.add(s.load(to), f.apply(s, vectors(s, &from, i))), to);
    }
    if !last.is_empty() {
        s.store_part(s.add(s.load_part(last), f.apply(s, parts(s, &rest))), last);
    }
}

/// `to = f(from)`.
struct MapTo<'a, T, const K: usize>(&'a T, [&'a [f32]; K], &'a mut [f32]);

impl<T: Map<K>, const K: usize> Kernel for MapTo<'_, T, K> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let MapTo(f, from, to) = self;
        fill(s, f, from, to);
    }
}

/// `y = f(y)`.
struct MapInPlace<'a, T>(&'a T, &'a mut [f32]);

impl<T: Map> Kernel for MapInPlace<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let MapInPlace(f, y) = self;
        fill_in_place(s, f, y);
    }
}

/// `y = f(y, b)`.
struct ZipInPlace<'a, T>(&'a T, &'a mut [f32], &'a [f32]);

impl<T: Map<2>> Kernel for ZipInPlace<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let ZipInPlace(f, y, b) = self;
        zip_in_place(s, f, y, b);
    }
}

/// a + b.
struct Add;

impl Map<2> for Add {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [a, b]: [S::F; 2]) -> S::F {
        s.add(a, b)
    }
}

/// y + factor·x.
struct Axpy(f32);

impl Map<2> for Axpy {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [y, x]: [S::F; 2]) -> S::F {
        s.fma(s.splat(self.0), x, y)
    }
}

/// factor·x.
struct Scale(f32);

impl Map for Scale {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        s.mul(s.splat(self.0), x)
    }
}

impl Isa {
    /// y = f(x), number by number.
    ///
    /// # Panics
    /// Where `x.len() != y.len()`.
    pub fn map(self, f: &impl Map, x: &[f32], y: &mut [f32]) {
        same_length(x, y);
        self.run(MapTo(f, [x], y));
    }

    /// y = f(y), number by number.
    pub fn map_in_place(self, f: &impl Map, y: &mut [f32]) {
        self.run(MapInPlace(f, y));
    }

    /// y = f(a, b), number by number.
    ///
    /// # Panics
    /// Where `a.len() != y.len()` or `b.len() != y.len()`.
    pub fn zip(self, f: &impl Map<2>, a: &[f32], b: &[f32], y: &mut [f32]) {
        same_length(a, y);
        same_length(b, y);
        self.run(MapTo(f, [a, b], y));
    }

    /// y = f(y, b), number by number.
    ///
    /// # Panics
    /// Where `y.len() != b.len()`.
    pub fn zip_in_place(self, f: &impl Map<2>, y: &mut [f32], b: &[f32]) {
        same_length(b, y);
        self.run(ZipInPlace(f, y, b));
    }

    /// y = f(a, b, c), number by number.
    ///
    /// # Panics
    /// Where `a.len() != y.len()`, `b.len() != y.len()` or `c.len() != y.len()`.
    pub fn zip3(self, f: &impl Map<3>, a: &[f32], b: &[f32], c: &[f32], y: &mut [f32]) {
        same_length(a, y);
        same_length(b, y);
        same_length(c, y);
        self.run(MapTo(f, [a, b, c], y));
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
        fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
            s.mul(s.splat(3.0), s.mul(x, x))
        }
    }
    impl Map<2> for Mixed {
        #[inline(always)]
        fn apply<S: Simd>(&self, s: S, [a, b]: [S::F; 2]) -> S::F {
            s.sub(Map::apply(self, s, [a]), b)
        }
    }
    impl Map<3> for Mixed {
        #[inline(always)]
        fn apply<S: Simd>(&self, s: S, [a, b, c]: [S::F; 3]) -> S::F {
            s.sub(Map::apply(self, s, [a]), s.mul(b, c))
        }
    }
    struct Exp;
    impl Map for Exp {
        #[inline(always)]
        fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
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
            for n in (0..70).step_by(if cfg!(miri) { 23 } else { 1 }).chain([127, 515]) {
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
    #[should_panic(expected = "expected slices of one length")]
    fn lengths_must_agree() {
        Isa::PORTABLE.add(&[1.0; 17], &mut [0.0; 16]);
    }
}
