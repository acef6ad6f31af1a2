//! Random chains of every layer that streams, of widths that fill vectors and that do not, in every order of
//! neighbours: single steps, blocks of any length, voices side by side, and a stream that is taken up again
//! in its middle, against the window. In: networks that were drawn once, and a few that fork; out: nothing,
//! or a panic.

use nn_runtime::prelude::*;
use nn_runtime::{Isa, Streamers};

const STEPS: usize = 13;
const VOICES: usize = 5;

/// Numbers that need rounding; ids where there are so many.
fn numbers(count: usize, salt: usize, ids: usize) -> Vec<f32> {
    let number = |i: usize| (i * 37 + salt * 11) % 101;
    (0..count).map(|i| if ids > 0 { (number(i) % ids) as f32 } else { number(i) as f32 / 40.0 - 1.2 }).collect()
}

/// Every way to run a network of `I` numbers a step to `O` against its windows, on every instruction set.
/// The same bits; attention alone may round in another place. An input of ids has so many.
fn check<N, const I: usize, const O: usize>(name: &str, exact: bool, ids: usize)
where
    N: for<'a> Network<Step<'a> = &'a [f32; I], StepOutput<'a> = &'a [f32; O]>,
{
    let mut model = N::init(7);
    // Biases and what normalises begin with numbers that would hide mistakes.
    for (salt, tensor) in model.tensors().iter().enumerate() {
        let mut values = model.get(&tensor.name).unwrap();
        values
            .iter_mut()
            .zip(numbers(tensor.count(), salt, 0))
            .for_each(|(value, x)| *value = (*value + 0.2 * x).max(-0.7));
        let spread = tensor.name.contains("var") || tensor.name.contains("std") || tensor.name.contains("deviation");
        values.iter_mut().filter(|value| spread && **value < 0.3).for_each(|value| *value = 0.3);
        model.set(&tensor.name, &values).unwrap();
    }
    for isa in Isa::available() {
        let same = |found: &[f32], expected: &[f32], way: &str| {
            let near = |(x, y): (&f32, &f32)| if exact { x == y } else { (x - y).abs() <= 1e-5 * y.abs().max(1.0) };
            let all = found.len() == expected.len() && found.iter().zip(expected).all(near);
            assert!(all, "{} on {}, {way}: expected {expected:?}, found {found:?}", name, isa.name());
        };
        let x = numbers(VOICES * STEPS * I, 1, ids);
        let mut y = vec![0.0; VOICES * STEPS * O];
        model.predictor_on(VOICES, isa).predict_into(&[&x], &mut [&mut y]).unwrap();
        assert!(y.iter().any(|value| *value != y[0]), "{}: a window of one number alone", name);
        let (first, expected) = (&x[..STEPS * I], &y[..STEPS * O]);

        let mut stream = model.streamer_on(isa).unwrap();
        let mut kept = Vec::new();
        for (s, (x, y)) in first.as_chunks().0.iter().zip(expected.chunks(O)).enumerate() {
            kept.push(stream.state());
            same(stream.step(x).unwrap(), y, &format!("step {s}"));
        }
        for block in [1, 2, 3, 8, STEPS] {
            stream.reset();
            for (x, y) in first.chunks(block * I).zip(expected.chunks(block * O)) {
                let mut found = vec![f32::NAN; y.len()];
                stream.block(&[x], &mut [&mut found]).unwrap();
                same(&found, y, &format!("blocks of {block}"));
            }
        }
        // Single steps and blocks go on from each other, and from a state of either, in a stream of another.
        for (from, state) in kept.iter().enumerate().step_by(3) {
            let mut other = model.streamer_on(isa).unwrap();
            other.step(&first.as_chunks().0[0]).unwrap();
            other.restore(state).unwrap();
            let (mut found, middle) = (vec![f32::NAN; (STEPS - from) * O], (from + STEPS) / 2);
            let (early, late) = found.split_at_mut((middle - from) * O);
            other.block(&[&first[from * I..middle * I]], &mut [early]).unwrap();
            stream.restore(&other.state()).unwrap();
            for (x, y) in first[middle * I..].as_chunks().0.iter().zip(late.chunks_mut(O)) {
                y.copy_from_slice(stream.step(x).unwrap());
            }
            same(&found, &expected[from * O..], &format!("from a state at {from}, then one at {middle}"));
        }
        for voices in [1, VOICES] {
            let mut side_by_side = Streamers::new_on(&model, voices, isa).unwrap();
            for steps in [1, 4] {
                for from in (0..STEPS).step_by(steps) {
                    let to = STEPS.min(from + steps);
                    let of = |all: &[f32], width: usize| -> Vec<f32> {
                        let row = |at: (usize, usize)| all[(at.1 * STEPS + at.0) * width..][..width].to_vec();
                        (from..to).flat_map(|step| (0..voices).map(move |voice| (step, voice))).flat_map(row).collect()
                    };
                    let mut found = vec![f32::NAN; voices * (to - from) * O];
                    side_by_side.step(&[&of(&x, I)], &mut [&mut found]).unwrap();
                    same(&found, &of(&y, O), &format!("{voices} voices, {steps} steps from {from}"));
                }
                side_by_side.reset();
            }
        }
    }
}

/// Checks networks: their numbers of each step, in and out.
macro_rules! check {
    ($exact:literal, $ids:literal: $($network:ident $input:literal $output:literal),*) => {
        $(check::<$network, $input, $output>(stringify!($network), $exact, $ids);)*
    };
}

#[test]
fn convolutions_behind_everything() {
    check!(true, 0: Drawn0 1 17, Drawn1 17 7, Drawn2 7 3, Drawn3 3 7, Drawn4 7 17, Drawn5 17 1);
}

#[test]
fn layers_in_every_order() {
    check!(true, 0: Drawn6 1 17, Drawn7 17 5, Drawn8 5 17, Drawn9 17 3, Drawn10 3 17, Drawn11 17 1, Drawn12 1 1, Drawn13 1 7, Drawn14 7 1, Drawn15 1 5, Drawn16 5 17, Drawn17 17 1);
    check!(true, 9: Drawn22 1 5, Drawn23 1 1);
}

#[test]
fn attention_goes_on() {
    check!(false, 0: Drawn18 5 7, Drawn19 17 1, Drawn20 17 7, Drawn21 1 16);
}

#[test]
fn what_forks() {
    check!(true, 0: Gated 3 5, Skips 1 1, Widths 5 17, Norms 7 16);
}

network! {
    /// Rings that are copied in part, as a whole, and beside what is none.
    struct Rings: [200, 3] -> [200, 2] {
        Conv1d(5, 3, dilation = 40, padding = Causal, init = Constant(9.0)) -> Conv1d(4, 2, padding = Causal) -> Gru(6)
            -> Conv1d(33, 2, dilation = 7, padding = Causal) -> Conv1d(3, 6, dilation = 20, groups = 3, padding = Causal)
            -> LayerNorm -> Conv1d(2, 17, dilation = 9, padding = Causal)
    }
}

/// What is refused, however much was taken before and since, leaves all as it was: that is put back which has
/// changed.
#[test]
fn a_refused_step_leaves_long_rings_as_they_were() {
    let model = Rings::init(1);
    let (x, mut truth) = (numbers(200 * 3, 1, 0), vec![0.0; 200 * 2]);
    model.predictor(1).predict_into(&[&x], &mut [&mut truth]).unwrap();
    let (mut stream, mut at) = (model.streamer().unwrap(), 0);
    let mut kept = (stream.state(), 0);
    for turn in 0.. {
        let before = stream.state();
        let mut loud = [0.5; 70 * 3];
        loud[(turn * 41) % 60 * 3 + 6] = f32::MAX;
        let error = match turn % 3 {
            0 => {
                stream.step(loud.as_chunks().0.iter().find(|x| x.contains(&f32::MAX)).unwrap()).map(|_| ()).unwrap_err()
            }
            _ => stream.block(&[&loud], &mut [&mut [0.0; 70 * 2]]).unwrap_err(),
        };
        assert_eq!(error.kind(), nn_runtime::StreamErrorKind::Overflow);
        assert_eq!(stream.state(), before, "turn {turn}");
        match turn {
            4 => kept = (stream.state(), at),
            8 => {
                stream.restore(&kept.0).unwrap();
                at = kept.1;
            }
            12 => {
                stream.reset();
                at = 0;
            }
            _ => {}
        }
        let to = 200.min(at + [1, 5, 1, 30, 2, 11][turn % 6]);
        let mut y = vec![f32::NAN; (to - at) * 2];
        match to - at {
            1 => y.copy_from_slice(stream.step(&x.as_chunks().0[at]).unwrap()),
            _ => stream.block(&[&x[at * 3..to * 3]], &mut [&mut y]).unwrap(),
        }
        assert_eq!(y, truth[at * 2..to * 2], "turn {turn}");
        at = to;
        if at == 200 {
            break;
        }
    }
}

network! {
    /// WaveNet's gated activation behind two sums, and what skips a block.
    struct Gated: [STEPS, 3] -> [STEPS, 5] {
        let x = input -> DensePerStep(7);
        let a = x -> Conv1d(14, 3, dilation = 2, padding = Causal);
        let b = input -> DensePerStep(14, bias = false);
        let gated = (a, b) -> Sum -> Halves;
        let y = (x, gated) -> Sum -> Conv1d(17, 2, padding = Causal) -> Relu;
        y -> DensePerStep(5)
    }
}
network! {
    struct Halves: [STEPS, 14] -> [STEPS, 7] {
        let (a, b) = input -> Split(2, axis = 1);
        let t = a -> Tanh;
        let s = b -> Sigmoid;
        (t, s) -> Product
    }
}
network! {
    /// The layers of Neural Amp Modeler.
    struct Skips: [STEPS, 1] -> [STEPS, 1] {
        let h0 = DensePerStep(5, bias = false);
        let c1 = h0 -> Conv1d(5, 3, padding = Causal);
        let i1 = input -> DensePerStep(5, bias = false);
        let z1 = (c1, i1) -> Sum -> Tanh;
        let m1 = z1 -> DensePerStep(5);
        let h1 = (h0, m1) -> Sum;
        let c2 = h1 -> Conv1d(5, 3, dilation = 4, padding = Causal);
        let i2 = input -> DensePerStep(5, bias = false);
        let z2 = (c2, i2) -> Sum -> LeakyRelu;
        let skip = (z1, z2) -> Sum;
        let m2 = z2 -> DensePerStep(5);
        let h2 = (h1, m2) -> Sum;
        let end = (skip, h2) -> Concat(axis = 1);
        end -> Conv1d(1, 6, padding = Causal)
    }
}
network! {
    /// Values that several layers read, of widths that fill no vector.
    struct Widths: [STEPS, 5] -> [STEPS, 17] {
        let a = input -> Conv1d(17, 3, padding = Causal) -> Tanh;
        let b = a -> Gru(17) -> LayerNorm;
        let c = (a, b) -> Product -> Conv1d(3, 2, padding = Causal) -> Lstm(17);
        let d = (a, c) -> Sum -> Conv1d(17, 17, padding = Causal, groups = 17);
        (b, d) -> Sum
    }
}
network! {
    struct Norms: [STEPS, 7] -> [STEPS, 16] {
        BatchNorm -> Conv1d(34, 2, padding = Causal) -> Glu -> Normalization -> Rnn(1) -> Conv1d(16, 1, padding = Causal)
            -> RmsNorm -> LogSoftmax -> Prelu(per_channel = true) -> Conv1d(16, 3, padding = Causal, bias = false)
    }
}

// What was drawn. In the first six each width of 1, 3, 5, 7, 16 and 17 comes behind each other one and
// itself.
network! { struct Drawn0: [STEPS, 1] -> [STEPS, 17] {
        Conv1d(1, 1, padding = Causal) -> Elu -> Mish -> Conv1d(16, 3, padding = Causal)
            -> Conv1d(17, 6, padding = Causal, dilation = 2, bias = false)
            -> Conv1d(3, 17, padding = Causal, dilation = 3) -> HardSwish
            -> Conv1d(5, 3, padding = Causal) -> RmsNorm -> Conv1d(17, 3, padding = Causal, bias = false)
} }
network! { struct Drawn1: [STEPS, 17] -> [STEPS, 7] {
        Conv1d(1, 3, padding = Causal, dilation = 2, bias = false) -> Prelu
            -> Conv1d(3, 3, padding = Causal) -> Conv1d(1, 3, padding = Causal, dilation = 3)
            -> HardSwish -> Conv1d(7, 3, padding = Causal, dilation = 3) -> BatchNorm -> BatchNorm
            -> Conv1d(3, 6, padding = Causal) -> Softplus -> Normalization
            -> Conv1d(7, 6, padding = Causal, dilation = 3, bias = false) -> LayerNorm
} }
network! { struct Drawn2: [STEPS, 7] -> [STEPS, 3] {
        Conv1d(5, 17, padding = Causal, dilation = 2) -> Conv1d(7, 17, padding = Causal, dilation = 3)
            -> Tanh -> Prelu -> Conv1d(16, 17, padding = Causal, dilation = 2) -> Prelu
            -> Conv1d(16, 3, padding = Causal, groups = 16) -> LeakyRelu
            -> Conv1d(3, 3, padding = Causal, bias = false) -> Tanh
            -> Conv1d(3, 1, padding = Causal, groups = 3) -> LeakyRelu
} }
network! { struct Drawn3: [STEPS, 3] -> [STEPS, 7] {
        Conv1d(17, 1, padding = Causal) -> Conv1d(16, 2, padding = Causal, dilation = 2) -> Silu
            -> Conv1d(1, 2, padding = Causal) -> Gelu
            -> Conv1d(5, 17, padding = Causal, dilation = 2, bias = false) -> RmsNorm
            -> Conv1d(16, 17, padding = Causal) -> Softplus -> Prelu(per_channel = true)
            -> Conv1d(7, 6, padding = Causal, dilation = 2)
} }
network! { struct Drawn4: [STEPS, 7] -> [STEPS, 17] {
        Conv1d(17, 2, padding = Causal, dilation = 3) -> Relu
            -> Conv1d(7, 3, padding = Causal, bias = false)
            -> Conv1d(7, 17, padding = Causal, groups = 7) -> Softmax -> Conv1d(1, 3, padding = Causal)
            -> Prelu -> Conv1d(17, 3, padding = Causal, dilation = 3) -> Softplus -> Relu
            -> Conv1d(17, 2, padding = Causal, groups = 17) -> Prelu
} }
network! { struct Drawn5: [STEPS, 17] -> [STEPS, 1] {
        Conv1d(5, 6, padding = Causal) -> HardSwish -> LayerNorm -> Conv1d(3, 3, padding = Causal)
            -> Conv1d(16, 17, padding = Causal) -> Conv1d(5, 3, padding = Causal) -> Relu
            -> Conv1d(5, 1, padding = Causal, groups = 5) -> Tanh
            -> Conv1d(1, 3, padding = Causal, dilation = 3) -> Prelu -> HardSwish
} }
network! { struct Drawn6: [STEPS, 1] -> [STEPS, 17] {
        DensePerStep(1, bias = false) -> Conv1d(5, 3, padding = Causal, dilation = 3) -> Relu
            -> Conv1d(17, 3, padding = Causal, bias = false) -> Prelu -> Rnn(5) -> Sigmoid
            -> Conv1d(1, 2, padding = Causal, dilation = 3, bias = false)
            -> DensePerStep(17, bias = false)
} }
network! { struct Drawn7: [STEPS, 17] -> [STEPS, 5] {
        Lstm(16, bias = false) -> RmsNorm -> Lstm(17) -> Mish -> Gru(17, reset_after = false)
            -> Conv1d(1, 3, padding = Causal) -> Silu -> DensePerStep(3) -> Softmax -> LayerNorm
            -> Rnn(5, relu = true) -> LeakyRelu -> Prelu
} }
network! { struct Drawn8: [STEPS, 5] -> [STEPS, 17] {
        DensePerStep(5, bias = false) -> BatchNorm -> Gru(16, reset_after = false) -> RmsNorm
            -> Lstm(7, projection = 5) -> RmsNorm -> DensePerStep(7)
            -> Conv1d(7, 2, padding = Causal, dilation = 2, groups = 7) -> Silu -> Rnn(17, relu = true)
            -> Normalization
} }
network! { struct Drawn9: [STEPS, 17] -> [STEPS, 3] {
        Conv1d(3, 2, padding = Causal, dilation = 2) -> Softmax -> Dropout(0.5)
            -> DensePerStep(16, bias = false) -> Elu -> Conv1d(1, 3, padding = Causal, dilation = 2)
            -> Sigmoid -> Gru(7, reset_after = false) -> HardSwish -> Prelu(per_channel = true)
            -> Conv1d(16, 3, padding = Causal, dilation = 2, bias = false) -> PositionalEncoding
            -> DensePerStep(3) -> Gelu
} }
network! { struct Drawn10: [STEPS, 3] -> [STEPS, 17] {
        DensePerStep(1) -> Relu -> Normalization -> Conv1d(16, 1, padding = Causal)
            -> Conv1d(16, 1, padding = Causal, groups = 16) -> Normalization -> Rnn(7, relu = true)
            -> RmsNorm -> Lstm(5, projection = 3, bias = false) -> Silu -> Silu -> Lstm(17, bias = false)
} }
network! { struct Drawn11: [STEPS, 17] -> [STEPS, 1] {
        Lstm(7, bias = false) -> Prelu(per_channel = true) -> Prelu(per_channel = true)
            -> DensePerStep(5) -> LeakyRelu -> Conv1d(3, 17, padding = Causal, dilation = 2) -> LeakyRelu
            -> Prelu(per_channel = true) -> DensePerStep(3, bias = false) -> Lstm(7, bias = false)
            -> HardSwish -> Gru(1) -> BatchNorm
} }
network! { struct Drawn12: [STEPS, 1] -> [STEPS, 1] {
        DensePerStep(5, bias = false) -> Elu -> Lstm(18, projection = 16) -> LeakyRelu -> DensePerStep(5)
            -> Elu -> LocalResponseNorm(3) -> Conv1d(3, 2, padding = Causal, bias = false) -> LeakyRelu
            -> DensePerStep(16) -> HardSwish -> Lstm(1, bias = false)
} }
network! { struct Drawn13: [STEPS, 1] -> [STEPS, 7] {
        Rnn(3) -> Softplus -> Elu -> Lstm(17) -> Sigmoid -> Tanh -> Lstm(7) -> Gelu -> HardSwish
            -> Gru(7) -> Softmax -> Normalization -> DensePerStep(5, bias = false) -> Sigmoid
            -> Conv1d(7, 3, padding = Causal)
} }
network! { struct Drawn14: [STEPS, 7] -> [STEPS, 1] {
        DensePerStep(1) -> Mish -> Gru(16) -> Conv1d(3, 3, padding = Causal, dilation = 2) -> Softplus
            -> Conv1d(3, 6, padding = Causal, bias = false) -> Gelu -> Conv1d(1, 1, padding = Causal)
            -> Dropout(0.5) -> Conv1d(1, 3, padding = Causal)
} }
network! { struct Drawn15: [STEPS, 1] -> [STEPS, 5] {
        Rnn(7, relu = true) -> LocalResponseNorm(3) -> Silu -> Rnn(17, relu = true) -> Prelu -> Softmax
            -> Lstm(19, projection = 17, bias = false) -> Prelu(per_channel = true)
            -> Conv1d(1, 6, padding = Causal) -> Elu -> DensePerStep(17, bias = false) -> Silu
            -> DensePerStep(5, bias = false) -> Silu
} }
network! { struct Drawn16: [STEPS, 5] -> [STEPS, 17] {
        Rnn(17) -> HardSwish -> Elu -> Conv1d(3, 3, padding = Causal) -> Softmax -> DensePerStep(7)
            -> BatchNorm -> DensePerStep(16) -> PositionalEncoding
            -> Conv1d(16, 17, padding = Causal, dilation = 3, groups = 16) -> Prelu
            -> Conv1d(17, 6, padding = Causal, dilation = 3, bias = false) -> Gelu
} }
network! { struct Drawn17: [STEPS, 17] -> [STEPS, 1] {
        Rnn(16) -> Tanh -> Conv1d(7, 17, padding = Causal) -> Normalization
            -> Conv1d(3, 17, padding = Causal) -> HardSwish -> Gru(5, reset_after = false) -> HardSwish
            -> Lstm(7, projection = 5) -> LocalResponseNorm(3)
            -> Conv1d(1, 6, padding = Causal, dilation = 2) -> Silu -> Normalization
} }
network! { struct Drawn18: [STEPS, 5] -> [STEPS, 7] {
        Lstm(16) -> PositionalEncoding(learnt = true) -> MultiHeadAttention(4, causal = true)
            -> LayerNorm -> Lstm(9, projection = 7, bias = false) -> Dropout(0.5)
} }
network! { struct Drawn19: [STEPS, 17] -> [STEPS, 1] {
        Rnn(7) -> PositionalEncoding(learnt = true) -> MultiHeadAttention(1, causal = true) -> LayerNorm
            -> Rnn(1) -> Dropout(0.5)
} }
network! { struct Drawn20: [STEPS, 17] -> [STEPS, 7] {
        Lstm(5, projection = 3) -> PositionalEncoding(learnt = true)
            -> MultiHeadAttention(3, causal = true) -> LayerNorm -> Lstm(9, projection = 7) -> Relu
} }
network! { struct Drawn21: [STEPS, 1] -> [STEPS, 16] {
        DensePerStep(5) -> PositionalEncoding(learnt = true) -> MultiHeadAttention(1, causal = true)
            -> LayerNorm -> DensePerStep(16, bias = false) -> PositionalEncoding
} }
network! { struct Drawn22: [STEPS] -> [STEPS, 5] {
        Embedding(9, 3) -> LocalResponseNorm(3) -> DensePerStep(17) -> RmsNorm -> DensePerStep(5)
} }
network! { struct Drawn23: [STEPS] -> [STEPS, 1] {
        Embedding(9, 16) -> Softplus -> DensePerStep(17, bias = false) -> LocalResponseNorm(3)
            -> Conv1d(1, 1, padding = Causal)
} }
