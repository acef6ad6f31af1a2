//! Many streams of one model side by side, a step of all at once. In: a step of every voice; out: the same of
//! every output. What is computed for one voice is what a stream of its own would give.

use super::engine::Engine;
use super::state::StreamError;
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
    voices: usize,
    engine: Engine,
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
    /// A layer needs the whole window: it is named.
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
        Ok(Streamers { model, voices, engine })
    }

    /// Takes the next step of every voice: slices of `[voices, …]`, one for each input and each output. More
    /// steps than one, `[steps, voices, …]`, are taken one after the other and checked together.
    ///
    /// # Errors
    /// Slices of another length; otherwise as [`Streamer::step`](super::Streamer::step), for any voice. All
    /// voices stand then where they stood before; where a layer overflows, `y` is zeros.
    pub fn step(&mut self, x: &[&[f32]], y: &mut [&mut [f32]]) -> Result<(), StreamError> {
        block::<M::Network>(&mut self.engine, self.model.params(), x, y)
    }

    /// How many voices there are.
    pub fn voices(&self) -> usize {
        self.voices
    }

    /// How many steps all have seen since the beginning.
    pub fn steps(&self) -> u64 {
        self.engine.steps()
    }

    /// Forgets all steps of all voices: the next one is the first.
    pub fn reset(&mut self) {
        self.engine.reset();
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
    let steps = engine.count_steps(network, x, y)?;
    if steps == 0 {
        return Ok(());
    }
    let taken = engine.check(network, steps as u64, x).and_then(|()| {
        engine.begin();
        engine.walk_all::<N>(params, steps, x, y);
        engine
            .finish(network, steps as u64, y.iter().map(|y| &**y))
            .inspect_err(|_| y.iter_mut().for_each(|y| y.fill(0.0)))
    });
    taken.map_err(|fault| engine.told(network, x, fault))
}
