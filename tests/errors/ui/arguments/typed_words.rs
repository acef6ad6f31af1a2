//! Each line is a network with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { struct N1: [8] -> [8] { Dense(8, activation = relu) } } // mended: struct N1: [8] -> [8] { Dense(8) -> Relu }
network! { struct N2: [8] -> [8] { Dense(8, activation = Relu) } } // mended: struct N2: [8] -> [8] { Dense(8) -> Relu }
network! { struct N3: [8] -> [8] { Dense(8, activation = tf.nn.relu) } } // mended: struct N3: [8] -> [8] { Dense(8) -> Relu }
network! { struct N4: [8] -> [8] { Dense(8, bias = true, activation = nn::tanh) } } // mended: struct N4: [8] -> [8] { Dense(8, bias = true) -> Tanh }
network! { struct N5: [8] -> [8] { Dense(8, relu) } } // mended: struct N5: [8] -> [8] { Dense(8) -> Relu }
network! { struct N6: [8] -> [8] { Dense(8, Relu) } } // mended: struct N6: [8] -> [8] { Dense(8) -> Relu }
network! { struct N7: [1, 8, 8] -> [4, 8, 8] { Conv2d(4, 3, padding = same) } } // mended: struct N7: [1, 8, 8] -> [4, 8, 8] { Conv2d(4, 3, padding = Same) }
network! { struct N8: [1, 8, 8] -> [4, 8, 8] { Conv2d(4, 3, same) } } // mended: struct N8: [1, 8, 8] -> [4, 8, 8] { Conv2d(4, 3, padding = Same) }
network! { struct N9: [8] -> [8] { Dense(8, bias = False) } } // mended: struct N9: [8] -> [8] { Dense(8, bias = false) }
network! { struct N10: [8] -> [8] { Dense(8, no_bias) } } // mended: struct N10: [8] -> [8] { Dense(8, bias = false) }
network! { struct N11: [8] -> [8] { Dense(8, init = he_normal) } } // mended: struct N11: [8] -> [8] { Dense(8, init = HeNormal) }
network! { struct N12: [6, 4] -> [6, 8] { Lstm(4, direction = both) } } // mended: struct N12: [6, 4] -> [6, 8] { Lstm(4, direction = Both) }
network! { struct N13: [3, 4, 4] -> [3, 8, 8] { Upsample(2, mode = bilinear) } } // mended: struct N13: [3, 4, 4] -> [3, 8, 8] { Upsample(2, mode = Bilinear) }
network! { struct N14: [8] -> [8] { Relu(Dense(8)) } } // mended: struct N14: [8] -> [8] { Dense(8) -> Relu }
network! { struct N15: [8] -> [8] { Dropout(Dense(8), 0.1) } } // mended: struct N15: [8] -> [8] { Dense(8) -> Dropout(0.1) }
network! { struct N16: [batch, 8] -> [batch, 8] { Dense(8) } } // mended: struct N16: [8] -> [8] { Dense(8) }

fn main() {}
