//! What a layer does when its network runs one step of a sequence at a time.

use super::LayerSpec;

/// How a layer takes part in a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stream {
    /// Not at all: it needs steps that are yet to come, or has not said otherwise.
    No,
    /// Every step on its own.
    PerStep,
    /// A step from this one and those before, with so many floats carried.
    Carries(usize),
    /// One value from all steps so far, with so many floats carried.
    Ends(usize),
}

impl Stream {
    /// What a rule says to take part so.
    pub(crate) const fn claim(&self) -> &'static str {
        match self {
            Stream::No => "no stream",
            Stream::PerStep => "`per_step`",
            Stream::Carries(_) => "`stream_state`",
            Stream::Ends(_) => "`stream_reduces`",
        }
    }
}

/// What a rule says about streams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamSpec {
    pub(crate) kind: Stream,
    /// A stream may not go on past the window.
    pub(crate) bounded: bool,
    /// It takes several steps at once.
    pub(crate) blocks: bool,
}

impl StreamSpec {
    pub(super) const NONE: StreamSpec = StreamSpec { kind: Stream::No, bounded: false, blocks: false };
}

impl LayerSpec {
    /// Every step of a sequence `[steps, …]` is computed on its own and in the same way, so that `forward` on
    /// one step is what a stream asks for.
    pub const fn per_step(mut self) -> LayerSpec {
        self.stream.kind = Stream::PerStep;
        self
    }

    /// A step of the output `[steps, …]` depends on the same step of the input and on those before it: in a
    /// stream [`Layer::step`](crate::Layer::step) makes it, with `floats` per sample carried from step to
    /// step.
    pub const fn stream_state(mut self, floats: usize) -> LayerSpec {
        self.stream.kind = Stream::Carries(floats);
        self
    }

    /// The output is no sequence but what all steps of the input come to: in a stream
    /// [`Layer::step`](crate::Layer::step) makes what the steps so far come to, with `floats` per sample
    /// carried from step to step.
    pub const fn stream_reduces(mut self, floats: usize) -> LayerSpec {
        self.stream.kind = Stream::Ends(floats);
        self
    }

    /// In a stream it takes as many steps at once as `cx.steps` says: `x` and `y` are `[batch, steps, …]`.
    pub(crate) const fn stream_blocks(mut self) -> LayerSpec {
        self.stream.blocks = true;
        self
    }

    /// What is carried has room for the steps of one window: a stream that has come that far must begin anew.
    pub const fn bounded_context(mut self) -> LayerSpec {
        self.stream.bounded = true;
        self
    }

    /// A layer that would stream, at a place where it cannot.
    pub(crate) const fn whole_window(mut self) -> LayerSpec {
        self.stream.kind = Stream::No;
        self
    }
}
