"""What a filter does that has learned nothing, on the same pictures: a network should do better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rainlens import models
from rainlens.audit import networks
from rainlens.audit.inputs import Inputs
from rainlens.audit.networks import Wiring
from rainlens.audit.scores import Scored, score
from rainlens.tasks.untrained import FILTERS

# A median of 7x7 is too slow for an audit, and dimming is no rival.
SLOW = ("untouched", "dimmed by half", "median 7")


@dataclass(frozen=True)
class Rival:
    """A filter that does not damage more than the network, and how much rain it takes.

    damage: its E_B of rain; of noise and blur, that to pictures that need nothing.
    """

    name: str
    rejection: float
    damage: float


def scores_of_filters(inputs: Inputs) -> dict[str, list[Scored]]:
    """Filter -> its scores by kind."""
    pictures = Inputs(inputs.kinds).pictures()
    return {
        name: score(inputs, networks.outputs(models.build(m, **dict(o)), pictures, Wiring()))
        for name, (m, o) in FILTERS.items()
        if name not in SLOW
    }


def best(
    scored: Sequence[Scored], filters: Mapping[str, Sequence[Scored]]
) -> dict[str, Rival | None]:
    """By kind: of the filters with no more damage, the one that keeps most of it out."""
    found: dict[str, Rival | None] = {}
    for place, one in enumerate(scored):
        damage = "e_b" if "e_b" in one.estimates else "damage"
        rivals = [
            Rival(name, *(of[place].estimates[m].value for m in ("rejection", damage)))
            for name, of in filters.items()
        ]
        fair = [rival for rival in rivals if rival.damage <= one.estimates[damage].value]
        found[one.kind.name] = max(fair, key=lambda rival: rival.rejection, default=None)
    return found


def beaten(scored: Sequence[Scored], rivals: Mapping[str, Rival | None]) -> list[str]:
    """A sentence for each kind of rain of which such a filter takes as much as the network."""
    told = []
    for one in scored:
        rival = rivals[one.kind.name]
        where = "beside the rain (E_B)" if "e_b" in one.estimates else "to pictures without it"
        if rival is not None and rival.rejection >= one.estimates["rejection"].value:
            told.append(
                f"Of {one.kind.title}, a filter that has learned nothing ({rival.name}) takes "
                f"{rival.rejection:.0%} with no more damage {where}; the network takes "
                f"{one.estimates['rejection'].value:.0%}."
            )
    return told
