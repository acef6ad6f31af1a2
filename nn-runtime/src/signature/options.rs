//! Options that a layer has not, or whose value cannot be theirs. In: a signature and a call; out: nothing,
//! or what to type instead. Arguments without a name are looked at elsewhere.

use super::names::{ALIASES, ELSEWHERE};
use super::text::{brackets, find, holds, is_axis, is_list, is_near, is_numbers, joined, list, word_in};
use super::typed::{corrected, kind, placed, value};
use super::{Call, Signature};
use crate::fault::Fault;

/// The first fault of the named arguments.
pub(super) const fn options(signature: &Signature, call: &Call) -> Option<Fault> {
    // What has to be given has no name: said first, as the call is then shown as it should be.
    let mut i = 0;
    while i < call.named.len() {
        let (name, _) = call.named[i];
        let known = holds(signature.options, name);
        if !known && holds(signature.given, name) {
            let fault = Fault::expected("`").str(name).str("` without its name, found `").str(name).str(" = …`");
            return Some(corrected(fault.help(""), signature, call));
        }
        if let (false, Some(ours)) = (known, find(ALIASES, name))
            && holds(signature.given, ours)
        {
            let fault = Fault::expected("`").str(ours).str("` without a name, found `").str(name).str(" = …`");
            return Some(corrected(fault.help(""), signature, call));
        }
        i += 1;
    }
    i = 0;
    while i < call.named.len() {
        let (name, value) = call.named[i];
        let fault = match holds(signature.options, name) {
            true => value_of(signature, name, value),
            false => unknown(signature, call, name, value),
        };
        if fault.is_some() {
            return fault;
        }
        i += 1;
    }
    None
}

/// An option that the layer has not. Of what is only misspelt rustc says what it is like.
const fn unknown(signature: &Signature, call: &Call, name: &'static str, given: &str) -> Option<Fault> {
    let expected = if signature.options.is_empty() {
        Fault::expected("no option: `").str(signature.layer).str("` has none")
    } else {
        let fault = Fault::expected("one of the options of `").str(signature.layer).str("` (");
        list(fault, signature.options).str(")")
    };
    let found = expected.str(", found `").str(name).str("`");
    if let Some(ours) = find(ALIASES, name)
        && holds(signature.options, ours)
    {
        return Some(value(found.help("`").str(ours).str(" = "), kind(signature, ours), given).str("`"));
    }
    if let Some(elsewhere) = find(ELSEWHERE, name) {
        return Some(found.help(elsewhere));
    }
    if signature.options.is_empty() && is_axis(name) {
        return Some(found.help("remove it: it goes over the last dimension, or over all of them"));
    }
    let mut i = 0;
    while i < signature.options.len() {
        if is_near(name, signature.options[i]) {
            return None;
        }
        i += 1;
    }
    if call.positional.len() < signature.given.len() {
        let ours = signature.given[call.positional.len()];
        let fault = Fault::expected("`").str(ours).str("` without a name, found `").str(name).str(" = …`");
        return Some(placed(fault.help(""), signature, call));
    }
    Some(found.help("remove it"))
}

/// What no option can be: several numbers where one is meant, text, a number below 0.
const fn value_of(signature: &Signature, name: &str, given: &str) -> Option<Fault> {
    let bytes = given.as_bytes();
    if bytes.is_empty() {
        return None;
    }
    let expected = Fault::expected("");
    match bytes[0] {
        b'(' if is_list(name) && is_numbers(bytes) => {
            let expected = expected.str("an array for `").str(name).str("`, found `").str(given).str("`");
            Some(value(expected.help("`").str(name).str(" = "), name, given).str("`"))
        }
        b'(' | b'[' if is_numbers(bytes) && !is_list(name) => {
            let mut wide = [0; 64];
            let wide = joined(name, "_hw", &mut wide);
            let expected = expected.str("one number for `").str(name).str("`, found `").str(given).str("`");
            let help = value(expected.help("`").str(name).str(" = "), kind(signature, name), given).str("`");
            Some(match holds(signature.options, wide) {
                true => brackets(help.str(", or `").str(wide).str(" = "), given).str("`"),
                false => help,
            })
        }
        b'"' if bytes.len() > 3 => {
            let expected = expected.str("a word for `").str(name).str("`, found the text ").str(given);
            let mut room = [0; 64];
            let help = expected.help("without quotes, as `").str(name).str(" = ").str(word_in(given, &mut room));
            Some(help.str("`, or another of its words"))
        }
        b'-' if is_axis(name) && is_numbers(bytes) => {
            let expected = expected.str("an axis from 0 on, found ").str(given);
            Some(expected.help("count dimensions from the front: the first is `").str(name).str(" = 0`"))
        }
        _ => None,
    }
}
