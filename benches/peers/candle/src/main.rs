//! candle on the CPU: networks from its modules, Adam as its AdamW without decay.

mod networks;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{AdamW, Optimizer, ParamsAdamW, SGD, VarBuilder, VarMap, loss, ops};
use networks::Forward;
use peer::{Data, Net, Run, Workload};

fn main() {
    peer::serve("candle-core", &["cpu"], |_, workload, data, _| {
        make(workload, &data).map_err(|error| error.to_string())
    });
}

fn make(workload: Workload, data: &Data) -> Result<Box<dyn Run>> {
    let batch = |samples: std::ops::Range<usize>| {
        let shape = [&[samples.len()], workload.net.input()].concat();
        let x = Tensor::from_slice(data.inputs(&samples), shape, &Device::Cpu)?;
        let target = match workload.net.classes() {
            true => Tensor::from_slice(&data.labels[samples.clone()], samples.len(), &Device::Cpu)?,
            false if workload.net == Net::Lstm => {
                Tensor::from_slice(data.values(&samples), (samples.len(), data.target_width, 1), &Device::Cpu)?
            }
            false => Tensor::from_slice(data.values(&samples), (samples.len(), data.target_width), &Device::Cpu)?,
        };
        Ok((x, target))
    };
    let batches = data.batches(&workload).into_iter().map(batch).collect::<Result<Vec<_>>>()?;
    let learner = Learner::new(workload.net)?;
    Ok(match workload.train {
        true => Box::new(Train { net: workload.net, batches, next: 0, learner, last: None }),
        // Detached: nothing is recorded for a gradient that nobody asks for.
        false => Box::new(Predict {
            classes: workload.net.classes(),
            forward: learner.forward_detached(workload.net)?,
            batches: batches.into_iter().map(|(x, _)| x).collect(),
            next: 0,
        }),
    })
}

/// A network with its optimiser.
struct Learner {
    forward: Forward,
    vars: VarMap,
    rule: Rule,
}

enum Rule {
    Sgd(SGD),
    Adam(AdamW),
}

impl Learner {
    fn new(net: Net) -> Result<Self> {
        let vars = VarMap::new();
        let forward = networks::build(net, VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu), true)?;
        let rule = match net {
            Net::Linreg => Rule::Sgd(SGD::new(vars.all_vars(), 0.1)?),
            _ => Rule::Adam(AdamW::new(
                vars.all_vars(),
                ParamsAdamW { lr: 1e-3, weight_decay: 0.0, ..Default::default() },
            )?),
        };
        Ok(Learner { forward, vars, rule })
    }

    fn forward_detached(&self, net: Net) -> Result<Forward> {
        let vars = self.vars.data().lock().expect("no other thread");
        let tensors = vars.iter().map(|(name, var)| (name.clone(), var.as_detached_tensor())).collect();
        networks::build(net, VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu), false)
    }
}

struct Train {
    net: Net,
    batches: Vec<(Tensor, Tensor)>,
    next: usize,
    learner: Learner,
    last: Option<Tensor>,
}

impl Train {
    fn try_step(&mut self) -> Result<()> {
        let (x, target) = &self.batches[self.next];
        let y = (self.learner.forward)(x)?;
        let loss = if self.net.classes() { loss::cross_entropy(&y, target)? } else { loss::mse(&y, target)? };
        match &mut self.learner.rule {
            Rule::Sgd(rule) => rule.backward_step(&loss)?,
            Rule::Adam(rule) => rule.backward_step(&loss)?,
        }
        self.last = Some(loss);
        self.next = (self.next + 1) % self.batches.len();
        Ok(())
    }
}

impl Run for Train {
    fn fresh(&mut self) {
        self.learner = Learner::new(self.net).expect("a network that was made before");
    }

    fn step(&mut self) {
        self.try_step().unwrap_or_else(|error| panic!("{error}"));
    }

    fn loss(&mut self) -> Option<f64> {
        self.last.as_ref()?.to_scalar::<f32>().ok().map(f64::from)
    }
}

struct Predict {
    classes: bool,
    forward: Forward,
    batches: Vec<Tensor>,
    next: usize,
}

impl Run for Predict {
    fn step(&mut self) {
        let y = (self.forward)(&self.batches[self.next]);
        let y = y.and_then(|y| if self.classes { ops::softmax_last_dim(&y) } else { Ok(y) });
        std::hint::black_box(y.unwrap_or_else(|error| panic!("{error}")));
        self.next = (self.next + 1) % self.batches.len();
    }
}
