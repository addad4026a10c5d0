"""From originals to the files that experiments read: which come from which, and how."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from rainlens.data.catalogue import DataError, DataSet, Original
from rainlens.data.pictures import on_white, open_picture

Maker = Callable[[Sequence[Path], Path], None]


def copy(sources: Sequence[Path], target: Path) -> None:
    """The maker of files that are used as their authors publish them."""
    shutil.copyfile(sources[0], target)


def shrink(image: Image.Image, short_side: int) -> Image.Image:
    """`image` scaled so that its short side is `short_side` pixels; never enlarged."""
    scale = short_side / min(image.size)
    if scale >= 1:
        return image
    width, height = (round(side * scale) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def rain_layer(rainy: np.ndarray, clean: np.ndarray) -> np.ndarray:
    """The grey rain layer R of a Rain100 pair, for which `rainy = min(clean + R, 255)`.

    Where a channel is saturated it hides a part of the rain. The largest difference over the
    channels is the smallest layer that explains the pair.

    Args:
        rainy: (H, W, 3), uint8.
        clean: (H, W, 3), uint8.

    Returns:
        (H, W), uint8.

    Raises:
        ValueError: the shapes differ, or more than one pixel in a thousand is not clean plus
            grey rain.
    """
    if rainy.shape != clean.shape:
        raise ValueError(f"the rainy picture is {rainy.shape} and the clean one {clean.shape}")
    layer = (rainy.astype(np.int16) - clean).max(axis=2).clip(min=0)
    again = np.minimum(clean + layer[..., None], 255)
    wrong = (again != rainy).any(axis=2).mean()
    if wrong > 0.001:
        raise ValueError(f"{wrong:.1%} of the pixels are not clean plus grey rain")
    levels: np.ndarray = layer.astype(np.uint8)
    return levels


def _comic(sources: Sequence[Path], target: Path) -> None:
    with open_picture(sources[0]) as image:
        on_white(image).save(target, "JPEG", quality=93, subsampling=0)


def _shrunk(
    sources: Sequence[Path], target: Path, short_side: int, quality: int, subsampling: int
) -> None:
    with open_picture(sources[0]) as image:
        small = shrink(image.convert("RGB"), short_side)
    small.save(target, "JPEG", quality=quality, subsampling=subsampling)


def _pixels(path: Path) -> np.ndarray:
    with open_picture(path) as image:
        return np.asarray(image.convert("RGB"))


def _clean_png(sources: Sequence[Path], target: Path) -> None:
    Image.fromarray(_pixels(sources[0])).save(target, "PNG", optimize=True)


def _rain_png(sources: Sequence[Path], target: Path) -> None:
    layer = rain_layer(_pixels(sources[0]), _pixels(sources[1]))
    Image.fromarray(layer).save(target, "PNG", optimize=True)


_MAKERS: dict[str, Maker] = {
    "natural": copy,
    "faces": copy,
    "comics": _comic,
    "urban": partial(_shrunk, short_side=512, quality=93, subsampling=0),
    "photos": partial(_shrunk, short_side=256, quality=88, subsampling=2),
    "real_rain147": copy,
    "weights": copy,
    "iqa_calibration": _clean_png,
}


@dataclass(frozen=True)
class Expected:
    """What is known of a file before it is there; None where only a look at it can tell."""

    bytes: int | None = None
    sha256: str | None = None
    fetched: bool = True


@dataclass(frozen=True)
class Job:
    """One file of the layout: where it goes (under the root), from what, and how."""

    target: str
    sources: tuple[Original, ...]
    make: Maker

    @property
    def expected(self) -> Expected:
        """Size and checksum that the target must have, known where it is a copy."""
        first = self.sources[0]
        return Expected(first.bytes, first.sha256) if self.make is copy else Expected()


def jobs_of(name: str, registry: Iterable[Original]) -> list[Job]:
    """All files of one set that can be made from the registry, in order."""
    rows = [row for row in registry if row.set == name]
    if name.startswith("rain100"):
        return _rain100_jobs(name, rows)
    named = ((_target(name, row.path), row) for row in rows)
    return [Job(target, (row,), _MAKERS[name]) for target, row in named if target]


# The registry also lists PReNet's recursive and real-rain variants, which nothing here reads.
# Where originals go whose name alone does not tell.
_PLACES = {
    "weights": (
        (r"logs/(Rain100[LH])/(PRN6|PReNet6)/net_latest\.pth", r"weights/prenet/\2_\1.pth"),
        (r"lpips/weights/v0\.1/(\w+\.pth)", r"weights/lpips_v0.1/\1"),
        (r"(taef2_(?:en|de)coder\.pth)", r"weights/taef2/\1"),
        (r"basicsr/metrics/(niqe_pris_params\.npz)", r"weights/\1"),
        (r"MATLAB/(allmodel|allrange)", r"weights/brisque/\1"),
    ),
    "iqa_calibration": (
        (r"ResultsCalibra/(ref|dist)_dir/(I\d+)\.bmp", r"iqa_calibration/\1/\2.png"),
    ),
}


def _target(name: str, path: str) -> str | None:
    """Where the original at `path` of its repository goes; None where it is not used."""
    if name in _PLACES:
        places = ((re.fullmatch(was, path), becomes) for was, becomes in _PLACES[name])
        return next((match.expand(becomes) for match, becomes in places if match), None)
    stem = Path(path).stem
    # Records name the photographs by these stems: keep the prefix as it is.
    return f"{name}/imagene_{stem}.jpg" if name == "photos" else f"{name}/{stem}.jpg"


def _rain100_jobs(name: str, rows: Iterable[Original]) -> list[Job]:
    clean: dict[int, Original] = {}
    rainy: dict[int, Original] = {}
    for row in rows:
        kind, number = Path(row.path).parent.name, int(Path(row.path).stem)
        (clean if kind in ("target", "cleancrop") else rainy)[number] = row
    if clean.keys() != rainy.keys():
        raise DataError(f"The registry lists {name} pictures without a partner.")
    pairs = [(f"{n:03}.png", rainy[n], clean[n]) for n in sorted(clean)]
    jobs = [Job(f"{name}/rain/{file}", (wet, dry), _rain_png) for file, wet, dry in pairs]
    if name == "rain100l":
        jobs += [Job(f"{name}/clean/{file}", (dry,), _clean_png) for file, _, dry in pairs]
    return jobs


def expected(entry: DataSet, registry: Iterable[Original]) -> dict[str, Expected]:
    """Path under the root -> what is known of it, for all files that the set should have."""
    files = {job.target: job.expected for job in jobs_of(entry.name, registry)}
    by_hand = {
        f"{entry.folder}/{file}": Expected(sha256=sha256, fetched=False)
        for file, sha256 in entry.by_hand
    }
    return files | by_hand
