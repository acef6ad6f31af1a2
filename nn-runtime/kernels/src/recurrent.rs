//! Recurrences over the steps of sequences, forward and backward, for any cell. In: inputs and weights, or
//! what forward saved and gradients of outputs. Out: states, or gradients of gates. Forward keeps a tile of
//! gates in registers from the products into the cell; backward is one pass over the gates and one product a
//! step. No number depends on other samples, or on how many steps one call takes.

mod backward;
mod cells;
mod chain;
mod forward;
mod gate_columns;
mod one_stream;
mod reset_first;
mod step;
mod transposed_weights;
mod weighted_sums;

pub use backward::RecurrentBackward;
pub use cells::{Gru, Lstm, ReluRnn, ResetFirstGru, Rnn};
pub use forward::RecurrentForward;
pub use gate_columns::GateColumns;
pub use one_stream::RecurrentBlock;
#[cfg(feature = "alloc")]
pub(crate) use one_stream::{CellPlaces, CellStep};
pub use step::{PreparedCell, RecurrentStep};
pub use transposed_weights::TransposedWeights;
pub use weighted_sums::weighted_sums;

use super::matrix::Panels;
use super::simd::{LANES, Simd};

/// One vector of each gate; a cell with fewer than four uses the first ones.
pub type Gates<F> = [F; 4];

/// A cell, where it is chosen at run time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CellKind {
    /// [`Rnn`]
    Rnn,
    /// [`ReluRnn`]
    ReluRnn,
    /// [`Gru`], and [`ResetFirstGru`], whose steps are taken elsewhere.
    Gru,
    /// [`Lstm`]
    Lstm,
}

/// What the second half of a step takes from the first: whatever the cell makes of it. What it does not use
/// costs nothing.
pub type Halfway<F> = [F; 4];

/// The elementwise part of a recurrent cell, with one unit a SIMD lane. Implementors mark all functions
/// `#[inline(always)]`.
pub trait Cell: Copy + 'static {
    /// Which cell it is.
    const KIND: CellKind;
    /// Gates: both weight matrices have this many blocks of columns, each with a column a unit.
    const GATES: usize;
    /// Numbers of state a unit: the output, and for some cells one more.
    const STATES: usize;
    /// Whether the cell uses the inputs' and the state's products separately, not only their sum (Gru). The
    /// two then have different gradients.
    const SPLIT: bool;

    /// Whether the state goes through the first gate before its product at the last one (`ResetFirstGru`):
    /// the product at the last gate is then that of another vector than the others.
    const RESETS_FIRST: bool = false;

    /// First half of a step, with what the second needs of it. `x` is the sum of both products, or with
    /// `SPLIT` the inputs' product, and then `h` the state's. All samples of a tile take the first half
    /// before any takes the second, so that their latencies overlap.
    fn gates<S: Simd>(s: S, x: Gates<S::F>, h: Gates<S::F>, state: [S::F; 2]) -> Halfway<S::F>;

    /// Second half of a step: all gates activated, and the new state, whose first number is the output.
    fn output<S: Simd>(
        s: S,
        halfway: Halfway<S::F>,
        x: Gates<S::F>,
        h: Gates<S::F>,
        state: [S::F; 2],
    ) -> (Gates<S::F>, [S::F; 2]);

    /// The step backward. `product` is the state's product at the last gate (with `SPLIT`), `before` the last
    /// number of the state before the step, and `dstate` the gradient of the new state.
    fn backward<S: Simd>(s: S, gates: Gates<S::F>, product: S::F, before: S::F, dstate: [S::F; 2]) -> CellGrad<S::F>;
}

/// The gradients of a step of a cell.
#[derive(Clone, Copy)]
pub struct CellGrad<F> {
    /// Of the inputs' product.
    pub x: Gates<F>,
    /// Of the state's product.
    pub h: Gates<F>,
    /// Of the state before the step, without what comes through its product.
    pub state: [F; 2],
    /// Not a gradient: the step's output, recomputed where the state is more than the output (Lstm).
    pub output: F,
}

/// How the steps of a batch of sequences are gone through, and where outputs lie.
#[derive(Clone, Copy, Debug)]
pub struct Sequence {
    /// Steps of each sample.
    pub steps: usize,
    /// Units of the cell.
    pub units: usize,
    /// From the last step to the first.
    pub reverse: bool,
    /// There is one output a sample, after the last step, instead of one a step.
    pub last: bool,
    /// Numbers of a row of outputs. It holds the units of this direction, and perhaps those of another beside
    /// them.
    pub width: usize,
    /// Where the units begin within a row: `at + units <= width`.
    pub at: usize,
}

impl Sequence {
    /// The step that comes `k`-th.
    #[inline(always)]
    fn step(&self, k: usize) -> usize {
        if self.reverse { self.steps - 1 - k } else { k }
    }

    /// Where the output of a sample's step begins.
    #[inline(always)]
    fn output(&self, sample: usize, step: usize) -> usize {
        let row = if self.last { sample } else { sample * self.steps + step };
        row * self.width + self.at
    }

    /// Panics where the units do not lie within a row of outputs.
    #[track_caller]
    fn check_units(&self) {
        let Sequence { units, width, at, .. } = *self;
        let within = at.checked_add(units).is_some_and(|end| end <= width);
        assert!(within && units > 0, "expected units within rows of {width} outputs, found {units} from {at} on");
    }

    /// Panics where a slice does not have as many numbers as the product of `expected`.
    #[track_caller]
    fn check(&self, what: &str, found: usize, expected: &[usize]) {
        let len = expected.iter().try_fold(1usize, |len, factor| len.checked_mul(*factor));
        assert!(len == Some(found), "expected a product of {expected:?} numbers of {what}, found {found}");
    }

    /// The numbers of the outputs of `batch` samples, as factors.
    fn outputs(&self, batch: usize) -> [usize; 3] {
        [self.width, batch, if self.last { 1 } else { self.steps }]
    }
}

/// A part of the state of every sample: a row each, of which the units begin at `at`.
#[derive(Clone, Copy, Debug)]
pub struct StateRows<'a> {
    /// `[b, width]`
    pub numbers: &'a [f32],
    /// Numbers of a row.
    pub width: usize,
    /// Where the units begin within a row.
    pub at: usize,
}

impl<'a> StateRows<'a> {
    /// The units of a sample, and what follows them in its row.
    ///
    /// # Panics
    /// There is no such sample.
    #[inline]
    pub fn row(&self, sample: usize) -> &'a [f32] {
        &self.numbers[sample * self.width..][..self.width][self.at..]
    }
}

/// What forward saves of `b` samples; backward overwrites it with its results.
pub struct SavedSteps<'a> {
    /// `[b, steps, gates·units]`. After forward: the activated gates; of a masked step, the last gate is the
    /// output that is carried on. After backward: the gradients of the inputs' product, 0 for masked steps.
    pub gates: &'a mut [f32],
    /// With [`Cell::SPLIT`] as long as `gates`, else empty. After forward: the state's product at the last
    /// gate. After backward: the gradients of the state's product.
    pub products: &'a mut [f32],
    /// `[b, steps, units]`. After forward: the last number of the state before each step. After backward: the
    /// output before each step.
    pub before: &'a mut [f32],
    /// With [`Cell::RESETS_FIRST`] `[b, steps, units]`, else empty: the state that has gone through the first
    /// gate.
    pub resets: &'a mut [f32],
    /// With [`Cell::RESETS_FIRST`] as long as `gates`, else empty. After backward: the gradients of that
    /// state's product, 0 but at the last gate.
    pub candidates: &'a mut [f32],
}

impl SavedSteps<'_> {
    /// Numbers saved of a step, a unit.
    pub const fn each<C: Cell>() -> usize {
        let again = if C::RESETS_FIRST { 1 + C::GATES } else { 0 };
        C::GATES + if C::SPLIT { C::GATES } else { 0 } + 1 + again
    }

    #[track_caller]
    fn check<C: Cell>(&self, sequence: &Sequence, batch: usize) {
        let Sequence { steps, units, .. } = *sequence;
        sequence.check("gates", self.gates.len(), &[batch, steps, units, C::GATES]);
        sequence.check("products", self.products.len(), &[batch, steps, units, if C::SPLIT { C::GATES } else { 0 }]);
        sequence.check("states before", self.before.len(), &[batch, steps, units]);
        let again = usize::from(C::RESETS_FIRST);
        sequence.check("states at the last gate", self.resets.len(), &[batch, steps, units, again]);
        sequence.check("their products", self.candidates.len(), &[batch, steps, units, again, C::GATES]);
    }
}

/// The weights from the inputs, or from the state, to the gates.
#[derive(Clone, Copy)]
pub struct GateWeights<'a> {
    /// Their layout; the outputs are the gates.
    pub panels: Panels,
    /// The weights in that layout.
    pub w: &'a [f32],
    /// Added to the product.
    pub bias: Option<&'a [f32]>,
}

/// Loads `lanes` numbers, at most sixteen.
///
/// # Safety
/// `lanes` numbers can be read from `from` on.
#[inline(always)]
unsafe fn get<S: Simd>(s: S, from: *const f32, lanes: usize) -> S::F {
    if lanes == LANES {
        // SAFETY: lanes = 16 numbers can be read, by the contract.
        unsafe { s.load_ptr(from) }
    } else {
        // SAFETY: `lanes` numbers can be read, by the contract.
        s.load_part(unsafe { core::slice::from_raw_parts(from, lanes) })
    }
}

/// Stores `lanes` numbers, at most sixteen.
///
/// # Safety
/// `lanes` numbers can be written from `to` on.
#[inline(always)]
unsafe fn put<S: Simd>(s: S, v: S::F, to: *mut f32, lanes: usize) {
    if lanes == LANES {
        // SAFETY: lanes = 16 numbers can be written, by the contract.
        unsafe { s.store_ptr(v, to) };
    } else {
        // SAFETY: `lanes` numbers can be written, by the contract.
        s.store_part(v, unsafe { core::slice::from_raw_parts_mut(to, lanes) });
    }
}
