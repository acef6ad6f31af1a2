//! One step of a causal convolution: the one place that the newest step gives. In: the step, those before it
//! in a ring, and weights in panels. Out: the outputs at that place, and the ring with the step in it. No
//! window is copied: the loop goes through features and taps where they lie.

use super::FilterBank;
use crate::matrix::{LONG_CHAIN, Panels};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// The most taps of a kernel that [`CausalStep`] takes.
const MAX_TAPS: usize = 16;

/// A causal convolution of one group over a stream.
pub struct CausalStep<'a> {
    /// Taps of the kernel.
    pub kernel: usize,
    /// How far apart in time the taps are.
    pub dilation: usize,
    /// The weights of [`panels`](CausalStep::panels), bias and floor.
    pub filters: FilterBank<'a>,
    /// The step.
    pub x: &'a [f32],
    /// Where the oldest step stands in the ring, as a whole number; then the ring: the `(kernel - 1) ·
    /// dilation` steps before, of `x.len()` features each.
    pub carried: &'a mut [f32],
    /// One output for each filter.
    pub y: &'a mut [f32],
}

impl CausalStep<'_> {
    /// The layout of the weights: inputs are the taps of each feature.
    #[inline]
    pub const fn panels(features: usize, kernel: usize, filters: usize) -> Panels {
        Panels::new(features * kernel, filters).in_one_chain()
    }

    /// Whether kernels are not longer than sixteen taps, and sums not so long that they are divided.
    #[inline]
    pub const fn takes(features: usize, kernel: usize) -> bool {
        kernel <= MAX_TAPS && features.saturating_mul(kernel) <= LONG_CHAIN
    }

    /// Takes the step: `y[f] = max(Σ_c Σ_k weight[f, c, k] · step[c, k] + bias[f], floor)`, one chain of
    /// `fma` in this order, starting at 0.
    ///
    /// # Panics
    /// A slice has another length than the sizes ask for; sizes that it does not [take](CausalStep::takes).
    #[inline]
    pub fn run(self, isa: Isa) {
        isa.run(self);
    }
}

impl Kernel for CausalStep<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let CausalStep { kernel, dilation, filters: FilterBank { w, bias, floor }, x, carried, y } = self;
        let features = x.len();
        assert!(kernel > 0 && features > 0 && CausalStep::takes(features, kernel), "expected few taps and features");
        let panels = CausalStep::panels(features, kernel, y.len());
        let reach = (kernel - 1).checked_mul(dilation).expect("steps that can be counted");
        let ring = reach.checked_mul(features).and_then(|ring| ring.checked_add(1));
        assert!(
            w.len() == panels.len() && bias.is_none_or(|bias| bias.len() == y.len()) && ring == Some(carried.len()),
            "expected {} weights, {} biases and a ring of {reach} steps",
            panels.len(),
            y.len()
        );
        let (place, past) = carried.split_at_mut(1);
        let oldest = if reach > 0 { place[0] as usize % reach } else { 0 };
        let mut taps = [x.as_ptr(); MAX_TAPS];
        let mut at = oldest;
        for tap in &mut taps[..kernel - 1] {
            *tap = past[at * features..][..features].as_ptr();
            at += dilation;
            if at >= reach {
                at -= reach;
            }
        }
        let mut columns =
            FilterColumns { taps: &taps[..kernel], features, w: w.as_ptr(), panels, bias, floor, first: 0, y };
        // SAFETY: each tap is the beginning of a slice of `features` numbers, and `w` as long as `panels`
        // says.
        unsafe {
            if const { S::REGISTERS >= 32 } {
                while columns.left() > 2 * LANES {
                    columns.next::<S, 4>(s);
                }
            }
            while columns.left() > LANES {
                columns.next::<S, 2>(s);
            }
            if columns.left() > 0 {
                columns.next::<S, 1>(s);
            }
        }
        if reach > 0 {
            past[oldest * features..][..features].copy_from_slice(x);
            place[0] = if oldest + 1 == reach { 0.0 } else { (oldest + 1) as f32 };
        }
    }
}

/// The outputs from `first` on.
struct FilterColumns<'a> {
    taps: &'a [*const f32],
    features: usize,
    w: *const f32,
    panels: Panels,
    bias: Option<&'a [f32]>,
    floor: f32,
    first: usize,
    y: &'a mut [f32],
}

impl FilterColumns<'_> {
    #[inline(always)]
    fn left(&self) -> usize {
        self.y.len().saturating_sub(self.first)
    }

    /// The next `V` vectors of outputs, or those of them that there are. With more than one vector, `first`
    /// is a multiple of a panel's width.
    ///
    /// # Safety
    /// `features` numbers can be read from each tap on, and panels.len() numbers from `w` on.
    #[inline(always)]
    unsafe fn next<S: Simd, const V: usize>(&mut self, s: S) {
        let FilterColumns { taps, features, w, panels, bias, floor, first, .. } = *self;
        let mut from = [(w, 0); V];
        for (v, from) in from.iter_mut().enumerate() {
            // A vector past the last stands for the last, and is not stored.
            let column = (first + v * LANES).min((panels.cols() - 1) / LANES * LANES);
            let panel = column / Panels::WIDTH;
            *from = (w.wrapping_add(panels.offset(panel) + column % Panels::WIDTH), panels.width(panel));
        }
        let mut sums = [s.splat(0.0); V];
        // SAFETY: `features` numbers can be read from each tap on, and as many rows as features and taps from
        // each of the vectors, which begin at a multiple of sixteen within their panel's width.
        unsafe {
            match taps {
                [a, b] => chain(s, &[*a, *b], features, from, &mut sums),
                [a, b, c] => chain(s, &[*a, *b, *c], features, from, &mut sums),
                _ => chain(s, taps, features, from, &mut sums),
            }
        }
        for (v, sum) in sums.into_iter().enumerate() {
            let column = (first + v * LANES).min(self.y.len());
            // Adding −0 changes no sum, not even −0.
            let bias = match bias {
                Some(bias) => s.load_part(&bias[column..]),
                None => s.splat(-0.0),
            };
            // The floor first: where the other is NaN, `max` gives the second.
            s.store_part(s.max(s.splat(floor), s.add(sum, bias)), &mut self.y[column..]);
        }
        self.first = first + V * LANES;
    }
}

/// Continues the sums over all features and taps. Compiled for each length of `taps` that is known.
///
/// # Safety
/// `features` numbers can be read from each tap on; of `features · taps.len()` rows, which lie as far apart
/// as `from` says, sixteen numbers each.
#[inline(always)]
unsafe fn chain<S: Simd, const V: usize>(
    s: S,
    taps: &[*const f32],
    features: usize,
    mut from: [(*const f32, usize); V],
    sums: &mut [S::F; V],
) {
    for c in 0..features {
        for tap in taps {
            // SAFETY: c is below `features`, of which each tap has as many numbers.
            let x = s.splat(unsafe { *tap.wrapping_add(c) });
            for (sum, (from, width)) in sums.iter_mut().zip(&mut from) {
                // SAFETY: one row for each feature and tap.
                *sum = s.fma(x, unsafe { s.load_ptr(*from) }, *sum);
                *from = from.wrapping_add(*width);
            }
        }
    }
}
