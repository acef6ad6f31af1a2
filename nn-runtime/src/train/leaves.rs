//! The fixed tree in which a distributed gradient is added up. In: the size of a batch, the number of ranks;
//! out: blocks of samples (the leaves), which rank computes which, and sums whose order depends on the batch
//! alone.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::ops::Range;

use super::split::LOSS_BLOCK;
use nn_kernels::long_sums;
use nn_kernels::simd::Isa;

/// Leaves that a batch has at least, where each can have a loss block: for as many ranks there is work.
const LEAST: usize = 8;

/// Leaves that a batch has at most where they run at once.
const MOST_THREADS: usize = 64;

/// Samples of a leaf of a batch of this size: larger ones are cheaper, as each has a gradient of its own, up
/// to the length of a chain of `f32` that is summed at once anyway.
pub(super) fn leaf_of(batch: usize) -> usize {
    batch.div_ceil(LEAST).next_power_of_two().clamp(LOSS_BLOCK, long_sums::BLOCK)
}

/// The same where the leaves of a batch run at once, on a thread each.
pub(super) fn meeting_leaf_of(batch: usize) -> usize {
    leaf_of(batch).max(batch.div_ceil(MOST_THREADS).next_power_of_two())
}

/// The most leaves that one of so many ranks may have of any batch up to this size, where they run at once.
pub(super) fn most_meeting_leaves(batch: usize, ranks: usize) -> usize {
    batch.div_ceil(LOSS_BLOCK).min(MOST_THREADS).div_ceil(ranks) + 1
}

/// The most leaves that any batch up to this size has of so many of its samples, whole leaves.
pub(super) fn most_leaves(samples: usize) -> usize {
    samples.div_ceil(LOSS_BLOCK).min(LEAST.max(samples.div_ceil(long_sums::BLOCK)))
}

/// The leaves of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Leaves {
    pub(super) samples: usize,
    /// Samples of each but the last.
    pub(super) each: usize,
}

impl Leaves {
    #[inline]
    pub(super) fn count(self) -> usize {
        self.samples.div_ceil(self.each)
    }

    /// The leaves of one of so many ranks; none where there are more ranks.
    #[inline]
    pub(super) fn of_rank(self, rank: usize, ranks: usize) -> Range<usize> {
        rank * self.count() / ranks..(rank + 1) * self.count() / ranks
    }

    /// The samples of some leaves.
    #[inline]
    pub(super) fn samples_of(self, leaves: &Range<usize>) -> Range<usize> {
        (leaves.start * self.each).min(self.samples)..(leaves.end * self.each).min(self.samples)
    }
}

/// A node of the tree: the leaves from `first` on, `width` of them, a power of two that divides `first`;
/// fewer where the batch ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Subtree {
    pub(super) first: usize,
    pub(super) width: usize,
}

impl Subtree {
    /// The whole of a tree of so many leaves.
    pub(super) fn root(leaves: usize) -> Subtree {
        Subtree { first: 0, width: leaves.next_power_of_two() }
    }

    /// The other half of what it is a half of, and that.
    fn sibling(self) -> (Subtree, Subtree) {
        let Subtree { first, width } = self;
        (Subtree { first: first ^ width, width }, Subtree { first: first & !width, width: 2 * width })
    }

    fn halves(self) -> [Subtree; 2] {
        let width = self.width / 2;
        [Subtree { first: self.first, width }, Subtree { first: self.first + width, width }]
    }
}

/// The fewest full subtrees that some leaves are made of, in order: what one rank has to send.
#[cfg(feature = "alloc")]
pub(super) fn subtrees(leaves: Range<usize>) -> Vec<Subtree> {
    let mut all: Vec<Subtree> = Vec::new();
    for first in leaves {
        let mut last = Subtree { first, width: 1 };
        while let Some(before) =
            all.last().filter(|before| before.width == last.width && before.first % (2 * last.width) == 0)
        {
            last = Subtree { first: before.first, width: 2 * last.width };
            all.pop();
        }
        all.push(last);
    }
    all
}

/// Arrays of spare memory, each as long as the sum, that [`add_up`] needs for a tree of so many leaves.
pub(super) fn spare_arrays(leaves: usize) -> usize {
    leaves.next_power_of_two().ilog2() as usize
}

/// What a sum is made of. Each method returns whether it can be asked for this subtree.
pub(super) trait SubtreeSums {
    /// Overwrites `to` with the sum of a subtree.
    fn write(&mut self, of: Subtree, to: &mut [f32]) -> bool;

    /// Adds the sum of a subtree to `to`: the bits of writing it elsewhere, and then adding.
    fn add(&mut self, of: Subtree, to: &mut [f32]) -> bool;
}

/// The sum of a subtree: what the terms can write, or else that of the left half and then that of the right
/// one.
pub(super) fn add_up(
    isa: Isa,
    of: Subtree,
    leaves: usize,
    sums: &mut impl SubtreeSums,
    to: &mut [f32],
    spare: &mut [f32],
) {
    if sums.write(of, to) {
        return;
    }
    let [left, right] = of.halves();
    add_up(isa, left, leaves, sums, to, spare);
    if right.first < leaves && !sums.add(right, to) {
        let (term, spare) = spare.split_at_mut(to.len());
        add_up(isa, right, leaves, sums, term, spare);
        isa.add(term, to);
    }
}

/// Makes the sum of a subtree, which stands in `to`, that of the whole tree. Which of two terms comes first
/// changes no bit of their sum.
pub(super) fn add_rest(
    isa: Isa,
    of: Subtree,
    leaves: usize,
    sums: &mut impl SubtreeSums,
    to: &mut [f32],
    spare: &mut [f32],
) {
    let mut done = of;
    while done.width < Subtree::root(leaves).width {
        let (other, both) = done.sibling();
        if other.first < leaves && !sums.add(other, to) {
            let (term, spare) = spare.split_at_mut(to.len());
            add_up(isa, other, leaves, sums, term, spare);
            isa.add(term, to);
        }
        done = both;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How a sum is put together, in words.
    fn words(of: Subtree, leaves: usize) -> String {
        if of.width == 1 {
            return alloc::format!("{}", of.first);
        }
        let [left, right] = of.halves();
        match right.first < leaves {
            true => alloc::format!("({} {})", words(left, leaves), words(right, leaves)),
            false => words(left, leaves),
        }
    }

    /// Sums that are there, which may be added where they are asked for or not.
    struct Known<'a> {
        of: &'a dyn Fn(Subtree) -> Option<[f32; 2]>,
        adds: bool,
    }

    impl SubtreeSums for Known<'_> {
        fn write(&mut self, of: Subtree, to: &mut [f32]) -> bool {
            (self.of)(of).is_some_and(|sum| {
                to.copy_from_slice(&sum);
                true
            })
        }
        fn add(&mut self, of: Subtree, to: &mut [f32]) -> bool {
            let known = (self.of)(of).filter(|_| self.adds);
            known.is_some_and(|sum| {
                to.iter_mut().zip(sum).for_each(|(to, sum)| *to += sum);
                true
            })
        }
    }

    #[test]
    fn the_tree_is_that_of_the_leaves_whoever_has_them() {
        assert_eq!(words(Subtree::root(7), 7), "(((0 1) (2 3)) ((4 5) 6))");
        assert_eq!(words(Subtree::root(5), 5), "(((0 1) (2 3)) 4)");
        let isa = Isa::detect();
        // Terms whose sum depends on the order.
        let leaf = |i: usize| [1.0 / (1.0 + i as f32), 1e6 * (i as f32).sin()];
        let each = |at: Subtree| (at.width == 1).then(|| leaf(at.first));
        for leaves in 1..70 {
            let mut spare = vec![0.0; 2 * spare_arrays(leaves)];
            let mut sum = |known: &dyn Fn(Subtree) -> Option<[f32; 2]>, of: Subtree| {
                let sums = [false, true].map(|adds| {
                    let mut to = [f32::NAN; 2];
                    add_up(isa, of, leaves, &mut Known { of: known, adds }, &mut to, &mut spare);
                    to.map(f32::to_bits)
                });
                assert_eq!(sums[0], sums[1]);
                sums[0]
            };
            let whole = sum(&each, Subtree::root(leaves));
            for ranks in 1..=9 {
                let dealt = Leaves { samples: leaves * 16 - 3, each: 16 };
                assert_eq!(dealt.count(), leaves);
                let mut pieces = Vec::new();
                let mut next = 0;
                for rank in 0..ranks {
                    let own = dealt.of_rank(rank, ranks);
                    assert_eq!(own.start, next);
                    next = own.end;
                    for piece in subtrees(own.clone()) {
                        assert!(piece.first >= own.start && piece.first + piece.width <= own.end);
                        pieces.push((piece, sum(&each, piece).map(f32::from_bits)));
                    }
                }
                assert_eq!(next, leaves);
                let found = |at: Subtree| pieces.iter().find(|(piece, _)| *piece == at).map(|(_, sum)| *sum);
                assert_eq!(sum(&found, Subtree::root(leaves)), whole, "{leaves} leaves on {ranks} ranks");
                for (of, mut to) in pieces.iter().copied() {
                    let mut known = Known { of: &found, adds: of.first % 2 == 0 };
                    add_rest(isa, of, leaves, &mut known, &mut to, &mut [0.0; 32]);
                    assert_eq!(to.map(f32::to_bits), whole, "{leaves} leaves on {ranks} ranks, from {of:?}");
                }
            }
        }
    }

    #[test]
    fn leaves_are_enough_for_eight_ranks_and_no_longer_than_a_chain() {
        let leaves = |samples: usize| Leaves { samples, each: leaf_of(samples) };
        for (samples, each, count) in [(1, 16, 1), (32, 16, 2), (100, 16, 7), (128, 16, 8), (257, 64, 5), (512, 64, 8)]
        {
            assert_eq!((leaves(samples).each, leaves(samples).count()), (each, count), "{samples}");
        }
        assert_eq!(leaves(65_536).count(), 1024);
        for samples in 1..3000 {
            let dealt = leaves(samples);
            assert!(dealt.count() <= most_leaves(samples));
            for ranks in 1..6 {
                for rank in 0..ranks {
                    let own = dealt.of_rank(rank, ranks);
                    assert!(own.len() <= most_leaves(dealt.samples_of(&own).len()));
                }
            }
        }
    }
}
