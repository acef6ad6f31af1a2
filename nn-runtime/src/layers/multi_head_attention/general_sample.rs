//! The heads of one sample of an attention that has more than most, forward and backward. In: queries, keys
//! and values, what masks them and what is added; out: weights and contexts, or gradients. By the products of
//! dense layers, weights in rows of keys.

use super::general_plan::{HeadRows, HeadScratch};
use super::plan::{AttentionPlan, Extras, OfScores};
use crate::layer::LayerContext;
use crate::layers::mask::is_step;
use nn_kernels::counter_rng::CounterRng;
use nn_kernels::dropout::dropout;
use nn_kernels::matrix::{Panels, product};
use nn_kernels::simd::Isa;
use nn_kernels::softmax::{softmax_backward, softmax_in_place};

const NO_FLOOR: f32 = f32::NEG_INFINITY;

/// The score of a key that is not seen: its weight is 0, and is made so where nothing is seen.
const HIDDEN: f32 = -1e30;

/// The masks and numbers of a sample.
#[derive(Clone, Copy)]
pub(super) struct ScoreMasks<'a> {
    /// 0 at a key that is not there.
    keys: Option<&'a [f32]>,
    allowed: Option<(&'a [f32], bool)>,
    added: Option<(&'a [f32], bool)>,
    causal: bool,
}

/// What dropout draws with, while it does.
#[derive(Clone, Copy)]
pub(super) struct WeightDropout {
    pub(super) rng: CounterRng,
    pub(super) sample: usize,
    pub(super) rate: f32,
}

/// Scratch of a sample.
pub(super) struct Work<'a> {
    /// Of all heads: weights after dropout, and gradients.
    used: &'a mut [f32],
    slopes: &'a mut [f32],
    panels: &'a mut [f32],
    rows: &'a mut [f32],
    products: [&'a mut [f32]; 2],
    turned: &'a mut [f32],
}

impl ScoreMasks<'_> {
    fn hides(&self) -> bool {
        self.keys.is_some() || self.allowed.is_some() || self.causal
    }

    fn has(&self, key: usize) -> bool {
        self.keys.is_none_or(|mask| is_step(&mask[key]))
    }

    fn sees(&self, head: usize, [queries, keys]: [usize; 2], query: usize, key: usize) -> bool {
        let allows = |(allowed, per_head): (&[f32], bool)| {
            is_step(&allowed[(if per_head { head * queries } else { 0 } + query) * keys + key])
        };
        self.has(key) && self.allowed.is_none_or(allows) && !(self.causal && key > query)
    }

    /// Writes `to` where a key of a head is not seen.
    fn hide(&self, head: usize, [queries, keys]: [usize; 2], scores: &mut [f32], to: f32) {
        for (i, scores) in scores.chunks_exact_mut(keys).enumerate() {
            if let Some(mask) = self.keys {
                scores.iter_mut().zip(mask).filter(|(_, mask)| !is_step(mask)).for_each(|(score, _)| *score = to);
            }
            if let Some((allowed, per_head)) = self.allowed {
                let row = &allowed[(if per_head { head * queries } else { 0 } + i) * keys..][..keys];
                scores.iter_mut().zip(row).filter(|(_, seen)| !is_step(seen)).for_each(|(score, _)| *score = to);
            }
            if self.causal {
                scores.iter_mut().skip(i + 1).for_each(|score| *score = to);
            }
        }
    }
}

/// Row after row into panels whose inputs are the rows.
fn pack_rows(panels: Panels, rows: &[f32], storage: &mut [f32]) {
    let cols = panels.cols();
    storage.fill(0.0);
    for (i, row) in rows.chunks_exact(cols).enumerate() {
        for (p, piece) in row.chunks(Panels::WIDTH).enumerate() {
            storage[panels.index(i, p * Panels::WIDTH)..][..piece.len()].copy_from_slice(piece);
        }
    }
}

/// `to = fromᵀ`, of rows of `width`.
fn turn(from: &[f32], width: usize, to: &mut [f32]) {
    let rows = from.len() / width;
    for (i, row) in from.chunks_exact(width).enumerate() {
        row.iter().enumerate().for_each(|(j, x)| to[j * rows + i] = *x);
    }
}

impl AttentionPlan {
    pub(super) fn beside<'a>(&self, x: &[&'a [f32]], sample: usize) -> ScoreMasks<'a> {
        let of = |scores: Option<OfScores>| {
            scores.map(|OfScores { input, per_head }| {
                let len = self.queries * self.keys * if per_head { self.heads } else { 1 };
                (&x[input][sample * len..][..len], per_head)
            })
        };
        let keys = self.masked.then(|| &x[x.len() - 1][sample * self.keys..][..self.keys]);
        ScoreMasks { keys, allowed: of(self.extras.allowed), added: of(self.extras.added), causal: self.causal }
    }

    /// The same without what is added, which nothing backward reads.
    pub(super) fn masks<'a>(&self, x: &[&'a [f32]], sample: usize) -> ScoreMasks<'a> {
        let extras = Extras { added: None, ..self.extras };
        AttentionPlan { extras, ..*self }.beside(x, sample)
    }

    pub(super) fn dropping(&self, cx: &LayerContext, sample: usize) -> Option<WeightDropout> {
        let rate = self.extras.dropout;
        (rate > 0.0 && cx.is_training()).then(|| WeightDropout { rng: cx.rng, sample: cx.first_sample + sample, rate })
    }

    pub(super) fn work<'a>(&self, scratch: &'a mut [f32]) -> (Work<'a>, &'a mut [f32]) {
        let HeadScratch { panels, rows, products: [first, second], turned } = self.head_scratch();
        let mut left = scratch;
        let [used, slopes, panels, rows, first, second, turned] =
            [self.scores(), self.scores(), panels, rows, first, second, turned].map(|len| {
                let (piece, rest) = core::mem::take(&mut left).split_at_mut(len);
                left = rest;
                piece
            });
        (Work { used, slopes, panels, rows, products: [first, second], turned }, left)
    }

    /// The rows of a head, side by side, those that are not there 0.
    fn take_head(
        &self,
        all: &[f32],
        HeadRows { at, stride }: HeadRows,
        head: usize,
        to: &mut [f32],
        there: impl Fn(usize) -> bool,
    ) {
        let width = self.width();
        for (i, to) in to.chunks_exact_mut(width).enumerate() {
            match there(i) {
                true => to.copy_from_slice(&all[at + i * stride + head * width..][..width]),
                false => to.fill(0.0),
            }
        }
    }

    /// The rows of keys or values of a head, as products take them: those that are not there, and those that
    /// not all queries see and that are not finite, 0; 0 times them would not be.
    fn take_keys(&self, all: &[f32], rows: HeadRows, head: usize, beside: &ScoreMasks, to: &mut [f32]) {
        self.take_head(all, rows, head, to, |j| beside.has(j));
        if beside.hides() {
            let wild = to.chunks_exact_mut(self.width()).filter(|row| !row.iter().all(|x| x.is_finite()));
            wild.for_each(|row| row.fill(0.0));
        }
    }

    /// Of each row that [`take_keys`](Self::take_keys) left out although it is there: every query that sees
    /// it.
    fn each_wild_pair(
        &self,
        all: &[f32],
        HeadRows { at, stride }: HeadRows,
        head: usize,
        beside: &ScoreMasks,
        mut pair: impl FnMut(usize, usize, &[f32]),
    ) {
        for j in (0..self.keys).filter(|j| beside.hides() && beside.has(*j)) {
            let row = &all[at + j * stride + head * self.width()..][..self.width()];
            if !row.iter().all(|x| x.is_finite()) {
                let sees = |i: &usize| beside.sees(head, [self.queries, self.keys], *i, j);
                (0..self.queries).filter(sees).for_each(|i| pair(i, j, row));
            }
        }
    }

    fn put_head(&self, from: &[f32], factor: f32, HeadRows { at, stride }: HeadRows, head: usize, all: &mut [f32]) {
        let width = self.width();
        for (i, from) in from.chunks_exact(width).enumerate() {
            let to = &mut all[at + i * stride + head * width..][..width];
            to.iter_mut().zip(from).for_each(|(to, from)| *to = factor * from);
        }
    }

    fn scale(&self) -> f32 {
        1.0 / libm::sqrtf(self.width() as f32)
    }

    /// The weights of a sample, its contexts, and what of the weights is told.
    #[allow(clippy::too_many_arguments, reason = "one sample's slices")]
    pub(super) fn sample(
        &self,
        isa: Isa,
        (made, rows): (&[f32], [HeadRows; 3]),
        beside: ScoreMasks,
        drop: Option<WeightDropout>,
        weights: &mut [f32],
        work: &mut Work,
        contexts: &mut [f32],
        told: &mut [f32],
    ) {
        let (width, scores) = (self.width(), self.queries * self.keys);
        let [of_queries, of_keys] = [self.queries * width, self.keys * width];
        let context = HeadRows { at: 0, stride: self.features };
        for (head, weights) in weights.chunks_exact_mut(scores).enumerate() {
            let panels = Panels::new(width, self.keys);
            let storage = &mut work.panels[..panels.len()];
            self.take_head(made, rows[1], head, &mut work.rows[..of_keys], |j| beside.has(j));
            panels.pack(&work.rows[..of_keys], storage);
            let queries = &mut work.products[0][..of_queries];
            self.take_head(made, rows[0], head, queries, |_| true);
            queries.iter_mut().for_each(|q| *q *= self.scale());
            product(isa, panels, queries, storage, None, NO_FLOOR, weights);
            if let Some((added, per_head)) = beside.added {
                isa.add(&added[if per_head { head * scores } else { 0 }..][..scores], weights);
            }
            beside.hide(head, [self.queries, self.keys], weights, HIDDEN);
            softmax_in_place(isa, self.keys, weights);
            if beside.hides() {
                beside.hide(head, [self.queries, self.keys], weights, 0.0);
            }
        }
        let weights = match drop {
            None => weights,
            Some(WeightDropout { rng, sample, rate }) => {
                dropout(isa, rng, sample as u64, weights.len(), rate, weights, work.used);
                &mut *work.used
            }
        };
        for (head, weights) in weights.chunks_exact(scores).enumerate() {
            let panels = Panels::new(self.keys, width);
            let storage = &mut work.panels[..panels.len()];
            self.take_keys(made, rows[2], head, &beside, &mut work.rows[..of_keys]);
            pack_rows(panels, &work.rows[..of_keys], storage);
            let out = &mut work.products[0][..of_queries];
            product(isa, panels, weights, storage, None, NO_FLOOR, out);
            self.each_wild_pair(made, rows[2], head, &beside, |i, j, value| {
                let weight = weights[i * self.keys + j];
                out[i * width..][..width].iter_mut().zip(value).for_each(|(out, v)| *out += weight * v);
            });
            self.put_head(out, 1.0, context, head, contexts);
        }
        if !told.is_empty() {
            told.fill(0.0);
            weights.chunks_exact(scores).for_each(|weights| isa.add(weights, told));
            told.iter_mut().for_each(|told| *told /= self.heads as f32);
        }
    }

    /// Queries, keys and values of a sample become their gradients, where they lie.
    #[allow(clippy::too_many_arguments, reason = "one sample's slices")]
    pub(super) fn sample_backward(
        &self,
        isa: Isa,
        (made, rows): (&mut [f32], [HeadRows; 3]),
        beside: ScoreMasks,
        drop: Option<WeightDropout>,
        weights: &mut [f32],
        work: &mut Work,
        (dcontexts, dtold): (&[f32], &[f32]),
        (dadded, per_head): (&mut [f32], bool),
    ) {
        let (width, scores) = (self.width(), self.queries * self.keys);
        let [of_queries, of_keys] = [self.queries * width, self.keys * width];
        let context = HeadRows { at: 0, stride: self.features };
        if beside.hides() {
            // A query of whose output nothing is asked may be padding, which need not be finite.
            for i in 0..self.queries {
                let asked = dcontexts[i * self.features..][..self.features].iter().any(|d| *d != 0.0);
                if !asked && dtold.chunks_exact(self.keys).nth(i).is_none_or(|d| d.iter().all(|d| *d == 0.0)) {
                    (0..self.heads).for_each(|h| weights[h * scores + i * self.keys..][..self.keys].fill(0.0));
                }
            }
        }
        for (head, slopes) in work.slopes.chunks_exact_mut(scores).enumerate() {
            let panels = Panels::new(width, self.keys);
            let storage = &mut work.panels[..panels.len()];
            self.take_keys(made, rows[2], head, &beside, &mut work.rows[..of_keys]);
            panels.pack(&work.rows[..of_keys], storage);
            let d = &mut work.products[0][..of_queries];
            self.take_head(dcontexts, context, head, d, |_| true);
            product(isa, panels, d, storage, None, NO_FLOOR, slopes);
            self.each_wild_pair(made, rows[2], head, &beside, |i, j, value| {
                let d = d[i * width..][..width].iter().zip(value).filter(|(d, _)| **d != 0.0);
                slopes[i * self.keys + j] += d.map(|(d, v)| d * v).sum::<f32>();
            });
            let share = 1.0 / self.heads as f32;
            slopes.iter_mut().zip(dtold).for_each(|(slope, d)| *slope += share * d);
        }
        if let Some(WeightDropout { rng, sample, rate }) = drop {
            let sample = sample as u64;
            dropout(isa, rng, sample, weights.len(), rate, work.slopes, work.used);
            work.slopes.copy_from_slice(work.used);
            dropout(isa, rng, sample, weights.len(), rate, weights, work.used);
        } else {
            work.used.copy_from_slice(weights);
        }
        if !dadded.is_empty() {
            dadded.fill(0.0);
        }
        for head in 0..self.heads {
            let weights = &weights[head * scores..][..scores];
            let used = &mut work.used[head * scores..][..scores];
            // dv = usedᵀ · dcontext
            let panels = Panels::new(self.queries, width);
            let storage = &mut work.panels[..panels.len()];
            turn(used, self.keys, &mut work.turned[..scores]);
            self.take_head(dcontexts, context, head, &mut work.rows[..of_queries], |_| true);
            pack_rows(panels, &work.rows[..of_queries], storage);
            let out = &mut work.products[0][..of_keys];
            product(isa, panels, &work.turned[..scores], storage, None, NO_FLOOR, out);
            self.put_head(out, 1.0, rows[2], head, made);
            // What was used is used no more: it becomes the gradient of the scores.
            softmax_backward(isa, self.keys, weights, &work.slopes[head * scores..][..scores], used);
            if !dadded.is_empty() {
                isa.add(used, &mut dadded[if per_head { head * scores } else { 0 }..][..scores]);
            }
            // dk = scoresᵀ · q, dq = scores · k
            turn(used, self.keys, &mut work.turned[..scores]);
            let asked = |i: usize| !beside.hides() || weights[i * self.keys..][..self.keys].iter().any(|w| *w != 0.0);
            self.take_head(made, rows[0], head, &mut work.rows[..of_queries], asked);
            pack_rows(panels, &work.rows[..of_queries], storage);
            let [dq, dk] = &mut work.products;
            let (dq, dk) = (&mut dq[..of_queries], &mut dk[..of_keys]);
            product(isa, panels, &work.turned[..scores], storage, None, NO_FLOOR, dk);
            let panels = Panels::new(self.keys, width);
            let storage = &mut work.panels[..panels.len()];
            self.take_keys(made, rows[1], head, &beside, &mut work.rows[..of_keys]);
            pack_rows(panels, &work.rows[..of_keys], storage);
            product(isa, panels, used, storage, None, NO_FLOOR, dq);
            self.each_wild_pair(made, rows[1], head, &beside, |i, j, key| {
                if asked(i) {
                    let slope = used[i * self.keys + j];
                    dq[i * width..][..width].iter_mut().zip(key).for_each(|(dq, k)| *dq += slope * k);
                }
            });
            self.put_head(dq, self.scale(), rows[0], head, made);
            self.put_head(dk, self.scale(), rows[1], head, made);
        }
    }
}
