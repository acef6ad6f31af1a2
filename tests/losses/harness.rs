//! What the tests of losses share. In: a loss and its formula in double precision, or PyTorch's cases; out:
//! nothing, or the first instruction set on which its value or gradient is wrong.

use nn_runtime::Isa;
use nn_runtime::losses::LossOn;
use nn_tests::fixtures::{Case, load};
use nn_tests::numbers::{assert_near, numbers, slopes, wide};

/// A single number is no choice between classes: losses of classes begin with the second.
pub const WIDTHS: [usize; 6] = [1, 2, 3, 10, 17, 33];
pub const BATCHES: [usize; 6] = [1, 2, 3, 7, 17, 33];

/// Value and gradient of the mean over samples, on every instruction set; the gradient on its own for cut
/// batches too.
pub fn compare<T: Copy>(
    what: &str,
    loss: &impl LossOn<[T]>,
    (width, per_sample): (usize, usize),
    y: &[f32],
    target: &[T],
    (value, gradient): (f64, &[f64]),
) {
    let batch = y.len() / width;
    let scale = 1.0 / batch as f32;
    for isa in Isa::available() {
        let what = format!("{what} [{batch}, {width}] {}", isa.name());
        let mut dy = vec![f32::NAN; y.len()];
        let sum = loss.gradient(isa, width, y, target, scale, &mut dy);
        assert_near(&[(sum / batch as f64) as f32], &[value], &what);
        assert_near(&dy, gradient, &format!("{what}: dy"));
        let alone = loss.value(isa, width, y, target);
        assert!((alone - sum).abs() <= 1e-6 * sum.abs(), "{what}: {alone} without the gradient, {sum} with it");

        let cut = batch / 2;
        let mut parts = vec![f32::NAN; y.len()];
        let (first, second) = parts.split_at_mut(cut * width);
        let (y, target) = (y.split_at(cut * width), target.split_at(cut * per_sample));
        let sums = loss.gradient(isa, width, y.0, target.0, scale, first)
            + loss.gradient(isa, width, y.1, target.1, scale, second);
        assert_eq!(parts, dy, "{what}: the gradient of a cut batch");
        assert!((sums - sum).abs() <= 1e-5 * sum.abs(), "{what}: {sums} for a cut batch");
    }
}

/// A mean over the samples of a formula of one sample.
pub fn against_formula(
    what: &str,
    loss: &impl LossOn<[f32]>,
    widths: &[usize],
    targets: fn(u64, usize) -> Vec<f32>,
    formula: impl Fn(&[f64], &[f64]) -> f64,
) {
    for &width in widths {
        for batch in BATCHES {
            let (y, target) = (numbers(batch as u64, batch * width, 4.0), targets(width as u64 + 50, batch * width));
            let mean = |y: &[f64]| {
                let samples = y.chunks(width).zip(target.chunks(width));
                samples.map(|(y, t)| formula(y, &wide(t))).sum::<f64>() / batch as f64
            };
            let y64 = wide(&y);
            compare(what, loss, (width, width), &y, &target, (mean(&y64), &slopes(&y64, mean)));
        }
    }
}

pub fn against_pytorch<L: LossOn<[f32]>>(file: &str, make: impl Fn(&Case) -> Option<L>, expected: usize) {
    let mut cases = 0;
    for case in load(file) {
        let Some(loss) = make(&case) else { continue };
        let width = case.inputs[0].shape[1];
        let (y, target) = (case.inputs[0].narrow(), case.inputs[1].narrow());
        let answer = (case.output.as_ref().unwrap().data[0], &case.dinputs[0].data[..]);
        compare(&format!("{file} {}", case.name), &loss, (width, width), &y, &target, answer);
        cases += 1;
    }
    assert!(cases >= expected, "{file}: {cases} cases");
}

/// Labels of a case, as PyTorch wrote them.
pub fn labels(case: &Case) -> Vec<u32> {
    case.inputs[1].data.iter().map(|&label| label as u32).collect()
}

/// Targets of any size and sign.
pub fn values(seed: u64, len: usize) -> Vec<f32> {
    numbers(seed, len, 3.0)
}

/// Targets from 0 to 1.
pub fn unit_values(seed: u64, len: usize) -> Vec<f32> {
    numbers(seed, len, 1.0).iter().map(|x| x.abs()).collect()
}

/// The mean over the numbers of a row.
pub fn mean(y: &[f64], t: &[f64], of: impl Fn(f64, f64) -> f64) -> f64 {
    y.iter().zip(t).map(|(&y, &t)| of(y, t)).sum::<f64>() / y.len() as f64
}
