//! Formulas as texts that are the same where they mean the same, by which those of exporters are known. In:
//! an expression; out: its text.

use super::expr::Expr;
use Expr::{Binary, Number, Unary, Vector, X};

impl Expr {
    /// A text that is the same for formulas that mean the same: sums and products in order, numbers to three
    /// digits.
    pub fn shown(&self) -> String {
        match self {
            X => "x".to_owned(),
            Number(value) => digits(*value),
            Vector { .. } => "vector".to_owned(),
            Unary(name, settings, a) if settings.is_empty() => format!("{name}({})", a.shown()),
            Unary(name, settings, a) => {
                let settings: Vec<String> = settings.iter().map(|value| digits(*value)).collect();
                format!("{name}[{}]({})", settings.join(", "), a.shown())
            }
            Binary("mul" | "div", ..) | Binary("powf", _, _) if self.factors().is_some() => {
                let (coefficient, mut factors) = self.factors().unwrap_or((1.0, Vec::new()));
                factors.sort();
                if coefficient != 1.0 {
                    factors.insert(0, digits(coefficient));
                }
                factors.join("·")
            }
            Binary("add", a, b) => {
                let mut terms = [a.shown(), b.shown()];
                terms.sort();
                format!("({})", terms.join("+"))
            }
            Binary(name, a, b) => format!("{name}({}, {})", a.shown(), b.shown()),
        }
    }

    /// A product as its number and its other factors.
    fn factors(&self) -> Option<(f32, Vec<String>)> {
        match self {
            Number(value) => Some((*value, Vec::new())),
            Binary("mul", a, b) => {
                let ((p, mut a), (q, b)) = (a.factors()?, b.factors()?);
                a.extend(b);
                Some((p * q, a))
            }
            Binary("div", a, b) => match (a.factors()?, &**b) {
                ((p, a), Number(q)) => Some((p / q, a)),
                _ => None,
            },
            Binary("powf", a, n) => match **n {
                Number(n) if n == 2.0 || n == 3.0 => Some((1.0, vec![a.shown(); n as usize])),
                _ => None,
            },
            other => Some((1.0, vec![other.shown()])),
        }
    }
}

/// Three digits of a number.
fn digits(value: f32) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let places = if value == 0.0 { 2 } else { (2 - value.abs().log10().floor() as i32).max(0) as usize };
    format!("{value:.places$}")
}
