//! Nothing large is ever on the stack: ten million parameters train on a thread with two megabytes of it, in a debug build too.

use nn_runtime::prelude::*;

network! {
    struct Big: [2000] -> [10] { Dense(2000) -> Relu -> Dense(3000) -> Relu -> Dense(10) -> Softmax }
}

#[test]
fn ten_million_parameters_on_a_small_stack() {
    assert!(Big::params() > 10_000_000);
    let work = || {
        let x = vec![0.5; 4 * 2000];
        let data = Dataset::classes((&x[..], 2000), [0u32, 1, 2, 3]).unwrap();
        let mut model = Big::init(1);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-4));
        let first = trainer.step(&data).unwrap();
        for _ in 0..3 {
            trainer.step(&data).unwrap();
        }
        assert!(trainer.step(&data).unwrap() < first);
        let file = std::env::temp_dir().join(format!("nn-big-{}.safetensors", std::process::id()));
        model.save(&file).unwrap();
        let loaded = Model::<Big>::load(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let image = x[..2000].try_into().unwrap();
        assert_eq!(loaded.predictor(1).predict(image), model.predictor(1).predict(image));
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}
