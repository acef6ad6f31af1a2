//! Formulas of the program's own, drawn as trees. In: dice; out: each as `activation!` spells it, and what it means in double precision. It
//! knows no derivative.

use crate::dice::Dice;

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
    One(One, Box<Expr>),
    Two(Two, Box<[Expr; 2]>),
    /// Which of the last two, by comparing the first two.
    If(&'static str, Box<[Expr; 4]>),
}

/// A function of one, however it is written.
#[derive(Clone, Copy, PartialEq, Debug)]
enum One {
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
enum Two {
    Add,
    Sub,
    Mul,
    Div,
    Max,
    Min,
}

const ONE: [One; 19] = [
    One::Neg,
    One::Abs,
    One::AbsAsRoot,
    One::Relu,
    One::Sin,
    One::Cos,
    One::Exp,
    One::Erf,
    One::Square,
    One::Cube,
    One::Hypot,
    One::Recip,
    One::Log,
    One::Sigmoid,
    One::SigmoidAsExp,
    One::Softplus,
    One::SoftplusAsExp,
    One::Tanh,
    One::TanhAsExp,
];
const TWO: [Two; 8] = [Two::Add, Two::Add, Two::Sub, Two::Mul, Two::Mul, Two::Div, Two::Max, Two::Min];

/// One without a setting, one with a constant, one that learns.
pub fn formulas(dice: &mut Dice) -> Vec<Formula> {
    let settings = [Setting::None, Setting::Constant(number(dice)), Setting::Learnt(number(dice))];
    let names = [("plain", "Plain"), ("well_tuned", "WellTuned"), ("bent", "Bent")];
    let all = settings.into_iter().zip(names).map(|(setting, (name, word))| {
        let setting_name = match setting {
            Setting::None => None,
            Setting::Constant(_) => Some(Setting::CONSTANT),
            Setting::Learnt(_) => Some(Setting::LEARNT),
        };
        // What is declared must be used.
        let body = loop {
            let body = draw(dice, setting_name, 3);
            if body.holds(&Expr::X) && setting_name.is_none_or(|name| body.holds(&Expr::K(name))) {
                break body;
            }
        };
        Formula { name, word, setting, body }
    });
    all.collect()
}

/// A quarter or a few, never 0: the same in 32 bits.
pub fn number(dice: &mut Dice) -> f64 {
    0.25 * dice.between(1, 8) as f64
}

fn draw(dice: &mut Dice, setting: Option<&'static str>, depth: usize) -> Expr {
    let kind = if depth == 0 { 0 } else { dice.below(10) };
    let part = |dice: &mut Dice| draw(dice, setting, depth - 1);
    match kind {
        0 | 1 => match (dice.below(10), setting) {
            (0..2, Some(name)) => Expr::K(name),
            (2..4, _) => Expr::Number(number(dice)),
            _ => Expr::X,
        },
        2..=5 => Expr::One(dice.pick(&ONE), Box::new(part(dice))),
        6..=8 => Expr::Two(dice.pick(&TWO), Box::new([part(dice), part(dice)])),
        _ => {
            let how = dice.pick(&["<", "<=", ">", ">="]);
            Expr::If(how, Box::new([part(dice), part(dice), part(dice), part(dice)]))
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

    /// Its value; `edge` falls to how near a number came to a corner, or to where 32 bits lose it.
    pub fn value(&self, x: f64, setting: f64, edge: &mut f64) -> f64 {
        self.body.value(x, setting, edge)
    }
}

impl Expr {
    fn parts(&self) -> &[Expr] {
        match self {
            Expr::X | Expr::K(_) | Expr::Number(_) => &[],
            Expr::One(_, part) => std::slice::from_ref(part),
            Expr::Two(_, parts) => &parts[..],
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
            (Expr::One(one, _), [a]) => one.text(a),
            (Expr::Two(two, _), [a, b]) => match two {
                Two::Add => format!("({a} + {b})"),
                Two::Sub => format!("({a} - {b})"),
                Two::Mul => format!("{a} * {b}"),
                Two::Div => format!("({a} / (1.0 + {b} * {b}))"),
                Two::Max => format!("max({a}, {b})"),
                Two::Min => format!("({a}).min({b})"),
            },
            (Expr::If(how, _), [a, b, c, d]) => format!("(if {a} {how} {b} {{ {c} }} else {{ {d} }})"),
            _ => unreachable!("as many parts as it takes"),
        }
    }

    fn value(&self, x: f64, k: f64, edge: &mut f64) -> f64 {
        let mut of = |part: &Expr| part.value(x, k, edge);
        let value = match self {
            Expr::X => x,
            Expr::K(_) => k,
            Expr::Number(number) => *number,
            Expr::One(one, a) => {
                let a = of(a);
                if matches!(one, One::Abs | One::AbsAsRoot | One::Relu) {
                    apart(a, 0.0, edge);
                }
                one.value(a)
            }
            Expr::Two(two, parts) => {
                let [a, b] = parts.each_ref().map(of);
                match two {
                    Two::Add => a + b,
                    Two::Sub => a - b,
                    Two::Mul => a * b,
                    Two::Div => a / (1.0 + b * b),
                    Two::Max | Two::Min => {
                        // What is equal by its form stays so when it moves.
                        if parts[0] != parts[1] {
                            apart(a, b, edge);
                        }
                        if *two == Two::Max { a.max(b) } else { a.min(b) }
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
                    apart(a, b, edge);
                }
                if yes { c } else { d }
            }
        };
        *edge = edge.min(0.004 / value.abs());
        value
    }
}

/// How near two numbers are whose order matters; where both are exactly 0 they come from a rectifier or padding, and stay there.
fn apart(a: f64, b: f64, edge: &mut f64) {
    if a != 0.0 || b != 0.0 {
        *edge = edge.min((a - b).abs());
    }
}

impl One {
    fn text(self, a: &str) -> String {
        match self {
            One::Neg => format!("-({a})"),
            One::Abs => format!("abs({a})"),
            One::AbsAsRoot => format!("sqrt({a} * {a})"),
            One::Relu => format!("relu({a})"),
            One::Sin => format!("sin({a})"),
            One::Cos => format!("({a}).cos()"),
            One::Exp => format!("exp({a})"),
            One::Erf => format!("erf({a})"),
            One::Square => format!("({a}).square()"),
            One::Cube => format!("powi({a}, 3)"),
            One::Hypot => format!("sqrt(1.0 + square({a}))"),
            One::Recip => format!("recip(1.5 + square({a}))"),
            One::Log => format!("ln(1.0 + square({a}))"),
            One::Sigmoid => format!("sigmoid({a})"),
            One::SigmoidAsExp => format!("(1.0 / (1.0 + exp(-({a}))))"),
            One::Softplus => format!("softplus({a})"),
            One::SoftplusAsExp => format!("ln(1.0 + exp({a}))"),
            One::Tanh => format!("({a}).tanh()"),
            One::TanhAsExp => format!("((exp({a}) - exp(-({a}))) / (exp({a}) + exp(-({a}))))"),
        }
    }

    fn value(self, a: f64) -> f64 {
        match self {
            One::Neg => -a,
            One::Abs | One::AbsAsRoot => a.abs(),
            One::Relu => a.max(0.0),
            One::Sin => a.sin(),
            One::Cos => a.cos(),
            One::Exp => a.exp(),
            One::Erf => libm::erf(a),
            One::Square => a * a,
            One::Cube => a * a * a,
            One::Hypot => a.hypot(1.0),
            One::Recip => 1.0 / (1.5 + a * a),
            One::Log => (a * a).ln_1p(),
            One::Sigmoid | One::SigmoidAsExp => 1.0 / (1.0 + (-a).exp()),
            One::Softplus | One::SoftplusAsExp => a.max(0.0) + (-a.abs()).exp().ln_1p(),
            One::Tanh | One::TanhAsExp => a.tanh(),
        }
    }
}
