//! What has braces: blocks with their `let`s, choices and their conditions. In: statements; out: the value of
//! the last, or what in them is no part of a formula.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{BinOp, Block, Expr, Pat, Stmt, UnOp};

use super::{CAN, Lower, short};
use crate::formula::node::{Comparison, Id, Node};
use crate::parse::pretty::pretty;

impl Lower<'_> {
    pub fn choice(&mut self, choice: &syn::ExprIf) -> Option<Id> {
        let condition = self.condition(&choice.cond);
        let then = self.block(&choice.then_branch, choice);
        let Some((_, otherwise)) = &choice.else_branch else {
            self.errors.add(
                choice.if_token,
                "`if` with `else`",
                "`if` alone",
                "say what it is otherwise, such as `else { 0.0 }`",
            );
            return None;
        };
        let otherwise = self.expr(otherwise);
        Some(self.dag.select(condition?, then?, otherwise?))
    }

    fn condition(&mut self, expr: &Expr) -> Option<Id> {
        match expr {
            Expr::Paren(inner) => self.condition(&inner.expr),
            Expr::Group(inner) => self.condition(&inner.expr),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => {
                let inner = self.condition(&unary.expr)?;
                Some(self.dag.intern(Node::Not(inner)))
            }
            Expr::Binary(binary) if matches!(binary.op, BinOp::And(_) | BinOp::Or(_)) => {
                let (left, right) = (self.condition(&binary.left), self.condition(&binary.right));
                let (left, right) = (left?, right?);
                let both = matches!(binary.op, BinOp::And(_));
                Some(self.dag.intern(if both { Node::And(left, right) } else { Node::Or(left, right) }))
            }
            Expr::Binary(binary) if comparison(binary.op).is_some() || matches!(binary.op, BinOp::Ne(_)) => {
                let (left, right) = (self.expr(&binary.left), self.expr(&binary.right));
                let (left, right) = (left?, right?);
                let equal = comparison(binary.op);
                let compared = self.dag.compare(equal.unwrap_or(Comparison::Eq), left, right);
                Some(if equal.is_some() { compared } else { self.dag.intern(Node::Not(compared)) })
            }
            _ => {
                let found = format!("`{}`", short(expr));
                let help = match expr {
                    Expr::Assign(assign) => format!("`{} == {}`", short(&assign.left), short(&assign.right)),
                    _ => "`if x > 0.0 { … } else { … }`; `&&`, `||` and `!` join several".to_owned(),
                };
                self.errors.add(expr, "a comparison", &found, &help);
                None
            }
        }
    }

    pub fn block(&mut self, block: &Block, place: impl ToTokens) -> Option<Id> {
        let outer = self.names.len();
        let mut value = None;
        let told = self.errors.count();
        for (i, statement) in block.stmts.iter().enumerate() {
            let last = i + 1 == block.stmts.len();
            match statement {
                Stmt::Local(local) => self.local(local),
                Stmt::Expr(expr, None) if last => value = Some(self.expr(expr)),
                Stmt::Expr(expr, Some(_)) if last => {
                    self.expr(expr);
                    value = Some(None);
                    self.errors.add(expr, "a number at the end of a block", "a `;` after it", "remove the last `;`");
                }
                Stmt::Macro(call) => value = Some(self.cannot(&call.mac, "a macro call")),
                // `let mut y = …; y = …;` is one mistake.
                Stmt::Expr(Expr::Assign(_), _) if self.errors.count() > told => value = Some(None),
                Stmt::Expr(Expr::Assign(assign), _) if matches!(&*assign.left, Expr::Path(path) if path.path.get_ident().is_some_and(|name| !self.knows(&name.unraw().to_string()))) =>
                {
                    let (name, value) = (short(&assign.left), self.expr(&assign.right));
                    self.errors.add(&assign.left, "`let`", &format!("`{name} =`"), &format!("`let {name} = …;`"));
                    self.declare(name, value, assign.left.to_token_stream());
                }
                Stmt::Expr(expr, _) => {
                    let found = match expr {
                        Expr::Assign(_) => "an assignment",
                        Expr::ForLoop(_) | Expr::While(_) | Expr::Loop(_) => "a loop",
                        _ => "a statement whose value nothing reads",
                    };
                    self.errors.add(expr, "`let name = …;`, or the value of the block", found, CAN);
                    value = Some(None);
                }
                other => value = Some(self.cannot(other, "an item")),
            }
        }
        if value.is_none() {
            self.errors.add(place, "a number at the end of a block", "none", "`{ let e = exp(x); e / (1.0 + e) }`");
        }
        let inner = self.names.split_off(outer);
        for name in inner.into_iter().filter(|name| !name.used) {
            if !self.errors.is_empty() {
                break;
            }
            let expected = format!("`{}` to be used", name.text);
            self.errors.add(&name.place, &expected, "that nothing reads it", "remove the `let`");
        }
        value?
    }

    fn local(&mut self, local: &syn::Local) {
        let value = match &local.init {
            Some(init) if init.diverge.is_none() => self.expr(&init.expr),
            _ => {
                self.errors.add(local, "`let name = …;`", "a `let` without a value", "`let e = exp(x);`");
                None
            }
        };
        let pattern = match &local.pat {
            Pat::Type(typed) => &*typed.pat,
            pattern => pattern,
        };
        match pattern {
            Pat::Ident(name) if name.by_ref.is_none() && name.mutability.is_none() && name.subpat.is_none() => {
                self.declare(name.ident.unraw().to_string(), value, name.to_token_stream());
            }
            Pat::Ident(name) => {
                let found = format!("`{}`", pretty(&name.to_token_stream()));
                self.errors.add(name, "the name of a value", &found, "a value does not change: `let name = …;`");
                self.declare(name.ident.unraw().to_string(), None, name.to_token_stream());
            }
            other => {
                let found = format!("`{}`", pretty(&other.to_token_stream()));
                self.errors.add(other, "one name", &found, "a `let` for each: `let a = …; let b = …;`");
            }
        }
    }
}

fn comparison(op: BinOp) -> Option<Comparison> {
    Some(match op {
        BinOp::Lt(_) => Comparison::Lt,
        BinOp::Le(_) => Comparison::Le,
        BinOp::Gt(_) => Comparison::Gt,
        BinOp::Ge(_) => Comparison::Ge,
        BinOp::Eq(_) => Comparison::Eq,
        _ => return None,
    })
}
