//! This project as a peer among peers, and the writer of the data that all learn from. `peer-ours DATA write`
//! writes the data; `peer-ours DATA fit|step` takes turns: an epoch of `Trainer::fit` at a time, which
//! shuffles and gathers, or `Trainer::step` on batches gathered before, which looks through each batch for
//! NaN. Users get either.

mod data;
mod networks;
mod runs;

use std::path::Path;

use nn_runtime::losses::Fits;
use nn_runtime::prelude::*;
use peer::{Data, Net, Run, Workload};

use networks::{Cnn, Lenet5, Linreg, Lstm1, Mlp10, MlpWide, Mnist128, Policy, Sc4, Sc24, Tfm, Tiny};
use runs::{fit, predict, step};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match &args[..] {
        [_, dir, what] if what == "write" => data::write(Path::new(dir)).expect("a directory to write to"),
        _ => peer::serve("nn-runtime", &["fit", "step"], |form, workload, data, _| {
            Ok(make(form == "fit", workload, &data))
        }),
    }
}

fn make(whole: bool, workload: Workload, data: &Data) -> Box<dyn Run> {
    match workload.net {
        Net::Linreg => numbers::<Linreg, _>(whole, workload, data, Sgd::new(0.1)),
        Net::Lstm => numbers::<Lstm1, _>(whole, workload, data, Adam::new(1e-3)),
        Net::Mlp10 => classes::<Mlp10>(whole, workload, data),
        Net::Mnist128 => classes::<Mnist128>(whole, workload, data),
        Net::MlpWide => classes::<MlpWide>(whole, workload, data),
        Net::Cnn => classes::<Cnn>(whole, workload, data),
        Net::Lenet5 => classes::<Lenet5>(whole, workload, data),
        Net::Tfm => classes::<Tfm>(whole, workload, data),
        Net::Tiny => numbers::<Tiny, _>(whole, workload, data, Adam::new(1e-3)),
        Net::Policy => numbers::<Policy, _>(whole, workload, data, Adam::new(1e-3)),
        Net::Sc24 => numbers::<Sc24, _>(whole, workload, data, Adam::new(1e-3)),
        Net::Sc4 => numbers::<Sc4, _>(whole, workload, data, Adam::new(1e-3)),
    }
}

fn classes<N>(whole: bool, workload: Workload, data: &Data) -> Box<dyn Run>
where
    N: Network + 'static,
    CrossEntropy: Fits<N::Head>,
{
    let set = Dataset::classes((&data.x[..], data.width), data.labels.iter().copied()).expect("whole samples");
    match (workload.train, whole) {
        (true, true) => fit::<N, _, _, _>(workload, set, CrossEntropy::new(), Adam::new(1e-3)),
        (true, false) => step::<N, _, _, _>(workload, data, &set, CrossEntropy::new(), Adam::new(1e-3)),
        (false, _) => predict::<N>(workload, data),
    }
}

fn numbers<N, O>(whole: bool, workload: Workload, data: &Data, optimizer: O) -> Box<dyn Run>
where
    N: Network + 'static,
    Mse: Fits<N::Head>,
    O: Optimizer + Clone + 'static,
{
    let set =
        Dataset::values((&data.x[..], data.width), (&data.targets[..], data.target_width)).expect("whole samples");
    match (workload.train, whole) {
        (true, true) => fit::<N, _, _, _>(workload, set, Mse::new(), optimizer),
        (true, false) => step::<N, _, _, _>(workload, data, &set, Mse::new(), optimizer),
        (false, _) => predict::<N>(workload, data),
    }
}
