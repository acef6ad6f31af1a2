//! What a loss says of more than one number: sums, means, and the number before. In: a call; out: an argument
//! that stands for it, and for sums the terms. Nothing is known here of how sums are computed.

use quote::ToTokens;
use syn::Expr;

use super::{Lower, short};
use crate::formula::node::{Id, Node, Operator};

/// The arguments of a loss behind output and target: both of the place before, how many numbers there are,
/// and the sums.
pub const BEFORE: usize = 2;
pub const COUNT: usize = 4;
pub const SUMS: usize = 5;

/// The most sums of a formula.
pub const MOST: usize = 8;

/// What a formula goes over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// The numbers of a row.
    Row,
    /// All numbers of a sample.
    Window,
}

/// The functions of more than one number.
pub const NAMES: [&str; 5] = ["sum", "mean", "row_sum", "row_mean", "before"];

impl Lower<'_> {
    /// `sum(e)`, `mean(e)`, `row_sum(e)`, `row_mean(e)`, `before(y)`.
    pub fn of_many(&mut self, name: &str, all: &[&Expr], whole: &Expr) -> Option<Id> {
        let [argument] = all else {
            let found = all.len().to_string();
            self.errors.add(whole, &format!("1 number for `{name}`"), &found, &format!("`{name}(y)`"));
            return None;
        };
        let over = if name.starts_with("row") { Over::Row } else { Over::Window };
        if self.over.is_some_and(|other| other != over) {
            let help = "take all of them over a row, `row_sum(y)`, or all over the window, `sum(y)`";
            self.errors.add(whole, "sums over rows, or over windows", "both", help);
            return None;
        }
        self.over = Some(over);
        let of = self.expr(argument)?;
        if name == "before" {
            return match self.dag.node(of) {
                Node::Argument(i) if i < BEFORE => Some(self.dag.intern(Node::Argument(BEFORE + i))),
                _ => {
                    let found = format!("`{}`", short(argument));
                    let help =
                        "the number before is that of the output or of the target: write the formula with `before(y)`";
                    self.errors.add(argument.to_token_stream(), "the name of an argument", &found, help);
                    None
                }
            };
        }
        let at = self.sums.iter().position(|sum| *sum == of).unwrap_or_else(|| {
            self.sums.push(of);
            self.sums.len() - 1
        });
        if at == MOST {
            let help = "write it with fewer, or as a loss by hand: implement `LossOn`";
            self.errors.add(whole, &format!("at most {MOST} sums"), "another one", help);
            return None;
        }
        let sum = self.dag.intern(Node::Argument(SUMS + at));
        if name.ends_with("sum") {
            return Some(sum);
        }
        let count = self.dag.intern(Node::Argument(COUNT));
        Some(self.dag.binary(Operator::Div, sum, count))
    }
}
