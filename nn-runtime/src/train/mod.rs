//! Training: batches in, better parameters and a history out. A [`Trainer`] owns the loop, the order of
//! samples and the memory of a step; losses, optimisers and schedules are told what to do one batch at a
//! time. Steps need no operating system; the loop over epochs (`fit`), its metrics, logs and checkpoints need
//! the feature `std`.

// Each module uses those before it: split, microbatch, param_chunks, shard, update, executor, trainer.
mod accuracy_sums;
mod agreement;
mod averaged;
mod batch_outputs;
mod batch_pass;
mod carried_batch;
#[cfg(feature = "std")]
mod checkpoint;
#[cfg(feature = "std")]
mod checkpoint_file;
#[cfg(feature = "std")]
mod checkpoint_numbers;
#[cfg(feature = "std")]
mod checkpoint_writer;
mod checks;
mod clip;
mod compiled_for;
#[cfg(feature = "std")]
mod distributing;
#[cfg(feature = "std")]
mod early_stopping;
mod ema;
#[cfg(feature = "std")]
mod epoch;
#[cfg(feature = "std")]
mod epoch_sums;
mod error;
#[cfg(feature = "std")]
mod evaluating;
#[cfg(feature = "std")]
mod event_file;
mod executor;
#[cfg(feature = "std")]
mod feed;
#[cfg(feature = "std")]
mod fit;
#[cfg(feature = "std")]
mod fit_state;
#[cfg(feature = "std")]
mod fitting;
mod fixed_range;
mod footprint;
mod grad_source;
#[cfg(feature = "std")]
mod grouped_order;
#[cfg(feature = "std")]
mod history;
#[cfg(feature = "std")]
mod history_text;
mod judge;
mod leaves;
#[cfg(feature = "std")]
mod loader;
#[cfg(feature = "std")]
mod log;
mod loss_sums;
mod magnitude;
#[cfg(feature = "std")]
mod meeting;
#[cfg(feature = "std")]
pub mod metrics;
mod microbatch;
mod objective;
mod overflow;
mod own_loop;
mod own_objective;
mod param_chunks;
mod param_cut;
mod passes;
#[cfg(feature = "std")]
mod permutation;
mod plain_step;
#[cfg(feature = "std")]
pub mod privacy;
#[cfg(feature = "std")]
mod private_fit;
#[cfg(feature = "std")]
mod private_step;
#[cfg(feature = "std")]
mod private_sums;
#[cfg(feature = "std")]
mod progress_line;
mod ranks;
mod refusal;
mod regularizer;
#[cfg(feature = "std")]
mod resume;
#[cfg(feature = "std")]
mod sample_order;
mod sample_slices;
pub mod schedule;
mod scheduled_rate;
mod settings;
mod shard;
mod shard_grads;
mod shard_runs;
mod shared_grads;
mod shares;
#[cfg(feature = "std")]
mod snapshot;
mod split;
mod stateful;
mod step_result;
#[cfg(feature = "std")]
mod stop;
mod swa;
mod tensor_groups;
mod tensor_names;
#[cfg(feature = "std")]
mod tracked;
mod traffic;
mod trained_model;
mod trainer;
mod update;
mod update_layout;
mod update_state;
mod waiting;
#[cfg(feature = "std")]
mod whole_state;
mod workers;
mod world;

#[cfg(feature = "std")]
pub use checkpoint::{Checkpoint, Every};
pub use clip::Clip;
#[cfg(feature = "std")]
pub use early_stopping::EarlyStopping;
pub use error::{NonFinite, TrainError};
#[cfg(feature = "std")]
pub use fit::Fit;
#[doc(hidden)]
pub use footprint::training_bytes;
#[cfg(feature = "std")]
pub use history::{Ended, Epoch, Evaluation, History, StepReport};
#[cfg(feature = "std")]
pub use log::Log;
pub use objective::Objective;
pub use regularizer::Regularizer;
#[cfg(feature = "std")]
pub use stop::StopHandle;
pub use swa::update_statistics;
pub use traffic::{RankTraffic, Traffic};
pub use trainer::Trainer;
