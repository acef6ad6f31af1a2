//! Kinds of layers that are drawn, a file each: how one is written, what it holds, what it computes. To add
//! one: its file, its `mod` and a line in [`ALL`]. No kind shares a line with the code under test.

mod adaptive_pool;
mod batch_norm;
mod border;
mod conv1d;
mod conv2d;
mod conv_transpose2d;
mod depthwise_conv2d;
mod frame2d;
mod global_max_pool;
mod glu;
mod group_norm;
mod image;
mod local_response_norm;
mod mish;
mod permute;
mod pool1d;
mod pool2d;
mod prelu;
mod resize;
mod rms_norm;
mod upsample;

use std::fmt::Debug;
use std::sync::Arc;

use crate::graph::Shape;
use crate::rng::Rng;

pub use pool2d::draw as draw_pool2d;

/// One layer of one input and one output, with its settings.
pub trait Operation: Debug + Send + Sync {
    /// As it is written.
    fn word(&self) -> &'static str;
    /// What stands in its brackets.
    fn arguments(&self) -> String;
    /// Parameters that are learnt, by their names and shapes.
    fn params(&self, _x: &[usize]) -> Vec<(&'static str, Shape)> {
        Vec::new()
    }
    /// Parameters behind those that follow the batches, and are not learnt.
    fn running(&self, _x: &[usize]) -> Vec<(&'static str, Shape)> {
        Vec::new()
    }
    /// The shape of the output.
    fn output(&self, x: &[usize]) -> Shape {
        x.to_vec()
    }
    /// What it makes of one sample when predicting.
    fn forward(&self, x: &[f64], shape: &[usize], params: &[Vec<f64>], margin: &mut f64) -> Vec<f64>;
    /// What it makes of a batch when training, where samples see each other; running parameters follow.
    fn train(
        &self,
        _x: &[&[f64]],
        _shape: &[usize],
        _params: &mut [Vec<f64>],
        _margin: &mut f64,
    ) -> Option<Vec<Vec<f64>>> {
        None
    }
}

/// Draws one for an input of a shape; `None` where the kind takes no such input. The last argument says that
/// the program is to run as a stream, in which no layer looks ahead.
type Draw = fn(&mut Rng, &[usize], bool) -> Option<Arc<dyn Operation>>;

/// Every kind, those that are to be drawn more often more than once.
pub const ALL: &[Draw] = &[
    conv2d::draw,
    conv2d::draw,
    conv2d::draw,
    conv2d::draw,
    conv2d::draw,
    conv2d::draw,
    depthwise_conv2d::draw,
    conv_transpose2d::draw,
    conv_transpose2d::draw,
    conv_transpose2d::draw,
    pool2d::draw,
    pool2d::draw,
    pool2d::draw,
    batch_norm::draw,
    batch_norm::draw,
    batch_norm::draw,
    group_norm::draw,
    group_norm::draw,
    group_norm::draw,
    rms_norm::draw,
    rms_norm::draw,
    conv1d::draw,
    pool1d::draw,
    pool1d::draw,
    pool1d::draw,
    pool1d::draw,
    pool1d::draw,
    pool1d::draw,
    global_max_pool::draw,
    adaptive_pool::draw,
    adaptive_pool::draw,
    border::draw,
    border::draw,
    frame2d::draw,
    frame2d::draw,
    frame2d::draw,
    frame2d::draw,
    resize::draw,
    resize::draw,
    local_response_norm::draw,
    upsample::draw,
    upsample::draw,
    upsample::draw,
    upsample::draw,
    permute::draw,
    permute::draw,
    prelu::draw,
    prelu::draw,
    glu::draw,
    glu::draw,
    glu::draw,
    mish::draw,
];

/// Layers that are not drawn, and why.
pub const NOT_DRAWN: [(&str, &str); 10] = [
    ("Dropout", "its noise is the runtime's own"),
    ("Dropout2d", "its noise is the runtime's own"),
    ("ConvTranspose1d", "it is a ConvTranspose2d of one row"),
    ("LpPool1d", "it is an LpPool2d of one row"),
    ("LpPool2d", "an AvgPool2d of powers, whose roots are steep near 0"),
    ("SeparableConv2d", "it is a DepthwiseConv2d and a Conv2d"),
    ("Normalization", "its numbers come from data, not from drawing"),
    ("Selu", "a formula: `random_formulas` draws such"),
    ("HardSigmoid", "a formula: `random_formulas` draws such"),
    ("HardSwish", "a formula: `random_formulas` draws such"),
];

/// Any kind that fits.
pub fn draw(rng: &mut Rng, x: &[usize], stream: bool) -> Option<Arc<dyn Operation>> {
    (0..8).find_map(|_| rng.pick(ALL)(rng, x, stream))
}

/// A row brought to mean 0 and variance 1, by the given mean and variance, then weighted.
fn normalised(x: f64, mean: f64, variance: f64, eps: f32, weight: f64, bias: f64) -> f64 {
    (x - mean) / (variance + f64::from(eps)).sqrt() * weight + bias
}

/// Mean and (biased) variance; `margin` falls where numbers differ so little that 32 bits lose it.
fn moments(x: &[f64], margin: &mut f64) -> (f64, f64) {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / x.len() as f64;
    if x.len() > 1 && x.iter().any(|x| *x != 0.0) {
        *margin = margin.min(0.002 * variance.sqrt());
    }
    (mean, variance)
}

/// The largest number; `margin` falls to its distance from the second. Of numbers that are exactly equal the
/// first is the largest, and stays it.
fn largest(window: &[f64], margin: &mut f64) -> f64 {
    let most = window.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for other in window.iter().filter(|other| **other != most) {
        *margin = margin.min(most - other);
    }
    most
}
