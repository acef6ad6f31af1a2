//! Names become numbers. In: the ast; out: the graph, if every name is known and every value is read. Goes on
//! behind each fault; it evaluates no number.

use std::borrow::Cow;

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;

use super::names::SiteNames;
use super::scope::Scope;
use super::{Graph, Item, MAX_INPUTS, Shared, Site, ports, unread};
use crate::ast::{self, Chain, Network, Statement, Step, What};
use crate::case::{camel, snake};
use crate::errors::Errors;
use crate::parse::pretty::pretty;

/// Looks every name up; `None` if something is missing, which is then reported.
pub fn resolve<'a>(network: &'a Network, errors: &mut Errors) -> Option<Graph<'a>> {
    let header = &network.header;
    let (inputs, outputs) = (header.inputs.as_deref()?, header.outputs.as_deref()?);
    let names = network.statements.iter().flat_map(|statement| &statement.names);
    let mut resolver = Resolver {
        network,
        // What could not be read may have used anything.
        whole: errors.is_empty(),
        errors,
        scope: Scope::new(names.map(|name| name.unraw().to_string()).collect()),
        names: SiteNames::default(),
        layers: Vec::new(),
        items: Vec::new(),
        steps: 0,
        inputs: inputs.len(),
        values: inputs.len(),
        flow: TracedValue::Start,
    };
    ports::check(inputs, outputs, resolver.errors);
    for (value, port) in inputs.iter().enumerate() {
        resolver.scope.input(port.name_or("input"), port.name.clone(), value);
    }
    for statement in &network.statements {
        resolver.statement(statement);
    }
    let results = resolver.results(outputs);
    resolver.unused();
    let Resolver { mut items, mut values, errors, .. } = resolver;
    // Behind a fault sites are missing.
    let results = match results {
        Some(results) if errors.is_empty() => Some(unread::join(&mut items, &mut values, inputs.len(), results)),
        results => results,
    };
    let (inputs, outputs) = (ports::named(inputs, "input")?, ports::named(outputs, "output")?);
    Some(Graph { header, inputs, outputs, items, results: results?, values })
}

/// What the next statement goes on from.
pub(super) enum TracedValue {
    /// Nothing has been said yet.
    Start,
    Made(Made),
    /// Behind a fault: silent.
    Unknown,
}

/// What a statement leaves.
pub(super) struct Made {
    pub(super) values: Vec<usize>,
    /// The bindings that its `let` made.
    pub(super) bindings: Vec<usize>,
    /// Where to say that nothing reads it; `None` where it has names, or made nothing.
    pub(super) place: Option<TokenStream>,
}

pub(super) struct Resolver<'a, 'e> {
    pub(super) network: &'a Network,
    pub(super) whole: bool,
    pub(super) errors: &'e mut Errors,
    pub(super) scope: Scope,
    pub(super) names: SiteNames,
    /// The layer of each site, and the site whose parameters it uses.
    pub(super) layers: Vec<Option<(&'a ast::Layer, usize)>>,
    pub(super) items: Vec<Item<'a>>,
    /// Layers of the declaration so far.
    pub(super) steps: usize,
    pub(super) inputs: usize,
    pub(super) values: usize,
    pub(super) flow: TracedValue,
}

impl<'a> Resolver<'a, '_> {
    fn statement(&mut self, statement: &'a Statement) {
        let names = &statement.names;
        if statement.open {
            self.scope.open();
        }
        let flow = self.chain(&statement.chain, names.len());
        let mut made = match flow {
            Some(made) if names.is_empty() || made.values.len() == names.len() => Some(made),
            Some(made) => {
                let expected = format!("a name for each of {} values", made.values.len());
                let expected = if made.values.len() == 1 { "one name for one value".to_owned() } else { expected };
                let place = names.iter().map(ToTokens::to_token_stream).collect::<TokenStream>();
                let help = "a layer joins several values: `let one = (a, b) -> Layer;`";
                self.errors.add(place, &expected, &format!("{} names", names.len()), help);
                None
            }
            None => None,
        };
        for (i, name) in names.iter().enumerate() {
            let value = made.as_ref().map(|made| made.values[i]);
            if name == "_" {
                continue;
            }
            let binding = self.scope.bind(name, value, self.errors);
            if let Some(made) = &mut made {
                made.bindings.push(binding);
                made.place = None;
            }
        }
        self.flow = made.map_or(TracedValue::Unknown, TracedValue::Made);
    }

    /// Follows a chain whose last layer has `names` outputs, or one.
    fn chain(&mut self, chain: &'a Chain, names: usize) -> Option<Made> {
        if let (Some(source), true, 0, false) = (&chain.source, chain.steps.is_empty(), names, chain.broken)
            && let [word] = &source.names[..]
            && !self.scope.knows(word)
        {
            self.word(word, true);
            return None;
        }
        let mut x = self.begin(chain);
        let mut place = None;
        for (i, step) in chain.steps.iter().enumerate() {
            let last = i + 1 == chain.steps.len();
            match step {
                Step::Shape(shape) => match x.as_deref() {
                    Some([value]) => self.items.push(Item::Shape { value: *value, shape }),
                    Some(_) => {
                        self.errors.add(
                            shape,
                            "a layer that joins several values",
                            "a shape",
                            "`(a, b) -> Layer -> [10]`",
                        );
                        x = None;
                    }
                    None => {}
                },
                Step::Word(word) => {
                    self.word(word, last);
                    x = None;
                }
                Step::Use(site) => {
                    if i == 0 && chain.source.is_none() {
                        self.label_is_no_value(site);
                    }
                    if self.arguments_are_no_values(site, chain.source.as_ref().filter(|_| i == 0)) {
                        x = None;
                    }
                    let made = if last { names.max(1) } else { 1 };
                    x = self.site(site, x, made);
                    place = Some(site.tokens());
                }
            }
        }
        if chain.steps.is_empty() && names == 0 && !chain.broken {
            let source = chain.source.as_ref().map(|source| source.tokens.clone()).unwrap_or_default();
            let outputs = self.network.header.outputs.iter().flatten();
            let help = match outputs.into_iter().any(|port| port.name.is_some()) {
                true => "remove it: named outputs are bound by `let`".to_owned(),
                false => format!(
                    "`{} -> Layer;`, or remove it: a network's only output is what the last statement makes",
                    pretty(&source)
                ),
            };
            self.errors.add(source, "`->` and a layer after a value", "the end of the statement", &help);
            return None;
        }
        let values = x.filter(|_| !chain.broken)?;
        Some(Made { values, bindings: Vec::new(), place })
    }

    /// The values a chain begins with.
    fn begin(&mut self, chain: &Chain) -> Option<Vec<usize>> {
        let before = core::mem::replace(&mut self.flow, TracedValue::Unknown);
        if let Some(source) = &chain.source {
            self.drop_result(&before);
            if source.names.len() > MAX_INPUTS && self.inputs <= MAX_INPUTS {
                let expected = format!("at most {MAX_INPUTS} values");
                let help = "join some of them first: `let one = (a, b) -> Layer;`";
                self.errors.add(&source.tokens, &expected, &source.names.len().to_string(), help);
            }
            let values: Vec<_> = source.names.iter().map(|name| self.scope.read(name, self.errors)).collect();
            return values.into_iter().collect();
        }
        if chain.broken && chain.steps.is_empty() {
            return None;
        }
        match before {
            TracedValue::Start if self.inputs == 1 => {
                self.scope.touch(0);
                Some(vec![0])
            }
            // Where it begins may be what is missing.
            TracedValue::Start if chain.broken => {
                self.scope.touch_all();
                None
            }
            TracedValue::Start => {
                let (place, word) = first(chain);
                let names: Vec<_> = self.scope.inputs().map(|name| format!("`{name} -> …`")).collect();
                let help = format!("begin with one of them: {}", names.join(", "));
                self.errors.add(place, "one of several inputs to begin with", &word, &help);
                self.scope.touch_all();
                None
            }
            TracedValue::Made(made) if made.values.len() == 1 => {
                made.bindings.iter().for_each(|binding| self.scope.touch(*binding));
                Some(made.values)
            }
            TracedValue::Made(made) if chain.broken => {
                made.bindings.iter().for_each(|binding| self.scope.touch(*binding));
                None
            }
            TracedValue::Made(made) => {
                let (place, word) = first(chain);
                let names: Vec<_> =
                    made.bindings.iter().map(|binding| format!("`{} -> …`", self.scope.name(*binding))).collect();
                let help = format!("begin with one of them: {}", names.join(", "));
                self.errors.add(place, "one of the values of the statement before to begin with", &word, &help);
                made.bindings.iter().for_each(|binding| self.scope.touch(*binding));
                None
            }
            TracedValue::Unknown => None,
        }
    }

    /// The statement before is not gone on from.
    pub(super) fn drop_result(&mut self, before: &TracedValue) {
        // Labels that are called as outputs are told as such.
        let mut outputs = self.network.header.outputs.iter().flatten().filter_map(|port| port.name.as_ref());
        let labelled = outputs.any(|name| labels(self.network).any(|label| name.unraw() == label));
        if let TracedValue::Made(Made { place: Some(place), .. }) = before
            && self.whole
            && !labelled
        {
            let help = "name it by `let name = …;` and read it, or remove the statement";
            self.errors.add(place, "what this makes to be used", "that nothing reads it", help);
        }
    }

    /// A word in lower case where a layer should be.
    fn word(&mut self, word: &Ident, last: bool) {
        let found = format!("`{word}`");
        // Whatever was meant may be read by it.
        self.whole = false;
        if labels(self.network).any(|label| word.unraw() == label) {
            let found = format!("{found}, which labels a layer");
            self.errors.add(word, "a layer", &found, &format!("`share({word})`"));
        } else if self.scope.knows(word) {
            let found = format!("the value {found}");
            let help =
                format!("a value begins a chain: `{word} -> Layer`; several go together: `({word}, other) -> Layer`");
            self.errors.add(word, "a layer", &found, &help);
        } else {
            let text = word.unraw().to_string();
            // `-> output` and `-> y`, as if what comes out were named there.
            let names = last && (text.starts_with("out") || text.chars().count() == 1);
            let help = match names {
                true => format!("remove it; a value is named where its statement begins: `let {text} = …;`"),
                false => format!("`{}`", camel(&text)),
            };
            self.errors.add(word, "a layer", &found, &help);
            self.scope.has_told(text);
        }
    }

    /// A layer at its place. Gives the values it makes; `None` where it is not known what it reads.
    fn site(&mut self, site: &'a ast::LayerUse, x: Option<Vec<usize>>, made: usize) -> Option<Vec<usize>> {
        let id = self.layers.len();
        self.steps += 1;
        let (layer, kind, shares) = match &site.what {
            What::Layer(layer) => (&**layer, layer.kind(), None),
            What::Share { keyword, label, .. } => match self.shared(label) {
                Some((layer, site)) => (layer, keyword, Some(Shared { site, label: label.unraw().to_string() })),
                None => {
                    self.layers.push(None);
                    return None;
                }
            },
        };
        if let (None, Some(only)) = (&shares, layer.path.get_ident())
            && *only == self.network.header.name
        {
            let found = format!("`{only}` itself");
            self.errors.add(
                only,
                "another network or a layer",
                &found,
                "declare what repeats as a network of its own: `Block * 2`",
            );
        }
        let foreign = shares.is_none() && self.arguments_are_foreign(layer);
        if shares.is_none() {
            self.arguments_are_no_networks(layer);
        }
        let name = self.names.give(id, site.label.as_ref(), layer.kind(), kind, self.errors);
        self.layers.push(Some((layer, shares.as_ref().map_or(id, |shared| shared.site))));
        let x = x.filter(|_| !foreign)?;
        if let (true, Some(times)) = (x.len() > 1, &layer.times) {
            return self.unrolled(site, layer, (name, id), x, times);
        }
        let y = self.values;
        self.values += made;
        let (frozen, place) = (site.frozen.is_some(), site.tokens());
        let reads = x.iter().map(|value| self.scope.name_of(*value)).collect();
        self.items.push(Item::Site(Site {
            id,
            step: self.steps,
            name,
            layer: Cow::Borrowed(layer),
            x,
            reads,
            y,
            made,
            frozen,
            shares,
            place,
        }));
        Some((y..self.values).collect())
    }

    /// The layer with this label, and the site whose parameters it uses.
    fn shared(&mut self, label: &Ident) -> Option<(&'a ast::Layer, usize)> {
        let name = label.unraw().to_string();
        if let Some(site) = self.names.labelled(&name) {
            return self.layers[site];
        }
        let (found, help) = if labels(self.network).any(|later| later == name) {
            (
                format!("`{name}`, which labels a layer further down"),
                format!("write `{name}: …` there and `share({name})` after it"),
            )
        } else {
            let found = match self.scope.knows(label) {
                true => format!("the value `{name}`"),
                false => format!("`{name}`, which labels none"),
            };
            let help = match self.names.nearest(&name) {
                Some(near) => format!("did you mean `{near}`?"),
                None if self.scope.knows(label) => {
                    format!("label the layer that makes it, `{name}_layer: Layer`, and `share({name}_layer)`")
                }
                None => format!("label the layer to share: `{}: Layer`", snake(&name)),
            };
            (found, help)
        };
        // The layer that it labels may be what could not be read.
        let known = self.names.nearest(&name).is_some() || self.scope.knows(label);
        if self.whole || known || found.contains("further down") {
            self.errors.add(label, "the label of an earlier layer", &found, &help);
        }
        None
    }
}

/// Where a chain begins, and what stands there.
fn first(chain: &Chain) -> (TokenStream, String) {
    let place = match chain.steps.first() {
        Some(Step::Shape(shape)) => shape.to_token_stream(),
        Some(Step::Word(word)) => word.to_token_stream(),
        Some(Step::Use(site)) => site.tokens(),
        None => TokenStream::new(),
    };
    let word = match chain.steps.first() {
        Some(Step::Shape(_)) => "a shape".to_owned(),
        Some(Step::Word(word)) => format!("`{word}`"),
        Some(Step::Use(site)) => match &site.what {
            What::Layer(layer) => format!("`{}`", layer.kind()),
            What::Share { keyword, .. } => format!("`{keyword}`"),
        },
        None => "nothing".to_owned(),
    };
    (place, word)
}

fn labels(network: &Network) -> impl Iterator<Item = String> {
    let steps = network.statements.iter().flat_map(|statement| &statement.chain.steps);
    steps.filter_map(|step| match step {
        Step::Use(site) => site.label.as_ref().map(|label| label.unraw().to_string()),
        _ => None,
    })
}
