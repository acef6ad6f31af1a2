//! The seam between training and whatever carries messages. In: bytes for each rank; out: bytes from each.
//! Whoever implements it neither adds nor reorders.

use alloc::vec;
use alloc::vec::Vec;

use super::{CommunicationError, Parts, SharedParts};

/// Processes, or threads, that are numbered and exchange messages: MPI's communicator, seen from one rank.
///
/// Every rank calls the same methods in the same order, with lengths that fit each other. Three methods make
/// one; the others may be done better where there is a way.
pub trait Communicator: Send + Sync {
    /// The number of this process, from 0.
    fn rank(&self) -> usize;

    /// How many there are.
    fn size(&self) -> usize;

    /// Sends `send[r]` to every rank `r`, this one too, and fills `receive[r]` with what `r` sends here: one
    /// slice for each rank, of the length that is sent. Returns when all of `receive` has been filled. MPI's
    /// `Alltoallv`, and its `Allgatherv` where all ranks are sent the same.
    ///
    /// # Errors
    /// A rank has ended or does not answer. No later call succeeds.
    fn exchange(&self, send: &[&[u8]], receive: &mut [&mut [u8]]) -> Result<(), CommunicationError>;

    /// Sends and receives while `work` is run, and returns when both are through. What is for this rank
    /// itself stays in `send`, and nothing is received from it. An engine may take the buffers as long as it
    /// needs them; where it has failed they need not come back.
    ///
    /// # Errors
    /// As [`exchange`](Communicator::exchange).
    fn exchange_while(
        &self,
        send: &mut Parts,
        receive: &mut Parts,
        work: &mut dyn FnMut(),
    ) -> Result<(), CommunicationError> {
        work();
        let sent: Vec<&[u8]> =
            (0..self.size()).map(|rank| if rank == self.rank() { &[] } else { send.bytes(rank) }).collect();
        self.exchange(&sent, &mut receive.bytes_mut().collect::<Vec<_>>())
    }

    /// Memory that all ranks have together, with so many numbers for each, where they are on one machine and
    /// the engine can have it: gradients and parameters are read where they lie then, and not sent. None
    /// unless one of the engines here is asked.
    ///
    /// # Errors
    /// As [`exchange`](Communicator::exchange).
    fn shared(&self, _len: usize) -> Result<Option<SharedParts>, CommunicationError> {
        Ok(None)
    }

    /// Returns when every rank has called it.
    ///
    /// # Errors
    /// As [`exchange`](Communicator::exchange).
    fn barrier(&self) -> Result<(), CommunicationError> {
        let mut received = vec![0; self.size()];
        let mut receive: Vec<&mut [u8]> = received.chunks_mut(1).collect();
        self.exchange(&vec![&[0][..]; self.size()], &mut receive)
    }
}
