//! Formulas of the program's own, drawn as trees. In: random numbers; out: each as `activation!` spells it,
//! and what it means in double precision. It knows no derivative.

use crate::rng::Rng;

/// A function of one number.
#[derive(PartialEq, Debug)]
pub struct Formula {
    /// As it is declared, and the type that it becomes.
    pub name: &'static str,
    pub word: &'static str,
    pub setting: Setting,
    body: Expr,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Setting {
    None,
    /// A constant, unless another is given.
    Constant(f64),
    /// What a parameter begins with.
    Learnt(f64),
}

impl Setting {
    pub const CONSTANT: &str = "beta";
    pub const LEARNT: &str = "alpha";
}

#[derive(PartialEq, Debug)]
enum Expr {
    X,
    /// The setting.
    K(&'static str),
    Number(f64),
    Unary(Unary, Box<Expr>),
    Binary(Binary, Box<[Expr; 2]>),
    /// Which of the last two, by comparing the first two.
    If(&'static str, Box<[Expr; 4]>),
}

/// A function of one, however it is written.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Unary {
    Neg,
    Abs,
    AbsAsRoot,
    Relu,
    Sin,
    Cos,
    Exp,
    Erf,
    Square,
    Cube,
    Hypot,
    Recip,
    Log,
    Sigmoid,
    SigmoidAsExp,
    Softplus,
    SoftplusAsExp,
    Tanh,
    TanhAsExp,
}

/// A function of two.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Max,
    Min,
}

const UNARY: [Unary; 19] = [
    Unary::Neg,
    Unary::Abs,
    Unary::AbsAsRoot,
    Unary::Relu,
    Unary::Sin,
    Unary::Cos,
    Unary::Exp,
    Unary::Erf,
    Unary::Square,
    Unary::Cube,
    Unary::Hypot,
    Unary::Recip,
    Unary::Log,
    Unary::Sigmoid,
    Unary::SigmoidAsExp,
    Unary::Softplus,
    Unary::SoftplusAsExp,
    Unary::Tanh,
    Unary::TanhAsExp,
];
const BINARY: [Binary; 8] =
    [Binary::Add, Binary::Add, Binary::Sub, Binary::Mul, Binary::Mul, Binary::Div, Binary::Max, Binary::Min];

/// Unary without a setting, one with a constant, one that learns.
pub fn formulas(rng: &mut Rng) -> Vec<Formula> {
    let settings = [Setting::None, Setting::Constant(number(rng)), Setting::Learnt(number(rng))];
    let names = [("plain", "Plain"), ("well_tuned", "WellTuned"), ("bent", "Bent")];
    let all = settings.into_iter().zip(names).map(|(setting, (name, word))| {
        let setting_name = match setting {
            Setting::None => None,
            Setting::Constant(_) => Some(Setting::CONSTANT),
            Setting::Learnt(_) => Some(Setting::LEARNT),
        };
        // What is declared must be used.
        let body = loop {
            let body = draw(rng, setting_name, 3);
            if body.holds(&Expr::X) && setting_name.is_none_or(|name| body.holds(&Expr::K(name))) {
                break body;
            }
        };
        Formula { name, word, setting, body }
    });
    all.collect()
}

/// A quarter or a few, never 0: the same in 32 bits.
pub fn number(rng: &mut Rng) -> f64 {
    0.25 * rng.between(1, 8) as f64
}

fn draw(rng: &mut Rng, setting: Option<&'static str>, depth: usize) -> Expr {
    let kind = if depth == 0 { 0 } else { rng.below(10) };
    let part = |rng: &mut Rng| draw(rng, setting, depth - 1);
    match kind {
        0 | 1 => match (rng.below(10), setting) {
            (0..2, Some(name)) => Expr::K(name),
            (2..4, _) => Expr::Number(number(rng)),
            _ => Expr::X,
        },
        2..=5 => Expr::Unary(rng.pick(&UNARY), Box::new(part(rng))),
        6..=8 => Expr::Binary(rng.pick(&BINARY), Box::new([part(rng), part(rng)])),
        _ => {
            let how = rng.pick(&["<", "<=", ">", ">="]);
            Expr::If(how, Box::new([part(rng), part(rng), part(rng), part(rng)]))
        }
    }
}

impl Formula {
    /// The declaration.
    pub fn source(&self) -> String {
        let setting = match self.setting {
            Setting::None => String::new(),
            Setting::Constant(begin) => format!("; {} = {begin:?}", Setting::CONSTANT),
            Setting::Learnt(begin) => format!("; learn {} = {begin:?}", Setting::LEARNT),
        };
        format!("activation! {{ {}(x{setting}) = {} }}\n", self.name, self.body.text())
    }

    /// Its value; `margin` falls to how near a number came to a corner, or to where 32 bits lose it.
    pub fn value(&self, x: f64, setting: f64, margin: &mut f64) -> f64 {
        self.body.value(x, setting, margin)
    }
}

impl Expr {
    fn parts(&self) -> &[Expr] {
        match self {
            Expr::X | Expr::K(_) | Expr::Number(_) => &[],
            Expr::Unary(_, part) => std::slice::from_ref(part),
            Expr::Binary(_, parts) => &parts[..],
            Expr::If(_, parts) => &parts[..],
        }
    }

    fn holds(&self, what: &Expr) -> bool {
        self == what || self.parts().iter().any(|part| part.holds(what))
    }

    fn text(&self) -> String {
        let text: Vec<String> = self.parts().iter().map(Expr::text).collect();
        match (self, &text[..]) {
            (Expr::X, _) => "x".to_owned(),
            (Expr::K(name), _) => (*name).to_owned(),
            (Expr::Number(number), _) => format!("{number:?}"),
            (Expr::Unary(one, _), [a]) => one.text(a),
            (Expr::Binary(two, _), [a, b]) => match two {
                Binary::Add => format!("({a} + {b})"),
                Binary::Sub => format!("({a} - {b})"),
                Binary::Mul => format!("{a} * {b}"),
                Binary::Div => format!("({a} / (1.0 + {b} * {b}))"),
                Binary::Max => format!("max({a}, {b})"),
                Binary::Min => format!("({a}).min({b})"),
            },
            (Expr::If(how, _), [a, b, c, d]) => format!("(if {a} {how} {b} {{ {c} }} else {{ {d} }})"),
            _ => unreachable!("as many parts as it takes"),
        }
    }

    fn value(&self, x: f64, k: f64, margin: &mut f64) -> f64 {
        let mut of = |part: &Expr| part.value(x, k, margin);
        let value = match self {
            Expr::X => x,
            Expr::K(_) => k,
            Expr::Number(number) => *number,
            Expr::Unary(one, a) => {
                let a = of(a);
                if matches!(one, Unary::Abs | Unary::AbsAsRoot | Unary::Relu) {
                    apart(a, 0.0, margin);
                }
                one.value(a)
            }
            Expr::Binary(two, parts) => {
                let [a, b] = parts.each_ref().map(of);
                match two {
                    Binary::Add => a + b,
                    Binary::Sub => a - b,
                    Binary::Mul => a * b,
                    Binary::Div => a / (1.0 + b * b),
                    Binary::Max | Binary::Min => {
                        // What is equal by its form stays so when it moves.
                        if parts[0] != parts[1] {
                            apart(a, b, margin);
                        }
                        if *two == Binary::Max { a.max(b) } else { a.min(b) }
                    }
                }
            }
            Expr::If(how, parts) => {
                let [a, b, c, d] = parts.each_ref().map(of);
                let yes = match *how {
                    "<" => a < b,
                    "<=" => a <= b,
                    ">" => a > b,
                    _ => a >= b,
                };
                if parts[0] != parts[1] && parts[..2].iter().any(|part| !matches!(part, Expr::Number(_))) {
                    apart(a, b, margin);
                }
                if yes { c } else { d }
            }
        };
        *margin = margin.min(0.004 / value.abs());
        value
    }
}

/// How near two numbers are whose order matters; where both are exactly 0 they come from a rectifier or
/// padding, and stay there.
fn apart(a: f64, b: f64, margin: &mut f64) {
    if a != 0.0 || b != 0.0 {
        *margin = margin.min((a - b).abs());
    }
}

impl Unary {
    fn text(self, a: &str) -> String {
        match self {
            Unary::Neg => format!("-({a})"),
            Unary::Abs => format!("abs({a})"),
            Unary::AbsAsRoot => format!("sqrt({a} * {a})"),
            Unary::Relu => format!("relu({a})"),
            Unary::Sin => format!("sin({a})"),
            Unary::Cos => format!("({a}).cos()"),
            Unary::Exp => format!("exp({a})"),
            Unary::Erf => format!("erf({a})"),
            Unary::Square => format!("({a}).square()"),
            Unary::Cube => format!("powi({a}, 3)"),
            Unary::Hypot => format!("sqrt(1.0 + square({a}))"),
            Unary::Recip => format!("recip(1.5 + square({a}))"),
            Unary::Log => format!("ln(1.0 + square({a}))"),
            Unary::Sigmoid => format!("sigmoid({a})"),
            Unary::SigmoidAsExp => format!("(1.0 / (1.0 + exp(-({a}))))"),
            Unary::Softplus => format!("softplus({a})"),
            Unary::SoftplusAsExp => format!("ln(1.0 + exp({a}))"),
            Unary::Tanh => format!("({a}).tanh()"),
            Unary::TanhAsExp => format!("((exp({a}) - exp(-({a}))) / (exp({a}) + exp(-({a}))))"),
        }
    }

    fn value(self, a: f64) -> f64 {
        match self {
            Unary::Neg => -a,
            Unary::Abs | Unary::AbsAsRoot => a.abs(),
            Unary::Relu => a.max(0.0),
            Unary::Sin => a.sin(),
            Unary::Cos => a.cos(),
            Unary::Exp => a.exp(),
            Unary::Erf => libm::erf(a),
            Unary::Square => a * a,
            Unary::Cube => a * a * a,
            Unary::Hypot => a.hypot(1.0),
            Unary::Recip => 1.0 / (1.5 + a * a),
            Unary::Log => (a * a).ln_1p(),
            Unary::Sigmoid | Unary::SigmoidAsExp => 1.0 / (1.0 + (-a).exp()),
            Unary::Softplus | Unary::SoftplusAsExp => a.max(0.0) + (-a.abs()).exp().ln_1p(),
            Unary::Tanh | Unary::TanhAsExp => a.tanh(),
        }
    }
}
