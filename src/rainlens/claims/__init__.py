"""Every claim of the two papers, and what our records say about it.

A claim is judged by a small function on records: a statistic, its interval, and a rule. Where the
rule holds clearly, interval and all seeds, the claim is reproduced; where it is broken as clearly,
it is not; anything else is *not decided*. P is the 2026 paper, N the NeurIPS 2023 paper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from rainlens import complexity, estimates, rain, signals, toy_evaluation
from rainlens.estimates import Estimate, TippingPoint
from rainlens.records import Record, RecordStore
from rainlens.scales import Scale
from rainlens.tasks import Experiment
from rainlens.tasks.survey import Survey

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
UNDECIDED = "not decided at this scale"
VERDICTS = (REPRODUCED, NOT_REPRODUCED, UNDECIDED)
CATEGORIES = ("natural", "faces", "comics", "urban")
NETWORKS = ("resnet", "unet", "swinir")
SWEEPS = tuple((network, category) for network in NETWORKS for category in CATEGORIES)
# "Like natural pictures": within a fifth of their damage. Fixed before there were records.
ALIKE = 0.2
# The iteration of the earliest stage of training that P speaks of (4.1.2). What it says about the
# course of training cannot be decided, either way, by a run that ends before.
EARLIEST_STAGE = 5000
# By structural complexity, from high to low (P 4.1.4). N 3.1 prints the reverse.
COMPLEXITY_ORDER = ("faces", "natural", "comics", "urban")
TOY_SEEDS = (0, 1)  # those of chapter 3
# What is said of one part of a claim.
PART = {REPRODUCED: "holds", NOT_REPRODUCED: "is broken", UNDECIDED: "is open"}

Sweep = dict[int, list[Record]]


class Missing(Exception):
    """Records that a judge needs are not there."""


@dataclass(frozen=True)
class Finding:
    """A verdict, the effect in words and numbers, and the names of the records behind it."""

    verdict: str
    effect: str
    records: tuple[str, ...] = ()


class Evidence:
    """The records of a scale, as a judge asks for them; `names` are those it has read."""

    def __init__(self, setting: Scale, store: RecordStore, loaded: dict[str, Record]) -> None:
        self.setting, self.store, self.loaded = setting, store, loaded
        self.names: list[str] = []

    def record(self, experiment: Experiment) -> Record:
        """The record of an experiment. Raises Missing where there is none."""
        name = experiment.name
        if name not in self.loaded:
            record = self.store.load(name)
            if record is None:
                raise Missing(name)
            self.loaded[name] = record
        self.names.append(name)
        return self.loaded[name]

    def sweep(self, coarse: bool = False, **fields: Any) -> Sweep:
        """N -> one record a seed (`Scale.sweep`). Raises Missing where one is missing."""
        sweep: Sweep = {}
        for experiment in self.setting.sweep(coarse, **fields):
            sweep.setdefault(experiment.patches, []).append(self.record(experiment))
        return sweep

    def category(self, name: str, model: str = "resnet") -> Sweep:
        """The coarse sweep of a category of pictures and a network."""
        return self.sweep(coarse=True, backgrounds=name, model=model)

    def of_sharpness(self) -> dict[str, list[Record]]:
        """The networks of chapter 6, one a seed, by class of sharpness."""
        return {
            kind: [self.record(self.setting.of_sharpness(kind, s)) for s in self.setting.seeds]
            for kind in complexity.SHARPNESS_CLASSES
        }

    def surveys(self) -> dict[str, Record]:
        """How complicated the patches of each category are."""
        return {name: self.record(Survey(backgrounds=name)) for name in CATEGORIES}

    def ranges(self) -> dict[str, Sweep]:
        """The sweeps of chapter 5, by rain range."""
        return {name: self.sweep(degradation=name) for name in rain.RANGES}

    def toy(self, order: int) -> list[Record]:
        """The toy networks of an order, one a seed."""
        return [self.record(self.setting.toy(order, seed)) for seed in TOY_SEEDS]


Judge = Callable[[Evidence], Finding]


@dataclass(frozen=True)
class Claim:
    """What a paper says, where, and how we decide it.

    paper: what the paper measured. chapter: the chapter of this book that treats it. judge: None
    while that chapter is still to come.
    """

    id: str
    text: str
    where: str
    paper: str
    chapter: int
    judge: Judge | None = None

    def decide(self, evidence: Evidence) -> Finding:
        """The verdict on this evidence; undecided without a judge, or where a record is missing."""
        if self.judge is None:
            return Finding(UNDECIDED, f"chapter {self.chapter} is still to come")
        try:
            finding = self.judge(evidence)
        except Missing:
            return Finding(UNDECIDED, "not computed at this scale")
        return replace(finding, records=tuple(dict.fromkeys(evidence.names)))


def all_of(verdicts: Sequence[str]) -> str:
    """Of a claim in several parts: reproduced if all are, not reproduced if any is not."""
    if NOT_REPRODUCED in verdicts:
        return NOT_REPRODUCED
    return REPRODUCED if all(v == REPRODUCED for v in verdicts) else UNDECIDED


def above_zero(estimate: Estimate) -> str:
    """Reproduced if a difference is above zero, interval and seeds; not if it is below."""
    return estimates.direction(estimate, REPRODUCED, NOT_REPRODUCED, UNDECIDED)


# --- the judges


def _fewer_backgrounds(evidence: Evidence) -> Finding:
    """E_R at the smallest N minus E_R at the largest, for every category and network."""
    told, verdicts = [], []
    for model in NETWORKS:
        for category in CATEGORIES:
            try:
                sweep = evidence.category(category, model)
            except Missing:
                verdicts.append(UNDECIDED)
                continue
            counts = sorted(sweep)
            fall = estimates.difference(sweep[counts[0]], sweep[counts[-1]], "unseen", "e_r")
            verdicts.append(above_zero(fall))
            told.append(f"{model}, {category}: {(-fall).text(1)}")
    if not told:
        raise Missing("every sweep")
    falls, rises, open_ = (verdicts.count(v) for v in VERDICTS)
    summary = f"of {len(verdicts)} sweeps, E_R falls in {falls} and rises in {rises}"
    left = f", {open_} are undecided or missing" if open_ else ""
    return Finding(all_of(verdicts), f"{summary}{left} (change in E_R: {'; '.join(told)})")


def _collapse(evidence: Evidence) -> Finding:
    """Whether the removal gain at N = 256 is less than half of that at N = 8."""
    sweep = evidence.sweep(degradation="medium")
    if not {8, 256} <= set(sweep):
        raise Missing("N = 8 and 256")
    half = estimates.combination([(0.5, sweep[8]), (-1, sweep[256])], "unseen", "gain")
    few, many = (estimates.mean(sweep[n], "unseen", "gain") for n in (8, 256))
    return Finding(above_zero(half), f"removal gain {few} at N = 8, {many} at N = 256")


def _rain_range(evidence: Evidence) -> Finding:
    """Tipping points at removal gain 0.9: whether their intervals lie one above the other."""
    points = {n: estimates.tipping_point(s, "unseen") for n, s in evidence.ranges().items()}
    small, medium, large = points.values()
    return Finding(_rising([(small, medium), (medium, large)]), _tipping(points))


def _rising(pairs: Sequence[tuple[TippingPoint, TippingPoint]]) -> str:
    """Whether the second tipping point of each pair lies above the first, intervals apart."""
    if all(first.high < second.low for first, second in pairs):
        return REPRODUCED
    return NOT_REPRODUCED if any(a.low > b.high for a, b in pairs) else UNDECIDED


def _tipping(points: dict[str, TippingPoint]) -> str:
    told = ", ".join(f"{name} {point}" for name, point in points.items())
    return f"removal gain falls below {estimates.TIPPING_GAIN} at N = {told}"


def _category_order(evidence: Evidence) -> Finding:
    """The same for categories: faces below natural pictures, these below comics and buildings."""
    points = {n: estimates.tipping_point(evidence.category(n), "unseen") for n in CATEGORIES}
    natural = points["natural"]
    pairs = [(points["faces"], natural), (natural, points["comics"]), (natural, points["urban"])]
    return Finding(_rising(pairs), _tipping(points))


def _complexity_order(evidence: Evidence) -> Finding:
    """Each category's structural complexity minus the next one's; pictures are resampled."""
    surveys = evidence.surveys()
    values = {n: estimates.by_picture(r, estimates.structure(r)) for n, r in surveys.items()}
    means = {name: estimates.mean_of(of_pictures) for name, of_pictures in values.items()}
    ours = sorted(means, key=lambda n: -means[n].value)
    pairs = list(zip(COMPLEXITY_ORDER, COMPLEXITY_ORDER[1:], strict=False))
    verdicts = [above_zero(estimates.gap(values[a], values[b])) for a, b in pairs]
    told = [
        " > ".join(f"{name} {means[name].text(4)}" for name in ours),
        "of P's order "
        + ", ".join(f"{a} > {b} {PART[v]}" for (a, b), v in zip(pairs, verdicts, strict=True)),
    ]
    if ours != list(COMPLEXITY_ORDER):
        told += [f"without {name} the means are in P's order" for name in _out_of_place(ours)]
    tau = order_agreement({name: mean.value for name, mean in means.items()})
    told.append(f"Kendall's tau is {tau:.2f} with P's order, {0 - tau:.2f} with N's, its reverse")
    return Finding(all_of(verdicts), "; ".join(told))


def _out_of_place(ours: Sequence[str]) -> list[str]:
    """Categories without which ours is P's order of complexity."""
    return [
        name
        for name in ours
        if [n for n in ours if n != name] == [n for n in COMPLEXITY_ORDER if n != name]
    ]


def order_agreement(level: Mapping[str, float]) -> float:
    """Kendall's tau of a level by category with P's order of complexity; N prints the reverse."""
    places = [-COMPLEXITY_ORDER.index(name) for name in level]
    return float(stats.kendalltau(places, list(level.values())).statistic) + 0.0


def _low_sharpness(evidence: Evidence) -> Finding:
    """E_R of low sharpness minus the others': at the end, and at each point of the curves."""
    networks = evidence.of_sharpness()
    told, verdicts = [], []
    for other in ("medium", "high"):
        more = estimates.difference(networks["low"], networks[other], "unseen", "e_r")
        curves = [
            (estimates.curve_of(ours, "unseen/e_r") - estimates.curve_of(theirs, "unseen/e_r"))[1:]
            for ours, theirs in zip(networks["low"], networks[other], strict=True)
        ]
        ahead = np.min(curves, axis=0) > 0  # in all seeds
        behind = np.max(curves, axis=0) < 0
        stages = REPRODUCED if ahead.all() else NOT_REPRODUCED if behind.any() else UNDECIDED
        verdicts += [above_zero(more), stages]
        told.append(
            f"E_R higher by {more.text(1)} than {other} at the end, and higher in all seeds at "
            f"{ahead.sum()} of {len(ahead)} stages"
        )
    steps = networks["low"][0].curves["iteration"]
    told.append(f"the stages are steps {steps[1]:,} to {steps[-1]:,}")
    return Finding(all_of(verdicts), "; ".join(told))


def _sharpness_tradeoff(evidence: Evidence) -> Finding:
    """E_R and E_B of low sharpness along training: what the first measurement is above the last.

    The curves hold means over pictures, so that there is no interval: only whether seeds agree.
    Not decided by runs that end before the earliest stage that the paper speaks of.
    """
    low = evidence.of_sharpness()["low"]
    verdicts, told = [], []
    for name, measure in (("E_B", "e_b"), ("E_R", "e_r")):
        curves = [estimates.curve_of(record, f"unseen/{measure}") for record in low]
        falls = [curve[1] - curve[-1] for curve in curves]
        agree = all(fall > 0 for fall in falls) or all(fall < 0 for fall in falls)
        falling = REPRODUCED if falls[0] > 0 else NOT_REPRODUCED
        verdicts.append(falling if agree else UNDECIDED)
        told.append(f"{name} by " + " and ".join(f"{-fall:+.1f}" for fall in falls))
    steps = low[0].curves["iteration"]
    span = f"changes from step {steps[1]:,} to {steps[-1]:,}, seed by seed: {', '.join(told)}"
    if estimates.curve_of(low[0], "iteration")[-1] < EARLIEST_STAGE:
        early = f"the run ends before step {EARLIEST_STAGE:,}, the earliest that the paper names"
        return Finding(UNDECIDED, f"{span}; {early}")
    return Finding(all_of(verdicts), span)


def _transfer(evidence: Evidence) -> Finding:
    """E_B on natural pictures with the most patches: faces and buildings within a fifth of
    natural training, comics above it."""
    sweeps = {n: evidence.category(n) for n in CATEGORIES}
    most = max(sweeps["natural"])
    if most < 256:
        raise Missing("N = 256 or more")
    natural = sweeps["natural"][most]
    told, verdicts = [], []
    for name in ("faces", "urban", "comics"):
        records = estimates.tested_on(sweeps[name][most], "transfer")
        worse = estimates.difference(records, natural, "unseen", "e_b")
        margin = ALIKE * estimates.mean(natural, "unseen", "e_b").value
        verdicts.append(above_zero(worse) if name == "comics" else _within(worse, margin))
        told.append(f"for {name} {worse.text(1)} (this part {PART[verdicts[-1]]})")
    base = estimates.mean(natural, "unseen", "e_b").text(1)
    return Finding(
        all_of(verdicts),
        f"at N = {most}, E_B on natural pictures is {base} after natural training; other training "
        f"adds {', '.join(told)}",
    )


def _within(gap: Estimate, margin: float) -> str:
    """Whether a difference, interval and seeds, lies within the margin, or all of it beyond."""
    spread = gap.low, gap.high, *gap.by_seed
    if all(abs(value) < margin for value in spread):
        return REPRODUCED
    apart = all(value > margin for value in spread) or all(value < -margin for value in spread)
    return NOT_REPRODUCED if apart else UNDECIDED


def _model_size(evidence: Evidence) -> Finding:
    """Tipping points of three sizes overlap; the larger network has the higher E_R at the
    smallest N and the lower one at the largest."""
    # All with the first seed: sizes are compared, not seeds.
    first = evidence.setting.seeds[0]
    sweeps: dict[str, Sweep] = {}
    for name, options in evidence.setting.sizes.items():
        part = evidence.setting.sweep(True, options=options)
        sweeps[name] = {e.patches: [evidence.record(e)] for e in part if e.seed == first}
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
        f"{_tipping(points)}; E_R of the largest network minus that of the smallest is "
        f"{at_few.text(1)} at N = {few} and {at_many.text(1)} at N = {many}",
    )


def _reconstruction(evidence: Evidence) -> Finding:
    """E_B falls to N = 256, and what falls after is less than a quarter of that."""
    sweep = evidence.sweep(degradation="medium")
    last = max(sweep)
    if not {8, 256} <= set(sweep) or last <= 256:
        raise Missing("N = 8, 256 and more")
    early = estimates.difference(sweep[8], sweep[256], "unseen", "e_b")
    late = estimates.difference(sweep[256], sweep[last], "unseen", "e_b")
    parts = [(0.25, sweep[8]), (-1.25, sweep[256]), (1, sweep[last])]
    flat = estimates.combination(parts, "unseen", "e_b")
    return Finding(
        all_of([above_zero(early), above_zero(flat)]),
        f"E_B falls by {early.text(1)} up to N = 256, then by {late.text(1)} up to {last:,}",
    )


def _balance(evidence: Evidence) -> Finding:
    """Large range with N = 128 and 256: a higher E_R than medium with the most, a lower E_B than
    medium with 64."""
    large, medium = evidence.sweep(degradation="large"), evidence.sweep(degradation="medium")
    most = max(medium)
    if not {64, 128, 256} <= set(medium):
        raise Missing("N = 64, 128, 256")
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


def _psnr_misleads(evidence: Evidence) -> Finding:
    """The untouched input has a better PSNR than the network with the fewest backgrounds, which
    removes contrast of the rain."""
    sweep = evidence.sweep(degradation="small")
    few = sweep[min(sweep)]
    better = estimates.between(few, "unseen", "input_psnr", "psnr")
    removed = estimates.mean(few, "unseen", "contrast")
    seeds = tuple(np.nanmean(estimates.per_image(few, "unseen", "contrast"), axis=1))
    return Finding(
        all_of([above_zero(better), above_zero(replace(removed, by_seed=seeds))]),
        f"doing nothing has a PSNR {better.text(1)} dB above that of the network for N = "
        f"{min(sweep)}, which removes {removed} of the rain's contrast",
    )


def _toy_content(evidence: Evidence) -> Finding:
    """The answers of O = 1 to other curves: nearer to its training curve than to the truth."""
    records = evidence.toy(1)
    x = np.linspace(-signals.LIMIT, signals.LIMIT, toy_evaluation.POINTS)
    own = signals.AMPLITUDE * np.cos(np.pi * x / 10)
    verdicts, distances = [], []
    for test in ("order4", "order8", "order4_shifted", "order8_shifted"):
        outputs = [np.array(record.tests[test]["output"]) for record in records]
        mine = [float(np.square(output - own).mean()) for output in outputs]
        truth = estimates.per_image(records, test, "mse").mean(axis=1).tolist()
        verdicts.append(_all_below(mine, truth))
        distances += mine
    shifted = estimates.mean(records, "order1_shifted", "mse")
    return Finding(
        all_of(verdicts),
        f"nearer to its own curve, in all seeds, in {verdicts.count(REPRODUCED)} of "
        f"{len(verdicts)} foreign tests, at most {max(distances):.1f} from it; MSE under N(10, 5) "
        f"{shifted}",
    )


def _all_below(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Whether in every seed ours is below theirs, or in every seed above."""
    pairs = list(zip(ours, theirs, strict=True))
    if all(a < b for a, b in pairs):
        return REPRODUCED
    return NOT_REPRODUCED if all(a > b for a, b in pairs) else UNDECIDED


def _toy_noise(evidence: Evidence) -> Finding:
    """The matched MSE rises with O; under N(10, 5) O = 8 is worse than O = 1."""
    cases = [(evidence.toy(order), f"order{order}") for order in toy_evaluation.ORDERS]
    slow, fast = ((evidence.toy(order), f"order{order}_shifted") for order in (1, 8))
    steps = [*zip(cases, cases[1:], strict=False), (slow, fast)]
    matched = ", ".join(
        f"{estimates.mean(*case, 'mse').text(4)} (O = {order})"
        for order, case in zip(toy_evaluation.ORDERS, cases, strict=True)
    )
    first, last = (estimates.mean(*case, "mse") for case in (slow, fast))
    return Finding(
        all_of([_rises(*step) for step in steps]),
        f"matched MSE {matched}; under N(10, 5) {first} (O = 1) and {last} (O = 8)",
    )


def _rises(low: tuple[list[Record], str], high: tuple[list[Record], str]) -> str:
    """Whether the MSE of the second (records, test) lies above: intervals apart, in each seed."""
    a, b = (estimates.mean(*case, "mse") for case in (low, high))
    by_seed = [estimates.per_image(*case, "mse").mean(axis=1) for case in (low, high)]
    apart = {REPRODUCED: a.high < b.low, NOT_REPRODUCED: a.low > b.high}
    verdict = _all_below(*by_seed)
    return verdict if apart.get(verdict) else UNDECIDED


# --- the table

CLAIMS = (
    Claim(
        "fewer-backgrounds",
        "Removal of unseen rain falls as N grows, in every category, for three networks.",
        "P Fig. 4", "E_R falls in all panels", 4, _fewer_backgrounds,
    ),
    Claim(
        "collapse",
        "At N = 8 a ResNet trained on natural pictures removes unseen rain; by N = 256 its removal "
        "has mostly collapsed.",
        "P 4.1.1, Fig. 4", "collapsed by 256, and no change beyond", 4, _collapse,
    ),
    Claim(
        "rain-range",
        "The tipping point grows with the range of the training rain.",
        "P Fig. 8", "16 (small) < 64 (medium) < 512 (large)", 5, _rain_range,
    ),
    Claim(
        "category-order",
        "Faces tip first, natural pictures next, comics and buildings last.",
        "P Fig. 9a", "faces 8 to 16, comics and urban beyond 32", 7, _category_order,
    ),
    Claim(
        "complexity-order",
        "Structural complexity: faces > natural > comics > urban.",
        "P Fig. 9b", "that order; N 3.1 prints the reverse", 7, _complexity_order,
    ),
    Claim(
        "low-sharpness",
        "Training on pictures of low sharpness removes most unseen rain, at every stage.",
        "P Fig. 6", "highest E_R throughout 100,000 iterations", 6, _low_sharpness,
    ),
    Claim(
        "sharpness-tradeoff",
        "For low sharpness, E_B improves and E_R declines as training goes on.",
        "P Fig. 6", "both curves fall in 100,000 iterations", 6, _sharpness_tradeoff,
    ),
    Claim(
        "reconstruction",
        "For a ResNet trained on natural pictures, E_B falls with N and is nearly flat from 256 "
        "on.",
        "N 3.2, Fig. 7", "no significant gain beyond 256; P Fig. 10 shows the same measure", 4,
        _reconstruction,
    ),
    Claim(
        "transfer",
        "Trained on faces or buildings, tested on natural pictures: like natural from N = 256 on; "
        "comics stay worse.",
        "N Fig. 10", "curves meet at 256; rain removal is similar, too, and worst for comics", 8,
        _transfer,
    ),
    Claim(
        "model-size",
        "The tipping point does not move with the size of the network; larger ones remove more at "
        "small N, less at large N.",
        "N Fig. 11", "same place for three sizes", 8, _model_size,
    ),
    Claim(
        "toy-content",
        "A network trained on the slow cosine gives back its training curve whatever the input.",
        "P Fig. 11, 13", "MSE 0.3544 under N(10, 5)", 3, _toy_content,
    ),
    Claim(
        "toy-noise",
        "Under foreign noise a network trained on the fast cosine does worse than one trained on "
        "the slow; the matched MSE rises with O.",
        "P Fig. 12, 14",
        "matched 0.0009 (O = 1) to 0.0472 (O = 8); under N(10, 5) 0.3544 and 49.7739", 3,
        _toy_noise,
    ),
    Claim(
        "balance",
        "Large-range rain with 128 or 256 pictures beats 30k/medium in E_R and 64/medium in E_B.",
        "P Table 3", "E_R 51.8 and 45.6 against 31.2; E_B 23.5 and 16.5 against 25.0", 9, _balance,
    ),
    Claim(
        "psnr-misleads",
        "The untouched rainy picture can have a better PSNR than one from which rain was removed.",
        "P 3.2, Table 3",
        "says so of a network that returns its input; of two networks, the one with E_R 31.2 has "
        "25.15 dB, the one with E_R 53.3 has 20.87 dB", 2,
        _psnr_misleads,
    ),
    Claim(
        "semi-supervised",
        "Syn2Real helps by turning unseen rain into seen rain.",
        "P Fig. 16", "by eye", 9,
    ),
    Claim(
        "prior-derain",
        "Fine-tuning only the encoder of a VQGAN generalises to unseen rain.",
        "P Fig. 18a", "by eye", 10,
    ),
    Claim(
        "prior-denoise",
        "In denoising a fine-tuned VQGAN generalises, too: from Gaussian noise to salt and pepper.",
        "P Fig. 18b, 20", "by eye, and preferred by DepictQA in over 90 %", 11,
    ),
    Claim(
        "prior-deblur",
        "In deblurring a fine-tuned VQGAN generalises, too: from Gaussian blur to motion blur.",
        "P Fig. 22, 23", "PSNR 29.484 dB, about 1 dB above the others", 11,
    ),
    Claim(
        "iqa-misleads",
        "PSNR, SSIM, MANIQA and MUSIQ do not follow removal.",
        "P Fig. 19", "by example", 12,
    ),
    Claim(
        "judge",
        "Asked which picture shows less rain, DepictQA prefers the network of low sharpness, and "
        "the fine-tuned VQGAN.",
        "P Fig. 7, 20", "the VQGAN in over 90 %", 12,
    ),
    Claim(
        "codebook",
        "Without quantisation and trained from scratch, the VQGAN's network fails on unseen rain.",
        "P Fig. 24", "by eye", 10,
    ),
)  # fmt: skip


def grid(setting: Scale) -> list[Experiment]:
    """All experiments that judges read, each once."""
    sweeps = [setting.sweep(degradation=name) for name in rain.RANGES]
    sweeps += [setting.sweep(True, model=model, backgrounds=name) for model, name in SWEEPS]
    sweeps += [setting.sweep(True, options=options) for options in setting.sizes.values()]
    sweeps.append(
        [
            setting.of_sharpness(kind, s)
            for s in setting.seeds
            for kind in complexity.SHARPNESS_CLASSES
        ]
    )
    wanted: list[Experiment] = [experiment for sweep in sweeps for experiment in sweep]
    wanted += [Survey(backgrounds=name) for name in CATEGORIES]
    wanted += [setting.toy(order, seed) for order in toy_evaluation.ORDERS for seed in TOY_SEEDS]
    return list({experiment.name: experiment for experiment in wanted}.values())


def table(setting: Scale, store: RecordStore | None = None) -> pd.DataFrame:
    """All claims at one scale: `claim`, `says`, `where`, `paper`, `ours`, `verdict`, `records`
    (their names), `seeds` (how many, in words), `chapter` and `tested` (whether it has a rule)."""
    loaded: dict[str, Record] = {}
    rows = []
    for claim in CLAIMS:
        finding = claim.decide(Evidence(setting, store or setting.store, loaded))
        said = dict(claim=claim.id, says=claim.text, where=claim.where, paper=claim.paper)
        found = dict(ours=finding.effect, verdict=finding.verdict, records=finding.records)
        seeds = _seeds_of([loaded[name] for name in finding.records])
        chapter = dict(chapter=claim.chapter, tested=claim.judge is not None)
        rows.append({**said, **found, "seeds": seeds, **chapter})
    return pd.DataFrame(rows)


def _seeds_of(records: Sequence[Record]) -> str:
    """With how many seeds each experiment was run: "2 seeds", or "1 to 2 seeds"."""
    runs: dict[str, set[int]] = {}
    for record in records:
        # Of some toy networks only the first seed keeps its weights.
        apart = ("seed", "keep_weights")
        fields = {name: value for name, value in record.experiment.items() if name not in apart}
        runs.setdefault(repr(fields), set()).add(record.experiment["seed"])
    counts = sorted({len(seeds) for seeds in runs.values()} or {0})
    least = f"{counts[0]} to " * (len(counts) > 1)
    return f"{least}{counts[-1]} seed{'s' * (counts[-1] != 1)}"


def at_a_glance(claims_table: pd.DataFrame) -> str:
    """The decided claims as Markdown, a list a verdict, and how many are open."""
    lines = []
    for verdict in (REPRODUCED, NOT_REPRODUCED):
        chosen = claims_table[claims_table["verdict"] == verdict]
        told = [f"- {row.says} ({row.where})" for row in chosen.itertuples()]
        lines += [f"**{verdict.capitalize()}:**", "", *told, ""] if told else []
    left = int((claims_table["verdict"] == UNDECIDED).sum())
    untested = int((~claims_table["tested"]).sum())
    rest = (
        f"{left} of {len(claims_table)} claims are not decided; {untested} of them are not tested"
    )
    return "\n".join([*lines, f"{rest} yet."])
