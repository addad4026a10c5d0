"""Judges of claims about pictures: their category, complexity and sharpness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from rainlens import estimates, intervals
from rainlens.claims.evidence import Evidence, OutOfReach
from rainlens.claims.rules import (
    DIGITS,
    NAMES,
    NOT_REPRODUCED,
    PART,
    REJECTION,
    REPRODUCED,
    UNDECIDED,
    Finding,
    above_zero,
    all_of,
    rising,
    tipping,
    twice,
    within,
)

# "Like natural pictures": within a fifth of their damage. Fixed before there were records.
ALIKE = 0.2
# The iteration of the earliest stage of training that Hu 2026 speaks of (Sec. 4.1.2). What it says
# about the course of training cannot be decided, either way, by a run that ends before.
EARLIEST_STAGE = 5000
# By structural complexity, from high to low (Hu 2026, Sec. 4.1.4); Gu 2023, Sec. 3.1 prints the
# reverse.
COMPLEXITY_ORDER = ("faces", "natural", "comics", "urban")


def category_order(evidence: Evidence) -> Finding:
    """Tipping points: faces below natural pictures, these below comics and buildings."""
    points = {n: estimates.tipping_point(s, "unseen") for n, s in evidence.sweeps().items()}
    natural = points["natural"]
    pairs = [(points["faces"], natural), (natural, points["comics"]), (natural, points["urban"])]
    return Finding(rising(pairs), tipping(points))


def complexity_order(evidence: Evidence) -> Finding:
    """Each category's structural complexity minus the next one's; pictures are resampled."""
    surveys = {name: evidence.records(name)[0] for name in evidence.parts}
    values = {n: estimates.by_picture(r, estimates.structure(r)) for n, r in surveys.items()}
    means = {name: intervals.mean_of(of_pictures) for name, of_pictures in values.items()}
    ours = sorted(means, key=lambda n: -means[n].value)
    pairs = list(zip(COMPLEXITY_ORDER, COMPLEXITY_ORDER[1:], strict=False))
    verdicts = [above_zero(intervals.gap(values[a], values[b])) for a, b in pairs]
    told = [
        " > ".join(f"{name} {means[name].text(4)}" for name in ours),
        "of Hu's order "
        + ", ".join(f"{a} > {b} {PART[v]}" for (a, b), v in zip(pairs, verdicts, strict=True)),
    ]
    if ours != list(COMPLEXITY_ORDER):
        told += [f"without {name} the means are in Hu's order" for name in _out_of_place(ours)]
    tau = order_agreement({name: mean.value for name, mean in means.items()})
    told.append(f"Kendall's tau is {tau:.2f} with Hu's order, {0 - tau:.2f} with Gu's, its reverse")
    return Finding(all_of(verdicts), "; ".join(told))


def _out_of_place(ours: Sequence[str]) -> list[str]:
    """Categories without which ours is Hu's order of complexity."""
    return [
        name
        for name in ours
        if [n for n in ours if n != name] == [n for n in COMPLEXITY_ORDER if n != name]
    ]


def order_agreement(level: Mapping[str, float]) -> float:
    """Kendall's tau of a level by category with the order of complexity in Hu 2026.

    Gu 2023 prints the reverse.
    """
    places = [-COMPLEXITY_ORDER.index(name) for name in level]
    return float(stats.kendalltau(places, list(level.values())).statistic) + 0.0


def low_sharpness(evidence: Evidence) -> Finding:
    """Removal by low sharpness minus the others': at the end, and at each point of the curves.

    Curves know no rain response; along training, the contrast gain stands for it.
    """
    networks = {kind: evidence.records(kind) for kind in ("low", "medium", "high")}
    steps = networks["low"][0].curves["iteration"]

    def decide(measure: str) -> tuple[str, str]:
        told, verdicts = [], []
        curve = "unseen/contrast" if measure == REJECTION else f"unseen/{measure}"
        name = NAMES[measure]
        for other in ("medium", "high"):
            more = estimates.difference(networks["low"], networks[other], "unseen", measure)
            curves = [
                (estimates.curve_of(ours, curve) - estimates.curve_of(theirs, curve))[1:]
                for ours, theirs in zip(networks["low"], networks[other], strict=True)
            ]
            ahead = np.min(curves, axis=0) > 0  # in all seeds
            behind = np.max(curves, axis=0) < 0
            stages = REPRODUCED if ahead.all() else NOT_REPRODUCED if behind.any() else UNDECIDED
            verdicts += [above_zero(more), stages]
            told.append(
                f"{name} higher by {more.text(DIGITS[measure])} than {other} at the end, and "
                f"higher in all seeds at {ahead.sum()} of {len(ahead)} stages"
            )
        told.append(f"the stages are steps {steps[1]:,} to {steps[-1]:,}")
        return all_of(verdicts), "; ".join(told)

    return twice(decide, "e_r", evidence)


def sharpness_tradeoff(evidence: Evidence) -> Finding:
    """Removal and E_B of low sharpness along training: the first measurement above the last.

    The curves hold means over pictures: the interval is Student's over seeds. They know no rain
    response; the contrast gain stands for it. Not decided by runs that end before the earliest
    stage that the paper speaks of.
    """
    low = evidence.records("low")
    steps = low[0].curves["iteration"]
    early = estimates.curve_of(low[0], "iteration")[-1] < EARLIEST_STAGE

    def decide(measure: str) -> tuple[str, str]:
        verdicts, told = [], []
        for name in ("e_b", measure):
            curves = [estimates.curve_of(record, f"unseen/{name}") for record in low]
            fall = intervals.over_seeds([curve[1] - curve[-1] for curve in curves])
            verdicts.append(above_zero(fall))
            told.append(f"{NAMES[name]} by {(-fall).text(DIGITS.get(name, 2))}")
        span = f"changes from step {steps[1]:,} to {steps[-1]:,}: {', '.join(told)}"
        if early:
            why = f"the run ends before step {EARLIEST_STAGE:,}, the earliest that the paper names"
            return UNDECIDED, f"{span}; {why}"
        return all_of(verdicts), span

    return Finding(*decide("e_r"), by_rain=Finding(*decide("contrast")))


def transfer(evidence: Evidence) -> Finding:
    """E_B on natural pictures with the most patches, against that of natural training.

    Faces and buildings must be within a fifth of it, comics above it.
    """
    sweeps = evidence.sweeps()
    most = max(sweeps["natural"])
    if most < 256:
        raise OutOfReach("N = 256 or more")
    natural = sweeps["natural"][most]
    told, verdicts = [], []
    for name in ("faces", "urban", "comics"):
        records = estimates.tested_on(sweeps[name][most], "transfer")
        worse = estimates.difference(records, natural, "unseen", "e_b")
        margin = ALIKE * estimates.mean(natural, "unseen", "e_b").value
        verdicts.append(above_zero(worse) if name == "comics" else within(worse, margin))
        told.append(f"for {name} {worse.text(1)} (this part {PART[verdicts[-1]]})")
    base = estimates.mean(natural, "unseen", "e_b").text(1)
    return Finding(
        all_of(verdicts),
        f"at N = {most}, E_B on natural pictures is {base} after natural training; other training "
        f"adds {', '.join(told)}",
    )
