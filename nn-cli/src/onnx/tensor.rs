//! The tensors of an ONNX file, whose numbers stay where they are until somebody asks. In: a message; out:
//! dimensions, and numbers as they are wanted.

use super::protobuf::{Field, Message};
use super::{Budget, Damage};

/// The largest number of dimensions.
const MOST_DIMS: usize = 16;

/// A tensor: an initialiser, or the value of a constant.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Tensor<'a> {
    pub name: &'a str,
    pub dims: Vec<usize>,
    pub elements: Elements<'a>,
    pub(crate) kind: i64,
}

/// Where the numbers are.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Elements<'a> {
    /// Little-endian, one after the other.
    Raw(&'a [u8]),
    /// Numbers of 4 bytes, packed.
    Packed(&'a [u8]),
    /// Varints, packed.
    Varints(&'a [u8]),
    /// Made by a computation.
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    /// In another file: its name, where the numbers begin there, and how many bytes they are.
    External {
        file: &'a str,
        offset: u64,
        len: Option<u64>,
    },
    #[default]
    Missing,
}

impl<'a> Tensor<'a> {
    pub(super) fn read(mut message: Message<'a>, budget: &mut Budget) -> Result<Tensor<'a>, Damage> {
        let mut tensor = Tensor::default();
        let (mut external, mut loose) = (Vec::new(), Vec::new());
        let mut dims: Vec<i64> = Vec::new();
        while let Some(field) = message.field() {
            match field? {
                (1, field) => super::repeated(field, budget, &mut dims, |field| field.int())?,
                (2, field) => tensor.kind = field.int()?,
                (4, Field::Bytes(bytes)) => tensor.elements = Elements::Packed(bytes),
                (4, field) => {
                    budget.take(1)?;
                    loose.push(field.float()?);
                }
                (5 | 7, Field::Bytes(bytes)) => tensor.elements = Elements::Varints(bytes),
                (8, field) => tensor.name = field.text()?,
                (9, field) => tensor.elements = Elements::Raw(field.bytes()?),
                (13, field) => {
                    budget.take(1)?;
                    external.push(entry(field.message()?)?);
                }
                _ => {}
            }
        }
        if dims.len() > MOST_DIMS {
            return Err(Damage::new("a tensor of at most 16 dimensions"));
        }
        let dims: Option<Vec<usize>> = dims.iter().map(|dim| usize::try_from(*dim).ok()).collect();
        tensor.dims = dims.ok_or_else(|| Damage::new("dimensions of at least 0"))?;
        if !loose.is_empty() {
            tensor.elements = Elements::Floats(loose);
        }
        if let Some((_, file)) = external.iter().find(|(key, _)| *key == "location") {
            let number =
                |key: &str| external.iter().find(|(name, _)| *name == key).and_then(|(_, text)| text.parse().ok());
            tensor.elements = Elements::External { file, offset: number("offset").unwrap_or(0), len: number("length") };
        }
        tensor.count()?;
        Ok(tensor)
    }

    /// A tensor that was computed.
    pub fn floats(dims: Vec<usize>, values: Vec<f32>) -> Tensor<'a> {
        Tensor { name: "", dims, elements: Elements::Floats(values), kind: 1 }
    }

    pub fn ints(dims: Vec<usize>, values: Vec<i64>) -> Tensor<'a> {
        Tensor { name: "", dims, elements: Elements::Ints(values), kind: 7 }
    }

    /// How many numbers it has.
    ///
    /// # Errors
    /// More than can be addressed.
    pub fn count(&self) -> Result<usize, Damage> {
        let product = self.dims.iter().try_fold(1usize, |product, dim| product.checked_mul(*dim));
        product
            .filter(|count| *count <= isize::MAX as usize / 8)
            .ok_or_else(|| Damage::new("a tensor that fits into memory"))
    }

    /// How many bytes of it lie in another file, as it says itself.
    pub fn external_len(&self) -> usize {
        match &self.elements {
            Elements::External { len, .. } => len.and_then(|len| usize::try_from(len).ok()).unwrap_or(0).min(1 << 36),
            _ => 0,
        }
    }

    /// What its numbers are, as the format calls it.
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            1 => "float",
            2 => "uint8",
            3 => "int8",
            6 => "int32",
            7 => "int64",
            9 => "bool",
            10 => "float16",
            11 => "double",
            16 => "bfloat16",
            _ => "another type",
        }
    }

    pub fn is_whole(&self) -> bool {
        matches!(self.kind, 2 | 3 | 6 | 7 | 9)
    }

    /// Its numbers as 32-bit floats. Numbers in another file are asked of `fetch`: its name, and the bytes
    /// from where to where.
    ///
    /// # Errors
    /// There are fewer or more numbers than dimensions say, or they are of a type that no layer has.
    pub fn to_floats(&self, fetch: &Fetch) -> Result<Vec<f32>, Damage> {
        let count = self.count()?;
        match &self.elements {
            Elements::Floats(values) => self.checked(values.clone()),
            Elements::Ints(values) => self.checked(values.iter().map(|value| *value as f32).collect()),
            Elements::Packed(bytes) => self.checked(raw(bytes, count, 1)?.collect()),
            Elements::Varints(bytes) => {
                self.checked(varints(bytes, count)?.iter().map(|value| *value as f32).collect())
            }
            Elements::Raw(bytes) => self.checked(raw(bytes, count, self.kind)?.collect()),
            Elements::External { file, offset, len } => {
                let size = width(self.kind)?.checked_mul(count).ok_or_else(|| Damage::new("a tensor that fits"))?;
                if len.is_some_and(|len| len != size as u64) {
                    return Err(self.miscounted());
                }
                let bytes = fetch(file, *offset, size)?;
                self.checked(raw(&bytes, count, self.kind)?.collect())
            }
            Elements::Missing if count == 0 => Ok(Vec::new()),
            Elements::Missing => Err(self.miscounted()),
        }
    }

    /// Its numbers as whole ones, for shapes, axes and indices.
    ///
    /// # Errors
    /// As of [`to_floats`](Tensor::to_floats), or a number has a fraction.
    pub fn to_ints(&self, fetch: &Fetch) -> Result<Vec<i64>, Damage> {
        let count = self.count()?;
        match &self.elements {
            Elements::Ints(values) if values.len() == count => Ok(values.clone()),
            Elements::Varints(bytes) => Ok(varints(bytes, count)?),
            Elements::Raw(bytes) if self.kind == 7 && bytes.len() == 8 * count => {
                Ok(bytes.as_chunks::<8>().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect())
            }
            _ => self.to_floats(fetch)?.into_iter().map(whole).collect(),
        }
    }

    fn checked(&self, values: Vec<f32>) -> Result<Vec<f32>, Damage> {
        if values.len() == self.count()? { Ok(values) } else { Err(self.miscounted()) }
    }

    fn miscounted(&self) -> Damage {
        Damage::saying(format!(
            "`{}`: expected as many numbers as {:?} has\nhelp: the file is damaged: export it again",
            self.name, self.dims
        ))
    }
}

/// Bytes of another file.
pub type Fetch<'f> = dyn Fn(&str, u64, usize) -> Result<Vec<u8>, Damage> + 'f;

fn whole(value: f32) -> Result<i64, Damage> {
    if value.fract() == 0.0 { Ok(value as i64) } else { Err(Damage::new("whole numbers")) }
}

fn entry(mut message: Message<'_>) -> Result<(&str, &str), Damage> {
    let (mut key, mut value) = ("", "");
    while let Some(field) = message.field() {
        match field? {
            (1, field) => key = field.text()?,
            (2, field) => value = field.text()?,
            _ => {}
        }
    }
    Ok((key, value))
}

/// Bytes of one number.
fn width(kind: i64) -> Result<usize, Damage> {
    Ok(match kind {
        2 | 3 | 9 => 1,
        10 | 16 => 2,
        1 | 6 => 4,
        7 | 11 => 8,
        _ => {
            let help = "help: export the model with 32-bit floats";
            return Err(Damage::saying(format!(
                "expected numbers of a type that layers have, found type {kind}\n{help}"
            )));
        }
    })
}

fn raw(bytes: &[u8], count: usize, kind: i64) -> Result<impl Iterator<Item = f32> + '_, Damage> {
    let width = width(kind)?;
    if Some(bytes.len()) != count.checked_mul(width) {
        return Err(Damage::new("as many bytes as the tensor's numbers take"));
    }
    Ok(bytes.chunks_exact(width).map(move |bytes| number(bytes, kind)))
}

fn number(bytes: &[u8], kind: i64) -> f32 {
    let two = || u16::from_le_bytes([bytes[0], bytes[1]]);
    let four = || [bytes[0], bytes[1], bytes[2], bytes[3]];
    let eight = || std::array::from_fn(|i| bytes[i]);
    match kind {
        2 | 9 => f32::from(bytes[0]),
        3 => f32::from(bytes[0] as i8),
        10 => half(two()),
        16 => f32::from_bits(u32::from(two()) << 16),
        6 => i32::from_le_bytes(four()) as f32,
        7 => i64::from_le_bytes(eight()) as f32,
        11 => f64::from_le_bytes(eight()) as f32,
        _ => f32::from_le_bytes(four()),
    }
}

/// A number of 16 bits, 5 of them an exponent.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023) / 1024.0);
    sign * match exponent {
        0 => fraction * 2f32.powi(-14),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction) * 2f32.powi(exponent - 15),
    }
}

fn varints(bytes: &[u8], count: usize) -> Result<Vec<i64>, Damage> {
    let mut values = Vec::new();
    let mut rest = Message::new(bytes);
    while !rest.is_empty() {
        values.push(rest.varint()? as i64);
    }
    match values.len() == count {
        true => Ok(values),
        false => Err(Damage::new("as many numbers as the tensor's dimensions say")),
    }
}
