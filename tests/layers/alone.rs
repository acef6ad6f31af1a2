//! Each layer alone, trained: a network of that layer and nothing else, at sizes where its weights are used
//! 16 times and more. In: a network, its sizes; out: nothing, or a panic where a step fails or takes another
//! gradient than `Model::gradients` gives.

use nn_runtime::Gradients;
use nn_runtime::data::{Samples, Values};
use nn_runtime::prelude::*;
use nn_tests::numbers::numbers;

/// A batch of one sample, one that fills no block of samples, and several blocks.
const BATCHES: &[usize] = if cfg!(miri) { &[2] } else { &[1, 17, 64] };

/// What an input holds.
#[derive(Clone, Copy)]
pub(super) enum Drawn {
    Numbers(usize),
    /// Whole numbers below the second.
    Ids(usize, usize),
    /// 1 for the first steps, then 0.
    Mask(usize),
}
pub(super) use Drawn::{Ids, Mask, Numbers};

impl Drawn {
    pub(super) fn draw(self, seed: u64, batch: usize) -> (Vec<f32>, usize) {
        match self {
            Numbers(len) => (numbers(seed, batch * len, 1.0), len),
            Ids(len, count) => ((0..batch * len).map(|i| (i * 7 % count) as f32).collect(), len),
            Mask(len) => {
                let some = |sample: usize| len - sample % (len / 2 + 1);
                ((0..batch * len).map(|i| f32::from(u8::from(i % len < some(i / len)))).collect(), len)
            }
        }
    }
}

/// One step of a network of one output; with the same function while training as when predicting
/// (`Noise::None`), its change is the gradient.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Noise {
    None,
    /// Dropout, or statistics of the batch.
    Some,
}

fn trains<N: Network>(inputs: &[Drawn], output: usize, noise: Noise)
where
    Mse: Fits<N::Head>,
{
    let name = std::any::type_name::<N>();
    for &batch in BATCHES {
        let x: Vec<(Vec<f32>, usize)> = inputs.iter().zip(3..).map(|(input, seed)| input.draw(seed, batch)).collect();
        let t = numbers(99, batch * output, 1.0);
        let mut data = Dataset::values((&x[0].0[..], x[0].1), (&t[..], output)).unwrap();
        for (x, len) in &x[1..] {
            data = data.with_input((&x[..], *len)).unwrap();
        }
        let mut model = N::init(1);
        let before: Vec<(String, Vec<f32>)> = all(&model);
        let slices: Vec<&[f32]> = x.iter().map(|(x, _)| &x[..]).collect();
        let mut y = vec![0.0; batch * output];
        model.predictor(batch).predict_into(&slices, &mut [&mut y]).unwrap();
        let scale = 2.0 / (batch * output) as f32;
        let dy: Vec<f32> = y.iter().zip(&t).map(|(y, t)| scale * (y - t)).collect();
        let Gradients { params, .. } = model.gradients(&slices, &[&dy]).unwrap();
        if let Some(how) = std::env::var_os("NN_STEP_TIMES").filter(|_| batch == BATCHES[BATCHES.len() - 1]) {
            print_time(&model, &slices, &dy, &data, how == "count");
        }
        let step = Trainer::new(&mut model, Mse::new(), Sgd::new(1.0)).step(&data);
        if params.is_empty() {
            let refused = step.unwrap_err().to_string();
            assert!(refused.starts_with("expected a network with parameters to train"), "{name}: {refused}");
            continue;
        }
        let loss = step.unwrap();
        assert!(loss.is_finite(), "{name}, batch {batch}: loss {loss}");
        if noise == Noise::Some {
            continue;
        }
        for (name_of, gradient) in params {
            let (_, old) = before.iter().find(|(name, _)| *name == name_of).unwrap();
            let new = model.get(&name_of).unwrap();
            let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
            let off = norm(&mut (0..old.len()).map(|i| f64::from(old[i] - new[i] - gradient[i])));
            // The parameters themselves are rounded.
            let size =
                norm(&mut gradient.iter().map(|g| f64::from(*g))) + 1e-2 * norm(&mut old.iter().map(|p| f64::from(*p)));
            assert!(off <= 1e-4 * size, "{name}, batch {batch}: `{name_of}` is {off:.1e} of {size:.1e} off");
        }
    }
}

/// What `benches/debug.sh` compares: a step, or gradients where nothing is learnt, best of some, in
/// nanoseconds; or four of them for valgrind, which counts instructions.
fn print_time<N: Network>(model: &Model<N>, x: &[&[f32]], dy: &[f32], data: &Dataset<Values>, count: bool)
where
    Mse: Fits<N::Head>,
{
    let mut learning = model.clone();
    let mut trainer = Trainer::new(&mut learning, Mse::new(), Adam::new(1e-3)).threads(1);
    let learns = trainer.step(data).is_ok();
    let mut once = || match learns {
        true => drop(trainer.step(data).unwrap()),
        false => drop(model.gradients(x, &[dy]).unwrap()),
    };
    if count {
        once();
        counted(&mut once);
        return println!("step of {}: counted", std::any::type_name::<N>());
    }
    let times = (0..200).map(|_| {
        let begun = std::time::Instant::now();
        once();
        begun.elapsed().as_nanos()
    });
    println!("step of {}: {}", std::any::type_name::<N>(), times.min().unwrap());
}

/// Valgrind finds it by its name.
#[inline(never)]
fn counted(once: &mut dyn FnMut()) {
    (0..4).for_each(|_| once());
}

fn all<N: Network>(model: &Model<N>) -> Vec<(String, Vec<f32>)> {
    model.tensors().into_iter().map(|tensor| (tensor.name.clone(), model.get(&tensor.name).unwrap())).collect()
}

/// `name: [sizes] -> size { declaration }`
macro_rules! alone {
    ($($name:ident $noise:ident [$($input:expr),+] -> $output:expr; ($($declaration:tt)+) { $($layers:tt)+ })+) => {$(
        #[test]
        fn $name() {
            network! { struct Alone: $($declaration)+ { $($layers)+ } }
            let inputs = [$($input),+];
            trains::<Alone>(&inputs, $output, Noise::$noise);
            super::without_weight::check::<Alone>(&inputs, $output);
            if Noise::$noise == Noise::None {
                super::equal_samples::check::<Alone>(&inputs, $output);
            }
        }
    )+};
}

alone! {
    dense None [Numbers(40)] -> 24; ([40] -> [24]) { Dense(24) }
    dense_per_step None [Numbers(64 * 8)] -> 64 * 8; ([64, 8] -> [64, 8]) { DensePerStep(8) }
    embedding None [Ids(40, 10)] -> 40 * 3; ([40] -> [40, 3]) { Embedding(10, 3) }
    positions None [Numbers(24 * 4)] -> 24 * 4; ([24, 4] -> [24, 4]) { PositionalEncoding }
    learnt_positions None [Numbers(24 * 4)] -> 24 * 4; ([24, 4] -> [24, 4]) { PositionalEncoding(learnt = true) }
    attention None [Numbers(24 * 8)] -> 24 * 8; ([24, 8] -> [24, 8]) { MultiHeadAttention(2) }
    attention_causal None [Numbers(24 * 8)] -> 24 * 8; ([24, 8] -> [24, 8]) { MultiHeadAttention(2, causal = true) }
    attention_masked None [Numbers(24 * 8), Mask(24)] -> 24 * 8; ((x: [24, 8], mask: [24]) -> [24, 8]) { (x, mask) -> MultiHeadAttention(2) }
    last_step None [Numbers(20 * 3)] -> 3; ([20, 3] -> [3]) { LastStep }
    last_step_masked None [Numbers(20 * 3), Mask(20)] -> 3; ((x: [20, 3], mask: [20]) -> [3]) { (x, mask) -> LastStep }
    rnn None [Numbers(20 * 3)] -> 20 * 5; ([20, 3] -> [20, 5]) { Rnn(5) }
    rnn_relu None [Numbers(20 * 3)] -> 20 * 5; ([20, 3] -> [20, 5]) { Rnn(5, relu = true) }
    gru None [Numbers(20 * 3)] -> 20 * 5; ([20, 3] -> [20, 5]) { Gru(5) }
    lstm None [Numbers(20 * 3)] -> 20 * 5; ([20, 3] -> [20, 5]) { Lstm(5) }
    lstm_masked None [Numbers(20 * 3), Mask(20)] -> 20 * 5; ((x: [20, 3], mask: [20]) -> [20, 5]) { (x, mask) -> Lstm(5) }
    lstm_both None [Numbers(20 * 3)] -> 20 * 10; ([20, 3] -> [20, 10]) { Lstm(5, direction = Both) }
    conv2d None [Numbers(28 * 28)] -> 28 * 28; ([1, 28, 28] -> [1, 28, 28]) { Conv2d(1, 5, padding = Same) }
    conv2d_wide None [Numbers(3 * 16 * 16)] -> 8 * 7 * 7; ([3, 16, 16] -> [8, 7, 7]) { Conv2d(8, 3, stride = 2) }
    conv2d_groups None [Numbers(4 * 12 * 12)] -> 8 * 10 * 10; ([4, 12, 12] -> [8, 10, 10]) { Conv2d(8, 3, groups = 2) }
    conv1d None [Numbers(256 * 2)] -> 256 * 2; ([256, 2] -> [256, 2]) { Conv1d(2, 32, padding = Causal) }
    depthwise None [Numbers(3 * 14 * 14)] -> 3 * 12 * 12; ([3, 14, 14] -> [3, 12, 12]) { DepthwiseConv2d(3) }
    separable None [Numbers(3 * 14 * 14)] -> 6 * 12 * 12; ([3, 14, 14] -> [6, 12, 12]) { SeparableConv2d(6, 3) }
    transposed None [Numbers(2 * 10 * 10)] -> 3 * 12 * 12; ([2, 10, 10] -> [3, 12, 12]) { ConvTranspose2d(3, 3) }
    transposed1d None [Numbers(40 * 3)] -> 80 * 2; ([40, 3] -> [80, 2]) { ConvTranspose1d(2, 4, stride = 2, padding = Same) }
    max_pool2d None [Numbers(2 * 12 * 12)] -> 2 * 6 * 6; ([2, 12, 12] -> [2, 6, 6]) { MaxPool2d(2) }
    max_pool1d None [Numbers(12 * 3)] -> 6 * 3; ([12, 3] -> [6, 3]) { MaxPool1d(2) }
    avg_pool2d None [Numbers(2 * 12 * 12)] -> 2 * 6 * 6; ([2, 12, 12] -> [2, 6, 6]) { AvgPool2d(2) }
    avg_pool1d None [Numbers(12 * 3)] -> 6 * 3; ([12, 3] -> [6, 3]) { AvgPool1d(2) }
    max_pool2d_gaps None [Numbers(2 * 12 * 12)] -> 2 * 5 * 5; ([2, 12, 12] -> [2, 5, 5]) { MaxPool2d(2, dilation = 3) }
    lp_pool2d None [Numbers(2 * 12 * 12)] -> 2 * 6 * 6; ([2, 12, 12] -> [2, 6, 6]) { LpPool2d(2.0, 2) }
    lp_pool1d None [Numbers(12 * 3)] -> 6 * 3; ([12, 3] -> [6, 3]) { LpPool1d(3.0, 2) }
    avg_pool2d_beyond None [Numbers(2 * 12 * 12)] -> 2 * 5 * 5; ([2, 12, 12] -> [2, 5, 5]) { AvgPool2d(5, stride = 2, ceil_mode = true) }
    adaptive_avg_pool2d None [Numbers(2 * 12 * 12)] -> 2 * 5 * 5; ([2, 12, 12] -> [2, 5, 5]) { AdaptiveAvgPool2d(5) }
    adaptive_max_pool2d None [Numbers(2 * 12 * 12)] -> 2 * 5 * 5; ([2, 12, 12] -> [2, 5, 5]) { AdaptiveMaxPool2d(5) }
    adaptive_avg_pool1d None [Numbers(12 * 3)] -> 5 * 3; ([12, 3] -> [5, 3]) { AdaptiveAvgPool1d(5) }
    adaptive_max_pool1d None [Numbers(12 * 3)] -> 5 * 3; ([12, 3] -> [5, 3]) { AdaptiveMaxPool1d(5) }
    global_avg_pool None [Numbers(3 * 6 * 6)] -> 3; ([3, 6, 6] -> [3]) { GlobalAvgPool }
    global_max_pool None [Numbers(3 * 6 * 6)] -> 3; ([3, 6, 6] -> [3]) { GlobalMaxPool }
    global_avg_pool_masked None [Numbers(20 * 3), Mask(20)] -> 3; ((x: [20, 3], mask: [20]) -> [3]) { (x, mask) -> GlobalAvgPool }
    zero_pad None [Numbers(2 * 4 * 4)] -> 2 * 6 * 6; ([2, 4, 4] -> [2, 6, 6]) { ZeroPad2d(1) }
    reflection_pad None [Numbers(2 * 4 * 4)] -> 2 * 6 * 6; ([2, 4, 4] -> [2, 6, 6]) { ReflectionPad2d(1) }
    replication_pad None [Numbers(2 * 4 * 4)] -> 2 * 8 * 8; ([2, 4, 4] -> [2, 8, 8]) { ReplicationPad2d(2) }
    circular_pad None [Numbers(2 * 4 * 4)] -> 2 * 6 * 6; ([2, 4, 4] -> [2, 6, 6]) { CircularPad2d(1) }
    zero_pad1d None [Numbers(6 * 3)] -> 8 * 3; ([6, 3] -> [8, 3]) { ZeroPad1d(1) }
    reflection_pad1d None [Numbers(6 * 3)] -> 8 * 3; ([6, 3] -> [8, 3]) { ReflectionPad1d(1) }
    replication_pad1d None [Numbers(6 * 3)] -> 8 * 3; ([6, 3] -> [8, 3]) { ReplicationPad1d(1) }
    circular_pad1d None [Numbers(6 * 3)] -> 8 * 3; ([6, 3] -> [8, 3]) { CircularPad1d(1) }
    crop None [Numbers(2 * 6 * 6)] -> 2 * 4 * 4; ([2, 6, 6] -> [2, 4, 4]) { Crop2d(1) }
    upsample None [Numbers(2 * 4 * 4)] -> 2 * 8 * 8; ([2, 4, 4] -> [2, 8, 8]) { Upsample(2) }
    resize None [Numbers(2 * 4 * 4)] -> 2 * 7 * 5; ([2, 4, 4] -> [2, 7, 5]) { Resize(1, size_hw = [7, 5], mode = Bilinear) }
    flatten None [Numbers(24)] -> 24; ([2, 3, 4] -> [24]) { Flatten }
    reshape None [Numbers(24)] -> 24; ([2, 3, 4] -> [6, 4]) { Reshape([6, 4]) }
    permute None [Numbers(24)] -> 24; ([2, 3, 4] -> [4, 2, 3]) { Permute([2, 0, 1]) }
    dropout Some [Numbers(40)] -> 40; ([40] -> [40]) { Dropout(0.5) }
    dropout2d Some [Numbers(4 * 5 * 5)] -> 4 * 5 * 5; ([4, 5, 5] -> [4, 5, 5]) { Dropout2d(0.5) }
    relu None [Numbers(40)] -> 40; ([40] -> [40]) { Relu }
    leaky_relu None [Numbers(40)] -> 40; ([40] -> [40]) { LeakyRelu }
    elu None [Numbers(40)] -> 40; ([40] -> [40]) { Elu }
    selu None [Numbers(40)] -> 40; ([40] -> [40]) { Selu }
    softplus None [Numbers(40)] -> 40; ([40] -> [40]) { Softplus }
    gelu None [Numbers(40)] -> 40; ([40] -> [40]) { Gelu }
    silu None [Numbers(40)] -> 40; ([40] -> [40]) { Silu }
    hard_swish None [Numbers(40)] -> 40; ([40] -> [40]) { HardSwish }
    mish None [Numbers(40)] -> 40; ([40] -> [40]) { Mish }
    sigmoid None [Numbers(40)] -> 40; ([40] -> [40]) { Sigmoid }
    hard_sigmoid None [Numbers(40)] -> 40; ([40] -> [40]) { HardSigmoid }
    tanh None [Numbers(40)] -> 40; ([40] -> [40]) { Tanh }
    prelu None [Numbers(3 * 6 * 6)] -> 3 * 6 * 6; ([3, 6, 6] -> [3, 6, 6]) { Prelu }
    glu None [Numbers(40)] -> 20; ([40] -> [20]) { Glu }
    softmax None [Numbers(10)] -> 10; ([10] -> [10]) { Softmax }
    log_softmax None [Numbers(10)] -> 10; ([10] -> [10]) { LogSoftmax }
    batch_norm Some [Numbers(3 * 6 * 6)] -> 3 * 6 * 6; ([3, 6, 6] -> [3, 6, 6]) { BatchNorm }
    layer_norm None [Numbers(40 * 3)] -> 40 * 3; ([40, 3] -> [40, 3]) { LayerNorm }
    rms_norm None [Numbers(40 * 3)] -> 40 * 3; ([40, 3] -> [40, 3]) { RmsNorm }
    group_norm None [Numbers(4 * 6 * 6)] -> 4 * 6 * 6; ([4, 6, 6] -> [4, 6, 6]) { GroupNorm(2) }
    instance_norm None [Numbers(4 * 6 * 6)] -> 4 * 6 * 6; ([4, 6, 6] -> [4, 6, 6]) { InstanceNorm }
    local_response_norm None [Numbers(4 * 6 * 6)] -> 4 * 6 * 6; ([4, 6, 6] -> [4, 6, 6]) { LocalResponseNorm(3) }
    normalization None [Numbers(40)] -> 40; ([40] -> [40]) { Normalization }
    sum None [Numbers(40), Numbers(40)] -> 40; ((a: [40], b: [40]) -> [40]) { (a, b) -> Sum }
    product None [Numbers(40), Numbers(40)] -> 40; ((a: [40], b: [40]) -> [40]) { (a, b) -> Product }
    concat None [Numbers(40), Numbers(20)] -> 60; ((a: [40], b: [20]) -> [60]) { (a, b) -> Concat }
}

/// Alone it has nothing to learn, and two outputs.
#[test]
fn split() {
    network! { struct Alone: [40] -> (a: [20], b: [20]) { let (a, b) = input -> Dense(40) -> Split(2); } }
    for &batch in BATCHES {
        let (x, t) = (numbers(1, batch * 40, 1.0), numbers(2, batch * 20, 1.0));
        let values = || Samples::into_values((&t[..], 20)).unwrap();
        let targets = (values(), values());
        let data = Dataset::new((&x[..], 40), targets).unwrap();
        let mut model = Alone::init(0);
        let loss = Trainer::new(&mut model, (Mse::new(), Mse::new()), Sgd::new(0.1)).step(&data).unwrap();
        assert!(loss.is_finite());
    }
}

/// Every layer of the README's table stands here.
#[test]
#[cfg_attr(miri, ignore = "it reads files")]
fn no_layer_is_forgotten() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let readme = std::fs::read_to_string(format!("{root}/README.md")).unwrap();
    let here = include_str!("alone.rs");
    let table = readme.split("| layer | shapes |").nth(1).unwrap().split("\n\n").next().unwrap();
    let mut layers = 0;
    for row in table.lines().filter(|row| row.starts_with("| `")) {
        for call in row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2) {
            let name = call.split('(').next().unwrap();
            let stands = |after: &str| {
                here.contains(&format!("{{ {name}{after}")) || here.contains(&format!("-> {name}{after}"))
            };
            assert!(stands(" }") || stands("("), "`{name}` is not trained alone: add a line for it");
            layers += 1;
        }
    }
    assert!(layers > 50, "the table is found");
}
