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
