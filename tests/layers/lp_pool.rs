//! `LpPool1d` and `LpPool2d`: against PyTorch, and against their formula, of numbers below 0 and of every
//! size.

use nn_runtime::layers::{LpPool1d, LpPool2d, Padding};
use nn_runtime::{Isa, Probe, Shape};
use nn_tests::fixtures::Case;
use nn_tests::numbers::assert_near;

use crate::harness::{against_cases, against_formula, against_pytorch, fault};
use crate::windows::{count, turned};

#[test]
fn norms_of_windows_are_pytorchs() {
    let make = |case: &Case| {
        let layer = LpPool2d::new(case.number("p") as f32, count(case, "kernel")).stride(count(case, "stride"));
        layer.ceil_mode(count(case, "ceil_mode") == 1)
    };
    against_pytorch("images/lp_pool2d", make, LpPool2d::rule, &[]);
    let make = |case: &Case| {
        let layer = LpPool1d::new(case.number("p") as f32, count(case, "kernel")).stride(count(case, "stride"));
        layer.ceil_mode(count(case, "ceil_mode") == 1)
    };
    against_cases("images/lp_pool1d", turned("images/lp_pool1d"), make, LpPool1d::rule, &[]);
}

/// Sizes of numbers of both signs, between zeros.
#[test]
fn norms_of_windows_are_their_formula() {
    for (p, kernel, stride, pad) in [(1.0, 2, 2, 0), (2.0, 3, 1, 1), (3.0, 3, 2, 1), (2.5, 4, 3, 2), (9.0, 1, 1, 0)] {
        let (height, width) = (5, 17);
        let out = |size: usize| (size + 2 * pad - kernel) / stride + 1;
        let formula = |x: &[f64], _: &[Vec<f64>]| -> Vec<f64> {
            let at = |c: usize, y: usize, x_: usize| {
                let inside = (pad..height + pad).contains(&y) && (pad..width + pad).contains(&x_);
                if inside { x[(c * height + y - pad) * width + x_ - pad].abs() } else { 0.0 }
            };
            let one = |c: usize, oy: usize, ox: usize| {
                let window = (0..kernel * kernel).map(|k| at(c, oy * stride + k / kernel, ox * stride + k % kernel));
                window.map(|x| x.powf(f64::from(p))).sum::<f64>().powf(1.0 / f64::from(p))
            };
            let mut y = Vec::new();
            for c in 0..2 {
                for place in 0..out(height) * out(width) {
                    y.push(one(c, place / out(width), place % out(width)));
                }
            }
            y
        };
        let layer = LpPool2d::new(p, kernel).stride(stride).padding(Padding::Pad(pad));
        against_formula(layer, LpPool2d::rule, Shape::of([2, height, width]), 2.0, formula);
    }
}

/// No power of what is there overflows or vanishes; a window of zeros has a norm of 0 and no gradient.
#[test]
fn numbers_of_every_size() {
    for size in [1e-30f32, 1.0, 1e30] {
        for p in [1.0, 2.0, 7.0] {
            let x = [3.0 * size, -4.0 * size, 0.0, 0.0];
            let probe = Probe::new(LpPool1d::new(p, 2), LpPool1d::rule, [Shape::of([4, 1])]).unwrap();
            let truth = (3f64.powf(p.into()) + 4f64.powf(p.into())).powf(1.0 / f64::from(p));
            let [y] = probe.forward(1, [&x]);
            assert_near(&[y[0] / size, y[1]], &[truth, 0.0], &format!("{size}, {p}"));
            let dx = &probe.gradients(1, [&x], [&[1.0, 1.0]]).inputs[0];
            let slope = |x: f64| (x / truth).powf(f64::from(p) - 1.0);
            assert_near(dx, &[slope(3.0), -slope(4.0), 0.0, 0.0], &format!("{size}, {p}: dx"));
        }
    }
    for isa in Isa::available() {
        let probe = Probe::new(LpPool1d::new(2.0, 2), LpPool1d::rule, [Shape::of([4, 1])]).unwrap().isa(isa);
        for x in [[f32::NAN, 1.0, 1.0, 1.0], [1.0, f32::NAN, 1.0, 1.0]] {
            let [y] = probe.forward(1, [&x]);
            assert!(y[0].is_nan() && y[1] == 2f32.sqrt(), "{y:?}");
        }
    }
}

#[test]
fn faults_say_what_to_type() {
    for p in [0.5, f32::NAN, f32::INFINITY, -2.0] {
        let text = fault(LpPool2d::new(p, 2), LpPool2d::rule, Shape::of([1, 4, 4]));
        assert!(text.starts_with("expected a power of at least 1, and finite, found "), "{text}");
        assert!(text.ends_with("help: give it before the kernel, such as `LpPool2d(2.0, 2)`"), "{text}");
    }
    assert!(fault(LpPool1d::new(2.0, 5), LpPool1d::rule, Shape::of([4, 1])).contains("at least"));
}
