//! Where a run is: what a checkpoint keeps of it beside the model, and what the loop goes on with.

use std::path::PathBuf;
use std::string::String;
use std::time::Duration;
use std::vec::Vec;

use super::History;
use super::early_stopping::Progress;
use super::epoch_sums::EpochSums;
use super::snapshot::Snapshot;

/// A run of `fit` between two steps.
pub(super) struct FitState {
    pub(super) history: History,
    /// Batches taken of the epoch that has begun, and what they came to.
    pub(super) step: usize,
    pub(super) sums: EpochSums,
    /// What that epoch has taken before the run was broken off.
    pub(super) spent: Duration,
    pub(super) progress: Progress,
    /// The model of the best epoch, where it is to be kept.
    pub(super) best: Option<Snapshot>,
}

/// Settings by name, in words.
pub(super) type Settings = Vec<(String, String)>;

/// A run that a file was read of, and what it was begun with.
pub(super) struct Resumed {
    pub(super) path: PathBuf,
    pub(super) state: FitState,
    pub(super) settings: Settings,
}

impl FitState {
    pub(super) fn new() -> FitState {
        FitState {
            history: History::default(),
            step: 0,
            sums: EpochSums::default(),
            spent: Duration::ZERO,
            progress: Progress::new(),
            best: None,
        }
    }
}
