//! Windows over one axis or two, as the definitions index them. In: sizes and settings; out: which inputs an
//! output sees. Zeros around an image are places that are not there.

use crate::rng::Rng;

/// Settings of a window along one axis.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    pub kernel: usize,
    pub stride: usize,
    pub dilation: usize,
    /// Zeros in front, and behind.
    pub pads: [usize; 2],
}

impl Axis {
    /// How many outputs an axis of this size has; `None` where the window does not fit.
    pub fn outputs(&self, size: usize) -> Option<usize> {
        let span = self.dilation * (self.kernel - 1) + 1;
        (size + self.pads[0] + self.pads[1]).checked_sub(span).map(|rest| rest / self.stride + 1)
    }

    /// The place that output `i` sees through tap `k`, if it is not a zero around.
    pub fn place(&self, i: usize, k: usize, size: usize) -> Option<usize> {
        (i * self.stride + k * self.dilation).checked_sub(self.pads[0]).filter(|&at| at < size)
    }
}

/// A square window for an image or a sequence, and how it is written; `None` where it fits nowhere.
pub fn window(rng: &mut Rng, sizes: &[usize], most: usize) -> Option<(Axis, String)> {
    let kernel = rng.between(1, most.min(*sizes.iter().min()?));
    let stride = rng.pick(&[1, 1, 1, 2, 2, 3]);
    let dilation = if stride == 1 && kernel == 2 { rng.pick(&[1, 1, 2]) } else { 1 };
    let (pads, padding) = match rng.below(3) {
        0 if stride == 1 && kernel % 2 == 1 => ([kernel / 2; 2], ", padding = Same"),
        1 if kernel > 1 => ([1; 2], ", padding = Pad(1)"),
        _ => ([0; 2], ""),
    };
    let axis = Axis { kernel, stride, dilation, pads };
    sizes.iter().all(|&size| axis.outputs(size).is_some_and(|outputs| outputs > 0)).then_some(())?;
    let mut text = String::new();
    if stride > 1 {
        text += &format!(", stride = {stride}");
    }
    if dilation > 1 {
        text += &format!(", dilation = {dilation}");
    }
    Some((axis, text + padding))
}

/// `Σ weight[f, c, k, l] · x[c, …]` for one filter over an image of `[channels, height, width]`.
pub fn correlate(x: &[f64], [channels, height, width]: [usize; 3], filter: &[f64], axis: Axis) -> Vec<f64> {
    let (h, w) = (axis.outputs(height).unwrap(), axis.outputs(width).unwrap());
    let mut y = vec![0.0; h * w];
    for (at, y) in y.iter_mut().enumerate() {
        for c in 0..channels {
            for k in 0..axis.kernel {
                for l in 0..axis.kernel {
                    let place = (axis.place(at / w, k, height), axis.place(at % w, l, width));
                    if let (Some(i), Some(j)) = place {
                        *y += filter[(c * axis.kernel + k) * axis.kernel + l] * x[(c * height + i) * width + j];
                    }
                }
            }
        }
    }
    y
}
