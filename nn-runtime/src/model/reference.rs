//! A network whose parameters lie elsewhere: in the program, in a buffer of the caller's, within another
//! model. In: numbers as a model has them; out: what predictors and streamers run. It copies nothing.

use core::marker::PhantomData;

use super::Network;
use crate::storage::LengthError;

/// A network with parameters that are borrowed: those of a network within a [`Model`](crate::Model), or a
/// block of memory that holds [`Network::PARAMS_LEN`] numbers as a model lays them out. It needs no
/// allocator.
///
/// ```
/// use nn_runtime::prelude::*;
/// use nn_runtime::{ModelRef, Predictor};
///
/// network! { struct Sum: [2] -> [1] { all: Dense(1, bias = false, init = Constant(1.0)) } }
///
/// let model = Sum::init(0);
/// let params: &[f32] = model.as_params(); // lies anywhere, for as long as it is used
/// let mut memory = [0.0; Sum::predict_len(1)];
/// let mut predictor = Predictor::new_in(ModelRef::<Sum>::new(params)?, 1, &mut memory)?;
/// assert_eq!(predictor.predict(&[3.0, 4.0]), &[7.0]);
/// # Ok::<(), nn_runtime::LengthError>(())
/// ```
pub struct ModelRef<'p, N> {
    pub(crate) params: &'p [f32],
    network: PhantomData<fn() -> N>,
}

/// A network within a [`Model`](crate::Model): its parameters, borrowed.
pub type ModelPart<'m, P> = ModelRef<'m, P>;

impl<N> Clone for ModelRef<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for ModelRef<'_, N> {}

impl<'p, N: Network> ModelRef<'p, N> {
    /// A model of these parameters, as [`Model::as_params`](crate::Model::as_params) gives them or
    /// `#[weights]` lays them out at compile time.
    ///
    /// # Errors
    /// They are not [`Network::PARAMS_LEN`] numbers.
    pub const fn new(params: &'p [f32]) -> Result<Self, LengthError> {
        let network = N::COMPILED;
        match params.len() == network.params_len {
            true => Ok(ModelRef::of(params)),
            false => Err(LengthError::params(network, params.len())),
        }
    }

    /// What has the length already.
    pub(crate) const fn of(params: &'p [f32]) -> Self {
        ModelRef { params, network: PhantomData }
    }
}

#[cfg(feature = "alloc")]
impl<N: Network> ModelRef<'_, N> {
    /// A model of its own with a copy of the parameters: to save, to train further, to put elsewhere.
    pub fn to_model(&self) -> super::Model<N> {
        let mut params = nn_kernels::aligned_buffer::AlignedBuffer::zeroed(self.params.len());
        params.copy_from_slice(self.params);
        super::Model::with_params(params)
    }
}
