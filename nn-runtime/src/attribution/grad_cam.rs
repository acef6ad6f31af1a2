//! Where in an image, or when in a sequence, a network found what it answers. In: a model, one sample, one of
//! its outputs, a layer; out: a number for each place of that layer's output.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

use super::check;
use crate::graph::{CompiledNetwork, Fusion};
use crate::input::{InputError, InputErrorKind};
use crate::layer::{LayerContext, Observed, WholeBatch};
use crate::model::{Model, Network};
use crate::shape::Shape;
use crate::spec::Pass;
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::simd::Isa;
use nn_kernels::workspace::Region;

/// What [`grad_cam`] finds.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct GradCam {
    /// A number for each place of the layer's output, row-major: what is above 0 speaks for the output, what
    /// is below 0 against it. Captum's `relu_attributions=True` and the paper make that 0.
    pub map: Vec<f32>,
    /// `[height, width]` of an image, `[1, steps]` of a sequence.
    pub size: [usize; 2],
}

impl GradCam {
    /// The map as large as an image of this height and width, each place as near as there is one: Captum's
    /// `LayerAttribution.interpolate`.
    pub fn enlarged(&self, height: usize, width: usize) -> Vec<f32> {
        let [rows, columns] = self.size;
        let at = |i: usize, j: usize| self.map[i * rows / height * columns + j * columns / width];
        (0..height).flat_map(|i| (0..width).map(move |j| at(i, j))).collect()
    }
}

/// The output of a layer, each channel times the mean of its gradient, added up: Grad-CAM (Selvaraju et al.,
/// "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", 2017; Captum's
/// `LayerGradCam`). `layer` is a label, or the name that a layer has for want of one (`relu_1`), whose output
/// is an image `[channels, height, width]` or a sequence `[steps, features]`; common is the last one that
/// still knows places. A network used as a layer is one.
///
/// ```
/// use nn_runtime::attribution::grad_cam;
/// use nn_runtime::prelude::*;
///
/// network! {
///     struct Net: [1, 8, 8] -> [2] { Conv2d(4, 3) -> seen: Tanh -> GlobalAvgPool -> Dense(2) -> Softmax }
/// }
/// let found = grad_cam(&Net::init(0), "seen", &[&[0.5; 64]], 1)?;
/// assert_eq!((found.size, found.map.len(), found.enlarged(8, 8).len()), ([6, 6], 36, 64));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// `x` is not one sample of the network, or there is no such output. No layer has this name, or its output is
/// no image and no sequence; or it is never in memory, as the layers behind it are computed together with it:
/// then the help names the last of them.
pub fn grad_cam<N: Network>(model: &Model<N>, layer: &str, x: &[&[f32]], output: usize) -> Result<GradCam, InputError> {
    check::<N>(x, output)?;
    let refuse = |text: String| Err(InputError::new(InputErrorKind::Shape, text));
    let network = N::COMPILED;
    let Some(node) = network.nodes.iter().position(|node| node.name == layer) else {
        let names: Vec<&str> = network.nodes.iter().map(|node| node.name).collect();
        return refuse(format!(
            "expected a layer of `{}`, found `{layer}`\nhelp: they are {}",
            network.name,
            names.join(", ")
        ));
    };
    let shape = network.nodes[node].spec.output_shapes()[0];
    let Some(places) = Places::of(shape) else {
        return refuse(format!(
            "`{layer}`: expected an output [channels, height, width] or [steps, features], found {shape}\nhelp: take a layer before \
             it that still knows places"
        ));
    };
    if let Some(last) = last_fused(network, node) {
        return refuse(format!(
            "`{layer}`: expected a layer whose output is in memory, found one that is computed together with `{last}`\nhelp: \
             `grad_cam(&model, \"{last}\", ..)`"
        ));
    }
    if network.train_with_input_grad.node_plan[node].y[0].region != Region::Work {
        return refuse(format!(
            "`{layer}`: expected a layer within the network, found its output\nhelp: take one before it"
        ));
    }
    let room = || (0..shape.len()).map(|_| AtomicU32::new(0)).collect();
    let seen = Seen { node, value: room(), gradient: room() };
    observe(model, x, output, &seen);
    Ok(places.map(&numbers(&seen.value), &numbers(&seen.gradient)))
}

/// What is seen of one layer: bits of floats.
struct Seen {
    node: usize,
    value: Vec<AtomicU32>,
    gradient: Vec<AtomicU32>,
}

fn numbers(bits: &[AtomicU32]) -> Vec<f32> {
    bits.iter().map(|bits| f32::from_bits(bits.load(Ordering::Relaxed))).collect()
}

impl WholeBatch for Seen {
    fn samples(&self) -> usize {
        1
    }

    fn gather(&self, own: &[f32], see: &mut dyn FnMut(usize, &[f32])) {
        see(1, own);
    }

    fn observe(&self, node: usize, observed: Observed, numbers: &[f32]) {
        if node == self.node {
            let to = match observed {
                Observed::Value => &self.value,
                Observed::Gradient => &self.gradient,
            };
            to.iter().zip(numbers).for_each(|(to, number)| to.store(number.to_bits(), Ordering::Relaxed));
        }
    }
}

/// The last of the layers that are computed together with a node, if it is another one.
fn last_fused(network: &'static CompiledNetwork, node: usize) -> Option<&'static str> {
    let mut last = None;
    let mut value = network.nodes[node].y;
    for (next, plan) in network.nodes.iter().zip(network.train_with_input_grad.node_plan) {
        if plan.fusion == Fusion::ByProducer && next.x[0] == value {
            (last, value) = (Some(next.name), next.y);
        }
    }
    last
}

/// Runs the network forward and back from one of its outputs, as it predicts.
fn observe<N: Network>(model: &Model<N>, x: &[&[f32]], output: usize, seen: &Seen) {
    let network = N::COMPILED;
    let zeros = |shapes: &[Shape]| -> Vec<Vec<f32>> { shapes.iter().map(|shape| vec![0.0; shape.len()]).collect() };
    let (mut y, mut dy, mut dx) = (zeros(network.outputs), zeros(network.outputs), zeros(network.inputs));
    dy[0][output] = 1.0;
    let mut saved = AlignedBuffer::zeroed(network.train_with_input_grad.work);
    let mut scratch = AlignedBuffer::zeroed(network.train_with_input_grad.scratch_for(1));
    let cx = LayerContext::for_network(&model.params, Isa::detect(), 1, Pass::Observe, &mut saved[..], &mut scratch);
    let mut cx = cx.part_of(Some(seen));
    N::forward_pass(&mut cx, x, &mut all_mut(&mut y));
    let (y, dy): (Vec<&[f32]>, Vec<&[f32]>) = (all(&y), all(&dy));
    N::backward_input(&mut cx, x, &y, &dy, &mut all_mut(&mut dx));
}

fn all(of: &[Vec<f32>]) -> Vec<&[f32]> {
    of.iter().map(|one| &one[..]).collect()
}

fn all_mut(of: &mut [Vec<f32>]) -> Vec<&mut [f32]> {
    of.iter_mut().map(|one| &mut one[..]).collect()
}

/// Where the channels and places of an output lie.
struct Places {
    channels: usize,
    size: [usize; 2],
    /// Floats from a channel to the next, and from a place to the next.
    strides: [usize; 2],
}

impl Places {
    fn of(shape: Shape) -> Option<Places> {
        match *shape.as_slice() {
            [channels, height, width] => Some(Places { channels, size: [height, width], strides: [height * width, 1] }),
            [steps, features] => Some(Places { channels: features, size: [1, steps], strides: [1, features] }),
            _ => None,
        }
    }

    fn map(&self, value: &[f32], gradient: &[f32]) -> GradCam {
        let Places { channels, size, strides: [channel, place] } = *self;
        let places = size[0] * size[1];
        let mut map = vec![0.0; places];
        for c in 0..channels {
            let of = |numbers: &[f32], i: usize| f64::from(numbers[c * channel + i * place]);
            let mean = (0..places).map(|i| of(gradient, i)).sum::<f64>() / places as f64;
            map.iter_mut().enumerate().for_each(|(i, sum)| *sum += mean * of(value, i));
        }
        GradCam { map: map.into_iter().map(|sum: f64| sum as f32).collect(), size }
    }
}
