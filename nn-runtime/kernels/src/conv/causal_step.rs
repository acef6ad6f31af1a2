//! Steps of a causal convolution, one or several in a row: the places that the newest steps give. In: the
//! steps, those before them in a ring, and weights in panels. Out: the outputs at those places, and the ring
//! with the steps in it. No window is copied: the loop goes through features and taps where they lie.

use super::FilterBank;
use crate::matrix::{LONG_CHAIN, Panels};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// The most taps of a kernel that [`CausalStep`] takes.
const MAX_TAPS: usize = 16;
/// Steps that are made together where there are as many: each weight is read once for all of them.
const TOGETHER: usize = 4;
/// Outputs of which two steps fill a vector, and pairs of steps that are then made together.
const HALF: usize = LANES / 2;
const PAIRS: usize = 4;
const PAIRED: usize = 2 * PAIRS;

/// A causal convolution of one group over a stream.
pub struct CausalStep<'a> {
    /// Numbers of a step.
    pub features: usize,
    /// Taps of the kernel.
    pub kernel: usize,
    /// How far apart in time the taps are.
    pub dilation: usize,
    /// The weights of [`panels`](CausalStep::panels), bias and floor.
    pub filters: FilterBank<'a>,
    /// The steps, one after the other.
    pub x: &'a [f32],
    /// Where the oldest step stands in the ring, as a whole number; then the ring: the `(kernel - 1) ·
    /// dilation` steps before.
    pub carried: &'a mut [f32],
    /// Filters.
    pub outputs: usize,
    /// Of each step one output for each filter.
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

    /// Takes the steps: `y[f] = max(Σ_c Σ_k weight[f, c, k] · step[c, k] + bias[f], floor)`, one chain of
    /// `fma` in this order, starting at 0; the same bits, however many come at once.
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
        let CausalStep { features, kernel, dilation, filters: FilterBank { w, bias, floor }, x, carried, outputs, y } =
            self;
        assert!(kernel > 0 && features > 0 && CausalStep::takes(features, kernel), "expected few taps and features");
        let panels = CausalStep::panels(features, kernel, outputs);
        let reach = (kernel - 1).checked_mul(dilation).expect("steps that can be counted");
        let ring = reach.checked_mul(features).and_then(|ring| ring.checked_add(1));
        let steps = x.len() / features;
        assert!(
            w.len() == panels.len()
                && bias.is_none_or(|bias| bias.len() == outputs)
                && ring == Some(carried.len())
                && x.len() == steps * features
                && Some(y.len()) == steps.checked_mul(outputs),
            "expected {} weights, {outputs} biases, a ring of {reach} steps and outputs for each of {steps} steps",
            panels.len(),
        );
        let (place, past) = carried.split_at_mut(1);
        let oldest = if place[0] < reach as f32 { place[0] as usize } else { 0 };
        let bank = Bank { kernel, features, w: w.as_ptr(), panels, bias, floor };
        let (mut done, mut y) = (0, y);
        while done < steps {
            // What each tap sees, from the step that comes next on, for as many steps as lie in a row for
            // all.
            let (mut seen, mut run) = ([&[][..]; MAX_TAPS], steps - done);
            for (k, seen) in seen[..kernel].iter_mut().enumerate() {
                // Counted from the oldest step of the ring, which the steps of now follow.
                let at = done + k * dilation;
                *seen = match at.checked_sub(reach) {
                    Some(at) => &x[at * features..],
                    None if oldest + at >= reach => &past[(oldest + at - reach) * features..oldest * features],
                    None => &past[(oldest + at) * features..],
                };
                run = run.min(seen.len() / features);
            }
            let mut taps = [x.as_ptr(); MAX_TAPS];
            for (tap, seen) in taps[..kernel].iter_mut().zip(seen) {
                *tap = seen[..run * features].as_ptr();
            }
            let (mut out, rest) = core::mem::take(&mut y).split_at_mut(run * outputs);
            while !out.is_empty() {
                let together = match out.len() / outputs {
                    left if outputs == HALF && left >= PAIRED => PAIRED,
                    left if outputs == HALF && left >= 2 => 2,
                    TOGETHER.. => TOGETHER,
                    _ => 1,
                };
                let (now, later) = out.split_at_mut(together * outputs);
                // SAFETY: each of the first `kernel` taps is the beginning of a slice of `run` steps, of
                // which `together` have not been passed yet, and `w` is as long as `panels` says, as was
                // asserted.
                unsafe {
                    match together {
                        PAIRED => step_pairs::<S, PAIRS>(s, taps, bank, now),
                        2 => step_pairs::<S, 1>(s, taps, bank, now),
                        TOGETHER => FilterColumns::<TOGETHER> { taps, bank, first: 0 }.all(s, now),
                        _ => FilterColumns::<1> { taps, bank, first: 0 }.all(s, now),
                    }
                }
                taps[..kernel].iter_mut().for_each(|tap| *tap = tap.wrapping_add(together * features));
                out = later;
            }
            (done, y) = (done + run, rest);
        }
        if reach > 0 {
            // The newest steps take the places of the oldest.
            let new = steps.min(reach);
            let wrapped = |at: usize| if at < reach { at } else { at % reach };
            let (begin, x) = (wrapped(oldest + steps - new), &x[(steps - new) * features..]);
            let (to_the_end, from_the_start) = x.split_at(new.min(reach - begin) * features);
            past[begin * features..][..to_the_end.len()].copy_from_slice(to_the_end);
            past[..from_the_start.len()].copy_from_slice(from_the_start);
            place[0] = wrapped(oldest + steps) as f32;
        }
    }
}

/// The filters, and what they see of a step.
#[derive(Clone, Copy)]
struct Bank<'a> {
    kernel: usize,
    features: usize,
    w: *const f32,
    panels: Panels,
    bias: Option<&'a [f32]>,
    floor: f32,
}

/// The outputs of `T` steps, from `first` on.
struct FilterColumns<'a, const T: usize> {
    /// Where the numbers that each tap sees at the first step begin; those of the next steps follow.
    taps: [*const f32; MAX_TAPS],
    bank: Bank<'a>,
    first: usize,
}

impl<const T: usize> FilterColumns<'_, T> {
    #[inline(always)]
    fn left(&self) -> usize {
        self.bank.panels.cols().saturating_sub(self.first)
    }

    /// All outputs, `y` those of one step after the other.
    ///
    /// # Safety
    /// `T · features` numbers can be read from each of the `kernel` taps on, and panels.len() numbers from
    /// `w` on.
    #[inline(always)]
    unsafe fn all<S: Simd>(mut self, s: S, y: &mut [f32]) {
        // SAFETY: `next` asks for the same numbers of each tap and panels.len() numbers of `w`,
        // which the caller promised; `first` stays below `panels.cols()`.
        unsafe {
            if const { S::REGISTERS >= 32 && T == 1 } {
                while self.left() > 2 * LANES {
                    self.next::<S, 4>(s, y);
                }
            }
            if const { S::REGISTERS >= 32 || T == 1 } {
                while self.left() > LANES {
                    self.next::<S, 2>(s, y);
                }
            }
            while self.left() > 0 {
                self.next::<S, 1>(s, y);
            }
        }
    }

    /// The next `V` vectors of outputs, or those of them that there are. With more than one vector, `first`
    /// is a multiple of a panel's width.
    ///
    /// # Safety
    /// As [`all`](FilterColumns::all).
    #[inline(always)]
    unsafe fn next<S: Simd, const V: usize>(&mut self, s: S, y: &mut [f32]) {
        let FilterColumns { taps, bank: Bank { kernel, features, w, panels, bias, floor }, first } = *self;
        let mut from = [(w, 0); V];
        for (v, from) in from.iter_mut().enumerate() {
            // A vector past the last stands for the last, and is not stored.
            let column = (first + v * LANES).min((panels.cols() - 1) / LANES * LANES);
            let panel = column / Panels::WIDTH;
            *from = (w.wrapping_add(panels.offset(panel) + column % Panels::WIDTH), panels.width(panel));
        }
        let mut sums = [[s.splat(0.0); V]; T];
        // SAFETY: `T · features` numbers can be read from each tap on, and as many rows as features and
        // taps from each of the vectors, which begin at a multiple of sixteen within their panel's width.
        unsafe {
            match kernel {
                2 => chain(s, &taps, 2, features, from, &mut sums),
                3 => chain(s, &taps, 3, features, from, &mut sums),
                6 => chain(s, &taps, 6, features, from, &mut sums),
                _ => chain(s, &taps, kernel, features, from, &mut sums),
            }
        }
        for (sums, y) in sums.into_iter().zip(y.chunks_exact_mut(panels.cols())) {
            for (v, sum) in sums.into_iter().enumerate() {
                let column = (first + v * LANES).min(y.len());
                // Adding −0 changes no sum, not even −0.
                let bias = match bias {
                    Some(bias) => s.load_part(&bias[column..]),
                    None => s.splat(-0.0),
                };
                // The floor first: where the other is NaN, `max` gives the second.
                s.store_part(s.max(s.splat(floor), s.add(sum, bias)), &mut y[column..]);
            }
        }
        self.first = first + V * LANES;
    }
}

/// The outputs of `P` pairs of steps, eight each.
///
/// # Safety
/// 2 · P · `features` numbers can be read from each of the `kernel` taps on, and of as many rows as features
/// and taps sixteen numbers each from `w` on.
#[inline(always)]
unsafe fn step_pairs<S: Simd, const P: usize>(s: S, taps: [*const f32; MAX_TAPS], bank: Bank, y: &mut [f32]) {
    let Bank { kernel, features, w, bias, floor, .. } = bank;
    let mut sums = [s.splat(0.0); P];
    // SAFETY: the caller's promise is theirs.
    unsafe {
        match kernel {
            3 => pair_chain(s, &taps, 3, features, w, &mut sums),
            6 => pair_chain(s, &taps, 6, features, w, &mut sums),
            _ => pair_chain(s, &taps, kernel, features, w, &mut sums),
        }
    }
    let bias = match bias.and_then(<[f32]>::first_chunk::<HALF>) {
        // SAFETY: `bias` has been cut to eight numbers.
        Some(bias) => unsafe { s.load_twice(bias.as_ptr()) },
        None => s.splat(-0.0),
    };
    for (sum, y) in sums.into_iter().zip(y.as_chunks_mut().0) {
        s.store(s.max(s.splat(floor), s.add(sum, bias)), y);
    }
}

/// [`chain`] of pairs of steps: lanes are the outputs of one step, and then those of the next.
///
/// # Safety
/// As of [`step_pairs`].
#[inline(always)]
unsafe fn pair_chain<S: Simd, const P: usize>(
    s: S,
    taps: &[*const f32; MAX_TAPS],
    kernel: usize,
    features: usize,
    mut w: *const f32,
    sums: &mut [S::F; P],
) {
    for c in 0..features {
        for tap in &taps[..kernel] {
            // SAFETY: one row for each feature and tap, whose first half are weights.
            let weights = unsafe { s.load_twice(w) };
            w = w.wrapping_add(LANES);
            for (p, sum) in sums.iter_mut().enumerate() {
                let at = tap.wrapping_add(2 * p * features + c);
                // SAFETY: c is below `features`, and p below P, of which each tap has twice as many steps.
                let x = unsafe { s.splat_two(*at, *at.wrapping_add(features)) };
                *sum = s.fma(x, weights, *sum);
            }
        }
    }
}

/// Continues the sums over all features and taps. Compiled for each number of taps that is known.
///
/// # Safety
/// `T · features` numbers can be read from each of the first `kernel` taps on; of `features · kernel` rows,
/// which lie as far apart as `from` says, sixteen numbers each.
#[inline(always)]
unsafe fn chain<S: Simd, const V: usize, const T: usize>(
    s: S,
    taps: &[*const f32; MAX_TAPS],
    kernel: usize,
    features: usize,
    mut from: [(*const f32, usize); V],
    sums: &mut [[S::F; V]; T],
) {
    for c in 0..features {
        for tap in &taps[..kernel] {
            let mut weights = [s.splat(0.0); V];
            for (weight, (from, width)) in weights.iter_mut().zip(&mut from) {
                // SAFETY: one row for each feature and tap.
                *weight = unsafe { s.load_ptr(*from) };
                *from = from.wrapping_add(*width);
            }
            for (t, sums) in sums.iter_mut().enumerate() {
                // SAFETY: c is below `features` and t below T, of which each tap has as many steps.
                let x = s.splat(unsafe { *tap.wrapping_add(t * features + c) });
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum = s.fma(x, weight, *sum);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counter_rng::{CounterRng, uniform};
    use std::{vec, vec::Vec};

    fn random(key: u64, len: usize) -> Vec<f32> {
        let mut x = vec![0.0; len];
        uniform(Isa::detect(), CounterRng { key }, 0, len.max(1), &mut x);
        x.iter_mut().for_each(|x| *x -= 0.5);
        x
    }

    /// Steps in blocks of every length are those one by one, to the bit, and the sums that they stand for.
    #[test]
    fn blocks_are_single_steps() {
        const STEPS: usize = 23;
        let cases =
            [[1, 1, 1, 1], [3, 2, 1, 5], [1, 3, 4, 17], [8, 6, 2, 8], [5, 15, 1, 33], [2, 16, 3, 70], [16, 3, 9, 16]];
        for [features, kernel, dilation, outputs] in cases {
            let reach = (kernel - 1) * dilation;
            let panels = CausalStep::panels(features, kernel, outputs);
            let (x, standard) = (random(1, STEPS * features), random(2, outputs * features * kernel));
            let (bias, mut w) = (random(3, outputs), vec![0.0; panels.len()]);
            panels.pack(&standard, &mut w);
            let at = |step: usize, f: usize, k: usize, c: usize| {
                let past = (step + k * dilation).checked_sub(reach);
                past.map_or(0.0, |from| f64::from(x[from * features + c]))
                    * f64::from(standard[(f * features + c) * kernel + k])
            };
            let taps = |c: usize| (0..kernel).map(move |k| (c, k));
            let truth = |step: usize, f: usize| -> f64 {
                let sum: f64 = (0..features).flat_map(taps).map(|(c, k)| at(step, f, k, c)).sum();
                (sum + f64::from(bias[f])).max(-0.25)
            };
            for isa in Isa::available() {
                let run = |block: usize| {
                    let (mut carried, mut y) = (vec![0.0; 1 + reach * features], vec![f32::NAN; STEPS * outputs]);
                    for (x, y) in x.chunks(block * features).zip(y.chunks_mut(block * outputs)) {
                        let filters = FilterBank { w: &w, bias: Some(&bias), floor: -0.25 };
                        let carried = &mut carried[..];
                        CausalStep { features, kernel, dilation, filters, x, carried, outputs, y }.run(isa);
                    }
                    (carried, y)
                };
                let single = run(1);
                for (i, y) in single.1.iter().enumerate() {
                    let truth = truth(i / outputs, i % outputs);
                    assert!((f64::from(*y) - truth).abs() < 1e-5, "{y} for {truth} on {}", isa.name());
                }
                for block in [2, 3, 4, 5, 7, 8, 11, STEPS] {
                    assert!(run(block) == single, "blocks of {block} on {}: {features} features", isa.name());
                }
            }
        }
    }
}
