//! Recurrences over the steps of sequences, forward and backward, whatever the cell.
//! Comes in: inputs and weights, or what forward kept and gradients of outputs; goes out: states, or gradients of gates.
//! Forward, a tile of sums goes from the products into the cell without leaving the registers for long; backward, each step is one pass
//! over the gates and one product. Never a number that depends on the other samples, or on how many steps come in one call.

mod backward;
mod cells;
mod columns;
mod forward;
mod rows;
mod turned;

pub use backward::Backward;
pub use cells::{Gru, Lstm, Rnn};
pub use columns::Columns;
pub use forward::Forward;
pub use rows::recurrent_weight_backward;
pub use turned::Turned;

use super::matrix::Panels;
use super::simd::{LANES, Simd};

/// One vector of each gate; a cell with fewer uses the first.
pub type Gates<F> = [F; 4];

/// What a cell makes of its gates: elementwise, for one unit a lane. Implementors mark all functions `#[inline(always)]`.
pub trait Cell: Copy + 'static {
    /// Columns of both weight matrices for each unit, one block of units after the other.
    const GATES: usize;
    /// Numbers carried from step to step for each unit: the output, and what else there is.
    const STATES: usize;
    /// Whether the two products are more to the cell than their sum. The gradient that arrives at the state's product is then another than
    /// that at the inputs'.
    const SPLIT: bool;

    /// The first part of a step: the gates that depend on no other gate, in the place of what arrives at them. `x` is the inputs' product and,
    /// where the cell does not split them, the state's; `h` the state's where it does. All samples of a tile go through this part before
    /// the first goes through the next, so that none waits for another.
    fn open<S: Simd>(s: S, x: Gates<S::F>, h: Gates<S::F>) -> Gates<S::F>;

    /// The rest of the step: the gates, each behind its own function, and the new state.
    fn close<S: Simd>(s: S, open: Gates<S::F>, h: Gates<S::F>, state: [S::F; 2]) -> (Gates<S::F>, [S::F; 2]);

    /// The same step backward. `product` is what arrived from the state at the last gate, where the cell splits; `before` the last number of
    /// the state before the step, and `dstate` the gradient of the new state.
    fn backward<S: Simd>(s: S, gates: Gates<S::F>, product: S::F, before: S::F, dstate: [S::F; 2]) -> Pulled<S::F>;
}

/// The gradients of a step.
#[derive(Clone, Copy)]
pub struct Pulled<F> {
    /// Of the inputs' product.
    pub x: Gates<F>,
    /// Of the state's product.
    pub h: Gates<F>,
    /// Of the old state, but for what comes through the product.
    pub state: [F; 2],
    /// No gradient but the step's output, once more, where the state is more than it.
    pub output: F,
}

/// Sequences to go through, all in one direction.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    /// Steps of each sample.
    pub steps: usize,
    /// Units of the cell.
    pub units: usize,
    /// From the last step to the first.
    pub reverse: bool,
    /// The outputs are not those of every step, but the one after the last.
    pub last: bool,
    /// Numbers from an output to that of the next step, or where there is one only, of the next sample.
    pub width: usize,
    /// Where the units begin within them.
    pub at: usize,
}

impl Walk {
    /// The step that is gone through as the `k`-th.
    #[inline(always)]
    fn step(&self, k: usize) -> usize {
        if self.reverse { self.steps - 1 - k } else { k }
    }

    /// Where the output of a sample's step stands.
    #[inline(always)]
    fn output(&self, sample: usize, step: usize) -> usize {
        let row = if self.last { sample } else { sample * self.steps + step };
        row * self.width + self.at
    }

    /// That a slice holds what the loops reach for.
    #[track_caller]
    fn check(&self, what: &str, found: usize, expected: usize) {
        assert!(found == expected, "expected {expected} numbers of {what}, found {found}");
    }

    /// Numbers of the outputs of `batch` samples.
    fn outputs(&self, batch: usize) -> usize {
        self.width * if self.last { batch } else { batch * self.steps }
    }
}

/// What forward keeps of `b` samples, and backward leaves in the same place.
pub struct Kept<'a> {
    /// `[b, steps, gates·units]`: the gates behind their functions, then the gradients of the inputs' product. Of a step that is padding,
    /// the last gate is the output that it hands on, and its gradients are 0.
    pub gates: &'a mut [f32],
    /// The same of the state's product, where the cell splits them; else nothing. At first it is that product, of the last gate.
    pub products: &'a mut [f32],
    /// `[b, steps, units]`: the last number of the state before each step, then the output before each step.
    pub before: &'a mut [f32],
}

impl Kept<'_> {
    /// Numbers kept of a step, for each unit.
    pub const fn each<C: Cell>() -> usize {
        C::GATES + if C::SPLIT { C::GATES } else { 0 } + 1
    }

    #[track_caller]
    fn check<C: Cell>(&self, walk: &Walk, batch: usize) {
        let one = batch * walk.steps * walk.units;
        walk.check("gates", self.gates.len(), one * C::GATES);
        walk.check("products", self.products.len(), if C::SPLIT { one * C::GATES } else { 0 });
        walk.check("states before", self.before.len(), one);
    }
}

/// Weights between inputs, or the state, and the gates: how they lie, and their numbers.
#[derive(Clone, Copy)]
pub struct Weights<'a> {
    /// How they lie; the outputs are the gates.
    pub panels: Panels,
    /// In that storage.
    pub w: &'a [f32],
    /// Added to the product.
    pub bias: Option<&'a [f32]>,
}

/// Sixteen numbers, or as many as there are.
///
/// # Safety
/// `lanes` numbers can be read from `from` on.
#[inline(always)]
unsafe fn get<S: Simd>(s: S, from: *const f32, lanes: usize) -> S::F {
    if lanes == LANES {
        // SAFETY: the caller vouches for sixteen numbers.
        unsafe { s.load_ptr(from) }
    } else {
        // SAFETY: the caller vouches for so many.
        s.load_part(unsafe { core::slice::from_raw_parts(from, lanes) })
    }
}

/// Writes sixteen numbers, or as many as there is room for.
///
/// # Safety
/// `lanes` numbers can be written from `to` on.
#[inline(always)]
unsafe fn put<S: Simd>(s: S, v: S::F, to: *mut f32, lanes: usize) {
    if lanes == LANES {
        // SAFETY: the caller vouches for room for sixteen numbers.
        unsafe { s.store_ptr(v, to) };
    } else {
        // SAFETY: the caller vouches for room for so many.
        s.store_part(v, unsafe { core::slice::from_raw_parts_mut(to, lanes) });
    }
}
