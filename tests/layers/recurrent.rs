//! `Rnn`, `Gru`, `Lstm`: every direction, the last step, masks, streams.

use nn_runtime::layers::{Direction, Gru, Lstm, Rnn};
use nn_runtime::{Init, Isa, Layer, Probe, Shape};
use nn_tests::fixtures::{Case, load};
use nn_tests::numbers::{assert_near, numbers, slopes, wide};

use super::recurrent_cells::{Kind, ReluRnn, ResetFirst};

/// Where a parameter stands in a rule, by PyTorch's name.
const NAMES: [&str; 4] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];

fn direction(word: &str) -> Direction {
    match word {
        "forward" => Direction::Forward,
        "backward" => Direction::Backward,
        "both" => Direction::Both,
        _ => panic!("no direction {word}"),
    }
}

/// What a layer is to be.
#[derive(Clone, Copy, Debug)]
struct Form {
    steps: usize,
    features: usize,
    units: usize,
    direction: Direction,
    last: bool,
    bias: bool,
}

impl Form {
    fn layer<K: Kind>(&self) -> K::Of {
        K::with(K::make(self.units), self.direction, self.last, self.bias)
    }

    /// One sample in double precision; a step counts where its mask is not 0.
    fn formula<K: Kind>(&self, x: &[f64], mask: &[f64], params: &[Vec<f64>]) -> Vec<f64> {
        let ways = if self.direction == Direction::Both { 2 } else { 1 };
        let each = params.len() / ways;
        let rows = K::GATES * self.units;
        let mut y = vec![0.0; ways * self.units * if self.last { 1 } else { self.steps }];
        for way in 0..ways {
            let params = &params[way * each..][..each];
            let product = |k: usize, from: &[f64]| -> Vec<f64> {
                let sum = |row: &[f64]| row.iter().zip(from).map(|(w, x)| w * x).sum::<f64>();
                (0..rows)
                    .map(|j| {
                        let bias = params.get(k + 2).map_or(0.0, |bias| bias[j]);
                        sum(&params[k][j * from.len()..][..from.len()]) + bias
                    })
                    .collect()
            };
            let back = way == 1 || self.direction == Direction::Backward;
            let mut state = [vec![0.0; self.units], vec![0.0; self.units]];
            for k in 0..self.steps {
                let s = if back { self.steps - 1 - k } else { k };
                if mask[s] != 0.0 {
                    let of_x = product(0, &x[s * self.features..][..self.features]);
                    K::go_on(&of_x, &|from: &[f64]| product(1, from), &mut state);
                    if !self.last {
                        let at = (s * ways + way) * self.units;
                        y[at..at + self.units].copy_from_slice(&state[0]);
                    }
                }
            }
            if self.last {
                y[way * self.units..][..self.units].copy_from_slice(&state[0]);
            }
        }
        y
    }

    /// A probe with drawn parameters.
    fn probe<K: Kind<Of: Layer<N>>, const N: usize>(&self) -> Probe<K::Of, N> {
        let shapes = [Shape::of([self.steps, self.features]), Shape::of([self.steps])];
        let shapes: [Shape; N] = std::array::from_fn(|k| shapes[k]);
        let probe = Probe::new(self.layer::<K>(), K::ask, shapes).unwrap();
        let sizes: Vec<usize> = probe.params().iter().map(Vec::len).collect();
        let size = 0.7 / (self.units as f32).sqrt();
        sizes.into_iter().enumerate().fold(probe, |probe, (i, len)| probe.param(i, &numbers(90 + i as u64, len, size)))
    }
}

fn forms() -> Vec<Form> {
    let mut forms = Vec::new();
    for (steps, features, units) in [(1, 1, 1), (3, 5, 7), (4, 1, 32), (3, 17, 2), (2, 3, 33)] {
        for direction in [Direction::Forward, Direction::Backward, Direction::Both] {
            for last in [false, true] {
                forms.push(Form { steps, features, units, direction, last, bias: features != 5 });
            }
        }
    }
    forms
}

/// Padding anywhere: before, between and after steps, and everywhere.
fn masks(batch: usize, steps: usize) -> Vec<f32> {
    (0..batch * steps).map(|i| f32::from(u8::from(i / steps != 2 && (i * 7 + i / steps * 3) % 5 < 3))).collect()
}

fn is_pytorchs<K: Kind>() {
    for case in load(K::FILE) {
        match case.inputs.len() {
            1 => one_of_pytorchs::<K, 1>(&case),
            _ => one_of_pytorchs::<K, 2>(&case),
        }
    }
}

fn one_of_pytorchs<K: Kind<Of: Layer<N>>, const N: usize>(case: &Case) {
    let units = case.number("units") as usize;
    let (last, bias) = (case.number("last") == 1.0, case.number("bias") == 1.0);
    let layer = K::with(K::make(units), direction(case.word("direction")), last, bias);
    let shapes: [Shape; N] = std::array::from_fn(|k| Shape::of_slice(&case.inputs[k].shape[1..]));
    let inputs: Vec<Vec<f32>> = case.inputs.iter().map(|x| x.narrow()).collect();
    let x: [&[f32]; N] = std::array::from_fn(|k| &inputs[k][..]);
    let (batch, dy) = (case.inputs[0].shape[0], case.doutput.as_ref().unwrap().narrow());
    let bases = if bias { &NAMES[..] } else { &NAMES[..2] };
    let names: Vec<String> =
        ["", "_reverse"].iter().flat_map(|way| bases.iter().map(move |name| format!("{name}{way}"))).collect();
    for isa in Isa::available() {
        let mut probe = Probe::<K::Of, N>::new(layer, K::ask, shapes).unwrap().isa(isa);
        assert_eq!(probe.params().len(), case.params.len(), "{}: parameters", case.name);
        for (i, name) in names.iter().take(case.params.len()).enumerate() {
            probe = probe.param(i, &case.params[name].narrow());
        }
        let what = |of: &str| format!("{} {} {}: {of}", K::FILE, case.name, isa.name());
        assert_near(&probe.forward(batch, x)[0], &case.output.as_ref().unwrap().data, &what("y"));
        let found = probe.gradients(batch, x, [&dy]);
        assert_near(&found.inputs[0], &case.dinputs[0].data, &what("dx"));
        for (name, found) in names.iter().zip(&found.params) {
            assert_near(found, &case.dparams[name].data, &what(name));
        }
        probe.check_contract(batch, x, [&dy]).unwrap_or_else(|fault| panic!("{}", what(&fault)));
    }
}

/// `N` inputs, the second a mask with padding anywhere.
fn is_its_formula<K: Kind<Of: Layer<N>>, const N: usize>() {
    for form in forms() {
        for batch in [1, 2, 17] {
            // Differences of many numbers take long, and tell nothing more.
            let few = batch == 2 && form.units < 10;
            let x = numbers(batch as u64, batch * form.steps * form.features, 1.0);
            let mask = if N == 2 { masks(batch, form.steps) } else { vec![1.0; batch * form.steps] };
            let probe = form.probe::<K, N>();
            let params: Vec<Vec<f64>> = probe.params().iter().map(|param| wide(param)).collect();
            let y = |x: &[f64], params: &[Vec<f64>]| -> Vec<f64> {
                let samples = x.chunks(form.steps * form.features).zip(mask.chunks(form.steps));
                samples.flat_map(|(x, mask)| form.formula::<K>(x, &wide(mask), params)).collect()
            };
            let expected = y(&wide(&x), &params);
            let dy = numbers(300 + batch as u64, expected.len(), 1.0);
            let loss = |y: Vec<f64>| -> f64 { y.iter().zip(&dy).map(|(y, &dy)| y * f64::from(dy)).sum() };
            let dx = if few { slopes(&wide(&x), |x| loss(y(x, &params))) } else { Vec::new() };
            let dparams: Vec<Vec<f64>> = (0..if few { params.len() } else { 0 })
                .map(|i| {
                    let with = |param: &[f64]| {
                        let mut params = params.clone();
                        params[i] = param.to_vec();
                        params
                    };
                    slopes(&params[i], |param| loss(y(&wide(&x), &with(param))))
                })
                .collect();
            for isa in Isa::available() {
                let probe = form.probe::<K, N>().isa(isa);
                let inputs: [&[f32]; N] = std::array::from_fn(|k| if k == 0 { &x[..] } else { &mask[..] });
                let what = |of: &str| format!("{} {form:?}, batch {batch}, {}: {of}", K::FILE, isa.name());
                assert_near(&probe.forward(batch, inputs)[0], &expected, &what("y"));
                probe.check_contract(batch, inputs, [&dy]).unwrap_or_else(|fault| panic!("{}", what(&fault)));
                if few {
                    let found = probe.gradients(batch, inputs, [&dy]);
                    assert_near(&found.inputs[0], &dx, &what("dx"));
                    for (i, (found, truth)) in found.params.iter().zip(&dparams).enumerate() {
                        assert_near(found, truth, &what(&format!("parameter {i}")));
                    }
                    found.inputs.iter().skip(1).for_each(|dmask| assert!(dmask.iter().all(|&d| d == 0.0)));
                }
            }
        }
    }
}

/// A window and its steps one by one have the same bits; what sees later steps does not stream.
fn streams<K: Kind<Of: Layer<N>>, const N: usize>() {
    for form in forms() {
        for batch in [1, 3, 18] {
            let x = numbers(70 + batch as u64, batch * form.steps * form.features, 1.0);
            let mask = masks(batch, form.steps);
            let inputs: [&[f32]; N] = std::array::from_fn(|k| if k == 0 { &x[..] } else { &mask[..] });
            for isa in Isa::available() {
                let probe = form.probe::<K, N>().isa(isa);
                let expected = (form.direction == Direction::Forward).then(|| probe.forward(batch, inputs));
                assert_eq!(probe.stream(batch, inputs), expected, "{} {form:?} {}", K::FILE, isa.name());
            }
        }
    }
}

#[test]
fn rnn_is_pytorchs() {
    is_pytorchs::<Rnn>();
    is_pytorchs::<ReluRnn>();
}

#[test]
fn gru_is_pytorchs() {
    is_pytorchs::<Gru>();
    is_pytorchs::<ResetFirst>();
}

#[test]
fn lstm_is_pytorchs() {
    is_pytorchs::<Lstm>();
}

#[test]
fn recurrences_are_their_formulas() {
    is_its_formula::<Rnn, 1>();
    is_its_formula::<ReluRnn, 1>();
    is_its_formula::<Gru, 1>();
    is_its_formula::<ResetFirst, 1>();
    is_its_formula::<Lstm, 1>();
}

#[test]
fn padding_anywhere_is_left_out() {
    is_its_formula::<Rnn, 2>();
    is_its_formula::<ReluRnn, 2>();
    is_its_formula::<Gru, 2>();
    is_its_formula::<ResetFirst, 2>();
    is_its_formula::<Lstm, 2>();
}

#[test]
fn a_stream_has_the_bits_of_its_window() {
    streams::<Rnn, 1>();
    streams::<ReluRnn, 1>();
    streams::<Gru, 1>();
    streams::<ResetFirst, 1>();
    streams::<Lstm, 1>();
    streams::<Rnn, 2>();
    streams::<ReluRnn, 2>();
    streams::<Gru, 2>();
    streams::<ResetFirst, 2>();
    streams::<Lstm, 2>();
}

/// A batch larger than what goes through the steps together, and steps whose gradients are added in several
/// blocks.
#[test]
fn long_sequences_and_large_batches_keep_the_contract() {
    for direction in [Direction::Forward, Direction::Both] {
        let form = Form { steps: 3, features: 2, units: 18, direction, last: false, bias: true };
        let (x, mask) = (numbers(5, 35 * 3 * 2, 1.0), masks(35, 3));
        let dy = numbers(6, 35 * 3 * 18 * if direction == Direction::Both { 2 } else { 1 }, 1.0);
        for isa in Isa::available() {
            form.probe::<ResetFirst, 2>().isa(isa).check_contract(35, [&x, &mask], [&dy]).unwrap();
            form.probe::<Gru, 2>().isa(isa).check_contract(35, [&x, &mask], [&dy]).unwrap();
            form.probe::<Lstm, 1>().isa(isa).check_contract(35, [&x], [&dy]).unwrap();
        }
    }
}

/// What stands in the padding is nobody's business, even where it is no number.
#[test]
fn padding_is_not_looked_at() {
    let form = Form { steps: 3, features: 2, units: 5, direction: Direction::Both, last: false, bias: true };
    let (mask, x) = ([1.0, 0.0, 1.0], numbers(5, 6, 1.0));
    let mut wild = x.clone();
    (wild[2], wild[3]) = (f32::NAN, f32::INFINITY);
    let y = form.probe::<Lstm, 2>().forward(1, [&x, &mask]);
    assert_eq!(form.probe::<Lstm, 2>().forward(1, [&wild, &mask]), y);
    assert!(y[0][10..20].iter().all(|&y| y == 0.0) && y[0].iter().all(|y| y.is_finite()));
}

#[test]
fn parameters_are_pytorchs_and_begin_as_asked() {
    let x = [Shape::of([4, 3])];
    let probe = Probe::<Lstm>::new(Lstm::new(16).direction(Direction::Both), Lstm::rule, x).unwrap();
    let sizes: Vec<usize> = probe.params().iter().map(Vec::len).collect();
    assert_eq!(sizes, [192, 1024, 64, 64, 192, 1024, 64, 64]);
    for param in probe.params() {
        assert!(param.iter().all(|p| p.abs() <= 0.25) && param.iter().any(|p| p.abs() > 0.22), "{param:?}");
    }
    let layer =
        Gru::new(2).init(Init::Constant(1.0)).recurrent_init(Init::Constant(2.0)).bias_init(Init::Constant(3.0));
    let probe = Probe::<Gru>::new(layer, Gru::rule, x).unwrap();
    assert_eq!(probe.params(), [vec![1.0; 18], vec![2.0; 12], vec![3.0; 6], vec![3.0; 6]]);
}

fn fault<const N: usize>(units: usize, x: [Shape; N]) -> String {
    let fault = Lstm::new(units).rule(x).fault().unwrap_or_else(|| panic!("expected a fault on {x:?}"));
    fault.as_str().to_owned()
}

#[test]
fn faults_say_what_to_type() {
    let x = Shape::of([12, 5]);
    assert_eq!(
        fault(0, [x]),
        "expected at least 1 unit, found 0\nhelp: give the number of outputs, such as `Lstm(32)`"
    );
    assert_eq!(
        fault(4, [Shape::of([12])]),
        "expected an input of [steps, features], found [12]\nhelp: put `Reshape([12, 1])` before it, use `Embedding` on token ids, or leave `last = true` out of a recurrent layer before it"
    );
    assert_eq!(
        fault(4, [Shape::of([3, 8, 8])]),
        "expected an input of [steps, features], found [3, 8, 8]\n\
         help: put `Permute([2, 0, 1]) -> Reshape([8, 24])` before it: each column is a step"
    );
    assert_eq!(
        fault(4, [x, Shape::of([10])]),
        "expected a mask with a number for each step, [12], found [10]\nhelp: make it 1 at a step and 0 at padding, and declare it as [12]"
    );
    assert_eq!(
        fault(4, [x; 5]),
        "expected a sequence, and perhaps the state before it and a mask, found 5 inputs\nhelp: write `x -> Lstm(4)`, `(x, mask) -> Lstm(4)` or `(x, h0, c0) -> Lstm(4)`"
    );
    assert!(fault(4, [Shape::of([0, 5])]).contains("at least one number"));
    for (units, x) in [(usize::MAX / 2, x), (1 << 40, x), (4, Shape::of([1 << 44, 1 << 10]))] {
        assert!(fault(units, [x]).starts_with("expected sizes that fit into memory"));
    }
    fault(4, [Shape::UNKNOWN]);
}
