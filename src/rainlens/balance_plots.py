"""Figures and tables of chapter 9: three networks in the cells of a table, and unlabelled rain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

from rainlens import estimates, evaluation, images, intervals, plots
from rainlens.claims.balancing import Row
from rainlens.claims.rules import REJECTION
from rainlens.degradations import named
from rainlens.intervals import Estimate
from rainlens.models.spdnet import residue
from rainlens.randomness import generator
from rainlens.records import Record, RecordStore

Cell = tuple[str, Row]  # a network, and a row as the paper prints it
Found = Mapping[Cell, Sequence[Record]]

# Hu 2026, Table 3: E_R, E_B and PSNR in dB, as printed; what it leaves blank is not here.
PAPER: Mapping[Cell, tuple[float, float, float]] = {
    ("resnet", Row(30_000, "medium")): (31.24, 10.79, 25.15),
    ("resnet", Row(64, "medium")): (53.33, 25.02, 20.87),
    ("resnet", Row(256, "large")): (45.64, 16.51, 24.30),
    ("resnet", Row(128, "large")): (51.75, 23.53, 21.45),
    ("spdnet", Row(30_000, "medium")): (33.63, 5.49, 30.51),
    ("spdnet", Row(512, "large")): (39.88, 8.91, 28.57),
    ("spdnet", Row(256, "large")): (38.87, 8.03, 29.40),
    ("spdnet", Row(128, "large")): (43.20, 14.59, 25.67),
    ("rcdnet", Row(30_000, "medium")): (26.55, 5.41, 28.54),
    ("rcdnet", Row(64, "medium")): (45.47, 14.78, 25.32),
    ("rcdnet", Row(512, "large")): (37.53, 7.16, 29.60),
    ("rcdnet", Row(256, "large")): (40.40, 8.52, 29.08),
    ("rcdnet", Row(128, "large")): (44.67, 13.72, 26.09),
}
BLANK = "–"  # in the paper's table
MEASURES = (("e_r", 1), ("e_b", 1), ("psnr", 1))  # of the paper, with our digits
COLOURS = {"resnet": "#0072B2", "spdnet": "#009E73", "rcdnet": "#D55E00"}
MARKERS = {
    Row(30_000, "medium"): "o",
    Row(64, "medium"): "v",
    Row(512, "large"): "D",
    Row(256, "large"): "s",
    Row(128, "large"): "^",
    Row(30_000, "large"): "P",
}
TYPICAL = 0.5  # the quantile by which a picture is chosen


# --- tables


def table(network: str, title: str, rows: Mapping[Row, Row], found: Found) -> str:
    """One network's part of the table as Markdown: the paper's numbers beside ours.

    rows: as printed -> as trained here. found: the records of each cell, one a seed; a cell
    without any is named as not computed, and a blank of the paper is a dash. Ours have 95 %
    intervals from two seeds on.
    """
    heads = [f"{name}, {whose}" for name in ("E_R", "E_B", "PSNR") for whose in ("paper", "ours")]
    lines = [f"| {title} | {' | '.join(heads)} | kept out |", "|---" * (len(heads) + 2) + "|"]
    for printed, row in rows.items():
        name = f"{printed}" if printed == row else f"{printed} (here {row.patches:,})"
        records = found.get((network, printed), ())
        theirs = [f"{value:.2f}" for value in PAPER.get((network, printed), ())] or [BLANK] * 3
        ours = [_told(records, measure, digits) for measure, digits in MEASURES]
        both = [text for pair in zip(theirs, ours, strict=True) for text in pair]
        lines.append(f"| {name} | {' | '.join(both)} | {_told(records, REJECTION, 2)} |")
    return "\n".join(lines)


def _told(records: Sequence[Record], measure: str, digits: int) -> str:
    if not records:
        return "not computed"
    estimate = estimates.mean(records, "unseen", measure)
    # PSNR has no room for its interval.
    whole = measure != "psnr" and np.isfinite(estimate.width)
    return estimate.text(digits) if whole else f"{estimate.value:.{digits}f}"


def table_of_marks(filters: Mapping[str, Record], tested: Sequence[Record]) -> str:
    """What has learned nothing, as Markdown, to hold the table against.

    filters: by name, "untouched" among them; of the others, those that keep out most rain, that
    have the best PSNR, and that do the least damage. tested: of a network on the same pictures.
    """
    lines = ["| | E_R | E_B | PSNR | kept out |", "|---|---|---|---|---|"]
    exact = estimates.mean(tested, "unseen", "exact_e_r").value
    lines.append(f"| exact removal | {exact:.1f} | 0.0 | ∞ | 1.00 |")
    for name in ("untouched", *best_filters(filters)):
        told = [_told([filters[name]], m, d) for m, d in (*MEASURES, (REJECTION, 2))]
        lines.append(f"| {name} | {' | '.join(told)} |")
    return "\n".join(lines)


def best_filters(filters: Mapping[str, Record]) -> list[str]:
    """Of what has learned nothing: most rain kept out, best PSNR, least damage; each once."""
    touched = {name: [record] for name, record in filters.items() if name != "untouched"}
    ranked = [(REJECTION, 1), ("psnr", 1), ("e_b", -1)]
    return list(dict.fromkeys(
        max(touched, key=lambda n: sign * estimates.mean(touched[n], "unseen", measure).value)
        for measure, sign in ranked
    ))  # fmt: skip


def table_at_equal_damage(titles: Mapping[str, str], rows: Iterable[Row], found: Found) -> str:
    """By how much more contrast of the rain a row removes than the first, as Markdown.

    Both are read at the moment of training at which they may do the same damage
    (`estimates.at_equal_damage`). titles: network -> what it is called.
    """
    first, *others = rows
    lines = [
        f"| against {first} | {' | '.join(titles.values())} |",
        "|---" * (len(titles) + 1) + "|",
    ]
    for row in others:
        cells = []
        for network in titles:
            pair = [found.get((network, one), ()) for one in (row, first)]
            more = estimates.at_equal_damage(*pair) if all(pair) else None
            cells.append("not computed" if more is None else _finite(more))
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _finite(estimate: Estimate) -> str:
    return estimate.text() if np.isfinite(estimate.value) else "never as gentle"


def tint_effect(record: Record) -> tuple[Estimate, Estimate, Estimate]:
    """Rain kept out of grey rain, of tinted rain, and the change, of one network.

    The intervals are over pictures alone.
    """
    grey, tinted = (estimates.per_image([record], test, REJECTION)[0] for test in TINTS)
    both = ~np.isnan(grey) & ~np.isnan(tinted)
    each = grey[both], tinted[both], (tinted - grey)[both]
    first, second, change = (intervals.mean_of(values) for values in each)
    return first, second, change


TINTS = ("grey", "tinted")


# --- charts


class Point(NamedTuple):
    """A cell in the plane: damage (E_B, grey levels) and the share of the rain kept out."""

    damage: float
    kept_out: float


def points(found: Found, measure: str = REJECTION) -> dict[Cell, Point]:
    """Each cell's means over seeds and pictures."""
    return {
        cell: Point(*(estimates.mean(part, "unseen", m).value for m in ("e_b", measure)))
        for cell, part in found.items()
        if part
    }


def front(placed: Mapping[Cell, Point], network: str) -> list[Row]:
    """The Pareto front of a network's cells, from gentle to thorough.

    The rows that no other row of this network beats in both: less damage and more rain kept out.
    """
    own = {row: point for (name, row), point in placed.items() if name == network}
    best = [
        row
        for row, (damage, kept) in own.items()
        if not any(
            other.damage <= damage and other.kept_out >= kept and other != (damage, kept)
            for other in own.values()
        )
    ]
    return sorted(best, key=own.__getitem__)


def plane(
    found: Found, titles: Mapping[str, str], filters: Mapping[str, Record], exact: float
) -> Figure:
    """All cells: damage across, removal up, by the rain response and by E_R.

    Fronts are lines. filters: what has learned nothing, small dots, the untouched input a cross.
    exact: E_R of an exact removal.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 4.8))
    _plane(left, found, filters, REJECTION, 1.0)
    _plane(right, found, filters, "e_r", exact)
    left.set_ylabel("share of the unseen rain that is kept out")
    right.set_ylabel("E_R, grey levels: change where it rains")
    shown = {network for network, _ in points(found)}
    for network in shown:
        left.plot([], [], "-", color=COLOURS[network], linewidth=3, label=titles[network])
    for row in {row for _, row in points(found)}:
        right.plot([], [], MARKERS[row], color=plots.INK, label=f"{row}")
    below: dict[str, Any] = dict(loc="upper center", bbox_to_anchor=(0.5, -0.16), fontsize=9)
    left.legend(ncols=1, **below)
    right.legend(ncols=2, **below)
    return figure


def _plane(
    axes: Axes, found: Found, filters: Mapping[str, Record], measure: str, exact: float
) -> None:
    placed = points(found, measure)
    for network in dict.fromkeys(name for name, _ in placed):
        line = [placed[network, row] for row in front(placed, network)]
        axes.plot(*zip(*line, strict=True), color=COLOURS[network], linewidth=1.2, alpha=0.6)
    for (network, row), (damage, removed) in placed.items():
        axes.plot(damage, removed, MARKERS[row], color=COLOURS[network], markersize=8)
    for name, record in filters.items():
        at = [estimates.mean([record], "unseen", m).value for m in ("e_b", measure)]
        style: dict[str, Any] = dict(marker=".", markersize=6, color=plots.FAINT)
        if name == "untouched":
            style = dict(marker="x", markersize=8, color=plots.INK)
        axes.plot(*at, linestyle="none", **style)
    axes.plot(0, exact, "*", color=plots.INK, markersize=12)
    axes.axhline(exact, color=plots.FAINT, linestyle=":", linewidth=1)
    most = max((point.damage for point in placed.values()), default=10.0)
    axes.set_xlim(-0.05 * most, 1.15 * most)
    axes.set_xlabel("E_B, grey levels: damage where it does not rain")


def arms_chart(found: Mapping[str, Sequence[Record]]) -> Figure:
    """Arms of the semi-supervised experiment: rain kept out, and damage; small marks are seeds.

    found: arm -> its records, one a seed. Intervals where there are several.
    """
    figure, row = plt.subplots(1, 2, figsize=(8.0, 2.6))
    told = ((REJECTION, "share of the unseen rain kept out"), ("e_b", "E_B, grey levels"))
    for axes, (measure, label) in zip(row, told, strict=True):
        for place, records in enumerate(found.values()):
            estimate = estimates.mean(records, "unseen", measure)
            by_seed = np.nanmean(estimates.per_image(records, "unseen", measure), axis=1)
            axes.plot(by_seed, [place + 0.18] * len(by_seed), "|", color=plots.FAINT, markersize=8)
            if np.isfinite(estimate.width):
                axes.plot([estimate.low, estimate.high], [place] * 2, color="#0072B2")
            axes.plot(estimate.value, place, "o", color="#0072B2")
        axes.set_yticks(range(len(found)), [name.replace(" ", "\n", 1) for name in found])
        axes.set_ylim(len(found) - 0.5, -0.5)
        axes.set_xlabel(label)
    return figure


# --- pictures


def typical_picture(records: Sequence[Record], test: str = "shown_unseen") -> int:
    """The place of the picture of a test set whose removal gain is the median of all.

    Of the gain averaged over these records; of an even number, the lower of both in the middle.
    """
    gains = np.mean([estimates.per_image([r], test, "gain")[0] for r in records], axis=0)
    order = np.argsort(gains, kind="stable")
    return int(order[int(TYPICAL * (len(gains) - 1))])


def outputs(
    store: RecordStore, found: Found, titles: Mapping[str, str], chosen: Sequence[Row], place: int
) -> list[tuple[Tensor | None, str]]:
    """Tiles for `plots.gallery`: for each network its title, then rainy, its rows, clean."""
    tiles: list[tuple[Tensor | None, str]] = []
    for network, title in titles.items():
        there = [row for row in chosen if found.get((network, row))]
        if not there:
            continue
        firsts = {row: found[network, row][0] for row in there}
        rainy, clean = evaluation.load(estimates.test_set(firsts[there[0]], "shown_unseen"))
        drawn = [(store.picture(r, "shown_unseen", place), f"{row}") for row, r in firsts.items()]
        tiles += [(None, title), (rainy[place], "rainy"), *drawn, (clean[place], "clean")]
    return tiles


def residues(clean: Tensor) -> list[tuple[Tensor, str]]:
    """Tiles: a picture, uint8 (3, H, W), under grey and under tinted rain, above their residues.

    The same rain in both, of the medium range. A label says by how many grey levels the residue
    differs from the dry picture's, on average.
    """
    unit = images.to_unit(clean)[None]
    rainy = {
        name: named(kind).apply(unit, generator(0, "residue"))
        for name, kind in (("grey rain", "medium"), ("tinted rain", "medium_tinted"))
    }
    tiles = [(picture[0], name) for name, picture in rainy.items()]
    for name, picture in rainy.items():
        moved = (residue(picture) - residue(unit)).abs().mean().item() * 255
        tiles.append((residue(picture)[0], f"residue, {name}: moved by {moved:.1f}"))
    return tiles


def on_real_rain(
    networks: Mapping[str, nn.Module], names: Sequence[str], folder: str = "real_rain147"
) -> list[tuple[Tensor, str]]:
    """Tiles: each real picture as it is, then every network's output and how much it changed."""
    tiles: list[tuple[Tensor, str]] = []
    for name in names:
        picture = images.load(images.find_folder(folder) / name)
        tiles.append((picture, f"{name}, as it is"))
        for title, network in networks.items():
            output = evaluation.restore(network, [picture])[0]
            change = torch.mean((output - images.to_unit(picture)).abs()).item() * 255
            tiles.append((output, f"{title}: changed by {change:.1f} grey levels"))
    return tiles
