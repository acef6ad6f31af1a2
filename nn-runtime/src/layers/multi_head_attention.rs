//! `MultiHeadAttention`: every step a mean of all steps, weighted by how well they match. In: `[steps,
//! features]`, or queries and a memory, and perhaps a mask of the steps that are there; out: `[steps,
//! features]`. The dot products are the kernels'.

mod passes;
mod plan;

use super::any_inputs::{AnyInputs, layer_of_any_inputs};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::init::Init;
use crate::layer::{LayerContext, ParamGrad, ReadContext};
use crate::limits::MAX_INPUTS;
use crate::shape::Shape;
use crate::spec::{LayerSpec, OnnxForm, SavedLayout};
use plan::AttentionPlan;

/// Scaled dot-product attention of several heads: `y = concat_h(softmax(q_h · k_hᵀ / √d) · v_h) · out_projᵀ +
/// out_proj_bias`, where `q`, `k` and `v` are products of the steps with the three parts of `in_proj_weight`,
/// and each head has `d = features / heads` of their columns.
///
/// | inputs | shapes |
/// |---|---|
/// | self-attention: `x -> MultiHeadAttention(4)` | `[steps, features] -> [steps, features]` |
/// | cross-attention: `(query, memory) -> …` | `([steps, features], [keys, features]) -> [steps, features]` |
/// | with a key padding mask, the last input: `(x, mask) -> …`, `(query, memory, mask) -> …` | `[steps]` or `[keys]`: 1 a step, 0 padding |
///
/// | argument | here | PyTorch's `MultiheadAttention` | Keras's `MultiHeadAttention` |
/// |---|---|---|---|
/// | `heads` | must be given | `num_heads` | `num_heads`, and `key_dim` |
/// | `causal`: step i sees the steps 0 to i alone | `false` | `attn_mask`, `is_causal` | `use_causal_mask` at the call |
/// | `bias` | `true` | `bias=True` | `use_bias=True` |
/// | key padding | an input, 1 a step | `key_padding_mask`, `True` is padding | `attention_mask`, `True` is a step |
/// | dropout of the weights | none: put `Dropout` behind it | `dropout=0.0` | `dropout=0.0` |
/// | a query that sees no key | 0 before the output product, then its bias | NaN with `need_weights` or in the fast path of inference, else the same | the mean of all values |
///
/// Parameters, named and laid out as PyTorch's: `in_proj_weight`, `[3 · features, features]` (of queries,
/// keys, values), `in_proj_bias`, `[3 · features]`, `out_proj.weight`, `[features, features]`, and
/// `out_proj.bias`, `[features]`. Weights begin Glorot uniform, biases 0. A mask has no gradient: it is
/// answered with zeros. Vaswani et al., "Attention Is All You Need", 2017.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Encoder: (x: [5, 8], mask: [5]) -> [5, 8] {
///         let a = x -> LayerNorm;
///         let b = (a, mask) -> MultiHeadAttention(2);
///         (x, b) -> Sum
///     }
/// }
/// // What stands where the mask says padding changes nothing elsewhere.
/// let model = Encoder::init(0);
/// let mut x = [0.1; 40];
/// let mask = [1.0, 1.0, 1.0, 0.0, 0.0];
/// let before = *model.predictor(1).predict((&x, &mask));
/// x[24..].fill(9.0);
/// assert_eq!(model.predictor(1).predict((&x, &mask))[..24], before[..24]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MultiHeadAttention {
    heads: usize,
    causal: bool,
    bias: bool,
}

impl MultiHeadAttention {
    /// So many heads, each with an equal share of the features.
    pub const fn new(heads: usize) -> Self {
        MultiHeadAttention { heads, causal: false, bias: true }
    }

    /// Whether a step sees itself and the steps before it alone.
    pub const fn causal(mut self, causal: bool) -> Self {
        self.causal = causal;
        self
    }

    /// Whether learnt numbers are added to queries, keys, values and outputs.
    pub const fn bias(mut self, bias: bool) -> Self {
        self.bias = bias;
        self
    }

    /// `[steps, features] -> [steps, features]`, `([steps, features], [keys, features]) -> [steps,
    /// features]`, each perhaps with a mask
    pub const fn rule<const N: usize>(&self, x: [Shape; N]) -> Rule {
        let plan = match self.plan(&x) {
            Ok(plan) => plan,
            Err(fault) => return Rule::Err(fault),
        };
        let AttentionPlan { queries, features, .. } = plan;
        let Some(memory) = plan.memory() else {
            let fault = Fault::expected("sizes that fit into memory, found dimensions whose product does not");
            return Rule::Err(fault.help("use smaller dimensions"));
        };
        let spec =
            LayerSpec::output(x[0]).computes().matrix("in_proj_weight", 3 * features, features, Init::GlorotUniform);
        let spec = match self.bias {
            true => spec.param("in_proj_bias", Shape::of([3 * features]), Init::Zeros),
            false => spec,
        };
        let spec = spec.matrix("out_proj.weight", features, features, Init::GlorotUniform);
        let spec = match self.bias {
            true => spec.param("out_proj.bias", Shape::of([features]), Init::Zeros),
            false => spec,
        };
        let spec = spec
            .saves(memory.saved)
            .scratch(0, memory.scratch)
            .macs(plan.macs())
            .backward_without_x()
            .backward_without_y()
            .backward_input_first()
            .saved_layout(SavedLayout::Group);
        let AttentionPlan { heads, causal, cross, masked, .. } = plan;
        let spec = spec.onnx(OnnxForm::Attention { heads, causal, cross, masked });
        match self.causal && N == 1 {
            true => spec.stream_state(2 * queries * features + 1).bounded_context().ok(),
            false => spec.ok(),
        }
    }

    /// What the inputs are, if they fit.
    const fn plan(&self, x: &[Shape]) -> Result<AttentionPlan, Fault> {
        let x0 = if x.is_empty() { Shape::UNKNOWN } else { x[0] };
        let Some([queries, features]) = x0.dims::<2>() else {
            let fault = Fault::expected("an input of [steps, features]").found(x0);
            return Err(match x0.rank() {
                1 => fault.help("put `Embedding(vocabulary, features)` before it if these are token ids"),
                _ => super::image::into_steps(fault, x0),
            });
        };
        if self.heads == 0 {
            let fault = Fault::expected("at least 1 head").found_num(0);
            return Err(fault.help("give the number of heads, such as `MultiHeadAttention(4)`"));
        }
        if queries == 0 || features == 0 {
            let fault = Fault::expected("an input of at least one number").found(x0);
            return Err(fault.help("make every dimension before it at least 1"));
        }
        if !features.is_multiple_of(self.heads) {
            return Err(self.heads_do_not_divide(features));
        }
        let last = x.len() - 1;
        let masked = last > 0 && x[last].rank() == 1 && x[last].is_known();
        let cross = x.len() > 1 + masked as usize;
        let keys = match (cross, if cross { x[1].dims::<2>() } else { None }) {
            (false, _) => queries,
            (true, Some([keys, others])) if others == features && keys > 0 => keys,
            (true, Some([keys, others])) => return Err(memory_fault([queries, features], [keys, others])),
            (true, None) => {
                let fault = Fault::expected("a second input of [steps, features], or a mask of [steps]").found(x[1]);
                return Err(fault.help("write `(query, memory) -> …` or `(x, mask) -> …`"));
            }
        };
        if x.len() > 1 + cross as usize + masked as usize {
            let fault = Fault::expected("a query, perhaps a memory, and perhaps a mask").str(", found ").num(x.len());
            let fault = fault.str(" inputs, the last of ").shape(x[last]);
            return Err(fault.help("write `(query, memory, mask) -> …`, with a mask of [").num(keys).str("]"));
        }
        if masked && x[last].dim(0) != keys {
            let fault = Fault::expected("a mask of one number for each of ").num(keys).str(" steps").found(x[last]);
            return Err(fault.help("declare it as [").num(keys).str("]: 1 a step, 0 padding"));
        }
        Ok(AttentionPlan {
            queries,
            keys,
            features,
            heads: self.heads,
            cross,
            masked,
            causal: self.causal,
            bias: self.bias,
        })
    }

    const fn heads_do_not_divide(&self, features: usize) -> Fault {
        let fault = Fault::expected("features in ").num(self.heads).str(" equal heads").found_num(features);
        // The most heads below those asked for that divide; 1 does always.
        let mut fewer = if self.heads < features { self.heads } else { features };
        while !features.is_multiple_of(fewer) {
            fewer -= 1;
        }
        let fault = fault.str(" features").help("write `MultiHeadAttention(").num(fewer);
        let up = features.next_multiple_of(self.heads);
        fault.str(")`, or make the layers before it give ").num(up).str(" features")
    }

    fn planned(&self, cx: &LayerContext<'_, impl Sized>, inputs: usize) -> AttentionPlan {
        let x: [Shape; MAX_INPUTS] = core::array::from_fn(|k| cx.input_shape(k));
        match self.plan(&x[..inputs]) {
            Ok(plan) => plan,
            Err(_) => unreachable!("the rule has accepted these inputs"),
        }
    }
}

/// Why a memory does not fit the query.
const fn memory_fault([queries, features]: [usize; 2], [keys, others]: [usize; 2]) -> Fault {
    let found = Shape::of([keys, others]);
    if keys == 0 {
        let fault = Fault::expected("a memory of at least 1 step").found(found);
        return fault.help("make every dimension before it at least 1");
    }
    let fault = Fault::expected("a memory of as many features as the query, ").shape(Shape::of([queries, features]));
    if keys == queries && others == queries {
        let fault = fault.found(found).help("a mask is 1 or 0 for each step, ").shape(Shape::of([queries]));
        return fault.str(": declare it so; `causal = true` hides what comes later");
    }
    fault.found(found).help("put `DensePerStep(").num(features).str(")` before input 2")
}

layer_of_any_inputs!(MultiHeadAttention);

impl AnyInputs for MultiHeadAttention {
    fn forward_any(&self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [f32]) {
        self.planned(cx, x.len()).forward(cx, x, y);
    }

    fn backward_input_any(&self, cx: &mut LayerContext, x: &[&[f32]], dy: &[f32], dx: &mut [&mut [f32]]) {
        self.planned(cx, x.len()).backward_input(cx, dy, dx);
    }

    fn backward_params_any(&self, cx: &mut ReadContext, x: &[&[f32]], dy: &[f32], part: ParamGrad) {
        self.planned(cx, x.len()).backward_params(cx, x, dy, part);
    }

    fn step_any(&self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [f32]) {
        self.planned(cx, x.len()).step(cx, x[0], y);
    }
}
