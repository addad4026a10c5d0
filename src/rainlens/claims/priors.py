"""Judges of claims about priors of pictures: does a frozen code book keep unseen rain out?

The rules were fixed before any prior was fine-tuned. They are about our own VQGAN, as the papers'
claims are about a VQGAN; TAEF2 is another kind of network, and stands beside it in chapter 10.
"""

from __future__ import annotations

from collections.abc import Mapping

from rainlens import estimates
from rainlens.claims.evidence import Evidence, Parts
from rainlens.claims.rules import (
    DIGITS,
    NAMES,
    NOT_REPRODUCED,
    REPRODUCED,
    UNDECIDED,
    Finding,
    above,
    above_zero,
    all_of,
    twice,
)
from rainlens.intervals import Estimate
from rainlens.records import Record
from rainlens.scales import Scale
from rainlens.tasks.fine_tune import ARMS, FineTuned

INGREDIENTS = {  # fields of `fine_tune.Arm`, in words
    "pretrained": "the trained weights",
    "frozen": "the frozen decoder",
    "quantised": "the code book",
}
HALF = 0.5  # of the unseen rain: what removes less has not generalised (as for `collapse`)


def needs_prior(setting: Scale) -> Parts:
    """The papers' method, and the usual network on as many backgrounds."""
    most = setting.patch_counts[-1]
    usual = [setting.experiment(patches=most, seed=seed) for seed in setting.seeds]
    return {"method": _arm(setting, "method"), "resnet": usual}


def needs_codebook(setting: Scale) -> dict[str, list[FineTuned]]:
    """The papers' method and their ablation."""
    return {arm: _arm(setting, arm) for arm in ("method", "ablation")}


def _arm(setting: Scale, arm: str) -> list[FineTuned]:
    return [setting.prior(arm=arm, seed=seed) for seed in setting.seeds]


def arms(setting: Scale) -> dict[str, list[FineTuned]]:
    """Each arm of the grid: the claims' two with every seed, the others with the first."""
    first = {arm: _arm(setting, arm)[:1] for arm in ARMS}
    return {**first, **needs_codebook(setting)}


def effect(records: Mapping[str, Record], ingredient: str, measure: str) -> Estimate:
    """What an ingredient adds on unseen rain: the mean over pairs of arms that differ in it alone.

    records: arm -> its record, all of one seed. The interval is over pictures.
    """
    pairs = [
        (with_it, without)
        for with_it, first in ARMS.items()
        for without, second in ARMS.items()
        if getattr(first, ingredient) and first._replace(**{ingredient: False}) == second
    ]
    share = 1 / len(pairs)
    parts = [
        part
        for with_it, without in pairs
        for part in ((share, [records[with_it]]), (-share, [records[without]]))
    ]
    return estimates.combination(parts, "unseen", measure)


def prior_derain(evidence: Evidence) -> Finding:
    """Fine-tuned by the papers' method, the VQGAN removes more than half of the unseen rain.

    And more than a ResNet that was trained from scratch on the same rain and backgrounds.
    """

    def decide(measure: str) -> tuple[str, str]:
        ours, usual = evidence.records("method"), evidence.records("resnet")
        level = estimates.mean(ours, "unseen", measure)
        more = estimates.difference(ours, usual, "unseen", measure)
        told = _said("the method", measure, level, more, "a ResNet")
        return all_of([above(level, HALF), above_zero(more)]), told

    return twice(decide, "gain", evidence)


def codebook(evidence: Evidence) -> Finding:
    """From scratch and without a code book, the VQGAN's network removes less than half.

    And less than the same network fine-tuned by the papers' method.
    """

    def decide(measure: str) -> tuple[str, str]:
        method, ablation = evidence.records("method"), evidence.records("ablation")
        level = estimates.mean(ablation, "unseen", measure)
        more = estimates.difference(method, ablation, "unseen", measure)
        told = _said("from scratch", measure, level, -more, "the method")
        return all_of([_reversed(above(level, HALF)), above_zero(more)]), told

    return twice(decide, "gain", evidence)


def _reversed(verdict: str) -> str:
    return {REPRODUCED: NOT_REPRODUCED, NOT_REPRODUCED: REPRODUCED}.get(verdict, UNDECIDED)


def _said(name: str, measure: str, level: Estimate, more: Estimate, other: str) -> str:
    digits = DIGITS.get(measure, 2)
    return f"{name}: {NAMES[measure]} {level.text(digits)}, {more.text(digits)} more than {other}"
