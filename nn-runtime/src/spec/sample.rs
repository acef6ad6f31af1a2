//! What a layer makes of a single sample when it predicts, where that needs no context and no memory: what a
//! chain of such layers is run by, without a pass. A layer that says nothing of it is run by a pass.

use super::{FormulaStep, Fusible, LayerSpec, Layout, OnnxForm};
use nn_kernels::matrix::Panels;
pub(crate) use nn_kernels::sample_chain::InPlace;
use nn_kernels::sample_chain::{ChainCurve, MAX_SETTINGS};
use nn_kernels::simd::Isa;

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
