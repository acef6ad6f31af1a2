//! Recurrent layers between states: what comes in before the first step, what goes out after the last.

use nn_runtime::layers::{Direction, Gru, Lstm, Rnn};
use nn_runtime::{Isa, Layer, Probe, Rule, Shape};
use nn_tests::fixtures::{Case, load};
use nn_tests::numbers::{assert_near, numbers};

const NAMES: [&str; 8] = [
    "weight_ih",
    "weight_hh",
    "bias_ih",
    "bias_hh",
    "weight_ih_reverse",
    "weight_hh_reverse",
    "bias_ih_reverse",
    "bias_hh_reverse",
];

fn direction(case: &Case) -> Direction {
    match case.word("direction") {
        "forward" => Direction::Forward,
        "backward" => Direction::Backward,
        _ => Direction::Both,
    }
}

fn is_pytorchs<L: Layer<N, M> + Copy, const N: usize, const M: usize>(
    case: &Case,
    layer: L,
    rule: fn(&L, [Shape; N]) -> Rule,
) {
    let shapes: [Shape; N] = std::array::from_fn(|k| Shape::of_slice(&case.inputs[k].shape[1..]));
    let inputs: Vec<Vec<f32>> = case.inputs.iter().map(|x| x.narrow()).collect();
    let x: [&[f32]; N] = std::array::from_fn(|k| &inputs[k][..]);
    let doutputs: Vec<Vec<f32>> = case.doutputs.iter().map(|dy| dy.narrow()).collect();
    let dy: [&[f32]; M] = std::array::from_fn(|j| &doutputs[j][..]);
    let batch = case.inputs[0].shape[0];
    for isa in Isa::available() {
        let mut probe = Probe::<L, N, M>::new(layer, rule, shapes).unwrap().isa(isa);
        for (i, name) in NAMES.iter().take(case.params.len()).enumerate() {
            probe = probe.param(i, &case.params[*name].narrow());
        }
        let what = |of: &str| format!("{} {}: {of}", case.name, isa.name());
        for (j, y) in probe.forward(batch, x).iter().enumerate() {
            assert_near(y, &case.outputs[j].data, &what(&format!("output {j}")));
        }
        let found = probe.gradients(batch, x, dy);
        for (k, truth) in case.dinputs.iter().enumerate() {
            assert_near(&found.inputs[k], &truth.data, &what(&format!("gradient of input {k}")));
        }
        for (name, found) in NAMES.iter().zip(&found.params) {
            assert_near(found, &case.dparams[*name].data, &what(name));
        }
        probe.check_contract(batch, x, dy).unwrap_or_else(|fault| panic!("{}", what(&fault)));
    }
}

#[test]
fn states_are_pytorchs() {
    for case in load("recurrent_states") {
        let (units, last) = (case.number("units") as usize, case.number("last") == 1.0);
        let with = (direction(&case), last, true);
        let masked = case.name.ends_with("lengths");
        match case.word("layer") {
            "lstm" => {
                let layer = Lstm::new(units).direction(with.0).last(last).states(true);
                match masked {
                    false => is_pytorchs::<Lstm, 3, 3>(&case, layer, Lstm::rule),
                    true => is_pytorchs::<Lstm, 4, 3>(&case, layer, Lstm::rule),
                }
            }
            "gru" => {
                let layer = Gru::new(units).direction(with.0).last(last).states(true).initial(true);
                match masked {
                    false => is_pytorchs::<Gru, 2, 2>(&case, layer, Gru::rule),
                    true => is_pytorchs::<Gru, 3, 2>(&case, layer, Gru::rule),
                }
            }
            name => {
                let layer = Rnn::new(units).relu(name == "rnn_relu").direction(with.0).last(last).states(true);
                let layer = layer.initial(true);
                match masked {
                    false => is_pytorchs::<Rnn, 2, 2>(&case, layer, Rnn::rule),
                    true => is_pytorchs::<Rnn, 3, 2>(&case, layer, Rnn::rule),
                }
            }
        }
    }
}

/// Two windows with the state between are one window of both, outputs and gradients.
#[test]
fn two_windows_are_one() {
    const UNITS: usize = 19;
    let (half, batch) = (3, 18);
    let x = numbers(1, batch * 2 * half * 2, 1.0);
    let dy = numbers(2, batch * 2 * half * UNITS, 1.0);
    let part = |all: &[f32], width: usize, k: usize| -> Vec<f32> {
        let samples = all.chunks(2 * half * width);
        samples.flat_map(|sample| sample[k * half * width..(k + 1) * half * width].to_vec()).collect()
    };
    let of = |steps: usize| [Shape::of([steps, 2]), Shape::of([UNITS]), Shape::of([UNITS])];
    let layer = Lstm::new(UNITS).states(true);
    let whole = Probe::<Lstm, 3, 3>::new(layer, Lstm::rule, of(2 * half)).unwrap();
    let window = Probe::<Lstm, 3, 3>::new(layer, Lstm::rule, of(half)).unwrap();
    let (h0, c0) = (numbers(3, batch * UNITS, 1.0), numbers(4, batch * UNITS, 1.0));
    let none = vec![0.0; batch * UNITS];
    let expected = whole.forward(batch, [&x, &h0, &c0]);
    let first = window.forward(batch, [&part(&x, 2, 0), &h0, &c0]);
    let second = window.forward(batch, [&part(&x, 2, 1), &first[1], &first[2]]);
    assert_eq!(part(&expected[0], UNITS, 0), first[0]);
    assert_eq!(part(&expected[0], UNITS, 1), second[0]);
    assert_eq!([&expected[1], &expected[2]], [&second[1], &second[2]]);

    let truth = whole.gradients(batch, [&x, &h0, &c0], [&dy, &none, &none]);
    let after = (part(&x, 2, 1), part(&dy, UNITS, 1));
    let after = window.gradients(batch, [&after.0, &first[1], &first[2]], [&after.1, &none, &none]);
    let before = (part(&x, 2, 0), part(&dy, UNITS, 0));
    let before = window.gradients(batch, [&before.0, &h0, &c0], [&before.1, &after.inputs[1], &after.inputs[2]]);
    let wide = |x: &[f32]| nn_tests::numbers::wide(x);
    assert_near(&before.inputs[0], &wide(&part(&truth.inputs[0], 2, 0)), &"first window");
    assert_near(&after.inputs[0], &wide(&part(&truth.inputs[0], 2, 1)), &"second window");
    assert_near(&before.inputs[2], &wide(&truth.inputs[2]), &"the memory before all");
    for (k, truth) in truth.params.iter().enumerate() {
        let sum: Vec<f32> = before.params[k].iter().zip(&after.params[k]).map(|(a, b)| a + b).collect();
        assert_near(&sum, &wide(truth), &format!("parameter {k}"));
    }
}

fn fault<L, const N: usize>(layer: L, rule: fn(&L, [Shape; N]) -> Rule, x: [Shape; N]) -> String {
    rule(&layer, x).fault().map_or("none".into(), |fault| fault.as_str().to_owned())
}

#[test]
fn faults_say_what_a_second_input_is() {
    let (x, of) = (Shape::of([8, 5]), |n: usize| Shape::of([n]));
    assert_eq!(fault(Gru::new(4), Gru::rule, [x, of(4)]), "none");
    assert_eq!(fault(Gru::new(4), Gru::rule, [x, of(8)]), "none");
    assert_eq!(
        fault(Gru::new(8), Gru::rule, [x, of(8)]),
        "expected to be told what the second input is, a mask or the state before the first step, as both are [8]\nhelp: write `Gru(8, initial = false)` for a mask, `initial = true` for the state"
    );
    assert_eq!(
        fault(Gru::new(4), Gru::rule, [x, of(5)]),
        "expected a mask with a number for each step, [8], found [5]\nhelp: make it 1 at a step and 0 at padding, and declare it as [8]; the state before the first step is [4]"
    );
    assert_eq!(
        fault(Gru::new(4), Gru::rule, [x, of(8), of(4)]),
        "expected the mask of [8] behind the state, found it before the state\nhelp: write `(x, h0, mask) -> Gru(4)`"
    );
    assert_eq!(
        fault(Lstm::new(4), Lstm::rule, [x, of(4)]),
        "expected both parts of a state, or a mask of [8], found [4]\nhelp: write `(x, h0, c0) -> Lstm(4)`"
    );
    assert_eq!(
        fault(Lstm::new(4).direction(Direction::Both), Lstm::rule, [x, of(8), of(4)]),
        "expected a state with a number for each unit, [8], found [4]\nhelp: declare it as [8]"
    );
    assert_eq!(
        fault(Rnn::new(4), Rnn::rule, [x; 4]),
        "expected a sequence, and perhaps the state before it and a mask, found 4 inputs\nhelp: write `x -> Rnn(4)`, `(x, mask) -> Rnn(4)` or `(x, h0) -> Rnn(4)`"
    );
}
