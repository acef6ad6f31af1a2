//! Gradients through a network that does not learn, into what its input is made by. In: a model, samples,
//! the gradients of its outputs or an objective on them; out: the gradients of its inputs. All memory is its
//! own or the caller's; nothing is allocated after it is made.

use core::marker::PhantomData;

use crate::graph::CompiledNetwork;
use crate::input::{InputError, InputErrorKind, checked_samples, samples};
use crate::layer::LayerContext;
use crate::limits::{MAX_INPUTS, MAX_OUTPUTS, lines};
use crate::model::{AsModel, Network};
use crate::spec::Pass;
use crate::storage::{Allocated, LengthError, Storage};
use crate::text::format;
use nn_kernels::simd::Isa;

/// Finds gradients with respect to the inputs of a network, through it and without its learning: of a
/// generator through a discriminator, of an actor through a critic. It holds memory and no model, so that
/// the model may learn in between; [`Model::gradients`](crate::Model::gradients) finds the gradients of
/// parameters too.
///
/// The network runs as it predicts, without dropout or other training noise.
///
/// An actor that learns to please a critic (Lillicrap et al., "Continuous control with deep reinforcement
/// learning", 2015), in one pass through each:
///
/// ```
/// use nn_runtime::prelude::*;
/// use nn_runtime::Differentiator;
///
/// network! { struct Actor: [3] -> [1] { Dense(8) -> Relu -> Dense(1) -> Tanh } }
/// network! {
///     struct Critic: (state: [3], action: [1]) -> [1] {
///         (state, action) -> Concat -> Dense(8) -> Relu -> Dense(1)
///     }
/// }
/// let (mut actor, critic) = (Actor::init(0), Critic::init(1));
/// let mut through = Differentiator::<Critic>::new(32);
/// let mut trainer = Trainer::new(&mut actor, (), Adam::new(1e-2));
/// let states = [[0.5, -0.2, 0.1], [0.3, 0.9, -0.7]].concat();
/// let mut values = [0.0; 2];
/// for value in &mut values {
///     let loss = trainer.step_with(&[&states], |action, d_action| {
///         let value = |q: &[&[f32]], dq: &mut [&mut [f32]]| {
///             dq[0].fill(-1.0 / q[0].len() as f32);
///             -f64::from(q[0].iter().sum::<f32>()) / q[0].len() as f64
///         };
///         let x = [&states[..], action[0]];
///         through.input_gradient_with(&critic, &x, value, &mut [&mut [], &mut *d_action[0]]).unwrap()
///     });
///     *value = -loss.unwrap();
/// }
/// assert!(values[1] > values[0]);
/// ```
pub struct Differentiator<N, S = Allocated> {
    isa: Isa,
    batch: usize,
    /// Outputs and their gradients, what layers save, and what they work in.
    memory: S,
    network: PhantomData<fn() -> N>,
}

#[cfg(feature = "alloc")]
impl<N: Network> Differentiator<N> {
    /// With memory for `batch` samples at once.
    ///
    /// # Panics
    /// `batch == 0`, or its workspace cannot be addressed.
    pub fn new(batch: usize) -> Self {
        Self::new_on(batch, Isa::detect())
    }

    /// [`new`](Differentiator::new) with an instruction set of choice.
    ///
    /// # Panics
    /// `batch == 0`, or its workspace cannot be addressed.
    pub fn new_on(batch: usize, isa: Isa) -> Self {
        assert!(batch > 0, "expected a batch of at least 1 sample, found 0");
        let len = N::COMPILED.differentiate_len(batch);
        assert!(
            len <= isize::MAX as usize / 4,
            "expected a batch whose workspace fits into memory, found {batch} samples\nhelp: a smaller batch"
        );
        Differentiator { isa, batch, memory: Allocated::zeroed(len), network: PhantomData }
    }
}

impl<'w, N: Network> Differentiator<N, &'w mut [f32]> {
    /// For `batch` samples at once, in memory of the caller's: `Net::differentiate_len(batch)` numbers at
    /// least, with arbitrary contents. It needs no allocator.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    /// use nn_runtime::Differentiator;
    ///
    /// network! { struct Square: [2] -> [1] { all: Dense(1, init = Constant(2.0)) -> Relu } }
    ///
    /// let (mut params, mut memory) = ([0.0; Square::PARAMS_LEN], [0.0; Square::differentiate_len(1)]);
    /// let (model, mut dx) = (Square::init_in(0, &mut params)?, [0.0; 2]);
    /// let mut through = Differentiator::<Square, _>::new_in(1, &mut memory)?;
    /// through.input_gradient(&model, &[&[1.0, 2.0]], &[&[1.0]], &mut [&mut dx]).unwrap();
    /// assert_eq!(dx, [2.0, 2.0]);
    /// # Ok::<(), nn_runtime::LengthError>(())
    /// ```
    ///
    /// # Errors
    /// There is too little memory, or `batch` is 0.
    pub fn new_in(batch: usize, memory: &'w mut [f32]) -> Result<Self, LengthError> {
        Self::new_in_on(batch, memory, Isa::detect())
    }

    /// [`new_in`](Differentiator::new_in) with an instruction set of choice.
    ///
    /// # Errors
    /// As there.
    pub fn new_in_on(batch: usize, memory: &'w mut [f32], isa: Isa) -> Result<Self, LengthError> {
        let needed = N::COMPILED.differentiate_len(batch);
        if batch == 0 || memory.len() < needed {
            return Err(LengthError::differentiating(N::COMPILED, batch, memory.len()));
        }
        Ok(Differentiator { isa, batch, memory: &mut memory[..needed], network: PhantomData })
    }
}

impl<N: Network, S: Storage> Differentiator<N, S> {
    /// Overwrites `dx` with the gradient of `Σ dy · y` with respect to the inputs `x`, where `y` are the
    /// outputs. Slices hold `[samples, …]`, one for each input or output; an empty one of `dx` is not asked
    /// for, and costs less. More samples than a batch holds run one batch after the other.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    /// use nn_runtime::Differentiator;
    ///
    /// network! { struct Square: [2] -> [1] { all: Dense(1, init = Constant(2.0)) -> Relu } }
    ///
    /// let (model, mut dx) = (Square::init(0), [0.0; 4]);
    /// let mut through = Differentiator::<Square>::new(1);
    /// through.input_gradient(&model, &[&[1.0, 2.0, -3.0, -4.0]], &[&[1.0, 1.0]], &mut [&mut dx]).unwrap();
    /// assert_eq!(dx, [2.0, 2.0, 0.0, 0.0]);
    /// ```
    ///
    /// # Errors
    /// The slices are not as many as the network has inputs and outputs, or do not hold the same number of
    /// whole samples; a token id that the network has no row for. Nothing is written.
    pub fn input_gradient(
        &mut self,
        model: impl AsModel<Network = N>,
        x: &[&[f32]],
        dy: &[&[f32]],
        dx: &mut [&mut [f32]],
    ) -> Result<(), InputError> {
        let network = N::COMPILED;
        let all = checked::<N>(x, dx)?;
        let given = samples("output", network.outputs, dy)?;
        if given != all {
            return Err(InputError::new(
                InputErrorKind::Shape,
                format!(
                    "expected output gradients of {all} samples, as the input has, found {given}\nhelp: give one number for each output of \
                     each sample"
                ),
            ));
        }
        let mut done = 0;
        while done < all {
            let batch = self.batch.min(all - done);
            let (mut x_now, mut dy_now) = ([&[][..]; MAX_INPUTS], [&[][..]; MAX_OUTPUTS]);
            for ((now, x), shape) in x_now.iter_mut().zip(x).zip(network.inputs) {
                *now = &x[done * shape.len()..][..batch * shape.len()];
            }
            for ((now, dy), shape) in dy_now.iter_mut().zip(dy).zip(network.outputs) {
                *now = &dy[done * shape.len()..][..batch * shape.len()];
            }
            let mut dx_now: [&mut [f32]; MAX_INPUTS] = Default::default();
            for ((now, dx), shape) in dx_now.iter_mut().zip(&mut *dx).zip(network.inputs) {
                if !dx.is_empty() {
                    *now = &mut dx[done * shape.len()..][..batch * shape.len()];
                }
            }
            self.forward(model.params(), batch, &x_now);
            self.backward(model.params(), batch, &x_now, Some(&dy_now), &mut dx_now);
            done += batch;
        }
        Ok(())
    }

    /// As [`input_gradient`](Differentiator::input_gradient) of an objective on the outputs, which is shown
    /// them, `[samples, …]` each, and writes its derivatives where zeros are; returns what it returns.
    ///
    /// # Errors
    /// As there; more samples than a batch holds.
    pub fn input_gradient_with(
        &mut self,
        model: impl AsModel<Network = N>,
        x: &[&[f32]],
        objective: impl FnOnce(&[&[f32]], &mut [&mut [f32]]) -> f64,
        dx: &mut [&mut [f32]],
    ) -> Result<f64, InputError> {
        let batch = checked::<N>(x, dx)?;
        if batch > self.batch {
            return Err(InputError::new(
                InputErrorKind::Shape,
                format!(
                    "expected at most {} samples, which there is memory for, found {batch}\nhelp: `Differentiator::new({batch})`",
                    self.batch
                ),
            ));
        }
        self.forward(model.params(), batch, x);
        let DifferentiatorMemory { y, mut dy, .. } =
            DifferentiatorMemory::of(N::COMPILED, [self.batch, batch], &mut self.memory);
        dy.iter_mut().for_each(|dy| dy.fill(0.0));
        let count = N::COMPILED.outputs.len();
        let value = objective(&y.map(|y| &*y)[..count], &mut dy[..count]);
        self.backward(model.params(), batch, x, None, dx);
        Ok(value)
    }

    fn forward(&mut self, params: &[f32], batch: usize, x: &[&[f32]]) {
        let network = N::COMPILED;
        let DifferentiatorMemory { mut y, saved, scratch, .. } =
            DifferentiatorMemory::of(network, [self.batch, batch], &mut self.memory);
        let mut cx = LayerContext::for_network(params, self.isa, batch, Pass::TrainWithInputGrad, saved, scratch);
        N::forward_pass(&mut cx, &x[..network.inputs.len()], &mut y[..network.outputs.len()]);
    }

    /// Back from these gradients of the outputs, or from those in memory.
    fn backward(
        &mut self,
        params: &[f32],
        batch: usize,
        x: &[&[f32]],
        given: Option<&[&[f32]]>,
        dx: &mut [&mut [f32]],
    ) {
        let network = N::COMPILED;
        let (n, m) = (network.inputs.len(), network.outputs.len());
        let places = DifferentiatorMemory::of(network, [self.batch, batch], &mut self.memory);
        let (y, own): (_, [&[f32]; MAX_OUTPUTS]) = (places.y.map(|y| &*y), places.dy.map(|dy| &*dy));
        let dy = given.unwrap_or(&own[..m]);
        let (saved, scratch) = (places.saved, places.scratch);
        let mut cx = LayerContext::for_network(params, self.isa, batch, Pass::TrainWithInputGrad, saved, scratch);
        N::backward_input(&mut cx, &x[..n], &y[..m], &dy[..m], &mut dx[..n]);
    }
}

/// What lies where in the memory of a differentiator.
struct DifferentiatorMemory<'a> {
    y: [&'a mut [f32]; MAX_OUTPUTS],
    dy: [&'a mut [f32]; MAX_OUTPUTS],
    saved: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl<'a> DifferentiatorMemory<'a> {
    /// Of so many samples that run, in memory for so many.
    fn of(network: &CompiledNetwork, [room, batch]: [usize; 2], memory: &'a mut [f32]) -> DifferentiatorMemory<'a> {
        let mut rest = memory;
        let mut take = |room: usize, len: usize| {
            let (mine, more) = core::mem::take(&mut rest).split_at_mut(lines(room));
            rest = more;
            &mut mine[..len]
        };
        let (mut y, mut dy) = (<[&mut [f32]; MAX_OUTPUTS]>::default(), <[&mut [f32]; MAX_OUTPUTS]>::default());
        for ((y, dy), shape) in y.iter_mut().zip(&mut dy).zip(network.outputs) {
            let [room, len] = [room, batch].map(|samples| samples * shape.len());
            (*y, *dy) = (take(room, len), take(room, len));
        }
        let work = network.train_with_input_grad.work;
        DifferentiatorMemory { y, dy, saved: take(room * work, batch * work), scratch: rest }
    }
}

/// How many samples there are, if `dx` has room for the gradients of as many, or none.
fn checked<N: Network>(x: &[&[f32]], dx: &[&mut [f32]]) -> Result<usize, InputError> {
    let network = N::COMPILED;
    let samples = checked_samples(network, x)?;
    if dx.len() != network.inputs.len() {
        let (expected, plural) = (network.inputs.len(), if network.inputs.len() == 1 { "" } else { "s" });
        return Err(InputError::new(
            InputErrorKind::Count,
            format!(
                "expected {expected} slice{plural} for the gradients of inputs, found {}\nhelp: give `&mut []` for what is not asked for",
                dx.len()
            ),
        ));
    }
    for (k, (dx, shape)) in dx.iter().zip(network.inputs).enumerate() {
        if !dx.is_empty() && dx.len() != samples * shape.len() {
            return Err(InputError::new(
                InputErrorKind::Shape,
                format!(
                    "expected room for the gradients of {samples} samples of input {k}, which is {} numbers, found {}\nhelp: as many as \
                     the input has, or none where they are not asked for",
                    samples * shape.len(),
                    dx.len()
                ),
            ));
        }
    }
    Ok(samples)
}
