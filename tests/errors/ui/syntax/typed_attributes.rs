//! Each line is a network with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { struct N1: [8] -> [8] { #[cfg(any())] Dense(8) -> Relu } } // mended: struct N1: [8] -> [8] { Relu }
network! { struct N2: [8] -> [8] { #![allow(unused)] Dense(8) } } // mended: struct N2: [8] -> [8] { Dense(8) }
network! { #[derive(Clone, PartialEq)] struct N3: [8] -> [8] { Dense(8) } } // mended: #[derive(PartialEq)] struct N3: [8] -> [8] { Dense(8) }
network! { struct N4: [8] -> [8] { Dense(8) }; } // mended: struct N4: [8] -> [8] { Dense(8) }

fn main() {}
