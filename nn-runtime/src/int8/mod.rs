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

#[cfg(feature = "alloc")]
mod arena;
#[cfg(feature = "alloc")]
mod bytes;
pub(crate) mod embedded;
#[cfg(feature = "alloc")]
mod emit;
#[cfg(feature = "alloc")]
mod error;
pub(crate) mod file;
#[cfg(feature = "alloc")]
mod float;
#[cfg(feature = "alloc")]
mod fold;
#[cfg(feature = "alloc")]
mod lower;
#[cfg(feature = "alloc")]
mod owned;
#[cfg(feature = "alloc")]
mod predictor;
pub(crate) mod program;
#[cfg(feature = "alloc")]
mod quantized;
#[cfg(feature = "alloc")]
mod range;
#[cfg(feature = "alloc")]
mod report;
#[cfg(test)]
mod tests;

#[cfg(feature = "alloc")]
pub use error::{QuantizeError, QuantizeErrorKind};
#[cfg(feature = "alloc")]
pub use predictor::Int8Predictor;
#[cfg(feature = "alloc")]
pub use quantized::Quantized;
#[cfg(feature = "alloc")]
pub use range::Calibration;
#[cfg(feature = "alloc")]
pub use report::{LayerError, QuantizationReport};

use crate::fault::Text;
use crate::graph::CompiledNetwork;
use crate::spec::Int8Fault;

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
