"""Charts of chapter 12: what measures of quality and a judge say, beside what the rain does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rainlens import plots
from rainlens.claims import quality as compared
from rainlens.intervals import Estimate
from rainlens.preferences import WinRate
from rainlens.quality import MEASURES
from rainlens.records import Record
from rainlens.tasks.judge import STEPS

MARKERS = "osD^vPX*"
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7a6a00", "#444444")
KEPT_OUT = "share of the rain that is gone"
DAMAGES = {"rain": "as it is", "blurred": "blurred", "brighter": "a fifth brighter"}


def shares(found: Mapping[str, Estimate]) -> Figure:
    """A bar a measure, with its interval: on how many pairs of outputs it points against the rain.

    found: label of a measure -> share, 0 to 1.
    """
    figure, axes = plt.subplots(figsize=(7.2, 0.9 + 0.42 * len(found)))
    places = np.arange(len(found))
    values = list(found.values())
    axes.barh(places, [e.value for e in values], 0.62, color="#0072B2")
    spread = [[e.value - e.low for e in values], [e.high - e.value for e in values]]
    axes.errorbar(
        [e.value for e in values], places, xerr=spread, fmt="none", ecolor=plots.INK, capsize=3
    )
    for level, name in ((compared.EVEN, "a coin"), (compared.AGAINST, "half of that")):
        axes.axvline(level, color=plots.FAINT, linestyle="--", linewidth=1)
        axes.text(level, -0.62, name, ha="center", va="bottom", fontsize=9)
    axes.set_yticks(places, list(found))
    axes.set_ylim(len(found) - 0.5, -0.62)
    axes.set_xlim(0, max(0.6, *(e.high * 1.05 for e in values)))
    axes.set_xlabel("share of pairs on which it prefers the output with more rain")
    return figure


def panels(
    networks: Mapping[str, Record], filters: Mapping[str, Record], measures: Sequence[str]
) -> Figure:
    """A panel a measure: its mean against the share of the rain that is gone; up is better.

    Networks are filled marks, filters hollow ones, the untouched input a cross.
    """
    rows, is_odd = -(-len(measures) // 2), len(measures) % 2 == 1
    size = 7.2, 2.7 * rows + (0 if is_odd else 1.5)
    figure, grid = plt.subplots(rows, 2, figsize=size, squeeze=False)
    for axes, name in zip(grid.flat, measures, strict=False):
        _input(axes, next(iter(networks.values())), name)
        for filled, group in ((True, networks), (False, filters)):
            _marks(axes, group, name, filled)
        axes.set_title(MEASURES[name].short, fontsize=10, loc="left")
        if not MEASURES[name].higher_is_better:
            axes.invert_yaxis()
    for axes in grid.flat[max(0, len(measures) - 2) : len(measures)]:  # the last of each column
        axes.set_xlabel(KEPT_OUT)
    handles, labels = grid.flat[0].get_legend_handles_labels()
    if is_odd:  # the legend takes the place that is left, so that the columns can be cut apart
        grid.flat[-1].set_axis_off()
        grid.flat[-1].legend(handles, labels, loc="center", fontsize=8.5)
    else:
        figure.legend(handles, labels, ncols=2, loc="outside lower center", fontsize=8.5)
    return figure


def _input(axes: Axes, record: Record, name: str) -> None:
    level = _mean(record, f"input_{name}")
    axes.axhline(level, color=plots.FAINT, linewidth=1, linestyle=":")
    axes.plot(0, level, "x", color=plots.INK, label="the untouched input", markersize=7)


def _marks(axes: Axes, group: Mapping[str, Record], name: str, filled: bool) -> None:
    for place, (title, record) in enumerate(group.items()):
        axes.plot(
            compared.values(record, "gone").mean(), _mean(record, name),
            MARKERS[place % len(MARKERS)], label=title, markersize=6.5,
            color=COLOURS[place % len(COLOURS)], fillstyle="full" if filled else "none",
            linestyle="none",
        )  # fmt: skip


def _mean(record: Record, column: str) -> float:
    return float(np.array(record.tests[compared.TEST][column], dtype=float).mean())


def ladder(record: Record) -> Figure:
    """By how much the judge's score rises with the amount of rain, above that of the dry picture.

    Of pictures as they are, blurred, and brighter: mean over pictures, and the middle half of them
    as a band. Scores of different pictures differ far more, and are not compared.
    """
    test = record.tests["gate"]
    dry = np.array(test[f"rain{STEPS[0]:.2f}"], dtype=float)
    figure, axes = plt.subplots(figsize=(6.4, 3.4))
    for (damage, label), line, colour in zip(
        DAMAGES.items(), ("-", "--", ":"), COLOURS, strict=False
    ):
        scores = np.array([test[f"{damage}{amount:.2f}"] for amount in STEPS]) - dry
        low, high = np.quantile(scores, (0.25, 0.75), axis=1)
        axes.fill_between(STEPS, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.plot(STEPS, scores.mean(1), line, color=colour, marker="o", markersize=4, label=label)
    axes.set(xlabel="amount of the rain layer", ylabel="score above the dry picture's")
    axes.legend(title="the picture")
    return figure


def wins(found: Mapping[str, WinRate]) -> Figure:
    """A mark a pair, called "first or second": how often the judge finds less rain in the first.

    With its interval; 0.5 is undecided.
    """
    figure, axes = plt.subplots(figsize=(7.2, 0.9 + 0.6 * len(found)))
    places = np.arange(len(found))
    rates = [one.rate for one in found.values()]
    spread = [[r.value - r.low for r in rates], [r.high - r.value for r in rates]]
    axes.errorbar(
        [r.value for r in rates], places, xerr=spread, fmt="o", color="#0072B2",
        ecolor=plots.INK, capsize=3,
    )  # fmt: skip
    axes.axvline(compared.EVEN, color=plots.FAINT, linestyle="--", linewidth=1)
    axes.set_yticks(places, [name.replace(" or ", "\nor ") for name in found])
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set_xlim(-0.03, 1.03)
    axes.set_xlabel("how often the judge finds less rain in the first")
    return figure


def reading(rain: float, damage: float) -> str:
    """What to make of a judge whose order follows the rain, or the damage, by rank correlation."""
    if damage <= rain:
        return (
            "So the rain says more about its order than the damage does, as it should with a "
            "judge of rain."
        )
    return (
        "So its order follows the damage more than the rain: a picture that was repainted shows no "
        "streaks, and the judge takes it for dry. The gate does not rule that out, for it blurs "
        "and brightens, and repaints nothing. **A judge of rain is a network, and may be lazy, "
        "too**: whoever quotes one, of whatever size, should say how damaged the pictures are "
        "that it prefers."
    )
