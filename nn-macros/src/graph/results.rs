//! What a declaration gives back, and whether everything in it is read. In: values by name, when all
//! statements have been followed; out: the number of each output. It follows no chain.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;

use super::Item;
use super::resolve::{Resolver, TracedValue};
use super::scope::list;
use crate::ast;
use crate::parse::pretty::pretty;

impl Resolver<'_, '_> {
    /// The values that are outputs.
    pub(super) fn results(&mut self, outputs: &[ast::Port]) -> Option<Vec<usize>> {
        if self.network.statements.is_empty() {
            if self.whole {
                let body = self.network.body.as_ref();
                self.errors.add(body, "at least one layer", "none", "`{ Layer -> Layer }`");
                self.scope.touch_all();
            }
            return None;
        }
        let last = core::mem::replace(&mut self.flow, TracedValue::Unknown);
        if let [ast::Port { name: None, .. }] = outputs {
            return self.only_result(last);
        }
        let mut results: Vec<(usize, &Ident)> = Vec::new();
        let mut sound = true;
        for name in outputs.iter().filter_map(|port| port.name.as_ref()) {
            let Some(value) = self.result(name) else {
                sound = false;
                continue;
            };
            if let Some((_, first)) = results.iter().find(|(earlier, _)| *earlier == value) {
                let found = format!("`{name}`, which is the same value as `{first}`");
                self.errors.add(name, "a value of its own for each output", &found, "declare it once");
            }
            results.push((value, name));
        }
        if sound {
            self.drop_result(&last);
        }
        sound.then(|| results.into_iter().map(|(value, _)| value).collect())
    }

    fn only_result(&mut self, last: TracedValue) -> Option<Vec<usize>> {
        let TracedValue::Made(made) = last else { return None };
        made.bindings.iter().for_each(|binding| self.scope.touch(*binding));
        let value = match made.values[..] {
            [value] => value,
            _ => {
                let names = made.bindings.iter().map(|binding| self.scope.name(*binding));
                let found = list(names);
                let place = made.bindings.iter().map(|binding| self.scope.place(*binding)).collect::<TokenStream>();
                self.errors.add(place, "one value as the output", &found, "name the outputs: `-> (a: [10], b: [4])`");
                return None;
            }
        };
        self.is_made(value, self.network.body.to_token_stream()).then(|| vec![value])
    }

    /// The value of a named output.
    fn result(&mut self, name: &Ident) -> Option<usize> {
        let text = name.unraw().to_string();
        if let Some(binding) = self.scope.bound(&text) {
            binding.used = true;
            let value = binding.value?;
            return self.is_made(value, name.to_token_stream()).then_some(value);
        }
        // `-> name: Layer`, where `let name = … -> Layer;` was meant.
        if let Some(site) = self.names.labelled(&text).filter(|_| self.whole) {
            let layer = self.layers[site].map(|(layer, _)| pretty(&layer.tokens())).unwrap_or_default();
            let help = format!("`let {text} = … -> {layer};`, without the label");
            self.errors.add(name, &format!("`let {text} = …;` for the output"), "a label of that name", &help);
            return None;
        }
        if self.whole {
            let near = self.scope.unused_let(&text).map(|binding| {
                binding.used = true;
                binding.name.clone()
            });
            let found = near.as_ref().map_or_else(|| "none".to_owned(), |near| format!("`let {near} = …;`"));
            let help = near
                .map_or_else(|| format!("`let {text} = … -> Layer;`"), |near| format!("rename `{near}` to `{text}`"));
            self.errors.add(name, &format!("`let {text} = …;` for the output"), &found, &help);
        }
        None
    }

    /// An output that no layer makes would have no place in memory.
    fn is_made(&mut self, value: usize, place: TokenStream) -> bool {
        if value < self.inputs {
            self.errors.add(place, "an output that a layer makes", "an input", "`… -> Layer`");
        }
        value >= self.inputs
    }

    pub(super) fn unused(&mut self) {
        if !self.whole {
            return;
        }
        for binding in self.scope.unused() {
            // `_name` drops one of several values, as `_` does.
            let siblings = self.items.iter().find_map(|item| match item {
                Item::Site(site) => {
                    Some(site.y..site.y + site.made).filter(|made| binding.value.is_some_and(|v| made.contains(&v)))
                }
                Item::Shape { .. } => None,
            });
            let drops = siblings.is_some_and(|made| self.scope.reads_any(made));
            if binding.name.starts_with('_') && drops {
                continue;
            }
            let name = &binding.name;
            let what = if binding.input { "the input" } else { "the value" };
            let place = match &binding.ident {
                Some(ident) => ident.to_token_stream(),
                None => self
                    .network
                    .header
                    .inputs
                    .iter()
                    .flatten()
                    .filter_map(|port| port.shape.as_ref())
                    .map(ToTokens::to_token_stream)
                    .collect(),
            };
            let help = match drops {
                true => format!("`{name} -> Layer`, or `_` in its place, which drops it"),
                false => format!("`{name} -> Layer`, or remove it"),
            };
            self.errors.add(place, &format!("{what} `{name}` to be used"), "that nothing reads it", &help);
        }
    }
}
