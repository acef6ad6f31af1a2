//! What stops a layer from being computed with bytes. A layer says nothing of bytes: what it is follows from
//! its form in ONNX, which names every operator, and of a function of one number from how it is run in place.

use super::{InPlace, LayerSpec, OnnxForm, SampleOp};
use crate::shape::Shape;
use nn_kernels::int8::fits;

/// Why a layer cannot be computed with bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Int8Fault {
    /// There is no way to compute it.
    Unsaid,
    /// Its sums of so many products do not fit into 32 bits.
    Depth(usize),
}

impl LayerSpec {
    /// Why the layer cannot be computed with bytes.
    pub(crate) const fn int8_fault(&self) -> Option<Int8Fault> {
        let x = &self.shapes.inputs[0];
        let depth = match self.onnx {
            OnnxForm::Same | OnnxForm::Reshape | OnnxForm::MaxPool(_) | OnnxForm::AvgPool(..) => 1,
            // A mask would be a second input.
            OnnxForm::GlobalPool(_) if !self.shapes.inputs[1].is_known() => 1,
            OnnxForm::Dense | OnnxForm::DensePerStep if x.rank() > 0 => x.dim(x.rank() - 1),
            OnnxForm::Conv(conv) => conv.rows(),
            OnnxForm::Separable(along) if along.rows() > along.filters => along.rows(),
            OnnxForm::Separable(along) => along.filters,
            OnnxForm::BatchNorm(axis, _) | OnnxForm::Normalization(axis) if axis == channel_axis(x) => 1,
            OnnxForm::AlongAxis(name, _) if is(name, "Softmax") && x.rank() < 3 => 1,
            OnnxForm::AlongAxis(name, _) if is(name, "Concat") && x.rank() < 4 => 1,
            OnnxForm::Operator(name) if is(name, "Sum") => 1,
            _ if self.int8_curve().is_some() => 1,
            _ => return Some(Int8Fault::Unsaid),
        };
        if fits(depth) { None } else { Some(Int8Fault::Depth(depth)) }
    }

    /// The function of one number that it is, of which a table has all values.
    pub(crate) const fn int8_curve(&self) -> Option<InPlace> {
        match (self.onnx, self.sample_op()) {
            // Whole rows are softmax's.
            (OnnxForm::AlongAxis(..), _) => None,
            (_, Some(SampleOp::InPlace(curve))) => Some(curve),
            (_, Some(SampleOp::Floor(floor))) => Some(InPlace::floor(floor)),
            _ => None,
        }
    }
}

/// Where the channels are: behind the steps of a sequence, else first.
pub(crate) const fn channel_axis(x: &Shape) -> usize {
    if x.rank() == 2 { 1 } else { 0 }
}

/// `==` for const contexts.
const fn is(name: &str, word: &str) -> bool {
    let (name, word) = (name.as_bytes(), word.as_bytes());
    let mut same = name.len() == word.len();
    let mut i = 0;
    while same && i < word.len() {
        same = name[i] == word[i];
        i += 1;
    }
    same
}
