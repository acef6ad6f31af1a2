//! How much memory a layer asks of a plan: what it saved_layout, and what it uses while it runs. In: spec and a pass; out: floats, for networks as
//! layers and repetitions too.

use super::{LayerSpec, Pass, Stream, lines};

impl LayerSpec {
    /// Floats per sample that the layer saved_layout for its pulls: a network what its own plan says, a repetition also the values and
    /// gradients between its copies.
    pub(crate) const fn saved_for(&self, pass: Pass) -> usize {
        if matches!(pass, Pass::Infer) {
            return 0;
        }
        if matches!(pass, Pass::Step) {
            let one = match (self.inner, self.stream) {
                (Some(map), _) => map.stream.work,
                (None, Stream::Carries(floats) | Stream::Ends(floats)) if self.times == 1 => floats,
                (None, Stream::Carries(floats) | Stream::Ends(floats)) => lines(floats),
                (None, _) => 0,
            };
            return one * self.times + 2 * (self.times - 1) * lines(crate::graph::input_step(self.outputs[0]));
        }
        let pass = if self.times > 1 { Pass::TrainWithInputGrad } else { pass };
        let one = match self.inner {
            Some(map) => map.schedule(pass).work,
            None if self.times == 1 => self.saved,
            None => lines(self.saved),
        };
        one * self.times + 2 * (self.times - 1) * lines(self.outputs[0].len())
    }

    /// Floats per sample of scratch memory.
    pub(crate) const fn scratch_for(&self, pass: Pass) -> usize {
        let one = match (self.inner, pass) {
            (Some(map), Pass::Infer) => map.infer.work + map.infer.scratch,
            (Some(map), _) => map.schedule(pass).scratch,
            (None, Pass::Step) if !matches!(self.stream, Stream::PerStep) => 0,
            (None, _) => lines(self.scratch),
        };
        match pass {
            // Between copies that keep nothing two buffers take turns.
            Pass::Infer if self.times > 1 => one + 2 * lines(self.outputs[0].len()),
            _ => one,
        }
    }

    /// Floats of scratch memory whatever the batch.
    pub(crate) const fn scratch_fixed_for(&self, pass: Pass) -> usize {
        match self.inner {
            Some(map) => map.schedule(pass).scratch_fixed,
            None => lines(self.scratch_fixed),
        }
    }
}
