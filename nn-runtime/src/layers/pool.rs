//! What the pools have in common: a window that stands side by side unless told otherwise, and how the
//! kernels are asked. In: what a declaration says, sizes; out: the kernels' description. Nothing here may
//! know what is done with what a window sees.

use super::image::{image, sequence};
use super::window::{Padding, Stand, Window, not_causal, numbers, too_large};
use crate::fault::Fault;
use crate::shape::Shape;
use crate::spec::{LayerSpec, OnnxForm};
use nn_kernels::pool::{Pool, Spacing, UnevenPool};

/// A window as a pool declares it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pooled<const D: usize> {
    pub(super) kernel: [usize; D],
    /// The kernel's sides, if nothing is said.
    pub(super) stride: Option<[usize; D]>,
    pub(super) dilation: [usize; D],
    pub(super) padding: Padding,
    /// Whether a window that reaches beyond the end stands too.
    pub(super) ceil: bool,
}

/// What the kernels are asked for.
#[derive(Clone, Copy)]
pub(super) enum Asked {
    Plain(Pool),
    /// Windows with gaps.
    Uneven(UnevenPool),
}

impl Asked {
    /// What a rule has found: nothing of it is computed again.
    #[inline]
    pub(super) fn planned(spec: &LayerSpec) -> Asked {
        match spec.onnx {
            OnnxForm::MaxPool(pool) | OnnxForm::AvgPool(pool, _) => Asked::Plain(pool),
            OnnxForm::UnevenMaxPool(pool) => Asked::Uneven(pool),
            _ => unreachable!("the rule of a pool says which"),
        }
    }
}

/// The arguments of a pool over images, for a layer with a field `pooled`.
macro_rules! pooled_arguments {
    ($name:ident) => {
        impl $name {
            /// The window's height and width, where they differ.
            pub const fn kernel_hw(mut self, kernel: [usize; 2]) -> Self {
                self.pooled.kernel = kernel;
                self
            }

            /// How far the window moves at a time.
            pub const fn stride(mut self, stride: usize) -> Self {
                self.pooled.stride = Some([stride; 2]);
                self
            }

            /// How far the window moves down, and to the right.
            pub const fn stride_hw(mut self, stride: [usize; 2]) -> Self {
                self.pooled.stride = Some(stride);
                self
            }

            /// What is put around the image.
            pub const fn padding(mut self, padding: Padding) -> Self {
                self.pooled.padding = padding;
                self
            }

            /// Whether a window stands too that begins within the image, or what is put before it, and
            /// reaches beyond the end.
            pub const fn ceil_mode(mut self, stands: bool) -> Self {
                self.pooled.ceil = stands;
                self
            }
        }
    };
}
pub(super) use pooled_arguments;

/// The arguments of a pool over sequences, for a layer with a field `pooled`.
macro_rules! pooled_arguments_of_steps {
    ($name:ident) => {
        impl $name {
            /// How many steps the window moves at a time.
            pub const fn stride(mut self, stride: usize) -> Self {
                self.pooled.stride = Some([stride]);
                self
            }

            /// What is put before the first step and after the last.
            pub const fn padding(mut self, padding: Padding) -> Self {
                self.pooled.padding = padding;
                self
            }

            /// Whether a window stands too that begins within the sequence, or what is put before it, and
            /// reaches beyond the end.
            pub const fn ceil_mode(mut self, stands: bool) -> Self {
                self.pooled.ceil = stands;
                self
            }
        }
    };
}
pub(super) use pooled_arguments_of_steps;

impl<const D: usize> Pooled<D> {
    pub(super) const fn new(kernel: usize) -> Self {
        let (stride, dilation) = (None, [1; D]);
        Pooled { kernel: [kernel; D], stride, dilation, padding: Padding::Valid, ceil: false }
    }

    const fn window(&self) -> Window<D> {
        let stride = match self.stride {
            Some(stride) => stride,
            None => self.kernel,
        };
        Window { kernel: self.kernel, stride, dilation: self.dilation, padding: self.padding }
    }

    /// The pool over an image of these sizes, or over a sequence.
    const fn on(&self, channels: usize, sizes: [usize; D]) -> Result<Asked, Fault> {
        if let Some(fault) = self.fault(sizes) {
            return Err(fault);
        }
        let window = self.window();
        let stands = match self.stands(&window, sizes) {
            Ok(stands) => stands,
            Err(fault) => return Err(fault),
        };
        // A sequence is an image of one row, whose channels lie side by side.
        let (flat, last) = (D == 1, D - 1);
        let [height, width] = if flat { [1, sizes[last]] } else { [sizes[0], sizes[last]] };
        // The kernels count places in 32 bits.
        if height.saturating_mul(width) > u32::MAX as usize {
            return Err(too_large());
        }
        // Along a row of pixels, or steps; and along what a sequence has one of.
        let across = self.along(&window, &stands, sizes, last);
        let down = if flat { Along::ONE } else { self.along(&window, &stands, sizes, 0) };
        if down.dilation > 1 || across.dilation > 1 {
            let along = [down.gaps(), across.gaps()];
            return Ok(Asked::Uneven(UnevenPool { channels, size: [height, width], along, channels_last: flat }));
        }
        Ok(Asked::Plain(Pool {
            stride: [down.stride, across.stride],
            pad: [down.before, down.after, across.before, across.after],
            beyond: [down.beyond, across.beyond],
            channels_last: flat,
            ..Pool::new([channels, height, width], [down.window, across.window])
        }))
    }

    /// Where the window stands; with `ceil` as often as it begins before the end.
    const fn stands(&self, window: &Window<D>, sizes: [usize; D]) -> Result<[Stand; D], Fault> {
        let whole = window.on(sizes);
        // `Same` reaches over all of the input as it is.
        if !self.ceil || matches!(self.padding, Padding::Same) {
            return whole;
        }
        let mut longer = sizes;
        let mut axis = 0;
        while axis < D {
            longer[axis] = sizes[axis].saturating_add(window.stride[axis].saturating_sub(1));
            axis += 1;
        }
        let mut stands = match (window.on(longer), whole) {
            (Ok(stands), _) => stands,
            (_, Err(fault)) | (Err(fault), _) => return Err(fault),
        };
        axis = 0;
        while axis < D {
            // The last one must not begin in what is put after the end.
            if (stands[axis].out - 1).saturating_mul(window.stride[axis]) >= sizes[axis] + stands[axis].before {
                stands[axis].out -= 1;
            }
            axis += 1;
        }
        Ok(stands)
    }

    const fn along(&self, window: &Window<D>, stands: &[Stand; D], sizes: [usize; D], axis: usize) -> Along {
        let (stand, stride) = (stands[axis], window.stride[axis]);
        let reach = (stand.out - 1).saturating_mul(stride).saturating_add(window.extent(axis));
        let beyond = reach.saturating_sub(sizes[axis] + stand.before + stand.after);
        Along {
            window: self.kernel[axis],
            dilation: self.dilation[axis],
            stride,
            before: stand.before,
            after: stand.after + beyond,
            beyond,
            out: stand.out,
        }
    }

    const fn fault(&self, sizes: [usize; D]) -> Option<Fault> {
        let window = self.window();
        if let Some(fault) = window.fault() {
            return Some(match self.padding {
                Padding::Causal => not_causal(),
                _ => fault,
            });
        }
        let zeros = match self.padding {
            Padding::Pad(zeros) => zeros,
            Padding::Valid => return None,
            Padding::Same => 0,
            Padding::Causal => return Some(not_causal()),
        };
        let mut half = self.kernel[0] / 2;
        let mut axis = 0;
        while axis < D {
            if self.kernel[axis] / 2 < half {
                half = self.kernel[axis] / 2;
            }
            if self.dilation[axis] > 1 && self.dilation[axis] > sizes[axis] && self.kernel[axis] > 1 {
                // Such a window could step over the whole input.
                let fault = Fault::expected("a dilation of at most the input's ").num(sizes[axis]);
                let fault = fault.str(" where there is padding").found_num(self.dilation[axis]);
                return Some(fault.help("use `dilation = ").num(sizes[axis]).str("` or less"));
            }
            axis += 1;
        }
        if zeros <= half {
            return None;
        }
        let fault = numbers(Fault::expected("padding of at most half the kernel "), self.kernel).found_num(zeros);
        Some(fault.help("use `padding = Pad(").num(half).str(")` or less, or `padding = Same`"))
    }
}

/// A window along one axis, as the kernels are told.
#[derive(Clone, Copy)]
struct Along {
    window: usize,
    dilation: usize,
    stride: usize,
    before: usize,
    /// With `beyond`, what it reaches over beyond the padding.
    after: usize,
    beyond: usize,
    out: usize,
}

impl Along {
    const ONE: Along = Along { window: 1, dilation: 1, stride: 1, before: 0, after: 0, beyond: 0, out: 1 };

    const fn gaps(&self) -> Spacing {
        let Along { window, dilation, stride, before, out, .. } = *self;
        Spacing::Gaps { window, dilation, stride, before, out }
    }
}

impl Pooled<2> {
    /// Over `[channels, height, width]`.
    pub(super) const fn pool(&self, x: Shape) -> Result<Asked, Fault> {
        match image(x) {
            Ok([channels, height, width]) => self.on(channels, [height, width]),
            Err(fault) => Err(fault),
        }
    }
}

impl Pooled<1> {
    /// Over `[steps, features]`.
    pub(super) const fn pool(&self, x: Shape) -> Result<Asked, Fault> {
        match sequence(x) {
            Ok([steps, features]) => match self.window().turned([steps, features]) {
                Some(fault) => Err(fault),
                None => self.on(features, [steps]),
            },
            Err(fault) => Err(fault),
        }
    }
}

/// The spec of a pool: nothing is learnt, and gradients follow from those of the output and what is kept.
pub(super) const fn spec(asked: &Asked) -> LayerSpec {
    plain_spec(asked).backward_without_x().backward_without_y()
}

/// The same where gradients follow from inputs and outputs.
pub(super) const fn plain_spec(asked: &Asked) -> LayerSpec {
    let (channels, [height, width], flat) = match asked {
        Asked::Plain(pool) => (pool.channels, pool.output(), pool.channels_last),
        Asked::Uneven(pool) => (pool.channels, pool.output(), pool.channels_last),
    };
    let y = if flat { Shape::of([width, channels]) } else { Shape::of([channels, height, width]) };
    LayerSpec::output(y)
}
