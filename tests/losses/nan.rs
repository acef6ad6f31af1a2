//! NaN and infinities in outputs: they show in the loss and in the gradient of their own row, and nowhere
//! else.

use nn_runtime::Isa;
use nn_runtime::losses::{
    BinaryCrossEntropy, BinaryFocal, CosineSimilarity, CrossEntropy, Ctc, ElementWeights, Focal, GaussianNll, Hinge,
    Huber, KlDivergence, LossOn, Mae, Mse, MultiResolutionStft, Poisson, Quantile, Triplet,
};

#[test]
fn what_is_not_finite_shows_and_nothing_panics() {
    fn check(loss: &impl LossOn<[f32]>) {
        for isa in Isa::available() {
            for bad in [f32::NAN, f32::INFINITY] {
                let mut y = vec![0.5; 21];
                y[19] = bad;
                let mut dy = vec![0.0; 21];
                let sum = loss.gradient(isa, 3, &y, &[0.5; 21], 1.0, &mut dy);
                assert!(!sum.is_finite(), "{}: {bad} gave {sum}", isa.name());
                assert!(dy[..18].iter().all(|dy| dy.is_finite()), "{}: {bad} reached other samples", isa.name());
                assert!(!bad.is_nan() || dy[19].is_nan(), "{}: NaN gave {}", isa.name(), dy[19]);
            }
        }
    }
    check(&Mse::new());
    check(&Mae::new());
    check(&Huber::new());
    check(&BinaryCrossEntropy::new());
    check(&CrossEntropy::new());
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
    check(&Quantile::new(0.9), &ones[..]);
    check(&BinaryCrossEntropy::new().pos_weight(3.0), &ones[..]);
    check(&Poisson::new().log_input(false), &ones[..]);
    check(&BinaryFocal::new(), &ones[..]);
    check(&KlDivergence::new(), &ones[..]);
    check(&CosineSimilarity::new(), &ones[..]);
    check(&ElementWeights::new(Mse::new()), &[1.0f32; 2 * 7 * 19][..]);
    check(&Focal::new(), &[3u32; 7][..]);
}

/// Three vectors a row.
#[test]
fn nan_shows_in_a_triplet() {
    let loss = Triplet::new().swap(true);
    let mut y = vec![0.5f32; 36];
    y[31] = f32::NAN;
    let mut dy = vec![0.0f32; 36];
    assert!(loss.gradient(Isa::detect(), 18, &y, &[0.0f32][..], 1.0, &mut dy).is_nan());
    assert!(dy[..18].iter().all(|dy| dy.is_finite()) && dy[31].is_nan());
}

/// A row of means and variances.
#[test]
fn nan_stays_in_its_row_of_means_and_variances() {
    for isa in Isa::available() {
        for at in [3 * 34 + 5, 3 * 34 + 30] {
            let mut y = vec![0.5; 5 * 34];
            y[at] = f32::NAN;
            let mut dy = vec![0.0; 5 * 34];
            assert!(GaussianNll::new().gradient(isa, 34, &y, &[1.0; 5 * 17][..], 1.0, &mut dy).is_nan());
            assert!(GaussianNll::new().value(isa, 34, &y, &[1.0; 5 * 17][..]).is_nan(), "{}", isa.name());
            assert!(dy[at].is_nan(), "{}: its own", isa.name());
            assert!(dy[..3 * 34].iter().chain(&dy[4 * 34..]).all(|dy| dy.is_finite()), "{}: others", isa.name());
        }
    }
}

/// A loss of whole samples: one step without a number, and nothing is known of the sample.
#[test]
fn nan_shows_in_the_loss_of_a_whole_sample() {
    let (steps, classes) = (7, 19);
    let labels = [3u32, 5];
    for isa in Isa::available() {
        let mut z = vec![0.5; steps * classes];
        z[6 * classes + 17] = f32::NAN;
        let mut dz = vec![0.0; steps * classes];
        assert!(Ctc::new().gradient(isa, classes, &z, &labels[..], 1.0, &mut dz).is_nan(), "{}", isa.name());
        assert!(Ctc::new().value(isa, classes, &z, &labels[..]).is_nan(), "{}", isa.name());
        assert!(dz[6 * classes + 17].is_nan(), "{}: its own gradient", isa.name());
    }
}

/// A number of a signal is one of all frames around it.
#[test]
fn nan_in_a_signal_shows() {
    let loss = MultiResolutionStft::new().resolutions(&[[8, 2, 8]]);
    for bad in [f32::NAN, f32::INFINITY] {
        let (mut y, mut dy) = (vec![0.5; 40], vec![0.0; 40]);
        y[7] = bad;
        assert!(!loss.gradient(Isa::detect(), 40, &y, &[0.25; 40][..], 1.0, &mut dy).is_finite());
        assert!(!loss.value(Isa::detect(), 40, &y, &[0.25; 40][..]).is_finite() && dy[7].is_nan());
    }
}
