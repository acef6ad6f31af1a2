//! Weights within the program, as a network reads them. In: the bytes of a file that has been compared with
//! the network; out: at compile time its parameters as they lie in memory, to be read where the program has
//! them, or at run time a model with a copy.

use super::embedded::{Aligned, Embedded};
use super::rows::BlockPlace;
use super::wanted::StoredNumbers;
use crate::model::{ModelRef, Network};
use crate::spec::Layout;

/// The parameters of a network as they lie in memory, padding included. `LEN` is how many numbers that are.
pub const fn lay_out<const TENSORS: usize, const LEN: usize>(from: &Embedded<TENSORS>) -> Aligned<[f32; LEN]> {
    let mut block = [0.0; LEN];
    let mut i = 0;
    while i < TENSORS {
        let rest = block.split_at_mut(from.in_block[i].offset).1;
        place(from.in_block[i], from.bytes, from.places[i], rest);
        i += 1;
    }
    Aligned(block)
}

/// Puts the numbers of one tensor to the beginning of `to`, whose padding is 0 already.
const fn place(lie: BlockPlace, bytes: &[u8], StoredNumbers { from, of }: StoredNumbers, to: &mut [f32]) {
    let numbers = bytes.split_at(from as usize).1;
    let mut i = 0;
    while i < lie.count {
        let at = match lie.layout {
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
