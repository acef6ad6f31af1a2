//! `Ctc`: against PyTorch, and against every sequence of classes written out; and in training, where it sees
//! whole samples.

use nn_runtime::Isa;
use nn_runtime::prelude::*;
use nn_tests::fixtures::load;
use nn_tests::numbers::{assert_near, distance, numbers, slopes, wide};

/// The loss of all samples, each told by itself, and the gradient of their mean.
fn all(loss: &Ctc, isa: Isa, [steps, classes]: [usize; 2], z: &[f32], labels: &[u32]) -> (f64, Vec<f32>) {
    let samples = z.len() / (steps * classes);
    let longest = labels.len() / samples;
    let mut dz = vec![f32::NAN; z.len()];
    let mut sum = 0.0;
    let each = z.chunks(steps * classes).zip(labels.chunks(longest)).zip(dz.chunks_mut(steps * classes));
    for ((z, labels), dz) in each {
        let value = loss.gradient(isa, classes, z, labels, 1.0 / samples as f32, dz);
        assert_eq!(value, loss.value(isa, classes, z, labels), "with and without the gradient");
        sum += value;
    }
    (sum / samples as f64, dz)
}

#[test]
fn it_agrees_with_pytorch() {
    let mut cases = 0;
    // One loss for all: what it keeps from a longer sample has no influence on a shorter one.
    let loss = Ctc::new();
    for case in load("ctc") {
        let [_, steps, classes] = case.inputs[0].shape[..] else { panic!("{}", case.name) };
        let labels: Vec<u32> = case.inputs[1].data.iter().map(|&label| label as u32).collect();
        for isa in Isa::available() {
            let (value, dz) = all(&loss, isa, [steps, classes], &case.inputs[0].narrow(), &labels);
            let what = format!("{} {}", case.name, isa.name());
            assert_near(&[value as f32], &case.output.as_ref().unwrap().data, &what);
            assert_near(&dz, &case.dinputs[0].data, &what);
        }
        cases += 1;
    }
    assert!(cases >= 7, "{cases} cases");
}

/// Any blank, samples of fewer steps than there are, labels that do not fit.
#[test]
fn its_settings_are_pytorchs() {
    let mut cases = 0;
    for case in load("ctc_settings") {
        let [_, steps, classes] = case.inputs[0].shape[..] else { panic!("{}", case.name) };
        let targets: Vec<u32> = case.inputs[1].data.iter().map(|&label| label as u32).collect();
        let [blank, zero, lengths] = ["blank", "zero_infinity", "input_lengths"].map(|name| case.number(name) as u32);
        let loss = Ctc::new().blank(blank).zero_infinity(zero == 1).input_lengths(lengths == 1);
        for targets in targets.chunks(case.inputs[1].shape[1]) {
            assert_eq!(loss.fault(classes, targets, steps), None, "{}: {targets:?}", case.name);
        }
        for isa in Isa::available() {
            let (value, dz) = all(&loss, isa, [steps, classes], &case.inputs[0].narrow(), &targets);
            let what = format!("{} {}", case.name, isa.name());
            assert_near(&[value as f32], &case.output.as_ref().unwrap().data, &what);
            assert_near(&dz, &case.dinputs[0].data, &what);
        }
        cases += 1;
    }
    assert_eq!(cases, 5);
}

/// What a sequence of classes reads as.
fn reading(classes: &[usize]) -> Vec<u32> {
    let mut read = Vec::new();
    let mut before = 0;
    for &class in classes {
        if class != before && class != 0 {
            read.push(class as u32);
        }
        before = class;
    }
    read
}

/// -ln of the sum over every sequence that reads as the labels.
fn by_hand([steps, classes]: [usize; 2], z: &[f64], labels: &[u32]) -> f64 {
    let mut sum = 0.0;
    for number in 0..classes.pow(steps as u32) {
        let sequence: Vec<usize> = (0..steps).map(|step| number / classes.pow(step as u32) % classes).collect();
        if reading(&sequence) == labels {
            let p = |(step, &class): (usize, &usize)| {
                let z = &z[step * classes..][..classes];
                z[class].exp() / z.iter().map(|z| z.exp()).sum::<f64>()
            };
            sum += sequence.iter().enumerate().map(p).product::<f64>();
        }
    }
    -sum.ln()
}

#[test]
fn it_is_the_sum_over_every_way() {
    for ([steps, classes], labels) in [
        ([1, 2], &[][..]),
        ([1, 3], &[2][..]),
        ([4, 3], &[1, 1]),
        ([5, 3], &[1, 2, 1]),
        ([5, 4], &[3]),
        ([6, 3], &[2, 2, 1]),
    ] {
        let z = numbers(steps as u64, steps * classes, 3.0);
        let truth = |z: &[f64]| by_hand([steps, classes], z, labels);
        let mut padded = labels.to_vec();
        padded.extend([0, 0]);
        for isa in Isa::available() {
            let (value, dz) = all(&Ctc::new(), isa, [steps, classes], &z, &padded);
            let what = format!("{labels:?} in {steps} steps, {}", isa.name());
            assert_near(&[value as f32], &[truth(&wide(&z))], &what);
            assert_near(&dz, &slopes(&wide(&z), truth), &what);
        }
    }
}

#[test]
fn right_is_what_reads_as_the_labels() {
    let scores = |classes: &[usize]| -> Vec<f32> {
        classes.iter().flat_map(|&class| (0..3).map(move |i| f32::from(u8::from(i == class)))).collect()
    };
    let correct = |classes: &[usize], labels: &[u32]| Ctc::new().correct(3, &scores(classes), labels);
    assert_eq!(correct(&[0, 1, 1, 0, 1, 2], &[1, 1, 2]), Some(1));
    assert_eq!(correct(&[0, 1, 1, 0, 1, 2], &[1, 1, 2, 0]), Some(1), "0 only fills up");
    assert_eq!(correct(&[1, 1, 2], &[1, 1, 2]), Some(0));
    assert_eq!(correct(&[1, 2, 1], &[1, 2]), Some(0), "one too many");
    assert_eq!(correct(&[0, 0, 0], &[0, 0]), Some(1));
}

#[test]
fn right_is_told_by_any_blank_and_length() {
    let scores = |classes: &[usize]| -> Vec<f32> {
        classes.iter().flat_map(|&class| (0..3).map(move |i| f32::from(u8::from(i == class)))).collect()
    };
    let loss = Ctc::new().blank(2).input_lengths(true);
    assert_eq!(loss.correct(3, &scores(&[2, 0, 2, 0, 1, 1]), &[6, 0, 0, 1, 2][..]), Some(1));
    assert_eq!(loss.correct(3, &scores(&[2, 0, 2, 0, 1, 1]), &[3, 0, 2, 2, 2][..]), Some(1), "what comes later");
    assert_eq!(loss.correct(3, &scores(&[2, 0, 2, 0, 1, 1]), &[4, 0, 2, 2, 2][..]), Some(0));
}

#[test]
fn settings_that_do_not_fit_are_refused() {
    let fault = |loss: Ctc, labels: &[u32]| loss.fault(4, labels, 3).map(|(_, fault)| fault);
    let blank = |class| Ctc::new().blank(class);
    assert_eq!(
        fault(blank(4), &[1]).unwrap(),
        "expected a blank below the 4 classes, found 4\nhelp: give the class that is none, such as `blank(3)`"
    );
    assert!(
        fault(blank(3), &[3, 1]).unwrap().starts_with("expected labels from 0 to 2, found 3\nhelp: 3 is the blank")
    );
    assert!(fault(blank(1), &[0, 1, 2]).unwrap().starts_with("expected labels from 0 to 3 but 1, found 1\nhelp: "));
    assert_eq!(fault(blank(3), &[0, 1, 3]), None);
    for length in [0, 4] {
        assert_eq!(
            fault(Ctc::new().input_lengths(true), &[length, 1]).unwrap(),
            format!(
                "expected a length of 1 to 3 steps, found {length}\nhelp: the first target of a sample is how many \
                 steps count, and its labels stand behind it"
            )
        );
    }
    assert!(
        fault(Ctc::new().input_lengths(true), &[1, 1, 2]).unwrap().starts_with("expected labels that fit into 1 steps")
    );
    assert_eq!(fault(Ctc::new().input_lengths(true).zero_infinity(true), &[1, 1, 2]), None);
}

#[test]
fn labels_that_cannot_be_read_are_refused() {
    let fault = |labels: &[u32], steps: usize| Ctc::new().fault(4, labels, steps).map(|(_, fault)| fault);
    assert_eq!(fault(&[1, 2, 3, 0], 3), None);
    assert!(fault(&[1, 0, 3, 0], 9).unwrap().starts_with("expected labels from 1 to 3, found 0\nhelp: 0 is the blank"));
    assert!(fault(&[1, 4], 9).unwrap().starts_with("expected labels from 1 to 3, found 4"));
    assert!(fault(&[2, 2, 2], 4).unwrap().starts_with(
        "expected labels that fit into 4 steps, found 3 labels, 2 of them equal to the one before\nhelp: "
    ));
    assert_eq!(fault(&[2, 2, 2], 5), None);
}

network! { struct Reader: [6] -> [6, 4] { Dense(24) -> Tanh -> Dense(24) -> Reshape([6, 4]) } }
network! { struct Chances: [6] -> [6, 4] { Dense(24) -> Tanh -> Dense(24) -> Reshape([6, 4]) -> LogSoftmax } }

#[test]
fn a_network_learns_to_read() {
    let labels = Labels::per_step([1, 2, 3, 2, 2, 0, 3, 0, 0, 1, 3, 1], 3).unwrap();
    let data = Dataset::new((numbers(1, 24, 1.0), 6), labels).unwrap();
    fn fit<N: Network>(data: &Dataset<Labels>) -> (f64, nn_runtime::train::Evaluation)
    where
        Ctc: Fits<N::Head>,
    {
        let mut model = N::init(1);
        let mut trainer = Trainer::new(&mut model, Ctc::new(), Adam::new(0.02));
        let first = trainer.step(data).unwrap();
        trainer.fit(data, Fit::epochs(150).batch(4)).unwrap();
        (first, trainer.evaluate(data).unwrap())
    }
    let (first, after) = fit::<Reader>(&data);
    assert!(first > 3.0 && after.loss < 0.1, "{first} to {after}");
    assert_eq!((after.accuracy, after.samples), (Some(1.0), 4));
    // The softmax is left out while training.
    assert_eq!(fit::<Chances>(&data), (first, after));

    // A mean over samples, by their weights.
    let weights = [1.0f32, 0.0, 3.0, 0.5];
    let mut model = Reader::init(1);
    let mut trainer = Trainer::new(&mut model, Ctc::new(), Sgd::new(0.0));
    let each: Vec<f64> = (0..4).map(|i| trainer.evaluate(&data.select(&[i])).unwrap().loss).collect();
    let truth = each.iter().zip(weights).map(|(loss, weight)| loss * f64::from(weight)).sum::<f64>() / 4.5;
    let weighted = data.clone().with_weights((&weights[..], 1)).unwrap();
    let found = [trainer.evaluate(&weighted).unwrap().loss as f32, trainer.step(&weighted).unwrap() as f32];
    assert!(distance(&found, &[truth, truth]) < 1e-6, "{found:?} instead of {truth}");

    let steps = data.clone().with_weights((vec![1.0; 24], 6)).unwrap();
    assert_eq!(
        trainer.step(&steps).unwrap_err().to_string(),
        "expected 1 weight per sample, as the output is [6, 4], found 6\nhelp: change the width given to `with_weights`"
    );
    let far = Labels::per_step([1, 1, 1, 1, 1, 1, 1, 1], 4).unwrap();
    let far = Dataset::new((numbers(1, 12, 1.0), 6), far).unwrap();
    assert!(trainer.step(&far).unwrap_err().to_string().starts_with("sample 0: expected labels that fit into 6 steps"));
}
