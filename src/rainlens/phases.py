"""N against training time: what a network does as its backgrounds and its steps grow.

Both more backgrounds and fewer steps mean that each background has been seen less often. So one may
ask whether *how often* explains what N and time do, each on its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from rainlens import estimates, intervals
from rainlens.intervals import Estimate
from rainlens.records import Record

Sweep = Mapping[int, Sequence[Record]]
REMOVAL, DAMAGE = "unseen/contrast", "unseen/e_b"
MOMENTS = 5  # about log-spaced, from the first measured one to the last
# What happens between two moments: the change of removal, that of damage.
LEARNS, LEAVES, SPOILS, UNCLEAR = "learns", "leaves rain", "spoils", "unclear"
REGIMES = {
    LEARNS: "damage falls, removal does not",
    LEAVES: "damage and removal fall",
    SPOILS: "damage grows",
    UNCLEAR: "seeds disagree on the damage",
}
SAID = {
    LEARNS: "lessens the damage without more rain",
    LEAVES: "lessens the damage and leaves more rain",
    SPOILS: "adds damage",
    UNCLEAR: "does nothing that all seeds agree on",
}


def moments(records: Sequence[Record], count: int = MOMENTS) -> list[int]:
    """About `count` measured iterations, as evenly spaced on a log axis as they can be."""
    steps = estimates.curve_of(records[0], "iteration")[1:]
    wanted = np.geomspace(steps[0], steps[-1], count)
    return sorted({int(steps[np.argmin(np.abs(np.log(steps / one)))]) for one in wanted})


def at_moments(records: Sequence[Record], curve: str, steps: Sequence[int]) -> np.ndarray:
    """A training curve at these iterations, (seeds, moments)."""
    return np.array([[estimates.at(record, curve, step) for step in steps] for record in records])


def regimes(records: Sequence[Record], steps: Sequence[int]) -> list[str]:
    """What happens from each moment to the next, a key of REGIMES: one fewer than moments.

    Damage falls or grows where all seeds agree on its sign. Removal falls where its mean does; a
    fall of removal while the damage grows is called by the damage.
    """
    damage = np.diff(at_moments(records, DAMAGE, steps))
    removal = np.diff(at_moments(records, REMOVAL, steps).mean(axis=0))
    found = []
    for changes, more in zip(damage.T, removal, strict=True):
        if (changes > 0).all():
            found.append(SPOILS)
        elif (changes < 0).all():
            found.append(LEARNS if more >= 0 else LEAVES)
        else:
            found.append(UNCLEAR)
    return found


@dataclass(frozen=True)
class Apart:
    """How far the curves of two networks with other N lie apart where something else is equal.

    fewer, more: their N. at_equal_visits: where each background has been seen equally often;
    at_equal_steps: where both have been trained for equally long, at the same moments of the
    network with fewer. Both are in the units of the curve.
    """

    fewer: int
    more: int
    at_equal_visits: Estimate
    at_equal_steps: Estimate


def pairs_apart(sweep: Sweep, curve: str) -> list[Apart]:
    """The distances for each two N whose trainings reach the same numbers of visits.

    A background is visited batch * iterations / N times. A distance is the mean of the absolute
    differences, at the measured moments of the network with fewer backgrounds whose number of
    visits the other one reaches, too, read on straight lines. Seed by seed; the interval is
    Student's over seeds.
    """
    found = []
    for fewer, more in combinations(sorted(sweep), 2):
        pairs = estimates.pairs(sweep[fewer], sweep[more])
        steps = _shared_moments(*pairs[0], more / fewer)
        if len(steps):
            gaps = [_distances(*pair, curve, steps, more / fewer) for pair in pairs]
            visits, times = (intervals.over_seeds(column) for column in zip(*gaps, strict=True))
            found.append(Apart(fewer, more, visits, times))
    return found


def summary(sweeps: Mapping[str, Sweep]) -> str:
    """What the last part of training does to the fewest backgrounds and to the most, by range."""
    told = []
    for name, sweep in sweeps.items():
        ends = sorted(sweep)[:: len(sweep) - 1]
        few, many = (regimes(sweep[n], moments(sweep[n]))[-1] for n in ends)
        told.append(
            f"with the {name} range the last part of training {SAID[few]} at N = {ends[0]:,} and "
            f"{SAID[many]} at N = {ends[1]:,}"
        )
    text = "; ".join(told)
    return f"{text[0].upper()}{text[1:]}."


def explains(found: Sequence[Apart]) -> str:
    """Whether curves are closer at equal visits than at equal steps, in a word: "does", or not.

    It does where that holds for all, and does not where it holds for fewer than half.
    """
    closer = sum(pair.at_equal_visits.value < pair.at_equal_steps.value for pair in found)
    if found and closer == len(found):
        return "does"
    return "may in part" if 2 * closer >= len(found) > 0 else "does not"


def _shared_moments(fewer: Record, more: Record, ratio: float) -> np.ndarray:
    """Iterations of one network after which the other, `ratio` times later, had been measured."""
    steps, others = (estimates.curve_of(one, "iteration")[1:] for one in (fewer, more))
    later = ratio * steps
    shared: np.ndarray = steps[(later >= others[0]) & (later <= others[-1])]
    return shared


def _distances(
    fewer: Record, more: Record, curve: str, steps: np.ndarray, ratio: float
) -> tuple[float, float]:
    """Mean absolute differences where the second is read `ratio` times later, and at once."""
    ours, later, now = (
        np.array([estimates.at(record, curve, step) for step in at])
        for record, at in ((fewer, steps), (more, ratio * steps), (more, steps))
    )
    return float(np.abs(ours - later).mean()), float(np.abs(ours - now).mean())
