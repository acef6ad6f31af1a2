//! `Probe` itself: layers that break one promise or make one false claim each, and what it says about them.

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
    ReadsAParameter,
}

/// `y = factor · x` for each feature, or something like it.
#[derive(Clone, Copy)]
struct Scale(Fault);

impl Scale {
    const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let spec = LayerSpec::output(x).param("factor", x, Init::Constant(2.0)).saves(1);
        // An activation has no parameters as a rule; nothing forbids it. Their gradient reads `x`, which must
        // stay.
        spec.elementwise(false).backward_without_x().ok()
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
        let len = if self.0 == Fault::ReadsAParameter { cx.param(0).len() } else { cx.input_shape(0).len() };
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

/// A claim of [`Claimant`]'s rule that is false, and what it does instead.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Claim {
    /// `accepts_elementwise`, and ignores the floor.
    Floor,
    /// `accepts_elementwise`, and its gradient depends on the floor.
    FloorInGradient,
    /// `backward_in_place`, and writes 999.
    InPlace,
    /// `elementwise(true)`, and its gradient reads the input.
    FromOutput,
    /// `passes_gradient`, and its gradient is twice that.
    Gradient,
    /// `backward_input` keeps what `backward_params` needs, and the rule is silent about it.
    NotFirst,
    /// `backward_input_first`, and `backward_input` does nothing where no `dx` is asked for.
    First,
    /// `per_step`, and every step adds the window's first number.
    PerStep,
    /// `stream_state`, and every step is the first one.
    State,
    /// `stream_reduces`, and forgets all steps but the last.
    Reduces,
}

/// `y = 2 x`, unless its claim needs another function.
#[derive(Clone, Copy)]
struct Claimant(Claim);

impl Claimant {
    const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let spec = LayerSpec::output(x).backward_without_y();
        match self.0 {
            Claim::Floor | Claim::FloorInGradient => spec.accepts_elementwise().ok(),
            Claim::InPlace => spec.backward_in_place().ok(),
            Claim::FromOutput => spec.elementwise(true).ok(),
            Claim::Gradient => spec.passes_gradient().ok(),
            Claim::NotFirst => spec.param("shift", x, Init::Zeros).saves(x.len()).ok(),
            Claim::First => spec.param("shift", x, Init::Zeros).saves(x.len()).backward_input_first().ok(),
            Claim::PerStep => spec.per_step().ok(),
            Claim::State => spec.stream_state(1).ok(),
            Claim::Reduces => LayerSpec::output(Shape::of([x.dim(1)])).backward_without_y().stream_reduces(0).ok(),
        }
    }
}

impl Layer for Claimant {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let floor = if self.0 == Claim::Floor { f32::NEG_INFINITY } else { cx.floor() };
        for (x, y) in x.chunks(x.len() / cx.batch).zip(y.chunks_mut(y.len() / cx.batch)) {
            let width = y.len();
            for (i, y) in y.iter_mut().enumerate() {
                *y = match self.0 {
                    Claim::FromOutput => x[i] * x[i],
                    Claim::PerStep => x[i] + x[0],
                    Claim::State => x[..=i].iter().sum(),
                    Claim::Reduces => x.iter().skip(i).step_by(width).sum(),
                    _ => (2.0 * x[i]).max(floor),
                };
            }
        }
    }

    fn apply(&self, _: &mut LayerContext, y: &mut [f32]) {
        y.iter_mut().for_each(|y| *y *= *y);
    }

    fn step(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        match self.0 {
            Claim::State | Claim::Reduces => y.copy_from_slice(x),
            _ => self.forward(cx, [x], [y]),
        }
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        [x]: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        if self.0 == Claim::NotFirst || self.0 == Claim::First && !dx.is_empty() {
            cx.saved.copy_from_slice(dy);
        }
        let factor = if self.0 == Claim::FloorInGradient && cx.floor() > f32::NEG_INFINITY { 3.0 } else { 2.0 };
        let (width, of) = (x.len() / cx.batch, dy.len() / cx.batch);
        for (i, dx) in dx.iter_mut().enumerate() {
            let dy = dy[i / width * of + i % width % of];
            *dx = if self.0 == Claim::FromOutput { 2.0 * x[i] * dy } else { factor * dy };
        }
    }

    fn backward_in_place(&self, _: &mut LayerContext, _: [&[f32]; 1], _: [&[f32]; 1], d: &mut [f32]) {
        d.fill(999.0);
    }

    fn backward_params(&self, cx: &mut ReadContext, _: [&[f32]; 1], _: [&[f32]; 1], mut part: ParamGrad) {
        if matches!(self.0, Claim::NotFirst | Claim::First) {
            let len = cx.input_shape(0).len();
            let (range, grad) = part.slice(cx, 0);
            for saved in cx.saved.chunks(len) {
                grad.iter_mut().zip(&saved[range.clone()]).for_each(|(grad, saved)| *grad += saved);
            }
        }
    }
}

#[test]
fn every_false_claim_is_found() {
    for (claim, says) in [
        (Claim::Floor, "`accepts_elementwise`: expected the output to be max(y, cx.floor())"),
        (Claim::FloorInGradient, "`accepts_elementwise`: expected gradients that do not depend on `cx.floor()`"),
        (Claim::InPlace, "`backward_in_place`: expected the same gradient in place as not"),
        (
            Claim::FromOutput,
            "`elementwise(true)`: expected the same gradient where the output has overwritten the input",
        ),
        (Claim::Gradient, "`passes_gradient`: expected the gradient of input 0 to be that of the output"),
        (Claim::NotFirst, "say `.backward_input_first()` in the rule"),
        (Claim::First, "`backward_input_first`: expected the same gradient of the parameters"),
        (Claim::PerStep, "`per_step`: expected the output step by step within"),
        (Claim::State, "`stream_state`: expected the output step by step within"),
        (Claim::Reduces, "`stream_reduces`: expected the output step by step within"),
    ] {
        let x: Vec<f32> = (0..BATCH * LEN).map(|i| i as f32 / 16.0 - 3.03).collect();
        let probe = Probe::new(Claimant(claim), Claimant::rule, [Shape::of([LEN / 2, 2])]).unwrap();
        let dy: Vec<f32> =
            (0..if claim == Claim::Reduces { 2 * BATCH } else { BATCH * LEN }).map(|i| 2.0 - i as f32 / 32.0).collect();
        let text = probe.check_contract(BATCH, [&x], [&dy]).unwrap_err();
        assert!(text.contains(says), "{claim:?}: {text}");
    }
}

#[test]
#[should_panic(
    expected = "expected `backward_params` to read no parameter but a running statistic whose change is asked, found it reads `factor`"
)]
fn a_parameter_read_where_training_gives_none_is_found() {
    let _ = judge(Fault::ReadsAParameter);
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
