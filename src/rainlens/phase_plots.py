"""The picture of N against training time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from rainlens import phases, plots
from rainlens.phases import DAMAGE, LEARNS, LEAVES, REGIMES, REMOVAL, SPOILS, UNCLEAR, Sweep

# The signs repeat what the colours say.
COLOUR = {LEARNS: "#56B4E9", LEAVES: "#E69F00", SPOILS: "#CC79A7", UNCLEAR: "#e4e4e4"}
SIGN = {LEARNS: "+", LEAVES: "\N{MINUS SIGN}", SPOILS: "\N{MULTIPLICATION SIGN}", UNCLEAR: "?"}
MAPS = {REMOVAL: ("contrast gain", "{:.2f}", "viridis"), DAMAGE: ("E_B", "{:.0f}", "magma_r")}


def diagram(sweeps: Mapping[str, Sweep]) -> Figure:
    """Removal, damage and what happens next, N across and iterations up, a column a range."""
    steps = {name: phases.moments(next(iter(sweep.values()))) for name, sweep in sweeps.items()}
    values = {
        curve: {name: _means(sweep, curve, steps[name]) for name, sweep in sweeps.items()}
        for curve in MAPS
    }
    figure, grid = plt.subplots(3, len(sweeps), figsize=(3.2 * len(sweeps), 8.2), squeeze=False)
    for row, (curve, (label, form, colours)) in zip(grid, MAPS.items(), strict=False):
        held = list(values[curve].values())
        limits = min(map(np.min, held)), max(map(np.max, held))
        for axes, (name, sweep) in zip(row, sweeps.items(), strict=True):
            found = values[curve][name]
            axes.imshow(found, origin="lower", aspect="auto", cmap=colours, clim=limits)
            _write(axes, found, form, colours, limits)
            _name_cells(axes, sorted(sweep), [f"{step:,}" for step in steps[name]])
            axes.set_title(f"{name}: {label}")
            axes.set_ylabel("steps")
    for axes, (name, sweep) in zip(grid[-1], sweeps.items(), strict=True):
        _draw_regimes(axes, sweep, steps[name])
        axes.set_title(f"{name}: what training does")
        axes.set_ylabel("in the steps up to")
    return figure


def _means(sweep: Sweep, curve: str, steps: Sequence[int]) -> np.ndarray:
    """(moments, N): the means over seeds."""
    columns = [phases.at_moments(sweep[n], curve, steps).mean(axis=0) for n in sorted(sweep)]
    return np.array(columns).T


def _draw_regimes(axes: Axes, sweep: Sweep, steps: Sequence[int]) -> None:
    found = np.array([phases.regimes(sweep[n], steps) for n in sorted(sweep)]).T
    kinds = list(REGIMES)
    places = np.vectorize(kinds.index)(found)
    shades = ListedColormap([COLOUR[kind] for kind in kinds])
    axes.imshow(places, origin="lower", aspect="auto", cmap=shades, vmin=-0.5, vmax=3.5)
    for (up, across), kind in np.ndenumerate(found):
        axes.text(across, up, SIGN[kind], ha="center", va="center", color=plots.INK)
    _name_cells(axes, sorted(sweep), [f"{step:,}" for step in steps[1:]])
    handles = [Patch(color=COLOUR[kind], label=f"{SIGN[kind]} {kind}") for kind in kinds]
    axes.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.45, -0.22), ncols=2, fontsize=9,
        handlelength=1, columnspacing=1,
    )  # fmt: skip


def _write(
    axes: Axes, found: np.ndarray, form: str, colours: str, limits: tuple[float, float]
) -> None:
    """The numbers in their cells, light on dark and dark on light."""
    shade = plt.get_cmap(colours)
    for (up, across), value in np.ndenumerate(found):
        red, green, blue, _ = shade((value - limits[0]) / (limits[1] - limits[0]))
        is_light = 0.3 * red + 0.59 * green + 0.11 * blue > 0.5
        colour = "black" if is_light else "white"
        axes.text(across, up, form.format(value), ha="center", va="center", color=colour, size=9)


def _name_cells(axes: Axes, counts: Sequence[int], rows: Sequence[str]) -> None:
    names = [f"{n:,}" if n < 10_000 else f"{n // 1000}k" for n in counts]
    axes.set_xticks(range(len(counts)), names, fontsize=9)
    axes.set_yticks(range(len(rows)), rows, fontsize=9)
    axes.tick_params(length=0)
    axes.set_xlabel("N")
    axes.spines[:].set_visible(False)
