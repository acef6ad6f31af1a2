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
/// | `bias` | `true` | `bias=True` | `use_bias=True` |
/// | `init` (of the inputs' weight) | uniform in ±1/√units | uniform in ±1/√units | `"glorot_uniform"` |
/// | `recurrent_init` (of the state's weight) | uniform in ±1/√units | uniform in ±1/√units | `"orthogonal"` |
/// | `bias_init` | uniform in ±1/√units | uniform in ±1/√units | `"zeros"` |
/// | several layers | `Gru(32) * 3` | `num_layers=3` | one after the other |
///
/// With `Both`, outputs are `[steps, 2 · units]`, those of the way forward first; with `last` each way gives
/// its output after the last step that it comes to. A second input masks steps, `(x, mask) -> Gru(32)`: it is
/// `[steps]`, 1 at a step and 0 at padding, anywhere. Padding carries the state on and has outputs of 0, and
/// `last` is that of the last step which counts: PyTorch's packed sequences, padded again.
///
/// Parameters, PyTorch's by its names, shapes and order of gates (r, z, n): `weight_ih`, `[3 · units,
/// features]`, `weight_hh`, `[3 · units, units]`, `bias_ih` and `bias_hh`, `[3 · units]`; of the second way
/// of `Both` the same with `_reverse` behind. It is Keras's `reset_after=True`, its default, which orders the
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
}

recurrent_layer!(Gru, "GRU");
