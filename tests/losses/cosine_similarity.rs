//! `CosineSimilarity`: against PyTorch and its formula, and where rows are zeros or very long.

use nn_runtime::Isa;
use nn_runtime::losses::{CosineSimilarity, LossOn};

use crate::harness::{WIDTHS, against_formula, against_pytorch, values};

#[test]
fn cosine_similarity() {
    let loss = CosineSimilarity::new();
    against_pytorch("cosine_similarity", |_| Some(loss), 7);
    against_formula("cosine similarity", &loss, &WIDTHS[1..], values, |y, t| {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        1.0 - dot(y, t) / (dot(y, y) * dot(t, t)).sqrt()
    });
    for isa in Isa::available() {
        // Neither a row of zeros nor long rows give anything that is no number.
        let (y, t) = ([0.0, 0.0, 3e15, 4e15], [1.0, 1.0, 3e15, 4e15]);
        let mut dy = [f32::NAN; 4];
        let sum = loss.gradient(isa, 2, &y, &t[..], 1.0, &mut dy);
        assert!((sum - 1.0).abs() < 1e-6, "{}: {sum}", isa.name());
        assert!(dy.iter().all(|dy| dy.is_finite()) && dy[2].abs() < 1e-15, "{}: {dy:?}", isa.name());
    }
    let fault = loss.fault(1, &[1.0][..], 1).unwrap();
    assert!(fault.1.starts_with("expected rows of at least 2 numbers, found 1\nhelp: "));
    assert_eq!(loss.correct(2, &[1.0, 1.0], &[1.0, 1.0][..]), None);
}

/// The direction is all that counts: rows of any length that a float has, parallel and perpendicular.
#[test]
fn rows_of_every_length_have_a_direction() {
    let loss = CosineSimilarity::new();
    for isa in Isa::available() {
        for exponent in -36..=37 {
            for other in [-36, -20, 0, 19, 37] {
                let (a, b) = (10f32.powi(exponent), 10f32.powi(other));
                let found = |y: &[f32], t: &[f32]| loss.value(isa, 2, y, t);
                let parallel = found(&[a, 2.0 * a], &[b, 2.0 * b]);
                assert!((0.0..1e-6).contains(&parallel), "{} {a:e} {b:e}: {parallel:e}", isa.name());
                let across = found(&[a, 2.0 * a], &[-2.0 * b, b]);
                assert!((across - 1.0).abs() < 1e-6, "{} {a:e} {b:e}: {across:e}", isa.name());
                // d/dy of 1 - cos at a right angle is -t / (|y| · |t|).
                let mut dy = [f32::NAN; 2];
                loss.gradient(isa, 2, &[a, 0.0], &[0.0, b][..], 1.0, &mut dy);
                assert_eq!(dy[0], 0.0, "{} {a:e} {b:e}", isa.name());
                assert!((dy[1] * a + 1.0).abs() < 1e-6, "{} {a:e} {b:e}: {dy:?}", isa.name());
            }
        }
        // So have numbers with fewer digits than others.
        for tiny in [1e-45f32, 3e-45, 1e-42, 1e-39] {
            let mut dy = [f32::NAN; 4];
            let same = loss.gradient(isa, 4, &[tiny; 4], &[tiny; 4][..], 1.0, &mut dy);
            assert!((0.0..1e-6).contains(&same), "{} {tiny:e}: {same:e}", isa.name());
            assert!(dy.iter().all(|dy| !dy.is_nan()), "{} {tiny:e}: {dy:?}", isa.name());
            let opposite = loss.value(isa, 4, &[tiny; 4], &[-3.0; 4][..]);
            assert!((opposite - 2.0).abs() < 1e-6, "{} {tiny:e}: {opposite:e}", isa.name());
        }
        // A rounded cosine above 1 would be a loss below 0.
        for i in 1..200 {
            let row = [1.0, i as f32, 0.3 * i as f32];
            assert!(loss.value(isa, 3, &row, &row[..]) >= 0.0, "{} {row:?}", isa.name());
            // And of rows that point opposite ways, a loss above 2.
            let opposite = row.map(|x| -x);
            assert!(loss.value(isa, 3, &row, &opposite[..]) <= 2.0, "{} {row:?}", isa.name());
        }
    }
}
