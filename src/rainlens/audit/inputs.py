"""What a network is audited on: pictures, the kinds of rain on them, and the files that hold them.

All that a network sees are 8-bit pictures with flat names, such as `streaks-03.png`, so that any
program in any framework can be run on the folder; `read` takes them back from there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from torch import Tensor

import rainlens
from rainlens import data, evaluation, images, rain
from rainlens.audit import maps
from rainlens.degradations import STREAKS, AdditiveRain, Degradation, named
from rainlens.evaluation import RAIN100, RAIN_NAMES, TestSet
from rainlens.randomness import generator

MANIFEST = "audit.json"
FORMAT = 1
CLEAN, REAL = "clean", "real"
REAL_CROP = 384  # pixels; there may be little rain in the middle
TINT = (1.0, 0.9, 0.8)
# Kinds that are drawn here, by task, in the order of the card.
DRAWN: dict[str, dict[str, Degradation]] = {
    "derain": {
        **{name: AdditiveRain(name) for name in rain.RANGES},
        STREAKS: AdditiveRain(STREAKS),
        "tinted": AdditiveRain("medium", tint=TINT),
    },
    "denoise": {
        **{f"gauss{sigma}": named("gauss30", sigma=sigma) for sigma in (15, 30, 50)},
        "salt_and_pepper": named("salt_and_pepper"),
    },
    "deblur": {name: named(name) for name in ("blur", "motion_blur")},
}
TITLES = {
    **{name: kind.about for of in DRAWN.values() for name, kind in of.items()},
    **RAIN_NAMES,
    "tinted": "tinted medium-range rain",
}
TASKS = tuple(DRAWN)
CROP = 192  # pixels; the middle of a picture is enough, and quick
LIMIT = 8  # pictures


class AuditError(RuntimeError):
    """Something keeps a network from being audited; the message says what to do."""


@dataclass(frozen=True)
class Kind:
    """Pictures with rain, or another degradation, of one kind, and without.

    name: in file names. title: on the card. degraded, clean: uint8 (3, H, W), pair by pair. places:
    the file name, without suffix, of each clean picture; kinds share these. task: undoing it.
    """

    name: str
    title: str
    degraded: tuple[Tensor, ...]
    clean: tuple[Tensor, ...]
    places: tuple[str, ...]
    task: str = "derain"

    def names(self) -> list[str]:
        """File names, without suffix, of the degraded pictures."""
        return [f"{self.name}-{place.removeprefix(f'{CLEAN}-')}" for place in self.places]


@dataclass(frozen=True)
class Inputs:
    """All pictures of an audit: kinds of rain, and what lies under them.

    kinds: what the card has a line for. cells: those of the maps of rain. real: photographs of real
    rain, of which nobody knows what lies under it.
    """

    kinds: tuple[Kind, ...]
    cells: tuple[Kind, ...] = ()
    real: tuple[Tensor, ...] = ()

    def pictures(self) -> dict[str, Tensor]:
        """File name without suffix -> picture: first those without rain, each once."""
        every = (*self.kinds, *self.cells)
        without = {k: v for one in every for k, v in zip(one.places, one.clean, strict=True)}
        rainy = {k: v for one in every for k, v in zip(one.names(), one.degraded, strict=True)}
        return without | rainy | self.of_real_rain()

    def digest(self) -> str:
        """Of all pictures that are drawn here, so not of Rain100's: the same only for the same."""
        total = hashlib.sha256()
        for kind in self.kinds:
            if kind.name not in RAIN100:
                for picture in (*kind.clean, *kind.degraded):
                    total.update(digest_of(picture).encode())
        return total.hexdigest()

    def of_real_rain(self) -> dict[str, Tensor]:
        """The photographs of real rain by file name without suffix."""
        return {f"{REAL}-{number:02d}": picture for number, picture in enumerate(self.real)}


def make(
    pictures: Path | None = None,
    limit: int = LIMIT,
    crop: int = CROP,
    seed: int = 0,
    real: Path | None = None,
    task: str = "derain",
    sets: Sequence[str] = RAIN100,
) -> Inputs:
    """The inputs of an audit.

    pictures: a folder of clean pictures; None takes those that come with the package. limit: at
    most so many of them, of Rain100's where that is at hand, and of real ones. crop: side of the
    middle that is used. real: a folder of photographs of real rain. task: of `TASKS`. sets: of
    Rain100's, where they are at hand and rain is the task. Raises `images.PictureError` where a
    folder has none that can be used.
    """
    clean = _clean(pictures, limit, crop)
    places = tuple(f"{CLEAN}-{number:02d}" for number in range(len(clean)))
    kinds = [
        Kind(name, TITLES[name], tuple(_degraded(clean, task, name, seed)), clean, places, task)
        for name in DRAWN[task]
    ]
    if task != "derain":
        return Inputs(tuple(kinds))
    kinds += [_rain100(name, limit, crop) for name in sets if images.is_available(name)]
    found = () if real is None else _clean(real, limit, REAL_CROP)
    return Inputs(tuple(kinds), tuple(_cells(clean, seed)), found)


def export(inputs: Inputs, folder: Path) -> int:
    """Writes the inputs as PNG files with a manifest beside them; returns how many.

    Raises AuditError where the folder holds anything already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise AuditError(f"{data.printable(folder)} is not empty; give a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    digests = {}
    for name, picture in inputs.pictures().items():
        (folder / f"{name}.png").write_bytes(images.encode_png(picture))
        digests[name] = digest_of(picture)
    manifest = {
        "format": FORMAT,
        "rainlens": rainlens.__version__,
        "kinds": [
            {"name": kind.name, "clean": list(kind.places)}
            for kind in (*inputs.kinds, *inputs.cells)
        ],
        "pictures": digests,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return len(digests)


def read(folder: Path) -> Inputs:
    """The inputs that `export` wrote.

    Raises AuditError where the folder is none of that kind, or a picture in it has been changed.
    """
    manifest = _manifest(folder)
    try:
        found = {n: _unchanged(folder, n, digest) for n, digest in manifest["pictures"].items()}
        every = [_kind(described, found) for described in manifest["kinds"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise AuditError(f"{_named(folder)} is damaged; export the inputs anew.") from error
    kinds = tuple(kind for kind in every if not maps.is_cell(kind.name))
    if not kinds or not all(kind.places for kind in every):
        raise AuditError(f"{_named(folder)} names no pictures; export the inputs anew.")
    real = tuple(picture for name, picture in found.items() if name.startswith(f"{REAL}-"))
    return Inputs(kinds, tuple(kind for kind in every if maps.is_cell(kind.name)), real)


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise AuditError(
            f"{data.printable(folder)} holds no {MANIFEST}; write the inputs with "
            f"`rainlens audit export {data.printable(folder)}`."
        ) from error
    except (OSError, ValueError) as error:
        raise AuditError(f"{_named(folder)} cannot be read; export the inputs anew.") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise AuditError(
            f"{_named(folder)} is of another version of rainlens; export the inputs anew."
        )
    return manifest


def _unchanged(folder: Path, name: str, digest: str) -> Tensor:
    if PurePath(name).name != name or "\\" in name:  # it may not lead out of any folder
        raise AuditError(f"{_named(folder)} is damaged; export the inputs anew.")
    picture = images.load(folder / f"{name}.png")
    if digest_of(picture) != digest:
        raise AuditError(
            f"{data.printable(folder / name)}.png is not what was exported; outputs belong into "
            "another folder. Export the inputs anew."
        )
    return picture


def _kind(described: dict[str, Any], found: dict[str, Tensor]) -> Kind:
    # What it is called on the card is never taken from a file.
    name = described["name"]
    kind = Kind(name, _title(name), (), (), tuple(described["clean"]), _task(name))
    degraded = tuple(found[name] for name in kind.names())
    return replace(kind, degraded=degraded, clean=tuple(found[place] for place in kind.places))


def _title(name: str) -> str:
    return next((one.title for one in maps.MAPS if name.startswith(one.name)), None) or TITLES[name]


def _task(name: str) -> str:
    return next((task for task, of in DRAWN.items() if name in of), "derain")


def _named(folder: Path) -> str:
    return data.printable(folder / MANIFEST)


def _clean(pictures: Path | None, limit: int, crop: int) -> tuple[Tensor, ...]:
    if pictures is None:
        files = [file for split in ("test", "train") for file in images.names("embedded", split)]
    else:
        files = images.list_folder(pictures)
    return tuple(images.centre(images.load(file), crop).clone() for file in files[:limit])


def _degraded(clean: Sequence[Tensor], task: str, name: str, seed: int) -> Iterator[Tensor]:
    for number, picture in enumerate(clean):
        source = generator(seed, f"audit {name} {number}")
        degraded = DRAWN[task][name].apply(images.to_unit(picture)[None], source)[0]
        yield images.to_bytes(degraded)


def _cells(clean: Sequence[Tensor], seed: int) -> Iterator[Kind]:
    small = tuple(images.centre(one, maps.CROP).clone() for one in clean[: maps.PICTURES])
    places = tuple(f"{CLEAN}-map-{number:02d}" for number in range(len(small)))
    for one in maps.MAPS:
        for name, of in one.cells():
            yield Kind(name, one.title, tuple(maps.rainy(small, name, of, seed)), small, places)


def _rain100(name: str, limit: int, crop: int) -> Kind:
    test = TestSet(name, degradation=name, backgrounds="rain100l", count=limit, crop=crop)
    degraded, clean = evaluation.load(test)
    places = tuple(f"{CLEAN}-rain100-{number:02d}" for number in range(len(clean)))
    return Kind(name, TITLES[name], tuple(degraded), tuple(clean), places)


def digest_of(picture: Tensor) -> str:
    """SHA-256 of the pixels: a file may be stored anew without being changed."""
    shape = ",".join(map(str, picture.shape))
    return hashlib.sha256(shape.encode() + picture.contiguous().numpy().tobytes()).hexdigest()
