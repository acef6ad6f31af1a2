//! Words and numbers as they were typed, in const code. In: text; out: whether it is what is asked for, or a
//! part of it.

use super::names::WORDS;
use crate::fault::Fault;

pub(super) const fn list(mut text: Fault, names: &[&str]) -> Fault {
    let mut i = 0;
    while i < names.len() {
        text = text.str(if i == 0 { "`" } else { ", `" }).str(names[i]).str("`");
        i += 1;
    }
    text
}

/// `(2, 3)` as `[2, 3]`
pub(super) const fn brackets(text: Fault, value: &str) -> Fault {
    let (_, inner) = value.split_at(1);
    let (inner, _) = inner.split_at(inner.len() - 1);
    text.str("[").str(inner).str("]")
}

pub(super) const fn first_number(value: &str) -> &str {
    let bytes = value.as_bytes();
    let mut end = 1;
    while end < bytes.len() && bytes[end].is_ascii_digit() {
        end += 1;
    }
    let (first, _) = value.split_at(end);
    first.split_at(1).1
}

/// True for `(2, 2)`, `[2, 2]`, `-1`: digits and what stands between them.
pub(super) const fn is_numbers(bytes: &[u8]) -> bool {
    let (mut i, mut digits) = (0, 0);
    while i < bytes.len() {
        match bytes[i] {
            b'0'..=b'9' => digits += 1,
            b'(' | b')' | b'[' | b']' | b',' | b' ' | b'-' => {}
            _ => return false,
        }
        i += 1;
    }
    digits > 0
}

pub(super) const fn joined<'a>(a: &str, b: &str, room: &'a mut [u8; 64]) -> &'a str {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut i = 0;
    while i < a.len() + b.len() && i < room.len() {
        room[i] = if i < a.len() { a[i] } else { b[i - a.len()] };
        i += 1;
    }
    match core::str::from_utf8(room.split_at(i).0) {
        Ok(text) => text,
        Err(_) => "",
    }
}

/// `HeNormal` of `he_normal`, and `true` as it is.
pub(super) const fn word_of<'a>(text: &str, room: &'a mut [u8; 64]) -> &'a str {
    let bytes = text.as_bytes();
    let is_bool = equal(text, "true") || equal(text, "false") || equal(text, "True") || equal(text, "False");
    let (mut i, mut len, mut upper) = (0, 0, true);
    while i < bytes.len() && len < room.len() {
        if bytes[i] == b'_' {
            upper = true;
        } else {
            room[len] = match (upper, is_bool) {
                (_, true) => bytes[i].to_ascii_lowercase(),
                (true, _) => bytes[i].to_ascii_uppercase(),
                _ => bytes[i],
            };
            (len, upper) = (len + 1, false);
        }
        i += 1;
    }
    match core::str::from_utf8(room.split_at(len).0) {
        Ok(word) => word,
        Err(_) => "",
    }
}

/// `Same` of `"same"`, by the names of other libraries too.
pub(super) const fn word_in<'a>(text: &str, room: &'a mut [u8; 64]) -> &'a str {
    let (_, word) = text.split_at(1);
    let (word, _) = word.split_at(word.len() - 1);
    match find(WORDS, word) {
        Some(word) => word,
        None => word_of(word, room),
    }
}

/// True for options that are several numbers.
pub(super) const fn is_list(name: &str) -> bool {
    let bytes = name.as_bytes();
    let wide = bytes.len() > 3 && matches!(bytes.split_at(bytes.len() - 3).1, b"_hw");
    wide || equal(name, "dims") || equal(name, "axes") || equal(name, "sizes")
}

/// True for `"same"`
pub(super) const fn is_text(value: &str) -> bool {
    value.len() > 2 && value.as_bytes()[0] == b'"'
}

/// True for what rustc will take `name` for a misspelling of, at most a third of its letters.
pub(super) const fn is_near(name: &str, other: &str) -> bool {
    let (a, b) = (name.as_bytes(), other.as_bytes());
    if a.len() > 31 || b.len() > 31 {
        return false;
    }
    // Letters to insert, delete, change or swap with their neighbour (optimal string alignment).
    let mut rows = [[0usize; 32]; 32];
    let mut i = 0;
    while i <= a.len() {
        let mut j = 0;
        while j <= b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]) as usize;
                let mut best = if rows[i - 1][j] < rows[i][j - 1] { rows[i - 1][j] + 1 } else { rows[i][j - 1] + 1 };
                if change < best {
                    best = change;
                }
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && rows[i - 2][j - 2] < best {
                    best = rows[i - 2][j - 2] + 1;
                }
                best
            };
            j += 1;
        }
        i += 1;
    }
    let longest = if a.len() > 3 { a.len() } else { 3 };
    rows[a.len()][b.len()] <= longest / 3
}

/// A number as it was typed.
pub(super) const fn digits(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut i, mut number) = (0, 0);
    while i < bytes.len() {
        if !bytes[i].is_ascii_digit() || i > 9 {
            return None;
        }
        number = number * 10 + (bytes[i] - b'0') as usize;
        i += 1;
    }
    if i > 0 { Some(number) } else { None }
}

/// True for options that are on or off.
pub(super) const fn is_switch(name: &str) -> bool {
    const SWITCHES: [&str; 11] = [
        "bias",
        "causal",
        "learnt",
        "last",
        "relu",
        "affine",
        "per_channel",
        "ceil_mode",
        "count_include_pad",
        "align_corners",
        "approximate",
    ];
    holds(&SWITCHES, name)
}

pub(super) const fn is_axis(name: &str) -> bool {
    equal(name, "axis") || equal(name, "dim") || equal(name, "axes")
}

pub(super) const fn holds(names: &[&str], name: &str) -> bool {
    let mut i = 0;
    while i < names.len() {
        if equal(names[i], name) {
            return true;
        }
        i += 1;
    }
    false
}

pub(super) const fn find(pairs: &[(&'static str, &'static str)], name: &str) -> Option<&'static str> {
    let mut i = 0;
    while i < pairs.len() {
        if equal(pairs[i].0, name) {
            return Some(pairs[i].1);
        }
        i += 1;
    }
    None
}

pub(super) const fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}
