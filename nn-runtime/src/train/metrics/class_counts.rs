//! How often each class was meant, answered, and both: what precision, recall, F1 and intersection over union
//! are made of. In: rows; out: three sums a class, whatever the number of rows.

use std::format;
use std::string::String;
use std::vec::Vec;

use super::rows::{MetricRows, argmax};
use crate::losses::Link;

/// Over which classes a score is averaged.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Average {
    /// All classes that occur count alike.
    Macro,
    /// All rows count alike: one score of the sums over classes.
    Micro,
    /// Each class as much as its rows weigh.
    Weighted,
    /// This class alone.
    Class(usize),
}

/// What is counted of one class: Σ weight.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub(super) struct ClassCount {
    /// Rows of this class that were answered with it.
    pub(super) hits: f64,
    pub(super) answered: f64,
    pub(super) actual: f64,
}

/// The counts of all classes, or of all columns where each number is a yes or no of its own.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct ClassCounts {
    counts: Vec<ClassCount>,
    /// Of columns each counts, though nothing of it occurs.
    columns: bool,
    pub(super) threshold: f64,
}

impl Default for ClassCounts {
    fn default() -> Self {
        ClassCounts { counts: Vec::new(), columns: false, threshold: 0.5 }
    }
}

impl ClassCounts {
    pub(super) fn reset(&mut self) {
        self.counts.clear();
    }

    fn add(&mut self, class: Option<usize>, actual: usize, weight: f64) {
        self.counts[actual].actual += weight;
        if let Some(class) = class {
            self.counts[class].answered += weight;
            if class == actual {
                self.counts[class].hits += weight;
            }
        }
    }

    pub(super) fn add_labels(&mut self, rows: &MetricRows<u32>) {
        self.counts.resize(rows.width, ClassCount::default());
        for (y, label) in rows.pairs() {
            self.add(rows.class(y), label[0] as usize, rows.weight);
        }
    }

    /// Distributions are of the class that has the most; any other number is a yes above the threshold, or a
    /// no.
    pub(super) fn add_values(&mut self, rows: &MetricRows<f32>) {
        self.counts.resize(rows.width, ClassCount::default());
        if rows.link == Link::Softmax {
            return rows.pairs().for_each(|(y, t)| self.add(rows.class(y), argmax(t), rows.weight));
        }
        self.columns = true;
        let cut = rows.cut(self.threshold);
        for (y, t) in rows.pairs() {
            for ((count, &y), &t) in self.counts.iter_mut().zip(y).zip(t) {
                let (answered, actual) = (f64::from(y) > cut, t > 0.5);
                count.answered += if answered { rows.weight } else { 0.0 };
                count.actual += if actual { rows.weight } else { 0.0 };
                count.hits += if answered && actual { rows.weight } else { 0.0 };
            }
        }
    }

    /// The score of each class, 0 where it is not defined.
    pub(super) fn per_class(&self, score: impl Fn(ClassCount) -> [f64; 2]) -> Vec<f64> {
        self.counts.iter().map(|&count| share(score(count))).collect()
    }

    /// The average of the scores of classes, each given as numerator and denominator.
    pub(super) fn average(&self, average: Average, score: impl Fn(ClassCount) -> [f64; 2]) -> f64 {
        if self.counts.is_empty() {
            return f64::NAN;
        }
        let occurs = |count: &&ClassCount| self.columns || count.actual > 0.0 || count.answered > 0.0;
        let occurring = self.counts.iter().filter(occurs);
        match average {
            Average::Class(class) => self.counts.get(class).map_or(f64::NAN, |&count| share(score(count))),
            Average::Macro => {
                let classes = occurring.clone().count() as f64;
                occurring.map(|&count| share(score(count))).sum::<f64>() / classes
            }
            Average::Micro => {
                let mut sum = ClassCount::default();
                for count in &self.counts {
                    sum.hits += count.hits;
                    sum.answered += count.answered;
                    sum.actual += count.actual;
                }
                share(score(sum))
            }
            Average::Weighted => {
                let weight: f64 = self.counts.iter().map(|count| count.actual).sum();
                share([occurring.map(|&count| count.actual * share(score(count))).sum(), weight])
            }
        }
    }
}

/// A share of nothing is 0, as in scikit-learn.
fn share([part, whole]: [f64; 2]) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

/// What is wrong with rows of this width, and the class that is asked for.
pub(super) fn class_fault(name: &str, average: Average, width: usize) -> Option<String> {
    match average {
        Average::Class(class) if class >= width => Some(format!(
            "`{name}`: expected a class below {width}, as the output has that many numbers, found {class}\nhelp: classes count \
             from 0"
        )),
        _ => None,
    }
}

/// What is wrong with labels: a row of one number tells no classes apart.
pub(super) fn label_fault(name: &str, width: usize, labels: &[u32]) -> Option<String> {
    if width == 1 {
        return Some(format!(
            "`{name}`: expected rows of 2 classes or more, found 1 number a row\nhelp: end the network in `Dense(2)` or more, or \
             give values of 0 and 1"
        ));
    }
    let at = labels.iter().position(|&label| label as usize >= width)?;
    Some(format!(
        "`{name}`: expected a class below {width}, as the output has that many, found {} in row {at}\nhelp: change the labels, or \
         the network's last layer",
        labels[at]
    ))
}

/// What is wrong with a threshold.
pub(super) fn threshold_fault(name: &str, threshold: f64, link: Link) -> Option<String> {
    let fits = threshold.is_finite() && (link != Link::Sigmoid || threshold > 0.0 && threshold < 1.0);
    (!fits).then(|| format!("`{name}`: expected a threshold between 0 and 1, found {threshold}\nhelp: 0.5 is usual"))
}

/// A score of classes: its type, its constructors, and how it is a metric. `$score` makes numerator and
/// denominator of a count.
macro_rules! class_score {
    ($(#[$docs:meta])* pub struct $name:ident: $word:literal = $score:expr;) => {
        $(#[$docs])*
        #[derive(Clone, PartialEq, Debug)]
        pub struct $name<V = f64> {
            counts: ClassCounts,
            average: Average,
            value: PhantomData<fn() -> V>,
        }

        impl<V> $name<V> {
            fn with(average: Average) -> Self {
                $name { counts: ClassCounts::default(), average, value: PhantomData }
            }

            /// Of values of 0 and 1: the prediction above which an answer is yes, 0.5 where none is said.
            /// Where the loss reads scores, it is a probability all the same.
            pub fn threshold(mut self, threshold: f64) -> Self {
                self.counts.threshold = threshold;
                self
            }
        }

        impl $name {
            /// The mean over classes, which count alike; those that occur neither in the targets nor in the
            /// answers are left out. Called as the metric, without more.
            pub fn macro_avg() -> Self {
                Self::with(Average::Macro)
            }

            /// Of the sums over classes, so that rows count alike; where each row has one class it is the
            /// accuracy. Called `…_micro`.
            pub fn micro_avg() -> Self {
                Self::with(Average::Micro)
            }

            /// The mean over classes, each as much as rows of it weigh. Called `…_weighted`.
            pub fn weighted_avg() -> Self {
                Self::with(Average::Weighted)
            }

            /// Of one class, counted from 0. Called `…_1` for class 1.
            pub fn of_class(class: usize) -> Self {
                Self::with(Average::Class(class))
            }

            /// Of every class, in their order; 0 where it is not defined. Called `…_0`, `…_1` and so on.
            pub fn per_class() -> $name<Vec<f64>> {
                $name::with(Average::Macro)
            }
        }

        impl Metric for $name {
            type Value = f64;

            fn name(&self) -> String {
                match self.average {
                    Average::Macro => $word.into(),
                    Average::Micro => concat!($word, "_micro").into(),
                    Average::Weighted => concat!($word, "_weighted").into(),
                    Average::Class(class) => format!(concat!($word, "_{}"), class),
                }
            }

            fn value(&self) -> f64 {
                self.counts.average(self.average, $score)
            }

            fn reset(&mut self) {
                self.counts.reset();
            }
        }

        impl Metric for $name<Vec<f64>> {
            type Value = Vec<f64>;

            fn name(&self) -> String {
                $word.into()
            }

            fn value(&self) -> Vec<f64> {
                self.counts.per_class($score)
            }

            fn reset(&mut self) {
                self.counts.reset();
            }
        }

        impl<V> MetricOn<u32> for $name<V>
        where
            Self: Metric,
        {
            fn fault(&self, width: usize, _: Link, labels: &[u32]) -> Option<String> {
                label_fault($word, width, labels).or_else(|| class_fault($word, self.average, width))
            }

            fn update(&mut self, rows: &MetricRows<u32>) {
                self.counts.add_labels(rows);
            }
        }

        impl<V> MetricOn<f32> for $name<V>
        where
            Self: Metric,
        {
            fn fault(&self, width: usize, link: Link, _: &[f32]) -> Option<String> {
                let fault = threshold_fault($word, self.counts.threshold, link);
                fault.or_else(|| class_fault($word, self.average, width))
            }

            fn update(&mut self, rows: &MetricRows<f32>) {
                self.counts.add_values(rows);
            }
        }
    };
}
pub(super) use class_score;
