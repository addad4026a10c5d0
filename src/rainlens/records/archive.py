"""Records travel between machines in an archive (`pack`, `merge`)."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rainlens.records.files import write_whole
from rainlens.records.record import FORMAT, RecordError, parse
from rainlens.records.store import RecordStore

MANIFEST = "manifest.json"  # of an archive: its scale, and the SHA-256 of every other file


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
        parse(store.folder / name, content)
        for name, content in contents.items()
        if name.endswith(".json")
    ]
    added: list[str] = []
    known: list[str] = []
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
            contents = {
                member.name: file.read() for member in members if (file := tar.extractfile(member))
            }
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
