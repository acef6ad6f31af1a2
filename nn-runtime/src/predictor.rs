//! What predicts with a model's parameters. In: samples; out: predictions. It owns all memory it needs, so that one `&Model` serves many
//! threads, and allocates nothing after it is made.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use crate::layer::LayerContext;
use crate::network::{Network, Ports};
use crate::shape::Shape;
use crate::spec::Pass;
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::simd::Isa;

/// Predicts with a [`Model`](crate::Model); owns its workspace and allocates nothing after it is made.
pub struct Predictor<'m, N> {
    params: &'m [f32],
    isa: Isa,
    batch: usize,
    memory: AlignedBuffer,
    outputs: Vec<AlignedBuffer>,
    network: PhantomData<fn() -> N>,
}

impl<'m, N: Network> Predictor<'m, N> {
    pub(crate) fn new(params: &'m [f32], batch: usize, isa: Isa) -> Self {
        assert!(batch > 0, "expected a batch of at least 1 sample, found 0");
        let outputs = N::COMPILED.outputs.iter().map(|shape| AlignedBuffer::zeroed(shape.len())).collect();
        Predictor {
            params,
            isa,
            batch,
            memory: AlignedBuffer::zeroed(N::COMPILED.infer.len(batch)),
            outputs,
            network: PhantomData,
        }
    }

    /// Predicts for one sample. An array of another length does not compile. What token ids make that the network has no row for is NaN;
    /// [`predict_into`](Predictor::predict_into) names them.
    pub fn predict(&mut self, input: N::Input<'_>) -> N::Output<'_> {
        let mut x = [&[][..]; crate::graph::MAX_INPUTS];
        input.to_slices(&mut x);
        let mut y = slices_mut(&mut self.outputs);
        run::<N>(self.params, self.isa, 1, &mut self.memory, &x, &mut y);
        let mut y = [&[][..]; crate::spec::MAX_OUTPUTS];
        for (to, output) in y.iter_mut().zip(&self.outputs) {
            *to = output;
        }
        Ports::from_slices(&y[..self.outputs.len()])
    }

    /// Predicts for as many samples as the slices hold, `[samples, …]` row-major: one slice for each input and each output.
    ///
    /// # Errors
    /// The slices are not as many as the network has inputs and outputs, or do not hold the same number of whole samples; a token id
    /// that the network has no row for. Nothing is written.
    pub fn predict_into(&mut self, x: &[&[f32]], y: &mut [&mut [f32]]) -> Result<(), InputError> {
        let map = N::COMPILED;
        let samples = samples("input", map.inputs, x)?;
        if let Some(fault) = crate::ids::fault(map, x, |k| map.inputs[k].len()) {
            return Err(InputError(fault));
        }
        if y.len() != map.outputs.len() {
            let (expected, plural) = (map.outputs.len(), if map.outputs.len() == 1 { "" } else { "s" });
            return Err(InputError(alloc::format!("expected {expected} output slice{plural}, found {}", y.len())));
        }
        for (y, shape) in y.iter().zip(map.outputs) {
            if y.len() != samples * shape.len() {
                return Err(InputError(alloc::format!(
                    "expected room for {samples} outputs of {shape}, which is {} numbers, found {}",
                    samples * shape.len(),
                    y.len()
                )));
            }
        }
        let mut done = 0;
        while done < samples {
            let batch = self.batch.min(samples - done);
            let mut from = [&[][..]; crate::graph::MAX_INPUTS];
            for ((from, x), shape) in from.iter_mut().zip(x).zip(map.inputs) {
                *from = &x[done * shape.len()..][..batch * shape.len()];
            }
            let mut to: [&mut [f32]; crate::spec::MAX_OUTPUTS] = Default::default();
            for ((to, y), shape) in to.iter_mut().zip(&mut *y).zip(map.outputs) {
                *to = &mut y[done * shape.len()..][..batch * shape.len()];
            }
            run::<N>(self.params, self.isa, batch, &mut self.memory, &from, &mut to);
            done += batch;
        }
        Ok(())
    }
}

/// How many samples the slices of all inputs, or outputs, hold.
pub(crate) fn samples(what: &str, shapes: &[Shape], slices: &[&[f32]]) -> Result<usize, InputError> {
    if slices.len() != shapes.len() {
        return Err(InputError(alloc::format!(
            "expected {} {what} slice{}, found {}\nhelp: give one for each {what} that the network declares",
            shapes.len(),
            if shapes.len() == 1 { "" } else { "s" },
            slices.len()
        )));
    }
    let samples = slices[0].len() / shapes[0].len();
    for (slice, shape) in slices.iter().zip(shapes) {
        if slice.len() != samples * shape.len() && slice.len().is_multiple_of(shape.len()) {
            return Err(InputError(alloc::format!(
                "expected as many samples in every {what}, found {samples} in the first and {} in another\nhelp: give the \
                 same number of samples to every {what}",
                slice.len() / shape.len()
            )));
        }
        if slice.len() != samples * shape.len() {
            return Err(InputError(alloc::format!(
                "expected whole samples of {shape}, which is {} numbers each, found {} numbers\nhelp: give the same number of samples to every {what}",
                shape.len(),
                slice.len()
            )));
        }
    }
    Ok(samples)
}

#[cfg(feature = "std")]
impl<N: Network> Predictor<'_, N> {
    /// Predicts for all samples of an array: the first axis counts samples, the others are the network's input, in its shape or
    /// flattened. Returns `[samples, outputs]`, flattened.
    ///
    /// # Errors
    /// The array does not hold samples of the network's input, or the network has several inputs or outputs.
    pub fn predict_batch<D: ndarray::Dimension>(
        &mut self,
        input: ndarray::ArrayView<'_, f32, D>,
    ) -> Result<ndarray::Array2<f32>, InputError> {
        let map = N::COMPILED;
        let ([shape], [output]) = (map.inputs, map.outputs) else {
            return Err(InputError(
                "expected a network of one input and one output\nhelp: use `predict_into`".to_string(),
            ));
        };
        let samples = input.shape().first().copied().unwrap_or(0);
        let rest = input.shape().get(1..).unwrap_or(&[]);
        if rest != shape.as_slice() && rest != [shape.len()] {
            return Err(InputError(alloc::format!(
                "expected an array of [samples, {}], found {:?}",
                shape.as_slice().iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
                input.shape()
            )));
        }
        let input = input.as_standard_layout();
        let mut all = ndarray::Array2::zeros((samples, output.len()));
        let x = input.as_slice().expect("an array in standard layout is one slice");
        let y = all.as_slice_mut().expect("a new array is one slice");
        self.predict_into(&[x], &mut [y])?;
        Ok(all)
    }
}

/// Input that is not made of whole samples of the network's shape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InputError(pub(crate) String);

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for InputError {}

pub(crate) fn slices_mut(blocks: &mut [AlignedBuffer]) -> [&mut [f32]; crate::spec::MAX_OUTPUTS] {
    let mut all: [&mut [f32]; crate::spec::MAX_OUTPUTS] = Default::default();
    for (to, block) in all.iter_mut().zip(blocks) {
        *to = block;
    }
    all
}

fn run<N: Network>(params: &[f32], isa: Isa, batch: usize, memory: &mut [f32], x: &[&[f32]], y: &mut [&mut [f32]]) {
    let mut cx = LayerContext::for_network(params, isa, batch, Pass::Infer, &mut [][..], memory);
    N::forward(&mut cx, x, y);
}
