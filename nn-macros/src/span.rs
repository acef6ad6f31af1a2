//! Where a message of rustc lands. In: the user's tokens; out: spans that lead from their first to their
//! last, so that a check underlines a layer and nothing else. Nothing here may make names.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};

/// The two ends of something in the declaration. On stable two spans cannot be joined, but an expression
/// whose first token lies at `start` and whose last lies at `end` is underlined as a whole. Both are empty,
/// so that an editor does not take for the user's word what only points at it.
#[derive(Clone, Copy)]
pub struct Ends {
    pub start: Span,
    pub end: Span,
}

impl Ends {
    /// From the first to the last of `tokens`; `None` without any.
    pub fn of(tokens: TokenStream) -> Option<Ends> {
        let mut tokens = tokens.into_iter();
        let first = tokens.next()?;
        let last = tokens.last().unwrap_or_else(|| first.clone());
        Some(Ends { start: before(first_span(&first)), end: behind(last_span(&last)) })
    }

    /// `tokens` in parentheses that lie at the end.
    pub fn close(self, tokens: TokenStream) -> Group {
        let mut group = Group::new(Delimiter::Parenthesis, tokens);
        group.set_span(self.end);
        group
    }
}

/// The empty place before a token.
pub fn before(span: Span) -> Span {
    if proc_macro::is_available() { span.unwrap().start().into() } else { span }
}

/// The empty place behind a token.
fn behind(span: Span) -> Span {
    if proc_macro::is_available() { span.unwrap().end().into() } else { span }
}

fn first_span(token: &TokenTree) -> Span {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            group.stream().into_iter().next().map_or_else(|| group.span(), |first| first_span(&first))
        }
        TokenTree::Group(group) => group.span_open(),
        other => other.span(),
    }
}

fn last_span(token: &TokenTree) -> Span {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            group.stream().into_iter().last().map_or_else(|| group.span(), |last| last_span(&last))
        }
        TokenTree::Group(group) => group.span_close(),
        other => other.span(),
    }
}
