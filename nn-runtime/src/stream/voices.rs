//! Many streams of one model side by side, a step of all at once. In: a step of every voice; out: the same of
//! every output. What is computed for one voice is what a stream of its own would give.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::engine::Engine;
use super::state::{StreamError, StreamErrorKind, StreamState};
use crate::model::{AsModel, Model, Network};
use nn_kernels::simd::Isa;

/// Runs so many streams of one network side by side: the voices of an instrument, the channels of a mixer,
/// the agents of a game. A step of all costs much less than as many steps of streams apart, as each weight is
/// read once, and gives the same numbers. It allocates nothing after it is made.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! { struct Filter: [16, 1] -> [16, 1] { Lstm(8) -> DensePerStep(1) } }
///
/// let model = Filter::init(0);
/// let (mut voices, mut alone) = (model.streamers(3).unwrap(), model.streamer().unwrap());
/// let mut y = [0.0; 3];
/// voices.step(&[&[0.5, -0.5, 0.25]], &mut [&mut y]).unwrap();
/// assert_eq!(&y[1..2], alone.step(&[-0.5]).unwrap());
/// ```
pub struct Streamers<M> {
    model: M,
    engine: Engine,
    /// The steps that each voice has seen, less those that all have taken together.
    ahead: Vec<u64>,
}

impl<N: Network> Model<N> {
    /// What runs this many streams of the model side by side, in memory of its own.
    ///
    /// # Errors
    /// A layer needs the whole window: it is named.
    ///
    /// # Panics
    /// `voices == 0`
    pub fn streamers(&self, voices: usize) -> Result<Streamers<&Model<N>>, StreamError> {
        Streamers::new(self, voices)
    }
}

impl<M: AsModel> Streamers<M> {
    /// What runs this many streams of a model, owned, shared or borrowed, side by side.
    ///
    /// # Errors
    /// As [`Model::streamers`].
    ///
    /// # Panics
    /// `voices == 0`
    pub fn new(model: M, voices: usize) -> Result<Self, StreamError> {
        Streamers::new_on(model, voices, Isa::detect())
    }

    /// [`new`](Streamers::new) with an instruction set of choice.
    ///
    /// # Errors
    /// As [`new`](Streamers::new).
    ///
    /// # Panics
    /// `voices == 0`
    pub fn new_on(model: M, voices: usize, isa: Isa) -> Result<Self, StreamError> {
        assert!(voices > 0, "expected at least 1 voice, found 0");
        let engine = Engine::new::<M::Network>(model.params(), voices, isa)?;
        Ok(Streamers { model, engine, ahead: vec![0; voices] })
    }

    /// Takes the next step of every voice: slices of `[voices, …]`, one for each input and each output. More
    /// steps than one, `[steps, voices, …]`, are taken one after the other and checked together. Where
    /// convolutions have a stride, it takes a multiple of so many steps, as
    /// [`Streamer::block`](super::Streamer::block) does.
    ///
    /// # Errors
    /// Slices of another length; otherwise as [`Streamer::step`](super::Streamer::step), for any voice. All
    /// voices stand then where they stood before; where a layer overflows, `y` is zeros.
    pub fn step(&mut self, x: &[&[f32]], y: &mut [&mut [f32]]) -> Result<(), StreamError> {
        block::<M::Network>(&mut self.engine, self.model.params(), x, y)
    }

    /// How many voices there are.
    pub fn voices(&self) -> usize {
        self.ahead.len()
    }

    /// How many steps all have taken since the beginning, or since [`reset`](Streamers::reset).
    pub fn steps(&self) -> u64 {
        self.engine.steps()
    }

    /// Forgets all steps of all voices: the next one is the first.
    pub fn reset(&mut self) {
        self.engine.reset();
        self.ahead.fill(0);
    }

    /// Forgets all steps of one voice, as for a new note: its next step is the first.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Filter: [16, 1] -> [16, 1] { Lstm(8) -> DensePerStep(1) } }
    ///
    /// let model = Filter::init(0);
    /// let (mut voices, mut y) = (model.streamers(2).unwrap(), [[0.0; 2]; 2]);
    /// voices.step(&[&[0.5, 0.25]], &mut [&mut y[0]]).unwrap();
    /// voices.reset_voice(1).unwrap();
    /// voices.step(&[&[0.5, 0.25]], &mut [&mut y[1]]).unwrap();
    /// assert!(y[1][1] == y[0][1] && y[1][0] != y[0][0]);
    /// ```
    ///
    /// # Errors
    /// There is no such voice; a layer may ask for the number of the step, which all voices have in common
    /// (attention, positions, networks within, strides, layers of one's own).
    pub fn reset_voice(&mut self, voice: usize) -> Result<(), StreamError> {
        self.check_voice(voice)?;
        self.engine.carry_voice_on(voice, &[]);
        self.ahead[voice] = 0u64.wrapping_sub(self.engine.steps());
        Ok(())
    }

    /// Where one voice stands, to go on from there later: in a voice, or in a
    /// [`Streamer`](super::Streamer::restore) of the same network.
    ///
    /// # Errors
    /// As [`reset_voice`](Streamers::reset_voice).
    pub fn voice_state(&self, voice: usize) -> Result<StreamState, StreamError> {
        self.check_voice(voice)?;
        let steps = self.ahead[voice].wrapping_add(self.engine.steps());
        Ok(StreamState::of(M::Network::COMPILED, steps, &self.engine.carried_by(voice)))
    }

    /// Lets one voice go on from a state that [`voice_state`](Streamers::voice_state) or
    /// [`Streamer::state`](super::Streamer::state) gave.
    ///
    /// # Errors
    /// As [`reset_voice`](Streamers::reset_voice), or the state does not fit; nothing is changed.
    pub fn restore_voice(&mut self, voice: usize, state: &StreamState) -> Result<(), StreamError> {
        self.check_voice(voice)?;
        state.check(M::Network::COMPILED, M::Network::COMPILED.step.kept)?;
        self.engine.carry_voice_on(voice, state.carried());
        self.ahead[voice] = state.steps().wrapping_sub(self.engine.steps());
        Ok(())
    }

    fn check_voice(&self, voice: usize) -> Result<(), StreamError> {
        let voices = self.voices();
        if voice >= voices {
            let text =
                format!("expected a voice from 0 to {}, found {voice}\nhelp: make as many as are played", voices - 1);
            return Err(StreamError::new(StreamErrorKind::Shape, text));
        }
        match self.engine.apart() {
            true => Ok(()),
            false => Err(StreamError::new(
                StreamErrorKind::State,
                format!(
                    "expected layers none of which can ask for the number of a step, which all voices have in common, found `{}`\nhelp: give \
                     such a voice a `Streamer` of its own, or `reset()` all",
                    M::Network::COMPILED.name
                ),
            )),
        }
    }

    /// What they run.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// What they ran, back.
    pub fn into_model(self) -> M {
        self.model
    }
}

/// All steps of the slices, checked before and after.
pub(super) fn block<N: Network>(
    engine: &mut Engine,
    params: &[f32],
    x: &[&[f32]],
    y: &mut [&mut [f32]],
) -> Result<(), StreamError> {
    let network = N::COMPILED;
    let strides = engine.count_strides(network, x, y)?;
    if strides == 0 {
        return Ok(());
    }
    let taken = engine.check(network, strides as u64, x).and_then(|()| {
        let taken = if strides == 1 {
            engine.step::<N>(params, x, y)
        } else {
            engine.begin();
            engine.walk_all::<N>(params, strides, x, y);
            engine.finish(network, strides as u64, y.iter().map(|y| &**y))
        };
        taken.inspect_err(|_| y.iter_mut().for_each(|y| y.fill(0.0)))
    });
    taken.map_err(|fault| engine.told(network, x, fault))
}
