//! A network used as a layer: what a plan around it needs to know, without the network itself.

use super::{Int8Fault, LayerSpec, Pass, Stream};
use crate::limits::MAX_INPUTS;

/// What one pass of a network needs, in floats.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PassSizes {
    /// Per sample: values, gradients and what layers keep.
    pub(crate) work: usize,
    /// What one layer at a time uses: per sample, and whatever the batch.
    pub(crate) scratch: usize,
    pub(crate) scratch_fixed: usize,
}

/// What a network is as a layer of another one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NestedSpec {
    pub(crate) infer: PassSizes,
    pub(crate) train: PassSizes,
    pub(crate) train_with_input_grad: PassSizes,
    pub(crate) step: PassSizes,
    pub(crate) params_len: usize,
    /// How many numbers are learnt or kept, as the field counts them.
    pub(crate) param_count: usize,
    pub(crate) prepared_len: usize,
    pub(crate) carried_len: usize,
    pub(crate) macs: usize,
    pub(crate) stream: Stream,
    /// Steps of its inputs to one of its outputs.
    pub(crate) stride: usize,
    pub(crate) bounded: bool,
    pub(crate) ids: [u32; MAX_INPUTS],
    /// A step changes some of its parameters.
    pub(crate) trains: bool,
    /// The first layer, here or further within, that has not said what it is in ONNX.
    pub(crate) unsaid: Option<&'static str>,
    /// The first layer, here or further within, that cannot be computed with bytes, and why.
    pub(crate) int8_fault: Option<(&'static str, Int8Fault)>,
    /// One worker takes all samples of a batch: where a layer looks at whole batches, and where sites share
    /// parameters, whose gradients are added site by site and not sample by sample.
    pub(crate) one_worker: bool,
    /// Numbers of running statistics.
    pub(crate) statistics: usize,
    /// Some parameters begin with normal numbers.
    pub(crate) draws_normals: bool,
    /// While training, an output of a sample depends on other samples.
    pub(crate) depends_on_batch: bool,
}

impl NestedSpec {
    pub(crate) const fn sizes(&self, pass: Pass) -> &PassSizes {
        match pass {
            Pass::Infer => &self.infer,
            Pass::Train => &self.train,
            Pass::TrainWithInputGrad | Pass::Observe => &self.train_with_input_grad,
            Pass::Step | Pass::Prepare => &self.step,
        }
    }
}

impl LayerSpec {
    /// A network used as a layer.
    pub(crate) const fn network(mut self, network: &'static NestedSpec) -> LayerSpec {
        self.nested = Some(network);
        self.params.len = network.params_len;
        self.macs = network.macs;
        self.stream.kind = network.stream;
        self.stream.stride = network.stride;
        self.stream.bounded = network.bounded;
        self.shapes.ids = network.ids;
        self
    }
}
