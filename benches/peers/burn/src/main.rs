//! burn on its CPU backends: `flex`, and `ndarray`, which flex replaces. Its third, `cpu`, compiles kernels
//! at run time by an LLVM that its build script downloads, and is not measured here.

mod networks;
mod runs;

use burn::optim::{AdamConfig, SgdConfig};
use burn::tensor::Device;
use peer::{Net, Run};

use networks::{ConvNet, Dense, Encoder, Forecast};
use runs::{classes, numbers};

fn main() {
    peer::serve("burn", &["flex", "ndarray"], |form, workload, data, _| {
        // Deprecated, but whichever is faster counts.
        #[allow(deprecated)]
        let device = match form {
            "flex" => Device::flex(),
            _ => Device::ndarray(),
        };
        // Only a device for training records what a gradient needs.
        let device = if workload.train { device.autodiff() } else { device };
        let adam = || AdamConfig::new().with_epsilon(1e-8).init();
        let run: Box<dyn Run> = match workload.net {
            Net::Linreg => numbers(Dense::of(workload.net, &device), device, workload, &data, SgdConfig::new().init(), 0.1),
            Net::Lstm => numbers(Forecast::new(&device), device, workload, &data, adam(), 1e-3),
            Net::Tfm => classes(Encoder::new(&device), device, workload, &data, adam()),
            Net::Cnn => classes(ConvNet::cnn(&device), device, workload, &data, adam()),
            Net::Lenet5 => classes(ConvNet::lenet5(&device), device, workload, &data, adam()),
            Net::Mlp10 | Net::Mnist128 | Net::MlpWide => {
                classes(Dense::of(workload.net, &device), device, workload, &data, adam())
            }
            Net::Tiny | Net::Policy | Net::Sc24 | Net::Sc4 => {
                numbers(Dense::of(workload.net, &device), device, workload, &data, adam(), 1e-3)
            }
        };
        Ok(run)
    });
}
