//! A network with its parameters, and what predicts with it. In: a seed, a file's tensors, or samples; out: predictions. A
//! predictor owns all memory it needs, so that one `&Model` serves many threads.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use crate::graph::{Map, Purpose};
use crate::kernels::block::Block;
use crate::kernels::noise::Noise;
use crate::kernels::simd::Isa;
use crate::layer::{Cx, Mode};
use crate::network::{Network, Ports};
use crate::params::{self, Tensor};
use crate::shape::Shape;
use crate::stream::{StreamError, Streamer};

/// A network's parameters: one flat, aligned block.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Sum: [2] -> [1] { all: Dense(1, bias = false) }
/// }
/// let mut model = Sum::init(0);
/// model.set("all.weight", &[1.0, 1.0]).unwrap();
/// assert_eq!(model.predictor(1).predict(&[3.0, 4.0]), &[7.0]);
/// ```
pub struct Model<N> {
    pub(crate) params: Block,
    network: PhantomData<fn() -> N>,
}

impl<N> Clone for Model<N> {
    fn clone(&self) -> Self {
        Model { params: self.params.clone(), network: PhantomData }
    }
}

impl<N: Network> fmt::Debug for Model<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Model<{}>({} parameters)", N::MAP.name, N::params())
    }
}

impl<N: Network> Model<N> {
    /// Draws every parameter from its layer's distribution. Each tensor has a generator of its own, keyed by the seed and its
    /// place, so that the same seed gives the same bits everywhere.
    pub fn init(seed: u64) -> Self {
        let mut block = Block::zeroed(N::MAP.params_len);
        let mut standard = Vec::new();
        for (i, tensor) in params::tensors(N::MAP).iter().enumerate() {
            let mut rng = Pcg64Mcg::seed_from_u64(Noise { key: seed }.keyed(&[i as u64]).key);
            standard.clear();
            standard.resize(tensor.count(), 0.0);
            tensor.init.draw(&tensor.shape, &mut rng, &mut standard);
            tensor.write(&standard, &mut block);
        }
        Model::with_params(block)
    }

    pub(crate) fn with_params(params: Block) -> Self {
        Model { params, network: PhantomData }
    }

    /// What the parameters are called, and their shapes, in the order of the declaration.
    pub fn tensors(&self) -> Vec<Tensor> {
        params::tensors(N::MAP)
    }

    /// The numbers of a tensor, row-major in its standard shape (`[outputs, inputs]` for a dense weight).
    ///
    /// # Errors
    /// No tensor has this name.
    pub fn get(&self, name: &str) -> Result<Vec<f32>, ParamError> {
        let tensor = self.find(name)?;
        let mut values = alloc::vec![0.0; tensor.count()];
        tensor.read(&self.params, &mut values);
        Ok(values)
    }

    /// Replaces the numbers of a tensor, row-major in its standard shape.
    ///
    /// # Errors
    /// No tensor has this name, or it has another number of elements; nothing is changed.
    pub fn set(&mut self, name: &str, values: &[f32]) -> Result<(), ParamError> {
        let tensor = self.find(name)?;
        if values.len() != tensor.count() {
            return Err(ParamError(alloc::format!(
                "`{name}`: expected {} numbers for the shape {}, found {}\nhelp: give them row-major",
                tensor.count(),
                tensor.shape,
                values.len()
            )));
        }
        tensor.write(values, &mut self.params);
        Ok(())
    }

    fn find(&self, name: &str) -> Result<Tensor, ParamError> {
        let all = self.tensors();
        all.iter().find(|tensor| tensor.name == name).cloned().ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|tensor| tensor.name.as_str()).collect();
            ParamError(alloc::format!(
                "expected the name of a parameter of `{}`, found `{name}`\nhelp: one of {}",
                N::MAP.name,
                names.join(", ")
            ))
        })
    }

    /// A network within this one, by its label (`block.0` for a copy of a repeated one, `outer.inner` for one further within): its
    /// parameters are borrowed, not copied.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Encoder: [4] -> [2] { Dense(2) -> Tanh } }
    /// network! { struct Whole: [4] -> [4] { encoder: Encoder -> Dense(4) } }
    ///
    /// let model = Whole::init(0);
    /// let encoder = model.part::<Encoder>("encoder").unwrap();
    /// let code: [f32; 2] = *encoder.predictor(1).predict(&[1.0, 2.0, 3.0, 4.0]);
    /// ```
    ///
    /// # Errors
    /// Nothing of that name is a network of type `P`.
    pub fn part<P: Network>(&self, name: &str) -> Result<ModelPart<'_, P>, ParamError> {
        let within = params::networks(N::MAP);
        match within.iter().find(|part| part.name == name && params::same(part.map, P::MAP)) {
            Some(part) => {
                let params = &self.params[part.offset..part.offset + P::MAP.params_len];
                Ok(ModelPart { params, network: PhantomData })
            }
            None => {
                let names: Vec<String> =
                    within.iter().map(|part| alloc::format!("`{}`: {}", part.name, part.map.name)).collect();
                let there = if names.is_empty() { "none".to_string() } else { names.join(", ") };
                Err(ParamError(alloc::format!(
                    "expected a `{}` called `{name}` within `{}`, found {there}\nhelp: label the network where it is used, as in `{name}: {}`",
                    P::MAP.name,
                    N::MAP.name,
                    P::MAP.name
                )))
            }
        }
    }

    /// What predicts with this model, up to `batch` samples at once, in memory of its own.
    ///
    /// # Panics
    /// `batch == 0`
    pub fn predictor(&self, batch: usize) -> Predictor<'_, N> {
        self.predictor_on(batch, Isa::detect())
    }

    /// [`predictor`](Model::predictor) with an instruction set of choice.
    ///
    /// # Panics
    /// `batch == 0`
    pub fn predictor_on(&self, batch: usize, isa: Isa) -> Predictor<'_, N> {
        Predictor::new(&self.params, batch, isa)
    }

    /// What runs this model one step at a time, in memory of its own.
    ///
    /// # Errors
    /// A layer needs the whole window: it is named.
    pub fn streamer(&self) -> Result<Streamer<'_, N>, StreamError> {
        self.streamer_on(Isa::detect())
    }

    /// [`streamer`](Model::streamer) with an instruction set of choice.
    ///
    /// # Errors
    /// As [`streamer`](Model::streamer).
    pub fn streamer_on(&self, isa: Isa) -> Result<Streamer<'_, N>, StreamError> {
        Streamer::new(&self.params, isa)
    }
}

/// A network within a [`Model`]: its parameters, borrowed.
pub struct ModelPart<'m, P> {
    params: &'m [f32],
    network: PhantomData<fn() -> P>,
}

impl<'m, P: Network> ModelPart<'m, P> {
    /// [`Model::predictor`] of this part.
    ///
    /// # Panics
    /// `batch == 0`
    pub fn predictor(&self, batch: usize) -> Predictor<'m, P> {
        Predictor::new(self.params, batch, Isa::detect())
    }

    /// [`Model::streamer`] of this part.
    ///
    /// # Errors
    /// As there.
    pub fn streamer(&self) -> Result<Streamer<'m, P>, StreamError> {
        Streamer::new(self.params, Isa::detect())
    }

    /// A model of its own with a copy of the parameters: to save, to train further, to put elsewhere.
    pub fn to_model(&self) -> Model<P> {
        let mut params = Block::zeroed(self.params.len());
        params.copy_from_slice(self.params);
        Model::with_params(params)
    }
}

/// A parameter that is not there, or numbers that do not fit it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParamError(String);

impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for ParamError {}

/// Predicts with a [`Model`]; owns its workspace and allocates nothing after it is made.
pub struct Predictor<'m, N> {
    params: &'m [f32],
    isa: Isa,
    batch: usize,
    memory: Block,
    outputs: Vec<Block>,
    network: PhantomData<fn() -> N>,
}

impl<'m, N: Network> Predictor<'m, N> {
    fn new(params: &'m [f32], batch: usize, isa: Isa) -> Self {
        assert!(batch > 0, "expected a batch of at least 1 sample, found 0");
        let outputs = N::MAP.outputs.iter().map(|shape| Block::zeroed(shape.len())).collect();
        Predictor { params, isa, batch, memory: Block::zeroed(N::MAP.infer.len(batch)), outputs, network: PhantomData }
    }

    /// Predicts for one sample. An array of another length does not compile. What token ids make that the network has no row for is NaN;
    /// [`predict_into`](Predictor::predict_into) names them.
    pub fn predict(&mut self, input: N::Input<'_>) -> N::Output<'_> {
        let mut x = [&[][..]; crate::graph::MAX_INPUTS];
        input.to_slices(&mut x);
        let mut y = slices_mut(&mut self.outputs);
        run::<N>(self.params, self.isa, 1, &mut self.memory, &x, &mut y);
        let mut y = [&[][..]; crate::facts::MAX_OUTPUTS];
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
        let map = N::MAP;
        let samples = samples("input", map.inputs, x)?;
        if let Some(fault) = crate::ids::fault(map, x, |k| map.inputs[k].len()) {
            return Err(InputError(fault));
        }
        if y.len() != map.outputs.len() {
            return Err(InputError(alloc::format!("expected {} output slices, found {}", map.outputs.len(), y.len())));
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
            let mut to: [&mut [f32]; crate::facts::MAX_OUTPUTS] = Default::default();
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
            "expected {} {what} slices, found {}\nhelp: give one for each {what} that the network declares",
            shapes.len(),
            slices.len()
        )));
    }
    let samples = slices[0].len() / shapes[0].len();
    for (slice, shape) in slices.iter().zip(shapes) {
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
        let map = N::MAP;
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

pub(crate) fn slices_mut(blocks: &mut [Block]) -> [&mut [f32]; crate::facts::MAX_OUTPUTS] {
    let mut all: [&mut [f32]; crate::facts::MAX_OUTPUTS] = Default::default();
    for (to, block) in all.iter_mut().zip(blocks) {
        *to = block;
    }
    all
}

fn run<N: Network>(params: &[f32], isa: Isa, batch: usize, memory: &mut [f32], x: &[&[f32]], y: &mut [&mut [f32]]) {
    let mut cx = Cx::of_network(N::MAP, params, isa, batch, &mut [][..], memory);
    N::forward(&mut cx, x, y);
}

impl<'a, S> Cx<'a, S> {
    /// The context of a whole network at prediction.
    pub(crate) fn of_network(
        map: &'static Map,
        params: &'a [f32],
        isa: Isa,
        batch: usize,
        saved: S,
        scratch: &'a mut [f32],
    ) -> Cx<'a, S> {
        debug_assert!(params.is_empty() || params.len() == map.params_len);
        Cx {
            batch,
            isa,
            mode: Mode::Infer,
            noise: Noise { key: 0 },
            first_sample: 0,
            saved,
            scratch,
            facts: &crate::facts::Facts::NONE,
            params,
            floor: f32::NEG_INFINITY,
            pool: None,
            logits: 0,
            purpose: Purpose::Infer,
        }
    }
}
