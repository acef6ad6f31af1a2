//! What a layer does when its network runs one step of a sequence at a time.

use core::ops::Range;

use super::{InPlace, LayerSpec, Layout, Pass, SampleOp};
use nn_kernels::matrix::Panels;
use nn_kernels::recurrent::CellKind;
use nn_kernels::simd::Isa;

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

/// What a layer makes of one step of a stream, where that needs no context: what a step is run by, without a
/// pass. Where its inputs and outputs are finite, what is carried is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StepOp {
    /// The step times the first parameter, a matrix that lies so, plus the second, if there is one.
    Product(Panels),
    /// What `run` makes of it and of what is carried, with these sizes; and what that is to a single stream.
    Carries { run: fn(OneStep), sizes: [usize; 4], kind: CarriedStep },
    /// `max(x, floor)`
    Floor(f32),
    /// Another function, in place.
    InPlace(InPlace),
    /// The same numbers.
    Same,
}

/// What carries something from step to step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CarriedStep {
    /// A causal convolution of so many features, taps, and steps from tap to tap, with weights that lie so.
    Causal(Panels),
    /// A recurrence over so many features, of so many units.
    Cell(CellKind),
}

/// Where that lies which a layer reads and writes beside the step.
#[derive(Debug)]
pub(crate) struct StepSite {
    pub sizes: [usize; 4],
    /// The first parameter, and the second, or nothing.
    pub weight: Range<usize>,
    pub bias: Range<usize>,
    pub prepared: Range<usize>,
    /// What each voice carries, voice after voice.
    pub carried: Range<usize>,
}

impl StepSite {
    #[inline]
    pub(crate) fn weight<'a>(&self, params: &'a [f32]) -> &'a [f32] {
        &params[self.weight.start..self.weight.end]
    }

    #[inline]
    pub(crate) fn bias<'a>(&self, params: &'a [f32]) -> Option<&'a [f32]> {
        if self.bias.is_empty() { None } else { Some(&params[self.bias.start..self.bias.end]) }
    }
}

/// What a [`StepOp`] works on: one step of all voices, and the memory of the network.
pub(crate) struct OneStep<'a> {
    pub isa: Isa,
    pub voices: usize,
    pub site: &'a StepSite,
    pub params: &'a [f32],
    pub prepared: &'a [f32],
    pub carried: &'a mut [f32],
    pub scratch: &'a mut [f32],
    /// `[voices, …]`
    pub x: &'a [f32],
    /// `[voices, …]`
    pub y: &'a mut [f32],
}

/// What a rule says about streams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamSpec {
    pub(crate) kind: Stream,
    /// A stream may not go on past the window.
    pub(crate) bounded: bool,
    /// It takes several steps at once.
    pub(crate) blocks: bool,
    /// Steps of the input to one of the output.
    pub(crate) stride: usize,
    /// What it carries is the place of the oldest step and a ring of steps of so many numbers.
    pub(crate) ring: Option<usize>,
    op: Option<StepOp>,
}

impl StreamSpec {
    pub(super) const NONE: StreamSpec =
        StreamSpec { kind: Stream::No, bounded: false, blocks: false, stride: 1, ring: None, op: None };

    /// The same of several in a row.
    pub(super) const fn of_repeated(self) -> StreamSpec {
        let kind = if self.stride > 1 { Stream::No } else { self.kind };
        StreamSpec { op: None, kind, ring: None, ..self }
    }
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

    /// What is carried is a number, where in a ring of steps the oldest stands, and behind it the ring, of
    /// so many numbers a step, which each new step is written into.
    pub(crate) const fn stream_ring(mut self, features: usize) -> LayerSpec {
        self.stream.ring = Some(features);
        self
    }

    /// In a stream it takes as many steps at once as `cx.steps` says: `x` and `y` are `[batch, steps, …]`.
    pub(crate) const fn stream_blocks(mut self) -> LayerSpec {
        self.stream.blocks = true;
        self
    }

    /// In a stream it makes one step of so many: `x` is `[batch, steps, …]`, `y` `[batch, steps / stride,
    /// …]`.
    pub(crate) const fn stream_stride(mut self, stride: usize) -> LayerSpec {
        self.stream.stride = stride;
        self
    }

    /// What is carried has room for the steps of one window: a stream that has come that far must begin anew.
    pub const fn bounded_context(mut self) -> LayerSpec {
        self.stream.bounded = true;
        self
    }

    /// A step is its first parameter, a matrix, times the step.
    pub(crate) const fn product_of_step(mut self) -> LayerSpec {
        if let Layout::Panels(panels) = self.params.list()[0].layout {
            self.stream.op = Some(StepOp::Product(panels));
        }
        self
    }

    /// A step is what `run` makes of it with these sizes; see [`StepOp::Carries`].
    pub(crate) const fn steps_by(mut self, run: fn(OneStep), sizes: [usize; 4], kind: CarriedStep) -> LayerSpec {
        self.stream.op = Some(StepOp::Carries { run, sizes, kind });
        self
    }

    /// What it makes of one step, which may be what it makes of a sample; or of a sample, which is what is
    /// left of a sequence.
    pub(crate) fn step_op(&self, pass: Pass) -> Option<StepOp> {
        self.stream.op.filter(|_| matches!(pass, Pass::Step)).or_else(|| {
            Some(match self.sample_op()? {
                SampleOp::Product(panels) => StepOp::Product(panels),
                SampleOp::Floor(floor) => StepOp::Floor(floor),
                SampleOp::InPlace(function) => StepOp::InPlace(function),
                SampleOp::Same | SampleOp::Dropout(_) => StepOp::Same,
            })
        })
    }

    /// A layer that would stream, at a place where it cannot.
    pub(crate) const fn whole_window(mut self) -> LayerSpec {
        self.stream.kind = Stream::No;
        self
    }
}
