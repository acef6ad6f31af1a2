//! Weights within the program. In: the header; out: the bytes of the file, the check that they are the
//! network's, and the function that makes a model of them. What the file holds is not known here.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};

use super::span_of;
use crate::ast::{Header, Weights};
use crate::parse::pretty::pretty;
use crate::parse::weights::text;
use crate::span::Ends;

/// ```text
/// #[cfg(not(rust_analyzer))]
/// const __BYTES: &[u8] = &__nn::Aligned(*::core::include_bytes!(
///     ::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", "net.safetensors")
/// )).0;
/// #[cfg(not(rust_analyzer))]
/// const __ROOM: __nn::Room<{ __nn::name_bytes(&__MAP) }, { __nn::entry_count(__BYTES) }> = __nn::Room;
/// #[cfg(not(rust_analyzer))]
/// static weights: __nn::Embedded<{ __nn::tensor_count(&__MAP) }> =
///     __nn::embed(&__MAP, __BYTES, "net.safetensors", __nn::Names::new(), __ROOM);
/// impl Net { pub fn embedded() -> __nn::Model<Self> { __nn::embedded(&weights) } }
/// ```
pub fn sound(header: &Header) -> TokenStream {
    let Some(Weights { path: Some(path), names }) = &header.weights else { return TokenStream::new() };
    let span = span_of(&header.name);
    let place = path.to_token_stream();
    let ends = Ends::of(place.clone()).unwrap_or(Ends { start: span, end: span });
    let file = match text(path) {
        // A path from the root stands for itself.
        Some(text) if !text.starts_with('/') => {
            quote_spanned!(span=> ::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #path))
        }
        _ => place.clone(),
    };
    let shown = text(path).unwrap_or_else(|| pretty(&place));
    let names = match names {
        Some(names) => names.to_token_stream(),
        None => quote_spanned!(span=> __nn::Names::new()),
    };
    // What is underlined where the file cannot be read is the path.
    let read = Ident::new("include_bytes", ends.start);
    let bytes = quote_spanned!(ends.start=> *::core::#read!);
    let bytes = [bytes, ends.close(file).into_token_stream()].into_iter().collect::<TokenStream>();
    let embed = quote_spanned!(ends.start=> __nn::embed);
    let args = ends.close(quote_spanned!(span=> &__MAP, __BYTES, #shown, #names, __ROOM));
    let function = function(header, span, &shown, quote_spanned!(span=> __nn::embedded(&weights)));
    quote_spanned! {span=>
        #[cfg(not(rust_analyzer))]
        const __BYTES: &[u8] = &__nn::Aligned(#bytes).0;
        #[cfg(not(rust_analyzer))]
        const __ROOM: __nn::Room<{ __nn::name_bytes(&__MAP) }, { __nn::entry_count(__BYTES) }> = __nn::Room;
        #[cfg(not(rust_analyzer))]
        static weights: __nn::Embedded<{ __nn::tensor_count(&__MAP) }> = #embed #args;
        #function
    }
}

/// ```text
/// impl Net { pub fn embedded() -> __nn::Model<Self> { ::core::unreachable!() } }
/// ```
pub fn stub(header: &Header) -> TokenStream {
    match &header.weights {
        Some(_) => {
            let span = span_of(&header.name);
            function(header, span, "", quote_spanned!(span=> ::core::unreachable!()))
        }
        None => TokenStream::new(),
    }
}

fn function(header: &Header, span: Span, path: &str, body: TokenStream) -> TokenStream {
    let Header { vis, name, .. } = header;
    let doc = format!(
        " A model with the weights of `{path}`, which are a part of the program: to predict with, or to train further."
    );
    quote_spanned! {span=>
        impl #name {
            #[doc = #doc]
            #vis fn embedded() -> __nn::Model<Self> {
                #[cfg(not(rust_analyzer))]
                {
                    #body
                }
                #[cfg(rust_analyzer)]
                ::core::unreachable!()
            }
        }
    }
}
