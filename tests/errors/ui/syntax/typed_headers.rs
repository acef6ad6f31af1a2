//! Each line is a network with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { struct N1(784) -> (10) { Dense(10) } } // mended: struct N1: [784] -> [10] { Dense(10) }
network! { struct N2: 784 -> 10 { Dense(10) } } // mended: struct N2: [784] -> [10] { Dense(10) }
network! { fn N3(x: [784]) -> [10] { x -> Dense(10) } } // mended: pub struct N3: (x: [784]) -> [10] { x -> Dense(10) }
network! { class N4: [784] -> [10] { Dense(10) } } // mended: pub struct N4: [784] -> [10] { Dense(10) }
network! { struct N5: {x: [784]} -> [10] { x -> Dense(10) } } // mended: struct N5: (x: [784]) -> [10] { x -> Dense(10) }
network! { struct N6: x: [784] -> [10] { x -> Dense(10) } } // mended: struct N6: (x: [784]) -> [10] { x -> Dense(10) }
network! { struct N7: (x: 784) -> [10] { x -> Dense(10) } } // mended: struct N7: (x: [784]) -> [10] { x -> Dense(10) }
network! { struct N8: (x = [784]) -> [10] { x -> Dense(10) } } // mended: struct N8: (x: [784]) -> [10] { x -> Dense(10) }
network! { struct N9: [28][28] -> [10] { Flatten -> Dense(10) } } // mended: struct N9: [28, 28] -> [10] { Flatten -> Dense(10) }
network! { struct N10: [1x28x28] -> [10] { Flatten -> Dense(10) } } // mended: struct N10: [1, 28, 28] -> [10] { Flatten -> Dense(10) }
network! { struct N11: [.., 784] -> [10] { Dense(10) } } // mended: struct N11: [784] -> [10] { Dense(10) }
network! { struct N12: [f32; 784] -> [f32; 10] { Dense(10) } } // mended: struct N12: [784] -> [10] { Dense(10) }
network! { struct N13: [784] -> 10 { Dense(10) } } // mended: struct N13: [784] -> [10] { Dense(10) }
network! { struct N14: [784] -> [10]; { Dense(10) } } // mended: struct N14: [784] -> [10] { Dense(10) }

fn main() {}
