//! What tests of windows share: PyTorch's settings as arguments, and the sums of a window in double
//! precision, written as the definition says them. In: a case, sizes; out: arguments, images. Nothing here
//! may call the code under test.

use nn_runtime::layers::Padding;
use nn_tests::fixtures::{Case, Tensor, load};

/// The settings `<name>_h` and `<name>_w`.
pub fn hw(case: &Case, name: &str) -> [usize; 2] {
    ["h", "w"].map(|side| case.number(&format!("{name}_{side}")) as usize)
}

/// A setting that counts.
pub fn count(case: &Case, name: &str) -> usize {
    case.number(name) as usize
}

pub fn padding(case: &Case) -> Padding {
    match case.settings["padding"].as_str() {
        None => match count(case, "padding") {
            0 => Padding::Valid,
            zeros => Padding::Pad(zeros),
        },
        Some("same") => Padding::Same,
        Some("causal") => Padding::Causal,
        Some(other) => panic!("padding {other}"),
    }
}

/// The cases of a file, those over `[channels, steps]` as `[steps, channels]`.
pub fn turned(file: &str) -> Vec<Case> {
    let mut cases = load(file);
    for case in &mut cases {
        let Case { inputs, output, doutput, dinputs, .. } = case;
        for tensor in inputs.iter_mut().chain(output).chain(doutput).chain(dinputs) {
            turn(tensor);
        }
    }
    cases
}

fn turn(tensor: &mut Tensor) {
    let [_, channels, steps] = tensor.shape[..] else { return };
    let sample =
        |x: &[f64]| (0..steps * channels).map(|at| x[at % channels * steps + at / channels]).collect::<Vec<_>>();
    tensor.data = tensor.data.chunks(steps * channels).flat_map(sample).collect();
    tensor.shape.swap(1, 2);
}

/// A window over an image of `[channels, height, width]`.
#[derive(Clone, Copy)]
pub struct View {
    pub x: [usize; 3],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    /// Above and on the left.
    pub pad: [usize; 2],
    /// How often the window stands, down and to the right.
    pub out: [usize; 2],
}

impl View {
    /// The number of `x` that place `p` sees through `k`, if it is no padding.
    pub fn at(&self, p: [usize; 2], k: [usize; 2]) -> Option<[usize; 2]> {
        let along = |axis: usize| {
            let at = (p[axis] * self.stride[axis] + k[axis] * self.dilation[axis]).checked_sub(self.pad[axis])?;
            (at < self.x[axis + 1]).then_some(at)
        };
        Some([along(0)?, along(1)?])
    }

    /// Every place of the window with every place in it: `(place, in the kernel, in the image)`.
    pub fn each(&self, mut f: impl FnMut(usize, usize, usize)) {
        let ([rows, columns], [h, w]) = (self.kernel, self.out);
        for p in 0..h * w {
            for k in 0..rows * columns {
                if let Some([i, j]) = self.at([p / w, p % w], [k / columns, k % columns]) {
                    f(p, k, i * self.x[2] + j);
                }
            }
        }
    }

    /// The convolution with weights `[filters, channels / groups, kernel]`; the bias is `params[1]`, if any.
    pub fn conv(&self, x: &[f64], params: &[Vec<f64>], filters: usize, groups: usize) -> Vec<f64> {
        let [channels, h, w] = self.x;
        let (taps, places) = (self.kernel[0] * self.kernel[1], self.out[0] * self.out[1]);
        let (seen, of_group) = (channels / groups, filters / groups);
        let mut y = vec![0.0; filters * places];
        let mut pairs = Vec::new();
        self.each(|p, k, at| pairs.push((p, k, at)));
        for f in 0..filters {
            for c in 0..seen {
                let from = &x[(f / of_group * seen + c) * h * w..];
                let weight = &params[0][(f * seen + c) * taps..];
                let y = &mut y[f * places..];
                pairs.iter().for_each(|&(p, k, at)| y[p] += weight[k] * from[at]);
            }
            let bias = params.get(1).map_or(0.0, |bias| bias[f]);
            y[f * places..][..places].iter_mut().for_each(|y| *y += bias);
        }
        y
    }
}
