"""The record store: what was measured, one JSON file an experiment, its pictures beside it.

A record is evidence. It is written once, whole or not at all, carries a checksum over all that it
consists of, and is refused by name if it was damaged; it is never silently computed anew.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import safetensors.torch
from torch import Tensor

from rainlens import images
from rainlens.records.files import claim, clear_leftovers, make_folder, write_whole
from rainlens.records.record import (
    Record,
    RecordError,
    parse,
    picture_name,
    to_bytes,
    weights_name,
)
from rainlens.records.weights import Trained, load_trained, save_trained

UNFINISHED, WEIGHTS = ".unfinished", ".weights"


class RecordStore:
    """The records of one scale: a folder of JSON files and pictures."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

    def path(self, name: str) -> Path:
        """Where the record of that name lies, whether it exists or not."""
        return self.folder / f"{name}.json"

    def checkpoint_path(self, name: str) -> Path:
        """Where an unfinished experiment keeps its state."""
        return self.folder / UNFINISHED / f"{name}.pt"

    def weights_path(self, name: str) -> Path:
        """Where the trained weights that belong to a record lie (safetensors)."""
        return self.folder / weights_name(name)

    def trained_path(self, key: str) -> Path:
        """Where the network of a training key lies, whether it exists or not."""
        return self.folder / WEIGHTS / f"{key}.safetensors"

    def load(self, name: str) -> Record | None:
        """The record of that name, or None where there is none.

        Raises RecordError where the file is damaged or of another format.
        """
        path = self.path(name)
        try:
            return parse(path, path.read_bytes())
        except FileNotFoundError:
            return None

    def save(
        self,
        record: Record,
        outputs: Mapping[str, Sequence[Tensor]] | None = None,
        lossless: bool = False,
        weights: Mapping[str, Tensor] | None = None,
    ) -> Record:
        """Writes pictures and weights, then the record; returns it as `load` will.

        outputs: test set -> pictures, uint8 (3, H, W), kept as WebP (`images.encode_webp`).
        weights: of a network that belongs to the record. Raises OSError where it cannot.
        """
        contents, pictures = dict[str, bytes](), dict[str, list[str]]()
        for test, tensors in (outputs or {}).items():
            pictures[test] = [picture_name(record.name, test, i) for i in range(len(tensors))]
            encoded = (images.encode_webp(tensor, lossless) for tensor in tensors)
            contents |= dict(zip(pictures[test], encoded, strict=True))
        if weights is not None:
            whole = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
            contents[weights_name(record.name)] = safetensors.torch.save(whole)
        sums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
        path = self.path(record.name)
        content = to_bytes(replace(record, pictures=pictures, sums=sums))
        record = parse(path, content)  # what could not be read again is not written
        self.put({**contents, path.name: content})
        return record

    def picture(self, record: Record, test: str, index: int) -> Tensor:
        """One kept output, uint8 (3, H, W). Raises RecordError where the file was damaged."""
        path = self.folder / record.pictures[test][index]
        self.verify(record, path.name)
        return images.load(path)

    def verify(self, record: Record, file: str) -> None:
        """Raises RecordError where a file of a record is not the one that it was written with."""
        told, path = record.sums.get(file), self.folder / file
        try:
            if told in (None, hashlib.sha256(path.read_bytes()).hexdigest()):
                return
        except FileNotFoundError as error:
            raise RecordError(f"{path} is missing, {_of(record)}.") from error
        raise RecordError(f"{path} is damaged (its checksum does not fit), {_of(record)}.")

    def put(self, contents: Mapping[str, bytes]) -> None:
        """Writes files of records, by name, as they are; the JSON last.

        So a record that is there has all its files.
        """
        make_folder(self.folder)
        for name in sorted(contents, key=lambda name: name.endswith(".json")):
            write_whole(self.folder / name, contents[name])

    def files(self, record: Record) -> list[Path]:
        """All that a record consists of: its pictures, its weights if it has any, its JSON."""
        names = dict.fromkeys(record.files)
        weights = self.weights_path(record.name)
        if weights.exists():  # the first records did not list them
            names[weights.name] = None
        return [*(self.folder / name for name in names), self.path(record.name)]

    def __iter__(self) -> Iterator[Record]:
        """All records, by name."""
        for path in sorted(self.folder.glob("*.json")):
            record = self.load(path.stem)
            if record is not None:
                yield record

    # --- what is not finished, and what is kept outside version control

    def claim(self, name: str) -> AbstractContextManager[bool]:
        """A block that says whether this process alone computes an experiment while it lasts."""
        return claim(self.folder / UNFINISHED / f"{name}.lock")

    def clear_leftovers(self) -> None:
        """Removes what killed processes have left half-written."""
        for folder in (self.folder, self.folder / UNFINISHED, self.folder / WEIGHTS):
            clear_leftovers(folder)

    def clear_finished(self, name: str) -> None:
        """Removes what a run has left that was killed after it had written its record.

        What is younger than the record is of a run that computes it again.
        """
        path = self.path(name)
        if not path.exists():
            return
        written = path.stat().st_mtime_ns
        for left in (self.folder / UNFINISHED).glob(f"{name}.*"):
            if left.suffix in (".pt", ".safetensors") and left.stat().st_mtime_ns <= written:
                left.unlink(missing_ok=True)

    def can_start_from(self, name: str, key: str) -> bool:
        """Whether the weights of an experiment are there: beside its record, or as it kept them."""
        return self.weights_path(name).exists() or self.trained_path(key).exists()

    def keep_trained(self, key: str, trained: Trained) -> None:
        """Keeps a trained network under its training key, for whoever looks at it later."""
        save_trained(self.trained_path(key), trained)

    def trained(self, key: str) -> Trained | None:
        """The network that was kept under a training key, or None where there is none.

        Raises RecordError where the file is damaged.
        """
        path = self.trained_path(key)
        return load_trained(path) if path.exists() else None


def _of(record: Record) -> str:
    return (
        f"which belongs to the record {record.name}; restore it from version control, or delete "
        "the record to compute it again"
    )
