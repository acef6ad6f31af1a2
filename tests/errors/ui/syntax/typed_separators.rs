//! Each line is a network with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { struct N1: [8] -> [8] { Dense(8) | Relu } } // mended: struct N1: [8] -> [8] { Dense(8) -> Relu }
network! { struct N2: [8] -> [8] { Dense(8), Relu, Dense(8) } } // mended: struct N2: [8] -> [8] { Dense(8) -> Relu -> Dense(8) }
network! { struct N3: [8] -> [8] { Dense(8) + Relu } } // mended: struct N3: [8] -> [8] { Dense(8) -> Relu }
network! { struct N4: [8] -> [8] { Dense(8) - Relu } } // mended: struct N4: [8] -> [8] { Dense(8) -> Relu }
network! { struct N5: [8] -> [8] { Dense(8) --> Relu --> Dense(8) } } // mended: struct N5: [8] -> [8] { Dense(8) -> Relu -> Dense(8) }
network! { struct N6: [8] -> [8] { Dense(8) <- Relu } } // mended: struct N6: [8] -> [8] { Dense(8) -> Relu }
network! { struct N7: [8] -> [8] { Dense(8) |> Relu } } // mended: struct N7: [8] -> [8] { Dense(8) -> Relu }
network! { struct N8: [8] -> [8] { Dense(8) >> Relu } } // mended: struct N8: [8] -> [8] { Dense(8) -> Relu }
network! { struct N9: [8] -> [8] { Dense(8) - > Relu } } // mended: struct N9: [8] -> [8] { Dense(8) -> Relu }
network! { struct N10: [8] -> [8] { Dense(8) => Relu } } // mended: struct N10: [8] -> [8] { Dense(8) -> Relu }
network! { struct N11: [8] -> [8] { Dense(8).Relu } } // mended: struct N11: [8] -> [8] { Dense(8) -> Relu }
network! { struct N12: [8] -> [8] { Dense(8).relu() -> Dense(8) } } // mended: struct N12: [8] -> [8] { Dense(8) -> Relu -> Dense(8) }
network! { struct N13: [8] -> [8] { Dense(8) -> Relu, } } // mended: struct N13: [8] -> [8] { Dense(8) -> Relu }
network! { struct N14: [8] -> [8] { Dense(8) -> ; -> Relu } } // mended: struct N14: [8] -> [8] { Dense(8) -> Relu }
network! { struct N15: (x: [6, 4], mask: [6]) -> [6, 8] { (x, mask): Lstm(8) } } // mended: struct N15: (x: [6, 4], mask: [6]) -> [6, 8] { (x, mask) -> Lstm(8) }

fn main() {}
