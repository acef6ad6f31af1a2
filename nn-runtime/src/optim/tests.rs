//! Twenty steps of every optimiser beside their formulas in double precision, on every instruction set.

mod sizes;

use super::*;
use crate::Shape;
use alloc::vec;
use alloc::vec::Vec;
use nn_kernels::optimizer::update_ema;

const STEPS: u64 = 20;
const SIZES: [usize; 7] = [1, 5, 15, 16, 17, 33, 131];

/// One parameter in double precision: itself, and two memories that start at `start`.
#[derive(Clone, Copy)]
struct Naive {
    p: f64,
    a: f64,
    b: f64,
}

fn params(n: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 37) % 23) as f32 / 7.0 - 1.5).collect()
}

/// Of very different sizes, signs, and sometimes 0.
fn grads(n: usize, step: u64) -> Vec<f32> {
    let of = |i: usize| ((i * 53 + step as usize * 17) % 29) as f32 / 14.0 - 1.0;
    (0..n).map(|i| if i % 7 == 3 { 0.0 } else { of(i) * [1.0, 1e-3, 30.0][i % 3] }).collect()
}

/// Twenty steps of `fast` on every path and of `naive` in double precision; relative error of the parameters
/// as one vector.
fn compare(
    what: &str,
    start: f32,
    fast: impl Fn(Isa, u64, &mut [f32], &[f32], &mut [f32], &mut [f32]),
    naive: impl Fn(u64, f64, Naive) -> Naive,
) {
    for isa in Isa::available() {
        for n in SIZES {
            let (mut p, mut a, mut b) = (params(n), vec![start; n], vec![start; n]);
            let start = f64::from(start);
            let mut truth: Vec<Naive> = p.iter().map(|&p| Naive { p: f64::from(p), a: start, b: start }).collect();
            let before = p.clone();
            for step in 1..=STEPS {
                let g = grads(n, step);
                fast(isa, step, &mut p, &g, &mut a, &mut b);
                for (t, &g) in truth.iter_mut().zip(&g) {
                    *t = naive(step, f64::from(g), *t);
                }
            }
            let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
            // What is compared is the way that was gone, so that a wrong small step is not hidden by large
            // parameters.
            let error = norm(&mut p.iter().zip(&truth).map(|(&p, t)| f64::from(p) - t.p));
            let way = norm(&mut truth.iter().zip(&before).map(|(t, &p)| t.p - f64::from(p)));
            assert!(error <= 1e-5 * way, "{} {what} n={n}: {error} of {way}", isa.name());
            let error = norm(&mut a.iter().zip(&truth).map(|(&a, t)| f64::from(a) - t.a));
            assert!(error <= 1e-6 * norm(&mut truth.iter().map(|t| t.a)), "{} {what} n={n}: memory", isa.name());
        }
    }
}

#[test]
fn gradient_descent() {
    for decay in [0.0, 0.1] {
        let step = Sgd::new(0.05).weight_decay(decay);
        compare(
            "sgd",
            0.0,
            |isa, n, p, g, _, _| step.update(isa, n, p, g, &mut []),
            |_, g, t| Naive { p: t.p - 0.05 * (g + decay * t.p), ..t },
        );
        for nesterov in [false, true] {
            let step = Sgd::new(0.05).momentum(0.9).nesterov(nesterov).weight_decay(decay);
            compare(
                "momentum",
                0.0,
                |isa, n, p, g, v, _| step.update(isa, n, p, g, &mut [v]),
                |number, g, t| {
                    let g = g + decay * t.p;
                    // PyTorch: the first buffer is the gradient itself.
                    let a = if number == 1 { g } else { 0.9 * t.a + g };
                    let way = if nesterov { g + 0.9 * a } else { a };
                    Naive { p: t.p - 0.05 * way, a, ..t }
                },
            );
        }
    }
}

#[test]
fn rmsprop() {
    for decay in [0.0, 0.1] {
        let step = RmsProp::new(0.01).weight_decay(decay);
        let naive = |g: f64, t: Naive| {
            let g = g + decay * t.p;
            // What is kept is 64 times the mean square.
            let a = 0.99 * t.a + 64.0 * (1.0 - 0.99) * g * g;
            (g / ((a / 64.0).sqrt() + 1e-8), a)
        };
        compare(
            "rmsprop",
            0.0,
            |isa, n, p, g, v, _| step.update(isa, n, p, g, &mut [v]),
            |_, g, t| {
                let (way, a) = naive(g, t);
                Naive { p: t.p - 0.01 * way, a, ..t }
            },
        );
        let step = step.momentum(0.8);
        compare(
            "rmsprop with momentum",
            0.0,
            |isa, n, p, g, v, b| step.update(isa, n, p, g, &mut [v, b]),
            |_, g, t| {
                let (way, a) = naive(g, t);
                let b = 0.8 * t.b + way;
                Naive { p: t.p - 0.01 * b, a, b }
            },
        );
    }
}

#[test]
fn adagrad() {
    for start in [0.0, 0.25] {
        let adagrad = Adagrad::new(0.1).rate_decay(0.02);
        compare(
            "adagrad",
            start,
            |isa, number, p, g, v, _| adagrad.update(isa, number, p, g, &mut [v]),
            |number, g, t| {
                let a = t.a + g * g;
                let lr = 0.1 / (1.0 + (number - 1) as f64 * 0.02);
                Naive { p: t.p - lr * g / (a.sqrt() + 1e-10), a, ..t }
            },
        );
    }
}

#[test]
fn adam_and_adamw() {
    for (decay, decoupled) in [(0.0, false), (0.1, false), (0.1, true)] {
        let (lr, beta1, beta2, eps) = (0.05, 0.9, 0.999, 1e-8);
        let (adam, adamw) = (Adam::new(lr).weight_decay(decay), AdamW::new(lr).weight_decay(decay));
        compare(
            "adam",
            0.0,
            |isa, number, p, g, m, v| {
                let optimizer: &dyn Optimizer = if decoupled { &adamw } else { &adam };
                optimizer.update(isa, number, p, g, &mut [m, v])
            },
            |number, g, t| {
                let (p, g) = if decoupled { (t.p * (1.0 - lr * decay), g) } else { (t.p, g + decay * t.p) };
                let a = beta1 * t.a + (1.0 - beta1) * g;
                let b = beta2 * t.b + (1.0 - beta2) * g * g;
                let (m, v) = (a / (1.0 - beta1.powi(number as i32)), b / (1.0 - beta2.powi(number as i32)));
                Naive { p: p - lr * m / (v.sqrt() + eps), a, b }
            },
        );
    }
}

#[test]
fn nadam() {
    for (weight_decay, momentum_decay) in [(0.0, 4e-3), (0.1, 2.0)] {
        let (lr, beta1, beta2, eps) = (0.05, 0.9, 0.999, 1e-8);
        let momentum = |step: u64| beta1 * (1.0 - 0.5 * 0.96f64.powf(step as f64 * momentum_decay));
        compare(
            "nadam",
            0.0,
            |isa, number, p, g, m, v| {
                Nadam::new(lr).weight_decay(weight_decay).momentum_decay(momentum_decay).update(
                    isa,
                    number,
                    p,
                    g,
                    &mut [m, v],
                )
            },
            |number, g, t| {
                let g = g + weight_decay * t.p;
                let (a, b) = (beta1 * t.a + (1.0 - beta1) * g, beta2 * t.b + (1.0 - beta2) * g * g);
                let product: f64 = (1..=number).map(momentum).product();
                let (now, next) = (momentum(number), momentum(number + 1));
                let way = (1.0 - now) / (1.0 - product) * g + next / (1.0 - product * next) * a;
                Naive { p: t.p - lr * way / ((b / (1.0 - beta2.powi(number as i32))).sqrt() + eps), a, b }
            },
        );
    }
    // Long after the product of all momenta has become too small to matter, and with a momentum that hardly
    // falls.
    for (step, beta1) in [(1_000_000_000, 0.9), (10_000, 0.999)] {
        // 64 times the mean square of 0.25.
        let (mut p, mut m, mut v) = ([1.0], [0.5], [16.0]);
        let nadam = Nadam::new(0.5).betas(beta1, 0.9).eps(0.0).momentum_decay(1e9);
        nadam.update(Isa::PORTABLE, step, &mut p, &[0.5], &mut [&mut m, &mut v]);
        assert!((p[0] - 0.5).abs() < 1e-4, "{step}: {p:?}");
    }
}

#[test]
fn lion() {
    for decay in [0.0, 0.1] {
        let (lr, beta1, beta2) = (0.05, 0.9, 0.99);
        let step = Lion::new(lr).betas(beta1, beta2).weight_decay(decay);
        compare(
            "lion",
            0.0,
            |isa, n, p, g, m, _| step.update(isa, n, p, g, &mut [m]),
            |_, g, t| {
                let way = beta1 * t.a + (1.0 - beta1) * g;
                let sign = if way == 0.0 { 0.0 } else { way.signum() };
                Naive { p: t.p * (1.0 - lr * decay) - lr * sign, a: beta2 * t.a + (1.0 - beta2) * g, ..t }
            },
        );
    }
}

/// Lamb sees a whole tensor, so that its reference does too.
#[test]
fn lamb() {
    let (lr, beta1, beta2, eps, decay) = (0.05, 0.9, 0.999, 1e-6, 0.1);
    for isa in Isa::available() {
        for n in SIZES {
            let (mut p, mut m, mut v) = (params(n), vec![0.0; n], vec![0.0; n]);
            let mut truth: Vec<Naive> = p.iter().map(|&p| Naive { p: f64::from(p), a: 0.0, b: 0.0 }).collect();
            let before = p.clone();
            for step in 1..=STEPS {
                let mut g = grads(n, step);
                let mut way = Vec::new();
                for (t, &g) in truth.iter_mut().zip(&g) {
                    let g = f64::from(g);
                    (t.a, t.b) = (beta1 * t.a + (1.0 - beta1) * g, beta2 * t.b + (1.0 - beta2) * g * g);
                    let (a, b) = (t.a / (1.0 - beta1.powi(step as i32)), t.b / (1.0 - beta2.powi(step as i32)));
                    way.push(a / (b.sqrt() + eps) + decay * t.p);
                }
                let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
                let ratio = norm(&mut truth.iter().map(|t| t.p)) / norm(&mut way.iter().copied());
                truth.iter_mut().zip(way).for_each(|(t, way)| t.p -= lr * ratio * way);
                let layout = TensorLayout::plain(Shape::of([n]));
                let tensor = TensorUpdate { layout: &layout, params: &mut p, grads: &mut g, scratch: &mut [] };
                Lamb::new(lr).weight_decay(decay).update_tensor(isa, step, tensor, &mut [&mut m, &mut v]);
            }
            let gap: f64 = p.iter().zip(&truth).map(|(&p, t)| (f64::from(p) - t.p).powi(2)).sum();
            let way: f64 = truth.iter().zip(&before).map(|(t, &p)| (t.p - f64::from(p)).powi(2)).sum();
            assert!(gap.sqrt() <= 1e-5 * way.sqrt(), "{} n={n}: {gap} of {way}", isa.name());
        }
    }
}

#[test]
fn the_sign_of_a_faulty_gradient_is_faulty() {
    for isa in Isa::available() {
        let (mut p, mut m) = ([1.0, 1.0], [0.0, 0.0]);
        Lion::new(0.5).update(isa, 1, &mut p, &[f32::NAN, 1.0], &mut [&mut m]);
        assert!(p[0].is_nan() && p[1] == 0.5, "{}: a faulty gradient shows: {p:?}", isa.name());
    }
}

/// A unit that was alive and dies: its memories may become small and then 0, but never denormal.
#[test]
fn memories_of_the_dead_come_to_rest_above_denormals() {
    type Update = dyn Fn(Isa, u64, &mut [f32], &[f32], &mut [f32], &mut [f32]);
    let adam = |i: Isa, t: u64, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]| {
        Adam::new(1e-3).betas(0.9, 0.9).update(i, t, p, g, &mut [m, v])
    };
    let momentum = |i: Isa, t: u64, p: &mut [f32], g: &[f32], v: &mut [f32], _: &mut [f32]| {
        Sgd::new(1e-3).momentum(0.9).update(i, t, p, g, &mut [v])
    };
    let rmsprop = |i: Isa, t: u64, p: &mut [f32], g: &[f32], v: &mut [f32], b: &mut [f32]| {
        RmsProp::new(1e-3).alpha(0.9).momentum(0.9).update(i, t, p, g, &mut [v, b])
    };
    let nadam = |i: Isa, t: u64, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]| {
        Nadam::new(1e-3).betas(0.9, 0.9).update(i, t, p, g, &mut [m, v])
    };
    let lion = |i: Isa, t: u64, p: &mut [f32], g: &[f32], m: &mut [f32], _: &mut [f32]| {
        Lion::new(1e-3).betas(0.9, 0.9).update(i, t, p, g, &mut [m])
    };
    let lamb = |i: Isa, t: u64, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]| {
        let layout = TensorLayout::plain(Shape::of([p.len()]));
        let tensor = TensorUpdate { layout: &layout, params: p, grads: &mut g.to_vec(), scratch: &mut [] };
        Lamb::new(1e-3).betas(0.9, 0.9).weight_decay(0.0).update_tensor(i, t, tensor, &mut [m, v])
    };
    let muon = |i: Isa, _: u64, _: &mut [f32], g: &[f32], m: &mut [f32], _: &mut [f32]| update_ema(i, 0.1, g, m);
    let updates: [(&str, &Update); 7] = [
        ("adam", &adam),
        ("momentum", &momentum),
        ("rmsprop", &rmsprop),
        ("nadam", &nadam),
        ("lion", &lion),
        ("lamb", &lamb),
        ("muon", &muon),
    ];
    for isa in Isa::available() {
        for (what, update) in updates {
            let n = 19;
            let (mut p, mut a, mut b) = (params(n), vec![0.0; n], vec![0.0; n]);
            update(isa, 1, &mut p, &grads(n, 1), &mut a, &mut b);
            assert!(a.iter().any(|&a| a != 0.0), "{} {what}: was never alive", isa.name());
            for step in 2..1000 {
                update(isa, step, &mut p, &vec![0.0; n], &mut a, &mut b);
                assert!(
                    !a.iter().chain(&b).any(|x| x.is_subnormal()),
                    "{} {what} step {step}: {a:?} {b:?}",
                    isa.name()
                );
            }
            assert!(a.iter().chain(&b).all(|x| x.abs() < 1e-26), "{} {what}: {a:?} {b:?}", isa.name());
            assert!(p.iter().all(|p| p.is_finite()), "{} {what}: {p:?}", isa.name());
        }
    }
}

#[test]
fn a_faulty_gradient_shows_and_stays_where_it_is() {
    for isa in Isa::available() {
        let n = 21;
        let (mut p, mut m, mut v) = (params(n), vec![0.0; n], vec![0.0; n]);
        let mut g = grads(n, 1);
        g[18] = f32::NAN;
        for step in 1..4 {
            Adam::new(1e-3).update(isa, step, &mut p, &g, &mut [&mut m, &mut v]);
        }
        for i in 0..n {
            assert_eq!(p[i].is_nan() && m[i].is_nan() && v[i].is_nan(), i == 18, "{} {i}", isa.name());
        }
    }
}

#[test]
#[should_panic(expected = "expected slots as long as the parameters")]
fn lengths_must_agree() {
    Sgd::new(0.1).momentum(0.9).update(Isa::PORTABLE, 1, &mut [0.0; 4], &[0.0; 4], &mut [&mut [0.0; 3]]);
}

#[test]
fn powers_are_those_of_the_library() {
    for (base, exponent) in [(0.9, 1), (0.999, 7), (0.999, 123_456), (0.5, 2000)] {
        let truth = f64::powf(base, f64::from(exponent));
        assert!((powi(base, exponent as u64) - truth).abs() <= 1e-10 * truth, "{base}^{exponent}");
    }
}
