//! What predicts with a model's parameters. In: samples; out: predictions. It owns all memory it needs, so
//! that one `&Model` serves many threads, and allocates nothing after it is made.

#[cfg(feature = "std")]
mod data_set;

use alloc::format;
#[cfg(feature = "std")]
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::chain::sample_chain;
use crate::input::{InputError, InputErrorKind, checked_samples};
use crate::layer::LayerContext;
use crate::limits::{MAX_INPUTS, MAX_OUTPUTS};
use crate::model::elsewhere::Predicts;
use crate::model::{AsModel, Model, ModelPart, Network, Ports};
use crate::spec::Pass;
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::sample_chain::SampleChain;
use nn_kernels::simd::Isa;

/// Predicts with a [`Model`](crate::Model); owns its workspace and allocates nothing after it is made. `M` is
/// how it has the model: see [`AsModel`].
pub struct Predictor<M> {
    model: M,
    isa: Isa,
    batch: usize,
    /// What takes single samples, where the network is a chain.
    chain: Option<SampleChain>,
    memory: AlignedBuffer,
    outputs: Vec<AlignedBuffer>,
}

impl<N: Network> Model<N> {
    /// What predicts with this model, up to `batch` samples at once, in memory of its own.
    ///
    /// # Panics
    /// `batch == 0`, or its workspace cannot be addressed.
    pub fn predictor(&self, batch: usize) -> Predictor<&Model<N>> {
        Predictor::new(self, batch)
    }

    /// [`predictor`](Model::predictor) with an instruction set of choice.
    ///
    /// # Panics
    /// `batch == 0`, or its workspace cannot be addressed.
    pub fn predictor_on(&self, batch: usize, isa: Isa) -> Predictor<&Model<N>> {
        Predictor::new_on(self, batch, isa)
    }

    /// A predictor that owns the model: see [`AsModel`].
    ///
    /// # Panics
    /// `batch == 0`, or its workspace cannot be addressed.
    pub fn into_predictor(self, batch: usize) -> Predictor<Model<N>> {
        Predictor::new(self, batch)
    }

    #[doc(hidden)]
    pub fn predict<X>(&self, _: X)
    where
        Self: Predicts,
    {
    }

    #[doc(hidden)]
    pub fn forward<X>(&self, _: X)
    where
        Self: Predicts,
    {
    }
}

impl<'m, P: Network> ModelPart<'m, P> {
    /// [`Model::predictor`] of this part.
    ///
    /// # Panics
    /// `batch == 0`, or its workspace cannot be addressed.
    pub fn predictor(&self, batch: usize) -> Predictor<ModelPart<'m, P>> {
        Predictor::new(*self, batch)
    }
}

impl<M: AsModel> Predictor<M> {
    /// What predicts with a model, owned, shared or borrowed, up to `batch` samples at once, in memory of its
    /// own.
    ///
    /// # Panics
    /// `batch == 0`, or its workspace cannot be addressed.
    pub fn new(model: M, batch: usize) -> Self {
        Predictor::new_on(model, batch, Isa::detect())
    }

    /// [`new`](Predictor::new) with an instruction set of choice.
    ///
    /// # Panics
    /// `batch == 0`, or its workspace cannot be addressed.
    pub fn new_on(model: M, batch: usize, isa: Isa) -> Self {
        assert!(batch > 0, "expected a batch of at least 1 sample, found 0");
        let network = M::Network::COMPILED;
        let len = network.infer.len(batch);
        assert!(
            len <= isize::MAX as usize / 4,
            "expected a batch whose workspace fits into memory, found {batch} samples\nhelp: a smaller batch: more samples than it holds are \
             predicted one batch after the other"
        );
        let outputs = network.outputs.iter().map(|shape| AlignedBuffer::zeroed(shape.len())).collect();
        let chain = sample_chain(network);
        let len = len.max(chain.as_ref().map_or(0, SampleChain::memory));
        Predictor { model, isa, batch, chain, memory: AlignedBuffer::zeroed(len), outputs }
    }

    /// What it predicts with.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// What it predicted with, back.
    pub fn into_model(self) -> M {
        self.model
    }

    /// Predicts for one sample. An array of another length does not compile. What token ids make that the
    /// network has no row for is NaN; [`predict_into`](Predictor::predict_into) names them.
    pub fn predict(&mut self, input: <M::Network as Network>::Input<'_>) -> <M::Network as Network>::Output<'_> {
        let mut x = [&[][..]; MAX_INPUTS];
        input.to_slices(&mut x);
        let params = self.model.params();
        match &self.chain {
            Some(chain) => chain.run(self.isa, params, x[0], &mut self.outputs[0], &mut self.memory),
            None => {
                let mut y = slices_mut(&mut self.outputs);
                run::<M::Network>(params, self.isa, 1, &mut self.memory, &x, &mut y);
            }
        }
        let mut y = [&[][..]; MAX_OUTPUTS];
        for (to, output) in y.iter_mut().zip(&self.outputs) {
            *to = output;
        }
        Ports::from_slices(&y[..self.outputs.len()])
    }

    /// Predicts for as many samples as the slices hold, `[samples, …]` row-major: one slice for each input
    /// and each output.
    ///
    /// # Errors
    /// The slices are not as many as the network has inputs and outputs, or do not hold the same number of
    /// whole samples; a token id that the network has no row for. Nothing is written.
    pub fn predict_into(&mut self, x: &[&[f32]], y: &mut [&mut [f32]]) -> Result<(), InputError> {
        let (params, chain) = (self.model.params(), self.chain.as_ref());
        predict_into::<M::Network>(params, self.isa, self.batch, chain, &mut self.memory, x, y)
    }
}

#[cfg(feature = "std")]
impl<M: AsModel> Predictor<M> {
    /// Predicts for all samples of an array: the first axis counts samples, the others are the network's
    /// input, in its shape or flattened. Returns `[samples, outputs]`, flattened.
    ///
    /// # Errors
    /// The array does not hold samples of the network's input, or the network has several inputs or outputs.
    pub fn predict_batch<D: ndarray::Dimension>(
        &mut self,
        input: ndarray::ArrayView<'_, f32, D>,
    ) -> Result<ndarray::Array2<f32>, InputError> {
        let network = M::Network::COMPILED;
        let ([shape], [output]) = (network.inputs, network.outputs) else {
            return Err(InputError::new(
                InputErrorKind::Count,
                "expected a network of one input and one output\nhelp: use `predict_into`",
            ));
        };
        let samples = input.shape().first().copied().unwrap_or(0);
        let rest = input.shape().get(1..).unwrap_or(&[]);
        if rest != shape.as_slice() && rest != [shape.len()] {
            let dims: Vec<String> = shape.as_slice().iter().map(ToString::to_string).collect();
            let text = format!("expected an array of [samples, {}], found {:?}", dims.join(", "), input.shape());
            return Err(InputError::new(InputErrorKind::Shape, text));
        }
        let input = input.as_standard_layout();
        let mut all = ndarray::Array2::zeros((samples, output.len()));
        let x = input.as_slice().expect("an array in standard layout is one slice");
        let y = all.as_slice_mut().expect("a new array is one slice");
        self.predict_into(&[x], &mut [y])?;
        Ok(all)
    }
}

/// Predicts for as many samples as the slices hold, at most `most` at once, in memory for so many; a single
/// one by the chain, where there is one.
pub(crate) fn predict_into<N: Network>(
    params: &[f32],
    isa: Isa,
    most: usize,
    chain: Option<&SampleChain>,
    memory: &mut [f32],
    x: &[&[f32]],
    y: &mut [&mut [f32]],
) -> Result<(), InputError> {
    let network = N::COMPILED;
    let samples = checked_samples(network, x)?;
    if y.len() != network.outputs.len() {
        let (expected, plural) = (network.outputs.len(), if network.outputs.len() == 1 { "" } else { "s" });
        return Err(InputError::new(
            InputErrorKind::Count,
            format!("expected {expected} output slice{plural}, found {}", y.len()),
        ));
    }
    for (y, shape) in y.iter().zip(network.outputs) {
        if y.len() != samples * shape.len() {
            return Err(InputError::new(
                InputErrorKind::Shape,
                format!(
                    "expected room for {samples} outputs of {shape}, which is {} numbers, found {}",
                    samples * shape.len(),
                    y.len()
                ),
            ));
        }
    }
    let mut done = 0;
    while done < samples {
        let batch = most.min(samples - done);
        let mut from = [&[][..]; MAX_INPUTS];
        for ((from, x), shape) in from.iter_mut().zip(x).zip(network.inputs) {
            *from = &x[done * shape.len()..][..batch * shape.len()];
        }
        let mut to: [&mut [f32]; MAX_OUTPUTS] = Default::default();
        for ((to, y), shape) in to.iter_mut().zip(&mut *y).zip(network.outputs) {
            *to = &mut y[done * shape.len()..][..batch * shape.len()];
        }
        match chain {
            Some(chain) if batch == 1 => chain.run(isa, params, from[0], to[0], memory),
            _ => run::<N>(params, isa, batch, memory, &from, &mut to),
        }
        done += batch;
    }
    Ok(())
}

/// One slice for each output.
pub(crate) fn slices_mut(blocks: &mut [AlignedBuffer]) -> [&mut [f32]; MAX_OUTPUTS] {
    let mut all: [&mut [f32]; MAX_OUTPUTS] = Default::default();
    for (to, block) in all.iter_mut().zip(blocks) {
        *to = block;
    }
    all
}

fn run<N: Network>(params: &[f32], isa: Isa, batch: usize, memory: &mut [f32], x: &[&[f32]], y: &mut [&mut [f32]]) {
    let mut cx = LayerContext::for_network(params, isa, batch, Pass::Infer, &mut [][..], memory);
    N::forward_pass(&mut cx, x, y);
}
