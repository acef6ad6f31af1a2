//! Training: batches in, better parameters and a history out. It owns the loop, the order of samples and the memory of a
//! step; it knows no layer, no kernel, and nothing of how a loss or an optimiser computes.

mod apart;
mod clip;
mod error;
mod fit;
mod history;
mod lane;
mod objective;
mod penalty;
mod pieces;
pub mod schedule;
mod setup;
mod step;
mod trainer;
mod update;

pub use clip::Clip;
pub use error::TrainError;
pub use fit::Fit;
pub use history::{Epoch, Evaluation, History};
pub use objective::{Answers, Objective};
pub use penalty::Penalty;
pub use trainer::Trainer;
