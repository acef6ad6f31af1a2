//! A sample without a weight is as if it were not there, under every layer and whatever it holds: the bits of
//! parameters and statistics are those of a data set without it. In: networks, sizes; out: nothing, or what
//! came of a sample that does not count.

use nn_runtime::prelude::*;
use nn_tests::numbers::numbers;

use super::alone::{Drawn, Ids};

/// Samples that count, and all there are: of twelve ten count.
const COUNTED: usize = 40;
const ALL: usize = 48;

fn counts(sample: &usize) -> bool {
    sample % 6 != 2
}

/// A data set with samples that hold nothing of use, and one without them.
fn data(inputs: &[Drawn], output: usize, odd: f32) -> [Dataset<Values>; 2] {
    let spread = |from: &[f32], len: usize, odd: f32| {
        let mut rows = from.chunks(len);
        let row = |sample: usize| if counts(&sample) { rows.next().unwrap().to_vec() } else { vec![odd; len] };
        (0..ALL).flat_map(row).collect::<Vec<f32>>()
    };
    let mut x = inputs.iter().zip(5..).map(|(input, seed)| {
        let (x, len) = input.draw(seed, COUNTED);
        // An id beyond all, or none.
        (spread(&x, len, if matches!(input, Ids(..)) && odd.is_infinite() { 1e9 } else { odd }), len)
    });
    let targets = (spread(&numbers(9, COUNTED * output, 1.0), output, odd), output);
    let weights: Vec<f32> = (0..ALL).map(|sample| f32::from(u8::from(counts(&sample)))).collect();
    let whole = Dataset::values(x.next().unwrap(), targets).unwrap();
    let whole = x.fold(whole, |whole, x| whole.with_input(x).unwrap()).with_weights((weights, 1)).unwrap();
    let rest: Vec<usize> = (0..ALL).filter(counts).collect();
    let without = whole.select(&rest);
    [whole, without]
}

fn params<N: Network>(model: &Model<N>) -> Vec<(String, Vec<u32>)> {
    let bits = |name: &str| model.get(name).unwrap().into_iter().map(f32::to_bits).collect();
    model.tensors().into_iter().map(|tensor| (tensor.name.clone(), bits(&tensor.name))).collect()
}

pub(super) fn check<N: Network>(inputs: &[Drawn], output: usize)
where
    Mse: Fits<N::Head>,
{
    for (odd, threads) in [(f32::NAN, 1), (f32::INFINITY, 3)] {
        let what = format!("{}, {odd} on {threads} threads", std::any::type_name::<N>());
        let [whole, without] = data(inputs, output, odd);
        let run = |data: &Dataset<Values>, batch: usize| {
            let mut model = N::init(2);
            let mut trainer = Trainer::new(&mut model, Mse::new(), Adam::new(1e-3)).threads(threads);
            let mut losses = Vec::new();
            let learns = trainer.step(data).map(|loss| losses.push(loss)).is_ok();
            if learns {
                losses.push(trainer.step(data).unwrap());
                let history = trainer.fit(data, Fit::epochs(2).batch(batch).shuffle(false)).unwrap();
                losses.extend(history.epochs.iter().map(|epoch| epoch.train.loss));
            }
            let evaluation = trainer.evaluate(data).unwrap();
            losses.push(evaluation.loss);
            let each = trainer.losses(data).unwrap();
            (params(&model), losses, each)
        };
        let (found, losses, each) = run(&whole, 12);
        let (truth, truths, of_each) = run(&without, 10);
        assert!(found == truth, "{what}: parameters");
        for (loss, truth) in losses.iter().zip(&truths) {
            assert!((loss - truth).abs() <= 1e-6 * truth.abs(), "{what}: losses {losses:?}, expected {truths:?}");
        }
        let counted: Vec<f64> = (0..ALL).filter(counts).map(|sample| each[sample]).collect();
        assert_eq!(counted, of_each, "{what}: losses of samples");
        assert!((0..ALL).filter(|sample| !counts(sample)).all(|sample| each[sample] == 0.0), "{what}: {each:?}");
    }
}
