//! `Resize`: images of another size. In: `[channels, height, width]`; out: the same with another height and
//! width. Where a place lies in the input is counted in whole numbers, so that no rounding moves it. Rows are
//! made first, then columns; nothing is learnt.

use core::slice;

use super::border::add_exactly;
use super::image::image;
use super::upsample::{UpsampleMode, mix};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext};
use crate::shape::Shape;
use crate::spec::{LayerSpec, OnnxForm};

/// Images of any other size, larger or smaller: `[channels, height, width] -> [channels, h, w]`.
///
/// `Nearest`: `y[i, j] = x[i · height / h, j · width / w]`, rounded down. `Bilinear`: the value of `x` at
/// `((i + 0.5) · height / h - 0.5, (j + 0.5) · width / w - 0.5)`, within its outermost centres, linear
/// between centres; with `align_corners` at `(i · (height - 1) / (h - 1), j · (width - 1) / (w - 1))`, so
/// that the corners of both images are the same pixels. Smaller images are not smoothed first.
///
/// | argument | here | PyTorch's `Upsample` | Keras's `Resizing` |
/// |---|---|---|---|
/// | `size`, or `size_hw = [h, w]` | must be given | `size`; or `scale_factor`, which the size is computed by | `height`, `width` |
/// | `mode` | `Nearest` | `mode="nearest"` | `interpolation="bilinear"` |
/// | `align_corners`, of `Bilinear` | `false` | `align_corners=False` | none |
///
/// A fraction of the size is that size: for PyTorch's `scale_factor=1.5` of 20 rows, 30. Where the product is
/// no whole number, PyTorch goes on by the factor, and here it is the sizes that count, as there with
/// `recompute_scale_factor=True`.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Wider: [1, 1, 3] -> [1, 1, 5] {
///         Resize(1, size_hw = [1, 5], mode = Bilinear, align_corners = true)
///     }
/// }
/// assert_eq!(Wider::init(0).predictor(1).predict(&[0.0, 2.0, 8.0]), &[0.0, 1.0, 2.0, 5.0, 8.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Resize {
    size: [usize; 2],
    mode: UpsampleMode,
    align_corners: bool,
}

impl Resize {
    /// As many rows as columns.
    pub const fn new(size: usize) -> Self {
        Resize { size: [size; 2], mode: UpsampleMode::Nearest, align_corners: false }
    }

    /// So many rows, and so many columns.
    pub const fn size_hw(mut self, size: [usize; 2]) -> Self {
        self.size = size;
        self
    }

    /// What is between pixels.
    pub const fn mode(mut self, mode: UpsampleMode) -> Self {
        self.mode = mode;
        self
    }

    /// Whether the outermost pixels of both images lie on each other; else their borders do.
    pub const fn align_corners(mut self, align: bool) -> Self {
        self.align_corners = align;
        self
    }

    /// `[channels, height, width] -> [channels, h, w]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let [channels, height, width] = match image(x) {
            Ok(dims) => dims,
            Err(fault) => return Rule::Err(fault),
        };
        let [rows, columns] = self.size;
        if rows == 0 || columns == 0 {
            let fault = Fault::expected("a size of at least 1").found_num(0);
            return Rule::Err(fault.help("give how many rows and columns the image becomes, such as `Resize(14)`"));
        }
        let bilinear = matches!(self.mode, UpsampleMode::Bilinear);
        if self.align_corners && !bilinear {
            let fault = Fault::expected("corners to be aligned between pixels, found `mode = Nearest`");
            return Rule::Err(fault.help("use `mode = Bilinear`, or leave `align_corners` out"));
        }
        let form = OnnxForm::Resize(bilinear, self.align_corners);
        let spec = LayerSpec::output(Shape::of([channels, rows, columns]));
        let spec = spec.backward_without_x().backward_without_y().onnx(form);
        // Of each column the pixels it lies between and how far along; a row of the input; and on the way
        // back how much larger the sums of a row and of an image are than what has been added.
        let (table, sums) = (columns.saturating_mul(3), width.saturating_mul(height.saturating_add(2)));
        spec.scratch(0, table.saturating_add(sums)).ok()
    }
}

/// The pixels that a place lies between, and how far along from the first to the second.
#[derive(Clone, Copy)]
struct SourcePixels {
    before: usize,
    after: usize,
    part: f32,
}

impl Resize {
    /// Where place `o` of `to` lies among `size` pixels.
    fn between(&self, o: usize, size: usize, to: usize) -> SourcePixels {
        let last = size - 1;
        let [place, pixels, places] = [o as u64, size as u64, to as u64];
        // In so many parts of a pixel.
        let (at, parts) = match (self.mode, self.align_corners) {
            (UpsampleMode::Nearest, _) => (place * pixels / places, 1),
            (_, true) if to == 1 => (0, 1),
            (_, true) => (place * (pixels - 1), places - 1),
            (_, false) => (((2 * place + 1) * pixels).saturating_sub(places), 2 * places),
        };
        let before = ((at / parts) as usize).min(last);
        let part = if before == last { 0.0 } else { (at % parts) as f32 / parts as f32 };
        SourcePixels { before, after: (before + 1).min(last), part }
    }

    /// Writes down where each column lies.
    fn columns(&self, width: usize, to: usize, table: &mut [f32]) {
        for (o, entry) in table.chunks_exact_mut(3).take(to).enumerate() {
            let SourcePixels { before, after, part } = self.between(o, width, to);
            entry.copy_from_slice(&[f32::from_bits(before as u32), f32::from_bits(after as u32), part]);
        }
    }
}

/// What the table of columns holds of one.
fn read(entry: &[f32]) -> SourcePixels {
    SourcePixels { before: entry[0].to_bits() as usize, after: entry[1].to_bits() as usize, part: entry[2] }
}

impl Layer for Resize {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let (small, [rows, columns]) = (cx.input_shape(0), self.size);
        let [height, width] = [small.dim(1), small.dim(2)];
        let (row, table) = cx.scratch[..width + 3 * columns].split_at_mut(width);
        self.columns(width, columns, table);
        for (x, y) in x.chunks_exact(height * width).zip(y.chunks_exact_mut(rows * columns)) {
            for (i, y) in y.chunks_exact_mut(columns).enumerate() {
                let SourcePixels { before, after, part } = self.between(i, height, rows);
                mix(row.iter_mut(), &x[before * width..][..width], &x[after * width..][..width], part);
                for (y, entry) in y.iter_mut().zip(table.chunks_exact(3)) {
                    let SourcePixels { before, after, part } = read(entry);
                    // A pixel of weight 0 is left out, whatever it holds.
                    *y = if part == 0.0 { row[before] } else { (1.0 - part) * row[before] + part * row[after] };
                }
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
        if dx.is_empty() {
            return;
        }
        let (small, [rows, columns]) = (cx.input_shape(0), self.size);
        let [height, width] = [small.dim(1), small.dim(2)];
        let (row, rest) = cx.scratch.split_at_mut(width);
        let (table, rest) = rest.split_at_mut(3 * columns);
        let (row_excess, excess) = rest.split_at_mut(width);
        let excess = &mut excess[..height * width];
        self.columns(width, columns, table);
        dx.fill(0.0);
        // A pixel may become very many.
        for (dx, dy) in dx.chunks_exact_mut(height * width).zip(dy.chunks_exact(rows * columns)) {
            excess.fill(0.0);
            for (i, dy) in dy.chunks_exact(columns).enumerate() {
                row.fill(0.0);
                row_excess.fill(0.0);
                for (dy, entry) in dy.iter().zip(table.chunks_exact(3)) {
                    let SourcePixels { before, after, part } = read(entry);
                    add_exactly(&[(1.0 - part) * dy], &mut row[before..], &mut row_excess[before..]);
                    if part != 0.0 {
                        add_exactly(&[part * dy], &mut row[after..], &mut row_excess[after..]);
                    }
                }
                let SourcePixels { before, after, part } = self.between(i, height, rows);
                for (to, part) in [(before, 1.0 - part), (after, part)].into_iter().filter(|(_, part)| *part != 0.0) {
                    let at = to * width..(to + 1) * width;
                    for (dy, (dx, excess)) in row.iter().zip(dx[at.clone()].iter_mut().zip(&mut excess[at])) {
                        add_exactly(&[part * dy], slice::from_mut(dx), slice::from_mut(excess));
                    }
                }
            }
        }
    }
}
