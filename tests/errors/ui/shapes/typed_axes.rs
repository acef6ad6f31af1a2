//! Each line is a network with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { struct N1: [1, 100] -> [98, 8] { Conv1d(8, 3) } } // mended: struct N1: [1, 100] -> [98, 8] { Permute([1, 0]) -> Conv1d(8, 3) }
network! { struct N2: [2, 99] -> [33, 2] { MaxPool1d(3) } } // mended: struct N2: [2, 99] -> [33, 2] { Permute([1, 0]) -> MaxPool1d(3) }
network! { struct N3: [8, 5, 6] -> [16] { Lstm(16, last = true) } } // mended: struct N3: [8, 5, 6] -> [16] { Permute([2, 0, 1]) -> Reshape([6, 40]) -> Lstm(16, last = true) }
network! { struct N4: [8, 5, 6] -> [6, 4] { DensePerStep(4) } } // mended: struct N4: [8, 5, 6] -> [6, 4] { Permute([2, 0, 1]) -> Reshape([6, 40]) -> DensePerStep(4) }
network! { struct N5: (x: [12, 8], m: [12, 12]) -> [12, 8] { (x, m) -> MultiHeadAttention(2) } } // mended: struct N5: (x: [12, 8], m: [12]) -> [12, 8] { (x, m) -> MultiHeadAttention(2, causal = true) }
network! { struct N6: (mask: [12], x: [12, 5]) -> [12, 8] { (mask, x) -> Lstm(8) } } // mended: struct N6: (mask: [12], x: [12, 5]) -> [12, 8] { (x, mask) -> Lstm(8) }
network! { struct N7: [4, 13, 13] -> [1, 28, 28] { ConvTranspose2d(1, 3, stride = 2) } } // mended: struct N7: [4, 13, 13] -> [1, 28, 28] { ConvTranspose2d(1, 3, stride = 2, output_padding = 1) }
network! { struct N8: [1, 28, 28] -> [784] { Reshape([-1]) } } // mended: struct N8: [1, 28, 28] -> [784] { Flatten }
network! { struct N9: [2, 3] -> [3, 2] { Permute([1, -2]) } } // mended: struct N9: [2, 3] -> [3, 2] { Permute([1, 0]) }
network! { struct N10: [13] -> [13] { Dense(13) -> Relu -> Embedding(100, 8) -> Flatten -> Dense(13) } } // mended: struct N10: (ids: [13]) -> [13] { ids -> Embedding(100, 8) -> Flatten -> Dense(13) }

fn main() {}
