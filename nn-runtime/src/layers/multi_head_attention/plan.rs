//! How an attention layer lays out its memory. In: how many queries, keys, features and heads; out: panels of
//! the input product, where queries, keys and values lie, how much is kept. It holds no numbers and computes
//! none.

use crate::shape::Shape;
use nn_kernels::attention::{AttentionHead, AttentionHeads, RowLayout};
use nn_kernels::matrix::{Panels, backward_input_scratch};

/// An attention over inputs that fit.
#[derive(Clone, Copy)]
pub(super) struct AttentionPlan {
    pub(super) queries: usize,
    pub(super) keys: usize,
    pub(super) features: usize,
    pub(super) heads: usize,
    /// Keys and values come of a second input.
    pub(super) cross: bool,
    /// The last input says which keys are there.
    pub(super) masked: bool,
    pub(super) causal: bool,
    pub(super) bias: bool,
    pub(super) extras: Extras,
}

/// What few attentions have.
#[derive(Clone, Copy)]
pub(super) struct Extras {
    /// Values come of a third input.
    pub(super) values: bool,
    /// The input that says which keys each query may see, and the one that is added to the scores.
    pub(super) allowed: Option<OfScores>,
    pub(super) added: Option<OfScores>,
    /// The weights are an output.
    pub(super) weights: bool,
    pub(super) dropout: f32,
}

/// An input of a number for each query and key.
#[derive(Clone, Copy)]
pub(super) struct OfScores {
    pub(super) input: usize,
    /// Each head has its own.
    pub(super) per_head: bool,
}

impl Extras {
    /// Whether these need more than the kernels of plain attention, beside dropout, which only training does.
    pub(super) const fn any(&self) -> bool {
        self.values || self.allowed.is_some() || self.added.is_some() || self.weights
    }
}

/// Floats that the layer asks for.
pub(super) struct AttentionMemory {
    /// Per sample.
    pub(super) saved: usize,
    pub(super) scratch: usize,
}

/// Rows that are taken backward through the output product at a time: fewer leave lanes empty.
const ROWS: usize = 32;

impl AttentionPlan {
    pub(super) const fn head(&self) -> AttentionHead {
        let width = self.features / self.heads;
        AttentionHead { queries: self.queries, keys: self.keys, width, causal: self.causal }
    }

    /// All heads of so many samples.
    pub(super) const fn heads(&self, samples: usize) -> AttentionHeads {
        AttentionHeads { head: self.head(), count: self.heads, samples, masked: self.masked }
    }

    /// The panels of the whole input product.
    pub(super) const fn whole(&self) -> Panels {
        Panels::best(self.features, 3 * self.features)
    }

    pub(super) const fn out(&self) -> Panels {
        Panels::best(self.features, self.features)
    }

    /// The panels that make queries. In cross-attention those are the first ones, as many as hold the first
    /// third of the columns; what there is of keys in the last one is made too, and not used.
    pub(super) const fn of_queries(&self) -> Panels {
        let (third, all) = (self.features.next_multiple_of(Panels::WIDTH), 3 * self.features);
        Panels::new(self.features, if self.cross && third < all { third } else { all })
    }

    /// The panels that make keys and values in cross-attention: the last ones.
    pub(super) const fn of_memory(&self) -> Panels {
        Panels::new(self.features, 3 * self.features - self.first_of_memory())
    }

    /// The column where those begin: such that a gradient that may be cut in the whole may be cut there too.
    pub(super) const fn first_of_memory(&self) -> usize {
        let mut panels = self.features / Panels::WIDTH;
        while !(panels * Panels::WIDTH * self.features).is_multiple_of(Panels::SPLIT_ALIGN) {
            panels -= 1;
        }
        panels * Panels::WIDTH
    }

    /// Columns before the first key among those.
    pub(super) const fn before_keys(&self) -> usize {
        self.features - self.first_of_memory()
    }

    /// Floats of a sample's queries, keys and values: of its queries, and of keys and values where they lie
    /// apart.
    pub(super) const fn projected(&self) -> [usize; 2] {
        let memory = if self.cross { self.keys * self.of_memory().cols() } else { 0 };
        [self.queries * self.of_queries().cols(), memory]
    }

    /// Where queries, keys and values of the samples from one on lie in those of a batch: all queries first,
    /// where they lie apart.
    pub(super) const fn lay(&self, batch: usize, sample: usize) -> [RowLayout; 3] {
        let ([queries, memory], stride) = (self.projected(), self.of_queries().cols());
        let q = RowLayout { offset: sample * queries, stride, sample: queries };
        let k = match self.cross {
            true => {
                let offset = batch * queries + sample * memory + self.before_keys();
                RowLayout { offset, stride: self.of_memory().cols(), sample: memory }
            }
            false => RowLayout { offset: q.offset + self.features, ..q },
        };
        [q, k, RowLayout { offset: k.offset + self.features, ..k }]
    }

    /// Where context rows lie.
    pub(super) const fn context(&self) -> RowLayout {
        RowLayout { offset: 0, stride: self.features, sample: self.queries * self.features }
    }

    /// Samples that are taken backward through the output product at a time.
    pub(super) const fn together(&self) -> usize {
        ROWS.div_ceil(self.queries)
    }

    /// Floats that are kept per sample: of queries, keys and values; of contexts; of weights.
    pub(super) const fn kept(&self) -> [usize; 3] {
        let [queries, memory] = self.projected();
        [queries + memory, self.queries * self.features, self.heads * self.head().weights()]
    }

    /// What the layer asks for; `None` where that does not fit.
    pub(super) const fn memory(&self) -> Option<AttentionMemory> {
        let AttentionPlan { queries, keys, features, heads, .. } = *self;
        // A generous count that must fit first, so that nothing below overflows.
        let wide = [queries, keys, features, 4];
        let weights = Shape::of([queries.next_multiple_of(32), keys.next_multiple_of(32), heads]).checked_len();
        if weights.is_none()
            || Shape::of(wide).checked_len().is_none()
            || Shape::of([features, features, 4]).checked_len().is_none()
        {
            return None;
        }
        let [projected, contexts, weights] = self.kept();
        let saved = projected + contexts + weights;
        let forward = projected + contexts + weights / heads + self.head().scratch();
        let backward =
            self.together() * contexts + self.head().backward_scratch() + backward_input_scratch(3 * features);
        Some(AttentionMemory { saved, scratch: if forward > backward { forward } else { backward } })
    }

    pub(super) const fn macs(&self) -> usize {
        let AttentionPlan { queries, keys, features, .. } = *self;
        // Two products of queries, two of keys, and the two between them.
        let each = (2 * queries + 2 * keys).saturating_mul(features);
        each.saturating_add(2 * queries * keys).saturating_mul(features)
    }
}
