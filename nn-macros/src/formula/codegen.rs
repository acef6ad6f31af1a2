//! A graph becomes a row of `let`s. In: the nodes that are wanted; out: statements and a name for each, as
//! vector code or, for the generated test, in `f64`. What is written once is computed once; no statement
//! branches.

use std::collections::HashMap;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ExprPath;

use super::dag::Dag;
use super::node::{Comparison, Constant, Function, Id, Node, Operator};

/// What arguments, settings and parameters are called in the code.
pub struct CodeNames<'a> {
    pub arguments: &'a [Ident],
    /// Expressions of one `f32`.
    pub settings: &'a [TokenStream],
    pub learnt: &'a [TokenStream],
    pub paths: &'a [ExprPath],
}

/// Whether the code computes with vectors, or with single numbers in double precision.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Vector,
    Double,
}

/// What a const of the user's is called in vector code.
pub fn const_name(i: usize) -> Ident {
    Ident::new(&format!("__C{i}"), span())
}

/// Where generated code lies: nowhere in particular.
pub fn span() -> Span {
    Span::mixed_site()
}

struct Code<'a> {
    dag: &'a Dag,
    names: &'a CodeNames<'a>,
    style: Style,
    uses: HashMap<Id, usize>,
    done: HashMap<Id, TokenStream>,
    lets: TokenStream,
    count: usize,
}

/// Statements that compute `roots`, and how each is called after them.
pub fn code(dag: &Dag, roots: &[Id], names: &CodeNames, style: Style) -> (TokenStream, Vec<TokenStream>) {
    let order = dag.order(roots);
    let mut uses = HashMap::new();
    for part in order.iter().flat_map(|id| dag.node(*id).operands()).chain(roots.iter().copied()) {
        *uses.entry(part).or_insert(0) += 1;
    }
    let mut code = Code { dag, names, style, uses, done: HashMap::new(), lets: TokenStream::new(), count: 0 };
    let roots = roots.iter().map(|root| code.of(*root)).collect();
    (code.lets, roots)
}

impl Code<'_> {
    /// The factors of a product that is one instruction, and that nothing but the sum which asks reads.
    fn factors(&self, id: Id) -> Option<(Id, Id)> {
        if self.uses[&id] != 1 {
            return None;
        }
        match self.dag.node(id) {
            Node::Binary(Operator::Mul, a, b) => Some((a, b)),
            Node::Power(a, 2) => Some((a, a)),
            _ => None,
        }
    }

    fn bind(&mut self, value: TokenStream) -> TokenStream {
        let name = Ident::new(&format!("__v{}", self.count), span());
        self.count += 1;
        self.lets.extend(quote_spanned!(span()=> let #name = #value;));
        name.to_token_stream()
    }

    /// What a node is called, computed by now.
    fn of(&mut self, id: Id) -> TokenStream {
        if let Some(done) = self.done.get(&id) {
            return done.clone();
        }
        let done = match self.style {
            Style::Vector => self.vector(id),
            Style::Double => self.double(id),
        };
        self.done.insert(id, done.clone());
        done
    }

    fn vector(&mut self, id: Id) -> TokenStream {
        let at = span();
        let value = match self.dag.node(id) {
            Node::Number(bits) => return splat(literal(f64::from_bits(bits))),
            Node::Constant(Constant::Path(i)) => return splat(const_name(i).to_token_stream()),
            Node::Constant(Constant::Setting(i)) => return splat(self.names.settings[i].clone()),
            Node::Constant(Constant::Learnt(i)) => return self.names.learnt[i].clone(),
            Node::Argument(i) => return self.names.arguments[i].to_token_stream(),
            Node::Output => return Ident::new("__y", at).to_token_stream(),
            Node::Unary(Function::Sigmoid, a) => return self.sigmoid(id, a),
            Node::Unary(function, a) => {
                let a = self.of(a);
                let name = match function {
                    Function::Neg => return self.bind(quote_spanned!(at=> __s.neg(#a))),
                    Function::Abs => return self.bind(quote_spanned!(at=> __s.abs(#a))),
                    Function::Sqrt => return self.bind(quote_spanned!(at=> __s.sqrt(#a))),
                    other => Ident::new(name(other), at),
                };
                quote_spanned!(at=> __nn::math::#name(__s, #a))
            }
            Node::Binary(Operator::Add, a, b) => match (self.factors(a), self.factors(b)) {
                (_, Some(product)) => self.fused(product, a),
                (Some(product), None) => self.fused(product, b),
                (None, None) => {
                    let (a, b) = (self.of(a), self.of(b));
                    quote_spanned!(at=> __s.add(#a, #b))
                }
            },
            Node::Binary(Operator::Sub, a, b) if let Some((p, q)) = self.factors(b) => {
                let (a, p, q) = (self.of(a), self.of(p), self.of(q));
                quote_spanned!(at=> __s.fma(__s.neg(#p), #q, #a))
            }
            Node::Binary(operator, a, b) => {
                let safe = self.dag.varies(a);
                let (a, b) = (self.of(a), self.of(b));
                match operator {
                    Operator::Add => quote_spanned!(at=> __s.add(#a, #b)),
                    Operator::Sub => quote_spanned!(at=> __s.sub(#a, #b)),
                    Operator::Mul => quote_spanned!(at=> __s.mul(#a, #b)),
                    Operator::Div => quote_spanned!(at=> __s.div(#a, #b)),
                    // A constant stands first; where the other is NaN, these give the second.
                    Operator::Max if !safe => quote_spanned!(at=> __s.max(#a, #b)),
                    Operator::Min if !safe => quote_spanned!(at=> __s.min(#a, #b)),
                    Operator::Max => quote_spanned!(at=> __nn::math::larger(__s, #a, #b)),
                    Operator::Min => quote_spanned!(at=> __nn::math::smaller(__s, #a, #b)),
                    Operator::Powf => quote_spanned!(at=> __nn::math::powf(__s, #a, #b)),
                    Operator::LnAddExp => quote_spanned!(at=> __nn::math::ln_add_exp(__s, #a, #b)),
                }
            }
            Node::Power(a, n) => return self.power(a, n),
            Node::Select(condition, a, b) => {
                let (condition, a, b) = (self.of(condition), self.of(a), self.of(b));
                quote_spanned!(at=> __s.select(#condition, #a, #b))
            }
            Node::Compare(comparison, a, b) => {
                let (name, a, b) = (Ident::new(relation(comparison).0, at), self.of(a), self.of(b));
                quote_spanned!(at=> __s.#name(#a, #b))
            }
            Node::And(a, b) => {
                let (a, b) = (self.of(a), self.of(b));
                quote_spanned!(at=> __s.and_m(#a, #b))
            }
            Node::Or(a, b) => {
                let (a, b) = (self.of(a), self.of(b));
                quote_spanned!(at=> __s.or_m(#a, #b))
            }
            Node::Not(a) => {
                let a = self.of(a);
                quote_spanned!(at=> __s.not_m(#a))
            }
        };
        self.bind(value)
    }

    fn fused(&mut self, (p, q): (Id, Id), rest: Id) -> TokenStream {
        let (rest, p, q) = (self.of(rest), self.of(p), self.of(q));
        quote_spanned!(span()=> __s.fma(#p, #q, #rest))
    }

    /// Where that of the opposite is wanted too, both are made of one exponential.
    fn sigmoid(&mut self, id: Id, a: Id) -> TokenStream {
        let at = span();
        let is_other = |other: &Id| {
            let opposite = self.dag.argument_of(Function::Sigmoid, *other).map(|b| self.dag.opposite(a, b));
            *other != id && opposite == Some(true) && !self.done.contains_key(other)
        };
        let other = self.uses.keys().copied().find(is_other);
        let argument = self.of(a);
        let Some(other) = other else {
            return self.bind(quote_spanned!(at=> __nn::math::sigmoid(__s, #argument)));
        };
        let (one, two) = (format!("__v{}", self.count), format!("__v{}", self.count + 1));
        let (one, two) = (Ident::new(&one, at), Ident::new(&two, at));
        self.count += 2;
        self.lets.extend(quote_spanned!(at=> let (#one, #two) = __nn::math::sigmoids(__s, #argument);));
        self.done.insert(other, two.to_token_stream());
        one.to_token_stream()
    }

    fn power(&mut self, a: Id, n: i32) -> TokenStream {
        let at = span();
        let (mut square, mut rest, mut product) = (self.of(a), n.unsigned_abs(), None::<TokenStream>);
        while rest > 0 {
            if rest % 2 == 1 {
                product = Some(match product {
                    Some(product) => self.bind(quote_spanned!(at=> __s.mul(#product, #square))),
                    None => square.clone(),
                });
            }
            rest /= 2;
            if rest > 0 {
                square = self.bind(quote_spanned!(at=> __s.mul(#square, #square)));
            }
        }
        let one = splat(literal(1.0));
        match product {
            Some(product) if n < 0 => self.bind(quote_spanned!(at=> __s.div(#one, #product))),
            Some(product) => product,
            None => one,
        }
    }

    fn double(&mut self, id: Id) -> TokenStream {
        let at = span();
        let wide = |value: TokenStream| quote_spanned!(at=> __nn::reference::wide(#value));
        let value = match self.dag.node(id) {
            Node::Number(bits) => {
                let number = literal(f64::from_bits(bits));
                return quote_spanned!(at=> (#number));
            }
            Node::Constant(Constant::Path(i)) => {
                let path = &self.names.paths[i];
                return wide(quote!(#path));
            }
            Node::Constant(Constant::Setting(i)) => return wide(self.names.settings[i].clone()),
            Node::Constant(Constant::Learnt(i)) => return self.names.learnt[i].clone(),
            Node::Argument(i) => return self.names.arguments[i].to_token_stream(),
            Node::Output => return Ident::new("__y", at).to_token_stream(),
            Node::Unary(Function::Neg, a) => {
                let a = self.of(a);
                quote_spanned!(at=> -#a)
            }
            Node::Unary(function, a) => {
                let (name, a) = (Ident::new(name(function), at), self.of(a));
                quote_spanned!(at=> __nn::reference::#name(#a))
            }
            Node::Binary(operator, a, b) => {
                let (a, b) = (self.of(a), self.of(b));
                match operator {
                    Operator::Add => quote_spanned!(at=> #a + #b),
                    Operator::Sub => quote_spanned!(at=> #a - #b),
                    Operator::Mul => quote_spanned!(at=> #a * #b),
                    Operator::Div => quote_spanned!(at=> #a / #b),
                    Operator::Max => quote_spanned!(at=> __nn::reference::max(#a, #b)),
                    Operator::Min => quote_spanned!(at=> __nn::reference::min(#a, #b)),
                    Operator::Powf => quote_spanned!(at=> __nn::reference::powf(#a, #b)),
                    Operator::LnAddExp => quote_spanned!(at=> __nn::reference::ln_add_exp(#a, #b)),
                }
            }
            Node::Power(a, n) => {
                let (a, sign) = (self.of(a), (n < 0).then(|| quote!(-)));
                let n = Literal::i32_unsuffixed(n.abs());
                quote_spanned!(at=> __nn::reference::powi(#a, #sign #n))
            }
            Node::Select(condition, a, b) => {
                let (condition, a, b) = (self.of(condition), self.of(a), self.of(b));
                quote_spanned!(at=> if #condition { #a } else { #b })
            }
            Node::Compare(comparison, a, b) => {
                let (sign, a, b) = (relation(comparison).1, self.of(a), self.of(b));
                quote_spanned!(at=> #a #sign #b)
            }
            Node::And(a, b) => {
                let (a, b) = (self.of(a), self.of(b));
                quote_spanned!(at=> #a && #b)
            }
            Node::Or(a, b) => {
                let (a, b) = (self.of(a), self.of(b));
                quote_spanned!(at=> #a || #b)
            }
            Node::Not(a) => {
                let a = self.of(a);
                quote_spanned!(at=> !#a)
            }
        };
        self.bind(value)
    }
}

/// The kernels' name of a function, which is that of its reference too.
pub fn name(function: Function) -> &'static str {
    match function {
        Function::Neg => "neg",
        Function::Abs => "abs",
        Function::Sign => "sign",
        Function::Exp => "exp",
        Function::Expm1 => "expm1",
        Function::Ln => "ln",
        Function::Ln1p => "ln_1p",
        Function::Sqrt => "sqrt",
        Function::Sin => "sin",
        Function::Cos => "cos",
        Function::Sinh => "sinh",
        Function::Cosh => "cosh",
        Function::LnCosh => "ln_cosh",
        Function::Tanh => "tanh",
        Function::Sigmoid => "sigmoid",
        Function::Softplus => "softplus",
        Function::Erf => "erf",
    }
}

/// The kernels' name of a function of two numbers.
pub fn operator_name(operator: Operator) -> &'static str {
    match operator {
        Operator::Add => "add",
        Operator::Sub => "sub",
        Operator::Mul => "mul",
        Operator::Div => "div",
        Operator::Max => "max",
        Operator::Min => "min",
        Operator::Powf => "powf",
        Operator::LnAddExp => "ln_add_exp",
    }
}

/// The kernels' name of a comparison, and Rust's sign.
pub fn relation(comparison: Comparison) -> (&'static str, TokenStream) {
    match comparison {
        Comparison::Lt => ("lt", quote!(<)),
        Comparison::Le => ("le", quote!(<=)),
        Comparison::Gt => ("gt", quote!(>)),
        Comparison::Ge => ("ge", quote!(>=)),
        Comparison::Eq => ("eq", quote!(==)),
    }
}

fn splat(value: TokenStream) -> TokenStream {
    quote_spanned!(span()=> __s.splat(#value))
}

/// A number with its sign, as the nearest `f32` is written.
pub fn literal(value: f64) -> TokenStream {
    let size = Literal::f32_unsuffixed(value.abs() as f32);
    if value < 0.0 { quote!(-#size) } else { quote!(#size) }
}
