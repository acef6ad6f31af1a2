//! Each line is a network with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { struct N1: [8] -> [8] { Sequential(Dense(8), Relu, Dense(8)) } } // mended: struct N1: [8] -> [8] { Dense(8) -> Relu -> Dense(8) }
network! { struct N2: [8] -> [8] { [Dense(8), Relu, Dense(8)] } } // mended: struct N2: [8] -> [8] { Dense(8) -> Relu -> Dense(8) }
network! { struct N3: [8] -> [8] { Residual(Dense(8), Relu) } } // mended: struct N3: [8] -> [8] { let x = input; let y = x -> Dense(8) -> Relu; (x, y) -> Sum }
network! { struct N4: [8] -> [8] { repeat(3) { Dense(8) } } } // mended: struct N4: [8] -> [8] { Dense(8) * 3 }
network! { struct N5: [6, 4] -> [6, 8] { Bidirectional(Lstm(4)) } } // mended: struct N5: [6, 4] -> [6, 8] { Lstm(4, direction = Both) }
network! { struct N6: [6, 4] -> [6, 8] { TimeDistributed(Dense(8)) } } // mended: struct N6: [6, 4] -> [6, 8] { DensePerStep(8) }
network! { struct N7: [8] -> [8] { relu(Dense(8)) } } // mended: struct N7: [8] -> [8] { Dense(8) -> Relu }
network! { struct N8: [8] -> [8] { let h = Dense(8); softmax(h) } } // mended: struct N8: [8] -> [8] { let h = Dense(8); h -> Softmax }
network! { struct N9: (a: [4], b: [4]) -> [8] { Concat([a, b]) } } // mended: struct N9: (a: [4], b: [4]) -> [8] { (a, b) -> Concat }
network! { struct N10: (a: [4], b: [4]) -> [8] { let h = torch.cat([a, b], dim = 1); h -> Relu } } // mended: struct N10: (a: [4], b: [4]) -> [8] { let h = (a, b) -> Concat; h -> Relu }
network! { struct N11: [8] -> [8] { Dense(8) -> F.relu } } // mended: struct N11: [8] -> [8] { Dense(8) -> Relu }
network! { struct N12: [8] -> [8] { Dense(8) -> F::relu } } // mended: struct N12: [8] -> [8] { Dense(8) -> Relu }
network! { struct N13: [8] -> [8] { Dense(8) -> "relu" } } // mended: struct N13: [8] -> [8] { Dense(8) -> Relu }
network! { struct N14: [8] -> [8] { model.add(Dense(8)) } } // mended: struct N14: [8] -> [8] { Dense(8) }
network! { struct N15: [8] -> [8] { Dense(8).add(Relu) } } // mended: struct N15: [8] -> [8] { Dense(8) -> Relu }
network! { struct N16: [8] -> [8] { fc: Dense(8) -> self.fc(x) } } // mended: struct N16: [8] -> [8] { fc: Dense(8) -> share(fc) }
network! { struct N17: [8] -> [8] { (input, Dense(8)) -> Sum } } // mended: struct N17: [8] -> [8] { let name = Dense(8); (input, name) -> Sum }
network! { struct N18: [8] -> [8] { let x = input; x -> (Dense(8), Relu) -> Sum } } // mended: struct N18: [8] -> [8] { let x = input; let a = x -> Dense(8); let b = x -> Relu; (a, b) -> Sum }
network! { struct N19: (a: [4], b: [4]) -> [4] { {a, b} -> Sum } } // mended: struct N19: (a: [4], b: [4]) -> [4] { (a, b) -> Sum }

fn main() {}
