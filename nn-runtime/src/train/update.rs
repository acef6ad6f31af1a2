//! From gradients to parameters: penalties, clipping, the optimiser, the average. In: the gradient of each piece, as it is pulled or
//! gathered; out: changed parameters. It knows no network and no loss, and allocates only when it is set up.

use std::boxed::Box;
use std::ops::Range;
use std::vec::Vec;

use super::clip::Clip;
use super::penalty::Placed;
use super::pieces::{self, Piece};
use super::schedule::{ConstantRate, Schedule};
use crate::facts::Role;
use crate::graph::Map;
use crate::kernels::block::Block;
use crate::kernels::simd::Isa;
use crate::kernels::update::{add_penalty, clamp, follow, sum_of_squares};
use crate::optim::{Optimizer, Whole};

/// The most floats of state per parameter that an optimiser may keep.
pub(super) const MAX_STATES: usize = 4;

/// What a step does with gradients, and what it remembers from step to step.
pub(super) struct Update {
    map: &'static Map,
    pub(super) clip: Option<Clip>,
    /// How many batches make a step.
    pub(super) accumulate: usize,
    pub(super) penalties: Vec<Placed>,
    pieces: Vec<Piece>,
    /// The gradient of one piece, or of all where it is gathered.
    grad: Block,
    scratch: Block,
    pub(super) memory: Memory,
    /// Batches whose gradients wait in `grad`, and their weight.
    batches: usize,
    weight: f64,
}

/// What training goes back to when it diverges.
#[derive(Clone)]
pub(super) struct Memory {
    /// What the optimiser remembers.
    states: Vec<Block>,
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
    params: Block,
}

impl Update {
    pub(super) fn new(map: &'static Map, optimizer: &impl Optimizer) -> Update {
        let states = (0..optimizer.states())
            .map(|k| {
                let mut state = Block::zeroed(map.params_len);
                let initial = optimizer.initial_state(k);
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
            grad: Block::zeroed(0),
            scratch: Block::zeroed(0),
            memory: Memory { states, steps: 0, schedule: Box::new(ConstantRate), average: None },
            batches: 0,
            weight: 0.0,
        };
        update.arrange(optimizer);
        update
    }

    /// Cuts the parameters and makes room, as the settings want it.
    pub(super) fn arrange(&mut self, optimizer: &impl Optimizer) {
        let by_tensor = optimizer.whole() || matches!(self.clip, Some(Clip::Norm(_)));
        self.pieces = match by_tensor {
            true => pieces::by_tensor(self.map),
            false => pieces::by_strip(self.map, Role::Trained),
        };
        let len = match self.gathers() {
            true => self.map.params_len,
            false => self.pieces.iter().map(|piece| piece.range.len()).max().unwrap_or(0),
        };
        let scratch = self.pieces.iter().flat_map(|piece| &piece.form).map(|form| optimizer.scratch(form)).max();
        self.grad = Block::zeroed(len);
        self.scratch = Block::zeroed(scratch.unwrap_or(0));
        self.forget_gathered();
    }

    pub(super) fn average(&mut self, decay: f64) {
        self.memory.average = Some(Average { decay, params: Block::zeroed(self.map.params_len) });
    }

    /// Whether the gradients of all pieces must be there before any parameter changes.
    fn gathers(&self) -> bool {
        self.accumulate > 1 || matches!(self.clip, Some(Clip::GlobalNorm(_)))
    }

    /// Drops the gradients that wait for more batches.
    pub(super) fn forget_gathered(&mut self) {
        (self.batches, self.weight) = (0, 0.0);
    }

    /// What all penalties add to the loss.
    pub(super) fn penalty(&self, isa: Isa, params: &[f32]) -> f64 {
        self.penalties.iter().map(|penalty| penalty.value(isa, params)).sum()
    }

    /// What the gradient of a batch's mean loss is multiplied by: its weight, where several batches have one mean.
    pub(super) fn share(&self, weight: f64) -> f64 {
        if self.accumulate > 1 { weight } else { 1.0 }
    }

    /// Takes the gradients of a batch, which `pull` adds to what it is given, piece by piece; where enough batches have come, takes the
    /// step.
    pub(super) fn batch(
        &mut self,
        isa: Isa,
        params: &mut [f32],
        optimizer: &mut impl Optimizer,
        weight: f64,
        mut pull: impl FnMut(&[f32], Range<usize>, &mut [f32]),
    ) {
        let gathers = self.gathers();
        let base = optimizer.rate();
        if !gathers {
            self.begin(optimizer);
        }
        for i in 0..self.pieces.len() {
            let range = self.pieces[i].range.clone();
            let grad = &mut self.grad[slot(gathers, &range)];
            if self.batches == 0 {
                grad.fill(0.0);
            }
            pull(params, range, grad);
            if !gathers {
                self.prepare(i, isa, params);
                self.apply(i, isa, params, optimizer);
            }
        }
        if gathers {
            self.batches += 1;
            self.weight += weight;
            if self.batches >= self.accumulate {
                self.settle(isa, params, optimizer);
            }
        } else {
            optimizer.set_rate(base);
        }
    }

    /// Takes the step of the gradients that wait, if any do.
    pub(super) fn settle(&mut self, isa: Isa, params: &mut [f32], optimizer: &mut impl Optimizer) {
        if self.batches == 0 {
            return;
        }
        let base = optimizer.rate();
        self.begin(optimizer);
        let squares: f64 = (0..self.pieces.len()).map(|i| self.prepare(i, isa, params)).sum();
        if let Some(Clip::GlobalNorm(limit)) = self.clip {
            let factor = limit / (squares.sqrt() + 1e-6);
            if factor < 1.0 {
                for piece in &self.pieces {
                    isa.scale(factor as f32, &mut self.grad[piece.range.clone()]);
                }
            }
        }
        for i in 0..self.pieces.len() {
            self.apply(i, isa, params, optimizer);
        }
        optimizer.set_rate(base);
        self.forget_gathered();
    }

    /// Counts a step, and sets its rate.
    fn begin(&mut self, optimizer: &mut impl Optimizer) {
        let memory = &mut self.memory;
        optimizer.set_rate(memory.schedule.rate(optimizer.rate(), memory.steps));
        memory.steps += 1;
    }

    /// Makes a piece's gradient that of the whole loss, and clips it by itself. Answers with the sum of its squares, where all are
    /// clipped together.
    fn prepare(&mut self, i: usize, isa: Isa, params: &[f32]) -> f64 {
        let gathers = self.gathers();
        let range = &self.pieces[i].range;
        let grad = &mut self.grad[slot(gathers, range)];
        if self.accumulate > 1 {
            isa.scale((1.0 / self.weight) as f32, grad);
        }
        for penalty in &self.penalties {
            let (from, to) = (penalty.range.start.max(range.start), penalty.range.end.min(range.end));
            if from < to {
                let grad = &mut grad[from - range.start..to - range.start];
                add_penalty(isa, penalty.l1, penalty.l2, &params[from..to], grad);
            }
        }
        match self.clip {
            None => 0.0,
            Some(Clip::Value(limit)) => {
                clamp(isa, limit as f32, grad);
                0.0
            }
            Some(Clip::Norm(limit)) => {
                let norm = sum_of_squares(isa, grad).sqrt();
                if norm > limit {
                    isa.scale((limit / norm) as f32, grad);
                }
                0.0
            }
            Some(Clip::GlobalNorm(_)) => sum_of_squares(isa, grad),
        }
    }

    /// Updates a piece's parameters, and their average.
    fn apply(&mut self, i: usize, isa: Isa, params: &mut [f32], optimizer: &impl Optimizer) {
        let gathers = self.gathers();
        let Piece { range, form } = &self.pieces[i];
        let (grads, params) = (&mut self.grad[slot(gathers, range)], &mut params[range.clone()]);
        let Memory { states, steps, average, .. } = &mut self.memory;
        let count = states.len();
        let mut state: [&mut [f32]; MAX_STATES] = Default::default();
        for (to, from) in state.iter_mut().zip(states) {
            *to = &mut from[range.clone()];
        }
        match form {
            Some(form) if optimizer.whole() => {
                let scratch = &mut self.scratch;
                let tensor = Whole { form, params: &mut *params, grads, scratch };
                optimizer.update_tensor(isa, *steps, tensor, &mut state[..count]);
            }
            _ => optimizer.update(isa, *steps, params, grads, &mut state[..count]),
        }
        if let Some(average) = average {
            let to = &mut average.params[range.clone()];
            match *steps {
                1 => to.copy_from_slice(params),
                _ => follow(isa, 1.0 - average.decay, params, to),
            }
        }
    }

    /// Copies the averaged parameters, where there are some, over the others.
    pub(super) fn averaged(&self, params: &mut [f32]) {
        let Some(average) = &self.memory.average else { return };
        if self.memory.steps > 0 {
            for piece in &self.pieces {
                params[piece.range.clone()].copy_from_slice(&average.params[piece.range.clone()]);
            }
        }
    }
}

/// Where the gradient of a stretch lies: at its own place where all are kept, else at the beginning.
fn slot(gathers: bool, range: &Range<usize>) -> Range<usize> {
    if gathers { range.clone() } else { 0..range.len() }
}
