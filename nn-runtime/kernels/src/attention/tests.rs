use super::*;
use std::vec::Vec;

/// AttentionHeads of fewer and more queries than a block, of keys and widths around a vector, each perhaps
/// causal, perhaps with padding.
const HEADS: &[(usize, usize, usize)] = if cfg!(miri) {
    &[(5, 3, 7), (2, 17, 18)]
} else {
    &[(32, 32, 16), (1, 1, 1), (5, 3, 7), (16, 17, 33), (31, 31, 16), (40, 40, 32), (70, 70, 20), (64, 9, 48)]
};

fn some(len: usize, salt: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7919 + salt * 104_729) % 1009) as f32 / 500.0 - 1.0).collect()
}

#[track_caller]
fn near(what: &str, found: impl Iterator<Item = f32>, truth: &[f64]) {
    let found: Vec<f32> = found.collect();
    let error: f64 = found.iter().zip(truth).map(|(f, t)| (f64::from(*f) - t).powi(2)).sum();
    let norm: f64 = truth.iter().map(|t| t * t).sum();
    // With one key every score has the gradient 0.
    let enough = found.len() == truth.len() && error.sqrt() <= 2e-6 * norm.sqrt() + 1e-6;
    assert!(enough, "{what}: {found:?}, expected {truth:?}");
}

/// Context, and the gradients of queries, keys and values, all row after row.
fn naive(head: AttentionHead, [q, k, v]: [&[f64]; 3], mask: Option<&[f32]>, dc: &[f64]) -> [Vec<f64>; 4] {
    let (n, width) = (head.width, head.width as f64);
    let mut to = [vec![], vec![0.0; q.len()], vec![0.0; k.len()], vec![0.0; v.len()]];
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    for i in 0..head.queries {
        let (q, dc) = (&q[i * n..][..n], &dc[i * n..][..n]);
        let sees = |j: &usize| !(head.causal && *j > i) && mask.is_none_or(|mask| mask[*j] != 0.0);
        let keys: Vec<usize> = (0..head.keys).filter(sees).collect();
        let e: Vec<f64> = keys.iter().map(|j| (dot(q, &k[j * n..][..n]) / width.sqrt()).exp()).collect();
        let p: Vec<f64> = e.iter().map(|x| x / e.iter().sum::<f64>()).collect();
        let dp: Vec<f64> = keys.iter().map(|j| dot(dc, &v[j * n..][..n])).collect();
        let mean = dot(&p, &dp);
        let mut context = vec![0.0; n];
        for ((j, p), dp) in keys.into_iter().zip(p).zip(dp) {
            let slope = p * (dp - mean) / width.sqrt();
            for f in 0..n {
                context[f] += p * v[j * n + f];
                to[1][i * n + f] += slope * k[j * n + f];
                to[2][j * n + f] += slope * q[f];
                to[3][j * n + f] += p * dc[f];
            }
        }
        to[0].extend(context);
    }
    to
}

/// Samples and heads of each.
const SEVERAL: [(usize, usize); 3] = [(1, 1), (1, 3), (3, 2)];

#[test]
fn contexts_and_pullbacks_are_near_the_truth() {
    for isa in Isa::available() {
        for (i, (queries, keys, width)) in HEADS.iter().copied().enumerate() {
            for (causal, masked) in [(false, false), (true, false), (false, true), (true, true)] {
                let head = AttentionHead { queries, keys, width, causal };
                let (samples, count) = SEVERAL[i % SEVERAL.len()];
                heads_are_near_the_truth(isa, AttentionHeads { head, count, samples, masked }, masked);
            }
        }
    }
}

fn heads_are_near_the_truth(isa: Isa, heads: AttentionHeads, masked: bool) {
    let AttentionHeads { head, count, samples, .. } = heads;
    let AttentionHead { queries, keys, width, .. } = head;
    let what = |name: &str| std::format!("{} {name} of {heads:?}, masked: {masked}", isa.name());
    // Between the rows, and between the samples, lies what is nobody's.
    let stride = count * width + 5;
    let sample = (queries + 2 * keys) * stride + 3;
    let mut qkv = some(samples * sample, 1);
    let before = qkv.clone();
    let lays = [0, queries, queries + keys].map(|row| RowLayout { offset: row * stride + 2, stride, sample });
    let padding = some(samples * keys, 3).into_iter().map(|x| if x < -0.2 { 0.0 } else { 1.0 }).collect::<Vec<f32>>();
    let mask = masked.then_some(&padding[..]);
    let wide = |x: Vec<f32>| -> Vec<f64> { x.into_iter().map(f64::from).collect() };
    let (row, rows) = (queries * stride + 7, [queries, keys, keys]);
    let (dc, layout) = (some(samples * row, 2), RowLayout { offset: 3, stride, sample: row });
    let of = |all: &[f32], layout: RowLayout, (i, h): (usize, usize), rows: usize| -> Vec<f32> {
        let first = layout.offset + i * layout.sample + h * width;
        (0..rows).flat_map(|row| all[first + row * stride..][..width].to_vec()).collect()
    };

    let mut context = vec![f32::NAN; samples * row];
    let mut scratch = vec![f32::NAN; head.scratch().max(head.backward_scratch())];
    let from = lays.map(|layout| StridedRows { all: &qkv, layout });
    // The weights of one head at a time do too.
    attend(isa, heads, from, mask, &mut vec![f32::NAN; head.weights()], &mut scratch, (&mut context, layout));
    let of_one = context.clone();
    let mut weights = vec![f32::NAN; samples * count * head.weights()];
    attend(isa, heads, from, mask, &mut weights, &mut scratch, (&mut context, layout));
    let bits = |all: &[f32]| all.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
    assert_eq!(bits(&of_one), bits(&context), "{}", what("context of weights that are not kept"));
    let written = context.iter().filter(|x| !x.is_nan()).count();
    assert_eq!(written, samples * count * queries * width, "{}", what("numbers written"));
    backward(isa, heads, (&mut qkv, lays), &weights, StridedRows { all: &dc, layout }, &mut scratch);
    let changed = qkv.iter().zip(&before).filter(|(a, b)| a != b).count();
    assert!(changed <= samples * count * (queries + 2 * keys) * width, "{}", what("numbers changed"));

    for i in 0..samples {
        for h in 0..count {
            let [q, k, v] = [0, 1, 2].map(|j| wide(of(&before, lays[j], (i, h), rows[j])));
            let mask = mask.map(|mask| &mask[i * keys..][..keys]);
            let truth = naive(head, [&q, &k, &v], mask, &wide(of(&dc, layout, (i, h), queries)));
            near(&what("context"), of(&context, layout, (i, h), queries).into_iter(), &truth[0]);
            for (j, name) in ["dq", "dk", "dv"].into_iter().enumerate() {
                near(&what(name), of(&qkv, lays[j], (i, h), rows[j]).into_iter(), &truth[1 + j]);
            }
        }
    }
}

#[test]
#[should_panic(expected = "expected 2 rows of 2 heads of 4 numbers within 31 for 2 samples")]
fn rows_outside_are_refused() {
    let heads = AttentionHeads {
        head: AttentionHead { queries: 2, keys: 2, width: 4, causal: false },
        count: 2,
        samples: 2,
        masked: false,
    };
    let (all, layout) = ([0.0; 31], RowLayout { offset: 0, stride: 8, sample: 16 });
    let (mut weights, mut scratch, mut context) = ([0.0; 32], [0.0; 128], [0.0; 32]);
    attend(
        Isa::PORTABLE,
        heads,
        [StridedRows { all: &all, layout }; 3],
        None,
        &mut weights,
        &mut scratch,
        (&mut context, layout),
    );
}

/// Context, and the gradients of queries, keys and values, of one head of `qkv`, rows side by side.
fn alone(isa: Isa, heads: AttentionHeads, qkv: &[f32], mask: Option<&[f32]>, dc: &[f32]) -> [Vec<f32>; 2] {
    let head = heads.head;
    let layout = |row: usize| RowLayout { offset: row * head.width, stride: head.width, sample: 0 };
    let lays = [0, head.queries, head.queries + head.keys].map(layout);
    let (mut context, mut grads) = (vec![f32::NAN; head.queries * head.width], qkv.to_vec());
    let mut scratch = vec![f32::NAN; head.scratch().max(head.backward_scratch())];
    let mut weights = vec![f32::NAN; head.weights()];
    let rows = lays.map(|layout| StridedRows { all: qkv, layout });
    attend(isa, heads, rows, mask, &mut weights, &mut scratch, (&mut context, layout(0)));
    let dc = StridedRows { all: dc, layout: layout(0) };
    backward(isa, heads, (&mut grads, lays), &weights, dc, &mut scratch);
    [context, grads]
}

/// The same of one head.
const ALONE: &[(usize, usize, usize)] =
    if cfg!(miri) { &[(5, 5, 3)] } else { &[(5, 5, 3), (40, 40, 20), (33, 70, 17)] };

#[test]
fn keys_of_weight_0_are_left_out_whatever_they_are() {
    for isa in Isa::available() {
        for &(queries, keys, width) in ALONE {
            for (causal, masked) in [(true, false), (false, true), (true, true)] {
                let head = AttentionHead { queries, keys, width, causal };
                let heads = AttentionHeads { head, count: 1, samples: 1, masked };
                let hidden = |key: usize| masked && key % 3 == 1 || causal && key >= queries - 2;
                let mask: Vec<f32> = (0..keys).map(|key| if key % 3 == 1 { 0.0 } else { 1.0 }).collect();
                let mask = masked.then_some(&mask[..]);
                // The queries that see a hidden key, and those of masked steps, have no gradient.
                let unused = |query: usize| causal && query >= queries - 2 || masked && query % 3 == 1;
                let mut dc = some(queries * width, 2);
                (0..queries).filter(|query| unused(*query)).for_each(|query| dc[query * width..][..width].fill(0.0));
                let plain = some((queries + 2 * keys) * width, 1);
                let [context, grads] = alone(isa, heads, &plain, mask, &dc);
                for wild in [f32::NAN, f32::INFINITY, f32::MAX] {
                    let mut qkv = plain.clone();
                    for (row, numbers) in qkv.chunks_exact_mut(width).enumerate() {
                        let hidden = match row.checked_sub(queries) {
                            Some(row) => hidden(row % keys),
                            None => unused(row),
                        };
                        if hidden {
                            numbers.fill(wild);
                        }
                    }
                    let [found, found_grads] = alone(isa, heads, &qkv, mask, &dc);
                    for query in (0..queries).filter(|query| !unused(*query)) {
                        let of = query * width..(query + 1) * width;
                        assert_eq!(found[of.clone()], context[of], "{heads:?} {wild} on {}", isa.name());
                    }
                    assert_eq!(found_grads, grads, "{heads:?} {wild} on {}", isa.name());
                }
            }
        }
    }
}
