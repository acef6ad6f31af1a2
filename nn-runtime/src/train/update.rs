//! From gradients to parameters: penalties, clipping, the optimiser, the average. In: the gradient of each piece, as it is pulled or
//! gathered; out: changed parameters. It knows no network and no loss, and allocates only when it is set up.

use std::boxed::Box;
use std::ops::Range;
use std::sync::atomic::AtomicBool;
use std::vec::Vec;

use super::clip::Clip;
use super::penalty::Placed;
use super::pieces::{self, Piece};
use super::schedule::{ConstantRate, Schedule};
use crate::graph::CompiledNetwork;
use crate::optim::{Optimizer, TensorUpdate};
use crate::spec::Role;
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::chunk_queue::ChunkQueue;
use nn_kernels::optimizer::{add_penalty, clamp, ema};
use nn_kernels::reduce::sum_of_squares;
use nn_kernels::simd::Isa;
use nn_kernels::thread_pool::ThreadPool;

/// The most floats of state per parameter that an optimiser may keep.
pub(super) const MAX_STATES: usize = 4;

/// What a step does with gradients, and what it remembers from step to step.
pub(super) struct Update {
    map: &'static CompiledNetwork,
    pub(super) clip: Option<Clip>,
    /// How many batches make a step.
    pub(super) accumulate: usize,
    pub(super) penalties: Vec<Placed>,
    pieces: Vec<Piece>,
    /// Where the pieces lie.
    ranges: Vec<Range<usize>>,
    /// Which of them have been dealt out.
    taken: Vec<AtomicBool>,
    /// The whole gradient, where it is gathered.
    gathered: AlignedBuffer,
    pub(super) memory: Memory,
    /// Batches whose gradients wait in `gathered`, and their weight.
    batches: usize,
    weight: f64,
}

/// What a lane has to itself.
pub(super) struct Bench {
    pub(super) lane: usize,
    /// For whoever runs layers.
    pub(super) scratch: AlignedBuffer,
    /// The gradient of one piece.
    grad: AlignedBuffer,
    /// For the optimiser.
    room: AlignedBuffer,
}

/// All lanes, and what each has to itself.
pub(super) type Lanes<'a> = (&'a mut ThreadPool, &'a mut [Bench]);

/// What training goes back to when it diverges.
#[derive(Clone)]
pub(super) struct Memory {
    /// What the optimiser remembers.
    states: Vec<AlignedBuffer>,
    /// Steps taken.
    pub(super) steps: u64,
    pub(super) schedule: Box<dyn Schedule>,
    pub(super) average: Option<Average>,
}

impl Clone for Box<dyn Schedule> {
    fn clone(&self) -> Self {
        (**self).copied()
    }
}

/// A moving average of the parameters; the first step begins it.
#[derive(Clone)]
pub(super) struct Average {
    pub(super) decay: f64,
    params: AlignedBuffer,
    /// The first step after it was asked for has been taken.
    begun: bool,
}

impl Memory {
    /// Numbers that the optimiser remembers of each parameter.
    pub(super) fn states(&self) -> usize {
        self.states.len()
    }
}

impl Update {
    pub(super) fn new(map: &'static CompiledNetwork, optimizer: &impl Optimizer) -> Update {
        let states = (0..optimizer.slots())
            .map(|k| {
                let mut state = AlignedBuffer::zeroed(map.params_len);
                let initial = optimizer.initial_slot(k);
                if initial != 0.0 {
                    state.fill(initial);
                }
                state
            })
            .collect();
        let mut update = Update {
            map,
            clip: None,
            accumulate: 1,
            penalties: Vec::new(),
            pieces: Vec::new(),
            ranges: Vec::new(),
            taken: Vec::new(),
            gathered: AlignedBuffer::zeroed(0),
            memory: Memory { states, steps: 0, schedule: Box::new(ConstantRate), average: None },
            batches: 0,
            weight: 0.0,
        };
        update.arrange(optimizer, 1);
        update
    }

    /// Cuts the parameters and makes room, as the settings want it, for so many lanes. Gradients that wait go on waiting, unless their
    /// settings have changed.
    pub(super) fn arrange(&mut self, optimizer: &impl Optimizer, lanes: usize) {
        let by_tensor = optimizer.per_tensor() || matches!(self.clip, Some(Clip::Norm(_)));
        // Where a norm of all is taken, the sums it is made of may not depend on the lanes.
        let lanes = if self.gathers() { 1 } else { lanes };
        self.pieces = match by_tensor {
            true => pieces::by_tensor(self.map),
            false => pieces::by_strip(self.map, Role::Trainable, lanes),
        };
        self.ranges = self.pieces.iter().map(|piece| piece.range.clone()).collect();
        self.taken = self.pieces.iter().map(|_| AtomicBool::new(false)).collect();
        let gathered = if self.gathers() { self.map.params_len } else { 0 };
        if self.gathered.len() != gathered {
            self.gathered = AlignedBuffer::zeroed(gathered);
            self.forget_gathered();
        }
    }

    /// What a lane needs to itself, and so much for whoever runs layers.
    pub(super) fn bench(&self, lane: usize, scratch: usize, optimizer: &impl Optimizer) -> Bench {
        let room = self.pieces.iter().flat_map(|piece| &piece.form).map(|form| optimizer.scratch(form)).max();
        let longest = self.ranges.iter().map(Range::len).max().unwrap_or(0);
        Bench {
            lane,
            scratch: AlignedBuffer::zeroed(scratch),
            grad: AlignedBuffer::zeroed(if self.gathers() { 0 } else { longest }),
            room: AlignedBuffer::zeroed(room.unwrap_or(0)),
        }
    }

    pub(super) fn average(&mut self, decay: f64) {
        self.memory.average = Some(Average { decay, params: AlignedBuffer::zeroed(self.map.params_len), begun: false });
    }

    /// Whether the gradients of all pieces must be there before any parameter changes.
    #[inline]
    fn gathers(&self) -> bool {
        self.accumulate > 1 || matches!(self.clip, Some(Clip::GlobalNorm(_)))
    }

    /// Drops the gradients that wait for more batches.
    pub(super) fn forget_gathered(&mut self) {
        (self.batches, self.weight) = (0, 0.0);
    }

    /// What all penalties add to the loss.
    #[inline]
    pub(super) fn penalty(&self, isa: Isa, params: &[f32]) -> f64 {
        self.penalties.iter().map(|penalty| penalty.value(isa, params)).sum()
    }

    /// What the gradient of a batch's mean loss is multiplied by: its weight, where several batches have one mean.
    #[inline]
    pub(super) fn share(&self, weight: f64) -> f64 {
        if self.accumulate > 1 { weight } else { 1.0 }
    }

    /// Takes the gradients of a batch, which `pull` adds to what it is given, or overwrites where it is told, piece by piece, with the scratch memory
    /// of a lane; where enough
    /// batches have come, takes the step. Lanes share the pieces, each done by one of them.
    pub(super) fn batch(
        &mut self,
        isa: Isa,
        (thread_pool, benches): Lanes,
        params: &mut [f32],
        optimizer: &mut impl Optimizer,
        weight: f64,
        pull: &(impl Fn(&mut [f32], &Range<usize>, &mut [f32], bool) + Sync),
    ) {
        if !self.gathers() {
            return self.step(isa, (thread_pool, benches), params, optimizer, Some(pull));
        }
        let (first, ranges) = (self.batches == 0, &self.ranges);
        let shares = ChunkQueue::new([&mut self.gathered], ranges, &mut self.taken, benches.len());
        thread_pool.for_each(benches, |bench| {
            shares.each(bench.lane, |i, [grad]| {
                if first {
                    grad.fill(0.0);
                }
                pull(&mut bench.scratch, &ranges[i], grad, false);
            });
        });
        self.batches += 1;
        self.weight += weight;
        if self.batches >= self.accumulate {
            self.settle(isa, (thread_pool, benches), params, optimizer);
        }
    }

    /// Takes the step of the gradients that wait, if any do.
    pub(super) fn settle(&mut self, isa: Isa, lanes: Lanes, params: &mut [f32], optimizer: &mut impl Optimizer) {
        if self.batches == 0 {
            return;
        }
        let mut squares = 0.0;
        for range in &self.ranges {
            let grad = &mut self.gathered[range.clone()];
            if self.accumulate > 1 {
                isa.scale((1.0 / self.weight) as f32, grad);
            }
            prepare(isa, (&self.penalties, self.clip), range, &params[range.clone()], grad);
            if let Some(Clip::GlobalNorm(_)) = self.clip {
                squares += sum_of_squares(isa, grad);
            }
        }
        if let Some(Clip::GlobalNorm(limit)) = self.clip {
            let factor = limit / (squares.sqrt() + 1e-6);
            if factor < 1.0 {
                self.ranges.iter().for_each(|range| isa.scale(factor as f32, &mut self.gathered[range.clone()]));
            }
        }
        self.step(isa, lanes, params, optimizer, None::<&fn(&mut [f32], &Range<usize>, &mut [f32], bool)>);
        self.forget_gathered();
    }

    /// Counts a step, sets its rate, and changes every piece by its gradient: the one that `pull` adds, or else the one gathered.
    fn step(
        &mut self,
        isa: Isa,
        (thread_pool, benches): Lanes,
        params: &mut [f32],
        optimizer: &mut impl Optimizer,
        pull: Option<&(impl Fn(&mut [f32], &Range<usize>, &mut [f32], bool) + Sync)>,
    ) {
        let Update { clip, penalties, pieces, ranges, taken, gathered, memory, .. } = self;
        let base = optimizer.learning_rate();
        optimizer.set_learning_rate(memory.schedule.rate(base, memory.steps));
        memory.steps += 1;
        let Memory { states, steps, average, .. } = memory;
        let (count, step) = (states.len(), *steps);
        let mut all: [&mut [f32]; MAX_STATES] = Default::default();
        for (to, from) in all.iter_mut().zip(states) {
            *to = from;
        }
        let decay = average.as_ref().map(|average| average.begun.then_some(average.decay));
        let average = average.as_mut().map_or(&mut [][..], |average| {
            average.begun = true;
            &mut average.params
        });
        let [a, b, c, d] = all;
        let shares = ChunkQueue::new([params, gathered, average, a, b, c, d], ranges, taken, benches.len());
        let rules = (&penalties[..], *clip);
        let using = &*optimizer;
        thread_pool.for_each(benches, |Bench { lane, scratch, grad, room }| {
            shares.each(*lane, |i, [params, gathered, average, a, b, c, d]| {
                let Piece { range, form, overwrite } = &pieces[i];
                let grads = match pull {
                    None => gathered,
                    Some(pull) => {
                        let grads = &mut grad[..range.len()];
                        if !overwrite {
                            grads.fill(0.0);
                        }
                        pull(scratch, range, grads, *overwrite);
                        prepare(isa, rules, range, params, grads);
                        grads
                    }
                };
                let state = &mut [a, b, c, d][..count];
                match form {
                    Some(form) if using.per_tensor() => {
                        let tensor = TensorUpdate { layout: form, params: &mut *params, grads, scratch: room };
                        using.update_tensor(isa, step, tensor, state);
                    }
                    _ => using.update(isa, step, params, grads, state),
                }
                match decay {
                    None => {}
                    Some(None) => average.copy_from_slice(params),
                    Some(Some(decay)) => ema(isa, 1.0 - decay, params, average),
                }
            });
        });
        optimizer.set_learning_rate(base);
    }

    /// Copies the averaged parameters, where there are some, over the others.
    pub(super) fn averaged(&self, params: &mut [f32]) {
        let Some(average) = &self.memory.average else { return };
        if average.begun {
            for piece in &self.pieces {
                params[piece.range.clone()].copy_from_slice(&average.params[piece.range.clone()]);
            }
        }
    }
}

/// Makes a piece's gradient that of the whole loss, and clips it by itself.
#[inline]
fn prepare(
    isa: Isa,
    (penalties, clip): (&[Placed], Option<Clip>),
    range: &Range<usize>,
    params: &[f32],
    grad: &mut [f32],
) {
    for penalty in penalties {
        let (from, to) = (penalty.range.start.max(range.start), penalty.range.end.min(range.end));
        if from < to {
            let within = from - range.start..to - range.start;
            add_penalty(isa, penalty.l1, penalty.l2, &params[within.clone()], &mut grad[within]);
        }
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
