//! The passes of an attention that has more than most: a mask or numbers for each score, values or weights of
//! their own, dropout. In: a plan and slices; out: filled slices. What a sample's heads do is not said here.

use super::general_plan::InputPart;
use super::general_sample::WeightDropout;
use super::passes::{Params, overlap};
use super::plan::{AttentionPlan, OfScores};
use crate::layer::{LayerContext, ParamGrad, ReadContext};
use nn_kernels::matrix::{add_bias_grad, backward_input, product};
use nn_kernels::simd::Isa;

const NO_FLOOR: f32 = f32::NEG_INFINITY;

impl AttentionPlan {
    /// Queries, keys and values of some samples.
    fn make(&self, isa: Isa, params: Params, x: [&[f32]; 3], mut made: &mut [f32]) {
        let (parts, count) = self.parts();
        for InputPart { input, panels, first, .. } in parts.into_iter().take(count) {
            let x = x[input];
            let (part, rest) = made.split_at_mut(x.len() / self.features * panels.cols());
            let bias = params.bias.map(|bias| &bias[first..][..panels.cols()]);
            product(isa, panels, x, &params.weight[first * self.features..][..panels.len()], bias, NO_FLOOR, part);
            made = rest;
        }
    }

    pub(super) fn forward_general(&self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [&mut [f32]]) {
        let (params, batch, row, scores) = (self.params(cx), cx.batch, self.queries * self.features, self.scores());
        let [y, told @ ..] = y else { return };
        let told = if let [told] = told { &mut **told } else { &mut [] };
        let each = if told.is_empty() { 0 } else { self.queries * self.keys };
        let drop = self.dropping(cx, 0);
        let sources = |k: usize| if k < x.len() { x[k] } else { &[] };
        if cx.saved.is_empty() {
            let (mut work, rest) = self.work(cx.scratch);
            let (made, rest) = rest.split_at_mut(self.made());
            let (contexts, rest) = rest.split_at_mut(row);
            let weights = &mut rest[..scores];
            for sample in 0..batch {
                let (parts, count) = self.parts();
                let of = |k: usize| match parts[..count].iter().find(|part| part.input == k) {
                    Some(part) => &sources(k)[sample * part.rows * self.features..][..part.rows * self.features],
                    None => &[],
                };
                self.make(cx.isa, params, [of(0), of(1), of(2)], made);
                let told = &mut told[sample * each..][..each];
                let all = (&*made, self.rows(1, 0));
                let drop = drop.map(|drop| WeightDropout { sample: drop.sample + sample, ..drop });
                self.sample(cx.isa, all, self.beside(x, sample), drop, weights, &mut work, contexts, told);
                let y = &mut y[sample * row..][..row];
                product(cx.isa, self.out(), contexts, params.out_weight, params.out_bias, NO_FLOOR, y);
            }
            return;
        }
        let (mut work, _) = self.work(cx.scratch);
        let [made, contexts, weights] = self.kept_in_general().map(|each| each * batch);
        let (made, rest) = cx.saved.split_at_mut(made);
        let (contexts, rest) = rest.split_at_mut(contexts);
        let weights = &mut rest[..weights];
        self.make(cx.isa, params, [sources(0), sources(1), sources(2)], made);
        for sample in 0..batch {
            let drop = drop.map(|drop| WeightDropout { sample: drop.sample + sample, ..drop });
            let (all, weights) = ((&*made, self.rows(batch, sample)), &mut weights[sample * scores..][..scores]);
            let contexts = &mut contexts[sample * row..][..row];
            let told = &mut told[sample * each..][..each];
            self.sample(cx.isa, all, self.beside(x, sample), drop, weights, &mut work, contexts, told);
        }
        product(cx.isa, self.out(), contexts, params.out_weight, params.out_bias, NO_FLOOR, y);
    }

    pub(super) fn backward_general(&self, cx: &mut LayerContext, x: &[&[f32]], dy: &[&[f32]], dx: &mut [&mut [f32]]) {
        let (isa, batch, params) = (cx.isa, cx.batch, self.params(cx));
        let (row, scores) = (self.queries * self.features, self.scores());
        let drop = self.dropping(cx, 0);
        let [made, contexts, weights] = self.kept_in_general().map(|each| each * batch);
        let (made, rest) = cx.saved.split_at_mut(made);
        let weights = &mut rest[contexts..][..weights];
        let (mut work, rest) = self.work(cx.scratch);
        let (dcontexts, turned) = rest.split_at_mut(row);
        for sample in 0..batch {
            backward_input(isa, self.out(), &dy[0][sample * row..][..row], params.out_weight, dcontexts, turned);
            let dtold = dy.get(1).filter(|d| !d.is_empty()).map_or(&[][..], |d| {
                let len = self.queries * self.keys;
                &d[sample * len..][..len]
            });
            let (dadded, per_head): (&mut [f32], bool) = match self.extras.added {
                Some(OfScores { input, per_head }) if !dx[input].is_empty() => {
                    let len = self.queries * self.keys * if per_head { self.heads } else { 1 };
                    (&mut dx[input][sample * len..][..len], per_head)
                }
                _ => (&mut [], false),
            };
            self.sample_backward(
                isa,
                (&mut *made, self.rows(batch, sample)),
                self.masks(x, sample),
                drop.map(|drop| WeightDropout { sample: drop.sample + sample, ..drop }),
                &mut weights[sample * scores..][..scores],
                &mut work,
                (dcontexts, dtold),
                (dadded, per_head),
            );
        }
        let (parts, count) = self.parts();
        let mut left = made;
        for InputPart { input, rows, panels, first, skipped, used } in parts.into_iter().take(count) {
            let (part, rest) = core::mem::take(&mut left).split_at_mut(batch * rows * panels.cols());
            left = rest;
            // What was made beside it and not used has no gradient.
            for row in part.chunks_exact_mut(panels.cols()) {
                row[..skipped].fill(0.0);
                row[skipped + used..].fill(0.0);
            }
            if !dx[input].is_empty() {
                let w = &params.weight[first * self.features..][..panels.len()];
                backward_input(isa, panels, part, w, dx[input], turned);
            }
        }
        if let Some(OfScores { input, .. }) = self.extras.allowed {
            dx[input].fill(0.0);
        }
        if self.masked
            && let Some(mask) = dx.last_mut()
        {
            mask.fill(0.0);
        }
    }

    pub(super) fn backward_params_general(&self, cx: &mut ReadContext, x: &[&[f32]], dy: &[f32], mut part: ParamGrad) {
        let at = self.numbers();
        let (cx, [made, contexts, _]) = (&*cx, self.kept_in_general().map(|each| each * cx.batch));
        let (mut left, rest) = cx.saved.split_at(made);
        let contexts = &rest[..contexts];
        let (parts, count) = self.parts();
        let (range, dw) = part.slice(cx, 0);
        let mut products = [(parts[0], &left[..0]); 3];
        for (product, part) in products.iter_mut().zip(parts).take(count) {
            let (d, rest) = left.split_at(cx.batch * part.len());
            (*product, left) = ((part, d), rest);
        }
        for (InputPart { input, panels, first, rows, .. }, d) in products.into_iter().take(count) {
            let offset = first * self.features;
            let (range, dw) = overlap(&range, offset..offset + panels.len(), dw);
            self.add_weight_grad(cx.row_sums(rows), panels, [x[input], d], range, dw);
        }
        if self.bias {
            let (range, db) = part.slice(cx, 1);
            for (InputPart { panels, first, rows, .. }, d) in products.into_iter().take(count) {
                let (range, db) = overlap(&range, first..first + panels.cols(), db);
                add_bias_grad(cx.row_sums(rows), panels.cols(), d, range, db);
            }
            let (range, db) = part.slice(cx, at.out_bias);
            add_bias_grad(cx.row_sums(self.queries), self.features, dy, range, db);
        }
        let (range, dw) = part.slice(cx, at.out_weight);
        self.add_weight_grad(cx.row_sums(self.queries), self.out(), [contexts, dy], range, dw);
    }
}
