//! A quantised model, and how it is made. In: a model in floats and samples; out: the same in bytes, or what
//! is wrong with the samples. Nothing is trained.

use alloc::format;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use super::float::FloatNetwork;
use super::owned::Program;
use super::range::EachSample;
use super::report::{self, QuantizationReport};
use super::{Calibration, QuantizeError, QuantizeErrorKind, check, emit, lower, program, range};
use crate::graph::CompiledNetwork;
use crate::input::samples;
use crate::model::{AsModel, Network};
use nn_kernels::int8::CodeScale;

/// A network with weights of one byte: what inference needs, and nothing else.
///
/// See the [module](super) for how one is made.
pub struct Quantized<N> {
    pub(super) program: Program,
    /// Of all values.
    pub(super) scales: Vec<CodeScale>,
    pub(super) report: QuantizationReport,
    pub(super) network: PhantomData<fn() -> N>,
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
        self.program.as_ref().constants()
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
pub(super) fn load(
    floats: &FloatNetwork,
    network: &CompiledNetwork,
    x: &[&[f32]],
    sample: usize,
    values: &mut [Vec<f32>],
) {
    for ((value, x), shape) in floats.inputs.iter().zip(x).zip(network.inputs) {
        let x = &x[sample * shape.len()..][..shape.len()];
        match shape.dims() {
            Some([_, height, width]) => program::turn(height * width, x, &mut values[*value]),
            None => values[*value].copy_from_slice(x),
        }
    }
}
