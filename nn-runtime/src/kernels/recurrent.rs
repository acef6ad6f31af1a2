//! Recurrences over the steps of sequences, forward and backward, whatever the cell.
//! Comes in: the inputs' part of every gate, already multiplied, and the weights of the state; goes out: states, or gradients of gates.
//! A step is one product for all samples, then one pass over the gates. What all steps share, the inputs' product, is not made here.
//! Never a number that depends on the other samples, or on how many steps come in one call.

mod backward;
mod cells;
mod forward;

pub use backward::Backward;
pub use cells::{Gru, Lstm, Rnn};
pub use forward::Forward;

use super::matrix::Panels;
use super::simd::{LANES, Simd};

/// One vector of each gate; a cell with fewer uses the first.
pub type Gates<F> = [F; 4];

/// What a cell makes of its gates: elementwise, for one unit a lane. Implementors mark both functions `#[inline(always)]`.
pub trait Cell: Copy + 'static {
    /// Columns of both weight matrices for each unit, one block of units after the other.
    const GATES: usize;
    /// Numbers carried from step to step for each unit: the output, and what else there is.
    const STATES: usize;
    /// Numbers for each unit and step that backward reads beside the gates and the output.
    const EXTRAS: usize;
    /// Whether the gradient that arrives at the state's product is another than that at the inputs'. It then takes the place of the
    /// extras, of which there are as many as gates.
    const SPLIT: bool;

    /// One step from the two products, both with their bias: the gates and extras to keep, and the new state.
    fn forward<S: Simd>(s: S, x: Gates<S::F>, h: Gates<S::F>, state: [S::F; 2]) -> (Kept<S::F>, [S::F; 2]);

    /// The same step backward. `before` is the output of the step before, `dstate` the gradient of the new state.
    fn backward<S: Simd>(s: S, kept: Kept<S::F>, before: S::F, dstate: [S::F; 2]) -> Pulled<S::F>;
}

/// What forward keeps of a step.
#[derive(Clone, Copy)]
pub struct Kept<F> {
    /// The gates, each behind its own function.
    pub gates: Gates<F>,
    /// What else the cell asks for.
    pub extras: Gates<F>,
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
    fn step(&self, k: usize) -> usize {
        if self.reverse { self.steps - 1 - k } else { k }
    }

    /// Where the output of a sample's step stands.
    fn output(&self, sample: usize, step: usize) -> usize {
        let row = if self.last { sample } else { sample * self.steps + step };
        row * self.width + self.at
    }

    /// How many samples there are, judged by rows of `gates` blocks of units for each step.
    #[track_caller]
    fn batch(&self, gates: &[f32], blocks: usize) -> usize {
        let one = self.steps * blocks * self.units;
        assert!(
            one != 0 && gates.len().is_multiple_of(one),
            "expected samples of {one} gates, found {} numbers",
            gates.len()
        );
        gates.len() / one
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

/// The weights of a state: how they lie, and their numbers.
#[derive(Clone, Copy)]
pub struct Weights<'a> {
    /// Units in, gates out.
    pub panels: Panels,
    /// In that storage.
    pub w: &'a [f32],
    /// Added to the product.
    pub bias: Option<&'a [f32]>,
}

#[inline(always)]
fn load<S: Simd>(s: S, from: &[f32], at: usize, lanes: usize) -> S::F {
    let from = &from[at..at + lanes];
    match from.as_array::<LANES>() {
        Some(from) => s.load(from),
        None => s.load_part(from),
    }
}

#[inline(always)]
fn store<S: Simd>(s: S, v: S::F, to: &mut [f32], at: usize, lanes: usize) {
    let to = &mut to[at..at + lanes];
    match to.as_mut_array::<LANES>() {
        Some(to) => s.store(v, to),
        None => s.store_part(v, to),
    }
}
