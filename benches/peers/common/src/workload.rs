//! The workload table: ids as in `benches/networks.rs`, `step/cnn/32` or `predict/cnn/1`.

/// A network of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Net {
    /// 2 → 1, SGD.
    Linreg,
    /// 784-10-10-10.
    Mlp10,
    /// 784-128-10.
    Mnist128,
    /// 784-1024-1024-10.
    MlpWide,
    /// conv32 pool conv64 pool dense64 dense10.
    Cnn,
    /// conv6 5×5 pool conv16 5×5 pool 120-84-10.
    Lenet5,
    /// 64 steps of 1 feature, 32 units, dense 1 per step.
    Lstm,
    /// One pre-norm encoder block over 32 × 64, 4 heads, 256 hidden units, mean over steps, dense 10.
    Tfm,
    /// 4-32-32-2, tanh.
    Tiny,
    /// 48-256-128-64-12, ELU.
    Policy,
    /// 24-8-2: tanh, a dropout of 0.2, no bias at the end: the first network of SimpleChains.jl's README.
    Sc24,
    /// 4-32-16-4, tanh: the second one.
    Sc4,
}

/// What stands between dense layers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Activation {
    /// max(x, 0)
    Relu,
    /// tanh(x)
    Tanh,
    /// x, below 0 exp(x) - 1
    Elu,
}

impl Net {
    const ALL: [(&str, Net); 12] = [
        ("linreg", Net::Linreg),
        ("mlp10", Net::Mlp10),
        ("mnist128", Net::Mnist128),
        ("mlp-wide", Net::MlpWide),
        ("cnn", Net::Cnn),
        ("lenet5", Net::Lenet5),
        ("lstm", Net::Lstm),
        ("tfm", Net::Tfm),
        ("tiny", Net::Tiny),
        ("policy", Net::Policy),
        ("sc24", Net::Sc24),
        ("sc4", Net::Sc4),
    ];

    /// Its name in ids, and that of its ONNX file.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, net)| *net == self).map_or("", |(name, _)| name)
    }

    /// The sizes from the input to the output, where all layers are dense.
    pub fn dense(self) -> Option<&'static [usize]> {
        match self {
            Net::Linreg => Some(&[2, 1]),
            Net::Mlp10 => Some(&[784, 10, 10, 10]),
            Net::Mnist128 => Some(&[784, 128, 10]),
            Net::MlpWide => Some(&[784, 1024, 1024, 10]),
            Net::Tiny => Some(&[4, 32, 32, 2]),
            Net::Policy => Some(&[48, 256, 128, 64, 12]),
            Net::Sc24 => Some(&[24, 8, 2]),
            Net::Sc4 => Some(&[4, 32, 16, 4]),
            Net::Cnn | Net::Lenet5 | Net::Lstm | Net::Tfm => None,
        }
    }

    /// What stands between its dense layers.
    pub fn activation(self) -> Activation {
        match self {
            Net::Tiny | Net::Sc24 | Net::Sc4 => Activation::Tanh,
            Net::Policy => Activation::Elu,
            _ => Activation::Relu,
        }
    }

    /// The dropout before its last layer, which has no bias then.
    pub fn dropout(self) -> Option<f32> {
        (self == Net::Sc24).then_some(0.2)
    }

    /// One sample's shape.
    pub fn input(self) -> &'static [usize] {
        match self {
            Net::Linreg => &[2],
            Net::Mlp10 | Net::Mnist128 | Net::MlpWide => &[784],
            Net::Cnn | Net::Lenet5 => &[1, 28, 28],
            Net::Lstm => &[64, 1],
            Net::Tfm => &[32, 64],
            Net::Tiny | Net::Sc4 => &[4],
            Net::Policy => &[48],
            Net::Sc24 => &[24],
        }
    }

    /// The files it learns from.
    pub fn data(self) -> &'static str {
        match self {
            Net::Linreg => "line",
            Net::Lstm => "series",
            Net::Tfm => "tokens",
            Net::Tiny | Net::Policy | Net::Sc24 | Net::Sc4 => self.name(),
            _ => "digits",
        }
    }

    /// Whether it learns classes by cross-entropy; the others learn numbers by the mean squared error.
    pub fn classes(self) -> bool {
        !matches!(self, Net::Linreg | Net::Lstm | Net::Tiny | Net::Policy | Net::Sc24 | Net::Sc4)
    }
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// Whether it trains; otherwise it predicts.
    pub train: bool,
    /// What it runs.
    pub net: Net,
    /// Samples at once.
    pub batch: usize,
}

impl Workload {
    /// Reads `step/cnn/32` or `predict/cnn/1`.
    pub fn parse(id: &str) -> Option<Self> {
        let mut parts = id.split('/');
        let train = match parts.next()? {
            "step" => true,
            "predict" => false,
            _ => return None,
        };
        let name = parts.next()?;
        let (_, net) = *Net::ALL.iter().find(|(known, _)| *known == name)?;
        let batch = parts.next()?.parse().ok().filter(|&batch| batch > 0)?;
        parts.next().is_none().then_some(Workload { train, net, batch })
    }
}
