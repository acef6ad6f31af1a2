use super::*;
use std::vec::Vec;

/// (n, rows): narrow rows in one block of sixteen and in several, and wide ones.
const SIZES: &[(usize, usize)] = if cfg!(miri) {
    &[(1, 3), (3, 17), (16, 2), (33, 2)]
} else {
    &[
        (1, 3),
        (2, 50),
        (3, 1),
        (10, 7),
        (10, 37),
        (15, 16),
        (16, 4),
        (16, 33),
        (17, 3),
        (31, 2),
        (32, 2),
        (33, 3),
        (100, 2),
        (1000, 2),
    ]
};

/// Numbers from −8 to 8, in no order.
fn numbers(len: usize, salt: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7919 + salt * 104_729) % 1009) as f32 / 63.0 - 8.0).collect()
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

fn softmax_f64(row: &[f64]) -> Vec<f64> {
    let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = row.iter().map(|x| (x - most).exp()).sum();
    row.iter().map(|x| (x - most).exp() / sum).collect()
}

/// ‖found − truth‖ is at most 1e-6 of ‖terms‖: what is subtracted to make the truth, where it is a
/// difference.
#[track_caller]
fn near_for(what: &str, found: &[f32], truth: &[f64], terms: &[f64]) {
    assert_eq!(found.len(), truth.len());
    let error: f64 = found.iter().zip(truth).map(|(&f, t)| (f64::from(f) - t).powi(2)).sum();
    let norm: f64 = terms.iter().map(|t| t * t).sum();
    assert!(error.sqrt() <= 1e-6 * norm.sqrt(), "{what}: {found:?}, expected {truth:?}");
}

#[track_caller]
fn near(what: &str, found: &[f32], truth: &[f64]) {
    near_for(what, found, truth, truth);
}

#[test]
fn softmax_and_its_logarithm() {
    for isa in Isa::available() {
        for &(n, rows) in SIZES {
            let what = std::format!("{} n={n}", isa.name());
            let x = numbers(n * rows, 1);
            let truth: Vec<f64> = wide(&x).chunks(n).flat_map(softmax_f64).collect();
            let mut y = vec![f32::NAN; x.len()];
            softmax(isa, n, &x, &mut y);
            near(&what, &y, &truth);
            let mut z = x.clone();
            softmax_in_place(isa, n, &mut z);
            assert_eq!(y, z, "{what}");
            log_softmax(isa, n, &x, &mut y);
            near(&what, &y, &truth.iter().map(|p| p.ln()).collect::<Vec<_>>());
            let mut z = x.clone();
            log_softmax_in_place(isa, n, &mut z);
            assert_eq!(y, z, "{what}");
        }
    }
}

#[test]
fn pullbacks_of_softmax() {
    for isa in Isa::available() {
        for &(n, rows) in SIZES {
            let what = std::format!("{} n={n}", isa.name());
            let (x, dy) = (numbers(n * rows, 2), numbers(n * rows, 3));
            let (mut y, mut dx) = (vec![0.0; x.len()], vec![f32::NAN; x.len()]);
            softmax(isa, n, &x, &mut y);
            softmax_backward(isa, n, &y, &dy, &mut dx);
            let pull = |log: bool, p: &[f64], dy: &[f64]| -> Vec<f64> {
                let sum: f64 = p.iter().zip(dy).map(|(p, dy)| if log { *dy } else { p * dy }).sum();
                p.iter().zip(dy).map(|(p, dy)| if log { dy - p * sum } else { p * (dy - sum) }).collect()
            };
            let p: Vec<f64> = wide(&x).chunks(n).flat_map(softmax_f64).collect();
            let rows_of = |log: bool| -> Vec<f64> {
                p.chunks(n).zip(wide(&dy).chunks(n)).flat_map(|(p, dy)| pull(log, p, dy)).collect()
            };
            let terms: Vec<f64> = p.iter().zip(&dy).map(|(p, &dy)| p * f64::from(dy)).collect();
            near_for(&what, &dx, &rows_of(false), &terms);
            log_softmax(isa, n, &x, &mut y);
            log_softmax_backward(isa, n, &y, &dy, &mut dx);
            near_for(&what, &dx, &rows_of(true), &wide(&dy));
        }
    }
}

/// (loss, dlogits) of one row.
fn cross_entropy_f64(x: &[f64], t: &[f64], scale: f64) -> (f64, Vec<f64>) {
    let p = softmax_f64(x);
    let (loss, sum) = p.iter().zip(t).fold((0.0, 0.0), |(l, s), (p, t)| (l - t * p.ln(), s + t));
    (loss, p.iter().zip(t).map(|(p, t)| scale * (p * sum - t)).collect())
}

#[test]
fn cross_entropy_with_labels_and_with_distributions() {
    for isa in Isa::available() {
        for &(n, rows) in SIZES {
            for smoothing in [0.0, 0.1] {
                let what = std::format!("{} n={n} smoothing={smoothing}", isa.name());
                let x = numbers(n * rows, 4);
                let labels: Vec<u32> = (0..rows).map(|row| ((row * 31 + n - 1) % n) as u32).collect();
                let mut given = vec![0.0f32; n * rows];
                for (row, &label) in labels.iter().enumerate() {
                    given[row * n + label as usize] = 1.0;
                }
                let shares: Vec<f32> = numbers(n * rows, 5).iter().map(|x| (x + 8.0) / n as f32).collect();
                for labelled in [true, false] {
                    let targets = if labelled { &given } else { &shares };
                    let s = f64::from(smoothing);
                    let t: Vec<f64> = wide(targets).iter().map(|t| (1.0 - s) * t + s / n as f64).collect();
                    let each = wide(&x);
                    let each = each.chunks(n).zip(t.chunks(n)).map(|(x, t)| cross_entropy_f64(x, t, 0.25));
                    let (losses, truth): (Vec<f64>, Vec<Vec<f64>>) = each.unzip();
                    let loss: f64 = losses.iter().sum();
                    let mut dx = vec![f32::NAN; x.len()];
                    let (with, without) = if labelled {
                        let with = cross_entropy_labels(isa, n, &x, &labels, 0.25, smoothing, &mut dx);
                        (with, cross_entropy_labels_value(isa, n, &x, &labels, smoothing))
                    } else {
                        let with = cross_entropy_distribution(isa, n, &x, targets, 0.25, smoothing, &mut dx);
                        (with, cross_entropy_distribution_value(isa, n, &x, targets, smoothing))
                    };
                    assert!((with - loss).abs() <= 2e-6 * loss + 1e-6, "{what}: {with}, expected {loss}");
                    assert_eq!(with, without, "{what}");
                    let terms: Vec<f64> = t.iter().map(|t| 0.25 * t).collect();
                    near_for(&what, &dx, &truth.concat(), &terms);
                }
            }
        }
    }
}

#[test]
fn cross_entropy_at_the_ends() {
    let inf = f32::INFINITY;
    for isa in Isa::available() {
        let mut dx = [f32::NAN; 3];
        // A masked class, and a margin whose probability is 0 in any float.
        let loss = cross_entropy_labels(isa, 3, &[200.0, -inf, 0.0], &[2], 1.0, 0.0, &mut dx);
        assert_eq!((loss, dx), (200.0, [1.0, 0.0, -1.0]), "{}", isa.name());
        let loss = cross_entropy_distribution_value(isa, 3, &[0.0, -inf, 0.0], &[1.0, 0.0, 0.0], 0.0);
        assert!((loss - 2f64.ln()).abs() < 1e-6, "{}: {loss}", isa.name());
        assert_eq!(cross_entropy_labels_value(isa, 2, &[0.0, -inf], &[1], 0.0), f64::INFINITY);
        assert!(cross_entropy_labels_value(isa, 2, &[0.0, f32::NAN], &[0], 0.0).is_nan());
        for n in [2, 16, 20] {
            for bad in [f32::NAN, inf] {
                let mut y = vec![0.0; 2 * n];
                y[n - 1] = bad;
                softmax_in_place(isa, n, &mut y);
                assert!(y[..n].iter().all(|y| y.is_nan()), "{} n={n} {bad}: {y:?}", isa.name());
                assert!(y[n..].iter().all(|y| (y * n as f32 - 1.0).abs() < 1e-6), "{} n={n}: {y:?}", isa.name());
            }
            let mut y = vec![-inf; n];
            y[0] = -1e30;
            softmax_in_place(isa, n, &mut y);
            assert!(y[0] == 1.0 && y[1..].iter().all(|&y| y == 0.0), "{} n={n}: {y:?}", isa.name());
        }
    }
}

#[test]
fn a_row_has_the_same_bits_in_any_batch() {
    for isa in Isa::available() {
        for &(n, rows) in SIZES {
            let (x, labels) = (numbers(n * rows, 7), vec![0; rows]);
            let (mut whole, mut parts) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            let mut dx = [whole.clone(), whole.clone()];
            softmax(isa, n, &x, &mut whole);
            cross_entropy_labels(isa, n, &x, &labels, 0.3, 0.1, &mut dx[0]);
            let cut = rows / 3;
            for rows in [0..cut, cut..rows] {
                let at = rows.start * n..rows.end * n;
                softmax(isa, n, &x[at.clone()], &mut parts[at.clone()]);
                cross_entropy_labels(isa, n, &x[at.clone()], &labels[rows], 0.3, 0.1, &mut dx[1][at]);
            }
            assert_eq!(whole, parts, "{} n={n}", isa.name());
            for (x, y) in x.chunks(n).zip(whole.chunks(n)) {
                softmax(isa, n, x, &mut parts[..n]);
                assert_eq!(parts[..n], *y, "{} n={n}, a row alone", isa.name());
            }
            assert_eq!(dx[0], dx[1], "{} n={n}", isa.name());
        }
    }
}

#[test]
fn largest_and_sum_of_rows() {
    for isa in Isa::available() {
        for &(n, rows) in SIZES {
            let x: Vec<f32> = numbers(n * rows, 6).iter().map(|x| x - 20.0).collect();
            let mut y = vec![0.0; rows];
            row_max(isa, n, &x, &mut y);
            let truth: Vec<f32> = x.chunks(n).map(|row| row.iter().copied().fold(f32::MIN, f32::max)).collect();
            assert_eq!(y, truth, "{} n={n}", isa.name());
            row_sum(isa, n, &x, &mut y);
            near(isa.name(), &y, &wide(&x).chunks(n).map(|row| row.iter().sum()).collect::<Vec<_>>());
        }
    }
}

#[test]
fn argmax_takes_the_first_and_passes_over_nan() {
    let nan = f32::NAN;
    assert_eq!(argmax(&[1.0]), 0);
    assert_eq!(argmax(&[-3.0, -1.0, -1.0]), 1);
    assert_eq!(argmax(&[nan, f32::NEG_INFINITY, -5.0, nan]), 2);
    assert_eq!(argmax(&[nan, nan]), 0);
    assert_eq!(argmax(&[f32::NEG_INFINITY; 2]), 0);
}

#[test]
#[should_panic(expected = "expected labels below 3, found 3")]
fn a_label_too_large_is_refused() {
    cross_entropy_labels_value(Isa::PORTABLE, 3, &[0.0; 6], &[2, 3], 0.0);
}

#[test]
#[should_panic(expected = "expected whole rows of 4 numbers, found 6 numbers")]
fn rows_must_be_whole() {
    softmax_in_place(Isa::PORTABLE, 4, &mut [0.0; 6]);
}
