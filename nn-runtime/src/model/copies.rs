//! Parameters from one model to another. In: models of the same tensors; out:
//! changed parameters, or what does not fit, with nothing changed.

use alloc::format;
use alloc::vec::Vec;

use super::{Model, Network, ParamError, ParamErrorKind};
use nn_kernels::optimizer::update_ema;
use nn_kernels::simd::Isa;

impl<N: Network> Model<N> {
    /// Moves every parameter a part of the way to those of `online`: `p += tau · (p_online - p)`, the soft
    /// update of a target network (Lillicrap et al., "Continuous control with deep reinforcement learning",
    /// 2015). Running statistics move too, as with Keras's `get_weights`; 1 makes a copy. It allocates
    /// nothing.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Value: [1] -> [1] { value: Dense(1) } }
    ///
    /// let (mut target, mut online) = (Value::init(0), Value::init(1));
    /// target.set("value.weight", &[1.0]).unwrap();
    /// online.set("value.weight", &[3.0]).unwrap();
    /// target.lerp(&online, 0.25);
    /// assert_eq!(target.get("value.weight").unwrap(), [1.5]);
    /// ```
    ///
    /// # Panics
    /// `tau` is not from 0 to 1.
    pub fn lerp(&mut self, online: &Model<N>, tau: f64) {
        assert!((0.0..=1.0).contains(&tau), "expected a part from 0 to 1, found {tau}");
        if tau == 1.0 {
            self.copy_from(online);
        } else if tau > 0.0 {
            update_ema(Isa::detect(), tau, &online.params, &mut self.params);
        }
    }

    /// Makes every parameter that of another model of the same network, without allocating. How far each has
    /// been trained stays its own.
    pub fn copy_from(&mut self, from: &Model<N>) {
        self.params.copy_from_slice(&from.params);
    }

    /// Makes the parameters those of a model of another network whose tensors have the same names and shapes:
    /// one declared for longer windows, or without the noise of training.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Learnt: [64, 1] -> [64, 1] { Gru(8) -> DensePerStep(1) } }
    /// network! { struct Used: [256, 1] -> [256, 1] { Gru(8) -> DensePerStep(1) } }
    ///
    /// let mut used = Used::init(0);
    /// used.copy_tensors_from(&Learnt::init(1)).unwrap();
    /// assert_eq!(used.get("gru_1.weight_hh"), Learnt::init(1).get("gru_1.weight_hh"));
    /// ```
    ///
    /// # Errors
    /// Tensors of other names, or another shape; nothing is changed.
    pub fn copy_tensors_from<P: Network>(&mut self, from: &Model<P>) -> Result<(), ParamError> {
        let (own, others) = (self.tensors(), from.tensors());
        for tensor in &own {
            let name = &tensor.name;
            let Some(other) = others.iter().find(|other| other.name == *name) else {
                return Err(ParamError::new(
                    ParamErrorKind::Name,
                    format!(
                        "expected a parameter `{name}` in `{}`, as in `{}`, found none\nhelp: give the layers the same labels",
                        P::COMPILED.name,
                        N::COMPILED.name
                    ),
                ));
            };
            if other.shape != tensor.shape {
                return Err(ParamError::new(
                    ParamErrorKind::Shape,
                    format!(
                        "`{name}`: expected the shape {}, as in `{}`, found {} in `{}`\nhelp: declare both alike",
                        tensor.shape,
                        N::COMPILED.name,
                        other.shape,
                        P::COMPILED.name
                    ),
                ));
            }
        }
        if let Some(more) = others.iter().find(|other| own.iter().all(|tensor| tensor.name != other.name)) {
            return Err(ParamError::new(
                ParamErrorKind::Name,
                format!(
                    "expected the parameters of `{}`, found `{}` of `{}` too\nhelp: copy a part, as in `model.part(..)`",
                    N::COMPILED.name,
                    more.name,
                    P::COMPILED.name
                ),
            ));
        }
        let mut values = Vec::new();
        for tensor in &own {
            values.resize(tensor.count(), 0.0);
            let of = others.iter().find(|other| other.name == tensor.name);
            of.expect("it was just found").read(&from.params, &mut values);
            tensor.write(&values, &mut self.params);
        }
        Ok(())
    }

    /// Puts the parameters of a network within this one, by its label: the reverse of
    /// [`part`](Model::part).
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Encoder: [4] -> [2] { Dense(2) -> Tanh } }
    /// network! { struct Whole: [4] -> [4] { encoder: Encoder -> Dense(4) } }
    ///
    /// let (mut whole, learnt) = (Whole::init(0), Encoder::init(1));
    /// whole.set_part("encoder", &learnt).unwrap();
    /// assert_eq!(whole.get("encoder.dense_1.weight"), learnt.get("dense_1.weight"));
    /// ```
    ///
    /// # Errors
    /// Nothing of that name is a network of type `P`; nothing is changed.
    pub fn set_part<P: Network>(&mut self, name: &str, part: &Model<P>) -> Result<(), ParamError> {
        let offset = self.find_part::<P>(name)?;
        self.params[offset..offset + part.params.len()].copy_from_slice(&part.params);
        Ok(())
    }
}
