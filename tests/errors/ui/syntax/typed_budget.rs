//! Each line is a network with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

network! { #[budget(parms <= 72)] struct N1: [8] -> [8] { Dense(8) } } // mended: #[budget(params <= 50_000)] struct N1: [8] -> [8] { Dense(8) }
network! { #[budget(params < 72)] struct N2: [8] -> [8] { Dense(8) } } // mended: #[budget(params <= 50_000)] struct N2: [8] -> [8] { Dense(8) }
network! { #[budget(macs <= )] struct N3: [8] -> [8] { Dense(8) } } // mended: #[budget(macs <= 50_000)] struct N3: [8] -> [8] { Dense(8) }
network! { #[budget(params(batch = 2) <= 72)] struct N4: [8] -> [8] { Dense(8) } } // mended: #[budget(params <= 72)] struct N4: [8] -> [8] { Dense(8) }
network! { #[budget(predict_bytes(2) <= 64 * 1024)] struct N5: [8] -> [8] { Dense(8) } } // mended: #[budget(predict_bytes(batch = 16) <= 64 * 1024)] struct N5: [8] -> [8] { Dense(8) }
network! { #[budget] struct N6: [8] -> [8] { Dense(8) } } // mended: #[budget(params <= 50_000)] struct N6: [8] -> [8] { Dense(8) }

fn main() {}
