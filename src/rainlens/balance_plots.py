"""Figures of chapter 9: three networks in the cells of a table, and rain without truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from rainlens import estimates, evaluation, images, metrics, plots
from rainlens.balance_tables import Cell, Found
from rainlens.claims.balancing import Row
from rainlens.claims.rules import REJECTION
from rainlens.degradations import named
from rainlens.models.spdnet import residue
from rainlens.randomness import generator
from rainlens.records import Record, RecordStore

COLOURS = {"resnet": plots.NETWORK_COLOUR["resnet"], "spdnet": "#009E73", "rcdnet": "#D55E00"}
MARKERS = {
    Row(30_000, "medium"): "o",
    Row(64, "medium"): "v",
    Row(512, "large"): "D",
    Row(256, "large"): "s",
    Row(128, "large"): "^",
    Row(30_000, "large"): "P",
}
AMPLIFIED = 5  # changes of the residue, so that they can be seen


# --- charts


class Point(NamedTuple):
    """A cell in the plane: damage (E_B, grey levels) and the share of the rain kept out."""

    damage: float
    kept_out: float


def points(found: Found, measure: str = REJECTION) -> dict[Cell, Point]:
    """Each cell's means over seeds and pictures."""
    return {cell: _place(part, measure) for cell, part in found.items() if part}


def _place(records: Sequence[Record], measure: str) -> Point:
    return Point(*(estimates.mean(records, "unseen", m).value for m in ("e_b", measure)))


def front(placed: Mapping[Cell, Point], network: str) -> list[Row]:
    """The Pareto front of a network's cells, from gentle to thorough.

    The rows that no other row of this network beats in both: less damage and more rain kept out.
    """
    own = {row: point for (name, row), point in placed.items() if name == network}
    return sorted(_unbeaten(own), key=own.__getitem__)


def _unbeaten(at: Mapping[Any, Point]) -> list[Any]:
    """Of points, those than which no other has as little damage and keeps out as much."""
    return [
        key
        for key, (damage, kept) in at.items()
        if not any(
            other.damage <= damage and other.kept_out >= kept and other != (damage, kept)
            for other in at.values()
        )
    ]


def beaten(found: Found, titles: Mapping[str, str], filters: Mapping[str, Record]) -> list[str]:
    """Cells that a filter clearly beats, which has learned nothing, in words.

    One seed has no interval, and decides nothing.
    """
    return [
        f"{titles[network]} {row} by {name}"
        for (network, row), part in found.items()
        if part
        for name in clearly_beat(part, filters)
    ]


def clearly_beat(records: Sequence[Record], filters: Mapping[str, Record]) -> list[str]:
    """The filters with less damage and more rejection than a network, beyond both intervals."""
    damage, kept = (estimates.mean(records, "unseen", m) for m in ("e_b", REJECTION))
    at = {name: _place([record], REJECTION) for name, record in filters.items()}
    return [name for name, (d, k) in at.items() if d < damage.low and k > kept.high]


def level_with(found: Mapping[Row, Sequence[Record]], top: Row, measure: str) -> list[Row]:
    """The rows that one is not clearly above: its lead over them has an interval that holds 0."""
    leads = {
        row: estimates.difference(found[top], part, "unseen", measure)
        for row, part in found.items()
        if part and row != top
    }
    return [row for row, lead in leads.items() if not lead.low > 0]


def plane(
    found: Found, titles: Mapping[str, str], filters: Mapping[str, Record], exact: float
) -> Figure:
    """All cells: damage across, removal up, by the rain response and by E_R.

    At the left, fronts are lines. filters: what has learned nothing, small dots with their names
    where they lie among the cells, the untouched input a cross.
    exact: E_R of an exact removal.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 4.8))
    _plane(left, found, filters, REJECTION, 1.0)
    _plane(right, found, filters, "e_r", exact)
    left.set_ylabel("rejection of unseen rain")
    right.set_ylabel("E_R, grey levels: change where it rains")
    placed = points(found)
    for network in titles:  # the front is one of rain, which E_R does not tell from change
        if line := [placed[network, row] for row in front(placed, network)]:
            style: dict[str, Any] = dict(color=COLOURS[network], label=titles[network])
            left.plot(*zip(*line, strict=True), "-", linewidth=1.5, zorder=1, **style)
    for row, marker in MARKERS.items():
        left.plot([], [], marker, color=plots.INK, label=f"{row}")
    # Below the first panel, which comes first on a phone.
    left.legend(ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.16), fontsize=9)
    return figure


def _plane(
    axes: Axes, found: Found, filters: Mapping[str, Record], measure: str, exact: float
) -> None:
    """Marks of cells, filters and exact removal; filters beyond the cells lie outside."""
    placed = points(found, measure)
    for (network, row), at in placed.items():
        style: dict[str, Any] = dict(color=COLOURS[network], markeredgecolor="white", mew=0.6)
        axes.plot(*at, MARKERS[row], markersize=8, **style)
    for name, record in filters.items():
        style = dict(marker=".", markersize=6, color=plots.FAINT)
        if name == "untouched":
            style = dict(marker="x", markersize=8, color=plots.INK)
        at = _place([record], measure)
        axes.plot(*at, linestyle="none", **style)
        if measure == REJECTION and name in named_filters(filters, placed):
            aside: dict[str, Any] = dict(textcoords="offset points", xytext=(0, -10), ha="center")
            axes.annotate(name, at, fontsize=7, color=plots.INK, annotation_clip=True, **aside)
    axes.plot(0, exact, "*", color=plots.INK, markersize=12)
    axes.axhline(exact, color=plots.FAINT, linestyle=":", linewidth=1, zorder=0)
    across = max((point.damage for point in placed.values()), default=10.0)
    top = max([exact, *(point.kept_out for point in placed.values())])
    axes.set(xlim=(-0.05 * across, 1.1 * across), ylim=(-0.05 * top, 1.1 * top))
    axes.set_xlabel("damage E_B (grey levels)")


def named_filters(filters: Mapping[str, Record], placed: Mapping[Cell, Point]) -> list[str]:
    """Filters on the front of all filters, no further to the right than the cells."""
    at = {name: _place([record], REJECTION) for name, record in filters.items()}
    across = max((point.damage for point in placed.values()), default=10.0)
    return [n for n in _unbeaten(at) if n != "untouched" and at[n].damage <= across]


def arms_chart(found: Mapping[str, Sequence[Record]]) -> Figure:
    """Arms of the semi-supervised experiment: rain kept out, and damage; small marks are seeds.

    found: arm -> its records, one a seed. Intervals where there are several.
    """
    figure, row = plt.subplots(1, 2, figsize=(8.0, 2.6))
    told = ((REJECTION, "rejection of unseen rain"), ("e_b", "damage E_B (grey levels)"))
    for axes, (measure, label) in zip(row, told, strict=True):
        for place, records in enumerate(found.values()):
            estimate = estimates.mean(records, "unseen", measure)
            seeds = estimate.by_seed
            axes.plot(seeds, [place + 0.18] * len(seeds), "|", color=plots.FAINT, markersize=8)
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
    return int(order[(len(gains) - 1) // 2])


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
    """Tiles: what rain of the medium range, grey and tinted, changes in SPDNet's residue.

    clean: a picture, uint8 (3, H, W). The same rain in both. Changes are drawn AMPLIFIED times, on
    black; a label says on what share of the rainy pixels there is none.
    """
    unit = images.to_unit(clean)[None]
    above, below = [(clean, "dry")], [(residue(unit)[0], "its residue")]
    for name, kind in (("grey rain", "medium"), ("tinted rain", "medium_tinted")):
        rainy = named(kind).apply(unit, generator(0, "residue"))
        change = (residue(rainy) - residue(unit)).abs()
        wet = metrics.rain_mask(rainy, unit)
        same = (change[:, :1][wet] < 0.5 / 255).float().mean().item()
        above.append((rainy[0], name))
        told = f"what {name} changes in it: nothing on {same:.0%} of the rainy pixels"
        below.append(((AMPLIFIED * change).clamp(max=1)[0], told))
    return above + below
