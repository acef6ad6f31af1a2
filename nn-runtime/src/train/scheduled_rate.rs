//! The learning rate of one step, and its momentum where a schedule has one. In: an optimiser, a rate; out:
//! the optimiser with that, and afterwards with its own again, also where a layer panics in between.

use super::schedule::Schedule;
use crate::optim::Optimizer;

/// An optimiser whose rate is a schedule's for a while.
pub(super) struct ScheduledRate<'a, O: Optimizer + ?Sized> {
    optimizer: &'a mut O,
    own: f64,
    /// Its own momentum, where the schedule's is another one.
    own_momentum: Option<f64>,
}

impl<'a, O: Optimizer + ?Sized> ScheduledRate<'a, O> {
    /// For the step after so many.
    pub(super) fn of_step(schedule: &impl Schedule, optimizer: &'a mut O, done: u64) -> Self {
        let rate = schedule.rate(optimizer.learning_rate(), done);
        ScheduledRate::set(optimizer, rate, schedule.momentum_at(done))
    }

    pub(super) fn set(optimizer: &'a mut O, rate: f64, momentum: Option<f64>) -> Self {
        let own = optimizer.learning_rate();
        optimizer.set_learning_rate(rate);
        let own_momentum = momentum.and_then(|_| optimizer.momentum_setting());
        if let (Some(momentum), Some(_)) = (momentum, own_momentum) {
            optimizer.set_momentum(momentum);
        }
        ScheduledRate { optimizer, own, own_momentum }
    }

    #[cfg(feature = "alloc")]
    pub(super) fn change(&mut self, rate: f64) {
        self.optimizer.set_learning_rate(rate);
    }

    pub(super) fn optimizer(&self) -> &O {
        self.optimizer
    }
}

impl<O: Optimizer + ?Sized> Drop for ScheduledRate<'_, O> {
    fn drop(&mut self) {
        self.optimizer.set_learning_rate(self.own);
        if let Some(momentum) = self.own_momentum {
            self.optimizer.set_momentum(momentum);
        }
    }
}
