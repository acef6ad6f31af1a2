//! Streams of networks whose convolutions have a stride: blocks of any multiple of it against the window,
//! what lies before and behind such a convolution, states, and what is refused. In: a few networks; out:
//! nothing, or a panic.

use nn_runtime::prelude::*;
use nn_runtime::{Isa, StreamErrorKind, StreamState, Streamers};

const STEPS: usize = 24;

fn numbers(count: usize, salt: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 37 + salt * 11) % 101) as f32 / 40.0 - 1.2).collect()
}

/// Blocks of these numbers of strides, and streams that are taken up again between, against the window.
fn same<N: Network>(name: &str, [input, output]: [usize; 2], stride: usize, exact: bool) {
    let mut model = N::init(3);
    let drawn: Vec<f32> = numbers(N::param_count(), 5).iter().map(|x| 0.5 * x).collect();
    model.write_params(&drawn).unwrap();
    let x = numbers(STEPS * input, 1);
    for isa in Isa::available() {
        let mut window = vec![0.0; STEPS / stride * output];
        model.predictor_on(1, isa).predict_into(&[&x], &mut [&mut window]).unwrap();
        assert!(window.iter().any(|y| *y != window[0]), "{name}");
        for strides in [1, 2, 3, 5, STEPS / stride] {
            let mut stream = model.streamer_on(isa).unwrap();
            assert_eq!(stream.stride(), stride, "{name}");
            for (k, x) in x.chunks(strides * stride * input).enumerate() {
                let mut y = vec![f32::NAN; x.len() / input / stride * output];
                stream.block(&[x], &mut [&mut y]).unwrap();
                for (i, (y, truth)) in y.iter().zip(&window[k * strides * output..]).enumerate() {
                    let near = if exact { y == truth } else { (y - truth).abs() <= 1e-5 };
                    assert!(near, "{name} on {}: {y} for {truth}, {i} of block {k} of {strides}", isa.name());
                }
                let mut other = model.streamer_on(isa).unwrap();
                other.restore(&stream.state()).unwrap();
                assert_eq!((other.steps(), stream.steps() % stride as u64), (stream.steps(), 0));
                stream = other;
            }
            assert_eq!(stream.steps(), STEPS as u64);
        }
    }
}

network! {
    struct Once: [STEPS, 3] -> [12, 5] { Conv1d(5, 3, stride = 2, padding = Causal) }
}
network! {
    /// Strides of two and three, with what carries before, between and behind.
    struct Twice: [STEPS, 1] -> [4, 2] {
        Conv1d(7, 4, dilation = 3, padding = Causal) -> Tanh -> Conv1d(6, 5, stride = 2, dilation = 2, padding = Causal)
            -> Gru(5) -> Conv1d(17, 1, stride = 3, padding = Causal) -> LayerNorm -> Conv1d(3, 2, padding = Causal) -> Lstm(4)
            -> DensePerStep(2)
    }
}
network! {
    /// Groups, long kernels, more steps together than there are, and two ways of one stride.
    struct Ways: [STEPS, 4] -> [6, 3] {
        let x = input -> Rnn(6);
        let a = x -> Conv1d(6, 17, stride = 4, padding = Causal, groups = 3);
        let b = x -> Conv1d(6, 2, stride = 2, padding = Causal, bias = false) -> Relu -> Conv1d(6, 3, stride = 2, padding = Causal);
        (a, b) -> Sum -> Inner * 2 -> DensePerStep(3)
    }
}
network! { struct Inner: [6, 6] -> [6, 6] { Gru(6) -> DensePerStep(6) } }
network! {
    /// What asks for the number of its own step, and has room for a window.
    struct Places: [STEPS, 2] -> [8, 4] {
        Conv1d(4, 3, stride = 3, padding = Causal) -> PositionalEncoding -> MultiHeadAttention(2, causal = true)
    }
}
network! {
    struct Ends: [STEPS, 2] -> [3] { Conv1d(4, 3, stride = 4, padding = Causal) -> Gru(5, last = true) -> Dense(3) }
}

#[test]
fn blocks_are_the_window() {
    same::<Once>("Once", [3, 5], 2, true);
    same::<Twice>("Twice", [1, 2], 6, true);
    same::<Ways>("Ways", [4, 3], 4, true);
    same::<Places>("Places", [2, 4], 3, false);
    same::<Within>("Within", [3, 2], 12, true);
}

/// Voices side by side, one stride and several at a time, against streams apart.
fn voices<N: Network>(name: &str, input: usize, outputs: &[[usize; 2]]) {
    const VOICES: usize = 3;
    let model = N::init(5);
    let x: Vec<Vec<f32>> = (0..VOICES).map(|voice| numbers(STEPS * input, voice)).collect();
    // Of `[steps, each]` of every voice those from a step on, voices beside each other.
    let beside = |all: &[Vec<f32>], each: usize, steps: std::ops::Range<usize>| -> Vec<f32> {
        let of_step = |step: usize| all.iter().flat_map(move |one| &one[step * each..][..each]).copied();
        steps.flat_map(of_step).collect()
    };
    for isa in Isa::available() {
        let mut truth: Vec<Vec<Vec<f32>>> = outputs.iter().map(|_| Vec::new()).collect();
        for x in &x {
            let mut y: Vec<Vec<f32>> = outputs.iter().map(|[stride, each]| vec![0.0; STEPS / stride * each]).collect();
            let mut to: Vec<&mut [f32]> = y.iter_mut().map(|y| &mut y[..]).collect();
            model.streamer_on(isa).unwrap().block(&[x], &mut to).unwrap();
            truth.iter_mut().zip(y).for_each(|(truth, y)| truth.push(y));
        }
        let mut side_by_side = Streamers::new_on(&model, VOICES, isa).unwrap();
        let stride = outputs.iter().map(|[stride, _]| *stride).max().unwrap();
        let mut from = 0;
        while from < STEPS {
            let steps = from..STEPS.min(from + stride * (1 + from / stride));
            let mut y: Vec<Vec<f32>> =
                outputs.iter().map(|[stride, each]| vec![f32::NAN; steps.len() / stride * VOICES * each]).collect();
            let mut to: Vec<&mut [f32]> = y.iter_mut().map(|y| &mut y[..]).collect();
            side_by_side.step(&[&beside(&x, input, steps.clone())], &mut to).unwrap();
            for (([stride, each], truth), y) in outputs.iter().zip(&truth).zip(&y) {
                let expected = beside(truth, *each, steps.start / stride..steps.end / stride);
                assert!(*y == expected, "{name} on {}, {steps:?}: expected {expected:?}, found {y:?}", isa.name());
            }
            from = steps.end;
        }
        side_by_side.reset();
        assert_eq!(side_by_side.steps(), 0);
    }
}

#[test]
fn voices_are_streams_apart() {
    voices::<Once>("Once", 3, &[[2, 5]]);
    voices::<Twice>("Twice", 1, &[[6, 2]]);
    voices::<Ways>("Ways", 4, &[[4, 3]]);
    voices::<Places>("Places", 2, &[[3, 4]]);
    voices::<Within>("Within", 3, &[[12, 2]]);
    voices::<Speeds>("Speeds", 2, &[[1, 3], [2, 4], [4, 1]]);
    voices::<Ends>("Ends", 2, &[[4, 3]]);
}

#[test]
fn what_all_steps_come_to_is_told_for_each_stride() {
    let model = Ends::init(1);
    let x = numbers(STEPS * 2, 2);
    let mut y = [0.0; 18];
    model.streamer().unwrap().block(&[&x], &mut [&mut y]).unwrap();
    assert_eq!(y[15..], *model.predictor(1).predict(x[..].try_into().unwrap()));
    assert_ne!(y[12..15], y[15..]);
}

network! {
    /// Networks with strides within others, behind and before what carries, and one in the other.
    struct Within: [STEPS, 3] -> [2, 2] {
        Gru(3) -> half: Once -> Lstm(5) -> sixth: Sixth -> DensePerStep(2)
    }
}
network! { struct Sixth: [12, 5] -> [2, 4] { third: Third -> Tanh -> Conv1d(4, 3, stride = 2, padding = Causal) } }
network! { struct Third: [12, 5] -> [4, 3] { Rnn(4) -> Conv1d(3, 5, stride = 3, padding = Causal) -> Gru(3) } }
network! {
    /// Outputs of several strides.
    struct Speeds: [STEPS, 2] -> (fast: [STEPS, 3], slow: [12, 4], slowest: [6, 1]) {
        let fast = input -> Gru(3);
        let slow = fast -> Conv1d(4, 3, stride = 2, padding = Causal) -> Tanh;
        let slowest = slow -> Conv1d(1, 2, stride = 2, padding = Causal);
    }
}
network! {
    struct Outer: [STEPS, 3] -> (a: [12, 2], b: [6, 2]) { let (a, b) = input -> inner: Fast; }
}
network! {
    struct Fast: [STEPS, 3] -> (y: [12, 2], z: [6, 2]) {
        let y = input -> Conv1d(2, 3, stride = 2, padding = Causal);
        let z = y -> Conv1d(2, 3, stride = 2, padding = Causal);
    }
}
network! {
    /// The last of all steps, and of every second.
    struct Rates: [STEPS, 3] -> (slow: [12, 3], last: [3]) {
        let slow = input -> Conv1d(3, 2, stride = 2, padding = Causal);
        let last = input -> LastStep;
    }
}
network! {
    /// What is made of the whole window, before and behind what comes step by step.
    struct Mixed: [STEPS, 3] -> (before: [STEPS, 3], behind: [STEPS, 3]) {
        let whole = input -> Flatten -> Dense(STEPS * 3) -> Reshape([STEPS, 3]);
        let once = (whole, input) -> Product;
        let before = (once, whole, input) -> Product -> DensePerStep(3);
        let behind = (input, whole) -> Product -> DensePerStep(3);
    }
}
network! { struct Ahead: [STEPS, 3] -> [12, 2] { Conv1d(2, 3, stride = 2, padding = Same) } }

#[test]
fn what_does_not_fit_is_told() {
    let model = Twice::init(0);
    let mut stream = model.streamer().unwrap();
    let mut refused = |x: usize, y: usize, says: &str| {
        let error = stream.block(&[&vec![0.5; x]], &mut [&mut vec![0.0; y]]).unwrap_err();
        assert_eq!((error.kind(), stream.steps()), (StreamErrorKind::Shape, 0));
        assert!(error.to_string().contains(says), "{error}");
    };
    refused(8, 2, "expected a multiple of 6 steps, as `Twice` gives one for so many, found 8\nhelp: keep the last 2");
    refused(12, 2, "expected 12 steps of every output, as the first input has, which is 4 numbers, found 2");
    let state = stream.state();
    let error = stream.restore(&StreamState::new(state.fingerprint(), 4, state.carried())).unwrap_err().to_string();
    assert!(
        error.starts_with("expected a multiple of 6 steps, as a stream of `Twice` takes, found 4\nhelp: "),
        "{error}"
    );

    let error = Outer::init(0).into_streamer().err().unwrap();
    assert_eq!(error.kind(), StreamErrorKind::WholeWindow);
    assert!(
        error.to_string().contains("found `inner` of `Outer`, whose outputs have others for 4\nhelp: write"),
        "{error}"
    );
    let error = Rates::init(0).into_streamer().err().unwrap().to_string();
    assert!(error.contains("`last_step_1` of `Rates`"), "{error}");
    assert!(Ahead::init(0).into_streamer().is_err());
    let error = Mixed::init(0).into_streamer().err().unwrap().to_string();
    assert!(error.contains("`flatten_1` of `Mixed`"), "{error}");
}

/// A number that is none, and what overflows, leave a stream where it was.
#[test]
fn what_is_refused_changes_nothing() {
    let mut model = Once::init(0);
    model.set("conv1d_1.weight", &[10.0; 45]).unwrap();
    let mut stream = model.streamer().unwrap();
    let mut y = [0.0; 10];
    stream.block(&[&[0.5; 12]], &mut [&mut y]).unwrap();
    let before = stream.state();
    for (odd, kind) in [(f32::NAN, StreamErrorKind::Input), (f32::MAX, StreamErrorKind::Overflow)] {
        let mut x = [0.5; 12];
        x[7] = odd;
        assert_eq!(stream.block(&[&x], &mut [&mut y]).unwrap_err().kind(), kind);
        assert_eq!((stream.state(), stream.steps()), (before.clone(), 4));
    }
}
