//! What a shape rule says when it refuses. In: words and numbers, at compile time; out: one text, *expected,
//! found, help*. Composed in a byte buffer because const code has no formatter.

use crate::shape::Shape;

const ROOM: usize = 1024;

/// A text put together at compile time.
#[derive(Clone, Copy)]
pub struct Text {
    bytes: [u8; ROOM],
    len: usize,
}

impl Text {
    pub(crate) const EMPTY: Text = Text { bytes: [0; ROOM], len: 0 };

    pub(crate) const fn str(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut i = 0;
        // A text that does not fit is cut: a message is no place to fail.
        while i < text.len() && self.len < ROOM {
            self.bytes[self.len] = text[i];
            self.len += 1;
            i += 1;
        }
        self
    }

    pub(crate) const fn num(self, number: usize) -> Self {
        let mut digits = [0u8; 20];
        let mut at = digits.len();
        let mut rest = number;
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        match core::str::from_utf8(digits.split_at(at).1) {
            Ok(text) => self.str(text),
            Err(_) => self,
        }
    }

    /// With a sign before every three digits but the first.
    pub(crate) const fn grouped(self, number: usize, sign: &str) -> Self {
        if number < 1000 {
            return self.num(number);
        }
        let (text, rest) = (self.grouped(number / 1000, sign).str(sign), number % 1000);
        text.str(if rest < 10 {
            "00"
        } else if rest < 100 {
            "0"
        } else {
            ""
        })
        .num(rest)
    }

    /// With six decimals at most, which is enough to recognise what was typed.
    pub(crate) const fn real(self, number: f32) -> Self {
        if number.is_nan() {
            return self.str("NaN");
        }
        let size = number.abs() as f64;
        let text = if number < 0.0 { self.str("-") } else { self };
        if size > 1e15 {
            return text.str(if size.is_infinite() { "infinity" } else { "a number beyond 10^15" });
        }
        let millionths = (size * 1e6 + 0.5) as u64 as usize;
        let mut text = text.num(millionths / 1_000_000);
        let mut rest = millionths % 1_000_000;
        if rest > 0 {
            text = text.str(".");
        }
        while rest > 0 {
            text = text.num(rest / 100_000);
            rest = rest % 100_000 * 10;
        }
        text
    }

    pub(crate) const fn shape(mut self, shape: Shape) -> Self {
        self = self.str("[");
        let mut i = 0;
        while i < shape.rank() {
            if i > 0 {
                self = self.str(", ");
            }
            self = self.num(shape.dim(i));
            i += 1;
        }
        self.str("]")
    }

    pub(crate) const fn as_str(&self) -> &str {
        // A text is cut between bytes at worst at its very end; then nothing is better than a panic about the
        // panic.
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "a shape rule failed",
        }
    }
}

/// Why a layer refuses the shapes it is given: what it expected, what it found, and what to type instead.
///
/// ```
/// use nn_runtime::{Fault, Shape};
///
/// const FAULT: Fault = Fault::expected("an input of [features]")
///     .found(Shape::of([1, 28, 28]))
///     .help("put `Flatten` before it");
/// assert_eq!(
///     FAULT.as_str(),
///     "expected an input of [features], found [1, 28, 28]\nhelp: put `Flatten` before it"
/// );
/// ```
#[derive(Clone, Copy)]
pub struct Fault {
    text: Text,
}

impl Fault {
    /// Begins with what the rule wants: "expected …".
    pub const fn expected(what: &str) -> Fault {
        Fault { text: Text::EMPTY.str("expected ").str(what) }
    }

    /// ", found [1, 28, 28]"
    pub const fn found(self, shape: Shape) -> Fault {
        Fault { text: self.text.str(", found ").shape(shape) }
    }

    /// ", found 7"
    pub const fn found_num(self, number: usize) -> Fault {
        Fault { text: self.text.str(", found ").num(number) }
    }

    /// ", found -0.5"
    pub const fn found_real(self, number: f32) -> Fault {
        Fault { text: self.text.str(", found ").real(number) }
    }

    /// Begins the line that says what to type: "help: …".
    pub const fn help(self, what: &str) -> Fault {
        Fault { text: self.text.str("\nhelp: ").str(what) }
    }

    /// Appends words.
    pub const fn str(self, text: &str) -> Fault {
        Fault { text: self.text.str(text) }
    }

    /// Appends a number.
    pub const fn num(self, number: usize) -> Fault {
        Fault { text: self.text.num(number) }
    }

    /// Appends a shape.
    pub const fn shape(self, shape: Shape) -> Fault {
        Fault { text: self.text.shape(shape) }
    }

    /// The text so far.
    pub const fn as_str(&self) -> &str {
        self.text.as_str()
    }
}

impl core::fmt::Debug for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}
