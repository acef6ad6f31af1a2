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
/// const __ROOM: __nn::Room<{ __nn::name_bytes(&__TREE) }, { __nn::entry_count(__BYTES) }> = __nn::Room;
/// #[cfg(not(rust_analyzer))]
/// static weights: __nn::Embedded<{ __nn::tensor_count(&__TREE) }> =
///     __nn::embed(&__TREE, __BYTES, "net.safetensors", __nn::Names::new(), __ROOM);
/// impl Net {
///     __nn::with_alloc! { pub fn embedded() -> __nn::Model<Self> { __nn::embedded(&weights) } }
///     pub fn embedded_ref() -> __nn::ModelRef<'static, Self> { __nn::in_place::<Self>() }
/// }
/// impl __nn::LaidOut for Net { const LAID_OUT: &'static [f32] = &__nn::lay_out::<…>(&weights).0; }
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
    let args = ends.close(quote_spanned!(span=> &__TREE, __BYTES, #shown, #names, __ROOM));
    let copied = quote_spanned!(span=> __nn::embedded(&weights));
    let in_place = quote_spanned!(span=> __nn::in_place::<Self>());
    let name = &header.name;
    let functions = functions(header, span, &shown, copied, in_place);
    quote_spanned! {span=>
        #[cfg(not(rust_analyzer))]
        const __BYTES: &[u8] = &__nn::Aligned(#bytes).0;
        #[cfg(not(rust_analyzer))]
        const __ROOM: __nn::Room<{ __nn::name_bytes(&__TREE) }, { __nn::entry_count(__BYTES) }> = __nn::Room;
        #[cfg(not(rust_analyzer))]
        static weights: __nn::Embedded<{ __nn::tensor_count(&__TREE) }> = #embed #args;
        #functions
        // No constant in the function: rustc computes what is in those that nobody calls, too.
        #[cfg(not(rust_analyzer))]
        impl __nn::LaidOut for #name {
            const LAID_OUT: &'static [::core::primitive::f32] =
                &__nn::lay_out::<{ __nn::tensor_count(&__TREE) }, { __MAP.params_len() }>(&weights).0;
        }
    }
}

/// ```text
/// impl Net {
///     __nn::with_alloc! { pub fn embedded() -> __nn::Model<Self> { ::core::unreachable!() } }
///     pub fn embedded_ref() -> __nn::ModelRef<'static, Self> { ::core::unreachable!() }
/// }
/// ```
pub fn stub(header: &Header) -> TokenStream {
    match &header.weights {
        Some(_) => {
            let span = span_of(&header.name);
            let nothing = quote_spanned!(span=> ::core::unreachable!());
            functions(header, span, "", nothing.clone(), nothing)
        }
        None => TokenStream::new(),
    }
}

fn functions(header: &Header, span: Span, path: &str, copied: TokenStream, in_place: TokenStream) -> TokenStream {
    let Header { vis, name, .. } = header;
    let embedded = format!(
        " A model with the weights of `{path}`, which are a part of the program: to predict with, or to train further."
    );
    let embedded_ref = format!(
        " The weights of `{path}` where they lie in the program, to predict with: nothing is copied or allocated."
    );
    quote_spanned! {span=>
        // A network may be called `Embedded`.
        #[allow(clippy::self_named_constructors)]
        impl #name {
            __nn::with_alloc! {
                #[doc = #embedded]
                #vis fn embedded() -> __nn::Model<Self> {
                    #[cfg(not(rust_analyzer))]
                    {
                        #copied
                    }
                    #[cfg(rust_analyzer)]
                    ::core::unreachable!()
                }
            }
            // Where nobody calls it, nothing is laid out, and nothing of it is in the program.
            #[doc = #embedded_ref]
            #[inline]
            #vis fn embedded_ref() -> __nn::ModelRef<'static, Self> {
                #[cfg(not(rust_analyzer))]
                {
                    #in_place
                }
                #[cfg(rust_analyzer)]
                ::core::unreachable!()
            }
        }
    }
}
