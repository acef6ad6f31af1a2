//! Each line is a network with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { struct N1: [1, 8, 8] -> [4, 6, 6] { Conv2d(in_channels = 1, out_channels = 4, kernel_size = (3, 3), strides = 1) } } // mended: struct N1: [1, 8, 8] -> [4, 6, 6] { Conv2d(4, 3, stride = 1) }
network! { struct N2: [1, 8, 8] -> [4, 8, 8] { Conv2d(filters = 4, kernel_size = 3, padding = "same", activation = "relu") } } // mended: struct N2: [1, 8, 8] -> [4, 8, 8] { Conv2d(4, 3, padding = Same) -> Relu }
network! { struct N3: [1, 8, 8] -> [4, 8, 8] { Conv2d(4, kernel_size = 3, padding = 1) } } // mended: struct N3: [1, 8, 8] -> [4, 8, 8] { Conv2d(4, 3, padding = Pad(1)) }
network! { struct N4: [1, 8, 8] -> [4, 6, 4] { Conv2d(4, kernel_size = (3, 5)) } } // mended: struct N4: [1, 8, 8] -> [4, 6, 4] { Conv2d(4, 3, kernel_hw = [3, 5]) }
network! { struct N5: [1, 8, 8] -> [4, 8, 8] { Conv2d(4, 3, padding = (1, 1)) } } // mended: struct N5: [1, 8, 8] -> [4, 8, 8] { Conv2d(4, 3, padding = Pad(1)) }
network! { struct N6: [1, 8, 8] -> [4, 6, 4] { Conv2d(4, 3, kernel_hw = (3, 5)) } } // mended: struct N6: [1, 8, 8] -> [4, 6, 4] { Conv2d(4, 3, kernel_hw = [3, 5]) }
network! { struct N7: [1, 8, 8] -> [4, 3, 3] { Conv2d(4, 3, stride = [2, 2]) } } // mended: struct N7: [1, 8, 8] -> [4, 3, 3] { Conv2d(4, 3, stride = 2) }
network! { struct N8: [1, 8, 8] -> [4, 3, 3] { Conv2d(4, 3, 2) } } // mended: struct N8: [1, 8, 8] -> [4, 3, 3] { Conv2d(4, 3, stride = 2) }
network! { struct N9: [1, 8, 8] -> [4, 6, 6] { Conv2d(4, 3x3) } } // mended: struct N9: [1, 8, 8] -> [4, 6, 6] { Conv2d(4, 3) }
network! { struct N10: [28, 28, 1] -> [4, 26, 26] { Conv2d(4, 3) } } // mended: struct N10: [28, 28, 1] -> [4, 26, 26] { Permute([2, 0, 1]) -> Conv2d(4, 3) }
network! { struct N11: [784] -> [1, 28, 28] { Reshape(1, 28, 28) } } // mended: struct N11: [784] -> [1, 28, 28] { Reshape([1, 28, 28]) }
network! { struct N12: [8] -> [8] { Dense(8, "relu") } } // mended: struct N12: [8] -> [8] { Dense(8) -> Relu }
network! { struct N13: [8] -> [8] { Dense(n = 8) } } // mended: struct N13: [8] -> [8] { Dense(8) }
network! { struct N14: [8] -> [8] { Dense(in_features = 8, out_features = 8) } } // mended: struct N14: [8] -> [8] { Dense(8) }
network! { struct N15: [8] -> [8] { Dense(8, dtype = "float32") } } // mended: struct N15: [8] -> [8] { Dense(8) }
network! { struct N16: [8] -> [8] { Dense(8, quantizer = 4) } } // mended: struct N16: [8] -> [8] { Dense(8) }
network! { struct N17: [1, 8, 8] -> [64] { Flatten(start_dim = 1) } } // mended: struct N17: [1, 8, 8] -> [64] { Flatten }
network! { struct N18: [8] -> [8] { Dense(8, init = "he") } } // mended: struct N18: [8] -> [8] { Dense(8, init = HeNormal) }
network! { struct N19: [6, 4] -> [8] { Lstm(input_size = 4, hidden_size = 8, last = true) } } // mended: struct N19: [6, 4] -> [8] { Lstm(8, last = true) }
network! { struct N20: [6, 4] -> [8] { Lstm(8) } } // mended: struct N20: [6, 4] -> [8] { Lstm(8) -> LastStep }
network! { struct N21: [1, 8, 8] -> [1, 16, 16] { Upsample(scale_factor = 2, mode = "bilinear") } } // mended: struct N21: [1, 8, 8] -> [1, 16, 16] { Upsample(2, mode = Bilinear) }
network! { struct N22: [8] -> [8] { Dropout(50%) -> Dense(8) } } // mended: struct N22: [8] -> [8] { Dropout(0.5) -> Dense(8) }

fn main() {}
