//! Names of values. In: inputs and `let`s, in order; out: the number behind a name, and which names nothing
//! reads. Nothing here may know what a value is made of.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;

use crate::case::{is_keyword, is_snake, snake};
use crate::errors::{Errors, nearest};

#[derive(Default)]
pub struct Scope {
    bindings: Vec<Binding>,
    /// Every name that any `let` binds, also those further down.
    later: Vec<String>,
    /// Names that were read before they were bound.
    early: Vec<String>,
    /// Names that have been told as unknown.
    told: Vec<String>,
    /// A `let` that could not be read may have bound any name.
    open: bool,
}

pub struct Binding {
    pub name: String,
    /// `None` for the unnamed input.
    pub ident: Option<Ident>,
    pub input: bool,
    /// `None` where what it is bound to could not be found.
    pub value: Option<usize>,
    pub used: bool,
}

impl Scope {
    pub fn new(later: Vec<String>) -> Scope {
        Scope { later, ..Scope::default() }
    }

    pub fn input(&mut self, name: String, ident: Option<Ident>, value: usize) {
        // A name given twice is told as such.
        let used = self.bindings.iter().any(|binding| binding.name == name);
        self.bindings.push(Binding { name, ident, input: true, value: Some(value), used });
    }

    /// Binds a name; its number among the bindings.
    pub fn bind(&mut self, ident: &Ident, value: Option<usize>, errors: &mut Errors) -> usize {
        let name = ident.unraw().to_string();
        if !is_snake(&name) {
            let help = format!("`let {} = …;`", snake(&name));
            errors.add(ident, "the name of a value in lower case", &format!("`{ident}`"), &help);
        } else if is_keyword(ident) {
            let help = format!("`let {ident}_ = …;`");
            errors.add(ident, "the name of a value", &format!("the Rust keyword `{ident}`"), &help);
        }
        let same = self.bindings.iter().filter(|binding| binding.name == name);
        if let Some(earlier) = same.clone().next() {
            let found =
                if earlier.input { format!("`{name}`, which is an input") } else { format!("`{name}` a second time") };
            let letter = ('b'..='z').nth(same.count() - 1).unwrap_or('z');
            errors.add(ident, "a name of its own", &found, &format!("`let {name}_{letter} = …;`"));
        }
        let used = self.early.contains(&name);
        self.bindings.push(Binding { name, ident: Some(ident.clone()), input: false, value, used });
        self.bindings.len() - 1
    }

    /// Notes that a binding is read.
    pub fn touch(&mut self, binding: usize) {
        self.bindings[binding].used = true;
    }

    /// Notes that all are read: behind a fault nobody knows.
    pub fn touch_all(&mut self) {
        self.bindings.iter_mut().for_each(|binding| binding.used = true);
    }

    pub fn name(&self, binding: usize) -> &str {
        &self.bindings[binding].name
    }

    /// What a value is called, if anything.
    pub fn name_of(&self, value: usize) -> String {
        let binding = self.bindings.iter().find(|binding| binding.value == Some(value));
        binding.map_or_else(|| "…".to_owned(), |binding| binding.name.clone())
    }

    /// What to underline for a binding.
    pub fn place(&self, binding: usize) -> TokenStream {
        self.bindings[binding].ident.to_token_stream()
    }

    /// The names of the inputs.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.bindings.iter().filter(|binding| binding.input).map(|binding| binding.name.as_str())
    }

    /// The value behind a name. Reports a name that is not known.
    pub fn read(&mut self, ident: &Ident, errors: &mut Errors) -> Option<usize> {
        let name = ident.unraw().to_string();
        // Where a name was given twice, which is told, this may be either.
        let mut meant = None;
        for binding in self.bindings.iter_mut().filter(|binding| binding.name == name) {
            binding.used = true;
            meant = Some(binding.value);
        }
        if let Some(value) = meant {
            return value;
        }
        let place = ident.to_token_stream();
        if self.later.contains(&name) {
            let found = format!("`{name}`, which is defined further down");
            errors.add(place, "a value defined before it is used", &found, &format!("move `let {name} = …;` up"));
            self.touch_all();
            self.early.push(name);
            return None;
        }
        // Each name is told once, and not where it may be what could not be read.
        if self.open || self.told.contains(&name) {
            self.touch_all();
            return None;
        }
        let known = self.bindings.iter().map(|binding| binding.name.as_str());
        let help = match nearest(&name, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if name == "input" => {
                let inputs = list(self.inputs());
                if inputs.contains(',') {
                    format!("the inputs are called {inputs}")
                } else {
                    format!("the input is called {inputs}")
                }
            }
            None => format!("values known here: {}", list(known)),
        };
        errors.add(place, "the name of a value", &format!("`{name}`, which is none"), &help);
        // Whichever was meant is used.
        self.touch_all();
        self.told.push(name);
        None
    }

    /// A name of which it has been said that it is none.
    pub fn has_told(&mut self, name: String) {
        self.told.push(name);
    }

    /// A `let` whose names could not be read.
    pub fn open(&mut self) {
        self.open = true;
        self.touch_all();
    }

    pub fn knows(&self, ident: &Ident) -> bool {
        let name = ident.unraw().to_string();
        self.bindings.iter().any(|binding| binding.name == name)
    }

    /// The binding of a `let`.
    pub fn bound(&mut self, name: &str) -> Option<&mut Binding> {
        self.bindings.iter_mut().find(|binding| binding.name == name && !binding.input)
    }

    /// A `let` that nothing has read, with a name like this one.
    pub fn unused_let(&mut self, name: &str) -> Option<&mut Binding> {
        let free = |binding: &&Binding| !binding.used && !binding.input;
        let near = nearest(name, self.bindings.iter().filter(free).map(|binding| binding.name.as_str()))?.to_owned();
        self.bound(&near)
    }

    /// True if one of these values has a name and is read.
    pub fn reads_any(&self, values: std::ops::Range<usize>) -> bool {
        let read = |binding: &Binding| binding.used && binding.value.is_some_and(|value| values.contains(&value));
        self.bindings.iter().any(read)
    }

    /// What nothing has read so far.
    pub fn unused(&self) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(|binding| !binding.used)
    }
}

/// "`a`, `b`"
pub fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
