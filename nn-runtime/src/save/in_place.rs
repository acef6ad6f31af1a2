//! Weights within the program, as a network reads them. In: the bytes of a file that has been compared with
//! the network; out: at compile time its parameters as they lie in memory, to be read where the program has
//! them, or at run time a model with a copy.

use super::embedded::{Aligned, Embedded, is_sound};
use super::wanted::StoredNumbers;
use crate::graph::CompiledNetwork;
use crate::model::{ModelRef, Network};
use crate::spec::{Layout, Param};

/// The parameters of `network` as they lie in memory. `LEN` is how many numbers that are.
pub const fn lay_out<const TENSORS: usize, const LEN: usize>(
    network: &CompiledNetwork,
    from: &Embedded<TENSORS>,
) -> Aligned<[f32; LEN]> {
    let mut block = [0.0; LEN];
    let (mut i, mut tensor) = (0, 0);
    // What is wrong with a network has been told.
    while is_sound(network) && i < network.nodes.len() {
        let node = &network.nodes[i];
        let (list, each) = (node.spec.params.list(), node.spec.params.len / node.spec.times);
        let mut copy = 0;
        while node.shares.is_none() && copy < node.spec.times {
            let mut k = 0;
            while k < list.len() {
                let (_, rest) = block.split_at_mut(node.params + copy * each + list[k].offset);
                place(&list[k], from.bytes, from.places[tensor], rest);
                tensor += 1;
                k += 1;
            }
            copy += 1;
        }
        i += 1;
    }
    Aligned(block)
}

/// Puts the numbers of one parameter to the beginning of `to`, whose padding is 0 already.
const fn place(param: &Param, bytes: &[u8], StoredNumbers { from, of }: StoredNumbers, to: &mut [f32]) {
    let numbers = bytes.split_at(from as usize).1;
    let (count, mut i) = (param.shape.len(), 0);
    while i < count {
        let at = match param.layout {
            Layout::Plain => i,
            Layout::Panels(panels) => panels.index(i % panels.rows(), i / panels.rows()),
        };
        to[at] = of.number(numbers, i);
        i += 1;
    }
}

/// What predicts with parameters where they lie.
pub const fn in_place<N: Network>(params: &'static [f32]) -> ModelRef<'static, N> {
    ModelRef::of(params)
}

/// A model with the weights that are within the program.
#[cfg(feature = "alloc")]
pub fn embedded<N: Network, const TENSORS: usize>(from: &'static Embedded<TENSORS>) -> crate::model::Model<N> {
    use super::{Unsound, numbers};
    let tensors = crate::params::tensors(N::COMPILED);
    match numbers(&mut &*from.bytes, &tensors, &from.places, N::COMPILED.params_len) {
        Ok(params) => crate::model::Model::with_params(params),
        Err(Unsound::Numbers(error)) => unreachable!("what rustc has read is read again: {error}"),
    }
}
