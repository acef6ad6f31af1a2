//! The half of the test that is compiled with the drawn declarations. In: files of parameters and samples;
//! out: lines with what the networks make of them. It judges nothing.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use nn_runtime::{Model, Network, Ports};

/// What a file says: a key, then numbers.
pub struct Numbers(Vec<(String, Vec<f32>)>);

impl Numbers {
    pub fn get(&self, key: &str) -> &[f32] {
        &self.0.iter().find(|(name, _)| name == key).unwrap_or_else(|| panic!("`{key}` is given")).1
    }

    /// `key0`, `key1`, …
    fn all(&self, key: &str, count: usize) -> Vec<&[f32]> {
        (0..count).map(|i| self.get(&format!("{key}{i}"))).collect()
    }

    pub fn model<N: Network>(&self) -> Model<N> {
        let mut model = Model::<N>::init(0);
        for (key, values) in &self.0 {
            if let Some(name) = key.strip_prefix("param:") {
                model.set(name, values).unwrap_or_else(|error| panic!("{error}"));
            }
        }
        model
    }
}

pub fn print_line(key: impl Display, values: &[f32]) {
    let values: Vec<String> = values.iter().map(f32::to_string).collect();
    println!("{key} {}", values.join(" "));
}

/// Names, predictions and gradients.
pub fn print_gradients<N: Network>(numbers: &Numbers, inputs: usize, outputs: &[usize]) {
    let model = numbers.model::<N>();
    for tensor in model.tensors() {
        let shape: Vec<String> = tensor.shape.as_slice().iter().map(usize::to_string).collect();
        println!("tensor:{}:{} {}", tensor.name, if tensor.frozen { "frozen" } else { "free" }, shape.join(" "));
    }
    for batch in [1, 3] {
        let x = numbers.all(&format!("x{batch}_"), inputs);
        // Room for two at once: three samples go in two passes.
        let mut predictor = model.predictor(2);
        let mut y: Vec<Vec<f32>> = outputs.iter().map(|len| vec![0.0; batch * len]).collect();
        let mut slices: Vec<&mut [f32]> = y.iter_mut().map(|y| &mut y[..]).collect();
        predictor.predict_into(&x, &mut slices).unwrap_or_else(|error| panic!("{error}"));
        for (j, y) in y.iter().enumerate() {
            print_line(format!("y{batch}_{j}"), y);
        }
        let found = model.gradients(&x, &numbers.all(&format!("dy{batch}_"), outputs.len())).unwrap();
        for (k, dx) in found.inputs.iter().enumerate() {
            print_line(format!("dx{batch}_{k}"), dx);
        }
        for (name, values) in &found.params {
            print_line(format!("dparam{batch}:{name}"), values);
        }
    }
}

/// The outputs of a stream over each sample, step by step; or why there is none.
pub fn stream<N: Network>(numbers: &Numbers, inputs: usize, steps: usize) {
    let model = numbers.model::<N>();
    let mut streamer = match model.streamer() {
        Ok(streamer) => streamer,
        Err(error) => return println!("refused {}", error.to_string().replace('\n', " ")),
    };
    let samples = 3;
    let all = numbers.all("x3_", inputs);
    for sample in 0..samples {
        for step in 0..steps {
            let x: Vec<&[f32]> = all
                .iter()
                .map(|x| {
                    let whole = &x[x.len() / samples * sample..][..x.len() / samples];
                    &whole[whole.len() / steps * step..][..whole.len() / steps]
                })
                .collect();
            // Each step twice, the second time from where the stream stood before the first.
            let before = streamer.state();
            streamer.step(Ports::from_slices(&x)).unwrap_or_else(|error| panic!("{error}"));
            streamer.restore(&before).unwrap_or_else(|error| panic!("{error}"));
            let y = streamer.step(Ports::from_slices(&x)).unwrap_or_else(|error| panic!("{error}"));
            let mut outputs = [&[][..]; 4];
            y.to_slices(&mut outputs);
            for (j, y) in outputs.iter().enumerate().take(<N::StepOutput<'_> as Ports<'_>>::COUNT) {
                print_line(format!("stream{sample}_{step}_{j}"), y);
            }
        }
        streamer.reset();
    }
}

/// Writes the model as an ONNX file into the second folder of the command, if there is one, with the samples
/// and what is predicted of them beside it.
pub fn export<N: Network>(numbers: &Numbers, name: &str, inputs: usize, outputs: &[usize]) {
    let Some(folder) = std::env::args().nth(2) else { return };
    let model = numbers.model::<N>();
    let x = numbers.all("x3_", inputs);
    let mut y: Vec<Vec<f32>> = outputs.iter().map(|len| vec![0.0; 3 * len]).collect();
    let mut slices: Vec<&mut [f32]> = y.iter_mut().map(|y| &mut y[..]).collect();
    model.predictor(3).predict_into(&x, &mut slices).unwrap_or_else(|error| panic!("{error}"));
    let line = |key: &str, values: &[f32]| {
        let values: Vec<String> = values.iter().map(f32::to_string).collect();
        format!("{key} {}\n", values.join(" "))
    };
    let mut text: String = x.iter().map(|x| line("x", x)).collect();
    text.extend(y.iter().map(|y| line("y", y)));
    std::fs::write(Path::new(&folder).join(format!("graph_{name}.txt")), text).expect("a folder to write to");
    model.save_onnx(Path::new(&folder).join(format!("graph_{name}.onnx"))).unwrap_or_else(|error| panic!("{error}"));
}

/// The parameters after a step of training, of all samples or of the first alone.
pub fn print_params<N: Network>(key: &str, model: &Model<N>) {
    for tensor in model.tensors() {
        print_line(format!("{key}:{}", tensor.name), &model.get(&tensor.name).unwrap());
    }
}

/// Runs every graph; one that panics says so and lets the others run.
pub fn run(all: &[(&str, fn(&Numbers))]) {
    let folder = std::env::args().nth(1).expect("the folder of the cases");
    for (name, graph) in all {
        println!("graph {name}");
        let text = std::fs::read_to_string(Path::new(&folder).join(name)).expect("a numbers for each graph");
        let line = |line: &str| {
            let mut words = line.split(' ');
            let key = words.next().unwrap_or_default().to_owned();
            (key, words.map(|word| word.parse().expect("a number")).collect())
        };
        let numbers = Numbers(text.lines().map(line).collect());
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| graph(&numbers))) {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
            println!("panic {}", text.unwrap_or_default().replace('\n', " "));
        }
    }
}
