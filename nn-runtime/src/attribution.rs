//! Which numbers of an input a prediction follows from. In: a model, one sample, one of its outputs; out: a
//! number for each number of the input. No model is changed.
//!
//! Each looks at number `output` of the network's first output, as it predicts: behind a `Softmax` that is a
//! probability. The names, formulas and defaults are those of Captum.
//!
//! ```
//! use nn_runtime::attribution::{integrated_gradients, saliency};
//! use nn_runtime::prelude::*;
//!
//! network! { struct Line: [2] -> [1] { line: Dense(1) } }
//!
//! let mut model = Line::init(0);
//! model.set("line.weight", &[3.0, -1.0])?;
//! let x = [2.0, 5.0];
//! assert_eq!(saliency(&model, &[&x], 0)?, [[3.0, 1.0]]);
//! let found = integrated_gradients(&model, &[&x], &[&[0.0, 1.0]], 0, 50)?;
//! assert!((found.inputs[0][0] - 6.0).abs() < 1e-5 && (found.inputs[0][1] + 4.0).abs() < 1e-5);
//! assert!(found.gap.abs() < 1e-5); // nothing is left unexplained
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod grad_cam;

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use crate::input::{InputError, InputErrorKind, checked_samples};
use crate::model::{Model, Network};
pub use grad_cam::{GradCam, grad_cam};

/// What [`integrated_gradients`] finds.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct IntegratedGradients {
    /// What each number of each input adds to the output.
    pub inputs: Vec<Vec<f32>>,
    /// The sum of all of them, less what the output differs by: how far it is from telling everything.
    /// Smaller with more steps. Captum's `convergence_delta`.
    pub gap: f64,
}

/// How the output answers to each number of each input: the absolute value of its gradient. Simonyan et al.,
/// "Deep Inside Convolutional Networks", 2014.
///
/// # Errors
/// `x` is not one sample of the network, or there is no such output.
pub fn saliency<N: Network>(model: &Model<N>, x: &[&[f32]], output: usize) -> Result<Vec<Vec<f32>>, InputError> {
    check::<N>(x, output)?;
    let mut gradients = gradients(model, x, output)?;
    gradients.iter_mut().flatten().for_each(|number| *number = number.abs());
    Ok(gradients)
}

/// The gradient along the straight way from `baseline` to `x`, times that way, so that all together are what
/// the output differs by. Sundararajan et al., "Axiomatic Attribution for Deep Networks", 2017; the integral
/// by Gauss and Legendre, of `steps` gradients, 50 in Captum.
///
/// # Errors
/// `x` or `baseline` is not one sample of the network; there is no such output, or no step; an input is token
/// ids, between which there is nothing.
pub fn integrated_gradients<N: Network>(
    model: &Model<N>,
    x: &[&[f32]],
    baseline: &[&[f32]],
    output: usize,
    steps: usize,
) -> Result<IntegratedGradients, InputError> {
    check::<N>(x, output)?;
    check::<N>(baseline, output)?;
    if N::COMPILED.reads_ids() {
        let text = "expected inputs of numbers, found token ids, between which there is nothing\nhelp: take the network \
                    behind the embedding, `model.part(..)`";
        return Err(InputError::new(InputErrorKind::TokenId, text));
    }
    if steps == 0 {
        return Err(InputError::new(InputErrorKind::Count, "expected at least 1 step, found 0\nhelp: take 50"));
    }
    let mut sums: Vec<Vec<f64>> = x.iter().map(|x| vec![0.0; x.len()]).collect();
    for (place, weight) in gauss_legendre(steps) {
        let between = |(x, from): (&&[f32], &&[f32])| -> Vec<f32> {
            let way = |(x, from): (&f32, &f32)| (f64::from(*from) + place * (f64::from(*x) - f64::from(*from))) as f32;
            x.iter().zip(*from).map(way).collect()
        };
        let between: Vec<Vec<f32>> = x.iter().zip(baseline).map(between).collect();
        let between: Vec<&[f32]> = between.iter().map(|x| &x[..]).collect();
        let found = gradients(model, &between, output)?;
        for (sum, gradient) in sums.iter_mut().flatten().zip(found.iter().flatten()) {
            *sum += weight * f64::from(*gradient);
        }
    }
    let ways = x.iter().zip(baseline).flat_map(|(x, from)| x.iter().zip(*from));
    for (sum, (x, from)) in sums.iter_mut().flatten().zip(ways) {
        *sum *= f64::from(*x) - f64::from(*from);
    }
    let [end, begin] = [x, baseline].map(|x| value(model, x, output));
    let gap = sums.iter().flatten().sum::<f64>() - (end? - begin?);
    let inputs = sums.iter().map(|sums| sums.iter().map(|sum| *sum as f32).collect()).collect();
    Ok(IntegratedGradients { inputs, gap })
}

/// By how much the output falls where a window of the first input, an image `[channels, height, width]`, is
/// hidden: for each pixel the mean over the windows that hide it, in all channels alike. Windows stand
/// `stride` pixels apart, from the upper left on; what reaches out of the image is cut off. Hidden pixels are
/// `blank`. Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", 2014; Captum's
/// `Occlusion`.
///
/// # Errors
/// `x` is not one sample of the network, or its first input not of this shape; there is no such output; a
/// window or stride of 0, a window larger than the image, or a stride larger than the window.
pub fn occlusion<N: Network>(
    model: &Model<N>,
    x: &[&[f32]],
    [channels, height, width]: [usize; 3],
    window: [usize; 2],
    stride: [usize; 2],
    blank: f32,
    output: usize,
) -> Result<Vec<f32>, InputError> {
    check::<N>(x, output)?;
    let refuse = |text| Err(InputError::new(InputErrorKind::Shape, text));
    if channels * height * width != x[0].len() {
        let found = x[0].len();
        return refuse(format!("expected an image of [{channels}, {height}, {width}], found {found} numbers"));
    }
    let sizes = [height, width];
    if (0..2).any(|axis| !(1..=sizes[axis]).contains(&window[axis]) || !(1..=window[axis]).contains(&stride[axis])) {
        return refuse(format!(
            "expected a window from [1, 1] to [{height}, {width}] and a stride from [1, 1] to the window, found {window:?} and \
             {stride:?}"
        ));
    }
    let whole = value(model, x, output)?;
    let (mut sums, mut counts) = (vec![0.0; height * width], vec![0.0; height * width]);
    let count = |axis: usize| (sizes[axis] - window[axis]).div_ceil(stride[axis]) + 1;
    for (i, j) in (0..count(0)).flat_map(|i| (0..count(1)).map(move |j| (i, j))) {
        let (top, left) = (i * stride[0], j * stride[1]);
        let rows = top..(top + window[0]).min(height);
        let columns = left..(left + window[1]).min(width);
        let pixels = || rows.clone().flat_map(|row| columns.clone().map(move |column| row * width + column));
        let mut hidden = x[0].to_vec();
        for channel in hidden.chunks_exact_mut(height * width) {
            pixels().for_each(|pixel| channel[pixel] = blank);
        }
        let mut inputs = x.to_vec();
        inputs[0] = &hidden;
        let less = whole - value(model, &inputs, output)?;
        pixels().for_each(|pixel| {
            sums[pixel] += less;
            counts[pixel] += 1.0;
        });
    }
    let map: Vec<f32> = sums.iter().zip(&counts).map(|(sum, count)| (sum / count) as f32).collect();
    Ok(map.repeat(channels))
}

/// Whether `x` is one sample, and there is this output.
fn check<N: Network>(x: &[&[f32]], output: usize) -> Result<(), InputError> {
    let samples = checked_samples(N::COMPILED, x)?;
    if samples != 1 {
        return Err(InputError::new(InputErrorKind::Count, format!("expected one sample, found {samples}")));
    }
    let outputs = N::COMPILED.outputs[0].len();
    if output >= outputs {
        return Err(InputError::new(
            InputErrorKind::Count,
            format!("expected an output below {outputs}, found {output}"),
        ));
    }
    Ok(())
}

/// The gradient of the output with respect to each input.
fn gradients<N: Network>(model: &Model<N>, x: &[&[f32]], output: usize) -> Result<Vec<Vec<f32>>, InputError> {
    let mut dy: Vec<Vec<f32>> = N::COMPILED.outputs.iter().map(|shape| vec![0.0; shape.len()]).collect();
    dy[0][output] = 1.0;
    let dy: Vec<&[f32]> = dy.iter().map(|dy| &dy[..]).collect();
    Ok(model.gradients(x, &dy)?.inputs)
}

fn value<N: Network>(model: &Model<N>, x: &[&[f32]], output: usize) -> Result<f64, InputError> {
    let mut y: Vec<Vec<f32>> = N::COMPILED.outputs.iter().map(|shape| vec![0.0; shape.len()]).collect();
    model.predictor(1).predict_into(x, &mut y.iter_mut().map(|y| &mut y[..]).collect::<Vec<_>>())?;
    Ok(y[0][output].into())
}

/// Places between 0 and 1, and their weights, whose sum is 1: the zeros of the Legendre polynomial of degree
/// `n` by Newton's method. Golub & Welsch, "Calculation of Gauss Quadrature Rules", 1969, has others.
fn gauss_legendre(n: usize) -> Vec<(f64, f64)> {
    let rule = |i: usize| {
        let mut x = libm::cos(core::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5));
        let mut slope = 1.0;
        for _ in 0..100 {
            // The polynomial and the one before, by Bonnet's recurrence.
            let (mut before, mut p) = (0.0, 1.0);
            for k in 0..n {
                let k = k as f64;
                (before, p) = (p, ((2.0 * k + 1.0) * x * p - k * before) / (k + 1.0));
            }
            slope = n as f64 * (x * p - before) / (x * x - 1.0);
            let step = p / slope;
            x -= step;
            if step.abs() < 1e-15 {
                break;
            }
        }
        ((1.0 - x) / 2.0, 1.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..n).map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::gauss_legendre;

    #[test]
    fn n_places_integrate_powers_up_to_2n_minus_1() {
        for n in [1, 2, 3, 5, 20, 50, 101] {
            let rule = gauss_legendre(n);
            assert!((rule.iter().map(|(_, weight)| weight).sum::<f64>() - 1.0).abs() < 1e-13);
            for power in [1, n, 2 * n - 1] {
                let sum: f64 = rule.iter().map(|(x, weight)| weight * x.powi(power as i32)).sum();
                let truth = 1.0 / (power as f64 + 1.0);
                assert!((sum - truth).abs() < 1e-12, "{n} places, power {power}: {sum}");
            }
        }
    }
}
