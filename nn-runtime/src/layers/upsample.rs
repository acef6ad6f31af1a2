//! `Upsample`: larger images, from the pixels there are. In: `[channels, height, width]`; out: the same with
//! height and width multiplied. Rows are made first, then columns, so that each is one loop over neighbours;
//! nothing is learnt.

use super::image::image;
use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext};
use crate::shape::Shape;
use crate::spec::{LayerSpec, OnnxForm};

/// How [`Upsample`] fills in what is between pixels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum UpsampleMode {
    /// The pixel that covers the place.
    Nearest,
    /// Between the centres of the nearest pixels in proportion, along both axes; beyond the outermost
    /// centres, the outermost pixel.
    Bilinear,
}

/// Larger by a whole number, of which fractions and `align_corners` are [`Resize`](super::Resize)'s:
/// `[channels, height, width] -> [channels, scale · height, scale · width]`.
///
/// `Nearest`: `y[i, j] = x[i / scale, j / scale]`. `Bilinear`: the value of `x` at `((i + 0.5) / scale - 0.5,
/// (j + 0.5) / scale - 0.5)`, within its outermost centres, linear between centres: PyTorch's
/// `align_corners=False`.
///
/// | argument | here | PyTorch's `Upsample` | Keras's `UpSampling2D` |
/// |---|---|---|---|
/// | `scale` | must be given | `scale_factor`, any number above 0: see [`Resize`](super::Resize) | `size=2` |
/// | `scale_hw`, `[of the height, of the width]` | both `scale` | | |
/// | `mode` | `Nearest` | `mode="nearest"` | `interpolation="nearest"` |
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Twice: [1, 1, 2] -> [1, 2, 4] { Upsample(2) }
/// }
/// network! {
///     pub struct Smooth: [1, 1, 2] -> [1, 1, 4] { Upsample(1, scale_hw = [1, 2], mode = Bilinear) }
/// }
/// assert_eq!(Twice::init(0).predictor(1).predict(&[0.0, 4.0]), &[0.0, 0.0, 4.0, 4.0, 0.0, 0.0, 4.0, 4.0]);
/// assert_eq!(Smooth::init(0).predictor(1).predict(&[0.0, 4.0]), &[0.0, 1.0, 3.0, 4.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Upsample {
    scale: [usize; 2],
    mode: UpsampleMode,
}

impl Upsample {
    /// This many times as high and as wide.
    pub const fn new(scale: usize) -> Self {
        Upsample { scale: [scale; 2], mode: UpsampleMode::Nearest }
    }

    /// So many times as high, and so many times as wide.
    pub const fn scale_hw(mut self, scale: [usize; 2]) -> Self {
        self.scale = scale;
        self
    }

    /// What is between pixels.
    pub const fn mode(mut self, mode: UpsampleMode) -> Self {
        self.mode = mode;
        self
    }

    /// `[channels, height, width] -> [channels, scale · height, scale · width]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let [channels, height, width] = match image(x) {
            Ok(dims) => dims,
            Err(fault) => return Rule::Err(fault),
        };
        let [rows, columns] = self.scale;
        if rows == 0 || columns == 0 {
            return Rule::Err(
                Fault::expected("a scale of at least 1")
                    .found_num(0)
                    .help("give how many times as large the image becomes, such as `Upsample(2)`"),
            );
        }
        let y = Shape::of([channels, height.saturating_mul(rows), width.saturating_mul(columns)]);
        let form = OnnxForm::Upsample(self.scale, matches!(self.mode, UpsampleMode::Bilinear));
        let spec = LayerSpec::output(y).backward_without_x().backward_without_y().onnx(form);
        match self.mode {
            UpsampleMode::Nearest => spec.ok(),
            UpsampleMode::Bilinear => spec.scratch(0, width.saturating_add(2)).ok(),
        }
    }
}

/// Where a place of the output lies between the rows of the input: before it, after it, and how far along.
#[inline]
fn between(at: usize, scale: usize, rows: usize) -> (usize, usize, f32) {
    let Some(halves) = (2 * at + 1).checked_sub(scale) else { return (0, 0, 0.0) };
    let row = halves / (2 * scale);
    (row, (row + 1).min(rows - 1), (halves % (2 * scale)) as f32 / (2 * scale) as f32)
}

/// For the `phase`-th of the places that each pixel of a row becomes: whether it lies before the pixel's
/// centre, and how far along from the centre before it.
#[inline]
fn along(phase: usize, scale: usize) -> (usize, f32) {
    let twice = 2 * phase + 1;
    let (after, halves) = if twice < scale { (0, twice + scale) } else { (1, twice - scale) };
    (after, halves as f32 / (2 * scale) as f32)
}

/// One channel, made larger.
fn nearest([rows, columns]: [usize; 2], width: usize, x: &[f32], y: &mut [f32]) {
    let wide = width * columns;
    for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(wide * rows)) {
        let (first, others) = y.split_at_mut(wide);
        for (x, y) in x.iter().zip(first.chunks_exact_mut(columns)) {
            y.fill(*x);
        }
        others.chunks_exact_mut(wide).for_each(|row| row.copy_from_slice(first));
    }
}

/// Its gradient: the sum over what each pixel became.
fn pull_nearest([rows, columns]: [usize; 2], width: usize, dy: &[f32], dx: &mut [f32]) {
    let wide = width * columns;
    dx.fill(0.0);
    for (dx, dy) in dx.chunks_exact_mut(width).zip(dy.chunks_exact(wide * rows)) {
        for dy in dy.chunks_exact(wide) {
            for (dx, dy) in dx.iter_mut().zip(dy.chunks_exact(columns)) {
                *dx += dy.iter().sum::<f32>();
            }
        }
    }
}

/// What lies `part` of the way from `before` to `after`. A pixel of weight 0 is left out, whatever it holds:
/// 0 times a NaN or an infinity would be a NaN.
#[inline]
pub(super) fn mix<'a>(to: impl Iterator<Item = &'a mut f32>, before: &[f32], after: &[f32], part: f32) {
    if part == 0.0 {
        to.zip(before).for_each(|(to, before)| *to = *before);
    } else {
        to.zip(before).zip(after).for_each(|((to, before), after)| *to = (1.0 - part) * before + part * after);
    }
}

/// One channel, made larger; `row` is a row of the input with its outermost pixels twice.
fn bilinear([rows, columns]: [usize; 2], width: usize, x: &[f32], y: &mut [f32], row: &mut [f32]) {
    let height = x.len() / width;
    for (at, y) in y.chunks_exact_mut(width * columns).enumerate() {
        let (before, after, part) = between(at, rows, height);
        let (before, after) = (&x[before * width..][..width], &x[after * width..][..width]);
        mix(row[1..].iter_mut(), before, after, part);
        (row[0], row[width + 1]) = (row[1], row[width]);
        for phase in 0..columns {
            let (first, part) = along(phase, columns);
            mix(y[phase..].iter_mut().step_by(columns), &row[first..], &row[first + 1..], part);
        }
    }
}

/// Its gradient: every place gives to the pixels it was made of, in the proportions in which it took.
fn pull_bilinear([rows, columns]: [usize; 2], width: usize, dy: &[f32], dx: &mut [f32], row: &mut [f32]) {
    let height = dx.len() / width;
    dx.fill(0.0);
    for (at, dy) in dy.chunks_exact(width * columns).enumerate() {
        row.fill(0.0);
        for phase in 0..columns {
            let (first, part) = along(phase, columns);
            for (i, dy) in dy[phase..].iter().step_by(columns).enumerate() {
                row[first + i] += (1.0 - part) * dy;
                if part != 0.0 {
                    row[first + i + 1] += part * dy;
                }
            }
        }
        row[1] += row[0];
        row[width] += row[width + 1];
        let (before, after, part) = between(at, rows, height);
        for (to, part) in [(before, 1.0 - part), (after, part)].into_iter().filter(|(_, part)| *part != 0.0) {
            for (dx, dy) in dx[to * width..][..width].iter_mut().zip(&row[1..]) {
                *dx += part * dy;
            }
        }
    }
}

impl Upsample {
    /// The width of the input, and the pixels of a channel before and after.
    fn sizes(&self, cx: &LayerContext) -> [usize; 3] {
        let x = cx.input_shape(0);
        let pixels = x.dim(1) * x.dim(2);
        [x.dim(2), pixels, pixels * self.scale[0] * self.scale[1]]
    }
}

impl Layer for Upsample {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let [width, small, large] = self.sizes(cx);
        for (x, y) in x.chunks_exact(small).zip(y.chunks_exact_mut(large)) {
            match self.mode {
                UpsampleMode::Nearest => nearest(self.scale, width, x, y),
                UpsampleMode::Bilinear => bilinear(self.scale, width, x, y, &mut cx.scratch[..width + 2]),
            }
        }
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        let [width, small, large] = self.sizes(cx);
        for (dx, dy) in dx.chunks_exact_mut(small).zip(dy.chunks_exact(large)) {
            match self.mode {
                UpsampleMode::Nearest => pull_nearest(self.scale, width, dy, dx),
                UpsampleMode::Bilinear => pull_bilinear(self.scale, width, dy, dx, &mut cx.scratch[..width + 2]),
            }
        }
    }
}
