//! Windows against streams: a network run step by step gives what it gives of whole windows, to the bit. In:
//! networks of layers that carry and layers that do not, joined, nested, repeated; out: nothing, or a panic.

use nn_runtime::prelude::*;
use nn_runtime::{Isa, Layer, LayerContext, LayerSpec, Ports, Rule, Shape, StreamErrorKind, StreamState};

/// `y[s] = x[0] + … + x[s]`, a layer of one's own that carries the sum.
#[derive(Clone, Copy)]
struct RunningSum;

impl RunningSum {
    const fn new() -> Self {
        RunningSum
    }
    const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        LayerSpec::output(x).stream_state(x.dim(1)).ok()
    }
}

impl Layer for RunningSum {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let width = cx.input_shape(0).dim(1);
        let len = cx.input_shape(0).len();
        for (x, y) in x.chunks_exact(len).zip(y.chunks_exact_mut(len)) {
            let mut sum = vec![0.0; width];
            for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
                sum.iter_mut().zip(x).for_each(|(sum, x)| *sum += x);
                y.copy_from_slice(&sum);
            }
        }
    }
    fn backward_input(&self, _: &mut LayerContext, _: [&[f32]; 1], _: [&[f32]; 1], _: [&[f32]; 1], _: [&mut [f32]; 1]) {
        unreachable!("nothing here trains");
    }
    fn step(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        cx.saved.iter_mut().zip(x).for_each(|(sum, x)| *sum += x);
        y.copy_from_slice(&cx.saved[..x.len()]);
    }
}

/// The last step, whichever that is.
#[derive(Clone, Copy)]
struct Latest;

impl Latest {
    const fn new() -> Self {
        Latest
    }
    const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        LayerSpec::output(Shape::of([x.dim(1)])).stream_reduces(0).ok()
    }
}

impl Layer for Latest {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let width = cx.input_shape(0).dim(1);
        for (x, y) in x.chunks_exact(cx.input_shape(0).len()).zip(y.chunks_exact_mut(width)) {
            y.copy_from_slice(&x[x.len() - width..]);
        }
    }
    fn backward_input(&self, _: &mut LayerContext, _: [&[f32]; 1], _: [&[f32]; 1], _: [&[f32]; 1], _: [&mut [f32]; 1]) {
        unreachable!("nothing here trains");
    }
    fn step(&self, _: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        y.copy_from_slice(x);
    }
}

/// A layer that has room for one window.
#[derive(Clone, Copy)]
struct Bounded;

impl Bounded {
    const fn new() -> Self {
        Bounded
    }
    const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        LayerSpec::output(x).stream_state(0).bounded_context().ok()
    }
}

impl Layer for Bounded {
    fn forward(&self, _: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        y.copy_from_slice(x);
    }
    fn backward_input(
        &self,
        _: &mut LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        dx.copy_from_slice(dy);
    }
}

const STEPS: usize = 7;

/// Numbers that need rounding.
fn window<const L: usize>(salt: usize) -> [f32; L] {
    core::array::from_fn(|i| ((i * 37 + salt * 11) % 23) as f32 / 7.0 - 1.3)
}

fn step<const L: usize>(window: &[f32], s: usize) -> &[f32; L] {
    window[s * L..][..L].try_into().expect("whole steps")
}

network! {
    struct Block: [STEPS, 4] -> [STEPS, 4] {
        let x = input;
        let y = x -> DensePerStep(4) -> Tanh -> RunningSum -> LayerNorm;
        (x, y) -> Sum -> Relu
    }
}
network! {
    /// Everything at once: a network within, repeated, two inputs, two outputs, one of them read within too.
    struct Whole: (x: [STEPS, 3], gate: [STEPS, 4]) -> (all: [STEPS, 2], last: [5]) {
        let h = x -> DensePerStep(4) -> Block * 3;
        let g = gate -> RunningSum -> Sigmoid;
        let all = (h, g) -> Product -> RunningSum * 2 -> DensePerStep(2);
        let last = all -> Tanh -> Latest -> Dense(5) -> Softmax;
    }
}

#[test]
fn a_stream_gives_what_the_window_gives() {
    for isa in Isa::available() {
        let model = Whole::init(3);
        let (x, gate) = (window::<{ STEPS * 3 }>(1), window::<{ STEPS * 4 }>(2));
        let mut predictor = model.predictor_on(1, isa);
        let (all, last) = predictor.predict((&x, &gate));
        let mut stream = model.streamer_on(isa).unwrap();
        for round in 0..2 {
            for s in 0..STEPS {
                assert_eq!(stream.steps(), s as u64);
                let (y, end) = stream.step((step(&x, s), step(&gate, s))).unwrap();
                assert_eq!(y, step::<2>(all, s), "{} round {round} step {s}", isa.name());
                if s == STEPS - 1 {
                    assert_eq!(end, last, "{} round {round}", isa.name());
                }
            }
            stream.reset();
        }
    }
}

#[test]
fn a_state_goes_on_where_it_was() {
    let model = Whole::init(4);
    let (x, gate) = (window::<{ STEPS * 3 }>(5), window::<{ STEPS * 4 }>(6));
    let mut stream = model.streamer().unwrap();
    for s in 0..3 {
        stream.step((step(&x, s), step(&gate, s))).unwrap();
    }
    let state = stream.state();
    let expected = *stream.step((step(&x, 3), step(&gate, 3))).unwrap().0;
    stream.step((step(&x, 4), step(&gate, 4))).unwrap();
    stream.restore(&state).unwrap();
    assert_eq!(stream.steps(), 3);
    assert_eq!(*stream.step((step(&x, 3), step(&gate, 3))).unwrap().0, expected);

    // Written down and read again, in a stream of its own.
    let written = StreamState::new(state.fingerprint(), state.steps(), state.carried());
    let mut other = model.streamer().unwrap();
    other.restore(&written).unwrap();
    assert_eq!(*other.step((step(&x, 3), step(&gate, 3))).unwrap().0, expected);

    let error = other.restore(&StreamState::new(state.fingerprint(), 1, &[0.0; 3])).unwrap_err().to_string();
    assert!(error.starts_with("expected a state of ") && error.contains("of `Whole`"), "{error}");
    assert!(error.contains("found 3"), "{error}");
    let mut broken = state.carried().to_vec();
    broken[3] = f32::NAN;
    let error = other.restore(&StreamState::new(state.fingerprint(), 3, &broken)).unwrap_err().to_string();
    assert!(error.starts_with("expected a state of finite numbers, found NaN at 3\nhelp: "), "{error}");
    assert_eq!(other.steps(), 4, "nothing is changed");
}

network! {
    struct Positions: [8, 4] -> [8, 4] { PositionalEncoding -> Tanh }
}
network! {
    struct Others: [8, 4] -> [8, 4] { PositionalEncoding -> Sigmoid }
}

/// A state knows its network, even where another one carries as many numbers.
#[test]
fn the_state_of_another_network_is_refused() {
    let (model, other) = (Positions::init(0), Others::init(0));
    let mut stream = model.streamer().unwrap();
    stream.step(&[0.5; 4]).unwrap();
    let state = stream.state();
    let mut others = other.streamer().unwrap();
    assert_eq!(others.state().carried().len(), state.carried().len());
    let error = others.restore(&state).unwrap_err();
    assert_eq!(error.kind(), StreamErrorKind::State);
    assert!(error.to_string().contains("expected a state of `Others`, whose fingerprint is 0x"), "{error}");
    assert_eq!(others.steps(), 0, "nothing is changed");
    model.streamer().unwrap().restore(&state).unwrap();
    Positions::init(7).streamer().unwrap().restore(&state).unwrap();
}

/// Far beyond where an f32 counts on, each step is another one, exactly.
#[test]
fn positions_are_exact_for_ever() {
    network! {
        struct Waves: [8, 6] -> [8, 6] { PositionalEncoding }
    }
    let model = Waves::init(0);
    let mut stream = model.streamer().unwrap();
    let blank = stream.state();
    for start in [1u64 << 24, (1 << 24) + 1, 17_280_000_000, (1 << 53) - 3] {
        stream.restore(&StreamState::new(blank.fingerprint(), start, blank.carried())).unwrap();
        for step in start..start + 3 {
            let y = stream.step(&[0.0; 6]).unwrap();
            for i in 0..3 {
                // The phase of one step as a fraction of a turn in 64 bits, multiplied in whole numbers.
                let turn = 10000f64.powf(-(2.0 * i as f64) / 6.0) / std::f64::consts::TAU;
                let advance = (turn * 18_446_744_073_709_551_616.0) as u64;
                let phase = advance.wrapping_mul(step) as f64 / 18_446_744_073_709_551_616.0 * std::f64::consts::TAU;
                // The fraction itself is that of an f64: so far out its last bits make a difference of their
                // own.
                let slack = 1e-6 + step as f64 * 8.0 * turn * f64::EPSILON * std::f64::consts::TAU;
                let (sin, cos) = (f64::from(y[2 * i]), f64::from(y[2 * i + 1]));
                assert!((sin - phase.sin()).abs() < slack && (cos - phase.cos()).abs() < slack, "step {step}: {y:?}");
            }
        }
        assert_eq!(stream.steps(), start + 3);
        let (last, next) = (*stream.step(&[0.0; 6]).unwrap(), *stream.step(&[0.0; 6]).unwrap());
        assert!((last[0] - next[0]).abs() > 1e-3 || (last[1] - next[1]).abs() > 1e-3, "the position goes on");
    }
}

network! {
    struct Reads: [64, 2] -> [64, 1] { Lstm(4) -> DensePerStep(1) }
}

#[test]
fn a_number_that_is_none_is_refused_and_nothing_changes() {
    let model = Reads::init(0);
    let mut stream = model.streamer().unwrap();
    for _ in 0..10 {
        stream.step(&[0.5, 1.0]).unwrap();
    }
    let before = stream.state();
    for (wrong, found) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        let error = stream.step(&[0.5, wrong]).unwrap_err();
        assert_eq!(error.kind(), StreamErrorKind::Input);
        let says = format!("input 0, element 1: expected a finite number, found {found}\nhelp: ");
        assert!(error.to_string().starts_with(&says), "{error}");
        assert_eq!(stream.state(), before);
    }
    assert!(stream.step(&[0.5, 1.0]).unwrap()[0].is_finite());
    let state = stream.state();
    stream.restore(&state).unwrap();
    assert_eq!(stream.state(), state, "a state comes back as it went");
}

/// A finite number may be too large for a layer: what overflows is not carried on.
#[test]
fn a_step_that_overflows_is_refused_and_nothing_changes() {
    let mut model = Overflows::init(0);
    model.set("d.weight", &[1e3, -1e3, 1e3, -1e3]).unwrap();
    let mut stream = model.streamer().unwrap();
    stream.step(&[0.25]).unwrap();
    let before = stream.state();
    let next = stream.step(&[0.5]).unwrap()[0].to_bits();
    stream.restore(&before).unwrap();
    for huge in [3e38, -3e38, f32::MAX] {
        let error = stream.step(&[huge]).unwrap_err();
        assert_eq!(error.kind(), StreamErrorKind::Overflow);
        let text = error.to_string();
        assert!(text.starts_with("step 1: expected finite numbers in all layers of `Overflows`, found "), "{text}");
        assert!(text.contains("\nhelp: give smaller numbers"), "{text}");
        assert_eq!((stream.state(), stream.steps()), (before.clone(), 1));
    }
    assert_eq!(stream.step(&[0.5]).unwrap()[0].to_bits(), next, "as if nothing had been");
}
network! {
    struct Overflows: [64, 1] -> [64, 1] { d: DensePerStep(4) -> Gru(4) -> DensePerStep(1) }
}

/// Whatever was accepted can be restored: sums that grow beyond all numbers are not.
#[test]
fn what_was_accepted_can_be_restored() {
    let model = Summing::init(0);
    let mut stream = model.streamer().unwrap();
    assert_eq!(stream.step(&[f32::MAX]).unwrap(), &[f32::MAX]);
    assert_eq!(stream.step(&[f32::MAX]).unwrap_err().kind(), StreamErrorKind::Overflow);
    let state = stream.state();
    stream.reset();
    let written = StreamState::new(state.fingerprint(), state.steps(), state.carried());
    stream.restore(&written).unwrap();
    assert_eq!(stream.state(), state);
    assert_eq!(stream.step(&[-1.0]).unwrap(), &[f32::MAX - 1.0]);
}
network! {
    struct Summing: [STEPS, 1] -> [STEPS, 1] { RunningSum }
}

network! {
    struct Parted: [STEPS, 3] -> [2] { encoder: Encoder -> Latest -> Dense(2) }
}
network! {
    struct Encoder: [STEPS, 3] -> [STEPS, 4] { DensePerStep(4) -> RunningSum }
}

#[test]
fn a_part_streams_on_its_own() {
    let model = Parted::init(1);
    let encoder = model.part::<Encoder>("encoder").unwrap();
    let x = window::<{ STEPS * 3 }>(3);
    let whole = *encoder.predictor(1).predict(&x);
    let mut stream = encoder.streamer().unwrap();
    for s in 0..STEPS {
        assert_eq!(stream.step(step(&x, s)).unwrap(), step::<4>(&whole, s));
    }
}

network! {
    struct Average: [STEPS, 3] -> [3] { DensePerStep(3) -> GlobalAvgPool }
}
network! {
    struct Outer: [STEPS, 3] -> [2] { DensePerStep(3) -> inner: Average -> Dense(2) }
}
network! {
    struct NoSteps: [6] -> [2] { Dense(2) }
}

network! {
    struct Uneven: (a: [4, 2], b: [3, 2]) -> (p: [4, 2], q: [3, 2]) {
        let p = a -> Tanh;
        let q = b -> thin: Tanh;
    }
}

#[test]
fn what_needs_the_whole_window_is_named() {
    fn refused<N: Network>() -> String {
        match N::init(0).streamer() {
            Ok(_) => panic!("it must be refused"),
            Err(error) => error.to_string(),
        }
    }
    let error = refused::<Average>();
    assert!(error.contains("found `global_avg_pool_1` of `Average`, which needs the whole window\nhelp: "), "{error}");
    assert!(refused::<Outer>().contains("`inner.global_avg_pool_1` of `Outer`"), "{}", refused::<Outer>());
    assert!(refused::<Uneven>().contains("`thin` of `Uneven`"), "{}", refused::<Uneven>());
    assert!(refused::<NoSteps>().contains("`dense_1` of `NoSteps`"), "{}", refused::<NoSteps>());
}

network! {
    struct Windowed: [STEPS, 2] -> [STEPS, 2] { DensePerStep(2) -> Bounded }
}

#[test]
fn a_bounded_stream_ends_with_its_window() {
    let model = Windowed::init(0);
    let mut stream = model.streamer().unwrap();
    for _ in 0..STEPS {
        stream.step(&[1.0, 2.0]).unwrap();
    }
    let full = stream.state();
    let mut other = model.streamer().unwrap();
    other.restore(&full).unwrap();
    let beyond = StreamState::new(full.fingerprint(), STEPS as u64 + 1, full.carried());
    assert!(
        other.restore(&beyond).unwrap_err().to_string().contains("expected at most 7 steps, as many as `Windowed`")
    );
    let error = stream.step(&[1.0, 2.0]).unwrap_err().to_string();
    assert!(
        error.starts_with("expected at most 7 steps since the beginning, as many as `Windowed` declares"),
        "{error}"
    );
    stream.reset();
    assert!(stream.step(&[1.0, 2.0]).is_ok());
}

/// The types of a step follow from the declaration.
#[test]
fn steps_have_the_length_of_a_step() {
    fn counts<N: Network>() -> (usize, usize) {
        (<N::Step<'_> as Ports<'_>>::COUNT, <N::StepOutput<'_> as Ports<'_>>::COUNT)
    }
    assert_eq!(counts::<Whole>(), (2, 2));
    let _: <Parted as Network>::Step<'_> = &[0.0; 3];
    let _: <Parted as Network>::StepOutput<'_> = &[0.0; 2];
    let _: <Encoder as Network>::StepOutput<'_> = &[0.0; 4];
}
