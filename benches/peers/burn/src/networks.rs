//! The networks of the table, from burn's own modules.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::transformer::{TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig, Lstm, LstmConfig};
use burn::tensor::activation::{elu, relu, tanh};
use burn::tensor::{Device, Tensor};
use peer::{Activation, Net};

/// A network from rows of `I - 1` axes to rows of `O - 1`.
pub trait Forward<const I: usize, const O: usize>: Module {
    fn forward(&self, x: Tensor<I>) -> Tensor<O>;
}

/// Dense layers with an activation between.
#[derive(Module, Debug)]
pub struct Dense {
    layers: Vec<Linear>,
    dropout: Option<Dropout>,
    #[module(skip)]
    activation: Activation,
}

impl Dense {
    pub fn new(sizes: &[usize], device: &Device) -> Self {
        let layers = sizes.windows(2).map(|pair| LinearConfig::new(pair[0], pair[1]).init(device)).collect();
        Dense { layers, dropout: None, activation: Activation::Relu }
    }

    /// A network of dense layers, as the table says.
    pub fn of(net: Net, device: &Device) -> Self {
        let sizes = net.dense().expect("dense layers only");
        let mut dense = Dense { activation: net.activation(), ..Self::new(sizes, device) };
        if let (Some(rate), [.., inputs, outputs]) = (net.dropout(), sizes) {
            let last = LinearConfig::new(*inputs, *outputs).with_bias(false).init(device);
            *dense.layers.last_mut().expect("a layer") = last;
            dense.dropout = Some(DropoutConfig::new(f64::from(rate)).init());
        }
        dense
    }
}

impl Forward<2, 2> for Dense {
    fn forward(&self, mut x: Tensor<2>) -> Tensor<2> {
        for (i, layer) in self.layers.iter().enumerate() {
            x = layer.forward(x);
            if i + 1 < self.layers.len() {
                x = match self.activation {
                    Activation::Relu => relu(x),
                    Activation::Tanh => tanh(x),
                    Activation::Elu => elu(x, 1.0),
                };
            }
            if let (Some(dropout), true) = (&self.dropout, i + 2 == self.layers.len()) {
                x = dropout.forward(x);
            }
        }
        x
    }
}

/// Two convolutions, each with ReLU and pooling, then dense layers.
#[derive(Module, Debug)]
pub struct ConvNet {
    first: Conv2d,
    second: Conv2d,
    pool: MaxPool2d,
    head: Dense,
}

impl ConvNet {
    pub fn cnn(device: &Device) -> Self {
        Self::new([32, 64], 3, &[1600, 64, 10], device)
    }

    pub fn lenet5(device: &Device) -> Self {
        Self::new([6, 16], 5, &[256, 120, 84, 10], device)
    }

    fn new([first, second]: [usize; 2], kernel: usize, sizes: &[usize], device: &Device) -> Self {
        ConvNet {
            first: Conv2dConfig::new([1, first], [kernel, kernel]).init(device),
            second: Conv2dConfig::new([first, second], [kernel, kernel]).init(device),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            head: Dense::new(sizes, device),
        }
    }
}

impl Forward<4, 2> for ConvNet {
    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.pool.forward(relu(self.first.forward(x)));
        let x = self.pool.forward(relu(self.second.forward(x)));
        self.head.forward(x.flatten(1, 3))
    }
}

/// An LSTM of 32 units and a dense layer for each step.
#[derive(Module, Debug)]
pub struct Forecast {
    lstm: Lstm,
    head: Linear,
}

impl Forecast {
    pub fn new(device: &Device) -> Self {
        Forecast { lstm: LstmConfig::new(1, 32, true).init(device), head: LinearConfig::new(32, 1).init(device) }
    }
}

impl Forward<3, 3> for Forecast {
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.head.forward(self.lstm.forward(x, None).0)
    }
}

/// One pre-norm encoder block, the mean over its steps, a dense layer.
#[derive(Module, Debug)]
pub struct Encoder {
    block: TransformerEncoder,
    head: Linear,
}

impl Encoder {
    pub fn new(device: &Device) -> Self {
        let block = TransformerEncoderConfig::new(64, 256, 4, 1).with_dropout(0.0).with_norm_first(true);
        Encoder { block: block.init(device), head: LinearConfig::new(64, 10).init(device) }
    }
}

impl Forward<3, 2> for Encoder {
    fn forward(&self, x: Tensor<3>) -> Tensor<2> {
        let y = self.block.forward(TransformerEncoderInput::new(x));
        self.head.forward(y.mean_dim(1).squeeze_dim(1))
    }
}
