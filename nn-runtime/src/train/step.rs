//! One batch, without allocation, on one lane or several: forward, loss, input gradients on each lane's samples (see `lane`); then each piece
//! of the parameters pulled from all samples by the lane that takes it, and updated while it is warm or gathered. In: a batch; out: changed parameters and the loss, the same bits for any number of lanes.

use std::num::NonZero;
use std::ops::Range;
use std::thread;

use super::apart::Apart;
use super::lane::{Batch, Lane, Training};
use super::objective::{Objective, Tally};
use super::pieces;
use super::update::{Bench, Update};
use crate::data::Targets;
use crate::graph::CompiledNetwork;
use crate::network::Network;
use crate::optim::Optimizer;
use crate::spec::Role;
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::counter_rng::CounterRng;
use nn_kernels::simd::Isa;
use nn_kernels::thread_pool::ThreadPool;

/// Samples whose loss is summed at once. Lanes take whole ones, so that how many lanes there are changes no sum.
pub(super) const CHUNK: usize = 16;

/// Multiply-adds of a step for which a lane more is worth its while, if nobody has said how many there are to be: some 20 µs.
const LANE_MACS: usize = 3_000_000;

/// The memory of a step: workspace, outputs and their gradients, what becomes of the gradients of parameters.
pub(super) struct Stage {
    pub(super) isa: Isa,
    /// How many lanes the user wants; as many as are worth it where none is said.
    pub(super) threads: Option<NonZero<usize>>,
    cores: usize,
    /// Samples there is room for, in all and on each lane.
    capacity: usize,
    each: usize,
    thread_pool: ThreadPool,
    /// Each lane's samples: written by one lane, and then read by all.
    lanes: Vec<Lane>,
    /// Each lane's memory for what it does alone.
    benches: Vec<Bench>,
    running: Vec<Range<usize>>,
    /// The change of one strip of running statistics.
    change: AlignedBuffer,
    apart: Apart,
    pub(super) update: Update,
    /// Batches trained on: what their noise is drawn by.
    pub(super) batches: u64,
}

/// What a batch has come to.
pub(super) struct Taken {
    pub(super) sums: Tally,
    /// What the penalties on parameters added to the loss.
    pub(super) penalty: f64,
}

impl Taken {
    /// The mean loss of a row, and the penalties.
    #[inline]
    pub(super) fn loss(&self) -> f64 {
        self.sums.mean() + self.penalty
    }
}

impl Stage {
    pub(super) fn new<N: Network>(optimizer: &impl Optimizer, isa: Isa) -> Stage {
        let running: Vec<_> =
            pieces::by_strip(N::COMPILED, Role::RunningStat, 1).into_iter().map(|piece| piece.range).collect();
        Stage {
            isa,
            threads: None,
            cores: thread::available_parallelism().map_or(1, NonZero::get),
            capacity: 0,
            each: 0,
            thread_pool: ThreadPool::new(1),
            lanes: Vec::new(),
            benches: Vec::new(),
            change: AlignedBuffer::zeroed(running.iter().map(Range::len).max().unwrap_or(0)),
            running,
            apart: Apart::new(N::COMPILED),
            update: Update::new(N::COMPILED, optimizer),
            batches: 0,
        }
    }

    /// Makes room for batches of up to this many samples, and lanes for them.
    pub(super) fn reserve<N: Network>(&mut self, batch: usize, optimizer: &impl Optimizer) {
        if batch <= self.capacity {
            return;
        }
        let map = N::COMPILED;
        let wanted = self.worth_it(map, batch);
        let (new, more) = (self.capacity == 0, self.thread_pool.threads() < wanted);
        if more || self.threads.is_some() && self.thread_pool.threads() != wanted {
            self.thread_pool = ThreadPool::new(wanted);
        }
        if new || more {
            self.update.arrange(optimizer, self.thread_pool.threads());
        }
        let lanes = if one_lane(map) { 1 } else { self.thread_pool.threads() };
        let each = share(batch, self.apart.cut(batch).stretch, lanes).min(batch);
        self.lanes = (0..lanes).map(|_| Lane::new(map, each, (&self.apart, batch))).collect();
        let scratch = map.train.scratch_for(each).max(map.infer.len(each));
        self.benches =
            (0..self.thread_pool.threads()).map(|lane| self.update.bench(lane, scratch, optimizer)).collect();
        (self.capacity, self.each) = (batch, each);
    }

    /// How many lanes of so many work on a batch: as many as are wanted, and enough to have room for it.
    fn working(&self, lanes: usize, map: &CompiledNetwork, samples: usize) -> usize {
        self.worth_it(map, samples).max(samples.div_ceil(self.each)).min(lanes)
    }

    /// The lanes that the user wants, or else those that a step's operations keep busy, as far as the machine has cores.
    fn worth_it(&self, map: &CompiledNetwork, samples: usize) -> usize {
        self.threads.map_or_else(
            || {
                let busy = map.macs.saturating_mul(3 * samples) / LANE_MACS;
                busy.min(self.cores).min(samples.div_ceil(CHUNK)).max(1)
            },
            NonZero::get,
        )
    }

    /// Makes room anew at the next batch, as a setting has changed.
    pub(super) fn rearrange(&mut self) {
        self.capacity = 0;
    }

    /// Trains on the samples of a batch, `targets` and `weights` all its own, and returns what its rows come to. Where a loss is not
    /// finite, or no row has a weight, nothing is changed.
    pub(super) fn train<N: Network, T: Targets>(
        &mut self,
        params: &mut [f32],
        loss: &impl Objective<T>,
        optimizer: &mut impl Optimizer,
        seed: u64,
        batch: &Batch<T>,
    ) -> Taken {
        let weight = loss.weight(0..batch.samples, N::COMPILED.outputs, batch.weights);
        let all: f64 = weight.iter().sum();
        if all == 0.0 {
            return Taken { sums: Tally::default(), penalty: 0.0 };
        }
        let penalty = self.update.penalty(self.isa, params);
        let noise = CounterRng { key: seed }.fold_in(&[self.batches]);
        // Of an output where no row has a weight every gradient is 0, whatever the scale.
        let share = self.update.share(all);
        let scale = weight.map(|weight| if weight > 0.0 { share / weight } else { 0.0 });
        let sums = self.answer::<N, T>(params, loss, batch, Some(Training { noise, scale }));
        if !(sums.mean() + penalty).is_finite() {
            return Taken { sums, penalty };
        }
        self.batches += 1;

        let (isa, lanes, apart) = (self.isa, &self.lanes, &self.apart);
        let given = (&batch.x, noise, loss.logits());
        // In the order of the samples, whoever pulls.
        let pull =
            |params: &[f32], scratch: &mut [f32], range: &Range<usize>, grad: &mut [f32], mut overwrite: bool| {
                lanes
                    .iter()
                    .for_each(|lane| lane.pull::<N>(isa, params, given, scratch, range, (&mut *grad, &mut overwrite)));
            };
        // Parameters can be shared where samples cannot.
        let working = self.working(self.benches.len(), N::COMPILED, batch.samples);
        let benches = &mut self.benches[..working];
        let cut = apart.cut(batch.samples);
        // What is learnt is not shown to whoever pulls: it changes meanwhile.
        self.update.batch(
            isa,
            (&mut self.thread_pool, benches),
            params,
            optimizer,
            all,
            &|scratch, range, grad, overwrite| {
                if !apart.add(isa, (lanes, cut), range, grad) {
                    pull(&[], scratch, range, grad, overwrite);
                }
            },
        );
        let scratch = &mut self.benches[0].scratch;
        for range in &self.running {
            let change = &mut self.change[..range.len()];
            change.fill(0.0);
            pull(params, scratch, range, change, false);
            isa.add(change, &mut params[range.clone()]);
        }
        Taken { sums, penalty }
    }

    /// Takes the step of gradients that wait for more batches, if any do.
    pub(super) fn settle(&mut self, params: &mut [f32], optimizer: &mut impl Optimizer) {
        self.update.settle(self.isa, (&mut self.thread_pool, &mut self.benches), params, optimizer);
    }

    /// What the rows of a stretch of samples come to, as the network predicts.
    pub(super) fn evaluate<N: Network, T: Targets>(
        &mut self,
        params: &[f32],
        loss: &impl Objective<T>,
        batch: &Batch<T>,
    ) -> Tally {
        self.answer::<N, T>(params, loss, batch, None)
    }

    /// Deals the samples out to the lanes, which run the network on theirs; to train, with this noise and the gradients of the loss
    /// multiplied by this, back to the first layer that learns.
    fn answer<N: Network, T: Targets>(
        &mut self,
        params: &[f32],
        loss: &impl Objective<T>,
        batch: &Batch<T>,
        train: Option<Training>,
    ) -> Tally {
        let (isa, apart, cut) = (self.isa, &self.apart, self.apart.cut(batch.samples));
        let working = self.working(self.lanes.len(), N::COMPILED, batch.samples);
        let each = share(batch.samples, cut.stretch, working);
        for (i, lane) in self.lanes.iter_mut().enumerate() {
            lane.take((i * each).min(batch.samples)..((i + 1) * each).min(batch.samples), cut);
        }
        self.thread_pool.for_each_zip(&mut self.lanes[..working], &mut self.benches[..working], |lane, bench| {
            lane.work::<N, T>(isa, params, (loss, apart), batch, train, &mut bench.scratch);
        });
        let mut sums = Tally::default();
        self.lanes.iter().flat_map(Lane::tallies).for_each(|tally| sums.add(tally));
        sums
    }
}

/// Samples of each lane, whole stretches.
#[inline]
fn share(samples: usize, stretch: usize, lanes: usize) -> usize {
    samples.div_ceil(stretch).div_ceil(lanes) * stretch
}

/// Whether one lane takes all samples: where a sample's output depends on the others of its batch, where a statistic follows whole batches,
/// and where sites share parameters, whose gradients are added site by site and not sample by sample.
pub(super) fn one_lane(map: &CompiledNetwork) -> bool {
    map.nodes.iter().any(|node| {
        let spec = node.spec;
        let follows = spec.params[..spec.param_count].iter().any(|param| param.role == Role::RunningStat);
        !node.frozen
            && (spec.depends_on_batch_anywhere()
                || follows
                || node.shares.is_some()
                || spec.inner.is_some_and(one_lane))
    })
}
