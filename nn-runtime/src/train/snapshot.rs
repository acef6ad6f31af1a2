//! What training goes back to when it diverges. In: a model and what its updates remember, at the end of each
//! epoch, and what is known of its loss; out: the same, later, as it was.

use super::update::Update;
use super::update_state::UpdateState;
use crate::model::{Model, TrainedSoFar};
use nn_kernels::aligned_buffer::AlignedBuffer;

/// A model and the state of its updates at the end of an epoch.
pub(super) struct Snapshot {
    /// 0 for the beginning.
    pub(super) epoch: usize,
    pub(super) params: AlignedBuffer,
    pub(super) run: TrainedSoFar,
    pub(super) state: UpdateState,
}

impl Snapshot {
    pub(super) fn of<N>(epoch: usize, model: &Model<N>, update: &Update) -> Snapshot {
        Snapshot { epoch, params: model.params.clone(), run: model.run, state: update.state.clone() }
    }

    pub(super) fn restore<N>(&self, model: &mut Model<N>, update: &mut Update) {
        model.params.copy_from_slice(&self.params);
        model.run = self.run;
        update.state = self.state.clone();
        if let Some(carried) = &mut update.state.carried {
            carried.reset();
        }
        update.drop_accumulated();
        update.params_changed();
    }
}

/// The best of what a call of `fit` has seen, as far as losses tell.
pub(super) struct Snapshots {
    start: Snapshot,
    /// The end of the last epoch, which is the start of this one.
    last: Option<Snapshot>,
    /// Of the lowest loss.
    best: Option<(f64, Snapshot)>,
}

impl Snapshots {
    pub(super) fn new(start: Snapshot) -> Snapshots {
        Snapshots { start, last: None, best: None }
    }

    /// An epoch has ended, with this loss of its training samples, and of the validation samples where there
    /// are some. A validation loss is that of the parameters as they are now; a training loss is that of
    /// those which the epoch began with, as near as it is known.
    pub(super) fn epoch(&mut self, train: f64, validation: Option<f64>, now: impl FnOnce() -> Snapshot) {
        let best = self.best.as_ref().map_or(f64::INFINITY, |(loss, _)| *loss);
        match validation {
            Some(loss) if loss < best => self.best = Some((loss, now())),
            Some(_) => {}
            None => {
                if train < best
                    && let Some(last) = self.last.take()
                {
                    self.best = Some((train, last));
                }
                self.last = Some(now());
            }
        }
    }

    /// The one of the lowest loss, by `evaluate`, and that loss; of equal ones the later.
    pub(super) fn best(self, mut evaluate: impl FnMut(&Snapshot) -> f64) -> (Snapshot, f64) {
        let first = (evaluate(&self.start), self.start);
        let others = self.best.map(|(_, snapshot)| snapshot).into_iter().chain(self.last);
        let (loss, snapshot) = others.fold(first, |(lowest, kept), snapshot| {
            let loss = evaluate(&snapshot);
            if loss <= lowest || lowest.is_nan() { (loss, snapshot) } else { (lowest, kept) }
        });
        (snapshot, loss)
    }
}
