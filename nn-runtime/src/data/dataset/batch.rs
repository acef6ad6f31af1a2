//! A dataset as a batch that is written sample by sample: its memory is used again.

use super::super::{Dataset, OneTarget};
use crate::limits::MAX_INPUTS;
use core::array;

impl<T: OneTarget> Dataset<T> {
    /// Makes room for so many samples, whatever they are.
    pub(crate) fn resize(&mut self, samples: usize, target_width: usize) {
        self.inputs.iter_mut().chain(&mut self.weights).for_each(|input| input.resize(samples));
        if self.targets.len() != samples {
            self.targets = T::zeros(samples, target_width);
        }
    }

    /// Sample `i`, to be written: a slice for each input, and the targets.
    pub(crate) fn write<R>(&mut self, i: usize, by: impl FnOnce(&mut [&mut [f32]], &mut [T::Item]) -> R) -> R {
        let count = self.inputs.len();
        let mut x: [&mut [f32]; MAX_INPUTS] = array::from_fn(|_| &mut [][..]);
        x.iter_mut().zip(&mut self.inputs).for_each(|(x, input)| *x = input.sample_mut(i));
        let width = self.targets.width();
        by(&mut x[..count], &mut self.targets.as_mut_slice()[i * width..(i + 1) * width])
    }
}

impl<T> Dataset<T> {
    /// The weights of sample `i`, to be written; none where all count alike.
    pub(crate) fn weights_mut(&mut self, i: usize) -> Option<&mut [f32]> {
        self.weights.as_mut().map(|weights| weights.sample_mut(i))
    }

    /// Input `k` of sample `i`, to be changed in place, `[width]`.
    pub(crate) fn sample_mut(&mut self, k: usize, i: usize) -> &mut [f32] {
        self.inputs[k].sample_mut(i)
    }
}
