//! What an update remembers from step to step, and the copy that a step in doubt goes back to. In: an
//! optimiser and a network; out: slots, counts, a schedule, an average.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::batch_pass::CarriedRows;
use super::carried_batch::CarriedBatch;
use super::ema::Ema;
use super::schedule::{ConstantRate, Schedule};
use super::shard::Shard;
use crate::graph::CompiledNetwork;
use crate::optim::Optimizer;
use nn_kernels::aligned_buffer::AlignedBuffer;

/// The most floats of state per parameter that an optimiser may keep.
pub(super) const MAX_SLOTS: usize = 4;

/// What training goes back to when it diverges.
#[derive(Clone)]
pub(super) struct UpdateState {
    /// What the optimiser remembers.
    pub(super) slots: Vec<AlignedBuffer>,
    /// Steps taken.
    pub(super) steps: u64,
    /// Steps that the schedule had seen before.
    pub(super) before: u64,
    pub(super) schedule: Box<dyn Schedule>,
    pub(super) ema: Option<Ema>,
    /// What no number of a gradient has been larger than.
    pub(super) largest_grad: f64,
    /// What windows carry to those after them, where training is stateful.
    pub(super) carried: Option<CarriedBatch>,
}

impl Clone for Box<dyn Schedule> {
    fn clone(&self) -> Self {
        (**self).copied()
    }
}

impl UpdateState {
    pub(super) fn new(map: &CompiledNetwork, optimizer: &impl Optimizer) -> UpdateState {
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
        let schedule = Box::new(ConstantRate);
        UpdateState { slots, steps: 0, before: 0, schedule, ema: None, largest_grad: 0.0, carried: None }
    }
}

impl UpdateState {
    /// How many steps the schedule has seen.
    pub(super) fn scheduled_steps(&self) -> u64 {
        self.before + self.steps
    }

    /// What windows of so many samples begin with, where training is stateful.
    pub(super) fn carried_rows(&self) -> Option<CarriedRows<'_>> {
        self.carried.as_ref().map(CarriedBatch::rows)
    }

    /// Makes room for that.
    pub(super) fn begin(&mut self, samples: usize) {
        if let Some(carried) = &mut self.carried {
            carried.begin(samples);
        }
    }

    /// What the next windows begin with is what these have ended with.
    pub(super) fn go_on(&mut self, shards: &[Shard]) {
        if let Some(carried) = &mut self.carried {
            carried.go_on(shards);
        }
    }
}

/// Parameters, slots and average before a step whose outcome is in doubt.
pub(super) struct Undo {
    params: AlignedBuffer,
    slots: Vec<AlignedBuffer>,
    ema: Option<Ema>,
}

impl Undo {
    pub(super) fn of(params: &[f32], state: &UpdateState) -> Undo {
        let mut copy = AlignedBuffer::zeroed(params.len());
        copy.copy_from_slice(params);
        Undo { params: copy, slots: state.slots.clone(), ema: state.ema.clone() }
    }

    /// As a new one, in the same memory where it is as large.
    pub(super) fn renew(&mut self, params: &[f32], state: &UpdateState) {
        self.params.copy_from_slice(params);
        for (to, from) in self.slots.iter_mut().zip(&state.slots) {
            to.copy_from_slice(from);
        }
        match (&mut self.ema, &state.ema) {
            (Some(to), Some(from)) => {
                to.params.copy_from_slice(&from.params);
                (to.decay, to.begun) = (from.decay, from.begun);
            }
            (to, from) => to.clone_from(from),
        }
    }

    pub(super) fn params(&self) -> &[f32] {
        &self.params
    }

    /// Puts everything back but the counts.
    pub(super) fn restore(&self, params: &mut [f32], state: &mut UpdateState) {
        params.copy_from_slice(&self.params);
        for (to, from) in state.slots.iter_mut().zip(&self.slots) {
            to.copy_from_slice(from);
        }
        if let (Some(to), Some(from)) = (&mut state.ema, &self.ema) {
            to.params.copy_from_slice(&from.params);
            to.begun = from.begun;
        }
    }
}
