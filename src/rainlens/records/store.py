"""The record store: what was measured, one JSON file an experiment, its pictures beside it.

A record is evidence. It is written once, whole or not at all, carries a checksum, and is refused
by name if it was damaged; it is never silently computed anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import safetensors.torch
from torch import Tensor

from rainlens import images
from rainlens.records.files import write_whole
from rainlens.records.record import FORMAT, Record, checksum, parse, rounded
from rainlens.records.weights import Trained, load_trained, save_trained


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

    def keep_trained(self, key: str, trained: Trained) -> None:
        """Keeps a trained network under its training key, for whoever looks at it later."""
        save_trained(self.trained_path(key), trained)

    def trained(self, key: str) -> Trained | None:
        """The network that was kept under a training key, or None where there is none.

        Raises RecordError where the file is damaged.
        """
        path = self.trained_path(key)
        return load_trained(path) if path.exists() else None

    def trained_path(self, key: str) -> Path:
        """Where the network of a training key lies, whether it exists or not."""
        return self.folder / ".weights" / f"{key}.safetensors"

    def load(self, name: str) -> Record | None:
        """The record of that name, or None where there is none.

        Raises RecordError where the file is damaged or of another format.
        """
        path = self.path(name)
        if not path.exists():
            return None
        return parse(path, path.read_bytes())

    def save(
        self,
        record: Record,
        outputs: dict[str, list[Tensor]] | None = None,
        lossless: bool = False,
    ) -> Record:
        """Writes the pictures, then the record; returns it as `load` will.

        outputs: test set -> pictures, uint8 (3, H, W), kept as WebP (`images.encode_webp`).
        Numbers are rounded to seven significant digits, so that files stay small and a re-read
        record equals the returned one.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        pictures = {}
        for test, tensors in (outputs or {}).items():
            files = [f"{record.name}.{test}.{i}.webp" for i in range(len(tensors))]
            for file, tensor in zip(files, tensors, strict=True):
                write_whole(self.folder / file, images.encode_webp(tensor, lossless))
            pictures[test] = files
        content = rounded({**record.results, "pictures": pictures, "provenance": record.provenance})
        body = {"format": FORMAT, **content}
        text = json.dumps(
            {**body, "sha256": checksum(body)}, separators=(",", ":"), allow_nan=False
        )
        write_whole(self.path(record.name), text.encode() + b"\n")
        return Record(**content)

    def picture(self, record: Record, test: str, index: int) -> Tensor:
        """One kept output, uint8 (3, H, W)."""
        return images.load(self.folder / record.pictures[test][index])

    def put(self, contents: dict[str, bytes]) -> None:
        """Writes files of records, by name, as they are; the JSON last.

        So a record that is there has all its files.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in sorted(contents, key=lambda name: name.endswith(".json")):
            write_whole(self.folder / name, contents[name])

    def files(self, record: Record) -> list[Path]:
        """All that a record consists of: its pictures, its weights if it has any, its JSON."""
        pictures = [self.folder / name for names in record.pictures.values() for name in names]
        weights = self.weights_path(record.name)
        return [*pictures, *([weights] if weights.exists() else []), self.path(record.name)]

    def __iter__(self) -> Iterator[Record]:
        """All records, by name."""
        for path in sorted(self.folder.glob("*.json")):
            record = self.load(path.stem)
            if record is not None:
                yield record
