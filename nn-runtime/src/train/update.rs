//! From gradients to parameters: regularisers, clipping, the optimiser, the moving average. In: the gradient
//! of each chunk, as it is computed or accumulated; out: changed parameters, or a refusal with nothing
//! changed. It knows no network and no loss, and allocates only when it is set up.

use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::AtomicBool;

use super::agreement::{agree_on_grads, refused};
use super::clip::{Clip, regularize_and_clip};
use super::ema::{Ema, EmaStep};
use super::fixed_range::FixedRange;
use super::grad_source::{GradSource, NoSource};
use super::magnitude::{first_become_not_finite, first_not_finite, largest};
use super::new_params::NewParams;
use super::overflow::OverflowGuard;
use super::param_cut::ParamCut;
use super::refusal::{FirstPlace, Refusal};
use super::regularizer::PlacedRegularizer;
use super::scheduled_rate::ScheduledRate;
use super::shares::Shares;
use super::tensor_groups::TensorGroups;
use super::update_state::{Undo, UpdateState};
use super::workers::{ActiveWorkers, WorkerScratch};
use super::world::World;
use crate::graph::CompiledNetwork;
use crate::optim::{Optimizer, TensorUpdate};
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::chunk_queue::ChunkQueue;
use nn_kernels::reduce::sum_of_squares;
use nn_kernels::simd::Isa;

/// What a step does with gradients, and what it remembers from step to step.
pub(super) struct Update {
    pub(super) map: &'static CompiledNetwork,
    pub(super) clip: Option<Clip>,
    /// How many batches make a step.
    pub(super) accumulate: usize,
    pub(super) regularizers: Vec<PlacedRegularizer>,
    /// What is frozen, and whose learning rate is another.
    pub(super) groups: TensorGroups,
    /// The chunks that this rank updates.
    pub(super) cut: ParamCut,
    /// Where those of all ranks lie.
    pub(super) all_ranges: Vec<Range<usize>>,
    pub(super) all_taken: Vec<AtomicBool>,
    /// What lies between them.
    pub(super) rest: Vec<Range<usize>>,
    /// Which chunks have been given out.
    pub(super) taken: Vec<AtomicBool>,
    /// Which rank this is, and of how many, where each updates a share of the parameters.
    pub(super) sharing: Option<(usize, usize)>,
    pub(super) shares: Shares,
    /// The parameters of this rank's share after a step, and those of the others.
    changed: NewParams,
    /// The gradients that are held: those of the last batch, or the sum of several.
    pub(super) grads: AlignedBuffer,
    /// Their sum before the last batch.
    pub(super) before: AlignedBuffer,
    pub(super) state: UpdateState,
    /// Whether the gradients of a batch come whole, so that nothing is gained by computing some when they are
    /// used.
    pub(super) grads_given: bool,
    /// What no step changes, though it lies among parameters that it does.
    pub(super) fixed: Vec<FixedRange>,
    /// Batches whose gradients wait, their weight, and their largest number.
    pub(super) batches: usize,
    pub(super) weight: f64,
    pub(super) largest_held: f64,
    /// What private training draws and has spent: never undone, as what has been shown cannot be.
    #[cfg(feature = "std")]
    pub(super) privacy: Option<super::privacy::PrivateRun>,
    pub(super) overflow: OverflowGuard,
    pub(super) undo: Option<Undo>,
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
            all_ranges: Vec::new(),
            all_taken: Vec::new(),
            rest: Vec::new(),
            taken: Vec::new(),
            sharing: None,
            shares: Shares::alone(0, map.params_len),
            changed: NewParams::default(),
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
        let alone = update.layout(optimizer, 1, 1, None);
        debug_assert!(alone.is_ok(), "nobody can be lost");
        update
    }

    /// Whether the gradients of all chunks must be there before any parameter changes.
    #[inline]
    pub(super) fn accumulates(&self) -> bool {
        self.accumulate > 1 || matches!(self.clip, Some(Clip::GlobalNorm(_)))
    }

    /// What all regularisers add to the loss.
    #[inline]
    pub(super) fn regularization(&self, isa: Isa, params: &[f32]) -> f64 {
        self.regularizers.iter().map(|regularizer| regularizer.value(isa, params)).sum()
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
        params: &mut AlignedBuffer,
        optimizer: &mut (impl Optimizer + ?Sized),
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
        let Update { cut: ParamCut { chunks, held, held_places, .. }, taken, grads, before, .. } = self;
        let bad = FirstPlace::none();
        let hold = |scratch: &mut WorkerScratch, i: usize, grad: &mut [f32], before: &mut [f32]| {
            let chunk = &chunks[held[i]];
            let (range, overwrite) = (&chunk.range, overwrites && chunk.overwrite());
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
        if let ([place], false) = (&held_places[..], sums) {
            hold(&mut workers.scratch[0], 0, &mut grads[place.clone()], &mut []);
        } else if !held_places.is_empty() {
            let queue = ChunkQueue::new([&mut *grads, before], held_places, taken, workers.scratch.len());
            workers.pool.for_each(workers.scratch, |scratch| {
                queue.each(scratch.worker, |i, [grad, before]| hold(scratch, i, grad, before));
            });
        }
        let most = workers.scratch.iter().fold(0.0, |most: f64, scratch| most.max(scratch.largest));
        match agree_on_grads(self.others(workers.world), bad.get(), most) {
            Ok(most) => {
                self.largest_held = most;
                Ok(())
            }
            Err(refusal) => {
                if sums && !first {
                    core::mem::swap(&mut self.grads, &mut self.before);
                }
                Err(refusal)
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
        params: &mut AlignedBuffer,
        optimizer: &mut (impl Optimizer + ?Sized),
    ) -> Result<(), Refusal> {
        if self.batches == 0 {
            return Ok(());
        }
        let mut most = self.largest_held;
        if self.accumulate > 1 {
            most /= self.weight;
        }
        let (mut squares, mut each) = (0.0, Vec::new());
        for (chunk, place) in self.cut.chunks.iter().zip(&self.cut.places) {
            let (range, grad) = (&chunk.range, &mut self.grads[place.clone()]);
            if self.accumulate > 1 {
                isa.scale((1.0 / self.weight) as f32, grad);
            }
            regularize_and_clip(isa, (&self.regularizers, &self.fixed), self.clip, range, &params[range.clone()], grad);
            if let Some(Clip::GlobalNorm(_)) = self.clip {
                let of_chunk = sum_of_squares(isa, grad);
                squares += of_chunk;
                if self.sharing.is_some() {
                    each.push(of_chunk);
                }
            }
        }
        if let Some(clip @ Clip::GlobalNorm(_)) = self.clip {
            if let Some(world) = self.others(workers.world) {
                squares = self.shares.of_all_chunks(world, &each)?;
            }
            if let Some(factor) = clip.global_factor(squares) {
                self.cut.places.iter().for_each(|place| isa.scale(factor, &mut self.grads[place.clone()]));
            }
        }
        self.drop_accumulated();
        self.step(isa, workers, params, optimizer, None::<&NoSource>, most)
    }

    /// Counts a step, sets its learning rate, and changes every chunk by its gradient: the one that is held,
    /// or else the one that `source` gives. No number of a gradient is larger than `most`.
    pub(super) fn step(
        &mut self,
        isa: Isa,
        mut workers: ActiveWorkers,
        params: &mut AlignedBuffer,
        optimizer: &mut (impl Optimizer + ?Sized),
        source: Option<&impl GradSource>,
        most: f64,
    ) -> Result<(), Refusal> {
        let rate = self.state.schedule.rate(optimizer.learning_rate(), self.state.scheduled_steps());
        let momentum = self.state.schedule.momentum_at(self.state.scheduled_steps());
        // The largest first, as a bound for all.
        let mut scheduled = ScheduledRate::set(optimizer, rate * self.cut.factors[0], momentum);
        let most = if most <= self.state.largest_grad { self.state.largest_grad } else { most };
        let of = |range: &Range<usize>| largest(isa, &params[range.clone()]);
        let largest_now = || self.all_ranges.iter().map(of).fold(0.0, f64::max);
        let penalty = |param| self.regularizers.iter().map(|of| of.largest_gradient(param)).sum::<f64>();
        let in_doubt = !self.overflow.rules_out(scheduled.optimizer(), most, largest_now, penalty);
        if in_doubt {
            match &mut self.undo {
                Some(undo) => undo.renew(params, &self.state),
                undo => *undo = Some(Undo::of(params, &self.state)),
            }
        }
        let (bad_grad, bad_param) = (FirstPlace::none(), FirstPlace::none());

        let world = self.others(workers.world);
        let Update { clip, regularizers, cut, taken, grads, state, undo, fixed, shares, changed, .. } = self;
        let ParamCut { chunks, places, held, factors, .. } = cut;
        fixed.iter_mut().for_each(|fixed| fixed.keep(params));
        // Where ranks wait for each other, new parameters are made beside the others until all are there.
        let (first, now, target, copy) = match world {
            Some(world) => {
                let [own, copy] = changed.room(world, shares, &self.rest, params)?;
                (shares.span().start, Some(&params[..]), own, copy)
            }
            None => (0, None, &mut params[..], &mut [][..]),
        };
        let before = undo.as_ref().filter(|_| in_doubt).map(Undo::params);
        state.steps += 1;
        let UpdateState { slots, steps, ema, .. } = &mut *state;
        let (count, step) = (slots.len(), *steps);
        let mut all: [&mut [f32]; super::footprint::MAX_SLOTS] = Default::default();
        all.iter_mut().zip(slots).for_each(|(to, from)| *to = from);
        let ema_step = Ema::next_step(ema.as_ref());
        let ema = ema.as_mut().map_or(&mut [][..], |ema| {
            ema.begun = true;
            &mut ema.params
        });
        // Every rank averages all parameters, once they are there; what is copied begins as an average does.
        let (here, ema) = match world {
            Some(_) => (if copy.is_empty() { EmaStep::Nothing } else { EmaStep::Begin }, copy),
            None => (ema_step, ema),
        };
        for factor in factors.iter() {
            scheduled.change(rate * factor);
            let using = scheduled.optimizer();
            let [a, b, c, d] = all.each_mut().map(|slot| &mut **slot);
            let arrays = [&mut *target, &mut *grads, &mut *ema, a, b, c, d];
            let queue = ChunkQueue::new(arrays, places, taken, workers.scratch.len());
            workers.pool.for_each(
                &mut *workers.scratch,
                |WorkerScratch { worker, layers, grad, optimizer: scratch, .. }| {
                    queue.each(*worker, |i, [params, held_grads, ema, a, b, c, d]| {
                        let (chunk, range) = (&chunks[i], &chunks[i].range);
                        if chunk.factor != *factor {
                            return;
                        }
                        if let Some(now) = now {
                            params.copy_from_slice(&now[range.clone()]);
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
                        here.take(isa, params, ema);
                    });
                },
            );
        }
        fixed.iter().for_each(|fixed| fixed.put_back(first, target));
        if !ema.is_empty() {
            fixed.iter().for_each(|fixed| fixed.put_back(first, ema));
        }
        drop(scheduled);
        let hand_out = |world| {
            let chunks = (&self.all_ranges[..], &mut self.all_taken[..]);
            changed.hand_out(world, &mut workers, shares, chunks, params).err().map(Refusal::from)
        };
        let refused = refused(world.filter(|_| in_doubt), bad_grad.get(), bad_param.get());
        let refused = refused.or_else(|| world.and_then(hand_out));
        if let Some(refusal) = refused {
            state.steps -= 1;
            if let Some(undo) = undo.as_ref().filter(|_| in_doubt) {
                undo.restore(params, state);
            }
            return Err(refusal);
        }
        // NaN is less than nothing here: the gradients were finite all the same.
        state.largest_grad = most.min(f64::from(f32::MAX));
        if let (Some(_), Some(ema)) = (world, &mut state.ema) {
            let arrays = [&mut params[..], &mut ema.params];
            let queue = ChunkQueue::new(arrays, &self.all_ranges, &mut self.all_taken, workers.scratch.len());
            workers.pool.for_each(&mut *workers.scratch, |scratch| {
                queue.each(scratch.worker, |_, [params, ema]| ema_step.take(isa, params, ema));
            });
            fixed.iter().for_each(|fixed| fixed.put_back(0, &mut ema.params));
        }
        Ok(())
    }

    /// The other ranks, where each updates a share.
    fn others<'w>(&self, world: Option<&'w World>) -> Option<&'w World> {
        world.filter(|_| self.sharing.is_some())
    }
}
