//! Steps and predictions with burn. In: a network and data; out: a [`Run`]. Tensors of all batches are made
//! before: a step reads them where they lie.

use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig, MseLoss, Reduction};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use peer::{Data, Run, Workload};

use crate::networks::Forward;

/// How far an answer is from its target, and what is predicted from it.
trait Loss<const O: usize> {
    type Target: Clone;
    fn of(&self, y: Tensor<O>, target: Self::Target) -> Tensor<1>;
    fn predicted(&self, y: Tensor<O>) -> Tensor<O>;
}

struct Classes(CrossEntropyLoss);

impl Loss<2> for Classes {
    type Target = Tensor<1, Int>;
    fn of(&self, y: Tensor<2>, target: Self::Target) -> Tensor<1> {
        self.0.forward(y, target)
    }
    fn predicted(&self, y: Tensor<2>) -> Tensor<2> {
        softmax(y, 1)
    }
}

struct Numbers;

impl<const O: usize> Loss<O> for Numbers {
    type Target = Tensor<O>;
    fn of(&self, y: Tensor<O>, target: Self::Target) -> Tensor<1> {
        MseLoss::new().forward(y, target, Reduction::Mean)
    }
    fn predicted(&self, y: Tensor<O>) -> Tensor<O> {
        y
    }
}

/// A network that learns classes, or predicts.
pub fn classes<N, const I: usize>(
    net: N,
    device: Device,
    workload: Workload,
    data: &Data,
    optimizer: ModuleOptimizer,
) -> Box<dyn Run>
where
    N: Forward<I, 2> + 'static,
{
    let targets = |samples: &std::ops::Range<usize>| {
        let labels: Vec<i64> = data.labels[samples.clone()].iter().map(|&label| i64::from(label)).collect();
        Tensor::<1, Int>::from_data(TensorData::new(labels, [samples.len()]), &device)
    };
    let batches = batches(&workload, data, &device, targets);
    runs(net, workload, batches, Classes(CrossEntropyLossConfig::new().init(&device)), optimizer, 1e-3)
}

/// A network that learns numbers, or predicts.
pub fn numbers<N, const I: usize, const O: usize>(
    net: N,
    device: Device,
    workload: Workload,
    data: &Data,
    optimizer: ModuleOptimizer,
    rate: f64,
) -> Box<dyn Run>
where
    N: Forward<I, O> + 'static,
{
    let targets = |samples: &std::ops::Range<usize>| {
        let mut shape = vec![samples.len(), data.target_width];
        shape.resize(O, 1);
        Tensor::<O>::from_data(TensorData::new(data.values(samples).to_vec(), shape), &device)
    };
    let batches = batches(&workload, data, &device, targets);
    runs(net, workload, batches, Numbers, optimizer, rate)
}

fn batches<T, const I: usize>(
    workload: &Workload,
    data: &Data,
    device: &Device,
    targets: impl Fn(&std::ops::Range<usize>) -> T,
) -> Vec<(Tensor<I>, T)> {
    let of = |samples: std::ops::Range<usize>| {
        let shape: Vec<usize> = [&[samples.len()], workload.net.input()].concat();
        (Tensor::from_data(TensorData::new(data.inputs(&samples).to_vec(), shape), device), targets(&samples))
    };
    data.batches(workload).into_iter().map(of).collect()
}

fn runs<N, L, const I: usize, const O: usize>(
    net: N,
    workload: Workload,
    batches: Vec<(Tensor<I>, L::Target)>,
    loss: L,
    optimizer: ModuleOptimizer,
    rate: f64,
) -> Box<dyn Run>
where
    N: Forward<I, O> + 'static,
    L: Loss<O> + 'static,
    L::Target: 'static,
{
    match workload.train {
        true => {
            let (initial, untouched) = (net.clone(), optimizer.clone());
            Box::new(Train { initial, untouched, net: Some(net), optimizer, batches, next: 0, loss, rate, last: None })
        }
        false => Box::new(Predict { net, loss, batches: batches.into_iter().map(|(x, _)| x).collect(), next: 0 }),
    }
}

struct Train<N, L: Loss<O>, const I: usize, const O: usize> {
    initial: N,
    untouched: ModuleOptimizer,
    net: Option<N>, // `step` of an optimiser takes it and gives it back
    optimizer: ModuleOptimizer,
    batches: Vec<(Tensor<I>, L::Target)>,
    next: usize,
    loss: L,
    rate: f64,
    last: Option<Tensor<1>>,
}

impl<N: Forward<I, O>, L: Loss<O>, const I: usize, const O: usize> Run for Train<N, L, I, O> {
    fn fresh(&mut self) {
        self.net = Some(self.initial.clone());
        self.optimizer = self.untouched.clone();
    }

    fn step(&mut self) {
        let net = self.net.take().expect("a network");
        let (x, target) = self.batches[self.next].clone();
        let loss = self.loss.of(net.forward(x), target);
        let grads = GradientsParams::from_grads(loss.backward(), &net);
        self.net = Some(self.optimizer.step(self.rate, net, grads));
        self.last = Some(loss);
        self.next = (self.next + 1) % self.batches.len();
    }

    fn loss(&mut self) -> Option<f64> {
        Some(f64::from(self.last.take()?.into_scalar::<f32>()))
    }
}

struct Predict<N, L, const I: usize, const O: usize> {
    net: N,
    loss: L,
    batches: Vec<Tensor<I>>,
    next: usize,
}

impl<N: Forward<I, O>, L: Loss<O>, const I: usize, const O: usize> Run for Predict<N, L, I, O> {
    fn step(&mut self) {
        std::hint::black_box(self.loss.predicted(self.net.forward(self.batches[self.next].clone())));
        self.next = (self.next + 1) % self.batches.len();
    }
}
