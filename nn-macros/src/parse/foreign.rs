//! What people write who come from other languages and libraries. In: tokens that are no declaration of ours;
//! out: one error each, with what to write instead, and the reading that was most likely meant. It knows no
//! layer.

use proc_macro2::{Delimiter, Group, Ident, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

use super::Values;
use super::pretty::pretty;
use super::tokens::Tokens;
use super::wrapped::{idents, is_layer};
use crate::ast::{Chain, Source, Step, What};
use crate::case::{camel, is_keyword, is_value, snake};
use crate::errors::{Errors, nearest};

/// `name = …`, `name := …`, `a, b = …` and `(a, b) = …` without `let`: the names.
pub fn assigned(tokens: &mut Tokens, errors: &mut Errors) -> Vec<Ident> {
    let count = tokens.until(|tokens, ahead| {
        let name = tokens.ident(ahead).is_some_and(is_value) || matches!(tokens.peek(ahead), Some(TokenTree::Group(_)));
        !(name || ahead > 0 && tokens.is_sign(ahead, ','))
    });
    let signs = count + usize::from(tokens.is_colon(count));
    let equals = tokens.is_sign(signs, '=') && !tokens.is_sign(signs + 1, '=') && !tokens.is_sign(signs + 1, '>');
    if count == 0 || !equals {
        return Vec::new();
    }
    let names = idents(tokens.take(count));
    let Some(first) = names.first() else {
        tokens.back(count);
        return names;
    };
    let help = format!("`let {} = …;`", list(&names));
    tokens.back(count);
    let alone = names.len() == 1 && tokens.ident(0) == Some(first);
    let written = tokens.take(signs + 1);
    let place = if alone { written.clone() } else { written.clone().into_iter().take(count).collect() };
    errors.add(place, "`let`", &format!("`{}`", pretty(&written)), &help);
    names
}

/// `(a, )` where a `let` binds values: true if there are more names, or no comma.
pub fn only_name(group: &Group, errors: &mut Errors) -> bool {
    let tokens = Tokens::new(group.stream());
    let (Some(name), true, None) = (tokens.ident(0), tokens.is_sign(1, ','), tokens.peek(2)) else { return true };
    let found = format!("`{}`", pretty(&group.to_token_stream()));
    let help = format!("`({name}, other)`, or `({name}, _)` to drop what is not read");
    errors.add(group, "a name for each of several values", &found, &help);
    false
}

/// `a`, or `(a, b)`
pub fn list(names: &[Ident]) -> String {
    let all = names.iter().map(Ident::to_string).collect::<Vec<_>>().join(", ");
    if names.len() == 1 { all } else { format!("({all})") }
}

/// `x += y`: a value does not change.
pub fn changed(tokens: &mut Tokens, values: &Values, errors: &mut Errors) -> bool {
    let Some(name) = tokens.ident(0).filter(|name| values.knows(name)).cloned() else { return false };
    let Some(TokenTree::Punct(sign)) = tokens.peek(1).cloned() else { return false };
    let layer = match sign.as_char() {
        '+' => "Sum",
        '*' => "Product",
        _ => return false,
    };
    if !tokens.is_pair(1, [sign.as_char(), '=']) {
        return false;
    }
    let written = tokens.take(3);
    let end = tokens.until(|tokens, ahead| tokens.is_sign(ahead, ';'));
    let other = pretty(&tokens.take(end));
    let help = format!("`let {name}_b = ({name}, {other}) -> {layer};`");
    errors.add(&written, "a value of its own name", &format!("`{}`", pretty(&written)), &help);
    true
}

/// `self.name = Layer` and `self.name: Layer`: a label.
pub fn of_self(tokens: &mut Tokens, errors: &mut Errors) -> bool {
    let Some(name) = tokens.ident(2).filter(|_| tokens.is_word(0, "self") && tokens.is_sign(1, '.')).cloned() else {
        return false;
    };
    if !(tokens.is_sign(3, '=') || tokens.is_colon(3)) {
        return false;
    }
    let written = tokens.take(4);
    errors.add(&written, "a label", &format!("`{}`", pretty(&written)), &format!("`{name}: …`"));
    true
}

/// `lte name =` and `name let =`: what stands for `let` is told, and left as it would be.
pub fn misspelt_let(tokens: &mut Tokens, errors: &mut Errors) -> bool {
    let (Some(first), Some(second)) = (tokens.ident(0).cloned(), tokens.ident(1).cloned()) else { return false };
    if !tokens.is_sign(2, '=') || tokens.is_pair(2, ['=', '>']) || !(is_value(&first) || first == "const") {
        return false;
    }
    if second == "let" {
        let written = tokens.take(2);
        errors.add(written, "`let` before the name", &format!("`{first} let`"), &format!("`let {first} = …;`"));
        tokens.back(2);
        tokens.swap();
        return true;
    }
    let near = nearest(&first.to_string(), ["let", "var", "val", "mut", "const", "auto"]).is_some();
    if near && is_value(&second) {
        errors.add(&first, "`let`", &format!("`{first}`"), &format!("`let {second} = …;`"));
    }
    near && is_value(&second)
}

/// `a + b`, `a * b`, `a, b`, `[a, b]`: several values that no parentheses hold together.
pub fn joined(step: &mut Tokens, chain: &mut Chain, values: &Values, errors: &mut Errors) -> bool {
    let bracket = step.group(0, Delimiter::Bracket).or(step.group(0, Delimiter::Brace)).cloned();
    let inner = match &bracket {
        Some(group) => Tokens::new(group.stream()),
        None => Tokens::new(step.rest()),
    };
    if bracket.is_none() {
        step.back(inner.until(|_, _| false));
    }
    let Some((names, sign)) = names_between_signs(&inner, values) else { return false };
    let written = if bracket.is_some() { step.take(1) } else { step.rest() };
    let list = names.iter().map(Ident::to_string).collect::<Vec<_>>().join(", ");
    let help = match sign {
        '+' => format!("`({list}) -> Sum`"),
        '*' => format!("`({list}) -> Product`"),
        _ => format!("`({list}) -> …`"),
    };
    errors.add(&written, "the names of values in parentheses", &format!("`{}`", pretty(&written)), &help);
    chain.source = Some(Source { names, tokens: written });
    chain.broken = true;
    true
}

/// At least two names of values with one and the same sign between them.
fn names_between_signs(tokens: &Tokens, values: &Values) -> Option<(Vec<Ident>, char)> {
    let mut names = Vec::new();
    let mut sign = None;
    let mut at = 0;
    loop {
        names.push(tokens.ident(at).filter(|name| values.knows(name)).cloned()?);
        match (tokens.peek(at + 1), sign) {
            (None, Some(sign)) => return Some((names, sign)),
            (Some(TokenTree::Punct(punct)), _)
                if punct.spacing() == Spacing::Alone && sign.is_none_or(|sign| sign == punct.as_char()) =>
            {
                sign = Some(punct.as_char());
            }
            _ => return None,
        }
        at += 2;
    }
}

/// `(Dense(8) -> Relu) * 3`
pub fn chain_in_parentheses(group: &Group, behind: &mut Tokens, errors: &mut Errors) -> bool {
    let inner = Tokens::new(group.stream());
    let arrow = inner.peek(inner.until(Tokens::is_arrow)).is_some();
    let layer = inner.ident(0).is_some_and(|word| !is_value(word) && !is_keyword(word));
    let call = inner.group(1, Delimiter::Parenthesis).is_some() && inner.peek(2).is_none();
    if !(arrow || layer && (behind.is_sign(0, '*') || call && behind.at_end())) {
        return false;
    }
    let help = if behind.is_sign(0, '*') {
        "declare it as a network of its own, and write that `* n`: `Block * 3`"
    } else {
        "remove the parentheses"
    };
    behind.rest();
    errors.add(group, "the names of values", "layers in parentheses", help);
    true
}

/// Words that begin a statement elsewhere: what to do about them here.
pub fn keyword_help(word: &str) -> Option<&'static str> {
    Some(match word {
        "for" | "while" | "loop" => {
            "a layer in a row is `Block * 3`; for more write a `macro_rules!` around `network!`"
        }
        "if" | "match" => "write a network for each case, or a `macro_rules!` around `network!`",
        "const" | "static" | "fn" | "use" | "type" | "struct" | "mod" => "declare it outside, before `network!`",
        "let" => "a value is named where its statement begins: `let name = …;`",
        "return" => "the last statement is the output: remove `return`, and a name behind it",
        "Self" | "self" => "a layer is a type that is known outside: write its name",
        _ => return None,
    })
}

/// `hidden-1:` and `fc.0:` as labels.
pub fn odd_label(tokens: &mut Tokens, errors: &mut Errors) -> Option<Ident> {
    let first = tokens.ident(0)?.clone();
    let end = tokens.until(|tokens, ahead| {
        let part = match tokens.peek(ahead) {
            Some(TokenTree::Punct(punct)) => matches!(punct.as_char(), '-' | '.' | '/'),
            Some(TokenTree::Ident(_) | TokenTree::Literal(_)) => true,
            _ => false,
        };
        !part
    });
    if !tokens.is_colon(end) || !(2..8).contains(&end) || !matches!(tokens.peek(1), Some(TokenTree::Punct(_))) {
        return None;
    }
    let written = tokens.take(end);
    tokens.bump();
    let text = written.clone().into_iter().map(|token| token.to_string()).collect::<String>();
    let name: String = text.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    errors.add(&written, "a label of letters, digits and `_`", &format!("`{text}`"), &format!("`{}: …`", snake(&name)));
    Some(Ident::new(&snake(&name), first.span()))
}

/// `freeze Layer`, `frozen(Layer)`, `shared(label)`: a word of ours in another form. What to write instead.
pub fn word_help(word: &str, behind: &Tokens) -> Option<String> {
    let group = behind.group(0, Delimiter::Parenthesis).map(|group| pretty(&group.stream()));
    let frozen = word.starts_with("fr") && word.contains("ze") || word.contains("trainable") || word == "no_grad";
    if frozen {
        return Some(match (group, behind.peek(0)) {
            (Some(inner), _) => format!("`frozen {inner}`"),
            (None, Some(_)) => {
                let mut behind = Tokens::new(behind.left());
                format!("`frozen {}`", pretty(&behind.rest()))
            }
            (None, None) => "`frozen Layer`".to_owned(),
        });
    }
    let inner = group.filter(|inner| inner.chars().all(|c| c.is_lowercase() || c.is_ascii_digit() || c == '_'))?;
    (nearest(word, ["share", "shared", "reuse", "tied"]).is_some() && !inner.is_empty())
        .then(|| format!("`share({inner})`"))
}

/// What stands between a step and the next arrow. True if the chain goes on there as behind an arrow; what is
/// no known mistake is left in place.
pub fn behind_step(
    step: &mut Tokens,
    chain: &mut Chain,
    values: &Values,
    before_arrow: Option<TokenStream>,
    errors: &mut Errors,
) -> bool {
    if repeated(step, errors) || frozen_behind(step, chain, errors) {
        return behind_step(step, chain, values, before_arrow, errors);
    }
    if step.lacks_a_sign() {
        // The compiler has told each; what to write for them is said once.
        if chain.separator.is_none() {
            errors.add(step.here(), "`->` before it", "none", "`->`, of two signs");
        }
        chain.separator = Some("none".to_owned());
        return true;
    }
    if let Some(group) = step.group(0, Delimiter::Parenthesis).cloned() {
        called(&group, step, chain, values, errors);
        return false;
    }
    if named_behind(step, chain, errors) {
        return false;
    }
    if let Some(group) = step.group(0, Delimiter::Bracket).filter(|_| step.peek(1).is_none()).cloned() {
        let inner = pretty(&group.stream());
        let help = format!("`-> [{inner}]` checks a shape, `* {inner}` repeats");
        errors.add(step.take(1), "`->` or `;`", "`[…]`", &help);
        chain.broken = true;
        return false;
    }
    let signs = step.until(|tokens, ahead| !is_separator(tokens.peek(ahead)));
    if signs == 0 {
        return false;
    }
    if signs == 1 && step.is_sign(0, ',') && step.ident(1).is_some_and(|name| values.knows(name)) {
        // The next statement begins there.
        errors.add(step.take(1), "`;`", "`,`", "end the statement before it with `;`");
        return false;
    }
    if let (1, true, Some(name)) = (signs, step.is_sign(0, '.'), step.ident(1).filter(|name| is_value(name)).cloned()) {
        let written = step.take(if step.group(2, Delimiter::Parenthesis).is_some() { 3 } else { 2 });
        let args = step_arguments(&written);
        let freezes = word_help(&name.to_string(), &Tokens::new(TokenStream::new())).is_some();
        let help = match args.strip_prefix('(').and_then(|args| args.strip_suffix(')')) {
            _ if freezes => format!("`frozen {}`", last_layer(chain)),
            // `.add(Layer)`
            Some(layer) if is_layer(layer) => format!("`-> {layer}`"),
            _ => format!("`-> {}{args}`", camel(&name.to_string())),
        };
        errors.add(&written, "`->`", &format!("`{}`", pretty(&written)), &help);
        chain.broken = true;
        return !step.at_end() && behind_step(step, chain, values, before_arrow, errors);
    }
    let mut written = step.take(signs);
    let dashes =
        written.clone().into_iter().all(|sign| matches!(&sign, TokenTree::Punct(sign) if sign.as_char() == '-'));
    let (expected, help) = match before_arrow {
        Some(arrow) if step.at_end() && dashes => {
            written.extend(arrow);
            ("`->`", "`->`")
        }
        Some(_) if step.at_end() => ("`->`", "remove it"),
        None if step.at_end() => ("`->` or `;`", "remove it"),
        _ => ("`->`", "`->`"),
    };
    let found = format!("`{}`", pretty(&written));
    if chain.separator.as_ref() != Some(&found) {
        errors.add(written, expected, &found, help);
    }
    chain.separator = Some(found);
    true
}

/// `Dense(8) as h` and `Dense(8): h`
fn named_behind(step: &mut Tokens, chain: &mut Chain, errors: &mut Errors) -> bool {
    let name = step.ident(1).filter(|name| step.peek(2).is_none() && is_value(name)).cloned();
    let help = match name {
        Some(name) if step.is_word(0, "as") => format!("`let {name} = …;`, with what makes it"),
        Some(name) if step.is_colon(0) => format!("`{name}: {}`", last_layer(chain)),
        _ => return false,
    };
    let written = step.take(2);
    errors.add(&written, "a name before its layer", &format!("`{}`", pretty(&written)), &help);
    chain.broken = true;
    true
}

/// The arguments of `.name(…)` as a layer would have them.
fn step_arguments(written: &TokenStream) -> String {
    match written.clone().into_iter().nth(2) {
        Some(TokenTree::Group(group)) if !group.stream().is_empty() => pretty(&group.to_token_stream()),
        _ => String::new(),
    }
}

/// A sign that may have been meant as an arrow.
fn is_separator(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if !matches!(punct.as_char(), ';' | '#' | '\'' | '$' | '@'))
}

/// `Block x3`, `Block x 3`, `Block ^ 3`
fn repeated(step: &mut Tokens, errors: &mut Errors) -> bool {
    let times = step.ident(0).map(Ident::to_string).filter(|word| word.starts_with(['x', 'X']));
    let number = |token: Option<&TokenTree>| match token {
        Some(TokenTree::Literal(number)) => Some(number.to_string()),
        _ => None,
    };
    let (n, count) = match times {
        Some(times) if times.len() > 1 && times[1..].chars().all(|c| c.is_ascii_digit()) => (times[1..].to_owned(), 1),
        Some(times) if times.len() == 1 => match number(step.peek(1)) {
            Some(n) => (n, 2),
            None => return false,
        },
        _ if step.is_sign(0, '^') => match number(step.peek(1)) {
            Some(n) => (n, 2),
            None => return false,
        },
        _ => return false,
    };
    let written = step.take(count);
    let found = format!("`{}`", pretty(&written));
    errors.add(written, &format!("`* {n}`"), &found, &format!("`* {n}`"));
    true
}

/// `Dense(8) frozen`
fn frozen_behind(step: &mut Tokens, chain: &Chain, errors: &mut Errors) -> bool {
    let is = step.is_word(0, "frozen") && step.peek(1).is_none();
    if is {
        let help = format!("`frozen {}`", last_layer(chain));
        errors.add(step.take(1), "`frozen` before its layer", "it behind", &help);
    }
    is
}

/// The layer that a chain has come to, as it was typed.
fn last_layer(chain: &Chain) -> String {
    match chain.steps.last() {
        Some(Step::Use(of)) => match &of.what {
            What::Layer(layer) => pretty(&layer.tokens()),
            What::Share { tokens, .. } => pretty(tokens),
        },
        _ => "Layer".to_owned(),
    }
}

/// `Dense(64)(input)`: a layer that is called with its input.
fn called(group: &Group, step: &mut Tokens, chain: &mut Chain, values: &Values, errors: &mut Errors) {
    step.bump();
    let found = idents(group.stream()).into_iter().filter(|name| values.knows(name)).collect::<Vec<_>>();
    let names = found.iter().map(Ident::to_string);
    let layer = last_layer(chain);
    let first = chain.steps.len() == 1;
    let source = chain.source.iter().filter(|_| first).flat_map(|source| &source.names).map(Ident::to_string);
    let all: Vec<String> = source.chain(names).collect();
    if first && chain.source.is_none() && !found.is_empty() {
        chain.source = Some(Source { names: found, tokens: group.to_token_stream() });
    }
    let help = match &all[..] {
        [] => "write `->` to go on, or `;` to end the statement".to_owned(),
        [only] => format!("`{only} -> {layer}`"),
        _ => format!("`({}) -> {layer}`", all.join(", ")),
    };
    chain.broken = true;
    errors.add(group, "`->` or `;`", &format!("`{}`", pretty(&group.to_token_stream())), &help);
}
