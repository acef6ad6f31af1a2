//! How far each layer of a quantised network is from the same in floats. In: both, on samples; out: a table.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::float::FloatNetwork;
use super::owned::Program;
use super::program::EveryKind;
use super::range::EachSample;
use nn_kernels::int8::{CodeScale, quantize};
use nn_kernels::simd::Isa;

/// The error of one layer's output, with that of all layers before it.
#[derive(Clone, PartialEq, Debug)]
pub struct LayerError {
    /// What it is called, with what was folded into it: `conv1 + norm1 + relu1`.
    pub layer: String,
    /// The mean distance to the output in floats.
    pub mean: f32,
    /// The largest one.
    pub max: f32,
    /// The signal-to-quantisation-noise ratio in decibels: `10 · log10(Σ y² / Σ (y − ŷ)²)`. Infinite where
    /// nothing differs.
    pub sqnr: f32,
    /// From one code of the output to the next: what no error can be expected below half of.
    pub step: f32,
}

/// What quantising has cost, layer by layer, on the samples that the ranges were taken from.
#[derive(Clone, PartialEq, Debug)]
pub struct QuantizationReport {
    /// In the order in which they run.
    pub layers: Vec<LayerError>,
    /// Samples that were compared.
    pub samples: usize,
}

/// Sums over the numbers of one value.
#[derive(Clone, Copy, Default)]
struct ErrorSums {
    count: f64,
    error: f64,
    squares: f64,
    signal: f64,
    max: f32,
}

/// Runs the program beside the float network.
pub(super) fn compare(
    network: &FloatNetwork,
    scales: &[CodeScale],
    (program, last): (&Program, &[usize]),
    samples: &mut EachSample,
) -> QuantizationReport {
    let isa = Isa::detect();
    let mut memory = vec![0; program.memory()];
    let mut sums = vec![ErrorSums::default(); network.ops.len()];
    let mut count = 0;
    samples(&mut |values| {
        count += 1;
        for (port, value) in program.inputs.iter().zip(&network.inputs) {
            // Here they are channels last already.
            quantize(isa, port.scale, 1, &values[*value], &mut memory[port.place.at..][..port.place.len]);
        }
        let mut next = 0;
        for (i, op) in network.ops.iter().enumerate() {
            while next <= last[i] {
                program.as_ref().run_step::<EveryKind>(isa, &program.steps[next], &mut memory);
                next += 1;
            }
            let y = program.steps[last[i]].y;
            sums[i].add(scales[op.y], &memory[y.at..y.at + y.len], &values[op.y]);
        }
    });
    let row = |(op, sums): (&super::float::FloatOp, ErrorSums)| LayerError {
        layer: op.path.clone(),
        mean: (sums.error / sums.count) as f32,
        max: sums.max,
        sqnr: (10.0 * libm::log10(sums.signal / sums.squares)) as f32,
        step: scales[op.y].scale,
    };
    QuantizationReport { layers: network.ops.iter().zip(sums).map(row).collect(), samples: count }
}

impl ErrorSums {
    fn add(&mut self, scale: CodeScale, codes: &[u8], numbers: &[f32]) {
        for (code, number) in codes.iter().zip(numbers) {
            let error = (scale.number(*code) - number).abs();
            self.count += 1.0;
            self.error += f64::from(error);
            self.squares += f64::from(error) * f64::from(error);
            self.signal += f64::from(*number) * f64::from(*number);
            self.max = self.max.max(error);
        }
    }
}

impl fmt::Display for QuantizationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.layers.iter().map(|row| row.layer.chars().count()).max().unwrap_or(0).max(5);
        writeln!(
            f,
            "{:width$} {:>12} {:>12} {:>12} {:>8}",
            "layer", "code step", "mean error", "max error", "SQNR dB"
        )?;
        for row in &self.layers {
            let LayerError { layer, mean, max, sqnr, step } = row;
            writeln!(f, "{layer:width$} {step:>12.6} {mean:>12.6} {max:>12.6} {sqnr:>8.1}")?;
        }
        write!(f, "over {} samples", self.samples)
    }
}
