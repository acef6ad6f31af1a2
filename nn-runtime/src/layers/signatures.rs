//! How the built-in layers are called: one line for each, `Layer(arguments) options`. In: nothing; out: a
//! constant of each layer, from which `check_call` composes its messages. An option that does not exist fails
//! to compile here, but in a second list, of what is generic; one that is missing here is refused.

use super::*;
use crate::signature::Signature;

macro_rules! signatures {
    ($($name:ident ( $($given:ident),* ) [ $($option:ident)* ] $([ $($generic:ident)* ])? $(. $more:ident)* ;)*) => { $(
        impl $name {
            #[doc(hidden)]
            pub const __SIGNATURE: Signature =
                Signature::layer(stringify!($name), &[$(stringify!($given)),*], &[$(stringify!($option),)* $($(stringify!($generic)),*)?])$(.$more())*;
        }
        const _: () = { $( let _ = $name::$option; )* };
    )*
    /// What the layers with arguments or options, and those that only move numbers, are called.
    pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

signatures! {
    Dense(units) [bias init bias_init].infers_input;
    DensePerStep(units) [bias init bias_init].infers_input;
    Embedding(vocabulary, features) [padding init];
    PositionalEncoding() [learnt].infers_input;
    MultiHeadAttention(heads) [causal dropout weights attn_mask attn_bias values bias].any_inputs.any_outputs.infers_input;
    LastStep() [].any_inputs;
    Rnn(units) [last direction states initial relu bias init recurrent_init bias_init].any_inputs.any_outputs.infers_input;
    Gru(units) [last direction states initial reset_after bias init recurrent_init bias_init].any_inputs.any_outputs.infers_input;
    Lstm(units) [last projection direction states bias init recurrent_init bias_init].any_inputs.any_outputs.infers_input;
    Conv2d(filters, kernel) [stride stride_hw kernel_hw padding dilation dilation_hw groups bias init bias_init].infers_input;
    Conv1d(filters, kernel) [stride padding dilation groups bias init bias_init].infers_input;
    DepthwiseConv2d(kernel) [stride stride_hw kernel_hw padding dilation dilation_hw multiplier bias init bias_init];
    SeparableConv2d(filters, kernel) [stride stride_hw kernel_hw padding dilation dilation_hw multiplier bias init bias_init].infers_input;
    ConvTranspose2d(filters, kernel) [stride stride_hw kernel_hw padding output_padding dilation dilation_hw groups bias init bias_init].infers_input;
    ConvTranspose1d(filters, kernel) [stride padding output_padding dilation groups bias init bias_init].infers_input;
    MaxPool2d(kernel) [stride stride_hw kernel_hw padding dilation dilation_hw ceil_mode];
    MaxPool1d(kernel) [stride padding dilation ceil_mode];
    AvgPool2d(kernel) [stride stride_hw kernel_hw padding count_include_pad ceil_mode];
    AvgPool1d(kernel) [stride padding count_include_pad ceil_mode];
    LpPool2d(p, kernel) [stride stride_hw kernel_hw padding ceil_mode];
    LpPool1d(p, kernel) [stride padding ceil_mode];
    AdaptiveAvgPool2d(size) [size_hw];
    AdaptiveAvgPool1d(size) [];
    AdaptiveMaxPool2d(size) [size_hw];
    AdaptiveMaxPool1d(size) [];
    GlobalAvgPool() [].any_inputs;
    GlobalMaxPool() [].any_inputs;
    ReflectionPad2d(pixels) [top bottom left right];
    ReplicationPad2d(pixels) [top bottom left right];
    CircularPad2d(pixels) [top bottom left right];
    ZeroPad1d(steps) [after before];
    ReflectionPad1d(steps) [after before];
    ReplicationPad1d(steps) [after before];
    CircularPad1d(steps) [after before];
    ZeroPad2d(pixels) [top bottom left right];
    Crop2d(pixels) [top bottom left right];
    Upsample(scale) [mode scale_hw];
    Resize(size) [size_hw mode align_corners];
    Flatten() [];
    Reshape(dims) [];
    Permute(axes) [];
    Dropout(rate) [];
    Dropout2d(rate) [];
    Gelu() [approximate];
    Prelu() [init per_channel axis].infers_input;
    Glu() [axis];
    Softmax() [];
    LogSoftmax() [];
    BatchNorm() [momentum cumulative eps affine init axis].infers_input;
    LayerNorm() [axes eps affine bias].infers_input;
    RmsNorm() [axes eps affine].infers_input;
    GroupNorm(groups) [eps affine axis].infers_input_last;
    InstanceNorm() [eps affine axis].infers_input;
    LocalResponseNorm(size) [alpha beta k];
    Normalization() [axis].infers_input;
    Sum() [].any_inputs;
    Product() [].any_inputs;
    Concat() [axis].any_inputs;
    Split(parts) [axis] [sizes].any_outputs;
}
