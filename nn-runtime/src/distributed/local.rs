//! Ranks that are threads of one process. In: messages; out: copies of them. For tests, and to try a program
//! out before there are machines.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::vec::Vec;

use nn_kernels::shared_memory::SharedMemory;

use super::{CommunicationError, Communicator, SharedParts};

/// One rank of a world of threads. Where one is dropped, others that wait for it are told.
pub struct LocalCommunicator {
    rank: usize,
    size: usize,
    hub: Arc<Hub>,
}

/// What all ranks share.
struct Hub {
    mail: Mutex<Mail>,
    changed: Condvar,
}

struct Mail {
    /// From rank `from` to rank `to`, at `from · size + to`.
    boxes: Vec<VecDeque<Vec<u8>>>,
    /// Views of memory that all have, for each rank those it has not taken yet.
    shared: Vec<VecDeque<SharedMemory>>,
    /// Ranks that have ended, the first one first.
    ended: Vec<usize>,
}

impl LocalCommunicator {
    /// So many ranks, one for each thread.
    ///
    /// # Panics
    /// `size == 0`
    pub fn world(size: usize) -> Vec<LocalCommunicator> {
        assert!(size > 0, "expected a world of at least 1 rank, found 0");
        let boxes = (0..size * size).map(|_| VecDeque::new()).collect();
        let shared = (0..size).map(|_| VecDeque::new()).collect();
        let mail = Mail { boxes, shared, ended: Vec::new() };
        let hub = Arc::new(Hub { mail: Mutex::new(mail), changed: Condvar::new() });
        (0..size).map(|rank| LocalCommunicator { rank, size, hub: Arc::clone(&hub) }).collect()
    }

    fn mail(&self) -> MutexGuard<'_, Mail> {
        self.hub.mail()
    }

    /// What rank `from` has for this one, once it is there.
    fn wait_for<T>(
        &self,
        mut mail: MutexGuard<'_, Mail>,
        from: usize,
        take: impl Fn(&mut Mail) -> Option<T>,
    ) -> Result<T, CommunicationError> {
        loop {
            if let Some(found) = take(&mut mail) {
                return Ok(found);
            }
            if let Some(error) = mail.without(from) {
                return Err(error);
            }
            mail = self.hub.changed.wait(mail).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Hub {
    /// A rank that has panicked leaves whole messages behind.
    fn mail(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mail {
    /// Why nothing more comes from a rank, if it has ended.
    fn without(&self, rank: usize) -> Option<CommunicationError> {
        self.ended.contains(&rank).then(|| CommunicationError::rank_lost(self.ended[0]))
    }
}

impl Communicator for LocalCommunicator {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn exchange(&self, send: &[&[u8]], receive: &mut [&mut [u8]]) -> Result<(), CommunicationError> {
        let messages: Vec<Vec<u8>> = send.iter().map(|bytes| bytes.to_vec()).collect();
        let mut mail = self.mail();
        for (to, message) in messages.into_iter().enumerate() {
            mail.boxes[self.rank * self.size + to].push_back(message);
        }
        self.hub.changed.notify_all();
        drop(mail);
        for (from, to) in receive.iter_mut().enumerate() {
            let place = from * self.size + self.rank;
            let message = self.wait_for(self.mail(), from, |mail| mail.boxes[place].pop_front())?;
            if message.len() != to.len() {
                return Err(CommunicationError::length(from, to.len(), message.len()));
            }
            to.copy_from_slice(&message);
        }
        Ok(())
    }

    fn shared(&self, len: usize) -> Result<Option<SharedParts>, CommunicationError> {
        let mut mail = self.mail();
        if self.rank == 0 {
            mail.shared
                .iter_mut()
                .zip(SharedMemory::of_threads(self.size, len))
                .for_each(|(of, view)| of.push_back(view));
            self.hub.changed.notify_all();
        }
        let memory = self.wait_for(mail, 0, |mail| mail.shared[self.rank].pop_front())?;
        if memory.part_len() != len {
            let [expected, found] = [len, memory.part_len()].map(|len| len * size_of::<f32>());
            return Err(CommunicationError::length(0, expected, found));
        }
        let hub = Arc::clone(&self.hub);
        Ok(Some(SharedParts::new(memory, move |rank, _| hub.mail().without(rank))))
    }
}

impl Drop for LocalCommunicator {
    fn drop(&mut self) {
        self.mail().ended.push(self.rank);
        self.hub.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn every_rank_gets_what_each_sends() {
        thread::scope(|scope| {
            for world in LocalCommunicator::world(4) {
                scope.spawn(move || {
                    for round in 0..20u8 {
                        let me = world.rank() as u8;
                        let send: Vec<Vec<u8>> = (0..4).map(|to| vec![me * 10 + to + round; to as usize]).collect();
                        let mut got = vec![vec![0; me as usize]; 4];
                        let send: Vec<&[u8]> = send.iter().map(|bytes| &bytes[..]).collect();
                        let mut receive: Vec<&mut [u8]> = got.iter_mut().map(|bytes| &mut bytes[..]).collect();
                        world.exchange(&send, &mut receive).unwrap();
                        for (from, got) in got.iter().enumerate() {
                            assert_eq!(*got, vec![from as u8 * 10 + me + round; me as usize]);
                        }
                        world.barrier().unwrap();
                    }
                });
            }
        });
    }

    #[test]
    fn the_first_that_ends_is_named_by_all() {
        let mut ranks = LocalCommunicator::world(3);
        drop(ranks.remove(1));
        thread::scope(|scope| {
            let each = ranks.into_iter().map(|world| scope.spawn(move || world.barrier()));
            let each: Vec<_> = each.collect();
            for rank in each {
                assert_eq!(rank.join().unwrap(), Err(CommunicationError::rank_lost(1)));
            }
        });
    }

    #[test]
    fn another_length_is_told() {
        let [one, two] = LocalCommunicator::world(2).try_into().ok().unwrap();
        thread::scope(|scope| {
            scope.spawn(move || two.exchange(&[&[1, 2], &[]], &mut [&mut [], &mut []]));
            let mut got = [vec![], vec![0; 3]];
            let mut got = got.each_mut().map(|got| &mut got[..]);
            assert_eq!(one.exchange(&[&[], &[]], &mut got), Err(CommunicationError::length(1, 3, 2)));
        });
    }
}
