//! NumPy's archives of arrays, by the crate `npyz`. There is no bfloat16 in NumPy: it is written as float32,
//! which holds every one of its numbers.

use crate::tensor::{Element, Tensor};
use std::io::Cursor;

use npyz::{DType, Endianness, NpyHeader, Order, TypeChar, WriterBuilder};

use crate::archive::Zip;

pub(super) fn read(bytes: &[u8]) -> Result<Vec<Tensor>, String> {
    let damaged = |error: &dyn std::fmt::Display| format!("expected a whole `.npz` file, found a damaged one: {error}");
    let mut archive = Zip::open(bytes).map_err(|error| damaged(&error))?;
    let mut tensors = Vec::new();
    for i in 0..archive.len() {
        let (member, mut bytes) = archive.member(i).map_err(|error| damaged(&error))?;
        let Some(name) = member.strip_suffix(".npy") else { continue };
        let within = |text: String| format!("`{}`: {text}", name.escape_debug());
        let mut numbers = &bytes[..];
        let header = NpyHeader::from_reader(&mut numbers).map_err(|error| within(damaged(&error)))?;
        let (element, big) = element(&header.dtype()).ok_or_else(|| {
            within(format!("expected an array of plain numbers, found one of {}", header.dtype().descr()))
        })?;
        let shape: Vec<usize> = header.shape().iter().map(|dim| *dim as usize).collect();
        let size =
            Tensor::size(element, &shape).ok_or_else(|| within("expected sizes that can be counted".to_owned()))?;
        let found = numbers.len();
        if found < size {
            return Err(within(format!(
                "expected {size} bytes of numbers, found {found}\nhelp: the file was cut short"
            )));
        }
        let from = bytes.len() - found;
        bytes.truncate(from + size);
        bytes.drain(..from);
        if big {
            bytes.chunks_exact_mut(element.bytes()).for_each(<[u8]>::reverse);
        }
        if header.order() == Order::Fortran {
            bytes = row_major(element, &shape, &bytes);
        }
        tensors.push(Tensor { name: name.to_owned(), element, shape, bytes });
    }
    Ok(tensors)
}

/// Numbers of which the first axis lies closest, with the last one closest.
fn row_major(element: Element, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    let strides: Vec<usize> = (0..shape.len()).map(|axis| shape[..axis].iter().product()).collect();
    super::torch::gather(element, shape, &strides, 0, bytes).expect("a whole array holds each of its numbers")
}

/// The element of an array, and whether its bytes lie the other way round.
fn element(dtype: &DType) -> Option<(Element, bool)> {
    let DType::Plain(of) = dtype else { return None };
    let element = match (of.type_char(), of.size_field()) {
        (TypeChar::Float, 8) => Element::F64,
        (TypeChar::Float, 4) => Element::F32,
        (TypeChar::Float, 2) => Element::F16,
        (TypeChar::Int, 8) => Element::I64,
        (TypeChar::Int, 4) => Element::I32,
        (TypeChar::Int, 2) => Element::I16,
        (TypeChar::Int, 1) => Element::I8,
        (TypeChar::Uint, 1) => Element::U8,
        (TypeChar::Bool, 1) => Element::Bool,
        _ => return None,
    };
    Some((element, of.endianness() == Endianness::Big))
}

pub(super) fn write(tensors: &[Tensor]) -> Result<Vec<u8>, String> {
    let mut file = npyz::npz::NpzWriter::new(Cursor::new(Vec::new()));
    for tensor in tensors {
        let name = &tensor.name;
        array(&mut file, tensor).map_err(|error| format!("`{name}`: {error}"))?;
    }
    Ok(file.zip_writer().finish().map_err(|error| error.to_string())?.into_inner())
}

type Archive = npyz::npz::NpzWriter<Cursor<Vec<u8>>>;

fn array(file: &mut Archive, tensor: &Tensor) -> std::io::Result<()> {
    let shape: Vec<u64> = tensor.shape.iter().map(|dim| *dim as u64).collect();
    macro_rules! numbers {
        ($type:ty, $bytes:literal, $read:expr) => {{
            let options = zip::write::FileOptions::default();
            let mut array = file.array::<$type>(&tensor.name, options)?.default_dtype().shape(&shape).begin_nd()?;
            let all = tensor.bytes.as_chunks::<$bytes>().0;
            array.extend(all.iter().map(|bytes| $read(*bytes)))?;
            array.finish()
        }};
    }
    match tensor.element {
        Element::F64 => numbers!(f64, 8, f64::from_le_bytes),
        Element::F32 => numbers!(f32, 4, f32::from_le_bytes),
        Element::F16 => numbers!(half::f16, 2, half::f16::from_le_bytes),
        Element::Bf16 => numbers!(f32, 2, |bytes| half::bf16::from_le_bytes(bytes).to_f32()),
        Element::I64 => numbers!(i64, 8, i64::from_le_bytes),
        Element::I32 => numbers!(i32, 4, i32::from_le_bytes),
        Element::I16 => numbers!(i16, 2, i16::from_le_bytes),
        Element::I8 => numbers!(i8, 1, i8::from_le_bytes),
        Element::U8 => numbers!(u8, 1, u8::from_le_bytes),
        Element::Bool => numbers!(bool, 1, |[byte]: [u8; 1]| byte != 0),
    }
}
