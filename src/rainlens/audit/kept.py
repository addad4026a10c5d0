"""Outputs that are kept as they come, so that an audit that was stopped goes on from there.

The folder is one that `--outputs` takes, too: a PNG file an input, under its name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from rainlens import data, images
from rainlens.audit.inputs import AuditError, digest_of
from rainlens.records import write_whole

MADE_BY = "made_by.json"


class Kept:
    """A folder of outputs of one network; `network` says which, in JSON.

    Raises AuditError where the folder holds those of another, or anything else.
    """

    def __init__(self, folder: Path, network: Mapping[str, Any]) -> None:
        self.folder, self.told = folder, {"network": dict(network), "inputs": dict[str, str]()}
        folder.mkdir(parents=True, exist_ok=True)
        note = folder / MADE_BY
        if not any(folder.iterdir()):
            return
        try:
            held = json.loads(note.read_text(encoding="utf-8"))
            same, inputs = held["network"] == self.told["network"], dict(held["inputs"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AuditError(
                f"{data.printable(folder)} holds other things than kept outputs; give --keep a new "
                "folder."
            ) from error
        if not same:
            raise AuditError(
                f"{data.printable(folder)} holds the outputs of another network, or of this one "
                "run otherwise; give --keep a new folder."
            )
        self.told["inputs"] = inputs

    def output(self, name: str, picture: Tensor) -> Tensor | None:
        """What was kept for this input; None where either is another picture now, or not there."""
        path = self._path(name)
        if not path.exists():
            return None
        try:
            found = images.load(path)
        except images.PictureError:
            return None
        return found if self.told["inputs"].get(name) == _pair(picture, found) else None

    def add(self, name: str, picture: Tensor, output: Tensor) -> None:
        """Writes an output, and only then that it is there."""
        write_whole(self._path(name), images.encode_png(output))
        self.told["inputs"][name] = _pair(picture, output)
        write_whole(self.folder / MADE_BY, json.dumps(self.told, indent=1).encode())

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.png"


def _pair(picture: Tensor, output: Tensor) -> str:
    """Of an input and what was made of it: neither may have changed since."""
    return f"{digest_of(picture)} {digest_of(output)}"


def outputs(
    kept: Kept | None,
    pictures: Mapping[str, Tensor],
    run: Callable[[Tensor], Tensor],
    progress: Callable[[int], object] = lambda done: None,
) -> dict[str, Tensor]:
    """run(picture) for each of the pictures, by name; what was kept is not run again."""
    answers = {}
    for name, picture in pictures.items():
        answer = kept.output(name, picture) if kept else None
        if answer is None:
            answer = run(picture)
            if kept:
                kept.add(name, picture, answer)
        answers[name] = answer
        progress(1)
    return answers
