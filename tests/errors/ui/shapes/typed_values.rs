//! Each line is a network with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { struct Two: (a: [8], b: [8]) -> [8] { (a, b) -> Sum } } // mended: struct Two: (a: [8], b: [8]) -> [8] { (a, b) -> Sum }
network! { struct Parts: [8] -> (a: [4], b: [4]) { let (a, b) = Split(2); } } // mended: struct Parts: [8] -> (a: [4], b: [4]) { let (a, b) = Split(2); }
network! { struct N1: (a: [4], b: [4]) -> [8] { (a, b) -> Dense(8) } } // mended: struct N1: (a: [4], b: [4]) -> [8] { (a, b) -> Concat -> Dense(8) }
network! { struct N2: [8] -> [8] { Dense(8) -> Two } } // mended: struct N2: [8] -> [8] { let h = Dense(8); (input, h) -> Two }
network! { struct N3: [8] -> [8] { Parts -> Dense(8) } } // mended: struct N3: [8] -> [8] { let (a, b) = Parts; (a, b) -> Concat -> Dense(8) }
network! { struct N4: [8] -> [8] { let (a, b) = Dense(8); (a, b) -> Sum } } // mended: struct N4: [8] -> [8] { let name = Dense(8); name -> Relu }
network! { struct N5: [32, 1, 8, 8] -> [2, 8, 8] { Conv2d(2, 1) } } // mended: struct N5: [1, 8, 8] -> [2, 8, 8] { Conv2d(2, 1) }

fn main() {}
