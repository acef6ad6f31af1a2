"""PPO as examples/17_ppo.rs has it, in PyTorch."""

import random
import sys
import time

import torch
from torch import nn
from torch.distributions import Categorical

from cartpole import CartPole

GAMES, STEPS = 8, 128
ALL = GAMES * STEPS
BATCH = ALL // 4
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 300


def net(outputs, gain):
    layers = [nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, outputs)]
    for layer, gain in zip(layers[::2], (2**0.5, 2**0.5, gain)):
        nn.init.orthogonal_(layer.weight, gain)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


torch.set_num_threads(1)
torch.manual_seed(1)
random.seed(1)
begun = time.perf_counter()
actor, critic = net(2, 0.01), net(1, 1.0)
optimizers = [torch.optim.Adam(actor.parameters(), lr=2.5e-4, eps=1e-5), torch.optim.Adam(critic.parameters(), lr=1e-3, eps=1e-5)]
schedules = [torch.optim.lr_scheduler.PolynomialLR(o, ROUNDS * 16) for o in optimizers]
games, returns = [CartPole() for _ in range(GAMES)], []
for round in range(1, ROUNDS + 1):
    seen, then = torch.zeros(STEPS, GAMES, 4), torch.zeros(STEPS, GAMES, 4)
    pushes, log_probs = torch.zeros(STEPS, GAMES, dtype=torch.long), torch.zeros(STEPS, GAMES)
    fell, over = torch.zeros(STEPS, GAMES), torch.zeros(STEPS, GAMES)
    for step in range(STEPS):
        seen[step] = torch.tensor([game.state for game in games])
        with torch.no_grad():
            choices = Categorical(logits=actor(seen[step]))
            pushes[step] = choices.sample()
            log_probs[step] = choices.log_prob(pushes[step])
        for i, push in enumerate(pushes[step].tolist()):
            down, time_is_up = games[i].push(push == 1)
            then[step, i] = torch.tensor(games[i].state)
            fell[step, i], over[step, i] = float(down), float(down or time_is_up)
            if down or time_is_up:
                returns.append(games[i].steps)
                games[i] = CartPole()
    with torch.no_grad():
        values, later = critic(seen).squeeze(-1), critic(then).squeeze(-1)
    surprise = 1 + 0.99 * later * (1 - fell) - values
    advantages, last = torch.zeros(STEPS, GAMES), torch.zeros(GAMES)
    for step in reversed(range(STEPS)):
        last = surprise[step] + 0.99 * 0.95 * (1 - over[step]) * last
        advantages[step] = last
    gains = (advantages + values).flatten()
    x, a, old, better = seen.reshape(ALL, 4), pushes.flatten(), log_probs.flatten(), advantages.flatten()
    for _ in range(4):
        for batch in torch.randperm(ALL).split(BATCH):
            choices = Categorical(logits=actor(x[batch]))
            advantage = (better[batch] - better[batch].mean()) / (better[batch].std() + 1e-8)
            ratio = (choices.log_prob(a[batch]) - old[batch]).exp()
            gained = torch.min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage)
            losses = [-gained.mean() - 0.01 * choices.entropy().mean(), 0.5 * ((critic(x[batch]).squeeze(-1) - gains[batch]) ** 2).mean()]
            for loss, network, optimizer, schedule in zip(losses, (actor, critic), optimizers, schedules):
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(network.parameters(), 0.5)
                optimizer.step()
                schedule.step()
    mean = sum(returns[-100:]) / max(len(returns[-100:]), 1)
    if round % 20 == 0:
        print(f"round {round:3}, step {round * ALL:6}: the mean of {len(returns[-100:])} games is {mean:.0f}")
    if len(returns) >= 100 and mean >= 475:
        break
print(f"{round * ALL} steps in {time.perf_counter() - begun:.2f} s")
