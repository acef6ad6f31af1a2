//! The kernels on their own: each operation on each instruction set the machine has.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::conv::fused_max_pool::{self, ConvMaxPool, MaxPoolGrad};
use nn_kernels::conv::{self, Conv, FilterBank};
use nn_kernels::long_sums::Sums;
use nn_kernels::matrix::{Panels, backward_input, backward_input_scratch, backward_weight, product};
use nn_kernels::pool::Pool;
use nn_runtime::Isa;

/// The dense products of the workloads: batch, inputs, outputs.
const DENSE: [(usize, usize, usize); 20] = [
    (32, 784, 128),
    (128, 784, 128),
    (32, 128, 10),
    (32, 784, 10),
    (32, 10, 10),
    (128, 784, 1024),
    (128, 1024, 1024),
    (32, 1600, 64),
    (32, 256, 120),
    (32, 120, 84),
    (32, 84, 10),
    (2048, 1, 128),
    (32, 32, 128),
    (2048, 32, 1),
    (1024, 64, 64),
    (1024, 64, 192),
    (1024, 64, 256),
    (1024, 256, 64),
    (1, 784, 128),
    (1, 784, 10),
];

/// Gradients that a trainer asks for at a time, at most.
const STRIP: usize = 32 * 1024;

fn values(len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7 + 3) % 17) as f32 / 17.0 - 0.4).collect()
}

/// As many at the start of a cache line, as parameters and values of a network lie.
fn lines(len: usize) -> AlignedBuffer {
    let mut block = AlignedBuffer::zeroed(len);
    block.copy_from_slice(&values(len));
    block
}

fn matrix(c: &mut Criterion) {
    for (b, k, n) in DENSE {
        let panels = Panels::best(k, n);
        let (x, w, dy) = (lines(b * k), lines(panels.len()), lines(b * n));
        let (mut y, mut dx, mut dw) = (lines(b * n), lines(b * k), lines(panels.len().min(STRIP)));
        let mut scratch = lines(backward_input_scratch(n));
        let mut group = c.benchmark_group(format!("{b}x{k}x{n}"));
        group.throughput(Throughput::Elements((b * k * n) as u64));
        for isa in Isa::available() {
            group.bench_function(BenchmarkId::new("product", isa.name()), |bench| {
                bench.iter(|| product(isa, panels, black_box(&x), &w, None, 0.0, &mut y));
            });
            group.bench_function(BenchmarkId::new("backward_input", isa.name()), |bench| {
                bench.iter(|| backward_input(isa, panels, black_box(&dy), &w, &mut dx, &mut scratch));
            });
            group.bench_function(BenchmarkId::new("backward_weight", isa.name()), |bench| {
                bench.iter(|| {
                    for start in (0..panels.len()).step_by(STRIP) {
                        let range = start..panels.len().min(start + STRIP);
                        backward_weight(
                            isa,
                            panels,
                            black_box(&x),
                            &dy,
                            range.clone(),
                            &mut dw[..range.len()],
                            Sums::default(),
                        );
                    }
                });
            });
        }
        group.finish();
    }
}

/// The convolutions of `cnn` and `lenet5`, alone, and with the floor and the pool that follow them. The
/// throughput of a pull through maxima is that of the whole convolution, of whose products it needs a quarter
/// at most.
fn convolution(criterion: &mut Criterion) {
    const BATCH: usize = 32;
    let layers = [
        ("cnn.1", Conv::new([1, 28, 28], 32, [3, 3])),
        ("cnn.2", Conv::new([32, 13, 13], 64, [3, 3])),
        ("lenet5.1", Conv::new([1, 28, 28], 6, [5, 5])),
        ("lenet5.2", Conv::new([6, 12, 12], 16, [5, 5])),
    ];
    for (name, c) in layers {
        let [height, width] = c.output();
        let pool = Pool::new([c.filters, height, width], [2, 2]);
        let fused = ConvMaxPool { conv: c, pool };
        let (x, w, dy) = (values(BATCH * c.x_len()), values(c.panels().len()), values(BATCH * c.y_len()));
        let (mut y, mut dx, mut dw) = (vec![0.0; dy.len()], vec![0.0; x.len()], vec![0.0; w.len()]);
        let (mut most, mut at) = (vec![0.0; BATCH * pool.y_len()], vec![0.0; BATCH * pool.y_len()]);
        let mut scratch = vec![0.0; c.scratch().max(fused.scratch())];
        let filters = FilterBank { w: &w, bias: None, floor: 0.0 };
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements((BATCH * c.macs()) as u64));
        for isa in Isa::available() {
            group.bench_function(BenchmarkId::new("forward", isa.name()), |bench| {
                bench.iter(|| conv::forward(isa, c, black_box(&x), filters, &mut y, &mut scratch));
            });
            group.bench_function(BenchmarkId::new("backward_input", isa.name()), |bench| {
                bench.iter(|| conv::backward_input(isa, c, black_box(&dy), &w, &mut dx, &mut scratch));
            });
            group.bench_function(BenchmarkId::new("backward_weight", isa.name()), |bench| {
                bench.iter(|| conv::backward_weight(isa, c, black_box(&x), &dy, 0..w.len(), &mut dw, &mut scratch));
            });
            group.bench_function(BenchmarkId::new("fused_max_pool.forward", isa.name()), |bench| {
                bench.iter(|| {
                    fused_max_pool::forward(isa, fused, black_box(&x), filters, &mut most, &mut at, &mut scratch)
                });
            });
            let grad = MaxPoolGrad { dy: &dy[..most.len()], argmax: &at };
            group.bench_function(BenchmarkId::new("fused_max_pool.backward_input", isa.name()), |bench| {
                bench.iter(|| fused_max_pool::backward_input(isa, fused, black_box(grad), &w, &mut dx, &mut scratch));
            });
            group.bench_function(BenchmarkId::new("fused_max_pool.backward_weight", isa.name()), |bench| {
                bench.iter(|| {
                    fused_max_pool::backward_weight(isa, fused, black_box(&x), grad, 0..w.len(), &mut dw, &mut scratch)
                });
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_millis(500)).warm_up_time(Duration::from_millis(200));
    targets = matrix, convolution
}
criterion_main!(benches);
