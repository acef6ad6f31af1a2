//! A network with its parameters: its own, or borrowed ones. In: a seed, a file's tensors, or numbers that
//! are there; out: parameters by name, and networks within it.

#[cfg(feature = "alloc")]
mod copies;
pub(crate) mod elsewhere;
mod held;
pub(crate) mod network;
mod reference;
#[cfg(feature = "train")]
mod vector;

pub use held::AsModel;
pub use network::{
    AnyHead, LogSoftmaxHead, Network, OtherHead, PlainHead, Ports, SigmoidHead, SoftmaxHead, SquashedHead, ValueHead,
};
pub use reference::{ModelPart, ModelRef};
#[cfg(feature = "train")]
pub(crate) use vector::write_params;

#[cfg(feature = "alloc")]
use alloc::{string::ToString, vec::Vec};
use core::fmt;
use core::marker::PhantomData;

#[cfg(feature = "train")]
use crate::params;
#[cfg(feature = "alloc")]
use crate::params::Tensor;
use crate::storage::{Allocated, LengthError, Storage};
#[cfg(feature = "train")]
use crate::text::String;

/// A network's parameters: one flat, aligned block. `S` is the memory they lie in: allocated, or the
/// caller's ([`init_in`](Model::init_in), [`copy_in`](Model::copy_in)).
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
pub struct Model<N, S = Allocated> {
    pub(crate) params: S,
    pub(crate) run: TrainedSoFar,
    network: PhantomData<fn() -> N>,
}

/// How far a model has been trained since it was made or loaded. The order of samples and training noise are
/// keyed by it, so that training goes on where it was, whichever trainer does. A copy of a model has it too;
/// a file has not.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct TrainedSoFar {
    /// Batches whose gradients were taken.
    pub(crate) batches: u64,
    /// Epochs that ended.
    pub(crate) epochs: u64,
}

#[cfg(feature = "alloc")]
impl<N> Clone for Model<N> {
    fn clone(&self) -> Self {
        Model { params: self.params.clone(), run: self.run, network: PhantomData }
    }
}

impl<N: Network, S: Storage> fmt::Debug for Model<N, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Model<{}>({} parameters)", N::COMPILED.name, N::param_count())
    }
}

#[cfg(feature = "alloc")]
impl<N: Network> Model<N> {
    /// Draws every parameter from its layer's distribution. Each tensor has a generator of its own, keyed by
    /// the seed and its place, so that the same seed gives the same bits everywhere.
    pub fn init(seed: u64) -> Self {
        let mut block = Allocated::zeroed(N::COMPILED.params_len);
        draw::<N>(seed, &mut block);
        Model::with_params(block)
    }

    pub(crate) fn with_params(params: Allocated) -> Self {
        Model { params, run: TrainedSoFar::default(), network: PhantomData }
    }
}

impl<'m, N: Network> Model<N, &'m mut [f32]> {
    /// As [`init`](Model::init), in memory of the caller's: [`Network::PARAMS_LEN`] numbers at least, with
    /// arbitrary contents. It needs no allocator.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Net: [2] -> [1] { Dense(3) -> Tanh -> Dense(1) } }
    ///
    /// let mut memory = [0.0; Net::PARAMS_LEN];
    /// let model = Model::<Net, _>::init_in(7, &mut memory).unwrap();
    /// assert_eq!(model.as_params(), Net::init(7).as_params());
    /// ```
    ///
    /// # Errors
    /// There is too little memory; without the feature `alloc` initial values that are `Orthogonal`, which
    /// need more to be drawn in.
    #[cfg(feature = "train")]
    pub fn init_in(seed: u64, memory: &'m mut [f32]) -> Result<Self, LengthError> {
        let network = N::COMPILED;
        let found = memory.len();
        let params = memory.get_mut(..network.params_len).ok_or(LengthError::model(network, found))?;
        match draw::<N>(seed, params) {
            true => Ok(Model { params, run: TrainedSoFar::default(), network: PhantomData }),
            false => Err(LengthError::orthogonal(network, found)),
        }
    }

    /// A model with a copy of these parameters, such as embedded ones, in memory of the caller's:
    /// [`Network::PARAMS_LEN`] numbers at least. It needs no allocator.
    ///
    /// # Errors
    /// There is too little memory.
    pub fn copy_in(model: ModelRef<'_, N>, memory: &'m mut [f32]) -> Result<Self, LengthError> {
        let network = N::COMPILED;
        let found = memory.len();
        let params = memory.get_mut(..network.params_len).ok_or(LengthError::model(network, found))?;
        params.copy_from_slice(model.params);
        Ok(Model { params, run: TrainedSoFar::default(), network: PhantomData })
    }
}

impl<N: Network, S: Storage> Model<N, S> {
    /// All parameters as they lie in memory, padding included: what a [`ModelRef`] takes.
    pub fn as_params(&self) -> &[f32] {
        &self.params
    }
}

#[cfg(feature = "alloc")]
impl<N: Network, S: Storage> Model<N, S> {
    /// What the parameters are called, and their shapes, in the order of the declaration.
    pub fn tensors(&self) -> Vec<Tensor> {
        params::tensors(N::COMPILED)
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
    /// No tensor has this name, or it has another number of elements; a number that is not finite, or a
    /// variance or deviation below 0. Nothing is changed then.
    pub fn set(&mut self, name: &str, values: &[f32]) -> Result<(), ParamError> {
        let tensor = self.find(name)?;
        if values.len() != tensor.count() {
            return Err(ParamError::new(
                ParamErrorKind::Shape,
                alloc::format!(
                    "`{name}`: expected {} numbers for the shape {}, found {}\nhelp: give them row-major",
                    tensor.count(),
                    tensor.shape,
                    values.len()
                ),
            ));
        }
        if let Some(fault) = tensor.fault(values) {
            return Err(ParamError::new(
                ParamErrorKind::Number,
                alloc::format!("{fault}\nhelp: see what it was computed from"),
            ));
        }
        tensor.write(values, &mut self.params);
        Ok(())
    }

    fn find(&self, name: &str) -> Result<Tensor, ParamError> {
        let all = self.tensors();
        all.iter().find(|tensor| tensor.name == name).cloned().ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|tensor| tensor.name.as_str()).collect();
            ParamError::new(
                ParamErrorKind::Name,
                alloc::format!(
                    "expected the name of a parameter of `{}`, found `{name}`\nhelp: one of {}",
                    N::COMPILED.name,
                    names.join(", ")
                ),
            )
        })
    }

    /// A network within this one, by its label (`block.0` for a copy of a repeated one, `outer.inner` for one
    /// further within): its parameters are borrowed, not copied.
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
        let offset = self.find_part::<P>(name)?;
        Ok(ModelRef::of(&self.params[offset..offset + P::COMPILED.params_len]))
    }

    /// Where the parameters of a network within this one begin.
    fn find_part<P: Network>(&self, name: &str) -> Result<usize, ParamError> {
        let within = params::networks(N::COMPILED);
        match within.iter().find(|part| part.name == name && params::same(part.network, P::COMPILED)) {
            Some(part) => Ok(part.offset),
            None => {
                let names: Vec<String> =
                    within.iter().map(|part| alloc::format!("`{}`: {}", part.name, part.network.name)).collect();
                let there = if names.is_empty() { "none".to_string() } else { names.join(", ") };
                Err(ParamError::new(
                    ParamErrorKind::Name,
                    alloc::format!(
                        "expected a `{}` called `{name}` within `{}`, found {there}\nhelp: label the network where it is used, as in `{name}: {}`",
                        P::COMPILED.name,
                        N::COMPILED.name,
                        P::COMPILED.name
                    ),
                ))
            }
        }
    }
}

/// Draws all parameters; what no network of a program begins with is not in it.
#[cfg(feature = "train")]
fn draw<N: Network>(seed: u64, block: &mut [f32]) -> bool {
    match const { N::COMPILED.nested.draws_normals } {
        true => params::draw::<true>(N::COMPILED, seed, block),
        false => params::draw::<false>(N::COMPILED, seed, block),
    }
}

/// What kind of fault a [`ParamError`] tells of, for a program to match on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ParamErrorKind {
    /// No parameter, or network within, has this name.
    Name,
    /// Another number of values than the parameter has.
    Shape,
    /// A number that is not finite, or a variance or deviation below 0.
    Number,
}

/// A parameter that is not there, or numbers that do not fit it: its kind, and in words what was expected and
/// found.
#[cfg(feature = "train")]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParamError {
    kind: ParamErrorKind,
    text: String,
}

#[cfg(feature = "train")]
impl ParamError {
    fn new(kind: ParamErrorKind, text: String) -> ParamError {
        ParamError { kind, text }
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> ParamErrorKind {
        self.kind
    }
}

#[cfg(feature = "train")]
impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

#[cfg(feature = "train")]
impl core::error::Error for ParamError {}
