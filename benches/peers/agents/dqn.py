"""DQN as examples/16_dqn.rs has it, in PyTorch."""

import random
import sys
import time

import torch
from torch import nn

from cartpole import CartPole

STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
MEMORY, BATCH, DISCOUNT = 10_000, 128, 0.99


def worth():
    net = nn.Sequential(nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))
    for layer in (net[0], net[2]):
        nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
    return net


@torch.no_grad()
def mean_of_games(net):
    steps = 0
    for _ in range(20):
        game, over = CartPole(), False
        while not over:
            left, right = net(torch.tensor(game.state)).tolist()
            over = any(game.push(right > left))
        steps += game.steps
    return steps / 20


torch.set_num_threads(1)
torch.manual_seed(1)
random.seed(1)
begun = time.perf_counter()
online, target = worth(), worth()
target.load_state_dict(online.state_dict())
optimizer = torch.optim.Adam(online.parameters(), lr=1e-3)
memory, game = [], CartPole()
for step in range(1, STEPS + 1):
    if random.random() < max(1 - step / 10_000, 0.05):
        right = random.random() < 0.5
    else:
        with torch.no_grad():
            left, right = online(torch.tensor(game.state)).tolist()
        right = right > left
    seen = game.state
    fell, time_is_up = game.push(right)
    tried = (seen, int(right), game.state, float(fell))
    if len(memory) < MEMORY:
        memory.append(tried)
    else:
        memory[step % MEMORY] = tried
    if fell or time_is_up:
        game = CartPole()
    if step < 1_000 or step % 4 != 0:
        continue
    seen, push, then, fell = zip(*random.choices(memory, k=BATCH))
    with torch.no_grad():
        later = target(torch.tensor(then)).max(dim=1).values * (1 - torch.tensor(fell))
    now = online(torch.tensor(seen)).gather(1, torch.tensor(push).unsqueeze(1)).squeeze(1)
    loss = nn.functional.smooth_l1_loss(now, 1 + DISCOUNT * later)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(online.parameters(), 10.0)
    optimizer.step()
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), online.parameters()):
            slow.lerp_(fast, 0.01)
    if step % 2_000 == 0:
        mean = mean_of_games(online)
        print(f"step {step:6}: balanced for {mean:3.0f} steps")
        if mean >= 475:
            break
print(f"{step} steps in {time.perf_counter() - begun:.2f} s")
