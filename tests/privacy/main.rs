//! Private training: what it promises against Google's accountant, and what its steps do against gradients of
//! samples one by one.

mod accountant;
mod refusals;
mod runs;
mod steps;

use nn_runtime::prelude::*;
use nn_runtime::train::privacy::Privacy;

/// Settings of a run that tells nobody.
fn privacy(noise: f64, norm: f64) -> Privacy {
    Privacy::new(noise, norm).seed(5).tell(|_| {})
}

/// All numbers of a model by their tensors.
fn all<N: Network>(model: &Model<N>) -> Vec<(String, Vec<f32>)> {
    model.tensors().into_iter().map(|tensor| (tensor.name.clone(), model.get(&tensor.name).unwrap())).collect()
}
