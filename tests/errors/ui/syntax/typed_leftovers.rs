//! Each line is a network with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { struct N1: [4], -> [4] { Dense(4) } } // mended: struct N1: [4] -> [4] { Dense(4) }
network! { struct N2: [8] -> [8] { Dense(8) → Relu → Dense(8) } } // mended: struct N2: [8] -> [8] { Dense(8) -> Relu -> Dense(8) }
network! { struct N3: [8] -> [8] { enc: Dense(8) -> share(enc) * 3 } } // mended: struct N3: [8] -> [8] { enc: Dense(8) -> share(enc) -> share(enc) -> share(enc) }
network! { struct N4: [8] -> [4] { let x = Dense(8); let y = x -> share(x); y -> Dense(4) } } // mended: struct N4: [8] -> [4] { let x = x_layer: Dense(8); let y = x -> share(x_layer); y -> Dense(4) }
network! { struct N5: [8] -> [2] { let (a, b) = Split(2); a -> Dense(2) } } // mended: struct N5: [8] -> [2] { let (a, _) = Split(2); a -> Dense(2) }

fn main() {}
