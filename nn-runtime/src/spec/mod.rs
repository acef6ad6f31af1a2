//! What a layer says about itself at its place in a network, by the numbers of its declaration and the shapes
//! of its inputs: a `LayerSpec`, made at compile time. Each file here is one group of what can be said.

mod backward;
mod fusion;
mod head;
mod int8;
mod memory;
mod nested;
mod onnx;
mod params;
mod pass;
mod range;
mod sample;
mod shapes;
mod stream;

use crate::fault::Fault;
use crate::shape::Shape;
#[cfg(feature = "train")]
use nn_kernels::conv::ConvBackward;

pub use crate::limits::MAX_OUTPUTS;
pub(crate) use crate::limits::{LINE, lines};
pub(crate) use backward::BackwardSpec;
pub(crate) use fusion::{Epilogue, Fusible, FusionSpec};
pub use head::Head;
pub(crate) use int8::{Int8Fault, channel_axis};
pub(crate) use memory::{MemorySpec, SavedLayout};
pub(crate) use nested::{NestedSpec, PassSizes};
pub use onnx::FormulaStep;
pub(crate) use onnx::{OnnxForm, OnnxRecurrent};
pub use params::Role;
pub(crate) use params::{Layout, Param, ParamSpec, is_spread};
pub use pass::Pass;
pub(crate) use range::Range;
pub(crate) use sample::{InPlace, SampleOp};
pub(crate) use shapes::ShapeSpec;
pub(crate) use stream::{CarriedStep, OneStep, StepOp, StepSite, Stream, StreamSpec};

/// Everything the rest of the system knows about a layer at its site.
///
/// A rule builds it by a chain that ends in [`LayerSpec::ok`]; what is not said has a safe default.
/// [`Probe::check_contract`](crate::Probe::check_contract) tells whether what is said is true.
///
/// ```
/// use nn_runtime::{LayerSpec, Rule, Shape};
///
/// /// Multiplies every feature by a learnt factor.
/// const fn rule([x]: [Shape; 1]) -> Rule {
///     LayerSpec::output(x).param("factor", x, nn_runtime::Init::Constant(1.0)).ok()
/// }
/// assert!(rule([Shape::of([3])]).is_ok());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LayerSpec {
    pub(crate) shapes: ShapeSpec,
    pub(crate) params: ParamSpec,
    pub(crate) memory: MemorySpec,
    pub(crate) backward: BackwardSpec,
    pub(crate) fusion: FusionSpec,
    pub(crate) stream: StreamSpec,
    pub(crate) head: Head,
    pub(crate) range: Range,
    /// Its outputs cannot be token ids.
    pub(crate) computes: bool,
    /// What it makes of a single sample, where that can be said in so few words.
    sample: Option<SampleOp>,
    /// The gradient of a function of all numbers alike, which needs as few.
    #[cfg_attr(
        not(all(feature = "alloc", feature = "train")),
        allow(dead_code, reason = "it is what trains alone that asks for it")
    )]
    curve_gradient: Option<sample::CurveGradient>,
    /// Multiply-adds for one sample.
    pub(crate) macs: usize,
    /// The layer stands so many times in a row, each with parameters of its own.
    pub(crate) times: usize,
    /// What a network used as a layer needs.
    pub(crate) nested: Option<&'static NestedSpec>,
    pub(crate) onnx: OnnxForm,
    /// The backward passes of a convolution.
    #[cfg(feature = "train")]
    conv_backward: Option<ConvBackward>,
    overflow: bool,
}

impl LayerSpec {
    /// The spec of a refused layer, so that planning can go on.
    pub(crate) const NONE: LayerSpec = LayerSpec::outputs([]);

    /// A layer with one output of this shape and no parameters.
    pub const fn output(shape: Shape) -> LayerSpec {
        LayerSpec::outputs([shape])
    }

    /// A layer with several outputs.
    ///
    /// # Panics
    /// `M > 4`
    pub const fn outputs<const M: usize>(shapes: [Shape; M]) -> LayerSpec {
        let shapes = ShapeSpec::outputs(&shapes);
        LayerSpec {
            overflow: !shapes.fits,
            shapes,
            params: ParamSpec::NONE,
            memory: MemorySpec::NONE,
            backward: BackwardSpec::READS_ALL,
            fusion: FusionSpec::NONE,
            stream: StreamSpec::NONE,
            head: Head::Plain,
            range: Range::Any,
            computes: false,
            sample: None,
            curve_gradient: None,
            macs: 0,
            times: 1,
            nested: None,
            onnx: OnnxForm::Unsaid,
            #[cfg(feature = "train")]
            conv_backward: None,
        }
    }

    /// Multiply-adds for one sample, by which the number of threads is chosen.
    pub const fn macs(mut self, macs: usize) -> LayerSpec {
        self.macs = macs;
        self
    }

    /// How a loss sees this layer when it is the last one. [`Head::Plain`] if nothing is said.
    pub const fn head(mut self, head: Head) -> LayerSpec {
        self.head = head;
        self.range = match head {
            Head::Softmax | Head::LogSoftmax | Head::Sigmoid | Head::Squashed => Range::Narrow,
            Head::Same => Range::First,
            Head::Plain | Head::Value | Head::Other => Range::Any,
        };
        self
    }

    /// The same layer `times` in a row, each with parameters of its own.
    pub(crate) const fn repeated(mut self, times: usize) -> LayerSpec {
        self.times = times;
        self.overflow |= self.params.repeat(times);
        self.macs = self.macs.saturating_mul(times);
        if times > 1 {
            self.fusion = FusionSpec::NONE;
            self.sample = None;
            self.curve_gradient = None;
            self.stream = self.stream.of_repeated();
            self.backward = self.backward.of_repeated();
            // Left out for a loss, a softmax would be left out as often as it is repeated.
            if self.nested.is_none() && !matches!(self.head, Head::Plain | Head::Same) {
                self.head = Head::Other;
            }
        }
        self
    }

    /// What no layer may do whatever its own rule says: an empty output, a size that cannot be addressed.
    pub(crate) const fn fault(&self) -> Option<Fault> {
        if self.overflow {
            return Some(
                Fault::expected("sizes that fit into memory, found dimensions whose product does not")
                    .help("use smaller dimensions"),
            );
        }
        if self.params.too_many {
            let fault = Fault::expected("at most 8 parameters in one layer, found more");
            return Some(fault.help("put several into one, or make two layers of it"));
        }
        match self.shapes.empty {
            Some(i) => Some(
                Fault::expected("an output of at least one number")
                    .found(self.shapes.outputs[i])
                    .help("make every dimension at least 1"),
            ),
            None => None,
        }
    }
}
