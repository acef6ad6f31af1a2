//! Foreign text in messages: names, paths and fields of files. Nothing of it reaches a terminal that the
//! terminal would obey, and neither a long name nor a long list fills the screen.

#[cfg(feature = "alloc")]
use alloc::{format, string::String};

use crate::fault::Text;

/// Characters of a name that are shown.
const LONGEST: usize = 60;
/// Items of a list that are shown.
pub(crate) const LISTED: usize = 10;

/// `text` in backquotes: characters a terminal would obey are escaped, and what is long is cut.
#[cfg(feature = "alloc")]
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("`{}…`", escaped(&text[..end])),
        None => format!("`{}`", escaped(text)),
    }
}

/// `text` with control characters, and those that change the direction of writing, as `\n` or `\u{1b}`.
#[cfg(feature = "alloc")]
pub(crate) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => shown.extend(c.escape_default()),
            c if is_obeyed(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

/// Whether a terminal would obey a character instead of showing it.
const fn is_obeyed(c: char) -> bool {
    let directs = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    directs || matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}')
}

impl<const ROOM: usize> Text<ROOM> {
    /// What [`quoted`] makes, at compile time too.
    pub(crate) const fn quoted(self, text: &str) -> Self {
        let (mut this, mut rest, mut shown) = (self.str("`"), text, 0);
        while let Some((c, len)) = first_char(rest) {
            if shown == LONGEST {
                return this.str("…`");
            }
            let (one, behind) = rest.split_at(len);
            this = match c {
                '\n' => this.str("\\n"),
                '\r' => this.str("\\r"),
                '\t' => this.str("\\t"),
                c if is_obeyed(c) => {
                    let mut digits = [0; 8];
                    this.str("\\u{").str(hexadecimal(c as u32, &mut digits)).str("}")
                }
                _ => this.str(one),
            };
            (rest, shown) = (behind, shown + 1);
        }
        this.str("`")
    }
}

/// The first character of a text, and its bytes.
pub(crate) const fn first_char(text: &str) -> Option<(char, usize)> {
    let bytes = text.as_bytes();
    if bytes.is_empty() {
        return None;
    }
    let (len, mut code) = match bytes[0] {
        0..0x80 => return Some((bytes[0] as char, 1)),
        byte @ 0xc0..0xe0 => (2, byte as u32 & 0x1f),
        byte @ 0xe0..0xf0 => (3, byte as u32 & 0x0f),
        byte => (4, byte as u32 & 0x07),
    };
    let mut i = 1;
    while i < len {
        code = code << 6 | bytes[i] as u32 & 0x3f;
        i += 1;
    }
    match char::from_u32(code) {
        Some(c) => Some((c, len)),
        None => None,
    }
}

const fn hexadecimal(number: u32, digits: &mut [u8; 8]) -> &str {
    let (mut at, mut rest) = (digits.len(), number);
    while at == digits.len() || rest > 0 {
        at -= 1;
        digits[at] = b"0123456789abcdef"[rest as usize % 16];
        rest /= 16;
    }
    match core::str::from_utf8(digits.split_at(at).1) {
        Ok(text) => text,
        Err(_) => "",
    }
}

/// The first ten of `items`, and how many more there are.
#[cfg(feature = "alloc")]
pub(crate) fn listed(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(LISTED);
    let mut text = String::new();
    for (i, item) in items.take(LISTED).enumerate() {
        if i > 0 {
            text.push_str(", ");
        }
        text.push_str(&item);
    }
    match more {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn nothing_a_terminal_obeys_is_left() {
        assert_eq!(quoted("a\u{1b}[2Jb\n\u{9b}\u{202e}"), "`a\\u{1b}[2Jb\\n\\u{9b}\\u{202e}`");
        assert_eq!(quoted("größe 中"), "`größe 中`");
        assert_eq!(quoted(&"é".repeat(61)), format!("`{}…`", "é".repeat(60)));
        assert_eq!(quoted(&"é".repeat(60)), format!("`{}`", "é".repeat(60)));
    }

    #[test]
    fn names_are_quoted_alike_at_compile_time() {
        const SHOWN: Text = Text::EMPTY.quoted("a\u{1b}\n\u{202e}größe 中 😀");
        assert_eq!(SHOWN.as_str(), quoted("a\u{1b}\n\u{202e}größe 中 😀"));
        for c in (0..=char::MAX as u32).filter_map(char::from_u32) {
            let text = String::from(c);
            assert_eq!(Text::<64>::EMPTY.quoted(&text).as_str(), quoted(&text));
        }
        for text in ["é".repeat(60), "é".repeat(61), String::new()] {
            assert_eq!(Text::<1024>::EMPTY.quoted(&text).as_str(), quoted(&text));
        }
    }

    #[test]
    fn ten_are_listed_and_the_rest_counted() {
        let list = |n: usize| listed((0..n).map(|i| i.to_string()));
        assert_eq!(list(0), "");
        assert_eq!(list(10), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9");
        assert_eq!(list(100_012), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 100002 more");
    }
}
