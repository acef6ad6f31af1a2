//! The scale of each value, from what it is on samples. In: a `FloatNetwork` and samples; out: a `CodeScale`
//! for each value. What is only moved, pooled or joined keeps its scale.

use alloc::vec;
use alloc::vec::Vec;

use super::float::{FloatKind, FloatNetwork};
use nn_kernels::int8::CodeScale;

/// Which numbers the codes of a value reach.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum Calibration {
    /// From the smallest to the largest that a sample has made.
    MinMax,
    /// This share of them, in percent, above 50 up to 100: as many are left out at each end, and stop at the
    /// first and last code. Finer codes for all others.
    Percentile(f32),
}

/// Bins of a histogram.
const BINS: usize = 2048;
/// How often numbers are counted.
const PASSES: usize = 3;

/// Hands each sample's values to what looks at them, one after the other.
pub(super) type EachSample<'a> = dyn FnMut(&mut dyn FnMut(&[Vec<f32>])) + 'a;

/// The scales of all values.
pub(super) fn scales(network: &FloatNetwork, calibration: Calibration, samples: &mut EachSample) -> Vec<CodeScale> {
    let groups = groups(network);
    let mut ranges = vec![[f32::INFINITY, f32::NEG_INFINITY]; network.lens.len()];
    samples(&mut |values| {
        for (range, value) in ranges.iter_mut().zip(values) {
            *range = value.iter().fold(*range, |[low, high], x| [low.min(*x), high.max(*x)]);
        }
    });
    if let Calibration::Percentile(percent) = calibration {
        // A few numbers far away make wide bins: then the rest is counted again, in finer ones.
        for _ in 0..PASSES {
            let mut histograms = vec![vec![0u64; BINS]; ranges.len()];
            samples(&mut |values| {
                for ((histogram, [low, high]), value) in histograms.iter_mut().zip(&ranges).zip(values) {
                    let width = (high - low) / BINS as f32;
                    for x in value {
                        // The cast stops at both ends.
                        let bin = if width > 0.0 { ((x - low) / width) as usize } else { 0 };
                        histogram[bin.min(BINS - 1)] += 1;
                    }
                }
            });
            for (range, histogram) in ranges.iter_mut().zip(&histograms) {
                *range = within(*range, histogram, percent);
            }
        }
    }
    for op in &network.ops {
        match op.kind {
            FloatKind::Curve(_, Some(range)) => ranges[op.y] = range,
            FloatKind::Softmax(_) => ranges[op.y] = [0.0, 255.0 / 256.0],
            _ => {}
        }
    }
    let mut of_group = vec![[0.0f32; 2]; ranges.len()];
    for (group, [low, high]) in groups.iter().zip(&ranges) {
        // Zero has a code of its own.
        let [least, most] = of_group[*group];
        of_group[*group] = [least.min(*low), most.max(*high)];
    }
    groups.iter().map(|group| scale_of(of_group[*group])).collect()
}

/// The range without the outermost numbers.
fn within([low, high]: [f32; 2], histogram: &[u64], percent: f32) -> [f32; 2] {
    let width = (high - low) / BINS as f32;
    let all: u64 = histogram.iter().sum();
    let out = (all as f64 * (100.0 - f64::from(percent)) / 200.0) as u64;
    let below = first_beyond(histogram.iter(), out);
    let above = first_beyond(histogram.iter().rev(), out);
    [low + width * below as f32, high - width * above as f32]
}

/// The first bin with which there are more numbers than may be left out.
fn first_beyond<'a>(bins: impl Iterator<Item = &'a u64>, out: u64) -> usize {
    let mut seen = 0;
    bins.take_while(|count| {
        seen += *count;
        seen <= out
    })
    .count()
}

/// The scale whose 256 codes reach from `low` to `high`, 0 among them exactly.
pub(super) fn scale_of([low, high]: [f32; 2]) -> CodeScale {
    let scale = (f64::from(high) - f64::from(low)) / 255.0;
    // Of a value that is always 0 any scale will do; the smallest would have no reciprocal.
    let scale = if scale > 1e-30 { scale as f32 } else { 1.0 };
    CodeScale { scale, zero: libm::rint(-f64::from(low) / f64::from(scale)) as u8 }
}

/// Of each value the first of those that have the same scale.
fn groups(network: &FloatNetwork) -> Vec<usize> {
    let mut groups: Vec<usize> = (0..network.lens.len()).collect();
    for op in &network.ops {
        if matches!(op.kind, FloatKind::Concat(_) | FloatKind::MaxPool(_) | FloatKind::AvgPool(..) | FloatKind::Turn(_))
        {
            for x in &op.x {
                let (one, other) = (groups[*x], groups[op.y]);
                let (from, to) = (one.max(other), one.min(other));
                groups.iter_mut().filter(|group| **group == from).for_each(|group| *group = to);
            }
        }
    }
    groups
}
