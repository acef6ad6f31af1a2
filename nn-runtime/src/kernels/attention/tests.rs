use super::*;
use std::vec::Vec;

/// Heads of fewer and more queries than a block, of keys and widths around a vector, each perhaps causal, perhaps with padding.
const HEADS: [(usize, usize, usize); 8] =
    [(32, 32, 16), (1, 1, 1), (5, 3, 7), (16, 17, 33), (31, 31, 16), (40, 40, 32), (70, 70, 20), (64, 9, 48)];

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
fn naive(head: Head, [q, k, v]: [&[f64]; 3], mask: Option<&[f32]>, dc: &[f64]) -> [Vec<f64>; 4] {
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

#[test]
fn contexts_and_pullbacks_are_near_the_truth() {
    for isa in Isa::available() {
        for (queries, keys, width) in HEADS {
            for (causal, masked) in [(false, false), (true, false), (false, true), (true, true)] {
                let head = Head { queries, keys, width, causal };
                let what = |name: &str| std::format!("{} {name} of {head:?}, masked: {masked}", isa.name());
                // Rows of another head lie between the rows of this one.
                let stride = 3 * width + 5;
                let mut qkv = some((queries + 2 * keys) * stride, 1);
                let before = qkv.clone();
                let lays = [0, queries, queries + keys].map(|row| Lay { offset: row * stride + width, stride });
                let padding: Vec<f32> = (0..keys).map(|j| if j % 3 == 1 || j == 0 { 0.0 } else { 1.0 }).collect();
                let mask = masked.then_some(&padding[..]);
                let rows = |all: &[f32], lay: Lay, count: usize| -> Vec<f32> {
                    (0..count).flat_map(|i| all[lay.offset + i * stride..][..width].to_vec()).collect()
                };
                let wide = |x: Vec<f32>| -> Vec<f64> { x.into_iter().map(f64::from).collect() };
                let counts = [queries, keys, keys];
                let [q, k, v] = [0, 1, 2].map(|i| wide(rows(&qkv, lays[i], counts[i])));
                let (dc, lay) = (some(queries * stride, 2), Lay { offset: 3, stride });
                let truth = naive(head, [&q, &k, &v], mask, &wide(rows(&dc, lay, queries)));

                let mut weights = vec![f32::NAN; head.weights()];
                let mut scratch = vec![f32::NAN; head.scratch().max(head.pull_scratch())];
                let mut context = vec![f32::NAN; queries * stride];
                let from = lays.map(|lay| Rows { all: &qkv, lay });
                attend(isa, head, from, mask, &mut weights, &mut scratch, (&mut context, lay));
                near(&what("context"), rows(&context, lay, queries).into_iter(), &truth[0]);
                let written = context.iter().filter(|x| !x.is_nan()).count();
                assert_eq!(written, queries * width, "{}", what("numbers written"));
                pull(isa, head, (&mut qkv, lays), &weights, Rows { all: &dc, lay }, &mut scratch);
                for (i, name) in ["dq", "dk", "dv"].into_iter().enumerate() {
                    near(&what(name), rows(&qkv, lays[i], counts[i]).into_iter(), &truth[1 + i]);
                }
                let changed = qkv.iter().zip(&before).filter(|(a, b)| a != b).count();
                assert!(changed <= (queries + 2 * keys) * width, "{}", what("numbers changed"));
            }
        }
    }
}
