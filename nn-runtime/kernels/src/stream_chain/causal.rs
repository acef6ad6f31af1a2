//! A causal convolution as one step of a stream sees it: a product whose inputs lie in a ring. In: the step,
//! the ring, weights in panels; out: the outputs, and the ring with the step in it.

use super::{StreamPlaces, copy};
use crate::conv::CausalStep;
use crate::matrix::Panels;
use crate::sample_chain::product::{Operands, ProductStep};
use crate::simd::{LANES, Simd};

/// The most taps of a kernel.
const MAX_TAPS: usize = 16;

#[derive(Clone, Copy, Debug)]
pub(super) struct Causal {
    product: ProductStep,
    features: usize,
    kernel: usize,
    dilation: usize,
    /// Numbers of the ring's steps.
    reach: usize,
    carried: usize,
}

impl Causal {
    /// None where the kernel is too long.
    pub fn new(product: ProductStep, [features, kernel, dilation]: [usize; 3], carried: usize) -> Option<Causal> {
        assert!(kernel > 0 && features > 0 && dilation > 0, "expected a kernel and features");
        let reach = (kernel - 1).checked_mul(dilation).expect("steps that can be counted");
        let causal = Causal { product, features, kernel, dilation, reach, carried };
        (kernel <= MAX_TAPS && CausalStep::takes(features, kernel)).then_some(causal)
    }

    /// Numbers that are carried.
    pub fn carried_len(&self) -> usize {
        self.reach.checked_mul(self.features).and_then(|ring| ring.checked_add(1)).expect("a ring that can be counted")
    }

    /// The place of the oldest step, from the number that is carried.
    #[inline(always)]
    fn oldest(&self, place: f32) -> usize {
        if place < self.reach as f32 { place as usize } else { 0 }
    }

    /// # Safety
    /// Weights and bias lie among the parameters; at `x` are `features` numbers, at `y` is `room` for the
    /// outputs; what is carried is as long as it says, here and before.
    #[inline(always)]
    pub unsafe fn run<S: Simd>(&self, s: S, at: StreamPlaces) {
        let Causal { product, features, kernel, dilation, reach, .. } = *self;
        let place = at.carried.wrapping_add(self.carried);
        let ring = place.wrapping_add(1);
        // SAFETY: the first of what is carried.
        let oldest = self.oldest(unsafe { *place });
        let (mut taps, mut row) = ([at.x; MAX_TAPS], oldest);
        for tap in &mut taps[..kernel - 1] {
            *tap = ring.wrapping_add(row * features);
            row += dilation;
            row -= if row >= reach { reach } else { 0 };
        }
        let to = Operands { params: at.params, x: at.x, y: at.y, room: at.room };
        let vectors = product.cols.div_ceil(LANES);
        let wide = vectors / 2 * 2;
        let mut done = 0;
        // SAFETY: `features` numbers can be read from each tap on: rows of the ring below `reach`, and the
        // step; vectors are no more than there are, in panels of that width.
        unsafe {
            while const { S::REGISTERS >= 32 } && wide - done >= 4 {
                self.columns::<S, 4>(s, to, &taps, (done, Panels::WIDTH));
                done += 4;
            }
            while wide > done {
                self.columns::<S, 2>(s, to, &taps, (done, Panels::WIDTH));
                done += 2;
            }
            if vectors > done {
                self.columns::<S, 1>(s, to, &taps, (done, LANES));
            }
        }
        if reach > 0 {
            let row = ring.wrapping_add(oldest * features);
            let before = at.before.wrapping_add(self.carried);
            // SAFETY: oldest < reach: a row of the ring, here and before.
            unsafe {
                *before = oldest as f32;
                copy(row, before.wrapping_add(1 + oldest * features), features);
                copy(at.x, row, features);
                *place = if oldest + 1 == reach { 0.0 } else { (oldest + 1) as f32 };
            }
        }
    }

    /// `V` vectors of outputs from vector `first` on, an even one, whose rows of weights are `step` apart.
    ///
    /// # Safety
    /// As of [`run`](Causal::run); `features` numbers can be read from each of the `kernel` taps on; there
    /// are so many vectors, and their panels are `step` wide.
    #[inline(always)]
    unsafe fn columns<S: Simd, const V: usize>(
        &self,
        s: S,
        to: Operands,
        taps: &[*const f32; MAX_TAPS],
        (first, step): (usize, usize),
    ) {
        let w = (to.params.wrapping_add(self.product.weight + first / 2 * Panels::WIDTH * self.product.rows), step);
        let mut sums = [s.splat(0.0); V];
        // SAFETY: there are as many rows of weights as features and taps.
        unsafe {
            match self.kernel {
                2 => self.chain::<S, V, 2>(s, taps, w, &mut sums),
                3 => self.chain::<S, V, 3>(s, taps, w, &mut sums),
                _ => self.any_chain(s, taps, w, &mut sums),
            }
            self.product.finish(s, to, (first * LANES, sums), self.product.curve);
        }
    }

    /// The sums over all features and `K` taps.
    ///
    /// # Safety
    /// As of [`columns`](Causal::columns); from `w` on there are the vectors of so many rows.
    #[inline(always)]
    unsafe fn chain<S: Simd, const V: usize, const K: usize>(
        &self,
        s: S,
        taps: &[*const f32; MAX_TAPS],
        (mut w, step): (*const f32, usize),
        sums: &mut [S::F; V],
    ) {
        let mut seen = [taps[0]; K];
        seen.copy_from_slice(&taps[..K]);
        for c in 0..self.features {
            for tap in seen {
                // SAFETY: c < features, as many as each tap has.
                unsafe { self.row(s, *tap.add(c), w, sums) };
                w = w.wrapping_add(step);
            }
        }
    }

    /// [`chain`](Causal::chain) of any number of taps.
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    unsafe fn any_chain<S: Simd, const V: usize>(
        &self,
        s: S,
        taps: &[*const f32; MAX_TAPS],
        (mut w, step): (*const f32, usize),
        sums: &mut [S::F; V],
    ) {
        for c in 0..self.features {
            for tap in &taps[..self.kernel] {
                // SAFETY: c < features, as many as each tap has.
                unsafe { self.row(s, *tap.add(c), w, sums) };
                w = w.wrapping_add(step);
            }
        }
    }

    /// Adds a number times its weights.
    ///
    /// # Safety
    /// `V` vectors can be read from `w` on, two and two a panel apart.
    #[inline(always)]
    unsafe fn row<S: Simd, const V: usize>(&self, s: S, x: f32, w: *const f32, sums: &mut [S::F; V]) {
        let (x, pair) = (s.splat(x), Panels::WIDTH * self.product.rows);
        for (v, sum) in sums.iter_mut().enumerate() {
            // SAFETY: vector v < V of the contract.
            *sum = s.fma(x, unsafe { s.load_ptr(w.wrapping_add(v / 2 * pair + v % 2 * LANES)) }, *sum);
        }
    }

    /// Puts back what the last step has changed.
    pub fn undo(&self, carried: &mut [f32], before: &[f32]) {
        if self.reach > 0 {
            let row = self.carried + 1 + self.oldest(before[self.carried]) * self.features;
            carried[self.carried] = before[self.carried];
            carried[row..][..self.features].copy_from_slice(&before[row..][..self.features]);
        }
    }
}
