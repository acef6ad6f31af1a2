//! A network at work: the three passes that generated code walks, layer after layer. In: a `Cx`, a `Map` and slices; out: slices
//! filled as planned. It opens memory where the plan says and calls layers; it never computes a place or names a layer.

use crate::facts::Facts;
use crate::graph::{Absorbed, Map, Node, Purpose, Schedule, Span, Spots};
use crate::kernels::noise::Noise;
use crate::kernels::simd::Isa;
use crate::kernels::split::{Bank, Place, Region};
use crate::layer::{Cx, Layer, Look, Mode, Part};

/// A node's context and what it reads and writes, opened.
type Site<'s, const A: usize, const B: usize, const C: usize, const W: usize> =
    (Cx<'s>, [&'s [f32]; A], [&'s [f32]; B], [&'s [f32]; C], [&'s mut [f32]; W]);

/// What all passes have in common: the network, its plan, and what is handed on to every layer.
struct Walk<'a, 'b> {
    map: &'static Map,
    plan: &'static Schedule,
    bank: Bank<'a, 'b>,
    scratch: &'a mut [f32],
    params: &'a [f32],
    batch: usize,
    isa: Isa,
    mode: Mode,
    noise: Noise,
    first_sample: usize,
    logits: u8,
}

impl<'a, 'b> Walk<'a, 'b> {
    #[inline]
    fn begin(
        cx: &'a mut Cx<'_>,
        map: &'static Map,
        [x, y, dy]: [&'a [&'a [f32]]; 3],
        written: &'a mut [&'b mut [f32]],
        writes: Region,
    ) -> Self {
        let plan = map.schedule(cx.purpose);
        let len = plan.work * cx.batch;
        // A pass that keeps nothing lives in scratch memory altogether.
        let (work, scratch) = match cx.purpose {
            Purpose::Infer => cx.scratch.split_at_mut(len),
            _ => (&mut cx.saved[..len], &mut *cx.scratch),
        };
        Walk {
            map,
            plan,
            bank: Bank { work, x, y, dy, written, writes },
            scratch,
            params: cx.params,
            batch: cx.batch,
            isa: cx.isa,
            mode: cx.mode,
            noise: cx.noise,
            first_sample: cx.first_sample,
            logits: cx.logits,
        }
    }

    #[inline]
    fn site(&self, i: usize) -> (&'static Node, &'static Spots) {
        (&self.map.nodes[i], &self.plan.spots[i])
    }

    /// The context of node `i`, and the places it asks for, opened. Within its caller: a context is too large to be handed about.
    #[inline(always)]
    fn open<const A: usize, const B: usize, const C: usize, const W: usize>(
        &mut self,
        i: usize,
        reads: ([Span; A], [Span; B], [Span; C]),
        writes: [Span; W],
    ) -> Site<'_, A, B, C, W> {
        let (node, spots) = self.site(i);
        let batch = self.batch;
        let place = |span: Span| span.of_batch(batch);
        let (a, b, c) = reads;
        let (a, b, c, w, saved) =
            self.bank.open(a.map(place), b.map(place), c.map(place), writes.map(place), place(spots.saved));
        let cx = Cx {
            batch,
            isa: self.isa,
            mode: if node.frozen { Mode::Infer } else { self.mode },
            noise: self.noise.keyed(&[i as u64]),
            first_sample: self.first_sample,
            saved,
            scratch: self.scratch,
            facts: node.facts,
            params: &self.params[node.params..node.params + node.facts.params_len],
            floor: spots.floor,
            pool: spots.pool.as_ref(),
            // A network that is a head has one output.
            logits: u8::from(self.logits & spots.head != 0),
            purpose: spots.purpose,
        };
        (cx, a, b, c, w)
    }

    /// The loss takes what comes into this head, not what it makes of it; a network as a head settles that within.
    #[inline]
    fn is_bare(&self, i: usize) -> bool {
        let (node, spots) = self.site(i);
        self.logits & spots.head != 0 && node.facts.inner.is_none()
    }

    /// Copies from one place to another.
    fn copy(&mut self, from: Span, to: Span) {
        let none = Place { region: Region::Work, index: 0, offset: 0, len: 0 };
        let (from, to) = (from.of_batch(self.batch), to.of_batch(self.batch));
        let ([from], [], [], [to], _) = self.bank.open([from], [], [], [to], none);
        if !to.is_empty() {
            to.copy_from_slice(from);
        }
    }
}

#[inline]
fn first<const N: usize>(spans: &[Span]) -> [Span; N] {
    core::array::from_fn(|i| spans[i])
}

/// What a layer makes of its inputs: of a window, or of the next step.
pub(crate) fn forward<const N: usize, const M: usize>(
    layer: &impl Layer<N, M>,
    cx: &mut Cx,
    x: [&[f32]; N],
    y: [&mut [f32]; M],
) {
    match cx.purpose {
        Purpose::Stream => layer.step(cx, x, y),
        _ => layer.forward(cx, x, y),
    }
}

/// From inputs to outputs.
pub struct Forward<'a, 'b>(Walk<'a, 'b>);

impl<'a, 'b> Forward<'a, 'b> {
    /// Begins a pass over `x` into `y`.
    #[inline]
    pub fn begin(cx: &'a mut Cx<'_>, map: &'static Map, x: &'a [&'a [f32]], y: &'a mut [&'b mut [f32]]) -> Self {
        Forward(Walk::begin(cx, map, [x, &[], &[]], y, Region::Y))
    }

    /// Runs node `i`. Compiled once for each kind of layer, not for each site: code size and compile time stay flat.
    #[inline(never)]
    pub fn layer<const N: usize, const M: usize>(&mut self, i: usize, layer: &impl Layer<N, M>) {
        let bare = self.0.is_bare(i);
        let (_, spots) = self.0.site(i);
        match spots.absorbed {
            Absorbed::ByProducer => {}
            Absorbed::InPlace if bare => {}
            Absorbed::InPlace => {
                let (mut cx, [], [], [], [y]) = self.0.open(i, ([], [], []), [spots.y[0]]);
                layer.apply(&mut cx, y);
            }
            Absorbed::No if bare => self.0.copy(spots.x[0], spots.y[0]),
            Absorbed::No => {
                let (mut cx, x, [], [], y) = self.0.open(i, (first::<N>(&spots.x), [], []), first::<M>(&spots.y));
                forward(layer, &mut cx, x, y);
            }
        }
    }

    /// Copies out the outputs that the network itself reads too.
    #[inline]
    pub fn end(&mut self) {
        for (j, copy) in self.0.plan.copies.iter().enumerate() {
            if let Some(from) = *copy {
                let to = Span { region: Region::Y, index: j as u8, offset: 0, len: from.len };
                self.0.copy(from, to);
            }
        }
    }
}

/// From the gradients of the outputs to those of the inputs, and of every value between that somebody needs.
pub struct PullInput<'a, 'b>(Walk<'a, 'b>);

impl<'a, 'b> PullInput<'a, 'b> {
    /// Begins a pass from `dy` to `dx`; an empty `dx` is not asked for.
    #[inline]
    pub fn begin(
        cx: &'a mut Cx<'_>,
        map: &'static Map,
        x: &'a [&'a [f32]],
        y: &'a [&'a [f32]],
        dy: &'a [&'a [f32]],
        dx: &'a mut [&'b mut [f32]],
    ) -> Self {
        let mut walk = Walk::begin(cx, map, [x, y, dy], dx, Region::Dx);
        for (j, fork) in walk.plan.forks.iter().enumerate() {
            if let Some(to) = *fork {
                walk.copy(Span { region: Region::Dy, index: j as u8, offset: 0, len: to.len }, to);
            }
        }
        PullInput(walk)
    }

    /// Pulls node `i`, if anything before it wants a gradient.
    #[inline(never)]
    pub fn layer<const N: usize, const M: usize>(&mut self, i: usize, layer: &impl Layer<N, M>) {
        let (node, spots) = self.0.site(i);
        if !spots.pull {
            return;
        }
        let facts: &Facts = node.facts;
        let x = if facts.pulls_with_x { first::<N>(&spots.x) } else { [Span::NONE; N] };
        let y = if facts.pulls_with_y { first::<M>(&spots.y) } else { [Span::NONE; M] };
        if self.0.is_bare(i) {
            if !spots.in_place {
                self.0.copy(spots.dy[0], spots.dx[0]);
            }
        } else if spots.in_place {
            let (mut cx, x, y, [], [d]) = self.0.open(i, (x, y, []), [spots.dx[0]]);
            layer.pull_in_place(&mut cx, x, y, d);
        } else {
            let (mut cx, x, y, dy, dx) = self.0.open(i, (x, y, first::<M>(&spots.dy)), first::<N>(&spots.dx));
            if facts.prepares() || dx.iter().any(|dx| !dx.is_empty()) {
                layer.pull_input(&mut cx, x, y, dy, dx);
            }
        }
        for k in 0..N {
            if !spots.sum[k].is_empty() {
                let places = (spots.dx[k], spots.sum[k]);
                let (from, to) = if spots.joins & 1 << k == 0 { places } else { (places.1, places.0) };
                let (cx, [from], [], [], [to]) = self.0.open(i, ([from], [], []), [to]);
                if !to.is_empty() {
                    cx.isa.add(from, to);
                }
            }
        }
    }
}

/// From what the passes before left in memory to the gradient of a part of the parameters. It only reads that memory, so that several
/// threads may pull parts of their own.
pub struct PullParams<'a> {
    map: &'static Map,
    cx: Look<'a>,
    x: &'a [&'a [f32]],
    dy: &'a [&'a [f32]],
    part: Part<'a>,
}

impl<'a> PullParams<'a> {
    /// Begins a pass that adds to `part`.
    #[inline]
    pub fn begin(
        cx: &'a mut Look<'_>,
        map: &'static Map,
        x: &'a [&'a [f32]],
        dy: &'a [&'a [f32]],
        part: Part<'a>,
    ) -> Self {
        PullParams { map, cx: Cx { saved: cx.saved, scratch: &mut *cx.scratch, ..*cx }, x, dy, part }
    }

    /// What lies there of the samples that are asked for.
    fn read(&self, span: Span) -> &'a [f32] {
        let Place { region, index, offset, .. } = span.of_batch(self.cx.batch);
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
    pub fn layer<const N: usize, const M: usize>(&mut self, i: usize, layer: &impl Layer<N, M>) {
        let (node, spots) = (&self.map.nodes[i], &self.map.schedule(self.cx.purpose).spots[i]);
        if !spots.trains {
            return;
        }
        let (range, _) = self.part.within(node.params, node.facts.params_len);
        if range.is_empty() {
            return;
        }
        let (x, dy): ([_; N], [_; M]) =
            (first(&spots.x).map(|span| self.read(span)), first(&spots.dy).map(|span| self.read(span)));
        let samples = self.part.samples.clone();
        let mut cx = Cx {
            batch: samples.len(),
            mode: if node.frozen { Mode::Infer } else { self.cx.mode },
            noise: self.cx.noise.keyed(&[i as u64]),
            first_sample: self.cx.first_sample + samples.start,
            saved: self.read(spots.saved),
            scratch: &mut *self.cx.scratch,
            facts: node.facts,
            params: match self.cx.params {
                [] => &[],
                params => &params[node.params..node.params + node.facts.params_len],
            },
            floor: spots.floor,
            pool: spots.pool.as_ref(),
            logits: u8::from(self.cx.logits & spots.head != 0),
            purpose: spots.purpose,
            ..self.cx
        };
        let fresh = self.part.fresh;
        let (range, grad) = self.part.within(node.params, node.facts.params_len);
        layer.pull_params(&mut cx, x, dy, Part { range, grad, samples: 0..samples.len(), fresh });
    }
}
