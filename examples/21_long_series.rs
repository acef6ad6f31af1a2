//! A long series learnt window by window: truncated back-propagation through time. Rare pulses set a switch,
//! and the network tells at every step how it stands. A pulse is mostly many windows ago, so that windows on
//! their own teach little; `.stateful()` carries the state from each into the next.
//!
//! ```text
//! cargo run --release --example 21_long_series
//! ```

use std::error::Error;

use nn_runtime::data::{Random, Values};
use nn_runtime::prelude::*;

/// Steps of a window, through which gradients flow.
const STEPS: usize = 10;
/// Series that are learnt side by side, and windows of each.
const SERIES: usize = 16;
const WINDOWS: usize = 100;

network! {
    /// How the switch stands at each step.
    pub struct Switch: [STEPS, 1] -> [STEPS, 1] { Gru(12) -> DensePerStep(1) }
}

/// A pulse of 1 or -1 every fifty steps or so, among noise; and the sign of the last one.
fn series(steps: usize, random: &mut Random) -> (Vec<f32>, Vec<f32>) {
    let mut state = 0.0;
    let step = |_| {
        let pulse = if random.below(50) == 0 { [-1.0, 1.0][random.below(2)] } else { 0.0 };
        state = if pulse == 0.0 { state } else { pulse };
        (pulse + 0.1 * random.bell(), state)
    };
    (0..steps).map(step).unzip()
}

/// Window after window of all series: sample `k · SERIES + i` is window `k` of series `i`.
fn windows(seed: u64) -> Result<Dataset<Values>, Box<dyn Error>> {
    let mut random = Random::keyed(seed, &[]);
    let all: Vec<_> = (0..SERIES).map(|_| series(WINDOWS * STEPS, &mut random)).collect();
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for k in 0..WINDOWS {
        for (input, target) in &all {
            x.extend(&input[k * STEPS..(k + 1) * STEPS]);
            y.extend(&target[k * STEPS..(k + 1) * STEPS]);
        }
    }
    Ok(Dataset::values((x, STEPS), (y, STEPS))?)
}

/// How often a stream knows how the switch stands, along a series that it has not seen.
fn judge(model: &Model<Switch>) -> Result<f64, Box<dyn Error>> {
    let (input, target) = series(20_000, &mut Random::keyed(9, &[]));
    let mut output = vec![0.0; input.len()];
    model.streamer()?.block(&[&input], &mut [&mut output])?;
    let right = output.iter().zip(&target).filter(|(y, t)| **y * **t > 0.0).count();
    Ok(right as f64 / target.iter().filter(|t| **t != 0.0).count() as f64)
}

fn main() -> Result<(), Box<dyn Error>> {
    let train = windows(1)?;
    let mut right = Vec::new();
    for (how, stateful) in [("each window on its own", false), ("windows that go on", true)] {
        let mut model = Switch::init(0);
        let trainer = Trainer::new(&mut model, Mse::new(), Adam::new(1e-2)).clip(Clip::GlobalNorm(1.0));
        let mut trainer = if stateful { trainer.stateful() } else { trainer };
        trainer.fit(&train, Fit::epochs(10).batch(SERIES).shuffle(!stateful))?;
        right.push(judge(&model)?);
        println!("{how:24} {:5.1} % of an unseen series right", 100.0 * right[right.len() - 1]);
    }
    if right[1] < 0.97 || right[1] < right[0] + 0.01 {
        return Err("expected the state to help".into());
    }
    Ok(())
}
