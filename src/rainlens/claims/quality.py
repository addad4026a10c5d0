"""Judges of claims about who judges: do measures of quality follow rain, what does a judge prefer?

What chapter 12 compares is stated here, too. The rules were fixed before anything was appraised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations, product
from typing import Any

import numpy as np

from rainlens import preferences
from rainlens.claims.evidence import Evidence, Parts
from rainlens.claims.rules import NOT_REPRODUCED, REPRODUCED, UNDECIDED, Finding, above, all_of
from rainlens.complexity import SHARPNESS_CLASSES
from rainlens.degradations import STREAKS
from rainlens.evaluation import TestSet
from rainlens.intervals import Estimate
from rainlens.models.published import PUBLISHED
from rainlens.preferences import Validity, WinRate
from rainlens.quality import MEASURES
from rainlens.records import Record
from rainlens.scales import FILTERS, Scale
from rainlens.tasks import subject
from rainlens.tasks.appraise import Appraised
from rainlens.tasks.judge import STEPS, Judge
from rainlens.tasks.restore import Restore

PICTURES = 30  # whole ones: NIQE needs 192 pixels a side
TEST, RAIN = "unseen", "rain100l"
# Half of what chance would give: a measure that orders so many pairs against the rain does not
# follow it. Pairs count whose rain differs clearly, as they do at the gate of a judge.
AGAINST = 0.25
APART = preferences.LEAST_DIFFERENCE
PAPERS = ("psnr", "ssim")  # of the papers' measures, those that can be had
EVEN = 0.5
FOOLED = ("dimmed by half", "median 3", "median 5", "Gaussian 1", "Gaussian 2", "opening 9")
DAMAGES = ("rain", "blurred", "brighter")  # what a judge's test changes, see `tasks.judge.Judge`


# --- what is compared


def judge_of_rain(setting: Scale) -> Judge:
    """The judge of a scale; its test is the rain of the test pictures, which it never trains on."""
    fields = setting.options.get("judge", {}).get("rain_judge", {})
    backgrounds = setting.backgrounds
    return Judge(backgrounds=backgrounds, tests=(replace(_test(setting), name="gate"),), **fields)


def networks(setting: Scale) -> list[Appraised]:
    """Networks whose training rain was another: published ones, and the book's own."""
    heavy = [subject.of_published(one) for one in PUBLISHED if one.rain != RAIN]
    own = [setting.of_lab(n, "medium") for n in setting.coarse_counts] + [setting.balanced()]
    return [_appraised(setting, **told) for told in (*heavy, *map(subject.of_own, own))]


def filters(setting: Scale) -> list[Appraised]:
    """What smooths or darkens pictures and has learned nothing."""
    return [
        _appraised(setting, title=name, model=FILTERS[name][0], options=FILTERS[name][1])
        for name in FOOLED
    ]


def of_sharpness(setting: Scale) -> dict[str, list[Appraised]]:
    """Networks like those of chapter 6, one a class of sharpness; their weights are kept."""
    chosen: dict[str, Restore] = {
        kind: replace(setting.of_sharpness(kind, setting.lab_seed), keep_weights=True)
        for kind in SHARPNESS_CLASSES
    }
    return {
        kind: [_appraised(setting, title=f"SwinIR, {kind} sharpness", of=network)]
        for kind, network in chosen.items()
    }


def _test(setting: Scale) -> TestSet:
    """Whole pictures under rain that no network here was trained on."""
    if setting.backgrounds == "natural":
        count = min(PICTURES, setting.test_count)
        return TestSet(TEST, RAIN, RAIN, count, setting.test_crop)
    return TestSet(TEST, STREAKS, setting.backgrounds, min(2, setting.test_count), 192)


def _appraised(setting: Scale, **told: Any) -> Appraised:
    return Appraised(test=_test(setting), judge=judge_of_rain(setting), **told)


# --- what records say


def values(record: Record, measure: str) -> np.ndarray:
    """A measure of each picture, (pictures,), nan where it is unknown; more of it is better.

    measure: a name in `quality.MEASURES`, "judge" for less rain in the judge's eyes, or "gone" for
    how little trace of the rain is left: 1 where there is none, less for rain that comes out
    again, and for rain that was taken away more than once.
    """
    if measure == "gone":
        gone: np.ndarray = 1 - np.abs(np.array(record.tests[TEST]["response"], dtype=float))
        return gone
    return _upward(record, measure, measure)


def _upward(record: Record, column: str, measure: str) -> np.ndarray:
    """A column of the test, of a measure: turned round where less is better."""
    found = np.array(record.tests[TEST][column], dtype=float)
    is_up = measure in MEASURES and MEASURES[measure].higher_is_better
    return found if is_up else -found


def known(records: Sequence[Record]) -> list[str]:
    """The measures of quality that all of the records hold, in the order of `quality.MEASURES`."""
    return [name for name in MEASURES if all(name in record.tests[TEST] for record in records)]


def table(records: Sequence[Record], measure: str) -> np.ndarray:
    """The same of several networks: (networks, pictures)."""
    return np.stack([values(record, measure) for record in records])


def over_input(record: Record, measure: str) -> np.ndarray:
    """By how much a measure puts each output above the untouched input, (pictures,); see `values`.

    The input keeps none of the rain out.
    """
    ours = values(record, measure)
    if measure == "gone":
        return ours
    gained: np.ndarray = ours - _upward(record, f"input_{measure}", measure)
    return gained


def against(records: Sequence[Record], measure: str, least: float = APART) -> Estimate:
    """On which share of the pairs of outputs a measure prefers the one with more trace of the rain.

    least: by how much the traces of a pair differ at least, in units of the rain layer.
    """
    return preferences.discordance(table(records, measure), table(records, "gone"), least)


def count(records: Sequence[Record], least: float = APART) -> int:
    """How many pairs of outputs for one picture differ by so much."""
    gone = table(records, "gone")
    first, second = np.triu_indices(len(gone), 1)
    return int((np.abs(gone[first] - gone[second]) >= least).sum())


def preference(ours: Record, theirs: Record) -> np.ndarray:
    """The judge's probability that our output has less rain than theirs, (pictures,)."""
    return _probability(values(ours, "judge") - values(theirs, "judge"))


def gate(record: Record, damages: Sequence[str] = DAMAGES) -> Validity:
    """Whether a judge may judge, from its record; damages: of the pictures that are compared.

    It must tell the more rain from the less, whichever of the two pictures is blurred or brighter,
    and be undecided about equal rain in pictures of which one is.
    """
    test, found = record.tests["gate"], list[tuple[np.ndarray, float, float]]()
    for (first, a), (second, b) in combinations(product(damages, STEPS), 2):
        if a == b and first != DAMAGES[0]:
            continue  # equal rain: one of the two is as it was
        ours, theirs = (np.array(test[f"{d}{x:.2f}"]) for d, x in ((first, a), (second, b)))
        found.append((_probability(theirs - ours), a, b))
    probability, rain_first, rain_second = (
        np.concatenate([np.broadcast_to(part[k], part[0].shape) for part in found])
        for k in range(3)
    )
    return preferences.validity(probability, rain_first, rain_second)


def leanings(record: Record) -> dict[str, float]:
    """Of pairs of equal rain, on which share a judge is sure that the damaged picture has less."""
    test, found = record.tests["gate"], {}
    for damage in DAMAGES[1:]:
        plain, damaged = (
            np.array([test[f"{name}{a:.2f}"] for a in STEPS], dtype=float)
            for name in (DAMAGES[0], damage)
        )
        sure = _probability(plain - damaged)
        found[damage] = float(((sure > EVEN) & ~preferences.is_tie(sure)).mean())
    return found


def _probability(difference: np.ndarray) -> np.ndarray:
    found: np.ndarray = 1 / (1 + np.exp(-difference))
    return found


# --- the claims


def needs_measures(setting: Scale) -> Parts:
    """The networks whose outputs are measured."""
    return {"networks": networks(setting)}


def needs_judge(setting: Scale) -> Parts:
    """The judge, and networks of each class of sharpness."""
    return {"judge": [judge_of_rain(setting)], **of_sharpness(setting)}


def needs_judge_prior(setting: Scale) -> Parts:
    """The judge, the fine-tuned VQGAN, and a ResNet of the same rain, both with kept weights."""
    usual = setting.of_lab(max(setting.coarse_counts), "medium")
    return {
        "judge": [judge_of_rain(setting)],
        "prior": [_appraised(setting, **subject.of_own(setting.prior()))],
        "resnet": [_appraised(setting, **subject.of_own(usual))],
    }


def iqa_misleads(evidence: Evidence) -> Finding:
    """For each measure, on how many pairs of outputs it prefers the one with more rain.

    Pairs whose rain differs clearly. Both of the papers' measures that can be had must do so on
    more than a quarter of them.
    """
    records = evidence.records("networks")
    shares = {name: against(records, name) for name in known(records)}
    pairs = count(records)
    verdicts = {name: above(share, AGAINST) for name, share in shares.items()}
    told = ", ".join(f"{MEASURES[n].short} {s} ({verdicts[n]})" for n, s in shares.items())
    return Finding(
        all_of([verdicts[name] for name in PAPERS]),
        f"of {pairs:,} pairs of outputs whose rain differs by at least {APART} of the layer, share "
        f"on which a measure prefers the one with more: {told}; {EVEN} would be chance, and more "
        f"than {AGAINST} counts",
    )


def judge(evidence: Evidence) -> Finding:
    """Whether a judge that passes its gate finds less rain where training pictures were blurred."""
    passed = gate(evidence.records("judge")[0])
    low, *others = (evidence.records(kind)[0] for kind in SHARPNESS_CLASSES)
    names = [f"{name} sharpness" for name in list(SHARPNESS_CLASSES)[1:]]
    return _judged(passed, low, dict(zip(names, others, strict=True)))


def judge_prior(evidence: Evidence) -> Finding:
    """Whether a judge that passes its gate finds less rain in what the fine-tuned VQGAN returns."""
    passed = gate(evidence.records("judge")[0])
    ours, usual = (evidence.records(part)[0] for part in ("prior", "resnet"))
    return _judged(passed, ours, {"a ResNet": usual})


def _judged(passed: Validity, ours: Record, others: Mapping[str, Record]) -> Finding:
    """Preferred to all others, by name, on more than half of the pictures; open without a gate."""
    wins = {name: preferences.win_rate(preference(ours, other)) for name, other in others.items()}
    told = "; ".join(
        f"against {name} it wins {one.wins} pictures, loses {one.losses}, and is not sure of "
        f"{one.ties} (E_B {damage(ours):.1f} against {damage(others[name]):.1f})"
        for name, one in wins.items()
    )
    verdict = all_of([_of_all(one) for one in wins.values()]) if passed.passed else UNDECIDED
    fit = "passes" if passed.passed else "does not pass"
    return Finding(verdict, f"our judge {fit} its gate ({said(passed)}); {told}")


def damage(record: Record) -> float:
    """E_B on the test pictures, in grey levels: a judge of rain alone does not ask for it."""
    return float(np.nanmean(np.array(record.tests[TEST]["e_b"], dtype=float)))


def _of_all(one: WinRate) -> str:
    """Whether more than half of all pictures are won, or lost; those it is not sure of are neither.

    By Wilson's interval.
    """
    every = one.wins + one.losses + one.ties
    if preferences.wilson(one.wins, every).low > EVEN:
        return REPRODUCED
    lost = preferences.wilson(one.losses, every).low > EVEN
    return NOT_REPRODUCED if lost else UNDECIDED


def said(found: Validity) -> str:
    """How a judge did on pairs of known rain, in words."""
    undecided = f", undecided on {found.undecided} of equal rain" if found.undecided else ""
    return f"right on {found.accuracy} of {found.pairs:,} pairs{undecided}"
