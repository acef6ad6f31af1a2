//! What predicts with a quantised model. In: samples in floats; out: predictions in floats. All between is
//! bytes, in memory that is allocated once or given by the caller.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::Quantized;
use super::program::EveryKind;
use crate::input::{InputError, InputErrorKind, samples};
use crate::limits::{MAX_INPUTS, MAX_OUTPUTS};
use crate::model::{Network, Ports};
use nn_kernels::simd::Isa;

impl<N: Network> Quantized<N> {
    /// What predicts with this model, in memory of its own. One `&Quantized` serves many threads.
    pub fn predictor(&self) -> Int8Predictor<'_, N> {
        self.predictor_on(Isa::detect())
    }

    /// [`predictor`](Quantized::predictor) with an instruction set of choice: each gives the same
    /// predictions.
    pub fn predictor_on(&self, isa: Isa) -> Int8Predictor<'_, N> {
        let outputs = N::COMPILED.outputs.iter().map(|shape| vec![0.0; shape.len()]).collect();
        Int8Predictor { quantized: self, isa, memory: vec![0; self.predict_bytes()], outputs }
    }

    /// Predicts for as many samples as the slices hold, `[samples, …]` row-major, one slice for each input
    /// and each output, in memory of the caller's: allocates nothing. A sample with an input that is NaN has
    /// outputs of NaN.
    ///
    /// # Errors
    /// The slices are not as many as the network has inputs and outputs, or do not hold the same number of
    /// whole samples; `memory` is shorter than [`predict_bytes`](Quantized::predict_bytes). Nothing is
    /// written.
    pub fn predict_in(
        &self,
        isa: Isa,
        memory: &mut [u8],
        x: &[&[f32]],
        y: &mut [&mut [f32]],
    ) -> Result<(), InputError> {
        let network = N::COMPILED;
        let count = samples("input", network.inputs, x)?;
        if y.len() != network.outputs.len() {
            let text = format!("expected {} output slices, found {}", network.outputs.len(), y.len());
            return Err(InputError::new(InputErrorKind::Count, text));
        }
        for (y, shape) in y.iter().zip(network.outputs) {
            if y.len() != count * shape.len() {
                let room = count * shape.len();
                let text =
                    format!("expected room for {count} outputs of {shape}, which is {room} numbers, found {}", y.len());
                return Err(InputError::new(InputErrorKind::Shape, text));
            }
        }
        if memory.len() < self.predict_bytes() {
            let text = format!("expected {} bytes of memory, found {}", self.predict_bytes(), memory.len());
            return Err(InputError::new(InputErrorKind::Shape, text));
        }
        let memory = &mut memory[..self.predict_bytes()];
        for sample in 0..count {
            let mut from = [&[][..]; MAX_INPUTS];
            for ((from, x), shape) in from.iter_mut().zip(x).zip(network.inputs) {
                *from = &x[sample * shape.len()..][..shape.len()];
            }
            let numbers = self.codes(isa, memory, &from);
            for (k, (y, shape)) in y.iter_mut().zip(network.outputs).enumerate() {
                let y = &mut y[sample * shape.len()..][..shape.len()];
                self.program.as_ref().dequantize::<EveryKind>(k, numbers, memory, y);
            }
        }
        Ok(())
    }

    /// Runs one sample, whose predictions are codes then; false where an input is NaN, which no code says.
    fn codes(&self, isa: Isa, memory: &mut [u8], x: &[&[f32]]) -> bool {
        let program = self.program.as_ref();
        let numbers = program.quantize::<EveryKind>(isa, x, memory);
        program.run::<EveryKind>(isa, memory);
        numbers
    }
}

/// Predicts with a [`Quantized`] model, in memory of its own; allocates nothing after it is made.
pub struct Int8Predictor<'q, N> {
    quantized: &'q Quantized<N>,
    isa: Isa,
    memory: Vec<u8>,
    outputs: Vec<Vec<f32>>,
}

impl<N: Network> Int8Predictor<'_, N> {
    /// Predicts for one sample. An array of another length does not compile. Where an input is NaN, so are
    /// all outputs, and an infinite one counts as the end of its range.
    pub fn predict(&mut self, input: N::Input<'_>) -> N::Output<'_> {
        let mut x = [&[][..]; MAX_INPUTS];
        input.to_slices(&mut x);
        let numbers = self.quantized.codes(self.isa, &mut self.memory, &x);
        let mut y = [&[][..]; MAX_OUTPUTS];
        for (k, (output, y)) in self.outputs.iter_mut().zip(&mut y).enumerate() {
            self.quantized.program.as_ref().dequantize::<EveryKind>(k, numbers, &self.memory, output);
            *y = output;
        }
        Ports::from_slices(&y[..N::COMPILED.outputs.len()])
    }

    /// Predicts for as many samples as the slices hold, as [`Quantized::predict_in`] does.
    ///
    /// # Errors
    /// The slices are not as many as the network has inputs and outputs, or do not hold the same number of
    /// whole samples. Nothing is written.
    pub fn predict_into(&mut self, x: &[&[f32]], y: &mut [&mut [f32]]) -> Result<(), InputError> {
        self.quantized.predict_in(self.isa, &mut self.memory, x, y)
    }
}
