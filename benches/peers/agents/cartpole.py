"""A pole on a cart, with the numbers of Gymnasium's CartPole-v1: what examples/cartpole is in Rust."""

import math
import random

LIMIT = 500


class CartPole:
    def __init__(self):
        self.state = [random.uniform(-0.05, 0.05) for _ in range(4)]
        self.steps = 0

    def push(self, right):
        """Whether the pole fell, and whether the time is up."""
        x, speed, angle, turning = self.state
        sin, cos = math.sin(angle), math.cos(angle)
        pushed = ((10.0 if right else -10.0) + 0.05 * turning * turning * sin) / 1.1
        falling = (9.8 * sin - cos * pushed) / (0.5 * (4.0 / 3.0 - 0.1 * cos * cos / 1.1))
        faster = pushed - 0.05 * falling * cos / 1.1
        self.state = [x + 0.02 * speed, speed + 0.02 * faster, angle + 0.02 * turning, turning + 0.02 * falling]
        self.steps += 1
        fell = abs(self.state[0]) > 2.4 or abs(self.state[2]) > math.radians(12)
        return fell, self.steps == LIMIT and not fell
