"""From a network, or from outputs that are there, to its card: in a notebook or a script."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from rainlens.audit import inputs as made
from rainlens.audit import networks, probes, rivals
from rainlens.audit.card import Card
from rainlens.audit.inputs import Inputs
from rainlens.audit.kept import Kept
from rainlens.audit.networks import Network, Wiring
from rainlens.audit.page import page
from rainlens.audit.recorded import nearest
from rainlens.audit.scores import kept_out, score
from rainlens.records import RecordError
from rainlens.scales import scale_named

RECORDED = "cpu"  # the scale whose cards one's own is compared with


@dataclass(frozen=True)
class Report:
    """A card and its page, which notebooks show as Markdown."""

    card: Card
    html: str

    def save(self, path: str | Path) -> Path:
        """Writes the JSON file and the page beside it; returns the page's path."""
        path = Path(path)
        beside = path.with_suffix(".html")
        self.card.save(path)
        beside.write_text(self.html, encoding="utf-8")
        return beside

    def _repr_markdown_(self) -> str:
        return self.card.markdown()


def of_network(
    network: Network,
    name: str,
    inputs: Inputs | None = None,
    wiring: Wiring | None = None,
    kept: Kept | None = None,
    progress: Callable[[int], object] = lambda done: None,
) -> Report:
    """The card of a function on float32 (N, 3, H, W), by default on the pictures of the package.

    name: what the card calls it. wiring: how it wants its pictures; it is tried out first. kept:
    where outputs are kept. Raises AuditError where it gives back no pictures.
    """
    inputs, wiring = inputs or made.make(), wiring or Wiring()
    first = inputs.kinds[0]
    remarks = probes.probe(network, first.clean[0], first.degraded[0], wiring)
    found = networks.outputs(network, inputs.pictures(), wiring, progress, kept)
    return of_outputs(found, name, inputs, remarks)


def of_outputs(
    outputs: Mapping[str, Tensor], name: str, inputs: Inputs, remarks: Sequence[str] = ()
) -> Report:
    """The card of outputs, uint8 (3, H, W), by the file names of their inputs."""
    scored = score(inputs, outputs)
    rival = rivals.best(scored, rivals.scores_of_filters(inputs))
    remarks = [*remarks, *rivals.beaten(scored, rival)]
    near = None
    try:
        near = nearest(scored, inputs, scale_named(RECORDED).store)
    except RecordError as error:  # it must not cost the card
        remarks.append(f"It was not compared with the book's own cards: {error}")
    card = Card(name, scored, remarks, kept_out(inputs, outputs), rival, near)
    return Report(card, page(card, inputs, outputs))
