//! The passes of an attention layer: products in, heads, product out, and the same backward. In: a plan and
//! slices; out: filled slices. Heads are the kernels'; nothing here may know a declaration.

use core::ops::Range;

use super::plan::AttentionPlan;
use crate::layer::{LayerContext, ParamGrad, ReadContext};
use nn_kernels::attention::{AttentionHead, AttentionHeads, StridedRows, attend, backward};
use nn_kernels::long_sums::{BLOCK, RowSums, Sums};
use nn_kernels::matrix::{Panels, add_bias_grad, backward_input, backward_weight, product};
use nn_kernels::simd::Isa;

const NO_FLOOR: f32 = f32::NEG_INFINITY;

/// The parameters.
#[derive(Clone, Copy)]
pub(super) struct Params<'a> {
    pub(super) weight: &'a [f32],
    pub(super) bias: Option<&'a [f32]>,
    pub(super) out_weight: &'a [f32],
    pub(super) out_bias: Option<&'a [f32]>,
}

/// The numbers of the parameters.
pub(super) struct Numbers {
    pub(super) out_weight: usize,
    pub(super) out_bias: usize,
}

/// What a forward pass fills on the way.
struct Between<'a> {
    /// Queries, keys, values.
    projected: &'a mut [f32],
    contexts: &'a mut [f32],
    /// Of all heads of all samples, or of one that the next overwrites.
    weights: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl AttentionPlan {
    pub(super) fn numbers(&self) -> Numbers {
        let first = 1 + usize::from(self.bias);
        Numbers { out_weight: first, out_bias: first + 1 }
    }

    pub(super) fn params<'a>(&self, cx: &LayerContext<'a>) -> Params<'a> {
        let at = self.numbers();
        Params {
            weight: cx.param(0),
            bias: self.bias.then(|| cx.param(1)),
            out_weight: cx.param(at.out_weight),
            out_bias: self.bias.then(|| cx.param(at.out_bias)),
        }
    }

    /// What is kept of a batch, to fill: queries, keys and values; contexts; weights.
    fn keep<'a>(&self, batch: usize, saved: &'a mut [f32]) -> [&'a mut [f32]; 3] {
        let [projected, contexts, weights] = self.kept();
        let (projected, rest) = saved.split_at_mut(batch * projected);
        let (contexts, rest) = rest.split_at_mut(batch * contexts);
        [projected, contexts, &mut rest[..batch * weights]]
    }

    /// The inputs: queries, what keys and values are made of where that is another, and the mask.
    fn inputs<'a>(&self, x: &[&'a [f32]]) -> (&'a [f32], &'a [f32], Option<&'a [f32]>) {
        (x[0], if self.cross { x[1] } else { &[] }, self.masked.then(|| x[x.len() - 1]))
    }

    pub(super) fn forward(&self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [f32]) {
        let (params, inputs) = (self.params(cx), self.inputs(x));
        if !cx.saved.is_empty() {
            let [projected, contexts, weights] = self.keep(cx.batch, cx.saved);
            let between = Between { projected, contexts, weights, scratch: cx.scratch };
            self.samples(cx.isa, params, cx.batch, inputs, between, y);
            return;
        }
        // Where nothing is kept, one sample after the other stays in the cache.
        let (query, memory, mask) = inputs;
        let [of_queries, of_memory] = self.projected();
        let row = self.queries * self.features;
        for (sample, y) in y.chunks_exact_mut(row).enumerate() {
            let (projected, rest) = cx.scratch.split_at_mut(of_queries + of_memory);
            let (contexts, rest) = rest.split_at_mut(row);
            let (weights, scratch) = rest.split_at_mut(self.head().weights());
            let between = Between { projected, contexts, weights, scratch };
            let query = &query[sample * row..][..row];
            let memory = &memory[sample * self.memory_row()..][..self.memory_row()];
            let mask = mask.map(|mask| &mask[sample * self.keys..][..self.keys]);
            self.samples(cx.isa, params, 1, (query, memory, mask), between, y);
        }
    }

    /// Numbers of a sample of the second input, if that is a memory.
    fn memory_row(&self) -> usize {
        if self.cross { self.keys * self.features } else { 0 }
    }

    /// Forward for so many samples.
    fn samples(
        &self,
        isa: Isa,
        params: Params,
        batch: usize,
        (query, memory, mask): (&[f32], &[f32], Option<&[f32]>),
        between: Between,
        y: &mut [f32],
    ) {
        let Between { projected, contexts, weights, scratch } = between;
        let (queries, others) = projected.split_at_mut(batch * self.projected()[0]);
        let panels = self.of_queries();
        let bias = params.bias.map(|bias| &bias[..panels.cols()]);
        product(isa, panels, query, &params.weight[..panels.len()], bias, NO_FLOOR, queries);
        if self.cross {
            let panels = self.of_memory();
            let bias = params.bias.map(|bias| &bias[bias.len() - panels.cols()..]);
            product(
                isa,
                panels,
                memory,
                &params.weight[self.first_of_memory() * self.features..],
                bias,
                NO_FLOOR,
                others,
            );
        }
        let qkv = self.lay(batch, 0).map(|lay| StridedRows { all: projected, layout: lay });
        attend(isa, self.heads(batch), qkv, mask, weights, scratch, (&mut *contexts, self.context()));
        product(isa, self.out(), contexts, params.out_weight, params.out_bias, NO_FLOOR, y);
    }

    /// Queries, keys and values become their gradients, where they lie.
    pub(super) fn backward_input(&self, cx: &mut LayerContext, dy: &[f32], dx: &mut [&mut [f32]]) {
        let (isa, batch, params, head) = (cx.isa, cx.batch, self.params(cx), self.head());
        let [projected, _, weights] = self.keep(batch, cx.saved);
        let row = self.queries * self.features;
        let (dcontexts, rest) = cx.scratch.split_at_mut(self.together() * row);
        let (scratch, turned) = rest.split_at_mut(head.backward_scratch());
        for (group, dy) in dy.chunks(self.together() * row).enumerate() {
            let dcontexts = &mut dcontexts[..dy.len()];
            backward_input(isa, self.out(), dy, params.out_weight, dcontexts, turned);
            let (first, samples) = (group * self.together(), dcontexts.len() / row);
            let each = self.heads * head.weights();
            let weights = &weights[first * each..][..samples * each];
            let dcontexts = StridedRows { all: dcontexts, layout: self.context() };
            backward(isa, self.heads(samples), (&mut *projected, self.lay(batch, first)), weights, dcontexts, scratch);
        }
        let (queries, others) = projected.split_at_mut(batch * self.projected()[0]);
        if self.cross {
            // What was made beside queries and keys and not used has no gradient.
            let (panels, unused) = (self.of_queries(), self.features);
            queries.chunks_exact_mut(panels.cols()).for_each(|row| row[unused..].fill(0.0));
            let (panels, unused) = (self.of_memory(), self.before_keys());
            others.chunks_exact_mut(panels.cols()).for_each(|row| row[..unused].fill(0.0));
            if !dx[1].is_empty() {
                backward_input(
                    isa,
                    panels,
                    others,
                    &params.weight[self.first_of_memory() * self.features..],
                    dx[1],
                    turned,
                );
            }
        }
        if !dx[0].is_empty() {
            let panels = self.of_queries();
            backward_input(isa, panels, queries, &params.weight[..panels.len()], dx[0], turned);
        }
        if self.masked
            && let Some(mask) = dx.last_mut()
        {
            mask.fill(0.0);
        }
    }

    pub(super) fn backward_params(&self, cx: &mut ReadContext, x: &[&[f32]], dy: &[f32], mut part: ParamGrad) {
        let at = self.numbers();
        let (cx, [projected, contexts, _]) = (&*cx, self.kept());
        let (projected, rest) = cx.saved.split_at(cx.batch * projected);
        let contexts = &rest[..cx.batch * contexts];
        let products = self.products(cx.batch, x, projected);
        // How the rows of a product are summed, as many as `d` has of so many columns.
        let sums = |d: &[f32], columns: usize| cx.row_sums(d.len() / columns / cx.batch);
        let (range, dw) = part.slice(cx, 0);
        for InputProduct { panels, column, x, d } in products.iter().flatten() {
            let offset = column * self.features;
            let (range, dw) = overlap(&range, offset..offset + panels.len(), dw);
            self.add_weight_grad(sums(d, panels.cols()), *panels, [x, d], range, dw);
        }
        if self.bias {
            let (range, db) = part.slice(cx, 1);
            for InputProduct { panels, column, d, .. } in products.iter().flatten() {
                let (range, db) = overlap(&range, *column..column + panels.cols(), db);
                add_bias_grad(sums(d, panels.cols()), panels.cols(), d, range, db);
            }
            let (range, db) = part.slice(cx, at.out_bias);
            add_bias_grad(sums(dy, self.features), self.features, dy, range, db);
        }
        let (range, dw) = part.slice(cx, at.out_weight);
        self.add_weight_grad(sums(dy, self.features), self.out(), [contexts, dy], range, dw);
    }

    /// [`backward_weight`]. With a mask of any kind, and of a causal layer, rows are left out whose gradient
    /// is 0: what is masked need not be finite.
    pub(super) fn add_weight_grad(
        &self,
        sums: RowSums,
        panels: Panels,
        [x, d]: [&[f32]; 2],
        range: Range<usize>,
        dw: &mut [f32],
    ) {
        if range.is_empty() {
            return;
        }
        let (inputs, outputs) = (panels.rows(), panels.cols());
        let counts = |row: &usize| {
            let (x, d) = (&x[row * inputs..][..inputs], &d[row * outputs..][..outputs]);
            d.iter().any(|d| *d != 0.0) || x.iter().all(|x| x.is_finite())
        };
        let add = |first: usize, end: usize, of: Range<usize>, dw: &mut [f32], blocks: bool| {
            let (x, d) = (&x[first * inputs..end * inputs], &d[first * outputs..end * outputs]);
            let range = range.start + of.start..range.start + of.end;
            backward_weight(sums.isa, panels, x, d, range, dw, Sums { overwrite: false, blocks });
        };
        if !self.masked && !self.causal && self.extras.allowed.is_none() {
            return sums.add(dw, |rows, of, dw, blocks| add(rows.start, rows.end, of, dw, blocks));
        }
        // One chain goes on over what is left out, which may change no bit.
        sums.add_by_blocks(2 * BLOCK, dw, |rows, of, dw| {
            let mut first = rows.start;
            while first < rows.end {
                let end = (first..rows.end).find(|row| !counts(row)).unwrap_or(rows.end);
                add(first, end, of.clone(), dw, false);
                first = end + 1;
            }
        });
    }

    /// The input products and what their gradients are made of: one, or where keys and values come of another
    /// input two.
    fn products<'a>(&self, batch: usize, x: &[&'a [f32]], projected: &'a [f32]) -> [Option<InputProduct<'a>>; 2] {
        let (query, memory, _) = self.inputs(x);
        let (queries, others) = projected.split_at(batch * self.projected()[0]);
        let first = InputProduct { panels: self.of_queries(), column: 0, x: query, d: queries };
        let column = self.first_of_memory();
        let second = InputProduct { panels: self.of_memory(), column, x: memory, d: others };
        [Some(first), self.cross.then_some(second)]
    }

    /// The next step of a stream, of each sample: its key and value join those before it, and its query sees
    /// them all. What is carried of a sample is the keys so far, the values, and how many there are.
    pub(super) fn step(&self, cx: &mut LayerContext, x: &[f32], y: &mut [f32]) {
        let (isa, params, window, features) = (cx.isa, self.params(cx), self.queries * self.features, self.features);
        let (projected, rest) = cx.scratch.split_at_mut(3 * features);
        let (context, rest) = rest.split_at_mut(features);
        let samples = x.chunks_exact(features).zip(y.chunks_exact_mut(features));
        for ((x, y), carried) in samples.zip(cx.saved.chunks_exact_mut(2 * window + 1)) {
            let (keys, carried) = carried.split_at_mut(window);
            let (values, count) = carried.split_at_mut(window);
            product(isa, self.whole(), x, params.weight, params.bias, NO_FLOOR, projected);
            // Within the window, whatever state was restored.
            let before = (count[0] as usize).min(self.queries - 1);
            let now = before * features;
            keys[now..now + features].copy_from_slice(&projected[features..2 * features]);
            values[now..now + features].copy_from_slice(&projected[2 * features..]);
            count[0] = (before + 1) as f32;
            let head = AttentionHead { queries: 1, keys: before + 1, width: self.head().width, causal: false };
            let (weights, scratch) = rest.split_at_mut(head.weights());
            let (heads, lay) = (AttentionHeads { head, count: self.heads, samples: 1, masked: false }, self.context());
            let qkv = [&*projected, &*keys, &*values].map(|all| StridedRows { all, layout: lay });
            attend(isa, heads, qkv, None, weights, scratch, (&mut *context, lay));
            product(isa, self.out(), context, params.out_weight, params.out_bias, NO_FLOOR, y);
        }
    }
}

/// One product of an input with some of the panels.
struct InputProduct<'a> {
    panels: Panels,
    /// The first column of the panels in the whole.
    column: usize,
    x: &'a [f32],
    /// The gradient of what it makes.
    d: &'a [f32],
}

/// What of an asked range lies in `within`, counted from where that begins, and where to add its gradient.
pub(super) fn overlap<'a>(
    asked: &Range<usize>,
    within: Range<usize>,
    to: &'a mut [f32],
) -> (Range<usize>, &'a mut [f32]) {
    let from = asked.start.clamp(within.start, within.end);
    let end = asked.end.clamp(from, within.end);
    if from == end {
        return (0..0, &mut []);
    }
    (from - within.start..end - within.start, &mut to[from - asked.start..end - asked.start])
}
