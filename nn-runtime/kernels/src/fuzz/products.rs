//! Calls of what multiplies and adds up: matrices, attention, recurrent cells.

use core::marker::PhantomData;

use super::{Rng, Slices, product_of, returns};
use crate::attention::{AttentionHead, AttentionHeads, RowLayout, StridedRows, attend, backward};
use crate::conv::{CausalStep, FilterBank};
use crate::long_sums::Sums;
use crate::matrix::{Panels, backward_bias, backward_input, backward_input_scratch, backward_weight, product};
use crate::recurrent::{
    Cell, GateColumns, GateWeights, Gru, Lstm, PreparedCell, RecurrentBackward, RecurrentBlock, RecurrentForward,
    RecurrentStep, Rnn, SavedSteps, Sequence, StateRows, TransposedWeights, weighted_sums,
};
use crate::simd::{Isa, LANES};
use crate::sizes::round_up;

pub(super) const CALLS: &[fn(&mut Rng, Isa) -> bool] = &[
    matrix,
    matrix,
    matrix,
    sums,
    heads,
    heads,
    forward::<Rnn>,
    forward::<Gru>,
    forward::<Lstm>,
    back::<Rnn>,
    back::<Gru>,
    back::<Lstm>,
    step::<Gru>,
    step::<Lstm>,
    causal,
];

fn matrix(rng: &mut Rng, isa: Isa) -> bool {
    let (rows, cols, batch) = (rng.size(70), rng.size(70), rng.below(5));
    let Some(p) = returns(|| if rng.flip() { Panels::best(rows, cols) } else { Panels::new(rows, cols) }) else {
        return false;
    };
    let len = returns(|| p.len());
    let (x, dy) = (product_of(&[batch, rows]), product_of(&[batch, cols]));
    let cut = rng.from(&[0, 0, 0, 1, 2, 3]) * if rng.below(9) == 0 { 7 } else { Panels::SPLIT_ALIGN };
    let end = len.unwrap_or(0).min(rng.from(&[usize::MAX, usize::MAX, 512]));
    let sums = Sums { overwrite: rng.flip(), blocks: rng.flip() };
    match rng.below(6) {
        0 => Slices::new(rng, &[x, len, Some(cols), dy]).call("product", |[x, w, bias, y]| {
            product(isa, p, x, w, Some(bias), 0.0, y);
        }),
        1 => {
            let scratch = returns(|| backward_input_scratch(cols));
            Slices::new(rng, &[dy, len, x, scratch]).call("backward_input", |[dy, w, dx, scratch]| {
                backward_input(isa, p, dy, w, dx, scratch);
            })
        }
        2 => Slices::new(rng, &[x, dy, end.checked_sub(cut)]).call("backward_weight", |[x, dy, dw]| {
            backward_weight(isa, p, x, dy, cut..end, dw, sums);
        }),
        3 => Slices::new(rng, &[dy, cols.checked_sub(cut % 64)]).call("backward_bias", |[dy, db]| {
            backward_bias(isa, cols, dy, cut % 64..cols, db, sums.blocks);
        }),
        4 => Slices::new(rng, &[product_of(&[rows, cols]), len]).call("pack", |[from, to]| p.pack(from, to)),
        _ => Slices::new(rng, &[product_of(&[rows, cols]), len]).call("unpack", |[to, from]| p.unpack(from, to)),
    }
}

fn sums(rng: &mut Rng, isa: Isa) -> bool {
    let (rows, cols, from, flip) = (rng.size(70), rng.size(200), rng.below(20), rng.flip());
    Slices::new(rng, &[Some(rows), product_of(&[rows, cols]), cols.checked_sub(from)])
        .call("weighted_sums", |[x, dy, d]| weighted_sums(isa, cols, flip.then_some(&*x), dy, from..cols, d, flip))
}

fn layout(rng: &mut Rng, rows: usize, row: Option<usize>) -> RowLayout {
    let stride = row.unwrap_or(9).saturating_add(rng.from(&[0, 0, 3]));
    RowLayout { offset: rng.from(&[0, 0, 5]), stride, sample: rows.saturating_mul(stride) }
}

fn heads(rng: &mut Rng, isa: Isa) -> bool {
    let head = AttentionHead { queries: rng.size(40), keys: rng.size(40), width: rng.size(9), causal: rng.flip() };
    let masked = rng.flip();
    let mut heads = AttentionHeads { head, count: rng.size(3), samples: rng.size(3), masked };
    if rng.below(20) == 0 {
        // Sizes whose product wraps around to a small one.
        heads.count = 2 << (usize::BITS / 2);
        heads.head.width = 1 << (usize::BITS / 2 - 1);
    }
    let (row, head) = (product_of(&[heads.count, heads.head.width]), heads.head);
    let mut layouts = [head.queries, head.keys, head.keys, head.queries].map(|rows| layout(rng, rows, row));
    if rng.below(12) == 0 {
        let wild = rng.wild();
        let RowLayout { offset, stride, sample } = &mut layouts[rng.below(4)];
        *[offset, stride, sample][rng.below(3)] = wild;
    }
    let len = |layout: &RowLayout| layout.sample.checked_mul(heads.samples)?.checked_add(layout.offset);
    let [q, k, v, context] = layouts.each_ref().map(len);
    let weights = returns(|| heads.samples * heads.count * head.weights());
    let mask = product_of(&[heads.samples, head.keys]);
    if rng.flip() {
        let scratch = returns(|| head.scratch());
        return Slices::new(rng, &[q, k, v, mask, weights, scratch, context]).call(
            "attend",
            |[q, k, v, mask, weights, scratch, context]| {
                let rows = |all, layout| StridedRows { all, layout };
                let qkv = [rows(&*q, layouts[0]), rows(&*k, layouts[1]), rows(&*v, layouts[2])];
                attend(isa, heads, qkv, masked.then_some(&*mask), weights, scratch, (context, layouts[3]));
            },
        );
    }
    let scratch = returns(|| head.backward_scratch());
    let all = q.max(k).max(v);
    Slices::new(rng, &[all, weights, context, scratch]).call("attention's backward", |[qkv, weights, dc, scratch]| {
        let [q, k, v, c] = layouts;
        backward(isa, heads, (qkv, [q, k, v]), weights, StridedRows { all: dc, layout: c }, scratch);
    })
}

fn sequence(rng: &mut Rng) -> Sequence {
    let (steps, units, at) = (rng.size(6), rng.size(40), rng.from(&[0, 0, 7]));
    let width = match rng.below(12) {
        0 => rng.wild(),
        _ => units.saturating_add(at + rng.below(2)),
    };
    let at = if rng.below(20) == 0 { rng.wild() } else { at };
    Sequence { steps, units, reverse: rng.flip(), last: rng.flip(), width, at }
}

fn forward<C: Cell>(rng: &mut Rng, isa: Isa) -> bool {
    let (sequence, batch, features) = (sequence(rng), rng.below(4), rng.size(20));
    let Sequence { steps, units, last, width, .. } = sequence;
    let of = |inputs: usize| returns(|| Panels::new(inputs, C::GATES * units));
    let (Some(of_x), Some(of_h)) = (of(features), of(units)) else { return false };
    let columns = |inputs: usize| returns(|| GateColumns::<C>::scratch(inputs, units));
    let scratch = returns(|| RecurrentForward::<C>::scratch(units)).map(|[once, each]| once + batch * each);
    let (flip, masked) = (rng.flip(), rng.flip());
    let products = if C::SPLIT { product_of(&[batch, steps, units, C::GATES]) } else { Some(0) };
    let all = [
        product_of(&[batch, steps, features]),
        returns(|| of_x.len()),
        returns(|| of_h.len()),
        columns(features),
        columns(units),
        product_of(&[C::GATES, units]),
        product_of(&[batch, steps]),
        product_of(&[C::STATES, batch, units]),
        scratch,
        product_of(&[batch, if last { 1 } else { steps }, width]),
        product_of(&[batch, steps, units, C::GATES]),
        products,
        product_of(&[batch, steps, units]),
        product_of(&[batch, steps, units, usize::from(C::RESETS_FIRST)]),
        product_of(&[batch, steps, units, if C::RESETS_FIRST { C::GATES } else { 0 }]),
    ];
    Slices::new(rng, &all).call(
        "a recurrent forward",
        |[x, w, u, to, to_u, bias, mask, state, scratch, y, gates, products, before, resets, candidates]| {
            let inputs = GateColumns::<C>::new(&GateWeights { panels: of_x, w, bias: Some(bias) }, to);
            let weights = GateColumns::<C>::new(&GateWeights { panels: of_h, w: u, bias: None }, to_u);
            let saved = flip.then_some(SavedSteps { gates, products, before, resets, candidates });
            let mask = masked.then_some(&*mask);
            RecurrentForward { sequence, x, inputs, weights, saved, mask, state, scratch, y, starts: None }.run(isa);
        },
    )
}

fn back<C: Cell>(rng: &mut Rng, isa: Isa) -> bool {
    let (sequence, batch) = (sequence(rng), rng.below(4));
    let Sequence { steps, units, last, width, .. } = sequence;
    let Some(panels) = returns(|| Panels::new(units, C::GATES * units)) else { return false };
    let (masked, begins, ends) = (rng.flip(), rng.flip(), rng.flip());
    let products = if C::SPLIT { product_of(&[batch, steps, units, C::GATES]) } else { Some(0) };
    let all = [
        returns(|| panels.len()),
        returns(|| TransposedWeights::scratch(units, C::GATES * units)),
        product_of(&[batch, steps]),
        product_of(&[batch, if last { 1 } else { steps }, width]),
        returns(|| RecurrentBackward::<C>::scratch(units)).and_then(|one| product_of(&[batch, one])),
        product_of(&[batch, steps, units, C::GATES]),
        products,
        product_of(&[batch, steps, units]),
        product_of(&[batch, steps, units, usize::from(C::RESETS_FIRST)]),
        product_of(&[batch, steps, units, if C::RESETS_FIRST { C::GATES } else { 0 }]),
        product_of(&[batch, units + 2]),
        product_of(&[C::STATES, batch, units]),
    ];
    Slices::new(rng, &all).call(
        "a recurrent backward",
        |[w, turned, mask, dy, scratch, gates, products, before, resets, candidates, start, dstate]| {
            let weights = TransposedWeights::new(isa, &GateWeights { panels, w, bias: None }, turned);
            let saved = SavedSteps { gates, products, before, resets, candidates };
            let mask = masked.then_some(&*mask);
            let start = begins.then_some(StateRows { numbers: start, width: units + 2, at: 1 });
            let (dstate, cell) = (ends.then_some(dstate), PhantomData::<C>);
            RecurrentBackward { sequence, weights, saved, mask, dy, start, dstate, scratch, cell }.run(isa);
        },
    )
}

fn step<C: Cell>(rng: &mut Rng, isa: Isa) -> bool {
    let (features, units, batch) = (rng.size(20), rng.size(40), rng.below(6));
    let all = [
        product_of(&[batch, features]),
        returns(|| PreparedCell::<C>::len(features, units)),
        product_of(&[batch, C::STATES, round_up(units, LANES)]),
        product_of(&[batch, units]),
    ];
    let block = rng.flip();
    Slices::new(rng, &all).call("a recurrent step", |[x, prepared, state, y]| {
        if block {
            RecurrentBlock { features, units, x, prepared, state, y, cell: PhantomData::<C> }.run(isa);
        } else {
            RecurrentStep { features, units, x, prepared, state, y, cell: PhantomData::<C> }.run(isa);
        }
    })
}

fn causal(rng: &mut Rng, isa: Isa) -> bool {
    let (features, filters) = (rng.size(20), rng.size(70));
    let (kernel, dilation, steps) = (rng.size(18), rng.size(4), rng.below(7));
    let (flip, floor) = (rng.flip(), 0.0);
    let ring = product_of(&[kernel.wrapping_sub(1), dilation, features]).and_then(|ring| ring.checked_add(1));
    let all = [
        returns(|| CausalStep::panels(features, kernel, filters).len()),
        Some(filters),
        product_of(&[steps, features]),
        ring,
        product_of(&[steps, filters]),
    ];
    Slices::new(rng, &all).call("causal steps", |[w, bias, x, carried, y]| {
        let bank = FilterBank { w, bias: flip.then_some(&*bias), floor };
        CausalStep { features, kernel, dilation, filters: bank, x, carried, outputs: filters, y }.run(isa);
    })
}
