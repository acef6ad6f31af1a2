//! What an editor shows of a declaration. In: a declaration's words as `network!` hands them on to
//! rust-analyzer alone, and the rules of its sites; out: the names it offers at each place, and what each
//! layer makes, as text. rustc reads nothing of it.

use crate::fault::Fault;
use crate::graph::{Rule, Site, outputs};
use crate::init::Init;
use crate::shape::Shape;
use crate::spec::LayerSpec;

/// What stands at step `STEP` of a declaration, counted from 1; the network itself at 0.
///
/// rust-analyzer shows the value of a constant to whoever rests on its name: every layer, label and name in a
/// declaration is also the name of a constant that is this text.
pub trait Shown<const STEP: usize> {
    /// What it makes.
    const MADE: Line;
}

const ROOM: usize = 160;

/// A short text put together at compile time. rust-analyzer's interpreter evaluates it while somebody waits,
/// and cannot follow the long ones that faults are made of.
pub struct Line {
    bytes: [u8; ROOM],
    len: usize,
}

impl Line {
    const fn new() -> Line {
        Line { bytes: [0; ROOM], len: 0 }
    }

    const fn push(&mut self, text: &str) {
        let text = text.as_bytes();
        let mut i = 0;
        while i < text.len() && self.len < ROOM {
            self.bytes[self.len] = text[i];
            self.len += 1;
            i += 1;
        }
    }

    /// "100480", or with commas "100,480".
    const fn push_number(&mut self, number: usize, commas: bool) {
        let mut size = 1;
        let mut digits = 1;
        while number / size >= 10 {
            size *= 10;
            digits += 1;
        }
        while digits > 0 {
            if self.len < ROOM {
                self.bytes[self.len] = b'0' + (number / size % 10) as u8;
                self.len += 1;
            }
            size = if size > 1 { size / 10 } else { 1 };
            digits -= 1;
            if commas && digits > 0 && digits % 3 == 0 {
                self.push(",");
            }
        }
    }

    /// `[8] and [4]`
    const fn push_shapes(&mut self, shapes: &[Shape]) {
        let mut i = 0;
        while i < shapes.len() {
            self.push(if i == 0 { "[" } else { " and [" });
            let mut k = 0;
            while k < shapes[i].rank() {
                if k > 0 {
                    self.push(", ");
                }
                self.push_number(shapes[i].dim(k), false);
                k += 1;
            }
            self.push("]");
            i += 1;
        }
    }

    const fn push_count(&mut self, count: usize) {
        match count {
            0 => self.push(", no parameters"),
            1 => self.push(", 1 parameter"),
            _ => {
                self.push(", ");
                self.push_number(count, true);
                self.push(" parameters");
            }
        }
    }

    /// To be read.
    pub const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}

/// `[128], 100,480 parameters`
pub const fn made(rule: &Rule) -> Line {
    let mut line = Line::new();
    match rule {
        Rule::Ok(spec) => {
            line.push_shapes(spec.output_shapes());
            line.push_count(count(spec));
        }
        Rule::Network(..) | Rule::Err(_) => line.push("nothing: it does not fit what arrives here"),
    }
    line
}

/// The rule of a network as a layer, for rust-analyzer, whose interpreter cannot follow a `CompiledNetwork`:
/// that of a layer with so many parameters.
pub const fn rule_of_network<const N: usize>(
    x: [Shape; N],
    inputs: &[Shape; N],
    makes: &[Shape],
    count: usize,
) -> Rule {
    let mut i = 0;
    while i < N {
        if !x[i].equals(&inputs[i]) {
            return Rule::Err(Fault::expected("an input of ").shape(inputs[i]).found(x[i]));
        }
        i += 1;
    }
    match count {
        0 => outputs(makes).ok(),
        _ => outputs(makes).param("", Shape::of([count]), Init::Zeros).ok(),
    }
}

/// The parameters of all sites with some of their own.
pub const fn count_all(sites: &[&Site]) -> usize {
    let mut sum = 0;
    let mut i = 0;
    while i < sites.len() {
        sum += count(&sites[i].spec);
        i += 1;
    }
    sum
}

/// `[784] -> [10], 101,770 parameters`
pub const fn made_by_network(inputs: &[Shape], outputs: &[Shape], count: usize) -> Line {
    let mut line = Line::new();
    line.push_shapes(inputs);
    line.push(" -> ");
    line.push_shapes(outputs);
    line.push_count(count);
    line
}

/// What is said while a declaration has mistakes.
pub const fn made_of_mistakes() -> Line {
    let mut line = Line::new();
    line.push("known once the declaration has no mistakes");
    line
}

const fn count(spec: &LayerSpec) -> usize {
    let params = spec.params.list();
    let mut sum = 0;
    let mut i = 0;
    while i < params.len() {
        sum += params[i].shape.len();
        i += 1;
    }
    sum * spec.times
}

/// What an editor offers under none of its names.
#[doc(hidden)]
pub struct NotOffered;

/// What the prelude brings for other places than a layer's, hidden there by names that no editor offers.
#[doc(hidden)]
#[macro_export]
macro_rules! __not_offered {
    () => {
        // Words of options.
        $crate::__not_offered! {
            Backward Bilinear Both Causal Constant Direction Forward GlorotNormal GlorotUniform HeNormal HeUniform
            LecunNormal LecunUniform Nearest Normal Orthogonal Pad Padding Same Uniform UpsampleMode Valid Zeros
        }
        // Losses and optimisers.
        $crate::__not_offered! {
            Adadelta Adagrad Adam AdamW Adamax AnyTakes BinaryCrossEntropy BinaryFocal CosineSimilarity CrossEntropy
            Ctc ElementWeights Fits Focal FourTake GaussianNll Hinge Huber KlDivergence Lamb Lion Loss LossOn Mae Mse
            MultiResolutionStft Muon Nadam Optimizer OtherTakes PlainTakes Poisson Quantile RAdam RmsProp ScheduleFree
            Sgd SigmoidTakes SoftmaxTakes SquashedTakes TargetLabel TargetValue TensorLayout TensorUpdate ThreeTake Triplet TwoTake ValueTakes
        }
        // Training and data.
        $crate::__not_offered! {
            Checkpoint Clip ConstantRate Cosine Dataset EarlyStopping Exponential Fit Labels Link Model Names Network
            OneCycle Polynomial ReduceOnPlateau Regularizer StepDecay Trainer Values Warmup
        }
        $crate::__not_offered! {
            Accuracy AveragePrecision ConfusionMatrix ExplainedVariance F1 LogLoss MeanAbsoluteError
            MeanAbsolutePercentageError MeanIou Precision R2 Recall RocAuc RootMeanSquaredError TopK
        }
        pub use $crate::{__shown as activation, __shown as loss, __shown as network};
    };
    ($($name:ident)+) => { $(pub use $crate::__private::NotOffered as $name;)+ };
}

/// A declaration as rust-analyzer sees it: `places`, where it is asked which names go there, `calls`, whose
/// arguments are expressions, and words with the number of the step that makes what is `shown` on them. The
/// names that go at a place are those of a module: the layers of this crate and what stands around the
/// declaration, but not what the prelude brings for other ends; where a chain begins also the declaration's
/// values. A macro, so that rustc never parses what is half typed.
#[doc(hidden)]
#[macro_export]
macro_rules! __editor {
    (
        $network:ident
        places { $($places:tt)* }
        calls { $($calls:tt)* }
        shown { $($shown:ident $step:literal)* }
        inputs { $($input:ident $shape:tt)* }
        values { $($value:ident $value_step:literal)* }
        labels { $($label:ident $label_step:literal)* }
    ) => {
        const _: () = {
            $($places)*
            mod layers {
                pub use super::*;
                pub use $crate::layers::*;
                $crate::__not_offered! {}
            }
            mod start {
                pub use super::*;
                pub use $crate::layers::*;
                $crate::__not_offered! {}
                use $crate::__private::Shown;
                $(pub const $input: &[usize] = &$shape;)*
                $(pub const $value: &str = <$network as Shown<$value_step>>::MADE.as_str();)*
            }
            mod values {
                use super::*;
                use $crate::__private::Shown;
                $(pub const $input: &[usize] = &$shape;)*
                $(pub const $value: &str = <$network as Shown<$value_step>>::MADE.as_str();)*
            }
            mod labels {
                use super::*;
                use $crate::__private::Shown;
                $(pub const $label: &str = <$network as Shown<$label_step>>::MADE.as_str();)*
            }
        };
        const _: () = {
            $($calls)*
        };
        const _: () = {
            use $crate::__private::Shown;
            $({
                const $shown: &str = <$network as Shown<$step>>::MADE.as_str();
            })*
        };
    };
}

/// What each step of a network makes, and its rule; without steps, that it has mistakes.
#[doc(hidden)]
#[macro_export]
macro_rules! __shown {
    ($network:ident $inputs:literal [$($site:ident)*] $($step:literal: $rule:ident;)*) => {
        const __COUNT: usize = $crate::__private::count_all(&[$(&$site),*]);
        impl $crate::__private::Shown<0> for $network {
            const MADE: $crate::__private::Line =
                $crate::__private::made_by_network(&declared_input, &declared_output, __COUNT);
        }
        $(impl $crate::__private::Shown<$step> for $network {
            const MADE: $crate::__private::Line = $crate::__private::made(&$rule);
        })*
        $crate::__shown! { @rule $network $inputs }
    };
    ($network:ident $inputs:literal) => {
        const __COUNT: usize = 0;
        impl<const STEP: usize> $crate::__private::Shown<STEP> for $network {
            const MADE: $crate::__private::Line = $crate::__private::made_of_mistakes();
        }
        $crate::__shown! { @rule $network $inputs }
    };
    (@rule $network:ident $inputs:literal) => {
        impl $network {
            #[doc(hidden)]
            pub const fn rule(&self, x: [$crate::__private::Shape; $inputs]) -> $crate::__private::Rule {
                $crate::__private::rule_of_network(x, &declared_input, &declared_output, __COUNT)
            }
        }
    };
}
