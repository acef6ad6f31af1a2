//! Transformer blocks, which are ordinary networks, against PyTorch's: the same names, the same numbers. In:
//! declarations; out: nothing, or a panic.

use nn_runtime::prelude::*;
use nn_runtime::{Isa, Network};
use nn_tests::fixtures::load;
use nn_tests::numbers::{assert_near, numbers};

const STEPS: usize = 5;
const KEYS: usize = 4;
const WIDTH: usize = 6;

network! {
    struct EncoderPre: [STEPS, WIDTH] -> [STEPS, WIDTH] {
        let x = input;
        let a = x -> norm1: LayerNorm -> self_attn: MultiHeadAttention(2);
        let y = (x, a) -> Sum;
        let b = y -> norm2: LayerNorm -> linear1: DensePerStep(7) -> Gelu -> linear2: DensePerStep(WIDTH);
        (y, b) -> Sum
    }
}

network! {
    struct EncoderPost: [STEPS, WIDTH] -> [STEPS, WIDTH] {
        let x = input;
        let a = x -> self_attn: MultiHeadAttention(2);
        let y = (x, a) -> Sum -> norm1: LayerNorm;
        let b = y -> linear1: DensePerStep(7) -> Relu -> linear2: DensePerStep(WIDTH);
        (y, b) -> Sum -> norm2: LayerNorm
    }
}

network! {
    struct DecoderPost: (x: [STEPS, WIDTH], memory: [KEYS, WIDTH]) -> [STEPS, WIDTH] {
        let a = x -> self_attn: MultiHeadAttention(2, causal = true);
        let y = (x, a) -> Sum -> norm1: LayerNorm;
        let b = (y, memory) -> multihead_attn: MultiHeadAttention(2);
        let z = (y, b) -> Sum -> norm2: LayerNorm;
        let c = z -> linear1: DensePerStep(7) -> Gelu -> linear2: DensePerStep(WIDTH);
        (z, c) -> Sum -> norm3: LayerNorm
    }
}

network! {
    struct DecoderPre: (x: [STEPS, WIDTH], memory: [KEYS, WIDTH]) -> [STEPS, WIDTH] {
        let a = x -> norm1: LayerNorm -> self_attn: MultiHeadAttention(2, causal = true);
        let y = (x, a) -> Sum;
        let q = y -> norm2: LayerNorm;
        let b = (q, memory) -> multihead_attn: MultiHeadAttention(2);
        let z = (y, b) -> Sum;
        let c = z -> norm3: LayerNorm -> linear1: DensePerStep(7) -> Relu -> linear2: DensePerStep(WIDTH);
        (z, c) -> Sum
    }
}

/// PyTorch's parameters in, PyTorch's outputs and gradients out.
fn is_pytorchs<N: Network>(name: &str) {
    let case = load("transformer").into_iter().find(|case| case.name == name).expect("a case of this name");
    let mut model = N::init(0);
    assert_eq!(model.tensors().len(), case.params.len(), "{name}: as many parameters");
    for (param, values) in &case.params {
        model.set(param, &values.narrow()).unwrap();
    }
    let x: Vec<Vec<f32>> = case.inputs.iter().map(|x| x.narrow()).collect();
    let x: Vec<&[f32]> = x.iter().map(|x| &x[..]).collect();
    let (truth, dy) = (case.output.as_ref().unwrap(), case.doutput.as_ref().unwrap().narrow());
    let mut y = vec![0.0; dy.len()];
    model.predictor(2).predict_into(&x, &mut [&mut y]).unwrap();
    assert_near(&y, &truth.data, &format!("{name}: y"));
    let found = model.gradients(&x, &[&dy]).unwrap();
    for (k, (found, truth)) in found.inputs.iter().zip(&case.dinputs).enumerate() {
        assert_near(found, &truth.data, &format!("{name}: dx{k}"));
    }
    for (param, found) in &found.params {
        // A key's bias moves all scores of a query alike: its gradient is 0, and what is left of it noise. As
        // one tensor it is judged with those of queries and values.
        assert_near(found, &case.dparams[param].data, &format!("{name}: {param}"));
    }
}

#[test]
fn blocks_are_pytorchs() {
    is_pytorchs::<EncoderPre>("encoder_pre");
    is_pytorchs::<EncoderPost>("encoder_post");
    is_pytorchs::<DecoderPost>("decoder_post");
    is_pytorchs::<DecoderPre>("decoder_pre");
}

/// Longer than a block of queries.
const WINDOW: usize = 37;
const VOCABULARY: usize = 11;

network! {
    struct Causal: [WINDOW, 10] -> [WINDOW, 10] {
        let x = input;
        let a = x -> LayerNorm -> MultiHeadAttention(2, causal = true);
        let y = (x, a) -> Sum;
        let b = y -> RmsNorm -> DensePerStep(12) -> Glu -> Prelu -> DensePerStep(10) -> Dropout(0.1);
        (y, b) -> Sum
    }
}
network! {
    /// All that works on each step, attention twice, waves and a table.
    struct Writer: [WINDOW] -> (next: [WINDOW, VOCABULARY], last: [6]) {
        let (a, b) = Embedding(VOCABULARY, 10) -> PositionalEncoding -> Causal * 2 -> Split(2, axis = 1);
        let gated = (a, b) -> Product -> PositionalEncoding(learnt = true);
        let next = (gated, b) -> Concat(axis = 1) -> DensePerStep(VOCABULARY) -> Softmax;
        let last = next -> LastStep -> Dense(6);
    }
}
network! {
    struct Ends: (x: [WINDOW, 3], mask: [WINDOW]) -> [3] { (x, mask) -> LastStep }
}
network! {
    struct Waves: [4, 3] -> [4, 3] { PositionalEncoding }
}

/// To the bit, whatever the instruction set: each sum has one order, and what is yet to come adds nothing.
#[test]
fn a_causal_network_streams_as_it_predicts() {
    for isa in Isa::available() {
        let mut model = Writer::init(3);
        for tensor in model.tensors() {
            let values = numbers(tensor.count() as u64, tensor.count(), 0.8);
            model.set(&tensor.name, &values).unwrap();
        }
        let ids: [f32; WINDOW] = std::array::from_fn(|s| (s * s % VOCABULARY) as f32);
        let mut predictor = model.predictor_on(1, isa);
        let (next, last) = predictor.predict(&ids);
        let mut stream = model.streamer_on(isa).unwrap();
        for round in 0..2 {
            for (s, id) in ids.iter().enumerate() {
                let (y, end) = stream.step(&[*id]).unwrap();
                assert_eq!(y[..], next[s * VOCABULARY..][..VOCABULARY], "{} round {round} step {s}", isa.name());
                assert_eq!(end == last, s + 1 == WINDOW, "{} round {round} step {s}", isa.name());
            }
            assert!(stream.step(&[0.0]).is_err(), "the window is full");
            stream.reset();
        }
    }
}

#[test]
fn the_last_step_of_a_mask_streams() {
    let model = Ends::init(0);
    let mut stream = model.streamer().unwrap();
    let steps = [([1.0, 2.0, 3.0], 0.0), ([4.0, 5.0, 6.0], 1.0), ([7.0, 8.0, 9.0], 0.0)];
    let seen: Vec<[f32; 3]> = steps.iter().map(|(x, mask)| *stream.step((x, &[*mask])).unwrap()).collect();
    assert_eq!(seen, [[0.0; 3], [4.0, 5.0, 6.0], [4.0, 5.0, 6.0]]);
}

/// Waves know no window: step 6 is what it would be in a longer one.
#[test]
fn waves_go_on_past_the_window() {
    let model = Waves::init(0);
    let mut stream = model.streamer().unwrap();
    for step in 0..7 {
        let y = *stream.step(&[0.0; 3]).unwrap();
        let step = step as f64;
        let truth = [step.sin(), step.cos(), (step / 10_000f64.powf(2.0 / 3.0)).sin()];
        assert_near(&y, &truth, &format!("step {step}"));
    }
}

network! {
    struct Sees: [WINDOW, 4] -> [WINDOW, 4] { MultiHeadAttention(2) }
}

#[test]
fn attention_to_later_steps_does_not_stream() {
    let model = Sees::init(0);
    let Err(error) = model.streamer() else { panic!("it needs the whole window") };
    assert!(error.to_string().contains("found `multi_head_attention_1` of `Sees`"), "{error}");
}

network! {
    struct AcrossSteps: [5] -> [5] { Softmax }
}
network! {
    struct SlopeOfEach: [5, 3] -> [5, 3] { Prelu(per_channel = true, axis = 0) }
}
network! {
    struct Joined: [5, 3] -> [10, 3] { let x = Relu; (x, x) -> Concat }
}

#[test]
fn what_looks_across_steps_does_not_stream() {
    assert!(AcrossSteps::init(0).streamer().is_err(), "a softmax over the steps themselves");
    assert!(SlopeOfEach::init(0).streamer().is_err(), "a slope for each step");
    assert!(Joined::init(0).streamer().is_err(), "twice as many steps");
}
