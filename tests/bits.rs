//! Training gives the bits that it gave: parameters, gradients, losses, predictions of networks trained from
//! given numbers, in a given order, on every instruction set of the machine. In: `bits.json`, a hash for each
//! set, network and tensor; out: nothing, or what has other bits.
//! `BLESS=1 cargo test -p nn-tests --test bits` pins anew what this machine has, and leaves other sets as
//! they are. Never a number that the crate under test has drawn.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::{env, fs};

use nn_runtime::prelude::*;
use nn_runtime::train::Objective;
use nn_runtime::{Isa, Role, Tensor, data::Targets};

network! {
    /// One layer in several chunks of parameters.
    struct Mlp: [61] -> [7] { Dense(201) -> Relu -> Dense(203) -> Relu -> Dense(7) -> Softmax }
}
network! {
    /// So much for each sample that a batch goes through in micro-batches, with partial sums of gradients.
    struct Cnn: [2, 27, 25] -> [6] {
        Conv2d(9, 3) -> Relu -> MaxPool2d(2) -> Conv2d(13, 3) -> Tanh -> Flatten -> Dense(6) -> Softmax
    }
}
network! {
    struct Statistics: [3, 15, 13] -> [5] {
        Conv2d(10, 3, stride = 2, padding = Same, bias = false) -> BatchNorm -> Relu;
        Conv2d(17, 3, stride = 2, bias = false) -> BatchNorm -> Relu -> GlobalAvgPool -> Dense(5)
    }
}
network! {
    struct Sequence: [11, 5] -> [3] { Lstm(13) -> Gru(9, direction = Both) -> Gru(19, last = true) -> Dense(3) }
}
network! {
    struct Encoder: [21, 12] -> [6] {
        let x = input;
        let a = x -> LayerNorm -> MultiHeadAttention(3);
        let h = (x, a) -> Sum;
        let f = h -> LayerNorm -> DensePerStep(29) -> Gelu -> DensePerStep(12);
        (h, f) -> Sum -> GlobalAvgPool -> Dense(6)
    }
}

activation! { bend(x; learn alpha = 0.25) = if x > 0.0 { x } else { alpha * expm1(x) } }
activation! { swish(x; beta = 1.0) = x * sigmoid(beta * x) }
loss! { log_cosh(y, t; delta = 1.5) where delta > 0.0 = delta * ln(cosh((y - t) / delta)) }

network! {
    struct Residual: [19] -> [19] {
        let x = input;
        let y = x -> Dense(23) -> Bend -> Dense(19);
        (x, y) -> Sum -> Swish(beta = 1.5)
    }
}
network! {
    struct Nested: [13] -> [3] { Dense(19) -> first: Residual -> Residual * 3 -> Dense(3) }
}
network! {
    /// Nested too, with parameters used twice and some that are never changed.
    struct Shared: [13] -> [3] {
        Dense(19) -> first: Residual -> Residual * 2 -> share(first);
        one: Dense(19) -> Tanh -> share(one) -> frozen Dense(11) -> Bend -> Dense(3)
    }
}

/// Spreads every bit over all others: the last steps of SplitMix64.
fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// FNV-1a.
fn hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

fn hash_of(numbers: &[f32]) -> String {
    format!("{:016x}", hash(numbers.iter().flat_map(|x| x.to_bits().to_le_bytes())))
}

/// Integers that follow from what they are for.
fn integers(what: &str, len: usize) -> impl Iterator<Item = u64> {
    let seed = hash(what.bytes());
    (1..=len as u64).map(move |i| mix(seed.wrapping_add(i.wrapping_mul(0x9e37_79b9_7f4a_7c15))))
}

/// Numbers from -1 up to 1, 24 bits each, so that none is rounded.
fn numbers(what: &str, len: usize) -> Vec<f32> {
    integers(what, len).map(|x| (x >> 40) as f32 / (1u32 << 23) as f32 - 1.0).collect()
}

fn classes(name: &str, [samples, width, classes]: [usize; 3]) -> Dataset<Labels> {
    let labels: Vec<_> = integers(&format!("{name} label"), samples).map(|x| (x % classes as u64) as u32).collect();
    Dataset::classes((numbers(&format!("{name} input"), samples * width), width), labels).unwrap()
}

fn values(name: &str, [samples, width, outputs]: [usize; 3]) -> Dataset<Values> {
    let targets = numbers(&format!("{name} target"), samples * outputs);
    Dataset::values((numbers(&format!("{name} input"), samples * width), width), (targets, outputs)).unwrap()
}

/// What a parameter begins as: factors and variances about 1, all else about 0, weights so that outputs are
/// as large as inputs.
fn start(tensor: &Tensor) -> Vec<f32> {
    let factor = tensor.name.ends_with("weight") || tensor.name.ends_with("var");
    let (middle, size) = match *tensor.shape.as_slice() {
        [_] => (if factor { 1.0 } else { 0.0 }, 0.25),
        [outputs, ..] => (0.0, (3.0 * outputs as f32 / tensor.count() as f32).sqrt()),
        [] => unreachable!("a parameter has an axis"),
    };
    numbers(&tensor.name, tensor.count()).into_iter().map(|x| middle + size * x).collect()
}

/// Leaves gradients where parameters were: a bit of a gradient can be too small to show in a parameter.
struct Bare;

impl Optimizer for Bare {
    fn slots(&self) -> usize {
        0
    }
    fn update(&self, _: Isa, _: u64, params: &mut [f32], grads: &[f32], _: &mut [&mut [f32]]) {
        params.copy_from_slice(grads);
    }
    fn learning_rate(&self) -> f64 {
        1.0
    }
    fn set_learning_rate(&mut self, _: f64) {}
}

/// Hashes, by what they are of.
type Bits = BTreeMap<String, String>;

/// How a network is trained and asked: samples of a batch, epochs, numbers of a prediction.
#[derive(Clone, Copy)]
struct Plan {
    batch: usize,
    epochs: usize,
    outputs: usize,
}

fn trained<N: Network, L, O, T: Targets>(
    data: &Dataset<T>,
    plan: Plan,
    isa: Isa,
    trainer: impl Fn(&mut Model<N>) -> Trainer<'_, N, L, O>,
    bare: impl Fn(&mut Model<N>) -> Trainer<'_, N, L, Bare>,
) -> Bits
where
    L: Fits<N::Head> + Objective<T>,
    O: Optimizer,
{
    assert!(!data.len().is_multiple_of(plan.batch), "the last batch is a short one");
    let mut model = N::init(0);
    for tensor in model.tensors() {
        model.set(&tensor.name, &start(&tensor)).unwrap();
    }
    let mut training = trainer(&mut model);
    let history = training.fit(data, Fit::epochs(plan.epochs).batch(plan.batch).shuffle(false)).unwrap();
    let mut losses: Vec<f64> = history.epochs.iter().map(|epoch| epoch.train.loss).collect();
    losses.push(training.evaluate(data).unwrap().loss);
    drop(training);

    let mut bits = Bits::new();
    let losses = hash(losses.iter().flat_map(|loss| loss.to_bits().to_le_bytes()));
    bits.insert("losses".to_owned(), format!("{losses:016x}"));
    for tensor in model.tensors() {
        let end = model.get(&tensor.name).unwrap();
        assert!(tensor.frozen == (end == start(&tensor)), "{}: what learns has changed, nothing else", tensor.name);
        bits.insert(tensor.name, hash_of(&end));
    }
    let mut gradients = model.clone();
    let first: Vec<usize> = (0..plan.batch).collect();
    bare(&mut gradients).fit(&data.select(&first), Fit::epochs(1).batch(plan.batch).shuffle(false)).unwrap();
    for tensor in model.tensors().iter().filter(|tensor| tensor.role == Role::Trainable && !tensor.frozen) {
        bits.insert(format!("gradient of {}", tensor.name), hash_of(&gradients.get(&tensor.name).unwrap()));
    }
    // Two batches of 7 and a shorter one.
    let (asked, all) = (17, data.inputs()[0].as_slice());
    for batch in [1, 7] {
        let mut y = vec![0.0; asked * plan.outputs];
        let x = &all[..asked * data.inputs()[0].width()];
        model.predictor_on(batch, isa).predict_into(&[x], &mut [&mut y]).unwrap();
        bits.insert(format!("predictions by {batch}"), hash_of(&y));
    }
    bits
}

/// Compares with what is pinned, or pins it.
fn compare(network: &str, found: &BTreeMap<String, Bits>) {
    static FILE: Mutex<()> = Mutex::new(());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("bits.json");
    let turn = FILE.lock().unwrap_or_else(PoisonError::into_inner);
    let text = fs::read_to_string(&path).unwrap_or_else(|_| "{}".to_owned());
    let mut pinned: BTreeMap<String, BTreeMap<String, Bits>> =
        serde_json::from_str(&text).expect("bits.json holds hashes");
    if env::var_os("BLESS").is_some() {
        for (isa, bits) in found {
            pinned.entry(isa.clone()).or_default().insert(network.to_owned(), bits.clone());
        }
        fs::write(&path, serde_json::to_string_pretty(&pinned).unwrap() + "\n").expect("bits.json can be written");
    }
    drop(turn);

    let mut faults = Vec::new();
    for (isa, found) in found {
        let Some(pinned) = pinned.get(isa).and_then(|networks| networks.get(network)) else {
            faults.push(format!("{isa}: nothing is pinned"));
            continue;
        };
        for what in found.keys().chain(pinned.keys()).collect::<BTreeSet<_>>() {
            let [old, new] = [pinned, found].map(|bits| bits.get(what).map_or("nothing", |hash| hash));
            if old != new {
                faults.push(format!("{isa}: `{what}`: expected {old}, found {new}"));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "`{network}` has other bits than tests/bits.json:\n{}\nhelp: where they may change, `BLESS=1 cargo test -p nn-tests --test bits` \
         pins those of this machine's instruction sets",
        faults.join("\n")
    );
}

/// Trains on every instruction set, with one thread and with two.
macro_rules! pinned {
    ($net:ident, $data:expr, $plan:expr, $loss:expr, $optimizer:expr $(, $setting:ident($($value:expr),+))*) => {
        let (name, data, plan) = (stringify!($net), $data, $plan);
        let mut found = BTreeMap::new();
        for isa in Isa::available() {
            let [one, two] = [1, 2].map(|threads| {
                trained::<$net, _, _, _>(
                    &data,
                    plan,
                    isa,
                    |model| Trainer::new_on(model, $loss, $optimizer, isa)$(.$setting($($value),+))*.threads(threads),
                    |model| Trainer::new_on(model, $loss, Bare, isa)$(.$setting($($value),+))*.threads(threads),
                )
            });
            assert!(one == two, "{name} on {}: two threads give {two:?}, and one {one:?}", isa.name());
            found.insert(isa.name().to_owned(), one);
        }
        compare(name, &found);
    };
}

#[test]
fn dense_layers() {
    let plan = Plan { batch: 32, epochs: 2, outputs: 7 };
    pinned!(Mlp, classes("mlp", [171, 61, 7]), plan, CrossEntropy::new(), Adam::new(2e-3));
}

#[test]
fn convolutions() {
    let plan = Plan { batch: 96, epochs: 4, outputs: 6 };
    pinned!(Cnn, classes("cnn", [230, 2 * 27 * 25, 6]), plan, CrossEntropy::new(), Adam::new(1e-3));
}

#[test]
fn batch_statistics() {
    let plan = Plan { batch: 24, epochs: 2, outputs: 5 };
    let sgd = Sgd::new(0.05).momentum(0.9);
    pinned!(Statistics, classes("statistics", [131, 3 * 15 * 13, 5]), plan, CrossEntropy::new(), sgd);
}

#[test]
fn sequences() {
    let plan = Plan { batch: 20, epochs: 2, outputs: 3 };
    pinned!(Sequence, values("sequence", [109, 11 * 5, 3]), plan, Mse::new(), RmsProp::new(2e-3));
}

#[test]
fn attention() {
    let plan = Plan { batch: 40, epochs: 4, outputs: 6 };
    let data = classes("encoder", [113, 21 * 12, 6]);
    pinned!(Encoder, data, plan, CrossEntropy::new(), AdamW::new(2e-3), clip(Clip::GlobalNorm(0.5)));
}

#[test]
fn networks_within() {
    // Seven batches an epoch, of which the last makes a step of its own.
    let plan = Plan { batch: 30, epochs: 3, outputs: 3 };
    pinned!(Nested, values("nested", [200, 13, 3]), plan, LogCosh::new(), Lion::new(1e-3), accumulate(2));
}

#[test]
fn shared_parameters() {
    let plan = Plan { batch: 30, epochs: 2, outputs: 3 };
    let data = values("shared", [170, 13, 3]);
    pinned!(Shared, data, plan, LogCosh::new().delta(0.5), Nadam::new(2e-3), regularize("one", Regularizer::L2(1e-3)));
}
