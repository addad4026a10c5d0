"""The record store: what was measured, one JSON file an experiment, its pictures beside it.

A record is evidence. It is written once, whole or not at all, carries a checksum, and is refused
by name if it was damaged; it is never silently computed anew. Records travel between machines in
an archive (`pack`, `merge`).
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from rainlens import images

FORMAT = 1
MANIFEST = "manifest.json"  # of an archive: its scale, and the SHA-256 of every other file


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


@dataclass(frozen=True)
class Trained:
    """A trained network as it is kept for later looks: its weights, and how it came about.

    curves: of its training, as a record has them. about: the experiment that trained it, and the
    provenance of that, as JSON.
    """

    weights: dict[str, Tensor]
    curves: dict[str, list[float | None]]
    about: dict[str, Any]


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
        weights = {
            name: value.detach().cpu().contiguous() for name, value in trained.weights.items()
        }
        about = json.dumps({"curves": _round(trained.curves), "about": trained.about})
        told = {"trained": about, "sha256": _weights_checksum(weights, about)}
        path = self.trained_path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, safetensors.torch.save(weights, told))

    def trained(self, key: str) -> Trained | None:
        """The network that was kept under a training key, or None where there is none.

        Raises RecordError where the file is damaged.
        """
        path = self.trained_path(key)
        if not path.exists():
            return None
        advice = "delete it, and the network is trained again"
        try:
            with safe_open(path, "pt") as file:
                told = file.metadata() or {}
                weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            held = json.loads(told["trained"])
        except (SafetensorError, ValueError, KeyError) as error:
            raise RecordError(f"{path} is damaged ({type(error).__name__}); {advice}.") from error
        if told.get("sha256") != _weights_checksum(weights, told["trained"]):
            raise RecordError(f"{path} is damaged (its checksum does not fit); {advice}.")
        return Trained(weights, held["curves"], held["about"])

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
        return _parse(path, path.read_bytes())

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


def pack(store: RecordStore, scale: str, archive: Path) -> int:
    """Writes all records of a store, pictures and weights too, to one file; returns how many.

    Raises RecordError where a record is damaged or one of its files is missing.
    """
    contents: dict[str, bytes] = {}
    records = list(store)
    for record in records:
        for path in store.files(record):
            if not path.exists():
                raise RecordError(
                    f"{path} is missing, which belongs to the record {record.name}; restore it, "
                    "or delete the record to compute it again."
                )
            contents[path.name] = path.read_bytes()
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    manifest = json.dumps({"format": FORMAT, "scale": scale, "files": sums}).encode()
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        for name, content in {MANIFEST: manifest, **contents}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    write_whole(archive, target.getvalue())
    return len(records)


@dataclass(frozen=True)
class Merged:
    """What `merge` did: names of the records that are new here, and of those that were known."""

    scale: str
    added: tuple[str, ...]
    known: tuple[str, ...]


def merge(archive: Path, store_of: Callable[[str], RecordStore]) -> Merged:
    """Adds the records of an archive to the store of its scale, which `store_of` gives.

    Everything is checked before anything is written. Raises RecordError for a file that is no
    archive of records, one that was changed on the way, one with a path that leads out of the
    store, and where a record is here already with other results.
    """
    manifest, contents = _unpack(archive)
    store = store_of(manifest["scale"])
    records = [
        _parse(store.folder / name, content)
        for name, content in contents.items()
        if name.endswith(".json")
    ]
    added, known = [], []
    for record in records:
        ours = store.load(record.name)
        if ours is not None and ours.results != record.results:
            raise RecordError(
                f"{archive} has other results for {record.name} than {store.path(record.name)}; "
                "delete the one that you do not trust. Nothing was merged."
            )
        (added if ours is None else known).append(record.name)
    owners = {name: _owner(name, [record.name for record in records]) for name in contents}
    if None in owners.values():
        stray = next(name for name, owner in owners.items() if owner is None)
        raise RecordError(f"{archive} has {stray}, which belongs to no record; pack it again.")
    store.put({name: content for name, content in contents.items() if owners[name] in added})
    return Merged(manifest["scale"], tuple(added), tuple(known))


def _unpack(archive: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest and the contents of an archive, by file name, all sums verified."""
    if not archive.is_file():
        raise RecordError(f"{archive} does not exist; check the path.")
    try:
        with tarfile.open(archive) as tar:
            members = tar.getmembers()
            for member in members:
                plain = member.isfile() and Path(member.name).name == member.name
                if not plain or "\\" in member.name or member.name.startswith("."):
                    raise RecordError(
                        f"{archive} has {member.name!r}, which is not a plain file in one folder; "
                        "do not trust it."
                    )
            contents = {member.name: tar.extractfile(member).read() for member in members}
        manifest = json.loads(contents.pop(MANIFEST))
        sums, _ = manifest["files"], manifest["scale"]
        version = manifest["format"]
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, KeyError) as error:
        raise RecordError(
            f"{archive} is not an archive of records ({type(error).__name__}); "
            "make one with `rainlens records pack`."
        ) from error
    if version != FORMAT:
        raise RecordError(f"{archive} has format {version}, this version reads {FORMAT}.")
    found = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    if found != sums:
        wrong = sorted(n for n in found.keys() | sums.keys() if found.get(n) != sums.get(n))
        raise RecordError(
            f"{archive} was damaged or changed on the way ({wrong[0]}); copy or pack it again."
        )
    return manifest, contents


def _owner(file: str, names: list[str]) -> str | None:
    """The record that a file belongs to: files are called after their record."""
    return next((name for name in names if file.startswith(f"{name}.")), None)


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


def _weights_checksum(weights: dict[str, Tensor], about: str) -> str:
    """SHA-256 over what is told of the weights, their names, types, shapes and bytes."""
    total = hashlib.sha256(about.encode())
    for name in sorted(weights):
        value = weights[name].contiguous()
        total.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        total.update(value.flatten().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def _round(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _round(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_round(item) for item in value]
    return value
