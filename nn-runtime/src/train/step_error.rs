//! Why a step in memory of the caller's was not taken. In: what was found; out: words, put together when they
//! are shown, so that a program that never shows them holds none of them.

use core::fmt;

use super::not_finite;
use super::refusal::Refusal;
use crate::graph::CompiledNetwork;
use crate::input::InputError;
use crate::params;
use crate::storage::LengthError;
use crate::text::String;

/// What kind of fault a [`StepError`] tells of, for a program to match on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum StepErrorKind {
    /// Slices that are no samples of the network, or a number that is not finite.
    Input,
    /// No sample, or more than there is memory for.
    Memory,
    /// Targets of another number than the samples have, or one that the loss does not take.
    Targets,
    /// A setting of the optimiser or of the trainer.
    Setting,
    /// The loss, a gradient or a new parameter would be infinite or NaN.
    NotFinite,
}

/// Why a step was not taken: its kind, and in words what was expected and found, and what to do. Nothing has
/// changed.
#[derive(Clone, Debug)]
pub struct StepError {
    network: &'static CompiledNetwork,
    fault: NoStep,
}

#[derive(Clone, Debug)]
enum NoStep {
    Input(InputError),
    /// A number that is not finite: sample, input, element.
    Number(usize, usize, usize),
    Memory(LengthError),
    Samples {
        most: usize,
        found: usize,
    },
    Targets {
        samples: usize,
        found: usize,
    },
    Target(usize, String),
    Setting(String),
    NotFinite(u64, Refusal),
}

impl StepError {
    pub(super) fn input(network: &'static CompiledNetwork, error: InputError) -> StepError {
        StepError { network, fault: NoStep::Input(error) }
    }

    /// Sample, input and element.
    pub(super) fn number(network: &'static CompiledNetwork, (sample, input, at): (usize, usize, usize)) -> StepError {
        StepError { network, fault: NoStep::Number(sample, input, at) }
    }

    pub(super) fn memory(network: &'static CompiledNetwork, error: LengthError) -> StepError {
        StepError { network, fault: NoStep::Memory(error) }
    }

    pub(super) fn samples(network: &'static CompiledNetwork, most: usize, found: usize) -> StepError {
        StepError { network, fault: NoStep::Samples { most, found } }
    }

    pub(super) fn targets(network: &'static CompiledNetwork, samples: usize, found: usize) -> StepError {
        StepError { network, fault: NoStep::Targets { samples, found } }
    }

    pub(super) fn target(network: &'static CompiledNetwork, sample: usize, fault: String) -> StepError {
        StepError { network, fault: NoStep::Target(sample, fault) }
    }

    pub(super) fn setting(network: &'static CompiledNetwork, fault: String) -> StepError {
        StepError { network, fault: NoStep::Setting(fault) }
    }

    pub(super) fn refused(network: &'static CompiledNetwork, step: u64, refusal: Refusal) -> StepError {
        StepError { network, fault: NoStep::NotFinite(step, refusal) }
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> StepErrorKind {
        match self.fault {
            NoStep::Input(_) | NoStep::Number(..) => StepErrorKind::Input,
            NoStep::Memory(_) | NoStep::Samples { .. } => StepErrorKind::Memory,
            NoStep::Targets { .. } | NoStep::Target(..) => StepErrorKind::Targets,
            NoStep::Setting(_) => StepErrorKind::Setting,
            NoStep::NotFinite(..) => StepErrorKind::NotFinite,
        }
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.network.name;
        match &self.fault {
            NoStep::Input(error) => error.fmt(f),
            NoStep::Number(sample, input, element) => write!(
                f,
                "sample {sample}, input {input}, element {element}: expected a finite number, found NaN or infinity\nhelp: leave the sample \
                 out, or give a number in its place"
            ),
            NoStep::Memory(error) => error.fmt(f),
            NoStep::Samples { found: 0, .. } => f.write_str(
                "expected at least 1 sample, found none\nhelp: leave the step out where there is nothing to learn from",
            ),
            NoStep::Samples { most, found } => write!(
                f,
                "expected at most {most} samples, as many as the trainer of `{name}` was given memory for, found {found}\nhelp: give it \
                 memory for {found}, or the samples in several steps"
            ),
            NoStep::Targets { samples, found } => write!(
                f,
                "expected targets for {samples} samples of the output, {}, found {found}\nhelp: give a label for each row of scores, or as \
                 many numbers as the output has",
                self.network.outputs[0]
            ),
            NoStep::Target(sample, fault) => write!(f, "sample {sample}: {fault}"),
            NoStep::Setting(fault) => fault.fmt(f),
            NoStep::NotFinite(step, found) => {
                write!(f, "step {step}: ")?;
                match *found {
                    Refusal::OutputGradient { output, place } => {
                        let width = self.network.outputs[output].len();
                        not_finite::tell_output_gradient(f, output, place / width, place % width)?;
                    }
                    Refusal::Gradient(place) => not_finite::tell_gradient(f, &TensorAt(self.network, place))?,
                    Refusal::Parameter(place) => not_finite::tell_parameter(f, &TensorAt(self.network, place))?,
                    _ => f.write_str(not_finite::NO_LOSS)?,
                }
                f.write_str("; the step was not taken")?;
                f.write_str(match found {
                    Refusal::OutputGradient { .. } => not_finite::HELP_OBJECTIVE,
                    _ => not_finite::HELP,
                })
            }
        }
    }
}

impl core::error::Error for StepError {}

/// The name of the tensor in which a parameter lies.
struct TensorAt(&'static CompiledNetwork, usize);

impl fmt::Display for TensorAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut result = Ok(());
        params::each(self.0, &mut |tensor| {
            if tensor.range().contains(&self.1) {
                result = tensor.fmt(f);
            }
        });
        result
    }
}
