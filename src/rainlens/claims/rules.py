"""How a claim is decided: what a finding is, and the rules that judges share.

Where a rule holds clearly, interval and all seeds, the claim is reproduced; where it is broken as
clearly, it is not; where the records there are tell neither, it is *not decided*. A claim without
a rule, or without a single record, is *not tested*.

E_R, by which the papers measure removal, counts every change where it rains, repainted background
included. So a claim about removal is decided once more by the rain response, which sees the rain
alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from rainlens import estimates
from rainlens.claims.evidence import Evidence
from rainlens.estimates import TippingPoint
from rainlens.intervals import Estimate

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
UNDECIDED, UNTESTED = "not decided", "not tested"
VERDICTS = (REPRODUCED, NOT_REPRODUCED, UNDECIDED, UNTESTED)
# How much of the rain a network keeps out: 1 minus the rain response (`estimates.per_image`).
REJECTION = "rejection"
NAMES = {
    "e_r": "E_R",
    "e_b": "E_B",
    "gain": "removal gain",
    "contrast": "contrast gain",
    REJECTION: "rejection",
}
DIGITS = {"e_r": 1, "e_b": 1, REJECTION: 2}
# What is said of one part of a claim.
PART = {REPRODUCED: "holds", NOT_REPRODUCED: "is broken", UNDECIDED: "is open"}


@dataclass(frozen=True)
class Finding:
    """A verdict, the effect in words and numbers, and the names of the records behind it.

    trainings: how many of the trainings behind it had converged; empty where all had. by_rain:
    verdict and effect by the rain response, of a claim about removal.
    """

    verdict: str
    effect: str
    records: tuple[str, ...] = ()
    trainings: str = ""
    by_rain: Finding | None = None


Judge = Callable[[Evidence], Finding]


def twice(decide: Callable[[str], tuple[str, str]], measure: str, evidence: Evidence) -> Finding:
    """A claim about removal, decided by the papers' measure and by the rain response.

    decide: the verdict and the effect by a measure of removal. Where records lack the response,
    the second is not decided.
    """
    finding = Finding(*decide(measure))
    tests = [record.tests["unseen"] for record in evidence.read.values()]
    if all("response" in test for test in tests):
        return replace(finding, by_rain=Finding(*decide(REJECTION)))
    return replace(finding, by_rain=Finding(UNDECIDED, "the rain response was not measured"))


def all_of(verdicts: Sequence[str]) -> str:
    """Of a claim in several parts: reproduced if all are, not reproduced if any is not."""
    if NOT_REPRODUCED in verdicts:
        return NOT_REPRODUCED
    return REPRODUCED if all(v == REPRODUCED for v in verdicts) else UNDECIDED


def above(estimate: Estimate, level: float) -> str:
    """Reproduced if a number is above a level, interval and seeds; not if it is below."""
    if estimate.low > level and all(value > level for value in estimate.by_seed):
        return REPRODUCED
    below = estimate.high < level and all(value < level for value in estimate.by_seed)
    return NOT_REPRODUCED if below else UNDECIDED


def above_zero(estimate: Estimate) -> str:
    """Reproduced if a difference is above zero, interval and seeds; not if it is below."""
    return estimates.direction(estimate, REPRODUCED, NOT_REPRODUCED, UNDECIDED)


def rising(pairs: Sequence[tuple[TippingPoint, TippingPoint]]) -> str:
    """Whether the second tipping point of each pair lies above the first, intervals apart."""
    if all(first.high < second.low for first, second in pairs):
        return REPRODUCED
    return NOT_REPRODUCED if any(a.low > b.high for a, b in pairs) else UNDECIDED


def tipping(points: Mapping[str, TippingPoint]) -> str:
    """Where the removal gain tips, by name, in words."""
    told = ", ".join(f"{name} {point}" for name, point in points.items())
    return f"removal gain falls below {estimates.TIPPING_GAIN} at N = {told}"


def within(gap: Estimate, margin: float) -> str:
    """Whether a difference, interval and seeds, lies within the margin, or all of it beyond."""
    spread = gap.low, gap.high, *gap.by_seed
    if all(abs(value) < margin for value in spread):
        return REPRODUCED
    apart = all(value > margin for value in spread) or all(value < -margin for value in spread)
    return NOT_REPRODUCED if apart else UNDECIDED


def all_below(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Whether in every seed ours is below theirs, or in every seed above."""
    pairs = list(zip(ours, theirs, strict=True))
    if all(a < b for a, b in pairs):
        return REPRODUCED
    return NOT_REPRODUCED if all(a > b for a, b in pairs) else UNDECIDED
