//! One batch in memory of the caller's, without an allocator, on the thread that asks: forward, loss and
//! backward as a shard does them, then the update, chunk after chunk. In: a batch; out: changed parameters
//! and the loss, the bits of a trainer that allocates. A step that is refused has changed nothing.

use core::ops::Range;
use core::slice;

use super::batch_pass::{Batch, BatchInputs, BatchPass, GradPass, Judgement};
use super::clip::Clipping;
use super::footprint::{MAX_SLOTS, TRIAL, TrainingLens};
use super::grad_source::{BatchGrads, GradSource};
use super::judge::Judge;
use super::loss_sums::LossSums;
use super::magnitude::{first_become_not_finite, first_not_finite, largest};
use super::overflow::OverflowGuard;
use super::param_chunks::writer;
use super::passes::Passes;
use super::refusal::Refusal;
use super::shard::Shard;
use super::split::BatchSplit;
use super::tensor_parts::{each_learnt_part, each_tensor_range};
use super::waiting_grads::WaitingGrads;
use crate::graph::CompiledNetwork;
use crate::model::TrainedSoFar;
use crate::optim::Optimizer;
use crate::spec::{MAX_OUTPUTS, Role};
use nn_kernels::counter_rng::CounterRng;
use nn_kernels::simd::Isa;

/// The memory of a step, all of it lent.
pub(super) struct LentEngine<'m> {
    pub(super) isa: Isa,
    /// Samples there is room for.
    pub(super) batch: usize,
    pub(super) slot_count: usize,
    /// Steps taken.
    pub(super) steps: u64,
    pub(super) clip: Option<Clipping>,
    shard: Shard<&'m mut [f32]>,
    scratch: &'m mut [f32],
    statistics: &'m mut [f32],
    grads: &'m mut [f32],
    slots: [&'m mut [f32]; MAX_SLOTS],
    trial: &'m mut [f32],
    largest_grad: f64,
    overflow: OverflowGuard,
}

/// Cuts memory into buffers.
struct Rest<'m>(&'m mut [f32]);

impl<'m> Rest<'m> {
    /// The next so many numbers, which are 0 now.
    fn take(&mut self, len: usize) -> &'m mut [f32] {
        let rest = core::mem::take(&mut self.0);
        let (mine, rest) = rest.split_at_mut(crate::limits::lines(len).min(rest.len()));
        self.0 = rest;
        mine.fill(0.0);
        &mut mine[..len]
    }
}

impl<'m> LentEngine<'m> {
    /// In memory that is long enough for the workspace of a micro-batch at least.
    pub(super) fn new(
        map: &'static CompiledNetwork,
        optimizer: &impl Optimizer,
        batch: usize,
        memory: &'m mut [f32],
        isa: Isa,
    ) -> LentEngine<'m> {
        let slot_count = optimizer.slots();
        let lens = TrainingLens::new(map, batch, slot_count);
        let mut rest = Rest(memory);
        let [outputs, output_grads] = [(); 2].map(|()| lens.outputs.map(|len| rest.take(len)));
        let slots = core::array::from_fn(|k| rest.take(if k < slot_count { lens.grads } else { 0 }));
        let (kept, partial_sums) = (rest.take(lens.kept), rest.take(lens.partial_sums));
        let (scratch, statistics) = (rest.take(lens.scratch), rest.take(lens.statistics));
        let (grads, trial) = (rest.take(lens.grads), rest.take(lens.trial));
        // All that is left, so that whole batches fit where they do.
        let len = rest.0.len();
        let shard = Shard {
            samples: 0..0,
            split: BatchSplit::default(),
            apart: false,
            gathered: Default::default(),
            work: rest.take(len),
            kept,
            outputs,
            output_grads,
            losses: LossSums::default(),
            partial_sums,
            carried: Default::default(),
        };
        let mut engine = LentEngine {
            isa,
            batch,
            slot_count,
            steps: 0,
            clip: None,
            shard,
            scratch,
            statistics,
            grads,
            slots,
            trial,
            largest_grad: 0.0,
            overflow: OverflowGuard::default(),
        };
        engine.restart(optimizer);
        engine
    }

    /// As it began.
    pub(super) fn restart(&mut self, optimizer: &impl Optimizer) {
        for (k, slot) in self.slots[..self.slot_count].iter_mut().enumerate() {
            slot.fill(optimizer.initial_slot(k));
        }
        (self.steps, self.largest_grad, self.overflow) = (0, 0.0, OverflowGuard::default());
    }

    /// Numbers of workspace that there are.
    pub(super) fn work_len(&self) -> usize {
        self.shard.work.len()
    }

    /// Where layers work that predict.
    pub(super) fn scratch(&mut self) -> &mut [f32] {
        self.scratch
    }

    /// Takes a step on a batch, or adds its gradients to those that wait; returns what its rows come to.
    ///
    /// # Errors
    /// The loss, a gradient or a new parameter is not finite; all is as before.
    pub(super) fn train(
        &mut self,
        network: impl Passes,
        (params, run): (&mut [f32], &mut TrainedSoFar),
        optimizer: &impl Optimizer,
        batch: &Batch<impl Judge>,
        waiting: Option<&mut WaitingGrads>,
    ) -> Result<f64, Refusal> {
        let weights = batch.judge.weight(0..batch.samples, network.compiled().outputs, None);
        let weight: f64 = weights.iter().sum();
        let whole = if waiting.is_some() { weight } else { 1.0 };
        let scale = weights.map(|weight| if weight > 0.0 { whole / weight } else { 0.0 });
        let noise = CounterRng { key: 0 }.fold_in(&[run.batches]);
        let micro_batching = &network.micro_batching();
        self.shard.assign(0..batch.samples, micro_batching.split(batch.samples), false);
        let (isa, x, logits) = (self.isa, batch.x, batch.judge.logits());
        let pass =
            BatchPass { network, isa, params: &*params, x, logits, micro_batching, noise: Some(noise), carried: None };
        self.shard.forward_backward(&pass, &Judgement { batch, scale: Some(scale) }, None, self.scratch);
        let loss = self.shard.losses.mean();
        if !loss.is_finite() {
            return Err(Refusal::Loss);
        }
        let (earlier_batches, samples) = (None, batch.samples);
        let pass = GradPass { network, isa, params: &[], x, noise, logits, earlier_batches, samples };
        self.take_grads((params, run), optimizer, pass, waiting.map(|waiting| (waiting, weight)))?;
        Ok(loss)
    }

    /// Takes the step of the gradients that wait; they wait no more.
    ///
    /// # Errors
    /// A new parameter is not finite; all is as before.
    pub(super) fn take_waiting(
        &mut self,
        map: &'static CompiledNetwork,
        params: &mut [f32],
        optimizer: &impl Optimizer,
        waiting: &mut WaitingGrads,
    ) -> Result<(), Refusal> {
        if waiting.weight > 0.0 {
            self.grads.copy_from_slice(waiting.sums);
            self.isa.scale((1.0 / waiting.weight) as f32, self.grads);
            self.step(map, params, optimizer, waiting.largest / waiting.weight)?;
            waiting.drop_all();
        }
        Ok(())
    }

    /// Takes a step on whole samples by what `objective` says of all outputs.
    ///
    /// # Errors
    /// As [`train`](LentEngine::train), and a gradient of an output that is not finite.
    pub(super) fn train_with(
        &mut self,
        network: impl Passes,
        (params, run): (&mut [f32], &mut TrainedSoFar),
        optimizer: &impl Optimizer,
        (samples, x): (usize, &[&[f32]]),
        objective: impl FnOnce(&[&[f32]], &mut [&mut [f32]]) -> f64,
    ) -> Result<f64, Refusal> {
        let noise = CounterRng { key: 0 }.fold_in(&[run.batches]);
        let micro_batching = &network.micro_batching();
        self.shard.assign(0..samples, micro_batching.split(samples), true);
        let (isa, x, map) = (self.isa, BatchInputs::Slices(x), network.compiled());
        let pass = BatchPass {
            network,
            isa,
            params: &*params,
            x,
            logits: 0,
            micro_batching,
            noise: Some(noise),
            carried: None,
        };
        self.shard.forward_only(&pass, None, self.scratch);
        let loss = {
            let (mut y, mut dy) = ([&[][..]; MAX_OUTPUTS], <[&mut [f32]; MAX_OUTPUTS]>::default());
            let Shard { outputs, output_grads, .. } = &mut self.shard;
            for (j, ((shape, all), grads)) in map.outputs.iter().zip(&*outputs).zip(output_grads).enumerate() {
                let len = samples * shape.len();
                (y[j], dy[j]) = (&all[..len], &mut grads[..len]);
                dy[j].fill(0.0);
            }
            let count = map.outputs.len();
            objective(&y[..count], &mut dy[..count])
        };
        for (output, (grads, shape)) in self.shard.output_grads.iter().zip(map.outputs).enumerate() {
            if let Some(place) = first_not_finite(&grads[..samples * shape.len()]) {
                return Err(Refusal::OutputGradient { output, place });
            }
        }
        if !loss.is_finite() {
            return Err(Refusal::Loss);
        }
        self.shard.backward_only(&pass, None, noise, self.scratch);
        let pass = GradPass { network, isa, params: &[], x, noise, logits: 0, earlier_batches: None, samples };
        self.take_grads((params, run), optimizer, pass, None)?;
        Ok(loss)
    }

    /// From what has been run backward to changed parameters, or to gradients that wait, with a batch's
    /// weight beside them; and statistics to those after the batch.
    fn take_grads(
        &mut self,
        (params, run): (&mut [f32], &mut TrainedSoFar),
        optimizer: &impl Optimizer,
        pass: GradPass<impl Passes>,
        waiting: Option<(&mut WaitingGrads, f64)>,
    ) -> Result<(), Refusal> {
        let network = pass.network;
        let (isa, map, micro_batching) = (self.isa, network.compiled(), &network.micro_batching());
        if network.follows_batches() {
            self.next_statistics(params, &pass)?;
        }
        let partial_sums = micro_batching.split(pass.samples).partial_sums;
        let source = BatchGrads { shards: slice::from_ref(&self.shard), micro_batching, partial_sums, pass };
        // All gradients are there, and looked at, before any parameter changes.
        let (mut most, mut bad) = (0.0f64, None);
        if let Some((waiting, _)) = &waiting {
            self.grads.copy_from_slice(waiting.sums);
        }
        each_tensor_range(map, Role::Trainable, |range| {
            let range = &range;
            let overwrite = waiting.is_none() && writer(map, range).is_some();
            let grad = &mut self.grads[range.clone()];
            if waiting.is_none() && !overwrite {
                grad.fill(0.0);
            }
            source.add(self.scratch, range, grad, overwrite);
            let here = largest(isa, grad);
            most = most.max(here);
            if !here.is_finite() && bad.is_none() {
                bad = first_not_finite(grad).map(|at| range.start + at);
            }
        });
        if let Some(place) = bad {
            return Err(Refusal::Gradient(place));
        }
        match waiting {
            Some((waiting, weight)) => waiting.take(self.grads, weight, most),
            None => self.step(map, params, optimizer, most)?,
        }
        if network.follows_batches() {
            let mut rest = &self.statistics[..];
            each_tensor_range(map, Role::RunningStat, |range| {
                let (next, more) = rest.split_at(range.len());
                rest = more;
                params[range].copy_from_slice(next);
            });
        }
        run.batches += 1;
        Ok(())
    }

    /// Running statistics after the batch, beside those of now.
    fn next_statistics(&mut self, params: &[f32], pass: &GradPass<impl Passes>) -> Result<(), Refusal> {
        let (isa, shard, scratch) = (self.isa, &self.shard, &mut *self.scratch);
        let (mut rest, mut bad) = (&mut self.statistics[..], None);
        each_tensor_range(pass.network.compiled(), Role::RunningStat, |range| {
            let (next, more) = core::mem::take(&mut rest).split_at_mut(range.len());
            rest = more;
            next.fill(0.0);
            let pass = GradPass { params, ..*pass };
            shard.add_param_grad(&pass, scratch, &range, next, &mut false);
            isa.add(&params[range.clone()], next);
            if bad.is_none() {
                bad = first_become_not_finite(&params[range.clone()], next).map(|at| range.start + at);
            }
        });
        bad.map_or(Ok(()), |place| Err(Refusal::Parameter(place)))
    }

    /// Clips the gradients that are held, none of whose numbers is larger than `most`, and changes all
    /// parameters by them.
    fn step(
        &mut self,
        map: &'static CompiledNetwork,
        params: &mut [f32],
        optimizer: &impl Optimizer,
        most: f64,
    ) -> Result<(), Refusal> {
        let isa = self.isa;
        if let Some(Clipping { clip, take, .. }) = self.clip {
            take(isa, map, clip, self.grads);
        }
        let most = most.max(self.largest_grad);
        let largest_now = || {
            let mut all = 0.0f64;
            each_tensor_range(map, Role::Trainable, |range| all = all.max(largest(isa, &params[range])));
            all
        };
        let number = self.steps + 1;
        if !self.overflow.rules_out(optimizer, most, largest_now, |_| 0.0) {
            self.try_out(map, params, optimizer, number)?;
        }
        self.steps = number;
        self.largest_grad = most.min(f64::from(f32::MAX));
        let (count, grads) = (self.slot_count, &*self.grads);
        each_learnt_part(map, |part| {
            let mut slots: [&mut [f32]; MAX_SLOTS] = Default::default();
            for (to, from) in slots.iter_mut().zip(&mut self.slots[..count]) {
                *to = &mut from[part.clone()];
            }
            optimizer.update(isa, number, &mut params[part.clone()], &grads[part], &mut slots[..count]);
        });
        Ok(())
    }

    /// Takes the step on copies, some parameters after the others, and looks at what comes out.
    ///
    /// # Errors
    /// A new parameter is not finite.
    fn try_out(
        &mut self,
        map: &'static CompiledNetwork,
        params: &[f32],
        optimizer: &impl Optimizer,
        number: u64,
    ) -> Result<(), Refusal> {
        let (isa, count) = (self.isa, self.slot_count);
        let mut bad = None;
        each_learnt_part(map, |Range { mut start, end }| {
            while start < end && bad.is_none() {
                let part = start..end.min(start + TRIAL);
                start = part.end;
                let (new, slots) = self.trial.split_at_mut(TRIAL);
                let new = &mut new[..part.len()];
                new.copy_from_slice(&params[part.clone()]);
                let mut each: [&mut [f32]; MAX_SLOTS] = Default::default();
                for ((to, from), slot) in each.iter_mut().zip(slots.chunks_exact_mut(TRIAL)).zip(&self.slots[..count]) {
                    let from = &mut from[..part.len()];
                    from.copy_from_slice(&slot[part.clone()]);
                    *to = from;
                }
                optimizer.update(isa, number, new, &self.grads[part.clone()], &mut each[..count]);
                bad = first_become_not_finite(&params[part.clone()], new).map(|at| part.start + at);
            }
        });
        bad.map_or(Ok(()), |place| Err(Refusal::Parameter(place)))
    }
}
