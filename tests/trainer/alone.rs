//! Each layer trained alone, at sizes where its weights are used often; and networks that cannot learn.

use nn_runtime::prelude::*;
use nn_runtime::train::TrainError;

use super::params;

macro_rules! alone {
    ($($name:ident: $x:tt -> $y:tt { $($layer:tt)* })+) => {
        $(network! { struct $name: $x -> $y { $($layer)* } })+

        #[test]
        fn each_layer_trains_alone() {
            $({
                let (inputs, outputs): (usize, usize) = ($x.iter().product(), $y.iter().product());
                let x: Vec<f32> = (0..48 * inputs).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect();
                let y: Vec<f32> = (0..48 * outputs).map(|i| (i * 53 % 97) as f32 / 48.0 - 1.0).collect();
                let data = Dataset::values((x, inputs), (y, outputs)).unwrap();
                let mut model = $name::init(0);
                let before = params(&model);
                let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(1e-3));
                let start = trainer.evaluate(&data).unwrap().loss;
                trainer.fit(&data, Fit::epochs(3).batch(32)).unwrap();
                let end = trainer.evaluate(&data).unwrap().loss;
                assert!(end < start, "{}: {start} to {end}", stringify!($name));
                assert_ne!(before, params(&model), "{}", stringify!($name));
            })+
        }
    };
}
alone! {
    Convolution: [1, 28, 28] -> [1, 28, 28] { Conv2d(1, 5, padding = Same) }
    Causally: [256, 2] -> [256, 2] { Conv1d(2, 32, padding = Causal) }
    PerStep: [64, 8] -> [64, 8] { DensePerStep(8) }
    Depthwise: [3, 16, 16] -> [3, 16, 16] { DepthwiseConv2d(3, padding = Same) }
    Separable: [3, 16, 16] -> [4, 16, 16] { SeparableConv2d(4, 3, padding = Same) }
    Transposed: [2, 12, 12] -> [1, 12, 12] { ConvTranspose2d(1, 3, padding = Same) }
    Slopes: [6, 8, 8] -> [6, 8, 8] { Prelu }
    Layered: [32, 6] -> [32, 6] { LayerNorm }
    Rooted: [32, 6] -> [32, 6] { RmsNorm }
    Recurrent: [24, 3] -> [24, 4] { Lstm(4) }
    Gated: [24, 3] -> [24, 4] { Gru(4) }
    Plain: [24, 3] -> [24, 4] { Rnn(4) }
    Attending: [20, 8] -> [20, 8] { MultiHeadAttention(2) }
    Wide: [9] -> [5] { Dense(5) }
}

network! { struct Moves: [2, 3] -> [6] { Flatten -> Tanh } }
network! { struct Frozen: [3] -> [2] { frozen Dense(2) } }

#[test]
fn what_has_nothing_to_learn_is_refused_by_name() {
    let data = Dataset::values((vec![0.5; 12], 6), (vec![0.5; 12], 6)).unwrap();
    let mut model = Moves::init(0);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1));
    for error in [trainer.step(&data).unwrap_err(), trainer.fit(&data, Fit::epochs(1)).unwrap_err()] {
        assert!(matches!(error, TrainError::Mismatch(_)));
        assert_eq!(
            error.to_string(),
            "expected a network with parameters to train, found none in `Moves`\n\
             help: add a layer that learns, as `Dense(1)`, or take away a `frozen`"
        );
    }
    assert!(trainer.evaluate(&data).unwrap().loss > 0.0, "what cannot learn can be evaluated");
    let data = Dataset::values(&[[1.0, 2.0, 3.0]], &[[1.0, 2.0]]).unwrap();
    let mut model = Frozen::init(0);
    let error = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1)).step(&data).unwrap_err();
    assert!(error.to_string().contains("found none in `Frozen`"), "{error}");
}
