//! An agent learns by trial what each push of a cart is worth, and so to balance a pole: DQN (Mnih et al.,
//! "Human-level control through deep reinforcement learning", 2015). Done when it balances the pole for 475
//! of 500 steps, as a mean of twenty games.
//!
//! ```text
//! cargo run --release --example 16_dqn
//! ```

mod cartpole;

use std::time::Instant;

use cartpole::{After, CartPole};
use nn_runtime::policy::Draws;
use nn_runtime::prelude::*;

const STEPS: usize = 200_000;
const MEMORY: usize = 10_000;
const BATCH: usize = 128;
const DISCOUNT: f32 = 0.99;

network! {
    /// What a push to the left and one to the right are worth: the steps still to come, later ones less.
    pub struct Worth: [4] -> [2] {
        Dense(128, init = HeUniform) -> Relu -> Dense(128, init = HeUniform) -> Relu -> Dense(2)
    }
}

/// A push that was tried.
#[derive(Clone, Copy)]
struct Tried {
    seen: [f32; 4],
    push: usize,
    then: [f32; 4],
    fell: bool,
}

/// The mean of twenty games in which nothing is tried.
fn mean_of_games(model: &Model<Worth>) -> f64 {
    let (mut draws, mut predictor, mut steps) = (Draws::new(2), model.predictor(1), 0);
    for _ in 0..20 {
        let mut game = CartPole::new(&mut draws);
        while {
            let [left, right] = *predictor.predict(&game.seen());
            game.push(right > left) == After::Goes
        } {}
        steps += game.steps();
    }
    f64::from(steps) / 20.0
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let begun = Instant::now();
    let mut draws = Draws::new(2);
    // The worth of what comes next is told by a copy that follows slowly.
    let mut target = Worth::init(1);
    let mut trainer = target.clone().into_trainer((), Adam::new(1e-3)).clip(Clip::GlobalNorm(10.0));
    let mut memory: Vec<Tried> = Vec::with_capacity(MEMORY);
    let (mut seen, mut then, mut next) = ([[0.0; 4]; BATCH], [[0.0; 4]; BATCH], [[0.0; 2]; BATCH]);
    let (mut game, mut worth) = (CartPole::new(&mut draws), [0.0; 2]);
    for step in 1..=STEPS {
        // At random less and less often.
        let at_random = draws.unit() < (1.0 - step as f64 / 10_000.0).max(0.05);
        trainer.predict_into(&[&game.seen()], &mut [&mut worth])?;
        let right = if at_random { draws.unit() < 0.5 } else { worth[1] > worth[0] };
        let seen_now = game.seen();
        let after = game.push(right);
        let tried = Tried { seen: seen_now, push: right.into(), then: game.seen(), fell: after == After::Fell };
        if memory.len() < MEMORY {
            memory.push(tried)
        } else {
            memory[step % MEMORY] = tried
        }
        if after != After::Goes {
            game = CartPole::new(&mut draws);
        }
        if step < 1_000 || step % 4 != 0 {
            continue;
        }
        let batch: [Tried; BATCH] = std::array::from_fn(|_| memory[(draws.unit() * memory.len() as f64) as usize]);
        for (i, tried) in batch.iter().enumerate() {
            (seen[i], then[i]) = (tried.seen, tried.then);
        }
        target.predictor(BATCH).predict_into(&[then.as_flattened()], &mut [next.as_flattened_mut()])?;
        trainer.step_with(&[seen.as_flattened()], |y, dy| {
            let mut loss = 0.0;
            for (i, tried) in batch.iter().enumerate() {
                let later = if tried.fell { 0.0 } else { next[i][0].max(next[i][1]) };
                let off = y[0][2 * i + tried.push] - (1.0 + DISCOUNT * later);
                // Huber's loss.
                dy[0][2 * i + tried.push] = off.clamp(-1.0, 1.0) / BATCH as f32;
                loss += f64::from(if off.abs() < 1.0 { 0.5 * off * off } else { off.abs() - 0.5 });
            }
            loss / BATCH as f64
        })?;
        target.lerp(trainer.model(), 0.01);
        if step % 2_000 == 0 {
            let mean = mean_of_games(trainer.model());
            println!("step {step:6}: balanced for {mean:3.0} steps");
            if mean >= 475.0 {
                println!("learnt: {step} steps in {:.2} s", begun.elapsed().as_secs_f64());
                return Ok(());
            }
        }
    }
    Err(format!("expected the pole to be balanced after {STEPS} steps").into())
}
