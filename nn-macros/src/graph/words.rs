//! Words of other languages and libraries as arguments: `activation = relu`, `padding = same`, `bias =
//! False`. In: a layer's call; out: one error with what to type, where rustc would say that there is no such
//! value and the layer something else again. It knows no layer.

use quote::ToTokens;
use syn::Expr;

use super::resolve::Resolver;
use crate::ast;
use crate::case::camel;
use crate::parse::pretty::pretty;

/// Functions that are layers here.
const ACTIVATIONS: [&str; 14] = [
    "relu",
    "tanh",
    "sigmoid",
    "softmax",
    "log_softmax",
    "gelu",
    "silu",
    "elu",
    "selu",
    "leaky_relu",
    "mish",
    "softplus",
    "hard_sigmoid",
    "hard_swish",
];

/// Words, ours, and the option that takes them.
const WORDS: [(&str, &str, &str); 22] = [
    ("same", "Same", "padding"),
    ("SAME", "Same", "padding"),
    ("valid", "Valid", "padding"),
    ("VALID", "Valid", "padding"),
    ("causal", "Causal", "padding"),
    ("both", "Both", "direction"),
    ("forward", "Forward", "direction"),
    ("backward", "Backward", "direction"),
    ("nearest", "Nearest", "mode"),
    ("bilinear", "Bilinear", "mode"),
    ("zeros", "Zeros", "init"),
    ("he_normal", "HeNormal", "init"),
    ("kaiming_normal", "HeNormal", "init"),
    ("he_uniform", "HeUniform", "init"),
    ("kaiming_uniform", "HeUniform", "init"),
    ("glorot_normal", "GlorotNormal", "init"),
    ("xavier_normal", "GlorotNormal", "init"),
    ("glorot_uniform", "GlorotUniform", "init"),
    ("xavier_uniform", "GlorotUniform", "init"),
    ("lecun_normal", "LecunNormal", "init"),
    ("no_bias", "false", "bias"),
    ("nobias", "false", "bias"),
];

/// Types, which are no values.
const NUMBERS: [&str; 5] = ["f32", "f64", "f16", "bf16", "float32"];

/// Modules of other libraries, before a word.
const MODULES: [&str; 8] = ["nn", "F", "tf", "torch", "keras", "jax", "activations", "functional"];

impl Resolver<'_, '_> {
    /// True where an argument is one of these, which is then told.
    pub(super) fn arguments_are_foreign(&mut self, layer: &ast::Layer) -> bool {
        let Some(args) = &layer.args else { return false };
        let positional = args.positional.iter().map(|expr| (None, expr));
        let named = args.named.iter().map(|(name, expr)| (Some(name), expr));
        let before = self.errors.count();
        for (name, expr) in positional.chain(named) {
            let Some((word, alone)) = word(expr).filter(|(word, _)| !self.scope.knows(word)) else { continue };
            let text = word.to_string();
            let help = if matches!(expr, Expr::Unary(_)) {
                format!("`{text} = false`")
            } else if matches!(expr, Expr::Call(_)) {
                "a trainer penalises weights: `.regularize(\"label\", Regularizer::L2(0.01))`".to_owned()
            } else if alone && NUMBERS.contains(&&*text) {
                format!("`{}`: every number is an `f32`", without(layer, args, expr))
            } else if ACTIVATIONS.contains(&&*text) {
                let call = without(layer, args, expr);
                format!("the activation is a layer of its own: `{call} -> {}`", camel(&text))
            } else if let Some((_, ours, option)) = WORDS.iter().find(|(word, ..)| alone && *word == text) {
                let option = name.filter(|_| *ours != "false").map_or((*option).to_owned(), ToString::to_string);
                format!("`{option} = {ours}`")
            } else if let (true, "True" | "False") = (alone, &*text) {
                format!("`{}`", text.to_lowercase())
            } else {
                continue;
            };
            let found = format!("`{}`", pretty(&expr.to_token_stream()));
            self.errors.add(expr, "a number, a const, or a word of the layer's", &found, &help);
        }
        self.errors.count() > before
    }
}

/// The last word of a path or of fields, and whether it stands alone; behind a module only one of another
/// library.
fn word(expr: &Expr) -> Option<(&proc_macro2::Ident, bool)> {
    let module = |root: &proc_macro2::Ident| MODULES.iter().any(|module| root == module);
    match expr {
        Expr::Path(path) if path.qself.is_none() => {
            let (first, last) = (path.path.segments.first()?, path.path.segments.last()?);
            let alone = path.path.segments.len() == 1;
            (last.arguments.is_none() && (alone || module(&first.ident))).then_some((&last.ident, alone))
        }
        // `!bias`
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Not(_)) => {
            let (word, _) = word(&unary.expr)?;
            (word == "bias").then_some((word, true))
        }
        // `kernel_regularizer = l2(0.01)`
        Expr::Call(call) => {
            let Expr::Path(path) = &*call.func else { return None };
            path.path
                .get_ident()
                .filter(|word| ["l1", "l2", "l1_l2"].iter().any(|known| *word == known))
                .map(|word| (word, true))
        }
        Expr::Field(field) => {
            let syn::Member::Named(last) = &field.member else { return None };
            let mut root = &*field.base;
            while let Expr::Field(inner) = root {
                root = &inner.base;
            }
            let Expr::Path(path) = root else { return None };
            path.path.get_ident().filter(|root| module(root)).map(|_| (last, false))
        }
        _ => None,
    }
}

/// The call without one of its arguments.
fn without(layer: &ast::Layer, args: &ast::Args, left_out: &Expr) -> String {
    let text = |expr: &Expr| pretty(&expr.to_token_stream());
    let keeps = |expr: &Expr| !std::ptr::eq(expr, left_out);
    let positional = args.positional.iter().filter(|expr| keeps(expr)).map(text);
    let named = args.named.iter().filter(|(_, expr)| keeps(expr));
    let named = named.map(|(name, expr)| format!("{name} = {}", text(expr)));
    let left = positional.chain(named).collect::<Vec<_>>().join(", ");
    let path = pretty(&layer.path.to_token_stream());
    if left.is_empty() { path } else { format!("{path}({left})") }
}
