#!/bin/sh
# gymnasium 1.4.0: `NormalizeReward` carries the return of a truncated episode on into the next one.
#
# What one expects: rewards are divided by the standard deviation of the discounted return of an episode, whichever way it ends.
# What is so: the running return is set to 0 where `terminated`, but not where `truncated`, nor by `reset`. With a time limit
# alone (Pendulum, HalfCheetah, most of robotics) the whole of training is one endless episode. Equal episodes of ten rewards of
# 1 come out as 0.37 each when they end by themselves, and as 0.07 when they are cut; with gamma 1 they shrink as long as
# training lasts, to 0.002 after 2000 steps. The vectorized wrapper does the same in its default mode.
# What follows: the same task has another scale of reward, so another balance of losses and of clipping, according to which flag
# ends its episodes; call `env.discounted_reward[:] = 0` where one is truncated.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check gymnasium==1.4.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import gymnasium
import numpy
from gymnasium.wrappers import NormalizeReward
from gymnasium.wrappers.vector import NormalizeReward as VectorNormalizeReward


class Tens(gymnasium.Env):
    """Episodes of ten rewards of 1, which end by themselves or by a time limit."""

    observation_space = gymnasium.spaces.Box(-1, 1, (1,), numpy.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, cut):
        self.cut, self.steps = cut, 0

    def reset(self, *, seed=None, options=None):
        self.steps = 0
        return numpy.zeros(1, numpy.float32), {}

    def step(self, action):
        self.steps += 1
        end = self.steps == 10
        return numpy.zeros(1, numpy.float32), 1.0, end and not self.cut, end and self.cut, {}


def single(cut, gamma):
    env = NormalizeReward(Tens(cut), gamma=gamma)
    env.reset()
    for _ in range(2_000):
        _, reward, terminated, truncated, _ = env.step(0)
        if terminated or truncated:
            env.reset()
    return float(reward)


def vector(cut, gamma):
    env = VectorNormalizeReward(gymnasium.vector.SyncVectorEnv([lambda: Tens(cut)]), gamma=gamma)
    env.reset()
    rewards = [float(env.step(numpy.zeros(1, int))[1][0]) for _ in range(2_200)]
    return max(rewards[-11:])  # one of eleven steps is the reset


print("gymnasium", gymnasium.__version__)
seen = []
for gamma in (0.99, 1.0):
    row = [single(False, gamma), single(True, gamma), vector(False, gamma), vector(True, gamma)]
    print(f"gamma {gamma}: a reward of 1 becomes {row[0]:.4f} if episodes terminate, {row[1]:.4f} if they are truncated;", end=" ")
    print(f"vectorized {row[2]:.4f}, {row[3]:.4f}")
    seen += [row[0] > 5 * row[1], row[2] > 5 * row[3]]
sys.exit(0 if all(seen) else 1)
PYTHON
