//! A body becomes a graph of what it is made of, plainly. In: an expression and the names it may use; out:
//! the root, or every part of it that is no formula, each said on its own tokens, with what can be written
//! instead.

mod blocks;
mod calls;
mod sums;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{BinOp, Expr, ExprPath, Lit, UnOp};

use super::dag::Dag;
use super::functions::meaning;
use super::node::{Constant, Function, Id, Node, Operator};
use super::parse::{Formula, whole_number};
use crate::errors::{Errors, nearest};
use crate::parse::pretty::pretty;
pub use sums::{BEFORE, COUNT, Over, SUMS};

/// What a formula may hold, in one line.
const CAN: &str =
    "a formula is made of numbers, names, `+ - * /`, `let`, `if … { … } else { … }` and functions such as `exp(x)`";

/// A formula as it was written.
pub struct Lowered {
    pub dag: Dag,
    pub root: Id,
    /// The user's own consts, by their numbers.
    pub paths: Vec<ExprPath>,
    /// The terms of each sum that the formula takes, in an order in which none needs a later one.
    pub sums: Vec<Id>,
    /// What it goes over, where it says something of more than one number.
    pub over: Option<Over>,
}

/// A name that the body may use.
struct Name {
    text: String,
    id: Option<Id>,
    used: bool,
    /// Where it was given, for `let`.
    place: TokenStream,
}

struct Lower<'a> {
    dag: Dag,
    paths: Vec<ExprPath>,
    names: Vec<Name>,
    /// Whether it may say something of more than one number, as losses do.
    of_many: bool,
    sums: Vec<Id>,
    over: Option<Over>,
    /// That a number lacks its point has been said.
    whole_told: bool,
    /// Names that have been told as unknown.
    unknown: Vec<String>,
    errors: &'a mut Errors,
}

/// Reads a body; `None` where something in it is wrong, which has been said then.
pub fn lower(formula: &Formula, errors: &mut Errors) -> Option<Lowered> {
    let of_many = formula.arguments.len() > 1;
    let (dag, paths, names) = (Dag::plain(), Vec::new(), Vec::new());
    let mut lower = Lower {
        dag,
        paths,
        names,
        of_many,
        sums: Vec::new(),
        over: None,
        whole_told: false,
        unknown: Vec::new(),
        errors,
    };
    for (i, name) in formula.arguments.iter().enumerate() {
        let id = lower.dag.intern(Node::Argument(i));
        lower.declare(name.unraw().to_string(), Some(id), name.to_token_stream());
    }
    let (mut settings, mut learnt) = (0, 0);
    for setting in &formula.settings {
        let count = if setting.learn { &mut learnt } else { &mut settings };
        let constant = if setting.learn { Constant::Learnt(*count) } else { Constant::Setting(*count) };
        *count += 1;
        let id = lower.dag.intern(Node::Constant(constant));
        lower.declare(setting.name.unraw().to_string(), Some(id), setting.name.to_token_stream());
    }
    lower.signature();
    let root = lower.expr(formula.body.as_ref()?);
    // A name may be unused because what reads it is written wrong.
    if lower.errors.is_empty() {
        lower.unused(formula.arguments.len());
    }
    let Lower { dag, paths, sums, over, .. } = lower;
    root.map(|root| Lowered { dag, root, paths, sums, over })
}

impl Lower<'_> {
    fn knows(&self, name: &str) -> bool {
        self.names.iter().any(|known| known.text == name)
    }

    fn declare(&mut self, text: String, id: Option<Id>, place: TokenStream) {
        self.names.push(Name { text, id, used: false, place });
    }

    /// Names of the signature that mean something else too.
    fn signature(&mut self) {
        for (i, name) in self.names.iter().enumerate() {
            if meaning(&name.text).is_some() {
                let help = format!("`{}_`, or another name", name.text);
                self.errors.add(
                    &name.place,
                    "a name of its own",
                    &format!("`{}`, which is a function", name.text),
                    &help,
                );
            } else if self.names[..i].iter().any(|other| other.text == name.text) {
                let help = format!("`{}_b`, or another name", name.text);
                self.errors.add(&name.place, "a name of its own", &format!("`{}` a second time", name.text), &help);
            }
        }
    }

    /// Of the signature; the first `arguments` of it have to be there.
    fn unused(&mut self, arguments: usize) {
        for (i, name) in self.names.drain(..).enumerate().filter(|(_, name)| !name.used) {
            let expected = format!("`{}` to be used", name.text);
            let or = if i < arguments { "" } else { ", or remove it" };
            let help = format!("write `{}` into the formula{or}", name.text);
            self.errors.add(&name.place, &expected, "that nothing reads it", &help);
        }
    }

    fn cannot(&mut self, place: impl ToTokens, found: &str) -> Option<Id> {
        self.errors.add(place, "something that can be differentiated", found, CAN);
        None
    }

    fn expr(&mut self, expr: &Expr) -> Option<Id> {
        match expr {
            Expr::Paren(inner) => self.expr(&inner.expr),
            Expr::Group(inner) => self.expr(&inner.expr),
            Expr::Lit(literal) => self.literal(expr, &literal.lit),
            Expr::Path(path) => self.path(path),
            Expr::Unary(unary) => match unary.op {
                UnOp::Neg(_) => {
                    if let Some(whole) = whole_number(expr) {
                        return self.integer(expr, &whole);
                    }
                    let a = self.expr(&unary.expr)?;
                    Some(self.dag.unary(Function::Neg, a))
                }
                _ => self.cannot(expr, &format!("`{}`", short(expr))),
            },
            Expr::Binary(binary) => self.binary(expr, &binary.left, binary.op, &binary.right),
            Expr::If(choice) => self.choice(choice),
            Expr::Block(block) if block.attrs.is_empty() && block.label.is_none() => self.block(&block.block, expr),
            Expr::Call(call) => {
                let Expr::Path(ExprPath { path, qself: None, .. }) = &*call.func else {
                    let inner = |expr: &Expr| match expr {
                        Expr::Paren(inner) => matches!(*inner.expr, Expr::Closure(_)),
                        other => matches!(other, Expr::Closure(_)),
                    };
                    let found = if inner(&call.func) { "a closure" } else { "a call of what is no function's name" };
                    return self.cannot(&call.func, found);
                };
                let Some(name) = path.get_ident() else {
                    let own = path.segments.last().map(|last| last.ident.unraw().to_string()).unwrap_or_default();
                    return self.unknown_function(path, &pretty(&path.to_token_stream()), &own);
                };
                self.call(name, None, call.args.iter().collect(), expr)
            }
            Expr::MethodCall(call) => self.call(&call.method, Some(&*call.receiver), call.args.iter().collect(), expr),
            Expr::Cast(cast) => {
                self.expr(&cast.expr);
                let (ty, of) = (pretty(&cast.ty.to_token_stream()), short(&cast.expr));
                let is_const = matches!(&*cast.expr, Expr::Path(path) if path.path.get_ident().is_none_or(|word| self.names.iter().all(|name| word != &name.text)));
                let help = match is_const {
                    true => format!(
                        "every number here is an `f32`: make it one where it is declared, `const {of}: f32 = …;`"
                    ),
                    false => format!("every number here is an `f32`: remove `as {ty}`"),
                };
                self.errors.add(&cast.ty, "numbers as they are", &format!("a cast to `{ty}`"), &help);
                None
            }
            Expr::Reference(reference) => {
                self.expr(&reference.expr);
                self.errors.add(expr, "a number", &format!("a reference, `{}`", short(expr)), "remove `&`");
                None
            }
            Expr::Assign(assign) => {
                let help = "bind a new name instead: `let name = …;`";
                self.errors.add(assign, "a number", "an assignment", help);
                None
            }
            Expr::Macro(call) => {
                self.cannot(expr, &format!("a macro call, `{}!`", pretty(&call.mac.path.to_token_stream())))
            }
            Expr::Closure(_) => self.cannot(expr, "a closure"),
            Expr::Match(_) => self.no_match(expr),
            Expr::ForLoop(_) | Expr::While(_) | Expr::Loop(_) => self.cannot(expr, "a loop"),
            Expr::Index(_) => self.cannot(expr, "an index"),
            Expr::Field(_) => self.cannot(expr, "a field"),
            Expr::Return(syn::ExprReturn { expr: Some(value), .. }) => {
                let help = format!("the last expression is the value: `{}`", short(value));
                self.errors.add(expr, "an expression", "`return`", &help);
                None
            }
            Expr::Return(_) | Expr::Break(_) => self.cannot(expr, "a jump"),
            _ => self.cannot(expr, &format!("`{}`", short(expr))),
        }
    }

    fn no_match(&mut self, expr: &Expr) -> Option<Id> {
        self.errors.add(expr, "`if … { … } else { … }`", "`match`", "compare instead: `if x < 0.0 { … } else { … }`");
        None
    }

    fn literal(&mut self, expr: &Expr, literal: &Lit) -> Option<Id> {
        if let Some(whole) = whole_number(expr) {
            return self.integer(expr, &whole);
        }
        let (digits, suffix) = match literal {
            Lit::Float(number) => (number.base10_digits(), number.suffix()),
            Lit::Int(number) if number.suffix() == "f32" => (number.base10_digits(), "f32"),
            Lit::Int(number) if self.knows(number.suffix()) => {
                let help = format!("`{}.0 * {}`", number.base10_digits(), number.suffix());
                self.errors.add(expr, "`*` between a number and a name", &format!("`{number}`"), &help);
                return None;
            }
            _ => return self.cannot(expr, &format!("`{}`", short(expr))),
        };
        let value = digits.parse::<f64>().ok().filter(|value| (*value as f32).is_finite());
        if !matches!(suffix, "" | "f32") {
            self.errors.add(expr, "a number of type `f32`", &format!("`{}`", short(expr)), &format!("`{digits}`"));
            return None;
        }
        let Some(value) = value else {
            self.errors.add(
                expr,
                "a number that fits into an `f32`",
                &format!("`{}`", short(expr)),
                "one up to `3.4e38`",
            );
            return None;
        };
        Some(self.dag.number(value))
    }

    fn integer(&mut self, place: &Expr, whole: &str) -> Option<Id> {
        // Whoever writes one number so writes all of them so: it is told once in a formula.
        if !core::mem::replace(&mut self.whole_told, true) {
            self.errors.add(place, "a number with a point", &format!("`{}`", short(place)), &format!("`{whole}.0`"));
        }
        None
    }

    fn path(&mut self, path: &ExprPath) -> Option<Id> {
        let own = path.path.get_ident().filter(|_| path.qself.is_none()).map(|word| word.unraw().to_string());
        if let Some(text) = &own {
            if let Some(name) = self.names.iter_mut().rev().find(|name| name.text == *text) {
                name.used = true;
                return name.id;
            }
            if text.starts_with(|first: char| !first.is_uppercase()) {
                return self.unknown_name(path, text);
            }
        }
        let same = |known: &ExprPath| known.to_token_stream().to_string() == path.to_token_stream().to_string();
        let at = self.paths.iter().position(same).unwrap_or_else(|| {
            self.paths.push(path.clone());
            self.paths.len() - 1
        });
        Some(self.dag.intern(Node::Constant(Constant::Path(at))))
    }

    fn unknown_name(&mut self, place: &ExprPath, text: &str) -> Option<Id> {
        let known = self.names.iter().map(|name| &*name.text);
        let help = match nearest(text, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if meaning(text).is_some() => format!("call it: `{text}(x)`"),
            None => {
                let known: Vec<String> = known.map(|name| format!("`{name}`")).collect();
                format!("names known here: {}; a const is written in upper case", known.join(", "))
            }
        };
        // Each name is told once.
        if !self.unknown.iter().any(|told| told == text) {
            self.errors.add(place, "the name of a number", &format!("`{text}`, which is none"), &help);
            self.unknown.push(text.to_owned());
        }
        None
    }

    fn binary(&mut self, whole: &Expr, left: &Expr, op: BinOp, right: &Expr) -> Option<Id> {
        let operator = match op {
            BinOp::Add(_) => Operator::Add,
            BinOp::Sub(_) => Operator::Sub,
            BinOp::Mul(_) => Operator::Mul,
            BinOp::Div(_) => Operator::Div,
            BinOp::Lt(_)
            | BinOp::Le(_)
            | BinOp::Gt(_)
            | BinOp::Ge(_)
            | BinOp::Eq(_)
            | BinOp::Ne(_)
            | BinOp::And(_)
            | BinOp::Or(_) => {
                let help = format!("a condition belongs in an `if`: `if {} {{ 1.0 }} else {{ 0.0 }}`", short(whole));
                self.errors.add(whole, "a number", "a condition", &help);
                return None;
            }
            BinOp::AddAssign(_) | BinOp::SubAssign(_) | BinOp::MulAssign(_) | BinOp::DivAssign(_) => {
                self.errors.add(whole, "a number", "an assignment", "bind a new name instead: `let name = …;`");
                return None;
            }
            _ => {
                self.expr(left);
                self.expr(right);
                return self.cannot(op, &format!("`{}`", op.to_token_stream()));
            }
        };
        let (left, right) = (self.expr(left), self.expr(right));
        Some(self.dag.binary(operator, left?, right?))
    }
}

/// An expression as it is usually written, if it is short.
fn short(expr: &Expr) -> String {
    let text = pretty(&expr.to_token_stream());
    if text.chars().count() > 40 { "…".to_owned() } else { text }
}
