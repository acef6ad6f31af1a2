//! The kinds of recurrent layers as their tests go over them: how one is made, and its step in double
//! precision. In: products of weights; out: states. Nothing here may call a kernel.

use nn_runtime::layers::{Direction, Gru, Lstm, Rnn};
use nn_runtime::{Layer, Rule, Shape};

/// One kind of layer: how it is made, and its step in double precision.
pub trait Kind {
    type Of: Layer<1> + Layer<2> + Copy;
    const FILE: &str;
    const GATES: usize;
    fn make(units: usize) -> Self::Of;
    fn with(of: Self::Of, direction: Direction, last: bool, bias: bool) -> Self::Of;
    fn ask<const N: usize>(of: &Self::Of, x: [Shape; N]) -> Rule;
    /// The state after a step: from the inputs' product, with its bias, the product of the state's weights
    /// with any vector, and the state, `[h, c]`.
    fn go_on(x: &[f64], product: &dyn Fn(&[f64]) -> Vec<f64>, state: &mut [Vec<f64>; 2]);
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

macro_rules! kind {
    ($kind:ident: $layer:ident $(. $relu:ident)? $([$initial:ident])?, $file:literal, $gates:literal, $step:expr) => {
        impl Kind for $kind {
            type Of = $layer;
            const FILE: &str = $file;
            const GATES: usize = $gates;
            fn make(units: usize) -> $layer {
                $layer::new(units)$(.$relu(true))?
            }
            fn with(of: $layer, direction: Direction, last: bool, bias: bool) -> $layer {
                of.direction(direction).last(last).bias(bias)$(.$initial(false))?
            }
            fn ask<const N: usize>(of: &$layer, x: [Shape; N]) -> Rule {
                of.rule(x)
            }
            fn go_on(x: &[f64], product: &dyn Fn(&[f64]) -> Vec<f64>, state: &mut [Vec<f64>; 2]) {
                let h = product(&state[0]);
                let units = x.len() / $gates;
                let step: fn(&dyn Fn(usize) -> f64, &dyn Fn(usize) -> f64, [f64; 2]) -> [f64; 2] = $step;
                for j in 0..units {
                    let new = step(&|g| x[g * units + j], &|g| h[g * units + j], [state[0][j], state[1][j]]);
                    (state[0][j], state[1][j]) = (new[0], new[1]);
                }
            }
        }
    };
}

/// `Rnn(relu = true)`
pub struct ReluRnn;

kind!(Rnn: Rnn [initial], "rnn", 1, |x, h, _| [(x(0) + h(0)).tanh(), 0.0]);
kind!(ReluRnn: Rnn.relu [initial], "rnn_relu", 1, |x, h, _| [(x(0) + h(0)).max(0.0), 0.0]);
kind!(Gru: Gru [initial], "gru", 3, |x, h, state| {
    let (r, z) = (sigmoid(x(0) + h(0)), sigmoid(x(1) + h(1)));
    let n = (x(2) + r * h(2)).tanh();
    [(1.0 - z) * n + z * state[0], 0.0]
});
/// `Gru(reset_after = false)`
pub struct ResetFirst;

impl Kind for ResetFirst {
    type Of = Gru;
    const FILE: &str = "gru_reset_first";
    const GATES: usize = 3;
    fn make(units: usize) -> Gru {
        Gru::new(units).reset_after(false)
    }
    fn with(of: Gru, direction: Direction, last: bool, bias: bool) -> Gru {
        of.direction(direction).last(last).bias(bias).initial(false)
    }
    fn ask<const N: usize>(of: &Gru, x: [Shape; N]) -> Rule {
        of.rule(x)
    }
    fn go_on(x: &[f64], product: &dyn Fn(&[f64]) -> Vec<f64>, state: &mut [Vec<f64>; 2]) {
        let (units, h) = (state[0].len(), product(&state[0]));
        let gate = |g: usize, j: usize| sigmoid(x[g * units + j] + h[g * units + j]);
        let reset: Vec<f64> = (0..units).map(|j| gate(0, j) * state[0][j]).collect();
        let again = product(&reset);
        for j in 0..units {
            let (z, n) = (gate(1, j), (x[2 * units + j] + again[2 * units + j]).tanh());
            state[0][j] = (1.0 - z) * n + z * state[0][j];
        }
    }
}

kind!(Lstm: Lstm, "lstm", 4, |x, h, state| {
    let (i, f) = (sigmoid(x(0) + h(0)), sigmoid(x(1) + h(1)));
    let (g, o) = ((x(2) + h(2)).tanh(), sigmoid(x(3) + h(3)));
    let c = f * state[1] + i * g;
    [o * c.tanh(), c]
});
