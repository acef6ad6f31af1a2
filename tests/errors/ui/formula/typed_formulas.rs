//! Each line is a formula with one mistake, and what it is when the help has been typed.
use nn_runtime::prelude::*;

activation! { pub n1(x) = x ** 3.0 } // mended: pub n1(x) = powi(x, 3)
activation! { pub n2(x) = 2x } // mended: pub n2(x) = 2.0 * x
activation! { pub n3(x) = x.pow(2) } // mended: pub n3(x) = powi(x, 2)
activation! { pub n4(x) = np.exp(x) } // mended: pub n4(x) = exp(x)
activation! { pub n5(x) = x > 0.0 ? x : 0.0 } // mended: pub n5(x) = if x > 0.0 { x } else { 0.0 }
activation! { pub n6(x) = x if x > 0.0 else 0.0 } // mended: pub n6(x) = if x > 0.0 { x } else { 0.0 }
activation! { pub n7(x) = if x > 0.0 { x } elif x < -1.0 { -1.0 } else { 0.0 } } // mended: pub n7(x) = if x > 0.0 { x } else if x < -1.0 { -1.0 } else { 0.0 }
activation! { pub n8(x) = if x = 0.0 { 1.0 } else { x } } // mended: pub n8(x) = if x == 0.0 { 1.0 } else { x }
activation! { pub n9(x) = if 0.0 < x < 1.0 { 1.0 } else { x } } // mended: pub n9(x) = if 0.0 < x && x < 1.0 { 1.0 } else { x }
activation! { pub n10(x) = |x| } // mended: pub n10(x) = abs(x)
activation! { pub n11(x; mode = "tanh") = x } // mended: pub n11(x; mode = 1.0) = mode * x
activation! { pub n12(x; b = 1.0) where 0.0 < b < 2.0 = b * x } // mended: pub n12(x; b = 1.0) where b > 0.0, b < 2.0 = b * x
activation! { pub n13(x) = x / 0.0 } // mended: pub n13(x) = x / 2.0
activation! { pub n14(x) = x * ln(-1.0) } // mended: pub n14(x) = x * ln(2.0)
activation! { pub n15(x: f32) = x * x } // mended: pub n15(x) = x * x
activation! { pub n16(in) = in * 2.0 } // mended: pub n16(in_) = in_ * 2.0
activation! { pub n17(x; b = 1.0, b = 2.0) = b * x } // mended: pub n17(x; b = 1.0, b_b = 2.0) = b * b_b * x
activation! { pub n18(x) = log(x) } // mended: pub n18(x) = ln(x)
activation! { pub n19(x) = 1 / (1 + exp(-x)) } // mended: pub n19(x) = 1.0 / (1.0 + exp(-x))
activation! { pub n20(x) = { let mut y = x; y = y * 2.0; y } } // mended: pub n20(x) = { let y = x; let z = y * 2.0; z }
activation! { pub n21(x) = where(x > 0.0, x, 0.0) } // mended: pub n21(x) = if x > 0.0 { x } else { 0.0 }
activation! { pub n22(x) = let y = x * 2.0; y } // mended: pub n22(x) = { let y = x * 2.0; y }
activation! { pub n23(x: f32) -> f32 = x * 2.0 } // mended: pub n23(x) = x * 2.0

fn main() {}
