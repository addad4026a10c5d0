"""Judges of claims about removal and damage: how many backgrounds, which rain, which size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rainlens import estimates, intervals
from rainlens.claims.evidence import Evidence, Missing, OutOfReach
from rainlens.claims.rules import (
    NOT_REPRODUCED,
    REPRODUCED,
    UNDECIDED,
    Finding,
    above_zero,
    all_of,
    rising,
    tipping,
)


def fewer_backgrounds(evidence: Evidence) -> Finding:
    """E_R at the smallest N minus E_R at the largest, for every category and network."""
    told, verdicts = [], []
    for part in evidence.parts:
        try:
            sweep = evidence.sweep(part)
        except Missing:
            verdicts.append(UNDECIDED)
            continue
        fall = estimates.difference(sweep[min(sweep)], sweep[max(sweep)], "unseen", "e_r")
        verdicts.append(above_zero(fall))
        told.append(f"{part}: {(-fall).text(1)}")
    if not told:
        raise Missing("a part of every sweep")
    falls, rises, open_ = (verdicts.count(v) for v in (REPRODUCED, NOT_REPRODUCED, UNDECIDED))
    summary = f"of {len(verdicts)} sweeps, E_R falls in {falls} and rises in {rises}"
    left = f", {open_} are undecided or missing" if open_ else ""
    return Finding(all_of(verdicts), f"{summary}{left} (change in E_R: {'; '.join(told)})")


def collapse(evidence: Evidence) -> Finding:
    """Whether the removal gain at N = 256 is less than half of that at N = 8."""
    sweep = evidence.sweep("medium")
    if not {8, 256} <= set(sweep):
        raise OutOfReach("N = 8 and 256")
    half = estimates.combination([(0.5, sweep[8]), (-1, sweep[256])], "unseen", "gain")
    few, many = (estimates.mean(sweep[n], "unseen", "gain") for n in (8, 256))
    return Finding(above_zero(half), f"removal gain {few} at N = 8, {many} at N = 256")


def rain_range(evidence: Evidence) -> Finding:
    """Tipping points at removal gain 0.9: whether their intervals lie one above the other."""
    points = {n: estimates.tipping_point(s, "unseen") for n, s in evidence.sweeps().items()}
    small, medium, large = points.values()
    return Finding(rising([(small, medium), (medium, large)]), tipping(points))


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
    at_few = estimates.difference(large[few], small[few], "unseen", "e_r")
    at_many = estimates.difference(large[many], small[many], "unseen", "e_r")
    return Finding(
        all_of([place, above_zero(at_few), above_zero(-at_many)]),
        f"{tipping(points)}; E_R of the largest network minus that of the smallest is "
        f"{at_few.text(1)} at N = {few} and {at_many.text(1)} at N = {many}",
    )


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
    """E_R and E_B of the large range with N = 128 and 256.

    E_R must be above that of the medium range with the most backgrounds, E_B below that of the
    medium range with 64.
    """
    large, medium = evidence.sweep("large"), evidence.sweep("medium")
    most = max(medium)
    if not {64, 128, 256} <= set(medium):
        raise OutOfReach("N = 64, 128 and 256")
    told, verdicts = [], []
    for count in (128, 256):
        removed = estimates.difference(large[count], medium[most], "unseen", "e_r")
        kept = estimates.difference(medium[64], large[count], "unseen", "e_b")
        verdicts += [above_zero(removed), above_zero(kept)]
        told.append(
            f"E_R of large/{count} minus that of medium/{most:,} is {removed.text(1)}, "
            f"E_B of medium/64 minus that of large/{count} is {kept.text(1)}"
        )
    return Finding(all_of(verdicts), "; ".join(told))


def psnr_misleads(evidence: Evidence) -> Finding:
    """PSNR of the untouched input minus that of the network with the fewest backgrounds.

    That network must remove contrast of the rain.
    """
    sweep = evidence.sweep("small")
    few = sweep[min(sweep)]
    better = estimates.between(few, "unseen", "input_psnr", "psnr")
    removed = estimates.mean(few, "unseen", "contrast")
    seeds = intervals.by_seed([(1, estimates.group(few, "unseen", "contrast"))])
    return Finding(
        all_of([above_zero(better), above_zero(replace(removed, by_seed=seeds))]),
        f"doing nothing has a PSNR {better.text(1)} dB above that of the network for N = "
        f"{min(sweep)}, which removes {removed} of the rain's contrast",
    )
