//! A network run one step at a time: what was learnt on windows, used on a sequence without end. In: a model
//! and the next step; out: the next step of the output. All memory is its own; nothing is allocated after it
//! is made.

mod state;

use alloc::format;
use alloc::vec::Vec;

use crate::finite::first_not_finite;
use crate::input::id_fault;
use crate::layer::LayerContext;
use crate::limits::{MAX_INPUTS, MAX_OUTPUTS};
use crate::model::{AsModel, Model, ModelPart, Network, Ports};
use crate::predictor::slices_mut;
use crate::spec::Pass;
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::simd::Isa;

pub use state::{StreamError, StreamErrorKind, StreamState};

/// Runs a network over `[steps, …]` one step at a time, with what its layers carry from step to step.
///
/// After the first `k` steps of a window it has given the first `k` steps that
/// [`Predictor::predict`](crate::Predictor::predict) gives of the whole window, to the bit (attention may
/// round in the last place); an output that is no sequence is what the steps so far come to. All inputs have
/// as many steps.
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
/// filter.reset(); // the next step is the first one again
/// ```
///
/// `M` is how it has the model: see [`AsModel`].
pub struct Streamer<M> {
    model: M,
    isa: Isa,
    saved: AlignedBuffer,
    /// `saved` as it was before a step, which is put back where the step overflows.
    before: AlignedBuffer,
    scratch: AlignedBuffer,
    outputs: Vec<AlignedBuffer>,
    steps: u64,
}

impl<N: Network> Model<N> {
    /// What runs this model one step at a time, in memory of its own.
    ///
    /// # Errors
    /// A layer needs the whole window: it is named.
    pub fn streamer(&self) -> Result<Streamer<&Model<N>>, StreamError> {
        Streamer::new(self)
    }

    /// [`streamer`](Model::streamer) with an instruction set of choice.
    ///
    /// # Errors
    /// As [`streamer`](Model::streamer).
    pub fn streamer_on(&self, isa: Isa) -> Result<Streamer<&Model<N>>, StreamError> {
        Streamer::new_on(self, isa)
    }

    /// A streamer that owns the model: see [`AsModel`].
    ///
    /// # Errors
    /// As [`streamer`](Model::streamer).
    pub fn into_streamer(self) -> Result<Streamer<Model<N>>, StreamError> {
        Streamer::new(self)
    }
}

impl<'m, P: Network> ModelPart<'m, P> {
    /// [`Model::streamer`] of this part.
    ///
    /// # Errors
    /// As there.
    pub fn streamer(&self) -> Result<Streamer<ModelPart<'m, P>>, StreamError> {
        Streamer::new(*self)
    }
}

impl<M: AsModel> Streamer<M> {
    /// What runs a model, owned, shared or borrowed, one step at a time, in memory of its own.
    ///
    /// # Errors
    /// A layer needs the whole window: it is named.
    pub fn new(model: M) -> Result<Self, StreamError> {
        Streamer::new_on(model, Isa::detect())
    }

    /// [`new`](Streamer::new) with an instruction set of choice.
    ///
    /// # Errors
    /// As [`new`](Streamer::new).
    pub fn new_on(model: M, isa: Isa) -> Result<Self, StreamError> {
        let network = M::Network::COMPILED;
        if let Some(layer) = network.stop() {
            return Err(StreamError::new(
                StreamErrorKind::WholeWindow,
                format!(
                    "expected layers that need no later step, found `{layer}` of `{}`, which needs the whole window\nhelp: give the stream to a \
                 network of causal layers (`Lstm`, `Conv1d` with `padding = Causal`, `MultiHeadAttention` with `causal = true`, what works on each \
                 step), or predict whole windows with `predictor`",
                    network.name
                ),
            ));
        }
        let outputs = network
            .outputs
            .iter()
            .map(|shape| AlignedBuffer::zeroed(crate::graph::output_step(*shape, network.inputs[0])));
        Ok(Streamer {
            model,
            isa,
            saved: AlignedBuffer::zeroed(network.step.work),
            before: AlignedBuffer::zeroed(network.step.work),
            scratch: AlignedBuffer::zeroed(network.step.scratch_for(1)),
            outputs: outputs.collect(),
            steps: 0,
        })
    }

    /// Takes the next step of every input and gives that of every output: `&[f32; features]` for an input
    /// `[steps, features]`. An array of another length does not compile.
    ///
    /// # Errors
    /// A number that is not finite, which would be carried on for ever; a token id that the network has no
    /// row for; a step beyond the window, where a layer has no room for more (attention, learnt positions);
    /// a finite number so large that a layer overflows. The stream stands then where it stood before.
    pub fn step(
        &mut self,
        input: <M::Network as Network>::Step<'_>,
    ) -> Result<<M::Network as Network>::StepOutput<'_>, StreamError> {
        let network = M::Network::COMPILED;
        let window = network.inputs[0].dim(0) as u64;
        if network.bounded && self.steps >= window {
            return Err(StreamError::new(
                StreamErrorKind::WindowFull,
                format!(
                    "expected at most {window} steps since the beginning, as many as `{}` declares, found one more\nhelp: begin anew with `reset()`, \
                 and give the latest steps again",
                    network.name
                ),
            ));
        }
        let mut x = [&[][..]; MAX_INPUTS];
        input.to_slices(&mut x);
        if let Some(fault) = id_fault(network, &x, |k| x[k].len()) {
            return Err(StreamError::new(StreamErrorKind::Input, fault));
        }
        for (k, x) in x.iter().enumerate() {
            if let Some(at) = first_not_finite(x) {
                return Err(StreamError::new(
                    StreamErrorKind::Input,
                    format!(
                        "input {k}, element {at}: expected a finite number, found {}\nhelp: leave the step out, or give a number in its place: \
                         what is carried on would not be one again",
                        x[at]
                    ),
                ));
            }
        }
        self.before.copy_from_slice(&self.saved);
        let mut y = slices_mut(&mut self.outputs);
        let saved = &mut self.saved[..];
        let mut cx = LayerContext::for_network(self.model.params(), self.isa, 1, Pass::Step, saved, &mut self.scratch);
        cx.position = self.steps;
        M::Network::forward_pass(&mut cx, &x, &mut y);
        let odd = |numbers: &AlignedBuffer| first_not_finite(numbers).map(|at| numbers[at]);
        if let Some(found) = odd(&self.saved).or_else(|| self.outputs.iter().find_map(odd)) {
            self.saved.copy_from_slice(&self.before);
            return Err(StreamError::new(
                StreamErrorKind::Overflow,
                format!(
                    "step {}: expected finite numbers in all layers of `{}`, found {found}\nhelp: give smaller numbers, of the size that the \
                     network was trained on, or leave the step out: the stream stands where it stood before",
                    self.steps, network.name
                ),
            ));
        }
        self.steps = self.steps.saturating_add(1);
        let mut y = [&[][..]; MAX_OUTPUTS];
        for (to, output) in y.iter_mut().zip(&self.outputs) {
            *to = output;
        }
        Ok(Ports::from_slices(&y[..self.outputs.len()]))
    }

    /// What it runs.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// What it ran, back.
    pub fn into_model(self) -> M {
        self.model
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
        StreamState::of(M::Network::COMPILED, self.steps, &self.saved)
    }

    /// Goes on from a state that [`state`](Streamer::state) gave, of this model or another one of the same
    /// network.
    ///
    /// # Errors
    /// The state is of another network, has another length, numbers that are not finite, or more steps than
    /// there is room for; nothing is changed.
    pub fn restore(&mut self, state: &StreamState) -> Result<(), StreamError> {
        state.check(M::Network::COMPILED, self.saved.len())?;
        self.saved.copy_from_slice(state.carried());
        self.steps = state.steps();
        Ok(())
    }
}
