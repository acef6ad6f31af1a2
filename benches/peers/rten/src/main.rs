//! rten: predictions from the ONNX files that `onnx_files.py` writes next to the data, weights packed before.
//! It does not train.

use peer::{Data, Run, Workload};
use rten::{Model, ModelOptions};
use rten_tensor::prelude::*;
use std::path::Path;

fn main() {
    peer::serve("rten", &["cpu"], |_, workload, data, dir| match workload.train {
        true => Err("does not train".to_string()),
        false => make(workload, &data, dir),
    });
}

struct Predict {
    model: Model,
    batches: Vec<rten_tensor::Tensor<f32>>,
    next: usize,
}

fn make(workload: Workload, data: &Data, dir: &Path) -> Result<Box<dyn Run>, String> {
    let file = dir.join(format!("{}.onnx", workload.net.name()));
    let model = ModelOptions::with_all_ops().prepack_weights(true).load_file(file).map_err(|e| e.to_string())?;
    let batch = |samples: std::ops::Range<usize>| {
        let shape = [&[samples.len()], workload.net.input()].concat();
        rten_tensor::Tensor::from_data(&shape, data.inputs(&samples).to_vec())
    };
    Ok(Box::new(Predict { model, batches: data.batches(&workload).into_iter().map(batch).collect(), next: 0 }))
}

impl Run for Predict {
    fn step(&mut self) {
        let y = self.model.run_one(self.batches[self.next].view().into(), None);
        std::hint::black_box(y.unwrap_or_else(|error| panic!("{error}")));
        self.next = (self.next + 1) % self.batches.len();
    }

    /// Within the pool of one thread, so that no step waits for another thread to wake.
    fn steps(&mut self, steps: usize) -> peer::Done {
        let pool = rten::thread_pool();
        pool.run(|| {
            let begun = std::time::Instant::now();
            for _ in 0..steps {
                self.step();
            }
            peer::Done { steps, time: begun.elapsed() }
        })
    }
}
