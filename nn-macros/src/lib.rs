//! The [`network!`] macro: tokens in, one plain Rust struct out. It knows names and arrows; it evaluates no
//! number, states no shape rule and knows no layer. `tokens -> parse -> ast -> graph -> emit -> tokens`;
//! errors arise in the first two only. [`activation!`] and [`loss!`] live in `formula`, which knows functions
//! and their derivatives, and no layer either.
#![forbid(unsafe_code)]
#![warn(clippy::all)]

extern crate proc_macro;

mod ast;
mod case;
mod editor;
mod emit;
mod errors;
mod expand;
mod fallback;
mod formula;
mod graph;
mod parse;
mod span;

#[cfg(test)]
mod tests;

/// Declares a neural network as a type.
///
/// Everything that flows is an arrow; layers are Rust types, written as calls. Every number is a const
/// expression that rustc evaluates, and every shape is checked before the program runs.
///
/// ```text
/// network! {
///     /// The convolutional digit classifier.
///     pub struct Cnn: [1, SIDE, SIDE] -> [10] {
///         Conv2d(32, 3) -> Relu -> MaxPool2d(2);
///         Conv2d(64, 3) -> Relu -> MaxPool2d(2) -> [64, 5, 5];   // a shape in the flow is checked
///         Flatten -> Dense(64) -> Relu;
///         head: Dense(10) -> Softmax;                            // a label: `head.weight`
///     }
/// }
/// ```
///
/// # Grammar
///
/// ```text
/// network   := attributes visibility "struct" Name [sizes] ":" ports "->" ports "{" statement* "}"
/// sizes     := "<" "const" Name ":" "usize" "in" "[" number {"," number} [","] "]" ">"
/// ports     := shape | "(" name ":" shape {"," name ":" shape} [","] ")"
/// shape     := "[" expr {"," expr} [","] "]"
/// statement := docs ["let" (name | "(" name {"," name} ")") "="] chain ";"   the last `;` may be missing
/// chain     := [source "->"] step {"->" step}
///            | source                                                        after `let` only: another name
/// source    := name | "(" name {"," name} ")"
/// step      := shape
///            | ["frozen"] [label ":"] (layer ["*" expr] | "share" "(" label ")")
/// layer     := Path ["(" {expr ","} {name "=" expr ","} ")"]
/// ```
///
/// - A *chain* that begins with a value starts there; any other goes on from the statement before, and the
///   first one from the only input, which is called `input` unless the declaration names it.
/// - A *value* is bound by `let`, or is an input. Names of values and labels are in lower case. `(a, b) ->
///   Layer` gives a layer several inputs; `let (a, b) = …` takes the outputs of a layer that has several.
/// - `Layer(8, stride = 2)` is `Layer::new(8).stride(2)`; `Layer` alone is `Layer::new()`. A layer is any
///   type with these `const fn`s, a `rule`, and the trait `Layer`; a network is one too.
/// - A *label* names the parameters of the one layer it precedes. Layers without one are named by kind and
///   count: `conv2d_1`, `dense_2`. `share(label)` uses that layer's parameters a second time, `frozen` keeps
///   them as they are (without the word they learn, and that is a network too: no error can tell), and
///   `layer * n` is the layer `n` times in a row.
/// - A *shape in the flow*, `-> [64, 5, 5]`, is compared with the one that arrives there.
/// - An unnamed output is the value of the last statement. Named ones, `-> (class: [10], bounds: [4])`, are
///   each bound by a `let` of that name.
/// - `let (a, _) = …` drops a value of several, and so does a name that begins with `_`, as in Rust.
/// - `(x, mask) -> layer * 3` hands what one copy makes to the next, and `mask` to each; the number has to
///   stand there.
/// - `#[weights("digits.safetensors")]` above the struct makes a file a part of the program. Names, types,
///   shapes and numbers are compared with the network when it is compiled; `Net::embedded()` is a model with
///   these weights, `Net::embedded_ref()` one that uses them where they lie. A path counts from the folder of
///   Cargo.toml; anything else that `include_bytes!` takes stands for itself. What the file calls otherwise
///   is said behind it:
///   `#[weights("policy.safetensors", Names::new().map_prefix("actor.", "").ignore("critic.*"))]`.
/// - Attributes of the struct hold for all that is generated: `#[cfg(…)]` decides whether there is a network
///   at all. `#[budget(params <= 50_000, macs <= 2_000_000, predict_bytes(batch = 8) <= 64 * 1024)]` is the
///   macro's own: a network that needs more fails the build, on the limit, with the layers that need most.
///   `predict_bytes` is the workspace of a prediction, of one sample where no batch is given;
///   `train_bytes(batch = 16)` what a trainer holds beside the model, on one thread and without an
///   optimiser's slots; `flash` the bytes of all parameters as they lie in memory.
/// - *Sizes*, `struct Policy<const W: usize in [16, 32, 64]>`, declare one network for each: `W` is a const
///   in it, `Policy::<16>` names it, and `AnyPolicy` is an enum of them all, for a size that is known when
///   the program runs: `AnyPolicy::init(32, seed)?`, or `AnyPolicy::load(path)?`, which takes the size of the
///   file's tensors. `any.into_predictor(1)` and `any.into_streamer()?` run the one that was chosen;
///   `match any { AnyPolicy::W16(model) => … }` hands it to code of one's own.
/// - Every other value and every result must be used. The macro takes no other generics: a network is
///   composed of others, and of consts.
#[proc_macro]
pub fn network(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand::expand(input.into()).into()
}

/// Declares functions of one number as layers, each from its formula.
///
/// The derivative is the macro's business: it differentiates symbolically, simplifies, computes what occurs
/// twice once, and replaces forms that overflow or lose digits by those that do not. What comes out is vector
/// code like that of the built-in layers, most of which are written this way.
///
/// ```text
/// activation! {
///     /// A gate whose sharpness is a constant: `Swish`, `Swish(beta = 2.0)`.
///     pub swish(x; beta = 1.0) = x * sigmoid(beta * x);
///
///     /// One that learns how it bends: the parameter is called `alpha` and saved with the others.
///     pub bend(x; learn alpha = 0.25) = if x > 0.0 { x } else { alpha * expm1(x) };
/// }
/// ```
///
/// # Grammar
///
/// ```text
/// formulas  := formula {";" formula} [";"]
/// formula   := attributes visibility name "(" arguments [";" setting {"," setting}] ")"
///              ["where" limit {"," limit}] "=" expression
/// arguments := name                      `x`; of a loss two, output and target: `y, t`
/// setting   := attributes ["learn"] name "=" expression
/// limit     := name ("<" | "<=" | ">" | ">=") expression [":" "text that helps"]
/// ```
///
/// - The type is the name in upper camel case: `soft_exp` declares `SoftExp`. It has `new()`, and a method
///   for each setting.
/// - A *setting* is a constant, an `f32` given where the layer is declared; `learn` makes it a parameter
///   `[1]` that is learnt from there on. A *limit* is checked where the layer is used, like a shape. A
///   setting above 0 by its limit lets more derivatives follow from the output.
/// - The *expression* is Rust: numbers with a point, arguments, settings, consts of the program (`SCALE`,
///   `std::f32::consts::PI`), `+ - * /`, `let` in blocks, `if` with `else`, whose condition compares (`< <= >
///   >= == !=`) and joins by `&& || !`.
/// - Functions are called either way, `exp(x)` or `x.exp()`: `abs clamp cos cosh erf exp expm1 exp_m1 ln
///   ln_1p max min powf powi recip relu sigmoid sin sinh softplus sqrt square tanh`. `powi` takes an integer
///   as it stands there, `powf` any constant.
///
/// # What is computed
///
/// - `if` computes both sides and chooses number by number, in the derivative too: NaN or ∞ of the side not
///   chosen stays there.
/// - At corners slopes are PyTorch's: `abs` has 0 at 0; `max` and `min` have half of each side's where both
///   are equal, but 0 where one side is a constant, as `relu` at 0; `clamp` has that of the number on its
///   limits too; `if` has that of the side chosen. NaN goes in and out.
/// - Recognised, however they are written: `ln(1 + exp(u))`, `ln(exp(a) + exp(b) + …)`, `ln(cosh(u))`, `ln(1
///   + u)`, `exp(u) - 1`, `1 / (1 + exp(-u))`, `exp(u) / (1 + exp(u))`, `1 - sigmoid(u)`, `ln(sigmoid(u))`,
///   tanh made of exponentials, `tanh(softplus(u))`, `sqrt(u * u)`. The rest is only simplified.
/// - Where the derivative follows from the output, as for `tanh(x)`, the input is not kept: the function runs
///   in place on what the layer before wrote.
///
/// # A test beside each
///
/// `cargo test` runs `derivative_of_swish`: value and derivative on every instruction set of the machine,
/// beside the formula as it was written and its differences, in double precision. Within a function body no
/// test can run, which rustc warns of; declare formulas at module level, or allow `unnameable_test_items`
/// there.
#[proc_macro]
pub fn activation(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    formula::expand(input.into(), formula::Kind::Activation).into()
}

/// Declares losses on values, each from its formula.
///
/// The loss of a sample is the mean of the formula over its numbers; targets are `f32`, as many as the
/// network's outputs; it fits every head. Language, derivative and the test beside it are those of
/// [`activation!`]: only `learn` is refused.
///
/// A loss may say something of more than one number:
///
/// - `sum(e)` and `mean(e)` go over all numbers of a sample, `row_sum(e)` and `row_mean(e)` over those of a
///   row (the last dimension of the output); a formula has one sort of them. They may stand within each
///   other.
/// - `before(y)` and `before(t)` are the number one step before, 0 at the first step: of an output `[steps,
///   n]` that of `n` places before.
/// - What is left, a formula of single numbers in which sums are constants, is averaged as ever. With `sum`,
///   `mean` or `before`, a sample is one value, which has one weight; derivatives go through all sums.
///
/// ```text
/// loss! {
///     /// Squared near 0, absolute further out: `LogCosh::new()`, `LogCosh::new().delta(2.0)`.
///     pub log_cosh(y, t; delta = 1.0) where delta > 0.0 = delta * ln(cosh((y - t) / delta));
///     /// The error-to-signal ratio of audio, behind a filter that lifts high tones (pre-emphasis).
///     pub esr(y, t; coefficient = 0.85) = {
///         let error = (y - t) - coefficient * (before(y) - before(t));
///         let signal = t - coefficient * before(t);
///         sum(square(error)) / (sum(square(signal)) + 1e-8)
///     }
/// }
/// ```
#[proc_macro]
pub fn loss(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    formula::expand(input.into(), formula::Kind::Loss).into()
}
