//! What is minimised: one loss on one output, or a tuple of losses on several. In: the outputs of a batch and a stretch of the
//! targets; out: the sum of the samples' losses and its gradients. It knows no network and no loss by name.

use std::ops::Range;

use crate::Isa;
use crate::data::{OneTarget, Targets};
use crate::losses::LossOn;

/// The samples of a batch, as a loss sees them: their place among the targets, and the outputs with their widths.
pub struct Answers<'a> {
    pub(crate) isa: Isa,
    /// Where the batch lies among the targets.
    pub(crate) samples: Range<usize>,
    /// Numbers per sample of each output.
    pub(crate) widths: [usize; crate::MAX_OUTPUTS],
    pub(crate) y: [&'a [f32]; crate::MAX_OUTPUTS],
}

/// A loss for all outputs of a network: a loss, or a tuple of losses in the order of the outputs, whose sum is minimised.
pub trait Objective<T: Targets> {
    /// Which outputs the losses want as scores (logits), one bit each.
    #[doc(hidden)]
    fn logits(&self) -> u8;
    #[doc(hidden)]
    fn gradient(&self, answers: &Answers, targets: &T, scale: f32, dy: &mut [&mut [f32]]) -> f64;
    #[doc(hidden)]
    fn value(&self, answers: &Answers, targets: &T) -> f64;
    #[doc(hidden)]
    fn fault(&self, widths: &[usize], targets: &T) -> Option<(usize, String)>;
    /// Of the first loss that tells right from wrong.
    #[doc(hidden)]
    fn correct(&self, answers: &Answers, targets: &T) -> Option<usize>;
}

/// The targets of a batch for one output.
fn part<'t, T: OneTarget>(answers: &Answers, targets: &'t T) -> &'t [T::Item] {
    let width = targets.width();
    &targets.as_slice()[answers.samples.start * width..answers.samples.end * width]
}

impl<T: OneTarget, L: LossOn<[T::Item]>> Objective<T> for L {
    fn logits(&self) -> u8 {
        u8::from(L::LOGITS)
    }

    fn gradient(&self, answers: &Answers, targets: &T, scale: f32, dy: &mut [&mut [f32]]) -> f64 {
        LossOn::gradient(self, answers.isa, answers.widths[0], answers.y[0], part(answers, targets), scale, dy[0])
    }

    fn value(&self, answers: &Answers, targets: &T) -> f64 {
        LossOn::value(self, answers.isa, answers.widths[0], answers.y[0], part(answers, targets))
    }

    fn fault(&self, widths: &[usize], targets: &T) -> Option<(usize, String)> {
        LossOn::fault(self, widths[0], targets.as_slice(), targets.len())
    }

    fn correct(&self, answers: &Answers, targets: &T) -> Option<usize> {
        LossOn::correct(self, answers.widths[0], answers.y[0], part(answers, targets))
    }
}

macro_rules! several {
    ($($loss:ident $target:ident $i:tt),*) => {
        impl<$($target: OneTarget, $loss: LossOn<[$target::Item]>),*> Objective<($($target,)*)> for ($($loss,)*) {
            fn logits(&self) -> u8 {
                0 $(| (u8::from($loss::LOGITS) << $i))*
            }

            fn gradient(&self, answers: &Answers, targets: &($($target,)*), scale: f32, dy: &mut [&mut [f32]]) -> f64 {
                let Answers { isa, widths, y, .. } = answers;
                0.0 $(+ self.$i.gradient(*isa, widths[$i], y[$i], part(answers, &targets.$i), scale, dy[$i]))*
            }

            fn value(&self, answers: &Answers, targets: &($($target,)*)) -> f64 {
                let Answers { isa, widths, y, .. } = answers;
                0.0 $(+ self.$i.value(*isa, widths[$i], y[$i], part(answers, &targets.$i)))*
            }

            fn fault(&self, widths: &[usize], targets: &($($target,)*)) -> Option<(usize, String)> {
                $(
                    if let Some((sample, fault)) = self.$i.fault(widths[$i], targets.$i.as_slice(), targets.$i.len()) {
                        return Some((sample, format!("output {}: {fault}", $i)));
                    }
                )*
                None
            }

            fn correct(&self, answers: &Answers, targets: &($($target,)*)) -> Option<usize> {
                let Answers { widths, y, .. } = answers;
                None $(.or_else(|| self.$i.correct(widths[$i], y[$i], part(answers, &targets.$i))))*
            }
        }
    };
}
several!(A S 0, B T 1);
several!(A S 0, B T 1, C U 2);
several!(A S 0, B T 1, C U 2, D V 3);
