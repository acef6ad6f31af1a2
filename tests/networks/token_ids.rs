//! Token ids at every edge of a network: predictors, gradients, training and streams refuse what is none.

use nn_runtime::data::Dataset;
use nn_runtime::prelude::*;

const STEPS: usize = 7;

network! {
    struct Reader: (more: [STEPS, 2], tokens: [STEPS]) -> [STEPS, 3] {
        let t = tokens -> Embedding(10, 2);
        (more, t) -> Sum -> Gru(3)
    }
}

/// Token ids are checked wherever samples come in, and the sample is named.
#[test]
fn what_is_no_token_id_is_named_at_the_edge() {
    let more = [0.5; 3 * STEPS * 2];
    for (wrong, found) in [(10.0, "10"), (2.5, "2.5"), (-1.0, "-1")] {
        let mut tokens = [3.0; 3 * STEPS];
        tokens[2 * STEPS + 4] = wrong;
        let place = "sample 2, input 1, element 4: expected a token id, a whole number from 0 to 9, found ";
        let says = |error: String| assert!(error.contains(&format!("{place}{found}\nhelp: ")), "{error}");

        let mut model = Reader::init(0);
        let mut y = [7.0; 3 * STEPS * 3];
        let error = model.predictor(2).predict_into(&[&more, &tokens], &mut [&mut y]).unwrap_err();
        says(error.to_string());
        assert_eq!(y, [7.0; 3 * STEPS * 3], "nothing is written");
        says(model.gradients(&[&more, &tokens], &[&y]).unwrap_err().to_string());

        let data = Dataset::values((&more[..], STEPS * 2), (&y[..], STEPS * 3)).unwrap();
        let data = data.with_input((&tokens[..], STEPS)).unwrap();
        let before = model.get("gru_1.weight_ih").unwrap();
        says(Trainer::new(&mut model, Mse::new(), Adam::new(0.1)).step(&data).unwrap_err().to_string());
        assert_eq!(model.get("gru_1.weight_ih").unwrap(), before, "nothing is changed");

        let mut stream = model.streamer().unwrap();
        let error = stream.step((&[0.5; 2], &[wrong])).unwrap_err().to_string();
        assert!(
            error.contains(&format!(
                "input 1, element 0: expected a token id, a whole number from 0 to 9, found {found}"
            ))
        );
        assert_eq!(stream.steps(), 0);
    }
}
