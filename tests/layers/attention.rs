//! `MultiHeadAttention`, against PyTorch and against its formula in double precision.

use nn_runtime::layers::MultiHeadAttention;
use nn_runtime::{Isa, Probe, Rule, Shape};
use nn_tests::fixtures::{Case, load};
use nn_tests::numbers::{assert_near, numbers, slopes, wide};

const PARAMS: [&str; 4] = ["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"];

fn drawn<const N: usize>(layer: MultiHeadAttention, shapes: [Shape; N]) -> Probe<MultiHeadAttention, N> {
    let probe = Probe::new(layer, MultiHeadAttention::rule, shapes).unwrap();
    let sizes: Vec<usize> = probe.params().iter().map(Vec::len).collect();
    sizes.into_iter().enumerate().fold(probe, |probe, (i, len)| probe.param(i, &numbers(60 + i as u64, len, 0.7)))
}

fn against_case<const N: usize>(case: &Case) {
    let flag = |name: &str| case.number(name) == 1.0;
    let layer = MultiHeadAttention::new(case.number("heads") as usize).causal(flag("causal")).bias(flag("bias"));
    let shapes = std::array::from_fn(|k| Shape::of_slice(&case.inputs[k].shape[1..]));
    let batch = case.inputs[0].shape[0];
    let x: [Vec<f32>; N] = std::array::from_fn(|k| case.inputs[k].narrow());
    let (x, dy) = (x.each_ref().map(|x| &x[..]), case.doutput.as_ref().unwrap().narrow());
    for isa in Isa::available() {
        let what = |of: &str| format!("{} {}: {of}", case.name, isa.name());
        let names = PARAMS.into_iter().filter(|name| case.params.contains_key(*name));
        let probe = drawn(layer, shapes).isa(isa);
        assert_eq!(probe.params().len(), case.params.len(), "{}", what("parameters"));
        let probe =
            names.clone().enumerate().fold(probe, |probe, (i, name)| probe.param(i, &case.params[name].narrow()));
        assert_near(&probe.forward(batch, x)[0], &case.output.as_ref().unwrap().data, &what("y"));
        let found = probe.gradients(batch, x, [&dy]);
        for (k, truth) in case.dinputs.iter().enumerate() {
            assert_near(&found.inputs[k], &truth.data, &what(&format!("dx{k}")));
        }
        for (name, found) in names.zip(&found.params) {
            assert_near(found, &case.dparams[name].data, &what(name));
        }
        probe.check_contract(batch, x, [&dy]).unwrap_or_else(|fault| panic!("{}", what(&fault)));
    }
}

#[test]
fn attention_is_pytorchs() {
    for case in load("attention") {
        match case.inputs.len() {
            1 => against_case::<1>(&case),
            2 => against_case::<2>(&case),
            3 => against_case::<3>(&case),
            n => panic!("{}: {n} inputs", case.name),
        }
    }
}

/// An attention by its formula.
#[derive(Clone, Copy)]
struct Formula {
    queries: usize,
    keys: usize,
    features: usize,
    heads: usize,
    causal: bool,
}

impl Formula {
    /// Rows of `x` times some rows of `[3 · features, features]`, or of `[features, features]`.
    fn rows(&self, x: &[f64], w: &[f64], bias: Option<&[f64]>, part: usize) -> Vec<f64> {
        let e = self.features;
        let one = |x: &[f64], j: usize| -> f64 {
            let row = &w[(part * e + j) * e..][..e];
            row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + bias.map_or(0.0, |bias| bias[part * e + j])
        };
        x.chunks(e).flat_map(|x| (0..e).map(move |j| one(x, j))).collect()
    }

    /// The output of one sample; `mask` is 1 for every key that is there.
    fn y(&self, query: &[f64], memory: &[f64], mask: &[f32], params: &[Vec<f64>]) -> Vec<f64> {
        let (e, d) = (self.features, self.features / self.heads);
        let [in_bias, out_bias] =
            if params.len() == 4 { [Some(&params[1][..]), Some(&params[3][..])] } else { [None; 2] };
        let out_weight = &params[params.len() / 2];
        let q = self.rows(query, &params[0], in_bias, 0);
        let [k, v] = [1, 2].map(|part| self.rows(memory, &params[0], in_bias, part));
        let mut context = vec![0.0; self.queries * e];
        for h in 0..self.heads {
            for i in 0..self.queries {
                let seen = |j: &usize| mask[*j] != 0.0 && (!self.causal || *j <= i);
                let score = |j: usize| -> f64 {
                    let dot: f64 = (0..d).map(|c| q[i * e + h * d + c] * k[j * e + h * d + c]).sum();
                    (dot / (d as f64).sqrt()).exp()
                };
                let sum: f64 = (0..self.keys).filter(seen).map(score).sum();
                for j in (0..self.keys).filter(seen) {
                    for c in 0..d {
                        context[i * e + h * d + c] += score(j) / sum * v[j * e + h * d + c];
                    }
                }
            }
        }
        self.rows(&context, out_weight, out_bias, 0)
    }
}

/// Blocks of queries, panels of columns and vectors of features, each with an end of its own: values, and
/// slopes along some directions.
#[test]
fn attention_is_its_formula() {
    for (queries, keys, features, heads, causal, bias) in [
        (1, 1, 2, 1, false, true),
        (33, 5, 10, 2, false, true),
        (40, 40, 12, 3, true, true),
        (5, 67, 34, 2, false, true),
        (17, 18, 33, 1, true, false),
        (3, 4, 65, 5, false, true),
        (6, 3, 64, 2, false, false),
        (32, 32, 64, 4, false, true),
    ] {
        let formula = Formula { queries, keys, features, heads, causal };
        let shapes = [Shape::of([queries, features]), Shape::of([keys, features]), Shape::of([keys])];
        let layer = MultiHeadAttention::new(heads).causal(causal).bias(bias);
        let batch = 3;
        let [query, memory] = [1, 2].map(|k| numbers(k, batch * shapes[k as usize - 1].len(), 1.0));
        // The last sample has no key at all, where keys are not the queries themselves.
        let mask: Vec<f32> = (0..batch * keys).map(|i| f32::from(i < 2 * keys && i % 3 != 1)).collect();
        let dy = numbers(3, batch * queries * features, 1.0);
        let params = drawn(layer, shapes).params();
        let y = |query: &[f64], memory: &[f64], mask: &[f32], params: &[Vec<f64>]| -> Vec<f64> {
            let samples = query.chunks(queries * features).zip(memory.chunks(keys * features)).zip(mask.chunks(keys));
            samples.flat_map(|((query, memory), mask)| formula.y(query, memory, mask, params)).collect()
        };
        let loss = |y: Vec<f64>| -> f64 { y.iter().zip(&dy).map(|(y, &dy)| y * f64::from(dy)).sum() };
        let wide_params: Vec<Vec<f64>> = params.iter().map(|param| wide(param)).collect();
        let (wide_query, wide_memory) = (wide(&query), wide(&memory));
        let truth = y(&wide_query, &wide_memory, &mask, &wide_params);
        // Of each input and each parameter: all its numbers along a few directions, every one with its own
        // slope.
        let tensors: Vec<&[f64]> =
            [&wide_query[..], &wide_memory].into_iter().chain(wide_params.iter().map(|p| &p[..])).collect();
        let with = |t: usize, x: &[f64]| -> f64 {
            let mut tensors = tensors.clone();
            tensors[t] = x;
            let params: Vec<Vec<f64>> = tensors[2..].iter().map(|param| param.to_vec()).collect();
            loss(y(tensors[0], tensors[1], &mask, &params))
        };
        let mut directions = Vec::new();
        for (t, at) in tensors.iter().enumerate() {
            for seed in 0..2 {
                let way = wide(&numbers(40 + seed, at.len(), 1.0));
                let moved = |by: f64| -> Vec<f64> { at.iter().zip(&way).map(|(at, way)| at + by * way).collect() };
                let slope = slopes(&[0.0], |by| with(t, &moved(by[0])))[0];
                directions.push((t, way, slope));
            }
        }
        for isa in Isa::available() {
            let what = |of: &str| format!("{queries} to {keys} of {features}, heads {heads}, {}: {of}", isa.name());
            let probe = drawn(layer, shapes).isa(isa);
            let x = [&query[..], &memory, &mask];
            assert_near(&probe.forward(batch, x)[0], &truth, &what("y"));
            let found = probe.gradients(batch, x, [&dy]);
            for (t, way, slope) in &directions {
                let found = if *t < 2 { &found.inputs[*t] } else { &found.params[*t - 2] };
                let told: f64 = found.iter().zip(way).map(|(found, way)| f64::from(*found) * way).sum();
                let size = wide(found).iter().map(|x| x * x).sum::<f64>().sqrt() * (way.len() as f64).sqrt();
                assert!(
                    (slope - told).abs() <= 1e-5 * size.max(1e-3),
                    "{}: {told} instead of {slope}",
                    what(&format!("tensor {t}"))
                );
            }
            assert!(found.inputs[2].iter().all(|&d| d == 0.0), "{}", what("dmask"));
            probe.check_contract(batch, x, [&dy]).unwrap_or_else(|fault| panic!("{}", what(&fault)));
        }
    }
}

/// Nothing to see: 0 before the output product, so what is left is its bias; and nothing that is not a
/// number, either way.
#[test]
fn a_query_that_sees_no_key_gives_the_bias() {
    for isa in Isa::available() {
        let probe = drawn(MultiHeadAttention::new(2), [Shape::of([3, 4]), Shape::of([3])]).isa(isa);
        let (x, mask) = (numbers(1, 12, 1.0), [0.0; 3]);
        let [y] = probe.forward(1, [&x, &mask]);
        let bias = &probe.params()[3];
        assert!(y.chunks(4).all(|y| y == &bias[..]), "{}: {y:?} instead of {bias:?}", isa.name());
        let found = probe.gradients(1, [&x, &mask], [&[1.0; 12]]);
        assert_eq!(found.inputs[0], [0.0; 12], "{}", isa.name());
        assert!(found.params.iter().flatten().all(|d| d.is_finite()), "{}", isa.name());
    }
}

/// Whatever the size of the scores, weights are weights: the nearest key takes all.
#[test]
fn large_scores_do_not_overflow() {
    for isa in Isa::available() {
        let layer = MultiHeadAttention::new(1).bias(false);
        let probe = Probe::new(layer, MultiHeadAttention::rule, [Shape::of([3, 2])]).unwrap().isa(isa);
        let one = [1.0, 0.0, 0.0, 1.0];
        let probe = probe.param(0, &one.repeat(3)).param(1, &one);
        let [y] = probe.forward(1, [&[1000.0, 0.0, 0.0, 1000.0, 500.0, 0.0]]);
        assert_eq!(y, [1000.0, 0.0, 0.0, 1000.0, 1000.0, 0.0], "{}", isa.name());
    }
}

fn says(rule: Rule, text: &str) {
    assert_eq!(rule.fault().expect("a fault").as_str(), text);
}

#[test]
fn faults_say_what_to_type() {
    let (layer, x) = (MultiHeadAttention::new(3), Shape::of([5, 6]));
    says(
        layer.rule([Shape::of([5, 8])]),
        "expected features in 3 equal heads, found 8 features\n\
         help: write `MultiHeadAttention(2)`, or make the layers before it give 9 features",
    );
    says(
        MultiHeadAttention::new(0).rule([x]),
        "expected at least 1 head, found 0\nhelp: give the number of heads, such as `MultiHeadAttention(4)`",
    );
    says(
        layer.rule([Shape::of([5])]),
        "expected an input of [steps, features], found [5]\n\
         help: put `Embedding(vocabulary, features)` before it if these are token ids",
    );
    says(
        layer.rule([x, Shape::of([7, 8])]),
        "expected a memory of as many features as the query, [5, 6], found [7, 8]\n\
         help: put `DensePerStep(6)` before input 2",
    );
    says(
        layer.rule([x, Shape::of([4])]),
        "expected a mask of one number for each of 5 steps, found [4]\nhelp: declare it as [5]: 1 a step, 0 padding",
    );
    says(
        layer.rule([x, Shape::of([7, 6]), Shape::of([5])]),
        "expected a mask of one number for each of 7 steps, found [5]\nhelp: declare it as [7]: 1 a step, 0 padding",
    );
    says(
        layer.rule([x, Shape::of([7, 6]), Shape::of([7, 6])]),
        "expected a query, perhaps a memory, and perhaps a mask, found 3 inputs, the last of [7, 6]\n\
         help: write `(query, memory, mask) -> …`, with a mask of [7]; `values = true` takes values of their own",
    );
    says(
        layer.rule([x, Shape::of([1, 5, 6])]),
        "expected a second input of [steps, features], or a mask of [steps], found [1, 5, 6]\n\
         help: write `(query, memory) -> …` or `(x, mask) -> …`",
    );
    for huge in [Shape::of([1 << 40, 6]), Shape::of([5, 3 << 40])] {
        assert!(layer.rule([huge]).fault().unwrap().as_str().starts_with("expected sizes that fit into memory"));
    }
    assert!(!layer.rule([Shape::UNKNOWN]).is_ok());
    assert!(!layer.rule([x, Shape::UNKNOWN]).is_ok());
}
