//! Relations that hold whatever the right numbers are: padding under a mask counts for nothing, samples know
//! nothing of each other, units of measurement and the direction of time are conventions, and training in
//! parts is training. In: networks and drawn numbers; out: nothing, or what changed that should not have.

use nn_runtime::Isa;
use nn_runtime::data::Standardize;
use nn_runtime::prelude::*;
use nn_tests::numbers::{distance, numbers, wide};

const STEPS: usize = 7;
const FEATURES: usize = 6;

/// Bits, so that NaN is equal to itself and 0 is not -0.
fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

/// All parameters in one.
fn params<N: Network>(model: &Model<N>) -> Vec<f32> {
    model.tensors().iter().flat_map(|tensor| model.get(&tensor.name).unwrap()).collect()
}

/// Predictions for samples side by side, `lens` floats an output.
fn predict<N: Network>(model: &Model<N>, isa: Isa, batch: usize, x: &[&[f32]], lens: &[usize]) -> Vec<Vec<f32>> {
    let mut y: Vec<Vec<f32>> = lens.iter().map(|len| vec![0.0; batch * len]).collect();
    let mut slices: Vec<&mut [f32]> = y.iter_mut().map(|y| &mut y[..]).collect();
    model.predictor_on(batch, isa).predict_into(x, &mut slices).unwrap();
    y
}

// What stands at padding steps.

network! { struct MaskedRnn: (x: [STEPS, FEATURES], mask: [STEPS]) -> [5] { (x, mask) -> Rnn(5, last = true) } }
network! { struct MaskedGru: (x: [STEPS, FEATURES], mask: [STEPS]) -> [5] { (x, mask) -> Gru(5, last = true) } }
network! { struct MaskedLstm: (x: [STEPS, FEATURES], mask: [STEPS]) -> [5] { (x, mask) -> Lstm(5, last = true) } }
network! {
    struct MaskedBoth: (x: [STEPS, FEATURES], mask: [STEPS]) -> [20] {
        let h = (x, mask) -> Lstm(5, direction = Both);
        let g = (h, mask) -> Gru(5, direction = Both, last = true);
        let m = (h, mask) -> GlobalAvgPool;
        (g, m) -> Concat
    }
}
network! { struct MaskedMean: (x: [STEPS, FEATURES], mask: [STEPS]) -> [FEATURES] { (x, mask) -> GlobalAvgPool } }
network! { struct MaskedMost: (x: [STEPS, FEATURES], mask: [STEPS]) -> [FEATURES] { (x, mask) -> GlobalMaxPool } }
network! { struct MaskedLast: (x: [STEPS, FEATURES], mask: [STEPS]) -> [FEATURES] { (x, mask) -> LastStep } }
network! {
    struct MaskedMemory: (q: [3, FEATURES], x: [STEPS, FEATURES], mask: [STEPS]) -> [3, FEATURES] {
        (q, x, mask) -> MultiHeadAttention(2)
    }
}
network! {
    struct MaskedSelf: (x: [STEPS, FEATURES], mask: [STEPS]) -> [FEATURES] {
        let h = (x, mask) -> MultiHeadAttention(2);
        (h, mask) -> GlobalAvgPool
    }
}
network! {
    struct CausalAttention: [STEPS, FEATURES] -> [STEPS, FEATURES] { MultiHeadAttention(2, causal = true) }
}

/// Masks of five samples: all steps, the first ones, some in between, one, none.
fn masks() -> Vec<f32> {
    let steps = |of: &dyn Fn(usize) -> bool| (0..STEPS).map(|s| f32::from(u8::from(of(s)))).collect::<Vec<_>>();
    let all = [steps(&|_| true), steps(&|s| s < 4), steps(&|s| s % 3 != 1), steps(&|s| s == 2), steps(&|_| false)];
    all.concat()
}

/// The network's answers and gradients are the same bits whatever stands at padding steps, and no gradient
/// goes there. `before` stands for inputs before the sequence and its mask.
fn padding_counts_for_nothing<N: Network>(before: &[Vec<f32>], len: usize) {
    let (mask, batch) = (masks(), masks().len() / STEPS);
    let mut model = Model::<N>::init(3);
    for tensor in model.tensors() {
        let values = numbers(5, tensor.shape.as_slice().iter().product(), 0.5);
        model.set(&tensor.name, &values).unwrap();
    }
    let x = numbers(11, batch * STEPS * FEATURES, 1.5);
    let dy = numbers(12, batch * len, 1.0);
    let filled = |value: f32| -> Vec<f32> {
        let at = |i: usize| if mask[i / FEATURES] == 0.0 { value } else { x[i] };
        (0..x.len()).map(at).collect()
    };
    let inputs = |x: &'_ [f32]| -> Vec<Vec<f32>> { before.iter().cloned().chain([x.to_vec(), mask.clone()]).collect() };
    let zeros = inputs(&filled(0.0));
    let zeros: Vec<&[f32]> = zeros.iter().map(|x| &x[..]).collect();
    for value in [1.0, 3e38, f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
        let other = inputs(&filled(value));
        let other: Vec<&[f32]> = other.iter().map(|x| &x[..]).collect();
        for isa in Isa::available() {
            let (y, found) = (predict(&model, isa, batch, &zeros, &[len]), predict(&model, isa, batch, &other, &[len]));
            assert_eq!(bits(&found[0]), bits(&y[0]), "{}: {value} at padding steps", isa.name());
        }
        let (truth, found) = (model.gradients(&zeros, &[&dy]).unwrap(), model.gradients(&other, &[&dy]).unwrap());
        for ((name, truth), (_, found)) in truth.params.iter().zip(&found.params) {
            assert_eq!(bits(found), bits(truth), "gradient of `{name}`: {value} at padding steps");
        }
        let dx = &found.inputs[before.len()];
        for (i, dx) in dx.iter().enumerate().filter(|(i, _)| mask[i / FEATURES] == 0.0) {
            assert_eq!(*dx, 0.0, "the gradient of padding, number {i}: {value} there");
        }
    }
}

#[test]
fn padding_counts_for_nothing_in_recurrences() {
    padding_counts_for_nothing::<MaskedRnn>(&[], 5);
    padding_counts_for_nothing::<MaskedGru>(&[], 5);
    padding_counts_for_nothing::<MaskedLstm>(&[], 5);
    padding_counts_for_nothing::<MaskedBoth>(&[], 20);
}

#[test]
fn padding_counts_for_nothing_in_pools() {
    padding_counts_for_nothing::<MaskedMean>(&[], FEATURES);
    padding_counts_for_nothing::<MaskedMost>(&[], FEATURES);
    padding_counts_for_nothing::<MaskedLast>(&[], FEATURES);
}

#[test]
fn padding_counts_for_nothing_in_a_memory() {
    let queries = numbers(20, masks().len() / STEPS * 3 * FEATURES, 1.0);
    padding_counts_for_nothing::<MaskedMemory>(&[queries], 3 * FEATURES);
}

#[test]
fn padding_counts_for_nothing_in_attention_to_itself() {
    padding_counts_for_nothing::<MaskedSelf>(&[], FEATURES);
}

/// A causal layer's past does not know its future.
#[test]
fn the_future_counts_for_nothing() {
    let model = CausalAttention::init(1);
    let x = numbers(1, STEPS * FEATURES, 1.0);
    let past = 4 * FEATURES;
    for value in [2.0, 3e38, f32::INFINITY, f32::NAN] {
        let mut other = x.clone();
        other[past..].fill(value);
        for isa in Isa::available() {
            let y = predict(&model, isa, 1, &[&x], &[x.len()]);
            let found = predict(&model, isa, 1, &[&other], &[x.len()]);
            assert_eq!(bits(&found[0][..past]), bits(&y[0][..past]), "{}: {value} in the future", isa.name());
        }
    }
}

// Samples.

network! {
    struct Images: [3, 9, 9] -> [4] {
        Conv2d(6, 3) -> Relu -> MaxPool2d(2) -> norm: BatchNorm -> Conv2d(5, 2, padding = Same) -> Tanh -> AvgPool2d(2)
            -> Flatten -> Dense(7) -> LayerNorm -> Gelu -> Dense(4)
    }
}
network! {
    struct Sequences: [STEPS, FEATURES] -> [4] {
        let h = input -> Conv1d(6, 3, padding = Causal) -> RmsNorm -> MultiHeadAttention(2);
        let l = h -> Lstm(5, direction = Both, last = true);
        let g = h -> Gru(5) -> GlobalMaxPool;
        (l, g) -> Concat -> Dense(4)
    }
}

/// Samples in any order and in batches of any size have the same outputs, and gradients that add up.
fn samples_know_nothing_of_each_other<N: Network>(width: usize) {
    let model = Model::<N>::init(2);
    let batch = 19;
    let (x, dy) = (numbers(1, batch * width, 1.0), numbers(2, batch * 4, 1.0));
    for isa in Isa::available() {
        let whole = predict(&model, isa, batch, &[&x], &[4]);
        for size in [1, 2, 3, 5, 18] {
            let parts = x.chunks(size * width).map(|x| predict(&model, isa, x.len() / width, &[x], &[4])[0].clone());
            assert_eq!(bits(&parts.collect::<Vec<_>>().concat()), bits(&whole[0]), "{}: batches of {size}", isa.name());
        }
        let order: Vec<usize> = (0..batch).map(|i| i * 7 % batch).collect();
        let moved: Vec<f32> = order.iter().flat_map(|i| &x[i * width..][..width]).copied().collect();
        let truth: Vec<f32> = order.iter().flat_map(|i| &whole[0][i * 4..][..4]).copied().collect();
        assert_eq!(bits(&predict(&model, isa, batch, &[&moved], &[4])[0]), bits(&truth), "{}: reordered", isa.name());
    }
    let whole = model.gradients(&[&x], &[&dy]).unwrap();
    for size in [1, 4, 18] {
        let parts: Vec<_> = x.chunks(size * width).zip(dy.chunks(size * 4)).collect();
        let parts: Vec<_> = parts.into_iter().map(|(x, dy)| model.gradients(&[x], &[dy]).unwrap()).collect();
        let dx: Vec<f32> = parts.iter().flat_map(|part| part.inputs[0].clone()).collect();
        assert!(distance(&dx, &wide(&whole.inputs[0])) < 1e-5, "dx of batches of {size}");
        for (k, (name, whole)) in whole.params.iter().enumerate() {
            let sum: Vec<f64> =
                (0..whole.len()).map(|i| parts.iter().map(|part| f64::from(part.params[k].1[i])).sum()).collect();
            let off = distance(whole, &sum);
            assert!(off < 1e-5, "gradient of `{name}` of batches of {size}: {off:.1e} off");
        }
    }
}

#[test]
fn images_know_nothing_of_each_other() {
    samples_know_nothing_of_each_other::<Images>(3 * 9 * 9);
}

#[test]
fn sequences_know_nothing_of_each_other() {
    samples_know_nothing_of_each_other::<Sequences>(STEPS * FEATURES);
}

// Units.

network! { struct Measured: [5] -> [3] { norm: Normalization -> Dense(8) -> Tanh -> Dense(3) } }

/// Inputs in other units, their mean and deviation with them: the same answers, to the bit where units are
/// powers of 2. Deviations below 1e-7 count as that, as the layer's page says.
#[test]
fn units_are_a_convention() {
    let x = numbers(1, 40 * 5, 3.0);
    let truth = measured(&x, 1.0);
    for exponent in [-20, -3, 4, 20, 60] {
        assert_eq!(bits(&measured(&x, 2f32.powi(exponent))), bits(&truth), "units of 2^{exponent}");
    }
}

fn measured(x: &[f32], unit: f32) -> Vec<f32> {
    let x: Vec<f32> = x.iter().map(|x| x * unit).collect();
    let data = Dataset::values((x.clone(), 5), (vec![0.0; x.len() / 5], 1)).unwrap();
    let fitted = Standardize::fit(&data).unwrap();
    let mut model = Measured::init(4);
    model.set("norm.mean", &fitted.mean(0)).unwrap();
    model.set("norm.std", &fitted.std(0)).unwrap();
    predict(&model, Isa::detect(), x.len() / 5, &[&x], &[3]).remove(0)
}

// Time.

macro_rules! directions {
    ($($test:ident: $cell:ident, $there:ident, $back:ident;)*) => {$(
        network! { struct $there: [STEPS, FEATURES] -> [STEPS, 5] { cell: $cell(5) } }
        network! { struct $back: [STEPS, FEATURES] -> [STEPS, 5] { cell: $cell(5, direction = Backward) } }

        #[test]
        fn $test() {
            time_reversed::<$there, $back>();
        }
    )*};
}

directions! {
    rnn_backward_is_forward_of_time_reversed: Rnn, RnnThere, RnnBack;
    gru_backward_is_forward_of_time_reversed: Gru, GruThere, GruBack;
    lstm_backward_is_forward_of_time_reversed: Lstm, LstmThere, LstmBack;
}

/// A sequence run backward is the reversed sequence run forward, its outputs reversed again; gradients too.
fn time_reversed<There: Network, Back: Network>() {
    let there = Model::<There>::init(6);
    let mut back = Model::<Back>::init(0);
    for (a, b) in there.tensors().iter().zip(back.tensors()) {
        back.set(&b.name, &there.get(&a.name).unwrap()).unwrap();
    }
    let reversed = |x: &[f32], features: usize| -> Vec<f32> {
        let samples = x.chunks(STEPS * features);
        samples.flat_map(|x| x.chunks(features).rev().flatten().copied().collect::<Vec<_>>()).collect()
    };
    let batch = 5;
    let (x, dy) = (numbers(1, batch * STEPS * FEATURES, 1.0), numbers(2, batch * STEPS * 5, 1.0));
    for isa in Isa::available() {
        let y = predict(&there, isa, batch, &[&reversed(&x, FEATURES)], &[STEPS * 5]);
        let found = predict(&back, isa, batch, &[&x], &[STEPS * 5]);
        assert_eq!(bits(&found[0]), bits(&reversed(&y[0], 5)), "{}", isa.name());
    }
    let truth = there.gradients(&[&reversed(&x, FEATURES)], &[&reversed(&dy, 5)]).unwrap();
    let found = back.gradients(&[&x], &[&dy]).unwrap();
    assert_eq!(bits(&found.inputs[0]), bits(&reversed(&truth.inputs[0], FEATURES)), "dx");
    // Gradients of parameters are sums over steps, in another order.
    for ((name, truth), (_, found)) in truth.params.iter().zip(&found.params) {
        let off = distance(found, &wide(truth));
        assert!(off < 1e-6, "gradient of `{name}`: {off:.1e} off");
    }
}

// Training in parts.

network! {
    struct Noisy: [6] -> [3] { Dense(8) -> norm: BatchNorm -> Relu -> Dropout(0.3) -> Dense(3) }
}

fn classes() -> Dataset<Labels> {
    let x = numbers(1, 50 * 6, 1.0);
    Dataset::classes((x, 6), (0..50u32).map(|i| i * 7 % 3)).unwrap()
}

/// What ten epochs make of the parameters, in calls of `fit` of so many epochs each.
fn trained(
    calls: &[usize],
    setup: impl for<'m> Fn(Trainer<'m, Noisy, CrossEntropy, Adam>) -> Trainer<'m, Noisy, CrossEntropy, Adam>,
) -> Vec<f32> {
    let data = classes();
    let mut model = Noisy::init(5);
    let mut trainer = setup(Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2)));
    for &epochs in calls {
        trainer.fit(&data, Fit::epochs(epochs).batch(8).progress(false)).unwrap();
    }
    params(&model)
}

#[test]
fn epochs_in_parts_are_epochs() {
    let whole = trained(&[10], |trainer| trainer);
    for calls in [&[1; 10][..], &[4, 6], &[9, 1]] {
        assert_eq!(bits(&trained(calls, |trainer| trainer)), bits(&whole), "fits of {calls:?} epochs");
    }
}

#[test]
fn epochs_in_parts_are_epochs_with_a_schedule() {
    let whole = trained(&[10], |trainer| trainer.schedule(Cosine::new(70)));
    assert_eq!(bits(&trained(&[1; 10], |trainer| trainer.schedule(Cosine::new(70)))), bits(&whole));
}

#[test]
fn epochs_in_parts_are_epochs_when_gradients_accumulate() {
    let whole = trained(&[10], |trainer| trainer.accumulate(7));
    assert_eq!(bits(&trained(&[1; 10], |trainer| trainer.accumulate(7))), bits(&whole));
}

// Fusion.

macro_rules! composed {
    ($($test:ident: $whole:ident, $first:ident, $rest:ident,
        $x:tt -> $mid:tt -> $y:tt, { $($one:tt)* } then { $($two:tt)* };)*) => {$(
        network! { struct $first: $x -> $mid { $($one)* } }
        network! { struct $rest: $mid -> $y { $($two)* } }
        network! { struct $whole: $x -> $y { $($one)* -> $($two)* } }

        #[test]
        fn $test() {
            whole_is_its_parts::<$whole, $first, $rest>([$x.iter().product(), $mid.iter().product(), $y.iter().product()]);
        }
    )*};
}

composed! {
    a_pool_behind_a_convolution: PoolWhole, PoolFirst, PoolRest,
        [2, 7, 8] -> [4, 5, 6] -> [4, 2, 3], { Conv2d(4, 3) } then { MaxPool2d(2) };
    a_floor_and_a_pool_behind_a_convolution: FloorWhole, FloorFirst, FloorRest,
        [2, 7, 8] -> [4, 5, 6] -> [4, 2, 3], { Conv2d(4, 3) } then { Relu -> MaxPool2d(2) };
    two_pools_behind_a_convolution: TwoWhole, TwoFirst, TwoRest,
        [2, 10, 10] -> [4, 8, 8] -> [4, 2, 2], { Conv2d(4, 3) } then { MaxPool2d(2) -> MaxPool2d(2) };
    two_sparse_pools_behind_a_convolution: SparseWhole, SparseFirst, SparseRest,
        [3, 1, 5] -> [3, 1, 5] -> [3, 1, 2], { Conv2d(3, 1) } then { MaxPool2d(1, stride = 2) -> MaxPool2d(1, stride = 2) };
    a_pool_and_a_floor_behind_a_convolution: PoolFloorWhole, PoolFloorFirst, PoolFloorRest,
        [2, 6, 6] -> [4, 4, 4] -> [4, 2, 2], { Conv2d(4, 3) } then { MaxPool2d(2) -> Relu };
    floors_and_pools_behind_a_convolution: FloorsPoolsWhole, FloorsPoolsFirst, FloorsPoolsRest,
        [2, 10, 10] -> [4, 8, 8] -> [4, 2, 2], { Conv2d(4, 3) } then { Relu -> MaxPool2d(2) -> Relu -> MaxPool2d(2) };
    a_pool_a_floor_and_a_pool_behind_a_convolution: PoolFloorPoolWhole, PoolFloorPoolFirst, PoolFloorPoolRest,
        [2, 10, 10] -> [4, 8, 8] -> [4, 2, 2], { Conv2d(4, 3) } then { MaxPool2d(2) -> Relu -> MaxPool2d(2) };
    a_mean_behind_a_convolution: MeanWhole, MeanFirst, MeanRest,
        [2, 6, 6] -> [4, 4, 4] -> [4, 2, 2], { Conv2d(4, 3) } then { Relu -> AvgPool2d(2) };
    activations_behind_a_dense_layer: DenseWhole, DenseFirst, DenseRest,
        [9] -> [7] -> [7], { Dense(7) } then { Relu -> Tanh -> Sigmoid };
    norms_behind_a_dense_layer: NormWhole, NormFirst, NormRest,
        [9] -> [7] -> [7], { Dense(7) } then { LayerNorm -> Relu -> RmsNorm };
}

/// What is computed on the way changes no bit: a network gives what its parts give one after the other.
fn whole_is_its_parts<Whole: Network, First: Network, Rest: Network>([x, mid, y]: [usize; 3]) {
    let mut whole = Model::<Whole>::init(8);
    let (mut first, mut rest) = (Model::<First>::init(0), Model::<Rest>::init(0));
    for tensor in whole.tensors() {
        let values = numbers(4, tensor.shape.as_slice().iter().product(), 0.7);
        whole.set(&tensor.name, &values).unwrap();
        first.set(&tensor.name, &values).or_else(|_| rest.set(&tensor.name, &values)).unwrap();
    }
    for batch in [1, 2, 17] {
        let input = numbers(9, batch * x, 1.0);
        for isa in Isa::available() {
            let found = predict(&whole, isa, batch, &[&input], &[y]);
            let between = predict(&first, isa, batch, &[&input], &[mid]);
            let truth = predict(&rest, isa, batch, &[&between[0]], &[y]);
            assert_eq!(bits(&found[0]), bits(&truth[0]), "{}, batch {batch}", isa.name());
        }
        let dy = numbers(3, batch * y, 1.0);
        let found = whole.gradients(&[&input], &[&dy]).unwrap();
        let between = predict(&first, Isa::detect(), batch, &[&input], &[mid]);
        let back = rest.gradients(&[&between[0]], &[&dy]).unwrap();
        let truth = first.gradients(&[&input], &[&back.inputs[0]]).unwrap();
        let off = distance(&found.inputs[0], &wide(&truth.inputs[0]));
        assert!(off < 1e-6, "dx, batch {batch}: {off:.1e} off");
        for ((name, found), (_, truth)) in found.params.iter().zip(truth.params.iter().chain(&back.params)) {
            let off = distance(found, &wide(truth));
            assert!(off < 1e-6, "gradient of `{name}`, batch {batch}: {off:.1e} off");
        }
    }
}
