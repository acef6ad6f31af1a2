//! `Conv2d`, `Conv1d`, `DepthwiseConv2d`, `SeparableConv2d` and `ConvTranspose2d`: values and gradients.

use nn_runtime::layers::{Conv1d, Conv2d, ConvTranspose2d, DepthwiseConv2d, Padding, SeparableConv2d};
use nn_runtime::{Init, Probe, Shape};
use nn_tests::fixtures::{Case, load};

use crate::harness::{against_cases, against_formula, against_pytorch, fault};
use crate::windows::{View, count, hw, padding, turned};

#[test]
fn conv2d_is_pytorchs() {
    let make = |case: &Case| {
        let [kernel, stride] = [hw(case, "kernel"), hw(case, "stride")];
        let layer = Conv2d::new(count(case, "out_channels"), kernel[0]).stride(stride[0]).padding(padding(case));
        let layer = if kernel[0] == kernel[1] { layer } else { layer.kernel_hw(kernel) };
        let layer = if stride[0] == stride[1] { layer } else { layer.stride_hw(stride) };
        layer.dilation(count(case, "dilation")).groups(count(case, "groups")).bias(count(case, "bias") == 1)
    };
    against_pytorch("images/conv2d", make, Conv2d::rule, &["weight", "bias"]);
}

#[test]
fn conv1d_is_pytorchs() {
    let make = |case: &Case| {
        let layer = Conv1d::new(count(case, "out_channels"), count(case, "kernel")).stride(count(case, "stride"));
        let layer = layer.padding(padding(case)).dilation(count(case, "dilation"));
        layer.groups(count(case, "groups")).bias(count(case, "bias") == 1)
    };
    against_cases("images/conv1d", turned("images/conv1d"), make, Conv1d::rule, &["weight", "bias"]);
}

#[test]
fn depthwise_conv2d_is_pytorchs() {
    let make = |case: &Case| {
        let layer = DepthwiseConv2d::new(9).kernel_hw(hw(case, "kernel")).stride_hw(hw(case, "stride"));
        let layer = layer.padding(padding(case)).dilation(count(case, "dilation"));
        layer.multiplier(count(case, "multiplier")).bias(count(case, "bias") == 1)
    };
    against_pytorch("images/depthwise", make, DepthwiseConv2d::rule, &["weight", "bias"]);
}

#[test]
fn separable_conv2d_is_pytorchs() {
    let make = |case: &Case| {
        let layer = SeparableConv2d::new(count(case, "out_channels"), 9).kernel_hw(hw(case, "kernel"));
        let layer = layer.stride_hw(hw(case, "stride")).padding(padding(case)).dilation(count(case, "dilation"));
        layer.multiplier(count(case, "multiplier")).bias(count(case, "bias") == 1)
    };
    let params = ["depthwise.weight", "pointwise.weight", "pointwise.bias"];
    against_pytorch("images/separable", make, SeparableConv2d::rule, &params);
}

#[test]
fn conv_transpose2d_is_pytorchs() {
    let make = |case: &Case| {
        let layer = ConvTranspose2d::new(count(case, "out_channels"), 9).kernel_hw(hw(case, "kernel"));
        let layer = layer.stride_hw(hw(case, "stride")).padding(padding(case)).dilation(count(case, "dilation"));
        let layer = layer.output_padding(count(case, "output_padding")).groups(count(case, "groups"));
        layer.bias(count(case, "bias") == 1)
    };
    // What PyTorch allows beyond Keras: an output padding as large as the stride, where the dilation is larger.
    let beyond = |case: &Case| count(case, "output_padding") >= count(case, "stride_h").min(count(case, "stride_w"));
    let (beyond, cases): (Vec<Case>, _) = load("images/conv_transpose2d").into_iter().partition(beyond);
    assert_eq!(beyond.len(), 4);
    for case in beyond {
        let text = fault(make(&case), ConvTranspose2d::rule, Shape::of_slice(&case.inputs[0].shape[1..]));
        assert!(text.starts_with("expected an output padding below the stride, 1, found 1"), "{text}");
    }
    against_cases("images/conv_transpose2d", cases, make, ConvTranspose2d::rule, &["weight", "bias"]);
}

#[test]
fn convolutions_are_their_formulas() {
    // More filters than a panel has columns, an odd number of channels, a window that meets its padding on every side.
    let view = View { x: [3, 4, 5], kernel: [3, 2], stride: [2, 1], dilation: [1, 2], pad: [1, 1], out: [2, 5] };
    let layer = Conv2d::new(33, 3).kernel_hw([3, 2]).stride_hw([2, 1]).dilation_hw([1, 2]).padding(Padding::Pad(1));
    against_formula(layer, Conv2d::rule, Shape::of(view.x), 1.0, |x, params| view.conv(x, params, 33, 1));

    let view = View { x: [17, 3, 4], kernel: [2, 2], stride: [1, 1], dilation: [1, 1], pad: [0, 0], out: [3, 4] };
    let layer = DepthwiseConv2d::new(2).padding(Padding::Same).bias(false);
    against_formula(layer, DepthwiseConv2d::rule, Shape::of(view.x), 1.0, |x, params| view.conv(x, params, 17, 17));

    let one = View { kernel: [1, 1], ..view };
    let layer = SeparableConv2d::new(3, 2).padding(Padding::Same);
    against_formula(layer, SeparableConv2d::rule, Shape::of(view.x), 1.0, |x, params| {
        one.conv(&view.conv(x, &params[..1], 17, 17), &params[1..], 3, 1)
    });
}

/// Every pixel laid down as a kernel, written the other way round than the layer computes it.
#[test]
fn conv_transpose2d_is_its_formula() {
    let ([channels, h, w], filters) = ([5, 2, 3], 3);
    // What the window of the output sees is where a pixel is laid down.
    let view = View { x: [filters, 4, 8], kernel: [3, 3], stride: [2, 3], dilation: [1, 1], pad: [1, 1], out: [h, w] };
    let layer = ConvTranspose2d::new(3, 3).stride_hw([2, 3]).padding(Padding::Pad(1)).output_padding(1);
    against_formula(layer, ConvTranspose2d::rule, Shape::of([channels, h, w]), 1.0, |x, params| {
        let mut y: Vec<f64> = params[1].iter().flat_map(|bias| [*bias; 32]).collect();
        for c in 0..channels {
            for f in 0..filters {
                let weight = &params[0][(c * filters + f) * 9..];
                view.each(|p, k, at| y[f * 32 + at] += weight[k] * x[c * h * w + p]);
            }
        }
        y
    });
}

#[test]
fn parameters_begin_as_asked() {
    let probe = Probe::new(Conv2d::new(20, 3), Conv2d::rule, [Shape::of([10, 5, 5])]).unwrap();
    let [weight, bias] = &probe.params()[..] else { panic!("two parameters") };
    let bound = (6.0f32 / (90.0 + 180.0)).sqrt();
    assert!(weight.iter().all(|w| w.abs() <= bound) && weight.iter().any(|w| w.abs() > 0.95 * bound));
    assert!(bias.iter().all(|&b| b == 0.0));

    let [init, bias_init] = [Init::Constant(3.0), Init::Constant(-1.0)];
    let image = [Shape::of([2, 3, 3])];
    let of = |params: Vec<Vec<f32>>, sizes: &[usize]| {
        let (bias, weights) = params.split_last().unwrap();
        assert_eq!(weights.iter().map(Vec::len).collect::<Vec<_>>(), sizes);
        assert!(weights.iter().flatten().all(|&w| w == 3.0) && bias.iter().all(|&b| b == -1.0) && !bias.is_empty());
    };
    let layer = Conv2d::new(3, 2).init(init).bias_init(bias_init);
    of(Probe::new(layer, Conv2d::rule, image).unwrap().params(), &[24]);
    let layer = Conv1d::new(3, 2).init(init).bias_init(bias_init);
    of(Probe::new(layer, Conv1d::rule, [Shape::of([3, 2])]).unwrap().params(), &[12]);
    let layer = DepthwiseConv2d::new(2).init(init).bias_init(bias_init);
    of(Probe::new(layer, DepthwiseConv2d::rule, image).unwrap().params(), &[8]);
    let layer = SeparableConv2d::new(3, 2).init(init).bias_init(bias_init);
    of(Probe::new(layer, SeparableConv2d::rule, image).unwrap().params(), &[8, 6]);
    let layer = ConvTranspose2d::new(3, 2).init(init).bias_init(bias_init);
    of(Probe::new(layer, ConvTranspose2d::rule, image).unwrap().params(), &[24]);
}
