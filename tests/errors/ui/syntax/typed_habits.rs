//! Each line is a network with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { struct N1: [8] -> [8] { let a, b = Split(2); (a, b) -> Concat } } // mended: struct N1: [8] -> [8] { let (a, b) = Split(2); (a, b) -> Concat }
network! { struct N2: [8] -> [8] { let [a, b] = Split(2); (a, b) -> Concat } } // mended: struct N2: [8] -> [8] { let (a, b) = Split(2); (a, b) -> Concat }
network! { struct N3: [8] -> [8] { a, b = Split(2); (a, b) -> Concat } } // mended: struct N3: [8] -> [8] { let (a, b) = Split(2); (a, b) -> Concat }
network! { struct N4: [8] -> [8] { (a, b) = Split(2); (a, b) -> Concat } } // mended: struct N4: [8] -> [8] { let (a, b) = Split(2); (a, b) -> Concat }
network! { struct N5: [8] -> [8] { const h = Dense(8); h -> Relu } } // mended: struct N5: [8] -> [8] { let h = Dense(8); h -> Relu }
network! { struct N6: [8] -> [8] { let h = Dense(8), h -> Relu } } // mended: struct N6: [8] -> [8] { let h = Dense(8); h -> Relu }
network! { struct N7: [8] -> [8] { let h = Dense(8); h += input; h -> Relu } } // mended: struct N7: [8] -> [8] { let h = Dense(8); let h_b = (h, input) -> Sum; h_b -> Relu }
network! { struct N8: [8] -> [8] { let x = Dense(8); let x = x -> Relu; let x = x -> Relu; } } // mended: struct N8: [8] -> [8] { let x = Dense(8); let x_b = x -> Relu; let x_c = x_b -> Relu; }
network! { struct N9: [8] -> [8] { self.fc1 = Dense(8) } } // mended: struct N9: [8] -> [8] { fc1: Dense(8) }
network! { struct N10: [8] -> [8] { Dense(8): fc1 -> Relu } } // mended: struct N10: [8] -> [8] { fc1: Dense(8) -> Relu }
network! { struct N11: [8] -> [8] { Dense(8) as h -> Relu } } // mended: struct N11: [8] -> [8] { let h = Dense(8); h -> Relu }
network! { struct N12: [8] -> [8] { Dense(8) -> let h -> Relu } } // mended: struct N12: [8] -> [8] { let name = Dense(8); name -> Relu }
network! { struct N13: [8] -> [8] { input -> Dense(8) -> output } } // mended: struct N13: [8] -> [8] { let output = input -> Dense(8); }
network! { struct N14: [8] -> [8] { "fc1": Dense(8) } } // mended: struct N14: [8] -> [8] { fc1: Dense(8) }
network! { struct N15: [8] -> [8] { Dense 8 -> Relu } } // mended: struct N15: [8] -> [8] { Dense(8) -> Relu }
network! { struct N16: [8] -> [8] { Dense(8) * Dense(8) } } // mended: struct N16: [8] -> [8] { Dense(8) -> Dense(8) }
network! { struct N17: [8] -> [8] { Dense(8) ** 3 } } // mended: struct N17: [8] -> [8] { Dense(8) * 3 }
network! { struct N18: [8] -> [8] { 3 x Dense(8) } } // mended: struct N18: [8] -> [8] { Dense(8) * 3 }
network! { struct N19: [8] -> [8] { Dense(8)[8] } } // mended: struct N19: [8] -> [8] { Dense(8) -> [8] }
network! { struct N20: [8] -> [8] { Dense(8) # hidden } } // mended: struct N20: [8] -> [8] { Dense(8) }

fn main() {}
