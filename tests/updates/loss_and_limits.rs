//! Limits on gradients, and penalties on parameters: each against its formula, tensor by tensor.

use nn_runtime::Isa;
use nn_runtime::prelude::*;
use nn_tests::numbers::assert_near;

use super::{Small, data, gradient, norm};

#[test]
fn clipping_is_its_formula() {
    let data = data(9, 5, 2);
    for isa in Isa::available() {
        let step = |clip: Option<Clip>| {
            let mut model = Small::init(2);
            let mut trainer = Trainer::new_on(&mut model, Mse::new(), Sgd::new(1.0), isa);
            if let Some(clip) = clip {
                trainer = trainer.clip(clip);
            }
            trainer.step(&data).unwrap();
            gradient(&Small::init(2), &model)
        };
        let free = step(None);
        let all = norm(free.iter().flat_map(|(_, g)| g));
        // Between the shortest gradient and the longest.
        let norms = || free.iter().map(|(_, g)| norm(g));
        let middle = (norms().fold(0.0, f64::max) * norms().fold(f64::INFINITY, f64::min)).sqrt();
        let cut = all / 3.0;
        type Formula<'a> = &'a dyn Fn(&[f64], f64) -> f64;
        let cases: [(Clip, Formula); 4] = [
            (Clip::GlobalNorm(cut), &|_, g| g * cut / (all + 1e-6)),
            (Clip::GlobalNorm(2.0 * all), &|_, g| g),
            (Clip::Norm(middle), &|tensor, g| g * (middle / norm(tensor)).min(1.0)),
            (Clip::Value(0.05), &|_, g| g.clamp(-0.05, 0.05)),
        ];
        for (clip, formula) in cases {
            for ((name, found), (_, free)) in step(Some(clip)).iter().zip(&free) {
                let truth: Vec<f64> = free.iter().map(|&g| formula(free, g)).collect();
                let found: Vec<f32> = found.iter().map(|&g| g as f32).collect();
                assert_near(&found, &truth, &format!("{} {clip:?} {name}", isa.name()));
            }
        }
        let changed = |clip| step(Some(clip)).iter().zip(&free).filter(|((_, a), (_, b))| a != b).count();
        assert!((1..free.len()).contains(&changed(Clip::Norm(middle))), "some tensors are clipped, some not");
    }
}

#[test]
fn penalties_are_their_formula_and_part_of_the_loss() {
    let data = data(9, 5, 2);
    let start = Small::init(2);
    let weight: Vec<f64> = start.get("hidden.weight").unwrap().iter().map(|&p| f64::from(p)).collect();
    let cases: [(Regularizer, f64, f64); 3] =
        [(Regularizer::L1(0.1), 0.1, 0.0), (Regularizer::L2(0.2), 0.0, 0.2), (Regularizer::L1L2(0.3, 0.4), 0.3, 0.4)];
    for isa in Isa::available() {
        let step = |name: &str, penalty: Option<Regularizer>| {
            let mut model = start.clone();
            let mut trainer = Trainer::new_on(&mut model, Mse::new(), Sgd::new(1.0), isa);
            if let Some(penalty) = penalty {
                trainer = trainer.regularize(name, penalty);
            }
            let evaluation = trainer.evaluate(&data).unwrap().loss;
            let loss = trainer.step(&data).unwrap();
            assert!((evaluation - loss).abs() < 1e-6 * loss, "both contain the penalty: {evaluation} {loss}");
            (loss, gradient(&start, &model))
        };
        let (loss, free) = step("", None);
        for (penalty, l1, l2) in cases {
            let cost: f64 = weight.iter().map(|p| l1 * p.abs() + l2 * p * p).sum();
            // Of a layer its weight alone; the tensor's own name is the same here.
            for name in ["hidden", "hidden.weight"] {
                let (penalised, found) = step(name, Some(penalty));
                assert!((penalised - loss - cost).abs() < 1e-6 * penalised, "{penalised} {loss} {cost}");
                for ((tensor, found), (_, free)) in found.iter().zip(&free) {
                    let mut truth = free.clone();
                    if tensor == "hidden.weight" {
                        truth.iter_mut().zip(&weight).for_each(|(g, p)| *g += l1 * p.signum() + 2.0 * l2 * p);
                    }
                    let found: Vec<f32> = found.iter().map(|&g| g as f32).collect();
                    assert_near(&found, &truth, &format!("{} {penalty:?} on {name}: {tensor}", isa.name()));
                }
            }
        }
        let (_, biased) = step("hidden.bias", Some(Regularizer::L2(0.5)));
        assert_eq!(biased, free, "a bias of 0 has no penalty, and nothing else has");
    }
}
