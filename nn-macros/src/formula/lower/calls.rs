//! Calls of functions. In: a name and what it is called with, either way; out: a node, or what is wrong with
//! the name or the number of its arguments. Nothing is known here of derivatives.

use quote::ToTokens;
use syn::Expr;
use syn::ext::IdentExt;

use super::sums::NAMES;
use super::{Lower, short};
use crate::errors::nearest;
use crate::formula::functions::{Meaning, meaning, names};
use crate::formula::node::{Comparison, Id, Operator};
use crate::formula::parse::whole_number;
use crate::parse::pretty::pretty;

impl Lower<'_> {
    pub fn unknown_function(&mut self, place: impl ToTokens, written: &str, name: &str) -> Option<Id> {
        // With a path before it, it is the name that is wanted.
        let near = nearest(name, names()).filter(|_| !written.is_empty());
        let list = names().collect::<Vec<_>>().join(", ");
        let help = match near {
            Some(near) => format!("did you mean `{near}`? there are {list}; any other function is written out"),
            None => format!("there are {list}; any other function is written out"),
        };
        self.errors.add(place, "a function with a known derivative", &format!("`{written}`"), &help);
        None
    }

    /// `np` of `np.exp(x)`: a word that names nothing here.
    fn module(&self, receiver: &Expr) -> Option<String> {
        let Expr::Path(path) = receiver else { return None };
        let word = path.path.get_ident()?.unraw().to_string();
        let lower = word.starts_with(|first: char| first.is_lowercase());
        (lower && !self.knows(&word)).then_some(word)
    }

    pub fn call(
        &mut self,
        name: &syn::Ident,
        receiver: Option<&Expr>,
        arguments: Vec<&Expr>,
        whole: &Expr,
    ) -> Option<Id> {
        let text = name.unraw().to_string();
        let all: Vec<&Expr> = receiver.into_iter().chain(arguments).collect();
        if let Some(module) = receiver.and_then(|receiver| self.module(receiver)) {
            let call = whole.to_token_stream();
            let help = format!("remove `{module}.`: `{}`", pretty(&call).replace(&format!("{module}."), ""));
            self.errors.add(receiver, "a function by its name", &format!("`{module}.{text}`"), &help);
            return None;
        }
        if self.of_many && NAMES.contains(&&*text) {
            return self.of_many(&text, &all, whole);
        }
        let Some((meaning, count)) = meaning(&text) else {
            // What stands in it may be meant for another function: `x.pow(2)`.
            let argument = all.first().map(|first| short(first)).unwrap_or_else(|| "x".to_owned());
            let help = match &*text {
                "pow" | "power" => format!("`powi({argument}, 2)`"),
                "log" => format!("`ln({argument})`"),
                "log1p" => format!("`ln_1p({argument})`"),
                "logistic" => format!("`sigmoid({argument})`"),
                "maximum" => format!("`max({argument}, 0.0)`"),
                "minimum" => format!("`min({argument}, 0.0)`"),
                "mean" | "sum" => format!("an activation is of one number: `{argument}`"),
                _ => return self.unknown_function(name, &text, &text),
            };
            self.errors.add(name, "a function with a known derivative", &format!("`{text}`"), &help);
            return None;
        };
        if all.len() != count {
            let (found, expected) =
                (all.len(), format!("{count} number{} for `{text}`", if count == 1 { "" } else { "s" }));
            let array = match &all[..] {
                [Expr::Array(array)] if array.elems.len() == count => Some(array),
                _ => None,
            };
            let example = match meaning {
                _ if let Some(array) = array => format!("`{text}({})`", pretty(&array.elems.to_token_stream())),
                Meaning::Power => "`powi(x, 2)`".to_owned(),
                _ => ["`{}(x)`", "`{}(x, 2.0)`", "`{}(x, 0.0, 1.0)`"][count - 1].replace("{}", &text),
            };
            self.errors.add(whole, &expected, &found.to_string(), &example);
            return None;
        }
        if let Meaning::Power = meaning {
            let exponent = whole_number(all[1]).and_then(|digits| digits.parse::<i32>().ok());
            let base = self.expr(all[0]);
            let Some(exponent) = exponent.filter(|n| n.abs() <= 64) else {
                let found = format!("`{}`", short(all[1]));
                let help = "`powi(x, 3)`, up to 64; `powf(x, 1.5)` takes any constant";
                self.errors.add(all[1], "a whole number as exponent", &found, help);
                return None;
            };
            return Some(self.dag.power(base?, exponent));
        }
        let values: Vec<Option<Id>> = all.iter().map(|argument| self.expr(argument)).collect();
        let a = values.into_iter().collect::<Option<Vec<Id>>>()?;
        let dag = &mut self.dag;
        Some(match meaning {
            Meaning::Unary(function) => dag.unary(function, a[0]),
            Meaning::Max => dag.binary(Operator::Max, a[0], a[1]),
            Meaning::Min => dag.binary(Operator::Min, a[0], a[1]),
            // Within the limits, and on them, the slope is that of the number.
            Meaning::Clamp => {
                let (below, above) = (dag.compare(Comparison::Lt, a[0], a[1]), dag.compare(Comparison::Gt, a[0], a[2]));
                let upper = dag.select(above, a[2], a[0]);
                dag.select(below, a[1], upper)
            }
            Meaning::Relu => {
                let zero = dag.number(0.0);
                dag.binary(Operator::Max, zero, a[0])
            }
            Meaning::Recip => {
                let one = dag.number(1.0);
                dag.binary(Operator::Div, one, a[0])
            }
            Meaning::Square | Meaning::Power => dag.power(a[0], 2),
            Meaning::Powf if dag.varies(a[1]) => {
                let (base, exponent) = (short(all[0]), short(all[1]));
                let help = format!("`exp({exponent} * ln({base}))`, for a base above 0");
                self.errors.add(all[1], "a constant as exponent", &format!("`{exponent}`, which changes"), &help);
                return None;
            }
            Meaning::Powf => dag.binary(Operator::Powf, a[0], a[1]),
        })
    }
}
