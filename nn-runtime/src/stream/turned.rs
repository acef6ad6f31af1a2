//! One stride of several voices, where it is of several steps: callers give the voices of each step side by
//! side, layers take the steps of each voice in a row. In: an engine and slices; out: slices.

use super::engine::{Engine, input_numbers};
use crate::limits::{MAX_INPUTS, MAX_OUTPUTS};
use crate::model::Network;
use crate::storage::Storage;

/// From `[rows, columns, each]` to `[columns, rows, each]`.
fn turn([rows, columns]: [usize; 2], from: &[f32], to: &mut [f32]) {
    let each = from.len() / (rows * columns);
    for (i, from) in from.chunks_exact(each).enumerate() {
        to[(i % columns * rows + i / columns) * each..][..each].copy_from_slice(from);
    }
}

impl<S: Storage> Engine<S> {
    /// One stride of several voices, whose layers see one voice after the other.
    pub(super) fn walk_turned<N: Network>(&mut self, params: &[f32], x: &[&[f32]], y: &mut [&mut [f32]]) {
        let (network, voices) = (N::COMPILED, self.voices);
        let mut turned = core::mem::take(&mut self.turned);
        let (given, made) = turned.split_at_mut(input_numbers(network) * voices);
        let (mut from, mut given) = ([&[][..]; MAX_INPUTS], given);
        for (from, x) in from.iter_mut().zip(x) {
            let (to, rest) = given.split_at_mut(x.len());
            turn([self.stride, voices], x, to);
            (*from, given) = (to, rest);
        }
        let (mut to, mut rest): ([&mut [f32]; MAX_OUTPUTS], _) = (Default::default(), &mut *made);
        for (to, y) in to.iter_mut().zip(&*y) {
            (*to, rest) = core::mem::take(&mut rest).split_at_mut(y.len());
        }
        self.walk::<N>(params, 1, &from[..x.len()], &mut to[..y.len()]);
        for ((y, to), steps) in y.iter_mut().zip(&to).zip(network.streaming.steps) {
            turn([voices, steps], to, y);
        }
        self.turned = turned;
    }
}
