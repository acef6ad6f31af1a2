//! Every layer, each with three settings or more.

use nn_runtime::prelude::*;

use crate::Drawn::{Ids, Mask, Numbers};

activation! {
    /// `y = x · tanh(learnt · x) + 0.5 · x²`
    Bent(x; learn alpha = 0.25, scale = 0.5) = scale * x * tanh(alpha * x) + 0.5 * x * x
}
activation! {
    /// Every function that formulas have, of numbers that it takes.
    All(x) = exp(-abs(x)) + ln(1.0 + x * x) + ln_1p(x * x) + sqrt(abs(x) + 0.5) + sin(x) + cos(x)
        + cosh(x) + ln(cosh(x)) + erf(x) + sigmoid(x) + softplus(x) + expm1(x) + powf(abs(x) + 0.1, 1.5)
        + powi(x, 2) + min(x, 0.25) + max(x, 0.5) + tanh(x)
}
activation! {
    /// Odd functions.
    Odd(x) = sinh(x) + powi(x, 3)
}
activation! {
    /// Choices of all kinds.
    Chosen(x; low = -0.5, high = 0.75) = if x < low && x > -1.5 || x >= high { x * x } else if x <= 0.0 { -x } else { 1.0 / (1.0 + x) }
}

cases! { "layers"
    dense [Numbers(5)] -> 3; ([5] -> [3]) { hidden: Dense(3) }
    dense_no_bias [Numbers(5)] -> 4; ([5] -> [4]) { Dense(4, bias = false) }
    dense_wide [Numbers(40)] -> 33; ([40] -> [33]) { Dense(33) }
    dense_per_step [Numbers(12)] -> 15; ([3, 4] -> [3, 5]) { DensePerStep(5) }
    dense_per_step_no_bias [Numbers(12)] -> 6; ([3, 4] -> [3, 2]) { DensePerStep(2, bias = false) }
    dense_per_step_one [Numbers(4)] -> 17; ([1, 4] -> [1, 17]) { DensePerStep(17) }
    embedding [Ids(6, 9)] -> 24; ([6] -> [6, 4]) { Embedding(9, 4) }
    embedding_padding [Ids(5, 7)] -> 10; ([5] -> [5, 2]) { Embedding(7, 2, padding = 0) }
    embedding_one [Ids(1, 3)] -> 1; ([1] -> [1, 1]) { Embedding(3, 1) }
    positions [Numbers(15)] -> 15; ([5, 3] -> [5, 3]) { PositionalEncoding }
    positions_even [Numbers(28)] -> 28; ([7, 4] -> [7, 4]) { PositionalEncoding }
    positions_learnt [Numbers(15)] -> 15; ([5, 3] -> [5, 3]) { PositionalEncoding(learnt = true) }
    conv2d [Numbers(3 * 7 * 6)] -> 4 * 5 * 4; ([3, 7, 6] -> [4, 5, 4]) { Conv2d(4, 3) }
    conv2d_same [Numbers(2 * 7 * 6)] -> 3 * 4 * 3; ([2, 7, 6] -> [3, 4, 3]) { Conv2d(3, 4, stride = 2, padding = Same) }
    conv2d_groups [Numbers(4 * 8 * 9)] -> 6 * 8 * 5; ([4, 8, 9] -> [6, 8, 5]) { Conv2d(6, 3, kernel_hw = [2, 3], stride_hw = [1, 2], dilation_hw = [2, 1], groups = 2, bias = false, padding = Pad(1)) }
    conv1d [Numbers(7 * 3)] -> 5 * 4; ([7, 3] -> [5, 4]) { Conv1d(4, 3) }
    conv1d_causal [Numbers(7 * 3)] -> 7 * 2; ([7, 3] -> [7, 2]) { Conv1d(2, 3, padding = Causal, dilation = 2) }
    conv1d_groups [Numbers(8 * 4)] -> 4 * 6; ([8, 4] -> [4, 6]) { Conv1d(6, 3, stride = 2, groups = 2, padding = Same, bias = false) }
    depthwise [Numbers(3 * 6 * 7)] -> 3 * 4 * 5; ([3, 6, 7] -> [3, 4, 5]) { DepthwiseConv2d(3) }
    depthwise_multiplier [Numbers(2 * 6 * 7)] -> 6 * 3 * 4; ([2, 6, 7] -> [6, 3, 4]) { DepthwiseConv2d(3, multiplier = 3, stride = 2, padding = Same) }
    depthwise_dilated [Numbers(2 * 7 * 7)] -> 2 * 5 * 5; ([2, 7, 7] -> [2, 5, 5]) { DepthwiseConv2d(2, dilation = 2, bias = false) }
    separable [Numbers(3 * 6 * 7)] -> 4 * 4 * 5; ([3, 6, 7] -> [4, 4, 5]) { SeparableConv2d(4, 3) }
    separable_same [Numbers(2 * 6 * 7)] -> 5 * 3 * 4; ([2, 6, 7] -> [5, 3, 4]) { SeparableConv2d(5, 3, stride = 2, multiplier = 2, padding = Same) }
    separable_no_bias [Numbers(2 * 6 * 6)] -> 3 * 5 * 5; ([2, 6, 6] -> [3, 5, 5]) { SeparableConv2d(3, 2, bias = false) }
    conv_transpose [Numbers(2 * 4 * 5)] -> 3 * 6 * 7; ([2, 4, 5] -> [3, 6, 7]) { ConvTranspose2d(3, 3) }
    conv_transpose_same [Numbers(2 * 4 * 5)] -> 3 * 8 * 10; ([2, 4, 5] -> [3, 8, 10]) { ConvTranspose2d(3, 3, stride = 2, padding = Same) }
    conv_transpose_short [Numbers(2 * 3 * 3)] -> 2 * 9 * 9; ([2, 3, 3] -> [2, 9, 9]) { ConvTranspose2d(2, 2, stride = 3, padding = Same, bias = false) }
    conv_transpose_groups [Numbers(4 * 4 * 4)] -> 6 * 10 * 10; ([4, 4, 4] -> [6, 10, 10]) { ConvTranspose2d(6, 3, stride = 2, groups = 2, output_padding = 1, padding = Pad(0)) }
    conv_transpose_padded [Numbers(2 * 4 * 4)] -> 3 * 8 * 8; ([2, 4, 4] -> [3, 8, 8]) { ConvTranspose2d(3, 3, stride = 2, output_padding = 1, padding = Pad(1)) }
    conv_transpose1d [Numbers(4 * 3)] -> 6 * 2; ([4, 3] -> [6, 2]) { ConvTranspose1d(2, 3) }
    conv_transpose1d_same [Numbers(4 * 3)] -> 8 * 2; ([4, 3] -> [8, 2]) { ConvTranspose1d(2, 3, stride = 2, padding = Same, bias = false) }
    conv_transpose1d_groups [Numbers(4 * 4)] -> 10 * 6; ([4, 4] -> [10, 6]) { ConvTranspose1d(6, 3, stride = 2, groups = 2, dilation = 2, padding = Pad(1), output_padding = 1) }
    max_pool [Numbers(2 * 7 * 6)] -> 2 * 3 * 3; ([2, 7, 6] -> [2, 3, 3]) { MaxPool2d(2) }
    max_pool_same [Numbers(2 * 7 * 6)] -> 2 * 4 * 3; ([2, 7, 6] -> [2, 4, 3]) { MaxPool2d(3, stride = 2, padding = Same) }
    max_pool_padded [Numbers(2 * 7 * 6)] -> 2 * 7 * 4; ([2, 7, 6] -> [2, 7, 4]) { MaxPool2d(3, stride_hw = [1, 2], kernel_hw = [3, 2], padding = Pad(1)) }
    max_pool1d [Numbers(9 * 2)] -> 4 * 2; ([9, 2] -> [4, 2]) { MaxPool1d(2) }
    max_pool1d_same [Numbers(9 * 2)] -> 5 * 2; ([9, 2] -> [5, 2]) { MaxPool1d(3, stride = 2, padding = Same) }
    max_pool1d_padded [Numbers(9 * 2)] -> 9 * 2; ([9, 2] -> [9, 2]) { MaxPool1d(3, stride = 1, padding = Pad(1)) }
    avg_pool [Numbers(2 * 7 * 6)] -> 2 * 3 * 3; ([2, 7, 6] -> [2, 3, 3]) { AvgPool2d(2) }
    avg_pool_same [Numbers(2 * 7 * 6)] -> 2 * 4 * 3; ([2, 7, 6] -> [2, 4, 3]) { AvgPool2d(3, stride = 2, padding = Same, count_include_pad = false) }
    avg_pool_padded [Numbers(2 * 7 * 6)] -> 2 * 4 * 3; ([2, 7, 6] -> [2, 4, 3]) { AvgPool2d(3, stride = 2, padding = Pad(1)) }
    lp_pool [Numbers(2 * 7 * 6)] -> 2 * 4 * 3; ([2, 7, 6] -> [2, 4, 3]) { LpPool2d(2.0, 3, stride = 2, padding = Pad(1)) }
    lp_pool_of_3 [Numbers(2 * 7 * 6)] -> 2 * 3 * 3; ([2, 7, 6] -> [2, 3, 3]) { LpPool2d(3.0, 2) }
    lp_pool1d [Numbers(9 * 2)] -> 4 * 2; ([9, 2] -> [4, 2]) { LpPool1d(1.0, 2) }
    avg_pool1d [Numbers(9 * 2)] -> 4 * 2; ([9, 2] -> [4, 2]) { AvgPool1d(2) }
    avg_pool1d_same [Numbers(9 * 2)] -> 5 * 2; ([9, 2] -> [5, 2]) { AvgPool1d(3, stride = 2, padding = Same, count_include_pad = false) }
    avg_pool1d_padded [Numbers(8 * 2)] -> 5 * 2; ([8, 2] -> [5, 2]) { AvgPool1d(2, padding = Pad(1)) }
    max_pool_ceil [Numbers(2 * 7 * 6)] -> 2 * 4 * 3; ([2, 7, 6] -> [2, 4, 3]) { MaxPool2d(2, ceil_mode = true) }
    max_pool_gaps [Numbers(2 * 7 * 6)] -> 2 * 5; ([2, 7, 6] -> [2, 5, 1]) { MaxPool2d(3, kernel_hw = [2, 3], stride_hw = [1, 2], dilation = 2, padding = Pad(0)) }
    max_pool_gaps_ceil [Numbers(2 * 8 * 6)] -> 2 * 3 * 2; ([2, 8, 6] -> [2, 3, 2]) { MaxPool2d(3, stride = 3, dilation = 2, padding = Pad(1), ceil_mode = true) }
    max_pool1d_gaps [Numbers(9 * 2)] -> 7 * 2; ([9, 2] -> [7, 2]) { MaxPool1d(3, stride = 1, dilation = 2, padding = Pad(1)) }
    avg_pool_ceil [Numbers(2 * 7 * 6)] -> 2 * 4 * 3; ([2, 7, 6] -> [2, 4, 3]) { AvgPool2d(2, ceil_mode = true) }
    avg_pool_ceil_padded [Numbers(2 * 8 * 8)] -> 2 * 5 * 5; ([2, 8, 8] -> [2, 5, 5]) { AvgPool2d(3, stride = 2, padding = Pad(1), ceil_mode = true) }
    avg_pool_ceil_alone [Numbers(2 * 8 * 8)] -> 2 * 5 * 5; ([2, 8, 8] -> [2, 5, 5]) { AvgPool2d(3, stride = 2, padding = Pad(1), ceil_mode = true, count_include_pad = false) }
    avg_pool1d_ceil [Numbers(8 * 2)] -> 5 * 2; ([8, 2] -> [5, 2]) { AvgPool1d(3, stride = 2, padding = Pad(1), ceil_mode = true) }
    adaptive_avg_pool [Numbers(2 * 4 * 6)] -> 2 * 2 * 3; ([2, 4, 6] -> [2, 2, 3]) { AdaptiveAvgPool2d(1, size_hw = [2, 3]) }
    adaptive_avg_pool_uneven [Numbers(2 * 5 * 7)] -> 2 * 3 * 3; ([2, 5, 7] -> [2, 3, 3]) { AdaptiveAvgPool2d(3) }
    adaptive_avg_pool_larger [Numbers(2 * 2 * 3)] -> 2 * 5 * 3; ([2, 2, 3] -> [2, 5, 3]) { AdaptiveAvgPool2d(1, size_hw = [5, 3]) }
    adaptive_max_pool [Numbers(2 * 4 * 6)] -> 2 * 2 * 2; ([2, 4, 6] -> [2, 2, 2]) { AdaptiveMaxPool2d(2) }
    adaptive_max_pool_uneven [Numbers(2 * 5 * 7)] -> 2 * 3 * 2; ([2, 5, 7] -> [2, 3, 2]) { AdaptiveMaxPool2d(1, size_hw = [3, 2]) }
    adaptive_max_pool_one [Numbers(2 * 5 * 7)] -> 2; ([2, 5, 7] -> [2, 1, 1]) { AdaptiveMaxPool2d(1) }
    adaptive_avg_pool1d [Numbers(6 * 2)] -> 3 * 2; ([6, 2] -> [3, 2]) { AdaptiveAvgPool1d(3) }
    adaptive_avg_pool1d_uneven [Numbers(7 * 2)] -> 3 * 2; ([7, 2] -> [3, 2]) { AdaptiveAvgPool1d(3) }
    adaptive_avg_pool1d_larger [Numbers(2 * 2)] -> 3 * 2; ([2, 2] -> [3, 2]) { AdaptiveAvgPool1d(3) }
    adaptive_max_pool1d [Numbers(6 * 2)] -> 3 * 2; ([6, 2] -> [3, 2]) { AdaptiveMaxPool1d(3) }
    adaptive_max_pool1d_uneven [Numbers(7 * 2)] -> 3 * 2; ([7, 2] -> [3, 2]) { AdaptiveMaxPool1d(3) }
    adaptive_max_pool1d_larger [Numbers(2 * 2)] -> 3 * 2; ([2, 2] -> [3, 2]) { AdaptiveMaxPool1d(3) }
    global_avg_pool [Numbers(3 * 4 * 5)] -> 3; ([3, 4, 5] -> [3]) { GlobalAvgPool }
    global_avg_pool_steps [Numbers(4 * 5)] -> 5; ([4, 5] -> [5]) { GlobalAvgPool }
    global_avg_pool_masked [Numbers(4 * 5), Mask(4)] -> 5; ((x: [4, 5], mask: [4]) -> [5]) { (x, mask) -> GlobalAvgPool }
    global_max_pool [Numbers(3 * 4 * 5)] -> 3; ([3, 4, 5] -> [3]) { GlobalMaxPool }
    global_max_pool_steps [Numbers(4 * 5)] -> 5; ([4, 5] -> [5]) { GlobalMaxPool }
    global_max_pool_masked [Numbers(4 * 5), Mask(4)] -> 5; ((x: [4, 5], mask: [4]) -> [5]) { (x, mask) -> GlobalMaxPool }
    last_step [Numbers(4 * 5)] -> 5; ([4, 5] -> [5]) { LastStep }
    last_step_one [Numbers(5)] -> 5; ([1, 5] -> [5]) { LastStep }
    last_step_masked [Numbers(4 * 5), Mask(4)] -> 5; ((x: [4, 5], mask: [4]) -> [5]) { (x, mask) -> LastStep }
    zero_pad [Numbers(2 * 3 * 4)] -> 2 * 5 * 6; ([2, 3, 4] -> [2, 5, 6]) { ZeroPad2d(1) }
    zero_pad_top [Numbers(2 * 3 * 4)] -> 2 * 6 * 7; ([2, 3, 4] -> [2, 6, 7]) { ZeroPad2d(0, top = 2, bottom = 1, right = 3) }
    zero_pad_left [Numbers(2 * 3 * 4)] -> 2 * 3 * 6; ([2, 3, 4] -> [2, 3, 6]) { ZeroPad2d(0, left = 2) }
    reflection_pad [Numbers(2 * 3 * 4)] -> 2 * 5 * 6; ([2, 3, 4] -> [2, 5, 6]) { ReflectionPad2d(1) }
    reflection_pad_top [Numbers(2 * 3 * 4)] -> 2 * 6 * 7; ([2, 3, 4] -> [2, 6, 7]) { ReflectionPad2d(0, top = 2, bottom = 1, right = 3) }
    reflection_pad_left [Numbers(2 * 3 * 4)] -> 2 * 3 * 6; ([2, 3, 4] -> [2, 3, 6]) { ReflectionPad2d(0, left = 2) }
    replication_pad [Numbers(2 * 3 * 4)] -> 2 * 5 * 6; ([2, 3, 4] -> [2, 5, 6]) { ReplicationPad2d(1) }
    replication_pad_top [Numbers(2 * 3 * 4)] -> 2 * 9 * 7; ([2, 3, 4] -> [2, 9, 7]) { ReplicationPad2d(0, top = 5, bottom = 1, right = 3) }
    replication_pad_left [Numbers(2 * 3 * 4)] -> 2 * 3 * 10; ([2, 3, 4] -> [2, 3, 10]) { ReplicationPad2d(0, left = 6) }
    circular_pad [Numbers(2 * 3 * 4)] -> 2 * 5 * 6; ([2, 3, 4] -> [2, 5, 6]) { CircularPad2d(1) }
    circular_pad_top [Numbers(2 * 3 * 4)] -> 2 * 7 * 7; ([2, 3, 4] -> [2, 7, 7]) { CircularPad2d(0, top = 3, bottom = 1, right = 3) }
    circular_pad_left [Numbers(2 * 3 * 4)] -> 2 * 3 * 6; ([2, 3, 4] -> [2, 3, 6]) { CircularPad2d(0, left = 2) }
    zero_pad1d [Numbers(6 * 2)] -> 10 * 2; ([6, 2] -> [10, 2]) { ZeroPad1d(2) }
    zero_pad1d_before [Numbers(6 * 2)] -> 9 * 2; ([6, 2] -> [9, 2]) { ZeroPad1d(3, after = 0) }
    zero_pad1d_after [Numbers(6 * 2)] -> 7 * 2; ([6, 2] -> [7, 2]) { ZeroPad1d(0, after = 1) }
    reflection_pad1d [Numbers(6 * 2)] -> 10 * 2; ([6, 2] -> [10, 2]) { ReflectionPad1d(2) }
    reflection_pad1d_before [Numbers(6 * 2)] -> 11 * 2; ([6, 2] -> [11, 2]) { ReflectionPad1d(5, after = 0) }
    reflection_pad1d_after [Numbers(6 * 2)] -> 7 * 2; ([6, 2] -> [7, 2]) { ReflectionPad1d(0, after = 1) }
    replication_pad1d [Numbers(6 * 2)] -> 10 * 2; ([6, 2] -> [10, 2]) { ReplicationPad1d(2) }
    replication_pad1d_before [Numbers(6 * 2)] -> 14 * 2; ([6, 2] -> [14, 2]) { ReplicationPad1d(8, after = 0) }
    replication_pad1d_after [Numbers(6 * 2)] -> 7 * 2; ([6, 2] -> [7, 2]) { ReplicationPad1d(0, after = 1) }
    circular_pad1d [Numbers(6 * 2)] -> 10 * 2; ([6, 2] -> [10, 2]) { CircularPad1d(2) }
    circular_pad1d_before [Numbers(6 * 2)] -> 12 * 2; ([6, 2] -> [12, 2]) { CircularPad1d(6, after = 0) }
    circular_pad1d_after [Numbers(6 * 2)] -> 7 * 2; ([6, 2] -> [7, 2]) { CircularPad1d(0, after = 1) }
    crop [Numbers(2 * 5 * 6)] -> 2 * 3 * 4; ([2, 5, 6] -> [2, 3, 4]) { Crop2d(1) }
    crop_top [Numbers(2 * 5 * 6)] -> 2 * 2 * 4; ([2, 5, 6] -> [2, 2, 4]) { Crop2d(0, top = 3, left = 2) }
    crop_right [Numbers(2 * 5 * 6)] -> 2 * 4 * 3; ([2, 5, 6] -> [2, 4, 3]) { Crop2d(0, bottom = 1, right = 3) }
    upsample [Numbers(2 * 3 * 4)] -> 2 * 6 * 8; ([2, 3, 4] -> [2, 6, 8]) { Upsample(2) }
    upsample_sides [Numbers(2 * 3 * 4)] -> 2 * 9 * 4; ([2, 3, 4] -> [2, 9, 4]) { Upsample(1, scale_hw = [3, 1]) }
    upsample_bilinear [Numbers(2 * 3 * 4)] -> 2 * 6 * 12; ([2, 3, 4] -> [2, 6, 12]) { Upsample(2, scale_hw = [2, 3], mode = Bilinear) }
    resize [Numbers(2 * 3 * 4)] -> 2 * 5 * 2; ([2, 3, 4] -> [2, 5, 2]) { Resize(1, size_hw = [5, 2]) }
    resize_bilinear [Numbers(2 * 3 * 4)] -> 2 * 7 * 7; ([2, 3, 4] -> [2, 7, 7]) { Resize(7, mode = Bilinear) }
    resize_to_one [Numbers(2 * 4 * 4)] -> 2; ([2, 4, 4] -> [2, 1, 1]) { Resize(1, mode = Bilinear) }
    resize_corners [Numbers(2 * 3 * 4)] -> 2 * 7 * 2; ([2, 3, 4] -> [2, 7, 2]) { Resize(1, size_hw = [7, 2], mode = Bilinear, align_corners = true) }
    flatten [Numbers(24)] -> 24; ([2, 3, 4] -> [24]) { Flatten }
    flatten_steps [Numbers(12)] -> 12; ([3, 4] -> [12]) { Flatten }
    flatten_flat [Numbers(5)] -> 5; ([5] -> [5]) { Flatten }
    reshape [Numbers(24)] -> 24; ([2, 3, 4] -> [6, 4]) { Reshape([6, 4]) }
    reshape_up [Numbers(24)] -> 24; ([24] -> [2, 3, 4]) { Reshape([2, 3, 4]) }
    reshape_flat [Numbers(24)] -> 24; ([4, 6] -> [24]) { Reshape([24]) }
    permute [Numbers(24)] -> 24; ([2, 3, 4] -> [4, 2, 3]) { Permute([2, 0, 1]) }
    permute_steps [Numbers(12)] -> 12; ([3, 4] -> [4, 3]) { Permute([1, 0]) }
    permute_images [Numbers(24)] -> 24; ([2, 3, 4] -> [2, 4, 3]) { Permute([0, 2, 1]) }
    dropout [Numbers(6)] -> 6; ([6] -> [6]) { Dropout(0.5) }
    dropout_between [Numbers(6)] -> 4; ([6] -> [4]) { Dense(5) -> Dropout(0.1) -> Dense(4) }
    dropout2d [Numbers(12)] -> 12; ([3, 2, 2] -> [3, 2, 2]) { Dropout2d(0.5) }
    sum [Numbers(6)] -> 6; ([6] -> [6]) { let a = Relu; (a, input) -> Sum }
    sum_of_inputs [Numbers(6), Numbers(6), Numbers(6)] -> 6; ((a: [6], b: [6], c: [6]) -> [6]) { (a, b, c) -> Sum }
    sum_twice [Numbers(12)] -> 12; ([3, 4] -> [3, 4]) { (input, input) -> Sum }
    product [Numbers(6)] -> 6; ([6] -> [6]) { let a = Tanh; (a, input) -> Product }
    product_of_inputs [Numbers(6), Numbers(6), Numbers(6)] -> 6; ((a: [6], b: [6], c: [6]) -> [6]) { (a, b, c) -> Product }
    product_squared [Numbers(12)] -> 12; ([3, 4] -> [3, 4]) { (input, input) -> Product }
    concat [Numbers(6), Numbers(3)] -> 9; ((a: [6], b: [3]) -> [9]) { (a, b) -> Concat }
    concat_channels [Numbers(8), Numbers(12)] -> 20; ((a: [2, 2, 2], b: [3, 2, 2]) -> [5, 2, 2]) { (a, b) -> Concat }
    concat_features [Numbers(6), Numbers(9)] -> 15; ((a: [3, 2], b: [3, 3]) -> [3, 5]) { (a, b) -> Concat(axis = 1) }
    split [Numbers(6)] -> 6; ([6] -> [6]) { let (a, b) = Split(2); (b, a) -> Concat }
    split_sizes [Numbers(6)] -> 6; ([6] -> [6]) { let (a, b, c) = Split(3, sizes = [1, 2, 3]); (c, b, a) -> Concat }
    split_features [Numbers(12)] -> 12; ([3, 4] -> [3, 4]) { let (a, b) = Split(2, axis = 1); (b, a) -> Concat(axis = 1) }
    glu [Numbers(6)] -> 3; ([6] -> [3]) { Glu }
    glu_channels [Numbers(16)] -> 8; ([4, 2, 2] -> [2, 2, 2]) { Glu(axis = 0) }
    glu_features [Numbers(12)] -> 6; ([3, 4] -> [3, 2]) { Glu }
    batch_norm [Numbers(5)] -> 5; ([5] -> [5]) { BatchNorm }
    batch_norm_image [Numbers(3 * 2 * 4)] -> 24; ([3, 2, 4] -> [3, 2, 4]) { norm: BatchNorm(eps = 0.01) }
    batch_norm_steps [Numbers(12)] -> 12; ([4, 3] -> [4, 3]) { BatchNorm }
    batch_norm_plain [Numbers(12)] -> 12; ([3, 2, 2] -> [3, 2, 2]) { BatchNorm(affine = false) }
    batch_norm_axis [Numbers(12)] -> 12; ([2, 3, 2] -> [2, 3, 2]) { BatchNorm(axis = 1) }
    normalization [Numbers(5)] -> 5; ([5] -> [5]) { Normalization }
    normalization_image [Numbers(12)] -> 12; ([3, 2, 2] -> [3, 2, 2]) { Normalization }
    normalization_steps [Numbers(12)] -> 12; ([4, 3] -> [4, 3]) { Normalization }
    local_response_norm [Numbers(5 * 3 * 2)] -> 5 * 3 * 2; ([5, 3, 2] -> [5, 3, 2]) { LocalResponseNorm(3, alpha = 0.5) }
    local_response_norm_even [Numbers(5 * 3 * 2)] -> 5 * 3 * 2; ([5, 3, 2] -> [5, 3, 2]) { LocalResponseNorm(4, alpha = 2.0, beta = 0.5, k = 2.0) }
    local_response_norm_steps [Numbers(3 * 5)] -> 3 * 5; ([3, 5] -> [3, 5]) { LocalResponseNorm(2, alpha = 1.0) }
    layer_norm [Numbers(6)] -> 6; ([6] -> [6]) { LayerNorm }
    layer_norm_axes [Numbers(24)] -> 24; ([2, 3, 4] -> [2, 3, 4]) { LayerNorm(axes = 2, eps = 0.001) }
    layer_norm_plain [Numbers(12)] -> 12; ([3, 4] -> [3, 4]) { LayerNorm(affine = false) }
    layer_norm_no_bias [Numbers(12)] -> 12; ([3, 4] -> [3, 4]) { LayerNorm(bias = false) }
    rms_norm [Numbers(6)] -> 6; ([6] -> [6]) { RmsNorm }
    rms_norm_axes [Numbers(24)] -> 24; ([2, 3, 4] -> [2, 3, 4]) { RmsNorm(axes = 3, eps = 0.01) }
    rms_norm_plain [Numbers(12)] -> 12; ([3, 4] -> [3, 4]) { RmsNorm(affine = false) }
    group_norm [Numbers(4 * 3 * 2)] -> 24; ([4, 3, 2] -> [4, 3, 2]) { GroupNorm(2) }
    group_norm_steps [Numbers(3 * 4)] -> 12; ([3, 4] -> [3, 4]) { GroupNorm(2, eps = 0.01) }
    group_norm_plain [Numbers(4 * 3 * 2)] -> 24; ([4, 3, 2] -> [4, 3, 2]) { GroupNorm(1, affine = false) }
    group_norm_features [Numbers(6)] -> 6; ([6] -> [6]) { GroupNorm(2) }
    group_norm_axis [Numbers(2 * 4 * 3)] -> 24; ([2, 4, 3] -> [2, 4, 3]) { GroupNorm(2, axis = 1) }
    instance_norm [Numbers(3 * 4 * 2)] -> 24; ([3, 4, 2] -> [3, 4, 2]) { InstanceNorm }
    instance_norm_affine [Numbers(3 * 4 * 2)] -> 24; ([3, 4, 2] -> [3, 4, 2]) { InstanceNorm(affine = true, eps = 0.01) }
    instance_norm_steps [Numbers(4 * 3)] -> 12; ([4, 3] -> [4, 3]) { InstanceNorm(affine = true) }
    relu [Numbers(7)] -> 7; ([7] -> [7]) { Relu }
    relu_absorbed [Numbers(7)] -> 4; ([7] -> [4]) { Dense(4) -> Relu }
    relu_image [Numbers(8)] -> 8; ([2, 2, 2] -> [2, 2, 2]) { Relu -> Relu }
    leaky_relu [Numbers(7)] -> 7; ([7] -> [7]) { LeakyRelu }
    leaky_relu_slope [Numbers(7)] -> 7; ([7] -> [7]) { LeakyRelu(slope = 0.3) }
    leaky_relu_steps [Numbers(6)] -> 6; ([3, 2] -> [3, 2]) { LeakyRelu(slope = 0.125) }
    elu [Numbers(7)] -> 7; ([7] -> [7]) { Elu }
    elu_alpha [Numbers(7)] -> 7; ([7] -> [7]) { Elu(alpha = 0.5) }
    elu_steps [Numbers(6)] -> 6; ([3, 2] -> [3, 2]) { Elu(alpha = 2.0) }
    selu [Numbers(7)] -> 7; ([7] -> [7]) { Selu }
    softplus [Numbers(7)] -> 7; ([7] -> [7]) { Softplus }
    softplus_beta [Numbers(7)] -> 7; ([7] -> [7]) { Softplus(beta = 2.5) }
    sigmoid [Numbers(7)] -> 7; ([7] -> [7]) { Sigmoid }
    hard_sigmoid [Numbers(7)] -> 7; ([7] -> [7]) { Dense(7) -> HardSigmoid }
    tanh [Numbers(7)] -> 7; ([7] -> [7]) { Tanh }
    silu [Numbers(7)] -> 7; ([7] -> [7]) { Silu }
    hard_swish_image [Numbers(8)] -> 8; ([2, 2, 2] -> [2, 2, 2]) { HardSwish }
    hard_swish [Numbers(7)] -> 7; ([7] -> [7]) { HardSwish }
    mish [Numbers(7)] -> 7; ([7] -> [7]) { Mish }
    gelu [Numbers(7)] -> 7; ([7] -> [7]) { Gelu }
    gelu_approximate [Numbers(7)] -> 7; ([7] -> [7]) { Gelu(approximate = true) }
    prelu [Numbers(7)] -> 7; ([7] -> [7]) { Prelu }
    prelu_channels [Numbers(12)] -> 12; ([3, 2, 2] -> [3, 2, 2]) { Prelu(per_channel = true) }
    prelu_steps [Numbers(12)] -> 12; ([4, 3] -> [4, 3]) { Prelu(per_channel = true) }
    softmax [Numbers(7)] -> 7; ([7] -> [7]) { Softmax }
    softmax_steps [Numbers(12)] -> 12; ([4, 3] -> [4, 3]) { Softmax }
    softmax_image [Numbers(12)] -> 12; ([2, 2, 3] -> [2, 2, 3]) { Softmax }
    log_softmax [Numbers(7)] -> 7; ([7] -> [7]) { LogSoftmax }
    log_softmax_steps [Numbers(12)] -> 12; ([4, 3] -> [4, 3]) { LogSoftmax }
    log_softmax_image [Numbers(12)] -> 12; ([2, 2, 3] -> [2, 2, 3]) { LogSoftmax }
    own_learnt [Numbers(7)] -> 7; ([7] -> [7]) { Bent }
    own_learnt_scale [Numbers(7)] -> 7; ([7] -> [7]) { bent: Bent(scale = 2.0) }
    own_all [Numbers(7)] -> 7; ([7] -> [7]) { All }
    own_odd [Numbers(7)] -> 7; ([7] -> [7]) { Odd }
    own_chosen [Numbers(30)] -> 30; ([30] -> [30]) { Chosen }
    own_chosen_settings [Numbers(30)] -> 30; ([30] -> [30]) { Chosen(low = 0.1, high = 1.0) }
    rnn [Numbers(15)] -> 20; ([5, 3] -> [5, 4]) { Rnn(4) }
    rnn_relu [Numbers(15)] -> 20; ([5, 3] -> [5, 4]) { Rnn(4, relu = true) }
    rnn_relu_both [Numbers(15)] -> 8; ([5, 3] -> [8]) { Rnn(4, relu = true, direction = Both, last = true) }
    rnn_last [Numbers(15)] -> 4; ([5, 3] -> [4]) { Rnn(4, last = true, direction = Backward) }
    rnn_both [Numbers(15)] -> 40; ([5, 3] -> [5, 8]) { Rnn(4, direction = Both, bias = false) }
    rnn_masked [Numbers(15), Mask(5)] -> 20; ((x: [5, 3], mask: [5]) -> [5, 4]) { (x, mask) -> Rnn(4) }
    gru [Numbers(15)] -> 20; ([5, 3] -> [5, 4]) { Gru(4) }
    gru_last [Numbers(15)] -> 8; ([5, 3] -> [8]) { Gru(4, last = true, direction = Both) }
    gru_backward [Numbers(15)] -> 20; ([5, 3] -> [5, 4]) { Gru(4, direction = Backward, bias = false) }
    gru_masked [Numbers(15), Mask(5)] -> 40; ((x: [5, 3], mask: [5]) -> [5, 8]) { (x, mask) -> Gru(4, direction = Both) }
    gru_reset_first [Numbers(15)] -> 20; ([5, 3] -> [5, 4]) { Gru(4, reset_after = false) }
    gru_reset_first_masked [Numbers(15), Mask(5)] -> 8; ((x: [5, 3], mask: [5]) -> [8]) { (x, mask) -> Gru(4, reset_after = false, direction = Both, last = true) }
    gru_states [Numbers(15), Numbers(4)] -> 24; ((x: [5, 3], h: [4]) -> [24]) { let (y, after) = (x, h) -> Gru(4, states = true); let flat = y -> Flatten; (flat, after) -> Concat }
    lstm_states [Numbers(15), Numbers(4), Numbers(4)] -> 28; ((x: [5, 3], h: [4], c: [4]) -> [28]) {
        let (y, a, b) = (x, h, c) -> Lstm(4, states = true, direction = Backward);
        let flat = y -> Flatten;
        (flat, a, b) -> Concat
    }
    lstm_states_masked [Numbers(15), Numbers(8), Numbers(8), Mask(5)] -> 24; ((x: [5, 3], h: [8], c: [8], mask: [5]) -> [24]) {
        let (y, a, b) = (x, h, c, mask) -> Lstm(4, states = true, direction = Both, last = true);
        (y, a, b) -> Concat
    }
    lstm [Numbers(15)] -> 20; ([5, 3] -> [5, 4]) { Lstm(4) }
    lstm_last [Numbers(15)] -> 4; ([5, 3] -> [4]) { Lstm(4, last = true) }
    lstm_both [Numbers(15)] -> 40; ([5, 3] -> [5, 8]) { Lstm(4, direction = Both) }
    lstm_no_bias [Numbers(15)] -> 20; ([5, 3] -> [5, 4]) { Lstm(4, bias = false, direction = Backward) }
    lstm_masked [Numbers(15), Mask(5)] -> 20; ((x: [5, 3], mask: [5]) -> [5, 4]) { (x, mask) -> Lstm(4, direction = Backward) }
    lstm_masked_last [Numbers(15), Mask(5)] -> 8; ((x: [5, 3], mask: [5]) -> [8]) { (x, mask) -> Lstm(4, direction = Both, last = true) }
    attention [Numbers(24)] -> 24; ([4, 6] -> [4, 6]) { MultiHeadAttention(2) }
    attention_causal [Numbers(24)] -> 24; ([4, 6] -> [4, 6]) { MultiHeadAttention(3, causal = true, bias = false) }
    attention_masked [Numbers(24), Mask(4)] -> 24; ((x: [4, 6], mask: [4]) -> [4, 6]) { (x, mask) -> MultiHeadAttention(1) }
    attention_cross [Numbers(24), Numbers(18)] -> 24; ((x: [4, 6], memory: [3, 6]) -> [4, 6]) { (x, memory) -> MultiHeadAttention(2) }
    attention_cross_causal [Numbers(24), Numbers(30), Mask(5)] -> 24; ((x: [4, 6], memory: [5, 6], mask: [5]) -> [4, 6]) { (x, memory, mask) -> MultiHeadAttention(2, causal = true) }
    attention_cross_no_bias [Numbers(24), Numbers(18)] -> 24; ((x: [4, 6], memory: [3, 6]) -> [4, 6]) { (x, memory) -> MultiHeadAttention(2, bias = false) }
}
