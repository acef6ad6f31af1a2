//! A network of several sizes: each declared within a block of its own, in which the size is a const. In: the
//! header and what is declared for each; out: these blocks, an alias that finds a network by its size, and an
//! enum over all. Neither sites nor plans are known here.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::network::reaching;
use crate::ast::{Header, Sizes};
use crate::case::camel;

/// ```text
/// pub type Net<const W: usize> = <__nn::Size<W> as NetSizes>::Declared;
/// pub trait NetSizes { type Declared: __nn::Network; }
/// const _: () = {
///     const W: usize = 16;
///     /* a network called `Net` */
///     impl NetSizes for __nn::Size<16> { type Declared = Net; }
/// };
/// __nn::with_alloc! { __nn::any_size! { pub AnyNet of Net "Net": W16 16 } }
/// ```
pub fn sizes(header: &Header, Sizes { name: size, values }: &Sizes, each: &[TokenStream]) -> TokenStream {
    let Header { attrs, vis, name, .. } = header;
    let reaching = reaching(header);
    let (trait_name, any) = (beside(name, &format!("{name}Sizes")), beside(name, &format!("Any{name}")));
    let listed = values.iter().map(ToString::to_string).collect::<Vec<_>>();
    let listed = match &listed[..] {
        [most @ .., last] if !most.is_empty() => format!("{} or {last}", most.join(", ")),
        all => all.concat(),
    };
    let message = format!("expected a `{name}` of size {listed}, found `{{Self}}`");
    let label = format!("`{name}` is declared for {listed}");
    let text = name.to_string();
    let variants =
        values.iter().map(|value| beside(size, &format!("{}{value}", camel(&size.to_string().to_lowercase()))));
    let mixed = Span::mixed_site();
    let declared = Ident::new("Declared", mixed);
    let blocks = each.iter().zip(values).map(|(network, value)| {
        quote_spanned! {mixed=>
            #reaching
            const _: () = {
                const #size: ::core::primitive::usize = #value;
                #network
                impl #trait_name for ::nn_runtime::__private::Size<{ #size }> {
                    type #declared = #name;
                }
            };
        }
    });
    let enumeration = quote_spanned! {mixed=>
        ::nn_runtime::__private::with_alloc! {
            ::nn_runtime::__private::any_size! {
                #reaching #vis #any of #name #text: #(#variants #values)*
            }
        }
    };
    let trait_tokens = quote_spanned! {mixed=>
        #reaching
        #[doc(hidden)]
        #[diagnostic::on_unimplemented(message = #message, label = #label)]
        #vis trait #trait_name {
            type #declared: ::nn_runtime::__private::Network;
        }
    };
    let alias = quote_spanned! {mixed=>
        #vis type #name<const #size: ::core::primitive::usize> =
            <::nn_runtime::__private::Size<#size> as #trait_name>::#declared;
    };
    quote!(#(#attrs)* #alias #trait_tokens #(#blocks)* #enumeration)
}

/// A name that is made of the user's, and that the user writes.
fn beside(name: &Ident, text: &str) -> Ident {
    Ident::new(text, name.span())
}
