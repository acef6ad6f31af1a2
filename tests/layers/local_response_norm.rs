//! `LocalResponseNorm`.

use nn_runtime::layers::LocalResponseNorm;
use nn_runtime::{Isa, Probe, Shape};
use nn_tests::fixtures::Case;
use nn_tests::numbers::assert_near;

use crate::harness::{against_cases, against_formula, fault};
use crate::windows::{count, turned};

#[test]
fn local_response_norm_is_pytorchs() {
    let make = |case: &Case| {
        let [alpha, beta, k] = ["alpha", "beta", "k"].map(|name| case.number(name) as f32);
        LocalResponseNorm::new(count(case, "size")).alpha(alpha).beta(beta).k(k)
    };
    let file = "images/local_response_norm";
    against_cases(file, turned(file), make, LocalResponseNorm::rule, &[]);
}

/// Each channel of `[channels, after]` divided by what its window comes to.
fn formula(x: &[f64], channels: usize, after: usize, size: usize, [alpha, beta, k]: [f64; 3]) -> Vec<f64> {
    let place = |at: usize| {
        let (c, i) = ((at / after) as i64, at % after);
        let window = c - (size / 2) as i64..=c + ((size - 1) / 2) as i64;
        let there = window.filter(|j| (0..channels as i64).contains(j));
        let sum: f64 = there.map(|j| x[j as usize * after + i].powi(2)).sum();
        x[at] / (k + alpha * sum / size as f64).powf(beta)
    };
    (0..x.len()).map(place).collect()
}

#[test]
fn local_response_norm_is_its_formula() {
    for (shape, size, [alpha, beta, k]) in [
        (Shape::of([5, 3, 7]), 3, [0.5, 0.75, 1.0]),
        (Shape::of([3, 2, 2]), 4, [2.0, 1.5, 0.5]),
        (Shape::of([19]), 5, [1.0, 0.5, 1.0]),
        (Shape::of([2, 2]), 64, [1.0, -0.5, 1.0]),
    ] {
        let layer = LocalResponseNorm::new(size).alpha(alpha as f32).beta(beta as f32).k(k as f32);
        // Of steps the features are the channels.
        let (channels, row) =
            if shape.rank() == 2 { (shape.dim(1), shape.dim(1)) } else { (shape.dim(0), shape.len()) };
        against_formula(layer, LocalResponseNorm::rule, shape, 1.0, |x, _| {
            x.chunks(row).flat_map(|x| formula(x, channels, row / channels, size, [alpha, beta, k])).collect()
        });
    }
}

/// The gradient divides by more than the output does: large numbers must not vanish in it.
#[test]
fn numbers_of_every_size() {
    for size in [1e-18, 1.0, 1e9, 1e15, 1e18] {
        let (x, dy) = ([size, 2.0 * size, -size], [1.0, 0.5, -0.25]);
        let wide = x.map(|x| f64::from(x as f32));
        let share = f64::from(1e-4f32) / 3.0;
        let base =
            |c: usize| 1.0 + share * wide[c.saturating_sub(1)..(c + 2).min(3)].iter().map(|x| x * x).sum::<f64>();
        let of = |c: usize| {
            let through: f64 =
                (c.saturating_sub(1)..(c + 2).min(3)).map(|j| dy[j] * wide[j] / base(j).powf(1.75)).sum();
            dy[c] / base(c).powf(0.75) - 1.5 * share * wide[c] * through
        };
        for isa in Isa::available() {
            let layer = LocalResponseNorm::new(3);
            let probe = Probe::new(layer, LocalResponseNorm::rule, [Shape::of([3, 1, 1])]).unwrap().isa(isa);
            let what = format!("{size:e} {}", isa.name());
            let x = x.map(|x| x as f32);
            assert_near(&probe.forward(1, [&x])[0], &[0, 1, 2].map(|c| wide[c] / base(c).powf(0.75)), &what);
            let [dx] = probe.gradients(1, [&x], [&dy.map(|dy| dy as f32)]).inputs;
            assert_near(&dx, &[0, 1, 2].map(of), &what);
        }
    }
}

#[test]
fn faults_say_what_to_type() {
    let of = |layer| fault(layer, LocalResponseNorm::rule, Shape::of([4, 2, 2]));
    assert_eq!(
        of(LocalResponseNorm::new(0)),
        "expected at least 1 channel, found 0\nhelp: give how many neighbouring channels it is over, such as 5"
    );
    assert_eq!(
        of(LocalResponseNorm::new(3).k(0.0)),
        "expected a finite `k` above 0, found 0\nhelp: use `k = 1.0`, or leave it out"
    );
    assert_eq!(
        of(LocalResponseNorm::new(3).alpha(-1.0)),
        "expected a finite `alpha` of at least 0, found -1\nhelp: use `alpha = 1e-4`, or leave it out"
    );
    let text = of(LocalResponseNorm::new(3).beta(f32::NAN));
    assert!(text.starts_with("expected a finite `beta`, found "), "{text}");
}
