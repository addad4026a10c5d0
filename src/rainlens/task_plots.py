"""Figures of chapter 11: noise and blur, by measure and picture by picture, and their words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rainlens import estimates, plots
from rainlens.claims import other_tasks
from rainlens.claims.other_tasks import Columns, Found
from rainlens.quality import MEASURES
from rainlens.records import Record

COLOURS = {
    "untouched": plots.FAINT,
    "median 3": "#56B4E9",
    "Wiener": "#56B4E9",
    **{plots.NETWORK_NAME[key]: colour for key, colour in plots.NETWORK_COLOUR.items()},
    "VQGAN": "#009E73",
}
LINES = {"untouched": ":", "median 3": "--", "Wiener": "--", "UNet": "-.", "SwinIR": (0, (3, 1))}
DIGITS = {"psnr": 1, "ssim": 3, "lpips_style": 3}
UNITS = {"psnr": "PSNR, dB"}
TITLES = {"denoise": "Denoising", "deblur": "Deblurring"}
# Measure on unseen noise or rain -> what its axis says.
SWEPT = {
    "impulse_removal": "share of the impulses that is gone",
    "contrast": "contrast gain on unseen rain",
}


def violins(columns: Columns, ceilings: Mapping[str, float]) -> Figure:
    """A panel a measure, a violin a name: how its values spread over pictures; up is better.

    A dot is the mean, a bar where the worst 5 % begin. ceilings: measure -> that of the prior.
    """
    rows = -(-len(columns) // 2)
    figure, grid = plt.subplots(rows, 2, figsize=(7.2, 3.4 * rows), squeeze=False)
    for axes, (measure, named) in zip(grid.flat, columns.items(), strict=False):
        _violins(axes, named, measure)
        if measure in ceilings:
            _ceiling(axes, ceilings[measure])
    for axes in grid.flat[len(columns) :]:
        axes.set_axis_off()
    return figure


def _violins(axes: Axes, named: Mapping[str, np.ndarray], measure: str) -> None:
    places = np.arange(len(named))
    for place, (name, values) in zip(places, named.items(), strict=True):
        # All seeds together; a body of equal values would have no width.
        if np.ptp(values) > 0:
            parts: Any = axes.violinplot([values.ravel()], [place], widths=0.85, showextrema=False)
            for body in parts["bodies"]:
                body.set(facecolor=COLOURS[name], edgecolor=COLOURS[name], alpha=0.45)
        axes.plot(place, values.mean(), "o", color=plots.INK, markersize=4.5)
        low = other_tasks.worst(values, measure)
        axes.plot([place - 0.2, place + 0.2], [low, low], color=plots.INK, linewidth=1.6)
    axes.set_xticks(places, list(named), rotation=40, ha="right", rotation_mode="anchor")
    axes.set_ylabel(UNITS.get(measure, MEASURES[measure].short))
    if not MEASURES[measure].higher_is_better:
        axes.invert_yaxis()


def _ceiling(axes: Axes, value: float) -> None:
    """A dashed line, named beside the panel, where no violin lies."""
    axes.axhline(value, color=plots.FAINT, linestyle="--", linewidth=1)
    axes.annotate(
        "ceiling", (1, value), xycoords=("axes fraction", "data"), xytext=(2, 0),
        textcoords="offset points", rotation=270, va="center", fontsize=8.5,
    )  # fmt: skip


def gains(found: Mapping[str, Found]) -> Figure:
    """A panel a task: gain over the untouched input, its pictures in the order of each name's gain.

    found: task -> name -> records. A line that starts below 0 makes some pictures worse.
    """
    figure, grid = plt.subplots(1, len(found), figsize=(3.6 * len(found), 4.2), squeeze=False)
    for axes, (task, parts) in zip(grid.flat, found.items(), strict=True):
        for name, values in other_tasks.gains(parts).items():
            ordered = np.sort(values.mean(0))
            share = (np.arange(len(ordered)) + 0.5) / len(ordered)
            style: dict[str, Any] = dict(color=COLOURS[name], linestyle=LINES.get(name, "-"))
            axes.plot(share, ordered, label=name, **style)
        axes.set(
            xlabel="share of pictures", ylabel="PSNR above the input's, dB", title=TITLES[task]
        )
        axes.set_title(TITLES[task], loc="left")
        axes.set_xlim(0, 1)
        axes.legend(fontsize=8.5, ncols=2, loc="upper center", bbox_to_anchor=(0.45, -0.2))
    return figure


def sweeps(found: Mapping[str, Mapping[int, Sequence[Record]]]) -> Figure:
    """A panel a measure of `SWEPT` against N, on what is unseen.

    found: measure -> N -> records, one a seed.
    """
    figure, grid = plt.subplots(1, len(found), figsize=(3.6 * len(found), 3.4), squeeze=False)
    for axes, (measure, records) in zip(grid.flat, found.items(), strict=True):
        plots.sweep(
            axes, records, other_tasks.UNSEEN, measure,
            label="ResNet", colour=COLOURS["ResNet"],
        )  # fmt: skip
        plots.axis_of_counts(axes, sorted(records))
        axes.set_ylabel(SWEPT[measure])
        axes.set_ylim(min(-0.02, axes.get_ylim()[0]), 1.02)
    return figure


# --- in words


def told(columns: Columns) -> str:
    """All violins in words, for those who cannot see them."""
    parts = []
    for measure, named in columns.items():
        digits = DIGITS[measure]
        each = ", ".join(
            f"{name} {values.mean():.{digits}f}, worst 5 % from "
            f"{other_tasks.worst(values, measure):.{digits}f}"
            for name, values in named.items()
        )
        parts.append(f"{MEASURES[measure].short}: {each}")
    return "; ".join(parts)


def table(found: Found, columns: Columns) -> str:
    """A Markdown table, a name a row: measures, the low end of PSNR, and how many are made worse.

    PSNR has its interval where there are several seeds. The tail is from the mean to the worst 5 %.
    """
    gained = other_tasks.gains(found)
    heads = [
        "PSNR",
        "worst 5 %",
        "tail",
        *(MEASURES[m].short for m in list(columns)[1:]),
        "made worse",
    ]
    rows = ["| | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for name, part in found.items():
        level = estimates.mean(part, other_tasks.UNSEEN, "psnr")
        psnr = level.text(1) if len(part) > 1 else f"{level.value:.1f}"
        low = other_tasks.worst(columns["psnr"][name], "psnr")
        others = [_mean(columns[m].get(name), DIGITS[m]) for m in list(columns)[1:]]
        worse = f"{(gained[name] < 0).mean():.0%}"
        rows.append(
            f"| {name} | "
            + " | ".join([psnr, f"{low:.1f}", f"{level.value - low:.1f}", *others, worse])
            + " |"
        )
    return "\n".join(rows)


def learned(found: Found) -> str:
    """By how much PSNR rises on the damage of training and on that of the test, as Markdown.

    And which share of the impulses is gone, where the test has some.
    """
    tests, removal = ("seen", other_tasks.UNSEEN), "impulse_removal"
    has_impulses = any(
        removal in r.tests[other_tasks.UNSEEN] for part in found.values() for r in part
    )
    heads = ["trained damage", "new damage", *["impulses gone"] * has_impulses]
    rows = ["| | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for name, part in found.items():
        gained = [estimates.between(part, test, "psnr", "input_psnr") for test in tests]
        cells = [f"{gain.value:+.1f} dB" for gain in gained]
        if has_impulses:
            held = all(removal in record.tests[other_tasks.UNSEEN] for record in part)
            gone = estimates.mean(part, other_tasks.UNSEEN, removal) if held else None
            cells.append("" if gone is None else f"{gone.value:.2f}")
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _mean(values: np.ndarray | None, digits: int) -> str:
    return "" if values is None else f"{values.mean():.{digits}f}"


def best(columns: Columns) -> str:
    """The name with the highest mean PSNR."""
    return max(columns["psnr"], key=lambda name: columns["psnr"][name].mean())


def summary(columns: Columns, cheap: str) -> str:
    """Who is best by PSNR, and what of the rest the cheap classical answer beats."""
    means = {name: values.mean() for name, values in columns["psnr"].items()}
    first = best(columns)
    beaten = [n for n, mean in means.items() if mean < means[cheap] and n != "untouched"]
    own = cheap[0].upper() + cheap[1:]
    said = f"By PSNR, {first} is best with {means[first]:.1f} dB"
    said += f", {means[first] - means['untouched']:.1f} dB above the untouched input. "
    if first == "untouched":
        said = f"By PSNR, nothing is better than the untouched input with {means[first]:.1f} dB. "
    if beaten:
        return f"{said}{own}, which has learned nothing, beats {listed(beaten)}."
    rivals = set(means) - {cheap, "untouched"}
    return said + (f"{own} is beaten by all that was trained." if rivals else "")


def trends(found: Mapping[str, Mapping[int, Sequence[Record]]]) -> str:
    """What `sweeps` shows, in words: from the fewest to the most backgrounds."""
    said = []
    for measure, records in found.items():
        least, most = min(records), max(records)
        ends = [
            estimates.mean(records[n], other_tasks.UNSEEN, measure).value for n in (least, most)
        ]
        change = estimates.difference(records[most], records[least], other_tasks.UNSEEN, measure)
        way = estimates.direction(change, "it rises", "it falls", "neither rise nor fall is sure")
        if not np.isfinite(change.width):
            way = "one seed each decides nothing"
        kind = SWEPT[measure]
        said.append(
            f"The {kind}: {ends[0]:.2f} with N = {least:,} and {ends[1]:.2f} with {most:,}; {way}."
        )
    return " ".join(said)


def fewer(columns: Columns) -> str:
    """Of which pictures and methods a measure was not taken, in words."""
    whole, said = columns["psnr"], ""
    total = next(iter(whole.values())).shape[1]
    for measure, named in columns.items():
        short, count = MEASURES[measure].short, next(iter(named.values())).shape[1]
        absent = [name for name in whole if name not in named]
        if count < total:
            said += f"The {short} distance is of the first {count} of {total} pictures. "
        if absent:
            said += f"It is not computed yet of {listed(absent)}. "
    return said


def lacking(task: str, wanted: Iterable[str], found: Iterable[str]) -> str:
    """What of a task is not computed yet, as a sentence; empty where nothing is missing."""
    there = set(found)
    missing = [name for name in wanted if name not in there]
    return f"Not computed yet for {TITLES[task].lower()}: {listed(missing)}. " if missing else ""


def listed(names: Sequence[str]) -> str:
    """("a", "b", "c") -> "a, b and c"."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
