//! Settings of optimisers: defaults, rates that change, and what is refused.

use nn_runtime::Isa;
use nn_runtime::optim::{
    Adadelta, Adagrad, Adam, AdamW, Adamax, Lamb, Lion, Muon, Nadam, Optimizer, RAdam, RmsProp, Sgd,
};

use crate::{state, update};

/// The defaults are PyTorch's: the plain case of each file is made of its own.
#[test]
fn defaults_are_pytorchs() {
    assert_eq!(Sgd::new(0.1), Sgd::new(0.1).momentum(0.0).nesterov(false).dampening(0.0).weight_decay(0.0));
    assert_eq!(
        RmsProp::new(0.1),
        RmsProp::new(0.1).alpha(0.99).eps(1e-8).momentum(0.0).centered(false).weight_decay(0.0)
    );
    assert_eq!(Adagrad::new(0.1), Adagrad::new(0.1).eps(1e-10).rate_decay(0.0).initial(0.0));
    let (adam, adamw) = (Adam::new(0.1).weight_decay(0.0), AdamW::new(0.1).weight_decay(0.01));
    assert_eq!(Adam::new(0.1), adam.betas(0.9, 0.999).eps(1e-8).amsgrad(false));
    assert_eq!(AdamW::new(0.1), adamw.betas(0.9, 0.999).eps(1e-8).amsgrad(false));
    assert_eq!(RAdam::new(0.1), RAdam::new(0.1).betas(0.9, 0.999).eps(1e-8).weight_decay(0.0));
    assert_eq!(Adamax::new(0.1), Adamax::new(0.1).betas(0.9, 0.999).eps(1e-8).weight_decay(0.0));
    assert_eq!(Adadelta::new(0.1), Adadelta::new(0.1).rho(0.9).eps(1e-6).weight_decay(0.0));
    let nadam = Nadam::new(0.1).betas(0.9, 0.999).eps(1e-8).weight_decay(0.0);
    assert_eq!(Nadam::new(0.1), nadam.momentum_decay(4e-3));
    let muon = Muon::new(0.1, AdamW::new(0.2)).momentum(0.95).nesterov(true).weight_decay(0.1).match_rms(false);
    assert_eq!(Muon::new(0.1, AdamW::new(0.2)), muon.newton_schulz((3.4445, -4.775, 2.0315), 5).eps(1e-7));
}

#[test]
fn a_changed_rate_is_used() {
    fn check(mut optimizer: impl Optimizer) {
        assert_eq!(optimizer.learning_rate(), 0.5);
        optimizer.set_learning_rate(0.0);
        assert_eq!(optimizer.learning_rate(), 0.0);
        let mut params = [1.0; 3];
        let mut state = state(&optimizer, 3);
        update(&optimizer, Isa::detect(), 1, &mut params, &[1.0, 2.0, 3.0], &mut state);
        assert_eq!(params, [1.0; 3]);
    }
    check(Sgd::new(0.5));
    check(RmsProp::new(0.5));
    check(RmsProp::new(0.5).centered(true).momentum(0.5));
    check(Adagrad::new(0.5));
    check(Adam::new(0.5));
    check(Adam::new(0.5).amsgrad(true));
    check(RAdam::new(0.5));
    check(Adamax::new(0.5));
    check(Adadelta::new(0.5));
    check(AdamW::new(0.5));
    check(Nadam::new(0.5));
    check(Lion::new(0.5));
    check(Lamb::new(0.5));
    check(Muon::new(0.5, AdamW::new(0.5)));
}

#[test]
fn adagrad_begins_where_asked() {
    let optimizer = Adagrad::new(1.0).initial(9.0);
    let (mut params, mut state) = ([0.0], state(&optimizer, 1));
    update(&optimizer, Isa::detect(), 1, &mut params, &[4.0], &mut state);
    assert_eq!((params, &state[0][..]), ([-0.8], &[25.0][..]));
}

#[test]
fn settings_out_of_range_are_refused() {
    let refused = |optimizer: &dyn Fn() -> Result<(), String>| optimizer().unwrap_err();
    assert_eq!(
        refused(&|| Sgd::new(-0.1).check()),
        "expected a learning rate of at least 0, found -0.1\nhelp: use a finite number that is not negative"
    );
    assert_eq!(
        refused(&|| Sgd::new(0.1).nesterov(true).check()),
        "expected a momentum above 0 with `nesterov`, found 0\nhelp: add `.momentum(0.9)`"
    );
    assert_eq!(
        refused(&|| Adam::new(0.1).betas(0.9, 1.0).check()),
        "expected a second beta from 0 up to but without 1, found 1\nhelp: 0.999 is usual"
    );
    assert_eq!(
        refused(&|| Sgd::new(0.1).dampening(0.5).check()),
        "expected a momentum above 0 with `dampening`, found 0\nhelp: add `.momentum(0.9)`"
    );
    assert_eq!(
        refused(&|| Sgd::new(0.1).momentum(0.9).nesterov(true).dampening(0.5).check()),
        "expected a dampening of 0 with `nesterov`, found 0.5\nhelp: leave one of the two out"
    );
    assert_eq!(
        refused(&|| Adadelta::new(1.0).eps(0.0).check()),
        "expected an eps above 0, found 0\nhelp: 1e-6 is usual"
    );
    for eps in [1e-50, 1e-42] {
        let found = refused(&|| Adadelta::new(1.0).eps(eps).check());
        assert!(found.contains("an eps of at least 1.2e-38") && found.contains(&format!("found {eps:?}")), "{found}");
        assert!(refused(&|| Adamax::new(1.0).eps(eps).check()).contains("an eps of at least 1.2e-38"));
    }
    assert!(refused(&|| Adadelta::new(1.0).rho(1.0).check()).contains("a rho from 0"));
    assert!(refused(&|| Adamax::new(1.0).eps(0.0).check()).contains("an eps above 0"));
    assert!(refused(&|| RAdam::new(1.0).betas(1.0, 0.9).check()).contains("a first beta"));
    assert!(refused(&|| Sgd::new(0.1).momentum(0.9).dampening(1.5).check()).contains("a dampening from 0 to 1"));
    assert!(refused(&|| Sgd::new(0.1).momentum(1.0).check()).contains("a momentum from 0"));
    assert!(refused(&|| RmsProp::new(0.1).alpha(-0.5).check()).contains("an alpha from 0"));
    assert!(refused(&|| RmsProp::new(f64::NAN).check()).contains("a learning rate of at least 0, found NaN"));
    assert!(refused(&|| Adagrad::new(0.1).eps(-1.0).check()).contains("an eps of at least 0"));
    assert!(refused(&|| Adagrad::new(0.1).initial(f32::INFINITY).check()).contains("found inf"));
    assert!(refused(&|| AdamW::new(0.1).weight_decay(-1.0).check()).contains("a weight decay of at least 0"));
    assert!(refused(&|| AdamW::new(0.1).betas(1.5, 0.9).check()).contains("a first beta"));
    assert!(refused(&|| Nadam::new(0.1).momentum_decay(-1.0).check()).contains("a momentum decay of at least 0"));
    assert!(refused(&|| Lion::new(0.1).betas(0.9, 1.0).check()).contains("a second beta"));
    assert!(refused(&|| Lamb::new(0.1).eps(f64::NAN).check()).contains("an eps of at least 0, found NaN"));
    assert!(refused(&|| Muon::new(0.1, AdamW::new(-1.0)).check()).contains("a learning rate of at least 0, found -1"));
    assert!(refused(&|| Muon::new(0.1, AdamW::new(1.0)).momentum(1.0).check()).contains("0.95 is usual"));
    assert!(refused(&|| Muon::new(0.0, AdamW::new(1.0)).check()).contains("a learning rate above 0 for `Muon`"));
}
