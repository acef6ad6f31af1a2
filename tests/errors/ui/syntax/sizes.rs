use nn_runtime::prelude::*;

const WIDE: usize = 64;

network! { pub struct Named<const W: usize in [16, WIDE]>: [4] -> [2] { Dense(W) -> Dense(2) } }
network! { pub struct Without<const W: usize in []>: [4] -> [2] { Dense(W) -> Dense(2) } }
network! { pub struct Twice<const W: usize in [8, 8]>: [4] -> [2] { Dense(W) -> Dense(2) } }
network! {
    #[weights("net.safetensors")]
    pub struct Weighed<const W: usize in [8, 16]>: [4] -> [2] { Dense(W) -> Dense(2) }
}

fn main() {}
