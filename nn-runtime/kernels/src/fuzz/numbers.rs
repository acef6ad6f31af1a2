//! Calls of what goes through numbers, rows and channels.

use std::vec::Vec;

use super::{Rng, Slices, product_of};
use crate::batch_norm::{Channels, channels_backward, gradient_sums, moments, scale_channels};
use crate::counter_rng::{CounterRng, uniform};
use crate::dropout::dropout;
use crate::gather::gather;
use crate::optimizer::{UpdateRule, add_penalty, clamp, update, update_ema};
use crate::pool::masked_mean;
use crate::reduce::{sum_of_abs, sum_of_squares};
use crate::row_norm::{NormRows, SAVED_PER_ROW, row_bias_backward, row_norm, row_norm_backward, row_weight_backward};
use crate::simd::{Isa, Simd};
use crate::softmax::{
    argmax, cross_entropy_distribution, cross_entropy_distribution_value, cross_entropy_labels,
    cross_entropy_labels_value, log_softmax, log_softmax_backward, log_softmax_in_place, row_max, row_sum, softmax,
    softmax_backward, softmax_in_place,
};
use crate::workspace::{BufferRange, Region, Workspace};

pub(super) const CALLS: &[fn(&mut Rng, Isa) -> bool] = &[
    elementwise,
    optimise,
    drop_some,
    pick,
    channels,
    channels,
    rows,
    rows,
    rows,
    softmaxes,
    softmaxes,
    entropy,
    places,
];

struct Descend;

impl Copy for Descend {}
impl Clone for Descend {
    fn clone(&self) -> Self {
        *self
    }
}

impl UpdateRule<1> for Descend {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, p: S::F, g: S::F, [m]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        (s.sub(p, s.add(g, m)), [g])
    }
}

fn elementwise(rng: &mut Rng, isa: Isa) -> bool {
    let n = Some(rng.below(100));
    let op = rng.below(5);
    Slices::new(rng, &[n, n]).call("an elementwise call", |[a, b]| match op {
        0 => isa.add(a, b),
        1 => isa.axpy(0.5, a, b),
        2 => isa.scale(0.5, a),
        3 => _ = (isa.sum(a), sum_of_squares(isa, a), sum_of_abs(isa, b)),
        _ => update_ema(isa, 0.5, a, b),
    })
}

fn optimise(rng: &mut Rng, isa: Isa) -> bool {
    let (n, op) = (Some(rng.below(100)), rng.below(3));
    Slices::new(rng, &[n, n, n]).call("an update", |[a, b, c]| match op {
        0 => update(isa, Descend, a, b, [c]),
        1 => add_penalty(isa, 0.1, 0.1, a, b),
        _ => clamp(isa, 1.0, a),
    })
}

fn drop_some(rng: &mut Rng, isa: Isa) -> bool {
    let (each, op, word) = (rng.size(50), rng.flip(), CounterRng { key: 3 }.word(rng.below(99) as u64));
    let n = product_of(&[rng.below(4), each]);
    let key = CounterRng { key: 7 };
    Slices::new(rng, &[n, n]).call("a draw", |[x, y]| match op {
        true => dropout(isa, key, word, each, 0.5, x, y),
        false => uniform(isa, key, word, each, y),
    })
}

fn pick(rng: &mut Rng, isa: Isa) -> bool {
    let (width, samples, op) = (rng.size(40), 1 + rng.below(5), rng.flip());
    let which: Vec<usize> = (0..rng.below(6)).map(|_| rng.index(samples)).collect();
    let all = [product_of(&[width, samples]), product_of(&[width, which.len()]), Some(width), Some(samples)];
    Slices::new(rng, &all).call("a choice", |[from, to, mean, mask]| match op {
        true => gather(isa, from, width, &which, to),
        false => masked_mean(isa, from, mask, mean),
    })
}

fn channels(rng: &mut Rng, isa: Isa) -> bool {
    let layout = Channels { channels: rng.size(40), inner: rng.from(&[1, 1, 2, 20, 0]) };
    let (n, c) = (product_of(&[rng.below(4), layout.channels, layout.inner]), Some(layout.channels));
    let op = rng.below(4);
    Slices::new(rng, &[n, n, n, c, c, c, c]).call("a call of channels", |[x, y, z, a, b, c, d]| match op {
        0 => moments(isa, layout, x, a, b),
        1 => gradient_sums(isa, layout, x, y, a, b, c),
        2 => scale_channels(isa, layout, x, [a, b, c], 0.0, y),
        _ => channels_backward(isa, layout, x, y, [a, b, c, d], z),
    })
}

fn rows(rng: &mut Rng, isa: Isa) -> bool {
    let (span, per_row, period) = (rng.from(&[1, 1, 1, 4, 20]), rng.size(40), rng.from(&[1, 1, 2, 3]));
    let weights = per_row.saturating_mul(period);
    let mut all = NormRows { row: per_row.saturating_mul(span), span, weights, centred: rng.flip(), eps: 1e-5 };
    if rng.below(9) == 0 {
        let wild = rng.from(&[0, 3, 5, usize::MAX, usize::MAX / 2 + 1]);
        *[&mut all.row, &mut all.span, &mut all.weights][rng.below(3)] = wild;
    }
    let count = rng.below(4) * period;
    let (n, w, saved) = (product_of(&[count, all.row]), Some(weights), Some(count * SAVED_PER_ROW));
    let (op, flip) = (rng.below(4), rng.flip());
    let from = rng.below(3).min(weights);
    Slices::new(rng, &[n, n, n, w, w, saved, weights.checked_sub(from)]).call(
        "a call of rows",
        |[x, dy, y, w, b, saved, d]| match op {
            0 => row_norm(isa, all, x, [Some(&*w), flip.then_some(&*b)], 0.0, y, if flip { saved } else { &mut [] }),
            1 => row_norm_backward(isa, all, x, flip.then_some(&*w), dy, saved, y),
            2 => row_weight_backward(isa, all, x, dy, saved, from..weights, d),
            _ => row_bias_backward(isa, all, dy, from..weights, d),
        },
    )
}

fn softmaxes(rng: &mut Rng, isa: Isa) -> bool {
    let (n, count, op) = (rng.size(90), rng.below(40), rng.below(9));
    let all = product_of(&[n, count]);
    Slices::new(rng, &[all, all, all, Some(count)]).call("a softmax", |[x, y, z, each]| match op {
        0 => softmax(isa, n, x, y),
        1 => softmax_in_place(isa, n, x),
        2 => log_softmax(isa, n, x, y),
        3 => log_softmax_in_place(isa, n, x),
        4 => softmax_backward(isa, n, x, y, z),
        5 => log_softmax_backward(isa, n, x, y, z),
        6 => row_max(isa, n, x, each),
        7 => row_sum(isa, n, x, each),
        _ => _ = argmax(x),
    })
}

fn entropy(rng: &mut Rng, isa: Isa) -> bool {
    let (n, count, op) = (rng.size(60), rng.below(20), rng.below(4));
    let labels: Vec<u32> = (0..count).map(|_| rng.index(n.clamp(1, 99)) as u32).collect();
    let all = product_of(&[n, count]);
    Slices::new(rng, &[all, all, all]).call("a cross-entropy", |[x, t, dx]| match op {
        0 => _ = cross_entropy_labels(isa, n, x, &labels, 0.5, 0.1, dx),
        1 => _ = cross_entropy_labels_value(isa, n, x, &labels, 0.1),
        2 => _ = cross_entropy_distribution(isa, n, x, t, 0.5, 0.1, dx),
        _ => _ = cross_entropy_distribution_value(isa, n, x, t, 0.1),
    })
}

/// Places in a workspace; what is written is written, and what is read is read.
fn places(rng: &mut Rng, _: Isa) -> bool {
    let regions = [Region::Work, Region::Work, Region::Work, Region::X, Region::Y, Region::Dy, Region::Dx];
    let place = |rng: &mut Rng| {
        let wild = [rng.wild(), rng.wild()];
        let [offset, len] = [rng.below(30), rng.below(9)];
        let pick = rng.below(16);
        BufferRange {
            region: regions[rng.below(regions.len())],
            index: usize::from(rng.below(20) == 0),
            offset: if pick == 0 { wild[0] } else { offset },
            len: if pick == 1 { wild[1] } else { len },
        }
    };
    let all: [BufferRange; 5] = core::array::from_fn(|_| place(rng));
    let backward = rng.flip();
    Slices::new(rng, &[Some(40), Some(40), Some(40), Some(40)]).call("a workspace", |[work, x, dy, written]| {
        let writes = if backward { Region::Dx } else { Region::Y };
        let (x, dy) = ([&*x], [&*dy]);
        let mut written = [written];
        let mut workspace = Workspace { work, x: &x, y: &dy, dy: &dy, written: &mut written, writes };
        let [a, b, c, d, e] = all;
        let ([a], [b], [], [c, d], e) = workspace.borrow_disjoint([a], [b], [], [c, d], e);
        let read: f32 = a.iter().chain(b).sum();
        c.fill(read);
        d.fill(read);
        e.fill(read);
    })
}
