//! What a trainer promises beyond right numbers: runs that go on where they were, steps that are refused
//! before anything changes, the best model put back, and rows that do not count. In: small networks; out:
//! nothing, or a panic.

mod accumulated;
mod alone;
mod continuing;
mod divergence;
mod in_memory;
mod logs;
mod own_loop;
mod refused_everywhere;
mod refused_steps;
mod stateful;
mod stopping;
mod swa;
mod without_weight;

use nn_runtime::prelude::*;

fn params<N: Network>(model: &Model<N>) -> Vec<f32> {
    model.tensors().iter().flat_map(|tensor| model.get(&tensor.name).unwrap()).collect()
}
