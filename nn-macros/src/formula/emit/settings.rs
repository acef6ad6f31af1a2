//! Settings of a formula as methods, and their limits. In: the formula; out: `new`, a method for each
//! setting, and what is said of a number outside its limit. It knows nothing of what the formula computes.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;

use crate::formula::Kind;
use crate::formula::parse::{Formula, Limit, Setting};
use crate::parse::pretty::pretty;

/// ```text
/// impl Swish { pub const fn new() -> Self { … } pub const fn beta(self, beta: f32) -> Self { … } }
/// ```
pub fn inherent(formula: &Formula, kind: Kind) -> TokenStream {
    let at = Span::mixed_site();
    let name = &formula.name;
    let fields = formula.settings.iter().map(|Setting { name, default, .. }| quote!(#name: #default));
    let setters = formula.settings.iter().enumerate().map(|(i, setting)| {
        let Setting { attrs, name, default, .. } = setting;
        let text = match setting.learn {
            true => {
                format!(" What `{name}` begins with; `{}` unless this is said.", pretty(&default.to_token_stream()))
            }
            false => format!(" `{name}`; `{}` unless this is said.", pretty(&default.to_token_stream())),
        };
        let docs = if attrs.is_empty() { quote!(#[doc = #text]) } else { quote!(#(#attrs)*) };
        let checks = formula.limits.iter().filter(|limit| limit.setting == i && kind == Kind::Loss);
        let checks: Vec<_> = checks
            .map(|limit| {
                let (holds, fault) = limit_of(formula, limit, quote!(#name), None);
                quote_spanned!(at=> if #holds {} else { ::core::panic!("{}", #fault.as_str()) })
            })
            .collect();
        let (docs, caller) = match checks.is_empty() {
            true => (docs, TokenStream::new()),
            false => (
                quote!(#docs #[doc = "\n# Panics\nThe limit does not hold, or the number is not finite."]),
                quote_spanned!(at=> #[track_caller]),
            ),
        };
        quote_spanned! {at=>
            #docs
            #caller
            pub const fn #name(mut self, #name: ::core::primitive::f32) -> Self {
                #(#checks)*
                self.#name = #name;
                self
            }
        }
    });
    let text = name.to_string();
    let options = formula.settings.iter().map(|setting| setting.name.unraw().to_string());
    let signature = match kind {
        Kind::Activation => quote_spanned!(at=> layer(#text, &[], &[#(#options),*])),
        Kind::Loss => {
            let instead = format!("a loss is given to the trainer: `Trainer::new(&mut model, {text}::new(), …)`");
            quote_spanned!(at=> foreign(#text, #instead))
        }
    };
    let signature = quote_spanned! {at=>
        #[doc(hidden)]
        pub const __SIGNATURE: __nn::Signature = __nn::Signature::#signature;
    };
    // Where rustc shows what takes no argument, or another one, it shows the name as it was declared.
    let mut arguments = Group::new(Delimiter::Parenthesis, TokenStream::new());
    arguments.set_span(name.span());
    let new = quote_spanned!(name.span()=> pub const fn new #arguments -> Self);
    quote_spanned! {at=>
        impl #name {
            #signature
            /// The formula as it was declared.
            #new {
                #name { #(#fields),* }
            }
            #(#setters)*
        }
    }
}

/// Whether a setting keeps to its limit, and what is said if not.
pub fn limit_of(
    formula: &Formula,
    limit: &Limit,
    value: TokenStream,
    otherwise: Option<&str>,
) -> (TokenStream, TokenStream) {
    let (at, Limit { sign, bound, help, .. }) = (Span::mixed_site(), limit);
    let setting = &formula.settings[limit.setting];
    let name = setting.name.unraw().to_string();
    let article = if name.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    let relation = match &*sign.to_string().replace(' ', "") {
        ">" => "above",
        ">=" => "not below",
        "<" => "below",
        _ => "not above",
    };
    let number = pretty(bound);
    let number = number.strip_suffix(".0").unwrap_or(&number);
    let expected = format!("{article} {name} {relation} {number}");
    let help = match (help, otherwise) {
        (_, Some(otherwise)) => format!("give it {otherwise}").to_token_stream(),
        (Some(help), _) => help.to_token_stream(),
        _ => format!("give one such as `{name} = {}`", pretty(&setting.default.to_token_stream())).to_token_stream(),
    };
    let holds = quote_spanned!(at=> #value #sign #bound && #value.is_finite());
    (holds, quote_spanned!(at=> __nn::Fault::expected(#expected).found_real(#value).help(#help)))
}

/// ```text
/// const _: () = if Swish::new().beta > 0.0 && Swish::new().beta.is_finite() {} else { panic!(…) };
/// ```
/// A default that is outside its limit is told where it stands.
pub fn defaults(formula: &Formula) -> TokenStream {
    let name = &formula.name;
    let check = |limit: &Limit| {
        let setting = &formula.settings[limit.setting];
        let (field, at) = (&setting.name, span_of(&setting.default));
        let (holds, fault) = limit_of(formula, limit, quote!(#name::new().#field), Some("another default"));
        quote_spanned!(at=> const _: () = if #holds {} else { ::core::panic!("{}", #fault.as_str()) };)
    };
    formula.limits.iter().map(check).collect()
}

/// Where an expression begins.
fn span_of(expr: &syn::Expr) -> Span {
    let first = expr.to_token_stream().into_iter().next();
    first.map_or_else(Span::mixed_site, |token| Span::mixed_site().located_at(token.span()))
}
