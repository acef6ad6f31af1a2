//! Each line is a network with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { struct N1: [8] -> [8] { Dense[8] -> Relu } } // mended: struct N1: [8] -> [8] { Dense(8) -> Relu }
network! { struct N2: [8] -> [8] { Dense{8} -> Relu } } // mended: struct N2: [8] -> [8] { Dense(8) -> Relu }
network! { struct N3: [8] -> [8] { Dense::new(8) -> Relu } } // mended: struct N3: [8] -> [8] { Dense(8) -> Relu }
network! { struct N4: [8] -> [8] { Dense<8> -> Relu } } // mended: struct N4: [8] -> [8] { Dense(8) -> Relu }
network! { struct N5: [8] -> [8] { nn.Dense(8) } } // mended: struct N5: [8] -> [8] { Dense(8) }
network! { struct N6: [8] -> [8] { 3 * Dense(8) -> Relu } } // mended: struct N6: [8] -> [8] { Dense(8) * 3 -> Relu }
network! { struct N7: [8] -> [8] { [Dense(8); 3] -> Relu } } // mended: struct N7: [8] -> [8] { Dense(8) * 3 -> Relu }
network! { struct N8: [8] -> [8] { Dense(8) x3 -> Relu } } // mended: struct N8: [8] -> [8] { Dense(8) * 3 -> Relu }
network! { struct N9: [8] -> [8] { Dense(8) ^ 3 -> Relu } } // mended: struct N9: [8] -> [8] { Dense(8) * 3 -> Relu }
network! { struct N10: [8] -> [8] { Dense(8) -> (8) } } // mended: struct N10: [8] -> [8] { Dense(8) -> [8] }
network! { struct N11: [8] -> [8] { (Dense(8) -> Relu) * 3 } } // mended: struct Block: [8] -> [8] { Dense(8) -> Relu } } network! { struct N11: [8] -> [8] { Block * 3 }
network! { struct N12: [8] -> [8] { Dense(8) * -1 } } // mended: struct N12: [8] -> [8] { Dense(8) * 2 }

fn main() {}
