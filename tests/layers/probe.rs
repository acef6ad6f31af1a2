//! The judge itself: layers that break one promise each, and what `Probe` says about them.

use nn_runtime::{Init, Layer, LayerContext, LayerSpec, ParamGrad, Probe, ReadContext, Rule, Shape};

/// What is wrong with [`Scale`].
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    SlopeOfInput,
    SlopeOfParameter,
    SetsInsteadOfAdds,
    ForgetsTheRange,
    LooksAtTheBatch,
    KeepsTooLittle,
    OtherInPlace,
    WritesNothing,
}

/// `y = factor · x` for each feature, or something like it.
#[derive(Clone, Copy)]
struct Scale(Fault);

impl Scale {
    const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let spec = LayerSpec::output(x).param("factor", x, Init::Constant(2.0)).saves(1);
        // An activation has no parameters as a rule; nothing forbids it.
        spec.elementwise(true).backward_without_x().ok()
    }
}

impl Layer for Scale {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let factor = cx.param(0);
        for (x, y) in x.chunks(factor.len()).zip(y.chunks_mut(factor.len())) {
            for i in 0..factor.len() {
                y[i] = factor[i] * x[i] * if self.0 == Fault::LooksAtTheBatch { cx.batch as f32 } else { 1.0 };
            }
        }
        let kept = if self.0 == Fault::KeepsTooLittle { 1 } else { cx.saved.len() };
        cx.saved.iter_mut().take(kept).for_each(|saved| *saved = 1.0);
    }

    fn apply(&self, cx: &mut LayerContext, y: &mut [f32]) {
        let factor = cx.param(0);
        for y in y.chunks_mut(factor.len()) {
            y.iter_mut().zip(factor).for_each(|(y, f)| *y *= if self.0 == Fault::OtherInPlace { -f } else { *f });
        }
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        let factor = cx.param(0);
        let sign = if self.0 == Fault::SlopeOfInput { -1.0 } else { 1.0 };
        if self.0 == Fault::WritesNothing {
            return;
        }
        for ((dx, dy), saved) in dx.chunks_mut(factor.len()).zip(dy.chunks(factor.len())).zip(&*cx.saved) {
            for i in 0..factor.len() {
                dx[i] = sign * saved * factor[i] * dy[i];
            }
        }
    }

    fn backward_params(&self, cx: &mut ReadContext, [x]: [&[f32]; 1], [dy]: [&[f32]; 1], mut part: ParamGrad) {
        let len = cx.param(0).len();
        let (range, grad) = part.slice(cx, 0);
        let from = if self.0 == Fault::ForgetsTheRange { 0 } else { range.start };
        if self.0 == Fault::SetsInsteadOfAdds {
            grad.fill(0.0);
        }
        for (x, dy) in x.chunks(len).zip(dy.chunks(len)) {
            for (i, grad) in grad.iter_mut().enumerate() {
                let slope = x[from + i] * dy[from + i];
                *grad += if self.0 == Fault::SlopeOfParameter { 2.0 * slope } else { slope };
            }
        }
    }
}

const LEN: usize = 40;
const BATCH: usize = 3;

fn judge(fault: Fault) -> (Result<(), String>, Result<(), String>) {
    let x: Vec<f32> = (0..BATCH * LEN).map(|i| 1.0 + i as f32 / 64.0).collect();
    let dy: Vec<f32> = (0..BATCH * LEN).map(|i| 2.0 - i as f32 / 32.0).collect();
    let probe = Probe::new(Scale(fault), Scale::rule, [Shape::of([LEN])]).unwrap();
    (probe.check_contract(BATCH, [&x], [&dy]), probe.check_gradients(BATCH, [&x], [&dy], 1e-2))
}

#[test]
fn a_good_layer_passes() {
    assert_eq!(judge(Fault::None), (Ok(()), Ok(())));
}

#[test]
fn every_broken_promise_is_found() {
    for (fault, says) in [
        (Fault::SetsInsteadOfAdds, "added sample after sample"),
        (Fault::ForgetsTheRange, "in parts"),
        (Fault::LooksAtTheBatch, "expected the same y for samples 0..1 of 3 alone"),
        (Fault::OtherInPlace, "in place"),
    ] {
        let text = judge(fault).0.unwrap_err();
        assert!(text.contains(says), "{text}");
    }
}

#[test]
fn every_wrong_gradient_is_found() {
    for (fault, says) in [
        (
            Fault::SlopeOfInput,
            "expected the gradient of input 0 within 0.01 of central differences, found a distance of 2.0",
        ),
        (Fault::SlopeOfParameter, "expected the gradient of `factor` within"),
        (Fault::KeepsTooLittle, "found a distance of NaN"),
        (Fault::WritesNothing, "found a distance of NaN"),
    ] {
        let text = judge(fault).1.unwrap_err();
        assert!(text.contains(says), "{text}");
    }
}

#[test]
#[should_panic(expected = "expected 3 samples of [40]")]
fn lengths_are_checked() {
    let probe = Probe::new(Scale(Fault::None), Scale::rule, [Shape::of([LEN])]).unwrap();
    probe.forward(3, [&[0.0; 41]]);
}
