//! `BatchNorm`: the batch's statistics while training, the running ones otherwise, and how these move.

use nn_runtime::layers::BatchNorm;
use nn_runtime::prelude::*;
use nn_runtime::{Isa, Probe, Shape};
use nn_tests::fixtures::{Case, load};
use nn_tests::numbers::{assert_near, numbers, slopes, wide};

use crate::harness::{BATCHES, fault};

const RUNNING: [&str; 2] = ["running_mean", "running_var"];

/// The layer of a case, its parameters set; where the running ones begin.
fn probe(case: &Case, isa: Isa) -> (Probe<BatchNorm>, usize) {
    let affine = case.number("affine") == 1.0;
    let layer = BatchNorm::new().eps(case.number("eps") as f32).momentum(case.number("momentum") as f32).affine(affine);
    // PyTorch's channels come first.
    let layer = layer.axis(0);
    let mut probe = Probe::new(layer, BatchNorm::rule, [Shape::of_slice(&case.inputs[0].shape[1..])]).unwrap().isa(isa);
    let first = if affine { 2 } else { 0 };
    for (i, name) in ["weight", "bias"].iter().enumerate().filter(|_| affine) {
        probe = probe.param(i, &case.params[*name].narrow());
    }
    for (i, name) in RUNNING.iter().enumerate() {
        probe = probe.param(first + i, &case.buffers[*name].narrow());
    }
    (probe, first)
}

#[test]
fn against_pytorch() {
    for case in load("images/batch_norm") {
        for isa in Isa::available() {
            let what = |of: &str| format!("{} {}: {of}", case.name, isa.name());
            let (probe, first) = probe(&case, isa);
            let (batch, x) = (case.inputs[0].shape[0], case.inputs[0].narrow());
            let dy = case.doutput.as_ref().unwrap().narrow();
            let truth = &case.output.as_ref().unwrap().data;
            if case.number("training") == 0.0 {
                assert_near(&probe.forward(batch, [&x])[0], truth, &what("y"));
                continue;
            }
            let found = probe.gradients(batch, [&x], [&dy]);
            assert_near(&found.inputs[0], &case.dinputs[0].data, &what("dx"));
            for (i, name) in ["weight", "bias"].iter().enumerate().take(first) {
                assert_near(&found.params[i], &case.dparams[*name].data, &what(name));
            }
            for (i, name) in RUNNING.iter().enumerate() {
                // The way gone: the start would hide a wrong step.
                let before = case.buffers[*name].narrow();
                let after = &case.buffers_after[*name].data;
                let way: Vec<f64> = after.iter().zip(&before).map(|(a, &b)| a - f64::from(b)).collect();
                assert_near(&found.params[first + i], &way, &what(name));
            }
            probe.check_contract(batch, [&x], [&dy]).unwrap_or_else(|fault| panic!("{}", what(&fault)));
            assert_near(&probe.training(0, 0).forward(batch, [&x])[0], truth, &what("y"));
        }
    }
}

/// In double precision, weight 1 and bias 0.
fn formula(x: &[f64], channels: usize, inner: usize) -> Vec<f64> {
    let mut y = x.to_vec();
    for c in 0..channels {
        let of = |i: &usize| i / inner % channels == c;
        let n = (0..x.len()).filter(of).count() as f64;
        let mean = (0..x.len()).filter(of).map(|i| x[i]).sum::<f64>() / n;
        let var = (0..x.len()).filter(of).map(|i| (x[i] - mean).powi(2)).sum::<f64>() / n;
        (0..x.len()).filter(of).for_each(|i| y[i] = (x[i] - mean) / (var + f64::from(1e-5f32)).sqrt());
    }
    y
}

#[test]
fn against_the_formula() {
    for (shape, channels, inner) in
        [(Shape::of([1]), 1, 1), (Shape::of([19]), 19, 1), (Shape::of([3, 5, 7]), 3, 35), (Shape::of([18, 3]), 18, 3)]
    {
        for batch in BATCHES.into_iter().filter(|batch| batch * inner > 2) {
            let len = batch * shape.len();
            let (x, dy) = (numbers(batch as u64, len, 2.0), numbers(300 + batch as u64, len, 1.0));
            let loss = |x: &[f64]| formula(x, channels, inner).iter().zip(&dy).map(|(y, &dy)| y * f64::from(dy)).sum();
            // Differences of the whole batch are slow where it is large.
            let dx = (len < 300).then(|| slopes(&wide(&x), loss));
            for isa in Isa::available() {
                let what = format!("{shape}, batch {batch}, {}", isa.name());
                let probe =
                    Probe::new(BatchNorm::new().axis(0), BatchNorm::rule, [shape]).unwrap().isa(isa).training(0, 0);
                assert_near(&probe.forward(batch, [&x])[0], &formula(&wide(&x), channels, inner), &what);
                if let Some(dx) = &dx {
                    assert_near(&probe.gradients(batch, [&x], [&dy]).inputs[0], dx, &what);
                }
                probe.check_contract(batch, [&x], [&dy]).unwrap();
            }
        }
    }
}

/// A single number has no variance: it is normalised with the running statistics, which stay.
#[test]
fn one_number_takes_the_running_statistics() {
    for isa in Isa::available() {
        let probe = Probe::new(BatchNorm::new().eps(1.0), BatchNorm::rule, [Shape::of([3])]).unwrap().isa(isa);
        let probe =
            probe.param(1, &[1.0, 2.0, 3.0]).param(2, &[7.0, 0.0, -1.0]).param(3, &[3.0, 8.0, 0.0]).training(0, 0);
        assert_near(&probe.forward(1, [&[7.0, -6.0, 1e30]])[0], &[1.0, 0.0, 1e30], &"y");
        let found = probe.gradients(1, [&[7.0, -6.0, 1.0]], [&[1.0; 3]]);
        assert_near(&found.inputs[0], &[0.5, 1.0 / 3.0, 1.0], &"dx");
        assert_near(&found.params[0], &[0.0, -2.0, 2.0], &"weight");
        assert_eq!((&found.params[2][..], &found.params[3][..]), (&[0.0; 3][..], &[0.0; 3][..]));
    }
}

network! {
    pub struct Signal: [64, 1] -> [64, 8] { Conv1d(8, 3, padding = Causal) -> norm: BatchNorm -> Relu }
}

/// The features of a sequence are its channels, over the batch and all steps.
#[test]
fn a_sequence_has_features() {
    for isa in Isa::available() {
        let probe = |shape| Probe::new(BatchNorm::new(), BatchNorm::rule, [shape]).unwrap().isa(isa).training(0, 0);
        let y = probe(Shape::of([4, 1])).forward(2, [&[0., 10., 20., 30., 0., 10., 20., 30.]]);
        let one = [-1.34164, -0.447213, 0.447213, 1.34164];
        assert_near(&y[0], &[one, one].concat(), &"y");
        let (x, dy) = (numbers(1, 3 * 5 * 19, 2.0), numbers(2, 3 * 5 * 19, 1.0));
        // 3 samples of 5 steps are as 15 samples.
        let (steps, samples) = (probe(Shape::of([5, 19])), probe(Shape::of([19])));
        assert_eq!(steps.forward(3, [&x]), samples.forward(15, [&x]), "{}", isa.name());
        let (found, truth) = (steps.gradients(3, [&x], [&dy]), samples.gradients(15, [&x], [&dy]));
        assert_eq!((found.inputs, found.params), (truth.inputs, truth.params), "{}", isa.name());
        steps.check_contract(3, [&x], [&dy]).unwrap();
    }
    let mut net = Signal::init(0);
    net.set("norm.running_mean", &numbers(3, 8, 1.0)).unwrap();
    let x: [f32; 64] = numbers(4, 64, 1.0).try_into().unwrap();
    let y = net.predictor(1).predict(&x).to_vec();
    let mut stream = net.streamer().unwrap();
    for (x, y) in x.iter().zip(y.chunks(8)) {
        assert_near(stream.step(&[*x]).unwrap(), &wide(y), &"stream");
    }
}

network! {
    struct Twin: (a: [1], b: [1]) -> [1] {
        let p = a -> norm: BatchNorm(momentum = 0.6);
        let q = b -> share(norm);
        (p, q) -> Sum
    }
}

/// Of a shared layer, the running statistics follow one use after the other.
#[test]
fn shared_statistics_follow_each_use() {
    let step = |b: [f32; 4]| {
        let data = Dataset::values(&[[2.0]; 4], &[[0.0]; 4]).unwrap().with_input(&b.map(|b| [b])).unwrap();
        let mut model = Twin::init(0);
        Trainer::new(&mut model, Mse::new(), Sgd::new(0.0)).step(&data).unwrap();
        [model.get("norm.running_mean").unwrap()[0], model.get("norm.running_var").unwrap()[0]]
    };
    assert_near(&step([2.0; 4]), &[1.68, 0.16], &"alike");
    // First a: 0.6 · 2 and 0.4; then b, of mean 6 and unbiased variance 16/3: 0.4 · 1.2 + 0.6 · 6, 0.4 · 0.4
    // + 0.6 · 16 / 3.
    assert_near(&step([4.0, 8.0, 4.0, 8.0]), &[4.08, 3.36], &"in their order");
}

network! {
    struct Line: [1] -> [1] { BatchNorm -> out: Dense(1) }
}

/// A last batch of one sample changes no statistics.
#[test]
fn a_last_batch_of_one_does_no_harm() {
    let x: Vec<f32> = (0..33).map(|i| if i == 32 { 10.0 } else { i as f32 / 16.0 - 1.0 }).collect();
    let data = Dataset::values((x.clone(), 1), (x.clone(), 1)).unwrap();
    for (batch, shuffle) in [(33, false), (32, false), (32, true)] {
        let mut model = Line::init(3);
        let fit = Fit::epochs(200).batch(batch).shuffle(shuffle);
        Trainer::new(&mut model, Mse::new(), Sgd::new(0.02)).fit(&data, fit).unwrap();
        let mut predictor = model.predictor(1);
        let off: f32 = x[..32].iter().map(|x| (predictor.predict(&[*x])[0] - x).powi(2)).sum();
        assert!((off / 32.0).sqrt() < 0.1, "batch {batch}, shuffle {shuffle}: {}", (off / 32.0).sqrt());
    }
}

network! {
    pub struct Rectified: [3, 4] -> [3, 4] { BatchNorm -> Relu }
}

/// The floor that `Relu` becomes is applied by the layer itself.
#[test]
fn relu_is_absorbed() {
    let x: [f32; 12] = numbers(5, 12, 2.0).try_into().unwrap();
    let y = *Rectified::init(0).predictor(1).predict(&x);
    let [plain] = Probe::new(BatchNorm::new(), BatchNorm::rule, [Shape::of([3, 4])]).unwrap().forward(1, [&x]);
    assert!(plain.iter().any(|&y| y < 0.0));
    assert_eq!(y.to_vec(), plain.iter().map(|y| y.max(0.0)).collect::<Vec<_>>());
}

network! {
    pub struct Table: [5] -> [5] { norm: BatchNorm }
}
network! {
    pub struct Image: [3, 2, 3] -> [3, 2, 3] { norm: BatchNorm }
}
network! {
    pub struct FrozenImage: [3, 2, 3] -> [3, 2, 3] { frozen norm: BatchNorm }
}

/// The gradients of a prediction: those of given statistics, learnt or frozen.
fn predicts<N: Network>(case: &str) {
    let all = load("images/batch_norm");
    let case = all.iter().find(|other| other.name == case).unwrap();
    let mut model = Model::<N>::init(0);
    for (name, values) in case.params.iter().chain(&case.buffers) {
        model.set(&format!("norm.{name}"), &values.narrow()).unwrap();
    }
    let (x, dy) = (case.inputs[0].narrow(), case.doutput.as_ref().unwrap().narrow());
    let found = model.gradients(&[&x], &[&dy]).unwrap();
    assert_near(&found.inputs[0], &case.dinputs[0].data, &case.name);
    for (name, found) in &found.params {
        assert_near(found, &case.dparams[name.strip_prefix("norm.").unwrap()].data, &name);
    }
}

#[test]
fn gradients_of_predictions() {
    predicts::<Table>("batch3_5_inference_eps1e-05_momentum0.1");
    predicts::<Image>("batch3_3x2x3_inference_eps1e-05_momentum0.1");
    predicts::<FrozenImage>("batch3_3x2x3_inference_eps1e-05_momentum0.1");
}

network! {
    pub struct Learnt: [3] -> [2] { Dense(3) -> BatchNorm -> Dense(2) }
}
network! {
    pub struct Frozen: [3] -> [2] { frozen BatchNorm -> Dense(3) -> frozen BatchNorm -> Dense(2) }
}

/// A training step moves the running statistics, and a frozen layer's stay.
#[test]
fn steps_move_running_statistics() {
    let x: Vec<[f32; 3]> = numbers(5, 60, 2.0).chunks(3).map(|x| [x[0], x[1], x[2]]).collect();
    let y: Vec<[f32; 2]> = numbers(6, 40, 2.0).chunks(2).map(|x| [x[0], x[1]]).collect();
    let data = Dataset::values(x, y).unwrap();
    let mut learnt = Learnt::init(1);
    Trainer::new(&mut learnt, Mse::new(), Sgd::new(0.01)).fit(&data, Fit::epochs(30).batch(20)).unwrap();
    let (mean, var) =
        (learnt.get("batch_norm_1.running_mean").unwrap(), learnt.get("batch_norm_1.running_var").unwrap());
    assert!(mean.iter().all(|&m| m != 0.0) && var.iter().all(|&v| v != 1.0 && v > 0.0), "{mean:?} {var:?}");

    let mut frozen = Frozen::init(1);
    let before = frozen.get("dense_1.weight").unwrap();
    Trainer::new(&mut frozen, Mse::new(), Sgd::new(0.01)).fit(&data, Fit::epochs(1).batch(20)).unwrap();
    for site in ["batch_norm_1", "batch_norm_2"] {
        assert_eq!(frozen.get(&format!("{site}.running_mean")).unwrap(), [0.0; 3]);
        assert_eq!(frozen.get(&format!("{site}.running_var")).unwrap(), [1.0; 3]);
    }
    assert_ne!(frozen.get("dense_1.weight").unwrap(), before, "the gradient goes through");
}

#[test]
fn arguments_out_of_range_are_refused() {
    let x = Shape::of([3]);
    assert_eq!(
        fault(BatchNorm::new().eps(-1.0), BatchNorm::rule, x),
        "expected an eps above 0, found -1\nhelp: give one such as `eps = 1e-5`"
    );
    assert_eq!(
        fault(BatchNorm::new().momentum(1.5), BatchNorm::rule, x),
        "expected a momentum from 0 to 1, found 1.5\nhelp: give the weight of the batch, such as `momentum = 0.1`"
    );
}

network! { struct Mean: [3] -> [3] { norm: BatchNorm(cumulative = true, momentum = 0.7) } }

/// PyTorch's `momentum=None`: the running statistics are the means of those of all batches, of any sizes.
#[test]
fn every_batch_counts_alike() {
    let mut model = Mean::init(0);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.0));
    let (mut means, mut vars) = ([0.0; 3], [0.0; 3]);
    for (k, samples) in [5usize, 2, 9, 4].into_iter().enumerate() {
        let x = numbers(k as u64 + 1, samples * 3, 2.0);
        trainer.step(&Dataset::values((x.clone(), 3), (x.clone(), 3)).unwrap()).unwrap();
        let count = k as f64 + 1.0;
        for (c, (mean_so_far, var_so_far)) in means.iter_mut().zip(&mut vars).enumerate() {
            let column: Vec<f64> = x.iter().skip(c).step_by(3).map(|x| f64::from(*x)).collect();
            let mean = column.iter().sum::<f64>() / samples as f64;
            let var = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (samples as f64 - 1.0);
            *mean_so_far += (mean - *mean_so_far) / count;
            *var_so_far += (var - *var_so_far) / count;
        }
    }
    assert_near(&model.get("norm.running_mean").unwrap(), &means, &"mean");
    assert_near(&model.get("norm.running_var").unwrap(), &vars, &"variance");
    assert_eq!(model.get("norm.batches").unwrap(), [4.0]);
}
