//! `Lstm(projection = n)`: against PyTorch's `proj_size`, and against itself step by step and in windows.

use nn_runtime::layers::{Direction, Lstm};
use nn_runtime::{Isa, Layer, Probe, Shape};
use nn_tests::fixtures::{Case, load};
use nn_tests::numbers::{assert_near, numbers, wide};

/// PyTorch's names in the order of the rule.
fn names(bias: bool) -> Vec<String> {
    let one = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"];
    let one: Vec<&str> = one.into_iter().filter(|name| bias || !name.starts_with("bias")).collect();
    ["", "_reverse"].iter().flat_map(|way| one.iter().map(move |name| format!("{name}{way}"))).collect()
}

fn direction(case: &Case) -> Direction {
    match case.word("direction") {
        "forward" => Direction::Forward,
        "backward" => Direction::Backward,
        _ => Direction::Both,
    }
}

fn is_pytorchs<const N: usize>(case: &Case, layer: Lstm)
where
    Lstm: Layer<N, 3>,
{
    let shapes: [Shape; N] = std::array::from_fn(|k| Shape::of_slice(&case.inputs[k].shape[1..]));
    let inputs: Vec<Vec<f32>> = case.inputs.iter().map(|x| x.narrow()).collect();
    let x: [&[f32]; N] = std::array::from_fn(|k| &inputs[k][..]);
    let doutputs: Vec<Vec<f32>> = case.doutputs.iter().map(|dy| dy.narrow()).collect();
    let dy: [&[f32]; 3] = std::array::from_fn(|j| &doutputs[j][..]);
    let (batch, names) = (case.inputs[0].shape[0], names(case.number("bias") == 1.0));
    for isa in Isa::available() {
        let mut probe = Probe::<Lstm, N, 3>::new(layer, Lstm::rule, shapes).unwrap().isa(isa);
        assert_eq!(probe.params().len(), case.params.len(), "{}: parameters", case.name);
        for (i, name) in names.iter().take(case.params.len()).enumerate() {
            probe = probe.param(i, &case.params[name].narrow());
        }
        let what = |of: &str| format!("{} {}: {of}", case.name, isa.name());
        for (j, y) in probe.forward(batch, x).iter().enumerate() {
            assert_near(y, &case.outputs[j].data, &what(&format!("output {j}")));
        }
        let found = probe.gradients(batch, x, dy);
        for (k, truth) in case.dinputs.iter().enumerate() {
            assert_near(&found.inputs[k], &truth.data, &what(&format!("gradient of input {k}")));
        }
        for (name, found) in names.iter().zip(&found.params) {
            assert_near(found, &case.dparams[name].data, &what(name));
        }
        probe.check_contract(batch, x, dy).unwrap_or_else(|fault| panic!("{}", what(&fault)));
    }
}

#[test]
fn projections_are_pytorchs() {
    for case in load("recurrent_projection") {
        let layer = Lstm::new(case.number("units") as usize).projection(case.number("outputs") as usize);
        let layer = layer.direction(direction(&case)).last(case.number("last") == 1.0).states(true);
        let layer = layer.bias(case.number("bias") == 1.0);
        match case.inputs.len() {
            1 => is_pytorchs::<1>(&case, layer),
            2 => is_pytorchs::<2>(&case, layer),
            3 => is_pytorchs::<3>(&case, layer),
            _ => is_pytorchs::<4>(&case, layer),
        }
    }
}

fn probe<const N: usize>(layer: Lstm, shapes: [Shape; N]) -> Probe<Lstm, N>
where
    Lstm: Layer<N>,
{
    let probe = Probe::<Lstm, N>::new(layer, Lstm::rule, shapes).unwrap();
    let sizes: Vec<usize> = probe.params().iter().map(Vec::len).collect();
    sizes.into_iter().enumerate().fold(probe, |probe, (i, len)| probe.param(i, &numbers(90 + i as u64, len, 0.3)))
}

/// A window and its steps one by one have the same bits, with padding too; a batch larger than what goes
/// through the steps together keeps the contract.
#[test]
fn a_stream_has_the_bits_of_its_window() {
    let (steps, features) = (5, 3);
    let shapes = [Shape::of([steps, features]), Shape::of([steps])];
    for (units, outputs) in [(2, 1), (7, 5), (33, 17)] {
        for (batch, last) in [(1, false), (3, true), (18, false), (35, true)] {
            let layer = Lstm::new(units).projection(outputs).last(last);
            let x = numbers(batch as u64, batch * steps * features, 1.0);
            let mask: Vec<f32> = (0..batch * steps).map(|i| f32::from(u8::from((i * 7) % 5 < 3))).collect();
            let dy = numbers(8, batch * outputs * if last { 1 } else { steps }, 1.0);
            for isa in Isa::available() {
                let what = |of: &str| format!("{units} to {outputs}, batch {batch}, {}: {of}", isa.name());
                let plain = probe::<1>(layer, [shapes[0]]).isa(isa);
                assert_eq!(plain.stream(batch, [&x]), Some(plain.forward(batch, [&x])), "{}", what("plain"));
                plain.check_contract(batch, [&x], [&dy]).unwrap_or_else(|fault| panic!("{}", what(&fault)));
                let masked = probe::<2>(layer, shapes).isa(isa);
                let window = masked.forward(batch, [&x, &mask]);
                assert_eq!(masked.stream(batch, [&x, &mask]), Some(window), "{}", what("masked"));
                masked.check_contract(batch, [&x, &mask], [&dy]).unwrap_or_else(|fault| panic!("{}", what(&fault)));
            }
        }
    }
}

/// What stands in the padding is nobody's business, forward and backward.
#[test]
fn padding_is_not_looked_at() {
    let layer = Lstm::new(5).projection(3).direction(Direction::Both).bias(false);
    let masked = probe::<2>(layer, [Shape::of([3, 2]), Shape::of([3])]);
    let (mask, x, dy) = ([1.0, 0.0, 1.0], numbers(5, 6, 1.0), numbers(6, 18, 1.0));
    let mut wild = x.clone();
    (wild[2], wild[3]) = (f32::NAN, f32::INFINITY);
    assert_eq!(masked.forward(1, [&wild, &mask]), masked.forward(1, [&x, &mask]));
    let (found, truth) = (masked.gradients(1, [&wild, &mask], [&dy]), masked.gradients(1, [&x, &mask], [&dy]));
    assert_near(&found.inputs[0], &wide(&truth.inputs[0]), &"dx");
    for (k, truth) in truth.params.iter().enumerate() {
        assert_near(&found.params[k], &wide(truth), &format!("parameter {k}"));
    }
}

#[test]
fn faults_say_what_to_type() {
    let fault = |layer: Lstm| layer.rule([Shape::of([12, 5])]).fault().unwrap().as_str().to_owned();
    for outputs in [0, 8, 9] {
        assert_eq!(
            fault(Lstm::new(8).projection(outputs)),
            format!(
                "expected a projection to fewer outputs than the 8 units, and at least 1, found {outputs}\nhelp: write `Lstm(8, projection = 4)`"
            )
        );
    }
    assert_eq!(
        fault(Lstm::new(1).projection(1)),
        "expected a projection to fewer outputs than the 1 units, and at least 1, found 1\nhelp: give more units, such as `Lstm(32, projection = 16)`"
    );
    assert_eq!(
        fault(Lstm::new(8).projection(2).direction(Direction::Both)),
        "expected one way, or no bias, beside a projection, found both ways with biases\nhelp: make two layers, `Lstm(8, projection = 2, direction = Backward)` the second, and join them by `Concat(axis = 1)`"
    );
    let x = [Shape::of([8, 5]), Shape::of([3]), Shape::of([3])];
    assert_eq!(
        Lstm::new(4).projection(3).rule(x).fault().unwrap().as_str(),
        "expected a state with a number for each unit, [4], found [3]\nhelp: declare it as [4]"
    );
    assert!(fault(Lstm::new(1 << 40).projection(3)).starts_with("expected sizes that fit into memory"));
}
