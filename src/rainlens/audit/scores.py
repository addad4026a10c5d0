"""What the outputs of an audit are worth: measures with intervals, and a word for each kind.

The words follow from rules that were fixed before any network was audited (`WORDS`); there is no
single score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rainlens import images, intervals, metrics
from rainlens.audit.inputs import Inputs, Kind
from rainlens.evaluation import RAIN100
from rainlens.intervals import Estimate

REMOVES, PARTLY, LEAVES, DESTROYS = "removes", "partly removes", "leaves", "destroys"
REMOVED, LEFT = 0.8, 0.3  # of the rain, by the interval of the rejection
RUINED = 25.0  # grey levels, rms, by which pictures without rain are changed
WORDS = {
    DESTROYS: f"pictures that need nothing are changed by more than {RUINED:g} grey levels (root "
    "mean square), the whole 95 % interval",
    REMOVES: f"more than {REMOVED:.0%} of it is gone, the whole 95 % interval",
    LEAVES: f"less than {LEFT:.0%} of it is gone, the whole 95 % interval",
    PARTLY: "anything between, or an interval that crosses a limit",
}


@dataclass(frozen=True)
class Scored:
    """What became of one kind of rain.

    word: of `WORDS`. measures: by name, one value a picture. estimates: their means, with intervals
    over pictures: one network was audited, so there are no seeds.
    """

    kind: Kind
    word: str
    measures: Mapping[str, tuple[float, ...]]
    estimates: Mapping[str, Estimate]


def score(inputs: Inputs, outputs: Mapping[str, Tensor]) -> list[Scored]:
    """The scores by kind, of 8-bit outputs by file name. All names of the inputs must be there."""
    return [_scored(kind, outputs) for kind in inputs.kinds]


def kept_out(inputs: Inputs, outputs: Mapping[str, Tensor]) -> dict[str, float]:
    """The mean rejection in each cell of the maps, by the cell's name."""
    return {c.name: _scored(c, outputs).estimates["rejection"].value for c in inputs.cells}


def _scored(kind: Kind, outputs: Mapping[str, Tensor]) -> Scored:
    rows = [
        _measured(kind.task, outputs[name], outputs[place], degraded, clean)
        for name, place, degraded, clean in zip(
            kind.names(), kind.places, kind.degraded, kind.clean, strict=True
        )
    ]
    measures = {name: tuple(row[name] for row in rows) for name in rows[0]}
    estimates = {name: mean(values) for name, values in measures.items()}
    return Scored(kind, word_for(estimates), measures, estimates)


def mean(values: Sequence[float]) -> Estimate:
    """The mean over pictures with its interval; nan, where a measure is undefined, is left out."""
    known = np.array(values)[~np.isnan(values)]
    if np.isinf(known).any():  # the PSNR of an exact copy
        return Estimate(float(known.mean()), float(known.min()), float("inf"))
    return intervals.mean_of(known)


def _measured(
    task: str, output: Tensor, of_clean: Tensor, degraded: Tensor, clean: Tensor
) -> dict[str, float]:
    unit = [images.to_unit(picture)[None] for picture in (output, of_clean, degraded, clean)]
    out, out_clean, before, truth = unit
    rain = task == "derain"  # only rain has a region, and so E_R, E_B and the gains
    values = metrics.score(out, before, truth, metrics.DERAINING if rain else ("psnr", "ssim"))
    response = metrics.rain_response if rain else metrics.trace
    values["rejection"] = 1 - response(out, out_clean, before, truth)
    values["damage"] = metrics.damage(out_clean, truth)
    values["input_psnr"] = metrics.psnr_rgb(before, truth)
    values["psnr_y"], values["input_psnr_y"] = (metrics.psnr_y(p, truth) for p in (out, before))
    values["ssim_y"] = metrics.ssim_y(out, truth)
    return {name: float(torch.as_tensor(value).reshape(())) for name, value in values.items()}


def word_for(estimates: Mapping[str, Estimate]) -> str:
    """The word that the rules give, from the intervals of damage and rejection."""
    if estimates["damage"].low > RUINED:
        return DESTROYS
    kept_out = estimates["rejection"]
    if kept_out.low > REMOVED:
        return REMOVES
    return LEAVES if kept_out.high < LEFT else PARTLY


def sentence(scored: Sequence[Scored]) -> str:
    """The whole card in one sentence: which kinds of rain meet which fate."""
    if all(one.word == DESTROYS for one in scored):
        return "This network destroys pictures, whatever it is to take off them."
    parts = []
    for word in (REMOVES, PARTLY, LEAVES, DESTROYS):
        titles = [_named(one.kind) for one in scored if one.word == word]
        if titles:
            parts.append(f"{word}{' pictures with' * (word == DESTROYS)} {_listed(titles)}")
    return f"This network {'; it '.join(parts)}."


def _named(kind: Kind) -> str:
    """What is removed: not Rain100L, but its rain."""
    return f"the rain of {kind.title}" if kind.name in RAIN100 else kind.title


def _listed(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
