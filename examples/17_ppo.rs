//! An agent learns to balance a pole by making what went better than expected likelier, a little at a time:
//! PPO (Schulman et al., "Proximal Policy Optimization Algorithms", 2017), with the settings of Huang et al.,
//! "The 37 Implementation Details of Proximal Policy Optimization", 2022. Done when the mean of a hundred
//! games is 475 of 500 steps.
//!
//! ```text
//! cargo run --release --example 17_ppo
//! ```

mod cartpole;

use std::{f32::consts::SQRT_2, time::Instant};

use cartpole::{After, CartPole};
use nn_runtime::policy::{Categorical, Draws};
use nn_runtime::prelude::*;

const GAMES: usize = 8;
/// Pushes of each game between two rounds of learning.
const STEPS: usize = 128;
const ALL: usize = GAMES * STEPS;
const BATCH: usize = ALL / 4;
const ROUNDS: usize = 300;

network! {
    /// The scores of a push to the left and of one to the right.
    pub struct Actor: [4] -> [2] {
        Dense(64, init = Orthogonal(SQRT_2)) -> Tanh -> Dense(64, init = Orthogonal(SQRT_2)) -> Tanh -> Dense(2, init = Orthogonal(0.01))
    }
}
network! {
    /// How many steps are still to come, later ones less.
    pub struct Critic: [4] -> [1] {
        Dense(64, init = Orthogonal(SQRT_2)) -> Tanh -> Dense(64, init = Orthogonal(SQRT_2)) -> Tanh -> Dense(1, init = Orthogonal(1.0))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (begun, mut draws) = (Instant::now(), Draws::new(1));
    let (clip, rate) = (Clip::GlobalNorm(0.5), Polynomial::new((ROUNDS * 4 * ALL / BATCH) as u64));
    let mut actor = Actor::init(1).into_trainer((), Adam::new(2.5e-4).eps(1e-5)).clip(clip).schedule(rate);
    let mut critic = Critic::init(2).into_trainer(Mse::half(), Adam::new(1e-3).eps(1e-5)).clip(clip).schedule(rate);
    let mut games: Vec<CartPole> = (0..GAMES).map(|_| CartPole::new(&mut draws)).collect();
    let (mut seen, mut then, mut scores) = (vec![[0.0; 4]; ALL], vec![[0.0; 4]; ALL], [0.0; 2 * GAMES]);
    // What the actor is judged by: a push, how likely it was, and how much better than expected it went.
    let (mut pushes, mut likely, mut better) = (vec![0; ALL], vec![0.0; ALL], vec![0.0; ALL]);
    let (mut values, mut next, mut gains) = (vec![0.0; ALL], vec![0.0; ALL], vec![0.0; ALL]);
    let (mut after, mut returns) = (vec![After::Goes; ALL], Vec::new());
    for round in 1..=ROUNDS {
        for now in (0..STEPS).map(|step| step * GAMES..(step + 1) * GAMES) {
            now.clone().zip(&games).for_each(|(i, game)| seen[i] = game.seen());
            actor.predict_into(&[seen[now.clone()].as_flattened()], &mut [&mut scores])?;
            for ((i, game), scores) in now.zip(&mut games).zip(scores.chunks(2)) {
                let choices = Categorical::new(scores);
                pushes[i] = choices.sample(&mut draws);
                likely[i] = choices.log_prob(pushes[i]);
                after[i] = game.push(pushes[i] == 1);
                then[i] = game.seen();
                if after[i] != After::Goes {
                    returns.push(game.steps());
                    *game = CartPole::new(&mut draws);
                }
            }
        }
        // How much better than expected each push went: of each game from the last step back.
        critic.predict_into(&[seen.as_flattened()], &mut [&mut values])?;
        critic.predict_into(&[then.as_flattened()], &mut [&mut next])?;
        for i in (0..ALL).rev() {
            let later = if after[i] == After::Goes && i + GAMES < ALL { better[i + GAMES] } else { 0.0 };
            let next = if after[i] == After::Fell { 0.0 } else { f64::from(next[i]) };
            better[i] = 1.0 + 0.99 * next - f64::from(values[i]) + 0.99 * 0.95 * later;
            gains[i] = better[i] as f32 + values[i];
        }
        let mut order: Vec<usize> = (0..ALL).collect();
        for _ in 0..4 {
            (1..ALL).for_each(|i| order.swap(i, (draws.unit() * (i + 1) as f64) as usize));
            for batch in order.chunks(BATCH) {
                let x: Vec<[f32; 4]> = batch.iter().map(|i| seen[*i]).collect();
                let mean = batch.iter().map(|i| better[*i]).sum::<f64>() / BATCH as f64;
                let spread = (batch.iter().map(|i| (better[*i] - mean).powi(2)).sum::<f64>() / BATCH as f64).sqrt();
                actor.step_with(&[x.as_flattened()], |y, dy| {
                    let mut loss = 0.0;
                    for ((&i, y), dy) in batch.iter().zip(y[0].chunks(2)).zip(dy[0].chunks_mut(2)) {
                        let (choices, advantage) = (Categorical::new(y), (better[i] - mean) / (spread + 1e-8));
                        let ratio = (choices.log_prob(pushes[i]) - likely[i]).exp();
                        let (free, held) = (ratio * advantage, ratio.clamp(0.8, 1.2) * advantage);
                        let slope = if free <= held { -free / BATCH as f64 } else { 0.0 };
                        choices.add_log_prob_gradient(pushes[i], slope, dy);
                        choices.add_entropy_gradient(-0.01 / BATCH as f64, dy);
                        loss -= (free.min(held) + 0.01 * choices.entropy()) / BATCH as f64;
                    }
                    loss
                })?;
                critic.step(&Dataset::values(&x[..], (batch.iter().map(|i| gains[*i]).collect::<Vec<f32>>(), 1))?)?;
            }
        }
        let last = &returns[returns.len().saturating_sub(100)..];
        let mean = f64::from(last.iter().sum::<u32>()) / last.len() as f64;
        if round % 20 == 0 {
            println!("round {round:3}, step {:6}: the mean of {} games is {mean:.0}", round * ALL, last.len());
        }
        if last.len() == 100 && mean >= 475.0 {
            println!("learnt: {} steps in {:.2} s", round * ALL, begun.elapsed().as_secs_f64());
            return Ok(());
        }
    }
    Err("expected the pole to be balanced within 300 rounds".into())
}
