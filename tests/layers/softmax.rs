//! `Softmax` and `LogSoftmax`.

use nn_runtime::layers::{LogSoftmax, Softmax};
use nn_runtime::{Isa, Probe, Shape};

use crate::harness::{against_formula, against_pytorch, takes_any_number};

fn log_softmax(width: usize) -> impl Fn(&[f64]) -> Vec<f64> {
    move |x| {
        let row = |x: &[f64]| -> Vec<f64> {
            let sum: f64 = x.iter().map(|x| x.exp()).sum();
            x.iter().map(|x| x - sum.ln()).collect()
        };
        x.chunks(width).flat_map(row).collect()
    }
}

#[test]
fn softmax() {
    against_pytorch("softmax", |_| Softmax::new(), Softmax::rule, &[]);
    for shape in [Shape::of([2]), Shape::of([17]), Shape::of([3, 5]), Shape::of([2, 2, 33])] {
        let formula = log_softmax(*shape.as_slice().last().unwrap());
        against_formula(Softmax::new(), Softmax::rule, shape, 2.0, |x, _| formula(x).iter().map(|x| x.exp()).collect());
    }
    takes_any_number(Softmax::new(), Softmax::rule);
}

#[test]
fn log_softmax_is_its_logarithm() {
    against_pytorch("log_softmax", |_| LogSoftmax::new(), LogSoftmax::rule, &[]);
    for shape in [Shape::of([2]), Shape::of([17]), Shape::of([3, 5]), Shape::of([2, 2, 33])] {
        let formula = log_softmax(*shape.as_slice().last().unwrap());
        against_formula(LogSoftmax::new(), LogSoftmax::rule, shape, 2.0, |x, _| formula(x));
    }
    takes_any_number(LogSoftmax::new(), LogSoftmax::rule);
}

#[test]
fn scores_of_any_size_become_probabilities() {
    for isa in Isa::available() {
        let probe = Probe::new(Softmax::new(), Softmax::rule, [Shape::of([3])]).unwrap().isa(isa);
        let x = [1e30, -1e30, 0.0, 88.0, 89.0, 90.0];
        let [y] = probe.forward(2, [&x]);
        assert_eq!(y[..3], [1.0, 0.0, 0.0]);
        assert!((y[3..].iter().sum::<f32>() - 1.0).abs() < 1e-6, "{y:?}");
    }
}
