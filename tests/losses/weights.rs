//! Rows and their weights: an output of steps learns from labels per step, weights and masks count as they
//! should, and what has no weight has no part in anything.

use nn_runtime::Isa;
use nn_runtime::data::{Samples, Targets};
use nn_runtime::prelude::*;
use nn_runtime::train::Objective;
use nn_tests::fixtures::load;
use nn_tests::numbers::{assert_near, distance, numbers, slopes};

network! { struct Steps: [4] -> [3, 5] { all: Dense(15) -> Reshape([3, 5]) } }
network! { struct Chances: [4] -> [3, 5] { all: Dense(15) -> Reshape([3, 5]) -> Softmax } }
network! { struct Itself: [15] -> [3, 5] { all: Dense(15) -> Reshape([3, 5]) } }
network! { struct Plain: [4] -> [5] { all: Dense(5) } }
network! {
    struct Two: [4] -> (class: [5], size: [2]) {
        let class = a: Dense(5) -> Softmax;
        let size = input -> b: Dense(2);
    }
}

fn params<N: Network>(model: &Model<N>) -> Vec<f32> {
    model.tensors().iter().flat_map(|tensor| model.get(&tensor.name).unwrap()).collect()
}

fn rows(seed: u64, samples: usize, width: usize) -> Values {
    (numbers(seed, samples * width, 1.0), width).into_values().unwrap()
}

fn labels(samples: usize, steps: usize) -> Labels {
    Labels::per_step((0..samples * steps).map(|i| i * 7 % 5), steps).unwrap()
}

/// -ln softmax at the label, of one row.
fn entropy(z: &[f64], label: u32) -> f64 {
    z.iter().map(|z| z.exp()).sum::<f64>().ln() - z[label as usize]
}

/// A model's outputs by its own parameters, in double precision: `all` is a dense layer.
fn outputs<N: Network>(model: &Model<N>, data: &Values, parameters: &[f64]) -> Vec<f64> {
    let (inputs, width) = (data.width(), model.get("all.bias").unwrap().len());
    let (weight, bias) = parameters.split_at(inputs * width);
    let mut y = Vec::new();
    for sample in 0..data.len() {
        for (out, bias) in bias.iter().enumerate() {
            let x = data.sample(sample).iter().enumerate();
            y.push(bias + x.map(|(k, &x)| f64::from(x) * weight[out * inputs + k]).sum::<f64>());
        }
    }
    y
}

/// One step of plain descent at rate 1 against a loss written out over all rows, and against differences.
fn against_formula<N: Network, L, T>(loss: L, data: &Dataset<T>, truth: impl Fn(&[f64]) -> f64)
where
    T: Targets,
    L: Fits<N::Head> + Objective<T> + Copy,
{
    for isa in Isa::available() {
        let mut model = N::init(3);
        let before = params(&model);
        let wide: Vec<f64> = before.iter().map(|&p| f64::from(p)).collect();
        let of = |parameters: &[f64]| truth(&outputs(&N::init(3), &data.inputs()[0], parameters));
        let mut trainer = Trainer::new_on(&mut model, loss, Sgd::new(1.0), isa);
        let evaluated = trainer.evaluate(data).unwrap().loss;
        let found = trainer.step(data).unwrap();
        assert_near(&[found as f32, evaluated as f32], &[of(&wide); 2], &isa.name());
        let gone: Vec<f32> = before.iter().zip(params(&model)).map(|(before, after)| before - after).collect();
        let slopes = slopes(&wide, of);
        let off = distance(&gone, &slopes);
        assert!(off < 3e-5, "{}: {off:.1e}: {gone:?} instead of {slopes:?}", isa.name());
    }
}

/// The weighted mean of the entropies of all rows.
fn mean_entropy(labels: &Labels, weights: &[f32]) -> impl Fn(&[f64]) -> f64 {
    move |y| {
        let rows = y.chunks(5).zip(labels.as_slice()).zip(weights).filter(|(_, weight)| **weight > 0.0);
        let sum: f64 = rows.map(|((z, &label), &weight)| f64::from(weight) * entropy(z, label)).sum();
        sum / weights.iter().map(|&weight| f64::from(weight)).sum::<f64>()
    }
}

#[test]
fn an_output_of_steps_learns_a_label_per_step() {
    for samples in [1, 2, 7] {
        let labels = labels(samples, 3);
        let truth = mean_entropy(&labels, &[1.0; 21][..3 * samples]);
        let data = Dataset::new(rows(1, samples, 4), labels.clone()).unwrap();
        against_formula::<Steps, _, _>(CrossEntropy::new(), &data, &truth);
        // The softmax is left out for all rows.
        against_formula::<Chances, _, _>(CrossEntropy::new(), &data, &truth);
    }
}

#[test]
fn weights_per_step_and_per_sample_are_a_weighted_mean() {
    let labels = labels(4, 3);
    let data = Dataset::new(rows(1, 4, 4), labels.clone()).unwrap();
    let mask = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0];
    let steps = [0.5, 0.5, 2.0, 1.0, 0.25, 0.0, 3.0, 3.0, 0.1, 1.0, 0.0, 4.0];
    for weights in [mask, steps] {
        let data = data.clone().with_weights((&weights[..], 3)).unwrap();
        against_formula::<Chances, _, _>(CrossEntropy::new(), &data, mean_entropy(&labels, &weights));
    }
    let each = [2.0f32, 0.0, 0.5, 1.0];
    let spread: Vec<f32> = each.iter().flat_map(|&weight| [weight; 3]).collect();
    let data = data.with_weights((&each[..], 1)).unwrap();
    against_formula::<Steps, _, _>(CrossEntropy::new(), &data, mean_entropy(&labels, &spread));

    let values = rows(9, 4, 15);
    let data = Dataset::new(rows(1, 4, 4), values.clone()).unwrap().with_weights((&steps[..], 3)).unwrap();
    against_formula::<Steps, _, _>(Mse::new(), &data, |y| {
        let rows = y.chunks(5).zip(values.as_slice().chunks(5)).zip(steps);
        let square =
            |y: &[f64], t: &[f32]| y.iter().zip(t).map(|(y, &t)| (y - f64::from(t)).powi(2)).sum::<f64>() / 5.0;
        rows.map(|((y, t), weight)| f64::from(weight) * square(y, t)).sum::<f64>() / steps.iter().sum::<f32>() as f64
    });
}

/// Weights of classes and a mask, by PyTorch's own weighted mean. The network gives the scores it is given.
#[test]
fn weights_agree_with_pytorch() {
    let identity: Vec<f32> = (0..225).map(|i| f32::from(u8::from(i % 16 == 0))).collect();
    let mut cases = 0;
    for case in load("weighted_cross_entropy") {
        let [z, labels, mask, weight] = &case.inputs[..] else { panic!("{}", case.name) };
        let labels = Labels::per_step(labels.data.iter().map(|&label| label as u32), 3).unwrap();
        let data = Dataset::new((z.narrow(), 15), labels).unwrap().with_weights((mask.narrow(), 3)).unwrap();
        let data = data.class_weights(&weight.narrow()).unwrap();
        let mut model = Itself::init(0);
        model.set("all.weight", &identity).unwrap();
        model.set("all.bias", &[0.0; 15]).unwrap();
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(1.0));
        let loss = trainer.step(&data).unwrap();
        assert_near(&[loss as f32], &case.output.unwrap().data, &case.name);
        let gone: Vec<f32> = model.get("all.bias").unwrap().iter().map(|bias| -bias).collect();
        let dz = case.dinputs[0].data.chunks(15);
        let sums = dz.fold([0.0; 15], |sums, dz| std::array::from_fn(|i| sums[i] + dz[i]));
        assert_near(&gone, &sums, &case.name);
        cases += 1;
    }
    assert_eq!(cases, 3);
}

/// A sample of weight 3 is three samples, one of weight 0 is none, also where an evaluation takes several
/// batches.
#[test]
fn whole_weights_are_copies() {
    let (x, labels) = (rows(1, 300, 4), labels(300, 1));
    let data = Dataset::new(x, labels).unwrap();
    let weights: Vec<f32> = (0..300).map(|i| (i % 4) as f32).collect();
    let copies: Vec<usize> = (0..300).flat_map(|i| [i].repeat(i % 4)).collect();
    let (weighted, copied) = (data.clone().with_weights((weights, 1)).unwrap(), data.select(&copies));
    let run = |data: &Dataset<Labels>| {
        let mut model = Plain::init(1);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.5));
        let evaluation = trainer.evaluate(data).unwrap();
        let step = trainer.step(data).unwrap();
        (evaluation, step, params(&model))
    };
    let ((a, step_a, params_a), (b, step_b, params_b)) = (run(&weighted), run(&copied));
    assert!((a.loss - b.loss).abs() < 1e-6 && (step_a - step_b).abs() < 1e-6, "{a} {b}");
    assert!(params_a.iter().zip(&params_b).all(|(a, b)| (a - b).abs() < 1e-6), "{params_a:?} {params_b:?}");
    assert_eq!(a.samples, 300);

    // The accuracy counts each sample of a weight above 0 once.
    let present: Vec<usize> = (0..300).filter(|i| i % 4 > 0).collect();
    assert_eq!(a.accuracy, run(&data.select(&present)).0.accuracy);
    let epoch = |data: &Dataset<Labels>| {
        let mut model = Plain::init(1);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.0));
        trainer.fit(data, Fit::epochs(1).batch(33)).unwrap().epochs[0].train
    };
    assert!((epoch(&weighted).loss - a.loss).abs() < 1e-6);
    assert_eq!(epoch(&weighted).accuracy, a.accuracy);
}

#[test]
fn what_has_no_weight_may_overflow() {
    let labels = labels(2, 3);
    let weights = [1.0, 0.0, 1.0, 2.0, 0.0, 0.5];
    let inputs = (vec![1.5, 0.25, 0.5, 2.0, 0.75, 1.0, 1.25, 0.5], 4);
    let data = Dataset::new(inputs, labels).unwrap().with_weights((&weights[..], 3)).unwrap();
    // Of the step without a weight: 3e38 times inputs whose sum is above 2 is infinite.
    let step = |middle: f32| {
        let mut model = Chances::init(0);
        let mut weight = model.get("all.weight").unwrap();
        weight[5 * 4..10 * 4].fill(middle);
        model.set("all.weight", &weight).unwrap();
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1));
        let evaluation = trainer.evaluate(&data).unwrap();
        (evaluation, trainer.step(&data).unwrap(), model.get("all.weight").unwrap(), model.get("all.bias").unwrap())
    };
    let (sound, mut infinite) = (step(0.0), step(3e38));
    assert!(infinite.2[5 * 4..10 * 4].iter().all(|weight| *weight == 3e38));
    infinite.2[5 * 4..10 * 4].fill(0.0);
    assert_eq!(sound, infinite);
}

#[test]
fn a_batch_without_weight_changes_nothing_and_counts_nothing() {
    let data = Dataset::new(rows(1, 5, 4), labels(5, 1)).unwrap();
    let weighted = data.clone().with_weights(&[[0.0], [1.0], [0.0], [1.0], [1.0]]).unwrap();
    let (nothing, rest) = (weighted.select(&[0, 2]), weighted.select(&[1, 3, 4]));
    let run = |batches: &[&Dataset<Labels>]| {
        let mut model = Plain::init(0);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(0.1));
        let losses: Vec<f64> = batches.iter().map(|batch| trainer.step(batch).unwrap()).collect();
        (params(&model), losses)
    };
    let (with, losses) = run(&[&rest, &nothing, &rest]);
    assert_eq!(losses[1], 0.0);
    assert_eq!(with, run(&[&rest, &rest]).0, "not even the optimiser has seen it");

    let mut model = Plain::init(0);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.0));
    let evaluation = trainer.evaluate(&rest).unwrap();
    let history = trainer.fit(&weighted, Fit::epochs(1).batch(1)).unwrap();
    assert!((history.epochs[0].train.loss - evaluation.loss).abs() < 1e-6);
    assert_eq!(history.epochs[0].train.accuracy, evaluation.accuracy);
    let empty = trainer.evaluate(&nothing).unwrap_err().to_string();
    assert!(empty.starts_with("expected at least 1 sample with a weight above 0, found none\nhelp: "), "{empty}");
}

#[test]
fn every_output_has_a_mean_of_its_own() {
    let targets = (labels(6, 1), rows(5, 6, 2));
    let data = Dataset::new(rows(1, 6, 4), targets.clone()).unwrap();
    let weights = [1.0f32, 0.5, 0.0, 2.0, 0.0, 1.0];
    let weighted = data.clone().with_weights((&weights[..], 1)).unwrap();
    let mut model = Two::init(0);
    let start = model.clone();
    let part = |targets: &Values| {
        let mut model = Two::init(0);
        let both = (targets.clone(), rows(5, 6, 2));
        let data = Dataset::new(rows(1, 6, 4), both).unwrap().with_weights((&weights[..], 1)).unwrap();
        Trainer::new(&mut model, (CrossEntropy::new(), Mse::new()), Sgd::new(0.0)).evaluate(&data).unwrap().loss
    };
    let one_hot: Vec<f32> =
        targets.0.as_slice().iter().flat_map(|&label| (0..5).map(move |i| f32::from(u8::from(i == label)))).collect();
    let shares = (one_hot, 5).into_values().unwrap();
    let (whole, none) = (part(&shares), part(&(vec![0.0; 30], 5).into_values().unwrap()));

    let mut trainer = Trainer::new(&mut model, (CrossEntropy::new(), Mse::new()), Sgd::new(0.1));
    let before = trainer.evaluate(&weighted).unwrap();
    assert!((before.loss - whole).abs() < 1e-6);
    assert_eq!(before.accuracy.map(|share| (share * 4.0).fract()), Some(0.0), "a share of 4 rows");
    // Without the first loss the second is left, a mean over the same weights.
    let mut predictor = start.predictor(1);
    let mut squares = 0.0;
    for (i, &weight) in weights.iter().enumerate() {
        let (_, size) = predictor.predict(data.input(0, i).try_into().unwrap());
        let t = targets.1.sample(i);
        squares += f64::from(weight * ((size[0] - t[0]).powi(2) + (size[1] - t[1]).powi(2)) / 2.0);
    }
    assert!((none - squares / 4.5).abs() < 1e-6, "{none} {squares}");
    trainer.fit(&weighted, Fit::epochs(50)).unwrap();
    assert!(trainer.evaluate(&weighted).unwrap().loss < 0.8 * before.loss);
}

#[test]
fn what_does_not_fit_is_told_in_numbers() {
    fn fault<N: Network, L: Fits<N::Head> + Objective<T>, T: Targets>(
        loss: L,
        targets: T,
        weights: Option<usize>,
    ) -> String {
        let mut data = Dataset::new(rows(1, 2, 4), targets).unwrap();
        if let Some(width) = weights {
            data = data.with_weights((vec![0.5; 2 * width], width)).unwrap();
        }
        let mut model = N::init(0);
        Trainer::new(&mut model, loss, Sgd::new(0.1)).step(&data).unwrap_err().to_string()
    }
    assert_eq!(
        fault::<Steps, _, _>(CrossEntropy::new(), labels(2, 1), None),
        "expected labels for each of the 3 steps of the output, [3, 5], found 1 per sample\n\
         help: `Labels::per_step(labels, 3)`, or a network whose output is one row of scores"
    );
    assert_eq!(
        fault::<Steps, _, _>(CrossEntropy::new(), labels(2, 4), None),
        "expected labels for each of the 3 steps of the output, [3, 5], found 4 per sample\n\
         help: `Labels::per_step(labels, 3)`, or a network whose output is one row of scores"
    );
    assert_eq!(
        fault::<Plain, _, _>(CrossEntropy::new(), labels(2, 3), None),
        "sample 0: expected 1 label for each row of scores, found 3\nhelp: labels per step want an output of [steps, classes]"
    );
    assert_eq!(
        fault::<Steps, _, _>(Mse::new(), rows(1, 2, 5), None),
        "expected targets for each of the 3 steps of the output, [3, 5], found 5 per sample\n\
         help: give 15 numbers per sample, or end the network in another shape"
    );
    assert_eq!(
        fault::<Steps, _, _>(Mse::new(), rows(1, 2, 3), None),
        "sample 0, step 0: expected 5 targets, as many as a row of the output has numbers, found 1\n\
         help: change the targets, or the network's last layer"
    );
    let far = Labels::per_step([0, 1, 2, 3, 9, 4], 3).unwrap();
    assert!(
        fault::<Steps, _, _>(CrossEntropy::new(), far, None)
            .starts_with("sample 1, step 1: expected a label from 0 to 4, found 9")
    );
    assert_eq!(
        fault::<Steps, _, _>(CrossEntropy::new(), labels(2, 3), Some(2)),
        "expected 1 weight per sample, or 3, one for each step, as the output is [3, 5], found 2\n\
         help: change the width given to `with_weights`"
    );
    assert_eq!(
        fault::<Plain, _, _>(CrossEntropy::new(), labels(2, 1), Some(2)),
        "expected 1 weight per sample, as the output is [5], found 2\nhelp: change the width given to `with_weights`"
    );
    let both = (labels(2, 1), rows(1, 2, 2));
    assert!(
        fault::<Two, _, _>((CrossEntropy::new(), Mse::new()), both, Some(3))
            .starts_with("output 0: expected 1 weight per sample, as the output is [5], found 3")
    );
    let steps = Labels::per_step([1, 2, 3, 4], 3).unwrap_err().to_string();
    assert_eq!(
        steps,
        "labels: expected a multiple of the 3 steps of a sample, found 4 labels\n\
         help: leave out the last 1, or say how many steps a sample has"
    );
    let none = Labels::per_step([1, 2], 0).unwrap_err().to_string();
    assert!(none.starts_with("labels: expected at least 1 step per sample, found 0\nhelp: "));
    let negative = Labels::per_step([1, 2, 3, -4], 2).unwrap_err().to_string();
    assert_eq!(
        negative,
        "sample 1, label 1: expected a class from 0 to 4294967295, found -4\nhelp: a label that is to be ignored may be any class: give it a weight of 0, `with_weights`"
    );
}
