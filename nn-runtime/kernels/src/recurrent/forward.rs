//! Forward: the states of sequences, step after step, for all samples at a time.
//! Comes in: inputs, weights, the state before; goes out: outputs, the state after, what backward reads.
//! A step that is padding carries the state on; its output is 0. Never an output of a step that was not asked for.

use core::array::from_fn;
use core::hint::black_box;
use core::mem::swap;
use core::ops::Range;

use super::{Cell, Columns, Gates, Kept, Walk, get, put};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// The slices that [`run`](Forward::run) works on, for `b` samples.
pub struct Forward<'a, C> {
    /// How the sequences are gone through.
    pub walk: Walk,
    /// `[b, steps, features]`
    pub x: &'a [f32],
    /// Those of the inputs.
    pub inputs: Columns<'a, C>,
    /// Those of the state.
    pub weights: Columns<'a, C>,
    /// Where to keep what backward reads.
    pub keep: Option<Kept<'a>>,
    /// `[b, steps]`: 0 where a step is padding; or every step counts.
    pub mask: Option<&'a [f32]>,
    /// `[states, b, units]`: the state before, overwritten by that after.
    pub state: &'a mut [f32],
    /// As long as [`scratch`](Forward::scratch) says, with arbitrary contents.
    pub scratch: &'a mut [f32],
    /// The outputs, where `walk` says.
    pub y: &'a mut [f32],
}

impl<C: Cell> Forward<'_, C> {
    /// Numbers of scratch for a cell of `units`: as much, and as much again for each sample.
    pub const fn scratch(units: usize) -> [usize; 2] {
        [2 * C::GATES * units.next_multiple_of(LANES), units]
    }

    /// Goes through all steps.
    ///
    /// What arrives at a gate is one chain of `fma` that starts at the sum of the biases, takes the inputs and then the state; where the cell
    /// splits the two, there are two chains, each from its own bias on.
    ///
    /// # Panics
    /// A slice has another length than the walk and the number of samples ask for.
    pub fn run(self, isa: Isa) {
        let Walk { steps, units, .. } = self.walk;
        let (walk, batch) = (self.walk, self.state.len() / (C::STATES * units));
        let [once, each] = Self::scratch(units);
        walk.check("inputs of the state's weights", self.weights.inputs, units);
        walk.check("units of the state's weights", self.weights.units, units);
        walk.check("units of the inputs' weights", self.inputs.units, units);
        walk.check("scratch", self.scratch.len(), once + batch * each);
        walk.check("inputs", self.x.len(), batch * steps * self.inputs.inputs);
        walk.check("state", self.state.len(), C::STATES * batch * units);
        walk.check("outputs", self.y.len(), walk.outputs(batch));
        if let Some(kept) = &self.keep {
            kept.check::<C>(&walk, batch);
        }
        if let Some(mask) = self.mask {
            walk.check("mask", mask.len(), batch * steps);
        }
        isa.run(self);
    }
}

impl<C: Cell> Kernel for Forward<'_, C> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let Walk { steps, units, last, .. } = self.walk;
        let batch = self.state.len() / (C::STATES * units);
        let (h, c) = self.state.split_at_mut(batch * units);
        let [once, _] = Self::scratch(units);
        let (starts, other) = self.scratch.split_at_mut(once);
        begin(s, &self.inputs, &self.weights, starts);
        let (mut old, mut new) = (h, other);
        for k in 0..steps {
            let step = Step {
                walk: self.walk,
                step: self.walk.step(k),
                x: self.x.as_ptr(),
                inputs: self.inputs,
                weights: self.weights,
                starts: starts.as_ptr(),
                keep: self
                    .keep
                    .as_mut()
                    .map(|kept| [kept.gates.as_mut_ptr(), kept.products.as_mut_ptr(), kept.before.as_mut_ptr()]),
                mask: self.mask,
                old: old.as_ptr(),
                new: new.as_mut_ptr(),
                c: c.as_mut_ptr(),
                y: (!last).then_some(self.y.as_mut_ptr()),
            };
            // SAFETY: `Forward::run` has compared every length with the batch, the steps and the units.
            unsafe { step.run(s, batch) };
            swap(&mut old, &mut new);
        }
        if last {
            for (sample, h) in old.chunks_exact(units).enumerate() {
                let at = self.walk.output(sample, 0);
                self.y[at..at + units].copy_from_slice(h);
            }
        }
        if steps % 2 == 1 {
            new.copy_from_slice(old);
        }
    }
}

/// One step. The pointers are to the beginning of what [`Forward`] says.
struct Step<'a, C> {
    walk: Walk,
    step: usize,
    x: *const f32,
    inputs: Columns<'a, C>,
    weights: Columns<'a, C>,
    /// What [`begin`] has written.
    starts: *const f32,
    keep: Option<[*mut f32; 3]>,
    mask: Option<&'a [f32]>,
    /// The outputs before this step and after it, `[b, units]` each.
    old: *const f32,
    new: *mut f32,
    /// The rest of the state, `[b, units]` or nothing.
    c: *mut f32,
    /// Where the outputs of every step go, if they do.
    y: Option<*mut f32>,
}

impl<C: Cell> Step<'_, C> {
    /// The step of all samples: as many at a time as there are registers for, each number being the same however many.
    ///
    /// # Safety
    /// The pointers are valid for `batch` samples.
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, s: S, batch: usize) {
        let units = self.walk.units;
        let mut together = 0;
        for at in (0..units).step_by(LANES) {
            let mut sample = 0;
            // SAFETY: the caller vouches for the pointers; tiles end with the batch and the units.
            unsafe {
                if const { S::REGISTERS >= 32 && C::GATES == 1 } {
                    sample = self.tiles::<S, 8, 1>(s, at, sample..batch);
                }
                if const { S::REGISTERS >= 32 || (S::REGISTERS >= 8 && C::GATES == 1) } {
                    sample = self.tiles::<S, 4, 1>(s, at, sample..batch);
                }
            }
            together = sample;
        }
        let mut at = 0;
        // SAFETY: as before.
        unsafe {
            if const { S::REGISTERS >= 32 } {
                while together < batch && at + LANES < units {
                    self.tiles::<S, 1, 2>(s, at, together..batch);
                    at += 2 * LANES;
                }
            }
            while together < batch && at < units {
                self.tiles::<S, 1, 1>(s, at, together..batch);
                at += LANES;
            }
        }
    }

    /// `B` times sixteen units from `at` on of the samples, `R` at a time while there are so many: the next sample.
    ///
    /// # Safety
    /// The pointers are valid for these samples, and the last sixteen units begin below the units.
    #[inline(always)]
    unsafe fn tiles<S: Simd, const R: usize, const B: usize>(&self, s: S, at: usize, samples: Range<usize>) -> usize {
        let Walk { steps, units, .. } = self.walk;
        let features = self.inputs.inputs;
        let (mut of_x, mut of_h) = ([[s.splat(0.0); 4]; B], [[s.splat(0.0); 4]; B]);
        for b in 0..B {
            for g in 0..C::GATES {
                let start = self.starts.wrapping_add(2 * C::GATES * at + (2 * C::GATES * b + g) * LANES);
                // SAFETY: there are `2 · gates` vectors for each sixteen units.
                unsafe {
                    of_x[b][g] = s.load_ptr(start);
                    if C::SPLIT {
                        of_h[b][g] = s.load_ptr(start.add(C::GATES * LANES));
                    }
                }
            }
        }
        let nothing = [s.splat(0.0); 4];
        let mut sample = samples.start;
        while sample + R <= samples.end {
            let x = (self.x.wrapping_add((sample * steps + self.step) * features), steps * features);
            let h = (self.old.wrapping_add(sample * units), units);
            // SAFETY: each sample has `features` inputs at this step, and `units` outputs of the last.
            let (mut sums, products) = unsafe {
                let sums = chain(s, [of_x; R], x, &self.inputs, at);
                if C::SPLIT {
                    (sums, chain(s, [of_h; R], h, &self.weights, at))
                } else {
                    (chain(s, sums, h, &self.weights, at), [[nothing; B]; R])
                }
            };
            for r in 0..R {
                for b in 0..B {
                    sums[r][b] = C::open(s, sums[r][b], if C::SPLIT { products[r][b] } else { nothing });
                }
            }
            for r in 0..R {
                for b in 0..B {
                    let product = if C::SPLIT { products[r][b] } else { nothing };
                    // SAFETY: the caller vouches for the pointers.
                    unsafe { self.close(s, at + b * LANES, sample + r, sums[r][b], product) };
                }
            }
            sample += R;
        }
        sample
    }

    /// What the cell makes of one sample's gates of sixteen units.
    ///
    /// # Safety
    /// The pointers are valid for the sample, and `at` is below the units.
    #[inline(always)]
    unsafe fn close<S: Simd>(&self, s: S, at: usize, sample: usize, open: Gates<S::F>, h: Gates<S::F>) {
        let Walk { steps, units, .. } = self.walk;
        let (place, lanes) = (sample * steps + self.step, (units - at).min(LANES));
        let counts = self.mask.is_none_or(|mask| mask[place].abs() > 0.0);
        let of_state = sample * units + at;
        let mut old = [s.splat(0.0); 2];
        // SAFETY: the caller vouches for the pointers, and the units from `at` on are `lanes` or more.
        unsafe {
            old[0] = get(s, self.old.add(of_state), lanes);
            if C::STATES == 2 {
                old[1] = get(s, self.c.add(of_state), lanes);
            }
            let (mut gates, mut new) = C::close(s, open, h, old);
            let mut y = new[0];
            if !counts {
                (gates[C::GATES - 1], new, y) = (old[0], old, s.splat(0.0));
            }
            put(s, new[0], self.new.add(of_state), lanes);
            if C::STATES == 2 {
                put(s, new[1], self.c.add(of_state), lanes);
            }
            if let Some(to) = self.y {
                put(s, y, to.add(self.walk.output(sample, self.step) + at), lanes);
            }
            if let Some([to, products, before]) = self.keep {
                let gate = |g: usize| (place * C::GATES + g) * units + at;
                for (g, value) in gates.into_iter().enumerate().take(C::GATES) {
                    put(s, value, to.add(gate(g)), lanes);
                }
                if C::SPLIT {
                    put(s, h[C::GATES - 1], products.add(gate(C::GATES - 1)), lanes);
                }
                put(s, old[C::STATES - 1], before.add(place * units + at), lanes);
            }
        }
    }
}

/// What the sums at the gates start at: for each sixteen units first those of the inputs' product and then those of the state's, gate by
/// gate. Where the cell does not split the two, the first is the sum of both.
#[inline(always)]
fn begin<S: Simd, C: Cell>(s: S, inputs: &Columns<C>, weights: &Columns<C>, starts: &mut [f32]) {
    for (block, starts) in starts.chunks_exact_mut(2 * C::GATES * LANES).enumerate() {
        let (x, h) = starts.split_at_mut(C::GATES * LANES);
        for (g, (x, h)) in x.chunks_exact_mut(LANES).zip(h.chunks_exact_mut(LANES)).enumerate() {
            let bias = |columns: &Columns<C>| match columns.bias {
                Some(bias) => s.load_part(&bias[g * columns.units..][block * LANES..columns.units]),
                None => s.splat(0.0),
            };
            let (of_x, of_h) = (bias(inputs), bias(weights));
            s.store_part(if C::SPLIT { of_x } else { s.add(of_x, of_h) }, x);
            s.store_part(of_h, h);
        }
    }
}

/// Goes on with the sums of `R` samples over all inputs.
///
/// # Safety
/// As many numbers as the columns have inputs can be read from the pointer on, and so for each sample, each as far from the last as the
/// other number says.
#[inline(always)]
unsafe fn chain<S: Simd, C: Cell, const R: usize, const B: usize>(
    s: S,
    mut sums: [[Gates<S::F>; B]; R],
    (from, apart): (*const f32, usize),
    columns: &Columns<C>,
    at: usize,
) -> [[Gates<S::F>; B]; R] {
    // A pointer for each sample, and the compiler not knowing how they are related: else it computes them anew in every step.
    let from: [*const f32; R] = black_box(from_fn(|r| from.wrapping_add(r * apart)));
    let mut w = [columns.vectors(at); B];
    for (b, w) in w.iter_mut().enumerate() {
        *w = columns.vectors(at + b * LANES);
    }
    for k in 0..columns.inputs {
        let mut vectors = [[s.splat(0.0); 4]; B];
        for b in 0..B {
            for (g, vector) in vectors[b].iter_mut().enumerate().take(C::GATES) {
                // SAFETY: `vectors` says that sixteen numbers can be read there.
                *vector = unsafe { s.load_ptr(w[b].first.add(g * w[b].gate + k * w[b].input)) };
            }
        }
        for r in 0..R {
            // SAFETY: the caller vouches for this number.
            let input = s.splat(unsafe { *from[r].add(k) });
            for b in 0..B {
                for g in 0..C::GATES {
                    sums[r][b][g] = s.fma(input, vectors[b][g], sums[r][b][g]);
                }
            }
        }
    }
    sums
}
