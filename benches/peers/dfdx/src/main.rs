//! dfdx on the CPU. Its convolutions, pools and attention need nightly Rust, and it has no LSTM: dense
//! networks only.

use dfdx::optim::{Adam, AdamConfig, Sgd, SgdConfig};
use dfdx::prelude::*;
use peer::{Data, Net, Run, Workload};

type Cpu = dfdx::tensor::Cpu;
type Linreg = (Linear<2, 1>,);
type Mlp10 = (Linear<784, 10>, ReLU, Linear<10, 10>, ReLU, Linear<10, 10>);
type Mnist128 = (Linear<784, 128>, ReLU, Linear<128, 10>);
type Tiny = (Linear<4, 32>, Tanh, Linear<32, 32>, Tanh, Linear<32, 2>);
type Sc24 = (Linear<24, 8>, Tanh, DropoutOneIn<5>, UnbiasedLinear<8, 2>);
type Sc4 = (Linear<4, 32>, Tanh, Linear<32, 16>, Tanh, Linear<16, 4>);
type MlpWide = (Linear<784, 1024>, ReLU, Linear<1024, 1024>, ReLU, Linear<1024, 10>);

fn main() {
    // As dfdx's own examples begin.
    dfdx::flush_denormals_to_zero();
    peer::serve("dfdx", &["cpu"], |_, workload, data, _| match workload.net {
        Net::Linreg => Ok(linreg(workload, &data)),
        Net::Mlp10 => Ok(mlp10(workload, &data)),
        Net::Mnist128 => Ok(mnist128(workload, &data)),
        Net::MlpWide => Ok(mlp_wide(workload, &data)),
        Net::Tiny => Ok(tiny(workload, &data)),
        Net::Sc24 => Ok(sc24(workload, &data)),
        Net::Sc4 => Ok(sc4(workload, &data)),
        Net::Policy => Err("has no ELU".to_string()),
        Net::Cnn | Net::Lenet5 | Net::Tfm => Err("needs nightly Rust".to_string()),
        Net::Lstm => Err("has no LSTM".to_string()),
    });
}

/// Targets as dfdx takes them: numbers, of classes one for each class.
fn targets(data: &Data, samples: &std::ops::Range<usize>, outputs: usize) -> Vec<f32> {
    if data.labels.is_empty() {
        return data.values(samples).to_vec();
    }
    let labels = &data.labels[samples.clone()];
    labels.iter().flat_map(|&label| (0..outputs).map(move |class| f32::from(class == label as usize))).collect()
}

/// A function that makes a run: the bounds of a generic one would be longer than what it says.
macro_rules! dense {
    ($name:ident, $net:ty, $inputs:literal, $outputs:literal, $loss:path, $rule:expr) => {
        fn $name(workload: Workload, data: &Data) -> Box<dyn Run> {
            type Built = <$net as BuildOnDevice<Cpu, f32>>::Built;
            type X = Tensor<(usize, Const<$inputs>), f32, Cpu>;
            type Y = Tensor<(usize, Const<$outputs>), f32, Cpu>;

            struct Train<R> {
                device: Cpu,
                model: Built,
                grads: Option<Gradients<f32, Cpu>>, // a step takes them and gives them back
                begin: fn(&Built) -> R,
                rule: R,
                batches: Vec<(X, Y)>,
                next: usize,
                last: f64,
            }

            impl<R: Optimizer<Built, Cpu, f32>> Run for Train<R> {
                fn fresh(&mut self) {
                    self.model = self.device.build_module::<$net, f32>();
                    self.grads = Some(self.model.alloc_grads());
                    self.rule = (self.begin)(&self.model);
                }

                fn step(&mut self) {
                    let (x, target) = &self.batches[self.next];
                    let grads = self.grads.take().expect("gradients");
                    let y = self.model.forward_mut(x.trace(grads));
                    let loss = $loss(y, target.clone());
                    self.last = f64::from(loss.array());
                    let mut grads = loss.backward();
                    self.rule.update(&mut self.model, &grads).expect("gradients of this model");
                    self.model.zero_grads(&mut grads);
                    self.grads = Some(grads);
                    self.next = (self.next + 1) % self.batches.len();
                }

                fn loss(&mut self) -> Option<f64> {
                    Some(self.last)
                }
            }

            struct Predict {
                model: Built,
                classes: bool,
                batches: Vec<X>,
                next: usize,
            }

            impl Run for Predict {
                fn step(&mut self) {
                    let y = self.model.forward(self.batches[self.next].clone());
                    match self.classes {
                        true => drop(std::hint::black_box(y.softmax::<Axis<1>>())),
                        false => drop(std::hint::black_box(y)),
                    }
                    self.next = (self.next + 1) % self.batches.len();
                }
            }

            let device = Cpu::default();
            let batch = |samples: std::ops::Range<usize>| {
                let x = device.tensor_from_vec(data.inputs(&samples).to_vec(), (samples.len(), Const::<$inputs>));
                let y = device.tensor_from_vec(targets(data, &samples, $outputs), (samples.len(), Const::<$outputs>));
                (x, y)
            };
            let batches: Vec<(X, Y)> = data.batches(&workload).into_iter().map(batch).collect();
            let model = device.build_module::<$net, f32>();
            match workload.train {
                true => {
                    let (grads, rule) = (Some(model.alloc_grads()), $rule(&model));
                    Box::new(Train { device, model, grads, begin: $rule, rule, batches, next: 0, last: f64::NAN })
                }
                false => Box::new(Predict { model, classes: workload.net.classes(), batches: batches.into_iter().map(|(x, _)| x).collect(), next: 0 }),
            }
        }
    };
}

fn adam<M>(model: &M) -> Adam<M, f32, Cpu> {
    Adam::new(model, AdamConfig { lr: 1e-3, ..Default::default() })
}

fn sgd<M>(model: &M) -> Sgd<M, f32, Cpu> {
    Sgd::new(model, SgdConfig { lr: 0.1, ..Default::default() })
}

dense!(linreg, Linreg, 2, 1, mse_loss, sgd);
dense!(mlp10, Mlp10, 784, 10, cross_entropy_with_logits_loss, adam);
dense!(mnist128, Mnist128, 784, 10, cross_entropy_with_logits_loss, adam);
dense!(tiny, Tiny, 4, 2, mse_loss, adam);
dense!(sc24, Sc24, 24, 2, mse_loss, adam);
dense!(sc4, Sc4, 4, 4, mse_loss, adam);
dense!(mlp_wide, MlpWide, 784, 10, cross_entropy_with_logits_loss, adam);
