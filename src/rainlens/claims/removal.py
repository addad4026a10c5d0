"""Judges of claims about removal and damage: how many backgrounds, which rain, which size."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from rainlens import estimates
from rainlens.claims.evidence import Evidence, Missing, OutOfReach, Sweep
from rainlens.claims.rules import (
    DIGITS,
    NAMES,
    NOT_REPRODUCED,
    REPRODUCED,
    UNDECIDED,
    Finding,
    above_zero,
    all_of,
    rising,
    tipping,
    twice,
)


def fewer_backgrounds(evidence: Evidence) -> Finding:
    """Removal at the smallest N minus that at the largest, for every category and network."""
    sweeps = {}
    for part in evidence.parts:
        with suppress(Missing):
            sweeps[part] = evidence.sweep(part)
    if not sweeps:
        raise Missing("a part of every sweep")

    def decide(measure: str) -> tuple[str, str]:
        falls = {
            part: estimates.difference(sweep[min(sweep)], sweep[max(sweep)], "unseen", measure)
            for part, sweep in sweeps.items()
        }
        verdicts = [above_zero(fall) for fall in falls.values()]
        verdicts += [UNDECIDED] * (len(evidence.parts) - len(sweeps))
        fell, rose, open_ = (verdicts.count(v) for v in (REPRODUCED, NOT_REPRODUCED, UNDECIDED))
        name, digits = NAMES[measure], DIGITS[measure]
        summary = f"of {len(verdicts)} sweeps, {name} falls in {fell} and rises in {rose}"
        left = f", {open_} are undecided or missing" if open_ else ""
        told = "; ".join(f"{part}: {(-fall).text(digits)}" for part, fall in falls.items())
        return all_of(verdicts), f"{summary}{left} (change in {name}: {told})"

    return twice(decide, "e_r", evidence)


def collapse(evidence: Evidence) -> Finding:
    """Whether removal at N = 256 is less than half of that at N = 8."""
    sweep = evidence.sweep("medium")
    if not {8, 256} <= set(sweep):
        raise OutOfReach("N = 8 and 256")

    def decide(measure: str) -> tuple[str, str]:
        half = estimates.combination([(0.5, sweep[8]), (-1, sweep[256])], "unseen", measure)
        few, many = (estimates.mean(sweep[n], "unseen", measure) for n in (8, 256))
        return above_zero(half), f"{NAMES[measure]} {few} at N = 8, {many} at N = 256"

    return twice(decide, "gain", evidence)


def rain_range(evidence: Evidence) -> Finding:
    """Tipping points at removal gain 0.9: whether their intervals lie one above the other.

    The rain response knows no such level, so by it we ask what the claim comes to: whether with the
    most backgrounds more of the rain is kept out, the wider the range.
    """
    sweeps = evidence.sweeps()
    small, medium, large = sweeps.values()
    most = max(large)

    def decide(measure: str) -> tuple[str, str]:
        if measure == "gain":
            points = {n: estimates.tipping_point(s, "unseen") for n, s in sweeps.items()}
            first, second, third = points.values()
            return rising([(first, second), (second, third)]), tipping(points)
        pairs = [(medium, small), (large, medium)]
        steps = [estimates.difference(a[most], b[most], "unseen", measure) for a, b in pairs]
        told = (
            f"with N = {most:,}, rejection rises by {steps[0]} from the small range to the medium"
        )
        return all_of([above_zero(s) for s in steps]), f"{told} and by {steps[1]} to the large"

    return twice(decide, "gain", evidence)


def model_size(evidence: Evidence) -> Finding:
    """Whether tipping points of three sizes overlap, and which network has the higher E_R.

    The largest must have it at the smallest N, the smallest at the largest N.
    """
    sweeps = evidence.sweeps()
    points = {name: estimates.tipping_point(sweep, "unseen") for name, sweep in sweeps.items()}
    found = list(points.values())
    reached = all(0 < point.n < np.inf for point in found)
    apart = any(a.high < b.low for a in found for b in found)
    place = NOT_REPRODUCED if apart else REPRODUCED if reached else UNDECIDED
    small, *_, large = sweeps.values()
    few, many = min(small), max(small)

    def decide(measure: str) -> tuple[str, str]:
        at_few, at_many = (
            estimates.difference(large[n], small[n], "unseen", measure) for n in (few, many)
        )
        digits = DIGITS[measure]
        return (
            all_of([place, above_zero(at_few), above_zero(-at_many)]),
            f"{tipping(points)}; {NAMES[measure]} of the largest network minus that of the "
            f"smallest is {at_few.text(digits)} at N = {few} and {at_many.text(digits)} at "
            f"N = {many}",
        )

    return twice(decide, "e_r", evidence)


def reconstruction(evidence: Evidence) -> Finding:
    """E_B falls to N = 256, and what falls after is less than a quarter of that."""
    sweep = evidence.sweep("medium")
    last = max(sweep)
    if not {8, 256} <= set(sweep) or last <= 256:
        raise OutOfReach("N = 8, 256 and more")
    early = estimates.difference(sweep[8], sweep[256], "unseen", "e_b")
    late = estimates.difference(sweep[256], sweep[last], "unseen", "e_b")
    parts = [(0.25, sweep[8]), (-1.25, sweep[256]), (1, sweep[last])]
    flat = estimates.combination(parts, "unseen", "e_b")
    return Finding(
        all_of([above_zero(early), above_zero(flat)]),
        f"E_B falls by {early.text(1)} up to N = 256, then by {late.text(1)} up to {last:,}",
    )


def balance(evidence: Evidence) -> Finding:
    """The large range with N = 128 and 256 must pass all tests of `better_of_both`."""
    large, medium = evidence.sweep("large"), evidence.sweep("medium")

    def decide(measure: str) -> tuple[str, str]:
        verdicts, told = better_of_both(large, medium, measure)
        return all_of(verdicts), told

    return twice(decide, "e_r", evidence)


def better_of_both(large: Sweep, medium: Sweep, measure: str) -> tuple[list[str], str]:
    """Whether the large range with N = 128 and with 256 has what two other networks have apart.

    Removal above that of the medium range with the most backgrounds; E_B below that of the medium
    range with 64. A verdict each, and the effects in words. Raises OutOfReach where a number of
    backgrounds is not trained.
    """
    most = max(medium)
    if not {128, 256} <= set(large) or 64 not in medium:
        raise OutOfReach("N = 64, 128 and 256")
    told, verdicts = [], []
    for count in (128, 256):
        removed = estimates.difference(large[count], medium[most], "unseen", measure)
        kept = estimates.difference(medium[64], large[count], "unseen", "e_b")
        verdicts += [above_zero(removed), above_zero(kept)]
        told.append(
            f"{NAMES[measure]} of large/{count} minus that of medium/{most:,} is "
            f"{removed.text(DIGITS[measure])}, E_B of medium/64 minus that of large/{count} is "
            f"{kept.text(1)}"
        )
    return verdicts, "; ".join(told)


def psnr_misleads(evidence: Evidence) -> Finding:
    """PSNR of the untouched input minus that of the network with the fewest backgrounds.

    That network must remove contrast of the rain, and keep rain out.
    """
    sweep = evidence.sweep("small")
    few = sweep[min(sweep)]
    better = estimates.between(few, "unseen", "input_psnr", "psnr")

    def decide(measure: str) -> tuple[str, str]:
        removed = estimates.mean(few, "unseen", measure)
        return (
            all_of([above_zero(better), above_zero(removed)]),
            f"doing nothing has a PSNR {better.text(1)} dB above that of the network for N = "
            f"{min(sweep)}, whose {NAMES[measure]} is {removed}",
        )

    return twice(decide, "contrast", evidence)
