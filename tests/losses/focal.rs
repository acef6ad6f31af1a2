//! `Focal`: against PyTorch and its formula, for several gammas.

use nn_runtime::losses::{Focal, LossOn};
use nn_tests::fixtures::load;
use nn_tests::numbers::{numbers, slopes, wide};

use crate::harness::{BATCHES, WIDTHS, compare, labels};

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
#[should_panic(expected = "expected a finite gamma of at least 0, found -1")]
fn it_needs_a_gamma() {
    let _ = Focal::new().gamma(-1.0);
}
