//! What a layer makes of a single sample when it predicts, where that needs no context and no memory: what a
//! chain of such layers is run by, without a pass. A layer that says nothing of it is run by a pass.

use super::{FormulaStep, Fusible, LayerSpec, Layout, OnnxForm};
use nn_kernels::matrix::Panels;
pub(crate) use nn_kernels::sample_chain::InPlace;
use nn_kernels::sample_chain::{ChainCurve, MAX_SETTINGS};
use nn_kernels::simd::Isa;
#[cfg(all(feature = "alloc", feature = "train"))]
use nn_kernels::train_chain::TrainCurve;

/// The gradient of a function of all numbers alike: with settings, from what it has made or was given, and
/// from the gradient of what it has made, in place.
pub(super) type CurveGradient = fn(Isa, &[f32; MAX_SETTINGS], &[f32], &mut [f32]);

/// `if x > 0.0 { x } else { alpha * expm1(x) }`
const ELU: &[FormulaStep] = &[
    FormulaStep::X,
    FormulaStep::Number(0.0),
    FormulaStep::Binary("gt", 0, 1),
    FormulaStep::Setting(0),
    FormulaStep::Unary("expm1", 0),
    FormulaStep::Binary("mul", 3, 4),
    FormulaStep::Select(2, 0, 5),
];

/// What a layer makes of a single sample.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SampleOp {
    /// The sample times the first parameter, a matrix that lies so, plus the second, if there is one.
    Product(Panels),
    /// `max(x, floor)`
    Floor(f32),
    /// Another function, in place.
    InPlace(InPlace),
    /// The same numbers.
    Same,
    /// The same numbers, but while training some of them are dropped at this rate.
    Dropout(
        #[cfg_attr(
            not(all(feature = "alloc", feature = "train")),
            allow(dead_code, reason = "what trains alone asks at which rate")
        )]
        f32,
    ),
}

impl LayerSpec {
    /// Of one sample, it is its first parameter, a matrix, times the sample.
    pub(crate) const fn product_of_one(mut self) -> LayerSpec {
        if let Layout::Panels(panels) = self.params.list()[0].layout {
            self.sample = Some(SampleOp::Product(panels));
        }
        self
    }

    /// When it predicts, nothing changes.
    pub(crate) const fn same_when_predicting(mut self) -> LayerSpec {
        self.sample = Some(SampleOp::Same);
        self
    }

    /// When it predicts, nothing changes; while training, it drops numbers at this rate.
    pub(crate) const fn drops_when_training(mut self, rate: f32) -> LayerSpec {
        self.sample = Some(SampleOp::Dropout(rate));
        self
    }

    /// Of one sample it is what `run` makes of it with these settings, four at most.
    #[doc(hidden)]
    pub const fn in_place<const K: usize>(
        mut self,
        run: fn(Isa, &[f32; MAX_SETTINGS], &mut [f32]),
        settings: [f32; K],
    ) -> LayerSpec {
        let mut all = [0.0; MAX_SETTINGS];
        let mut k = 0;
        while k < K {
            all[k] = settings[k];
            k += 1;
        }
        self.sample = Some(SampleOp::InPlace(InPlace { run, settings: all }));
        self
    }

    /// It is a function of all numbers alike, and this is its gradient with the settings of
    /// [`in_place`](LayerSpec::in_place): from what it has made, or what it was given, whichever its gradient
    /// follows from, and from the gradient of that, in place.
    #[doc(hidden)]
    pub const fn gradient_in_place(mut self, gradient: CurveGradient) -> LayerSpec {
        if !cfg!(feature = "small") {
            self.curve_gradient = Some(gradient);
        }
        self
    }

    /// What a chain that trains runs of it, where it is a function of all numbers alike.
    #[cfg(all(feature = "alloc", feature = "train"))]
    pub(crate) fn train_curve(&self) -> Option<TrainCurve> {
        let gradient = self.curve_gradient?;
        let (run, settings) = match self.sample {
            Some(SampleOp::InPlace(InPlace { run, settings })) => (Some(run), settings),
            _ => (None, [0.0; MAX_SETTINGS]),
        };
        let from_output = match self.fusion.is? {
            Fusible::Floor(_) => true,
            Fusible::Elementwise { from_output } => from_output,
            Fusible::MaxPool(_) => return None,
        };
        Some(TrainCurve { run, gradient, settings, from_output })
    }

    /// The function it is, if a chain has it compiled within.
    pub(crate) fn chain_curve(&self) -> Option<ChainCurve> {
        match self.onnx {
            OnnxForm::Operator("Sigmoid") => Some(ChainCurve::Sigmoid),
            OnnxForm::Formula([FormulaStep::X, FormulaStep::Unary("tanh", 0)], _) => Some(ChainCurve::Tanh),
            OnnxForm::Formula(steps, [alpha, ..]) if steps == ELU => Some(ChainCurve::Elu { alpha }),
            _ => None,
        }
    }

    /// What it makes of one sample.
    pub(crate) const fn sample_op(&self) -> Option<SampleOp> {
        match self.fusion.is {
            Some(Fusible::Floor(floor)) => Some(SampleOp::Floor(floor)),
            _ => self.sample,
        }
    }
}
