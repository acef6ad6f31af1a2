//! A pole on a cart, as the examples of agents play it: pushes keep it upright. In: pushes to the left or the
//! right; out: what is seen, and how the game goes on. The same numbers as Gymnasium's `CartPole-v1`.

use nn_runtime::policy::Draws;

/// The steps after which a game is won, and with that the best return.
pub const LIMIT: u32 = 500;

/// One game.
pub struct CartPole {
    /// Place and speed of the cart, angle and speed of the pole: metres, radians, seconds.
    state: [f64; 4],
    steps: u32,
}

/// What a push leads to.
#[derive(Clone, Copy, PartialEq)]
pub enum After {
    Goes,
    /// The pole has fallen, or the cart has left the track: nothing more is to be had.
    Fell,
    /// The game was broken off; it could have gone on.
    TimeIsUp,
}

impl CartPole {
    /// Nearly upright.
    pub fn new(draws: &mut Draws) -> Self {
        CartPole { state: std::array::from_fn(|_| 0.1 * draws.unit() - 0.05), steps: 0 }
    }

    /// What an agent sees.
    pub fn seen(&self) -> [f32; 4] {
        self.state.map(|x| x as f32)
    }

    /// How many pushes there have been.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// A push of 10 newtons for a fiftieth of a second. Barto, Sutton & Anderson, "Neuronlike adaptive
    /// elements that can solve difficult learning control problems", 1983.
    pub fn push(&mut self, right: bool) -> After {
        let [x, speed, angle, turning] = self.state;
        let force = if right { 10.0 } else { -10.0 };
        let (sin, cos) = angle.sin_cos();
        let pushed = (force + 0.05 * turning * turning * sin) / 1.1;
        let falling = (9.8 * sin - cos * pushed) / (0.5 * (4.0 / 3.0 - 0.1 * cos * cos / 1.1));
        let faster = pushed - 0.05 * falling * cos / 1.1;
        self.state = [x + 0.02 * speed, speed + 0.02 * faster, angle + 0.02 * turning, turning + 0.02 * falling];
        self.steps += 1;
        if self.state[0].abs() > 2.4 || self.state[2].abs() > 12f64.to_radians() {
            After::Fell
        } else if self.steps == LIMIT {
            After::TimeIsUp
        } else {
            After::Goes
        }
    }
}
