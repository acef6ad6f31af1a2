//! Initial values of convolutions: scaled by the fans of one group of what the layer computes.

use nn_runtime::prelude::*;

network! { struct Depthwise: [64, 8, 8] -> [64, 8, 8] { d: DepthwiseConv2d(3, padding = Same) } }
network! { struct Multiplied: [64, 8, 8] -> [128, 8, 8] { d: DepthwiseConv2d(3, padding = Same, multiplier = 2) } }
network! { struct Grouped: [64, 8, 8] -> [64, 8, 8] { d: Conv2d(64, 3, groups = 64, padding = Same) } }
network! { struct Fours: [64, 8, 8] -> [128, 8, 8] { d: Conv2d(128, 3, groups = 4, padding = Same) } }
network! { struct Separable: [64, 8, 8] -> [32, 8, 8] { d: SeparableConv2d(32, 3, padding = Same) } }
network! { struct Plain: [64, 8, 8] -> [32, 8, 8] { d: Conv2d(32, 3, padding = Same) } }
network! { struct Sequence: [8, 64] -> [8, 32] { d: Conv1d(32, 3, padding = Same) } }
network! { struct Up: [256, 8, 8] -> [2, 8, 8] { d: ConvTranspose2d(2, 3, padding = Same, init = HeNormal) } }
network! { struct Down: [256, 8, 8] -> [2, 8, 8] { d: Conv2d(2, 3, padding = Same, init = HeNormal) } }
network! { struct UpGroups: [256, 8, 8] -> [128, 8, 8] { d: ConvTranspose2d(128, 3, padding = Same, groups = 4, init = LecunUniform) } }

/// The mean square over several seeds; 1 is what is expected.
fn over<N: Network>(tensor: &str, variance: f64) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for seed in 0..20 {
        let values = N::init(seed).get(tensor).unwrap();
        sum += values.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
        count += values.len();
    }
    sum / count as f64 / variance
}

#[test]
fn fans_are_those_of_a_group() {
    let glorot = |fan_in: f64, fan_out: f64| 2.0 / (fan_in + fan_out);
    let all = [
        ("depthwise", over::<Depthwise>("d.weight", glorot(9.0, 9.0))),
        ("depthwise, two kernels a channel", over::<Multiplied>("d.weight", glorot(9.0, 18.0))),
        ("as many groups as channels", over::<Grouped>("d.weight", glorot(9.0, 9.0))),
        ("four groups", over::<Fours>("d.weight", glorot(16.0 * 9.0, 32.0 * 9.0))),
        ("separable, along", over::<Separable>("d.depthwise.weight", glorot(9.0, 9.0))),
        ("separable, across", over::<Separable>("d.pointwise.weight", glorot(64.0, 32.0))),
        ("plain", over::<Plain>("d.weight", glorot(64.0 * 9.0, 32.0 * 9.0))),
        ("along steps", over::<Sequence>("d.weight", glorot(64.0 * 3.0, 32.0 * 3.0))),
        ("transposed", over::<Up>("d.weight", 2.0 / (256.0 * 9.0))),
        ("plain, He", over::<Down>("d.weight", 2.0 / (256.0 * 9.0))),
        ("transposed in groups", over::<UpGroups>("d.weight", 1.0 / (64.0 * 9.0))),
    ];
    for (what, share) in all {
        // At least 11,520 draws each: five deviations of a normal one's mean square are 7 %.
        assert!((share - 1.0).abs() < 0.07, "{what}: {share} of the variance");
    }
}
