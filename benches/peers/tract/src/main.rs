//! tract: predictions from the ONNX files that `onnx_files.py` writes next to the data. It does not train.

use peer::{Data, Run, Workload};
use std::path::Path;
use tract_onnx::prelude::*;

fn main() {
    peer::serve("tract-onnx", &["cpu"], |_, workload, data, dir| match workload.train {
        true => Err("does not train".to_string()),
        false => make(workload, &data, dir).map_err(|error| format!("{error:#}")),
    });
}

struct Predict {
    state: TypedSimpleState,
    batches: Vec<TValue>,
    next: usize,
}

fn make(workload: Workload, data: &Data, dir: &Path) -> TractResult<Box<dyn Run>> {
    let shape_of = |samples: usize| [&[samples], workload.net.input()].concat();
    let file = dir.join(format!("{}.onnx", workload.net.name()));
    let fact = f32::fact(shape_of(workload.batch));
    let model = onnx().model_for_path(file)?.with_input_fact(0, fact.into())?.into_optimized()?.into_runnable()?;
    let batch = |samples: std::ops::Range<usize>| {
        Ok(Tensor::from_shape(&shape_of(samples.len()), data.inputs(&samples))?.into_tvalue())
    };
    let batches = data.batches(&workload).into_iter().map(batch).collect::<TractResult<Vec<_>>>()?;
    Ok(Box::new(Predict { state: model.spawn()?, batches, next: 0 }))
}

impl Run for Predict {
    fn step(&mut self) {
        let y = self.state.run(tvec!(self.batches[self.next].clone()));
        std::hint::black_box(y.unwrap_or_else(|error| panic!("{error:#}")));
        self.next = (self.next + 1) % self.batches.len();
    }
}
