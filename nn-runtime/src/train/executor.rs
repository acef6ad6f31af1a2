//! One batch, without allocation, on one worker or several: forward, loss and input gradients of each
//! worker's samples (see `shard`); then the gradient of each chunk of parameters from all samples, used for
//! the update while it is warm, or accumulated. In: a batch; out: changed parameters and the loss, the same
//! bits for any number of workers.

use alloc::vec::Vec;
use core::num::NonZero;
use core::ops::Range;

use super::batch_pass::{Batch, BatchInputs, BatchPass, GradPass, Judgement};
use super::grad_source::{BatchGrads, GivenGrads, NoSource};
use super::judge::Judge;
use super::leaves::most_meeting_leaves;
use super::loss_sums::LossSums;
use super::magnitude::first_become_not_finite;
use super::microbatch::MicroBatching;
use super::own_objective::WholeOutputs;
use super::param_chunks::{self, ChunkCut};
use super::passes::Passes;
#[cfg(feature = "std")]
use super::private_sums::PrivateSums;
use super::refusal::Refusal;
use super::shard::Shard;
use super::shard_runs::ShardRuns;
use super::shared_grads::SharedGrads;
use super::split::LOSS_BLOCK;
use super::step_result::StepResult;
use super::tensor_groups::TensorGroups;
use super::update::Update;
use super::workers::{ThreadPool, Workers};
use super::world::{Lost, World};
use crate::graph::CompiledNetwork;
use crate::model::{Network, TrainedSoFar};
use crate::optim::Optimizer;
use crate::spec::{MAX_OUTPUTS, Role};
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::counter_rng::CounterRng;
use nn_kernels::simd::Isa;
use nn_kernels::train_chain::TrainChain;

/// Multiply-adds of a step for which one thread more is worth its while, if nobody has said how many there
/// are to be: some 20 µs.
const MACS_PER_THREAD: usize = 3_000_000;

/// The memory of a step: workspace, outputs and their gradients, what becomes of the gradients of parameters.
pub(super) struct Executor {
    pub(super) isa: Isa,
    /// How many threads the user wants; as many as are useful where none is said.
    pub(super) threads: Option<NonZero<usize>>,
    cores: usize,
    /// Samples there is room for, in all and in each shard.
    capacity: usize,
    pub(super) per_shard: usize,
    /// Outputs of whole batches, where an objective of one's own has asked for them; each micro-batch has a
    /// workspace of its own then.
    whole: Option<WholeOutputs>,
    pub(super) workers: Workers,
    /// Each worker's samples: written by one worker, and then read by all.
    pub(super) shards: Vec<Shard>,
    pub(super) running: Vec<Range<usize>>,
    /// What the running statistics will be after a step, one range after the other.
    statistics: AlignedBuffer,
    /// Batches before this one that count as much in them, where that is not the layers' to say.
    pub(super) earlier_batches: Option<usize>,
    pub(super) micro_batching: MicroBatching,
    pub(super) update: Update,
    /// The network as a chain, for plain steps, where it is one; unknown until one is taken.
    pub(super) chain: Option<Option<TrainChain>>,
    runs: ShardRuns,
    /// The ranks that train together, where there are some.
    pub(super) world: Option<World>,
    /// What they share gradients by; none where each runs whole batches.
    shared: Option<SharedGrads>,
    /// The memory of private steps, where they are asked for.
    #[cfg(feature = "std")]
    pub(super) private: Option<PrivateSums>,
}

impl Executor {
    pub(super) fn new<N: Network>(optimizer: &impl Optimizer, isa: Isa) -> Executor {
        let cut = ChunkCut::for_workers(N::COMPILED, 1);
        let running = param_chunks::list(N::COMPILED, Role::RunningStat, cut, &TensorGroups::default());
        let running: Vec<_> = running.into_iter().map(|chunk| chunk.range).collect();
        Executor {
            isa,
            threads: None,
            cores: ThreadPool::cores(),
            capacity: 0,
            per_shard: 0,
            whole: None,
            workers: Workers::one(),
            shards: Vec::new(),
            statistics: AlignedBuffer::zeroed(running.iter().map(Range::len).sum()),
            running,
            earlier_batches: None,
            micro_batching: MicroBatching::new(N::COMPILED),
            update: Update::new(N::COMPILED, optimizer),
            chain: None,
            runs: ShardRuns::default(),
            world: None,
            shared: None,
            #[cfg(feature = "std")]
            private: None,
        }
    }

    /// Makes room for batches of up to this many samples, and workers for them.
    pub(super) fn reserve<N: Network>(&mut self, batch: usize, optimizer: &impl Optimizer) {
        if batch > self.capacity {
            self.make_room::<N>(batch, optimizer);
        }
    }

    /// As [`reserve`](Executor::reserve), for objectives on whole batches.
    pub(super) fn reserve_whole<N: Network>(&mut self, batch: usize, optimizer: &impl Optimizer) {
        if self.whole.is_none() || batch > self.capacity {
            self.whole = Some(WholeOutputs::default());
            self.make_room::<N>(batch.max(self.capacity), optimizer);
        }
    }

    fn make_room<N: Network>(&mut self, batch: usize, optimizer: &impl Optimizer) {
        let map = N::COMPILED;
        let wanted = self.useful_threads(map, batch);
        let pool = &mut self.workers.pool;
        let (new, more) = (self.capacity == 0, pool.threads() < wanted);
        if more || self.threads.is_some() && pool.threads() != wanted {
            *pool = ThreadPool::new(wanted);
        }
        let threads = pool.threads();
        if new || more {
            // Who is lost is told by the step that comes.
            let _ = self.update.layout(optimizer, threads, batch, self.world.as_ref());
        }
        let mut shards = if map.nested.one_worker { 1 } else { threads };
        let split = self.micro_batching.split(batch);
        // Of smaller batches, whose leaves are smaller, a rank may have a leaf more.
        let most = |(world, _): (&World, _)| batch.min(batch.div_ceil(world.size()) + 2 * split.reduce_block);
        let own = self.leaves(batch).map_or(batch, most);
        let mut samples = split.samples_per_worker(own, shards).min(batch);
        let apart = self.whole.is_some() || self.micro_batching.apart();
        self.shared = (self.world.is_some() && self.micro_batching.is_in_leaves()).then(|| {
            let chunks = self.update.chunks(optimizer, threads);
            SharedGrads::new(chunks, self.update.shares.clone())
        });
        if let (Some(world), true) = (&self.world, self.micro_batching.meets()) {
            (shards, samples) = (most_meeting_leaves(batch, world.size()), split.reduce_block.min(batch));
            self.runs = ShardRuns::meeting(map, shards, samples);
        }
        let carried = self.update.state.carried.as_ref().map_or(0, |carried| carried.row);
        let shard = || Shard::new(map, samples, &self.micro_batching, batch, apart, carried);
        self.shards = (0..shards).map(|_| shard()).collect();
        if let Some(whole) = &mut self.whole {
            *whole = WholeOutputs::new(map, batch);
        }
        let scratch = map.train.scratch_for(samples).max(map.infer.len(samples));
        self.workers.scratch = (0..threads).map(|i| self.update.worker_scratch(i, scratch, optimizer)).collect();
        #[cfg(feature = "std")]
        {
            let (micro_batching, groups) = (&self.micro_batching, &self.update.groups);
            let private = self.update.privacy.as_ref();
            self.private = private.map(|_| PrivateSums::new(map, micro_batching, groups, threads));
        }
        (self.capacity, self.per_shard, self.chain) = (batch, samples, None);
    }

    /// How many of so many workers take part in a batch: as many as are wanted, and enough to have room for
    /// it.
    fn active(&self, workers: usize, map: &CompiledNetwork, samples: usize) -> usize {
        self.useful_threads(map, samples).max(samples.div_ceil(self.per_shard)).min(workers)
    }

    /// The threads that the user wants, or else those that a step's operations keep busy, as far as the
    /// machine has cores.
    fn useful_threads(&self, map: &CompiledNetwork, samples: usize) -> usize {
        self.threads.map_or_else(
            || {
                let busy = map.macs.saturating_mul(3 * samples) / MACS_PER_THREAD;
                busy.min(self.cores).min(samples.div_ceil(LOSS_BLOCK)).max(1)
            },
            NonZero::get,
        )
    }

    /// Makes room anew at the next batch, as a setting has changed.
    pub(super) fn reset_layout(&mut self) {
        self.capacity = 0;
    }

    /// As [`train`](Executor::train), by these passes.
    pub(super) fn train_by<P: Passes>(
        &mut self,
        network: P,
        (params, run): (&mut AlignedBuffer, &mut TrainedSoFar),
        optimizer: &mut (impl Optimizer + ?Sized),
        seed: u64,
        batch: &Batch<impl Judge + ?Sized>,
    ) -> Result<StepResult, Refusal> {
        let weights = batch.judge.weight(0..batch.samples, network.compiled().outputs, batch.weights);
        let weight: f64 = weights.iter().sum();
        // A window that nothing is learnt from leaves its state all the same.
        if weight == 0.0 && self.update.state.carried.is_none() {
            return Ok(StepResult { sums: LossSums::default(), regularization: 0.0 });
        }
        let regularization = self.update.regularization(self.isa, params);
        let noise = CounterRng { key: seed }.fold_in(&[run.batches]);
        // Of an output where no row has a weight every gradient is 0, whatever the scale.
        let whole = self.update.batch_scale(weight);
        let scale = weights.map(|weight| if weight > 0.0 { whole / weight } else { 0.0 });
        self.update.state.begin(batch.samples, self.micro_batching.shared_leaves(batch.samples));
        let sums = self.forward_backward(network, params, batch, Some((noise, scale)))?;
        let result = StepResult { sums, regularization };
        if !result.loss().is_finite() {
            return Err(Refusal::Loss);
        }
        if weight == 0.0 {
            self.update.state.go_on(&self.shards);
            return Ok(StepResult { regularization: 0.0, ..result });
        }
        let pass = GradPass {
            network,
            isa: self.isa,
            params: &[],
            x: batch.x,
            noise,
            logits: batch.judge.logits(),
            earlier_batches: self.earlier_batches,
            samples: batch.samples,
        };
        self.take_grads((params, run), optimizer, (batch.samples, weight), pass)?;
        Ok(result)
    }

    /// Takes a step on whole samples, `x` one slice for each input, by what `objective` says: see
    /// [`Trainer::step_with`](super::Trainer::step_with). Room has been made with
    /// [`reserve_whole`](Executor::reserve_whole).
    ///
    /// # Errors
    /// As [`train`](Executor::train), and a gradient of an output that is not finite.
    pub(super) fn train_with_by(
        &mut self,
        network: impl Passes,
        (params, run): (&mut AlignedBuffer, &mut TrainedSoFar),
        optimizer: &mut (impl Optimizer + ?Sized),
        (samples, x): (usize, &[&[f32]]),
        objective: impl FnOnce(&[&[f32]], &mut [&mut [f32]]) -> f64,
    ) -> Result<f64, Refusal> {
        let (map, isa) = (network.compiled(), self.isa);
        let x = BatchInputs::Slices(x);
        let regularization = self.update.regularization(isa, params);
        let noise = CounterRng { key: 0 }.fold_in(&[run.batches]);
        let active = self.assign(map, samples, true);
        let micro_batching = &self.micro_batching;
        self.update.state.begin(samples, micro_batching.shared_leaves(samples));
        let carried = self.update.state.carried_rows();
        let pass = BatchPass { network, isa, params, x, logits: 0, micro_batching, noise: Some(noise), carried };
        let (shards, leaves) = (&mut self.shards[..active], micro_batching.leaves(samples));
        self.runs.run(self.world.as_mut(), leaves, &mut self.workers, shards, |shard, whole, scratch| {
            shard.forward_only(&pass, whole, scratch);
        })?;
        let ranks = self.world.as_ref().filter(|_| micro_batching.is_in_leaves());
        let exchange = |all: &mut [f32], each| ranks.map_or(Ok(()), |world| world.gather_numbers(leaves, each, all));
        let whole = self.whole.as_mut().expect("room has been made for whole batches");
        let loss = whole.judge(map, samples, shards, exchange, objective)? + regularization;
        if !loss.is_finite() {
            return Err(Refusal::Loss);
        }
        let weight = samples as f64;
        whole.hand_out(map, samples, shards, (isa, self.update.batch_scale(weight)));
        self.runs.run(self.world.as_mut(), leaves, &mut self.workers, shards, |shard, whole, scratch| {
            shard.backward_only(&pass, whole, noise, scratch);
        })?;
        let earlier_batches = self.earlier_batches;
        let pass = GradPass { network, isa, params: &[], x, noise, logits: 0, earlier_batches, samples };
        self.take_grads((params, run), optimizer, (samples, weight), pass)?;
        Ok(loss)
    }

    /// From what the workers have run backward to changed parameters; of statistics to those after the batch.
    fn take_grads(
        &mut self,
        (params, run): (&mut AlignedBuffer, &mut TrainedSoFar),
        optimizer: &mut (impl Optimizer + ?Sized),
        (samples, weight): (usize, f64),
        pass: GradPass<impl Passes>,
    ) -> Result<(), Refusal> {
        let (isa, shards, micro_batching) = (self.isa, &self.shards, &self.micro_batching);
        let mut rest = &mut self.statistics[..];
        for range in &self.running {
            let next = rest.split_off_mut(..range.len()).expect("the buffer is as long as all ranges");
            next.fill(0.0);
            // Where leaves have met, each has what the whole batch comes to.
            let shards = if micro_batching.meets() { &shards[..1] } else { &shards[..] };
            for shard in shards {
                let pass = GradPass { params, ..pass };
                shard.add_param_grad(&pass, &mut self.workers.scratch[0].layers, range, next, &mut false);
            }
            isa.add(&params[range.clone()], next);
            if let Some(at) = first_become_not_finite(&params[range.clone()], next) {
                return Err(Refusal::Parameter(range.start + at));
            }
        }
        // What is learnt is not shown to layers: it changes meanwhile.
        let partial_sums = micro_batching.split(samples).partial_sums;
        let grads = BatchGrads { shards, micro_batching, partial_sums, pass };
        // Parameters can be shared among workers where samples cannot.
        let active = self.active(self.workers.scratch.len(), pass.network.compiled(), self.own_samples(samples).len());
        let mut workers = self.workers.first(active).among(self.world.as_ref());
        let (update, leaves) = (&mut self.update, micro_batching.leaves(samples));
        match &mut self.shared {
            None => update.take_batch(isa, workers, params, optimizer, weight, &grads)?,
            Some(shared) if update.accumulate > 1 => {
                let share = shared.reduce_apart(isa, &mut workers, leaves, &grads, update.grads.len())?;
                let given = GivenGrads { isa, first: update.shares.span().start, grads: share };
                update.take_batch(isa, workers, params, optimizer, weight, &given)?;
            }
            Some(shared) => {
                shared.reduce(isa, &mut workers, leaves, &grads, &mut update.grads)?;
                update.take_batch(isa, workers, params, optimizer, weight, &NoSource)?;
            }
        }
        let mut rest = &self.statistics[..];
        for range in &self.running {
            let next = rest.split_off(..range.len()).expect("the buffer is as long as all ranges");
            params[range.clone()].copy_from_slice(next);
        }
        self.update.state.go_on(&self.shards);
        run.batches += 1;
        Ok(())
    }

    /// Takes the step of gradients that wait for more batches, if any do.
    ///
    /// # Errors
    /// A new parameter is not finite; parameters are as before.
    pub(super) fn flush(&mut self, params: &mut AlignedBuffer, optimizer: &mut impl Optimizer) -> Result<(), Refusal> {
        self.update.flush(self.isa, self.workers.all().among(self.world.as_ref()), params, optimizer)
    }

    /// Divides the samples among the workers, and tells how many take part.
    fn assign(&mut self, map: &CompiledNetwork, samples: usize, apart: bool) -> usize {
        if self.micro_batching.meets() {
            return self.assign_leaves(samples);
        }
        let split = self.micro_batching.split(samples);
        let own = self.own_samples(samples);
        let active = self.active(self.shards.len(), map, own.len());
        let each = split.samples_per_worker(own.len(), active);
        let apart = apart || self.micro_batching.apart();
        for (i, shard) in self.shards.iter_mut().enumerate() {
            let at = |worker: usize| (own.start + worker * each).min(own.end);
            shard.assign(at(i)..at(i + 1), split, apart);
        }
        active
    }

    /// The workers run the network on their samples; to train, by this noise and scale of each output's loss,
    /// back to the first layer that learns.
    pub(super) fn forward_backward(
        &mut self,
        network: impl Passes,
        params: &[f32],
        batch: &Batch<impl Judge + ?Sized>,
        train: Option<(CounterRng, [f64; MAX_OUTPUTS])>,
    ) -> Result<LossSums, Lost> {
        let active = self.assign(network.compiled(), batch.samples, false);
        let (isa, micro_batching, noise) = (self.isa, &self.micro_batching, train.map(|(noise, _)| noise));
        let carried = noise.and_then(|_| self.update.state.carried_rows());
        let (x, logits) = (batch.x, batch.judge.logits());
        let pass = BatchPass { network, isa, params, x, logits, micro_batching, noise, carried };
        let judged = Judgement { batch, scale: train.map(|(_, scale)| scale) };
        let (world, leaves) = (self.world.as_mut(), micro_batching.leaves(batch.samples));
        let shards = &mut self.shards[..active];
        self.runs.run(world, leaves, &mut self.workers, shards, |shard, whole, scratch| {
            shard.forward_backward(&pass, &judged, whole, scratch);
        })?;
        let own = self.counted_shards(batch.samples).iter().flat_map(Shard::losses);
        if let Some((world, leaves)) = self.leaves(batch.samples) {
            return world.add_losses(leaves, own);
        }
        let mut sums = LossSums::default();
        own.for_each(|loss| sums.add(loss));
        Ok(sums)
    }
}
