//! The step of a small network on one thread, where nobody has asked for anything rare: no part of a batch
//! waits for another, all gradients are held before a parameter changes, and what the general way
//! (`executor`, `update`) looks up is known. In: a batch; out: the same bits as that way makes, in a third of
//! its instructions.

use super::batch_pass::{Batch, BatchPass, GradPass, Judgement, MicroBatch};
use super::executor::Executor;
use super::footprint::MAX_SLOTS;
use super::grad_source::NoSource;
use super::judge::Judge;
use super::loss_sums::LossSums;
use super::magnitude::{first_not_finite, largest};
use super::passes::Passes;
use super::refusal::Refusal;
use super::sample_slices::{inputs, mut_slices, slices};
use super::scheduled_rate::ScheduledRate;
use super::shard::Shard;
use super::step_chain::step_chain;
use super::step_result::StepResult;
use super::update::Update;
use crate::graph::CompiledNetwork;
use crate::model::TrainedSoFar;
use crate::optim::Optimizer;
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::counter_rng::CounterRng;
use nn_kernels::simd::Isa;
use nn_kernels::train_chain::{TrainChain, TrainPass};

impl Executor {
    /// Whether a step of so many samples, for which room has been made, is one of these; none is where code
    /// is small.
    #[inline]
    pub(super) fn is_plain(&self, samples: usize) -> bool {
        if cfg!(feature = "small") {
            return false;
        }
        let alone = self.shards.len() == 1 && self.workers.scratch.len() == 1 && self.world.is_none();
        let split = self.micro_batching.split(samples);
        let together = samples <= split.micro_batch && !split.partial_sums;
        alone && together && self.running.is_empty() && !self.micro_batching.is_in_leaves() && self.update.is_plain()
    }

    /// As `train_by`, where [`is_plain`](Executor::is_plain).
    pub(super) fn train_plain<P: Passes>(
        &mut self,
        network: P,
        (params, run): (&mut AlignedBuffer, &mut TrainedSoFar),
        optimizer: &mut (impl Optimizer + ?Sized),
        seed: u64,
        batch: &Batch<impl Judge + ?Sized>,
    ) -> Result<StepResult, Refusal> {
        let Executor { isa, shards, workers, micro_batching, update, earlier_batches, chain, per_shard, .. } = self;
        let (isa, samples, map, logits) = (*isa, batch.samples, network.compiled(), batch.judge.logits());
        let weights = batch.judge.weight(0..samples, map.outputs, batch.weights);
        if weights.iter().sum::<f64>() == 0.0 {
            return Ok(StepResult { sums: LossSums::default(), regularization: 0.0 });
        }
        // Of an output where no row has a weight every gradient is 0, whatever the scale.
        let scale = weights.map(|weight| if weight > 0.0 { 1.0 / weight } else { 0.0 });
        let noise = CounterRng { key: seed }.fold_in(&[run.batches]);
        let ([shard, ..], [scratch, ..]) = (&mut shards[..], &mut workers.scratch[..]) else {
            unreachable!("there is one of each")
        };
        shard.assign(0..samples, micro_batching.split(samples), false);
        let memory = (&shard.work[..], &scratch.layers[..]);
        let chain = chain.get_or_insert_with(|| fitting_chain(map, logits, memory, *per_shard));
        let micro = MicroBatch { own: 0..samples, of_batch: 0..samples };
        let noises = Some(noise);
        let pass = BatchPass { network, isa, params, x: batch.x, logits, micro_batching, noise: noises, carried: None };
        shard.gather(isa, &pass.x, &micro);
        match chain {
            Some(chain) => shard.forward_chain(&pass, noise, &micro, chain),
            None => shard.forward(&pass, None, &micro, &mut scratch.layers),
        }
        let finite = shard.loss(isa, &Judgement { batch, scale: Some(scale) }, map, &micro);
        let mut sums = LossSums::default();
        shard.losses().iter().for_each(|loss| sums.add(loss));
        let result = StepResult { sums, regularization: 0.0 };
        if !finite || !result.loss().is_finite() {
            return Err(Refusal::Loss);
        }
        match chain {
            Some(chain) => {
                shard.backward_chain(&pass, noise, &micro, chain, (&mut update.grads, &mut scratch.layers));
            }
            None => shard.backward_input(&pass, None, noise, &micro, &mut scratch.layers),
        }
        let earlier_batches = *earlier_batches;
        let pass = GradPass { network, isa, params: &[], x: batch.x, noise, logits, earlier_batches, samples };
        let mut most = 0.0f64;
        for (chunk, place) in update.cut.chunks.iter().zip(&update.cut.places) {
            let (grad, overwrite) = (&mut update.grads[place.clone()], chunk.overwrite());
            if chain.is_none() {
                if !overwrite {
                    grad.fill(0.0);
                }
                shard.add_samples(&pass, &mut scratch.layers, (&micro, 0..samples), (&chunk.range, grad), overwrite);
            }
            most = most.max(largest(isa, grad));
            if !most.is_finite()
                && let Some(at) = first_not_finite(grad)
            {
                return Err(Refusal::Gradient(chunk.range.start + at));
            }
        }
        if !update.step_plain(isa, params, optimizer, most) {
            update.step(isa, workers.all(), params, optimizer, None::<&NoSource>, most)?;
        }
        run.batches += 1;
        Ok(result)
    }
}

/// The network as a chain, where it is one and so much memory and scratch is enough for so many samples.
fn fitting_chain(
    map: &CompiledNetwork,
    logits: u8,
    (work, scratch): (&[f32], &[f32]),
    samples: usize,
) -> Option<TrainChain> {
    step_chain(map, logits).filter(|chain| chain.memory(samples) <= work.len() && chain.scratch() <= scratch.len())
}

impl Shard {
    /// As [`forward`](Shard::forward), of a network that is a chain.
    #[inline(always)]
    fn forward_chain(
        &mut self,
        pass: &BatchPass<impl Passes>,
        noise: CounterRng,
        micro: &MicroBatch,
        chain: &TrainChain,
    ) {
        let map = pass.network.compiled();
        let [x, ..] = inputs(map, &pass.x, &self.gathered, micro);
        let [y, ..] = mut_slices(&mut self.outputs, map.outputs, &micro.own);
        let pass = TrainPass { isa: pass.isa, params: pass.params, rng: noise, batch: micro.len(), x };
        chain.forward(&pass, y, &mut self.work);
    }

    /// As [`backward_input`](Shard::backward_input), and to the gradients of all parameters.
    #[inline(always)]
    fn backward_chain(
        &mut self,
        pass: &BatchPass<impl Passes>,
        noise: CounterRng,
        micro: &MicroBatch,
        chain: &TrainChain,
        (grads, scratch): (&mut [f32], &mut [f32]),
    ) {
        let (map, unit) = (pass.network.compiled(), self.split.sum_unit);
        let [x, ..] = inputs(map, &pass.x, &self.gathered, micro);
        let [y, ..] = slices(&self.outputs, map.outputs, &micro.own);
        let [dy, ..] = mut_slices(&mut self.output_grads, map.outputs, &micro.own);
        let pass = TrainPass { isa: pass.isa, params: pass.params, rng: noise, batch: micro.len(), x };
        chain.backward(&pass, y, dy, grads, unit, &mut self.work, scratch);
    }
}

impl Update {
    /// Whether nothing is done with gradients but to take a step by them.
    #[inline]
    fn is_plain(&self) -> bool {
        #[cfg(feature = "std")]
        if self.privacy.is_some() {
            return false;
        }
        let watched = self.regularizers.is_empty() && self.fixed.is_empty() && self.sharing.is_none();
        let remembered = self.state.ema.is_none() && self.state.carried.is_none();
        self.cut.plain && watched && remembered && self.clip.is_none() && self.accumulate == 1
    }

    /// Takes the step of the gradients that are held, none of which is larger than `most`; false where it is
    /// in doubt, and nothing has changed.
    #[inline]
    fn step_plain(
        &mut self,
        isa: Isa,
        params: &mut [f32],
        optimizer: &mut (impl Optimizer + ?Sized),
        most: f64,
    ) -> bool {
        let Update { cut, grads, state, overflow, all_ranges, .. } = self;
        let done = state.scheduled_steps();
        let rate = state.schedule.rate(optimizer.learning_rate(), done);
        let scheduled = ScheduledRate::set(optimizer, rate * cut.factors[0], state.schedule.momentum_at(done));
        let most = if most <= state.largest_grad { state.largest_grad } else { most };
        let now = || all_ranges.iter().map(|range| largest(isa, &params[range.clone()])).fold(0.0, f64::max);
        if !overflow.rules_out(scheduled.optimizer(), most, now, |_| 0.0) {
            return false;
        }
        state.steps += 1;
        let count = state.slots.len();
        for (chunk, place) in cut.chunks.iter().zip(&cut.places) {
            let mut slots: [&mut [f32]; MAX_SLOTS] = Default::default();
            for (to, from) in slots.iter_mut().zip(&mut state.slots) {
                *to = &mut from[place.clone()];
            }
            let slots = &mut slots[..count];
            let (params, grads) = (&mut params[chunk.range.clone()], &grads[place.clone()]);
            scheduled.optimizer().update(isa, state.steps, params, grads, slots);
        }
        state.largest_grad = most.min(f64::from(f32::MAX));
        true
    }
}
