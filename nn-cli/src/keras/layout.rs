//! How the parameters of a Keras layer lie here: kernels turned, gates in another order, three products as
//! one. In: a layer's class and the shapes of its arrays; out: for each parameter which number of which array
//! each of its numbers is, both ways.

use serde_json::Value;

use crate::tensor::{Element, Tensor};

/// A parameter as it is called and laid out here.
#[derive(Debug)]
pub struct Param {
    pub name: &'static str,
    pub shape: Vec<usize>,
    /// Its rows, block by block; none where Keras has no such parameter.
    blocks: Vec<Block>,
    /// What it is where Keras has none.
    fill: f32,
    /// Keras has its square.
    squared: bool,
}

/// Rows of a parameter, out of one array.
#[derive(Debug)]
struct Block {
    array: usize,
    rows: usize,
    begin: usize,
    /// How far apart in the array numbers are that are neighbours along each axis here.
    strides: Vec<usize>,
}

/// An array of a file: its type, its dimensions, its numbers.
pub struct Array {
    pub element: Element,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl Param {
    fn new(name: &'static str, shape: &[usize], array: usize, strides: &[usize]) -> Param {
        let block = Block { array, rows: shape[0], begin: 0, strides: strides.to_vec() };
        Param { name, shape: shape.to_vec(), blocks: vec![block], fill: 0.0, squared: false }
    }

    /// One array as it is.
    fn same(name: &'static str, array: usize, shape: &[usize]) -> Param {
        let strides: Vec<usize> = (0..shape.len()).map(|i| shape[i + 1..].iter().product()).collect();
        Param::new(name, shape, array, &strides)
    }

    fn filled(name: &'static str, len: usize, fill: f32) -> Param {
        Param { name, shape: vec![len], blocks: Vec::new(), fill, squared: false }
    }

    /// Gates of so many rows in this order.
    fn gates(name: &'static str, array: usize, order: &[usize], units: usize, [width, begin]: [usize; 2]) -> Param {
        let all = order.len() * units;
        let strides = if width == 0 { vec![1] } else { vec![1, all] };
        let block = |gate: &usize| Block { array, rows: units, begin: begin + gate * units, strides: strides.clone() };
        let shape = if width == 0 { vec![all] } else { vec![all, width] };
        Param { name, shape, blocks: order.iter().map(block).collect(), fill: 0.0, squared: false }
    }

    /// Calls `f` with the number here and the array and number there.
    fn each(&self, mut f: impl FnMut(usize, usize, usize)) {
        let inner = &self.shape[1..];
        let mut here = 0;
        for block in &self.blocks {
            let mut at = vec![0; inner.len()];
            for row in 0..block.rows {
                let begin = block.begin + row * block.strides[0];
                for _ in 0..inner.iter().product::<usize>() {
                    let there: usize = at.iter().zip(&block.strides[1..]).map(|(i, stride)| i * stride).sum();
                    f(here, block.array, begin + there);
                    here += 1;
                    for axis in (0..inner.len()).rev() {
                        at[axis] += 1;
                        if at[axis] < inner[axis] {
                            break;
                        }
                        at[axis] = 0;
                    }
                }
            }
        }
    }

    fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// The parameter out of the arrays.
    ///
    /// # Errors
    /// The arrays are of several types.
    pub fn read(&self, label: &str, arrays: &[Array]) -> Result<Tensor, String> {
        let name = if label.is_empty() { self.name.to_owned() } else { format!("{label}.{}", self.name) };
        let of = |block: &Block| arrays[block.array].element;
        let element = self.blocks.first().map_or(Element::F32, of);
        if self.blocks.iter().any(|block| of(block) != element) {
            return Err("expected arrays of one type".to_owned());
        }
        let size = element.bytes();
        let mut bytes = vec![0; self.len() * size];
        if self.blocks.is_empty() {
            bytes.chunks_exact_mut(4).for_each(|number| number.copy_from_slice(&self.fill.to_le_bytes()));
        }
        self.each(|here, array, there| {
            bytes[here * size..][..size].copy_from_slice(&arrays[array].bytes[there * size..][..size]);
        });
        if self.squared {
            each_f32(element, &mut bytes, f32::sqrt)?;
        }
        Ok(Tensor { name, element, shape: self.shape.clone(), bytes })
    }

    /// Puts a parameter of 32 bits into the arrays, added to what is there: two biases are one in Keras.
    pub fn write(&self, values: &[f32], arrays: &mut [Vec<f32>]) {
        self.each(|here, array, there| {
            arrays[array][there] += if self.squared { values[here] * values[here] } else { values[here] };
        });
    }

    /// Whether Keras has this parameter, and it is not what it is without.
    pub fn is_lost(&self, values: &[f32]) -> bool {
        self.blocks.is_empty() && values.iter().any(|value| *value != self.fill)
    }
}

fn each_f32(element: Element, bytes: &mut [u8], f: impl Fn(f32) -> f32) -> Result<(), String> {
    if element != Element::F32 {
        return Err(format!("expected numbers of 32 bits, found {element:?}"));
    }
    for number in bytes.as_chunks_mut::<4>().0 {
        *number = f(f32::from_le_bytes(*number)).to_le_bytes();
    }
    Ok(())
}

/// The parameters of a layer of this class, with arrays of these shapes in Keras's order. What a layer leaves
/// out is read in `config`, where it is known.
///
/// # Errors
/// No layer here has such parameters, or the shapes are another class's.
pub fn params(class: &str, shapes: &[&[usize]], config: Option<&Value>) -> Result<Vec<Param>, String> {
    let said = |name: &str| config.and_then(|config| config.get(name)).and_then(Value::as_bool);
    let unfit = || format!("expected the arrays of `{class}`, found shapes {shapes:?}");
    let bias = |name, at: usize, units: usize| match shapes.get(at) {
        None => Ok(None),
        Some([len]) if *len == units => Ok(Some(Param::same(name, at, &[units]))),
        Some(_) => Err(unfit()),
    };
    let no_more_than = |count: usize| if shapes.len() <= count { Ok(()) } else { Err(unfit()) };
    let mut made = Vec::new();
    match (class, shapes) {
        ("Dense", [[inputs, units], ..]) => {
            no_more_than(2)?;
            made.push(Param::new("weight", &[*units, *inputs], 0, &[1, *units]));
            made.extend(bias("bias", 1, *units)?);
        }
        ("Conv1D", [[k, i, o], ..]) => {
            no_more_than(2)?;
            made.push(Param::new("weight", &[*o, *i, *k], 0, &[1, *o, i * o]));
            made.extend(bias("bias", 1, *o)?);
        }
        ("Conv2D", [[h, w, i, o], ..]) => {
            no_more_than(2)?;
            made.push(Param::new("weight", &[*o, *i, *h, *w], 0, &[1, *o, w * i * o, i * o]));
            made.extend(bias("bias", 1, *o)?);
        }
        ("DepthwiseConv2D", [[h, w, i, m], ..]) => {
            no_more_than(2)?;
            made.push(Param::new("weight", &[i * m, 1, *h, *w], 0, &[1, 0, w * i * m, i * m]));
            made.extend(bias("bias", 1, i * m)?);
        }
        ("SeparableConv2D", [[h, w, i, m], [1, 1, im, o], ..]) if *im == i * m => {
            no_more_than(3)?;
            made.push(Param::new("depthwise.weight", &[*im, 1, *h, *w], 0, &[1, 0, w * im, *im]));
            made.push(Param::new("pointwise.weight", &[*o, *im, 1, 1], 1, &[1, *o, 0, 0]));
            made.extend(bias("pointwise.bias", 2, *o)?);
        }
        ("Conv1DTranspose", [[k, o, i], ..]) => {
            no_more_than(2)?;
            made.push(Param::new("weight", &[*i, *o, *k], 0, &[1, *i, o * i]));
            made.extend(bias("bias", 1, *o)?);
        }
        ("Conv2DTranspose", [[h, w, o, i], ..]) => {
            no_more_than(2)?;
            made.push(Param::new("weight", &[*i, *o, *h, *w], 0, &[1, *i, w * o * i, o * i]));
            made.extend(bias("bias", 1, *o)?);
        }
        ("BatchNormalization", [.., [n], [m]]) if n == m => {
            made = affine(shapes, &[*n], shapes.len() - 2, said("scale"), said("center")).ok_or_else(unfit)?;
            made.push(Param::same("running_mean", shapes.len() - 2, &[*n]));
            made.push(Param::same("running_var", shapes.len() - 1, &[*n]));
        }
        ("LayerNormalization", [shape, ..]) if said("rms_scaling") == Some(true) => {
            no_more_than(1)?;
            made.push(Param::same("weight", 0, shape));
        }
        ("LayerNormalization", [shape, ..]) if !shape.is_empty() => {
            made = affine(shapes, shape, shapes.len(), said("scale"), said("center")).ok_or_else(unfit)?;
        }
        ("GroupNormalization", [[n], ..]) => {
            made = affine(shapes, &[*n], shapes.len(), said("scale"), said("center")).ok_or_else(unfit)?;
        }
        ("LayerNormalization" | "GroupNormalization", []) => {}
        ("RMSNormalization", [[n]]) => made.push(Param::same("weight", 0, &[*n])),
        ("Embedding", [[rows, features]]) => made.push(Param::same("weight", 0, &[*rows, *features])),
        ("PReLU", [[.., n] | [n]]) if shapes[0].iter().product::<usize>() == *n => {
            made.push(Param::same("weight", 0, &[*n]));
        }
        ("PReLU", [_]) => {
            let help = "help: make it with `shared_axes`, all but the channels";
            return Err(format!("expected one slope for each channel, found slopes of {:?}\n{help}", shapes[0]));
        }
        ("Normalization", [[n], [m], []]) if n == m => {
            made.push(Param::same("mean", 0, &[*n]));
            made.push(Param { squared: true, ..Param::same("std", 1, &[*n]) });
        }
        ("LSTM" | "GRU" | "SimpleRNN", _) => made = cell(class, shapes, 0, 0).ok_or_else(unfit)?,
        ("MultiHeadAttention", _) => made = attention(shapes).ok_or_else(unfit)??,
        _ => {
            if let Some(of) = class.strip_prefix("Bidirectional ") {
                let half = shapes.len() / 2;
                if shapes.len() != 2 * half || shapes[..half] != shapes[half..] {
                    return Err(unfit());
                }
                for way in 0..2 {
                    made.extend(cell(of, &shapes[..half], way * half, way).ok_or_else(unfit)?);
                }
            } else {
                return Err(format!("no layer has the arrays of `{class}`, of shapes {shapes:?}"));
            }
        }
    }
    Ok(made)
}

/// Weight and bias, of which one may be left out; both or neither are there here.
fn affine(
    shapes: &[&[usize]],
    shape: &[usize],
    count: usize,
    scale: Option<bool>,
    center: Option<bool>,
) -> Option<Vec<Param>> {
    if shapes[..count].iter().any(|other| *other != shape) {
        return None;
    }
    let flat: usize = shape.iter().product();
    let filled = |name, fill| Param { shape: shape.to_vec(), ..Param::filled(name, flat, fill) };
    match (count, scale, center) {
        (0, ..) => Some(Vec::new()),
        (1, Some(true), _) => Some(vec![Param::same("weight", 0, shape), filled("bias", 0.0)]),
        (1, Some(false), _) | (1, None, Some(true)) => Some(vec![filled("weight", 1.0), Param::same("bias", 0, shape)]),
        (2, ..) => Some(vec![Param::same("weight", 0, shape), Param::same("bias", 1, shape)]),
        _ => None,
    }
}

const NAMES: [[&str; 4]; 2] = [
    ["weight_ih", "weight_hh", "bias_ih", "bias_hh"],
    ["weight_ih_reverse", "weight_hh_reverse", "bias_ih_reverse", "bias_hh_reverse"],
];

/// A recurrence's parameters: the gates i, f, c, o are here as they are; z, r, h become r, z, n.
fn cell(class: &str, shapes: &[&[usize]], first: usize, way: usize) -> Option<Vec<Param>> {
    let order: &[usize] = match class {
        "LSTM" => &[0, 1, 2, 3],
        "GRU" => &[1, 0, 2],
        _ => &[0],
    };
    let ([width, all], [units, again]) =
        ([shapes.first()?.first()?, shapes[0].get(1)?], [shapes.get(1)?.first()?, shapes[1].get(1)?]);
    if shapes[0].len() != 2 || shapes[1].len() != 2 || all != again || units * order.len() != *all || *units == 0 {
        return None;
    }
    let [ih, hh, bias_ih, bias_hh] = NAMES[way];
    let mut made = vec![
        Param::gates(ih, first, order, *units, [*width, 0]),
        Param::gates(hh, first + 1, order, *units, [*units, 0]),
    ];
    match shapes.get(2) {
        None => {}
        // The input's bias, and the state's.
        Some([2, len]) if class == "GRU" && len == all => {
            made.push(Param::gates(bias_ih, first + 2, order, *units, [0, 0]));
            made.push(Param::gates(bias_hh, first + 2, order, *units, [0, *all]));
        }
        // One for both: of a GRU, that of `reset_after=False`.
        Some([len]) if len == all => {
            made.push(Param::gates(bias_ih, first + 2, order, *units, [0, 0]));
            made.push(Param::filled(bias_hh, *all, 0.0));
        }
        Some(_) => return None,
    }
    if shapes.len() > 3 {
        return None;
    }
    Some(made)
}

/// Query, key, value and output, each a kernel and perhaps a bias, as one product and another.
fn attention(shapes: &[&[usize]]) -> Option<Result<Vec<Param>, String>> {
    let bias = match shapes.len() {
        4 => false,
        8 => true,
        _ => return None,
    };
    let step = 1 + usize::from(bias);
    let kernel = |k: usize| shapes[k * step];
    let [features, heads, each] = kernel(0)[..] else { return None };
    let width = heads * each;
    let fits = (0..3).all(|k| kernel(k) == [features, heads, each]) && kernel(3) == [heads, each, features];
    if !fits || width != features {
        let help = "help: the nearest is `MultiHeadAttention(heads)`: `key_dim = features / heads`";
        let found: Vec<&[usize]> = (0..4).map(kernel).collect();
        return Some(Err(format!("expected heads that share the features, found kernels of {found:?}\n{help}")));
    }
    let of = |k: usize, begin: usize, strides: &[usize]| Block {
        array: k * step + begin,
        rows: width,
        begin: 0,
        strides: strides.to_vec(),
    };
    let joined = |name, shape: Vec<usize>, begin: usize, strides: &[usize]| Param {
        name,
        shape,
        blocks: (0..3).map(|k| of(k, begin, strides)).collect(),
        fill: 0.0,
        squared: false,
    };
    let mut made = vec![joined("in_proj_weight", vec![3 * width, features], 0, &[1, width])];
    if bias {
        let fits = (0..3).all(|k| shapes[k * 2 + 1] == [heads, each]) && shapes[7] == [features];
        if !fits {
            return None;
        }
        made.push(joined("in_proj_bias", vec![3 * width], 1, &[1]));
    }
    made.push(Param::new("out_proj.weight", &[features, width], 3 * step, &[1, features]));
    if bias {
        made.push(Param::same("out_proj.bias", 7, &[features]));
    }
    Some(Ok(made))
}
