//! `Rnn`: the plain recurrence of one hyperbolic tangent. In: `[steps, features]`, and perhaps a mask; out:
//! `[steps, units]`, or the last step. The recurrence itself is the kernels'.

use super::recurrent::{Recurrent, recurrent_layer};
use nn_kernels::recurrent;

/// Elman's recurrence: `h[s] = tanh(weight_ih · x[s] + bias_ih + weight_hh · h[s - 1] + bias_hh)`, `[steps,
/// features] -> [steps, units]`; before the first step `h` is 0. With `relu`, `max(…, 0)` instead of `tanh`.
///
/// | argument | here | PyTorch's `RNN` | Keras's `SimpleRNN` |
/// |---|---|---|---|
/// | shapes | `[steps, features]` | the same with `batch_first=True` | the same |
/// | `units` | must be given | `hidden_size` | `units` |
/// | `direction`: `Forward`, `Backward`, `Both` | `Forward` | `bidirectional=False`; no backward alone | `go_backwards=False`; `Bidirectional` |
/// | `last`, only the last step's output | `false` | the second answer, `h_n` | `return_sequences=False` |
/// | `relu`, instead of tanh | `false` | `nonlinearity="tanh"`, or `"relu"` | `activation="tanh"`, or another |
/// | `states`, whether `h` after the last step is an output too | `false` | always, as the second answer | `return_state` |
/// | `initial`, whether the second of two inputs is `h` before the first step | by its shape | `h_0` | `initial_state` |
/// | `bias` | `true` | `bias=True` | `use_bias=True` |
/// | `init` (of the inputs' weight) | uniform in ±1/√units | uniform in ±1/√units | `"glorot_uniform"` |
/// | `recurrent_init` (of the state's weight) | uniform in ±1/√units | uniform in ±1/√units | `"orthogonal"` |
/// | `bias_init` | uniform in ±1/√units | uniform in ±1/√units | `"zeros"` |
/// | several layers | `Rnn(32) * 3` of 32 inputs; else one after the other | `num_layers=3` | one after the other |
/// | several layers, with dropout between | `Rnn(32) -> Deeper * 2`, with `network! { struct Deeper: [64, 32] -> [64, 32] { Dropout(0.2) -> Rnn(32) } }` | `num_layers=3, dropout=0.2` | one after the other |
/// | outputs at padding | 0 | 0, of `pad_packed_sequence` | the step's before it, unless `zero_output_for_mask`; within `Bidirectional` 0 |
///
/// With `Both`, outputs are `[steps, 2 · units]`, those of the way forward first; with `last` each way gives
/// its output after the last step that it comes to. A second input masks steps, `(x, mask) -> Rnn(32)`: it is
/// `[steps]`, 1 at a step and 0 at padding, anywhere. Padding carries the state on and has outputs of 0, and
/// `last` is that of the last step which counts: PyTorch's packed sequences, padded again.
///
/// `(x, h0) -> Rnn(32)` begins with a state of `[units]` (of `Both` `[2 · units]`), a mask stands behind it;
/// where steps and units are as many, `initial` says which a second input is. With `states = true` it gives
/// the state after the last step out, `let (y, h) = x -> Rnn(32, states = true)`, and gradients flow back
/// through both. With a state that comes in or goes out it does not stream: a stream keeps its own. Windows
/// that carry their state on while they learn: [`Trainer::stateful`](crate::train::Trainer::stateful).
///
/// Parameters, PyTorch's by its names and shapes: `weight_ih`, `[units, features]`, `weight_hh`, `[units,
/// units]`, `bias_ih` and `bias_hh`, `[units]`; of the second way of `Both` the same with `_reverse` behind.
/// Keras keeps weights turned over, and one bias for the two. Elman, "Finding Structure in Time", 1990.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Memory: [3, 1] -> [3, 1] {
///         Rnn(1, bias = false, init = Constant(0.5), recurrent_init = Constant(1.0))
///     }
/// }
/// let model = Memory::init(0);
/// let h: [f32; 3] = *model.predictor(1).predict(&[2.0, 0.0, 0.0]);
/// assert!((h[0] - 1f32.tanh()).abs() < 1e-6);
/// assert!((h[1] - h[0].tanh()).abs() < 1e-6 && (h[2] - h[1].tanh()).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Rnn {
    of: Recurrent<recurrent::Rnn>,
    relu: bool,
}

impl Rnn {
    /// Whether a state is what is above 0 of the sums, instead of their hyperbolic tangent.
    pub const fn relu(mut self, relu: bool) -> Self {
        self.relu = relu;
        self
    }

    /// Whether the second of two inputs is the state before the first step, and no mask; where nothing is
    /// said, its shape tells.
    pub const fn initial(mut self, initial: bool) -> Self {
        self.of.initial = Some(initial);
        self
    }
}

recurrent_layer!(Rnn, "RNN", relu: of_cell::<recurrent::ReluRnn>);
