//! Streams in blocks, side by side, and held: each gives what single steps of single streams give, to the
//! bit, and these what the window gives. In: recurrent layers of many sizes, networks within, repeated; out:
//! nothing, or a panic.

use nn_runtime::prelude::*;
use nn_runtime::{Isa, Layer, LayerContext, LayerSpec, Rule, Shape, StreamErrorKind};

const STEPS: usize = 9;

/// Numbers that need rounding.
fn numbers(count: usize, salt: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 37 + salt * 11) % 101) as f32 / 40.0 - 1.2).collect()
}

/// Some steps of the numbers of some voices, `[steps, voices, width]`, from windows, `[voices, STEPS,
/// width]`.
fn of_voices(windows: &[f32], voices: usize, width: usize, steps: std::ops::Range<usize>) -> Vec<f32> {
    let row = |step, voice| &windows[(voice * STEPS + step) * width..][..width];
    steps.flat_map(|step| (0..voices).flat_map(move |voice| row(step, voice)).copied().collect::<Vec<f32>>()).collect()
}

/// Steps, blocks and voices of a network of three inputs and some outputs against its windows, on every
/// instruction set.
macro_rules! same {
    ($network:ty, $outputs:literal) => {{
        let mut model = <$network>::init(7);
        // Biases begin with zeros in some layers.
        let drawn = numbers(<$network>::param_count(), 3).iter().map(|x| 0.5 * x).collect::<Vec<f32>>();
        model.write_params(&drawn).unwrap();
        for isa in Isa::available() {
            const VOICES: usize = 19;
            let what = format!("{} {}", stringify!($network), isa.name());
            let x = numbers(VOICES * STEPS * 3, 1);
            let mut expected = vec![0.0; VOICES * STEPS * $outputs];
            model.predictor_on(4, isa).predict_into(&[&x], &mut [&mut expected]).unwrap();
            assert!(expected.iter().any(|y| *y != 0.0));
            let window = (&x[..STEPS * 3], &expected[..STEPS * $outputs]);

            let mut stream = model.streamer_on(isa).unwrap();
            for (x, y) in window.0.as_chunks().0.iter().zip(window.1.chunks($outputs)) {
                assert_eq!(stream.step(x).unwrap(), y, "{what}");
            }
            stream.reset();
            for (x, y) in window.0.as_chunks().0.iter().zip(window.1.chunks($outputs)) {
                assert_eq!(stream.step_or_hold(x), y, "{what}");
            }
            stream.reset();
            for (from, to) in [(0, 1), (1, 6), (6, 6), (6, STEPS)] {
                let mut y = vec![f32::NAN; (to - from) * $outputs];
                stream.block(&[&window.0[from * 3..to * 3]], &mut [&mut y]).unwrap();
                assert_eq!(y, window.1[from * $outputs..to * $outputs], "{what}");
                assert_eq!(stream.steps(), to as u64);
            }
            for voices in [1, 2, 4, 16, VOICES] {
                let mut side_by_side = nn_runtime::Streamers::new_on(&model, voices, isa).unwrap();
                for round in 0..2 {
                    for (from, to) in [(0, 1), (1, 2), (2, 7), (7, STEPS)] {
                        let now = of_voices(&x, voices, 3, from..to);
                        let mut y = vec![f32::NAN; voices * (to - from) * $outputs];
                        side_by_side.step(&[&now], &mut [&mut y]).unwrap();
                        let truth = of_voices(&expected, voices, $outputs, from..to);
                        assert_eq!(y, truth, "{what}, {voices} voices, round {round}, from {from}");
                    }
                    assert_eq!((side_by_side.voices(), side_by_side.steps()), (voices, STEPS as u64));
                    side_by_side.reset();
                }
            }
        }
    }};
}

network! { struct Lstm1: [STEPS, 3] -> [STEPS, 1] { Lstm(1) } }
network! { struct Lstm5: [STEPS, 3] -> [STEPS, 5] { Lstm(5, bias = false) } }
network! { struct Lstm16: [STEPS, 3] -> [STEPS, 1] { Lstm(16) -> DensePerStep(1) } }
network! { struct Lstm40: [STEPS, 3] -> [STEPS, 1] { Lstm(40) -> DensePerStep(1) } }
network! { struct Gru24: [STEPS, 3] -> [STEPS, 24] { Gru(24) } }
network! { struct Gru32: [STEPS, 3] -> [STEPS, 7] { Gru(32) -> DensePerStep(7) } }
network! { struct Rnn48: [STEPS, 3] -> [STEPS, 7] { Rnn(48) -> DensePerStep(7) } }
network! { struct Rnn17: [STEPS, 3] -> [STEPS, 17] { Rnn(17, bias = false) } }
network! {
    struct Convs: [STEPS, 3] -> [STEPS, 2] {
        Conv1d(5, 2, padding = Causal) -> Tanh -> Conv1d(5, 3, padding = Causal, dilation = 2) -> LayerNorm
            -> Gelu -> DensePerStep(2)
    }
}

#[test]
fn recurrent_layers_of_every_size() {
    same!(Lstm1, 1);
    same!(Lstm5, 5);
    same!(Lstm16, 1);
    same!(Lstm40, 1);
    same!(Gru24, 24);
    same!(Gru32, 7);
    same!(Rnn48, 7);
    same!(Rnn17, 17);
    same!(Convs, 2);
}

network! {
    struct Cell: [STEPS, 6] -> [STEPS, 6] {
        let x = input;
        let y = x -> Gru(10) -> DensePerStep(6) -> Tanh;
        (x, y) -> Sum
    }
}
network! {
    /// What is prepared of networks within, repeated, of layers repeated, and of one that is shared.
    struct Deep: [STEPS, 3] -> [STEPS, 2] {
        let x = input -> DensePerStep(6) -> Cell * 3 -> Lstm(6) * 2;
        let a = x -> one: Rnn(6);
        let b = a -> share(one) -> inner: Cell;
        (a, b) -> Sum -> DensePerStep(2)
    }
}

#[test]
fn networks_within_repeated_and_shared() {
    same!(Deep, 2);
}

network! {
    struct Both: (x: [STEPS, 3], gate: [STEPS, 2]) -> (all: [STEPS, 4], last: [2]) {
        let h = x -> Lstm(6) -> DensePerStep(2);
        let y = (h, gate) -> Product;
        let all = (h, y) -> Split2;
        let last = y -> Gru(5, last = true) -> Dense(2);
    }
}

/// Two of `[steps, 2]`, side by side.
#[derive(Clone, Copy)]
struct Split2;

impl Split2 {
    const fn new() -> Self {
        Split2
    }
    const fn rule(&self, [x, _]: [Shape; 2]) -> Rule {
        LayerSpec::output(Shape::of([x.dim(0), 4])).per_step().ok()
    }
}

impl Layer<2> for Split2 {
    fn forward(&self, _: &mut LayerContext, [a, b]: [&[f32]; 2], [y]: [&mut [f32]; 1]) {
        for ((y, a), b) in y.chunks_exact_mut(4).zip(a.chunks_exact(2)).zip(b.chunks_exact(2)) {
            y[..2].copy_from_slice(a);
            y[2..].copy_from_slice(b);
        }
    }
    fn backward_input(&self, _: &mut LayerContext, _: [&[f32]; 2], _: [&[f32]; 1], _: [&[f32]; 1], _: [&mut [f32]; 2]) {
        unreachable!("nothing here trains");
    }
}

#[test]
fn several_inputs_and_outputs_in_blocks() {
    let model = Both::init(1);
    let (x, gate) = (numbers(STEPS * 3, 1), numbers(STEPS * 2, 2));
    let mut stream = model.streamer().unwrap();
    let (mut all, mut last) = (Vec::new(), Vec::new());
    for (x, gate) in x.as_chunks().0.iter().zip(gate.as_chunks().0) {
        let (y, end) = stream.step((x, gate)).unwrap();
        all.extend(y);
        last.extend(end);
    }
    let (mut found, mut ends) = (vec![f32::NAN; STEPS * 4], vec![f32::NAN; STEPS * 2]);
    stream.reset();
    stream.block(&[&x, &gate], &mut [&mut found, &mut ends]).unwrap();
    assert_eq!((found, ends), (all, last.clone()));
    let (x, gate) = (x.try_into().unwrap(), gate.try_into().unwrap());
    let mut predictor = model.predictor(1);
    assert_eq!(predictor.predict((&x, &gate)).1[..], last[last.len() - 2..]);
}

network! {
    struct Loud: [STEPS, 1] -> [STEPS, 1] {
        let x = input;
        let a = x -> DensePerStep(1, init = Constant(1e30));
        let b = x -> Gru(3) -> DensePerStep(1);
        (a, b) -> Sum
    }
}

/// What is refused in a block, a voice or a step leaves all as it was; what is held gives the last output.
#[test]
fn what_is_refused_changes_nothing() {
    let model = Loud::init(2);
    let odd = [
        (f32::NAN, StreamErrorKind::Input),
        (f32::INFINITY, StreamErrorKind::Input),
        (1e30, StreamErrorKind::Overflow),
    ];
    for (odd, kind) in odd {
        let (mut stream, mut other) = (model.streamer().unwrap(), model.streamer().unwrap());
        let first = *stream.step(&[1e-30]).unwrap();
        other.step(&[1e-30]).unwrap();
        let state = stream.state();
        let mut y = [5.0; 4];
        let error = stream.block(&[&[2e-30, odd, 1e-30, 0.0]], &mut [&mut y]).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(y, if kind == StreamErrorKind::Overflow { [0.0; 4] } else { [5.0; 4] });
        assert_eq!(stream.state(), state);
        assert_eq!(*stream.step_or_hold(&[odd]), first);
        assert_eq!(*stream.step_or_hold(&[odd]), first);
        assert_eq!(stream.state(), state);
        let next = *stream.step_or_hold(&[2e-30]);
        assert_ne!(next, first);
        assert_eq!(next, *other.step(&[2e-30]).unwrap());
        stream.reset();
        assert_eq!(*stream.step_or_hold(&[odd]), [0.0]);
        // What was heard elsewhere is no output of the place that is gone back to.
        stream.step_or_hold(&[2e-30]);
        let state = stream.state();
        stream.restore(&state).unwrap();
        assert_eq!((*stream.step_or_hold(&[odd]), stream.steps()), ([0.0], 1));
        // The last output of a block is the last output.
        stream.block(&[&[1e-30, 3e-30]], &mut [&mut y[..2]]).unwrap();
        assert_eq!(*stream.step_or_hold(&[odd]), [y[1]]);

        let mut voices = model.streamers(3).unwrap();
        let (mut y, mut expected) = ([5.0; 3], [0.0; 3]);
        assert_eq!(voices.step(&[&[1e-30, 2e-30, odd]], &mut [&mut y]).unwrap_err().kind(), kind);
        assert_eq!(voices.steps(), 0);
        voices.step(&[&[1e-30, 2e-30, 3e-30]], &mut [&mut y]).unwrap();
        model.streamers(3).unwrap().step(&[&[1e-30, 2e-30, 3e-30]], &mut [&mut expected]).unwrap();
        assert_eq!(y, expected);
    }
}

network! { struct Attends: [4, 2] -> [4, 2] { MultiHeadAttention(1, causal = true) } }

#[test]
fn slices_that_do_not_fit_and_windows_that_are_full_are_told() {
    let model = Both::init(1);
    let mut stream = model.streamer().unwrap();
    let mut told = |x: &[&[f32]], lens: &[usize], text: &str| {
        let mut all = [[0.0; 20]; 2];
        let mut y: Vec<&mut [f32]> = all.iter_mut().zip(lens).map(|(y, len)| &mut y[..*len]).collect();
        let error = stream.block(x, &mut y).unwrap_err();
        assert_eq!(error.kind(), StreamErrorKind::Shape);
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(stream.steps(), 0);
    };
    told(&[&[0.5; 6]], &[8, 4], "expected 2 input slices, found 1");
    told(&[&[0.5; 6], &[0.5; 4]], &[8], "expected 2 output slices, found 1");
    told(
        &[&[0.5; 7], &[0.5; 4]],
        &[8, 4],
        "expected 2 steps of every input, as the first input has, which is 6 numbers, found 7",
    );
    told(&[&[0.5; 6], &[0.5; 5]], &[8, 4], "which is 4 numbers, found 5");
    told(
        &[&[0.5; 6], &[0.5; 4]],
        &[8, 3],
        "expected 2 steps of every output, as the first input has, which is 4 numbers, found 3",
    );
    let model = Gru24::init(0);
    let error = model.streamers(3).unwrap().step(&[&[0.5; 9]], &mut [&mut [0.0; 24]]).unwrap_err();
    assert!(error.to_string().contains("expected 1 steps of 3 voices of every output"), "{error}");

    let model = Attends::init(1);
    let mut stream = model.streamer().unwrap();
    let mut y = [0.0; 10];
    let error = stream.block(&[&[0.5; 10]], &mut [&mut y]).unwrap_err();
    assert_eq!(error.kind(), StreamErrorKind::WindowFull);
    stream.block(&[&[0.5; 8]], &mut [&mut y[..8]]).unwrap();
    assert_eq!(stream.step(&[0.5; 2]).unwrap_err().kind(), StreamErrorKind::WindowFull);
}

network! {
    /// Chains of convolutions, products and functions, of widths that fill vectors and that do not.
    struct Chained: [STEPS, 3] -> [STEPS, 2] {
        Conv1d(5, 2, padding = Causal) -> Tanh -> Conv1d(33, 3, padding = Causal, dilation = 2) -> Relu
            -> Conv1d(20, 4, padding = Causal, bias = false) -> DensePerStep(20) -> Relu -> Dropout(0.5) -> Gelu
            -> DensePerStep(70) -> Conv1d(1, 1, padding = Causal) -> DensePerStep(2, bias = false) -> Softplus
    }
}
network! {
    /// Kernels of more taps, and of groups.
    struct Others: [STEPS, 3] -> [STEPS, 3] {
        Conv1d(3, 17, padding = Causal) -> Conv1d(6, 2, padding = Causal, groups = 3) -> Relu -> DensePerStep(3)
    }
}
network! {
    /// One value is read twice.
    struct Forked: [STEPS, 3] -> [STEPS, 3] {
        let a = input -> DensePerStep(3);
        let b = a -> Tanh;
        (a, b) -> Sum
    }
}
network! {
    struct Ending: [STEPS, 3] -> [4] { Gru(9) -> Lstm(8, last = true) -> Dense(5) -> Relu -> Dense(4) -> Softmax }
}

#[test]
fn chains_of_every_layer() {
    same!(Chained, 2);
    same!(Others, 3);
    same!(Forked, 3);
    for isa in Isa::available() {
        let model = Ending::init(2);
        let x = numbers(STEPS * 3, 4);
        let mut stream = model.streamer_on(isa).unwrap();
        let all: Vec<[f32; 4]> = x.as_chunks().0.iter().map(|x| *stream.step(x).unwrap()).collect();
        assert_eq!(&all[STEPS - 1], model.predictor_on(1, isa).predict(x[..].try_into().unwrap()), "{}", isa.name());
        assert!((all[0].iter().sum::<f32>() - 1.0).abs() < 1e-6 && all[0] != all[1]);
    }
}

network! {
    struct Voice: [STEPS, 3] -> [STEPS, 2] {
        Conv1d(6, 3, padding = Causal, dilation = 2) -> Tanh -> Lstm(5) -> Gru(17) -> DensePerStep(2) -> Relu
    }
}

#[test]
fn a_voice_begins_and_goes_on_alone() {
    const VOICES: usize = 18;
    let model = Voice::init(3);
    let x = numbers(4 * VOICES * 3, 5);
    let at = |step: usize| &x[step * VOICES * 3..][..VOICES * 3];
    let mut voices = model.streamers(VOICES).unwrap();
    // What every voice has heard since it began.
    let mut alone: Vec<_> = (0..VOICES).map(|_| model.streamer().unwrap()).collect();
    let mut kept = Vec::new();
    for step in 0..4 {
        if step == 2 {
            kept.push(voices.voice_state(3).unwrap());
            assert_eq!(kept[0], alone[3].state());
            voices.reset_voice(16).unwrap();
            alone[16].reset();
            voices.restore_voice(0, &kept[0]).unwrap();
            alone[0].restore(&kept[0]).unwrap();
        }
        let mut y = [0.0; 2 * VOICES];
        voices.step(&[at(step)], &mut [&mut y]).unwrap();
        for (voice, (stream, y)) in alone.iter_mut().zip(y.as_chunks::<2>().0).enumerate() {
            let x = at(step).as_chunks::<3>().0[voice];
            assert_eq!(stream.step(&x).unwrap(), y, "voice {voice}, step {step}");
            assert_eq!(voices.voice_state(voice).unwrap(), stream.state(), "voice {voice}, step {step}");
        }
    }
    assert_eq!([0, 3, 16].map(|voice| voices.voice_state(voice).unwrap().steps()), [4, 4, 2]);
    voices.reset();
    assert_eq!(voices.voice_state(16).unwrap().steps(), 0);

    let error = voices.reset_voice(VOICES).unwrap_err();
    assert_eq!(error.kind(), StreamErrorKind::Shape);
    assert!(error.to_string().starts_with("expected a voice from 0 to 17, found 18"), "{error}");
    let deep = Deep::init(0);
    let mut deep = deep.streamers(2).unwrap();
    let error = deep.reset_voice(0).unwrap_err();
    assert_eq!(error.kind(), StreamErrorKind::State);
    assert!(error.to_string().contains("none of which can ask for the number of a step"), "{error}");
    assert_eq!(deep.restore_voice(1, &kept[0]).unwrap_err().kind(), StreamErrorKind::State);
    let refused = voices.restore_voice(1, &nn_runtime::StreamState::new(0, 0, &[])).unwrap_err();
    assert_eq!(refused.kind(), StreamErrorKind::State);
}

network! {
    /// An input that has the number of the output written just before.
    struct Crossed: (a: [STEPS, 4], b: [STEPS, 6]) -> (p: [STEPS, 6], q: [STEPS, 1]) {
        let q = a -> DensePerStep(1) -> Sigmoid;
        let p = b -> Relu;
    }
}

#[test]
fn chains_side_by_side_stay_apart() {
    for isa in Isa::available() {
        let model = Crossed::init(3);
        let (a, b) = (numbers(STEPS * 4, 1), numbers(STEPS * 6, 2));
        let mut predictor = model.predictor_on(1, isa);
        let (p, q) = predictor.predict((a[..].try_into().unwrap(), b[..].try_into().unwrap()));
        let mut stream = model.streamer_on(isa).unwrap();
        for (s, (a, b)) in a.as_chunks().0.iter().zip(b.as_chunks().0).enumerate() {
            let (found_p, found_q) = stream.step((a, b)).unwrap();
            assert_eq!(found_p, &p[s * 6..][..6], "{} step {s}", isa.name());
            assert_eq!(found_q, &q[s..][..1], "{} step {s}", isa.name());
        }
    }
}
