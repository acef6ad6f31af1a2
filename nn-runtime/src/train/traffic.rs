//! What a step asks of each rank where several share a batch: samples to run, bytes to send. In: a network, a
//! batch, a number of ranks; out: numbers, without a trainer. A test compares them with what is really sent.

use alloc::vec::Vec;
use core::fmt;

use super::leaves::{Leaves, subtrees};
use super::loss_sums::LossSums;
use super::microbatch::MicroBatching;
use super::param_chunks::{self, ChunkCut, ParamChunk};
use super::shares::{Shares, sharing_workers};
use super::split::{LOSS_BLOCK, can_meet, looks_at_whole_batches};
use super::tensor_groups::TensorGroups;
use crate::graph::{CompiledNetwork, Node};
use crate::spec::Role;

/// What a step of a [distributed](crate::train::Trainer::distributed) trainer asks of each of its ranks: see
/// [`Network::traffic`](crate::model::Network::traffic).
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! { struct Net: [784] -> [10] { Dense(1024) -> Relu -> Dense(10) -> Softmax } }
///
/// let traffic = Net::traffic(512, 2);
/// assert_eq!(traffic.of(0).samples, 256);
/// // Half of the gradient to the other rank, half of the parameters to it.
/// let half = 4 * (784 * 1024 + 1024 + 1024 * 16 + 10) / 2;
/// assert!(traffic.most().gradients.abs_diff(half) < half / 16);
/// assert!(traffic.most().parameters.abs_diff(half) < half / 16);
/// println!("{traffic}");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Traffic {
    ranks: Vec<RankTraffic>,
}

/// What a step asks of one rank. Sizes are in bytes; what a rank has itself is not sent, and where all ranks
/// are on one machine neither are gradients and parameters, which are read where they lie.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct RankTraffic {
    /// Samples that it runs.
    pub samples: usize,
    /// The parameters that it updates: so much it holds for each number that an optimiser remembers of a
    /// parameter, and for their gradients.
    pub share: usize,
    /// Sent of the gradients, of what other ranks update.
    pub gradients: usize,
    /// Sent of the parameters, after it has updated its share.
    pub parameters: usize,
    /// Sent of what layers tell each other that look at whole batches.
    pub statistics: usize,
    /// Sent of losses, and of what ranks decide together.
    pub losses: usize,
}

impl RankTraffic {
    /// All bytes that are sent.
    pub fn sent(&self) -> usize {
        self.gradients + self.parameters + self.statistics + self.losses
    }
}

impl Traffic {
    pub(crate) fn new(map: &'static CompiledNetwork, batch: usize, ranks: usize) -> Traffic {
        let meets = looks_at_whole_batches(map);
        let ranks = ranks.max(1);
        if batch == 0 || meets && !can_meet(map) {
            let all = RankTraffic { samples: batch, share: 4 * map.params_len, ..RankTraffic::default() };
            return Traffic { ranks: (0..ranks).map(|_| all).collect() };
        }
        let leaves = MicroBatching::in_leaves(map, meets).leaves(batch);
        let cut = ChunkCut::for_workers(map, sharing_workers(ranks));
        let chunks = param_chunks::list(map, Role::Trainable, cut, &TensorGroups::default());
        let told = if meets { 1 + 2 * statistics(map) } else { 0 };
        let each = (0..ranks).map(|rank| of_rank(map, (&chunks, leaves), (rank, ranks), told));
        Traffic { ranks: each.collect() }
    }

    /// What it asks of this rank.
    ///
    /// # Panics
    /// There are not so many ranks.
    pub fn of(&self, rank: usize) -> RankTraffic {
        self.ranks[rank]
    }

    /// Of the rank that sends most.
    pub fn most(&self) -> RankTraffic {
        self.ranks.iter().copied().max_by_key(RankTraffic::sent).unwrap_or_default()
    }
}

/// `told`: floats that layers tell of each leaf.
fn of_rank(
    map: &CompiledNetwork,
    (chunks, leaves): (&[ParamChunk], Leaves),
    (rank, ranks): (usize, usize),
    told: usize,
) -> RankTraffic {
    let shares = Shares::deal(chunks, (rank, ranks), map.params_len);
    let own = leaves.of_rank(rank, ranks);
    let (samples, others) = (leaves.samples_of(&own).len(), ranks - 1);
    let len = |rank: usize| chunks[shares.chunks_of(rank)].iter().map(|chunk| chunk.range.len()).sum::<usize>();
    let of_others: usize = (0..ranks).filter(|other| *other != rank).map(len).sum();
    RankTraffic {
        samples,
        share: 4 * shares.span().len(),
        gradients: 4 * of_others * subtrees(own.clone()).len(),
        parameters: 4 * shares.changed().len() * others,
        statistics: 4 * told * own.len() * others,
        losses: (samples.div_ceil(LOSS_BLOCK) * LossSums::BYTES + AGREEMENT) * others,
    }
}

/// Bytes by which a rank tells another what its gradients are like.
const AGREEMENT: usize = 16;

/// Floats that layers tell of a leaf, forward, and as many backward.
fn statistics(map: &CompiledNetwork) -> usize {
    let learning = map.nodes.iter().filter(|node| !node.frozen);
    let of_node = |node: &Node| {
        let running = node.spec.params.list().iter().filter(|param| param.role == Role::RunningStat);
        match node.network {
            Some(network) => node.spec.times * statistics(network()),
            None => running.map(|param| param.shape.len()).sum::<usize>(),
        }
    };
    learning.map(of_node).sum()
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>6} {:>8} {:>12} {:>12} {:>12} {:>12} {:>12} {:>12}",
            "rank", "samples", "share", "bytes sent", "gradients", "parameters", "statistics", "losses"
        )?;
        for (rank, cost) in self.ranks.iter().enumerate() {
            let RankTraffic { samples, share, gradients, parameters, statistics, losses } = *cost;
            writeln!(
                f,
                "{rank:>6} {samples:>8} {share:>12} {:>12} {gradients:>12} {parameters:>12} {statistics:>12} {losses:>12}",
                cost.sent()
            )?;
        }
        Ok(())
    }
}
