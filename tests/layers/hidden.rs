//! Whatever a mask hides, under every layer that takes one and every setting of it: outputs and gradients are
//! the same for numbers, NaN, infinities and what overflows. In: layers, inputs with places that are hidden;
//! out: nothing, or what came through.

use nn_runtime::layers::{Direction, GlobalAvgPool, GlobalMaxPool, Gru, LastStep, Lstm, MultiHeadAttention, Rnn};
use nn_runtime::{Isa, Layer, Probe, Rule, Shape};
use nn_tests::numbers::numbers;

const BATCH: usize = 4;
const STEPS: usize = 5;
const FEATURES: usize = 6;

/// 1 a step, 0 padding: between steps, at the end, at the beginning, and nowhere.
const MASK: [[f32; STEPS]; BATCH] =
    [[1.0, 0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 1.0], [1.0; STEPS]];

/// What of an input, or of a gradient that arrives, is hidden.
#[derive(Clone, Copy)]
enum Of<'a> {
    /// Numbers that count, so many of a sample.
    All(usize),
    /// A row of so many for each step, those that the mask hides.
    Steps(usize),
    /// As it is.
    These(&'a [f32]),
    /// A number for each query and key, those that are 0 in the second hidden.
    Pairs(&'a [f32]),
}
use Of::{All, Pairs, Steps, These};

/// Numbers, and of which nothing may come through.
fn draw(of: Of, seed: u64, hidden: f32) -> (Vec<f32>, Vec<bool>) {
    let put = |len: usize, is_hidden: &dyn Fn(usize) -> bool| {
        let hides: Vec<bool> = (0..len).map(is_hidden).collect();
        let x = numbers(seed, len, 1.0).into_iter().zip(&hides);
        (x.map(|(x, hides)| if *hides { hidden } else { x }).collect(), hides)
    };
    match of {
        All(len) => put(BATCH * len, &|_| false),
        Steps(width) => put(BATCH * STEPS * width, &|i| MASK.as_flattened()[i / width] == 0.0),
        These(x) => (x.to_vec(), vec![false; x.len()]),
        Pairs(seen) => put(seen.len(), &|i| seen[i] == 0.0),
    }
}

/// `x` says what of each input is hidden, `dy` of which outputs nothing is asked, as they are padding.
fn check<L: Layer<N, M> + Copy, const N: usize, const M: usize>(
    what: &str,
    layer: L,
    rule: impl Fn(&L, [Shape; N]) -> Rule + Copy,
    shapes: [Shape; N],
    x: [Of; N],
    dy: [Of; M],
) {
    for isa in Isa::available() {
        let probe = Probe::new(layer, rule, shapes).unwrap_or_else(|fault| panic!("{what}: {}", fault.as_str()));
        let probe = probe.isa(isa).training(3, 1);
        let asked: [_; M] = std::array::from_fn(|k| draw(dy[k], 20 + k as u64, 0.0));
        let run = |hidden: f32| {
            let inputs: [_; N] = std::array::from_fn(|k| draw(x[k], 10 + k as u64, hidden).0);
            let inputs: [&[f32]; N] = std::array::from_fn(|k| &inputs[k][..]);
            let mut y = probe.forward(BATCH, inputs);
            for (y, (_, hides)) in y.iter_mut().zip(&asked) {
                y.iter_mut().zip(hides).filter(|(_, hides)| **hides).for_each(|(y, _)| *y = 0.0);
            }
            let found = probe.gradients(BATCH, inputs, std::array::from_fn(|k| &asked[k].0[..]));
            (y, found.inputs, found.params)
        };
        let plain = run(0.5);
        assert!(plain.0.iter().any(|y| y.iter().any(|y| *y != 0.0)), "{what}: it answers");
        for (dx, of) in plain.1.iter().zip(x) {
            let hides = draw(of, 0, 0.0).1;
            assert!(dx.iter().zip(hides).all(|(dx, hides)| !hides || *dx == 0.0), "{what} {}: {dx:?}", isa.name());
        }
        for wild in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
            let found = run(wild);
            assert_eq!(found.0, plain.0, "{what} {}: outputs with {wild}", isa.name());
            assert_eq!(found.1, plain.1, "{what} {}: gradients of inputs with {wild}", isa.name());
            assert_eq!(found.2, plain.2, "{what} {}: gradients of parameters with {wild}", isa.name());
        }
    }
}

const SEQUENCE: Shape = Shape::of([STEPS, FEATURES]);
const MASK_SHAPE: Shape = Shape::of([STEPS]);

fn mask() -> Of<'static> {
    These(MASK.as_flattened())
}

#[test]
fn from_pools_and_the_last_step() {
    let (shapes, x, dy) = ([SEQUENCE, MASK_SHAPE], [Steps(FEATURES), mask()], [All(FEATURES)]);
    check("GlobalAvgPool", GlobalAvgPool::new(), GlobalAvgPool::rule, shapes, x, dy);
    check("GlobalMaxPool", GlobalMaxPool::new(), GlobalMaxPool::rule, shapes, x, dy);
    check("LastStep", LastStep::new(), LastStep::rule, shapes, x, dy);
}

/// All ways through the sequence, with all outputs or the last, with given states and with states as outputs.
macro_rules! recurrences {
    ($($name:ident $width:literal: $layer:expr;)+) => {$({
        for direction in [Direction::Forward, Direction::Backward, Direction::Both] {
            for last in [false, true] {
                let layer = $layer.direction(direction).last(last);
                let what = format!("{} {direction:?}, last {last}", stringify!($layer));
                let ways = if matches!(direction, Direction::Both) { 2 } else { 1 };
                let len = $width * ways * if last { 1 } else { STEPS };
                check(&what, layer, $name::rule, [SEQUENCE, MASK_SHAPE], [Steps(FEATURES), mask()], [All(len)]);
            }
        }
    })+};
}

#[test]
fn from_recurrences() {
    recurrences! {
        Rnn 3: Rnn::new(3);
        Rnn 3: Rnn::new(3).relu(true).bias(false);
        Gru 3: Gru::new(3);
        Gru 17: Gru::new(17).reset_after(false);
        Lstm 19: Lstm::new(19);
        Lstm 2: Lstm::new(5).bias(false).projection(2);
    }
}

#[test]
fn from_recurrences_with_states() {
    let state = Shape::of([3]);
    let (shapes, x) = ([SEQUENCE, state, MASK_SHAPE], [Steps(FEATURES), All(3), mask()]);
    let dy = [All(3 * STEPS), All(3)];
    check("Rnn", Rnn::new(3).states(true), Rnn::rule, shapes, x, dy);
    check("Gru", Gru::new(3).states(true), Gru::rule, shapes, x, dy);
    check("Gru, older", Gru::new(3).reset_after(false).states(true), Gru::rule, shapes, x, dy);
    let (shapes, x) = ([SEQUENCE, state, state, MASK_SHAPE], [Steps(FEATURES), All(3), All(3), mask()]);
    check("Lstm", Lstm::new(3).states(true), Lstm::rule, shapes, x, [All(3 * STEPS), All(3), All(3)]);
    let (shapes, x) = ([SEQUENCE, Shape::of([2]), state, MASK_SHAPE], [Steps(FEATURES), All(2), All(3), mask()]);
    let layer = Lstm::new(3).projection(2).states(true);
    check("Lstm, projected", layer, Lstm::rule, shapes, x, [All(2 * STEPS), All(2), All(3)]);
}

const ATTENTION: MultiHeadAttention = MultiHeadAttention::new(2);
const QUERIES: Shape = Shape::of([3, FEATURES]);

#[test]
fn from_plain_attention() {
    for causal in [false, true] {
        let layer = ATTENTION.causal(causal);
        let (shapes, x) = ([SEQUENCE, MASK_SHAPE], [Steps(FEATURES), mask()]);
        check(&format!("causal {causal}"), layer, MultiHeadAttention::rule, shapes, x, [Steps(FEATURES)]);
    }
    let (shapes, x) = ([QUERIES, SEQUENCE, MASK_SHAPE], [All(3 * FEATURES), Steps(FEATURES), mask()]);
    check("of a memory", ATTENTION, MultiHeadAttention::rule, shapes, x, [All(3 * FEATURES)]);
    check("of a memory", ATTENTION.bias(false), MultiHeadAttention::rule, shapes, x, [All(3 * FEATURES)]);
}

#[test]
fn from_attention_with_more_than_most() {
    let rule = MultiHeadAttention::rule;
    let (shapes, x) = ([SEQUENCE, MASK_SHAPE], [Steps(FEATURES), mask()]);
    check("dropout", ATTENTION.dropout(0.4), rule, shapes, x, [Steps(FEATURES)]);
    check("causal dropout", ATTENTION.causal(true).dropout(0.4), rule, shapes, x, [Steps(FEATURES)]);
    let told = [Steps(FEATURES), Steps(STEPS)];
    check("weights", ATTENTION.weights(true), rule, shapes, x, told);

    // What each query sees, the padding too: with the mask and in its place.
    let seen: Vec<f32> = (0..BATCH * STEPS * STEPS)
        .map(|i| {
            let (sample, query, key) = (i / STEPS / STEPS, i / STEPS % STEPS, i % STEPS);
            f32::from(MASK[sample][key] != 0.0 && (query + key) % 4 != 3)
        })
        .collect();
    let pairs = Shape::of([STEPS, STEPS]);
    let (shapes, x) = ([SEQUENCE, pairs], [Steps(FEATURES), These(&seen)]);
    check("attn_mask", ATTENTION.attn_mask(true), rule, shapes, x, [Steps(FEATURES)]);
    let (shapes, x) = ([SEQUENCE, pairs, MASK_SHAPE], [Steps(FEATURES), These(&seen), mask()]);
    check("attn_mask and padding", ATTENTION.attn_mask(true), MultiHeadAttention::rule, shapes, x, [Steps(FEATURES)]);
    let of_keys: Vec<f32> = (0..seen.len()).map(|i| MASK[i / STEPS / STEPS][i % STEPS]).collect();
    let (shapes, x) = ([SEQUENCE, pairs, MASK_SHAPE], [Steps(FEATURES), Pairs(&of_keys), mask()]);
    check("attn_bias", ATTENTION.attn_bias(true), MultiHeadAttention::rule, shapes, x, [Steps(FEATURES)]);
    let (shapes, x) = ([SEQUENCE, pairs, pairs], [Steps(FEATURES), These(&seen), Pairs(&seen)]);
    check(
        "attn_mask and attn_bias",
        ATTENTION.attn_mask(true).attn_bias(true),
        MultiHeadAttention::rule,
        shapes,
        x,
        [Steps(FEATURES)],
    );
    let shapes = [QUERIES, SEQUENCE, SEQUENCE, MASK_SHAPE];
    let x = [All(3 * FEATURES), Steps(FEATURES), Steps(FEATURES), mask()];
    check("values", ATTENTION.values(true), MultiHeadAttention::rule, shapes, x, [All(3 * FEATURES)]);
}

/// A key that some queries see and others do not: what it holds reaches those that see it alone.
#[test]
fn from_queries_that_do_not_see_it() {
    let rule = MultiHeadAttention::rule;
    let queries = Shape::of([3, FEATURES]);
    // Query 0 sees all keys, and nothing is asked of it; the others see neither key 1 nor key 4.
    let seen = [[1.0; STEPS], MASK[0], MASK[0]].concat().repeat(BATCH);
    let keys: Vec<f32> = MASK[0].repeat(BATCH);
    for isa in Isa::available() {
        for (what, layer) in [("plain", ATTENTION.attn_mask(true)), ("dropout", ATTENTION.attn_mask(true).dropout(0.3))]
        {
            let shapes = [queries, SEQUENCE, Shape::of([3, STEPS])];
            let probe = Probe::new(layer, rule, shapes).unwrap().isa(isa).training(3, 1);
            let x = numbers(1, BATCH * 3 * FEATURES, 1.0);
            let mut dy = numbers(2, BATCH * 3 * FEATURES, 1.0);
            dy.chunks_mut(3 * FEATURES).for_each(|dy| dy[..FEATURES].fill(0.0));
            let run = |hidden: f32| {
                let mut memory = numbers(3, BATCH * STEPS * FEATURES, 1.0);
                let rows = memory.chunks_mut(FEATURES).zip(&keys).filter(|(_, key)| **key == 0.0);
                rows.for_each(|(row, _)| row.fill(hidden));
                let [mut y] = probe.forward(BATCH, [&x, &memory, &seen]);
                if !hidden.is_finite() {
                    assert!(y.chunks(3 * FEATURES).all(|y| y[..FEATURES].iter().all(|y| y.is_nan())), "{what}");
                }
                y.chunks_mut(3 * FEATURES).for_each(|y| y[..FEATURES].fill(0.0));
                let found = probe.gradients(BATCH, [&x, &memory, &seen], [&dy]);
                (y, found.inputs, found.params)
            };
            let plain = run(0.5);
            for wild in [f32::NAN, f32::INFINITY] {
                assert_eq!(run(wild), plain, "{what} {} {wild}", isa.name());
            }
        }
    }
}

/// Later steps, where attention is causal and numbers are added to its scores, or weights are dropped.
#[test]
fn from_earlier_steps() {
    let later = |i: usize| i / FEATURES % STEPS >= 3;
    let left = |seed, hidden: f32| -> Vec<f32> {
        let all = numbers(seed, BATCH * STEPS * FEATURES, 1.0).into_iter().enumerate();
        all.map(|(i, x)| if later(i) { hidden } else { x }).collect()
    };
    let (added, dy) = (numbers(2, BATCH * STEPS * STEPS, 1.0), left(3, 0.0));
    let causal = ATTENTION.causal(true);
    for isa in Isa::available() {
        let pairs = Shape::of([STEPS, STEPS]);
        let bias = Probe::new(causal.attn_bias(true), MultiHeadAttention::rule, [SEQUENCE, pairs]).unwrap();
        let bias = bias.isa(isa);
        let dropout = Probe::new(causal.dropout(0.4), MultiHeadAttention::rule, [SEQUENCE]).unwrap();
        let dropout = dropout.isa(isa).training(3, 1);
        let run = |hidden: f32| {
            let x = left(1, hidden);
            let (found, other) = (bias.gradients(BATCH, [&x, &added], [&dy]), dropout.gradients(BATCH, [&x], [&dy]));
            let mut y = [bias.forward(BATCH, [&x, &added]), dropout.forward(BATCH, [&x])].concat();
            y.iter_mut().for_each(|y| y.iter_mut().enumerate().filter(|(i, _)| later(*i)).for_each(|(_, y)| *y = 0.0));
            (y, (found.inputs, found.params), (other.inputs, other.params))
        };
        let plain = run(0.5);
        for wild in [f32::NAN, f32::NEG_INFINITY, f32::MAX] {
            assert_eq!(run(wild), plain, "{} {wild}", isa.name());
        }
    }
}
