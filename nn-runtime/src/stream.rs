//! A network run one step at a time: what was learnt on windows, used on a sequence without end. In: a model
//! and the next step; out: the next step of the output. All memory is its own; nothing is allocated after it
//! is made.

#[cfg(feature = "alloc")]
mod changes;
mod engine;
#[cfg(not(feature = "alloc"))]
mod no_steps;
mod single;
mod state;
mod step_memory;
#[cfg(feature = "alloc")]
mod steps;
mod told;
#[cfg(feature = "alloc")]
mod turned;
#[cfg(feature = "alloc")]
mod voices;

use crate::graph::CompiledNetwork;
use crate::limits::{MAX_INPUTS, MAX_OUTPUTS, lines};
#[cfg(feature = "alloc")]
use crate::model::ModelPart;
use crate::model::{AsModel, Model, Network, Ports};
use crate::storage::{Allocated, LengthError, Storage};
use engine::{Engine, StepFault, StreamBuffers};
use nn_kernels::simd::Isa;

#[cfg(feature = "alloc")]
pub use state::StreamState;
pub use state::{StreamError, StreamErrorKind};
#[cfg(feature = "alloc")]
pub use voices::Streamers;

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
/// `M` is how it has the model: see [`AsModel`]. `S` is the memory it works in: allocated when it is made, or
/// the caller's ([`new_in`](Streamer::new_in)).
pub struct Streamer<M, S = Allocated> {
    model: M,
    engine: Engine<S>,
    /// The last outputs, and those that a step writes, or the other way round where they are `turned`: whole
    /// vectors; what is past the last output is empty.
    outputs: [[S; MAX_OUTPUTS]; 2],
    turned: bool,
}

#[cfg(feature = "alloc")]
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

#[cfg(feature = "alloc")]
impl<'m, P: Network> ModelPart<'m, P> {
    /// [`Model::streamer`] of this part.
    ///
    /// # Errors
    /// As there.
    pub fn streamer(&self) -> Result<Streamer<ModelPart<'m, P>>, StreamError> {
        Streamer::new(*self)
    }
}

/// A step of every output for each step of the inputs.
const fn one_for_each(network: &CompiledNetwork) {
    assert!(
        network.streaming.stride == 1,
        "expected a network that gives a step for each that it takes, found one with a stride: use `block`, with a multiple of `stride()` steps"
    );
}

#[cfg(feature = "alloc")]
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
        let engine = Engine::new::<M::Network>(model.params(), 1, isa)?;
        let lens = output_lens(M::Network::COMPILED);
        Ok(Streamer { model, engine, outputs: [(); 2].map(|()| lens.map(Allocated::zeroed)), turned: false })
    }
}

/// Room for the numbers of every output after a stride; 0 of what is past the last.
fn output_lens(network: &CompiledNetwork) -> [usize; MAX_OUTPUTS] {
    let mut lens = [0; MAX_OUTPUTS];
    lens.iter_mut().zip(engine::output_steps(network)).for_each(|(to, len)| *to = lines(len));
    lens
}

impl<'w, M: AsModel> Streamer<M, &'w mut [f32]> {
    /// What runs a model in memory of the caller's: `Net::stream_len()` numbers at least, with arbitrary
    /// contents. It needs no allocator. A layer that needs the whole window does not compile.
    ///
    /// ```
    /// use nn_runtime::Streamer;
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Filter: [16, 1] -> [16, 1] { Gru(8) -> DensePerStep(1) } }
    ///
    /// let model = Filter::init(0);
    /// let mut memory = [0.0; Filter::stream_len()];
    /// let mut filter = Streamer::new_in(&model, &mut memory)?;
    /// assert_eq!(filter.step_or_hold(&[0.5]), model.streamer().unwrap().step_or_hold(&[0.5]));
    /// # Ok::<(), nn_runtime::LengthError>(())
    /// ```
    ///
    /// # Errors
    /// There is too little memory.
    pub fn new_in(model: M, memory: &'w mut [f32]) -> Result<Self, LengthError> {
        Streamer::new_in_on(model, memory, Isa::detect())
    }

    /// [`new_in`](Streamer::new_in) with an instruction set of choice.
    ///
    /// # Errors
    /// As there.
    pub fn new_in_on(model: M, memory: &'w mut [f32], isa: Isa) -> Result<Self, LengthError> {
        const { step_memory::no_whole_window(M::Network::COMPILED) };
        let (network, found) = (M::Network::COMPILED, memory.len());
        let mut rest = memory.get_mut(..network.stream_len()).ok_or(LengthError::streaming(network, found))?;
        let mut take = |len: usize| -> &'w mut [f32] {
            let (mine, more) = core::mem::take(&mut rest).split_at_mut(lines(len));
            rest = more;
            mine.fill(0.0);
            &mut mine[..len]
        };
        let room = StreamBuffers {
            prepared: take(network.prepared_len),
            saved: take(network.step.work),
            before: take(network.step.kept),
            scratch: take(network.step.scratch_for(1)),
        };
        let outputs = [(); 2].map(|()| output_lens(network).map(&mut take));
        Ok(Streamer { engine: Engine::new_in::<M::Network>(model.params(), isa, room), model, outputs, turned: false })
    }
}

impl<M: AsModel, S: Storage> Streamer<M, S> {
    /// Takes the next step of every input and gives that of every output: `&[f32; features]` for an input
    /// `[steps, features]`. An array of another length does not compile, nor does a network with a stride,
    /// which has no output for each step: [`block`](Streamer::block) takes as many steps as it needs.
    ///
    /// ```compile_fail,E0080
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Slower: [16, 1] -> [8, 2] { Conv1d(2, 3, stride = 2, padding = Causal) } }
    ///
    /// Slower::init(0).into_streamer().unwrap().step(&[0.5]);
    /// ```
    ///
    /// # Errors
    /// A number that is not finite, which would be carried on for ever; a token id that the network has no
    /// row for; a step beyond the window, where a layer has no room for more (attention, learnt positions);
    /// a finite number so large that a layer overflows, unless a function right after it makes the infinity
    /// finite again, as `Tanh` does. The stream stands then where it stood before.
    pub fn step(
        &mut self,
        input: <M::Network as Network>::Step<'_>,
    ) -> Result<<M::Network as Network>::StepOutput<'_>, StreamError> {
        const { one_for_each(M::Network::COMPILED) };
        let mut x = [&[][..]; MAX_INPUTS];
        input.to_slices(&mut x);
        let network = M::Network::COMPILED;
        match self.take(network, &x) {
            Ok(()) => Ok(self.last()),
            Err(fault) => Err(self.engine.told(network, &x, fault)),
        }
    }

    /// As [`step`](Streamer::step) of a stream that must go on, such as an audio callback's: it cannot fail.
    /// What [`step`](Streamer::step) refuses (a number that is not finite, an overflow) is held: the step is
    /// not taken, and the last output is given again, zeros before the first and right behind
    /// [`restore`](Streamer::restore). It makes no text of it and never allocates.
    ///
    /// A network that reads token ids, or has room for one window only, does not compile here.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Filter: [16, 1] -> [16, 1] { Gru(8) -> DensePerStep(1) } }
    ///
    /// let mut filter = Filter::init(0).into_streamer().unwrap();
    /// let y = *filter.step_or_hold(&[0.5]);
    /// assert_eq!(*filter.step_or_hold(&[f32::NAN]), y);
    /// assert_eq!(filter.steps(), 1);
    /// ```
    ///
    /// ```compile_fail,E0080
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Words: [16] -> [16, 4] { Embedding(100, 4) } }
    ///
    /// Words::init(0).into_streamer().unwrap().step_or_hold(&[7.0]);
    /// ```
    ///
    /// ```compile_fail,E0080
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Attends: [16, 4] -> [16, 4] { MultiHeadAttention(2, causal = true) } }
    ///
    /// Attends::init(0).into_streamer().unwrap().step_or_hold(&[0.0; 4]);
    /// ```
    pub fn step_or_hold(
        &mut self,
        input: <M::Network as Network>::Step<'_>,
    ) -> <M::Network as Network>::StepOutput<'_> {
        const {
            let network = M::Network::COMPILED;
            one_for_each(network);
            assert!(!network.bounded, "expected a network without a limit of steps: use `step`");
            assert!(!network.reads_ids(), "expected a network that reads no token ids: use `step`");
        }
        let mut x = [&[][..]; MAX_INPUTS];
        input.to_slices(&mut x);
        let _held = self.take(M::Network::COMPILED, &x);
        self.last()
    }

    /// Takes a step, or leaves all as it is.
    #[inline]
    fn take(&mut self, network: &CompiledNetwork, x: &[&[f32]]) -> Result<(), StepFault> {
        let mut y = self.outputs[usize::from(!self.turned)].each_mut().map(|y| &mut **y);
        let (x, y) = (&x[..network.inputs.len()], &mut y[..network.outputs.len()]);
        self.engine.step::<M::Network>(self.model.params(), x, y)?;
        self.turned = !self.turned;
        Ok(())
    }

    #[inline]
    fn last(&self) -> <M::Network as Network>::StepOutput<'_> {
        let mut y = [&[][..]; MAX_OUTPUTS];
        let lens = M::Network::COMPILED.streaming.outputs;
        for ((to, output), len) in y.iter_mut().zip(&self.outputs[usize::from(self.turned)]).zip(lens) {
            *to = &output[..len];
        }
        Ports::from_slices(&y[..M::Network::COMPILED.outputs.len()])
    }
}

#[cfg(feature = "alloc")]
impl<M: AsModel> Streamer<M> {
    /// Takes all steps of a block, `[steps, …]` row-major, one slice for each input and each output; of an
    /// output that is no sequence there is one after each step. The numbers are those of as many calls of
    /// [`step`](Streamer::step); what is checked is checked once, inputs before and all that is carried and
    /// every output after: an infinity that a layer between makes finite again is not seen.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Filter: [16, 1] -> [16, 1] { Gru(8) -> DensePerStep(1) } }
    ///
    /// let model = Filter::init(0);
    /// let (heard, mut played) = ([0.5, 0.25, -0.5], [0.0; 3]);
    /// model.streamer().unwrap().block(&[&heard], &mut [&mut played]).unwrap();
    /// let mut one = model.streamer().unwrap();
    /// assert_eq!(played, heard.map(|x| one.step(&[x]).unwrap()[0]));
    /// ```
    ///
    /// Where convolutions have a stride, outputs have fewer steps, as those of a window have: `block` takes a
    /// multiple of [`stride`](Streamer::stride) steps, and each output is that of the first of the steps
    /// that it stands for.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! {
    ///     struct Slower: [16, 1] -> [4, 2] {
    ///         Conv1d(3, 5, stride = 2, padding = Causal) -> Tanh -> Conv1d(2, 3, stride = 2, padding =
    /// Causal)     } }
    ///
    /// let model = Slower::init(0);
    /// let x: [f32; 16] = core::array::from_fn(|i| (i as f32).sin());
    /// let (mut stream, mut y) = (model.streamer().unwrap(), [0.0; 8]);
    /// assert_eq!(stream.stride(), 4);
    /// stream.block(&[&x[..4]], &mut [&mut y[..2]]).unwrap();
    /// stream.block(&[&x[4..]], &mut [&mut y[2..]]).unwrap();
    /// assert_eq!(&y, model.predictor(1).predict(&x));
    /// ```
    ///
    /// # Errors
    /// Slices that do not hold the same number of whole steps, or no multiple of the stride; otherwise as
    /// [`step`](Streamer::step) of any of them. The stream stands then where it stood before the block;
    /// where a layer overflows, `y` is zeros.
    pub fn block(&mut self, x: &[&[f32]], y: &mut [&mut [f32]]) -> Result<(), StreamError> {
        voices::block::<M::Network>(&mut self.engine, self.model.params(), x, y)?;
        let last = &mut self.outputs[usize::from(self.turned)];
        for ((last, y), len) in last.iter_mut().zip(y).zip(M::Network::COMPILED.streaming.outputs) {
            if let Some(step) = y.rchunks_exact(len).next() {
                last[..len].copy_from_slice(step);
            }
        }
        Ok(())
    }

    /// Where the stream stands, to go on from there later.
    pub fn state(&self) -> StreamState {
        StreamState::of(M::Network::COMPILED, self.engine.steps(), self.engine.carried())
    }

    /// Goes on from a state that [`state`](Streamer::state) gave, of this model or another one of the same
    /// network.
    ///
    /// # Errors
    /// The state is of another network, has another length, numbers that are not finite, or more steps than
    /// there is room for; nothing is changed.
    pub fn restore(&mut self, state: &StreamState) -> Result<(), StreamError> {
        state.check(M::Network::COMPILED, self.engine.carried().len())?;
        self.engine.carry_on(state.steps(), state.carried());
        self.forget_output();
        Ok(())
    }
}

impl<M: AsModel, S: Storage> Streamer<M, S> {
    /// To how many steps of the inputs there is one of the output that has the fewest: 1, but where a layer
    /// has a stride.
    pub fn stride(&self) -> usize {
        self.engine.stride()
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
        self.engine.reset();
        self.forget_output();
    }

    /// The last output is one of another place in the sequence.
    fn forget_output(&mut self) {
        self.outputs[usize::from(self.turned)].iter_mut().for_each(|y| y.fill(0.0));
    }

    /// How many steps it has seen since the beginning.
    pub fn steps(&self) -> u64 {
        self.engine.steps()
    }
}
