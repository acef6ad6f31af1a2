//! An agent learns to balance a pole by making what went better than expected likelier, a little at a time:
//! PPO (Schulman et al., "Proximal Policy Optimization Algorithms", 2017), with the settings of Huang et al.,
//! "The 37 Implementation Details of Proximal Policy Optimization", 2022. Done when the mean of a hundred
//! games is 475 of 500 steps.
//!
//! ```text
//! cargo run --release --example 17_ppo
//! ```

mod cartpole;

use std::time::Instant;

use cartpole::{After, CartPole};
use nn_runtime::policy::{Categorical, Draws};
use nn_runtime::prelude::*;

const GAMES: usize = 8;
/// Pushes of each game between two rounds of learning.
const STEPS: usize = 128;
const ALL: usize = GAMES * STEPS;
const BATCH: usize = ALL / 4;
const ROUNDS: usize = 300;
const ROOT_TWO: f32 = std::f32::consts::SQRT_2;

network! {
    /// The scores of a push to the left and of one to the right.
    pub struct Actor: [4] -> [2] {
        Dense(64, init = Orthogonal(ROOT_TWO)) -> Tanh -> Dense(64, init = Orthogonal(ROOT_TWO)) -> Tanh -> Dense(2, init = Orthogonal(0.01))
    }
}
network! {
    /// How many steps are still to come, later ones less.
    pub struct Critic: [4] -> [1] {
        Dense(64, init = Orthogonal(ROOT_TWO)) -> Tanh -> Dense(64, init = Orthogonal(ROOT_TWO)) -> Tanh -> Dense(1, init = Orthogonal(1.0))
    }
}

/// What the actor is judged by: a push, how likely it was, and how much better than expected it went.
#[derive(Clone, Copy, Default)]
struct Tried {
    push: usize,
    log_prob: f64,
    advantage: f64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let begun = Instant::now();
    let mut draws = Draws::new(1);
    let steps = ROUNDS as u64 * 4 * (ALL / BATCH) as u64;
    let mut actor = Actor::init(1).into_trainer((), Adam::new(2.5e-4).eps(1e-5)).clip(Clip::GlobalNorm(0.5));
    let mut critic = Critic::init(2).into_trainer(Mse::half(), Adam::new(1e-3).eps(1e-5)).clip(Clip::GlobalNorm(0.5));
    (actor, critic) = (actor.schedule(Polynomial::new(steps)), critic.schedule(Polynomial::new(steps)));
    let mut games: Vec<CartPole> = (0..GAMES).map(|_| CartPole::new(&mut draws)).collect();
    let (mut seen, mut then) = (vec![[0.0; 4]; ALL], vec![[0.0; 4]; ALL]);
    let (mut tried, mut after) = (vec![Tried::default(); ALL], vec![After::Goes; ALL]);
    let (mut values, mut next, mut gains) = (vec![0.0; ALL], vec![0.0; ALL], vec![0.0; ALL]);
    let (mut returns, mut scores) = (Vec::new(), [0.0; 2 * GAMES]);
    for round in 1..=ROUNDS {
        for step in 0..STEPS {
            let now = step * GAMES..(step + 1) * GAMES;
            for (i, game) in now.clone().zip(&games) {
                seen[i] = game.seen();
            }
            actor.predict_into(&[seen[now.clone()].as_flattened()], &mut [&mut scores])?;
            for ((i, game), scores) in now.zip(&mut games).zip(scores.chunks(2)) {
                let choices = Categorical::new(scores);
                let push = choices.sample(&mut draws);
                tried[i] = Tried { push, log_prob: choices.log_prob(push), advantage: 0.0 };
                after[i] = game.push(push == 1);
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
            let later = if after[i] == After::Goes && i + GAMES < ALL { tried[i + GAMES].advantage } else { 0.0 };
            let next = if after[i] == After::Fell { 0.0 } else { f64::from(next[i]) };
            tried[i].advantage = 1.0 + 0.99 * next - f64::from(values[i]) + 0.99 * 0.95 * later;
            gains[i] = tried[i].advantage as f32 + values[i];
        }
        let mut order: Vec<usize> = (0..ALL).collect();
        for _ in 0..4 {
            (1..ALL).for_each(|i| order.swap(i, (draws.unit() * (i + 1) as f64) as usize));
            for batch in order.chunks(BATCH) {
                let x: Vec<[f32; 4]> = batch.iter().map(|i| seen[*i]).collect();
                let of = |i: &usize| tried[*i].advantage;
                let mean = batch.iter().map(of).sum::<f64>() / BATCH as f64;
                let spread = (batch.iter().map(|i| (of(i) - mean).powi(2)).sum::<f64>() / BATCH as f64).sqrt();
                actor.step_with(&[x.as_flattened()], |y, dy| {
                    let mut loss = 0.0;
                    for ((i, y), dy) in batch.iter().zip(y[0].chunks(2)).zip(dy[0].chunks_mut(2)) {
                        let (choices, Tried { push, log_prob, .. }) = (Categorical::new(y), tried[*i]);
                        let advantage = (of(i) - mean) / (spread + 1e-8);
                        let ratio = (choices.log_prob(push) - log_prob).exp();
                        let held = ratio.clamp(0.8, 1.2);
                        if ratio * advantage <= held * advantage {
                            choices.add_log_prob_gradient(push, -ratio * advantage / BATCH as f64, dy);
                        }
                        choices.add_entropy_gradient(-0.01 / BATCH as f64, dy);
                        loss -= (ratio * advantage).min(held * advantage) + 0.01 * choices.entropy();
                    }
                    loss / BATCH as f64
                })?;
                let gains: Vec<f32> = batch.iter().map(|i| gains[*i]).collect();
                critic.step(&Dataset::values(&x[..], (&gains[..], 1))?)?;
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
