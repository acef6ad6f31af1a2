//! The losses beyond differences and cross-entropies: against PyTorch and against their formulas, on every instruction set.

use nn_runtime::Isa;
use nn_runtime::losses::{BinaryFocal, CosineSimilarity, CrossEntropy, Focal, Hinge, KlDivergence, LossOn, Poisson};
use nn_tests::fixtures::{Case, load};
use nn_tests::numbers::{numbers, slopes, wide};

use super::{BATCHES, WIDTHS, against_formula, against_pytorch, compare, mean, shares};

fn signs(seed: u64, len: usize) -> Vec<f32> {
    numbers(seed, len, 1.0).iter().map(|x| x.signum()).collect()
}

fn bits(seed: u64, len: usize) -> Vec<f32> {
    numbers(seed, len, 1.0).iter().map(|&x| f32::from(u8::from(x > 0.0))).collect()
}

fn counts(seed: u64, len: usize) -> Vec<f32> {
    numbers(seed, len, 5.0).iter().map(|x| x.abs().floor()).collect()
}

fn values(seed: u64, len: usize) -> Vec<f32> {
    numbers(seed, len, 3.0)
}

/// Labels of a case, as PyTorch wrote them.
fn labels(case: &Case) -> Vec<u32> {
    case.inputs[1].data.iter().map(|&label| label as u32).collect()
}

#[test]
fn hinge() {
    let loss = |squared: bool| if squared { Hinge::squared() } else { Hinge::new() };
    against_pytorch("hinge", |case| Some(loss(case.number("squared") > 0.0)), 10);
    for squared in [false, true] {
        against_formula("hinge", &loss(squared), &WIDTHS, signs, |y, t| {
            mean(y, t, |y, t| (1.0 - t * y).max(0.0).powi(if squared { 2 } else { 1 }))
        });
    }
    let (y, t) = ([1.0, -2.0, 0.5, 0.0], [1.0, -1.0, -1.0, 1.0]);
    let mut dy = [f32::NAN; 4];
    Hinge::new().gradient(Isa::detect(), 1, &y, &t[..], 1.0, &mut dy);
    assert_eq!(dy, [0.0, 0.0, 1.0, -1.0], "at the bend the slope is 0");
    assert_eq!(Hinge::new().correct(1, &y, &t[..]), Some(2), "0 is on neither side");
    assert_eq!(Hinge::new().correct(2, &y, &t[..]), Some(1), "all of a row");
    assert_eq!(Hinge::new().fault(1, &[1.0, 0.0][..], 2), Some((1, "expected targets of -1 or 1, found 0".to_owned())));
}

#[test]
fn poisson() {
    against_pytorch("poisson", |case| Some(Poisson::new().log_input(case.number("log_input") > 0.0)), 8);
    against_formula("poisson", &Poisson::new(), &WIDTHS, counts, |y, t| mean(y, t, |y, t| y.exp() - t * y));
    let target = [0.0, 2.0];
    let mut dy = [f32::NAN; 2];
    let loss = Poisson::new().log_input(false).gradient(Isa::detect(), 2, &[0.0, 1.0], &target[..], 1.0, &mut dy);
    assert_eq!((loss, dy), (0.5, [0.5, -0.5]), "a rate of 0 that nothing was counted at");
    assert_eq!(
        Poisson::new().fault(1, &[1.0, -1.0][..], 2),
        Some((1, "expected finite targets of at least 0, found -1".to_owned()))
    );
}

#[test]
fn binary_focal() {
    let loss = |gamma: f64, alpha: f64| BinaryFocal::new().gamma(gamma as f32).alpha(alpha as f32);
    against_pytorch("binary_focal", |case| Some(loss(case.number("gamma"), case.number("alpha"))), 10);
    for (gamma, alpha) in [(0.0, 0.5), (1.5, 0.25), (2.0, 0.75)] {
        against_formula("binary focal", &loss(gamma, alpha), &WIDTHS, bits, |z, t| {
            mean(z, t, |z, t| {
                let p = 1.0 / (1.0 + (-z).exp());
                let (p, alpha) = if t > 0.5 { (p, alpha) } else { (1.0 - p, 1.0 - alpha) };
                -alpha * (1.0 - p).powf(gamma) * p.ln()
            })
        });
    }
    assert_eq!(BinaryFocal::new().correct(1, &[-1.0, 2.0, 3.0], &[0.0, 1.0, 0.0][..]), Some(2));
    assert_eq!(
        BinaryFocal::new().fault(1, &[0.5][..], 1),
        Some((0, "expected targets of 0 or 1, found 0.5".to_owned()))
    );
}

#[test]
fn focal() {
    let mut cases = 0;
    for case in load("focal") {
        let loss = Focal::new().gamma(case.number("gamma") as f32);
        let answer = (case.output.as_ref().unwrap().data[0], &case.dinputs[0].data[..]);
        compare(&case.name, &loss, (case.inputs[0].shape[1], 1), &case.inputs[0].narrow(), &labels(&case), answer);
        cases += 1;
    }
    assert!(cases >= 14, "{cases} cases");
    for gamma in [0.0, 0.5, 2.0, 5.0] {
        let loss = Focal::new().gamma(gamma as f32);
        for &width in &WIDTHS[1..] {
            for batch in BATCHES {
                let z = numbers(batch as u64, batch * width, 4.0);
                let labels: Vec<u32> = (0..batch).map(|i| (i * 7 % width) as u32).collect();
                let mean = |z: &[f64]| {
                    let rows = z.chunks(width).zip(&labels).map(|(z, &label)| {
                        let p = z[label as usize].exp() / z.iter().map(|z| z.exp()).sum::<f64>();
                        -(1.0 - p).powf(gamma) * p.ln()
                    });
                    rows.sum::<f64>() / batch as f64
                };
                let z64 = wide(&z);
                compare("focal", &loss, (width, 1), &z, &labels, (mean(&z64), &slopes(&z64, mean)));
            }
        }
    }
    let labels: &[u32] = &[0, 2];
    assert_eq!(Focal::new().correct(3, &[0.3, 0.2, 0.1, 0.3, 0.2, 0.1], labels), Some(1));
    assert_eq!(Focal::new().fault(2, labels, 2), Some((1, "expected a label from 0 to 1, found 2".to_owned())));
}

#[test]
fn kl_divergence() {
    let loss = KlDivergence::new();
    against_pytorch("kl_divergence", |_| Some(loss), 7);
    against_formula("kl divergence", &loss, &WIDTHS[1..], shares, |z, t| {
        let log_sum = z.iter().map(|z| z.exp()).sum::<f64>().ln();
        z.iter().zip(t).map(|(z, &t)| t * (t.ln() - z + log_sum)).sum()
    });
    let (z, t) = ([0.5, 0.1, -2.0, 90.0], [0.25, 0.75, 1.0, 0.0]);
    for isa in Isa::available() {
        // But for the entropy of the targets it is the cross-entropy.
        let (mut kl, mut ce) = ([0.0; 4], [0.0; 4]);
        loss.gradient(isa, 2, &z, &t[..], 0.5, &mut kl);
        CrossEntropy::new().gradient(isa, 2, &z, &t[..], 0.5, &mut ce);
        assert_eq!(kl, ce);
    }
    assert_eq!(loss.correct(2, &z, &t[..]), Some(0));
    assert_eq!(
        loss.fault(2, &[0.5, -0.5][..], 1),
        Some((0, "expected finite shares of at least 0, found -0.5".to_owned()))
    );
}

#[test]
fn cosine_similarity() {
    let loss = CosineSimilarity::new();
    against_pytorch("cosine_similarity", |_| Some(loss), 7);
    against_formula("cosine similarity", &loss, &WIDTHS[1..], values, |y, t| {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        1.0 - dot(y, t) / (dot(y, y) * dot(t, t)).sqrt()
    });
    for isa in Isa::available() {
        // Neither a row of zeros nor long rows give anything that is no number.
        let (y, t) = ([0.0, 0.0, 3e15, 4e15], [1.0, 1.0, 3e15, 4e15]);
        let mut dy = [f32::NAN; 4];
        let sum = loss.gradient(isa, 2, &y, &t[..], 1.0, &mut dy);
        assert!((sum - 1.0).abs() < 1e-6, "{}: {sum}", isa.name());
        assert!(dy.iter().all(|dy| dy.is_finite()) && dy[2].abs() < 1e-15, "{}: {dy:?}", isa.name());
    }
    let fault = loss.fault(1, &[1.0][..], 1).unwrap();
    assert!(fault.1.starts_with("expected rows of at least 2 numbers, found 1\nhelp: "));
    assert_eq!(loss.correct(2, &[1.0, 1.0], &[1.0, 1.0][..]), None);
}

/// One row without a number among others: it shows in the sum and in its own gradient, and nowhere else.
#[test]
fn nan_stays_in_its_row() {
    fn check<T>(loss: &impl LossOn<[T]>, target: &[T]) {
        for isa in Isa::available() {
            let mut y = vec![0.5; 7 * 19];
            y[6 * 19 + 17] = f32::NAN;
            let mut dy = vec![0.0; 7 * 19];
            assert!(loss.gradient(isa, 19, &y, target, 1.0, &mut dy).is_nan(), "{}", isa.name());
            assert!(loss.value(isa, 19, &y, target).is_nan(), "{}", isa.name());
            assert!(dy[..6 * 19].iter().all(|dy| dy.is_finite()), "{}: other rows", isa.name());
            assert!(dy[6 * 19 + 17].is_nan(), "{}: its own", isa.name());
        }
    }
    let ones = [1.0f32; 7 * 19];
    check(&Hinge::new(), &ones[..]);
    check(&Hinge::squared(), &ones[..]);
    check(&Poisson::new(), &ones[..]);
    check(&Poisson::new().log_input(false), &ones[..]);
    check(&BinaryFocal::new(), &ones[..]);
    check(&KlDivergence::new(), &ones[..]);
    check(&CosineSimilarity::new(), &ones[..]);
    check(&Focal::new(), &[3u32; 7][..]);
}

#[test]
#[should_panic(expected = "expected a finite gamma of at least 0, found -1")]
fn focal_needs_a_gamma() {
    let _ = Focal::new().gamma(-1.0);
}

#[test]
#[should_panic(expected = "expected an alpha from 0 to 1, found 1.5")]
fn binary_focal_needs_an_alpha() {
    let _ = BinaryFocal::new().alpha(1.5);
}
