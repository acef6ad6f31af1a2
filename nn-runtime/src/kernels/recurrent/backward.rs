//! Backward: the gradients of every gate, from the last step gone through to the first, for all samples at a time.
//! Comes in: what forward kept, weights, gradients of outputs; goes out: gradients of gates, in the place of what was kept.
//! A step that is padding hands the gradient on and has none of its own. Sums over steps are not made here.

use core::marker::PhantomData;

use super::{Cell, Kept, Walk, Weights, load, store};
use crate::kernels::matrix::{PullX, pull_x_scratch};
use crate::kernels::simd::{Isa, Kernel, LANES, Simd};

/// The slices that [`run`](Backward::run) works on, for `b` samples.
pub struct Backward<'a, C> {
    /// How the sequences were gone through.
    pub walk: Walk,
    /// Those of the state; the bias is not read.
    pub weights: Weights<'a>,
    /// `[b, steps, gates·units]`: the gates that forward kept, overwritten by the gradients of the inputs' product.
    pub gates: &'a mut [f32],
    /// `[b, steps, extras·units]`: the extras that forward kept; where the cell splits, overwritten by the gradients of the state's product.
    pub extras: &'a mut [f32],
    /// `[b, steps, units]`: the output before each step.
    pub before: &'a [f32],
    /// `[b, steps]`: 0 where a step is padding; or every step counts.
    pub mask: Option<&'a [f32]>,
    /// The gradients of the outputs, where `walk` says.
    pub dy: &'a [f32],
    /// `[b, (gates + states + 1)·units]` and [`pull_x_scratch`] of the gates, with arbitrary contents.
    pub scratch: &'a mut [f32],
    /// Which cell it is.
    pub cell: PhantomData<C>,
}

impl<C: Cell> Backward<'_, C> {
    /// Goes back through all steps.
    ///
    /// # Panics
    /// A slice has another length than the walk and the number of samples ask for.
    pub fn run(self, isa: Isa) {
        let Walk { steps, units, .. } = self.walk;
        let (walk, row) = (self.walk, C::GATES * units);
        let batch = walk.batch(self.gates, C::GATES);
        let panels = self.weights.panels;
        walk.check("inputs of the weights", panels.rows(), units);
        walk.check("outputs of the weights", panels.cols(), row);
        walk.check("weights", self.weights.w.len(), panels.len());
        walk.check("extras", self.extras.len(), batch * steps * C::EXTRAS * units);
        walk.check("outputs before", self.before.len(), batch * steps * units);
        walk.check("gradients", self.dy.len(), walk.outputs(batch));
        let room = batch * (C::GATES + C::STATES + 1) * units + pull_x_scratch(row);
        walk.check("scratch", self.scratch.len(), room);
        if let Some(mask) = self.mask {
            walk.check("mask", mask.len(), batch * steps);
        }
        isa.run(self);
    }
}

impl<C: Cell> Kernel for Backward<'_, C> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Walk { steps, units, last, .. } = self.walk;
        let Weights { panels, w, .. } = self.weights;
        let batch = self.gates.len() / (steps * C::GATES * units);
        let (product, rest) = self.scratch.split_at_mut(batch * C::GATES * units);
        let (through, rest) = rest.split_at_mut(batch * units);
        let (state, scratch) = rest.split_at_mut(batch * C::STATES * units);
        through.fill(0.0);
        state.fill(0.0);
        if last {
            for (sample, dh) in state[..batch * units].chunks_exact_mut(units).enumerate() {
                dh.copy_from_slice(&self.dy[self.walk.output(sample, 0)..][..units]);
            }
        }
        let mut step = Step {
            walk: self.walk,
            batch,
            step: 0,
            gates: self.gates,
            extras: self.extras,
            before: self.before,
            mask: self.mask,
            dy: self.dy,
            product,
            through,
            state,
            cell: PhantomData::<C>,
        };
        for k in (0..steps).rev() {
            step.step = step.walk.step(k);
            s.call(&mut step);
            // Nobody asks for the gradient of the state before the first step.
            if k > 0 {
                PullX { p: panels, batch, dy: step.product, w, dx: step.through, scratch }.run(s);
            }
        }
    }
}

/// One step of every sample, before the gradient goes through the state's product.
struct Step<'a, C> {
    walk: Walk,
    batch: usize,
    step: usize,
    gates: &'a mut [f32],
    extras: &'a mut [f32],
    before: &'a [f32],
    mask: Option<&'a [f32]>,
    dy: &'a [f32],
    /// The gradients of the state's product, `[b, gates·units]`.
    product: &'a mut [f32],
    /// What came of them for the state, `[b, units]`.
    through: &'a mut [f32],
    /// What comes to the state otherwise, `[states, b, units]`.
    state: &'a mut [f32],
    cell: PhantomData<C>,
}

impl<C: Cell> Kernel for &mut Step<'_, C> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Walk { steps, units, last, .. } = self.walk;
        let nothing = s.splat(0.0);
        let (dh, dc) = self.state.split_at_mut(self.batch * units);
        for sample in 0..self.batch {
            let place = sample * steps + self.step;
            let counts = s.gt(s.abs(s.splat(self.mask.map_or(1.0, |mask| mask[place]))), nothing);
            let gates = &mut self.gates[place * C::GATES * units..][..C::GATES * units];
            let extras = &mut self.extras[place * C::EXTRAS * units..][..C::EXTRAS * units];
            let product = &mut self.product[sample * C::GATES * units..][..C::GATES * units];
            for at in (0..units).step_by(LANES) {
                let lanes = (units - at).min(LANES);
                let of_state = sample * units + at;
                let mut kept = Kept { gates: [nothing; 4], extras: [nothing; 4] };
                for g in 0..C::GATES {
                    kept.gates[g] = load(s, gates, g * units + at, lanes);
                }
                for e in 0..C::EXTRAS {
                    kept.extras[e] = load(s, extras, e * units + at, lanes);
                }
                let before = load(s, self.before, place * units + at, lanes);
                let handed = s.add(load(s, dh, of_state, lanes), load(s, self.through, of_state, lanes));
                let mut dstate = [handed, nothing];
                if !last {
                    dstate[0] = s.add(handed, load(s, self.dy, self.walk.output(sample, self.step) + at, lanes));
                }
                if C::STATES == 2 {
                    dstate[1] = load(s, dc, of_state, lanes);
                }
                let pulled = C::backward(s, kept, before, dstate);
                for g in 0..C::GATES {
                    let (x, h) = (s.select(counts, pulled.x[g], nothing), s.select(counts, pulled.h[g], nothing));
                    store(s, x, gates, g * units + at, lanes);
                    store(s, h, product, g * units + at, lanes);
                    if C::SPLIT {
                        store(s, h, extras, g * units + at, lanes);
                    }
                }
                store(s, s.select(counts, pulled.state[0], handed), dh, of_state, lanes);
                if C::STATES == 2 {
                    store(s, s.select(counts, pulled.state[1], dstate[1]), dc, of_state, lanes);
                }
            }
        }
    }
}
