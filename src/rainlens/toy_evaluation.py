"""Scoring a network of the toy task: errors over many noise draws, and what its answer hangs on.

All points are (N, 2, P), x in [-10, 10] in channel 0, y in channel 1 (see `signals`).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from rainlens import signals
from rainlens.signals import Noise, Signal

POINTS = 256
DENSITIES = (128, 512, 1024)  # other numbers of points over the whole function
ORDERS = (1, 4, 8)
MIDDLE_NOISE = Noise(0.0, 5.0)  # our choice: the paper's text names only the two others


def norm_loss(output: Tensor, target: Tensor) -> Tensor:
    """||target - output|| of each segment, averaged over the batch (P equation 2)."""
    distances: Tensor = (output - target).flatten(1).norm(dim=1)
    return distances.mean()


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "norm": norm_loss,
    "l1": nn.functional.l1_loss,
    "mse": nn.functional.mse_loss,
}


@torch.no_grad()
def answers(
    network: nn.Module, signal: Signal, noise: Noise, draws: int, points: int = POINTS
) -> tuple[Tensor, Tensor, Tensor]:
    """The noisy input, the network's output and the truth, each (draws, 2, points)."""
    device = next(network.parameters()).device
    noisy, clean = signals.whole_noisy(signal, noise, points, draws)
    return noisy, network(noisy.to(device)).cpu(), clean


def errors(
    network: nn.Module, signal: Signal, noise: Noise, draws: int, points: int = POINTS
) -> list[float]:
    """Mean square error of y over the whole function, one value a noise draw."""
    _, output, clean = answers(network, signal, noise, draws, points)
    return signals.mean_square_error(output, clean).tolist()


def shares(
    network: nn.Module, order: int, noise: Noise, draws: int = 8, points: int = POINTS
) -> tuple[float, float]:
    """How much of the output's slope comes from x, and how much from y, on the network's own task.

    If D(x + d, f(x + d)) = (x + d, f(x + d)), then J_x 1 + J_y f' = f'. The x share is
    <J_x 1, f'> / <f', f'>, the y share <J_y f', f'> / <f', f'>: they add up to 1 for a network
    that does its own task, and are 0 and 1 for one that returns its input.
    """
    device = next(network.parameters()).device
    noisy, clean = signals.whole_noisy(signals.Cosine(order), noise, points, draws)
    rate = order * math.pi / 10
    slope = (-signals.AMPLITUDE * rate * torch.sin(rate * clean[:, 0])).to(device)
    none = torch.zeros_like(slope)
    directions = torch.stack((torch.ones_like(slope), none), 1), torch.stack((none, slope), 1)

    def share(direction: Tensor) -> float:
        _, moved = torch.autograd.functional.jvp(network, noisy.to(device), direction)
        return float((moved[:, 1] * slope).sum() / slope.square().sum())

    return share(directions[0]), share(directions[1])


def measure(network: nn.Module, order: int, draws: int = 8) -> dict[str, float]:
    """One point of the turning curves."""
    own, usual = signals.Cosine(order), signals.TRAINING_NOISE
    x_share, y_share = shares(network, order, usual, draws)

    def mean(signal: Signal, noise: Noise) -> float:
        values = errors(network, signal, noise, draws)
        return sum(values) / len(values)

    return {
        "matched": mean(own, usual),
        "shifted": mean(own, signals.SHIFTED_NOISE),
        "foreign": mean(signals.foreign, usual),
        "x_share": x_share,
        "y_share": y_share,
    }


def panels(order: int) -> dict[str, tuple[Signal, Noise]]:
    """The tests of Fig. 11 to 14 by name.

    `order1`: that order under N(0, 1), `order1_shifted`: under N(10, 5), for its own and all
    `ORDERS`; `middle`: its own under N(0, 5); `foreign`: the triangle wave under N(0, 1).
    """
    own, usual = signals.Cosine(order), signals.TRAINING_NOISE
    tests: dict[str, tuple[Signal, Noise]] = {}
    for other in dict.fromkeys((order, *ORDERS)):
        tests[f"order{other}"] = (signals.Cosine(other), usual)
        tests[f"order{other}_shifted"] = (signals.Cosine(other), signals.SHIFTED_NOISE)
    return {**tests, "middle": (own, MIDDLE_NOISE), "foreign": (signals.foreign, usual)}


def evaluate(network: nn.Module, order: int, draws: int) -> dict[str, dict[str, list[float]]]:
    """Per test of `panels`: `mse`, one a draw, and the first draw's `noisy` and `output` y.

    And per number of points in `DENSITIES`, the `matched` and `shifted` errors on its own signal.
    """
    tests = {}
    for name, (signal, noise) in panels(order).items():
        noisy, output, clean = answers(network, signal, noise, draws)
        tests[name] = {
            "mse": signals.mean_square_error(output, clean).tolist(),
            "noisy": [round(value, 3) for value in noisy[0, 1].tolist()],
            "output": [round(value, 3) for value in output[0, 1].tolist()],
        }
    own = signals.Cosine(order)
    for points in DENSITIES:
        tests[f"points{points}"] = {
            "matched": errors(network, own, signals.TRAINING_NOISE, draws, points),
            "shifted": errors(network, own, signals.SHIFTED_NOISE, draws, points),
        }
    return tests
