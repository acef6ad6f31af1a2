//! What the tests of graphs share: layers by their formulas, and gradients by differences. In: a model; out:
//! numbers, or a panic. It uses of a model nothing but its parameters by name and its predictions.

use nn_runtime::{Model, Network};
use nn_tests::numbers::{distance, numbers, wide};

/// How far gradients may be off, as a share of their norm: differences are those of 32-bit predictions, with
/// a step of 0.01.
const SLOPES: f64 = 2e-3;
pub const SAMPLES: usize = 3;

/// Numbers for a network's inputs, `[samples, width]` each.
pub fn samples(widths: &[usize]) -> Vec<Vec<f32>> {
    widths.iter().enumerate().map(|(k, width)| numbers(7 + k as u64, SAMPLES * width, 1.0)).collect()
}

/// A model with parameters that are not 0 anywhere.
pub fn model<N: Network>() -> Model<N> {
    let mut model = Model::<N>::init(1);
    for (i, tensor) in model.tensors().iter().enumerate() {
        model.set(&tensor.name, &numbers(100 + i as u64, tensor.count(), 0.8)).unwrap();
    }
    model
}

/// The names of all parameters.
pub fn names<N: Network>(model: &Model<N>) -> Vec<String> {
    model.tensors().into_iter().map(|tensor| tensor.name).collect()
}

/// `W·x + b` with the parameters of a site.
pub fn dense<N: Network>(model: &Model<N>, site: &str, x: &[f64]) -> Vec<f64> {
    let [weight, bias] = ["weight", "bias"].map(|param| wide(&model.get(&format!("{site}.{param}")).unwrap()));
    let dot = |w: &[f64]| -> f64 { w.iter().zip(x).map(|(w, x)| w * x).sum() };
    weight.chunks(x.len()).zip(&bias).map(|(w, bias)| dot(w) + bias).collect()
}

pub fn tanh(x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| x.tanh()).collect()
}

pub fn sum(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

pub fn product(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}

/// The outputs for all samples.
pub fn predict<N: Network>(model: &Model<N>, x: &[Vec<f32>], widths: &[usize]) -> Vec<Vec<f32>> {
    let x: Vec<&[f32]> = x.iter().map(|x| &x[..]).collect();
    let mut y: Vec<Vec<f32>> = widths.iter().map(|width| vec![0.0; SAMPLES * width]).collect();
    let mut slices: Vec<&mut [f32]> = y.iter_mut().map(|y| &mut y[..]).collect();
    model.predictor(2).predict_into(&x, &mut slices).unwrap();
    y
}

/// The network against its pieces, `by_hand(model, inputs of one sample)`, and its gradients against
/// differences.
#[track_caller]
pub fn check<N: Network>(
    model: &mut Model<N>,
    inputs: &[usize],
    outputs: &[usize],
    by_hand: impl Fn(&Model<N>, &[Vec<f64>]) -> Vec<Vec<f64>>,
) {
    let x = samples(inputs);
    let y = predict(model, &x, outputs);
    for s in 0..SAMPLES {
        let sample: Vec<Vec<f64>> = x.iter().zip(inputs).map(|(x, n)| wide(&x[s * n..][..*n])).collect();
        for (j, truth) in by_hand(model, &sample).iter().enumerate() {
            let off = distance(&y[j][s * outputs[j]..][..outputs[j]], truth);
            assert!(off < 1e-5, "output {j} of sample {s} is {off:.1e} off: {:?} instead of {truth:?}", y[j]);
        }
    }
    check_gradients(model, &x, outputs);
}

/// The gradients of every input and parameter against differences; what is frozen has none.
#[track_caller]
fn check_gradients<N: Network>(model: &mut Model<N>, x: &[Vec<f32>], outputs: &[usize]) {
    let dy: Vec<Vec<f32>> =
        outputs.iter().enumerate().map(|(j, width)| numbers(50 + j as u64, SAMPLES * width, 1.0)).collect();
    let loss = |model: &Model<N>, x: &[Vec<f32>]| -> f64 {
        let y = predict(model, x, outputs);
        y.iter().flatten().zip(dy.iter().flatten()).map(|(&y, &dy)| f64::from(y) * f64::from(dy)).sum()
    };
    let found = {
        let (x, dy): (Vec<&[f32]>, Vec<&[f32]>) =
            (x.iter().map(|x| &x[..]).collect(), dy.iter().map(|dy| &dy[..]).collect());
        model.gradients(&x, &dy).unwrap()
    };
    for (k, found) in found.inputs.iter().enumerate() {
        let mut moved = x.to_vec();
        let truth: Vec<f64> = (0..found.len())
            .map(|i| {
                let slope = difference(x[k][i], |value| {
                    moved[k][i] = value;
                    loss(model, &moved)
                });
                moved[k][i] = x[k][i];
                slope
            })
            .collect();
        assert!(distance(found, &truth) < SLOPES, "input {k}: {found:?} instead of {truth:?}");
    }
    let learnt: Vec<String> =
        model.tensors().into_iter().filter(|tensor| !tensor.frozen).map(|tensor| tensor.name).collect();
    assert_eq!(found.params.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), learnt);
    for (name, found) in &found.params {
        let truth = param_slopes(model, name, |model| loss(model, x));
        assert!(distance(found, &truth) < SLOPES, "`{name}`: {found:?} instead of {truth:?}");
    }
}

/// How `f` changes with each number of a parameter.
pub fn param_slopes<N: Network>(model: &mut Model<N>, name: &str, mut f: impl FnMut(&mut Model<N>) -> f64) -> Vec<f64> {
    let values = model.get(name).unwrap();
    let mut moved = values.clone();
    let slopes = (0..values.len())
        .map(|i| {
            let slope = difference(values[i], |value| {
                moved[i] = value;
                model.set(name, &moved).unwrap();
                f(model)
            });
            moved[i] = values[i];
            slope
        })
        .collect();
    model.set(name, &values).unwrap();
    slopes
}

fn difference(at: f32, mut f: impl FnMut(f32) -> f64) -> f64 {
    let (above, below) = (at + 0.01, at - 0.01);
    (f(above) - f(below)) / (f64::from(above) - f64::from(below))
}
