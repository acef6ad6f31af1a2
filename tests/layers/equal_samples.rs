//! Gradients of many equal samples: so many times that of one, which a long chain of `f32` is not, as it
//! rounds the same way at every term. In: networks, sizes; out: nothing, or what a sum has lost.

use nn_runtime::prelude::*;
use nn_tests::numbers::numbers;

use super::alone::Drawn;

/// What a sum may have lost, as a share of the largest gradient.
const LOST: f64 = 1e-6;

const BATCHES: &[usize] = if cfg!(miri) { &[35] } else { &[33, 150, 300, 431, 500, 1100] };

fn near(found: &[f32], one: &[f64], what: &str) {
    let most = one.iter().fold(0.0, |most: f64, one| most.max(one.abs()));
    for (found, one) in found.iter().zip(one) {
        let off = (f64::from(*found) - one).abs();
        assert!(off <= LOST * most, "{what}: {found}, expected {one}, off by {:.1e}", off / most);
    }
}

/// `Model::gradients`, and a step of a trainer on one thread and several.
pub(super) fn check<N: Network>(inputs: &[Drawn], output: usize)
where
    (): Fits<N::Head>,
{
    let name = std::any::type_name::<N>();
    let model = N::init(1);
    let x: Vec<(Vec<f32>, usize)> = inputs.iter().zip(3..).map(|(input, seed)| input.draw(seed, 1)).collect();
    // Terms of one sign are the worst there are.
    let x: Vec<(Vec<f32>, usize)> = x.into_iter().map(|(x, len)| (x.iter().map(|x| x.abs()).collect(), len)).collect();
    let dy: Vec<f32> = numbers(7, output, 1.0).into_iter().map(f32::abs).collect();
    let gradients = |batch: usize| {
        let x: Vec<Vec<f32>> = x.iter().map(|(x, _)| x.repeat(batch)).collect();
        let x: Vec<&[f32]> = x.iter().map(|x| &x[..]).collect();
        model.gradients(&x, &[&dy.repeat(batch)]).unwrap().params
    };
    let ones = gradients(1);
    for &batch in BATCHES {
        for ((of, found), (_, one)) in gradients(batch).iter().zip(&ones) {
            let truth: Vec<f64> = one.iter().map(|one| batch as f64 * f64::from(*one)).collect();
            near(found, &truth, &format!("{name}, batch {batch}: `{of}`"));
        }
    }
    if ones.is_empty() {
        return;
    }
    // So far that what was there is nothing beside it.
    const FAR: f64 = 1048576.0;
    let step = |batch: usize, threads: usize| {
        let mut after = model.clone();
        let x: Vec<Vec<f32>> = x.iter().map(|(x, _)| x.repeat(batch)).collect();
        let x: Vec<&[f32]> = x.iter().map(|x| &x[..]).collect();
        let mut trainer = Trainer::new(&mut after, (), Sgd::new(FAR)).threads(threads);
        let objective = |_: &[&[f32]], to: &mut [&mut [f32]]| {
            to[0].chunks_mut(output).for_each(|to| to.copy_from_slice(&dy));
            0.0
        };
        trainer.step_with(&x, objective).unwrap();
        let changes = ones.iter().map(|(of, _)| {
            let pairs = after.get(of).unwrap().into_iter().zip(model.get(of).unwrap());
            (of.clone(), pairs.map(|(now, before)| now - before).collect::<Vec<f32>>())
        });
        changes.collect::<Vec<_>>()
    };
    let ones = step(1, 1);
    // Fewer samples than 257 are one chain where each weight is used once a sample.
    for &batch in BATCHES.iter().filter(|&&batch| batch <= 64 || batch > 256) {
        for threads in [1, 3] {
            for ((of, found), (_, one)) in step(batch, threads).iter().zip(&ones) {
                let one: Vec<f64> = one.iter().map(|one| batch as f64 * f64::from(*one)).collect();
                near(found, &one, &format!("{name}, a step of {batch} on {threads} threads: `{of}`"));
            }
        }
    }
}

activation! { slope_tanh(x; learn slope = 1.0, learn shift = 0.1) = tanh(slope * x + shift) }
network! { struct Learnt: [3] -> [4] { Dense(4) -> SlopeTanh } }
network! {
    struct Pooled: [1, 14, 14] -> [3] {
        Conv2d(6, 3) -> Relu -> MaxPool2d(2) -> Conv2d(34, 3) -> Relu -> MaxPool2d(2) -> Flatten -> Dense(3)
    }
}
network! { struct Few: [1, 12, 12] -> [3] { Conv2d(4, 5) -> Relu -> MaxPool2d(2) -> Flatten -> Dense(3) } }
network! {
    struct Twice: (a: [2, 8, 8], b: [2, 8, 8]) -> [3] {
        let p = a -> conv: Conv2d(3, 3);
        let q = b -> share(conv);
        (p, q) -> Sum -> GroupNorm(1) -> Flatten -> Dense(3)
    }
}
network! { struct Inner: [3, 6, 6] -> [3, 6, 6] { Conv2d(3, 3, padding = Same) -> Tanh } }
network! { struct Within: [3, 6, 6] -> [3] { Inner * 2 -> GlobalAvgPool -> Dense(3) } }

/// Several layers, and those whose weights are used in several places.
#[test]
fn of_networks() {
    check::<Learnt>(&[Drawn::Numbers(3)], 4);
    check::<Pooled>(&[Drawn::Numbers(196)], 3);
    check::<Few>(&[Drawn::Numbers(144)], 3);
    check::<Twice>(&[Drawn::Numbers(128), Drawn::Numbers(128)], 3);
    check::<Within>(&[Drawn::Numbers(108)], 3);
}
