use nn_runtime::prelude::*;

struct Net;

fn main() {
    Model::<Net>::init(0);
}
