//! What `torch.save` writes: a zip archive of a pickle, which says how tensors lie in storages, and the
//! storages. In: bytes, which may be anything; out: the tensors in it, under their path through dictionaries,
//! lists and modules. Classes are not known and nothing is called.

use super::pickle::{self, Value};
use crate::archive::{Zip, most_unpacked};
use crate::tensor::{Element, Tensor};

pub(super) fn read(bytes: &[u8]) -> Result<Vec<Tensor>, String> {
    let damaged =
        |error: &dyn std::fmt::Display| format!("expected a whole file of `torch.save`, found a damaged one: {error}");
    let archive = Zip::open(bytes).map_err(|error| damaged(&error))?;
    let folder = archive.names().find_map(|name| name.strip_suffix("/data.pkl")).map(str::to_owned);
    let folder = folder.ok_or_else(|| damaged(&"it holds no `data.pkl`"))?;
    let mut file = File {
        archive,
        folder,
        room: most_unpacked(bytes.len()),
        storage: (String::new(), Vec::new()),
        tensors: Vec::new(),
        unknown: None,
    };
    if let Ok(order) = file.entry("byteorder")
        && order != b"little"
    {
        return Err("expected numbers of little-endian bytes, found big-endian ones\nhelp: save the file anew on a usual machine".to_owned());
    }
    let value = pickle::read(&file.entry("data.pkl")?)?;
    file.collect("", value)?;
    match (file.tensors.is_empty(), file.unknown) {
        (true, Some(unknown)) => Err(format!(
            "expected tensors, found an object of `{unknown}` without any\nhelp: save the state_dict: `torch.save(model.state_dict(), \"weights.pt\")`"
        )),
        _ => Ok(file.tensors),
    }
}

struct File<'a> {
    archive: Zip<'a>,
    folder: String,
    /// How many bytes tensors may still have, as many may lie in one storage.
    room: usize,
    /// The one that was read last, by its key.
    storage: (String, Vec<u8>),
    tensors: Vec<Tensor>,
    /// A class that is not known.
    unknown: Option<String>,
}

impl File<'_> {
    fn entry(&mut self, name: &str) -> Result<Vec<u8>, String> {
        let path = format!("{}/{name}", self.folder);
        let read = self.archive.named(&path);
        read.map_err(|error| format!("cannot read `{}` in the file: {error}", path.escape_debug()))
    }

    /// All tensors in a value, under this path.
    fn collect(&mut self, path: &str, value: Value) -> Result<(), String> {
        let below = |key: &str| match (path, key) {
            // How a module keeps what is its own.
            (_, "_parameters" | "_buffers" | "_modules") => path.to_owned(),
            ("", _) => key.to_owned(),
            _ => format!("{path}.{key}"),
        };
        match value {
            Value::Pairs(pairs) => pairs.into_iter().try_for_each(|(key, value)| match key {
                Value::Text(key) => self.collect(&below(&key), value),
                Value::Int(key) => self.collect(&below(&key.to_string()), value),
                _ => Ok(()),
            }),
            Value::Items(items) => {
                items.into_iter().enumerate().try_for_each(|(i, value)| self.collect(&below(&i.to_string()), value))
            }
            Value::Object(name, parts) => {
                let [arguments, state] = *parts;
                match (name.as_str(), arguments) {
                    ("torch._utils._rebuild_tensor_v2", Value::Items(arguments)) => {
                        let tensor = self
                            .tensor(path, &arguments)
                            .map_err(|error| format!("`{}`: {error}", path.escape_debug()))?;
                        self.tensors.push(tensor);
                        Ok(())
                    }
                    (
                        "torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state",
                        Value::Items(mut arguments),
                    ) if !arguments.is_empty() => self.collect(path, arguments.swap_remove(0)),
                    (rebuilt, _) if rebuilt.starts_with("torch._utils._rebuild") => Err(format!(
                        "`{}`: expected a tensor of plain numbers, found one of `{rebuilt}`\nhelp: in Python: `tensor.to_dense()` or \
                         `tensor.dequantize()` before it is saved",
                        path.escape_debug()
                    )),
                    _ => {
                        if name != "collections.OrderedDict" && self.unknown.is_none() {
                            self.unknown = Some(name);
                        }
                        self.collect(path, state)
                    }
                }
            }
            _ => Ok(()),
        }
    }

    /// A tensor by what it would be rebuilt of: storage, offset, sizes, strides.
    fn tensor(&mut self, name: &str, arguments: &[Value]) -> Result<Tensor, String> {
        let [Value::Stored(stored), Value::Int(offset), Value::Items(shape), Value::Items(strides), ..] = arguments
        else {
            return Err("expected a storage, an offset, sizes and strides".to_owned());
        };
        let [Value::Text(_), Value::Global(kind), Value::Text(key), ..] = &stored[..] else {
            return Err("expected a storage by its type and key".to_owned());
        };
        let element =
            element(kind).ok_or_else(|| format!("expected numbers that are converted here, found `{kind}`"))?;
        let (shape, strides) = (sizes(shape)?, sizes(strides)?);
        let offset = usize::try_from(*offset).map_err(|_| "expected an offset of at least 0".to_owned())?;
        if self.storage.0 != *key {
            let bytes = self.entry(&format!("data/{key}"))?;
            self.storage = (key.clone(), bytes);
        }
        let size = Tensor::size(element, &shape).unwrap_or(usize::MAX);
        self.room = self.room.checked_sub(size).ok_or("expected tensors of at most 16 times the file's size")?;
        let bytes = gather(element, &shape, &strides, offset, &self.storage.1);
        let bytes = bytes.ok_or_else(|| {
            format!(
                "expected {shape:?} numbers from {offset} on, with strides {strides:?}, found a storage of {} bytes",
                self.storage.1.len()
            )
        })?;
        Ok(Tensor { name: name.to_owned(), element, shape, bytes })
    }
}

fn sizes(values: &[Value]) -> Result<Vec<usize>, String> {
    let size = |value: &Value| match value {
        Value::Int(size) => usize::try_from(*size).ok(),
        _ => None,
    };
    values
        .iter()
        .map(size)
        .collect::<Option<_>>()
        .ok_or_else(|| "expected sizes of whole numbers of at least 0".to_owned())
}

/// Numbers in row-major order out of a storage; none where they do not lie in it, or are more than it holds.
pub(super) fn gather(
    element: Element,
    shape: &[usize],
    strides: &[usize],
    offset: usize,
    storage: &[u8],
) -> Option<Vec<u8>> {
    let size = Tensor::size(element, shape)?;
    if size > storage.len() || shape.len() != strides.len() {
        return None;
    }
    let mut bytes = Vec::with_capacity(size);
    let mut at = vec![0; shape.len()];
    for _ in 0..size / element.bytes() {
        let steps =
            at.iter().zip(strides).try_fold(offset, |sum, (at, stride)| sum.checked_add(stride.checked_mul(*at)?))?;
        let first = steps.checked_mul(element.bytes())?;
        bytes.extend_from_slice(storage.get(first..first.checked_add(element.bytes())?)?);
        for axis in (0..shape.len()).rev() {
            at[axis] += 1;
            if at[axis] < shape[axis] {
                break;
            }
            at[axis] = 0;
        }
    }
    Some(bytes)
}

fn element(storage: &str) -> Option<Element> {
    Some(match storage {
        "torch.DoubleStorage" => Element::F64,
        "torch.FloatStorage" => Element::F32,
        "torch.HalfStorage" => Element::F16,
        "torch.BFloat16Storage" => Element::Bf16,
        "torch.LongStorage" => Element::I64,
        "torch.IntStorage" => Element::I32,
        "torch.ShortStorage" => Element::I16,
        "torch.CharStorage" => Element::I8,
        "torch.ByteStorage" => Element::U8,
        "torch.BoolStorage" => Element::Bool,
        _ => return None,
    })
}
