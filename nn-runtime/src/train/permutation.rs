//! A permutation that is computed place by place. In: a length and a key; out: the index at a place, without
//! memory for the others.

use nn_kernels::counter_rng::CounterRng;

/// Rounds of the network below; four are as good as random (Luby & Rackoff, "How to Construct Pseudorandom
/// Permutations", 1988), more help where halves have few bits.
const ROUNDS: usize = 8;

/// A permutation of `0..len` that is computed place by place: a Feistel network over the next power of four,
/// walked until it comes back below `len` (Black & Rogaway, "Ciphers with Arbitrary Finite Domains", 2002).
pub(super) struct Permutation {
    len: u64,
    pub(super) shown: usize,
    /// Bits of a half.
    half: u32,
    rounds: [CounterRng; ROUNDS],
}

impl Permutation {
    /// Of `0..len`, keyed by a seed and by words.
    pub(super) fn of(len: usize, words: &[u64], seed: u64) -> Permutation {
        let bits = (len.max(2) - 1).ilog2() + 1;
        let rng = CounterRng { key: seed }.fold_in(words);
        let rounds = core::array::from_fn(|round| rng.fold_in(&[round as u64]));
        Permutation { len: len as u64, shown: len, half: bits.div_ceil(2), rounds }
    }

    /// What stands at `place`, which is below the length.
    pub(super) fn index(&self, place: usize) -> usize {
        let mut index = place as u64;
        loop {
            index = self.round_trip(index);
            // Walks of a permutation come back to where they began, which is below.
            if index < self.len {
                return index as usize;
            }
        }
    }

    fn round_trip(&self, index: u64) -> u64 {
        let mask = (1 << self.half) - 1;
        let halves = (index >> self.half, index & mask);
        // The high bits of a word: the best mixed.
        let mix = |(left, right): (u64, u64), round: &CounterRng| (right, left ^ (round.word(right) >> 32) & mask);
        let (left, right) = self.rounds.iter().fold(halves, mix);
        left << self.half | right
    }
}
