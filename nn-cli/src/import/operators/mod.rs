//! Operators as layers, by family. In: a node; out: what its outputs stand for, or why it is no layer.

mod attention;
mod elementwise;
mod images;
mod moves;
mod norms;
mod products;
mod recurrent;
mod unknown;
mod window;

use super::constants;
use super::graph::{Made, Reader};
use crate::onnx::Node;
pub use attention::finish;

pub fn node<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    if let Some(folded) = constants::fold(reader, node) {
        return folded;
    }
    match node.operator {
        "Gemm" => products::gemm(reader, node),
        "MatMul" => products::matmul(reader, node),
        "Gather" | "GatherElements" => products::gather(reader, node),
        "Conv" => images::conv(reader, node),
        "ConvTranspose" => images::conv_transpose(reader, node),
        "MaxPool" | "AveragePool" => images::pool(reader, node),
        "GlobalAveragePool" | "GlobalMaxPool" | "ReduceMean" | "ReduceMax" => images::global_pool(reader, node),
        "Pad" => images::pad(reader, node),
        "Resize" | "Upsample" => images::resize(reader, node),
        "BatchNormalization" => norms::batch_norm(reader, node),
        "InstanceNormalization" => norms::instance_norm(reader, node),
        "GroupNormalization" => norms::group_norm(reader, node),
        "LayerNormalization" | "RMSNormalization" => norms::row_norm(reader, node),
        "Scaler" => norms::scaler(reader, node),
        "Flatten" | "Reshape" | "Transpose" | "Squeeze" | "Unsqueeze" | "Shape" => moves::moved(reader, node),
        "Identity" | "Dropout" | "Cast" => moves::same(reader, node),
        "Expand" => moves::expand(reader, node),
        "Concat" => moves::concat(reader, node),
        "Split" => moves::split(reader, node),
        "Softmax" | "LogSoftmax" => moves::softmax(reader, node),
        "LSTM" | "GRU" | "RNN" => recurrent::recurrent(reader, node),
        "PRelu" => elementwise::prelu(reader, node),
        _ => match elementwise::operator(reader, node) {
            Some(made) => made,
            None => Err(unknown::refusal(node)),
        },
    }
}
