"""Charts of several cards at once: which network does what to which rain, and where it stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rainlens.audit.maps import MAPS, RainMap
from rainlens.audit.scores import DESTROYS, LEAVES, PARTLY, REMOVES, Scored

# As on the cards; white letters can be read on each.
COLOURS = {REMOVES: "#00704f", PARTLY: "#8a5a00", LEAVES: "#a63a00", DESTROYS: "#6b1d6b"}
SHORT = {
    "small": "small\nrange",
    "medium": "medium\nrange",
    "large": "large\nrange",
    "streaks": "embedded\nstreaks",
    "tinted": "tinted\nmedium",
    "rain100l": "Rain100L",
    "rain100h": "Rain100H",
}
DARK = 0.8  # the share from which white letters are read better on the map's shade
ROW, COLUMN, NAMES = 0.44, 0.82, 2.9  # inches: of a cell, and of the names at the left


def words(cards: Mapping[str, Sequence[Scored]]) -> Figure:
    """A row a network, a column a kind of rain: the share that is gone, on the word's colour."""
    kinds = [one.kind.name for one in next(iter(cards.values()))]
    size = NAMES + COLUMN * len(kinds), 0.95 + ROW * len(cards)
    figure, axes = plt.subplots(figsize=size)
    for row, scored in enumerate(cards.values()):
        for column, one in enumerate(scored):
            axes.add_patch(
                Rectangle((column, row), 0.96, 0.9, color=COLOURS[one.word], linewidth=0)
            )
            axes.text(
                column + 0.48, row + 0.45, _told(one.estimates["rejection"].value),
                ha="center", va="center", color="white", fontsize=10,
            )  # fmt: skip
    axes.set_xlim(0, len(kinds))
    axes.set_ylim(len(cards), 0)
    axes.set_xticks(np.arange(len(kinds)) + 0.48, [SHORT.get(kind, kind) for kind in kinds])
    axes.set_yticks(np.arange(len(cards)) + 0.45, list(cards))
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=9)
    axes.spines[:].set_visible(False)
    handles = [Rectangle((0, 0), 1, 1, color=colour) for colour in COLOURS.values()]
    axes.legend(
        handles, list(COLOURS), ncols=4, loc="upper center", bbox_to_anchor=(0.4, -0.02),
        fontsize=9, frameon=False,
    )  # fmt: skip
    return figure


def maps(cells: Mapping[str, Mapping[str, float]]) -> Figure:
    """A row a network, both maps of rain beside each other; the darker, the more is gone."""
    figure, rows = plt.subplots(
        len(cells), len(MAPS), figsize=(7.2, 0.6 + 2.75 * len(cells)), squeeze=False
    )
    shades = LinearSegmentedColormap.from_list("gone", ["#f4f1e8", "#00704f"])
    for line, (title, found) in zip(rows, cells.items(), strict=True):
        for axes, one in zip(line, MAPS, strict=True):
            values = _grid(one, found)
            axes.imshow(values, cmap=shades, vmin=0, vmax=1, aspect="auto")
            axes.set_xticks(range(len(one.across)), [str(value) for value in one.across])
            axes.set_yticks(
                range(len(one.down)),
                [f"{value}".replace("-", "\N{MINUS SIGN}") for value in one.down],
            )
            axes.set_xlabel(one.columns)
            axes.set_ylabel(one.rows)
            axes.set_title(title, fontsize=10, loc="left")
            for (place, across), value in np.ndenumerate(values):
                axes.text(
                    across, place, _told(value), ha="center", va="center", fontsize=8.5,
                    color="white" if value > DARK else "#1c1c1c",
                )  # fmt: skip
    figure.tight_layout()
    return figure


def _grid(one: RainMap, found: Mapping[str, float]) -> np.ndarray:
    values = [found[name] for name, _ in one.cells()]
    return np.array(values).reshape(len(one.down), len(one.across))


def _told(share: float) -> str:
    return "?" if np.isnan(share) else f"{share:.2f}".replace("-0.00", "0.00")
