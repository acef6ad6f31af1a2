//! `MaxPool1d`, `MaxPool2d`, `AvgPool1d`, `AvgPool2d`, `GlobalAvgPool` and `GlobalMaxPool`; windows beyond
//! the end, and with gaps.

use nn_runtime::layers::{AvgPool1d, AvgPool2d, GlobalAvgPool, GlobalMaxPool, MaxPool1d, MaxPool2d, Padding};
use nn_runtime::{Isa, Probe, Shape};
use nn_tests::fixtures::Case;

use crate::harness::{against_cases, against_formula, against_pytorch, fault};
use crate::windows::{View, count, hw, padding, turned};

/// Kernel and stride, written as they would be: the stride left out where it is the kernel's, one number for
/// a square.
macro_rules! bounded {
    ($layer:ident, $case:ident) => {{
        let [kernel, stride] = [hw($case, "kernel"), hw($case, "stride")];
        let layer = $layer::new(kernel[0]).padding(padding($case));
        let layer = if kernel[0] == kernel[1] { layer } else { layer.kernel_hw(kernel) };
        match stride {
            stride if stride == kernel => layer,
            [down, right] if down == right => layer.stride(down),
            stride => layer.stride_hw(stride),
        }
    }};
}

#[test]
fn pools_of_images_are_pytorchs() {
    against_pytorch("images/max_pool2d", |case: &Case| bounded!(MaxPool2d, case), MaxPool2d::rule, &[]);
    let make = |case: &Case| bounded!(AvgPool2d, case).count_include_pad(count(case, "count_include_pad") == 1);
    against_pytorch("images/avg_pool2d", make, AvgPool2d::rule, &[]);
}

#[test]
fn pools_of_sequences_are_pytorchs() {
    let make = |case: &Case| MaxPool1d::new(count(case, "kernel")).stride(count(case, "stride")).padding(padding(case));
    against_cases("images/max_pool1d", turned("images/max_pool1d"), make, MaxPool1d::rule, &[]);
    let make = |case: &Case| {
        let layer = AvgPool1d::new(count(case, "kernel")).stride(count(case, "stride")).padding(padding(case));
        layer.count_include_pad(count(case, "count_include_pad") == 1)
    };
    against_cases("images/avg_pool1d", turned("images/avg_pool1d"), make, AvgPool1d::rule, &[]);
}

/// Windows that reach beyond the end, and windows with gaps.
#[test]
fn ceil_mode_and_dilation_are_pytorchs() {
    let is_ceil = |case: &Case| count(case, "ceil_mode") == 1;
    let make = |case: &Case| bounded!(MaxPool2d, case).dilation(count(case, "dilation")).ceil_mode(is_ceil(case));
    against_pytorch("images/max_pool2d_ceil", make, MaxPool2d::rule, &[]);
    let make = |case: &Case| {
        let layer = bounded!(AvgPool2d, case).ceil_mode(is_ceil(case));
        layer.count_include_pad(count(case, "count_include_pad") == 1)
    };
    against_pytorch("images/avg_pool2d_ceil", make, AvgPool2d::rule, &[]);
    let file = "images/max_pool1d_ceil";
    let make = |case: &Case| {
        let layer = MaxPool1d::new(count(case, "kernel")).stride(count(case, "stride")).padding(padding(case));
        layer.dilation(count(case, "dilation")).ceil_mode(is_ceil(case))
    };
    against_cases(file, turned(file), make, MaxPool1d::rule, &[]);
    let file = "images/avg_pool1d_ceil";
    let make = |case: &Case| {
        let layer = AvgPool1d::new(count(case, "kernel")).stride(count(case, "stride")).padding(padding(case));
        layer.count_include_pad(count(case, "count_include_pad") == 1).ceil_mode(is_ceil(case))
    };
    against_cases(file, turned(file), make, AvgPool1d::rule, &[]);
}

#[test]
fn global_pools_are_pytorchs() {
    let ranks: Vec<usize> = turned("images/global_avg_pool").iter().map(|case| case.inputs[0].shape.len()).collect();
    assert!(ranks.contains(&3) && ranks.contains(&4));
    against_cases(
        "images/global_avg_pool",
        turned("images/global_avg_pool"),
        |_| GlobalAvgPool,
        GlobalAvgPool::rule,
        &[],
    );
    against_cases(
        "images/global_max_pool",
        turned("images/global_max_pool"),
        |_| GlobalMaxPool,
        GlobalMaxPool::rule,
        &[],
    );
}

/// What each window sees of each channel, folded.
fn folded(view: View, x: &[f64], start: f64, fold: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let [_, h, w] = view.x;
    let of_channel = |x: &[f64]| {
        let mut y = vec![start; view.out[0] * view.out[1]];
        view.each(|p, _, at| y[p] = fold(y[p], x[at]));
        y
    };
    x.chunks(h * w).flat_map(of_channel).collect()
}

#[test]
fn pools_are_their_formulas() {
    let view = View { x: [2, 3, 19], kernel: [2, 3], stride: [1, 2], dilation: [1, 1], pad: [1, 1], out: [4, 10] };
    let max = MaxPool2d::new(2).kernel_hw([2, 3]).stride_hw([1, 2]).padding(Padding::Pad(1));
    let avg = AvgPool2d::new(2).kernel_hw([2, 3]).stride_hw([1, 2]).padding(Padding::Pad(1));
    let shape = Shape::of(view.x);
    against_formula(max, MaxPool2d::rule, shape, 1.0, |x, _| folded(view, x, f64::NEG_INFINITY, f64::max));
    against_formula(avg, AvgPool2d::rule, shape, 1.0, |x, _| folded(view, x, 0.0, |y, x| y + x / 6.0));
    let alone = avg.count_include_pad(false);
    against_formula(alone, AvgPool2d::rule, shape, 1.0, |x, _| {
        let counts = folded(view, &vec![1.0; x.len()], 0.0, |y, x| y + x);
        folded(view, x, 0.0, |y, x| y + x).iter().zip(counts).map(|(y, count)| y / count).collect()
    });
}

/// A window with gaps, and one beyond the end, over sizes longer than a vector.
#[test]
fn windows_with_gaps_and_beyond_the_end_are_their_formulas() {
    let shape = [1, 5, 37];
    let view = View { x: shape, kernel: [2, 3], stride: [1, 2], dilation: [3, 2], pad: [0, 1], out: [2, 18] };
    let max = MaxPool2d::new(2).kernel_hw([2, 3]).stride_hw([1, 2]).dilation_hw([3, 2]);
    // A frame of the lowest number is one that no window takes.
    against_formula(max, MaxPool2d::rule, Shape::of(shape), 1.0, |x, _| {
        folded(View { pad: [0, 0], out: [2, 17], ..view }, x, f64::NEG_INFINITY, f64::max)
    });
    let view = View { dilation: [1, 1], stride: [2, 2], pad: [1, 1], out: [3, 19], ..view };
    let max = MaxPool2d::new(2).kernel_hw([2, 3]).stride(2).padding(Padding::Pad(1)).ceil_mode(true);
    against_formula(max, MaxPool2d::rule, Shape::of(shape), 1.0, |x, _| folded(view, x, f64::NEG_INFINITY, f64::max));
    // Of a sixth's two rows and three columns, those within the image and its frame.
    let avg = AvgPool2d::new(3).stride(2).padding(Padding::Pad(1)).ceil_mode(true);
    let view = View { x: [1, 4, 4], kernel: [3, 3], stride: [2, 2], dilation: [1, 1], pad: [1, 1], out: [3, 3] };
    against_formula(avg, AvgPool2d::rule, Shape::of([1, 4, 4]), 1.0, |x, _| {
        let within = |o: usize| [3.0, 3.0, 2.0][o];
        let sums = folded(view, x, 0.0, |y, x| y + x);
        sums.iter().enumerate().map(|(p, sum)| sum / within(p / 3) / within(p % 3)).collect()
    });
}

/// Over an odd number of features, which lie side by side.
#[test]
fn pools_of_sequences_take_each_feature_by_itself() {
    let (steps, features) = (7, 19);
    let columns = |x: &[f64], pool: &dyn Fn(&[f64]) -> Vec<f64>| {
        let of = |f: usize| pool(&x.iter().skip(f).step_by(features).copied().collect::<Vec<_>>());
        let columns: Vec<Vec<f64>> = (0..features).map(of).collect();
        (0..columns[0].len()).flat_map(|s| columns.iter().map(move |column| column[s]).collect::<Vec<_>>()).collect()
    };
    let largest = |x: &[f64]| x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let shape = Shape::of([steps, features]);
    against_formula(MaxPool1d::new(3).stride(2), MaxPool1d::rule, shape, 1.0, |x, _| {
        columns(x, &|x| x.windows(3).step_by(2).map(largest).collect())
    });
    against_formula(AvgPool1d::new(3), AvgPool1d::rule, shape, 1.0, |x, _| {
        columns(x, &|x| x.chunks_exact(3).map(mean).collect())
    });
    against_formula(GlobalMaxPool, GlobalMaxPool::rule, shape, 1.0, |x, _| columns(x, &|x| vec![largest(x)]));
    against_formula(GlobalAvgPool, GlobalAvgPool::rule, shape, 1.0, |x, _| columns(x, &|x| vec![mean(x)]));
}

#[test]
fn nan_is_the_largest() {
    for isa in Isa::available() {
        let probe = Probe::new(MaxPool2d::new(2), MaxPool2d::rule, [Shape::of([1, 2, 2])]).unwrap().isa(isa);
        assert!(probe.forward(1, [&[1.0, f32::NAN, 2.0, f32::INFINITY]])[0][0].is_nan(), "{}", isa.name());
        assert_eq!(probe.forward(1, [&[f32::NEG_INFINITY; 4]])[0], [f32::NEG_INFINITY], "{}", isa.name());
    }
}

#[test]
fn faults_say_what_to_type() {
    let x = Shape::of([2, 8, 8]);
    let of = |layer: MaxPool2d, shape| fault(layer, MaxPool2d::rule, shape);
    assert_eq!(
        of(MaxPool2d::new(9), x),
        "expected an input of at least [9, 9] for kernel 9, found [8, 8]\n\
         help: use a kernel of 8 or less, or `padding = Same`"
    );
    assert_eq!(
        of(MaxPool2d::new(3).padding(Padding::Pad(2)), x),
        "expected padding of at most half the kernel 3, found 2\nhelp: use `padding = Pad(1)` or less, or `padding = Same`"
    );
    assert!(MaxPool2d::new(3).padding(Padding::Pad(1)).rule([x]).is_ok());
    assert_eq!(
        of(MaxPool2d::new(3).kernel_hw([4, 2]).padding(Padding::Pad(2)), x),
        "expected padding of at most half the kernel [4, 2], found 2\n\
         help: use `padding = Pad(1)` or less, or `padding = Same`"
    );
    assert_eq!(
        fault(MaxPool1d::new(3).dilation(4).padding(Padding::Pad(1)), MaxPool1d::rule, Shape::of([3, 1])),
        "expected a dilation of at most the input's 3 where there is padding, found 4\nhelp: use `dilation = 3` or less"
    );
    assert_eq!(
        of(MaxPool2d::new(2).dilation(0), x),
        "expected a dilation of at least 1, found 0\nhelp: use `dilation = 1` or more"
    );
    // A window that is one place too long for the input stands once by `ceil_mode`, and one that is two is
    // not.
    assert!(MaxPool2d::new(9).stride(2).ceil_mode(true).rule([x]).is_ok());
    assert_eq!(
        of(MaxPool2d::new(10).stride(2).ceil_mode(true), x),
        "expected an input of at least [10, 10] for kernel 10, found [8, 8]\n\
         help: use a kernel of 8 or less, or `padding = Same`"
    );
    assert_eq!(
        of(MaxPool2d::new(0), x),
        "expected a kernel of at least 1, found 0\nhelp: give the side of the window, such as 3"
    );
    assert_eq!(
        of(MaxPool2d::new(2).stride(0), x),
        "expected a stride of at least 1, found 0\nhelp: use `stride = 1` or more"
    );
    let causal = "expected padding of `Valid`, `Same` or `Pad(n)`, found `Causal`\nhelp: use `padding = Same`";
    assert_eq!(of(MaxPool2d::new(2).padding(Padding::Causal), x), causal);
    assert_eq!(fault(AvgPool1d::new(2).padding(Padding::Causal), AvgPool1d::rule, Shape::of([8, 2])), causal);
    assert_eq!(
        of(MaxPool2d::new(2), Shape::of([64])),
        "expected an input of [channels, height, width], found [64]\nhelp: put `Reshape([1, 8, 8])` before it"
    );
    assert_eq!(
        fault(MaxPool1d::new(2), MaxPool1d::rule, Shape::of([1, 2])),
        "expected an input of at least 2 steps for kernel 2, found 1 step of 2 features\n\
         help: a sequence is [steps, features]: put `Permute([1, 0])` before it, or declare it as [2, 1]"
    );
    assert_eq!(
        fault(MaxPool1d::new(3), MaxPool1d::rule, Shape::of([1, 2])),
        "expected an input of at least 3 steps for kernel 3, found 1 step\n\
         help: use a kernel of 1 or less, or `padding = Same`"
    );
    assert_eq!(
        fault(GlobalAvgPool, GlobalAvgPool::rule, Shape::of([64])),
        "expected an input of [channels, height, width] or [steps, features], found [64]\n\
         help: leave it out: there is one number for each feature already"
    );
    assert_eq!(
        fault(GlobalMaxPool, GlobalMaxPool::rule, Shape::of([1, 2, 3, 4])),
        "expected an input of [channels, height, width] or [steps, features], found [1, 2, 3, 4]\n\
         help: put `Reshape([channels, height, width])` before it"
    );
    fault(GlobalMaxPool, GlobalMaxPool::rule, Shape::of([2, 0, 4]));
    fault(GlobalMaxPool, GlobalMaxPool::rule, Shape::of([0, 4]));
    fault(GlobalAvgPool, GlobalAvgPool::rule, Shape::UNKNOWN);
}

/// Whatever is typed, the answer is a fault or a layer, and never an overflow.
#[test]
fn enormous_numbers_are_taken_or_refused() {
    const MOST: usize = usize::MAX;
    let x = Shape::of([2, 8, 8]);
    fault(MaxPool2d::new(MOST), MaxPool2d::rule, x);
    fault(MaxPool2d::new(MOST).padding(Padding::Same), MaxPool2d::rule, x);
    fault(MaxPool2d::new(2).dilation(MOST), MaxPool2d::rule, x);
    fault(MaxPool2d::new(2).stride(MOST).ceil_mode(true), MaxPool2d::rule, x);
    fault(MaxPool2d::new(MOST).stride(MOST).ceil_mode(true), MaxPool2d::rule, x);
    fault(MaxPool2d::new(MOST).padding(Padding::Pad(MOST)), MaxPool2d::rule, x);
    fault(AvgPool2d::new(2), AvgPool2d::rule, Shape::of([1, 1 << 20, 1 << 20]));
    fault(GlobalAvgPool, GlobalAvgPool::rule, Shape::of([1, 1 << 20, 1 << 20]));
    assert!(MaxPool2d::new(2).stride(MOST).rule([x]).is_ok());
}
