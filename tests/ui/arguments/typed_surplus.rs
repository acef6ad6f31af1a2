//! Each line is a network with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { struct N1: [1, 8, 8] -> [4, 6, 6] { Conv2d(1, 4, 3) } } // mended: struct N1: [1, 8, 8] -> [4, 6, 6] { Conv2d(4, 3) }
network! { struct N2: [1, 8, 8] -> [4, 8, 8] { Conv2d(4, 3, Same) } } // mended: struct N2: [1, 8, 8] -> [4, 8, 8] { Conv2d(4, 3, padding = Same) }
network! { struct N3: [1, 8, 8] -> [1, 3, 3] { MaxPool2d(3, 2) } } // mended: struct N3: [1, 8, 8] -> [1, 3, 3] { MaxPool2d(3, stride = 2) }
network! { struct N4: [8] -> [8] { LeakyRelu(0.2) } } // mended: struct N4: [8] -> [8] { LeakyRelu(slope = 0.2) }
network! { struct N5: [8] -> [8] { BatchNorm(8) } } // mended: struct N5: [8] -> [8] { BatchNorm }
network! { struct N6: [8] -> [8] { Dense(8, 8) } } // mended: struct N6: [8] -> [8] { Dense(8) }
network! { struct N7: [8] -> [8] { Dense() } }
network! { struct N8: [6, 4] -> [6, 8] { Lstm(4, 8) } } // mended: struct N8: [6, 4] -> [6, 8] { Lstm(8) }
network! { struct N9: [8] -> [2, 4] { Reshape((2, 4)) } } // mended: struct N9: [8] -> [2, 4] { Reshape([2, 4]) }

fn main() {}
