"""Judges of claims about priors of pictures: does a frozen code book keep unseen rain out?

The rules were fixed before any prior was fine-tuned. They are about our own VQGAN, as the papers'
claims are about a VQGAN; TAEF2 is another kind of network, and stands beside it in chapter 10.
"""

from __future__ import annotations

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
from rainlens.scales import Scale

HALF = 0.5  # of the unseen rain: what removes less has not generalised (as for `collapse`)


def needs(setting: Scale) -> Parts:
    """The papers' two arms, and the usual network on as many backgrounds."""
    arms = {
        arm: [setting.prior(arm=arm, seed=seed) for seed in setting.seeds]
        for arm in ("method", "ablation")
    }
    most = setting.patch_counts[-1]
    return {**arms, "resnet": [setting.experiment(patches=most, seed=s) for s in setting.seeds]}


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
