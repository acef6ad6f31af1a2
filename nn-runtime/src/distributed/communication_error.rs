//! What goes wrong between ranks. In: who is lost, what came; out: that in words, with what to do.

use alloc::string::String;
use core::fmt;

/// Why ranks cannot go on together.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CommunicationError {
    /// A rank has ended or does not answer.
    #[non_exhaustive]
    RankLost {
        /// Which.
        rank: usize,
    },
    /// A message has another length than was expected: ranks do not run the same program.
    #[non_exhaustive]
    Length {
        /// Who sent it.
        rank: usize,
        /// Bytes that were expected.
        expected: usize,
        /// Bytes that came.
        found: usize,
    },
    /// What carries the messages has failed.
    Engine(String),
}

impl CommunicationError {
    /// A rank has ended or does not answer.
    pub fn rank_lost(rank: usize) -> CommunicationError {
        CommunicationError::RankLost { rank }
    }

    /// Rank `rank` has sent `found` bytes where `expected` were expected.
    pub fn length(rank: usize, expected: usize, found: usize) -> CommunicationError {
        CommunicationError::Length { rank, expected, found }
    }
}

impl fmt::Display for CommunicationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommunicationError::RankLost { rank } => write!(
                f,
                "expected all ranks to go on, found that rank {rank} has ended or does not answer\nhelp: see what rank \
                 {rank} printed last; then go on from the checkpoint, on any number of ranks"
            ),
            CommunicationError::Length { rank, expected, found } => write!(
                f,
                "expected {expected} bytes from rank {rank}, found {found}\nhelp: run the same program with the same \
                 settings and data on every rank"
            ),
            CommunicationError::Engine(text) => f.write_str(text),
        }
    }
}

impl core::error::Error for CommunicationError {}
