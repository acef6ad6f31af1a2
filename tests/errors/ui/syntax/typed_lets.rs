//! Each line is a network or a formula with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { struct N1: [8] -> [8] { let = input -> Dense(8); let b = name -> Relu; (name, b) -> Sum } } // mended: struct N1: [8] -> [8] { let name = input -> Dense(8); let b = name -> Relu; (name, b) -> Sum }
network! { struct N2: [8] -> [8] { let = a input -> Dense(8); let b = a -> Relu; (a, b) -> Sum } } // mended: struct N2: [8] -> [8] { let a = input -> Dense(8); let b = a -> Relu; (a, b) -> Sum }
network! { struct N3: [8] -> [8] { let (a,) = Split(2); let c = other -> Dense(4); (a, c) -> Concat } } // mended: struct N3: [8] -> [8] { let (a, other) = Split(2); let c = other -> Dense(4); (a, c) -> Concat }
network! { struct N4: [8] -> [8] { let (a a, b) = Split(2); (a, b) -> Concat } } // mended: struct N4: [8] -> [8] { let (a, b) = Split(2); (a, b) -> Concat }
network! { struct N5: (x: [8], mask: [8]) -> [8] { let h = (x, msk) -> Sum; (h, msk) -> Product } } // mended: struct N5: (x: [8], mask: [8]) -> [8] { let h = (x, mask) -> Sum; (h, mask) -> Product }
activation! { n6(x; laern alpha = 0.25) = if x > 0.0 { x } else { alpha * x } } // mended: n6(x; learn alpha = 0.25) = if x > 0.0 { x } else { alpha * x }
activation! { n7(x) = { e = exp(-x); 1.0 / (1.0 + e) } } // mended: n7(x) = { let e = exp(-x); 1.0 / (1.0 + e) }

fn main() {}
