//! What predicts with a model's parameters. In: samples; out: predictions. It owns all memory it needs, so
//! that one `&Model` serves many threads, and allocates nothing after it is made.

#[cfg(feature = "std")]
mod data_set;

#[cfg(feature = "std")]
use alloc::{
    format,
    string::{String, ToString},
};

#[cfg(feature = "alloc")]
use crate::chain::Chain;
use crate::graph::CompiledNetwork;
use crate::input::{InputError, InputErrorKind, checked_samples};
use crate::layer::LayerContext;
use crate::limits::{MAX_INPUTS, MAX_OUTPUTS, lines};
use crate::model::{AsModel, Network, Ports};
#[cfg(feature = "alloc")]
use crate::model::{Model, ModelRef, elsewhere::Predicts};
#[cfg(not(feature = "alloc"))]
use crate::no_chain::NoChain as Chain;
use crate::spec::Pass;
use crate::storage::{Allocated, LengthError, Storage};
use nn_kernels::simd::Isa;

/// Predicts with a [`Model`](crate::Model), or with parameters that lie elsewhere. `M` is how it has the
/// model: see [`AsModel`]. `S` is the memory it works in: allocated when it is made, or the caller's. It
/// allocates nothing after it is made.
///
/// ```
/// use nn_runtime::prelude::*;
/// use nn_runtime::{ModelRef, Predictor};
///
/// network! { struct Net: [2] -> [1] { Dense(3) -> Tanh -> Dense(1) } }
///
/// // Nothing here asks for an allocator, once there are parameters.
/// fn predict(params: &[f32], x: &[f32; 2]) -> f32 {
///     let mut memory = [0.0; Net::predict_len(1)];
///     let model = ModelRef::<Net>::new(params).unwrap();
///     Predictor::new_in(model, 1, &mut memory).unwrap().predict(x)[0]
/// }
/// let model = Net::init(0);
/// assert_eq!([predict(model.as_params(), &[0.5, 1.0])], *model.predictor(1).predict(&[0.5, 1.0]));
/// ```
pub struct Predictor<M, S = Allocated> {
    model: M,
    isa: Isa,
    batch: usize,
    /// What takes single samples, where the network is a chain.
    chain: Option<Chain>,
    /// One sample of every output, then the workspace.
    memory: S,
}

#[cfg(feature = "alloc")]
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

#[cfg(feature = "alloc")]
impl<'m, P: Network> ModelRef<'m, P> {
    /// [`Model::predictor`] of this part.
    ///
    /// # Panics
    /// `batch == 0`, or its workspace cannot be addressed.
    pub fn predictor(&self, batch: usize) -> Predictor<ModelRef<'m, P>> {
        Predictor::new(*self, batch)
    }
}

#[cfg(feature = "alloc")]
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
        let chain = Chain::of(network);
        let len = network.output_room() + len.max(chain.as_ref().map_or(0, Chain::memory));
        Predictor { model, isa, batch, chain, memory: Allocated::zeroed(len) }
    }
}

impl<'w, M: AsModel> Predictor<M, &'w mut [f32]> {
    /// What predicts with a model, up to `batch` samples at once, in memory of the caller's:
    /// `Net::predict_len(batch)` numbers at least, with arbitrary contents. It needs no allocator, and takes
    /// the fastest instruction set there is.
    ///
    /// # Errors
    /// There is too little memory, or `batch` is 0.
    pub fn new_in(model: M, batch: usize, memory: &'w mut [f32]) -> Result<Self, LengthError> {
        Predictor::new_in_on(model, batch, memory, Isa::detect())
    }

    /// [`new_in`](Predictor::new_in) with an instruction set of choice.
    ///
    /// # Errors
    /// As [`new_in`](Predictor::new_in).
    pub fn new_in_on(model: M, batch: usize, memory: &'w mut [f32], isa: Isa) -> Result<Self, LengthError> {
        let network = M::Network::COMPILED;
        if batch == 0 || memory.len() < network.predict_len(batch) {
            return Err(LengthError::predicting(network, batch, memory.len()));
        }
        Ok(Predictor { model, isa, batch, chain: None, memory })
    }
}

impl<M: AsModel, S: Storage> Predictor<M, S> {
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
        let (network, params) = (M::Network::COMPILED, self.model.params());
        let (outputs, work) = self.memory.split_at_mut(network.output_room());
        let mut y = one_sample(network, &mut *outputs);
        match &self.chain {
            Some(chain) => chain.run(self.isa, params, x[0], y[0], work),
            None => run::<M::Network>(params, self.isa, 1, work, &x, &mut y),
        }
        let y = y.map(|y| &*y);
        Ports::from_slices(&y[..network.outputs.len()])
    }

    /// Predicts for as many samples as the slices hold, `[samples, …]` row-major: one slice for each input
    /// and each output.
    ///
    /// # Errors
    /// The slices are not as many as the network has inputs and outputs, or do not hold the same number of
    /// whole samples; a token id that the network has no row for. Nothing is written.
    pub fn predict_into(&mut self, x: &[&[f32]], y: &mut [&mut [f32]]) -> Result<(), InputError> {
        let (_, work) = self.memory.split_at_mut(M::Network::COMPILED.output_room());
        predict_into::<M::Network>(self.model.params(), self.isa, self.batch, self.chain.as_ref(), work, x, y)
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
    chain: Option<&Chain>,
    memory: &mut [f32],
    x: &[&[f32]],
    y: &mut [&mut [f32]],
) -> Result<(), InputError> {
    let network = N::COMPILED;
    let samples = checked_samples(network, x)?;
    if y.len() != network.outputs.len() {
        return Err(InputError::outputs(network.outputs.len(), y.len()));
    }
    for (y, shape) in y.iter().zip(network.outputs) {
        if y.len() != samples * shape.len() {
            return Err(InputError::room(samples, *shape, y.len()));
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
#[cfg(feature = "alloc")]
pub(crate) fn slices_mut(blocks: &mut [Allocated]) -> [&mut [f32]; MAX_OUTPUTS] {
    let mut all: [&mut [f32]; MAX_OUTPUTS] = Default::default();
    for (to, block) in all.iter_mut().zip(blocks) {
        *to = block;
    }
    all
}

/// One sample of each output in memory for so many.
#[inline]
fn one_sample<'a>(network: &CompiledNetwork, memory: &'a mut [f32]) -> [&'a mut [f32]; MAX_OUTPUTS] {
    let (mut all, mut rest): ([&mut [f32]; MAX_OUTPUTS], _) = (Default::default(), memory);
    for (to, shape) in all.iter_mut().zip(network.outputs) {
        let (one, more) = core::mem::take(&mut rest).split_at_mut(lines(shape.len()));
        (*to, rest) = (&mut one[..shape.len()], more);
    }
    all
}

fn run<N: Network>(params: &[f32], isa: Isa, batch: usize, memory: &mut [f32], x: &[&[f32]], y: &mut [&mut [f32]]) {
    let mut cx = LayerContext::for_network(params, isa, batch, Pass::Infer, &mut [][..], memory);
    N::forward_pass(&mut cx, x, y);
}
