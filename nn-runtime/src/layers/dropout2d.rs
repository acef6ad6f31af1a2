//! `Dropout2d`: noise that drops whole channels, whose pixels say much the same. In: `[channels, height,
//! width]`; out: the same. Which channels follows from the seed, the step, the site and the sample alone, so
//! backward draws them again.

use super::image::image;
use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext};
use crate::shape::Shape;
use crate::spec::{Head, LayerSpec, OnnxForm};
use nn_kernels::dropout::dropout;

/// While training a channel becomes 0 with probability `rate` and is divided by `1 - rate` otherwise; when
/// predicting `y = x`. `[channels, height, width] -> [channels, height, width]`.
///
/// | argument | here | PyTorch's `Dropout2d` | Keras's `SpatialDropout2D` |
/// |---|---|---|---|
/// | `rate`, from 0 up to but without 1 | must be given | `p=0.5` | `rate` |
///
/// Tompson et al., "Efficient Object Localization Using Convolutional Networks", 2015.
///
/// ```
/// use nn_runtime::layers::Dropout2d;
/// use nn_runtime::{Probe, Shape};
///
/// let probe = Probe::new(Dropout2d::new(0.5), Dropout2d::rule, [Shape::of([2, 1, 3])]).unwrap();
/// let image = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
/// assert_eq!(probe.forward(1, [&image])[0], image);
/// let [noisy] = probe.training(0, 0).forward(1, [&image]);
/// assert!(noisy[..3] == [0.0; 3] || noisy[..3] == [2.0, 4.0, 6.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Dropout2d {
    rate: f32,
}

impl Dropout2d {
    /// The probability of a channel to be dropped.
    pub const fn new(rate: f32) -> Self {
        Dropout2d { rate }
    }

    /// `[channels, height, width] -> [channels, height, width]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        if !(self.rate >= 0.0 && self.rate < 1.0) {
            let fault = Fault::expected("a rate from 0 up to but without 1").found_real(self.rate);
            return Rule::Err(fault.help("give the share of channels to drop, such as `Dropout2d(0.2)`"));
        }
        match image(x) {
            Ok([channels, ..]) => {
                let spec = LayerSpec::output(x).head(Head::Same).scratch(2 * channels, 0).onnx(OnnxForm::Same);
                spec.backward_without_x().backward_without_y().ok()
            }
            Err(fault) => Rule::Err(fault),
        }
    }

    /// Both ways it is the same function: each channel is kept and scaled, or it is 0.
    fn drop(&self, cx: &mut LayerContext, from: &[f32], to: &mut [f32]) {
        if !cx.is_training() || self.rate == 0.0 {
            to.copy_from_slice(from);
            return;
        }
        let shape = cx.output_shape(0);
        let [channels, pixels] = [shape.dim(0), shape.dim(1) * shape.dim(2)];
        let (ones, rest) = cx.scratch.split_at_mut(cx.batch * channels);
        let factors = &mut rest[..cx.batch * channels];
        ones.fill(1.0);
        dropout(cx.isa, cx.rng, cx.first_sample as u64, channels, self.rate, ones, factors);
        for ((from, to), factor) in from.chunks_exact(pixels).zip(to.chunks_exact_mut(pixels)).zip(factors) {
            // What is dropped is 0 even where it is infinite.
            if *factor == 0.0 {
                to.fill(0.0);
            } else {
                to.iter_mut().zip(from).for_each(|(to, from)| *to = from * *factor);
            }
        }
    }
}

impl Layer for Dropout2d {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        self.drop(cx, x, y);
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        if !dx.is_empty() {
            self.drop(cx, dy, dx);
        }
    }
}
