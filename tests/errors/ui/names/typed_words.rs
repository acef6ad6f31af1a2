//! Each line is a network with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { struct N1: [8] -> [8] { let a = enc: Dense(8); let b = a -> enc; b -> Relu } } // mended: struct N1: [8] -> [8] { let a = enc: Dense(8); let b = a -> share(enc); b -> Relu }
network! { struct N2: [8] -> [8] { enc: Dense(8) -> shared(enc) } } // mended: struct N2: [8] -> [8] { enc: Dense(8) -> share(enc) }
network! { struct N3: [8] -> [8] { enc: Dense(8) -> share enc } } // mended: struct N3: [8] -> [8] { enc: Dense(8) -> share(enc) }
network! { struct N4: [8] -> [8] { enc: Dense(8) -> share(enc) * 2 } } // mended: struct N4: [8] -> [8] { enc: Dense(8) -> share(enc) -> share(enc) }
network! { struct N5: [8] -> [8] { frozen(Dense(8)) -> Relu } } // mended: struct N5: [8] -> [8] { frozen Dense(8) -> Relu }
network! { struct N6: [8] -> [8] { freeze Dense(8) -> Relu } } // mended: struct N6: [8] -> [8] { frozen Dense(8) -> Relu }
network! { struct N7: [8] -> [8] { enc: frozen Dense(8) } } // mended: struct N7: [8] -> [8] { frozen enc: Dense(8) }
network! { struct N8: [8] -> [8] { enc: Dense(8) -> frozen share(enc) } } // mended: struct N8: [8] -> [8] { frozen enc: Dense(8) -> share(enc) }
network! { struct N9: [8] -> [8] { let x = Dense(8); x -> share(x) } } // mended: struct N9: [8] -> [8] { let x = x_layer: Dense(8); x -> share(x_layer) }
network! { struct N10: [8] -> [8] { let a = Dense(8) -> Relu; let c = a: Dense(8); (a, c) -> Sum } } // mended: struct N10: [8] -> [8] { let a = Dense(8) -> Relu; let c = a -> Dense(8); (a, c) -> Sum }
network! { struct N11: (x: [8]) -> [8] { input -> Dense(8) } } // mended: struct N11: (x: [8]) -> [8] { x -> Dense(8) }
network! { struct N12: [8] -> [8] { let _ = Dense(8); input -> Relu } } // mended: struct N12: [8] -> [8] { let name = Dense(8); name -> Relu }
network! { struct N13: [8] -> [8] { Dense(8) frozen -> Relu } } // mended: struct N13: [8] -> [8] { frozen Dense(8) -> Relu }
network! { struct N14: [6, 3] -> [6, 4] { SimpleRNN(4) } } // mended: struct N14: [6, 3] -> [6, 4] { Rnn(4) }
network! { struct N15: [3, 8, 8] -> [3, 9, 9] { Resizing(9, 9) } } // mended: struct N15: [3, 8, 8] -> [3, 9, 9] { Resize(9) }

fn main() {}
