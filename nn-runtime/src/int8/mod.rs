//! Small numbers: a trained model in bytes, to predict with. A quarter of the memory, faster where there are
//! instructions for products of bytes, and no training.
//!
//! ```
//! use nn_runtime::data::digits;
//! use nn_runtime::int8::{Calibration, Quantized};
//! use nn_runtime::prelude::*;
//!
//! network! {
//!     pub struct Digits: [1, 28, 28] -> [10] {
//!         Flatten -> hidden: Dense(16) -> Relu -> head: Dense(10) -> Softmax
//!     }
//! }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let data = digits::draw(100, 1);
//! let model = Digits::init(7); // as trained
//!
//! // Which numbers each value takes is seen on samples: some hundred of those it was trained on.
//! let samples = data.inputs()[0].as_slice();
//! let small = Quantized::quantize(&model, &[samples], Calibration::MinMax)?;
//! println!("{}", small.report()); // what it costs, layer by layer
//!
//! let mut predictor = small.predictor();
//! let image: &[f32; 784] = data.input(0, 0).try_into()?;
//! let probabilities: &[f32; 10] = predictor.predict(image);
//! # assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 0.1);
//! # Ok(()) }
//! ```
//!
//! Weights are signed, each output (filter) by a scale of its own and without a zero point; values have one
//! scale and one code for zero. Sums are of 32 bits, and a layer whose sums would not fit does not compile.
//! Batch normalisation and `Relu` become a part of the layer before them, other functions of one number
//! (formulas of one's own too) a table. The rule by which sums become codes is that of LiteRT with XNNPACK,
//! its default; see `docs/int8.md`.

mod arena;
mod bytes;
mod emit;
mod error;
mod float;
mod fold;
mod lower;
mod predictor;
mod program;
mod range;
mod report;
#[cfg(test)]
mod tests;

pub use error::{QuantizeError, QuantizeErrorKind};
pub use predictor::Int8Predictor;
pub use range::Calibration;
pub use report::{LayerError, QuantizationReport};

use alloc::format;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use crate::fault::Text;
use crate::graph::CompiledNetwork;
use crate::input::samples;
use crate::model::{AsModel, Network};
use crate::spec::Int8Fault;
use float::FloatNetwork;
use program::Program;
use range::EachSample;

use nn_kernels::int8::CodeScale;

/// A network with weights of one byte: what inference needs, and nothing else.
///
/// See the [module](self) for how one is made.
pub struct Quantized<N> {
    program: Program,
    /// Of all values.
    scales: Vec<CodeScale>,
    report: QuantizationReport,
    network: PhantomData<fn() -> N>,
}

impl<N: Network> Quantized<N> {
    /// A model in bytes. `x` are samples, one slice for each input, `[samples, …]` row-major: some hundred
    /// that are like those to be predicted, as the ranges of all values are taken from them.
    ///
    /// # Errors
    /// The slices do not hold the same number of whole samples, or none; a number in them or a parameter is
    /// not finite; a percentile outside of its bounds.
    ///
    /// # Panics
    /// Never at run time. A layer that bytes cannot say stops the build here:
    ///
    /// ```compile_fail
    /// use nn_runtime::int8::{Calibration, Quantized};
    /// use nn_runtime::prelude::*;
    ///
    /// network! { pub struct Net: [8, 3] -> [4] { Lstm(4) -> LastStep } }
    /// // `lstm_1`: expected a layer that can be computed with bytes …
    /// Quantized::quantize(&Net::init(0), &[&[0.0; 24]], Calibration::MinMax).unwrap();
    /// ```
    pub fn quantize(
        model: &impl AsModel<Network = N>,
        x: &[&[f32]],
        calibration: Calibration,
    ) -> Result<Self, QuantizeError> {
        const { check(N::COMPILED) };
        let network = N::COMPILED;
        let count = checked(network, x)?;
        if let Calibration::Percentile(percent) = calibration
            && !(percent > 50.0 && percent <= 100.0)
        {
            return Err(QuantizeError::new(
                QuantizeErrorKind::Calibration,
                format!("expected a percentile above 50 up to 100, found {percent}\nhelp: such as `Percentile(99.9)`"),
            ));
        }
        let mut floats = lower::lower(network, model.params());
        floats.fold();
        let mut values = floats.values();
        let mut each = |look: &mut dyn FnMut(&[Vec<f32>])| {
            for sample in 0..count {
                load(&floats, network, x, sample, &mut values);
                floats.run(&mut values);
                look(&values);
            }
        };
        let each: &mut EachSample = &mut each;
        let scales = range::scales(&floats, calibration, each);
        let (program, last) = emit::emit(&floats, &scales, [network.inputs, network.outputs])
            .map_err(|text| QuantizeError::new(QuantizeErrorKind::Param, text))?;
        let report = report::compare(&floats, &scales, (&program, &last), each);
        Ok(Quantized { program, scales, report, network: PhantomData })
    }

    /// How far each layer is from the model in floats; of a model that was read from bytes it has no rows.
    pub fn report(&self) -> &QuantizationReport {
        &self.report
    }

    /// Bytes of weights, biases, scales and tables.
    pub fn weight_bytes(&self) -> usize {
        self.program.constants()
    }

    /// Bytes of memory that a prediction takes.
    pub fn predict_bytes(&self) -> usize {
        self.program.memory()
    }
}

impl<N: Network> fmt::Debug for Quantized<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quantized<{}>({} bytes of weights)", N::COMPILED.name, self.weight_bytes())
    }
}

/// Stops the build where the network has a layer that bytes cannot say.
const fn check(network: &CompiledNetwork) {
    let Some((name, fault)) = network.nested.int8_fault else { return };
    let text: Text = Text::EMPTY.str("`").str(name).str("`: expected ");
    let text = match fault {
        Int8Fault::Unsaid => text
            .str("a layer that can be computed with bytes, found one that cannot\nhelp: dense layers, convolutions, pools, ")
            .str("batch normalisation, functions of one number, sums and joins can; quantise the networks around it"),
        Int8Fault::Depth(depth) => text
            .str("sums of at most 33,155 products, which fit into 32 bits, found ")
            .num(depth)
            .str("\nhelp: make the layer before it smaller, or cut it into several whose outputs are added"),
    };
    panic!("{}", text.as_str())
}

/// How many samples the slices hold: at least one, of numbers that are finite.
fn checked(network: &CompiledNetwork, x: &[&[f32]]) -> Result<usize, QuantizeError> {
    let fault = |text| QuantizeError::new(QuantizeErrorKind::Samples, text);
    let count = samples("input", network.inputs, x).map_err(|error| fault(format!("{error}")))?;
    if count == 0 {
        let text = "expected samples to take the ranges of values from, found none\nhelp: give some hundred of those ";
        return Err(fault(format!("{text}it was trained on")));
    }
    for (k, (x, shape)) in x.iter().zip(network.inputs).enumerate() {
        if let Some(at) = x.iter().position(|x| !x.is_finite()) {
            return Err(fault(format!(
                "sample {}, input {k}, element {}: expected a finite number, found {}\nhelp: leave the sample out, or see \
                 where the number comes from",
                at / shape.len(),
                at % shape.len(),
                x[at]
            )));
        }
    }
    Ok(count)
}

/// Puts a sample where the float network reads it, images channels last.
fn load(floats: &FloatNetwork, network: &CompiledNetwork, x: &[&[f32]], sample: usize, values: &mut [Vec<f32>]) {
    for ((value, x), shape) in floats.inputs.iter().zip(x).zip(network.inputs) {
        let x = &x[sample * shape.len()..][..shape.len()];
        match shape.dims() {
            Some([_, height, width]) => float::turn(height * width, x, &mut values[*value]),
            None => values[*value].copy_from_slice(x),
        }
    }
}
