//! Layers of one's own, which have no signature: what can be seen of them all the same. In: a type and how
//! many values it is given, or what its `rule` gives back; out: whether it is a layer, and a rule's answer.
//! It knows no particular layer.

use core::marker::PhantomData;

use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::Layer;
use crate::shape::Shape;
use crate::spec::LayerSpec;

/// Whether `L` is a layer of `N` values that makes `M`.
pub struct IsLayer<L, const N: usize, const M: usize>(PhantomData<L>);

impl<L: Layer<N, M>, const N: usize, const M: usize> IsLayer<L, N, M> {
    /// It is.
    pub const __LAYER: bool = true;
}

/// What a `rule` has given back.
pub struct Answer<R>(pub R);

impl Answer<Rule> {
    /// The rule itself.
    pub const fn rule(self) -> Rule {
        self.0
    }
}

impl Answer<LayerSpec> {
    /// A rule whose end is missing.
    pub const fn rule(self) -> Rule {
        let fault = Fault::expected("a `Rule` from its `rule`, found a `LayerSpec`");
        Rule::Err(fault.help("write `-> Rule` in its header and `.ok()` behind the spec"))
    }
}

impl Answer<Shape> {
    /// A rule that says its output alone.
    pub const fn rule(self) -> Rule {
        let fault = Fault::expected("a `Rule` from its `rule`, found a `Shape`");
        Rule::Err(fault.help("write `-> Rule` in its header and `LayerSpec::output(shape).ok()` at its end"))
    }
}
