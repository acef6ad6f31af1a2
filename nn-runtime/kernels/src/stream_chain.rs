//! The layers of a network as one stream steps through them. In: the layers, once; parameters, what is
//! carried and a step of every input; out: a step of every output, and whether all numbers of it are finite.
//! The instruction set is entered, and lengths are compared, once for all layers; sums have the order of a
//! window's.

mod causal;
mod op;
mod run;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use core::ops::Range;

use crate::matrix::Panels;
use crate::recurrent::{Cell, CellKind, CellPlaces, CellStep, Gru, Lstm, ReluRnn, Rnn};
use crate::sample_chain::product::{NarrowProduct, ProductStep};
use crate::sample_chain::{ChainCurve, InPlace};
use crate::simd::{Isa, LANES, Simd};
use causal::Causal;
pub use op::{StreamOp, StreamPlace};
use run::{LayerPlaces, StreamPlaces, StreamRun};

/// A function of a layer's outputs, which may be a curve.
pub type StreamFunction = (InPlace, Option<ChainCurve>);

/// The layers of a network, as one stream steps through them.
///
/// ```
/// use nn_kernels::matrix::Panels;
/// use nn_kernels::simd::Isa;
/// use nn_kernels::stream_chain::{StreamChain, StreamMemory, StreamOp, StreamPlace::Outside};
///
/// let (panels, mut params) = (Panels::new(2, 1), [0.0; 33]);
/// panels.pack(&[1.0, -2.0], &mut params[..32]);
/// params[32] = 0.5;
/// let product = StreamOp::Product { panels, weight: 0..32, bias: Some(32..33) };
/// let chain = StreamChain::new().then(product, [Outside(0), Outside(0)], 0.0, &[], false).unwrap();
/// let memory =
///     StreamMemory { params: &params, prepared: &[], carried: &mut [], before: &mut [], values: &mut [] };
/// let mut y = [0.0];
/// assert!(chain.run(Isa::detect(), memory, &[&[3.0, 1.0]], &mut [&mut y], false));
/// assert_eq!(y, [1.5]);
/// ```
#[derive(Clone, Debug)]
pub struct StreamChain {
    layers: Vec<Layer>,
    /// Narrow products, and where they write.
    narrow: Vec<(NarrowProduct, StreamPlace)>,
    functions: Vec<InPlace>,
    /// How many numbers there are at least: of parameters, of what is prepared, of what is carried, of
    /// values.
    lens: [usize; 4],
    /// Numbers of each input and output that a layer reads or writes.
    inputs: Vec<usize>,
    outputs: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Layer {
    work: StreamWork,
    x: StreamPlace,
    y: StreamPlace,
    outputs: usize,
    /// Numbers that are written to a value between.
    room: usize,
    /// Of so many numbers.
    functions: (Range<usize>, usize),
}

#[derive(Clone, Debug)]
enum StreamWork {
    Product(ProductStep),
    /// The first of those of the chain's that are run one after the other, each on what the one before has
    /// written.
    Narrow(Range<usize>),
    Causal(Causal),
    Rnn(CellAt),
    ReluRnn(CellAt),
    Gru(CellAt),
    Lstm(CellAt),
    Copy,
}

/// A cell, and where its weights and its states lie.
#[derive(Clone, Copy, Debug)]
struct CellAt {
    cell: CellStep,
    prepared: usize,
    carried: usize,
}

impl CellAt {
    /// 0, or NaN where an output is not finite.
    ///
    /// # Safety
    /// What is prepared and carried is as long as the cell says, here and before; at `x` are its features, at
    /// `y` is `room` for its units.
    #[inline(always)]
    unsafe fn run<C: Cell, S: Simd>(&self, s: S, at: &StreamPlaces, to: LayerPlaces) -> S::F {
        let places = CellPlaces {
            x: to.x,
            prepared: at.prepared.wrapping_add(self.prepared),
            state: at.carried.wrapping_add(self.carried),
            before: Some(at.before.wrapping_add(self.carried)),
            y: to.y,
            room: to.room,
            odd: at.odd,
        };
        // SAFETY: the caller's promise is the cell's.
        unsafe { self.cell.run::<C, S>(s, places) }
    }

    fn undo<C: Cell>(&self, carried: &mut [f32], before: &[f32]) {
        let [_, len] = self.cell.lens::<C>();
        carried[self.carried..][..len].copy_from_slice(&before[self.carried..][..len]);
    }
}

/// What a step runs on.
pub struct StreamMemory<'a> {
    /// The parameters of the network.
    pub params: &'a [f32],
    /// What layers have made of them.
    pub prepared: &'a [f32],
    /// What is carried from step to step.
    pub carried: &'a mut [f32],
    /// As long: where that is kept which a step changes.
    pub before: &'a mut [f32],
    /// The values of a step.
    pub values: &'a mut [f32],
}

impl StreamChain {
    /// Of no layers.
    pub fn new() -> StreamChain {
        let (inputs, outputs) = (Vec::new(), Vec::new());
        StreamChain { layers: Vec::new(), narrow: Vec::new(), functions: Vec::new(), lens: [0; 4], inputs, outputs }
    }

    /// And then a layer, what its outputs are not below, and functions of the outputs: of whole vectors of
    /// them, where they are `wide`. None where a stream cannot have it: its sums are divided, or its kernel
    /// is long.
    ///
    /// # Panics
    /// A range is shorter than the layer asks for; values are no whole vectors apart.
    pub fn then(
        mut self,
        op: StreamOp,
        [x, y]: [StreamPlace; 2],
        floor: f32,
        functions: &[StreamFunction],
        wide: bool,
    ) -> Option<StreamChain> {
        let need = |lens: &mut [usize; 4], i: usize, range: &Range<usize>, len: usize| {
            assert!(range.len() >= len, "expected a range of {len} numbers");
            lens[i] = lens[i].max(range.start + len);
        };
        let mut product = |panels: Panels, weight: Range<usize>, bias: Option<Range<usize>>| {
            need(&mut self.lens, 0, &weight, panels.len());
            if let Some(bias) = &bias {
                need(&mut self.lens, 0, bias, panels.cols());
            }
            let mut product = ProductStep::new(panels, weight.start, bias.map(|bias| bias.start))?;
            (product.floor, product.curve) = (floor, functions.first().and_then(|first| first.1));
            Some(product)
        };
        let mut rest = functions;
        let (work, inputs, outputs) = match op {
            StreamOp::Product { panels, weight, bias } => {
                let product = product(panels, weight, bias)?;
                rest = &rest[usize::from(product.curve.is_some())..];
                let narrow = product.narrow().filter(|_| rest.is_empty());
                let work = narrow.map_or(StreamWork::Product(product), |narrow| self.then_narrow(narrow, [x, y]));
                (work, panels.rows(), panels.cols())
            }
            StreamOp::Causal { features, kernel, dilation, panels, weight, bias, carried } => {
                assert!(Some(panels.rows()) == features.checked_mul(kernel) && !panels.transposed());
                let product = product(panels, weight, bias)?;
                let causal = Causal::new(product, [features, kernel, dilation], carried.start)?;
                need(&mut self.lens, 2, &carried, causal.carried_len());
                rest = &rest[usize::from(product.curve.is_some())..];
                (StreamWork::Causal(causal), features, panels.cols())
            }
            StreamOp::Cell { kind, features, units, prepared, carried } => {
                assert!(units > 0, "expected at least 1 unit");
                let cell = CellStep { features, units };
                let at = CellAt { cell, prepared: prepared.start, carried: carried.start };
                let (work, [prepares, carries]) = match kind {
                    CellKind::Rnn => (StreamWork::Rnn(at), cell.lens::<Rnn>()),
                    CellKind::ReluRnn => (StreamWork::ReluRnn(at), cell.lens::<ReluRnn>()),
                    CellKind::Gru => (StreamWork::Gru(at), cell.lens::<Gru>()),
                    CellKind::Lstm => (StreamWork::Lstm(at), cell.lens::<Lstm>()),
                };
                need(&mut self.lens, 1, &prepared, prepares);
                need(&mut self.lens, 2, &carried, carries);
                (work, features, units)
            }
            StreamOp::Copy { len } => (StreamWork::Copy, len, len),
        };
        self.reads(x, inputs, false);
        self.reads(y, outputs, true);
        let count = match y {
            StreamPlace::Within(_) if wide => outputs.next_multiple_of(LANES),
            _ => outputs,
        };
        let first = self.functions.len();
        if floor > f32::NEG_INFINITY
            && matches!(
                work,
                StreamWork::Copy
                    | StreamWork::Rnn(_)
                    | StreamWork::ReluRnn(_)
                    | StreamWork::Gru(_)
                    | StreamWork::Lstm(_)
            )
        {
            self.functions.push(InPlace::floor(floor));
        }
        self.functions.extend(rest.iter().map(|function| function.0));
        let (room, functions) = (outputs.next_multiple_of(LANES), (first..self.functions.len(), count));
        self.layers.push(Layer { work, x, y, outputs, room, functions });
        Some(self)
    }

    /// Notes a narrow product; those before go on with it where it reads what the last of them writes.
    fn then_narrow(&mut self, product: NarrowProduct, [x, y]: [StreamPlace; 2]) -> StreamWork {
        let at = self.narrow.len();
        self.narrow.push((product, y));
        let follows = |before: &Layer| before.y == x && matches!(x, StreamPlace::Within(_));
        if self.layers.last().is_some_and(follows) {
            for before in self.layers.iter_mut().rev() {
                match &mut before.work {
                    StreamWork::Narrow(run) if run.end == at => run.end += 1,
                    _ => break,
                }
            }
        }
        StreamWork::Narrow(at..at + 1)
    }

    /// Notes how long a place is.
    fn reads(&mut self, place: StreamPlace, len: usize, written: bool) {
        match place {
            StreamPlace::Within(at) => {
                assert!(at.is_multiple_of(LANES), "expected values that begin with a vector, found {at}");
                self.lens[3] = self.lens[3].max(at + len.next_multiple_of(LANES));
            }
            StreamPlace::Outside(i) => {
                let all = if written { &mut self.outputs } else { &mut self.inputs };
                all.resize(all.len().max(i + 1), 0);
                all[i] = all[i].max(len);
            }
        }
    }

    /// Takes a step, and says whether all its numbers are finite; where it says no, some that nobody reads
    /// may be others. Outputs with room behind them are written in whole vectors. Of two steps in a row one
    /// is `odd`: large weights are gone through in turns from either end.
    ///
    /// # Panics
    /// Something is shorter than a layer asks for.
    pub fn run(&self, isa: Isa, memory: StreamMemory, x: &[&[f32]], y: &mut [&mut [f32]], odd: bool) -> bool {
        let StreamMemory { params, prepared, carried, before, values } = memory;
        let found = [params.len(), prepared.len(), carried.len().min(before.len()), values.len()];
        let [of_params, of_prepared, of_carried, of_values] = self.lens;
        let enough = (found[0] >= of_params)
            & (found[1] >= of_prepared)
            & (found[2] >= of_carried)
            & (found[3] >= of_values)
            & (x.len() >= self.inputs.len())
            & (y.len() >= self.outputs.len());
        assert!(
            enough
                && x.iter().zip(&self.inputs).all(|(x, len)| x.len() >= *len)
                && y.iter().zip(&self.outputs).all(|(y, len)| y.len() >= *len),
            "expected memory of {:?} numbers, found {found:?}, and whole steps",
            self.lens
        );
        let at = StreamPlaces {
            params: params.as_ptr(),
            prepared: prepared.as_ptr(),
            carried: carried.as_mut_ptr(),
            before: before.as_mut_ptr(),
            values: values.as_mut_ptr(),
            odd,
        };
        isa.run(StreamRun { chain: self, isa, at: &at, x, y })
    }

    /// Puts back what the last step has changed.
    pub fn undo(&self, carried: &mut [f32], before: &[f32]) {
        for layer in &self.layers {
            match &layer.work {
                StreamWork::Causal(causal) => causal.undo(carried, before),
                StreamWork::Rnn(cell) => cell.undo::<Rnn>(carried, before),
                StreamWork::ReluRnn(cell) => cell.undo::<ReluRnn>(carried, before),
                StreamWork::Gru(cell) => cell.undo::<Gru>(carried, before),
                StreamWork::Lstm(cell) => cell.undo::<Lstm>(carried, before),
                StreamWork::Product(_) | StreamWork::Narrow(_) | StreamWork::Copy => {}
            }
        }
    }

    /// A value of the last step that is not finite.
    pub fn not_finite(&self, values: &[f32]) -> Option<f32> {
        self.layers.iter().find_map(|layer| match layer.y {
            StreamPlace::Within(at) => values[at..][..layer.outputs].iter().copied().find(|y| !y.is_finite()),
            StreamPlace::Outside(_) => None,
        })
    }
}

impl Default for StreamChain {
    fn default() -> Self {
        StreamChain::new()
    }
}
