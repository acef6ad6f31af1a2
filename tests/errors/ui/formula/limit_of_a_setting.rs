use nn_runtime::prelude::*;

activation! {
    pub bent(x; alpha = 1.0) where alpha > 0.0: "use `Relu` for an alpha of 0" = if x > 0.0 { x } else { alpha * expm1(x) }
}

network! {
    pub struct Net: [4] -> [4] {
        Bent(alpha = -1.0) -> Dense(4, bais = false)
    }
}

fn main() {}
