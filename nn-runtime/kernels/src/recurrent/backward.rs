//! Backward: the gradients of every gate, from the last step gone through to the first, for all samples at a time.
//! Comes in: what forward kept, weights, gradients of outputs; goes out: gradients of gates and outputs, in the place of what was kept.
//! A step that is padding hands the gradient on and has none of its own. Sums over steps are not made here.

use core::marker::PhantomData;

use super::{Cell, Kept, Pulled, Turned, Walk, get, put};
use crate::matrix::Product;
use crate::simd::{Isa, Kernel, LANES, Simd};

/// The slices that [`run`](Backward::run) works on, for `b` samples.
pub struct Backward<'a, C> {
    /// How the sequences were gone through.
    pub walk: Walk,
    /// Those of the state.
    pub weights: Turned<'a>,
    /// What forward kept, overwritten by what [`Kept`] says.
    pub kept: Kept<'a>,
    /// `[b, steps]`: 0 where a step is padding; or every step counts.
    pub mask: Option<&'a [f32]>,
    /// The gradients of the outputs, where `walk` says.
    pub dy: &'a [f32],
    /// `[b, (gates + states + 1)·units]`, with arbitrary contents.
    pub scratch: &'a mut [f32],
    /// Which cell it is.
    pub cell: PhantomData<C>,
}

impl<C: Cell> Backward<'_, C> {
    /// Goes back through all steps, from a state before the first of zeros.
    ///
    /// # Panics
    /// A slice has another length than the walk and the number of samples ask for.
    pub fn run(self, isa: Isa) {
        let Walk { steps, units, .. } = self.walk;
        let (walk, row) = (self.walk, C::GATES * units);
        let one = (C::GATES + C::STATES + 1) * units;
        let batch = self.scratch.len() / one;
        walk.check("scratch", self.scratch.len(), batch * one);
        walk.check("units of the weights", self.weights.panels.cols(), units);
        walk.check("gates of the weights", self.weights.panels.rows(), row);
        self.kept.check::<C>(&walk, batch);
        walk.check("gradients", self.dy.len(), walk.outputs(batch));
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
        let Turned { panels, w } = self.weights;
        let batch = self.scratch.len() / ((C::GATES + C::STATES + 1) * units);
        let (product, rest) = self.scratch.split_at_mut(batch * C::GATES * units);
        let (through, state) = rest.split_at_mut(batch * units);
        through.fill(0.0);
        state.fill(0.0);
        if last {
            for (sample, dh) in state[..batch * units].chunks_exact_mut(units).enumerate() {
                dh.copy_from_slice(&self.dy[self.walk.output(sample, 0)..][..units]);
            }
        }
        for k in (0..steps).rev() {
            let (dh, dc) = state.split_at_mut(batch * units);
            let step = Step {
                walk: self.walk,
                batch,
                step: self.walk.step(k),
                next: (k + 1 < steps).then(|| self.walk.step(k + 1)),
                first: k == 0,
                gates: self.kept.gates.as_mut_ptr(),
                products: self.kept.products.as_mut_ptr(),
                before: self.kept.before.as_mut_ptr(),
                mask: self.mask,
                dy: (!last).then_some(self.dy.as_ptr()),
                product: product.as_mut_ptr(),
                through: through.as_ptr(),
                dh: dh.as_mut_ptr(),
                dc: dc.as_mut_ptr(),
                cell: PhantomData::<C>,
            };
            s.call(step);
            // Nobody asks for the gradient of the state before the first step.
            if k > 0 {
                Product { p: panels, batch, x: product, w, bias: None, floor: f32::NEG_INFINITY, y: through }.run(s);
            }
        }
    }
}

/// One step of every sample, before the gradient goes through the state's product. The pointers are to the beginning of what
/// [`Backward`] says, and of parts of its scratch; only its `run` makes one, which has compared every length with the batch, the steps
/// and the units.
struct Step<'a, C> {
    walk: Walk,
    batch: usize,
    step: usize,
    /// The step that comes after it.
    next: Option<usize>,
    /// It is the first of all.
    first: bool,
    gates: *mut f32,
    products: *mut f32,
    before: *mut f32,
    mask: Option<&'a [f32]>,
    /// Where every step has an output.
    dy: Option<*const f32>,
    /// The gradients of the state's product, `[b, gates·units]`.
    product: *mut f32,
    /// What came of them for the state, `[b, units]`.
    through: *const f32,
    /// What comes to the output and the rest of the state otherwise, `[b, units]` each.
    dh: *mut f32,
    dc: *mut f32,
    cell: PhantomData<C>,
}

impl<C: Cell> Kernel for Step<'_, C> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for sample in 0..self.batch {
            let place = sample * self.walk.steps + self.step;
            let counts = self.mask.is_none_or(|mask| mask[place].abs() > 0.0);
            for at in (0..self.walk.units).step_by(LANES) {
                // SAFETY: the sample is one of the batch, and the unit one of the units.
                unsafe { self.units(s, sample, at, counts) };
            }
        }
    }
}

impl<C: Cell> Step<'_, C> {
    /// The units from `at` on, of one sample.
    ///
    /// # Safety
    /// The sample is below the batch, and `at` below the units.
    #[inline(always)]
    unsafe fn units<S: Simd>(&self, s: S, sample: usize, at: usize, counts: bool) {
        let Walk { steps, units, .. } = self.walk;
        let (place, lanes, nothing) = (sample * steps + self.step, (units - at).min(LANES), s.splat(0.0));
        let of_state = sample * units + at;
        // SAFETY: the lengths are compared, as `Step` says, and from unit `at` on there are `lanes` units of each gate.
        unsafe {
            let gate = |g: usize| (place * C::GATES + g) * units + at;
            let (mut gates, mut product) = ([nothing; 4], nothing);
            for (g, to) in gates.iter_mut().enumerate().take(C::GATES) {
                *to = get(s, self.gates.add(gate(g)), lanes);
            }
            if C::SPLIT {
                product = get(s, self.products.add(gate(C::GATES - 1)), lanes);
            }
            let before = get(s, self.before.add(place * units + at), lanes);
            let handed = s.add(get(s, self.dh.add(of_state), lanes), get(s, self.through.add(of_state), lanes));
            let mut dstate = [handed, nothing];
            if let Some(dy) = self.dy {
                dstate[0] = s.add(handed, get(s, dy.add(self.walk.output(sample, self.step) + at), lanes));
            }
            if C::STATES == 2 {
                dstate[1] = get(s, self.dc.add(of_state), lanes);
            }
            let pulled = if counts {
                C::backward(s, gates, product, before, dstate)
            } else {
                // What a step of padding keeps in the place of its last gate is the output that it hands on.
                let output = gates[C::GATES - 1];
                Pulled { x: [nothing; 4], h: [nothing; 4], state: [handed, dstate[1]], output }
            };
            for g in 0..C::GATES {
                put(s, pulled.x[g], self.gates.add(gate(g)), lanes);
                put(s, pulled.h[g], self.product.add((sample * C::GATES + g) * units + at), lanes);
                if C::SPLIT {
                    put(s, pulled.h[g], self.products.add(gate(g)), lanes);
                }
            }
            put(s, pulled.state[0], self.dh.add(of_state), lanes);
            if C::STATES == 2 {
                put(s, pulled.state[1], self.dc.add(of_state), lanes);
                if let Some(next) = self.next {
                    put(s, pulled.output, self.before.add((sample * steps + next) * units + at), lanes);
                }
                if self.first {
                    put(s, nothing, self.before.add(place * units + at), lanes);
                }
            }
        }
    }
}
