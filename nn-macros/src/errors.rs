//! Faults of a declaration, collected. In: a place and a text, lower case, *expected X, found Y*, then what
//! to type; out: one `compile_error!` for each. Nothing here may decide what a fault is.

use proc_macro2::TokenStream;
use quote::ToTokens;

/// All faults found so far. Stages go on after a fault, so that one run shows every one.
#[derive(Default)]
pub struct Errors(Vec<syn::Error>);

impl Errors {
    /// "expected `expected`, found `found`", and on a line of its own "help: `help`", on the tokens of
    /// `place`.
    pub fn add(&mut self, place: impl ToTokens, expected: &str, found: &str, help: &str) {
        let text = format!("expected {expected}, found {found}\nhelp: {help}");
        self.0.push(syn::Error::new_spanned(place, text));
    }

    /// How many there are so far: whoever goes on behind a fault knows by it that something has been told.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// True if nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The texts, in the order they were found.
    #[cfg(test)]
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(syn::Error::to_string).collect()
    }
}

/// ```text
/// ::core::compile_error! { "expected …, found …\nhelp: …" }
/// ```
impl ToTokens for Errors {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.0.iter().map(syn::Error::to_compile_error));
    }
}

/// The name of `names` that was most likely meant by `name`: at most a third of its letters differ, and not
/// all of them.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = name.chars().count();
    let limit = (letters.max(3) / 3).min(letters.saturating_sub(1));
    let near = names.into_iter().map(|other| (distance(name, other), other));
    near.filter(|(distance, _)| *distance <= limit).min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// Letters to insert, delete, change or swap with their neighbour (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
