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

#[test]
fn nadam() {
    for (weight_decay, momentum_decay) in [(0.0, 4e-3), (0.1, 2.0)] {
        let (lr, beta1, beta2, eps) = (0.05, 0.9, 0.999, 1e-8);
        let momentum = |step: u64| beta1 * (1.0 - 0.5 * 0.96f64.powf(step as f64 * momentum_decay));
        compare(
            "nadam",
            0.0,
            |isa, number, p, g, m, v| {
                NadamStep::new(number, lr, (beta1, beta2), eps, weight_decay, momentum_decay).update(isa, p, g, m, v)
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
    // Long after the product of all momenta has become too small to matter, and with a momentum that hardly falls.
    for (step, beta1) in [(1_000_000_000, 0.9), (10_000, 0.999)] {
        let (mut p, mut m, mut v) = ([1.0], [0.5], [0.25]);
        NadamStep::new(step, 0.5, (beta1, 0.9), 0.0, 0.0, 1e9).update(Isa::PORTABLE, &mut p, &[0.5], &mut m, &mut v);
        assert!((p[0] - 0.5).abs() < 1e-4, "{step}: {p:?}");
    }
}

#[test]
fn lion() {
    for decay in [0.0, 0.1] {
        let (lr, beta1, beta2) = (0.05, 0.9, 0.99);
        let step = LionStep::new(lr, beta1, beta2, decay);
        compare(
            "lion",
            0.0,
            |isa, _, p, g, m, _| step.update(isa, p, g, m),
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
                LambStep::new(step, lr, beta1, beta2, eps, decay).update(isa, &mut p, &mut g, &mut m, &mut v);
            }
            let gap: f64 = p.iter().zip(&truth).map(|(&p, t)| (f64::from(p) - t.p).powi(2)).sum();
            let way: f64 = truth.iter().zip(&before).map(|(t, &p)| (t.p - f64::from(p)).powi(2)).sum();
            assert!(gap.sqrt() <= 1e-5 * way.sqrt(), "{} n={n}: {gap} of {way}", isa.name());
        }
    }
}

/// Beside the same in double precision: row by row, without panels.
#[test]
fn matrices_are_made_orthogonal() {
    for [rows, cols] in [[1, 1], [1, 17], [3, 5], [15, 16], [16, 33], [17, 70], [40, 41]] {
        let by = NewtonSchulz { coefficients: (3.4445, -4.775, 2.0315), steps: 5, eps: 1e-7 };
        let start: Vec<f32> = (0..rows * cols).map(|i| ((i * i * 31 + i * 7) % 97) as f32 / 48.0 - 1.0).collect();
        let mut truth: Vec<f64> = start.iter().map(|&x| f64::from(x)).collect();
        let norm = truth.iter().map(|x| x * x).sum::<f64>().sqrt();
        truth.iter_mut().for_each(|x| *x /= norm);
        for _ in 0..by.steps {
            let gram: Vec<f64> = (0..rows * rows)
                .map(|i| (0..cols).map(|k| truth[i / rows * cols + k] * truth[i % rows * cols + k]).sum())
                .collect();
            let square =
                |i: usize| (0..rows).map(|k| gram[i / rows * rows + k] * gram[k * rows + i % rows]).sum::<f64>();
            let (a, b, c) = by.coefficients;
            let mixed: Vec<f64> = (0..rows * rows).map(|i| b * gram[i] + c * square(i)).collect();
            let of = |i: usize| (0..rows).map(|k| mixed[i / cols * rows + k] * truth[k * cols + i % cols]).sum::<f64>();
            truth = (0..rows * cols).map(|i| a * truth[i] + of(i)).collect();
        }
        for isa in Isa::available() {
            let mut x = start.clone();
            let mut scratch = vec![f32::NAN; orthogonalize_scratch(rows, cols)];
            orthogonalize(isa, by, [rows, cols], &mut x, &mut scratch);
            let gap = x.iter().zip(&truth).map(|(&x, t)| (f64::from(x) - t).powi(2)).sum::<f64>().sqrt();
            let size = truth.iter().map(|t| t * t).sum::<f64>().sqrt();
            assert!(gap <= 1e-5 * size, "{} [{rows}, {cols}]: {:.1e}", isa.name(), gap / size);
            // No row is longer than the largest singular value, and these iterations bring that to 0.7 to 1.2.
            let longest = x.chunks(cols).map(|row| row.iter().map(|x| x * x).sum::<f32>().sqrt()).fold(0.0, f32::max);
            assert!((0.6..1.25).contains(&longest), "{} [{rows}, {cols}]: {longest}", isa.name());
        }
    }
    let mut zero = [0.0; 6];
    let by = NewtonSchulz { coefficients: (3.4445, -4.775, 2.0315), steps: 5, eps: 1e-7 };
    orthogonalize(Isa::detect(), by, [2, 3], &mut zero, &mut vec![0.0; orthogonalize_scratch(2, 3)]);
    assert_eq!(zero, [0.0; 6], "what has no direction gets none");
}

#[test]
fn sums_are_those_of_double_precision_on_every_path() {
    for n in [0, 1, 15, 31, 32, 33, 64, 1000, 20_001] {
        let x: Vec<f32> = params(n).iter().map(|x| x * 1e20).collect();
        let truth = |f: &dyn Fn(f64) -> f64| x.iter().map(|&x| f(f64::from(x))).sum::<f64>();
        for isa in Isa::available() {
            let (squares, sizes) = (sum_of_squares(isa, &x), sum_of_sizes(isa, &x));
            assert!((squares - truth(&|x| x * x)).abs() <= 1e-12 * squares, "{} {n}", isa.name());
            assert!((sizes - truth(&f64::abs)).abs() <= 1e-12 * sizes, "{} {n}", isa.name());
            assert_eq!(squares, sum_of_squares(Isa::PORTABLE, &x), "{} {n}", isa.name());
            assert_eq!(sizes, sum_of_sizes(Isa::PORTABLE, &x), "{} {n}", isa.name());
        }
    }
}

#[test]
fn limits_keep_what_is_no_number() {
    for isa in Isa::available() {
        let mut x = [1.0, f32::NAN, -3.0, f32::INFINITY, 0.5, f32::NEG_INFINITY, 2.0];
        clamp(isa, 2.0, &mut x);
        assert!(x[1].is_nan(), "{}: {x:?}", isa.name());
        x[1] = 0.0;
        assert_eq!(x, [1.0, 0.0, -2.0, 2.0, 0.5, -2.0, 2.0], "{}", isa.name());
        let (mut p, mut m) = ([1.0, 1.0], [0.0, 0.0]);
        LionStep::new(0.5, 0.9, 0.99, 0.0).update(isa, &mut p, &[f32::NAN, 1.0], &mut m);
        assert!(p[0].is_nan() && p[1] == 0.5, "{}: a faulty gradient shows: {p:?}", isa.name());
    }
}

/// A unit that was alive and dies: its memories may become small and then 0, but never denormal.
#[test]
fn memories_of_the_dead_come_to_rest_above_denormals() {
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
    let nadam = |i: Isa, t: u64, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]| {
        NadamStep::new(t, 1e-3, (0.9, 0.9), 1e-8, 0.0, 4e-3).update(i, p, g, m, v)
    };
    let lion = |i: Isa, _: u64, p: &mut [f32], g: &[f32], m: &mut [f32], _: &mut [f32]| {
        LionStep::new(1e-3, 0.9, 0.9, 0.0).update(i, p, g, m)
    };
    let lamb = |i: Isa, t: u64, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]| {
        LambStep::new(t, 1e-3, 0.9, 0.9, 1e-6, 0.0).update(i, p, &mut g.to_vec(), m, v)
    };
    let muon = |i: Isa, _: u64, _: &mut [f32], g: &[f32], m: &mut [f32], _: &mut [f32]| follow(i, 0.1, g, m);
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
