//! A model in bytes within a program, beside the same read from its file: equal in every bit. In: the file of
//! ST's network for MNIST, and digits.

use super::mnist::StMnist;
use nn_runtime::data::digits;
use nn_runtime::int8::Quantized;
use nn_runtime::int8_model;

int8_model! {
    /// In bytes.
    struct SmallMnist: StMnist = "../../examples/data/st-mnist.int8";
}

fn bits(y: &[f32]) -> Vec<u32> {
    y.iter().map(|y| y.to_bits()).collect()
}

#[test]
fn a_model_within_a_program_predicts_what_its_file_does() {
    let bytes = include_bytes!("../../examples/data/st-mnist.int8");
    let small = Quantized::<StMnist>::from_bytes(bytes).unwrap();
    assert_eq!(small.to_bytes(), bytes);
    let (mut predictor, mut embedded) = (small.predictor(), SmallMnist::new());
    let data = digits::draw(200, 5);
    for sample in 0..data.len() {
        let x = data.input(0, sample).try_into().unwrap();
        assert_eq!(bits(predictor.predict(x)), bits(embedded.predict(x)), "sample {sample}");
    }
    let odd = core::array::from_fn(|i| if i == 17 { f32::NAN } else { 0.5 });
    assert!(embedded.predict(&odd).iter().all(|y| y.is_nan()));
    // Constants have no padding there, and memory no scratch.
    assert!(SmallMnist::CONSTANTS < small.weight_bytes());
    assert!(size_of::<SmallMnist>() < small.predict_bytes() + 4 * 36);
}

/// What `examples/embedded/run.sh` compares a microcontroller's answer with.
#[test]
fn a_microcontroller_has_these_bits() {
    let seven = |at: usize| {
        let (y, x) = (at / 28, at % 28);
        let bar = (5..8).contains(&y) && (7..21).contains(&x);
        let stroke = (8..24).contains(&y) && (0..3).contains(&(x + (y - 8) / 2).wrapping_sub(18));
        f32::from(u8::from(bar || stroke))
    };
    let small = Quantized::<StMnist>::from_bytes(include_bytes!("../../examples/data/st-mnist.int8")).unwrap();
    let mut predictor = small.predictor();
    let y = predictor.predict(&core::array::from_fn(seven));
    assert!(y[7] > 0.7);
    let shown: String = y.iter().map(|y| format!("{:08x} ", y.to_bits())).collect();
    assert_eq!(shown.trim(), include_str!("../../examples/embedded/mnist.txt").trim());
}
