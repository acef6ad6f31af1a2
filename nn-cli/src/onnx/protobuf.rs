//! Messages of protocol buffers, read in place. In: bytes, which may be anything; out: numbered fields, or
//! where the bytes end too early. It knows no message by name and copies nothing.

use super::Damage;

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Field<'a> {
    Varint(u64),
    Bytes8([u8; 8]),
    Bytes(&'a [u8]),
    Bytes4([u8; 4]),
}

impl<'a> Field<'a> {
    pub fn int(self) -> Result<i64, Damage> {
        match self {
            Field::Varint(value) => Ok(value as i64),
            _ => Err(Damage::new("a whole number")),
        }
    }

    pub fn float(self) -> Result<f32, Damage> {
        match self {
            Field::Bytes4(bytes) => Ok(f32::from_le_bytes(bytes)),
            _ => Err(Damage::new("a number of 4 bytes")),
        }
    }

    pub fn bytes(self) -> Result<&'a [u8], Damage> {
        match self {
            Field::Bytes(bytes) => Ok(bytes),
            _ => Err(Damage::new("a text or a message")),
        }
    }

    pub fn text(self) -> Result<&'a str, Damage> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Damage::new("a text in UTF-8"))
    }

    pub fn message(self) -> Result<Message<'a>, Damage> {
        Ok(Message::new(self.bytes()?))
    }
}

/// The fields of a message, one after the other.
#[derive(Clone)]
pub struct Message<'a> {
    rest: &'a [u8],
}

impl<'a> Message<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Message { rest: bytes }
    }

    /// The next field and its number.
    pub fn field(&mut self) -> Option<Result<(u64, Field<'a>), Damage>> {
        (!self.rest.is_empty()).then(|| self.read())
    }

    fn read(&mut self) -> Result<(u64, Field<'a>), Damage> {
        let key = self.varint()?;
        let field = match key & 7 {
            0 => Field::Varint(self.varint()?),
            1 => Field::Bytes8(self.array()?),
            2 => {
                let len = self.varint()?;
                let len = usize::try_from(len).map_err(|_| Damage::new("a length within the file"))?;
                Field::Bytes(self.take(len)?)
            }
            5 => Field::Bytes4(self.array()?),
            _ => return Err(Damage::new("a field of a known kind")),
        };
        Ok((key >> 3, field))
    }

    /// A whole number, seven bits a byte.
    pub fn varint(&mut self) -> Result<u64, Damage> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Damage::new("a number of at most 10 bytes"))
    }

    pub fn array<const K: usize>(&mut self) -> Result<[u8; K], Damage> {
        let bytes = self.take(K)?;
        Ok(std::array::from_fn(|i| bytes[i]))
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Damage> {
        let (taken, rest) =
            self.rest.split_at_checked(len).ok_or_else(|| Damage::new("more bytes: it is cut short"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}
