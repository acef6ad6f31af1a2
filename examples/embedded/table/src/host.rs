//! What this machine tells of all networks of the table: `host sizes NETWORK` prints their sizes in bytes,
//! `host predict NETWORK float|int8 TIMES` predicts, for an instruction counter.

mod networks;

use std::env;

use networks::*;
use nn_runtime::int8::{Calibration, Quantized};
use nn_runtime::{Isa, Model, Network};

/// So many numbers between -1 and 1.
fn samples(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i as f32 * 0.7).sin()).collect()
}

fn sizes<N: Network>(workspace: usize, small: Option<[usize; 2]>) {
    let [weights, memory] = small.map_or(["–".into(), "–".into()], |both| both.map(|bytes| bytes.to_string()));
    let (one, sixteen) = (N::memory(1), N::memory(16));
    println!("{} {} {} {} {weights} {memory}", N::PARAMS, one.parameters(), workspace, sixteen.training());
}

fn predict(mut one: impl FnMut(), times: usize) {
    (0..times).for_each(|_| one());
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    macro_rules! network {
        ($name:ident $len:literal, $small:expr) => {
            if arguments[1] == stringify!($name) {
                let (model, x) = (Model::<$name>::init(1), samples($len));
                let small: Option<Quantized<$name>> = $small(&model);
                match arguments[..] {
                    ["sizes", _] => sizes::<$name>(
                        4 * $name::predict_len(1),
                        small.map(|small| [small.weight_bytes(), small.predict_bytes()]),
                    ),
                    ["predict", _, kind, times] => {
                        let times = times.parse().expect("a number of predictions");
                        let input = x[..].try_into().expect("one sample");
                        let isa = Isa::detect();
                        match (kind, small) {
                            ("int8", Some(small)) => {
                                let mut predictor = small.predictor_on(isa);
                                predict(|| _ = predictor.predict(input)[0], times);
                            }
                            _ => {
                                let mut predictor = model.predictor_on(1, isa);
                                predict(|| _ = predictor.predict(input)[0], times);
                            }
                        }
                    }
                    _ => panic!("expected `sizes NETWORK` or `predict NETWORK float|int8 TIMES`"),
                }
            }
        };
    }
    macro_rules! small {
        ($name:ident $len:literal) => {
            |model: &Model<$name>| {
                let x = samples(8 * $len);
                Some(Quantized::quantize(model, &[&x], Calibration::MinMax).expect("finite numbers"))
            }
        };
    }
    network!(Control 10, small!(Control 10));
    network!(Mlp 784, small!(Mlp 784));
    network!(LeNet 784, small!(LeNet 784));
    network!(Cnn 768, small!(Cnn 768));
    network!(Separable 784, small!(Separable 784));
    network!(Sequence 96, |_: &Model<Sequence>| None);
}
