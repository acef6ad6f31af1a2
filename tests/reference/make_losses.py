"""Writes the fixtures of the losses beyond those of `make.py`: what PyTorch answers, or its formula where it has no such loss."""

import math

import torch
import torch.nn.functional as F

from common import EDGES, File, randn, short


def elementwise_loss(name, variants, answers):
    """`variants` lists (tag, settings, loss); `answers` draws targets of a shape."""
    file = File(name)
    for tag, settings, loss in variants:
        for shape in [(1, 1), (3, 5), (7, 10), (17, 3)]:
            file.begin(f"{tag}batch{shape[0]}_{shape[1]}")
            y = randn(*shape, scale=1.5)
            if settings.get("log_input") == 0:
                y = short(y.abs() + 0.1)  # rates
            file.add(settings, lambda x, p: loss(x[0], x[1]), [y, answers(*shape)], wrt=1)
        if settings.get("log_input") is None:
            file.begin(f"{tag}edges")
            y = torch.tensor(EDGES, dtype=torch.float32).repeat(3).reshape(3, -1)
            file.add(settings, lambda x, p: loss(x[0], x[1]), [y, answers(*y.shape)], wrt=1, smooth=False)
    return file


def signs(*shape):
    return torch.randint(2, shape).float() * 2 - 1


def bits(*shape):
    return torch.randint(2, shape).float()


def counts(*shape):
    return torch.randint(7, shape).float()


def hinge(squared):
    # PyTorch has none; the rectifier's slope at 0 is 0.
    return lambda y, t: (F.relu(1 - t * y) ** (2 if squared else 1)).mean()


def binary_focal(gamma, alpha):
    # torchvision.ops.sigmoid_focal_loss(reduction="mean"), but (1 - p_t)^gamma by its logarithm: 1 - p_t itself rounds to 0.
    def loss(z, t):
        side = z * (2 * t - 1)
        weight = alpha * t + (1 - alpha) * (1 - t)
        return (weight * torch.exp(gamma * F.logsigmoid(-side)) * -F.logsigmoid(side)).mean()

    z, t = torch.randn(5, 7, dtype=torch.float64), bits(5, 7).double()
    p, entropy = torch.sigmoid(z), F.binary_cross_entropy_with_logits(z, t, reduction="none")
    p_t = p * t + (1 - p) * (1 - t)
    theirs = (alpha * t + (1 - alpha) * (1 - t)) * entropy * (1 - p_t) ** gamma
    assert torch.allclose(loss(z, t), theirs.mean(), rtol=1e-12)
    return loss


def poisson(log_input):
    return lambda y, t: F.poisson_nll_loss(y, t, log_input=log_input)


def scores(batch, classes, size):
    if size <= 2:
        return randn(batch, classes, scale=size)
    logits = short((torch.rand(batch, classes) * 2 - 1) * size)
    logits[:, 0], logits[:, 1] = size, -size
    return logits


def focal():
    file = File("focal")
    for gamma in (2.0, 0.5):
        for batch, classes, size in [(1, 2, 2), (3, 3, 2), (7, 10, 2), (17, 5, 2), (3, 33, 2), (3, 4, 20), (3, 10, 90)]:
            file.begin(f"gamma{gamma}_batch{batch}_{classes}" + (f"_within{size}" if size > 2 else ""))
            target = torch.randint(classes, (batch,))
            target[0], target[-1] = 0, classes - 1

            def loss(x, p):
                own = F.one_hot(x[1], classes).bool()
                log = F.log_softmax(x[0], dim=-1)
                # 1 - p as the probability of all others, which does not round to 0.
                missing = torch.logsumexp(log.masked_fill(own, -math.inf), dim=-1)
                return -(torch.exp(gamma * missing) * log[own]).mean()

            file.add({"gamma": gamma}, loss, [scores(batch, classes, size), target], wrt=1)
    return file


def kl_divergence():
    file = File("kl_divergence")
    for batch, classes, size in [(1, 2, 2), (3, 3, 2), (7, 10, 2), (17, 5, 2), (3, 33, 2), (3, 4, 20), (3, 10, 90)]:
        file.begin(f"batch{batch}_{classes}" + (f"_within{size}" if size > 2 else ""))
        target = short(torch.softmax(torch.randn(batch, classes, dtype=torch.float64), dim=-1))
        target[0, 0] = 0
        loss = lambda x, p: F.kl_div(F.log_softmax(x[0], dim=-1), x[1], reduction="batchmean")
        file.add({}, loss, [scores(batch, classes, size), target], wrt=1)
    return file


def cosine_similarity():
    file = File("cosine_similarity")
    loss = lambda x, p: F.cosine_embedding_loss(x[0], x[1], torch.ones(len(x[0]), dtype=x[0].dtype))
    for shape, scale in [((1, 2), 1.0), ((3, 5), 1.0), ((7, 10), 1.0), ((17, 3), 1.0), ((3, 33), 1.0), ((3, 17), 90.0), ((3, 16), 1e-3)]:
        file.begin(f"batch{shape[0]}_{shape[1]}" + ("" if scale == 1.0 else f"_scale{scale}"))
        file.add({}, loss, [randn(*shape, scale=scale), randn(*shape)], wrt=1, smooth=scale >= 1)
    return file


def ctc():
    """Targets `[batch, longest]` with 0, the blank, behind shorter ones; the mean is over samples, each a sum over its labels."""
    file = File("ctc")
    for steps, classes, size, *samples in [
        (1, 2, 2, [1]), (2, 3, 2, [], [2, 1], [1]), (7, 5, 2, [1, 1, 2], [4, 3, 2, 1], [2]), (17, 9, 2, [1, 2, 2, 2, 8], [3]),
        (5, 3, 2, [1, 1, 1], [1, 2, 1, 2, 1]), (6, 4, 20, [1, 2, 3], [3, 3]), (9, 5, 90, [1, 2, 3, 4], [4, 4, 1], []),
    ]:
        file.begin(f"batch{len(samples)}_{steps}_{classes}" + (f"_within{size}" if size > 2 else ""))
        z = torch.stack([scores(steps, classes, size) for _ in samples])
        longest = max(map(len, samples))
        labels = torch.tensor([sample + [0] * (longest - len(sample)) for sample in samples])
        lengths = torch.tensor([len(sample) for sample in samples])

        def loss(x, p):
            logs = F.log_softmax(x[0], dim=-1).transpose(0, 1)
            return F.ctc_loss(logs, x[1], torch.full((len(samples),), steps), lengths, reduction="sum") / len(samples)

        file.add({}, loss, [z, labels], wrt=1)
    return file


def ctc_settings():
    """A blank of any class; samples of fewer steps than there are, whose number stands before the labels; labels that do not fit."""
    file = File("ctc_settings")
    for blank, steps, classes, zero, lengths, *samples in [
        (2, 5, 3, 0, 0, [0, 1, 0], [1]), (1, 6, 4, 0, 0, [0, 0, 3], [2, 3, 2, 0]), (0, 7, 4, 0, 1, (4, [1, 2]), (7, [3, 3]), (1, [2])),
        (3, 6, 4, 1, 1, (2, [0, 0]), (3, [0, 0]), (6, [1, 2, 1]), (1, [])), (0, 3, 3, 1, 0, [1, 1, 1], [1, 2]),
    ]:
        file.begin(f"blank{blank}_{steps}_{classes}" + "_zero" * zero + "_lengths" * lengths)
        counts = [sample[0] if lengths else steps for sample in samples]
        labels = [sample[1] if lengths else sample for sample in samples]
        z = torch.stack([scores(steps, classes, 2) for _ in samples])
        longest = max(map(len, labels))
        rows = torch.tensor([([count] if lengths else []) + row + [blank] * (longest - len(row)) for count, row in zip(counts, labels)])

        def loss(x, p):
            logs = F.log_softmax(x[0], dim=-1).transpose(0, 1)
            given = x[1][:, 1:] if lengths else x[1]
            sizes = torch.tensor([len(row) for row in labels])
            return F.ctc_loss(logs, given, torch.tensor(counts), sizes, blank, "sum", bool(zero)) / len(samples)

        file.add({"blank": blank, "zero_infinity": zero, "input_lengths": lengths}, loss, [z, rows], wrt=1)
    return file


def gaussian_nll():
    """Rows of means, then of logarithms of variances; the mean is over all targets."""
    file = File("gaussian_nll")
    for full in (0, 1):
        for batch, n in [(1, 1), (3, 2), (7, 5), (2, 17), (3, 33)]:
            file.begin(f"full{full}_batch{batch}_{n}")

            def loss(x, p):
                mean, log = x[0].split(n, dim=1)
                return F.gaussian_nll_loss(mean, x[1].to(x[0].dtype), log.exp(), full=bool(full), eps=1e-30)

            file.add({"full": full}, loss, [randn(batch, 2 * n), randn(batch, n)], wrt=1)
    return file


def weighted():
    """Cross-entropy per step with a weight for each class and a mask: PyTorch's mean is over the sum of weights, too."""
    file = File("weighted_cross_entropy")
    for batch, steps, classes in [(1, 3, 5), (4, 3, 5), (7, 3, 5)]:
        file.begin(f"batch{batch}_{steps}_{classes}")
        labels = torch.randint(classes, (batch, steps))
        mask = torch.randint(2, (batch, steps))
        mask[0, 0] = 1
        weight = short(torch.rand(classes) + 0.2, 2)

        def loss(x, p):
            kept = torch.where(x[2] > 0, x[1], -100)
            return F.cross_entropy(x[0].flatten(0, 1), kept.flatten(), weight=x[3].to(x[0].dtype), ignore_index=-100)

        file.add({}, loss, [randn(batch, steps, classes), labels, mask, weight], wrt=1)
    return file


def triplet():
    """Rows of anchor, like and another, one behind the other."""
    file = File("triplet")
    for rows, n, margin, swap in [(5, 1, 1.0, 0), (7, 3, 1.0, 0), (6, 17, 2.5, 0), (7, 3, 1.5, 1), (4, 20, 8.0, 1)]:
        file.begin(f"{rows}x3x{n}_margin{margin}_swap{swap}")
        loss = torch.nn.TripletMarginLoss(margin=margin, swap=bool(swap))
        file.add({"margin": margin, "swap": swap}, lambda x, p: loss(*x[0].chunk(3, dim=1)), [randn(rows, 3 * n)])
    return file


def element_weights():
    """A weight for each number: the mean over all of them. Targets are rows of values, then weights."""
    file = File("element_weights")
    F = torch.nn.functional
    losses = {
        "mse": lambda y, t, w: (F.mse_loss(y, t, reduction="none") * w).mean(),
        "mae": lambda y, t, w: (F.l1_loss(y, t, reduction="none") * w).mean(),
        "huber": lambda y, t, w: (F.huber_loss(y, t, reduction="none") * w).mean(),
        "binary_cross_entropy": lambda y, t, w: F.binary_cross_entropy_with_logits(y, t, weight=w),
    }
    for name, loss in losses.items():
        for rows, width in [(1, 1), (3, 5), (2, 17), (7, 33)]:
            file.begin(f"{name}_{rows}x{width}")
            target = randn(rows, width) if name != "binary_cross_entropy" else short(torch.rand(rows, width, dtype=torch.float64), 3)
            weight = short(torch.rand(rows, width, dtype=torch.float64) * 3, 3)
            weight.view(-1)[3::4] = 0.0
            n = width
            fn = lambda x, p: loss(x[0], x[1][:, :n], x[1][:, n:])
            file.add({"loss": name}, fn, [randn(rows, width), torch.cat([target, weight], dim=1)], wrt=1, smooth=name != "mae")
    return file


def multi_resolution_stft():
    """auraloss's MultiResolutionSTFTLoss, written with torch.stft; the mean over samples and channels."""
    file = File("multi_resolution_stft")
    # Slopes of logarithms of small bins are beyond float32, and nobody is asked for them in it.
    file.accept = lambda error: None

    def spectra(x, fft, hop, length):
        window = torch.hann_window(length, dtype=x.dtype)
        z = torch.stft(x, fft, hop, length, window, return_complex=True)
        return torch.sqrt(torch.clamp(z.real**2 + z.imag**2, min=1e-8))

    def distance(y, t, resolutions, convergence, logs):
        total = 0
        for fft, hop, length in resolutions:
            a, b = spectra(y, fft, hop, length), spectra(t, fft, hop, length)
            apart = torch.linalg.norm(b - a, dim=(-2, -1)) / torch.linalg.norm(b, dim=(-2, -1))
            total = total + convergence * apart.mean() + logs * (a.log() - b.log()).abs().mean()
        return total / len(resolutions)

    for samples, steps, channels, resolutions, convergence, logs in [
        (1, 9, 1, [(16, 4, 10)], 1.0, 1.0), (2, 37, 1, [(16, 4, 10), (8, 3, 8), (32, 5, 20)], 1.0, 1.0),
        (2, 40, 3, [(8, 1, 5), (16, 16, 16)], 1.0, 1.0), (3, 65, 1, [(64, 7, 31)], 1.0, 0.0), (1, 21, 2, [(4, 2, 2), (32, 9, 32)], 0.0, 0.5),
    ]:  # fmt: skip
        file.begin(f"{samples}x{steps}x{channels}_" + "_".join(str(fft) for fft, _, _ in resolutions))
        fn = lambda x, p: distance(*[part.transpose(1, 2).reshape(-1, steps) for part in x], resolutions, convergence, logs)
        settings = {"convergence": convergence, "logs": logs} | {f"{key}{i}": n for i, r in enumerate(resolutions) for key, n in zip(("fft", "hop", "window"), r)}
        shape = (samples, steps, channels)
        file.add(settings | {"count": len(resolutions)}, fn, [randn(*shape), randn(*shape)], wrt=1)
    return file


def of_many():
    """Losses of a window `[samples, steps, numbers]`, and of its rows: means over samples, or over rows."""
    file = File("of_many")

    def emphasise(x, coefficient=0.85):
        return x - coefficient * torch.nn.functional.pad(x, (0, 0, 1, 0))[:, :-1]

    def energies(y, t):
        return ((y - t) ** 2).sum(dim=(1, 2)) / ((t**2).sum(dim=(1, 2)) + 1e-8)

    def correlations(y, t):
        a, b = y - y.mean(-1, keepdim=True), t - t.mean(-1, keepdim=True)
        return 1 - (a * b).sum(-1) / ((a**2).sum(-1) * (b**2).sum(-1) + 1e-12).sqrt()

    losses = {
        "esr": energies,
        "pre_emphasised": lambda y, t: energies(emphasise(y), emphasise(t)),
        "direct_current": lambda y, t: (t - y).mean(dim=(1, 2)) ** 2 / ((t**2).mean(dim=(1, 2)) + 1e-8),
        "correlation": correlations,
        "shares": lambda y, t: (y - t) ** 2 / (t.abs().sum(-1, keepdim=True) + 0.5),
    }
    for name, loss in losses.items():
        for samples, steps, width in [(2, 19, 1), (3, 5, 7)]:
            if name == "correlation" and width == 1:
                continue
            file.begin(f"{name}_{samples}x{steps}x{width}")
            file.add({"loss": name}, lambda x, p: loss(x[0], x[1]).mean(), [randn(samples, steps, width) for _ in range(2)], wrt=1)
    return file


def main():
    torch.set_num_threads(1)  # one order of summation, whatever the machine
    focals = [(2.0, 0.25), (0.5, 0.6)]
    files = [
        elementwise_loss("hinge", [("", {"squared": 0}, hinge(False)), ("squared_", {"squared": 1}, hinge(True))], signs),
        elementwise_loss("poisson", [("log_", {"log_input": 1}, poisson(True)), ("", {"log_input": 0}, poisson(False))], counts),
        elementwise_loss("binary_focal", [(f"gamma{g}_", {"gamma": g, "alpha": a}, binary_focal(g, a)) for g, a in focals], bits),
        focal(),
        kl_divergence(),
        cosine_similarity(),
        ctc(),
        ctc_settings(),
        gaussian_nll(),
        weighted(),
        triplet(),
        element_weights(),
        multi_resolution_stft(),
        of_many(),
    ]
    print(f"{sum(file.write() for file in files)} bytes, torch {torch.__version__}")


if __name__ == "__main__":
    main()
