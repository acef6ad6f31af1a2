//! Activations of one's own beside the built-in ones of the same form: forward, and the pull of a gradient,
//! from the nearer caches and from the farther one. What counts is the ratio of two rows.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nn_runtime::__private::{Curve, Of};
use nn_runtime::Isa;
use nn_runtime::prelude::*;

activation! {
    /// As `Silu`.
    pub own_silu(x) = x * sigmoid(x)
}
activation! {
    /// As `Silu`, with a constant.
    pub own_swish(x; beta = 1.0) = x * sigmoid(beta * x)
}
activation! {
    /// As `Tanh`.
    pub own_tanh(x) = tanh(x)
}
activation! {
    /// As `Relu`.
    pub own_relu(x) = max(x, 0.0)
}
activation! {
    /// As `Mish`, which is written by hand.
    pub own_mish(x) = x * tanh(softplus(x))
}

fn numbers(len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7 + 3) % 1009) as f32 / 100.0 - 5.0).collect()
}

fn measure<C: Curve>(c: &mut Criterion, name: &str, curve: &C) {
    let isa = Isa::detect();
    for len in [4 << 10, 256 << 10] {
        let (x, dy) = (numbers(len), numbers(len));
        let (mut y, mut dx) = (vec![0.0; len], vec![0.0; len]);
        let mut group = c.benchmark_group(format!("{len}"));
        group.throughput(Throughput::Elements(len as u64));
        group.bench_function(BenchmarkId::new(name, "forward"), |bench| {
            bench.iter(|| isa.map(&Of(curve), black_box(&x), &mut y));
        });
        let from = if C::FROM_OUTPUT { &y } else { &x };
        group.bench_function(BenchmarkId::new(name, "pull"), |bench| {
            bench.iter(|| isa.zip(&Of(curve), black_box(from), &dy, &mut dx));
        });
        group.finish();
    }
}

fn activations(c: &mut Criterion) {
    measure(c, "silu/built-in", &Silu::new());
    measure(c, "silu/own", &OwnSilu::new());
    measure(c, "silu/own with beta", &OwnSwish::new());
    measure(c, "tanh/built-in", &Tanh::new());
    measure(c, "tanh/own", &OwnTanh::new());
    measure(c, "relu/built-in", &Relu::new());
    measure(c, "relu/own", &OwnRelu::new());
    measure(c, "mish/built-in", &Mish::new());
    measure(c, "mish/own", &OwnMish::new());
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_millis(300)).warm_up_time(Duration::from_millis(100));
    targets = activations
}
criterion_main!(benches);
