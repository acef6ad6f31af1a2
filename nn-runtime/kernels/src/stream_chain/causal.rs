//! A causal convolution as one step of a stream sees it: a product whose inputs lie in a ring. In: the step,
//! the ring, weights in panels; out: the outputs, and the ring with the step in it.

use super::run::{LayerPlaces, StreamPlaces, copy};
use crate::conv::CausalStep;
use crate::matrix::Panels;
use crate::sample_chain::product::{Operands, ProductStep, row_step, rows_together};
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
        if place >= 0.0 && place < self.reach as f32 {
            // SAFETY: a number of steps, so that it can be counted: what lies below a rounded number, lies
            // below the number.
            unsafe { place.to_int_unchecked::<isize>() as usize }
        } else {
            0
        }
    }

    /// 0, or NaN where an output is not finite.
    ///
    /// # Safety
    /// Weights and bias lie among the parameters; at `x` are `features` numbers, at `y` is `room` for the
    /// outputs; what is carried is as long as it says, here and before.
    #[inline(always)]
    pub unsafe fn run<S: Simd>(&self, s: S, at: &StreamPlaces, to: LayerPlaces) -> S::F {
        // SAFETY: the caller's promise, and `K` is the kernel, or the longest.
        unsafe {
            match self.kernel {
                2 => self.step::<S, 2>(s, (at, to), 2),
                3 => self.step::<S, 3>(s, (at, to), 3),
                kernel => self.step::<S, MAX_TAPS>(s, (at, to), kernel),
            }
        }
    }

    /// A step of a kernel of so many taps, of which there are `K` at most.
    ///
    /// # Safety
    /// As of [`run`](Causal::run); `kernel` is this one's.
    #[inline(always)]
    unsafe fn step<S: Simd, const K: usize>(
        &self,
        s: S,
        (at, to): (&StreamPlaces, LayerPlaces),
        kernel: usize,
    ) -> S::F {
        let Causal { product, features, dilation, reach, .. } = *self;
        let place = at.carried.wrapping_add(self.carried);
        let ring = place.wrapping_add(1);
        // SAFETY: the first of what is carried.
        let oldest = self.oldest(unsafe { *place });
        let (mut taps, mut row) = ([to.x; K], oldest);
        for tap in &mut taps[..kernel - 1] {
            *tap = ring.wrapping_add(row * features);
            row += dilation;
            row -= if row >= reach { reach } else { 0 };
        }
        let operands = Operands { params: at.params, x: to.x, y: to.y, room: to.room };
        let vectors = product.cols.div_ceil(LANES);
        let wide = vectors / 2 * 2;
        let (mut done, mut seen) = (0, s.splat(0.0));
        // SAFETY: `features` numbers can be read from each tap on: rows of the ring below `reach`, and the
        // step; vectors are no more than there are, of whole panels, or the last.
        unsafe {
            while const { S::REGISTERS >= 32 } && wide - done >= 4 {
                seen = s.add(seen, self.columns::<S, 4, K>(s, operands, &taps[..kernel], done));
                done += 4;
            }
            while wide > done {
                seen = s.add(seen, self.columns::<S, 2, K>(s, operands, &taps[..kernel], done));
                done += 2;
            }
            if vectors > done {
                seen = s.add(seen, self.columns::<S, 1, K>(s, operands, &taps[..kernel], done));
            }
        }
        if reach > 0 {
            let row = ring.wrapping_add(oldest * features);
            let before = at.before.wrapping_add(self.carried);
            // SAFETY: oldest < reach: a row of the ring, here and before.
            unsafe {
                *before = oldest as f32;
                copy(row, before.wrapping_add(1 + oldest * features), features);
                copy(to.x, row, features);
                *place = if oldest + 1 == reach { 0.0 } else { (oldest + 1) as f32 };
            }
        }
        seen
    }

    /// `V` vectors of outputs from vector `first` on, an even one: 0, or NaN where one is not finite.
    ///
    /// # Safety
    /// As of [`run`](Causal::run); `features` numbers can be read from each of the taps on, which are the
    /// kernel's; there are so many vectors, of whole panels, or in one of a vector.
    #[inline(always)]
    unsafe fn columns<S: Simd, const V: usize, const K: usize>(
        &self,
        s: S,
        to: Operands,
        taps: &[*const f32],
        first: usize,
    ) -> S::F {
        let (step, together) = const { (row_step(V), if V * K <= 6 { rows_together(S::REGISTERS) / 2 } else { 1 }) };
        let mut w = to.params.wrapping_add(self.product.weight + first / 2 * Panels::WIDTH * self.product.rows);
        let (mut sums, mut c, apart) = ([s.splat(0.0); V], 0, taps.len() * step);
        // Some features in a row: to ask whether there are more takes as long as a tap of one.
        while c + together <= self.features {
            for more in 0..together {
                for (k, tap) in taps.iter().enumerate() {
                    // SAFETY: c + more < features, as many as each tap has; there are as many rows.
                    unsafe { self.row(s, *tap.add(c + more), w.wrapping_add(more * apart + k * step), &mut sums) };
                }
            }
            (c, w) = (c + together, w.wrapping_add(together * apart));
        }
        while c < self.features {
            for (k, tap) in taps.iter().enumerate() {
                // SAFETY: c < features, as many as each tap has; there are as many rows.
                unsafe { self.row(s, *tap.add(c), w.wrapping_add(k * step), &mut sums) };
            }
            (c, w) = (c + 1, w.wrapping_add(apart));
        }
        // SAFETY: `V` vectors of outputs, as the caller says.
        unsafe { self.product.finish(s, to, (first * LANES, sums), self.product.curve) }
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
