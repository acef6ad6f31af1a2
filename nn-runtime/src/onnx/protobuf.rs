//! Messages of protocol buffers, as far as ONNX files need them: fields come in, bytes go out. It knows no
//! message by name.

use alloc::vec::Vec;

/// The bytes of one message, and of those within it.
#[derive(Default)]
pub(super) struct WireMessage {
    pub(super) bytes: Vec<u8>,
}

/// How a field's value is written, which stands in its key.
const VARINT: u64 = 0;
const LENGTH: u64 = 2;
const FOUR_BYTES: u64 = 5;

impl WireMessage {
    /// A whole number; also a negative one, as ONNX has it.
    pub(super) fn int(&mut self, field: u64, value: i64) {
        self.varint(field << 3 | VARINT);
        self.varint(value as u64);
    }

    pub(super) fn float(&mut self, field: u64, value: f32) {
        self.varint(field << 3 | FOUR_BYTES);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn text(&mut self, field: u64, value: &str) {
        self.data(field, value.len(), |to| to.extend_from_slice(value.as_bytes()));
    }

    /// `len` bytes that `write` appends.
    pub(super) fn data(&mut self, field: u64, len: usize, write: impl FnOnce(&mut Vec<u8>)) {
        self.varint(field << 3 | LENGTH);
        self.varint(len as u64);
        write(&mut self.bytes);
    }

    /// A message within this one.
    pub(super) fn message(&mut self, field: u64, write: impl FnOnce(&mut WireMessage)) {
        self.varint(field << 3 | LENGTH);
        let begin = self.bytes.len();
        write(self);
        // The length stands before what it counts: that is moved by the few bytes of it.
        let mut length = WireMessage::default();
        length.varint((self.bytes.len() - begin) as u64);
        self.bytes.splice(begin..begin, length.bytes);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::WireMessage;

    #[test]
    fn messages_are_those_of_the_documents() {
        // The encoding's own examples: 150 in field 1; "testing" in field 2; a message with 150 in field 3.
        let mut message = WireMessage::default();
        message.int(1, 150);
        message.text(2, "testing");
        message.message(3, |inner| inner.int(1, 150));
        let expected: &[u8] = b"\x08\x96\x01\x12\x07testing\x1a\x03\x08\x96\x01";
        assert_eq!(message.bytes, expected);
        let mut message = WireMessage::default();
        message.int(1, -1);
        message.float(2, 1.5);
        assert_eq!(message.bytes, b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x15\x00\x00\xc0\x3f");
        // A length of two bytes.
        let mut message = WireMessage::default();
        message.message(1, |inner| inner.data(1, 200, |to| to.resize(to.len() + 200, 7)));
        assert_eq!(message.bytes[..6], *b"\x0a\xcb\x01\x0a\xc8\x01");
        assert_eq!(message.bytes.len(), 206);
    }
}
