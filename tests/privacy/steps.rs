//! What a private step changes: the sum of gradients, each cut to the norm, over the expected batch; and
//! noise.

use nn_runtime::prelude::*;
use nn_runtime::{Fault, Layer, LayerContext, LayerSpec, ParamGrad, ReadContext, Rule, Shape};
use nn_tests::numbers::numbers;

use crate::{all, privacy};

/// A layer of one's own, which knows nothing of privacy: `y = x · gain`.
#[derive(Clone, Copy)]
struct Gain;

impl Gain {
    const fn new() -> Self {
        Gain
    }

    const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        if x.rank() != 1 {
            return Rule::Err(Fault::expected("an input of [features]").found(x));
        }
        LayerSpec::output(x).param("gain", x, Constant(0.7)).ok()
    }
}

impl Layer for Gain {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let gain = cx.param(0);
        let gains = gain.iter().cycle();
        y.iter_mut().zip(x).zip(gains).for_each(|((y, x), gain)| *y = x * gain);
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        let gains = cx.param(0).iter().cycle();
        dx.iter_mut().zip(dy).zip(gains).for_each(|((dx, dy), gain)| *dx = dy * gain);
    }

    fn backward_params(&self, cx: &mut ReadContext, [x]: [&[f32]; 1], [dy]: [&[f32]; 1], mut part: ParamGrad) {
        let (range, grad) = part.slice(cx, 0);
        let features = cx.input_shape(0).len();
        for (x, dy) in x.chunks_exact(features).zip(dy.chunks_exact(features)) {
            for ((grad, x), dy) in grad.iter_mut().zip(&x[range.clone()]).zip(&dy[range.clone()]) {
                *grad += x * dy;
            }
        }
    }
}

activation! { pub bend(x; learn slope = 0.3) = x * sigmoid(slope * x) }

network! {
    /// Every layer of images that learns.
    struct Images: [2, 12, 12] -> [3] {
        Conv2d(6, 3) -> Relu -> MaxPool2d(2) -> GroupNorm(2) -> DepthwiseConv2d(3, padding = Same) -> Prelu;
        SeparableConv2d(4, 3) -> InstanceNorm -> ConvTranspose2d(4, 3) -> Conv2d(4, 3, groups = 2) -> Bend;
        Flatten -> Dense(3)
    }
}
network! {
    /// Every layer of sequences that learns, of ids of which one is padding.
    struct Words: [6] -> [2] {
        words: Embedding(9, 8, padding = 0) -> PositionalEncoding(learnt = true) -> MultiHeadAttention(2) -> LayerNorm;
        Lstm(3, direction = Both) -> Gru(4) -> Rnn(4) -> DensePerStep(4) -> RmsNorm -> Conv1d(3, 2, padding = Causal);
        ConvTranspose1d(2, 2) -> LastStep -> Dense(2)
    }
}
network! {
    struct Block: [8] -> [8] { Dense(8) -> Tanh -> Gain }
}
network! {
    /// Normalises by statistics that stay.
    struct BatchNormed: [8] -> [8] { norm: LayerNorm -> frozen BatchNorm }
}
network! {
    /// Copies, shared parameters, a network that stays, a layer of one's own.
    struct Shared: [8] -> [2] {
        frozen first: Dense(8) -> Block * 2 -> hidden: Dense(8) -> Relu -> share(hidden) -> BatchNormed -> Dense(2)
    }
}

/// A step of all samples, none left out, against gradients one by one.
fn steps_are_cut_gradients<N: Network>(x: &[f32], width: usize, outputs: usize, stays: impl Fn(&str, usize) -> bool)
where
    Mse: Fits<N::Head>,
{
    let samples = x.len() / width;
    let t = numbers(8, samples * outputs, 1.0);
    let weights: Vec<f32> = (0..samples).map(|i| [1.0, 2.0, 0.0, 0.5][i % 4]).collect();
    let data = Dataset::values((x, width), (&t[..], outputs)).unwrap().with_weights((weights.clone(), 1)).unwrap();
    let model = N::init(1);
    let before = all(&model);
    let mut y = vec![0.0; samples * outputs];
    model.predictor(samples).predict_into(&[x], &mut [&mut y]).unwrap();

    // Each sample's gradient, in double precision from here on.
    let gradients: Vec<Vec<(String, Vec<f64>)>> = (0..samples)
        .map(|i| {
            let of = i * outputs..(i + 1) * outputs;
            let dy = |(y, t): (&f32, &f32)| 2.0 * weights[i] * (y - t) / outputs as f32;
            let dy: Vec<f32> = y[of.clone()].iter().zip(&t[of]).map(dy).collect();
            let gradients = model.gradients(&[&x[i * width..(i + 1) * width]], &[&dy]).unwrap();
            let wide = |(name, numbers): (String, Vec<f32>)| {
                let stays = |(k, number): (usize, f32)| if stays(&name, k) { 0.0 } else { f64::from(number) };
                let numbers = numbers.into_iter().enumerate().map(stays).collect();
                (name, numbers)
            };
            gradients.params.into_iter().map(wide).collect()
        })
        .collect();
    let size = |sample: &[(String, Vec<f64>)]| sample.iter().flat_map(|(_, x)| x).map(|x| x * x).sum::<f64>().sqrt();
    let mut sizes: Vec<f64> = gradients.iter().map(|sample| size(sample)).collect();
    sizes.sort_by(f64::total_cmp);
    // Half of them are cut.
    let norm = sizes[samples / 2];
    assert!(norm > 0.0 && sizes[samples - 1] > 1.2 * norm);

    for threads in [1, 3] {
        let mut model = N::init(1);
        let trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(1.0)).threads(threads);
        let mut trainer = trainer.private(privacy(0.0, norm));
        let history = trainer.fit(&data, Fit::epochs(1).batch(samples)).unwrap();
        assert_eq!(history.epochs[0].train.samples, samples);
        for (k, (name, old)) in before.iter().enumerate() {
            let new = &all(&model)[k].1;
            let mut truth = vec![0.0; old.len()];
            for sample in &gradients {
                let Some((_, gradient)) = sample.iter().find(|(of, _)| of == name) else { continue };
                let factor = (norm / size(sample)).min(1.0) / samples as f64;
                truth.iter_mut().zip(gradient).for_each(|(sum, x)| *sum -= factor * x);
            }
            for i in 0..old.len() {
                let moved = f64::from(new[i]) - f64::from(old[i]);
                let rounding = 1e-6 * f64::from(old[i].abs()) + 2e-6 * norm;
                assert!((moved - truth[i]).abs() < rounding, "`{name}`, {i}: moved {moved}, truth {}", truth[i]);
                assert!(truth[i] != 0.0 || moved == 0.0, "`{name}`, {i}: what has no gradient stays");
            }
        }
    }
}

#[test]
fn of_images() {
    steps_are_cut_gradients::<Images>(&numbers(3, 13 * 288, 1.0), 288, 3, |_, _| false);
}

#[test]
fn of_sequences_with_a_padding_row() {
    let ids: Vec<f32> = (0..13 * 6).map(|i| (i * 5 % 9) as f32).collect();
    steps_are_cut_gradients::<Words>(&ids, 6, 2, |name, i| name == "words.weight" && i < 8);
}

#[test]
fn of_copies_and_what_is_shared_and_of_a_layer_of_ones_own() {
    steps_are_cut_gradients::<Shared>(&numbers(4, 9 * 8, 1.0), 8, 2, |_, _| false);
}

/// Losses on rows: a label at each step, some without weight.
#[test]
fn of_labels_at_each_step() {
    network! { struct Steps: [5, 3] -> [5, 4] { DensePerStep(4) } }
    let (samples, x) = (6, numbers(5, 6 * 15, 1.0));
    let labels: Vec<u32> = (0..samples * 5).map(|i| (i * 7 % 4) as u32).collect();
    let weights: Vec<f32> = (0..samples * 5).map(|i| f32::from(u8::from(i % 3 != 0))).collect();
    let labels = Labels::per_step(labels, 5).unwrap();
    let data = Dataset::new((&x[..], 15), labels).unwrap().with_weights((weights, 5)).unwrap();
    let mut sum: Vec<(String, Vec<f64>)> = Vec::new();
    for i in 0..samples {
        // A sample alone is a batch, but for what its weights are divided by: the rows it has.
        let mut model = Steps::init(2);
        let one = data.select(&[i]);
        let weight: f32 = one.weights().unwrap().as_slice().iter().sum();
        let before = all(&model);
        Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(f64::from(weight) / 5.0)).step(&one).unwrap();
        for (k, (name, new)) in all(&model).into_iter().enumerate() {
            let moved = new.iter().zip(&before[k].1).map(|(new, old)| f64::from(new - old));
            match sum.get_mut(k) {
                None => sum.push((name, moved.collect())),
                Some((_, sum)) => sum.iter_mut().zip(moved).for_each(|(sum, moved)| *sum += moved),
            }
        }
    }
    let mut model = Steps::init(2);
    let before = all(&model);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(1.0)).private(privacy(0.0, 100.0));
    trainer.fit(&data, Fit::epochs(1).batch(samples)).unwrap();
    for (k, (name, new)) in all(&model).into_iter().enumerate() {
        for (i, new) in new.iter().enumerate() {
            let (moved, truth) = (f64::from(new - before[k].1[i]), sum[k].1[i] / samples as f64);
            assert!((moved - truth).abs() < 1e-6, "`{name}`, {i}: moved {moved}, truth {truth}");
        }
    }
}

/// Where gradients are all 0, a step is noise: of the deviation that was asked for, and on every parameter
/// that is learnt alone.
#[test]
fn noise_is_as_large_as_it_should_be() {
    network! { struct Net: [3] -> [200] { Dense(50) -> frozen first: Dense(50) -> Dense(200) } }
    let mut model = Net::init(0);
    for tensor in ["dense_1", "first", "dense_2"] {
        for part in ["weight", "bias"] {
            let name = format!("{tensor}.{part}");
            let zeros = vec![0.0; model.get(&name).unwrap().len()];
            model.set(&name, &zeros).unwrap();
        }
    }
    let (x, t) = (vec![0.0; 40 * 3], vec![0.0; 40 * 200]);
    let data = Dataset::values((&x[..], 3), (&t[..], 200)).unwrap();
    let (noise, norm, batch) = (1.7, 0.3, 10);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(1.0)).private(privacy(noise, norm));
    let mut after: Vec<Vec<f32>> = Vec::new();
    let look = |_: &_, model: &Model<Net>| {
        after
            .push(all(model).into_iter().filter(|(name, _)| !name.starts_with("first")).flat_map(|(_, x)| x).collect());
        std::ops::ControlFlow::Break(())
    };
    trainer.fit(&data, Fit::epochs(1).batch(batch).on_step(look)).unwrap();
    drop(trainer);
    let moved = &after[0];
    assert_eq!(moved.len(), 3 * 50 + 50 + 50 * 200 + 200);
    let deviation = (moved.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / moved.len() as f64).sqrt();
    let expected = noise * norm / batch as f64;
    assert!((deviation / expected - 1.0).abs() < 0.03, "{deviation} {expected}");
    assert!(moved.iter().all(|x| *x != 0.0));
    assert!(all(&model).iter().filter(|(name, _)| name.starts_with("first")).all(|(_, x)| x.iter().all(|x| *x == 0.0)));
}
