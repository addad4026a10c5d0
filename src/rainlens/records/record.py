"""A record: what an experiment showed, and how it stands in a file."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FORMAT = 1
# Name -> values; None where one is undefined or infinite.
Series = Mapping[str, Sequence[float | None]]


class RecordError(RuntimeError):
    """A record cannot be used; the message says which and what to do."""


@dataclass(frozen=True)
class Record:
    """What an experiment showed.

    task: the kind of experiment; the first records did not name it, their names begin with it.
    experiment: all that decides the outcome, as JSON. curves: training curves by name.
    tests: test set -> measure -> one value a picture, None where it is undefined or infinite (JSON
    knows no other word for it; NumPy reads it as nan). pictures: test set -> file names of the
    outputs, in the order of the set. provenance: versions, device, seconds, commit.
    """

    name: str
    experiment: dict[str, Any]
    curves: Series
    tests: Mapping[str, Series]
    pictures: dict[str, list[str]] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    task: str = ""

    def __post_init__(self) -> None:
        if not self.task:
            object.__setattr__(self, "task", self.name.split("-")[0])

    @property
    def results(self) -> dict[str, Any]:
        """All but the provenance: equal for equal runs."""
        return {
            "task": self.task,
            "name": self.name,
            "experiment": self.experiment,
            "curves": self.curves,
            "tests": self.tests,
            "pictures": self.pictures,
        }


def parse(path: Path, content: bytes) -> Record:
    """The record in the content of a file.

    Raises RecordError where it is damaged, of another format, or goes by another name.
    """
    advice = "restore it from version control, or delete it to compute it again"
    try:
        body = json.loads(content)
        told = body.pop("sha256")
        version = body.pop("format")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise RecordError(f"{path} is damaged ({type(error).__name__}); {advice}.") from error
    if version != FORMAT:
        raise RecordError(f"{path} has format {version}, this version reads {FORMAT}; {advice}.")
    if told != checksum({"format": version, **body}):
        raise RecordError(f"{path} is damaged (its checksum does not fit); {advice}.")
    record = Record(**body)
    if record.name != path.stem:
        raise RecordError(f"{path} holds the record {record.name}; give it that name again.")
    return record


def checksum(body: dict[str, Any]) -> str:
    """SHA-256 of some JSON, whatever the order of its keys."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def rounded(value: Any) -> Any:
    """JSON with floats of seven significant digits; those that are not finite become None."""
    if isinstance(value, float):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item) for item in value]
    return value
