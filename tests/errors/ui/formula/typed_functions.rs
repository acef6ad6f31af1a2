//! Each line is a formula with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

activation! { pub fn n1(x: f32) -> f32 { x * sigmoid(x) } } // mended: pub n1(x) = x * sigmoid(x)
loss! { fn n2(y: f32, t: f32) -> f32 { square(y - t) } } // mended: n2(y, t) = square(y - t)
activation! { n3(x) = { return x * 2.0 } } // mended: n3(x) = x * 2.0
activation! { n4(x) = max([x, 0.0]) } // mended: n4(x) = max(x, 0.0)
activation! { n5(x; b = 1.0) where b = b * x } // mended: n5(x; b = 1.0) where b > 0.0 = b * x
activation! { n6(x; b = -1.0) where b > 0.0 = b * x } // mended: n6(x; b = 1.0) where b > 0.0 = b * x
network! { struct Net: [2] -> [2] { N6 } }

fn main() {}
