//! Operators that are no layers: what they compute, and which layer comes nearest.

use crate::onnx::Node;

const KNOWN: &[(&str, &str, &str)] = &[
    ("Attention", "attention of several heads", "`MultiHeadAttention`"),
    ("MultiHeadAttention", "attention of several heads", "`MultiHeadAttention`"),
    ("Einsum", "sums of products along named axes", "`Dense`, `DensePerStep` or `MultiHeadAttention`"),
    ("LpNormalization", "rows of length 1", "`RmsNorm(affine = false)`"),
    ("LRN", "numbers divided by those of channels nearby", "`GroupNorm`"),
    ("Slice", "a part of a value", "`Crop2d`, `Split` or `LastStep`"),
    ("ArgMax", "the place of the largest number", "none: take it of the predictions"),
    ("TopK", "the largest numbers and their places", "none: take them of the predictions"),
    ("Loop", "a graph again and again", "`Gru`, `Lstm` or `Rnn`"),
    ("Scan", "a graph again and again", "`Gru`, `Lstm` or `Rnn`"),
    ("If", "one graph or another", "none: export the branch that is used"),
    ("DepthToSpace", "channels laid out as pixels", "`Reshape` and `Permute`"),
    ("SpaceToDepth", "pixels laid out as channels", "`Reshape` and `Permute`"),
    ("QuantizeLinear", "numbers as 8 bits", "none: export the model before it is quantised"),
    ("DequantizeLinear", "8 bits as numbers", "none: export the model before it is quantised"),
    ("TreeEnsembleClassifier", "trees", "none: train a network of `Dense` layers on what they predict"),
    ("ZipMap", "probabilities under the names of their classes", "none: they are the numbers of the output"),
    ("ReduceSum", "sums along axes", "`GlobalAvgPool`, which divides by how many there are"),
    ("CumSum", "running sums", "`Rnn`"),
];

pub fn refusal(node: &Node) -> String {
    let domain = if node.domain.is_empty() { String::new() } else { format!(" of {}", node.domain) };
    match KNOWN.iter().find(|(name, ..)| *name == node.operator) {
        Some((_, computes, nearest)) => {
            let nearest = match nearest.strip_prefix("none: ") {
                Some(instead) => instead.to_owned(),
                None => format!("the nearest is {nearest}"),
            };
            format!("it computes {computes}, which no layer is as it stands here\nhelp: {nearest}")
        }
        None => {
            format!("no layer is this operator{domain}\nhelp: write a layer of your own for it, or export without it")
        }
    }
}
