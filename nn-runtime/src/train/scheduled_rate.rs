//! The learning rate of one step. In: an optimiser and a rate; out: the optimiser with that rate, and
//! afterwards with its own again, also where a layer panics in between.

use crate::optim::Optimizer;

/// An optimiser whose rate is a schedule's for a while.
pub(super) struct ScheduledRate<'a, O: Optimizer> {
    optimizer: &'a mut O,
    own: f64,
}

impl<'a, O: Optimizer> ScheduledRate<'a, O> {
    pub(super) fn set(optimizer: &'a mut O, rate: f64) -> Self {
        let own = optimizer.learning_rate();
        optimizer.set_learning_rate(rate);
        ScheduledRate { optimizer, own }
    }

    pub(super) fn change(&mut self, rate: f64) {
        self.optimizer.set_learning_rate(rate);
    }

    pub(super) fn optimizer(&self) -> &O {
        self.optimizer
    }
}

impl<O: Optimizer> Drop for ScheduledRate<'_, O> {
    fn drop(&mut self) {
        self.optimizer.set_learning_rate(self.own);
    }
}
