//! A declaration as rust-analyzer sees it. In: the tokens between the braces, well written or half typed;
//! out: each word where the editor is to ask for it, in the order of the declaration. It knows no syntax
//! error: while somebody types there always is one.

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};

use crate::ast::Network;
use crate::case::{is_keyword, is_value};
use crate::emit::unplaced;
use crate::parse::tokens::Tokens;

/// ```text
/// #[allow(unexpected_cfgs)]
/// const _: () = {
///     #[cfg(rust_analyzer)]
///     ::nn_runtime::__private::editor! {
///         Net
///         places { { start::Dense; } { let _: layers::Relu; } }
///         calls { { Dense::new(64).init(HeNormal); } }
///         shown { Net 0 Dense 1 head 2 Relu 2 }
///         inputs { input [784] }
///         values { a 2 }
///         labels { head 2 }
///     }
/// };
/// ```
/// The numbers are those of steps: each name is shown with what its step makes.
///
/// rust-analyzer completes a word by expanding the declaration twice, as it is and with a made-up word at the
/// cursor, and asks at the place in the first expansion where that word stands in the second. So this comes
/// before all else, and what stands before a word depends neither on it nor on whether the whole is sound.
pub fn view(network: &Network) -> TokenStream {
    let body = network.body.as_ref().map(Group::stream).unwrap_or_default();
    let mut view = View::default();
    view.shows(&network.header.name, 0);
    view.statements(&mut Tokens::new(body));
    let View { places, calls, shown, values, labels, .. } = view;
    let name = unplaced(&network.header.name);
    let inputs = network.header.inputs.iter().flatten().filter_map(|port| {
        let (name, shape) = (port.name_or("input"), port.shape.as_ref()?);
        let name = Ident::new(&name, Span::mixed_site());
        Some(quote!(#name #shape))
    });
    quote! {
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(rust_analyzer)]
            ::nn_runtime::__private::editor! {
                #name
                places { #places }
                calls { #calls }
                shown { #shown }
                inputs { #(#inputs)* }
                values { #values }
                labels { #labels }
            }
        };
    }
}

#[derive(Default)]
struct View {
    places: TokenStream,
    calls: TokenStream,
    shown: TokenStream,
    values: TokenStream,
    labels: TokenStream,
    /// Layers so far.
    steps: usize,
}

impl View {
    fn statements(&mut self, tokens: &mut Tokens) {
        while !tokens.at_end() {
            attributes(tokens);
            let names = self.names(tokens);
            self.chain(tokens, "start");
            for name in names.iter().filter(|name| *name != "_") {
                self.shows(name, self.steps);
                self.values.extend(named(name, self.steps));
            }
            tokens.take(usize::from(tokens.is_sign(0, ';')));
        }
        self.place("start", None);
    }

    /// `let (a, b) =`
    fn names(&mut self, tokens: &mut Tokens) -> Vec<Ident> {
        if !tokens.is_word(0, "let") {
            return Vec::new();
        }
        let end = tokens.until(|tokens, ahead| tokens.is_sign(ahead, '=') || tokens.is_sign(ahead, ';'));
        let names: Vec<Ident> = words(tokens.take(end)).into_iter().filter(|word| word != "let").collect();
        tokens.take(usize::from(tokens.is_sign(0, '=')));
        names
    }

    /// `source -> step -> step`, of which the first stands at `place`.
    fn chain(&mut self, tokens: &mut Tokens, mut place: &'static str) {
        loop {
            let step = tokens.until(|tokens, ahead| {
                tokens.is_arrow(ahead) || tokens.is_sign(ahead, ';') || ahead > 0 && tokens.is_word(ahead, "let")
            });
            let mut step = Tokens::new(tokens.take(step));
            // Without an arrow between them there may be several.
            loop {
                self.step(&mut step, place);
                if step.at_end() {
                    break;
                }
            }
            if !tokens.is_arrow(0) {
                return;
            }
            tokens.take(2);
            place = "layers";
        }
    }

    fn step(&mut self, tokens: &mut Tokens, place: &str) {
        attributes(tokens);
        if tokens.is_word(0, "frozen") && tokens.peek(1).is_some() {
            tokens.bump();
        }
        let label = tokens.ident(0).filter(|_| tokens.is_colon(1) && !tokens.is_pair(1, [':', ':'])).cloned();
        if label.is_some() {
            tokens.take(2);
        }
        if let Some(shape) = tokens.group(0, Delimiter::Bracket).cloned() {
            tokens.bump();
            self.calls.extend(quote!(let _ = #shape;));
            return;
        }
        if let Some(group) = tokens.group(0, Delimiter::Parenthesis).cloned() {
            tokens.bump();
            let names = words(group.stream());
            names.iter().for_each(|name| self.place("values", Some(name.into_token_stream())));
            self.place("values", None);
            return;
        }
        if let (true, Some(group)) = (tokens.is_word(0, "share"), tokens.group(1, Delimiter::Parenthesis).cloned()) {
            self.steps += 1;
            words(tokens.take(1)).iter().for_each(|share| self.shows(share, self.steps));
            tokens.bump();
            let label = words(group.stream()).first().map(ToTokens::to_token_stream);
            self.place("labels", label);
            return;
        }
        let path = path(tokens);
        if path.is_empty() {
            // No layer begins here.
            tokens.bump();
            self.place(place, None);
            return;
        }
        self.layer(path, label, place, tokens);
    }

    fn layer(&mut self, path: TokenStream, label: Option<Ident>, place: &str, tokens: &mut Tokens) {
        let kind = kind(&path);
        let only = path.clone().into_iter().count() == 1;
        let value = only && place == "start" && kind.as_ref().is_some_and(is_value);
        if !value {
            self.steps += 1;
            label.iter().chain(&kind).for_each(|word| self.shows(word, self.steps));
            self.labels.extend(label.map(|label| named(&label, self.steps)));
        }
        // What is qualified by the user needs no more.
        match only {
            true => self.place(place, Some(path.clone())),
            false => self.places.extend(quote!({ #path; })),
        }
        if let Some(args) = tokens.group(0, Delimiter::Parenthesis).cloned() {
            tokens.bump();
            // While the parentheses are open, the rest of the chain stands within them.
            let mut inner = Tokens::new(args.stream());
            let end = inner.until(Tokens::is_arrow);
            let call = call(&mut Tokens::new(inner.take(end)));
            self.calls.extend(quote!({ #path #call; }));
            if !inner.at_end() {
                inner.take(2);
                self.chain(&mut inner, "layers");
            }
        } else if let Some(TokenTree::Group(_)) = tokens.peek(0) {
            tokens.bump();
        }
        if tokens.is_sign(0, '*') {
            tokens.bump();
            let times = tokens.rest();
            self.calls.extend(quote!({ let _: usize = #times; }));
        }
    }

    /// A word of the module `place`; where there is none yet, any.
    fn place(&mut self, place: &str, word: Option<TokenStream>) {
        let place = Ident::new(place, Span::mixed_site());
        let word = word.unwrap_or_else(|| quote!(nothing));
        self.places.extend(match place == "layers" {
            // Types alone.
            true => quote!({ let _: #place::#word; }),
            false => quote!({ #place::#word; }),
        });
    }

    /// Whoever rests on `word` is shown what the step makes.
    fn shows(&mut self, word: &Ident, step: usize) {
        let step = Literal::usize_unsuffixed(step);
        self.shown.extend(quote!(#word #step));
    }
}

fn named(word: &Ident, step: usize) -> TokenStream {
    let (word, step) = (unplaced(word), Literal::usize_unsuffixed(step));
    quote!(#word #step)
}

/// `::new(64).init(HeNormal)` from `(64, init = HeNormal)`. A word alone that begins as an option's name does
/// is one, with its value still to come.
fn call(tokens: &mut Tokens) -> TokenStream {
    let (mut positional, mut options) = (Vec::new(), TokenStream::new());
    while !tokens.at_end() {
        let end = tokens.until(|tokens, ahead| tokens.is_sign(ahead, ','));
        let mut one = Tokens::new(tokens.take(end));
        tokens.bump();
        let named = one.peek(1).is_none() || one.is_sign(1, '=') || one.is_colon(1) && !one.is_pair(1, [':', ':']);
        match one
            .ident(0)
            .filter(|word| named && (is_value(word) || is_keyword(word) || one.peek(1).is_some()))
            .cloned()
        {
            Some(name) => {
                one.take(2);
                let value = one.rest();
                options.extend(quote!(.#name(#value)));
            }
            None => positional.push(one.rest()),
        }
    }
    quote!(::new(#(#positional),*) #options)
}

/// `a::B::<4>`
fn path(tokens: &mut Tokens) -> TokenStream {
    let mut path = TokenStream::new();
    loop {
        if tokens.is_pair(0, [':', ':']) {
            path.extend(tokens.take(2));
            if tokens.is_sign(0, '<') {
                let end = tokens.until(|tokens, ahead| tokens.is_sign(ahead, '>'));
                path.extend(tokens.take(end + 1));
                continue;
            }
        } else if !path.is_empty() {
            return path;
        }
        if tokens.ident(0).is_none() {
            return path;
        }
        path.extend(tokens.take(1));
    }
}

/// The last word of a path, and none of its arguments.
fn kind(path: &TokenStream) -> Option<Ident> {
    let outside = path.clone().into_iter().take_while(|token| token.to_string() != "<");
    outside.filter_map(|token| if let TokenTree::Ident(word) = token { Some(word) } else { None }).last()
}

fn attributes(tokens: &mut Tokens) {
    while tokens.is_sign(0, '#') && tokens.group(1, Delimiter::Bracket).is_some() {
        tokens.take(2);
    }
}

/// All words, also those in groups.
fn words(tokens: TokenStream) -> Vec<Ident> {
    let words = tokens.into_iter().flat_map(|token| match token {
        TokenTree::Ident(word) => vec![word],
        TokenTree::Group(group) => words(group.stream()),
        _ => Vec::new(),
    });
    words.collect()
}
