//! What other languages write in formulas. In: a body's tokens; out: one error with what to write instead, or
//! nothing. It reads no formula.

use proc_macro2::{Spacing, TokenStream, TokenTree};

use crate::errors::Errors;
use crate::parse::pretty::pretty;
use crate::parse::tokens::Tokens;

/// Says what is wrong with a body that Rust would read as something else, or not at all; false if nothing is
/// known.
pub fn told(body: &TokenStream, errors: &mut Errors) -> bool {
    let mut tokens = Tokens::new(body.clone());
    let mut before = TokenStream::new();
    while let Some(token) = tokens.peek(0).cloned() {
        let power = tokens.is_sign(0, '*') && tokens.is_pair(0, ['*', '*']);
        if power || tokens.is_sign(0, '^') {
            let sign = tokens.take(1 + usize::from(power));
            let (base, exponent) = (last(&before), tokens.peek(0).map(ToString::to_string).unwrap_or_default());
            let help = match exponent.strip_suffix(".0").unwrap_or(&exponent) {
                whole if whole.parse::<u32>().is_ok() => format!("`powi({base}, {whole})`"),
                same if same == base => format!("`exp({base} * ln({base}))`, for a base above 0"),
                other => format!("`powf({base}, {other})`"),
            };
            errors.add(&sign, "a function for a power", &format!("`{}`", pretty(&sign)), &help);
            return true;
        }
        if tokens.is_sign(0, '?') {
            let sign = tokens.take(1);
            let colon = tokens.until(|tokens, ahead| tokens.is_sign(ahead, ':'));
            let then = pretty(&tokens.take(colon));
            tokens.bump();
            let help = format!("`if {} {{ {then} }} else {{ {} }}`", pretty(&before), pretty(&tokens.rest()));
            errors.add(&sign, "`if … { … } else { … }`", "`?`", &help);
            return true;
        }
        if let (true, Some(TokenTree::Group(group))) = (tokens.is_word(0, "where"), tokens.peek(1)) {
            let mut inner = Tokens::new(group.stream());
            let mut part = || {
                let end = inner.until(|tokens, ahead| tokens.is_sign(ahead, ','));
                let part = pretty(&inner.take(end));
                inner.bump();
                part
            };
            let help = format!("`if {} {{ {} }} else {{ {} }}`", part(), part(), part());
            errors.add(token, "`if … { … } else { … }`", "`where`", &help);
            return true;
        }
        if tokens.is_word(0, "elif") {
            errors.add(token, "`else if`", "`elif`", "`else if`");
            return true;
        }
        if tokens.is_word(0, "if") && ends_value(&before) {
            let word = tokens.take(1);
            let otherwise = tokens.until(|tokens, ahead| tokens.is_word(ahead, "else"));
            let condition = pretty(&tokens.take(otherwise));
            tokens.bump();
            let help = format!("`if {condition} {{ {} }} else {{ {} }}`", pretty(&before), pretty(&tokens.rest()));
            errors.add(word, "`if` before the values", "it behind one", &help);
            return true;
        }
        if let Some(word) = tokens.ident(0).filter(|word| *word == "and" || *word == "or" || *word == "not") {
            let sign = match &*word.to_string() {
                "and" => "`&&`",
                "or" => "`||`",
                _ => "`!`",
            };
            if *word == "not" || ends_value(&before) {
                errors.add(word, sign, &format!("`{word}`"), sign);
                return true;
            }
        }
        if let TokenTree::Group(group) = &token
            && told(&group.stream(), errors)
        {
            return true;
        }
        before.extend(tokens.bump());
    }
    false
}

/// What to do about a body that Rust cannot read for this reason.
pub fn help(body: &TokenStream, error: &str) -> &'static str {
    let bars = body.clone().into_iter().filter(
        |token| matches!(token, TokenTree::Punct(sign) if sign.as_char() == '|' && sign.spacing() == Spacing::Alone),
    );
    if error.contains("chained") {
        "compare twice: `0.0 < x && x < 1.0`"
    } else if bars.count() == 2 {
        "`abs(x)`"
    } else {
        "write it as Rust would: `x * sigmoid(beta * x)`"
    }
}

/// The operand before a sign: the last name, number or group, with the name of the function before it.
fn last(before: &TokenStream) -> String {
    let tokens: Vec<TokenTree> = before.clone().into_iter().collect();
    let called = matches!(&tokens[..], [.., TokenTree::Ident(_), TokenTree::Group(_)]);
    let count = if called { 2 } else { 1 };
    let from = tokens.len().saturating_sub(count);
    let operand = match &tokens[from..] {
        [TokenTree::Group(group)] => pretty(&group.stream()),
        other => pretty(&other.iter().cloned().collect()),
    };
    if operand.is_empty() { "x".to_owned() } else { operand }
}

/// True if a value ends there, so that another cannot follow.
fn ends_value(before: &TokenStream) -> bool {
    match before.clone().into_iter().last() {
        Some(TokenTree::Ident(word)) => word != "else" && word != "return",
        Some(TokenTree::Literal(_)) => true,
        Some(TokenTree::Group(group)) => group.delimiter() == proc_macro2::Delimiter::Parenthesis,
        _ => false,
    }
}
