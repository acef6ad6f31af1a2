//! Each line is a network with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { struct N1: [8] -> [8] { x = Dense(8); x -> Relu } } // mended: struct N1: [8] -> [8] { let x = Dense(8); x -> Relu }
network! { struct N2: [8] -> [8] { let h = Dense(8); let y = h + input; y -> Relu } } // mended: struct N2: [8] -> [8] { let h = Dense(8); let y = (h, input) -> Sum; y -> Relu }
network! { struct N3: [8] -> [8] { let h = Dense(8); h * input -> Relu } } // mended: struct N3: [8] -> [8] { let h = Dense(8); (h, input) -> Product -> Relu }
network! { struct N4: [8] -> [8] { let h = Dense(8); [h, input] -> Sum } } // mended: struct N4: [8] -> [8] { let h = Dense(8); (h, input) -> Sum }
network! { struct N5: [8] -> [8] { let h = Dense(8); h, input -> Sum } } // mended: struct N5: [8] -> [8] { let h = Dense(8); (h, input) -> Sum }
network! { struct N6: [8] -> [8] { let x = Dense(8)(input); x -> Relu } } // mended: struct N6: [8] -> [8] { let x = input -> Dense(8); x -> Relu }
network! { struct N7: [8] -> [8] { let x = Dense(8, input); x -> Relu } } // mended: struct N7: [8] -> [8] { let x = input -> Dense(8); x -> Relu }
network! { struct N8: [8] -> [8] { let h = Dense(8); Sum(h, input) } } // mended: struct N8: [8] -> [8] { let h = Dense(8); (h, input) -> Sum }
network! { struct N9: (x: [6, 4], m: [6]) -> [6, 8] { x -> Lstm(8, mask = m) } } // mended: struct N9: (x: [6, 4], m: [6]) -> [6, 8] { (x, m) -> Lstm(8) }
network! { struct N10: (x: [6, 4], m: [6]) -> [6, 8] { x -> Lstm(8)(m) } } // mended: struct N10: (x: [6, 4], m: [6]) -> [6, 8] { (x, m) -> Lstm(8) }
network! { struct N11: (x: [6, 4], m: [6]) -> [6, 8] { (x m) -> Lstm(8) } } // mended: struct N11: (x: [6, 4], m: [6]) -> [6, 8] { (x, m) -> Lstm(8) }
network! { struct N12: [8] -> [8] { let a = Dense(8); return a } } // mended: struct N12: [8] -> [8] { let a = Dense(8); }
network! { struct N13: [8] -> [8] { for i in 0..3 { Dense(8) } } } // mended: struct Block: [8] -> [8] { Dense(8) } } network! { struct N13: [8] -> [8] { Block * 3 }
network! { struct N14: [8] -> [8] { if DEEP { Dense(8) } Dense(8) } } // mended: struct N14: [8] -> [8] { Dense(8) }
network! { struct N15: [8] -> [8] { const N: usize = 8; Dense(8) } } // mended: struct N15: [8] -> [8] { Dense(8) }
network! { struct N16: [8] -> [8] { hidden-1: Dense(8) } } // mended: struct N16: [8] -> [8] { hidden_1: Dense(8) }
network! { struct N17: [8] -> [8] { fc.0: Dense(8) } } // mended: struct N17: [8] -> [8] { fc_0: Dense(8) }
network! { struct N18: [8] -> [8] { let a = = Dense(8); a -> Relu } } // mended: struct N18: [8] -> [8] { let a = Dense(8); a -> Relu }
network! { struct N19: [8] -> [8] { let "a" = Dense(8); input -> Relu } } // mended: struct N19: [8] -> [8] { let name = Dense(8); name -> Relu }
network! { struct N20: [8] -> [8] { let loop = Dense(8); loop -> Relu } } // mended: struct N20: [8] -> [8] { let loop_ = Dense(8); loop_ -> Relu }
network! { struct N21: [8] -> (a: [4], b: [4]) { let (a, b) = Split(2); (a, b) } } // mended: struct N21: [8] -> (a: [4], b: [4]) { let (a, b) = Split(2); }
network! { struct N22: [8] -> [8] { let h = Dense(8); input -> h -> Relu } } // mended: struct N22: [8] -> [8] { let h = Dense(8); (h, input) -> Sum -> Relu }
network! { struct N23: [8] -> [8] { Dense(Self::N) } } // mended: struct Net: [8] -> [8] { Relu } } impl Net { const N: usize = 8; } network! { struct N23: [8] -> [8] { Dense(Net::N) }

fn main() {}
