//! A network at work: the three passes that generated code walks, layer after layer. In: a `LayerContext`, a
//! `CompiledNetwork` and slices; out: slices filled as planned. It borrows memory where the plan says and
//! calls layers; it never computes a place or names a layer.

mod arities;

use arities::{BackwardInputLayer, BackwardParamsLayer, ForwardLayer, RunsLayers, first};

use crate::graph::{BufferRef, CompiledNetwork, Fusion, MemoryPlan, Node, NodePlan};
use crate::layer::{Layer, LayerContext, Observed, ParamGrad, ReadContext};
use crate::spec::{LayerSpec, Pass, Stream};
use nn_kernels::workspace::{BufferRange, Region, Workspace};

/// Whether what runs a layer is compiled once, here, for all kinds: in debug builds, and for size.
const ONCE: bool = cfg!(any(debug_assertions, feature = "small"));
/// Whether there are streams, and what lays out parameters for many passes; and passes that are looked at.
const STREAMS: bool = cfg!(feature = "stream");

/// Nothing to read: it stands beside what is read, so that few forms of `borrow` are enough.
const NONE: BufferRef = BufferRef::NONE;

/// A node's context and what it reads and writes, opened.
type OpenNode<'s, const A: usize, const B: usize, const C: usize, const W: usize> =
    (LayerContext<'s>, [&'s [f32]; A], [&'s [f32]; B], [&'s [f32]; C], [&'s mut [f32]; W]);

/// What all passes have in common: the network, its plan, its memory, and the context that its layers' are
/// made from.
struct PassState<'a, 'b> {
    network: &'static CompiledNetwork,
    plan: &'static MemoryPlan,
    /// By how much what is not carried begins sooner than for a batch: what is carried is that of one step,
    /// however many there are.
    sooner: usize,
    workspace: Workspace<'a, 'b>,
    cx: LayerContext<'a, ()>,
}

impl<'a, 'b> PassState<'a, 'b> {
    #[inline]
    fn begin(
        cx: &'a mut LayerContext<'_>,
        network: &'static CompiledNetwork,
        [x, y, dy]: [&'a [&'a [f32]]; 3],
        written: &'a mut [&'b mut [f32]],
        writes: Region,
    ) -> Self {
        let plan = network.plan(cx.pass);
        let sooner = if cx.steps > 1 { plan.kept * (cx.batch - cx.batch / cx.steps) } else { 0 };
        let (work, cx) = cx.split_workspace(plan.work * cx.batch - sooner);
        PassState { network, plan, sooner, workspace: Workspace { work, x, y, dy, written, writes }, cx }
    }

    #[inline]
    fn node(&self, i: usize) -> (&'static Node, &'static NodePlan) {
        (&self.network.nodes[i], &self.plan.node_plan[i])
    }

    /// The context of node `i`, and the places it asks for, opened. Inlined: a context is too large to be
    /// handed about.
    #[cfg_attr(not(any(target_family = "wasm", feature = "small")), inline(always))]
    #[cfg_attr(any(target_family = "wasm", feature = "small"), inline(never))]
    fn borrow<const A: usize, const B: usize, const C: usize, const W: usize>(
        &mut self,
        i: usize,
        reads: ([BufferRef; A], [BufferRef; B], [BufferRef; C]),
        writes: [BufferRef; W],
    ) -> OpenNode<'_, A, B, C, W> {
        let node = self.node(i);
        let (batch, sooner) = (self.cx.batch, self.sooner);
        let place = |span: BufferRef| span.of_batch(batch).sooner(sooner);
        let carrying = if self.cx.steps > 1 { batch / self.cx.steps } else { batch };
        let (a, b, c) = reads;
        let (a, b, c, w, saved) = self.workspace.borrow_disjoint(
            a.map(place),
            b.map(place),
            c.map(place),
            writes.map(place),
            node.1.saved.of_batch(carrying),
        );
        (self.cx.for_node(i, node, saved), a, b, c, w)
    }

    /// The loss takes what comes into this head, not what it makes of it; a network as a head settles that
    /// within.
    #[inline]
    fn is_logits_only(&self, i: usize) -> bool {
        let (node, node_plan) = self.node(i);
        self.cx.logits & node_plan.head != 0 && node.network.is_none()
    }

    /// Copies from one place to another.
    fn copy(&mut self, from: BufferRef, to: BufferRef) {
        let none = NONE.of_batch(0);
        let place = |span: BufferRef| span.of_batch(self.cx.batch).sooner(self.sooner);
        let (from, to) = (place(from), place(to));
        let ([from], _, _, [to], _) = self.workspace.borrow_disjoint([from], [none], [none], [to], none);
        if !to.is_empty() {
            to.copy_from_slice(from);
        }
    }
}

impl PassState<'_, '_> {
    /// Shows the output of the node before `i`, which has run just now.
    #[cold]
    fn observe_value(&mut self, i: usize) {
        if let Some(node) = i.checked_sub(1) {
            self.observe(node, Observed::Value, self.node(node).1.y[0]);
        }
    }

    /// Shows the gradient of the output of node `i`, which runs backward next.
    #[cold]
    fn observe_gradient(&mut self, i: usize) {
        self.observe(i, Observed::Gradient, self.node(i).1.dy[0]);
    }

    fn observe(&mut self, i: usize, observed: Observed, place: BufferRef) {
        if place.region == Region::Work
            && let Some(whole) = self.cx.whole_batch
        {
            let place = place.of_batch(self.cx.batch);
            whole.observe(i, observed, &self.workspace.work[place.offset..place.offset + place.len]);
        }
    }
}

/// What a layer makes of its inputs: of a window, or of the next step.
pub(crate) fn forward<const N: usize, const M: usize>(
    layer: &(impl ForwardLayer<N, M> + ?Sized),
    cx: &mut LayerContext,
    x: [&[f32]; N],
    y: [&mut [f32]; M],
) {
    match cx.pass {
        Pass::Step if STREAMS && cx.steps > 1 => block(layer, cx, x, y),
        Pass::Step if STREAMS => layer.step(cx, x, y),
        Pass::Prepare if STREAMS => layer.prepare(cx),
        _ => layer.forward(cx, x, y),
    }
}

/// Several steps of each stream: at once where the layer can, or one after the other.
fn block<const N: usize, const M: usize>(
    layer: &(impl ForwardLayer<N, M> + ?Sized),
    cx: &mut LayerContext,
    x: [&[f32]; N],
    mut y: [&mut [f32]; M],
) {
    let (steps, spec) = (cx.steps, cx.spec);
    let alone = spec.nested.is_none() && spec.times == 1;
    if alone && spec.stream.blocks {
        cx.batch /= steps;
        layer.step(cx, x, y);
    } else if alone && matches!(spec.stream.kind, Stream::PerStep) {
        // Each step is a sample.
        cx.steps = 1;
        layer.step(cx, x, y);
    } else {
        // Of one stream after the other; a network takes as many steps as it needs.
        let all = cx.batch / spec.stream.stride;
        for i in 0..all {
            let of = |len: usize| i * (len / all)..(i + 1) * (len / all);
            let y = y.each_mut().map(|y| {
                let of = of(y.len());
                &mut y[of]
            });
            layer.step(&mut cx.stride_alone(i, spec.stream.stride), x.map(|x| &x[of(x.len())]), y);
        }
    }
}

/// From inputs to outputs.
pub struct Forward<'a, 'b>(PassState<'a, 'b>);

impl<'a, 'b> Forward<'a, 'b> {
    /// Begins a pass over `x` into `y`.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn begin(
        cx: &'a mut LayerContext<'_>,
        network: &'static CompiledNetwork,
        x: &'a [&'a [f32]],
        y: &'a mut [&'b mut [f32]],
    ) -> Self {
        Forward(PassState::begin(cx, network, [x, &[], &[]], y, Region::Y))
    }

    /// Runs node `i`. Compiled once for each kind of layer, not for each site: code size and compile time
    /// stay flat.
    #[inline(never)]
    pub fn layer<const N: usize, const M: usize>(&mut self, i: usize, layer: &impl Layer<N, M>)
    where
        Self: for<'l> RunsLayers<dyn ForwardLayer<N, M> + 'l>,
    {
        if ONCE { self.run(i, layer) } else { self.run_node(i, layer) }
    }

    #[inline(always)]
    fn run_node<const N: usize, const M: usize>(&mut self, i: usize, layer: &(impl ForwardLayer<N, M> + ?Sized)) {
        if STREAMS && matches!(self.0.cx.pass, Pass::Prepare | Pass::Observe) {
            if self.0.cx.pass == Pass::Prepare {
                return self.prepare(i, layer);
            }
            self.0.observe_value(i);
        }
        let logits_only = self.0.is_logits_only(i);
        let (_, node_plan) = self.0.node(i);
        match node_plan.fusion {
            Fusion::ByProducer => {}
            Fusion::InPlace if logits_only => {}
            Fusion::InPlace => {
                let (mut cx, _, _, _, [y]) = self.0.borrow(i, ([NONE], [NONE], [NONE]), [node_plan.y[0]]);
                layer.apply(&mut cx, y);
            }
            Fusion::No if logits_only => self.0.copy(node_plan.x[0], node_plan.y[0]),
            Fusion::No => {
                let (x, y) = (first::<N>(&node_plan.x), first::<M>(&node_plan.y));
                let (mut cx, x, _, _, y) = self.0.borrow(i, (x, [NONE; M], [NONE; M]), y);
                if node_plan.steps > 1 {
                    cx = cx.of_strides(node_plan.steps as usize);
                }
                forward(layer, &mut cx, x, y);
            }
        }
    }

    /// Lays out the parameters of node `i`.
    #[cold]
    fn prepare<const N: usize, const M: usize>(&mut self, i: usize, layer: &(impl ForwardLayer<N, M> + ?Sized)) {
        let node = self.0.node(i);
        let place = node.0.prepared..node.0.prepared + node.0.spec.prepared_len();
        let to = &mut self.0.workspace.work[place];
        let cx = self.0.cx.for_node(i, node, to);
        layer.prepare(&mut LayerContext { pass: Pass::Prepare, ..cx });
    }

    /// Copies out the outputs that the network itself reads too.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn end(&mut self) {
        if STREAMS && matches!(self.0.cx.pass, Pass::Prepare | Pass::Observe) {
            if self.0.cx.pass == Pass::Prepare {
                return;
            }
            self.0.observe_value(self.0.network.nodes.len());
        }
        for (j, copy) in self.0.plan.copies.iter().enumerate() {
            if let Some(from) = *copy {
                let to = BufferRef { region: Region::Y, index: j as u8, offset: 0, len: from.len };
                self.0.copy(from, to);
            }
        }
    }
}

/// From the gradients of the outputs to those of the inputs, and of every value between that somebody needs.
pub struct BackwardInput<'a, 'b>(PassState<'a, 'b>);

impl<'a, 'b> BackwardInput<'a, 'b> {
    /// Begins a pass from `dy` to `dx`; an empty `dx` is not asked for.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn begin(
        cx: &'a mut LayerContext<'_>,
        network: &'static CompiledNetwork,
        x: &'a [&'a [f32]],
        y: &'a [&'a [f32]],
        dy: &'a [&'a [f32]],
        dx: &'a mut [&'b mut [f32]],
    ) -> Self {
        let mut pass = PassState::begin(cx, network, [x, y, dy], dx, Region::Dx);
        for (j, fork) in pass.plan.forks.iter().enumerate() {
            if let Some(to) = *fork {
                pass.copy(BufferRef { region: Region::Dy, index: j as u8, offset: 0, len: to.len }, to);
            }
        }
        BackwardInput(pass)
    }

    /// Runs node `i` backward, if the gradient of anything it reads is wanted.
    #[inline(never)]
    pub fn layer<const N: usize, const M: usize>(&mut self, i: usize, layer: &impl Layer<N, M>)
    where
        Self: for<'l> RunsLayers<dyn BackwardInputLayer<N, M> + 'l>,
    {
        if ONCE { self.run(i, layer) } else { self.run_node(i, layer) }
    }

    #[inline(always)]
    fn run_node<const N: usize, const M: usize>(&mut self, i: usize, layer: &(impl BackwardInputLayer<N, M> + ?Sized)) {
        if STREAMS && self.0.cx.pass == Pass::Observe {
            self.0.observe_gradient(i);
        }
        let (node, node_plan) = self.0.node(i);
        if !node_plan.backward_input {
            return;
        }
        let spec: &LayerSpec = node.spec;
        let x = if spec.backward.reads_x { first::<N>(&node_plan.x) } else { [NONE; N] };
        let y = if spec.backward.reads_y { first::<M>(&node_plan.y) } else { [NONE; M] };
        if self.0.is_logits_only(i) {
            if !node_plan.in_place {
                self.0.copy(node_plan.dy[0], node_plan.dx[0]);
            }
        } else if node_plan.in_place {
            let (mut cx, x, y, _, [d]) = self.0.borrow(i, (x, y, [NONE; M]), [node_plan.dx[0]]);
            layer.backward_in_place(&mut cx, x, y, d);
        } else {
            let (mut cx, x, y, dy, dx) = self.0.borrow(i, (x, y, first::<M>(&node_plan.dy)), first::<N>(&node_plan.dx));
            if spec.needs_backward_input() || dx.iter().any(|dx| !dx.is_empty()) {
                layer.backward_input(&mut cx, x, y, dy, dx);
            }
        }
        for k in 0..N {
            if !node_plan.sum[k].is_empty() {
                let places = (node_plan.dx[k], node_plan.sum[k]);
                let (from, to) = if node_plan.deferred & 1 << k == 0 { places } else { (places.1, places.0) };
                let (cx, [from], _, _, [to]) = self.0.borrow(i, ([from], [NONE], [NONE]), [to]);
                if !to.is_empty() {
                    cx.isa.add(from, to);
                }
            }
        }
    }
}

/// From what the passes before left in memory to the gradient of a part of the parameters. It only reads that
/// memory, so that several threads may compute parts of their own.
pub struct BackwardParams<'a> {
    network: &'static CompiledNetwork,
    cx: ReadContext<'a>,
    x: &'a [&'a [f32]],
    dy: &'a [&'a [f32]],
    part: ParamGrad<'a>,
}

impl<'a> BackwardParams<'a> {
    /// Begins a pass that adds to `part`.
    #[cfg_attr(not(debug_assertions), inline)]
    pub fn begin(
        cx: &'a mut ReadContext<'_>,
        network: &'static CompiledNetwork,
        x: &'a [&'a [f32]],
        dy: &'a [&'a [f32]],
        part: ParamGrad<'a>,
    ) -> Self {
        BackwardParams { network, cx: cx.read_only(cx.params), x, dy, part }
    }

    /// What lies there of the samples that are asked for.
    #[inline]
    fn read(&self, span: BufferRef) -> &'a [f32] {
        let BufferRange { region, index, offset, .. } = span.of_batch(self.cx.batch);
        let (samples, each) = (&self.part.samples, span.of_batch(1).len);
        let from = match region {
            Region::Work => self.cx.saved,
            Region::X => self.x[index],
            Region::Dy => self.dy[index],
            Region::Y | Region::Dx => &[],
        };
        // What the caller left out is empty.
        if from.is_empty() { &[] } else { &from[offset + samples.start * each..offset + samples.end * each] }
    }

    /// Adds what node `i` owes to the part.
    #[inline(never)]
    pub fn layer<const N: usize, const M: usize>(&mut self, i: usize, layer: &impl Layer<N, M>)
    where
        Self: for<'l> RunsLayers<dyn BackwardParamsLayer<N, M> + 'l>,
    {
        if ONCE { self.run(i, layer) } else { self.run_node(i, layer) }
    }

    #[inline(always)]
    fn run_node<const N: usize, const M: usize>(
        &mut self,
        i: usize,
        layer: &(impl BackwardParamsLayer<N, M> + ?Sized),
    ) {
        let (node, node_plan) = (&self.network.nodes[i], &self.network.plan(self.cx.pass).node_plan[i]);
        if !node_plan.trains {
            return;
        }
        let (asked, own) = (&self.part.range, node.params..node.params + node.spec.params.len);
        if asked.start.max(own.start) >= asked.end.min(own.end) {
            return;
        }
        let (x, dy): ([_; N], [_; M]) =
            (first(&node_plan.x).map(|span| self.read(span)), first(&node_plan.dy).map(|span| self.read(span)));
        let samples = self.part.samples.clone();
        let saved = self.read(node_plan.saved);
        let mut cx = self.cx.for_node(i, (node, node_plan), saved).for_samples(samples.clone());
        // Parameters are shown where statistics are asked for, and there alone.
        if !cx.params.is_empty() {
            cx.uses = cx.uses.of_node(self.network.nodes, i);
        }
        let overwrite = self.part.overwrite;
        let (range, grad) = self.part.within(node.params, node.spec.params.len);
        layer.backward_params(&mut cx, x, dy, ParamGrad { range, grad, samples: 0..samples.len(), overwrite });
    }
}
