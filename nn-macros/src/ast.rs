//! A declaration as it was written. In: what `parse` recognised; out: words and arrows, names not yet looked
//! up. Nothing here may stand for two ways to write the same thing.

use proc_macro2::{Group, Ident, Literal, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Expr, Path, Visibility};

/// `attrs vis struct Name: inputs -> outputs { statements }`
pub struct Network {
    pub header: Header,
    pub statements: Vec<Statement>,
    /// The braces.
    pub body: Option<Group>,
}

/// What stands before the braces, as much of it as could be read.
pub struct Header {
    /// Without those that are the macro's own.
    pub attrs: Vec<Attribute>,
    pub weights: Option<Weights>,
    pub budget: Vec<BudgetLimit>,
    pub vis: Visibility,
    pub name: Ident,
    pub sizes: Option<Sizes>,
    /// The one of them that is being declared.
    pub size: Option<Literal>,
    pub inputs: Option<Vec<Port>>,
    pub outputs: Option<Vec<Port>>,
}

/// `<const W: usize in [16, 32]>`
pub struct Sizes {
    pub name: Ident,
    pub values: Vec<Literal>,
}

/// `#[weights("net.safetensors", names)]`
pub struct Weights {
    /// `None` where it could not be read.
    pub path: Option<Expr>,
    /// What its tensors are called, where that is not as here.
    pub names: Option<Expr>,
}

/// `predict_bytes(batch = 8) <= 64 * 1024` of `#[budget(…)]`
pub struct BudgetLimit {
    pub count: Ident,
    /// 1 where it is not said.
    pub batch: Option<TokenStream>,
    pub most: TokenStream,
}

/// `[1, 28, 28]` or `name: [1, 28, 28]`
pub struct Port {
    pub name: Option<Ident>,
    /// `None` where it could not be read.
    pub shape: Option<Group>,
}

/// `let (a, b) = chain;`
pub struct Statement {
    /// Empty without a `let`.
    pub names: Vec<Ident>,
    /// A `let` binds more than could be read, which has been told.
    pub open: bool,
    pub chain: Chain,
}

/// `source -> step -> step`
#[derive(Default)]
pub struct Chain {
    pub source: Option<Source>,
    pub steps: Vec<Step>,
    /// Part of it could not be read, so that nothing is known of what flows.
    pub broken: bool,
    /// The sign that was typed for an arrow: told once, however often it stands there.
    pub separator: Option<String>,
}

/// `x` or `(x, y)`
pub struct Source {
    pub names: Vec<Ident>,
    pub tokens: TokenStream,
}

/// What stands between arrows.
pub enum Step {
    /// `[64, 5, 5]`
    Shape(Group),
    Use(Box<LayerUse>),
    /// A word in lower case, which may not stand here: whether it is a value's decides what is said about it.
    Word(Ident),
}

/// `frozen label: what`
pub struct LayerUse {
    pub frozen: Option<Ident>,
    pub label: Option<Ident>,
    pub what: What,
}

pub enum What {
    Layer(Box<Layer>),
    /// `share(label)`
    Share {
        keyword: Ident,
        label: Ident,
        tokens: TokenStream,
    },
}

/// `path(positional, name = value) * times`
#[derive(Clone)]
pub struct Layer {
    pub path: Path,
    pub args: Option<Args>,
    pub times: Option<Expr>,
}

#[derive(Clone)]
pub struct Args {
    /// The parentheses as they were written.
    pub group: Group,
    pub positional: Vec<Expr>,
    pub named: Vec<(Ident, Expr)>,
}

impl Header {
    /// What the network is called in messages: `Policy`, `Policy<16>`.
    pub fn title(&self) -> String {
        match &self.size {
            Some(size) => format!("{}<{size}>", self.name),
            None => self.name.to_string(),
        }
    }
}

impl LayerUse {
    /// What is put there, without `frozen` and label, to be underlined.
    pub fn tokens(&self) -> TokenStream {
        match &self.what {
            What::Layer(layer) => layer.tokens(),
            What::Share { tokens, .. } => tokens.clone(),
        }
    }
}

impl Layer {
    /// The last word of the path: the kind of the layer.
    pub fn kind(&self) -> &Ident {
        // A path has at least one segment; the parser makes no other.
        &self.path.segments[self.path.segments.len() - 1].ident
    }

    /// All of it, to be underlined.
    pub fn tokens(&self) -> TokenStream {
        let mut tokens = self.path.to_token_stream();
        tokens.extend(self.args.as_ref().map(|args| args.group.to_token_stream()));
        tokens.extend(self.times.as_ref().map(ToTokens::to_token_stream));
        tokens
    }
}

impl Port {
    /// Its name as text.
    pub fn name_or(&self, otherwise: &str) -> String {
        self.name.as_ref().map_or_else(|| otherwise.to_owned(), |name| name.unraw().to_string())
    }
}
