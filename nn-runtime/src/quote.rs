//! Foreign text in messages: names, paths and fields of files. Nothing of it reaches a terminal that the
//! terminal would obey, and neither a long name nor a long list fills the screen.

use std::format;
use std::path::Path;
use std::string::String;

/// Characters of a name that are shown.
const LONGEST: usize = 60;
/// Items of a list that are shown.
pub(crate) const LISTED: usize = 10;

/// `text` in backquotes: characters a terminal would obey are escaped, and what is long is cut.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("`{}…`", escaped(&text[..end])),
        None => format!("`{}`", escaped(text)),
    }
}

/// A path in backquotes, whole.
pub(crate) fn quoted_path(path: &Path) -> String {
    format!("`{}`", escaped(&path.display().to_string()))
}

/// `text` with control characters, and those that change the direction of writing, as `\n` or `\u{1b}`.
pub(crate) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => shown.extend(c.escape_default()),
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
                shown.extend(c.escape_unicode());
            }
            c if c.is_control() => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

/// The first ten of `items`, and how many more there are.
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
    use std::string::ToString;

    #[test]
    fn nothing_a_terminal_obeys_is_left() {
        assert_eq!(quoted("a\u{1b}[2Jb\n\u{9b}\u{202e}"), "`a\\u{1b}[2Jb\\n\\u{9b}\\u{202e}`");
        assert_eq!(quoted("größe 中"), "`größe 中`");
        assert_eq!(quoted(&"é".repeat(61)), format!("`{}…`", "é".repeat(60)));
        assert_eq!(quoted(&"é".repeat(60)), format!("`{}`", "é".repeat(60)));
    }

    #[test]
    fn ten_are_listed_and_the_rest_counted() {
        let list = |n: usize| listed((0..n).map(|i| i.to_string()));
        assert_eq!(list(0), "");
        assert_eq!(list(10), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9");
        assert_eq!(list(100_012), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 100002 more");
    }
}
