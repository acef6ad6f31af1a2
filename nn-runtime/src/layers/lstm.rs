//! `Lstm`: a recurrence with a memory of its own beside its output. In: `[steps, features]`, and perhaps a
//! mask; out: `[steps, units]`, or the last step. The recurrence itself is the kernels'.

use super::recurrent::{Recurrent, recurrent_layer};
use nn_kernels::recurrent;

/// Long short-term memory, `[steps, features] -> [steps, units]`: with `a = weight_ih · x[s] + bias_ih +
/// weight_hh · h[s - 1] + bias_hh`, cut in four blocks of units, `i = σ(a_i)`, `f = σ(a_f)`, `g = tanh(a_g)`,
/// `o = σ(a_o)`, `c[s] = f · c[s - 1] + i · g`, `h[s] = o · tanh(c[s])`; before the first step `h` and `c`
/// are 0.
///
/// | argument | here | PyTorch's `LSTM` | Keras's `LSTM` |
/// |---|---|---|---|
/// | shapes | `[steps, features]` | the same with `batch_first=True` | the same |
/// | `units` | must be given | `hidden_size` | `units` |
/// | `direction`: `Forward`, `Backward`, `Both` | `Forward` | `bidirectional=False`; no backward alone | `go_backwards=False`; `Bidirectional` |
/// | `last`, only the last step's output | `false` | the second answer, `h_n` | `return_sequences=False` |
/// | `states`, whether `h` and `c` after the last step are outputs too | `false` | always, as the second answer | `return_state` |
/// | `bias` | `true` | `bias=True` | `use_bias=True` |
/// | `init` (of the inputs' weight) | uniform in ±1/√units | uniform in ±1/√units | `"glorot_uniform"` |
/// | `recurrent_init` (of the state's weight) | uniform in ±1/√units | uniform in ±1/√units | `"orthogonal"` |
/// | `bias_init` | uniform in ±1/√units | uniform in ±1/√units | `"zeros"` |
/// | `projection`, to how many outputs | none | `proj_size` | none |
/// | several layers | `Lstm(32) * 3` of 32 inputs; else one after the other | `num_layers=3` | one after the other |
/// | several layers, with dropout between | `Lstm(32) -> Deeper * 2`, with `network! { struct Deeper: [64, 32] -> [64, 32] { Dropout(0.2) -> Lstm(32) } }` | `num_layers=3, dropout=0.2` | one after the other |
/// | outputs at padding | 0 | 0, of `pad_packed_sequence` | the step's before it, unless `zero_output_for_mask`; within `Bidirectional` 0 |
///
/// With `Both`, outputs are `[steps, 2 · units]`, those of the way forward first; with `last` each way gives
/// its output after the last step that it comes to. A second input masks steps, `(x, mask) -> Lstm(32)`: it
/// is `[steps]`, 1 at a step and 0 at padding, anywhere. Padding carries the state on and has outputs of 0,
/// and `last` is that of the last step which counts: PyTorch's packed sequences, padded again.
///
/// `(x, h0, c0) -> Lstm(32)` begins with a state of `[units]` each (of `Both` `[2 · units]`), a mask stands
/// behind them; with `states = true` it gives the state after the last step out, `let (y, h, c) = x ->
/// Lstm(32, states = true)`, and gradients flow back through both. With a state that comes in or goes out it
/// does not stream: a stream keeps its own. Windows that carry their state on while they learn:
/// [`Trainer::stateful`](crate::train::Trainer::stateful).
///
/// Parameters, PyTorch's by its names, shapes and order of gates (i, f, g, o): `weight_ih`, `[4 · units,
/// features]`, `weight_hh`, `[4 · units, units]`, `bias_ih` and `bias_hh`, `[4 · units]`; of the second way
/// of `Both` the same with `_reverse` behind. With `projection = n` the output, and what `weight_hh`
/// multiplies, is `h[s] = weight_hr · (o · tanh(c[s]))` of `n` numbers, fewer than the units: `weight_hh` is
/// `[4 · units, n]`, `weight_hr` `[n, units]`, `h0` `[n]` (Sak, Senior & Beaufays, 2014). Such a layer
/// streams and learns with state; ONNX has none, and with `Both` there may be no bias. Keras orders the gates
/// i, f, c, o, which is the same, keeps weights turned over, and one bias, the sum of the two, 1 at f
/// (`unit_forget_bias`). Hochreiter & Schmidhuber, "Long Short-Term Memory", 1997.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Filter: (signal: [64, 1], mask: [64]) -> [64, 1] {
///         (signal, mask) -> Lstm(8) -> DensePerStep(1)
///     }
/// }
/// assert_eq!(Filter::param_count(), 4 * 8 * (1 + 8 + 2) + 8 + 1);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Lstm {
    of: Recurrent<recurrent::Lstm>,
    projected: bool,
}

impl Lstm {
    /// So many outputs, fewer than units, which are a product of theirs.
    pub const fn projection(mut self, outputs: usize) -> Self {
        self.of.projection = outputs;
        self.projected = true;
        self
    }
}

recurrent_layer!(Lstm, "LSTM", projected: through_projection);
