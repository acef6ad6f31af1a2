//! A layer run one step at a time. In: a probe and windows; out: what the steps give, put together again. It
//! has no memory but what a stream gives a layer: what is carried, and scratch that does not depend on the
//! batch.

use alloc::vec;
use alloc::vec::Vec;
use core::array;

use super::Probe;
use super::trial::Ask;
use crate::layer::Layer;
use crate::spec::{Epilogue, Pass, Stream};

impl<const N: usize, const M: usize, L: Layer<N, M>> Probe<L, N, M> {
    /// The outputs of [`Layer::step`] for every step of the inputs, each `[batch, steps, …]`. An output of
    /// steps is put together to `[batch, steps, …]`; of a layer that ends them it is the output after the
    /// last. `None` if the rule does not say that it streams, one step for each.
    ///
    /// # Panics
    /// An input has another length, or an output other steps than the first input.
    pub fn stream(&self, batch: usize, x: [&[f32]; N]) -> Option<[Vec<f32>; M]> {
        let (carried, ends) = match self.spec.stream.kind {
            Stream::No => return None,
            Stream::PerStep => (0, false),
            Stream::Carries(floats) => (floats, false),
            Stream::Ends(floats) => (floats, true),
        };
        if self.spec.stream.stride > 1 {
            return None;
        }
        self.check_lengths(batch, x, None);
        let ask = Ask { pass: Pass::Step, ..self.infer(batch) };
        let (mut saved, mut scratch) = self.memory(ask, &Epilogue::NONE);
        assert_eq!(saved.len(), carried * batch);
        saved.fill(0.0);
        let steps = self.spec.shapes.inputs[0].dim(0);
        let mut y = self.outputs(batch);
        for step in 0..steps {
            let x: [Vec<f32>; N] = array::from_fn(|k| {
                let one = x[k].len() / (batch * steps);
                x[k].chunks(one).skip(step).step_by(steps).flatten().copied().collect()
            });
            let mut to: [Vec<f32>; M] =
                array::from_fn(|j| vec![f32::NAN; if ends { y[j].len() } else { y[j].len() / steps }]);
            scratch.fill(f32::NAN);
            let mut cx = self.cx(&self.params, ask, &mut saved, &mut scratch);
            cx.position = step as u64;
            crate::pass::forward(&self.layer, &mut cx, x.each_ref().map(|x| &x[..]), to.each_mut().map(|y| &mut y[..]));
            for (y, to) in y.iter_mut().zip(&to) {
                let one = to.len() / batch;
                let (step, steps) = if ends { (0, 1) } else { (step, steps) };
                for (y, to) in y.chunks_mut(one).skip(step).step_by(steps).zip(to.chunks(one)) {
                    y.copy_from_slice(to);
                }
            }
        }
        Some(y)
    }
}
