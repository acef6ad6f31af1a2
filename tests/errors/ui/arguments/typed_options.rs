//! Each line is a network with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { struct N1: [8] -> [8] { Dense(units = 8) } } // mended: struct N1: [8] -> [8] { Dense(8) }
network! { struct N2: [8] -> [8] { Dense(8, activation = "relu") } } // mended: struct N2: [8] -> [8] { Dense(8) -> Relu }
network! { struct N3: [8] -> [8] { Dense(8, use_bias = false) } } // mended: struct N3: [8] -> [8] { Dense(8, bias = false) }
network! { struct N4: [8] -> [8] { Dense(8, trainable = false) } } // mended: struct N4: [8] -> [8] { frozen Dense(8) }
network! { struct N5: [8] -> [8] { LeakyRelu(negative_slope = 0.2) } } // mended: struct N5: [8] -> [8] { LeakyRelu(slope = 0.2) }
network! { struct N6: [8] -> [8] { Softmax(dim = 1) } } // mended: struct N6: [8] -> [8] { Softmax }
network! { struct N7: [1, 8, 8] -> [4, 6, 6] { Conv2d(4, kernel_size = 3) } } // mended: struct N7: [1, 8, 8] -> [4, 6, 6] { Conv2d(4, 3) }
network! { struct N8: [1, 8, 8] -> [4, 3, 3] { Conv2d(4, 3, stride = (2, 2)) } } // mended: struct N8: [1, 8, 8] -> [4, 3, 3] { Conv2d(4, 3, stride = 2) }
network! { struct N9: [1, 8, 8] -> [4, 6, 6] { Conv2d(4, (3, 3)) } } // mended: struct N9: [1, 8, 8] -> [4, 6, 6] { Conv2d(4, 3) }
network! { struct N10: [1, 8, 8] -> [4, 8, 8] { Conv2d(4, 3, padding = "same") } } // mended: struct N10: [1, 8, 8] -> [4, 8, 8] { Conv2d(4, 3, padding = Same) }
network! { struct N11: [6, 8] -> [6, 8] { MultiHeadAttention(num_heads = 2, key_dim = 4) } } // mended: struct N11: [6, 8] -> [6, 8] { MultiHeadAttention(2) }
network! { struct N12: (a: [4], b: [4]) -> [8] { (a, b) -> Concat(axis = -1) } } // mended: struct N12: (a: [4], b: [4]) -> [8] { (a, b) -> Concat(axis = 0) }
network! { struct N13: [6, 3] -> [6, 4] { Rnn(4, nonlinearity = "relu") } } // mended: struct N13: [6, 3] -> [6, 4] { Rnn(4, relu = true) }
network! { struct N14: [6, 3] -> [6, 8] { Gru(4, bidirectional = true) } } // mended: struct N14: [6, 3] -> [6, 8] { Gru(4, direction = Both) }
network! { struct N15: [3, 8, 8] -> [3, 4, 4] { MaxPool2d(2, ceil_mode = "true") } } // mended: struct N15: [3, 8, 8] -> [3, 4, 4] { MaxPool2d(2, ceil_mode = true) }
network! { struct N16: [8] -> [8] { Dense(8, init = "he_normal") } } // mended: struct N16: [8] -> [8] { Dense(8, init = HeNormal) }
network! { struct N17: [3, 8, 8] -> [3, 9, 9] { Resize(9, interpolation = "bilinear") } } // mended: struct N17: [3, 8, 8] -> [3, 9, 9] { Resize(9, mode = Bilinear) }
network! { struct N18: [3, 8, 8] -> [3, 4, 4] { AdaptiveAvgPool2d(output_size = 4) } } // mended: struct N18: [3, 8, 8] -> [3, 4, 4] { AdaptiveAvgPool2d(4) }
network! { struct N19: [8] -> [8] { Dense(8, frozen = true) } } // mended: struct N19: [8] -> [8] { frozen Dense(8) }

fn main() {}
