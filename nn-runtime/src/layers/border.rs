//! Borders: what stands around an image or a sequence before a window moves over it. In: `[channels, height,
//! width]`, `[steps, features]`; out: the same with more rows and columns, or steps. Each number of a border
//! is looked up in the input; nothing is learnt.

use super::frame2d::{Frame, framed};
use super::image::{image, sequence};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext};
use crate::shape::Shape;
use crate::spec::{LayerSpec, OnnxForm};

/// What stands beyond the ends of a line of numbers.
#[derive(Clone, Copy, Debug)]
enum Border {
    Zeros,
    Reflection,
    Replication,
    Circular,
}

impl Border {
    /// Which place of a line of `size` stands at place `at` of the longer line, which begins `before` places
    /// earlier; none where there is a zero.
    fn source(self, at: usize, before: usize, size: usize) -> Option<usize> {
        // How far it lies beyond an end, from 1 on.
        let (early, beyond) = match at.checked_sub(before) {
            Some(at) if at < size => return Some(at),
            Some(at) => (false, at - size + 1),
            None => (true, before - at),
        };
        match self {
            Border::Zeros => None,
            Border::Reflection => Some(if early { beyond } else { size - 1 - beyond }),
            Border::Replication => Some(if early { 0 } else { size - 1 }),
            Border::Circular => Some(if early { size - beyond } else { beyond - 1 }),
        }
    }

    /// How many places of a line of `size` there are for either end.
    const fn most(self, size: usize) -> usize {
        match self {
            Border::Zeros | Border::Replication => usize::MAX,
            Border::Reflection => size - 1,
            Border::Circular => size,
        }
    }

    /// ONNX's name.
    const fn mode(self) -> &'static str {
        match self {
            Border::Zeros => "constant",
            Border::Reflection => "reflect",
            Border::Replication => "edge",
            Border::Circular => "wrap",
        }
    }

    /// A border for which there is too little: `lines` are what the axis is made of, `sides` the options.
    const fn fault(
        self,
        [before, after]: [usize; 2],
        size: usize,
        lines: &str,
        sides: [&str; 2],
        instead: &str,
    ) -> Option<Fault> {
        let most = self.most(size);
        if before <= most && after <= most {
            return None;
        }
        let (side, found) = if before > most { (sides[0], before) } else { (sides[1], after) };
        let fault = Fault::expected("at most ").num(most).str(" ").str(lines).str(" around ").num(size);
        let fault = match self {
            Border::Reflection => fault.str(", as the edge itself is not reflected, found "),
            _ => fault.str(", as there are no more to go around, found "),
        };
        let fault = fault.num(found).help("use `").str(side).str(" = ").num(most).str("` or less, or `");
        Some(fault.str(instead).str("`, which takes any number"))
    }
}

/// Sizes of channels: `[channels, height, width]`. A sequence is one channel, whose rows are steps.
type Sizes = [usize; 3];

const fn sizes(x: Shape) -> Sizes {
    match (x.dims::<3>(), x.dims::<2>()) {
        (Some(sizes), _) => sizes,
        (_, Some([steps, features])) => [1, steps, features],
        _ => [0; 3],
    }
}

/// Input and output of one site.
fn sides(cx: &LayerContext) -> [Sizes; 2] {
    [sizes(cx.input_shape(0)), sizes(cx.output_shape(0))]
}

/// Each channel with its border.
fn put(border: Border, frame: Frame, [small, large]: [Sizes; 2], x: &[f32], y: &mut [f32]) {
    let ([_, height, width], [_, rows, columns]) = (small, large);
    for (x, y) in x.chunks_exact(height * width).zip(y.chunks_exact_mut(rows * columns)) {
        for (row, y) in y.chunks_exact_mut(columns).enumerate() {
            let Some(from) = border.source(row, frame.top, height) else {
                y.fill(0.0);
                continue;
            };
            let x = &x[from * width..][..width];
            let end = frame.left + width;
            y[frame.left..end].copy_from_slice(x);
            for column in (0..frame.left).chain(end..columns) {
                y[column] = border.source(column, frame.left, width).map_or(0.0, |from| x[from]);
            }
        }
    }
}

/// The gradient: each number has that of all places where it stands. `excess` is as long as a row.
fn pull(border: Border, frame: Frame, [small, large]: [Sizes; 2], dy: &[f32], dx: &mut [f32], excess: &mut [f32]) {
    let ([_, height, width], [_, rows, columns]) = (small, large);
    dx.fill(0.0);
    for (dx, dy) in dx.chunks_exact_mut(height * width).zip(dy.chunks_exact(rows * columns)) {
        let mut last = None;
        for (row, dy) in dy.chunks_exact(columns).enumerate() {
            let Some(to) = border.source(row, frame.top, height) else { continue };
            if last.replace(to) != Some(to) {
                excess.fill(0.0);
            }
            let dx = &mut dx[to * width..][..width];
            let end = frame.left + width;
            add_exactly(&dy[frame.left..end], dx, excess);
            for column in (0..frame.left).chain(end..columns) {
                if let Some(to) = border.source(column, frame.left, width) {
                    add_exactly(&dy[column..=column], &mut dx[to..], &mut excess[to..]);
                }
            }
        }
    }
}

/// Adds what stands as often as a border is wide, with what rounding loses of so long a sum (Kahan).
pub(super) fn add_exactly(terms: &[f32], to: &mut [f32], excess: &mut [f32]) {
    for (term, (to, excess)) in terms.iter().zip(to.iter_mut().zip(excess)) {
        let (before, term) = (*to, term - *excess);
        *to = before + term;
        *excess = (*to - before) - term;
    }
}

/// Any border of an image.
const fn rule_of_images(border: Border, frame: Frame, x: Shape) -> Rule {
    let [channels, height, width] = match image(x) {
        Ok(dims) => dims,
        Err(fault) => return Rule::Err(fault),
    };
    let instead = "ReplicationPad2d";
    if let Some(fault) = border.fault([frame.top, frame.bottom], height, "rows", ["top", "bottom"], instead) {
        return Rule::Err(fault);
    }
    if let Some(fault) = border.fault([frame.left, frame.right], width, "columns", ["left", "right"], instead) {
        return Rule::Err(fault);
    }
    let [rows, columns] = frame.size();
    spec(border, frame, width, Shape::of([channels, height.saturating_add(rows), width.saturating_add(columns)]))
}

/// Any border of a sequence.
const fn rule_of_steps(border: Border, frame: Frame, x: Shape) -> Rule {
    let [steps, features] = match sequence(x) {
        Ok(dims) => dims,
        Err(fault) => return Rule::Err(fault),
    };
    let instead = "ReplicationPad1d";
    if let Some(fault) = border.fault([frame.top, frame.bottom], steps, "steps", ["before", "after"], instead) {
        return Rule::Err(fault);
    }
    spec(border, frame, features, Shape::of([steps.saturating_add(frame.size()[0]), features]))
}

const fn spec(border: Border, frame: Frame, row: usize, y: Shape) -> Rule {
    let form = OnnxForm::Pad(frame.sides(), border.mode());
    LayerSpec::output(y).backward_without_x().backward_without_y().scratch(0, row).onnx(form).ok()
}

/// The layer around a border.
macro_rules! bordered {
    ($name:ident, $border:ident, $rule:ident, $shapes:literal) => {
        impl $name {
            #[doc = $shapes]
            pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
                $rule(Border::$border, self.frame, x)
            }
        }

        impl Layer for $name {
            fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
                put(Border::$border, self.frame, sides(cx), x, y);
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
                    pull(Border::$border, self.frame, sides(cx), dy, dx, cx.scratch);
                }
            }
        }
    };
}

/// A border of steps: a number for both ends, and one for each that is to differ.
macro_rules! framed_steps {
    ($(#[doc = $doc:literal])* $name:ident) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name {
            frame: Frame,
        }

        impl $name {
            /// So many steps are added before the first and after the last.
            pub const fn new(steps: usize) -> Self {
                $name { frame: Frame { top: steps, bottom: steps, left: 0, right: 0 } }
            }

            /// How many steps are added before the first.
            pub const fn before(mut self, steps: usize) -> Self {
                self.frame.top = steps;
                self
            }

            /// How many steps are added after the last.
            pub const fn after(mut self, steps: usize) -> Self {
                self.frame.bottom = steps;
                self
            }
        }
    };
}

framed! {
    /// The image reflected at its edges, which are not doubled: `y[-i] = x[i]`, `[channels, height, width] ->
    /// [channels, top + height + bottom, left + width + right]`. A border is narrower than the image.
    ///
    /// Before a `Conv2d` it is PyTorch's `padding_mode="reflect"`.
    ///
    /// | argument | here | PyTorch's `ReflectionPad2d` |
    /// |---|---|---|
    /// | `pixels`, of every side | must be given | `padding` |
    /// | `top`, `bottom`, `left`, `right` | `pixels` | `(left, right, top, bottom)` |
    ///
    /// In Keras `ops.pad(x, …, mode="reflect")`.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! {
    ///     pub struct Mirrored: [1, 1, 3] -> [1, 1, 7] { ReflectionPad2d(2, top = 0, bottom = 0) }
    /// }
    /// let y = [3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0];
    /// assert_eq!(Mirrored::init(0).predictor(1).predict(&[1.0, 2.0, 3.0]), &y);
    /// ```
    ReflectionPad2d, "added"
}
bordered!(ReflectionPad2d, Reflection, rule_of_images, "`[channels, height, width] -> [channels, h, w]`");

framed! {
    /// The image with its outermost pixels repeated: `y[-i] = x[0]`, `[channels, height, width] -> [channels,
    /// top + height + bottom, left + width + right]`.
    ///
    /// Before a `Conv2d` it is PyTorch's `padding_mode="replicate"`.
    ///
    /// | argument | here | PyTorch's `ReplicationPad2d` |
    /// |---|---|---|
    /// | `pixels`, of every side | must be given | `padding` |
    /// | `top`, `bottom`, `left`, `right` | `pixels` | `(left, right, top, bottom)` |
    ///
    /// Keras has no such layer.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! {
    ///     pub struct Held: [1, 1, 2] -> [1, 1, 5] { ReplicationPad2d(0, left = 1, right = 2) }
    /// }
    /// assert_eq!(Held::init(0).predictor(1).predict(&[1.0, 2.0]), &[1.0, 1.0, 2.0, 2.0, 2.0]);
    /// ```
    ReplicationPad2d, "added"
}
bordered!(ReplicationPad2d, Replication, rule_of_images, "`[channels, height, width] -> [channels, h, w]`");

framed! {
    /// The image as one that goes on at its other edge: `y[-i] = x[size - i]`, `[channels, height, width] ->
    /// [channels, top + height + bottom, left + width + right]`. A border is no wider than the image.
    ///
    /// Before a `Conv2d` it is PyTorch's `padding_mode="circular"`.
    ///
    /// | argument | here | PyTorch's `CircularPad2d` |
    /// |---|---|---|
    /// | `pixels`, of every side | must be given | `padding` |
    /// | `top`, `bottom`, `left`, `right` | `pixels` | `(left, right, top, bottom)` |
    ///
    /// Keras has no such layer.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! {
    ///     pub struct Around: [1, 1, 3] -> [1, 1, 5] { CircularPad2d(1, top = 0, bottom = 0) }
    /// }
    /// assert_eq!(Around::init(0).predictor(1).predict(&[1.0, 2.0, 3.0]), &[3.0, 1.0, 2.0, 3.0, 1.0]);
    /// ```
    CircularPad2d, "added"
}
bordered!(CircularPad2d, Circular, rule_of_images, "`[channels, height, width] -> [channels, h, w]`");

framed_steps! {
    /// Steps of zeros before and after a sequence: `y[before + s] = x[s]`, `[steps, features] -> [before +
    /// steps + after, features]`.
    ///
    /// | argument | here | PyTorch's `ZeroPad1d` | Keras's `ZeroPadding1D` |
    /// |---|---|---|---|
    /// | shapes | `[steps, features]` | `[features, steps]` | `[steps, features]` |
    /// | `steps`, at either end | must be given | `padding` | `padding=1` |
    /// | `before`, `after` | `steps` | `(left, right)` | `(before, after)` |
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! {
    ///     pub struct Later: [2, 1] -> [4, 1] { ZeroPad1d(2, after = 0) }
    /// }
    /// assert_eq!(Later::init(0).predictor(1).predict(&[1.0, 2.0]), &[0.0, 0.0, 1.0, 2.0]);
    /// ```
    ZeroPad1d
}
bordered!(ZeroPad1d, Zeros, rule_of_steps, "`[steps, features] -> [before + steps + after, features]`");

framed_steps! {
    /// A sequence reflected at its ends, which are not doubled: `y[-s] = x[s]`, `[steps, features] -> [before
    /// + steps + after, features]`. At either end fewer steps are added than there are.
    ///
    /// Its arguments are those of [`ZeroPad1d`], in PyTorch of `ReflectionPad1d`; Keras has no such layer.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! {
    ///     pub struct Mirrored: [3, 1] -> [6, 1] { ReflectionPad1d(2, after = 1) }
    /// }
    /// assert_eq!(Mirrored::init(0).predictor(1).predict(&[1.0, 2.0, 3.0]), &[3.0, 2.0, 1.0, 2.0, 3.0, 2.0]);
    /// ```
    ReflectionPad1d
}
bordered!(ReflectionPad1d, Reflection, rule_of_steps, "`[steps, features] -> [before + steps + after, features]`");

framed_steps! {
    /// A sequence with its first and last steps repeated: `y[-s] = x[0]`, `[steps, features] -> [before +
    /// steps + after, features]`.
    ///
    /// Its arguments are those of [`ZeroPad1d`], in PyTorch of `ReplicationPad1d`; Keras has no such layer.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! {
    ///     pub struct Held: [2, 1] -> [5, 1] { ReplicationPad1d(1, after = 2) }
    /// }
    /// assert_eq!(Held::init(0).predictor(1).predict(&[1.0, 2.0]), &[1.0, 1.0, 2.0, 2.0, 2.0]);
    /// ```
    ReplicationPad1d
}
bordered!(ReplicationPad1d, Replication, rule_of_steps, "`[steps, features] -> [before + steps + after, features]`");

framed_steps! {
    /// A sequence as one that begins anew behind its end: `y[-s] = x[steps - s]`, `[steps, features] ->
    /// [before + steps + after, features]`. At either end no more steps are added than there are.
    ///
    /// Its arguments are those of [`ZeroPad1d`], in PyTorch of `CircularPad1d`; Keras has no such layer.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! {
    ///     pub struct Around: [3, 1] -> [5, 1] { CircularPad1d(1) }
    /// }
    /// assert_eq!(Around::init(0).predictor(1).predict(&[1.0, 2.0, 3.0]), &[3.0, 1.0, 2.0, 3.0, 1.0]);
    /// ```
    CircularPad1d
}
bordered!(CircularPad1d, Circular, rule_of_steps, "`[steps, features] -> [before + steps + after, features]`");
