//! All parameters as one vector. In: a model, or numbers for each of its tensors, row-major one after the
//! other; out: the other of the two, or which number does not fit, with nothing changed. It allocates
//! nothing.

use super::{Model, ModelRef, Network, ParamError, ParamErrorKind};
use crate::graph::CompiledNetwork;
use crate::params;
use crate::storage::Storage;
use crate::text::format;

impl<N: Network, S: Storage> Model<N, S> {
    /// Writes all parameters into `to`, one tensor after the other as [`tensors`](Model::tensors) lists them,
    /// each row-major in its standard shape: PyTorch's `parameters_to_vector`, with running statistics and
    /// constants. What looks at parameters as one vector, such as an evolution strategy, takes them so.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Line: [2] -> [1] { Dense(1, init = Constant(0.5)) } }
    ///
    /// let mut model = Line::init(0);
    /// let mut all = vec![0.0; Line::param_count()];
    /// model.read_params(&mut all);
    /// assert_eq!(all, [0.5, 0.5, 0.0]);
    /// model.write_params(&[1.0, 2.0, 3.0]).unwrap();
    /// assert_eq!(model.get("dense_1.bias").unwrap(), [3.0]);
    /// ```
    ///
    /// # Panics
    /// `to` does not hold as many numbers as [`Network::param_count`] says.
    pub fn read_params(&self, to: &mut [f32]) {
        ModelRef::<N>::of(&self.params).read_params(to);
    }

    /// Replaces all parameters by those that [`read_params`](Model::read_params) writes: PyTorch's
    /// `vector_to_parameters`.
    ///
    /// # Errors
    /// Another number of numbers; a number that is not finite, or a variance or deviation below 0. Nothing is
    /// changed then.
    pub fn write_params(&mut self, from: &[f32]) -> Result<(), ParamError> {
        write_params(N::COMPILED, from, &mut self.params)
    }
}

impl<N: Network> ModelRef<'_, N> {
    /// As [`Model::read_params`].
    ///
    /// # Panics
    /// As there.
    pub fn read_params(&self, to: &mut [f32]) {
        let (count, found) = (N::PARAMS, to.len());
        assert!(found == count, "expected room for {count} numbers, all parameters, found {found}");
        let mut left = to;
        params::each(N::COMPILED, &mut |tensor| {
            let (values, rest) = core::mem::take(&mut left).split_at_mut(tensor.count());
            left = rest;
            tensor.read(self.params, values);
        });
    }
}

/// Writes numbers for all parameters into a model's block.
pub(crate) fn write_params(
    network: &'static CompiledNetwork,
    from: &[f32],
    block: &mut [f32],
) -> Result<(), ParamError> {
    let count = network.nested.param_count;
    if from.len() != count {
        return Err(ParamError::new(
            ParamErrorKind::Shape,
            format!(
                "expected {count} numbers, all parameters of `{}`, found {}\nhelp: give them as `read_params` does",
                network.name,
                from.len()
            ),
        ));
    }
    let (mut left, mut fault) = (from, None);
    params::each(network, &mut |tensor| {
        let (values, rest) = left.split_at(tensor.count());
        left = rest;
        if let (None, Some((at, expected))) = (&fault, tensor.fault(values)) {
            fault = Some(format!(
                "`{tensor}`, element {at}: expected {expected}, found {}\nhelp: see what it was computed from",
                values[at]
            ));
        }
    });
    if let Some(fault) = fault {
        return Err(ParamError::new(ParamErrorKind::Number, fault));
    }
    let mut left = from;
    params::each(network, &mut |tensor| {
        let (values, rest) = left.split_at(tensor.count());
        left = rest;
        tensor.write(values, block);
    });
    Ok(())
}
