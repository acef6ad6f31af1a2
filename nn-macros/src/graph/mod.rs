//! A declaration with its names looked up. In: the ast; out: sites and values by number, in the order they
//! run. Every arrow leads backwards, so nothing behind this room can fail.

mod names;
mod ports;
mod resolve;
mod results;
mod scope;
mod unread;
mod uses;
mod words;

use std::borrow::Cow;

use proc_macro2::Group;
use syn::Expr;

use crate::ast::{Header, Layer};

pub use resolve::resolve;

/// The most inputs, and the most outputs, that a layer or a network may have: what the runtime has room for.
pub const MAX_INPUTS: usize = 8;
pub const MAX_OUTPUTS: usize = 4;

/// Values are numbered: first the inputs, then what each site makes.
pub struct Graph<'a> {
    pub header: &'a Header,
    pub inputs: Vec<NamedPort<'a>>,
    pub outputs: Vec<NamedPort<'a>>,
    /// Sites and the shapes checked between them, as they were written.
    pub items: Vec<Item<'a>>,
    /// The values that are outputs, in order.
    pub results: Vec<usize>,
    /// How many values there are.
    pub values: usize,
}

pub struct NamedPort<'a> {
    pub name: String,
    pub shape: &'a Group,
}

#[allow(clippy::large_enum_variant, reason = "nearly all are sites")]
pub enum Item<'a> {
    Site(Site<'a>),
    Shape { value: usize, shape: &'a Group },
}

/// A layer at its place.
pub struct Site<'a> {
    pub id: usize,
    /// Which layer of the declaration it is, from 1; 0 for one that is not written there.
    pub step: usize,
    pub name: String,
    pub layer: Cow<'a, Layer>,
    /// The values it reads, the first value it makes, and how many it makes.
    pub x: Vec<usize>,
    /// What those values are called, to be told.
    pub reads: Vec<String>,
    pub y: usize,
    pub made: usize,
    pub frozen: bool,
    /// Whose parameters it uses, where they are not its own.
    pub shares: Option<Shared>,
    /// What is underlined where its rule refuses.
    pub place: proc_macro2::TokenStream,
}

/// An earlier site, by number and by its label.
pub struct Shared {
    pub site: usize,
    pub label: String,
}

impl<'a> Graph<'a> {
    pub fn sites(&self) -> impl DoubleEndedIterator<Item = &Site<'a>> {
        self.items.iter().filter_map(|item| match item {
            Item::Site(site) => Some(site),
            Item::Shape { .. } => None,
        })
    }
}

impl Site<'_> {
    /// How often the layer runs in a row, where that is written.
    pub fn times(&self) -> Option<&Expr> {
        self.layer.times.as_ref()
    }
}
