//! Training: batches in, better parameters and a history out. A [`Trainer`] owns the loop, the order of
//! samples and the memory of a step; losses, optimisers and schedules are told what to do one batch at a
//! time. Steps need no operating system, and in memory of the caller's ([`TrainerIn`]) no allocator; the loop
//! over epochs (`fit`), its metrics, logs and checkpoints need the feature `std`.

// Each module uses those before it: split, microbatch, param_chunks, shard, update, executor, trainer.
mod accumulated;
mod accuracy_sums;
#[cfg(feature = "alloc")]
mod agreement;
#[cfg(feature = "alloc")]
mod averaged;
mod batch_outputs;
mod batch_pass;
#[cfg(feature = "alloc")]
mod carried_batch;
#[cfg(feature = "std")]
mod checkpoint;
#[cfg(feature = "std")]
mod checkpoint_file;
#[cfg(feature = "std")]
mod checkpoint_numbers;
#[cfg(feature = "std")]
mod checkpoint_writer;
#[cfg(feature = "alloc")]
mod checks;
mod clip;
#[cfg(feature = "alloc")]
mod compiled_for;
#[cfg(feature = "alloc")]
mod counted_samples;
#[cfg(feature = "std")]
mod distributing;
#[cfg(feature = "std")]
mod early_stopping;
#[cfg(feature = "alloc")]
mod ema;
#[cfg(feature = "std")]
mod epoch;
#[cfg(feature = "std")]
mod epoch_sums;
#[cfg(feature = "alloc")]
mod error;
#[cfg(feature = "std")]
mod evaluating;
#[cfg(feature = "std")]
mod event_file;
#[cfg(feature = "alloc")]
mod executor;
#[cfg(feature = "std")]
mod feed;
#[cfg(feature = "std")]
mod fit;
#[cfg(feature = "std")]
mod fit_state;
#[cfg(feature = "std")]
mod fitting;
#[cfg(feature = "alloc")]
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
#[cfg(feature = "alloc")]
mod leaf_sums;
mod leaves;
mod lent_engine;
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
#[cfg(feature = "alloc")]
mod new_params;
#[cfg(not(feature = "alloc"))]
mod no_values;
mod not_finite;
#[cfg(feature = "alloc")]
mod objective;
mod output_loss;
mod overflow;
#[cfg(feature = "alloc")]
mod own_loop;
#[cfg(feature = "alloc")]
mod own_objective;
mod param_chunks;
#[cfg(feature = "alloc")]
mod param_cut;
mod passes;
#[cfg(feature = "std")]
mod permutation;
#[cfg(feature = "alloc")]
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
#[cfg(feature = "alloc")]
mod ranks;
mod refusal;
#[cfg(feature = "alloc")]
mod regularizer;
#[cfg(feature = "std")]
mod resume;
#[cfg(feature = "std")]
mod sample_order;
mod sample_slices;
pub mod schedule;
mod scheduled_rate;
#[cfg(feature = "alloc")]
mod settings;
mod shard;
mod shard_grads;
mod shard_memory;
#[cfg(feature = "alloc")]
mod shard_runs;
#[cfg(feature = "alloc")]
mod shared_grads;
#[cfg(feature = "alloc")]
mod shares;
#[cfg(feature = "std")]
mod snapshot;
mod split;
#[cfg(feature = "alloc")]
mod stateful;
#[cfg(feature = "alloc")]
mod step_chain;
mod step_error;
mod step_result;
#[cfg(feature = "std")]
mod stop;
#[cfg(feature = "alloc")]
mod swa;
#[cfg(feature = "alloc")]
mod tensor_groups;
#[cfg(feature = "alloc")]
mod tensor_names;
mod tensor_parts;
#[cfg(feature = "std")]
mod tracked;
#[cfg(feature = "alloc")]
mod traffic;
#[cfg(feature = "alloc")]
mod trained_model;
#[cfg(feature = "alloc")]
mod trainer;
mod trainer_in;
#[cfg(feature = "alloc")]
mod update;
#[cfg(feature = "alloc")]
mod update_layout;
#[cfg(feature = "alloc")]
mod update_state;
#[cfg(feature = "alloc")]
mod waiting;
mod waiting_grads;
#[cfg(feature = "std")]
mod whole_state;
#[cfg(feature = "alloc")]
mod workers;
#[cfg(feature = "alloc")]
mod world;

#[cfg(feature = "alloc")]
use crate::data::Values;
#[cfg(not(feature = "alloc"))]
use no_values::NoValues as Values;

pub use accumulated::Accumulated;
#[cfg(feature = "std")]
pub use checkpoint::{Checkpoint, Every};
pub use clip::Clip;
#[cfg(feature = "std")]
pub use early_stopping::EarlyStopping;
#[cfg(feature = "alloc")]
pub use error::{NonFinite, TrainError};
#[cfg(feature = "std")]
pub use fit::Fit;
#[doc(hidden)]
pub use footprint::{training_bytes, training_len};
#[cfg(feature = "std")]
pub use history::{Ended, Epoch, Evaluation, History, StepReport};
#[cfg(feature = "std")]
pub use log::Log;
#[cfg(feature = "alloc")]
pub use objective::Objective;
#[cfg(feature = "alloc")]
pub use regularizer::Regularizer;
pub use step_error::{StepError, StepErrorKind};
#[cfg(feature = "std")]
pub use stop::StopHandle;
#[cfg(feature = "alloc")]
pub use swa::update_statistics;
#[cfg(feature = "alloc")]
pub use traffic::{RankTraffic, Traffic};
#[cfg(feature = "alloc")]
pub use trainer::Trainer;
pub use trainer_in::TrainerIn;

/// Where nothing allocates, that is what trains.
#[cfg(not(feature = "alloc"))]
pub use trainer_in::TrainerIn as Trainer;
