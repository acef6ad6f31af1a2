use super::*;
use std::vec::Vec;

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

/// Twenty steps of `fast` on every path and of `naive` in double precision; relative error of the parameters as one vector.
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
            // What is compared is the way that was gone, so that a wrong small step is not hidden by large parameters.
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
        let step = SgdStep::new(0.05, decay);
        compare(
            "sgd",
            0.0,
            |isa, _, p, g, _, _| step.update(isa, p, g),
            |_, g, t| Naive { p: t.p - 0.05 * (g + decay * t.p), ..t },
        );
        for nesterov in [false, true] {
            let step = MomentumStep::new(0.05, 0.9, nesterov, decay);
            compare(
                "momentum",
                0.0,
                |isa, _, p, g, v, _| step.update(isa, p, g, v),
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
        let step = RmspropStep::new(0.01, 0.99, 1e-8, decay);
        let naive = |g: f64, t: Naive| {
            let g = g + decay * t.p;
            let a = 0.99 * t.a + (1.0 - 0.99) * g * g;
            (g / (a.sqrt() + 1e-8), a)
        };
        compare(
            "rmsprop",
            0.0,
            |isa, _, p, g, v, _| step.update(isa, p, g, v),
            |_, g, t| {
                let (way, a) = naive(g, t);
                Naive { p: t.p - 0.01 * way, a, ..t }
            },
        );
        let step = RmspropMomentumStep::new(step, 0.8);
        compare(
            "rmsprop with momentum",
            0.0,
            |isa, _, p, g, v, b| step.update(isa, p, g, v, b),
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
    for (decay, start) in [(0.0, 0.0), (0.1, 0.25)] {
        compare(
            "adagrad",
            start,
            |isa, number, p, g, v, _| AdagradStep::new(number, 0.1, 0.02, 1e-10, decay).update(isa, p, g, v),
            |number, g, t| {
                let g = g + decay * t.p;
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
        compare(
            "adam",
            0.0,
            |isa, number, p, g, m, v| {
                AdamStep::new(number, lr, beta1, beta2, eps, decay, decoupled).update(isa, p, g, m, v)
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

/// A unit that was alive and dies: its memories may become small and then 0, but never denormal.
#[test]
fn memories_of_the_dead_become_zero() {
    type Update = dyn Fn(Isa, u64, &mut [f32], &[f32], &mut [f32], &mut [f32]);
    let adam = |i: Isa, t: u64, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]| {
        AdamStep::new(t, 1e-3, 0.9, 0.9, 1e-8, 0.0, false).update(i, p, g, m, v)
    };
    let momentum = |i: Isa, _: u64, p: &mut [f32], g: &[f32], v: &mut [f32], _: &mut [f32]| {
        MomentumStep::new(1e-3, 0.9, false, 0.0).update(i, p, g, v)
    };
    let rmsprop = |i: Isa, _: u64, p: &mut [f32], g: &[f32], v: &mut [f32], b: &mut [f32]| {
        RmspropMomentumStep::new(RmspropStep::new(1e-3, 0.9, 1e-8, 0.0), 0.9).update(i, p, g, v, b)
    };
    let updates: [(&str, &Update); 3] = [("adam", &adam), ("momentum", &momentum), ("rmsprop", &rmsprop)];
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
            assert!(a.iter().chain(&b).all(|&x| x == 0.0), "{} {what}: {a:?} {b:?}", isa.name());
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
            AdamStep::new(step, 1e-3, 0.9, 0.999, 1e-8, 0.0, false).update(isa, &mut p, &g, &mut m, &mut v);
        }
        for i in 0..n {
            assert_eq!(p[i].is_nan() && m[i].is_nan() && v[i].is_nan(), i == 18, "{} {i}", isa.name());
        }
    }
}

#[test]
#[should_panic(expected = "expected as many remembered numbers as parameters")]
fn lengths_must_agree() {
    MomentumStep::new(0.1, 0.9, false, 0.0).update(Isa::PORTABLE, &mut [0.0; 4], &[0.0; 4], &mut [0.0; 3]);
}
