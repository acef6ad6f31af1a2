//! What a layer in a chain was meant to be. In: a use of a layer and what is known of values; out: the fault
//! where a value was meant, and the copies where a layer of several values is repeated. It names no site.

use std::borrow::Cow;

use proc_macro2::Ident;
use quote::ToTokens;

use super::resolve::Resolver;
use super::{Item, Site};
use crate::ast::{self, What};
use crate::parse::pretty::pretty;

/// The most copies of a layer of several values: each is code of its own.
const MAX_UNROLLED: usize = 64;

impl<'a> Resolver<'a, '_> {
    /// `a: Layer` where a value is called `a`: `a -> Layer` was meant.
    pub(super) fn label_is_no_value(&mut self, site: &ast::LayerUse) {
        if let Some(label) = site.label.as_ref().filter(|label| self.scope.knows(label)) {
            let help = format!("`{label} -> {}`, or another label", pretty(&site.tokens()));
            self.errors.add(label, "a label of its own", &format!("the value `{label}`"), &help);
            self.whole = false;
        }
    }

    /// `Layer(8, x)` and `Layer(8, mask = x)` where `x` is a value: values flow, they are no arguments.
    pub(super) fn arguments_are_no_values(&mut self, site: &ast::LayerUse, source: Option<&ast::Source>) -> bool {
        let What::Layer(layer) = &site.what else { return false };
        let Some(args) = &layer.args else { return false };
        let value = |expr: &syn::Expr| match expr {
            syn::Expr::Path(path) => path.path.get_ident().filter(|word| self.scope.knows(word)).cloned(),
            _ => None,
        };
        let named = args.named.iter().map(|(_, expr)| expr);
        let words: Vec<Ident> = args.positional.iter().chain(named).filter_map(value).collect();
        let Some(first) = words.first() else { return false };
        let keeps = |expr: &&syn::Expr| value(expr).is_none();
        let positional = args.positional.iter().filter(keeps).map(|expr| pretty(&expr.to_token_stream()));
        let named = args.named.iter().filter(|(_, expr)| value(expr).is_none());
        let named = named.map(|(name, expr)| format!("{name} = {}", pretty(&expr.to_token_stream())));
        let left = positional.chain(named).collect::<Vec<_>>().join(", ");
        let layer = pretty(&layer.path.to_token_stream()) + &if left.is_empty() { left } else { format!("({left})") };
        let before = source.into_iter().flat_map(|source| source.names.iter());
        let mut all: Vec<String> = before.chain(&words).map(Ident::to_string).collect();
        all.dedup();
        let all = if let [only] = &all[..] { only.clone() } else { format!("({})", all.join(", ")) };
        self.errors.add(
            first,
            "a number, a const, or a word of the layer's",
            &format!("the value `{first}`"),
            &format!("a value begins a chain: `{all} -> {layer}`"),
        );
        self.whole = false;
        true
    }

    /// `Conv1d(8, 3, padding = Causal)` in a network called `Causal`: there the word means the network.
    pub(super) fn arguments_are_no_networks(&mut self, layer: &ast::Layer) {
        let name = &self.network.header.name;
        let named = layer.args.iter().flat_map(|args| args.named.iter().map(|(_, expr)| expr));
        let all = layer.args.iter().flat_map(|args| &args.positional).chain(named);
        let own = |expr: &&syn::Expr| matches!(expr, syn::Expr::Path(path) if path.path.is_ident(name));
        for expr in all.filter(own) {
            let found = format!("the network `{name}` itself");
            let help = format!("call the network otherwise, as `{name}Net`");
            self.errors.add(expr, "a number, a const, or a word of the layer's", &found, &help);
        }
    }

    /// `(x, mask) -> Layer * 3`: what one copy makes is the next one's first value, and each is given the
    /// others. The copies are sites of their own, called as those of a repetition are.
    pub(super) fn unrolled(
        &mut self,
        site: &'a ast::LayerUse,
        layer: &'a ast::Layer,
        (name, id): (String, usize),
        x: Vec<usize>,
        times: &syn::Expr,
    ) -> Option<Vec<usize>> {
        let count = match times {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(number), .. }) => number.base10_parse::<usize>().ok(),
            _ => None,
        };
        let Some(count) = count.filter(|count| (1..=MAX_UNROLLED).contains(count)) else {
            let expected = format!("a number from 1 to {MAX_UNROLLED} as it stands, where several values are given");
            let found = format!("`{}`", pretty(&times.to_token_stream()));
            self.errors.add(times, &expected, &found, "`* 2`, or one layer after the other");
            return None;
        };
        let mut first = x[0];
        for copy in 0..count {
            let id = if copy == 0 { id } else { self.layers.len() };
            if copy > 0 {
                self.layers.push(Some((layer, id)));
            }
            let once = ast::Layer { path: layer.path.clone(), args: layer.args.clone(), times: None };
            let x: Vec<usize> = [first].into_iter().chain(x[1..].iter().copied()).collect();
            let reads = x.iter().map(|value| self.scope.name_of(*value)).collect();
            let y = self.values;
            self.values += 1;
            let (frozen, place) = (site.frozen.is_some(), site.tokens());
            let name = format!("{name}.{copy}");
            let layer = Cow::Owned(once);
            let step = self.steps;
            let site = Site { id, step, name, layer, x, reads, y, made: 1, frozen, shares: None, place };
            self.items.push(Item::Site(site));
            first = y;
        }
        Some(vec![first])
    }
}
