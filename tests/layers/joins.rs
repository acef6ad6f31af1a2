//! `Sum`, `Product` and `Concat`: any number of inputs.

use nn_runtime::layers::{Concat, Product, Sum};
use nn_runtime::{Isa, Layer, Probe, Rule, Shape};
use nn_tests::fixtures::load;
use nn_tests::numbers::{assert_near, numbers, wide};

use crate::harness::BATCHES;
use crate::ports::against_case;

/// The same layer at every number of inputs that the fixtures have.
macro_rules! against_pytorch {
    ($file:literal, $layer:ident, $make:expr) => {
        for case in load($file) {
            let layer = $make(&case);
            match case.inputs.len() {
                2 => against_case::<2, 1, _>(&case, layer, $layer::rule),
                3 => against_case::<3, 1, _>(&case, layer, $layer::rule),
                4 => against_case::<4, 1, _>(&case, layer, $layer::rule),
                n => panic!("{}: {n} inputs", case.name),
            }
        }
    };
}

/// Three inputs of odd sizes and ragged batches, judged number by number by `f` and its slopes.
fn elementwise<L: Layer<3> + Copy>(
    layer: L,
    rule: impl Fn(&L, [Shape; 3]) -> Rule + Copy,
    f: impl Fn([f64; 3]) -> f64,
    slopes: impl Fn([f64; 3]) -> [f64; 3],
) {
    for shape in [Shape::of([1]), Shape::of([17]), Shape::of([3, 5, 7])] {
        for batch in BATCHES {
            let len = batch * shape.len();
            let [a, b, c, dy] = [1, 2, 3, 4].map(|seed| numbers(seed, len, 2.0));
            let at = |i: usize| [a[i], b[i], c[i]].map(f64::from);
            let y: Vec<f64> = (0..len).map(|i| f(at(i))).collect();
            for isa in Isa::available() {
                let probe = Probe::new(layer, rule, [shape; 3]).unwrap().isa(isa);
                assert_near(&probe.forward(batch, [&a, &b, &c])[0], &y, &format!("{shape} {batch} {}", isa.name()));
                let found = probe.gradients(batch, [&a, &b, &c], [&dy]);
                for k in 0..3 {
                    let dx: Vec<f64> = (0..len).map(|i| f64::from(dy[i]) * slopes(at(i))[k]).collect();
                    assert_near(&found.inputs[k], &dx, &format!("{shape} {batch} {}: dx{k}", isa.name()));
                }
                probe.check_contract(batch, [&a, &b, &c], [&dy]).unwrap();
            }
        }
    }
}

#[test]
fn sum() {
    against_pytorch!("images/sum", Sum, |_| Sum::new());
    elementwise(Sum::new(), Sum::rule, |[a, b, c]| a + b + c, |_| [1.0; 3]);
}

#[test]
fn product() {
    against_pytorch!("images/product", Product, |_| Product::new());
    elementwise(Product::new(), Product::rule, |[a, b, c]| a * b * c, |[a, b, c]| [b * c, a * c, a * b]);
}

#[test]
fn concat() {
    against_pytorch!("images/concat", Concat, |case: &nn_tests::fixtures::Case| {
        Concat::new().axis(case.number("axis") as usize)
    });
}

#[test]
fn concat_of_eight_along_the_middle() {
    let shapes: [Shape; 8] = std::array::from_fn(|k| Shape::of([3, k + 1, 5]));
    for isa in Isa::available() {
        for batch in BATCHES {
            let probe = Probe::new(Concat::new().axis(1), Concat::rule, shapes).unwrap().isa(isa);
            assert_eq!(probe.spec().output_shapes(), [Shape::of([3, 36, 5])]);
            let x: [Vec<f32>; 8] = std::array::from_fn(|k| numbers(k as u64, batch * shapes[k].len(), 1.0));
            let mut whole = Vec::new();
            for row in 0..batch * 3 {
                for (k, x) in x.iter().enumerate() {
                    let len = (k + 1) * 5;
                    whole.extend_from_slice(&x[row * len..(row + 1) * len]);
                }
            }
            let x = x.each_ref().map(|x| &x[..]);
            assert_near(&probe.forward(batch, x)[0], &wide(&whole), &"y");
            assert_eq!(probe.gradients(batch, x, [&whole]).inputs, x, "every gradient goes back where it came from");
            probe.check_contract(batch, x, [&whole]).unwrap();
        }
    }
}

fn says(rule: Rule, text: &str) {
    assert_eq!(rule.fault().expect("a fault").as_str(), text);
}

#[test]
fn unequal_shapes_are_refused() {
    let (image, small, wide) = (Shape::of([3, 8, 8]), Shape::of([3, 4, 8]), Shape::of([5, 8, 8]));
    says(
        Sum::new().rule([Shape::of([16]), Shape::of([16]), Shape::of([4])]),
        "expected inputs of one shape, found [16] and [4]\nhelp: end the way of input 3 in `Dense(16)`",
    );
    says(
        Sum::new().rule([image, wide]),
        "expected inputs of one shape, found [3, 8, 8] and [5, 8, 8]\nhelp: end the way of input 2 in `Conv2d(3, 1)`",
    );
    says(
        Product::new().rule([image, small]),
        "expected inputs of one shape, found [3, 8, 8] and [3, 4, 8]\n\
         help: end every way in [3, 8, 8]",
    );
    says(
        Sum::new().rule([image, Shape::of([6, 4, 4])]),
        "expected inputs of one shape, found [3, 8, 8] and [6, 4, 4]\n\
         help: end the way of input 1 in `Conv2d(6, 1, stride = 2)`",
    );
    says(
        Sum::new().rule([Shape::of([6, 3, 2]), Shape::of([3, 9, 5])]),
        "expected inputs of one shape, found [6, 3, 2] and [3, 9, 5]\n\
         help: end the way of input 2 in `Conv2d(6, 1, stride = 3)`",
    );
    says(
        Product::new().rule([image, Shape::of([3])]),
        "expected inputs of one shape, found [3, 8, 8] and [3]\n\
         help: end the way of input 2 in `Reshape([3, 1, 1]) -> Upsample(8)`",
    );
    says(
        Product::new().rule([Shape::of([3]), small]),
        "expected inputs of one shape, found [3] and [3, 4, 8]\n\
         help: end the way of input 1 in `Reshape([3, 1, 1]) -> Upsample(4, scale_hw = [4, 8])`",
    );
    says(
        Concat::new().rule([image, small]),
        "expected inputs that differ in axis 0 alone, found [3, 8, 8] and [3, 4, 8]\n\
         help: join them by `Concat(axis = 1)`, or make axis 1 equal",
    );
    says(
        Concat::new().rule([image, Shape::of([5, 4, 2])]),
        "expected inputs that differ in axis 0 alone, found [3, 8, 8] and [5, 4, 2]\n\
         help: make their heights and widths equal, as `padding = Same` does, or put `Flatten` before it on every way",
    );
    says(
        Concat::new().rule([Shape::of([3]), image]),
        "expected inputs that differ in axis 0 alone, found [3] and [3, 8, 8]\nhelp: put `Flatten` before it on every way",
    );
}

#[test]
fn one_input_and_other_axes_are_refused() {
    let x = Shape::of([3, 4]);
    for (rule, name) in
        [(Sum::new().rule([x]), "Sum"), (Product::new().rule([x]), "Product"), (Concat::new().rule([x]), "Concat")]
    {
        says(
            rule,
            &format!(
                "expected 2 inputs or more, found 1\nhelp: write the values in brackets, such as `(a, b) -> {name}`"
            ),
        );
    }
    says(
        Concat::new().axis(2).rule([x, x]),
        "expected an axis below 2, the dimensions of [3, 4], found 2\n\
         help: use `axis = 1` or less; axes are counted from 0, without the batch",
    );
    let text = Concat::new().rule([Shape::of([usize::MAX]); 2]).fault().unwrap();
    assert!(text.as_str().starts_with("expected sizes that fit into memory"), "{text:?}");
}
