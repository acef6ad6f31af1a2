//! An agent learns to balance a pole on a cart by proximal policy optimisation (Schulman et al., 2017): eight
//! carts at a time, two outputs of one network, an objective of one's own. It is done when the last hundred
//! poles have stood for 475 of 500 steps in the mean.
//!
//! ```text
//! cargo run --release --example 14_cartpole
//! ```

use std::collections::VecDeque;
use std::time::Instant;

use nn_runtime::policy::{Categorical, Draws};
use nn_runtime::prelude::*;

network! {
    /// Scores of pushing left and right, and the reward that is expected from here on.
    pub struct Agent: [4] -> (push: [2], value: [1]) {
        let seen = input -> Dense(64, init = Orthogonal(1.4)) -> Tanh -> Dense(64, init = Orthogonal(1.4)) -> Tanh;
        let push = seen -> Dense(2, init = Orthogonal(0.01));
        let value = seen -> Dense(1, init = Orthogonal(1.0));
    }
}

const CARTS: usize = 8;
const STEPS: usize = 128;
const ALL: usize = CARTS * STEPS;
/// Samples of one step of training.
const BATCH: usize = 256;
/// What a reward is worth a step later, and how far advantages look ahead.
const DISCOUNT: f32 = 0.99;
const AHEAD: f32 = 0.95;

/// Place and speed of the cart, angle and speed of the pole, and for how many steps it has stood.
struct Cart {
    state: [f32; 4],
    stood: usize,
}

impl Cart {
    fn new(draws: &mut Draws) -> Cart {
        Cart { state: std::array::from_fn(|_| 0.1 * draws.unit() as f32 - 0.05), stood: 0 }
    }

    /// Pushes it, by the equations of Barto, Sutton and Anderson (1983); whether that was the end.
    fn push(&mut self, right: bool) -> bool {
        let [x, v, angle, spin] = self.state;
        let (sin, cos) = angle.sin_cos();
        let pull = (if right { 10.0 } else { -10.0 } + 0.05 * spin * spin * sin) / 1.1;
        let twist = (9.8 * sin - cos * pull) / (0.5 * (4.0 / 3.0 - 0.1 * cos * cos / 1.1));
        let drive = pull - 0.05 * twist * cos / 1.1;
        self.state = [x + 0.02 * v, v + 0.02 * drive, angle + 0.02 * spin, spin + 0.02 * twist];
        self.stood += 1;
        self.state[0].abs() > 2.4 || self.state[2].abs() > 0.2095 || self.stood == 500
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(1), |seed| seed.parse())?;
    let (mut agent, mut draws, begun) = (Agent::init(seed), Draws::new(seed), Instant::now());
    let mut trainer = Trainer::new(&mut agent, (), Adam::new(1e-3)).clip(Clip::GlobalNorm(0.5));
    let mut carts: Vec<Cart> = (0..CARTS).map(|_| Cart::new(&mut draws)).collect();
    // What is seen, done and thought, [steps, carts, …]; the last value is that after the last step.
    let (mut seen, mut done) = (vec![0.0; 4 * ALL], vec![(0, 0.0, false); ALL]);
    let (mut scores, mut values) = (vec![0.0; 2 * CARTS], vec![0.0; ALL + CARTS]);
    let mut advantages = vec![0.0; ALL];
    let mut stood: VecDeque<usize> = VecDeque::new();
    for round in 1..=500 {
        for step in 0..=STEPS {
            let x: Vec<f32> = carts.iter().flat_map(|cart| cart.state).collect();
            trainer.predict_into(&[&x], &mut [&mut scores, &mut values[step * CARTS..][..CARTS]])?;
            if step == STEPS {
                break;
            }
            seen[step * x.len()..][..x.len()].copy_from_slice(&x);
            for (k, (cart, scores)) in carts.iter_mut().zip(scores.chunks(2)).enumerate() {
                let choices = Categorical::new(scores);
                let action = choices.sample(&mut draws);
                let ends = cart.push(action == 1);
                done[step * CARTS + k] = (action, choices.log_prob(action), ends);
                if ends {
                    stood.push_back(cart.stood);
                    *cart = Cart::new(&mut draws);
                }
            }
        }
        // Each step's reward is 1; what was better than expected, weighed over the steps after it.
        for i in (0..ALL).rev() {
            let goes_on = if done[i].2 { 0.0 } else { DISCOUNT };
            let later = if i + CARTS < ALL { advantages[i + CARTS] } else { 0.0 };
            advantages[i] = 1.0 + goes_on * (values[i + CARTS] + AHEAD * later) - values[i];
        }
        for _ in 0..4 {
            let mut order: Vec<usize> = (0..ALL).collect();
            (1..ALL).for_each(|i| order.swap(i, (draws.unit() * (i + 1) as f64) as usize));
            for batch in order.chunks(BATCH) {
                let x: Vec<f32> = batch.iter().flat_map(|i| &seen[4 * i..][..4]).copied().collect();
                let mean = batch.iter().map(|i| advantages[*i]).sum::<f32>() / BATCH as f32;
                let squares = batch.iter().map(|i| (advantages[*i] - mean).powi(2)).sum::<f32>();
                let deviation = (squares / BATCH as f32).sqrt() + 1e-8;
                trainer.step_with(&[&x], |y, dy| {
                    let [d_scores, d_values] = dy else { unreachable!("two outputs") };
                    let mut loss = 0.0;
                    for (k, &i) in batch.iter().enumerate() {
                        let choices = Categorical::new(&y[0][2 * k..][..2]);
                        let (action, before, _) = done[i];
                        let (ratio, d) = ((choices.log_prob(action) - before).exp(), &mut d_scores[2 * k..][..2]);
                        let advantage = f64::from((advantages[i] - mean) / deviation);
                        // Where the choice has changed enough already, nothing pulls it on.
                        let goes_on = if advantage > 0.0 { ratio < 1.2 } else { ratio > 0.8 };
                        if goes_on {
                            choices.add_log_prob_gradient(action, -advantage * ratio / BATCH as f64, d);
                        }
                        choices.add_entropy_gradient(-0.01 / BATCH as f64, d);
                        let off = y[1][k] - (values[i] + advantages[i]);
                        d_values[k] = 0.5 * off / BATCH as f32;
                        let clipped = (ratio * advantage).min(ratio.clamp(0.8, 1.2) * advantage);
                        loss += 0.25 * f64::from(off * off) - clipped - 0.01 * choices.entropy();
                    }
                    loss / BATCH as f64
                })?;
            }
        }
        stood.drain(..stood.len().saturating_sub(100));
        let mean = stood.iter().sum::<usize>() as f64 / stood.len().max(1) as f64;
        let solved = stood.len() == 100 && mean >= 475.0;
        if round % 10 == 0 || solved {
            println!("{:>7} steps, the last {:>3} stood for {mean:>5.1}", round * ALL, stood.len());
        }
        if solved {
            println!("solved in {:.1} s", begun.elapsed().as_secs_f64());
            return Ok(());
        }
    }
    Err("expected a pole that stands after 512,000 steps".into())
}
