//! Calls as they should be typed. In: a signature and a call that does not fit it; out: the help of a
//! message.

use super::names::ALIASES;
use super::text::{equal, find, holds};
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
            Some(value) => text.str(value),
            None if unnamed < call.positional.len() => {
                unnamed += 1;
                text.str(call.positional[unnamed - 1])
            }
            None => text.str(signature.given[i]),
        };
        i += 1;
    }
    rest(text, signature, call, false).str(")`")
}

pub(super) const fn given_by_name(name: &str, call: &Call) -> Option<&'static str> {
    let mut i = 0;
    while i < call.named.len() {
        let (typed, value) = call.named[i];
        let ours = match find(&ALIASES, typed) {
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
        let (name, value) = call.named[i];
        if holds(signature.options, name) {
            text = text.str(if first { "" } else { ", " }).str(name).str(" = ").str(value);
            first = false;
        }
        i += 1;
    }
    text
}
