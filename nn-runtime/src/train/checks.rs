//! What is looked at before a model is touched. In: a network, a loss and a data set; out: nothing, or what
//! is wrong, in words.

use alloc::format;

use super::TrainError;
use super::objective::Objective;
use crate::data::{Dataset, Targets};
use crate::graph::MAX_INPUTS;
use crate::input::id_fault;
use crate::model::Network;
use crate::params;
use crate::spec::Role;

/// Whether the data is what the network and the loss take; with `every`, of samples without a weight too, as
/// the network is run on them.
pub(super) fn check_data<N: Network, T: Targets>(
    loss: &impl Objective<T>,
    data: &Dataset<T>,
    every: bool,
) -> Result<(), TrainError> {
    if data.is_empty() {
        return Err(no_samples());
    }
    check_widths::<N, T>(data)?;
    data.check()?;
    check_fits::<N, T>(loss, data, every)
}

/// What is said where there is nothing to train on.
pub(super) fn no_samples() -> TrainError {
    TrainError::mismatch("expected at least 1 sample, found none\nhelp: check what the data set was made from")
}

/// Whether samples have the inputs of the network.
fn check_widths<N: Network, T: Targets>(data: &Dataset<T>) -> Result<(), TrainError> {
    let shapes = N::COMPILED.inputs;
    if data.inputs().len() != shapes.len() {
        let (expected, found) = (shapes.len(), data.inputs().len());
        let help = match found < expected {
            true => "add inputs with `Dataset::with_input`",
            false => "make the data set without the inputs that the network does not declare",
        };
        return Err(TrainError::mismatch(format!(
            "expected {expected} input{} per sample, as `{}` declares, found {found}\nhelp: {help}",
            if expected == 1 { "" } else { "s" },
            N::COMPILED.name,
        )));
    }
    for (k, (values, shape)) in data.inputs().iter().zip(shapes).enumerate() {
        if values.width() != shape.len() {
            return Err(TrainError::mismatch(format!(
                "expected {} numbers per sample for input {k} of `{}`, which is {shape}, found {}\n\
                 help: change the data, or the declaration",
                shape.len(),
                N::COMPILED.name,
                values.width()
            )));
        }
    }
    Ok(())
}

/// Whether samples of the right widths, of finite numbers, have ids and targets that the network and the loss
/// take.
pub(super) fn check_fits<N: Network, T: Targets>(
    loss: &impl Objective<T>,
    data: &Dataset<T>,
    every: bool,
) -> Result<(), TrainError> {
    let shapes = N::COMPILED.inputs;
    let looked_at = |sample: usize| every || data.counts(sample);
    if every && !data.all_count() {
        data.check_inputs(looked_at)?;
    }
    if let Some(fault) = id_fault(N::COMPILED, &inputs(data), |k| shapes[k].len(), looked_at) {
        return Err(TrainError::mismatch(format!("{fault}")));
    }
    if let Some(fault) = loss.fault(N::COMPILED.outputs, data.targets(), data.weights()) {
        let help =
            if fault.contains("help: ") { "" } else { "\nhelp: change the targets, or the network's last layer" };
        return Err(TrainError::mismatch(format!("{fault}{help}")));
    }
    Ok(())
}

/// Whether any sample counts, so that there is a mean to be taken.
pub(super) fn has_weight<N: Network, T: Targets>(loss: &impl Objective<T>, data: &Dataset<T>) -> bool {
    let weights = loss.weight(0..data.len(), N::COMPILED.outputs, data.weights());
    weights.iter().any(|weight| *weight > 0.0)
}

/// What a mean is asked of where every weight is 0.
pub(super) fn no_weight() -> TrainError {
    TrainError::mismatch(
        "expected at least 1 sample with a weight above 0, found none\nhelp: leave out what has no weight, or give other weights",
    )
}

/// Whether training can change anything of a network: what learns, or a statistic that follows the batches.
pub(super) fn learns<N: Network>() -> bool {
    params::tensors(N::COMPILED)
        .iter()
        .any(|tensor| !tensor.frozen && matches!(tensor.role, Role::Trainable | Role::RunningStat))
}

/// What training is refused with where nothing can change.
pub(super) fn nothing_learns<N: Network>() -> TrainError {
    TrainError::mismatch(format!(
        "expected a network with parameters to train, found none in `{}`\nhelp: add a layer that learns, as \
         `Dense(1)`, or take away a `frozen`",
        N::COMPILED.name
    ))
}

/// … and where everything rests.
pub(super) fn all_rest<N: Network>() -> TrainError {
    TrainError::mismatch(format!(
        "expected a network with parameters to train, found all of `{}` frozen\nhelp: `trainer.unfreeze(..)` what is to learn",
        N::COMPILED.name
    ))
}

/// The inputs of all samples, one slice for each input of the network.
pub(super) fn inputs<T: Targets>(data: &Dataset<T>) -> [&[f32]; MAX_INPUTS] {
    let mut x = [&[][..]; MAX_INPUTS];
    for (x, values) in x.iter_mut().zip(data.inputs()) {
        *x = values.as_slice();
    }
    x
}
