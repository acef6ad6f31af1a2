//! `MultiHeadAttention`: every step a mean of all steps, weighted by how well they match. In: `[steps,
//! features]`, or queries and a memory, and perhaps a mask of the steps that are there; out: `[steps,
//! features]`. The dot products are the kernels'.

mod general;
mod general_plan;
mod general_sample;
mod passes;
mod plan;

use crate::fault::Fault;
use crate::graph::Rule;
use crate::init::Init;
use crate::layer::{Layer, LayerContext, ParamGrad, ReadContext};
use crate::limits::MAX_INPUTS;
use crate::shape::Shape;
use crate::spec::{LayerSpec, OnnxForm, SavedLayout};
use plan::{AttentionPlan, Extras, OfScores};

/// Scaled dot-product attention of several heads: `y = concat_h(softmax(q_h · k_hᵀ / √d) · v_h) · out_projᵀ +
/// out_proj_bias`, where `q`, `k` and `v` are products of the steps with the three parts of `in_proj_weight`,
/// and each head has `d = features / heads` of their columns.
///
/// | inputs | shapes |
/// |---|---|
/// | self-attention: `x -> MultiHeadAttention(4)` | `[steps, features] -> [steps, features]` |
/// | cross-attention: `(query, memory) -> …` | `([steps, features], [keys, features]) -> [steps, features]` |
/// | values of their own: `(query, keys, values) -> MultiHeadAttention(4, values = true)` | `([steps, features], [keys, features], [keys, features]) -> [steps, features]` |
/// | with a key padding mask, the last input: `(x, mask) -> …`, `(query, memory, mask) -> …` | `[steps]` or `[keys]`: 1 a step, 0 padding |
/// | with `attn_mask = true`, `attn_bias = true`, each before the key padding: `(x, allowed, added) -> …` | `[steps, keys]`, or `[heads, steps, keys]` for each head |
/// | with `weights = true`: `let (y, seen) = x -> …` | a second output, `[steps, keys]`, the mean of the heads |
///
/// | argument | here | PyTorch's `MultiheadAttention` | Keras's `MultiHeadAttention` |
/// |---|---|---|---|
/// | `heads` | must be given | `num_heads` | `num_heads`, and `key_dim` |
/// | `causal`: step i sees the steps 0 to i alone | `false` | `attn_mask`, `is_causal` | `use_causal_mask` at the call |
/// | `bias` | `true` | `bias=True` | `use_bias=True` |
/// | key padding | an input, 1 a step | `key_padding_mask`, `True` is padding | `attention_mask`, `True` is a step |
/// | `attn_mask`: an input says which keys each query sees, 1 or 0 | `false` | a boolean `attn_mask`, where `True` is hidden | `attention_mask`, `True` is seen |
/// | `attn_bias`: an input is added to the scores, and learns | `false` | an `attn_mask` of numbers | none |
/// | `values`: values have an input of their own | `false` | always | always |
/// | `weights`: the weights are an output, as they were used | `false` | `need_weights=True` | `return_attention_scores` at the call, of each head |
/// | `dropout` of the weights, while training | `0.0` | `dropout=0.0` | `dropout=0.0` |
/// | a query that sees no key | 0 before the output product, then its bias | NaN with `need_weights` or in the fast path of inference, else the same | the mean of all values |
///
/// Parameters, named and laid out as PyTorch's: `in_proj_weight`, `[3 · features, features]` (of queries,
/// keys, values), `in_proj_bias`, `[3 · features]`, `out_proj.weight`, `[features, features]`, and
/// `out_proj.bias`, `[features]`. Weights begin Glorot uniform, biases 0. A mask has no gradient: it is
/// answered with zeros; what is added to the scores (a relative position, ALiBi) has one. What a mask hides
/// need not be finite. With any of the last five settings but `dropout` it neither streams nor is written as
/// ONNX. Vaswani et al., "Attention Is All You Need", 2017.
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
    attn_mask: bool,
    attn_bias: bool,
    values: bool,
    weights: bool,
    dropout: f32,
}

impl MultiHeadAttention {
    /// So many heads, each with an equal share of the features.
    pub const fn new(heads: usize) -> Self {
        MultiHeadAttention {
            heads,
            causal: false,
            bias: true,
            attn_mask: false,
            attn_bias: false,
            values: false,
            weights: false,
            dropout: 0.0,
        }
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

    /// Whether an input of `[steps, keys]` or `[heads, steps, keys]` says which keys each query sees: 1, or
    /// 0.
    pub const fn attn_mask(mut self, attn_mask: bool) -> Self {
        self.attn_mask = attn_mask;
        self
    }

    /// Whether an input of `[steps, keys]` or `[heads, steps, keys]` is added to the scores before softmax.
    pub const fn attn_bias(mut self, attn_bias: bool) -> Self {
        self.attn_bias = attn_bias;
        self
    }

    /// Whether values come of a third input.
    pub const fn values(mut self, values: bool) -> Self {
        self.values = values;
        self
    }

    /// Whether the weights, the mean of all heads, are a second output.
    pub const fn weights(mut self, weights: bool) -> Self {
        self.weights = weights;
        self
    }

    /// The share of the weights that training drops.
    pub const fn dropout(mut self, dropout: f32) -> Self {
        self.dropout = dropout;
        self
    }

    /// `[steps, features] -> [steps, features]`, `([steps, features], [keys, features]) -> [steps,
    /// features]`, each perhaps with a mask
    pub const fn rule<const N: usize>(&self, x: [Shape; N]) -> Rule {
        let plan = match self.plan(&x) {
            Ok(plan) => plan,
            Err(fault) => return Rule::Err(fault),
        };
        let AttentionPlan { queries, keys, features, extras, .. } = plan;
        let Some(memory) = plan.memory_of_all() else {
            let fault = Fault::expected("sizes that fit into memory, found dimensions whose product does not");
            return Rule::Err(fault.help("use smaller dimensions"));
        };
        let outputs = match extras.weights {
            true => LayerSpec::outputs([x[0], Shape::of([queries, keys])]),
            false => LayerSpec::output(x[0]),
        };
        let spec = outputs.computes().matrix("in_proj_weight", 3 * features, features, Init::GlorotUniform);
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
            .backward_without_y()
            .backward_input_first()
            .saved_layout(SavedLayout::Group);
        let AttentionPlan { heads, causal, cross, masked, .. } = plan;
        let reads_masks = extras.allowed.is_some() || masked && (extras.any() || extras.dropout > 0.0);
        let spec = if reads_masks { spec } else { spec.backward_without_x() };
        if extras.any() {
            return spec.ok();
        }
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
        if !(self.dropout >= 0.0 && self.dropout < 1.0) {
            let fault = Fault::expected("a dropout from 0 up to but without 1").found_real(self.dropout);
            return Err(fault.help("give the share of the weights to drop, such as `dropout = 0.1`"));
        }
        let last = x.len() - 1;
        let masked = last > 0 && x[last].rank() == 1 && x[last].is_known();
        // Behind query, memory and values, before the key padding.
        let of_scores = self.attn_mask as usize + self.attn_bias as usize;
        let rows = x.len() - masked as usize;
        let least = if self.values { 3 } else { 1 };
        if rows < least + of_scores {
            return Err(self.too_few(x.len()));
        }
        let rows = rows - of_scores;
        let cross = rows > 1;
        let keys = match (cross, if cross { x[1].dims::<2>() } else { None }) {
            (false, _) => queries,
            (true, Some([keys, others])) if others == features && keys > 0 => keys,
            (true, Some([keys, others])) => return Err(memory_fault([queries, features], [keys, others])),
            (true, None) => {
                let fault = Fault::expected("a second input of [steps, features], or a mask of [steps]").found(x[1]);
                return Err(match x[1].equals(&Shape::of([self.heads, queries, queries])) {
                    true => fault.help("say what it is: `attn_mask = true`, or `attn_bias = true`"),
                    false => fault.help("write `(query, memory) -> …` or `(x, mask) -> …`"),
                });
            }
        };
        if self.values && !x[2].equals(&Shape::of([keys, features])) {
            let fault = Fault::expected("values for each key, ").shape(Shape::of([keys, features])).found(x[2]);
            return Err(fault.help("write `(query, keys, values) -> …`, with keys and values of the same shape"));
        }
        if rows > if self.values { 3 } else { 2 } {
            let fault = Fault::expected("a query, perhaps a memory, and perhaps a mask").str(", found ").num(x.len());
            let fault = fault.str(" inputs, the last of ").shape(x[last]);
            let fault = fault.help("write `(query, memory, mask) -> …`, with a mask of [").num(keys).str("]");
            return Err(match self.values {
                true => fault,
                false => fault.str("; `values = true` takes values of their own"),
            });
        }
        let per_head = Shape::of([self.heads, queries, keys]);
        let mut at = rows;
        while at < rows + of_scores {
            if !x[at].equals(&Shape::of([queries, keys])) && !x[at].equals(&per_head) {
                let what = if at == rows && self.attn_mask { "a mask" } else { "what is added to the scores" };
                let fault = Fault::expected(what).str(" of a number for each query and key, [").num(queries).str(", ");
                let fault = fault.num(keys).str("], or for each head, ").shape(per_head).found(x[at]);
                return Err(fault
                    .help("declare input ")
                    .num(at + 1)
                    .str(" as [")
                    .num(queries)
                    .str(", ")
                    .num(keys)
                    .str("]"));
            }
            at += 1;
        }
        if masked && x[last].dim(0) != keys {
            let fault = Fault::expected("a mask of one number for each of ").num(keys).str(" steps").found(x[last]);
            return Err(fault.help("declare it as [").num(keys).str("]: 1 a step, 0 padding"));
        }
        let allowed = match self.attn_mask {
            true => Some(OfScores { input: rows, per_head: x[rows].rank() == 3 }),
            false => None,
        };
        let added = rows + self.attn_mask as usize;
        let added = match self.attn_bias {
            true => Some(OfScores { input: added, per_head: x[added].rank() == 3 }),
            false => None,
        };
        let (values, weights, dropout) = (self.values, self.weights, self.dropout);
        Ok(AttentionPlan {
            queries,
            keys,
            features,
            heads: self.heads,
            cross,
            masked,
            causal: self.causal,
            bias: self.bias,
            extras: Extras { values, allowed, added, weights, dropout },
        })
    }

    /// Which inputs there should be, and are not.
    const fn too_few(&self, found: usize) -> Fault {
        let mut fault = Fault::expected("a query");
        if self.values {
            fault = fault.str(", keys, values");
        }
        if self.attn_mask {
            fault = fault.str(", a mask of [steps, keys]");
        }
        if self.attn_bias {
            fault = fault.str(", what is added to the scores");
        }
        fault = fault.str(", and perhaps a mask of keys, found ").num(found);
        fault = fault.str(if found == 1 { " input" } else { " inputs" }).help("write `(");
        fault = fault.str(if self.values { "query, keys, values" } else { "x" });
        fault = fault.str(if self.attn_mask { ", allowed" } else { "" });
        fault.str(if self.attn_bias { ", added" } else { "" }).str(") -> …`")
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
        let fault = fault.str(": declare it so; `causal = true` hides what comes later");
        return fault.str(", `attn_mask = true` what a mask of ").shape(found).str(" says");
    }
    fault.found(found).help("put `DensePerStep(").num(features).str(")` before input 2")
}

// What is generic over the numbers of inputs and outputs is compiled where a network is declared, which may
// be in a debug build: it only forwards.
impl<const N: usize, const M: usize> Layer<N, M> for MultiHeadAttention {
    fn forward(&self, cx: &mut LayerContext, x: [&[f32]; N], mut y: [&mut [f32]; M]) {
        self.forward_any(cx, &x, &mut y);
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        x: [&[f32]; N],
        _: [&[f32]; M],
        dy: [&[f32]; M],
        mut dx: [&mut [f32]; N],
    ) {
        self.backward_input_any(cx, &x, &dy, &mut dx);
    }

    fn backward_params(&self, cx: &mut ReadContext, x: [&[f32]; N], dy: [&[f32]; M], part: ParamGrad) {
        self.backward_params_any(cx, &x, dy[0], part);
    }

    fn step(&self, cx: &mut LayerContext, x: [&[f32]; N], y: [&mut [f32]; M]) {
        self.planned(cx, N).step(cx, x[0], y[0]);
    }
}

impl MultiHeadAttention {
    fn forward_any(&self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [&mut [f32]]) {
        let plan = self.planned(cx, x.len());
        match plan.is_general(cx) {
            true => plan.forward_general(cx, x, y),
            false => plan.forward(cx, x, &mut *y[0]),
        }
    }

    fn backward_input_any(&self, cx: &mut LayerContext, x: &[&[f32]], dy: &[&[f32]], dx: &mut [&mut [f32]]) {
        let plan = self.planned(cx, x.len());
        match plan.is_general(cx) {
            true => plan.backward_general(cx, x, dy, dx),
            false => plan.backward_input(cx, dy[0], dx),
        }
    }

    fn backward_params_any(&self, cx: &mut ReadContext, x: &[&[f32]], dy: &[f32], part: ParamGrad) {
        let plan = self.planned(cx, x.len());
        match plan.is_general(cx) {
            true => plan.backward_params_general(cx, x, dy, part),
            false => plan.backward_params(cx, x, dy, part),
        }
    }
}
