//! A window that moves over an image or a sequence: where it stands, and what is padded so that it can. In:
//! the sizes and what a declaration says; out: how often it stands, or what to type so that it fits. Nothing
//! here may know what a window computes.

use crate::fault::Fault;
use crate::limits::MAX_LEN;
use crate::shape::Shape;

/// What is put around the input, so that a window reaches its border.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Padding {
    /// Nothing: the window stays within the input.
    Valid,
    /// As many zeros as give an output of `input / stride`, rounded up; an odd one stands at the end (as in
    /// Keras).
    Same,
    /// So many zeros on every side.
    Pad(usize),
    /// Zeros before the first step only, so that no output looks ahead; for sequences.
    Causal,
}

/// A window along `D` axes: height and width, or steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window<const D: usize> {
    pub(super) kernel: [usize; D],
    pub(super) stride: [usize; D],
    pub(super) dilation: [usize; D],
    pub(super) padding: Padding,
}

/// The arguments of a window over images, for a layer with a field `window`.
macro_rules! window_arguments {
    ($name:ident) => {
        impl $name {
            /// The kernel's height and width, where they differ.
            pub const fn kernel_hw(mut self, kernel: [usize; 2]) -> Self {
                self.window.kernel = kernel;
                self
            }

            /// How far the kernel moves at a time.
            pub const fn stride(mut self, stride: usize) -> Self {
                self.window.stride = [stride; 2];
                self
            }

            /// How far the kernel moves down, and to the right.
            pub const fn stride_hw(mut self, stride: [usize; 2]) -> Self {
                self.window.stride = stride;
                self
            }

            /// How far apart the pixels are that neighbours in the kernel see.
            pub const fn dilation(mut self, dilation: usize) -> Self {
                self.window.dilation = [dilation; 2];
                self
            }

            /// How far apart they are down, and to the right.
            pub const fn dilation_hw(mut self, dilation: [usize; 2]) -> Self {
                self.window.dilation = dilation;
                self
            }

            /// What is put around the image.
            pub const fn padding(mut self, padding: Padding) -> Self {
                self.window.padding = padding;
                self
            }
        }
    };
}
pub(super) use window_arguments;

/// A window along one axis of an input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand {
    /// How often it stands.
    pub(super) out: usize,
    /// Zeros before the input.
    pub(super) before: usize,
    /// Zeros after the input.
    pub(super) after: usize,
}

impl<const D: usize> Window<D> {
    pub(super) const fn new(kernel: usize) -> Self {
        Window { kernel: [kernel; D], stride: [1; D], dilation: [1; D], padding: Padding::Valid }
    }

    /// From its first to its last number along `axis`.
    pub(super) const fn extent(&self, axis: usize) -> usize {
        (self.kernel[axis] - 1).saturating_mul(self.dilation[axis]).saturating_add(1)
    }

    /// What is wrong with it whatever the input.
    pub(super) const fn fault(&self) -> Option<Fault> {
        let mut axis = 0;
        while axis < D {
            if self.kernel[axis] == 0 {
                let fault = Fault::expected("a kernel of at least 1").found_num(0);
                return Some(fault.help("give the side of the window, such as 3"));
            }
            if self.stride[axis] == 0 {
                return Some(Fault::expected("a stride of at least 1").found_num(0).help("use `stride = 1` or more"));
            }
            if self.dilation[axis] == 0 {
                return Some(
                    Fault::expected("a dilation of at least 1").found_num(0).help("use `dilation = 1` or more"),
                );
            }
            axis += 1;
        }
        match self.padding {
            Padding::Causal if D > 1 => Some(not_causal().str("; an image has no direction of time")),
            _ => None,
        }
    }

    /// How it stands on an input of these sizes.
    pub(super) const fn on(&self, sizes: [usize; D]) -> Result<[Stand; D], Fault> {
        if let Some(fault) = self.fault() {
            return Err(fault);
        }
        let mut stands = [Stand { out: 0, before: 0, after: 0 }; D];
        let mut fits = true;
        let mut axis = 0;
        while axis < D {
            let (size, stride, extent) = (sizes[axis], self.stride[axis], self.extent(axis));
            let up = size.div_ceil(stride);
            let [before, after] = match self.padding {
                Padding::Valid => [0, 0],
                Padding::Pad(zeros) => [zeros, zeros],
                Padding::Causal => [extent - 1, 0],
                Padding::Same => {
                    let reach = up.saturating_sub(1).saturating_mul(stride).saturating_add(extent);
                    let zeros = reach.saturating_sub(size);
                    [zeros / 2, zeros - zeros / 2]
                }
            };
            let padded = size.saturating_add(before).saturating_add(after);
            if padded > MAX_LEN || extent > MAX_LEN {
                let fault = Fault::expected("a kernel, dilation and padding that fit into memory");
                return Err(fault
                    .found_num(if padded > MAX_LEN { padded } else { extent })
                    .help("use smaller numbers"));
            }
            fits &= padded >= extent;
            stands[axis] = Stand { out: (padded.saturating_sub(extent)) / stride + 1, before, after };
            axis += 1;
        }
        if fits { Ok(stands) } else { Err(self.too_large(sizes)) }
    }

    /// A window larger than its padded input.
    const fn too_large(&self, sizes: [usize; D]) -> Fault {
        let (mut least, mut fitting) = ([0; D], [0; D]);
        let mut dilated = false;
        let zeros = match self.padding {
            Padding::Pad(zeros) => 2 * zeros,
            _ => 0,
        };
        let mut axis = 0;
        while axis < D {
            least[axis] = self.extent(axis).saturating_sub(zeros);
            fitting[axis] = (sizes[axis] + zeros).saturating_sub(1) / self.dilation[axis] + 1;
            dilated |= self.dilation[axis] > 1;
            axis += 1;
        }
        let fault = sides(Fault::expected("an input of at least "), least).str(" for kernel ");
        let mut fault = numbers(fault, self.kernel);
        if dilated {
            fault = numbers(fault.str(" with dilation "), self.dilation);
        }
        if zeros > 0 {
            fault = fault.str(" with padding ").num(zeros / 2);
        }
        let fault = sides(fault.str(", found "), sizes).help("use a kernel of ");
        let fault = numbers(fault, smallest(fitting, self.kernel));
        fault.str(" or less, or `padding = Same`")
    }
}

impl Window<1> {
    /// Too few steps where there would be features enough: the two stand the other way round.
    pub(super) const fn turned(&self, [steps, features]: [usize; 2]) -> Option<Fault> {
        let extent = self.extent(0);
        let valid = matches!(self.padding, Padding::Valid) && self.fault().is_none();
        if !valid || steps >= extent || features < extent {
            return None;
        }
        let fault = sides(Fault::expected("an input of at least "), [extent]).str(" for kernel ");
        let fault = sides(fault.num(self.kernel[0]).str(", found "), [steps]).str(" of ").num(features);
        let fault = fault.str(" features").help("a sequence is [steps, features]: put `Permute([1, 0])` before it");
        Some(fault.str(", or declare it as ").shape(Shape::of([features, steps])))
    }
}

impl Window<2> {
    /// An image too narrow for a window where its channels are a picture's height: channels stand last.
    pub(super) const fn channels_last(&self, [height, width, channels]: [usize; 3]) -> Option<Fault> {
        let valid = matches!(self.padding, Padding::Valid) && self.fault().is_none();
        if !valid || channels > 4 || channels >= self.extent(1) || height < self.extent(0) || width < self.extent(1) {
            return None;
        }
        let fault = sides(Fault::expected("an input of at least "), [self.extent(0), self.extent(1)]);
        let fault = sides(numbers(fault.str(" for kernel "), self.kernel).str(", found "), [width, channels]);
        let fault =
            fault.help("an image is [channels, height, width]: put `Permute([2, 0, 1])` before it, or declare it as ");
        Some(fault.shape(Shape::of([channels, height, width])))
    }
}

/// What is said where there is no first step, or where what comes after is no matter.
pub(super) const fn not_causal() -> Fault {
    Fault::expected("padding of `Valid`, `Same` or `Pad(n)`, found `Causal`").help("use `padding = Same`")
}

/// What the kernels cannot count, whatever fits elsewhere.
pub(super) const fn too_large() -> Fault {
    Fault::expected("sizes that fit into memory, found dimensions whose product does not")
        .help("use smaller dimensions")
}

/// What the rule has accepted cannot fail.
pub(super) fn accepted<T>(checked: Result<T, Fault>) -> T {
    match checked {
        Ok(all) => all,
        Err(fault) => unreachable!("the rule has accepted this input: {fault:?}"),
    }
}

/// Sizes as the reader knows them: `[9, 9]`, or `9 steps`.
const fn sides<const D: usize>(fault: Fault, sizes: [usize; D]) -> Fault {
    if D == 1 {
        fault.num(sizes[0]).str(if sizes[0] == 1 { " step" } else { " steps" })
    } else {
        fault.shape(Shape::of(sizes))
    }
}

/// `3` where all are 3, else `[3, 5]`.
pub(super) const fn numbers<const D: usize>(fault: Fault, all: [usize; D]) -> Fault {
    if alike(all) { fault.num(all[0]) } else { fault.shape(Shape::of(all)) }
}

const fn alike<const D: usize>(all: [usize; D]) -> bool {
    let mut i = 1;
    while i < D {
        if all[i] != all[0] {
            return false;
        }
        i += 1;
    }
    true
}

/// The largest kernel that fits: square where the one that does not is, or else no longer than that along any
/// axis.
const fn smallest<const D: usize>(mut fitting: [usize; D], kernel: [usize; D]) -> [usize; D] {
    let square = alike(kernel);
    let mut i = 0;
    while i < D {
        let mut j = 0;
        while j < D {
            if square && fitting[j] < fitting[i] {
                fitting[i] = fitting[j];
            }
            j += 1;
        }
        if fitting[i] > kernel[i] {
            fitting[i] = kernel[i];
        }
        i += 1;
    }
    fitting
}
