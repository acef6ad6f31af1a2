//! Short messages that ranks of one machine leave each other in memory that all have. In: what one rank sends
//! and expects; out: the same, the long messages by another way. It is there in microseconds, where a message
//! of MPI takes two changes of thread.

use std::vec::Vec;

use nn_kernels::bytes;

use super::{CommunicationError, SharedParts};

/// The longest short message, in bytes.
const SHORT: usize = 4096;

/// Where they are left: for each rank one place for each other.
pub(super) struct ShortMessages {
    parts: SharedParts,
}

impl ShortMessages {
    /// How many numbers each of so many ranks needs.
    pub(super) fn len(ranks: usize) -> usize {
        ranks * SHORT / size_of::<f32>()
    }

    pub(super) fn new(parts: SharedParts) -> ShortMessages {
        ShortMessages { parts }
    }

    /// As [`Communicator::exchange`](super::Communicator::exchange) of a rank, whose own has been received.
    /// Long messages, which both sides know to be so, are left to `by_messages`.
    pub(super) fn exchange(
        &mut self,
        rank: usize,
        send: &[&[u8]],
        receive: &mut [&mut [u8]],
        by_messages: impl FnOnce(&[&[u8]], &mut [&mut [u8]]) -> Result<(), CommunicationError>,
    ) -> Result<(), CommunicationError> {
        let short = |bytes: &[u8]| bytes.len() <= SHORT;
        let places = bytes::of_mut(self.parts.write()?).chunks_exact_mut(SHORT);
        for (place, message) in places.zip(send).filter(|(_, message)| short(message)) {
            place[..message.len()].copy_from_slice(message);
        }
        self.parts.show()?;
        for (from, message) in receive.iter_mut().enumerate().filter(|(from, message)| *from != rank && short(message))
        {
            let place = &bytes::of(self.parts.part(from))[rank * SHORT..];
            message.copy_from_slice(&place[..message.len()]);
        }
        self.parts.release();
        let is_long = |(of, len): (usize, usize)| of != rank && len > SHORT;
        let lens = send.iter().map(|bytes| bytes.len()).enumerate();
        if !lens.chain(receive.iter().map(|bytes| bytes.len()).enumerate()).any(is_long) {
            return Ok(());
        }
        let send: Vec<&[u8]> = send.iter().map(|bytes| if short(bytes) { &[] } else { *bytes }).collect();
        let long = receive.iter_mut().map(|bytes| if short(bytes) { &mut [][..] } else { &mut bytes[..] });
        by_messages(&send, &mut long.collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributed::{Communicator, LocalCommunicator};
    use std::thread;

    /// Messages of these lengths to each rank, empty and long ones among them.
    fn len(from: usize, to: usize, round: usize) -> usize {
        [0, 1, 88, SHORT - 1, SHORT, SHORT + 1, 3 * SHORT][(3 * from + to + round) % 7]
    }

    #[test]
    fn every_rank_gets_what_each_sends() {
        thread::scope(|scope| {
            for world in LocalCommunicator::world(3) {
                scope.spawn(move || {
                    let mut short = ShortMessages::new(world.shared(ShortMessages::len(3)).unwrap().unwrap());
                    let me = world.rank();
                    for round in 0..50 {
                        let message =
                            |from: usize, to: usize| vec![(from * 3 + to + round) as u8; len(from, to, round)];
                        let send: Vec<Vec<u8>> = (0..3).map(|to| message(me, to)).collect();
                        let send: Vec<&[u8]> = send.iter().map(|bytes| &bytes[..]).collect();
                        let mut got: Vec<Vec<u8>> = (0..3).map(|from| vec![0; len(from, me, round)]).collect();
                        got[me].copy_from_slice(send[me]);
                        let mut receive: Vec<&mut [u8]> = got.iter_mut().map(|bytes| &mut bytes[..]).collect();
                        let long = |send: &[&[u8]], receive: &mut [&mut [u8]]| {
                            let lens = send.iter().map(|bytes| bytes.len()).chain(receive.iter().map(|of| of.len()));
                            assert!(lens.into_iter().all(|len| len == 0 || len > SHORT));
                            // All of them need it in some round, and none in others.
                            Ok(())
                        };
                        short.exchange(me, &send, &mut receive, long).unwrap();
                        for (from, got) in
                            got.iter().enumerate().filter(|(from, got)| *from == me || got.len() <= SHORT)
                        {
                            assert_eq!(*got, message(from, me), "from {from} to {me}");
                        }
                    }
                });
            }
        });
    }
}
