//! The checks that stop a build. In: a rule's answer and the way of the shapes up to it; out: nothing, or a
//! panic at compile time on the layer's own span. One mistake is told once: whatever follows from an unknown
//! shape is silent.

use super::Rule;
use crate::fault::{Fault, Text};
use crate::limits::MAX_INPUTS;
use crate::shape::Shape;
use crate::spec::{Head, LayerSpec, Range};

/// How many steps of its way a value remembers.
const STEPS: usize = 6;

/// A value in the flow: its shape, and how it came to have it.
#[derive(Clone, Copy)]
pub struct TracedValue {
    shape: Shape,
    head: Head,
    /// A layer has computed it, so that it holds no token ids.
    computed: bool,
    names: [&'static str; STEPS],
    shapes: [Shape; STEPS],
    len: usize,
    cut: bool,
}

impl TracedValue {
    /// An input of the network. Behind one that [`check_input`] refuses, everything is unknown.
    pub const fn input(name: &'static str, shape: Shape) -> TracedValue {
        let shape = if shape.is_empty() { Shape::UNKNOWN } else { shape };
        let mut names = [""; STEPS];
        names[0] = name;
        let mut shapes = [Shape::UNKNOWN; STEPS];
        shapes[0] = shape;
        TracedValue { shape, head: Head::Plain, computed: false, names, shapes, len: 1, cut: false }
    }

    /// Output `j` of the layer `name`, which read `from` (and perhaps others).
    pub const fn after(from: &TracedValue, name: &'static str, rule: &Rule, j: usize) -> TracedValue {
        let (shape, head) = match rule.spec() {
            Some(spec) if spec.fault().is_none() && j < spec.shapes.arity => (spec.shapes.outputs[j], spec.head),
            _ => (Shape::UNKNOWN, Head::Plain),
        };
        let mut flow = *from;
        if !from.shape.is_known() {
            // Behind a fault everything is unknown, even what a rule could still say: it would be said about
            // a guess.
            flow.shape = Shape::UNKNOWN;
            return flow;
        }
        flow.shape = shape;
        flow.head = if matches!(head, Head::Same) { from.head } else { head };
        if let Some(spec) = rule.spec() {
            // An activation of one's own may count; moving and cutting numbers does not make ids of them.
            let keeps = !matches!(spec.range, Range::Any);
            flow.computed = spec.computes || from.computed && keeps;
        }
        if flow.len == STEPS {
            flow.cut = true;
            let mut i = 1;
            while i < STEPS {
                flow.names[i - 1] = flow.names[i];
                flow.shapes[i - 1] = flow.shapes[i];
                i += 1;
            }
            flow.len -= 1;
        }
        flow.names[flow.len] = name;
        flow.shapes[flow.len] = shape;
        flow.len += 1;
        flow
    }

    /// The shape of one sample.
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// One row and one column fewer than this, behind layers that make images larger.
    const fn lacks_an_edge(&self, declared: Shape) -> bool {
        let (Some([c, h, w]), Some([channels, height, width])) = (self.shape.dims(), declared.dims()) else {
            return false;
        };
        let mut grows = false;
        let mut i = 1;
        while i < self.len {
            if let (Some([_, before, _]), Some([_, after, _])) = (self.shapes[i - 1].dims(), self.shapes[i].dims()) {
                grows |= after > before;
            }
            i += 1;
        }
        grows && c == channels && h + 1 == height && w + 1 == width
    }

    /// "\nshape: input [1, 28, 28] -> conv1 [32, 26, 26]"
    const fn tell(&self, mut text: Text) -> Text {
        text = text.str(if self.cut { "\nshape: … -> " } else { "\nshape: " });
        let mut i = 0;
        while i < self.len {
            if i > 0 {
                text = text.str(" -> ");
            }
            text = text.str(self.names[i]).str(" ").shape(self.shapes[i]);
            i += 1;
        }
        text
    }
}

const fn all_known(flows: &[&TracedValue]) -> bool {
    let mut i = 0;
    while i < flows.len() {
        if !flows[i].shape.is_known() {
            return false;
        }
        i += 1;
    }
    true
}

/// "`name`: expected …, found …\nhelp: …\nshape: …"
#[track_caller]
const fn stop(name: &str, fault: &Fault, flows: &[&TracedValue]) -> ! {
    let mut text = Text::EMPTY.str("`").str(name).str("`: ").str(fault.as_str());
    let mut i = 0;
    while i < flows.len() {
        // The way is told where there is one: an input's shape stands in the declaration already.
        if flows[i].len > 1 || flows.len() > 1 {
            text = flows[i].tell(text);
        }
        i += 1;
    }
    panic!("{}", text.as_str())
}

/// Stops the build if the layer's rule refused, or if not as many names take its outputs as it has.
#[track_caller]
pub const fn check(name: &'static str, rule: &Rule, flows: &[&TracedValue], names: usize) {
    if !all_known(flows) {
        return;
    }
    if flows.len() > MAX_INPUTS {
        stop(name, &Fault::expected("at most 8 inputs").found_num(flows.len()).help("join some of them first"), &[]);
    }
    if let Some(fault) = rule.fault() {
        stop(name, &fault, flows);
    }
    if let Some(spec) = rule.spec()
        && spec.shapes.ids[0] > 0
        && flows[0].computed
    {
        let fault = Fault::expected("token ids, whole numbers from the data, found numbers that a layer computes");
        let fault = fault.help("declare them as an input of their own, `ids: ").shape(flows[0].shape);
        stop(name, &fault.str("`, or leave the `Embedding` out"), flows);
    }
    match rule {
        // A network's outputs are counted by its type, as rustc tells.
        Rule::Err(_) | Rule::Network(..) => {}
        Rule::Ok(spec) => {
            if is_softmax(spec.head) && is_softmax(flows[0].head) {
                let fault = Fault::expected("scores of any size, found probabilities: this is a softmax of a softmax");
                stop(name, &fault.help("remove one of the two"), flows);
            }
            if spec.shapes.arity != names {
                let fault =
                    Fault::expected("a name for each of ").num(spec.shapes.arity).str(" outputs").found_num(names);
                stop(
                    name,
                    &fault.help("bind them all, as in `let (a, b) = …`, or make as many as there are names"),
                    flows,
                );
            }
        }
    }
}

const fn is_softmax(head: Head) -> bool {
    matches!(head, Head::Softmax | Head::LogSoftmax)
}

/// Stops the build if a shape standing in the flow is not the one that arrives there.
#[track_caller]
pub const fn check_shape(flow: &TracedValue, declared: Shape) {
    if flow.shape.is_known() && !flow.shape.equals(&declared) {
        let fault = Fault::expected("").shape(declared).str(" here").found(flow.shape);
        let fault = fault.help("write `").shape(flow.shape);
        stop_shape(&fault.str("`, or change the layers before it"), flow);
    }
}

/// Stops the build if a declared output is not what the network computes.
#[track_caller]
pub const fn check_output(name: &'static str, flow: &TracedValue, declared: Shape) {
    if flow.shape.is_known() && !flow.shape.equals(&declared) {
        let fault = Fault::expected("the declared output ")
            .shape(declared)
            .str(", found that the layers compute ")
            .shape(flow.shape);
        let mut fault = fault.help("declare `-> ").shape(flow.shape).str("`, or change the last layers");
        let (made, asked) = (flow.shape.rank(), declared.rank());
        if made == 2 && asked == 1 && flow.shape.dim(1) == declared.dim(0) {
            fault = fault.str(": `LastStep` behind them keeps the last of ").num(flow.shape.dim(0)).str(" steps");
        }
        if flow.lacks_an_edge(declared) {
            fault =
                fault.str("; `output_padding = 1` in a `ConvTranspose2d` of stride 2 makes one more row and column");
        }
        stop(name, &fault, &[flow]);
    }
}

#[track_caller]
const fn stop_shape(fault: &Fault, flow: &TracedValue) -> ! {
    let text = Text::EMPTY.str(fault.as_str());
    panic!("{}", flow.tell(text).as_str())
}

/// Stops the build if a declared input has no numbers, or more than can be addressed.
#[track_caller]
pub const fn check_input(name: &'static str, shape: Shape) {
    match shape.checked_len() {
        Some(0) => stop(
            name,
            &Fault::expected("an input of at least one number").found(shape).help("make every dimension at least 1"),
            &[],
        ),
        Some(_) => {}
        None => stop(
            name,
            &Fault::expected("an input that fits into memory").found(shape).help("use smaller dimensions"),
            &[],
        ),
    }
}

/// Stops the build if a node that shares an earlier one's parameters would need others.
#[track_caller]
pub const fn check_shared(name: &'static str, rule: &Rule, label: &'static str, earlier: &Rule, flow: &TracedValue) {
    let (Some(here), Some(there)) = (rule.spec(), earlier.spec()) else { return };
    if !flow.shape.is_known() || same_params(here, there) {
        return;
    }
    let fault = Fault::expected("the parameters of `").str(label).str("`");
    let fault = tell_params(fault.str(","), there).str(", found a place that needs");
    let fault =
        tell_params(fault, here).help("share between places of the same input shape, or give this one its own layer");
    stop(name, &fault, &[flow])
}

const fn tell_params(mut fault: Fault, spec: &LayerSpec) -> Fault {
    let params = spec.params.list();
    let mut i = 0;
    while i < params.len() {
        fault = fault.str(if i == 0 { " " } else { ", " }).str(params[i].name).str(" ").shape(params[i].shape);
        i += 1;
    }
    fault
}

const fn same_params(a: &LayerSpec, b: &LayerSpec) -> bool {
    let (one, other) = (a.params.list(), b.params.list());
    if one.len() != other.len() || a.params.len != b.params.len {
        return false;
    }
    let mut i = 0;
    while i < one.len() {
        if !one[i].shape.equals(&other[i].shape) {
            return false;
        }
        i += 1;
    }
    true
}

/// Stops the build if what is frozen has nothing to freeze.
#[track_caller]
pub const fn check_frozen(name: &'static str, rule: &Rule) {
    let Some(spec) = rule.spec() else { return };
    if spec.params.len == 0 && spec.fault().is_none() {
        stop(name, &Fault::expected("parameters to freeze, found none").help("remove `frozen`"), &[]);
    }
}

/// The rule of `layer * times`: the output must fit the input again.
pub const fn repeat(rule: &Rule, x: Shape, times: usize) -> Rule {
    let spec = match rule {
        Rule::Ok(spec) | Rule::Network(spec, _) => *spec,
        Rule::Err(fault) => return Rule::Err(*fault),
    };
    if times == 0 {
        return Rule::Err(
            Fault::expected("at least 1 repetition").found_num(0).help("write `* 1` or more, or remove the layer"),
        );
    }
    if times > 1 && (spec.shapes.arity != 1 || !spec.shapes.outputs[0].equals(&x)) {
        let fault =
            Fault::expected("an output of ").shape(x).str(" so that it can be repeated").found(spec.shapes.outputs[0]);
        return Rule::Err(
            fault
                .help("make it give back the shape it takes, or write it ")
                .num(times)
                .str(" times, with `->` between"),
        );
    }
    match rule.network() {
        Some(network) => Rule::Network(spec.repeated(times), network),
        None => Rule::Ok(spec.repeated(times)),
    }
}
