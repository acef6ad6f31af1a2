//! Each line is a network with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { struct N1: [8] -> [8] { vec![Dense(8), Relu] } } // mended: struct N1: [8] -> [8] { Dense(8) -> Relu }
network! { struct N2: [8] -> [8] { Dense!(8) } } // mended: struct N2: [8] -> [8] { Dense(8) }
network! { struct N3: [8] -> [8] { (Dense(8)) -> Relu } } // mended: struct N3: [8] -> [8] { Dense(8) -> Relu }
network! { struct N4: [8] -> [8] { Dense(8).frozen() } } // mended: struct N4: [8] -> [8] { frozen Dense(8) }
network! { struct N5: [8] -> [8] { no_grad Dense(8) } } // mended: struct N5: [8] -> [8] { frozen Dense(8) }
network! { struct N6: [8] -> [8] { Box::new(Dense(8)) } } // mended: struct N6: [8] -> [8] { Dense(8) }
network! { struct N7: [8] -> [8] { Some(Dense(8)) } } // mended: struct N7: [8] -> [8] { Dense(8) }
network! { struct N8: [2, 4] -> [8] { flatten } } // mended: struct N8: [2, 4] -> [8] { Flatten }
network! { struct N9: [8] -> [8] { { Dense(8) -> Relu } } } // mended: struct N9: [8] -> [8] { Dense(8) -> Relu }
network! { struct N10: [8] -> [8] { Dense(8, !bias) } } // mended: struct N10: [8] -> [8] { Dense(8, bias = false) }
network! { struct N11: [8] -> [8] { Dense(8, dtype = f32) } } // mended: struct N11: [8] -> [8] { Dense(8) }
network! { struct N12: [3] -> [3, 4] { Embedding(9, 4, padding_idx = 0) } } // mended: struct N12: [3] -> [3, 4] { Embedding(9, 4, padding = 0) }
network! { struct N13 { input: [8], output: [8] } { Dense(8) } } // mended: struct N13: [8] -> [8] { Dense(8) }
network! { struct N14: [8] -> (a: [4], b: [4]) { input -> a: Dense(4); let b = input -> Dense(4); } } // mended: struct N14: [8] -> (a: [4], b: [4]) { let a = input -> Dense(4); let b = input -> Dense(4); }

fn main() {}
