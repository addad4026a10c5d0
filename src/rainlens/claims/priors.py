"""Judges of claims about priors of pictures: does a frozen code book keep unseen rain out?

The rules were fixed before any prior was fine-tuned. `papers` asks them once the records are there.
"""

from __future__ import annotations

from rainlens import estimates
from rainlens.claims.evidence import PRIORS, Evidence, Parts
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
    """Each prior in the papers' two arms, and the usual network on as many backgrounds."""
    arms = {
        f"{prior}, {arm}": [setting.prior(prior, arm, seed) for seed in setting.seeds]
        for prior in PRIORS
        for arm in ("method", "ablation")
    }
    most = setting.patch_counts[-1]
    return {**arms, "resnet": [setting.experiment(patches=most, seed=s) for s in setting.seeds]}


def prior_derain(evidence: Evidence) -> Finding:
    """Fine-tuned by the papers' method, each prior removes more than half of the unseen rain.

    And more than a ResNet that was trained from scratch on the same rain and backgrounds.
    """

    def decide(measure: str) -> tuple[str, str]:
        usual, told, verdicts = evidence.records("resnet"), [], []
        for prior in PRIORS:
            ours = evidence.records(f"{prior}, method")
            level = estimates.mean(ours, "unseen", measure)
            more = estimates.difference(ours, usual, "unseen", measure)
            verdicts += [above(level, HALF), above_zero(more)]
            told.append(_said(prior, measure, level, more, "a ResNet"))
        return all_of(verdicts), "; ".join(told)

    return twice(decide, "gain", evidence)


def codebook(evidence: Evidence) -> Finding:
    """From scratch and without a code book, the prior's network removes less than half.

    And less than the same network fine-tuned by the papers' method.
    """

    def decide(measure: str) -> tuple[str, str]:
        told, verdicts = [], []
        for prior in PRIORS:
            method, ablation = (
                evidence.records(f"{prior}, {arm}") for arm in ("method", "ablation")
            )
            level = estimates.mean(ablation, "unseen", measure)
            more = estimates.difference(method, ablation, "unseen", measure)
            verdicts += [_reversed(above(level, HALF)), above_zero(more)]
            told.append(_said(f"{prior} from scratch", measure, level, -more, "the method"))
        return all_of(verdicts), "; ".join(told)

    return twice(decide, "gain", evidence)


def _reversed(verdict: str) -> str:
    return {REPRODUCED: NOT_REPRODUCED, NOT_REPRODUCED: REPRODUCED}.get(verdict, UNDECIDED)


def _said(name: str, measure: str, level: Estimate, more: Estimate, other: str) -> str:
    digits = DIGITS.get(measure, 2)
    return f"{name}: {NAMES[measure]} {level.text(digits)}, {more.text(digits)} more than {other}"
