//! `ZeroPad2d` and `Crop2d`: a frame of pixels around each image, added or cut off. In: `[channels, height,
//! width]`; out: the same with another height and width. Each is the other's gradient, so the frame is one
//! thing here. No number is changed.

use super::image::image;
use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext};
use crate::shape::Shape;
use crate::spec::{LayerSpec, OnnxForm};

/// How many pixels on each side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) top: usize,
    pub(super) bottom: usize,
    pub(super) left: usize,
    pub(super) right: usize,
}

impl Frame {
    pub(super) const fn all(pixels: usize) -> Self {
        Frame { top: pixels, bottom: pixels, left: pixels, right: pixels }
    }

    /// Above, below, left, right.
    pub(super) const fn sides(&self) -> [usize; 4] {
        [self.top, self.bottom, self.left, self.right]
    }

    /// Rows and columns together; what does not fit is more than any image has.
    pub(super) const fn size(&self) -> [usize; 2] {
        [self.top.saturating_add(self.bottom), self.left.saturating_add(self.right)]
    }

    /// Where each row within the frame lies in the large image; `large` and `small` are `[channels, height,
    /// width]`.
    fn rows(self, large: Shape, small: Shape, mut each: impl FnMut(usize, usize, usize)) {
        let [height, width] = [large.dim(1), large.dim(2)];
        let [inner, len] = [small.dim(1), small.dim(2)];
        for channel in 0..small.dim(0) {
            for row in 0..inner {
                each((channel * height + self.top + row) * width + self.left, (channel * inner + row) * len, len);
            }
        }
    }

    /// The large image with the small one in it, and 0 around.
    fn put(self, [large, small]: [Shape; 2], from: &[f32], to: &mut [f32]) {
        to.fill(0.0);
        for (from, to) in from.chunks_exact(small.len()).zip(to.chunks_exact_mut(large.len())) {
            self.rows(large, small, |at, inner, len| to[at..at + len].copy_from_slice(&from[inner..inner + len]));
        }
    }

    /// What of the large image lies within the frame.
    fn cut(self, [large, small]: [Shape; 2], from: &[f32], to: &mut [f32]) {
        for (from, to) in from.chunks_exact(large.len()).zip(to.chunks_exact_mut(small.len())) {
            self.rows(large, small, |at, inner, len| to[inner..inner + len].copy_from_slice(&from[at..at + len]));
        }
    }
}

/// The layer around a frame: a number for all sides, and one for each that is to differ.
macro_rules! framed {
    ($(#[doc = $doc:literal])* $name:ident, $what:literal) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name {
            frame: $crate::layers::frame2d::Frame,
        }

        impl $name {
            #[doc = concat!("This many pixels are ", $what, " on every side.")]
            pub const fn new(pixels: usize) -> Self {
                $name { frame: $crate::layers::frame2d::Frame::all(pixels) }
            }

            #[doc = concat!("How many rows are ", $what, " above.")]
            pub const fn top(mut self, rows: usize) -> Self {
                self.frame.top = rows;
                self
            }

            #[doc = concat!("How many rows are ", $what, " below.")]
            pub const fn bottom(mut self, rows: usize) -> Self {
                self.frame.bottom = rows;
                self
            }

            #[doc = concat!("How many columns are ", $what, " on the left.")]
            pub const fn left(mut self, columns: usize) -> Self {
                self.frame.left = columns;
                self
            }

            #[doc = concat!("How many columns are ", $what, " on the right.")]
            pub const fn right(mut self, columns: usize) -> Self {
                self.frame.right = columns;
                self
            }
        }
    };
}
pub(super) use framed;

framed! {
    /// Zeros around each channel: `[channels, height, width] -> [channels, top + height + bottom, left +
    /// width + right]`.
    ///
    /// | argument | here | PyTorch's `ZeroPad2d` | Keras's `ZeroPadding2D` |
    /// |---|---|---|---|
    /// | `pixels`, of every side | must be given | `padding` | `padding=1` |
    /// | `top`, `bottom`, `left`, `right` | `pixels` | `(left, right, top, bottom)` | `((top, bottom), (left, right))` |
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! {
    ///     pub struct Framed: [1, 1, 2] -> [1, 2, 4] { ZeroPad2d(1, top = 0) }
    /// }
    /// let framed = [0.0, 5.0, 6.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    /// assert_eq!(Framed::init(0).predictor(1).predict(&[5.0, 6.0]), &framed);
    /// ```
    ZeroPad2d, "added"
}

framed! {
    /// Each channel without its border: `[channels, height, width] -> [channels, height - top - bottom, width
    /// - left - right]`.
    ///
    /// | argument | here | PyTorch | Keras's `Cropping2D` |
    /// |---|---|---|---|
    /// | `pixels`, of every side | must be given | `ZeroPad2d` of a negative number | `cropping=0` |
    /// | `top`, `bottom`, `left`, `right` | `pixels` | | `((top, bottom), (left, right))` |
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! {
    ///     pub struct Middle: [1, 2, 3] -> [1, 2, 1] { Crop2d(0, left = 1, right = 1) }
    /// }
    /// assert_eq!(Middle::init(0).predictor(1).predict(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), &[2.0, 5.0]);
    /// ```
    Crop2d, "cut off"
}

impl ZeroPad2d {
    /// `[channels, height, width] -> [channels, top + height + bottom, left + width + right]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let [channels, height, width] = match image(x) {
            Ok(dims) => dims,
            Err(fault) => return Rule::Err(fault),
        };
        let [rows, columns] = self.frame.size();
        let y = Shape::of([channels, height.saturating_add(rows), width.saturating_add(columns)]);
        let form = OnnxForm::Pad(self.frame.sides(), "constant");
        LayerSpec::output(y).backward_without_x().backward_without_y().onnx(form).ok()
    }
}

impl Crop2d {
    /// `[channels, height, width] -> [channels, height - top - bottom, width - left - right]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let [channels, height, width] = match image(x) {
            Ok(dims) => dims,
            Err(fault) => return Rule::Err(fault),
        };
        let [rows, columns] = self.frame.size();
        if rows >= height || columns >= width {
            let fault = Fault::expected("an image of more than ")
                .num(rows)
                .str(" rows and ")
                .num(columns)
                .str(" columns, as are cut off")
                .found(x)
                .help("cut off at most ");
            return Rule::Err(if rows >= height {
                fault.num(height.saturating_sub(1)).str(" rows, `top` and `bottom` together")
            } else {
                fault.num(width.saturating_sub(1)).str(" columns, `left` and `right` together")
            });
        }
        let y = Shape::of([channels, height - rows, width - columns]);
        let form = OnnxForm::Crop(self.frame.sides());
        LayerSpec::output(y).backward_without_x().backward_without_y().onnx(form).ok()
    }
}

impl Layer for ZeroPad2d {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        self.frame.put([cx.output_shape(0), cx.input_shape(0)], x, y);
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        if !dx.is_empty() {
            self.frame.cut([cx.output_shape(0), cx.input_shape(0)], dy, dx);
        }
    }
}

impl Layer for Crop2d {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        self.frame.cut([cx.input_shape(0), cx.output_shape(0)], x, y);
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        if !dx.is_empty() {
            self.frame.put([cx.input_shape(0), cx.output_shape(0)], dy, dx);
        }
    }
}
