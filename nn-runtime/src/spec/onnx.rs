//! How a layer is written in ONNX: what its operators need to know beyond shapes and parameters, said by its
//! rule. Data alone, so that it costs nothing where nobody exports; the feature `onnx` makes operators of it.

use super::LayerSpec;
use crate::limits::MAX_RANK;
use nn_kernels::conv::{Conv, ConvBackward};
use nn_kernels::pool::{Pool, UnevenPool};

/// The most settings of a formula that are known to its form.
pub const FORMULA_SETTINGS: usize = 8;

/// What a layer is in ONNX.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "onnx"), allow(dead_code, reason = "read by the feature `onnx` alone"))]
pub(crate) enum OnnxForm {
    /// Nothing has been said: the layer cannot be exported.
    Unsaid,
    /// The input as it is.
    Same,
    /// The numbers of the input in the shape of the output.
    Reshape,
    /// The dimensions in another order; the batch is none of them.
    Transpose([usize; MAX_RANK]),
    /// One operator of all inputs, without attributes.
    Operator(&'static str),
    /// One operator of all inputs with an attribute `axis`, in which the batch is axis 0.
    AlongAxis(&'static str, i64),
    Product,
    /// Both along an axis, in which the batch is axis 0.
    Split(usize),
    Glu(usize),
    Dense,
    DensePerStep,
    Conv(Conv),
    /// A convolution of each channel, then one across them.
    Separable(Conv),
    /// The convolution of which it is the way back.
    ConvTranspose(Conv),
    MaxPool(Pool),
    AvgPool(Pool, bool),
    /// The norm of this whole power.
    LpPool(Pool, i64),
    /// Windows with gaps.
    UnevenMaxPool(UnevenPool),
    /// The operator that makes one number of each part, and how many parts there are down and across.
    Parts(&'static str, [usize; 2]),
    /// The operator that makes one number of each channel, over what a mask leaves of the steps.
    GlobalPool(&'static str),
    /// Above, below, left, right, and what stands there: `constant` for zeros, `reflect`, `edge`, `wrap`.
    Pad([usize; 4], &'static str),
    Crop([usize; 4]),
    /// How many times as many rows and columns, and whether numbers are mixed.
    Upsample([usize; 2], bool),
    /// Whether numbers are mixed, and the corners of both images the same pixels.
    Resize(bool, bool),
    /// Size, alpha, beta, k, and the axis of the channels, which counts as below.
    LocalResponse(usize, [f32; 3], usize),
    /// The axis of the channels counts from 0, without the batch, here and below.
    BatchNorm(usize, f32),
    Normalization(usize),
    /// How many of the last axes, and eps.
    LayerNorm(usize, f32),
    RmsNorm(usize, f32),
    /// How many groups the axis has, the axis, eps.
    GroupNorm(usize, usize, f32),
    Prelu(usize),
    Gelu(bool),
    Mish,
    Embedding,
    /// What is added to `[steps, features]`, by the features, where it is not learnt.
    Positions(fn(usize, &mut [f32])),
    LastStep,
    Recurrent(OnnxRecurrent),
    Attention {
        heads: usize,
        causal: bool,
        cross: bool,
        masked: bool,
    },
    Formula(&'static [FormulaStep], [f32; FORMULA_SETTINGS]),
}

/// A recurrence in ONNX.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "onnx"), allow(dead_code, reason = "read by the feature `onnx` alone"))]
pub(crate) struct OnnxRecurrent {
    /// `RNN`, `RNN_relu`, `GRU`, `GRU_reset_first` or `LSTM`.
    pub(crate) operator: &'static str,
    pub(crate) units: usize,
    pub(crate) direction: &'static str,
    pub(crate) last: bool,
    /// Parts of the state that come in behind the sequence, and that go out behind the outputs.
    pub(crate) initial: usize,
    pub(crate) states: usize,
    /// The input that is a mask.
    pub(crate) mask: Option<usize>,
}

/// A step of a formula, of the results of steps before it by their number. What stands in quotes is the
/// function's name in formulas.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum FormulaStep {
    /// The number that comes in.
    X,
    /// A number of the formula.
    Number(f32),
    /// The constant setting of this place.
    Setting(usize),
    /// The learnt setting of this place.
    Learnt(usize),
    /// A function of one number.
    Unary(&'static str, usize),
    /// A function of two numbers, or a comparison.
    Binary(&'static str, usize, usize),
    /// A whole power.
    Power(usize, i32),
    /// Condition, then, otherwise.
    Select(usize, usize, usize),
}

impl LayerSpec {
    /// The convolution that the layer is, or leads back from, as its rule has found it: nothing of it is
    /// computed again, and no words of faults get into a program.
    #[inline]
    pub(crate) fn planned_conv(&self) -> Conv {
        match self.onnx {
            OnnxForm::Conv(conv) | OnnxForm::ConvTranspose(conv) => conv,
            _ => unreachable!("the rule of a convolution says which"),
        }
    }

    /// The layer is this convolution.
    pub(crate) const fn convolves(mut self, conv: Conv) -> LayerSpec {
        #[cfg(feature = "train")]
        {
            self.conv_backward = Some(conv.backward());
        }
        self.onnx = OnnxForm::Conv(conv);
        self
    }

    /// The backward passes of that convolution: those of its numbers, so that no other is in a program.
    #[inline]
    pub(crate) fn conv_backward(&self) -> ConvBackward {
        #[cfg(feature = "train")]
        if let Some(backward) = self.conv_backward {
            return backward;
        }
        unreachable!("the rule of a convolution that trains says which")
    }

    /// How the layer is written in ONNX.
    pub(crate) const fn onnx(mut self, form: OnnxForm) -> LayerSpec {
        self.onnx = form;
        self
    }

    /// The formula of a layer that computes every number on its own, for what writes the network down in
    /// another language; the last step is the result.
    #[doc(hidden)]
    pub const fn formula<const K: usize>(self, steps: &'static [FormulaStep], settings: [f32; K]) -> LayerSpec {
        let mut all = [0.0; FORMULA_SETTINGS];
        let mut k = 0;
        while k < K {
            if k == FORMULA_SETTINGS {
                return self;
            }
            all[k] = settings[k];
            k += 1;
        }
        self.onnx(OnnxForm::Formula(steps, all))
    }
}
