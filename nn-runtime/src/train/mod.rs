//! Training: batches in, better parameters and a history out. It owns the loop, the order of samples and the memory of a
//! step; it knows no layer, no kernel, and nothing of how a loss or an optimiser computes.

mod error;
mod fit;
mod history;
mod objective;
mod step;
mod trainer;

pub use error::TrainError;
pub use fit::Fit;
pub use history::{Epoch, Evaluation, History};
pub use objective::{Answers, Objective};
pub use trainer::Trainer;
