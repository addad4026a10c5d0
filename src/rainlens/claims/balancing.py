"""Judges of claims about balance: other networks than ours, and rain that has become seen.

The rules were fixed before any of these networks was trained. The ResNet of the papers' table is
that of other chapters, and its claim `removal.balance` is older.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

from rainlens import estimates, images
from rainlens.claims import removal
from rainlens.claims.evidence import Evidence, OutOfReach, Parts, Sweep
from rainlens.claims.rules import (
    DIGITS,
    NAMES,
    NOT_REPRODUCED,
    REPRODUCED,
    Finding,
    above_zero,
    all_of,
    twice,
)
from rainlens.degradations import STREAKS
from rainlens.evaluation import TestSet
from rainlens.models import MODELS
from rainlens.scales import Scale
from rainlens.tasks.restore import Restore
from rainlens.tasks.semi import SemiSupervised

OTHERS = ("spdnet", "rcdnet")  # beside the ResNet, those of Hu 2026, Table 3
NETWORKS = ("resnet", *OTHERS)
RATES = {"rcdnet": 1e-3, "spdnet": 5e-4}  # learning rates, as published
SEMI_RATE = 1e-3  # of the semi-supervised UNet, ours
# Variants, named so: whole ones would take days on two cores.
LIGHT = {"rcdnet": (("stages", 5),), "spdnet": (("n_resblocks", 1),)}
LATENT = 32  # channels of the semi-supervised UNet's latent (Yasarla et al. 2020)
FEW_TESTS = ("unseen", "shown_unseen")  # of the usual tests; these networks are slow
ALONE, SAME, ELSEWHERE = "synthetic alone", "with the test's rain", "with other rain"


class Row(NamedTuple):
    """A row of the table: so many backgrounds, and a range of rain."""

    patches: int
    degradation: str

    def __str__(self) -> str:
        return f"{self.patches:,}/{self.degradation}"


def rows(setting: Scale) -> dict[Row, Row]:
    """Rows of Hu 2026, Table 3, in its order, and ours at the end; as printed -> as trained.

    30,000 stands for the most backgrounds of a scale, another number for the nearest that it
    trains. The last row is ours: it changes the range of rain alone.
    """
    printed = [
        Row(30_000, "medium"),
        Row(64, "medium"),
        *(Row(n, "large") for n in (512, 256, 128)),
    ]
    return {row: _nearest(setting, row) for row in (*printed, Row(30_000, "large"))}


def _nearest(setting: Scale, row: Row) -> Row:
    if row.patches == 30_000:
        return row._replace(patches=setting.patch_counts[-1])
    trained = {*setting.patch_counts, *setting.more_counts.get(row.degradation, ())}
    return row._replace(patches=min(sorted(trained), key=lambda n: abs(n - row.patches)))


def cell(setting: Scale, network: str, patches: int, degradation: str, seed: int = 0) -> Restore:
    """The experiment of one cell of the table.

    Of the ResNet the usual one of other chapters. The others have few tests, and at a scale with
    options under "balance" they are light: "all" are the fields in which they differ from other
    trainings, "tests" those of their test sets.
    """
    varied: dict[str, Any] = dict(patches=patches, degradation=degradation, seed=seed)
    if network == "resnet":
        return setting.experiment(**varied)
    chosen = setting.options.get("balance", {})
    changes = {"options": LIGHT[network], **chosen["all"]} if chosen else {}
    usual = setting.experiment(model=network, learning_rate=RATES[network], **changes, **varied)
    tests = tuple(test for test in usual.tests if test.name in FEW_TESTS)
    if (patches, degradation) == _nearest(setting, Row(30_000, "medium")):
        tests += tints(usual)
    smaller = chosen.get("tests", {})
    curves, tests = (tuple(_smaller(t, **smaller) for t in each) for each in (usual.curves, tests))
    return replace(usual, tests=tests, curves=curves)


def _smaller(test: TestSet, count: int | None = None, crop: int | None = None) -> TestSet:
    """The same with at most so many pictures; crop: the centre that is scored."""
    return replace(test, count=min(test.count, count or test.count), crop=crop or test.crop)


def seeds(setting: Scale, network: str) -> tuple[int, ...]:
    """All of a scale, but one of a light network: enough to show, too little to decide a claim."""
    light = network in OTHERS and "balance" in setting.options
    return setting.seeds[:1] if light else setting.seeds


def cells(setting: Scale) -> dict[tuple[str, Row], list[Restore]]:
    """All cells of the table, one experiment a seed: (network, row as printed) -> experiments."""
    return {
        (network, printed): [cell(setting, network, *row, seed) for seed in seeds(setting, network)]
        for network in NETWORKS
        for printed, row in rows(setting).items()
    }


def tints(usual: Restore) -> tuple[TestSet, TestSet]:
    """The training rain as it is, grey, and tinted; centres of the test pictures of a network."""
    pictures = usual.test("unseen").backgrounds
    few: dict[str, Any] = dict(backgrounds=pictures, count=min(32, usual.tests[0].count), crop=128)
    return TestSet("grey", "medium", **few), TestSet("tinted", "medium_tinted", **few)


def tinted(setting: Scale) -> dict[str, Restore]:
    """For each network, the first row of the table, tested on grey and on tinted rain.

    SPDNet's residue tells grey rain from pictures, but no tinted rain (part of its design).
    """
    row = _nearest(setting, Row(30_000, "medium"))
    found = {network: cell(setting, network, *row, setting.seeds[0]) for network in NETWORKS}
    usual = found["resnet"]
    return {**found, "resnet": replace(usual, tests=tints(usual), curves=())}


def semi(setting: Scale) -> dict[str, list[SemiSupervised]]:
    """The arms of the semi-supervised experiment, one UNet a seed.

    All see labelled rain of the medium range. Two see rainy pictures without truth as well: with
    the rain of the test, on half of its layers, or with rain of another kind. Tests are on the
    other half; the curves are not, so only the tests tell what is unseen.
    """
    own = setting.backgrounds == images.EMBEDDED
    same, other = (STREAKS, "large") if own else ("rain100l", "rain100h")
    unlabelled = {ALONE: None, SAME: same, ELSEWHERE: other}
    return {
        arm: [_semi(setting, rain, seed) for seed in setting.seeds]
        for arm, rain in unlabelled.items()
    }


def _semi(setting: Scale, unlabelled: str | None, seed: int) -> SemiSupervised:
    options = {**setting.options["derain"]["unet"], "latent": LATENT}
    usual = setting.experiment(
        model="unet",
        options=tuple(options.items()),
        patches=setting.patch_counts[-1],
        learning_rate=SEMI_RATE,
        seed=seed,
        **setting.options.get("semi", {}).get("all", {}),
    )
    known = {one.name: getattr(usual, one.name) for one in fields(usual)}
    tests = tuple(test for test in usual.tests if test.name in FEW_TESTS)
    return SemiSupervised(**{**known, "tests": tests}, unlabelled=unlabelled)


def wanted(setting: Scale) -> list[Restore]:
    """All experiments of the chapter, each once."""
    arms: list[list[Restore]] = [list(part) for part in semi(setting).values()]
    parts = [*cells(setting).values(), list(tinted(setting).values()), *arms]
    return list(dict.fromkeys(e for part in parts for e in part))


def title(experiment: Restore) -> str:
    """What a network is called: "SPDNet, light" where it is smaller than the published one."""
    light = experiment.model in OTHERS and experiment.options
    return MODELS[experiment.model].__name__ + (", light" if light else "")


# --- what claims need


def needs_balance(setting: Scale) -> Parts:
    """The medium range with the most backgrounds and 64, the large with 128 and 256."""
    return _needs(setting, {"medium": (30_000, 64), "large": (128, 256)})


def needs_wider(setting: Scale) -> Parts:
    """Both ranges with the most backgrounds, and the large with 128."""
    return _needs(setting, {"medium": (30_000,), "large": (128, 30_000)})


def _needs(setting: Scale, counts: Mapping[str, Sequence[int]]) -> Parts:
    """By network of the two and range of rain: "spdnet, medium" and so on."""
    every = cells(setting)
    return {
        f"{network}, {rain}": [e for n in some for e in every[network, Row(n, rain)]]
        for network in OTHERS
        for rain, some in counts.items()
    }


# --- judges


def balance_networks(evidence: Evidence) -> Finding:
    """What `removal.balance` asks of the ResNet, of both other networks."""

    def judge(network: str, measure: str) -> tuple[list[str], str]:
        return removal.better_of_both(*_ranges(evidence, network), measure)

    return _of_both(judge, evidence)


def wider_range(evidence: Evidence) -> Finding:
    """With the most backgrounds, removal must be higher for the large range than for the medium.

    And with the large range it must be higher still for 128 backgrounds, in both networks.
    """

    def judge(network: str, measure: str) -> tuple[list[str], str]:
        large, medium = _ranges(evidence, network)
        most = max(medium)
        if not {128, most} <= set(large) or most == 128:
            raise OutOfReach("N = 128 and more")
        steps = [(large[most], medium[most]), (large[128], large[most])]
        wider, fewer = (estimates.difference(*step, "unseen", measure) for step in steps)
        changes = [change.text(DIGITS[measure]) for change in (wider, fewer)]
        return [above_zero(wider), above_zero(fewer)], (
            f"with N = {most:,}, {NAMES[measure]} changes by {changes[0]} from the medium range to "
            f"the large, and by {changes[1]} from there to N = 128"
        )

    return _of_both(judge, evidence)


def _ranges(evidence: Evidence, network: str) -> tuple[Sweep, Sweep]:
    """The large and the medium range of a network, by N."""
    return evidence.sweep(f"{network}, large"), evidence.sweep(f"{network}, medium")


def _of_both(judge: Callable[[str, str], tuple[list[str], str]], evidence: Evidence) -> Finding:
    """A claim about both other networks. judge: verdicts and effect for a network and a measure."""

    def decide(measure: str) -> tuple[str, str]:
        found = {network: judge(network, measure) for network in OTHERS}
        told = "; ".join(
            f"{MODELS[name].__name__}: {effect}" for name, (_, effect) in found.items()
        )
        return all_of([v for verdicts, _ in found.values() for v in verdicts]), told

    return twice(decide, "e_r", evidence)


def semi_supervised(evidence: Evidence) -> Finding:
    """Rainy pictures without truth must add removal if their rain is that of the test.

    And must not if it is of another kind: there, an interval that is not above zero is enough.
    """

    def decide(measure: str) -> tuple[str, str]:
        alone = evidence.records(ALONE)
        same, other = (
            estimates.difference(evidence.records(arm), alone, "unseen", measure)
            for arm in (SAME, ELSEWHERE)
        )
        helps_elsewhere = above_zero(other) == REPRODUCED
        told = f"pictures {SAME} add {same.text(DIGITS[measure])} to {NAMES[measure]}"
        return (
            all_of([above_zero(same), NOT_REPRODUCED if helps_elsewhere else REPRODUCED]),
            f"{told}, pictures {ELSEWHERE} {other.text(DIGITS[measure])}",
        )

    return twice(decide, "e_r", evidence)
