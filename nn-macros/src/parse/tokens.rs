//! Tokens with a place in them. In: a token stream; out: looks ahead, steps forward, and words for what was
//! found. It reports nothing itself.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream, Parser};

pub struct Tokens {
    list: Vec<TokenTree>,
    at: usize,
}

impl Tokens {
    pub fn new(stream: TokenStream) -> Tokens {
        Tokens { list: stream.into_iter().filter_map(peel).collect(), at: 0 }
    }

    pub fn at_end(&self) -> bool {
        self.at == self.list.len()
    }

    /// The token `ahead` of this one.
    pub fn peek(&self, ahead: usize) -> Option<&TokenTree> {
        self.list.get(self.at + ahead)
    }

    pub fn ident(&self, ahead: usize) -> Option<&Ident> {
        match self.peek(ahead) {
            Some(TokenTree::Ident(ident)) => Some(ident),
            _ => None,
        }
    }

    pub fn is_word(&self, ahead: usize, word: &str) -> bool {
        self.ident(ahead).is_some_and(|ident| ident == word)
    }

    fn punct(&self, ahead: usize) -> Option<&Punct> {
        match self.peek(ahead) {
            Some(TokenTree::Punct(punct)) => Some(punct),
            _ => None,
        }
    }

    /// True at this sign, whatever it is part of.
    pub fn is_sign(&self, ahead: usize, sign: char) -> bool {
        self.punct(ahead).is_some_and(|punct| punct.as_char() == sign)
    }

    /// True at these two signs, written without a space.
    pub fn is_pair(&self, ahead: usize, pair: [char; 2]) -> bool {
        let joint = self.punct(ahead).is_some_and(|punct| punct.spacing() == Spacing::Joint);
        joint && self.is_sign(ahead, pair[0]) && self.is_sign(ahead + 1, pair[1])
    }

    pub fn is_arrow(&self, ahead: usize) -> bool {
        self.is_pair(ahead, ['-', '>'])
    }

    /// True at a `:` that is not half of a `::`.
    pub fn is_colon(&self, ahead: usize) -> bool {
        self.is_sign(ahead, ':') && !self.is_pair(ahead, [':', ':'])
    }

    pub fn group(&self, ahead: usize, delimiter: Delimiter) -> Option<&Group> {
        match self.peek(ahead) {
            Some(TokenTree::Group(group)) if group.delimiter() == delimiter => Some(group),
            _ => None,
        }
    }

    /// The next token.
    pub fn bump(&mut self) -> Option<TokenTree> {
        let token = self.list.get(self.at).cloned();
        self.at += usize::from(token.is_some());
        token
    }

    /// The next `count` tokens, or what there is of them.
    pub fn take(&mut self, count: usize) -> TokenStream {
        let from = self.at;
        self.at = (from + count).min(self.list.len());
        self.list[from..self.at].iter().cloned().collect()
    }

    /// Goes back by `count` tokens.
    pub fn back(&mut self, count: usize) {
        self.at -= count.min(self.at);
    }

    /// This token and the next one the other way round.
    pub fn swap(&mut self) {
        if self.at + 1 < self.list.len() {
            self.list.swap(self.at, self.at + 1);
        }
    }

    /// True where one letter stood alone before this token, of which the compiler has said that it knows none
    /// such: `→`.
    pub fn lacks_a_sign(&self) -> bool {
        if self.at == 0 || self.at_end() || !proc_macro::is_available() {
            return false;
        }
        let (before, here) = (self.list[self.at - 1].span().unwrap().end(), self.list[self.at].span().unwrap().start());
        before.line() == here.line() && before.column() + 3 == here.column()
    }

    /// How many tokens there are up to the first at which `stop` holds, or to the end.
    pub fn until(&self, stop: impl Fn(&Tokens, usize) -> bool) -> usize {
        let left = self.list.len() - self.at;
        (0..left).find(|ahead| stop(self, *ahead)).unwrap_or(left)
    }

    /// Reads something of Rust's own, as much of what is left as belongs to it. Reads nothing if that does
    /// not work.
    pub fn parse<T: Parse>(&mut self) -> Option<T> {
        let whole = |input: ParseStream| Ok((input.parse::<T>()?, input.parse::<TokenStream>()?));
        let before = self.at;
        match whole.parse2(self.rest()) {
            Ok((it, left)) => {
                self.back(left.into_iter().count());
                // What ends within an invisible group is no whole.
                let whole = self.at > before;
                self.at = self.at.max(before);
                whole.then_some(it)
            }
            Err(_) => {
                self.at = before;
                None
            }
        }
    }

    /// All that is left, which stays.
    pub fn left(&self) -> TokenStream {
        self.list[self.at..].iter().cloned().collect()
    }

    /// All that is left.
    pub fn rest(&mut self) -> TokenStream {
        self.take(self.list.len() - self.at)
    }

    /// The token to underline here: this one (both halves of an arrow), or at the end the last one.
    pub fn here(&self) -> TokenStream {
        let pair = self.is_arrow(0) || self.is_pair(0, ['=', '>']) || self.is_pair(0, [':', ':']);
        let from = self.at.min(self.list.len().saturating_sub(1));
        let to = (from + 1 + usize::from(pair)).min(self.list.len());
        self.list[from..to].iter().map(opening).collect()
    }

    /// What stands here, in words.
    pub fn found(&self) -> String {
        let pair = [(['-', '>'], "`->`"), (['=', '>'], "`=>`"), ([':', ':'], "`::`")];
        if let Some((_, text)) = pair.into_iter().find(|(pair, _)| self.is_pair(0, *pair)) {
            return text.to_owned();
        }
        self.peek(0).map_or_else(|| "the end".to_owned(), describe)
    }
}

/// What to underline for a token: of a body in braces, which may be long, where it opens.
pub fn opening(token: &TokenTree) -> TokenTree {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
            TokenTree::Ident(Ident::new("_", group.span_open()))
        }
        other => other.clone(),
    }
}

/// A token in words.
pub fn describe(token: &TokenTree) -> String {
    match token {
        TokenTree::Group(group) => match group.delimiter() {
            Delimiter::Parenthesis => "`(…)`".to_owned(),
            Delimiter::Brace => "`{…}`".to_owned(),
            Delimiter::Bracket => "`[…]`".to_owned(),
            Delimiter::None => format!("`{group}`"),
        },
        other => format!("`{other}`"),
    }
}

/// What a `macro_rules!` around `network!` hands on comes in invisible groups: one token in such a group is
/// that token, and an empty one is nothing.
fn peel(token: TokenTree) -> Option<TokenTree> {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            let mut inner = group.stream().into_iter();
            match (inner.next(), inner.next()) {
                (None, _) => None,
                (Some(only), None) => peel(only),
                _ => Some(TokenTree::Group(group)),
            }
        }
        other => Some(other),
    }
}
