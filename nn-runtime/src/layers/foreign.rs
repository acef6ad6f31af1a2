//! Names that other libraries have for layers, each with what to write instead. They are types only so that a
//! declaration which uses one is told, instead of hearing that there is no such name; nothing can be made of them.

use crate::signature::Signature;

macro_rules! foreign {
    ($($name:ident $instead:literal)*) => { $(
        #[doc(hidden)]
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl $name {
            #[doc(hidden)]
            pub const __SIGNATURE: Signature = Signature::foreign(stringify!($name), $instead);
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
    GlobalAveragePooling2D "`GlobalAvgPool`"
    AdaptiveAvgPool2d "`GlobalAvgPool` for an output of 1 by 1"
    UpSampling2D "`Upsample(scale)`"
    ZeroPadding2D "`ZeroPad2d(pixels)`"
}
