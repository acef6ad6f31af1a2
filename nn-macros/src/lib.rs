//! The [`network!`] macro: tokens in, one plain Rust struct out. It knows names and arrows; it evaluates no number, states
//! no shape rule and knows no layer. `tokens -> parse -> ast -> graph -> emit -> tokens`; errors arise in the first two only.
#![forbid(unsafe_code)]
#![warn(clippy::all)]

mod ast;
mod emit;
mod errors;
mod expand;
mod fallback;
mod graph;
mod parse;
mod span;
mod words;

#[cfg(test)]
mod tests;

/// Declares a neural network as a type.
///
/// Everything that flows is an arrow; layers are Rust types, written as calls. Every number is a const expression that rustc
/// evaluates, and every shape is checked before the program runs.
///
/// ```text
/// network! {
///     /// The convolutional digit classifier.
///     pub struct Cnn: [1, SIDE, SIDE] -> [10] {
///         Conv2d(32, 3) -> Relu -> MaxPool2d(2);
///         Conv2d(64, 3) -> Relu -> MaxPool2d(2) -> [64, 5, 5];    // a shape in the flow is checked
///         Flatten -> Dense(64) -> Relu;
///         head: Dense(10) -> Softmax;                             // a label names the parameters: `head.weight`
///     }
/// }
/// ```
///
/// # Grammar
///
/// ```text
/// network   := attributes visibility "struct" Name ":" ports "->" ports "{" statement* "}"
/// ports     := shape | "(" name ":" shape {"," name ":" shape} [","] ")"
/// shape     := "[" expr {"," expr} [","] "]"
/// statement := ["let" (name | "(" name {"," name} ")") "="] chain ";"        the last `;` may be missing
/// chain     := [source "->"] step {"->" step}
///            | source                                                        after `let` only: another name
/// source    := name | "(" name {"," name} ")"
/// step      := shape
///            | ["frozen"] [label ":"] (layer ["*" expr] | "share" "(" label ")")
/// layer     := Path ["(" {expr ","} {name "=" expr ","} ")"]
/// ```
///
/// - A *chain* that begins with a value starts there; any other goes on from the statement before, and the first one from
///   the only input, which is called `input` unless the declaration names it.
/// - A *value* is bound by `let`, or is an input. Names of values and labels are in lower case. `(a, b) -> Layer` gives a
///   layer several inputs; `let (a, b) = …` takes the outputs of a layer that has several.
/// - `Layer(8, stride = 2)` is `Layer::new(8).stride(2)`; `Layer` alone is `Layer::new()`. A layer is any type with these
///   `const fn`s, a `rule`, and the trait `Layer`; a network is one too.
/// - A *label* names the parameters of the one layer it precedes. Layers without one are named by kind and count:
///   `conv2d_1`, `dense_2`. `share(label)` uses that layer's parameters a second time, `frozen` keeps them as they are, and
///   `layer * n` is the layer `n` times in a row.
/// - A *shape in the flow*, `-> [64, 5, 5]`, is compared with the one that arrives there.
/// - An unnamed output is the value of the last statement. Named ones, `-> (class: [10], bounds: [4])`, are each bound by a
///   `let` of that name.
/// - Every value and every result must be used. The macro takes no generics: a network is composed of others, and of consts.
#[proc_macro]
pub fn network(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand::expand(input.into()).into()
}
