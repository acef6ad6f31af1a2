//! What is looked at before a model is touched. In: settings and data sets; out: nothing, or what is wrong,
//! in words.

use std::format;

use super::objective::Objective;
use super::{TrainError, Trainer};
use crate::data::{Dataset, Targets};
use crate::graph::MAX_INPUTS;
use crate::losses::Fits;
use crate::network::Network;
use crate::optim::Optimizer;
use crate::spec::Role;
use crate::{ids, params};

impl<N: Network, L: Fits<N::Head>, O: Optimizer> Trainer<'_, N, L, O> {
    /// Whether there is something that training could change.
    pub(super) fn check_learns(&self) -> Result<(), TrainError> {
        if !self.learns {
            return Err(TrainError::mismatch(format!(
                "expected a network with parameters to train, found none in `{}`\nhelp: add a layer that learns, as `Dense(1)`, or \
                 take away a `frozen`",
                N::COMPILED.name
            )));
        }
        Ok(())
    }

    /// Whether the settings are in range, and the data is what the network and the loss take.
    pub(super) fn check<T: Targets>(&mut self, data: &Dataset<T>) -> Result<(), TrainError>
    where
        L: Objective<T>,
    {
        if !self.checked {
            self.optimizer.check().map_err(TrainError::setting)?;
            self.check_settings().map_err(TrainError::setting)?;
            self.checked = true;
        }
        if data.is_empty() {
            return Err(TrainError::mismatch(
                "expected at least 1 sample, found none\nhelp: check what the data set was made from",
            ));
        }
        let shapes = N::COMPILED.inputs;
        if data.inputs().len() != shapes.len() {
            return Err(TrainError::mismatch(format!(
                "expected {} inputs per sample, as `{}` declares, found {}\nhelp: add inputs with `Dataset::with_input`",
                shapes.len(),
                N::COMPILED.name,
                data.inputs().len()
            )));
        }
        for (k, (values, shape)) in data.inputs().iter().zip(shapes).enumerate() {
            if values.width() != shape.len() {
                return Err(TrainError::mismatch(format!(
                    "expected {} numbers per sample for input {k} of `{}`, which is {shape}, found {}\nhelp: change the data, or the declaration",
                    shape.len(),
                    N::COMPILED.name,
                    values.width()
                )));
            }
        }
        data.check()?;
        if let Some(fault) = ids::fault(N::COMPILED, &inputs(data), |k| shapes[k].len()) {
            return Err(TrainError::mismatch(fault));
        }
        if let Some(fault) = self.loss.fault(N::COMPILED.outputs, data.targets(), data.weights()) {
            let help =
                if fault.contains("help: ") { "" } else { "\nhelp: change the targets, or the network's last layer" };
            return Err(TrainError::mismatch(format!("{fault}{help}")));
        }
        Ok(())
    }

    /// Whether any sample counts, so that there is a mean to be taken.
    pub(super) fn has_weight<T: Targets>(&self, data: &Dataset<T>) -> bool
    where
        L: Objective<T>,
    {
        let weights = self.loss.weight(0..data.len(), N::COMPILED.outputs, data.weights());
        weights.iter().any(|weight| *weight > 0.0)
    }
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

/// The inputs of all samples, one slice for each input of the network.
pub(super) fn inputs<T: Targets>(data: &Dataset<T>) -> [&[f32]; MAX_INPUTS] {
    let mut x = [&[][..]; MAX_INPUTS];
    for (x, values) in x.iter_mut().zip(data.inputs()) {
        *x = values.as_slice();
    }
    x
}
