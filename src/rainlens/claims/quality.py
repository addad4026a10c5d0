"""Judges of claims about who judges: do measures of quality follow rain, what does a judge prefer?

What chapter 12 compares is stated here, too. The rules were fixed before anything was appraised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rainlens import preferences
from rainlens.claims.evidence import Evidence, Parts
from rainlens.claims.rules import NOT_REPRODUCED, REPRODUCED, UNDECIDED, Finding, all_of
from rainlens.complexity import SHARPNESS_CLASSES
from rainlens.degradations import STREAKS
from rainlens.evaluation import TestSet
from rainlens.intervals import Estimate
from rainlens.models.published import PUBLISHED
from rainlens.preferences import Validity
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
# follow it.
AGAINST = 0.25
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

    measure: a name in `quality.MEASURES`, "judge" for less rain in the judge's eyes, or "rejection"
    for how much of the rain is kept out.
    """
    if measure == "rejection":
        return 1 - np.array(record.tests[TEST]["response"], dtype=float)
    found = np.array(record.tests[TEST][measure], dtype=float)
    return found if _points_up(measure) else -found


def _points_up(measure: str) -> bool:
    return measure in MEASURES and MEASURES[measure].higher_is_better


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
    if measure == "rejection":
        return ours
    before = np.array(record.tests[TEST][f"input_{measure}"], dtype=float)
    gained: np.ndarray = ours - (before if _points_up(measure) else -before)
    return gained


def against(records: Sequence[Record], measure: str) -> Estimate:
    """On which share of all pairs of outputs a measure points against the rain response."""
    return preferences.discordance(table(records, measure), table(records, "rejection"))


def preference(ours: Record, theirs: Record) -> np.ndarray:
    """The judge's probability that our output has less rain than theirs, (pictures,)."""
    return _probability(values(ours, "judge") - values(theirs, "judge"))


def gate(record: Record) -> Validity:
    """Whether a judge may judge, from its record.

    It must tell the more rain from the less, and be undecided about equal rain in pictures of which
    one is blurred or brighter.
    """
    test = record.tests["gate"]
    scores = {d: np.array([test[f"{d}{a:.2f}"] for a in STEPS]) for d in DAMAGES}  # (amounts, N)
    first, second = np.triu_indices(len(STEPS), 1)
    count = scores["rain"].shape[1]
    apart = _probability(scores["rain"][second] - scores["rain"][first]).ravel()
    alike = [_probability(scores["rain"] - scores[damage]).ravel() for damage in DAMAGES[1:]]
    amounts, same = np.repeat(STEPS, count), np.zeros(sum(map(len, alike)))
    return preferences.validity(
        np.concatenate([apart, *alike]),
        np.concatenate([amounts.reshape(len(STEPS), count)[first].ravel(), same]),
        np.concatenate([amounts.reshape(len(STEPS), count)[second].ravel(), same]),
    )


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


def iqa_misleads(evidence: Evidence) -> Finding:
    """For each measure, on how many pairs of outputs it points against the rain response.

    Of the papers' measures those that can be had must do so on more than a quarter.
    """
    records = evidence.records("networks")
    shares = {name: against(records, name) for name in known(records)}
    verdicts = {name: _beyond(share, AGAINST) for name, share in shares.items()}
    told = ", ".join(f"{MEASURES[n].label} {s} ({verdicts[n]})" for n, s in shares.items())
    return Finding(
        all_of([verdicts[name] for name in PAPERS]),
        f"share of pairs of outputs on which a measure points against the rain response: {told}; "
        f"{EVEN} would be chance, and more than {AGAINST} counts",
    )


def judge(evidence: Evidence) -> Finding:
    """Whether a judge that passes its gate finds less rain where training pictures were blurred."""
    passed = gate(evidence.records("judge")[0])
    low, *others = (evidence.records(kind)[0] for kind in SHARPNESS_CLASSES)
    wins = [preferences.win_rate(preference(low, other)) for other in others]
    names = list(SHARPNESS_CLASSES)[1:]
    told = "; ".join(
        f"against {name} sharpness it wins {rate}" for name, rate in zip(names, wins, strict=True)
    )
    verdict = all_of([_beyond(rate.rate, EVEN) for rate in wins]) if passed.passed else UNDECIDED
    fit = "passes" if passed.passed else "does not pass"
    return Finding(verdict, f"our judge {fit} its gate ({said(passed)}); {told}")


def said(found: Validity) -> str:
    """How a judge did on pairs of known rain, in words."""
    undecided = f", undecided on {found.undecided} of equal rain" if found.undecided else ""
    return f"right on {found.accuracy} of {found.pairs:,} pairs{undecided}"


def _beyond(share: Estimate, level: float) -> str:
    """Reproduced if all of the interval is above a level; not if all of it is below."""
    if share.low > level:
        return REPRODUCED
    return NOT_REPRODUCED if share.high < level else UNDECIDED
