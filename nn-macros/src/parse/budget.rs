//! `#[budget(params <= 50_000, macs <= 2_000_000)]`. In: what stands in the parentheses; out: its limits, as
//! far as they can be read. It knows the words, and evaluates no number.

use proc_macro2::{Delimiter, Ident, TokenStream};
use syn::Attribute;

use super::pretty::pretty;
use super::tokens::Tokens;
use crate::ast::BudgetLimit;
use crate::errors::{Errors, nearest};

/// What may be limited, and whether it depends on the batch.
const COUNTS: [(&str, bool); 5] =
    [("params", false), ("macs", false), ("predict_bytes", true), ("train_bytes", true), ("flash", false)];

/// The limits of a `#[budget(…)]`; `None` for any other attribute.
pub fn budget(attr: &Attribute, errors: &mut Errors) -> Option<Vec<BudgetLimit>> {
    if !attr.path().is_ident("budget") {
        return None;
    }
    let stream = match &attr.meta {
        syn::Meta::List(list) if !list.tokens.is_empty() => list.tokens.clone(),
        _ => {
            errors.add(attr, "limits in parentheses", "none", "`#[budget(params <= 50_000)]`");
            return Some(Vec::new());
        }
    };
    let mut tokens = Tokens::new(stream);
    let mut limits = Vec::new();
    let (before, mut unsaid) = (errors.count(), Errors::default());
    while !tokens.at_end() {
        // A comma in a wrong place breaks the next limit too.
        let errors = if errors.count() > before { &mut unsaid } else { &mut *errors };
        let end = tokens.until(|tokens, ahead| tokens.is_sign(ahead, ','));
        let mut one = Tokens::new(tokens.take(end));
        tokens.bump();
        if one.at_end() {
            errors.add(attr, "a limit", "`,`", "remove the comma");
            continue;
        }
        limits.extend(limit(&mut one, errors));
    }
    Some(limits)
}

/// `count(batch = …) <= …`
fn limit(tokens: &mut Tokens, errors: &mut Errors) -> Option<BudgetLimit> {
    let count = tokens.ident(0).cloned();
    let known = count.as_ref().and_then(|count| COUNTS.iter().find(|(name, _)| count == name));
    let (Some(count), Some((name, batched))) = (count, known) else {
        let near = nearest(&tokens.here().to_string(), COUNTS.iter().map(|(name, _)| *name));
        let help = format!("`{} <= 50_000`", near.unwrap_or("params"));
        errors.add(
            tokens.here(),
            "`params`, `macs`, `predict_bytes`, `train_bytes` or `flash`",
            &tokens.found(),
            &help,
        );
        return None;
    };
    tokens.bump();
    let batch = match tokens.group(0, Delimiter::Parenthesis).cloned() {
        Some(group) => {
            let example = if *batched { format!("`{name}(batch = 16) <= …`") } else { format!("`{name} <= …`") };
            let mut inner = Tokens::new(group.stream());
            if !*batched || !inner.is_word(0, "batch") || !inner.is_sign(1, '=') {
                let found = format!("`({})`", pretty(&group.stream()));
                errors.add(&group, &format!("`<=` behind `{name}`"), &found, &example);
                return None;
            }
            tokens.bump();
            inner.take(2);
            let batch = inner.rest();
            if syn::parse2::<syn::Expr>(batch.clone()).is_err() {
                errors.add(&group, "a number of samples", &format!("`{}`", pretty(&batch)), &example);
                return None;
            }
            Some(batch)
        }
        None => None,
    };
    most(tokens, &count, batch, errors)
}

/// `<= …`
fn most(tokens: &mut Tokens, count: &Ident, batch: Option<TokenStream>, errors: &mut Errors) -> Option<BudgetLimit> {
    let example = format!("`{count} <= 50_000`");
    if !tokens.is_pair(0, ['<', '=']) {
        errors.add(tokens.here(), "`<=` and the most it may be", &tokens.found(), &example);
        return None;
    }
    tokens.take(2);
    if tokens.at_end() {
        errors.add(count, "a number behind `<=`", "none", &example);
        return None;
    }
    let most = tokens.rest();
    if syn::parse2::<syn::Expr>(most.clone()).is_err() {
        errors.add(&most, "a number behind `<=`", &format!("`{}`", pretty(&most)), &example);
        return None;
    }
    Some(BudgetLimit { count: count.clone(), batch, most })
}
