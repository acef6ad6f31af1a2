//! Training: batches in, better parameters and a history out. A [`Trainer`] owns the loop, the order of
//! samples and the memory of a step; losses, optimisers and schedules are told what to do one batch at a
//! time.

// Each module uses those before it: split, microbatch, param_chunks, shard, update, executor, trainer.
mod accuracy_sums;
mod batch_outputs;
mod batch_pass;
mod checkpoint;
mod checkpoint_file;
mod checkpoint_numbers;
mod checkpoint_writer;
mod checks;
mod clip;
mod early_stopping;
mod ema;
mod epoch_sums;
mod error;
mod evaluating;
mod executor;
mod fit;
mod fit_state;
mod fitting;
mod fixed_range;
mod footprint;
mod grad_source;
mod history;
mod history_text;
mod loss_sums;
mod magnitude;
pub mod metrics;
mod microbatch;
mod objective;
mod overflow;
mod own_loop;
mod own_objective;
mod param_chunks;
mod param_cut;
mod refusal;
mod regularizer;
mod resume;
pub mod schedule;
mod scheduled_rate;
mod settings;
mod shard;
mod snapshot;
mod split;
mod stop;
mod tensor_groups;
mod tensor_names;
mod tracked;
mod trained_model;
mod trainer;
mod update;
mod update_state;
mod waiting;
mod workers;

pub use checkpoint::{Checkpoint, Every};
pub use clip::Clip;
pub use early_stopping::EarlyStopping;
pub use error::{NonFinite, TrainError};
pub use fit::Fit;
pub(crate) use footprint::training_bytes;
pub use history::{Ended, Epoch, Evaluation, History, StepReport};
pub use objective::Objective;
pub use regularizer::Regularizer;
pub use stop::StopHandle;
pub use trainer::Trainer;
