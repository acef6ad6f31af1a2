//! The limits of a `#[budget(…)]`, as checks on their own tokens. In: the header; out: const items.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};

use super::site::check;
use crate::ast::{BudgetLimit, Header};

/// ```text
/// const _: () = __nn::check_budget(&__MAP, "params", 1, 50_000);
/// ```
pub fn limits(header: &Header) -> TokenStream {
    header.budget.iter().map(limit).collect()
}

fn limit(BudgetLimit { count, batch, most }: &BudgetLimit) -> TokenStream {
    let mut place = count.to_token_stream();
    most.to_tokens(&mut place);
    let word = count.to_string();
    let batch = batch.clone().unwrap_or_else(|| quote_spanned!(Span::mixed_site()=> 1));
    check(None, place, "check_budget", quote_spanned!(Span::mixed_site()=> &__MAP, #word, #batch, #most))
}
