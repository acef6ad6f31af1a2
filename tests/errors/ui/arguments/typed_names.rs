//! Each line is a network with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { struct N1: [8] -> [8] { Linear(8, 8) } } // mended: struct N1: [8] -> [8] { Dense(8) }
network! { struct N2: [8] -> [8] { Dense(8) -> BatchNorm1d(8) } } // mended: struct N2: [8] -> [8] { Dense(8) -> BatchNorm }
network! { struct N3: [8] -> [8] { Dense(8) -> Activation("relu") } } // mended: struct N3: [8] -> [8] { Dense(8) -> Relu }
network! { struct N4: [8] -> [8] { let h = Dense(8); (h, input) -> Multiply } } // mended: struct N4: [8] -> [8] { let h = Dense(8); (h, input) -> Product }
network! { struct N5: [8] -> [8] { Input([8]) -> Dense(8) } } // mended: struct N5: [8] -> [8] { Dense(8) }

fn main() {}
