//! What a layer is given beside its inputs and outputs. In: a network's memory and plan; out: a context for
//! each of its layers, made here alone, and the part of the parameters whose gradient is asked for.

use core::ops::{Deref, Range};

use super::carried::{Carried, CarriedState};
use super::uses::Uses;
use super::whole_batch::WholeBatch;
use crate::graph::{Node, NodePlan};
use crate::spec::{Epilogue, LayerSpec, Pass};
use nn_kernels::counter_rng::CounterRng;
use nn_kernels::long_sums::RowSums;
use nn_kernels::simd::Isa;

/// What a layer is given beside its inputs: the spec of its site, its parameters and memory, and how to
/// compute. Code that serves [`backward_params`](crate::Layer::backward_params) too takes `&LayerContext<'_,
/// impl Sized>`.
pub struct LayerContext<'a, S = &'a mut [f32]> {
    /// How many samples.
    pub batch: usize,
    /// The instruction set to compute with: `cx.isa.map(..)`, `zip`, `run` reach vector code.
    pub isa: Isa,
    /// What the pass is for: what must be kept, and which gradients will be asked for.
    pub pass: Pass,
    /// Random numbers of this site at this step; fold in the number of a sample within the whole batch, which
    /// is `first_sample` plus its place here.
    pub rng: CounterRng,
    /// The number of this pass's first sample within the whole batch.
    pub first_sample: usize,
    /// In a stream, the number of the step since the beginning, 0 for the first.
    pub position: u64,
    /// In a stream, how many steps of every sample there are: one, but for a layer whose rule says
    /// `stream_blocks`.
    pub(crate) steps: usize,
    /// What `forward` keeps for the backward methods: as many floats per sample as [`LayerSpec::saves`] said,
    /// or none where nothing is kept. In a stream, what `step` carries on.
    pub saved: S,
    /// Memory to use while the method runs, as much as [`LayerSpec::scratch`] said, with arbitrary contents.
    pub scratch: &'a mut [f32],
    pub(crate) spec: &'static LayerSpec,
    pub(crate) params: &'a [f32],
    /// What `Layer::prepare` has made of the parameters, or nothing.
    pub(crate) prepared: &'a [f32],
    /// What `forward` ends with in the stead of the layers after this one.
    pub(crate) epilogue: &'a Epilogue,
    /// The outputs, one bit each, of which the loss wants the scores before a softmax or sigmoid.
    pub(crate) logits: u8,
    /// This site learns: noise is on, and statistics are those of the batch.
    pub(crate) training: bool,
    /// Batches before this one that count as much in running statistics, where that is not the layer's to
    /// say.
    pub(crate) earlier_batches: Option<usize>,
    /// How often the parameters of this site are used in a pass.
    pub(crate) uses: Uses,
    /// After how many samples of this pass a sum over samples may begin anew: those after which any batch is
    /// divided among workers; 0 where it must go on from sample to sample.
    pub(crate) sum_unit: usize,
    /// What windows before have left, where training is stateful.
    pub(crate) carried: Carried<'a>,
    /// Where this pass runs a part of a batch that a layer may look at as a whole: the rest of it.
    pub(crate) whole_batch: Option<&'a dyn WholeBatch>,
}

/// The context of [`Layer::backward_params`](crate::Layer::backward_params): what the other methods have kept
/// may be read, by several threads at once, and not written.
pub type ReadContext<'a> = LayerContext<'a, &'a [f32]>;

/// All that a context hands on, with other memory.
macro_rules! like {
    ($cx:expr, $saved:expr, $scratch:expr) => {
        LayerContext {
            batch: $cx.batch,
            isa: $cx.isa,
            pass: $cx.pass,
            rng: $cx.rng,
            first_sample: $cx.first_sample,
            position: $cx.position,
            steps: $cx.steps,
            saved: $saved,
            scratch: $scratch,
            spec: $cx.spec,
            params: $cx.params,
            prepared: $cx.prepared,
            epilogue: $cx.epilogue,
            logits: $cx.logits,
            training: $cx.training,
            earlier_batches: $cx.earlier_batches,
            uses: $cx.uses,
            sum_unit: $cx.sum_unit,
            carried: $cx.carried,
            whole_batch: $cx.whole_batch,
        }
    };
}

/// Constructors: every context is made by one of these.
impl<'a, S> LayerContext<'a, S> {
    /// The context of a whole network that predicts; see [`training`](LayerContext::training).
    #[inline]
    pub(crate) fn for_network(
        params: &'a [f32],
        isa: Isa,
        batch: usize,
        pass: Pass,
        saved: S,
        scratch: &'a mut [f32],
    ) -> LayerContext<'a, S> {
        LayerContext::for_layer(&LayerSpec::NONE, params, isa, batch, pass, saved, scratch)
    }

    /// The context of a layer on its own that predicts, with these parameters of its own.
    #[inline]
    pub(crate) fn for_layer(
        spec: &'static LayerSpec,
        params: &'a [f32],
        isa: Isa,
        batch: usize,
        pass: Pass,
        saved: S,
        scratch: &'a mut [f32],
    ) -> LayerContext<'a, S> {
        LayerContext {
            batch,
            isa,
            pass,
            rng: CounterRng { key: 0 },
            first_sample: 0,
            position: 0,
            steps: 1,
            saved,
            scratch,
            spec,
            params,
            prepared: &[],
            epilogue: &Epilogue::NONE,
            logits: 0,
            training: false,
            earlier_batches: None,
            uses: Uses::ONCE,
            sum_unit: usize::MAX,
            carried: Carried::default(),
            whole_batch: None,
        }
    }

    /// The same pass as a training step: samples from `first_sample` of the batch on, random numbers of that
    /// step.
    #[inline]
    pub(crate) fn training(self, rng: CounterRng, first_sample: usize) -> LayerContext<'a, S> {
        LayerContext { training: true, rng, first_sample, ..self }
    }

    /// The same pass where the loss wants the scores of these outputs, one bit each.
    #[inline]
    pub(crate) fn logits(self, logits: u8) -> LayerContext<'a, S> {
        LayerContext { logits, ..self }
    }

    /// The same pass of a stream over so many steps, of which each is a sample of the pass.
    #[inline]
    pub(crate) fn of_steps(self, steps: usize) -> LayerContext<'a, S> {
        LayerContext { steps, batch: self.batch * steps, ..self }
    }

    /// A layer's context where so many of its steps are taken for each of the pass.
    #[inline]
    pub(crate) fn of_strides(self, each: usize) -> LayerContext<'a, S> {
        let position = self.position.saturating_mul(each as u64);
        LayerContext { steps: self.steps * each, batch: self.batch * each, position, ..self }
    }

    /// The same pass with what `Layer::prepare` has made of the parameters.
    #[inline]
    pub(crate) fn prepared_with(self, prepared: &'a [f32]) -> LayerContext<'a, S> {
        LayerContext { prepared, ..self }
    }

    /// The same pass where sums over samples may begin anew after so many of them.
    #[inline]
    pub(crate) fn sum_unit(self, samples: usize) -> LayerContext<'a, S> {
        LayerContext { sum_unit: samples, ..self }
    }

    /// The same pass where windows carry something to those after them.
    #[inline]
    pub(crate) fn carrying(self, carried: Option<&'a CarriedState<'a>>) -> LayerContext<'a, S> {
        LayerContext { carried: carried.map_or(Carried::default(), Carried::of), ..self }
    }

    /// The same pass as one over a part of a batch.
    #[inline]
    pub(crate) fn part_of(self, whole_batch: Option<&'a dyn WholeBatch>) -> LayerContext<'a, S> {
        LayerContext { whole_batch, ..self }
    }

    /// The context of node `i` of the network that this context is of. `params` are those of the network, or
    /// none.
    #[inline(always)]
    pub(crate) fn for_node<'s, T>(
        &'s mut self,
        i: usize,
        (node, plan): (&'static Node, &'static NodePlan),
        saved: T,
    ) -> LayerContext<'s, T> {
        LayerContext {
            pass: plan.pass,
            rng: self.rng.fold_in(&[i as u64]),
            spec: node.spec,
            params: match self.params {
                [] => &[],
                params => &params[node.params..node.params + node.spec.params.len],
            },
            prepared: match self.prepared {
                [] => &[],
                prepared => &prepared[node.prepared..node.prepared + node.spec.prepared_len()],
            },
            carried: self.carried.further(node.carried),
            epilogue: &plan.epilogue,
            // A network that is a head has one output.
            logits: u8::from(self.logits & plan.head != 0),
            training: self.training && !node.frozen,
            ..like!(self, saved, &mut *self.scratch)
        }
    }

    /// The context of copy `c` of so many of a repeated layer, with memory of its own.
    #[inline]
    pub(crate) fn for_copy<'s, T>(
        &self,
        c: usize,
        copies: usize,
        saved: T,
        scratch: &'s mut [f32],
    ) -> LayerContext<'s, T>
    where
        'a: 's,
    {
        let len = self.params.len() / copies;
        LayerContext {
            pass: match self.pass {
                // All copies but the first must hand on a gradient.
                Pass::Train if copies > 1 => Pass::TrainWithInputGrad,
                pass => pass,
            },
            rng: self.rng.fold_in(&[c as u64]),
            params: if self.params.is_empty() { &[] } else { &self.params[c * len..][..len] },
            prepared: match self.prepared {
                [] => &[],
                prepared => &prepared[c * (prepared.len() / copies)..][..prepared.len() / copies],
            },
            carried: self.carried.further(c * (self.spec.carried_len() / copies)),
            epilogue: if copies == 1 { self.epilogue } else { &Epilogue::NONE },
            logits: if c + 1 == copies { self.logits } else { 0 },
            ..like!(self, saved, scratch)
        }
    }

    /// The same context for these samples of its pass alone.
    #[inline]
    pub(crate) fn for_samples(self, samples: Range<usize>) -> LayerContext<'a, S> {
        LayerContext { batch: samples.len(), first_sample: self.first_sample + samples.start, ..self }
    }

    /// The same context for [`Layer::backward_params`](crate::Layer::backward_params), with these parameters.
    #[inline]
    pub(crate) fn read_only<'s>(&'s mut self, params: &'s [f32]) -> ReadContext<'s>
    where
        S: Deref<Target = [f32]>,
    {
        LayerContext { params, ..like!(self, &*self.saved, &mut *self.scratch) }
    }
}

impl LayerContext<'_> {
    /// The `i`-th of the strides that the pass is over alone, those of one stream after the other.
    pub(crate) fn stride_alone(&mut self, i: usize, stride: usize) -> LayerContext<'_> {
        let (streams, each) = (self.batch / self.steps, self.steps / stride);
        let (carried, position) = (self.saved.len() / streams, self.position / stride as u64);
        let (from, position) = (i / each * carried, position.saturating_add((i % each) as u64));
        let saved = &mut self.saved[from..from + carried];
        LayerContext { batch: 1, position, steps: 1, ..like!(self, saved, &mut *self.scratch) }
    }

    /// Takes a network's workspace of so many floats out of its context. A pass that keeps nothing works in
    /// scratch memory altogether.
    #[inline]
    pub(crate) fn split_workspace<'s>(&'s mut self, len: usize) -> (&'s mut [f32], LayerContext<'s, ()>) {
        let (work, scratch) = match self.pass {
            Pass::Infer => self.scratch.split_at_mut(len),
            // What is prepared is not a plan's.
            Pass::Prepare => (&mut *self.saved, &mut *self.scratch),
            _ => (&mut self.saved[..len], &mut *self.scratch),
        };
        (work, like!(self, (), scratch))
    }
}

impl<'a, S> LayerContext<'a, S> {
    /// Parameter `i` of the layer, in the order its rule lists them.
    ///
    /// # Panics
    /// `i` is not less than the number of parameters; in `backward_params`, anything but a running statistic
    /// whose change is asked for.
    #[inline]
    pub fn param(&self, i: usize) -> &'a [f32] {
        let param = &self.spec.params.list()[i];
        assert!(
            !self.params.is_empty() || param.len == 0,
            "expected `backward_params` to read no parameter but a running statistic whose change is asked, found it reads `{}`",
            param.name
        );
        &self.params[param.offset..param.offset + param.len]
    }

    /// What [`Layer::prepare`](crate::Layer::prepare) has made of the parameters, where somebody has asked it
    /// to.
    #[inline]
    pub fn prepared(&self) -> Option<&'a [f32]> {
        Some(self.prepared).filter(|prepared| !prepared.is_empty())
    }

    /// How a sum over all rows is made, of which each sample has so many.
    #[inline]
    pub(crate) fn row_sums(&self, rows: usize) -> RowSums {
        // Fewer rows are not worth blocks of their own.
        const FEW: usize = 16;
        let unit = if self.sum_unit == 0 && rows >= FEW { rows } else { self.sum_unit.saturating_mul(rows) };
        RowSums { isa: self.isa, rows: rows * self.batch, unit }
    }

    /// The shape of one sample of input `i`.
    pub fn input_shape(&self, i: usize) -> crate::Shape {
        self.spec.shapes.inputs[i]
    }

    /// The shape of one sample of output `i`.
    pub fn output_shape(&self, i: usize) -> crate::Shape {
        self.spec.output_shapes()[i]
    }

    /// True in a training step, unless this site is frozen: noise is drawn, and statistics are those of the
    /// batch.
    #[inline]
    pub fn is_training(&self) -> bool {
        self.training
    }

    /// What `forward` of a layer whose rule says [`LayerSpec::accepts_elementwise`] must end with: `y =
    /// max(y, cx.floor())`. It is `-∞`, which changes nothing, unless a ReLU or the like is fused into this
    /// layer.
    #[inline]
    pub fn floor(&self) -> f32 {
        self.epilogue.floor.unwrap_or(f32::NEG_INFINITY)
    }
}

/// A range of a layer's parameters whose gradient [`Layer::backward_params`](crate::Layer::backward_params)
/// is asked for.
pub struct ParamGrad<'a> {
    /// Which floats of the layer's parameters.
    pub(crate) range: Range<usize>,
    /// Where their gradient goes, one float for each of the range.
    pub(crate) grad: &'a mut [f32],
    /// Of which of the pass's samples; a layer is given these alone.
    pub(crate) samples: Range<usize>,
    /// `grad` is uninitialised: overwrite it, do not add. Asked only of a layer that
    /// [`LayerSpec::overwrites_weight_grad`].
    pub(crate) overwrite: bool,
}

impl ParamGrad<'_> {
    /// What is asked of parameter `i`: the range within it, and where to add the gradient of that range. The
    /// range is empty where nothing of it is asked.
    #[inline]
    pub fn slice(&mut self, cx: &LayerContext<'_, impl Sized>, i: usize) -> (Range<usize>, &mut [f32]) {
        let param = &cx.spec.params.list()[i];
        self.within(param.offset, param.len)
    }

    /// The overlap with `[offset, offset + len)`, relative to `offset`.
    #[inline]
    pub(crate) fn within(&mut self, offset: usize, len: usize) -> (Range<usize>, &mut [f32]) {
        let (from, to) = (self.range.start.max(offset), self.range.end.min(offset + len));
        if from >= to {
            return (0..0, &mut []);
        }
        let grad = &mut self.grad[from - self.range.start..to - self.range.start];
        (from - offset..to - offset, grad)
    }
}
