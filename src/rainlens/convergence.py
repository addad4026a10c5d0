"""Whether a training went on for long enough: by how much its curves still change at the end.

What a network does after a few hundred steps is not what it does after thousands. So a verdict says
how many of the networks behind it had come to rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from rainlens import estimates
from rainlens.records import Record

MEASURES = ("e_r", "e_b", "contrast")
LAST = 0.25  # the part of the training that must be quiet
# By how much of its end a curve may still change there. Fixed before there were runs; that its
# whole span counts, not its two ends alone, is the stricter reading, taken when there were some.
LIMIT = 0.03


def drift(records: Sequence[Record], measure: str, test: str = "unseen") -> float:
    """How far a measure moves in the last quarter of training, as a share of where it ends.

    Of the mean curve of records that differ by seed alone: its highest value in the last quarter
    minus its lowest, by the size of the last. A curve that leaves and comes back has moved, too.
    nan where one of the records has no such value.
    """
    steps = estimates.curve_of(records[0], "iteration")
    curves = [estimates.curve_of(record, f"{test}/{measure}") for record in records]
    quiet = np.mean(curves, axis=0)[steps >= (1 - LAST) * steps[-1]]
    return float(np.ptp(quiet) / abs(quiet[-1])) if quiet[-1] else float("nan")


def has_converged(records: Sequence[Record]) -> bool:
    """Whether E_R, E_B and contrast gain on unseen rain move by less than 3 % at the end."""
    return all(drift(records, measure) < LIMIT for measure in MEASURES)


def told(records: Iterable[Record]) -> str:
    """How many settings had converged, in words; empty where all had, or there is none.

    A setting is what networks share that differ by seed alone: these are judged by their mean.
    """
    curves = {f"unseen/{measure}" for measure in MEASURES}
    groups = estimates.alike(record for record in records if curves <= record.curves.keys())
    at_rest = sum(map(has_converged, groups))
    if at_rest == len(groups):
        return ""
    if len(groups) == 1:
        return "The setting behind it, averaged over seeds, had not converged."
    which = at_rest or "none"
    return f"Of the {len(groups)} settings behind it, averaged over seeds, {which} had converged."
