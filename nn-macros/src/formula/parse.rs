//! Tokens become formulas as they were written. In: what stands in the braces; out: for each formula its
//! name, arguments, settings and body, as far as they can be read. It goes on behind each mistake, and looks
//! no name up.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::Parser;
use syn::{Attribute, Expr, LitStr, Visibility, parse_quote};

use super::{Kind, foreign};
use crate::case::{camel, is_keyword, is_snake, is_value};
use crate::errors::{Errors, nearest};
use crate::parse::pretty::pretty;
use crate::parse::tokens::Tokens;

/// `attrs vis name(x; settings) where limits = body`
pub struct Formula {
    pub attrs: Vec<Attribute>,
    pub vis: Visibility,
    /// As it was written.
    pub written: String,
    /// The type, which lies where the name lies.
    pub name: Ident,
    pub arguments: Vec<Ident>,
    pub settings: Vec<Setting>,
    pub limits: Vec<Limit>,
    /// `None` where it could not be read, or where its names are not known.
    pub body: Option<Expr>,
}

/// `learn name = default`
pub struct Setting {
    pub attrs: Vec<Attribute>,
    pub learn: bool,
    pub name: Ident,
    pub default: Expr,
}

/// `setting > 0.0: "help"`
pub struct Limit {
    pub setting: usize,
    /// `<`, `<=`, `>` or `>=`
    pub sign: TokenStream,
    pub bound: TokenStream,
    pub help: Option<LitStr>,
}

/// All formulas, in order.
pub fn formulas(input: TokenStream, kind: Kind, errors: &mut Errors) -> Vec<Formula> {
    let mut tokens = Tokens::new(input);
    let mut all = Vec::new();
    if tokens.at_end() {
        errors.add(tokens.here(), "a formula", "none", kind.example());
    }
    while !tokens.at_end() {
        all.extend(formula(&mut tokens, kind, errors));
        // Behind a fault the next formula begins after the next `;`.
        let rest = tokens.until(|tokens, ahead| tokens.is_sign(ahead, ';'));
        tokens.take(rest + 1);
    }
    all
}

fn formula(tokens: &mut Tokens, kind: Kind, errors: &mut Errors) -> Option<Formula> {
    let attrs = attributes(tokens, errors);
    let vis = tokens.parse::<Visibility>().unwrap_or(Visibility::Inherited);
    if tokens.is_word(0, "fn") || tokens.is_word(0, "def") {
        function(tokens, kind, errors);
        return None;
    }
    let named = tokens.ident(0).filter(|name| !is_keyword(name)).cloned();
    let (Some(name), Some(group)) = (named, tokens.group(1, Delimiter::Parenthesis).cloned()) else {
        let ahead = usize::from(tokens.ident(0).is_some_and(|name| !is_keyword(name)));
        tokens.take(ahead);
        let expected = if ahead == 0 { "the name of a formula" } else { "its arguments in parentheses" };
        errors.add(tokens.here(), expected, &tokens.found(), kind.example());
        return None;
    };
    tokens.take(2);
    let written = name.unraw().to_string();
    let upper = if is_snake(&written) { camel(&written) } else { written.clone() };
    let name = Ident::new(&upper, name.span());
    let before = errors.count();
    let (arguments, settings, read) = signature(&group, kind, errors);
    let counted = arguments.len() == kind.arguments();
    if tokens.is_arrow(0) {
        let end = tokens.until(|tokens, ahead| tokens.is_sign(ahead, '=') || tokens.is_sign(ahead, ';'));
        let written = tokens.take(end);
        // Where an argument has a type, that has been told.
        if errors.is_empty() {
            errors.add(&written, "`=`", &format!("`{}`", pretty(&written)), "remove it: every number is an `f32`");
        }
    }
    let told = if read { errors.count() } else { before };
    let mut unsaid = Errors::default();
    let limits = limits(tokens, &settings, if counted && read { &mut *errors } else { &mut unsaid });
    // Where its names are not what they were meant to be, nothing is said of the body.
    let named = counted && errors.count() == told && !arguments.iter().any(is_keyword);
    let body = body(tokens, kind, if named { errors } else { &mut unsaid }).filter(|_| named);
    Some(Formula { attrs, vis, written, name, arguments, settings, limits, body })
}

/// `fn name(x: f32) -> f32 { … }`, as Rust writes functions.
fn function(tokens: &mut Tokens, kind: Kind, errors: &mut Errors) {
    let here = tokens.here();
    tokens.bump();
    let end = tokens.until(|tokens, ahead| tokens.group(ahead, Delimiter::Brace).is_some());
    let (name, group) = (tokens.ident(0).cloned(), tokens.group(1, Delimiter::Parenthesis).cloned());
    let help = match (name, group, tokens.group(end, Delimiter::Brace)) {
        (Some(name), Some(group), Some(body)) => {
            let arguments = Tokens::new(group.stream());
            let names = (0..).map_while(|ahead| arguments.peek(ahead).map(|_| ahead));
            let names = names.filter(|ahead| *ahead == 0 || arguments.is_sign(*ahead - 1, ','));
            let names: Vec<String> = names.filter_map(|ahead| arguments.ident(ahead)).map(Ident::to_string).collect();
            format!("`{name}({}) = {}`", names.join(", "), pretty(&body.stream()))
        }
        _ => kind.example().to_owned(),
    };
    let found = if here.to_string() == "def" { "`def`" } else { "`fn`" };
    errors.add(here, "the name of a formula", found, &help);
}

fn attributes(tokens: &mut Tokens, errors: &mut Errors) -> Vec<Attribute> {
    let mut attrs = Vec::new();
    while tokens.is_sign(0, '#') && tokens.group(1, Delimiter::Bracket).is_some() {
        let written = tokens.take(2);
        match Attribute::parse_outer.parse2(written.clone()) {
            Ok(parsed) => attrs.extend(parsed),
            Err(_) => errors.add(&written, "an attribute", &format!("`{written}`"), "`/// …`"),
        }
    }
    attrs
}

/// `(x; beta = 1.0, learn alpha = 0.25)`, and whether every name in it could be read.
fn signature(group: &Group, kind: Kind, errors: &mut Errors) -> (Vec<Ident>, Vec<Setting>, bool) {
    let mut tokens = Tokens::new(group.stream());
    let (mut arguments, mut settings) = (Vec::new(), Vec::new());
    let ahead = tokens.until(|tokens, ahead| tokens.is_sign(ahead, ';'));
    let mut first = Tokens::new(tokens.take(ahead));
    while !first.at_end() {
        let ahead = first.until(|tokens, ahead| tokens.is_sign(ahead, ','));
        let one = Tokens::new(first.take(ahead));
        first.take(1);
        match (one.ident(0).cloned(), one.peek(1)) {
            (Some(name), None) if is_value(&name) => arguments.push(name),
            (Some(name), Some(TokenTree::Punct(sign))) if sign.as_char() == '=' && !arguments.is_empty() => {
                let help = format!("settings stand after a `;`: `({}; {name} = …)`", arguments[0]);
                errors.add(&name, "the name of an argument", &format!("a setting, `{name}`"), &help);
                settings.push(Setting { attrs: Vec::new(), learn: false, name, default: parse_quote!(0.0) });
            }
            (name, behind) => {
                let typed = matches!(behind, Some(TokenTree::Punct(sign)) if sign.as_char() == ':');
                let name = name.filter(|_| one.is_colon(1) || behind.is_none());
                let help = match &name {
                    Some(name) if typed && is_value(name) => format!("`{name}`: every number is an `f32`"),
                    Some(name) if is_keyword(name) => format!("`{name}_`, or another name"),
                    _ => kind.example().to_owned(),
                };
                let found = if typed { "a type".to_owned() } else { one.found() };
                errors.add(one.left(), "the name of an argument", &found, &help);
                // It is known all the same.
                arguments.extend(name);
            }
        }
    }
    if arguments.len() != kind.arguments() && errors.is_empty() {
        let found = format!("`{}`", pretty(&group.to_token_stream()));
        errors.add(group, kind.signature(), &found, kind.example());
    }
    tokens.take(1);
    let mut unsaid = Errors::default();
    let errors = if arguments.len() == kind.arguments() { errors } else { &mut unsaid };
    let mut read = true;
    while !tokens.at_end() {
        let ahead = tokens.until(|tokens, ahead| tokens.is_sign(ahead, ','));
        let mut one = Tokens::new(tokens.take(ahead));
        tokens.take(1);
        let setting = setting(&mut one, kind, errors);
        read &= setting.is_some();
        settings.extend(setting);
    }
    (arguments, settings, read)
}

/// `learn alpha = 0.25`
fn setting(tokens: &mut Tokens, kind: Kind, errors: &mut Errors) -> Option<Setting> {
    let attrs = attributes(tokens, errors);
    let learn = learns(tokens, errors);
    if learn {
        let keyword = tokens.bump();
        if kind == Kind::Loss {
            errors.add(keyword, "a constant", "a learnt parameter", "remove `learn`: a loss has nothing that learns");
        }
    }
    let Some(name) = tokens.ident(0).filter(|name| is_value(name)).cloned() else {
        errors.add(tokens.here(), "the name of a setting", &tokens.found(), "`beta = 1.0`, or `learn beta = 1.0`");
        return None;
    };
    tokens.bump();
    if !tokens.is_sign(0, '=') {
        let here = if tokens.at_end() { name.to_token_stream() } else { tokens.here() };
        let help = format!("say what it is unless the user says otherwise: `{name} = 1.0`");
        errors.add(here, &format!("a value for `{name}`"), &tokens.found().replace("the end", "none"), &help);
        // The name is known all the same.
        return Some(Setting { attrs, learn, name, default: parse_quote!(0.0) });
    }
    tokens.bump();
    let default = tokens.rest();
    match syn::parse2::<Expr>(default.clone()) {
        Ok(default) => {
            if let Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &default {
                let found = format!("the text {}", text.to_token_stream());
                errors.add(&default, &format!("a number for `{name}`"), &found, &format!("`{name} = 1.0`"));
                return Some(Setting { attrs, learn, name, default: parse_quote!(0.0) });
            }
            if let Some(whole) = whole_number(&default) {
                let help = format!("`{name} = {whole}.0`");
                errors.add(
                    &default,
                    "a number with a point",
                    &format!("`{}`", pretty(&default.to_token_stream())),
                    &help,
                );
            }
            Some(Setting { attrs, learn, name, default })
        }
        Err(_) => {
            let found = if default.is_empty() { "none".to_owned() } else { format!("`{}`", pretty(&default)) };
            let place = if default.is_empty() { name.to_token_stream() } else { default };
            errors.add(place, &format!("a value for `{name}`"), &found, &format!("`{name} = 1.0`"));
            Some(Setting { attrs, learn, name, default: parse_quote!(0.0) })
        }
    }
}

/// Whether `learn` stands before a name; where it is misspelt or stands twice, that is told.
fn learns(tokens: &mut Tokens, errors: &mut Errors) -> bool {
    let Some(word) = tokens.ident(0).cloned() else { return false };
    let twice = word == "learn" && tokens.is_word(1, "learn") && tokens.ident(2).is_some();
    if twice {
        tokens.bump();
        errors.add(tokens.here(), "the name of a setting", "`learn` a second time", "remove it");
    }
    let named = tokens.ident(1).cloned();
    let misspelt = word != "learn" && tokens.is_sign(2, '=') && nearest(&word.to_string(), ["learn"]).is_some();
    if let (true, Some(name)) = (misspelt, &named) {
        errors.add(&word, "`learn`", &format!("`{word}`"), &format!("`learn {name} = …`"));
    }
    named.is_some() && (word == "learn" || misspelt)
}

/// The digits of an integer literal, with its sign.
pub fn whole_number(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(number), .. }) if number.suffix().is_empty() => {
            Some(number.base10_digits().to_owned())
        }
        Expr::Unary(syn::ExprUnary { op: syn::UnOp::Neg(_), expr, .. }) => Some(format!("-{}", whole_number(expr)?)),
        _ => None,
    }
}

/// `where alpha > 0.0: "help", beta < 1.0`
fn limits(tokens: &mut Tokens, settings: &[Setting], errors: &mut Errors) -> Vec<Limit> {
    let mut limits = Vec::new();
    if !tokens.is_word(0, "where") {
        return limits;
    }
    tokens.bump();
    let ends = |tokens: &Tokens, ahead: usize| {
        let compares = ahead > 0 && ['<', '>'].into_iter().any(|sign| tokens.is_pair(ahead - 1, [sign, '=']));
        tokens.is_sign(ahead, ';') || tokens.is_sign(ahead, '=') && !compares
    };
    let ahead = tokens.until(ends);
    let mut all = Tokens::new(tokens.take(ahead));
    while !all.at_end() {
        let ahead = all.until(|tokens, ahead| tokens.is_sign(ahead, ','));
        let mut one = Tokens::new(all.take(ahead));
        all.take(1);
        let written = one.rest();
        one.back(written.clone().into_iter().count());
        let Some(limit) = limit(&mut one, settings) else {
            let name = settings.first().map_or_else(|| "beta".to_owned(), |setting| setting.name.to_string());
            let help = two_limits(&written)
                .unwrap_or_else(|| format!("`where {name} > 0.0`, or `where {name} > 0.0: \"help\"`"));
            let found = format!("`{}`", pretty(&written));
            errors.add(&written, "a setting compared with a number", &found, &help);
            continue;
        };
        limits.push(limit);
    }
    limits
}

/// `0.0 < b < 2.0` and `b > 0.0 && b < 2.0` as two limits.
fn two_limits(written: &TokenStream) -> Option<String> {
    let text = pretty(written);
    let parts: Vec<&str> = text.split(' ').collect();
    let turned = |sign: &str| sign.replace('<', "\0").replace('>', "<").replace('\0', ">");
    match parts[..] {
        [low, less, name, under, high] if less.starts_with(['<', '>']) && under.starts_with(['<', '>']) => {
            Some(format!("two limits: `where {name} {} {low}, {name} {under} {high}`", turned(less)))
        }
        _ => text.contains(" && ").then(|| format!("two limits: `where {}`", text.replace(" && ", ", "))),
    }
}

fn limit(tokens: &mut Tokens, settings: &[Setting]) -> Option<Limit> {
    let name = tokens.ident(0)?.clone();
    let setting = settings.iter().position(|setting| setting.name == name)?;
    tokens.bump();
    let less = tokens.is_sign(0, '<') || tokens.is_sign(0, '>');
    let pair = ['<', '>'].into_iter().any(|sign| tokens.is_pair(0, [sign, '=']));
    let count = if pair { 2 } else { 1 };
    let sign = if less { tokens.take(count) } else { return None };
    let count = tokens.until(|tokens, ahead| tokens.is_sign(ahead, ':'));
    let bound = tokens.take(count);
    syn::parse2::<Expr>(bound.clone()).ok().filter(|bound| whole_number(bound).is_none())?;
    let help = match tokens.bump() {
        Some(_) => Some(tokens.parse::<LitStr>().filter(|_| tokens.at_end())?),
        None => None,
    };
    Some(Limit { setting, sign, bound, help })
}

/// `= expression`, up to the next `;`
fn body(tokens: &mut Tokens, kind: Kind, errors: &mut Errors) -> Option<Expr> {
    if !tokens.is_sign(0, '=') || tokens.is_pair(0, ['=', '=']) || tokens.is_pair(0, ['=', '>']) {
        errors.add(tokens.here(), "`=` and the formula", &tokens.found(), kind.example());
        return None;
    }
    let sign = tokens.bump();
    if tokens.is_word(0, "let") {
        let (here, all) = (tokens.here(), pretty(&tokens.rest()));
        errors.add(here, "a block around `let`", "none", &format!("`{{ {all} }}`"));
        return None;
    }
    let ahead = tokens.until(|tokens, ahead| tokens.is_sign(ahead, ';'));
    let written = tokens.take(ahead);
    if written.is_empty() {
        errors.add(sign, "a formula after `=`", "none", kind.example());
        return None;
    }
    if foreign::told(&written, errors) {
        return None;
    }
    let mut body = Tokens::new(written.clone());
    let Some(read) = body.parse::<Expr>() else {
        let Err(error) = syn::parse2::<Expr>(written.clone()) else { return None };
        let text = error.to_string();
        // Of what ends too early within a group, that is where the group is closed.
        let span = error.span();
        let whole = format!("{span:?}") == format!("{:?}", Span::call_site());
        let place = match text.contains("unexpected end") && whole {
            true => written.clone().into_iter().last().into_iter().collect(),
            false => TokenStream::from(TokenTree::Ident(Ident::new("_", span))),
        };
        let found = format!("what Rust does not read: {text}");
        errors.add(place, "an expression", &found, foreign::help(&written, &text));
        return None;
    };
    if !body.at_end() {
        let help = "separate several formulas by `;`";
        errors.add(body.here(), "an operator, or the end of the formula", &body.found(), help);
        return None;
    }
    Some(read)
}
