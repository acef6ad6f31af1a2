//! Several processes that train one model: what they say to each other, and over what. In: the messages of
//! one rank; out: those of all, in the order of ranks. It knows no network and adds nothing up.
//!
//! A trainer is given one of these with [`Trainer::distributed`](crate::train::Trainer::distributed). Every
//! process then runs the same program on the same data, and each computes a part of every batch.
//! [`LocalCommunicator`] joins threads of one process, for tests:
//!
//! ```
//! use nn_runtime::distributed::LocalCommunicator;
//! use nn_runtime::prelude::*;
//!
//! network! { struct Line: [1] -> [1] { line: Dense(1, init = Zeros) } }
//!
//! let x: Vec<f32> = (0..64).map(|i| i as f32 / 64.0).collect();
//! let y: Vec<f32> = x.iter().map(|x| 2.0 * x + 1.0).collect();
//! let data = Dataset::values((&x[..], 1), (&y[..], 1)).unwrap();
//! let train = |world: LocalCommunicator| {
//!     let mut model = Line::init(0);
//!     let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1)).distributed(world).unwrap();
//!     trainer.fit(&data, Fit::epochs(3).batch(64)).unwrap();
//!     model.get("line.weight").unwrap()
//! };
//! let alone = LocalCommunicator::world(1).into_iter().map(&train).next().unwrap();
//! let both: Vec<_> = std::thread::scope(|scope| {
//!     let ranks = LocalCommunicator::world(2).into_iter().map(|world| scope.spawn(|| train(world)));
//!     ranks.collect::<Vec<_>>().into_iter().map(|rank| rank.join().unwrap()).collect()
//! });
//! assert!(both.iter().all(|weight| *weight == alone)); // the same bits
//! ```

mod communication_error;
mod communicator;
#[cfg(feature = "std")]
mod local;
#[cfg(feature = "mpi")]
mod mpi;
#[cfg(feature = "mpi")]
mod mpi_thread;
mod parts;
#[cfg(feature = "std")]
mod shared_parts;
#[cfg_attr(not(feature = "mpi"), allow(dead_code, reason = "threads of one process send no messages"))]
#[cfg(feature = "std")]
mod short_messages;
#[cfg_attr(not(feature = "mpi"), allow(dead_code, reason = "threads of one process need no watch"))]
#[cfg(feature = "std")]
mod watch;

pub use communication_error::CommunicationError;
pub use communicator::Communicator;
#[cfg(feature = "std")]
pub use local::LocalCommunicator;
#[cfg(feature = "mpi")]
pub use mpi::MpiCommunicator;
#[cfg(not(feature = "std"))]
pub use nothing_shared::NothingShared as SharedParts;
pub use parts::Parts;
#[cfg(feature = "std")]
pub use shared_parts::SharedParts;

/// Where there is no operating system.
#[cfg(not(feature = "std"))]
mod nothing_shared {
    use super::CommunicationError;

    /// Memory that ranks have together: there is none without the feature `std`.
    pub enum NothingShared {}

    impl NothingShared {
        pub(crate) fn write(&mut self) -> Result<&mut [f32], CommunicationError> {
            match *self {}
        }

        pub(crate) fn show(&mut self) -> Result<(), CommunicationError> {
            match *self {}
        }

        pub(crate) fn part(&self, _rank: usize) -> &[f32] {
            match *self {}
        }

        pub(crate) fn release(&mut self) {
            match *self {}
        }
    }
}
