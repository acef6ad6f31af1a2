//! JSON, as much of it as the header of a weight file has. In: its bytes; out: strings, numbers and places,
//! without memory of its own, so that the same code reads at run time, at compile time and without `std`.

/// Brackets that may stand in brackets.
const DEEPEST: usize = 64;

/// A place within JSON text.
#[derive(Clone, Copy)]
pub(crate) struct Json<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Json<'a> {
    pub(crate) const fn new(text: &'a [u8]) -> Json<'a> {
        Json { text, at: 0 }
    }

    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// The byte that comes next, behind blanks.
    const fn peek(&mut self) -> Option<u8> {
        while self.at < self.text.len() {
            match self.text[self.at] {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                byte => return Some(byte),
            }
        }
        None
    }

    /// True at the end, behind blanks.
    pub(crate) const fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// Takes `byte` if it comes next.
    pub(crate) const fn take(&mut self, byte: u8) -> bool {
        let found = matches!(self.peek(), Some(next) if next == byte);
        self.at += found as usize;
        found
    }

    /// What stands between the quotes of a string, as it is written there.
    pub(crate) const fn string(&mut self) -> Option<&'a [u8]> {
        if !self.take(b'"') {
            return None;
        }
        let from = self.at;
        while self.at < self.text.len() {
            match self.text[self.at] {
                b'"' => {
                    self.at += 1;
                    return Some(self.between(from, self.at - 1));
                }
                b'\\' => {
                    let Some((_, len)) = escape(self.rest()) else { return None };
                    self.at += len;
                }
                0..=0x1f => return None,
                _ => self.at += 1,
            }
        }
        None
    }

    /// A whole number from 0 on.
    pub(crate) const fn number(&mut self) -> Option<u64> {
        let Some(b'0'..=b'9') = self.peek() else { return None };
        let from = self.at;
        let mut number: u64 = 0;
        while self.at < self.text.len() {
            let byte = self.text[self.at];
            if !byte.is_ascii_digit() {
                break;
            }
            let Some(tens) = number.checked_mul(10) else { return None };
            let Some(sum) = tens.checked_add((byte - b'0') as u64) else { return None };
            number = sum;
            self.at += 1;
        }
        let leading_zero = self.text[from] == b'0' && self.at > from + 1;
        let goes_on = self.at < self.text.len() && matches!(self.text[self.at], b'.' | b'e' | b'E');
        if leading_zero || goes_on { None } else { Some(number) }
    }

    /// Goes on behind a value of any kind; false where there is none.
    pub(crate) const fn skip_value(&mut self) -> bool {
        let mut depth = 0;
        loop {
            let Some(byte) = self.peek() else { return false };
            match byte {
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                    if depth > DEEPEST {
                        return false;
                    }
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => self.at += 1,
                b'"' => {
                    if self.string().is_none() {
                        return false;
                    }
                }
                b'-' | b'0'..=b'9' | b'a'..=b'z' => {
                    while self.at < self.text.len()
                        && matches!(self.text[self.at], b'-' | b'+' | b'.' | b'E' | b'0'..=b'9' | b'a'..=b'z')
                    {
                        self.at += 1;
                    }
                }
                _ => return false,
            }
            if depth == 0 {
                return true;
            }
        }
    }

    const fn rest(&self) -> &'a [u8] {
        self.text.split_at(self.at).1
    }

    const fn between(&self, from: usize, to: usize) -> &'a [u8] {
        self.text.split_at(to).0.split_at(from).1
    }
}

/// The character of an escape at the start of `text`, and the bytes it takes.
const fn escape(text: &[u8]) -> Option<(char, usize)> {
    if text.len() < 2 {
        return None;
    }
    let plain = match text[1] {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let Some(unit) = hex(text, 2) else { return None };
            if !matches!(unit, 0xd800..=0xdfff) {
                return match char::from_u32(unit) {
                    Some(c) => Some((c, 6)),
                    None => None,
                };
            }
            // Two halves of a character.
            if text.len() < 12 || text[6] != b'\\' || text[7] != b'u' {
                return None;
            }
            let Some(low) = hex(text, 8) else { return None };
            if !matches!(unit, 0xd800..=0xdbff) || !matches!(low, 0xdc00..=0xdfff) {
                return None;
            }
            return match char::from_u32(0x1_0000 + ((unit - 0xd800) << 10 | (low - 0xdc00))) {
                Some(c) => Some((c, 12)),
                None => None,
            };
        }
        _ => return None,
    };
    Some((plain, 2))
}

/// Four hexadecimal digits.
const fn hex(text: &[u8], at: usize) -> Option<u32> {
    let (mut number, mut i) = (0, 0);
    while i < 4 {
        if at + i >= text.len() {
            return None;
        }
        let digit = match text[at + i] {
            digit @ b'0'..=b'9' => digit - b'0',
            digit @ b'a'..=b'f' => digit - b'a' + 10,
            digit @ b'A'..=b'F' => digit - b'A' + 10,
            _ => return None,
        };
        number = number << 4 | digit as u32;
        i += 1;
    }
    Some(number)
}

/// The bytes of a string, one after the other, from what stands between its quotes.
#[derive(Clone, Copy)]
pub(crate) struct Unescaped<'a> {
    raw: &'a [u8],
    at: usize,
    /// What is left of an escaped character.
    held: [u8; 4],
    left: usize,
}

impl<'a> Unescaped<'a> {
    pub(crate) const fn new(raw: &'a [u8]) -> Unescaped<'a> {
        Unescaped { raw, at: 0, held: [0; 4], left: 0 }
    }

    pub(crate) const fn next(&mut self) -> Option<u8> {
        if self.left > 0 {
            self.left -= 1;
            let byte = self.held[0];
            self.held = [self.held[1], self.held[2], self.held[3], 0];
            return Some(byte);
        }
        if self.at >= self.raw.len() {
            return None;
        }
        let byte = self.raw[self.at];
        if byte != b'\\' {
            self.at += 1;
            return Some(byte);
        }
        // It was read once, so it is sound.
        let Some((c, len)) = escape(self.raw.split_at(self.at).1) else { return None };
        self.at += len;
        let mut bytes = [0; 4];
        self.left = c.encode_utf8(&mut bytes).len();
        self.held = bytes;
        self.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec::Vec;

    fn string(text: &str) -> Option<String> {
        let mut unescaped = Unescaped::new(Json::new(text.as_bytes()).string()?);
        let bytes: Vec<u8> = core::iter::from_fn(|| unescaped.next()).collect();
        Some(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn strings_are_those_of_another_reader() {
        for text in [
            r#""""#,
            r#"  "head.weight" "#,
            r#""a\"b\\c\/d\b\f\n\r\t""#,
            r#""größe \u00e9 \u4e2d \uD83D\ude00""#,
            r#""\ud83d""#,
            r#""\ud83dxxxxxx""#,
            r#""\ude00\ud83d""#,
            r#""\x""#,
            r#""\u12g4""#,
            r#""open"#,
            r#""open\"#,
            "\"line\nbreak\"",
        ] {
            assert_eq!(string(text), serde_json::from_str::<String>(text).ok(), "{text}");
        }
    }

    #[test]
    fn numbers_are_whole_and_fit() {
        for text in ["0", "7", "18446744073709551615", "18446744073709551616", "-1", "01", "1.0", "1e3", "", "x"] {
            let found = Json::new(text.as_bytes()).number();
            assert_eq!(found, serde_json::from_str::<u64>(text).ok(), "{text}");
        }
    }

    #[test]
    fn any_value_is_skipped() {
        for text in [r#"{"a":[1,-2.5e+3,{"b":null}],"c":"}\""}"#, "true", "[]", "\"x\"", "-1"] {
            let mut json = Json::new(text.as_bytes());
            assert!(json.skip_value() && json.is_at_end(), "{text}");
        }
        for text in ["", "}", "[", "{\"a\":", "\"open", "?"] {
            assert!(!Json::new(text.as_bytes()).skip_value(), "{text}");
        }
        let deep = "[".repeat(100);
        assert!(!Json::new(deep.as_bytes()).skip_value());
    }
}
