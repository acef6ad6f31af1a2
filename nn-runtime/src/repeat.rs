//! `layer * times`: the same layer several times in a row, each copy with parameters and memory of its own.
//! In: a layer and its context; out: the same contract. Code size does not depend on `times`.

use crate::layer::{Layer, LayerContext, ParamGrad, ReadContext};
use crate::pass::forward;
use crate::spec::{Pass, lines};

/// A layer `times` in a row.
#[derive(Clone, Copy)]
pub struct Repeat<L> {
    layer: L,
    times: usize,
}

/// What a repetition keeps: what each copy saves, the values between the copies, and their gradients.
struct Kept<'s> {
    own: &'s mut [f32],
    values: &'s mut [f32],
    grads: &'s mut [f32],
}

impl<L> Repeat<L> {
    /// The layer `times` in a row.
    pub const fn new(layer: L, times: usize) -> Self {
        Repeat { layer, times }
    }

    /// Floats of one value between copies, as long as the input, and how far apart they lie.
    fn between(&self, cx: &LayerContext<'_, impl Sized>, x: &[f32]) -> (usize, usize) {
        (x.len(), lines(x.len() / cx.batch) * cx.batch)
    }

    fn kept<'s>(&self, saved: &'s mut [f32], stride: usize) -> Kept<'s> {
        let (own, rest) = saved.split_at_mut(self.own(saved, stride));
        let (values, grads) = rest.split_at_mut((self.times - 1) * stride);
        Kept { own, values, grads }
    }

    /// Floats that the copies themselves save.
    fn own(&self, saved: &[f32], stride: usize) -> usize {
        saved.len() - 2 * (self.times - 1) * stride
    }
}

impl<L: Layer> Layer for Repeat<L> {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let (len, stride) = self.between(cx, x);
        let last = self.times - 1;
        if cx.pass == Pass::Infer {
            // Two buffers take turns.
            let turns = if self.times > 1 { 2 * stride } else { 0 };
            let (turns, scratch) = core::mem::take(&mut cx.scratch).split_at_mut(turns);
            let (mut from, mut to) = turns.split_at_mut(turns.len() / 2);
            for c in 0..self.times {
                let mut one = cx.for_copy(c, self.times, &mut [][..], &mut *scratch);
                let source = if c == 0 { x } else { &from[..len] };
                let target = if c == last { &mut *y } else { &mut to[..len] };
                forward(&self.layer, &mut one, [source], [target]);
                core::mem::swap(&mut from, &mut to);
            }
            return;
        }
        let saved = core::mem::take(&mut cx.saved);
        let scratch = core::mem::take(&mut cx.scratch);
        let Kept { own, values, .. } = self.kept(saved, stride);
        let each = own.len() / self.times;
        for c in 0..self.times {
            let (before, after) = values.split_at_mut(c.min(last) * stride);
            let source = if c == 0 { x } else { &before[(c - 1) * stride..][..len] };
            let target = if c == last { &mut *y } else { &mut after[..len] };
            let mut one = cx.for_copy(c, self.times, &mut own[c * each..][..each], &mut *scratch);
            forward(&self.layer, &mut one, [source], [target]);
        }
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        [x]: [&[f32]; 1],
        [y]: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        let (len, stride) = self.between(cx, x);
        let last = self.times - 1;
        let saved = core::mem::take(&mut cx.saved);
        let scratch = core::mem::take(&mut cx.scratch);
        let Kept { own, values, grads } = self.kept(saved, stride);
        let each = own.len() / self.times;
        for c in (0..self.times).rev() {
            let source = if c == 0 { x } else { &values[(c - 1) * stride..][..len] };
            let result = if c == last { y } else { &values[c * stride..][..len] };
            // The gradient of the value before copy `c` lies before that after it.
            let (before, after) = grads.split_at_mut(c.min(last) * stride);
            let given = if c == last { dy } else { &after[..len] };
            let wanted = if c == 0 { &mut *dx } else { &mut before[(c - 1) * stride..][..len] };
            let mut one = cx.for_copy(c, self.times, &mut own[c * each..][..each], &mut *scratch);
            self.layer.backward_input(&mut one, [source], [result], [given], [wanted]);
        }
    }

    fn prepare(&self, cx: &mut LayerContext) {
        let (saved, scratch) = (core::mem::take(&mut cx.saved), core::mem::take(&mut cx.scratch));
        let each = saved.len() / self.times;
        for c in 0..self.times {
            let mut one = cx.for_copy(c, self.times, &mut saved[c * each..][..each], &mut *scratch);
            self.layer.prepare(&mut one);
        }
    }

    fn apply(&self, cx: &mut LayerContext, y: &mut [f32]) {
        // Fusion only where it is repeated once, which is the layer itself.
        self.layer.apply(cx, y);
    }

    fn backward_in_place(&self, cx: &mut LayerContext, x: [&[f32]; 1], y: [&[f32]; 1], d: &mut [f32]) {
        // As there.
        self.layer.backward_in_place(cx, x, y, d);
    }

    fn backward_params(&self, cx: &mut ReadContext, [x]: [&[f32]; 1], [dy]: [&[f32]; 1], mut part: ParamGrad) {
        let (len, stride) = self.between(cx, x);
        let last = self.times - 1;
        let each_params = cx.spec.params.len / self.times;
        let scratch = core::mem::take(&mut cx.scratch);
        let (own, rest) = cx.saved.split_at(self.own(cx.saved, stride));
        let (values, grads) = rest.split_at(last * stride);
        let each = own.len() / self.times;
        for c in 0..self.times {
            let (range, grad) = part.within(c * each_params, each_params);
            if range.is_empty() {
                continue;
            }
            let source = if c == 0 { x } else { &values[(c - 1) * stride..][..len] };
            let given = if c == last { dy } else { &grads[c * stride..][..len] };
            let mut one = cx.for_copy(c, self.times, &own[c * each..][..each], &mut *scratch);
            let samples = 0..one.batch;
            self.layer.backward_params(
                &mut one,
                [source],
                [given],
                ParamGrad { range, grad, samples, overwrite: false },
            );
        }
    }
}
