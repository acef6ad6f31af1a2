//! What an argument too many was meant for. In: the argument as it was typed; out: the option whose word or
//! number it is, or that it is an activation.

use super::text::{digits, holds};
use super::{Call, Signature};

/// `(filters, kernel, stride)`, not `(channels, filters, kernel)`: the second is a kernel, no larger than the
/// filters, and no smaller than the third.
pub(super) const fn strided(call: &Call) -> bool {
    let [filters, kernel, stride] = call.positional else { return false };
    match (digits(filters), digits(kernel), digits(stride)) {
        (Some(filters), Some(kernel), Some(stride)) => kernel <= 7 && filters > kernel && stride <= kernel,
        _ => false,
    }
}

/// The option that a surplus argument was meant for.
pub(super) const fn meant(signature: &Signature, value: &str) -> &'static str {
    match option_of(value) {
        Some(option) if holds(signature.options, option) => option,
        _ => signature.options[0],
    }
}

/// The option whose word this is.
const fn option_of(word: &str) -> Option<&'static str> {
    match word.as_bytes() {
        b"Same" | b"Valid" | b"Causal" | [b'P', b'a', b'd', b'(', ..] => Some("padding"),
        b"Both" | b"Forward" | b"Backward" => Some("direction"),
        b"Nearest" | b"Bilinear" => Some("mode"),
        b"Zeros"
        | b"Orthogonal"
        | [.., b'N', b'o', b'r', b'm', b'a', b'l']
        | [.., b'U', b'n', b'i', b'f', b'o', b'r', b'm'] => Some("init"),
        [b'C', b'o', b'n', b's', b't', b'a', b'n', b't', b'(', ..] => Some("init"),
        _ => None,
    }
}

/// A surplus argument that is no option's word but an activation's: `"relu"`, `relu`, `Relu`.
pub(super) const fn behind(value: &str) -> Option<&str> {
    let bytes = value.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        let letter = bytes[i].is_ascii_alphanumeric() || bytes[i] == b'_' || bytes[i] == b'"';
        if !letter || bytes[i].is_ascii_uppercase() && i > 0 && bytes[i - 1].is_ascii_uppercase() {
            return None;
        }
        i += 1;
    }
    let word = i > 2 && !bytes[0].is_ascii_digit() && (bytes[0] == b'"' || bytes[1].is_ascii_lowercase());
    if word && option_of(value).is_none() { Some(value) } else { None }
}

/// True for `Same`, `Pad(2)`: anything with a capital.
pub(super) const fn is_word(value: &str) -> bool {
    let bytes = value.as_bytes();
    !bytes.is_empty() && bytes[0].is_ascii_uppercase() && bytes.len() > 1 && bytes[1].is_ascii_lowercase()
}
