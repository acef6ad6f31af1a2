//! Settings that optimisers share: their builder methods, and the checks of their ranges.
//! In: the settings an optimiser has; out: its methods, named as in PyTorch. No formula is here.

use crate::text::{String, format};

/// The builder methods of these settings, each a field of `$optimizer`.
macro_rules! settings {
    ($optimizer:ident: $($setting:ident),+) => {
        impl $optimizer {
            $($crate::optim::settings::setting!($setting);)+
        }
    };
}

/// The builder method of one setting.
macro_rules! setting {
    (betas) => {
        /// What is left of the mean gradient and of the mean square from step to step: from 0 up to but
        /// without 1.
        pub const fn betas(mut self, first: f64, second: f64) -> Self {
            self.betas = (first, second);
            self
        }
    };
    (eps) => {
        /// What is added to the root, so that nothing is divided by 0.
        pub const fn eps(mut self, eps: f64) -> Self {
            self.eps = eps;
            self
        }
    };
    (amsgrad) => {
        /// Whether the largest mean square so far is divided by, not the recent one: one more slot.
        pub const fn amsgrad(mut self, amsgrad: bool) -> Self {
            self.amsgrad = amsgrad;
            self
        }
    };
    (momentum) => {
        /// What is left of the velocity from step to step: from 0 up to but without 1.
        pub const fn momentum(mut self, momentum: f64) -> Self {
            self.momentum = momentum;
            self
        }
    };
    (weight_decay) => {
        /// How strongly parameters are drawn to 0; the formula says in which way.
        pub const fn weight_decay(mut self, weight_decay: f64) -> Self {
            self.weight_decay = weight_decay;
            self
        }
    };
}

/// The methods of [`Optimizer`](super::Optimizer) that read and change what is kept of the steps before: the
/// first of two betas, or a momentum, where it is not 0.
macro_rules! momentum_setting {
    (betas) => {
        fn momentum_setting(&self) -> Option<f64> {
            Some(self.betas.0)
        }

        fn set_momentum(&mut self, momentum: f64) {
            self.betas.0 = momentum;
        }
    };
    (momentum) => {
        fn momentum_setting(&self) -> Option<f64> {
            Some(self.momentum).filter(|momentum| *momentum != 0.0)
        }

        fn set_momentum(&mut self, momentum: f64) {
            self.momentum = momentum;
        }
    };
}

/// The methods of [`Optimizer`](super::Optimizer) that read and change the field `learning_rate`, and that
/// tell all settings.
macro_rules! learning_rate {
    () => {
        fn learning_rate(&self) -> f64 {
            self.learning_rate
        }

        fn set_learning_rate(&mut self, learning_rate: f64) {
            self.learning_rate = learning_rate;
        }

        fn settings(&self) -> crate::text::String {
            crate::text::format!("{self:?}")
        }
    };
}

pub(super) use {learning_rate, momentum_setting, setting, settings};

/// Learning rates, epsilons, decays: finite, and not below 0.
pub(super) fn not_negative(name: &str, value: f64) -> Result<(), String> {
    match value >= 0.0 && value.is_finite() {
        true => Ok(()),
        false => {
            Err(format!("expected {name} of at least 0, found {value}\nhelp: use a finite number that is not negative"))
        }
    }
}

/// Several of them: names and values.
pub(super) fn none_negative(settings: &[(&str, f64)]) -> Result<(), String> {
    settings.iter().try_for_each(|&(name, value)| not_negative(name, value))
}

/// What is left of the past in each step: with 1 nothing would ever be forgotten.
pub(super) fn below_one(name: &str, value: f64, usual: f64) -> Result<(), String> {
    match (0.0..1.0).contains(&value) {
        true => Ok(()),
        false => Err(format!("expected {name} from 0 up to but without 1, found {value}\nhelp: {usual} is usual")),
    }
}

/// What is divided by must not become 0, nor so small that what is estimated of it is infinite.
pub(super) fn above_zero(name: &str, value: f64, usual: f64) -> Result<(), String> {
    let normal = value as f32 >= f32::MIN_POSITIVE && value.is_finite();
    let expected = match value > 0.0 && value < 1.0 {
        _ if normal => return Ok(()),
        true => "of at least 1.2e-38, the least that 32 bits hold in full",
        false => "above 0",
    };
    let found = if value == 0.0 { "0".into() } else { format!("{value:?}") };
    Err(format!("expected {name} {expected}, found {found}\nhelp: {usual:e} is usual"))
}

/// Both betas, beside what is usual.
pub(super) fn betas_below_one(betas: (f64, f64), usual: (f64, f64)) -> Result<(), String> {
    below_one("a first beta", betas.0, usual.0)?;
    below_one("a second beta", betas.1, usual.1)
}
