"""The outputs of a network as files, read back by name: from any program in any framework."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from torch import Tensor

from rainlens import data, images
from rainlens.audit.inputs import AuditError

LOSSY = {".jpg", ".jpeg"}


def read(folder: Path, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The output for each input, uint8 (3, H, W), by the input's name; suffixes may differ.

    Raises AuditError where outputs are missing, stand twice, or differ in size from their inputs,
    and `images.PictureError` where one cannot be read.
    """
    if not folder.is_dir():
        raise AuditError(f"{data.printable(folder)} is no folder; give that of the outputs.")
    files = _by_name(folder, inputs.keys())
    outputs = {}
    for name, picture in inputs.items():
        output = images.load(files[name])
        if output.shape != picture.shape:
            raise AuditError(
                f"{data.printable(files[name])} has {_size(output)} pixels, its input "
                f"{_size(picture)}; a network that needs a multiple of K must pad, then crop."
            )
        outputs[name] = output
    return outputs


def warnings(folder: Path, names: Collection[str]) -> list[str]:
    """What may spoil the measures, though they can be taken."""
    lossy = [f for f in _by_name(folder, names).values() if f.suffix.lower() in LOSSY]
    if not lossy:
        return []
    return [f"{len(lossy)} outputs are JPEG files, whose own errors count as damage; save as PNG."]


def _by_name(folder: Path, names: Collection[str]) -> dict[str, Path]:
    found: dict[str, list[Path]] = {}
    for file in images.list_folder(folder):
        found.setdefault(file.stem, []).append(file)
    missing = [name for name in names if name not in found]
    if missing:
        raise AuditError(
            f"{len(missing)} of {len(names)} outputs are missing in {data.printable(folder)}, such "
            f"as {missing[0]}.png.{_hint(found.keys(), missing[0])}"
        )
    twice = [name for name in names if len(found[name]) > 1]
    if twice:
        files = " and ".join(data.printable(file.name) for file in found[twice[0]])
        raise AuditError(f"{data.printable(folder)} holds both {files}; keep one of them.")
    return {name: found[name][0] for name in names}


def _hint(stems: Collection[str], name: str) -> str:
    """How the outputs are called instead, where it is plain."""
    longer = [stem for stem in stems if name in stem]
    if not longer:
        return " Outputs must be named like their inputs."
    affix = data.printable(longer[0])
    return f" There is {affix} instead: rename the outputs to the names of their inputs."


def _size(picture: Tensor) -> str:
    return f"{picture.shape[-1]}x{picture.shape[-2]}"
