//! A network run one step at a time: what was learnt on windows, used on a sequence without end. In: a model and the next step; out: the next
//! step of the output. All memory is its own; nothing is allocated after it is made.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use crate::graph::MAX_INPUTS;
use crate::ids;
use crate::layer::LayerContext;
use crate::network::{Network, Ports};
use crate::predictor::slices_mut;
use crate::spec::Pass;
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::simd::Isa;

/// Runs a network over `[steps, …]` one step at a time, with what its layers carry from step to step.
///
/// After the first `k` steps of a window it has given the first `k` steps that [`Predictor::predict`](crate::Predictor::predict) gives of the
/// whole window, to the bit (attention may round in the last place); an output that is no sequence is what the steps so far come to.
/// All inputs have as many steps.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     struct Filter: [16, 1] -> [16, 1] { Lstm(8) -> DensePerStep(1) }
/// }
/// let model = Filter::init(0);
/// let mut filter = model.streamer().unwrap();
/// let window: [f32; 16] = core::array::from_fn(|i| (i as f32).sin());
/// let whole: [f32; 16] = *model.predictor(1).predict(&window);
/// for (x, y) in window.iter().zip(whole) {
///     assert_eq!(filter.step(&[*x]).unwrap(), &[y]);
/// }
/// filter.reset();                                                         // the next step is the first one again
/// ```
pub struct Streamer<'m, N> {
    params: &'m [f32],
    isa: Isa,
    saved: AlignedBuffer,
    scratch: AlignedBuffer,
    outputs: Vec<AlignedBuffer>,
    steps: u64,
    network: PhantomData<fn() -> N>,
}

/// Where a stream stands: all that is carried from one step to the next.
#[derive(Clone, PartialEq, Debug)]
pub struct StreamState {
    steps: u64,
    carried: Vec<f32>,
}

impl StreamState {
    /// A state written down earlier: [`steps`](StreamState::steps) and [`carried`](StreamState::carried) of one that
    /// [`Streamer::state`] gave.
    pub fn new(steps: u64, carried: &[f32]) -> Self {
        StreamState { steps, carried: carried.to_vec() }
    }

    /// How many steps it has seen.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The numbers that are carried.
    pub fn carried(&self) -> &[f32] {
        &self.carried
    }
}

/// A network that cannot be run step by step, a step that does not go in, or a state that does not fit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamError(String);

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for StreamError {}

impl<'m, N: Network> Streamer<'m, N> {
    pub(crate) fn new(params: &'m [f32], isa: Isa) -> Result<Self, StreamError> {
        let map = N::COMPILED;
        if let Some(layer) = map.stop() {
            return Err(StreamError(alloc::format!(
                "expected layers that need no later step, found `{layer}` of `{}`, which needs the whole window\nhelp: give the stream to a \
                 network of causal layers (`Lstm`, `Conv1d` with `padding = Causal`, `MultiHeadAttention` with `causal = true`, what works on each \
                 step), or predict whole windows with `predictor`",
                map.name
            )));
        }
        let outputs =
            map.outputs.iter().map(|shape| AlignedBuffer::zeroed(crate::graph::output_step(*shape, map.inputs[0])));
        Ok(Streamer {
            params,
            isa,
            saved: AlignedBuffer::zeroed(map.stream.work),
            scratch: AlignedBuffer::zeroed(map.stream.scratch_for(1)),
            outputs: outputs.collect(),
            steps: 0,
            network: PhantomData,
        })
    }

    /// Takes the next step of every input and gives that of every output: `&[f32; features]` for an input `[steps, features]`. An array of
    /// another length does not compile.
    ///
    /// # Errors
    /// A token id that the network has no row for; a step beyond the window, where a layer has no room for more (attention, learnt
    /// positions). Nothing is changed then.
    pub fn step(&mut self, input: N::Step<'_>) -> Result<N::StepOutput<'_>, StreamError> {
        let map = N::COMPILED;
        let window = map.inputs[0].dim(0) as u64;
        if map.bounded && self.steps >= window {
            return Err(StreamError(alloc::format!(
                "expected at most {window} steps since the beginning, as many as `{}` declares, found one more\nhelp: begin anew with `reset()`, \
                 and give the latest steps again",
                map.name
            )));
        }
        let mut x = [&[][..]; MAX_INPUTS];
        input.to_slices(&mut x);
        if let Some(fault) = ids::fault(map, &x, |k| x[k].len()) {
            return Err(StreamError(fault));
        }
        let mut y = slices_mut(&mut self.outputs);
        let saved = &mut self.saved[..];
        let mut cx = LayerContext::for_network(self.params, self.isa, 1, Pass::Step, saved, &mut self.scratch);
        N::forward(&mut cx, &x, &mut y);
        self.steps = self.steps.saturating_add(1);
        let mut y = [&[][..]; crate::spec::MAX_OUTPUTS];
        for (to, output) in y.iter_mut().zip(&self.outputs) {
            *to = output;
        }
        Ok(Ports::from_slices(&y[..self.outputs.len()]))
    }

    /// Forgets all steps: the next one is the first.
    pub fn reset(&mut self) {
        self.saved.fill(0.0);
        self.steps = 0;
    }

    /// How many steps it has seen since the beginning.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Where the stream stands, to go on from there later.
    pub fn state(&self) -> StreamState {
        StreamState { steps: self.steps, carried: self.saved.to_vec() }
    }

    /// Goes on from a state that [`state`](Streamer::state) gave, of this model or another one of the same network.
    ///
    /// # Errors
    /// The state has another length than this network's, or numbers that are none; nothing is changed.
    pub fn restore(&mut self, state: &StreamState) -> Result<(), StreamError> {
        if state.carried.len() != self.saved.len() {
            return Err(StreamError(alloc::format!(
                "expected a state of {} numbers, as a stream of `{}` has, found {}\nhelp: restore a state of the same network",
                self.saved.len(),
                N::COMPILED.name,
                state.carried.len()
            )));
        }
        if let Some(at) = state.carried.iter().position(|number| !number.is_finite()) {
            return Err(StreamError(alloc::format!(
                "expected a state of finite numbers, found {} at {at}\nhelp: restore what `state()` gave, unchanged",
                state.carried[at]
            )));
        }
        self.saved.copy_from_slice(&state.carried);
        self.steps = state.steps;
        Ok(())
    }
}
