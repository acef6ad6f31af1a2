//! `LastStep`: of a sequence its last step. In: `[steps, features]`, and perhaps a mask of the steps that are
//! there; out: `[features]`. It only moves numbers.

use super::any_inputs::{AnyInputs, layer_of_any_inputs};
use super::mask::{is_step, mask_fault};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::LayerContext;
use crate::shape::Shape;
use crate::spec::{LayerSpec, OnnxForm, Range};

/// The last step of a sequence, `[steps, features] -> [features]`; with a mask, `([steps, features], [steps])
/// -> [features]`, the last one where the mask is not 0, and zeros where there is none.
///
/// No arguments; PyTorch and Keras write `x[:, -1]`, and Keras's recurrent layers find the last step of a
/// mask themselves. A mask has no gradient: it is answered with zeros.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct End: (x: [3, 2], mask: [3]) -> [2] { (x, mask) -> LastStep }
/// }
/// let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
/// assert_eq!(End::init(0).predictor(1).predict((&x, &[1.0, 1.0, 0.0])), &[3.0, 4.0]);
/// ```
#[derive(Clone, Copy, Default, Debug)]
pub struct LastStep;

impl LastStep {
    /// There is nothing to choose.
    pub const fn new() -> Self {
        LastStep
    }

    /// `[steps, features] -> [features]`, `([steps, features], [steps]) -> [features]`
    pub const fn rule<const N: usize>(&self, x: [Shape; N]) -> Rule {
        if N > 1
            && let Some(fault) = mask_fault(&x, "LastStep")
        {
            return Rule::Err(fault);
        }
        match x[0].dims::<2>() {
            Some([steps, features]) if steps > 0 => {
                let spec = LayerSpec::output(Shape::of([features]))
                    .range(Range::First)
                    .onnx(OnnxForm::LastStep)
                    .backward_without_x()
                    .backward_without_y();
                // Of a mask the steps that are the last ones are kept; in a stream, the last step so far.
                if N > 1 { spec.saves(1).stream_reduces(features).ok() } else { spec.stream_reduces(0).ok() }
            }
            Some(_) => {
                let fault = Fault::expected("an input of at least 1 step").found(x[0]);
                Rule::Err(fault.help("make every dimension before it at least 1"))
            }
            None => {
                let fault = Fault::expected("an input of [steps, features]").found(x[0]);
                Rule::Err(match x[0].rank() {
                    1 => fault.help("leave it out: there is one step already"),
                    _ => super::image::into_steps(fault, x[0]),
                })
            }
        }
    }
}

/// Which step a sample ends with.
fn last(mask: Option<&[f32]>, steps: usize) -> Option<usize> {
    match mask {
        Some(mask) => mask.iter().rposition(is_step),
        None => Some(steps - 1),
    }
}

layer_of_any_inputs!(LastStep);

impl AnyInputs for LastStep {
    fn forward_any(&self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [f32]) {
        let (sample, features) = (cx.input_shape(0).len(), cx.output_shape(0).len());
        let steps = sample / features;
        for (i, (whole, y)) in x[0].chunks_exact(sample).zip(y.chunks_exact_mut(features)).enumerate() {
            let last = last(x.get(1).map(|mask| &mask[i * steps..][..steps]), steps);
            match last {
                Some(last) => y.copy_from_slice(&whole[last * features..][..features]),
                None => y.fill(0.0),
            }
            if x.len() > 1 && !cx.saved.is_empty() {
                // By its bits, which hold any number of steps; past the last is none.
                cx.saved[i] = f32::from_bits(last.unwrap_or(steps) as u32);
            }
        }
    }

    fn backward_input_any(&self, cx: &mut LayerContext, x: &[&[f32]], dy: &[f32], dx: &mut [&mut [f32]]) {
        let (sample, features) = (cx.input_shape(0).len(), cx.output_shape(0).len());
        for (i, (dx, dy)) in dx[0].chunks_exact_mut(sample).zip(dy.chunks_exact(features)).enumerate() {
            let last = if x.len() > 1 { cx.saved[i].to_bits() as usize } else { sample / features - 1 };
            dx.fill(0.0);
            if let Some(dx) = dx.get_mut(last * features..(last + 1) * features) {
                dx.copy_from_slice(dy);
            }
        }
        if x.len() > 1 {
            dx[1].fill(0.0);
        }
    }

    fn step_any(&self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [f32]) {
        if x.len() == 1 {
            return y.copy_from_slice(x[0]);
        }
        let features = cx.output_shape(0).len();
        for (i, (step, y)) in x[0].chunks_exact(features).zip(y.chunks_exact_mut(features)).enumerate() {
            let carried = &mut cx.saved[i * features..][..features];
            if is_step(&x[1][i]) {
                carried.copy_from_slice(step);
            }
            y.copy_from_slice(carried);
        }
    }
}
