//! From gradients to parameters: regularisers, clipping, the optimiser, the moving average. In: the gradient
//! of each chunk, as it is computed or accumulated; out: changed parameters, or a refusal with nothing
//! changed. It knows no network and no loss, and allocates only when it is set up.

use alloc::vec::Vec;
use core::sync::atomic::AtomicBool;

use super::clip::{Clip, regularize_and_clip};
use super::ema::Ema;
use super::fixed_range::FixedRange;
use super::grad_source::{GradSource, NoSource};
use super::magnitude::{first_become_not_finite, first_not_finite, largest};
use super::overflow::{OverflowGuard, ParamsNow};
use super::param_chunks;
use super::param_cut::ParamCut;
use super::refusal::{FirstPlace, Refusal};
use super::regularizer::PlacedRegularizer;
use super::scheduled_rate::ScheduledRate;
use super::tensor_groups::TensorGroups;
use super::update_state::{MAX_SLOTS, Undo, UpdateState};
use super::workers::{ActiveWorkers, WorkerScratch};
use crate::graph::CompiledNetwork;
use crate::optim::{Optimizer, TensorUpdate};
use crate::spec::Role;
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::chunk_queue::ChunkQueue;
use nn_kernels::reduce::sum_of_squares;
use nn_kernels::simd::Isa;

/// What a step does with gradients, and what it remembers from step to step.
pub(super) struct Update {
    map: &'static CompiledNetwork,
    pub(super) clip: Option<Clip>,
    /// How many batches make a step.
    pub(super) accumulate: usize,
    pub(super) regularizers: Vec<PlacedRegularizer>,
    /// What is frozen, and whose learning rate is another.
    pub(super) groups: TensorGroups,
    cut: ParamCut,
    /// Which chunks have been given out.
    taken: Vec<AtomicBool>,
    /// The gradients that are held: those of the last batch, or the sum of several.
    pub(super) grads: AlignedBuffer,
    /// Their sum before the last batch.
    before: AlignedBuffer,
    pub(super) state: UpdateState,
    /// Whether the gradients of a batch come whole, so that nothing is gained by computing some when they are
    /// used.
    pub(super) grads_given: bool,
    /// What no step changes, though it lies among parameters that it does.
    fixed: Vec<FixedRange>,
    /// Batches whose gradients wait, their weight, and their largest number.
    pub(super) batches: usize,
    pub(super) weight: f64,
    pub(super) largest_held: f64,
    /// What private training draws and has spent: never undone, as what has been shown cannot be.
    #[cfg(feature = "std")]
    pub(super) privacy: Option<super::privacy::PrivateRun>,
    overflow: OverflowGuard,
    undo: Option<Undo>,
}

impl Update {
    pub(super) fn new(map: &'static CompiledNetwork, optimizer: &impl Optimizer) -> Update {
        let mut update = Update {
            map,
            clip: None,
            accumulate: 1,
            regularizers: Vec::new(),
            groups: TensorGroups::default(),
            cut: ParamCut::default(),
            taken: Vec::new(),
            grads: AlignedBuffer::zeroed(map.params_len),
            before: AlignedBuffer::zeroed(0),
            state: UpdateState::new(map, optimizer),
            grads_given: false,
            fixed: FixedRange::all(map),
            batches: 0,
            weight: 0.0,
            largest_held: 0.0,
            #[cfg(feature = "std")]
            privacy: None,
            overflow: OverflowGuard::default(),
            undo: None,
        };
        update.layout(optimizer, 1, 1);
        update
    }

    /// Cuts the parameters and makes room, as the settings want it, for so many workers and batches of so
    /// many samples. Accumulated gradients stay.
    pub(super) fn layout(&mut self, optimizer: &impl Optimizer, workers: usize, samples: usize) {
        let by_tensor = optimizer.per_tensor() || matches!(self.clip, Some(Clip::Norm(_)));
        // Where a norm of all is taken, the sums it is made of may not depend on the workers.
        let workers = if self.accumulates() { 1 } else { workers };
        let chunks = match by_tensor {
            true => param_chunks::by_tensor(self.map, &self.groups),
            false => param_chunks::by_size(self.map, Role::Trainable, &self.groups, workers),
        };
        self.cut = ParamCut::new(self.map, chunks, Some(samples).filter(|_| !self.accumulates() && !self.grads_given));
        self.taken = self.cut.chunks.iter().map(|_| AtomicBool::new(false)).collect();
        let before = if self.accumulate > 1 { self.map.params_len } else { 0 };
        if self.before.len() != before {
            self.before = AlignedBuffer::zeroed(before);
        }
    }

    /// What a worker needs to itself, with so much scratch for layers.
    pub(super) fn worker_scratch(&self, worker: usize, layers: usize, optimizer: &impl Optimizer) -> WorkerScratch {
        let whole =
            self.cut.chunks.iter().flat_map(|chunk| &chunk.layout).map(|layout| optimizer.scratch(layout)).max();
        let is_held = |i: &usize| self.cut.held.contains(i);
        let others = self.cut.chunks.iter().enumerate().filter(|(i, _)| !is_held(i));
        let longest = others.map(|(_, chunk)| chunk.range.len()).max().unwrap_or(0);
        WorkerScratch {
            worker,
            layers: AlignedBuffer::zeroed(layers),
            grad: AlignedBuffer::zeroed(longest),
            largest: 0.0,
            optimizer: AlignedBuffer::zeroed(whole.unwrap_or(0)),
        }
    }

    pub(super) fn keep_ema(&mut self, decay: f64) {
        self.state.ema = Some(Ema::new(decay, self.map.params_len));
    }

    /// Whether the gradients of all chunks must be there before any parameter changes.
    #[inline]
    fn accumulates(&self) -> bool {
        self.accumulate > 1 || matches!(self.clip, Some(Clip::GlobalNorm(_)))
    }

    /// Drops the gradients that wait for more batches.
    pub(super) fn drop_accumulated(&mut self) {
        (self.batches, self.weight) = (0, 0.0);
    }

    /// What all regularisers add to the loss.
    #[inline]
    pub(super) fn regularization(&self, isa: Isa, params: &[f32]) -> f64 {
        self.regularizers.iter().map(|regularizer| regularizer.value(isa, params)).sum()
    }

    /// What the gradient of a batch's mean loss is multiplied by: its weight, where several batches have one
    /// mean.
    #[inline]
    pub(super) fn batch_scale(&self, weight: f64) -> f64 {
        if self.accumulate > 1 { weight } else { 1.0 }
    }

    /// The parameters have been changed by another than `step`.
    pub(super) fn params_changed(&mut self) {
        self.overflow.forget();
    }

    /// Takes the gradients of a batch of this weight, and the step, where enough batches have come. Workers
    /// share the chunks.
    ///
    /// # Errors
    /// A gradient or a new parameter is not finite; all is as before.
    pub(super) fn take_batch(
        &mut self,
        isa: Isa,
        mut workers: ActiveWorkers,
        params: &mut [f32],
        optimizer: &mut impl Optimizer,
        weight: f64,
        source: &impl GradSource,
    ) -> Result<(), Refusal> {
        self.hold(isa, &mut workers, source)?;
        if !self.accumulates() {
            let bounds = self.cut.bounding.iter().map(|&node| source.bound(node));
            let most = bounds.fold(self.largest_held, |most, bound| if bound <= most { most } else { bound });
            return self.step(isa, workers, params, optimizer, Some(source), most);
        }
        let kept = (self.batches, self.weight);
        self.batches += 1;
        self.weight += weight;
        if self.batches < self.accumulate {
            return Ok(());
        }
        let flushed = self.flush(isa, workers, params, optimizer);
        if flushed.is_err() && self.accumulate > 1 {
            core::mem::swap(&mut self.grads, &mut self.before);
            (self.batches, self.weight) = kept;
        }
        flushed
    }

    /// Computes the gradients that must be there before any parameter changes, or adds them to those of the
    /// batches before.
    fn hold(&mut self, isa: Isa, workers: &mut ActiveWorkers, source: &impl GradSource) -> Result<(), Refusal> {
        let (first, sums) = (self.batches == 0, self.accumulate > 1);
        let overwrites = !self.accumulates();
        let Update { cut: ParamCut { chunks, held, held_ranges: ranges, .. }, taken, grads, before, .. } = self;
        let bad = FirstPlace::none();
        let hold = |scratch: &mut WorkerScratch, i: usize, grad: &mut [f32], before: &mut [f32]| {
            let (range, overwrite) = (&ranges[i], overwrites && chunks[held[i]].overwrite());
            if !source.is_held() {
                if sums && !first {
                    before.copy_from_slice(grad);
                } else if !overwrite {
                    grad.fill(0.0);
                }
                source.add(&mut scratch.layers, range, grad, overwrite);
            }
            let most = largest(isa, grad);
            if most.is_finite() {
                scratch.largest = scratch.largest.max(most);
            } else if let Some(at) = first_not_finite(grad) {
                bad.found(range.start + at);
            }
        };
        workers.scratch.iter_mut().for_each(|scratch| scratch.largest = 0.0);
        if let ([range], false) = (&ranges[..], sums) {
            hold(&mut workers.scratch[0], 0, &mut grads[range.clone()], &mut []);
        } else if !ranges.is_empty() {
            let queue = ChunkQueue::new([&mut *grads, before], ranges, taken, workers.scratch.len());
            workers.pool.for_each(workers.scratch, |scratch| {
                queue.each(scratch.worker, |i, [grad, before]| hold(scratch, i, grad, before));
            });
        }
        match bad.get() {
            None => {
                self.largest_held = workers.scratch.iter().fold(0.0, |most, scratch| most.max(scratch.largest));
                Ok(())
            }
            Some(place) => {
                if sums && !first {
                    core::mem::swap(&mut self.grads, &mut self.before);
                }
                Err(Refusal::Gradient(place))
            }
        }
    }

    /// Takes the step of the gradients that wait, if any do.
    ///
    /// # Errors
    /// A new parameter is not finite; parameters are as before, and no gradients wait.
    pub(super) fn flush(
        &mut self,
        isa: Isa,
        workers: ActiveWorkers,
        params: &mut [f32],
        optimizer: &mut impl Optimizer,
    ) -> Result<(), Refusal> {
        if self.batches == 0 {
            return Ok(());
        }
        let mut most = self.largest_held;
        if self.accumulate > 1 {
            most /= self.weight;
        }
        let mut squares = 0.0;
        for range in &self.cut.ranges {
            let grad = &mut self.grads[range.clone()];
            if self.accumulate > 1 {
                isa.scale((1.0 / self.weight) as f32, grad);
            }
            regularize_and_clip(isa, (&self.regularizers, &self.fixed), self.clip, range, &params[range.clone()], grad);
            if let Some(Clip::GlobalNorm(_)) = self.clip {
                squares += sum_of_squares(isa, grad);
            }
        }
        if let Some(Clip::GlobalNorm(limit)) = self.clip {
            let factor = limit / (libm::sqrt(squares) + 1e-6);
            if factor < 1.0 {
                self.cut.ranges.iter().for_each(|range| isa.scale(factor as f32, &mut self.grads[range.clone()]));
            }
        }
        self.drop_accumulated();
        self.step(isa, workers, params, optimizer, None::<&NoSource>, most)
    }

    /// Counts a step, sets its learning rate, and changes every chunk by its gradient: the one that is held,
    /// or else the one that `source` gives. No number of a gradient is larger than `most`.
    fn step(
        &mut self,
        isa: Isa,
        workers: ActiveWorkers,
        params: &mut [f32],
        optimizer: &mut impl Optimizer,
        source: Option<&impl GradSource>,
        most: f64,
    ) -> Result<(), Refusal> {
        let rate = self.state.schedule.rate(optimizer.learning_rate(), self.state.scheduled_steps());
        // The largest first, as a bound for all.
        let mut scheduled = ScheduledRate::set(optimizer, rate * self.cut.factors[0]);
        let most = if most <= self.state.largest_grad { self.state.largest_grad } else { most };
        let now = ParamsNow { isa, params, ranges: &self.cut.ranges, regularizers: &self.regularizers };
        let in_doubt = !self.overflow.rules_out(scheduled.optimizer(), most, now);
        if in_doubt {
            match &mut self.undo {
                Some(undo) => undo.renew(params, &self.state),
                undo => *undo = Some(Undo::of(params, &self.state)),
            }
        }
        let (bad_grad, bad_param) = (FirstPlace::none(), FirstPlace::none());

        let Update { clip, regularizers, cut, taken, grads, state, undo, fixed, .. } = self;
        let ParamCut { chunks, ranges, held, factors, .. } = cut;
        fixed.iter_mut().for_each(|fixed| fixed.keep(params));
        let before = undo.as_ref().filter(|_| in_doubt).map(Undo::params);
        state.steps += 1;
        let UpdateState { slots, steps, ema, .. } = &mut *state;
        let (count, step) = (slots.len(), *steps);
        let mut all: [&mut [f32]; MAX_SLOTS] = Default::default();
        for (to, from) in all.iter_mut().zip(slots) {
            *to = from;
        }
        let ema_step = Ema::next_step(ema.as_ref());
        let ema = ema.as_mut().map_or(&mut [][..], |ema| {
            ema.begun = true;
            &mut ema.params
        });
        for factor in factors.iter() {
            scheduled.change(rate * factor);
            let using = scheduled.optimizer();
            let [a, b, c, d] = all.each_mut().map(|slot| &mut **slot);
            let arrays = [&mut *params, &mut *grads, &mut *ema, a, b, c, d];
            let queue = ChunkQueue::new(arrays, ranges, taken, workers.scratch.len());
            workers.pool.for_each(
                &mut *workers.scratch,
                |WorkerScratch { worker, layers, grad, optimizer: scratch, .. }| {
                    queue.each(*worker, |i, [params, held_grads, ema, a, b, c, d]| {
                        let (chunk, range) = (&chunks[i], &chunks[i].range);
                        if chunk.factor != *factor {
                            return;
                        }
                        let grads = match source {
                            None => held_grads,
                            Some(source) => {
                                let grads = match held.binary_search(&i) {
                                    Ok(_) => held_grads,
                                    Err(_) => {
                                        let grads = &mut grad[..range.len()];
                                        if !chunk.overwrite() {
                                            grads.fill(0.0);
                                        }
                                        source.add(layers, range, grads, chunk.overwrite());
                                        grads
                                    }
                                };
                                if before.is_some()
                                    && let Some(at) = first_not_finite(grads)
                                {
                                    return bad_grad.found(range.start + at);
                                }
                                regularize_and_clip(isa, (regularizers, fixed), *clip, range, params, grads);
                                grads
                            }
                        };
                        let slots = &mut [a, b, c, d][..count];
                        match &chunk.layout {
                            Some(layout) if using.per_tensor() => {
                                let tensor = TensorUpdate { layout, params: &mut *params, grads, scratch };
                                using.update_tensor(isa, step, tensor, slots);
                            }
                            _ => using.update(isa, step, params, grads, slots),
                        }
                        if let Some(before) = before
                            && let Some(at) = first_become_not_finite(&before[range.clone()], params)
                        {
                            bad_param.found(range.start + at);
                        }
                        ema_step.take(isa, params, ema);
                    });
                },
            );
        }
        fixed.iter().for_each(|fixed| fixed.put_back(params));
        if !ema.is_empty() {
            fixed.iter().for_each(|fixed| fixed.put_back(ema));
        }
        drop(scheduled);
        let refused = bad_grad.get().map(Refusal::Gradient).or(bad_param.get().map(Refusal::Parameter));
        match refused {
            None => {
                // NaN is less than nothing here: the gradients were finite all the same.
                state.largest_grad = most.min(f64::from(f32::MAX));
                Ok(())
            }
            Some(refusal) => {
                state.steps -= 1;
                if let Some(undo) = undo {
                    undo.restore(params, state);
                }
                Err(refusal)
            }
        }
    }

    /// Copies the averaged parameters, where there are some, over the others.
    pub(super) fn copy_ema(&self, params: &mut [f32]) {
        self.state.ema.iter().for_each(|ema| ema.copy_to(&self.cut.ranges, params));
    }
}
