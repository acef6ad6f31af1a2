//! Formulas: an operator for each step, or the one operator that is the whole formula.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::onnx::graph::Attribute;
use crate::onnx::site::OnnxSite;
use crate::spec::FormulaStep;
use FormulaStep::{Binary, Learnt, Number, Power, Select, Setting, Unary, X};

pub(super) fn formula(site: &mut OnnxSite, steps: &[FormulaStep], settings: &[f32]) -> String {
    match whole(steps, settings) {
        Some((operator, attributes)) => {
            let x = site.x[0].clone();
            site.node_with(operator, &[&x], &attributes)
        }
        None => by_steps(site, steps, settings),
    }
}

/// The operator that is the whole formula, with its attributes.
fn whole(steps: &[FormulaStep], settings: &[f32]) -> Option<(&'static str, Vec<(&'static str, Attribute)>)> {
    let text = ShownFormula { steps, settings }.step(steps.len() - 1, &mut Vec::new());
    let mut numbers = Vec::new();
    ShownFormula { steps, settings }.step(steps.len() - 1, &mut numbers);
    let float = |name, value| (name, Attribute::Float(value));
    Some(match (text.as_str(), &numbers[..]) {
        ("max(#, x)" | "max(x, #)", [0.0]) => ("Relu", Vec::new()),
        ("if gt(x, #) x else mul(#, x)", [0.0, slope]) => ("LeakyRelu", [float("alpha", *slope)].into()),
        ("if gt(x, #) x else mul(#, expm1(x))", [0.0, alpha]) => ("Elu", [float("alpha", *alpha)].into()),
        ("if gt(x, #) x else expm1(x)", [0.0]) => ("Elu", [float("alpha", 1.0)].into()),
        ("if gt(x, #) mul(#, x) else mul(#, expm1(x))", [0.0, scale, depth]) => {
            ("Selu", [float("alpha", depth / scale), float("gamma", *scale)].into())
        }
        // Its own alpha is 0.2 where none is written.
        ("if le(x, #) # else if ge(x, #) # else add(#, mul(#, x))", [-3.0, 0.0, 3.0, 1.0, beta, alpha]) => {
            ("HardSigmoid", [float("alpha", *alpha), float("beta", *beta)].into())
        }
        ("if le(x, #) # else if ge(x, #) x else mul(#, mul(x, add(#, x)))", [-3.0, 0.0, 3.0, sixth, 3.0])
            if *sixth == 1.0 / 6.0 =>
        {
            ("HardSwish", Vec::new())
        }
        ("div(softplus(mul(#, x)), #)", [1.0, 1.0]) => ("Softplus", Vec::new()),
        _ => return None,
    })
}

/// A formula as text, in which all numbers look alike, and those numbers.
struct ShownFormula<'a> {
    steps: &'a [FormulaStep],
    settings: &'a [f32],
}

impl ShownFormula<'_> {
    fn step(&self, at: usize, numbers: &mut Vec<f32>) -> String {
        let mut of = |step: usize| self.step(step, numbers);
        match self.steps[at] {
            X => "x".to_string(),
            Unary(name, a) => alloc::format!("{name}({})", of(a)),
            Binary(name, a, b) => {
                let a = of(a);
                alloc::format!("{name}({a}, {})", of(b))
            }
            Power(a, n) => alloc::format!("{}^{n}", of(a)),
            Select(condition, a, b) => {
                let (condition, a) = (of(condition), of(a));
                alloc::format!("if {condition} {a} else {}", of(b))
            }
            Learnt(_) => "learnt".to_string(),
            Number(value) => {
                numbers.push(value);
                "#".to_string()
            }
            Setting(k) => {
                numbers.push(self.settings[k]);
                "#".to_string()
            }
        }
    }
}

fn by_steps(site: &mut OnnxSite, steps: &[FormulaStep], settings: &[f32]) -> String {
    let mut values: Vec<String> = Vec::new();
    for step in steps {
        let value = match *step {
            X => site.x[0].clone(),
            Number(value) => site.number("number", value),
            Setting(k) => site.number("setting", settings[k]),
            Learnt(k) => {
                let name = site.spec.params.list()[k].name;
                site.param(name)
            }
            Unary(name, a) => {
                let a = values[a].clone();
                unary(site, name, &a)
            }
            Binary(name, a, b) => {
                let (a, b) = (values[a].clone(), values[b].clone());
                binary(site, name, &a, &b)
            }
            Power(a, n) => {
                let (a, n) = (values[a].clone(), site.number("power", n as f32));
                site.node("Pow", &[&a, &n])
            }
            Select(condition, a, b) => {
                let [condition, a, b] = [condition, a, b].map(|step| values[step].clone());
                site.node("Where", &[&condition, &a, &b])
            }
        };
        values.push(value);
    }
    let y = values.pop().unwrap_or_default();
    // A formula may not hold its argument, or be it.
    match steps.last() {
        Some(X | Number(_) | Setting(_) | Learnt(_)) => {
            let (x, zero) = (site.x[0].clone(), site.number("zero", 0.0));
            let zeros = site.node("Mul", &[&x, &zero]);
            if matches!(steps.last(), Some(X)) { y } else { site.node("Add", &[&zeros, &y]) }
        }
        _ => y,
    }
}

fn unary(site: &mut OnnxSite, name: &str, a: &str) -> String {
    let operator = match name {
        "neg" => "Neg",
        "abs" => "Abs",
        "sign" => "Sign",
        "exp" => "Exp",
        "ln" => "Log",
        "sqrt" => "Sqrt",
        "sin" => "Sin",
        "cos" => "Cos",
        "sinh" => "Sinh",
        "cosh" => "Cosh",
        "tanh" => "Tanh",
        "sigmoid" => "Sigmoid",
        "softplus" => "Softplus",
        "erf" => "Erf",
        "not" => "Not",
        "expm1" => {
            // 2t / (1 - t) with t = tanh(a / 2), which has all digits near 0; further up as it is written.
            let [half, one, two] = [0.5, 1.0, 2.0].map(|value| site.number("number", value));
            let halved = site.node("Mul", &[a, &half]);
            let t = site.node("Tanh", &[&halved]);
            let (above, below) = (site.node("Mul", &[&t, &two]), site.node("Sub", &[&one, &t]));
            let near = site.node("Div", &[&above, &below]);
            let exp = site.node("Exp", &[a]);
            let far = site.node("Sub", &[&exp, &one]);
            let is_near = site.node("Less", &[a, &one]);
            return site.node("Where", &[&is_near, &near, &far]);
        }
        "ln_1p" => {
            let one = site.number("one", 1.0);
            let sum = site.node("Add", &[a, &one]);
            return site.node("Log", &[&sum]);
        }
        "ln_cosh" => {
            // |a| + softplus(-2 |a|) - ln 2
            let (size, minus_two) = (site.node("Abs", &[a]), site.number("minus_two", -2.0));
            let argument = site.node("Mul", &[&size, &minus_two]);
            let (soft, ln_2) = (site.node("Softplus", &[&argument]), site.number("ln_2", core::f32::consts::LN_2));
            let sum = site.node("Add", &[&size, &soft]);
            return site.node("Sub", &[&sum, &ln_2]);
        }
        _ => unreachable!("formulas have no function `{name}`"),
    };
    site.node(operator, &[a])
}

fn binary(site: &mut OnnxSite, name: &str, a: &str, b: &str) -> String {
    let operator = match name {
        "add" => "Add",
        "sub" => "Sub",
        "mul" => "Mul",
        "div" => "Div",
        "max" => "Max",
        "min" => "Min",
        "powf" => "Pow",
        "lt" => "Less",
        "le" => "LessOrEqual",
        "gt" => "Greater",
        "ge" => "GreaterOrEqual",
        "eq" => "Equal",
        "and" => "And",
        "or" => "Or",
        "ln_add_exp" => {
            // max(a, b) + softplus(-|a - b|)
            let (largest, apart) = (site.node("Max", &[a, b]), site.node("Sub", &[a, b]));
            let apart = site.node("Abs", &[&apart]);
            let apart = site.node("Neg", &[&apart]);
            let more = site.node("Softplus", &[&apart]);
            return site.node("Add", &[&largest, &more]);
        }
        _ => unreachable!("formulas have no operator `{name}`"),
    };
    site.node(operator, &[a, b])
}
