#!/usr/bin/env python3
"""Writes `sb3_NAME.onnx`, `rsl_rl_actor.onnx` and `torchrl_actor.onnx`: policies as libraries of reinforcement learning export them, with
observations (x) and what the library itself does (y).

Needs stable-baselines3 2.9.2, rsl-rl-lib 5.5.1 with tensordict, torchrl 0.14.1 with tensordict 0.15.3, torch 2.15.0, gymnasium, onnx. In: nothing; out: the files.
"""

import gymnasium
import numpy as np
import torch
from make import BATCH, FOLDER, lines, strip
from torch import nn


class Room(gymnasium.Env):
    """What says how many numbers go in and out."""

    observation_space = gymnasium.spaces.Box(-1, 1, (5,))
    action_space = gymnasium.spaces.Box(-1, 1, (2,))


class Policy(nn.Module):
    """As the library's documentation has it."""

    def __init__(self, policy):
        super().__init__()
        self.policy = policy

    def forward(self, observation):
        return self.policy(observation, deterministic=True)


def export(name, model, outputs):
    path = FOLDER / f"{name}.onnx"
    x = torch.randn(BATCH, 5).round(decimals=1)
    options = {"input_names": ["obs"], "dynamic_axes": {"obs": {0: "batch"}}, "opset_version": 17}
    torch.onnx.export(model, (x,), path, dynamo=False, **options)
    strip(path)
    with torch.no_grad():
        y = model(x)
    y = y if isinstance(y, tuple) else (y,)
    lines(path.with_suffix(".txt"), [("x", x)] + [("y", a.numpy()) for a in y[:outputs]])


def stable_baselines():
    from stable_baselines3 import PPO, SAC

    for name, kind, outputs in [("ppo", PPO, 2), ("sac", SAC, 1)]:
        agent = kind("MlpPolicy", Room(), policy_kwargs={"net_arch": [8, 6]}, seed=1, device="cpu")
        policy = agent.policy if name == "ppo" else agent.policy.actor
        for parameter in policy.parameters():
            nn.init.uniform_(parameter, -0.5, 0.5)
        export(f"sb3_{name}", Policy(policy).eval(), outputs)


def torchrl():
    """A stochastic actor, of which the most likely action is exported, as the library's tutorial on deployment does."""
    from tensordict.nn import TensorDictModule, TensorDictSequential
    from tensordict.nn.distributions import NormalParamExtractor
    from torchrl.data import Bounded
    from torchrl.envs.utils import ExplorationType, set_exploration_type
    from torchrl.modules import MLP, ProbabilisticActor, TanhNormal

    torch.manual_seed(5)
    net = nn.Sequential(MLP(in_features=5, out_features=4, num_cells=[8, 6], activation_class=nn.ELU), NormalParamExtractor())
    module = TensorDictModule(net, in_keys=["observation"], out_keys=["loc", "scale"])
    actor = ProbabilisticActor(
        module=module,
        in_keys=["loc", "scale"],
        spec=Bounded(-1, 1, (2,)),
        distribution_class=TanhNormal,
        distribution_kwargs={"low": -1.0, "high": 1.0},
        return_log_prob=False,
    )
    for parameter in actor.parameters():
        nn.init.uniform_(parameter, -0.5, 0.5)
    policy = TensorDictSequential(*actor, selected_out_keys=["action"]).requires_grad_(False).eval()
    x = torch.randn(BATCH, 5).round(decimals=1)
    path = FOLDER / "torchrl_actor.onnx"
    with set_exploration_type(ExplorationType.DETERMINISTIC):
        y = policy(observation=x)
        batch = torch.export.Dim("batch")
        program = torch.onnx.export(policy, kwargs={"observation": x}, dynamo=True, dynamic_shapes={"kwargs": {"observation": {0: batch}}}, verbose=False)
    program.save(path, external_data=False)
    strip(path)
    lines(path.with_suffix(".txt"), [("x", x), ("y", y)])


def rsl_rl():
    from rsl_rl.models import MLPModel
    from tensordict import TensorDict

    observations = TensorDict({"policy": torch.randn(64, 5) * 3 + 1}, batch_size=64)
    model = MLPModel(observations, {"actor": ["policy"]}, "actor", 2, [8, 6], "elu", obs_normalization=True)
    model.update_normalization(observations)
    # As its runner does it.
    exported = model.as_onnx(verbose=False).eval()
    path = FOLDER / "rsl_rl_actor.onnx"
    names = {"input_names": exported.input_names, "output_names": exported.output_names}
    torch.onnx.export(exported, exported.get_dummy_inputs(), path, export_params=True, opset_version=18, verbose=False, **names)
    strip(path)
    # Nothing is large enough to lie in it.
    path.with_suffix(".onnx.data").unlink(missing_ok=True)
    x = torch.randn(BATCH, 5).round(decimals=1)
    with torch.no_grad():
        lines(path.with_suffix(".txt"), [("x", x), ("y", exported(x))])


if __name__ == "__main__":
    torch.manual_seed(5)
    np.random.seed(5)
    stable_baselines()
    rsl_rl()
    torchrl()
