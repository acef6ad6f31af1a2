//! `Prelu`: one slope, or one per channel.

use nn_runtime::Shape;
use nn_runtime::layers::Prelu;

use crate::harness::{against_formula, against_pytorch, takes_any_number};

#[test]
fn prelu() {
    // A single slope per sample of one channel is both.
    against_pytorch(
        "images/prelu",
        |case| Prelu::new().per_channel(case.number("slopes") > 1.0).axis(0),
        Prelu::rule,
        &["weight"],
    );
    for shape in [Shape::of([1]), Shape::of([37]), Shape::of([3, 5, 7]), Shape::of([18, 3])] {
        let bent = |x: f64, slope: f64| if x > 0.0 { x } else { slope * x };
        against_formula(Prelu::new(), Prelu::rule, shape, 2.0, |x, params| {
            x.iter().map(|&x| bent(x, params[0][0])).collect()
        });
        let inner = shape.len() / shape.dim(0);
        against_formula(Prelu::new().per_channel(true).axis(0), Prelu::rule, shape, 2.0, |x, params| {
            x.iter().enumerate().map(|(i, &x)| bent(x, params[0][i / inner])).collect()
        });
        if shape.rank() == 2 {
            against_formula(Prelu::new().per_channel(true), Prelu::rule, shape, 2.0, |x, params| {
                x.iter().enumerate().map(|(i, &x)| bent(x, params[0][i % shape.dim(1)])).collect()
            });
        }
    }
    takes_any_number(Prelu::new(), Prelu::rule);
    takes_any_number(Prelu::new().per_channel(true), Prelu::rule);
}
