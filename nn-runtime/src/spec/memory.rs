//! The memory that a layer asks of a plan: what it keeps for its backward methods, and what it uses while it
//! runs.

use super::{LayerSpec, Pass, Stream, lines};

/// How that lies what a layer keeps in `cx.saved`, which decides whether gradients of parameters may be
/// computed for a few samples at a time: see `graph::microbatch`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SavedLayout {
    /// In any way, and it costs much to run few samples at a time.
    Whole,
    /// In any way, and it costs little to run few samples at a time.
    Group,
    /// Sample after sample, so that `backward_params` can be asked for some of the samples that were run
    /// together.
    Sample,
}

/// What a layer keeps and uses, in floats.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemorySpec {
    /// Kept of each sample, from `forward` to `backward_params`.
    pub(crate) saved: usize,
    pub(crate) layout: SavedLayout,
    /// Used while a method runs: per sample, and whatever the batch.
    scratch: usize,
    scratch_fixed: usize,
    /// What the parameters take, laid out once for many passes.
    prepared: usize,
    /// Carried from window to window where training is stateful, per sample.
    carried: usize,
}

impl MemorySpec {
    pub(super) const NONE: MemorySpec =
        MemorySpec { saved: 0, layout: SavedLayout::Whole, scratch: 0, scratch_fixed: 0, prepared: 0, carried: 0 };
}

impl LayerSpec {
    /// Floats per sample that `forward` writes to `cx.saved` and the backward methods read.
    pub const fn saves(mut self, per_sample: usize) -> LayerSpec {
        self.memory.saved = per_sample;
        self
    }

    /// Floats that any of the methods may use while it runs: so many per sample, and so many whatever the
    /// batch.
    pub const fn scratch(mut self, per_sample: usize, fixed: usize) -> LayerSpec {
        self.memory.scratch = per_sample;
        self.memory.scratch_fixed = fixed;
        self
    }

    /// Floats that [`Layer::prepare`](crate::Layer::prepare) makes of the parameters.
    pub const fn prepares(mut self, floats: usize) -> LayerSpec {
        self.memory.prepared = floats;
        self
    }

    /// Floats that are prepared of all copies.
    pub(crate) const fn prepared_len(&self) -> usize {
        let each = match self.nested {
            Some(nested) => nested.prepared_len,
            None => lines(self.memory.prepared),
        };
        each * self.times
    }

    /// Floats per sample that a window begins with and leaves for the one after it, where training is
    /// [stateful](crate::train::Trainer::stateful).
    pub(crate) const fn carries_over(mut self, per_sample: usize) -> LayerSpec {
        self.memory.carried = per_sample;
        self
    }

    /// Floats per sample that all copies carry from window to window.
    pub(crate) const fn carried_len(&self) -> usize {
        let each = match self.nested {
            Some(nested) => nested.carried_len,
            None => self.memory.carried,
        };
        each.saturating_mul(self.times)
    }

    /// How that lies what it keeps, so that gradients of a few samples may be computed at a time.
    pub(crate) const fn saved_layout(mut self, layout: SavedLayout) -> LayerSpec {
        self.memory.layout = layout;
        self
    }

    /// Floats per sample that the layer keeps: a network what its own plan says, a repetition also the values
    /// and gradients between its copies.
    pub(crate) const fn saved_for(&self, pass: Pass) -> usize {
        let (pass, between) = match pass {
            Pass::Infer => return 0,
            Pass::Prepare => return self.prepared_len(),
            Pass::Step => (pass, self.shapes.outputs[0].step_len()),
            // Every copy but the first must hand on a gradient.
            _ if self.times > 1 => (Pass::TrainWithInputGrad, self.shapes.outputs[0].len()),
            _ => (pass, 0),
        };
        let own = match (self.nested, pass, self.stream.kind) {
            (Some(nested), _, _) => nested.sizes(pass).work,
            (None, Pass::Step, Stream::Carries(floats) | Stream::Ends(floats)) => floats,
            (None, Pass::Step, _) => 0,
            (None, _, _) => self.memory.saved,
        };
        // The memory of each copy begins on a cache line, as a network's plan does.
        let each = if self.times == 1 || self.nested.is_some() { own } else { lines(own) };
        each * self.times + 2 * (self.times - 1) * lines(between)
    }

    /// Floats per sample of scratch memory.
    pub(crate) const fn scratch_for(&self, pass: Pass) -> usize {
        let one = match (self.nested, pass) {
            // What keeps nothing has its workspace in scratch memory.
            (Some(nested), Pass::Infer) => nested.sizes(pass).work + nested.sizes(pass).scratch,
            (Some(nested), _) => nested.sizes(pass).scratch,
            (None, Pass::Step) if !matches!(self.stream.kind, Stream::PerStep) => 0,
            (None, _) => lines(self.memory.scratch),
        };
        match pass {
            // Between copies that keep nothing two buffers take turns.
            Pass::Infer if self.times > 1 => one + 2 * lines(self.shapes.outputs[0].len()),
            _ => one,
        }
    }

    /// Floats of scratch memory whatever the batch.
    pub(crate) const fn scratch_fixed_for(&self, pass: Pass) -> usize {
        match self.nested {
            Some(nested) => nested.sizes(pass).scratch_fixed,
            None => lines(self.memory.scratch_fixed),
        }
    }
}
