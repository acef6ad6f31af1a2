//! Forward: the states of sequences, step after step, for all samples at a time.
//! Comes in: the inputs' product for every step, weights, the state before; goes out: outputs, the state after, what backward reads.
//! A step that is padding carries the state on; its output is 0. Never an output of a step that was not asked for.

use core::marker::PhantomData;

use super::{Cell, Gates, Walk, Weights, load, store};
use crate::kernels::matrix::Product;
use crate::kernels::simd::{Isa, Kernel, LANES, Simd};

/// The slices that [`run`](Forward::run) works on, for `b` samples.
pub struct Forward<'a, C> {
    /// How the sequences are gone through.
    pub walk: Walk,
    /// Those of the state.
    pub weights: Weights<'a>,
    /// `[b, steps, gates·units]`: the inputs' product with its bias. Left with the gates behind their functions, if they are kept.
    pub gates: &'a mut [f32],
    /// `[b, steps, extras·units]` and `[b, steps, units]`: the cell's extras, and the output before each step, if they are kept.
    pub keep: Option<[&'a mut [f32]; 2]>,
    /// `[b, steps]`: 0 where a step is padding; or every step counts.
    pub mask: Option<&'a [f32]>,
    /// `[states, b, units]`: the state before, overwritten by that after.
    pub state: &'a mut [f32],
    /// `[b, gates·units]`, with arbitrary contents.
    pub scratch: &'a mut [f32],
    /// The outputs, where `walk` says.
    pub y: &'a mut [f32],
    /// Which cell it is.
    pub cell: PhantomData<C>,
}

impl<C: Cell> Forward<'_, C> {
    /// Goes through all steps.
    ///
    /// The state's product is one chain of `fma` from unit 0 on, starting at 0; then comes its bias, then the inputs' product.
    ///
    /// # Panics
    /// A slice has another length than the walk and the number of samples ask for.
    pub fn run(self, isa: Isa) {
        let (walk, row) = (self.walk, C::GATES * self.walk.units);
        let batch = walk.batch(self.gates, C::GATES);
        let panels = self.weights.panels;
        walk.check("inputs of the weights", panels.rows(), walk.units);
        walk.check("outputs of the weights", panels.cols(), row);
        walk.check("weights", self.weights.w.len(), panels.len());
        walk.check("biases", self.weights.bias.map_or(row, <[f32]>::len), row);
        walk.check("state", self.state.len(), C::STATES * batch * walk.units);
        walk.check("scratch", self.scratch.len(), batch * row);
        walk.check("outputs", self.y.len(), walk.outputs(batch));
        if let Some([extras, before]) = &self.keep {
            walk.check("extras", extras.len(), batch * walk.steps * C::EXTRAS * walk.units);
            walk.check("outputs before", before.len(), batch * walk.steps * walk.units);
        }
        if let Some(mask) = self.mask {
            walk.check("mask", mask.len(), batch * walk.steps);
        }
        isa.run(self);
    }
}

impl<C: Cell> Kernel for Forward<'_, C> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let Walk { steps, units, .. } = self.walk;
        let Weights { panels, w, bias } = self.weights;
        let batch = self.gates.len() / (steps * C::GATES * units);
        for k in 0..steps {
            let (h, _) = self.state.split_at(batch * units);
            Product { p: panels, batch, x: h, w, bias, floor: f32::NEG_INFINITY, y: self.scratch }.run(s);
            let step = self.walk.step(k);
            s.call(Step { all: &mut self, batch, step });
        }
        if self.walk.last {
            for (sample, h) in self.state[..batch * units].chunks_exact(units).enumerate() {
                let at = self.walk.output(sample, 0);
                self.y[at..at + units].copy_from_slice(h);
            }
        }
    }
}

/// One step of every sample, after the state's product.
struct Step<'a, 'b, C> {
    all: &'a mut Forward<'b, C>,
    batch: usize,
    step: usize,
}

impl<C: Cell> Kernel for Step<'_, '_, C> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Step { all, batch, step } = self;
        let Walk { steps, units, last, .. } = all.walk;
        let nothing = s.splat(0.0);
        let (h, c) = all.state.split_at_mut(batch * units);
        for sample in 0..batch {
            let place = sample * steps + step;
            let counts = s.gt(s.abs(s.splat(all.mask.map_or(1.0, |mask| mask[place]))), nothing);
            let gates = &mut all.gates[place * C::GATES * units..][..C::GATES * units];
            let product = &all.scratch[sample * C::GATES * units..][..C::GATES * units];
            let h = &mut h[sample * units..][..units];
            for at in (0..units).step_by(LANES) {
                let lanes = (units - at).min(LANES);
                let (mut x, mut y): (Gates<S::F>, Gates<S::F>) = ([nothing; 4], [nothing; 4]);
                for g in 0..C::GATES {
                    x[g] = load(s, gates, g * units + at, lanes);
                    y[g] = load(s, product, g * units + at, lanes);
                }
                let mut old = [load(s, h, at, lanes), nothing];
                if C::STATES == 2 {
                    old[1] = load(s, c, sample * units + at, lanes);
                }
                let (kept, new) = C::forward(s, x, y, old);
                let new = [s.select(counts, new[0], old[0]), s.select(counts, new[1], old[1])];
                store(s, new[0], h, at, lanes);
                if C::STATES == 2 {
                    store(s, new[1], c, sample * units + at, lanes);
                }
                if !last {
                    let to = all.walk.output(sample, step) + at;
                    store(s, s.select(counts, new[0], nothing), all.y, to, lanes);
                }
                if let Some([extras, before]) = &mut all.keep {
                    for g in 0..C::GATES {
                        store(s, kept.gates[g], gates, g * units + at, lanes);
                    }
                    for e in 0..C::EXTRAS {
                        store(s, kept.extras[e], extras, (place * C::EXTRAS + e) * units + at, lanes);
                    }
                    store(s, old[0], before, place * units + at, lanes);
                }
            }
        }
    }
}
