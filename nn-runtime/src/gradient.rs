//! Gradients for whoever asks: of any outputs, with respect to every input and every parameter. In: a model,
//! samples, the weight of each output; out: vectors in standard layout. It changes no model; training has a
//! way of its own that keeps no whole gradient.

use alloc::string::String;
use alloc::vec::Vec;

use crate::input::{InputError, InputErrorKind, checked_samples, samples};
use crate::layer::{LayerContext, ParamGrad};
use crate::model::{Model, Network};
use crate::params::{self, Tensor};
use crate::spec::{Pass, Role};
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::simd::Isa;

/// What [`Model::gradients`] finds.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Gradients {
    /// With respect to each input, `[samples, …]` row-major.
    pub inputs: Vec<Vec<f32>>,
    /// With respect to each parameter that training changes, summed over the samples: its name, and the
    /// gradient row-major in the parameter's standard shape. What is frozen or no gradient's business
    /// (running statistics) is left out.
    pub params: Vec<(String, Vec<f32>)>,
}

impl<N: Network> Model<N> {
    /// The gradient of `Σ dy · y`, where `y` are the network's outputs as it predicts (without dropout or
    /// other training noise).
    ///
    /// `x` holds one slice for each input and `dy` one for each output, `[samples, …]` row-major. With a
    /// single 1 in `dy` this is how that output answers to each number of the input, a saliency map (Simonyan
    /// et al., "Deep Inside Convolutional Networks", 2014).
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! {
    ///     pub struct Net: [2] -> [1] { all: Dense(1) -> Relu }
    /// }
    /// let mut model = Net::init(0);
    /// model.set("all.weight", &[2.0, -1.0]).unwrap();
    /// let two_samples = [1.0, 0.5, 0.0, 3.0];                             // the second one ends in 0
    /// let gradients = model.gradients(&[&two_samples], &[&[1.0, 1.0]]).unwrap();
    /// assert_eq!(gradients.inputs, [[2.0, -1.0, 0.0, 0.0]]);
    /// assert_eq!(gradients.params[0], ("all.weight".into(), vec![1.0, 0.5]));
    /// assert_eq!(gradients.params[1], ("all.bias".into(), vec![1.0]));
    /// ```
    ///
    /// # Errors
    /// The slices are not as many as the network has inputs and outputs, or do not hold the same number of
    /// whole samples; a token id that the network has no row for.
    pub fn gradients(&self, x: &[&[f32]], dy: &[&[f32]]) -> Result<Gradients, InputError> {
        let network = N::COMPILED;
        let batch = checked_samples(network, x)?;
        let given = samples("output", network.outputs, dy)?;
        if given != batch {
            return Err(InputError::new(
                InputErrorKind::Shape,
                alloc::format!(
                    "expected output gradients of {batch} samples, as the input has, found {given}\nhelp: give one number for each output of each sample"
                ),
            ));
        }
        let zeros = |shapes: &[crate::Shape]| -> Vec<Vec<f32>> {
            shapes.iter().map(|shape| alloc::vec![0.0; batch * shape.len()]).collect()
        };
        let (mut y, mut dx) = (zeros(network.outputs), zeros(network.inputs));
        let mut grad = AlignedBuffer::zeroed(network.params_len);
        if batch > 0 {
            let mut saved = AlignedBuffer::zeroed(network.train_with_input_grad.work * batch);
            let mut scratch = AlignedBuffer::zeroed(network.train_with_input_grad.scratch_for(batch));
            let pass = Pass::TrainWithInputGrad;
            let isa = Isa::detect();
            let mut cx = LayerContext::for_network(&self.params, isa, batch, pass, &mut saved[..], &mut scratch);
            N::forward_pass(&mut cx, x, &mut slices(&mut y));
            let y: Vec<&[f32]> = y.iter().map(|y| &y[..]).collect();
            N::backward_input(&mut cx, x, &y, dy, &mut slices(&mut dx));
            let part = ParamGrad { range: 0..network.params_len, grad: &mut grad, samples: 0..batch, overwrite: false };
            N::backward_params(&mut cx.read_only(&self.params), x, dy, part);
        }
        let params = learnt::<N>().map(|tensor| {
            let mut values = alloc::vec![0.0; tensor.count()];
            tensor.read(&grad, &mut values);
            (tensor.name, values)
        });
        Ok(Gradients { inputs: dx, params: params.collect() })
    }
}

/// Gradients laid out as the parameters of a network are, in memory that is used again.
pub(crate) struct PackedGradients {
    learnt: Vec<Tensor>,
    block: AlignedBuffer,
}

impl PackedGradients {
    /// Room for the gradients of this network.
    pub(crate) fn new<N: Network>() -> PackedGradients {
        PackedGradients { learnt: learnt::<N>().collect(), block: AlignedBuffer::zeroed(N::COMPILED.params_len) }
    }

    /// Lays these out.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub(crate) fn pack<N: Network>(&mut self, gradients: &Gradients) -> Result<&[f32], String> {
        for (name, values) in &gradients.params {
            let Some(tensor) = self.learnt.iter().find(|tensor| tensor.name == *name) else {
                let names: Vec<&str> = self.learnt.iter().map(|tensor| &*tensor.name).collect();
                return Err(alloc::format!(
                    "expected gradients of the parameters that `{}` learns, found `{name}`\nhelp: they are {}",
                    N::COMPILED.name,
                    names.join(", ")
                ));
            };
            if values.len() != tensor.count() {
                return Err(alloc::format!(
                    "`{name}`: expected a gradient of {} numbers for the shape {}, found {}\nhelp: give them row-major, as \
                     `Model::gradients` does",
                    tensor.count(),
                    tensor.shape,
                    values.len()
                ));
            }
            tensor.write(values, &mut self.block);
            // What no step changes is no part of a norm either.
            self.block[tensor.fixed.clone()].fill(0.0);
        }
        match self.learnt.iter().find(|tensor| gradients.params.iter().all(|(name, _)| *name != tensor.name)) {
            Some(missing) => Err(alloc::format!(
                "expected a gradient of every parameter that `{}` learns, found none of `{}`\nhelp: give zeros for what is to stay",
                N::COMPILED.name,
                missing.name
            )),
            None => Ok(&self.block),
        }
    }
}

/// The parameters that training changes.
fn learnt<N: Network>() -> impl Iterator<Item = Tensor> {
    params::tensors(N::COMPILED).into_iter().filter(|tensor| tensor.role == Role::Trainable && !tensor.frozen)
}

fn slices(all: &mut [Vec<f32>]) -> Vec<&mut [f32]> {
    all.iter_mut().map(|one| &mut one[..]).collect()
}
