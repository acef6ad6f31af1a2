//! Tokens as people write them: the one printer for what messages quote. In: tokens; out: a line of text
//! with the usual spaces. It reads no meaning into them but that of `<` after a type's name.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// `Path::<T>(x + 1.0, y)`, whatever the spaces were.
pub fn pretty(tokens: &TokenStream) -> String {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut text = String::new();
    let mut angles = 0;
    for (i, token) in tokens.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| &tokens[i]);
        if before.is_some_and(|before| spaced(&tokens, i, before, token, angles)) {
            text.push(' ');
        }
        match sign(token) {
            Some('<') if opens(&tokens, i) => angles += 1,
            Some('>') if angles > 0 && !is_arrow(&tokens, i) => angles -= 1,
            _ => {}
        }
        match token {
            TokenTree::Group(group) => {
                let inner = pretty(&group.stream());
                match group.delimiter() {
                    Delimiter::Parenthesis => text.push_str(&format!("({inner})")),
                    Delimiter::Bracket => text.push_str(&format!("[{inner}]")),
                    Delimiter::Brace if inner.is_empty() => text.push_str("{}"),
                    Delimiter::Brace => text.push_str(&format!("{{ {inner} }}")),
                    Delimiter::None => text.push_str(&inner),
                }
            }
            other => text.push_str(&other.to_string()),
        }
    }
    text
}

/// Whether a space stands before the token at `i`.
fn spaced(tokens: &[TokenTree], i: usize, before: &TokenTree, token: &TokenTree, angles: usize) -> bool {
    let (left, right) = (sign(before), sign(token));
    let joined = matches!(before, TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint);
    let call = matches!(token, TokenTree::Group(group) if group.delimiter() != Delimiter::Brace);
    let closes = |token: &TokenTree| !matches!(token, TokenTree::Punct(_));
    match (left, right) {
        _ if joined && right.is_some() => false,
        (Some('.' | '\'' | '#'), _) | (_, Some(',' | ';' | '.' | '?')) => false,
        (_, Some(':')) => false,
        (Some(':'), _) if is_path(tokens, i - 1) => false,
        (_, Some('<')) if opens(tokens, i) => false,
        (Some('<'), _) if opens(tokens, i - 1) => false,
        (_, Some('>')) if angles > 0 && !is_arrow(tokens, i) => false,
        (Some('>'), _) if angles == 0 && call && closed_path(tokens, i - 1) => false,
        (_, Some('!')) => {
            !(matches!(before, TokenTree::Ident(_)) && matches!(tokens.get(i + 1), Some(TokenTree::Group(_))))
        }
        // A sign before its operand, unless something that it could join stands before it.
        (Some('-' | '&' | '!' | '*'), None) => i >= 2 && closes(&tokens[i - 2]) && left != Some('!'),
        (None, None) if call => !matches!(before, TokenTree::Ident(_) | TokenTree::Group(_)),
        _ => true,
    }
}

fn sign(token: &TokenTree) -> Option<char> {
    match token {
        TokenTree::Punct(punct) => Some(punct.as_char()),
        _ => None,
    }
}

/// True at the second half of a `::`.
fn is_path(tokens: &[TokenTree], i: usize) -> bool {
    i > 0 && sign(&tokens[i - 1]) == Some(':')
}

/// True at the second half of `->` or `=>`.
fn is_arrow(tokens: &[TokenTree], i: usize) -> bool {
    i > 0 && matches!(sign(&tokens[i - 1]), Some('-' | '='))
}

/// A `<` that opens a list of types or numbers: at the start, behind `::`, or behind a type's name.
fn opens(tokens: &[TokenTree], i: usize) -> bool {
    let is_type = |name: &str| name.starts_with(char::is_uppercase) && name.chars().any(char::is_lowercase);
    match i.checked_sub(1).map(|i| &tokens[i]) {
        None => true,
        Some(TokenTree::Ident(name)) => is_type(&name.to_string()),
        Some(before) => sign(before) == Some(':') && is_path(tokens, i - 1),
    }
}

/// True at the `>` of `Path::<…>`, behind which a call follows.
fn closed_path(tokens: &[TokenTree], i: usize) -> bool {
    sign(&tokens[i]) == Some('>')
        && tokens[..i].iter().enumerate().any(|(j, token)| sign(token) == Some('<') && opens(tokens, j))
}
