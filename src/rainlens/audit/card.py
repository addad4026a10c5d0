"""The report card as data: what JSON holds, what a terminal shows, and what `--require` asks."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import rainlens
from rainlens.audit import maps, scores
from rainlens.audit.inputs import AuditError
from rainlens.audit.maps import RainMap
from rainlens.audit.recorded import Nearest
from rainlens.audit.rivals import Rival
from rainlens.audit.scores import Scored
from rainlens.intervals import Estimate

FORMAT = 2  # the second knows tasks and the nearest recorded network; see card.schema.json
SAME = 0.005  # a distance below which two cards are of one network
# Measures on the card, with what they are called and their digits.
COLUMNS = {
    "rejection": ("gone", 2),
    "gain": ("removal gain", 2),
    "contrast": ("contrast gain", 2),
    "e_r": ("E_R", 1),
    "e_b": ("E_B", 1),
    "psnr": ("PSNR (dB)", 1),
    "input_psnr": ("PSNR of the input", 1),
    "damage": ("damage without rain", 1),
}


@dataclass(frozen=True)
class Card:
    """What an audit found.

    network: how it was named. remarks: of probes and of files. cells: the rejection in each cell of
    the maps of rain. rivals: by kind, the best filter that does no more damage. nearest: of the
    book's recorded networks, where the same pictures were used.
    """

    network: str
    scored: Sequence[Scored]
    remarks: Sequence[str] = ()
    cells: Mapping[str, float] = field(default_factory=dict)
    rivals: Mapping[str, Rival | None] = field(default_factory=dict)
    nearest: Nearest | None = None

    @property
    def sentence(self) -> str:
        """The whole card in one sentence."""
        return scores.sentence(self.scored)

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON knows it; what is no finite number is null."""
        return {
            "format": FORMAT,
            "rainlens": rainlens.__version__,
            "network": self.network,
            "sentence": self.sentence,
            "remarks": list(self.remarks),
            "rules": scores.WORDS,
            "kinds": [_kind(one, self.rivals.get(one.kind.name)) for one in self.scored],
            "maps": [_map(one, self.cells) for one in maps.MAPS] if self.cells else [],
            "nearest": asdict(self.nearest) if self.nearest else None,
        }

    def save(self, path: Path) -> None:
        """Writes the JSON file."""
        text = json.dumps(self.as_json(), indent=1, allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8")

    def table(self) -> str:
        """The words and the first measures, a line a kind, for a terminal."""
        shown = self._shown
        width = max(len(one.kind.title) for one in self.scored)
        lines = []
        for one in self.scored:
            told = [f"{COLUMNS[m][0]} {one.estimates[m].text(COLUMNS[m][1])}" for m in shown]
            lines.append(f"{one.kind.title:{width}}  {one.word:15}  {'  '.join(told)}")
        return "\n".join(lines)

    @property
    def likeness(self) -> str:
        """The recorded network that it is nearest to, in a sentence; empty where there is none."""
        if self.nearest is None:
            return ""
        told = self.nearest.sentence.removeprefix("This network ")
        title = self.nearest.title
        if self.nearest.distance < SAME:
            return f"It has the scores of {title}, which is among the cards of the rainlens book."
        return f"Of the cards in the rainlens book it is nearest to that of {title}, which {told}"

    def markdown(self) -> str:
        """The sentence and the table as Markdown, for a notebook."""
        shown = self._shown
        heads = " | ".join(COLUMNS[name][0] for name in shown)
        rows = [f"**{self.sentence}**", "", f"| kind | what it does | {heads} |"]
        rows.append("|---" * (len(shown) + 2) + "|")
        for one in self.scored:
            cells = " | ".join(one.estimates[name].text(COLUMNS[name][1]) for name in shown)
            rows.append(f"| {one.kind.title} | {one.word} | {cells} |")
        told = [f"- {remark}" for remark in self.remarks]
        return "\n".join([*rows, "", *told, *([""] if told else []), self.likeness])

    @property
    def _shown(self) -> list[str]:
        """The measures that a short table has; of noise and blur there is no E_B."""
        wanted = ("rejection", "e_b", "psnr", "input_psnr")
        return [name for name in wanted if name in self.scored[0].estimates]

    def unmet(self, requirements: Sequence[str]) -> list[str]:
        """Which of the requirements, "kind: word", do not hold, as sentences.

        Raises AuditError for a requirement that cannot be read, or of a kind that was not audited.
        """
        words = {one.kind.name: one.word for one in self.scored}
        told = []
        for requirement in requirements:
            kind, word = read_requirement(requirement, words)
            if words[kind] != word:
                told.append(
                    f"{kind} was required to be {word!r}, and the network {words[kind]} it."
                )
        return told


def read_requirement(requirement: str, kinds: Collection[str]) -> tuple[str, str]:
    """(kind, word) of "kind: word". Raises AuditError where it cannot be read."""
    kind, separator, word = (part.strip() for part in requirement.partition(":"))
    if not separator or kind not in kinds:
        raise AuditError(
            f"--require {requirement!r} names no kind of rain that was audited; write one as "
            f"'KIND: WORD', with KIND of: {', '.join(kinds)}."
        )
    if word not in scores.WORDS:
        raise AuditError(
            f"--require {requirement!r} has no word for it; there are: {', '.join(scores.WORDS)}."
        )
    return kind, word


def _kind(one: Scored, rival: Rival | None) -> dict[str, Any]:
    return {
        "name": one.kind.name,
        "title": one.kind.title,
        "task": one.kind.task,
        "pictures": len(one.kind.places),
        "word": one.word,
        "best filter": asdict(rival) if rival else None,
        "measures": {
            name: {
                **_estimate(one.estimates[name]),
                "values": [_number(value) for value in values],
            }
            for name, values in one.measures.items()
        },
    }


def _map(one: RainMap, cells: Mapping[str, float]) -> dict[str, Any]:
    values = [_number(cells[name]) for name, _ in one.cells()]
    width = len(one.across)
    return {
        "title": one.title,
        "rows": one.rows,
        "down": list(one.down),
        "columns": one.columns,
        "across": list(one.across),
        "rejection": [values[at : at + width] for at in range(0, len(values), width)],
    }


def _estimate(estimate: Estimate) -> dict[str, float | None]:
    ends = {"mean": estimate.value, "low": estimate.low, "high": estimate.high}
    return {name: _number(value) for name, value in ends.items()}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
