//! What this machine tells of all networks of the table. `host sizes NETWORK`: how many parameters there are,
//! their bytes, and those to train 1 and 16 samples with Adam. `host quantize NETWORK FILE` writes a model in
//! bytes. `host predict NETWORK f32|int8 TIMES` predicts, to be counted. `host learn FOLDER FILE` trains ST's
//! network for MNIST on the digits in a folder, quantises it, tells what that costs, and writes a file.

mod networks;

use std::env;
use std::error::Error;

use networks::*;
use nn_runtime::data::idx::mnist;
use nn_runtime::int8::{Calibration, Quantized};
use nn_runtime::prelude::*;
use nn_runtime::{Isa, Model, Network};

/// So many numbers between -1 and 1.
fn samples(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i as f32 * 0.7).sin()).collect()
}

fn predict(mut one: impl FnMut(), times: usize) {
    (0..times).for_each(|_| one());
}

/// Parts of a hundred whose largest probability is that of their class.
fn accuracy(test: &Dataset<Labels>, y: &[f32]) -> f64 {
    let rows = y.chunks_exact(y.len() / test.len()).zip(test.targets().as_slice());
    let right = rows.filter(|(y, class)| y.iter().all(|other| *other <= y[**class as usize]));
    100.0 * right.count() as f64 / test.len() as f64
}

/// Digits are the first ten of the 36 classes.
fn learn(folder: &str, file: &str) -> Result<(), Box<dyn Error>> {
    let (train, test) = mnist(folder)?;
    let mut model = StMnist::init(1);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(2e-3));
    trainer.fit(&train, Fit::epochs(8).batch(32).progress(false))?;
    let samples = train.inputs()[0].as_slice();
    let small = Quantized::<StMnist>::quantize(&model, &[&samples[..784 * 500]], Calibration::MinMax)?;
    println!("{}", small.report());
    let x = test.inputs()[0].as_slice();
    let (mut floats, mut bytes) = (vec![0.0; 36 * test.len()], vec![0.0; 36 * test.len()]);
    model.predictor(100).predict_into(&[x], &mut [&mut floats])?;
    small.predictor().predict_into(&[x], &mut [&mut bytes])?;
    let [floats, bytes] = [floats, bytes].map(|y| accuracy(&test, &y));
    println!("{} digits learnt, {} read: {floats:.2} % in floats, {bytes:.2} % in bytes", train.len(), test.len());
    if bytes < floats - 0.4 {
        return Err("expected at most 0.4 points less in bytes".into());
    }
    Ok(std::fs::write(file, small.to_bytes())?)
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["learn", folder, file] = arguments[..] {
        return learn(folder, file).expect("digits that are learnt");
    }
    macro_rules! network {
        ($name:ident $len:literal, $small:expr) => {
            if arguments[1] == stringify!($name) {
                let (model, x, isa) = (Model::<$name>::init(1), samples($len), Isa::detect());
                let input = x[..].try_into().expect("one sample");
                let small = || -> Quantized<$name> { $small(&model) };
                match arguments[..] {
                    ["sizes", _] => {
                        let of = $name::memory(1);
                        let [one, many] = [1, 16].map(|batch| 4 * $name::train_len(batch, 2));
                        println!("{} {} {one} {many}", $name::PARAMS, of.parameters());
                    }
                    ["quantize", _, file] => std::fs::write(file, small().to_bytes()).expect("a file to write"),
                    ["predict", _, "int8", times] => {
                        let small = small();
                        let mut predictor = small.predictor_on(isa);
                        predict(|| _ = predictor.predict(input)[0], times.parse().expect("a number"));
                    }
                    ["predict", _, "f32", times] => {
                        let mut predictor = model.predictor_on(1, isa);
                        predict(|| _ = predictor.predict(input)[0], times.parse().expect("a number"));
                    }
                    _ => panic!("expected `sizes`, `quantize` or `predict` and what belongs to it"),
                }
            }
        };
    }
    macro_rules! small {
        ($name:ident $len:literal) => {
            |model: &Model<$name>| {
                let x = samples(8 * $len);
                Quantized::quantize(model, &[&x], Calibration::MinMax).expect("finite numbers")
            }
        };
    }
    network!(Control 10, small!(Control 10));
    network!(Mlp 784, small!(Mlp 784));
    network!(LeNet 784, small!(LeNet 784));
    network!(Cnn 768, small!(Cnn 768));
    network!(StMnist 784, small!(StMnist 784));
    network!(Sequence 96, |_: &Model<Sequence>| panic!("there is no recurrence in bytes"));
}
