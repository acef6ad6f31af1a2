//! Names that other libraries have for layers, each with what to write instead. They are types only so that a
//! declaration which uses one is told, instead of hearing that there is no such name; nothing can be made of
//! them.

use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext};
use crate::shape::Shape;
use crate::signature::Signature;

macro_rules! foreign {
    ($($name:ident $instead:literal)*) => { $(
        #[doc(hidden)]
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl $name {
            #[doc(hidden)]
            pub const __SIGNATURE: Signature = Signature::foreign(stringify!($name), $instead);

            #[doc(hidden)]
            pub const fn new<T: Copy>(_: T) -> Self {
                $name
            }

            #[doc(hidden)]
            pub const fn rule<const N: usize>(&self, _: [Shape; N]) -> Rule {
                Rule::Err(Fault::expected(concat!("a layer, found `", stringify!($name), "`")).help($instead))
            }
        }
        // Given an array it is told by its rule, and is a layer so that nothing else is said.
        impl<const N: usize, const M: usize> Layer<N, M> for $name {
            fn forward(&self, _: &mut LayerContext, _: [&[f32]; N], _: [&mut [f32]; M]) {}
            fn backward_input(
                &self,
                _: &mut LayerContext,
                _: [&[f32]; N],
                _: [&[f32]; M],
                _: [&[f32]; M],
                _: [&mut [f32]; N],
            ) {
            }
        }
    )* };
}

foreign! {
    Linear "`Dense(units)`: the number of inputs follows from the shape"
    BatchNorm1d "`BatchNorm`: the number of features follows from the shape"
    BatchNorm2d "`BatchNorm`: the number of channels follows from the shape"
    BatchNormalization "`BatchNorm`"
    LayerNormalization "`LayerNorm`"
    Input "remove it: the shape of the input stands before `->`"
    InputLayer "remove it: the shape of the input stands before `->`"
    Activation "the activation is a layer: `Relu`, `Tanh`, `Sigmoid`, …"
    Concatenate "`Concat`"
    Multiply "`Product`"
    TimeDistributed "`DensePerStep(units)` is a `Dense` at each step"
    Bidirectional "`direction = Both`, as in `Lstm(16, direction = Both)`"
    AveragePooling1D "`AvgPool1d(kernel)`"
    AveragePooling2D "`AvgPool2d(kernel)`"
    SpatialDropout2D "`Dropout2d(rate)`"
    GlobalAveragePooling2D "`GlobalAvgPool`"
    GlobalAveragePooling1D "`GlobalAvgPool`"
    GlobalMaxPooling1D "`GlobalMaxPool`"
    GlobalMaxPooling2D "`GlobalMaxPool`"
    SimpleRNN "`Rnn(units)`"
    Conv1DTranspose "`ConvTranspose1d(filters, kernel)`: the number of filters comes first"
    Conv2DTranspose "`ConvTranspose2d(filters, kernel)`: the number of filters comes first"
    Resizing "`Resize(size)`"
    LocalResponseNormalization "`LocalResponseNorm(size)`"
    ConstantPad1d "`ZeroPad1d(steps)`"
    ConstantPad2d "`ZeroPad2d(pixels)`"
    UpSampling2D "`Upsample(scale)`"
    ZeroPadding1D "`ZeroPad1d(steps)`"
    ZeroPadding2D "`ZeroPad2d(pixels)`"
}
