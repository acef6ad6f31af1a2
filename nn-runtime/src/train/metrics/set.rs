//! One metric or several, on one output or several. In: outputs of batches, targets and weights; out: what
//! each comes to, in the order they were given.

use std::format;
use std::string::String;
use std::vec::Vec;

use super::{Metric, MetricOn, MetricRows, MetricValue};
use crate::data::{OneTarget, Targets, Values};
use crate::losses::Link;
use crate::train::batch_outputs::{BatchOutputs, RowWeights, rows_and_width};
use crate::{MAX_OUTPUTS, Shape};

/// Metrics on targets of type `T`: one, or a tuple of up to 8. Of a network with several outputs, a tuple
/// with metrics for each of them, in their order; `()` for an output that needs none.
///
/// The trait cannot be implemented outside this crate; metrics of one's own implement [`MetricOn`].
pub trait Metrics<T: Targets>: Clone + Send {
    /// What they come to: a value, or a tuple of values.
    type Values;
    /// What is wrong with a data set, if anything. `links` tell what its loss reads each output as; none
    /// where it reads samples whole.
    #[doc(hidden)]
    fn fault(&self, of: &Judged, shapes: &[Shape], targets: &T, weights: Option<&Values>) -> Option<String>;
    /// One more batch.
    #[doc(hidden)]
    fn update(&mut self, of: &Judged, outputs: &BatchOutputs, targets: &T);
    /// What all batches since the beginning come to.
    #[doc(hidden)]
    fn values(&self) -> Self::Values;
    /// The same as numbers with names.
    #[doc(hidden)]
    fn numbers(&self, to: &mut Vec<(String, f64)>);
    /// What these numbers will be called, each with whether lower is better.
    #[doc(hidden)]
    fn names(&self, to: &mut Vec<(String, bool)>);
    /// Forgets all batches.
    #[doc(hidden)]
    fn reset(&mut self);
}

/// What a loss reads each output as, and the first output that metrics are on.
#[derive(Clone, Copy)]
pub struct Judged {
    pub(crate) links: [Option<Link>; MAX_OUTPUTS],
    pub(crate) output: usize,
}

impl Judged {
    fn output(self, j: usize) -> Judged {
        Judged { output: j, ..self }
    }
}

impl<T: OneTarget, M: Metric + MetricOn<T::Item>> Metrics<T> for M {
    type Values = M::Value;

    fn fault(&self, of: &Judged, shapes: &[Shape], targets: &T, weights: Option<&Values>) -> Option<String> {
        let (rows, width) = rows_and_width(&shapes[of.output]);
        let Some(link) = of.links[of.output] else {
            return Some(format!(
                "`{}`: expected a target for each row of the output, found a loss that reads whole samples\nhelp: predict and compare \
                 the samples yourself",
                self.name()
            ));
        };
        let per = if T::WHAT == "labels" { rows } else { rows * width };
        if targets.width() != per {
            return Some(format!(
                "`{}`: expected {per} {} per sample, as the output is {}, found {}\nhelp: change the targets, or the metric",
                self.name(),
                T::WHAT,
                shapes[of.output],
                targets.width()
            ));
        }
        // What has no weight may be anything.
        let each = per / rows;
        let weighted = RowWeights { samples: 0..targets.len(), rows, weights, whole: false };
        let mut runs = weighted.runs().filter(|(_, weight)| *weight != 0.0);
        runs.find_map(|(run, _)| {
            MetricOn::fault(self, width, link, &targets.as_slice()[run.start * each..run.end * each])
        })
    }

    fn update(&mut self, of: &Judged, outputs: &BatchOutputs, targets: &T) {
        let BatchOutputs { samples, weights, shapes, y, .. } = outputs;
        let (rows, width) = rows_and_width(&shapes[of.output]);
        let (per, link) = (targets.width(), of.links[of.output].unwrap_or(Link::Identity));
        let targets = &targets.as_slice()[samples.start * per..samples.end * per];
        let weighted = RowWeights { samples: samples.clone(), rows, weights: *weights, whole: false };
        for (run, weight) in weighted.runs().filter(|(_, weight)| *weight != 0.0) {
            let y = &y[of.output][run.start * width..run.end * width];
            let targets = &targets[run.start * per / rows..run.end * per / rows];
            MetricOn::update(self, &MetricRows { y, width, targets, weight: f64::from(weight), link });
        }
    }

    fn values(&self) -> M::Value {
        self.value()
    }

    fn numbers(&self, to: &mut Vec<(String, f64)>) {
        let name = self.name();
        to.extend(self.value().numbers().into_iter().map(|(behind, number)| (format!("{name}{behind}"), number)));
    }

    fn names(&self, to: &mut Vec<(String, bool)>) {
        to.extend(M::Value::BEHIND.map(|behind| (format!("{}{behind}", self.name()), self.lower_is_better())));
    }

    fn reset(&mut self) {
        Metric::reset(self);
    }
}

/// No metric.
impl<T: OneTarget> Metrics<T> for () {
    type Values = ();

    fn fault(&self, _: &Judged, _: &[Shape], _: &T, _: Option<&Values>) -> Option<String> {
        None
    }

    fn update(&mut self, _: &Judged, _: &BatchOutputs, _: &T) {}

    fn values(&self) {}

    fn numbers(&self, _: &mut Vec<(String, f64)>) {}

    fn names(&self, _: &mut Vec<(String, bool)>) {}

    fn reset(&mut self) {}
}

macro_rules! several {
    ($($metric:ident $i:tt),*) => {
        impl<T: OneTarget, $($metric: Metric + MetricOn<T::Item>),*> Metrics<T> for ($($metric,)*) {
            type Values = ($($metric::Value,)*);

            fn fault(&self, of: &Judged, shapes: &[Shape], targets: &T, weights: Option<&Values>) -> Option<String> {
                None$(.or_else(|| Metrics::<T>::fault(&self.$i, of, shapes, targets, weights)))*
            }

            fn update(&mut self, of: &Judged, outputs: &BatchOutputs, targets: &T) {
                $(Metrics::<T>::update(&mut self.$i, of, outputs, targets);)*
            }

            fn values(&self) -> Self::Values {
                ($(self.$i.value(),)*)
            }

            fn numbers(&self, to: &mut Vec<(String, f64)>) {
                $(Metrics::<T>::numbers(&self.$i, to);)*
            }

            fn names(&self, to: &mut Vec<(String, bool)>) {
                $(Metrics::<T>::names(&self.$i, to);)*
            }

            fn reset(&mut self) {
                $(Metric::reset(&mut self.$i);)*
            }
        }
    };
}
several!(A 0);
several!(A 0, B 1);
several!(A 0, B 1, C 2);
several!(A 0, B 1, C 2, D 3);
several!(A 0, B 1, C 2, D 3, E 4);
several!(A 0, B 1, C 2, D 3, E 4, F 5);
several!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
several!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

/// Metrics for each output.
macro_rules! of_outputs {
    ($($metrics:ident $target:ident $i:tt),*) => {
        impl<$($target: OneTarget, $metrics: Metrics<$target>),*> Metrics<($($target,)*)> for ($($metrics,)*) {
            type Values = ($($metrics::Values,)*);

            fn fault(&self, of: &Judged, shapes: &[Shape], targets: &($($target,)*), weights: Option<&Values>) -> Option<String> {
                $(
                    if let Some(fault) = self.$i.fault(&of.output($i), shapes, &targets.$i, weights) {
                        return Some(format!("output {}: {fault}", $i));
                    }
                )*
                None
            }

            fn update(&mut self, of: &Judged, outputs: &BatchOutputs, targets: &($($target,)*)) {
                $(self.$i.update(&of.output($i), outputs, &targets.$i);)*
            }

            fn values(&self) -> Self::Values {
                ($(self.$i.values(),)*)
            }

            fn numbers(&self, to: &mut Vec<(String, f64)>) {
                $(
                    let first = to.len();
                    self.$i.numbers(to);
                    to[first..].iter_mut().for_each(|(name, _)| *name = format!("output_{}_{name}", $i));
                )*
            }

            fn names(&self, to: &mut Vec<(String, bool)>) {
                $(
                    let first = to.len();
                    self.$i.names(to);
                    to[first..].iter_mut().for_each(|(name, _)| *name = format!("output_{}_{name}", $i));
                )*
            }

            fn reset(&mut self) {
                $(self.$i.reset();)*
            }
        }
    };
}
of_outputs!(A S 0, B T 1);
of_outputs!(A S 0, B T 1, C U 2);
of_outputs!(A S 0, B T 1, C U 2, D V 3);
