//! Gradients through a network that does not learn, into what its input is made by. In: a model, samples,
//! the gradients of its outputs or an objective on them; out: the gradients of its inputs. All memory is its
//! own; nothing is allocated after it is made.

use alloc::format;
use alloc::vec::Vec;
use core::marker::PhantomData;

use crate::input::{InputError, InputErrorKind, checked_samples, samples};
use crate::layer::LayerContext;
use crate::limits::{MAX_INPUTS, MAX_OUTPUTS};
use crate::model::{Model, Network};
use crate::predictor::slices_mut;
use crate::spec::Pass;
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::simd::Isa;

/// Finds gradients with respect to the inputs of a network, through it and without its learning: of a
/// generator through a discriminator, of an actor through a critic. It holds memory and no model, so that
/// the model may learn in between; [`Model::gradients`] finds the gradients of parameters too.
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
pub struct Differentiator<N> {
    isa: Isa,
    batch: usize,
    saved: AlignedBuffer,
    scratch: AlignedBuffer,
    y: Vec<AlignedBuffer>,
    dy: Vec<AlignedBuffer>,
    network: PhantomData<fn() -> N>,
}

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
        let (network, plan) = (N::COMPILED, &N::COMPILED.train_with_input_grad);
        assert!(
            plan.len(batch) <= isize::MAX as usize / 4,
            "expected a batch whose workspace fits into memory, found {batch} samples\nhelp: a smaller batch"
        );
        let room = || network.outputs.iter().map(|shape| AlignedBuffer::zeroed(batch * shape.len())).collect();
        Differentiator {
            isa,
            batch,
            saved: AlignedBuffer::zeroed(plan.work * batch),
            scratch: AlignedBuffer::zeroed(plan.scratch_for(batch)),
            y: room(),
            dy: room(),
            network: PhantomData,
        }
    }

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
        model: &Model<N>,
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
            self.forward(model, batch, &x_now);
            self.backward(model, batch, &x_now, Some(&dy_now), &mut dx_now);
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
        model: &Model<N>,
        x: &[&[f32]],
        objective: impl FnOnce(&[&[f32]], &mut [&mut [f32]]) -> f64,
        dx: &mut [&mut [f32]],
    ) -> Result<f64, InputError> {
        let (shapes, batch) = (N::COMPILED.outputs, checked::<N>(x, dx)?);
        if batch > self.batch {
            return Err(InputError::new(
                InputErrorKind::Shape,
                format!(
                    "expected at most {} samples, which there is memory for, found {batch}\nhelp: `Differentiator::new({batch})`",
                    self.batch
                ),
            ));
        }
        self.forward(model, batch, x);
        let (mut y, mut dy) = ([&[][..]; MAX_OUTPUTS], slices_mut(&mut self.dy));
        for (j, (from, shape)) in self.y.iter().zip(shapes).enumerate() {
            y[j] = &from[..batch * shape.len()];
            dy[j] = &mut core::mem::take(&mut dy[j])[..batch * shape.len()];
            dy[j].fill(0.0);
        }
        let value = objective(&y[..shapes.len()], &mut dy[..shapes.len()]);
        self.backward(model, batch, x, None, dx);
        Ok(value)
    }

    fn forward(&mut self, model: &Model<N>, batch: usize, x: &[&[f32]]) {
        let network = N::COMPILED;
        let mut y = slices_mut(&mut self.y);
        for (y, shape) in y.iter_mut().zip(network.outputs) {
            *y = &mut core::mem::take(y)[..batch * shape.len()];
        }
        let saved = &mut self.saved[..network.train_with_input_grad.work * batch];
        let pass = Pass::TrainWithInputGrad;
        let mut cx = LayerContext::for_network(&model.params, self.isa, batch, pass, saved, &mut self.scratch);
        N::forward_pass(&mut cx, &x[..network.inputs.len()], &mut y[..network.outputs.len()]);
    }

    /// Back from these gradients of the outputs, or from those in memory.
    fn backward(
        &mut self,
        model: &Model<N>,
        batch: usize,
        x: &[&[f32]],
        given: Option<&[&[f32]]>,
        dx: &mut [&mut [f32]],
    ) {
        let network = N::COMPILED;
        let (mut y, mut dy) = ([&[][..]; MAX_OUTPUTS], [&[][..]; MAX_OUTPUTS]);
        for (j, shape) in network.outputs.iter().enumerate() {
            y[j] = &self.y[j][..batch * shape.len()];
            dy[j] = given.map_or(&self.dy[j][..batch * shape.len()], |given| given[j]);
        }
        let saved = &mut self.saved[..network.train_with_input_grad.work * batch];
        let pass = Pass::TrainWithInputGrad;
        let mut cx = LayerContext::for_network(&model.params, self.isa, batch, pass, saved, &mut self.scratch);
        let (n, m) = (network.inputs.len(), network.outputs.len());
        N::backward_input(&mut cx, &x[..n], &y[..m], &dy[..m], &mut dx[..n]);
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
