//! How an attention that has more than most lays out its memory: a mask or numbers for each score, values or
//! weights of their own, dropout. In: a plan; out: which columns are made of which input, where they lie, how
//! much is kept. It holds no numbers and computes none.

use super::plan::{AttentionMemory, AttentionPlan};
use crate::layer::LayerContext;
use crate::shape::Shape;
use nn_kernels::matrix::{Panels, backward_input_scratch};

/// Some columns of the input product, made of one input.
#[derive(Clone, Copy)]
pub(super) struct InputPart {
    pub(super) input: usize,
    /// HeadRows of a sample.
    pub(super) rows: usize,
    /// The panels that hold them, and the first column of these in the whole.
    pub(super) panels: Panels,
    pub(super) first: usize,
    /// The first column that is used, of these panels, and how many are.
    pub(super) skipped: usize,
    pub(super) used: usize,
}

impl InputPart {
    /// Floats of a sample.
    pub(super) const fn len(&self) -> usize {
        self.rows * self.panels.cols()
    }
}

/// Where the rows of queries, keys or values of a sample begin, and how far apart they are.
#[derive(Clone, Copy)]
pub(super) struct HeadRows {
    pub(super) at: usize,
    pub(super) stride: usize,
}

/// What of a head is copied and packed, in the order in which it lies in scratch.
pub(super) struct HeadScratch {
    pub(super) panels: usize,
    pub(super) rows: usize,
    pub(super) products: [usize; 2],
    pub(super) turned: usize,
}

const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

impl AttentionPlan {
    /// Whether this pass needs what is written here.
    pub(super) fn is_general(&self, cx: &LayerContext<'_, impl Sized>) -> bool {
        self.extras.any() || self.extras.dropout > 0.0 && cx.is_training()
    }

    /// The columns from `from` to `to`, of this input: panels are cut where a gradient may be cut too.
    const fn part(&self, input: usize, rows: usize, from: usize, to: usize) -> InputPart {
        let mut first = from / Panels::WIDTH;
        while !(first * Panels::WIDTH * self.features).is_multiple_of(Panels::SPLIT_ALIGN) {
            first -= 1;
        }
        let first = first * Panels::WIDTH;
        let end = to.next_multiple_of(Panels::WIDTH);
        let all = 3 * self.features;
        let panels = Panels::new(self.features, if end < all { end } else { all } - first);
        InputPart { input, rows, panels, first, skipped: from - first, used: to - from }
    }

    /// What is made of each input that the product has.
    pub(super) const fn parts(&self) -> ([InputPart; 3], usize) {
        let AttentionPlan { queries, keys, features, .. } = *self;
        let whole = self.part(0, queries, 0, 3 * features);
        if !self.cross {
            return ([whole; 3], 1);
        }
        let query = self.part(0, queries, 0, features);
        if !self.extras.values {
            let memory = self.part(1, keys, features, 3 * features);
            return ([query, memory, memory], 2);
        }
        let [key, value] = [self.part(1, keys, features, 2 * features), self.part(2, keys, 2 * features, 3 * features)];
        ([query, key, value], 3)
    }

    /// Floats of a sample that the input product makes.
    pub(super) const fn made(&self) -> usize {
        let (parts, count) = self.parts();
        let (mut sum, mut k) = (0, 0);
        while k < count {
            sum += parts[k].len();
            k += 1;
        }
        sum
    }

    /// Where queries, keys and values of a sample lie in what is made of a batch: part after part.
    pub(super) fn rows(&self, batch: usize, sample: usize) -> [HeadRows; 3] {
        let (parts, count) = self.parts();
        core::array::from_fn(|k| {
            let part = k.min(count - 1);
            let before: usize = parts[..part].iter().map(|part| batch * part.len()).sum();
            let within = (k - part) * self.features;
            let InputPart { panels, skipped, .. } = parts[part];
            HeadRows { at: before + sample * parts[part].len() + skipped + within, stride: panels.cols() }
        })
    }

    /// Weights of all heads of a sample.
    pub(super) const fn scores(&self) -> usize {
        self.heads * self.queries * self.keys
    }

    /// Numbers of a row of a head.
    pub(super) const fn width(&self) -> usize {
        self.features / self.heads
    }

    pub(super) const fn head_scratch(&self) -> HeadScratch {
        let (queries, keys, width) = (self.queries, self.keys, self.width());
        let long = max(queries, keys);
        let panels = max(Panels::new(width, keys).len(), Panels::new(long, width).len());
        let turned = queries * keys;
        HeadScratch { panels, rows: long * width, products: [long * width, long * width], turned }
    }

    /// Floats that are kept per sample: of queries, keys and values; of contexts; of weights.
    pub(super) const fn kept_in_general(&self) -> [usize; 3] {
        [self.made(), self.queries * self.features, self.scores()]
    }

    /// Scratch of a sample's heads, either way: two arrays of weights, and what a head needs.
    pub(super) const fn sample_scratch(&self) -> usize {
        let HeadScratch { panels, rows, products, turned } = self.head_scratch();
        2 * self.scores() + panels + rows + products[0] + products[1] + turned
    }

    /// What the layer asks for; `None` where that does not fit.
    pub(super) const fn memory_of_all(&self) -> Option<AttentionMemory> {
        let Some(plain) = self.memory() else { return None };
        if !self.extras.any() && self.extras.dropout == 0.0 {
            return Some(plain);
        }
        let long = max(self.queries, self.keys);
        if Shape::of([long.saturating_mul(64), self.features, 4]).checked_len().is_none() {
            return None;
        }
        let [made, contexts, weights] = self.kept_in_general();
        let forward = self.sample_scratch() + made + contexts + weights;
        let backward = self.sample_scratch() + contexts + backward_input_scratch(3 * self.features);
        Some(AttentionMemory {
            saved: max(plain.saved, made + contexts + weights),
            scratch: max(plain.scratch, max(forward, backward)),
        })
    }
}
