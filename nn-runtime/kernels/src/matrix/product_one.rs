//! Forward of one sample: what a prediction of a small network takes is the start of its kernels and the
//! latency of their sums, so this one starts lean and has as many sums side by side as registers hold. In: a
//! sample, weights in panels. Out: its outputs, with the bits that a batch would give it.

use super::Panels;
use super::product_args::{LONG_CHAIN, Product};
use super::product_transposed::one_sample;
use crate::simd::{Isa, Kernel, LANES, Simd};

/// What [`product`](super::product) makes of a single sample.
///
/// ```
/// use nn_kernels::{matrix::{Panels, product, product_of_one}, simd::Isa};
/// let (panels, isa) = (Panels::new(3, 1), Isa::detect());
/// let (mut w, mut y, mut same) = ([0.0; 48], [0.0], [0.0]);
/// panels.pack(&[1.0, -2.0, 0.3], &mut w);
/// product_of_one(isa, panels, &[3.0, 1.0, 0.7], &w, Some(&[0.5]), 0.0, &mut y);
/// product(isa, panels, &[3.0, 1.0, 0.7], &w, Some(&[0.5]), 0.0, &mut same);
/// assert_eq!(y, same);
/// ```
///
/// # Panics
/// `x.len() != rows || y.len() != cols`; `w.len() != p.len()`; `bias.len() != cols`.
#[inline]
pub fn product_of_one(isa: Isa, p: Panels, x: &[f32], w: &[f32], bias: Option<&[f32]>, floor: f32, y: &mut [f32]) {
    assert!(
        x.len() == p.rows && y.len() == p.cols && w.len() == p.len() && bias.is_none_or(|bias| bias.len() == p.cols),
        "expected a sample of {} inputs and {} outputs, found {} and {} numbers",
        p.rows,
        p.cols,
        x.len(),
        y.len()
    );
    let product = Product { p, batch: 1, x, w, bias, floor, y };
    if ProductOfOne::takes(p) { isa.run(ProductOfOne(product)) } else { isa.run(product) }
}

/// A [`Product`] whose batch is 1, with a matrix that it [takes](ProductOfOne::takes).
pub(super) struct ProductOfOne<'a>(pub Product<'a>);

impl ProductOfOne<'_> {
    /// Whether sums are not so long that a batch's are divided; where size counts before speed, a batch's
    /// kernel runs all.
    #[inline(always)]
    pub const fn takes(p: Panels) -> bool {
        !cfg!(feature = "small") && (p.transposed || p.rows <= LONG_CHAIN)
    }
}

impl Kernel for ProductOfOne<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        if self.0.p.transposed {
            return one_sample(s, self.0);
        }
        let Product { p, x, w, bias, floor, y, .. } = self.0;
        assert!(x.len() == p.rows && y.len() == p.cols && w.len() == p.len());
        let wide = p.cols.next_multiple_of(LANES) / Panels::WIDTH;
        let mut columns = Columns { x, w: w.as_ptr(), pair: p.offset(1), step: Panels::WIDTH, bias, floor, y };
        // SAFETY: `w` holds as many whole panels as `wide`, each of `x.len()` rows of two vectors, and a last
        // one of one vector where outputs are left.
        unsafe {
            match p.chains() {
                1 => columns.all::<S, 1>(s, 2 * wide),
                _ => columns.all::<S, 2>(s, 2 * wide),
            }
        }
    }
}

/// The outputs that are still to be computed, from the one whose weights begin at `w` on.
struct Columns<'a> {
    x: &'a [f32],
    w: *const f32,
    /// From one panel to the next, and from one row to the next.
    pair: usize,
    step: usize,
    bias: Option<&'a [f32]>,
    floor: f32,
    y: &'a mut [f32],
}

impl Columns<'_> {
    /// All of them: `left` vectors in whole panels, and what is left of the outputs in one vector more. Each
    /// sum is `C` chains.
    ///
    /// # Safety
    /// At `w` there are as many whole panels, of `x.len()` rows of two vectors; then, if outputs are left,
    /// one whose rows are one vector.
    #[inline(always)]
    unsafe fn all<S: Simd, const C: usize>(&mut self, s: S, mut left: usize) {
        macro_rules! next {
            ($vectors:literal) => {
                // SAFETY: the next vectors of whole panels, no more than are left; at the end the narrow
                // panel.
                unsafe { self.next::<S, $vectors, C>(s) }
            };
        }
        while const { S::REGISTERS >= 32 } && left >= 8 {
            next!(8);
            left -= 8;
        }
        while const { S::REGISTERS >= 32 || (S::REGISTERS > 1 && C == 1) } && left >= 4 {
            next!(4);
            left -= 4;
        }
        while left >= 2 {
            next!(2);
            left -= 2;
        }
        if !self.y.is_empty() {
            self.step = LANES;
            next!(1);
        }
    }

    /// Adds an input times its weights at `at`.
    ///
    /// # Safety
    /// With v < `V`, sixteen numbers can be read at at + (v / 2)·pair + (v % 2)·16.
    #[inline(always)]
    unsafe fn add_row<S: Simd, const V: usize>(&self, s: S, x: f32, at: *const f32, sums: &mut [S::F; V]) {
        let x = s.splat(x);
        for (v, sum) in sums.iter_mut().enumerate() {
            // SAFETY: vector v < V of the contract.
            let weights = unsafe { s.load_ptr(at.wrapping_add(v / 2 * self.pair + v % 2 * LANES)) };
            *sum = s.fma(x, weights, *sum);
        }
    }

    /// The next `V` vectors of outputs, or those of them that there are.
    ///
    /// # Safety
    /// With v < `V` and i < x.len(), sixteen numbers can be read at w + (v / 2)·pair + (v % 2)·16 + i·step.
    #[inline(always)]
    unsafe fn next<S: Simd, const V: usize, const C: usize>(&mut self, s: S) {
        let mut chains = [[s.splat(0.0); V]; C];
        let mut at = self.w;
        let (whole, last) = self.x.as_chunks::<C>();
        for x in whole {
            for (x, sums) in x.iter().zip(&mut chains) {
                // SAFETY: the contract lets `V` vectors of this row be read.
                unsafe { self.add_row::<S, V>(s, *x, at, sums) };
                at = at.wrapping_add(self.step);
            }
        }
        for (x, sums) in last.iter().zip(&mut chains) {
            // SAFETY: this row is below x.len() too, and the contract lets its `V` vectors be read.
            unsafe { self.add_row::<S, V>(s, *x, at, sums) };
            at = at.wrapping_add(self.step);
        }
        let mut sums = chains[0];
        for more in &chains[1..] {
            for (sum, more) in sums.iter_mut().zip(more) {
                *sum = s.add(*sum, *more);
            }
        }
        let count = self.y.len().min(V * LANES);
        let (y, rest) = core::mem::take(&mut self.y).split_at_mut(count);
        // Adding −0 changes no sum, not even −0.
        let mut bias = [s.splat(-0.0); V];
        let (whole, last) = y.as_chunks_mut::<LANES>();
        if let Some(all) = &mut self.bias {
            let (now, later) = all.split_at(count);
            *all = later;
            let (whole, last) = now.as_chunks::<LANES>();
            for (bias, from) in bias.iter_mut().zip(whole) {
                *bias = s.load(from);
            }
            if let Some(bias) = bias.get_mut(whole.len()) {
                *bias = s.load_part(last);
            }
        }
        let floor = s.splat(self.floor);
        for (v, sum) in sums.into_iter().enumerate() {
            // The floor first: where the other is NaN, `max` gives the second.
            let value = s.max(floor, s.add(sum, bias[v]));
            if let Some(to) = whole.get_mut(v) {
                s.store(value, to);
            } else if v == whole.len() {
                s.store_part(value, last);
            }
        }
        self.y = rest;
        self.w = self.w.wrapping_add(V.div_ceil(2) * self.pair);
    }
}
