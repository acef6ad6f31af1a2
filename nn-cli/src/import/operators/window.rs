//! A window that moves over images or sequences: how an operator says it, and how a layer does. In: a node's
//! attributes; out: a layer's arguments. It knows no layer by name but the frame.

use crate::import::graph::{Reader, ints, text};
use crate::onnx::Node;

/// How a window moves, along each axis.
pub struct Window {
    pub kernel: Vec<usize>,
    pub stride: Vec<usize>,
    pub dilation: Vec<usize>,
    pub before: Vec<usize>,
    pub after: Vec<usize>,
}

impl Window {
    pub fn read(node: &Node, kernel: &[usize], sizes: &[usize]) -> Result<Window, String> {
        let axes = kernel.len();
        let list = |name: &str| -> Result<Vec<usize>, String> {
            let given = ints(node, name).unwrap_or_else(|| vec![1; axes]);
            let all: Option<Vec<usize>> = given.iter().map(|value| usize::try_from(*value).ok()).collect();
            let fits = |all: &Vec<usize>| all.len() == axes && all.iter().all(|value| (1..1 << 24).contains(value));
            all.filter(fits).ok_or_else(|| format!("expected {axes} numbers of at least 1 as `{name}`"))
        };
        let (stride, dilation) = (list("strides")?, list("dilations")?);
        if kernel.iter().any(|kernel| !(1..1 << 24).contains(kernel)) {
            return Err("expected a kernel of at least 1".to_owned());
        }
        let pads = ints(node, "pads").unwrap_or_else(|| vec![0; 2 * axes]);
        let pads: Option<Vec<usize>> = pads.iter().map(|pad| usize::try_from(*pad).ok()).collect();
        let pads = pads.filter(|pads| pads.len() == 2 * axes && pads.iter().all(|pad| *pad < 1 << 24));
        let pads = pads.ok_or("expected padding of at least 0")?;
        let (mut before, mut after) = (pads[..axes].to_vec(), pads[axes..].to_vec());
        let same = match text(node, "auto_pad", "NOTSET") {
            "SAME_UPPER" => Some(true),
            "SAME_LOWER" => Some(false),
            _ => None,
        };
        let mut window = Window { kernel: kernel.to_vec(), stride, dilation, before: vec![], after: vec![] };
        if let Some(upper) = same {
            for axis in 0..axes {
                let zeros = window.same(axis, sizes[axis]);
                (before[axis], after[axis]) = (zeros / 2, zeros - zeros / 2);
                if !upper {
                    (before[axis], after[axis]) = (after[axis], before[axis]);
                }
            }
        }
        (window.before, window.after) = (before, after);
        Ok(window)
    }

    pub fn extent(&self, axis: usize) -> usize {
        (self.kernel[axis] - 1) * self.dilation[axis] + 1
    }

    /// Zeros in all that `padding = Same` takes.
    pub fn same(&self, axis: usize, size: usize) -> usize {
        ((size.div_ceil(self.stride[axis]).max(1) - 1) * self.stride[axis] + self.extent(axis)).saturating_sub(size)
    }

    pub fn out(&self, axis: usize, size: usize, ceil: bool) -> Result<usize, String> {
        let room = (size + self.before[axis] + self.after[axis]).checked_sub(self.extent(axis));
        let room = room.ok_or("expected an input that is as large as the kernel")?;
        let stands = if ceil { room.div_ceil(self.stride[axis]) } else { room / self.stride[axis] };
        Ok(stands + 1)
    }

    /// The arguments behind the kernel; or nothing where the padding is different on each side.
    pub fn args(&self, sizes: &[usize], kernel_hw: bool, default_stride: &[usize]) -> Option<String> {
        let axes = self.kernel.len();
        let mut args = String::new();
        let alike = |all: &[usize]| all.iter().all(|value| *value == all[0]);
        let say = |name: &str, all: &[usize]| match alike(all) {
            true => format!(", {name} = {}", all[0]),
            false => format!(", {name}_hw = {all:?}"),
        };
        if kernel_hw && !alike(&self.kernel) {
            args += &format!(", kernel_hw = {:?}", self.kernel);
        }
        if self.stride != default_stride {
            args += &say("stride", &self.stride);
        }
        if self.dilation.iter().any(|dilation| *dilation != 1) {
            args += &say("dilation", &self.dilation);
        }
        let zero = self.before.iter().chain(&self.after).all(|pad| *pad == 0);
        let same = (0..axes).all(|axis| {
            let zeros = self.same(axis, sizes[axis]);
            (self.before[axis], self.after[axis]) == (zeros / 2, zeros - zeros / 2)
        });
        if zero {
            return Some(args);
        }
        if same {
            return Some(args + ", padding = Same");
        }
        if axes == 1 && self.after[0] == 0 && self.before[0] == self.extent(0) - 1 {
            return Some(args + ", padding = Causal");
        }
        let all: Vec<usize> = self.before.iter().chain(&self.after).copied().collect();
        alike(&all).then(|| args + &format!(", padding = Pad({})", all[0]))
    }

    /// Frames the images by zeros, so that the window needs none of its own.
    pub fn frame(&mut self, reader: &mut Reader, x: usize, sizes: &mut [usize]) -> Result<usize, String> {
        let [c, h, w] = reader.network.shapes[x][..] else {
            return Err("expected padding that is alike on both sides, `Same` or causal".to_owned());
        };
        let ([top, left], [bottom, right]) = ([self.before[0], self.before[1]], [self.after[0], self.after[1]]);
        (self.before, self.after) = (vec![0; 2], vec![0; 2]);
        (sizes[0], sizes[1]) = (h + top + bottom, w + left + right);
        let args = format!("0, top = {top}, bottom = {bottom}, left = {left}, right = {right}");
        Ok(reader.network.layer("ZeroPad2d", &args, &[x], &[c, sizes[0], sizes[1]]))
    }
}
