//! Sums over so many positions that one chain of additions would be wrong by 3e-3.

use std::vec;

use super::{Conv, backward_bias, backward_weight};
use crate::simd::Isa;

#[test]
fn gradients_over_long_inputs_are_exact() {
    let long = if cfg!(miri) { 5_000 } else { 480_000 };
    let side = if cfg!(miri) { 80 } else { 700 };
    for c in [
        Conv { channels_last: true, ..Conv::new([1, 1, long], 1, [1, 1]) },
        Conv { channels_last: true, ..Conv::new([2, 1, long], 17, [1, 2]) },
        Conv::new([1, side, side], 5, [1, 1]),
        Conv::new([1, side, side], 1, [2, 2]),
        Conv::new([1, 100 * side, 7], 2, [1, 1]),
    ] {
        let (x, dy) = (vec![0.1; c.x_len()], vec![0.1; c.y_len()]);
        let positions = (c.y_len() / c.filters) as f64;
        for isa in Isa::available() {
            let (mut dw, mut db) = (vec![0.0; c.panels().len()], vec![0.0; c.filters]);
            let (mut standard, mut scratch) = (vec![0.0; c.filters * c.rows()], vec![f32::NAN; c.scratch()]);
            backward_bias(isa, c, &dy, 0..c.filters, &mut db);
            backward_weight(isa, c, &x, &dy, 0..dw.len(), &mut dw, &mut scratch);
            c.panels().unpack(&dw, &mut standard);
            let tenth = f64::from(0.1_f32);
            for (found, expected) in [(&db, positions * tenth), (&standard, positions * tenth * tenth)] {
                for found in found {
                    let error = (f64::from(*found) - expected).abs() / expected;
                    assert!(error <= 1e-6, "{found} for {expected} on {}, {c:?}", isa.name());
                }
            }
        }
    }
}
