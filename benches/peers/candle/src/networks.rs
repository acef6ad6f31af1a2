//! The networks of the table, from candle's modules and operations.

use candle_core::{D, Module, Result, Tensor};
use candle_nn::rnn::{LSTMConfig, RNN};
use candle_nn::{Conv2dConfig, Linear, VarBuilder, conv2d, linear, linear_no_bias, lstm, ops};
use peer::{Activation, Net};

/// A network with its parameters.
pub type Forward = Box<dyn Fn(&Tensor) -> Result<Tensor>>;

/// The network with its parameters from `vars`.
pub fn build(net: Net, vars: VarBuilder, train: bool) -> Result<Forward> {
    match net {
        Net::Cnn => conv(net, vars, [32, 64], 3, &[1600, 64, 10]),
        Net::Lenet5 => conv(net, vars, [6, 16], 5, &[256, 120, 84, 10]),
        Net::Lstm => {
            let cell = lstm(1, 32, LSTMConfig::default(), vars.pp("lstm"))?;
            let head = linear(32, 1, vars.pp("head"))?;
            Ok(Box::new(move |x| head.forward(&cell.states_to_tensor(&cell.seq(x)?)?)))
        }
        Net::Tfm => encoder(vars),
        _ => dense(net, vars, net.dense().unwrap_or(&[]), train),
    }
}

fn dense(net: Net, vars: VarBuilder, sizes: &[usize], train: bool) -> Result<Forward> {
    let dropout = net.dropout();
    let layer = |(i, pair): (usize, &[usize])| match dropout {
        Some(_) if i + 2 == sizes.len() => linear_no_bias(pair[0], pair[1], vars.pp(format!("dense{i}"))),
        _ => linear(pair[0], pair[1], vars.pp(format!("dense{i}"))),
    };
    let layers = sizes.windows(2).enumerate().map(layer).collect::<Result<Vec<Linear>>>()?;
    Ok(Box::new(move |x| {
        let mut x = layers[0].forward(x)?;
        for (i, layer) in layers.iter().enumerate().skip(1) {
            x = match net.activation() {
                Activation::Relu => x.relu()?,
                Activation::Tanh => x.tanh()?,
                Activation::Elu => x.elu(1.0)?,
            };
            if let (Some(rate), true, true) = (dropout, train, i + 1 == layers.len()) {
                x = ops::dropout(&x, rate)?;
            }
            x = layer.forward(&x)?;
        }
        Ok(x)
    }))
}

fn conv(net: Net, vars: VarBuilder, [first, second]: [usize; 2], kernel: usize, sizes: &[usize]) -> Result<Forward> {
    let conv1 = conv2d(1, first, kernel, Conv2dConfig::default(), vars.pp("conv1"))?;
    let conv2 = conv2d(first, second, kernel, Conv2dConfig::default(), vars.pp("conv2"))?;
    let head = dense(net, vars, sizes, false)?;
    Ok(Box::new(move |x| {
        let x = conv1.forward(x)?.relu()?.max_pool2d(2)?;
        let x = conv2.forward(&x)?.relu()?.max_pool2d(2)?;
        head(&x.flatten_from(1)?)
    }))
}

/// Layer norm by differentiable operations: candle's own has no gradient.
fn norm(vars: VarBuilder) -> Result<Forward> {
    let weight = vars.get_with_hints(64, "weight", candle_nn::Init::Const(1.0))?;
    let bias = vars.get_with_hints(64, "bias", candle_nn::Init::Const(0.0))?;
    Ok(Box::new(move |x| {
        let x = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let scale = (x.sqr()?.mean_keepdim(D::Minus1)? + 1e-5)?.sqrt()?;
        x.broadcast_div(&scale)?.broadcast_mul(&weight)?.broadcast_add(&bias)
    }))
}

fn encoder(vars: VarBuilder) -> Result<Forward> {
    const HEADS: usize = 4;
    let (norm1, norm2) = (norm(vars.pp("norm1"))?, norm(vars.pp("norm2"))?);
    let qkv = linear(64, 3 * 64, vars.pp("qkv"))?;
    let out = linear(64, 64, vars.pp("out"))?;
    let up = linear(64, 256, vars.pp("up"))?;
    let down = linear(256, 64, vars.pp("down"))?;
    let head = linear(64, 10, vars.pp("head"))?;
    Ok(Box::new(move |x| {
        let (batch, steps, width) = x.dims3()?;
        // [3, batch, heads, steps, width / heads]
        let parts =
            qkv.forward(&norm1(x)?)?.reshape((batch, steps, 3, HEADS, width / HEADS))?.permute((2, 0, 3, 1, 4))?;
        let [q, k, v] = [parts.get(0)?.contiguous()?, parts.get(1)?.contiguous()?, parts.get(2)?.contiguous()?];
        let scores = (q.matmul(&k.t()?.contiguous()?)? * (1.0 / ((width / HEADS) as f64).sqrt()))?;
        let context = ops::softmax(&scores, D::Minus1)?.matmul(&v)?.transpose(1, 2)?.reshape((batch, steps, width))?;
        let x = (x + out.forward(&context)?)?;
        let x = (&x + down.forward(&up.forward(&norm2(&x)?)?.gelu_erf()?)?)?;
        head.forward(&x.mean(1)?)
    }))
}
