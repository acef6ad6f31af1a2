//! One graph to be tested: its declaration, and the numbers it is given. In: a seed; out: the program, its
//! source, parameters, samples, targets. Numbers are drawn so that none comes near a place without a
//! gradient.

use std::collections::BTreeMap;
use std::fmt::Write;

use nn_tests::numbers::wide;

use crate::codegen;
use crate::draw;
use crate::graph::{Curve, Kind, Net, Program, Tensor, ValueKind};
use crate::interpreter::{Interpreter, Params};
use crate::rng::Rng;

/// How many samples there are; a batch of one holds the first.
pub const SAMPLES: usize = 3;
/// The least distance of any number from where gradients cannot be compared (see `formulas`).
const MARGIN: f64 = 2e-4;
/// The most parameters that are compared, as each is moved in turn.
const MOST_PARAMS: usize = 8000;

pub struct Case {
    pub seed: u64,
    pub program: Program,
    pub source: String,
    pub tensors: Vec<Tensor>,
    pub params: BTreeMap<String, Vec<f32>>,
    /// By input, `[samples, …]`.
    pub x: Vec<Vec<f32>>,
    /// By output, `[samples, …]`.
    pub dy: Vec<Vec<f32>>,
    pub losses: Vec<Loss>,
    /// By output: values, or one class for each sample.
    pub targets: Vec<Vec<f32>>,
}

/// The loss of an output, by what is left out of it where the network ends so.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Loss {
    Squares,
    Scores,
    Softmax,
    LogSoftmax,
    Sigmoid,
}

/// The declaration of a seed, without numbers.
pub fn declare(seed: u64) -> (Program, String) {
    let program = draw::program(seed);
    let source = codegen::source(&program, seed);
    (program, source)
}

impl Case {
    /// `None` where there are too many parameters, or no numbers can be found that are away from edges.
    pub fn new(seed: u64) -> Option<Case> {
        let (program, source) = declare(seed);
        let top = program.top();
        let mut tensors = Vec::new();
        top.tensors(&program.nets, "", false, &mut tensors);
        if tensors.iter().map(|tensor| tensor.shape.iter().product::<usize>()).sum::<usize>() > MOST_PARAMS {
            return None;
        }

        let mut rng = Rng::new(seed ^ 0xda7a);
        let mut best = draw_numbers(&mut rng, &program, &tensors);
        for _ in 0..200 {
            if best.2 > MARGIN {
                break;
            }
            let next = draw_numbers(&mut rng, &program, &tensors);
            if next.2 > best.2 {
                best = next;
            }
        }
        let (params, x, margin) = best;
        if margin <= MARGIN {
            return None;
        }

        let widths: Vec<usize> = top.output_shapes().iter().map(|shape| shape.iter().product()).collect();
        let dy = widths.iter().map(|width| rng.reals(SAMPLES * width, 1.0)).collect();
        let losses: Vec<Loss> = top.outputs.iter().map(|(_, value)| loss(&program, top, *value, seed)).collect();
        let targets = losses.iter().zip(&widths).map(|(loss, &width)| match loss {
            Loss::Squares => rng.reals(SAMPLES * width, 1.0),
            Loss::Sigmoid => rng.reals(SAMPLES * width, 0.5).iter().map(|t| t + 0.5).collect(),
            _ => (0..SAMPLES).map(|_| rng.below(width) as f32).collect(),
        });
        let targets = targets.collect();
        Some(Case { seed, tensors, params, x, dy, losses, targets, program, source })
    }

    /// Parameters in double precision.
    pub fn wide_params(&self) -> Params {
        Params { all: self.params.iter().map(|(name, values)| (name.clone(), wide(values))).collect(), moved: None }
    }

    /// The inputs of a sample in double precision.
    pub fn sample(&self, s: usize) -> Vec<Vec<f64>> {
        sample(&self.x, s)
    }

    /// The file that the compiled half reads.
    pub fn numbers_file(&self) -> String {
        let mut text = String::new();
        let mut line = |key: String, values: &[f32]| {
            let values: Vec<String> = values.iter().map(f32::to_string).collect();
            writeln!(text, "{key} {}", values.join(" ")).expect("text takes text");
        };
        for (name, values) in &self.params {
            line(format!("param:{name}"), values);
        }
        for batch in [1, SAMPLES] {
            for (key, all) in [("x", &self.x), ("dy", &self.dy)] {
                for (k, values) in all.iter().enumerate() {
                    line(format!("{key}{batch}_{k}"), &values[..values.len() / SAMPLES * batch]);
                }
            }
        }
        for (j, target) in self.targets.iter().enumerate() {
            line(format!("t{j}"), target);
        }
        text
    }

    /// Whether a step moves anything: a parameter, or a statistic that follows the batches.
    pub fn learns(&self) -> bool {
        self.tensors.iter().any(|tensor| !tensor.frozen)
    }

    /// The module that is compiled.
    pub fn module(&self) -> String {
        let top = self.program.top();
        let widths: Vec<usize> = top.output_shapes().iter().map(|shape| shape.iter().product()).collect();
        let (mut losses, mut targets) = (Vec::new(), Vec::new());
        for (j, (loss, width)) in self.losses.iter().zip(&widths).enumerate() {
            let (loss, target) = match loss {
                Loss::Squares => {
                    ("Mse::new()", format!("Samples::into_values((numbers.get(\"t{j}\"), {width})).unwrap()"))
                }
                Loss::Sigmoid => (
                    "BinaryCrossEntropy::new()",
                    format!("Samples::into_values((numbers.get(\"t{j}\"), {width})).unwrap()"),
                ),
                _ => (
                    "CrossEntropy::new()",
                    format!("Labels::new(numbers.get(\"t{j}\").iter().map(|&t| t as u32)).unwrap()"),
                ),
            };
            losses.push(loss.to_owned());
            targets.push(target);
        }
        let tuple = |all: Vec<String>| if all.len() == 1 { all[0].clone() } else { format!("({})", all.join(", ")) };
        let (losses, targets) = (tuple(losses), tuple(targets));
        let mut data = String::new();
        for (k, shape) in top.input_shapes().iter().enumerate() {
            let input = format!("(numbers.get(\"x{SAMPLES}_{k}\"), {})", shape.iter().product::<usize>());
            data += &match k {
                0 => format!("Dataset::new({input}, {targets}).unwrap()"),
                _ => format!(".with_input({input}).unwrap()"),
            };
        }
        let check = if self.learns() {
            "loss.unwrap();"
        } else {
            // A network with nothing to learn is refused, and nothing of it changes.
            "assert!(loss.unwrap_err().to_string().contains(\"a network with parameters to train\"));"
        };
        format!(
            "#[allow(unused_imports)]\nuse nn_runtime::data::Samples;\nuse nn_runtime::prelude::*;\n\nuse crate::generated_main::{{Numbers, print_gradients, print_params, stream}};\n\n{}\n\
            pub fn run(numbers: &Numbers) {{\n    print_gradients::<Top>(numbers, {}, &{widths:?});\n    stream::<Top>(numbers, {}, {});\n    let data = {data};\n    \
            for (key, data) in [(\"stepped\", &data), (\"alone\", &data.select(&[0]))] {{\n        \
            let mut model = numbers.model::<Top>();\n        \
            let loss = Trainer::new(&mut model, {losses}, Sgd::new(1.0)).step(data);\n        {check}\n        print_params(key, &model);\n    }}\n}}\n",
            self.source,
            top.inputs.len(),
            top.inputs.len(),
            top.shapes[0][0]
        )
    }
}

pub fn sample(all: &[Vec<f32>], s: usize) -> Vec<Vec<f64>> {
    all.iter().map(|values| wide(&values[s * (values.len() / SAMPLES)..][..values.len() / SAMPLES])).collect()
}

type Drawn = (BTreeMap<String, Vec<f32>>, Vec<Vec<f32>>, f64);

/// Parameters, inputs, and their margin.
fn draw_numbers(rng: &mut Rng, program: &Program, tensors: &[Tensor]) -> Drawn {
    let size = rng.pick(&[1.0, 0.7, 0.4]);
    let params: BTreeMap<String, Vec<f32>> = tensors
        .iter()
        .map(|Tensor { name, shape, .. }| {
            if name.ends_with("running_var") {
                let drawn = rng.reals(shape.iter().product(), 0.6);
                return (name.clone(), drawn.into_iter().map(|x| x + 1.0).collect());
            }
            let size = match shape[..] {
                [_, features] => 1.4 * size / (features as f32).sqrt(),
                [_, features, kernel] => 1.4 * size / ((features * kernel) as f32).sqrt(),
                [_, channels, kernel, _] => 1.4 * size / ((channels * kernel * kernel) as f32).sqrt(),
                _ => 0.5,
            };
            (name.clone(), rng.reals(shape.iter().product(), size))
        })
        .collect();
    let top = program.top();
    let inputs = top.input_shapes().iter().zip(&top.value_kinds);
    let x: Vec<Vec<f32>> = inputs
        .map(|(shape, value_kind)| {
            let len = SAMPLES * shape.iter().product::<usize>();
            match *value_kind {
                ValueKind::Numbers => rng.reals(len, 1.5 * size),
                // Padding stands anywhere; now and then there is nothing else.
                ValueKind::Mask => (0..len).map(|_| f32::from(u8::from(rng.chance(65)))).collect(),
                ValueKind::Ids(count) => (0..len).map(|_| rng.below(count) as f32).collect(),
            }
        })
        .collect();
    let all = Params { all: params.iter().map(|(name, values)| (name.clone(), wide(values))).collect(), moved: None };
    let mut interpreter = Interpreter::new(program);
    let samples: Vec<_> = (0..SAMPLES).map(|s| sample(&x, s)).collect();
    for sample in &samples {
        interpreter.outputs(&all, sample);
    }
    interpreter.train(&all, &samples);
    (params, x, interpreter.margin)
}

/// The loss that goes with what makes a value: every one of them where it may be left out, squares otherwise.
fn loss(program: &Program, net: &Net, value: usize, seed: u64) -> Loss {
    let Some(site) = net.writer(value).filter(|_| net.readers(value) == 0) else { return Loss::Squares };
    let shape = &net.shapes[site.y];
    let classes = shape.len() == 1 && shape[0] > 1;
    match &site.kind {
        Kind::Softmax if classes && any_number(net, site.x[0]) => Loss::Softmax,
        Kind::LogSoftmax if classes && any_number(net, site.x[0]) => Loss::LogSoftmax,
        Kind::Curve(Curve::Sigmoid) if site.repeats() == 1 && any_number(net, site.x[0]) => Loss::Sigmoid,
        Kind::Dense { .. } if classes && seed.is_multiple_of(2) => Loss::Scores,
        Kind::Net(inner) if program.nets[*inner].outputs.len() == 1 => {
            let inner = &program.nets[*inner];
            loss(program, inner, inner.outputs[0].1, seed)
        }
        _ => Loss::Squares,
    }
}

/// Whether what a last layer makes probabilities of may be any number: what an activation has cut before is
/// refused by losses on classes. Said of fewer values than it is true of.
fn any_number(net: &Net, value: usize) -> bool {
    net.writer(value).is_some_and(|site| match site.kind {
        Kind::Dense { .. } | Kind::DensePerStep { .. } | Kind::CausalConv { .. } => true,
        Kind::Flatten | Kind::Reshape(_) => any_number(net, site.x[0]),
        _ => false,
    })
}
