//! Whether what a layer's rule claims is true: each capability is run both ways. In: a probe and what an
//! ordinary training step gives; out: nothing, or a sentence that names the claim. A claim that is not
//! checked here is a claim nobody may rely on.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::Probe;
use super::check::{Expected, near, same};
use super::trial::{InputGrads, Trial};
use crate::layer::Layer;
use crate::spec::{Epilogue, Fusible, SavedLayout, Stream};
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::pool::{Pool, max_pool, max_pool_backward};

/// How far results may be apart that are computed in another order.
const TOLERANCE: f64 = 1e-4;

impl<const N: usize, const M: usize, L: Layer<N, M>> Probe<L, N, M> {
    pub(super) fn check_claims(&self, expected: &Expected<N, M>) -> Result<(), String> {
        self.check_backward_input_first(expected)?;
        self.check_sample_parts(expected)?;
        self.check_overwrites(expected)?;
        self.check_passes_gradient(expected)?;
        self.check_in_place(expected)?;
        self.check_fusible(expected)?;
        self.check_accepts_floor(expected)?;
        self.check_accepts_max_pool(expected)?;
        self.check_stream(expected)
    }

    /// `backward_params` alone, unless the rule says that it needs `backward_input` to run first.
    fn check_backward_input_first(&self, expected: &Expected<N, M>) -> Result<(), String> {
        let input_grads = match self.spec.needs_backward_input() {
            true => InputGrads::NoneAsked,
            false => InputGrads::Skipped,
        };
        let (_, grad) = self.repeat(expected, &Trial { input_grads, ..self.ordinary(expected.batch) });
        same(&expected.grad, &grad).map_err(|at| match input_grads {
            InputGrads::Skipped => format!(
                "expected the same gradient of the parameters where `backward_input` has not run, found another at {at}\nhelp: say \
                 `.backward_input_first()` in the rule"
            ),
            _ => format!(
                "`backward_input_first`: expected the same gradient of the parameters where `backward_input` is asked for no `dx`, found \
                 another at {at}"
            ),
        })
    }

    /// Gradients of a part of the samples at a time, where what is kept allows it.
    fn check_sample_parts(&self, expected: &Expected<N, M>) -> Result<(), String> {
        let by_samples = self.spec.memory.layout == SavedLayout::Sample || self.spec.memory.saved == 0;
        if !by_samples || self.spec.depends_on_batch_anywhere() {
            return Ok(());
        }
        let (batch, middle) = (expected.batch, expected.batch.div_ceil(2));
        let parts = vec![0..middle, middle..batch];
        let (_, grad) = self.repeat(expected, &Trial { parts, ..self.ordinary(batch) });
        same(&expected.grad, &grad).map_err(|at| {
            format!(
                "`saved_layout`: expected the same gradient of the parameters from samples 0..{middle} and {middle}..{batch} of what is kept, \
                 found another at {at}"
            )
        })
    }

    /// The first parameter's gradient over whatever is there.
    fn check_overwrites(&self, expected: &Expected<N, M>) -> Result<(), String> {
        if !self.spec.backward.overwrites_weight_grad {
            return Ok(());
        }
        let first = &self.tensors[0];
        let range = first.offset..first.offset + first.len;
        let trial = Trial { overwrite: true, ranges: vec![range.clone(); 1], ..self.ordinary(expected.batch) };
        let mut grad = AlignedBuffer::zeroed(self.spec.params.len);
        grad.fill(f32::NAN);
        self.run_trial(&trial, expected.x, expected.dy, &mut grad);
        // Adding to 0 turns -0 into 0.
        let plus_zero = |grad: &[f32]| grad[range.clone()].iter().map(|g| g + 0.0).collect::<Vec<f32>>();
        same(&plus_zero(&expected.grad), &plus_zero(&grad)).map_err(|at| {
            format!(
                "`overwrites_weight_grad`: expected the gradient that is added elsewhere in place of what was there, found another at {at}"
            )
        })
    }

    fn check_passes_gradient(&self, expected: &Expected<N, M>) -> Result<(), String> {
        if !self.spec.backward.passes_gradient {
            return Ok(());
        }
        for (k, dx) in expected.whole.dx.iter().enumerate() {
            if M != 1 || dx.len() != expected.dy[0].len() {
                return Err(format!("`passes_gradient`: expected one output of the size of input {k}, found others"));
            }
            same(expected.dy[0], dx).map_err(|at| {
                format!("`passes_gradient`: expected the gradient of input {k} to be that of the output, found another at {at}")
            })?;
        }
        Ok(())
    }

    /// `backward_in_place` beside `backward_input`.
    fn check_in_place(&self, expected: &Expected<N, M>) -> Result<(), String> {
        if !self.spec.backward.in_place {
            return Ok(());
        }
        if N != 1 || M != 1 || expected.x[0].len() != expected.dy[0].len() {
            return Err("`backward_in_place`: expected one input and one output of its size, found others".into());
        }
        let trial = Trial { input_grads: InputGrads::InPlace, ..self.ordinary(expected.batch) };
        let (found, grad) = self.repeat(expected, &trial);
        same(&expected.whole.dx[0], &found.dx[0]).and_then(|()| same(&expected.grad, &grad)).map_err(|at| {
            format!("`backward_in_place`: expected the same gradient in place as not, found another at {at}")
        })
    }

    /// What the layer before may do in this one's stead.
    fn check_fusible(&self, expected: &Expected<N, M>) -> Result<(), String> {
        let batch = expected.batch;
        let Some(fusible) = self.spec.fusion.is else { return Ok(()) };
        if N != 1 || M != 1 {
            return Err(format!("expected one input and one output of a layer that is fused, found {N} and {M}"));
        }
        let [y] = &self.run(&self.params, self.infer(batch), expected.x)[..] else { unreachable!("M == 1") };
        let from_output = match fusible {
            Fusible::Elementwise { from_output } => from_output,
            Fusible::Floor(floor) => {
                same(&floored(expected.x[0], floor), y)
                    .map_err(|at| format!("`floor`: expected max(x, {floor}), found another output at {at}"))?;
                true
            }
            Fusible::MaxPool(pool) => {
                let (maxima, places) = self.maxima(pool, expected.x[0]);
                let dx = self.maxima_backward(pool, expected.dy[0], &places, expected.x[0].len());
                return same(&maxima, y).and_then(|()| same(&dx, &expected.whole.dx[0])).map_err(|at| {
                    format!("`max_pool`: expected the largest numbers of the windows of {pool:?}, found others at {at}")
                });
            }
        };
        if let Some(found) = self.in_place(batch, expected.x[0]) {
            same(y, &found)
                .map_err(|at| format!("`elementwise`: expected the same output in place, found another at {at}"))?;
        }
        if !from_output {
            return Ok(());
        }
        let (found, grad) = self.repeat(expected, &Trial { applied: true, ..self.ordinary(batch) });
        same(&expected.whole.y[0], &found.y[0]).map_err(|at| {
            format!("`elementwise`: expected the same output in place while training, found another at {at}")
        })?;
        same(&expected.whole.dx[0], &found.dx[0]).and_then(|()| same(&expected.grad, &grad)).map_err(|at| {
            format!(
                "`elementwise(true)`: expected the same gradient where the output has overwritten the input, found another at {at}\nhelp: say \
                 `.elementwise(false)`, or keep what the gradient needs in `cx.saved`"
            )
        })?;
        if self.spec.backward.reads_x {
            return Err("`elementwise(true)`: expected `backward_without_x` beside it, found a layer that is given its input\nhelp: say \
                        `.backward_without_x()` in the rule, without which the layer is not fused while training"
                .into());
        }
        Ok(())
    }

    /// With `max(y, floor)` at its end, as with a layer after it that computes that.
    fn check_accepts_floor(&self, expected: &Expected<N, M>) -> Result<(), String> {
        if !self.spec.fusion.accepts.elementwise {
            return Ok(());
        }
        let floor = middle(&expected.whole.y[0]);
        let epilogue = Epilogue { floor: Some(floor), max_pool: None };
        let (found, grad) = self.repeat(expected, &Trial { epilogue, ..self.ordinary(expected.batch) });
        same(&floored(&expected.whole.y[0], floor), &found.y[0]).map_err(|at| {
            format!(
                "`accepts_elementwise`: expected the output to be max(y, cx.floor()) where that is {floor}, found {} at {at}\nhelp: end `forward` \
                 with it, or leave `.accepts_elementwise()` out of the rule",
                found.y[0][at]
            )
        })?;
        let dx = expected.whole.dx.iter().zip(&found.dx).try_for_each(|(expected, found)| same(expected, found));
        dx.and_then(|()| same(&expected.grad, &grad)).map_err(|at| {
            format!(
                "`accepts_elementwise`: expected gradients that do not depend on `cx.floor()`, for the same `dy`, found others at {at}"
            )
        })
    }

    /// With the largest number of each window at its end, as with a pool after it.
    fn check_accepts_max_pool(&self, expected: &Expected<N, M>) -> Result<(), String> {
        let (Some(_), Some([channels, height, width])) =
            (self.spec.fusion.accepts.max_pool, self.spec.shapes.outputs[0].dims())
        else {
            return Ok(());
        };
        let pool = Pool::new([channels, height, width], [height.min(2), width.min(2)]);
        let y = &expected.whole.y[0];
        for floor in [None, Some(middle(y))] {
            let y = floored(y, floor.unwrap_or(f32::NEG_INFINITY));
            let (maxima, places) = self.maxima(pool, &y);
            let dy = &expected.dy[0][..maxima.len()];
            let mut separate = self.maxima_backward(pool, dy, &places, y.len());
            if let Some(floor) = floor {
                separate.iter_mut().zip(&y).filter(|(_, y)| **y <= floor).for_each(|(dy, _)| *dy = 0.0);
            }
            let mut grad = AlignedBuffer::zeroed(self.spec.params.len);
            let ordinary = self.ordinary(expected.batch);
            let truth = self.run_trial(&ordinary, expected.x, [&separate[..]; M], &mut grad);
            let mut fused_grad = AlignedBuffer::zeroed(self.spec.params.len);
            let trial = Trial { epilogue: Epilogue { floor, max_pool: Some(pool) }, ..ordinary };
            let fused = self.run_trial(&trial, expected.x, [dy; M], &mut fused_grad);
            for (what, truth, found) in [
                ("output", &maxima[..], &fused.y[0][..]),
                ("gradient of the input", &truth.dx[0], &fused.dx[0]),
                ("gradient of the parameters", &grad, &fused_grad),
            ] {
                let truth: Vec<f64> = truth.iter().map(|number| f64::from(*number)).collect();
                near(found, &truth, TOLERANCE, "that of the two layers")
                    .map_err(|off| format!("`accepts_max_pool`: expected the {what} {off}"))?;
            }
        }
        Ok(())
    }

    fn maxima(&self, pool: Pool, x: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let len = x.len() / pool.x_len() * pool.y_len();
        let (mut y, mut places) = (vec![0.0; len], vec![0.0; len]);
        max_pool(self.isa, pool, x, &mut y, &mut places);
        (y, places)
    }

    fn maxima_backward(&self, pool: Pool, dy: &[f32], places: &[f32], len: usize) -> Vec<f32> {
        let mut dx = vec![0.0; len];
        max_pool_backward(self.isa, pool, dy, places, &mut dx);
        dx
    }

    /// Step by step, as of a window.
    fn check_stream(&self, expected: &Expected<N, M>) -> Result<(), String> {
        let spec = self.spec;
        let sequence = |shape: &crate::Shape| shape.rank() > 0 && shape.dim(0) == spec.shapes.inputs[0].dim(0);
        let inputs = spec.shapes.inputs[0].rank() > 0 && spec.shapes.inputs[..N].iter().all(sequence);
        let outputs = spec.output_shapes().iter().all(|shape| shape.rank() > 1 && sequence(shape));
        // On one row of features there are no steps to take one by one.
        if !inputs || !(outputs || matches!(spec.stream.kind, Stream::Ends(_))) {
            return Ok(());
        }
        let Some(steps) = self.stream(expected.batch, expected.x) else { return Ok(()) };
        let window = self.run(&self.params, self.infer(expected.batch), expected.x);
        for (window, steps) in window.iter().zip(&steps) {
            let window: Vec<f64> = window.iter().map(|number| f64::from(*number)).collect();
            near(steps, &window, TOLERANCE, "that of a window")
                .map_err(|off| format!("{}: expected the output step by step {off}", spec.stream.kind.claim()))?;
        }
        Ok(())
    }
}

/// `max(x, floor)`; what is no number stays none.
fn floored(x: &[f32], floor: f32) -> Vec<f32> {
    x.iter().map(|&x| if x <= floor { floor } else { x }).collect()
}

/// A number, not 0, with about as many of these below it as above.
fn middle(numbers: &[f32]) -> f32 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f32::total_cmp);
    match sorted.get(sorted.len() / 2) {
        Some(&middle) if middle != 0.0 && middle.is_finite() => middle,
        _ => 0.125,
    }
}
