//! `Dropout`: noise against overfitting. In: any shape; out: the same. While training, some numbers become 0;
//! which ones follows from the seed, the step, the site and the sample alone, so backward draws them again
//! and nothing is kept.

use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext};
use crate::shape::Shape;
use crate::spec::{Head, LayerSpec, OnnxForm};
use nn_kernels::dropout::dropout;

/// While training `y = 0` with probability `rate` and `y = x / (1 - rate)` otherwise; when predicting `y =
/// x`. Any shape.
///
/// | argument | here | PyTorch's `Dropout` | Keras's `Dropout` |
/// |---|---|---|---|
/// | `rate`, from 0 up to but without 1 | must be given | `p=0.5` | `rate` |
///
/// Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Same: [3] -> [3] { Dropout(0.5) }
/// }
/// assert_eq!(Same::init(0).predictor(1).predict(&[1.0, 2.0, 3.0]), &[1.0, 2.0, 3.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    rate: f32,
}

impl Dropout {
    /// The probability of a number to be dropped.
    pub const fn new(rate: f32) -> Self {
        Dropout { rate }
    }

    /// `[…] -> […]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        if !(self.rate >= 0.0 && self.rate < 1.0) {
            let fault = Fault::expected("a rate from 0 up to but without 1").found_real(self.rate);
            return Rule::Err(fault.help("give the share to drop, such as `Dropout(0.5)`"));
        }
        LayerSpec::output(x)
            .head(Head::Same)
            .backward_without_x()
            .backward_without_y()
            .per_step()
            .drops_when_training(self.rate)
            .onnx(OnnxForm::Same)
            .ok()
    }

    /// Both ways it is the same function: each number is kept and scaled, or it is 0.
    fn drop(&self, cx: &LayerContext, from: &[f32], to: &mut [f32]) {
        if cx.is_training() && self.rate > 0.0 {
            let len = cx.output_shape(0).len();
            dropout(cx.isa, cx.rng, cx.first_sample as u64, len, self.rate, from, to);
        } else {
            to.copy_from_slice(from);
        }
    }
}

impl Layer for Dropout {
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
