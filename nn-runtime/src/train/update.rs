//! From gradients to parameters: regularisers, clipping, the optimiser, the moving average. In: the gradient
//! of each chunk, as it is computed or accumulated; out: changed parameters. It knows no network and no loss,
//! and allocates only when it is set up.

use std::boxed::Box;
use std::ops::Range;
use std::sync::atomic::AtomicBool;
use std::vec::Vec;

use super::clip::Clip;
use super::ema::Ema;
use super::fixed_range::FixedRange;
use super::param_chunks::{self, ParamChunk};
use super::regularizer::PlacedRegularizer;
use super::schedule::{ConstantRate, Schedule};
use super::workers::{ActiveWorkers, WorkerScratch};
use crate::graph::CompiledNetwork;
use crate::optim::{Optimizer, TensorUpdate};
use crate::spec::Role;
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::chunk_queue::ChunkQueue;
use nn_kernels::optimizer::{add_penalty, clamp};
use nn_kernels::reduce::sum_of_squares;
use nn_kernels::simd::Isa;

/// The most floats of state per parameter that an optimiser may keep.
pub(super) const MAX_SLOTS: usize = 4;

/// What a step does with gradients, and what it remembers from step to step.
pub(super) struct Update {
    map: &'static CompiledNetwork,
    pub(super) clip: Option<Clip>,
    /// How many batches make a step.
    pub(super) accumulate: usize,
    pub(super) regularizers: Vec<PlacedRegularizer>,
    chunks: Vec<ParamChunk>,
    /// Where the chunks lie.
    ranges: Vec<Range<usize>>,
    /// Which of them have been given out.
    taken: Vec<AtomicBool>,
    /// The whole gradient, where it is needed at once.
    accumulated: AlignedBuffer,
    pub(super) state: UpdateState,
    /// What no step changes, though it lies among parameters that it does.
    fixed: Vec<FixedRange>,
    /// Batches whose gradients wait in `accumulated`, and their weight.
    batches: usize,
    weight: f64,
}

/// What training goes back to when it diverges.
#[derive(Clone)]
pub(super) struct UpdateState {
    /// What the optimiser remembers.
    slots: Vec<AlignedBuffer>,
    /// Steps taken.
    pub(super) steps: u64,
    pub(super) schedule: Box<dyn Schedule>,
    pub(super) ema: Option<Ema>,
}

impl Clone for Box<dyn Schedule> {
    fn clone(&self) -> Self {
        (**self).copied()
    }
}

impl UpdateState {
    fn new(map: &CompiledNetwork, optimizer: &impl Optimizer) -> UpdateState {
        let slots = (0..optimizer.slots())
            .map(|k| {
                let mut slot = AlignedBuffer::zeroed(map.params_len);
                let initial = optimizer.initial_slot(k);
                if initial != 0.0 {
                    slot.fill(initial);
                }
                slot
            })
            .collect();
        UpdateState { slots, steps: 0, schedule: Box::new(ConstantRate), ema: None }
    }

    /// Numbers that the optimiser remembers of each parameter.
    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }
}

impl Update {
    pub(super) fn new(map: &'static CompiledNetwork, optimizer: &impl Optimizer) -> Update {
        let mut update = Update {
            map,
            clip: None,
            accumulate: 1,
            regularizers: Vec::new(),
            chunks: Vec::new(),
            ranges: Vec::new(),
            taken: Vec::new(),
            accumulated: AlignedBuffer::zeroed(0),
            state: UpdateState::new(map, optimizer),
            fixed: FixedRange::all(map),
            batches: 0,
            weight: 0.0,
        };
        update.layout(optimizer, 1);
        update
    }

    /// Cuts the parameters and makes room, as the settings want it, for so many workers. Accumulated
    /// gradients stay, unless their settings have changed.
    pub(super) fn layout(&mut self, optimizer: &impl Optimizer, workers: usize) {
        let by_tensor = optimizer.per_tensor() || matches!(self.clip, Some(Clip::Norm(_)));
        // Where a norm of all is taken, the sums it is made of may not depend on the workers.
        let workers = if self.accumulates() { 1 } else { workers };
        self.chunks = match by_tensor {
            true => param_chunks::by_tensor(self.map),
            false => param_chunks::by_size(self.map, Role::Trainable, workers),
        };
        self.ranges = self.chunks.iter().map(|chunk| chunk.range.clone()).collect();
        self.taken = self.chunks.iter().map(|_| AtomicBool::new(false)).collect();
        let accumulated = if self.accumulates() { self.map.params_len } else { 0 };
        if self.accumulated.len() != accumulated {
            self.accumulated = AlignedBuffer::zeroed(accumulated);
            self.drop_accumulated();
        }
    }

    /// What a worker needs to itself, with so much scratch for layers.
    pub(super) fn worker_scratch(&self, worker: usize, layers: usize, optimizer: &impl Optimizer) -> WorkerScratch {
        let whole = self.chunks.iter().flat_map(|chunk| &chunk.layout).map(|layout| optimizer.scratch(layout)).max();
        let longest = self.ranges.iter().map(Range::len).max().unwrap_or(0);
        WorkerScratch {
            worker,
            layers: AlignedBuffer::zeroed(layers),
            grad: AlignedBuffer::zeroed(if self.accumulates() { 0 } else { longest }),
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

    /// Takes the gradients of a batch of this weight, chunk by chunk, and the step, where enough batches have
    /// come. `add_grad` is given scratch memory for layers and a range of the parameters, whose gradient it
    /// adds to what it is given, or overwrites it where told. Workers share the chunks.
    pub(super) fn take_batch(
        &mut self,
        isa: Isa,
        workers: ActiveWorkers,
        params: &mut [f32],
        optimizer: &mut impl Optimizer,
        weight: f64,
        add_grad: &(impl Fn(&mut [f32], &Range<usize>, &mut [f32], bool) + Sync),
    ) {
        if !self.accumulates() {
            return self.step(isa, workers, params, optimizer, Some(add_grad));
        }
        let (first, ranges) = (self.batches == 0, &self.ranges);
        let queue = ChunkQueue::new([&mut self.accumulated], ranges, &mut self.taken, workers.scratch.len());
        workers.pool.for_each(workers.scratch, |scratch| {
            queue.each(scratch.worker, |i, [grad]| {
                if first {
                    grad.fill(0.0);
                }
                add_grad(&mut scratch.layers, &ranges[i], grad, false);
            });
        });
        self.batches += 1;
        self.weight += weight;
        if self.batches >= self.accumulate {
            self.flush(isa, workers, params, optimizer);
        }
    }

    /// Takes the step of the gradients that wait, if any do.
    pub(super) fn flush(
        &mut self,
        isa: Isa,
        workers: ActiveWorkers,
        params: &mut [f32],
        optimizer: &mut impl Optimizer,
    ) {
        if self.batches == 0 {
            return;
        }
        let mut squares = 0.0;
        for range in &self.ranges {
            let grad = &mut self.accumulated[range.clone()];
            if self.accumulate > 1 {
                isa.scale((1.0 / self.weight) as f32, grad);
            }
            regularize_and_clip(isa, (&self.regularizers, &self.fixed), self.clip, range, &params[range.clone()], grad);
            if let Some(Clip::GlobalNorm(_)) = self.clip {
                squares += sum_of_squares(isa, grad);
            }
        }
        if let Some(Clip::GlobalNorm(limit)) = self.clip {
            let factor = limit / (squares.sqrt() + 1e-6);
            if factor < 1.0 {
                self.ranges.iter().for_each(|range| isa.scale(factor as f32, &mut self.accumulated[range.clone()]));
            }
        }
        self.step(isa, workers, params, optimizer, None::<&fn(&mut [f32], &Range<usize>, &mut [f32], bool)>);
        self.drop_accumulated();
    }

    /// Counts a step, sets its learning rate, and changes every chunk by its gradient: the one that
    /// `add_grad` gives, or else the accumulated one.
    fn step(
        &mut self,
        isa: Isa,
        workers: ActiveWorkers,
        params: &mut [f32],
        optimizer: &mut impl Optimizer,
        add_grad: Option<&(impl Fn(&mut [f32], &Range<usize>, &mut [f32], bool) + Sync)>,
    ) {
        let Update { clip, regularizers, chunks, ranges, taken, accumulated, state, fixed, .. } = self;
        fixed.iter_mut().for_each(|fixed| fixed.keep(params));
        let base = optimizer.learning_rate();
        optimizer.set_learning_rate(state.schedule.rate(base, state.steps));
        state.steps += 1;
        let UpdateState { slots, steps, ema, .. } = state;
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
        let [a, b, c, d] = all;
        let blocks = [&mut *params, accumulated, &mut *ema, a, b, c, d];
        let queue = ChunkQueue::new(blocks, ranges, taken, workers.scratch.len());
        let (clip, regularizers, using, fixed) = (*clip, &regularizers[..], &*optimizer, &fixed[..]);
        workers.pool.for_each(workers.scratch, |WorkerScratch { worker, layers, grad, optimizer: scratch }| {
            queue.each(*worker, |i, [params, accumulated, ema, a, b, c, d]| {
                let ParamChunk { range, layout, overwrite } = &chunks[i];
                let grads = match add_grad {
                    None => accumulated,
                    Some(add_grad) => {
                        let grads = &mut grad[..range.len()];
                        if !overwrite {
                            grads.fill(0.0);
                        }
                        add_grad(layers, range, grads, *overwrite);
                        regularize_and_clip(isa, (regularizers, fixed), clip, range, params, grads);
                        grads
                    }
                };
                let slots = &mut [a, b, c, d][..count];
                match layout {
                    Some(form) if using.per_tensor() => {
                        let tensor = TensorUpdate { layout: form, params: &mut *params, grads, scratch };
                        using.update_tensor(isa, step, tensor, slots);
                    }
                    _ => using.update(isa, step, params, grads, slots),
                }
                ema_step.take(isa, params, ema);
            });
        });
        fixed.iter().for_each(|fixed| fixed.put_back(params));
        if !ema.is_empty() {
            fixed.iter().for_each(|fixed| fixed.put_back(ema));
        }
        optimizer.set_learning_rate(base);
    }

    /// Copies the averaged parameters, where there are some, over the others.
    pub(super) fn copy_ema(&self, params: &mut [f32]) {
        let Some(ema) = self.state.ema.as_ref().filter(|ema| ema.begun) else { return };
        for range in &self.ranges {
            params[range.clone()].copy_from_slice(&ema.params[range.clone()]);
        }
    }
}

/// Makes a chunk's gradient that of the whole loss, and clips it by itself.
#[inline]
fn regularize_and_clip(
    isa: Isa,
    (regularizers, fixed): (&[PlacedRegularizer], &[FixedRange]),
    clip: Option<Clip>,
    range: &Range<usize>,
    params: &[f32],
    grad: &mut [f32],
) {
    for regularizer in regularizers {
        let (from, to) = (regularizer.range.start.max(range.start), regularizer.range.end.min(range.end));
        if from < to {
            let within = from - range.start..to - range.start;
            add_penalty(isa, regularizer.l1, regularizer.l2, &params[within.clone()], &mut grad[within]);
        }
    }
    if !regularizers.is_empty() {
        // What is not changed is no part of a norm either.
        fixed.iter().for_each(|fixed| fixed.clear(range, grad));
    }
    match clip {
        None | Some(Clip::GlobalNorm(_)) => {}
        Some(Clip::Value(limit)) => clamp(isa, limit as f32, grad),
        Some(Clip::Norm(limit)) => {
            let norm = sum_of_squares(isa, grad).sqrt();
            if norm > limit {
                isa.scale((limit / norm) as f32, grad);
            }
        }
    }
}
