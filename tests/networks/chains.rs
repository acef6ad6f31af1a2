//! Networks that are a chain, one sample at a time and several at once: the same bits. What several are is
//! compared with loops elsewhere.

use nn_runtime::prelude::*;
use nn_runtime::{Isa, Network};

use crate::by_hand::{SAMPLES, model, samples};

activation! { pub Bent(x; a = 0.5, b = 0.25) where a > 0.0 = if x > 0.0 { x } else { a * tanh(b * x) } }
activation! { pub Many(x; a = 0.5, b = 0.25, c = 1.0, d = 2.0, e = 3.0) = a * x + b * tanh(c * x) + d * sigmoid(e * x) }

network! { struct Tanhs: [4] -> [2] { Dense(32) -> Tanh -> Dense(32) -> Tanh -> Dense(2) } }
network! { struct Few: [24] -> [2] { Dense(8) -> Tanh -> Dropout(0.2) -> Dense(2, bias = false) } }
network! { struct Wide: [48] -> [12] { Dense(256) -> Elu(alpha = 0.5) -> Dense(113) -> Relu -> Dense(64) -> Silu -> Dense(12) } }
network! { struct Odd: [33] -> [17] { Dense(161) -> Gelu -> Dense(81) -> Gelu(approximate = true) -> Dense(17) -> Softmax } }
network! { struct Image: [1, 5, 5] -> [7] { Flatten -> Relu -> Dense(47) -> LeakyRelu(slope = 0.2) -> Dropout(0.5) -> Dense(7) -> LogSoftmax } }
network! { struct Own: [5] -> [3] { Bent(a = 0.75) -> Dense(9) -> Bent(b = 2.0) -> Sigmoid -> Dense(3) -> Mish } }
network! { struct ByPass: [5] -> [3] { Dense(9) -> Many(c = 0.3) -> Dense(3) } }
network! { struct Functions: [19] -> [19] { Selu -> Relu -> Softplus -> HardSwish } }
network! { struct One: [1] -> [1] { Dense(1) } }
network! { struct Shared: [6] -> [6] { a: Dense(6) -> Tanh -> share(a) -> Softmax } }
network! { struct Twice: [6] -> [6] { Dense(6) * 3 -> Tanh } }
network! { struct Within: [6] -> [2] { Shared -> Dense(2) } }

fn same<N, const INPUTS: usize, const OUTPUTS: usize>()
where
    N: for<'a> Network<Input<'a> = &'a [f32; INPUTS], Output<'a> = &'a [f32; OUTPUTS]>,
{
    let model = model::<N>();
    let x = samples(&[INPUTS]).remove(0);
    for isa in Isa::available() {
        let [mut one, mut all] = [(); 2].map(|()| vec![f32::NAN; SAMPLES * OUTPUTS]);
        model.predictor_on(SAMPLES, isa).predict_into(&[&x], &mut [&mut all]).unwrap();
        let mut predictor = model.predictor_on(1, isa);
        predictor.predict_into(&[&x], &mut [&mut one]).unwrap();
        assert_eq!(one, all, "{}", isa.name());
        assert!(one.iter().all(|y| y.is_finite()), "{}", isa.name());
        for (x, y) in x.as_chunks::<INPUTS>().0.iter().zip(one.chunks(OUTPUTS)) {
            assert_eq!(predictor.predict(x), y, "{}", isa.name());
        }
    }
}

#[test]
fn one_sample_is_what_it_is_among_others() {
    same::<Tanhs, 4, 2>();
    same::<Few, 24, 2>();
    same::<Wide, 48, 12>();
    same::<Odd, 33, 17>();
    same::<Image, 25, 7>();
    same::<Own, 5, 3>();
    same::<ByPass, 5, 3>();
    same::<Functions, 19, 19>();
    same::<One, 1, 1>();
    same::<Shared, 6, 6>();
    same::<Twice, 6, 6>();
    same::<Within, 6, 2>();
}
