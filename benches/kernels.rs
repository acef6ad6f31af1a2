//! The kernels on their own: each operation on each instruction set the machine has.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nn_runtime::Isa;
use nn_runtime::kernels::matrix::{Panels, product, pull_w, pull_x, pull_x_scratch};

fn values(len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7 + 3) % 17) as f32 / 17.0 - 0.4).collect()
}

fn matrix(c: &mut Criterion) {
    for (b, k, n) in [(32, 784, 128), (32, 784, 10), (32, 10, 10), (1, 784, 128), (128, 1024, 1024)] {
        let panels = Panels::new(k, n);
        let (x, w, dy) = (values(b * k), values(panels.len()), values(b * n));
        let (mut y, mut dx, mut dw) = (vec![0.0; b * n], vec![0.0; b * k], vec![0.0; panels.len()]);
        let mut scratch = vec![0.0; pull_x_scratch(n) * b.next_multiple_of(16)];
        let mut group = c.benchmark_group(format!("{b}x{k}x{n}"));
        group.throughput(Throughput::Elements((b * k * n) as u64));
        for isa in Isa::available() {
            group.bench_function(BenchmarkId::new("product", isa.name()), |bench| {
                bench.iter(|| product(isa, panels, black_box(&x), &w, None, 0.0, &mut y));
            });
            group.bench_function(BenchmarkId::new("pull_x", isa.name()), |bench| {
                bench.iter(|| pull_x(isa, panels, black_box(&dy), &w, &mut dx, &mut scratch));
            });
            group.bench_function(BenchmarkId::new("pull_w", isa.name()), |bench| {
                bench.iter(|| pull_w(isa, panels, black_box(&x), &dy, 0..panels.len(), &mut dw));
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_millis(500)).warm_up_time(Duration::from_millis(200));
    targets = matrix
}
criterion_main!(benches);
