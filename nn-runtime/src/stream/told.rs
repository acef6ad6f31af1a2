//! What a stream refuses, in words: slices that hold no whole steps, and steps that cannot be taken. In: an
//! engine, and what it was given; out: an error.

use super::engine::{Engine, StepFault, output_steps};
use super::state::{StreamError, StreamErrorKind};
use crate::graph::CompiledNetwork;
use crate::input::id_fault;
use crate::storage::Storage;
use crate::text::{String, format};

impl<S: Storage> Engine<S> {
    /// What is wrong, in words. `x` are the inputs that were given.
    #[cold]
    pub(super) fn told(&self, network: &CompiledNetwork, x: &[&[f32]], fault: StepFault) -> StreamError {
        match fault {
            StepFault::WindowFull => {
                let window = network.inputs[0].dim(0);
                StreamError::new(
                    StreamErrorKind::WindowFull,
                    format!(
                        "expected at most {window} steps since the beginning, as many as `{}` declares, found one more\nhelp: begin anew with \
                         `reset()`, and give the latest steps again",
                        network.name
                    ),
                )
            }
            StepFault::Id => {
                let text = id_fault(network, x, |k| x[k].len(), |_| true);
                StreamError::new(StreamErrorKind::Input, text.map_or_else(String::new, |fault| format!("{fault}")))
            }
            StepFault::NotFinite { input, at, found } => StreamError::new(
                StreamErrorKind::Input,
                format!(
                    "input {input}, element {at}: expected a finite number, found {found}\nhelp: leave the step out, or give a number in its \
                     place: what is carried on would not be one again"
                ),
            ),
            StepFault::Overflow(found) => StreamError::new(
                StreamErrorKind::Overflow,
                format!(
                    "step {}: expected finite numbers in all layers of `{}`, found {found}\nhelp: give smaller numbers, of the size that the \
                     network was trained on, or leave the step out: the stream stands where it stood before",
                    self.steps(),
                    network.name
                ),
            ),
        }
    }

    /// How many strides the slices hold, `[steps, voices, …]` each, if all hold as many.
    pub(super) fn count_strides(
        &self,
        network: &CompiledNetwork,
        x: &[&[f32]],
        y: &[&mut [f32]],
    ) -> Result<usize, StreamError> {
        let fault = |text| Err(StreamError::new(StreamErrorKind::Shape, text));
        for (what, expected, found) in
            [("input", network.inputs.len(), x.len()), ("output", network.outputs.len(), y.len())]
        {
            if expected != found {
                return fault(format!(
                    "expected {expected} {what} slice{}, found {found}\nhelp: give one for each {what} that the network declares",
                    if expected == 1 { "" } else { "s" }
                ));
            }
        }
        let first = network.inputs[0].step_len() * self.voices;
        let steps = x[0].len() / first;
        let stride = self.stride;
        if !steps.is_multiple_of(stride) {
            return fault(format!(
                "expected a multiple of {stride} steps, as `{}` gives one for so many, found {steps}\nhelp: keep the last {} for the next block",
                network.name,
                steps % stride
            ));
        }
        let inputs = network.inputs.iter().map(|shape| shape.step_len() * stride);
        let inputs = inputs.zip(x.iter().map(|x| x.len())).map(|sizes| ("input", sizes));
        let outputs = output_steps(network).zip(y.iter().map(|y| y.len())).map(|sizes| ("output", sizes));
        for (what, (each, found)) in inputs.chain(outputs) {
            let whole = steps / stride * each * self.voices;
            if found != whole {
                let voices = if self.voices == 1 { String::new() } else { format!(" of {} voices", self.voices) };
                return fault(format!(
                    "expected {steps} steps{voices} of every {what}, as the first input has, which is {whole} numbers, found {found}\nhelp: give \
                     whole steps, and as many of each",
                ));
            }
        }
        Ok(steps / stride)
    }
}
