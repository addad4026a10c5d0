"""The record store: what was measured, one JSON file an experiment, its pictures beside it.

A record is evidence. It is written once, whole or not at all, carries a checksum, and is refused
by name if it was damaged; it is never silently computed anew.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from rainlens import images

FORMAT = 1


class RecordError(RuntimeError):
    """A record cannot be used; the message says which and what to do."""


@dataclass(frozen=True)
class Record:
    """What an experiment showed.

    experiment: all that decides the outcome, as JSON. curves: training curves by name.
    tests: test set -> measure -> one value a picture, None where it is undefined or infinite (JSON
    knows no other word for it; NumPy reads it as nan). pictures: test set -> file names of the
    outputs, in the order of the set. provenance: versions, device, seconds, commit.
    """

    name: str
    experiment: dict[str, Any]
    curves: dict[str, list[float | None]]
    tests: dict[str, dict[str, list[float | None]]]
    pictures: dict[str, list[str]] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def results(self) -> dict[str, Any]:
        """All but the provenance: equal for equal runs."""
        return {
            "name": self.name,
            "experiment": self.experiment,
            "curves": self.curves,
            "tests": self.tests,
            "pictures": self.pictures,
        }


class RecordStore:
    """The records of one scale: a folder of JSON files and pictures."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

    def path(self, name: str) -> Path:
        """Where the record of that name lies, whether it exists or not."""
        return self.folder / f"{name}.json"

    def checkpoint_path(self, name: str) -> Path:
        """Where an unfinished experiment keeps its state."""
        return self.folder / ".unfinished" / f"{name}.pt"

    def weights_path(self, name: str) -> Path:
        """Where the trained weights of an experiment that keeps them lie (safetensors)."""
        return self.folder / f"{name}.safetensors"

    def save_weights(self, name: str, weights: dict[str, Tensor]) -> None:
        """Writes trained weights beside the record, as they are."""
        self.folder.mkdir(parents=True, exist_ok=True)
        whole = {key: value.detach().cpu().contiguous() for key, value in weights.items()}
        write_whole(self.weights_path(name), safetensors.torch.save(whole))

    def load(self, name: str) -> Record | None:
        """The record of that name, or None where there is none.

        Raises RecordError where the file is damaged or of another format.
        """
        path = self.path(name)
        if not path.exists():
            return None
        return _parse(path, path.read_bytes())

    def save(self, record: Record, outputs: dict[str, list[Tensor]] | None = None) -> Record:
        """Writes the pictures, then the record; returns it as `load` will.

        outputs: test set -> pictures, uint8 (3, H, W), kept as WebP. Numbers are rounded to seven
        significant digits, so that files stay small and a re-read record equals the returned one.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        pictures = {}
        for test, tensors in (outputs or {}).items():
            files = [f"{record.name}.{test}.{i}.webp" for i in range(len(tensors))]
            for file, tensor in zip(files, tensors, strict=True):
                write_whole(self.folder / file, images.encode_webp(tensor))
            pictures[test] = files
        content = _round({**record.results, "pictures": pictures, "provenance": record.provenance})
        body = {"format": FORMAT, **content}
        text = json.dumps(
            {**body, "sha256": _checksum(body)}, separators=(",", ":"), allow_nan=False
        )
        write_whole(self.path(record.name), text.encode() + b"\n")
        return Record(**content)

    def picture(self, record: Record, test: str, index: int) -> Tensor:
        """One kept output, uint8 (3, H, W)."""
        return images.load(self.folder / record.pictures[test][index])

    def __iter__(self) -> Iterator[Record]:
        """All records, by name."""
        for path in sorted(self.folder.glob("*.json")):
            record = self.load(path.stem)
            if record is not None:
                yield record


def write_whole(path: Path, content: bytes) -> None:
    """Replaces a file in one step: whoever reads, or kills us, sees the old or the new one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(beside, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)  # there only if something failed


def _parse(path: Path, content: bytes) -> Record:
    advice = "restore it from version control, or delete it to compute it again"
    try:
        body = json.loads(content)
        checksum = body.pop("sha256")
        version = body.pop("format")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise RecordError(f"{path} is damaged ({type(error).__name__}); {advice}.") from error
    if version != FORMAT:
        raise RecordError(f"{path} has format {version}, this version reads {FORMAT}; {advice}.")
    if checksum != _checksum({"format": version, **body}):
        raise RecordError(f"{path} is damaged (its checksum does not fit); {advice}.")
    record = Record(**body)
    if record.name != path.stem:
        raise RecordError(f"{path} holds the record {record.name}; give it that name again.")
    return record


def _checksum(body: dict[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _round(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _round(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_round(item) for item in value]
    return value
