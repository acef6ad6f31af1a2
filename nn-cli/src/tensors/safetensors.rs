//! Safetensors, by the crate of that name.

use crate::tensor::{Element, Tensor};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

pub(super) fn read(bytes: &[u8]) -> Result<Vec<Tensor>, String> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| format!("expected a whole file of safetensors, found a damaged one: {error}"))?;
    let mut tensors = Vec::new();
    let mut all = file.tensors();
    // In the order in which they lie, which is the network's.
    all.sort_by_key(|(_, view)| view.data().as_ptr());
    for (name, view) in all {
        let element = element(view.dtype()).ok_or_else(|| {
            format!("`{}`: expected numbers that are converted here, found {:?}", name.escape_debug(), view.dtype())
        })?;
        tensors.push(Tensor { name, element, shape: view.shape().to_vec(), bytes: view.data().to_vec() });
    }
    Ok(tensors)
}

pub(super) fn write(tensors: &[Tensor]) -> Result<Vec<u8>, String> {
    let mut views = Vec::new();
    for tensor in tensors {
        let view = TensorView::new(dtype(tensor.element), tensor.shape.clone(), &tensor.bytes)
            .map_err(|error| format!("`{}`: {error}", tensor.name))?;
        views.push((&tensor.name, view));
    }
    safetensors::serialize(views, None).map_err(|error| error.to_string())
}

const KINDS: [(Dtype, Element); 10] = [
    (Dtype::F64, Element::F64),
    (Dtype::F32, Element::F32),
    (Dtype::F16, Element::F16),
    (Dtype::BF16, Element::Bf16),
    (Dtype::I64, Element::I64),
    (Dtype::I32, Element::I32),
    (Dtype::I16, Element::I16),
    (Dtype::I8, Element::I8),
    (Dtype::U8, Element::U8),
    (Dtype::BOOL, Element::Bool),
];

fn element(dtype: Dtype) -> Option<Element> {
    KINDS.iter().find(|(of, _)| *of == dtype).map(|(_, element)| *element)
}

fn dtype(element: Element) -> Dtype {
    KINDS.iter().find(|(_, of)| *of == element).map(|(dtype, _)| *dtype).expect("every element has one")
}
