//! Filling a `Normalization` layer from the samples that a network learns from.

use super::{DataError, DataErrorKind, Dataset, Standardize, Targets};
use crate::model::{Model, Network};
use alloc::format;
use alloc::string::ToString;

impl<N: Network> Model<N> {
    /// Fills the [`Normalization`](crate::layers::Normalization) layer of this name, which reads an input of
    /// the network, with mean and deviation of the samples: of each feature over all samples, and over all
    /// steps of a sequence or pixels of an image. Keras's `Normalization.adapt`.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Net: [2] -> [2] { norm: Normalization } }
    ///
    /// let train = Dataset::values(&[[1.0, 50.0], [3.0, 90.0]], &[[0.0], [1.0]])?;
    /// let mut net = Net::init(0);
    /// net.normalize("norm", &train)?;
    /// assert_eq!(net.predictor(1).predict(&[5.0, 50.0]), &[3.0, -1.0]);
    /// # Ok::<(), nn_runtime::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// No such layer, or one that does not read an input; one with an `axis` of its own that is not that of
    /// features; as [`Standardize::fit_shapes`]. Nothing is changed then.
    pub fn normalize(&mut self, layer: &str, train: &Dataset<impl Targets>) -> Result<(), DataError> {
        let network = N::COMPILED;
        let fault = |expected: &str, found: &str| {
            let found = format!("{found} in `{}`", network.name);
            let fault = DataError::new(DataErrorKind::Setting, format!("normalize, `{layer}`"), expected, found);
            fault.help("declare it first: `norm: Normalization -> …`, and name it: `normalize(\"norm\", &train)`")
        };
        let node = network.nodes.iter().find(|node| node.name == layer);
        let node = node.ok_or_else(|| fault("a layer of this name", "none"))?;
        let [mean, std] = ["mean", "std"].map(|name| format!("{layer}.{name}"));
        let (Ok(means), Ok(_)) = (self.get(&mean), self.get(&std)) else {
            return Err(fault("a `Normalization` layer", "another"));
        };
        let k = node.x[0];
        let Some(shape) = network.inputs.get(k) else {
            return Err(fault("a layer that reads an input", "one that reads another layer"));
        };
        let scale = Standardize::fit_shapes(train, [(k, *shape)])?;
        if scale.mean(k).len() != means.len() {
            let found = format!("one of {} numbers for {} features", means.len(), scale.mean(k).len());
            return Err(fault("a layer along the features", &found));
        }
        for (name, numbers) in [(mean, scale.mean(k)), (std, scale.std(k))] {
            let set = self.set(&name, &numbers);
            set.map_err(|error| {
                DataError::new(DataErrorKind::Number, "normalize", "numbers to set", error.to_string())
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::data::{DataError, Dataset, Labels, Standardize, Values};
    use crate::prelude::*;
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    network! {
        struct Net: (a: [4, 2], b: [3]) -> (p: [4, 2], q: [3]) {
            let p = a -> norm: Normalization;
            let q = b -> other: Normalization -> dense: Dense(3) -> late: Normalization;
        }
    }
    network! { struct Steps: [4, 2] -> [4, 2] { steps: Normalization(axis = 0) } }

    fn data() -> Dataset<Labels> {
        let a: Vec<f32> = (0..24).map(|i| (i * i % 17) as f32).collect();
        let b: Vec<f32> = (0..9).map(|i| (i * i % 11) as f32).collect();
        Dataset::classes((a, 8), [0, 1, 0]).unwrap().with_input((b, 3)).unwrap()
    }

    #[test]
    fn a_layer_gets_what_its_input_is_like_and_no_other_does() {
        let mut net = Net::init(0);
        net.normalize("other", &data()).unwrap();
        let scale = Standardize::fit_network::<Net>(&data()).unwrap();
        assert_eq!(net.get("other.mean").unwrap(), scale.mean(1));
        assert_eq!(net.get("other.std").unwrap(), scale.std(1));
        assert_eq!(net.get("norm.mean").unwrap(), [0.0; 2]);
        net.normalize("norm", &data()).unwrap();
        assert_eq!(net.get("norm.mean").unwrap(), scale.mean(0));
        // What the layer makes of all samples has mean 0 and deviation 1.
        let mut predictor = net.predictor(3);
        let data = data();
        let [a, b] = [0, 1].map(|k| data.inputs()[k].as_slice());
        let (mut p, mut q) = ([0.0; 24], [0.0; 9]);
        predictor.predict_into(&[a, b], &mut [&mut p, &mut q]).unwrap();
        for feature in 0..2 {
            let numbers: Vec<f32> = p.iter().skip(feature).step_by(2).copied().collect();
            let mean = numbers.iter().sum::<f32>() / 12.0;
            let square = numbers.iter().map(|x| x * x).sum::<f32>() / 12.0;
            assert!(mean.abs() < 1e-5 && (square - 1.0).abs() < 1e-5, "{mean} {square}");
        }
    }

    #[test]
    fn what_is_no_such_layer_is_told() {
        let mut net = Net::init(0);
        let mut said = |layer: &str| net.normalize(layer, &data()).unwrap_err().to_string();
        let place =
            |layer: &str, text: &str| -> String { alloc::format!("normalize, `{layer}`: expected {text} in `Net`\n") };
        assert!(said("nom").starts_with(&place("nom", "a layer of this name, found none")));
        assert!(said("dense").starts_with(&place("dense", "a `Normalization` layer, found another")));
        let text = "a layer that reads an input, found one that reads another layer";
        assert!(said("late").starts_with(&place("late", text)));
        let steps = Dataset::values(Values::new(alloc::vec![1.0; 16], 8).unwrap(), &[[0.0], [1.0]]).unwrap();
        let fault: DataError = Steps::init(0).normalize("steps", &steps).unwrap_err();
        assert!(fault.to_string().contains("a layer along the features, found one of 4 numbers for 2 features"));
    }
}
