//! A rule's answer, and what of it stands at a site. In: the spec of a layer, or of a network used as one;
//! out: the same with the shapes it was asked about.

use super::compiled::CompiledNetwork;
use crate::fault::Fault;
use crate::limits::MAX_INPUTS;
use crate::shape::Shape;
use crate::spec::LayerSpec;

/// What a shape rule gives back: the spec, or why it refuses.
///
/// No `Result`, so that nobody's lints complain of the size of a fault that only ever exists at compile time.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant, reason = "const code has no box, and both are gone before anything runs")]
#[non_exhaustive]
pub enum Rule {
    /// The inputs fit.
    Ok(LayerSpec),
    /// They do not, and why.
    Err(Fault),
    /// They fit a network that is used as a layer.
    #[doc(hidden)]
    Network(LayerSpec, OfNetwork),
}

/// Gives all that is known of a network used as a layer. No reference: through that rustc would look at all
/// networks within for each constant that has it, in time by the square of their number.
pub(crate) type OfNetwork = fn() -> &'static CompiledNetwork;

impl Rule {
    /// True if the inputs fit.
    pub const fn is_ok(&self) -> bool {
        self.fault().is_none()
    }

    /// Why they do not: what the rule says, or what no layer may do whatever its rule says.
    pub const fn fault(&self) -> Option<Fault> {
        match self {
            Rule::Ok(spec) | Rule::Network(spec, _) => spec.fault(),
            Rule::Err(fault) => Some(*fault),
        }
    }

    /// What it says, unless it refuses.
    pub(crate) const fn spec(&self) -> Option<&LayerSpec> {
        match self {
            Rule::Ok(spec) | Rule::Network(spec, _) => Some(spec),
            Rule::Err(_) => None,
        }
    }

    pub(crate) const fn network(&self) -> Option<OfNetwork> {
        match self {
            Rule::Network(_, network) => Some(*network),
            _ => None,
        }
    }
}

impl LayerSpec {
    /// Ends a rule's chain.
    pub const fn ok(self) -> Rule {
        Rule::Ok(self)
    }
}

impl CompiledNetwork {
    /// The rule of the network as a layer; `own` gives the network.
    pub const fn rule<const N: usize>(&'static self, own: OfNetwork, x: [Shape; N]) -> Rule {
        let mut i = 0;
        while i < N {
            if !x[i].equals(&self.inputs[i]) {
                let fault = Fault::expected("an input of ")
                    .shape(self.inputs[i])
                    .str(", as `")
                    .str(self.name)
                    .str("` declares")
                    .found(x[i]);
                return Rule::Err(
                    fault.help("change the shape before it, or the declaration of `").str(self.name).str("`"),
                );
            }
            i += 1;
        }
        let spec = outputs(self.outputs);
        Rule::Network(spec.network(&self.nested).head(self.head).range(self.range), own)
    }
}

/// A layer with these outputs, one to four of them.
pub(crate) const fn outputs(shapes: &[Shape]) -> LayerSpec {
    match shapes.len() {
        1 => LayerSpec::output(shapes[0]),
        2 => LayerSpec::outputs([shapes[0], shapes[1]]),
        3 => LayerSpec::outputs([shapes[0], shapes[1], shapes[2]]),
        _ => LayerSpec::outputs([shapes[0], shapes[1], shapes[2], shapes[3]]),
    }
}

/// What stands at a site: a layer, or a network used as one.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    pub(crate) spec: LayerSpec,
    pub(crate) network: Option<OfNetwork>,
}

/// A rule's answer, with the shapes it was asked about; empty where it refused.
pub const fn site<const N: usize>(rule: &Rule, x: [Shape; N]) -> Site {
    let mut spec = match rule.spec() {
        Some(spec) if spec.fault().is_none() => *spec,
        _ => LayerSpec::NONE,
    };
    let mut i = 0;
    while i < N && i < MAX_INPUTS {
        spec.shapes.inputs[i] = x[i];
        i += 1;
    }
    Site { spec, network: rule.network() }
}
