//! What an update remembers from step to step, and the copy that a step in doubt goes back to. In: an
//! optimiser and a network; out: slots, counts, a schedule, an average.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

use super::batch_pass::CarriedRows;
use super::carried_batch::CarriedBatch;
use super::ema::Ema;
use super::leaves::Leaves;
use super::schedule::{ConstantRate, Schedule};
use super::shard::Shard;
use super::world::{Lost, World};
use crate::graph::CompiledNetwork;
use crate::optim::Optimizer;
use nn_kernels::aligned_buffer::AlignedBuffer;

/// What training goes back to when it diverges.
#[derive(Clone)]
pub(super) struct UpdateState {
    /// What the optimiser remembers of the parameters in `span`: of all, or of a rank's share.
    pub(super) slots: Vec<AlignedBuffer>,
    pub(super) span: Range<usize>,
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
        let (span, schedule) = (0..map.params_len, Box::new(ConstantRate));
        UpdateState { slots, span, steps: 0, before: 0, schedule, ema: None, largest_grad: 0.0, carried: None }
    }
}

impl UpdateState {
    /// A copy whose slots have no numbers, for whoever puts others there.
    #[cfg(feature = "std")]
    pub(super) fn without_slots(&self) -> UpdateState {
        let slots = self.slots.iter().map(|_| AlignedBuffer::zeroed(0)).collect();
        let (span, schedule) = (self.span.clone(), self.schedule.clone());
        let (ema, carried) = (self.ema.clone(), self.carried.clone());
        UpdateState { slots, span, schedule, ema, carried, ..*self }
    }

    /// Forgets what is remembered of parameters that are not in this range, a part of what there is.
    pub(super) fn keep_part(&mut self, span: &Range<usize>) {
        if self.span != *span {
            let first = self.span.start;
            let part = span.start - first..span.end - first;
            self.slots.iter_mut().for_each(|slot| *slot = copy(&slot[part.clone()]));
            self.span = span.clone();
        }
    }

    /// The same with all that ranks remember, each in its own of these ranges.
    pub(super) fn of_all_ranks(&self, world: &World, spans: &[Range<usize>]) -> Result<UpdateState, Lost> {
        self.joined(spans, |slot, all| world.gather(slot, spans, all))
    }

    /// The same on rank 0; the others get nothing worth having.
    #[cfg(feature = "std")]
    pub(super) fn of_all_for_first(&self, world: &World, spans: &[Range<usize>]) -> Result<UpdateState, Lost> {
        match world.rank() {
            0 => self.joined(spans, |slot, all| world.gather_to_first(slot, spans, all)),
            _ => {
                self.slots.iter().try_for_each(|slot| world.gather_to_first(slot, spans, &mut []))?;
                Ok(self.clone())
            }
        }
    }

    fn joined(
        &self,
        spans: &[Range<usize>],
        gather: impl Fn(&[f32], &mut [f32]) -> Result<(), Lost>,
    ) -> Result<UpdateState, Lost> {
        let all = spans.iter().map(|span| span.end).max().unwrap_or(0);
        let mut slots = Vec::new();
        for slot in &self.slots {
            let mut whole = AlignedBuffer::zeroed(all);
            gather(slot, &mut whole)?;
            slots.push(whole);
        }
        let (schedule, ema) = (self.schedule.clone(), self.ema.clone());
        Ok(UpdateState { slots, span: 0..all, schedule, ema, carried: self.carried.clone(), ..*self })
    }

    /// How many steps the schedule has seen.
    pub(super) fn scheduled_steps(&self) -> u64 {
        self.before + self.steps
    }

    /// What windows of so many samples begin with, where training is stateful.
    pub(super) fn carried_rows(&self) -> Option<CarriedRows<'_>> {
        self.carried.as_ref().map(CarriedBatch::rows)
    }

    /// Makes room for that.
    pub(super) fn begin(&mut self, samples: usize, leaves: Option<Leaves>) {
        if let Some(carried) = &mut self.carried {
            carried.begin(samples, leaves);
        }
    }

    /// What the next windows begin with is what these have ended with.
    pub(super) fn go_on(&mut self, shards: &[Shard]) {
        if let Some(carried) = &mut self.carried {
            carried.go_on(shards);
        }
    }
}

fn copy(numbers: &[f32]) -> AlignedBuffer {
    let mut copy = AlignedBuffer::zeroed(numbers.len());
    copy.copy_from_slice(numbers);
    copy
}

/// Parameters, slots and average before a step whose outcome is in doubt.
pub(super) struct Undo {
    params: AlignedBuffer,
    slots: Vec<AlignedBuffer>,
    ema: Option<Ema>,
}

impl Undo {
    pub(super) fn of(params: &[f32], state: &UpdateState) -> Undo {
        Undo { params: copy(params), slots: state.slots.clone(), ema: state.ema.clone() }
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
                (to.of, to.epochs, to.begun) = (from.of, from.epochs, from.begun);
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
