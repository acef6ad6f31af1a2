//! What a layer's rule answers: outputs, parameters, memory, and what fusion and losses may rely on. In: the layer's own
//! numbers and its inputs' shapes; out: `LayerSpec`, at compile time. Nothing here may hold a float buffer or name a layer.

mod fusion;
mod memory;
mod param;
mod pass;
mod stream;

use crate::fault::Fault;
use crate::graph::CompiledNetwork;
use crate::init::{self, Init};
use crate::shape::{MAX_LEN, Shape};
use nn_kernels::conv::Conv;
use nn_kernels::matrix::Panels;
use nn_kernels::pool::Pool;

pub(crate) use fusion::{Accepts, Epilogue, Fusible};
pub use param::Role;
pub(crate) use param::{Layout, Param};
pub use pass::Pass;
pub(crate) use stream::Stream;

/// What a shape rule gives back: the spec, or why it refuses.
///
/// No `Result`, so that nobody's lints complain of the size of a fault that only ever exists at compile time.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant, reason = "const code has no box, and both are gone before anything runs")]
pub enum Rule {
    /// The inputs fit.
    Ok(LayerSpec),
    /// They do not, and why.
    Err(Fault),
}

impl Rule {
    /// True if the inputs fit.
    pub const fn is_ok(&self) -> bool {
        self.fault().is_none()
    }

    /// Why they do not: what the rule says, or what no layer may do whatever its rule says.
    pub const fn fault(&self) -> Option<Fault> {
        match self {
            Rule::Ok(spec) => spec.fault(),
            Rule::Err(fault) => Some(*fault),
        }
    }
}

/// The most outputs a layer may have.
pub const MAX_OUTPUTS: usize = 4;
/// The most parameter tensors one layer may have (a network used as a layer has as many as it likes).
pub const MAX_PARAMS: usize = 8;
/// Buffers begin at multiples of this many floats: one cache line.
pub(crate) const LINE: usize = 16;

/// `len` rounded up to whole cache lines.
pub(crate) const fn lines(len: usize) -> usize {
    len.div_ceil(LINE) * LINE
}

/// What a loss sees when it looks at a network's output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Head {
    /// Any numbers: class scores (logits), regression values.
    Plain,
    /// One plain number: no scores of classes. Follows from [`Head::Plain`] and the shape.
    Value,
    /// Probabilities that sum to one.
    Softmax,
    /// Logarithms of such probabilities.
    LogSoftmax,
    /// Each number a probability of its own.
    Sigmoid,
    /// A range that is neither scores nor probabilities, as ReLU's.
    Other,
    /// Whatever the layer's input is: layers that only move numbers.
    Same,
}

/// How what a layer saved_layout for the gradients of its parameters lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SavedLayout {
    /// In any way, and many samples should be run together.
    Whole,
    /// In any way, but few samples may be run by themselves: that costs little.
    Group,
    /// Sample after sample.
    Sample,
}

/// Everything the rest of the system knows about a layer at its site.
///
/// A rule builds it by a chain that ends in [`LayerSpec::ok`]; what is not said has a safe default.
///
/// ```
/// use nn_runtime::{LayerSpec, Rule, Shape};
///
/// /// Multiplies every feature by a learnt factor.
/// const fn rule([x]: [Shape; 1]) -> Rule {
///     LayerSpec::output(x).param("factor", x, nn_runtime::Init::Constant(1.0)).ok()
/// }
/// assert!(rule([Shape::of([3])]).is_ok());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LayerSpec {
    pub(crate) inputs: [Shape; crate::graph::MAX_INPUTS],
    pub(crate) outputs: [Shape; MAX_OUTPUTS],
    pub(crate) arity: usize,
    pub(crate) params: [Param; MAX_PARAMS],
    pub(crate) param_count: usize,
    /// Floats of all parameters in storage, each rounded up to whole cache lines.
    pub(crate) params_len: usize,
    pub(crate) saved: usize,
    pub(crate) scratch: usize,
    pub(crate) scratch_fixed: usize,
    pub(crate) macs: usize,
    /// What the layer before this one may do in its stead.
    pub(crate) fusible: Option<Fusible>,
    /// What this layer can do in the stead of the one after it.
    pub(crate) accepts: Accepts,
    pub(crate) backward_reads_x: bool,
    pub(crate) backward_reads_y: bool,
    pub(crate) backward_in_place: bool,
    pub(crate) passes_gradient: bool,
    pub(crate) overwrites_weight_grad: bool,
    pub(crate) kept: SavedLayout,
    pub(crate) head: Head,
    /// A network used as a layer, `times` in a row; its parameters are named and counted by its own map.
    pub(crate) inner: Option<&'static CompiledNetwork>,
    pub(crate) times: usize,
    /// What it does when its network runs one step at a time.
    pub(crate) stream: Stream,
    /// Of each input, how many token ids there are: it holds whole numbers below that. 0 where it holds any numbers.
    pub(crate) ids: [u32; crate::graph::MAX_INPUTS],
    /// Whether a stream may not go on past the window.
    pub(crate) bounded: bool,
    needs_backward_input: bool,
    depends_on_batch_anywhere: bool,
    overflow: bool,
}

impl LayerSpec {
    /// The spec of a refused layer, so that planning can go on.
    pub(crate) const NONE: LayerSpec = LayerSpec::outputs([]);

    /// A layer with one output of this shape and no parameters.
    pub const fn output(shape: Shape) -> LayerSpec {
        LayerSpec::outputs([shape])
    }

    /// A layer with several outputs.
    ///
    /// # Panics
    /// `M > 4`
    pub const fn outputs<const M: usize>(shapes: [Shape; M]) -> LayerSpec {
        assert!(M <= MAX_OUTPUTS, "expected at most 4 outputs");
        let mut outputs = [Shape::UNKNOWN; MAX_OUTPUTS];
        let mut overflow = false;
        let mut i = 0;
        while i < M {
            outputs[i] = shapes[i];
            overflow |= shapes[i].checked_len().is_none();
            i += 1;
        }
        LayerSpec {
            inputs: [Shape::UNKNOWN; crate::graph::MAX_INPUTS],
            outputs,
            arity: M,
            params: [Param::NONE; MAX_PARAMS],
            param_count: 0,
            params_len: 0,
            saved: 0,
            scratch: 0,
            scratch_fixed: 0,
            macs: 0,
            fusible: None,
            accepts: Accepts::NOTHING,
            backward_reads_x: true,
            backward_reads_y: true,
            backward_in_place: false,
            passes_gradient: false,
            overwrites_weight_grad: false,
            kept: SavedLayout::Whole,
            head: Head::Plain,
            inner: None,
            times: 1,
            stream: Stream::No,
            ids: [0; crate::graph::MAX_INPUTS],
            bounded: false,
            needs_backward_input: false,
            depends_on_batch_anywhere: false,
            overflow,
        }
    }

    /// A learnt parameter, row-major, with its initial distribution. Parameters are numbered in the order they are given.
    pub const fn param(self, name: &'static str, shape: Shape, init: Init) -> LayerSpec {
        self.push(name, shape, Layout::Plain, init, Role::Trainable)
    }

    /// How many inputs each output of the parameter given last is made of, and how many outputs each input goes into:
    /// what [`Init`] scales its distribution by. Without this they are read from the shape, as of `[out, in, …]`.
    ///
    /// # Panics
    /// No parameter has been given yet.
    pub const fn fans(mut self, inputs: usize, outputs: usize) -> LayerSpec {
        assert!(self.param_count > 0, "expected a parameter before its fans");
        self.params[self.param_count - 1].fans = [inputs, outputs];
        self
    }

    /// `len` numbers of the parameter given last, from `from` on, stay what they are: no gradient, decay, penalty or
    /// optimiser moves them.
    ///
    /// # Panics
    /// No parameter has been given yet, or it does not have these numbers.
    pub const fn fixed(mut self, from: usize, len: usize) -> LayerSpec {
        assert!(self.param_count > 0, "expected a parameter before what is fixed in it");
        let param = &mut self.params[self.param_count - 1];
        assert!(matches!(param.layout, Layout::Plain), "expected a parameter that is stored row by row");
        assert!(from <= param.len && len <= param.len - from, "expected numbers of the parameter");
        param.fixed = [from, len];
        self
    }

    /// A running statistic: saved with the others, never touched by an optimiser. What `backward_params` adds for it is its change
    /// after this step; for that it may read its present value.
    pub const fn running_stat(self, name: &'static str, shape: Shape, init: Init) -> LayerSpec {
        self.push(name, shape, Layout::Plain, init, Role::RunningStat)
    }

    /// A parameter that is given once, by [`Model::set`](crate::Model::set) or a file, and that no step changes.
    pub const fn constant(self, name: &'static str, shape: Shape, init: Init) -> LayerSpec {
        self.push(name, shape, Layout::Plain, init, Role::Constant)
    }

    /// A learnt matrix `[outputs, inputs]`, stored as the product kernels read it.
    pub(crate) const fn matrix(self, name: &'static str, cols: usize, rows: usize, init: Init) -> LayerSpec {
        let shape = Shape::of([cols, rows]);
        // Where the size overflows nothing is laid out: the fault is told by `check`.
        let panels = match shape.checked_len() {
            Some(len) if len > 0 => Panels::best(rows, cols),
            _ => Panels::new(1, 1),
        };
        self.push(name, shape, Layout::Panels(panels), init, Role::Trainable)
    }

    /// Learnt filters `[outputs, …]`, stored as a matrix of one output a column.
    pub(crate) const fn filters(self, name: &'static str, shape: Shape, init: Init) -> LayerSpec {
        let panels = match shape.checked_len() {
            Some(len) if len > 0 => Panels::new(len / shape.dim(0), shape.dim(0)),
            _ => Panels::new(1, 1),
        };
        self.push(name, shape, Layout::Panels(panels), init, Role::Trainable)
    }

    const fn push(mut self, name: &'static str, shape: Shape, layout: Layout, init: Init, role: Role) -> LayerSpec {
        assert!(self.param_count < MAX_PARAMS, "expected at most 8 parameters in one layer");
        self.overflow |= shape.checked_len().is_none();
        let len = layout.len(&shape);
        let fans = init::fans(&shape);
        let offset = self.params_len;
        self.params[self.param_count] = Param { name, shape, layout, init, fans, fixed: [0, 0], role, offset, len };
        self.param_count += 1;
        self.params_len += lines(len);
        self.overflow |= self.params_len > MAX_LEN;
        self
    }

    /// Floats per sample that `forward` writes to `cx.saved` and the pulls read.
    pub const fn saves(mut self, per_sample: usize) -> LayerSpec {
        self.saved = per_sample;
        self
    }

    /// Floats that any of the methods may use while it runs: so many per sample, and so many whatever the batch.
    pub const fn scratch(mut self, per_sample: usize, fixed: usize) -> LayerSpec {
        self.scratch = per_sample;
        self.scratch_fixed = fixed;
        self
    }

    /// Multiply-adds for one sample.
    pub const fn macs(mut self, macs: usize) -> LayerSpec {
        self.macs = macs;
        self
    }

    /// An elementwise function of one input that can run in place ([`Layer::apply`](crate::Layer::apply)); the layer before it may
    /// absorb it. `from_output`: the derivative follows from the output alone, or from what is kept in `cx.saved`, so that the input need not
    /// stay.
    pub const fn elementwise(mut self, from_output: bool) -> LayerSpec {
        self.fusible = Some(Fusible::Elementwise { from_output });
        self.stream = Stream::PerStep;
        self
    }

    /// The elementwise function `max(x, floor)`, which costs nothing where the layer before ends with it.
    pub(crate) const fn floor(mut self, floor: f32) -> LayerSpec {
        self.fusible = Some(Fusible::Floor(floor));
        self.stream = Stream::PerStep;
        self
    }

    /// An elementwise function after this layer may be fused into it: the backward methods read neither `y` nor
    /// anything that follows from it, so that `y` may be overwritten, and `forward` ends with `y = max(y, cx.floor())`
    /// (see [`LayerContext::floor`](crate::LayerContext::floor)).
    pub const fn accepts_elementwise(mut self) -> LayerSpec {
        self.accepts.elementwise = true;
        self.backward_reads_y = false;
        self
    }

    /// The largest number of each window. A convolution before it that [accepts](LayerSpec::accepts_max_pool) it takes
    /// these maxima itself, keeps what this layer would keep, and is given the gradients of the maxima.
    pub(crate) const fn max_pool(mut self, pool: Pool) -> LayerSpec {
        self.fusible = Some(Fusible::MaxPool(pool));
        self
    }

    /// A max-pool after this layer, which is this convolution, may be fused into it, perhaps with a floor between: see
    /// [`Epilogue::max_pool`].
    pub(crate) const fn accepts_max_pool(mut self, conv: Conv) -> LayerSpec {
        self.accepts.max_pool = Some(conv);
        self
    }

    /// `backward_input` does not read `x` (it is given an empty slice), so the memory of `x` is free earlier.
    pub const fn backward_without_x(mut self) -> LayerSpec {
        self.backward_reads_x = false;
        self
    }

    /// `backward_input` does not read `y` (it is given an empty slice), so the memory of `y` is free earlier.
    pub const fn backward_without_y(mut self) -> LayerSpec {
        self.backward_reads_y = false;
        self
    }

    /// The layer of one input and one output of its size has [`Layer::backward_in_place`](crate::Layer::backward_in_place), for where nobody else
    /// needs the gradient of the output.
    pub const fn backward_in_place(mut self) -> LayerSpec {
        self.backward_in_place = true;
        self
    }

    /// The gradient of every input is that of the only output, number by number, so that it need not be copied: `backward_input` is asked for
    /// those alone that need a place of their own.
    pub const fn passes_gradient(mut self) -> LayerSpec {
        self.passes_gradient = true;
        self
    }

    /// `backward_params` overwrites what is asked of the first parameter, where the part says that it is fresh and is of that parameter alone.
    pub(crate) const fn overwrites_weight_grad(mut self) -> LayerSpec {
        self.overwrites_weight_grad = true;
        self
    }

    /// How what it saved_layout lies, so that gradients of a few samples may be pulled first.
    pub(crate) const fn saved_layout(mut self, kept: SavedLayout) -> LayerSpec {
        self.kept = kept;
        self
    }

    /// How a loss sees this layer when it is the last one. [`Head::Plain`] if nothing is said.
    pub const fn head(mut self, head: Head) -> LayerSpec {
        self.head = head;
        self
    }

    /// A network used as a layer.
    pub(crate) const fn network(mut self, map: &'static CompiledNetwork) -> LayerSpec {
        self.inner = Some(map);
        self.params_len = map.params_len;
        self.macs = map.macs;
        self.stream = map.streaming.kind;
        self.bounded = map.bounded;
        self.ids = map.ids;
        self
    }

    /// The same layer `times` in a row, each with parameters of its own.
    pub(crate) const fn repeated(mut self, times: usize) -> LayerSpec {
        self.times = times;
        self.params_len = match self.params_len.checked_mul(times) {
            Some(len) if len <= MAX_LEN => len,
            _ => {
                self.overflow = true;
                0
            }
        };
        self.macs = self.macs.saturating_mul(times);
        if times > 1 {
            self.fusible = None;
            self.accepts = Accepts::NOTHING;
            self.backward_reads_x = true;
            self.backward_reads_y = true;
            self.backward_in_place = false;
            self.passes_gradient = false;
            // Left out for a loss, a softmax would be left out as often as it is repeated.
            if self.inner.is_none() && !matches!(self.head, Head::Plain | Head::Same) {
                self.head = Head::Other;
            }
        }
        self
    }

    /// Every step of a sequence `[steps, …]` is computed on its own and in the same way, so that `forward` on one step is what a
    /// stream asks for.
    pub const fn per_step(mut self) -> LayerSpec {
        self.stream = Stream::PerStep;
        self
    }

    /// A step of the output `[steps, …]` depends on the same step of the input and on those before it: in a stream
    /// [`Layer::step`](crate::Layer::step) makes it, with `floats` per sample carried from step to step.
    pub const fn stream_state(mut self, floats: usize) -> LayerSpec {
        self.stream = Stream::Carries(floats);
        self
    }

    /// The output is no sequence but what all steps of the input come to: in a stream [`Layer::step`](crate::Layer::step) makes what the
    /// steps so far come to, with `floats` per sample carried from step to step.
    pub const fn stream_reduces(mut self, floats: usize) -> LayerSpec {
        self.stream = Stream::Ends(floats);
        self
    }

    /// What is carried has room for the steps of one window: a stream that has come that far must begin anew.
    pub const fn bounded_context(mut self) -> LayerSpec {
        self.bounded = true;
        self
    }

    /// Input `k` holds token ids: whole numbers from 0 up to but without `count`. Where that input is one of the network's, every sample is
    /// checked before it comes in.
    pub const fn ids(mut self, k: usize, count: usize) -> LayerSpec {
        self.ids[k] = if count < 1 << 24 { count as u32 } else { 1 << 24 };
        self
    }

    /// Ends a rule's chain.
    pub const fn ok(self) -> Rule {
        Rule::Ok(self)
    }

    /// `backward_input` needs_backward_input in `cx.saved` what `backward_params` adds, so it runs even when nobody asks for `dx`.
    pub const fn backward_input_first(mut self) -> LayerSpec {
        self.needs_backward_input = true;
        self
    }

    /// While training, a sample's output depends on the others of its batch: whoever cuts a batch must not cut here.
    pub const fn depends_on_batch(mut self) -> LayerSpec {
        self.depends_on_batch_anywhere = true;
        self
    }

    /// True if something here depends_on_batch_anywhere the samples of a batch.
    pub(crate) const fn depends_on_batch_anywhere(&self) -> bool {
        let Some(map) = self.inner else {
            return self.depends_on_batch_anywhere;
        };
        let mut s = 0;
        while s < map.nodes.len() {
            // What is frozen runs as if predicting.
            if !map.nodes[s].frozen && map.nodes[s].spec.depends_on_batch_anywhere() {
                return true;
            }
            s += 1;
        }
        false
    }

    pub(crate) const fn needs_backward_input(&self) -> bool {
        self.needs_backward_input || self.inner.is_some() || self.times > 1
    }

    /// The shapes of the outputs.
    pub const fn output_shapes(&self) -> &[Shape] {
        self.outputs.split_at(self.arity).0
    }

    /// True if a step changes something here.
    pub(crate) const fn trains(&self) -> bool {
        if let Some(map) = self.inner {
            return map.trains;
        }
        let mut i = 0;
        while i < self.param_count {
            if !matches!(self.params[i].role, Role::Constant) {
                return true;
            }
            i += 1;
        }
        false
    }

    /// What no layer may do whatever its own rule says: an empty output, a size that cannot be addressed.
    pub(crate) const fn fault(&self) -> Option<Fault> {
        if self.overflow {
            return Some(
                Fault::expected("sizes that fit into memory, found dimensions whose product does not")
                    .help("use smaller dimensions"),
            );
        }
        let mut i = 0;
        while i < self.arity {
            if self.outputs[i].is_known() && self.outputs[i].is_empty() {
                return Some(
                    Fault::expected("an output of at least one number")
                        .found(self.outputs[i])
                        .help("make every dimension at least 1"),
                );
            }
            i += 1;
        }
        None
    }
}
