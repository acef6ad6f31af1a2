//! `MultiHeadAttention` with a mask or numbers for each score, values or weights of its own, and dropout:
//! against PyTorch, and with dropout against its formula.

use nn_runtime::layers::MultiHeadAttention;
use nn_runtime::{Isa, Layer, Probe, Shape};
use nn_tests::fixtures::{Case, load};
use nn_tests::numbers::{assert_near, numbers, slopes, wide};

const PARAMS: [&str; 4] = ["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"];

fn drawn<const N: usize, const M: usize>(
    layer: MultiHeadAttention,
    shapes: [Shape; N],
) -> Probe<MultiHeadAttention, N, M>
where
    MultiHeadAttention: Layer<N, M>,
{
    let probe = Probe::new(layer, MultiHeadAttention::rule, shapes).unwrap();
    let sizes: Vec<usize> = probe.params().iter().map(Vec::len).collect();
    sizes.into_iter().enumerate().fold(probe, |probe, (i, len)| probe.param(i, &numbers(60 + i as u64, len, 0.7)))
}

fn against_case<const N: usize, const M: usize>(case: &Case) {
    let flag = |name: &str| case.number(name) != 0.0;
    let layer = MultiHeadAttention::new(case.number("heads") as usize).causal(flag("causal")).bias(flag("bias"));
    let layer = layer.values(flag("values")).attn_mask(flag("allowed")).attn_bias(flag("added"));
    let layer = layer.weights(flag("weights"));
    let shapes = std::array::from_fn(|k| Shape::of_slice(&case.inputs[k].shape[1..]));
    let batch = case.inputs[0].shape[0];
    let x: [Vec<f32>; N] = std::array::from_fn(|k| case.inputs[k].narrow());
    let x = x.each_ref().map(|x| &x[..]);
    let outputs: Vec<_> = case.output.iter().chain(&case.outputs).collect();
    let dy: Vec<Vec<f32>> = case.doutput.iter().chain(&case.doutputs).map(|dy| dy.narrow()).collect();
    assert_eq!([outputs.len(), dy.len()], [M; 2], "{}", case.name);
    let dy: [&[f32]; M] = std::array::from_fn(|j| &dy[j][..]);
    // Masks have no gradient, wherever they stand.
    let masks = [
        flag("allowed").then(|| N - 1 - usize::from(flag("masked")) - usize::from(flag("added"))),
        flag("masked").then(|| N - 1),
    ];
    let learns: Vec<usize> = (0..N).filter(|k| !masks.contains(&Some(*k))).collect();
    assert_eq!(learns.len(), case.dinputs.len());
    for isa in Isa::available() {
        let what = |of: &str| format!("{} {}: {of}", case.name, isa.name());
        let names = PARAMS.into_iter().filter(|name| case.params.contains_key(*name));
        let probe = drawn::<N, M>(layer, shapes).isa(isa);
        let probe =
            names.clone().enumerate().fold(probe, |probe, (i, name)| probe.param(i, &case.params[name].narrow()));
        for (j, y) in probe.forward(batch, x).iter().enumerate() {
            assert_near(y, &outputs[j].data, &what(&format!("y{j}")));
        }
        let found = probe.gradients(batch, x, dy);
        for (k, truth) in learns.iter().zip(&case.dinputs) {
            assert_near(&found.inputs[*k], &truth.data, &what(&format!("dx{k}")));
        }
        masks.iter().flatten().for_each(|k| assert!(found.inputs[*k].iter().all(|d| *d == 0.0), "{}", what("masks")));
        for (name, found) in names.zip(&found.params) {
            assert_near(found, &case.dparams[name].data, &what(name));
        }
        probe.check_contract(batch, x, dy).unwrap_or_else(|fault| panic!("{}", what(&fault)));
    }
}

#[test]
fn masks_values_and_weights_are_pytorchs() {
    for case in load("attention_general") {
        match (case.inputs.len(), case.number("weights") as usize) {
            (2, 0) => against_case::<2, 1>(&case),
            (2, 1) => against_case::<2, 2>(&case),
            (3, 0) => against_case::<3, 1>(&case),
            (3, 1) => against_case::<3, 2>(&case),
            (4, 0) => against_case::<4, 1>(&case),
            (4, 1) => against_case::<4, 2>(&case),
            (5, 1) => against_case::<5, 2>(&case),
            (6, 1) => against_case::<6, 2>(&case),
            (n, m) => panic!("{}: {n} inputs, weights {m}", case.name),
        }
    }
}

/// One head in double precision, whose weights are multiplied by `kept`: its output, and what is used.
fn truth(x: &[f64], kept: &[f64], steps: usize, params: &[Vec<f64>]) -> [Vec<f64>; 2] {
    let e = x.len() / steps;
    let rows = |x: &[f64], w: &[f64], bias: &[f64]| -> Vec<f64> {
        let one = |x: &[f64], j: usize| bias[j] + (0..e).map(|i| w[j * e + i] * x[i]).sum::<f64>();
        x.chunks(e).flat_map(|x| (0..e).map(move |j| one(x, j))).collect()
    };
    let [q, k, v] = [0, 1, 2].map(|p| rows(x, &params[0][p * e * e..], &params[1][p * e..]));
    let (mut context, mut used) = (vec![0.0; steps * e], vec![0.0; steps * steps]);
    for i in 0..steps {
        let score = |j: usize| ((0..e).map(|c| q[i * e + c] * k[j * e + c]).sum::<f64>() / (e as f64).sqrt()).exp();
        let sum: f64 = (0..steps).map(score).sum();
        for j in 0..steps {
            used[i * steps + j] = score(j) / sum * kept[i * steps + j];
            (0..e).for_each(|c| context[i * e + c] += used[i * steps + j] * v[j * e + c]);
        }
    }
    [rows(&context, &params[2], &params[3]), used]
}

/// What is dropped is seen in the weights that are told; values and gradients follow from it.
#[test]
fn dropout_of_weights_is_its_formula() {
    for (steps, features) in [(1, 3), (5, 7), (18, 4)] {
        let (batch, rate) = (3, 0.4);
        let layer = MultiHeadAttention::new(1).dropout(rate).weights(true);
        let x = numbers(1, batch * steps * features, 1.0);
        let dy = [numbers(2, x.len(), 1.0), numbers(3, batch * steps * steps, 1.0)];
        for isa in Isa::available() {
            let what = |of: &str| format!("{steps} x {features}, {}: {of}", isa.name());
            let probe = drawn::<1, 2>(layer, [Shape::of([steps, features])]).isa(isa);
            let calm = probe.forward(batch, [&x]);
            let probe = probe.training(7, 3);
            let [y, used] = probe.forward(batch, [&x]);
            let factor = 1.0 / (1.0 - f64::from(rate));
            let kept: Vec<f64> = used.iter().map(|used| if *used == 0.0 { 0.0 } else { factor }).collect();
            let dropped = kept.iter().filter(|kept| **kept == 0.0).count();
            assert!(steps < 5 || (1..kept.len()).contains(&dropped), "{}", what("dropped"));
            let params: Vec<Vec<f64>> = probe.params().iter().map(|param| wide(param)).collect();
            let all = |x: &[f64], kept: &[f64], params: &[Vec<f64>]| -> [Vec<f64>; 2] {
                let (mut y, mut used) = (Vec::new(), Vec::new());
                for (x, kept) in x.chunks(steps * features).zip(kept.chunks(steps * steps)) {
                    let [one, weights] = truth(x, kept, steps, params);
                    y.extend(one);
                    used.extend(weights);
                }
                [y, used]
            };
            let expected = all(&wide(&x), &kept, &params);
            assert_near(&y, &expected[0], &what("y"));
            assert_near(&used, &expected[1], &what("weights"));
            let none = all(&wide(&x), &vec![1.0; kept.len()], &params);
            assert_near(&calm[0], &none[0], &what("prediction"));
            let loss = |[y, used]: [Vec<f64>; 2]| -> f64 {
                let dot = |a: &[f64], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * f64::from(*b)).sum::<f64>();
                dot(&y, &dy[0]) + dot(&used, &dy[1])
            };
            let found = probe.gradients(batch, [&x], [&dy[0], &dy[1]]);
            let dx = slopes(&wide(&x), |x| loss(all(x, &kept, &params)));
            assert_near(&found.inputs[0], &dx, &what("dx"));
            for (i, found) in found.params.iter().enumerate() {
                let truth = slopes(&params[i], |param| {
                    let mut params = params.clone();
                    params[i] = param.to_vec();
                    loss(all(&wide(&x), &kept, &params))
                });
                assert_near(found, &truth, &what(PARAMS[i]));
            }
            probe.check_contract(batch, [&x], [&dy[0], &dy[1]]).unwrap_or_else(|fault| panic!("{}", what(&fault)));
        }
    }
}

/// Dropout costs predictions nothing: the same bits as without, in windows and in streams.
#[test]
fn predictions_know_no_dropout() {
    let shape = [Shape::of([6, 8])];
    let x = numbers(1, 3 * 48, 1.0);
    for isa in Isa::available() {
        let plain = drawn::<1, 1>(MultiHeadAttention::new(2).causal(true), shape).isa(isa);
        let dropping = drawn::<1, 1>(MultiHeadAttention::new(2).causal(true).dropout(0.5), shape).isa(isa);
        assert_eq!(dropping.forward(3, [&x]), plain.forward(3, [&x]), "{}", isa.name());
        assert_eq!(dropping.stream(3, [&x]), Some(plain.forward(3, [&x])), "{}", isa.name());
        assert_ne!(dropping.training(1, 1).forward(3, [&x]), plain.forward(3, [&x]), "{}", isa.name());
    }
}

/// A query that sees nothing has weights of 0; padding need not be finite.
#[test]
fn nothing_seen_is_nothing_and_padding_is_not_looked_at() {
    let shapes = [Shape::of([3, 4]), Shape::of([3, 3]), Shape::of([3])];
    let layer = MultiHeadAttention::new(2).attn_mask(true).weights(true);
    let (x, allowed) = (numbers(1, 12, 1.0), [1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
    let probe = drawn::<3, 2>(layer, shapes);
    let y = probe.forward(1, [&x, &allowed, &[1.0, 1.0, 0.0]]);
    assert_eq!(y[1][3..6], [0.0; 3]);
    let mut wild = x.clone();
    wild[8..].fill(f32::NAN);
    let found = probe.forward(1, [&wild, &allowed, &[1.0, 1.0, 0.0]]);
    assert_eq!([&found[0][..8], &found[1][..6]], [&y[0][..8], &y[1][..6]]);
    let mut dy = [numbers(2, 12, 1.0), numbers(3, 9, 1.0)];
    dy[0][8..].fill(0.0);
    dy[1][6..].fill(0.0);
    let [found, truth] = [&wild, &x].map(|x| probe.gradients(1, [x, &allowed, &[1.0, 1.0, 0.0]], [&dy[0], &dy[1]]));
    assert_eq!(found.inputs, truth.inputs);
    assert_eq!(found.params, truth.params);
}

#[test]
fn faults_say_what_to_type() {
    fn fault<const N: usize>(layer: MultiHeadAttention, x: [Shape; N]) -> String {
        layer.rule(x).fault().unwrap_or_else(|| panic!("expected a fault on {x:?}")).as_str().to_owned()
    }
    let (x, memory) = (Shape::of([5, 8]), Shape::of([3, 8]));
    let layer = MultiHeadAttention::new(2);
    assert_eq!(
        fault(layer.dropout(1.0), [x]),
        "expected a dropout from 0 up to but without 1, found 1\nhelp: give the share of the weights to drop, such as `dropout = 0.1`"
    );
    assert_eq!(
        fault(layer.attn_mask(true), [x]),
        "expected a query, a mask of [steps, keys], and perhaps a mask of keys, found 1 input\nhelp: write `(x, allowed) -> …`"
    );
    assert_eq!(
        fault(layer.values(true).attn_bias(true), [x, memory]),
        "expected a query, keys, values, what is added to the scores, and perhaps a mask of keys, found 2 inputs\nhelp: write `(query, keys, values, added) -> …`"
    );
    assert_eq!(
        fault(layer.attn_mask(true), [x, memory, Shape::of([5, 5])]),
        "expected a mask of a number for each query and key, [5, 3], or for each head, [2, 5, 3], found [5, 5]\nhelp: declare input 3 as [5, 3]"
    );
    assert_eq!(
        fault(layer.attn_bias(true), [x, Shape::of([3, 5, 5])]),
        "expected what is added to the scores of a number for each query and key, [5, 5], or for each head, [2, 5, 5], found [3, 5, 5]\nhelp: declare input 2 as [5, 5]"
    );
    assert_eq!(
        fault(layer.values(true), [x, memory, x]),
        "expected values for each key, [3, 8], found [5, 8]\nhelp: write `(query, keys, values) -> …`, with keys and values of the same shape"
    );
    assert_eq!(
        fault(layer, [x, memory, memory]),
        "expected a query, perhaps a memory, and perhaps a mask, found 3 inputs, the last of [3, 8]\nhelp: write `(query, memory, mask) -> …`, with a mask of [3]; `values = true` takes values of their own"
    );
}
