//! A layer of one's own, in thirty lines: `y = x · gain`, one learnt gain for each feature. `network!` and
//! the runtime treat it like any other; nothing is registered anywhere.
//!
//! ```text
//! cargo run --release --example 12_own_layer
//! ```

use nn_runtime::prelude::*;
use nn_runtime::{Fault, Layer, LayerContext, LayerSpec, ParamGrad, ReadContext, Rule, Shape};

/// `y = x · gain`: `[features] -> [features]`.
#[derive(Clone, Copy)]
pub struct Gain {
    start: f32,
}

impl Gain {
    /// `Gain(start)` in a declaration.
    pub const fn new(start: f32) -> Self {
        Gain { start }
    }

    /// Numbers: which inputs fit, what comes out, which parameters there are. Runs at compile time.
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        if x.rank() != 1 {
            return Rule::Err(Fault::expected("an input of [features]").found(x).help("put `Flatten` before it"));
        }
        LayerSpec::output(x).param("gain", x, Constant(self.start)).ok()
    }
}

impl Layer for Gain {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let gain = cx.param(0);
        for (x, y) in x.chunks_exact(gain.len()).zip(y.chunks_exact_mut(gain.len())) {
            for ((y, x), gain) in y.iter_mut().zip(x).zip(gain) {
                *y = x * gain;
            }
        }
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        let gain = cx.param(0);
        for (dy, dx) in dy.chunks_exact(gain.len()).zip(dx.chunks_exact_mut(gain.len())) {
            for ((dx, dy), gain) in dx.iter_mut().zip(dy).zip(gain) {
                *dx = dy * gain;
            }
        }
    }

    fn backward_params(&self, cx: &mut ReadContext, [x]: [&[f32]; 1], [dy]: [&[f32]; 1], mut part: ParamGrad) {
        // Only a part of the parameters may be asked for: that is how they are spread over threads.
        let (range, grad) = part.slice(cx, 0);
        let features = cx.input_shape(0).len();
        for (x, dy) in x.chunks_exact(features).zip(dy.chunks_exact(features)) {
            for ((grad, x), dy) in grad.iter_mut().zip(&x[range.clone()]).zip(&dy[range.clone()]) {
                *grad += x * dy;
            }
        }
    }
}

network! {
    /// Learns that the second number counts double and the third not at all.
    pub struct Weighing: [3] -> [1] {
        gain: Gain(1.0);
        Dense(1, init = Constant(1.0), bias = false)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 1.0]];
    let y = [[1.0], [2.0], [0.0], [3.0]];
    let data = Dataset::values(&x, &y)?;

    let mut model = Weighing::init(0);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1));
    for step in 1..=500 {
        let loss = trainer.step(&data)?;
        if step % 100 == 0 {
            println!("step {step}: loss {loss:.6}, gain = {:.4?}", trainer.model().get("gain.gain")?);
        }
    }
    println!("prediction for [1, 2, 3]: {:.3?}", model.predictor(1).predict(&[1.0, 2.0, 3.0]));
    Ok(())
}
