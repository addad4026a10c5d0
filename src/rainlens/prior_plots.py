"""Figures of chapter 10: how a prior works, what its codes look like, what each arm did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from torch import Tensor

from rainlens import estimates, images, plots
from rainlens.claims.rules import REJECTION
from rainlens.models.vqgan import VQGAN
from rainlens.records import Record

LEARNS, FROZEN = "#0072B2", "#777777"
COLOURS = {
    "method": "#0072B2",
    "no book": "#56B4E9",
    "free": "#009E73",
    "free, no book": "#CC79A7",
    "ablation": "#D55E00",
    "scratch, book": "#E69F00",
    "ResNet": "#444444",
    "TAEF2": "#7B3294",
}
MARKERS = dict(zip(COLOURS, "osD^vPXp", strict=True))
GAP = 2  # white pixels between codes
# Boxes of the scheme: its centre, its text, whether it learns (None: it is no part of the network).
BOXES: tuple[tuple[float, float, str, bool | None], ...] = (
    (0.9, 2.6, "rainy\npicture", None),
    (2.9, 2.6, "encoder", True),
    (4.9, 2.6, "latent:\na grid of\nvectors", None),
    (4.9, 0.7, "code book:\nthe nearest\ncode to each", False),
    (2.9, 0.7, "decoder", False),
    (0.9, 0.7, "clean\npicture", None),
)


def scheme() -> Figure:
    """The papers' method, drawn: what learns and what stays as it is."""
    figure, axes = plt.subplots(figsize=(3.6, 2.5))  # as wide as a phone
    for x, y, text, learns in BOXES:
        colour = plots.FAINT if learns is None else LEARNS if learns else FROZEN
        shape = FancyBboxPatch(
            (x - 0.72, y - 0.5), 1.44, 1.0, boxstyle="round,pad=0.05,rounding_size=0.12",
            edgecolor=colour, facecolor="none", linewidth=1 if learns is None else 2,
            linestyle="--" if learns is False else "-",
        )  # fmt: skip
        axes.add_patch(shape)
        axes.text(x, y, text, ha="center", va="center", fontsize=8.5)
    for (x, y, *_), (to_x, to_y, *_) in zip(BOXES, BOXES[1:], strict=False):
        across = np.sign(to_x - x) * 0.78, np.sign(to_y - y) * 0.56
        ends = (x + across[0], y + across[1]), (to_x - across[0], to_y - across[1])
        arrow = FancyArrowPatch(*ends, arrowstyle="-|>", mutation_scale=12, color=plots.INK)
        axes.add_patch(arrow)
    axes.text(2.9, 3.3, "learns", color=LEARNS, ha="center", fontsize=8.5)
    for x in (2.9, 4.9):
        axes.text(x, -0.1, "frozen", color=FROZEN, ha="center", fontsize=8.5)
    axes.set(xlim=(0, 5.8), ylim=(-0.22, 3.55))
    axes.set_axis_off()
    return figure


@torch.inference_mode()
def code_sheet(model: VQGAN, codes: Sequence[int], side: int = 4, columns: int = 16) -> Tensor:
    """What codes look like on their own: each decoded from `side` x `side` places that all hold it.

    A sheet of tiles on white, uint8 (3, H, W), in the order given.
    """
    book = model.state_dict()["quantize.embedding.weight"]
    values = book[list(codes)][:, :, None, None].expand(-1, -1, side, side)
    tiles = images.to_bytes(model.decode(values).clamp(0, 1))
    size, rows = tiles.shape[-1] + GAP, -(-len(tiles) // columns)
    sheet = torch.full((3, rows * size - GAP, columns * size - GAP), 255, dtype=torch.uint8)
    for place, tile in enumerate(tiles):
        top, left = place // columns * size, place % columns * size
        sheet[:, top : top + size - GAP, left : left + size - GAP] = tile
    return sheet


@torch.inference_mode()
def by_brightness(model: VQGAN, count: int) -> list[int]:
    """So many codes of the book, evenly through all of them, from dark to bright."""
    book = model.state_dict()["quantize.embedding.weight"]
    brightness = model.decode(book[:, :, None, None]).mean((1, 2, 3))
    order = brightness.argsort().tolist()
    return [order[round(k * (len(order) - 1) / (count - 1))] for k in range(count)]


def plane(
    found: Mapping[str, Sequence[Record]],
    marks: Mapping[str, float],
    untouched: Record,
    measure: str = REJECTION,
) -> Figure:
    """Each arm on unseen rain: how much of it is kept out, against the damage beside it.

    found: name of an arm -> its records, one a seed, which are small marks around their mean.
    marks: at most two levels of damage in grey levels, by name; lines from top to bottom, such as
    that of the way to the code book and back. untouched: the record
    of the input as it is, which has a little E_B, too: of the rain that is too weak for the mask.
    """
    figure, axes = plt.subplots(figsize=(3.6, 4.4))  # as wide as a phone
    as_it_is = [_by_seed([untouched], one)[0] for one in ("e_b", measure)]
    axes.plot(*as_it_is, "x", color=plots.INK, markersize=8, label="the untouched input")
    for (name, level), style in zip(marks.items(), ("--", "-."), strict=False):
        axes.axvline(level, color=plots.FAINT, linestyle=style, linewidth=1, label=name)
    axes.axhline(1, color=plots.FAINT, linestyle=":", linewidth=1)
    for name, records in found.items():
        x, y = (_by_seed(records, one) for one in ("e_b", measure))
        look: dict[str, Any] = dict(color=COLOURS[name], marker=MARKERS[name], linestyle="none")
        axes.plot(np.mean(x), np.mean(y), markersize=9, label=name, **look)
        if len(records) > 1:
            axes.plot(x, y, markersize=4, alpha=0.5, **look)
    axes.set_xlim(left=-1)
    axes.set_ylim(min(-0.05, axes.get_ylim()[0]), 1.1)
    axes.set(xlabel="damage E_B (grey levels)", ylabel="rejection of unseen rain")
    figure.legend(loc="outside lower center", ncols=1 if len(found) < 4 else 2, fontsize=8)
    return figure


def courses(found: Mapping[str, Sequence[Record]]) -> Figure:
    """Removal of unseen rain and damage while the arms are trained, a line a seed."""
    figure, (removal, damage) = plt.subplots(1, 2, figsize=(7.2, 3.2))
    for name, records in found.items():
        for record in records:
            _course(removal, record, "unseen/contrast", name)
            _course(damage, record, "unseen/e_b", name)
    removal.set(ylabel="contrast gain on unseen rain", xlabel="iteration")
    damage.set(ylabel="E_B, grey levels", xlabel="iteration")
    damage.set_ylim(bottom=0)
    for axes in (removal, damage):
        handles, labels = axes.get_legend_handles_labels()
        each = dict(zip(labels, handles, strict=True))
        axes.legend(each.values(), each.keys(), fontsize=8.5)
    return figure


def _course(axes: Axes, record: Record, curve: str, name: str) -> None:
    steps, values = estimates.curve_of(record, "iteration"), estimates.curve_of(record, curve)
    axes.plot(steps[1:], values[1:], color=COLOURS[name], label=name, linewidth=1.4)


def _by_seed(records: Sequence[Record], measure: str) -> np.ndarray:
    means: np.ndarray = estimates.per_image(records, "unseen", measure).mean(1)
    return means
