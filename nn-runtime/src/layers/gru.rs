//! `Gru`: a recurrence whose gates say what to forget and what to take. In: `[steps, features]`, and perhaps
//! a mask; out: `[steps, units]`, or the last step. The recurrence itself is the kernels'.

use super::recurrent::{Recurrent, recurrent_layer};
use nn_kernels::recurrent;

/// Gated recurrent units, `[steps, features] -> [steps, units]`: with `x = weight_ih · x[s] + bias_ih` and `h
/// = weight_hh · h[s - 1] + bias_hh`, each cut in three blocks of units, `r = σ(x_r + h_r)`, `z = σ(x_z +
/// h_z)`, `n = tanh(x_n + r · h_n)`, `h[s] = (1 - z) · n + z · h[s - 1]`; before the first step `h` is 0.
///
/// | argument | here | PyTorch's `GRU` | Keras's `GRU` |
/// |---|---|---|---|
/// | shapes | `[steps, features]` | the same with `batch_first=True` | the same |
/// | `units` | must be given | `hidden_size` | `units` |
/// | `direction`: `Forward`, `Backward`, `Both` | `Forward` | `bidirectional=False`; no backward alone | `go_backwards=False`; `Bidirectional` |
/// | `last`, only the last step's output | `false` | the second answer, `h_n` | `return_sequences=False` |
/// | `states`, whether `h` after the last step is an output too | `false` | always, as the second answer | `return_state` |
/// | `initial`, whether the second of two inputs is `h` before the first step | by its shape | `h_0` | `initial_state` |
/// | `reset_after`, whether `r` multiplies the product and not the state | `true` | always | `reset_after=True` |
/// | `bias` | `true` | `bias=True` | `use_bias=True` |
/// | `init` (of the inputs' weight) | uniform in ±1/√units | uniform in ±1/√units | `"glorot_uniform"` |
/// | `recurrent_init` (of the state's weight) | uniform in ±1/√units | uniform in ±1/√units | `"orthogonal"` |
/// | `bias_init` | uniform in ±1/√units | uniform in ±1/√units | `"zeros"` |
/// | several layers | `Gru(32) * 3` of 32 inputs; else one after the other | `num_layers=3` | one after the other |
/// | several layers, with dropout between | `Gru(32) -> Deeper * 2`, with `network! { struct Deeper: [64, 32] -> [64, 32] { Dropout(0.2) -> Gru(32) } }` | `num_layers=3, dropout=0.2` | one after the other |
/// | outputs at padding | 0 | 0, of `pad_packed_sequence` | the step's before it, unless `zero_output_for_mask`; within `Bidirectional` 0 |
///
/// With `Both`, outputs are `[steps, 2 · units]`, those of the way forward first; with `last` each way gives
/// its output after the last step that it comes to. A second input masks steps, `(x, mask) -> Gru(32)`: it is
/// `[steps]`, 1 at a step and 0 at padding, anywhere. Padding carries the state on and has outputs of 0, and
/// `last` is that of the last step which counts: PyTorch's packed sequences, padded again.
///
/// `(x, h0) -> Gru(32)` begins with a state of `[units]` (of `Both` `[2 · units]`), a mask stands behind it;
/// where steps and units are as many, `initial` says which a second input is. With `states = true` it gives
/// the state after the last step out, `let (y, h) = x -> Gru(32, states = true)`, and gradients flow back
/// through both. With a state that comes in or goes out it does not stream: a stream keeps its own. Windows
/// that carry their state on while they learn: [`Trainer::stateful`](crate::train::Trainer::stateful).
///
/// Parameters, PyTorch's by its names, shapes and order of gates (r, z, n): `weight_ih`, `[3 · units,
/// features]`, `weight_hh`, `[3 · units, units]`, `bias_ih` and `bias_hh`, `[3 · units]`; of the second way
/// of `Both` the same with `_reverse` behind. With `reset_after = false` it is `n = tanh(x_n +
/// weight_hn · (r · h[s - 1]) + bias_hn)`, as in the paper and in Keras with TensorFlow 1. Keras orders the
/// gates z, r, h, keeps weights turned over, and both biases as the rows of one. Cho et al., "Learning Phrase
/// Representations using RNN Encoder-Decoder", 2014.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Ends: [12, 5] -> [16] { Gru(8, direction = Both, last = true) }
/// }
/// let model = Ends::init(0);
/// assert_eq!(model.get("gru_1.weight_ih").unwrap().len(), 24 * 5);
/// assert_eq!(model.get("gru_1.weight_hh_reverse").unwrap().len(), 24 * 8);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Gru {
    of: Recurrent<recurrent::Gru>,
    reset_first: bool,
}

impl Gru {
    /// Whether the gate `r` is applied to the state's product, and not to the state before it.
    pub const fn reset_after(mut self, reset_after: bool) -> Self {
        self.reset_first = !reset_after;
        self
    }

    /// Whether the second of two inputs is the state before the first step, and no mask; where nothing is
    /// said, its shape tells.
    pub const fn initial(mut self, initial: bool) -> Self {
        self.of.initial = Some(initial);
        self
    }
}

recurrent_layer!(Gru, "GRU", reset_first: of_cell::<recurrent::ResetFirstGru>);
