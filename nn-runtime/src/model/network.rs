//! What a network declared with `network!` is to the rest: what is known of it at compile time, its passes,
//! and the types of what goes in and comes out. Implemented by generated code alone.

#[cfg(feature = "alloc")]
use alloc::string::String;
use core::marker::PhantomData;

use super::elsewhere::Predicts;
use crate::graph::CompiledNetwork;
use crate::layer::{LayerContext, ParamGrad, ReadContext};
use crate::spec::Head;

/// A network: a unit struct made by [`network!`](crate::network). Its parameters live in a
/// [`Model`](crate::Model).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a network",
    note = "a network is a struct declared with `network!`"
)]
pub trait Network: Copy + Default + 'static {
    /// One sample: `&[f32; n]`, or a tuple of such for several inputs.
    type Input<'a>: Ports<'a>;
    /// One prediction: `&[f32; n]`, or a tuple of such for several outputs.
    type Output<'a>: Ports<'a>;
    /// One step of the input, for a network over `[steps, …]`: `&[f32; n]`, or a tuple of such.
    type Step<'a>: Ports<'a>;
    /// One step of the output: `&[f32; n]`, or a tuple of such; all of an output that is no sequence.
    type StepOutput<'a>: Ports<'a>;
    /// What a loss sees of the output.
    type Head;
    /// Everything known at compile time.
    #[doc(hidden)]
    const COMPILED: &'static CompiledNetwork;

    /// Numbers of a model's parameters as they lie in memory, padding included: the length of what a
    /// [`ModelRef`](crate::ModelRef) takes.
    const PARAMS_LEN: usize = Self::COMPILED.params_len;
    /// How many numbers are learnt or kept, as the field counts them.
    const PARAMS: usize = Self::COMPILED.nested.param_count;
    /// Multiply-adds of one prediction.
    const MACS: usize = Self::COMPILED.macs;
    /// Bytes of workspace to predict one sample, as [`Memory::prediction`](crate::Memory::prediction) says.
    const PREDICT_BYTES: usize = Self::COMPILED.infer.len(1).saturating_mul(4);

    #[doc(hidden)]
    fn forward_pass(cx: &mut LayerContext, x: &[&[f32]], y: &mut [&mut [f32]]);
    #[doc(hidden)]
    fn backward_input(cx: &mut LayerContext, x: &[&[f32]], y: &[&[f32]], dy: &[&[f32]], dx: &mut [&mut [f32]]);
    #[doc(hidden)]
    fn backward_params(cx: &mut ReadContext, x: &[&[f32]], dy: &[&[f32]], part: ParamGrad);

    #[doc(hidden)]
    fn forward<X>(_: X)
    where
        Self: Predicts,
    {
    }
    #[doc(hidden)]
    fn predict<X>(self, _: X)
    where
        Self: Predicts,
    {
    }

    /// A model with freshly drawn parameters; the same seed draws the same ones everywhere.
    #[cfg(feature = "alloc")]
    fn init(seed: u64) -> crate::Model<Self> {
        crate::Model::init(seed)
    }

    /// The same in memory of the caller's: see [`Model::init_in`](crate::Model::init_in).
    ///
    /// # Errors
    /// As there.
    #[cfg(feature = "train")]
    fn init_in(seed: u64, memory: &mut [f32]) -> Result<crate::Model<Self, &mut [f32]>, crate::LengthError> {
        crate::Model::init_in(seed, memory)
    }

    /// How many numbers are learnt or kept, as the field counts them.
    fn param_count() -> usize {
        Self::PARAMS
    }

    /// The memory it needs, planned at compile time, for a batch of this many samples.
    #[cfg(feature = "alloc")]
    fn memory(batch: usize) -> crate::Memory {
        crate::Memory::of(Self::COMPILED, batch)
    }

    /// What a step asks of each of so many ranks that train it together on batches of this many samples: how
    /// many it runs, and how many bytes it sends. With an optimiser that changes each number by itself, all
    /// learnt tensors and no accumulation; what `fit` lets ranks decide between steps is not in it.
    #[cfg(feature = "alloc")]
    fn traffic(batch: usize, ranks: usize) -> crate::train::Traffic {
        crate::train::Traffic::new(Self::COMPILED, batch, ranks)
    }

    /// What it is made of, layer by layer, to be printed.
    #[cfg(feature = "alloc")]
    fn summary() -> crate::Summary {
        crate::Summary::of(Self::COMPILED)
    }

    /// What it costs to train it on so many samples for so many epochs, to be printed.
    #[cfg(feature = "alloc")]
    fn cost(samples: usize, epochs: usize) -> crate::Cost {
        crate::Cost::of(Self::COMPILED, samples, epochs)
    }

    /// Its layers and what flows between them as a [Mermaid](https://mermaid.js.org) flowchart, which
    /// Markdown shows where it is fenced as `mermaid`.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Net: [784] -> [10] { hidden: Dense(128) -> Relu -> head: Dense(10) } }
    ///
    /// assert!(Net::mermaid().contains("layer1 -->|\"[128]\"| layer2"));
    /// ```
    #[cfg(feature = "alloc")]
    fn mermaid() -> String {
        crate::diagram::Diagram::of(Self::COMPILED).mermaid()
    }

    /// … and as a graph for [Graphviz](https://graphviz.org): `dot -Tsvg net.dot`.
    #[cfg(feature = "alloc")]
    fn dot() -> String {
        crate::diagram::Diagram::of(Self::COMPILED).dot()
    }

    /// Multiply-adds of one prediction.
    fn macs() -> usize {
        Self::COMPILED.macs
    }
}

/// What no other crate may implement.
mod sealed {
    pub trait Sealed {}
}

/// Arrays of one sample: `&[f32; n]`, or a tuple of up to 8 such. No other type can be one.
pub trait Ports<'a>: Sized + sealed::Sealed {
    /// How many arrays there are.
    const COUNT: usize;
    /// Writes the slices down, in order.
    fn to_slices(self, to: &mut [&'a [f32]]);
    /// Takes the slices, in order.
    fn from_slices(from: &[&'a [f32]]) -> Self;
    /// Takes the numbers of all arrays, one array after the other; `None` where they are too few.
    fn split(from: &'a [f32]) -> Option<Self>;
}

impl<const L: usize> sealed::Sealed for &[f32; L] {}

impl<'a, const L: usize> Ports<'a> for &'a [f32; L] {
    const COUNT: usize = 1;

    #[inline]
    fn to_slices(self, to: &mut [&'a [f32]]) {
        to[0] = self;
    }

    #[inline]
    fn from_slices(from: &[&'a [f32]]) -> Self {
        from[0].try_into().expect("a planned output has its declared length")
    }

    #[inline]
    fn split(from: &'a [f32]) -> Option<Self> {
        from.first_chunk()
    }
}

macro_rules! ports {
    ($count:literal: $($name:ident $i:tt),*) => {
        impl<$(const $name: usize),*> sealed::Sealed for ($(&[f32; $name],)*) {}

        impl<'a, $(const $name: usize),*> Ports<'a> for ($(&'a [f32; $name],)*) {
            const COUNT: usize = $count;

            fn to_slices(self, to: &mut [&'a [f32]]) {
                $(to[$i] = self.$i;)*
            }

            fn from_slices(from: &[&'a [f32]]) -> Self {
                ($(from[$i].try_into().expect("a planned output has its declared length"),)*)
            }

            #[inline]
            fn split(from: &'a [f32]) -> Option<Self> {
                let mut rest = from;
                let arrays = ($({
                    let one: (&[f32; $name], _) = rest.split_first_chunk()?;
                    rest = one.1;
                    one.0
                },)*);
                _ = rest;
                Some(arrays)
            }
        }
    };
}
ports!(1: A 0);
ports!(2: A 0, B 1);
ports!(3: A 0, B 1, C 2);
ports!(4: A 0, B 1, C 2, D 3);
ports!(5: A 0, B 1, C 2, D 3, E 4);
ports!(6: A 0, B 1, C 2, D 3, E 4, F 5);
ports!(7: A 0, B 1, C 2, D 3, E 4, F 5, G 6);
ports!(8: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

/// A network that ends in plain numbers: scores (logits) or values.
pub struct PlainHead;
/// A network that ends in plain numbers each of which stands for itself: rows of a single one, or three and
/// more dimensions.
pub struct ValueHead;
/// A network that ends in `Softmax`.
pub struct SoftmaxHead;
/// A network that ends in `LogSoftmax`.
pub struct LogSoftmaxHead;
/// A network that ends in `Sigmoid`.
pub struct SigmoidHead;
/// A network that ends in an activation whose range is neither scores nor probabilities, such as `Relu`.
pub struct OtherHead;
/// A network that ends in `Softmax`, `LogSoftmax` or `Sigmoid` of numbers that an activation has cut before.
pub struct SquashedHead;
/// The head of a declaration with errors: it fits every loss, so that one mistake is told once.
pub struct AnyHead;

/// From a head's number to its type.
#[doc(hidden)]
pub struct HeadCode<const CODE: usize>(PhantomData<()>);

/// See [`HeadCode`].
#[doc(hidden)]
pub trait HeadType: sealed::Sealed {
    /// The head.
    type Head;
}

impl<const CODE: usize> sealed::Sealed for HeadCode<CODE> {}

impl HeadType for HeadCode<{ Head::Plain as usize }> {
    type Head = PlainHead;
}
impl HeadType for HeadCode<{ Head::Value as usize }> {
    type Head = ValueHead;
}
impl HeadType for HeadCode<{ Head::Softmax as usize }> {
    type Head = SoftmaxHead;
}
impl HeadType for HeadCode<{ Head::LogSoftmax as usize }> {
    type Head = LogSoftmaxHead;
}
impl HeadType for HeadCode<{ Head::Sigmoid as usize }> {
    type Head = SigmoidHead;
}
impl HeadType for HeadCode<{ Head::Squashed as usize }> {
    type Head = SquashedHead;
}
impl HeadType for HeadCode<{ Head::Other as usize }> {
    type Head = OtherHead;
}

/// The head type of a head's number.
pub type HeadOf<const CODE: usize> = <HeadCode<CODE> as HeadType>::Head;
