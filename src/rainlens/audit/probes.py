"""Is a network wired up as it wants to be? Tried out on two pictures, before anything is scored.

Most complaints about published networks are about wiring: values from 0 to 255, channels in
another order, a network that returns the rain. What gives a clean picture back far better with
another wiring is most likely wired wrongly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from rainlens import images, metrics
from rainlens.audit.inputs import AuditError
from rainlens.audit.networks import ORDERS, RANGES, Network, Wiring, run

BAD, GOOD = 15.0, 25.0  # dB of a clean picture that came back: wired wrongly, rightly
CLEARLY = 3.0  # dB by which another order of channels must be better
OUTSIDE = 0.05  # how far an answer may leave [0, 1]


def probe(network: Network, clean: Tensor, rainy: Tensor, wiring: Wiring) -> list[str]:
    """What is odd about the answers to two pictures, uint8 (3, H, W), each with its remedy.

    Raises AuditError where nothing could be scored: answers that are no pictures, or not finite.
    """
    answer, again = (run(network, clean, wiring) for _ in range(2))
    in_rain = run(network, rainy, wiring)
    for one in (answer, in_rain):
        if not one.isfinite().all():
            raise AuditError(
                "The network returns values that are not finite (nan or infinite); check its "
                "weights, and try --range 0-255 or --range -1-1."
            )
    said = [*_values(answer), *_other_wirings(network, clean, answer, wiring)]
    if not torch.equal(answer, again):
        said.append(
            "The same picture came back different: the network draws random numbers (or was not "
            "set to eval()); the card is about one draw."
        )
    said += _residual(in_rain, clean, rainy, wiring)
    return said


def _values(answer: Tensor) -> Iterator[str]:
    low, high = answer.min().item(), answer.max().item()
    if high - low < 1 / 255:
        yield f"The answer is the same everywhere ({low:.2f}): the network ignores its input."
    elif low < -OUTSIDE or high > 1 + OUTSIDE:
        yield (
            f"Values run from {low:.2f} to {high:.2f}, where 0 to 1 were expected; they are "
            "clipped. If that is not meant, try --range."
        )


def _other_wirings(
    network: Network, clean: Tensor, answer: Tensor, wiring: Wiring
) -> Iterator[str]:
    as_it_is = _likeness(answer, clean)
    if as_it_is < BAD:
        for name in RANGES:
            if name != wiring.range and _tried(network, clean, replace(wiring, range=name)) > GOOD:
                yield (
                    f"A picture without rain comes back with {as_it_is:.0f} dB, but with over "
                    f"{GOOD:.0f} dB as --range {name}: use that."
                )
    for order in ORDERS:
        if order != wiring.order:
            swapped = _tried(network, clean, replace(wiring, order=order))
            if swapped > as_it_is + CLEARLY:
                yield (
                    f"A picture without rain comes back better by {swapped - as_it_is:.0f} dB with "
                    f"red and blue exchanged: use --order {order}."
                )


def _residual(in_rain: Tensor, clean: Tensor, rainy: Tensor, wiring: Wiring) -> Iterator[str]:
    truth, rain = images.to_unit(clean), images.to_unit(rainy) - images.to_unit(clean)
    if wiring.residual:
        return
    if (in_rain - rain).square().mean() < (in_rain - truth).square().mean() / 4:
        yield "The answer looks like the rain, not like the picture: use --residual."


def _tried(network: Network, clean: Tensor, wiring: Wiring) -> float:
    try:
        return _likeness(run(network, clean, wiring), clean)
    except AuditError:
        return float("-inf")


def _likeness(answer: Tensor, clean: Tensor) -> float:
    inside = answer.nan_to_num(0, 1, 0).clamp(0, 1)[None]
    return metrics.psnr_rgb(inside, images.to_unit(clean)[None]).item()
