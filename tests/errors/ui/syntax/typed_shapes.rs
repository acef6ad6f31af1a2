//! Each line is a network with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { struct N1: [None, 8] -> [8] { Dense(8) } } // mended: struct N1: [8] -> [8] { Dense(8) }
network! { struct N2: [_, 8] -> [8] { Dense(8) } } // mended: struct N2: [8] -> [8] { Dense(8) }
network! { struct N3: [?, 8] -> [8] { Dense(8) } } // mended: struct N3: [8] -> [8] { Dense(8) }
network! { struct N4: [-1, 8] -> [8] { Dense(8) } } // mended: struct N4: [8] -> [8] { Dense(8) }
network! { struct N5: [f32; 8] -> [8] { Dense(8) } } // mended: struct N5: [8] -> [8] { Dense(8) }
network! { struct N6: [1, 8, 8] -> [64] { Conv2d(1, 1) -> [1, _, _] -> Flatten } } // mended: struct N6: [1, 8, 8] -> [64] { Conv2d(1, 1) -> Flatten }
network! { struct N7: [8] -> ([2], [1]) { let a = Dense(2); let b = input -> Dense(1); } } // mended: struct N7: [8] -> (image: [2], tags: [1]) { let image = Dense(2); let tags = input -> Dense(1); }
network! { struct N8: (a: [1], b: [1], c: [1], d: [1], e: [1], f: [1], g: [1], h: [1], i: [1]) -> [9] { (a, b, c, d, e, f, g, h, i) -> Concat } } // mended: struct N8: [9] -> [9] { Relu }

fn main() {}
