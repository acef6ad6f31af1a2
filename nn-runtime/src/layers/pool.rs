//! What the pools have in common: a window that stands side by side unless told otherwise, and how the
//! kernels are asked. In: what a declaration says, sizes; out: the kernels' description. Nothing here may
//! know what is done with what a window sees.

use super::image::{image, sequence};
use super::window::{Padding, Window, not_causal, numbers, too_large};
use crate::fault::Fault;
use crate::shape::Shape;
use crate::spec::LayerSpec;
use nn_kernels::pool::Pool;

/// A window as a pool declares it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pooled<const D: usize> {
    pub(super) kernel: [usize; D],
    /// The kernel's sides, if nothing is said.
    pub(super) stride: Option<[usize; D]>,
    pub(super) padding: Padding,
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
        }
    };
}
pub(super) use pooled_arguments_of_steps;

impl<const D: usize> Pooled<D> {
    pub(super) const fn new(kernel: usize) -> Self {
        Pooled { kernel: [kernel; D], stride: None, padding: Padding::Valid }
    }

    const fn window(&self) -> Window<D> {
        let stride = match self.stride {
            Some(stride) => stride,
            None => self.kernel,
        };
        Window { kernel: self.kernel, stride, dilation: [1; D], padding: self.padding }
    }

    /// The pool over an image of these sizes, or over a sequence.
    const fn on(&self, channels: usize, sizes: [usize; D]) -> Result<Pool, Fault> {
        if let Some(fault) = self.fault() {
            return Err(fault);
        }
        let window = self.window();
        let stride = window.stride;
        let stands = match window.on(sizes) {
            Ok(stands) => stands,
            Err(fault) => return Err(fault),
        };
        // A sequence is an image of one row, whose channels lie side by side.
        let (flat, last) = (D == 1, D - 1);
        let [height, width] = if flat { [1, sizes[last]] } else { [sizes[0], sizes[last]] };
        let [top, bottom] = if flat { [0, 0] } else { [stands[0].before, stands[0].after] };
        // The kernels count places in 32 bits.
        if height.saturating_mul(width) > u32::MAX as usize {
            return Err(too_large());
        }
        Ok(Pool {
            stride: if flat { [1, stride[last]] } else { [stride[0], stride[last]] },
            pad: [top, bottom, stands[last].before, stands[last].after],
            channels_last: flat,
            ..Pool::new(
                [channels, height, width],
                if flat { [1, self.kernel[last]] } else { [self.kernel[0], self.kernel[last]] },
            )
        })
    }

    const fn fault(&self) -> Option<Fault> {
        let zeros = match self.padding {
            Padding::Pad(zeros) => zeros,
            Padding::Valid | Padding::Same => return None,
            Padding::Causal => return Some(not_causal()),
        };
        let mut half = self.kernel[0] / 2;
        let mut axis = 1;
        while axis < D {
            if self.kernel[axis] / 2 < half {
                half = self.kernel[axis] / 2;
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

impl Pooled<2> {
    /// Over `[channels, height, width]`.
    pub(super) const fn pool(&self, x: Shape) -> Result<Pool, Fault> {
        match image(x) {
            Ok([channels, height, width]) => self.on(channels, [height, width]),
            Err(fault) => Err(fault),
        }
    }
}

impl Pooled<1> {
    /// Over `[steps, features]`.
    pub(super) const fn pool(&self, x: Shape) -> Result<Pool, Fault> {
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
pub(super) const fn spec(pool: &Pool) -> LayerSpec {
    let [height, width] = pool.output();
    let y = match pool.channels_last {
        true => Shape::of([width, pool.channels]),
        false => Shape::of([pool.channels, height, width]),
    };
    LayerSpec::output(y).backward_without_x().backward_without_y()
}
