//! `Conv2d`, `Conv1d`, `DepthwiseConv2d`, `SeparableConv2d`, `ConvTranspose2d`, `ConvTranspose1d`: values
//! and gradients.

use nn_runtime::layers::{Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, DepthwiseConv2d, Padding, SeparableConv2d};
use nn_runtime::{Init, Isa, Probe, Shape};
use nn_tests::fixtures::{Case, load};
use nn_tests::numbers::numbers;

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
    // What PyTorch allows beyond Keras: an output padding as large as the stride, where the dilation is
    // larger.
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
fn conv_transpose1d_is_pytorchs() {
    let make = |case: &Case| {
        let layer = ConvTranspose1d::new(count(case, "out_channels"), count(case, "kernel")).padding(padding(case));
        let layer = layer.stride(count(case, "stride")).dilation(count(case, "dilation"));
        let layer = layer.output_padding(count(case, "output_padding")).groups(count(case, "groups"));
        layer.bias(count(case, "bias") == 1)
    };
    let file = "images/conv_transpose1d";
    against_cases(file, turned(file), make, ConvTranspose1d::rule, &["weight", "bias"]);
}

/// Every step laid down as a kernel, over more features than a vector; `Same` cuts an odd step off the end.
#[test]
fn conv_transpose1d_is_its_formula() {
    let ([steps, channels], filters) = ([3, 5], 17);
    let layer = ConvTranspose1d::new(filters, 4).stride(3).padding(Padding::Same);
    against_formula(layer, ConvTranspose1d::rule, Shape::of([steps, channels]), 1.0, |x, params| {
        let mut whole = vec![0.0; 10 * filters];
        for (s, c, f, k) in (0..steps * channels * filters * 4)
            .map(|at| (at / 4 / filters / channels, at / 4 / filters % channels, at / 4 % filters, at % 4))
        {
            whole[(3 * s + k) * filters + f] += params[0][(c * filters + f) * 4 + k] * x[s * channels + c];
        }
        let kept = &whole[..9 * filters];
        kept.iter().enumerate().map(|(at, y)| y + params[1][at % filters]).collect()
    });
    assert_eq!(
        fault(layer.padding(Padding::Causal), ConvTranspose1d::rule, Shape::of([3, 5])),
        "expected padding of `Valid`, `Same` or `Pad(n)`, found `Causal`\nhelp: use `padding = Same`"
    );
    assert_eq!(
        fault(layer.padding(Padding::Pad(6)), ConvTranspose1d::rule, Shape::of([3, 5])),
        "expected padding that leaves something of 10 steps, found 6 on both sides\nhelp: use `padding = Pad(4)` or less"
    );
}

#[test]
fn convolutions_are_their_formulas() {
    // More filters than a panel has columns, a window that meets its padding on every side.
    let view = View { x: [3, 4, 5], kernel: [3, 2], stride: [2, 1], dilation: [1, 2], pad: [1, 1], out: [2, 5] };
    let layer = Conv2d::new(33, 3).kernel_hw([3, 2]).stride_hw([2, 1]).dilation_hw([1, 2]).padding(Padding::Pad(1));
    against_formula(layer, Conv2d::rule, Shape::of(view.x), 1.0, |x, params| view.conv(x, params, 33, 1));

    let view = View { x: [5, 2, 3], kernel: [2, 2], stride: [1, 1], dilation: [1, 1], pad: [0, 0], out: [2, 3] };
    let layer = DepthwiseConv2d::new(2).padding(Padding::Same).bias(false);
    against_formula(layer, DepthwiseConv2d::rule, Shape::of(view.x), 1.0, |x, params| view.conv(x, params, 5, 5));

    let one = View { kernel: [1, 1], ..view };
    let layer = SeparableConv2d::new(3, 2).padding(Padding::Same);
    against_formula(layer, SeparableConv2d::rule, Shape::of(view.x), 1.0, |x, params| {
        one.conv(&view.conv(x, &params[..1], 5, 5), &params[1..], 3, 1)
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

/// `Relu` after a convolution is done by its kernel.
#[test]
fn convolutions_absorb_a_relu() {
    use nn_runtime::prelude::*;

    /// The outputs of a network and of the same with `Relu` behind it.
    macro_rules! outputs {
        ($layer:ident $arguments:tt, $from:tt, $to:tt, $x:expr) => {{
            network! { struct Without: $from -> $to { $layer $arguments } }
            network! { struct With: $from -> $to { $layer $arguments -> Relu } }
            let x = $x;
            (Without::init(3).predictor(1).predict(&x).to_vec(), With::init(3).predictor(1).predict(&x).to_vec())
        }};
    }
    let image = || <[f32; 50]>::try_from(numbers(5, 50, 1.0)).unwrap();
    for (y, cut) in [
        outputs!(Conv2d(3, 2), [2, 5, 5], [3, 4, 4], image()),
        outputs!(Conv1d(3, 2), [25, 2], [24, 3], image()),
        outputs!(DepthwiseConv2d(2), [2, 5, 5], [2, 4, 4], image()),
        outputs!(SeparableConv2d(3, 2), [2, 5, 5], [3, 4, 4], image()),
        outputs!(ConvTranspose2d(3, 2), [2, 5, 5], [3, 6, 6], image()),
    ] {
        assert!(y.iter().any(|&y| y < -0.1) && y.iter().any(|&y| y > 0.1));
        assert_eq!(cut, y.iter().map(|y| y.max(0.0)).collect::<Vec<_>>());
    }
}

const IMAGE: Shape = Shape::of([3, 8, 8]);

fn refused(layer: Conv2d) -> String {
    fault(layer, Conv2d::rule, IMAGE)
}

#[test]
fn windows_that_do_not_fit_say_what_does() {
    assert_eq!(
        refused(Conv2d::new(4, 9)),
        "expected an input of at least [9, 9] for kernel 9, found [8, 8]\n\
         help: use a kernel of 8 or less, or `padding = Same`"
    );
    assert_eq!(
        refused(Conv2d::new(4, 3).kernel_hw([3, 20]).padding(Padding::Pad(2))),
        "expected an input of at least [0, 16] for kernel [3, 20] with padding 2, found [8, 8]\n\
         help: use a kernel of [3, 12] or less, or `padding = Same`"
    );
    assert_eq!(
        refused(Conv2d::new(4, 4).dilation(3)),
        "expected an input of at least [10, 10] for kernel 4 with dilation 3, found [8, 8]\n\
         help: use a kernel of 3 or less, or `padding = Same`"
    );
    // What the help says fits.
    for layer in [
        Conv2d::new(4, 8),
        Conv2d::new(4, 9).padding(Padding::Same),
        Conv2d::new(4, 3).kernel_hw([3, 12]).padding(Padding::Pad(2)),
        Conv2d::new(4, 3).dilation(3),
    ] {
        assert!(layer.rule([IMAGE]).is_ok(), "{layer:?}");
    }
    assert_eq!(
        fault(Conv1d::new(4, 9), Conv1d::rule, Shape::of([8, 2])),
        "expected an input of at least 9 steps for kernel 9, found 8 steps\n\
         help: use a kernel of 8 or less, or `padding = Same`"
    );
    assert!(Conv1d::new(4, 9).padding(Padding::Causal).rule([Shape::of([8, 2])]).is_ok());
}

#[test]
fn arguments_that_mean_nothing_are_refused() {
    for (layer, text) in [
        (
            Conv2d::new(0, 3),
            "expected at least 1 filter, found 0\nhelp: give the number of channels of the output, such as 16",
        ),
        (Conv2d::new(4, 0), "expected a kernel of at least 1, found 0\nhelp: give the side of the window, such as 3"),
        (Conv2d::new(4, 3).stride(0), "expected a stride of at least 1, found 0\nhelp: use `stride = 1` or more"),
        (
            Conv2d::new(4, 3).dilation_hw([1, 0]),
            "expected a dilation of at least 1, found 0\nhelp: use `dilation = 1` or more",
        ),
        (Conv2d::new(4, 3).groups(0), "expected at least 1 group, found 0\nhelp: use `groups = 1`, or leave it out"),
        (
            Conv2d::new(6, 3).groups(2),
            "expected channels and filters that 2 groups divide, found 3 channels and 6 filters\n\
             help: use `groups = 3`",
        ),
        (
            Conv2d::new(4, 3).padding(Padding::Causal),
            "expected padding of `Valid`, `Same` or `Pad(n)`, found `Causal`\n\
             help: use `padding = Same`; an image has no direction of time",
        ),
    ] {
        assert_eq!(refused(layer), text);
    }
    assert_eq!(
        fault(DepthwiseConv2d::new(3).multiplier(0), DepthwiseConv2d::rule, IMAGE),
        "expected a multiplier of at least 1, found 0\nhelp: use `multiplier = 1`, or leave it out"
    );
    let transposed = |layer: ConvTranspose2d| fault(layer, ConvTranspose2d::rule, IMAGE);
    assert_eq!(
        transposed(ConvTranspose2d::new(2, 3).stride(2).output_padding(2)),
        "expected an output padding below the stride, 2, found 2\nhelp: use `output_padding = 1` or less"
    );
    assert_eq!(
        transposed(ConvTranspose2d::new(2, 3).stride(2).padding(Padding::Same).output_padding(1)),
        "expected no output padding beside `padding = Same`, which gives input · stride, found 1\n\
         help: leave `output_padding` out"
    );
    assert_eq!(
        transposed(ConvTranspose2d::new(2, 3).padding(Padding::Pad(5))),
        "expected padding that leaves something of 10 pixels along one axis, found 5 on both sides\n\
         help: use `padding = Pad(4)` or less"
    );
    assert!(ConvTranspose2d::new(2, 3).padding(Padding::Pad(4)).rule([IMAGE]).is_ok());
    assert!(transposed(ConvTranspose2d::new(2, 3).padding(Padding::Causal)).contains("found `Causal`"));
}

#[test]
fn inputs_of_another_rank_are_refused() {
    let image =
        "expected an input of [channels, height, width], found [6, 6]\nhelp: put `Reshape([1, 6, 6])` before it";
    let x = Shape::of([6, 6]);
    assert_eq!(fault(Conv2d::new(1, 3), Conv2d::rule, x), image);
    assert_eq!(fault(DepthwiseConv2d::new(3), DepthwiseConv2d::rule, x), image);
    assert_eq!(fault(SeparableConv2d::new(1, 3), SeparableConv2d::rule, x), image);
    assert_eq!(fault(ConvTranspose2d::new(1, 3), ConvTranspose2d::rule, x), image);
    let sequence = |shape| fault(Conv1d::new(1, 3), Conv1d::rule, shape);
    assert_eq!(
        sequence(Shape::of([6])),
        "expected an input of [steps, features], found [6]\nhelp: put `Reshape([6, 1])` before it"
    );
    assert_eq!(
        sequence(IMAGE),
        "expected an input of [steps, features], found [3, 8, 8]\n\
         help: use the layer that ends in `2d` on [channels, height, width]"
    );
    assert_eq!(
        fault(Conv2d::new(1, 1), Conv2d::rule, Shape::of([0, 3, 3])),
        "expected an input of at least one number, found [0, 3, 3]\nhelp: make every dimension before it at least 1"
    );
    fault(Conv2d::new(1, 1), Conv2d::rule, Shape::UNKNOWN);
}

/// Whatever is typed, the answer is a fault and never an overflow.
#[test]
fn enormous_numbers_are_refused() {
    const MOST: usize = usize::MAX;
    for layer in [
        Conv2d::new(MOST, 3),
        Conv2d::new(1 << 40, 3),
        Conv2d::new(4, MOST).padding(Padding::Same),
        Conv2d::new(4, MOST),
        Conv2d::new(4, 2).dilation(MOST).padding(Padding::Same),
        Conv2d::new(4, 3).padding(Padding::Pad(MOST)),
        Conv2d::new(4, 3).padding(Padding::Pad(1 << 40)),
        Conv2d::new(4, 3).padding(Padding::Pad(1 << 16)),
    ] {
        refused(layer);
    }
    assert!(Conv2d::new(4, 3).stride(MOST).rule([IMAGE]).is_ok());
    for layer in [
        ConvTranspose2d::new(MOST, 3),
        ConvTranspose2d::new(4, MOST),
        ConvTranspose2d::new(4, 3).stride(MOST),
        ConvTranspose2d::new(4, 3).stride(1 << 40),
        ConvTranspose2d::new(4, 3).padding(Padding::Pad(MOST)),
        ConvTranspose2d::new(4, 3).stride(1 << 20).padding(Padding::Same),
        ConvTranspose2d::new(4, 3).groups(MOST),
    ] {
        fault(layer, ConvTranspose2d::rule, IMAGE);
    }
    fault(DepthwiseConv2d::new(3).multiplier(MOST), DepthwiseConv2d::rule, IMAGE);
    fault(SeparableConv2d::new(MOST, 3), SeparableConv2d::rule, IMAGE);
    fault(Conv1d::new(MOST, 3), Conv1d::rule, Shape::of([8, 2]));
    fault(Conv2d::new(4, 1), Conv2d::rule, Shape::of([1, 1 << 20, 1 << 20]));
}

/// A causal window and its steps one by one have the same bits; what needs a later step, or leaves steps out,
/// does not stream.
#[test]
fn a_causal_stream_has_the_bits_of_its_window() {
    for (steps, features, filters, kernel, dilation, groups) in [
        (5, 1, 1, 2, 1, 1),
        (9, 3, 17, 3, 2, 1),
        (7, 4, 6, 3, 1, 2),
        (4, 5, 33, 2, 6, 1),
        (6, 16, 16, 3, 2, 1),
        (5, 3, 2, 1, 1, 1),
    ] {
        let layer = Conv1d::new(filters, kernel).dilation(dilation).groups(groups).padding(Padding::Causal);
        for layer in [layer, layer.bias(false)] {
            for batch in [1, 3] {
                let x = numbers(batch as u64, batch * steps * features, 1.0);
                for isa in Isa::available() {
                    let probe = Probe::new(layer, Conv1d::rule, [Shape::of([steps, features])]).unwrap().isa(isa);
                    let expected = probe.forward(batch, [&x]);
                    assert_eq!(probe.stream(batch, [&x]), Some(expected), "{layer:?}, batch {batch}, {}", isa.name());
                }
            }
        }
    }
    let causal = Conv1d::new(2, 3).padding(Padding::Causal);
    for layer in [causal.stride(2), causal.padding(Padding::Same), causal.padding(Padding::Valid)] {
        let probe = Probe::new(layer, Conv1d::rule, [Shape::of([5, 1])]).unwrap();
        assert_eq!(probe.stream(1, [&[1.0; 5]]), None, "{layer:?}");
    }
}
