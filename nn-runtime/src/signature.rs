//! How a layer is called in a declaration, and what is said when it is called otherwise. In: a layer's
//! signature and the call as it was typed; out: nothing, or one text with the call as it should be. It knows
//! no shape.

mod names;
mod negative;
mod options;
mod own;
mod surplus;
mod text;
mod typed;

use crate::fault::Fault;
use crate::graph::NetworkTree;
pub use negative::Negative;
use options::options;
pub use own::{Answer, IsLayer};
use surplus::{behind, is_word, meant, strided};
use text::{
    brackets, equal, first_number, holds, is_list, is_numbers, is_switch, is_text, joined, list, word_in, word_of,
};
use typed::{reads, rest, written};

/// What a built-in layer takes. A layer of one's own has none, and rustc alone looks at its calls.
#[derive(Clone, Copy)]
pub struct Signature {
    layer: &'static str,
    /// The arguments that must be given, in order.
    given: &'static [&'static str],
    /// Options; first the one that a number too many was most likely meant for.
    options: &'static [&'static str],
    /// How many values it reads; 0 where it takes any number of them.
    inputs: usize,
    /// What it makes; one value of no name where there is only one. Empty where it makes as many as are asked
    /// for.
    outputs: &'static [&'static str],
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// Of one's own: not checked here.
    Unknown,
    Layer,
    /// Other libraries are told how many features come in; here they follow from the shape.
    InfersInput,
    /// The same, behind what is given here.
    InfersInputLast,
    /// A name of another library: what to write instead.
    Foreign(&'static str),
}

/// A call as it was typed.
#[derive(Clone, Copy)]
pub struct Call {
    /// The arguments without a name, as text.
    pub positional: &'static [&'static str],
    /// `name = value`
    pub named: &'static [(&'static str, &'static str)],
    /// What the values are called that it reads.
    pub reads: &'static [&'static str],
    /// For how many values there are names.
    pub outputs: usize,
    /// The path as it was written.
    pub path: &'static str,
    /// Whether it is a layer of so many values.
    pub is_layer: bool,
}

/// The signature of everything that has none of its own.
pub trait AnySignature {
    #[doc(hidden)]
    const __SIGNATURE: Signature =
        Signature { layer: "", given: &[], options: &[], inputs: 0, outputs: &[], kind: Kind::Unknown };
    /// See [`IsLayer`].
    #[doc(hidden)]
    const __LAYER: bool = false;
    /// The network, if it is one.
    #[doc(hidden)]
    const __NETWORK: Option<&'static NetworkTree> = None;
}
impl<T: ?Sized> AnySignature for T {}

/// The layer itself, where its call is sound. Behind a call that is not, rustc then says nothing more of it.
pub trait Checked<const CALL: usize> {
    /// `Self`
    type Layer;
}
impl<L, const CALL: usize> Checked<CALL> for L {
    type Layer = L;
}

impl Signature {
    /// A layer of one value that makes one.
    pub const fn layer(
        layer: &'static str,
        given: &'static [&'static str],
        options: &'static [&'static str],
    ) -> Signature {
        Signature { layer, given, options, inputs: 1, outputs: &[""], kind: Kind::Layer }
    }

    /// A network, which takes values only.
    pub const fn network(layer: &'static str, inputs: usize, outputs: &'static [&'static str]) -> Signature {
        Signature { layer, given: &[], options: &[], inputs, outputs, kind: Kind::Layer }
    }

    /// What another library calls a layer, and what to write here.
    pub const fn foreign(layer: &'static str, instead: &'static str) -> Signature {
        Signature { kind: Kind::Foreign(instead), ..Signature::layer(layer, &[], &[]) }
    }

    /// The same, of any number of values.
    pub const fn any_inputs(self) -> Signature {
        Signature { inputs: 0, ..self }
    }

    /// The same, for any number of names.
    pub const fn any_outputs(self) -> Signature {
        Signature { outputs: &[], ..self }
    }

    /// The same; what comes in is an argument elsewhere.
    pub const fn infers_input(self) -> Signature {
        Signature { kind: Kind::InfersInput, ..self }
    }

    /// The same; what comes in is the last argument elsewhere.
    pub const fn infers_input_last(self) -> Signature {
        Signature { kind: Kind::InfersInputLast, ..self }
    }

    /// "`Dense(units)`"
    const fn shown(&self, mut text: Fault) -> Fault {
        text = text.str("`").str(self.layer);
        let mut i = 0;
        while i < self.given.len() {
            text = text.str(if i == 0 { "(" } else { ", " }).str(self.given[i]);
            i += 1;
        }
        text.str(if i == 0 { "`" } else { ")`" })
    }
}

/// Panics where a call does not fit the layer, in words that say how to write it.
#[track_caller]
pub const fn check_call(site: &str, signature: &Signature, call: &Call) -> usize {
    let fault = match signature.kind {
        Kind::Unknown => none(call),
        Kind::Foreign(instead) => {
            Some(Fault::expected("a layer").str(", found `").str(signature.layer).str("`").help(instead))
        }
        Kind::Layer | Kind::InfersInput | Kind::InfersInputLast => match options(signature, call) {
            None => match arguments(signature, call) {
                None => values(signature, call),
                fault => fault,
            },
            fault => fault,
        },
    };
    match fault {
        Some(fault) => {
            let text: crate::fault::Text = crate::fault::Text::EMPTY.str("`").str(site).str("`: ").str(fault.as_str());
            panic!("{}", text.as_str())
        }
        None => 0,
    }
}

/// A type of one's own that is no layer, or none for so many values.
const fn none(call: &Call) -> Option<Fault> {
    if call.is_layer {
        return None;
    }
    let fault = Fault::expected("a layer (inputs: ").num(call.reads.len()).str(", outputs: ").num(call.outputs);
    let fault = fault.str("), found `").str(call.path).str("`");
    if holds(crate::layers::NAMES, call.path) {
        return Some(fault.help("the built-in one is `nn_runtime::layers::").str(call.path).str("`"));
    }
    let fault = fault.help("a layer of one's own implements `nn_runtime::Layer<").num(call.reads.len());
    Some(fault.str(", ").num(call.outputs).str(">`"))
}

const fn arguments(signature: &Signature, call: &Call) -> Option<Fault> {
    let (takes, found) = (signature.given.len(), call.positional.len());
    let mut i = 0;
    while i < found {
        let bytes = call.positional[i].as_bytes();
        if i < takes && !bytes.is_empty() && bytes[0] == b'(' && is_numbers(bytes) {
            return Some(tuple(signature, call, i));
        }
        if i < takes && bytes.len() > 2 && bytes[0] == b'[' && bytes[1] == b'-' {
            let fault = Fault::expected("sizes and axes from 0 on, found `").str(call.positional[i]).str("`");
            return Some(fault.help("write every number; `Flatten` makes one dimension of all"));
        }
        i += 1;
    }
    if takes == found {
        return None;
    }
    if takes == 1 && found > 1 && is_list(signature.given[0]) && is_numbers(call.positional[found - 1].as_bytes()) {
        let fault = Fault::expected("an array for `").str(signature.given[0]).str("`").found_num(found).str(" numbers");
        let mut fault = fault.help("`").str(signature.layer).str("([");
        i = 0;
        while i < found {
            fault = fault.str(if i == 0 { "" } else { ", " }).str(call.positional[i]);
            i += 1;
        }
        return Some(fault.str("])`"));
    }
    let fault = signature.shown(Fault::expected(""));
    let fault = match found {
        0 => fault.str(", found no argument"),
        1 => fault.str(", found 1 argument"),
        _ => fault.str(", found ").num(found).str(" arguments"),
    };
    if found < takes {
        return Some(signature.shown(fault.help("give what is missing: ")));
    }
    let infers = matches!(signature.kind, Kind::InfersInput | Kind::InfersInputLast);
    let last = call.positional[found - 1];
    // Of a window the second number is its stride.
    let strideless = !holds(signature.options, "stride");
    if let ([b'n', b'o', b'_', ..], true) = (last.as_bytes(), last.len() > 3)
        && holds(signature.options, last.split_at(3).1)
    {
        return Some(fault.help("an option is given by its name: `").str(last.split_at(3).1).str(" = false`"));
    }
    if let (true, Some(layer)) = (found == takes + 1, behind(last)) {
        let fault = written(fault.help("an activation is a layer: `"), signature, call, 0, None).str(" -> ");
        let mut room = [0; 64];
        return Some(
            fault.str(if is_text(layer) { word_in(layer, &mut room) } else { word_of(layer, &mut room) }).str("`"),
        );
    }
    let mut room = [0; 64];
    let wide = if takes == 0 { "" } else { joined(signature.given[takes - 1], "_hw", &mut room) };
    Some(if holds(signature.options, last) {
        let value = if is_switch(last) { " = true`" } else { " = …`" };
        fault.help("an option is given with its value: `").str(last).str(value)
    } else if found == takes + 1 && holds(signature.options, wide) && strideless && is_numbers(last.as_bytes()) {
        let fault = fault.help("two numbers are an option: `").str(signature.layer).str("(");
        let fault = fault.str(call.positional[takes - 1]).str(", ").str(wide).str(" = [");
        rest(fault.str(call.positional[takes - 1]).str(", ").str(last).str("]"), signature, call, false).str(")`")
    } else if found == takes + 1 && infers && !is_word(last) && !(holds(signature.options, "stride") && strided(call)) {
        let (fault, from) =
            (fault.help("what comes in follows from the shape: `"), matches!(signature.kind, Kind::InfersInput));
        written(fault, signature, call, from as usize, None).str("`")
    } else if found == takes + 1 && !signature.options.is_empty() {
        let option = meant(signature, call.positional[found - 1]);
        written(fault.help("an option is given by its name: `"), signature, call, 0, Some(option)).str("`")
    } else if signature.options.is_empty() {
        let help = if takes == 0 { "it takes none: `" } else { "the rest follows from the shape: `" };
        written(fault.help(help), signature, call, 0, None).str("`")
    } else {
        list(signature.shown(fault.help("")).str(", and by name "), signature.options)
    })
}

/// `Conv2d(32, (3, 3))` and `Reshape((1, 28, 28))`
const fn tuple(signature: &Signature, call: &Call, i: usize) -> Fault {
    let (name, value) = (signature.given[i], call.positional[i]);
    let mut wide = [0; 64];
    let wide = joined(name, "_hw", &mut wide);
    if equal(name, "dims") || equal(name, "axes") {
        let fault = Fault::expected("an array for `").str(name).str("`, found `").str(value).str("`");
        return brackets(fault.help("`").str(signature.layer).str("("), value).str(")`");
    }
    let fault = Fault::expected("one number for `").str(name).str("`, found `").str(value).str("`");
    let fault = fault.help("`").str(first_number(value)).str("`");
    match holds(signature.options, wide) {
        true => brackets(fault.str(", and where height and width differ `").str(wide).str(" = "), value).str("` too"),
        false if !equal(name, "pixels") && !equal(name, "steps") => fault,
        false => list(fault.str(", and by name "), signature.options),
    }
}

const fn values(signature: &Signature, call: &Call) -> Option<Fault> {
    let (takes, found) = (signature.inputs, call.reads.len());
    if takes != 0 && takes != found {
        let fault = Fault::expected("").num(takes).str(if takes == 1 { " value" } else { " values" });
        let fault = fault.str(" for `").str(signature.layer).str("`").found_num(found);
        let fault = reads(fault.help("`("), call, takes.saturating_sub(found));
        let fault = match (takes, found > takes) {
            (1, _) => fault.str(") -> Concat -> "),
            (_, true) => return Some(fault.str(") -> …`, of which it takes ").num(takes)),
            _ => fault.str(") -> "),
        };
        return Some(written(fault, signature, call, 0, None).str("`"));
    }
    let makes = signature.outputs.len();
    if makes == 0 || makes == call.outputs {
        return None;
    }
    let fault =
        Fault::expected("").str(if makes == 1 { "one name for the one value" } else { "a name for each value" });
    let mut fault = fault.str(" of `").str(signature.layer).str("`").found_num(call.outputs);
    if makes == 1 {
        return Some(written(fault.help("`let name = … -> "), signature, call, 0, None).str(";`"));
    }
    fault = fault.help("`let (");
    let mut j = 0;
    while j < makes {
        fault = fault.str(if j == 0 { "" } else { ", " }).str(signature.outputs[j]);
        j += 1;
    }
    Some(fault.str(") = … -> ").str(signature.layer).str(";`"))
}
