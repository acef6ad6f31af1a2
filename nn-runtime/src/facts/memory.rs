//! How much memory a layer asks of a plan: what it keeps, and what it uses while it runs. In: facts and a purpose; out: floats, for networks as
//! layers and repetitions too.

use super::{Facts, Stream, lines};
use crate::graph::Purpose;

impl Facts {
    /// Floats per sample that the layer keeps for its pulls: a network what its own plan says, a repetition also the values and
    /// gradients between its copies.
    pub(crate) const fn saved_for(&self, purpose: Purpose) -> usize {
        if matches!(purpose, Purpose::Infer) {
            return 0;
        }
        if matches!(purpose, Purpose::Stream) {
            let one = match (self.inner, self.stream) {
                (Some(map), _) => map.stream.work,
                (None, Stream::Carries(floats) | Stream::Ends(floats)) if self.times == 1 => floats,
                (None, Stream::Carries(floats) | Stream::Ends(floats)) => lines(floats),
                (None, _) => 0,
            };
            return one * self.times + 2 * (self.times - 1) * lines(crate::graph::input_step(self.outputs[0]));
        }
        let purpose = if self.times > 1 { Purpose::TrainAsked } else { purpose };
        let one = match self.inner {
            Some(map) => map.schedule(purpose).work,
            None if self.times == 1 => self.saved,
            None => lines(self.saved),
        };
        one * self.times + 2 * (self.times - 1) * lines(self.outputs[0].len())
    }

    /// Floats per sample of scratch memory.
    pub(crate) const fn scratch_for(&self, purpose: Purpose) -> usize {
        let one = match (self.inner, purpose) {
            (Some(map), Purpose::Infer) => map.infer.work + map.infer.scratch,
            (Some(map), _) => map.schedule(purpose).scratch,
            (None, Purpose::Stream) if !matches!(self.stream, Stream::PerStep) => 0,
            (None, _) => lines(self.scratch),
        };
        match purpose {
            // Between copies that keep nothing two buffers take turns.
            Purpose::Infer if self.times > 1 => one + 2 * lines(self.outputs[0].len()),
            _ => one,
        }
    }

    /// Floats of scratch memory whatever the batch.
    pub(crate) const fn scratch_fixed_for(&self, purpose: Purpose) -> usize {
        match self.inner {
            Some(map) => map.schedule(purpose).scratch_fixed,
            None => lines(self.scratch_fixed),
        }
    }
}
