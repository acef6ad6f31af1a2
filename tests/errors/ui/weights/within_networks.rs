use nn_runtime::prelude::*;

network! { struct Inner: [4] -> [4] { lin: Dense(4) -> Relu } }
network! { struct Mid: [4] -> [4] { inner: Inner -> share(inner) } }
network! {
    #[weights("weights/blocks.safetensors")]
    struct Net: [3] -> [4] { stem: Dense(4) -> body: Mid * 2 }
}

fn main() {
    Net::embedded();
    Net::embedded_ref();
}
