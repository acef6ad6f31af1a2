//! Steps of gradients of every size that `f32` has, beside what is known of them in closed form: the first
//! step of each optimiser, and those where the gradient stays the same.

use crate::optim::*;

/// The first step of each is known in closed form, whatever the size of the gradient.
#[test]
fn gradients_of_every_size_make_the_right_first_step() {
    let first_step = |optimizer: &dyn Optimizer, isa: Isa, g: f32| {
        let (mut p, mut slots) = ([1.0f32; 19], [[0.0; 19]; 2]);
        let [a, b] = &mut slots;
        let mut all = [&mut a[..], &mut b[..]];
        optimizer.update(isa, 1, &mut p, &[g; 19], &mut all[..optimizer.slots()]);
        assert!(p.iter().all(|q| q.to_bits() == p[0].to_bits()), "{} {g:e}: {p:?}", isa.name());
        p[0]
    };
    let rate = 0.1;
    for isa in Isa::available() {
        for exponent in -18..=18 {
            for g in [10f32.powi(exponent), -10f32.powi(exponent)] {
                let (sign, size) = (f64::from(g.signum()), f64::from(g.abs()));
                for eps in [0.0, 1e-20, 1e-8] {
                    let scaled = size / (size + eps);
                    let cases: [(&str, &dyn Optimizer, f64); 6] = [
                        ("Adam", &Adam::new(rate).eps(eps), scaled),
                        ("AdamW", &AdamW::new(rate).eps(eps).weight_decay(0.0), scaled),
                        ("Adam with L2", &Adam::new(rate).eps(eps).weight_decay(1e-30), scaled),
                        ("Adagrad", &Adagrad::new(rate).eps(eps), scaled),
                        ("RmsProp", &RmsProp::new(rate).eps(eps), size / (0.1 * size + eps)),
                        ("RmsProp", &RmsProp::new(rate).eps(eps).momentum(0.9), size / (0.1 * size + eps)),
                    ];
                    for (what, optimizer, share) in cases {
                        let found = f64::from(first_step(optimizer, isa, g));
                        let truth = 1.0 - rate * share * sign;
                        assert!(
                            (found - truth).abs() <= 3e-6,
                            "{} {what} eps {eps:e} g {g:e}: {found}, expected {truth}",
                            isa.name()
                        );
                    }
                }
            }
        }
        // Beyond what can be squared a gradient counts as the largest that can; one that is not finite is not
        // hidden.
        for g in [1e30, f32::MAX] {
            for optimizer in [&Adam::new(rate) as &dyn Optimizer, &Nadam::new(rate), &Adagrad::new(rate)] {
                let found = first_step(optimizer, isa, g);
                assert!((found - 0.9).abs() < 0.05, "{} {g:e}: {found}", isa.name());
            }
        }
        assert!(first_step(&Adam::new(rate), isa, f32::NAN).is_nan());
    }
}

/// As long as the gradient stays the same, every step of Adam is the learning rate: no square may run over on
/// the way.
#[test]
fn gradients_of_every_size_go_on_making_the_right_step() {
    for isa in Isa::available() {
        for g in [1e-18f32, 1e-12, 1.0, 1e12, 1e18] {
            let (adam, adagrad) = (Adam::new(1e-3).eps(0.0), Adagrad::new(1e-3).eps(0.0));
            let (mut p, mut q, mut slots) = ([1.0], [1.0], [[0.0]; 3]);
            let [m, v, sum] = &mut slots;
            let mut way = 0.0;
            for step in 1..=300 {
                adam.update(isa, step, &mut p, &[g], &mut [m, v]);
                adagrad.update(isa, step, &mut q, &[g], &mut [sum]);
                way += 1e-3 / (step as f32).sqrt();
            }
            assert!((p[0] - 0.7).abs() < 1e-4, "{} Adam {g:e}: {p:?}", isa.name());
            assert!((q[0] - (1.0 - way)).abs() < 1e-4, "{} Adagrad {g:e}: {q:?}", isa.name());
        }
    }
}
