//! Files that PyTorch wrote, in `reference/weights`: read by their names, they give the outputs that PyTorch
//! gives, and what is written here has the names and shapes that PyTorch reads. Some are read at run time,
//! some are a part of this program.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;

network! {
    #[weights("reference/weights/sequential.safetensors", Names::new().map("0", "first").map("1", "norm").map("3", "last"))]
    struct Tabular: [5] -> [3] { first: Dense(8) -> norm: BatchNorm -> Relu -> last: Dense(3) }
}
network! {
    #[weights("reference/weights/pixels.safetensors")]
    struct Pixels: [2, 6, 6] -> [3, 4, 4] {
        conv: Conv2d(4, 3, padding = Pad(1), bias = false) -> batch: BatchNorm -> Relu;
        depth: DepthwiseConv2d(3, multiplier = 2) -> group: GroupNorm(2) -> wide: Conv2d(4, 2, dilation = 2);
        up: ConvTranspose2d(3, 2, stride = 2) -> act: Prelu
    }
}
network! {
    #[weights("reference/weights/steps.safetensors")]
    struct Steps: [5, 4] -> [5, 2] { lstm: Lstm(4) * 2 -> gru: Gru(3, direction = Both) -> head: DensePerStep(2) }
}
network! {
    #[weights("reference/weights/words.safetensors")]
    struct Words: [6] -> [6, 3] {
        let x = words: Embedding(11, 8);
        let y = x -> norm: LayerNorm -> attention: MultiHeadAttention(2);
        (x, y) -> Sum -> head: DensePerStep(3)
    }
}

const ACTOR: Names = Names::new()
    .map_prefix("actor.", "")
    .map("0", "first")
    .map("2", "second")
    .map("4", "mean")
    .ignore("critic.*")
    .ignore("log_std");

network! {
    #[weights("reference/weights/policy.safetensors", ACTOR)]
    struct Actor: [5] -> [2] { first: Dense(8) -> Elu -> second: Dense(8) -> Elu -> mean: Dense(2) }
}

const SMALL: Names = Names::new().map("0", "first").map("2", "last");

network! {
    #[weights("reference/weights/half.safetensors", SMALL)]
    struct Small: [5] -> [3] { first: Dense(8) -> Tanh -> last: Dense(3) }
}
network! {
    #[weights("reference/weights/brain.safetensors", SMALL)]
    struct Brain: [5] -> [3] { first: Dense(8) -> Tanh -> last: Dense(3) }
}
network! {
    #[weights("reference/weights/double.safetensors", SMALL)]
    struct Double: [5] -> [3] { first: Dense(8) -> Tanh -> last: Dense(3) }
}
network! {
    #[weights("reference/weights/tied.safetensors")]
    struct Tied: [4] -> [4] { one: Dense(4) -> Tanh -> two: Dense(4) }
}

network! { struct Inner: [4] -> [4] { lin: Dense(4) -> norm: BatchNorm -> Tanh } }
network! { struct Mid: [4] -> [4] { inner: Inner -> mix: Dense(4, bias = false) } }
network! {
    #[weights("reference/weights/blocks.safetensors")]
    struct Blocks: [3] -> [2] { stem: Dense(4) -> twice: Inner -> share(twice) -> body: Mid * 2 -> out: Dense(2) }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/weights")
}

#[derive(serde::Deserialize)]
struct Answer {
    input: Vec<f32>,
    output: Vec<f64>,
}

/// The models of a file, read from it and embedded: the same, and PyTorch's answers.
fn answers<N: Network, const ROOM: usize>(name: &str, names: Names<'_, ROOM>, embedded: Model<N>) {
    let path = folder().join(format!("{name}.safetensors"));
    let model = Model::<N>::load_with(&path, names).unwrap();
    assert_eq!(all(&model), all(&embedded), "{name}");
    assert_eq!(all(&model), all(&Model::<N>::from_bytes_with(&fs::read(&path).unwrap(), names).unwrap()), "{name}");
    let answers = fs::read_to_string(folder().join("answers").with_extension("json")).unwrap();
    let answers: BTreeMap<String, Answer> = serde_json::from_str(&answers).unwrap();
    let Answer { input, output } = &answers[name];
    let mut found = vec![0.0; output.len()];
    model.predictor(4).predict_into(&[input], &mut [&mut found]).unwrap();
    let far = found.iter().zip(output).map(|(found, truth)| (f64::from(*found) - truth).powi(2)).sum::<f64>();
    let size = output.iter().map(|truth| truth.powi(2)).sum::<f64>();
    assert!(size > 0.1 && far.sqrt() <= 2e-6 * size.sqrt(), "{name}: {} of {}", far.sqrt(), size.sqrt());
}

#[test]
fn torch_files_give_torch_answers() {
    answers("sequential", Names::new().map("0", "first").map("1", "norm").map("3", "last"), Tabular::embedded());
    answers("pixels", Names::new(), Pixels::embedded());
    answers("steps", Names::new(), Steps::embedded());
    answers("words", Names::new(), Words::embedded());
    answers("policy", ACTOR, Actor::embedded());
    answers("half", SMALL, Small::embedded());
    answers("brain", SMALL, Brain::embedded());
    answers("double", SMALL, Double::embedded());
    answers("tied", Names::new(), Tied::embedded());
    answers("blocks", Names::new(), Blocks::embedded());
}

/// What is laid out at compile time is what is laid out at run time, padding included.
#[test]
fn weights_in_place_are_those_of_a_model() {
    macro_rules! same {
        ($($network:ident),*) => {$({
            let (copied, in_place) = ($network::embedded(), $network::embedded_ref());
            let bits = |params: &[f32]| params.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(in_place.to_model().as_params()), bits(copied.as_params()), stringify!($network));
        })*};
    }
    same!(Tabular, Pixels, Steps, Words, Actor, Small, Brain, Double, Tied, Blocks);
}

/// Networks within read their numbers where the program has them, in memory of the caller's.
#[test]
fn networks_within_predict_in_place() {
    let x = [0.5, -1.0, 2.0];
    let mut memory = [0.0; Blocks::predict_len(1)];
    let mut in_place = nn_runtime::Predictor::new_in(Blocks::embedded_ref(), 1, &mut memory).unwrap();
    let y = *in_place.predict(&x);
    assert_eq!(y, *Blocks::embedded().predictor(1).predict(&x));
    assert_ne!(y, *Blocks::init(0).predictor(1).predict(&x));
}

/// A `state_dict` of the same module takes what is written here: its names and shapes are those of the file
/// that PyTorch wrote, but for counters and for the numbers of recurrent layers.
#[test]
fn torch_finds_its_names_in_what_is_written() {
    fn written<N: Network>(name: &str) {
        let shapes = |bytes: &[u8]| -> BTreeMap<String, Vec<usize>> {
            let file = safetensors::SafeTensors::deserialize(bytes).unwrap();
            file.iter().map(|(name, view)| (name.to_owned(), view.shape().to_vec())).collect()
        };
        let mut theirs = shapes(&fs::read(folder().join(format!("{name}.safetensors"))).unwrap());
        theirs.retain(|name, _| !name.ends_with("num_batches_tracked"));
        assert_eq!(shapes(&N::init(1).to_bytes()), theirs, "{name}");
    }
    written::<Pixels>("pixels");
    written::<Words>("words");
    written::<Blocks>("blocks");
}

/// What is embedded is a model as any other: it learns on.
#[test]
fn embedded_weights_are_where_training_begins() {
    let mut model = Small::embedded();
    let before = all(&model);
    let data = Dataset::values((vec![0.5; 40], 5), (vec![1.0; 24], 3)).unwrap();
    Trainer::new(&mut model, Mse::new(), Adam::new(1e-2)).fit(&data, Fit::epochs(1)).unwrap();
    assert_ne!(all(&model), before);
    assert_eq!(all(&Small::embedded()), before);
}
