use super::*;
use std::vec::Vec;

/// Layer, group and instance norm over odd sizes: rows shorter and longer than a vector and than a block,
/// fewer and more than sixteen.
const LAYS: &[(usize, NormRows)] = if cfg!(miri) {
    &[(3, rows(1, 1, 1)), (18, rows(15, 1, 15)), (3, rows(70, 1, 140)), (8, rows(21, 7, 12))]
} else {
    &[
        (37, rows(64, 1, 64)),
        (3, rows(1, 1, 1)),
        (18, rows(15, 1, 15)),
        (33, rows(70, 1, 140)),
        (2, rows(1003, 1, 1003)),
        (24, rows(21, 7, 12)),
        (5, rows(600, 300, 10)),
        (6, NormRows { centred: false, ..rows(80, 1, 80) }),
    ]
};

const fn rows(row: usize, span: usize, weights: usize) -> NormRows {
    NormRows { row, span, weights, centred: true, eps: 1e-3 }
}

fn some(len: usize, salt: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7919 + salt * 104_729) % 1009) as f32 / 250.0 - 1.0).collect()
}

/// y, and for the gradient of y: dx, dw, db.
struct Truth {
    y: Vec<f64>,
    dx: Vec<f64>,
    dw: Vec<f64>,
    db: Vec<f64>,
}

fn naive(rows: NormRows, x: &[f32], w: &[f32], b: &[f32], dy: &[f32]) -> Truth {
    let (mut truth, n) = (Truth { y: vec![], dx: vec![], dw: vec![0.0; w.len()], db: vec![0.0; w.len()] }, rows.row);
    for (r, (x, dy)) in x.chunks(n).zip(dy.chunks(n)).enumerate() {
        let weight = |i: usize| rows.first(r) + i / rows.span;
        let mean = if rows.centred { x.iter().map(|x| f64::from(*x)).sum::<f64>() / n as f64 } else { 0.0 };
        let var = x.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / n as f64;
        let scale = 1.0 / (var + f64::from(rows.eps)).sqrt();
        let hat: Vec<f64> = x.iter().map(|x| (f64::from(*x) - mean) * scale).collect();
        let pulled: Vec<f64> = (0..n).map(|i| f64::from(dy[i]) * f64::from(w[weight(i)])).collect();
        let plain = if rows.centred { pulled.iter().sum::<f64>() / n as f64 } else { 0.0 };
        let along = pulled.iter().zip(&hat).map(|(p, h)| p * h).sum::<f64>() / n as f64;
        for i in 0..n {
            truth.y.push(hat[i] * f64::from(w[weight(i)]) + f64::from(b[weight(i)]));
            truth.dx.push(scale * (pulled[i] - plain - hat[i] * along));
            truth.dw[weight(i)] += f64::from(dy[i]) * hat[i];
            truth.db[weight(i)] += f64::from(dy[i]);
        }
    }
    truth
}

#[track_caller]
fn near(what: &str, found: &[f32], truth: &[f64]) {
    let error: f64 = found.iter().zip(truth).map(|(f, t)| (f64::from(*f) - t).powi(2)).sum();
    // In a row of one number every deviation is 0.
    let norm: f64 = truth.iter().map(|t| t * t).sum::<f64>() + 1e-6;
    assert!(found.len() == truth.len() && error.sqrt() <= 5e-6 * norm.sqrt(), "{what}: {found:?}, expected {truth:?}");
}

#[test]
fn rows_and_their_pullbacks_are_near_the_truth() {
    for isa in Isa::available() {
        for &(count, rows) in LAYS {
            let what = |name: &str| std::format!("{} {name} of {rows:?}", isa.name());
            let (x, dy) = (some(count * rows.row, 1), some(count * rows.row, 2));
            let (w, b) = (some(rows.weights, 3), some(rows.weights, 4));
            let truth = naive(rows, &x, &w, &b, &dy);
            let (mut y, mut dx, mut saved) = (x.clone(), x.clone(), vec![0.0; SAVED_PER_ROW * count]);
            row_norm(isa, rows, &x, [Some(&w), Some(&b)], f32::NEG_INFINITY, &mut y, &mut saved);
            near(&what("y"), &y, &truth.y);
            row_norm_backward(isa, rows, &x, Some(&w), &dy, &saved, &mut dx);
            near(&what("dx"), &dx, &truth.dx);
            let (mut dw, mut db) = (vec![0.0; rows.weights], vec![0.0; rows.weights]);
            let cut = rows.weights / 3;
            for range in [0..cut, cut..rows.weights] {
                row_weight_backward(isa, rows, &x, &dy, &saved, range.clone(), &mut dw[range.clone()]);
                row_bias_backward(isa, rows, &dy, range.clone(), &mut db[range]);
            }
            near(&what("dw"), &dw, &truth.dw);
            near(&what("db"), &db, &truth.db);

            let (plain, zero) = (vec![1.0; rows.weights], vec![0.0; rows.weights]);
            let truth = naive(rows, &x, &plain, &zero, &dy);
            row_norm(isa, rows, &x, [None, None], 0.25, &mut y, &mut []);
            near(&what("y without weights"), &y, &truth.y.iter().map(|y| y.max(0.25)).collect::<Vec<_>>());
            row_norm_backward(isa, rows, &x, None, &dy, &saved, &mut dx);
            near(&what("dx without weights"), &dx, &truth.dx);
        }
    }
}

#[test]
fn a_row_has_the_same_bits_in_any_batch() {
    for isa in Isa::available() {
        for &(count, rows) in LAYS.iter().filter(|(_, rows)| rows.row == rows.weights) {
            let (x, w) = (some(count * rows.row, 5), some(rows.weights, 6));
            let (mut whole, mut parts) = (x.clone(), x.clone());
            row_norm(isa, rows, &x, [Some(&w), None], f32::NEG_INFINITY, &mut whole, &mut []);
            for (x, y) in x.chunks(2 * rows.row).zip(parts.chunks_mut(2 * rows.row)) {
                row_norm(isa, rows, x, [Some(&w), None], f32::NEG_INFINITY, y, &mut []);
            }
            assert_eq!(whole, parts, "{} {rows:?}", isa.name());
        }
    }
}
