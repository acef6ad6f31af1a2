//! Weights within the program, as a network reads them. In: the bytes of a file that has been compared with
//! the network; out: at compile time its parameters as they lie in memory, to be read where the program has
//! them, or at run time a model with a copy.

use super::embedded::{Aligned, Embedded};
use super::numbers::NumberType;
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
    let numbers = bytes.split_at(from as usize).1.split_at(lie.count * of.size()).0;
    let Layout::Panels(panels) = lie.layout else {
        return line(of, numbers, to, [0, 1]);
    };
    let (rows, mut i) = (panels.rows(), 0);
    while i < lie.count {
        let first = panels.index(0, i / rows);
        // The inputs of an output lie in equal steps, but where the matrix is transposed.
        let (count, step) = match panels.transposed() || rows == 1 {
            true => (1, 0),
            false => (rows, panels.index(1, i / rows) - first),
        };
        let at = if panels.transposed() { panels.index(i % rows, i / rows) } else { first };
        let some = numbers.split_at((i + count) * of.size()).0.split_at(i * of.size()).1;
        line(of, some, to, [at, step]);
        i += count;
    }
}

/// Puts all of these numbers to `to`, the first at `at`, each `step` further.
const fn line(of: NumberType, numbers: &[u8], to: &mut [f32], [mut at, step]: [usize; 2]) {
    if let NumberType::F32 = of {
        let mut left = numbers.as_chunks::<4>().0;
        // Each call and each turn takes const code its time.
        while let [number, rest @ ..] = left {
            to[at] = f32::from_le_bytes(*number);
            (left, at) = (rest, at + step);
        }
        return;
    }
    let mut i = 0;
    while i < numbers.len() / of.size() {
        to[at] = of.number(numbers, i);
        (i, at) = (i + 1, at + step);
    }
}

/// A network whose parameters lie in the program, computed where they are used.
pub trait LaidOut: Network {
    /// As they lie in memory.
    const LAID_OUT: &'static [f32];
}

/// What predicts with parameters where they lie.
#[inline]
pub const fn in_place<N: LaidOut>() -> ModelRef<'static, N> {
    ModelRef::of(N::LAID_OUT)
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
