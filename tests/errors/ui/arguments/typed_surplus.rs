//! Each line is a network with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { struct N1: [1, 8, 8] -> [4, 6, 6] { Conv2d(1, 4, 3) } } // mended: struct N1: [1, 8, 8] -> [4, 6, 6] { Conv2d(4, 3) }
network! { struct N2: [1, 8, 8] -> [4, 8, 8] { Conv2d(4, 3, Same) } } // mended: struct N2: [1, 8, 8] -> [4, 8, 8] { Conv2d(4, 3, padding = Same) }
network! { struct N3: [1, 8, 8] -> [1, 3, 3] { MaxPool2d(3, 2) } } // mended: struct N3: [1, 8, 8] -> [1, 3, 3] { MaxPool2d(3, stride = 2) }
network! { struct N4: [8] -> [8] { LeakyRelu(0.2) } } // mended: struct N4: [8] -> [8] { LeakyRelu(slope = 0.2) }
network! { struct N5: [8] -> [8] { BatchNorm(8) } } // mended: struct N5: [8] -> [8] { BatchNorm }
network! { struct N6: [8] -> [8] { Dense(8, 8) } } // mended: struct N6: [8] -> [8] { Dense(8) }
network! { struct N7: [8] -> [8] { Dense() } } // mended: struct N7: [8] -> [8] { Dense(8) }
network! { struct N8: [6, 4] -> [6, 8] { Lstm(4, 8) } } // mended: struct N8: [6, 4] -> [6, 8] { Lstm(8) }
network! { struct N9: [8] -> [2, 4] { Reshape((2, 4)) } } // mended: struct N9: [8] -> [2, 4] { Reshape([2, 4]) }
network! { struct N10: [3, 8, 8] -> [3, 16, 12] { Resize(16, 12) } } // mended: struct N10: [3, 8, 8] -> [3, 16, 12] { Resize(16, size_hw = [16, 12]) }
network! { struct N11: [3, 4, 4] -> [3, 8, 12] { Upsample(2, 3) } } // mended: struct N11: [3, 4, 4] -> [3, 8, 12] { Upsample(2, scale_hw = [2, 3]) }
network! { struct N12: [12, 8] -> [12, 8] { PositionalEncoding(12) } } // mended: struct N12: [12, 8] -> [12, 8] { PositionalEncoding }
network! { struct N13: [12, 8] -> [12, 8] { MultiHeadAttention(8, 2) } } // mended: struct N13: [12, 8] -> [12, 8] { MultiHeadAttention(2) }
network! { struct N14: [8, 4, 4] -> [8, 4, 4] { GroupNorm(2, 8) } } // mended: struct N14: [8, 4, 4] -> [8, 4, 4] { GroupNorm(2) }
network! { struct N15: [3, 8, 8] -> [3, 10, 10] { ReflectionPad2d((1, 1, 1, 1)) } } // mended: struct N15: [3, 8, 8] -> [3, 10, 10] { ReflectionPad2d(1) }
network! { struct N16: [8, 3] -> [11, 3] { ZeroPad1d(1, 2) } } // mended: struct N16: [8, 3] -> [11, 3] { ZeroPad1d(1, after = 2) }
network! { struct N17: [8, 3] -> [6, 4] { Conv1d(4, (3,)) } } // mended: struct N17: [8, 3] -> [6, 4] { Conv1d(4, 3) }

fn main() {}
