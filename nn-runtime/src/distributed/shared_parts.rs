//! Numbers of each rank that all ranks of one machine read where they lie. In: memory that ranks have
//! together, and how to know that one of them is lost; out: turns of writing and reading. It copies nothing.

use std::boxed::Box;
use std::hint::spin_loop;
use std::thread;
use std::time::{Duration, Instant};

use nn_kernels::shared_memory::SharedMemory;

use super::CommunicationError;

/// How often whoever waits looks without a pause: some microseconds.
const SPINS: u32 = 200;
/// How long it yields after that, before it sleeps.
const EAGER: Duration = Duration::from_millis(2);
/// How long it sleeps, before it looks again.
const ASIDE: Duration = Duration::from_micros(50);
/// How often it looks whether all are still there.
const LOOK: Duration = Duration::from_millis(20);

/// Who is lost, where a rank has been waited for since then.
type LostRank = dyn Fn(usize, Instant) -> Option<CommunicationError> + Send + Sync;

/// Numbers of each rank, as many for each, that all ranks read where they lie: see
/// [`Communicator::shared`](super::Communicator::shared).
pub struct SharedParts {
    memory: SharedMemory,
    lost: Box<LostRank>,
}

impl SharedParts {
    /// `lost` tells whether a rank is lost for which this one has waited since then.
    pub(super) fn new(
        memory: SharedMemory,
        lost: impl Fn(usize, Instant) -> Option<CommunicationError> + Send + Sync + 'static,
    ) -> SharedParts {
        SharedParts { memory, lost: Box::new(lost) }
    }

    /// Waits until all have read what was shown before, and gives this rank's numbers, to be written.
    ///
    /// # Errors
    /// A rank is lost.
    pub(crate) fn write(&mut self) -> Result<&mut [f32], CommunicationError> {
        let SharedParts { memory, lost } = self;
        memory.write(waiting(lost))
    }

    /// Shows all what this rank has written, and waits until all others have shown theirs.
    ///
    /// # Errors
    /// A rank is lost.
    pub(crate) fn show(&mut self) -> Result<(), CommunicationError> {
        let SharedParts { memory, lost } = self;
        memory.show(waiting(lost))
    }

    /// What a rank has shown, until this one releases it.
    pub(crate) fn part(&self, rank: usize) -> &[f32] {
        self.memory.part(rank)
    }

    /// This rank has read all that it wants.
    pub(crate) fn release(&mut self) {
        self.memory.release();
    }
}

/// A pause while a rank is waited for, as short as the wait; others have the processor where they want it.
fn waiting(lost: &LostRank) -> impl FnMut(usize) -> Result<(), CommunicationError> {
    let (mut spins, mut begun, mut looked) = (0, None, None);
    move |rank| {
        if spins < SPINS {
            spins += 1;
            spin_loop();
            return Ok(());
        }
        let begun = *begun.get_or_insert_with(Instant::now);
        let looked = looked.get_or_insert(begun);
        if looked.elapsed() >= LOOK {
            *looked = Instant::now();
            if let Some(error) = lost(rank, begun) {
                return Err(error);
            }
        }
        if begun.elapsed() < EAGER {
            thread::yield_now()
        } else {
            thread::sleep(ASIDE)
        }
        Ok(())
    }
}
