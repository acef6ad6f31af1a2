//! The kinds of layers. Each page gives a layer's formula, its shapes, its arguments with their defaults
//! beside PyTorch's and Keras's, and an example; [`Layer`](crate::Layer) tells how to write one of one's own.
//!
//! # Where PyTorch and Keras differ
//!
//! Names and defaults are those on which both agree. Where they do not, ours are PyTorch's, except that
//! weights begin Glorot uniform and biases zero, as in Keras. Each layer's page shows its own arguments
//! beside both.
//!
//! | What | PyTorch | Keras |
//! |---|---|---|
//! | layout; conv weight | `[c, h, w]`; `[out, in/groups, kh, kw]` | `[h, w, c]`; `[kh, kw, in/groups, out]` |
//! | depthwise weight | [in·m, 1, kh, kw] by `groups` | [kh, kw, in, m]; same output order, c·m + q |
//! | separable | no such layer | one bias, at the end |
//! | transposed weight | [in, out/groups, kh, kw] | [kh, kw, out, in]; no groups |
//! | initial weights | Kaiming uniform a=√5, bias uniform ±1/√fan_in | Glorot uniform, bias 0 |
//! | conv padding | number, `valid`, `same` only at stride 1 | `valid`, `same` (odd zero at the end), 1d `causal`; no numbers |
//! | stride > 1 with dilation > 1 | yes | Conv1D and Conv2D refuse |
//! | transposed output, no padding | (n−1)s + d(k−1) + 1 + output_padding | same if k ≥ s; n·s if k < s |
//! | transposed `same` | none | n·s |
//! | output_padding | below stride or dilation | below stride only |
//! | pool stride | default the kernel | default the kernel |
//! | pool kernel | required | MaxPool default 2, AvgPool required |
//! | pool padding | number ≤ k/2; `ceil_mode` | `valid` or `same` |
//! | mean of a window by `ceil_mode` | divided by what it sees of image and padding | no such windows |
//! | average at a border | counts padding (default) | never counts it |
//! | ties, max pool | first in row order | same |
//! | batch_norm momentum | weight of the new, 0.1 | weight of the old, 0.99 |
//! | batch_norm running variance | unbiased | biased |
//! | batch_norm, one value per channel in training | error | allowed, output β |
//! | eps of batch, layer, group, instance norm | 1e-5 | 1e-3 |
//! | eps of rms_norm | that of the type (float32 1.19e-7) | 1e-6 |
//! | group_norm groups | required | 32 |
//! | norms of numbers beyond about 1e18 | squares overflow, the output is 0 or β; same here | same |
//! | instance_norm | own class, `affine` off | GroupNormalization(−1), affine on |
//! | layer/rms norm axes | last axes, by shape | any list of axes, default −1 |
//! | prelu | slope 0.25, one (or per channel) | slope 0, one per element unless `shared_axes` |
//! | leaky_relu slope | 0.01 | layer 0.3, function 0.2 |
//! | hard_sigmoid, hard_swish | x/6 + 0.5 clamped; x times that | same; Keras 2 had 0.2x + 0.5 |
//! | glu default axis | −1 | −1 |
//! | concat default axis | 0 = batch | −1 |
//! | permute | from 0, with the batch | from 1, without it |
//! | other borders | pads of images and steps, `padding_mode` of convolutions; here the pads, before a layer | `ops.pad` alone |
//! | zero pad, crop default | required; crop = negative pad | 1; 0 |
//! | upsample | scale required, nearest; bilinear `align_corners` off | 2, nearest |
//! | whole-channel dropout | Dropout2d, p = 0.5 | SpatialDropout2D, rate required |
//! | recurrent gates | LSTM i, f, g, o; GRU r, z, n, reset after the product | LSTM i, f, c, o; GRU z, r, h, `reset_after` on |
//! | recurrent biases | two, one for each product | one, their sum; GRU both, as rows |
//! | recurrent initial values (ours are PyTorch's) | all uniform ±1/√units | Glorot uniform, orthogonal, bias 0, 1 at f |
//! | Normalization fitted to data | none | (x−mean) / max(√var, 1e-7) |
//! | embedding, initial rows; row of padding | normal 1; zero, no gradient | uniform ±0.05; learns (a mask hides it) |
//! | positions | none | none (KerasHub: sine, learnt) |
//! | attention mask says | `True` is padding | `True` is a step |
//! | attention that sees nothing | NaN, or without weights and outside the fast path the output bias | the mean of all values |
//! | attention parameters | one `in_proj_weight` | one each, by head |

mod activation;
mod adaptive_pool;
mod any_inputs;
mod avg_pool;
mod axis;
mod batch_norm;
mod border;
mod channel_norm;
mod concat;
mod conv;
mod conv1d;
mod conv2d;
mod conv_transpose1d;
mod conv_transpose2d;
mod dense;
mod dense_per_step;
mod depthwise_conv2d;
mod dropout;
mod dropout2d;
mod embedding;
mod flatten;
#[doc(hidden)]
pub mod foreign;
mod frame2d;
mod global_pool;
mod glu;
mod group_norm;
mod gru;
mod image;
mod instance_norm;
mod last_step;
mod layer_norm;
mod local_response_norm;
mod lp_pool;
mod lstm;
mod mask;
mod max_pool;
mod multi_head_attention;
mod norm;
mod normalization;
mod permute;
mod pool;
mod positional_encoding;
mod prelu;
mod product;
mod recurrent;
mod reshape;
mod resize;
mod rms_norm;
mod rnn;
mod separable_conv2d;
mod signatures;
pub(crate) use signatures::NAMES;
mod softmax;
mod split;
mod sum;
mod upsample;
mod window;

pub use activation::{Elu, Gelu, HardSigmoid, HardSwish, LeakyRelu, Mish, Relu, Selu, Sigmoid, Silu, Softplus, Tanh};
pub use adaptive_pool::{AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveMaxPool1d, AdaptiveMaxPool2d};
pub use avg_pool::{AvgPool1d, AvgPool2d};
pub use batch_norm::BatchNorm;
pub use border::{
    CircularPad1d, CircularPad2d, ReflectionPad1d, ReflectionPad2d, ReplicationPad1d, ReplicationPad2d, ZeroPad1d,
};
pub use concat::Concat;
pub use conv_transpose1d::ConvTranspose1d;
pub use conv_transpose2d::ConvTranspose2d;
pub use conv1d::Conv1d;
pub use conv2d::Conv2d;
pub use dense::Dense;
pub use dense_per_step::DensePerStep;
pub use depthwise_conv2d::DepthwiseConv2d;
pub use dropout::Dropout;
pub use dropout2d::Dropout2d;
pub use embedding::Embedding;
pub use flatten::Flatten;
pub use frame2d::{Crop2d, ZeroPad2d};
pub use global_pool::{GlobalAvgPool, GlobalMaxPool};
pub use glu::Glu;
pub use group_norm::GroupNorm;
pub use gru::Gru;
pub use instance_norm::InstanceNorm;
pub use last_step::LastStep;
pub use layer_norm::LayerNorm;
pub use local_response_norm::LocalResponseNorm;
pub use lp_pool::{LpPool1d, LpPool2d};
pub use lstm::Lstm;
pub use max_pool::{MaxPool1d, MaxPool2d};
pub use multi_head_attention::MultiHeadAttention;
pub use normalization::Normalization;
pub use permute::Permute;
pub use positional_encoding::PositionalEncoding;
pub use prelu::Prelu;
pub use product::Product;
pub use recurrent::Direction;
pub use reshape::Reshape;
pub use resize::Resize;
pub use rms_norm::RmsNorm;
pub use rnn::Rnn;
pub use separable_conv2d::SeparableConv2d;
pub use softmax::{LogSoftmax, Softmax};
pub use split::Split;
pub use sum::Sum;
pub use upsample::{Upsample, UpsampleMode};
pub use window::Padding;
