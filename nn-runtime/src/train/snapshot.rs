//! What training goes back to when it diverges. In: a trainer at the end of each epoch and what is known of
//! its loss; out: the same trainer, later, as it was at its best.

use super::Trainer;
use super::update_state::UpdateState;
use crate::model::TrainedSoFar;
use crate::network::Network;
use nn_kernels::aligned_buffer::AlignedBuffer;

/// A trainer at the end of an epoch.
struct Snapshot {
    epoch: usize,
    params: AlignedBuffer,
    run: TrainedSoFar,
    state: UpdateState,
}

impl Snapshot {
    fn of<N: Network, L, O>(trainer: &Trainer<'_, N, L, O>, epoch: usize) -> Snapshot {
        let (params, state) = (trainer.model.params.clone(), trainer.executor.update.state.clone());
        Snapshot { epoch, params, run: trainer.model.run, state }
    }

    fn restore<N: Network, L, O>(&self, trainer: &mut Trainer<'_, N, L, O>) {
        trainer.model.params.copy_from_slice(&self.params);
        trainer.model.run = self.run;
        trainer.executor.update.state = self.state.clone();
        trainer.executor.update.drop_accumulated();
        trainer.executor.update.params_changed();
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
    pub(super) fn start<N: Network, L, O>(trainer: &Trainer<'_, N, L, O>) -> Snapshots {
        Snapshots { start: Snapshot::of(trainer, 0), last: None, best: None }
    }

    /// An epoch has ended, with this loss of its training samples, and of the validation samples where there
    /// are some. A validation loss is that of the parameters as they are now; a training loss is that of
    /// those which the epoch began with, as near as it is known.
    pub(super) fn epoch<N: Network, L, O>(
        &mut self,
        trainer: &Trainer<'_, N, L, O>,
        epoch: usize,
        train: f64,
        validation: Option<f64>,
    ) {
        let best = self.best.as_ref().map_or(f64::INFINITY, |(loss, _)| *loss);
        match validation {
            Some(loss) if loss < best => self.best = Some((loss, Snapshot::of(trainer, epoch))),
            Some(_) => {}
            None => {
                if train < best
                    && let Some(last) = self.last.take()
                {
                    self.best = Some((train, last));
                }
                self.last = Some(Snapshot::of(trainer, epoch));
            }
        }
    }

    /// Puts back what has the lowest loss of all that is kept, by `evaluate`: its epoch, and its loss.
    pub(super) fn restore<N: Network, L, O>(
        self,
        trainer: &mut Trainer<'_, N, L, O>,
        mut evaluate: impl FnMut(&mut Trainer<'_, N, L, O>) -> f64,
    ) -> (usize, f64) {
        let mut kept: Option<(f64, Snapshot)> = None;
        for snapshot in [Some(self.start), self.best.map(|(_, snapshot)| snapshot), self.last].into_iter().flatten() {
            snapshot.restore(trainer);
            let loss = evaluate(trainer);
            // Of equal ones the later.
            if kept.as_ref().is_none_or(|(lowest, _)| loss <= *lowest || lowest.is_nan()) {
                kept = Some((loss, snapshot));
            }
        }
        let (loss, snapshot) = kept.expect("what training began with is always kept");
        snapshot.restore(trainer);
        (snapshot.epoch, loss)
    }
}
