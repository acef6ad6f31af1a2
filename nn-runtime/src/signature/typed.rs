//! Calls as they should be typed. In: a signature and a call that does not fit it; out: the help of a
//! message.

use super::names::ALIASES;
use super::text::{brackets, equal, find, first_number, holds, is_list, is_numbers, is_text, joined, word_in};
use super::{Call, Signature};
use crate::fault::Fault;

/// "a, b", and more of them that are still wanted.
pub(super) const fn reads(mut text: Fault, call: &Call, more: usize) -> Fault {
    let mut i = 0;
    while i < call.reads.len() + more {
        text = text.str(if i == 0 { "" } else { ", " });
        text = text.str(if i < call.reads.len() { call.reads[i] } else { "…" });
        i += 1;
    }
    text
}

/// The call with what was given by name, in its place and without the name.
pub(super) const fn corrected(mut text: Fault, signature: &Signature, call: &Call) -> Fault {
    text = text.str("`").str(signature.layer).str("(");
    let (mut i, mut unnamed) = (0, 0);
    while i < signature.given.len() {
        text = text.str(if i == 0 { "" } else { ", " });
        text = match given_by_name(signature.given[i], call) {
            Some(given) => value(text, signature.given[i], given),
            None if unnamed < call.positional.len() => {
                unnamed += 1;
                text.str(call.positional[unnamed - 1])
            }
            None => text.str(signature.given[i]),
        };
        i += 1;
    }
    i = 0;
    while i < signature.given.len() {
        let mut room = [0; 64];
        let wide = joined(signature.given[i], "_hw", &mut room);
        if let (true, Some(given)) = (holds(signature.options, wide), given_by_name(signature.given[i], call))
            && is_uneven(given)
        {
            text = value(text.str(", ").str(wide).str(" = "), wide, given);
        }
        i += 1;
    }
    rest(text, signature, call, false).str(activated(call)).str("`")
}

/// True for `(3, 5)`: a pair of two numbers.
const fn is_uneven(value: &str) -> bool {
    let bytes = value.as_bytes();
    if bytes.len() < 6 || !(bytes[0] == b'(' || bytes[0] == b'[') || !is_numbers(bytes) {
        return false;
    }
    let first = first_number(value).as_bytes();
    let mut i = 0;
    while i < first.len() {
        if bytes[bytes.len() - 1 - first.len() + i] != first[i] {
            return true;
        }
        i += 1;
    }
    bytes[bytes.len() - 2 - first.len()] != b' '
}

/// What closes a call, and what stands behind it.
const fn activated(call: &Call) -> &'static str {
    match given_by_name("activation", call) {
        None => ")",
        Some(word) => match word.as_bytes() {
            b"\"relu\"" => ") -> Relu",
            b"\"tanh\"" => ") -> Tanh",
            b"\"sigmoid\"" => ") -> Sigmoid",
            b"\"softmax\"" => ") -> Softmax",
            b"\"gelu\"" => ") -> Gelu",
            _ => ") -> …",
        },
    }
}

/// The call with what has a name that nothing has here, where arguments are missing.
pub(super) const fn placed(mut text: Fault, signature: &Signature, call: &Call) -> Fault {
    text = text.str("`").str(signature.layer).str("(");
    let (mut i, mut named) = (0, 0);
    while i < signature.given.len() {
        text = text.str(if i == 0 { "" } else { ", " });
        if i < call.positional.len() {
            text = text.str(call.positional[i]);
        } else {
            while named < call.named.len() && is_option(signature, call.named[named].0) {
                named += 1;
            }
            if named < call.named.len() {
                text = value(text, signature.given[i], call.named[named].1);
                named += 1;
            } else {
                text = text.str(signature.given[i]);
            }
        }
        i += 1;
    }
    rest(text, signature, call, false).str(")`")
}

const fn is_option(signature: &Signature, name: &str) -> bool {
    match find(ALIASES, name) {
        Some(ours) => holds(signature.options, ours) || holds(signature.options, name),
        None => holds(signature.options, name),
    }
}

/// A name of another library as it is here.
const fn ours(name: &'static str) -> &'static str {
    match find(ALIASES, name) {
        Some(ours) => ours,
        None => name,
    }
}

/// What values of an option are like: the padding of a layer without windows is a number.
pub(super) const fn kind<'a>(signature: &Signature, name: &'a str) -> &'a str {
    if equal(name, "padding") && !holds(signature.options, "stride") { "" } else { name }
}

/// What was given for `name`, as it is typed here.
pub(super) const fn value(text: Fault, name: &str, given: &str) -> Fault {
    let bytes = given.as_bytes();
    let mut room = [0; 64];
    if is_text(given) {
        text.str(word_in(given, &mut room))
    } else if bytes.is_empty() || !is_numbers(bytes) {
        text.str(given)
    } else if is_list(name) {
        if bytes[0] == b'(' { brackets(text, given) } else { text.str(given) }
    } else {
        let number = if bytes[0] == b'(' || bytes[0] == b'[' { first_number(given) } else { given };
        if equal(name, "padding") { text.str("Pad(").str(number).str(")") } else { text.str(number) }
    }
}

pub(super) const fn given_by_name(name: &str, call: &Call) -> Option<&'static str> {
    let mut i = 0;
    while i < call.named.len() {
        let (typed, value) = call.named[i];
        let ours = match find(ALIASES, typed) {
            Some(ours) => ours,
            None => typed,
        };
        if equal(ours, name) {
            return Some(value);
        }
        i += 1;
    }
    None
}

/// The call with only the arguments that it takes: the last `takes` of them from `from` on, and one more by
/// name.
pub(super) const fn written(
    mut text: Fault,
    signature: &Signature,
    call: &Call,
    from: usize,
    more: Option<&str>,
) -> Fault {
    text = text.str(signature.layer);
    let end = if signature.given.len() + from < call.positional.len() {
        signature.given.len() + from
    } else {
        call.positional.len()
    };
    let from = if from > end { end } else { from };
    let mut i = from;
    let mut open = false;
    if signature.given.is_empty() {
        i = end;
    }
    while i < end {
        text = text.str(if open { ", " } else { "(" }).str(call.positional[i]);
        open = true;
        i += 1;
    }
    if let Some(option) = more {
        text = text
            .str(if open { ", " } else { "(" })
            .str(option)
            .str(" = ")
            .str(call.positional[call.positional.len() - 1]);
        open = true;
    }
    if open || call.named.is_empty() {
        return rest(text, signature, call, false).str(if open { ")" } else { "" });
    }
    rest(text.str("("), signature, call, true).str(")")
}

/// The options that are the layer's.
pub(super) const fn rest(mut text: Fault, signature: &Signature, call: &Call, mut first: bool) -> Fault {
    let mut i = 0;
    while i < call.named.len() {
        let (name, given) = call.named[i];
        if is_option(signature, name) {
            let name = if holds(signature.options, name) { name } else { ours(name) };
            text = value(text.str(if first { "" } else { ", " }).str(name).str(" = "), kind(signature, name), given);
            first = false;
        }
        i += 1;
    }
    text
}
